"""What words may claim: numbers without a result, and claims that no verdict carries.

The lists stand in ``data/reference/sentences.toml``: ``fixed``, ``spelled``, ``causal``,
``denied``, ``claims`` and ``hedges`` of each language.
"""

import re

from evaluation.findings.results import Findings, PageError

# Digits of any script, superscripts, fractions, circled and Roman numerals.
_NUMBER = re.compile(
    r"[\d\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209c\u2150-\u218b\u2460-\u249b]"
    r"(?:[\d,.]*\d)?"
)
_QUOTED = re.compile('“[^”]*”|"[^"]*"')
_CLAUSES = re.compile("[。；;！!？?]|[.](?=\\s|$)")


def check_words(findings: Findings, text: str, policy: str | None = None) -> None:
    """Refuse numbers without a result, and claims that no verdict carries.

    Raises
    ------
    PageError
        Quotes the text; says what to do instead.
    """
    loose = find_loose_numbers(text, findings.words["fixed"], findings.words["spelled"])
    if loose:
        raise PageError(
            f"“{text.strip()[:60]}”中的数字 {loose[0]} 没有结果编号："
            "请在单元格中用 quote 或 show_sentence 引用结果。"
        )
    check_claims(findings, text, policy)


def check_claims(findings: Findings, text: str, policy: str | None = None) -> None:
    """Refuse claims that no verdict carries.

    Causal words (带动, 促进, 贡献) need a verdict that permits them; that a policy has no
    effect, or has failed, is permitted by none; that one is effective only by its own
    verdict. What stands in “quotation marks” is spoken of, not claimed.

    Parameters
    ----------
    findings
        As loaded.
    text
        A sentence, numbers and all.
    policy
        Whose verdict decides about causal words.

    Raises
    ------
    PageError
        Quotes the sentence.
    """
    words, permitted = findings.words, findings.rules["causal"]["permitted"]
    text = _QUOTED.sub("", text)
    verdict = findings.verdict(policy) if policy is not None else ""
    found = [word for word in words["causal"] if word in text]
    if found and verdict not in permitted:
        raise PageError(f"“{text.strip()[:60]}”中的“{found[0]}”只有结论为有效时才能用。")
    denied = re.search(words["denied"], text, re.IGNORECASE)
    if denied:
        raise PageError(
            f"“{text.strip()[:60]}”中的“{denied[0]}”没有任何结论允许："
            "看不出效果不等于没有效果。"
        )
    for clause in _CLAUSES.split(text):
        _check_effective(findings, clause, permitted)


def _check_effective(findings, clause, permitted):
    """Whether a clause calls a policy effective whose verdict does not."""
    words = findings.words
    if not re.search(words["claims"], clause, re.I) or re.search(words["hedges"], clause, re.I):
        return
    for name, own in words["policies"].items():
        named = any(own[key] in clause for key in ("name", "short", "one") if key in own)
        if named and findings.verdict(name) not in permitted:
            badge = findings.wording(name)["badge"]
            raise PageError(
                f"“{clause.strip()[:60]}”说{own['short']}有效，而它的结论是“{badge}”。"
            )


def find_loose_numbers(text: str, fixed: list[str], spelled: str = "") -> list[str]:
    """Numbers in a text that are neither quoted nor fixed.

    Parameters
    ----------
    text
        What is read, without quoted numbers.
    fixed
        Patterns that need no result, such as ``每100名``.
    spelled
        Pattern of numbers in words, such as 五十七人.

    Examples
    --------
    >>> find_loose_numbers("每100名中多13人（95%区间）", ["每100名", "95%区间"])
    ['13']
    """
    for pattern in fixed:
        text = re.sub(pattern, "", text)
    found = _NUMBER.findall(text)
    if spelled and not found:
        found = [match[0] for match in re.finditer(spelled, text, re.IGNORECASE)]
    return found
