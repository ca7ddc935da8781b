"""For whom it differs: the subgroups that the plan names, and whether the difference is one."""

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import Pooled, aggregate, interval, pool_at, unite_designs
from evaluation.effects.balancing import balanced_effects, stack_sets
from evaluation.effects.district import risk_set_effects
from evaluation.effects.estimates import COLUMNS, PUBLISHED
from evaluation.effects.power import minimum_detectable_effect

_MIDDLE_AGE = 45
# What a group is split by: the values and how each is named.
VALUES = {
    "female": {0: "male", 1: "female"},
    "age_group": {0: "under_45", 1: "45_over"},
    "schooling_group": {0: "up_to_middle", 1: "high_school"},
    "rural_post": {0: "urban", 1: "rural"},
}


def add_groups(study) -> pd.DataFrame:
    """Risk sets with the columns of `VALUES`, as far as they are known.

    The kind of post is known of recipients only: all comparison persons stand beside both.
    """
    sets = study.risk_sets
    if "age" in sets:
        sets = sets.assign(age_group=(sets["age"] >= _MIDDLE_AGE).astype(float))
    if "schooling" in sets:
        high = (sets["schooling"] >= 3).astype(float)
        sets = sets.assign(schooling_group=high.mask(sets["schooling"].isna()))
    if study.policy == "post" and "post_rural" in study.persons:
        rural = study.persons.set_index("person_id")["post_rural"].astype("float64")
        kind = sets["person_id"].astype(object).map(rural)
        sets = sets.assign(rural_post=kind.where(sets["treated"] == 1))
    return sets


def tabulate_subgroups(study, plan: dict) -> pd.DataFrame:
    """Estimates of both designs and the published one in each subgroup, and differences.

    A split is shown only if every one of its groups holds the plan's minimum of treated
    and comparison persons at the horizon: one group alone would give away the other.
    ``difference`` rows compare the second value with the first, with the error of the
    difference by person and by cluster; their p-values are Holm-adjusted over the splits
    (per design), so that looking at many groups finds no more than it should.

    Parameters
    ----------
    study
        As returned by `study.load_study`.
    plan
        ``heterogeneity.subgroups`` and ``gates``.

    Returns
    -------
    pandas.DataFrame
        Columns of ``estimates_<policy>``, key ``result_id``; ``term`` is ``primary`` or
        ``difference``, ``subgroup`` such as ``female=male`` or ``female``.
    """
    sets, rows = add_groups(study), []
    for name in plan["heterogeneity"]["subgroups"]:
        values = [v for v in VALUES.get(name, ()) if name in sets]
        found = {v: _estimate(study, _keep(sets, name, v)) for v in values}
        if found and all(_is_large(designs, study, plan) for designs in found.values()):
            for value, designs in found.items():
                rows += _tabulate(designs, study, f"{name}={VALUES[name][value]}")
            rows += _compare(*found.values(), study, name)
    table = pd.DataFrame(rows)
    if table.empty:
        return pd.DataFrame(columns=COLUMNS)
    table = _adjust(table).assign(
        year=study.edition, policy=study.policy, outcome=study.outcome, event_time=study.horizon
    )
    names = ["year", "policy", "design", "term", "outcome", "subgroup"]
    table["result_id"] = table[names].astype(str).agg(".".join, axis=1)
    whole = dict.fromkeys(["event_time", "cohort", "n_obs", "n_treated", "n_clusters"], "Int64")
    return table.reindex(columns=COLUMNS).astype(whole)


def _keep(sets, name, value):
    """Rows of a subgroup; comparison persons of whom the trait is not known stay."""
    free = sets[name].isna() & (sets["treated"] == 0)
    return sets[(sets[name] == value) | free].reset_index(drop=True)


def _estimate(study, sets):
    tables = (study.years, study.stay_weights)
    settings = study.settings() | {"event_times": [study.horizon]}
    if not (sets["treated"] == 1).any():
        return {}
    stacked = stack_sets(sets, study.covariates, study.history)
    return {
        "cs": risk_set_effects(sets, *tables, **settings),
        "balanced": balanced_effects(stacked, *tables, **settings)[0],
    }


def _is_large(designs, study, plan):
    limits = plan["gates"]
    pooled = [pool_at(design, study.horizon) for design in designs.values()]
    if not pooled or None in pooled:
        return False
    treated = min(int(p.treated.sum()) for p in pooled)
    others = min(int(p.used.sum() - p.treated.sum()) for p in pooled)
    return treated >= limits["min_treated"] and others >= limits["min_comparison"]


def _tabulate(designs, study, subgroup):
    rows = {
        name: aggregate(design, "primary", study.horizon).iloc[0].to_dict()
        for name, design in designs.items()
    }
    for row in rows.values():
        size = (row["std_error"], row["n_clusters"], row["inference"])
        row["mde"] = minimum_detectable_effect(*size)
    first, second = (rows[name] for name in PUBLISHED)
    rows["published"] = first | unite_designs(first, second)
    rows["published"]["mde"] = max(first["mde"], second["mde"])
    return [row | {"design": name, "subgroup": subgroup} for name, row in rows.items()]


def _compare(first, second, study, name):
    rows = {}
    for design in PUBLISHED:
        pair = [first[design], second[design]]
        difference, cluster = subtract(*pair, study.horizon)
        rows[design] = {"term": "difference", "cohort": None} | interval(difference, cluster)
    both = unite_designs(rows["cs"], rows["balanced"])
    rows["published"] = rows["cs"] | both
    return [row | {"design": design, "subgroup": name} for design, row in rows.items()]


def subtract(first, second, horizon: int) -> tuple[Pooled, pd.Series]:
    """Second less first effect at a horizon; who stands in both is counted once.

    Returns
    -------
    tuple
        The difference with the influence of each person, and their clusters.
    """
    units = pd.concat([first.units, second.units]).drop_duplicates("unit")
    names, n = pd.Index(units["unit"]), len(units)
    total, used, treated = np.zeros(n), np.zeros(n, bool), np.zeros(n, bool)
    estimate = 0.0
    for sign, design in ((-1, first), (1, second)):
        pooled, at = pool_at(design, horizon), names.get_indexer(design.units["unit"])
        total[at] += sign * pooled.influence / len(pooled.influence) * n
        used[at] |= pooled.used
        treated[at] |= pooled.treated
        estimate += sign * pooled.estimate
    return Pooled(estimate, total, treated, used), units["cluster"].astype(object)


def _adjust(table):
    """Holm over the splits, per design."""
    table = table.assign(p_adjusted=np.nan)
    for _, rows in table[table["term"] == "difference"].groupby("design"):
        ordered = rows["p_value"].astype(float).sort_values()
        steps = ordered * np.arange(len(ordered), 0, -1)
        table.loc[ordered.index, "p_adjusted"] = steps.cummax().clip(upper=1.0)
    return table
