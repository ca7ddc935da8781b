"""Single files: written whole or not at all, noted for the receipt, and their hashes."""

import hashlib
import os
import uuid
from functools import cache
from pathlib import Path

from evaluation.errors import TableError

# The batch sets it to a file in which each written path is noted, for the run's receipt.
WRITTEN_VARIABLE = "EVALUATION_WRITTEN"


def write_whole(path: Path, write) -> Path:
    """Write a file under a temporary name, then put it in place in one step.

    Parameters
    ----------
    path
        The final place; its folder is made.
    write
        Called with the temporary path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        write(draft)
        draft.replace(path)
        if note := os.environ.get(WRITTEN_VARIABLE):
            with Path(note).open("a", encoding="utf-8") as stream:
                stream.write(f"{path.resolve()}\n")
    except PermissionError:
        raise TableError(
            f"无法写入 {path.name}：文件可能正被 WPS 或 Excel 打开，请关闭后重试。"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return path


def file_hash(path: Path) -> str:
    """sha256 of a file; read again only if its size or time of change is another."""
    seen = Path(path).stat()
    return _file_hash(Path(path), seen.st_mtime_ns, seen.st_size)


@cache
def _file_hash(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
