"""Tests of trends before entry: what they would see, and what passing them hides.

Roth (2022): a test that a relevant drift passes half of the time proves little, and in
the data sets that pass it the estimate may be further off than in all. Each test is
told with its p-value, its power against a straight drift that reaches a given size at
the horizon, and the mean error that this drift leaves in the estimate where the test
has passed. Shown, never a gate.
"""

import numpy as np
import pandas as pd
from scipy import special, stats

from evaluation.effects.aggregation import GroupTime, interval, pool_at
from evaluation.effects.events import BASE, EventStudy
from evaluation.effects.gates import drift_at
from evaluation.effects.power import critical_value, detection_power

DRAWS = 100_000
COLUMNS = ["test", "estimate", "conf_low", "conf_high", "p_value", "power", "bias"]


def examine_pretrends(
    group_time: GroupTime,
    events: EventStudy,
    drift: float,
    *,
    significance: float = 0.05,
    seed: int = 0,
) -> pd.DataFrame:
    """The three tests of trends before entry side by side.

    Parameters
    ----------
    group_time, events
        The design, cohorts that have reached the horizon, and its event study.
    drift
        Size of the straight drift at the horizon, in units of the outcome.
    seed
        Of the draws behind `examine_points`.

    Returns
    -------
    pandas.DataFrame
        Key ``test``: ``joint`` (all coefficients are zero), ``slope`` (the slope of the
        gate, carried to the horizon) and ``points`` (no coefficient is significant by
        itself: what the eye does). ``estimate, conf_low, conf_high`` of the slope's drift
        only; ``p_value, power, bias``.
    """
    rows = {
        "joint": examine_jointly(events, drift, significance),
        "slope": examine_slope(group_time, events, drift, significance),
        "points": examine_points(events, drift, significance, seed),
    }
    return pd.DataFrame([{"test": name} | row for name, row in rows.items()], columns=COLUMNS)


def straight_drift(events: EventStudy, at_horizon: float) -> np.ndarray:
    """A line through zero at the base year that reaches `at_horizon` at the horizon."""
    return at_horizon * (events.times - BASE) / (events.times[-1] - BASE)


def examine_jointly(events: EventStudy, drift: float, significance: float = 0.05) -> dict:
    """Wald test that all coefficients before the base year are zero.

    By person χ²; by cluster, where there are enough of them, Hotelling's T² with G−1
    degrees of freedom. Told are the larger p-value and the smaller power of the two.
    What passes a χ² test has its standardised coefficients shrunk towards zero by a ratio
    of noncentral χ² probabilities with K+2 and K degrees of freedom; the estimate at the
    horizon follows by their regression.
    """
    before, path, found = events.before, straight_drift(events, drift)[events.before], []
    for name, covariance in events.covariances.items():
        inner, beta = covariance[np.ix_(before, before)], events.estimates[before]
        inverse = np.linalg.pinv(inner, rcond=1e-8, hermitian=True)
        k = np.linalg.matrix_rank(inner, rtol=1e-8, hermitian=True)
        wald, shift = beta @ inverse @ beta, path @ inverse @ path
        freedom = events.n_clusters - k
        if name == "person":
            limit = stats.chi2.isf(significance, k)
            p, power = stats.chi2.sf(wald, k), stats.ncx2.sf(limit, k, shift)
        elif freedom > 0:
            scale = k * (events.n_clusters - 1) / freedom
            limit = scale * stats.f.isf(significance, k, freedom)
            p = stats.f.sf(wald / scale, k, freedom)
            power = 1 - special.ncfdtr(k, freedom, shift, limit / scale)
        else:
            continue
        passing = [stats.ncx2.cdf(limit, k + more, shift) for more in (2, 0)]
        shrunk = passing[0] / passing[1] if passing[1] > 1e-12 else np.nan
        pull = covariance[before, -1] @ inverse @ path
        found.append((p, power, drift + (shrunk - 1) * pull))
    weakest = min(found, key=lambda row: row[1])
    return {"p_value": max(row[0] for row in found), "power": weakest[1], "bias": weakest[2]}


def examine_slope(
    group_time: GroupTime, events: EventStudy, drift: float, significance: float = 0.05
) -> dict:
    """The slope of the drift gate, through all earlier years, carried to the horizon.

    Passing leaves a normal variable between two limits; its mean is known, and the
    estimate at the horizon follows by its regression on the slope.
    """
    horizon, cluster = int(events.times[-1]), group_time.units["cluster"]
    carried, target = drift_at(group_time, horizon), pool_at(group_time, horizon)
    row = interval(carried, cluster)
    size = row["n_clusters"], row["inference"]
    error, critical = row["std_error"], critical_value(*size, significance)
    parts = [carried.influence, target.influence]
    if row["inference"] == "cluster":
        parts = [np.bincount(cluster.cat.codes, part) for part in parts]
    regression = parts[0] @ parts[1] / (parts[0] @ parts[0])
    low, high = -critical - drift / error, critical - drift / error
    mass = special.ndtr(high) - special.ndtr(low)
    pull = error * (stats.norm.pdf(low) - stats.norm.pdf(high)) / mass
    return {name: row[name] for name in ("estimate", "conf_low", "conf_high", "p_value")} | {
        "power": detection_power(drift, error, *size, significance),
        "bias": drift + regression * pull,
    }


def examine_points(
    events: EventStudy, drift: float, significance: float = 0.05, seed: int = 0
) -> dict:
    """Whether any coefficient before the base year is significant by itself.

    What readers of an event study do, and what the R package ``pretrends`` reports; by
    simulation from the coefficients' normal distribution. Without any drift it sees one
    more often than in 5 of 100; the p-value, of the largest of them, allows for that.
    """
    before, path, found = events.before, straight_drift(events, drift), []
    for covariance in events.widened(1 - significance):
        inner, sd = covariance[np.ix_(before, before)], np.sqrt(np.diag(covariance)[before])
        values, axes = np.linalg.eigh(inner)
        root = axes * np.sqrt(np.maximum(values, 0.0))
        draws = np.random.default_rng(seed).standard_normal((DRAWS, len(sd))) @ root.T
        largest = np.abs(events.estimates[before] / sd).max()
        p = np.mean(np.abs(draws / sd).max(axis=1) >= largest)
        drifting = draws + path[before]
        passed = np.abs(drifting / sd).max(axis=1) < stats.norm.isf(significance / 2)
        regression = np.linalg.pinv(inner, hermitian=True) @ covariance[before, -1]
        bias = drift + draws[passed].mean(axis=0) @ regression if passed.any() else np.nan
        found.append((p, 1 - passed.mean(), bias))
    weakest = min(found, key=lambda row: row[1])
    return {"p_value": max(row[0] for row in found), "power": weakest[1], "bias": weakest[2]}
