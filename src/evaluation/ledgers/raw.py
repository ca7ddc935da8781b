"""Rows of a ledger as typed: the sheets of a file, and then files, below each other."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from evaluation.errors import LedgerError
from evaluation.ledgers import values
from evaluation.ledgers.delimited import Lines
from evaluation.ledgers.headings import Aliases, find_table, is_no_row
from evaluation.ledgers.workbook import read_grids

GUIDE = "填写说明"  # a sheet that says how the others are filled in
NEVER = -1


@dataclass(frozen=True)
class Sheet:
    """Where rows come from.

    Attributes
    ----------
    file, name
        Path below the folder of the ledgers, and name of the sheet.
    received
        Year of the folder received, 0 in a flat folder.
    headings, units
        Heading as typed and unit, by column.
    skipped
        Totals, signatures and notes below the heading.
    reporter
        Who filled it in (填报单位), as written above or below the table.
    """

    file: str
    name: str
    received: int
    headings: dict[str, str]
    units: dict[str, str]
    skipped: int
    reporter: str = ""


@dataclass(frozen=True)
class Part:
    """Rows of one ledger in one file; fields as in `Raw`.

    The columns are pieces for `values.join_column`, but for the number in the list (序号);
    one without a known heading is named after its position, as ``?7``.
    """

    ledger: str
    sheets: list[Sheet]
    sheet_of: np.ndarray
    rows: np.ndarray
    columns: dict[str, pa.ChunkedArray]


@dataclass(frozen=True)
class Raw:
    """Rows of one ledger as typed, from all files in which it has the same columns.

    What is typed in one file stands in others as well: together it is understood once.

    Attributes
    ----------
    sheets, sheet_of
        The sheets, and which of them each row comes from.
    order
        By sheet: its place among all that were read.
    rows
        Row of the source, from 1.
    columns
        Cells by column of the ledger, each distinct cell once.
    prints
        Fingerprint of each row: all cells but its number in the list.
    version_of
        Position of the row as typed of which each row is a version: of most rows their
        own; corrected ones stand below the others. See `versions`.
    known_from, superseded
        Edition from which each version holds (0: from the beginning), and from which it no
        longer does (0: it still does; `NEVER`: it never did).
    """

    ledger: str
    sheets: list[Sheet]
    sheet_of: np.ndarray
    order: np.ndarray
    rows: np.ndarray
    columns: dict[str, pd.Categorical]
    prints: np.ndarray
    version_of: np.ndarray
    known_from: np.ndarray
    superseded: np.ndarray

    @property
    def is_typed(self) -> np.ndarray:
        """Which rows are as typed."""
        return self.version_of == np.arange(len(self.rows))

    @property
    def is_last(self) -> np.ndarray:
        """Which rows are the last version of a row of the source: one for each."""
        return self.superseded == 0


def read_parts(path: Path, folder: Path, aliases: Aliases) -> tuple[list[Part], list[tuple]]:
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
        elif grid.sheet != GUIDE and any(
            cell not in ("", None) for row in grid.rows for cell in row
        ):
            words = "没有找到台账的表头，本表未读入。"
            problems.append((grid.file, grid.sheet, "error", words))
    years = re.findall(r"(?:^|/)((?:19|20)\d\d)(?=/)", path.relative_to(folder).as_posix())
    received = int(years[0]) if years else 0
    parts = [_read_part(ledger, found, received) for ledger, found in tables.items()]
    return parts, problems + [said for part in parts for said in _say_empty(part)]


def _say_empty(part):
    counts = np.bincount(part.sheet_of, minlength=len(part.sheets))
    empty = [sheet for sheet, count in zip(part.sheets, counts, strict=True) if not count]
    return [(sheet.file, sheet.name, "note", "只有表头，没有数据行。") for sheet in empty]


def _say_unknown(grid, heading, near):
    hint = f"，最接近的是“{near}”" if near else ""
    return grid.file, grid.sheet, "note", f"不认识的表头“{heading}”{hint}，该列未使用。"


def _read_part(ledger, found, received):
    """Put the sheets of one ledger in one file below each other."""
    pieces, rows, sheets = {column: [] for column in found[0][1].columns}, [], []
    for grid, table in found:
        kept, body, skipped = _data_rows(grid.rows, table)
        names = {at: column for column, at in table.columns.items()}
        above = sum(map(len, rows))
        for at, column in enumerate(body):
            # Unused columns only tell duplicates from rows that differ there.
            pieces.setdefault(names.get(at, f"?{at}"), []).append((above, column))
        rows.append(np.array(kept, dtype=int) + 1)
        sheets.append(
            Sheet(grid.file, grid.sheet, received, table.headings, table.units, skipped)
        )
    pieces.pop("serial", None)
    sheet_of = np.repeat(np.arange(len(rows)), [len(kept) for kept in rows])
    columns = {name: _below(found, len(sheet_of)) for name, found in pieces.items()}
    return Part(ledger, sheets, sheet_of, np.concatenate(rows), columns)


def _columns(rows, kept):
    """The columns of some rows, up to the last cell of the longest."""
    if isinstance(rows, Lines):
        return rows.columns(kept)
    body = [rows[place] for place in kept]
    width = max(map(len, body), default=0)
    full = (row if len(row) == width else [*row, *[""] * (width - len(row))] for row in body)
    return zip(*full, strict=True)


def _below(pieces, length):
    """One column of a file; blank where a sheet does not have it."""
    if len(pieces) == 1 and len(pieces[0][1]) == length:
        return values.encode(pieces[0][1])
    cells = []
    for start, column in pieces:
        cells += [""] * (start - len(cells))
        cells += column
    cells += [""] * (length - len(cells))
    return values.encode(cells)


def stack_parts(parts: list[Part]) -> Iterator[Raw]:
    """Put files in which a ledger has the same columns below each other, in their order."""
    alike, before = {}, 0
    for part in parts:
        found = alike.setdefault((part.ledger, frozenset(part.columns)), [])
        found.append((part, before))
        before += len(part.sheets)
    for (ledger, _), found in alike.items():
        yield _stack(ledger, *zip(*found, strict=True))


def _stack(ledger, parts, before):
    sheets = [sheet for part in parts for sheet in part.sheets]
    starts = np.cumsum([0, *(len(part.sheets) for part in parts)])[:-1]
    sheet_of = np.concatenate(
        [part.sheet_of + start for part, start in zip(parts, starts, strict=True)]
    )
    columns = {
        name: values.join_column([part.columns[name] for part in parts])
        for name in parts[0].columns
    }
    return Raw(
        ledger=ledger,
        sheets=sheets,
        sheet_of=sheet_of,
        order=np.concatenate(
            [at + np.arange(len(part.sheets)) for part, at in zip(parts, before, strict=True)]
        ),
        rows=np.concatenate([part.rows for part in parts]),
        columns={name: column for name, column in columns.items() if name[0] != "?"},
        prints=_fingerprints(columns, len(sheet_of)),
        version_of=np.arange(len(sheet_of)),
        known_from=np.zeros(len(sheet_of), dtype=int),
        superseded=np.zeros(len(sheet_of), dtype=int),
    )


def _fingerprints(columns, length):
    prints = np.zeros(length, dtype=np.uint64)
    for name, column in columns.items():
        if len(column.categories):
            texts = print_cells(name, column.categories)
            prints += values.take(texts, column.codes, np.uint64(0))
    return prints


def print_cells(column: str, texts) -> np.ndarray:
    """What each of some cells adds to the fingerprint of its row; a blank one adds nothing."""
    return hash_texts(texts) * (hash_texts([column])[0] | np.uint64(1))


def hash_texts(texts) -> np.ndarray:
    """Fingerprints of texts; no secret, so they leave the memory only keyed."""
    return pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False)


def _data_rows(rows, table):
    """Rows that hold data: their places and columns, and how many totals or notes there are."""
    at, serial = table.columns["number"], table.columns.get("serial", -1)
    heading, places = rows[table.first - 1], range(table.first, len(rows))
    if isinstance(rows, Lines):
        body = rows.columns(places)
        numbers = body[at] if at < len(body) else [""] * len(places)
    else:
        body, numbers = None, [row[at] if at < len(row) else "" for row in rows[table.first :]]
    left_out, skipped = set(), 0
    for place in _without_number(numbers):
        row = rows[table.first + place]
        number = row[at] if at < len(row) else ""
        if not any(
            cell not in ("", None) and str(cell).strip()
            for position, cell in enumerate(row)
            if position != serial
        ):
            left_out.add(table.first + place)
        elif row == heading or is_no_row(row, number):
            left_out.add(table.first + place)
            skipped += 1
    kept = [place for place in places if place not in left_out]
    return kept, _columns(rows, kept) if body is None or left_out else body, skipped


def _without_number(cells):
    """Places of the cells that are no text as long as a resident number."""
    if isinstance(cells, pa.ChunkedArray):
        return np.flatnonzero(pc.utf8_length(cells).to_numpy() < 15)
    return [
        place
        for place, cell in enumerate(cells)
        if not (isinstance(cell, str) and len(cell) >= 15)
    ]
