"""Tables between stages: their keys, their schema, and the one door to ``outputs/``."""

from pathlib import Path

import pandas as pd

from evaluation.errors import TableError
from evaluation.files import write_whole
from evaluation.paths import Folders
from evaluation.plan import load_plan

SCHEMA_VERSION = "1"
_CODES = ("township", "result_id", "suppressed")  # digits that are names, not numbers


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


def write_table(
    frame: pd.DataFrame, path: Path, *, key: list[str], stamp: str | None = None
) -> Path:
    """Write a table of persons under ``data/`` as parquet.

    Parameters
    ----------
    frame
        Any table; its index is dropped.
    path
        Ends in ``.parquet``.
    key
        Columns that identify a row; checked before anything is written.
    stamp
        What the table was made by; whoever reads it finds it in ``attrs``.

    Raises
    ------
    TableError
        If the key is broken or the file is held open by another program.
    """
    check_key(frame, key, Path(path).stem)
    stamped = frame.reset_index(drop=True)
    stamped.attrs = {"schema": SCHEMA_VERSION, "key": list(key)}
    stamped.attrs |= {"stamp": stamp} if stamp else {}
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
    # Column by column: columns of one type put together would be a second copy of them.
    frame = pd.read_parquet(path, to_pandas_kwargs={"split_blocks": True})
    if frame.attrs.get("schema") != SCHEMA_VERSION:
        raise TableError(f"表 {path.name} 由其他版本的程序写成，请重新运行前面的笔记本。")
    return frame


def publish_table(
    frame: pd.DataFrame,
    name: str,
    folders: Folders,
    year: int,
    *,
    key: list[str],
    counts: list[str] | tuple[str, ...] = (),
    by: list[str] | tuple[str, ...] = (),
    exempt: bool = False,
    rates: dict[str, tuple[str, str]] | None = None,
    amounts: dict[str, tuple[pd.Series, tuple[str, ...]]] | None = None,
    part_of: pd.Series | None = None,
) -> Path:
    """Write a table under ``outputs/``: the one door, with disclosure control.

    Estimates, paths, curves by month and the table of traits are known by their columns
    and controlled by rules of their own, whatever `counts` says (`findings.models`,
    `findings.levels`). A column that counts persons, is an amount or an extreme value and
    is not declared here is refused.

    Parameters
    ----------
    frame
        Any table without a person's row; its index is dropped.
    name
        File name without ending, as in ``estimates_loan``.
    year
        The edition.
    key
        Columns that identify a row.
    counts
        Columns that count persons: small ones are suppressed, the others rounded, all as
        `findings.suppression.suppress_counts` says.
    by
        Columns of a breakdown, the last one being that whose cells add up to a total
        (``["policy", "township"]``); a row where it says ``all`` is that total.
    exempt
        For totals that are published already: nothing is suppressed or rounded.
    rates
        Rate column to (numerator, denominator) among `counts`, computed anew from the
        rounded counts.
    amounts
        Column of a mean amount to (yuan of each person, indexed by the key of its row;
        columns in proportion to the mean). See `findings.dominance`.
    part_of
        By row, the exact count told elsewhere that its count is a part of, else missing.

    Returns
    -------
    pathlib.Path
        ``outputs/<year>/<name>.csv``, UTF-8 with BOM so that Excel and WPS read it; the
        same bytes for the same input and the same frozen editions.

    Raises
    ------
    TableError
        If the key is broken or the file is held open by another program.
    DisclosureError
        If a column is not declared, if no choice of cells protects the small ones, or if
        a cell holds a resident number, a phone or a path of the machine.
    """
    # Whoever publishes nothing needs no rules.
    from evaluation.findings import disclosure
    from evaluation.findings.editions import GROWING, place_true, recall_published

    check_key(frame, key, name)
    frame = frame.reset_index(drop=True)
    flags = list(frame.select_dtypes("bool"))
    true = frame = frame.astype(dict.fromkeys(flags, "int8"))
    if not exempt:
        shape = {"key": key, "counts": counts, "by": by, "rates": rates}
        told = {"recalled": recall_published(name, folders, year), "part_of": part_of}
        rules = load_plan(folders.reference)["disclosure"]
        frame = disclosure.control_table(frame, name, rules, amounts=amounts, **shape, **told)
    text = frame.to_csv(index=False, float_format="%.12g", lineterminator="\r\n")
    disclosure.refuse_disclosure(text, f"{name}.csv", (str(folders.root), str(folders.data)))
    path = folders.edition(year) / f"{name}.csv"
    data = text.encode("utf-8-sig")
    if name in GROWING:
        write_table(true, place_true(folders, data), key=key)
    return write_whole(path, lambda draft: draft.write_bytes(data))


def read_published(
    name: str, folders: Folders, year: int, *, frozen: bool = False, required: bool = True
) -> pd.DataFrame:
    """Read a table of an edition back; suppressed cells are NaN.

    Parameters
    ----------
    name, year
        As in `publish_table`.
    frozen
        Read the published (frozen) edition instead of the rerun one.
    required
        If not, a missing table comes back as an empty frame.

    Raises
    ------
    TableError
        If a required table is missing; says which notebooks write tables.
    """
    folder = folders.published(year) if frozen else folders.edition(year)
    path = folder / f"{name}.csv"
    if not path.is_file():
        if not required:
            return pd.DataFrame()
        raise TableError(f"缺少 {year} 年版的表 {path.name}：请先运行前面的笔记本（2 至 7）。")
    return read_csv(path)


def read_csv(path: Path) -> pd.DataFrame:
    """Read a published table from where it lies; codes are text."""
    dtypes = dict.fromkeys(_CODES, "str")
    dtypes |= {"value": "str"} if path.stem == "provenance" else {}
    return pd.read_csv(path, encoding="utf-8-sig", dtype=dtypes)
