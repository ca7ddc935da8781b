"""Demonstration worlds: exact totals, known effects, independence of random streams."""

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from evaluation.demo.breaches import break_rules, find_no_breaches, note_breaches
from evaluation.demo.deliveries import final_tables
from evaluation.demo.mistakes import POLICIES
from evaluation.demo.old_excel import write_xls
from evaluation.demo.revisions import choose_revisions, revise
from evaluation.demo.world import clean_tables, simulate_world, truth
from evaluation.errors import EvaluationError
from evaluation.ledgers.kinds import KINDS

KEY = ["source_file", "source_sheet", "source_row"]


@pytest.fixture(scope="module")
def small():
    return simulate_world(seed=3, n_people=4_000, policy_multiplier=0.2)


@pytest.fixture(scope="module")
def whole():
    return simulate_world(seed=1)


def test_letters_totals_are_exact(whole):
    tables = clean_tables(whole)
    loans, subsidies, posts = tables["loan"], tables["subsidy"], tables["post"]
    assert loans["principal"].sum() == 31_000_000
    assert loans["principal"].notna().sum() == 221
    assert loans["paid_out"].max() < pd.Timestamp("2024-07-01")
    assert subsidies["amount"].sum() == 1_680_000
    assert subsidies["paid_on"].notna().sum() == 168
    filled = posts[posts["ended_on"].isna() | (posts["ended_on"] >= "2024-01-01")]
    assert filled["person_id"].nunique() == len(filled) == 1706
    assert filled["rural"].sum() == 776


def test_there_are_enough_founders_to_compare_with(whole):
    dates = whole.histories.dates
    plain = (dates["found"] >= 0) & (dates["applied"] < 0) & (dates["loan"] < 0)
    assert 2_200 < plain.sum() < 2_900


def test_naive_comparison_is_wrong_in_the_known_direction(whole):
    state = whole.histories.state[:, -1]
    dates, works = whole.histories.dates, np.isin(state, (2, 3))
    founded = (state > 0) & (dates["found"] >= 0)
    gap = {
        name: works[(dates[name] >= 0) & who].mean() - works[(dates[name] < 0) & who].mean()
        for name, who in {"loan": founded, "applied": founded, "post": state > 0}.items()
    }
    assert gap["loan"] > 0.2
    assert gap["applied"] > 0.08
    assert gap["post"] < -0.15


def test_same_seed_makes_the_same_world_and_another_seed_other_people(small):
    again = clean_tables(simulate_world(seed=3, n_people=4_000, policy_multiplier=0.2))
    for name, table in clean_tables(small).items():
        pd.testing.assert_frame_equal(table, again[name])
    other = simulate_world(seed=4, n_people=4_000, policy_multiplier=0.2)
    assert not other.people["birth_year"].equals(small.people["birth_year"])


def test_loan_without_effect_has_a_truth_of_zero():
    world = simulate_world(n_people=4_000, policy_multiplier=0.2, effects={"loan": 0})
    effects = truth(world).query("policy == 'loan'")
    assert len(effects) and (effects["effect"] == 0).all()


def test_policies_change_nothing_before_entry_and_something_after(small):
    effects = truth(small).query("outcome == 'employed_open'")
    assert (effects.loc[effects["event_time"] < 0, "effect"] == 0).all()
    locked = effects.query("policy == 'post' and event_time == 1")
    assert np.average(locked["effect"], weights=locked["n_persons"]) < -0.1


def test_a_violation_leaves_people_untouched(small):
    shifted = simulate_world(3, 4_000, policy_multiplier=0.2, violations={"trend": 0.3})
    pd.testing.assert_frame_equal(shifted.people, small.people)
    late = simulate_world(3, 4_000, policy_multiplier=0.2, violations={"survivors_only": 9})
    assert (late.subsidies["applied_on"] < late.subsidies["paid_on"]).sum() == 34


def test_tables_have_a_key_and_agree_with_each_other(small):
    tables = clean_tables(small)
    for table in tables.values():
        assert not table.duplicated(KEY).any()
    roster, register = tables["roster"], tables["register"]
    assert not roster.duplicated(["person_id", "snapshot_year"]).any()
    assert not register.duplicated(["person_id", "form", "start", "business_key"]).any()
    assert (register["end"].isna() | (register["end"] >= register["start"])).all()
    last = roster[roster["snapshot_year"] == 2024].set_index("person_id")["status"]
    running = register[register["end"].isna() & register["form"].eq("own_business")]
    assert set(running["person_id"]) == set(last[last == "founder"].index)


def test_an_earlier_first_year_lets_policies_begin_earlier():
    world = simulate_world(0, 4_000, first_year=2007, policy_multiplier=0.2)
    tables = clean_tables(world)
    assert tables["roster"]["snapshot_year"].min() == 2007
    assert tables["post"]["started_on"].dt.year.min() == 2010


@pytest.mark.parametrize(
    "settings",
    [
        {"violations": {"unheard_of": 1}},
        {"effects": {"parks": 1}},
        {"last_year": 2016},
        {"n_people": 500},
    ],
)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(EvaluationError):
        simulate_world(**{"n_people": 2_000, **settings})


def test_rules_are_broken_without_moving_a_total_or_a_life(whole):
    broken = break_rules(whole, np.random.default_rng(7))
    assert broken.world.histories is whole.histories
    tables = final_tables(broken)
    kinds = {kind for ledger in tables for _, _, kind in _noted(broken, tables, ledger)}
    assert kinds == {kind for kind in KINDS if kind.startswith("rule_")}
    loans, subsidies, posts = tables["loan"], tables["subsidy"], tables["post"]
    assert loans["principal"].sum() == 31_000_000 and loans["principal"].max() <= 350_000
    paid = subsidies[subsidies["paid_on"].notna()]
    assert paid["amount"].sum() == 1_680_000 and len(paid) == 168
    filled = posts[posts["ended_on"].isna() | (posts["ended_on"] >= "2024-01-01")]
    assert (len(filled), filled["rural"].sum()) == (1706, 776)
    extra = posts[posts.duplicated("person")]  # over before the 31 December of their year
    assert len(extra) and extra["started_on"].dt.year.equals(extra["ended_on"].dt.year)
    assert (extra["ended_on"].dt.month < 12).all() and extra["ended_on"].dt.year.max() < 2024


def _noted(broken, tables, ledger):
    return note_breaches(tables[ledger], ledger, broken) if ledger in POLICIES else []


def test_revised_rows_have_all_arrived_by_the_last_year(whole):
    barred = np.array([], dtype=int)
    ledgers = final_tables(find_no_breaches(whole))
    places = pd.DataFrame({"township": ["a"], "township_old": ["a"]}).loc[
        [0] * len(whole.people)
    ]
    revisions = choose_revisions(
        ledgers, 2016, 2024, places.reset_index(drop=True), barred, np.random.default_rng(3)
    )
    late = revisions.rows[revisions.rows["what"] == "late"]
    assert late["learned"].between(2017, 2024).all() and set(late["ledger"]) == set(ledgers)
    for ledger, table in ledgers.items():
        last = revise(table, ledger, 2024, revisions)
        gone = revisions.rows.query("ledger == @ledger and what == 'vanished'")
        assert len(table) - len(last) == len(gone)
        before = revise(table, ledger, 2015, revisions)
        assert len(table) - len(before) == (late["ledger"] == ledger).sum()


def test_a_workbook_of_the_old_format_reads_back(tmp_path):
    lines = [
        ["题目"],
        [],
        *[[n, "王强", None, f"51999919800203{n:04d}", -1.25] for n in range(900)],
    ]
    write_xls(tmp_path / "a.xls", "台账", lines)
    book = CalamineWorkbook.from_path(str(tmp_path / "a.xls"))
    assert book.sheet_names == ["台账"]
    rows = book.get_sheet_by_name("台账").to_python(skip_empty_area=False)
    assert [[cell for cell in row if cell != ""] for row in rows] == [
        [cell for cell in line if cell is not None] for line in lines
    ]
