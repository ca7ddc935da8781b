"""Clean tables as another list of places would have coded their townships.

To tell what a changed boundary did to an earlier estimate, its data are looked at once with
the list of places of then. What was typed is not kept, only the present unit and the village;
together with today's list they mostly tell which old unit was meant.
"""

import pandas as pd

from evaluation.ledgers.codes import UNCONFIRMED
from evaluation.ledgers.places import bare_village


def recode_townships(
    clean: dict[str, pd.DataFrame], now: pd.DataFrame, then: pd.DataFrame
) -> dict[str, pd.DataFrame] | None:
    """Code the townships of clean tables by another list of places.

    Parameters
    ----------
    clean
        Clean tables by ledger, coded by `now`; those without ``township`` stay.
    now, then
        ``places.csv`` as texts: by which the tables are coded, and the other one.

    Returns
    -------
    dict or None
        The same rows. None where a row could come from two units that the other list
        holds apart: then nobody can tell, and nothing is guessed.
    """
    own, other = _look_up(now), _look_up(then)
    found = {}
    for ledger, rows in clean.items():
        if "township" not in rows:
            found[ledger] = rows
            continue
        typed = rows.reindex(columns=["township", "village"]).astype(object)
        numbers, pairs = pd.factorize(pd.MultiIndex.from_frame(typed.fillna("")))
        codes = []
        for township, village in pairs:
            candidates = _recode(township, bare_village(village), own, other)
            if len(candidates) > 1:
                return None
            codes += candidates
        coded = pd.Series(codes, dtype=rows["township"].dtype).take(numbers)
        found[ledger] = rows.assign(township=coded.array)
    return found


def _look_up(places: pd.DataFrame) -> tuple[dict, dict]:
    """Present unit by old unit, and by old unit and village, as `places.resolve` has it."""
    units, villages = {}, {}
    for row in places.sort_values("village", kind="stable").itertuples():
        if not row.village:
            units[row.code_old] = row.code or f"{UNCONFIRMED}{row.code_old}"
            continue
        present = row.code or units.get(row.code_old, f"{UNCONFIRMED}{row.code_old}")
        villages[row.code_old, bare_village(row.village)] = present
    return units, villages


def _recode(township: str, village: str, own: tuple, other: tuple) -> set[str | None]:
    """Units of the other list that this one may stand for; missing stays missing."""
    if not township:
        return {None}
    (units, villages), (other_units, other_villages) = own, other
    old = {
        unit
        for (unit, name), present in villages.items()
        if village and name == village and present == township
    }
    old = old or {unit for unit, present in units.items() if present == township}
    found = {other_villages.get((unit, village), other_units.get(unit)) for unit in old}
    return found or {township}
