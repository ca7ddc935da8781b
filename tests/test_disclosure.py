"""The one door: what is withheld, rounded, refused."""

import pandas as pd
import pytest
from made_up_counts import RULES, townships
from made_up_findings import make_folders

from evaluation.errors import DisclosureError, TableError
from evaluation.findings.suppression import suppress_counts
from evaluation.tables import publish_table, read_published


@pytest.fixture
def folders(tmp_path):
    return make_folders(tmp_path)


def shown(*counts, total=None):
    found = suppress_counts(townships(*counts, total=total), ["n"], ["township"], RULES)
    return found["n"].astype(object).where(found["n"].notna(), None).tolist()


def test_a_small_cell_takes_a_second_with_it_and_nobody_is_told_which_is_which():
    frame = townships(3, 12, 40, total=55)
    cells = suppress_counts(frame, ["n"], ["township"], RULES)
    assert cells["n"].isna().tolist() == [True, True, False, False]
    assert cells["suppressed"].tolist() == ["n", "n", "", ""]


def test_two_small_cells_are_enough_where_rounding_hides_their_sum():
    assert shown(0, 2, 25, 40, total=67) == [None, None, 25, 40, 67]


def test_a_breakdown_is_rounded_and_its_total_exact():
    assert shown(12, 13, 42, total=67) == [10, 15, 40, 67]


def test_a_sum_of_cells_all_rounded_the_same_way_would_tell_a_small_one():
    # 43, 103 and 63 are published as 45, 105, 65: 215 of 209, so nobody is left for the
    # first, whatever the second cell is.
    assert shown(0, 43, 103, 63, total=209)[0:2] == [None, None]


def test_a_table_that_cannot_be_protected_is_refused_in_words():
    with pytest.raises(DisclosureError, match="合并"):
        suppress_counts(
            pd.DataFrame({"place": ["a", "all"], "b": ["x", "x"], "n": [4, 13]}),
            ["n"], ["b", "place"], RULES | {"min_values": 30},
        )  # fmt: skip


def test_tables_of_different_policies_are_suppressed_apart():
    frame = pd.concat(
        [
            townships(3, 4, 30, total=37).assign(policy="loan"),
            townships(30, 40, 50, total=120).assign(policy="post"),
        ]
    )
    cells = suppress_counts(frame, ["n"], ["policy", "township"], RULES)
    assert cells["n"].isna().tolist() == [True, True, *[False] * 6]


def test_both_margins_of_a_table_of_two_traits_protect():
    rows = [("a", "x", 3), ("a", "y", 40), ("b", "x", 30), ("b", "y", 50)]
    rows += [("a", "all", 43), ("b", "all", 80), ("all", "x", 33), ("all", "y", 90)]
    frame = pd.DataFrame([*rows, ("all", "all", 123)], columns=["one", "two", "n"])
    cells = suppress_counts(frame, ["n"], ["one", "two"], RULES)
    assert cells["n"].isna().tolist() == [*[True] * 4, *[False] * 5]


def test_a_rate_comes_from_rounded_counts_and_disappears_with_them():
    frame = pd.DataFrame({"level": ["a", "b", "c"], "n": [13, 21, 4], "of": [41, 62, 88]})
    frame["share"] = frame["n"] / frame["of"]
    cells = suppress_counts(frame, ["n", "of"], ["level"], RULES, {"share": ("n", "of")})
    assert cells["share"].isna().tolist() == [False, False, True]
    assert cells["share"][1] == 20 / 60


def test_a_share_whose_counterpart_is_small_is_withheld():
    frame = pd.DataFrame({"trait": ["female"], "level": ["female"], "n": [97], "of": [104]})
    cells = suppress_counts(
        frame, ["n", "of"], ["trait", "level"], RULES, {"share": ("n", "of")}
    )
    assert cells["n"].isna().all() and cells["of"].tolist() == [105]


def test_other_numbers_go_with_the_count_that_they_may_rest_on():
    frame = pd.DataFrame({"item": ["a", "b"], "n": [9, 168], "mean": [0.3, 0.4]})
    for table in (frame, frame.astype({"mean": "object"})):
        cells = suppress_counts(table, ["n"], [], RULES)
        assert cells["mean"].isna().tolist() == [True, False]


def test_a_count_without_breakdown_is_rounded_and_zero_tells_of_nobody():
    frame = pd.DataFrame({"item": ["a", "b", "c"], "n": [9, 0, 168]})
    cells = suppress_counts(frame, ["n"], [], RULES)
    assert cells["n"].isna().tolist() == [True, False, False]
    assert cells["n"][1:].tolist() == [0, 170]


def test_a_step_that_loses_fewer_than_ten_of_an_exact_total_is_withheld():
    funnel = pd.DataFrame({"step": list("abcd"), "n": [221, 221, 216, 156]})
    public = pd.Series([221] * 4)
    cells = suppress_counts(funnel, ["n"], [], RULES, part_of=public)
    assert cells["n"].astype(object).tolist() == [221, 221, pd.NA, 155]


def test_a_published_table_reads_back_with_codes_as_text(folders):
    frame = townships(3, 12, total=15).replace({"T0": "511702001", "T1": "511702002"})
    shape = {"key": ["township"], "counts": ["n"], "by": ["township"]}
    path = publish_table(frame, "towns", folders, 2024, **shape)
    first = path.read_bytes()
    assert first.startswith(b"\xef\xbb\xbf")
    publish_table(frame, "towns", folders, 2024, **shape)
    assert path.read_bytes() == first
    back = read_published("towns", folders, 2024)
    assert back["township"].tolist() == ["511702001", "511702002", "all"]
    assert back["n"].isna().tolist() == [True, True, False]


def test_a_number_in_a_cell_stops_publication_without_repeating_it(folders):
    frame = pd.DataFrame({"item": ["a"], "note": ["11010519491231002X"]})
    with pytest.raises(DisclosureError) as caught:
        publish_table(frame, "provenance", folders, 2024, key=["item"])
    assert "1101" not in str(caught.value)
    assert not folders.edition(2024).exists()


def test_a_repeated_key_is_refused(folders):
    frame = pd.DataFrame({"item": ["a", "a"]})
    with pytest.raises(TableError):
        publish_table(frame, "towns", folders, 2024, key=["item"])


@pytest.mark.parametrize("column", ["n", "n_persons", "cost_per_person", "age_max"])
def test_a_column_that_nobody_declared_is_refused(folders, column):
    frame = pd.DataFrame({"item": ["a"], column: [120.0]})
    for table in (frame, frame.astype({column: "object"})):
        with pytest.raises(DisclosureError, match=column):
            publish_table(table, "towns", folders, 2024, key=["item"])
    assert not folders.edition(2024).exists()
