"""Rows of a ledger as typed: the sheets of one file below each other."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.errors import LedgerError
from evaluation.ledgers import values
from evaluation.ledgers.headings import Aliases, find_table, is_no_row
from evaluation.ledgers.workbook import read_grids


@dataclass(frozen=True)
class Raw:
    """Rows of one ledger in one file, as typed.

    Attributes
    ----------
    received
        Year of the folder received, 0 in a flat folder.
    names, sheets
        Names of the sheets, and which of them each row comes from.
    rows
        Row of the source, from 1.
    columns
        Cells by column of the ledger, each distinct cell once.
    headings, units
        By sheet: heading as typed and unit, by column.
    skipped
        By sheet: totals, signatures and notes below the heading.
    prints
        Fingerprint of each row over all cells but its number in the list (序号).
    """

    file: str
    ledger: str
    received: int
    names: list[str]
    sheets: np.ndarray
    rows: np.ndarray
    columns: dict[str, pd.Categorical]
    headings: dict[str, dict[str, str]]
    units: dict[str, dict[str, str]]
    skipped: dict[str, int]
    prints: np.ndarray


def read_raw(path: Path, folder: Path, aliases: Aliases) -> tuple[list[Raw], list[tuple]]:
    """Read one file.

    Returns
    -------
    tuple
        Its ledgers (usually one), and the problems met as ``(file, sheet, level,
        message)``: level ``error`` where a table was not loaded, else ``note``.
    """
    problems, tables = [], {}
    try:
        grids = read_grids(path, folder)
    except LedgerError as problem:
        return [], [(problem.file, "", "error", problem.message)]
    for grid in grids:
        try:
            table = find_table(grid, aliases)
        except LedgerError as problem:
            words = f"第{problem.row}行：{problem.message}"
            problems.append((grid.file, grid.sheet, "error", words))
            continue
        if table is not None:
            problems += [_say_unknown(grid, *pair) for pair in table.unknown.items()]
            tables.setdefault(table.ledger, []).append((grid, table))
        elif any(cell not in ("", None) for row in grid.rows for cell in row):
            words = "没有找到台账的表头，本表未读入。"
            problems.append((grid.file, grid.sheet, "error", words))
    years = re.findall(r"(?:^|/)((?:19|20)\d\d)(?=/)", path.relative_to(folder).as_posix())
    received = int(years[0]) if years else 0
    return [_stack(ledger, found, received) for ledger, found in tables.items()], problems


def _say_unknown(grid, heading, near):
    hint = f"，最接近的是“{near}”" if near else ""
    return grid.file, grid.sheet, "note", f"不认识的表头“{heading}”{hint}，该列未使用。"


def _stack(ledger, found, received):
    """Put the sheets of one ledger in one file below each other."""
    cells, rows, sheets, skipped = {}, [], [], {}
    for number, (grid, table) in enumerate(found):
        body, kept, skipped[grid.sheet] = _data_rows(grid.rows, table)
        width = max(map(len, body), default=0)
        body = [
            row if len(row) == width else [*row, *[""] * (width - len(row))] for row in body
        ]
        names = {at: column for column, at in table.columns.items()}
        for at, column in enumerate(zip(*body, strict=True)):
            # Unused columns only tell duplicates from rows that differ there.
            above = cells.setdefault(names.get(at, f"?{at}"), [])
            above += [""] * (len(rows) - len(above))
            above += column
        rows += kept
        sheets += [number] * len(kept)
    columns = {
        name: values.as_column(column + [""] * (len(rows) - len(column)))
        for name, column in cells.items()
    }
    for column in found[0][1].columns:
        columns.setdefault(column, values.as_column([""] * len(rows)))
    return Raw(
        file=found[0][0].file,
        ledger=ledger,
        received=received,
        names=[grid.sheet for grid, _ in found],
        sheets=np.array(sheets, dtype=int),
        rows=np.array(rows, dtype=int),
        columns={name: column for name, column in columns.items() if name[0] != "?"},
        headings={grid.sheet: table.headings for grid, table in found},
        units={grid.sheet: table.units for grid, table in found},
        skipped=skipped,
        prints=_fingerprints(columns, len(rows)),
    )


def _fingerprints(columns, length):
    prints = np.zeros(length, dtype=np.uint64)
    for name, column in columns.items():
        if name != "serial" and len(column.categories):
            cells = np.asarray(column.categories, dtype=object)
            texts = pd.util.hash_array(cells, categorize=False)  # they differ already
            salt = np.uint64(pd.util.hash_array(np.array([name], dtype=object))[0] | 1)
            prints += values.take(texts, column.codes, np.uint64(0)) * salt
    return prints


def _data_rows(rows, table):
    """Rows that hold data, their numbers in the source, and how many totals or notes."""
    at, serial = table.columns["number"], table.columns.get("serial", -1)
    heading = rows[table.first - 1]
    body, kept, skipped = [], [], 0
    for position in range(table.first, len(rows)):
        row = rows[position]
        number = row[at] if at < len(row) else ""
        if not (isinstance(number, str) and len(number) >= 15):
            if not any(
                cell not in ("", None) and str(cell).strip()
                for place, cell in enumerate(row)
                if place != serial
            ):
                continue
            if row == heading or is_no_row(row, number):
                skipped += 1
                continue
        body.append(row)
        kept.append(position + 1)
    return body, kept, skipped
