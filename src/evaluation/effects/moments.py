"""The conditional least-favourable test of Andrews, Roth and Pakes, in closed form.

Null: the effect is θ and the difference in trends after entry moves in every step by at
most M̄ times one chosen step before entry (Rambachan and Roth 2023). As moments, with
d the post-entry steps of the coefficients, v the chosen step (its sign fixed) and u the
steps of the effects, which are unknown but for a'u = θ:

    d - u - M̄v <= 0   and   u - d - M̄v <= 0.

The test statistic is the smallest η for which all hold when each is relaxed by η times
its standard deviation. Each u lies between two bounds linear in η, so the linear program
has a solution on paper. Its dual has these vertices and no others:

    v is negative          -2M̄v / (σ⁺ + σ⁻), for each step after entry,
    θ is too small          (a'd - θ - M̄v Σ|a|) / Σ|a|σ,
    θ is too large          (θ - a'd - M̄v Σ|a|) / Σ|a|σ'

(σ⁺ and σ⁻ are the standard deviations of the two moments of a step, σ and σ' that of
the moment which binds). η is the largest of them. All are linear in *two* statistics,
a'd (the estimate) and v, so nothing has to be solved or simulated: a test is a few
products, and the least-favourable critical value an integral over one variable.
Of the first kind only the smallest and the largest denominator can matter.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

NODES, WEIGHTS = np.polynomial.legendre.leggauss(96)
EDGE = 9.0  # standard deviations beyond which a normal variable is not integrated
BISECTIONS = 24


@dataclass(frozen=True)
class Steps:
    """The estimate and the steps before entry that may bound its bias.

    Attributes
    ----------
    estimate
        Estimate of the linear combination of effects, a'd.
    loads
        a: what each step after entry adds to the combination.
    before
        v: each step before entry with either sign; the length is called k below.
    spread
        k × 2 × 2: covariance of (estimate, v).
    after, across, own
        Variances of the steps after entry, their covariances with v (k × steps) and the
        variances of v.
    """

    estimate: float
    loads: np.ndarray
    before: np.ndarray
    spread: np.ndarray
    after: np.ndarray
    across: np.ndarray
    own: np.ndarray


def make_steps(estimates, covariance, times, weights, base: int = -1) -> Steps:
    """Turn event-time coefficients into steps.

    Parameters
    ----------
    estimates, covariance, times
        Coefficients with their covariance; `base` itself is not among the times. Where
        a time is missing, a step counts per unit of time.
    weights
        One per time after the base, in order: the linear combination of the effects.
    """
    estimates, times = np.asarray(estimates, float), np.asarray(times, float)
    order = np.argsort(np.append(times, base))
    along = np.append(times, base)[order]
    level = np.eye(len(times) + 1)[order][:, :-1]  # the base's row is zero
    gaps = np.diff(along)
    rates = np.diff(level, axis=0) / gaps[:, None]
    before, after = rates[along[1:] <= base], rates[along[1:] > base]
    combined = np.zeros(len(times))
    combined[np.argsort(times)[np.sort(times) > base]] = weights
    loads = gaps[along[1:] > base] * np.cumsum(np.asarray(weights, float)[::-1])[::-1]
    signed = np.concatenate([before, -before])
    pair = np.stack([np.broadcast_to(combined, signed.shape), signed], axis=1)
    return Steps(
        estimate=float(combined @ estimates),
        loads=loads,
        before=signed @ estimates,
        spread=pair @ covariance @ pair.transpose(0, 2, 1),
        after=np.einsum("ij,jk,ik->i", after, covariance, after),
        across=signed @ covariance @ after.T,
        own=np.einsum("ij,jk,ik->i", signed, covariance, signed),
    )


@dataclass(frozen=True)
class Vertices:
    """The vertices for some values of M̄ (first axis) and every step before entry.

    Attributes
    ----------
    on_gap, on_step
        M̄ × k × 4: weight of each vertex on (estimate − θ) and on v.
    variance
        M̄ × k × 4: of each vertex.
    regression
        M̄ × k × 4 × 4: slope of the second vertex on the first (axes 2 and 3).
    critical
        M̄ × k: least-favourable critical value.
    """

    on_gap: np.ndarray
    on_step: np.ndarray
    variance: np.ndarray
    regression: np.ndarray
    critical: np.ndarray


def find_vertices(steps: Steps, m_bar, first_size: float) -> Vertices:
    """Vertices and critical values; `first_size` is the level of the first stage."""
    m = np.asarray(m_bar, float)[:, None]
    mixed = 2 * m[..., None] * steps.across
    fixed = steps.after + m[..., None] ** 2 * steps.own[:, None]
    up, down = (np.sqrt(np.maximum(fixed - s * mixed, 0.0)) for s in (1, -1))
    size, positive = np.abs(steps.loads), steps.loads > 0
    small = np.where(positive, up, down) @ size  # binds where θ is too small
    large = np.where(positive, down, up) @ size
    both, zero = up + down, np.zeros_like(small)
    bias = m * size.sum() + zero
    on_gap = np.stack([zero, zero, 1 / small, -1 / large], axis=-1)
    on_step = [-2 * m / both.min(-1), -2 * m / both.max(-1), -bias / small, -bias / large]
    on_step = np.stack(on_step, axis=-1)
    pairs = np.stack([on_gap, on_step], axis=-1)
    covariance = pairs @ steps.spread @ np.swapaxes(pairs, -1, -2)
    variance = np.diagonal(covariance, axis1=-2, axis2=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        regression = np.where(variance[..., None] > 0, covariance / variance[..., None], 0.0)
    critical = least_favourable(on_gap, on_step, steps.spread, first_size)
    return Vertices(on_gap, on_step, variance, regression, critical)


def least_favourable(on_gap, on_step, spread, size: float) -> np.ndarray:
    """The value that the largest vertex exceeds with probability `size` if all means are 0.

    With v = z standard deviations the two other vertices leave an interval for the
    estimate; its probability is integrated over the z that the first vertex leaves
    (Gauss–Legendre). ARP (2023) simulate this value; here it is exact.
    """
    sd_gap, sd_step = np.sqrt(spread[:, 0, 0]), np.sqrt(spread[:, 1, 1])
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.where(sd_step > 0, spread[:, 0, 1] / sd_step, 0.0)[:, None]
        rest = np.sqrt(np.maximum(sd_gap**2 - slope[:, 0] ** 2, 1e-12 * sd_gap**2))[:, None]
        limit = 1 / (-on_step[..., 0] * sd_step)  # the lowest z per unit of the value
    low = np.zeros(on_gap.shape[:2])
    high = low + special.ndtri(1 - size / 3)  # Bonferroni
    tilt = on_step[..., 2:, None] * sd_step[:, None, None]
    for _ in range(BISECTIONS):
        value = (low + high) / 2
        start = np.maximum(-np.where(np.isfinite(limit), value * limit, EDGE), -EDGE)
        half = (EDGE - start)[..., None] / 2
        z = start[..., None] + half * (NODES + 1)
        room = (value[..., None, None] - tilt * z[..., None, :]) / on_gap[..., 2:, None]
        inside = [special.ndtr((room[..., i, :] - slope * z) / rest) for i in (0, 1)]
        density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi) * WEIGHTS * half
        covered = (density * np.maximum(inside[0] - inside[1], 0.0)).sum(-1)
        above = covered >= 1 - size
        low, high = np.where(above, low, value), np.where(above, value, high)
    return (low + high) / 2


def p_values(steps: Steps, vertices: Vertices, theta: np.ndarray) -> np.ndarray:
    """Probability of a larger η given where it is attained; 0 beyond the critical value.

    Given the vertex that is largest, and all that is independent of it, η is a truncated
    normal variable: the vertex stays the largest only between two values, and below the
    critical value of the first stage.

    Parameters
    ----------
    theta
        M̄ × k × n: effects to test.

    Returns
    -------
    numpy.ndarray
        M̄ × k × n, uniform or larger under the null, given the first stage.
    """
    gap = (steps.estimate - theta)[..., None]
    values = gap * vertices.on_gap[..., None, :]
    values = values + (steps.before[:, None] * vertices.on_step)[..., None, :]
    largest = values.argmax(axis=-1)[..., None]
    eta = np.take_along_axis(values, largest, -1)
    slope = np.take_along_axis(vertices.regression, np.broadcast_to(largest, values.shape), -2)
    variance = np.take_along_axis(vertices.variance[..., None, :], largest, -1)[..., 0]
    left, room = values - slope * eta, 1 - slope
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = left / room
        below = np.where(room > 1e-9, edge, -np.inf).max(-1)
        above = np.where(room < -1e-9, edge, np.inf).min(-1)
        eta, sd = eta[..., 0], np.sqrt(variance)
        above = np.minimum(above, vertices.critical[..., None])
        p = _tail_share(eta / sd, np.minimum(below, eta) / sd, np.maximum(above, eta) / sd)
    p = np.where((eta <= 0) | (variance == 0), 1.0, p)
    return np.where(eta > vertices.critical[..., None], 0.0, p)


def _tail_share(value, low, high) -> np.ndarray:
    """P(Z > value | low <= Z <= high), in logarithms: far tails are common here."""
    tails = [special.log_ndtr(-x) for x in (value, low, high)]
    over, whole = (-np.expm1(np.minimum(tails[2] - t, 0.0)) for t in tails[:2])
    share = np.exp(tails[0] - tails[1]) * over / whole
    return np.where(whole > 0, share, 1.0)
