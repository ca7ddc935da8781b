"""Keys are checked before anything is written; a table says which notebook it comes from."""

import pandas as pd
import pytest

from evaluation.errors import TableError
from evaluation.tables import read_table, write_table

PERSONS = pd.DataFrame({"person_id": ["a", "b"], "year": [2024, 2024], "employed": [1, 0]})


def test_a_table_comes_back_with_its_key_checked(tmp_path):
    path = write_table(PERSONS, tmp_path / "years.parquet", key=["person_id", "year"])
    pd.testing.assert_frame_equal(read_table(path), PERSONS, check_dtype=False)


@pytest.mark.parametrize(
    ("frame", "key"),
    [
        (PERSONS, ["year"]),
        (PERSONS.assign(person_id=["a", None]), ["person_id"]),
        (PERSONS, ["person"]),
    ],
)
def test_a_broken_key_is_refused_and_nothing_is_written(tmp_path, frame, key):
    with pytest.raises(TableError, match="主键"):
        write_table(frame, tmp_path / "years.parquet", key=key)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_table_says_which_notebook_writes_it(tmp_path):
    with pytest.raises(TableError, match="1_ledgers"):
        read_table(tmp_path / "clean" / "roster.parquet")


def test_a_table_of_another_schema_is_refused(tmp_path):
    path = tmp_path / "years.parquet"
    PERSONS.to_parquet(path)
    with pytest.raises(TableError, match="其他版本"):
        read_table(path)
