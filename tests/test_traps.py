"""Immortal time and lock-in, on small districts whose effects are known."""

import sys

import pytest
from conftest import ROOT

from evaluation.plan import load_plan

sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
from traps import immortal_time, lock_in

PLAN = load_plan(ROOT / "data" / "reference")


def test_payment_to_survivors_invents_an_effect_that_the_designs_do_not_see():
    draws = immortal_time(range(1, 13), PLAN)
    wrong, mean = draws["ever_paid_operating"].mean(), draws.mean()
    assert wrong > 10 and mean["ever_paid_employed_open"] > 3
    for design in ("cs", "balanced"):
        assert mean[design] == pytest.approx(0, abs=3 * draws[design].sem())
        assert mean[f"{design}_covers_0"] > 80


def test_posts_lock_in_first_and_need_weights_for_staying_untreated():
    draws = lock_in(range(1, 4), PLAN)
    mean = draws.mean()
    assert mean["true_2"] < -20 and mean["true_4"] == 0
    for design in ("cs", "balanced"):
        assert mean[f"{design}_2"] == pytest.approx(mean["true_2"], abs=2)
        assert mean[f"{design}_4"] == pytest.approx(0, abs=2)
        without = draws[f"{design}_4_unweighted"] - draws[f"{design}_4"]
        assert (without < -1.5).all()
