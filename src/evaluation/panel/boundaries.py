"""Clean tables as another list of places would have coded their townships.

To tell what a changed boundary did to an earlier estimate, its data are looked at once with
the list of places of then. What was typed is not kept, only the present unit and the village;
together with today's list they mostly tell which old unit was meant.
"""

from collections.abc import Iterable

import pandas as pd

from evaluation.ledgers.places import bare_village

_UNCONFIRMED = "unconfirmed:"


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
        villages = rows["village"] if "village" in rows else pd.Series(index=rows.index)
        pairs = pd.DataFrame({"township": rows["township"], "village": villages})
        codes = {}
        for township, village in set(zip(*map(_as_texts, pairs.items()), strict=True)):
            candidates = _recode(township, bare_village(village), own, other)
            if len(candidates) > 1:
                return None
            (codes[township, village],) = candidates
        coded = [codes[pair] for pair in zip(*map(_as_texts, pairs.items()), strict=True)]
        found[ledger] = rows.assign(
            township=pd.Series(coded, rows.index, dtype=rows["township"].dtype)
        )
    return found


def _as_texts(column: tuple[str, pd.Series]) -> Iterable[str]:
    return column[1].astype(object).where(column[1].notna(), "").tolist()


def _look_up(places: pd.DataFrame) -> tuple[dict, dict]:
    """Present unit by old unit, and by old unit and village."""
    units, villages = {}, {}
    for row in places.itertuples():
        present = row.code or f"{_UNCONFIRMED}{row.code_old}"
        if row.village:
            villages[row.code_old, bare_village(row.village)] = present
        else:
            units[row.code_old] = present
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
