"""Decide what goes wrong with the ledgers of a world, before any of them is typed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.demo.breaches import Breaches, break_rules, find_no_breaches
from evaluation.demo.defects import NOTHING, Plan, plan_mistakes
from evaluation.demo.deliveries import final_tables, first_received
from evaluation.demo.desk import Desk
from evaluation.demo.ledgers import FILES
from evaluation.demo.papers import FOREIGN_PREFIX, finish_number
from evaluation.demo.revisions import NO_REVISIONS, Revisions, choose_revisions
from evaluation.ledgers.linking import spell_name

_FOREIGN = 0.001  # share of people whose number was first given elsewhere


@dataclass(frozen=True)
class Planted:
    """A world and all that goes wrong with its ledgers.

    Attributes
    ----------
    papers
        As returned by `draw_papers`, a few numbers with another prefix.
    desk
        What mistakes are typed from, by column and person; see `Desk`.
    plans
        By ledger.
    rosters
        Of all years, in truth.
    merges
        Whether cells are merged downwards.
    """

    breaches: Breaches
    revisions: Revisions
    papers: pd.DataFrame
    desk: dict[str, np.ndarray]
    plans: dict[str, Plan]
    rosters: pd.DataFrame
    merges: bool = True


def plant_world(world, papers, seed: np.random.SeedSequence, defects: bool = True) -> Planted:
    """Decide what goes wrong, each thing from a stream of its own; or nothing does."""
    if not defects:
        whole = find_no_breaches(world)
        rosters = final_tables(whole)["roster"]
        desk = _set_desk(world, papers, rosters, [])
        plans = dict.fromkeys(FILES, NOTHING)
        return Planted(whole, NO_REVISIONS, papers, desk, plans, rosters, merges=False)
    breaking, revising, abroad, *wrong = seed.spawn(3 + len(FILES))
    breaches = break_rules(world, np.random.default_rng(breaking))
    tables, rules = final_tables(breaches), world.rules
    revisions = choose_revisions(
        tables,
        first_received(rules),
        rules.last_year,
        papers,
        breaches.persons,
        np.random.default_rng(revising),
    )
    barred = np.union1d(breaches.persons, revisions.persons)
    rng, count = np.random.default_rng(abroad), max(round(_FOREIGN * len(papers)), 2)
    foreign = np.setdiff1d(rng.permutation(len(papers))[: 2 * count], barred)[:count]
    numbers = papers["number"].to_numpy(dtype=object, copy=True)
    for person in foreign:
        numbers[person] = finish_number(FOREIGN_PREFIX + numbers[person][6:17])
    papers = papers.assign(number=numbers)
    desk = _set_desk(world, papers, tables["roster"], foreign)
    plans = {
        ledger: plan_mistakes(
            tables[ledger],
            Desk(ledger, rules.last_year, desk),
            barred,
            np.random.default_rng(stream),
        )
        for ledger, stream in zip(FILES, wrong, strict=True)
    }
    return Planted(breaches, revisions, papers, desk, plans, tables["roster"])


def _set_desk(world, papers, roster, foreign):
    desk = {name: papers[name].to_numpy() for name in papers}
    desk |= {name: world.people[name].to_numpy() for name in ("birth_year", "female")}
    desk["foreign"] = np.isin(np.arange(len(papers)), foreign)
    desk["dotted"] = papers["name"].str.contains("·").to_numpy()
    desk["sound"] = np.array([spell_name(name) for name in papers["name"]])
    desk["in_street"] = papers["township"].str.endswith("街道").to_numpy()
    desk["rosters"] = np.bincount(roster["person"], minlength=len(papers))
    desk["partner"] = _find_partners(world.people["household"].to_numpy())
    return desk


def _find_partners(household):
    """The next person of each household, around; -1 for those who live alone."""
    order = np.argsort(household, kind="stable")
    first = np.r_[True, np.diff(household[order]) != 0]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    last = np.r_[first[1:], True]
    following = np.where(last, order[start], np.r_[order[1:], 0])
    partner = np.empty(len(order), dtype=int)
    partner[order] = np.where(following == order, -1, following)
    return partner
