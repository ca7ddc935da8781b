import numpy as np
import pandas as pd
import pytest

from evaluation.effects.guards import check_panel, check_risk_sets
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


def test_a_sound_panel_passes_without_a_note():
    panel, notes = check_panel(make_panel(), **NAMES, cluster="town")
    assert notes == []
    assert panel["cohort"].isna().sum() == 4
    assert list(panel) == ["y", "unit", "year", "cohort", "town"]


def test_the_frame_given_is_left_as_it_was():
    given = make_panel()
    check_panel(given, **NAMES, cluster="town")
    pd.testing.assert_frame_equal(given, make_panel())


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        ({"year": 2}, {}, "多行"),
        ({"cohort": [3, 4, 3, 3, 0, 0, 0, 0]}, {}, "前后不一致"),
        ({"cohort": 0}, {}, "没有任何单位参加"),
        ({"cohort": 3}, {}, "同时参加"),
        ({"cohort": 3}, {"control": "never_treated"}, "从未参加"),
        ({"cohort": 2}, {}, "从第一期起就已参加"),
        ({"cohort": 4}, {}, "最后一期之后"),
        ({"unit": list("abcdefgh"), "cohort": [3, 3, 3, 3, 0, 0, 0, 0]}, {}, "只有一期资料"),
        ({"year": [1.5, 3] * 4}, {}, "应为整数"),
        ({"year": pd.to_datetime(["2002-01-01", "2003-01-01"] * 4)}, {}, "应为整数"),
        ({"year": [2, None] * 4}, {}, "缺少单位编号或时间"),
        ({"y": list("一二三四五六七八")}, {}, "不是数字"),
        ({"y": pd.to_datetime(["2002-01-01"] * 8)}, {}, "不是数字"),
        ({"y": np.nan}, {}, "全部缺失"),
        ({"x": list("abcdefgh")}, {"covariates": ["x"]}, "不是数字"),
        ({"x": np.inf}, {"covariates": ["x"]}, "无穷大"),
        ({"town": ["x", "x", None, None, *"xyxy"]}, {"cluster": "town"}, "缺少所属区域"),
        ({"unit": [1, 1, "1", "1", 2, 2, "b", "b"]}, {}, "混有数字和文字"),
        ({"cohort": [1, 1, 1, 1, 0, 0, 0, 0]}, {}, "只有0和1"),
        ({"cohort": [3, 3, 3, 3, -1, -1, -1, -1]}, {}, "负数"),
        ({"cohort": [0, 0, 0, 0, None, None, None, None], "year": [-1, 0] * 4}, {}, "分不清"),
        ({"cohort": pd.to_datetime(["2003-01-01"] * 8)}, {}, "应为数字"),
        ({}, {"covariates": ["y"]}, "两种用途"),
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


def test_no_rows_and_one_period_are_refused():
    with pytest.raises(EstimationError, match="空的"):
        check_panel(make_panel().iloc[:0], **NAMES)
    with pytest.raises(EstimationError, match="只有一期"):
        check_panel(make_panel().query("year == 2"), **NAMES)
    twice = pd.concat([make_panel(), make_panel()[["y"]]], axis=1)
    with pytest.raises(EstimationError, match="重名"):
        check_panel(twice, **NAMES)


@pytest.mark.parametrize("never", [0, 9999, np.inf, None, "0", "9999", "从未", " Never ", "NA"])
def test_never_treated_gives_the_same_panel_in_every_usual_coding(never):
    cohort = pd.Series([3, 3, 3, 3, *[never] * 4], dtype=object)
    panel, notes = check_panel(make_panel(cohort=cohort), **NAMES)
    pd.testing.assert_frame_equal(panel, check_panel(make_panel(), **NAMES)[0])
    assert notes == []


def test_who_enters_after_the_last_period_counts_as_never_treated_and_is_said():
    panel, notes = check_panel(make_panel(cohort=[3, 3, 3, 3, 2050, 2050, 0, 0]), **NAMES)
    assert panel["cohort"].isna().sum() == 4
    assert notes == ["1个单位在最后一期之后才参加，按从未参加看待。"]


def test_yes_no_outcomes_and_numbers_kept_as_text_are_understood():
    yes = [True, False, True, True, False, False, True, False]
    for values in (
        yes,
        pd.array(yes, "boolean"),
        list(map(int, yes)),
        pd.Categorical([*map(int, yes)]),
    ):
        panel, _ = check_panel(make_panel(y=values), **NAMES)
        assert panel["y"].tolist() == list(map(float, yes))
    texts = {"y": list("12345678"), "year": ["2", "3"] * 4}
    panel, _ = check_panel(make_panel(**texts), **NAMES)
    assert panel["y"].sum() == 36 and panel["year"].dtype == "int64"
    unknown, _ = check_panel(make_panel(y=pd.array([*yes[:7], None], "boolean")), **NAMES)
    assert unknown["y"].isna().sum() == 1


def test_treated_from_the_first_period_on_are_left_out_and_said():
    panel, notes = check_panel(make_panel(cohort=[2, 2, 3, 3, 0, 0, 0, 0]), **NAMES)
    assert panel["unit"].nunique() == 3
    assert "从第一期起" in notes[0]


def test_gaps_are_normal_and_said():
    _, notes = check_panel(make_panel().iloc[:-1], **NAMES)
    assert "不是每一期" in notes[0]


def test_a_period_missing_for_everybody_is_said_and_serves_as_no_base():
    rows = [make_panel(year=[year, year + 1] * 4) for year in (1, 3, 6)]
    panel = pd.concat(rows, ignore_index=True)
    panel = panel.assign(cohort=panel["unit"].map({"a": 6.0, "b": 6.0}).fillna(0))
    panel = panel.assign(y=panel["y"].mask(panel["year"] == 4))
    checked, notes = check_panel(panel, **NAMES)
    assert "[4, 5]" in notes[0] and len(notes) == 1
    assert 4 not in set(checked["year"])


def test_clusters_of_one_unit_are_said():
    towns = {"a": "x", "b": "x", "c": "y", "d": "z"}
    _, notes = check_panel(
        make_panel(town=make_panel()["unit"].map(towns)), **NAMES, cluster="town"
    )
    assert notes == ["2个区域只有一个单位。"]


def test_too_few_units_are_said_and_no_error():
    _, notes = check_panel(make_panel(), **NAMES, min_treated=30, min_comparison=2)
    assert notes == ["参加的单位只有2个，少于计划所定的30个：太少，不足以下结论。"]


def make_risk_sets(**changes):
    rows = pd.DataFrame(
        {
            "cohort": 2020,
            "month": 24240,
            "person_id": list("abcd"),
            "treated": [1, 0, 0, 0],
            "cluster": list("xyxy"),
            "age": [30.0, 40, 50, 30],
            "untreated_until": [np.nan, np.nan, 2021, np.nan],
        }
    )
    return rows.assign(**changes)


def test_few_persons_are_no_error():
    assert check_risk_sets(make_risk_sets(), ["age"]) == []
    assert "没有可比的人群" in check_risk_sets(make_risk_sets().iloc[:0], ["age"])[0]
    notes = check_risk_sets(make_risk_sets(), ["age"], min_treated=30, min_comparison=100)
    assert len(notes) == 2 and "参加者少于计划所定的30人" in notes[0]


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
        ({"cluster": ["x", "y", None, "y"]}, "没有所属乡镇"),
        ({"age": [30, np.inf, 40, 50]}, "无穷大"),
        ({"untreated_until": [np.nan, 2019, np.nan, np.nan]}, "参加之后还被当作对照者"),
    ],
)
def test_risk_sets_that_cannot_be_are_refused(changes, message):
    with pytest.raises(EstimationError, match=message):
        check_risk_sets(make_risk_sets(**changes), ["age"])


def make_years(**changes):
    rows = [(person, year) for person in "abcd" for year in (2018, 2019, 2020)]
    years = pd.DataFrame(rows, columns=["person_id", "year"])
    return years.assign(**({"y": [0.0, 0, 1] * 4} | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"year": 2019}, "多行"),
        ({"y": 1.0}, "没有变化"),
        ({"y": [np.inf, *[0.0] * 11]}, "无穷大"),
        ({"y": list("一二三四五六七八九十百千")}, "不是数字"),
    ],
)
def test_yearly_outcomes_that_would_give_a_wrong_number_are_refused(changes, message):
    with pytest.raises(EstimationError, match=message):
        check_risk_sets(make_risk_sets(), [], make_years(**changes), "y")


def test_a_year_unknown_for_everybody_is_said():
    assert check_risk_sets(make_risk_sets(), [], make_years(), "y") == []
    notes = check_risk_sets(make_risk_sets(), [], make_years(y=[0, np.nan, 1] * 4), "y")
    assert "[2019]" in notes[0] and "[2020]" in notes[1]
    notes = check_risk_sets(make_risk_sets(), [], make_years(y=np.nan), "y")
    assert "没有任何已知的值" in notes[0]


def test_townships_of_one_person_and_cohorts_without_comparison_are_said():
    sets = make_risk_sets(cluster=["x", "y", "y", "y"], treated=1)
    notes = check_risk_sets(sets, [])
    assert notes == ["这些年份的参加者没有对照者：[2020]。", "有的乡镇只有一个人在可比人群中。"]
