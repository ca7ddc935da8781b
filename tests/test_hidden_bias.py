"""Hidden bias: the published example, and the algebra on which it rests."""

import numpy as np
import pytest

from evaluation.effects.hidden_bias import (
    Regression,
    adjusted_limit,
    bound_confounder,
    fit_with_benchmark,
    omitted_variable_bias,
    robustness_value,
    times_as_strong,
)

# Cinelli and Hazlett (2020), Darfur: directly harmed on peace index, benchmark female.
DARFUR = Regression(0.0973158192849572, 0.02325653780981115, 783, 0.0090810652, 0.1090339154)


def test_the_published_example_is_reproduced():
    assert robustness_value(DARFUR) == pytest.approx(0.139, abs=5e-4)
    assert robustness_value(DARFUR, 0.05) == pytest.approx(0.076, abs=5e-4)
    published = {1: (0.00916, 0.12464, 0.0752, 0.0323), 2: (0.01833, 0.24932, 0.0529, 0.0130),
                 3: (0.02749, 0.37405, 0.0304, -0.0063)}  # fmt: skip
    for k, (of_treatment, of_outcome, estimate, low) in published.items():
        found = bound_confounder(DARFUR, k)
        assert found == pytest.approx((of_treatment, of_outcome), abs=1e-5)
        left = DARFUR.estimate - omitted_variable_bias(DARFUR, *found)
        assert left == pytest.approx(estimate, abs=5e-5)
        assert adjusted_limit(DARFUR, k) == pytest.approx(low, abs=5e-5)


def test_so_many_times_as_strong_is_where_nothing_is_left():
    k = times_as_strong(DARFUR)
    bias = omitted_variable_bias(DARFUR, *bound_confounder(DARFUR, k))
    assert bias == pytest.approx(DARFUR.estimate, rel=1e-5)
    sooner = times_as_strong(DARFUR, 0.05)
    assert 2 < sooner < 3 < k
    assert adjusted_limit(DARFUR, sooner) == pytest.approx(0, abs=1e-6)
    weak = Regression(0.01, 0.02, 100, 0.01, 0.1)
    assert times_as_strong(weak, 0.05) == 0


def test_the_bias_is_exactly_what_leaving_out_a_confounder_does():
    rng = np.random.default_rng(3)
    n = 400
    x, z = rng.normal(size=(n, 2)), rng.normal(size=n)
    d = (x[:, 0] + z + rng.normal(size=n) > 0).astype(float)
    y = 0.5 * d + x[:, 1] + 0.8 * z + rng.normal(size=n)
    weights = rng.uniform(0.5, 2, n)
    long = fit_with_benchmark(y, d, x, z[:, None], weights)
    short = fit_with_benchmark(y, d, x[:, :1], x[:, 1:], weights)
    bias = omitted_variable_bias(short, long.partial_treatment, long.partial_outcome)
    assert abs(short.estimate - long.estimate) == pytest.approx(bias, rel=1e-9)


def test_collinear_covariates_change_nothing():
    rng = np.random.default_rng(4)
    x, d = rng.normal(size=(60, 2)), rng.integers(0, 2, 60)
    y = d + x.sum(axis=1) + rng.normal(size=60)
    one = fit_with_benchmark(y, d, x[:, :1], x[:, 1:])
    twice = fit_with_benchmark(y, d, np.column_stack([x[:, :1], 2 * x[:, :1]]), x[:, 1:])
    assert twice.estimate == pytest.approx(one.estimate)
    assert twice.std_error == pytest.approx(one.std_error) and twice.dof == one.dof
