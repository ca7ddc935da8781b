import numpy as np
import pytest
from scipy import stats

from evaluation.effects.power import (
    detection_power,
    exaggeration,
    minimum_detectable_effect,
)


def test_by_person_it_is_two_point_eight_standard_errors():
    assert minimum_detectable_effect(0.01, 18, "person") == pytest.approx(0.028016, abs=1e-6)


def test_few_clusters_can_show_less():
    assert minimum_detectable_effect(0.01, 5, "cluster") > minimum_detectable_effect(
        0.01, 18, "cluster"
    )


def test_power_at_the_detectable_effect_is_the_one_asked_for():
    for size in ((0, "person"), (6, "cluster")):
        effect = minimum_detectable_effect(0.02, *size)
        assert detection_power(effect, 0.02, *size) == pytest.approx(0.8, abs=1e-4)


def test_power_without_an_effect_is_the_level():
    assert detection_power(0.0, 0.02, 0, "person") == pytest.approx(0.05)


def test_exaggeration_agrees_with_simulation():
    draws = stats.norm(1.0, 1.0).rvs(400_000, random_state=1)
    significant = np.abs(draws) > stats.norm.ppf(0.975)
    assert exaggeration(0.05, 0.05) == pytest.approx(
        np.abs(draws[significant]).mean(), rel=0.01
    )


def test_precise_estimates_exaggerate_nothing():
    assert exaggeration(0.05, 0.001) == pytest.approx(1.0)
