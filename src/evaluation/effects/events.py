"""The event study of a design as a vector of coefficients with its covariance."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from scipy import special

from evaluation.effects.aggregation import GroupTime, pool_at, pool_by

BASE = -1


@dataclass(frozen=True)
class EventStudy:
    """Pooled effects by event time, from the first pre-entry year to the horizon.

    Attributes
    ----------
    times
        Event times in order, without the base year −1; the last is the horizon.
    estimates
        Their pooled effects.
    covariances
        By ``person``, and by ``cluster`` with G/(G−1) where clusters are coarser.
    n_clusters
        Clusters behind the effect at the horizon.
    """

    times: np.ndarray
    estimates: np.ndarray
    covariances: dict[str, np.ndarray]
    n_clusters: int

    @property
    def before(self) -> np.ndarray:
        """Which of the times lie before the base year."""
        return self.times < BASE

    @property
    def at_horizon(self) -> np.ndarray:
        """Weights on the effects after the base year that pick the one at the horizon."""
        return (self.times[~self.before] == self.times[-1]).astype(float)

    def widened(self, confidence: float = 0.95) -> list[np.ndarray]:
        """Covariances with which a normal interval is the one that is reported.

        That by cluster is multiplied by the square of t(G−1) over the normal quantile.
        """
        upper = 0.5 + confidence / 2
        wide = {"person": 1.0}
        if "cluster" in self.covariances:
            wide["cluster"] = special.stdtrit(self.n_clusters - 1, upper) / special.ndtri(upper)
        return [self.covariances[name] * ratio**2 for name, ratio in wide.items()]


def gather_events(
    group_time: GroupTime, horizon: int, window: Collection[int] | None = None, least: int = 1
) -> EventStudy | None:
    """Pool a design by event time, with covariances from the influence of each person.

    Parameters
    ----------
    group_time
        Cohorts that have reached the horizon, base year −1.
    window
        Event times before entry that count; none = all.
    least
        Treated persons that an event time needs: a step made by a handful of persons
        would bound what happened to all.

    Returns
    -------
    EventStudy or None
        None without an effect at the horizon or without one before the base year.
    """
    target = pool_at(group_time, horizon)
    pooled = {
        e: part
        for e, part in pool_by(group_time, "event_time").items()
        if e != BASE
        and e <= horizon
        and (e > BASE or window is None or e in window)
        and part.treated.sum() >= least
        and np.any(part.influence)
    }
    if target is None or horizon not in pooled or not any(e < BASE for e in pooled):
        return None
    times = sorted(pooled)
    influence = np.column_stack([pooled[e].influence for e in times])
    influence = influence / len(influence)
    covariances = {"person": influence.T @ influence}
    codes = group_time.units["cluster"].cat.codes.to_numpy()
    groups = np.count_nonzero(np.bincount(codes[target.used]))
    if 1 < groups < target.used.sum():
        sums = np.column_stack([np.bincount(codes, column) for column in influence.T])
        covariances["cluster"] = groups / (groups - 1) * (sums.T @ sums)
    estimates = np.array([pooled[e].estimate for e in times])
    return EventStudy(np.array(times), estimates, covariances, int(groups))
