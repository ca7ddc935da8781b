"""Both designs are redrawn with strata of their own; where nothing can be, no row."""

import numpy as np
import pandas as pd

from evaluation.effects.second_opinion import COLUMNS, add_strata, randomize_designs
from evaluation.effects.study import Study


def make_study(n_treated=12, n_other=60, effect=0.0, horizon=1):
    rng = np.random.default_rng(2)
    n = n_treated + n_other
    treated = np.repeat([1, 0], [n_treated, n_other])
    people = [f"p{k}" for k in range(n)]
    sets = pd.DataFrame({
        "cohort": 2020, "month": 2020 * 12, "person_id": people, "treated": treated,
        "cluster": rng.integers(0, 3, n), "female": rng.integers(0, 2, n).astype(float),
        "age": rng.integers(30, 60, n).astype(float), "drawn": 1, "draw_share": 1.0,
        "untreated_until": np.nan, "hist_1": rng.random(n), "hist_2": rng.random(n),
    })  # fmt: skip
    rows = [(p, y, 0.0) for p in people for y in (2019, 2020, 2021)]
    years = pd.DataFrame(rows, columns=["person_id", "year", "work"])
    late = years["year"] == 2021
    years.loc[late, "work"] = rng.normal(size=n) + effect * treated
    others = sets.loc[sets["treated"] == 0, ["cohort", "person_id"]]
    stay = others.assign(year=2021, weight=1.0)
    return Study(
        kind="plan", policy="post", outcome="work", horizon=horizon, edition=2021,
        covariates=["female", "age"], persons=pd.DataFrame(), years=years, risk_sets=sets,
        stay_weights=stay, history=["hist_1", "hist_2"],
    )  # fmt: skip


def test_strata_hold_township_traits_and_for_levels_past_work():
    sets, strata = add_strata(make_study().risk_sets, ["hist_1", "hist_2"])
    assert strata == {
        "cs": ["cluster", "female", "older"],
        "balanced": ["worked", "cluster", "female", "older"],
    }
    assert set(sets["older"]) == {0, 1} and set(sets["worked"]) <= {0, 1, 2}


def test_one_row_per_design_that_finds_a_large_effect_and_no_small_one():
    large = randomize_designs(make_study(effect=5.0), 199, seed=1)
    assert list(large) == COLUMNS and large["design"].tolist() == ["cs", "balanced"]
    assert (large["p_value"] == 1 / 200).all() and (large["conf_low"] > 2).all()
    none = randomize_designs(make_study(), 199, seed=1)
    assert (none["p_value"] > 0.05).all()
    assert none["result_id"].tolist() == [
        f"2021.post.{design}.randomization.work.all" for design in ("cs", "balanced")
    ]


def test_no_cohort_due_is_no_row():
    assert randomize_designs(make_study(horizon=3), 9, seed=1).empty
