"""Defects as they stand in real ledgers, planted row by row from their own stream.

Which row gets which defect depends on the person and the row's own date, so that a
cumulative ledger repeats its mistakes every year, as real ones do.
"""

import numpy as np
import pandas as pd

from evaluation.demo.ledgers import MERGER_YEAR
from evaluation.ledgers.rules import KINDS

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_DATES = {"roster": "left_on", "register": "start", "subsidy": "checked_on",
          "loan": "due", "post": "recognised_on"}  # fmt: skip
_KEY_DATES = {"register": "start"}  # without it the row says nothing
_AMOUNTS = {"subsidy": "amount", "loan": "interest_subsidy", "post": "amount"}
POLICY_RATE = 4  # policy ledgers are short: there each defect is this much more frequent


def plant(ledger, year, frame, papers, draw) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plant defects into the rows of one delivery; at most one in a row.

    Parameters
    ----------
    frame
        As yielded by `deliveries`.
    draw
        One uniform number per person, of this ledger.

    Returns
    -------
    tuple
        The rows to be typed and one note per defect: ``position``
        of the row, ``column``, ``kind``, ``state``.
    """
    rows = frame.to_dict("list")
    person = frame["person"].to_numpy(dtype=int)
    # Another of a person's rosters or spells each time, but all versions of a spell: one
    # whose end got lost would never end.
    chance = (draw[person] + frame["turn"].to_numpy(dtype=float) * 0.6180339887) % 1
    notes, reached = [], 0.0
    for kind, (share, change) in _DEFECTS.items():
        share *= 1 if ledger in ("roster", "register") else POLICY_RATE
        for position in np.flatnonzero((chance >= reached) & (chance < reached + share)):
            row = {column: cells[position] for column, cells in rows.items()}
            cells = change(row, ledger, year, papers)
            for column, value in (cells or {}).items():
                rows[column][position] = value
            if cells:
                column = next(iter(cells))
                key = kind == "date_unreadable" and column == _KEY_DATES.get(ledger)
                notes.append((position, column, f"key_{kind}" if key else kind))
        reached += share
    share = 0.002 * (1 if ledger in ("roster", "register") else POLICY_RATE)
    twice = np.flatnonzero((chance >= reached) & (chance < reached + share))
    return _repeat(pd.DataFrame(rows, dtype=object), notes, twice)


def _repeat(frame, notes, twice):
    """Add each row of `twice` again right below itself; notes keep pointing at their rows."""
    order = np.sort(np.r_[np.arange(len(frame)), twice])
    notes = [(p + (twice < p).sum(), *rest) for p, *rest in notes]
    notes += [(p + (twice <= p).sum(), "number", "duplicate") for p in twice]
    notes = pd.DataFrame(notes, columns=["position", "column", "kind"])
    notes["state"] = [KINDS[kind].state for kind in notes["kind"]]
    return frame.iloc[order].reset_index(drop=True), notes


def _damage(row, *_):
    """Excel keeps 15 digits of a number."""
    number = row["number"]
    return None if number[-3:] == "000" else {"number": float(int(number[:15]) * 1000)}


def _break_check_digit(row, *_):
    number = row["number"]
    return {"number": number[:-1] + ("1" if number[-1] in "0X" else "0")}


def _mask(row, *_):
    return {"number": row["number"][:6] + "********" + row["number"][14:]}


def _shorten(row, *_):
    """The 15 digits of identity cards before 1999."""
    number = row["number"]
    return {"number": number[:6] + number[8:17]} if number[6:8] == "19" else None


def _type_oddly(row, *_):
    """A lower-case x, full-width digits, spaces, an apostrophe: repaired without loss."""
    number = row["number"]
    if number.endswith("X"):
        return {"number": number[:-1] + "x"}
    spaced = f" {number[:6]} {number[6:14]} {number[14:]}"
    return {"number": (number.translate(_FULL_WIDTH), spaced, "'" + number)[row["person"] % 3]}


def _space_name(row, *_):
    return {"name": ("　" if row["person"] % 2 else " ").join(row["name"])}


def _break_date(row, ledger, year, _):
    """A day or a month that does not exist."""
    column = _DATES[ledger]
    if pd.isna(row[column]):
        return None
    year = str(row[column])[:4]
    return {column: f"{year}年13月" if row["person"] % 3 == 0 else f"{year}.2.30"}


def _add_commas(row, ledger, *_):
    column = _AMOUNTS.get(ledger)
    enough = column and pd.notna(row[column]) and row[column] >= 1000
    return {column: f"{row[column]:,.2f}"} if enough else None


def _state_unit(row, ledger, *_):
    """A whole award in a column of yuan, with the unit in the cell."""
    whole = ledger == "subsidy" and row["amount"] == 10_000
    return {"amount": "1万元"} if whole else None


def _confuse_sex(row, ledger, *_):
    return {"sex": {"男": "女", "女": "男"}[row["sex"]]} if ledger == "roster" else None


def _keep_old_township(row, ledger, year, papers):
    """The name of a township that is no more."""
    own = papers.iloc[row["person"]]
    wrong = ledger == "roster" and year >= MERGER_YEAR and own["dissolved"]
    return {"township": own["township_old"]} if wrong else None


def _lose_village(row, ledger, year, papers):
    """Only the old township is known: cannot be told where it belongs now."""
    cells = _keep_old_township(row, ledger, year, papers)
    # A township that lost one village still stands: without the village nothing is wrong.
    gone = cells and not papers["township"].eq(cells["township"]).any()
    return {**cells, "village": None} if gone else None


def _leave_blank(row, ledger, *_):
    return {"poor": None} if ledger == "roster" else None


# kind: share of rows of a long ledger, what is typed
_DEFECTS = {
    "number_damaged": (0.0015, _damage),
    "number_checksum": (0.0015, _break_check_digit),
    "number_masked": (0.001, _mask),
    "number_15": (0.004, _shorten),
    "number_typed": (0.02, _type_oddly),
    "name_spaces": (0.01, _space_name),
    "date_unreadable": (0.0015, _break_date),
    "amount_commas": (0.02, _add_commas),
    "amount_unit": (0.01, _state_unit),
    "sex_mismatch": (0.002, _confuse_sex),
    "number_missing": (0.0005, lambda *_: {"number": None}),
    "place_old": (0.02, _keep_old_township),
    "place_unconfirmed": (0.005, _lose_village),
    "blank": (0.01, _leave_blank),
}
