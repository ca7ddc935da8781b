"""The district's design `balanced`: stacked monthly risk sets, balanced on past work."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import (
    GroupTime,
    name_cell,
    stack_effects,
)
from evaluation.effects.did import widen
from evaluation.effects.district import (
    comparison_weights,
    index_stay_weights,
    list_persons,
    outcome_change,
)
from evaluation.effects.entropy import balanced_difference, find_distinct
from evaluation.panel.months import find_rows


def month_shares(rows: pd.DataFrame, known: np.ndarray) -> np.ndarray:
    """Base weights that give each monthly set of an entry year the weight of its entries."""
    treated = (rows["treated"].to_numpy() == 1) & known
    month = rows["month"].to_numpy() % 12
    entries = np.bincount(month, treated, minlength=12)
    others = np.bincount(month, known & ~treated, minlength=12)
    return np.where(others > 0, entries / np.maximum(others, 1), 0.0)[month]


def add_lags(risk_sets: pd.DataFrame, history: Iterable[str]) -> pd.DataFrame:
    """Add ``lag_1`` to ``lag_4``: work by quarter, all before the year of entry's start.

    What the placebo balances on. Of the quarters in `history` (the latest first) the
    four that end before 31 December of the year before entry.
    """
    past = [risk_sets[name].to_numpy(dtype=float) for name in history]
    quarter, last = (risk_sets["month"].to_numpy() % 12) // 3, len(past) - 1
    lags = {
        f"lag_{k}": np.choose(quarter, [past[min(q + k, last)] for q in range(4)])
        for k in range(1, 5)
    }
    return risk_sets.assign(**lags)


@dataclass(frozen=True)
class Stack:
    """The monthly sets of one entry year below each other, as every outcome uses them.

    Attributes
    ----------
    cohort
        Year of entry.
    rows
        Rows of the risk sets with known covariates; ``code``: position of the person
        among the units.
    distinct, alike
        Covariates, month of entry and past work of these rows (`find_distinct`).
    n_dropped
        Rows with unknown covariates.
    """

    cohort: int
    rows: pd.DataFrame
    distinct: np.ndarray
    alike: np.ndarray
    n_dropped: int


def stack_sets(
    risk_sets: pd.DataFrame,
    covariates: Iterable[str],
    history: Iterable[str],
    cohorts: Iterable[int] | None = None,
) -> tuple[pd.DataFrame, list[Stack]]:
    """Stack the monthly sets of each entry year with what is to be balanced.

    Parameters
    ----------
    risk_sets
        As for `district.risk_set_effects`, all rows.
    history
        Columns of past work.
    cohorts
        Entry years to stack; none = all.

    Returns
    -------
    tuple
        Units (key ``unit``, with ``cluster``), and a stack per entry year.
    """
    if not risk_sets["cohort"].is_monotonic_increasing:
        risk_sets = risk_sets.sort_values("cohort", kind="stable")
    units = list_persons(risk_sets)
    names = list(dict.fromkeys([*covariates, "entry_month", *history]))
    code, stacks = find_rows(pd.Index(units["unit"]), risk_sets["person_id"]), []
    rows = risk_sets[["month", "treated", "untreated_until"]].assign(code=code)
    present, starts = np.unique(risk_sets["cohort"], return_index=True)
    for g, bounds in zip(present, pairwise([*starts, len(rows)]), strict=True):
        if cohorts is not None and g not in cohorts:
            continue
        part = slice(*bounds)  # rows in order of their cohort: nothing is copied for it
        values = risk_sets[names].iloc[part].to_numpy(dtype=float, na_value=np.nan)
        known = np.isfinite(values).all(axis=1)
        found, dropped = find_distinct(values[known]), int((~known).sum())
        stacks.append(Stack(int(g), rows.iloc[part][known], *found, dropped))
    return units, stacks


def balanced_effects(
    stacked: tuple[pd.DataFrame, list[Stack]],
    years: pd.DataFrame,
    stay_weights: pd.DataFrame,
    *,
    outcome: str,
    covariates: Iterable[str],
    edition: int,
    cumulative: bool = False,
    event_times: Iterable[int] | None = None,
    realised: bool = False,
) -> tuple[GroupTime, pd.DataFrame]:
    """The design `balanced`: risk sets at time zero, balanced on covariates and past work.

    Monthly sets of an entry year are stacked and make one problem per outcome year:
    comparison rows not treated by its end, weighted for having stayed untreated, month
    of entry included among the covariates. The difference of outcomes is a level, not a
    change: the 24 months of work before take the place of the base year. A person who
    stands in several sets adds up to one influence.

    Parameters
    ----------
    stacked
        As returned by `stack_sets`.
    years, stay_weights, outcome, covariates, edition, cumulative, realised
        As for `district.risk_set_effects`.
    event_times
        Without them all from entry on. The effect at −1, balanced on what came
        before that (`add_lags`), can be none: the placebo.

    Returns
    -------
    tuple
        Effects, and a report with key ``(cohort, time)``: ``n_treated``, ``ridge``,
        ``n_effective``, ``n_dropped`` (rows with unknown covariates), and what is left
        of the difference in each covariate, ``left_<name>``.
    """
    covariates, (units, stacks) = list(covariates), stacked
    times = list(range(int(years["year"].min()), edition + 1))
    wide = widen(years, "person_id", "year", outcome, units["unit"], times)
    stay, cells, reports = index_stay_weights(stay_weights, pd.Index(units["unit"])), [], []
    for stack in stacks:
        g, rows, z, alike = stack.cohort, stack.rows, stack.distinct, stack.alike
        codes, treated = rows["code"].to_numpy(), rows["treated"].to_numpy() == 1
        for t in times:
            if t - g not in event_times if event_times is not None else t < g:
                continue
            i = t - times[0]
            y = outcome_change(wide, None, g - times[0], i, cumulative)[codes]
            weights = comparison_weights(stay, g, t, rows)
            known = np.isfinite(y) & np.isfinite(weights)
            base = weights * month_shares(rows, known)
            known &= base > 0
            d = treated[known]
            if not 0 < d.sum() < len(d):
                continue
            estimate, contribution, report = balanced_difference(
                y[known], d, z, base[known], alike[known]
            )
            left = zip(covariates, report["left"], strict=False)
            reports.append(
                {"cohort": g, "time": t, "n_treated": int(d.sum())}
                | {name: report[name] for name in ("ridge", "n_effective")}
                | {"n_dropped": stack.n_dropped}
                | {f"left_{name}": value for name, value in left}
            )
            widened = report["untreated_variance"] if realised and t >= g else None
            cells.append(name_cell(g, t, estimate, codes[known], d, contribution, widened))
    columns = ["cohort", "time", "n_treated", "ridge", "n_effective", "n_dropped"]
    columns += [f"left_{name}" for name in covariates]
    return stack_effects(cells, units), pd.DataFrame(reports, columns=columns)
