"""Risk sets are read only while they are those of today's plan."""

import pandas as pd
import pytest
from test_timing import PLAN, make_world

from evaluation.panel import sets
from evaluation.panel.histories import Histories
from evaluation.tables import read_table, write_table

OTHER = {"designs": PLAN["designs"] | {"business_age_window": 1, "seed": 2}}


def make_folder(tmp_path, entries, plan=PLAN):
    world = make_world(entries, [("a", "unit", "2018-02-01", "2018-09-30")])
    persons = world[0].assign(person_id=world[0]["person_id"].astype("category"))
    write_table(world[1], tmp_path / "register.parquet", key=["person_id", "start"])
    write_table(world[2], tmp_path / "months.parquet", key=["person_id", "month"])
    built = sets.build_sets("post", Histories(persons, *world[1:], 2020), plan)
    sets.write_sets(built, tmp_path, "post", plan)
    return persons, built


def assert_same(found, expected):
    for name in ("risk_sets", "stay"):
        pd.testing.assert_frame_equal(found[name], expected[name], check_exact=True)


def refuse(*arguments):
    raise AssertionError("built")


def test_sets_of_the_same_plan_are_read_with_all_their_types(tmp_path, monkeypatch):
    persons, built = make_folder(tmp_path, {"a": "2019-05-06", "b": None, "c": None})
    monkeypatch.setattr(sets, "build_sets", refuse)
    assert_same(sets.load_sets(tmp_path, "post", persons, PLAN, 2020), built)


def test_sets_of_another_plan_are_built_anew(tmp_path):
    persons, _ = make_folder(tmp_path, {"a": "2019-05-06", "b": None, "c": None}, plan=OTHER)
    tables = [read_table(tmp_path / f"{name}.parquet") for name in ("register", "months")]
    direct = sets.build_sets("post", Histories(persons, *tables, 2020), PLAN)
    assert_same(sets.load_sets(tmp_path, "post", persons, PLAN, 2020), direct)


@pytest.mark.parametrize("name", ["risk_sets_post", "stay_post"])
def test_missing_sets_are_built(tmp_path, name):
    persons, built = make_folder(tmp_path, {"a": "2019-05-06", "b": None, "c": None})
    (tmp_path / f"{name}.parquet").unlink()
    assert_same(sets.load_sets(tmp_path, "post", persons, PLAN, 2020), built)


def test_where_nobody_entered_the_sets_are_empty_and_name_the_persons(tmp_path):
    persons, _ = make_folder(tmp_path, {"a": None, "b": None})
    found = sets.load_sets(tmp_path, "post", persons, PLAN, 2020)
    assert all(frame.empty for frame in found.values())
    assert found["stay"]["person_id"].cat.categories.tolist() == ["a", "b"]


def test_sets_of_other_persons_are_never_joined_with_these(tmp_path, monkeypatch):
    persons, _ = make_folder(tmp_path, {"a": "2019-05-06", "b": None, "c": None})
    fewer = persons[persons["person_id"] != "c"]
    monkeypatch.setattr(sets, "build_sets", lambda *arguments: "built")
    assert sets.load_sets(tmp_path, "post", fewer, PLAN, 2020) == "built"


def test_every_setting_of_a_plan_is_in_its_stamp():
    assert sets.stamp_of(PLAN) == sets.stamp_of({"designs": dict(PLAN["designs"])})
    assert sets.stamp_of(PLAN) != sets.stamp_of(PLAN | {"policies": {}})
    assert sets.stamp_of(PLAN) != sets.stamp_of(OTHER)
