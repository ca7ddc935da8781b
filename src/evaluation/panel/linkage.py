"""Rows without a usable number: whose they are, in passes, inside the edition's cut.

A few deterministic passes, the surest first, each unique on both sides, in the manner of
Abramitzky, Boustan, Eriksson, Feigenbaum and Pérez (2021, J. Econ. Lit. 59:865), who link
on name, age and place and leave every ambiguous name alone; the household, the phone and
the business are further evidence (as in "Finding John Smith", 2025, NBER w33999), and the
order is from strict to loose (Dusetzina et al. 2014, Linking Data for Health Services
Research, AHRQ, ch. 4). Every row carries its pass, so that results can be shown without the
weaker links, and who is lost is described (Gilbert et al. 2018, GUILD, J. Public Health
40:191): see `link_rates`.

Wrong links pull effects towards zero (Bailey, Cole, Henderson and Massey 2020, J. Econ. Lit.
58:997), so a wrong link is worse than none: nobody is linked by a name alone, nor by a name
and a township. In the demonstration both are right as long as the true person is known by
number elsewhere; where half of them are not, 14 of 100 register rows linked by name and 4 of
100 posts linked by name and township are wrong, by the passes below none
(``tests/benchmarks/linkage.py``). Digits of a damaged or masked number are never used.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from evaluation.panel.edition import keep_latest
from evaluation.panel.evidence import compare_rows


class Pass(NamedTuple):
    """What a row and a person must share.

    Attributes
    ----------
    shared
        Columns of `compare_rows`, all of them needed.
    weak
        Left out by a result that is to rest on the surer links alone.
    """

    shared: tuple[str, ...]
    weak: bool = False


# Surest first.
PASSES = {
    "name_phone": Pass(("name", "phone")),
    "name_household": Pass(("name", "household")),
    "name_business": Pass(("name", "business")),
    "name_birth": Pass(("name", "sex", "birth", "township", "fits")),
    "name_day": Pass(("name", "day", "few")),
    "pinyin_phone": Pass(("sound", "phone")),
    "pinyin_household": Pass(("sound", "household")),
    "pinyin_business": Pass(("sound", "business")),
    "name_next": Pass(("name", "next", "few", "fits"), weak=True),
    "name_firm": Pass(("name", "firm", "few", "fits"), weak=True),
    "name_village": Pass(("name", "village", "fits"), weak=True),
    "pinyin_birth": Pass(("sound", "sex", "birth", "township", "fits"), weak=True),
    "pinyin_village": Pass(("sound", "village", "fits"), weak=True),
}
# All ways in which a row belongs to a person, surest first. One contract is one borrower's
# (`edition.cut_ledger`).
ORDER = ("number", "contract", *PASSES)
WEAK = tuple(name for name, rule in PASSES.items() if rule.weak)


def link_rows(ledgers: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Find the persons of rows without a number.

    A pass links a row that has one candidate left, if that person has no second such row:
    by a weak pass, no second one in the ledger (of a roster: in the year); by a surer one,
    none for the same thing. Candidates that contradict the row are none (`compare_rows`).

    Parameters
    ----------
    ledgers
        Of one edition, as returned by `cut_ledger`.

    Returns
    -------
    dict
        The ledgers with ``person_id`` and ``link_pass`` (one of `ORDER`) of the rows that
        were linked; where such a row is a version of another one, the latest stays.
    """
    pairs, linked = compare_rows(ledgers), dict(ledgers)
    for ledger, found in run_passes(pairs).groupby("ledger", sort=False):
        rows = ledgers[ledger].copy(deep=False)
        for column in ("person_id", "link_pass"):
            values = rows[column].array.copy()
            values[found["position"].to_numpy()] = found[column].array
            rows[column] = pd.Series(values, rows.index)
        linked[ledger] = rows.iloc[keep_latest(rows.reset_index(drop=True), ledger)]
    return linked


def run_passes(pairs: pd.DataFrame, passes: dict[str, Pass] = PASSES) -> pd.DataFrame:
    """Run passes over candidates, one after the other.

    Parameters
    ----------
    pairs
        As returned by `compare_rows`.
    passes
        Surest first.

    Returns
    -------
    pandas.DataFrame
        Key ``ledger, position``: ``person_id``, ``link_pass``; a row that is linked by
        none is absent.
    """
    links, people = [], pairs.groupby(["ledger", "person_id"], sort=False)
    pairs = pairs.assign(theirs=people.ngroup())
    pairs["theirs_of_thing"] = pairs.groupby(["theirs", "thing"], sort=False).ngroup()
    for name, rule in passes.items():
        met = pairs[pairs[[*rule.shared]].all(axis=1)]
        theirs = ["theirs", "year"] if rule.weak else "theirs_of_thing"
        alone = ~met["row"].duplicated(keep=False) & ~met.duplicated(theirs, keep=False)
        met = met[alone]
        links.append(met[["ledger", "position", "person_id"]].assign(link_pass=name))
        # Whose row for a thing has been found, has no second one.
        found = pairs["theirs_of_thing"].isin(met["theirs_of_thing"])
        pairs = pairs[~(pairs["row"].isin(met["row"]) | found)]
    return pd.concat(links, ignore_index=True)


def find_weakest(people: pd.Series, ledgers: list[pd.DataFrame]) -> pd.Series:
    """Give the weakest pass by which any row of each person was linked.

    Parameters
    ----------
    people
        ``person_id``.
    ledgers
        As returned by `link_rows`.

    Returns
    -------
    pandas.Series
        Index as `people`; ``number`` where every row has one, and where there is no row.
    """
    rank = pd.Series(0, people, dtype="int64")
    for rows in ledgers:
        other = rows[(rows["link_pass"] != "number").fillna(False) & rows["person_id"].notna()]
        way = pd.Series(pd.Index(ORDER).get_indexer(other["link_pass"]), other["person_id"])
        weakest = way.groupby(level=0).max()
        rank[weakest.index] = np.maximum(rank[weakest.index], weakest)
    return pd.Series(pd.array(np.array(ORDER, dtype=object)[rank], dtype="str"), people.index)
