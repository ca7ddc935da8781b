"""Read the sheets of a workbook; run as a program, of a workbook of the old format.

The old format (xls) cannot be checked beforehand, and a damaged file may abort its reader,
which nothing can catch. So it is read in a process of its own: bytes in, sheets out.
"""

import contextlib
import io
import os
import pickle
import subprocess
import sys
import time

from python_calamine import CalamineWorkbook, SheetVisibleEnum

from evaluation.errors import LedgerError

MAX_CELLS = 30_000_000  # of a workbook: beyond it reading would fill the memory
MAX_COLUMNS = 16_384  # as many as a sheet has
HAS_PASSWORD = "文件有密码保护，请另存为不加密的 xlsx 后再放入。"
_MOST_SHEETS = 5_000
_MEMORY = 4 << 30  # bytes of the process of its own, where the system can say so
_SECONDS = 300
_READ_NOTE = "EVALUATION_READ"  # what this process reads is not noted: see `evaluation.trace`


def read_sheets(data: bytes) -> list[tuple]:
    """Read all sheets: name, cells by row, merged ranges, whether it is hidden.

    Raises
    ------
    LedgerError
        If it is damaged, encrypted, has two sheets of one name or too many cells.
    """
    try:
        book = _open(data)
        names = book.sheet_names
        if len(set(names)) < len(names) or len(names) > _MOST_SHEETS:
            raise LedgerError("工作簿中有同名的工作表，或工作表多得异常，未打开。")
        sheets, cells, began = [], 0, time.monotonic()
        for name, about in zip(names, book.sheets_metadata, strict=True):
            sheet = book.get_sheet_by_name(name)
            cells += (sheet.total_height + 1) * (sheet.total_width + 1)
            late = time.monotonic() - began > _SECONDS
            if cells > MAX_CELLS or sheet.total_width >= MAX_COLUMNS or late:
                raise LedgerError("工作簿的表格范围大得异常，未打开：请删除远处的单元格。")
            merges = [(*first, *last) for first, last in sheet.merged_cell_ranges or ()]
            hidden = about.visible != SheetVisibleEnum.Visible
            sheets.append((name, sheet.to_python(skip_empty_area=False), merges, hidden))
        return sheets
    except (KeyboardInterrupt, SystemExit, LedgerError):
        raise
    except BaseException as problem:  # a panic of the reader is no Exception
        raise LedgerError(explain(str(problem))) from None


def _open(data):
    """Open a workbook; from a file in memory where there is such, since bytes are copied."""
    try:
        handle = os.memfd_create("workbook")
    except (AttributeError, OSError):  # only Linux has it
        return CalamineWorkbook.from_filelike(io.BytesIO(data))
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        return CalamineWorkbook.from_path(f"/proc/self/fd/{handle}")


def explain(message: str) -> str:
    """Say in words why a workbook could not be read."""
    if "password" in message.lower():
        return HAS_PASSWORD
    return "文件已损坏，无法读出，请用 Excel 或 WPS 打开后另存为 xlsx。"


def read_apart(data: bytes) -> list[tuple]:
    """Read all sheets as `read_sheets` does, in a process of its own.

    Raises
    ------
    LedgerError
        As `read_sheets`, or if that process dies or takes more than five minutes.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-m", __name__],
            input=data,
            capture_output=True,
            env={name: text for name, text in os.environ.items() if name != _READ_NOTE},
            timeout=_SECONDS,
            check=True,
        )
        found = pickle.loads(child.stdout)
    except subprocess.CalledProcessError as problem:
        raise LedgerError(explain(problem.stderr.decode("utf-8", "replace"))) from None
    except (subprocess.TimeoutExpired, pickle.UnpicklingError, EOFError):
        raise LedgerError(explain("")) from None
    if isinstance(found, str):
        raise LedgerError(found)
    return found


def _main():
    with contextlib.suppress(ImportError, OSError, ValueError):  # there is none on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    try:
        found = read_sheets(sys.stdin.buffer.read())
    except LedgerError as problem:
        found = problem.message
    sys.stdout.buffer.write(pickle.dumps(found))


if __name__ == "__main__":
    _main()
