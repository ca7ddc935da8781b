"""Rows that disagree about a person: one number under two names, one snapshot twice."""

import numpy as np
import pandas as pd

from evaluation.ledgers.rules import note_table


def check_persons(tables: dict[str, pd.DataFrame], headings: dict) -> list[pd.DataFrame]:
    """Flag rows whose name is not the one that the number has elsewhere.

    A number's name is the one it has in most rows of the roster (of all ledgers, where it
    is on none). Homophones are one name. The number stays what links: only the papers can
    tell which of the two is wrong. Also flagged: a person with two different rows in one
    delivery of one snapshot, of which the lower one counts.

    Parameters
    ----------
    tables
        Clean tables by ledger; all deliveries together.
    headings
        Heading as typed by file, sheet, ledger and column.

    Returns
    -------
    list of pandas.DataFrame
        Issues.
    """
    found = [_find_twice(tables["roster"], headings)]
    rows = _list_names(tables)
    odd = rows[_differs(rows)]
    for ledger, at in odd.groupby("ledger", sort=False)["at"]:
        other = tables[ledger].iloc[at.to_numpy()]
        found.append(note_table(other, ledger, "number", "number_shared", headings))
    return found


def _list_names(tables):
    """Rows with number and name, as codes; a name is its sound where that is known."""
    parts = []
    for ledger, rows in tables.items():
        sound = rows["pinyin_key"].fillna(rows["name_key"])
        named = (
            rows["person_id"].notna() & sound.notna() & rows["superseded"].isna()
        ).to_numpy()
        part = {"person": rows["person_id"][named], "name": sound[named]}
        parts.append(pd.DataFrame(part).assign(ledger=ledger, at=np.flatnonzero(named)))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(**{n: pd.factorize(rows[n])[0] for n in ("person", "name")})


def _differs(rows) -> np.ndarray:
    """Mark rows whose name is not the usual one of their number, roster rows first."""
    if rows.empty:
        return np.zeros(0, dtype=bool)
    pair = rows["person"].to_numpy() * (int(rows["name"].max()) + 1) + rows["name"].to_numpy()
    _, first, pair = np.unique(pair, return_index=True, return_inverse=True)
    person = rows["person"].to_numpy()[first]
    if len(np.unique(person)) == len(person):
        return np.zeros(len(rows), dtype=bool)  # nobody has two names
    roster = np.bincount(pair, rows["ledger"] == "roster", len(first))
    order = np.lexsort((np.bincount(pair, minlength=len(first)), roster, person))
    last = np.append(np.diff(person[order]) != 0, True)  # of each person the usual name
    usual = np.zeros(len(first), dtype=bool)
    usual[order[last]] = True
    return ~usual[pair]


def _find_twice(roster, headings):
    key = ["person_id", "snapshot_year", "received"]
    valid = (roster["person_id"].notna() & roster["superseded"].isna()).to_numpy()
    rows = roster[valid]
    codes = pd.DataFrame({name: pd.factorize(rows[name])[0] for name in key})
    twice = codes.duplicated(keep="last").to_numpy()
    return note_table(rows[twice], "roster", "number", "person_twice", headings)
