import datetime

import numpy as np
import pandas as pd
import pytest

from evaluation.errors import EstimationError
from evaluation.panel import observation, outcomes, staying, timing
from evaluation.panel.histories import Histories

DISTRICT = {"register": {"from": datetime.date(2018, 1, 1)}}
PLAN = {
    "designs": {
        "history_months": 24,
        "history_bins": 8,
        "business_age_window": 3,
        "seed": 1,
    }
}


def make_world(entries, spells, edition=2020, policy="post"):
    """Persons with an entry (or None) and spells (person, form, start, end)."""
    names = list(entries)
    persons = pd.DataFrame({"person_id": pd.array(names, dtype="str")})
    persons = persons.assign(
        sex="male", birth_year=1980, female=0, schooling=2, poor=0, township="t",
        returned_on=pd.Timestamp("2017-01-01"),
    )  # fmt: skip
    persons[f"{policy}_on"] = pd.to_datetime(list(entries.values()))
    persons["subsidy_applied_on"] = persons[f"{policy}_on"]
    roster = pd.DataFrame(
        [(name, year) for name in names for year in range(2017, edition + 1)],
        columns=["person_id", "snapshot_year"],
    ).assign(status="unemployed")
    roster["snapshot_on"] = pd.to_datetime(roster["snapshot_year"].astype("str") + "-12-20")
    register = pd.DataFrame(spells, columns=["person_id", "form", "start", "end"])
    for name in ("start", "end"):
        register[name] = pd.to_datetime(register[name])
    own = register["form"] == "own_business"
    register["registered_on"] = register["start"].where(own)
    register["deregistered_on"] = register["end"].where(own)
    register["business_key"] = pd.Series(["k"] * len(register), dtype="str").where(own)
    register["valid"] = 1
    persons = persons.join(observation.find_observation(persons, roster, edition))
    grids = outcomes.build_grids(
        persons, outcomes.valid_spells(register), roster, None, DISTRICT, edition
    )
    return persons, register, outcomes.tabulate_months(grids)


def stack(entries, spells, policy="post", edition=2020):
    histories = Histories(*make_world(entries, spells, edition, policy), edition)
    return timing.build_risk_sets(policy, histories, PLAN), histories


def test_refused_for_ineligibility_is_no_participant_and_waiting_is_one():
    ledger = pd.DataFrame(
        {
            "person_id": ["a", "b", "c", "d", None],
            "applied_on": pd.to_datetime(["2020-03-01"] * 5),
            "result": ["refused", "refused", "waiting", "approved", "approved"],
            "refusal": ["ineligible", "other", None, None, None],
        }
    ).astype({"person_id": "str", "result": "str", "refusal": "str"})
    assert timing.find_entries("subsidy", ledger)["person_id"].tolist() == ["b", "c", "d"]


def test_a_borrower_enters_on_the_first_pay_out_and_a_refused_one_never():
    ledger = pd.DataFrame(
        {
            "person_id": ["a", "a", "b"],
            "paid_out": pd.to_datetime(["2020-03-01", "2019-02-01", None]),
            "result": ["approved", "approved", "refused"],
        }
    )
    found = timing.find_entries("loan", ledger)
    assert found["person_id"].tolist() == ["a"]
    assert found.loc[0, "loan_on"] == pd.Timestamp("2019-02-01")


def test_posts_compare_people_out_of_open_work_on_the_day_before():
    entries = {
        "in": "2020-03-01",
        "busy": "2020-03-01",
        "out": None,
        "works": None,
        "farm": None,
    }
    spells = [
        ("busy", "unit", "2019-01-01", "2020-02-29"),
        ("works", "flexible", "2020-02-10", "2020-02-29"),
        ("farm", "farming", "2019-01-01", None),
    ]
    sets, _ = stack(entries, spells)
    assert sets["person_id"].tolist() == ["in", "out", "farm"]
    assert sets["treated"].tolist() == [1, 0, 0]


def test_later_entrants_are_comparison_until_their_year_only():
    entries = {"a": "2019-03-01", "same": "2019-09-01", "later": "2020-05-01", "never": None}
    sets, _ = stack(entries, [])
    march = sets[sets["month"] == 2019 * 12 + 2].set_index("person_id")
    assert set(march.index) == {"a", "later", "never"}
    assert march.loc["later", "untreated_until"] == 2020
    assert np.isnan(march.loc["never", "untreated_until"])


def test_a_post_known_to_the_register_alone_is_no_comparison():
    sets, _ = stack({"a": "2020-03-01", "b": None}, [("b", "post", "2019-01-01", "2019-06-30")])
    assert sets["person_id"].tolist() == ["a"]


def test_founders_need_an_operating_business_of_like_age_on_the_day():
    spells = [
        (name, "own_business", start, end)
        for name, start, end in [
            ("a", "2019-06-10", None),
            ("like", "2019-08-01", None),
            ("old", "2018-06-01", None),
            ("closed", "2019-06-01", "2020-03-05"),
            ("closes_later", "2019-06-01", "2020-03-06"),
        ]
    ]
    entries = {"a": "2020-03-05", "like": None, "old": None, "closed": None}
    entries |= {"closes_later": None, "no_business": None}
    sets, _ = stack(entries, spells, policy="loan")
    assert set(sets["person_id"]) == {"a", "like", "closes_later"}
    assert sets.set_index("person_id")["business_age"].to_dict() == {
        "a": 9, "like": 7, "closes_later": 9,
    }  # fmt: skip


def test_whether_the_business_was_there_on_the_base_date_is_known():
    opened = {"a": "2019-12-31", "b": "2020-01-01", "c": "2019-06-01"}
    spells = [(name, "own_business", start, None) for name, start in opened.items()]
    entries = {"a": "2020-06-10", "b": "2020-06-20", "c": "2020-01-05"}
    sets, _ = stack(entries, spells, policy="loan")
    own = sets[sets["treated"] == 1].set_index("person_id")
    assert own["ran_at_base"].to_dict() == {"a": 1, "b": 0, "c": 1}
    assert own["entry_month"].to_dict() == {"a": 6, "b": 6, "c": 1}


def test_one_month_is_drawn_per_cohort_and_weighs_its_share_of_entries():
    entries = {"a": "2019-03-01", "b": "2019-06-01", "c": "2019-06-01", "x": None, "y": None}
    sets, histories = stack(entries, [("y", "unit", "2019-04-15", None)])
    others = sets[sets["treated"] == 0]
    drawn = others[others["drawn"] == 1].set_index("person_id")
    assert len(others) == 3 and len(drawn) == 2
    assert drawn.loc["x", "draw_share"] == 1.0
    assert drawn.loc["y", "draw_share"] == pytest.approx(1 / 3)
    again = timing.build_risk_sets("post", histories, PLAN)
    pd.testing.assert_frame_equal(sets, again)


def test_the_draw_is_in_proportion_to_entries():
    entries = {"a": "2019-03-01"} | {f"b{n}": "2019-06-01" for n in range(3)}
    sets, _ = stack(entries | {f"x{n:03d}": None for n in range(400)}, [])
    drawn = sets[(sets["treated"] == 0) & (sets["drawn"] == 1)]
    assert len(drawn) == 400
    assert (drawn["month"] == 2019 * 12 + 5).mean() == pytest.approx(0.75, abs=0.07)


def test_history_gives_quarters_before_the_month_latest_first():
    sets, _ = stack({"a": "2020-03-01", "b": None}, [("b", "unit", "2019-09-01", "2019-11-30")])
    b = sets.set_index("person_id").loc["b"]
    assert b["hist_1"] == 0
    assert b["hist_2"] == 1
    assert b["hist_known"] == 1
    assert b[[f"hist_{n}" for n in range(3, 9)]].sum() == 0


def test_nobody_enters_gives_an_empty_table_with_its_columns():
    sets, histories = stack({"a": None, "b": None}, [])
    assert len(sets) == 0
    assert {"cohort", "drawn", "draw_share", "hist_8", "untreated_until"} <= set(sets)
    weights = staying.stay_untreated_weights("post", histories, sets)
    assert len(weights) == 0


def test_unknown_policy_is_refused():
    with pytest.raises(EstimationError, match="parks"):
        stack({"a": None}, [], policy="parks")


def test_weights_undo_the_selection_of_those_who_stayed_untreated():
    rng = np.random.default_rng(3)
    poor = np.repeat([0, 1], 1500)
    hazard = np.where(poor == 1, 0.03, 0.005)
    month = np.ceil(np.log(rng.random(3000)) / np.log(1 - hazard)).astype(int)
    days = pd.Timestamp("2018-02-01") + pd.Series([pd.DateOffset(months=int(m)) for m in month])
    days = days.where(days <= pd.Timestamp("2020-12-31"))
    persons, register, months = make_world(
        {f"{n:04d}": day for n, day in enumerate(days)}, [], edition=2020
    )
    persons["poor"] = poor
    histories = Histories(persons, register, months, 2020)
    sets = timing.build_risk_sets("post", histories, PLAN)
    weights = staying.stay_untreated_weights("post", histories, sets)
    first = sets[(sets["cohort"] == 2018) & (sets["treated"] == 0) & (sets["drawn"] == 1)]
    last = weights[(weights["cohort"] == 2018) & (weights["year"] == 2020)]
    last = last.merge(first[["person_id", "poor"]], on="person_id")
    # those untreated at the end of 2018 are the ones to be represented
    wanted = first["poor"].mean()
    assert last["poor"].mean() < wanted - 0.05
    assert np.average(last["poor"], weights=last["weight"]) == pytest.approx(wanted, abs=0.04)
    assert last["weight"].between(1, staying.WEIGHT_CAP).all()
    assert not weights.duplicated(["cohort", "person_id", "year"]).any()


def test_only_months_in_which_somebody_entered_weigh():
    march, june = (
        {f"{month}{n}": f"2019-{month}-01" for n in range(4)} for month in ("03", "06")
    )
    sets, histories = stack(march | june | {f"x{n:02d}": None for n in range(40)}, [])
    weights = staying.stay_untreated_weights("post", histories, sets)
    drawn = sets[(sets["treated"] == 0) & (sets["drawn"] == 1)]
    first = weights[weights["year"] == 2019].merge(drawn[["person_id", "month"]])
    by_month = first.groupby("month")["weight"].mean()
    assert by_month[2019 * 12 + 5] == 1.0  # nobody entered after June
    assert by_month[2019 * 12 + 2] == pytest.approx(np.exp(4 / 44), rel=0.02)


def test_poisson_rates_equal_the_share_in_each_cell():
    design = np.array([[1.0, 0.0], [1.0, 1.0]])
    rates = staying.fit_poisson(design, np.array([20.0, 5.0]), np.array([200, 200]), ridge=0.0)
    assert rates == pytest.approx([0.1, 0.025])
