"""Months as numbers, and persons × months as arrays."""

import numpy as np
import pandas as pd


def month_of(dates) -> np.ndarray:
    """Number the month of each day: year × 12 + month − 1; a missing day gives a very low one.

    >>> month_of(pd.Series(pd.to_datetime(["2020-01-31"]))).tolist() == [2020 * 12]
    True
    """
    return np.asarray(dates, dtype="datetime64[M]").astype("int64") + 1970 * 12


def window_of(months: pd.DataFrame, edition: int) -> tuple[int, int]:
    """January of the first year in the table of months, and December of the edition."""
    return int(months["month"].min()) // 12 * 12, edition * 12 + 11


def find_rows(people: pd.Index, person_id: pd.Series) -> np.ndarray:
    """Position of each row's person among `people`, −1 where there is none.

    Persons are looked up once, not once per row; nothing but the spreading is left
    where the column is categorical already, and no text is looked at where `people` are
    of the same categories.
    """
    column = person_id.astype("category").cat
    if isinstance(people, pd.CategoricalIndex) and people.categories.is_(column.categories):
        place = np.full(len(column.categories) + 1, -1)
        place[people.codes] = np.arange(len(people))
    else:
        place = np.append(people.get_indexer(column.categories), -1)
    return place[column.codes]


def name_persons(frame: pd.DataFrame, people: pd.Index) -> pd.DataFrame:
    """Hold the persons of a table as codes of one list of people, not as texts.

    Tables on the same list join and look up by code.
    """
    codes = find_rows(people, frame["person_id"])
    return frame.assign(person_id=pd.Categorical.from_codes(codes, people))


def lay_out(months, column, people, window, empty) -> np.ndarray:
    """Lay a column of the table of months out as persons × months; `empty` = unknown."""
    row = find_rows(people, months["person_id"])
    place = months["month"].to_numpy() - window[0]
    use = (row >= 0) & (place >= 0) & (place <= window[1] - window[0])
    grid = np.full((len(people), window[1] - window[0] + 1), empty, dtype="int16")
    values = months[column].to_numpy(dtype="int16", na_value=empty)
    grid[row[use], place[use]] = values[use]
    return grid


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
    row = find_rows(people, person_id)
    start = np.clip(first, window[0], window[1] + 1) - window[0]
    stop = np.clip(last, window[0] - 1, window[1]) - window[0] + 1
    use = (row >= 0) & (start < stop)
    steps = np.zeros((len(people), window[1] - window[0] + 2), dtype="int16")
    np.add.at(steps, (row[use], start[use]), 1)
    np.add.at(steps, (row[use], stop[use]), -1)
    return steps.cumsum(axis=1)[:, :-1] > 0


def last_covered(end, fallback) -> np.ndarray:
    """Last month whose last day a stretch covers; an open end reaches the fallback."""
    after = month_of(np.asarray(end, dtype="datetime64[D]") + np.timedelta64(1, "D")) - 1
    return np.where(pd.isna(end), fallback, after)
