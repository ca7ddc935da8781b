"""How a clerk fills in each column: from its declaration, usual heading and usual words."""

from dataclasses import dataclass
from pathlib import Path

from evaluation.ledgers.column_types import TYPES
from evaluation.ledgers.declarations import CLEAN, TYPED
from evaluation.ledgers.schema import FILLED
from evaluation.ledgers.text_files import read_reference
from evaluation.ledgers.usual import load_headings, load_words

# The columns of a template, in the usual order.
COLUMNS = {
    "roster": (
        "serial", "household", "name", "sex", "number", "ethnicity", "schooling", "township",
        "village", "poor", "away_place", "left_on", "returned_on", "return_reason", "status",
        "trained", "phone", "snapshot_on",
    ),
    "register": (
        "serial", "name", "number", "firm", "credit_code", "form", "start", "end",
        "monthly_wage", "insured", "registered_on", "deregistered_on", "valid",
    ),
    "subsidy": (
        "serial", "name", "number", "address", "returned_on", "firm", "credit_code",
        "business_type", "registered_on", "site", "industry", "jobs_claimed", "applied_on",
        "checked_on", "result", "amount", "paid_on", "note",
    ),
    "loan": (
        "serial", "name", "number", "category", "firm", "applied_on", "result", "bank",
        "contract", "principal", "rate", "paid_out", "due", "interest_subsidy", "extended",
        "overdue", "compensated", "compensated_amount", "settled_on", "ordinal", "jobs_claimed",
    ),
    "post": (
        "serial", "post_type", "employer", "rural", "fund", "name", "number", "category",
        "recognised_on", "started_on", "agreement_start", "agreement_end", "monthly_standard",
        "days_required", "days_attended", "pay", "insurance", "ended_on", "end_reason",
        "next_state",
    ),
}  # fmt: skip
# Clearer than the usual headings, and known as well.
_HEADINGS = {
    "number": "身份证号码", "trained": "是否参加培训", "jobs_claimed": "带动就业人数",
    "agreement_start": "协议起始日期", "agreement_end": "协议终止日期",
}  # fmt: skip
_IN_TEN_THOUSAND = {("loan", "principal")}
ALWAYS, LATER, WHERE_KNOWN = "必填", "发生后必填", "有则填"
_LATER = ("end", "ended_on", "amount", "paid_on", "principal", "paid_out", "pay")

_HOW = {
    "date": "写到日，如 2023-05-06；只知道月份的写 2023-05。年在前，四位数",
    "last_date": "写到日，如 2023-05-06；尚未结束的留空，或写“至今”",
    "amount": "只填数字，不写单位，不加逗号",
    "number": "只填数字",
    "count": "整数，只填数字",
    "level": "整数，只填数字",
    "flag": "从下拉列表中选；不清楚的留空，不要填“否”",
    "word": "从下拉列表中选",
}
_HOW_COLUMN = {
    "serial": "从 1 起",
    "name": "与证件一致，中间不加空格",
    "number": "18 位，末位 X 大写；本列已设为文本，请勿改为数字，否则末几位会丢失",
    "credit_code": "18 位，按营业执照填写",
    "phone": "手机号码，或带区号的座机",
    "contract": "与借款合同一致",
    "household": "同一户填同一编号",
    "township": "从下拉列表中选；合并前的乡镇请同时填村（社区）",
    "village": "全称，如“某某村”“某某社区”",
    "address": "写到乡镇（街道）和村（社区）",
    "schooling": "从下拉列表中选",
    "rate": "按百分数填，4.35% 填 4.35",
    "ordinal": "第一次填 1，第二次填 2",
    "note": "不通过的，写明原因",
}
# Nobody's: 519999 is no place, and no phone begins with 100.
_NUMBER, _CREDIT_CODE = "519999199001010017", "92519999MA000000XE"
_EXAMPLES = {
    "serial": "1", "household": "1001", "name": "张三", "sex": "男", "number": _NUMBER,
    "ethnicity": "汉族", "away_place": "某省某市", "left_on": "2012-02",
    "returned_on": "2019-05-20", "return_reason": "照顾家庭", "status": "务农",
    "phone": "10000000001", "snapshot_on": "2023-12-20", "firm": "某某种植家庭农场",
    "credit_code": _CREDIT_CODE, "form": "自主创业", "start": "2019-07-01", "end": "至今",
    "monthly_wage": "3200", "registered_on": "2019-07-01", "deregistered_on": "",
    "business_type": "个体工商户", "site": "某某镇某某村", "industry": "种植业",
    "jobs_claimed": "2", "applied_on": "2021-03-15", "checked_on": "2021-05-10",
    "amount": "10000", "paid_on": "2021-06-20", "note": "", "category": "返乡农民工",
    "bank": "某某银行", "contract": "某贷字2021第001号", "principal": "15", "rate": "4.35",
    "paid_out": "2021-04-20", "due": "2024-04-19", "interest_subsidy": "3262.5",
    "compensated_amount": "", "settled_on": "2024-04-19", "ordinal": "1",
    "post_type": "保洁员", "employer": "某某村民委员会", "fund": "就业补助资金",
    "recognised_on": "2022-12-20", "started_on": "2023-01-05",
    "agreement_start": "2023-01-05", "agreement_end": "2024-01-04",
    "monthly_standard": "800", "days_required": "22", "days_attended": "22", "pay": "9600",
    "insurance": "0", "ended_on": "2024-01-04", "end_reason": "协议期满", "next_state": "务农",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """One column of a template, as a clerk is told of it.

    Attributes
    ----------
    column, kind
        Name and kind as declared; a column of which only a key or a place stays is a text.
    heading
        With the unit of an amount.
    needed
        `ALWAYS`, `LATER` or `WHERE_KNOWN`.
    meaning, how, unit, example
        In words; the example is invented.
    options
        The words to choose from; for townships others are possible.
    """

    column: str
    kind: str
    heading: str
    needed: str
    meaning: str
    how: str
    unit: str
    options: tuple[str, ...]
    example: str


def describe_fields(ledger: str, reference: Path) -> list[Field]:
    """Describe the columns of a ledger's template, in their order.

    Parameters
    ----------
    reference
        The folder ``data/reference``: headings, words and places come from its tables.
    """
    headings, words = load_headings(reference).loc[ledger], load_words(reference)
    townships = list_townships(reference)
    return [
        _describe(ledger, column, headings.loc[column], words, townships)
        for column in COLUMNS[ledger]
    ]


def list_townships(reference: Path) -> dict[str, str]:
    """List the present townships with a village of each."""
    places = read_reference(reference / "places.csv")
    present = places[(places["code"] == places["code_old"]) & (places["to"] == "")]
    villages = present[present["village"] != ""].groupby("township_old")["village"].first()
    units = present.loc[present["village"] == "", "township_old"]
    return {unit: villages.get(unit, "") for unit in units}


def _describe(ledger, column, usual, words, townships):
    declared = TYPED.get(column) or CLEAN[ledger][column]
    kind, options = declared.kind, ()
    if column == "township":
        options = tuple(townships)
    elif kind in ("flag", "word", "level") and (column in words or kind == "flag"):
        options = tuple(word for _, word, _ in words.get(column, words["flag"]))
    unit = declared.unit[0] or TYPES[kind].unit[0]
    if (ledger, column) in _IN_TEN_THOUSAND:
        unit = "万元"
    heading = _HEADINGS.get(column, usual["heading"])
    if kind in ("amount", "number"):
        heading = f"{heading}（{unit}）"
    needed = WHERE_KNOWN
    if usual["required"] or column in ("name", *FILLED.get(ledger, ())):
        needed = LATER if column in _LATER else ALWAYS
    how = _HOW_COLUMN.get(column, _HOW.get(kind, ""))
    example = _EXAMPLES.get(column, options[0] if options else "")
    if column in ("township", "village", "address"):
        unit_name, village = next(iter(townships.items()))
        example = {"township": unit_name, "village": village}.get(column, unit_name + village)
    return Field(column, kind, heading, needed, declared.zh, how, unit, options, example)
