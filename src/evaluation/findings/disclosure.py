"""Disclosure control: what may leave ``data/``.

Rules and their defaults stand in the plan under ``[disclosure]``: counts under
``min_count`` persons are suppressed, breakdowns rounded to ``round_to``, and a second
cell is suppressed where a total would give the first away.
"""

import numpy as np
import pandas as pd

from evaluation.findings.scan import refuse_disclosure as refuse_disclosure
from evaluation.findings.scan import scan_text as scan_text

TOTAL = "all"  # this level of the last breakdown column is the district-wide total
SUPPRESSED = "suppressed"
_BROKEN_DOWN = {"event", "group_time", "group", "calendar"}
_IDENTIFIERS = {"result_id", "year", "policy", "outcome", "subgroup", "design", "term"}
_IDENTIFIERS |= {"event_time", "cohort", "variant", "inference", "horizon", "due_year"}


def suppress_counts(
    frame: pd.DataFrame,
    counts: list[str],
    by: list[str],
    rules: dict,
    rates: dict[str, tuple[str, str]] | None = None,
    keep: tuple[str, ...] | list[str] = (),
) -> pd.DataFrame:
    """Suppress small counts and round breakdowns.

    Without `by`, rows are district-wide totals: exact, but 1 to 9 persons are
    suppressed. With `by`, 0 to 9 persons are suppressed (a zero says something about
    everybody in that township), and so are further cells, smallest first, until those
    missing from one total are at least two and hold ten persons together: a reader who
    knows the total cannot subtract. The rest is rounded.

    Parameters
    ----------
    frame
        One row per cell of the breakdown.
    counts
        Columns that count persons; each is its own table of cells.
    by
        Columns of the breakdown. Cells of the *last* one add up to a total (townships,
        levels of a trait); the ones before it separate tables. Where the last one says
        ``all``, the row is the total itself and stays exact.
    rules
        ``min_count`` and ``round_to`` of the plan.
    rates
        Rate column to its (numerator, denominator) count columns: computed anew from
        the rounded counts, since an exact rate would undo the rounding.
    keep
        Further numbers that rest on no count (a key).

    Returns
    -------
    pandas.DataFrame
        The same rows; suppressed cells are NaN, ``suppressed`` names each and why
        (``n_loan:small``, ``n_loan:secondary``). Other numbers of such a row are
        blanked too, because they may rest on the suppressed count.
    """
    result = frame.copy()
    is_total = frame[by[-1]].eq(TOTAL) if by else pd.Series(True, frame.index)
    small = {count: _small(frame[count], is_total, rules["min_count"]) for count in counts}
    second = {count: small[count] & False for count in counts}
    if by:
        cells = frame[~is_total]
        tables = (
            cells.groupby(by[:-1], sort=False).indices.values() if by[:-1] else [slice(None)]
        )
        groups = [cells.index[rows] for rows in tables]
        for count in counts:
            for rows in groups:
                more = _further_cells(frame.loc[rows, count], small[count], rules["min_count"])
                second[count].loc[more] = True
    reasons = pd.Series("", frame.index)
    for count in counts:
        values = frame[count].astype(float)
        rounded = np.floor(values / rules["round_to"] + 0.5) * rules["round_to"]
        hidden = small[count] | second[count]
        result[count] = values.where(is_total, rounded).mask(hidden).astype("Int64")
        reasons += np.where(small[count], f"{count}:small;", "")
        reasons += np.where(second[count], f"{count}:secondary;", "")
    rates = rates or {}
    for rate, (over, under) in rates.items():
        share = result[over].astype(float) / result[under].astype(float)
        result[rate] = share.where(~is_total, frame[rate]).mask(share.isna())
    kept = {*counts, *by, *rates, *keep, *_IDENTIFIERS}
    others = [name for name in frame.select_dtypes("number") if name not in kept]
    result[others] = result[others].mask(reasons.ne(""))
    result[SUPPRESSED] = reasons.str.rstrip(";")
    return result


def _small(values: pd.Series, is_total: pd.Series, least: int) -> pd.Series:
    """Cells under the threshold; a total of zero discloses nobody."""
    return (values < least).fillna(False).astype(bool) & ~(is_total & values.eq(0))


def _further_cells(cells: pd.Series, small: pd.Series, least: int) -> list:
    """Which further cells of one total must go, smallest first."""
    hidden = small.loc[cells.index]
    if not hidden.any():
        return []
    left = cells[~hidden].sort_values(kind="stable")
    missing, total, more = int(hidden.sum()), cells[hidden].sum(), []
    for row, value in left.items():
        if missing >= 2 and total >= least:
            break
        missing, total = missing + 1, total + value
        more.append(row)
    return more


def suppress_estimates(frame: pd.DataFrame, rules: dict) -> pd.DataFrame:
    """Suppress estimates that rest on fewer than ten persons on either side.

    An estimate broken down by event time, cohort or subgroup needs `min_count` treated
    and `min_count` comparison persons; its counts are rounded, and so are those of a
    variant. Pooled rows are district-wide: exact, suppressed only under `min_count`.

    Parameters
    ----------
    frame
        Rows of ``estimates_<policy>`` or ``robustness_<policy>``. Comparison persons
        are ``n_comparison`` where there is such a column, else ``n_obs - n_treated``.
    rules
        ``min_count`` and ``round_to`` of the plan.

    Returns
    -------
    pandas.DataFrame
        Numbers of suppressed rows are NaN; ``suppressed`` says which side.
    """
    result = frame.copy()
    broken = frame["term"].isin(_BROKEN_DOWN)
    if "subgroup" in frame:
        broken |= frame["subgroup"].fillna(TOTAL).ne(TOTAL)
    if "variant" in frame:  # other choices leave out a few: exact counts would tell how many
        broken |= frame["variant"].ne("plan")
    treated = frame["n_treated"].astype(float)
    if "n_comparison" in frame:
        comparison = frame["n_comparison"].astype(float)
    else:
        comparison = frame["n_obs"].astype(float) - treated
    least = rules["min_count"]
    few_treated, few_comparison = treated < least, comparison < least
    for name in [name for name in frame if name.startswith("n_") and name != "n_clusters"]:
        values = frame[name].astype(float)
        rounded = np.floor(values / rules["round_to"] + 0.5) * rules["round_to"]
        result[name] = values.where(~broken, rounded).round().astype("Int64")
    numbers = [name for name in frame.select_dtypes("number") if name not in _IDENTIFIERS]
    result[numbers] = result[numbers].mask(few_treated | few_comparison)
    result[SUPPRESSED] = np.where(
        few_treated, "n_treated:small", np.where(few_comparison, "n_comparison:small", "")
    )
    return result
