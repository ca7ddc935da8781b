"""Among applicants: who stands beside whom, from which day, and what that comparison finds."""

import numpy as np
import pandas as pd
import pytest
from test_timing import PLAN, make_world

from evaluation.effects.aggregation import aggregate
from evaluation.effects.district import risk_set_effects
from evaluation.errors import EstimationError
from evaluation.panel import timing
from evaluation.panel.applicants import find_applicants, share_recipients
from evaluation.panel.histories import Histories
from evaluation.panel.sets import build_sets
from evaluation.panel.staying import stay_untreated_weights

WITHIN = PLAN | {"applicants": {"window": 12}}


def gather(rows, policy="loan", edition=2020, opened="2019-01-10"):
    """Founders as (name, applied, entered), their businesses opened on one day or an own."""
    entries = {name: entered for name, _, entered, *_ in rows}
    days = [(name, *own) if own else (name, opened) for name, _, _, *own in rows]
    spells = [(name, "own_business", day, None) for name, day in days]
    persons, register, months = make_world(entries, spells, edition, policy)
    persons[f"{policy}_applied_on"] = pd.to_datetime([applied for _, applied, *_ in rows])
    return Histories(persons, register, months, edition)


def compare(rows, policy="loan", plan=WITHIN, **world):
    histories = gather(rows, policy, **world)
    sets = timing.build_risk_sets(policy, histories, plan, among="applicants")
    return sets.set_index("person_id")


def test_a_refused_applicant_is_comparison_from_the_application_on():
    rows = [
        ("granted", "2019-09-10", "2019-09-10"),
        ("refused", "2019-08-20", None),
        ("asks_on_that_day", "2019-09-10", None),
        ("asks_later", "2019-09-11", None),
        ("never_asks", None, None),
    ]
    sets = compare(rows, policy="subsidy")
    assert set(sets.index) == {"granted", "refused", "asks_on_that_day"}
    assert sets["treated"].to_dict() == {"granted": 1, "refused": 0, "asks_on_that_day": 0}


def test_in_the_main_sets_an_application_still_ends_the_time_as_comparison():
    rows = [("a", "2019-09-10", "2019-09-10"), ("refused", "2019-08-20", None)]
    histories = gather([*rows, ("never_asks", None, None)], policy="subsidy")
    sets = timing.build_risk_sets("subsidy", histories, WITHIN)
    assert set(sets["person_id"]) == {"a", "never_asks"}


def test_who_waits_is_comparison_until_the_year_of_the_own_loan():
    rows = [
        ("paid", "2019-08-01", "2019-09-10"),
        ("waits", "2019-09-01", "2020-02-03"),
        ("waits_for_weeks", "2019-09-01", "2019-10-15"),
        ("refused", "2019-07-01", None),
    ]
    sets = compare(rows)
    september = sets[sets["month"] == 2019 * 12 + 8]
    assert set(september.index) == {"paid", "waits", "refused"}
    assert september.loc["waits", "untreated_until"] == 2020
    assert np.isnan(september.loc["refused", "untreated_until"])


def test_an_application_longer_ago_than_the_plan_says_is_at_another_stage():
    days = np.array(["2018-12-31", "2019-01-31", "2019-12-31", "NaT"], "datetime64[D]")
    found = find_applicants(days, np.datetime64("2020-01-15"), 12)
    assert found.tolist() == [False, True, True, False]


def test_each_recipient_is_shared_out_among_the_applicants_beside_him():
    june = 2020 * 12 + 5  # a business was there on 31 December if older than five months
    own, other = [4, 7, 30], [3, 5, 6, 8]
    stands_for, kept = share_recipients(own, other, june, 3)
    # 4 months: beside 3 and 5; 7 months: beside 6 and 8, not 5, which opened after the date
    assert stands_for.tolist() == [0.5, 0.5, 0.5, 0.5]
    assert kept.tolist() == [True, True, False]


def test_recipients_with_no_applicant_beside_them_are_not_evaluated():
    rows = [
        ("a", "2019-08-01", "2019-09-10"),
        ("old", "2019-08-01", "2019-09-12", "2018-02-01"),
        ("refused", "2019-07-01", None),
        ("refused_too", "2019-07-05", None),
    ]
    sets = compare(rows)
    assert set(sets.index) == {"a", "refused", "refused_too"}
    assert sets.loc[sets["treated"] == 0, "draw_share"].tolist() == [0.5, 0.5]


def test_nobody_applies_for_a_post():
    histories = Histories(*make_world({"a": "2019-03-01", "b": None}, []), 2020)
    built = build_sets("post", histories, WITHIN, among="applicants")
    assert built["risk_sets"].empty and built["stay"].empty


def test_another_comparison_than_applicants_is_refused():
    histories = gather([("a", "2019-08-01", "2019-09-10")])
    with pytest.raises(EstimationError, match="winners"):
        timing.build_risk_sets("loan", histories, WITHIN, among="winners")


def test_weights_are_those_of_applicants_not_of_founders():
    rows = [(f"a{n:02d}", "2019-08-20", "2019-09-10") for n in range(30)]
    rows += [(f"b{n:02d}", "2020-02-20", "2020-03-10") for n in range(30)]
    rows += [(f"r{n:02d}", "2019-07-01", None) for n in range(20)]
    rows += [(f"n{n:02d}", None, None) for n in range(200)]
    histories = gather(rows)
    built = build_sets("loan", histories, WITHIN, among="applicants")
    # who was refused is never granted anything later: nothing to make up for
    assert (built["stay"]["weight"] < 1.001).all() and len(built["stay"]) == 60
    founders = stay_untreated_weights("loan", histories, built["risk_sets"])
    assert (founders.query("year == 2020")["weight"] > 1.05).any()


@pytest.mark.parametrize("effect", [0.0, 0.2])
def test_applicants_tell_the_effect_from_the_drive_of_those_who_apply(effect):
    rng, rows = np.random.default_rng(5), []
    for n in range(600):
        month = int(rng.integers(7, 13))
        applied = f"2018-{month:02d}-{rng.integers(1, 9):02d}"
        entered = f"2018-{month:02d}-{rng.integers(10, 28):02d}"
        kind = n % 3  # granted, refused, never applied
        opened = f"2018-{month - rng.integers(3, 7):02d}-05"
        paid = entered if kind == 0 else None
        rows.append((f"p{n:03d}", applied if kind < 2 else None, paid, opened))
    histories = gather(rows)
    granted, asked = (histories.persons[f"loan_{n}"].notna() for n in ("on", "applied_on"))
    # all who apply gain; the loan adds its effect
    before, gain = rng.normal(size=600), 0.3 * asked + effect * granted
    after = before + gain.to_numpy() + rng.normal(0, 0.2, 600)
    years = pd.DataFrame({"person_id": list(histories.people) * 2})
    years["year"] = np.repeat([2017, 2020], 600)
    years["employed_open"] = np.concatenate([before, after])
    found = {}
    for among in (None, "applicants"):
        built = build_sets("loan", histories, WITHIN, among=among)
        settings = {"outcome": "employed_open", "covariates": [], "edition": 2020}
        design = risk_set_effects(built["risk_sets"], years, built["stay"], **settings)
        found[among] = aggregate(design, "primary", 2).iloc[0]
    assert found["applicants"]["estimate"] == pytest.approx(effect, abs=0.06)
    assert found["applicants"]["conf_low"] < effect < found["applicants"]["conf_high"]
    assert found[None]["conf_low"] > effect
