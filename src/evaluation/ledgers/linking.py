"""Persons and businesses of a row: keyed hashes in place of numbers, names and phones."""

import contextlib
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.ledgers import identity, values
from evaluation.ledgers.identity import Pseudonymiser
from evaluation.ledgers.rules import note
from evaluation.tables import write_table

_TIDY = {"name": identity.tidy_name, "phone": identity.tidy_phone}


def link_persons(raw, pseudonyms: Pseudonymiser, prefixes, typed_sex, notes: list):
    """Link key, keyed name and phone; sex and birth year from the number.

    A number that cannot be used links nobody: the row stays, without ``person_id``. It
    gets a pseudonym all the same, by which the scan of published files would find it.

    Parameters
    ----------
    prefixes
        First six digits that need no remark; others are only a warning.
    typed_sex
        Sex as typed, used where the number gives none.

    Returns
    -------
    dict
        Columns of the clean table.
    """
    cells = raw.columns["number"]
    codes = cells.codes
    checked = identity.check_numbers(cells)
    numbers, kinds, sexes = (
        checked[name].to_numpy(dtype=object) for name in ("number", "kind", "sex")
    )
    usable = pd.notna(numbers)
    digests = _hash_numbers(checked, pseudonyms)
    for kind in pd.unique(kinds[pd.notna(kinds)]):
        notes.append(note(raw, values.take(kinds == kind, codes, False), "number", kind))
    strange = usable & np.array([str(n)[:6] not in prefixes for n in numbers], dtype=bool)
    notes.append(note(raw, values.take(strange, codes, False), "number", "number_prefix"))
    sex = pd.Series(values.take_texts(sexes, codes))
    typed_sex = pd.Series(typed_sex, sex.index, dtype="str")
    birth = values.take(checked["birth"].to_numpy(dtype=int), codes, 0)
    columns = {
        "person_id": values.take_texts(np.where(usable, digests, None), codes),
        "birth_year": np.where(birth > 0, birth // 10_000, np.nan),
        "sex": sex.fillna(typed_sex).array,
    }
    differ = sex.notna() & typed_sex.notna() & (sex != typed_sex)
    notes.append(note(raw, differ, "sex", "sex_mismatch"))
    columns |= _typed_birth(raw, columns["birth_year"], notes)
    columns |= _names_and_phones(raw, pseudonyms, notes)
    return columns


def hash_persons(parts: list, pseudonyms: Pseudonymiser, corrections=()) -> pd.DataFrame:
    """Keyed hashes of all numbers, names and phones, in the order in which they were read.

    Parameters
    ----------
    parts, corrections
        What was read, and what clerks wrote since.

    Returns
    -------
    pandas.DataFrame
        Key ``(kind, hash)``.
    """
    cells = {}
    for kind in ("number", *_TIDY):
        pieces = [part.columns[kind] for part in parts if kind in part.columns]
        added = [one.new for one in corrections if one.field == kind and one.new]
        cells[kind] = values.join_column([*pieces, values.encode(added)])
    found = {"number": _hash_numbers(identity.check_numbers(cells["number"]), pseudonyms)}
    for kind, tidy in _TIDY.items():
        found[kind] = pseudonyms.find(cells[kind].categories, kind, tidy=tidy)
    hashes = pd.concat({kind: pd.Series(pd.unique(texts)) for kind, texts in found.items()})
    hashes = hashes.dropna()
    kinds = hashes.index.get_level_values(0)
    return pd.DataFrame({"kind": kinds, "hash": hashes.to_numpy()}, dtype="str")


def _hash_numbers(checked, pseudonyms):
    return pseudonyms.find(checked["number"].fillna(checked["typed"]), "number", 32)


def _names_and_phones(raw, pseudonyms, notes):
    columns = {}
    nobody = raw.columns["number"].codes < 0
    names = raw.columns.get("name")
    if names is not None:
        columns["name_key"] = pseudonyms.keyed(names, _TIDY["name"], "name")
        columns["pinyin_key"] = pseudonyms.keyed(names, spell_name, "pinyin")
        spaced = [len(text.split()) > 1 for text in names.categories]
        notes.append(note(raw, values.take(spaced, names.codes, False), "name", "name_spaces"))
        notes.append(note(raw, (names.codes < 0) & ~nobody, "name", "name_missing"))
        notes.append(note(raw, (names.codes >= 0) & nobody, "number", "number_missing"))
        nobody &= names.codes < 0
    notes.append(note(raw, nobody, "number", "person_missing"))
    if "phone" in raw.columns:
        phones = raw.columns["phone"]
        columns["phone_key"] = pseudonyms.keyed(phones, _TIDY["phone"], "phone")
    return columns


# anyascii writes ü as u: 吕 (Lü) and 卢 (Lu) would be of the same sound.
_WITH_UMLAUT = dict.fromkeys("驴吕铝侣旅履屡缕虑氯律率滤绿闾榈膂褛稆", "lv")
_WITH_UMLAUT |= dict.fromkeys("女钕恧", "nv")
_SOUNDS: dict[str, str] = {}


def spell_name(name: str) -> str:
    """Spell a name in pinyin without tones, so that homophones are spelt alike.

    Each character has its first reading, also as a surname: what is typed alike is spelt
    alike, and that is all that linking needs.

    Examples
    --------
    >>> spell_name("吕 晓明") == spell_name("吕小名")
    True
    >>> spell_name("卢晓明") == spell_name("吕晓明")
    False
    """
    from anyascii import anyascii  # needed by one stage alone

    sounds = []
    for character in identity.tidy_name(name):
        if character not in _SOUNDS:
            sound = _WITH_UMLAUT.get(character) or anyascii(character).lower()
            _SOUNDS[character] = sound.strip()
        sounds.append(_SOUNDS[character])
    return " ".join(filter(None, sounds))


def _typed_birth(raw, year, notes):
    """Birth year from its own column where the number gives none."""
    cells = raw.columns.get("birth")
    if cells is None:
        return {}
    days, states = values.parse_dates(cells)
    stated = pd.Series(days).dt.year.to_numpy(dtype=float)
    differ = ~np.isnan(year) & ~np.isnan(stated) & (year != stated)
    notes.append(note(raw, differ, "birth", "birth_mismatch"))
    notes.append(note(raw, states == "bad", "birth", "date_unreadable"))
    return {"birth_year": np.where(np.isnan(year), stated, year)}


def link_businesses(raw, pseudonyms: Pseudonymiser, notes: list) -> dict:
    """Keyed hash of the credit code; an invalid one links nothing."""
    cells = raw.columns.get("credit_code")
    if cells is None:
        return {}
    codes = [identity.check_credit_code(text) for text in cells.categories]
    wrong = values.take([code is None for code in codes], cells.codes, False)
    notes.append(note(raw, wrong, "credit_code", "credit_code"))
    keys = pseudonyms.find(codes, "business")
    return {"business_key": values.take_texts(keys, cells.codes)}


def link_column(raw, column: str, pseudonyms: Pseudonymiser):
    """Keyed hash of a contract, a household or a firm; none where the file has no column."""
    cells = raw.columns.get(column)
    return None if cells is None else pseudonyms.keyed(cells, values.clean_text, column)


def write_private_hashes(hashes: pd.DataFrame, path: Path) -> Path:
    """Write the keyed hashes that the scan of published files compares with.

    Readable by its owner alone (on Windows: as the folder is).
    """
    write_table(hashes, path, key=["kind", "hash"])
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    return path
