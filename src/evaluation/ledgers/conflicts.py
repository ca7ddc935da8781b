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
    names = {ledger: _names(rows) for ledger, rows in tables.items()}
    usual = _find_usual(names)
    for ledger, named in names.items():
        expected = named["person_id"].map(usual)
        other = expected.notna() & (named["name"] != expected)
        rows = tables[ledger].loc[named.index[other]]
        found.append(note_table(rows, ledger, "number", "number_shared", headings))
    return found


def _names(rows):
    """Rows with number and name; a name is its sound where that is known."""
    sound = rows.get("pinyin_key", rows["name_key"]).fillna(rows["name_key"])
    named = pd.DataFrame({"person_id": rows["person_id"], "name": sound})
    return named[named["person_id"].notna() & named["name"].notna() & rows["superseded"].isna()]


def _find_usual(names) -> pd.Series:
    """Usual name by number, for numbers that have more than one."""
    pairs = pd.concat(names.values(), keys=names, names=["ledger", None])
    counted = pairs.assign(roster=pairs.index.get_level_values(0) == "roster")
    counted = counted.drop_duplicates(["person_id", "name"])
    several = counted.loc[counted["person_id"].duplicated(), "person_id"].unique()
    pairs = pairs[pairs["person_id"].isin(several)]
    pairs = pairs.assign(roster=pairs.index.get_level_values(0) == "roster")
    counts = pairs.groupby(["person_id", "name"], sort=False)["roster"].agg(["sum", "size"])
    best = counts.sort_values(["sum", "size"], kind="stable").reset_index()
    return best.drop_duplicates("person_id", keep="last").set_index("person_id")["name"]


def _find_twice(roster, headings):
    key = ["person_id", "snapshot_year", "received"]
    valid = (roster["person_id"].notna() & roster["superseded"].isna()).to_numpy()
    rows = roster[valid]
    twice = rows.duplicated(key, keep="last").to_numpy()
    return note_table(rows[np.asarray(twice)], "roster", "number", "person_twice", headings)
