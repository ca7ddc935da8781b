"""Differences between two estimates that share persons, and p-values of several tests."""

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from evaluation.effects.aggregation import GroupTime, Pooled, pool_at


def subtract(
    first: GroupTime, second: GroupTime, horizon: int, expected: bool = False
) -> tuple[Pooled, pd.Series] | None:
    """Second less first effect at a horizon; who stands in both is counted once.

    Parameters
    ----------
    expected
        As for `aggregation.pool`.

    Returns
    -------
    tuple
        The difference with the influence of each person, and their clusters; none where
        one of the two has no effect at the horizon.
    """
    pair = [pool_at(design, horizon, expected) for design in (first, second)]
    if None in pair:
        return None
    units = pd.concat([first.units, second.units]).drop_duplicates("unit")
    names, n = pd.Index(units["unit"]), len(units)
    total, used, treated = np.zeros(n), np.zeros(n, bool), np.zeros(n, bool)
    for sign, design, pooled in ((-1, first, pair[0]), (1, second, pair[1])):
        at = names.get_indexer(design.units["unit"])
        total[at] += sign * pooled.influence / len(pooled.influence) * n
        used[at] |= pooled.used
        treated[at] |= pooled.treated
    estimate = pair[1].estimate - pair[0].estimate
    return Pooled(estimate, total, treated, used), units["cluster"].astype(object)


def adjust_several(p_values: pd.Series) -> pd.Series:
    """Holm's adjustment of the p-values that are known, in the order given."""
    known = p_values.dropna().astype(float)
    if known.empty:
        return known
    return pd.Series(multipletests(known, method="holm")[1], index=known.index)
