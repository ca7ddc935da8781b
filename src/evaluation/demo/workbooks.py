"""Files as offices lay them out: titles, units, repeated headings, sums, merged cells."""

import csv
import datetime
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pandas as pd
import xlsxwriter

MADE = datetime.datetime(2024, 12, 31)  # fixed: the same seed makes the same file
SIGNATURE = "填表人：　　　　审核：　　　　填表日期："
NOTE = "备注：本表由各村（社区）上报，经乡镇汇总。"


@dataclass(frozen=True)
class Layout:
    """How a table is laid out on its sheet.

    Attributes
    ----------
    title, unit, reporter
        Lines above the table (``{}`` in the reporter: name of the sheet).
    top, left
        Empty lines and columns.
    spaced
        Line breaks and spaces inside headings.
    total
        Column whose sum stands in a line 合计 below, with a line for signatures.
    page
        After how many rows the headings stand again, as on printed pages; 0: never.
    hidden
        Every tenth row is hidden.
    """

    title: str | None = None
    unit: str | None = None
    reporter: str | None = None
    top: int = 0
    left: int = 0
    spaced: bool = False
    total: str | None = None
    page: int = 0
    hidden: bool = False


@dataclass
class Table:
    """Rows of one sheet, and how they are grouped.

    Attributes
    ----------
    cells
        Columns are headings; ``A|B`` is heading A over two columns with B below it.
    sections
        First row of each section after the first, with the title above it: then the
        headings stand again.
    sums
        Rows below which a line 小计 stands.
    merges
        Cells merged downwards: heading, first row, last row, what stands in them.
    """

    cells: pd.DataFrame
    sections: dict[int, str] = field(default_factory=dict)
    sums: tuple[int, ...] = ()
    merges: list[tuple] = field(default_factory=list)


@dataclass(frozen=True)
class Lines:
    """A sheet line by line.

    Attributes
    ----------
    cells
        Lines of cells.
    places
        Line of each row, from 1.
    heads
        Lines that are headings, from 0.
    """

    cells: list[list]
    places: np.ndarray
    heads: list[int]


def lay_out(table: Table, layout: Layout, sheet: str = "") -> Lines:
    """Arrange a table as lines of cells."""
    left, headings = [None] * layout.left, ["序号", *table.cells.columns]
    if layout.spaced:
        headings = [h.replace("姓名", "姓 名").replace("日期", "\n日期") for h in headings]
    lines = [[] for _ in range(layout.top)]
    reporter = layout.reporter.format(sheet) if layout.reporter else None
    lines += [[*left, text] for text in (layout.title, reporter, layout.unit) if text]
    head = [[*left, *[heading.partition("|")[0] for heading in headings]]]
    if any("|" in heading for heading in headings):
        head.append([*left, *[heading.partition("|")[2] or None for heading in headings]])
    rows = _as_rows(table.cells, left)
    places, heads, done = np.empty(len(rows), dtype=int), [], 0
    again = {0, *table.sections}
    again |= set(range(layout.page, len(rows), layout.page)) if layout.page else set()
    ends = {number + 1 for number in table.sums}
    for start, stop in pairwise(sorted({*again, *ends, len(rows)})):
        if start in table.sections:
            lines += [[], [*left, table.sections[start]]]
        if start in again:
            heads += range(len(lines), len(lines) + len(head))
            lines += head
        places[start:stop] = np.arange(stop - start) + len(lines) + 1
        lines += rows[start:stop]
        if stop in ends:
            part = table.cells.iloc[done:stop]
            lines.append([*left, *_add_up("小计", part, layout.total)])
            done = stop
    if layout.total:
        whole = _add_up("合计", table.cells, layout.total)
        lines += [[*left, *whole], [*left, NOTE], [*left, SIGNATURE]]
    return Lines(lines, places, heads)


def _add_up(label, cells, column):
    """A line with the sum of a column; an office adds up what Excel takes for numbers."""
    line = [label, *[None] * len(cells.columns)]
    numbers = pd.to_numeric(cells[column].astype(str).str.replace(",", ""), errors="coerce")
    line[cells.columns.get_loc(column) + 1] = float(numbers.sum())
    return line


def _as_rows(cells, left):
    """Lines of the rows: empty columns, the number in the list, the cells."""
    columns = [
        column.astype(object).where(column.notna(), None).tolist()
        for _, column in cells.items()
    ]
    numbers = range(1, len(cells) + 1)
    return list(
        map(list, zip(*[[None] * len(cells) for _ in left], numbers, *columns, strict=True))
    )


def write_csv(path, table: Table, layout: Layout, encoding) -> np.ndarray:
    """Write one table as csv; return the line (from 1) of each of its rows."""
    texts = {name: _as_texts(column) for name, column in table.cells.items()}
    lines = lay_out(replace(table, cells=pd.DataFrame(texts, dtype=object)), layout)
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file).writerows(lines.cells)
    return lines.places


def _as_texts(column):
    """Cells as Excel saves them; most columns are texts already."""
    if pd.api.types.infer_dtype(column, skipna=True) in ("string", "empty"):
        return column
    return column.map(_as_text, na_action="ignore")


def write_xlsx(path, tables: dict[str, Table], layout: Layout) -> dict[str, np.ndarray]:
    """Write tables as sheets of a workbook; return the line (from 1) of their rows."""
    places = {}
    # Merging downwards writes ahead, which a file that is written row by row does not allow.
    row_by_row = not any(table.merges for table in tables.values())
    with xlsxwriter.Workbook(str(path), {"constant_memory": row_by_row}) as book:
        book.set_properties({"created": MADE})
        day, centre = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format()
        centre.set_align("center")
        for name, table in tables.items():
            lines = lay_out(table, layout, name)
            sheet, places[name] = book.add_worksheet(name), lines.places
            hidden = lines.places[9::10] - 1 if layout.hidden else ()
            for number in hidden:
                sheet.set_row(number, None, None, {"hidden": True})
            heads = set(lines.heads)
            for number, line in enumerate(lines.cells):
                _write_line(sheet, number, line, day)
                if number in heads:
                    _merge(sheet, number, line, centre)
            for heading, first, last, cell in table.merges:
                at = layout.left + 1 + table.cells.columns.get_loc(heading)
                rows = lines.places[[first, last]] - 1
                sheet.merge_range(
                    rows[0], at, rows[1], at, "" if cell is None else cell, centre
                )
    return places


def _write_line(sheet, number, line, day):
    for column, cell in enumerate(line):
        if isinstance(cell, str):
            sheet.write_string(number, column, cell)
        elif isinstance(cell, datetime.datetime):
            sheet.write_datetime(number, column, cell, day)
        elif cell is not None:
            sheet.write_number(number, column, cell)


def _merge(sheet, number, line, centre):
    """Merge equal neighbours in a heading line: a heading over two columns."""
    for column in range(1, len(line)):
        if line[column] and line[column] == line[column - 1]:
            sheet.merge_range(number, column - 1, number, column, line[column], centre)


def _as_text(cell):
    if isinstance(cell, datetime.datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, float | np.floating):
        return f"{cell:.5E}" if cell > 1e15 else f"{cell:.10g}"
    return str(cell)
