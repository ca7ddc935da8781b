"""Find the table inside a sheet, tell which ledger it is, map headings to columns."""

import difflib
import functools
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evaluation.errors import LedgerError
from evaluation.ledgers.workbook import Grid

LEDGERS = {
    "roster": "返乡农民工实名制台账",
    "register": "就业登记",
    "subsidy": "返乡创业补贴",
    "loan": "创业担保贷款",
    "post": "公益性岗位",
}
_SEARCHED = 20  # rows in which a heading is looked for
_FEWEST = 3  # headings that make a table
_LONGEST = 60  # characters of a heading
_NOT_A_ROW = re.compile(
    r"^(合计|小计|总计|共计|累计|本页合计|填表人|制表人?|审核人?|复核人?|负责人|单位负责人"
    r"|填报单位|填表日期|说明|备注|注)([:： 0-9.]|$)"
)
_UNIT = re.compile(r"万元|元")
_UNIT_LINE = re.compile(r"单位\s*:?\s*(?:人民币)?(万元|元)")


@dataclass(frozen=True)
class Table:
    """A table found in a sheet.

    Attributes
    ----------
    ledger
        Which of the five it is.
    columns
        Position in the sheet by column of the ledger.
    headings
        Heading as typed, by column of the ledger.
    units
        ``元`` or ``万元`` where the heading or a line above the table says so.
    unknown
        Headings without a column, each with the nearest known one (or none).
    first
        Position of the first row below the heading.
    """

    ledger: str
    columns: dict[str, int]
    headings: dict[str, str]
    units: dict[str, str]
    unknown: dict[str, str]
    first: int


@dataclass(frozen=True)
class Aliases:
    """The table of headings.

    Attributes
    ----------
    columns
        By ledger: column by heading as it is matched.
    required
        By ledger: usual heading by column that must be there.
    units
        By ledger: unit by column where neither heading nor sheet states one.
    """

    columns: dict[str, dict[str, str]]
    required: dict[str, dict[str, str]]
    units: dict[str, dict[str, str]]


def load_aliases(reference: Path) -> Aliases:
    """Read ``columns.csv``.

    Raises
    ------
    LedgerError
        If one heading stands for two columns of the same ledger.
    """
    table = pd.read_csv(reference / "columns.csv", dtype=str, encoding="utf-8-sig").fillna("")
    aliases = Aliases(*({ledger: {} for ledger in LEDGERS} for _ in range(3)))
    for row in table.itertuples():
        key = normalise(row.heading)
        if aliases.columns[row.ledger].setdefault(key, row.column) != row.column:
            raise LedgerError(f"columns.csv 中“{row.heading}”对应同一台账的两列。")
        if row.required:
            aliases.required[row.ledger][row.column] = row.heading
        if row.unit:
            aliases.units[row.ledger][row.column] = row.unit
    return aliases


def normalise(heading) -> str:
    """Reduce a heading to what is matched: NFKC, no white space, no brackets.

    Examples
    --------
    >>> normalise("村（社区）\\n")
    '村社区'
    """
    text = unicodedata.normalize("NFKC", "" if heading is None else str(heading))
    return re.sub(r"[\s()\[\]{}<>《》【】〔〕*:_\"'“”]", "", text).lower()


@functools.lru_cache(4096)
def _forms(heading: str) -> list[str]:
    """Forms of a heading in the order in which they are looked up."""
    if not heading or len(heading) > _LONGEST:
        return []
    text = unicodedata.normalize("NFKC", heading)
    without = re.sub(r"[(\[【][^()\[\]【】]*[)\]】]", "", text)
    bare = re.sub(r"[,、/](万元|元)$|(万元|元)$", "", normalise(text))
    return [form for form in (normalise(text), normalise(without), bare) if form]


def find_table(grid: Grid, aliases: Aliases) -> Table | None:
    """Find the one table of a sheet, or none if nothing in it looks like a ledger.

    The heading is the row (or two rows, the upper one perhaps merged over several
    columns) among the first 20 with most known headings. The ledger whose alias
    table knows most of them is taken; the file's name plays no part.

    Raises
    ------
    LedgerError
        If two ledgers fit equally well (names both), if a required column is
        missing (names the headings found), or if an amount has no unit.
    """
    best, rank = None, (0, 0, 0)
    known = set().union(*aliases.columns.values())
    for position in range(min(_SEARCHED, len(grid.rows))):
        below = grid.rows[position + 1 : position + 2]
        for height in (1, 2) if below and not _is_data(below[0]) else (1,):
            names = _names(grid.rows, position, height)
            keys = [_keys(forms, known) for forms in names]
            if sum(map(bool, keys)) < max(rank[0], 1):
                continue
            scores = {ledger: _match(keys, table) for ledger, table in aliases.columns.items()}
            widest = max(scores.values(), key=len)
            # Two rows only where the lower one adds to the upper one.
            joined = sum(
                used == 0 and all(names[at]) for at, used in widest.values() if height == 2
            )
            if (len(widest), joined, -height) > rank:
                best, rank = (position, height, names, scores), (len(widest), joined, -height)
    if rank[0] < _FEWEST:
        return None
    position, height, names, scores = best
    fitting = [ledger for ledger, columns in scores.items() if len(columns) == rank[0]]
    place = {"file": grid.file, "sheet": grid.sheet, "row": position + 1}
    if len(fitting) > 1:
        both = "”与“".join(LEDGERS[ledger] for ledger in fitting)
        raise LedgerError(
            f"表头同样像“{both}”，无法判断是哪个台账：请补全表头或 columns.csv 中的别名。",
            **place,
        )
    ledger = fitting[0]
    columns = {column: at for column, (at, _) in scores[ledger].items()}
    headings = {c: _typed(names[at][used]) for c, (at, used) in scores[ledger].items()}
    _require(ledger, columns, names, aliases, place)
    units = _find_units(ledger, columns, headings, grid.rows[:position], aliases, place)
    unknown = _unknown(names, columns, aliases.columns[ledger])
    return Table(ledger, columns, headings, units, unknown, position + height)


def _names(rows, position, height):
    """Possible names of each column, best first: ``(top + bottom, bottom, top)``."""
    top = list(rows[position])
    if height == 1:
        return [(name,) for name in _continue(top)]
    bottom = list(rows[position + 1])
    width = max(len(top), len(bottom))
    top += [""] * (width - len(top))
    bottom += [""] * (width - len(bottom))
    spread, last = [], ""
    for above, below in zip(top, bottom, strict=True):
        last = above if _text(above) else (last if _text(below) else "")
        spread.append(last)
    return [
        (f"{_text(above)}{_text(below)}", _text(below), _text(above))
        for above, below in zip(spread, bottom, strict=True)
    ]


def _is_data(row):
    return any(re.search(r"[\d*]{6}", str(cell)) for cell in row)


def _continue(names):
    """Name a cell without a heading after its left neighbour: merged over two columns."""
    texts = [_text(name) for name in names]
    return [
        text or (f"{before}（续）" if before else "")
        for text, before in zip(texts, ["", *texts], strict=False)
    ]


def _text(cell):
    return cell.strip() if isinstance(cell, str) else ""


def _keys(forms, known):
    """Known headings that a column's names may stand for, and which name it is, best first."""
    return [
        (key, used) for used, form in enumerate(forms) for key in _forms(form) if key in known
    ]


def _match(keys, table):
    """Position and which of its names fitted, by column of a ledger."""
    columns = {}
    for at, found in enumerate(keys):
        hits = ((table[key], used) for key, used in found if key in table)
        column, used = next(hits, (None, 0))
        if column and column not in columns:
            columns[column] = (at, used)
    return columns


def _typed(text):
    return re.sub(r"\s+", "", text)


def _require(ledger, columns, names, aliases, place):
    missing = [h for column, h in aliases.required[ledger].items() if column not in columns]
    if missing:
        found = "、".join(
            _typed(form[-1]) for form in names if form[-1] and "（续）" not in form[-1]
        )
        raise LedgerError(
            f"“{LEDGERS[ledger]}”缺少“{'”“'.join(missing)}”列，本表未读入。"
            f"现有表头：{found}。若只是叫法不同，请在 columns.csv 中补充别名。",
            **place,
        )


AMOUNTS = {
    "register": ("monthly_wage",),
    "subsidy": ("amount",),
    "loan": ("principal", "interest_subsidy", "compensated_amount"),
    "post": ("monthly_standard", "pay", "insurance"),
}


def _find_units(ledger, columns, headings, above, aliases, place):
    lines = " ".join(_text(cell) for row in above for cell in row if _text(cell))
    said = _UNIT_LINE.search(unicodedata.normalize("NFKC", lines))
    units = {}
    for column in AMOUNTS.get(ledger, ()):
        if column not in columns:
            continue
        own = _UNIT.search(headings[column])
        unit = own.group() if own else said.group(1) if said else None
        unit = unit or aliases.units[ledger].get(column)
        if unit not in ("元", "万元"):
            raise LedgerError(
                "既没有在表头、也没有在表格上方写明金额单位，本表未读入："
                f"请把表头写成“{headings[column]}（元）”或“（万元）”。",
                **place,
                column=headings[column],
            )
        units[column] = unit
    return units


def _unknown(names, columns, table):
    used = set(columns.values())
    found = {}
    for at, forms in enumerate(names):
        text = _typed(forms[-1] or forms[0])
        if at in used or not text or text.endswith("（续）"):
            continue
        if any(key in table for form in forms for key in _forms(form)):
            continue  # a second column of the same name
        near = difflib.get_close_matches(normalise(text), (k for k in table if len(k) > 1), 1)
        found[text] = near[0] if near else ""
    return found


def is_no_row(cells: list, number) -> bool:
    """Whether a row below the heading is a total, a signature or a note.

    The first filled cell says so and nothing like a resident number stands in its
    place (signatures may): a person whose name begins with such a word keeps the row.
    """
    if re.search(r"[\d*]{4}", str(number)):
        return False
    first = next((cell for cell in cells if cell is not None and cell != ""), "")
    return bool(_NOT_A_ROW.match(re.sub(r"\s+", "", _text(first))))
