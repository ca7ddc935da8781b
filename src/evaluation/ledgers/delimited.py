"""Read a csv file: its separator, its rows."""

import csv
import io
from collections import Counter
from collections.abc import Sequence

import pyarrow as pa
from pyarrow import csv as arrow_csv

from evaluation.errors import LedgerError
from evaluation.ledgers.sheets import MAX_CELLS, MAX_COLUMNS
from evaluation.ledgers.text_files import decode

_LONGEST_CELL = 2**20  # characters


class Lines(Sequence):
    """Rows of a csv file without quotation marks, each cut into cells when it is asked for.

    A ledger of 100,000 rows is a few million cells; as columns they are found at once.
    """

    def __init__(self, lines: list[str], separator: str):
        self._lines, self._separator = lines, separator

    def __len__(self):
        return len(self._lines)

    def __getitem__(self, place):
        if isinstance(place, slice):
            return [self._cut(line) for line in self._lines[place]]
        return self._cut(self._lines[place])

    def _cut(self, line):
        return line.split(self._separator) if line else []

    def columns(self, rows: Sequence[int]) -> list[pa.ChunkedArray]:
        """All columns of some rows, up to the last cell of the longest."""
        lines = [self._lines[row] for row in rows]
        breaks = [line.count(self._separator) for line in lines]
        most = max(breaks, default=0)
        if min(breaks, default=0) < most:
            lines = [
                line + self._separator * (most - found)
                for line, found in zip(lines, breaks, strict=True)
            ]
        names = [str(at) for at in range(most + 1)]
        if not any(lines):
            return []
        return arrow_csv.read_csv(
            pa.BufferReader("\n".join([*lines, ""]).encode("utf-8")),
            arrow_csv.ReadOptions(use_threads=False, block_size=2**24, column_names=names),
            arrow_csv.ParseOptions(
                delimiter=self._separator, quote_char=False, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(
                check_utf8=False, column_types=dict.fromkeys(names, pa.string())
            ),
        ).columns


def read_csv(data: bytes) -> Sequence[list]:
    """Read the rows of a csv file.

    Raises
    ------
    LedgerError
        If the encoding is unknown, quotation marks do not pair (rows would be swallowed by
        a cell), or a row is absurdly wide.
    """
    text = decode(data)
    head = text[:4096]
    separator = max(",\t;", key=head.count)
    # Without quotation marks a line is a row. (Arrow would drop a byte order mark.)
    if '"' not in text and "\ufeff" not in text:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = lines if lines[-1] else lines[:-1]
        if max(map(len, lines)) < _LONGEST_CELL:
            _check_width(len(lines), 1 + max(line.count(separator) for line in lines))
            return Lines(lines, separator)
    rows = _read_quoted(text, separator)
    _check_width(len(rows), max(map(len, rows), default=0))
    return rows


def _check_width(rows, columns):
    if columns > MAX_COLUMNS or rows * columns > MAX_CELLS:
        raise LedgerError(
            f"有一行多达 {columns:,} 列，表格范围异常，未打开：请检查后另存为 xlsx。"
        )


def _read_quoted(text, separator):
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    rows, ends = [], []
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
    except csv.Error:
        raise _unpaired(ends[-1] + 1 if ends else 1) from None
    width = Counter(map(len, rows)).most_common(1)[0][0] if rows else 0
    for place, row in enumerate(rows):
        for cell in row:
            # As many separators as a row has, and line breaks: rows inside a cell.
            if "\n" in cell and cell.count(separator) >= max(width - 1, 2):
                raise _unpaired(ends[place - 1] + 1 if place else 1)
    return rows


def _unpaired(line):
    return LedgerError(
        f"csv 从第 {line} 行起引号不成对，后面的行会并入一个单元格，未读入："
        "请更正引号，或用 Excel 打开核对后另存为 xlsx。"
    )
