"""Who could have entered in whose place: persons prepared for randomization inference."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.effects.did import design_matrix, widen
from evaluation.effects.district import comparison_weights, index_stay_weights, outcome_change
from evaluation.errors import EstimationError
from evaluation.panel.months import find_rows


@dataclass(frozen=True)
class Assignment:
    """Persons who could have entered, by cohort, as they are redrawn.

    Attributes
    ----------
    cohort, stratum
        Codes by row; recipients are redrawn within the stratum, which lies in one cohort.
    treated
        1 for those who did enter.
    weight
        Of a comparison person: how many such persons the row stands for; 1 for recipients.
    outcome, exposure
        Outcome and treatment less what covariates explain of either within the cohort.
    """

    cohort: np.ndarray
    stratum: np.ndarray
    treated: np.ndarray
    weight: np.ndarray
    outcome: np.ndarray
    exposure: np.ndarray


def gather_rows(
    risk_sets: pd.DataFrame,
    years: pd.DataFrame,
    stay_weights: pd.DataFrame,
    *,
    outcome: str,
    horizon: int,
    cohorts: Iterable[int],
    base: int | None = None,
) -> pd.DataFrame:
    """Gather the drawn persons of the risk sets who count at the horizon.

    Returns
    -------
    pandas.DataFrame
        Rows of `risk_sets` with ``y``, the outcome at the horizon or its change since the
        base (missing where it is not known), and ``w``: 1 for recipients, of a comparison
        person the share of entries in whose sets it stands times the weight for having
        stayed untreated. Who was treated by the horizon is left out.
    """
    drawn = risk_sets[(risk_sets["drawn"] == 1) & risk_sets["cohort"].isin(list(cohorts))]
    people = pd.Index(drawn["person_id"].drop_duplicates())
    times = list(range(int(years["year"].min()), int(years["year"].max()) + 1))
    wide = widen(years, "person_id", "year", outcome, people, times)
    stay = index_stay_weights(stay_weights, people)
    drawn = drawn.assign(code=find_rows(people, drawn["person_id"]))
    parts = [drawn.iloc[:0].assign(y=0.0, w=0.0)]
    for g, rows in drawn.groupby("cohort"):
        at = int(g) + horizon - times[0]
        start = None if base is None else int(g) + base - times[0]
        if not 0 <= at < len(times) or (start is not None and start < 0):
            continue
        y = outcome_change(wide, start, int(g) - times[0], at, False)[rows["code"]]
        weight = comparison_weights(stay, int(g), int(g) + horizon, rows)
        share = np.where(rows["treated"] == 1, 1.0, rows["draw_share"].to_numpy(dtype=float))
        rows = rows.assign(y=y, w=weight * share)
        parts.append(rows[rows["w"] > 0])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def build_assignment(
    risk_sets: pd.DataFrame,
    years: pd.DataFrame,
    stay_weights: pd.DataFrame,
    *,
    outcome: str,
    horizon: int,
    cohorts: Iterable[int],
    adjust_for: Iterable[str],
    strata: Iterable[str],
    base: int | None = -1,
) -> Assignment:
    """Prepare the drawn persons of the district's risk sets for redrawing.

    Covariates are taken out of the outcome by regression over all rows of the cohort,
    under the hypothesis that is tested (Rosenbaum 2002): no model is fitted again.

    Parameters
    ----------
    risk_sets, years, stay_weights
        As for `district.risk_set_effects`.
    horizon
        Event time of the outcome.
    cohorts
        Those that have reached the horizon.
    adjust_for
        Covariates to take out (`balanced`: past work as well).
    strata
        What comparable persons share besides the cohort, finest last: where a stratum
        holds a recipient and nobody else, the last is given up, then the one before.
    base
        Event time from which the change is taken; none = the level.

    Raises
    ------
    EstimationError
        If no cohort has both recipients and comparison persons.
    """
    rows = gather_rows(
        risk_sets,
        years,
        stay_weights,
        outcome=outcome,
        horizon=horizon,
        cohorts=cohorts,
        base=base,
    )
    names, parts = list(adjust_for), []
    for _, own in rows.groupby("cohort"):
        x = own[names].to_numpy(dtype=float, na_value=np.nan)
        known = own["y"].notna().to_numpy() & np.isfinite(x).all(axis=1)
        if 0 < own["treated"][known].sum() < known.sum():
            parts.append(_take_out(own[known], x[known]))
    if not parts:
        raise EstimationError("没有一批同时有参加者和对照者，无法作随机化检验。")
    rows = pd.concat(parts, ignore_index=True)
    cohort = pd.factorize(rows["cohort"])[0]
    treated = rows["treated"].to_numpy() == 1
    return Assignment(
        cohort=cohort,
        stratum=_find_strata(rows, cohort, treated, list(strata)),
        treated=treated,
        weight=rows["w"].to_numpy(),
        outcome=rows["y"].to_numpy(),
        exposure=rows["d"].to_numpy(),
    )


def _take_out(rows, covariates):
    """Outcome and treatment less their projection on the covariates, within a cohort."""
    x, w = design_matrix(covariates), rows["w"].to_numpy()
    both = rows[["y", "treated"]].to_numpy(dtype=float)
    both = both - np.average(both, axis=0, weights=w)
    if x.shape[1] > 1:
        root = np.sqrt(w)[:, None]
        both = both - x @ np.linalg.lstsq(root * x, root * both, rcond=None)[0]
    return rows.assign(y=both[:, 0], d=both[:, 1])


def _find_strata(rows, cohort, treated, names) -> np.ndarray:
    """Finest strata in which each recipient has somebody to change places with."""
    stratum, left = np.full(len(rows), -1), np.ones(len(rows), dtype=bool)
    for length in range(len(names), -1, -1):
        keys = [cohort, *(pd.factorize(rows[name])[0] for name in names[:length])]
        code = pd.factorize(pd.MultiIndex.from_arrays(keys))[0]
        inside = np.bincount(code, treated & left), np.bincount(code, ~treated & left)
        enough = (inside[0] > 0) & (inside[1] >= inside[0])
        taken = left & (enough[code] if length else True)
        stratum[taken] = code[taken] + stratum.max(initial=-1) + 1
        left &= ~taken
    return pd.factorize(stratum)[0]
