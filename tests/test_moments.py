"""The closed form against the linear programs it replaces, and against simulation."""

import numpy as np
import pytest
from made_up_effects import draw_case
from scipy import stats
from scipy.optimize import linprog

from evaluation.effects.moments import find_vertices, make_steps, p_values


def write_moments(n_before, n_after, m_bar, step, sign):
    """Rows of A in A·δ ≤ 0 that hold a time after the base, as HonestDiD writes them."""
    n = n_before + n_after
    difference = np.zeros((n, n + 1))
    difference[range(n), range(n)], difference[range(n), range(1, n + 1)] = -1, 1
    limit = m_bar * sign * difference[step]
    rows = np.delete(np.vstack([difference - limit, -difference - limit]), n_before, axis=1)
    return rows[(rows[:, n_before:] != 0).any(axis=1)]


def solve(beta, covariance, rows, n_before, weights, theta, critical):
    """η, its vertex and the truncation by linear programs (ARP 2023, algorithm 1)."""
    k = len(weights)
    basis = np.vstack([weights, np.delete(np.eye(k), np.abs(weights).argmax(), axis=0)])
    loads = rows[:, n_before:] @ np.linalg.inv(basis)
    y, spread = rows @ beta - loads[:, 0] * theta, rows @ covariance @ rows.T
    w = np.column_stack([np.sqrt(np.diag(spread)), loads[:, 1:]])
    free = [(None, None)] * k
    primal = linprog(np.eye(k)[0], A_ub=-w, b_ub=-y, bounds=free, method="highs-ds")
    eta, vertex = primal.fun, -primal.ineqlin.marginals
    variance = vertex @ spread @ vertex
    along = spread @ vertex / variance
    rest = y - along * eta

    def find_edge(at):
        """Where the vertex stops being the largest, starting from far out."""
        for _ in range(50):
            dual = linprog(-(rest + along * at), A_eq=w.T, b_eq=np.eye(k)[0], method="highs")
            if abs(-dual.fun - at) < 1e-9 * max(1, abs(at)):
                return at
            at = (dual.x @ rest) / (1 - dual.x @ along)
        raise AssertionError("no edge")

    low, high = (
        np.inf * np.sign(e) if abs(e) > 999 else e for e in map(find_edge, (-1e3, 1e3))
    )
    z, sd = np.array([eta, low, min(high, critical)]), np.sqrt(variance)
    tail = stats.norm.sf(z / sd)
    share = (tail[0] - tail[2]) / (tail[1] - tail[2])
    return eta, 1.0 if eta <= 0 else 0.0 if eta > critical else share


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("m_bar", [0.0, 0.5, 2.0])
def test_the_closed_form_is_the_linear_program(seed, m_bar):
    rng = np.random.default_rng(seed)
    n_before, n_after = rng.integers(1, 5), rng.integers(1, 5)
    times, beta, covariance = draw_case(rng, n_before, n_after)
    weights = rng.normal(size=n_after) if seed % 2 else np.eye(n_after)[-1]
    steps = make_steps(beta, covariance, times, weights)
    vertices = find_vertices(steps, [m_bar], 0.005)
    around = 3 * rng.normal(size=2) * np.sqrt(steps.spread[0, 0, 0])
    theta = np.broadcast_to(steps.estimate + around, (1, 2 * n_before, 2))
    found = p_values(steps, vertices, theta)[0]
    for k in range(2 * n_before):
        sign, critical = 1 if k < n_before else -1, vertices.critical[0, k]
        rows = write_moments(n_before, n_after, m_bar, k % n_before, sign)
        for i in range(2):
            given = (beta, covariance, rows, n_before, weights, theta[0, k, i], critical)
            assert found[k, i] == pytest.approx(solve(*given)[1], abs=1e-7)


def test_the_critical_value_is_that_of_simulation():
    rng = np.random.default_rng(1)
    times, beta, covariance = draw_case(rng, 3, 3)
    steps = make_steps(beta, covariance, times, rng.normal(size=3))
    vertices = find_vertices(steps, [0.5, 2.0], 0.005)
    for k, spread in enumerate(steps.spread):
        gap, step = rng.multivariate_normal([0, 0], spread, 200_000).T
        for m in range(2):
            pairs = zip(vertices.on_gap[m, k], vertices.on_step[m, k], strict=True)
            largest = np.max([a * gap + b * step for a, b in pairs], axis=0)
            assert np.mean(largest > vertices.critical[m, k]) == pytest.approx(0.005, abs=5e-4)


def test_at_the_edge_of_the_null_one_test_in_twenty_rejects():
    """Both stages together; all steps after entry as large as M̄ allows, upwards."""
    rng = np.random.default_rng(2)
    times, _, covariance = draw_case(rng, 2, 2)
    path = np.array([-0.6, -0.3, 0.6, 1.2])  # steps of 0.3, then of M̄ = 2 times as much
    rejected = 0
    vertices = find_vertices(make_steps(path, covariance, times, [0, 1]), [2.0], 0.005)
    for beta in rng.multivariate_normal(path, covariance, 2000):
        steps = make_steps(beta, covariance, times, [0, 1])
        p = p_values(steps, vertices, np.zeros((1, 4, 1)))[0, 0, 0]
        rejected += p < 0.045 / 0.995
    assert 0.03 < rejected / 2000 < 0.06


def test_a_missing_year_makes_one_step_of_two():
    weights = [0.0, 1.0]
    steps = make_steps([0.1, 0.0, 0.2, 0.4], np.eye(4), [-4, -2, 0, 2], weights)
    np.testing.assert_allclose(steps.before[:2], [-0.05, 0.0])
    np.testing.assert_allclose(steps.loads, [1.0, 2.0])
    assert steps.estimate == pytest.approx(0.4)
