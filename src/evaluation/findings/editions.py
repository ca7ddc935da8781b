"""Editions compared: what several published tables tell together that none tells alone.

Counts of participants so far only grow. Where one edition's table leaves a withheld count
open between 0 and 7 and a later one between 4 and 9, both together leave it between 4 and 7.
"""

import numpy as np
import pandas as pd

from evaluation.findings.audit import Knowledge, count_values, find_ranges
from evaluation.findings.margins import Cells, lay_out
from evaluation.findings.protection import Recalled

# Tables of participants so far, and how they are published.
GROWING = {
    "reach": {
        "counts": ["n", "of"],
        "by": ["group", "trait", "level"],
        "rates": {"share": ("n", "of")},
    }
}


def recall(
    cells: Cells,
    small: np.ndarray,
    frame: pd.DataFrame,
    then: tuple[int, pd.DataFrame, pd.DataFrame | None],
    counts: list[str],
    by: list[str],
    rules: dict,
) -> Recalled:
    """Lay what another edition published beside the cells of the present one.

    A reader may know its totals exactly, though they are published rounded; and so must
    we, to see what the reader sees.

    Parameters
    ----------
    cells, small
        Of the present table, true counts; which cells are small.
    frame
        The present table.
    then
        How many years later the other edition is (negative: earlier), its table as
        published, and with its true counts where they are still known. A row that it
        lacks is open.
    """
    years, published, true = then
    told = _align(cells, frame, published, counts, by)
    most = float(np.nansum(cells.values) + np.nansum(told) + 2 * rules["min_count"])
    known = _read_known(cells, told, rules, most)
    least, hidden = rules["min_count"], np.isnan(told)
    low, high = known.low, known.high
    was_small, was_large = small & hidden if years < 0 else hidden & False, hidden & False
    if true is not None:
        counted = _align(cells, frame, true, counts, by)
        total = cells.is_total & ~hidden & ~np.isnan(counted)
        low[total] = high[total] = counted[total]
        was_small, was_large = hidden & (counted < least), hidden & (counted >= least)
    tight = np.where(was_large, least, low), np.where(was_small, least - 1, high)
    place = np.where(cells.is_rest, -1, np.arange(len(told)))
    return Recalled(known, Knowledge(*tight, known.sums, known.orders), place, years < 0)


def _align(cells, frame, other, counts, by):
    """Counts of another edition's table in the order of the cells; missing where none."""
    names = other[[*by, *counts]].assign(**other[by].astype("str"))
    beside = frame[by].astype("str").merge(names, how="left", on=by)
    found = np.concatenate([beside[c].to_numpy(float, na_value=np.nan) for c in counts])
    return np.append(found, np.full(len(cells.values) - len(found), np.nan))


def find_narrowed(now: pd.DataFrame, others: list[tuple], name: str, rules: dict) -> list[str]:
    """Find which withheld counts published tables of several editions narrow down together.

    For whoever freezes an edition: `now` was suppressed when the others may not yet have
    been published.

    Parameters
    ----------
    now
        A table as it would be published.
    others
        For each published edition what `recall` takes, as `tables.list_frozen` returns.
    name
        Of the table; only those in `GROWING` are compared.
    rules
        ``[disclosure]`` of the plan.

    Returns
    -------
    list of str
        In Chinese, one per row that is narrowed down to fewer than ``min_values`` values;
        empty where nothing is.
    """
    if name not in GROWING or not len(now):
        return []
    shape = GROWING[name]
    counts, by = shape["counts"], shape["by"]
    filled = now[counts].astype(float).fillna(0)
    cells = lay_out(now.assign(**filled), counts, by, {})
    told = np.concatenate([now[c].to_numpy(float, na_value=np.nan) for c in counts])
    told = np.append(told, np.full(len(cells.values) - len(told), np.nan))
    most = 2 * float(np.nansum(told)) + 2 * rules["min_count"]
    own = _read_known(cells, told, rules, most)
    targets = np.flatnonzero(np.isnan(told) & ~cells.is_rest)
    nobody = np.zeros(len(told), dtype=bool)
    found = []
    for then in others:
        other = recall(cells, nobody, now, then, counts, by, rules)
        joined = _join(own, other)
        ranges = [find_ranges(known, targets) for known in (own, joined)]
        if None in ranges:
            continue
        values = [count_values(*pair) for pair in ranges]
        worse = (values[1] < rules["min_values"]) & (values[1] < values[0])
        for cell in targets[worse]:
            row = now.iloc[cell % len(now)]
            place = "、".join(str(row[column]) for column in by)
            found.append(
                f"{name}.csv（{place}）与已公布的另一版合起来看，只剩不足 "
                f"{rules['min_values']} 种可能。"
            )
    return found


def _read_known(cells: Cells, told: np.ndarray, rules: dict, most: float) -> Knowledge:
    """What a table as published tells of the cells: rounding, and what is open."""
    step, least = rules["round_to"], rules["min_count"]
    low = np.where(cells.is_total, told - step // 2, np.maximum(told - step // 2, least))
    high = told + (step - 1) // 2
    low, high = np.where(told == 0, 0, low), np.where(told == 0, 0, high)
    is_open = np.isnan(told)
    low, high = np.where(is_open, 0, low), np.where(is_open, most, high)
    return Knowledge(low.astype(float), high.astype(float), cells.sums, cells.orders)


def _join(own: Knowledge, other: Recalled) -> Knowledge:
    """Both tables at once, with counts that only grow."""
    size, known = len(own.low), other.known
    orders = list(own.orders) + [(size + a, size + b) for a, b in known.orders]
    for here in np.flatnonzero(other.place >= 0):
        there = size + other.place[here]
        orders.append((there, here) if other.is_before else (here, there))
    return Knowledge(
        np.append(own.low, known.low),
        np.append(own.high, known.high),
        [*own.sums, *((size + members, size + total) for members, total in known.sums)],
        orders,
    )
