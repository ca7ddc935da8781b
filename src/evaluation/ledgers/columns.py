"""Columns of a ledger, parsed by what the schema declares them to be."""

import numpy as np
import pandas as pd

from evaluation.ledgers import places, values
from evaluation.ledgers.kinds import KINDS
from evaluation.ledgers.rules import note
from evaluation.ledgers.schema import ACCOUNTED, CLEAN, FILLED, KEY_DATES

_MOST = {"count": 30_000, "level": 100, "number": 1e6}


def parse_columns(raw, words: dict[str, dict[str, str]], notes: list) -> dict[str, np.ndarray]:
    """Parse every declared column that the file has.

    Parameters
    ----------
    raw
        Rows of one ledger as typed.
    words
        By column: value of each typed word; ``flag`` for yes/no marks.
    notes
        Receives what is wrong with which cells.
    """
    cleaned = {}
    for column, kind in CLEAN[raw.ledger].items():
        cells = raw.columns.get(column)
        if cells is None or kind == "code":
            continue
        if kind in ("date", "last_date"):
            cleaned[column], states = values.parse_dates(cells, kind == "last_date")
            key = "key_" if column == KEY_DATES[raw.ledger][0] else ""
            notes.append(note(raw, states == "bad", column, f"{key}date_unreadable"))
        elif kind == "amount":
            cleaned[column] = _parse_amounts(raw, column, cells, notes)
        elif kind in ("count", "number") or column == "ordinal":
            cleaned[column], bad = values.parse_numbers(cells, _MOST[kind])
            notes.append(note(raw, bad, column, "amount_unreadable"))
        elif kind in ("flag", "word", "level"):
            missing = None if kind == "word" else np.nan
            table = words.get(column, words["flag"])
            found, unknown = values.translate(cells, table, missing)
            cleaned[column] = found
            notes.append(note(raw, unknown, column, "word_unknown"))
            if column in FILLED.get(raw.ledger, ()):
                notes.append(note(raw, pd.isna(found) & ~unknown, column, "blank"))
        else:
            cleaned[column] = values.plain(cells)
    return cleaned


def _parse_amounts(raw, column, cells, notes):
    units = [sheet.units.get(column, "元") for sheet in raw.sheets]
    factor = np.array([10_000.0 if unit == "万元" else 1.0 for unit in units])[raw.sheet_of]
    yuan, typed, differs = values.parse_amounts(cells, factor)
    notes.append(note(raw, typed == "bad", column, "amount_unreadable"))
    notes.append(note(raw, typed == "commas", column, "amount_commas"))
    notes.append(note(raw, differs, column, "amount_unit"))
    if column == ACCOUNTED.get(raw.ledger) and raw.ledger != "post":
        files = pd.factorize(np.array([sheet.file for sheet in raw.sheets], dtype=object))[0]
        odd = _mixed(yuan / factor, files[raw.sheet_of]) & ~differs
        notes.append(note(raw, odd, column, "amount_mixed"))
        yuan = np.where(odd, np.nan, yuan)  # a thousandfold amount would drown all others
    return yuan


def _mixed(typed, files):
    """Amounts so far from the middle of their file that the unit may differ."""
    there = typed > 0
    middle = pd.Series(np.where(there, typed, np.nan)).groupby(files).transform("median")
    return there & ((typed * 1_000 < middle) | (typed > middle * 1_000)).to_numpy()


def parse_township(raw, gazetteer: places.Gazetteer, dates, notes: list) -> dict:
    """Present township, with a note where the name is old, unknown or not enough.

    Where there is only an address, the village in it as well.

    Parameters
    ----------
    dates
        Date of each row: an old name is no mistake in a row as old (used where the year
        received is not known).
    """
    town, shown = raw.columns.get("township"), "township"
    village = raw.columns.get("village", values.as_column([""] * len(raw.rows)))
    if town is None and "address" in raw.columns:
        town, village = places.split_addresses(raw.columns["address"], gazetteer)
        shown = "address"
    if town is None:
        return {}
    code, state = places.resolve_columns(town, village, gazetteer)
    open_units = state == "unconfirmed"
    units = [text.partition(":")[2] for text in code[open_units]]
    went = {unit: places.describe_split(unit, gazetteer) for unit in set(units)}
    reasons = [f"{KINDS['place_unconfirmed'].reason}；各村：{went[unit]}" for unit in units]
    notes.append(note(raw, open_units, shown, "place_unconfirmed", reasons))
    notes.append(note(raw, state == "unknown", shown, "place_unknown"))
    found, states = pd.factorize(state)
    last = np.array([float(s) if s.isdigit() else np.nan for s in states])[found]
    dated = pd.Series(dates).dt.year.to_numpy(dtype=float)
    received = raw.received
    year = np.where(received > 0, received, dated)
    notes.append(note(raw, last < year, shown, "place_old"))
    spelt = values.take_texts(village.categories, village.codes)
    return {"township": code, "village": spelt} if shown == "address" else {"township": code}
