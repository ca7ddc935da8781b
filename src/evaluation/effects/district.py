"""The district's designs `cs` and `naive` on persons and their monthly risk sets."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import GroupTime, stack_effects
from evaluation.effects.did import estimate_cell, widen
from evaluation.panel.months import find_rows


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
    realised: bool = False,
    compared_at: int | None = None,
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
        Before entry nobody is left out, so nobody is weighted, unless by `compared_at`.
    base
        Event time of the base year; none = the level, not the change.
    cumulative
        Sum the outcome over the years from entry on.
    event_times
        Which to estimate; none = all.
    realised
        Whether intervals also serve the effect on these very persons
        (`aggregation.widen_treated`), or the expected effect alone, as R's do.
    compared_at
        Event time whose comparison, persons and weights, also stands for the years before
        entry (of a cohort that has not reached it: the edition's), so that earlier
        trends are those of the very persons whom the effect rests on. Who enters later is
        not among them: where the ever treated drift together, a comparison that keeps
        them hides part of the drift. None = everybody in the risk sets, as in R's.

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
    people = pd.Index(units["unit"])
    stay = index_stay_weights(stay_weights, people)
    drawn, cells = drawn.assign(code=find_rows(people, drawn["person_id"])), []
    for g, rows in drawn.groupby("cohort"):
        g, start = int(g), None if base is None else int(g) + base - times[0]
        if g > edition or (start is not None and start < 0):
            continue
        codes, treated = rows["code"].to_numpy(), rows["treated"].to_numpy(float)
        z = rows[covariates].to_numpy(dtype=float, na_value=np.nan)
        share = np.where(treated == 1, 1.0, rows["draw_share"])
        for i, t in enumerate(times):
            left_out = event_times is not None and t - g not in event_times
            if left_out or i == start or (cumulative and t < g):
                continue
            early = compared_at is not None and t < g
            at = min(g + compared_at, edition) if early else t
            weights = share * comparison_weights(stay, g, at, rows)
            change = outcome_change(wide, start, g - times[0], i, cumulative)[codes]
            cells.append(
                estimate_cell(g, t, codes, treated, change, z, weights, method, realised)
            )
    return stack_effects([cell for cell in cells if cell], units)


def list_persons(risk_sets: pd.DataFrame) -> pd.DataFrame:
    """Persons of risk sets, key ``unit``, with their cluster (constant within a person)."""
    persons = risk_sets[["person_id", "cluster"]].drop_duplicates("person_id")
    return persons.rename(columns={"person_id": "unit"}).reset_index(drop=True)


def index_stay_weights(stay_weights: pd.DataFrame, people: pd.Index) -> dict:
    """Weights for staying untreated by (cohort, year): one per person, missing where none."""
    row = find_rows(people, stay_weights["person_id"])
    cohort, year = (stay_weights[n].to_numpy(dtype="int64") for n in ("cohort", "year"))
    first = year.min(initial=0)
    n_years = year.max(initial=0) - first + 1
    code, pairs = pd.factorize(cohort * n_years + year - first)
    weights, inside = np.full((len(pairs), len(people)), np.nan), row >= 0
    weights[code[inside], row[inside]] = stay_weights["weight"].to_numpy(dtype=float)[inside]
    cohorts, years = np.divmod(pairs, n_years)
    return dict(
        zip(zip(cohorts.tolist(), (years + first).tolist(), strict=True), weights, strict=True)
    )


def comparison_weights(stay: dict, cohort: int, time: int, rows: pd.DataFrame) -> np.ndarray:
    """Weights for one cohort and time: 1 for the treated, missing for those left out.

    The rows' ``code`` is the position of the person in `stay` (`index_stay_weights`).
    """
    weights = np.ones(len(rows))
    if time < cohort:
        return weights
    others = rows["treated"].to_numpy() == 0
    entry = rows["untreated_until"].to_numpy(dtype=float, na_value=np.nan)
    known = stay.get((cohort, time))
    weights[others] = np.nan if known is None else known[rows["code"][others]]
    weights[others & (entry <= time)] = np.nan
    return weights


def naive_effects(persons: pd.DataFrame, years: pd.DataFrame, *, outcome, entry, edition):
    """Raw difference after entry between a cohort and all others: shows the selection only.

    The others are all persons not treated by the end of the year, founders or not, and
    nothing is adjusted for. `entry` names the column with the year of entry.
    """
    cluster = {"person_id": "unit", "township": "cluster"}
    units = persons.rename(columns=cluster)[["unit", "cluster"]].reset_index(drop=True)
    times = list(range(int(years["year"].min()), edition + 1))
    wide = widen(years, "person_id", "year", outcome, units["unit"], times)
    first = persons[entry].to_numpy(dtype=float, na_value=np.inf)
    cells = []
    for g in sorted(int(g) for g in set(first) if g <= edition):
        for t in range(max(g, times[0]), edition + 1):
            codes = np.flatnonzero((first == g) | (first > t))
            treated, none = (first[codes] == g).astype(float), np.empty((len(codes), 0))
            level, ones = wide[codes, t - times[0]], np.ones(len(codes))
            cells.append(estimate_cell(g, t, codes, treated, level, none, ones, "reg"))
    return stack_effects([cell for cell in cells if cell], units)
