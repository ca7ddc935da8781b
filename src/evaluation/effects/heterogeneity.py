"""For whom it differs: the subgroups that the plan names, and whether the difference is one."""

import pandas as pd

from evaluation.effects.aggregation import WHOLE, interval, pool_at, unite_designs
from evaluation.effects.designs import fit_designs
from evaluation.effects.differences import subtract
from evaluation.effects.estimates import (
    COLUMNS,
    PUBLISHED,
    adjust_by_design,
    make_result_id,
    tabulate_estimates,
)
from evaluation.effects.power import minimum_detectable_effect
from evaluation.effects.second_opinion import MIDDLE_AGE
from evaluation.errors import PlanError

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
        sets = sets.assign(age_group=(sets["age"] >= MIDDLE_AGE).astype(float))
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
    ``difference`` rows compare the second value with the first (of more than two, each
    with the first), with the error of the difference by person and by cluster; their
    p-values are Holm-adjusted over all of them (per design), so that looking at many
    groups finds no more than it should.

    Parameters
    ----------
    study
        As returned by `study.load_study`.
    plan
        ``heterogeneity.subgroups`` (`VALUES`, ``cohort``) and ``gates``.

    Returns
    -------
    pandas.DataFrame
        Columns of ``estimates_<policy>``, key ``result_id``; ``term`` is ``primary`` or
        ``difference``, ``subgroup`` such as ``female=male`` or ``female``.

    Raises
    ------
    PlanError
        If the plan names a split that is not known.
    """
    sets, tables = add_groups(study), []
    splits = VALUES | {"cohort": {g: str(g) for g in study.cohorts}}
    for name in plan["heterogeneity"]["subgroups"]:
        if name not in splits:
            raise PlanError(
                f"analysis_plan.toml 的 [heterogeneity] 中有未知的分组“{name}”。"
                f"可选：{'、'.join(splits)}。"
            )
        labels = {v: f"{name}={label}" for v, label in splits[name].items() if name in sets}
        parts = {v: _keep(sets, name, v) for v in labels}
        peopled = all((part["treated"] == 1).any() for part in parts.values())
        found = {v: fit_designs(study, part) for v, part in parts.items() if peopled}
        if len(found) < 2 or not all(_is_large(one, study, plan) for one in found.values()):
            continue
        same = _labels(study)
        tables += [tabulate_estimates(found[v], subgroup=labels[v], **same) for v in labels]
        first, *others = labels
        for v in others:
            subgroup = name if len(labels) == 2 else labels[v]
            tables.append(_compare(found[first], found[v], study, subgroup))
    table = pd.concat(tables or [pd.DataFrame(columns=COLUMNS)], ignore_index=True)
    return adjust_by_design(table, table["term"].eq("difference"))


def _labels(study) -> dict:
    same = {"year": study.edition, "policy": study.policy, "outcome": study.outcome}
    return same | {"horizon": study.horizon, "terms": ["primary"]}


def _keep(sets, name, value):
    """Rows of a subgroup; comparison persons of whom the trait is not known stay."""
    free = sets[name].isna() & (sets["treated"] == 0)
    return sets[(sets[name] == value) | free].reset_index(drop=True)


def _is_large(designs, study, plan):
    limits = plan["gates"]
    pooled = [pool_at(design, study.horizon) for design in designs.values()]
    if None in pooled:
        return False
    treated = min(int(p.treated.sum()) for p in pooled)
    others = min(int(p.used.sum() - p.treated.sum()) for p in pooled)
    return treated >= limits["min_treated"] and others >= limits["min_comparison"]


def _compare(first, second, study, subgroup) -> pd.DataFrame:
    """Rows of the difference, in the form of `estimates.tabulate_estimates`."""
    rows = {}
    for design in PUBLISHED:
        difference, cluster = subtract(first[design], second[design], study.horizon)
        row = interval(difference, cluster)
        size = (row["std_error"], row["n_clusters"], row["inference"])
        rows[design] = row | {"mde": minimum_detectable_effect(*size)}
    both = unite_designs(rows["cs"], rows["balanced"])
    both["mde"] = max(row["mde"] for row in rows.values())
    same = {"year": study.edition, "policy": study.policy, "outcome": study.outcome}
    same |= {"term": "difference", "event_time": study.horizon, "cohort": None}
    found = [
        same | row | {"design": design, "subgroup": subgroup}
        for design, row in (rows | {"published": both}).items()
    ]
    ids = [make_result_id(row) for row in found]
    return pd.DataFrame(found).assign(result_id=ids).reindex(columns=COLUMNS).astype(WHOLE)
