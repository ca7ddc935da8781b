"""The table of what a result withstands."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_up_effects import draw_group_time

from evaluation.effects.aggregation import GroupTime, aggregate
from evaluation.effects.events import gather_events
from evaluation.effects.sensitivity import COLUMNS, bound_horizon, tabulate_sensitivity

PLAN = {
    "sensitivity": {"m_bars": [0.0, 0.5, 1.0], "slope_changes": [0.0, 0.01]},
    "estimand": {"effect_that_matters": 0.05},
    "disclosure": {"min_count": 10},
    "designs": {"seed": 1},
}
STUDY = {"kind": "plan", "edition": 2024, "policy": "loan", "outcome": "employed_open"}
STUDY |= {"subgroup": "all", "event_times": range(-5, 4)}


@pytest.fixture
def group_time():
    return draw_group_time()


@pytest.fixture
def table(group_time):
    return tabulate_sensitivity(group_time, SimpleNamespace(**STUDY), 2, PLAN)


def test_every_row_has_a_name_and_the_persons_behind_it(table):
    assert table.columns.tolist() == COLUMNS
    assert table["result_id"].tolist() == [
        "2024.loan.cs.relative_magnitudes.employed_open.all.0",
        "2024.loan.cs.relative_magnitudes.employed_open.all.50",
        "2024.loan.cs.relative_magnitudes.employed_open.all.100",
        "2024.loan.cs.breakdown.employed_open.all",
        "2024.loan.cs.smoothness.employed_open.all.0",
        "2024.loan.cs.smoothness.employed_open.all.10",
        "2024.loan.cs.pretrend_joint.employed_open.all",
        "2024.loan.cs.pretrend_slope.employed_open.all",
        "2024.loan.cs.pretrend_points.employed_open.all",
    ]
    assert table["n_treated"].eq(100).all() and table["n_clusters"].eq(20).all()


@pytest.mark.parametrize("clustered", [1.0, 5.0])
def test_without_a_drift_the_bounds_are_the_reported_interval(group_time, clustered):
    """By person and by cluster alike: clusters that move together make it the wider one."""
    shared = np.random.default_rng(0).normal(size=(20, 6))[np.arange(400) % 20]
    influence = group_time.influence + (clustered - 1) * shared
    given = GroupTime(group_time.effects, influence, group_time.role, group_time.units)
    row = aggregate(given, "primary", 2).iloc[0]
    assert row["inference"] == ("cluster" if clustered > 1 else row["inference"])
    bounds = bound_horizon(gather_events(given, 2), [0.0]).iloc[0]
    assert bounds["conf_low"] == pytest.approx(row["conf_low"], rel=1e-5)
    assert bounds["conf_high"] == pytest.approx(row["conf_high"], rel=1e-5)


def test_bounds_are_the_wider_and_the_breakdown_the_earlier_of_both(group_time):
    events = gather_events(group_time, 2)
    assert set(events.covariances) == {"person", "cluster"}
    both = bound_horizon(events, [0.5], [0.01])
    for name in events.covariances:
        alone = {name: events.covariances[name]}
        if name == "cluster":
            alone = {"person": events.widened()[1]}
        single = bound_horizon(
            type(events)(events.times, events.estimates, alone, 20), [0.5], [0.01]
        )
        assert (both["m"] <= single["m"] + 1e-9).all()
        limits = single["term"] != "breakdown"
        assert (both["conf_low"] <= single["conf_low"] + 1e-9)[limits].all()
        assert (both["conf_high"] >= single["conf_high"] - 1e-9)[limits].all()


def test_an_event_time_of_few_persons_bounds_nobody(group_time):
    few = group_time.role.copy()
    few[5:100, 0] = 0
    given = GroupTime(group_time.effects, group_time.influence, few, group_time.units)
    assert gather_events(given, 2, least=10).times.tolist() == [-3, -2, 0, 1, 2]


def test_nothing_to_bound_is_an_empty_table(group_time):
    empty = tabulate_sensitivity(group_time, SimpleNamespace(**STUDY), 5, PLAN)
    assert empty.empty and empty.columns.tolist() == COLUMNS
