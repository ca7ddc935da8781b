"""What a reader can work out, and which further cells go so that it is not enough."""

import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from made_up_counts import RULES, townships
from scipy import optimize

from evaluation.errors import DisclosureError
from evaluation.findings.audit import (
    Knowledge,
    count_values,
    find_cheapest,
    find_ranges,
    reconcile,
)
from evaluation.findings.margins import lay_out
from evaluation.findings.protection import choose_hidden

sys.path.insert(0, str(ROOT / "tests" / "benchmarks"))
import disclosure_attack


def know(low, high, sums=(), orders=()):
    sums = [(np.array(members), total) for members, total in sums]
    return Knowledge(np.array(low, float), np.array(high, float), sums, list(orders))


def test_a_sum_narrows_its_cells():
    # Withheld: at most 9, and at least 10; shown: 38 to 42; together 55.
    known = know([0, 10, 38, 55], [9, 99, 42, 55], [([0, 1, 2], 3)])
    low, high = find_ranges(known, [0, 1])
    assert (low.tolist(), high.tolist()) == ([0, 10], [7, 17])
    assert count_values(low, high).tolist() == [8, 8]


def test_an_order_narrows_both():
    low, high = find_ranges(know([0, 4], [9, 6], orders=[(0, 1)]), [0, 1])
    assert (low.tolist(), high.tolist()) == ([0, 4], [6, 6])


def test_knowledge_that_contradicts_itself_has_no_ranges():
    assert find_ranges(know([5, 0], [9, 3], orders=[(0, 1)]), [0]) is None


def test_what_contradicts_the_table_is_given_up_with_what_its_sums_tie_to_it():
    # The table: two cells of at most 3. Another: cells 2 and 3 make 9, and cell 4 is apart.
    bounds = [0, 0, 5, 0, 0, 9], [3, 3, 9, 9, 9, 9]
    growth = [(2, 0), (3, 1), (4, 1)]  # that 5 became 3 is impossible
    known = know(*bounds, [([2, 3], 5)], growth)
    kept = reconcile(known, know(*(ends[:2] for ends in bounds)))
    assert (kept.sums, kept.orders) == ([], [(4, 1)])
    assert find_ranges(kept, [0]) is not None


def test_an_audit_that_was_not_solved_is_none(monkeypatch):
    failed = optimize.OptimizeResult(status=4, x=None)
    monkeypatch.setattr(optimize, "linprog", lambda *args, **kwargs: failed)
    with pytest.raises(DisclosureError, match="审核"):
        hide(3, 12, 40, total=55)


def test_what_costs_least_goes():
    known = know([0, 10, 38, 28, 90], [9, 14, 42, 32, 90], [([0, 1, 2, 3], 4)])
    losses = np.array([np.inf, np.inf, 40, 30, np.inf])
    assert find_cheapest(known, 0, 4, losses, (10, 200)).tolist() == []
    narrow = know([0, 10, 40, 30, 90], [9, 10, 40, 30, 90], [([0, 1, 2, 3], 4)])
    assert find_cheapest(narrow, 0, 4, losses, (10, 200)).tolist() == [3]
    assert find_cheapest(narrow, 0, 4, np.full(5, np.inf), (10, 200)) is None


def hide(*counts, total=None):
    cells = lay_out(townships(*counts, total=total), ["n"], ["township"], {})
    return choose_hidden(cells, cells.values < 10, RULES)


def test_nothing_goes_where_nothing_is_small():
    assert not hide(12, 13, 42, total=67).any()


def test_the_second_cell_is_one_that_leaves_room():
    # Without the 12, both 13 are shown as 15: 13 to 17. Of 38 then 4 to 12 are missing, of
    # which the second cell has 10 or more, and the small one at most 2.
    assert hide(0, 12, 13, 13, total=38).tolist() == [True, False, True, False, False]


def test_a_level_that_is_larger_than_its_total_is_no_part_of_it():
    counts = townships(30, 13, total=20).assign(place="a")
    counts = pd.concat([counts, townships(3, 40, 50, total=93).assign(place="b")])
    cells = lay_out(counts.reset_index(drop=True), ["n"], ["place", "township"], {})
    hidden = choose_hidden(cells, cells.values < 10, RULES)
    assert np.flatnonzero(hidden).tolist() == [3, 4]


def test_without_a_total_a_small_cell_goes_alone():
    assert hide(3, 12, 40).tolist() == [True, False, False]


@pytest.fixture(scope="module")
def attacked():
    left, _, _ = disclosure_attack.measure(8, seed=3)
    return left


@pytest.mark.parametrize(
    "attacker", ["one edition", "both editions", "both editions, whole numbers"]
)
def test_an_attacker_with_all_margins_is_left_five_values_of_each_small_count(
    attacked, attacker
):
    assert attacked[disclosure_attack.OWN, attacker].min() >= RULES["min_values"]


def test_the_same_attacker_reads_tables_that_were_suppressed_naively(attacked):
    exact = attacked["primary, exact", "one edition"]
    assert (exact == 1).any()
    assert attacked["primary, rounded", "both editions"].min() < RULES["min_values"]
