"""Randomization inference: what the estimate would be had others entered.

A second opinion beside the influence functions. Recipients are redrawn among comparable
persons of the same cohort and stratum; the share of redrawn assignments with a statistic
at least as large is the p-value of no effect for anybody (Fisher 1935; studentized, so
that it also holds for no effect on average, Chung and Romano 2013), and the constant
effects that are not rejected are the interval. It is no cure for selection: the strata
*are* the assumption.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from evaluation.effects.assignment import Assignment
from evaluation.errors import EstimationError

_STEPS = 40  # halvings of an interval's end
_BLOCK = 2**24  # numbers drawn at a time


@dataclass(frozen=True)
class Randomized:
    """Result of a randomization test.

    Attributes
    ----------
    estimate
        The statistic before it is studentized, pooled over cohorts.
    p_value
        Of no effect; two-sided.
    conf_low, conf_high
        Constant effects not rejected at 5 %: approximate for a 0/1 outcome, for which no
        constant effect is possible.
    false_alarms
        Share of redrawn assignments in which the usual 95 % interval excludes 0, once the
        estimate is taken out of the outcome of those who really entered: with it left in,
        an alarm would be one about the effect, which redrawn recipients carry in part.
    n_draws, n_movable
        Assignments drawn, and recipients whose stratum holds anybody else.
    """

    estimate: float
    p_value: float
    conf_low: float
    conf_high: float
    false_alarms: float
    n_draws: int
    n_movable: int


def randomize(assignment: Assignment, draws: int, seed: int, level: float = 0.05) -> Randomized:
    """Redraw the recipients and compare.

    Within a stratum as many are drawn as entered, comparison persons in proportion to
    their weight and recipients to the mean weight of a person so drawn, so that redrawn
    recipients resemble the weighted comparison. The statistic is the difference of means
    (the comparison's weighted) in each cohort, averaged by recipients, over its standard
    error by person. The effect tested enters it linearly and its variance as a square, so
    an interval needs no further drawing.

    Parameters
    ----------
    draws
        Number of redrawn assignments; the actual one is added.
    seed
        Of the draws; rows are taken in their order.
    level
        One minus the confidence.

    Raises
    ------
    EstimationError
        If nobody could change places with anybody.
    """
    movable = _count_movable(assignment)
    if not movable:
        raise EstimationError("没有可以互换的人，无法作随机化检验。")
    sums = _draw_sums(assignment, draws, seed)
    sizes = np.bincount(assignment.cohort, assignment.treated)
    totals = _add_up(_features(assignment), assignment.cohort, len(sizes))

    def test(effect):
        """Statistic of each assignment (the actual one first) under a constant effect."""
        return _studentize(sums, totals, sizes, effect)

    difference, _ = test(0.0)
    p_value, low, high = invert(test, level)
    _, without_effect = test(difference[0])
    alarms = np.abs(without_effect[1:]) > special.ndtri(1 - level / 2)
    return Randomized(
        estimate=float(difference[0]),
        p_value=p_value,
        conf_low=low,
        conf_high=high,
        false_alarms=float(alarms.mean()),
        n_draws=draws,
        n_movable=movable,
    )


def _count_movable(assignment):
    stay = np.bincount(assignment.stratum, ~assignment.treated)
    return int(assignment.treated[stay[assignment.stratum] > 0].sum())


def invert(test: Callable[[float], tuple], level: float) -> tuple[float, float, float]:
    """P-value of no effect, and the ends of the constant effects that are not rejected.

    Parameters
    ----------
    test
        Takes a constant effect; returns for each assignment, the actual one first, the
        estimate and its ratio to the standard error.
    level
        One minus the confidence.
    """

    def p_value(effect):
        ratio = np.abs(test(effect)[1])
        return float(np.mean(ratio >= ratio[0] * (1 - 1e-9)))

    estimates, ratios = test(0.0)
    scale = abs(estimates[0] / ratios[0]) if ratios[0] else np.std(estimates)
    ends = [_find_end(p_value, estimates[0], side * scale, level) for side in (-1, 1)]
    return p_value(0.0), *ends


def _find_end(p_value, centre, step, level):
    """The farthest effect on one side that is not rejected, by doubling and halving."""
    inside, width = centre, step
    for _ in range(12):
        if p_value(centre + width) <= level:
            break
        inside, width = centre + width, 2 * width
    else:
        return float(np.copysign(np.inf, step))
    outside = centre + width
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if p_value(middle) > level:
            inside = middle
        else:
            outside = middle
    return float(inside)


def _features(a: Assignment) -> np.ndarray:
    """Row by row what sums over recipients and over the comparison are made of."""
    y, d, w = a.outcome, a.exposure, a.weight
    columns = [y, d, y * y, y * d, d * d, w, w * y, w * d]
    squares = [np.ones(len(y)), y, d, y * y, y * d, d * d]
    return np.column_stack(columns + [w * w * column for column in squares])


def _add_up(features, cohort, n_cohorts):
    """Sums of features by cohort: cohorts × features."""
    return np.column_stack(
        [np.bincount(cohort, column, minlength=n_cohorts) for column in features.T]
    )


def _draw_sums(a, draws, seed) -> np.ndarray:
    """Sums of features over the recipients: assignments × cohorts × features.

    The first is the actual one. Drawing in proportion to weights without replacement is a
    race of exponentials (Efraimidis and Spirakis 2006).
    """
    features = _features(a)
    n_cohorts = int(a.cohort.max()) + 1
    sums = np.zeros((draws + 1, n_cohorts, features.shape[1]))
    sums[0] = _add_up(features * a.treated[:, None], a.cohort, n_cohorts)
    rng = np.random.default_rng(seed)
    order = np.argsort(a.stratum, kind="stable")
    starts = np.flatnonzero(np.diff(a.stratum[order], prepend=-1))
    for rows in np.split(order, starts[1:]):
        n, g = int(a.treated[rows].sum()), a.cohort[rows[0]]
        if not n:
            continue
        if n == len(rows):
            sums[1:, g] += features[rows].sum(axis=0)
            continue
        others = a.weight[rows][~a.treated[rows]]
        rate = np.where(a.treated[rows], (others**2).sum() / others.sum(), a.weight[rows])
        width = max(1, _BLOCK // len(rows))
        for first in range(0, draws, width):
            last = min(first + width, draws)
            race = rng.standard_exponential((last - first, len(rows)), dtype=np.float32)
            race /= rate.astype(np.float32)
            chosen = rows[np.argpartition(race, n - 1, axis=1)[:, :n]]
            sums[first + 1 : last + 1, g] += features[chosen].sum(axis=1)
    return sums


def _studentize(sums, totals, sizes, effect):
    """Difference pooled over cohorts and its ratio to the standard error by person."""
    y, d, yy, yd, dd, w, wy, wd, ww, wwy, wwd, wwyy, wwyd, wwdd = np.moveaxis(sums, -1, 0)
    of_all = np.moveaxis(totals, -1, 0)[:, None, :]
    n = sizes[None, :]
    mean = (y - effect * d) / n
    spread = (yy - 2 * effect * yd + effect**2 * dd) / n - mean**2
    weight = of_all[5] - w
    other = (of_all[6] - wy - effect * (of_all[7] - wd)) / weight
    square = of_all[11] - wwyy - 2 * effect * (of_all[12] - wwyd)
    square = square + effect**2 * (of_all[13] - wwdd)
    linear = of_all[9] - wwy - effect * (of_all[10] - wwd)
    spread_other = (square - 2 * other * linear + other**2 * (of_all[8] - ww)) / weight**2
    share = n / n.sum()
    difference = ((mean - other) * share).sum(axis=1)
    variance = ((np.maximum(spread, 0) / n + np.maximum(spread_other, 0)) * share**2).sum(
        axis=1
    )
    return difference, difference / np.sqrt(np.maximum(variance, 1e-300))
