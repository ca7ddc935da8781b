"""A file is whole or not there; in a batch, all of a notebook's are put in place together."""

import pytest

from evaluation.files import (
    WRITTEN_VARIABLE,
    list_drafts,
    put_in_place,
    remove_stale_drafts,
    write_whole,
)


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
    note, place = tmp_path / "written.txt", tmp_path / "years.csv"
    place.write_text("before", encoding="utf-8")
    monkeypatch.setenv(WRITTEN_VARIABLE, str(note))
    for text in ("first", "second"):
        write_whole(place, lambda draft, text=text: draft.write_text(text, encoding="utf-8"))
    assert place.read_text(encoding="utf-8") == "before"
    drafts = list_drafts(note)
    assert [target for _, target in drafts] == [place, place]
    put_in_place(drafts)
    assert place.read_text(encoding="utf-8") == "second"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["written.txt", "years.csv"]


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
