"""The table of what a result withstands: honest bounds, breakdown, tests before entry."""

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import GroupTime, interval, pool_at
from evaluation.effects.bounds import find_breakdown, relative_magnitudes
from evaluation.effects.estimates import LABELS
from evaluation.effects.events import EventStudy, gather_events
from evaluation.effects.pretrends import examine_pretrends
from evaluation.effects.smoothness import smooth_trends

COLUMNS = [
    *LABELS,
    "m",
    "estimate",
    "conf_low",
    "conf_high",
    "p_value",
    "power",
    "bias",
    "n_obs",
    "n_treated",
    "n_clusters",
]


def bound_horizon(events: EventStudy, m_bars, slope_changes=()) -> pd.DataFrame:
    """Bounds on the effect at the horizon, the wider of those by person and by cluster.

    Returns
    -------
    pandas.DataFrame
        ``term`` (``relative_magnitudes`` for each M̄, ``breakdown`` once with its M̄, and
        ``smoothness`` for each M), ``m, conf_low, conf_high``.
    """
    parts = []
    for covariance in events.widened():
        given = (events.estimates, covariance, events.times, events.at_horizon)
        relative = relative_magnitudes(*given, m_bars).rename(columns={"m_bar": "m"})
        breakdown = pd.DataFrame({"m": [find_breakdown(*given)]})
        smooth = smooth_trends(*given, slope_changes)
        named = {"relative_magnitudes": relative, "breakdown": breakdown, "smoothness": smooth}
        rows = [table.assign(term=term) for term, table in named.items()]
        parts.append(pd.concat(rows, ignore_index=True))
    first, last = parts[0], parts[-1]
    return first.assign(
        m=np.minimum(first["m"], last["m"]),
        conf_low=np.fmin(first["conf_low"], last["conf_low"]),
        conf_high=np.fmax(first["conf_high"], last["conf_high"]),
    )


def tabulate_sensitivity(cs: GroupTime, study, horizon: int, plan: dict) -> pd.DataFrame:
    """The table ``bounds_<policy>``: shown beside the result, never a gate.

    Parameters
    ----------
    cs
        The design, cohorts that have reached the horizon.
    study
        ``kind, edition, policy, outcome, subgroup, event_times``.
    plan
        ``sensitivity`` holds the values of M̄ and M, ``estimand`` the effect that
        matters, against which the tests' power is told.

    Returns
    -------
    pandas.DataFrame
        Key ``result_id``; empty without an effect at the horizon or years before the
        base. ``m`` is M̄ or M, and in the row ``breakdown`` the M̄ from which on the bounds
        hold zero. ``estimate`` is the effect, in the row ``pretrend_slope`` the drift carried
        to the horizon; ``power`` and ``bias`` as `pretrends.examine_pretrends` says.
    """
    asked, matters = plan["sensitivity"], plan["estimand"]["effect_that_matters"]
    least = 1 if study.kind == "outside" else plan["disclosure"]["min_count"]
    events = gather_events(cs, horizon, study.event_times, least)
    if events is None:
        return pd.DataFrame(columns=COLUMNS)
    target = interval(pool_at(cs, horizon), cs.units["cluster"])
    bounds = bound_horizon(events, asked["m_bars"], asked["slope_changes"])
    tests = examine_pretrends(cs, events, matters, seed=plan["designs"]["seed"])
    tests = tests.assign(term="pretrend_" + tests.pop("test"))
    # The interval under smoothness is centred elsewhere: on the extrapolated effect.
    own = bounds["term"].ne("smoothness")
    bounds["estimate"] = np.where(own, target["estimate"], np.nan)
    rows = pd.concat([bounds, tests], ignore_index=True)
    same = {"year": study.edition, "policy": study.policy, "outcome": study.outcome}
    same |= {"subgroup": study.subgroup, "design": "cs", "event_time": horizon}
    rows = rows.assign(**same, **{n: target[n] for n in ("n_obs", "n_treated", "n_clusters")})
    rows["result_id"] = [_name(row) for row in rows.to_dict("records")]
    return rows.reindex(columns=COLUMNS)


def _name(row: dict) -> str:
    """Such as ``2024.post.cs.relative_magnitudes.employed_open.all.50`` for M̄ = 0.5.

    M̄ counts in hundredths, M in thousandths.
    """
    names = [row[name] for name in ("year", "policy", "design", "term", "outcome", "subgroup")]
    scale = {"relative_magnitudes": 100, "smoothness": 1000}.get(row["term"])
    tail = [] if scale is None else [round(row["m"] * scale)]
    return ".".join(map(str, names + tail))
