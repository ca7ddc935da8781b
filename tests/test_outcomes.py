import datetime

import numpy as np
import pandas as pd
import pytest

from evaluation.errors import TableError
from evaluation.panel import observation, outcomes

DISTRICT = {"register": {"from": datetime.date(2019, 1, 1)}}
DAY = pd.Timestamp


def make_persons(*names, **columns):
    size = len(names)
    frame = pd.DataFrame(
        {
            "person_id": pd.array(names, dtype="str"),
            "sex": pd.array(["male"] * size, dtype="str"),
            "birth_year": pd.array([1980] * size, dtype="Int16"),
            "returned_on": pd.to_datetime(["2018-05-01"] * size),
        }
    )
    return frame.assign(**columns)


def make_roster(*rows):
    frame = pd.DataFrame(rows, columns=["person_id", "snapshot_year", "status"])
    frame["snapshot_year"] = frame["snapshot_year"].astype("Int16")
    frame["snapshot_on"] = pd.to_datetime(frame["snapshot_year"].astype("str") + "-12-20")
    return frame


def make_register(*rows):
    frame = pd.DataFrame(rows, columns=["person_id", "form", "start", "end"])
    for name in ("start", "end"):
        frame[name] = pd.to_datetime(frame[name])
    own = frame["form"] == "own_business"
    frame["registered_on"] = frame["start"].where(own)
    frame["deregistered_on"] = frame["end"].where(own)
    frame["business_key"] = pd.Series(["k"] * len(frame), dtype="str").where(own)
    return frame.assign(valid=pd.array([1] * len(frame), dtype="Int8"))


def make_tables(persons, roster, register, edition=2020):
    persons = persons.join(observation.find_observation(persons, roster, edition))
    spells = outcomes.valid_spells(register)
    grids = outcomes.build_grids(persons, spells, roster, None, DISTRICT, edition)
    years = outcomes.tabulate_years(grids, persons, spells, roster)
    return years.set_index(["person_id", "year"]), outcomes.tabulate_months(grids)


ROSTER = make_roster(("a", 2019, "unemployed"), ("b", 2019, "away"), ("c", 2019, "farming"))


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("farming", (1, 0, 0, 1)),
        ("employed", (1, 1, 0, 1)),
        ("away", (1, 1, 0, 0)),
        ("founder", (1, 1, 1, 1)),
        ("post", (1, 0, 0, 1)),
        ("unemployed", (0, 0, 0, 1)),
    ],
)
def test_without_a_spell_the_roster_decides(status, expected):
    years, _ = make_tables(make_persons("a"), make_roster(("a", 2019, status)), make_register())
    names = ["employed", "employed_open", "self_employed", "in_district"]
    assert tuple(years.loc[("a", 2019), names]) == expected


@pytest.mark.parametrize(
    ("form", "work", "open_work", "own"),
    [("unit", 1, 1, 0), ("flexible", 1, 1, 0), ("own_business", 1, 1, 1), ("post", 1, 0, 0)],
)
def test_a_spell_on_the_day_comes_before_the_roster(form, work, open_work, own):
    register = make_register(("a", form, "2019-12-31", "2019-12-31"))
    years, _ = make_tables(make_persons("a"), ROSTER, register)
    found = years.loc[("a", 2019), ["employed", "employed_open", "self_employed"]]
    assert tuple(found) == (work, open_work, own)


def test_a_spell_that_ended_the_day_before_does_not_count():
    register = make_register(("a", "unit", "2019-01-01", "2019-12-30"))
    years, months = make_tables(make_persons("a"), ROSTER, register)
    assert years.loc[("a", 2019), "employed"] == 0
    assert months.set_index("month").loc[2019 * 12 + 11, "open"] == 0
    assert years.loc[("a", 2019), "months_open"] == 11


def test_an_unknown_outcome_is_missing_never_zero():
    roster = make_roster(
        ("a", 2019, "unemployed"), ("b", 2019, "employed"), ("b", 2020, "employed")
    )
    years, _ = make_tables(make_persons("a", "b"), roster, make_register())
    assert np.isnan(years.loc[("a", 2020), "employed_open"])
    assert years.loc[("b", 2020), "employed_open"] == 1


def test_who_is_on_no_roster_any_more_has_left_the_district():
    roster = make_roster(
        ("a", 2019, "farming"),
        ("b", 2019, "farming"),
        ("b", 2020, "away"),
        ("c", 2020, "farming"),
    )
    register = make_register(("d", "unit", "2020-05-01", None))
    people = make_persons("a", "b", "c", "d", returned_on=pd.to_datetime(["2018-05-01"] * 4))
    years, _ = make_tables(people, roster, register)
    here = years["in_district"].unstack("year")
    assert here[2020].tolist() == [0, 0, 1, 1]
    assert here[2019].fillna(-1).tolist() == [1, 1, 0, -1]
    assert np.isnan(years.loc[("a", 2020), "employed_open"])


def test_a_year_without_any_roster_is_missing_for_all():
    register = make_register(("a", "unit", "2019-01-01", None))
    years, _ = make_tables(make_persons("a"), ROSTER, register)
    assert np.isnan(years.loc[("a", 2020), "employed"])
    assert years.loc[("a", 2020), "months_open"] == 12


def test_months_are_zero_near_a_roster_and_unknown_before_return_or_away():
    persons = make_persons("a", "b", returned_on=pd.to_datetime(["2019-06-10", "2018-05-01"]))
    _, months = make_tables(persons, ROSTER, make_register())
    known = months.groupby("person_id", observed=False)["month"].agg(["min", "size"])
    assert known.loc["a", "min"] == 2019 * 12 + 5
    assert known.loc["b", "size"] == 0


def test_a_cancelled_record_is_no_work():
    register = make_register(("a", "unit", "2019-01-01", None)).assign(valid=0)
    years, _ = make_tables(make_persons("a"), ROSTER, register)
    assert years.loc[("a", 2019), "employed"] == 0


def test_death_and_retirement_end_observation():
    persons = make_persons(
        "a", "b", "c",
        sex=["male", "female", "male"],
        birth_year=pd.array([1980, 1965, 1959], dtype="Int16"),
    )  # fmt: skip
    roster = make_roster(("a", 2019, "unemployed"), ("a", 2020, "dead"), ("b", 2019, "farming"))
    found = observation.find_observation(persons, roster, 2020)
    assert found["observed_until"].tolist() == [
        DAY("2020-12-19"),
        DAY("2019-12-31"),
        DAY("2018-12-31"),
    ]
    assert found["observed_reason"].tolist() == ["dead", "statutory_age", "statutory_age"]
    assert found["observed_from"].isna().tolist() == [False, False, True]


def test_a_business_closes_with_its_last_spell_or_its_licence():
    register = make_register(
        ("a", "own_business", "2019-01-05", "2019-03-10"),
        ("a", "own_business", "2019-05-01", "2019-08-15"),
        ("b", "own_business", "2019-02-05", None),
    )
    register["deregistered_on"] = pd.to_datetime(["2020-05-01", None, None])
    found = outcomes.find_businesses(register).set_index("person_id")
    assert found.loc["a", "registered_on"] == DAY("2019-01-05")
    assert found.loc["a", "closed_on"] == DAY("2019-08-15")
    assert pd.isna(found.loc["b", "closed_on"])


def test_business_age_counts_months_while_it_runs():
    register = make_register(("a", "own_business", "2019-02-05", "2019-04-10"))
    _, months = make_tables(make_persons("a"), ROSTER, register)
    ages = months.set_index("month")["business_age"].dropna()
    assert ages.to_dict() == {2019 * 12 + 1: 0, 2019 * 12 + 2: 1}


def test_unknown_codes_are_refused():
    with pytest.raises(TableError, match="mystery"):
        outcomes.valid_spells(make_register(("a", "mystery", "2019-01-01", None)))
    with pytest.raises(TableError, match="mystery"):
        make_tables(make_persons("a"), make_roster(("a", 2019, "mystery")), make_register())


def test_records_count_spells_and_snapshots_of_a_year():
    register = make_register(("a", "unit", "2019-03-01", "2020-02-01"))
    years, _ = make_tables(make_persons("a"), ROSTER, register)
    assert years.loc["a", "records"].tolist() == [2, 1]


def test_an_outcome_is_found_by_person_and_year_and_missing_elsewhere():
    years = pd.DataFrame({"person_id": ["a", "a", "b", "z"], "year": [2019, 2020, 2020, 2020]})
    years = years.assign(employed=[0.0, 1.0, np.nan, 1.0])
    person = pd.Series(pd.Categorical(["b", "a", None], categories=["a", "b", "c"]))
    found = outcomes.find_outcomes(years, "employed", person, pd.Series([2020, 2020, 2020]))
    np.testing.assert_array_equal(found, [np.nan, 1, np.nan])
    on = np.array([[2018, 2019, 2020, 2021]] * 3)
    found = outcomes.find_outcomes(years, "employed", person, on)
    np.testing.assert_array_equal(found[1], [np.nan, 0, 1, np.nan])
    assert np.isnan(found[[0, 2]]).all()
