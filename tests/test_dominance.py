"""Amounts that one or two persons make up are not told."""

import numpy as np
import pandas as pd
import pytest
from made_up_counts import RULES

from evaluation.findings.disclosure import control_table
from evaluation.findings.dominance import is_dominated, round_mean, summarise_amounts


@pytest.mark.parametrize(
    ("amounts", "share", "dominated"),
    [
        ([10_000] * 12, 0.9, False),
        ([10_000] * 9, 0.9, True),  # too few
        ([0] * 12, 0.9, True),
        ([500_000, 300_000, *[8_000] * 10], 0.9, True),  # two make up more than 90 %
        ([500_000, 300_000, *[9_000] * 10], 0.9, False),
        ([500_000, 0, *[4_000] * 12], 0.95, True),  # the rest: under a tenth of the largest
        ([500_000, 0, *[5_000] * 12], 0.95, False),
        ([500_000, None, *[4_000] * 12], 0.95, True),  # nor does a missing one hide them
        ([10_000] * 9 + [None], 0.9, True),
    ],
)
def test_two_rules_for_amounts(amounts, share, dominated):
    assert is_dominated(amounts, RULES | {"dominance_share": share}) is dominated


def test_a_mean_of_equal_awards_does_not_count_who_was_paid():
    told = round_mean([10_000] * 104 + [0] * 7, RULES)
    step = 500
    possible = [k for k in range(112) if abs(k * 10_000 / 111 - told) <= step / 2]
    assert len(possible) >= RULES["min_values"]


def test_what_is_in_proportion_to_an_amount_moves_with_it():
    each = pd.Series([10_000.0] * 104 + [0.0] * 7, index=["subsidy"] * 111)
    mean = each.mean()
    frame = pd.DataFrame({"policy": ["subsidy"], "cost_per_participant": [mean]})
    frame["cost_per_job"] = mean / 0.2
    amounts = {"cost_per_participant": (each, ("cost_per_job",))}
    told = control_table(frame, "value", RULES, key=["policy"], amounts=amounts)
    assert told["cost_per_participant"].tolist() == [9500]
    assert told["cost_per_job"].tolist() == pytest.approx([47_500])


def test_a_dominated_mean_goes_with_all_that_is_in_proportion_to_it():
    each = pd.Series([900_000.0, *[1_000.0] * 20], index=["loan"] * 21)
    frame = pd.DataFrame({"policy": ["loan"], "cost_per_participant": [each.mean()]})
    amounts = {"cost_per_participant": (each, ("cost_per_job",))}
    told = control_table(
        frame.assign(cost_per_job=1.0), "value", RULES, key=["policy"], amounts=amounts
    )
    assert told[["cost_per_participant", "cost_per_job"]].isna().all(axis=None)
    assert told["suppressed"].tolist() == ["cost_per_participant"]


def test_a_dominated_township_takes_another_with_it():
    rows = pd.DataFrame({"township": np.repeat(["a", "b", "c"], [20, 30, 40]), "yuan": 5_000.0})
    rows.loc[0, "yuan"] = 5_000_000
    table = summarise_amounts(rows, "yuan", ["township"], RULES)
    assert table["mean"].isna().tolist() == [True, False, False]
    assert table["mean"][1:].tolist() == [5000, 5000]
