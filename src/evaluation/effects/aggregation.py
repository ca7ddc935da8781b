"""Effects of cohorts at times, pooled with the influence of each person."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

TERMS = ("simple", "dynamic", "group", "calendar")
COLUMNS = [
    "term",
    "event_time",
    "cohort",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "p_value",
    "inference",
    "n_obs",
    "n_treated",
    "n_clusters",
]
# Whole numbers, some of them missing.
WHOLE = dict.fromkeys(["event_time", "cohort", "n_obs", "n_treated", "n_clusters"], "Int64")


@dataclass(frozen=True)
class GroupTime:
    """Effects by cohort and time with the influence of each unit on them.

    Attributes
    ----------
    effects
        Key ``(cohort, time)``: ``event_time, estimate, n_treated, n_comparison``, and
        ``expected``: what the treated's influence is multiplied by to answer for the
        expected effect alone (1 unless `widen_treated` widened it).
    influence
        Units × effects, scaled so that a variance is ``mean(influence**2) / n``.
    role
        Units × effects: 1 treated, -1 comparison, 0 not used.
    units
        Key ``unit``, with ``cluster`` (categorical, so that no interval has to find the
        clusters again); in the order of the rows of `influence`.
    """

    effects: pd.DataFrame
    influence: np.ndarray
    role: np.ndarray
    units: pd.DataFrame


@dataclass(frozen=True)
class Pooled:
    """One pooled effect: its estimate, each unit's influence, and who was used."""

    estimate: float
    influence: np.ndarray
    treated: np.ndarray
    used: np.ndarray


def name_cell(
    cohort, time, estimate, codes, treated, contribution, untreated_variance=None
) -> dict:
    """One (cohort, time): its estimate and what each row (of unit `codes`) contributes.

    The sum of squared contributions, added up by unit, is the variance. With
    `untreated_variance` they also serve the realised effect (`widen_treated`).
    """
    treated, expected = np.asarray(treated, dtype=bool), 1.0
    if untreated_variance is not None:
        found = np.sum(contribution[treated] ** 2)
        contribution = widen_treated(contribution, treated, untreated_variance)
        wide = np.sum(contribution[treated] ** 2)
        expected = float(np.sqrt(found / wide)) if wide > 0 else 1.0
    return {
        "cohort": int(cohort),
        "time": int(time),
        "estimate": estimate,
        "expected": expected,
        "codes": codes,
        "treated": treated,
        "contribution": contribution,
    }


def widen_treated(
    contribution: np.ndarray, treated: np.ndarray, untreated_variance: float
) -> np.ndarray:
    """Widen what the treated contribute, so that the interval also serves *their* effect.

    Influence functions answer for the expected effect: a treated person adds the spread
    of outcomes *with* the policy. What happened to these very persons less what would
    have happened to them (the sample average effect on the treated) errs instead by
    the spread of outcomes *without* it, which is identified and may be larger: where a
    loan puts nearly everybody in work it is their fate without it that varies.
    Sekhon and Shem-Tov (2021) for experiments, Yiu (2024, arXiv 2402.05844) for
    observed data. The larger of the two serves both.

    Parameters
    ----------
    contribution
        Per row; their sum of squares is the variance of the expected effect.
    treated
        Boolean, per row; treated rows weigh alike.
    untreated_variance
        Variance of the outcome without the policy around its prediction, among the
        comparison weighted to resemble the treated.

    Returns
    -------
    numpy.ndarray
        The contributions, those of the treated scaled where their spread is the smaller.
    """
    own, n = contribution[treated], int(treated.sum())
    found, wanted = np.sum(own**2), untreated_variance / n
    if found >= wanted:
        return contribution
    if found < 1e-9 * wanted:  # one person, or all alike: nothing there to scale
        own, found = np.where(np.arange(n) % 2, -1.0, 1.0), float(n)
    result = contribution.copy()
    result[treated] = own * np.sqrt(wanted / found)
    return result


def stack_effects(
    cells: Iterable[dict], units: pd.DataFrame, at_most: int | None = None
) -> GroupTime:
    """Put single estimates together; a unit's repeated rows add up to its influence.

    Where it is known that there are `at_most` so many, they are taken one by one as they
    are made, so that none is held twice.
    """
    cells = list(cells) if at_most is None else cells
    n, wide = len(units), len(cells) if at_most is None else at_most
    # Read by column, effect after effect.
    influence, role = np.empty((wide, n)), np.zeros((wide, n), dtype=np.int8)
    found = []
    for j, cell in enumerate(cells):
        codes, treated = cell["codes"], cell["treated"]
        influence[j] = np.bincount(codes, cell["contribution"], minlength=n)
        influence[j] *= n
        role[j, codes[~treated]] = -1
        role[j, codes[treated]] = 1
        found.append({n: cell[n] for n in ("cohort", "time", "estimate", "expected")})
    influence, role = influence[: len(found)].T, role[: len(found)].T
    columns = ["cohort", "time", "estimate", "expected"]
    effects = pd.DataFrame(found, columns=columns).astype(dict.fromkeys(columns[2:], float))
    effects.insert(2, "event_time", effects["time"] - effects["cohort"])
    for name, kind in (("n_treated", 1), ("n_comparison", -1)):
        effects[name] = [int((one == kind).sum()) for one in role.T]
    whole = dict.fromkeys(["cohort", "time", "event_time"], "int64")
    units = units.reset_index(drop=True).astype({"cluster": "category"})
    return GroupTime(effects.astype(whole), influence, role, units)


def keep_cohorts(group_time: GroupTime, cohorts) -> GroupTime:
    """Effects of some cohorts only, such as those that have reached the horizon."""
    kept = group_time.effects["cohort"].isin(list(cohorts)).to_numpy()
    return GroupTime(
        group_time.effects[kept].reset_index(drop=True),
        group_time.influence[:, kept],
        group_time.role[:, kept],
        group_time.units,
    )


def pool(group_time: GroupTime, columns, expected: bool = False) -> Pooled:
    """Average of several effects, each weighted by its treated units.

    The influence holds the estimation of the weights (R ``did::aggte``, ``wif``).
    `expected`: it answers for the expected effect alone, without `widen_treated`.
    """
    columns = np.asarray(columns)
    role = group_time.role[:, columns]
    estimates = group_time.effects["estimate"].to_numpy()[columns]
    influence = [group_time.influence[:, j] for j in columns]
    if expected:
        narrower = group_time.effects["expected"].to_numpy()[columns]
        pairs = zip(influence, role.T, narrower, strict=True)
        influence = [one * np.where(kind == 1, by, 1.0) for one, kind, by in pairs]
    estimate, influence = _weigh(estimates, influence, [one == 1 for one in role.T])
    return Pooled(estimate, influence, (role == 1).any(axis=1), role.any(axis=1))


def _weigh(estimates, influence, treated) -> tuple[float, np.ndarray]:
    """Average weighted by treated units, with the influence of its weights.

    Influence and treated units come as one array per effect, so that the many units need
    not be copied.

    The weights are shares s / Σs; a unit treated in a column moves them by
    (estimate of the column − average) / Σs, and the means of that cancel.
    """
    share = np.array([one.mean() for one in treated])
    weights = share / share.sum()
    estimate = float(weights @ estimates)
    pooled = np.zeros(len(treated[0]))
    for one, own, weight, gap in zip(
        influence, treated, weights, (estimates - estimate) / share.sum(), strict=True
    ):
        pooled += one * weight
        pooled[own] += gap
    return estimate, pooled


def average(parts: list[Pooled], by_size: bool = False) -> Pooled:
    """Average of pooled effects: plain, or by their treated units."""
    estimates = np.array([part.estimate for part in parts])
    influence, treated = [part.influence for part in parts], [part.treated for part in parts]
    if by_size:
        estimate, pooled = _weigh(estimates, influence, treated)
    else:
        estimate, pooled = estimates.mean(), sum(influence) / len(parts)
    used = np.logical_or.reduce([part.used for part in parts])
    return Pooled(estimate, pooled, np.logical_or.reduce(treated), used)


def pool_by(group_time: GroupTime, column: str, after: bool = False) -> dict[int, Pooled]:
    """Pooled effects per ``event_time``, ``cohort`` or ``time``; `after`: from entry on.

    Per cohort the times count alike; otherwise cohorts count by their treated units.
    """
    effects = group_time.effects
    if after:
        effects = effects[effects["event_time"] >= 0]
    groups = {int(k): list(rows.index) for k, rows in effects.groupby(column)}
    if column != "cohort":
        return {k: pool(group_time, columns) for k, columns in groups.items()}
    return {
        k: average([pool(group_time, [j]) for j in columns]) for k, columns in groups.items()
    }


def pool_at(group_time: GroupTime, event_time: int | None, expected=False) -> Pooled | None:
    """The pooled effect at one event time (see `pool`); none without such an effect."""
    columns = np.flatnonzero(group_time.effects["event_time"] == event_time)
    return pool(group_time, columns, expected) if len(columns) else None


def pool_term(group_time: GroupTime, term: str) -> Pooled | None:
    """One of the usual aggregations over all times from entry on; none without such times."""
    after = group_time.effects.query("event_time >= 0").index.to_list()
    if not after:
        return None
    if term == "simple":
        return pool(group_time, after)
    column = {"dynamic": "event_time", "group": "cohort", "calendar": "time"}[term]
    parts = list(pool_by(group_time, column, after=True).values())
    return average(parts, by_size=term == "group")


def interval(pooled: Pooled, cluster, confidence: float = 0.95) -> dict:
    """The wider of a person-level interval and one by cluster.

    By person: normal, as R does. By cluster: sums of influence, G/(G−1), t(G−1).
    Entry is decided person by person, so the first answers for this district and
    the second for townships like these; the wider covers 95–97 % (3-effects).
    Where each unit is its own cluster there is only the first.

    Returns
    -------
    dict
        ``estimate, std_error, conf_low, conf_high, p_value, inference, n_obs,
        n_treated, n_clusters``.
    """
    psi, n = pooled.influence, len(pooled.influence)
    codes = pd.Series(cluster).astype("category").cat.codes.to_numpy()
    error, half = np.sqrt(np.sum(psi**2)) / n, special.ndtri(0.5 + confidence / 2)
    inference, groups = "person", np.count_nonzero(np.bincount(codes[pooled.used]))
    if 1 < groups < pooled.used.sum():
        sums = np.bincount(codes, psi) / n
        coarse = np.sqrt(groups / (groups - 1) * np.sum(sums**2))
        wide = special.stdtrit(groups - 1, 0.5 + confidence / 2)
        if coarse * wide > error * half:
            error, half, inference = coarse, wide, "cluster"
    ratio = abs(pooled.estimate) / error if error > 0 else np.nan
    tail = special.ndtr(-ratio) if inference == "person" else special.stdtr(groups - 1, -ratio)
    return {
        "estimate": pooled.estimate,
        "std_error": error if error > 0 else np.nan,
        "conf_low": pooled.estimate - half * error if error > 0 else np.nan,
        "conf_high": pooled.estimate + half * error if error > 0 else np.nan,
        "p_value": 2 * tail,
        "inference": inference,
        "n_obs": int(pooled.used.sum()),
        "n_treated": int(pooled.treated.sum()),
        "n_clusters": groups,
    }


def aggregate(group_time: GroupTime, term: str, horizon: int | None = None) -> pd.DataFrame:
    """Tidy rows of one term.

    Parameters
    ----------
    term
        ``primary`` (the effect at event time `horizon`; without one, ``simple``),
        ``simple``, ``dynamic``, ``group``, ``calendar`` (one row each), ``event``
        (one row per event time) or ``group_time``.

    Returns
    -------
    pandas.DataFrame
        ``term, event_time, cohort`` and what `interval` gives; no row where no
        cohort has such an effect.
    """
    return aggregate_terms(group_time, [term], horizon)


def aggregate_terms(group_time: GroupTime, terms, horizon: int | None = None) -> pd.DataFrame:
    """Tidy rows of several terms below each other; see `aggregate`."""
    cluster = group_time.units["cluster"]
    rows = [
        {"term": term, "event_time": e, "cohort": g} | interval(pooled, cluster)
        for term in terms
        for (g, e), pooled in _find_pooled(group_time, term, horizon).items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype(WHOLE)


def _find_pooled(group_time, term, horizon) -> dict[tuple, Pooled]:
    """Pooled effects of a term by cohort and event time, none where it has no such."""
    if term == "group_time":
        pairs = zip(group_time.effects["cohort"], group_time.effects["event_time"], strict=True)
        return {pair: pool(group_time, [j]) for j, pair in enumerate(pairs)}
    if term == "event":
        return {(None, e): p for e, p in pool_by(group_time, "event_time").items()}
    if term == "primary" and horizon is not None:
        found = {(None, horizon): pool_at(group_time, horizon)}
    else:
        found = {(None, None): pool_term(group_time, "simple" if term == "primary" else term)}
    return {place: pooled for place, pooled in found.items() if pooled is not None}


def unite_designs(first: Mapping, second: Mapping) -> dict:
    """The published result of two designs: their mean, and the union of their intervals.

    Where the designs disagree one is wrong and one cannot see which (Ding and Li 2019),
    so the interval reaches from the lower lower limit to the higher upper one, p is the
    larger of the two, and there is no standard error.
    """

    def both(name, choose):
        return choose(first[name], second[name])

    return {
        "estimate": both("estimate", np.add) / 2,
        "std_error": np.nan,
        "conf_low": both("conf_low", np.minimum),
        "conf_high": both("conf_high", np.maximum),
        "p_value": both("p_value", np.maximum),
        "inference": "union",
        "n_obs": int(both("n_obs", min)),
        "n_treated": int(both("n_treated", min)),
        "n_clusters": int(both("n_clusters", min)),
    }
