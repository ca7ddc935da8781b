"""Why an earlier finding moved: the steps add up, and what cannot be told is not guessed."""

import dataclasses
import shutil
from types import SimpleNamespace

import pandas as pd
import pytest
from conftest import edit

from evaluation.effects import bridges, earlier
from evaluation.effects.earlier import SAME, TOLD, UNTOLD, Earlier, load_earlier
from evaluation.panel.boundaries import recode_townships
from evaluation.paths import locate
from evaluation.plan import load_plan

NAME = "2023.loan.published.primary.employed_open.all"
PUBLISHED = pd.DataFrame(
    {"result_id": [NAME], "estimate": [0.10], "conf_low": [0.0], "conf_high": [0.2]}
)


def ask(estimate, edition=2023):
    """A question of which only the answer matters."""
    persons = pd.DataFrame({"person_id": ["a"], "entry_year": [2020.0]})
    return SimpleNamespace(
        estimate=estimate, edition=edition, policy="loan", outcome="employed_open",
        cohorts=[2020], persons=persons,
    )  # fmt: skip


@pytest.fixture
def counted(monkeypatch):
    """Estimates without estimating; which questions were really computed."""
    asked = []

    def publish(study, cohorts):
        asked.append(study.estimate)
        return {"estimate": study.estimate, "conf_low": 0.0, "conf_high": 0.3}

    monkeypatch.setattr(bridges, "publish_primary", publish)
    monkeypatch.setattr(bridges, "drop_late_entries", lambda study, before: ask(0.17))
    return asked


def test_each_thing_that_changed_has_its_step_and_the_steps_add_up(counted):
    before = Earlier(ask(0.11), ask(0.13), ask(0.14), {"plan": TOLD, "boundary": TOLD})
    table = bridges.bridge_editions(ask(0.19, 2024), before, PUBLISHED).set_index("step")
    assert list(table.index) == list(bridges.STEPS)
    assert table["change"].round(9).tolist()[1:] == [0.01, 0.02, 0.01, 0.03, 0.02]
    assert table["change"].sum() == pytest.approx(0.19 - 0.10)
    assert bridges.find_cause(table.reset_index()) == "data_later"
    assert bridges.find_ends(table)["difference"] == pytest.approx(0.09)


def test_what_did_not_change_is_not_computed_and_is_exactly_zero(counted):
    now = ask(0.10 + 4e-13)  # digits that a csv drops
    before = Earlier(now, now, now, {"plan": SAME, "boundary": SAME})
    table = bridges.bridge_editions(ask(0.17, 2024), before, PUBLISHED).set_index("step")
    assert counted == [now.estimate, 0.17, 0.17]
    assert table.loc[["code", "plan", "boundary"], "change"].tolist() == [0, 0, 0]
    assert table["state"].tolist() == [TOLD, TOLD, SAME, SAME, TOLD, TOLD]


def test_what_cannot_be_told_apart_is_part_of_the_code_and_has_no_number(counted):
    planned = ask(0.12)
    before = Earlier(planned, planned, planned, {"plan": SAME, "boundary": UNTOLD})
    table = bridges.bridge_editions(ask(0.17, 2024), before, PUBLISHED).set_index("step")
    assert pd.isna(table.loc["boundary", "change"])
    assert table.loc["boundary", "estimate"] == 0.12
    assert table["change"].sum() == pytest.approx(0.07)


def test_without_the_edition_before_there_is_no_row_and_no_cause():
    table = bridges.bridge_editions(ask(0.1), None, pd.DataFrame())
    assert table.empty and list(table) == bridges.COLUMNS
    assert bridges.find_cause(table) is None and bridges.find_ends(table) is None
    assert bridges.find_ends(pd.DataFrame()) is None


def test_a_finding_that_moved_by_nothing_has_no_cause(counted):
    now = ask(0.17)
    before = Earlier(now, now, now, {"plan": SAME, "boundary": SAME})
    table = bridges.bridge_editions(ask(0.17, 2024), before, PUBLISHED.assign(estimate=0.17))
    assert bridges.find_cause(table) is None


PLACES = {
    "columns": ["code_old", "township_old", "village", "code"],
    "now": [("1", "甲镇", "", "1"), ("2", "乙镇", "", "1"), ("2", "乙镇", "石桥村", "1")],
    "then": [("1", "甲镇", "", "1"), ("2", "乙镇", "", "2"), ("2", "乙镇", "石桥村", "2")],
}


def places(name, *more):
    return pd.DataFrame([*PLACES[name], *more], columns=PLACES["columns"])


def test_a_merged_township_is_taken_apart_by_the_village():
    roster = pd.DataFrame({"township": ["1", None], "village": ["石桥村委会", None]})
    spells = pd.DataFrame({"start": [1]})
    found = recode_townships(
        {"roster": roster, "register": spells}, places("now"), places("then")
    )
    assert found["roster"]["township"].tolist()[0] == "2"
    assert found["roster"]["township"].isna().tolist() == [False, True]
    assert found["register"] is spells


def test_a_merged_township_without_a_village_is_not_guessed():
    roster = pd.DataFrame({"township": ["1"], "village": [None]})
    assert recode_townships({"roster": roster}, places("now"), places("then")) is None


def test_a_village_confirmed_since_was_to_be_confirmed_then():
    now = places("now", ("3", "丙镇", "", ""), ("3", "丙镇", "新村", "1"))
    then = places("now", ("3", "丙镇", "", ""), ("3", "丙镇", "新村", ""))
    roster = pd.DataFrame({"township": ["1", "unconfirmed:3"], "village": ["新村", ""]})
    found = recode_townships({"roster": roster}, now, then)["roster"]["township"]
    assert found.tolist() == ["unconfirmed:3", "unconfirmed:3"]


def test_a_village_of_which_no_list_says_where_it_went_went_with_its_unit():
    now = places("now", ("2", "乙镇", "高坡村", ""))
    then = places("then", ("2", "乙镇", "高坡村", ""))
    roster = pd.DataFrame({"township": ["1"], "village": ["高坡村"]})
    found = recode_townships({"roster": roster}, now, then)["roster"]["township"]
    assert found.tolist() == ["2"]


def test_an_empty_ledger_stays_empty():
    roster = pd.DataFrame({"township": [], "village": []}, dtype="str")
    found = recode_townships({"roster": roster}, places("now"), places("then"))["roster"]
    pd.testing.assert_frame_equal(found, roster)


def test_the_same_places_change_nothing():
    roster = pd.DataFrame({"township": ["1", "9"], "village": ["石桥村", None]})
    found = recode_townships({"roster": roster}, places("now"), places("now"))
    assert found["roster"]["township"].tolist() == ["1", "9"]


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A frozen edition 2023; studies are only named by what they were asked with."""
    reference = shutil.copytree(locate().reference, tmp_path / "reference")
    folders = dataclasses.replace(
        locate(), reference=reference, data=tmp_path / "data", outputs=tmp_path / "outputs"
    )
    folders.panel(2023).mkdir(parents=True)
    (folders.panel(2023) / "register.parquet").write_bytes(b"")
    shutil.copytree(reference, tmp_path / "outputs" / "published" / "2023" / "reference")
    monkeypatch.setattr(
        earlier, "load_study", lambda folders, plan, *asked, **more: ("study", str(plan))
    )
    monkeypatch.setattr(earlier, "put_panel", lambda study, panel, plan: (*study, panel))
    monkeypatch.setattr(earlier, "_rebuild_panel", lambda *asked: "panel of then")
    return folders


def load(folders):
    return load_earlier(folders, load_plan(folders.reference), 2023, "loan")


def test_with_the_frozen_plan_and_places_nothing_is_different(folders):
    found = load(folders)
    assert found.then is found.planned is found.now
    assert found.states == {"plan": SAME, "boundary": SAME}


def test_a_changed_plan_is_asked_as_it_was(folders):
    edit(folders.reference / "analysis_plan.toml", "significance = 0.05", "significance = 0.1")
    found = load(folders)
    assert found.states == {"plan": TOLD, "boundary": SAME}
    assert found.planned is found.now and "'significance': 0.05" in found.then[1]


def test_what_a_plan_must_say_since_then_is_asked_as_today(folders):
    plan = folders.published(2023) / "reference" / "analysis_plan.toml"
    lines = plan.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not line.startswith("time_zero")]
    assert len(kept) == len(lines) - 3
    plan.write_text("\n".join(kept), encoding="utf-8")
    found = load(folders)
    assert found.states["plan"] == SAME and found.then is found.now


def test_a_plan_that_today_cannot_be_followed_is_part_of_the_code(folders, monkeypatch):
    edit(folders.reference / "analysis_plan.toml", "significance = 0.05", "significance = 0.1")

    def refuse(folders, plan, *asked, **more):
        if plan["gates"]["significance"] == 0.05:
            raise KeyError("gone")
        return ("study",)

    monkeypatch.setattr(earlier, "load_study", refuse)
    found = load(folders)
    assert found.states["plan"] == UNTOLD and found.then is found.now


def test_changed_places_are_laid_under_the_data_of_then(folders):
    edit(folders.reference / "places.csv", "罗江镇,,511702102", "罗江镇,,511702103")
    found = load(folders)
    assert found.states == {"plan": SAME, "boundary": TOLD}
    assert found.then is found.planned and found.planned[-1] == "panel of then"


def test_places_that_cannot_be_told_are_part_of_the_code(folders, monkeypatch):
    monkeypatch.setattr(earlier, "_rebuild_panel", lambda *asked: None)
    edit(folders.reference / "places.csv", "罗江镇,,511702102", "罗江镇,,511702103")
    found = load(folders)
    assert found.states["boundary"] == UNTOLD and found.then is found.now


def test_line_ends_are_no_change_and_no_frozen_edition_means_none_changed(folders):
    kept = folders.published(2023) / "reference" / "places.csv"
    kept.write_bytes(kept.read_bytes().replace(b"\n", b"\r\n"))
    assert load(folders).states["boundary"] == SAME
    shutil.rmtree(folders.published(2023))
    edit(folders.reference / "analysis_plan.toml", "significance = 0.05", "significance = 0.1")
    assert load(folders).states == {"plan": SAME, "boundary": SAME}


def test_without_tables_of_persons_nothing_can_be_asked(folders):
    (folders.panel(2023) / "register.parquet").unlink()
    assert load(folders) is None
