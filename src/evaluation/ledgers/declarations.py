"""What each column means, declared once: types, codebook and templates are made from it.

`Column.made_from` names columns as typed (of ``columns.csv``), or ``table.column`` of
another table. A rule is what a researcher could dispute; `column_types.TYPES` holds those
that a whole kind of column shares.
"""

from dataclasses import replace

from evaluation.ledgers.column_types import TYPES, Column

# Typed columns that no clean table keeps as they are.
TYPED = {
    "serial": Column("row", "序号", "Number in the list"),
    "household": Column("text", "户编号", "Number of the household"),
    "name": Column("text", "姓名", "Name"),
    "number": Column("text", "身份证号码", "Resident number"),
    "birth": Column("date", "出生日期", "Day of birth"),
    "phone": Column("text", "联系电话", "Phone"),
    "credit_code": Column("text", "统一社会信用代码", "Unified social credit code"),
    "contract": Column("text", "合同号", "Number of the contract"),
    "firm": Column("text", "单位、市场主体或项目的名称", "Name of the firm or project"),
    "site": Column("text", "经营地址", "Address of the business"),
    "address": Column("text", "户籍地址", "Address of the household register"),
    "township": Column("text", "乡镇（街道）", "Township"),
    "village": Column("text", "村（社区）", "Village or community"),
    "note": Column("text", "备注", "Note"),
}

SOURCE = {
    "source_file": Column(
        "text", "来源文件（台账文件夹内的路径）", "File, below the folder of ledgers"),
    "source_sheet": Column("text", "工作表，csv 为空", "Sheet, empty for csv"),
    "source_row": Column("row", "文件中的行号，从 1 起", "Row of the file, from 1"),
    "received": Column("row", "收到的年份", "Year received", (
        "取自年份文件夹，没有年份文件夹的为 0（各年版都看得见）；更正后的行为更正的年份",
        "the folder's year, 0 without folders (visible to every edition); of a corrected row "
        "the year of the correction"), unit=TYPES["year"].unit),
    "superseded": Column(
        "year", "自哪一年版起由更正后的行代替", "Edition from which a corrected row stands", (
        "空：一直有效", "missing: still valid")),
    "person_id": Column("key", "人", "Person", (
        "由身份证号码得出，15 位的先换算为 18 位；残缺、遮盖、校验不符的为空，不与任何人对应",
        "from the resident number, 15 digits made 18; missing, and linked to nobody, where the "
        "number is damaged, masked or fails its check"), ("number",)),
    "name_key": Column("key", "姓名", "Name", made_from=("name",)),
    "pinyin_key": Column("key", "姓名的拼音", "Sound of the name", (
        "不标声调，多音字取常用音；只用于没有号码的行", "pinyin without tones, the first "
        "reading; used only for rows without a number"), ("name",)),
    "phone_key": Column("key", "联系电话", "Phone", made_from=("phone",)),
}  # fmt: skip

_BY_NUMBER = (
    "以身份证号码为准，号码不可用时取所填",
    "the resident number decides; what was typed counts where it cannot be used",
)
_TOWNSHIP = Column("code", "现属乡镇（街道）", "Present township", (
    "按村换算为现在的乡镇；只知已拆分的旧乡镇的为 unconfirmed:旧代码（待核），不作猜测",
    "by village where known; only a split old township known: unconfirmed:<old code>, never "
    "guessed"), ("township", "village"))  # fmt: skip
_VILLAGE = Column("text", "村（社区）", "Village or community, as typed")
_BUSINESS = Column("key", "市场主体", "Business", (
    "由统一社会信用代码得出；校验不符的为空",
    "from the credit code; missing where it fails its check"),
    ("credit_code",))  # fmt: skip
_FIRM = Column("key", "单位、市场主体或项目的名称", "Name of the firm or project", (
    "只用于没有号码的行", "used only for rows without a number"), ("firm",))  # fmt: skip
_PEOPLE = ("人", "persons")

CLEAN = {
    "roster": {
        "sex": Column("word", "性别", "Sex", _BY_NUMBER, ("number", "sex")),
        "birth_year": Column(
            "year", "出生年份", "Year of birth", _BY_NUMBER, ("number", "birth")),
        "ethnicity": Column("text", "民族", "Ethnicity"),
        "schooling": Column("level", "文化程度", "Schooling"),
        "township": _TOWNSHIP,
        "village": _VILLAGE,
        "household_key": Column("key", "户", "Household", made_from=("household",)),
        "poor": Column(
            "flag", "是否脱贫户或监测户", "Household lifted out of poverty or monitored"),
        "away_place": Column("text", "外出务工地", "Where the person worked away"),
        "left_on": Column("date", "外出时间", "Day of leaving to work away"),
        "returned_on": Column("date", "返乡时间", "Day of return"),
        "return_reason": Column("text", "返乡原因", "Reason of return"),
        "status": Column("word", "采集时的就业状态", "Status when the roster was taken", (
            "只在没有就业登记覆盖当年 12 月 31 日时使用；外出务工算开放就业，务农和公益岗不算",
            "used only where no register spell covers 31 December; working away is open work, "
            "farming and posts are not")),
        "trained": Column("flag", "是否参加培训", "Took part in training"),
        "snapshot_on": Column("date", "采集日期", "Day on which the row was taken"),
        "snapshot_year": Column(
            "year", "采集年份", "Year of the snapshot", made_from=("snapshot_on",)),
    },
    "register": {
        "form": Column("word", "就业形式", "Form of employment"),
        "start": Column("date", "开始日期", "First day"),
        "end": Column("last_date", "终止日期", "Last day", ("空：仍在业", "missing: goes on")),
        "monthly_wage": Column("amount", "月工资", "Monthly wage"),
        "insured": Column("flag", "是否参保", "Insured"),
        "business_key": _BUSINESS,
        "firm_key": _FIRM,
        "registered_on": Column(
            "date", "市场主体登记日期", "Day on which the business was registered", (
            "有它的自主创业才算创业者", "self-employment with it makes a founder")),
        "deregistered_on": Column(
            "last_date", "市场主体注销日期", "Day on which the business was deregistered"),
        "valid": Column("flag", "记录是否有效", "Valid record", (
            "已注销的记录留在表中，不算就业；没有此列的文件视为全部有效",
            "cancelled records stay and are no work; without the column all are valid")),
    },
    "subsidy": {
        "business_key": _BUSINESS,
        "firm_key": _FIRM,
        "business_type": Column("text", "市场主体类型", "Type of the business"),
        "township": replace(_TOWNSHIP, made_from=("township", "village", "address")),
        "village": replace(_VILLAGE, made_from=("village", "address")),
        "industry": Column("text", "行业", "Industry"),
        "registered_on": Column(
            "date", "市场主体登记日期", "Day on which the business was registered"),
        "applied_on": Column("date", "申请日期", "Day of application", (
            "参加之日：从申请而不从拨付算起", "time zero: the application, not the payment")),
        "checked_on": Column("date", "核查日期", "Day on which the application was checked"),
        "result": Column("word", "审核结果", "Result"),
        "refusal": Column("word", "不通过的原因", "Reason of refusal", (
            "备注中写明不符合条件的为 ineligible，不算参加；其他备注为 other",
            "ineligible where the note says that conditions are not met: no participant; other "
            "for any other note"), ("result", "note"), (
            ("ineligible", "不符合条件", "not eligible"), ("other", "其他", "other"))),
        "amount": Column("amount", "补贴金额", "Amount of the award"),
        "paid_on": Column("date", "拨付日期", "Day of payment"),
        "returned_on": Column("date", "返乡时间", "Day of return"),
        "jobs_claimed": Column(
            "count", "自报带动就业人数", "Jobs created, as claimed", unit=_PEOPLE),
    },
    "loan": {
        "loan_id": Column("key", "贷款合同", "Contract", made_from=("contract",)),
        "firm_key": _FIRM,
        "category": Column("text", "人员类别", "Category of the borrower"),
        "applied_on": Column("date", "申请日期", "Day of application"),
        "result": Column("word", "资格审核结果", "Result"),
        "bank": Column("text", "经办银行", "Bank"),
        "principal": Column("amount", "贷款金额", "Principal"),
        "rate": Column("number", "年利率", "Yearly rate of interest", (
            "低于 0.3 的视为 Excel 的百分数小数，乘以 100",
            "below 0.3 it is Excel's fraction of a per-cent cell, times 100"),
            unit=("%", "per cent")),
        "paid_out": Column("date", "放款日", "Day of pay-out", (
            "参加之日：从放款算起", "time zero: the day of pay-out")),
        "due": Column("date", "到期日", "Day on which it is due"),
        "interest_subsidy": Column("amount", "财政贴息金额", "Interest paid by the treasury"),
        "extended": Column("flag", "是否展期", "Extended"),
        "overdue": Column("flag", "是否逾期", "Overdue"),
        "compensated": Column("flag", "是否代偿", "Paid by the guarantee"),
        "compensated_amount": Column("amount", "代偿金额", "Amount paid by the guarantee", (
            "空白为 0", "blank is 0")),
        "settled_on": Column("date", "结清日", "Day on which it was settled"),
        "ordinal": Column(
            "level", "第几次贷款", "Which of the person's loans", unit=("次", "times")),
        "jobs_claimed": Column(
            "count", "自报带动就业人数", "Jobs created, as claimed", unit=_PEOPLE),
    },
    "post": {
        "post_type": Column("text", "岗位名称或类别", "Name or type of the post"),
        "employer": Column("text", "开发单位", "Employer"),
        "rural": Column("flag", "城镇或乡村岗位", "Urban or rural post"),
        "fund": Column("text", "资金来源", "Source of the money"),
        "category": Column("text", "人员类别", "Category of the person"),
        "recognised_on": Column(
            "date", "就业困难人员认定日期", "Day of recognition as in difficulty"),
        "started_on": Column("date", "上岗日期", "First day in the post", (
            "参加之日：从上岗算起", "time zero: the first day")),
        "agreement_start": Column("date", "协议起始日期", "First day of the agreement"),
        "agreement_end": Column("last_date", "协议终止日期", "Last day of the agreement"),
        "monthly_standard": Column("amount", "月补贴标准", "Monthly standard"),
        "days_required": Column(
            "count", "规定出勤天数", "Days to be attended", unit=("天", "days")),
        "days_attended": Column("count", "实际出勤天数", "Days attended", unit=("天", "days")),
        "pay": Column("amount", "岗位补贴金额", "Pay", (
            "整个在岗期间之和，由单位汇总", "summed over the placement by the office")),
        "insurance": Column("amount", "社会保险补贴", "Social insurance paid"),
        "ended_on": Column("last_date", "退岗日期", "Last day in the post", (
            "空：仍在岗", "missing: still in the post")),
        "end_reason": Column("text", "退岗原因", "Reason of leaving"),
        "next_state": Column("text", "退岗后的去向", "What came after"),
        "township": _TOWNSHIP,
        "village": _VILLAGE,
    },
}  # fmt: skip
