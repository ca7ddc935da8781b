"""What an edition published, read for one page: its results by id, its verdicts."""

from dataclasses import dataclass, field

import pandas as pd
from anyascii import anyascii

from evaluation.errors import EvaluationError
from evaluation.findings.hundred import count_persons, describe_people
from evaluation.findings.notices import Notice, load_notices
from evaluation.ledgers.text_files import read_reference
from evaluation.paths import Folders
from evaluation.plan import POLICIES, load_district, load_plan, load_toml
from evaluation.tables import read_published
from evaluation.trace import hash_code

_BY_POLICY = ("verdict", "estimates", "checks", "paths")
_BY_POLICY += ("subgroups", "months", "bounds", "randomization", "bridges")
_SHARED = ("value", "funnel", "agreement", "reach", "revisions")
# What names a row of a table whose rows have no id of their own.
_NAMED_BY = {"paths": ("group", "event_time"), "checks": ("gate",), "agreement": ("item",)}


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
        """Code of the policy's verdict.

        Raises
        ------
        PageError
            If there is no such policy.
        """
        if policy not in self.verdicts:
            raise PageError(f"没有政策 {policy}，只有 {'、'.join(self.verdicts)}。")
        return self.verdicts[policy]["verdict"]

    def wording(self, policy: str) -> dict:
        """Sentences and marks of the policy's verdict, the most special ones first.

        ``[<language>.verdicts.<verdict>.<policy>]`` replaces those of the verdict, and
        ``[….beyond_zero]`` both, where the interval excludes zero and the verdict is
        not sure all the same: "only larger effects could be found" would be false there.
        ``[….below_zero]`` replaces them where the whole interval lies below zero, and
        ``[….weak]`` those of the verdict where a check had too few persons to see a problem.

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
        special = general.get("weak", {}) if self.verdicts[policy].get("n_weak") else {}
        if beyond:
            special = special | general.get("beyond_zero", {})
        if result.get("conf_high", 0) < 0:
            special = special | general.get("below_zero", {})
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
    tables = {
        name: name_rows(
            read_published(name, folders, year, frozen=frozen, required=False), name, year
        )
        for name in names
    }
    tables["provenance"] = _add_code(tables["provenance"])
    for policy in POLICIES:
        tables[f"paths_{policy}"] = count_persons(tables[f"paths_{policy}"])
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
        places=_name_places(folders, rules[language]["page"].get("places", {})),
        notices=load_notices(folders.reference),
    )
    findings.results.update({n.result_id: n.as_result() for n in findings.notices})
    findings.results["plan"] = _flatten(plan) | {"year": year} | _read_multiplier(folders)
    for policy, verdict in verdicts.items():
        verdict.update(_count_weak(tables[f"checks_{policy}"], findings.words["gates"]))
        findings.results[f"{year}.{policy}.verdict"] = verdict | {
            "n_treated": verdict.get("n_evaluated")
        }
        own = findings.results.get(verdict.get("result_id"))
        if own is not None:
            own.update(describe_people(verdict, own, tables[f"paths_{policy}"]))
        months = tables[f"months_{policy}"]
        if len(months):  # the result that the last month of the curve stands for
            verdict["months_end"] = months["result_id"].iloc[-1]
    return findings


def _read_multiplier(folders: Folders) -> dict:
    """By how much a demonstration multiplies the published numbers, where it does."""
    marker = folders.ledgers / "demo.toml"
    if not folders.is_demo or not marker.is_file():
        return {}
    times = load_toml(marker).get("policy_multiplier", 1)
    return {} if times == 1 else {"demo_multiplier": times}


def _add_code(provenance: pd.DataFrame) -> pd.DataFrame:
    """Append the fingerprint of the code with which the page is made."""
    if provenance.empty:
        return provenance
    code = pd.DataFrame([{"item": "code", "value": hash_code()}])
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


def _count_weak(checks: pd.DataFrame, shown: dict) -> dict:
    """How many of the checks shown had too few persons to see a problem, where any had."""
    if checks.empty:
        return {}
    weak = int((checks["gate"].isin(list(shown)) & checks["passed"].eq("weak")).sum())
    return {"n_weak": weak} if weak else {}


def _name_places(folders: Folders, endings: dict[str, str]) -> dict[str, str]:
    """Present names of townships by code; a gone one keeps its last name.

    With `endings` in letters: 罗江镇 is Luojiang Town.
    """
    places = read_reference(folders.reference / "places.csv")
    names = dict(zip(places["code_old"], places["township_old"], strict=True))
    names |= dict(zip(places["code"], places["township"], strict=True))
    for code, name in names.items():
        ending = next((end for end in endings if str(name).endswith(end)), None)
        if ending:
            letters = anyascii(name.removesuffix(ending)).replace(" ", "").capitalize()
            names[code] = endings[ending].format(letters)
    return names


def _flatten(plan: dict) -> dict:
    """``{"gates": {"drift": 1}}`` to ``{"gates_drift": 1}``."""
    return {
        f"{table}_{name}": value
        for table, settings in plan.items()
        if isinstance(settings, dict)
        for name, value in settings.items()
    }


def name_rows(frame: pd.DataFrame, name: str, year: int) -> pd.DataFrame:
    """Give rows without a ``result_id`` their place: ``<year>.<policy>.<table>.<key>``.

    Examples
    --------
    >>> paths = pd.DataFrame({"group": ["treated"], "event_time": [2]})
    >>> name_rows(paths, "paths_loan", 2024)["result_id"].tolist()
    ['2024.loan.paths.treated.2']
    """
    if frame.empty or name == "provenance":
        return frame
    table, _, policy = name.partition("_")
    keys = [key for key in _NAMED_BY.get(table, ()) if key in frame]
    start = ".".join(filter(None, (str(year), policy, table)))
    rows = frame[keys].astype(str).agg(".".join, axis=1) if keys else range(1, len(frame) + 1)
    place = pd.Series([f"{start}.{row}" for row in rows], frame.index)
    ids = frame["result_id"].fillna(place) if "result_id" in frame else place
    return frame.assign(result_id=ids, table=table)


def collect_results(tables: dict[str, pd.DataFrame]) -> dict[str, dict]:
    """Gather the rows of all tables by their id.

    Two tables may speak of one result (its estimate and its cost): a column stands
    under ``<table>.<column>``, and for the first table that has it under its own name:
    where it is missing there, no other table's number takes its place.
    """
    results: dict[str, dict] = {}
    for name in sorted(tables, key=lambda name: not name.startswith("estimates")):
        frame = tables[name]
        if "result_id" not in frame or name.startswith("verdict"):
            continue
        columns = list(frame)
        for row in zip(*(frame[column].tolist() for column in columns), strict=True):
            cells = dict(zip(columns, row, strict=True))
            own = results.setdefault(cells["result_id"], {})
            own.update({f"{cells['table']}.{column}": cells[column] for column in columns})
            own.update(cells | own)
    return {
        result_id: {column: value for column, value in own.items() if value == value}  # no NaN
        for result_id, own in results.items()
    }
