"""What an edition published, read for one page: its results by id, its verdicts."""

from dataclasses import dataclass, field

import pandas as pd

from evaluation.errors import EvaluationError
from evaluation.findings.notices import Notice, load_notices
from evaluation.paths import Folders
from evaluation.plan import POLICIES, load_district, load_plan, load_toml
from evaluation.tables import read_published
from evaluation.trace import hash_code

_BY_POLICY = ("verdict", "estimates", "checks", "paths")
_SHARED = ("value", "funnel", "agreement", "reach", "revisions")


class PageError(EvaluationError):
    """A sentence that its verdict does not permit, or a number without a result."""


@dataclass(frozen=True)
class Findings:
    """One edition's published tables, read for one page in one language.

    Attributes
    ----------
    year, language, is_demo
        What the page is about.
    words
        The language's part of ``sentences.toml``; ``rules`` its part for all languages.
    plan, district
        Reference data.
    tables
        Published tables by name; a missing one is an empty frame.
    verdicts
        By policy: ``verdict``, ``result_id`` and the counts; ``missing`` where the
        edition has no verdict for the policy.
    results
        By result id: its columns.
    places
        Names of townships by code.
    quoted
        Ids quoted so far, in order; the list of results at the end shows these.
    notices
        Corrections and withdrawals, of all editions.
    """

    year: int
    language: str
    is_demo: bool
    words: dict
    rules: dict
    plan: dict
    district: dict
    tables: dict[str, pd.DataFrame]
    verdicts: dict[str, dict]
    results: dict[str, dict]
    places: dict[str, str]
    quoted: dict[str, None] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def verdict(self, policy: str) -> str:
        """Code of the policy's verdict."""
        return self.verdicts[policy]["verdict"]

    def wording(self, policy: str) -> dict:
        """Sentences and marks of the policy's verdict, the most special ones first.

        ``[<language>.verdicts.<verdict>.<policy>]`` replaces those of the verdict, and
        ``[….beyond_zero]`` both, where the interval excludes zero and the verdict is
        not sure all the same: "only larger effects could be found" would be false there.

        Raises
        ------
        PageError
            If the language has no such verdict.
        """
        verdict = self.verdict(policy)
        if verdict not in self.words["verdicts"]:
            raise PageError(f"sentences.toml 中没有结论 {verdict}。")
        general = self.words["verdicts"][verdict]
        result = self.results.get(self.verdicts[policy].get("result_id"), {})
        beyond = result.get("conf_low", 0) > 0 or result.get("conf_high", 0) < 0
        special = general.get("beyond_zero", {}) if beyond else {}
        return general | general.get(policy, {}) | special


def load_findings(
    folders: Folders, year: int, language: str = "zh", *, frozen: bool = False
) -> Findings:
    """Read what an edition published; nothing else, and nothing of persons.

    Parameters
    ----------
    folders
        As located.
    year
        The edition.
    language
        ``zh`` or ``en``: the same results under the same ids.
    frozen
        Read the frozen edition instead of the rerun one.

    Raises
    ------
    PageError
        If the language has no sentences.
    """
    rules = load_toml(folders.reference / "sentences.toml")
    if language not in ("zh", "en"):
        raise PageError(f"没有语言 {language} 的文字，只有 zh 和 en。")
    names = [*_SHARED, "provenance"] + [f"{n}_{p}" for n in _BY_POLICY for p in POLICIES]
    names += [f"bridges_{policy}" for policy in POLICIES]
    tables = {
        name: name_rows(
            read_published(name, folders, year, frozen=frozen, required=False), name, year
        )
        for name in names
    }
    tables["provenance"] = _add_code(tables["provenance"])
    plan = load_plan(folders.reference)
    verdicts = {policy: _read_verdict(policy, tables, year) for policy in POLICIES}
    findings = Findings(
        year=year,
        language=language,
        is_demo=folders.is_demo,
        words=rules[language],
        rules=rules,
        plan=plan,
        district=load_district(folders.reference),
        tables=tables,
        verdicts=verdicts,
        results=collect_results(tables),
        places=_name_places(folders),
        notices=load_notices(folders.reference),
    )
    findings.results.update({n.result_id: n.as_result() for n in findings.notices})
    findings.results["plan"] = _flatten(plan) | {"year": year}
    for policy, verdict in verdicts.items():
        findings.results[f"{year}.{policy}.verdict"] = verdict | {
            "n_treated": verdict.get("n_evaluated")
        }
        own = findings.results.get(verdict.get("result_id"))
        if own is not None:
            own.update(describe_people(verdict, own, tables[f"paths_{policy}"]))
    return findings


def _add_code(provenance: pd.DataFrame) -> pd.DataFrame:
    """Append the fingerprint of the code with which the page is made."""
    if provenance.empty:
        return provenance
    code = pd.DataFrame([{"item": "code", "value": hash_code(), "label_zh": "程序指纹"}])
    return pd.concat([provenance, code], ignore_index=True)


def _read_verdict(policy: str, tables: dict, year: int) -> dict:
    """One row of ``verdict_<policy>``, and the year in which a policy falls due."""
    frame, paths = tables[f"verdict_{policy}"], tables[f"paths_{policy}"]
    if frame.empty:
        return {"policy": policy, "verdict": "missing"}
    verdict = frame.iloc[0].dropna().to_dict()
    if verdict["verdict"] == "not_due" and len(paths):
        seen = paths.loc[paths["group"].eq("treated"), "event_time"].max()
        verdict["due_year"] = year + verdict["horizon"] - seen
    return verdict


def _name_places(folders: Folders) -> dict[str, str]:
    """Present names of townships; a gone one keeps its last name."""
    places = pd.read_csv(folders.reference / "places.csv", dtype="str", encoding="utf-8-sig")
    gone = dict(zip(places["code_old"], places["township_old"], strict=True))
    return gone | dict(zip(places["code"], places["township"], strict=True))


def _flatten(plan: dict) -> dict:
    """``{"gates": {"drift": 1}}`` to ``{"gates_drift": 1}``."""
    return {
        f"{table}_{name}": value
        for table, settings in plan.items()
        if isinstance(settings, dict)
        for name, value in settings.items()
    }


def name_rows(frame: pd.DataFrame, name: str, year: int) -> pd.DataFrame:
    """Give rows without a ``result_id`` their place: ``<year>.<table>.<row of the csv>``."""
    if frame.empty or name == "provenance":
        return frame
    place = pd.Series([f"{year}.{name}.{row}" for row in range(1, len(frame) + 1)], frame.index)
    ids = frame["result_id"].fillna(place) if "result_id" in frame else place
    return frame.assign(result_id=ids, table=name.split("_")[0])


def collect_results(tables: dict[str, pd.DataFrame]) -> dict[str, dict]:
    """Gather the rows of all tables by their id.

    Two tables may speak of one result (its estimate and its cost): a column stands
    under ``<table>.<column>``, and for the first table that has it under its own name.
    """
    results: dict[str, dict] = {}
    for name in sorted(tables, key=lambda name: not name.startswith("estimates")):
        frame = tables[name]
        if "result_id" not in frame or name.startswith("verdict"):
            continue
        columns = list(frame)
        for row in zip(*(frame[column].tolist() for column in columns), strict=True):
            cells = zip(columns, row, strict=True)
            known = {column: value for column, value in cells if value == value}  # no NaN
            own = results.setdefault(known["result_id"], {})
            table = known["table"]
            own.update({f"{table}.{column}": value for column, value in known.items()})
            own.update(known | own)
    return results


def describe_people(verdict: dict, primary: dict, paths: pd.DataFrame) -> dict:
    """Divide 100 participants at the horizon, as whole persons that add up to 100.

    Treated share T comes from the paths, the effect from the published estimate. Under
    a definite verdict: would have worked anyway (T less effect), work because of it,
    do not work. Otherwise nobody can be said to work because of it: those between T
    less the upper limit and T are *unclear*. A lower limit below zero is not drawn.

    Returns
    -------
    dict
        ``treated_share``, ``anyway_share``, ``because_share``, ``unclear_share``,
        ``less_share``, ``idle_share``, in fractions; empty without paths.
    """
    if paths.empty or "estimate" not in primary:
        return {}
    at = paths["group"].eq("treated") & paths["event_time"].eq(verdict.get("horizon"))
    share = paths.loc[at, "share"].dropna()
    if share.empty:
        return {}
    treated = round(float(share.iloc[0]) * 100)
    effect, upper = round(primary["estimate"] * 100), round(primary["conf_high"] * 100)
    parts = dict.fromkeys(("because", "unclear", "less"), 0)
    code = verdict["verdict"]
    if code.startswith("effective"):
        parts["because"] = min(max(effect, 0), treated)
    elif code.startswith("harmful"):
        parts["less"] = min(max(-effect, 0), 100 - treated)
    elif code in ("cannot_tell", "too_small"):
        parts["unclear"] = min(max(upper, 0), treated)
    parts["anyway"] = treated - parts["because"] - parts["unclear"]
    parts["idle"] = 100 - treated - parts["less"]
    parts["treated"] = treated
    return {f"{name}_share": value / 100 for name, value in parts.items()}
