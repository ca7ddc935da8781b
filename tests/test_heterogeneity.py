"""Subgroups of the plan: all groups of a split or none, and whether they differ."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.aggregation import interval, pool_at
from evaluation.effects.differences import subtract
from evaluation.effects.district import risk_set_effects
from evaluation.effects.heterogeneity import add_groups, tabulate_subgroups
from evaluation.effects.study import Study
from evaluation.errors import PlanError

PLAN = {
    "heterogeneity": {"subgroups": ["female", "age_group"]},
    "gates": {"min_treated": 30, "min_comparison": 100},
}


def make_study(n_treated=100, n_other=400, women=0.5, effect=(0.0, 0.0)):
    """One cohort, entering in 2019, seen at the ends of 2018 and 2020; effect by sex."""
    rng = np.random.default_rng(1)
    n = n_treated + n_other
    people, treated = [f"p{k}" for k in range(n)], np.repeat([1, 0], [n_treated, n_other])
    female = (rng.random(n) < women).astype(float)
    sets = pd.DataFrame({
        "cohort": 2019, "month": 2019 * 12, "entry_month": 1, "person_id": people,
        "treated": treated,
        "cluster": rng.integers(0, 6, n), "female": female, "drawn": 1, "draw_share": 1.0,
        "age": rng.integers(25, 60, n).astype(float), "untreated_until": np.nan,
        "hist_1": rng.random(n),
    })  # fmt: skip
    before = rng.normal(size=n)
    gain = np.where(female == 1, effect[1], effect[0]) * treated
    parts = [
        pd.DataFrame({"person_id": people, "year": year, "work": level})
        for year, level in ((2018, before), (2020, before + gain + rng.normal(0, 0.5, n)))
    ]
    others = sets.loc[sets["treated"] == 0, ["cohort", "person_id"]]
    return Study(
        kind="plan", policy="loan", outcome="work", horizon=1, edition=2020,
        covariates=["age"], persons=pd.DataFrame(), years=pd.concat(parts), risk_sets=sets,
        stay_weights=others.assign(year=2020, weight=1.0), history=["hist_1"],
    )  # fmt: skip


def test_effects_that_differ_by_sex_are_found_to_differ_and_others_not():
    table = tabulate_subgroups(make_study(effect=(0.0, 3.0)), PLAN)
    found = table[table["design"] == "published"].set_index("subgroup")
    assert found.loc["female=male", "conf_low"] < 0 < found.loc["female=male", "conf_high"]
    assert found.loc["female=female", "conf_low"] > 1
    assert found.loc["female", "p_adjusted"] < 0.01
    assert found.loc["age_group", "p_adjusted"] > 0.05
    assert found.loc["female", "term"] == "difference"
    assert table["result_id"].is_unique


def test_a_split_with_one_small_group_is_not_shown_at_all():
    table = tabulate_subgroups(make_study(women=0.1), PLAN)
    assert {name.split("=")[0] for name in table["subgroup"]} == {"age_group"}


def test_cohorts_are_each_compared_with_the_first():
    study = make_study(n_treated=300, n_other=900)
    later = study.risk_sets["person_id"].str[1:].astype(int) % 2 == 1
    cohort = study.risk_sets["cohort"] + later
    sets = study.risk_sets.assign(cohort=cohort, month=cohort * 12).sort_values("cohort")
    more = study.years[study.years["year"] == 2020]
    more = [more.assign(year=year, work=more["work"] + year) for year in (2019, 2021)]
    stay = pd.concat([study.stay_weights.assign(cohort=g, year=g + 1) for g in (2019, 2020)])
    study = replace(
        study, risk_sets=sets, edition=2021, stay_weights=stay,
        years=pd.concat([study.years, *more]),
    )  # fmt: skip
    table = tabulate_subgroups(study, PLAN | {"heterogeneity": {"subgroups": ["cohort"]}})
    published = table[table["design"] == "published"]
    assert published["term"].tolist() == ["primary", "primary", "difference"]
    assert published["subgroup"].tolist() == ["cohort=2019", "cohort=2020", "cohort"]
    first, second, difference = published["estimate"]
    assert difference == pytest.approx(second - first)


def test_a_split_that_nobody_knows_is_refused_in_words():
    with pytest.raises(PlanError, match="bloodtype"):
        tabulate_subgroups(make_study(), PLAN | {"heterogeneity": {"subgroups": ["bloodtype"]}})


def test_nothing_to_split_is_an_empty_table_of_the_usual_columns():
    table = tabulate_subgroups(make_study(n_treated=20), PLAN)
    assert table.empty and "result_id" in table


def test_who_stands_in_both_groups_is_counted_once_in_the_difference():
    study = make_study()
    tables = (study.years, study.stay_weights)
    whole = risk_set_effects(study.risk_sets, *tables, **study.settings())
    none, _ = subtract(whole, whole, 1)
    assert none.estimate == 0 and not none.influence.any()
    half = study.risk_sets["female"] == 1
    first, second = (
        risk_set_effects(study.risk_sets[part], *tables, **study.settings())
        for part in (half, ~half)
    )
    apart, cluster = subtract(first, second, 1)
    errors = [interval(pool_at(p, 1), p.units["unit"])["std_error"] for p in (first, second)]
    together = interval(apart, np.arange(len(cluster)))["std_error"]
    assert together == pytest.approx(np.hypot(*errors))


def test_the_kind_of_post_is_known_of_recipients_only():
    study = make_study(n_treated=4, n_other=2)
    persons = pd.DataFrame({"person_id": [f"p{k}" for k in range(6)], "post_rural": [1, 0] * 3})
    sets = add_groups(replace(study, policy="post", persons=persons))
    assert sets["rural_post"].tolist()[:4] == [1, 0, 1, 0]
    assert sets["rural_post"].isna().tolist()[4:] == [True, True]
