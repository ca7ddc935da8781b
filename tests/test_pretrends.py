"""Tests before entry: their power and what passing them hides, against simulation."""

import numpy as np
import pandas as pd
import pytest
from made_up_effects import draw_case, draw_group_time
from scipy import stats

from evaluation.effects.aggregation import keep_cohorts, pool_at
from evaluation.effects.events import EventStudy, gather_events
from evaluation.effects.gates import check_drift, drift_at
from evaluation.effects.pretrends import (
    examine_jointly,
    examine_points,
    examine_pretrends,
    examine_slope,
    straight_drift,
)

# Roth's example in the R package `pretrends` (He and Wang 2017): years −4 to −2, and 3.
HE_WANG = [
    [0.008906571195, 0.004488313571, 0.001458702493, 0.001961772796],
    [0.004488313571, 0.005936916918, 0.002750079148, 0.001384715782],
    [0.001458702493, 0.002750079148, 0.003038624767, 0.000709014421],
    [0.001961772796, 0.001384715782, 0.000709014421, 0.009788426571],
]
HE_WANG_BETA = [0.066703148186, -0.007701792289, -0.030769053847, 0.191092535853]


@pytest.fixture
def he_wang():
    times = np.array([-4, -3, -2, 3])
    return EventStudy(times, np.array(HE_WANG_BETA), {"person": np.array(HE_WANG)}, 1)


def test_power_and_bias_of_single_points_are_the_published_ones(he_wang):
    row = examine_points(he_wang, drift=0.20823484)
    assert row["power"] == pytest.approx(0.4999776, abs=0.005)
    assert row["bias"] == pytest.approx(0.22453827, abs=0.001)


def draw_events(covariance, times, path, draws=200_000):
    return np.random.default_rng(0).multivariate_normal(path, covariance, draws)


def test_joint_test_by_person_does_what_simulation_does(he_wang):
    path = straight_drift(he_wang, 0.3)
    assert path.tolist() == pytest.approx([-0.225, -0.15, -0.075, 0.3])
    row = examine_jointly(he_wang, 0.3)
    draws = draw_events(HE_WANG, he_wang.times, path)
    inverse = np.linalg.inv(np.array(HE_WANG)[:3, :3])
    wald = np.einsum("ni,ij,nj->n", draws[:, :3], inverse, draws[:, :3])
    rejected = wald > stats.chi2.isf(0.05, 3)
    assert row["power"] == pytest.approx(rejected.mean(), abs=0.004)
    assert row["bias"] == pytest.approx(draws[~rejected, 3].mean(), abs=0.001)
    own = np.array(HE_WANG_BETA)[:3]
    assert row["p_value"] == pytest.approx(stats.chi2.sf(own @ inverse @ own, 3))


def test_joint_test_by_few_clusters_keeps_its_level_and_has_the_power_told():
    rng, n, drift = np.random.default_rng(5), 12, 0.12
    times, _, covariance = draw_case(rng, 3, 1)
    known = {"person": covariance / 100, "cluster": covariance}
    events = EventStudy(times, 0.0 * times, known, n)
    for size in (0.0, drift):
        rejected, path = 0, straight_drift(events, size)
        for clusters in rng.multivariate_normal(path, n * covariance, (1000, n)):
            spread = np.cov(clusters.T) / n
            both = {"person": spread / 100, "cluster": spread}
            drawn = EventStudy(times, clusters.mean(axis=0), both, n)
            rejected += examine_jointly(drawn, drift)["p_value"] < 0.05
        told = examine_jointly(events, size)["power"]
        assert rejected / 1000 == pytest.approx(told, abs=0.03)
    assert 0.3 < told < 0.8  # else it would be no test of the power


def test_without_a_drift_the_power_is_the_level_and_passing_hides_nothing(he_wang):
    for examine in (examine_jointly, examine_points):
        assert examine(he_wang, 0.0)["bias"] == pytest.approx(0, abs=5e-4)
    assert examine_jointly(he_wang, 0.0)["power"] == pytest.approx(0.05)


@pytest.fixture
def group_time():
    return draw_group_time()


def test_the_slope_test_is_the_gate_and_its_bias_that_of_simulation(group_time):
    events = gather_events(group_time, 2)
    row = examine_slope(group_time, events, 0.05)
    limits = dict.fromkeys(["drift", "significance", "min_power"], 0.05)
    plan = {"gates": limits, "estimand": {"effect_that_matters": 0.05}}
    gate = check_drift(group_time, 2, plan)
    assert (row["estimate"], row["p_value"]) == (gate["value"], gate["p_value"])
    assert row["power"] == gate["power"]
    pooled = [drift_at(group_time, 2), pool_at(group_time, 2)]
    parts = np.column_stack([part.influence for part in pooled])
    critical = 1.959964
    if row["conf_high"] - row["conf_low"] > 2 * 1.96 * np.sqrt((parts[:, 0] ** 2).sum()) / 400:
        parts = np.array([np.bincount(np.arange(400) % 20, p) for p in parts.T]).T
        parts *= np.sqrt(20 / 19)
        critical = 2.093024  # t with 19 degrees of freedom
    covariance = parts.T @ parts / 400**2
    draws = np.random.default_rng(0).multivariate_normal([0.05, 0.05], covariance, 400_000)
    passed = np.abs(draws[:, 0]) < critical * np.sqrt(covariance[0, 0])
    assert row["power"] == pytest.approx(1 - passed.mean(), abs=0.003)
    assert row["bias"] == pytest.approx(draws[passed, 1].mean(), abs=0.001)


def test_all_tests_stand_side_by_side_and_are_the_same_again(group_time):
    events = gather_events(group_time, 2)
    table = examine_pretrends(group_time, events, 0.05, seed=1)
    assert table["test"].tolist() == ["joint", "slope", "points"]
    assert table[["p_value", "power", "bias"]].notna().all(axis=None)
    assert table.loc[table["test"] != "slope", "estimate"].isna().all()
    pd.testing.assert_frame_equal(table, examine_pretrends(group_time, events, 0.05, seed=1))


def test_no_event_study_without_years_before_or_the_horizon(group_time):
    assert gather_events(group_time, 7) is None
    assert gather_events(group_time, 2, window=range(-1, 3)) is None
    assert gather_events(group_time, 2, least=101) is None
    assert gather_events(keep_cohorts(group_time, []), 2) is None
