"""Rules of the programmes broken on purpose, in ways that leave every total as it is.

Principals and awards are swapped between persons, second awards are not yet paid, further
placements ended before the last year and cover no 31 December. Nobody's work changes:
what a person lived through is in `World.histories`, which stays.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evaluation.demo.months import AWAY
from evaluation.demo.records import cap_of, to_date
from evaluation.demo.world import World

_ROW = ["ledger", "person", "turn"]
# How many of each are planted where the letter's numbers are not multiplied.
_HOW_MANY = {
    "rule_loan_cap": 3, "rule_loan_years": 3, "rule_loan_times": 2,
    "rule_second_subsidy": 3, "rule_paid_before_registration": 3,
    "rule_applied_after_closing": 4, "rule_post_years": 12, "rule_third_post": 5,
}  # fmt: skip
_RETIREMENT = np.array([60, 50])  # of the rule: men, women; see rules.csv
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Breaches:
    """A world whose ledgers break rules, and where they do.

    Attributes
    ----------
    world
        The same people and histories; other applications, loans, placements.
    cells
        What stands in a cell in place of what is true: ``ledger, person, turn``,
        ``column``, ``value``, ``known`` (the column that must be known by then).
    rows
        Which rows break which rule: ``ledger, person, turn``, ``kind``, ``column`` (where
        it is noted), ``known``.
    """

    world: World
    cells: pd.DataFrame
    rows: pd.DataFrame

    @property
    def persons(self) -> np.ndarray:
        """Everybody concerned: in their rows nothing else goes wrong."""
        return np.unique(self.rows["person"])


def turn_of(dates) -> np.ndarray:
    """The turn of a row: the month of its first date, the same in all its versions."""
    dates = pd.Series(dates)
    return (dates.dt.year * 12 + dates.dt.month).to_numpy()


def break_rules(world: World, rng) -> Breaches:
    """Choose who breaks which rule; where nobody can, nobody does.

    Parameters
    ----------
    rng
        Of the defects: it moves nobody's life.
    """
    plan = _Plan(world, rng)
    for step in (
        plan.raise_principals, plan.lengthen_loans, plan.repeat_loans, plan.change_awards,
        plan.award_twice, plan.pay_early, plan.apply_late, plan.lengthen_posts,
        plan.place_thrice,
    ):  # fmt: skip
        step()
    cells = pd.DataFrame(plan.cells, columns=[*_ROW, "column", "value", "known"])
    rows = pd.DataFrame(plan.rows, columns=[*_ROW, "kind", "column", "known"])
    return Breaches(plan.world, cells, rows)


def find_no_breaches(world: World) -> Breaches:
    """A world whose ledgers break no rule."""
    cells = pd.DataFrame(columns=[*_ROW, "column", "value", "known"])
    return Breaches(world, cells, pd.DataFrame(columns=[*_ROW, "kind", "column", "known"]))


class _Plan:
    """The world while its rules are being broken."""

    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.cells, self.rows, self.taken = [], [], set()
        own = world.spells[world.spells["form"] == "own_business"].set_index("person")
        self.closed = own["end"].dropna()

    def _choose(self, kind, rows, mask, count=None):
        """Some of the rows of a mask, none of whose persons has been chosen before."""
        mask = np.asarray(mask) & ~rows["person"].isin(self.taken).to_numpy()
        places = self.rng.permutation(np.flatnonzero(mask))
        first = ~rows["person"].iloc[places].duplicated().to_numpy()
        wanted = self.world.rules.scaled(_HOW_MANY[kind]) if count is None else count
        chosen = rows.iloc[np.sort(places[first][: max(wanted, 1)])]
        self.taken |= set(chosen["person"])
        return chosen

    def _note(self, ledger, rows, dates, kind, column, known):
        for person, turn in zip(rows["person"], turn_of(rows[dates]), strict=True):
            self.rows.append((ledger, person, turn, kind, column, known))

    def _type(self, ledger, rows, dates, column, values, known):
        turns = turn_of(rows[dates])
        for person, turn, value in zip(rows["person"], turns, values, strict=True):
            self.cells.append((ledger, person, turn, column, value, known))

    def raise_principals(self):
        """More than the cap of the day; others get so much less."""
        loans = self.world.loans
        paid = loans["paid_out"].notna() & (loans["paid_out"] >= "2018-01-01")
        chosen = self._choose("rule_loan_cap", loans, paid)
        principal = loans["principal_wan"].copy()
        raised = cap_of(chosen["paid_out"]) + 5
        missing = int((raised - chosen["principal_wan"]).sum())
        principal[chosen.index] = raised
        givers = loans.index[paid & ~loans["person"].isin(self.taken)]
        while missing > 0 and (principal[givers] > 5).any():
            richest = principal[givers].nlargest(missing).index
            principal[richest] -= 1
            missing -= len(richest)
        if missing:
            return
        self.world = replace(self.world, loans=loans.assign(principal_wan=principal))
        self._note("loan", chosen, "applied_on", "rule_loan_cap", "amount", "principal")

    def lengthen_loans(self):
        """Five years in place of at most three."""
        loans = self.world.loans
        fits = (loans["paid_out"] >= "2018-01-01") & (loans["extended"] != 1)
        chosen = self._choose("rule_loan_years", loans, fits)
        due = chosen["paid_out"] + pd.DateOffset(years=5)
        self._type("loan", chosen, "applied_on", "due", due, "due")
        self._note("loan", chosen, "applied_on", "rule_loan_years", "due", "due")

    def repeat_loans(self):
        """A fourth loan, by what the bank says: the earlier ones are in no ledger."""
        loans = self.world.loans
        chosen = self._choose("rule_loan_times", loans, loans["paid_out"] >= "2023-10-01")
        self._type("loan", chosen, "applied_on", "ordinal", [4] * len(chosen), "paid_out")
        self._note("loan", chosen, "applied_on", "rule_loan_times", "paid_out", "paid_out")

    def change_awards(self):
        """Half an award, and one and a half: together they are two."""
        subsidies = self.world.subsidies
        fits = subsidies["paid_on"].notna() & subsidies["applied_on"].dt.year.between(
            2020, 2024
        )
        chosen = self._choose("rule_subsidy_amount", subsidies, fits, 1)
        second = self._choose("rule_subsidy_amount", subsidies, fits, 1)
        if len(chosen) == len(second) == 1:
            for rows, yuan in ((chosen, 5_000.0), (second, 15_000.0)):
                self._type("subsidy", rows, "applied_on", "amount", [yuan], "amount")
                self._note(
                    "subsidy", rows, "applied_on", "rule_subsidy_amount", "amount", "amount"
                )

    def award_twice(self):
        """A second application of a business still open, approved and not yet paid."""
        subsidies, last = self.world.subsidies, self.world.rules.last_year
        when = subsidies["applied_on"]
        fits = subsidies["paid_on"].notna() & when.dt.year.between(2020, last - 2)
        fits &= ~(subsidies["person"].map(self.closed) <= when + 400 * _DAY)
        chosen = self._choose("rule_second_subsidy", subsidies, fits)
        again = chosen.assign(
            applied_on=chosen["applied_on"] + 400 * _DAY,
            checked_on=chosen["applied_on"] + 460 * _DAY,
            result="approved",
            paid_on=pd.NaT,
        )
        self._add("subsidies", again)
        approved = ["approved"] * len(again)
        self._type("subsidy", again, "applied_on", "result", approved, "checked_on")
        kind = "rule_second_subsidy"
        self._note("subsidy", again, "applied_on", kind, "applied_on", "checked_on")

    def pay_early(self):
        """Paid three weeks before the business was registered."""
        subsidies = self.world.subsidies
        fits = subsidies["paid_on"] >= "2020-01-01"
        kind = "rule_paid_before_registration"
        chosen = self._choose(kind, subsidies, fits)
        later = chosen["paid_on"] + 20 * _DAY
        self._type("subsidy", chosen, "applied_on", "registered_on", later, "paid_on")
        self._note("subsidy", chosen, "applied_on", kind, "paid_on", "paid_on")

    def apply_late(self):
        """Applied for after the business had closed, and refused as ineligible."""
        world = self.world
        first = max(2020, world.subsidies["applied_on"].dt.year.min())
        closed = self.closed[self.closed.dt.year.between(first, world.rules.last_year - 1)]
        rows = pd.DataFrame(
            {"person": closed.index, "applied_on": closed.to_numpy() + 40 * _DAY}
        )
        known = np.isin(rows["person"], world.subsidies["person"])
        known |= rows["person"].duplicated(keep=False)
        kind = "rule_applied_after_closing"
        chosen = self._choose(kind, rows, ~known)
        new = chosen.assign(
            checked_on=chosen["applied_on"] + 45 * _DAY,
            result="refused",
            refusal="ineligible",
            paid_on=pd.NaT,
        )
        self._add("subsidies", new)
        self._note("subsidy", new, "applied_on", kind, "applied_on", "applied_on")

    def lengthen_posts(self):
        """An agreement over five years for somebody far from retirement."""
        posts = self.world.posts
        fits = (posts["started_on"] >= "2019-01-01") & (self._years_left(posts) > 5)
        chosen = self._choose("rule_post_years", posts, fits)
        ends = chosen["started_on"] + pd.DateOffset(years=5) - _DAY
        self._type("post", chosen, "started_on", "agreement_end", ends, "agreement_end")
        kind = "rule_post_years"
        self._note("post", chosen, "started_on", kind, "agreement_end", "agreement_end")

    def _years_left(self, posts):
        own = self.world.people.iloc[posts["person"]]
        retires = own["birth_year"].to_numpy() + _RETIREMENT[own["female"].to_numpy()]
        return retires - posts["started_on"].dt.year.to_numpy()

    def place_thrice(self):
        """Two further placements of three months each, over before the last year."""
        posts, rules = self.world.posts, self.world.rules
        year = posts["ended_on"].dt.year + 1
        here = self.world.histories.state[posts["person"]] != AWAY
        column = np.nan_to_num(year.to_numpy(), nan=rules.first_year).astype(int) * 12 + 11
        column = np.clip(column - rules.months[0], 0, here.shape[1] - 1)
        fits = year.between(2019, rules.last_year - 1) & ~posts["left_district"]
        fits &= here[np.arange(len(posts)), column]
        chosen = self._choose("rule_third_post", posts, fits)
        month = ((chosen["ended_on"].dt.year + 1) * 12).astype(int).to_numpy()
        for first in (2, 6):
            new = chosen.assign(
                started_on=to_date(month + first),
                ended_on=to_date(month + first + 3) - np.timedelta64(1, "D"),
            )
            self._add("posts", new)
        self._note("post", new, "started_on", "rule_third_post", "started_on", "started_on")

    def _add(self, name, rows):
        table = getattr(self.world, name)
        rows = rows.reindex(columns=table.columns).astype(table.dtypes)
        table = pd.concat([table, rows], ignore_index=True)
        self.world = replace(self.world, **{name: table})


def type_breaches(table: pd.DataFrame, ledger: str, breaches: Breaches) -> pd.DataFrame:
    """Put the cells that break a rule into a ledger as known by some day."""
    found = _find_known(table, breaches.cells[breaches.cells["ledger"] == ledger])
    table = table.copy(deep=bool(found))
    for place, cell in found:
        table.loc[place, cell.column] = cell.value
    return table


def note_breaches(table: pd.DataFrame, ledger: str, breaches: Breaches) -> list[tuple]:
    """Note ``(position, column, kind)`` of the rows that break a rule as known by then."""
    found = _find_known(table, breaches.rows[breaches.rows["ledger"] == ledger])
    return [(place, row.column, row.kind) for place, row in found]


def _find_known(table, wanted):
    """Positions of those of the wanted rows that stand there with the column they need."""
    if wanted.empty or table.empty:
        return []
    dates = next(name for name in ("applied_on", "started_on") if name in table)
    rows = zip(table["person"], turn_of(table[dates]), strict=True)
    places = {row: place for place, row in enumerate(rows)}
    known = {name: table[name].notna().to_numpy() for name in wanted["known"].unique()}
    found = [(places.get((row.person, row.turn), -1), row) for row in wanted.itertuples()]
    return [(place, row) for place, row in found if place >= 0 and known[row.known][place]]
