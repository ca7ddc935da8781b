"""Estimates: which rows may be told, and with which counts."""

import pandas as pd
from made_up_counts import RULES

from evaluation.findings.models import suppress_estimates

SAME = {"policy": "loan", "outcome": "employed_open", "subgroup": "all", "design": "cs"}
SAME |= {"estimate": 0.1, "cohort": None, "event_time": 2, "n_treated": 60, "n_obs": 600}


def control(*rows):
    frame = pd.DataFrame([SAME | row for row in rows])
    return suppress_estimates(frame.astype({"event_time": "Int64", "cohort": "Int64"}), RULES)


def test_an_estimate_on_fewer_than_ten_persons_is_suppressed():
    cells = control(
        {"term": "primary", "n_treated": 151},
        {"term": "event", "event_time": -3, "n_treated": 9},
        {"term": "event", "event_time": 2, "n_treated": 62, "n_obs": 71},
        {"term": "event", "event_time": 1},
    )
    assert cells["estimate"].isna().tolist() == [False, True, True, False]
    assert cells["event_time"].tolist() == [2, -3, 2, 1]
    assert cells["suppressed"].tolist() == ["", "few", "few", ""]


def test_an_estimate_on_nobody_knows_how_many_persons_is_suppressed():
    cells = control({"term": "primary", "n_treated": None}, {"term": "primary", "n_obs": None})
    assert cells["estimate"].isna().all()


def test_a_model_needs_ten_comparison_persons_beyond_its_coefficients():
    coefficients = RULES["coefficients"]["loan"]
    sizes = [60 + coefficients + spare for spare in (9, 10)]
    cells = control(*({"term": "event", "event_time": 1, "n_obs": size} for size in sizes))
    assert cells["estimate"].isna().tolist() == [True, False]


def test_counts_are_rounded_so_that_two_rows_do_not_tell_who_was_left_out():
    cells = control(
        {"variant": "plan", "term": "primary", "n_treated": 111, "n_obs": 691},
        {"variant": "no_weak_links", "term": "primary", "n_treated": 108, "n_obs": 688},
    )
    assert cells["n_treated"].tolist() == [110, 110]
    assert cells["n_obs"].tolist() == [690, 690]


def test_a_small_cohort_takes_a_second_with_it_where_all_of_them_are_shown():
    cohorts = {2018: 30, 2019: 4, 2020: 20}
    rows = [{"term": "group_time", "cohort": g, "n_treated": n} for g, n in cohorts.items()]
    cells = control(*rows, {"term": "event", "n_treated": 54})
    assert cells["estimate"].isna().tolist() == [False, True, True, False]
    assert cells["suppressed"].tolist() == ["", "few", "beside", ""]


def test_the_mean_of_event_times_goes_with_one_of_them():
    events = [{"term": "event", "event_time": e, "n_treated": n} for e, n in ((0, 60), (5, 4))]
    cells = control(*events, {"term": "dynamic", "event_time": None})
    assert cells["estimate"].isna().tolist() == [False, True, True]


def test_the_mean_of_two_designs_goes_with_one_of_them():
    designs = {"cs": 9, "balanced": 30, "published": 12}
    cells = control(
        *({"term": "event", "design": d, "n_treated": n} for d, n in designs.items())
    )
    assert cells["estimate"].isna().tolist() == [True, False, True]


def test_the_mean_of_two_designs_goes_with_one_that_goes_beside_another():
    # Twice the published less the balanced is the mean over event times of cs.
    designs = ("cs", "balanced", "published")
    means = [{"term": "dynamic", "event_time": None, "design": d} for d in designs]
    events = [{"term": "event", "event_time": e, "n_treated": n} for e, n in ((0, 60), (5, 4))]
    cells = control(*events, *means)
    assert cells["estimate"].isna().tolist() == [False, True, True, False, True]


def test_one_group_of_a_split_takes_the_others_and_the_difference_with_it():
    groups = {"female=male": 90, "female=female": 8, "female": 98, "age_group=under_45": 50}
    cells = control(
        *({"term": "primary", "subgroup": g, "n_treated": n} for g, n in groups.items()),
        {"term": "primary"},
    )
    assert cells["estimate"].isna().tolist() == [True, True, True, False, False]


def test_numbers_that_an_empty_table_turned_into_objects_are_withheld_too():
    frame = pd.DataFrame(
        [SAME | {"term": "primary"}, SAME | {"term": "primary", "n_treated": 4}]
    )
    frame = frame.astype({"estimate": "object"})
    assert suppress_estimates(frame, RULES)["estimate"].isna().tolist() == [False, True]


def test_no_rows_are_no_trouble():
    frame = pd.DataFrame([SAME | {"term": "primary"}])
    assert suppress_estimates(frame.iloc[:0], RULES).empty
    empty = pd.DataFrame(columns=[*SAME, "term"])
    assert suppress_estimates(empty, RULES).empty
