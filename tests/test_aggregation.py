import numpy as np
import pytest

from evaluation.effects.aggregation import serve_realised

WITH = np.array([1, 1, 1, 0, 0, 0, 0], bool)


def test_even_outcomes_with_the_policy_are_widened_to_the_spread_without_it():
    contribution = np.array([0.02, -0.01, -0.01, 0.1, -0.1, 0.05, -0.05])
    wider = serve_realised(contribution, WITH, untreated_variance=0.25)
    assert np.sum(wider[WITH] ** 2) == pytest.approx(0.25 / 3)
    assert wider[WITH].sum() == pytest.approx(0)
    np.testing.assert_array_equal(wider[~WITH], contribution[~WITH])


def test_larger_spread_with_the_policy_stays():
    contribution = np.array([0.6, -0.3, -0.3, 0.1, -0.1, 0.05, -0.05])
    assert serve_realised(contribution, WITH, untreated_variance=0.25) is contribution


@pytest.mark.parametrize("n_treated", [1, 3])
def test_treated_who_are_all_alike_still_vary(n_treated):
    treated = np.arange(7) < n_treated
    wider = serve_realised(np.zeros(7), treated, untreated_variance=0.09)
    assert np.sum(wider**2) == pytest.approx(0.09 / n_treated)


def test_interval_covers_the_effect_on_these_persons():
    """All treated work; 70 of 100 would have worked anyway: only that varies."""
    rng, inside, n = np.random.default_rng(3), [], 200
    treated = np.arange(3 * n) < n
    for _ in range(400):
        without = (rng.random(3 * n) < 0.7).astype(float)
        others = without[~treated]
        contribution = np.where(treated, 0.0, (without - others.mean()) / len(others))
        wider = serve_realised(contribution, treated, others.var())
        error = (1 - others.mean()) - (1 - without[treated].mean())
        inside.append(abs(error) < 1.96 * np.sqrt(np.sum(wider**2)))
    assert 0.92 < np.mean(inside) < 0.98
