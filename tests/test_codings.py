"""How a stranger's columns are read."""

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.codings import code_units, read_cohorts, read_numbers, read_times
from evaluation.errors import EstimationError


@pytest.mark.parametrize(
    "never", [0, 9999, np.inf, None, "0", "9999", "inf", "never", "", "无"]
)
def test_never_treated_is_understood_in_every_usual_coding(never):
    assert read_cohorts(pd.Series([2004, never], dtype=object)).tolist()[0] == 2004
    assert read_cohorts(pd.Series([2004, never], dtype=object)).isna().tolist() == [False, True]


def test_cohort_in_other_words_is_refused():
    with pytest.raises(EstimationError, match="应为数字"):
        read_cohorts(pd.Series(["2004", "以后再说"]))


def test_numbers_are_read_from_text_and_words_are_refused():
    assert read_numbers(pd.Series(["1.5", None]), "y").tolist()[0] == 1.5
    with pytest.raises(EstimationError, match="“收入”一列含有不是数字"):
        read_numbers(pd.Series(["1.5", "很多"]), "收入")


def test_times_are_whole_numbers():
    assert read_times(pd.Series(["2003", "2004"]), "t").tolist() == [2003, 2004]
    assert read_times(pd.Series([2003.0, 2004.0]), "t").dtype == "int64"
    for values in ([2003.5], ["2003年"], [np.inf]):
        with pytest.raises(EstimationError, match="应为整数"):
            read_times(pd.Series(values), "t")


@pytest.mark.parametrize(
    "ids", [[7, 7, 9, 12], [9, 7, 12, 7], list("bbac"), [1.5, 0.5, 1.5, 9]]
)
def test_units_are_coded_in_their_order_whatever_they_are(ids):
    codes, units = code_units(pd.Series(ids))
    assert units.tolist() == sorted(set(ids))
    assert units[codes].tolist() == ids
