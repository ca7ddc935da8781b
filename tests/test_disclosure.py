import dataclasses

import pandas as pd
import pytest

from evaluation.errors import DisclosureError, TableError
from evaluation.findings.disclosure import scan_text, suppress_counts, suppress_estimates
from evaluation.paths import locate
from evaluation.tables import publish_table, read_published

RULES = {"min_count": 10, "round_to": 5}


@pytest.fixture
def folders(tmp_path):
    return dataclasses.replace(locate(), outputs=tmp_path / "outputs")


def townships(*counts, total=None):
    names = [f"T{i}" for i in range(len(counts))]
    if total is not None:
        names, counts = [*names, "all"], [*counts, total]
    return pd.DataFrame({"township": names, "n": counts})


def test_small_cell_takes_a_second_with_it():
    cells = suppress_counts(townships(3, 12, 40, total=55), ["n"], ["township"], RULES)
    assert cells["n"].isna().tolist() == [True, True, False, False]
    assert cells["suppressed"].tolist() == ["n:small", "n:secondary", "", ""]


def test_two_small_cells_that_hold_under_ten_together_take_a_third():
    cells = suppress_counts(townships(0, 2, 25, 40, total=67), ["n"], ["township"], RULES)
    assert cells["n"].isna().tolist() == [True, True, True, False, False]


def test_breakdown_is_rounded_and_its_total_exact():
    cells = suppress_counts(townships(12, 13, 42, total=67), ["n"], ["township"], RULES)
    assert cells["n"].tolist() == [10, 15, 40, 67]


def test_tables_of_different_policies_are_suppressed_apart():
    frame = pd.concat(
        [townships(3, 4, 30).assign(policy="loan"), townships(30, 40, 50).assign(policy="post")]
    )
    cells = suppress_counts(frame.reset_index(drop=True), ["n"], ["policy", "township"], RULES)
    assert cells["n"].isna().tolist() == [True, True, True, False, False, False]


def test_rate_comes_from_rounded_counts_and_disappears_with_them():
    frame = pd.DataFrame({"level": ["a", "b", "c"], "n": [13, 21, 4], "of": [41, 62, 88]})
    frame["share"] = frame["n"] / frame["of"]
    cells = suppress_counts(frame, ["n", "of"], ["level"], RULES, {"share": ("n", "of")})
    assert cells["share"].isna().tolist() == [True, False, True]
    assert cells["share"][1] == 20 / 60


def test_district_total_is_exact_from_ten_on():
    frame = pd.DataFrame({"item": ["a", "b", "c"], "n": [9, 0, 168]})
    cells = suppress_counts(frame, ["n"], [], RULES)
    assert cells["n"].isna().tolist() == [True, False, False]
    assert cells["n"][2] == 168


def test_estimate_on_fewer_than_ten_persons_is_suppressed():
    frame = pd.DataFrame(
        {
            "result_id": ["a", "b", "c"],
            "term": ["primary", "event", "event"],
            "event_time": [2, 1, 2],
            "estimate": [0.1, 0.2, 0.3],
            "n_treated": [151, 9, 62],
            "n_obs": [900, 600, 500],
        }
    )
    cells = suppress_estimates(frame, RULES)
    assert cells["estimate"].isna().tolist() == [False, True, False]
    assert cells["n_treated"].tolist()[::2] == [151, 60]
    assert cells["event_time"].tolist() == [2, 1, 2]


@pytest.mark.parametrize(
    "text, kinds",
    [
        ("号码 51999919800101123X 已核", 0),  # the check digit is wrong
        ("号码 11010519491231002X 已核", 1),
        ("11010519491231002x,1", 1),
        ("电话138-0013-8000", 1),
        ("见 /home/zhang/x.csv", 1),
        (r"见 C:\Users\zhang\x.csv", 1),
        ("0.110105194912310021", 0),
        ("贷款3,100万元、221人，sha256 3f9a13800138000c21e", 0),
    ],
)
def test_scan_finds_numbers_phones_and_paths(text, kinds):
    assert len(scan_text(text)) == kinds


def test_published_table_reads_back_with_codes_as_text(folders):
    frame = pd.DataFrame({"township": ["511702001", "511702002", "all"], "n": [3, 12, 15]})
    path = publish_table(
        frame, "reach", folders, 2024, key=["township"], counts=["n"], by=["township"]
    )
    first = path.read_bytes()
    assert first.startswith(b"\xef\xbb\xbf")
    publish_table(
        frame, "reach", folders, 2024, key=["township"], counts=["n"], by=["township"]
    )
    assert path.read_bytes() == first
    back = read_published("reach", folders, 2024)
    assert back["township"].tolist() == ["511702001", "511702002", "all"]
    assert back["n"].isna().tolist() == [True, True, False]


def test_number_in_a_cell_stops_publication_without_repeating_it(folders):
    frame = pd.DataFrame({"item": ["a"], "note": ["11010519491231002X"]})
    with pytest.raises(DisclosureError) as caught:
        publish_table(frame, "provenance", folders, 2024, key=["item"])
    assert "1101" not in str(caught.value)
    assert not folders.edition(2024).exists()


def test_repeated_key_is_refused(folders):
    frame = pd.DataFrame({"item": ["a", "a"]})
    with pytest.raises(TableError):
        publish_table(frame, "reach", folders, 2024, key=["item"])


def test_counts_of_a_variant_are_rounded_so_that_two_do_not_tell_who_was_left_out():
    rows = pd.DataFrame({
        "variant": ["plan", "no_weak_links"], "term": "primary", "estimate": 0.1,
        "n_treated": [111, 108], "n_obs": [691, 688],
    })  # fmt: skip
    found = suppress_estimates(rows, {"min_count": 10, "round_to": 5})
    assert found["n_treated"].tolist() == [111, 110]
    assert found["n_obs"].tolist() == [691, 690]
