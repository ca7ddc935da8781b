"""Numbers bound to results: quoting a result by its id, and sentences built of quotes.

No wording stands here: templates come from ``data/reference/sentences.toml``, with
``{slots}`` that name a result and a column.
"""

import re
from dataclasses import dataclass, field

import pandas as pd
from markupsafe import Markup, escape

from evaluation.errors import EvaluationError
from evaluation.paths import Folders
from evaluation.plan import POLICIES, load_district, load_plan, load_toml
from evaluation.tables import read_published

_SLOT = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"\d[\d,.]*")
_BY_POLICY = ("verdict", "estimates", "checks", "paths", "bridges")
_SHARED = ("value", "funnel", "agreement", "reach", "power", "balance", "revisions")


class PageError(EvaluationError):
    """A sentence that its verdict does not permit, or a number without a result."""


class Quoted(Markup):
    """HTML of a number that carries the id of its result."""


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

    def verdict(self, policy: str) -> str:
        """Code of the policy's verdict."""
        return self.verdicts[policy]["verdict"]

    def say(self, policy: str, key: str) -> Markup:
        """Build the sentence that the policy's verdict permits: see `say`."""
        return say(self, policy, key)

    def text(self, key: str, policy: str | None = None, **bound) -> Markup:
        """Build a sentence of the page's own wording (``[<language>.page]``)."""
        return compose(self, self.words["page"][key], policy, bound)


def load_findings(folders: Folders, year: int, language: str = "zh") -> Findings:
    """Read what an edition published; nothing else, and nothing of persons.

    Parameters
    ----------
    folders
        As located.
    year
        The edition.
    language
        ``zh`` or ``en``: the same results under the same ids.

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
        name: name_rows(read_published(name, folders, year, required=False), name, year)
        for name in names
    }
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
    )
    findings.results["plan"] = _flatten(plan) | {"year": year}
    for policy, verdict in verdicts.items():
        findings.results[f"{year}.{policy}.verdict"] = verdict | {
            "n_treated": verdict.get("n_evaluated")
        }
        own = findings.results.get(verdict.get("result_id"))
        if own is not None:
            own.update(describe_people(verdict, own, tables[f"paths_{policy}"]))
    return findings


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
        for row in frame.to_dict("records"):
            known = {column: value for column, value in row.items() if not pd.isna(value)}
            own = results.setdefault(row["result_id"], {})
            own.update({f"{row['table']}.{column}": value for column, value in known.items()})
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


def quote(
    findings: Findings, result_id: str, column: str, style: str = "count", link: bool = True
) -> Quoted:
    """Quote one number of one result.

    Parameters
    ----------
    findings
        As loaded.
    result_id
        As in the published tables; ``plan`` for a number of the analysis plan.
    column
        Column of that row; ``interval`` quotes ``conf_low`` and ``conf_high`` together.
    style
        Name under ``[<language>.styles]``: scale, rounding, unit.
    link
        Whether the number links to the list of results (sentences) or only carries its
        id (cells of tables, where links would be hundreds of tab stops).

    Returns
    -------
    Quoted
        The number with its id and, on hovering, design, outcome, n and interval. A
        value that was suppressed or never computed reads 〔略〕 or —.

    Raises
    ------
    PageError
        If there is no such result or style.
    """
    result = findings.results.get(result_id)
    if result is None:
        raise PageError(f"没有编号为 {result_id} 的结果，句子不能引用它。")
    text = format_value(findings, result, column, style)
    if text is None:
        hidden = f"{column.rpartition('.')[2]}:" in str(result.get("suppressed", ""))
        text = findings.words["page"]["suppressed" if hidden else "unknown"]
    title = escape(describe_result(findings, result_id))
    if result_id == "plan":
        return Quoted(f'<span class="n" data-id="plan">{escape(text)}</span>')
    if not link:
        return Quoted(
            f'<span data-id="{escape(result_id)}" title="{title}">{escape(text)}</span>'
        )
    findings.quoted.setdefault(result_id)
    return Quoted(
        f'<a class="q" href="#r-{escape(result_id)}" title="{title}">{escape(text)}</a>'
    )


def format_value(findings: Findings, result: dict, column: str, style: str) -> str | None:
    """Write a number with its unit; None where it is missing."""
    rule = findings.words["styles"].get(style)
    if rule is None:
        raise PageError(f"sentences.toml 中没有数字写法 {style}。")
    table, _, last = column.rpartition(".")
    ends = [f"{table}.{end}" if table else end for end in ("conf_low", "conf_high")]
    names = ends if last == "interval" else [column]
    values = [result.get(name) for name in names]
    if any(value is None or pd.isna(value) for value in values):
        return None
    if isinstance(values[0], str):
        return values[0]
    digits = rule.get("digits", 0)
    scaled = [round(float(value) * rule.get("scale", 1), digits) + 0.0 for value in values]
    form = rule.get("format")
    if form is None:  # words for the sign, as in 少3人到多13人
        form = rule["above" if scaled[0] >= 0 else "below" if scaled[-1] <= 0 else "across"]
    if rule.get("absolute"):
        scaled = [abs(value) for value in scaled]
    grouping = "" if rule.get("year") else ","
    return form.format(*(f"{v:{grouping}.{max(digits, 0)}f}".replace("-", "−") for v in scaled))


def describe_result(findings: Findings, result_id: str) -> str:
    """Say in one line where a number comes from."""
    result, names = findings.results[result_id], findings.words["names"]
    parts = [result_id]
    parts += [names.get(result[k], result[k]) for k in ("design", "outcome") if k in result]
    if result.get("n_treated") is not None:
        parts.append(f"n={result['n_treated']:,.0f}")
    if "estimate" in result and "conf_low" in result:
        interval = format_value(findings, result, "interval", "interval_points")
        parts.append(f"{format_value(findings, result, 'estimate', 'points')} ({interval})")
    return " · ".join(parts)


def say(findings: Findings, policy: str, key: str) -> Markup:
    """Build the sentence `key` of the policy's verdict.

    Looked up under ``[<language>.verdicts.<verdict>.<policy>]``, then without policy.
    Where a slot has no value, ``<key>_without`` is said instead.

    Raises
    ------
    PageError
        If the verdict permits no such sentence.
    """
    verdict = findings.verdict(policy)
    permitted = findings.words["verdicts"].get(verdict)
    if permitted is None:
        raise PageError(f"sentences.toml 中没有结论 {verdict}。")
    own = permitted.get(policy, {})
    template = own.get(key, permitted.get(key))
    if template is None:
        raise PageError(f"结论“{permitted['badge']}”不允许说“{key}”这句话。")
    without = own.get(f"{key}_without", permitted.get(f"{key}_without"))
    if without is not None and not is_known(findings, policy, template):
        template = without
    return compose(findings, template, policy)


def is_known(findings: Findings, policy: str, template: str) -> bool:
    """Whether every slot of a template has a value."""
    for name in _SLOT.findall(template):
        slot = findings.rules["slots"].get(name)
        if slot is None:
            continue
        result = findings.results.get(_slot_id(findings, policy, slot), {})
        if format_value(findings, result, slot["column"], slot["style"]) is None:
            return False
    return True


def _slot_id(findings: Findings, policy: str | None, slot: dict) -> str:
    """Id of a slot's result; ``primary`` is the one that the verdict rests upon."""
    if slot["id"] == "primary":
        return findings.verdicts[policy].get("result_id", "")
    return slot["id"].format(year=findings.year, policy=policy)


def compose(
    findings: Findings,
    template: str,
    policy: str | None = None,
    bound: dict | None = None,
    *,
    as_warning: bool = False,
) -> Markup:
    """Fill a template: text is escaped, every number must come from a result.

    Parameters
    ----------
    findings
        As loaded.
    template
        Text with ``{slots}``: names of `bound`, slots of ``sentences.toml``, or words
        of the policy (``{name}``, ``{people}``).
    policy
        Whose slots, words and verdict apply.
    bound
        Further values: quotes, or words without numbers.
    as_warning
        For sentences that are shown as what may *not* be said.

    Raises
    ------
    PageError
        On a number that is neither quoted nor in the short list of fixed ones, on a
        causal word (带动, 促进, 贡献) without the verdict that permits it, and on an
        unknown slot.
    """
    bound, words = bound or {}, findings.words["policies"].get(policy, {})
    pieces = []
    for position, piece in enumerate(_SLOT.split(template)):
        if position % 2 == 0:
            if not as_warning:
                check_words(findings, piece, policy)
            pieces.append(escape(piece))
        elif piece in bound:
            value = bound[piece]
            if not isinstance(value, Markup):
                check_words(findings, str(value), policy)
            pieces.append(escape(value))
        elif piece in words:
            pieces.append(escape(words[piece]))
        elif piece in findings.rules["slots"]:
            slot = findings.rules["slots"][piece]
            target = _slot_id(findings, policy, slot)
            pieces.append(
                quote(findings, target, slot["column"], slot["style"], slot.get("link", True))
            )
        else:
            raise PageError(f"句子“{template}”中的 {{{piece}}} 没有定义。")
    return Markup("").join(pieces)


def check_words(findings: Findings, text: str, policy: str | None = None) -> None:
    """Refuse numbers without a result, and causal words that no verdict carries."""
    loose = find_loose_numbers(text, findings.words["fixed"])
    if loose:
        raise PageError(f"“{text.strip()}”中的数字 {loose[0]} 没有结果编号，请用 quote 引用。")
    verdict = findings.verdict(policy) if policy else ""
    if verdict in findings.rules["causal"]["permitted"]:
        return
    for word in findings.words["causal"]:
        if word in text:
            raise PageError(f"“{text.strip()}”中的“{word}”只有结论为有效时才能用。")


def find_loose_numbers(text: str, fixed: list[str]) -> list[str]:
    """Numbers in a text that are neither quoted nor fixed.

    Examples
    --------
    >>> find_loose_numbers("每100名中多13人（95%区间）", ["每100名", "95%"])
    ['13']
    """
    for pattern in fixed:
        text = re.sub(pattern, "", text)
    return _NUMBER.findall(text)
