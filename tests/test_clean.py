"""From a folder of workbooks to clean tables: every row and every yuan accounted for."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xlsxwriter

from evaluation.errors import LedgerError
from evaluation.ledgers import report, schema
from evaluation.ledgers.clean import check_folder, clean_folder
from evaluation.ledgers.identity import pseudonyms
from evaluation.ledgers.workbook import _OLD_EXCEL
from evaluation.tables import check_key

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
KEY = b"k" * 32
ANNA, BERT, CARL = "519999198002030015", "519999198002030023", "519999198002030058"
ROSTER = {
    "姓名": ["王强", "李 芳", "赵云"],
    "身份证号码": [ANNA, BERT, CARL],
    "户籍乡镇": ["西外镇", "西外镇", "东城"],
    "村（社区）": ["柏阁社区", "", ""],
    "是否脱贫户/监测户": ["√", "", "否"],
    "现就业状态": ["务农", "外出务工", "炼丹"],
    "返乡时间": ["2019年5月", "2023年13月", "2018"],
    "联系电话": ["10000000001", "", ""],
    "采集日期": ["2023.12.20", 45280, "20231220"],
}
REGISTER = {
    "身份证号码": [ANNA, BERT],
    "姓名": ["王强", "李芳"],
    "就业形式": ["单位就业", "自主创业"],
    "统一社会信用代码": ["", "91350100M000100Y43"],
    "开始日期": ["2021-03-01", "2022年4月"],
    "终止日期": ["2022年2月", "至今"],
    "月工资": ["3,200", ""],
}
LOAN = {
    "借款人": ["王强", "李芳", "赵云"],
    "身份证": [ANNA, "519999********0023", CARL],
    "申请日期": ["2022-01-05", "2022-01-06", "不记得"],
    "资格审核结果": ["通过", "不通过", "通过"],
    "金额（万元）": [14.03, "", "15"],
    "贴息金额（元）": ["1,200.50", "", ""],
    "利率": [0.0435, "", "4.35%"],
    "放款日": ["2022-02-01", "", ""],
    "合同号": ["DK1", "", "DK3"],
    "是否逾期": ["否", "", "是"],
}


@pytest.fixture
def folder(tmp_path):
    for name, columns in {"名册": ROSTER, "就业": REGISTER}.items():
        write(tmp_path / "2023" / f"{name}.xlsx", {"台账": lines(columns)})
    return tmp_path


def lines(columns):
    return [list(columns), *map(list, zip(*columns.values(), strict=True))]


def write(path, sheets):
    path.parent.mkdir(exist_ok=True)
    with xlsxwriter.Workbook(str(path)) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def clean(folder):
    return clean_folder(folder, REFERENCE, KEY)


def kinds(cleaned, ledger):
    rows = cleaned.issues[cleaned.issues["ledger"] == ledger]
    return set(zip(rows["row"], rows["column"], rows["kind"], strict=True))


def test_a_roster_row_in_words_becomes_a_row_that_can_be_counted(folder):
    roster = clean(folder).tables["roster"]
    first = roster.iloc[0]
    assert first["person_id"] == pseudonyms([ANNA], KEY, "number", 32)[0]
    assert (first["sex"], first["birth_year"], first["poor"]) == ("male", 1980, 1)
    assert (first["township"], first["status"]) == ("511702004", "farming")
    assert first["returned_on"] == pd.Timestamp("2019-05-01")
    assert roster["snapshot_on"].dt.strftime("%Y%m%d").tolist() == ["20231220"] * 3
    assert roster["snapshot_year"].tolist() == [2023] * 3
    assert roster["received"].tolist() == [2023] * 3
    assert roster["source_row"].tolist() == [2, 3, 4]


def test_what_is_wrong_in_a_roster_is_noted_and_the_rows_stay(folder):
    cleaned = clean(folder)
    assert kinds(cleaned, "roster") == {
        (2, "户籍乡镇", "place_old"),
        (3, "姓名", "name_spaces"),
        (3, "户籍乡镇", "place_unconfirmed"),
        (3, "是否脱贫户/监测户", "blank"),
        (3, "返乡时间", "date_unreadable"),
        (4, "现就业状态", "word_unknown"),
    }
    roster = cleaned.tables["roster"]
    assert len(roster) == 3
    assert pd.isna(roster["poor"].iloc[1]) and pd.isna(roster["status"].iloc[2])
    assert roster["township"].iloc[1] == "unconfirmed:511702100"


def test_names_numbers_and_phones_are_gone_and_the_key_links_the_ledgers(folder):
    cleaned = clean(folder)
    for table in cleaned.tables.values():
        text = table.astype(str).to_csv()
        for private in (ANNA, "王强", "李芳", "10000000001", "1980-02-03"):
            assert private not in text
    roster, register = cleaned.tables["roster"], cleaned.tables["register"]
    assert register["person_id"].tolist() == roster["person_id"].tolist()[:2]
    assert register["name_key"].tolist() == roster["name_key"].tolist()[:2]
    hashes = cleaned.private_hashes
    assert set(roster["name_key"]) <= set(hashes.loc[hashes["kind"] == "name", "hash"])
    assert set(roster["person_id"]) <= set(hashes.loc[hashes["kind"] == "number", "hash"])
    assert (hashes["kind"] == "phone").sum() == 1


def test_spells_end_on_the_last_day_and_without_a_mark_are_valid(folder):
    register = clean(folder).tables["register"]
    assert register["end"].iloc[0] == pd.Timestamp("2022-02-28")
    assert pd.isna(register["end"].iloc[1])
    assert register["valid"].tolist() == [1, 1]
    assert register["monthly_wage"].iloc[0] == 3_200
    assert register["business_key"].notna().tolist() == [False, True]


def test_cancelled_spells_stay_and_are_marked(folder):
    columns = {
        "aac002": [ANNA, ANNA], "aac003": ["王强", "王强"], "acc318": ["务农", "灵活就业"],
        "aae030": ["20210101", "20220101"], "aae031": ["", ""], "aae100": ["0", "1"],
    }  # fmt: skip
    write(folder / "2024" / "b.xlsx", {"x": lines(columns)})
    register = clean(folder).tables["register"]
    assert register.loc[register["received"] == 2024, "valid"].tolist() == [0, 1]


def test_loans_in_yuan_and_a_refused_application_stays_without_pay_out(folder):
    write(folder / "贷款.xlsx", {"x": lines(LOAN)})
    cleaned = clean(folder)
    loans = cleaned.tables["loan"]
    assert loans["principal"].iloc[0] == 140_300
    assert loans["interest_subsidy"].iloc[0] == 1_200.5
    assert loans["rate"].iloc[0] == 4.35
    assert loans["result"].tolist() == ["approved", "refused"]
    assert loans["compensated_amount"].tolist() == [0, 0]
    assert pd.isna(loans["person_id"].iloc[1]) and pd.isna(loans["paid_out"].iloc[1])
    assert loans["received"].tolist() == [0, 0]


def test_rows_and_yuan_read_are_kept_and_set_aside(folder):
    write(folder / "贷款.xlsx", {"x": [*lines(LOAN), ["合计", "", "", "", 29.03]]})
    cleaned = clean(folder)
    account = cleaned.accounting.set_index("ledger").loc["loan"]
    assert (account["rows_read"], account["rows_kept"], account["rows_skipped"]) == (3, 2, 1)
    assert (account["amount_read"], account["amount_kept"]) == (290_300, 140_300)
    aside = cleaned.issues[cleaned.issues["state"] == "set_aside"]
    assert aside[["row", "column", "kind"]].to_numpy().tolist() == [
        [4, "申请日期", "key_date_unreadable"]
    ]
    assert (cleaned.accounting["rows_read"] >= cleaned.accounting["rows_kept"]).all()


def test_an_exact_repetition_is_set_aside_with_both_rows_named(folder):
    rows = lines({"序号": [1, 2], **{k: v[:2] for k, v in REGISTER.items()}})
    rows.append([3, *rows[1][1:]])
    write(folder / "2024" / "b.xlsx", {"甲": rows, "乙": [rows[0], [9, *rows[2][1:]]]})
    cleaned = clean(folder)
    twice = cleaned.issues[cleaned.issues["kind"] == "duplicate"]
    assert sorted(zip(twice["sheet"], twice["row"], twice["reason"], strict=True)) == [
        ("乙", 2, "与工作表“甲”第3行完全相同"),
        ("甲", 4, "与工作表“甲”第2行完全相同"),
    ]
    register = cleaned.tables["register"]
    assert len(register[register["received"] == 2024]) == 2


def test_repeated_deliveries_all_stay(folder):
    write(folder / "2024" / "b.xlsx", {"台账": lines(REGISTER)})
    assert len(clean(folder).tables["register"]) == 4


def test_files_with_other_columns_stand_in_the_order_in_which_they_were_read(folder):
    fewer = {name: cells for name, cells in REGISTER.items() if name != "月工资"}
    for year, columns in {2024: fewer, 2025: REGISTER}.items():
        later = columns | {"开始日期": ["2021-03-02", "2022年5月"]}
        write(folder / str(year) / "b.xlsx", {"甲": lines(columns), "乙": lines(later)})
    cleaned = clean(folder)
    places = cleaned.tables["register"][schema.KEY]
    assert places["source_row"].tolist() == [2, 3] * 5
    order = places.drop_duplicates(["source_file", "source_sheet"])
    assert order["source_sheet"].tolist() == ["台账", "甲", "乙", "甲", "乙"]
    account = cleaned.accounting
    assert account["received"].is_monotonic_increasing
    assert (account["rows_kept"] == account["rows_read"]).all()
    missing = cleaned.tables["register"]["monthly_wage"].isna()
    assert missing.tolist() == [False, True] + [True] * 4 + [False, True] * 2


def test_an_amount_is_odd_beside_those_of_its_own_file_only(folder):
    for name, amounts in {"a": [1, 1, 1], "b": [2_000, 2_000, 1]}.items():
        loans = LOAN | {"金额（万元）": amounts, "申请日期": ["2022-01-05"] * 3}
        write(folder / f"{name}.xlsx", {"x": lines(loans)})
    issues = clean(folder).issues
    odd = issues[issues["kind"] == "amount_mixed"]
    assert odd[["file", "row"]].to_numpy().tolist() == [["b.xlsx", 4]]
    assert clean(folder).tables["loan"]["principal"].isna().sum() == 1


def test_tables_have_their_declared_columns_and_types_even_when_empty(folder):
    cleaned = clean(folder)
    for ledger, table in cleaned.tables.items():
        declared = schema.SOURCE | schema.CLEAN[ledger]
        assert list(table) == list(declared)
        types = {c: str(t) for c, t in table.dtypes.items()}
        assert types == {c: schema.DTYPES[kind] for c, kind in declared.items()}
        check_key(table, schema.KEY, ledger)
    assert cleaned.tables["post"].empty
    assert "没有“公益性岗位”的任何数据。" in set(cleaned.problems["message"])


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("坏.xlsx", b"PK\x03\x04", "损坏"),
        ("空.csv", b"", "空的"),
        ("密.xlsx", _OLD_EXCEL + "EncryptedPackage".encode("utf-16-le"), "密码"),
        ("他.csv", "招聘会,岗位\n春风,3\n".encode("gb18030"), "没有找到台账的表头"),
        ("缺.csv", "借款人,身份证,放款日,合同号\n".encode("gb18030"), "缺少“申请日期”“"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_named_and_the_others_load(folder, name, data, words):
    (folder / "2023" / name).write_bytes(data)
    cleaned = clean(folder)
    problem = cleaned.problems[cleaned.problems["file"] == f"2023/{name}"].iloc[0]
    assert problem["level"] == "error" and words in problem["message"]
    assert len(cleaned.tables["roster"]) == 3
    assert words in report.describe(cleaned)


def test_an_unknown_heading_is_a_note(folder):
    write(folder / "贷款.xlsx", {"x": lines({**LOAN, "微信号": ["", "a", ""]})})
    problems = clean(folder).problems
    (note,) = problems.loc[problems["file"] == "贷款.xlsx", "message"]
    assert note == "不认识的表头“微信号”（K列），该列未使用。"


def test_without_a_required_ledger_nothing_sensible_can_follow(folder):
    (folder / "2023" / "就业.xlsx").write_bytes(b"PK")
    with pytest.raises(
        LedgerError, match=r"“就业登记”没有一行可用(?s:.*)2023/就业.xlsx：.*损坏"
    ):
        clean(folder)
    with pytest.raises(LedgerError, match="没有找到相应"):
        clean(folder / "nowhere")


def test_a_heading_without_rows_is_an_empty_ledger(folder):
    write(folder / "贷款.xlsx", {"x": [list(LOAN)]})
    cleaned = clean(folder)
    assert cleaned.tables["loan"].empty
    account = cleaned.accounting.set_index("ledger").loc["loan"]
    assert (account["rows_read"], account["amount_read"]) == (0, 0)


def test_issues_hold_no_number_and_no_name(folder):
    write(
        folder / "贷款.xlsx",
        {
            "x": lines(
                {**LOAN, "身份证": [ANNA[:-1] + ("1" if ANNA[-1] == "0" else "0"), BERT, ""]}
            )
        },
    )
    cleaned = clean(folder)
    text = cleaned.issues.to_csv()
    assert ANNA[:-1] not in text
    assert f"519999********{ANNA[14:17]}" in text
    assert "李" not in text and "赵云" not in text


def test_the_accounting_for_scripts_is_plain_and_adds_up(folder):
    write(folder / "贷款.xlsx", {"x": lines(LOAN)})
    told = report.as_accounting(check_folder(folder, REFERENCE))
    loan = next(table for table in told["tables"] if table["ledger"] == "loan")
    assert loan["rows_read"] == loan["rows_kept"] + len(loan["set_aside"]) == 3
    assert loan["flagged"] == [
        {"row": 3, "column": "身份证", "kind": "number_masked", "reason": "身份证号码被遮盖"}
    ]
    assert told["problems"] == []


def test_a_clerk_may_check_one_ledger_alone(tmp_path):
    write(tmp_path / "贷款.xlsx", {"x": lines(LOAN)})
    cleaned = check_folder(tmp_path, REFERENCE)
    assert cleaned.problems.empty
    assert "没有收到：返乡农民工实名制台账、就业登记" in report.describe(cleaned)


def test_checking_a_folder_in_which_nothing_can_be_read_says_so(tmp_path):
    (tmp_path / "坏.xlsx").write_bytes(b"PK")
    cleaned = check_folder(tmp_path, REFERENCE)
    told = report.as_accounting(cleaned)
    assert told["tables"] == [] and [p["file"] for p in told["problems"]] == ["坏.xlsx"]
    assert "没有读入：\n  坏.xlsx：" in report.describe(cleaned)
    assert "没有找到 xlsx" in report.describe(check_folder(tmp_path / "空", REFERENCE))


def test_progress_names_each_file(folder):
    seen = []
    clean_folder(folder, REFERENCE, KEY, progress=lambda *step: seen.append(step))
    assert seen == [("名册.xlsx", 0, 2), ("就业.xlsx", 1, 2)] or seen[0][2] == 2


def test_a_post_ledger_with_two_headings_and_units_above(folder):
    head = [
        "姓名",
        "身份证",
        "岗位名称",
        "城镇/乡村",
        "上岗日期",
        "协议起止",
        "",
        "补贴金额",
        "社保补贴",
        "退岗日期",
    ]
    rows = [
        ["公益性岗位台账"], ["单位：元"], head, ["", "", "", "", "", "起", "止"],
        ["王强", ANNA, "保洁员", "乡村", "2022.1.1", "2022.1.1", "2024.12.31", 7200, "", ""],
        ["合计", "", "", "", "", "", "", 7200], ["填表人：", "审核：", "日期："],
    ]  # fmt: skip
    write(folder / "2024" / "岗位.xlsx", {"x": rows})
    cleaned = clean(folder)
    post = cleaned.tables["post"].iloc[0]
    assert (post["source_row"], post["rural"], post["pay"]) == (5, 1, 7_200)
    assert post["agreement_end"] == pd.Timestamp("2024-12-31")
    assert pd.isna(post["ended_on"]) and np.isnan(post["insurance"])
    assert cleaned.accounting.set_index("ledger").loc["post", "rows_skipped"] == 2


def test_a_refused_subsidy_says_why(folder):
    columns = {
        "姓名": ["王强", "李芳"], "身份证号": [ANNA, BERT], "户籍地址": ["通川区东城街道", ""],
        "申请日期": ["2023-02-01", "2023-02-02"], "审核结果": ["不通过", "通过"],
        "金额（元）": ["", 10_000], "拨付日期": ["", "2023-09-01"],
        "备注": ["不符合条件", "材料齐全"],
    }  # fmt: skip
    write(folder / "2023" / "补贴.xlsx", {"x": lines(columns)})
    subsidies = clean(folder).tables["subsidy"]
    assert subsidies["refusal"].iloc[0] == "ineligible" and pd.isna(
        subsidies["refusal"].iloc[1]
    )
    assert subsidies["township"].iloc[0] == "511702001"
