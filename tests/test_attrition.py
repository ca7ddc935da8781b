"""Bounds where follow-up differs: only the better followed group is trimmed."""

import numpy as np
import pytest

from evaluation.effects.attrition import trim_better_followed

NAN = np.nan


def test_equal_follow_up_leaves_nothing_to_trim():
    found = trim_better_followed([1, 0, NAN, 1, 0, NAN], [1, 1, 1, 0, 0, 0])
    assert (found.share, found.down, found.up) == (0, 0, 0)


def test_treated_followed_better_are_trimmed_at_both_ends():
    # All four treated are known, half of the comparison: two of four are trimmed.
    found = trim_better_followed([1, 2, 3, 6, 1, NAN], [1, 1, 1, 1, 0, 0])
    assert found.share == pytest.approx(0.5)
    assert found.down == pytest.approx(3 - 1.5) and found.up == pytest.approx(4.5 - 3)


def test_comparison_followed_better_moves_the_difference_the_other_way():
    found = trim_better_followed([1, NAN, 1, 2, 3, 6], [1, 1, 0, 0, 0, 0])
    assert found.down == pytest.approx(4.5 - 3) and found.up == pytest.approx(3 - 1.5)


def test_ties_are_trimmed_in_part():
    y = [1] * 6 + [0] * 4 + [1, 0, 0, NAN, NAN]
    d = [1] * 10 + [0] * 5
    found = trim_better_followed(y, d)
    assert found.share == pytest.approx(0.4)
    assert found.down == pytest.approx(0.6 - 2 / 6) and found.up == pytest.approx(1 - 0.6)


def test_weights_stand_for_persons():
    plain = trim_better_followed([1, 2, 2, 5, 4, NAN], [1, 1, 1, 1, 0, 0])
    weighted = trim_better_followed([1, 2, 5, 4, NAN], [1, 1, 1, 0, 0], [1, 2, 1, 1, 1])
    assert (plain.down, plain.up) == pytest.approx((weighted.down, weighted.up))
