"""Time zero, risk sets, and the weights for having stayed untreated."""

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError
from evaluation.panel.outcomes import (
    OPEN_FORMS,
    find_businesses,
    month_of,
    valid_spells,
)
from evaluation.plan import POLICIES

# Business age in months: narrow at first, where most loans and subsidies are asked for.
AGE_EDGES = (3, 6, 9, 12, 18, 24, 36, 60)
WEIGHT_CAP = 20.0


def find_entries(policy: str, ledger: pd.DataFrame) -> pd.DataFrame:
    """Date each person's entry into a policy.

    `subsidy`: the first application that was not refused for ineligibility, whatever
    became of it (who is paid has survived for months, so payment cannot be time zero).
    `loan`: the first day of pay-out. `post`: the first day in a post.

    Parameters
    ----------
    policy
        One of `evaluation.plan.POLICIES`.
    ledger
        Its ledger, latest versions; rows without ``person_id`` are passed over.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id``: ``<policy>_on``, ``<policy>_result``.
    """
    day = {"subsidy": "applied_on", "loan": "paid_out", "post": "started_on"}[policy]
    rows = ledger[ledger["person_id"].notna() & ledger[day].notna()]
    if policy == "subsidy":
        rows = rows[~find_ineligible(rows)]
    rows = rows.sort_values(day, kind="stable").drop_duplicates("person_id")
    result = rows["result"] if "result" in rows else pd.Series("approved", index=rows.index)
    columns = {"person_id": rows["person_id"], f"{policy}_on": rows[day]}
    return pd.DataFrame(columns | {f"{policy}_result": result}).reset_index(drop=True)


def find_ineligible(subsidies: pd.DataFrame) -> pd.Series:
    """Mark applications refused because the applicant was not eligible.

    A refusal without a stated reason is not one: the applicant counts as treated.
    """
    refused = (subsidies["result"] == "refused").fillna(False)
    return refused & (subsidies["refusal"] == "ineligible").fillna(False)


def _grid(months, people, column, window, empty):
    """Lay a column of the table of months out as persons × months."""
    codes = months["person_id"].astype("category").cat
    row = people.get_indexer(codes.categories)[codes.codes]
    place = months["month"].to_numpy() - window[0]
    use = (row >= 0) & (place >= 0) & (place <= window[1] - window[0])
    grid = np.full((len(people), window[1] - window[0] + 1), empty, dtype="int16")
    values = months[column].to_numpy(dtype="int16", na_value=empty)
    grid[row[use], place[use]] = values[use]
    return grid


def _spans(people, rows, start, end):
    """Row of the person, first and last day of each stretch (open = far away)."""
    far = np.datetime64("2262-01-01", "D")
    first = np.asarray(rows[start], dtype="datetime64[D]")
    last = np.asarray(rows[end], dtype="datetime64[D]")
    return people.get_indexer(rows["person_id"]), first, np.where(np.isnat(last), far, last)


class _Population:
    """Who may enter a policy, or stand beside those who do, on a given day."""

    def __init__(self, policy, persons, register, months, edition):
        self.people = pd.Index(persons["person_id"])
        self.window = (int(months["month"].min()), edition * 12 + 11)
        self.open = _grid(months, self.people, "open", self.window, -1)
        dates = {
            name: np.asarray(persons[name], dtype="datetime64[D]")
            for name in ("observed_from", "observed_until")
        }
        self.begins, self.ends = dates["observed_from"], dates["observed_until"]
        spells = valid_spells(register)
        self.founders = policy != "post"
        if self.founders:
            rows = find_businesses(spells)
            self.row, self.opened, closed = _spans(
                self.people, rows, "registered_on", "closed_on"
            )
            self.closed = closed
        else:
            rows = spells[spells["form"].isin((*OPEN_FORMS, "post"))]
            self.row, self.opened, self.closed = _spans(self.people, rows, "start", "end")

    def eligible(self, day, who=None):
        """Persons in the population on their day, and the age of their business.

        Founders: a business that was registered by that day and not closed on or before
        it. Posts: no spell of open work or of a post on the day before, and a known
        state in the month before. Both: returned, on a roster, alive, not retired.
        """
        days = np.broadcast_to(day, len(self.people)).astype("datetime64[D]")
        seen = (self.begins <= days) & (self.ends > days)
        age = np.zeros(len(self.people), dtype="int32")
        at = np.where(self.row >= 0, self.row, 0)
        if self.founders:
            runs = (self.row >= 0) & (self.opened <= days[at]) & (self.closed > days[at])
            age[:] = -1
            # sorted by opening: the business opened last stands for the founder
            age[at[runs]] = (month_of(days[at]) - month_of(self.opened))[runs]
            return seen & (age >= 0), age
        eve = days - np.timedelta64(1, "D")
        busy = (self.row >= 0) & (self.opened <= eve[at]) & (self.closed >= eve[at])
        seen[at[busy]] = False
        before = np.clip(month_of(days) - 1 - self.window[0], -1, self.open.shape[1] - 1)
        known = self.open[np.arange(len(self.people)), before] >= 0
        return seen & known & (before >= 0), age


def _first_contact(policy, persons, register):
    """Day from which a person no longer is a comparison, and day of the policy itself.

    A subsidy: any application, also an ineligible one. A post: also a post that only
    the register knows.
    """
    entered = np.asarray(persons[f"{policy}_on"], dtype="datetime64[D]")
    if policy == "subsidy" and "subsidy_applied_on" in persons:
        return np.asarray(persons["subsidy_applied_on"], dtype="datetime64[D]"), entered
    if policy == "post":
        spells = valid_spells(register)
        other = spells[spells["form"] == "post"].groupby("person_id")["start"].min()
        other = np.asarray(persons["person_id"].map(other), dtype="datetime64[D]")
        other = np.fmin(entered, other)
        return other, other
    return entered, entered


def build_risk_sets(
    policy, persons, register, months, plan, edition, seed=None
) -> pd.DataFrame:
    """Stack, for each month of entry, those who enter and those who could have.

    The recipients of a month stand on their own day; comparison persons on the median
    day of that month's entries, when they must satisfy the same conditions and must not
    have entered (subsidy: not have applied) by then. Founders are compared with founders
    whose business is within the plan's window of months of the age of a recipient's
    business. Recipients outside the population (in open work the day before a post;
    without an operating business) have no row. A comparison person who enters later in
    the same calendar year has no row in that year's sets either.

    Parameters
    ----------
    policy
        One of `evaluation.plan.POLICIES`.
    persons
        Table of persons, in source order (the draw follows the order of its rows).
    register
        The edition's register.
    months
        Table of months, as written by `2_panel`.
    plan
        As read by `load_plan`.
    edition
        Last year.
    seed
        Of the draw; the plan's where missing.

    Returns
    -------
    pandas.DataFrame
        Key ``cohort, month, person_id``. ``treated``, ``business_age`` (months),
        ``female``, ``age`` (years), ``schooling``, ``poor``, ``cluster``, ``hist_1`` to
        ``hist_8`` (share of open months by quarter, the latest first; a quarter without
        a known month takes the share of the 24 months), ``hist_known``, ``drawn`` (the
        one month per cohort that `cs` uses), ``draw_share`` (comparison persons: share
        of the cohort's entries in whose sets the person stands; recipients: 1),
        ``untreated_until`` (year of the person's own later entry, missing if none).

    Raises
    ------
    EstimationError
        If the policy is unknown.
    """
    if policy not in POLICIES:
        raise EstimationError(f"未知的政策：{policy}。")
    persons = persons.reset_index(drop=True)
    population = _Population(policy, persons, register, months, edition)
    contact, entered = _first_contact(policy, persons, register)
    own = np.asarray(persons[f"{policy}_on"], dtype="datetime64[D]")
    enters = ~np.isnat(own) & (own <= np.datetime64(f"{edition}-12-31"))
    own_month = np.where(enters, month_of(own), -1)
    fits, own_age = population.eligible(np.where(enters, own, np.datetime64("1900-01-01")))
    treated = np.flatnonzero(enters & fits)
    window = plan["designs"]["business_age_window"] if population.founders else 0
    entry_year = np.where(np.isnat(entered), 9999, month_of(entered) // 12)
    seed = plan["designs"]["seed"] if seed is None else seed
    parts = []
    for month in np.unique(own_month[treated]):
        rows = treated[own_month[treated] == month]
        day = np.sort(own[rows])[(len(rows) - 1) // 2]
        able, age = population.eligible(day)
        able &= ~(contact <= day) & (entry_year > month // 12)
        near = np.abs(age[:, None] - np.sort(own_age[rows])) <= window
        entries = near.sum(axis=1) if population.founders else np.full(len(age), len(rows))
        others = np.flatnonzero(able & (entries > 0))
        luck = np.random.default_rng([seed, POLICIES.index(policy), month])
        race = luck.exponential(size=len(persons))
        parts.append((month, rows, own_age[rows], others, age[others], entries, race))
    return _stack(parts, persons, population, entry_year, plan)


def _stack(parts, persons, population, entry_year, plan) -> pd.DataFrame:
    """Put the monthly sets together, with what is read in the month of the set."""
    empty = np.array([], dtype="int64")
    rows = np.concatenate(
        [np.r_[own, others] for _, own, _, others, _, _, _ in parts] or [empty]
    )
    ages = np.concatenate([np.r_[a, b] for _, _, a, _, b, _, _ in parts] or [empty])
    month = np.concatenate(
        [np.full(len(own) + len(others), m) for m, own, _, others, _, _, _ in parts] or [empty]
    )
    treated = np.concatenate(
        [np.r_[np.ones(len(own)), np.zeros(len(other))] for _, own, _, other, *_ in parts]
        or [empty]
    ).astype("int8")
    weight = np.concatenate(
        [np.r_[np.ones(len(own)), n[others]] for _, own, _, others, _, n, _ in parts] or [empty]
    )
    race = np.concatenate(
        [np.r_[np.zeros(len(own)), r[others]] for _, own, _, others, _, _, r in parts]
        or [empty]
    )
    cohort = month // 12
    person = persons.iloc[rows].reset_index(drop=True)
    frame = pd.DataFrame(
        {
            "cohort": cohort.astype("int64"),
            "month": month.astype("int64"),
            "person_id": person["person_id"],
            "treated": treated,
            "business_age": ages.astype("int64"),
            "female": person["female"].astype("float64"),
            "age": cohort - person["birth_year"].astype("float64"),
            "schooling": person["schooling"].astype("float64"),
            "poor": person["poor"].astype("float64"),
            "cluster": person["township"],
        }
    )
    frame = pd.concat([frame, _history(population, rows, month, plan)], axis=1)
    # Exponential race: the first arrival at rate `weight` is a draw in proportion to it.
    order = np.lexsort((race / np.maximum(weight, 1), rows, cohort, treated))
    chosen = pd.DataFrame({"g": cohort, "p": rows, "d": treated}).iloc[order]
    frame["drawn"] = np.int8(0)
    frame.loc[chosen.index[~chosen.duplicated().to_numpy()], "drawn"] = np.int8(1)
    size = pd.Series(treated).groupby(cohort).transform("sum")
    total = pd.Series(weight).groupby([cohort, rows, treated]).transform("sum")
    frame["draw_share"] = np.where(treated == 1, 1.0, total / size)
    later = np.where((entry_year < 9999) & (entry_year > 0), entry_year, np.nan)[rows]
    frame["untreated_until"] = np.where(treated == 1, np.nan, later)
    return frame


def _history(population, rows, month, plan) -> pd.DataFrame:
    """Share of open months by quarter before the month of the set."""
    length, bins = plan["designs"]["history_months"], plan["designs"]["history_bins"]
    step = length // bins
    grid = population.open
    counts = [
        np.pad((grid == 1).cumsum(axis=1, dtype="int16"), ((0, 0), (1, 0))),
        np.pad((grid >= 0).cumsum(axis=1, dtype="int16"), ((0, 0), (1, 0))),
    ]
    place = month - population.window[0]

    def between(count, newest, oldest):
        ends = [np.clip(place - shift, 0, grid.shape[1]) for shift in (newest, oldest)]
        return count[rows, ends[0]] - count[rows, ends[1]]

    worked, known = (between(count, 0, length) for count in counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        overall = np.where(known > 0, worked / known, np.nan)
        history = {}
        for number in range(1, bins + 1):
            some, seen = (between(c, step * (number - 1), step * number) for c in counts)
            history[f"hist_{number}"] = np.where(seen > 0, some / seen, overall)
    return pd.DataFrame(history | {"hist_known": known / length})


def stay_untreated_weights(policy, persons, months, risk_sets, plan, edition) -> pd.DataFrame:
    """Weigh comparison persons up for those like them who took the policy up meanwhile.

    Comparison persons of an outcome year are those not treated by then; those who stay
    untreated are selected (later post holders come from those still out of work).
    Their weight is one over the probability of having stayed untreated from their drawn
    month to 31 December of the year, by a Poisson model of entries on grouped
    person-months at risk: sex, age, schooling, poor, township, calendar year, work in
    the year before, and the age of the business for founders. A person is at risk in a
    month if out of open work (posts) or running a business (founders) at its beginning.

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
        on 31 December of ``year`` (cohort to edition): ``weight`` (1 or more, at most
        20), ``capped`` (0/1).
    """
    persons = persons.reset_index(drop=True)
    people = pd.Index(persons["person_id"])
    window = (int(months["month"].min()), edition * 12 + 11)
    cells = _exposure(policy, persons, months, people, window)
    drawn = risk_sets[(risk_sets["treated"] == 0) & (risk_sets["drawn"] == 1)]
    rate = _fit_hazard(cells, persons, policy)
    hazard = np.zeros((len(people), window[1] - window[0] + 1))
    hazard[cells["row"], cells["place"]] = rate
    summed = np.pad(hazard.cumsum(axis=1), ((0, 0), (1, 0)))
    row = people.get_indexer(drawn["person_id"])
    after = drawn["month"].to_numpy() - window[0] + 1
    until = drawn["untreated_until"].fillna(9999).to_numpy()
    parts = []
    for year in range(int(drawn["cohort"].min()), edition + 1) if len(drawn) else ():
        use = (drawn["cohort"].to_numpy() <= year) & (until > year)
        close = year * 12 + 12 - window[0]
        at_risk = summed[row[use], close] - summed[row[use], after[use]]
        part = drawn.loc[use, ["cohort", "person_id"]].assign(year=year)
        parts.append(part.assign(weight=np.exp(at_risk)))
    empty = pd.DataFrame({"cohort": [], "person_id": [], "year": [], "weight": []})
    weights = pd.concat(parts, ignore_index=True) if parts else empty
    weights["capped"] = (weights["weight"] > WEIGHT_CAP).astype("int8")
    weights["weight"] = weights["weight"].clip(upper=WEIGHT_CAP)
    return weights


def _exposure(policy, persons, months, people, window) -> dict[str, np.ndarray]:
    """Person-months at risk of entering, with the entries among them."""
    opened = _grid(months, people, "open", window, -1)
    entry = month_of(persons[f"{policy}_on"]) - window[0]
    entry = np.where(persons[f"{policy}_on"].isna(), opened.shape[1] + 1, entry)
    if policy == "post":
        post = _grid(months, people, "post", window, 0)
        risk = (opened == 0) & (post.cumsum(axis=1) == 0)
        age = np.zeros_like(opened)
    else:
        age = _grid(months, people, "business_age", window, -1)
        risk = age >= 0
    # The state at the end of a month decides about the next month.
    risk = np.pad(risk[:, :-1], ((0, 0), (1, 0)))
    age = np.pad(age[:, :-1] + 1, ((0, 0), (1, 0)))
    begins = month_of(persons["observed_from"].fillna(pd.Timestamp.max)) - window[0]
    place = np.arange(opened.shape[1])
    risk &= (place >= begins[:, None]) & (place <= entry[:, None])
    row, column = np.nonzero(risk)
    worked = np.pad((opened == 1).cumsum(axis=1), ((0, 0), (13, 0)))
    year_start = column // 12 * 12
    return {
        "row": row,
        "place": column,
        "year": (window[0] + column) // 12,
        "age": age[row, column],
        "worked": worked[row, year_start + 12] - worked[row, year_start],
        "entered": entry[row] == column,
    }


def _fit_hazard(cells, persons, policy) -> np.ndarray:
    """Monthly rate of entry of each person-month at risk.

    Calendar years and business ages in which nobody entered have a rate of zero.
    """
    bins = np.searchsorted(AGE_EDGES, cells["age"], side="right")
    years = cells["year"] - cells["year"].min() if len(cells["year"]) else cells["year"]
    shape = (len(persons), int(years.max(initial=0)) + 1, len(AGE_EDGES) + 1)
    code = np.ravel_multi_index((cells["row"], years, bins), shape)
    size = int(np.prod(shape))
    months_at_risk = np.bincount(code, minlength=size)
    entries = np.bincount(code, weights=cells["entered"], minlength=size)
    worked = np.zeros(size)
    worked[code] = cells["worked"] / 12
    by_year, by_age = (entries.reshape(shape).sum(axis=axes) > 0 for axes in ((0, 2), (0, 1)))
    used = np.flatnonzero(months_at_risk)
    row, year, age = np.unravel_index(used, shape)
    live = by_year[year] & by_age[age]
    used, row, year, age = used[live], row[live], year[live], age[live]
    rates = np.zeros(size)
    if len(used):
        towns = pd.factorize(persons["township"], sort=True)[0][row]
        traits = persons[["female", "birth_year", "schooling", "poor"]].astype("float64")
        traits = traits.fillna(traits.mean()).fillna(0).to_numpy()[row]
        smooth = np.column_stack([traits, worked[used]])
        smooth = (smooth - smooth.mean(axis=0)) / np.maximum(smooth.std(axis=0), 1e-9)
        design = np.column_stack(
            [np.ones(len(used)), smooth, _dummies(towns), _dummies(year), _dummies(age)]
        )
        rates[used] = _fit_poisson(design, entries[used], months_at_risk[used])
    return rates[code]


def _dummies(codes) -> np.ndarray:
    """Indicators of all values but the first."""
    values = np.unique(codes)[1:]
    return (codes[:, None] == values).astype("float64")


def _fit_poisson(design, events, exposure, ridge=0.1, tolerance=1e-8) -> np.ndarray:
    """Rates of a log-linear Poisson model by Newton's method.

    A slight ridge keeps the indicator of a township without an entry finite.

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
