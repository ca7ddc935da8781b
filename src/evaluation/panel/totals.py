"""Published totals: what was said, in which unit, how exactly, and when it is met."""

from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.errors import PlanError, TableError
from evaluation.ledgers.text_files import open_text
from evaluation.panel.definitions import DEFINITIONS

# Published figures that are rounded agree within half a percent.
TOLERANCE = 0.005
PRECISIONS = ("exact", "rounded", "at_least")
# In this order each part takes what it can of the difference and leaves the rest.
PARTS = {
    "by_rounding": "公布数是约数",
    "by_late": "公布年份以后才交来的行",
    "by_date": "公布之日以后的",
    "by_missing": "搁置或缺项、没有计入的，最多",
    "by_definition": "可能是口径不同，最多",
    "unexplained": "没有解释的",
}
HEADINGS = PARTS | {
    "label_zh": "指标", "unit": "单位", "published": "公布数", "ledger": "台账数",
    "difference": "差", "linked": "能对应到人的", "state_zh": "结论", "definition": "口径",
    "nearest_zh": "最接近公布数的数法", "needed_zh": "核对还缺什么", "counted_to": "数到",
}  # fmt: skip
STATES = {
    "exact": ("agrees", "完全一致"),
    "rounding": ("agrees", "一致（公布数是约数）"),
    "at_least": ("agrees", "一致（不低于公布数）"),
    "": ("differs", "有差异"),
    "no_ledger": ("no_ledger", "无台账，未核对"),
    "ledger_missing": ("ledger_missing", "缺少该项政策的台账，未核对"),
    "not_yet_published": ("not_yet_published", "尚未公布"),
}


def load_totals(reference: Path) -> pd.DataFrame:
    """Read the published totals and check that they can be compared.

    Returns
    -------
    pandas.DataFrame
        Key ``indicator``; columns as in ``totals.csv``.

    Raises
    ------
    PlanError
        Names the indicator and what is wrong: repeated, without a date, of unknown
        computation or precision, or parts (``part_of``) that are not their whole.
    TableError
        If parts of one whole have different units.
    """
    totals = pd.read_csv(open_text(reference / "totals.csv"))
    days = pd.to_datetime(totals["as_of"], format="%Y-%m-%d", errors="coerce")
    wrong = {
        "指标重复": totals["indicator"].duplicated(),
        "computation 不认识": ~totals["computation"].isin([*DEFINITIONS, np.nan]),
        "precision 不是 exact、rounded 或 at_least": ~totals["precision"].isin(PRECISIONS),
        "as_of 不是“2024-06-17”这样的日期": days.isna(),
        "value 不是正数": ~(pd.to_numeric(totals["value"], errors="coerce") > 0),
    }
    for reason, where in wrong.items():
        if where.any():
            name = totals.loc[where, "indicator"].iloc[0]
            raise PlanError(f"totals.csv 中 {name} 的{reason}。")
    for whole, parts in totals.groupby("part_of"):
        together = totals[totals["indicator"] == whole]
        units = pd.concat([together, parts])
        if add_up(units, "value") != 2 * together["value"].sum():
            raise PlanError(f"totals.csv 中各部分之和不等于 {whole}。")
    return totals


def add_up(table: pd.DataFrame, column: str) -> float:
    """Add up one column, refusing different units: persons are no person-times.

    Raises
    ------
    TableError
        Names the units.

    Examples
    --------
    >>> add_up(pd.DataFrame({"value": [776, 930], "unit": ["个", "个"]}), "value")
    1706
    """
    units = table["unit"].drop_duplicates().tolist()
    if len(units) > 1:
        raise TableError(f"单位不同，不能相加：{'、'.join(map(str, units))}。")
    return table[column].sum().item()


def match(value: float, published: float, precision: str) -> str:
    """Say how a ledger meets a figure: ``exact``, ``rounding``, ``at_least`` or not ("").

    An exact figure is met only by itself, a rounded one within half a percent; of a
    figure "over so many" only the lower limit is known.

    Examples
    --------
    >>> [match(value, 6000, "at_least") for value in (6000, 6400, 5999)]
    ['exact', 'at_least', '']
    """
    if abs(value - published) < 1e-6:
        return "exact"
    if precision == "at_least":
        return "at_least" if value > published else ""
    near = abs(value - published) <= TOLERANCE * published
    return "rounding" if near and precision == "rounded" else ""


def describe(row: dict) -> str:
    """Say in short sentences what a reader should know of one comparison.

    Parameters
    ----------
    row
        Of the table that `agreement.compare_totals` returns.
    """
    if row["state"] == "no_ledger" and isinstance(row["needed_zh"], str):
        return f"没有台账，未核对。核对需要：{row['needed_zh']}。"
    if row["state"] not in ("agrees", "differs"):
        return f"{row['state_zh']}。"
    said = [row["state_zh"]]
    if row["state"] == "differs":
        more = "多" if row["difference"] > 0 else "少"
        parts = [f"{PARTS[name]}{_count(row, name)}" for name in PARTS if abs(row[name]) > 0]
        said = [f"台账{more}{_count(row, 'difference')}：{'，'.join(parts)}"]
        if any(np.isnan(row[name]) for name in PARTS):
            said.append("人数太少、不宜分列的，也列在“没有解释的”之内")
        if row["missing_rows"] > 0 and np.isnan(row["by_missing"]):
            said.append(f"另有{row['missing_rows']:.0f}行搁置")
        if row["nearest"] != row["stated"]:
            said.append(f"与公布数最接近的是“{row['nearest_zh']}”，未必就是来信所指")
    if 0 < row["received"] < int(str(row["as_of"])[:4]):
        said.append(f"最近收到的台账是{row['received']:.0f}年的，以后的行还没有收到")
    if row["without_amount"]:
        said.append(f"另有{row['without_amount']:.0f}行没有可用的金额")
    return "；".join(said) + "。"


def _count(row, column):
    """Number and unit; the sign is said in words."""
    return f"{abs(row[column]):,.6g}{row['unit']}"
