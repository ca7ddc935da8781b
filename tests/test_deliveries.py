"""Late, changed, vanished, corrected rows are told apart by the edition that learns of it."""

import datetime

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from evaluation.demo.ledgers import FILES
from evaluation.demo.write import write_demo
from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.identity import DEMONSTRATION_KEY
from evaluation.ledgers.schema import shape
from evaluation.panel.build import build_panel
from evaluation.panel.deliveries import compare_deliveries
from evaluation.paths import find_root

REFERENCE = find_root() / "data" / "reference"
BASE = {
    "register": {"form": "unit", "valid": 1},
    "post": {"rural": 1},
    "loan": {"result": "approved"},
    "subsidy": {},
    "roster": {"status": "farming"},
}


def compare(ledger, edition, *rows):
    """Numbers by kind and detail, and the mode of the delivery."""
    frame = pd.DataFrame([BASE[ledger] | row for row in rows])
    folders = frame["received"].map(lambda year: f"{year}/" if year else "")
    frame = frame.assign(source_sheet="", source_row=range(2, len(frame) + 2))
    frame["source_file"] = folders + "a.csv"
    clean = {ledger: shape(frame.to_dict("series"), ledger, len(frame))}
    found = compare_deliveries(clean, edition)
    counts = found.set_index(["kind", "detail"])["n_rows"]
    return counts[counts > 0].to_dict(), found["mode"].iloc[0]


def post(person, year, received, **more):
    day = f"{year}-03-01"
    return {
        "person_id": person,
        "started_on": day,
        "received": received,
        "name_key": person,
    } | more


KEPT = [post("a", 2019, 2019), post("a", 2019, 2020)]


def test_an_event_of_a_year_already_delivered_is_late():
    found, mode = compare("post", 2020, *KEPT, post("b", 2019, 2020), post("c", 2020, 2020))
    assert mode == "cumulative"
    assert found == {("late", "all"): 1, ("late", "2019"): 1}


def test_the_first_delivery_of_a_ledger_is_never_late():
    found, mode = compare("post", 2020, post("a", 2015, 2020))
    assert (found, mode) == ({}, "first")


def test_a_year_without_a_delivery_tells_nothing():
    assert compare("post", 2021, *KEPT) == ({}, "nothing")
    assert compare("post", 2021, post("a", 2015, 0)) == ({}, "unknown")


def test_what_is_told_otherwise_is_changed_and_the_column_is_said():
    rows = [post("a", 2019, 2019, rural=1), post("a", 2019, 2020, rural=0, fund="f")]
    found, _ = compare("post", 2020, *rows)
    assert found == {("changed", "all"): 1, ("changed", "rural"): 1, ("changed", "fund"): 1}


def test_what_happened_since_is_no_change():
    rows = [
        post("a", 2019, 2019, pay=100.0),
        post("a", 2019, 2020, pay=900.0, ended_on="2020-05-31", end_reason="期满"),
    ]
    assert compare("post", 2020, *rows)[0] == {}
    # An end before the last delivery should have been told by it.
    rows[1] |= {"ended_on": "2019-05-31", "end_reason": None}
    assert compare("post", 2020, *rows)[0] == {
        ("changed", "all"): 1,
        ("changed", "ended_on"): 1,
    }


def test_a_sum_that_falls_or_moves_after_the_end_is_a_change():
    rows = [post("a", 2019, 2019, pay=100.0), post("a", 2019, 2020, pay=90.0)]
    assert ("changed", "pay") in compare("post", 2020, *rows)[0]
    ended = {"ended_on": "2019-10-31"}
    rows = [
        post("a", 2019, 2019, pay=100.0, **ended),
        post("a", 2019, 2020, pay=110.0, **ended),
    ]
    assert ("changed", "pay") in compare("post", 2020, *rows)[0]


def test_a_decision_on_an_application_that_waited_is_no_change():
    told = {"person_id": "a", "applied_on": "2019-11-01"}
    rows = [
        told | {"received": 2019, "result": "waiting"},
        told
        | {"received": 2020, "result": "approved", "amount": 1e4, "checked_on": "2020-02-01"},
    ]
    assert compare("subsidy", 2020, *rows)[0] == {}


def test_a_row_that_a_cumulative_delivery_lacks_has_vanished_once():
    rows = [*KEPT, post("b", 2018, 2019), post("c", 2019, 2019), post("c", 2019, 2020)]
    assert compare("post", 2020, *rows)[0] == {("vanished", "all"): 1, ("vanished", "2018"): 1}
    later = [post("a", 2019, 2021), post("c", 2019, 2021)]
    assert compare("post", 2021, *rows, *later)[0] == {}


def test_a_ledger_that_tells_only_new_rows_loses_none():
    spells = [
        {"person_id": p, "start": f"{year}-02-01", "received": year}
        for p, year in (("a", 2019), ("b", 2019), ("c", 2019), ("d", 2020))
    ]
    again = {"person_id": "a", "start": "2019-02-01", "received": 2020, "end": "2020-03-31"}
    assert compare("register", 2020, *spells, again) == ({}, "incremental")
    rosters = [
        {"person_id": "a", "snapshot_on": f"{y}-12-01", "snapshot_year": y, "received": y}
        for y in (2019, 2020)
    ]
    assert compare("roster", 2020, *rosters) == ({}, "incremental")


def test_a_cancelled_record_is_no_late_entry():
    rows = [
        {"person_id": "a", "start": "2019-02-01", "received": 2019},
        {"person_id": "a", "start": "2019-02-01", "received": 2020},
        {"person_id": "b", "start": "2019-01-07", "received": 2020, "valid": 0},
    ]
    assert compare("register", 2020, *rows)[0] == {}


def test_a_number_damaged_once_is_a_change_and_neither_late_nor_vanished():
    rows = [post(None, 2019, 2019, name_key="n"), post("a", 2019, 2020, name_key="n")]
    assert compare("post", 2020, *rows)[0] == {
        ("changed", "all"): 1,
        ("changed", "person_id"): 1,
    }


def test_a_day_that_moved_is_a_change_and_neither_late_nor_vanished():
    rows = [*KEPT, post("b", 2018, 2019), post("b", 2018, 2020, started_on="2018-09-01")]
    assert compare("post", 2020, *rows)[0] == {
        ("changed", "all"): 1,
        ("changed", "started_on"): 1,
    }


def test_a_corrected_row_is_corrected_and_nothing_else():
    file = {"source_file": "2019/a.csv", "source_row": 2}
    old = post("a", 2019, 2019, rural=1, superseded=2020) | file
    new = post("a", 2019, 2020, rural=0) | file
    frame = pd.DataFrame([old, new, post("a", 2019, 2020, rural=0, source_file="2020/b.csv")])
    frame["source_row"] = [2, 2, 2]
    clean = {"post": shape(frame.assign(source_sheet="").to_dict("series"), "post", 3)}
    for drop, expected in (([], True), (["superseded"], False)):
        found = compare_deliveries({"post": clean["post"].drop(columns=drop)}, 2020)
        counts = found.set_index(["kind", "detail"])["n_rows"]
        assert (counts.get(("corrected", "rural"), 0) == 1) == expected
        assert counts["late", "all"] == counts["vanished", "all"] == 0
        assert counts["changed", "all"] == 0
    assert set(compare_deliveries(clean, 2019)["mode"]) == {"first"}


def test_results_and_labels_are_unique_and_in_words():
    rows = [post("a", 2019, 2019, rural=1), post("a", 2019, 2020, rural=0)]
    frame = pd.DataFrame(rows).assign(source_sheet="", source_row=2)
    frame["source_file"] = frame["received"].astype(str) + "/a.csv"
    found = compare_deliveries({"post": shape(frame.to_dict("series"), "post", 2)}, 2020)
    assert found["result_id"].is_unique
    row = found.set_index(["kind", "detail"]).loc[("changed", "rural")]
    assert (row["label_zh"], row["label_en"]) == (
        "与上次不同：城镇或乡村岗位",
        "Changed: Urban or rural post",
    )


NUMBERS = ["519999198002030015", "519999198002030023", "519999198002030058"]
NUMBERS += ["51999919800203004X"]
HEAD = {
    "roster": "姓名,身份证号码,户籍乡镇,村（社区）,现就业状态,返乡时间,采集日期",
    "register": "姓名,身份证号码,就业形式,开始日期,终止日期",
    "post": "姓名,身份证,城镇/乡村,上岗日期,退岗日期,补贴金额（元）",
}


def write(folder, year, ledger, *rows):
    path = folder / str(year) / f"{ledger}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEAD[ledger], *rows]) + "\n", encoding="utf-8")


def deliver(folder, last):
    """Three years of tiny ledgers; the third tells the second's posts otherwise."""
    names = ["王强", "李芳", "赵云", "周密"]
    for year in range(2019, last + 1):
        people = zip(names, NUMBERS, strict=True)
        write(
            folder, year, "roster",
            *(f"{n},{i},东城街道,红旗社区,务农,2018-05-01,{year}-12-01" for n, i in people),
        )  # fmt: skip
        write(folder, year, "register", f"王强,{NUMBERS[0]},单位就业,{year}-01-10,{year}-11-30")
    first = f"王强,{NUMBERS[0]},乡村,2019-03-01,,100"
    second, third = (f"{names[n]},{NUMBERS[n]},乡村,2019-04-01,,100" for n in (1, 2))
    write(folder, 2019, "post", first, second, third)
    if last > 2019:
        write(folder, 2020, "post", first, second, third)
    if last > 2020:  # one row changed, one gone, one late, one new
        late, new = (
            f"周密,{NUMBERS[3]},城镇,{day},,100" for day in ("2020-04-01", "2021-05-01")
        )
        write(folder, 2021, "post", first, second.replace("乡村", "城镇"), late, new)


@pytest.fixture
def editions(tmp_path):
    def build(last):
        deliver(tmp_path / str(last), last)
        clean = clean_folder(tmp_path / str(last), REFERENCE, b"k" * 32).tables
        window = {"register": {"from": datetime.date(2019, 1, 1)}}
        panels = {year: build_panel(clean, year, window) for year in (2019, 2020, 2021)}
        told = {year: compare_deliveries(clean, year) for year in (2019, 2020, 2021)}
        return panels, told

    return build


def test_the_edition_that_learns_tells_them_apart_and_earlier_ones_stay_as_they_were(editions):
    (before, told_before), (after, told) = editions(2020), editions(2021)
    for year in (2019, 2020):
        for name in ("persons", "years", "months", "costs"):
            assert_frame_equal(getattr(before[year], name), getattr(after[year], name))
        for ledger, rows in before[year].ledgers.items():
            # Categories aside, the same rows of the same files.
            assert_frame_equal(
                rows.reset_index(drop=True), after[year].ledgers[ledger].reset_index(drop=True)
            )
        assert_frame_equal(told_before[year], told[year])
    posts = told[2021][told[2021]["ledger"] == "post"].set_index(["kind", "detail"])["n_rows"]
    assert posts[posts > 0].to_dict() == {
        ("late", "all"): 1,
        ("late", "2020"): 1,
        ("changed", "all"): 1,
        ("changed", "rural"): 1,
        ("vanished", "all"): 1,
        ("vanished", "2019"): 1,
    }
    # Who vanished from the delivery stays in the analysis; who came late is in it from now on.
    entered = after[2021].persons["post_on"].notna().sum()
    assert (after[2020].persons["post_on"].notna().sum(), entered) == (3, 4)
    assert np.array_equal(told[2021]["ledger"].unique(), [*after[2021].ledgers])


def test_the_editions_find_the_planted_rows_of_the_demonstration(tmp_path):
    folder = write_demo(tmp_path / "demo", n_people=2_000, policy_multiplier=0.1)
    clean = clean_folder(folder, REFERENCE, DEMONSTRATION_KEY).tables
    planted = pd.read_csv(folder / "revisions.csv")
    ledgers = {name: ledger for ledger, name in FILES.items()}
    names = planted["file"].str.extract(f"({'|'.join(ledgers)})")[0]
    planted = planted.groupby([names.map(ledgers), "edition", "what"]).size()
    told = {year: compare_deliveries(clean, year) for year in range(2016, 2025)}
    told = pd.concat(told, names=["edition"]).reset_index("edition")
    told = told[told["detail"] == "all"].set_index(["ledger", "edition", "kind"])["n_rows"]
    told = told.rename_axis(planted.index.names)
    for kind in ("late", "vanished"):
        wanted, found = (n.xs(kind, level="what") for n in (planted, told))
        assert len(wanted) and found[found > 0].sort_index().equals(wanted.sort_index()), kind
    # Other mistakes, and amounts put together in merged cells, change rows as well.
    wanted = planted.xs("changed", level="what")
    assert len(wanted) and (told.xs("changed", level="what")[wanted.index] >= wanted).all()
