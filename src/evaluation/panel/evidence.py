"""What rows without a number and persons whose name sounds the same have in common.

Texts become codes here: a hundred thousand rows are compared at once.
"""

import numpy as np
import pandas as pd

from evaluation.ledgers.codes import UNCONFIRMED
from evaluation.ledgers.places import bare_village
from evaluation.ledgers.schema import KEY_DATES
from evaluation.panel.edition import THINGS

WORKING_AGES = (15, 80)
FEW = 10  # namesakes known: with more of them a day in common is met by chance
_TEXTS = {
    "person": "person_id", "name": "name_key", "phone": "phone_key",
    "household": "household_key", "business": "business_key", "sex": "sex",
    "firm": "firm_key", "township": "township", "village": "village", "form": "form",
}  # fmt: skip
# Days of work stand with their form (the post ledger's with that of posts), days of an
# application or a registration for themselves.
_DAYS = {
    "roster": {},
    "register": {"first": "start", "last": "end", "founded": "registered_on"},
    "subsidy": {"founded": "registered_on", "asked": "applied_on"},
    "loan": {"borrowed": "applied_on", "paid": "paid_out"},
    "post": {"first": "started_on", "last": "ended_on"},
}
_FOREVER = 100_000  # days; no day is as late


def compare_rows(ledgers: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Pair rows without a number with the persons whose name sounds the same.

    A person is what is known from rows with a number, of all ledgers, under a name of that
    sound. A number that stands mostly beside names of another sound was typed wrong in such
    a row (it is the husband's or the wife's) and makes nobody a candidate.

    Pairs that contradict themselves are left out: another sex, a birth more than a year
    apart, another township (both confirmed), an age outside `WORKING_AGES` on the day, or a
    row with a number for the same thing in the same delivery.

    Parameters
    ----------
    ledgers
        Of one edition, as returned by `cut_ledger`.

    Returns
    -------
    pandas.DataFrame
        Key ``row, person_id``; ``row`` stands for ``ledger`` and ``position``. Booleans,
        whether row and person share ``sound``, ``name``, ``phone``, ``household``,
        ``business``, ``firm``, ``sex``, ``birth``, ``township``, ``village`` (of the same
        township), ``day`` (of the same event) or ``next`` (work that begins the day after
        the person's ends, or ends the day before it begins, and overlaps none of it).
        ``fits``: no phone and no household known on both sides that differs. ``few``: at
        most `FEW` persons of that name are known. ``year`` (of a roster, else 0) and
        ``thing`` tell rows of one person apart.
    """
    rows = _gather(ledgers)
    loose, facts = rows[rows["person"] < 0], _keep_own(rows[rows["person"] >= 0], ledgers)
    persons = facts[["sound", "person", "person_id"]].drop_duplicates(["sound", "person"])
    own = loose[["ledger", "position", "thing", "year", "sound"]].rename_axis("row")
    pairs = own.reset_index().merge(persons, on="sound").assign(sound=True)
    own, person = loose.loc[pairs["row"]], pairs["person"].to_numpy()

    def share(column, other=None):
        return _share(person, own[column], facts["person"], facts[other or column])

    for column in ("name", "phone", "household", "business", "firm"):
        pairs[column] = share(column)
    for column in ("sex", "township", "village"):
        pairs[column] = share(column)
    days = ("work", "founded", "asked", "borrowed", "paid")
    pairs["day"] = np.logical_or.reduce([share(column) for column in days])
    pairs["next"] = share("first", "after") | share("after", "first")
    pairs["next"] &= ~_overlap(pairs["next"], own, person, facts)
    born = facts.dropna(subset="birth").drop_duplicates("person").set_index("person")["birth"]
    born = born.reindex(person).to_numpy()
    apart = np.abs(own["birth"].to_numpy() - born)
    pairs["birth"] = apart == 0
    age = own["event_year"].to_numpy() - born
    wrong = share("delivery") | (apart > 1) | (age < WORKING_AGES[0]) | (age > WORKING_AGES[1])

    def differ(column):
        known = np.isin(person, facts.loc[facts[column] >= 0, "person"])
        return known & (own[column] >= 0).to_numpy() & ~pairs[column].to_numpy()

    wrong |= differ("sex") | differ("township")
    pairs["fits"] = ~(differ("phone") | differ("household"))
    pairs["few"] = pairs.groupby("row")["name"].transform("sum") <= FEW
    return pairs.drop(columns="person")[~wrong]


def _keep_own(facts, ledgers):
    """Rows of persons half of whose rows at least bear a name of that sound."""
    people = pd.Index(facts["person_id"].unique())
    total = np.zeros(len(people), dtype="int64")
    for rows in ledgers.values():
        found = people.get_indexer(rows["person_id"])
        total += np.bincount(found[found >= 0], minlength=len(people))
    here = facts.groupby(["person", "sound"])["position"].transform("size")
    return facts[2 * here >= total[people.get_indexer(facts["person_id"])]]


def _share(person, asked, people, known):
    """Whether a row's value (−1: none) is among those known of the person paired with it."""
    asked, known = asked.to_numpy(), known.to_numpy()
    width = max(asked.max(initial=0), known.max(initial=0)) + 1
    there = known >= 0
    facts = people.to_numpy()[there] * width + known[there]
    return (asked >= 0) & np.isin(person * width + asked, facts)


def _overlap(near, own, person, facts):
    """Whether a row's work overlaps any of the person's; asked only where `near`."""
    asked = pd.DataFrame({"person": person, "begin": own["first"], "stop": own["after"]})
    asked = asked.set_axis(np.arange(len(asked)))[near.to_numpy()]
    work = facts.loc[facts["first"] >= 0, ["person", "first", "after"]]
    both = asked.rename_axis("pair").reset_index().merge(work, on="person")
    ends = both[["stop", "after"]].mask(both[["stop", "after"]] < 0, _FOREVER)
    overlaps = (both["begin"] < ends["after"]) & (both["first"] < ends["stop"])
    return np.isin(np.arange(len(near)), both.loc[overlaps, "pair"])


def _gather(ledgers) -> pd.DataFrame:
    """Rows without a number, and rows with one of the same sound; −1 is missing."""
    sounds = {
        ledger: rows.get("pinyin_key", rows["name_key"]).fillna(rows["name_key"])
        for ledger, rows in ledgers.items()
    }
    loose = {n: rows["person_id"].isna() & sounds[n].notna() for n, rows in ledgers.items()}
    wanted = pd.concat([sounds[ledger][mask] for ledger, mask in loose.items()]).unique()
    parts = []
    for number, (ledger, rows) in enumerate(ledgers.items()):
        position = np.flatnonzero(sounds[ledger].isin(wanted))
        part = _describe(rows.iloc[position].reset_index(drop=True), ledger, number)
        parts.append(part.assign(position=position, sound=sounds[ledger].array[position]))
    table = pd.concat(parts, ignore_index=True)
    # A township to be confirmed is no evidence; a village is one only within its township.
    unsure = table["township"].str.startswith(UNCONFIRMED).fillna(True).astype(bool)
    table["township"] = table["township"].mask(unsure)
    bare = {name: bare_village(name) for name in table["village"].dropna().unique()}
    table["village"] = table["township"] + " " + table["village"].map(bare).astype("str")
    table["person_id"] = table["person"]
    for column in (*_TEXTS, "sound", "thing", "delivery"):
        table[column] = pd.factorize(table[column])[0]
    dated = (table["form"] >= 0) & (table["first"] >= 0)
    table["work"] = np.where(dated, table["form"] * _FOREVER + table["first"], -1)
    return table


def _describe(rows, ledger, number):
    """What a pass or a veto looks at, in the same columns for all ledgers."""
    part = rows.reindex(columns=list(_TEXTS.values())).astype("str").set_axis([*_TEXTS], axis=1)
    part = part.assign(ledger=ledger, year=0.0, birth=np.nan, event_year=np.nan)
    if "birth_year" in rows:
        part["birth"] = rows["birth_year"].astype("float64")
    if ledger == "roster":
        part["year"] = rows["snapshot_year"].astype("float64")
    else:
        part["event_year"] = rows[KEY_DATES[ledger][0]].dt.year.astype("float64")
    if ledger == "post":
        part["form"] = "post"
    for column in ("first", "last", "founded", "asked", "borrowed", "paid"):
        part[column] = _number_days(rows, _DAYS[ledger].get(column))
    if "valid" in rows:  # a cancelled spell is no work
        part.loc[(rows["valid"] == 0).fillna(False), ["first", "last"]] = -1
    part["after"] = np.where(part["last"] >= 0, part["last"] + 1, -1)
    part["thing"] = pd.util.hash_pandas_object(rows[THINGS[ledger]], index=False).to_numpy()
    delivery = rows["received"].to_numpy(dtype="uint64") * np.uint64(8) + np.uint64(number)
    part["delivery"] = part["thing"] ^ (delivery * np.uint64(0x9E3779B97F4A7C15))
    return part


def _number_days(rows, column):
    """Days since 1970; −1 where there is none."""
    if column is None or column not in rows:
        return -1
    days = rows[column].to_numpy("datetime64[D]")
    return np.where(np.isnat(days), -1, days.astype("int64"))
