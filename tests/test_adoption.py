"""Randomization of adoption: all arrangements where they can be listed, the usual estimate."""

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.adoption import (
    is_adopted_by_cluster,
    prefer_randomization,
    randomize_adoption,
    sum_changes,
)
from evaluation.effects.aggregation import aggregate, interval, pool_term
from evaluation.effects.did import group_time_effects
from evaluation.effects.district import risk_set_effects
from evaluation.effects.estimates import tabulate_estimates
from evaluation.effects.study import read_outside
from evaluation.errors import EstimationError

NAMES = {"outcome": "y", "unit": "unit", "time": "time", "cohort": "cohort", "cluster": "town"}


def make_panel(first, per_town=5, times=6, effect=0.0, seed=1):
    rng = np.random.default_rng(seed)
    towns = np.repeat(np.arange(len(first)), per_town)
    rows = []
    for t in range(times):
        entered = np.array(first, dtype=float)[towns]
        y = rng.normal(size=len(towns)) + towns + 0.3 * t + effect * (t >= entered)
        rows.append(pd.DataFrame({"unit": range(len(towns)), "time": t, "town": towns, "y": y}))
    panel = pd.concat(rows, ignore_index=True)
    entry = pd.Series(first, dtype=float).replace(np.inf, np.nan)
    return panel.assign(cohort=panel["town"].map(entry))


FIRST = [3, 3, 4, np.inf, np.inf, np.inf, np.inf]


@pytest.mark.parametrize("control", ["not_yet_treated", "never_treated"])
def test_estimate_and_error_are_those_of_the_design_by_cluster(control):
    panel = make_panel(FIRST)
    found = group_time_effects(panel, **NAMES, control=control)
    pooled = pool_term(found, "simple")
    changes = sum_changes(panel, **NAMES, control=control)
    result = randomize_adoption(changes, 49, seed=1)
    assert result.estimate == pytest.approx(pooled.estimate, abs=1e-12)
    psi = pd.Series(pooled.influence).groupby(found.units["cluster"], observed=True).sum()
    error = np.sqrt(7 / 6 * np.sum((psi / len(pooled.influence)) ** 2))
    row = interval(pooled, found.units["cluster"])
    assert row["inference"] != "cluster" or error == pytest.approx(row["std_error"])
    from evaluation.effects.adoption import _estimate

    estimate, ratio = _estimate(changes, changes.first[None, :], 0.0)
    assert estimate[0] / ratio[0] == pytest.approx(error, rel=1e-9)


def test_a_horizon_takes_one_event_time_only():
    panel = make_panel(FIRST)
    changes = sum_changes(panel, **NAMES, horizon=1)
    row = aggregate(group_time_effects(panel, **NAMES), "primary", 1).iloc[0]
    result = randomize_adoption(changes, 9, seed=1)
    assert result.estimate == pytest.approx(row["estimate"], abs=1e-12)


def test_few_arrangements_are_all_made_and_each_once():
    changes = sum_changes(make_panel([3, 3, np.inf, np.inf, np.inf]), **NAMES)
    result = randomize_adoption(changes, 999, seed=1)
    assert result.n_draws == 9  # ten ways of choosing two towns of five
    assert result.p_value * 10 == pytest.approx(round(result.p_value * 10))


def test_a_large_effect_is_the_most_extreme_arrangement():
    changes = sum_changes(make_panel([3, 3, 3, *[np.inf] * 6], effect=9.0), **NAMES)
    result = randomize_adoption(changes, 999, seed=1)
    assert result.p_value == pytest.approx(1 / 84)
    assert result.conf_low < 9 < result.conf_high and result.conf_low > 0


def test_the_interval_moves_with_the_effect():
    plain, moved = (
        randomize_adoption(sum_changes(make_panel(FIRST, effect=e), **NAMES), 199, seed=4)
        for e in (0.0, 2.0)
    )
    assert moved.conf_low == pytest.approx(plain.conf_low + 2, abs=1e-6)
    assert moved.conf_high == pytest.approx(plain.conf_high + 2, abs=1e-6)


def test_units_that_enter_apart_from_their_cluster_are_refused():
    panel = make_panel(FIRST)
    panel.loc[panel["unit"] == 0, "cohort"] = 5.0
    assert not is_adopted_by_cluster(panel, "cohort", "town")
    with pytest.raises(EstimationError, match="不是同时参加"):
        sum_changes(panel, **NAMES)


def outside_study(panel, tmp_path, cluster="town"):
    panel.to_csv(tmp_path / "panel.csv", index=False)
    names = {"outcome": "y", "unit": "unit", "time": "time", "cohort": "cohort"}
    return read_outside(
        tmp_path / "panel.csv", "road", -1, **names, cluster=cluster,
        covariates="none", control="not_yet_treated",
    )  # fmt: skip


def tabulate(study):
    design = risk_set_effects(
        study.risk_sets, study.years, study.stay_weights, **study.settings()
    )
    labels = {"year": study.edition, "policy": "road", "outcome": "y", "horizon": None}
    return tabulate_estimates({"cs": design}, **labels)


PLAN = {"randomization": {"draws": 99}, "designs": {"seed": 1}}


def test_few_towns_that_enter_as_wholes_are_judged_by_randomization(tmp_path):
    study = outside_study(make_panel(FIRST, effect=2.0), tmp_path)
    table = tabulate(study)
    found = prefer_randomization(table, study, "not_yet_treated", PLAN)
    row = found[found["term"] == "simple"].iloc[0]
    assert row["inference"] == "randomization" and np.isnan(row["std_error"])
    before = table[table["term"] == "simple"].iloc[0]
    assert row["estimate"] == pytest.approx(before["estimate"])
    assert row["p_value"] != before["p_value"]
    others = found["term"].isin(["dynamic", "event"])
    assert (found.loc[others, "inference"] != "randomization").all()


def test_many_towns_or_units_of_their_own_keep_the_usual_interval(tmp_path):
    many = outside_study(make_panel([3] * 10 + [np.inf] * 10, per_town=2), tmp_path)
    alone = outside_study(make_panel(FIRST, per_town=1), tmp_path, cluster="unit")
    for study in (many, alone):
        table = tabulate(study)
        assert prefer_randomization(table, study, "not_yet_treated", PLAN) is table
