import numpy as np
import pandas as pd
import pytest

from evaluation.effects.aggregation import (
    aggregate,
    aggregate_terms,
    name_cell,
    pool_at,
    pool_by,
    stack_effects,
    widen_treated,
)

WITH = np.array([1, 1, 1, 0, 0, 0, 0], bool)


def test_even_outcomes_with_the_policy_are_widened_to_the_spread_without_it():
    contribution = np.array([0.02, -0.01, -0.01, 0.1, -0.1, 0.05, -0.05])
    wider = widen_treated(contribution, WITH, untreated_variance=0.25)
    assert np.sum(wider[WITH] ** 2) == pytest.approx(0.25 / 3)
    assert wider[WITH].sum() == pytest.approx(0)
    np.testing.assert_array_equal(wider[~WITH], contribution[~WITH])


def test_larger_spread_with_the_policy_stays():
    contribution = np.array([0.6, -0.3, -0.3, 0.1, -0.1, 0.05, -0.05])
    assert widen_treated(contribution, WITH, untreated_variance=0.25) is contribution


@pytest.mark.parametrize("n_treated", [1, 3])
def test_treated_who_are_all_alike_still_vary(n_treated):
    treated = np.arange(7) < n_treated
    wider = widen_treated(np.zeros(7), treated, untreated_variance=0.09)
    assert np.sum(wider**2) == pytest.approx(0.09 / n_treated)


def test_interval_covers_the_effect_on_these_persons():
    """All treated work; 70 of 100 would have worked anyway: only that varies."""
    rng, inside, n = np.random.default_rng(3), [], 200
    treated = np.arange(3 * n) < n
    for _ in range(400):
        without = (rng.random(3 * n) < 0.7).astype(float)
        others = without[~treated]
        contribution = np.where(treated, 0.0, (without - others.mean()) / len(others))
        wider = widen_treated(contribution, treated, others.var())
        error = (1 - others.mean()) - (1 - without[treated].mean())
        inside.append(abs(error) < 1.96 * np.sqrt(np.sum(wider**2)))
    assert 0.92 < np.mean(inside) < 0.98


def test_what_serves_the_realised_effect_can_be_taken_off_again():
    rng, treated = np.random.default_rng(5), np.arange(60) < 20
    units = pd.DataFrame({"unit": range(60), "cluster": np.arange(60) % 6})
    plain = rng.normal(size=60) / 300
    designs = [
        stack_effects(
            [name_cell(2020, 2022, 0.1, np.arange(60), treated, plain, spread)], units
        )
        for spread in (None, 0.25)
    ]
    narrow, wide = (np.sum(pool_at(d, 2).influence ** 2) for d in designs)
    assert wide > 1.5 * narrow
    again = pool_at(designs[1], 2, expected=True)
    np.testing.assert_allclose(again.influence, pool_at(designs[0], 2).influence)


def two_cohorts():
    """Units a to d, a treated in 2020, b in 2021, each with an effect at 0 and at 1."""
    units = pd.DataFrame({"unit": list("abcd"), "cluster": list("xxyy")})
    treated, parts = np.array([True, False, False]), [0.2, -0.1, -0.1]
    cells = [
        name_cell(g, g + e, g - 2019.0 + e, np.array([k, 2, 3]), treated, parts)
        for k, g in enumerate((2020, 2021))
        for e in (0, 1)
    ]
    return stack_effects(cells, units)


def test_one_event_time_is_what_pooling_by_event_time_gives():
    found, same = pool_at(two_cohorts(), 1), pool_by(two_cohorts(), "event_time")[1]
    assert found.estimate == same.estimate == pytest.approx(2.5)
    np.testing.assert_array_equal(found.influence, same.influence)
    assert pool_at(two_cohorts(), 5) is None
    assert pool_at(two_cohorts(), None) is None


def test_larger_cohorts_weigh_more_and_the_weights_vary_too():
    effects = two_cohorts()
    effects.role[2, 1] = effects.role[3, 1] = 1  # now three units treated against one
    pooled = pool_at(effects, 1)
    assert pooled.estimate == pytest.approx((3 * 2 + 1 * 3) / 4)
    by_hand = effects.influence[:, [1, 3]] @ [0.75, 0.25]
    by_hand += ((effects.role[:, [1, 3]] == 1) @ [2 - 2.25, 3 - 2.25]) / 1.0
    np.testing.assert_allclose(pooled.influence, by_hand)


def test_terms_stand_below_each_other():
    terms = ["primary", "simple", "event"]
    parts = [aggregate(two_cohorts(), term, horizon=1) for term in terms]
    together = aggregate_terms(two_cohorts(), terms, horizon=1)
    assert together["term"].tolist() == ["primary", "simple", "event", "event"]
    pd.testing.assert_frame_equal(together, pd.concat(parts, ignore_index=True))
