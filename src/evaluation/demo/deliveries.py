"""What arrives in each year: the files of a folder, as typed and in truth.

A folder ``<year received>/`` holds the rosters since the last one, the spells begun or
ended since, the policy ledgers whole; and rosters' rows that come a year late.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from evaluation.demo.breaches import Breaches, type_breaches
from evaluation.demo.clean import ledger_tables
from evaluation.demo.ledgers import is_official, type_rows
from evaluation.demo.revisions import LATE, Revisions, find_revised, revise

SUPPLEMENT = "补报"


@dataclass(frozen=True)
class Delivery:
    """One file.

    Attributes
    ----------
    received, ledger, year, suffix
        Year of its folder; ledger, year and suffix of its name.
    frame, table
        Its rows as typed (see `type_rows`) and in truth.
    """

    received: int
    ledger: str
    year: int
    suffix: str
    frame: pd.DataFrame
    table: pd.DataFrame


def first_received(rules) -> int:
    """Year of the first folder: it holds the rosters of the years before as well."""
    return rules.first_year + 3


def final_tables(breaches: Breaches) -> dict[str, pd.DataFrame]:
    """The ledgers as they would be known in the end, were all typed right."""
    tables = ledger_tables(breaches.world, breaches.world.rules.last_year)
    return {name: type_breaches(table, name, breaches) for name, table in tables.items()}


def deliveries(
    breaches: Breaches,
    revisions: Revisions,
    rosters: pd.DataFrame,
    papers: pd.DataFrame,
    names: dict,
) -> Iterator[Delivery]:
    """Yield the files in order.

    Parameters
    ----------
    rosters
        Of all years, from `final_tables`.
    papers, names
        As for `type_rows`.
    """
    world = breaches.world
    first, last = first_received(world.rules), world.rules.last_year

    def deliver(received, ledger, table, year=None, suffix=""):
        year = received if year is None else year
        frame = type_rows(ledger, table, papers, names, year)
        return Delivery(received, ledger, year, suffix, frame, table)

    for year in range(first, last + 1):
        for shot in range(world.rules.first_year if year == first else year, year + 1):
            rows = _snapshot(rosters, shot)
            yield deliver(year, "roster", revise(rows, "roster", year, revisions), shot)
        rows = _snapshot(rosters, year - 1)
        late = rows.iloc[_find_late(rows, "roster", year, revisions)].reset_index(drop=True)
        if len(late):
            yield deliver(year, "roster", late, year - 1, SUPPLEMENT)
        tables = ledger_tables(world, year, ["register", "subsidy", "loan", "post"])
        for ledger, table in tables.items():
            rows = type_breaches(table, ledger, breaches)
            if ledger == "register":
                rows = _since_last(rows, year, first, revisions)
            rows = revise(rows, ledger, year, revisions)
            if len(rows):
                yield deliver(year, ledger, rows)


def _snapshot(rosters, year):
    return rosters[rosters["snapshot_year"] == year].reset_index(drop=True)


def _find_late(rows, ledger, year, revisions):
    """Positions of rows that come this year though they belong to the year before."""
    places, found = find_revised(rows, ledger, revisions)
    pairs = zip(places, found, strict=True)
    return [place for place, row in pairs if row.what == LATE and row.learned == year]


def _since_last(register, year, first, revisions):
    """Spells begun or ended since the last delivery; in official years cancelled ones too."""
    if year > first:
        since = pd.Timestamp(year, 1, 1)
        told = (register["start"] >= since) | (register["end"] >= since)
        told.iloc[_find_late(register, "register", year, revisions)] = True
        register = register[told].reset_index(drop=True)
    return _with_cancelled(register) if is_official(year) else register


def _with_cancelled(register):
    """Put a cancelled draft, begun 25 days too early, before one spell in a hundred."""
    draft = register[(register["person"] * 13 + register["start"].dt.month) % 97 == 0].copy()
    draft["start"] -= pd.Timedelta(days=25)
    draft["valid"] = 0
    both = pd.concat([draft, register]).sort_index(kind="stable")
    return both.reset_index(drop=True)
