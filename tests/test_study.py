"""Beliefs about the question that a study puts."""

from dataclasses import replace

import pandas as pd
import pytest

from evaluation.effects.aggregation import aggregate
from evaluation.effects.district import risk_set_effects
from evaluation.effects.study import shape_panel


@pytest.fixture
def study():
    rows = [
        (unit, year, int(unit == "a" and year >= 2021), cohort)
        for unit, cohort in (("a", 2021), ("b", None), ("c", None))
        for year in (2020, 2021)
    ]
    panel = pd.DataFrame(rows, columns=["unit", "year", "works", "first"])
    names = {"outcome": "works", "unit": "unit", "time": "year", "cohort": "first"}
    return shape_panel(panel, **names, control="never_treated")


def test_primary_effect_rests_on_the_horizon_or_without_one_on_all_times(study):
    assert study.primary_times is None
    assert replace(study, horizon=4).primary_times == [4]


def test_without_a_horizon_the_primary_effect_is_the_simple_average(study):
    tables = (study.risk_sets, study.years, study.stay_weights)
    chosen = {"event_times": study.primary_times}
    found = risk_set_effects(*tables, **study.settings(), **chosen)
    assert aggregate(found, "primary", study.horizon)["estimate"].item() == 1.0
