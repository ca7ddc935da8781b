"""Note what is wrong with rows, check across columns, settle which rows are set aside."""

import re
from itertools import chain

import numpy as np
import pandas as pd

from evaluation.ledgers.identity import mask
from evaluation.ledgers.kinds import KINDS, SET_ASIDE
from evaluation.ledgers.merged import counts_once
from evaluation.ledgers.raw import hash_texts
from evaluation.ledgers.schema import KEY_DATES, ORDERED

COLUMNS = [
    "file", "sheet", "row", "column", "ledger", "kind", "state", "reason", "advice", "shown",
    "received", "amount", "township", "code",
]  # fmt: skip
_TYPES = {name: "int64" if name in ("row", "received") else "str" for name in COLUMNS}
_TYPES["amount"] = "float64"
_SETTLED = {
    name: kind for name, kind in _TYPES.items() if name not in ("amount", "township", "code")
}
# A resident number or a phone, in whatever column it was typed.
_LONG = re.compile(r"(?:\d\s?){10}\d")
NOT_SHOWN = {"name", "phone", "address", "household", "birth"}  # in no report and no log


def note(raw, where, column: str, kind: str, reasons: list[str] | None = None) -> dict:
    """Note one kind of issue for the rows of a mask.

    Parameters
    ----------
    reasons
        What is wrong with each of these rows, where it differs; else as in `KINDS`.

    Returns
    -------
    dict
        Columns of equal length: `COLUMNS` but amount, township and code, ``field`` (column
        of the ledger) and ``position`` of the row, which `settle` puts together; numbers
        are masked, names and phones not shown at all.
    """
    positions = np.flatnonzero(where)
    n, described = len(positions), KINDS[kind]
    sheets = [raw.sheets[at] for at in raw.sheet_of[positions]]
    return {
        "file": [sheet.file for sheet in sheets],
        "sheet": [sheet.name for sheet in sheets],
        "row": raw.rows[positions].tolist(),
        "column": [sheet.headings.get(column, column) for sheet in sheets],
        "ledger": [raw.ledger] * n,
        "kind": [kind] * n,
        "state": [described.state] * n,
        "reason": reasons or [described.reason] * n,
        "advice": [described.advice] * n,
        "shown": _shown(raw, column, positions),
        "received": [sheet.received for sheet in sheets],
        "field": [column] * n,
        "position": positions.tolist(),
    }


def _shown(raw, column, positions):
    cells = raw.columns.get(column)
    if cells is None or column in NOT_SHOWN:
        return [""] * len(positions)
    distinct = [*cells.categories, ""]  # code -1 is a blank cell
    texts = [distinct[code] for code in cells.codes[positions].tolist()]
    return [mask(t) if t and (column == "number" or _LONG.search(t)) else t[:40] for t in texts]


def note_table(
    rows: pd.DataFrame, ledger: str, column: str, kind: str, headings: dict, reason: str = ""
) -> pd.DataFrame:
    """Note one kind of issue for rows of a clean table; no value is shown.

    Parameters
    ----------
    headings
        Heading as typed by file, sheet, ledger and column.
    reason
        Where it says more than `KINDS`.
    """
    described = KINDS[kind]
    places = zip(rows["source_file"], rows["source_sheet"], strict=True)
    values = {
        "file": rows["source_file"],
        "sheet": rows["source_sheet"],
        "row": rows["source_row"],
        "column": [headings.get((*place, ledger, column), column) for place in places],
        "ledger": ledger,
        "kind": kind,
        "state": described.state,
        "reason": reason or described.reason,
        "advice": described.advice,
        "shown": "",
        "received": rows["received"],
        "amount": 0.0,
        "township": rows.get("township"),
        "code": "",
    }
    table = pd.DataFrame(values, index=rows.index).astype(_TYPES)
    return table.assign(person_id=rows["person_id"])


def check_dates(raw, cleaned: dict, notes: list) -> None:
    """Key date there, ends not before starts, nothing after the year received."""
    first, *stand_in = KEY_DATES[raw.ledger]
    missing = np.all([np.isnat(cleaned[column]) for column in (first, *stand_in)], axis=0)
    notes.append(note(raw, missing, first, "key_date_missing"))
    start, end = (cleaned.get(column) for column in ORDERED.get(raw.ledger, ("", "")))
    if start is not None and end is not None:
        notes.append(note(raw, end < start, ORDERED[raw.ledger][1], "date_order"))
    years = [f"{sheet.received}-12-31" if sheet.received else "NaT" for sheet in raw.sheets]
    late = cleaned[first] > np.array(years, dtype="datetime64[us]")[raw.sheet_of]
    notes.append(note(raw, late, first, "date_future"))


def check_merged(raw, notes: list) -> None:
    """Say which cells were filled in from a merged one, and which amounts count once."""
    for column, places in raw.merged.items():
        where = np.zeros(len(raw.rows), dtype=bool)
        where[places] = True
        kind = "amount_merged" if counts_once(raw.ledger, column) else "cell_filled"
        notes.append(note(raw, where, column, kind))


def check_duplicates(raw, notes: list) -> None:
    """Set aside a row all of whose cells stand in an earlier row of the same file.

    Corrected rows are held against rows as corrected, rows as typed against rows as typed.
    """
    files = hash_texts([sheet.file for sheet in raw.sheets])
    prints = pd.Series(raw.prints + files[raw.sheet_of])
    first = np.full(len(prints), -1)
    typed, last = raw.is_typed, raw.is_last
    for among, decided in ((typed, typed & ~last), (last, last)):
        rows = prints[among]
        again = rows.duplicated().to_numpy() & decided[among]
        if again.any():
            earliest = pd.Series(rows.index, rows.index).groupby(rows).transform("first")
            first[rows.index[again]] = earliest[again]
    twice = first >= 0
    first = first[twice]
    sheets = [raw.sheets[at].name for at in raw.sheet_of[first]]
    reasons = [
        f"与{f'工作表“{sheet}”' if sheet else ''}第{row}行完全相同"
        for sheet, row in zip(sheets, raw.rows[first], strict=True)
    ]
    notes.append(note(raw, twice, "number", "duplicate", reasons))


def settle(notes: list[dict], raw) -> tuple[pd.DataFrame, np.ndarray]:
    """Decide which rows are set aside: the first reason counts, and a row out needs no other.

    Returns
    -------
    tuple
        Issues of the rows as they count now (those of a row that was corrected since are
        gone), and a mask of the rows set aside.
    """
    below = {name: list(chain.from_iterable(n[name] for n in notes)) for name in notes[0]}
    issues = pd.DataFrame(below).astype(_SETTLED)
    out = issues["state"] == SET_ASIDE
    position = issues["position"].to_numpy(dtype=int)
    lost = np.zeros(len(raw.rows), dtype=bool)
    lost[position[out]] = True
    second = issues[out].duplicated("position").reindex(issues.index, fill_value=False)
    other = ~out & lost[position]
    return issues[~second & ~other & raw.is_last[position]], lost


def collect_notes(notes: list[pd.DataFrame]) -> pd.DataFrame:
    """All issues of a run, in the order of files and rows; with ``person_id`` of their rows."""
    if not notes:
        return pd.DataFrame(columns=[*COLUMNS, "person_id"])
    table = pd.concat([frame for frame in notes if len(frame)] or notes[:1], ignore_index=True)
    return table[[*COLUMNS, "person_id"]].sort_values(
        ["file", "sheet", "row", "kind"], ignore_index=True
    )
