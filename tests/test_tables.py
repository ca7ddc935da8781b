"""Keys are checked before anything is written; a file is whole or not there."""

import pandas as pd
import pytest

from evaluation.errors import TableError
from evaluation.files import (
    WRITTEN_VARIABLE,
    list_drafts,
    put_in_place,
    remove_stale_drafts,
    write_whole,
)
from evaluation.tables import publish_table, read_published, read_table, write_table

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


def test_an_interrupted_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "page.html"
    path.write_text("old", encoding="utf-8")

    def break_off(draft):
        draft.write_text("ne", encoding="utf-8")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, break_off)
    assert path.read_text(encoding="utf-8") == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["page.html"]


def test_in_a_batch_files_are_put_in_place_together_at_the_end(tmp_path, monkeypatch):
    note, place = tmp_path / "written.txt", tmp_path / "years.parquet"
    place.write_text("before", encoding="utf-8")
    monkeypatch.setenv(WRITTEN_VARIABLE, str(note))
    for _ in range(2):
        write_table(PERSONS, place, key=["person_id"])
    assert place.read_text(encoding="utf-8") == "before"
    drafts = list_drafts(note)
    assert [target for _, target in drafts] == [place, place]
    put_in_place(drafts)
    assert len(read_table(place)) == len(PERSONS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["written.txt", "years.parquet"]


def test_drafts_of_a_killed_process_are_removed_and_nothing_else(tmp_path):
    for name in (f".{'0a' * 16}.csv", ".gitignore", f"{'0a' * 16}.csv"):
        (tmp_path / name).write_text("", encoding="utf-8")
    remove_stale_drafts(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".gitignore",
        f"{'0a' * 16}.csv",
    ]


def test_a_file_that_cannot_be_written_leaves_no_draft(tmp_path):
    def fail(draft):
        draft.write_text("half", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "a.csv", fail)
    assert not list(tmp_path.iterdir())


def test_published_tables_open_in_excel_and_are_the_same_to_the_byte(small_project):
    from evaluation.paths import locate

    totals = pd.DataFrame(
        {"policy": ["loan", "post"], "n_persons": [221, 9], "share": [0.1, 1 / 3]}
    )
    folders = locate()
    path = publish_table(totals, "reach", folders, 2024, key=["policy"], counts=["n_persons"])
    first = path.read_bytes()
    assert first.startswith(b"\xef\xbb\xbf")
    assert (
        publish_table(
            totals, "reach", folders, 2024, key=["policy"], counts=["n_persons"]
        ).read_bytes()
        == first
    )
    back = read_published("reach", folders, 2024)
    assert back["n_persons"].isna().tolist() == [False, True]  # nine persons are too few
