"""What the offices write down of a world: spells, applications, loans, placements."""

import numpy as np
import pandas as pd

from evaluation.demo import rules as settings
from evaluation.demo.months import AWAY, BUSINESS, CHECK_LAG, OPEN, OUT, POST

_PRIME = 7919
FORMS = {OUT: "farming", OPEN: "flexible", BUSINESS: "own_business", POST: "post"}


def day_of(person, month, first: int, last: int):
    """A day of the month that looks arbitrary and needs no random draw."""
    return first + (person * _PRIME + month * 31 + person // 97) % (last - first + 1)


def to_date(month, day=1):
    """Dates from months (``year * 12 + month - 1``) and days; negative months are NaT."""
    month = np.asarray(month)
    start = (month - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]")
    dates = (start + (np.asarray(day) - 1).astype("timedelta64[D]")).astype("datetime64[us]")
    return np.where(month < 0, np.datetime64("NaT", "us"), dates)


def change_date(person, month, before, after):
    """Day on which a state begins: posts on the 1st, closings late, others in between.

    All fall before the 19th, so that rosters taken later in December agree with the
    register on the 31st.
    """
    day = day_of(person, month, 2, 18)
    day = np.where(before == BUSINESS, day_of(person, month, 10, 18), day)
    first = (after == POST) | ((before == POST) & (after != AWAY))
    return to_date(month, np.where(first, 1, day))


def spells(people, histories, rules) -> pd.DataFrame:
    """Spells of work as the register holds them, one row per spell, ordered by person.

    Farming is registered by some; spells that ended before the first year are not
    there. ``end`` is the last day, missing while the spell goes on.
    """
    state, first = histories.state, rules.months[0]
    n_months = state.shape[1]
    padded = np.pad(state, ((0, 0), (1, 0)), constant_values=AWAY)
    person, start = np.nonzero(padded[:, 1:] != padded[:, :-1])
    same = np.r_[person[1:] == person[:-1], False]
    stop = np.where(same, np.r_[start[1:], 0], n_months)
    here, before = state[person, start], padded[person, start]
    after = state[person, np.minimum(stop, n_months - 1)]
    farmer = (people["farmer"] & people["farming_registered"]).to_numpy()[person] == 1
    keep = ((here > OUT) | ((here == OUT) & farmer)) & (stop + first > rules.first_year * 12)
    begins = change_date(person, start + first, before, here)
    ends = change_date(person, stop + first, here, after) - np.timedelta64(1, "D")
    ends = np.where(stop == n_months, np.datetime64("NaT", "us"), ends)
    form = np.array([FORMS.get(code, "") for code in range(5)])[here]
    unit = (here == OPEN) & (people["freelance"].to_numpy()[person] > 0.45)
    form = np.where(unit, "unit", form)
    frame = pd.DataFrame({"person": person, "form": form, "start": begins, "end": ends})
    return frame[keep].reset_index(drop=True)


def subsidies(histories, rules, rng) -> pd.DataFrame:
    """Applications for the subsidy, one row each, ordered by person.

    Besides the real ones, a few founders are refused as ineligible: they stay
    comparison persons and were never treated.
    """
    dates = histories.dates
    person = np.flatnonzero(dates["applied"] >= 0)
    month, paid = dates["applied"][person], dates["paid"][person]
    refused = dates["refused"][person] >= 0
    result = np.where(refused, "refused", np.where(paid >= 0, "approved", "waiting"))
    applied = to_date(month, day_of(person, month, 2, 8))
    check = month + rules.backdating + CHECK_LAG
    checked = to_date(np.where(result == "waiting", -1, check), 20)
    frame = pd.DataFrame(
        {
            "person": person,
            "applied_on": applied,
            "checked_on": checked,
            "result": result,
            "refusal": pd.Series(np.where(refused, "other", None), dtype="str"),
            "paid_on": to_date(paid, day_of(person, month, 19, 28)),
        }
    )
    start = min(settings.entry_quotas(rules)["subsidy"])
    barred = dates["applied"] >= 0
    extra, when = _other_applicants(histories, rules, rng, 14, start, barred)
    refused = pd.DataFrame(
        {
            "person": extra,
            "applied_on": to_date(when, day_of(extra, when, 2, 8)),
            "checked_on": to_date(when + CHECK_LAG, 20),
            "result": "refused",
            "refusal": "ineligible",
            "paid_on": to_date(np.full(len(extra), -1)),
        }
    )
    return pd.concat([frame, refused], ignore_index=True)


def loans(histories, rules, rng) -> pd.DataFrame:
    """Loan applications, one row each: the borrowers, then the refused.

    Principal in whole 10,000 yuan, between 5 and the personal cap of the day (15, from
    2020 20, from October 2023 30), summing to the letter's total exactly.
    """
    dates = histories.dates
    person = np.flatnonzero(dates["loan"] >= 0)
    month = dates["loan"][person]
    lead = rng.integers(10, 45, len(person))
    paid_out = to_date(month, day_of(person, month, 2, 8))
    term = rng.choice([12, 24, 36], len(person), p=[0.15, 0.35, 0.5])
    frame = pd.DataFrame(
        {
            "person": person,
            "applied_on": paid_out - lead.astype("timedelta64[D]"),
            "result": "approved",
            "principal_wan": draw_principals(rng, month, rules.scaled(settings.PRINCIPAL_WAN)),
            "paid_out": paid_out,
            "due": to_date(month + term, day_of(person, month, 2, 8)),
            "term": term,
            "ordinal": 1,
        }
    )
    trouble = rng.random(len(person))
    frame["extended"] = (trouble < 0.03).astype(int)
    frame["overdue"] = ((trouble >= 0.03) & (trouble < 0.08)).astype(int)
    frame["compensated"] = ((trouble >= 0.03) & (trouble < 0.05)).astype(int)
    start = min(settings.entry_quotas(rules)["loan"])
    extra, when = _other_applicants(histories, rules, rng, 45, start, dates["loan"] >= 0)
    others = pd.DataFrame({"person": extra, "applied_on": to_date(when, 15)})
    recent = when >= rules.last_year * 12 + 10
    others["result"] = np.where(recent, "waiting", "refused")
    return pd.concat([frame, others], ignore_index=True)


_CAPS = (15, 20, 30)  # 10,000 yuan: until 2019, until September 2023, since


def cap_of(paid_out: pd.Series) -> np.ndarray:
    """The personal cap on the day of pay-out, in 10,000 yuan."""
    return np.select([paid_out < "2020-01-01", paid_out < "2023-10-01"], _CAPS[:2], _CAPS[2])


def draw_principals(rng, month, total):
    """Draw whole amounts under the caps of their time that sum to `total` exactly."""
    month = np.asarray(month)
    cap = np.select([month < 2020 * 12, month < 2023 * 12 + 9], _CAPS[:2], _CAPS[2])
    amount = np.minimum(np.maximum(np.rint(rng.normal(14, 4, len(month))), 5), cap).astype(int)
    while (gap := total - amount.sum()) != 0:
        step = int(np.sign(gap))
        room = np.flatnonzero((amount + step >= 5) & (amount + step <= cap))
        chosen = rng.permutation(room)[: abs(gap)]
        amount[chosen] += step
    return amount


def _other_applicants(histories, rules, rng, size, start, barred):
    """Founders who ask at a random month of operation and get nothing."""
    size = min(rules.scaled(size), int((histories.dates["found"] >= start).sum()) // 4)
    state, first = histories.state, rules.months[0]
    founders = np.flatnonzero((histories.dates["found"] >= start) & ~barred)
    ages = rng.integers(3, 13, len(founders))
    when = histories.dates["found"][founders] + ages
    known = when <= rules.months[-1] - 1
    column = np.where(known, when - first, 0)
    able = known & (state[founders, column] == BUSINESS)
    chosen = np.sort(rng.permutation(np.flatnonzero(able))[:size])
    return founders[chosen], when[chosen]


def posts(people, histories, rules, rural_draw) -> pd.DataFrame:
    """Placements, one row each, ordered by person.

    ``ended_on`` is the last day in the post. Of those in a post at some time in the
    last year exactly the letter's number are rural.
    """
    entry = histories.dates["post"]
    person = np.flatnonzero(entry >= 0)
    month, first = entry[person], rules.months[0]
    held = (histories.state[person] == POST).sum(axis=1)
    stop = month + held
    ongoing = stop > rules.months[-1]
    gone = np.where(
        ongoing, 0, histories.state[person, np.minimum(stop, rules.months[-1]) - first]
    )
    ended = change_date(person, stop, np.full(len(person), POST), gone)
    ended = np.where(ongoing, np.datetime64("NaT", "us"), ended - np.timedelta64(1, "D"))
    frame = pd.DataFrame({"person": person, "started_on": to_date(month), "ended_on": ended})
    frame["left_district"] = (gone == AWAY) & ~ongoing
    frame["reason"] = people["gone_reason"].to_numpy()[person]
    frame["rural"] = _rural(month, ended, rural_draw[person], rules)
    return frame


def _rural(month, ended, draw, rules):
    share = settings.RURAL_POSTS / settings.POSTS
    rural = draw < share
    january = np.datetime64(f"{rules.last_year}-01-01", "us")
    late = month >= rules.last_year * 12
    stock = ~late & (np.isnat(ended) | (ended >= january))
    missing = rules.scaled(settings.RURAL_POSTS) - int((rural & stock).sum())
    order = np.argsort(np.where(late, draw, np.inf), kind="stable")
    rural[late] = False
    rural[order[: max(missing, 0)]] = True
    return rural.astype(int)
