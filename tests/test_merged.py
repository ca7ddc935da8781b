"""Merged cells are read as they are seen, and amounts in them count once."""

import time

import numpy as np

from evaluation.ledgers.merged import Merges

ROWS = np.array([2, 3, 4, 7])


def see(ranges, cells, once=False, at=0):
    found, covered = Merges(ranges).see(at, ROWS, cells, once)
    return list(found), covered.tolist()


def test_a_cell_merged_downwards_stands_in_each_row():
    assert see([(2, 0, 4, 0)], ["户1", "", "", "户2"]) == (["户1", "户1", "户1", "户2"], [1, 2])
    assert see([(2, 0, 4, 1)], ["户1", "", "", "户2"])[0][2] == "户1"
    assert see([(2, 0, 4, 0)], ["户1", "", "", "户2"], at=1)[1] == []


def test_an_amount_counts_in_the_first_row_only():
    assert see([(3, 0, 7, 0)], ["1", 5.0, "", ""], once=True) == (["1", 5.0, "", ""], [2, 3])
    hidden = see([(3, 0, 7, 0)], ["1", 5.0, 9.0, ""], once=True)
    assert hidden == (["1", 5.0, "", ""], [2, 3])


def test_a_merged_cell_that_begins_in_a_title_or_is_blank_fills_nothing():
    for ranges in ([(0, 0, 1_048_575, 0)], [(5, 0, 7, 0)]):
        assert see(ranges, ["a", "", "", "b"]) == (["a", "", "", "b"], [])
    assert see([(2, 0, 4, 0)], ["", "x", "", ""]) == (["", "x", "", ""], [])


def test_a_merged_whole_column_reaches_to_the_last_row():
    assert see([(2, 0, 1_048_575, 0)], ["a", "", "", ""]) == (["a"] * 4, [1, 2, 3])


def test_a_million_overlapping_merges_take_a_moment():
    rows = np.arange(200_000)
    ranges = np.column_stack([np.arange(1_000_000) % 200_000, np.zeros(1_000_000, int)] * 2)
    ranges[:, 2] = 1_048_575
    began = time.monotonic()
    found, _ = Merges(ranges).see(0, rows, ["a"] * 200_000, once=False)
    assert len(found) == 200_000 and time.monotonic() - began < 10


def test_cells_merged_to_the_right_are_known_by_their_row():
    merges = Merges([(0, 2, 0, 4), (1, 0, 2, 0)])
    assert merges.across(0) == {3: 2, 4: 2}
    assert merges.across(1) == {} and merges.across(5) is None
    assert len(Merges([(0, 0, 0, 16_383)]).across(0)) < 2_000
