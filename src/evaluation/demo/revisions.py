"""What differs between deliveries: rows a year late, rows changed, rows that disappear.

Only rows are chosen that no total of the last year lacks: what is late has arrived by
then, what disappears was counted in no published figure.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.demo.breaches import turn_of
from evaluation.ledgers.schema import KEY_DATES

LATE, CHANGED, VANISHED = "late", "changed", "vanished"
# Share of the rows of a ledger that come a year late; changed and vanished are as many.
_SHARES = {"roster": 0.0005, "register": 0.001, "subsidy": 0.02, "loan": 0.02, "post": 0.004}
# What stood in a cell before somebody looked it up again.
_BEFORE = {
    "subsidy": ("jobs_claimed", lambda jobs: jobs + 2),
    "loan": ("rate", lambda rate: rate + 0.5),
    "post": ("recognised_on", lambda day: day - pd.Timedelta(days=30)),
}


@dataclass(frozen=True)
class Revisions:
    """Rows by person and turn, and the delivery that learns of it.

    Attributes
    ----------
    rows
        ``ledger, person, turn``, ``what`` (late, changed, vanished), ``learned`` (year
        received), ``column`` (what changed).
    """

    rows: pd.DataFrame

    @property
    def persons(self) -> np.ndarray:
        """Everybody concerned: in their rows nothing else goes wrong."""
        return np.unique(self.rows["person"])


_COLUMNS = ["ledger", "person", "turn", "what", "learned", "column"]
NO_REVISIONS = Revisions(pd.DataFrame(columns=_COLUMNS))


def choose_revisions(
    tables: dict, first: int, last: int, papers, barred: np.ndarray, rng
) -> Revisions:
    """Choose the rows.

    Parameters
    ----------
    tables
        Ledgers as known at the end, with ``person``.
    first, last
        Years of the first and the last delivery.
    papers
        As returned by `draw_papers`.
    barred
        Persons concerned by something else.
    """
    found, taken = [], set(barred.tolist())
    for ledger, table in tables.items():
        year = table[KEY_DATES[ledger][0]].dt.year.to_numpy()
        turns = turn_of(table[KEY_DATES[ledger][0]])
        count = max(round(_SHARES[ledger] * len(table)), 1)
        for what, fits, learned in _occasions(ledger, table, year, first, last, papers):
            fits = fits & ~table["person"].isin(taken).to_numpy()
            places = rng.permutation(np.flatnonzero(fits))
            places = places[~table["person"].iloc[places].duplicated().to_numpy()][:count]
            column = _BEFORE[ledger][0] if what == CHANGED else ""
            for place in places:
                person = int(table["person"].iloc[place])
                taken.add(person)
                found.append((ledger, person, turns[place], what, learned[place], column))
    return Revisions(pd.DataFrame(found, columns=_COLUMNS))


def _occasions(ledger, table, year, first, last, papers):
    """Which rows suit each revision, and the year in which each is learned."""
    earlier = table["person"].map(table.groupby("person")[KEY_DATES[ledger][0]].min()).dt.year
    known = (earlier < year).to_numpy() if ledger == "roster" else np.ones(len(table), bool)
    moved = (papers["township"] != papers["township_old"]).to_numpy()[table["person"]]
    # Who has moved would stand there under an old name by then.
    yield LATE, (year > first) & (year < last) & known & ~moved, year + 1
    if ledger not in _BEFORE:
        return
    there = table[_BEFORE[ledger][0]].notna().to_numpy() & (year >= first) & (year < last)
    if ledger == "loan":  # else the first delivery had nothing to change
        there &= (table["paid_out"].dt.year == year).to_numpy()
    yield CHANGED, there, year + 1
    if ledger == "post":
        end = table["ended_on"].dt.year.fillna(last).to_numpy(dtype=int)
        idle = end < last
    else:
        end, idle = year + 1, table["result"].eq("refused").to_numpy(dtype=bool)
    yield VANISHED, idle & (end + 2 <= last) & (end > first), end + 2


def revise(table: pd.DataFrame, ledger: str, year: int, revisions: Revisions) -> pd.DataFrame:
    """Make of a ledger as it should be what was delivered in a year."""
    places, rows = find_revised(table, ledger, revisions)
    table, gone = table.copy(deep=False), np.zeros(len(table), dtype=bool)
    for place, row in zip(places, rows, strict=True):
        if row.what == CHANGED and year < row.learned:
            column, before = _BEFORE[ledger]
            table[column] = table[column].copy()
            table.loc[place, column] = before(table.loc[place, column])
        elif row.what != CHANGED:
            gone[place] = (year < row.learned) == (row.what == LATE)
    return table[~gone].reset_index(drop=True)


def find_revised(table: pd.DataFrame, ledger: str, revisions: Revisions):
    """Positions of revised rows in a table, and their revisions."""
    wanted = revisions.rows[revisions.rows["ledger"] == ledger]
    if wanted.empty or table.empty:
        return [], []
    turns = turn_of(table[KEY_DATES[ledger][0]])
    mine = np.flatnonzero(table["person"].isin(wanted["person"]).to_numpy())
    person = table["person"].to_numpy()
    places = {(int(person[place]), int(turns[place])): int(place) for place in mine}
    rows = [row for row in wanted.itertuples() if (row.person, row.turn) in places]
    return [places[row.person, row.turn] for row in rows], rows
