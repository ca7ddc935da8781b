"""What is refused before a fit, in words; nothing is repaired in silence."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from evaluation.errors import EstimationError

NEVER = (0, 9999)


def read_cohorts(values: pd.Series) -> pd.Series:
    """First treated time with the usual codings of never as missing.

    Never treated may be coded as missing, 0, 9999 or infinity. A cohort coded in words
    is refused.

    Raises
    ------
    EstimationError
        If a value is not a number.
    """
    numbers = pd.to_numeric(values, errors="coerce").astype(float)
    if (numbers.isna() & values.notna()).any():
        raise EstimationError("“首次参加时间”一列应为数字；从未参加者请留空或填0。")
    return numbers.mask(numbers.isin(NEVER) | np.isinf(numbers))


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
) -> tuple[pd.DataFrame, list[str]]:
    """Check a panel before any estimate.

    Returns
    -------
    tuple
        The panel with never-treated coded as missing, without units treated from the
        first period on; and notes in Chinese on what a reader should know.

    Raises
    ------
    EstimationError
        Missing columns, duplicate unit-times, a unit with two cohorts or clusters,
        infinite or constant outcome, missing covariates, a single cluster, or no
        comparison group.
    """
    wanted = [outcome, unit, time, cohort, *([cluster] if cluster else []), *covariates]
    absent = [name for name in wanted if name not in panel]
    if absent:
        raise EstimationError(f"面板中没有这些列：{absent}。现有的列：{list(panel)}。")
    notes, panel = [], panel.assign(**{cohort: read_cohorts(panel[cohort])})
    if panel[[unit, time]].isna().any(axis=None):
        raise EstimationError("有的行缺少单位编号或时间。")
    repeated = int(panel.duplicated([unit, time]).sum())
    if repeated:
        raise EstimationError(f"同一单位同一时间出现多行（{repeated}行），请先去重。")
    _refuse_change(panel, unit, cohort, "首次参加时间")
    if cluster:
        _refuse_change(panel, unit, cluster, "所属区域")
        if panel[cluster].nunique() < 2:
            raise EstimationError("只有一个区域（聚类），无法计算标准误。")
    values = pd.to_numeric(panel[outcome], errors="coerce")
    if (values.isna() & panel[outcome].notna()).any() or np.isinf(values).any():
        raise EstimationError(f"结果变量“{outcome}”含有非数字或无穷大。")
    if values.nunique() < 2:
        raise EstimationError(f"结果变量“{outcome}”没有变化，无法估计效果。")
    _refuse_missing(panel, covariates)
    early = panel[cohort] <= panel[time].min()
    if early.any():
        number = panel.loc[early, unit].nunique()
        notes.append(f"{number}个单位从第一期起就已参加，没有参加前的资料，未纳入。")
        panel = panel[~early]
    _require_comparison(panel, unit, time, cohort, control)
    seen = panel.groupby(unit)[time].nunique()
    gaps = int((seen < panel[time].nunique()).sum())
    if gaps:
        notes.append(f"{gaps}个单位不是每一期都有资料：只用两期都有资料的单位。")
    return panel.astype({outcome: float}), notes


def _refuse_change(panel, unit, column, word):
    """A unit has one cohort and one cluster."""
    distinct = panel.groupby(unit)[column].nunique(dropna=False)
    if (distinct > 1).any():
        raise EstimationError(f"{int((distinct > 1).sum())}个单位的“{word}”前后不一致。")


def _refuse_missing(frame, covariates):
    """A covariate that is missing throughout, or in part, changes who is compared."""
    for name in covariates:
        share = frame[name].isna().mean()
        if share:
            raise EstimationError(
                f"协变量“{name}”有{share:.1%}缺失：请补全，或不用这个协变量。"
            )


def _require_comparison(panel, unit, time, cohort, control):
    first = panel.groupby(unit)[cohort].first()
    if first.isna().all():
        raise EstimationError("没有任何单位参加，无法估计效果。")
    if control == "never_treated" and first.notna().all():
        raise EstimationError("没有从未参加的单位，请改用 not_yet_treated（尚未参加者）。")
    if first.notna().all() and first.min() == first.max():
        raise EstimationError("所有单位同时参加，没有对照。")
    if control not in ("never_treated", "not_yet_treated"):
        raise EstimationError(f"未知的对照方式：{control}。")


def check_risk_sets(risk_sets: pd.DataFrame, covariates: Iterable[str]) -> list[str]:
    """Check the district's risk sets; few persons are no error but a verdict.

    Returns
    -------
    list of str
        Notes in Chinese: unknown covariates, cohorts without comparison.

    Raises
    ------
    EstimationError
        Repeated rows, a person who enters twice, a person with two townships, a
        covariate unknown for everybody, or a single township.
    """
    notes, names = [], list(covariates)
    if risk_sets.empty:
        return ["没有可比的人群：这项政策在本期没有参加者，或没有对照者。"]
    if risk_sets.duplicated(["cohort", "month", "person_id"]).any():
        raise EstimationError("风险集中同一人在同一月份出现多次。")
    treated = risk_sets[risk_sets["treated"] == 1]
    if treated["person_id"].duplicated().any():
        raise EstimationError("有人在风险集中参加了两次：只应计首次参加。")
    if risk_sets.groupby("person_id")["cluster"].nunique().gt(1).any():
        raise EstimationError("有人在风险集中属于两个乡镇。")
    if risk_sets["cluster"].nunique() < 2:
        raise EstimationError("所有人都在同一个乡镇，无法计算按乡镇聚类的标准误。")
    for name in names:
        share = risk_sets[name].isna().mean()
        if share == 1:
            raise EstimationError(f"协变量“{name}”全部缺失：请检查台账中的这一列。")
        if share:
            notes.append(f"协变量“{name}”有{share:.1%}缺失，这些行不参加比较。")
    alone = risk_sets.groupby("cohort")["treated"].mean()
    alone = [int(g) for g in alone.index[alone == 1]]
    if alone:
        notes.append(f"这些年份的参加者没有对照者：{alone}。")
    return notes
