"""The table of estimates: one tidy row per design, term, outcome and subgroup."""

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import TERMS, GroupTime, aggregate, unite_designs
from evaluation.effects.power import minimum_detectable_effect

KEY = ["result_id"]
COLUMNS = [
    "result_id",
    "year",
    "policy",
    "outcome",
    "subgroup",
    "design",
    "term",
    "event_time",
    "cohort",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "p_value",
    "p_adjusted",
    "inference",
    "mde",
    "n_obs",
    "n_treated",
    "n_clusters",
]
# The two designs that together make the published result.
PUBLISHED = ("cs", "balanced")


def tabulate_design(group_time: GroupTime, horizon: int | None, power: float = 0.8):
    """All terms of one design: `primary`, the usual aggregations, `event`, `group_time`."""
    terms = ["primary", *TERMS, "event", "group_time"]
    parts = [aggregate(group_time, term, horizon) for term in terms]
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame(columns=["term", "event_time", "cohort"])
    rows = pd.concat(parts, ignore_index=True)
    size = zip(rows["std_error"], rows["n_clusters"], rows["inference"], strict=True)
    return rows.assign(mde=[minimum_detectable_effect(*values, power) for values in size])


def tabulate_published(designs: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Rows of `published`: wherever both designs have a row of the same term."""
    first, second = (designs[name].to_dict("records") for name in PUBLISHED)
    place = ("term", "event_time", "cohort")

    def find(row):
        return tuple(None if pd.isna(row[name]) else row[name] for name in place)

    others = {find(row): row for row in second}
    rows = []
    for row in first:
        other = others.get(find(row))
        if other is not None:
            mde = np.fmax(row["mde"], other["mde"])
            united = unite_designs(pd.Series(row), pd.Series(other))
            rows.append({name: row[name] for name in place} | united | {"mde": mde})
    return pd.DataFrame(rows, columns=[*place, *rows[0]][: len(rows[0])] if rows else place)


def tabulate_estimates(
    designs: dict[str, GroupTime],
    *,
    year: int,
    policy: str,
    outcome: str,
    horizon: int | None,
    subgroup: str = "all",
    power: float = 0.8,
) -> pd.DataFrame:
    """Tidy rows of all designs on one outcome and subgroup.

    Parameters
    ----------
    designs
        By name; where both `cs` and `balanced` are there, `published` is added.
    year
        The edition.
    horizon
        Event time of `primary`; none = the simple average.

    Returns
    -------
    pandas.DataFrame
        Columns of ``estimates_<policy>``, key ``result_id``, such as
        ``2024.post.cs.primary.employed_open.all``; a cohort and an event time follow
        where the row has them and its term does not already fix them. ``p_adjusted``
        is missing (see `adjust_secondary`).
    """
    tables = {name: tabulate_design(found, horizon, power) for name, found in designs.items()}
    if set(PUBLISHED) <= set(tables):
        tables["published"] = tabulate_published(tables)
    parts = [table.assign(design=name) for name, table in tables.items() if len(table)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    rows = rows.assign(
        year=year, policy=policy, outcome=outcome, subgroup=subgroup, p_adjusted=np.nan
    )
    rows["result_id"] = [make_result_id(row) for row in rows.to_dict("records")]
    whole = dict.fromkeys(["event_time", "cohort", "n_obs", "n_treated", "n_clusters"], "Int64")
    return rows.reindex(columns=COLUMNS).astype(whole)


def make_result_id(row: dict) -> str:
    """Name a result.

    >>> make_result_id({"year": 2024, "policy": "post", "design": "cs", "term": "event",
    ...     "outcome": "employed_open", "subgroup": "all", "cohort": None, "event_time": 4})
    '2024.post.cs.event.employed_open.all.4'
    """
    names = ["year", "policy", "design", "term", "outcome", "subgroup"]
    parts = [str(row[name]) for name in names]
    tail = [] if row["term"] == "primary" else [row["cohort"], row["event_time"]]
    return ".".join(parts + [str(int(value)) for value in tail if not pd.isna(value)])


def adjust_secondary(estimates: pd.DataFrame, primary: str) -> pd.DataFrame:
    """Add Holm-adjusted p-values to the primary term of secondary outcomes, per design.

    Only outcomes named in the plan stand in the table, so its number of tests is fixed
    beforehand. Secondary results carry no verdict.
    """
    result = estimates.copy()
    tested = result["term"].eq("primary") & result["outcome"].ne(primary)
    for _, rows in result[tested & result["p_value"].notna()].groupby("design"):
        ordered = rows["p_value"].sort_values()
        steps = ordered * np.arange(len(ordered), 0, -1)
        result.loc[ordered.index, "p_adjusted"] = steps.cummax().clip(upper=1.0)
    return result
