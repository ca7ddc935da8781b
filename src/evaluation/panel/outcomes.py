"""Work spells and roster status turned into outcomes by month and by year."""

import numpy as np
import pandas as pd

from evaluation.errors import TableError
from evaluation.panel.months import (
    count_steps,
    cover_months,
    find_rows,
    last_covered,
    month_of,
)
from evaluation.panel.observation import STATUS_ENDS, snapshot_day

SPELL = ["person_id", "form", "start", "end", "business_key", "registered_on"]
SPELL += ["deregistered_on"]
OPEN_FORMS = ("unit", "flexible", "own_business")
FORMS = (*OPEN_FORMS, "post", "farming")

# What a roster status says where no register spell covers 31 December. Working away
# is open work; a post and one's own farming are work, but not open work.
STATUS = pd.DataFrame(
    {
        "farming": (1, 0, 0, 1),
        "employed": (1, 1, 0, 1),
        "away": (1, 1, 0, 0),
        "founder": (1, 1, 1, 1),
        "post": (1, 0, 0, 1),
        "unemployed": (0, 0, 0, 1),
    },
    index=["employed", "employed_open", "self_employed", "in_district"],
    dtype="float64",
).T


def valid_spells(register: pd.DataFrame) -> pd.DataFrame:
    """Keep the register rows that count: valid, linked, with a start not after the end.

    A cancelled record stays in the official file (aae100 ≠ 1) and is no work.

    Returns
    -------
    pandas.DataFrame
        Of these rows what tells of work: person, form, days, business.

    Raises
    ------
    TableError
        If a form of employment is unknown: it would silently become "no work".
    """
    unknown = sorted(set(register["form"].dropna().unique()) - set(FORMS))
    if unknown:
        raise TableError(f"就业登记中有未知的就业形式：{unknown}。")
    keep = (register["valid"].fillna(1) == 1) & register["person_id"].notna()
    keep &= register["start"].notna() & ~(register["end"] < register["start"])
    return register[SPELL][keep]


def find_businesses(spells: pd.DataFrame) -> pd.DataFrame:
    """List each person's own businesses with the days on which they opened and closed.

    A founder is known by a registration date. A business counts as closed from the
    deregistration or the end of its last spell, whichever is earlier: a living
    licence is not a living business.

    Parameters
    ----------
    spells
        As returned by `valid_spells`.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id, business``; ``registered_on``, ``closed_on`` (missing = open),
        sorted by ``registered_on``.
    """
    own = spells[(spells["form"] == "own_business") & spells["registered_on"].notna()]
    label, unnamed = own["business_key"].copy(), own["business_key"].isna()
    label[unnamed] = own.loc[unnamed, "registered_on"].dt.strftime("%Y%m%d")
    own = own.assign(business=label, running=own["end"].isna())
    grouped = own.groupby(["person_id", "business"], sort=False, observed=True)
    found = grouped.agg(
        registered_on=("registered_on", "min"),
        deregistered_on=("deregistered_on", "max"),
        end=("end", "max"),
        running=("running", "any"),
    ).reset_index()
    ended = found["end"].mask(found["running"])
    licence = found["deregistered_on"]
    found["closed_on"] = licence.mask(licence.isna() | (ended < licence), ended)
    columns = ["person_id", "business", "registered_on", "closed_on"]
    return found.sort_values("registered_on", kind="stable")[columns].reset_index(drop=True)


def build_grids(persons, register, roster, posts, district: dict, edition: int) -> dict:
    """Lay each person's work out month by month, on the last day of the month.

    Inside the window of the register a month without a spell is 0 for a person whom a
    roster within twelve months finds in the district (who works away is in no local
    register), from the return on; otherwise unknown. A month with a spell is known.
    A placement of the post ledger counts as a post even where the register misses it;
    one without a day of leaving goes on.

    Parameters
    ----------
    persons
        One row per person, with ``observed_from`` and ``observed_until``.
    register, roster, posts
        Of the edition, latest versions; register as returned by `valid_spells`.
    district
        As read by `load_district`: the window of the register.

    Returns
    -------
    dict
        ``window`` (first and last month, whole years), ``people`` and persons × months
        arrays ``open``, ``post``, ``own``, ``work``, ``known``, ``business_age``
        (months, −1 without a business).
    """
    people = pd.Index(persons["person_id"])
    start = month_of([np.datetime64(district["register"]["from"])])[0]
    window = (start // 12 * 12, edition * 12 + 11)
    months = np.arange(window[0], window[1] + 1)

    def spells_of(*forms):
        rows = register[register["form"].isin(forms)]
        return cover_months(
            people,
            rows["person_id"],
            month_of(rows["start"]),
            last_covered(rows["end"], window[1]),
            window,
        )

    grids = {"window": window, "people": people}
    grids["own"] = spells_of("own_business")
    grids["open"] = grids["own"] | spells_of("unit", "flexible")
    grids["post"] = spells_of("post")
    grids["work"] = grids["open"] | grids["post"] | spells_of("farming")
    if posts is not None:
        placed = posts[posts["person_id"].notna() & posts["started_on"].notna()]
        grids["post"] |= cover_months(
            people,
            placed["person_id"],
            month_of(placed["started_on"]),
            last_covered(placed["ended_on"], window[1]),
            window,
        )
    here = roster[roster["status"] != "away"]
    day = month_of(snapshot_day(here))
    seen = cover_months(people, here["person_id"], day - 12, day + 12, window)
    seen &= (
        months >= month_of(persons["observed_from"].fillna(pd.Timestamp(2262, 1, 1)))[:, None]
    )
    until = last_covered(persons["observed_until"], window[1])
    grids["known"] = (seen | grids["work"]) & (months <= until[:, None]) & (months >= start)
    grids["business_age"] = _business_ages(people, find_businesses(register), months)
    return grids


def _business_ages(people, businesses, months) -> np.ndarray:
    """Age in months of the business that runs on each month's last day, else −1."""
    ages = np.full((len(people), len(months)), -1, dtype="int16")
    opened = month_of(businesses["registered_on"])
    closed = np.asarray(businesses["closed_on"], dtype="datetime64[D]")
    # closed on the last day of a month = not operating on that day
    last = last_covered(closed - np.timedelta64(1, "D"), months[-1])
    row = find_rows(people, businesses["person_id"])
    start, stop = np.maximum(opened, months[0]), np.minimum(last, months[-1]) + 1
    length = np.where(row >= 0, np.maximum(stop - start, 0), 0)
    nth = np.repeat(np.arange(len(row)), length)
    month = np.arange(len(nth)) - np.repeat(length.cumsum() - length, length) + start[nth]
    # businesses come sorted by opening: a later one, written last, replaces an earlier
    ages[row[nth], month - months[0]] = month - opened[nth]
    return ages


def tabulate_months(grids: dict) -> pd.DataFrame:
    """Write the known months in rows.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id, month``: ``open``, ``post``, ``business`` (0/1 on the last
        day), ``business_age`` (missing without a business). No row = unknown.
    """
    known, (first, last) = grids["known"], grids["window"]
    row = np.broadcast_to(np.arange(len(known), dtype="int32")[:, None], known.shape)[known]
    month = np.broadcast_to(np.arange(first, last + 1, dtype="int32"), known.shape)[known]
    age, opened, post = (grids[name][known] for name in ("business_age", "open", "post"))
    return pd.DataFrame(
        {
            "person_id": pd.Categorical.from_codes(row, categories=grids["people"]),
            "month": month,
            "open": pd.array(opened.astype("int8"), dtype="Int8"),
            "post": pd.array(post.astype("int8"), dtype="Int8"),
            "business": pd.array((age >= 0).astype("int8"), dtype="Int8"),
            "business_age": pd.arrays.IntegerArray(age, age < 0),
        }
    )


def tabulate_years(grids: dict, persons, register, roster) -> pd.DataFrame:
    """Give each person's outcomes by calendar year; unknown is missing, never 0.

    On 31 December a valid register spell decides; without one, the status in that
    year's roster; without either the outcome is missing, as it is for everybody in a
    year without any roster (there only those in work would be seen). Whoever was found
    in the district before but neither that year's roster nor a spell of work on 31
    December tells of has left: ``in_district`` 0, while whether they work elsewhere is
    not known. Months of a year are summed only if all are known.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id, year``; outcomes as floats 0/1, months as floats, ``records``
        (register rows that touch the year + roster rows).

    Raises
    ------
    TableError
        If the roster has an unknown status.
    """
    unknown = sorted(
        set(roster["status"].dropna().unique()) - set(STATUS.index) - set(STATUS_ENDS)
    )
    if unknown:
        raise TableError(f"花名册中有未知的就业状态：{unknown}。")
    people, (first, last) = grids["people"], grids["window"]
    years = np.arange(first // 12, last // 12 + 1)
    shape = (len(people), len(years))
    december = {name: grids[name][:, 11::12] for name in ("open", "post", "own", "work")}
    table = {
        "person_id": people.array.take(np.repeat(np.arange(len(people)), len(years))),
        "year": np.tile(years, len(people)).astype("int16"),
    }
    row, status = (
        find_rows(people, roster["person_id"]),
        find_rows(STATUS.index, roster["status"]),
    )
    column = roster["snapshot_year"].to_numpy(dtype="int64", na_value=0) - years[0]
    use = (row >= 0) & (column >= 0) & (column < len(years))
    observed = years * 12 + 11 <= last_covered(persons["observed_until"], last)[:, None]
    some_roster = np.isin(np.arange(len(years)), column[use])
    came = month_of(persons["observed_from"].fillna(pd.Timestamp(2262, 1, 1)))[:, None]
    seen_before = came <= years * 12 + 11
    by_register = {
        "employed": december["work"],
        "employed_open": december["open"],
        "self_employed": december["own"],
    }
    for name in STATUS.columns:
        values = np.full(shape, np.nan)
        told = np.append(STATUS[name].to_numpy(), np.nan)[status]
        values[row[use], column[use]] = told[use]
        if name in by_register:
            values = np.where(december["work"], by_register[name], values)
        else:  # in_district
            values = np.where(december["work"], 1.0, values)
            values = np.where(np.isnan(values) & seen_before, 0.0, values)
        table[name] = np.where(observed & some_roster, values, np.nan).ravel()
    whole = grids["known"].reshape(*shape, 12).all(axis=2)
    for name, grid in (
        ("months_employed", "work"),
        ("months_open", "open"),
        ("months_post", "post"),
    ):
        total = grids[grid].reshape(*shape, 12).sum(axis=2, dtype="int8")
        table[name] = np.where(whole, total, np.nan).ravel()
    table["records"] = _count_records(people, register, years, row[use], column[use]).ravel()
    return pd.DataFrame(table)


def find_outcomes(years: pd.DataFrame, outcome: str, person_id, year) -> np.ndarray:
    """Give an outcome of each person in a year, missing where there is none.

    Parameters
    ----------
    years
        Key ``person_id, year``, as returned by `tabulate_years`.
    person_id
        Categorical, one row per person.
    year
        One per row, or several: a column each.
    """
    people, first = person_id.cat.categories, years["year"].min()
    grid = np.full((len(people) + 1, years["year"].max() - first + 3), np.nan)
    # Nobody, and the years before and after, have a margin of their own.
    row, column = find_rows(people, years["person_id"]), years["year"].to_numpy() - first + 1
    grid[row, column] = np.where(row >= 0, years[outcome], np.nan)
    place = np.clip(np.asarray(year) - first + 1, 0, grid.shape[1] - 1)
    row = person_id.cat.codes.to_numpy()
    return grid[row if place.ndim == 1 else row[:, None], place]


def _count_records(people, register, years, roster_row, roster_column) -> np.ndarray:
    """Count register rows that touch a year and roster rows of that year."""
    row = find_rows(people, register["person_id"])
    first, last = (register[name].dt.year.to_numpy() - years[0] for name in ("start", "end"))
    start = np.clip(first, 0, len(years)).astype("int64")
    stop = np.clip(np.fmin(last, len(years) - 1) + 1, 0, len(years)).astype("int64")
    use = (row >= 0) & (start < stop)
    shape = (len(people), len(years))
    records = count_steps(row[use], start[use], stop[use], shape).astype("int64")
    np.add.at(records, (roster_row, roster_column), 1)
    return records
