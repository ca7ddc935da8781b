import numpy as np
import pandas as pd

from evaluation.panel.months import find_rows, name_persons

PEOPLE = pd.Index(["a", "b", "c"])


def test_each_row_finds_its_person_and_strangers_none():
    persons = pd.Series(["c", "a", "x", None, "c"])
    assert find_rows(PEOPLE, persons).tolist() == [2, 0, -1, -1, 2]
    assert find_rows(PEOPLE, persons.astype("category")).tolist() == [2, 0, -1, -1, 2]


def test_no_rows_find_nobody():
    assert find_rows(PEOPLE, pd.Series(dtype="str")).tolist() == []


def test_tables_named_by_one_list_join_as_texts_do():
    left = pd.DataFrame({"person_id": ["b", "a"], "x": [1, 2]})
    right = pd.DataFrame({"person_id": ["a", "b", "b"], "y": [3, 4, 5]})
    named = name_persons(left, PEOPLE).merge(name_persons(right, PEOPLE), on="person_id")
    assert isinstance(named["person_id"].dtype, pd.CategoricalDtype)
    pd.testing.assert_frame_equal(
        named.astype({"person_id": "str"}), left.merge(right, on="person_id")
    )
    np.testing.assert_array_equal(left["person_id"], ["b", "a"])
