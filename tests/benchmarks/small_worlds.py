"""Small districts with a known effect, made in memory in a few hundredths of a second.

Calibrated to the letter: 168 subsidies (101 of them due), 221 loans (158 due), 1,500 posts
due. People have recorded traits, a township and an ability that no ledger holds; work is
a monthly process that depends on all of these; founders run a business that closes at
about 2 % a month. A policy changes nothing but what happens after entry, so that what
would have happened without it is known of everybody.

The panel's own functions then make the risk sets and the weights for staying untreated.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.effects.balancing import add_lags
from evaluation.effects.study import Study
from evaluation.panel.histories import Histories
from evaluation.panel.sets import build_sets

FIRST, EDITION = 2013, 2024
YEARS = np.arange(FIRST, EDITION + 1)
MONTHS = 12 * len(YEARS)
TOWNSHIPS = 18
PAID_AFTER = 9  # months from application to payment, made only to who still operates


@dataclass(frozen=True)
class Size:
    """Who could take part, when and how many did; and how violations get their size.

    ``dip`` (log rate for no work in the year before), ``anticipation`` (share of the
    entrants) and ``ability`` (log rate per standard deviation) are set so that `cs`, or
    with ability `balanced`, is off by 5 to 6 points.
    """

    n_people: int
    entries: int
    first_entry: int
    horizon: int
    youngest: int = 0
    oldest: int = 0
    dip: float = 0.0
    anticipation: float = 0.0
    ability: float = 0.0


SIZES = {
    "subsidy": Size(
        2500, 168, 2020, 2, youngest=3, oldest=8, dip=1.25, anticipation=0.25, ability=0.4
    ),
    "loan": Size(
        2500, 221, 2018, 2, youngest=3, oldest=36, dip=3.0, anticipation=0.9, ability=0.4
    ),
    "post": Size(12_000, 3000, 2016, 4, dip=1.65, anticipation=0.5, ability=0.3),
}


@dataclass(frozen=True)
class Scenario:
    """What is true, and what is wrong with the data.

    Attributes
    ----------
    effect
        True effect, as a share.
    trend, since
        Differential trend that reaches `trend` at the horizon; it began so many years
        before the base year (missing: from the start).
    dip, anticipation, ability
        Switched on at the policy's size (`Size`): selection on no work in the year before;
        work not taken up in the year before, in order to qualify; selection on what no
        ledger holds.
    quitters
        Share of the entrants who worked and gave it up nine months before a post.
    only_paid
        The ledger holds paid applicants alone, on the day of their application.
    follow_up
        Share of the untreated in work whose outcome of the year is missing.
    unrecorded
        Share of the untreated in work who are recorded as without.
    """

    effect: float = 0.0
    trend: float = 0.0
    since: float = np.inf
    dip: bool = False
    anticipation: bool = False
    ability: bool = False
    quitters: float = 0.0
    only_paid: bool = False
    follow_up: float = 0.0
    unrecorded: float = 0.0

    @property
    def entry(self) -> tuple:
        """What decides who enters and what was seen before: such scenarios share sets."""
        selected = (self.dip, self.anticipation, self.ability, self.quitters, self.only_paid)
        return (self.trend, self.since, *selected)


@dataclass(frozen=True)
class District:
    """People, what they would have done without the policy, and who entered when.

    Attributes
    ----------
    untreated
        Persons × months: in open work on the last day of the month without the policy.
    seen
        The same as it was before entry, in a post, or unknown (−1).
    """

    policy: str
    traits: pd.DataFrame
    untreated: np.ndarray
    seen: np.ndarray
    post: np.ndarray
    business_age: np.ndarray
    opened: np.ndarray
    closed: np.ndarray
    entry: np.ndarray
    begins: np.ndarray
    ends: np.ndarray
    left: np.ndarray


def _stream(seed: int, policy: str, topic: int) -> np.random.Generator:
    return np.random.default_rng([seed, list(SIZES).index(policy), topic])


def draw_traits(rng, n: int) -> pd.DataFrame:
    """Recorded traits, township, and the ability that nobody records."""
    return pd.DataFrame(
        {
            "female": (rng.random(n) < 0.45).astype(float),
            "birth_year": 2019 - rng.integers(24, 54, n),
            "schooling": rng.choice([1, 2, 3, 4], n, p=[0.25, 0.4, 0.22, 0.13]).astype(float),
            "poor": (rng.random(n) < 0.2).astype(float),
            "township": rng.integers(0, TOWNSHIPS, n),
            "ability": rng.normal(size=n),
        }
    )


def work_rates(traits, town_effect) -> dict[str, np.ndarray]:
    """Monthly chance of finding work, of keeping it, and of closing a business."""
    school, age = traits["schooling"] - 2, 2019 - traits["birth_year"] - 42
    female, poor = traits["female"], traits["poor"]
    common = town_effect[traits["township"]] + 0.4 * traits["ability"]
    logits = {
        "find": -3.3 + 0.28 * school - 0.02 * age - 0.35 * female - 0.6 * poor + common,
        "keep": 3.4 + 0.22 * school - 0.015 * age - 0.2 * female - 0.4 * poor + common,
        "close": -3.9 - 0.25 * school + 0.01 * age + 0.25 * female + 0.3 * poor - common,
    }
    return {name: 1 / (1 + np.exp(-logit.to_numpy())) for name, logit in logits.items()}


def live(luck, rates, opens) -> tuple[np.ndarray, np.ndarray]:
    """Work by month without any policy, and the month in which a business closed."""
    n = len(luck)
    state = luck[:, -1] < rates["find"] / (rates["find"] + 1 - rates["keep"])
    closed = np.full(n, MONTHS)
    work = np.empty((MONTHS, n), dtype=bool)
    running = np.zeros(n, dtype=bool)
    for month in range(MONTHS):
        u = luck[:, month]
        closes = running & (u < rates["close"])
        closed[closes] = month
        state = np.where(running, ~closes, u < np.where(state, rates["keep"], rates["find"]))
        running &= ~closes
        begins = opens == month
        running, state = running | begins, state | begins
        work[month] = state
    return work.T, closed


def enter(size: Size, scenario: Scenario, rng, traits, eligible, working, recent) -> np.ndarray:
    """Month of entry of each person (−1: none): an exponential race in every month.

    `eligible`: persons × months, by the state at the end of the month before; `working`:
    who could quit to qualify; `recent`: share of the year before in work.
    """
    school, age = traits["schooling"] - 2, 2019 - traits["birth_year"] - 42
    log_rate = (
        0.35 * school - 0.01 * age - 0.4 * traits["female"] - 0.7 * traits["poor"]
        if size.oldest
        else -0.35 * school + 0.03 * age + 0.3 * traits["female"] + traits["poor"]
    ).to_numpy()
    log_rate = log_rate + size.ability * scenario.ability * traits["ability"].to_numpy()
    months = np.arange((size.first_entry - FIRST) * 12, MONTHS)
    places = np.diff(np.rint(np.linspace(0, size.entries, len(months) + 1)).astype(int))
    entry = np.full(len(traits), -1)
    for month, n in zip(months, places, strict=True):
        race = -np.log(rng.random(len(traits))) / np.exp(
            log_rate + size.dip * scenario.dip * (1 - recent[:, month])
        )
        quitters = rng.binomial(n, scenario.quitters) if scenario.quitters else 0
        for who, number in ((eligible, n - quitters), (working, quitters)):
            if number:
                free = np.flatnonzero((entry < 0) & who[:, month])
                entry[free[np.argsort(race[free])[:number]]] = month
    return entry


def _flip(path, share, luck, up) -> np.ndarray:
    """Move a share of the entrants, month by month, in one direction; the same ones last."""
    level = np.nansum(path, axis=0) / np.maximum((~np.isnan(path)).sum(axis=0), 1)
    room = np.maximum(1 - level if up else level, 0.02)
    moved = luck[:, None] < share / room
    return np.where(moved & ~np.isnan(path), float(up), path)


def _align(grid, entry, first, last) -> tuple[np.ndarray, np.ndarray]:
    """Columns of `grid` relative to each person's own: values (missing outside), places."""
    place = entry[:, None] + np.arange(first, last + 1)
    inside = (place >= 0) & (place < grid.shape[1])
    rows = np.arange(len(entry))[:, None]
    return np.where(inside, grid[rows, np.clip(place, 0, grid.shape[1] - 1)], np.nan), place


def drift_before(size, scenario, luck, seen, entry):
    """Lower entrants' work before the base year, so that they seem to improve since.

    By ``trend / (horizon + 1)`` for each year before the base year, at most ``since``.
    """
    rows = np.flatnonzero(entry >= 0)
    base = entry[rows] // 12 * 12 - 1  # December before entry
    known = np.where(seen[rows] >= 0, seen[rows], np.nan)
    values, place = _align(known, base, -MONTHS, -1)
    years = np.minimum(np.arange(MONTHS, 0, -1) / 12, scenario.since)
    share = scenario.trend / (size.horizon + 1) * years
    some = (place >= 0).any(axis=0)
    moved = values.copy()
    moved[:, some] = _flip(values[:, some], share[some], luck[rows], up=False)
    use = (place >= 0) & (seen[rows[:, None], np.maximum(place, 0)] >= 0)
    person = np.broadcast_to(rows[:, None], place.shape)[use]
    seen[person, place[use]] = moved[use]
    return seen


def put_off_work(size, scenario, rng, seen, untreated, opens, entry):
    """Work not taken up, or given up, in order to qualify: up to the business or the post."""
    month, n = np.arange(MONTHS), len(entry)
    if scenario.quitters:
        who, length = untreated[np.arange(n), entry - 1], 9
    else:
        who, length = rng.random(n) < size.anticipation, 12
    end = opens if size.oldest else entry
    idle = (month >= end[:, None] - length) & (month < end[:, None])
    return np.where(idle & (who & (entry >= 0))[:, None], 0, seen)


def simulate_district(policy: str, seed: int, scenario: Scenario) -> District:
    """Simulate one district up to what was seen before entry."""
    size, founders = SIZES[policy], policy != "post"
    rng, n, month = _stream(seed, policy, 0), SIZES[policy].n_people, np.arange(MONTHS)
    traits = draw_traits(rng, n)
    rates = work_rates(traits, rng.normal(0, 0.12, TOWNSHIPS))
    begins = np.where(rng.random(n) < 0.25, rng.integers(0, 60, n), 0)
    left = begins + rng.geometric(0.001, n)
    age_limit = np.where(traits["female"] == 1, 55, 60) - FIRST
    ends = np.minimum((traits["birth_year"].to_numpy() + age_limit) * 12, MONTHS)
    opens = np.full(n, MONTHS)
    if founders:
        first = np.maximum(begins + 1, (size.first_entry - 3 - FIRST) * 12)
        opens = first + (rng.random(n) * (MONTHS - 3 - first)).astype(int)
    luck = _stream(seed, policy, 1).random((n, MONTHS + 1), dtype=np.float32)
    untreated, closed = live(luck, rates, opens)
    known = (month >= begins[:, None]) & (month < np.minimum(ends, left)[:, None])
    closed = np.minimum(closed, np.minimum(left, ends))
    age = (month - opens[:, None]).astype("int16")
    age[(age < 0) | (month >= closed[:, None])] = -1
    pools = _find_pools(size, untreated, known, age)
    race = _stream(seed, policy, 2)
    entry = enter(size, scenario, race, traits, *pools, _recent_work(untreated))
    term = np.where(race.random(n) < 0.8, 36, race.integers(6, 36, n))
    if scenario.only_paid:
        entry = np.where(closed < entry + PAID_AFTER, -1, entry)
    seen = untreated.astype("int16")
    if scenario.anticipation or scenario.quitters:
        seen = put_off_work(size, scenario, race, seen, untreated, opens, entry)
    seen = np.where(known, seen, -1).astype("int16")
    if scenario.trend:
        luck_of_drift = _stream(seed, policy, 3).random(n)
        seen = drift_before(size, scenario, luck_of_drift, seen, entry)
    post = np.zeros((n, MONTHS), dtype="int16")
    if not founders:
        in_post = (month >= entry[:, None]) & (month < (entry + term)[:, None])
        post[in_post & (entry >= 0)[:, None]] = 1
        seen[(post == 1) & known] = 0
    names = (traits, untreated, seen, post, age, opens, closed, entry, begins, ends, left)
    return District(policy, *names)


def _find_pools(size, untreated, known, age):
    """Who may enter by month, by the state at the end of the month before; who could quit."""
    able, working = np.zeros((2, *known.shape), dtype=bool)
    here = known[:, :-1] & known[:, 1:]
    if size.oldest:
        able[:, 1:] = (age[:, :-1] >= size.youngest) & (age[:, :-1] <= size.oldest) & here
    else:
        able[:, 1:] = here & ~untreated[:, :-1]
        working[:, 1:] = here & untreated[:, :-1]
    return able, working


def _recent_work(untreated) -> np.ndarray:
    """Share of the twelve months before each month in work."""
    counts = np.zeros((len(untreated), MONTHS + 1), dtype=np.float32)
    np.cumsum(untreated, axis=1, out=counts[:, 1:])
    month = np.arange(MONTHS)
    return (counts[:, :-1] - counts[:, np.maximum(month - 12, 0)]) / 12


def _day(month, day) -> pd.Series:
    """Day of a month numbered from the first January; missing where the month is outside."""
    outside = (month < 0) | (month >= MONTHS)
    first = (np.where(outside, 0, month) + (FIRST - 1970) * 12).astype("datetime64[M]")
    days = first.astype("datetime64[D]") + (np.asarray(day) - 1)
    return pd.Series(np.where(outside, np.datetime64("NaT"), days).astype("datetime64[us]"))


def tabulate_histories(district: District, seed: int) -> Histories:
    """The district as `evaluation.panel` lays it out, without the detour by ledgers.

    Work changes on the 28th, entries fall on the 1st to 27th: the state at the end of a
    month is that of all days of the next on which somebody may enter.
    """
    policy, n = district.policy, len(district.entry)
    people = pd.Index([f"P{i:05d}" for i in range(n)])
    entered = _day(district.entry, _stream(seed, policy, 4).integers(1, 28, n))
    traits = district.traits
    persons = traits[["female", "birth_year", "schooling", "poor"]].assign(
        person_id=pd.Categorical.from_codes(np.arange(n), people),
        township=pd.Categorical.from_codes(
            traits["township"], [f"T{i:02d}" for i in range(TOWNSHIPS)]
        ),
        observed_from=_day(district.begins, 1),
        observed_until=_day(district.ends - 1, 31),
    )
    persons[f"{policy}_on"] = persons[f"{policy}_applied_on"] = entered
    persons[f"{policy}_year"] = entered.dt.year.astype(float)
    histories = object.__new__(Histories)
    histories.persons, histories.people, histories.edition = persons, people, EDITION
    histories.window = (FIRST * 12, EDITION * 12 + 11)
    histories.open, histories.post = district.seen, district.post
    histories.business_age = district.business_age
    if policy == "post":
        histories.spells = _tabulate_spells(district, persons)
    else:
        histories.spells = pd.DataFrame(columns=["person_id", "form", "start", "end"])
        histories.__dict__["businesses"] = pd.DataFrame(
            {
                "person_id": persons["person_id"],
                "registered_on": _day(district.opened, 28),
                "closed_on": _day(district.closed, 28),
            }
        ).sort_values("registered_on", kind="stable", ignore_index=True)
    return histories


def _tabulate_spells(district, persons) -> pd.DataFrame:
    works = np.zeros((len(persons), MONTHS + 2), dtype="int8")
    works[:, 1:-1] = district.seen == 1
    steps = np.diff(works, axis=1)
    row, start = np.nonzero(steps == 1)
    end = np.nonzero(steps == -1)[1]
    open_spells = {"form": "unit", "start": _day(start, 28), "end": _day(end, 28)}
    holders = np.flatnonzero(district.entry >= 0)
    started = persons["post_on"].to_numpy()[holders]
    posts = {"form": "post", "start": started, "end": pd.NaT}
    people = persons["person_id"].array
    return pd.concat(
        [
            pd.DataFrame({"person_id": people.take(row)} | open_spells),
            pd.DataFrame({"person_id": people.take(holders)} | posts),
        ],
        ignore_index=True,
    )


def find_level(policy: str, plan: dict, seeds=range(900_001, 900_061)) -> float:
    """Share of evaluated recipients who would be in work at the horizon without the policy.

    In the valid world; evaluated: in a risk set, and known in the base year and at the
    horizon.
    """
    levels = []
    for seed in seeds:
        district, _, sets, _ = make_sets(policy, seed, Scenario(), plan)
        own = sets[sets["treated"] == 1]
        row, year = own["person_id"].cat.codes.to_numpy(), own["cohort"].to_numpy() - FIRST
        at = (year + SIZES[policy].horizon) * 12 + 11
        known = district.seen[row, year * 12 - 1] >= 0
        known &= at < np.minimum(district.left, district.ends)[row]
        levels.append(district.untreated[row, at][known])
    return float(np.concatenate(levels).mean())


def _decembers(district):
    """Work without the policy on 31 December where it is known, and year of entry; entrants."""
    rows = np.flatnonzero(district.entry >= 0)
    december = np.arange(11, MONTHS, 12)
    last = np.minimum(district.left, district.ends)[rows, None]
    values = np.where(december < last, district.untreated[rows][:, 11::12], np.nan)
    return values, district.entry[rows] // 12


def tabulate_outcomes(district: District, scenario: Scenario, seed: int, level: float):
    """Outcomes by year, and the effect on each recipient by event time.

    Parameters
    ----------
    level
        As `find_level` gives it: the effect reaches the share of recipients out of work
        that makes it as large as the scenario says.

    Returns
    -------
    tuple
        ``person_id, year, employed_open`` (unknown: missing), and the realised effects:
        key ``person_id``, a column per event time from 0 on. In a post nobody is in open
        work: the lock-in.
    """
    policy, size, n = district.policy, SIZES[district.policy], len(district.entry)
    rng = _stream(seed, policy, 5)
    open_work = np.where(district.seen >= 0, district.seen, np.nan)[:, 11::12]
    rows = np.flatnonzero(district.entry >= 0)
    without, year = _decembers(district)
    after = np.arange(len(YEARS)) - year[:, None]
    drift = np.where(after >= 0, scenario.trend * (after + 1) / (size.horizon + 1), 0)
    luck, helped = rng.random(n)[rows], rng.random(n)[rows]
    moved = (luck[:, None] < drift / (1 - level)) & ~np.isnan(without)
    without = np.where(moved, 1.0, without)
    with_policy = without.copy()
    reached = (helped < scenario.effect / (1 - level))[:, None] & ~np.isnan(without)
    with_policy[reached] = 1.0
    in_post = district.post[rows][:, 11::12] == 1
    lived = np.where(in_post & ~np.isnan(without), 0.0, with_policy)
    open_work[rows] = np.where(after >= 0, lived, open_work[rows])
    untreated = np.ones((n, len(YEARS)), dtype=bool)
    untreated[rows] = after < 0
    luck = rng.random((3, n, len(YEARS)))
    working = untreated & (open_work == 1)
    hidden = (luck[0] < 0.02) | (working & (luck[1] < scenario.follow_up))
    open_work[working & (luck[2] < scenario.unrecorded)] = 0.0
    open_work[hidden] = np.nan
    before = np.arange(11, MONTHS, 12) < district.begins[:, None]
    open_work[before] = np.nan
    people = pd.Index([f"P{i:05d}" for i in range(n)])
    years = pd.DataFrame(
        {
            "person_id": pd.Categorical.from_codes(np.repeat(np.arange(n), len(YEARS)), people),
            "year": np.tile(YEARS, n),
            "employed_open": open_work.ravel(),
        }
    )
    gains = {}
    for e in range(size.horizon + 1):
        at = np.minimum(year + e, len(YEARS) - 1)
        gain = (lived - without)[np.arange(len(rows)), at]
        gains[e] = np.where(year + e < len(YEARS), gain, np.nan)
    return years, pd.DataFrame(gains, index=people[rows].rename("person_id"))


def make_sets(policy: str, seed: int, scenario: Scenario, plan: dict):
    """District, persons, risk sets (cohorts that are due) and weights for staying."""
    district = simulate_district(policy, seed, scenario)
    histories = tabulate_histories(district, seed)
    built = build_sets(policy, histories, plan)
    sets = built["risk_sets"]
    sets = sets[sets["cohort"] <= EDITION - SIZES[policy].horizon].reset_index(drop=True)
    return district, histories.persons, sets, built["stay"]


def make_study(policy, persons, sets, stay, years, plan) -> Study:
    """The plan's question, put to these tables."""
    history = [f"hist_{k}" for k in range(1, plan["designs"]["history_bins"] + 1)]
    return Study(
        kind="plan",
        policy=policy,
        outcome=plan["outcomes"]["primary"],
        horizon=plan["policies"][policy]["horizon"],
        edition=EDITION,
        covariates=list(plan["policies"][policy]["covariates"]),
        persons=persons.assign(entry_year=persons[f"{policy}_year"]),
        years=years,
        risk_sets=add_lags(sets, history),
        stay_weights=stay,
        history=history,
        lags=[f"lag_{k}" for k in range(1, 5)],
        realised=plan["estimand"]["realised"],
    )
