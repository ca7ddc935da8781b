"""What an additional person in open work costs the public purse."""

import numpy as np
import pandas as pd
from scipy import stats

EFFECTIVE = ("effective", "effective_small")
HARMFUL = ("harmful", "harmful_small")
COLUMNS = [
    "policy",
    "result_id",
    "state",
    "cost_per_participant",
    "cost_per_job",
    "conf_low",
    "conf_high",
    "deadweight",
    "n_participants",
]


def fieller_interval(
    cost: float,
    effect: float,
    cost_variance: float,
    effect_variance: float,
    covariance: float,
    critical: float,
) -> tuple[float, float] | None:
    """Interval of cost ÷ effect (Fieller 1954).

    All ratios r for which cost − r × effect does not differ from zero. None where that
    set has no end: the interval of the effect itself reaches zero.
    """
    a = effect**2 - critical**2 * effect_variance
    if a <= 0:
        return None
    b = cost * effect - critical**2 * covariance
    c = cost**2 - critical**2 * cost_variance
    root = np.sqrt(max(b**2 - a * c, 0.0))
    return float((b - root) / a), float((b + root) / a)


def list_costs(influence: pd.DataFrame, costs: pd.Series) -> pd.Series:
    """Cost of each participant that was evaluated, yuan; one without a row cost nothing.

    Parameters
    ----------
    influence, costs
        See `summarise_influence`.
    """
    treated = influence.loc[influence["treated"] == 1, "person_id"]
    return treated.map(costs).astype("float64").fillna(0.0)


def summarise_influence(influence: pd.DataFrame, costs: pd.Series) -> pd.DataFrame:
    """Mean cost of the treated with its variance, and covariance with each design.

    Parameters
    ----------
    influence
        Table ``influence_<policy>``: key ``person_id``; ``treated`` (0/1, evaluated at
        the horizon), and for each design its contributions, whose sum of squares is
        the variance of the estimate.
    costs
        Yuan by ``person_id``; a participant without a row cost nothing.
    """
    treated = influence["treated"] == 1
    cost = influence["person_id"].map(costs).fillna(0.0).where(treated, 0.0)
    mean, n = cost[treated].mean(), int(treated.sum())
    own = (cost - mean).where(treated, 0.0) / max(n, 1)
    designs = [name for name in influence if name in ("cs", "balanced")]
    return pd.DataFrame(
        {
            "design": designs,
            "cost": mean,
            "cost_variance": float((own**2).sum()),
            "covariance": [float((own * influence[name]).sum()) for name in designs],
        }
    )


def value_policy(
    verdict: pd.Series,
    estimates: pd.DataFrame,
    influence: pd.DataFrame,
    paths: pd.DataFrame,
    costs: pd.Series,
) -> dict:
    """One row of the value table.

    A cost per additional job stands only beside an effective verdict (state
    ``bounded``); otherwise it is ``unbounded``, and ``none`` where the policy harms or
    nothing could be estimated. The interval is the union of both designs' Fieller
    intervals, as the published interval of the effect is a union.

    Parameters
    ----------
    verdict
        The row of ``verdict_<policy>``.
    estimates
        Rows of ``estimates_<policy>``.
    influence, costs
        See `summarise_influence`.
    paths
        Rows of ``paths_<policy>``: of the participants in work at the horizon,
        ``deadweight`` would have been so without the policy.
    """
    policy, name = verdict["policy"], verdict["result_id"]
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "policy": policy,
        "result_id": name,
        "state": "none",
        "n_participants": verdict["n_evaluated"],
    }
    published = estimates[estimates["result_id"] == name]
    if published.empty or influence.empty:
        return row
    parts = summarise_influence(influence, costs).set_index("design")
    row["cost_per_participant"] = parts["cost"].iloc[0]
    if verdict["verdict"] in HARMFUL or not published["conf_high"].iloc[0] >= 0:
        return row
    row["state"] = "unbounded"
    if verdict["verdict"] not in EFFECTIVE:
        return row
    intervals = []
    for design, part in parts.iterrows():
        found = estimates[estimates["result_id"] == name.replace("published", design)].iloc[0]
        half = found["conf_high"] - found["estimate"]
        critical = half / found["std_error"]
        error = max(critical, stats.norm.ppf(0.975)) if np.isfinite(critical) else np.nan
        intervals.append(
            fieller_interval(
                part["cost"],
                found["estimate"],
                part["cost_variance"],
                found["std_error"] ** 2,
                part["covariance"],
                error,
            )
        )
    if None in intervals:
        return row
    share = paths[paths["event_time"] == verdict["horizon"]].set_index("group")["share"]
    row["deadweight"] = share.get("comparison", np.nan) / share.get("treated", np.nan)
    row["state"] = "bounded"
    row["cost_per_job"] = row["cost_per_participant"] / published["estimate"].iloc[0]
    row["conf_low"] = min(low for low, _ in intervals)
    row["conf_high"] = max(high for _, high in intervals)
    return row
