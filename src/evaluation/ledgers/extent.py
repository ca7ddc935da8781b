"""How far the cells of an xlsx sheet reach, found before a reader makes room for them.

Every writer of spreadsheets names each cell as ``<c r="B7"``: then a few passes over the
bytes find the last row and column. Whatever is written in another way (references left out,
blanks around ``=``, a prefix, lower case) is read as xml, slowly, and counted as the reader
counts.
"""

import re
from xml.parsers import expat

import numpy as np

from evaluation.errors import LedgerError

_BLOCK = 2**19  # bytes: what is looked at stays in the cache
_ENDS = np.zeros(256, dtype=bool)  # what may follow the name of an element
_ENDS[[9, 10, 13, 32, ord("/"), ord(">")]] = True
_LETTERS, _DIGITS = 3, 7  # of a reference no longer than XFD1048576
_MOST_UNUSUAL = 10_000_000  # cells of a sheet that is read as xml
_REFERENCE = re.compile(r"([A-Za-z]{0,7})(\d{1,9})$")
_DAMAGED = "文件已损坏（工作簿的内容不完整），请重新导出。"


def check_form(xml: bytes) -> None:
    """Refuse what is no well-formed xml: a reader that goes on would misplace or lose cells.

    Raises
    ------
    LedgerError
        Also if it declares entities or another encoding than UTF-8.
    """
    if b"\0" in xml[:1000] or b"<!DOCTYPE" in xml[:4096].upper():
        raise LedgerError(_DAMAGED)
    _parse(expat.ParserCreate(), xml)


def _parse(parser, xml):
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, ValueError, LookupError):
        raise LedgerError(_DAMAGED) from None


def measure_sheet(xml: bytes) -> tuple[int, int, int]:
    """Find the last row, the last column and the number of cells of a sheet.

    Parameters
    ----------
    xml
        The part of the package that holds the sheet, well-formed.

    Raises
    ------
    LedgerError
        If its rows and cells are not laid out as in any sheet, or one cell is there twice.
    """
    start, end = xml.find(b"sheetData"), xml.rfind(b"sheetData")
    once = xml.find(b"sheetData", start + 9) in (end, -1)
    found = (
        _measure_plain(np.frombuffer(xml, dtype=np.uint8), start, end + 10) if once else None
    )
    return _measure_slowly(xml) if found is None else found


def _measure_plain(signs, start, end):
    """Measure a sheet written as usual; none if anything in it is unusual."""
    columns = cells = last = 0
    for first in range(start, end, _BLOCK):
        found = _measure_block(signs, first, min(first + _BLOCK, end))
        if found is None:
            return None
        row, column = found
        place = np.concatenate([[last], row * 2**20 + column])
        if (np.diff(place) <= 0).any():
            return None  # one cell may stand there twice, and the reader would take the last
        last = place[-1]
        columns, cells = max(columns, int(column.max(initial=0))), cells + len(column)
    return int(last >> 20), columns, cells


def _measure_block(signs, first, last):
    block = signs[first:last]

    def at(places, step=0):
        return signs.take(places + step, mode="clip")

    prefixed = np.flatnonzero(block == ord(":")) + first
    if (np.isin(at(prefixed, 1), [ord("c"), ord("r")])).any():
        return None
    opened = np.flatnonzero(block == ord("<")) + first
    name, further = at(opened, 1), at(opened, 2)
    is_cell = (name == ord("c")) & _ENDS[further]
    cells = opened[is_cell]
    if not np.all([at(cells, 2 + n) == sign for n, sign in enumerate(b' r="')]):
        return None
    # A cell ends before the next one begins.
    ends = (name == ord("/")) & (further == ord("c")) & _ENDS[at(opened, 3)]
    ends[1:] |= is_cell[:-1] & (at(opened[1:], -2) == ord("/"))
    ended = np.cumsum(ends)[is_cell]
    if (np.diff(ended) < 1).any():
        return None
    return _read_references(at, cells + len('<c r="'))


def _read_references(at, places):
    """Row and column of the references that begin there; none if one is unusual."""
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
    return row, column


class _Walk:
    """Count rows and columns as the reader does: a cell without a name follows the last."""

    def __init__(self):
        self.rows = self.columns = self.cells = self.sheets = 0
        self._row, self._column, self._open, self._seen = 1, 1, [], set()

    def start(self, name, attributes):
        """Take note of a row's or a cell's place."""
        kind = name.rpartition(":")[2]
        self.sheets += kind == "sheetData"
        if kind not in ("row", "c"):
            return
        reference = _REFERENCE.match(attributes.get("r", "1"))
        if reference is None or kind in self._open or (kind == "row" and self._open):
            raise ValueError
        self._open.append(kind)
        if kind == "c":
            if "r" in attributes:
                self._column = _column_number(reference[1])
            row = int(reference[2]) if "r" in attributes else self._row
            if (row, self._column) in self._seen or self.cells > _MOST_UNUSUAL:
                raise ValueError
            self._seen.add((row, self._column))
            self.rows, self.columns = max(self.rows, row), max(self.columns, self._column)
            self.cells += 1
            self._column += 1
        elif "r" in attributes:
            self._row = int(reference[2])

    def end(self, name):
        """A row ends: the next one follows it and begins at the first column."""
        kind = name.rpartition(":")[2]
        if kind in ("row", "c"):
            self._open.pop()
        if kind == "row":
            self._row, self._column = self._row + 1, 1


def _measure_slowly(xml):
    walk, parser = _Walk(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = walk.start, walk.end
    _parse(parser, xml)
    if walk.sheets != 1:
        raise LedgerError(_DAMAGED)
    return walk.rows, walk.columns, walk.cells


def check_texts(xml: bytes) -> None:
    """Refuse a list of texts with anything between them: all that follow would be misplaced.

    Raises
    ------
    LedgerError
        If one of its elements is no text.
    """
    ends = xml.count(b"</si>")
    begins, rest = re.search(rb"<sst[^<]*><si", xml), xml[xml.rfind(b"</si>") + 5 :]
    if xml.count(b"</si><si") == ends - 1 and begins and rest.strip() == b"</sst>":
        return
    depth, odd = 0, []

    def start(name, _):
        nonlocal depth
        depth += 1
        if depth == 2 and name.rpartition(":")[2] not in ("si", "extLst"):
            odd.append(name)

    def end(_):
        nonlocal depth
        depth -= 1

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    _parse(parser, xml)
    if odd:
        raise LedgerError(_DAMAGED)


def _column_number(letters):
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
