"""Doubly robust difference-in-differences, for any panel and for monthly risk sets.

Sant'Anna and Zhao (2020) for one comparison, Callaway and Sant'Anna (2021) for
cohorts; equal to R's ``DRDID`` and ``did`` (see ``tests/test_published_results.py``).
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import (
    GroupTime,
    name_cell,
    stack_effects,
)
from evaluation.effects.codings import code_units, find_positions, hold_once
from evaluation.errors import EstimationError
from evaluation.panel.months import find_rows

TRIM = 0.995  # comparison units more likely treated than this are left out, as in DRDID
_MAX_STEPS = 50


def design_matrix(covariates: np.ndarray) -> np.ndarray:
    """Intercept and standardised covariates without constant or collinear columns.

    No estimate depends on the scale of a covariate; the solvers do.
    """
    covariates = np.asarray(covariates, dtype=float)
    spread = covariates.std(axis=0)
    varies = spread > 1e-12 * (1.0 + np.abs(covariates).max(axis=0, initial=0.0))
    x = (covariates[:, varies] - covariates[:, varies].mean(axis=0)) / spread[varies]
    kept = np.column_stack([np.ones(len(x)), x])
    if np.linalg.eigvalsh(x.T @ x).min(initial=np.inf) > 1e-8 * len(x):
        return kept  # nothing near collinear: the usual case
    kept = kept[:, :1]
    for column in x.T:
        rest = column - kept @ np.linalg.lstsq(kept, column, rcond=None)[0]
        if rest.std() > 1e-7:
            kept = np.column_stack([kept, column])
    return kept


def fit_propensity(treated: np.ndarray, design: np.ndarray, weights: np.ndarray):
    """Logit by Newton steps.

    Where covariates separate treated from comparison a small ridge keeps the
    coefficients finite; units that far apart are trimmed or weigh next to nothing.

    Returns
    -------
    tuple
        Fitted probabilities and the inverse of the mean information matrix.
    """
    n, k = design.shape
    for ridge in (0.0, 1e-3, 1e-1):
        penalty = ridge * n * np.diag(np.r_[0.0, np.ones(k - 1)])
        beta = np.zeros(k)
        share = np.average(treated, weights=weights)
        beta[0] = np.log(share / (1 - share))
        for _ in range(_MAX_STEPS):
            p = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -35, 35)))
            slope = design.T @ (weights * (treated - p)) - penalty @ beta
            information = (design * (weights * p * (1 - p))[:, None]).T @ design + penalty
            try:
                step = np.linalg.solve(information, slope)
            except np.linalg.LinAlgError:
                break
            beta = beta + step
            if np.abs(step).max() < 1e-11:
                p = 1.0 / (1.0 + np.exp(-np.clip(design @ beta, -35, 35)))
                return np.minimum(p, 1 - 1e-6), np.linalg.inv(information) * n
            if np.abs(beta).max() > 30:
                break
    raise EstimationError("倾向得分模型无法收敛：协变量几乎完全区分了参加者与对照者。")


def _regress_comparison(change, treated, design, weights):
    """Outcome regression among comparison units: fitted values, influence of coefficients."""
    w = weights * (1 - treated)
    gram = (design * w[:, None]).T @ design / len(change)
    inverse = np.linalg.pinv(gram)
    fitted = design @ (inverse @ (design.T @ (w * change) / len(change)))
    return fitted, (w * (change - fitted))[:, None] * design @ inverse


def doubly_robust_did(
    change: np.ndarray,
    treated: np.ndarray,
    covariates: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    method: str = "dr",
) -> tuple[float, np.ndarray, float]:
    """Effect on the treated from one change between two periods.

    Formulas of ``DRDID::drdid_panel``, ``reg_did_panel`` and ``std_ipw_did_panel``
    (Sant'Anna and Zhao 2020, section 3), with trimming at a propensity of 0.995.

    Parameters
    ----------
    change
        Outcome after less outcome before, one per unit.
    treated
        1 for treated units, 0 for comparison units.
    covariates
        Units × covariates, without intercept; none = unconditional.
    weights
        Base weights (here: inverse probability of having stayed untreated).
    method
        ``dr`` (consistent if either model holds), ``reg`` or ``ipw``.

    Returns
    -------
    tuple
        The effect; the influence of each unit, scaled so that the variance of the
        effect is ``mean(influence**2) / n``; the variance of the change without
        treatment around its prediction, among the comparison weighted like the treated.

    Raises
    ------
    EstimationError
        If one of the groups is empty, or the propensity cannot be fitted.
    """
    y, n = np.asarray(change, float), len(change)
    entered = np.asarray(treated) == 1
    if not 0 < np.count_nonzero(entered) < n:
        raise EstimationError("这一期没有参加者或没有对照者，无法比较。")
    if covariates is None:
        return _difference_of_means(y, entered, weights)
    w = np.ones(n) if weights is None else np.asarray(weights, float)
    d, w, x = entered.astype(float), w / w.mean(), design_matrix(covariates)
    fitted, ols = np.zeros(n), None
    if method in ("dr", "reg"):
        fitted, ols = _regress_comparison(y, d, x, w)
    if method == "reg":
        treat, share = w * d, np.mean(w * d)
        effect, base = np.mean(treat * y) / share, np.mean(treat * fitted) / share
        other = treat * (fitted - base) + ols @ (treat @ x / n)
        spread = np.average((y - fitted) ** 2, weights=w * (1 - d))
        return effect - base, (treat * (y - effect) - other) / share, spread
    p, hessian = fit_propensity(d, x, w)
    kept = np.where(d == 1, 1.0, p < TRIM)
    treat, other = kept * w * d, kept * w * (1 - d) * p / (1 - p)
    rest = y - fitted
    share, odds = treat.mean(), other.mean()
    if odds <= 0:
        raise EstimationError("对照者与参加者没有可比的重叠部分，无法比较。")
    effect, base = np.mean(treat * rest) / share, np.mean(other * rest) / odds
    score = (w * (d - p))[:, None] * x @ hessian
    of_treated = treat * (rest - effect)
    of_others = other * (rest - base) + score @ ((other * (rest - base)) @ x / n)
    if ols is not None:
        of_treated = of_treated - ols @ (treat @ x / n)
        of_others = of_others - ols @ (other @ x / n)
    spread = np.average((rest - base) ** 2, weights=other)
    return effect - base, of_treated / share - of_others / odds, spread


def _difference_of_means(y, treated, weights):
    """What every method comes to without covariates; see `doubly_robust_did`.

    Plain sums: a product of vectors would start threads for each of many small ones.
    """
    influence, means = np.empty(len(y)), []
    for rows, sign in ((treated, 1), (~treated, -1)):
        rest, weight = y[rows], None if weights is None else np.asarray(weights, float)[rows]
        size = len(rest) if weight is None else weight.sum()
        means.append((rest if weight is None else weight * rest).sum() / size)
        rest -= means[-1]
        spread = (rest**2 if weight is None else weight * rest**2).sum() / size
        if weight is not None:
            rest *= weight
        rest *= sign * len(y) / size
        influence[rows] = rest
    return means[0] - means[1], influence, spread


def estimate_cell(
    cohort, time, codes, treated, change, covariates, weights, method, realised=False
):
    """One (cohort, time) on the rows whose change, covariates and weights are known.

    `realised`: from entry on, widened by `aggregation.widen_treated`.
    """
    known = np.isfinite(change)
    if weights is not None:
        known &= np.isfinite(weights)
    if covariates.shape[1]:
        known &= np.isfinite(covariates).all(axis=1)
    if not known.all():
        codes, treated, change = codes[known], treated[known], change[known]
        covariates = covariates[known]
        weights = None if weights is None else weights[known]
    treated = treated == 1
    if not 0 < np.count_nonzero(treated) < len(treated):
        return None
    estimate, contribution, spread = doubly_robust_did(
        change, treated, covariates if covariates.shape[1] else None, weights, method
    )
    contribution /= len(treated)
    widened = spread if realised and time >= cohort else None
    return name_cell(cohort, time, estimate, codes, treated, contribution, widened)


def widen(frame: pd.DataFrame, unit: str, time: str, values: str, order, times) -> np.ndarray:
    """Units × times, missing where a unit was not seen."""
    rows = find_rows(pd.Index(order), frame[unit])
    columns = pd.Index(times).get_indexer(frame[time])
    wide = np.full((len(order), len(times)), np.nan)
    inside = (rows >= 0) & (columns >= 0)
    numbers = frame[values].to_numpy(dtype=float, na_value=np.nan)
    wide[rows[inside], columns[inside]] = numbers[inside]
    return wide


def group_time_effects(
    panel: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    cluster: str | None = None,
    covariates: Iterable[str] = (),
    control: str = "not_yet_treated",
    base: str = "universal",
    method: str = "dr",
    event_times: Iterable[int] | None = None,
) -> GroupTime:
    """Callaway–Sant'Anna effects of each cohort at each time, for any panel.

    Parameters
    ----------
    panel
        One row per unit and time; checked by `guards.check_panel` beforehand.
        A unit counts for (g, t) where it was seen at both periods.
    cohort
        First treated time; missing = never.
    covariates
        Read in the base period of each comparison.
    control
        ``not_yet_treated`` (by the later of the two periods) or ``never_treated``.
    base
        ``universal``: all times against the last before treatment (for the gates);
        ``varying``: earlier times against the one before, as R's ``did`` does by default.
    event_times
        Which to estimate; none = all.

    Returns
    -------
    GroupTime
        Key of its effects ``(cohort, time)``.
    """
    units, first, times, codes = list_units(panel, unit, time, cohort, cluster)
    columns = find_positions(times, panel[time])
    y = spread_out(panel[outcome], codes, columns, (len(units), len(times)))
    x = [spread_out(panel[name], codes, columns, y.shape) for name in covariates]
    x = np.stack(x, axis=-1) if x else np.empty((*y.shape, 0))
    del codes, columns  # as long as the panel, which may be large
    pairs = list(_pair_times(first, times, base, event_times))

    def estimate():
        for g, i, start in pairs:
            latest = times[max(i, start)]
            others = np.isinf(first) if control == "never_treated" else first > latest
            rows = np.flatnonzero((first == g) | (others & (first != g)))
            yield estimate_cell(
                g,
                times[i],
                rows,
                first[rows] == g,
                y[rows, i] - y[rows, start],
                x[rows, start],
                None,
                method,
            )

    return stack_effects((cell for cell in estimate() if cell), units, len(pairs))


def _pair_times(first, times, base, event_times):
    """Each cohort with the positions of its times and of their base, base first aside."""
    for g in np.unique(first[np.isfinite(first)]):
        last = np.searchsorted(times, g) - 1
        if last < 0:
            continue  # treated from the start: no period without treatment to compare with
        for i, t in enumerate(times):
            start = last if t >= g or base == "universal" else i - 1
            left_out = event_times is not None and t - g not in event_times
            if not (left_out or start < 0 or start == i):
                yield g, i, start


def spread_out(values: pd.Series, rows, columns, shape) -> np.ndarray:
    """Units × times, column after column, missing where a unit was not seen."""
    wide = np.full(shape, np.nan, order="F")
    wide[rows, columns] = values.to_numpy(dtype=float, na_value=np.nan)
    return wide


def list_units(panel, unit, time, cohort, cluster=None):
    """Units with their cluster, their first treated time (never: infinity), the times.

    Last comes the position of each row's unit. Cluster and cohort are constant within
    units.
    """
    codes, names = code_units(panel[unit], unit)
    row = hold_once(np.arange(len(codes)), codes, len(names))
    clusters = names if cluster is None else panel[cluster].iloc[row].array
    units = pd.DataFrame({"unit": names, "cluster": clusters})
    first = panel[cohort].to_numpy(dtype=float, na_value=np.nan)[row]
    first = np.where(np.isnan(first), np.inf, first)
    return units, first, np.unique(panel[time].to_numpy()), codes
