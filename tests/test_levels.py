"""Shares with their counts are counts."""

import pandas as pd
import pytest
from made_up_counts import RULES

from evaluation.findings.levels import (
    suppress_balance,
    suppress_means,
    suppress_months,
    suppress_paths,
)


def test_four_of_146_who_are_not_in_work_stay_between_1_and_9():
    level = 142 / 146
    paths = pd.DataFrame(
        {
            "event_time": [2, 2],
            "group": ["treated", "comparison"],
            "share": [level, level - 0.19],
            "conf_low": [None, level - 0.27],
            "conf_high": [None, level - 0.11],
            "n": [146, 146],
        }
    )
    told = suppress_paths(paths, RULES)
    share, n = told["share"][0], told["n"][0]
    assert (share, n) == (140 / 145, 145)
    # The effect, and the width of its interval, stay what they were.
    assert share - told["share"][1] == pytest.approx(0.19)
    assert told["conf_high"][1] - told["conf_low"][1] == pytest.approx(0.16)
    possible = {
        persons - works
        for persons in range(143, 148)
        for works in range(persons + 1)
        if abs(works - share * n) <= 2.5
    }
    assert len(possible) >= RULES["min_values"]


def test_a_point_of_a_path_needs_ten_persons_on_both_sides():
    paths = pd.DataFrame(
        {
            "event_time": [1, 1, 2, 2],
            "group": ["treated", "comparison"] * 2,
            "share": 0.5,
            "conf_low": 0.4,
            "conf_high": 0.6,
            "n": [9, 9, 40, 40],
            "n_comparison": [None, 300, None, 8],
        }
    )
    told = suppress_paths(paths, RULES)
    assert told["share"].isna().tolist() == [True, True, False, True]


def test_a_month_does_not_tell_that_one_person_stopped_working():
    curves = pd.DataFrame(
        {
            "month": [7, 8],
            "treated_open": [155 / 156, 154 / 156],
            "comparison_open": [0.95, 0.94],
            "treated_post": [0.0, 1 / 156],
            "difference": [155 / 156 - 0.95, 154 / 156 - 0.94],
            "n_treated": [156, 156],
            "n_comparison": [1103, 1096],
        }
    )
    told = suppress_months(curves, RULES)
    assert told["treated_open"].tolist() == [1, 1]
    assert told["treated_post"].tolist() == [0, 0]
    gaps = told["treated_open"] - told["comparison_open"]
    assert gaps.tolist() == pytest.approx(told["difference"].tolist())
    few = suppress_months(curves.assign(n_treated=56), RULES)
    assert few["treated_open"].isna().all() and few["difference"].notna().all()


def test_a_trait_that_three_persons_have_is_withheld_and_a_mean_age_is_not():
    balance = pd.DataFrame(
        {
            "policy": "loan",
            "covariate": ["poor", "female", "age"],
            "mean_treated": [3 / 216, 48 / 216, 40.5],
            "mean_comparison": [0.05, 0.33, 41.9],
            "std_difference": [-0.35, -0.25, -0.19],
            "n_treated": 216,
            "n_comparison": 3571,
        }
    )
    told = suppress_balance(balance, RULES)
    assert told["mean_treated"].isna().tolist() == [True, False, False]
    assert told["std_difference"].isna().tolist() == [True, False, False]
    assert told["mean_treated"][1:].tolist() == [50 / 215, 40.5]
    assert told["n_treated"][1:].tolist() == [215, 215]


def test_equal_shares_have_a_difference_of_what_rounding_makes_of_them():
    balance = pd.DataFrame({"covariate": ["female"], "std_difference": 0.0})
    balance = balance.assign(mean_treated=0.25, mean_comparison=0.25, n_comparison=400)
    same = suppress_balance(balance.assign(n_treated=200), RULES)
    assert same["std_difference"].tolist() == [0]
    told = suppress_balance(balance.assign(n_treated=212), RULES)  # 53 of 212: 55 of 210
    share = told["mean_treated"][0]
    gap = (share - 0.25) / (share * (1 - share)) ** 0.5
    assert told["std_difference"].tolist() == pytest.approx([gap])


@pytest.mark.parametrize("control", [suppress_paths, suppress_months, suppress_balance])
def test_no_rows_are_no_trouble(control):
    columns = "event_time group share conf_low conf_high n month treated_open treated_post"
    columns += " comparison_open difference n_treated n_comparison covariate mean_treated"
    empty = pd.DataFrame(columns=[*columns.split(), "mean_comparison", "std_difference"])
    assert control(empty, RULES).empty


def test_means_that_are_no_shares_stay():
    frame = pd.DataFrame({"group": ["a", "b", "c"], "mean": [5.25, 0.9, 0.9], "n": [40, 40, 9]})
    told = suppress_means(frame, "mean", "n", RULES)
    assert told["mean"][:2].tolist() == [5.25, 35 / 40]
    assert told["mean"].isna().tolist() == [False, False, True]
