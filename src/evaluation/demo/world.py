"""One demonstration world: people, what they did, and what the policies changed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.demo import months, records
from evaluation.demo.clean import clean_tables
from evaluation.demo.months import BUSINESS, OPEN, Histories, live
from evaluation.demo.people import N_TOWNSHIPS, draw_people
from evaluation.demo.rules import Rules, make_rules, selection, work_odds

__all__ = ["World", "clean_tables", "simulate_world", "topic_seeds", "truth"]

# Appending a topic changes no other topic's numbers.
_TOPICS = ("people", *months.TOPICS, "terms", "costs", "observation", "defects", "layout")
_ENTRY = {"subsidy": "applied", "loan": "loan", "post": "post"}


@dataclass(frozen=True)
class World:
    """A world as it happened; nobody but the simulation sees all of it.

    Attributes
    ----------
    people
        One row per person; the index is the person's number.
    histories
        State by month and months of events.
    spells, subsidies, loans, posts
        One row per spell, application, loan application, placement.
    """

    seed: int
    rules: Rules
    people: pd.DataFrame
    traits: dict[str, np.ndarray]
    histories: Histories
    spells: pd.DataFrame
    subsidies: pd.DataFrame
    loans: pd.DataFrame
    posts: pd.DataFrame


def topic_seeds(seed: int) -> dict[str, np.random.SeedSequence]:
    """One independent random stream per topic, so that topics do not disturb each other."""
    children = np.random.SeedSequence(seed).spawn(len(_TOPICS))
    return dict(zip(_TOPICS, children, strict=True))


def simulate_world(
    seed: int = 0,
    n_people: int = 20_000,
    first_year: int = 2013,
    last_year: int = 2024,
    policy_multiplier: float = 1,
    effects: dict | None = None,
    violations: dict | None = None,
) -> World:
    """Simulate a district whose policies have known effects.

    The letter's totals are met exactly for every seed: subsidies paid by the end of
    the last year, borrowers and principal by its June, people in a post during it.

    Parameters
    ----------
    first_year
        Of rosters and register. Policies start 3 (posts), 5 (loans) and 7 years
        (subsidy) later, so an earlier year means more editions with results.
    policy_multiplier
        Multiplies the letter's numbers; small worlds need less than 1.
    effects
        Overrides `rules.EFFECTS`; 0 for ``loan`` or ``subsidy`` is no effect at all.
    violations
        Name → size. ``trend``: log odds a year by which those who (secretly) are
        likelier to enter improve; ``dip``: selection on recent loss of work, in log
        rate; ``survivors_only``: months by which the recorded application precedes
        the real one; ``follow_up``: share of recipients' out-of-work snapshots lost.

    Raises
    ------
    EvaluationError
        On unknown names, or where a policy has more places than eligible people.
    """
    rules = make_rules(n_people, first_year, last_year, policy_multiplier, effects, violations)
    seeds = topic_seeds(seed)
    rng = np.random.default_rng(seeds["people"])
    town_effect = rng.normal(0, 0.12, N_TOWNSHIPS)
    people = draw_people(rng, n_people, first_year, last_year)
    traits = _traits(people, rules, town_effect, np.random.default_rng(seeds["terms"]))
    histories = live(traits, rules, seeds)
    costs = np.random.default_rng(seeds["costs"])
    return World(
        seed,
        rules,
        people,
        traits,
        histories,
        records.spells(people, histories, rules),
        records.subsidies(histories, rules, costs),
        records.loans(histories, rules, costs),
        records.posts(people, histories, rules, traits["rural_draw"]),
    )


def _traits(people, rules, town_effect, rng):
    n_people = len(people)
    full = rng.random(n_people) < 0.8
    columns = ("return_month", "gone_month", "retirement_month", "latent")
    traits = {name: people[name].to_numpy() for name in columns}
    traits |= work_odds(people, town_effect)
    traits |= {f"to_{name}": rate for name, rate in selection(people, rules).items()}
    traits["term"] = np.where(full, 36, rng.integers(6, 36, n_people)).astype(np.int32)
    traits["stays_on"] = (rng.random(n_people) < 0.3).astype(np.int8)
    traits["unlucky"] = (rng.random(n_people) < 0.05).astype(np.int8)
    traits["pay_lag"] = rng.integers(3, 5, n_people).astype(np.int32)
    traits["rural_draw"] = rng.random(n_people)
    return traits


def truth(world: World, outcomes=("employed_open", "self_employed", "months_open_cumulative")):
    """Tell the true effect on recipients, by entry year and event time.

    The mean difference between what happened to recipients and what would have
    happened to them without this policy (others staying open to them), with the same
    random numbers. Over recipients seen both on 31 December before entry and at the
    event time, as estimators see them; exits do not depend on the policy.

    Returns
    -------
    pandas.DataFrame
        Key ``policy, cohort, event_time, comparison, outcome``; ``effect`` in shares
        (months for ``months_open_cumulative``), ``n_persons`` recipients it averages.
    """
    entries = {policy: world.histories.dates[name] for policy, name in _ENTRY.items()}
    recipients = {policy: np.flatnonzero(entry >= 0) for policy, entry in entries.items()}
    rows = np.concatenate(list(recipients.values()))
    without = np.repeat(list(recipients), [len(who) for who in recipients.values()])
    instead = live(
        world.traits, world.rules, topic_seeds(world.seed), rows=rows, without=without,
        cutoffs=world.histories.cutoffs,
    )  # fmt: skip
    pieces = []
    for policy, who in recipients.items():
        actual, other = world.histories.state[who], instead.state[without == policy]
        for outcome in outcomes:
            pieces += _effects_by_cohort(
                actual, other, entries[policy][who], world.rules, policy, outcome
            )
    return pd.DataFrame(pieces)


def _effects_by_cohort(actual, other, entry, rules, policy, outcome):
    start = rules.months[0]
    cohort = entry // 12
    for year in range(rules.first_year, rules.last_year + 1):
        december = year * 12 + 11 - start
        for g in np.unique(cohort):
            base = (g - 1) * 12 + 11 - start
            seen = (cohort == g) & (actual[:, december] != 0) & (actual[:, base] != 0)
            if not seen.any():
                continue
            difference = _outcome(actual[seen], december, entry[seen] - start, outcome)
            difference = difference - _outcome(
                other[seen], december, entry[seen] - start, outcome
            )
            yield {
                "policy": policy,
                "cohort": int(g),
                "event_time": int(year - g),
                "comparison": "not_treated",
                "outcome": outcome,
                "effect": float(difference.mean()),
                "n_persons": int(seen.sum()),
            }


def _outcome(state, december, entry, outcome):
    if outcome == "self_employed":
        return (state[:, december] == BUSINESS).astype(float)
    works = (state == OPEN) | (state == BUSINESS)
    if outcome == "employed_open":
        return works[:, december].astype(float)
    since = np.arange(state.shape[1])[None, :] >= entry[:, None]
    return (works & since)[:, : december + 1].sum(axis=1).astype(float)
