"""Rows of a ledger as typed: the sheets of a file, and then files, below each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from evaluation.errors import LedgerError
from evaluation.ledgers import values
from evaluation.ledgers.headings import Aliases
from evaluation.ledgers.layout import find_tables
from evaluation.ledgers.workbook import read_grids
from evaluation.paths import year_received

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
    merged: dict[str, np.ndarray]


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
    merged
        By column the positions of cells covered by a merged one: it was filled in, or left
        blank where it counts once.
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
    merged: dict[str, np.ndarray]
    prints: np.ndarray
    version_of: np.ndarray
    known_from: np.ndarray
    superseded: np.ndarray

    @property
    def received(self) -> np.ndarray:
        """Year in which each row was received as typed, 0 in a flat folder."""
        return np.array([sheet.received for sheet in self.sheets])[self.sheet_of]

    @property
    def is_typed(self) -> np.ndarray:
        """Which rows are as typed."""
        return self.version_of == np.arange(len(self.rows))

    @property
    def is_last(self) -> np.ndarray:
        """Which rows are the last version of a row of the source: one for each."""
        return self.superseded == 0


@contextmanager
def uncollected():
    """Leave out the search for cycles: there are none, and it goes through all cells.

    It is of the whole process: whoever reads in several threads does so within one.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@uncollected()
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
        blocks, said = find_tables(grid, aliases)
        if not blocks and not said and grid.sheet != GUIDE:
            hidden = ("note", "没有找到台账的表头，本表未读入（隐藏的工作表）。")
            said = [hidden if grid.hidden else ("error", "没有找到台账的表头，本表未读入。")]
        if grid.hidden and blocks:
            said.append(("note", "这是隐藏的工作表，也已读入。"))
        said += [("note", words) for words in grid.notes]
        said += [("note", "只有表头，没有数据行。") for block in blocks if not len(block.rows)]
        problems += [(grid.file, grid.sheet, *problem) for problem in said]
        for block in blocks:
            tables.setdefault(block.table.ledger, []).append((grid, block))
    received = year_received(path.relative_to(folder).as_posix())
    return [_read_part(ledger, found, received) for ledger, found in tables.items()], problems


def _read_part(ledger, found, received):
    """Put the tables of one ledger in one file below each other."""
    pieces = {column: [] for column in found[0][1].table.columns}
    rows, sheets, merged = [], [], {}
    for grid, block in found:
        table, above = block.table, sum(map(len, rows))
        names = {at: column for column, at in table.columns.items()}
        for at, column in enumerate(block.columns, table.left):
            # Unused columns only tell duplicates from rows that differ there.
            if at in names or block.count_filled(at):
                pieces.setdefault(names.get(at, f"?{at}"), []).append((above, column))
        for at, covered in block.merged.items():
            merged.setdefault(names.get(at, ""), []).append(covered + above)
        rows.append(block.rows + 1)
        said = (table.headings, table.units, block.skipped, block.reporter)
        sheets.append(Sheet(grid.file, grid.sheet, received, *said))
    pieces.pop("serial", None)
    sheet_of = np.repeat(np.arange(len(rows)), [len(kept) for kept in rows])
    columns = {name: _below(found, len(sheet_of)) for name, found in pieces.items()}
    merged = {n: np.concatenate(found) for n, found in merged.items() if n in columns}
    return Part(ledger, sheets, sheet_of, np.concatenate(rows), columns, merged)


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
        merged=_join_merged(parts),
        prints=_fingerprints(columns, len(sheet_of)),
        version_of=np.arange(len(sheet_of)),
        known_from=np.zeros(len(sheet_of), dtype=int),
        superseded=np.zeros(len(sheet_of), dtype=int),
    )


def _join_merged(parts):
    """Positions of merged cells in all rows, by known column."""
    found, above = {}, 0
    for part in parts:
        for name, places in part.merged.items():
            found.setdefault(name, []).append(places + above)
        above += len(part.rows)
    return {name: np.concatenate(places) for name, places in found.items()}


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
