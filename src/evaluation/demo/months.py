"""The months of the demonstration world: work, businesses and entry into policies.

One pass over all people makes what happened; a second pass over the recipients, with
the same random numbers and without the policy, makes what would have happened.
Within a month policies come first (posts on the 1st, loans and applications by the
8th), then closing, founding and changes of work.
"""

from dataclasses import dataclass

import numpy as np

from evaluation.demo import rules as settings
from evaluation.errors import EvaluationError

AWAY, OUT, OPEN, BUSINESS, POST = range(5)
TOPICS = ("work", "founding", "closing", "post", "loan", "subsidy")
LOAN_AGES, SUBSIDY_AGES = (3, 36), (3, 8)  # months of operation at entry
CHECK_LAG = 2  # months from application to the check on the spot
NO = np.int32(-1)


@dataclass(frozen=True)
class Histories:
    """What happened to each person (row), month by month and in dates.

    Attributes
    ----------
    state
        Persons × months, the state on the last day of the month.
    dates
        Months of events by name, -1 where there was none.
    cutoffs
        Policy → month → bound below which a person's draw meant entry.
    """

    state: np.ndarray
    dates: dict[str, np.ndarray]
    cutoffs: dict[str, dict[int, float]]


def live(traits, rules, seeds, *, rows=None, without=None, cutoffs=None) -> Histories:
    """Live through all months.

    Parameters
    ----------
    traits
        Arrays by person: odds (`work_odds`), weights (`selection`), months of return
        and exit, terms of posts, lags of payment; as made by `simulate_world`.
    seeds
        One seed sequence per topic.
    rows, without, cutoffs
        For the second pass: persons, the policy each does without, and the bounds
        of the first pass. A person who would have been below a bound enters, so
        that other policies stay open to somebody who did without this one.

    Raises
    ------
    EvaluationError
        If a policy has more places than eligible people.
    """
    n_people = len(traits["return_month"])
    rows = np.arange(n_people) if rows is None else rows
    without = np.full(len(rows), "", dtype="<U8") if without is None else without
    streams = {topic: np.random.default_rng(seeds[topic]) for topic in TOPICS}
    now = _State({name: values[rows] for name, values in traits.items()}, rules, without)
    now.rows, now.known = rows, cutoffs
    states = np.empty((len(rows), len(rules.months)), dtype=np.int8)
    for column, month in enumerate(rules.months):
        draws = {topic: stream.random(n_people)[rows] for topic, stream in streams.items()}
        now.step(month, draws)
        states[:, column] = now.state
    return Histories(states, now.dates, now.cutoffs)


class _State:
    """The people between two months: their state and the dates so far."""

    def __init__(self, traits, rules, without):
        self.traits, self.rules = traits, rules
        self.barred = {policy: without == policy for policy in ("loan", "subsidy", "post")}
        size = len(without)
        self.state = np.zeros(size, dtype=np.int8)
        self.recent = np.full(size, 0.5, dtype=np.float32)
        names = ("found", "loan", "applied", "paid", "refused", "post", "post_exit")
        self.dates = {name: np.full(size, NO) for name in names}
        self.cutoffs = {"loan": {}, "subsidy": {}, "post": {}, "pay": {}}
        self.quotas = settings.entry_quotas(rules)

    def step(self, month, draws):
        """Go on by one month."""
        before, traits, dates = self.state, self.traits, self.dates
        after = before.copy()
        here = (before != AWAY) & (traits["gone_month"] > month)
        operating = here & (before == BUSINESS)
        to_post = self._enter_posts(month, here & (before == OUT), draws["post"])
        self._enter_loans(month, operating, draws["loan"])
        self._apply(month, operating, draws["subsidy"])
        self._pay(month, before == BUSINESS)

        shift, drift = settings.calendar_shift(month), self._drift(month)
        hazard = _chance(
            traits["close"]
            * np.exp(
                self.rules.effects["loan"] * (dates["loan"] != NO)
                + self.rules.effects["subsidy"] * (dates["paid"] != NO)
                - shift
                - drift
            )
        )
        closes = operating & (draws["closing"] < hazard)
        served = self._served(month)
        dates["post_exit"][served] = month
        idle = here & ((before == OUT) | (before == OPEN)) & ~to_post
        founds = idle & (dates["found"] == NO) & (draws["founding"] < _chance(traits["found"]))
        dates["found"][founds] = month
        arrives = traits["return_month"] == month

        search = self.rules.effects["post_search"] * (dates["post_exit"] != NO)
        find = _chance(traits["find"] * np.exp(shift + drift + search))
        keep = _chance(traits["keep"] * np.exp(shift + drift))
        chance = np.where(before == OPEN, keep, find)
        chance[arrives], chance[closes] = 0.5, 0.2
        chance[served] = self.rules.effects["post"]
        works = draws["work"] < chance
        changes = (idle & ~founds) | arrives | closes | served
        after[changes] = np.where(works[changes], OPEN, OUT)
        after[founds], after[to_post] = BUSINESS, POST
        after[traits["gone_month"] <= month] = AWAY
        self.state = after
        self.recent += 0.15 * (((after == OPEN) | (after == BUSINESS)) - self.recent)

    def _served(self, month):
        """Whose post ends by its term; a few stay on until they retire, if within two years."""
        full = (self.state == POST) & (month - self.dates["post"] == self.traits["term"])
        near = self.traits["retirement_month"] - month <= 24
        return full & ~(near & (self.traits["stays_on"] == 1))

    def _drift(self, month):
        """Violation `trend`: log odds a year by which hidden applicants improve."""
        slope = self.rules.violations.get("trend", 0.0)
        return slope * self.traits["latent"] * (month / 12 - self.rules.first_year - 5)

    def _choose(self, policy, month, eligible, draw, places):
        """Take the `places` first in an exponential race: a hazard in the weights."""
        weight = self.traits[f"to_{policy}"]
        if "dip" in self.rules.violations:
            weight = weight * np.exp(self.rules.violations["dip"] * (0.5 - self.recent))
        with np.errstate(divide="ignore"):
            finish = np.where(eligible & (weight > 0), -np.log(draw) / weight, np.inf)
        if self.known is not None:
            return ~self.barred[policy] & (finish <= self.known[policy].get(month, -1.0))
        if places > eligible.sum():
            raise EvaluationError(
                f"示范数据人数不足：{month // 12}年的名额（{policy}）多于合格人数，"
                "请增加人数或减小倍数。"
            )
        if places <= 0:
            return np.zeros(len(finish), dtype=bool)
        bound = np.partition(finish, places - 1)[places - 1]
        self.cutoffs[policy][month] = bound
        return finish <= bound

    def _enter_posts(self, month, eligible, draw):
        dates, last = self.dates, self.rules.last_year * 12
        if month < min(self.quotas["post"]):
            return np.zeros(len(eligible), dtype=bool)
        if month == last and self.known is None:
            leaves_in_time = self._served(month) & (self.traits["gone_month"] > month)
            holds = (self.state == POST) & ~leaves_in_time
            gap = self.rules.scaled(settings.POSTS) - int(holds.sum())
            self.quotas["post"] |= settings.spread(max(gap, 0), range(last, last + 12))
        eligible = eligible & (dates["post"] == NO)
        eligible &= self.traits["retirement_month"] - month > 18
        enters = self._choose("post", month, eligible, draw, self.quotas["post"].get(month, 0))
        dates["post"][enters] = month
        return enters

    def _enter_loans(self, month, operating, draw):
        places = self.quotas["loan"].get(month, 0)
        age = month - self.dates["found"]
        eligible = operating & (self.dates["loan"] == NO)
        eligible &= (age >= LOAN_AGES[0]) & (age <= LOAN_AGES[1])
        self.dates["loan"][self._choose("loan", month, eligible, draw, places)] = month

    def _apply(self, month, operating, draw):
        """Apply for the subsidy; violation `survivors_only`: backdated by its size."""
        places = self.quotas["subsidy"].get(month, 0)
        age = month - self.dates["found"] - self.rules.backdating
        eligible = operating & (self.dates["applied"] == NO)
        eligible &= (age >= SUBSIDY_AGES[0]) & (age <= SUBSIDY_AGES[1])
        enters = self._choose("subsidy", month, eligible, draw, places)
        self.dates["applied"][enters] = month - self.rules.backdating

    def _pay(self, month, was_operating):
        """Check applications, then pay those that are due until the money is spent."""
        dates, traits = self.dates, self.traits
        asked = dates["applied"] != NO
        passed = month - dates["applied"] - self.rules.backdating
        checked = asked & (passed == CHECK_LAG)
        dates["refused"][checked & (~was_operating | (traits["unlucky"] == 1))] = month
        due = asked & (passed == traits["pay_lag"]) & (dates["refused"] == NO)
        if self.known is not None:
            due &= self.rows <= self.known["pay"].get(month, -1)
        else:
            left = self.rules.scaled(settings.SUBSIDIES) - int((dates["paid"] != NO).sum())
            due &= np.cumsum(due) <= left
            taken = np.flatnonzero(due)
            spent = len(taken) == left
            self.cutoffs["pay"][month] = (
                (taken[-1] if len(taken) else -1) if spent else len(due)
            )
        dates["paid"][due] = month


def _chance(odds):
    return odds / (1 + odds)
