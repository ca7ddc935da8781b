import numpy as np
import pandas as pd
import pytest

from evaluation.effects.aggregation import aggregate, interval, pool, pool_term
from evaluation.effects.did import doubly_robust_did, group_time_effects
from evaluation.effects.district import comparison_weights, risk_set_effects
from evaluation.errors import EstimationError

CHANGE = np.array([3.0, 5.0, 1.0, 1.0, 2.0, 4.0])
TREATED = np.array([1, 1, 0, 0, 0, 0])


def make_panel():
    """Four units, two of them treated in year 3, one in year 4."""
    return pd.DataFrame(
        {
            "unit": np.repeat(list("abcd"), 2),
            "year": [2, 3] * 4,
            "cohort": np.repeat([3.0, 3.0, np.nan, 4.0], 2),
            "y": [0.0, 2, 1, 4, 0, 1, 2, 2],
        }
    )


@pytest.mark.parametrize("method", ["dr", "reg", "ipw"])
def test_without_covariates_every_method_is_the_difference_of_means(method):
    effect, influence, _ = doubly_robust_did(CHANGE, TREATED, method=method)
    assert effect == pytest.approx(4 - 2)
    assert influence.sum() == pytest.approx(0, abs=1e-12)


def test_a_weight_of_two_is_a_row_twice():
    weighted, *_ = doubly_robust_did(CHANGE, TREATED, weights=np.array([1, 1, 2, 1, 1, 1]))
    twice, *_ = doubly_robust_did(np.r_[CHANGE, 1.0], np.r_[TREATED, 0])
    assert weighted == pytest.approx(twice)


def test_scale_of_a_covariate_does_not_matter():
    x = np.array([[1.0], [2], [1.5], [2.5], [1], [3]])
    assert doubly_robust_did(CHANGE, TREATED, x)[0] == pytest.approx(
        doubly_robust_did(CHANGE, TREATED, 1e6 * x + 5)[0]
    )


def test_a_constant_covariate_changes_nothing():
    ones = np.full((6, 1), 7.0)
    assert doubly_robust_did(CHANGE, TREATED, ones)[0] == pytest.approx(2)


def test_no_comparison_is_refused():
    with pytest.raises(EstimationError, match="没有参加者或没有对照者"):
        doubly_robust_did(CHANGE, np.ones(6))


def test_separating_covariate_leaves_a_finite_estimate():
    effect, *_ = doubly_robust_did(CHANGE, TREATED, (10.0 * TREATED + np.arange(6))[:, None])
    assert np.isfinite(effect)


def test_later_treated_units_are_a_comparison_until_treated():
    panel = make_panel()
    names = {"outcome": "y", "unit": "unit", "time": "year", "cohort": "cohort"}
    both = group_time_effects(panel, **names, control="not_yet_treated")
    never = group_time_effects(panel, **names, control="never_treated")
    both, never = (found.effects.query("event_time >= 0").iloc[0] for found in (both, never))
    assert (both["n_comparison"], never["n_comparison"]) == (2, 1)
    assert both["estimate"] == pytest.approx(2.5 - 0.5)
    assert never["estimate"] == pytest.approx(2.5 - 1.0)


def test_order_of_rows_does_not_matter():
    names = {"outcome": "y", "unit": "unit", "time": "year", "cohort": "cohort"}
    panel = make_panel()
    first = aggregate(group_time_effects(panel, **names), "simple")
    again = aggregate(group_time_effects(panel.iloc[::-1], **names), "simple")
    pd.testing.assert_frame_equal(first, again)


def make_risk_sets():
    """One cohort of two, four comparison persons, of whom one enters a year later."""
    return pd.DataFrame(
        {
            "cohort": 2020,
            "month": 2020 * 12,
            "person_id": list("abcdef"),
            "treated": [1, 1, 0, 0, 0, 0],
            "cluster": list("xyxyxy"),
            "drawn": 1,
            "draw_share": 1.0,
            "untreated_until": [np.nan, np.nan, 2021, np.nan, np.nan, np.nan],
        }
    )


def make_years():
    rows = [(p, y) for p in "abcdef" for y in (2019, 2020, 2021)]
    years = pd.DataFrame(rows, columns=["person_id", "year"])
    works = {"a": [0, 1, 1], "b": [0, 0, 1], "c": [0, 1, 1], "d": [0, 1, 0]}
    values = [works.get(p, [0, 0, 0])[y - 2019] for p, y in rows]
    return years.assign(employed_open=np.array(values, dtype=float))


STAY = pd.DataFrame(
    {
        "cohort": 2020,
        "person_id": list("cdef") + list("def"),
        "year": [2020] * 4 + [2021] * 3,
        "weight": [1.0, 1, 1, 1, 1, 1, 2],
    }
)


def test_who_enters_later_is_no_comparison_from_that_year_on():
    effects = risk_set_effects(
        make_risk_sets(),
        make_years(),
        STAY,
        outcome="employed_open",
        covariates=[],
        edition=2021,
    ).effects
    assert effects["time"].tolist() == [2020, 2021]
    assert effects["n_comparison"].tolist() == [4, 3]
    assert effects["estimate"].tolist() == pytest.approx([0.5 - 0.5, 1.0 - 0.0])


def test_weights_before_entry_leave_nobody_out():
    weights = comparison_weights({}, 2020, 2019, make_risk_sets())
    assert weights.tolist() == [1.0] * 6


def test_years_before_entry_can_be_compared_with_the_persons_of_the_horizon():
    earlier = make_years().query("year == 2019").assign(year=2018, employed_open=[1, 0] * 3)
    years = pd.concat([make_years(), earlier])
    known = {"outcome": "employed_open", "covariates": [], "edition": 2021}
    everybody, at_horizon = (
        risk_set_effects(make_risk_sets(), years, STAY, **known, compared_at=at).effects
        for at in (None, 1)
    )
    assert everybody["n_comparison"].tolist() == [4, 4, 3]
    assert at_horizon["n_comparison"].tolist() == [3, 4, 3]  # without who enters in 2021
    # 2018 less 2019: treated 1 and 0; of d, e, f (0, 1, 0) the last stands for two
    assert everybody["estimate"][0] == pytest.approx(0.5 - 0.5)
    assert at_horizon["estimate"][0] == pytest.approx(0.5 - 1 / 4)
    pd.testing.assert_frame_equal(everybody[1:], at_horizon[1:])
    late = risk_set_effects(make_risk_sets(), years, STAY, **known, compared_at=9).effects
    pd.testing.assert_frame_equal(late, at_horizon)  # not reached: the edition's


def test_unknown_outcome_is_left_out_and_not_zero():
    years = make_years()
    years.loc[(years["person_id"] == "a") & (years["year"] == 2021), "employed_open"] = np.nan
    effects = risk_set_effects(
        make_risk_sets(), years, STAY, outcome="employed_open", covariates=[], edition=2021
    ).effects
    assert effects.set_index("time").loc[2021, "n_treated"] == 1


def test_interval_is_the_wider_of_person_and_township():
    found = group_time_effects(
        make_panel(), outcome="y", unit="unit", time="year", cohort="cohort"
    )
    simple = pool_term(found, "simple")
    person = interval(simple, found.units["unit"])
    town = interval(simple, ["x", "y", "x", "y"])
    assert person["inference"] == "person"
    assert town["inference"] == "cluster"
    assert town["conf_low"] < person["conf_low"]


def test_pooling_one_effect_gives_it_back():
    found = group_time_effects(
        make_panel(), outcome="y", unit="unit", time="year", cohort="cohort"
    )
    one = pool(found, [0])
    np.testing.assert_allclose(one.influence, found.influence[:, 0])
