import pandas as pd
import pytest

from evaluation.errors import PlanError, TableError
from evaluation.panel.totals import add_up, load_totals, match
from evaluation.paths import find_root

REFERENCE = find_root() / "data" / "reference"


def test_published_totals_have_known_computations():
    totals = load_totals(REFERENCE)
    assert totals["indicator"].is_unique
    assert {"yes", "no", "secondary"} >= set(totals["verified"])
    assert set(totals.dropna(subset="computation")["programme"]) == {"subsidy", "loan", "post"}


def test_every_figure_says_what_list_would_check_it():
    totals = load_totals(REFERENCE)
    assert totals[["definition", "needed_zh", "needed_en"]].notna().all().all()
    assert not totals["needed_zh"].str.contains(r"\d").any()
    assert totals["needed_zh"].str.contains("：").all()


def test_persons_and_person_times_are_never_added():
    totals = load_totals(REFERENCE)
    placed = totals[totals["indicator"].isin(["fair_placed", "trainees"])]
    with pytest.raises(TableError, match="人、人次"):
        add_up(placed, "value")
    assert add_up(totals[totals["part_of"] == "post_persons"], "value") == 1706


@pytest.mark.parametrize(
    "value, published, precision, expected",
    [
        (221, 221, "exact", "exact"),
        (222, 221, "exact", ""),  # within half a percent, but a count is a count
        (3110, 3100, "rounded", "rounding"),
        (3100, 3100, "rounded", "exact"),
        (3116, 3100, "rounded", ""),
        (6000, 6000, "at_least", "exact"),
        (9000, 6000, "at_least", "at_least"),
        (5999, 6000, "at_least", ""),
    ],
)
def test_a_figure_is_met_as_exactly_as_it_was_published(value, published, precision, expected):
    assert match(value, published, precision) == expected


@pytest.mark.parametrize(
    "column, value, reason",
    [
        ("indicator", "parks", "指标重复"),
        ("computation", "made_up", "computation"),
        ("precision", "about", "precision"),
        ("as_of", "2024年6月", "as_of"),
        ("value", 0, "value"),
    ],
)
def test_a_wrong_line_is_refused_with_its_indicator(tmp_path, column, value, reason):
    totals = pd.read_csv(REFERENCE / "totals.csv").astype(object)
    totals.loc[0, column] = value
    totals.to_csv(tmp_path / "totals.csv", index=False)
    with pytest.raises(PlanError, match=f"{totals.loc[0, 'indicator']} 的{reason}"):
        load_totals(tmp_path)


def test_parts_that_are_not_their_whole_are_refused(tmp_path):
    totals = pd.read_csv(REFERENCE / "totals.csv")
    totals.loc[totals["indicator"] == "post_rural", "value"] = 777
    totals.to_csv(tmp_path / "totals.csv", index=False)
    with pytest.raises(PlanError, match="post_persons"):
        load_totals(tmp_path)
