"""Recalled: what other editions have published about the cells of a table.

Counts of participants so far only grow. Where one edition's table leaves a withheld count
open between 0 and 7 and a later one between 4 and 9, both together leave it between 4 and 7.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.findings.audit import Knowledge
from evaluation.findings.margins import Cells, bound_rounded


@dataclass(frozen=True)
class Recalled:
    """What another edition published about the same cells.

    Attributes
    ----------
    known, known_why
        What its reader knows, without and with knowing which cells are small; the cells
        are its own.
    place
        Of each cell of the present table, its position in that edition, or −1.
    is_before
        Whether that edition is the earlier one. Counts only grow from one to the next.
    """

    known: Knowledge
    known_why: Knowledge
    place: np.ndarray
    is_before: bool


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

    With its true counts it is also known which cells were small and which protect them.

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
    least = rules["min_count"]
    told = _align(cells, frame, published, counts, by)
    most = float(np.nansum(cells.values) + np.nansum(told) + 2 * least)
    hidden = np.isnan(told)
    low, high = bound_rounded(told, rules["round_to"], least)
    if true is None:
        was_small = small & hidden if years < 0 else hidden & False
        was_large = hidden & False
        exact = np.where(cells.says_all, told, np.nan)
    else:
        counted = _align(cells, frame, true, counts, by)
        was_small, was_large = hidden & (counted < least), hidden & (counted >= least)
        exact = np.where(cells.is_total & ~hidden, counted, np.nan)
    low, high = (np.where(np.isnan(exact), end, exact) for end in (low, high))
    low, high = np.where(hidden, 0, low), np.where(hidden, most, high)
    tight = np.where(was_large, least, low), np.where(was_small, least - 1, high)
    place = np.where(cells.is_rest, -1, np.arange(len(told)))
    known, known_why = (
        Knowledge(*ends, cells.sums, cells.orders) for ends in ((low, high), tight)
    )
    return Recalled(known, known_why, place, years < 0)


def _align(cells, frame, other, counts, by):
    """Counts of another edition's table in the order of the cells; missing where none."""
    names = other[[*by, *counts]].assign(**other[by].astype("str"))
    beside = frame[by].astype("str").merge(names, how="left", on=by)
    found = np.concatenate([beside[c].to_numpy(float, na_value=np.nan) for c in counts])
    return np.append(found, np.full(len(cells.values) - len(found), np.nan))
