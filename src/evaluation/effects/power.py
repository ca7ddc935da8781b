"""What the persons really used could show at all."""

import numpy as np
from scipy import special, stats


def minimum_detectable_effect(
    std_error: float,
    n_clusters: int,
    inference: str,
    power: float = 0.80,
    confidence: float = 0.95,
) -> float:
    """Smallest true effect whose interval leaves out zero in `power` of all draws.

    Critical value of the interval that is reported (normal by person, t(G−1) by
    cluster) plus the normal quantile of `power`, times the standard error. Of the
    `published` result it is the larger of the two designs': the union of intervals
    leaves out zero only if the wider one does, so the true figure is a little higher.
    """
    critical = critical_value(n_clusters, inference, 1 - confidence)
    return float((critical + special.ndtri(power)) * std_error)


def critical_value(n_clusters: int, inference: str, significance: float = 0.05) -> float:
    """Two-sided critical value of a reported interval: normal, or t(G−1) by cluster."""
    upper = 1 - significance / 2
    by_cluster = inference == "cluster"
    return special.stdtrit(n_clusters - 1, upper) if by_cluster else special.ndtri(upper)


def detection_power(
    effect: float,
    std_error: float,
    n_clusters: int,
    inference: str,
    significance: float = 0.05,
) -> float:
    """Probability that the test of the reported interval sees an effect of this size."""
    critical = critical_value(n_clusters, inference, significance)
    shift = abs(effect) / std_error
    return float(stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift))


def exaggeration(effect: float, std_error: float, significance: float = 0.05) -> float:
    """By how much significant estimates exceed a true effect on average.

    Gelman and Carlin (2014), type M: the mean size of estimates that are significant,
    over the true effect; in closed form from the truncated normal.
    """
    shift, critical = abs(effect) / std_error, stats.norm.ppf(1 - significance / 2)
    upper, lower = critical - shift, -critical - shift
    mass = stats.norm.sf(upper) + stats.norm.cdf(lower)
    size = shift * (stats.norm.sf(upper) - stats.norm.cdf(lower))
    size += stats.norm.pdf(upper) + stats.norm.pdf(lower)
    return float(size / mass / shift) if mass > 0 else np.inf
