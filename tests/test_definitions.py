import pandas as pd
import pytest

from evaluation.panel.definitions import (
    DEFINITIONS,
    count_each_way,
    count_people,
    count_undecided,
    count_without_amount,
)

DAYS = {"": pd.Timestamp("2024-12-31"), "_as_of": pd.Timestamp("2024-06-17")}
DATES = [
    "applied_on",
    "checked_on",
    "paid_on",
    "paid_out",
    "settled_on",
    "started_on",
    "ended_on",
]
OTHERS = ["person_id", "name_key", "phone_key", "result", "amount", "principal", "rural"]


def make(*rows):
    """Rows of a ledger; whatever is not named is missing."""
    frame = pd.DataFrame([dict.fromkeys([*DATES, *OTHERS]) | row for row in rows])
    for name in DATES:
        frame[name] = pd.to_datetime(frame[name])
    return frame.astype({"amount": float, "principal": float, "rural": "Int8"})


def count(computation, rows):
    return count_each_way(computation, rows, DAYS).set_index("definition")["value"].to_dict()


def test_a_post_is_filled_on_a_day_in_a_year_or_entered_then():
    posts = make(
        {"person_id": "a", "started_on": "2022-01-01", "ended_on": "2024-01-01"},
        {"person_id": "b", "started_on": "2022-01-01", "ended_on": "2023-12-31"},
        {"person_id": "b", "started_on": "2024-03-01"},
        {"person_id": "c", "started_on": "2024-07-01", "ended_on": "2024-12-31"},
        {"person_id": "c", "started_on": "2025-01-01"},
    )
    found = count("post_filled", posts)
    assert {name: found[name] for name in found if not name.endswith("_as_of")} == {
        "filled": 3, "on_day": 2, "entered": 2, "persons": 3, "persons_ever": 3,
        "placements": 4,
    }  # fmt: skip
    assert (found["filled_as_of"], found["on_day_as_of"]) == (2, 1)


def test_a_subsidy_is_applied_for_approved_and_paid_on_different_days():
    approved = {"result": "approved", "amount": 10_000.0}
    rows = make(
        approved | {"applied_on": "2024-01-01", "checked_on": "2024-02-01"}
        | {"paid_on": "2024-09-01", "person_id": "a"},
        approved | {"applied_on": "2024-01-01", "checked_on": "2024-02-01", "person_id": "b"},
        {"result": "refused", "applied_on": "2024-01-01", "person_id": "c"},
        {"result": "waiting", "applied_on": "2024-12-01", "person_id": "a"},
    )  # fmt: skip
    found = count("subsidy_awards", rows)
    assert [found[n] for n in ("paid", "approved", "applied", "persons")] == [1, 2, 4, 1]
    assert [found[f"{n}_as_of"] for n in ("paid", "approved", "applied")] == [0, 2, 3]
    assert count("subsidy_amount", rows)["approved"] == 2


def test_a_borrower_with_two_loans_is_one_person_and_two_contracts():
    rows = make(
        {"person_id": "a", "paid_out": "2022-01-01", "settled_on": "2023-12-01"}
        | {"principal": 150_000.0, "result": "approved"},
        {"person_id": "a", "paid_out": "2024-01-01", "principal": 200_000.5},
        {"person_id": "b", "applied_on": "2024-01-01", "result": "approved"},
    )
    found = count("loan_persons", rows)
    names = ("persons", "contracts", "approved", "outstanding")
    assert [found[name] for name in names] == [1, 2, 2, 1]
    amounts = count("loan_amount", rows)
    assert amounts["paid_out"] == pytest.approx(35.00005)
    assert amounts["outstanding"] == amounts["this_year"] == pytest.approx(20.00005)


def test_persons_without_number_are_told_apart_by_name_and_phone():
    rows = make(
        {"person_id": "a"},
        {"person_id": "a", "name_key": "x"},
        {"name_key": "x", "phone_key": "1"},
        {"name_key": "x", "phone_key": "1"},
        {"name_key": "x"},
        {},
        {},
    )
    assert count_people(rows) == 5
    assert count_people(rows.head(0)) == 0


def test_a_few_persons_behind_or_between_definitions_are_told_to_disclosure_control():
    posts = make(
        *({"person_id": p, "started_on": "2023-01-01"} for p in "abcde"),
        {"person_id": "a", "started_on": "2024-08-01", "ended_on": "2024-09-01"},
    )
    fewest = count_each_way("post_filled", posts, DAYS).set_index("definition")["fewest"]
    assert fewest["filled"] == 5  # persons behind it
    assert fewest["filled_as_of"] == 1  # the difference between the two days
    assert fewest["persons"] == 1  # beside placements it tells who stands there twice


def test_a_blank_cell_leaves_a_row_undecided_or_without_amount():
    posts = make({"started_on": "2024-01-01"}, {"started_on": "2024-01-01", "rural": 1})
    close = DAYS[""]
    assert count_undecided("post_filled_rural", posts, close) == 1
    assert count_undecided("post_filled", posts, close) == 0
    loans = make({"paid_out": "2024-01-01"}, {"paid_out": "2024-01-01", "principal": 1.0})
    assert count_without_amount("loan_amount", loans, close) == 1
    assert count_without_amount("loan_persons", loans, close) == 0


def test_labels_hold_no_number_and_units_keep_persons_and_person_times_apart():
    for ways in DEFINITIONS.values():
        for definition in ways.values():
            assert not any(c.isdigit() for c in definition.label_zh + definition.label_en)
            assert (definition.unit == "人") == (definition.of == "persons")
            assert (definition.unit == "万元") == (definition.of in ("amount", "principal"))
