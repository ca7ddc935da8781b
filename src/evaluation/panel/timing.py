"""Time zero and the monthly sets of persons who enter a policy or could have."""

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError
from evaluation.panel.applicants import (
    find_applicants,
    find_first_applications,
    share_recipients,
)
from evaluation.panel.months import find_rows, month_of
from evaluation.panel.outcomes import OPEN_FORMS
from evaluation.plan import POLICIES

TIME_ZERO = {"subsidy": "applied_on", "loan": "paid_out", "post": "started_on"}


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
        Key ``person_id``: ``<policy>_on``, ``<policy>_result``; for posts ``post_rural``.
    """
    needed = ["person_id", TIME_ZERO[policy], "result", "refusal", "rural"]
    rows = entering_rows(policy, ledger[[name for name in needed if name in ledger]])
    rows = rows[rows["person_id"].notna()]
    rows = rows.sort_values(TIME_ZERO[policy], kind="stable").drop_duplicates("person_id")
    rows = rows.assign(result=rows["result"] if policy != "post" else "approved")
    names = {TIME_ZERO[policy]: f"{policy}_on", "result": f"{policy}_result"}
    names |= {"rural": "post_rural"} if policy == "post" else {}
    return rows[["person_id", *names]].rename(columns=names).reset_index(drop=True)


def entering_rows(policy: str, ledger: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows of a policy's ledger that make somebody a participant.

    A refusal without a stated reason is none for ineligibility: the applicant counts.
    """
    rows = ledger[ledger[TIME_ZERO[policy]].notna()]
    if policy != "subsidy":
        return rows
    refused = (rows["result"] == "refused").fillna(False)
    return rows[~(refused & (rows["refusal"] == "ineligible").fillna(False))]


class Population:
    """Who may enter a policy, or stand beside those who do, on a given day.

    Founders: a business registered by that day and not closed on or before it. Posts: no
    spell of open work or of a post on the day before, and a known state in the month
    before. Both: returned, on a roster, alive, below the statutory age.
    """

    def __init__(self, policy, histories):
        self.window, self.open = histories.window, histories.open
        self.begins, self.ends = (
            histories.persons[name].to_numpy("datetime64[D]")
            for name in ("observed_from", "observed_until")
        )
        self.founders = policy != "post"
        if self.founders:
            rows = histories.businesses
            first, last = rows["registered_on"], rows["closed_on"]
        else:
            rows = histories.spells
            rows = rows[rows["form"].isin((*OPEN_FORMS, "post"))]
            first, last = rows["start"], rows["end"]
        row = find_rows(histories.people, rows["person_id"])
        mine = row >= 0
        self.row = row[mine]
        self.first = first[mine].to_numpy("datetime64[D]")
        last = last[mine].to_numpy("datetime64[D]")
        self.last = np.where(np.isnat(last), np.datetime64("2262-01-01"), last)
        self.opened = month_of(self.first)

    def eligible(self, day) -> tuple[np.ndarray, np.ndarray]:
        """Who is in the population on that day (or each on an own day), and business ages."""
        day = np.asarray(day, dtype="datetime64[D]")
        fits = (self.begins <= day) & (self.ends > day)
        age = np.zeros(len(fits), dtype="int64")
        of = self.row
        theirs = day[of] if day.ndim else day
        if self.founders:
            runs = (self.first <= theirs) & (self.last > theirs)
            age[:] = -1
            # sorted by opening: the business opened last stands for the founder
            age[of[runs]] = (month_of(theirs) - self.opened)[runs]
            return fits & (age >= 0), age
        eve = theirs - np.timedelta64(1, "D")
        fits[of[(self.first <= eve) & (self.last >= eve)]] = False
        before = month_of(day) - 1 - self.window[0]
        inside = (before >= 0) & (before < self.open.shape[1])
        before = np.where(inside, before, 0)
        known = self.open[np.arange(len(fits)) if day.ndim else slice(None), before] >= 0
        return fits & inside & known, age


def first_contact(policy, histories) -> tuple[np.ndarray, np.ndarray]:
    """Give the days from which a person is no comparison any more, and is treated.

    They differ for the subsidy: any application, also an ineligible one, ends the time as
    a comparison. A post that only the register knows counts as both.
    """
    persons, spells = histories.persons, histories.spells
    entered = persons[f"{policy}_on"].to_numpy("datetime64[D]")
    if policy == "subsidy":
        return persons["subsidy_applied_on"].to_numpy("datetime64[D]"), entered
    if policy == "post":
        posts = spells[["person_id", "start"]][spells["form"] == "post"]
        posts = posts.sort_values("start").drop_duplicates("person_id")
        row = find_rows(histories.people, posts["person_id"])
        known = np.full_like(entered, "NaT")
        known[row[row >= 0]] = posts["start"].to_numpy("datetime64[D]")[row >= 0]
        entered = np.fmin(entered, known)
    return entered, entered


def build_risk_sets(policy, histories, plan, among=None) -> pd.DataFrame:
    """Stack, for each month of entry, those who enter and those who could have.

    The recipients of a month stand on their own day; comparison persons on the median
    day of that month's entries, when they must satisfy the same conditions and must not
    have entered (subsidy: not have applied) by then. Founders are compared with founders
    whose business is within the plan's window of months of the age of a recipient's
    business. Recipients outside the population (in open work the day before a post;
    without an operating business) have no row. A comparison person who enters later in
    the same calendar year has no row in that year's sets either.

    **A design that uses one drawn month per person must weigh comparison persons by
    ``draw_share``** (times the weight for staying untreated): who was out of work for a
    single month stands in one set, a recipient was more likely out of work all year.
    Without it the two differ before entry (`cs` on posts is off by 8 points); the
    stacked sets need no such weight.

    Parameters
    ----------
    policy
        One of `evaluation.plan.POLICIES`.
    histories
        Of the edition; the draw follows the order of its persons.
    plan
        As read by `load_plan`.
    among
        ``applicants``: comparison persons are those alone who first applied by that day,
        at most ``applicants.window`` months of the plan before it, and were not treated by
        then (subsidy: refused as ineligible; loan: refused, or not yet paid out).
        Recipients beside whom nobody stands have no row, and ``draw_share`` is the share
        of the cohort's recipients that a person stands for (see `applicants`). Nobody
        applies for a post: no rows.

    Returns
    -------
    pandas.DataFrame
        Key ``cohort, month, person_id`` (codes of `persons`). ``treated``,
        ``entry_month`` (1 to 12), ``business_age`` (months), ``ran_at_base`` (the business
        was there on 31 December before), ``female``, ``age`` (years), ``schooling``, ``poor``,
        ``cluster``, ``hist_1`` to ``hist_8`` (share of open months by quarter, the latest
        first; a quarter without a known month takes the share of the 24 months),
        ``hist_known``, ``drawn`` (one month per cohort and comparison person, in
        proportion to the entries at that business age), ``draw_share`` (share of the
        cohort's entries in whose sets the person stands; recipients 1),
        ``untreated_until`` (year of the person's own later entry, missing if none).

    Raises
    ------
    EstimationError
        If the policy or `among` is unknown.
    """
    if policy not in POLICIES:
        raise EstimationError(f"未知的政策：{policy}。")
    if among not in (None, "applicants"):
        raise EstimationError(f"未知的可比人群：{among}。")
    persons, edition = histories.persons, histories.edition
    population = Population(policy, histories)
    contact, entered = first_contact(policy, histories)
    applied_on = find_first_applications(policy, persons) if among else None
    own = persons[f"{policy}_on"].to_numpy("datetime64[D]")
    fits, own_age = population.eligible(own)
    own_month = np.where(fits & (own <= np.datetime64(f"{edition}-12-31")), month_of(own), -1)
    width = plan["designs"]["business_age_window"]
    entry_year = np.where(np.isnat(entered), 9999, month_of(entered) // 12)
    seed, parts = plan["designs"]["seed"], []
    for month in np.unique(own_month[own_month >= 0]):
        rows = np.flatnonzero(own_month == month)
        day = np.sort(own[rows])[(len(rows) - 1) // 2]
        able, age = population.eligible(day)
        able &= entry_year > month // 12
        if among == "applicants":
            able &= find_applicants(applied_on, day, plan["applicants"]["window"])
            others = np.flatnonzero(able)
            entries, kept = share_recipients(own_age[rows], age[others], month, width)
            rows = rows[kept]
        else:
            others = np.flatnonzero(able & ~(contact <= day))
            ages = np.sort(own_age[rows])
            entries = np.searchsorted(ages, age[others] + width, side="right")
            entries -= np.searchsorted(ages, age[others] - width)
        others, entries = others[entries > 0], entries[entries > 0]
        luck = np.random.default_rng([seed, POLICIES.index(policy), month])
        luck = luck.exponential(size=len(persons))
        ones, zeros = np.ones(len(rows), dtype="int64"), np.zeros(len(others), dtype="int64")
        enter = (rows, ones, own_age[rows], ones, 0.0 * ones, month * ones)
        stay = (others, zeros, age[others], entries, luck[others], month + zeros)
        parts += [enter, stay]
    columns = {"row": int, "treated": int, "business_age": int, "entries": float}
    columns |= {"luck": float, "month": int}
    stacked = (np.concatenate(c) for c in zip(*parts, strict=True)) if parts else [[]] * 6
    sets = {n: np.asarray(c, columns[n]) for n, c in zip(columns, stacked, strict=True)}
    sets["cohort"] = sets["month"] // 12
    return _describe(sets, histories, entry_year, plan)


def _draw(sets, n_people) -> dict[str, np.ndarray]:
    """Draw one set per comparison person and cohort; an exponential race gives the odds."""
    treated = sets["treated"] == 1
    stay, cohort = np.flatnonzero(~treated), sets["cohort"] - sets["cohort"].min(initial=9999)
    drawn, share = treated.astype("int8"), np.ones(len(treated))
    person, entries = cohort[stay] * n_people + sets["row"][stay], sets["entries"][stay]
    race = sets["luck"][stay] / entries
    best = np.full(person.max(initial=0) + 1, np.inf)
    np.minimum.at(best, person, race)
    ahead = np.flatnonzero(race == best[person])
    drawn[stay[ahead[~pd.Series(person[ahead]).duplicated()]]] = 1
    total, size = np.bincount(person, entries), np.bincount(cohort[treated])
    share[stay] = total[person] / size[cohort[stay]]
    return {"drawn": drawn, "draw_share": share}


def _describe(sets, histories, entry_year, plan) -> pd.DataFrame:
    """Add what is known of each person in the month of the set."""
    persons = histories.persons
    row, treated = sets["row"], sets["treated"]
    traits = persons[["female", "birth_year", "schooling", "poor"]].astype("float64")
    trait = {name: values.to_numpy()[row] for name, values in traits.items()}
    town = persons["township"].astype("category").array
    later = np.where(entry_year < 9999, entry_year, np.nan)
    columns = {
        "cohort": sets["cohort"],
        "month": sets["month"],
        "person_id": pd.Categorical.from_codes(row, histories.people),
        "treated": treated.astype("int8"),
        "entry_month": (sets["month"] % 12 + 1).astype("int8"),
        "business_age": sets["business_age"],
        # Months of business before this one, against months of the year before it.
        "ran_at_base": (sets["business_age"] > sets["month"] % 12).astype("int8"),
        "female": trait["female"],
        "age": sets["cohort"] - trait["birth_year"],
        "schooling": trait["schooling"],
        "poor": trait["poor"],
        "cluster": town[row],
    }
    columns |= _history(histories, row, sets["month"], plan)
    columns |= _draw(sets, len(persons))
    columns["untreated_until"] = np.where(treated == 1, np.nan, later[row])
    return pd.DataFrame(columns, copy=False)


def _history(histories, rows, months, plan) -> dict[str, np.ndarray]:
    """Share of open months by quarter before the month of the set."""
    length, bins = plan["designs"]["history_months"], plan["designs"]["history_bins"]
    place, counts = months - histories.window[0], histories.counts
    at = place * counts.shape[1] + rows

    def count_until(back):
        return counts.take(at - np.minimum(back, place) * counts.shape[1])

    def split(both):
        return both & 0xFFFF, both >> 16

    latest = count_until(0)
    worked, seen = split(latest - count_until(length))
    overall, history = worked / np.where(seen > 0, seen, np.nan), {}
    for number in range(1, bins + 1):
        earlier = count_until(length // bins * number)
        worked, known = split(latest - earlier)
        share, unknown = worked / np.maximum(known, 1), np.flatnonzero(known == 0)
        share[unknown] = overall[unknown]
        history[f"hist_{number}"], latest = share, earlier
    return history | {"hist_known": seen / length}
