"""Numbers bound to results: quoting a result by its id, and sentences built of quotes.

No wording stands here: templates come from ``data/reference/sentences.toml``, with
``{slots}`` that name a result and a column.
"""

import math
import re

import pandas as pd
from markupsafe import Markup, escape

from evaluation.findings.claims import check_words
from evaluation.findings.results import Findings, PageError

_POINTERS = {"primary": "result_id", "months_end": "months_end"}
_SLOT = re.compile(r"\{(\w+)\}")


def quote(
    findings: Findings,
    result_id: str,
    column: str,
    style: str = "count",
    link: bool = True,
    tag: str = "span",
) -> Markup:
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
    tag
        Element without a link; ``tspan`` inside a drawing.

    Returns
    -------
    markupsafe.Markup
        The number with its id and, on hovering, design, outcome, n and interval. A
        value that was suppressed or never computed reads 〔略〕 or —.

    Raises
    ------
    PageError
        If there is no such result or style.
    """
    text = write_number(findings, result_id, column, style)
    held = f'data-of="{escape(column)} {escape(style)}"'
    if result_id == "plan":
        return Markup(f'<{tag} class="n" data-id="plan" {held}>{escape(text)}</{tag}>')
    held += f' title="{escape(describe_result(findings, result_id))}"'
    if not link:
        return Markup(f'<{tag} data-id="{escape(result_id)}" {held}>{escape(text)}</{tag}>')
    findings.quoted.setdefault(result_id)
    return Markup(f'<a class="q" href="#r-{escape(result_id)}" {held}>{escape(text)}</a>')


def write_number(findings: Findings, result_id: str, column: str, style: str) -> str:
    """Write one number of one result as it stands on the page.

    The export writes it anew and compares: see `evaluation.findings.proof`.

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
        table = column.rpartition(".")[0]  # whose row was withheld, or is without a number
        withheld = result.get(f"{table}.suppressed" if table else "suppressed")
        return findings.words["page"]["suppressed" if withheld else "unknown"]
    return text


def format_value(findings: Findings, result: dict, column: str, style: str) -> str | None:
    """Write a number with its unit; None where it is missing."""
    rule = findings.words["styles"].get(style)
    if rule is None:
        raise PageError(f"sentences.toml 中没有数字写法 {style}。")
    values = [result.get(name) for name in _name_ends(column)]
    if any(value is None or pd.isna(value) for value in values):
        return None
    if values[0] in (math.inf, -math.inf):
        return rule.get("endless")
    if isinstance(values[0], str):
        return values[0]
    if rule.get("exact"):
        return rule["format"].format(f"{float(values[0]):g}")
    if values[0] > rule.get("limit", math.inf):  # more would say nothing more
        return rule["beyond"]
    digits = rule.get("digits", 0)
    scaled = [round(float(value) * rule.get("scale", 1), digits) + 0.0 for value in values]
    form = rule.get("format")
    if form is None:  # words for the sign, as in 少3人到多13人
        signs = [float(value) for value in values] if rule.get("careful") else scaled
        form = rule["above" if signs[0] >= 0 else "below" if signs[-1] <= 0 else "across"]
        form = rule.get("zero", form) if scaled[0] == scaled[-1] == 0 else form
    if rule.get("absolute"):
        scaled = [abs(value) for value in scaled]
    grouping = "" if rule.get("year") else ","
    texts = [f"{v:{grouping}.{max(digits, 0)}f}" for v in scaled]
    if rule.get("careful"):
        texts = [
            _keep_apart(text, float(value) * rule.get("scale", 1), findings)
            for text, value in zip(texts, values, strict=True)
        ]
    return form.format(*(text.replace("-", "−") for text in texts))


def _keep_apart(text: str, value: float, findings: Findings) -> str:
    """Write a limit with decimals where rounding would move it onto zero or the requirement.

    An interval from 0.5 to 29 does not hold zero, and at most 4.6 is less than 5.
    """
    required = round(findings.plan["estimand"]["effect_that_matters"] * 100, 9)  # 0.07 · 100
    for digits in (1, 2):
        met = float(text) == 0 or (abs(float(text)) == required and abs(value) < required)
        if not met or abs(abs(value) - abs(float(text))) < 1e-9:
            return text
        finer = f"{abs(value):.{digits}f}"
        text = text if float(finer) == abs(float(text)) else finer
    return text


def _name_ends(column: str) -> list[str]:
    """``value.interval`` to ``value.conf_low, value.conf_high``; ``x_interval`` likewise."""
    if not column.endswith("interval"):
        return [column]
    start = column.removesuffix("interval")
    start += "" if start.endswith("_") else "conf_"
    return [f"{start}low", f"{start}high"]


def may_be_told(findings: Findings, result: dict) -> bool:
    """Whether the page may show an estimate: none where the verdict is too few persons."""
    return "design" not in result or findings.verdict(result["policy"]) != "too_few"


def describe_result(findings: Findings, result_id: str) -> str:
    """Say in one line where a number comes from."""
    result, names = findings.results[result_id], findings.words["names"]
    parts = [result_id]
    parts += [names.get(result[k], result[k]) for k in ("design", "outcome") if k in result]
    if not may_be_told(findings, result):
        return " · ".join(parts)
    if result.get("n_treated") is not None:
        parts.append(f"n={result['n_treated']:,.0f}")
    if "estimate" in result and "conf_low" in result:
        interval = format_value(findings, result, "interval", "interval_points")
        parts.append(f"{format_value(findings, result, 'estimate', 'points')} ({interval})")
    return " · ".join(parts)


def say(findings: Findings, policy: str, key: str) -> Markup:
    """Build the sentence `key` of the policy's verdict.

    Where a slot has no value, ``<key>_without`` is said instead.

    Raises
    ------
    PageError
        If the verdict permits no such sentence.
    """
    permitted = findings.wording(policy)
    if key not in permitted:
        raise PageError(f"结论“{permitted['badge']}”不允许说“{key}”这句话。")
    return compose(findings, choose_template(findings, permitted, key, policy), policy)


def choose_template(findings: Findings, words: dict, key: str, policy: str | None) -> str:
    """Template `key`, or ``<key>_without`` where a number of it does not exist."""
    without = words.get(f"{key}_without")
    return words[key] if without is None or is_known(findings, policy, words[key]) else without


def is_known(findings: Findings, policy: str | None, template: str) -> bool:
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
    """Id of a slot's result; ``primary`` is the one that the verdict rests upon,
    ``months_end`` the last month that recipients were followed for."""
    if slot["id"] in _POINTERS:
        return findings.verdicts[policy].get(_POINTERS[slot["id"]], "")
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
