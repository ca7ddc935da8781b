"""From when until when each person is observed."""

import numpy as np
import pandas as pd

from evaluation.panel.months import find_rows

STATUS_ENDS = ("dead", "retired")
# Male and female ages of statutory retirement. Women workers retire at 50, women cadres
# at 55; the ledgers do not tell them apart, so the later age is used.
RETIREMENT_AGE = {"male": 60, "female": 55}


def look_up(person_id: pd.Series, values: pd.Series) -> pd.Series:
    """Fetch each person's value, missing where there is none, whatever the type."""
    return values.reindex(person_id).set_axis(person_id.index)


def snapshot_day(roster: pd.DataFrame) -> pd.Series:
    """Day on which a snapshot was taken; 31 December of its year where it is not said."""
    year = roster.loc[roster["snapshot_on"].isna(), "snapshot_year"].astype("str")
    last = pd.to_datetime(year + "-12-31", errors="coerce")
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
    people = pd.Index(persons["person_id"])
    days, code = snapshot_day(roster), find_rows(people, roster["person_id"])
    order = np.argsort(days.to_numpy(), kind="stable")
    order = order[code[order] >= 0]

    def find_first(flag):
        rows, found = order[flag.to_numpy(dtype=bool)[order]], np.full(len(people), -1)
        found[code[rows[::-1]]] = rows[::-1]  # of several, the one written last stands
        return found

    def fetch(values, rows):
        return pd.Series(values.array.take(rows, allow_fill=True), persons.index)

    first = fetch(days, find_first(roster["status"] != "away"))
    begins = persons["returned_on"].where(~(persons["returned_on"] > first), first)
    begins = begins.where(np.isin(np.arange(len(people)), code))
    ends = find_first(roster["status"].isin(STATUS_ENDS))
    told = fetch(days, ends) - pd.Timedelta(days=1)
    last_year = persons["birth_year"].to_numpy("float64", na_value=np.nan) - 1
    last_year += persons["sex"].map(RETIREMENT_AGE).to_numpy("float64", na_value=np.nan)
    last_year = np.fmin(last_year, edition)
    january = (last_year.astype("int64") - 1969).astype("datetime64[Y]")
    by_age = (january.astype("datetime64[D]") - 1).astype("datetime64[us]")
    by_age = pd.Series(by_age, persons.index)
    by_roster = told < by_age
    reason = np.where(last_year < edition, "statutory_age", "edition")
    reason = np.where(by_roster, fetch(roster["status"], ends), reason)
    return pd.DataFrame(
        {
            "observed_from": begins.fillna(first),
            "observed_until": by_age.mask(by_roster, told),
            "observed_reason": pd.array(reason, dtype="str"),
        },
        index=persons.index,
    )
