"""Levels: shares and means of few persons, in paths, by month, and of traits.

A share with its count is a count: 0.982142857 of 56 is 55, and one person is not in work.
So shares are those of the rounded counts, and what is drawn beside them moves with them.
"""

import numpy as np
import pandas as pd

from evaluation.findings.margins import as_whole, round_counts
from evaluation.findings.suppression import SUPPRESSED, find_numbers, suppress_counts

_STEPS = 20  # into which rounding at least divides a curve that is drawn


def round_shares(shares, counts, step: int) -> np.ndarray:
    """Shares of persons, from counts rounded to `step`; other means stay as they are.

    >>> round_shares([142 / 146, 5.25], [146, 146], 5).round(4)
    array([0.9655, 5.25  ])
    """
    shares, counts = np.asarray(shares, dtype=float), np.asarray(counts, dtype=float)
    with np.errstate(invalid="ignore", divide="ignore"):
        rounded = round_counts(shares * counts, step) / round_counts(counts, step)
    return np.where((shares >= 0) & (shares <= 1), np.clip(rounded, 0, 1), shares)


def suppress_means(frame: pd.DataFrame, mean: str, count: str, rules: dict) -> pd.DataFrame:
    """Suppress the means of few persons; a share comes from rounded counts.

    Parameters
    ----------
    frame
        One row per group; `mean` of the persons counted in `count`.
    """
    result = frame.reset_index(drop=True)
    result[mean] = round_shares(result[mean], result[count], rules["round_to"])
    return suppress_counts(result, [count], [], rules)


def suppress_paths(paths: pd.DataFrame, rules: dict) -> pd.DataFrame:
    """Control the paths of participants and of what they would have done otherwise.

    A point needs `min_count` persons on both sides (``n_comparison`` where there is such a
    column). The participants' share comes from rounded counts; the other path, which is
    that share less the effect, moves by as much, and so does its interval.

    Parameters
    ----------
    paths
        Key ``event_time, group``; ``share, conf_low, conf_high, n``.
    rules
        ``min_count`` and ``round_to`` of the plan.
    """
    result, least = paths.reset_index(drop=True), rules["min_count"]
    n = result["n"].astype(float)
    few = n < least
    if "n_comparison" in result:
        fewer = result["n_comparison"].astype(float) < least
        few |= fewer & result["group"].ne("treated")
        result["n_comparison"] = _whole(result["n_comparison"], rules)
    drawn = ["share", "conf_low", "conf_high"]
    result = result.astype(dict.fromkeys(drawn, "float64"))
    level = result["share"].where(result["group"].eq("treated"))
    level = level.groupby(result["event_time"]).transform("max").astype("float64")
    move = pd.Series(round_shares(level, n, rules["round_to"]), level.index) - level
    for name in drawn:
        result[name] = result[name] + move
    result["n"] = _whole(n, rules)
    return _blank(result, few, [*drawn, "n", "n_comparison"])


def suppress_months(curves: pd.DataFrame, rules: dict) -> pd.DataFrame:
    """Control the curves by month: as `suppress_paths`, with both sides in one row.

    Of fewer than a hundred recipients (five are more than five points) the levels would jump
    from month to month by rounding alone: then only the difference and what is gained are
    told, and ``suppressed`` says ``coarse``.

    Parameters
    ----------
    curves
        Key ``month``; ``treated_open``, ``treated_post``, ``comparison_open``,
        ``n_treated``, ``n_comparison`` and what is estimated.
    """
    result, step = curves.reset_index(drop=True), rules["round_to"]
    levels = ["treated_open", "comparison_open", "treated_post"]
    result = result.astype(dict.fromkeys(levels, "float64"))
    sides = [result[name].astype(float) for name in ("n_treated", "n_comparison")]
    few = (sides[0] < rules["min_count"]) | (sides[1] < rules["min_count"])
    move = round_shares(result["treated_open"], sides[0], step) - result["treated_open"]
    result["treated_open"] += move
    result["comparison_open"] += move
    result["treated_post"] = round_shares(result["treated_post"], sides[0], step)
    coarse = sides[0] < _STEPS * step
    result[levels] = result[levels].mask(coarse)
    for name in ("n_treated", "n_comparison"):
        result[name] = _whole(result[name], rules)
    numbers = [n for n in find_numbers(result) if n not in ("year", "month")]
    result = _blank(result, few, numbers)
    result.loc[coarse & ~few, SUPPRESSED] = "coarse"
    return result


def suppress_balance(balance: pd.DataFrame, rules: dict) -> pd.DataFrame:
    """Control the table of traits: a mean between 0 and 1 is a share, and so a count.

    A trait that fewer than `min_count` persons of a side have, or lack, is suppressed. The
    others' shares come from rounded counts, and the standardised difference from those.

    Parameters
    ----------
    balance
        Key ``policy, covariate``; ``mean_<side>``, ``n_<side>``, ``std_difference``.
    """
    numbers = ["mean_treated", "mean_comparison", "std_difference"]
    result = balance.reset_index(drop=True).astype(dict.fromkeys(numbers, "float64"))
    n = {side: result[f"n_{side}"].astype(float) for side in ("treated", "comparison")}
    old = {side: result[f"mean_{side}"] for side in n}
    is_share = old["treated"].between(0, 1) & old["comparison"].between(0, 1)
    few, new = pd.Series(False, result.index), {}
    for side in n:
        have = old[side] * n[side]
        few |= n[side] < rules["min_count"]
        few |= is_share & (np.minimum(have, n[side] - have) < rules["min_count"])
        rounded = round_shares(old[side], n[side], rules["round_to"])
        new[side] = old[side].mask(is_share, rounded)
        result[f"mean_{side}"] = new[side]
        result[f"n_{side}"] = _whole(n[side], rules)
    # The spread of a share follows from it: the same difference in other units.
    gaps = [side["treated"] - side["comparison"] for side in (old, new)]
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = [np.sqrt(side["treated"] * (1 - side["treated"])) for side in (old, new)]
        fitted = result["std_difference"] * (gaps[1] / spread[1]) / (gaps[0] / spread[0])
        fitted = fitted.where(gaps[0].ne(0), gaps[1] / spread[1])
    result["std_difference"] = result["std_difference"].mask(is_share, fitted)
    return _blank(result, few, [*numbers, *(f"n_{side}" for side in n)])


def _whole(counts, rules):
    return as_whole(round_counts(counts.astype(float), rules["round_to"]))


def _blank(result, few, numbers):
    numbers = [name for name in numbers if name in result]
    result[numbers] = result[numbers].mask(few)
    return result.assign(**{SUPPRESSED: np.where(few, "few", "")})
