"""How far the cells of an xlsx sheet reach, found before a reader makes room for them.

Every writer of spreadsheets names each cell as ``<c r="B7"``: then a few passes over the
bytes find the last row and column. Whatever is written in another way (references left out,
blanks around ``=``, a prefix, lower case, comments) is read as xml, slowly, and counted as
the reader counts.
"""

import re
from xml.parsers import expat

import numpy as np

from evaluation.errors import LedgerError

_BLOCK = 2**19  # bytes: what is looked at stays in the cache
_SPACE = np.zeros(256, dtype=bool)
_SPACE[[9, 10, 13, 32]] = True
_ENDS = _SPACE.copy()  # what may follow the name of an element
_ENDS[[ord("/"), ord(">")]] = True
_LETTERS, _DIGITS = 3, 7  # of a reference no longer than XFD1048576
_REFERENCE = re.compile(r"([A-Za-z]{0,7})(\d{1,9})$")


def measure_sheet(xml: bytes) -> tuple[int, int, int]:
    """Find the last row, the last column and the number of cells of a sheet.

    Parameters
    ----------
    xml
        The part of the package that holds the sheet.

    Raises
    ------
    LedgerError
        If the sheet is written in an unusual way and is no well-formed xml.
    """
    start, end = xml.find(b"sheetData"), xml.rfind(b"sheetData")
    found = _measure_plain(np.frombuffer(xml, dtype=np.uint8), start, end + 10)
    return _measure_slowly(xml) if found is None else found


def _measure_plain(signs, start, end):
    """Measure a sheet written as usual; none if anything in it is unusual."""
    rows = columns = cells = unnamed = 0
    for first in range(start, end, _BLOCK):
        found = _measure_block(signs, first, min(first + _BLOCK, end))
        if found is None:
            return None
        rows, columns = max(rows, found[0]), max(columns, found[1])
        cells, unnamed = cells + found[2], unnamed + found[3]
    # As many references as cells and rows that begin with one: none has two of them.
    return (rows, columns, cells) if unnamed == 0 else None


def _measure_block(signs, first, last):
    block = signs[first:last]

    def at(places, step=0):
        return signs.take(places + step, mode="clip")

    opened = np.flatnonzero(block == ord("<")) + first
    name = at(opened, 1)
    if ((name == ord("!")) | (name == ord("?"))).any():
        return None
    cells = opened[(name == ord("c")) & _ENDS[at(opened, 2)]]
    row_tags = opened[name == ord("r")]
    row_tags = row_tags[
        (at(row_tags, 2) == ord("o")) & (at(row_tags, 3) == ord("w")) & _ENDS[at(row_tags, 4)]
    ]
    prefixed = np.flatnonzero(block == ord(":")) + first
    if (np.isin(at(prefixed, 1), [ord("c"), ord("r")])).any():
        return None
    # Each attribute is name="value", and the first of each cell is its reference.
    equals = np.flatnonzero(block == ord("=")) + first
    before, further = at(equals, -1), at(equals, -2)
    if (at(equals, 1) != ord('"')).any() or _SPACE[before].any():
        return None
    named = (before == ord("r")) & (_SPACE[further] | (further == ord('"')))
    if not _are_named(at, cells, 2).all():
        return None
    unnamed = len(cells) + np.count_nonzero(_are_named(at, row_tags, 4)) - named.sum()
    reached = _last_reference(at, cells + len('<c r="'))
    return None if reached is None else (*reached, len(cells), int(unnamed))


def _are_named(at, tags, length):
    """Whether the first attribute of each tag is its reference."""
    return np.all([at(tags, length + n) == sign for n, sign in enumerate(b' r="')], axis=0)


def _last_reference(at, places):
    """Highest row and column of the references that begin there; none if one is unusual."""
    row, column = (np.zeros(len(places), dtype=np.int64) for _ in range(2))
    in_row, closed = (np.zeros(len(places), dtype=bool) for _ in range(2))
    for step in range(_LETTERS + _DIGITS + 1):
        sign = at(places, step).astype(np.int64)
        letter = (sign >= ord("A")) & (sign <= ord("Z")) & ~in_row & ~closed
        digit = (sign >= ord("0")) & (sign <= ord("9")) & ~closed
        column = np.where(letter, column * 26 + sign - ord("A") + 1, column)
        row = np.where(digit, row * 10 + sign - ord("0"), row)
        closed |= sign == ord('"')
        in_row |= digit
        if not (letter | digit | closed).all():
            return None
    if not closed.all() or (row == 0).any() or (column == 0).any():
        return None
    return int(row.max(initial=0)), int(column.max(initial=0))


class _Walk:
    """Count rows and columns as the reader does: a cell without a name follows the last."""

    def __init__(self):
        self.rows = self.columns = self.cells = 0
        self._row, self._column = 1, 1

    def start(self, name, attributes):
        """Take note of a row's or a cell's place."""
        kind = name.rpartition(":")[2]
        if kind not in ("row", "c"):
            return
        reference = _REFERENCE.match(attributes.get("r", "1"))
        if reference is None:
            raise ValueError
        reference = reference if "r" in attributes else None
        if kind == "row" and reference:
            self._row = int(reference[2])
        elif kind == "c":
            row = int(reference[2]) if reference else self._row
            if reference:
                self._column = _column_number(reference[1])
            self.rows, self.columns = max(self.rows, row), max(self.columns, self._column)
            self.cells += 1
            self._column += 1

    def end(self, name):
        """A row ends: the next one follows it and begins at the first column."""
        if name.rpartition(":")[2] == "row":
            self._row, self._column = self._row + 1, 1


def _measure_slowly(xml):
    walk, parser = _Walk(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise LedgerError("文件已损坏（工作表的内容不完整），请重新导出。") from None
    return walk.rows, walk.columns, walk.cells


def _column_number(letters):
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
