"""Numbers bound to results: quoting a result by its id, and sentences built of quotes.

No wording stands here: templates come from ``data/reference/sentences.toml``, with
``{slots}`` that name a result and a column.
"""

import re

import pandas as pd
from markupsafe import Markup, escape

from evaluation.findings.results import Findings, PageError

_SLOT = re.compile(r"\{(\w+)\}")
_NUMBER = re.compile(r"\d[\d,.]*")


class Quoted(Markup):
    """HTML of a number that carries the id of its result."""


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
        text = findings.words["page"]["suppressed" if result.get("suppressed") else "unknown"]
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

    Where a slot has no value, ``<key>_without`` is said instead.

    Raises
    ------
    PageError
        If the verdict permits no such sentence.
    """
    permitted = findings.wording(policy)
    template = permitted.get(key)
    if template is None:
        raise PageError(f"结论“{permitted['badge']}”不允许说“{key}”这句话。")
    without = permitted.get(f"{key}_without")
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
