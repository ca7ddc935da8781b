"""Plant what goes wrong: which rows, chosen once; in each delivery, how they are typed.

Rows are chosen from the defects' own stream of random numbers, a row by its person and
its own date, so that a cumulative ledger repeats its mistakes every year, as real ones do.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.demo.breaches import turn_of
from evaluation.demo.desk import Desk
from evaluation.demo.mistakes import LONG, MISTAKES
from evaluation.ledgers.kinds import KINDS, SET_ASIDE
from evaluation.ledgers.schema import KEY_DATES

POLICY_RATE = 4  # policy ledgers are short: there each mistake is this much more frequent
_TURNS = 50_000  # above any turn, a month or a year
# Numbers of these kinds are nobody's, or somebody else's.
_UNUSABLE = {
    "number_damaged", "number_checksum", "number_masked", "number_length", "number_birth",
    "number_missing", "person_missing",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """Which rows of a ledger are typed wrong, and how.

    Attributes
    ----------
    rows
        Persons and turns in one number, in ascending order; see `keys_of`.
    mistakes
        Position in ``MISTAKES`` of each.
    """

    rows: np.ndarray
    mistakes: np.ndarray


NOTHING = Plan(np.array([-1]), np.array([0]))


def keys_of(table: pd.DataFrame, ledger: str) -> np.ndarray:
    """Number rows by person and turn, the same in all versions of a row."""
    turns = turn_of(table[KEY_DATES[ledger][0]])
    return table["person"].to_numpy(dtype=int) * _TURNS + turns


def plan_mistakes(table: pd.DataFrame, desk: Desk, barred: np.ndarray, rng) -> Plan:
    """Choose rows for each kind of mistake; no row is chosen twice.

    Parameters
    ----------
    table
        The ledger as known at the end, with ``person``.
    barred
        Persons in whose rows nothing goes wrong.

    Returns
    -------
    Plan
        Of each kind that may happen in the ledger at least one row in a long ledger, and
        in a policy's where only policies have it; as far as there are rows that suit.
    """
    keys = keys_of(table, desk.ledger)
    free = ~np.isin(table["person"], barred) & ~pd.Series(keys).duplicated().to_numpy()
    order, long = rng.permutation(len(table)), desk.ledger in LONG
    rows, mistakes = [], []
    for number, mistake in enumerate(MISTAKES):
        if desk.ledger not in mistake.ledgers:
            continue
        share = mistake.share * (1 if long else POLICY_RATE)
        least = int(long or not set(LONG) & set(mistake.ledgers))
        suits = free if mistake.suits is None else free & mistake.suits(table, desk)
        chosen = order[suits[order]][: max(round(share * len(table)), least)]
        free[chosen] = False
        rows.append(keys[chosen])
        mistakes.append(np.full(len(chosen), number))
    rows, mistakes = np.concatenate(rows), np.concatenate(mistakes)
    order = np.argsort(rows)
    return Plan(rows[order], mistakes[order])


def plant(frame: pd.DataFrame, table: pd.DataFrame, desk: Desk, plan: Plan, notes: list):
    """Type the rows of one delivery wrong where the plan says so.

    Parameters
    ----------
    frame, table
        Rows as typed and in truth, in the same order.
    notes
        What is wrong with rows already: ``(position, column, kind)``.

    Returns
    -------
    tuple
        The rows to be typed, with ``holder`` (whose number stands there, -1 nobody's)
        and ``origin`` (position in `frame`, -1 of a further row); notes as above, of the
        rows returned.
    """
    keys = keys_of(table, desk.ledger)
    at = np.minimum(np.searchsorted(plan.rows, keys), len(plan.rows) - 1)
    columns = {name: cells.to_numpy(dtype=object, copy=True) for name, cells in frame.items()}
    places = np.flatnonzero(plan.rows[at] == keys)
    chosen = table.iloc[places]
    truth = {name: chosen[name].to_numpy(dtype=object) for name in chosen}
    holder = frame["person"].to_numpy(dtype=int, copy=True)
    notes, more = list(notes), []
    for number, place in enumerate(places):
        mistake = MISTAKES[plan.mistakes[at[place]]]
        row = {name: cells[place] for name, cells in columns.items()}
        true = {name: cells[number] for name, cells in truth.items()}
        cells = mistake.change(row, true, desk)
        if cells is None:
            continue
        if mistake.inserts:
            more.append((place, mistake.inserts, cells, mistake.kind))
            continue
        for name, cell in cells.items():
            columns[name][place] = cell
        if mistake.kind:
            notes.append((place, next(iter(cells)), mistake.kind))
        if mistake.kind in _UNUSABLE:
            holder[place] = -1
        elif mistake.kind == "number_shared":
            holder[place] = desk.papers["partner"][row["person"]]
            notes += _tell_apart(place, row["person"], holder[place], desk)
    columns |= {"holder": holder.astype(object), "origin": np.arange(len(frame)).astype(object)}
    return _insert(pd.DataFrame(columns, dtype=object), notes, more)


def _tell_apart(place, person, holder, desk):
    """What else is noted where a number belongs to somebody of another sex or age."""
    papers = desk.papers
    for column, kind, name in (
        ("sex", "sex_mismatch", "female"), ("birth", "birth_mismatch", "birth_year"),
    ):  # fmt: skip
        shown = desk.shows_births if column == "birth" else desk.ledger == "roster"
        if shown and papers[name][person] != papers[name][holder]:
            yield place, column, kind


def _insert(rows, notes, more):
    """Type further rows above or below their originals; notes keep pointing at theirs."""
    source = np.r_[np.arange(len(rows)), [place for place, *_ in more]].astype(int)
    wanted = np.r_[np.arange(len(rows)), [place + side / 2 for place, side, *_ in more]]
    rows = rows.iloc[source].reset_index(drop=True)
    for number, (_, _, cells, kind) in enumerate(more, len(rows) - len(more)):
        for name, cell in {**cells, "origin": -1}.items():
            rows.loc[number, name] = cell
        if kind == "duplicate":
            notes.append((number, "number", kind))
    order = np.argsort(wanted, kind="stable")
    now = np.empty(len(order), dtype=int)
    now[order] = np.arange(len(order))
    notes = [(int(now[place]), column, kind) for place, column, kind in notes]
    return rows.iloc[order].reset_index(drop=True), notes


def finish_notes(rows: pd.DataFrame, notes: list, desk: Desk, order: np.ndarray):
    """Add what follows from other rows, and leave out what a row set aside needs no more.

    Parameters
    ----------
    order
        Positions of the rows in the order in which they are read.

    Returns
    -------
    pandas.DataFrame
        ``position, column, kind, state``.
    """
    notes = pd.DataFrame(notes, columns=["position", "column", "kind"])
    states = notes["kind"].map({kind: KINDS[kind].state for kind in KINDS})
    lost = np.zeros(len(rows), dtype=bool)
    lost[notes.loc[states == SET_ASIDE, "position"].to_numpy(dtype=int)] = True
    notes = notes[(states == SET_ASIDE) | ~lost[notes["position"].to_numpy(dtype=int)]]
    holder = rows["holder"].to_numpy(dtype=int)
    found = {"number_prefix": ~lost & (holder >= 0) & desk.papers["foreign"][holder]}
    if desk.ledger == "roster":
        here = (holder >= 0) & ~lost  # on this snapshot, as it is dated
        here[notes.loc[notes["kind"] == "date_future", "position"].to_numpy(dtype=int)] = False
        told = order[here[order]]
        again = pd.Series(holder[told]).duplicated(keep="last").to_numpy()
        found["person_twice"] = np.zeros(len(rows), dtype=bool)
        found["person_twice"][told[again]] = True
    more = [
        pd.DataFrame({"position": np.flatnonzero(where), "column": "number", "kind": kind})
        for kind, where in found.items()
    ]
    notes = pd.concat([notes, *more], ignore_index=True)
    return notes.assign(state=[KINDS[kind].state for kind in notes["kind"]])
