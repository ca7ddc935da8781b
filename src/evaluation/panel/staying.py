"""Weights for having stayed untreated until the year of an outcome."""

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError
from evaluation.panel.applicants import find_first_applications
from evaluation.panel.months import find_rows, month_of

# Business age in months: narrow at first, where most loans and subsidies are asked for.
AGE_EDGES = (3, 6, 9, 12, 18, 24, 36, 60)
# Months since the application: most who wait are granted something in the first of them.
WAIT_EDGES = (2, 3, 6, 12, 24)
WEIGHT_CAP = 20.0


def stay_untreated_weights(policy, histories, risk_sets, among=None) -> pd.DataFrame:
    """Weigh comparison persons up for those like them who took the policy up meanwhile.

    Comparison persons of an outcome year are those not treated by then; those who stay
    untreated are selected (later post holders come from those still out of work).
    Their weight is one over the probability of having stayed untreated from their drawn
    month to 31 December of the year, by a Poisson model of entries on grouped
    person-months at risk: sex, age, schooling, poor, township, calendar year, work in
    the year before, and for founders the age of the business; within the year each month
    has its own level (Breslow 1974), since posts are filled by the quarter and subsidies
    applied for when a notice goes out. At risk in a month is who was out of open work
    (posts) or ran a business (founders) at its beginning.

    Parameters
    ----------
    policy, histories
        As for `build_risk_sets`.
    risk_sets
        As returned by `build_risk_sets`.
    among
        As for `build_risk_sets`. ``applicants``: at risk from the month after the application,
        and months since then in place of the age of the business, since who still waits
        is more likely to enter than who was refused.

    Returns
    -------
    pandas.DataFrame
        Key ``cohort, person_id, year`` for the drawn comparison persons still untreated
        on 31 December of ``year`` (cohort to edition): ``weight`` (at least 1, at most
        20), ``capped`` (0/1).

    Raises
    ------
    EstimationError
        If the model does not converge.
    """
    people, window, edition = histories.people, histories.window, histories.edition
    cells = _find_exposure(policy, histories, among)
    # In front of each month, the sum over the months before it.
    summed = np.zeros((len(people), window[1] - window[0] + 2))
    rates = _level_months(cells, _fit_hazard(cells, histories.persons))
    summed[cells["row"], cells["place"] + 1] = rates
    np.cumsum(summed, axis=1, out=summed)
    drawn = risk_sets[["cohort", "month", "person_id", "untreated_until"]]
    drawn = drawn[(risk_sets["treated"] == 0) & (risk_sets["drawn"] == 1)]
    cohort, until = drawn["cohort"].to_numpy(), drawn["untreated_until"].to_numpy()
    row = find_rows(people, drawn["person_id"])
    before = summed[row, drawn["month"].to_numpy() - window[0] + 1]
    years = np.arange(edition, cohort.min(initial=edition + 1) - 1, -1)
    used = [np.flatnonzero((cohort <= year) & ~(until <= year)) for year in years]
    close = years * 12 + 12 - window[0]
    sums = [summed[row[use], end] - before[use] for use, end in zip(used, close, strict=True)]
    kept = np.concatenate([np.empty(0, dtype="int64"), *used])
    weight = np.exp(np.concatenate([np.empty(0), *sums]))
    return pd.DataFrame(
        {
            "cohort": cohort[kept],
            "person_id": drawn["person_id"].array[kept],
            "year": np.repeat(years, [len(use) for use in used]),
            "weight": np.minimum(weight, WEIGHT_CAP),
            "capped": (weight > WEIGHT_CAP).astype("int8"),
        }
    )


def _find_exposure(policy, histories, among) -> dict[str, np.ndarray]:
    """List person-months at risk of entering, and mark the entries among them."""
    if policy == "post":
        risk = (histories.open == 0) & ~np.logical_or.accumulate(histories.post > 0, axis=1)
    else:
        risk = histories.business_age >= 0
    never = pd.Timestamp(2262, 1, 1)
    begins, entry = (
        month_of(histories.persons[name].fillna(never)) - histories.window[0]
        for name in ("observed_from", f"{policy}_on")
    )
    if among == "applicants":
        asked = pd.Series(find_first_applications(policy, histories.persons)).fillna(never)
        asked = month_of(asked) - histories.window[0]
        begins = np.maximum(begins, asked + 1)
    # The state at the end of a month decides about the next one.
    row, place = np.nonzero(risk[:, :-1])
    place += 1
    use = (place >= begins[row]) & (place <= entry[row])
    row, place = row[use], place[use]
    age = np.zeros_like(row)
    if among == "applicants":
        age = np.searchsorted(WAIT_EDGES, place - asked[row], side="right")
    elif policy != "post":
        run = histories.business_age[row, place - 1] + 1
        age = np.searchsorted(AGE_EDGES, run, side="right")
    # In the calendar year before; nothing is known of that before the first.
    by_year = (histories.open == 1).reshape(len(risk), -1, 12).sum(axis=2, dtype="int8")
    worked = np.pad(by_year[:, :-1], ((0, 0), (1, 0)))[row, place // 12] / 12
    return {
        "row": row,
        "place": place,
        "age": age,
        "worked": worked,
        "entered": (entry[row] == place).astype("float64"),
    }


def _fit_hazard(cells, persons) -> np.ndarray:
    """Monthly rate of entry of each person-month at risk.

    Calendar years and business ages in which nobody entered have a rate of zero.
    """
    year, n_ages = cells["place"] // 12, cells["age"].max(initial=0) + 1
    exposed = np.bincount(cells["row"], minlength=len(persons)) > 0
    shape = (exposed.sum(), year.max(initial=0) + 1, n_ages)
    code = np.ravel_multi_index((exposed.cumsum()[cells["row"]] - 1, year, cells["age"]), shape)
    size = np.prod(shape)
    exposure = np.bincount(code, minlength=size)
    entries = np.bincount(code, weights=cells["entered"], minlength=size)
    worked = np.zeros(size)
    worked[code] = cells["worked"]
    cube = entries.reshape(shape).sum(axis=0)
    used = np.flatnonzero(exposure)
    row, year, age = np.unravel_index(used, shape)
    live = (cube.sum(axis=1)[year] > 0) & (cube.sum(axis=0)[age] > 0)
    used, row, year, age = used[live], row[live], year[live], age[live]
    rates = np.zeros(size)
    if len(used):
        row = np.flatnonzero(exposed)[row]
        traits = persons[["female", "birth_year", "schooling", "poor"]].astype("float64")
        smooth = traits.fillna(traits.mean()).fillna(0).to_numpy()[row]
        smooth = np.column_stack([smooth, worked[used]])
        smooth = (smooth - smooth.mean(axis=0)) / np.maximum(smooth.std(axis=0), 1e-9)
        towns = pd.factorize(persons["township"], sort=True)[0][row]
        groups = [codes[:, None] == np.unique(codes)[1:] for codes in (towns, year, age)]
        design = np.column_stack([np.ones(len(used)), smooth, *groups])
        rates[used] = fit_poisson(design, entries[used], exposure[used])
    return rates[code]


def _level_months(cells, rates) -> np.ndarray:
    """Rates whose sum over those at risk is, month by month, the number that entered.

    Breslow's baseline hazard given the rates' ratios between persons.
    """
    months = cells["place"].max(initial=-1) + 1
    entered = np.bincount(cells["place"], cells["entered"], minlength=months)
    expected = np.bincount(cells["place"], rates, minlength=months)
    level = np.divide(entered, expected, out=np.zeros(months), where=expected > 0)
    return rates * level[cells["place"]]


def fit_poisson(design, events, exposure, ridge=0.1, tolerance=1e-8) -> np.ndarray:
    """Fit rates of a log-linear Poisson model by Newton's method.

    A slight ridge keeps the indicator of a township without an entry finite. The first
    column of the design is the intercept.

    Raises
    ------
    EstimationError
        If the iterations do not settle.
    """
    beta = np.zeros(design.shape[1])
    beta[0] = np.log(events.sum() / exposure.sum())
    penalty = np.full(len(beta), ridge)
    penalty[0] = 0
    weighted = np.empty_like(design)
    for _ in range(50):
        expected = exposure * np.exp(np.clip(design @ beta, -50, 20))
        score = design.T @ (events - expected) - penalty * beta
        np.multiply(design, expected[:, None], out=weighted)
        curvature = weighted.T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, score)
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < tolerance:
            return np.exp(design @ beta)
    raise EstimationError("保持未参加概率的模型没有收敛，无法计算权重。")
