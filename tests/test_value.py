import numpy as np
import pandas as pd
import pytest

from evaluation.effects.value import fieller_interval, value_policy

NAME = "2024.loan.published.primary.employed_open.all"
ESTIMATES = pd.DataFrame(
    {
        "result_id": [
            NAME,
            NAME.replace("published", "cs"),
            NAME.replace("published", "balanced"),
        ],
        "estimate": [0.15, 0.2, 0.1],
        "std_error": [np.nan, 0.02, 0.01],
        "conf_low": [0.08, 0.1608, 0.0804],
        "conf_high": [0.24, 0.2392, 0.1196],
    }
)
INFLUENCE = pd.DataFrame(
    {
        "person_id": list("abcd"),
        "treated": [1, 1, 0, 0],
        "cs": [0.01, -0.01, 0.01, -0.01],
        "balanced": [0.0, 0.0, 0.01, -0.01],
    }
)
PATHS = pd.DataFrame(
    {"event_time": 2, "group": ["treated", "comparison"], "share": [0.75, 0.6]}
)
COSTS = pd.Series({"a": 12_000.0, "b": 8_000.0, "c": 99_999.0})


def judge(verdict, estimates=ESTIMATES):
    row = {"policy": "loan", "verdict": verdict, "result_id": NAME}
    row = pd.Series(row | {"horizon": 2, "n_evaluated": 2})
    return value_policy(row, estimates, INFLUENCE, PATHS, COSTS)


def test_a_certain_cost_turns_the_limits_of_the_effect_around():
    low, high = fieller_interval(10_000, 0.2, 0.0, 0.02**2, 0.0, 1.96)
    assert low == pytest.approx(10_000 / (0.2 + 1.96 * 0.02))
    assert high == pytest.approx(10_000 / (0.2 - 1.96 * 0.02))


def test_an_effect_that_may_be_zero_has_no_upper_limit():
    assert fieller_interval(10_000, 0.2, 0.0, 0.15**2, 0.0, 1.96) is None


def test_cost_moving_with_the_effect_narrows_the_interval():
    apart = fieller_interval(10_000, 0.2, 500.0**2, 0.02**2, 0.0, 1.96)
    together = fieller_interval(10_000, 0.2, 500.0**2, 0.02**2, 8.0, 1.96)
    assert together[1] - together[0] < apart[1] - apart[0]


def test_only_an_effective_verdict_has_a_price():
    row = judge("effective")
    assert row["state"] == "bounded"
    assert row["cost_per_participant"] == pytest.approx(10_000)
    assert row["cost_per_job"] == pytest.approx(10_000 / 0.15)
    assert row["deadweight"] == pytest.approx(0.8)
    assert row["conf_low"] < row["cost_per_job"] < row["conf_high"]


@pytest.mark.parametrize("verdict", ["cannot_tell", "too_small", "do_not_conclude"])
def test_without_an_effect_the_price_is_unbounded(verdict):
    row = judge(verdict)
    assert row["state"] == "unbounded"
    assert np.isnan(row["cost_per_job"])
    assert row["cost_per_participant"] == pytest.approx(10_000)


def test_harm_has_no_price():
    assert judge("harmful")["state"] == "none"
    below = ESTIMATES.assign(conf_high=-0.01)
    assert judge("do_not_conclude", below)["state"] == "none"


def test_without_a_published_row_there_is_no_value():
    assert judge("not_due", ESTIMATES.iloc[1:])["state"] == "none"
