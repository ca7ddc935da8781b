"""What a result withstands from what nobody recorded and from who was lost, as table rows."""

import numpy as np
import pandas as pd

from evaluation.effects.assignment import gather_rows
from evaluation.effects.attrition import trim_better_followed
from evaluation.effects.hidden_bias import (
    fit_with_benchmark,
    robustness_value,
    times_as_strong,
)
from evaluation.effects.sensitivity import COLUMNS


def tabulate_hidden(study, horizon: int, estimates: pd.DataFrame, plan: dict) -> pd.DataFrame:
    """Rows of ``bounds_<policy>``: hidden bias, and bounds where follow-up differs.

    A regression of the outcome at the horizon on treatment, covariates, cohort and work
    before entry, over the drawn persons with their weights, stands for the designs; work
    before entry (all quarters together) is the benchmark.

    Parameters
    ----------
    study
        As returned by `study.load_study`.
    estimates
        Rows of ``estimates_<policy>`` with the published primary one.
    plan
        ``estimand.confidence``.

    Returns
    -------
    pandas.DataFrame
        Key ``result_id``, columns as in `sensitivity.COLUMNS`. Terms ``hidden_zero`` and
        ``hidden_interval``: ``m`` times as strong as work before entry takes the
        regression's ``estimate``, or the nearer limit of its interval, to zero;
        ``robustness_value``: ``m`` is the partial R² with both that does; ``lee``: the
        published estimate and interval moved by trimming the better followed group,
        ``m`` the share trimmed. Empty without recipients at the horizon.
    """
    outcome = study.settings()["outcome"]
    rows = gather_rows(
        study.risk_sets,
        study.years,
        study.stay_weights,
        outcome=outcome,
        horizon=horizon,
        cohorts=study.cohorts,
    )
    names = [*study.covariates, *study.history]
    known = rows["y"].notna() & rows[names].notna().all(axis=1)
    seen = rows[known]
    if not 0 < seen["treated"].sum() < len(seen) or not study.history:
        return pd.DataFrame(columns=COLUMNS)
    level = 1 - plan["estimand"]["confidence"]
    result = estimates.query("design == 'published' and term == 'primary'").head(1)
    result = result[["estimate", "conf_low", "conf_high"]].sum(min_count=1)
    fit = _regress(seen, study)
    found = [
        {"term": "hidden_zero", "m": times_as_strong(fit), "estimate": fit.estimate},
        {"term": "hidden_interval", "m": times_as_strong(fit, level), "estimate": fit.estimate},
        {"term": "robustness_value", "m": robustness_value(fit), "estimate": fit.estimate},
    ]
    trimmed = trim_better_followed(rows["y"], rows["treated"], rows["w"])
    found.append(
        {
            "term": "lee",
            "m": trimmed.share,
            "estimate": result["estimate"],
            "conf_low": result["conf_low"] - trimmed.down,
            "conf_high": result["conf_high"] + trimmed.up,
        }
    )
    same = {"year": study.edition, "policy": study.policy, "outcome": study.outcome}
    same |= {"subgroup": study.subgroup, "event_time": horizon}
    same |= {"n_obs": len(seen), "n_treated": int(seen["treated"].sum())}
    table = pd.DataFrame(found).assign(**same, n_clusters=seen["cluster"].nunique())
    table["design"] = np.where(table["term"] == "lee", "published", "regression")
    parts = ["year", "policy", "design", "term", "outcome", "subgroup"]
    table["result_id"] = table[parts].astype(str).agg(".".join, axis=1)
    return table.reindex(columns=COLUMNS)


def _regress(rows, study):
    cohorts = pd.get_dummies(rows["cohort"], drop_first=True, dtype=float).to_numpy()
    own = rows[study.covariates].to_numpy(dtype=float)
    return fit_with_benchmark(
        rows["y"].to_numpy(),
        rows["treated"].to_numpy(),
        np.column_stack([own, cohorts]),
        rows[study.history].to_numpy(dtype=float),
        rows["w"].to_numpy(),
    )
