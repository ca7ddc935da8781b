"""Imputation and two-way fixed effects: equal to other implementations, and by hand."""

import warnings

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from diff_diff import BaconDecomposition, ImputationDiD

from evaluation.effects.aggregation import aggregate, pool_at
from evaluation.effects.imputation import decompose_two_way, impute_effects, two_way_effect

NAMES = {"outcome": "y", "unit": "unit", "time": "year", "cohort": "cohort"}


def make_panel(seed=2, n=80, gaps=40, effect=1.0):
    """Units of 12 towns over 7 years, entry in years 3, 5 and 7 or never; some rows lost."""
    rng = np.random.default_rng(seed)
    years, entry = np.arange(1, 8), rng.choice([3, 5, 7, np.inf], n)
    town, level = rng.integers(0, 12, n), rng.normal(size=n)
    y = level[:, None] + rng.normal(size=7) + rng.normal(size=(12, 7))[town] / 3
    y += rng.normal(size=(n, 7))
    y += effect * np.maximum(years - entry[:, None] + 1, 0) ** 0.5
    frame = pd.DataFrame({"unit": np.arange(n), "cohort": entry, "town": town})
    frame = frame.loc[frame.index.repeat(7)].assign(year=np.tile(years, n), y=y.ravel())
    frame = frame.assign(cohort=frame["cohort"].replace(np.inf, np.nan))
    lost = rng.choice(len(frame), gaps, replace=False)
    return frame.reset_index(drop=True).drop(index=lost)


def fit_diff_diff(model, panel):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(
            panel.assign(cohort=panel["cohort"].fillna(0)),
            outcome="y", unit="unit", time="year", first_treat="cohort",
        )  # fmt: skip


def error_given_sizes(effects, event_time=None):
    """Standard error by cluster with the sizes of cohorts as they are, as the paper has it."""
    chosen = effects.effects["event_time"].ge(0)
    if event_time is not None:
        chosen = effects.effects["event_time"].eq(event_time)
    size = (effects.role[:, chosen] == 1).sum(axis=0)
    psi = effects.influence[:, chosen] @ (size / size.sum()) / len(effects.units)
    return np.sqrt((np.bincount(effects.units["cluster"].cat.codes, psi) ** 2).sum())


@pytest.mark.parametrize("cluster", [None, "town"])
def test_imputation_equals_an_independent_implementation(cluster):
    panel = make_panel()
    ours = impute_effects(panel, **NAMES, cluster=cluster)
    theirs = fit_diff_diff(ImputationDiD(cluster=cluster), panel)
    simple = aggregate(ours, "simple").iloc[0]
    assert simple["estimate"] == pytest.approx(theirs.overall_att, abs=1e-8)
    assert error_given_sizes(ours) == pytest.approx(theirs.overall_se, abs=1e-8)
    assert simple["std_error"] >= theirs.overall_se  # sizes of cohorts are drawn too


def test_every_event_time_equals_an_independent_implementation():
    panel = make_panel(seed=3)
    ours = impute_effects(panel, **NAMES)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = ImputationDiD().fit(
            panel.assign(cohort=panel["cohort"].fillna(0)), aggregate="event_study",
            outcome="y", unit="unit", time="year", first_treat="cohort",
        ).event_study_effects  # fmt: skip
    times = sorted(set(ours.effects["event_time"]))
    assert times == [0, 1, 2, 3, 4]
    for e in times:
        assert pool_at(ours, e).estimate == pytest.approx(theirs[e]["effect"], abs=1e-8)
        assert error_given_sizes(ours, e) == pytest.approx(theirs[e]["se"], abs=1e-8)


def test_one_cohort_is_the_change_from_the_mean_of_all_earlier_years():
    panel = make_panel(gaps=0).query("cohort != 3 and cohort != 7")
    late = panel["cohort"].eq(5)
    at = {
        e: panel[panel["year"] == 5 + e].groupby(late)["y"].mean().diff()[True] for e in (0, 2)
    }
    before = panel[panel["year"] < 5].groupby(late)["y"].mean().diff()[True]
    effects = impute_effects(panel, **NAMES)
    for e, gap in at.items():
        assert pool_at(effects, e).estimate == pytest.approx(gap - before)


def test_a_year_in_which_everybody_is_treated_has_no_effect():
    panel = make_panel(gaps=0).query("cohort < 7")  # entry in 3 and 5
    effects = impute_effects(panel, **NAMES).effects
    assert effects["time"].max() == 4
    assert set(effects["cohort"]) == {3}


def test_units_never_seen_untreated_change_nothing():
    panel = make_panel()
    always = panel.query("unit < 9").assign(cohort=1.0, unit=lambda p: p["unit"] + 500, y=9.0)
    whole = impute_effects(pd.concat([panel, always]), **NAMES)
    one, other = (
        aggregate(e, "simple").iloc[0] for e in (whole, impute_effects(panel, **NAMES))
    )
    assert one["estimate"] == pytest.approx(other["estimate"])
    assert one["std_error"] == pytest.approx(other["std_error"])


def test_intervals_cover_the_mean_effect():
    covered = 0
    for seed in range(80):
        panel = make_panel(seed, n=60, gaps=20, effect=0.0)
        row = aggregate(impute_effects(panel, **NAMES), "simple").iloc[0]
        covered += row["conf_low"] <= 0 <= row["conf_high"]
    assert covered >= 80 * 0.9


def test_two_way_effect_and_its_error_by_cluster_are_the_regression_with_dummies():
    panel = make_panel().assign(post=lambda p: (p["year"] >= p["cohort"]).astype(float))
    found = two_way_effect(panel, **NAMES, cluster="town")
    model = smf.ols("y ~ post + C(unit) + C(year)", panel).fit(
        cov_type="cluster", cov_kwds={"groups": panel["town"], "use_correction": False}
    )
    assert found.effects["estimate"].item() == pytest.approx(model.params["post"], abs=1e-9)
    assert error_given_sizes(found) == pytest.approx(model.bse["post"], abs=1e-9)


@pytest.mark.parametrize("who", ["cohort == 5", "cohort.isna()", "unit < 0"])
def test_where_nobody_can_be_compared_there_is_no_effect_and_no_error(who):
    panel = make_panel(gaps=0).query(who)
    assert two_way_effect(panel, **NAMES).effects.empty
    assert decompose_two_way(panel, **NAMES).empty
    assert set(impute_effects(panel, **NAMES).effects["event_time"]) <= {0, 1, 2}


def test_decomposition_equals_an_independent_one_and_adds_up():
    panel = make_panel(gaps=0)
    table = decompose_two_way(panel, **NAMES).set_index("comparison")
    theirs = fit_diff_diff(BaconDecomposition(), panel).to_dataframe()
    theirs["part"] = theirs["weight"] * theirs["estimate"]
    sums = theirs.groupby("comparison_type")[["weight", "part"]].sum()
    np.testing.assert_allclose(table["weight"], sums.loc[table.index, "weight"])
    parts = table["weight"] * table["estimate"]
    np.testing.assert_allclose(parts, sums.loc[table.index, "part"])
    whole = two_way_effect(panel, **NAMES).effects["estimate"].item()
    assert parts.sum() == pytest.approx(whole)


def test_growing_effects_bend_what_is_compared_with_the_already_treated():
    panel = make_panel(gaps=0, effect=4.0, n=400)
    table = decompose_two_way(panel, **NAMES).set_index("comparison")["estimate"]
    assert table["later_vs_earlier"] < table["earlier_vs_later"] - 1
