"""Townships and their mergers: what was typed → the unit it belongs to now."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.ledgers.codes import UNCONFIRMED
from evaluation.ledgers.text_files import read_reference
from evaluation.ledgers.values import clean_text, take, take_texts
from evaluation.plan import load_district

_VILLAGE_ENDING = re.compile(r"(村民委员会|居民委员会|村委会|居委会|社区|村)$")
_UNIT_ENDING = re.compile(r"(街道办事处|街道办|办事处|街道|镇|乡)$")


@dataclass(frozen=True)
class Gazetteer:
    """Units and villages as looked up.

    Attributes
    ----------
    units
        By name (full, and without its ending): old code, present code (empty: to be
        confirmed), last year of the name (9999: in use).
    villages
        By old code and bare village name: present code (empty: to be confirmed) and
        the last year in which it belonged to that unit.
    prefix
        Province, city and district in front of a township's name.
    names
        Full names of townships, for finding one inside an address.
    """

    units: dict[str, tuple[str, str, int]]
    villages: dict[tuple[str, str], tuple[str, int]]
    prefix: re.Pattern
    names: re.Pattern


def load_places(reference: Path) -> Gazetteer:
    """Read ``places.csv`` and the district's names."""
    places = read_reference(reference / "places.csv")
    district = load_district(reference)["district"]
    units, villages = {}, {}
    for row in places.itertuples():
        if row.village:
            known = (row.code, int(row.to or 9999))
            villages[row.code_old, bare_village(row.village)] = known
            continue
        entry = (row.code_old, row.code, int(row.to or 9999))
        units[row.township_old] = entry
        for alias in (_UNIT_ENDING.sub("", row.township_old), row.code_old):
            if units.get(alias, ("", "", 0))[2] < entry[2]:  # the later name wins
                units[alias] = entry
    full = list(places["township_old"].unique())
    full += [f"{name}办事处" for name in full if name.endswith("街道")]
    parts = "".join(f"({district[part]})?" for part in ("city_zh", "name_zh"))
    names = "|".join(sorted(full, key=len, reverse=True))
    return Gazetteer(units, villages, re.compile(rf"^(四川省?)?{parts}"), re.compile(names))


def bare_village(name: str) -> str:
    """Village without its endings.

    Examples
    --------
    >>> bare_village("岩门村社区村民委员会")
    '岩门'
    """
    name = clean_text(name)
    while len(shorter := _VILLAGE_ENDING.sub("", name)) >= 1 and shorter != name:
        name = shorter
    return name


def resolve(township: str | None, village: str | None, places: Gazetteer) -> tuple[str, str]:
    """Find the present unit of one township and village as typed.

    The village decides where it is known; a unit that was split or whose villages are
    not all traced is otherwise to be confirmed, never guessed. A village is looked up
    in its township only, since the same name occurs in several.

    Returns
    -------
    tuple
        Present code, ``unconfirmed:<old code>``, or nothing; and what was typed:
        ``known``, ``unconfirmed``, ``unknown`` or the last year of an old name.
    """
    if not township:
        return "", ""
    name = places.prefix.sub("", clean_text(township))
    entry = places.units.get(name) or places.units.get(_UNIT_ENDING.sub("", name))
    if entry is None:
        return "", "unknown"
    old, present, last = entry
    code, moved = "", 9999
    if village:
        code, moved = places.villages.get((old, bare_village(village)), (code, moved))
    code, last = code or present, min(last, moved)
    if not code:
        return f"{UNCONFIRMED}{old}", "unconfirmed"
    return code, str(last) if last < 9999 else "known"


def list_villages(unit: str, places: Gazetteer) -> dict[str, list[str]]:
    """List the villages of an old unit by where they went, for whoever confirms a place.

    Parameters
    ----------
    unit
        Name or code, as in ``places.csv``.

    Returns
    -------
    dict
        Villages without their endings by name of the present unit; the last, without a
        name, holds those of which no list says where they went.

    Examples
    --------
    >>> units = {"甲镇": ("1", "", 2019), "乙街道": ("2", "2", 9999)}
    >>> villages = {("1", "文凤"): ("2", 2019), ("1", "石庙"): ("", 2019)}
    >>> list_villages("甲镇", Gazetteer(units, villages, re.compile(""), re.compile("")))
    {'乙街道': ['文凤'], '': ['石庙']}
    """
    old = places.units[unit][0]
    named = sorted(places.units.items(), key=lambda item: (item[1][2], len(item[0])))
    names = {code: name for name, (code, _, _) in named if not name.isdigit()}
    went = {}
    for (home, village), (code, _) in places.villages.items():
        if home == old:
            went.setdefault(names.get(code, ""), []).append(village)
    return {name: went[name] for name in sorted(went, key=lambda name: (not name, name))}


def describe_split(unit: str, places: Gazetteer) -> str:
    """Say in words where the villages of an old unit went; see `list_villages`."""
    parts = [
        f"{name or '去向不详'}：{'、'.join(villages)}"
        for name, villages in list_villages(unit, places).items()
    ]
    return "；".join(parts)


def resolve_columns(
    township: pd.Categorical, village: pd.Categorical, places: Gazetteer
) -> tuple:
    """Resolve two columns; each distinct pair is looked up once. See `resolve`."""
    width = len(village.categories) + 1
    codes, pairs = pd.factorize(
        (township.codes.astype(np.int64) + 1) * width + village.codes + 1
    )
    towns, villages = [None, *township.categories], [None, *village.categories]
    found = [resolve(towns[pair // width], villages[pair % width], places) for pair in pairs]
    code = take_texts([c or None for c, _ in found], codes)
    return code, take(np.array([s for _, s in found], dtype=object), codes, "")


def split_addresses(
    addresses: pd.Categorical, places: Gazetteer
) -> tuple[pd.Categorical, pd.Categorical]:
    """Split addresses into township and village; both missing where none is found."""
    towns, villages = [], []
    for address in addresses.categories:
        text = places.prefix.sub("", clean_text(address))
        found = places.names.search(text)
        towns.append(found.group() if found else None)
        rest = text[found.end() :] if found else ""
        ending = re.match(r".+?(村民委员会|居民委员会|村委会|居委会|社区|村)", rest)
        villages.append((ending.group() if ending else rest) or None)
    parts = [take(np.array(p, dtype=object), addresses.codes, None) for p in (towns, villages)]
    return pd.Categorical(parts[0]), pd.Categorical(parts[1])


def name_townships(issues: pd.DataFrame, roster: pd.DataFrame, places: Gazetteer):
    """Put the name of a township into each issue: of its row, else of its person's roster.

    Parameters
    ----------
    issues
        ``township`` (code) and ``person_id``, which goes.

    Returns
    -------
    pandas.DataFrame
        Issues with names instead of codes; an old unit to be confirmed is said to be so.
    """
    known = roster.dropna(subset=["person_id", "township"]).drop_duplicates("person_id")
    home = known.set_index("person_id")["township"].reindex(issues["person_id"])
    code = issues["township"].fillna(home.set_axis(issues.index))
    names = {old: name for name, (old, _, last) in sorted(places.units.items()) if last == 9999}
    names |= {
        f"{UNCONFIRMED}{old}": f"{name}（待核）"
        for name, (old, present, _) in places.units.items()
        if not present and _UNIT_ENDING.search(name)
    }
    full = {code: names.get(code, code) for code in code.dropna().unique()}
    return issues.assign(township=code.map(full).astype("str").fillna("不详")).drop(
        columns="person_id"
    )
