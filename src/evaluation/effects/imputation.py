"""Imputation, two-way fixed effects, and what the latter is made of.

Borusyak, Jaravel and Spiess (2024, Review of Economic Studies): effects of units and times
come from what was not yet treated, and what a treated unit would have had is imputed from
them. The usual regression on the same effects and a treatment dummy stands beside it, to
show what it averages (Goodman-Bacon 2021, Journal of Econometrics). Unit effects are
removed by hand, so that what remains to be solved has one equation per time.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import GroupTime, name_cell, stack_effects
from evaluation.effects.codings import find_positions
from evaluation.effects.did import list_units, spread_out


@dataclass(frozen=True)
class Laid:
    """A panel as units × times.

    Attributes
    ----------
    units
        Key ``unit``, with ``cluster``.
    first
        First treated time by unit, infinity for never.
    times
        In order.
    y, known
        Outcome, 0 where unknown, and whether it is known.
    """

    units: pd.DataFrame
    first: np.ndarray
    times: np.ndarray
    y: np.ndarray
    known: np.ndarray


def _lay_out(panel, outcome, unit, time, cohort, cluster) -> Laid:
    units, first, times, codes = list_units(panel, unit, time, cohort, cluster)
    columns = find_positions(times, panel[time])
    y = spread_out(panel[outcome], codes, columns, (len(units), len(times)))
    known = np.isfinite(y)
    return Laid(units, first, times, np.where(known, y, 0.0), known)


def _partial_out(values: np.ndarray, mask: np.ndarray):
    """Unit and time effects of `values` on the rows and times in `mask`.

    Returns
    -------
    tuple
        The effects as units × times (missing for a unit with nothing in the mask), and the
        system that is left for the times: (its matrix, its inverse).
    """
    n = mask.sum(axis=1)
    share = mask / np.maximum(n, 1)[:, None]
    system = np.diag(mask.sum(axis=0).astype(float)) - mask.T.astype(float) @ share
    inverse = np.linalg.pinv(system, rcond=1e-10, hermitian=True)
    inside = np.where(mask, values, 0.0)
    mean = inside.sum(axis=1) / np.maximum(n, 1)
    of_times = inverse @ (inside - mask * mean[:, None]).sum(axis=0)
    of_units = np.where(n > 0, mean - share @ of_times, np.nan)
    return of_units[:, None] + of_times, (system, inverse)


def impute_effects(
    panel: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    cluster: str | None = None,
) -> GroupTime:
    """Effects of each cohort from entry on, by imputation.

    The effect of cohort g at t is the mean, over its units seen at t, of the outcome less
    the unit's own effect and the time's, both fitted to all that was untreated. The
    variance is the paper's (theorem 3), with averages by cohort and time as its auxiliary
    effects: conservative, and by cluster where units lie in coarser ones.

    Parameters
    ----------
    panel
        One row per unit and time, checked by `guards.check_panel`; may have gaps. A unit
        never seen untreated does not count.
    cohort
        First treated time; missing = never.

    Returns
    -------
    GroupTime
        Effects from entry on, where the time's own effect is known. Its pooled influence
        adds, as for all designs, that the sizes of cohorts are drawn too.
    """
    laid = _lay_out(panel, outcome, unit, time, cohort, cluster)
    untreated = laid.known & (laid.times < laid.first[:, None])
    fitted, (system, inverse) = _partial_out(laid.y, untreated)
    left, n = laid.y - fitted, untreated.sum(axis=1)
    noise = np.where(untreated, left, 0.0)
    cells, all_units = [], np.flatnonzero(n > 0)
    for g in np.unique(laid.first[np.isfinite(laid.first)]):
        for i in np.flatnonzero(laid.times >= g):
            rows = np.flatnonzero((laid.first == g) & laid.known[:, i] & (n > 0))
            if not len(rows):
                continue
            # What the times' effects weigh in the imputed mean: those of time i and, through
            # the units' effects, of the times in which these units were untreated.
            own = (untreated[rows] / n[rows, None]).mean(axis=0)
            own[i] -= 1.0
            weights = inverse @ own
            if np.abs(system @ weights - own).max() > 1e-8:
                continue  # nobody untreated links this time to the units' own
            effects = left[rows, i]
            contribution = noise @ weights
            contribution[rows] += (effects - effects.mean()) / len(rows)
            treated = np.zeros(len(n), dtype=bool)
            treated[rows] = True
            cells.append(
                name_cell(
                    g,
                    laid.times[i],
                    effects.mean(),
                    all_units,
                    treated[all_units],
                    contribution[all_units],
                )
            )
    return stack_effects(cells, laid.units)


def two_way_effect(
    panel: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    cluster: str | None = None,
) -> GroupTime:
    """The coefficient of “treated by now” in a regression with unit and time effects.

    One number for all cohorts and times; with effects that differ between them it is no
    average of effects at all, since treated units serve as comparison for others (see
    `decompose_two_way`). Shown for comparison only.

    Returns
    -------
    GroupTime
        A single effect, under the first cohort and the last time; none where treatment
        does not vary beyond units and times.
    """
    laid = _lay_out(panel, outcome, unit, time, cohort, cluster)
    treated = (laid.times >= laid.first[:, None]) & laid.known

    def residual(values):
        return np.where(laid.known, values - _partial_out(values, laid.known)[0], 0.0)

    dose = residual(treated.astype(float))
    total = (dose**2).sum()
    if total < 1e-9 * max(treated.sum(), 1) or not treated.any():
        return stack_effects([], laid.units)
    estimate = float((dose * laid.y).sum() / total)
    contribution = (dose * residual(laid.y - estimate * treated)).sum(axis=1) / total
    ever = treated.any(axis=1)
    used = np.flatnonzero(laid.known.any(axis=1))
    cohorts = laid.first[np.isfinite(laid.first)]
    cell = name_cell(
        cohorts.min(), laid.times[-1], estimate, used, ever[used], contribution[used]
    )
    return stack_effects([cell], laid.units)


def decompose_two_way(
    panel: pd.DataFrame, *, outcome: str, unit: str, time: str, cohort: str
) -> pd.DataFrame:
    """What the two-way coefficient is an average of (Goodman-Bacon 2021, theorem 1).

    Every pair of cohorts makes comparisons of two groups before and after; their weights
    come from group sizes and from how long each was treated. Units seen at all times and
    not treated from the first on.

    Returns
    -------
    pandas.DataFrame
        Key ``comparison``: ``treated_vs_never``, ``earlier_vs_later`` (those not yet
        treated), ``later_vs_earlier`` (those already treated: what is wrong with it);
        ``weight`` (they add up to 1) and the mean ``estimate``. Their product adds up to
        the coefficient of `two_way_effect` on the same units.
    """
    laid = _lay_out(panel, outcome, unit, time, cohort, None)
    whole = laid.known.all(axis=1) & (laid.first > laid.times[:1])
    # Who enters after the last time is not treated within the panel.
    first = np.where(laid.first > laid.times[-1:], np.inf, laid.first)[whole]
    groups, code, sizes = np.unique(first, return_inverse=True, return_counts=True)
    sums = [np.bincount(code, column, len(groups)) for column in laid.y[whole].T]
    means, share = np.array(sums).T / sizes[:, None], sizes / max(sizes.sum(), 1)
    dose = (laid.times >= groups[:, None]).sum(axis=1) / max(len(laid.times), 1)

    def change(k, other, before, after):
        return np.diff([(means[k] - means[other])[part].mean() for part in (before, after)])[0]

    rows = []
    for k in range(len(groups)):
        for later in range(k + 1, len(groups)):
            size, gap = share[k] * share[later], dose[k] - dose[later]
            pre, post = laid.times < groups[k], laid.times >= groups[later]
            middle = ~pre & ~post
            kind = "earlier_vs_later" if np.isfinite(groups[later]) else "treated_vs_never"
            weight = size * gap * (1 - dose[k])
            rows.append((kind, weight, change(k, later, pre, middle)))
            if kind == "earlier_vs_later":
                weight, estimate = size * gap * dose[later], change(later, k, middle, post)
                rows.append(("later_vs_earlier", weight, estimate))
    table = pd.DataFrame(rows, columns=["comparison", "weight", "estimate"])
    table["weight"] /= table["weight"].sum()
    table["estimate"] *= table["weight"]
    table = table[table["weight"] > 0].groupby("comparison", as_index=False).sum()
    return table.assign(estimate=table["estimate"] / table["weight"])
