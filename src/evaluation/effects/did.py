"""Doubly robust difference-in-differences, for any panel and for monthly risk sets.

Sant'Anna and Zhao (2020) for one comparison, Callaway and Sant'Anna (2021) for
cohorts; equal to R's ``DRDID`` and ``did`` (see ``tests/test_published_results.py``).
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import GroupTime, stack_effects
from evaluation.errors import EstimationError

TRIM = 0.995  # comparison units more likely treated than this are left out, as in DRDID
_MAX_STEPS = 50


def design_matrix(covariates: np.ndarray) -> np.ndarray:
    """Intercept and standardised covariates without constant or collinear columns.

    No estimate depends on the scale of a covariate; the solvers do.
    """
    covariates = np.asarray(covariates, dtype=float)
    kept = [np.ones(len(covariates))]
    for column in covariates.T:
        spread = column.std()
        if spread <= 1e-12 * (1.0 + np.abs(column).max(initial=0.0)):
            continue
        column = (column - column.mean()) / spread
        basis = np.column_stack(kept)
        rest = column - basis @ np.linalg.lstsq(basis, column, rcond=None)[0]
        if rest.std() > 1e-7:
            kept.append(column)
    return np.column_stack(kept)


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
) -> tuple[float, np.ndarray]:
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
        The effect, and the influence of each unit, scaled so that the variance
        of the effect is ``mean(influence**2) / n``.

    Raises
    ------
    EstimationError
        If one of the groups is empty, or the propensity cannot be fitted.
    """
    y, d = np.asarray(change, float), np.asarray(treated, float)
    n = len(y)
    if not 0 < d.sum() < n:
        raise EstimationError("这一期没有参加者或没有对照者，无法比较。")
    w = np.ones(n) if weights is None else np.asarray(weights, float)
    w = w / w.mean()
    x = np.ones((n, 1)) if covariates is None else design_matrix(covariates)
    fitted, ols = np.zeros(n), None
    if method in ("dr", "reg"):
        fitted, ols = _regress_comparison(y, d, x, w)
    if method == "reg":
        treat, share = w * d, np.mean(w * d)
        effect, base = np.mean(treat * y) / share, np.mean(treat * fitted) / share
        other = treat * (fitted - base) + ols @ (treat @ x / n)
        return effect - base, (treat * (y - effect) - other) / share
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
    return effect - base, of_treated / share - of_others / odds


def _estimate_cell(cohort, time, codes, treated, change, covariates, weights, method):
    """One (cohort, time) on the rows whose change, covariates and weights are known."""
    known = np.isfinite(change) & np.isfinite(weights) & np.isfinite(covariates).all(axis=1)
    d = treated[known]
    if not 0 < d.sum() < len(d):
        return None
    estimate, psi = doubly_robust_did(
        change[known],
        d,
        covariates[known] if covariates.shape[1] else None,
        weights[known],
        method,
    )
    return {
        "cohort": cohort,
        "time": time,
        "estimate": estimate,
        "codes": codes[known],
        "treated": d.astype(bool),
        "contribution": psi / len(d),
    }


def widen(frame: pd.DataFrame, unit: str, time: str, values: str, order, times) -> np.ndarray:
    """Units × times, missing where a unit was not seen."""
    rows = pd.Index(order).get_indexer(frame[unit])
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

    Returns
    -------
    GroupTime
        Key of its effects ``(cohort, time)``.
    """
    covariates = list(covariates)
    units = panel.groupby(unit, sort=True).agg(
        cohort=(cohort, "first"), cluster=(cluster or unit, "first")
    )
    units = units.rename_axis("unit").reset_index()
    order, times = units["unit"], sorted(panel[time].unique())
    y = widen(panel, unit, time, outcome, order, times)
    x = [widen(panel, unit, time, name, order, times) for name in covariates]
    first = units["cohort"].to_numpy(dtype=float, na_value=np.inf)
    first = np.where(np.isnan(first), np.inf, first)
    cells = []
    for g in sorted(set(first[np.isfinite(first)])):
        before = [i for i, t in enumerate(times) if t < g]
        if not before:
            continue  # treated from the start: no period without treatment to compare with
        for i, t in enumerate(times):
            start = before[-1] if t >= g or base == "universal" else i - 1
            if start < 0 or start == i:
                continue
            latest = times[max(i, start)]
            others = np.isinf(first) if control == "never_treated" else first > latest
            codes = np.flatnonzero((first == g) | (others & (first != g)))
            z = (
                np.column_stack([m[codes, start] for m in x])
                if x
                else np.empty((len(codes), 0))
            )
            change = y[codes, i] - y[codes, start]
            treated = (first[codes] == g).astype(float)
            cells.append(
                _estimate_cell(g, t, codes, treated, change, z, np.ones(len(codes)), method)
            )
    return stack_effects([cell for cell in cells if cell], units[["unit", "cluster"]])


def outcome_change(wide, start, cohort, time, cumulative):
    """Change of an outcome from the base column, or its level without one.

    ``cumulative``: the sum over the years from entry to `time`, less as many times
    the base year, so that it is the sum of the yearly changes.
    """
    first = cohort if cumulative else time
    years = wide[:, first : time + 1]
    change = years.sum(axis=1)
    return change if start is None else change - years.shape[1] * wide[:, start]


def risk_set_effects(
    risk_sets: pd.DataFrame,
    years: pd.DataFrame,
    stay_weights: pd.DataFrame,
    *,
    outcome: str,
    covariates: Iterable[str],
    edition: int,
    base: int | None = -1,
    cumulative: bool = False,
    event_times: Iterable[int] | None = None,
    method: str = "dr",
) -> GroupTime:
    """The district's `cs`: each cohort against persons drawn from its monthly risk sets.

    Parameters
    ----------
    risk_sets
        Key ``(cohort, month, person_id)``; only rows with ``drawn`` count, one month
        per comparison person and cohort. Covariates are those of that month. A
        comparison person weighs ``draw_share``: who stands in the sets of more entries
        stands for more of them.
    years
        Key ``(person_id, year)``; an unknown outcome is missing, never 0.
    stay_weights
        Key ``(cohort, person_id, year)``. A comparison person counts for year t only
        if not treated by the end of t, weighted by the inverse probability of that;
        without the weights those who found work stay and a harmless policy looks harmful.
        Before entry nobody is left out, so nobody is weighted.
    base
        Event time of the base year; none = the level, not the change.
    cumulative
        Sum the outcome over the years from entry on.
    event_times
        Which to estimate; none = all.

    Returns
    -------
    GroupTime
        Effects for every known year up to the edition but the base year.
    """
    covariates = list(covariates)
    drawn = risk_sets[risk_sets["drawn"] == 1]
    units = list_persons(drawn)
    times = list(range(int(years["year"].min()), edition + 1))
    wide = widen(years, "person_id", "year", outcome, units["unit"], times)
    stay, people = index_stay_weights(stay_weights), pd.Index(units["unit"])
    cells = []
    for g, rows in drawn.groupby("cohort"):
        g, start = int(g), None if base is None else int(g) + base - times[0]
        if g > edition or (start is not None and start < 0):
            continue
        codes, treated = people.get_indexer(rows["person_id"]), rows["treated"].to_numpy(float)
        z = rows[covariates].to_numpy(dtype=float, na_value=np.nan)
        share = np.where(treated == 1, 1.0, rows["draw_share"])
        for i, t in enumerate(times):
            left_out = event_times is not None and t - g not in event_times
            if left_out or i == start or (cumulative and t < g):
                continue
            weights = share * comparison_weights(stay, g, t, rows)
            change = outcome_change(wide, start, g - times[0], i, cumulative)[codes]
            cells.append(_estimate_cell(g, t, codes, treated, change, z, weights, method))
    return stack_effects([cell for cell in cells if cell], units)


def list_persons(risk_sets: pd.DataFrame) -> pd.DataFrame:
    """Persons of risk sets, key ``unit``, with their cluster (constant within a person)."""
    persons = risk_sets.drop_duplicates("person_id")[["person_id", "cluster"]]
    return persons.rename(columns={"person_id": "unit"}).reset_index(drop=True)


def index_stay_weights(stay_weights: pd.DataFrame) -> dict[tuple[int, int], pd.Series]:
    """Weights for staying untreated by (cohort, year), each indexed by person."""
    groups = stay_weights.groupby(["cohort", "year"])
    return {(int(g), int(t)): rows.set_index("person_id")["weight"] for (g, t), rows in groups}


def comparison_weights(stay: dict, cohort: int, time: int, rows: pd.DataFrame) -> np.ndarray:
    """Weights for one cohort and time: 1 for the treated, missing for those left out."""
    weights = np.ones(len(rows))
    if time < cohort:
        return weights
    others = rows["treated"].to_numpy() == 0
    entry = rows["untreated_until"].to_numpy(dtype=float, na_value=np.nan)
    known = stay.get((cohort, time), pd.Series(dtype=float))
    weights[others] = known.reindex(rows["person_id"][others]).to_numpy(dtype=float)
    weights[others & (entry <= time)] = np.nan
    return weights


def naive_effects(persons: pd.DataFrame, years: pd.DataFrame, *, outcome, policy, edition):
    """Raw difference after entry between a cohort and all others: shows the selection only.

    The others are all persons not treated by the end of the year, founders or not, and
    nothing is adjusted for.
    """
    cluster = {"person_id": "unit", "township": "cluster"}
    units = persons.rename(columns=cluster)[["unit", "cluster"]].reset_index(drop=True)
    times = list(range(int(years["year"].min()), edition + 1))
    wide = widen(years, "person_id", "year", outcome, units["unit"], times)
    first = persons[f"{policy}_year"].to_numpy(dtype=float, na_value=np.inf)
    cells = []
    for g in sorted(int(g) for g in set(first) if g <= edition):
        for t in range(max(g, times[0]), edition + 1):
            codes = np.flatnonzero((first == g) | (first > t))
            treated, none = (first[codes] == g).astype(float), np.empty((len(codes), 0))
            level, ones = wide[codes, t - times[0]], np.ones(len(codes))
            cells.append(_estimate_cell(g, t, codes, treated, level, none, ones, "reg"))
    return stack_effects([cell for cell in cells if cell], units)
