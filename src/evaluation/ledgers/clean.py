"""A folder of ledgers to clean tables: every file read, every row and yuan accounted for."""

import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from evaluation.errors import LedgerError
from evaluation.ledgers import identity, matching, versions
from evaluation.ledgers.clean_tables import ACCOUNTING
from evaluation.ledgers.cleaners import clean_raw
from evaluation.ledgers.conflicts import check_persons
from evaluation.ledgers.corrections import REFUSED, describe_outcomes, read_corrections
from evaluation.ledgers.cumulative import mark_current
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.linking import hash_persons
from evaluation.ledgers.places import name_townships
from evaluation.ledgers.programmes import check_histories
from evaluation.ledgers.raw import read_parts, stack_parts, uncollected
from evaluation.ledgers.reference import load_reference
from evaluation.ledgers.rules import collect_notes
from evaluation.ledgers.schema import shape
from evaluation.ledgers.workbook import list_unread
from evaluation.paths import is_demonstration, list_ledgers

REQUIRED = ("roster", "register")


@dataclass(frozen=True)
class CleanedLedgers:
    """Everything that cleaning a folder gives.

    Attributes
    ----------
    tables
        The five clean tables by ledger; one without rows has its columns as well.
    accounting
        One row per file, sheet and ledger: ``received``, ``reporter``, ``rows_read``,
        ``rows_kept``, ``rows_skipped`` (totals, signatures, notes: not rows), ``amount_read``,
        ``amount_kept``, ``amount_repeated`` (yuan; the last of rows that only repeat
        another one).
    issues
        One row per thing wrong; columns as in `rules.COLUMNS`, and ``current``: whether it
        stands in a delivery that no later one replaces.
    problems
        What could not be read or was not understood: ``file, sheet, level`` (``error``:
        not loaded, ``note``), ``message``.
    private_hashes
        Keyed hashes of all numbers, names and phones: ``kind, hash``.
    corrections
        What became of each correction: columns as in `corrections.LOG`.
    """

    tables: dict[str, pd.DataFrame]
    accounting: pd.DataFrame
    issues: pd.DataFrame
    problems: pd.DataFrame
    private_hashes: pd.DataFrame
    corrections: pd.DataFrame


def clean_folder(
    ledgers: Path,
    reference: Path,
    key: bytes,
    progress: Callable[[str, int, int], None] | None = None,
    required: tuple[str, ...] = REQUIRED,
) -> CleanedLedgers:
    """Read, check and pseudonymise all ledgers below a folder, row by row.

    A file that cannot be read is a problem in words, and the others still load.
    Rows read are rows kept and rows set aside, per file and sheet, amounts too; that is
    checked on every run. Repeated deliveries of a cumulative ledger all stay.

    Parameters
    ----------
    ledgers
        A folder of workbooks and csv files, flat or with a folder per year received.
    reference
        The folder ``data/reference``.
    key
        As returned by `identity.load_key`.
    progress
        Called with each file's name, its position and the number of files, in their order.
    required
        Ledgers without which nothing can be done; if any are, the absence of the others
        is a problem to be told.

    Raises
    ------
    LedgerError
        If a required ledger is left without rows; says what was found instead.
    """
    known, ledgers = load_reference(Path(reference), key), Path(ledgers)
    files = list_ledgers(ledgers) if ledgers.is_dir() else []
    parts, problems = [], []
    # While one workbook is unpacked outside of Python, the other's cells are gone through.
    with uncollected(), ThreadPoolExecutor(2) as pool:
        reads = pool.map(lambda path: read_parts(path, ledgers, known.aliases), files)
        for position, path in enumerate(files):
            if progress:
                progress(path.name, position, len(files))
            read, said = next(reads)
            parts += read
            problems += said
    problems += list_unread(ledgers)
    asked, said = read_corrections(ledgers)
    frames = {ledger: [shape({}, ledger, 0)] for ledger in LEDGERS}
    accounts, notes, prints = [], [], {ledger: [] for ledger in LEDGERS}
    for raw in stack_parts(parts):
        matching.find_targets(asked, raw, known.pseudonyms)
        raw = versions.apply_corrections(raw, asked)
        table, account, issues = clean_raw(raw, known, asked)
        frames[raw.ledger].append(table)
        prints[raw.ledger].append(table.pop("print"))
        accounts.append(account)
        notes.append(issues)
        del raw, table, issues
    hashes = hash_persons(parts, known.pseudonyms, asked)
    headings = _list_headings(parts)
    # What was typed is let go of, and each ledger's frames as they are put together.
    del parts
    tables = {ledger: _in_order(frames.pop(ledger)) for ledger in LEDGERS}
    for found in _check_across(tables, headings, known):
        rows = _in_order(prints[found["ledger"].iloc[0]]).loc[found.index]
        code = [f"-{code}" for code in matching.row_codes(rows, known.pseudonyms)]
        notes.append(found.assign(code=code))
    issues = versions.drop_confirmed(collect_notes(notes), asked)
    issues = name_townships(issues, tables["roster"], known.places)
    issues = mark_current(issues, tables)
    problems += [*said, *_describe_refusals(asked)]
    problems += [
        ("", "", "error" if ledger in required else "note", f"没有“{name}”的任何数据。")
        for ledger, name in LEDGERS.items()
        if required and tables[ledger].empty
    ]
    columns = ["file", "sheet", "level", "message"]
    problems = pd.DataFrame(problems, columns=columns, dtype="str")
    _require_rows(tables, problems, required)
    accounting = _in_order(accounts) if accounts else pd.DataFrame(columns=list(ACCOUNTING))
    outcomes = describe_outcomes(asked)
    return CleanedLedgers(tables, accounting, issues, problems, hashes, outcomes)


def _list_headings(parts):
    """Headings as typed by file, sheet, ledger and column."""
    return {
        (sheet.file, sheet.name, part.ledger, column): heading
        for part in parts
        for sheet in part.sheets
        for column, heading in sheet.headings.items()
    }


def _check_across(tables, headings, known):
    """Issues that only other rows bring to light."""
    found = check_histories(tables, known.rules, headings) + check_persons(tables, headings)
    return [issues for issues in found if len(issues)]


def _describe_refusals(corrections):
    for one in corrections:
        if one.state == REFUSED:
            words = (
                f"第{one.line}行（更正 {one.file} 第{one.row}行“{one.column}”）：{one.reason}。"
            )
            yield one.workbook, one.tab, "error", words


def _in_order(frames):
    """Frames below each other in the order in which their sheets, the index, were read."""
    frames = [frame for frame in frames if len(frame)] or frames[:1]
    whole = pd.concat(frames) if len(frames) > 1 else frames[0]
    if not whole.index.is_monotonic_increasing:
        whole = whole.sort_index(kind="stable")
    return whole.reset_index(drop=True)


def check_folder(
    ledgers: Path,
    reference: Path,
    progress: Callable[[str, int, int], None] | None = None,
    key_file: Path | None = None,
) -> CleanedLedgers:
    """Clean a folder only to see what is wrong; nothing is kept, any ledgers may be absent.

    Parameters
    ----------
    key_file
        The project's key, where it was made: by it alone the codes of corrections are
        understood. Without it a key for the moment serves.
    """
    if is_demonstration(Path(ledgers)):
        key = identity.DEMONSTRATION_KEY
    elif key_file and key_file.is_file():
        key = identity.load_key(key_file)
    else:
        key = secrets.token_bytes(identity.KEY_BYTES)
    return clean_folder(ledgers, reference, key, progress, required=())


def _require_rows(tables, problems, required):
    missing = [LEDGERS[ledger] for ledger in required if tables[ledger].empty]
    if not missing:
        return
    lines = [f"“{'”“'.join(missing)}”没有一行可用的数据，无法继续。"]
    said = problems[problems["file"] != ""]
    errors = said[said["level"] == "error"]
    for row in (said if errors.empty else errors).itertuples():
        sheet = f"，工作表“{row.sheet}”" if row.sheet else ""
        lines.append(f"  {row.file}{sheet}：{row.message}")
    if said.empty:
        lines.append("  没有找到相应的 xlsx、xls 或 csv 文件：请放入台账文件夹后重试。")
    raise LedgerError("\n".join(lines))
