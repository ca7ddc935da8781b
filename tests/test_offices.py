"""Workbooks of other offices' making load once their headings stand in the alias table.

The old format (xls) is written with xlwt: nothing else that is maintained writes it, and a
file that was checked in could be read by nobody who reviews it.
"""

import csv
import shutil
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
import xlwt

from evaluation.errors import LedgerError
from evaluation.ledgers.clean import clean_folder

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
ANNA, BERT, CARL, DORA = (
    "519999198002030015", "519999198002030023", "519999198002030058", "519999198002030066",
)  # fmt: skip
ALIASES = """
roster,household,家庭户编码
roster,name,劳动力姓名
roster,number,公民身份证号
roster,township,所在镇街
roster,village,所在村组
roster,status,目前从业状态
roster,snapshot_on,录入日期
register,number,社会保障号码
register,name,人员姓名
register,form,从业形式
register,start,起薪日期
register,end,停保日期
loan,name,贷款申请人
loan,number,申请人身份证件号
loan,applied_on,受理日期
loan,result,审核情况
loan,principal,发放贷款本金
loan,interest_subsidy,补贴利息
loan,paid_out,贷款投放日
subsidy,name,创业人员
subsidy,number,创业人员证件号
subsidy,applied_on,提交日期
subsidy,result,是否同意
subsidy,amount,奖补资金
subsidy,paid_on,到账日期
post,number,岗位人员身份证
post,name,岗位人员
post,started_on,上岗时间（年月）
post,agreement_start,协议期起
post,agreement_end,协议期止
post,pay,发放金额合计
post,ended_on,离岗情况时间
"""


def write_xls(path, sheets):
    """Write sheets: rows, and merged ranges (first row and column, last row and column)."""
    book = xlwt.Workbook(encoding="utf-8")
    for name, (rows, merges) in sheets.items():
        sheet = book.add_sheet(name)
        begun = {(top, left): (bottom, right) for top, left, bottom, right in merges}
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if (row, column) in begun:
                    bottom, right = begun[row, column]
                    sheet.write_merge(row, bottom, column, right, cell)
                elif cell != "":
                    sheet.write(row, column, cell)
    book.save(str(path))


def write_xlsx(path, sheets):
    with xlsxwriter.Workbook(str(path)) as book:
        for name, (rows, merges) in sheets.items():
            sheet = book.add_worksheet(name)
            for top, left, bottom, right in merges:
                sheet.merge_range(top, left, bottom, right, rows[top][left])
            for row, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    if cell != "":
                        sheet.write(row, column, cell)
            if name == "备用":
                sheet.hide()


def town(village, people):
    """A town hall's sheet: title, who reports, two rows of headings, households merged."""
    upper = ["家庭户编码", "基本信息", "", "居住地", "", "目前从业状态", "录入日期"]
    lower = ["", "劳动力姓名", "公民身份证号", "所在镇街", "所在村组", "", ""]
    rows = [
        [f"{village}农村劳动力摸底表"],
        ["填报单位：罗江镇就业服务站", "", "", "", "制表人：王某"],
        upper, lower, *people, ["合计", f"{len(people)}人"],
    ]  # fmt: skip
    headings = [(2, 1, 2, 2), (2, 3, 2, 4), *((2, at, 3, at) for at in (0, 5, 6))]
    return rows, [(0, 0, 0, 6), *headings]


@pytest.fixture
def folder(tmp_path):
    ledgers = tmp_path / "ledgers" / "2023"
    ledgers.mkdir(parents=True)
    one, merges = town("大寨村", [
        ["H01", "王强", ANNA, "罗江镇", "大寨村", "务农", "2023-12-20"],
        ["", "李芳", BERT, "", "", "外出务工", "2023-12-21"],
        ["", "赵云", CARL, "", "", "务农", ""],
    ])  # fmt: skip
    merges += [(4, 0, 6, 0), (4, 3, 6, 3), (4, 4, 6, 4), (5, 6, 6, 6)]
    two = town("柏阁村", [["H02", "陈静", DORA, "罗江镇", "柏阁村", "务农", "2023-12-22"]])
    write_xls(ledgers / "罗江镇.xls", {"大寨村": (one, merges), "柏阁村": two})
    register = [
        ["停保日期", "起薪日期", "从业形式", "社会保障号码", "人员姓名", "备用字段"],
        ["", "2021-03-01", "单位就业", ANNA, "王强", ""],
    ]
    write_xlsx(ledgers / "社保导出.xlsx", {"Sheet1": (register, []), "备用": ([["x"]], [])})
    loan = [
        [""], ["", "各银行创业贷款投放明细"],
        ["", "填报单位：农商行", "", "", "", "单位：万元"],
        ["", "贷款申请人", "申请人身份证件号", "受理日期", "审核情况", "发放贷款本金",
         "补贴利息（元）", "贷款投放日"],
        ["", "王强", ANNA, "2022-01-05", "通过", 20, 1200.5, "2022-02-01"],
        ["", "李芳", BERT, "2022-01-05", "通过", "", "", "2022-02-01"],
        ["", "小计", "", "", "", 20],
    ]  # fmt: skip
    write_xlsx(ledgers / "贷款.xlsx", {"农商行": (loan, [(4, 5, 5, 5)])})
    post = [
        ["公益性岗位人员发放表"],
        ["岗位人员", "岗位人员身份证", "上岗时间（年月）", "协议", "", "资金", "离岗情况"],
        ["", "", "", "协议期", "", "发放金额", "时间"],
        ["", "", "", "起", "止", "合计（元）", ""],
        ["甲", "乙", 1, 2, 3, 4, 5],
        ["赵云", CARL, "2022年1月", "2022.1.1", "2024.12.31", 7200, ""],
    ]
    merges = [(1, at, 3, at) for at in (0, 1, 2)] + [(1, 3, 1, 4), (2, 3, 2, 4), (2, 6, 3, 6)]
    write_xls(ledgers / "岗位.xls", {"发放": (post, merges)})
    subsidy = [
        ["创业人员", "创业人员证件号", "提交日期", "是否同意", "奖补资金（元）", "到账日期"],
        ["陈静", DORA, "2023-02-01", "通过", "10,000", "2023-09-01"],
    ]
    with (ledgers / "奖补.csv").open("w", encoding="gb18030", newline="") as file:
        csv.writer(file).writerows(subsidy)
    return ledgers.parent


@pytest.fixture
def reference(tmp_path):
    target = tmp_path / "reference"
    shutil.copytree(REFERENCE, target)
    return target


def add_aliases(reference):
    path = reference / "columns.csv"
    rows = "".join(f"{row},,,\n" for row in ALIASES.split())
    path.write_text(path.read_text(encoding="utf-8-sig") + rows, encoding="utf-8")


def test_without_aliases_each_office_is_told_which_heading_is_not_known(folder, reference):
    with pytest.raises(LedgerError) as problem:
        clean_folder(folder, reference, b"k" * 32)
    for file in ("罗江镇.xls", "社保导出.xlsx"):
        assert f"2023/{file}" in str(problem.value)


def test_with_aliases_alone_every_row_and_yuan_is_read(folder, reference):
    add_aliases(reference)
    cleaned = clean_folder(folder, reference, b"k" * 32)
    assert cleaned.problems[["sheet", "level", "message"]].to_numpy().tolist() == [
        ["Sheet1", "note", "不认识的表头“备用字段”（F列），该列未使用。"],
        ["备用", "note", "没有找到台账的表头，本表未读入（隐藏的工作表）。"],
    ]
    account = cleaned.accounting.set_index(["ledger", "sheet"])
    assert account["rows_kept"].to_dict() == {
        ("roster", "大寨村"): 3, ("roster", "柏阁村"): 1, ("register", "Sheet1"): 1,
        ("loan", "农商行"): 2, ("post", "发放"): 1, ("subsidy", ""): 1,
    }  # fmt: skip
    assert account.loc[("roster", "大寨村"), "reporter"] == "罗江镇就业服务站"
    assert account.loc[("loan", "农商行"), "reporter"] == "农商行"
    roster = cleaned.tables["roster"]
    assert roster["household_key"].nunique() == 2
    assert roster["household_key"].value_counts().tolist() == [3, 1]
    assert roster["village"].tolist() == ["大寨村"] * 3 + ["柏阁村"]
    assert roster["snapshot_on"].dt.day.tolist() == [20, 21, 21, 22]
    assert roster["source_row"].tolist() == [5, 6, 7, 5]
    loan = cleaned.tables["loan"]
    assert loan["principal"].tolist()[0] == 200_000 and pd.isna(loan["principal"].iloc[1])
    assert loan["interest_subsidy"].iloc[0] == 1_200.5
    post = cleaned.tables["post"].iloc[0]
    assert (post["pay"], post["agreement_end"]) == (7_200, pd.Timestamp("2024-12-31"))
    assert cleaned.tables["subsidy"]["amount"].tolist() == [10_000]


def test_cells_filled_in_are_noted_and_a_merged_amount_is_to_be_looked_at(folder, reference):
    add_aliases(reference)
    issues = clean_folder(folder, reference, b"k" * 32).issues
    filled = issues[issues["kind"] == "cell_filled"]
    assert sorted(zip(filled["row"], filled["column"], strict=True)) == [
        (6, "家庭户编码"), (6, "所在村组"), (6, "所在镇街"),
        (7, "家庭户编码"), (7, "录入日期"), (7, "所在村组"), (7, "所在镇街"),
    ]  # fmt: skip
    assert set(filled["state"]) == {"repaired"}
    merged = issues[issues["kind"] == "amount_merged"]
    assert merged[["file", "row", "column", "state"]].to_numpy().tolist() == [
        ["2023/贷款.xlsx", 6, "发放贷款本金", "flagged"]
    ]
