"""Simultaneous bands of an event study: the whole path at once, not point by point."""

import numpy as np
from scipy import special

DRAWS = 20_000


def sup_t_critical(
    influence: np.ndarray, seed: int, confidence: float = 0.95, draws: int = DRAWS
) -> float:
    """Critical value with which all intervals hold their effects at once.

    The quantile of the largest of the studentized errors, drawn from the normal law with
    the correlation of the estimates (the plug-in sup-t of Montiel Olea and Plagborg-Møller
    2019, which the multiplier bootstrap of Callaway and Sant'Anna 2021 approaches). Between
    the pointwise value (one effect) and Bonferroni's.

    Parameters
    ----------
    influence
        Units × effects.
    seed
        Of the draws.
    """
    covariance = influence.T @ influence
    spread = np.sqrt(np.diag(covariance))
    used = spread > 0
    if not used.any():
        return float(special.ndtri(0.5 + confidence / 2))
    correlation = covariance[np.ix_(used, used)] / np.outer(spread[used], spread[used])
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0))
    normal = np.random.default_rng(seed).standard_normal((draws, int(used.sum())))
    largest = np.abs(normal @ root.T).max(axis=1)
    return float(np.quantile(largest, confidence))
