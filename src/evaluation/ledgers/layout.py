"""How a sheet is laid out: which tables stand on it, and which of its rows are rows of them.

Tables stand below each other, with or without titles between them, or side by side. A
heading that is repeated, as at the top of each printed page, continues its table.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from xlsxwriter.utility import xl_col_to_name as letter

from evaluation.errors import LedgerError
from evaluation.ledgers.captions import (
    LIKE_A_NUMBER,
    find_reporter,
    is_caption,
    is_filled,
    is_no_row,
    is_numbering,
    is_title,
)
from evaluation.ledgers.delimited import Lines
from evaluation.ledgers.headings import Aliases
from evaluation.ledgers.heads import find_heading, split_sides
from evaluation.ledgers.mapping import Table, read_heading
from evaluation.ledgers.merged import Merges, counts_once
from evaluation.ledgers.workbook import Grid

_LONGEST_SERIAL = 8  # characters of a number in the list
_SHORTEST = 15  # characters of a resident number
_ABOVE = 2  # rows of a heading that may stand above the last with a known one
_TRIES = 500  # rows looked at as headings: a sheet of single known words takes no hours


@dataclass(frozen=True)
class Block:
    """A table of a sheet and its rows.

    Attributes
    ----------
    table
        What its heading says.
    rows
        Rows that hold data, from 0, ascending.
    columns
        Their cells by position in the sheet, from the table's first column on, as seen:
        what is merged downwards stands in each row, or where it is added up in the first.
    merged
        By position of the column, positions of the rows in which a merged cell covers it.
    skipped
        How many rows are none: totals, signatures, notes, titles, headings again.
    reporter
        The office that reports, as written above or below the table, else nothing.
    """

    table: Table
    rows: np.ndarray
    columns: list[Sequence]
    merged: dict[int, np.ndarray]
    skipped: int
    reporter: str

    def count_filled(self, at: int) -> int:
        """In how many rows something stands in a column, by its position in the sheet."""
        if not self.table.left <= at < self.table.left + len(self.columns):
            return 0
        column = self.columns[at - self.table.left]
        if isinstance(column, pa.ChunkedArray):
            return pc.sum(pc.greater(pc.utf8_length(column), 0)).as_py() or 0
        return sum(cell is not None and cell != "" for cell in column)


def find_tables(grid: Grid, aliases: Aliases) -> tuple[list[Block], list[tuple[str, str]]]:
    """Find the tables of a sheet and their rows.

    Returns
    -------
    tuple
        The tables from top to bottom, and the problems met, as level (``error``: something
        was not loaded, ``note``) and message.
    """
    rows, merges = grid.rows, Merges(grid.merges)
    heading = _next_heading(rows, 0, merges, aliases)
    blocks, start = [], 0
    problems = [] if heading is None else _find_orphans(rows[: heading.position])
    while heading is not None:
        above = rows[start : heading.position]
        tables, said = _read_sides(heading, above, aliases)
        problems += said
        first = heading.position + heading.height
        body = rows.columns(range(first, len(rows))) if isinstance(rows, Lines) else None
        if tables:
            short = _without_number(rows, body, tables[0])
            end, heading, again = _find_end(rows, short, tables[0], merges, aliases)
        else:
            heading, again = _next_heading(rows, first, merges, aliases), set()
            end = (
                len(rows) if heading is None else _find_captions(rows, heading.position, first)
            )
        for table in tables:
            if table is not tables[0]:
                short = _without_number(rows, body, table)
            none = _find_no_rows(rows, short, table, end, again, merges)
            blocks.append(_read_rows(rows, body, table, end, none, merges, above))
            problems += _say_unused(blocks[-1])
        start = end
    return blocks, problems


def _next_heading(rows, start, merges, aliases):
    tries = 0
    for at in range(start, len(rows)):
        if tries < _TRIES and any(map(aliases.knows, rows[at])):
            tries += 1
            heading = find_heading(rows, max(start, at - _ABOVE), at, merges, aliases)
            if heading is not None:
                return heading
    return None


def _find_orphans(above):
    """People above the first heading belong to no table: that is said, never passed over."""
    odd = [
        at + 1
        for at, row in enumerate(above)
        if any(isinstance(cell, str) and LIKE_A_NUMBER.search(cell) for cell in row)
    ]
    if not odd:
        return []
    words = f"第{odd[0]}至{odd[-1]}行在表头上方，其中 {len(odd)} 行有身份证号码，没有读入："
    return [("error", f"{words}请把表头移到它们上方。")]


def _read_sides(heading, above, aliases):
    """The tables that one heading names, from left to right, and what is wrong with it."""
    tables, problems = [], []
    for left, right in split_sides(heading, aliases):
        try:
            table = read_heading(heading, left, right, above, aliases, {})
        except LedgerError as problem:
            problems.append(("error", f"第{problem.row}行：{problem.message}"))
            continue
        if any(table.ledger == other.ledger for other in tables):
            # Two rows of one ledger in one line of the sheet could not be told apart.
            words = f"第{heading.position + 1}行：右侧（{letter(left)}列起）并排的同一种台账"
            problems.append(("error", f"{words}没有读入：请移到左边表格的下方。"))
        else:
            tables.append(table)
    return tables, problems


def _find_end(rows, short, table, merges, aliases):
    """Where a table ends, which heading follows (or none), which rows are its own again."""
    below, again, tries = table.first, set(), 0
    for place in short:
        if place < below or tries > _TRIES or sum(map(aliases.knows, rows[place])) < _ABOVE:
            continue
        tries += 1
        heading = find_heading(rows, max(below, place - _ABOVE), place, merges, aliases)
        if heading is None or heading.position + heading.height <= place:
            continue
        start = _find_captions(rows, heading.position, below)
        if not _continues(heading, table, rows[start : heading.position], aliases):
            return start, heading, again
        below = heading.position + heading.height
        again |= set(range(start, below))
    return len(rows), None, again


def _continues(heading, table, above, aliases):
    try:
        other = read_heading(heading, table.left, table.right, above, aliases, table.units)
    except LedgerError:
        return False
    return (other.ledger, other.columns, other.units) == (
        table.ledger,
        table.columns,
        table.units,
    )


def _find_captions(rows, position, lowest):
    """First of the titles and blank lines that stand directly above a heading."""
    while position > lowest and is_caption(rows[position - 1]):
        position -= 1
    return position


def _without_number(rows, body, table):
    """Rows below the heading whose cell is no text as long as a resident number."""
    at, places = table.columns["number"], range(table.first, len(rows))
    if body is not None and at < len(body):
        short = pc.less(pc.utf8_length(body[at]), _SHORTEST).to_numpy()
        return (np.flatnonzero(short) + table.first).tolist()
    return [
        place
        for place in places
        if at >= len(row := rows[place])
        or not (isinstance(cell := row[at], str) and len(cell) >= _SHORTEST)
    ]


def _find_no_rows(rows, short, table, end, again, merges):
    """Rows of a table that are none, by their place: whether anything stands in each."""
    none = {place: any(map(is_filled, rows[place])) for place in again}
    for place in short:
        if place >= end:
            break
        if place in again:
            continue
        cells = rows[place][table.left : table.right]
        if _is_blank(cells, table):
            none[place] = False
        elif _is_no_row(cells, place, table, merges):
            none[place] = True
    return none


def _read_rows(rows, body, table, end, none, merges, above):
    """Read a table but for what is no row."""
    kept = [place for place in range(table.first, end) if place not in none]
    whole = body is not None and len(kept) == len(rows) - table.first
    columns = (body if whole else _columns(rows, kept))[table.left : table.right]
    kept = np.array(kept, dtype=int)
    columns, merged = _see_merged(table, kept, columns, merges)
    below = [rows[place][table.left : table.right] for place, filled in none.items() if filled]
    reporter = find_reporter([*above, *below])
    return Block(table, kept, columns, merged, sum(none.values()), reporter)


def _see_merged(table, rows, columns, merges):
    names = {at: column for column, at in table.columns.items()}
    seen, merged = [], {}
    for at, column in enumerate(columns, table.left):
        once = counts_once(table.ledger, names.get(at, ""))
        column, covered = merges.see(at, rows, column, once)
        seen.append(column)
        if len(covered):
            merged[at] = covered
    return seen, merged


def _is_blank(cells, table):
    """Whether nothing stands in a row but perhaps a number in the list, and no other number."""
    serial = table.columns.get("serial", -1) - table.left
    return not any(
        is_filled(cell)
        for at, cell in enumerate(cells)
        if at != serial or len(str(cell)) > _LONGEST_SERIAL
    )


def _is_no_row(cells, place, table, merges):
    at = table.columns["number"] - table.left
    number = cells[at] if at < len(cells) else ""
    if is_no_row(cells, number) or (place == table.first and is_numbering(cells)):
        return True
    filled = [at for at, cell in enumerate(cells) if is_filled(cell)]
    if len(filled) != 1:
        return False
    covered = (merges.across(place) or {}).values()
    return is_title(cells[filled[0]], sum(left == filled[0] + table.left for left in covered))


def _columns(rows, kept):
    """The columns of some rows, up to the last cell of the longest."""
    if isinstance(rows, Lines):
        return rows.columns(kept)
    body = [rows[place] for place in kept]
    width = max(map(len, body), default=0)
    full = (row if len(row) == width else [*row, *[""] * (width - len(row))] for row in body)
    return list(zip(*full, strict=True))


def _say_unused(block):
    """What stands in a table and is not used, by heading and column."""
    table = block.table
    for heading, at, near in table.unknown:
        hint = f"，最接近的是“{near}”" if near else ""
        yield "note", f"不认识的表头“{heading}”（{letter(at)}列）{hint}，该列未使用。"
    for heading, at in table.again:
        if block.count_filled(at):
            yield "note", f"表头“{heading}”重复出现，{letter(at)}列未使用。"
    named = {*table.columns.values(), *(at for _, at, *_ in [*table.unknown, *table.again])}
    for at in range(table.left, table.left + len(block.columns)):
        if at not in named and (filled := block.count_filled(at)):
            yield "note", f"{letter(at)}列没有表头，其中 {filled} 行有内容，该列未使用。"
