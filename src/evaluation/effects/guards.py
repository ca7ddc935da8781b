"""What is refused before a fit, in words; nothing is repaired in silence."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evaluation.effects.codings import (
    check_coding,
    code_units,
    find_positions,
    hold_once,
    read_cohorts,
    read_numbers,
    read_times,
)
from evaluation.errors import EstimationError

CONTROLS = ("never_treated", "not_yet_treated")


def check_panel(
    panel: pd.DataFrame,
    *,
    outcome: str,
    unit: str,
    time: str,
    cohort: str,
    cluster: str | None = None,
    covariates: Iterable[str] = (),
    control: str = "not_yet_treated",
    min_treated: int = 0,
    min_comparison: int = 0,
) -> tuple[pd.DataFrame, list[str]]:
    """Check a panel before any estimate.

    Parameters
    ----------
    min_treated, min_comparison
        Fewer units are no error but a note: the plan's first reason for no verdict.

    Returns
    -------
    tuple
        The columns named, never-treated coded as missing and so too those who enter
        after the last period; without units treated from the first period on, without
        periods that nobody was seen in; and notes in Chinese on what a reader should know.

    Raises
    ------
    EstimationError
        Missing columns, no rows, duplicate unit-times, a unit with two cohorts or
        clusters, an outcome or covariate that is no number, infinite or missing, a
        constant outcome, a single cluster or period, or no comparison group.
    """
    covariates = list(covariates)
    wanted = [outcome, unit, time, cohort, *([cluster] if cluster else []), *covariates]
    roles = [outcome, unit, time, cohort, *covariates]
    if len(set(roles)) < len(roles):
        raise EstimationError(f"同一列不能有两种用途：{roles}。")
    _require_columns(panel, wanted)
    if control not in CONTROLS:
        raise EstimationError(f"未知的对照方式：{control}。")
    if panel[unit].isna().any() or panel[time].isna().any():
        raise EstimationError("有的行缺少单位编号或时间。")
    years = read_times(panel[time], time)
    times = np.unique(years.to_numpy())
    check_coding(panel[cohort], times)
    read = {cohort: read_cohorts(panel[cohort]), outcome: read_numbers(panel[outcome], outcome)}
    read |= {name: read_numbers(panel[name], name) for name in covariates}
    codes, units = code_units(panel[unit], unit)
    n, entry = len(units), read[cohort].to_numpy(dtype=float)
    _refuse_repeats(codes, find_positions(times, years), n, len(times))
    first_row = hold_once(np.arange(len(codes)), codes, n)
    _refuse_change(entry, codes, first_row, "首次参加时间")
    notes = _check_clusters(panel[cluster], codes, first_row) if cluster else []
    y = read[outcome].to_numpy(dtype=float)
    known = np.isfinite(y)
    _refuse_constant(y[known], outcome)
    _refuse_missing(read, covariates)
    first, kept, said = _sort_entries(entry[first_row], times, control)
    notes += said
    _require_comparison(first[kept], control)
    notes += _say_gaps(years.to_numpy(), codes, known, kept, times)
    notes += _say_few(first[kept], control, min_treated, min_comparison)
    read |= {time: years, cohort: pd.Series(first[codes], index=panel.index)}
    # Put together from its columns, of which none is copied.
    checked = pd.DataFrame(
        {name: read.get(name, panel[name]) for name in dict.fromkeys(wanted)}, copy=False
    )
    seen = kept[codes]
    if len(periods := np.unique(years.to_numpy()[known])) < len(times):
        seen &= np.isin(years.to_numpy(), periods)
    return (checked if seen.all() else checked[seen]), notes


def _require_columns(panel, wanted):
    absent = [name for name in wanted if name not in panel]
    if absent:
        raise EstimationError(f"面板中没有这些列：{absent}。现有的列：{list(panel)}。")
    if panel.empty:
        raise EstimationError("面板是空的，没有一行。")
    if panel.columns.duplicated().any():
        raise EstimationError("面板中有重名的列。")


def _refuse_repeats(codes, positions, n_units, n_times):
    """Each unit stands once in each period."""
    place = codes * n_times + positions
    if (place[1:] > place[:-1]).all():
        return  # in order already: the usual case
    found = np.bincount(place, minlength=n_units * n_times)
    if repeated := int((found - 1).clip(min=0).sum()):
        raise EstimationError(f"同一单位同一时间出现多行（{repeated}行），请先去重。")


def _refuse_change(values, codes, first_row, word):
    """A unit has one cohort and one cluster."""
    same = values == values[first_row][codes]
    if values.dtype.kind == "f":
        same |= np.isnan(values) & np.isnan(values[first_row])[codes]
    if not same.all():
        number = len(np.unique(codes[~same]))
        raise EstimationError(f"{number}个单位的“{word}”前后不一致。")


def _check_clusters(clusters, codes, first_row) -> list[str]:
    """Clusters as they can carry a standard error; a note on those of a single unit."""
    if clusters.isna().any():
        raise EstimationError("有的行缺少所属区域（聚类）。")
    found = pd.factorize(clusters)[0]
    _refuse_change(found, codes, first_row, "所属区域")
    sizes = np.bincount(found[first_row])
    if len(sizes) < 2:
        raise EstimationError("只有一个区域（聚类），无法计算标准误。")
    alone = int((sizes == 1).sum())
    if alone and alone < len(sizes):
        return [f"{alone}个区域只有一个单位。"]
    return ["每个区域都只有一个单位：聚类与不聚类相同。"] if alone else []


def _refuse_constant(values, outcome):
    if not len(values):
        raise EstimationError(f"结果变量“{outcome}”全部缺失。")
    if values.min() == values.max():
        raise EstimationError(f"结果变量“{outcome}”没有变化，无法估计效果。")


def _refuse_missing(read, covariates):
    """A covariate that is missing throughout, or in part, changes who is compared."""
    for name in covariates:
        share = read[name].isna().mean()
        if share:
            raise EstimationError(
                f"协变量“{name}”有{share:.1%}缺失：请补全，或不用这个协变量。"
            )


def _sort_entries(first, times, control):
    """Entry by unit, who is kept, and notes on who entered outside the panel's periods."""
    if len(times) < 2:
        raise EstimationError("面板只有一期，无法比较前后。")
    if np.isnan(first).all():
        raise EstimationError("没有任何单位参加，无法估计效果。")
    notes, early, late = [], first <= times[0], first > times[-1]
    if early.any():
        notes.append(f"{early.sum()}个单位从第一期起就已参加，没有参加前的资料，未纳入。")
    if late.any():
        notes.append(f"{late.sum()}个单位在最后一期之后才参加，按从未参加看待。")
    inside = ~np.isnan(first) & ~early & ~late
    if not inside.any():
        where = "从第一期起就已参加" if early.any() else "在最后一期之后才参加"
        raise EstimationError(f"所有参加的单位都{where}，没有参加前后可比，无法估计效果。")
    return np.where(late, np.nan, first), ~early, notes


def _require_comparison(first, control):
    never = np.isnan(first)
    if control == "never_treated" and not never.any():
        raise EstimationError("没有从未参加的单位，请改用 not_yet_treated（尚未参加者）。")
    if not never.any() and first.min() == first.max():
        raise EstimationError("所有单位同时参加，没有对照。")


def _say_gaps(years, codes, known, kept, times) -> list[str]:
    """Periods that nobody was seen in, and units not seen in every other one."""
    notes, seen = [], np.unique(years if known.all() else years[known])
    step = int(np.diff(times).min())
    usual = np.arange(times[0], times[-1] + 1, step) if len(times) < 1000 else times
    absent = sorted(set(usual.tolist()) - set(seen.tolist()))
    if absent:
        notes.append(
            f"这些时期没有任何单位的资料：{absent}；以各批参加前最后有资料的一期为基准。"
        )
    counts = np.bincount(codes if known.all() else codes[known], minlength=len(kept))
    if counts.max() < 2:
        raise EstimationError("每个单位只有一期资料：没有同一单位参加前后可比。")
    gaps = int((counts[kept] < len(seen)).sum())
    if gaps:
        notes.append(f"{gaps}个单位不是每一期都有资料：只用两期都有资料的单位。")
    return notes


def _say_few(first, control, min_treated, min_comparison) -> list[str]:
    """Too few units are no error; the reader is told why nothing can be concluded."""
    treated = int((~np.isnan(first)).sum())
    others = np.isnan(first)
    if control == "not_yet_treated":
        others = others | (first > np.nanmin(first))
    few = [("参加", treated, min_treated), ("可作对照", int(others.sum()), min_comparison)]
    return [
        f"{word}的单位只有{number}个，少于计划所定的{least}个：太少，不足以下结论。"
        for word, number, least in few
        if number < least
    ]


def check_risk_sets(
    risk_sets: pd.DataFrame,
    covariates: Iterable[str],
    years: pd.DataFrame | None = None,
    outcome: str | None = None,
    min_treated: int = 0,
    min_comparison: int = 0,
) -> list[str]:
    """Check the district's risk sets and yearly outcomes.

    Few persons are no error but the first lines of the verdict table; no note says how
    many, since notes are published.

    Returns
    -------
    list of str
        Notes in Chinese: too few persons, unknown covariates, cohorts without comparison,
        years in which nobody's outcome is known, townships of a single person.

    Raises
    ------
    EstimationError
        Repeated rows, a person who enters twice, a comparison person who had entered
        before, a person with two townships or none, a covariate unknown for everybody or
        infinite, a single township; repeated person-years, an infinite or constant outcome.
    """
    notes, names = [], list(covariates)
    if risk_sets.empty:
        return ["没有可比的人群：这项政策在本期没有参加者，或没有对照者。"]
    treated = risk_sets["treated"].to_numpy() == 1
    _refuse_impossible_sets(risk_sets, treated)
    few = {"参加者": (treated, min_treated), "可作对照者": (~treated, min_comparison)}
    for word, (rows, least) in few.items():
        if risk_sets.loc[rows, "person_id"].nunique() < least:
            notes.append(f"{word}少于计划所定的{least}人：太少，不足以下结论。")
    for name in names:
        values = read_numbers(risk_sets[name], name)
        share = values.isna().mean()
        if share == 1:
            raise EstimationError(f"协变量“{name}”全部缺失：请检查台账中的这一列。")
        if share:
            notes.append(f"协变量“{name}”有{share:.1%}缺失，这些行不参加比较。")
    alone = pd.Series(treated).groupby(risk_sets["cohort"].to_numpy()).mean()
    alone = [int(g) for g in alone.index[alone == 1]]
    if alone:
        notes.append(f"这些年份的参加者没有对照者：{alone}。")
    persons = risk_sets.drop_duplicates("person_id")["cluster"].value_counts()
    if (persons == 1).any():
        notes.append("有的乡镇只有一个人在可比人群中。")
    if years is None or outcome not in years:
        return notes
    return notes + _check_outcome(risk_sets, years, outcome)


def _refuse_impossible_sets(risk_sets, treated):
    if risk_sets.duplicated(["cohort", "month", "person_id"]).any():
        raise EstimationError("风险集中同一人在同一月份出现多次。")
    if risk_sets.loc[treated, "person_id"].duplicated().any():
        raise EstimationError("有人在风险集中参加了两次：只应计首次参加。")
    if "untreated_until" in risk_sets:
        until = risk_sets["untreated_until"].to_numpy(dtype=float, na_value=np.nan)
        if (~treated & (until < risk_sets["cohort"].to_numpy(dtype=float))).any():
            raise EstimationError("风险集中有人在参加之后还被当作对照者。")
    pairs = risk_sets[["person_id", "cluster"]].drop_duplicates()
    if pairs["cluster"].isna().any():
        raise EstimationError("风险集中有人没有所属乡镇。")
    if pairs["person_id"].duplicated().any():
        raise EstimationError("有人在风险集中属于两个乡镇。")
    if pairs["cluster"].nunique() < 2:
        raise EstimationError("所有人都在同一个乡镇，无法计算按乡镇聚类的标准误。")


def _check_outcome(risk_sets, years, outcome) -> list[str]:
    """Yearly outcomes of the persons in the risk sets."""
    if years.duplicated(["person_id", "year"]).any():
        raise EstimationError("历年结果中同一人同一年出现多行。")
    values = read_numbers(years[outcome], outcome).to_numpy()
    known = np.isfinite(values)
    if not known.any():
        return [f"结果变量“{outcome}”没有任何已知的值：无法估计。"]
    _refuse_constant(values[known], outcome)
    year, notes = years["year"].to_numpy(dtype="int64"), []
    seen, cohorts = set(year[known].tolist()), set(risk_sets["cohort"].unique().tolist())
    absent = sorted(set(range(year.min(), year.max() + 1)) - seen)
    if absent:
        notes.append(f"这些年份没有任何人的结果：{absent}，不参加比较。")
    early = sorted(int(g) for g in cohorts if g - 1 not in seen)
    if early:
        notes.append(f"这些年份的参加者没有参加前一年的结果，双重差分不用他们：{early}。")
    return notes
