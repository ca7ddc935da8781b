"""What each column of the panel means; written by `2_panel` under ``data/panel/<year>/``.

`4_effect` adds the table of influence. ``made_from`` names columns of other tables.
"""

from dataclasses import replace

from evaluation.ledgers.column_types import Column, Table
from evaluation.ledgers.declarations import CLEAN, SOURCE
from evaluation.ledgers.schema import KEY
from evaluation.panel.observation import RETIREMENT_AGE
from evaluation.panel.set_columns import INFLUENCE, RISK_SETS, STAY

_PERSON = Column("key", "人", "Person", made_from=("roster.person_id",))
_FIRST = (
    "取最早已知的一次，使它不晚于参加",
    "the first known one, so that none is dated after entry",
)
_MONTHS = ("月", "months")
_SPELLS = ("register.form", "register.start", "register.end")
_POLICIES = (
    ("subsidy", "创业补贴", "start-up subsidy"),
    ("loan", "创业担保贷款", "guaranteed loan"),
    ("post", "公益性岗位", "public-welfare post"),
)
_LEDGERS = tuple(f"{policy}.person_id" for policy, _, _ in _POLICIES)
# Surest first; those marked weak are `linkage.WEAK`.
_WAYS = (
    ("number", "身份证号码", "resident number"),
    ("contract", "同一贷款合同的其他行", "another row of the same contract"),
    ("name_phone", "姓名和电话", "name and phone"),
    ("name_household", "姓名和户", "name and household"),
    ("name_business", "姓名和市场主体", "name and business"),
    ("name_birth", "姓名、性别、出生年份和乡镇", "name, sex, year of birth and township"),
    ("name_day", "姓名和同一事件的日期", "name and day of the same event"),
    ("pinyin_phone", "同音姓名和电话", "name of the same sound and phone"),
    ("pinyin_household", "同音姓名和户", "name of the same sound and household"),
    ("pinyin_business", "同音姓名和市场主体", "name of the same sound and business"),
    ("name_next", "姓名和前后相接的工作（弱）", "name and adjoining work (weak)"),
    ("name_firm", "姓名和单位（弱）", "name and firm (weak)"),
    ("name_village", "姓名和村（弱）", "name and village (weak)"),
    (
        "pinyin_birth",
        "同音姓名、性别、出生年份和乡镇（弱）",
        "name of the same sound, sex, year of birth and township (weak)",
    ),
    ("pinyin_village", "同音姓名和村（弱）", "name of the same sound and village (weak)"),
)


def _take_first(name):
    """A trait of a person is that of the first row of the roster where it is known."""
    return replace(CLEAN["roster"][name], rule=_FIRST, made_from=(f"roster.{name}",))


PERSONS = {
    "person_id": Column("key", "人", "Person", (
        "任一台账中的人，按最早收到的先后、台账、行号排列",
        "everybody in any ledger, by first receipt, ledger and row"), ("roster.person_id",)),
    **{name: _take_first(name) for name in ("sex", "birth_year", "schooling", "poor")},
    "township": Column("code", "乡镇（街道）", "Township", (
        "最早一次已确认的；都待核的取最早一次；没有的为 unknown",
        "the first confirmed one; if none is, the first; unknown where there is none"),
        ("roster.township",)),
    "returned_on": Column("date", "返乡时间", "Day of return", (
        "各次名册中最早的一次", "the earliest of all rosters"), ("roster.returned_on",)),
    "first_roster_year": Column(
        "year", "首次在名册的年份", "First year on a roster", (
            "空：从未在名册上", "missing: never"), ("roster.snapshot_year",)),
    "last_roster_year": Column(
        "year", "末次在名册的年份", "Last year on a roster",
        made_from=("roster.snapshot_year",)),
    "female": Column("flag", "女性", "Female", made_from=("persons.sex",)),
    "returned_year": Column(
        "year", "返乡年份", "Year of return", made_from=("persons.returned_on",)),
    "observed_from": Column("date", "从何时起观察", "Observed from", (
        "返乡之日；名册更早在本地找到此人的，从那时起；从未在名册上的为空",
        "the return, or the first roster that finds the person in the district if earlier; "
        "missing: never on a roster"),
        ("roster.returned_on", "roster.snapshot_on", "roster.status")),
    "observed_until": Column("date", "观察到何时", "Observed until", (
        "名册记为去世或退休的前一天；男 {male}、女 {female} 岁的前一年年底（只有出生年份；"
        "女工人 50 岁退休，台账分不出）；否则为年版的最后一天".format_map(RETIREMENT_AGE),
        "the day before a roster says dead or retired; the end of the year before men turn "
        "{male}, women {female} (only the year of birth is known; women workers retire at 50, "
        "the ledgers do not tell them apart); else the edition's last day".format_map(
            RETIREMENT_AGE)),
        ("roster.status", "roster.snapshot_on", "persons.birth_year", "persons.sex")),
    "observed_reason": Column(
        "word", "为何不再观察", "Why no longer observed", made_from=("persons.observed_until",),
        values=(
            ("dead", "去世", "dead"), ("retired", "退休", "retired"),
            ("statutory_age", "到法定退休年龄", "statutory age"),
            ("edition", "年版截止", "edition's end"))),
    "business_registered_on": Column(
        "date", "首个市场主体的登记日期", "Registration of the first business", (
        "有登记日期的自主创业才算", "self-employment with a day of registration"),
        ("register.form", "register.registered_on", "register.business_key")),
    "business_closed_on": Column(
        "date", "该市场主体停业之日", "Day on which that business closed", (
        "注销日期或最后一段经营的终止日期，取较早者；空：仍在经营",
        "the earlier of deregistration and the end of the last spell; missing: open"),
        ("register.deregistered_on", "register.end")),
    "subsidy_on": Column("date", "参加创业补贴之日", "Time zero of the subsidy", (
        "首次申请之日（因不符合条件被拒的不算），不论结果：拨付要等经营数月，已经筛选了存活者",
        "first application not refused for ineligibility, whatever became of it: payment comes "
        "after months of survival"),
        ("subsidy.applied_on", "subsidy.result", "subsidy.refusal")),
    "subsidy_result": Column(
        "word", "该次申请的结果", "Result of that application", made_from=("subsidy.result",),
        values="result"),
    "subsidy_year": Column("year", "创业补贴的队列", "Cohort of the subsidy", (
        "空：从未参加", "missing: never"), ("persons.subsidy_on",)),
    "subsidy_refused": Column(
        "flag", "创业补贴曾被拒", "Ever refused a subsidy", made_from=("subsidy.result",)),
    "subsidy_applied_on": Column(
        "date", "首次申请创业补贴之日", "First application for a subsidy", (
        "含因不符合条件被拒的", "also one refused for ineligibility"), ("subsidy.applied_on",)),
    "loan_on": Column("date", "参加创业担保贷款之日", "Time zero of the loan", (
        "首次放款之日", "first day of pay-out"), ("loan.paid_out",)),
    "loan_result": Column(
        "word", "该笔贷款的审核结果", "Result of that loan", made_from=("loan.result",),
        values="result"),
    "loan_year": Column("year", "创业担保贷款的队列", "Cohort of the loan", (
        "空：从未参加", "missing: never"), ("persons.loan_on",)),
    "loan_refused": Column(
        "flag", "贷款曾被拒", "Ever refused a loan", made_from=("loan.result",)),
    "loan_applied_on": Column(
        "date", "首次申请贷款之日", "First application for a loan",
        made_from=("loan.applied_on",)),
    "post_on": Column("date", "参加公益性岗位之日", "Time zero of the post", (
        "首次上岗之日", "first day in a post"), ("post.started_on",)),
    "post_result": Column(
        "word", "岗位一律视为通过", "Always approved for posts", made_from=("post.started_on",),
        values="result"),
    "post_rural": Column(
        "flag", "乡村岗位", "Rural post", made_from=("post.rural",), values="rural"),
    "post_year": Column("year", "公益性岗位的队列", "Cohort of the post", (
        "空：从未参加", "missing: never"), ("persons.post_on",)),
    "link_pass": Column("word", "政策台账的行凭什么对应到人", "How policy rows were linked", (
        "各行中最弱的一种；较弱的（weak）可在稳健性检验中去掉",
        "the weakest of the rows'; results can be shown without the weak ones"),
        _LEDGERS, _WAYS),
    "record_pass": Column(
        "word", "名册和就业登记的行凭什么对应到人",
        "How rows of roster and register were linked", (
            "各行中最弱的一种", "the weakest of the rows'"),
        ("roster.person_id", "register.person_id"), _WAYS),
}  # fmt: skip

_OUTCOME = (
    "有效的就业登记覆盖 12 月 31 日的，以登记为准；没有的看当年名册；都没有的为空",
    "a valid spell that covers 31 December decides; else that year's roster; else missing",
)
_WHOLE = ("当年 12 个月都已知才相加", "added up only where all twelve months are known")
_OF_YEAR = (*_SPELLS, "roster.status")

YEARS = {
    "person_id": _PERSON,
    "year": Column(
        "year", "年份", "Calendar year", made_from=("register.start", "roster.snapshot_year")),
    "employed": Column("flag", "年底在业", "In any work on 31 December", _OUTCOME, _OF_YEAR),
    "employed_open": Column(
        "flag", "年底开放就业（主要结果）", "In open work on 31 December (primary outcome)", (
        "不含公益性岗位和只务农；外出务工算",
        "no public-welfare post, not only one's own farming; working away counts"), _OF_YEAR),
    "self_employed": Column(
        "flag", "年底自己经营", "Runs a business on 31 December", _OUTCOME, _OF_YEAR),
    "in_district": Column("flag", "年底仍在本地", "Lives in the district on 31 December", (
        "曾在本地而当年名册和登记都没有的，视为已离开（0）；离开后的就业为空",
        "0 for whoever was here before and is on neither that year's roster nor in a spell; "
        "whether they work elsewhere is missing"), _OF_YEAR),
    "months_employed": Column(
        "count", "在业月数", "Months in work", _WHOLE, ("months.open", "months.post"),
        unit=_MONTHS),
    "months_open": Column(
        "count", "开放就业月数", "Months in open work", _WHOLE, ("months.open",), unit=_MONTHS),
    "months_post": Column(
        "count", "在公益性岗位的月数", "Months in a post", _WHOLE, ("months.post",),
        unit=_MONTHS),
    "records": Column(
        "count", "当年的登记与名册行数", "Rows of register and roster in the year",
        made_from=("register.start", "register.end", "roster.snapshot_year"),
        unit=("行", "rows")),
}  # fmt: skip

_LAST_DAY = ("以当月最后一天为准", "on the month's last day")
MONTHS = {
    "person_id": _PERSON,
    "month": Column("month", "月份", "Month", (
        "只有已知的月份有行：登记期内、名册前后一年之内，或有登记",
        "only known months have a row: within the register's window and a year of a roster, or "
        "with a spell"), (*_SPELLS, "roster.snapshot_on", "roster.status")),
    "open": Column("flag", "开放就业", "In open work", _LAST_DAY, _SPELLS),
    "post": Column("flag", "在公益性岗位", "In a post", (
        "登记或岗位台账之一有即算；没有退岗日期的视为在岗",
        "by the register or the ledger of posts; without a last day it goes on"),
        (*_SPELLS, "post.started_on", "post.ended_on")),
    "business": Column("flag", "有经营中的市场主体", "Runs a registered business", _LAST_DAY, (
        "register.registered_on", "register.deregistered_on")),
    "business_age": Column("count", "该市场主体的年龄", "Age of that business", (
        "空：没有", "missing: none"), ("register.registered_on",), unit=_MONTHS),
}  # fmt: skip

COSTS = {
    "person_id": _PERSON,
    "policy": Column(
        "word", "政策", "Policy", made_from=_LEDGERS, values=_POLICIES),
    "cost": Column("amount", "财政支出", "Cost to the public purse", (
        "补贴：通过的发放额；贷款：贴息与代偿，从不是本金；岗位：岗位补贴与社保补贴",
        "subsidy: awards approved; loan: interest and guarantee payments, never the principal; "
        "post: pay and insurance"), (
            "subsidy.amount", "loan.interest_subsidy", "loan.compensated_amount", "post.pay",
            "post.insurance")),
    "n_awards": Column(
        "count", "笔数（不是人数）", "Awards, not persons", made_from=_LEDGERS,
        unit=("笔", "awards")),
}  # fmt: skip

_REGISTER = {
    name: replace(column, made_from=(f"register.{name}",))
    for name, column in (SOURCE | CLEAN["register"]).items()
} | {
    "link_pass": Column(
        "word", "凭什么对应到人", "How the row was linked", (
            "空：没有对应", "missing: to nobody"), ("register.person_id",), _WAYS)
}  # fmt: skip
TABLES = {
    "persons": Table("panel/<year>/persons.parquet", ("人", "Persons"), (
        "每人一行", "one row per person"), ("person_id",), PERSONS),
    "years": Table("panel/<year>/years.parquet", ("人 × 年", "Years"), (
        "每人每年一行", "one row per person and calendar year"), ("person_id", "year"), YEARS),
    "months": Table("panel/<year>/months.parquet", ("人 × 月", "Months"), (
        "每人每个已知月份一行", "one row per person and known month"), ("person_id", "month"),
        MONTHS),
    "costs": Table("panel/<year>/costs.parquet", ("费用", "Costs"), (
        "每人每项政策一行", "one row per participant and policy"), ("person_id", "policy"),
        COSTS),
    "register": Table("panel/<year>/register.parquet", (
        "就业登记（截至年版）", "Register of the edition"), (
        "每段就业一行，最新的版本；年底以后的日期留空",
        "one row per spell, latest version; days after the edition's end are missing"),
        tuple(KEY), _REGISTER),
    "risk_sets": Table("panel/<year>/risk_sets_<policy>.parquet", (
        "逐月可比人群", "Risk sets"), (
        "每月参加的人，和当月本可参加的人", "who entered in a month, and who could have"),
        ("cohort", "month", "person_id"), RISK_SETS),
    "stay": Table("panel/<year>/stay_<policy>.parquet", (
        "未参加权重", "Weights for staying untreated"), (
        "每个可比人员、队列和结果年份一行", "one row per comparison person, cohort and year"),
        ("cohort", "person_id", "year"), STAY),
    "influence": Table("panel/<year>/influence_<policy>.parquet", (
        "对主要估计的贡献", "Influence"), (
        "每人一行，由 4_effect 写出", "one row per person, written by 4_effect"),
        ("person_id",), INFLUENCE),
}  # fmt: skip
