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
    if isinstance(person_id.dtype, pd.CategoricalDtype):
        codes, known = person_id.cat.codes.to_numpy(), person_id.cat.categories
    else:
        codes, known = pd.factorize(person_id)
    if isinstance(people, pd.CategoricalIndex) and people.categories.is_(known):
        place = np.full(len(known) + 1, -1)
        place[people.codes] = np.arange(len(people))
    elif known.equals(people):
        return codes.astype("int64")
    else:
        place = np.append(people.get_indexer(known), -1)
    return place[codes]


def name_persons(frame: pd.DataFrame, people: pd.Index) -> pd.DataFrame:
    """Hold the persons of a table as codes of one list of people, not as texts.

    Tables on the same list join and look up by code.
    """
    codes = find_rows(people, frame["person_id"])
    return frame.assign(person_id=pd.Categorical.from_codes(codes, people))


def lay_out(months: pd.DataFrame, people, window, unknown: dict) -> list[np.ndarray]:
    """Lay columns of the table of months out as persons × months.

    Parameters
    ----------
    months
        Key ``person_id, month``.
    people
        Index of persons; the rows of the result.
    window
        First and last month; the columns of the result.
    unknown
        Column to what stands where it is unknown.
    """
    width = window[1] - window[0] + 1
    row, place = find_rows(people, months["person_id"]), months["month"].to_numpy() - window[0]
    use = (row >= 0) & (place >= 0) & (place < width)
    use = slice(None) if use.all() else use
    at, grids = row[use] * width + place[use], []
    for column, empty in unknown.items():
        grid = np.full((len(people), width), empty, dtype="int16")
        grid.ravel()[at] = months[column].to_numpy(dtype="int16", na_value=empty)[use]
        grids.append(grid)
    return grids


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
    return (
        count_steps(row[use], start[use], stop[use], (len(people), window[1] - window[0] + 1))
        > 0
    )


def count_steps(row, start, stop, shape) -> np.ndarray:
    """Count in each cell the stretches of its row that begin by it and end after it."""
    width, step = shape[1] + 1, np.ones(1, dtype="int16")
    steps = np.zeros(shape[0] * width, dtype="int16")
    np.add.at(steps, row * width + start, step)
    np.subtract.at(steps, row * width + stop, step)
    steps = steps.reshape(-1, width)
    return np.cumsum(steps, axis=1, out=steps)[:, :-1]


def last_covered(end, fallback) -> np.ndarray:
    """Last month whose last day a stretch covers; an open end reaches the fallback."""
    after = month_of(np.asarray(end, dtype="datetime64[D]") + np.timedelta64(1, "D")) - 1
    return np.where(pd.isna(end), fallback, after)
