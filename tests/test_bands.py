"""Simultaneous bands lie between the pointwise interval and Bonferroni's."""

import numpy as np
import pytest
from scipy import special

from evaluation.effects.bands import sup_t_critical


def test_one_effect_needs_no_wider_interval():
    psi = np.random.default_rng(0).normal(size=(500, 1))
    assert sup_t_critical(psi, seed=1) == pytest.approx(1.96, abs=0.03)


def test_independent_effects_need_nearly_bonferroni_and_equal_ones_nothing():
    rng = np.random.default_rng(1)
    psi = rng.normal(size=(4_000, 8))
    sidak = special.ndtri(0.5 + 0.95 ** (1 / 8) / 2)
    assert sup_t_critical(psi, seed=1) == pytest.approx(sidak, abs=0.04)
    same = np.repeat(psi[:, :1], 8, axis=1)
    assert sup_t_critical(same, seed=1) == pytest.approx(1.96, abs=0.03)


def test_an_effect_without_error_is_left_out():
    psi = np.column_stack([np.random.default_rng(2).normal(size=300), np.zeros(300)])
    assert sup_t_critical(psi, seed=1) == pytest.approx(1.96, abs=0.03)
    assert sup_t_critical(np.zeros((5, 2)), seed=1) == pytest.approx(1.96, abs=0.01)


def test_bands_hold_all_effects_at_once_as_often_as_they_say():
    rng = np.random.default_rng(3)
    root, inside = np.linalg.cholesky(0.5 * np.eye(6) + 0.5), 0
    for _ in range(200):
        sample = rng.normal(size=(400, 6)) @ root.T
        psi = sample - sample.mean(axis=0)
        error = psi.std(axis=0) / np.sqrt(len(psi))
        ratio = np.abs(sample.mean(axis=0) / error).max()
        inside += ratio < sup_t_critical(psi, seed=1, draws=2_000)
    assert 180 <= inside <= 199
