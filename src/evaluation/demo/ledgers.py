"""The five ledgers as offices type them: headings, words and dates as text."""

import numpy as np
import pandas as pd

HEADINGS = {
    "roster": {
        "household": "户编号", "name": "姓名", "sex": "性别", "birth": "出生年月",
        "number": "身份证号码",
        "ethnicity": "民族", "schooling": "文化程度", "township": "户籍乡镇",
        "village": "村（社区）", "poor": "是否脱贫户/监测户", "away_place": "外出务工地",
        "left_on": "外出时间", "returned_on": "返乡时间", "return_reason": "返乡原因",
        "status": "现就业状态", "trained": "是否参加培训", "phone": "联系电话",
        "snapshot_on": "采集日期",
    },
    "register": {
        "name": "姓名", "number": "身份证号码", "firm": "单位名称",
        "credit_code": "统一社会信用代码", "form": "就业形式", "start": "开始日期",
        "end": "终止日期", "monthly_wage": "月工资", "insured": "是否参保",
        "registered_on": "登记日期", "deregistered_on": "注销日期",
    },
    "subsidy": {
        "name": "姓名", "number": "身份证号", "address": "户籍地址", "returned_on": "返乡时间",
        "firm": "市场主体名称", "credit_code": "统一社会信用代码", "business_type": "类型",
        "registered_on": "登记日期", "site": "经营地址", "trade": "行业",
        "jobs_claimed": "带动就业人数", "applied_on": "申请日期", "checked_on": "核查日期",
        "result": "审核结果", "amount": "金额", "paid_on": "拨付日期", "note": "备注",
    },
    "loan": {
        "name": "借款人", "number": "身份证", "category": "人员类别", "firm": "创业项目",
        "applied_on": "申请日期", "result": "资格审核结果", "bank": "经办银行",
        "contract": "合同号", "amount": "金额（万元）", "rate": "利率", "paid_out": "放款日",
        "due": "到期日", "interest_subsidy": "贴息金额（元）", "extended": "是否展期",
        "overdue": "是否逾期", "compensated": "是否代偿",
        "compensated_amount": "代偿金额（元）", "settled_on": "结清日",
        "ordinal": "第几次", "jobs_claimed": "带动就业人数",
    },
    "post": {
        "post_type": "岗位名称", "employer": "开发单位", "rural": "城镇/乡村",
        "fund": "资金来源", "name": "姓名", "number": "身份证", "township": "户籍乡镇",
        "village": "村（社区）", "category": "人员类别", "recognised_on": "认定日期",
        "started_on": "上岗日期", "agreement_start": "协议起止|起",
        "agreement_end": "协议起止|止", "monthly_standard": "月补贴标准",
        "days_required": "规定出勤天数", "days_attended": "实际出勤天数",
        "amount": "补贴金额", "insurance": "社保补贴", "ended_on": "退岗日期",
        "end_reason": "退岗原因", "next_state": "去向",
    },
}  # fmt: skip
OFFICIAL = {
    "number": "aac002", "name": "aac003", "form": "acc318", "start": "aae030", "end": "aae031",
    "valid": "aae100",
}  # fmt: skip
FILES = {
    "roster": "返乡农民工实名制台账",
    "register": "就业登记",
    "subsidy": "返乡创业补贴台账",
    "loan": "创业担保贷款台账",
    "post": "公益性岗位台账",
}
_WORDS = {
    "sex": {"male": "男", "female": "女"},
    "schooling": {1: "小学", 2: "初中", 3: "高中", 4: "大专"},
    "status": {
        "farming": "务农", "employed": "务工", "founder": "创业", "post": "公益岗",
        "unemployed": "未就业", "dead": "死亡", "retired": "退休",
    },
    "form": {
        "unit": "单位就业", "flexible": "灵活就业", "own_business": "自主创业",
        "post": "公益性岗位", "farming": "务农",
    },
    "result": {"approved": "通过", "refused": "不通过", "waiting": "待审核"},
    "rural": {1: "乡村", 0: "城镇"},
    "return_reason": {"0": "照顾家人", "1": "创业", "2": "就业", "3": "年龄", "4": "其他"},
}  # fmt: skip
_YES_NO = ("poor", "trained", "insured", "extended", "overdue", "compensated")
_YES = (("是", "否"), ("有", "无"), ("1", "0"))
_AWAY = ("广东省", "浙江省", "福建省", "江苏省", "上海市", "重庆市", "成都市", "新疆")
_DATE_FORMS = ("%Y-%m-%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%Y/%m/%d")
_CHINESE_DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")
MERGER_YEAR = 2020  # rosters show the old townships until the year before


def headings_of(ledger: str, year: int) -> dict[str, str]:
    """Headings by column, as that year's files have them."""
    headings = dict(HEADINGS[ledger])
    if ledger == "roster" and not has_births(year):
        del headings["birth"]
    return headings | OFFICIAL if ledger == "register" and is_official(year) else headings


def has_births(year):
    """Whether that year's roster has a column of births."""
    return year % 3 == 0


def type_rows(ledger: str, rows: pd.DataFrame, papers: pd.DataFrame, names: dict, year: int):
    """Type rows of a clean table as an office would in that year.

    Parameters
    ----------
    papers
        As returned by `draw_papers`.
    names
        ``district`` and ``bank``: what stands in front of addresses, who lends.

    Returns
    -------
    pandas.DataFrame
        The columns of `headings_of` (text, numbers or missing) and ``person``.
    """
    rows = rows.reset_index(drop=True)
    own = papers.iloc[rows["person"]].reset_index(drop=True)
    own["township"] = own["township_old" if year < MERGER_YEAR else "township"]
    own = own.drop(columns=["township_old", "dissolved"])
    typed = pd.DataFrame({**rows.to_dict("series"), **own.to_dict("series")})
    typed = _fill(ledger, typed, names)
    if unit_of(ledger, year) == "万元":
        typed["amount"] = typed["amount"] / 10_000
    for column, words in _WORDS.items():
        if column in typed:
            typed[column] = typed[column].map(words)
    for column in typed.columns.intersection(_YES_NO):
        yes, no = _YES[year % 3]
        typed[column] = typed[column].map({1: yes, 0: no})
    form = _DATE_FORMS[(year + len(ledger)) % len(_DATE_FORMS)]
    real_dates = ledger in ("subsidy", "loan") and year % 2 == 0
    for column in typed.select_dtypes("datetime") if not real_dates else ():
        typed[column] = typed[column].dt.strftime(form)
    if ledger == "register" and year % 4 == 1:
        typed["end"] = typed["end"].fillna("至今")
    if ledger == "roster" and has_births(year):
        born, month = own["number"].str[6:10], own["number"].str[10:12]
        months = month.str.lstrip("0")
        typed["birth"] = born + "." + month if year % 2 else born + "年" + months + "月"
    if ledger == "roster" and year % 2 == 0:
        for column in ("left_on", "returned_on"):
            typed[column] = rows[column].dt.strftime("%Y年") + (
                rows[column].dt.month.astype("Int64").astype(str) + "月"
            )
    if ledger == "roster" and year % 4 == 3:
        typed["left_on"] = rows["left_on"].dt.strftime("%Y年").str.translate(_CHINESE_DIGITS)
    if ledger == "post" and year % 5 == 1:  # a cell that lost its date format
        days = rows["recognised_on"].astype("datetime64[s]") - np.datetime64("1899-12-30")
        typed["recognised_on"] = days.dt.days
    return typed[["person", *headings_of(ledger, year)]].astype(object)


def unit_of(ledger: str, year: int) -> str:
    """Unit of the amounts that stands above a policy ledger (loans: in the headings)."""
    return "万元" if ledger == "subsidy" and year % 4 == 2 else "元"


def is_official(year: int) -> bool:
    """Whether a year's register comes in the official coding (aac002, aae100, …)."""
    return year % 3 == 2


def _fill(ledger, typed, names):
    """Add the columns that only the typed ledger has."""
    person = typed["person"]
    if ledger == "roster":
        typed["household"] = "H" + typed["household_key"].str.zfill(6)
        typed["away_place"] = np.array(_AWAY)[typed["away_place"].str[-1].astype(int)]
    elif ledger == "register":
        business = typed["form"].eq("own_business")
        firm = np.array([f"示范第{number}公司" for number in range(200)])[person % 200]
        typed["firm"] = typed["firm"].where(business, firm)
        typed.loc[~business & typed["form"].ne("unit"), "firm"] = None
        typed["credit_code"] = typed["credit_code"].where(business)
    elif ledger == "subsidy":
        typed["address"] = names["district"] + typed["township"] + typed["village"]
        typed["site"] = typed["address"]
        typed["note"] = typed["refusal"].map(
            {"ineligible": "不符合条件", "other": "其他原因：核查时未在经营"}
        )
    elif ledger == "loan":
        typed["bank"] = names["bank"]
        typed["contract"] = ("DK" + person.astype(str).str.zfill(8)).where(
            typed["principal"].notna()
        )
        typed["amount"] = typed["principal"] / 10_000
    elif ledger == "post":
        street = typed["township"].str.endswith("街道")
        typed["employer"] = typed["township"] + np.where(street, "办事处", "人民政府")
        typed["amount"] = typed["pay"]
    return typed
