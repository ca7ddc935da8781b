"""Effects of cohorts at times, pooled with the influence of each person."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

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


@dataclass(frozen=True)
class GroupTime:
    """Effects by cohort and time with the influence of each unit on them.

    Attributes
    ----------
    effects
        Key ``(cohort, time)``: ``event_time, estimate, n_treated, n_comparison``.
    influence
        Units × effects, scaled so that a variance is ``mean(influence**2) / n``.
    role
        Units × effects: 1 treated, -1 comparison, 0 not used.
    units
        Key ``unit``, with ``cluster``; in the order of the rows of `influence`.
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


def name_cell(cohort, time, estimate, codes, treated, contribution) -> dict:
    """One (cohort, time): its estimate and what each row (of unit `codes`) contributes.

    The sum of squared contributions, added up by unit, is the variance.
    """
    return {
        "cohort": int(cohort),
        "time": int(time),
        "estimate": estimate,
        "codes": codes,
        "treated": np.asarray(treated, dtype=bool),
        "contribution": contribution,
    }


def serve_realised(
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


def stack_effects(cells: list[dict], units: pd.DataFrame) -> GroupTime:
    """Put single estimates together; a unit's repeated rows add up to its influence."""
    n = len(units)
    influence, role = np.zeros((n, len(cells))), np.zeros((n, len(cells)), dtype=np.int8)
    for j, cell in enumerate(cells):
        codes, treated = cell["codes"], cell["treated"]
        influence[:, j] = n * np.bincount(codes, cell["contribution"], minlength=n)
        role[codes[~treated], j] = -1
        role[codes[treated], j] = 1
    columns = ["cohort", "time", "event_time", "estimate", "n_treated", "n_comparison"]
    rows = [
        (c["cohort"], c["time"], c["time"] - c["cohort"], c["estimate"], *_sizes(role[:, j]))
        for j, c in enumerate(cells)
    ]
    effects = pd.DataFrame(rows, columns=columns).astype({"estimate": float})
    whole = dict.fromkeys(["cohort", "time", "event_time"], "int64")
    return GroupTime(effects.astype(whole), influence, role, units.reset_index(drop=True))


def _sizes(role: np.ndarray) -> tuple[int, int]:
    return int((role == 1).sum()), int((role == -1).sum())


def keep_cohorts(group_time: GroupTime, cohorts) -> GroupTime:
    """Effects of some cohorts only, such as those that have reached the horizon."""
    kept = group_time.effects["cohort"].isin(list(cohorts)).to_numpy()
    return GroupTime(
        group_time.effects[kept].reset_index(drop=True),
        group_time.influence[:, kept],
        group_time.role[:, kept],
        group_time.units,
    )


def pool(group_time: GroupTime, columns) -> Pooled:
    """Average of several effects, each weighted by its treated units.

    The influence holds the estimation of the weights (R ``did::aggte``, ``wif``).
    """
    columns = np.asarray(columns)
    estimates = group_time.effects["estimate"].to_numpy()[columns]
    treated = group_time.role[:, columns] == 1
    share = treated.mean(axis=0)
    weights = share / share.sum()
    centred = treated - share
    of_weights = centred @ estimates - centred.sum(axis=1) * (weights @ estimates)
    influence = group_time.influence[:, columns] @ weights + of_weights / share.sum()
    used = (group_time.role[:, columns] != 0).any(axis=1)
    return Pooled(float(weights @ estimates), influence, treated.any(axis=1), used)


def average(parts: list[Pooled], by_size: bool = False) -> Pooled:
    """Average of pooled effects: plain, or by their treated units."""
    estimates = np.array([part.estimate for part in parts])
    influence = np.column_stack([part.influence for part in parts])
    treated = np.column_stack([part.treated for part in parts])
    used = np.column_stack([part.used for part in parts]).any(axis=1)
    if not by_size:
        return Pooled(estimates.mean(), influence.mean(axis=1), treated.any(axis=1), used)
    share = treated.mean(axis=0)
    weights, centred = share / share.sum(), treated - share
    of_weights = centred @ estimates - centred.sum(axis=1) * (weights @ estimates)
    pooled = influence @ weights + of_weights / share.sum()
    return Pooled(float(weights @ estimates), pooled, treated.any(axis=1), used)


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
    codes, names = pd.factorize(np.asarray(cluster))
    error, half, law = (
        np.sqrt(np.sum(psi**2)) / n,
        stats.norm.ppf(0.5 + confidence / 2),
        stats.norm,
    )
    inference, groups = "person", len(np.unique(codes[pooled.used]))
    if 1 < groups < pooled.used.sum():
        sums = np.bincount(codes, psi, minlength=len(names)) / n
        coarse = np.sqrt(groups / (groups - 1) * np.sum(sums**2))
        wide = stats.t(groups - 1).ppf(0.5 + confidence / 2)
        if coarse * wide > error * half:
            error, half, law, inference = coarse, wide, stats.t(groups - 1), "cluster"
    ratio = abs(pooled.estimate) / error if error > 0 else np.nan
    return {
        "estimate": pooled.estimate,
        "std_error": error if error > 0 else np.nan,
        "conf_low": pooled.estimate - half * error if error > 0 else np.nan,
        "conf_high": pooled.estimate + half * error if error > 0 else np.nan,
        "p_value": 2 * law.sf(ratio),
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
    cluster = group_time.units["cluster"]
    if term == "group_time":
        pairs = zip(group_time.effects["cohort"], group_time.effects["event_time"], strict=True)
        found = {pair: pool(group_time, [j]) for j, pair in enumerate(pairs)}
    elif term == "event" or (term == "primary" and horizon is not None):
        events = pool_by(group_time, "event_time")
        found = {(None, e): p for e, p in events.items() if term == "event" or e == horizon}
    else:
        whole = pool_term(group_time, "simple" if term == "primary" else term)
        found = {} if whole is None else {(None, None): whole}
    rows = [
        {"term": term, "event_time": e, "cohort": g} | interval(pooled, cluster)
        for (g, e), pooled in found.items()
    ]
    whole = dict.fromkeys(["event_time", "cohort", "n_obs", "n_treated", "n_clusters"], "Int64")
    return pd.DataFrame(rows, columns=COLUMNS).astype(whole)


def unite_designs(first: pd.Series, second: pd.Series) -> dict:
    """The published result of two designs: their mean, and the union of their intervals.

    Where the designs disagree one is wrong and one cannot see which (Ding and Li 2019),
    so the interval reaches from the lower lower limit to the higher upper one, p is the
    larger of the two, and there is no standard error.
    """
    rows = pd.DataFrame([first, second])
    return {
        "estimate": rows["estimate"].mean(skipna=False),
        "std_error": np.nan,
        "conf_low": rows["conf_low"].min(skipna=False),
        "conf_high": rows["conf_high"].max(skipna=False),
        "p_value": rows["p_value"].max(skipna=False),
        "inference": "union",
        "n_obs": int(rows["n_obs"].min()),
        "n_treated": int(rows["n_treated"].min()),
        "n_clusters": int(rows["n_clusters"].min()),
    }
