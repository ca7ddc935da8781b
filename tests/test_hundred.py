"""A hundred persons are whole, and add up."""

import pandas as pd
import pytest

from evaluation.findings.hundred import describe_people

PATHS = pd.DataFrame({"group": ["treated"], "event_time": [2], "share": [0.74]})


def divide(code, estimate, high):
    verdict = {"verdict": code, "horizon": 2}
    return describe_people(verdict, {"estimate": estimate, "conf_high": high}, PATHS)


@pytest.mark.parametrize(
    "code, estimate, high, parts",
    [
        ("effective", 0.134, 0.21, {"anyway": 61, "because": 13, "idle": 26}),
        ("harmful", -0.12, -0.06, {"anyway": 74, "less": 12, "idle": 14}),
        ("cannot_tell", 0.05, 0.134, {"anyway": 61, "unclear": 13, "idle": 26}),
        ("too_small", -0.02, -0.003, {"anyway": 74, "idle": 26}),
        ("do_not_conclude", 0.05, 0.134, {"anyway": 74, "idle": 26}),
        ("effective", 0.9, 0.95, {"because": 74, "idle": 26}),  # not more than there are
    ],
)
def test_persons_add_up_to_a_hundred_under_every_verdict(code, estimate, high, parts):
    found = {name: round(share * 100) for name, share in divide(code, estimate, high).items()}
    assert found.pop("treated_share") == 74 and sum(found.values()) == 100
    assert {f"{name}_share": count for name, count in parts.items()} == {
        name: count for name, count in found.items() if count
    }


def test_an_estimate_without_an_interval_divides_nobody():
    assert (
        describe_people({"verdict": "cannot_tell", "horizon": 2}, {"estimate": 0}, PATHS) == {}
    )
