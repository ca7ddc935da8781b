"""A regression that a researcher wrote in a notebook, as a row of the table of estimates."""

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import WHOLE
from evaluation.effects.estimates import COLUMNS, make_result_id
from evaluation.effects.power import minimum_detectable_effect


def tabulate_regression(
    fit, rows: pd.DataFrame, *, year, policy, outcome, horizon, name="regression"
) -> pd.DataFrame:
    """Tidy the coefficient of ``treated`` of a regression clustered by township.

    Parameters
    ----------
    fit
        Results of ``statsmodels``, fitted with ``cov_type="cluster"`` and ``use_t=True``.
    rows
        What it was fitted on, with ``person_id``, ``treated`` and ``cluster``.
    name
        Of the design.

    Returns
    -------
    pandas.DataFrame
        One row, columns of ``estimates_<policy>``; persons are counted once.
    """
    low, high = fit.conf_int().loc["treated"]
    treated = rows["treated"] == 1
    row = dict.fromkeys(COLUMNS, np.nan) | {
        "year": year,
        "policy": policy,
        "outcome": outcome,
        "subgroup": "all",
        "design": name,
        "term": "primary",
        "event_time": horizon,
        "estimate": fit.params["treated"],
        "std_error": fit.bse["treated"],
        "conf_low": low,
        "conf_high": high,
        "p_value": fit.pvalues["treated"],
        "inference": "cluster",
        "n_obs": rows["person_id"].nunique(),
        "n_treated": rows.loc[treated, "person_id"].nunique(),
        "n_clusters": rows["cluster"].nunique(),
    }
    row["mde"] = minimum_detectable_effect(row["std_error"], row["n_clusters"], "cluster")
    row["result_id"] = make_result_id(row)
    return pd.DataFrame([row], columns=COLUMNS).astype(WHOLE)
