"""The clerk's corrections: a workbook beside the ledgers, and what became of each line.

The workbook is the clerk's report filled in with a new value, who and when.
"""

import datetime
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path

import pandas as pd

from evaluation.errors import LedgerError
from evaluation.ledgers import values
from evaluation.ledgers.headings import normalise
from evaluation.ledgers.identity import mask
from evaluation.ledgers.rules import NOT_SHOWN
from evaluation.ledgers.workbook import read_grids
from evaluation.paths import list_corrections

# What the clerk fills in, and what says where; as in the report.
HEADINGS = {
    "file": "文件", "sheet": "工作表", "row": "行", "column": "列",
    "shown": "所填内容（已遮盖）", "new": "更正为", "by": "更正人", "on": "更正日期",
    "back": "追溯", "code": "核对码",
}  # fmt: skip
CONFIRMED, EMPTY = "无误", ("空", "（空）", "(空)", "空白")
APPLIED, KEPT, ALREADY, REFUSED = "applied", "confirmed", "already", "refused"
_NEEDED = ("file", "row", "column", "new", "by", "on")
_SEARCHED = 20
LOG = [
    "workbook", "tab", "line", "file", "sheet", "row", "column", "ledger", "new", "by", "on",
    "from_year", "state", "reason", "copies", "rescued", "amount_change",
]  # fmt: skip
LOG_KEY = ["workbook", "tab", "line"]


@dataclass
class Correction:
    """One line of a corrections workbook, and what became of it.

    Attributes
    ----------
    workbook, tab, line
        Where it stands: file, sheet, row.
    file, sheet, row, column, shown, code
        The cell: column as headed, `shown` as the report shows it (or the old value in
        full, where the clerk adds a line without a code).
    new
        As typed; nothing for a cell to be emptied.
    by, on, back
        Who and when; `back` applies it to all editions.
    state, reason
        What became of it: ``applied``, ``confirmed``, ``already`` (the ledger says so by
        now) or ``refused``, and why, in Chinese.
    ledger, field, targets, copies, places
        Ledger and its column, positions of the rows, how many of these stand in other
        files, and ``(file, sheet, row, heading)`` of all.
    from_year
        Edition from which it holds; 0: all.
    rescued, amount_change
        Rows that were set aside and no longer are; by how much kept yuan changed.
    """

    workbook: str
    tab: str
    line: int
    file: str
    sheet: str
    row: int
    column: str
    shown: str
    code: str
    new: str | None
    by: str
    on: datetime.date
    back: bool
    state: str = REFUSED
    reason: str = "没有读到这个文件或工作表，未采用"
    ledger: str = ""
    field: str = ""
    targets: list[int] = dataclass_field(default_factory=list)
    copies: int = 0
    places: list[tuple] = dataclass_field(default_factory=list)
    from_year: int = 0
    rescued: int = 0
    amount_change: float = 0.0

    @property
    def confirms(self) -> bool:
        """Whether it says that the cell is right as it stands."""
        return self.new == CONFIRMED

    def refuse(self, reason: str) -> None:
        """Say why it is not applied."""
        self.state, self.reason = REFUSED, reason


def read_corrections(ledgers: Path) -> tuple[list[Correction], list[tuple]]:
    """Read all corrections below the folder of the ledgers.

    Returns
    -------
    tuple
        Corrections in the order of files and lines, and problems as `raw.read_parts`
        gives them: a workbook that cannot be read, a line that lacks something.
    """
    corrections, problems = [], []
    for path in list_corrections(ledgers):
        try:
            grids = read_grids(path, ledgers)
        except LedgerError as problem:
            words = f"{problem.message}其中的更正都未采用。"
            problems.append((problem.file, "", "error", words))
            continue
        before = len(corrections) + len(problems)
        for grid in grids:
            found, said = _read_sheet(grid)
            corrections += found
            problems += said
        if len(corrections) + len(problems) == before:
            words = f"没有填写“更正为”的行（表头应有：{'、'.join(_asked())}）。"
            problems.append((grids[0].file, "", "note", words))
    return corrections, problems


def read_filled(path: Path) -> bool:
    """Whether anything is filled in in a corrections workbook.

    Raises
    ------
    LedgerError
        If it cannot be read.
    """
    return any(map(any, map(_read_sheet, read_grids(path, path.parent))))


def _asked():
    return [HEADINGS[name] for name in _NEEDED]


def _read_sheet(grid):
    places = _find_headings(grid.rows)
    if places is None:
        return [], []
    start, at = places
    corrections, problems = [], []
    for line in range(start + 1, len(grid.rows)):
        cells = grid.rows[line]
        there = {field: cells[place] for field, place in at.items() if place < len(cells)}
        row = {field: (values.cell_text(cell) or "").strip() for field, cell in there.items()}
        if not row.get("new"):
            continue
        try:
            corrections.append(_understand(grid, line + 1, row))
        except LedgerError as problem:
            words = f"第{line + 1}行：{problem.message}"
            problems.append((grid.file, grid.sheet, "error", words))
    return corrections, problems


def _find_headings(rows):
    """Line of the headings and position by field; none if this is no list of corrections."""
    for line in range(min(_SEARCHED, len(rows))):
        names = [normalise(cell) for cell in rows[line]]
        at = {
            field: names.index(normalise(h))
            for field, h in HEADINGS.items()
            if normalise(h) in names
        }
        if set(_NEEDED) <= set(at):
            return line, at
    return None


def _understand(grid, line, row) -> Correction:
    lacking = [HEADINGS[name] for name in _NEEDED if not row.get(name)]
    if lacking:
        raise LedgerError(f"缺少“{'”“'.join(lacking)}”，这条更正未采用。")
    on, precision = values.parse_date(row["on"])
    if precision != "day":
        raise LedgerError("“更正日期”不是完整的日期（如 2025-03-01），这条更正未采用。")
    if not row["row"].isdigit():
        raise LedgerError("“行”不是行号，这条更正未采用。")
    new = None if row["new"] in EMPTY else row["new"]
    back = row.get("back", "") in ("是", "√", "1", "y", "Y")
    told = {
        name: row.get(name, "") for name in ("file", "sheet", "column", "shown", "code", "by")
    }
    return Correction(
        grid.file, grid.sheet, line, row=int(row["row"]), new=new, on=on, back=back, **told
    )


def describe_outcomes(corrections: list[Correction]) -> pd.DataFrame:
    """What became of each correction, one row each, for the log; columns as in `LOG`.

    Numbers are masked; names, phones, households and addresses are not shown.
    """
    rows = []
    for one in corrections:
        new = CONFIRMED if one.confirms else one.new or "（空）"
        if one.field in (*NOT_SHOWN, "") and not one.confirms:
            new = ""
        elif one.field == "number" and one.new and not one.confirms:
            new = mask(new)
        told = {name: getattr(one, name) for name in LOG if name not in ("new", "on")}
        rows.append(told | {"new": new, "on": one.on.isoformat()})
    table = pd.DataFrame(rows, columns=LOG)
    types = dict.fromkeys(LOG, "str") | dict.fromkeys(
        ("line", "row", "from_year", "copies", "rescued"), "int64"
    )
    return table.astype(types | {"amount_change": "float64"})
