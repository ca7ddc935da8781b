"""Dominance: amounts that one or two persons make up."""

import numpy as np
import pandas as pd

from evaluation.findings.suppression import SUPPRESSED, suppress_counts


def is_dominated(amounts, rules: dict) -> bool:
    """Whether a total would tell what one person received.

    Two rules. (n,k): the `dominance_n` largest make up more than `dominance_share` of it.
    p-percent: all but the two largest come to less than `p_ratio` of the largest, whom the
    second could then estimate that closely by subtracting its own. Fewer than `min_count`
    persons, or a total of nothing, are never told.

    Parameters
    ----------
    amounts
        One per person, yuan, none negative; who has none adds nothing to the total.
    rules
        ``[disclosure]`` of the plan.

    Examples
    --------
    >>> rules = {"min_count": 10, "dominance_n": 2, "dominance_share": 0.9, "p_ratio": 0.1}
    >>> is_dominated([10_000] * 12, rules), is_dominated([90_000, 50_000] + [500] * 10, rules)
    (False, True)
    """
    largest = _list_known(amounts)[::-1]
    total = largest.sum()
    if len(largest) < rules["min_count"] or total <= 0:
        return True
    shared = largest[: rules["dominance_n"]].sum() > rules["dominance_share"] * total
    return bool(shared or largest[2:].sum() < rules["p_ratio"] * largest[0])


def round_mean(amounts, rules: dict) -> float:
    """Mean of amounts, rounded to what `round_to` persons add to it, or a little more.

    Where everybody gets the same, as 10,000 yuan a subsidy, an exact mean is a count: 9,369
    of 111 is 104 paid, 7 not. The step is 1, 2 or 5 times a power of ten.

    Examples
    --------
    >>> round_mean([10_000] * 104 + [0] * 7, {"round_to": 5})
    9500.0
    """
    known = _list_known(amounts)
    mean = float(known.mean()) if len(known) else np.nan
    if not mean > 0:
        return mean
    least = rules["round_to"] * mean / len(known)
    power = 10.0 ** np.floor(np.log10(least))
    step = next(times * power for times in (1, 2, 5, 10) if times * power >= least * (1 - 1e-9))
    return float(np.floor(mean / step + 0.5) * step)


def _list_known(amounts) -> np.ndarray:
    """Amounts in ascending order, without those missing: one would pass every comparison."""
    known = np.sort(np.asarray(amounts, dtype=float))
    return known[~np.isnan(known)]


def suppress_amounts(
    frame: pd.DataFrame,
    column: str,
    amounts: pd.Series,
    key: list[str],
    rules: dict,
    scaled: tuple[str, ...] = (),
) -> pd.DataFrame:
    """Control a column of mean amounts.

    Parameters
    ----------
    frame
        One row per group; `column` is the mean of its persons' amounts.
    amounts
        One per person, yuan; the index is the group as in `key`.
    key
        Columns that name the group.
    scaled
        Numbers in proportion to the amount (a cost per job, its limits): they move with it.

    Returns
    -------
    pandas.DataFrame
        The same rows; a mean that is not told is NaN, with all that is in proportion to it.
    """
    result = frame.reset_index(drop=True)
    by_group = dict(iter(amounts.groupby(level=list(range(len(key))))))
    reasons = result.get(SUPPRESSED, pd.Series("", result.index)).fillna("").tolist()
    for row in result.index[result[column].notna()]:
        own = by_group.get(tuple(result.loc[row, key]), [])
        told = np.nan if is_dominated(own, rules) else round_mean(own, rules)
        factor = told / result.loc[row, column]
        result.loc[row, column] = told
        for name in scaled:
            result.loc[row, name] = result.loc[row, name] * factor
        if np.isnan(told):
            reasons[row] = ";".join(filter(None, (reasons[row], column)))
    return result.assign(**{SUPPRESSED: reasons})


def summarise_amounts(
    rows: pd.DataFrame, amount: str, by: list[str], rules: dict
) -> pd.DataFrame:
    """Mean amount and number of persons by group, controlled, for a notebook to show.

    Parameters
    ----------
    rows
        One row per person; `amount` in yuan.
    by
        Groups; a group that is dominated takes another with it, as a small count does.

    Returns
    -------
    pandas.DataFrame
        `by`, ``n`` and ``mean``; NaN where not told.
    """
    groups = rows.groupby(by, sort=False)[amount]
    table = groups.agg(mean="mean", n="size").reset_index()
    dominated = pd.Series([is_dominated(own, rules) for _, own in groups], table.index)
    table = suppress_counts(table, ["n"], by, rules, keep=["mean"], small=dominated)
    means = [round_mean(own, rules) for _, own in groups]
    return table.assign(mean=pd.Series(means).mask(table["n"].isna()))
