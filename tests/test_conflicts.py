"""Rows that disagree about a person are flagged, and stay linked by the number."""

import pandas as pd

from evaluation.ledgers.conflicts import check_persons
from evaluation.ledgers.schema import shape

HEADINGS = {("f", "", "loan", "number"): "身份证"}


def rows(ledger, people, names, years=None):
    values = {
        "source_file": ["f"] * len(people), "source_sheet": [""] * len(people),
        "source_row": range(2, len(people) + 2), "received": years or [2023] * len(people),
        "person_id": people, "name_key": names,
    }  # fmt: skip
    if ledger == "roster":
        values["snapshot_year"] = values["received"]
    return shape(values, ledger, len(people))


def kinds(**tables):
    empty = {
        name: shape({}, name, 0) for name in ("roster", "register", "subsidy", "loan", "post")
    }
    found = pd.concat(check_persons(empty | tables, HEADINGS))
    return found[["ledger", "row", "column", "kind"]].to_numpy().tolist()


def test_a_number_beside_another_name_than_the_rosters_is_flagged():
    roster = rows("roster", ["p"], ["王"])
    loans = rows("loan", ["p", "p", "p", "q", None], ["李", "李", "王", "李", "李"])
    assert kinds(roster=roster, loan=loans) == [
        ["loan", 2, "身份证", "number_shared"],
        ["loan", 3, "身份证", "number_shared"],
    ]


def test_a_homophone_is_the_same_name():
    roster, loans = rows("roster", ["p"], ["张"]), rows("loan", ["p"], ["章"])
    sounds = [table.assign(pinyin_key="zhang") for table in (roster, loans)]
    assert kinds(roster=sounds[0], loan=sounds[1]) == []


def test_a_corrected_row_no_longer_disagrees():
    roster, loans = rows("roster", ["p"], ["王"]), rows("loan", ["p"], ["李"])
    assert kinds(roster=roster, loan=loans.assign(superseded=2024)) == []


def test_twice_in_one_snapshot_is_flagged_on_the_row_that_does_not_count():
    roster = rows(
        "roster", ["p", "p", "q", "p"], ["王"] * 2 + ["李", "王"], [2023] * 3 + [2024]
    )
    assert kinds(roster=roster) == [["roster", 2, "number", "person_twice"]]
