"""Text files as Excel or an editor saved them: their encoding, and the reference tables."""

import io
from pathlib import Path

import pandas as pd

from evaluation.errors import LedgerError


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


def open_text(path: Path) -> io.StringIO:
    """Open a text file, however it is encoded.

    Raises
    ------
    LedgerError
        Names the file, if its encoding is unknown.
    """
    try:
        return io.StringIO(decode(path.read_bytes()))
    except LedgerError as problem:
        raise LedgerError(problem.message, file=path.name) from None


def read_reference(path: Path) -> pd.DataFrame:
    """Read a reference table of texts; blank cells are empty texts."""
    return pd.read_csv(open_text(path), dtype=str).fillna("")
