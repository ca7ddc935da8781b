"""The table of estimates: one tidy row per design, term, outcome and subgroup."""

import numpy as np
import pandas as pd
from scipy import special

from evaluation.effects.aggregation import (
    TERMS,
    WHOLE,
    GroupTime,
    aggregate,
    aggregate_terms,
    keep_cohorts,
    pool_at,
    pool_by,
    unite_designs,
)
from evaluation.effects.bands import sup_t_critical
from evaluation.effects.differences import adjust_several
from evaluation.effects.power import minimum_detectable_effect

KEY = ["result_id"]
LABELS = ["result_id", "year", "policy", "outcome", "subgroup", "design", "term", "event_time"]
COLUMNS = [
    *LABELS,
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
    "band_low",
    "band_high",
]
ALL_TERMS = ("primary", *TERMS, "event", "group_time")
_FEWEST, _SEED = 10, 20_240_617  # recipients of an event that is shown; draws of the band
# The two designs that together make the published result.
PUBLISHED = ("cs", "balanced")


def tabulate_design(
    group_time: GroupTime, horizon: int | None, power: float = 0.8, terms=ALL_TERMS
):
    """Terms of one design with what each could have detected, events with their bands."""
    rows = aggregate_terms(group_time, terms, horizon)
    size = zip(rows["std_error"], rows["n_clusters"], rows["inference"], strict=True)
    rows = rows.assign(mde=[minimum_detectable_effect(*values, power) for values in size])
    return add_bands(rows, group_time)


def add_bands(rows: pd.DataFrame, group_time: GroupTime) -> pd.DataFrame:
    """Add ``band_low`` and ``band_high`` to the rows of the event study.

    All events within the band hold their effects at once with 95 % (`bands`); the
    pointwise interval of each is widened in the ratio of the two critical values. Events
    that rest on fewer than ten recipients are not published and do not widen the band.
    """
    wider = np.full(len(rows), np.nan)
    events = rows["term"].eq("event").to_numpy()
    shown = events & rows["n_treated"].ge(_FEWEST).fillna(False).to_numpy()
    if shown.sum() > 1:
        pooled = pool_by(group_time, "event_time")
        influence = np.column_stack(
            [pooled[int(e)].influence for e in rows["event_time"][shown]]
        )
        wider[shown] = sup_t_critical(influence, _SEED) / special.ndtri(0.975)
    middle = rows["estimate"]
    return rows.assign(
        band_low=middle - wider * (middle - rows["conf_low"]),
        band_high=middle + wider * (rows["conf_high"] - middle),
    )


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
            united = unite_designs(row, other) | {"mde": np.fmax(row["mde"], other["mde"])}
            united["band_low"] = np.minimum(row["band_low"], other["band_low"])
            united["band_high"] = np.maximum(row["band_high"], other["band_high"])
            rows.append(row | united)
    return pd.DataFrame(rows, columns=designs[PUBLISHED[0]].columns)


def tabulate_estimates(
    designs: dict[str, GroupTime],
    *,
    year: int,
    policy: str,
    outcome: str,
    horizon: int | None,
    subgroup: str = "all",
    power: float = 0.8,
    terms=ALL_TERMS,
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
    terms
        Which to tabulate: `primary`, the usual aggregations, `event`, `group_time`.

    Returns
    -------
    pandas.DataFrame
        Columns of ``estimates_<policy>``, key ``result_id``, such as
        ``2024.post.cs.primary.employed_open.all``; a cohort and an event time follow
        where the row has them and its term does not already fix them. ``p_adjusted``
        is missing (see `adjust_secondary`).
    """
    tables = {
        name: tabulate_design(found, horizon, power, terms) for name, found in designs.items()
    }
    if set(PUBLISHED) <= set(tables):
        tables["published"] = tabulate_published(tables)
    parts = [table.assign(design=name) for name, table in tables.items() if len(table)]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    rows = rows.assign(
        year=year, policy=policy, outcome=outcome, subgroup=subgroup, p_adjusted=np.nan
    )
    rows["result_id"] = [make_result_id(row) for row in rows.to_dict("records")]
    return rows.reindex(columns=COLUMNS).astype(WHOLE)


def make_result_id(row: dict) -> str:
    """Name a result.

    >>> make_result_id({"year": 2024, "policy": "post", "design": "cs", "term": "event",
    ...     "outcome": "employed_open", "subgroup": "all", "cohort": None, "event_time": 4})
    '2024.post.cs.event.employed_open.all.4'
    """
    names = ["year", "policy", "design", "term", "outcome", "subgroup"]
    parts = [str(row[name]) for name in names]
    at_horizon = row["term"] in ("primary", "difference")
    tail = [] if at_horizon else [row["cohort"], row["event_time"]]
    return ".".join(parts + [str(int(value)) for value in tail if not pd.isna(value)])


def adjust_secondary(estimates: pd.DataFrame, outcomes: list[str]) -> pd.DataFrame:
    """Add Holm-adjusted p-values to the primary term of secondary outcomes, per design.

    `outcomes` are the plan's, so the number of tests is fixed beforehand. Secondary
    results carry no verdict; what is mechanical (months in a post) is no test.
    """
    result = estimates.reset_index(drop=True)
    tested = result["term"].eq("primary") & result["outcome"].isin(outcomes)
    return adjust_by_design(result, tested)


def adjust_by_design(rows: pd.DataFrame, tested: pd.Series) -> pd.DataFrame:
    """Fill ``p_adjusted`` of the tested rows, each design being a family of its own."""
    for _, family in rows.loc[tested, "p_value"].groupby(rows["design"]):
        adjusted = adjust_several(family)
        rows.loc[adjusted.index, "p_adjusted"] = adjusted
    return rows


def trace_paths(study, cs: GroupTime, balanced: GroupTime, times) -> pd.DataFrame:
    """Participants' path and the one they would have had, for the same cohorts throughout.

    ``treated`` is their share (or mean); ``comparison`` is that less the effect: of
    `cs` before entry, the mean of both designs from entry on. Its limits are those of
    the effect, so a treated point outside them is a difference. Cohorts that have
    reached the horizon (where none has: all).

    Returns
    -------
    pandas.DataFrame
        Key ``result_id``; ``year, policy, outcome, event_time, group, share, conf_low,
        conf_high, n`` (treated persons), ``n_comparison`` (of the design with fewer).
    """
    cohorts = study.cohorts or sorted(cs.effects["cohort"].unique())
    designs = [keep_cohorts(design, cohorts) for design in (cs, balanced)]
    effects = [aggregate(design, "event") for design in designs]
    effects = [rows.set_index("event_time") if len(rows) else rows for rows in effects]
    drawn = study.risk_sets.query("treated == 1 and cohort in @cohorts")
    levels = drawn[["person_id", "cohort"]].merge(study.years, on="person_id")
    levels = levels.assign(event_time=levels["year"].astype(int) - levels["cohort"])
    found = levels.groupby("event_time")[study.outcome].agg(["mean", "count"])
    rows = []
    for e in [e for e in found.index if e in times and found.loc[e, "count"]]:
        parts = [table.loc[e] for table in effects if e in table.index]
        zero = {"estimate": 0.0, "conf_low": 0.0, "conf_high": 0.0}
        gap = parts[0] if len(parts) == 1 else unite_designs(*parts) if parts else zero
        level, n = found.loc[e]
        base = {"event_time": int(e), "n": int(n)}
        rows.append(base | {"group": "treated", "share": level})
        if parts or e == -1:
            other = {"share": level - gap["estimate"], "conf_low": level - gap["conf_high"]}
            other |= {"group": "comparison", "conf_high": level - gap["conf_low"]}
            sizes = [part["n_obs"] - part["n_treated"] for part in parts]
            rows.append(base | other | {"n_comparison": min(sizes, default=None)})
    names = ["event_time", "group", "share", "conf_low", "conf_high", "n", "n_comparison"]
    paths = pd.DataFrame(rows, columns=names)
    place = {"year": study.edition, "policy": study.policy, "outcome": study.outcome}
    start = ".".join(map(str, (study.edition, study.policy, "paths", study.outcome)))
    names_of = [f"{start}.{r.group}.{r.event_time}" for r in paths.itertuples()]
    return paths.assign(**place, result_id=names_of)


def tabulate_influence(cs: GroupTime, balanced: GroupTime, horizon: int) -> pd.DataFrame:
    """Each person's part in the primary estimates; stays with the persons' tables.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id``: ``treated`` (0/1, evaluated at the horizon by both designs),
        and contributions ``cs`` and ``balanced``, whose sum of squares is the variance.
    """
    parts = {}
    for name, design in (("cs", cs), ("balanced", balanced)):
        pooled = pool_at(design, horizon)
        if pooled is None:
            return pd.DataFrame({"person_id": [], "cs": [], "balanced": [], "treated": []})
        n, units = len(pooled.influence), np.asarray(design.units["unit"])
        parts[name] = pd.Series(pooled.influence / n, index=units)
        parts[f"in_{name}"] = pd.Series(pooled.treated.astype(float), index=units)
    table = pd.DataFrame(parts).fillna(0.0)
    table["treated"] = (table.pop("in_cs") * table.pop("in_balanced")).astype("int8")
    return table.rename_axis("person_id").reset_index()
