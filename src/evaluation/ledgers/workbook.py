"""Open an xlsx, xls or csv file safely: sheets as grids of cells that keep their row."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.errors import LedgerError
from evaluation.ledgers.delimited import read_csv
from evaluation.ledgers.package import MAX_UNPACKED, unpack
from evaluation.ledgers.sheets import HAS_PASSWORD, read_apart, read_sheets
from evaluation.paths import LEDGER_ENDINGS, NOT_A_LEDGER

_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# The first record of a workbook, and right after it the one that says how it is encrypted.
_PROTECTED = re.compile(rb"\x09\x08(?:\x10\0.{16}|\x08\0.{8})(?:\x86\0\0\0)?\x2f\0", re.DOTALL)
_NO_FILE = "这不是文件（是文件夹或失效的快捷方式？），请放入文件本身。"
_FOREIGN = {".xlsb", ".ods", ".et", ".ett", ".xlt", ".xltx", ".numbers", ".tsv", ".dbf", ".mdb"}
_PACKED = {".zip", ".rar", ".7z"}
_MACROS = "文件带有宏：只读取单元格的内容，宏没有运行。"


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
    merges
        Merged ranges: first row, first column, last row, last column, from 0.
    hidden
        Whether the sheet is hidden.
    notes
        What is to be said about the file; on its first sheet.
    """

    file: str
    sheet: str
    rows: Sequence[list]
    merges: Sequence[tuple[int, int, int, int]] = ()
    hidden: bool = False
    notes: tuple[str, ...] = ()


def read_grids(path: Path, folder: Path) -> list[Grid]:
    """Read all sheets of one file, hidden ones as well.

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
        sheets, notes = _read(_read_bytes(path), path.suffix.lower())
    except LedgerError as problem:
        raise LedgerError(problem.message, file=name) from None
    grids = [Grid(name, *sheet) for sheet in sheets if any(map(_is_filled, sheet[1]))]
    if not grids:
        raise LedgerError("工作簿中没有任何内容，请重新导出。", file=name)
    return [replace(grids[0], notes=notes), *grids[1:]]


def list_unread(folder: Path) -> list[tuple[str, str, str, str]]:
    """Problems with what lies among the ledgers and is never opened, though somebody meant it.

    Spreadsheets of other programs, packed folders, and what is named as a workbook and is
    no file: a folder, a link that leads nowhere.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        name, ending = path.relative_to(folder).as_posix(), path.suffix.lower()
        if path.name.startswith(NOT_A_LEDGER):
            continue
        if path.is_symlink() and path.is_dir():
            words = "这是文件夹的快捷方式，其中的文件没有读取：请放入文件夹本身。"
            found.append((name, "", "error", words))
        elif ending in LEDGER_ENDINGS and not path.is_file():
            found.append((name, "", "error", _NO_FILE))
        elif ending in _PACKED and path.is_file():
            found.append((name, "", "error", "压缩包不读取：请解压后放入其中的工作簿。"))
        elif ending in _FOREIGN and path.is_file():
            words = f"不读取 {ending[1:]} 文件：请用 Excel 或 WPS 打开后另存为 xlsx。"
            found.append((name, "", "error", words))
    return found


def _is_filled(row):
    return any(cell is not None and cell != "" for cell in row)


def _read_bytes(path):
    try:
        if not path.is_file():
            raise LedgerError(_NO_FILE)
        if path.stat().st_size > MAX_UNPACKED:
            raise LedgerError("文件超过 500 MB，未打开：请分成几个文件。")
        data = path.read_bytes()
    except OSError:
        raise LedgerError(
            "无法打开文件：可能正被 WPS 或 Excel 占用（请关闭后重试），或没有读取权限。"
        ) from None
    if not data.strip():
        raise LedgerError("文件是空的（0 字节或只有空格），请重新导出。")
    return data


def _read(data: bytes, ending: str) -> tuple[list[tuple], tuple[str, ...]]:
    if data.startswith(b"PK"):
        package, macros = unpack(data)
        return read_sheets(package), (_MACROS,) if macros else ()
    if data.startswith(_OLD_EXCEL):
        if "EncryptedPackage".encode("utf-16-le") in data or _PROTECTED.search(data):
            raise LedgerError(HAS_PASSWORD)
        return read_apart(data), ()
    head = data[:4096].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if b"urn:schemas-microsoft-com:office:spreadsheet" in head:
        raise LedgerError("文件是“XML 表格 2003”格式，请用 Excel 或 WPS 打开后另存为 xlsx。")
    if head.startswith((b"<html", b"<!doctype", b"<table", b"<?xml", b"<meta", b"<head")):
        raise LedgerError("文件实为网页，不是工作簿：请用 Excel 或 WPS 打开后另存为 xlsx。")
    if ending != ".csv":
        raise LedgerError("文件已损坏或不是工作簿，请用 Excel 或 WPS 打开后另存为 xlsx。")
    return [("", read_csv(data))], ()
