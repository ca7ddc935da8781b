"""Files as offices lay them out: titles, units, merged headings, totals, encodings."""

import csv
import datetime

import numpy as np
import pandas as pd
import xlsxwriter

_MADE = datetime.datetime(2024, 12, 31)  # fixed: the same seed makes the same file
SIGNATURE = "填表人：　　　　审核：　　　　填表日期："


def lay_out(frame: pd.DataFrame, layout: dict) -> tuple[list, list, list]:
    """Arrange a table as lines of cells: above the rows, the rows, below them.

    Parameters
    ----------
    frame
        Columns are headings; ``A|B`` is heading A over two columns with B below it.
    layout
        ``title`` and ``unit`` (text above), ``top`` and ``left`` (empty lines and
        columns), ``spaced`` (line breaks and spaces inside headings), ``total``
        (heading whose sum stands in a line 合计 below, with a line for signatures).
    """
    left = [None] * layout.get("left", 0)
    headings = ["序号", *frame.columns]
    if layout.get("spaced"):
        headings = [h.replace("姓名", "姓 名").replace("日期", "\n日期") for h in headings]
    above = [[] for _ in range(layout.get("top", 0))]
    above += [[*left, layout[part]] for part in ("title", "unit") if layout.get(part)]
    above.append([*left, *[heading.partition("|")[0] for heading in headings]])
    if any("|" in heading for heading in headings):
        above.append([*left, *[heading.partition("|")[2] or None for heading in headings]])
    cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    rows = [[*left, number, *row] for number, row in enumerate(cells, 1)]
    below = []
    if layout.get("total"):
        numbers = pd.to_numeric(
            frame[layout["total"]].astype(str).str.replace(",", ""), errors="coerce"
        )
        line = [None] * len(headings)
        line[0], line[headings.index(layout["total"])] = "合计", float(numbers.sum())
        below = [[*left, "小计", *line[1:]], [*left, *line], [*left, SIGNATURE]]
    return above, rows, below


def write_csv(path, frame, layout, encoding) -> int:
    """Write one table as csv; return the line (from 1) of its first row."""
    above, rows, below = lay_out(frame, layout)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        for line in [*above, *rows, *below]:
            writer.writerow([_as_text(cell) for cell in line])
    return len(above) + 1


def write_xlsx(path, sheets: dict[str, pd.DataFrame], layout) -> dict[str, int]:
    """Write tables as sheets of a workbook; return the first row of each (from 1).

    Every tenth row of a sheet is hidden where ``layout["hidden"]``.
    """
    first = {}
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        book.set_properties({"created": _MADE})
        day, centre = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format()
        centre.set_align("center")
        for name, frame in sheets.items():
            above, rows, below = lay_out(frame, layout)
            sheet = book.add_worksheet(name)
            first[name] = len(above) + 1
            for number, line in enumerate([*above, *rows, *below]):
                inside = len(above) <= number < len(above) + len(rows)
                if layout.get("hidden") and inside and number % 10 == 0:
                    sheet.set_row(number, None, None, {"hidden": True})
                _write_line(sheet, number, line, day)
                if not inside:
                    _merge(sheet, number, line, centre)
    return first


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
    return cell
