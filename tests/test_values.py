"""Cells to values: what a person at a desk would read, and nothing guessed."""

import datetime

import numpy as np
import pytest

from evaluation.ledgers import values


@pytest.mark.parametrize(
    ("typed", "day", "precision"),
    [
        ("2023年5月6日", "2023-05-06", "day"),
        ("2023年05月6号", "2023-05-06", "day"),
        ("2023年5月", "2023-05-01", "month"),
        ("2023年", "2023-01-01", "year"),
        ("2023", "2023-01-01", "year"),
        ("2023.5.6", "2023-05-06", "day"),
        ("2023/5/6", "2023-05-06", "day"),
        ("2023.05", "2023-05-01", "month"),
        ("20230506", "2023-05-06", "day"),
        ("202305", "2023-05-01", "month"),
        ("2023-05-06 00:00:00", "2023-05-06", "day"),
        (" ２０２３年５月６日 ", "2023-05-06", "day"),
        ("45052", "2023-05-06", "day"),
        ("36526", "2000-01-01", "day"),
        ("55153", "2050-12-31", "day"),
        ("二〇二三年五月六日", "2023-05-06", "day"),
        ("二〇二三年十二月三十一日", "2023-12-31", "day"),
        ("二〇二三年", "2023-01-01", "year"),
        ("2024.2.29", "2024-02-29", "day"),
    ],
)
def test_dates_are_read_year_first_with_their_precision(typed, day, precision):
    assert values.parse_date(typed) == (datetime.date.fromisoformat(day), precision)


@pytest.mark.parametrize(
    "typed",
    ["23.5.6", "1/5/2023", "2023.2.30", "2023年13月", "20231301", "230506", "36525", "55154",
     "2023.5/6", "去年", "2023-05-06-07", "1.5", "2023年0月"],
)  # fmt: skip
def test_other_dates_are_refused(typed):
    assert values.parse_date(typed) == (None, "bad")


@pytest.mark.parametrize("typed", ["至今", "长期", "在岗", "9999-12-31"])
def test_open_ends_are_open(typed):
    assert values.parse_date(typed) == (None, "open")


def test_an_end_without_a_day_is_the_last_day():
    assert values.parse_date("2023年2月", last=True)[0] == datetime.date(2023, 2, 28)
    assert values.parse_date("2023", last=True)[0] == datetime.date(2023, 12, 31)


def test_a_number_that_may_have_lost_its_nought_is_no_month():
    column = values.as_column([2023.1, "2023.1", 2023.11])
    days, states = values.parse_dates(column)
    assert list(states) == ["bad", "month", "month"]
    assert days[2] == np.datetime64("2023-11-01")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("10000", (10_000, "", "plain")),
        ("10,000.50", (10_000.5, "", "commas")),
        ("１０，０００元", (10_000, "元", "commas")),
        ("1万", (1, "万元", "plain")),
        ("14.03万元", (14.03, "万元", "plain")),
        ("壹万圆整", (10_000, "元", "plain")),
        ("贰拾万零伍佰元", (200_500, "元", "plain")),
        ("-500", (-500, "", "plain")),
    ],
)
def test_amounts_as_typed(typed, expected):
    assert values.parse_amount(typed) == expected


@pytest.mark.parametrize("typed", ["1,00", "约一万", "10000左右", "1e5", "12.3.4"])
def test_other_amounts_are_refused(typed):
    assert values.parse_amount(typed)[2] == "bad"


def test_a_unit_in_the_cell_beats_the_heading_and_size_decides_nothing():
    column = values.as_column([14.03, "100000元", "3", None, "很多"])
    yuan, typed, differs = values.parse_amounts(column, 10_000.0)
    assert yuan[:3].tolist() == [140_300, 100_000, 30_000]
    assert list(differs) == [False, True, False, False, False]
    assert list(typed[3:]) == ["blank", "bad"]


def test_blank_is_unknown_not_no():
    column = values.as_column(["√", "否", " ", None, "也许"])
    found, unknown = values.translate(column, {"√": "1", "否": "0"})
    assert list(found[:2]) == ["1", "0"] and found[2:].isna().all()
    assert list(unknown) == [False, False, False, False, True]


def test_numbers_with_their_word_and_no_fractions_of_days():
    found, bad = values.parse_numbers(values.as_column(["第2次", "22天", 22.5, "多", ""]), 100)
    assert found[:2].tolist() == [2, 22]
    assert list(bad) == [False, False, True, True, False]


def test_an_empty_column_is_all_missing():
    column = values.as_column(["", None])
    assert np.isnat(values.parse_dates(column)[0]).all()
    assert np.isnan(values.parse_amounts(column, 1.0)[0]).all()
    assert values.plain(column).isna().all()


def test_a_whole_number_of_seventeen_digits_has_lost_its_end():
    column = values.as_column([511923199001011200.0, 519999900101001.0, True])
    assert list(column) == ["5.11923E+17", "519999900101001", "1"]
