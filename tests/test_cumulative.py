"""Of a ledger that repeats its old rows only the last delivery is the clerk's business."""

import pandas as pd

from evaluation.ledgers.cumulative import find_current, mark_current
from evaluation.ledgers.schema import shape


def loans(*rows):
    """Rows of ``(received, person, month of application)``."""
    received, people, months = zip(*rows, strict=True)
    values = {
        "received": received,
        "person_id": people,
        "applied_on": pd.to_datetime([f"2020-{month:02}-01" for month in months]),
    }
    return shape(values | {"source_row": range(2, len(rows) + 2)}, "loan", len(rows))


def test_a_delivery_that_repeats_half_of_the_one_before_replaces_it():
    rows = loans((2021, "p", 1), (2021, "q", 2), (2022, "p", 1), (2022, "r", 3))
    assert find_current({"loan": rows}) == {"loan": 2022}


def test_deliveries_of_what_is_new_all_stay_current():
    rows = loans((2021, "p", 1), (2021, "q", 2), (2021, "s", 2), (2022, "p", 1), (2022, "r", 3))
    assert find_current({"loan": rows}) == {"loan": 0}


def test_rows_without_a_person_decide_nothing():
    rows = loans((2021, None, 1), (2021, "q", 2), (2022, "q", 2))
    assert find_current({"loan": rows}) == {"loan": 2022}
    assert find_current({"loan": rows[rows["received"] == 2021]}) == {"loan": 0}


def test_issues_say_whether_they_stand_in_a_current_delivery():
    rows = loans((2021, "p", 1), (2022, "p", 1))
    issues = pd.DataFrame({"ledger": "loan", "received": [2021, 2022]})
    assert mark_current(issues, {"loan": rows})["current"].tolist() == [0, 1]
