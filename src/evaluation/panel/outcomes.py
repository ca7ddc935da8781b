"""Work spells and roster status turned into outcomes by month and by year."""

import numpy as np
import pandas as pd

from evaluation.errors import TableError

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
STATUS_ENDS = ("dead", "retired")
# Male and female ages of statutory retirement. Women workers retire at 50, women cadres
# at 55; the ledgers do not tell them apart, so the later age is used.
RETIREMENT_AGE = {"male": 60, "female": 55}


def month_of(dates) -> np.ndarray:
    """Number the month of each day: year × 12 + month − 1; a missing day gives a very low one.

    >>> month_of(pd.Series(pd.to_datetime(["2020-01-31"]))).tolist() == [2020 * 12]
    True
    """
    return np.asarray(dates, dtype="datetime64[M]").astype("int64") + 1970 * 12


def look_up(person_id: pd.Series, values: pd.Series) -> pd.Series:
    """Fetch each person's value, missing where there is none, whatever the type."""
    return values.reindex(person_id).set_axis(person_id.index)


def window_of(months: pd.DataFrame, edition: int) -> tuple[int, int]:
    """January of the first year in the table of months, and December of the edition."""
    return int(months["month"].min()) // 12 * 12, edition * 12 + 11


def lay_out(months, column, people, window, empty) -> np.ndarray:
    """Lay a column of the table of months out as persons × months; `empty` = unknown."""
    codes = months["person_id"].astype("category").cat
    row = people.get_indexer(codes.categories)[codes.codes]
    place = months["month"].to_numpy() - window[0]
    use = (row >= 0) & (place >= 0) & (place <= window[1] - window[0])
    grid = np.full((len(people), window[1] - window[0] + 1), empty, dtype="int16")
    values = months[column].to_numpy(dtype="int16", na_value=empty)
    grid[row[use], place[use]] = values[use]
    return grid


def valid_spells(register: pd.DataFrame) -> pd.DataFrame:
    """Keep the register rows that count: valid, linked, with a start not after the end.

    A cancelled record stays in the official file (aae100 ≠ 1) and is no work.

    Raises
    ------
    TableError
        If a form of employment is unknown: it would silently become "no work".
    """
    unknown = sorted(set(register["form"].dropna()) - set(FORMS))
    if unknown:
        raise TableError(f"就业登记中有未知的就业形式：{unknown}。")
    keep = (register["valid"].fillna(1) == 1) & register["person_id"].notna()
    keep &= register["start"].notna() & ~(register["end"] < register["start"])
    return register[keep]


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
    label = own["business_key"].fillna(own["registered_on"].dt.strftime("%Y%m%d"))
    own = own.assign(business=label, running=own["end"].isna())
    grouped = own.groupby(["person_id", "business"], sort=False)
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


def cover_months(people, person_id, first, last, window) -> np.ndarray:
    """Mark the months of each person that lie in any of the given stretches.

    Parameters
    ----------
    people
        Index of persons; the rows of the result.
    person_id, first, last
        One stretch each: months numbered as by `month_of`, both ends included.
    window
        First and last month; the columns of the result.

    Returns
    -------
    numpy.ndarray
        Booleans, persons × months.
    """
    row = people.get_indexer(person_id)
    start = np.clip(first, window[0], window[1] + 1) - window[0]
    stop = np.clip(last, window[0] - 1, window[1]) - window[0] + 1
    use = (row >= 0) & (start < stop)
    steps = np.zeros((len(people), window[1] - window[0] + 2), dtype="int16")
    np.add.at(steps, (row[use], start[use]), 1)
    np.add.at(steps, (row[use], stop[use]), -1)
    return steps.cumsum(axis=1)[:, :-1] > 0


def _last_covered(end, fallback) -> np.ndarray:
    """Last month whose last day a stretch covers; an open end reaches the fallback."""
    after = month_of(np.asarray(end, dtype="datetime64[D]") + np.timedelta64(1, "D")) - 1
    return np.where(pd.isna(end), fallback, after)


def _snapshot_day(roster: pd.DataFrame) -> pd.Series:
    """Day on which a snapshot was taken; 31 December of its year where it is not said."""
    last = pd.to_datetime(roster["snapshot_year"].astype("str") + "-12-31", errors="coerce")
    return roster["snapshot_on"].fillna(last.dt.as_unit(roster["snapshot_on"].dt.unit))


def find_observation(persons: pd.DataFrame, roster: pd.DataFrame, edition: int) -> pd.DataFrame:
    """Say from when, until when, and why no longer, each person is observed.

    Observation begins with the return, or with the first snapshot that finds the person
    in the district if that is earlier. Death and retirement end it in both groups alike:
    the day before the first snapshot that says so, or 31 December before the year of the
    statutory age (the clean tables hold a year of birth, no birthday). Otherwise the
    edition's last day.

    Parameters
    ----------
    persons
        ``person_id``, ``sex``, ``birth_year``, ``returned_on``.
    roster
        Latest versions, one row per person and snapshot year.

    Returns
    -------
    pandas.DataFrame
        Index as `persons`: ``observed_from`` (missing = never on a roster),
        ``observed_until``, ``observed_reason`` (``dead``, ``retired``,
        ``statutory_age``, ``edition``).
    """
    roster = roster.assign(day=_snapshot_day(roster)).sort_values("day", kind="stable")
    here = roster[roster["status"] != "away"].drop_duplicates("person_id")
    first = look_up(persons["person_id"], here.set_index("person_id")["day"])
    begins = persons["returned_on"].where(~(persons["returned_on"] > first), first)
    begins = begins.where(persons["person_id"].isin(roster["person_id"]))
    ends = roster[roster["status"].isin(STATUS_ENDS)].drop_duplicates("person_id")
    ends = ends.set_index("person_id")
    told = look_up(persons["person_id"], ends["day"]) - pd.Timedelta(days=1)
    last_year = persons["birth_year"].astype("Float64") - 1
    last_year += persons["sex"].map(RETIREMENT_AGE).astype("Float64")
    last_year = last_year.fillna(9999).clip(upper=edition)
    by_age = pd.to_datetime(last_year.astype("int64").astype("str") + "-12-31")
    by_roster = told < by_age
    reason = np.where(last_year < edition, "statutory_age", "edition")
    reason = np.where(by_roster, look_up(persons["person_id"], ends["status"]), reason)
    return pd.DataFrame(
        {
            "observed_from": begins.fillna(first),
            "observed_until": by_age.mask(by_roster, told),
            "observed_reason": pd.array(reason, dtype="str"),
        },
        index=persons.index,
    )


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
            _last_covered(rows["end"], window[1]),
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
            _last_covered(placed["ended_on"], window[1]),
            window,
        )
    here = roster[roster["status"] != "away"]
    day = month_of(_snapshot_day(here))
    seen = cover_months(people, here["person_id"], day - 12, day + 12, window)
    seen &= (
        months >= month_of(persons["observed_from"].fillna(pd.Timestamp(2262, 1, 1)))[:, None]
    )
    until = _last_covered(persons["observed_until"], window[1])
    grids["known"] = (seen | grids["work"]) & (months <= until[:, None]) & (months >= start)
    grids["business_age"] = _business_ages(people, find_businesses(register), months)
    return grids


def _business_ages(people, businesses, months) -> np.ndarray:
    """Age in months of the business that runs on each month's last day, else −1."""
    ages = np.full((len(people), len(months)), -1, dtype="int16")
    opened = month_of(businesses["registered_on"])
    closed = np.asarray(businesses["closed_on"], dtype="datetime64[D]")
    # closed on the last day of a month = not operating on that day
    last = _last_covered(closed - np.timedelta64(1, "D"), months[-1])
    rows = people.get_indexer(businesses["person_id"])
    for row, start, stop in zip(rows, opened, last, strict=True):
        # businesses come sorted by opening: a later one replaces an earlier
        if row >= 0:
            span = slice(max(start - months[0], 0), max(stop - months[0] + 1, 0))
            ages[row, span] = months[span] - start
    return ages


def tabulate_months(grids: dict) -> pd.DataFrame:
    """Write the known months in rows.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id, month``: ``open``, ``post``, ``business`` (0/1 on the last
        day), ``business_age`` (missing without a business). No row = unknown.
    """
    row, column = np.nonzero(grids["known"])
    age = grids["business_age"][row, column]
    return pd.DataFrame(
        {
            "person_id": pd.Categorical.from_codes(row, categories=grids["people"]),
            "month": (column + grids["window"][0]).astype("int32"),
            "open": pd.array(grids["open"][row, column].astype("int8"), dtype="Int8"),
            "post": pd.array(grids["post"][row, column].astype("int8"), dtype="Int8"),
            "business": pd.array((age >= 0).astype("int8"), dtype="Int8"),
            "business_age": pd.arrays.IntegerArray(age, age < 0),
        }
    )


def tabulate_years(grids: dict, persons, register, roster) -> pd.DataFrame:
    """Give each person's outcomes by calendar year; unknown is missing, never 0.

    On 31 December a valid register spell decides; without one, the status in that
    year's roster; without either the outcome is missing, as it is for everybody in a
    year without any roster (there only those in work would be seen). ``in_district``
    is read from the roster alone. Months of a year are summed only if all are known.

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
    unknown = sorted(set(roster["status"].dropna()) - set(STATUS.index) - set(STATUS_ENDS))
    if unknown:
        raise TableError(f"花名册中有未知的就业状态：{unknown}。")
    people, (first, last) = grids["people"], grids["window"]
    years = np.arange(first // 12, last // 12 + 1)
    shape = (len(people), len(years))
    december = {name: grids[name][:, 11::12] for name in ("open", "post", "own", "work")}
    table = {
        "person_id": pd.Series(np.repeat(people.to_numpy(), len(years)), dtype="str"),
        "year": np.tile(years, len(people)).astype("int16"),
    }
    row = people.get_indexer(roster["person_id"])
    column = roster["snapshot_year"].to_numpy(dtype="int64", na_value=0) - years[0]
    use = (row >= 0) & (column >= 0) & (column < len(years))
    observed = years * 12 + 11 <= _last_covered(persons["observed_until"], last)[:, None]
    some_roster = np.isin(np.arange(len(years)), column[use])
    by_register = {
        "employed": december["work"],
        "employed_open": december["open"],
        "self_employed": december["own"],
    }
    for name in STATUS.columns:
        values = np.full(shape, np.nan)
        told = roster["status"].map(STATUS[name]).to_numpy(dtype="float64", na_value=np.nan)
        values[row[use], column[use]] = told[use]
        if name in by_register:
            values = np.where(december["work"], by_register[name], values)
        table[name] = np.where(observed & some_roster, values, np.nan).ravel()
    whole = grids["known"].reshape(*shape, 12).all(axis=2)
    for name, grid in (
        ("months_employed", "work"),
        ("months_open", "open"),
        ("months_post", "post"),
    ):
        total = grids[grid].reshape(*shape, 12).sum(axis=2)
        table[name] = np.where(whole, total, np.nan).ravel()
    table["records"] = _count_records(people, register, years, row[use], column[use]).ravel()
    return pd.DataFrame(table)


def _count_records(people, register, years, roster_row, roster_column) -> np.ndarray:
    """Count register rows that touch a year and roster rows of that year."""
    steps = np.zeros((len(people), len(years) + 1), dtype="int32")
    row = people.get_indexer(register["person_id"])
    start = np.clip(register["start"].dt.year - years[0], 0, len(years)).astype("int64")
    stop = register["end"].dt.year.fillna(years[-1]).clip(upper=years[-1]) - years[0] + 1
    stop = np.clip(stop, 0, len(years)).astype("int64")
    use = (row >= 0) & (start < stop)
    np.add.at(steps, (row[use], start[use]), 1)
    np.add.at(steps, (row[use], stop[use]), -1)
    records = steps.cumsum(axis=1)[:, :-1]
    np.add.at(records, (roster_row, roster_column), 1)
    return records
