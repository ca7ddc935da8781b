"""Single files: written whole or not at all, noted for the receipt, and their hashes."""

import hashlib
import os
import re
import uuid
from functools import cache
from pathlib import Path

from evaluation.errors import TableError

# The batch sets it to a file in which each draft is noted beside its final place. The
# drafts of a notebook are put in place together, once it has come to its end.
WRITTEN_VARIABLE = "EVALUATION_WRITTEN"


def write_whole(path: Path, write) -> Path:
    """Write a file under a temporary name, then put it in place in one step.

    Inside a batch the last step is left to the batch: a notebook that fails half way
    changes nothing.

    Parameters
    ----------
    path
        The final place; its folder is made.
    write
        Called with the temporary path.

    Raises
    ------
    TableError
        If the file is held open by another program.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    try:
        write(draft)
        with draft.open("r+b") as stream:
            os.fsync(stream.fileno())  # on the disk before its name is
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if note := os.environ.get(WRITTEN_VARIABLE):
        with Path(note).open("a", encoding="utf-8") as stream:
            stream.write(f"{draft.resolve()}\t{path.resolve()}\n")
    else:
        put_in_place([(draft, path)])
    return path


def list_drafts(note: Path) -> list[tuple[Path, Path]]:
    """Drafts noted during a run with their final places, in the order of writing."""
    if not note.is_file():
        return []
    lines = note.read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("\t") for line in lines]
    return [(Path(draft), Path(place)) for draft, _, place in pairs]


def put_in_place(drafts: list[tuple[Path, Path]]) -> None:
    """Give drafts their final names in order; what cannot be placed is removed.

    Raises
    ------
    TableError
        If a file is held open by another program.
    """
    try:
        for draft, place in drafts:
            draft.replace(place)
    except PermissionError:
        raise TableError(
            f"无法写入 {place.name}：文件可能正被 WPS 或 Excel 打开，请关闭后重试。"
        ) from None
    finally:
        for draft, _ in drafts:
            draft.unlink(missing_ok=True)


def remove_stale_drafts(*folders: Path) -> None:
    """Remove drafts that a killed process left behind."""
    for folder in folders:
        for path in folder.rglob(".*"):
            if re.fullmatch(r"\.[0-9a-f]{32}(\.\w+)?", path.name) and path.is_file():
                path.unlink(missing_ok=True)


def file_hash(path: Path) -> str:
    """sha256 of a file; read again only if its size or time of change is another."""
    seen = Path(path).stat()
    return _file_hash(Path(path), seen.st_mtime_ns, seen.st_size)


@cache
def _file_hash(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
