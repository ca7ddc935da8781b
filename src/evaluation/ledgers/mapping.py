"""Which ledger a heading is of, which column is which, and in which unit amounts are."""

import difflib
import re
import unicodedata
from dataclasses import dataclass

from evaluation.errors import LedgerError
from evaluation.ledgers.captions import find_unit
from evaluation.ledgers.headings import (
    LEDGERS,
    Aliases,
    forms_of,
    names_somebody_else,
    normalise,
)
from evaluation.ledgers.heads import Heading, match, name_of, typed
from evaluation.ledgers.schema import CLEAN

_UNIT = re.compile(r"万元|元")
_GROUP_UNIT = re.compile(r"\((?:单位:?)?(?:人民币)?(万元|元)\)|[,、/](万元|元)$")


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
        Headings without a column: as typed, position, the nearest known one (or nothing).
    again
        Headings of a column that is there already: as typed, position.
    first
        Position of the first row below the heading.
    left, right
        First column of the table and the one after its last.
    """

    ledger: str
    columns: dict[str, int]
    headings: dict[str, str]
    units: dict[str, str]
    unknown: list[tuple[str, int, str]]
    again: list[tuple[str, int]]
    first: int
    left: int
    right: int


def read_heading(
    heading: Heading, left: int, right: int, above: list[list], aliases: Aliases, units: dict
) -> Table:
    """Tell which ledger the columns between two positions are, and which column is which.

    The ledger whose alias table knows most of the headings is taken; the file's name
    plays no part.

    Parameters
    ----------
    above
        Lines above the heading, which may state a unit.
    units
        Units by column that hold where neither heading nor line states one.

    Raises
    ------
    LedgerError
        If two ledgers fit equally well (names both), if a required column is
        missing (names the headings found), or if an amount has no unit.
    """
    names, row = heading.names, heading.position + 1
    inside = [found if left <= at < right else [] for at, found in enumerate(heading.keys)]
    scores = {ledger: match(inside, table) for ledger, table in aliases.columns.items()}
    most = max(map(len, scores.values()))
    fitting = [ledger for ledger, columns in scores.items() if len(columns) == most]
    if len(fitting) > 1:
        both = "”与“".join(LEDGERS[ledger] for ledger in fitting)
        raise LedgerError(
            f"表头同样像“{both}”，无法判断是哪个台账：请补全表头或 columns.csv 中的别名。",
            row=row,
        )
    ledger, places = fitting[0], range(left, min(right, len(names)))
    columns = {column: at for column, (at, _) in scores[ledger].items()}
    headings = {c: typed(names[at][used][0]) for c, (at, used) in scores[ledger].items()}
    _require(ledger, columns, [names[at] for at in places], aliases, row)
    full = {column: names[at][0][0] for column, at in columns.items()}
    units = _find_units(ledger, headings, full, find_unit(above), units, aliases, row)
    rest = [at for at in places if at not in set(columns.values())]
    return Table(
        ledger,
        columns,
        headings,
        units,
        **_sort_rest(names, rest, set(columns), aliases.columns[ledger]),
        first=heading.position + heading.height,
        left=left,
        right=right,
    )


def _require(ledger, columns, names, aliases, row):
    missing = [h for column, h in aliases.required[ledger].items() if column not in columns]
    if missing:
        found = "、".join(filter(None, map(name_of, names)))
        raise LedgerError(
            f"“{LEDGERS[ledger]}”缺少“{'”“'.join(missing)}”列，本表未读入。"
            f"现有表头：{found}。若只是叫法不同，请在 columns.csv 中补充别名。",
            row=row,
        )


def _find_units(ledger, headings, full, said, inherited, aliases, row):
    units = {}
    for column, kind in CLEAN[ledger].items():
        if kind != "amount" or column not in headings:
            continue
        own = _UNIT.search(headings[column])
        group = _GROUP_UNIT.search(unicodedata.normalize("NFKC", full[column]))
        unit = own.group() if own else (group[1] or group[2]) if group else said
        unit = unit or inherited.get(column) or aliases.units[ledger].get(column)
        if unit not in ("元", "万元"):
            raise LedgerError(
                "既没有在表头、也没有在表格上方写明金额单位，本表未读入："
                f"请把表头写成“{headings[column]}（元）”或“（万元）”。",
                row=row,
                column=headings[column],
            )
        units[column] = unit
    return units


def _sort_rest(names, rest, used, table):
    """Columns with a heading that are not used: unknown ones, those that are there twice."""
    unknown, again = [], []
    used = used | {"serial", "note"}  # nothing is missed without them
    free = [key for key, column in table.items() if len(key) > 1 and column not in used]
    for at in rest:
        text = name_of(names[at])
        if not text:
            continue
        if any(key in table for form, _ in names[at] for key in forms_of(form)):
            again.append((text, at))
        else:
            unknown.append((text, at, _nearest(names[at], free)))
    return {"unknown": unknown, "again": again}


def _nearest(forms, free):
    """The known heading of a column still missing that a heading comes nearest to."""
    for form, _ in forms:
        if names_somebody_else(form):
            return ""
        near = difflib.get_close_matches(normalise(form), free, 1)
        if near:
            return near[0]
    return ""
