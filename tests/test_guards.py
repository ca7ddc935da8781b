import numpy as np
import pandas as pd
import pytest

from evaluation.effects.guards import check_panel, check_risk_sets, read_cohorts
from evaluation.errors import EstimationError

NAMES = {"outcome": "y", "unit": "unit", "time": "year", "cohort": "cohort"}


def make_panel(**changes):
    panel = pd.DataFrame(
        {
            "unit": np.repeat(list("abcd"), 2),
            "year": [2, 3] * 4,
            "cohort": np.repeat([3.0, 3.0, 0.0, 0.0], 2),
            "town": np.repeat(list("xyxy"), 2),
            "y": [0.0, 2, 1, 4, 0, 1, 2, 2],
        }
    )
    return panel.assign(**changes)


@pytest.mark.parametrize("never", [0, 9999, np.inf, None, "0", "9999"])
def test_never_treated_is_understood_in_every_usual_coding(never):
    assert read_cohorts(pd.Series([2004, never], dtype=object)).tolist()[0] == 2004
    assert read_cohorts(pd.Series([2004, never], dtype=object)).isna().tolist() == [False, True]


def test_cohort_in_words_is_refused():
    with pytest.raises(EstimationError, match="应为数字"):
        read_cohorts(pd.Series(["2004", "从未"]))


def test_a_sound_panel_passes_without_a_note():
    panel, notes = check_panel(make_panel(), **NAMES, cluster="town")
    assert notes == []
    assert panel["cohort"].isna().sum() == 4


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"year": 2}, {}, "多行"),
        ({"cohort": [3, 4, 3, 3, 0, 0, 0, 0]}, {}, "前后不一致"),
        ({"cohort": 0}, {}, "没有任何单位参加"),
        ({"cohort": 3}, {}, "同时参加"),
        ({"cohort": [3, 3, 3, 3, 4, 4, 4, 4]}, {"control": "never_treated"}, "从未参加"),
        ({"y": 1.0}, {}, "没有变化"),
        ({"y": [np.inf, 1, 2, 3, 4, 5, 6, 7]}, {}, "无穷大"),
        ({"x": [np.nan, *[1.0] * 7]}, {"covariates": ["x"]}, "缺失"),
        ({"town": "x"}, {"cluster": "town"}, "只有一个区域"),
        ({"town": list("xyxxxyxy")}, {"cluster": "town"}, "所属区域"),
        ({"unit": [None, *list("abbccdd")]}, {}, "缺少单位编号"),
        ({}, {"covariates": ["z"]}, "没有这些列"),
        ({}, {"control": "all"}, "未知的对照方式"),
    ],
)
def test_what_would_give_a_wrong_number_is_refused(changes, options, message):
    with pytest.raises(EstimationError, match=message):
        check_panel(make_panel(**changes), **NAMES, **options)


def test_treated_from_the_first_period_on_are_left_out_and_said():
    panel, notes = check_panel(make_panel(cohort=[2, 2, 3, 3, 0, 0, 0, 0]), **NAMES)
    assert panel["unit"].nunique() == 3
    assert "从第一期起" in notes[0]


def test_gaps_are_normal_and_said():
    _, notes = check_panel(make_panel().iloc[:-1], **NAMES)
    assert "不是每一期" in notes[0]


def make_risk_sets(**changes):
    rows = pd.DataFrame(
        {
            "cohort": 2020,
            "month": 24240,
            "person_id": list("abcd"),
            "treated": [1, 0, 0, 0],
            "cluster": list("xyxy"),
            "age": [30.0, 40, 50, 30],
        }
    )
    return rows.assign(**changes)


def test_few_persons_are_no_error():
    assert check_risk_sets(make_risk_sets(), ["age"]) == []
    assert "没有可比的人群" in check_risk_sets(make_risk_sets().iloc[:0], ["age"])[0]


def test_missing_covariate_is_said_and_an_empty_one_refused():
    notes = check_risk_sets(make_risk_sets(age=[30, np.nan, 40, 50]), ["age"])
    assert "25.0%" in notes[0]
    with pytest.raises(EstimationError, match="全部缺失"):
        check_risk_sets(make_risk_sets(age=np.nan), ["age"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"person_id": "a"}, "出现多次"),
        ({"treated": 1, "month": [1, 2, 3, 4], "person_id": list("aabc")}, "参加了两次"),
        ({"person_id": list("aabc"), "month": [1, 2, 3, 4]}, "两个乡镇"),
        ({"cluster": "x"}, "同一个乡镇"),
    ],
)
def test_risk_sets_that_cannot_be_are_refused(changes, message):
    with pytest.raises(EstimationError, match=message):
        check_risk_sets(make_risk_sets(**changes), ["age"])
