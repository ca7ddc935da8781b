"""Bounds where follow-up differs: the better followed group is trimmed (Lee 2009)."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Trimmed:
    """What trimming the better followed group can do to a difference of means.

    Attributes
    ----------
    followed_treated, followed_comparison
        Shares with a known outcome.
    share
        Share of the better followed group that is trimmed.
    down, up
        By how much the difference (treated less comparison) could be lower or higher.
    """

    followed_treated: float
    followed_comparison: float
    share: float
    down: float
    up: float


def trim_better_followed(
    outcome: np.ndarray, treated: np.ndarray, weights: np.ndarray | None = None
) -> Trimmed:
    """Trim the group of which more is known, from above and from below.

    If following up depends on treatment in one direction only (Lee 2009, Rev. Econ. Stud.
    76:1071, assumption 1b), the effect on those who would be followed either way lies
    between the two. Ties, of which a 0/1 outcome is full, are trimmed in part.

    Parameters
    ----------
    outcome
        One per person; missing where it is not known.
    treated
        0/1.
    weights
        Of the persons; none = 1.
    """
    w = np.ones(len(outcome)) if weights is None else np.asarray(weights, dtype=float)
    y, d = np.asarray(outcome, dtype=float), np.asarray(treated) == 1
    seen = np.isfinite(y)
    share = {side: w[seen & (d == side)].sum() / w[d == side].sum() for side in (True, False)}
    better = share[True] >= share[False]
    cut = 1 - min(share.values()) / max(share.values())
    own = seen & (d == better)
    low, mean, high = _trimmed_means(y[own], w[own], cut)
    down, up = (mean - low, high - mean) if better else (high - mean, mean - low)
    return Trimmed(share[True], share[False], cut, float(down), float(up))


def _trimmed_means(values, weights, cut):
    """Mean without the highest share, of all, without the lowest share."""
    order = np.argsort(values, kind="stable")
    y, w = values[order], weights[order] / weights.sum()
    below = np.cumsum(w) - w
    kept = np.clip(1 - cut - below, 0, w)
    low = (kept * y).sum() / (1 - cut)
    high = ((w - np.clip(cut - below, 0, w)) * y).sum() / (1 - cut)
    return low, (w * y).sum(), high
