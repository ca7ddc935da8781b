"""Who is lost by linkage, and what that may do to the estimates."""

import pandas as pd
import pytest

from evaluation.ledgers.schema import shape
from evaluation.panel.link_rates import (
    bound_effects,
    find_namesakes,
    find_shares,
    tabulate_links,
)

PLAN = {"disclosure": {"min_count": 3}, "outcomes": {"primary": "employed_open"}}


def make(ledger, *rows):
    frame = pd.DataFrame(list(rows)).assign(source_row=1, received=2020)
    return shape(frame.to_dict("series"), ledger, len(frame)).assign(
        link_pass=frame["link_pass"].astype("str").array
    )


def row(person, way="number", **more):
    return {"person_id": person, "link_pass": way if person else None, **more}


@pytest.fixture
def ledgers():
    return {
        "roster": make(
            "roster",
            row("p", pinyin_key="wang", sex="male", birth_year=1980),
            row("q", pinyin_key="wang", sex="female", birth_year=1960),
            row("r", pinyin_key="li", way="name_phone", sex="female"),
        ),
        "register": make(
            "register",
            row("p", pinyin_key="wang"),
            row("q", pinyin_key="wang"),
            row("r", pinyin_key="li", way="name_next"),
            row(None, pinyin_key="wang"),
            row(None, pinyin_key="nobody"),
        ),
        "post": make(
            "post",
            row("p", name_key="a", started_on=pd.Timestamp("2020-01-01"), pay=10.0),
            row(None, name_key="b", started_on=pd.Timestamp("2020-01-01"), pay=20.0),
        ),
    }


@pytest.fixture
def persons():
    on = pd.to_datetime(["2020-01-01", None, None])
    frame = pd.DataFrame({"person_id": ["p", "q", "r"], "post_on": on, "link_pass": "number"})
    return frame.assign(loan_on=pd.NaT, subsidy_on=pd.NaT)


def test_a_row_without_a_person_is_a_participants_as_often_as_its_name(ledgers, persons):
    namesakes = find_namesakes(ledgers, "register")
    shares = find_shares(ledgers["register"], namesakes, persons["person_id"].head(1))
    assert shares.tolist() == [1, 0, 0, 0.5, 0]


def test_rows_are_counted_by_what_they_say_themselves(ledgers, persons):
    table = tabulate_links(ledgers, persons, 2020).set_index(["ledger", "group", "level"])
    counts = ["n_rows", "n_unlinked", "n_no_number", "n_weak"]
    assert table.loc[("register", "all", "all"), counts].tolist() == [5, 2, 3, 1]
    assert table.loc[("roster", "all", "all"), counts].tolist() == [3, 0, 1, 0]
    assert table.loc[("roster", "sex", "female"), counts].tolist() == [2, 0, 1, 0]
    assert table.loc[("roster", "age_group", "35_44"), "n_rows"] == 1
    assert table.loc[("roster", "age_group", "unknown"), "n_rows"] == 1
    assert table.loc[("register", "participant", "no"), "n_rows"] == 3
    assert table.loc[("post", "amount", "lower"), "n_unlinked"] == 0
    assert table.loc[("post", "amount", "upper"), "unlinked_rate"] == 1
    assert table["result_id"].is_unique
    sums = table.groupby(["ledger", "group"])["n_rows"].sum()
    whole = table.xs("all", level="group")["n_rows"].droplevel("level")
    assert (sums == whole.reindex(sums.index.get_level_values("ledger")).to_numpy()).all()


def test_bounds_follow_from_who_is_lost(ledgers, persons):
    years = pd.DataFrame({"year": 2020, "employed_open": [1.0, 0.0]})
    found = bound_effects(ledgers, persons, years, {"post": 10}, PLAN, 2020)
    value = found.set_index("bound")["value"]
    # One of two is lost; fewer than min_count persons count as the most of these.
    assert value["lost"] == 2 / 2 and value["diluted"] == 2 / 10 and value["weak"] == 0
    # Participants lost 0.5 of 1.5 spells, others 1.5 of 3.5; half of all work.
    assert value["register"] == pytest.approx((1 / 3 - 3 / 7) * 0.5)
