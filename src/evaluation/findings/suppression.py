"""Suppression: which counts of a table are withheld, and what the others are rounded to."""

from numbers import Number

import numpy as np
import pandas as pd

from evaluation.findings.margins import as_whole, lay_out, round_counts
from evaluation.findings.protection import choose_hidden
from evaluation.findings.recalled import recall

SUPPRESSED = "suppressed"
IDENTIFIERS = {"result_id", "year", "policy", "outcome", "subgroup", "design", "term"}
IDENTIFIERS |= {"event_time", "cohort", "variant", "inference", "horizon", "due_year", "month"}
NO_PERSONS = {"n_clusters", "n_draws", "n_cohorts"}  # counts, but not of persons


def find_numbers(frame: pd.DataFrame) -> list[str]:
    """List the columns that hold any number, whatever their type.

    A table without rows, put together with others, leaves their numbers as objects; those
    must be withheld like any.
    """
    typed = {*frame.select_dtypes("number")}
    return [name for name in frame if name in typed or _holds_number(frame[name])]


def _holds_number(column) -> bool:
    return column.dtype == object and any(isinstance(own, Number) for own in column.dropna())


def suppress_counts(
    frame: pd.DataFrame,
    counts: list[str],
    by: list[str],
    rules: dict,
    rates: dict[str, tuple[str, str]] | None = None,
    keep: tuple[str, ...] | list[str] = (),
    *,
    small: pd.Series | None = None,
    part_of: pd.Series | None = None,
    recalled: tuple = (),
) -> pd.DataFrame:
    """Suppress small counts, and round the others.

    Without `by`, 1 to 9 persons are suppressed and all others rounded: two exact counts of
    the same people, of two steps, designs or editions, would tell their difference. With
    `by`, 0 to 9 persons are suppressed (a zero says something about everybody in that
    township), and so is a share of which the counterpart is as small; totals are exact.
    Further cells go, at the least loss, until those missing from one total are at least two
    and the audit finds that each small count could still be `min_values` different ones
    for a reader who knows every total exactly.

    Parameters
    ----------
    frame
        One row per cell of the breakdown.
    counts
        Columns that count persons; each is its own table of cells.
    by
        Columns of the breakdown. Where one says ``all``, the row is the total over its
        other levels (see `margins.lay_out`).
    rules
        ``min_count``, ``round_to`` and ``min_values`` of the plan.
    rates
        Rate column to its (numerator, denominator) count columns: computed anew from
        the rounded counts, since an exact rate would undo the rounding.
    keep
        Further numbers that rest on no count (a key).
    small
        Rows whose counts are withheld for another reason (an amount that one dominates).
    part_of
        By row, the exact count told elsewhere that it is a part of, else missing. A count
        within ten of it is suppressed, since the difference would be as good as exact; one
        that equals it is exact too.
    recalled
        The same table of other editions, as `editions.recall_published` returns them: how many
        years later each is (negative: earlier), as published, with its true counts or
        None. Counts only grow from one to the next.

    Returns
    -------
    pandas.DataFrame
        The same rows; suppressed cells are NaN, ``suppressed`` names them. It does not say
        why: a reader who knew would know more. Other numbers of such a row are blanked
        too, because they may rest on the suppressed count.

    Raises
    ------
    DisclosureError
        If no choice of cells protects the small ones.
    """
    frame = frame.reset_index(drop=True)
    result, rates = frame.copy(), rates or {}
    cells = lay_out(frame, counts, by, rates)
    least = rules["min_count"]
    tiny = _find_small(cells, frame, counts, by, rates, least)
    if small is not None:
        rows = np.tile(small.to_numpy(dtype=bool), len(counts))
        tiny[: len(rows)] |= rows & ~np.isnan(cells.values[: len(rows)])
    public = cells.says_all.copy()
    if part_of is not None:
        gap = np.tile(part_of.to_numpy(dtype=float, na_value=np.nan), len(counts))
        gap = gap - cells.values[: len(gap)]
        tiny[: len(gap)] |= (gap > 0) & (gap < least)
        public[: len(gap)] |= gap == 0
    told = [
        recall(cells, tiny & (cells.values < least), frame, then, counts, by, rules)
        for then in recalled
    ]
    hidden = choose_hidden(cells, tiny, rules, tuple(told))
    shown = np.where(public, cells.values, round_counts(cells.values, rules["round_to"]))
    shown[hidden] = np.nan
    reasons = pd.Series("", frame.index)
    for at, count in enumerate(counts):
        part = slice(at * len(frame), (at + 1) * len(frame))
        result[count] = as_whole(shown[part])
        reasons += np.where(hidden[part], f"{count};", "")
    for rate, (over, under) in rates.items():
        result[rate] = result[over].astype(float) / result[under].astype(float)
    kept = {*counts, *by, *rates, *keep, *IDENTIFIERS}
    others = [name for name in find_numbers(frame) if name not in kept]
    result[others] = result[others].mask(reasons.ne(""))
    result[SUPPRESSED] = reasons.str.rstrip(";")
    return result


def _find_small(cells, frame, counts, by, rates, least) -> np.ndarray:
    """Cells under the threshold, or whose counterpart is; a total of zero is nobody's."""
    small = (cells.values < least) & ~cells.is_rest
    small &= ~((cells.is_total if by else True) & (cells.values == 0))
    for over, under in rates.values():
        part = slice(counts.index(over) * len(frame), (counts.index(over) + 1) * len(frame))
        others = frame[under].to_numpy(float, na_value=np.nan) - cells.values[part]
        small[part] |= (others < least) & ~cells.is_total[part] & bool(by)
    return small
