"""Rows without a number find their person, or nobody: pass by pass, with its vetoes."""

import datetime

import pandas as pd
import pytest

from evaluation.ledgers.schema import CLEAN, shape
from evaluation.panel import declarations
from evaluation.panel.build import build_panel
from evaluation.panel.edition import cut_ledger
from evaluation.panel.evidence import FEW
from evaluation.panel.linkage import ORDER, PASSES, WEAK, find_weakest, link_rows

YEAR = 2020
EVERY = {
    "roster": {"snapshot_year": 2020, "snapshot_on": "2020-12-01", "status": "farming"},
    "register": {"form": "unit", "start": "2019-01-05", "valid": 1},
    "subsidy": {"applied_on": "2019-05-05", "result": "approved"},
    "loan": {"applied_on": "2019-06-06", "paid_out": "2019-07-07", "result": "approved"},
    "post": {"started_on": "2019-08-01"},
}
WANG = {"person_id": "p", "name_key": "wang", "pinyin_key": "wang"}
NAMESAKE = {"name_key": "wang", "pinyin_key": "wang"}
HOMOPHONE = {"name_key": "wáng", "pinyin_key": "wang"}
HOME = {"township": "t1", "village": "红旗村"}


def make(ledger, *rows):
    """A clean table; whatever is not said is missing."""
    rows = [EVERY[ledger] | {"source_row": n} | row for n, row in enumerate(rows, 2)]
    frame = pd.DataFrame(rows).assign(source_file=f"{ledger}.csv", source_sheet="")
    frame["received"] = frame.get("received", pd.Series(pd.NA, frame.index)).fillna(2020)
    return shape(frame.to_dict("series"), ledger, len(frame))


def link(**rows):
    """Link the last row of each ledger; persons and passes of those rows."""
    cut = {ledger: cut_ledger(make(ledger, *r), ledger, YEAR)[0] for ledger, r in rows.items()}
    return link_rows(cut)


def last(linked, ledger):
    row = linked[ledger].iloc[-1]
    return row["person_id"], row["link_pass"]


@pytest.mark.parametrize(
    ("way", "known", "ledger", "loose"),
    [
        ("name_phone", {"phone_key": "1"}, "post", NAMESAKE | {"phone_key": "1"}),
        ("name_household", {"household_key": "h"}, "roster", NAMESAKE | {"household_key": "h"}),
        (
            "name_birth",
            {"sex": "male", "birth_year": 1980, "township": "t1"},
            "roster",
            NAMESAKE | {"sex": "male", "birth_year": 1980, "township": "t1"},
        ),
        ("name_village", HOME, "post", NAMESAKE | HOME | {"village": "红旗村村民委员会"}),
        ("pinyin_phone", {"phone_key": "1"}, "post", HOMOPHONE | {"phone_key": "1"}),
        (
            "pinyin_household",
            {"household_key": "h"},
            "roster",
            HOMOPHONE | {"household_key": "h"},
        ),
        (
            "pinyin_birth",
            {"sex": "male", "birth_year": 1980, "township": "t1"},
            "roster",
            HOMOPHONE | {"sex": "male", "birth_year": 1980, "township": "t1"},
        ),
        ("pinyin_village", HOME, "post", HOMOPHONE | HOME),
    ],
)
def test_what_the_roster_knows_links_a_row_elsewhere(way, known, ledger, loose):
    known = WANG | known | {"snapshot_year": 2019, "snapshot_on": "2019-12-01"}
    rows = (
        {"roster": [known, loose]}
        if ledger == "roster"
        else {"roster": [known], ledger: [loose]}
    )
    assert last(link(**rows), ledger) == ("p", way)


@pytest.mark.parametrize(
    ("way", "known", "ledger", "loose"),
    [
        ("name_business", {"business_key": "b"}, "subsidy", NAMESAKE | {"business_key": "b"}),
        (
            "pinyin_business",
            {"business_key": "b"},
            "subsidy",
            HOMOPHONE | {"business_key": "b"},
        ),
        (
            "name_day",
            {"registered_on": "2018-03-04"},
            "subsidy",
            NAMESAKE | {"registered_on": "2018-03-04"},
        ),
        ("name_day", {"form": "post", "start": "2019-08-01"}, "post", NAMESAKE),
        ("name_firm", {"firm_key": "f"}, "loan", NAMESAKE | {"firm_key": "f"}),
        (
            "name_next",
            {"start": "2018-01-01", "end": "2019-07-31"},
            "post",
            NAMESAKE,
        ),
    ],
)
def test_what_the_register_knows_links_a_row_elsewhere(way, known, ledger, loose):
    assert last(link(register=[WANG | known], **{ledger: [loose]}), ledger) == ("p", way)


def test_every_pass_is_tried_above():
    tried = {
        mark.args[1][number][0]
        for test in (
            test_what_the_roster_knows_links_a_row_elsewhere,
            test_what_the_register_knows_links_a_row_elsewhere,
        )
        for mark in test.pytestmark
        for number in range(len(mark.args[1]))
    }
    assert tried == set(PASSES)


def test_a_spell_goes_on_from_the_day_after_or_to_the_day_before():
    rows = [
        WANG | {"start": "2019-02-01", "end": "2019-03-31"},
        NAMESAKE | {"start": "2019-04-01", "end": "2019-05-01"},
    ]
    assert last(link(register=rows), "register") == ("p", "name_next")
    rows[1] |= {"start": "2018-04-01", "end": "2019-01-31"}
    assert link(register=rows)["register"]["link_pass"].tolist() == ["number", "name_next"]


def test_work_that_overlaps_other_work_is_not_the_next_one():
    rows = [
        WANG | {"start": "2018-02-01", "end": "2019-03-31"},
        WANG | {"start": "2019-04-15", "form": "flexible"},
        NAMESAKE | {"start": "2019-04-01", "end": "2019-05-01"},
    ]
    assert link(register=rows)["register"]["person_id"].isna().sum() == 1
    rows[1] |= {"valid": 0}  # a cancelled record is no work
    assert link(register=rows)["register"]["person_id"].notna().all()


def test_a_name_alone_or_with_a_township_links_nobody():
    known = WANG | {"township": "t1"}
    linked = link(roster=[known], post=[NAMESAKE | {"township": "t1"}], loan=[NAMESAKE])
    assert linked["post"]["link_pass"].isna().all()
    assert linked["loan"]["link_pass"].isna().all()


@pytest.mark.parametrize(
    ("known", "typed"),
    [
        ({"sex": "male"}, {"sex": "female"}),
        ({"birth_year": 1980}, {"birth_year": 1982}),
        ({"township": "t1"}, {"township": "t2"}),
    ],
)
def test_what_contradicts_is_no_link(known, typed):
    phone = {"phone_key": "1"}
    rows = [
        WANG | known | phone | {"snapshot_year": 2019, "snapshot_on": "2019-12-01"},
        NAMESAKE | phone | typed,
    ]
    assert link(roster=rows)["roster"]["person_id"].isna().sum() == 1
    rows[1] |= known
    assert link(roster=rows)["roster"]["person_id"].notna().all()


def test_a_township_to_be_confirmed_neither_links_nor_contradicts():
    phone, unsure = {"phone_key": "1"}, {"township": "unconfirmed:9", "village": "红旗村"}
    known = WANG | HOME | phone
    assert last(link(roster=[known], post=[NAMESAKE | unsure | phone]), "post")[0] == "p"
    known = WANG | unsure
    assert link(roster=[known], post=[NAMESAKE | unsure])["post"]["person_id"].isna().all()


def test_a_day_in_common_says_little_of_a_name_that_many_bear():
    work = {"form": "post", "start": "2019-08-01"}
    others = [WANG | {"person_id": f"q{n}", "start": "2015-01-01"} for n in range(FEW)]
    for known, found in ((others[1:], 1), (others, 0)):
        linked = link(register=[WANG | work, *known], post=[NAMESAKE])
        assert linked["post"]["person_id"].notna().sum() == found


def test_another_phone_or_household_speaks_against_a_place():
    before = {"snapshot_year": 2019, "snapshot_on": "2019-12-01"}
    for key in ("phone_key", "household_key"):
        rows = [WANG | HOME | before | {key: "1"}, NAMESAKE | HOME | {key: "2"}]
        assert link(roster=rows)["roster"]["person_id"].isna().sum() == 1
        rows[1] |= {key: None}
        assert link(roster=rows)["roster"]["person_id"].notna().all()


def test_nobody_is_in_a_post_as_a_child():
    phone = {"phone_key": "1"}
    for born, found in ((2010, 0), (1980, 1)):
        linked = link(roster=[WANG | phone | {"birth_year": born}], post=[NAMESAKE | phone])
        assert linked["post"]["person_id"].notna().sum() == found


def test_who_has_a_row_with_a_number_in_the_same_delivery_is_another_one():
    same = {"household_key": "h", "snapshot_year": 2020}
    assert link(roster=[WANG | same, NAMESAKE | same])["roster"]["person_id"].isna().sum() == 1
    # In another delivery it is a version of that row, and the later one stays.
    linked = link(roster=[WANG | same | {"received": 2019}, NAMESAKE | same])["roster"]
    assert linked[["person_id", "received", "link_pass"]].values.tolist() == [
        ["p", 2020, "name_household"]
    ]


def test_two_persons_of_one_name_and_place_link_nobody():
    other = WANG | {"person_id": "q"}
    linked = link(roster=[WANG | HOME, other | HOME], post=[NAMESAKE | HOME])
    assert linked["post"]["person_id"].isna().all()
    # Unless one of them is out of the question.
    linked = link(
        roster=[WANG | HOME, other | HOME | {"birth_year": 2012}], post=[NAMESAKE | HOME]
    )
    assert linked["post"]["person_id"].tolist() == ["p"]


def test_two_rows_that_could_be_one_persons_are_nobodys():
    rows = [NAMESAKE | HOME, NAMESAKE | HOME | {"started_on": "2019-11-01"}]
    assert link(roster=[WANG | HOME], post=rows)["post"]["person_id"].isna().all()
    # Of a phone several rows may be, but not two for the same thing.
    phone = {"phone_key": "1"}
    rows = [row | phone for row in rows]
    assert link(roster=[WANG | phone], post=rows)["post"]["person_id"].notna().all()
    loans = [NAMESAKE | phone | {"loan_id": None, "principal": n} for n in (1.0, 2.0)]
    loans[1] |= {"name_key": "wáng", "pinyin_key": "wang"}
    before = {"snapshot_year": 2019, "snapshot_on": "2019-12-01"}
    linked = link(roster=[WANG | phone, WANG | phone | HOMOPHONE | before], loan=loans)
    assert linked["loan"]["person_id"].isna().all()


def test_a_number_that_is_mostly_beside_another_name_is_not_this_persons():
    day = {"form": "post", "start": "2019-08-01"}
    wife = {"person_id": "q", "name_key": "li", "pinyin_key": "li"}
    register = [wife | {"start": "2016-01-01"}, wife | {"start": "2017-01-01"}]
    register.append(NAMESAKE | day | {"person_id": "q"})  # her number beside his name
    assert link(register=register, post=[NAMESAKE])["post"]["person_id"].isna().all()
    register[2] |= {"person_id": "p"}
    assert link(register=register, post=[NAMESAKE])["post"]["person_id"].tolist() == ["p"]


def test_a_surer_pass_comes_first():
    known = [WANG | HOME, WANG | {"person_id": "q", "phone_key": "1", "township": "t1"}]
    assert last(link(roster=known, post=[NAMESAKE | HOME | {"phone_key": "1"}]), "post") == (
        "q",
        "name_phone",
    )


def test_a_loan_is_known_by_its_contract():
    rows = [WANG | {"loan_id": "x", "received": 2019}, NAMESAKE | {"loan_id": "x"}]
    linked = link(roster=[WANG], loan=rows)
    assert linked["loan"][["person_id", "link_pass"]].values.tolist() == [["p", "contract"]]


def test_the_weakest_pass_of_a_person_counts():
    people = pd.Series(["p", "q", "r"], name="person_id")
    rows = pd.DataFrame(
        {
            "person_id": ["p", "p", "q", None],
            "link_pass": ["name_village", "number", "number", None],
        }
    ).astype("str")
    other = rows.assign(link_pass=["name_phone", "contract", "number", None]).astype("str")
    assert find_weakest(people, [rows, other]).tolist() == ["name_village", "number", "number"]
    assert find_weakest(people, []).tolist() == ["number"] * 3


def test_the_codebook_lists_the_passes_in_their_order_and_marks_the_weak_ones():
    ways = declarations.PERSONS["link_pass"].values
    assert tuple(code for code, _, _ in ways) == ORDER
    assert tuple(code for code, _, english in ways if english.endswith("(weak)")) == WEAK


def build(roster, post, year):
    clean = {"roster": roster, "register": make("register", WANG), "post": post}
    return build_panel(clean, year, {"register": {"from": datetime.date(2015, 1, 1)}})


def test_linked_rows_enter_the_panel_and_are_told_apart():
    panel = build(make("roster", WANG | HOME), make("post", NAMESAKE | HOME), YEAR)
    person = panel.persons.iloc[0]
    assert person["post_on"] == pd.Timestamp("2019-08-01")
    assert (person["link_pass"], person["record_pass"]) == ("name_village", "number")
    steps = panel.counts.set_index(["ledger", "step"])["rows"]
    assert (steps["post", "linked"], steps["post", "unlinked"]) == (1, 0)


def test_every_row_read_is_in_the_counts():
    phone = {"phone_key": "1"}
    roster = make(
        "roster",
        WANG | phone | {"received": 2018},
        NAMESAKE | phone | {"received": 2019},
        {"received": 2030},
        {"snapshot_year": None, "snapshot_on": None},
    )
    steps = build(roster, make("post", NAMESAKE), YEAR).counts
    steps = steps[steps["ledger"] == "roster"].set_index("step")["rows"]
    assert steps["older_version"] == 1
    parts = [
        "received_later",
        "undated",
        "after_edition",
        "older_version",
        "unlinked",
        "linked",
    ]
    assert steps[parts].sum() == steps["read"] == 4


def test_a_file_received_later_links_nothing_earlier():
    later = [
        WANG | HOME | {"received": 2022, "snapshot_year": 2022, "snapshot_on": "2022-12-01"},
        WANG | {"person_id": "q", "received": 2022, "snapshot_year": 2019} | HOME,
    ]
    post = make("post", NAMESAKE | HOME)
    alone = build(make("roster", {"person_id": "z"}), post, YEAR)
    both = build(make("roster", {"person_id": "z"}, *later), post, YEAR)
    for name in ("persons", "years", "months", "costs"):
        pd.testing.assert_frame_equal(getattr(alone, name), getattr(both, name))
    pd.testing.assert_frame_equal(alone.ledgers["post"], both.ledgers["post"])
    assert (
        build(make("roster", {"person_id": "z"}, later[0]), post, 2022)
        .persons["post_on"]
        .notna()
        .any()
    )


def test_clean_tables_hold_what_the_passes_look_at():
    needed = {
        "roster": {"household_key", "village"},
        "subsidy": {"village"},
        "post": {"village"},
    }
    assert all(columns <= set(CLEAN[ledger]) for ledger, columns in needed.items())
