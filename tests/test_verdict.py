from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.aggregation import GroupTime, unite_designs
from evaluation.effects.estimates import adjust_secondary, make_result_id
from evaluation.effects.gates import (
    GATES,
    check_balance,
    check_follow_up,
    drift_at,
    fit_slope,
    judge_difference,
    load_words,
    pool_by,
    tabulate_gates,
    untested,
)
from evaluation.effects.power import exaggeration
from evaluation.effects.verdict import decide_verdict, expect_exaggeration, tabulate_verdict
from evaluation.paths import find_root

PLAN = {
    "outcomes": {"primary": "employed_open"},
    "estimand": {"effect_that_matters": 0.05},
    "policies": {"loan": {"horizon": 2}},
    "gates": {
        "min_treated": 30,
        "min_comparison": 100,
        "balance": 0.1,
        "overlap": 0.8,
        "follow_up": 0.02,
        "drift": 0.025,
        "placebo": 0.025,
        "agreement": 0.025,
        "significance": 0.05,
        "extrapolation": 1.28,
        "recent_years": 3,
        "min_power": 0.5,
    },
}
PASSED = dict.fromkeys(GATES, "passed")
SOUND = {
    "matured": True,
    "n_treated": 150,
    "n_comparison": 1000,
    "gates": PASSED,
    "low": 0.03,
    "high": 0.2,
    "extrapolation": 2.0,
}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, "effective"),
        ({"matured": False}, "not_due"),
        ({"matured": False, "n_treated": 0}, "not_due"),
        ({"n_treated": 29}, "too_few"),
        ({"n_comparison": 99}, "too_few"),
        ({"n_treated": 30, "n_comparison": 100}, "effective"),
        ({"n_treated": 29, "gates": PASSED | {"drift": "failed"}}, "too_few"),
        *[({"gates": PASSED | {gate: "failed"}}, "do_not_conclude") for gate in GATES],
        *[({"gates": PASSED | {gate: "not_tested"}}, "cannot_tell") for gate in GATES],
        ({"gates": {}}, "cannot_tell"),
        ({"gates": PASSED | {"placebo": "not_tested", "drift": "failed"}}, "do_not_conclude"),
        ({"gates": PASSED | {"drift": "weak"}}, "effective"),
        ({"low": 0.001, "high": 0.049}, "effective_small"),
        ({"low": 0.001, "high": 0.05}, "effective"),
        ({"extrapolation": 1.28}, "cannot_tell"),
        ({"extrapolation": np.nan}, "cannot_tell"),
        ({"low": 0.001, "high": 0.04, "extrapolation": 1.0}, "too_small"),
        ({"low": -0.1, "high": -0.01, "extrapolation": -2.0}, "harmful"),
        ({"low": -0.04, "high": -0.01, "extrapolation": -2.0}, "harmful_small"),
        ({"low": -0.1, "high": -0.01, "extrapolation": -1.0}, "too_small"),
        ({"low": -0.1, "high": -0.01, "extrapolation": 2.0}, "too_small"),
        ({"low": -0.02, "high": 0.049}, "too_small"),
        ({"low": -0.02, "high": 0.05}, "cannot_tell"),
        ({"low": np.nan, "high": np.nan}, "cannot_tell"),
    ],
)
def test_first_line_that_applies_decides(change, verdict):
    assert decide_verdict(**(SOUND | change), plan=PLAN) == verdict


def test_published_interval_is_the_union_and_p_the_larger():
    sizes = {"n_obs": 9, "n_treated": 4, "n_clusters": 3}
    first = pd.Series({"estimate": 0.1, "conf_low": 0.0, "conf_high": 0.2, "p_value": 0.05})
    second = pd.Series({"estimate": 0.2, "conf_low": 0.1, "conf_high": 0.3, "p_value": 0.01})
    both = unite_designs(
        pd.concat([first, pd.Series(sizes)]), pd.concat([second, pd.Series(sizes)])
    )
    assert both["estimate"] == pytest.approx(0.15)
    assert (both["conf_low"], both["conf_high"], both["p_value"]) == (0.0, 0.3, 0.05)
    assert np.isnan(both["std_error"])
    assert both["inference"] == "union"


def make_group_time(estimates, spread=0.02):
    """One cohort of 2020 with given effects by event time, 200 units."""
    times = sorted(estimates)
    rng = np.random.default_rng(1)
    influence = spread * np.sqrt(200) * rng.standard_normal((200, len(times)))
    role = np.full((200, len(times)), -1, dtype=np.int8)
    role[:50] = 1
    effects = pd.DataFrame(
        {
            "cohort": 2020,
            "time": [2020 + e for e in times],
            "event_time": times,
            "estimate": [estimates[e] for e in times],
            "expected": 1.0,
        }
    )
    units = pd.DataFrame({"unit": range(200), "cluster": range(200)})
    return GroupTime(effects, influence - influence.mean(axis=0), role, units)


def test_straight_drift_is_carried_to_the_horizon():
    drifting = make_group_time({-4: -0.09, -3: -0.06, -2: -0.03, 2: 0.1})
    assert fit_slope(drifting)[0] == pytest.approx(0.03)
    assert drift_at(drifting, 2).estimate == pytest.approx(0.09)


def test_no_earlier_year_is_not_tested():
    assert drift_at(make_group_time({0: 0.1, 2: 0.1}), 2) is None
    assert judge_difference("drift", None, [], PLAN)["passed"] == "not_tested"


@pytest.mark.parametrize(
    ("estimate", "spread", "state"),
    [
        (0.10, 0.02, "failed"),
        (0.024, 0.001, "passed"),  # significant, but smaller than what counts
        (0.01, 0.02, "passed"),
        (0.03, 0.04, "weak"),
    ],
)
def test_gate_fails_only_if_large_and_significant(estimate, spread, state):
    found = make_group_time({-1: estimate}, spread)
    pooled = pool_by(found, "event_time")[-1]
    row = judge_difference("placebo", pooled, found.units["cluster"], PLAN)
    assert row["passed"] == state


def test_balance_is_judged_over_all_cohorts_together():
    report = pd.DataFrame(
        {"cohort": [2020, 2021], "time": [2022, 2023], "n_treated": [90, 10]}
    ).assign(left_age=[0.0, 0.5])
    assert check_balance(report, 2, PLAN)["passed"] == "passed"
    assert check_balance(report.assign(left_age=[0.1, 0.5]), 2, PLAN)["passed"] == "failed"
    assert check_balance(report, 4, PLAN)["passed"] == "not_tested"


def test_every_state_of_a_gate_has_words_in_both_languages():
    words = load_words(find_root() / "data" / "reference")
    for gate in (*GATES, "extrapolation"):
        for state in ("passed", "failed", "not_tested"):
            row = {"gate": gate, "value": 0.5, "threshold": 0.1, "passed": state}
            table = tabulate_gates([row], words)
            assert table["words_zh"].iloc[0]
            assert table["words_en"].iloc[0]


def test_verdict_without_a_published_row_says_why():
    checks = pd.DataFrame([untested(gate, 0.1) for gate in GATES])
    sizes = {"matured": False, "n_participants": 0, "n_comparison": 0}
    asked = {"policy": "loan", "outcome": "employed_open", "horizon": 2, "edition": 2021}
    empty = pd.DataFrame(columns=["result_id", "n_treated", "conf_low", "conf_high"])
    study = SimpleNamespace(kind="plan", **asked)
    row = tabulate_verdict(study, empty, checks, sizes, PLAN).iloc[0]
    assert row["verdict"] == "not_due"
    assert row["result_id"] == "2021.loan.published.primary.employed_open.all"
    other = SimpleNamespace(kind="exploratory", **asked)
    assert tabulate_verdict(other, empty, checks, sizes, PLAN).empty


def test_holm_adjusts_secondary_outcomes_only():
    estimates = pd.DataFrame(
        {
            "design": "cs",
            "term": "primary",
            "outcome": ["employed_open", "a", "b", "c"],
            "p_value": [0.01, 0.01, 0.03, 0.02],
        }
    )
    adjusted = adjust_secondary(estimates, ["a", "b", "c"])["p_adjusted"]
    assert np.isnan(adjusted[0])
    assert adjusted[1:].tolist() == pytest.approx([0.03, 0.04, 0.04])


def test_result_id_of_the_primary_row_has_no_tail():
    row = dict.fromkeys(["year", "policy", "design", "outcome", "subgroup"], "x")
    row |= {"term": "primary", "cohort": pd.NA, "event_time": 4}
    assert make_result_id(row) == "x.x.x.primary.x.x"


def test_only_a_definite_verdict_says_how_far_it_may_be_overstated():
    rows = pd.DataFrame({
        "result_id": [f"2024.loan.{d}.primary.y.all" for d in ("cs", "balanced", "published")],
        "std_error": [0.03, 0.04, np.nan],
    })  # fmt: skip
    plan = {"estimand": {"effect_that_matters": 0.05}}
    name = "2024.loan.published.primary.y.all"
    found = expect_exaggeration("effective", rows, name, plan)
    assert found == pytest.approx(exaggeration(0.05, 0.04)) and 1.5 < found < 2.5
    assert np.isnan(expect_exaggeration("cannot_tell", rows, name, plan))
    assert np.isnan(expect_exaggeration("harmful", rows.iloc[2:], name, plan))


def make_follow_up(n_treated, lost_share, n_other=600):
    """Everybody seen in 2019, the year of entry; nobody of the treated is lost by 2020."""
    people = [f"p{k}" for k in range(n_treated + n_other)]
    treated = np.repeat([1, 0], [n_treated, n_other])
    sets = pd.DataFrame({
        "cohort": 2019, "person_id": people, "treated": treated, "drawn": 1,
        "draw_share": 1.0, "cluster": np.arange(len(people)) % 40, "untreated_until": np.nan,
    })  # fmt: skip
    persons = pd.DataFrame({"person_id": people, "observed_until": pd.Timestamp("2030-01-01")})
    lost = np.arange(len(people)) >= len(people) - lost_share * n_other
    years = [
        pd.DataFrame({"person_id": people, "year": year, "work": np.where(gone, np.nan, 1.0)})
        for year, gone in ((2019, False), (2020, lost))
    ]
    return sets, persons, pd.concat(years, ignore_index=True)


@pytest.mark.parametrize(("n_treated", "state"), [(30, "passed"), (400, "failed")])
def test_few_participants_of_whom_none_is_lost_are_not_taken_for_certain(n_treated, state):
    row = check_follow_up(
        *make_follow_up(n_treated, 0.04), outcome="work", covariates=[], edition=2020,
        horizon=1, plan=PLAN,
    )  # fmt: skip
    assert row["value"] == pytest.approx(0.04)
    assert row["passed"] == state
