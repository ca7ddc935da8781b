"""How a stranger's panel codes its columns: times, entry, numbers, units."""

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError

NEVER = (0, 9999)
# Columns of the district's tables, which an outside panel is brought into.
RESERVED = {
    *("person_id", "year", "month", "cohort", "cluster", "treated", "drawn", "draw_share"),
    *("untreated_until", "weight", "code", "event_time", "entry_year", "township"),
    *("observed_until", "unit"),
}
NEVER_WORDS = (
    "",
    ".",
    "-",
    "never",
    "none",
    "na",
    "n/a",
    "nan",
    "null",
    "从未",
    "未参加",
    "无",
)


def read_numbers(values: pd.Series, column: str) -> pd.Series:
    """A column as finite numbers, missing where it is missing.

    Numbers kept as text and yes/no columns (0/1) are understood.

    Raises
    ------
    EstimationError
        If a value is a word, a date or infinite.
    """
    if pd.api.types.is_float_dtype(values.dtype) and not values.isna().any():
        numbers = values.astype(float)
    else:
        numbers = _as_numbers(values)
        if numbers is None or (numbers.isna() & values.notna()).any():
            raise EstimationError(f"“{column}”一列含有不是数字的内容。")
    if np.isinf(numbers.to_numpy()).any():
        raise EstimationError(f"“{column}”一列含有无穷大。")
    return numbers


def _as_numbers(values: pd.Series) -> pd.Series | None:
    """Numbers where they can be read as such; nothing for dates."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        return None
    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(object)
    return pd.to_numeric(values, errors="coerce").astype("float64")


def read_times(values: pd.Series, column: str) -> pd.Series:
    """Times as whole numbers.

    Raises
    ------
    EstimationError
        If a time is missing, a date, or no whole number.
    """
    if pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any():
        return values
    numbers = _as_numbers(values)
    whole = numbers is not None and np.isfinite(numbers).all() and (numbers % 1 == 0).all()
    if values.isna().any():
        raise EstimationError(f"时间列“{column}”有空缺。")
    if not whole:
        raise EstimationError(f"时间列“{column}”应为整数（如年份），不能是日期或文字。")
    return numbers.astype("int64")


def read_cohorts(values: pd.Series) -> pd.Series:
    """First treated time with the usual codings of never as missing.

    Never treated may be coded as missing, 0, 9999, infinity or in one of the usual words
    (``never``, ``NA``, 从未, …).

    Raises
    ------
    EstimationError
        If a value is another word, a date or negative.
    """
    if not pd.api.types.is_numeric_dtype(values.dtype):
        words = values.astype(object).map(
            lambda v: v.strip().lower() if isinstance(v, str) else v
        )
        values = values.astype(object).mask(words.isin(NEVER_WORDS))
    numbers = _as_numbers(values)
    if numbers is None or (numbers.isna() & values.notna()).any():
        raise EstimationError("“首次参加时间”一列应为数字；从未参加者请留空或填0。")
    return numbers.mask(numbers.isin(NEVER) | np.isinf(numbers))


def check_coding(raw: pd.Series, times: np.ndarray) -> None:
    """Refuse an entry column that could mean two things, given the panel's `times`.

    Raises
    ------
    EstimationError
        A yes/no column in the place of a time; negative entries among positive times
        (−1 or −99 for never); 0 where 0 is a time inside the panel.
    """
    seen = set(raw.unique().tolist()) - {None}
    numbers = {float(v) for v in seen if isinstance(v, int | float) and v == v}
    if numbers == {0.0, 1.0} and times[0] > 1:
        raise EstimationError("“首次参加时间”一列只有0和1：应填哪一期首次参加，不是是否参加。")
    if any(v < 0 for v in numbers) and times[0] >= 0:
        raise EstimationError("“首次参加时间”一列有负数：从未参加者请留空或填0。")
    if 0.0 in numbers and times[0] < 0 <= times[-1]:
        raise EstimationError("时间列含有0，分不清0是从未参加还是第0期参加：从未参加者请留空。")


def code_units(values: pd.Series, column: str = "unit") -> tuple[np.ndarray, pd.Index]:
    """Position of each row's unit among the units in order, and these.

    Raises
    ------
    EstimationError
        If numbers and words are mixed, so that 1 and "1" would be two units.
    """
    if values.dtype == object and pd.api.types.infer_dtype(values).startswith("mixed"):
        raise EstimationError(f"单位编号“{column}”混有数字和文字，请统一。")
    if not pd.api.types.is_integer_dtype(values.dtype) or values.hasnans:
        return pd.factorize(values, sort=True)
    plain = values.to_numpy()
    if plain.dtype.kind not in "iu" or not len(plain) or (plain[1:] < plain[:-1]).any():
        return pd.factorize(values, sort=True)
    starts = np.flatnonzero(np.diff(plain, prepend=plain[:1] - 1))  # rows in order already
    sizes = np.diff(np.append(starts, len(plain)))
    return np.repeat(np.arange(len(starts)), sizes), pd.Index(plain[starts])


def find_positions(times: np.ndarray, values: pd.Series) -> np.ndarray:
    """Position of each row's time among the times in order, all of which occur."""
    if len(times) and times[-1] - times[0] == len(times) - 1:  # no gap
        return (values.to_numpy() - times[0]).astype(np.int16 if len(times) < 2**15 else int)
    return np.searchsorted(times, values.to_numpy())


def hold_once(values: np.ndarray, codes: np.ndarray, n_units: int) -> np.ndarray:
    """One value per unit of what is constant within units (else that of its last row)."""
    held = np.empty(n_units, dtype=values.dtype)
    held[codes] = values
    return held


def keep_apart(names: list[str]) -> dict[str, str]:
    """New names for columns that bear one of the district's tables'.

    >>> keep_apart(["earnings", "year"])
    {'earnings': 'earnings', 'year': 'year_'}
    """
    return {name: f"{name}_" if name in RESERVED else name for name in names}
