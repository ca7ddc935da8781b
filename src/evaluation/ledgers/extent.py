"""How far the cells of an xlsx sheet reach, found before a reader makes room for them.

Every writer of spreadsheets lays out a sheet alike and names each cell as ``<c r="B7"``: then
a few passes over the bytes tell that it is well-formed and find the last row and column.
Whatever is written in another way (references left out, blanks around ``=``, a prefix, rich
text, a comment) is read as xml, slowly, and counted as the reader counts.
"""

import re
from xml.parsers import expat

import numpy as np

from evaluation.errors import LedgerError

_BLOCK = 2**19  # bytes: what is looked at stays in the cache
_BEGIN, _END = b"<sheetData>", b"</sheetData>"
_LETTERS, _DIGITS = 3, 7  # of a reference no longer than XFD1048576
_MOST_UNUSUAL = 10_000_000  # cells of a sheet that is read as xml
_REFERENCE = re.compile(r"([A-Za-z]{0,7})(\d{1,9})$")
_DAMAGED = "文件已损坏（工作簿的内容不完整），请重新导出。"

# Elements of a sheet: begun, ended, or both at once, and which may follow which.
_ELEMENTS = ("row", "c", "v", "f", "is", "t")
_TOKENS = ["?", *(f"{a}{name}{b}" for name in _ELEMENTS for a, b in ("  ", "/ ", " /")), "rows"]
_TOKENS = [token.replace(" ", "") for token in _TOKENS]
_ORDER = {
    "rows": "row row/", "row": "c c/ /row", "/row": "row row/", "row/": "row row/",
    "c": "v v/ f f/ is /c", "/c": "c c/ /row", "c/": "c c/ /row",
    "v": "/v", "/v": "/c", "v/": "/c", "f": "/f", "/f": "v v/ /c", "f/": "v v/ /c",
    "is": "t t/", "/is": "/c", "t": "/t", "/t": "/is", "t/": "/is",
}  # fmt: skip
_FOLLOWS = np.zeros((len(_TOKENS), len(_TOKENS)), dtype=bool)
for _token, _next in _ORDER.items():
    _FOLLOWS[_TOKENS.index(_token), [_TOKENS.index(token) for token in _next.split()]] = True
_LAST = [_TOKENS.index(token) for token in ("rows", "/row", "row/")]
_AFTER_NAME = b"\t\n\r />"
_ENDS_NAME = np.isin(np.arange(256), list(_AFTER_NAME))
_NAMES = np.zeros(2**16, dtype=np.int16)  # by two letters: the token of an element begun
for _name in _ELEMENTS:
    for _letter in _name[1:2].encode() or _AFTER_NAME:
        _NAMES[ord(_name[0]) << 8 | _letter] = _TOKENS.index(_name)


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
        The part of the package that holds the sheet.

    Raises
    ------
    LedgerError
        If it is no well-formed xml (see `check_form`), its rows and cells are not laid out
        as in any sheet, or one cell is there twice.
    """
    start, end = xml.find(_BEGIN), xml.rfind(_END)
    once = start >= 0 and xml.find(b"sheetData", start + len(_BEGIN)) == end + 2
    if once and (found := _measure_plain(xml, start + len(_BEGIN), end)):
        check_form(xml[: start + len(_BEGIN)] + xml[end:])
        return found
    check_form(xml)
    return _measure_slowly(xml)


def _measure_plain(xml, first, end):
    """Measure rows written as usual; none if anything among them is unusual."""
    signs = np.frombuffer(xml, dtype=np.uint8)
    columns = cells = place = 0
    token = _TOKENS.index("rows")
    while first < end:
        last = min(xml.find(b"<", first + _BLOCK), end) if first + _BLOCK < end else end
        found = _measure_block(signs, first, last, token)
        if found is None:
            return None
        row, column, token = found
        places = np.concatenate([[place], row * 2**20 + column])
        if (np.diff(places) <= 0).any():
            return None  # one cell may stand there twice, and the reader would take the last
        place = int(places[-1])
        columns, cells = max(columns, int(column.max(initial=0))), cells + len(column)
        first = last
    return (place >> 20, columns, cells) if token in _LAST else None


def _measure_block(signs, first, last, before):
    """Rows and columns of the cells in some bytes, and the last element begun or ended.

    None if elements do not follow each other as in every sheet, or if signs of their
    marking do not pair: then a reader of xml may see something else in the same bytes.
    """
    block = signs[first:last]

    def at(places, step=0):
        return signs.take(places + step, mode="clip")

    opened = np.flatnonzero(block == ord("<")) + first
    if not len(opened):
        return None
    values = np.count_nonzero((block[:-1] == ord("=")) & (block[1:] == ord('"')))
    if np.count_nonzero(block == ord('"')) != 2 * values:
        return None
    if np.count_nonzero(block == ord(">")) != len(opened):
        return None
    if ((block[:-1] == ord("=")) & (block[1:] == ord("'"))).any():
        return None
    ends = at(opened, 1) == ord("/")
    name = opened + ends
    tokens = _NAMES.take(at(name, 1).astype(np.int32) << 8 | at(name, 2))
    following = np.append(opened[1:], last)
    alone = (at(following, -2) == ord("/")) & (at(following, -1) == ord(">"))
    if not tokens.all() or (ends & alone).any():
        return None
    begun = tokens
    tokens = tokens + ends + np.int16(2) * alone
    pairs = np.append(before, tokens[:-1]) * len(_TOKENS) + tokens
    if not _FOLLOWS.ravel().take(pairs).all():
        return None
    for element, rest in (("row", b"w"), ("is", b"")):
        where = name[begun == _TOKENS.index(element)]
        signs_of = [at(where, 3 + n) == sign for n, sign in enumerate(rest)]
        if not np.all([*signs_of, _ENDS_NAME[at(where, 3 + len(rest))]]):
            return None
    cells = opened[(tokens == _TOKENS.index("c")) | (tokens == _TOKENS.index("c/"))]
    if not np.all([at(cells, 2 + n) == sign for n, sign in enumerate(b' r="')]):
        return None
    reached = _read_references(at, cells + len('<c r="'))
    return None if reached is None else (*reached, int(tokens[-1]))


def _read_references(at, places):
    """Row and column of the references that begin there; none if one is unusual."""
    row, column = (np.zeros(len(places), dtype=np.int64) for _ in range(2))
    in_row, open_ = np.zeros(len(places), dtype=bool), np.ones(len(places), dtype=bool)
    for step in range(_LETTERS + _DIGITS + 1):
        sign = at(places, step)
        digit = (sign - np.uint8(ord("0")) < 10) & open_  # lower signs wrap round
        letter = (sign - np.uint8(ord("A")) < 26) & open_ & ~in_row
        if letter.any():
            column = np.where(letter, column * 26 + sign - (ord("A") - 1), column)
        row = np.where(digit, row * 10 + sign - ord("0"), row)
        open_ &= sign != ord('"')
        in_row |= digit
        if (open_ & ~digit & ~letter).any():
            return None
        if not open_.any():
            break
    if open_.any() or (row == 0).any() or (column == 0).any():
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
