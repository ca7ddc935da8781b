"""Months after entry: lock-in seen, one comparison followed, cumulated months add up."""

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.curves import COLUMNS, choose_length, trace_months, weigh_at_entry
from evaluation.effects.study import Study

ENTRY = 2019 * 12


def make_study(n_treated=20, n_other=40, edition=2021):
    rng = np.random.default_rng(0)
    people = [f"p{k}" for k in range(n_treated + n_other)]
    treated = np.repeat([1, 0], [n_treated, n_other])
    age = np.where(treated == 1, rng.normal(40, 5, len(people)), rng.normal(44, 8, len(people)))
    sets = pd.DataFrame({
        "cohort": 2019, "month": ENTRY, "person_id": people, "treated": treated, "age": age,
        "hist_1": rng.random(len(people)), "drawn": 1, "draw_share": 1.0,
        "untreated_until": np.nan,
    })  # fmt: skip
    others = sets.loc[sets["treated"] == 0, ["cohort", "person_id"]]
    stay = others.merge(pd.DataFrame({"year": [2019, 2020, 2021]}), how="cross")
    return Study(
        kind="plan", policy="post", outcome="employed_open", horizon=1, edition=edition,
        covariates=["age"], persons=pd.DataFrame(), years=pd.DataFrame(), risk_sets=sets,
        stay_weights=stay.assign(weight=1.0), history=["hist_1"],
    )  # fmt: skip


def make_months(study, open_from=12, known=True):
    """Recipients in a post for a year and then in open work; the others work every month."""
    rows = []
    for person, treated in study.risk_sets[["person_id", "treated"]].to_numpy():
        for month in range(ENTRY, 2021 * 12 + 12):
            past = month - ENTRY
            at_work = float(past >= open_from) if treated else 1.0
            rows.append((person, month, at_work, float(treated and past < open_from)))
    return pd.DataFrame(rows, columns=["person_id", "month", "open", "post"])


def test_the_longest_time_for_which_enough_were_followed():
    sets = make_study().risk_sets
    assert choose_length(sets, 2021, 20) == 24
    assert choose_length(sets, 2023, 20) == 48
    assert choose_length(sets, 2021, 21) is None


def test_the_comparison_is_made_like_the_recipients_once():
    study = make_study()
    rows = weigh_at_entry(study.risk_sets, ["age"], ["hist_1"])
    own, others = rows[rows["treated"] == 1], rows[rows["treated"] == 0]
    for name in ("age", "hist_1"):
        assert np.average(others[name], weights=others["weight"]) == pytest.approx(
            own[name].mean()
        )
    assert others["weight"].sum() == pytest.approx(len(own))


def test_lock_in_and_what_it_cost_in_months():
    study = make_study()
    found = trace_months(study, make_months(study), least=20)
    assert list(found) == COLUMNS and found["month"].tolist() == list(range(25))
    by_month = found.set_index("month")
    assert by_month["treated_post"].loc[[0, 11, 12]].tolist() == [1, 1, 0]
    assert by_month["difference"].loc[[0, 11, 12, 24]].tolist() == [-1, -1, 0, 0]
    # Months 1 to 11 were lost, the month of entry is not counted.
    assert by_month["gained"].loc[24] == pytest.approx(-11)


def test_who_enters_later_leaves_the_comparison_and_an_unknown_month_both_sides():
    study = make_study()
    sets, months = study.risk_sets, make_months(study)
    sets.loc[sets["person_id"] == "p59", "untreated_until"] = 2020.0
    months.loc[(months["person_id"] == "p0") & (months["month"] == ENTRY + 5), "open"] = np.nan
    found = trace_months(study, months, least=20).set_index("month")
    assert found["n_comparison"].loc[[0, 24]].tolist() == [40, 39]
    assert found["n_treated"].loc[[4, 5, 6]].tolist() == [20, 19, 20]


def test_too_few_followed_is_an_empty_table():
    study = make_study(n_treated=5)
    assert trace_months(study, make_months(study), least=20).empty
