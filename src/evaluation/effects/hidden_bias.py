"""How strong what nobody recorded would have to be: against work before entry, by regression.

Cinelli and Hazlett (2020, J. R. Stat. Soc. B 82:39), as R's ``sensemakr``. Shown, never a
gate: the robustness value itself is about |t|/√n and has no absolute cut-off, whereas "k
times as strong as work before entry" can be judged by whoever knows the people.
"""

from dataclasses import dataclass

import numpy as np
import statsmodels.api as sm
from scipy import optimize, special

from evaluation.effects.did import design_matrix

_MOST = 1_000.0  # times as strong; beyond it the answer is "no such thing"


@dataclass(frozen=True)
class Regression:
    """A weighted regression of an outcome on treatment, covariates and a benchmark.

    Attributes
    ----------
    estimate, std_error, dof
        Of the treatment, homoskedastic, as the sensitivity formulas need it.
    partial_treatment, partial_outcome
        Partial R² of the benchmark group with treatment (given the covariates) and with
        the outcome (given treatment and covariates).
    """

    estimate: float
    std_error: float
    dof: int
    partial_treatment: float
    partial_outcome: float


def fit_with_benchmark(
    outcome: np.ndarray,
    treated: np.ndarray,
    covariates: np.ndarray,
    benchmark: np.ndarray,
    weights: np.ndarray | None = None,
) -> Regression:
    """Regress, and measure how much a group of covariates explains of both sides.

    Parameters
    ----------
    outcome, treated
        One per row.
    covariates, benchmark
        Rows × columns, without intercept; collinear ones are left out of account.
    weights
        Of the rows; none = 1.
    """
    w = np.ones(len(outcome)) if weights is None else np.asarray(weights, dtype=float)
    y, d = (np.asarray(part, dtype=float) for part in (outcome, treated))
    base, full = design_matrix(covariates), design_matrix(np.hstack([covariates, benchmark]))

    def explain(part, *columns):
        return sm.WLS(part, np.column_stack(columns), weights=w).fit()

    fit = explain(y, d, full)
    left = {
        "treatment": explain(d, full).ssr / explain(d, base).ssr,
        "outcome": fit.ssr / explain(y, d, base).ssr,
    }
    return Regression(
        estimate=float(fit.params[0]),
        std_error=float(fit.bse[0]),
        dof=int(fit.df_resid),
        partial_treatment=float(1 - left["treatment"]),
        partial_outcome=float(1 - left["outcome"]),
    )


def bound_confounder(fit: Regression, k: float) -> tuple[float, float]:
    """Partial R² with treatment and outcome of a confounder k times as strong as the benchmark.

    The bounds of Cinelli and Hazlett (2020), section 4.4 and their appendix; at most just
    below 1 each.
    """
    d, y = fit.partial_treatment, fit.partial_outcome
    of_treatment = k * d / (1 - d)
    shared = k * d**2 / ((1 - k * d) * (1 - d)) if k * d < 1 else 1.0
    if of_treatment >= 1 or shared >= 1:
        return 1 - 1e-9, 1 - 1e-9
    of_outcome = ((np.sqrt(k) + np.sqrt(shared)) / np.sqrt(1 - shared)) ** 2 * y / (1 - y)
    return min(of_treatment, 1 - 1e-9), min(float(of_outcome), 1 - 1e-9)


def omitted_variable_bias(fit: Regression, of_treatment: float, of_outcome: float) -> float:
    """Size of the bias that a confounder of these partial R² leaves (their equation 7)."""
    factor = of_outcome * of_treatment / (1 - of_treatment)
    return float(fit.std_error * np.sqrt(fit.dof) * np.sqrt(factor))


def adjusted_limit(fit: Regression, k: float, level: float = 0.05) -> float:
    """The limit nearer to zero of the interval that is left, in the direction of the estimate.

    Negative once a confounder k times as strong would have made the interval hold zero.
    """
    of_treatment, of_outcome = bound_confounder(fit, k)
    left = abs(fit.estimate) - omitted_variable_bias(fit, of_treatment, of_outcome)
    error = fit.std_error * np.sqrt((1 - of_outcome) / (1 - of_treatment))
    error *= np.sqrt(fit.dof / (fit.dof - 1))
    return float(left - special.stdtrit(fit.dof - 1, 1 - level / 2) * error)


def times_as_strong(fit: Regression, level: float | None = None) -> float:
    """How many times as strong as the benchmark would take the estimate to zero.

    Parameters
    ----------
    level
        If given, until the interval of that level holds zero, which is sooner; 0 where it
        does so already.

    Returns
    -------
    float
        Infinity where nothing up to a thousand times would do.
    """

    def left(k):
        if level is not None:
            return adjusted_limit(fit, k, level)
        return abs(fit.estimate) - omitted_variable_bias(fit, *bound_confounder(fit, k))

    if left(0.0) <= 0:
        return 0.0
    if left(_MOST) > 0:
        return np.inf
    return float(optimize.brentq(left, 0.0, _MOST, xtol=1e-6))


def robustness_value(fit: Regression, level: float | None = None) -> float:
    """Partial R² with both sides that would take the estimate (its limit) to zero."""
    f = abs(fit.estimate) / fit.std_error / np.sqrt(fit.dof)
    if level is not None:
        f -= abs(special.stdtrit(fit.dof - 1, level / 2)) / np.sqrt(fit.dof - 1)
    if f <= 0:
        return 0.0
    return float((np.sqrt(f**4 + 4 * f**2) - f**2) / 2)
