"""Who lives in the demonstration district: everything that is fixed for a person."""

import numpy as np
import pandas as pd

N_TOWNSHIPS = 18
RETIREMENT = (60, 55)  # men, women; years of age


def draw_people(rng, n_people: int, first_year: int, last_year: int) -> pd.DataFrame:
    """Draw the fixed traits of everybody who is ever on the roster.

    Months are counted as ``year * 12 + month - 1``. Most return before the middle
    of the panel; nobody leaves again before the first roster, so that everybody is
    on one. Leaving, death and retirement depend on nothing but these draws: losing
    sight of somebody says nothing about work or policy.

    Returns
    -------
    pandas.DataFrame
        Key: the index, the person's number. ``return_month``, ``gone_month`` and
        ``gone_reason`` (0 stays, 1 left again, 2 dead, 3 retired) are known to the
        simulation only.
    """
    middle = first_year + 5
    female = (rng.random(n_people) < 0.45).astype(np.int8)
    returned = _draw_return_year(rng, n_people, first_year, last_year)
    age = rng.normal(42, 9, n_people)
    retirement = np.where(female == 1, RETIREMENT[1], RETIREMENT[0])
    youngest = 18 + middle - returned
    oldest = np.minimum(retirement + 3, retirement - 2 + middle - returned)
    age = np.clip(age, youngest, np.maximum(oldest, youngest))
    birth_year = (middle - age).astype(np.int32)
    birth_month, birth_day = rng.integers(0, 12, n_people), rng.integers(1, 29, n_people)
    schooling = _draw_schooling(rng, age)
    poor = (rng.random(n_people) < 0.24 - 0.05 * schooling).astype(np.int8)
    return_month = (returned * 12 + rng.integers(0, 12, n_people)).astype(np.int32)
    retirement_month = ((birth_year + retirement) * 12 + birth_month).astype(np.int32)
    gone_month, gone_reason = _draw_exit(rng, return_month, retirement_month, first_year)
    return pd.DataFrame(
        {
            "female": female,
            "birth_year": birth_year,
            "birth_month": birth_month + 1,
            "birth_day": birth_day,
            "age": age,
            "schooling": schooling,
            "poor": poor,
            "minority": (rng.random(n_people) < 0.02).astype(np.int8),
            "township": _draw_township(rng, n_people),
            "village": rng.integers(0, 10_000, n_people),
            "household": rng.integers(0, max(n_people * 2 // 3, 1), n_people),
            "away_place": rng.integers(0, 8, n_people),
            "left_month": return_month - rng.integers(12, 180, n_people),
            "return_month": return_month,
            "return_reason": rng.integers(0, 5, n_people),
            "retirement_month": retirement_month,
            "gone_month": gone_month,
            "gone_reason": gone_reason,
            "trained": (rng.random(n_people) < 0.3).astype(np.int8),
            "farmer": (rng.random(n_people) < 0.55).astype(np.int8),
            "farming_registered": (rng.random(n_people) < 0.5).astype(np.int8),
            "freelance": rng.random(n_people),
            "latent": (rng.random(n_people) < 0.3).astype(np.int8),
        }
    )


def _draw_return_year(rng, n_people, first_year, last_year):
    years = np.arange(first_year - 5, last_year + 1)
    share = np.where(years < first_year, 0.09, np.where(years < first_year + 5, 0.08, 0))
    late = share == 0
    share[late] = 0.15 / late.sum()
    return rng.choice(years, n_people, p=share / share.sum())


def _draw_schooling(rng, age):
    ladder = rng.normal(2.3, 0.8, len(age)) - 0.035 * (age - 42)
    return np.clip(np.rint(ladder), 1, 4).astype(np.int8)


def _draw_township(rng, n_people):
    size = np.linspace(1.6, 0.4, N_TOWNSHIPS)
    return rng.choice(N_TOWNSHIPS, n_people, p=size / size.sum()).astype(np.int8)


def _draw_exit(rng, return_month, retirement_month, first_year):
    """First of leaving again (1.8 % a year), death (0.2 %), statutory retirement."""
    start = np.maximum(return_month + 6, first_year * 12 + 12)
    left = start + rng.geometric(0.0015, len(start))
    dead = start + rng.geometric(0.00018, len(start))
    gone = np.minimum(np.minimum(left, dead), retirement_month)
    reason = np.where(gone == left, 1, np.where(gone == dead, 2, 3))
    return gone.astype(np.int32), reason.astype(np.int8)
