"""Corrections by clerks: applied from their edition on, found again, or refused."""

from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.corrections import HEADINGS
from evaluation.panel.edition import cut_ledger

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
KEY = b"k" * 32
HE, SHE = "519999198002030015", "519999196402030023"
WRONG = SHE[:-1] + "4"
ROSTER = [
    "姓名,身份证号码,户籍乡镇,是否脱贫户,现就业状态,采集日期",
    f"王强,{HE},东城街道,否,务工,2023-12-20",
    f"李芳,{WRONG},东城街道,,务农,2023-12-20",
]
REGISTER = [
    "姓名,身份证号码,就业形式,开始日期,终止日期",
    f"王强,{HE},单位就业,2022-01-05,2023-02-28",
]
LOAN = [
    "借款人,身份证,申请日期,资格审核结果,金额（万元）,放款日,合同号",
    f"王强,{HE},2023-13-05,通过,15,,A",
    f"李芳,{SHE},2023-01-05,通过,10,2023-02-01,B",
]


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, "2023/a.csv", ROSTER)
    write(tmp_path, "2023/b.csv", REGISTER)
    write(tmp_path, "2023/c.csv", LOAN)
    return tmp_path


def write(folder, name, lines):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines), encoding="utf-8")


def clean(folder):
    return clean_folder(folder, REFERENCE, KEY)


def find(cleaned, kind):
    """The one open issue of a kind, as the report tells it."""
    (issue,) = cleaned.issues[cleaned.issues["kind"] == kind].to_dict("records")
    return issue


def correct(folder, *lines, name="更正.xlsx", **told):
    """Write corrections: an issue, the new value and what differs from the usual."""
    with xlsxwriter.Workbook(str(folder / name)) as book:
        sheet = book.add_worksheet("创业担保贷款")
        sheet.write_row(0, 0, list(HEADINGS.values()))
        for number, (issue, new) in enumerate(lines, 1):
            line = {**issue, "new": new, "by": "赵云", "on": "2024-03-01", "back": "", **told}
            sheet.write_row(number, 0, [line[field] for field in HEADINGS])


def outcome(folder):
    log = clean(folder).corrections
    return log[["state", "reason"]].to_numpy().tolist()


def test_a_corrected_date_brings_a_row_back_from_the_year_of_the_correction_on(folder):
    before = clean(folder)
    assert before.accounting.set_index("ledger").loc["loan", "rows_kept"] == 1
    correct(folder, (find(before, "key_date_unreadable"), "2023-03-05"))
    after = clean(folder)
    loans = after.tables["loan"]
    row = loans[loans["source_row"] == 2]
    assert row[["received", "applied_on"]].to_numpy().tolist() == [
        [2024, pd.Timestamp("2023-03-05")]
    ]
    account = after.accounting.set_index("ledger").loc["loan"]
    assert (account["rows_read"], account["rows_kept"]) == (2, 2)
    assert (account["amount_read"], account["amount_kept"]) == (250_000, 250_000)
    assert "key_date_unreadable" not in set(after.issues["kind"])
    (log,) = after.corrections.to_dict("records")
    assert (log["state"], log["from_year"], log["rescued"]) == ("applied", 2024, 1)
    assert (log["amount_change"], log["by"], log["on"]) == (150_000, "赵云", "2024-03-01")
    seen = {year: len(cut_ledger(loans, "loan", year)[0]) for year in (2023, 2024)}
    assert seen == {2023: 1, 2024: 2}


def test_marked_to_hold_backwards_a_correction_changes_all_editions(folder):
    issue = find(clean(folder), "key_date_unreadable")
    correct(folder, (issue, "2023-03-05"), back="是")
    loans = clean(folder).tables["loan"]
    assert loans["received"].tolist() == [2023, 2023] and loans["superseded"].isna().all()


def test_an_edition_before_the_correction_sees_the_row_as_typed(folder):
    before = clean(folder).tables["roster"]
    correct(folder, (find(clean(folder), "number_checksum"), SHE))
    rows = clean(folder).tables["roster"]
    typed = rows[rows["superseded"].notna()]
    assert typed[["source_row", "received", "superseded"]].to_numpy().tolist() == [
        [3, 2023, 2024]
    ]
    numbers = {
        year: cut_ledger(rows, "roster", year)[0]["person_id"].notna().sum()
        for year in (2023, 2024)
    }
    assert numbers == {2023: 1, 2024: 2}
    shown = ["person_id", "name_key", "status", "township"]
    old, new = (cut_ledger(table, "roster", 2023)[0][shown] for table in (before, rows))
    pd.testing.assert_frame_equal(old, new)


def test_files_of_the_ledger_with_other_columns_are_not_touched(folder):
    fewer = [",".join(line.split(",")[:-1]) for line in [LOAN[0], LOAN[2]]]
    write(folder, "2024/d.csv", fewer)
    correct(folder, (find(clean(folder), "key_date_unreadable"), "2023-03-05"))
    after = clean(folder)
    loans = after.tables["loan"]
    apart = loans[loans["source_file"] == "2024/d.csv"]
    assert apart["applied_on"].tolist() == [pd.Timestamp("2023-01-05")]
    assert after.corrections["rescued"].tolist() == [1]


def test_the_log_masks_a_number(folder):
    correct(folder, (find(clean(folder), "number_checksum"), SHE))
    (log,) = clean(folder).corrections.to_dict("records")
    assert log["new"] == "519999********0023" and SHE not in str(log)


def test_a_correction_survives_a_ledger_sorted_anew(folder):
    correct(folder, (find(clean(folder), "key_date_unreadable"), "2023-03-05"))
    write(folder, "2023/c.csv", [LOAN[0], LOAN[2], "", LOAN[1]])
    cleaned = clean(folder)
    assert cleaned.corrections["state"].tolist() == ["applied"]
    assert cleaned.tables["loan"]["source_row"].tolist() == [2, 4]


def test_the_same_row_in_a_later_delivery_is_corrected_with_it(folder):
    correct(folder, (find(clean(folder), "key_date_unreadable"), "2023-03-05"))
    write(folder, "2024/c.csv", LOAN)
    cleaned = clean(folder)
    assert cleaned.corrections["copies"].tolist() == [1]
    assert cleaned.tables["loan"]["applied_on"].notna().all()
    assert len(cleaned.tables["loan"]) == 4


def test_a_cell_that_says_something_else_by_now_is_refused(folder):
    issue = find(clean(folder), "key_date_unreadable")
    correct(folder, (issue, "2023-03-05"))
    write(folder, "2023/c.csv", [LOAN[0], LOAN[1].replace("2023-13-05", "2023-14-05"), LOAN[2]])
    cleaned = clean(folder)
    assert cleaned.corrections["state"].tolist() == ["refused"]
    assert "与核对时不同" in cleaned.corrections["reason"].iloc[0]
    assert any(p == "更正.xlsx" and "与核对时不同" in m for p, m in
               cleaned.problems[["file", "message"]].to_numpy())  # fmt: skip


def test_other_cells_of_the_row_may_change_but_not_where_the_old_cell_was_blank(folder):
    cleaned = clean(folder)
    lines = [(find(cleaned, "number_checksum"), SHE), (find(cleaned, "blank"), "是")]
    correct(folder, *lines)
    write(folder, "2023/a.csv", [*ROSTER[:2], ROSTER[2].replace("务农", "未就业")])
    states = dict(zip(("number", "poor"), clean(folder).corrections["state"], strict=True))
    assert states == {"number": "applied", "poor": "refused"}


def test_what_the_ledger_says_by_now_needs_no_correction(folder):
    correct(folder, (find(clean(folder), "key_date_unreadable"), "2023-03-05"))
    write(folder, "2023/c.csv", [LOAN[0], LOAN[1].replace("2023-13-05", "2023-03-05"), LOAN[2]])
    assert outcome(folder) == [["already", "台账中已经是这个值"]]


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"by": ""}, "缺少“更正人”"),
        ({"on": ""}, "缺少“更正日期”"),
        ({"on": "2024年3月"}, "不是完整的日期"),
        ({"row": "二"}, "不是行号"),
    ],
)
def test_a_line_that_lacks_something_says_what(folder, told, words):
    correct(folder, (find(clean(folder), "key_date_unreadable"), "2023-03-05"), **told)
    cleaned = clean(folder)
    assert cleaned.corrections.empty and len(cleaned.tables["loan"]) == 1
    (said,) = cleaned.problems.loc[cleaned.problems["file"] == "更正.xlsx", "message"]
    assert words in said and said.startswith("第2行：")


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"file": "2023/x.csv"}, "没有读到这个文件"),
        ({"column": "微信号"}, "没有这一列"),
        ({"row": 99, "code": "", "shown": "x"}, "没有这一行"),
        ({"code": "", "shown": "2023-13-06"}, "与核对时不同"),
    ],
)
def test_a_correction_that_meets_no_cell_is_refused(folder, told, words):
    correct(folder, (find(clean(folder), "key_date_unreadable"), "2023-03-05"), **told)
    ((state, reason),) = outcome(folder)
    assert state == "refused" and words in reason


def test_a_clerk_may_add_a_line_with_the_old_value_in_full(folder):
    issue = find(clean(folder), "key_date_unreadable")
    correct(
        folder, (issue | {"column": "金额（万元）", "row": 3, "shown": "10", "code": ""}, "12")
    )
    loans = clean(folder).tables["loan"]
    assert loans["principal"].tolist() == [100_000, 120_000]


def test_two_corrections_in_two_years_each_hold_from_their_own(folder):
    issue = find(clean(folder), "key_date_unreadable")
    correct(folder, (issue, "2023-03-05"))
    correct(folder, (issue, "2023-04-05"), name="更正2.xlsx", on="2025-01-01")
    rows = clean(folder).tables["loan"]
    rows = rows[rows["source_row"] == 2].sort_values("received")
    assert rows["received"].tolist() == [2024, 2025]
    assert rows["superseded"].fillna(0).tolist() == [2025, 0]
    assert rows["applied_on"].dt.month.tolist() == [3, 4]


def test_two_corrections_of_one_day_that_differ_are_both_refused(folder):
    issue = find(clean(folder), "key_date_unreadable")
    correct(folder, (issue, "2023-03-05"), (issue, "2023-04-05"))
    assert {state for state, _ in outcome(folder)} == {"refused"}


def test_what_a_clerk_confirms_is_no_longer_asked_for(folder):
    issue = find(clean(folder), "blank")
    correct(folder, (issue, "无误"))
    cleaned = clean(folder)
    assert "blank" not in set(cleaned.issues["kind"])
    assert cleaned.corrections["state"].tolist() == ["confirmed"]


def test_a_row_set_aside_is_not_brought_back_by_confirming_it(folder):
    correct(folder, (find(clean(folder), "key_date_unreadable"), "无误"))
    cleaned = clean(folder)
    assert "key_date_unreadable" in set(cleaned.issues["kind"])
    assert cleaned.corrections["state"].tolist() == ["refused"]


def test_a_cell_may_be_emptied(folder):
    issue = find(clean(folder), "key_date_unreadable") | {"row": 3, "code": ""}
    correct(folder, (issue | {"column": "放款日", "shown": "2023-02-01"}, "空"))
    loans = clean(folder).tables["loan"]
    assert loans.loc[loans["superseded"].isna(), "paid_out"].isna().all()


def test_a_duplicate_told_apart_by_a_correction_counts(folder):
    write(folder, "2023/c.csv", [LOAN[0], LOAN[2], LOAN[2]])
    issue = find(clean(folder), "duplicate")
    paid = issue | {"column": "放款日", "shown": "2023-02-01"}
    correct(folder, (paid, "2023-06-01"))
    cleaned = clean(folder)
    assert len(cleaned.tables["loan"]) == 2
    assert cleaned.corrections["rescued"].tolist() == [1]


def test_a_corrections_workbook_that_cannot_be_read_is_said(folder):
    (folder / "更正.xlsx").write_bytes(b"PK\x03\x04")
    problems = clean(folder).problems
    (said,) = problems.loc[problems["file"] == "更正.xlsx", "message"]
    assert said.endswith("其中的更正都未采用。")


def test_new_numbers_and_names_are_known_to_the_scan_of_published_files(folder):
    correct(folder, (find(clean(folder), "number_checksum"), SHE))
    numbers = clean(folder).private_hashes.query("kind == 'number'")["hash"]
    assert len(numbers) == 3 and numbers.is_unique
