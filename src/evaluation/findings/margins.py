"""Margins: which cells of a table add up to which total."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

TOTAL = "all"  # this level of a column of the breakdown is the total over its other levels


@dataclass(frozen=True)
class Cells:
    """The counts of a table, column after column, and how they hang together.

    Attributes
    ----------
    values
        True counts; missing where there is none. At the end stand the rests: what a
        total holds beyond the levels listed.
    is_total, is_rest
        Which cells are totals, and which are listed nowhere.
    says_all
        Which cells stand in a row that says ``all``.
    sums, orders
        As in `audit.Knowledge`.
    """

    values: np.ndarray
    is_total: np.ndarray
    is_rest: np.ndarray
    says_all: np.ndarray
    sums: list[tuple[np.ndarray, int]]
    orders: list[tuple[int, int]]


def lay_out(frame: pd.DataFrame, counts: list[str], by: list[str], rates: dict) -> Cells:
    """Find the sums and orders among the counts of a table.

    Levels of a column of the breakdown add up to the row where it says ``all``. Where the
    last column has no such row, the total is the row that says ``all`` in the last two
    columns, or the denominator of the count's rate if it is the same in all rows.
    Levels that hold less than their total leave a rest; where they hold more they overlap,
    and each is only known to be no larger than the total, as far as that is true.

    Parameters
    ----------
    frame
        One row per cell of the breakdown, index from 0.
    counts, by, rates
        As in `suppression.suppress_counts`.
    """
    height = len(frame)
    columns = [frame[count].to_numpy(dtype=float, na_value=np.nan) for count in counts]
    values = np.concatenate(columns)
    says_all = frame[by].astype("str").eq(TOTAL).to_numpy(dtype=bool)
    margins = list(_find_margins(frame, by, says_all))
    sums, orders, rests = [], [], []
    for at, count in enumerate(counts):
        under = next((u for over, u in rates.values() if over == count and u in counts), None)
        if under is not None:
            start = counts.index(under) * height
            orders += [(at * height + row, start + row) for row in range(height)]
        other = None if under is None else counts.index(under)
        for rows, total in margins:
            total = at * height + total if total is not None else None
            if total is None and other is not None and len(set(columns[other][rows])) == 1:
                total = other * height + rows[0]
            if total is None:
                continue
            members = at * height + rows
            left = values[total] - values[members].sum()
            if np.isnan(left):
                continue
            if left < 0:
                orders += [(cell, total) for cell in members]
                continue
            if left > 0:
                members = np.append(members, len(values) + len(rests))
                rests.append(left)
            sums.append((members, total))
    in_total = np.tile(says_all.any(axis=1), len(counts))
    in_total = np.append(in_total, np.zeros(len(rests), dtype=bool))
    is_total = in_total.copy()
    is_total[[total for _, total in sums]] = True
    is_rest = np.arange(len(values) + len(rests)) >= len(values)
    orders = [(part, whole) for part, whole in orders if not values[part] > values[whole]]
    return Cells(np.append(values, rests), is_total, is_rest, in_total, sums, orders)


def _find_margins(frame, by, says_all):
    """Rows that belong to one total, and its row or None."""
    names = frame[by].astype("str").fillna("")
    for at, column in enumerate(by):
        others = [name for name in by if name != column]
        groups = names.groupby(others, sort=False).indices.values() if others else [None]
        for rows in groups:
            rows = np.arange(len(frame)) if rows is None else np.asarray(rows)
            members, totals = rows[~says_all[rows, at]], rows[says_all[rows, at]]
            if not len(members):
                continue
            if len(totals) == 1:
                yield members, totals[0]
            elif at == len(by) - 1:
                yield members, _find_whole(names, by, says_all, members[0])


def _find_whole(names, by, says_all, row):
    """The row of the same table that says ``all`` in the last two columns, if any."""
    if len(by) < 2:
        return None
    same = (names[by[:-2]] == names[by[:-2]].iloc[row]).all(axis=1).to_numpy()
    found = np.flatnonzero(same & says_all[:, -2:].all(axis=1))
    return found[0] if len(found) == 1 else None


def bound_rounded(told, step: int, least: int) -> tuple[np.ndarray, np.ndarray]:
    """What a count told rounded can have been: small ones are not told, but a zero is.

    >>> bound_rounded(np.array([0, 10, 45]), 5, 10)
    (array([ 0, 10, 43]), array([ 0, 12, 47]))
    """
    low = np.where(told == 0, 0, np.maximum(told - step // 2, least))
    return low, np.where(told == 0, 0, told + (step - 1) // 2)


def round_counts(values, step: int):
    """Round to the nearest multiple, halves up.

    >>> round_counts(np.array([12, 13, 42]), 5)
    array([10., 15., 40.])
    """
    return np.floor(np.asarray(values, dtype=float) / step + 0.5) * step


def as_whole(counts):
    """Counts as whole numbers that may be missing."""
    return pd.array(np.asarray(counts, dtype=float), dtype="Float64").astype("Int64")
