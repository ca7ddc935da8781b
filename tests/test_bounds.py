"""Honest bounds: the published tables, invariances, coverage."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_effects import draw_case
from scipy import optimize, stats

from evaluation.effects.bounds import find_breakdown, relative_magnitudes
from evaluation.effects.did import group_time_effects
from evaluation.effects.events import gather_events
from evaluation.effects.moments import find_vertices, make_steps, p_values
from evaluation.effects.smoothness import smooth_trends

MEDICAID = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "validation"
needs_validation = pytest.mark.skipif(
    not (MEDICAID / "ehec.csv").is_file(), reason="validation data are not beside the project"
)


def read_medicaid():
    """Coverage by state against the year before Medicaid expanded, as HonestDiD has it.

    Its covariance (fixest) counts the coefficients and years among the parameters.
    """
    panel = pd.read_csv(MEDICAID / "ehec.csv").query("year < 2016 and yexp2 != 2015")
    panel = panel.assign(cohort=panel["yexp2"].where(panel["yexp2"] == 2014))
    names = {"outcome": "dins", "unit": "stfips", "time": "year", "cohort": "cohort"}
    effects = group_time_effects(panel, **names)
    events = gather_events(effects, horizon=1)
    states, rows = panel["stfips"].nunique(), len(panel)
    by_rows = (rows - 1) / (rows - 7 - 8)
    covariance = events.covariances["person"] * states / (states - 1) * by_rows
    return events.estimates, covariance, events.times


@needs_validation
def test_relative_magnitudes_on_medicaid_are_the_published_ones():
    beta, covariance, times = read_medicaid()
    bounds = relative_magnitudes(beta, covariance, times, [1, 0], [0.5, 1, 1.5, 2])
    published = [[0.0241, 0.0673], [0.0171, 0.0720], [0.00859, 0.0796], [-0.00107, 0.0883]]
    found = bounds[["conf_low", "conf_high"]]
    np.testing.assert_allclose(found, published, rtol=0, atol=8e-4)  # theirs are simulated


@needs_validation
def test_breakdown_on_medicaid_is_just_under_two():
    beta, covariance, times = read_medicaid()
    assert 1.9 < find_breakdown(beta, covariance, times, [1, 0]) < 2


@needs_validation
def test_smoothness_on_medicaid_is_the_published_one():
    beta, covariance, times = read_medicaid()
    bounds = smooth_trends(beta, covariance, times, [1, 0], [0, 0.01, 0.02, 0.03])
    published = [[0.0259, 0.0607], [0.0132, 0.0787], [0.00286, 0.0907], [-0.00714, 0.101]]
    found = bounds[["conf_low", "conf_high"]]
    np.testing.assert_allclose(found, published, rtol=0, atol=3e-4)


@pytest.fixture
def case():
    times, beta, covariance = draw_case(np.random.default_rng(3), 3, 3)
    return beta + np.repeat([0, 1], 3), covariance, times


def test_without_any_drift_the_bounds_are_the_usual_interval(case):
    beta, covariance, _ = case
    weights = np.array([0.5, -1.0, 2.0])
    row = relative_magnitudes(*case, weights, 0).iloc[0]
    half = stats.norm.ppf(0.975) * np.sqrt(weights @ covariance[3:, 3:] @ weights)
    limits = weights @ beta[3:] + np.array([-half, half])
    np.testing.assert_allclose(row[["conf_low", "conf_high"]], limits, atol=1e-5 * half)


@pytest.mark.parametrize("seed", range(4))
def test_the_ends_are_those_of_every_value_tested(seed):
    rng = np.random.default_rng(seed)
    times, beta, covariance = draw_case(rng, 3, 2)
    weights, m_bars = rng.normal(size=2), [0.3, 1.0, 3.0]
    bounds = relative_magnitudes(beta, covariance, times, weights, m_bars)
    steps = make_steps(beta, covariance, times, weights)
    span = bounds["conf_high"] - bounds["conf_low"]
    for m, low, high, width in zip(m_bars, *bounds.values.T[1:], span, strict=True):
        theta = np.linspace(low - width, high + width, 30_001)
        every = np.broadcast_to(theta, (1, 6, len(theta)))
        p = p_values(steps, find_vertices(steps, [m], 0.005), every)
        kept = theta[(p >= 0.045 / 0.995).any(axis=(0, 1))]
        assert kept.min() == pytest.approx(low, abs=width / 9000)
        assert kept.max() == pytest.approx(high, abs=width / 9000)


def test_bounds_widen_with_the_drift_allowed(case):
    bounds = relative_magnitudes(*case, [0, 0, 1], np.linspace(0, 3, 13))
    assert (bounds["conf_low"].diff().dropna() < 0).all()
    assert (bounds["conf_high"].diff().dropna() > 0).all()


def test_bounds_scale_with_the_outcome_and_turn_with_its_sign(case):
    beta, covariance, times = case
    plain = relative_magnitudes(*case, [0, 0, 1], [0.5, 1])
    turned = relative_magnitudes(-10 * beta, 100 * covariance, times, [0, 0, 1], [0.5, 1])
    np.testing.assert_allclose(turned["conf_low"], -10 * plain["conf_high"], rtol=1e-5)
    order = [4, 0, 5, 2, 3, 1]
    mixed = (beta[order], covariance[np.ix_(order, order)], times[order])
    pd.testing.assert_frame_equal(relative_magnitudes(*mixed, [0, 0, 1], [0.5, 1]), plain)
    smooth = smooth_trends(*mixed, [0, 0, 1], [0.1])
    pd.testing.assert_frame_equal(smooth, smooth_trends(*case, [0, 0, 1], [0.1]), rtol=1e-6)


def test_at_the_breakdown_a_limit_is_zero(case):
    m_bar = find_breakdown(*case, [1, 0, 0])
    assert 0 < m_bar < 100
    row = relative_magnitudes(*case, [1, 0, 0], m_bar).iloc[0]
    assert min(abs(row["conf_low"]), abs(row["conf_high"])) < 1e-3


def test_what_is_not_significant_breaks_down_at_once(case):
    beta, covariance, times = case
    assert find_breakdown(0 * beta, covariance, times, [0, 1, 0]) == 0


@pytest.mark.parametrize("m", [0.0, 0.05, 0.4])
def test_no_linear_estimator_has_a_shorter_interval(case, m):
    """Bias by a linear program over all admissible paths, the optimum by a plain search."""
    beta, covariance, times = case
    line, weights = times + 1.0, [0.0, 0.0, 1.0]
    whole = np.insert(np.eye(6), 3, 0, axis=0)  # levels at −4 to 2, zero at the base
    bends = np.diff(whole, n=2, axis=0)

    def complete(free):
        last = (-line[5] - free @ line[:2]) / line[2]  # unbiased under any line
        return np.concatenate([free, [last], weights])

    def half_length(free):
        loads = complete(free)
        limits = {"A_ub": np.vstack([bends, -bends]), "b_ub": np.full(10, m)}
        bias = -optimize.linprog(-loads, **limits, bounds=[(-50, 50)] * 6).fun
        sd = np.sqrt(loads @ covariance @ loads)
        return sd * np.sqrt(stats.ncx2.ppf(0.95, 1, (bias / sd) ** 2)) if bias else 1.96 * sd

    exact = {"xatol": 1e-6, "fatol": 1e-9}
    best = optimize.minimize(half_length, [0.1, 0.1], method="Nelder-Mead", options=exact)
    row = smooth_trends(*case, weights, m).iloc[0]
    assert (row["conf_high"] - row["conf_low"]) / 2 == pytest.approx(best.fun, rel=1e-4)
    middle = (row["conf_high"] + row["conf_low"]) / 2
    assert middle == pytest.approx(complete(best.x) @ beta, abs=0.01 * best.fun)
