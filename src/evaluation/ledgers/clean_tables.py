"""The tables that `1_ledgers` writes under ``data/``: what a row is, key, columns."""

from evaluation.ledgers.column_types import Column, Table
from evaluation.ledgers.corrections import ALREADY, APPLIED, KEPT, LOG_KEY, REFUSED
from evaluation.ledgers.declarations import CLEAN, SOURCE
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.schema import KEY

_ROWS = ("行", "rows")
_LEDGER = Column("word", "台账", "Ledger", values="ledger")
ACCOUNTING = {
    "file": Column("text", "文件（台账文件夹内的路径）", "File, below the folder of ledgers"),
    "sheet": Column("text", "工作表，csv 为空", "Sheet, empty for csv"),
    "ledger": _LEDGER,
    "received": SOURCE["received"],
    "reporter": Column("text", "填报单位，表上未写的为空", "Who filled it in, as written"),
    "rows_read": Column("row", "读入的行数", "Rows read", (
        "逐表核对：读入 = 保留 + 搁置", "on every sheet read = kept + set aside"), unit=_ROWS),
    "rows_kept": Column("row", "保留的行数", "Rows kept", unit=_ROWS),
    "rows_skipped": Column("row", "合计、签名、说明等行", "Totals, signatures, notes", (
        "不是数据行，不计入读入", "no rows, not among those read"), unit=_ROWS),
    "amount_read": Column("amount", "读入的金额", "Amount read", (
        "补贴金额、贷款本金、岗位补贴；累计台账重复以前的行，不是支出",
        "award, principal or pay; cumulative ledgers repeat old rows: no expenditure")),
    "amount_kept": Column("amount", "保留的金额", "Amount kept"),
    "amount_repeated": Column("amount", "重复行的金额", "Amount of repeated rows", (
        "搁置而不算缺少：同一行在文件中另有一份",
        "set aside but not missing: the file holds the row already")),
}  # fmt: skip
ISSUES = {
    **{name: ACCOUNTING[name] for name in ("file", "sheet")},
    "row": Column("row", "文件中的行号，从 1 起", "Row of the file, from 1"),
    "column": Column("text", "该列的表头", "Heading of the column, as typed"),
    "ledger": _LEDGER,
    "kind": Column("word", "问题的种类（见“问题的种类”）", "Kind of issue, listed below"),
    "state": Column("word", "怎样处理", "What happened", values="state"),
    "reason": Column("text", "原因", "What is wrong, in Chinese"),
    "advice": Column("text", "怎样改", "What to do, in Chinese"),
    "shown": Column("text", "所填内容", "What was typed", (
        "号码遮盖，姓名和电话不显示", "numbers masked, names and phones not shown")),
    "received": SOURCE["received"],
    "amount": Column("amount", "搁置的金额", "Amount set aside", (
        "只有搁置的行有；合计 = 读入 - 保留", "of rows set aside only; read - kept in sum")),
    "township": Column("text", "乡镇的名称，没有的为“不详”", "Township by name, else 不详"),
    "code": Column("key", "核对码", "Code for corrections", (
        "由所填内容得出，更正时原样抄回，内容已变的更正不用",
        "from what was typed; copied into a correction, refused where the cell has changed")),
    "current": Column("flag", "是否在最新的一次交付中", "Whether in a current delivery", (
        "累计台账只看最近一次，其他台账各次都算",
        "of a cumulative ledger only the last delivery, of others every one")),
}  # fmt: skip
CORRECTIONS = {
    "workbook": Column("text", "更正工作簿", "Workbook of corrections"),
    "tab": Column("text", "其中的工作表", "Its sheet"),
    "line": Column("row", "其中的行号", "Its row"),
    **{name: ISSUES[name] for name in ("file", "sheet", "row", "column", "ledger")},
    "new": Column("text", "更正为", "New value", (
        "号码遮盖，姓名、电话、地址和户编号不显示",
        "numbers masked; names, phones, addresses and households not shown")),
    "by": Column("text", "更正人", "Who corrected it"),
    "on": Column("text", "更正日期", "When"),
    "from_year": Column("row", "从哪一年版起", "From which edition", (
        "更正日期的年份；注明“追溯”的为 0，各年版都用",
        "the year of the correction; 0, all editions, only where it is said to reach back"),
        unit=SOURCE["received"].unit),
    "state": Column("word", "结果", "What became of it", values=(
        (APPLIED, "已采用", "applied"), (KEPT, "确认无误", "confirmed as it stands"),
        (ALREADY, "台账已改", "the ledger says so by now"), (REFUSED, "未采用", "refused"))),
    "reason": Column("text", "原因", "Why, in Chinese"),
    "copies": Column("row", "其他文件中的同一行", "The same row in other files", unit=_ROWS),
    "rescued": Column("row", "不再搁置的行", "Rows no longer set aside", unit=_ROWS),
    "amount_change": Column("amount", "保留金额的变化", "Change of the amount kept"),
}  # fmt: skip
PRIVATE_HASHES = {
    "kind": Column("word", "是什么", "What it is", values=(
        ("number", "身份证号码", "resident number"), ("name", "姓名", "name"),
        ("phone", "电话", "phone"))),
    "hash": Column("key", "加密键", "Keyed hash", (
        "只用来核对将要公布的文件中没有个人",
        "only for the scan of files about to be published")),
}  # fmt: skip

_GRAINS = {
    "roster": ("每人每次采集一行", "Roster of returnees", "one row per person and snapshot"),
    "register": ("每段就业一行", "Employment register", "one row per spell of work"),
    "subsidy": ("每笔申请一行", "Start-up subsidies", "one row per application"),
    "loan": ("每笔申请一行", "Guaranteed loans", "one row per application"),
    "post": ("每次安置一行", "Public-welfare posts", "one row per placement"),
}
_VERSIONS = (
    "；累计台账的历次交付、更正前后的行都在表中",
    " and delivery; rows before and after a correction both stay",
)


def _declare(ledger):
    zh, title, en = _GRAINS[ledger]
    grain = (f"{zh}{_VERSIONS[0]}", f"{en}{_VERSIONS[1]}")
    path = f"clean/{ledger}.parquet"
    return Table(path, (LEDGERS[ledger], title), grain, tuple(KEY), SOURCE | CLEAN[ledger])


TABLES = {ledger: _declare(ledger) for ledger in LEDGERS} | {
    "accounting": Table(
        "clean/accounting.parquet",
        ("行数与金额的交代", "Accounting of rows and amounts"),
        ("每个文件、工作表、台账一行", "one row per file, sheet and ledger"),
        ("file", "sheet", "ledger"),
        ACCOUNTING,
    ),
    "issues": Table(
        "clean/issues.parquet",
        ("问题清单", "Issues"),
        ("每行每列每种问题一行", "one row per row, column and kind of issue"),
        ("file", "sheet", "row", "column", "ledger", "kind"),
        ISSUES,
    ),
    "corrections": Table(
        "clean/corrections.parquet",
        ("更正记录", "Corrections"),
        ("每条更正一行", "one row per correction"),
        tuple(LOG_KEY),
        CORRECTIONS,
    ),
    "private_hashes": Table(
        "private_hashes.parquet",
        ("个人信息的加密键", "Keyed hashes of persons"),
        ("每个号码、姓名、电话一行", "one row per number, name or phone"),
        ("kind", "hash"),
        PRIVATE_HASHES,
    ),
}
