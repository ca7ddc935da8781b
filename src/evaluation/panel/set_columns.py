"""Columns of the risk sets, of their weights, and of persons' parts in the estimates."""

from evaluation.ledgers.column_types import Column
from evaluation.panel.staying import WEIGHT_CAP
from evaluation.plan import POLICIES

_PERSON = Column("key", "人", "Person", made_from=("persons.person_id",))
_ENTRIES = tuple(f"persons.{policy}_on" for policy in POLICIES)
_MONTHS, _SHARE = ("月", "months"), ("比例", "share")

_QUARTERS = {
    f"hist_{n}": Column(
        "number", f"参加前第 {n} 个季度开放就业的月份占比",
        f"Share of open months in quarter {n} before entry", (
        "没有已知月份的季度取 24 个月的占比",
        "a quarter without a known month takes that of 24 months"),
        ("months.open",), unit=_SHARE)
    for n in range(1, 9)
}  # fmt: skip

RISK_SETS = {
    "cohort": Column(
        "year", "参加年份（队列）", "Year of entry (cohort)", made_from=_ENTRIES),
    "month": Column("month", "参加月份", "Month of entry", made_from=_ENTRIES),
    "person_id": _PERSON,
    "treated": Column(
        "flag", "当月参加（1）或可比（0）", "Entered that month (1) or could have (0)", (
        "可比：同一天满足同样条件、尚未参加；创业者的市场主体年龄相近",
        "could have: same conditions on that day, not yet entered; a business of like age"),
        (*_ENTRIES, "months.open")),
    "entry_month": Column(
        "count", "参加当年的第几个月", "Month of the year of entry", ("1 至 12", "1 to 12"),
        ("risk_sets.month",)),
    "business_age": Column("count", "市场主体的年龄", "Age of the business", (
        "岗位为 0", "0 for posts"), ("months.business_age",), unit=_MONTHS),
    "ran_at_base": Column(
        "flag", "上年底该市场主体已在经营", "Business was there on 31 December before",
        ("岗位为 0", "0 for posts"), ("months.business_age",)),
    "female": Column("flag", "女性", "Female", made_from=("persons.female",)),
    "age": Column(
        "number", "参加当年的年龄", "Age in the year of entry",
        made_from=("persons.birth_year",), unit=("岁", "years")),
    "schooling": Column("level", "文化程度", "Schooling", made_from=("persons.schooling",)),
    "poor": Column(
        "flag", "脱贫户或监测户", "Household lifted out of poverty or monitored",
        made_from=("persons.poor",)),
    "cluster": Column("code", "聚类（乡镇）", "Cluster (township)", (
        "待核的旧乡镇各自成一类", "an old township to be confirmed is a cluster of its own"),
        ("persons.township",)),
    **_QUARTERS,
    "hist_known": Column(
        "number", "参加前 24 个月中已知的占比", "Share of the 24 months that is known",
        made_from=("months.open",), unit=_SHARE),
    "drawn": Column(
        "flag", "每人每队列抽中的那个月", "The one month drawn per person and cohort", (
        "可比人员按该市场主体年龄的参加人数之比抽取，种子见分析计划",
        "in proportion to the entries at that business age; seed of the plan"),
        ("risk_sets.treated",)),
    "draw_share": Column(
        "number", "该队列的参加者中此人可比的占比",
        "Share of the cohort's entries in whose sets the person stands", (
        "抽一个月的设计必须以它加权；参加者为 1",
        "designs with one drawn month must weigh by it; 1 if treated"),
        ("risk_sets.treated",), unit=_SHARE),
    "untreated_until": Column(
        "year", "后来自己参加的年份", "Year of the person's own later entry", (
        "空：没有", "missing: none"), _ENTRIES),
}  # fmt: skip

STAY = {
    "cohort": RISK_SETS["cohort"],
    "person_id": _PERSON,
    "year": Column("year", "结果年份", "Year of the outcome", made_from=("risk_sets.cohort",)),
    "weight": Column("number", "“未参加权重”", "Weight for having stayed untreated", (
        f"一除以到当年年底仍未参加的概率（泊松模型），最大 {WEIGHT_CAP:g}",
        "one over the probability of being untreated on 31 December (Poisson), at most "
        f"{WEIGHT_CAP:g}"),
        ("risk_sets.drawn", "months.open"), unit=("倍", "times")),
    "capped": Column("flag", "权重到了上限", "Weight was capped", made_from=("stay.weight",)),
}  # fmt: skip

_PART = ("平方和为方差", "their sum of squares is the variance")
INFLUENCE = {
    "person_id": _PERSON,
    "cs": Column(
        "number", "此人对 cs 估计的贡献", "Part in the estimate of cs", _PART,
        ("years.employed_open",)),
    "balanced": Column(
        "number", "此人对 balanced 估计的贡献", "Part in the estimate of balanced", _PART,
        ("years.employed_open",)),
    "treated": Column(
        "flag", "到期评估的参加者", "Evaluated at the horizon", (
            "两种设计都评估到", "by both designs"), ("risk_sets.treated",)),
}  # fmt: skip
