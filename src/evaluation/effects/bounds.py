"""Honest bounds: how far trends may differ after entry before a conclusion falls."""

import numpy as np
import pandas as pd

from evaluation.effects.moments import Steps, find_vertices, make_steps, p_values

POINTS = 400  # of the grid on which a confidence set is searched for its ends
FIRST_STAGE = 0.1  # share of the level that the first stage takes, as Rambachan and Roth do


def relative_magnitudes(
    estimates, covariance, times, weights, m_bars, *, base: int = -1, confidence: float = 0.95
) -> pd.DataFrame:
    """Bounds under relative magnitudes: robust confidence sets for a combination of effects.

    Trends may differ after entry, in every step between two times, by up to M̄ times the
    largest step before entry. Rambachan and Roth (2023), with the conditional
    least-favourable hybrid test of Andrews, Roth and Pakes (2023), moments of the steps
    after entry only, as their R package does by default (with a single step after entry
    it leaves out a truncation of the second stage that the paper has). At M̄ = 0 it is
    the usual interval.

    Parameters
    ----------
    estimates, covariance
        Event-time coefficients and their covariance.
    times
        Their event times, without `base`, where the coefficient is zero by construction.
    weights
        The combination of the effects at times after `base` that is bounded, in order.
    m_bars
        Values of M̄, none negative.

    Returns
    -------
    pandas.DataFrame
        One row per value: ``m_bar, conf_low, conf_high``; the ends of the set, which
        may have holes.
    """
    m_bars = np.atleast_1d(np.asarray(m_bars, float))
    steps = make_steps(estimates, covariance, times, weights, base)
    low, high = _find_ends(steps, m_bars, confidence)
    return pd.DataFrame({"m_bar": m_bars, "conf_low": low, "conf_high": high})


def _find_ends(steps: Steps, m_bars, confidence) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the union, over the steps before entry, of the values not rejected."""
    first, second = _levels(confidence)
    vertices = find_vertices(steps, m_bars, first)
    # Beyond these the first stage rejects; the vertices meet where the test is weakest.
    at, v = vertices.on_gap, steps.before[:, None] * vertices.on_step
    crossing = (v[..., [0, 1, 0, 1]] - v[..., [2, 2, 3, 3]]) / at[..., [2, 2, 3, 3]]
    middle = (v[..., 3] - v[..., 2]) / (at[..., 2] - at[..., 3])
    limit = (vertices.critical[..., None] - v[..., 2:]) / at[..., 2:]
    gaps = np.concatenate([crossing, middle[..., None]], axis=-1)
    inner, outer = limit[..., 1:], limit[..., :1]
    grid = inner + (outer - inner) * np.linspace(0, 1, POINTS)
    kept = np.clip(gaps, np.minimum(inner, outer), np.maximum(inner, outer))
    theta = np.sort(steps.estimate - np.concatenate([grid, kept], axis=-1), axis=-1)
    accepted = p_values(steps, vertices, theta) >= second
    some = accepted.any(axis=-1)
    last = theta.shape[-1] - 1
    ends = [accepted.argmax(-1), last - accepted[..., ::-1].argmax(-1)]
    inside = np.stack([_pick(theta, i) for i in ends], axis=-1)
    near = [np.maximum(ends[0] - 1, 0), np.minimum(ends[1] + 1, last)]
    outside = np.stack([_pick(theta, i) for i in near], axis=-1)
    for _ in range(30):
        half = (inside + outside) / 2
        good = p_values(steps, vertices, half) >= second
        inside, outside = np.where(good, half, inside), np.where(good, outside, half)
    low = np.where(some, inside[..., 0], np.inf).min(axis=1)
    high = np.where(some, inside[..., 1], -np.inf).max(axis=1)
    none = ~some.any(axis=1)
    return np.where(none, np.nan, low), np.where(none, np.nan, high)


def _pick(values, index) -> np.ndarray:
    return np.take_along_axis(values, index[..., None], -1)[..., 0]


def _levels(confidence: float) -> tuple[float, float]:
    """Levels of the two stages, so that both together reject in 1 − confidence."""
    size = 1 - confidence
    first = FIRST_STAGE * size
    return first, (size - first) / (1 - first)


def find_breakdown(
    estimates, covariance, times, weights, *, base: int = -1, confidence: float = 0.95
) -> float:
    """The M̄ from which on the bounds hold zero: how large a drift the conclusion survives.

    The first such value; 0 where the usual interval holds zero already, infinite where
    no value up to 100 does.
    """
    steps = make_steps(estimates, covariance, times, weights, base)

    def holds(m_bars):
        first, second = _levels(confidence)
        vertices = find_vertices(steps, m_bars, first)
        zero = np.zeros((*vertices.critical.shape, 1))
        return (p_values(steps, vertices, zero) >= second).any(axis=(1, 2))

    low, high = 0.0, np.inf
    for grid in (np.linspace(0, 2, 21), np.geomspace(2, 100, 41)):
        found = holds(grid)
        if found.any():
            at = int(found.argmax())
            low, high = (grid[at - 1] if at else low), grid[at]
            break
        low = grid[-1]
    while np.isfinite(high) and high - low > 1e-4:
        points = np.linspace(low, high, 9)[1:]
        at = int(holds(points).argmax())
        low, high = (points[at - 1] if at else low), points[at]
    return float(high)
