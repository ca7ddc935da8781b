"""Find the cells that corrections are about.

A cell is known by file, sheet, row and column and by a code, keyed hashes of the old cell
and of its row, so that a correction survives a ledger's being sorted anew and never meets
another person.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evaluation.ledgers import values
from evaluation.ledgers.corrections import ALREADY, Correction
from evaluation.ledgers.headings import normalise
from evaluation.ledgers.identity import Pseudonymiser


def row_codes(prints: Iterable, pseudonyms: Pseudonymiser) -> np.ndarray:
    """Keyed hash of rows by their fingerprint (see `Raw.prints`)."""
    return pseudonyms.find([f"{int(p):016x}" for p in prints], "row", 12)


def cell_codes(column: str, texts: Iterable[str], pseudonyms: Pseudonymiser) -> list[str]:
    """Keyed hash of cells as typed; nothing for a blank one, which is like any other."""
    texts = [f"{column}:{text}" if text else None for text in texts]
    return [code or "" for code in pseudonyms.find(texts, "cell", 8)]


def find_codes(issues: pd.DataFrame, raw, pseudonyms: Pseudonymiser) -> list[str]:
    """Codes by which corrections of these issues will find their cells; see `find_targets`.

    Parameters
    ----------
    issues
        As returned by `rules.settle`: ``field`` and ``position`` of each.
    """
    at = issues["position"].to_numpy(dtype=int)
    rows = row_codes(raw.prints[at], pseudonyms)
    cells = np.full(len(issues), "", dtype=object)
    for column, found in issues.groupby("field").indices.items():
        if (typed := raw.columns.get(column)) is not None:
            used, place = np.unique(typed.codes[at[found]], return_inverse=True)
            codes, filled = np.full(len(used), "", dtype=object), used >= 0
            codes[filled] = cell_codes(column, typed.categories[used[filled]], pseudonyms)
            cells[found] = codes[place]
    return [f"{cell}-{row}" for cell, row in zip(cells, rows, strict=True)]


def find_targets(corrections: list[Correction], raw, pseudonyms: Pseudonymiser) -> None:
    """Find the rows of each correction, or say why there is none.

    The row at its place counts if the codes agree. If the file was sorted anew, the row
    with the same content is taken; it must be the only one. If only other cells of the row
    were changed since, the old cell's own code decides, which a blank cell has not. The
    same row in other files of the ledger (a cumulative ledger repeats its mistakes) is
    corrected with it.

    Parameters
    ----------
    corrections
        Those whose file is among the files of `raw` get ``ledger``, ``column`` (of the
        ledger), ``targets`` (positions of rows) and a state.
    raw
        Rows of one ledger as typed.
    """
    files = [sheet.file for sheet in raw.sheets]
    for correction in corrections:
        sheets = [at for at, file in enumerate(files) if file == correction.file]
        if not sheets or correction.targets:
            continue
        column = _find_column(correction, raw, sheets)
        if column is None:
            if not correction.ledger:
                correction.refuse("这个文件里没有这一列，未采用")
            continue
        correction.ledger = raw.ledger
        at = _find_row(correction, raw, sheets, column, pseudonyms)
        if at is None:
            continue
        correction.targets = [at, *_find_copies(raw, at)]
        correction.copies = len(correction.targets) - 1
        correction.field = column


def _find_column(correction, raw, sheets):
    named = [at for at in sheets if raw.sheets[at].name == correction.sheet] or sheets
    wanted = normalise(correction.column)
    for at in named:
        for column, heading in raw.sheets[at].headings.items():
            if wanted in (normalise(heading), normalise(column)) and column in raw.columns:
                return column
    return None


def _find_row(correction, raw, sheets, column, pseudonyms):
    named = [at for at in sheets if raw.sheets[at].name == correction.sheet]
    here = np.flatnonzero((raw.rows == correction.row) & np.isin(raw.sheet_of, named))
    cell, _, row = correction.code.partition("-")
    if row:
        codes = row_codes(raw.prints[here], pseudonyms)
        same = here[codes == row] if len(here) else here
        if not len(same):
            inside = np.flatnonzero(np.isin(raw.sheet_of, sheets))
            same = inside[row_codes(raw.prints[inside], pseudonyms) == row]
        if len(same) == 1:
            return int(same[0])
        if len(same) > 1:
            correction.refuse("台账重新排序后有几行与原来的行完全相同，分不清是哪一行，未采用")
            return None
    if not len(here):
        correction.refuse("台账中没有这一行，未采用")
        return None
    now = values.text_at(raw.columns[column], here[0])
    if correction.new is not None and values.clean_text(now) == values.clean_text(
        correction.new
    ):
        correction.state, correction.reason = ALREADY, "台账中已经是这个值"
        return None
    if cell and cell == cell_codes(column, [now], pseudonyms)[0]:
        return int(here[0])
    if (
        not correction.code
        and now
        and values.clean_text(now) == values.clean_text(correction.shown)
    ):
        return int(here[0])
    correction.refuse("所填内容或所在的行与核对时不同，请按新的核对表重新填写，未采用")
    return None


def _find_copies(raw, at):
    """The same row in other files, where it is the only one of its kind in its own."""
    same = np.flatnonzero(raw.prints == raw.prints[at])
    files = np.array([raw.sheets[sheet].file for sheet in raw.sheet_of[same]])
    own = files == raw.sheets[raw.sheet_of[at]].file
    return same[~own].tolist() if own.sum() == 1 else []
