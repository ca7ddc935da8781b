"""A notebook's regression becomes a row like any other."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from evaluation.effects.estimates import COLUMNS
from evaluation.effects.regression import tabulate_regression


def test_the_row_holds_the_coefficient_and_counts_persons_once():
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"person_id": np.arange(300) % 200, "cluster": np.arange(300) % 6})
    rows["treated"] = (rows["person_id"] < 50).astype(int)
    rows["y"] = 0.5 * rows["treated"] + rng.normal(size=300)
    groups = {"groups": rows["cluster"]}
    fit = smf.ols("y ~ treated", rows).fit(cov_type="cluster", cov_kwds=groups, use_t=True)
    table = tabulate_regression(fit, rows, year=2024, policy="loan", outcome="y", horizon=2)
    row = table.iloc[0]
    assert list(table) == COLUMNS
    assert row["result_id"] == "2024.loan.regression.primary.y.all"
    assert (row["n_obs"], row["n_treated"], row["n_clusters"]) == (200, 50, 6)
    half = (row["conf_high"] - row["conf_low"]) / 2
    assert half / row["std_error"] == pytest.approx(2.570582)  # t with 5 degrees of freedom
    assert row["conf_low"] < 0.5 < row["conf_high"]
