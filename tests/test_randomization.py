"""Randomization inference: exact where it can be listed, of the right size, in its strata."""

import itertools

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.assignment import Assignment, build_assignment
from evaluation.effects.randomization import randomize
from evaluation.errors import EstimationError


def assignment(outcome, treated, stratum=None, weight=None, cohort=None):
    y, d = np.array(outcome, dtype=float), np.array(treated, dtype=float)
    w = np.ones(len(y)) if weight is None else np.array(weight, dtype=float)
    cohort = np.zeros(len(y), dtype=int) if cohort is None else np.array(cohort)
    stratum = cohort if stratum is None else np.array(stratum)
    return Assignment(cohort, stratum, d == 1, w, y - y.mean(), d - d.mean())


def listed_p_value(outcome, treated):
    """Share of all choices of as many recipients whose studentized difference is as large."""
    y, n = np.array(outcome, dtype=float), int(sum(treated))

    def ratio(chosen):
        own, rest = y[list(chosen)], np.delete(y, chosen)
        error = np.sqrt(own.var() / len(own) + rest.var() / len(rest))
        return abs(own.mean() - rest.mean()) / error

    actual = ratio(tuple(np.flatnonzero(treated)))
    found = [ratio(c) for c in itertools.combinations(range(len(y)), n)]
    return np.mean(np.array(found) >= actual - 1e-9)


def test_the_p_value_is_the_share_of_all_assignments_that_could_be_listed():
    y, d = [5.1, 4.2, 6.3, 1.4, 2.5, 3.6, 2.7, 1.8], [1, 1, 1, 0, 0, 0, 0, 0]
    result = randomize(assignment(y, d), draws=20_000, seed=1)
    assert result.p_value == pytest.approx(listed_p_value(y, d), abs=0.005)
    assert result.estimate == pytest.approx(np.mean(y[:3]) - np.mean(y[3:]))
    assert result.conf_low < result.estimate < result.conf_high


def test_the_same_seed_gives_the_same_result():
    one = assignment([1, 0, 1, 0, 1, 0, 0, 1], [1, 1, 0, 0, 0, 0, 0, 0])
    assert randomize(one, 99, seed=3) == randomize(one, 99, seed=3)


def test_the_interval_moves_with_a_constant_effect():
    rng = np.random.default_rng(5)
    d = np.repeat([1, 0], [20, 100])
    y = rng.normal(size=120)
    plain, moved = (randomize(assignment(y + e * d, d), 499, seed=2) for e in (0.0, 0.7))
    assert moved.conf_low == pytest.approx(plain.conf_low + 0.7, abs=1e-6)
    assert moved.conf_high == pytest.approx(plain.conf_high + 0.7, abs=1e-6)


def test_recipients_change_places_only_within_their_stratum():
    # Strata differ by 10; without them the difference would look like nothing unusual.
    y = [11, 12, 10, 11, 12, 10.5, 0, 1, 0.5, 1.5, 0.2, 0.8]
    d, stratum = [1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], [0] * 6 + [1] * 6
    result = randomize(assignment(y, d, stratum), 2_000, seed=1)
    assert result.n_movable == 2
    alone = assignment(y, d, [0, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3])
    with pytest.raises(EstimationError, match="互换"):
        randomize(alone, 99, seed=1)


def test_false_alarms_are_near_their_nominal_share_for_large_groups():
    rng = np.random.default_rng(0)
    d = np.repeat([1, 0], [200, 800])
    result = randomize(assignment(rng.normal(size=1000), d), 999, seed=1)
    assert 0.03 < result.false_alarms < 0.075


def test_a_true_effect_raises_no_false_alarm():
    """Recipients weigh more than the comparison, so few of them are drawn as recipients."""
    rng = np.random.default_rng(0)
    d = np.repeat([1, 0], [200, 1800])
    weight = np.r_[np.ones(200), rng.uniform(0.02, 0.6, 1800)]
    y = rng.normal(size=2000)
    plain, moved = (
        randomize(assignment(y + effect * d, d, weight=weight), 999, seed=1)
        for effect in (0.0, 1.0)
    )
    assert moved.p_value == 0.001
    assert moved.false_alarms == plain.false_alarms < 0.075


def test_drawing_by_weight_makes_redrawn_recipients_like_the_weighted_comparison():
    """Rows with large weights have large outcomes; recipients come from the weighted ones."""
    rng = np.random.default_rng(1)
    rejected = 0
    for _ in range(40):
        weight = rng.uniform(0.1, 1, 150)
        theirs = rng.choice(weight, 20, p=weight / weight.sum())
        y = np.r_[theirs, weight] + rng.normal(0, 0.3, 170)
        d = np.repeat([1, 0], [20, 150])
        one = assignment(y, d, weight=np.r_[np.ones(20), weight])
        rejected += randomize(one, 199, seed=1).p_value <= 0.05
    assert rejected <= 6


def risk_sets(rows):
    names = ["cohort", "person_id", "treated", "cluster", "poor", "untreated_until"]
    sets = pd.DataFrame(rows, columns=names)
    return sets.assign(drawn=1, draw_share=1.0, month=sets["cohort"] * 12)


def test_district_rows_are_those_with_known_outcomes_and_strata_widen_where_needed():
    sets = risk_sets([
        (2020, "a", 1, "t1", 0, None), (2020, "b", 0, "t1", 0, None),
        (2020, "c", 1, "t2", 1, None), (2020, "d", 0, "t1", 1, None),
        (2020, "e", 0, "t1", 0, 2021), (2020, "f", 0, "t1", 0, None),
    ])  # fmt: skip
    years = pd.DataFrame(
        [(p, y, float(p in "ac" and y == 2021)) for p in "abcde" for y in (2019, 2021)],
        columns=["person_id", "year", "y"],
    )
    stay = pd.DataFrame(
        {"cohort": 2020, "person_id": list("bdef"), "year": 2021, "weight": 1.5}
    )
    found = build_assignment(
        sets, years, stay, outcome="y", horizon=1, cohorts=[2020],
        adjust_for=[], strata=["cluster", "poor"],
    )  # fmt: skip
    # e enters by 2021, f was never seen; c has nobody of its township.
    assert found.treated.tolist() == [True, False, True, False]
    assert found.weight.tolist() == [1.0, 1.5, 1.0, 1.5]
    a, b, c, d = found.stratum
    assert a == b and c == d != a
