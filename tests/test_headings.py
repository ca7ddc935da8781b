"""Headings decide which ledger a table is and where its columns stand."""

from pathlib import Path

import pytest

from evaluation.errors import LedgerError
from evaluation.ledgers.captions import is_no_row
from evaluation.ledgers.headings import load_aliases
from evaluation.ledgers.heads import find_heading, split_sides
from evaluation.ledgers.mapping import read_heading
from evaluation.ledgers.merged import Merges

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
ROSTER = ["姓名", "身份证号码", "户籍乡镇", "现就业状态", "采集日期"]
LOAN = ["借款人", "身份证", "申请日期", "资格审核结果", "金额（万元）", "放款日"]
POST = ["姓名", "身份证", "岗位名称", "上岗日期", "补贴金额（元）", "退岗日期", "协议起止", ""]
NUMBER = "519999198002030011"


@pytest.fixture(scope="module")
def aliases():
    return load_aliases(REFERENCE)


def find(aliases, *rows, merges=()):
    rows = [list(row) for row in rows]
    heading = find_heading(rows, 0, len(rows), Merges(merges), aliases)
    ((left, right),) = split_sides(heading, aliases)
    return read_heading(heading, left, right, rows[: heading.position], aliases, {})


def test_title_and_empty_rows_stand_above_the_heading(aliases):
    table = find(aliases, ["2023年台账", "", "", "", ""], [], ROSTER, ["王强", NUMBER])
    assert (table.ledger, table.first, table.columns["number"]) == ("roster", 3, 1)


def test_line_breaks_spaces_and_brackets_in_headings_do_not_matter(aliases):
    odd = ["姓 名", "身份证\n号码", "户籍乡镇（街道）", " 现就业状态* ", "采集\n日期"]
    table = find(aliases, odd)
    assert set(table.columns) == {"name", "number", "township", "status", "snapshot_on"}
    assert table.headings["snapshot_on"] == "采集日期"


def test_official_codes_are_headings(aliases):
    table = find(aliases, ["aac002", "aac003", "acc318", "aae030", "aae031", "aae100"])
    assert table.ledger == "register"
    assert table.columns["valid"] == 5


def test_one_heading_over_two_columns_with_a_second_row(aliases):
    table = find(aliases, POST, ["", "", "", "", "", "", "起", "止"], ["王强", NUMBER])
    assert (table.columns["agreement_start"], table.columns["agreement_end"]) == (6, 7)
    assert table.first == 2


def test_one_heading_over_two_columns_without_a_second_row(aliases):
    table = find(aliases, POST, ["王强", NUMBER, "保洁员"])
    assert (table.columns["agreement_end"], table.first) == (7, 1)


def test_a_first_row_of_words_is_no_second_heading(aliases):
    table = find(aliases, ROSTER, ["电话", "４１９９９９１９８００２０３００１１", "", "", ""])
    assert table.first == 1


def test_headings_over_three_rows_with_groups_above(aliases):
    rows = [
        ["基本情况", "", "岗位情况", "", "", "", "", ""],
        ["姓名", "身份证", "岗位名称", "上岗日期", "协议", "", "补贴金额", "退岗日期"],
        ["", "", "", "", "起始日期", "终止日期", "（元）", ""],
        ["王强", NUMBER],
    ]
    merges = [
        (0, 0, 0, 1),
        (0, 2, 0, 7),
        (1, 4, 1, 5),
        *((1, c, 2, c) for c in (0, 1, 2, 3, 7)),
    ]
    for known in (merges, ()):
        table = find(aliases, *rows, merges=known)
        assert (table.ledger, table.first) == ("post", 3)
        assert (table.columns["agreement_start"], table.columns["agreement_end"]) == (4, 5)
        assert table.units["pay"] == "元" and table.headings["pay"] == "补贴金额（元）"


def test_a_row_of_units_below_the_headings(aliases):
    bare = [heading.replace("（万元）", "") for heading in LOAN]
    table = find(aliases, bare, ["", "", "", "", "万元", ""], ["王强", NUMBER])
    assert (table.units["principal"], table.first) == ("万元", 2)


def test_a_unit_stands_in_the_upper_of_two_rows_over_several_amounts(aliases):
    upper = ["借款人", "身份证", "申请日期", "资格审核结果", "贷款情况（万元）", "", "放款日"]
    lower = ["", "", "", "", "贷款金额", "贴息", ""]
    table = find(aliases, upper, lower, ["王强", NUMBER], merges=[(0, 4, 0, 5)])
    assert table.units == {"principal": "万元", "interest_subsidy": "万元"}
    assert table.headings["principal"] == "贷款金额"


def test_a_merged_group_names_no_column_beside_it(aliases):
    upper = ["姓名", "身份证", "岗位名称", "协议起止", "", "", "补贴金额（元）", "退岗日期"]
    lower = ["", "", "", "起", "止", "上岗日期", "", ""]
    table = find(aliases, upper, lower, ["王强", NUMBER], merges=[(0, 3, 0, 4)])
    assert table.columns["started_on"] == 5 and table.unknown == []


def test_the_unit_stands_in_the_heading(aliases):
    assert find(aliases, LOAN).units["principal"] == "万元"


@pytest.mark.parametrize(
    "line",
    [
        "单位：元",
        "（单位:人民币元）",
        "填报单位：甲　单位： 元",
        "单位：人、元",
        "金额单位：元　填表人：",
    ],
)
def test_the_unit_stands_above_the_table(aliases, line):
    bare = [heading.replace("（元）", "") for heading in POST]
    assert find(aliases, [line], bare).units["pay"] == "元"


def test_an_amount_without_unit_is_refused(aliases):
    with pytest.raises(LedgerError, match="金额单位") as problem:
        find(aliases, ["填报单位：甲元村"], [h.replace("（万元）", "") for h in LOAN])
    assert (problem.value.row, problem.value.column) == (2, "金额")


def test_a_missing_required_column_names_the_headings_found(aliases):
    with pytest.raises(
        LedgerError, match=r"缺少“采集日期”列.*姓名、身份证号码、户籍乡镇"
    ) as problem:
        find(aliases, [], [*ROSTER[:-1], "民族"])
    assert problem.value.row == 2


def test_a_tie_names_both_ledgers(aliases):
    with pytest.raises(LedgerError, match=r"就业登记.*创业担保贷款"):
        find(aliases, ["身份证", "统一社会信用代码", "联系电话"])


def test_an_unknown_heading_is_reported_with_the_nearest(aliases):
    table = find(aliases, [*ROSTER, "文化程度情况", "微信"])
    assert table.unknown == [("文化程度情况", 5, "文化程度"), ("微信", 6, "")]


def test_no_heading_is_suggested_that_is_there_already(aliases):
    table = find(aliases, [*ROSTER, "文化程度", "学历层次", "居民身份证号码", "户主姓名"])
    assert table.unknown == [("学历层次", 6, ""), ("户主姓名", 8, "")]
    assert table.again == [("居民身份证号码", 7)]


def test_a_spouses_name_and_number_are_never_taken_for_the_persons(aliases):
    table = find(aliases, ["姓名（配偶）", "（配偶）身份证号码", *ROSTER])
    assert (table.columns["name"], table.columns["number"]) == (2, 3)
    upper = ["配偶", "", "本人", "", *ROSTER[2:]]
    lower = ["姓名", "身份证号码", "姓名", "身份证号码", "", "", ""]
    for merges in ([(0, 0, 0, 1), (0, 2, 0, 3)], ()):
        table = find(aliases, upper, lower, merges=merges)
        assert (table.columns["name"], table.columns["number"]) == (2, 3)


def test_a_sheet_of_something_else_is_no_ledger(aliases):
    rows = [["招聘会", "岗位数"], ["春风行动", 3]]
    assert find_heading(rows, 0, 1, Merges(()), aliases) is None


def test_the_table_of_headings_is_read_as_excel_saves_it(tmp_path):
    text = (REFERENCE / "columns.csv").read_text(encoding="utf-8-sig")
    text += "roster,name,农民工姓名,,,\r\n,,,,,\r\n"
    (tmp_path / "columns.csv").write_bytes(text.encode("gb18030"))
    assert load_aliases(tmp_path).columns["roster"]["农民工姓名"] == "name"


@pytest.mark.parametrize("row", ["roster,salary,工资", "rosters,name,农民工姓名"])
def test_an_alias_for_a_column_that_does_not_exist_is_refused(tmp_path, row):
    head = "ledger,column,heading,required,unit,note\n"
    (tmp_path / "columns.csv").write_text(f"{head}{row},,,\n", encoding="utf-8")
    with pytest.raises(LedgerError, match=r"columns\.csv 第2行"):
        load_aliases(tmp_path)


def test_an_alias_for_two_columns_is_refused(tmp_path):
    text = (
        "ledger,column,heading,required,unit,note\nloan,due,到期,,,\nloan,settled_on,到 期,,,\n"
    )
    (tmp_path / "columns.csv").write_text(text, encoding="utf-8")
    with pytest.raises(LedgerError, match="到 期"):
        load_aliases(tmp_path)


@pytest.mark.parametrize(
    ("row", "number", "expected"),
    [
        (["合 计", "", 30.0], "", True),
        (["填表人：李", "审核：", "日期："], "日期：", True),
        (["备注：本表一式两份"], "", True),
        ([12.0, "合 计", "", 30.0], "", True),
        (["合计（大写）：壹万元整"], "", True),
        (["本表一式三份"], "", True),
        (["制表单位：某局"], "", True),
        (["", "合计李", NUMBER], NUMBER, False),
        (["合计", "", NUMBER], "", False),
        (["1", "注师傅", ""], "", False),
        (["", "小计", "511923********1234"], "511923********1234", False),
    ],
)
def test_totals_and_signatures_are_no_rows_but_people_are(row, number, expected):
    assert is_no_row(row, number) is expected
