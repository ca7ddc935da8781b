"""Randomization of adoption across clusters: where whole townships take up a policy.

With few treated clusters no standard error by cluster is right (Conley and Taber 2011;
MacKinnon and Webb 2020). The entry years are dealt out anew among the clusters and the
whole estimate is made again; studentized, so that treated clusters may vary more than
others (MacKinnon and Webb 2020, ``RI-t``).
"""

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from evaluation.effects.did import list_units, spread_out
from evaluation.effects.randomization import Randomized, invert
from evaluation.errors import EstimationError

NEVER = np.inf
FEW_TREATED = 10  # clusters; below it this result is the published one


@dataclass(frozen=True)
class Changes:
    """Changes of clusters between pairs of times.

    Attributes
    ----------
    first
        Entry time by cluster, infinity for never.
    cells
        ``(cohort, time)`` by cell.
    sums, counts
        Cells × clusters: sum of the units' changes since the last time before the cohort,
        and how many units were seen at both.
    exposed
        Cells × clusters: how much of the change a constant effect would be, under the
        actual entry.
    later
        Whether those who enter later are compared with (else never treated only).
    """

    first: np.ndarray
    cells: list[tuple[float, float]]
    sums: np.ndarray
    counts: np.ndarray
    exposed: np.ndarray
    later: bool


def is_adopted_by_cluster(panel: pd.DataFrame, cohort: str, cluster: str) -> bool:
    """Whether all units of a cluster enter together, and some cluster does."""
    first = panel[cohort].fillna(NEVER).groupby(panel[cluster])
    return bool((first.min() == first.max()).all() and np.isfinite(first.min()).any())


def sum_changes(
    panel: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    cluster: str,
    control: str = "not_yet_treated",
    horizon: int | None = None,
) -> Changes:
    """Add up the changes of each cluster that the effects of all cohorts are made of.

    Parameters
    ----------
    panel
        Checked by `guards.check_panel`; cohorts constant within clusters.
    horizon
        Event time of the effect; none = all times from entry on.

    Raises
    ------
    EstimationError
        If units of a cluster enter at different times, or no cohort has a time before it.
    """
    if not is_adopted_by_cluster(panel, cohort, cluster):
        raise EstimationError("同一区域内的单位不是同时参加的，不能按区域作随机化检验。")
    units, entry, times, rows = list_units(panel, unit, time, cohort, cluster)
    columns = np.searchsorted(times, panel[time].to_numpy())
    y = spread_out(panel[outcome], rows, columns, (len(units), len(times)))
    codes, names = pd.factorize(units["cluster"])
    first = np.full(len(names), NEVER)
    first[codes] = entry
    cells, sums, counts, exposed = [], [], [], []
    for g in np.unique(first[np.isfinite(first)]):
        before = [i for i, t in enumerate(times) if t < g]
        for i, t in enumerate(times) if before else ():
            if t < g or (horizon is not None and t - g != horizon):
                continue
            change = y[:, i] - y[:, before[-1]]
            seen = np.isfinite(change)
            count = np.bincount(codes[seen], minlength=len(names))
            cells.append((float(g), float(t)))
            sums.append(np.bincount(codes[seen], change[seen], minlength=len(names)))
            counts.append(count)
            exposed.append(count * ((first <= t) & (first > times[before[-1]])))
    if not cells:
        raise EstimationError("没有一批在参加前后都有资料。")
    stacked = (np.array(part, dtype=float) for part in (sums, counts, exposed))
    return Changes(first, cells, *stacked, later=control == "not_yet_treated")


def randomize_adoption(
    changes: Changes, draws: int, seed: int, level: float = 0.05
) -> Randomized:
    """Deal out the entry times anew among clusters and compare.

    All arrangements are made where there are no more than `draws`; else so many are drawn
    and the actual one is added. The statistic is the average of the cells by treated units
    over its standard error by cluster with G/(G−1).

    Returns
    -------
    Randomized
        ``n_movable`` is the number of treated clusters.
    """
    arrangements = np.array(list(_arrange(changes.first, draws, seed)))

    def test(effect):
        return _estimate(changes, arrangements, effect)

    estimate, _ = test(0.0)
    _, without_effect = test(estimate[0])  # else an alarm would be one about the effect
    groups = len(changes.first)
    alarms = np.abs(without_effect) > special.stdtrit(groups - 1, 1 - level / 2)
    p_value, low, high = invert(test, level)
    return Randomized(
        estimate=float(estimate[0]),
        p_value=p_value,
        conf_low=low,
        conf_high=high,
        false_alarms=float(alarms[1:].mean()) if len(alarms) > 1 else np.nan,
        n_draws=len(arrangements) - 1,
        n_movable=int(np.isfinite(changes.first).sum()),
    )


def _arrange(first, draws, seed) -> Iterator[np.ndarray]:
    """Arrangements of entry times, the actual one first."""
    yield first
    values, counts = np.unique(first, return_counts=True)
    ways = math.factorial(len(first))
    for count in counts:
        ways //= math.factorial(int(count))
    if ways - 1 <= draws:
        for found in _list_all(len(first), list(zip(values, counts, strict=True))):
            if not np.array_equal(found, first):
                yield found
        return
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        yield rng.permutation(first)


def _list_all(size, groups) -> Iterator[np.ndarray]:
    """Every arrangement of values of which each occurs so many times."""
    (value, count), rest = groups[0], groups[1:]
    for places in itertools.combinations(range(size), int(count)):
        found = np.empty(size)
        found[list(places)] = value
        if not rest:
            yield found
            continue
        others = np.setdiff1d(np.arange(size), places)
        for inner in _list_all(len(others), rest):
            found[others] = inner
            yield found.copy()


def _estimate(changes, arrangements, effect):
    """Estimate and its ratio to the standard error for each arrangement."""
    sums = changes.sums - effect * changes.exposed
    estimates, sizes, parts = [], [], []
    for (g, t), s, n in zip(changes.cells, sums, changes.counts, strict=True):
        treated = arrangements == g
        others = (arrangements > t) if changes.later else np.isinf(arrangements)
        of_treated, of_others = treated @ n, others @ n
        usable = (of_treated > 0) & (of_others > 0)
        size, rest = np.maximum(of_treated, 1), np.maximum(of_others, 1)
        mean, base = treated @ s / size, others @ s / rest
        influence = treated * (s - mean[:, None] * n) / size[:, None]
        influence = influence - others * (s - base[:, None] * n) / rest[:, None]
        estimates.append(np.where(usable, mean - base, 0.0))
        sizes.append(np.where(usable, of_treated, 0.0))
        parts.append(influence * usable[:, None])
    estimates, sizes = np.array(estimates), np.array(sizes)
    weights = sizes / np.maximum(sizes.sum(axis=0), 1)
    estimate = (weights * estimates).sum(axis=0)
    influence = np.einsum("jb,jbc->bc", weights, np.array(parts))
    for j, ((g, _), n) in enumerate(zip(changes.cells, changes.counts, strict=True)):
        moved = (arrangements == g) * n / np.maximum(sizes.sum(axis=0), 1)[:, None]
        influence = influence + moved * (estimates[j] - estimate)[:, None]
    groups = arrangements.shape[1]
    error = np.sqrt(groups / (groups - 1) * (influence**2).sum(axis=1))
    return estimate, estimate / np.maximum(error, 1e-300)


def prefer_randomization(
    estimates: pd.DataFrame, study, control: str, plan: dict
) -> pd.DataFrame:
    """Publish the randomization interval where few clusters took up a policy as wholes.

    Only for another panel whose clusters hold several units, whose cohorts are constant
    within clusters, with fewer than `FEW_TREATED` treated clusters, and without covariates
    (the statistic has none). The rows ``primary`` and ``simple`` of `cs` then carry
    ``inference`` = ``randomization`` and no standard error, and are the published ones.

    Parameters
    ----------
    estimates
        Rows of ``estimates_<policy>``.
    study
        As returned by `study.read_outside`.
    control
        ``not_yet_treated`` or ``never_treated``.
    plan
        ``randomization.draws`` and ``designs.seed``.
    """
    if study.kind != "outside" or study.covariates:
        return estimates
    persons = study.persons.rename(columns={"entry_year": "cohort", "township": "cluster"})
    panel = study.years.merge(persons[["person_id", "cohort", "cluster"]], on="person_id")
    apart = persons["cluster"].nunique() < len(persons)
    if not apart or not is_adopted_by_cluster(panel, "cohort", "cluster"):
        return estimates
    first = panel.groupby("cluster")["cohort"].first()
    if first.notna().sum() >= FEW_TREATED:
        return estimates
    result = estimates.copy()
    names = {"unit": "person_id", "time": "year", "cohort": "cohort", "cluster": "cluster"}
    for term in ("primary", "simple"):
        rows = result["design"].eq("cs") & result["term"].eq(term)
        horizon = study.horizon if term == "primary" else None
        changes = sum_changes(
            panel, outcome=study.outcome, **names, control=control, horizon=horizon
        )
        found = randomize_adoption(
            changes, plan["randomization"]["draws"], plan["designs"]["seed"]
        )
        rows |= result["design"].eq("published") & result["term"].eq(term)
        told = {"estimate": found.estimate, "conf_low": found.conf_low}
        told |= {"conf_high": found.conf_high, "p_value": found.p_value}
        told |= {"std_error": np.nan, "mde": np.nan, "inference": "randomization"}
        result.loc[rows, list(told)] = list(told.values())
    return result
