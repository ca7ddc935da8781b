"""Honest bounds against `moderndid`: time, agreement; and their coverage by simulation.

    python tests/benchmarks/honest_bounds.py

In one run: the published Medicaid table by both with the ratio of their times, then
random event studies by both, then coverage of the bounds where the drift is as large as
they allow. The comparison needs ``moderndid[didhonest]==0.2.0`` in the environment (cvxpy
comes with it, so it is no dependency of the project); without it only ours is run.
`moderndid` simulates its critical values with 1,000 draws and searches a grid, so it
agrees to a few hundredths of a standard error. It leaves out the first step before
entry, which Rambachan and Roth's R package has; so it is given one more year before all.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from made_up_effects import draw_case
from test_bounds import read_medicaid

from evaluation.effects.bounds import find_breakdown, relative_magnitudes
from evaluation.effects.moments import find_vertices, make_steps, p_values
from evaluation.effects.smoothness import smooth_trends

try:
    from moderndid.didhonest.delta.rm import rm as reference
    from moderndid.didhonest.sensitivity import create_sensitivity_results_rm
except ImportError:
    reference = None

M_BARS = [0.5, 1.0, 1.5, 2.0]
SIZES = (0.05, 0.15)  # of the drift at the horizon
BOUNDS = ("usual", "m_bar_1", "line")


def clock(call):
    """Seconds of a call and its result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def compare_medicaid() -> None:
    """The published table by both, and how much faster ours is."""
    beta, covariance, times = read_medicaid()
    given = (beta, covariance, times, [1, 0])
    relative_magnitudes(*given, M_BARS)  # the first call loads libraries
    ours, bounds = clock(lambda: relative_magnitudes(*given, M_BARS))
    by_breakdown, breakdown = clock(lambda: find_breakdown(*given))
    print(bounds.round(5).to_string(index=False))
    print(f"ours {ours:.3f} s; breakdown {breakdown:.3f} in {by_breakdown:.3f} s")
    if reference is not None:
        theirs, table = clock(
            lambda: create_sensitivity_results_rm(
                beta, covariance, 5, 2, m_bar_vec=np.array(M_BARS)
            )
        )
        limits = table[["lb", "ub"]].to_numpy()
        gap = np.abs(limits - bounds[["conf_low", "conf_high"]].to_numpy()).max()
        print(f"moderndid {theirs:.1f} s, {theirs / ours:,.0f} times; largest gap {gap:.5f}")


def bound_by_reference(beta, covariance, n_before, n_after, weights, m_bar) -> np.ndarray:
    """Limits by moderndid in standard errors; the year put before only makes its first step."""
    wide = np.eye(len(beta) + 1) * covariance[0, 0]
    wide[1:, 1:] = covariance
    found = reference.compute_conditional_cs_rm(
        betahat=np.append(0.0, beta),
        sigma=wide,
        num_pre_periods=n_before + 1,
        num_post_periods=n_after,
        l_vec=weights[:, None],
        m_bar=m_bar,
        grid_points=4000,
        seed=0,
    )
    kept = found["grid"][found["accept"] == 1]
    after = covariance[n_before:, n_before:]
    return np.array([kept.min(), kept.max()]) / np.sqrt(weights @ after @ weights)


def compare_random(cases: int) -> None:
    """Random event studies by both; gaps in standard errors of the estimate."""
    rows = []
    for seed in range(cases):
        rng = np.random.default_rng(seed)
        n_before, n_after = rng.integers(2, 4), rng.integers(2, 4)
        times, beta, covariance = draw_case(rng, n_before, n_after)
        weights, m_bar = rng.normal(size=n_after), float(rng.choice([0.5, 1.0, 2.0]))
        given = (beta, covariance, n_before, n_after, weights, m_bar)
        theirs, limits = clock(lambda given=given: bound_by_reference(*given))
        own = (beta, covariance, times, weights, m_bar)
        ours, bounds = clock(lambda own=own: relative_magnitudes(*own).iloc[0])
        after = covariance[n_before:, n_before:]
        found = bounds[["conf_low", "conf_high"]].to_numpy() / np.sqrt(
            weights @ after @ weights
        )
        rows.append((seed, m_bar, *found, *limits, np.abs(found - limits).max(), theirs / ours))
    names = ["seed", "m_bar", "low", "high", "low_ref", "high_ref", "gap", "times_faster"]
    print(pd.DataFrame(rows, columns=names).round(3).to_string(index=False))


def cover(draws: int) -> None:
    """Share of bounds that hold the true effect, with drifts as large as they allow.

    `usual` is the interval that assumes no drift. The true effect is zero.
    """
    rng = np.random.default_rng(0)
    times = np.array([-5, -4, -3, -2, 0, 1, 2])
    correlated = np.eye(7) + 1  # through the base year
    line = (times + 1) / 3
    late = np.where(times < -2, -1 / 3, line)  # before entry, the last step alone
    worlds = [("none", 0 * line, 0.0)]
    worlds += [(n, x, size) for n, x in (("straight", line), ("late", late)) for size in SIZES]
    rows = []
    for error in (0.06, 0.01):
        covariance = error**2 / 2 * correlated
        for name, shape, size in worlds:
            held, width = [], []
            for beta in rng.multivariate_normal(size * shape, covariance, draws):
                given = (beta, covariance, times, [0, 0, 1])
                limits = [
                    relative_magnitudes(*given, [0.0, 1.0]).iloc[:, 1:].to_numpy(),
                    smooth_trends(*given, [0.0]).iloc[:, 1:].to_numpy(),
                ]
                low, high = np.vstack(limits).T
                held.append((low <= 0) & (high >= 0))
                width.append(high - low)
            rows.append((error, name, size, *np.mean(held, axis=0), *np.mean(width, axis=0)))
    names = ["std_error", "drift", "at_horizon"]
    names += [f"{what}_{which}" for what in ("covers", "width") for which in BOUNDS]
    table = pd.DataFrame(rows, columns=names)
    shares = table.columns.drop("drift")
    print(table.assign(**(100 * table[shares]).round(1)).to_string(index=False))


def cover_at_the_edge(draws: int) -> None:
    """Coverage where one step before entry alone is as large as all after, without doubt."""
    times = np.array([-5, -4, -3, -2, 0, 1, 2])
    path = 0.15 * np.where(times < -2, -1 / 3, (times + 1) / 3)
    covariance = 0.01**2 / 2 * (np.eye(7) + 1)
    vertices = find_vertices(make_steps(path, covariance, times, [0, 0, 1]), [1.0], 0.005)
    rejected = 0
    for beta in np.random.default_rng(7).multivariate_normal(path, covariance, draws):
        steps = make_steps(beta, covariance, times, [0, 0, 1])
        p = p_values(steps, vertices, np.zeros((1, len(steps.before), 1)))
        rejected += bool((p < 0.045 / 0.995).all())
    print(f"at the edge {100 * (1 - rejected / draws):.1f} % of {draws:,} sets hold the truth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=8)
    parser.add_argument("--draws", type=int, default=1000)
    arguments = parser.parse_args()
    compare_medicaid()
    if reference is not None:
        compare_random(arguments.cases)
    cover_at_the_edge(20 * arguments.draws)
    cover(arguments.draws)


if __name__ == "__main__":
    main()
