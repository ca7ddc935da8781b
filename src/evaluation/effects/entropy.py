"""Entropy balancing of a comparison on the treated, with the contribution of each row."""

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError

RIDGES = (0.0, 1e-4, 1e-2, 1e-1)
_MAX_STEPS = 100


def balance_weights(
    treated: np.ndarray, comparison: np.ndarray, base: np.ndarray | None = None
) -> tuple[np.ndarray, dict]:
    """Weights under which the comparison has the means of the treated.

    Hainmueller (2012): closest to the base weights in entropy; Newton steps on the
    dual. Where exact balance is impossible (means of the treated outside the
    comparison's range) a ridge on the dual gives the nearest; what is left is reported.

    Parameters
    ----------
    treated, comparison
        Rows × covariates, without intercept.
    base
        Base weights of the comparison rows (any scale).

    Returns
    -------
    tuple
        Weights that sum to 1, and a report: ``ridge`` (0 = exact) and ``left`` (the
        differences that remain, in standard deviations of both groups together).
    """
    if not len(treated) or not len(comparison):
        raise EstimationError("没有参加者或没有对照者，无法加权平衡。")
    _, design, used = _standardise(treated, comparison, np.ones(len(comparison)))
    weights, moments, ridge = _find_weights(design, base)
    return weights, _report(ridge, moments, used)


def _standardise(treated, comparison, counts):
    """Intercept, and covariates less their mean among the treated, of both groups.

    In standard deviations of both together, a row of the comparison standing for as many
    as `counts` says; constant covariates (not `used`) are out.
    """
    centre, n = treated.mean(axis=0), len(treated) + counts.sum()
    designs = [np.ones((len(part), len(centre) + 1)) for part in (treated, comparison)]
    for design, part in zip(designs, (treated, comparison), strict=True):
        np.subtract(part, centre, out=design[:, 1:])
    squares = counts @ designs[1] ** 2 + np.einsum("ij,ij->j", designs[0], designs[0])
    total = counts @ designs[1]
    spread = np.sqrt(np.maximum(squares / n - (total / n) ** 2, 0.0))[1:]
    used = spread > 1e-10 * (1 + np.abs(centre))
    if not used.all():
        designs = [design[:, np.r_[True, used]] for design in designs]
    for design in designs:
        design *= np.r_[1.0, 1.0 / spread[used]]
    return *designs, used


def _find_weights(design, base):
    """Balancing weights with the weighted moments of the design, and the ridge needed."""
    n = len(design)
    q = np.full(n, 1.0 / n) if base is None else np.asarray(base, float) / np.sum(base)
    for ridge in RIDGES:
        weights, moments, solved = _solve_dual(design, q, ridge)
        if solved:
            break
    return weights, moments, ridge


def _report(ridge, moments, used):
    left = np.zeros(len(used))
    left[used] = moments[0, 1:]
    return {"ridge": ridge, "left": left}


def _solve_dual(design, q, ridge):
    """Minimise log-sum-exp of the dual plus a ridge; moments, and whether it converged."""
    x, k = design[:, 1:], design.shape[1] - 1
    dual, log_q = np.zeros(k), np.log(np.maximum(q, 1e-300))

    def value_of(point):
        z = log_q + x @ point
        top = z.max()
        e = np.exp(z - top)
        return top + np.log(e.sum()) + ridge / 2 * point @ point, e / e.sum()

    value, weights = value_of(dual)
    for _ in range(_MAX_STEPS):
        moments = _moments(design, weights)
        mean = moments[0, 1:]
        slope = mean + ridge * dual
        if np.abs(slope).max(initial=0.0) < 1e-9:
            return weights, moments, True
        curve = moments[1:, 1:] - np.outer(mean, mean) + ridge * np.eye(k)
        step = -np.linalg.lstsq(curve, slope, rcond=1e-12)[0]
        size = 1.0
        while size > 1e-6:
            trial, trial_weights = value_of(dual + size * step)
            if trial <= value + 1e-4 * size * (slope @ step):
                break
            size /= 2
        else:
            break
        dual, value, weights = dual + size * step, trial, trial_weights
        if np.abs(dual).max() > 60:
            break
    return weights, _moments(design, weights), False


def _moments(design, weights):
    """Weighted products of all columns with each other."""
    rooted = design * np.sqrt(weights)[:, None]
    return rooted.T @ rooted


def _regress(design, weighted, weights, moments):
    """Least squares by the moments, unless nearly collinear columns forbid it.

    `weighted`: the outcome times its weight, summed over the rows of a group.
    """
    if np.linalg.cond(moments) < 1e6:
        return np.linalg.solve(moments, weighted @ design)
    root = np.sqrt(np.maximum(weights, 1e-300))
    return np.linalg.lstsq(design * root[:, None], weighted / root, rcond=1e-10)[0]


def find_distinct(covariates: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows in order of appearance, and which of them each row is.

    Told apart by fingerprints, which are then held against the rows themselves.
    """
    prints = pd.util.hash_pandas_object(pd.DataFrame(covariates), index=False)
    alike, found = pd.factorize(prints.to_numpy())
    first = np.empty(len(found), dtype=np.intp)
    first[alike[::-1]] = np.arange(len(alike))[::-1]
    distinct = covariates[first]
    whole = np.array_equal(distinct[alike], covariates)
    return (distinct, alike) if whole else (covariates, np.arange(len(covariates)))


def balanced_difference(
    outcome: np.ndarray,
    treated: np.ndarray,
    covariates: np.ndarray,
    base: np.ndarray | None = None,
    alike: np.ndarray | None = None,
) -> tuple[float, np.ndarray, dict]:
    """Difference of means after balancing, with the contribution of each row.

    The influence is that of the estimating equations with estimated weights: residuals
    from the weighted regression of the outcome among the comparison, for which
    entropy balancing is doubly robust (Zhao and Percival 2017).

    Weights and fitted values depend on the covariates only: comparison rows with the same
    are one row of the problem with the sum of their base weights, of which each then gets
    its share.

    Parameters
    ----------
    covariates, alike
        A row each; or distinct rows, and which of them each row is (`find_distinct`).

    Returns
    -------
    tuple
        Estimate; contributions (their sum of squares is the variance); the report of
        `balance_weights` with ``weights`` of the comparison rows, ``n_effective`` and
        ``untreated_variance`` (around the weighted regression).
    """
    d = np.asarray(treated, bool)
    y, z = np.asarray(outcome, float), np.asarray(covariates, float)
    if d.all() or not d.any():
        raise EstimationError("没有参加者或没有对照者，无法加权平衡。")
    others, q = np.flatnonzero(~d), np.ones(len(y)) if base is None else np.asarray(base)
    alike = np.arange(len(y)) if alike is None else alike
    group = alike[others]
    counts, of_group = np.bincount(group), np.bincount(group, q[others])
    kept, place = np.flatnonzero(counts), np.cumsum(counts > 0)[group] - 1
    with_policy, without, used = _standardise(z[alike[d]], z[kept], counts[kept])
    weights, moments, ridge = _find_weights(without, of_group[kept])
    w = (weights / of_group[kept])[place] * q[others]
    slope = _regress(without, np.bincount(place, w * y[others]), weights, moments)
    estimate = y[d].mean() - w @ y[others]
    contribution = np.empty(len(y))
    rest = y[d] - with_policy @ slope
    contribution[d] = (rest - rest.mean()) / d.sum()
    residual = y[others] - (without @ slope)[place]
    contribution[others] = -w * residual
    report = _report(ridge, moments, used)
    report |= {"weights": w, "n_effective": float(1 / np.sum(w**2))}
    report |= {"untreated_variance": float(w @ residual**2)}
    return float(estimate), contribution, report
