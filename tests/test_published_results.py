"""Published numbers, reproduced through the project's own functions."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from evaluation.effects.aggregation import aggregate, interval, pool_by, pool_term
from evaluation.effects.balancing import balanced_effects, stack_sets
from evaluation.effects.did import doubly_robust_did, group_time_effects
from evaluation.effects.district import risk_set_effects
from evaluation.effects.entropy import balance_weights
from evaluation.effects.study import shape_panel

VALIDATION = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "validation"
needs_validation = pytest.mark.skipif(
    not (VALIDATION / "mpdta.csv").is_file(),
    reason="validation data are not beside the project",
)
SCENARIOS = {
    "mpdta_nev_dr": {"control": "never_treated"},
    "mpdta_nyt_dr": {"control": "not_yet_treated"},
    "mpdta_nev_reg_cov": {"control": "never_treated", "covariates": ["lpop"], "method": "reg"},
    "mpdta_nev_ipw": {"control": "never_treated", "method": "ipw"},
}


@pytest.fixture(scope="module")
def counties():
    panel = pd.read_csv(VALIDATION / "mpdta.csv")
    return panel.assign(cohort=panel["first.treat"].replace(0, np.nan))


def estimate(counties, scenario):
    return group_time_effects(
        counties,
        outcome="lemp",
        unit="countyreal",
        time="year",
        cohort="cohort",
        base="varying",
        **SCENARIOS[scenario],
    )


@needs_validation
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_cohort_and_year_equals_r(counties, scenario):
    reference = pd.read_csv(VALIDATION / "mpdta_reference_attgt.csv").query(
        "scenario == @scenario"
    )
    ours = aggregate(estimate(counties, scenario), "group_time")
    ours = ours.assign(group=ours["cohort"], t=ours["cohort"] + ours["event_time"])
    both = reference.merge(ours, on=["group", "t"], validate="1:1")
    assert len(both) == len(reference) == 12
    np.testing.assert_allclose(both["estimate"], both["att"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(both["std_error"], both["se"], rtol=0, atol=1e-8)


@needs_validation
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_every_aggregation_equals_r(counties, scenario):
    reference = pd.read_csv(VALIDATION / "mpdta_reference_aggte.csv").query(
        "scenario == @scenario"
    )
    effects = estimate(counties, scenario)
    own = {
        "group": ("cohort", True),
        "dynamic": ("event_time", False),
        "calendar": ("time", True),
    }
    for term, rows in reference.groupby("type"):
        whole = interval(pool_term(effects, term), effects.units["cluster"])
        expected = rows.iloc[0]
        assert whole["estimate"] == pytest.approx(expected["overall_att"], abs=1e-8)
        assert whole["std_error"] == pytest.approx(expected["overall_se"], abs=1e-8)
        if term == "simple":
            continue
        column, after = own[term]
        parts = pool_by(effects, column, after)
        for row in rows.itertuples():
            part = interval(parts[int(row.egt)], effects.units["cluster"])
            assert part["estimate"] == pytest.approx(row.att_egt, abs=1e-8)
            assert part["std_error"] == pytest.approx(row.se_egt, abs=1e-8)


@needs_validation
def test_simple_effect_on_counties_is_the_printed_one(counties):
    simple = aggregate(estimate(counties, "mpdta_nev_dr"), "simple").iloc[0]
    assert simple["estimate"] == pytest.approx(-0.0399512751551763, abs=1e-12)
    assert simple["std_error"] == pytest.approx(0.0120340127701854, abs=1e-8)


@needs_validation
@pytest.mark.parametrize("control", ["never_treated", "not_yet_treated"])
def test_another_panel_in_the_districts_form_gives_the_same_estimates(counties, control):
    names = {"outcome": "lemp", "time": "year", "cohort": "cohort", "covariates": ["lpop"]}
    study = shape_panel(counties, **names, unit="countyreal", control=control)
    shaped = risk_set_effects(
        study.risk_sets, study.years, study.stay_weights, **study.settings()
    )
    direct = group_time_effects(counties, **names, unit="countyreal", control=control)
    for term in ("group_time", "simple", "dynamic"):
        pd.testing.assert_frame_equal(aggregate(shaped, term), aggregate(direct, term))


def lalonde():
    """Participants of the experiment beside persons of the population survey, long."""
    data = pytest.importorskip("causaldata", reason="causaldata is not installed")
    experiment = data.nsw_mixtape.load_pandas().data
    survey = data.cps_mixtape.load_pandas().data
    persons = pd.concat([experiment[experiment["treat"] == 1], survey], ignore_index=True)
    persons = persons.assign(
        person=range(len(persons)),
        cohort=persons["treat"].map({1: 1976.0}),
        u74=persons["re74"].eq(0).astype(float),
        u75=persons["re75"].eq(0).astype(float),
    )
    years = {1974: "re74", 1975: "re75", 1978: "re78"}
    return pd.concat(
        [persons.assign(year=y, earnings=persons[name]) for y, name in years.items()]
    )


def test_balancing_on_nsw_and_cps_equals_imbens_and_xu():
    panel = lalonde()
    covariates = ["age", "educ", "black", "hisp", "marr", "nodegree", "u74", "u75"]
    study = shape_panel(
        panel,
        outcome="earnings",
        unit="person",
        time="year",
        cohort="cohort",
        covariates=covariates,
        control="never_treated",
    )
    stacked = stack_sets(study.risk_sets, study.covariates, study.history)
    effects, _ = balanced_effects(stacked, study.years, study.stay_weights, **study.settings())
    simple = aggregate(effects, "simple").iloc[0]
    assert simple["estimate"] == pytest.approx(1406.3, abs=0.05)
    # The published error takes the weights as known; ours adds that they are estimated.
    persons = panel[panel["year"] == 1978]
    treated = persons["treat"].to_numpy() == 1
    earnings = persons["earnings"].to_numpy()
    x = persons[[*covariates, "re74", "re75"]].to_numpy(float)
    weights, report = balance_weights(x[treated], x[~treated])
    rest = [
        (earnings[treated] - earnings[treated].mean()) / treated.sum(),
        weights * (earnings[~treated] - weights @ earnings[~treated]),
    ]
    assert np.sqrt(np.sum(np.concatenate(rest) ** 2)) == pytest.approx(654.9, abs=0.05)
    assert report["ridge"] == 0
    assert simple["std_error"] == pytest.approx(667.58, abs=0.05)


TRAITS = ["age", "educ", "black", "hisp", "marr", "nodegree", "re74", "re75", "u74", "u75"]


def compare(persons, covariates=None):
    """Effect by the outcome model: what the comparison's regression leaves unexplained."""
    x = None if covariates is None else persons[covariates].to_numpy(float)
    earnings, treated = persons["earnings"].to_numpy(float), persons["treat"].to_numpy()
    return doubly_robust_did(earnings, treated, x, method="reg")[0]


def test_raw_difference_and_outcome_model_on_nsw_and_cps_are_the_published_ones():
    persons = lalonde().query("year == 1978")
    assert compare(persons) == pytest.approx(-8497.5, abs=0.05)
    assert compare(persons, TRAITS) == pytest.approx(1133.3, abs=0.05)


def test_nsw_experiment_is_the_published_one():
    data = pytest.importorskip("causaldata", reason="causaldata is not installed")
    persons = data.nsw_mixtape.load_pandas().data
    assert compare(persons.assign(earnings=persons["re78"])) == pytest.approx(1794.3, abs=0.05)
    model = smf.ols("re78 ~ treat", persons).fit(cov_type="HC1")
    assert model.params["treat"] == pytest.approx(1794.3, abs=0.05)
    assert model.bse["treat"] == pytest.approx(670.8, abs=0.05)


def test_regressions_on_nsw_and_cps_are_the_published_ones():
    persons = lalonde().query("year == 1978")
    printed = {"treat": (-8497.5, 581.9), f"treat + {' + '.join(TRAITS)}": (1066.4, 626.8)}
    for terms, numbers in printed.items():
        model = smf.ols(f"earnings ~ {terms}", persons).fit(cov_type="HC1")
        found = model.params["treat"], model.bse["treat"]
        assert found == pytest.approx(numbers, abs=0.05)
