"""Open an xlsx, xls or csv file safely: sheets as grids of cells that keep their row."""

import csv
import io
import pickle
import re
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv
from python_calamine import CalamineWorkbook

from evaluation.errors import LedgerError

MAX_UNPACKED = 500 * 2**20  # bytes
MAX_RATIO = 100
MAX_CELLS = 30_000_000  # a claimed area beyond which calamine would fill the memory
_LONGEST_CELL = 2**20  # characters of a csv file's cell
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# A column after Z or a row from 10,000 on: only then can the area be too large.
_FAR = re.compile(rb"r=[\"'](?:[A-Z]{2}|[A-Z]?\d{5})")
_SECONDS = 300
# Read in a child process: a damaged file may abort calamine, which nothing can catch.
_CHILD = """
import io, pickle, sys
try:
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
except Exception:
    pass
from python_calamine import CalamineWorkbook
book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
sheets = [(n, book.get_sheet_by_name(n).to_python(skip_empty_area=False))
          for n in book.sheet_names]
sys.stdout.buffer.write(pickle.dumps(sheets))
"""


@dataclass(frozen=True)
class Grid:
    """One sheet as received.

    Attributes
    ----------
    file
        Path relative to the folder of the ledgers, with ``/``.
    sheet
        Name of the sheet, empty for csv.
    rows
        Cells by row; row ``i`` of the list is row ``i + 1`` of the file. Hidden rows
        are rows like others. A list, or `Lines` of a csv file.
    """

    file: str
    sheet: str
    rows: Sequence[list]


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


def read_grids(path: Path, folder: Path) -> list[Grid]:
    """Read all sheets of one file.

    Parameters
    ----------
    path
        An xlsx, xlsm, xls or csv file; the content decides, not the ending.
    folder
        The folder of the ledgers, for the relative name.

    Raises
    ------
    LedgerError
        If the file is empty, damaged, encrypted, no workbook, or would unpack to
        more than 500 MB, more than 100 times its size or an absurd area.
    """
    name = path.relative_to(folder).as_posix()
    try:
        data = path.read_bytes()
    except OSError:
        raise LedgerError(
            "无法打开文件：可能正被 WPS 或 Excel 占用，请关闭后重试。", file=name
        ) from None
    if not data.strip():
        raise LedgerError("文件是空的（0 字节或只有空格），请重新导出。", file=name)
    try:
        sheets = _read(data, path.suffix.lower())
    except LedgerError as problem:
        raise LedgerError(problem.message, file=name) from None
    if not any(any(_is_filled(cell) for cell in row) for _, rows in sheets for row in rows):
        raise LedgerError("工作簿中没有任何内容，请重新导出。", file=name)
    return [Grid(name, sheet, rows) for sheet, rows in sheets if rows]


def _is_filled(cell):
    return cell is not None and cell != ""


def _read(data: bytes, ending: str):
    if data.startswith(b"PK"):
        check_package(data)
        return _read_calamine(data)
    if data.startswith(_OLD_EXCEL):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise LedgerError("文件有密码保护，请另存为不加密的 xlsx 后再放入。")
        return _read_child(data)
    head = data[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta")):
        raise LedgerError("文件实为网页，不是工作簿：请用 Excel 或 WPS 打开后另存为 xlsx。")
    if ending != ".csv":
        raise LedgerError("文件已损坏或不是工作簿，请用 Excel 或 WPS 打开后另存为 xlsx。")
    return [("", _read_csv(data))]


def check_package(data: bytes) -> None:
    """Refuse a package that would fill the memory, before anything opens it.

    The directory gives the sizes; the references of the cells give the area, since
    calamine lays out everything between the first and the last cell, and a workbook of
    5 KB whose one cell is XFD1048576 aborts the process.

    Raises
    ------
    LedgerError
        Says which limit is passed, or that the package is damaged or no workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
            unpacked = sum(part.file_size for part in parts)
            packed = max(sum(part.compress_size for part in parts), 1)
            if unpacked > MAX_UNPACKED:
                raise LedgerError(f"解压后有 {unpacked >> 20} MB，超过上限 500 MB，未打开。")
            if unpacked / packed > MAX_RATIO and unpacked > 2**20:
                raise LedgerError(
                    f"压缩比 {unpacked / packed:.0f} 倍，超过上限 {MAX_RATIO} 倍，未打开。"
                )
            names = package.namelist()
            if "[Content_Types].xml" not in names or "xl/workbook.bin" in names:
                raise LedgerError("不是 xlsx 工作簿（压缩包或 xlsb？），请另存为 xlsx。")
            for part in parts:
                if part.filename.lower().endswith(".xml"):
                    xml = package.read(part)
                    if b"sheetData" in xml:
                        _check_area(xml)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError):
        raise LedgerError("文件已损坏（不完整的工作簿），请重新导出。") from None


def _check_area(xml: bytes) -> None:
    """Refuse a sheet by its highest row and column; one pass per number of digits."""
    if not _FAR.search(xml):
        return
    names = set(re.findall(rb"r=[\"']([A-Z]{2,3})\d", xml))
    columns = max(map(_column_number, names), default=26)
    rows = next(
        (
            max(map(int, found))
            for digits in (7, 6, 5, 4)
            if (found := set(re.findall(rb"r=[\"'][A-Z]*(\d{%d,})[\"']" % digits, xml)))
        ),
        1_000,
    )
    if rows * columns > MAX_CELLS:
        raise LedgerError(
            f"有单元格远在第 {rows} 行、第 {columns} 列，表格范围异常，未打开："
            "请删除远处的空白单元格（或把内容复制到新工作簿）后再放入。"
        )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _read_calamine(data: bytes):
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        return [
            (name, book.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in book.sheet_names
        ]
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as problem:  # a panic in calamine is no Exception
        raise LedgerError(_explain(str(problem))) from None


def _read_child(data: bytes):
    try:
        child = subprocess.run(
            [sys.executable, "-c", _CHILD],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            check=True,
        )
        return pickle.loads(child.stdout)
    except subprocess.CalledProcessError as problem:
        raise LedgerError(_explain(problem.stderr.decode("utf-8", "replace"))) from None
    except (subprocess.TimeoutExpired, pickle.UnpicklingError, EOFError):
        raise LedgerError("文件已损坏，无法读出，请另存为 xlsx。") from None


def _explain(message: str) -> str:
    if "password" in message.lower():
        return "文件有密码保护，请另存为不加密的 xlsx 后再放入。"
    return "文件已损坏，无法读出，请用 Excel 或 WPS 打开后另存为 xlsx。"


def decode(data: bytes) -> str:
    """Decode text: byte order mark, then UTF-8 strict, then GB18030 strict.

    Detection libraries are no help: they take short files in GB18030 for Korean.

    Raises
    ------
    LedgerError
        If it is neither.
    """
    marks = {
        b"\xef\xbb\xbf": "utf-8-sig",
        b"\xff\xfe": "utf-16",
        b"\xfe\xff": "utf-16",
    }
    order = [code for mark, code in marks.items() if data.startswith(mark)]
    for encoding in order or ["utf-8", "gb18030"]:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise LedgerError("文字编码既不是 UTF-8 也不是 GB18030，请另存为“CSV UTF-8”或 xlsx。")


def _read_csv(data: bytes) -> Sequence[list]:
    text = decode(data)
    head = text[:4096]
    separator = max(",\t;", key=head.count)
    # Without quotation marks a line is a row. (Arrow would drop a byte order mark.)
    if '"' not in text and "\ufeff" not in text:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        lines = lines if lines[-1] else lines[:-1]
        if max(map(len, lines)) < _LONGEST_CELL:
            return Lines(lines, separator)
    csv.field_size_limit(_LONGEST_CELL)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error:
        raise LedgerError("csv 的格式有误（引号不成对？），请另存为 xlsx。") from None
