"""What must not change an estimate, and what must change it in a known way.

No true value is needed: the same panel written down differently has the same effects.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from evaluation.effects.adoption import randomize_adoption, sum_changes
from evaluation.effects.aggregation import TERMS, aggregate_terms
from evaluation.effects.assignment import build_assignment
from evaluation.effects.balancing import balanced_effects, stack_sets
from evaluation.effects.did import group_time_effects
from evaluation.effects.district import risk_set_effects
from evaluation.effects.randomization import randomize
from evaluation.effects.study import shape_panel
from evaluation.effects.value import fieller_interval

NAMES = {"outcome": "y", "unit": "unit", "time": "year", "cohort": "cohort", "cluster": "town"}
CHINESE = {
    "y": "收入",
    "unit": "编号",
    "year": "年份",
    "cohort": "首次参加",
    "town": "乡镇",
    "x": "年龄",
}
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high"]


@pytest.fixture(scope="module")
def panel():
    """240 units in 12 towns over 5 years; entry in years 3 and 5, half never; one gap."""
    rng = np.random.default_rng(8)
    n, years = 240, np.arange(1, 6)
    x, level, town = rng.normal(size=n), rng.normal(size=n), rng.integers(0, 12, n)
    entry = np.where(rng.random(n) < 0.5, np.nan, rng.choice([3.0, 5.0], n))
    y = level[:, None] + 0.3 * years * x[:, None] + rng.normal(size=(n, 5))
    y += 0.8 * (years >= np.nan_to_num(entry, nan=99)[:, None])
    frame = pd.DataFrame({"unit": np.arange(n) + 100, "cohort": entry, "town": town, "x": x})
    frame = frame.loc[frame.index.repeat(5)].reset_index(drop=True)
    frame = frame.assign(year=np.tile(years, n), y=y.ravel())
    return frame.drop(index=[7, 400])


def shuffle(frame, seed=3):
    return frame.sample(frac=1, random_state=seed).reset_index(drop=True)


# Each: the panel told otherwise, and by what an effect is multiplied.
RETOLD = {
    "rows shuffled": (shuffle, 1),
    "columns in Chinese": (lambda p: p.rename(columns=CHINESE), 1),
    "an index of words": (lambda p: p.set_axis([f"row {i}" for i in range(len(p))]), 1),
    "columns turned round and another added": (lambda p: p[p.columns[::-1]].assign(z="?"), 1),
    "ids as text": (lambda p: p.assign(unit="人" + p["unit"].astype(str)), 1),
    "years shifted": (lambda p: p.assign(year=p["year"] + 2000, cohort=p["cohort"] + 2000), 1),
    "outcome scaled": (lambda p: p.assign(y=p["y"] * 1000), 1000),
    "outcome shifted": (lambda p: p.assign(y=p["y"] + 50), 1),
    "outcome shifted year by year": (lambda p: p.assign(y=p["y"] + p["year"] ** 2), 1),
    "towns renamed": (lambda p: p.assign(town="镇" + (99 - p["town"]).astype(str)), 1),
    "covariate rescaled": (lambda p: p.assign(x=3 - 1e4 * p["x"]), 1),
    "never as 0": (lambda p: p.assign(cohort=p["cohort"].fillna(0)), 1),
}


def read_names(frame):
    """Roles of the columns, whichever language they are in."""
    chinese = "年份" in frame
    own = {role: CHINESE[name] if chinese else name for role, name in NAMES.items()}
    return own | {"covariates": [CHINESE["x"] if chinese else "x"]}


def shape(frame):
    return shape_panel(frame, **read_names(frame), control="not_yet_treated")


def by_direct(frame):
    if frame[read_names(frame)["cohort"]].eq(0).any():
        frame = frame.assign(cohort=frame["cohort"].replace(0, np.nan))
    return group_time_effects(frame, **read_names(frame))


def by_risk_sets(frame):
    study = shape(frame)
    tables = study.risk_sets, study.years, study.stay_weights
    return risk_set_effects(*tables, **study.settings())


def by_balancing(frame):
    study = shape(frame)
    stacked = stack_sets(study.risk_sets, study.covariates, study.history)
    return balanced_effects(stacked, study.years, study.stay_weights, **study.settings())[0]


DESIGNS = {"direct": by_direct, "cs": by_risk_sets, "balanced": by_balancing}


@pytest.fixture(scope="module")
def plain(panel):
    return {name: tabulate(design(panel)) for name, design in DESIGNS.items()}


def tabulate(effects):
    rows = aggregate_terms(effects, [*TERMS, "event", "group_time"])
    first = rows["cohort"].min()
    return rows.assign(cohort=rows["cohort"] - first)


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("change", RETOLD)
def test_the_same_panel_told_otherwise_has_the_same_effects(panel, plain, design, change):
    tell, factor = RETOLD[change]
    found, expected = tabulate(DESIGNS[design](tell(panel))), plain[design].copy()
    expected[NUMBERS] *= factor
    np.testing.assert_allclose(found[NUMBERS], expected[NUMBERS], rtol=1e-7, atol=1e-9 * factor)
    rest = expected.columns.difference([*NUMBERS, "p_value"])
    pd.testing.assert_frame_equal(found[rest], expected[rest])


def test_the_opposite_outcome_has_the_opposite_effects(panel, plain):
    for name, design in DESIGNS.items():
        found, expected = tabulate(design(panel.assign(y=-panel["y"]))), plain[name]
        np.testing.assert_allclose(found["estimate"], -expected["estimate"], rtol=1e-7)
        np.testing.assert_allclose(found["conf_low"], -expected["conf_high"], rtol=1e-7)


def test_units_that_are_no_comparison_change_no_effect(panel, plain):
    """Treated from the start on, or seen once: left out, whatever their outcomes."""
    others = panel[panel["unit"] < 110].assign(unit=lambda p: p["unit"] + 9000, y=77.0)
    always, once = others.assign(cohort=1.0), others[others["year"] == 4]
    once = once.assign(unit=once["unit"] + 900)
    found = tabulate(by_risk_sets(pd.concat([panel, always, once], ignore_index=True)))
    np.testing.assert_allclose(found[NUMBERS], plain["cs"][NUMBERS], rtol=1e-7)


def test_every_unit_twice_keeps_the_effects_and_shrinks_the_errors_by_person(panel, plain):
    twin = panel.assign(unit=panel["unit"] + 1000, town=panel["town"])
    found = aggregate_terms(by_direct(pd.concat([panel, twin])), TERMS)
    expected = plain["direct"].set_index("term").loc[list(TERMS)]
    np.testing.assert_allclose(found["estimate"], expected["estimate"], rtol=1e-9)


def weigh(study):
    """The study with weights that differ, as the district's do."""
    stay, sets = study.stay_weights, study.risk_sets
    weight = 1 + (stay["person_id"] % 7) / 5 + (stay["year"] - 3) / 10
    share = 0.5 + (sets["person_id"] % 5) / 5
    return replace(
        study, stay_weights=stay.assign(weight=weight), risk_sets=sets.assign(draw_share=share)
    )


def test_tables_of_the_district_may_be_in_any_order_and_persons_of_any_name(panel):
    study = weigh(shape(panel))

    def estimate(change):
        tables = [change(t) for t in (study.risk_sets, study.years, study.stay_weights)]
        stacked = stack_sets(tables[0], study.covariates, study.history)
        yield risk_set_effects(*tables, **study.settings())
        yield balanced_effects(stacked, *tables[1:], **study.settings())[0]

    def rename(table):
        return table.assign(person_id=(7919 * table["person_id"] % 10007).astype(str))

    for change in (shuffle, rename):
        for found, expected in zip(estimate(change), estimate(lambda t: t), strict=True):
            found, expected = tabulate(found), tabulate(expected)
            np.testing.assert_allclose(found[NUMBERS], expected[NUMBERS], rtol=1e-7)


def redraw(frame, factor=1):
    """Randomization of entry, persons in order of their number."""
    study = shape(frame)
    sets = study.risk_sets.sort_values(["cohort", "person_id"], ignore_index=True)
    assignment = build_assignment(
        sets,
        study.years,
        study.stay_weights,
        outcome=study.outcome,
        horizon=0,
        cohorts=study.cohorts,
        adjust_for=study.covariates,
        strata=["cluster"],
    )
    found = randomize(assignment, draws=99, seed=5)
    numbers = np.array([found.estimate, found.conf_low, found.conf_high]) / factor
    return numbers, (found.p_value, found.false_alarms, found.n_movable)


@pytest.fixture(scope="module")
def redrawn(panel):
    return redraw(panel)


@pytest.mark.parametrize("change", RETOLD)
def test_randomization_of_the_same_panel_told_otherwise_is_the_same(panel, redrawn, change):
    tell, factor = RETOLD[change]
    (found, shares), (expected, others) = redraw(tell(panel), factor), redrawn
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert shares == others


@pytest.mark.parametrize("change", [n for n in RETOLD if n != "never as 0"])
def test_randomized_adoption_of_the_same_panel_told_otherwise_is_the_same(panel, change):
    entry = {0: 3.0, 1: 3.0, 2: 5.0, 3: 5.0}
    adopted = panel.assign(cohort=panel["town"].map(entry))
    tell, factor = RETOLD[change]
    retold = tell(adopted)
    if change == "towns renamed":  # in their order, so that the same draws are made
        retold = adopted.assign(town="镇" + adopted["town"].map("{:02d}".format))
    results = []
    for frame, scale in ((adopted, 1), (retold, factor)):
        names = {k: v for k, v in read_names(frame).items() if k != "covariates"}
        found = randomize_adoption(sum_changes(frame, **names), draws=99, seed=5)
        numbers = [found.estimate / scale, found.conf_low / scale, found.conf_high / scale]
        results.append([*numbers, found.p_value, found.false_alarms])
    np.testing.assert_allclose(*results, rtol=1e-6)


COST, EFFECT, VARIANCES = 9_000.0, 0.12, (250_000.0, 0.0009, 2.0)


def test_cost_per_job_is_in_the_unit_of_money():
    low, high = fieller_interval(COST, EFFECT, *VARIANCES, 1.96)
    scaled = fieller_interval(COST / 1e4, EFFECT, VARIANCES[0] / 1e8, 0.0009, 2e-4, 1.96)
    assert scaled == pytest.approx((low / 1e4, high / 1e4))


def test_twice_the_effect_halves_the_cost_per_job():
    low, high = fieller_interval(COST, EFFECT, *VARIANCES, 1.96)
    twice = fieller_interval(COST, 2 * EFFECT, VARIANCES[0], 4 * 0.0009, 4.0, 1.96)
    assert twice == pytest.approx((low / 2, high / 2))


def test_the_interval_of_a_ratio_does_not_know_which_sign_is_good():
    expected = fieller_interval(COST, EFFECT, *VARIANCES, 1.96)
    assert fieller_interval(-COST, -EFFECT, *VARIANCES, 1.96) == pytest.approx(expected)
