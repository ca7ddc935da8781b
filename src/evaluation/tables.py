"""Tables between stages: their keys, their schema, and the one door to ``outputs/``."""

import os
import uuid
from pathlib import Path

import pandas as pd

from evaluation.errors import TableError

SCHEMA_VERSION = "1"


def check_key(frame: pd.DataFrame, key: list[str], name: str) -> None:
    """Refuse a table whose key is missing, empty or repeated.

    Raises
    ------
    TableError
        Names the table, the key and how many rows offend (never their values).
    """
    absent = [column for column in key if column not in frame]
    if absent:
        raise TableError(f"表 {name} 缺少主键列 {absent}。")
    empty = int(frame[key].isna().any(axis=1).sum())
    repeated = int(frame.duplicated(key).sum())
    if empty or repeated:
        raise TableError(f"表 {name} 的主键 {key} 有 {empty} 行为空、{repeated} 行重复。")


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
        os.replace(draft, path)
    except PermissionError:
        raise TableError(
            f"无法写入 {path.name}：文件可能正被 WPS 或 Excel 打开，请关闭后重试。"
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return path


def write_table(frame: pd.DataFrame, path: Path, *, key: list[str]) -> Path:
    """Write a table of persons under ``data/`` as parquet.

    Parameters
    ----------
    frame
        Any table; its index is dropped.
    path
        Ends in ``.parquet``.
    key
        Columns that identify a row; checked before anything is written.

    Raises
    ------
    TableError
        If the key is broken or the file is held open by another program.
    """
    check_key(frame, key, Path(path).stem)
    stamped = frame.reset_index(drop=True)
    stamped.attrs = {"schema": SCHEMA_VERSION, "key": list(key)}
    return write_whole(path, lambda draft: stamped.to_parquet(draft, index=False))


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that an earlier stage wrote.

    Raises
    ------
    TableError
        If it is missing (says which notebook writes it) or of another schema.
    """
    path = Path(path)
    if not path.is_file():
        writer = "1_ledgers" if path.parent.name == "clean" else "2_panel 或 4_effect"
        raise TableError(f"缺少表 {path.name}：请先运行笔记本 {writer}。")
    frame = pd.read_parquet(path)
    if frame.attrs.get("schema") != SCHEMA_VERSION:
        raise TableError(f"表 {path.name} 由其他版本的程序写成，请重新运行前面的笔记本。")
    return frame
