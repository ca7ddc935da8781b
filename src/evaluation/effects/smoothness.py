"""Honest bounds under smoothness: the slope of the difference in trends changes slowly."""

import numpy as np
import pandas as pd
from scipy import optimize, special


def smooth_trends(
    estimates, covariance, times, weights, slope_changes, *, base: int = -1, confidence=0.95
) -> pd.DataFrame:
    """Fixed-length intervals where the slope changes by at most M from time to time.

    M = 0 extrapolates the straight line of the coefficients before `base`. Rambachan and
    Roth (2023) with the optimal fixed-length interval of Donoho (1994) and Armstrong and
    Kolesár (2018): the linear estimator whose interval, for the worst admissible bias, is
    the shortest. An admissible path is a straight line and a bend of at most M at each
    inner time, so the worst bias is M times the sum of the absolute loads of the bends.

    Parameters
    ----------
    estimates, covariance, times, weights, base
        As for `bounds.relative_magnitudes`.
    slope_changes
        Values of M, in units of the outcome per unit of time.

    Returns
    -------
    pandas.DataFrame
        One row per value: ``m, conf_low, conf_high``.
    """
    order, weights = np.argsort(times), np.asarray(weights, float)
    beta, sigma = np.asarray(estimates)[order], np.asarray(covariance)[np.ix_(order, order)]
    t = np.asarray(times, float)[order] - base
    before, after = t[t < 0], t[t > 0]
    earlier, later = before[1:], np.append(0.0, after[:-1])  # where a path can bend
    # The weights before the base follow from the loads of its bends; the line has load 0.
    inverse = np.linalg.inv([before, *(np.maximum(j - before, 0.0) for j in earlier)])
    origin = np.append(inverse[:, 0] * -(after @ weights), weights)
    towards = np.vstack([inverse[:, 1:], np.zeros((len(after), len(earlier)))])
    fixed = np.abs([np.maximum(after - j, 0.0) @ weights for j in later]).sum()
    rows = []
    for m in np.atleast_1d(np.asarray(slope_changes, float)):
        loads, half = _find_shortest(origin, towards, sigma, m, fixed, confidence)
        middle = (origin + towards @ loads) @ beta
        rows.append((m, middle - half, middle + half))
    return pd.DataFrame(rows, columns=["m", "conf_low", "conf_high"], dtype=float)


def _find_shortest(origin, towards, sigma, m, fixed, confidence) -> tuple[np.ndarray, float]:
    """Loads of the earlier bends that make the interval shortest, and half its length.

    Half the length is convex in the loads; their positive and negative parts make it
    smooth.
    """
    k = towards.shape[1]
    size = np.sqrt(np.diag(sigma).mean())  # so that the optimiser sees numbers near one
    m, sigma = m / size, sigma / size**2

    def measure(parts):
        weights = origin + towards @ (parts[:k] - parts[k:])
        sd = np.sqrt(weights @ sigma @ weights)
        bias = m * (fixed + parts.sum())
        critical, slope = _folded_quantile(bias / sd, confidence)
        by_sd = (critical - slope * bias / sd) * (towards.T @ sigma @ weights) / sd
        return critical * sd, slope * m + np.concatenate([by_sd, -by_sd])

    start, limits = np.full(2 * k, 0.1), [(0.0, None)] * (2 * k)
    if not k:
        return np.zeros(0), measure(np.zeros(0))[0] * size
    exact = {"ftol": 1e-14, "gtol": 1e-9, "maxiter": 2000, "maxcor": 20}
    found = optimize.minimize(
        measure, start, jac=True, bounds=limits, method="L-BFGS-B", options=exact
    )
    return found.x[:k] - found.x[k:], found.fun * size


def _folded_quantile(shift: float, confidence: float) -> tuple[float, float]:
    """Quantile of |N(shift, 1)|, and its derivative by the shift."""
    low, high = shift, shift + special.ndtri(0.5 + confidence / 2)

    def excess(c):
        return special.ndtr(c - shift) - special.ndtr(-c - shift) - confidence

    c = optimize.brentq(excess, low, high + 1e-9, xtol=1e-13)
    near, far = np.exp(-((c - shift) ** 2) / 2), np.exp(-((c + shift) ** 2) / 2)
    return c, float((near - far) / (near + far))
