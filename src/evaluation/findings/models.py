"""Rows of estimates: which may be told, and with which counts."""

import numpy as np
import pandas as pd

from evaluation.findings.margins import TOTAL, as_whole, round_counts
from evaluation.findings.suppression import (
    IDENTIFIERS,
    NO_PERSONS,
    SUPPRESSED,
    find_numbers,
    suppress_counts,
)

_RESULT = ["year", "policy", "outcome", "subgroup", "variant"]
_COHORTS = [*_RESULT, "design", "event_time"]


def suppress_estimates(frame: pd.DataFrame, rules: dict) -> pd.DataFrame:
    """Suppress estimates that rest on few persons or give away others that do.

    An estimate needs `min_count` persons on either side and `min_residual_df` comparison
    persons more than its model has coefficients. Counts of persons are rounded throughout:
    two exact ones, of two designs or editions, would tell their difference. Further rows
    go that would let a reader compute one that is withheld: of cohorts a second where the
    event time of all of them is shown, ``dynamic`` (the mean of the event times), all
    groups of a split, and ``published`` (the mean of two designs).

    Parameters
    ----------
    frame
        Rows of ``estimates_<policy>``, ``robustness_<policy>`` or the like. Comparison
        persons are ``n_comparison`` where there is such a column, else
        ``n_obs - n_treated``.
    rules
        ``[disclosure]`` of the plan, with the number of coefficients by policy
        (``coefficients``, see `plan.load_plan`).

    Returns
    -------
    pandas.DataFrame
        Numbers of suppressed rows are NaN; ``suppressed`` says ``few`` where the row
        itself rests on few persons and ``beside`` where it would give away another.
    """
    rows = frame.reset_index(drop=True)
    few = _find_few(rows, rules)
    hidden = few | _find_cohorts(rows, few, rules)
    before = None
    while before is None or (hidden != before).any():  # what goes can give away in its turn
        before = hidden
        for find in (_find_published, _find_dynamic, _find_splits):
            hidden = hidden | find(rows, hidden)
    result = rows.copy()
    for name in [name for name in rows if name.startswith("n_") and name not in NO_PERSONS]:
        result[name] = as_whole(round_counts(rows[name].astype(float), rules["round_to"]))
    numbers = [name for name in find_numbers(rows) if name not in IDENTIFIERS]
    result[numbers] = result[numbers].mask(hidden)
    result[SUPPRESSED] = np.where(few, "few", np.where(hidden, "beside", ""))
    return result


def _find_few(rows, rules):
    """Rows that rest on too few persons."""
    treated = rows["n_treated"].astype(float)
    if "n_comparison" in rows:
        comparison = rows["n_comparison"].astype(float)
    else:
        comparison = rows["n_obs"].astype(float) - treated
    least = rules["min_count"]
    coefficients = 1
    if "policy" in rows:  # of an empty table the types are unknown
        coefficients = rows["policy"].map(rules["coefficients"]).astype("float64")
    spare = comparison - pd.Series(coefficients, rows.index).fillna(1)
    enough = (treated >= least) & (comparison >= least) & (spare >= rules["min_residual_df"])
    return ~enough  # also where nobody knows of how many


def _find_cohorts(rows, few, rules):
    """Cohorts that protect others: together they are the event time of all of them."""
    by = [name for name in _COHORTS if name in rows]
    if not {"term", "cohort", "event_time"} <= set(rows):
        return few & False
    chosen = rows["term"].isin(["group_time", "event"]) & rows["n_treated"].notna()
    cells = rows.loc[chosen, [*by, "cohort", "n_treated"]]
    cells[by] = cells[by].astype("str").fillna("")
    cells["cohort"] = cells["cohort"].astype("str").mask(rows["term"] == "event", TOTAL)
    cells = cells[~cells.duplicated([*by, "cohort"])]
    found = suppress_counts(
        cells, ["n_treated"], [*by, "cohort"], rules, small=few[cells.index]
    )
    hidden = pd.Series(found["n_treated"].isna().to_numpy(), cells.index)
    hidden &= rows["term"].eq("group_time")
    return hidden.reindex(rows.index, fill_value=False)


def _find_published(rows, hidden):
    """The mean of two designs of which only one is shown."""
    if "design" not in rows:
        return hidden & False
    place = [name for name in (*_COHORTS, "cohort", "term") if name in rows]
    place = [name for name in place if name != "design"]
    parts = hidden & rows["design"].isin(["cs", "balanced"])
    return rows["design"].eq("published") & _is_any(parts, rows, place)


def _find_dynamic(rows, hidden):
    """The mean of event times of which one is withheld."""
    place = [name for name in (*_RESULT, "design") if name in rows]
    if not {"term", "event_time"} <= set(rows):
        return hidden & False
    after = rows["term"].eq("event") & (rows["event_time"].fillna(-1) >= 0)
    return rows["term"].eq("dynamic") & _is_any(hidden & after, rows, place)


def _find_splits(rows, hidden):
    """All groups of a split one of which is withheld: the whole would give it away."""
    if "subgroup" not in rows:
        return hidden & False
    split = rows["subgroup"].astype("str").str.split("=").str[0]
    place = [name for name in ("year", "policy", "outcome") if name in rows]
    found = _is_any(hidden, rows.assign(split=split), [*place, "split"])
    return found & split.ne(TOTAL)


def _is_any(flag, rows, place):
    """Whether any row of the same place is marked."""
    keys = [rows[name].astype("str").fillna("") for name in place]
    return flag.groupby(keys).transform("any") if keys else pd.Series(flag.any(), rows.index)
