"""Chinese numerals: dates and amounts spelt in full, read only where nothing is guessed."""

import re

_DIGITS = "〇一二三四五六七八九"
# The usual sign for each of those that amounts and dates are spelt with.
_USUAL = str.maketrans("零○壹贰叁肆伍陆柒捌玖两拾佰仟", "〇〇一二三四五六七八九二十百千")
_POWERS = {"十": 10, "百": 100, "千": 1000}
_DATE = re.compile(r"(.{4})年(?:(.{1,3})(月份?))?(?:(.{1,3})[日号])?")
_YEAR = str.maketrans(_DIGITS, "0123456789")


def spell(number: int) -> str:
    """Spell a whole number below 100 million.

    Examples
    --------
    >>> spell(21), spell(10_005), spell(200_500)
    ('二十一', '一万〇五', '二十万〇五百')
    """
    high, low = divmod(number, 10_000)
    nought = "〇" if high and 0 < low < 1_000 else ""
    return f"{_spell_section(high)}{'万' if high else ''}{nought}{_spell_section(low)}" or "〇"


def _spell_section(number):
    text = ""
    for power, sign in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // power % 10
        if digit:
            text += _DIGITS[digit] + sign
        elif text and number % power and not text.endswith("〇"):
            text += "〇"
    return text


# Months and days as they are spelt: 五, 〇五, 十五, 一十五, 元 (月).
_SPELT = {
    form: str(number)
    for number in range(1, 32)
    for form in (
        spell(number),
        f"〇{spell(number)}" if number < 10 else spell(number).removeprefix("一"),
    )
} | {"元": "1"}


def read_date(text: str) -> str:
    """Write the numerals of a date as digits; what is spelt otherwise stays.

    Examples
    --------
    >>> read_date("二〇二三年十月二十一日"), read_date("2023年元月"), read_date("二三年几月")
    ('2023年10月21日', '2023年1月', '二三年几月')
    """
    found = _DATE.fullmatch(text)
    if not found:
        return text
    year, month, mark, day = (part and part.translate(_USUAL) for part in found.groups())
    month, day = (_SPELT.get(part, part) or "" for part in (month, day))
    return f"{year.translate(_YEAR)}年{month}{'月' if mark else ''}{day}{'日' if day else ''}"


def read_amount(text: str) -> float | None:
    """Read a number spelt in full; none where spelling it again gives another text.

    一万五 is 15,000 to one reader and 10,005 to another; 二三百 is no number.

    Examples
    --------
    >>> read_amount("贰拾万零伍佰"), read_amount("十五"), read_amount("一万五")
    (200500.0, 15.0, None)
    """
    typed = text.translate(_USUAL)
    total, part, digit = 0, 0, 0
    for sign in typed:
        if sign == "万":
            total, part, digit = (total + part + digit) * 10_000, 0, 0
        elif sign in _POWERS:
            part, digit = part + (digit or 1) * _POWERS[sign], 0
        elif sign in _DIGITS:
            digit = _DIGITS.index(sign)
        else:
            return None
    number = total + part + digit
    if number >= 10**8:
        return None
    again = spell(number)
    typed = f"一{typed}" if typed.startswith("十") else typed
    # 拾万零伍仟 has a nought more than it needs; one too few would leave it open.
    fits = typed.replace("〇", "") == again.replace("〇", "")
    return float(number) if fits and typed.count("〇") >= again.count("〇") else None
