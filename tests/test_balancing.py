import numpy as np
import pandas as pd
import pytest

from evaluation.effects.balancing import add_lags, month_shares
from evaluation.effects.entropy import balance_weights, balanced_difference, find_distinct
from evaluation.errors import EstimationError

TREATED = np.array([[2.0, 1.0], [3.0, 0.0]])
COMPARISON = np.array([[0.0, 0.0], [4.0, 1.0], [2.0, 1.0], [3.0, 0.0], [5.0, 0.0]])


def test_means_of_the_comparison_become_those_of_the_treated():
    weights, report = balance_weights(TREATED, COMPARISON)
    np.testing.assert_allclose(weights @ COMPARISON, TREATED.mean(axis=0), atol=1e-8)
    assert weights.sum() == pytest.approx(1)
    assert report["ridge"] == 0


def test_balanced_groups_keep_their_base_weights():
    base = np.array([1.0, 3.0])
    weights, _ = balance_weights(np.array([[0.75]]), np.array([[0.0], [1.0]]), base)
    np.testing.assert_allclose(weights, [0.25, 0.75], atol=1e-8)


def test_impossible_balance_is_reported_and_not_hidden():
    weights, report = balance_weights(np.array([[9.0]]), np.array([[0.0], [1.0]]))
    assert report["ridge"] > 0
    assert np.abs(report["left"]).max() > 0.1
    assert weights.sum() == pytest.approx(1)


def test_collinear_covariates_do_no_harm():
    twice = np.column_stack([COMPARISON, COMPARISON[:, 0]])
    weights, _ = balance_weights(np.column_stack([TREATED, TREATED[:, 0]]), twice)
    np.testing.assert_allclose(weights, balance_weights(TREATED, COMPARISON)[0], atol=1e-6)


def test_no_comparison_is_refused():
    with pytest.raises(EstimationError):
        balance_weights(TREATED, COMPARISON[:0])


def test_without_covariates_the_difference_and_its_error_are_the_textbook_ones():
    y, d = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 0.0]), np.array([1, 1, 0, 0, 0, 0])
    estimate, contribution, _ = balanced_difference(y, d, np.zeros((6, 1)))
    assert estimate == pytest.approx(0.5 - 0.25)
    assert np.sum(contribution**2) == pytest.approx(0.25 / 2 + 0.1875 / 4)


def test_outcome_linear_in_a_covariate_is_recovered_exactly():
    y = np.r_[TREATED[:, 0] + 1.0, COMPARISON[:, 0]]
    d = np.r_[np.ones(2), np.zeros(5)]
    estimate, contribution, _ = balanced_difference(y, d, np.vstack([TREATED, COMPARISON]))
    assert estimate == pytest.approx(1.0)
    np.testing.assert_allclose(contribution, 0, atol=1e-9)


def test_rows_are_alike_only_where_every_covariate_is():
    rows = np.array([[1.0, 2.0], [1.0, 3.0], [1.0, 2.0], [0.0, 3.0]])
    distinct, alike = find_distinct(rows)
    assert alike.tolist() == [0, 1, 0, 2]
    assert distinct[alike].tolist() == rows.tolist()


def test_taking_like_rows_together_changes_nothing():
    z = np.vstack([TREATED, COMPARISON, COMPARISON[:3]])
    y, d = np.arange(10.0) % 4, np.r_[1, 1, np.zeros(8)]
    base = np.array([1, 1, 1, 2, 1, 1, 3, 0.5, 1, 2])
    apart = balanced_difference(y, d, z, base)
    distinct, alike = find_distinct(z)
    together = balanced_difference(y, d, distinct, base, alike)
    assert together[0] == pytest.approx(apart[0], abs=1e-9)
    np.testing.assert_allclose(together[1], apart[1], atol=1e-9)
    np.testing.assert_allclose(together[2]["weights"], apart[2]["weights"], atol=1e-9)


def test_each_month_weighs_as_much_as_its_entries():
    rows = pd.DataFrame({"month": [1, 1, 1, 2, 2, 2], "treated": [1, 0, 0, 1, 1, 0]})
    shares = month_shares(rows, np.ones(6, bool))
    assert shares[[1, 2, 5]].tolist() == [0.5, 0.5, 2.0]


def test_placebo_reads_only_quarters_that_end_before_the_year():
    rows = pd.DataFrame({"month": [2020 * 12, 2020 * 12 + 11]})
    rows[[f"hist_{k}" for k in range(1, 9)]] = np.arange(1.0, 9.0)
    lags = add_lags(rows, [f"hist_{k}" for k in range(1, 9)]).filter(like="lag_")
    assert lags.to_numpy().tolist() == [[2, 3, 4, 5], [5, 6, 7, 8]]
