"""Headings decide which ledger a table is and where its columns stand."""

from pathlib import Path

import pytest

from evaluation.errors import LedgerError
from evaluation.ledgers.headings import find_table, is_no_row, load_aliases
from evaluation.ledgers.workbook import Grid

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
ROSTER = ["姓名", "身份证号码", "户籍乡镇", "现就业状态", "采集日期"]
LOAN = ["借款人", "身份证", "申请日期", "资格审核结果", "金额（万元）", "放款日"]
POST = ["姓名", "身份证", "岗位名称", "上岗日期", "补贴金额（元）", "退岗日期", "协议起止", ""]
NUMBER = "519999198002030011"


@pytest.fixture(scope="module")
def aliases():
    return load_aliases(REFERENCE)


def find(aliases, *rows):
    return find_table(Grid("2023/a.xlsx", "台账", [list(row) for row in rows]), aliases)


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


def test_the_unit_stands_in_the_heading(aliases):
    assert find(aliases, LOAN).units["principal"] == "万元"


@pytest.mark.parametrize("line", ["单位：元", "（单位:人民币元）", "填报单位：甲　单位： 元"])
def test_the_unit_stands_above_the_table(aliases, line):
    bare = [heading.replace("（元）", "") for heading in POST]
    assert find(aliases, [line], bare).units["pay"] == "元"


def test_an_amount_without_unit_is_refused(aliases):
    with pytest.raises(LedgerError, match="金额单位") as problem:
        find(aliases, ["填报单位：甲元村"], [h.replace("（万元）", "") for h in LOAN])
    assert (problem.value.file, problem.value.sheet) == ("2023/a.xlsx", "台账")


def test_a_missing_required_column_names_the_headings_found(aliases):
    with pytest.raises(
        LedgerError, match=r"缺少“采集日期”列.*姓名、身份证号码、户籍乡镇"
    ) as problem:
        find(aliases, [], [*ROSTER[:-1], "民族"])
    assert (problem.value.sheet, problem.value.row) == ("台账", 2)


def test_a_tie_names_both_ledgers(aliases):
    with pytest.raises(LedgerError, match=r"就业登记.*创业担保贷款"):
        find(aliases, ["身份证", "统一社会信用代码", "联系电话"])


def test_an_unknown_heading_is_reported_with_the_nearest(aliases):
    table = find(aliases, [*ROSTER, "文化程度情况", "微信"])
    assert table.unknown == {"文化程度情况": "文化程度", "微信": ""}


def test_a_sheet_of_something_else_is_no_ledger(aliases):
    assert find(aliases, ["招聘会", "岗位数"], ["春风行动", 3]) is None


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
        (["", "合计李", NUMBER], NUMBER, False),
        (["1", "注师傅", ""], "", False),
        (["", "小计", "511923********1234"], "511923********1234", False),
    ],
)
def test_totals_and_signatures_are_no_rows_but_people_are(row, number, expected):
    assert is_no_row(row, number) is expected
