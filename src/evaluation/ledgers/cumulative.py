"""Ledgers that repeat their old rows every year: which deliveries still count for a clerk."""

from itertools import pairwise

import numpy as np
import pandas as pd

from evaluation.ledgers.schema import KEY_DATES

REPEATED = 0.5  # share of an older delivery's rows that makes the next one cumulative


def find_current(tables: dict[str, pd.DataFrame]) -> dict[str, int]:
    """Find from which year received on each ledger's deliveries are current.

    A delivery that repeats at least half of the rows of the one before (by person and key
    date) stands in its place: what was wrong in the older one has been corrected in the
    newer, or is wrong there too. Rosters, of which each shows another year, and registers
    that bring what is new replace nothing.

    Parameters
    ----------
    tables
        Clean tables by ledger; all deliveries together.

    Returns
    -------
    dict
        Year by ledger; 0 where all deliveries are current.
    """
    return {ledger: _find_first(rows, KEY_DATES[ledger][0]) for ledger, rows in tables.items()}


def _find_first(rows, date):
    person, days = pd.factorize(rows["person_id"])[0], rows[date].to_numpy("datetime64[D]")
    known = (person >= 0) & ~np.isnat(days) & rows["superseded"].isna().to_numpy()
    things = (person * 100_000 + days.astype("int64"))[known]
    years = rows["received"].to_numpy()[known]
    for newer, older in pairwise(np.unique(years)[::-1]):
        again = np.isin(things[years == older], things[years == newer])
        if again.mean() >= REPEATED:
            return int(newer)
    return 0


def mark_current(issues: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Say of each issue whether it stands in a current delivery (``current``, 0/1)."""
    first = issues["ledger"].map(find_current(tables)).astype("int64")
    return issues.assign(current=(issues["received"] >= first).astype("int8"))
