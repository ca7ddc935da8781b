"""Weights for having stayed untreated until the year of an outcome."""

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError
from evaluation.panel.months import find_rows, lay_out, month_of, window_of

# Business age in months: narrow at first, where most loans and subsidies are asked for.
AGE_EDGES = (3, 6, 9, 12, 18, 24, 36, 60)
WEIGHT_CAP = 20.0


def stay_untreated_weights(policy, persons, months, risk_sets, plan, edition) -> pd.DataFrame:
    """Weigh comparison persons up for those like them who took the policy up meanwhile.

    Comparison persons of an outcome year are those not treated by then; those who stay
    untreated are selected (later post holders come from those still out of work).
    Their weight is one over the probability of having stayed untreated from their drawn
    month to 31 December of the year, by a Poisson model of entries on grouped
    person-months at risk: sex, age, schooling, poor, township, calendar year, work in
    the year before, and for founders the age of the business. At risk in a month is who
    was out of open work (posts) or ran a business (founders) at its beginning.

    Parameters
    ----------
    policy, persons, months, plan, edition
        As for `build_risk_sets`.
    risk_sets
        As returned by `build_risk_sets`.

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
    persons = persons.reset_index(drop=True)
    people, window = pd.Index(persons["person_id"]), window_of(months, edition)
    cells = _find_exposure(policy, persons, months, people, window)
    hazard = np.zeros((len(people), window[1] - window[0] + 1))
    hazard[cells["row"], cells["place"]] = _fit_hazard(cells, persons)
    summed = np.pad(hazard.cumsum(axis=1), ((0, 0), (1, 0)))
    drawn = risk_sets[(risk_sets["treated"] == 0) & (risk_sets["drawn"] == 1)]
    row = find_rows(people, drawn["person_id"])
    after = drawn["month"].to_numpy() - window[0] + 1
    parts = [drawn[["cohort", "person_id"]].iloc[:0].assign(year=0, weight=1.0)]
    for year in range(edition, int(drawn["cohort"].min()) - 1, -1) if len(drawn) else ():
        use = (drawn["cohort"] <= year) & ~(drawn["untreated_until"] <= year).to_numpy()
        close = year * 12 + 12 - window[0]
        at_risk = summed[row[use], close] - summed[row[use], after[use]]
        part = drawn.loc[use, ["cohort", "person_id"]].assign(year=year)
        parts.append(part.assign(weight=np.exp(at_risk)))
    weights = pd.concat(parts, ignore_index=True)
    weights["capped"] = (weights["weight"] > WEIGHT_CAP).astype("int8")
    return weights.assign(weight=weights["weight"].clip(upper=WEIGHT_CAP))


def _find_exposure(policy, persons, months, people, window) -> pd.DataFrame:
    """List person-months at risk of entering, and mark the entries among them."""
    opened = lay_out(months, "open", people, window, -1)
    if policy == "post":
        post = lay_out(months, "post", people, window, 0)
        risk, age = (opened == 0) & (post.cumsum(axis=1) == 0), np.zeros_like(opened)
    else:
        age = lay_out(months, "business_age", people, window, -1)
        risk = age >= 0
    # The state at the end of a month decides about the next one.
    risk, age = (np.pad(grid[:, :-1], ((0, 0), (1, 0))) for grid in (risk, age + 1))
    place = np.arange(opened.shape[1])
    never = pd.Timestamp(2262, 1, 1)
    begins, entry = (
        month_of(persons[name].fillna(never))[:, None] - window[0]
        for name in ("observed_from", f"{policy}_on")
    )
    row, column = np.nonzero(risk & (place >= begins) & (place <= entry))
    worked = np.pad((opened == 1).cumsum(axis=1), ((0, 0), (13, 0)))
    january = column // 12 * 12
    return pd.DataFrame(
        {
            "row": row,
            "place": column,
            "age": np.searchsorted(AGE_EDGES, age[row, column], side="right"),
            "worked": (worked[row, january + 12] - worked[row, january]) / 12,
            "entered": (entry[row, 0] == column).astype("float64"),
        }
    )


def _fit_hazard(cells, persons) -> np.ndarray:
    """Monthly rate of entry of each person-month at risk.

    Calendar years and business ages in which nobody entered have a rate of zero.
    """
    year, n_ages = cells["place"].to_numpy() // 12, len(AGE_EDGES) + 1
    shape = (len(persons), year.max(initial=0) + 1, n_ages)
    code = np.ravel_multi_index((cells["row"], year, cells["age"]), shape)
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
        traits = persons[["female", "birth_year", "schooling", "poor"]].astype("float64")
        smooth = traits.fillna(traits.mean()).fillna(0).to_numpy()[row]
        smooth = np.column_stack([smooth, worked[used]])
        smooth = (smooth - smooth.mean(axis=0)) / np.maximum(smooth.std(axis=0), 1e-9)
        towns = pd.factorize(persons["township"], sort=True)[0][row]
        groups = [codes[:, None] == np.unique(codes)[1:] for codes in (towns, year, age)]
        design = np.column_stack([np.ones(len(used)), smooth, *groups])
        rates[used] = fit_poisson(design, entries[used], exposure[used])
    return rates[code]


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
    for _ in range(50):
        expected = exposure * np.exp(np.clip(design @ beta, -50, 20))
        score = design.T @ (events - expected) - penalty * beta
        curvature = (design * expected[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curvature, score)
        beta = beta + np.clip(step, -2, 2)
        if np.abs(step).max() < tolerance:
            return np.exp(design @ beta)
    raise EstimationError("保持未参加概率的模型没有收敛，无法计算权重。")
