"""Made-up event studies for tests of bounds and of trends before entry."""

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import GroupTime


def draw_case(rng, n_before: int, n_after: int):
    """Event times around the base −1, estimates and their covariance."""
    times = np.r_[np.arange(-n_before - 1, -1), np.arange(n_after)]
    root = rng.normal(size=(len(times), len(times) + 2)) / 10
    covariance = root @ root.T
    return times, 1.5 * rng.multivariate_normal(0 * times, covariance), covariance


def draw_group_time() -> GroupTime:
    """One cohort, 400 persons in 20 clusters, coefficients at −4 to 2 without −1."""
    rng, times = np.random.default_rng(4), np.array([-4, -3, -2, 0, 1, 2])
    effects = pd.DataFrame({"cohort": 2020, "time": 2020 + times, "event_time": times})
    effects = effects.assign(estimate=rng.normal(0, 0.03, 6), expected=1.0)
    effects = effects.assign(n_treated=100, n_comparison=300)
    persons = pd.DataFrame({"unit": range(400), "cluster": np.arange(400) % 20})
    influence = rng.normal(size=(400, 6)) @ rng.normal(size=(6, 6)) / 4
    role = np.where(np.arange(400) < 100, 1, -1).astype("int8")[:, None].repeat(6, axis=1)
    return GroupTime(effects, influence, role, persons.astype({"cluster": "category"}))
