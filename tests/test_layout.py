"""Which tables stand on a sheet, and which of its rows are rows of them."""

from pathlib import Path

import pytest
import xlsxwriter

from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.clean_tables import TABLES
from evaluation.ledgers.delimited import Lines
from evaluation.ledgers.headings import load_aliases
from evaluation.ledgers.layout import find_tables
from evaluation.ledgers.workbook import Grid
from evaluation.tables import check_key

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
ANNA, BERT, CARL = "519999198002030015", "519999198002030023", "519999198002030058"
ROSTER = ["姓名", "身份证号码", "户籍乡镇", "现就业状态", "采集日期"]
PEOPLE = [
    ["王强", ANNA, "罗江镇", "务农", "2023-12-20"],
    ["李芳", BERT, "罗江镇", "务农", "2023-12-20"],
    ["赵云", CARL, "罗江镇", "务农", "2023-12-20"],
]
LOAN = ["借款人", "身份证", "申请日期", "资格审核结果", "金额（万元）", "放款日"]
LENT = [["王强", ANNA, "2022-01-05", "通过", 14.03, "2022-02-01"]]


@pytest.fixture(scope="module")
def aliases():
    return load_aliases(REFERENCE)


def find(aliases, rows, merges=()):
    return find_tables(Grid("a.xlsx", "台账", [list(row) for row in rows], merges), aliases)


def told(found):
    blocks, problems = found
    return [(b.table.ledger, (b.rows + 1).tolist(), b.skipped) for b in blocks], problems


def test_two_ledgers_below_each_other_with_titles_and_blank_rows(aliases):
    rows = [
        ["一、名册"],
        ROSTER,
        *PEOPLE,
        [],
        ["二、贷款台账"],
        ["单位：万元"],
        LOAN,
        *LENT,
        ["合计"],
    ]
    assert told(find(aliases, rows)) == (
        [("roster", [3, 4, 5], 0), ("loan", [10], 1)],
        [],
    )  # fmt: skip


def test_two_ledgers_directly_below_each_other(aliases):
    assert told(find(aliases, [ROSTER, *PEOPLE, LOAN, *LENT]))[0] == [
        ("roster", [2, 3, 4], 0), ("loan", [6], 0),
    ]  # fmt: skip


def test_two_tables_of_one_ledger_with_other_columns(aliases):
    second = ["身份证号码", "姓名", "户籍乡镇", "现就业状态", "采集日期"]
    rows = [ROSTER, PEOPLE[0], ["碑庙镇名单"], second, [BERT, "李芳", "碑庙镇", "务农", "2023"]]
    blocks, problems = find(aliases, rows)
    assert [b.table.columns["number"] for b in blocks] == [1, 0] and problems == []
    assert [b.rows.tolist() for b in blocks] == [[1], [4]]


def test_a_heading_again_on_each_page_continues_its_table(aliases):
    page = [["2023年名册"], ["填报单位：罗江镇", "", "", "", "单位：元"], ROSTER]
    rows = [*page, PEOPLE[0], ["本页小计"], *page, *PEOPLE[1:], [*ROSTER[:2], *ROSTER[2:]]]
    ((ledger, kept, skipped),), problems = told(find(aliases, rows))
    assert (ledger, kept, problems) == ("roster", [4, 9, 10], [])
    assert skipped == 5


def test_a_heading_of_two_rows_again_in_the_middle(aliases):
    upper = [
        "姓名",
        "身份证",
        "岗位名称",
        "上岗日期",
        "协议起止",
        "",
        "补贴金额（元）",
        "退岗日期",
    ]
    lower = ["", "", "", "", "起", "止", "", ""]
    person = ["", "保洁员", "2022.1.1", "2022.1.1", "2024.12.31", 7200, ""]
    rows = [
        upper,
        lower,
        ["王强", ANNA, *person[1:]],
        upper,
        lower,
        ["李芳", BERT, *person[1:]],
    ]
    assert told(find(aliases, rows))[0] == [("post", [3, 6], 2)]


@pytest.mark.parametrize("number", ["5.19999E+17", "", 5.19999e17, "5199****"])
def test_a_row_without_a_usable_number_above_a_heading_again_is_no_part_of_it(aliases, number):
    # 就业困难人员 above 认定日期 would be a known heading, were the row one.
    upper = [
        "姓名",
        "身份证",
        "人员类别",
        "认定日期",
        "上岗日期",
        "协议起止",
        "",
        "补贴金额（元）",
        "退岗日期",
    ]
    lower = ["", "", "", "", "", "起", "止", "", ""]
    person = ["就业困难人员", "", "2022-01-01", "2022-01-01", "2024-12-31", 7200.0, ""]
    rows = [upper, lower, ["王强", number, *person], upper, lower, ["李芳", BERT, *person]]
    assert told(find(aliases, rows))[0] == [("post", [3, 6], 2)]


def test_another_unit_above_a_heading_again_is_another_table(aliases):
    bare = [heading.replace("（万元）", "") for heading in LOAN]
    rows = [
        ["单位：万元"],
        bare,
        *LENT,
        ["单位：元"],
        bare,
        [*LENT[0][:4], 20_000, "2022-03-01"],
    ]
    blocks, _ = find(aliases, rows)
    assert [b.table.units["principal"] for b in blocks] == ["万元", "元"]
    assert [b.rows.tolist() for b in blocks] == [[2], [5]]


def test_a_table_whose_heading_lacks_a_column_does_not_take_the_next_along(aliases):
    rows = [LOAN[:-2], ["王强", ANNA, "2022", "通过"], [], ROSTER, *PEOPLE]
    blocks, ((level, words),) = told(find(aliases, rows))
    assert blocks == [("roster", [5, 6, 7], 0)]
    assert level == "error" and words.startswith("第1行：“创业担保贷款”缺少")


def test_people_above_the_heading_are_said_and_not_passed_over(aliases):
    blocks, ((level, words),) = told(find(aliases, [["名册"], *PEOPLE[:2], ROSTER, PEOPLE[2]]))
    assert blocks == [("roster", [5], 0)]
    assert level == "error" and words.startswith("第2至3行在表头上方，其中 2 行有身份证号码")
    assert ANNA not in words


def test_different_ledgers_side_by_side_are_both_read(aliases):
    rows = [
        ["名册", "", "", "", "", "", "贷款"],
        [*ROSTER, "", *LOAN],
        [*PEOPLE[0], "", *LENT[0]],
        [*PEOPLE[1], "", *[""] * 6],
        [*[""] * 6, *LENT[0]],
        ["合计", "", "", "", "", "", "合计", "", "", "", 28.06, ""],
    ]
    blocks, problems = find(aliases, rows)
    assert told((blocks, problems)) == (
        [("roster", [3, 4], 1), ("loan", [3, 5], 1)],
        [],
    )  # fmt: skip
    assert blocks[1].columns[1] == (ANNA, ANNA)


def test_issues_of_two_ledgers_in_one_row_are_told_apart(tmp_path):
    people = [[row[0], "", *row[2:]] for row in PEOPLE[:1]]
    rows = [[*ROSTER, "", *LOAN], [*people[0], "", "李芳", "", *LENT[0][2:]]]
    rows[0][7] = "身份证号码"
    (tmp_path / "a.csv").write_text(
        "\n".join(",".join(map(str, row)) for row in rows), encoding="utf-8"
    )
    write_register(tmp_path)
    issues = clean_folder(tmp_path, REFERENCE, b"k" * 32).issues
    missing = issues[issues["kind"] == "number_missing"]
    assert sorted(missing["ledger"]) == ["loan", "roster"]
    check_key(issues, list(TABLES["issues"].key), "issues")


def write_register(folder):
    (folder / "b.csv").write_text(
        f"身份证号码,就业形式,开始日期,终止日期\n{ANNA},务农,2021,\n", encoding="utf-8"
    )


def test_two_tables_of_one_ledger_on_a_sheet_are_accounted_for_together(tmp_path):
    second = ["身份证号码", "姓名", "户籍乡镇", "现就业状态", "采集日期"]
    rows = [["填报单位：甲镇"], ROSTER, *PEOPLE[:2], [], second, [CARL, "赵云", *PEOPLE[2][2:]]]
    text = "\n".join(",".join(row) for row in rows)
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    write_register(tmp_path)
    cleaned = clean_folder(tmp_path, REFERENCE, b"k" * 32)
    account = cleaned.accounting[cleaned.accounting["ledger"] == "roster"]
    assert account[["rows_read", "rows_kept", "reporter"]].to_numpy().tolist() == [
        [3, 3, "甲镇"]
    ]
    assert cleaned.tables["roster"]["source_row"].tolist() == [3, 4, 7]


def test_hidden_rows_columns_and_sheets_are_read(tmp_path):
    with xlsxwriter.Workbook(str(tmp_path / "a.xlsx")) as book:
        for name in ("台账", "旧表"):
            sheet = book.add_worksheet(name)
            for number, row in enumerate([ROSTER, *PEOPLE]):
                sheet.write_row(number, 0, row)
            sheet.set_row(2, None, None, {"hidden": True})
            sheet.set_column(1, 1, None, None, {"hidden": True})
        sheet.hide()
    write_register(tmp_path)
    cleaned = clean_folder(tmp_path, REFERENCE, b"k" * 32)
    assert cleaned.tables["roster"]["person_id"].notna().sum() == 3  # the other three repeat
    read = cleaned.accounting.set_index("sheet")["rows_read"]
    assert (read["台账"], read["旧表"]) == (3, 3)
    notes = cleaned.problems[cleaned.problems["file"] == "a.xlsx"]
    assert notes[["sheet", "level", "message"]].to_numpy().tolist() == [
        ["旧表", "note", "这是隐藏的工作表，也已读入。"]
    ]


@pytest.mark.parametrize("gap", [[], [""]])
def test_one_ledger_twice_side_by_side_is_said(aliases, gap):
    rows = [[*ROSTER, *gap, *ROSTER], [*PEOPLE[0], *gap, *PEOPLE[1]]]
    blocks, problems = told(find(aliases, rows))
    assert blocks == [("roster", [2], 0)]
    column = "FG"[len(gap)]
    assert problems == [
        (
            "error",
            f"第1行：右侧（{column}列起）并排的同一种台账没有读入：请移到左边表格的下方。",
        )
    ]


def test_a_spouse_in_the_same_row_is_no_second_table(aliases):
    rows = [[*ROSTER, "姓名", "身份证号码"], [*PEOPLE[0], "李芳", BERT]]
    blocks, problems = told(find(aliases, rows))
    assert blocks == [("roster", [2], 0)]
    assert problems == [
        ("note", "表头“姓名”重复出现，F列未使用。"),
        ("note", "表头“身份证号码”重复出现，G列未使用。"),
    ]


def test_what_stands_in_a_column_without_heading_is_said(aliases):
    rows = [ROSTER, [*PEOPLE[0], "", "x"], [*PEOPLE[1], "", "y"]]
    assert find(aliases, rows)[1] == [("note", "G列没有表头，其中 2 行有内容，该列未使用。")]


def test_unknown_headings_are_said_with_their_column_and_the_nearest(aliases):
    rows = [["序号", *ROSTER, "文化程度情况"], [1.0, *PEOPLE[0], "初中"]]
    assert find(aliases, rows)[1] == [
        ("note", "不认识的表头“文化程度情况”（G列），最接近的是“文化程度”，该列未使用。")
    ]


def test_many_blank_rows_and_columns_may_stand_first(aliases):
    rows = [[] for _ in range(60)] + [["", "", *ROSTER], ["", "", *PEOPLE[0]]]
    blocks, problems = told(find(aliases, rows))
    assert (blocks, problems) == ([("roster", [62], 0)], [])


def test_titles_inside_a_table_are_no_rows(aliases):
    rows = [
        ROSTER,
        ["一、罗江镇"],
        PEOPLE[0],
        ["碑庙镇", "", "", "", ""],
        PEOPLE[1],
        ["困难人员"],
        PEOPLE[2],
    ]
    blocks, _ = told(find(aliases, rows, merges=[(5, 0, 5, 4)]))
    assert blocks == [("roster", [3, 5, 7], 3)]


def test_a_row_that_numbers_the_columns_is_no_row(aliases):
    rows = [ROSTER, ["甲", 1.0, 2.0, 3.0, 4.0], PEOPLE[0]]
    assert told(find(aliases, rows))[0] == [("roster", [3], 1)]


def test_a_row_with_nothing_but_its_number_in_the_list_is_blank(aliases):
    rows = [["序号", *ROSTER], [1.0, *PEOPLE[0]], [2.0, "", ""], ["3"], [BERT]]
    assert told(find(aliases, rows))[0] == [("roster", [2, 5], 0)]


def test_a_person_without_number_keeps_the_row(aliases):
    rows = [ROSTER, ["王强", "", "罗江镇", "务农", "2023"], [], LOAN, ["李芳", "", "2022"]]
    assert told(find(aliases, rows))[0] == [("roster", [2], 0), ("loan", [5], 0)]


@pytest.mark.parametrize("below", [False, True])
def test_the_reporter_stands_above_or_below(aliases, below):
    line = ["填报单位（盖章）：罗江镇便民服务中心", "", "填表人：李某", "", "电话：10000000001"]
    rows = [[], ROSTER, PEOPLE[0], line] if below else [line, ROSTER, PEOPLE[0]]
    ((block,), problems) = find(aliases, rows)
    assert block.reporter == "罗江镇便民服务中心" and problems == []


def test_each_table_has_its_own_reporter(aliases):
    rows = [
        ["填报单位：甲镇"],
        ROSTER,
        PEOPLE[0],
        [],
        ["填报单位：乙镇　填表人：王某"],
        LOAN,
        *LENT,
    ]
    assert [b.reporter for b in find(aliases, rows)[0]] == ["甲镇", "乙镇"]


def test_no_signature_is_taken_for_the_reporter(aliases):
    rows = [["", "填报单位：", "", "", "填表人：", "李某"], ROSTER, PEOPLE[0]]
    assert find(aliases, rows)[0][0].reporter == ""


def test_a_csv_file_with_two_tables(aliases):
    rows = [["名册"], ROSTER, *PEOPLE[:2], [], LOAN, [str(cell) for cell in LENT[0]]]
    grid = Grid("a.csv", "", Lines([",".join(row) for row in rows], ","))
    blocks, problems = find_tables(grid, aliases)
    assert told((blocks, problems))[0] == [("roster", [3, 4], 0), ("loan", [7], 0)]
    assert blocks[0].columns[1].to_pylist() == [ANNA, BERT]


def test_a_sheet_of_nothing_known_has_no_table(aliases):
    assert find(aliases, [["招聘会", "岗位数"], ["春风行动", 3]]) == ([], [])
