"""Cells to values: dates with their precision, amounts in yuan, yes/no marks, words.

Every function works on a column whose distinct cells were found once (a
`pandas.Categorical`), so a cell typed 20,000 times is understood once.
"""

import calendar
import datetime
import re
import unicodedata
from functools import lru_cache

import numpy as np
import pandas as pd
import pyarrow as pa

from evaluation.ledgers import numerals

# White space, and signs without width that come along when text is copied.
_SPACE = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\ufeff]+")
_APART = re.compile(r"(?<=[0-9])\s+(?=[0-9])")
_CLOCK = re.compile(r"[ T]+\d{1,2}:\d{2}(:\d{2})?(\.\d+)?$")
_NONE = {"", "/", "\\", "-", "--", "—", "——", "无", "空", "N/A", "n/a", "#N/A"}
_OPEN = re.compile(r"^(至今|长期|现在|目前|今|无固定期限|在岗|在职|未终止|未结束|9999.*)$")
_SERIALS = (36526, 55153)  # 2000-01-01 to 2050-12-31
_YEARS = (1900, 2099)
_MOST_DIGITS = 15  # beyond them a number is no longer exact
# A number 2023.1 in Excel may have been typed 2023.10: January or October.
_MAYBE_OCTOBER = "\u2060"


def as_column(cells: list) -> pd.Categorical:
    """Find the distinct cells of a column, as text; blank cells are missing.

    A number is written without a decimal point if it is whole; a whole number of
    more than 15 digits has lost its end in Excel and is written as 5.11923E+17.
    """
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    codes, texts = pd.factorize(array)
    if not _are_words(texts):  # numbers, dates or blanks among them
        texts = np.array([cell_text(cell) for cell in texts], dtype=object)
        codes_of_text, texts = pd.factorize(texts)
        codes = np.where(codes < 0, -1, np.append(codes_of_text, -1)[codes])
    return pd.Categorical.from_codes(codes, pd.Index(texts, dtype=object))


def _are_words(cells) -> bool:
    """Whether all are texts that are not blank."""
    try:
        return all(map(str.strip, cells))
    except TypeError:
        return False


def cell_text(cell) -> str | None:
    """A cell as text, as `as_column` writes it; none if it is blank."""
    if isinstance(cell, str):
        return cell if cell.strip() else None
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float | int):
        if abs(cell) >= 1e15:
            return f"{cell:.5E}"
        if float(cell).is_integer():
            return str(int(cell))
        doubtful = _YEARS[0] < cell < _YEARS[1] and round(cell % 1, 6) == 0.1
        text = repr(cell)
        if "e" in text:  # 5.6e-17: what a subtraction in Excel leaves
            text = f"{cell:.15f}".rstrip("0").rstrip(".")
        return f"{text}{_MAYBE_OCTOBER if doubtful else ''}"
    if isinstance(cell, datetime.datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, datetime.date):
        return cell.isoformat()
    return None if cell is None else str(cell)


def encode(cells) -> pa.ChunkedArray:
    """Encode the cells of a column as `as_column` does, for `join_column`; blank ones stay."""
    if isinstance(cells, pa.ChunkedArray):
        return cells.dictionary_encode()
    try:
        texts = pa.array(cells, pa.string())
    except pa.ArrowTypeError:  # numbers or dates among them
        others = {cell: cell_text(cell) for cell in {c for c in cells if type(c) is not str}}
        texts = [cell if type(cell) is str else others[cell] for cell in cells]
        texts = pa.array(texts, pa.string())
    return pa.chunked_array([texts]).dictionary_encode()


def join_column(pieces: list[pa.ChunkedArray]) -> pd.Categorical:
    """Put pieces of a column, as `encode` gives them, below each other; see `as_column`."""
    kind = pa.dictionary(pa.int32(), pa.string())
    chunks = [chunk for piece in pieces for chunk in piece.chunks]
    whole = pa.chunked_array(chunks, kind).unify_dictionaries().combine_chunks()
    codes = whole.indices.fill_null(-1).to_numpy()
    texts = whole.dictionary.to_numpy(zero_copy_only=False)
    filled = np.array([bool(text.strip()) for text in texts], dtype=bool)
    if not filled.all():
        codes = np.append(np.where(filled, np.cumsum(filled) - 1, -1), -1)[codes]
    return pd.Categorical.from_codes(codes, pd.Index(texts[filled], dtype=object))


def text_at(column: pd.Categorical, row: int) -> str:
    """Text of one cell of a column; nothing where it is blank."""
    code = column.codes[row]
    return column.categories[code] if code >= 0 else ""


def take_texts(texts, codes):
    """Spread texts of distinct cells over the rows, as pandas' ``str``; -1 is missing."""
    texts = pd.array(np.asarray(texts, dtype=object), dtype="str")
    return texts.take(codes, allow_fill=True)


def take(values, codes, missing):
    """Spread values of distinct cells over the rows; code -1 is `missing`."""
    if not len(values):
        return np.full(len(codes), missing)
    values = np.asarray(values)
    table = np.empty(len(values) + 1, dtype=values.dtype)
    table[:-1] = values
    table[-1] = missing
    return table[codes]


def clean_text(text: str) -> str:
    """Full-width to half-width (NFKC), white space inside and around removed."""
    return _SPACE.sub("", text if text.isascii() else unicodedata.normalize("NFKC", text))


def _runs_together(text: str) -> bool:
    """Whether a sign would become a digit beside its neighbours: 10² is not 102."""
    return not text.isascii() and any(
        unicodedata.category(sign) in ("No", "So")
        and unicodedata.normalize("NFKC", sign) != sign
        for sign in text
    )


def _unspaced(text):
    """Text without white space; none where that makes one number of two (500 600, 10²)."""
    narrow = unicodedata.normalize("NFKC", text)
    return None if _runs_together(text) or _APART.search(narrow) else _SPACE.sub("", narrow)


@lru_cache(2**16)  # there are fewer days than cells, and the same ones in every file
def parse_date(text: str, last: bool = False) -> tuple[datetime.date | None, str]:
    """Understand one date, year first only.

    Parameters
    ----------
    last
        Where only the month or the year is given: its last day instead of its first
        (for ends).

    Returns
    -------
    tuple
        The day and its precision ``day``, ``month``, ``year``; no day and ``open``
        (至今, 长期), ``blank``, or ``bad``: no year first (23.5.6, 1/5/2023), no such
        day (2023.2.30) or month.

    Examples
    --------
    >>> parse_date("2023年5月"), parse_date("45052")
    ((datetime.date(2023, 5, 1), 'month'), (datetime.date(2023, 5, 6), 'day'))
    >>> parse_date("23.5.6")
    (None, 'bad')
    """
    if _runs_together(text):
        return None, "bad"
    text = unicodedata.normalize("NFKC", text).strip().lstrip("'")
    # 2023 1 2 has three parts: they must not become 202312.
    text = _SPACE.sub("", _APART.sub("-", _CLOCK.sub("", text)))
    if text in _NONE:
        return None, "blank"
    if _OPEN.match(text):
        return None, "open"
    if "年" in text:
        text = numerals.read_date(text)
    parts = _split_date(text)
    if parts is None:
        return None, "bad"
    year, month, day = parts
    if not _YEARS[0] <= year <= _YEARS[1]:
        return None, "bad"
    precision = "day" if day is not None else "month" if month is not None else "year"
    month = (12 if last else 1) if month is None else month
    if not 1 <= month <= 12:
        return None, "bad"
    length = calendar.monthrange(year, month)[1]
    day = (length if last else 1) if day is None else day
    if not 1 <= day <= length:
        return None, "bad"
    return datetime.date(year, month, day), precision


_DATE = re.compile(
    r"^(\d{4})(?:([-./年])(?:(\d{1,2})(?:([-./月])(?:(\d{1,2})[日号]?)?)?份?)?)?$", re.ASCII
)
_LONG = re.compile(r"(\d{4})(\d{2})(\d{2})?(?:\.0)?", re.ASCII)
_SERIAL = re.compile(r"\d{5}(\.\d+)?", re.ASCII)


def _split_date(text):
    if found := _DATE.match(text):
        year, first, month, second, day = found.groups()
        if day and {"年": "月"}.get(first, first) != second:
            return None
        return int(year), int(month) if month else None, int(day) if day else None
    if found := _LONG.fullmatch(text):
        year, month, day = found.groups()
        return int(year), int(month), int(day) if day else None
    if _SERIAL.fullmatch(text):
        serial = int(float(text))
        if not _SERIALS[0] <= serial <= _SERIALS[1]:
            return None
        day = datetime.date(1899, 12, 30) + datetime.timedelta(days=serial)
        return day.year, day.month, day.day
    return None


def parse_dates(column: pd.Categorical, last: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Understand a column of dates; see `parse_date`.

    Returns
    -------
    tuple
        Days as ``datetime64[us]`` (NaT: blank, open or bad) and the precision of each.
    """
    found = [parse_date(text, last) for text in column.categories]
    days = np.array([day for day, _ in found], dtype="datetime64[us]")
    states = np.array([state for _, state in found], dtype=object)
    nat = np.datetime64("NaT", "us")
    return take(days, column.codes, nat), take(states, column.codes, "blank")


_AMOUNT = re.compile(
    r"^¥?([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(万元|万|元整|元)?整?$", re.ASCII
)
_SPELT = re.compile(r"(.+)[元圆]整?")
_FACTORS = {"万元": 10_000.0, "万": 10_000.0, "元": 1.0, "元整": 1.0}


def parse_amount(text: str) -> tuple[float, str, str]:
    """Understand one amount.

    Returns
    -------
    tuple
        The number as typed (NaN if none), the unit the cell itself states (``元``,
        ``万元`` or nothing) and how it was typed: ``plain``, ``commas``, ``blank``
        or ``bad`` (also two numbers in one cell). The size of a number never decides
        its unit.

    Examples
    --------
    >>> parse_amount("10,000.00"), parse_amount("1万"), parse_amount("壹万圆整")
    ((10000.0, '', 'commas'), (1.0, '万元', 'plain'), (10000.0, '元', 'plain'))
    """
    text = _unspaced(text)
    if text is None:
        return np.nan, "", "bad"
    text = text.replace(_MAYBE_OCTOBER, "").removeprefix("人民币").lstrip("'")
    if text in _NONE:
        return np.nan, "", "blank"
    found = _AMOUNT.match(text)
    if found and sum(map(str.isdigit, found[1])) <= _MOST_DIGITS:
        unit = {10_000.0: "万元", 1.0: "元"}.get(_FACTORS.get(found[2]), "")
        return float(found[1].replace(",", "")), unit, "commas" if "," in found[1] else "plain"
    spelt = _SPELT.fullmatch(text)
    number = numerals.read_amount(spelt[1]) if spelt else None
    return (np.nan, "", "bad") if number is None else (number, "元", "plain")


def parse_amounts(column: pd.Categorical, factor) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Understand a column of amounts.

    Parameters
    ----------
    factor
        Yuan per unit of the column: one number or one per row (sheets differ).

    Returns
    -------
    tuple
        Yuan (NaN: blank or bad), how each was typed, and whether the cell states a unit
        that is not the column's (the cell's own unit then counts).
    """
    found = [parse_amount(text) for text in column.categories]
    number = take(np.array([n for n, _, _ in found], dtype=float), column.codes, np.nan)
    typed = take(np.array([t for _, _, t in found], dtype=object), column.codes, "blank")
    own = np.array([_FACTORS.get(unit, np.nan) for _, unit, _ in found], dtype=float)
    own = take(own, column.codes, np.nan)
    differs = ~np.isnan(own) & (own != factor)
    # 4.35 万元 times 10,000 is 43499.99… in binary: yuan have two decimals.
    return np.round(number * np.where(np.isnan(own), factor, own), 2), typed, differs


_NUMBER = re.compile(r"第?(\d+(?:\.\d+)?)(?:人|次|天|个|名|%|笔|年)?", re.ASCII)


def parse_number(text: str) -> float | None:
    """Understand a plain number with its word: 第2次, 22天, 4.35%; none if it is no number."""
    found = _NUMBER.fullmatch(_unspaced(text) or "")
    return float(found[1]) if found else None


def parse_numbers(column: pd.Categorical, most: float) -> tuple[np.ndarray, np.ndarray]:
    """Understand a column of plain numbers: values (NaN: none) and whether a cell is bad.

    A number above `most` is bad, and so is a fraction where `most` is an integer.
    """
    found = [
        np.nan if clean_text(text) in _NONE else parse_number(text)
        for text in column.categories
    ]
    values = np.array([np.nan if n is None else n for n in found], dtype=float)
    odd = (values > most) | ((values % 1 != 0) & (values == values) & isinstance(most, int))
    bad = odd | np.array([number is None for number in found], dtype=bool)
    values = np.where(bad, np.nan, values)
    return take(values, column.codes, np.nan), take(bad, column.codes, False)


def translate(
    column: pd.Categorical, words: dict, missing=None
) -> tuple[np.ndarray, np.ndarray]:
    """Replace typed words by values: values (`missing`: blank or unknown), whether unknown."""
    texts = [clean_text(text) for text in column.categories]
    values = [words.get(text, missing) for text in texts]
    unknown = np.array([t not in words and t not in _NONE for t in texts], dtype=bool)
    if missing is None:
        values = take_texts(values, column.codes)
    else:
        values = take(np.array(values, dtype=float), column.codes, missing)
    return values, take(unknown, column.codes, False)


def plain(column: pd.Categorical):
    """Text without white space and full-width forms; missing where blank."""
    return take_texts([clean_text(text) for text in column.categories], column.codes)
