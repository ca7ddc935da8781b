"""The clerk's workbook: nothing to be run, each row once, and filled in it is understood."""

import time
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter
from python_calamine import CalamineWorkbook

from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.clerk import write_issues
from evaluation.ledgers.headings import LEDGERS

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
HE, SHE = "519999198002030015", "519999196402030023"
ROSTER = [
    "姓名,身份证号码,户籍乡镇,是否脱贫户,现就业状态,采集日期",
    f"王强,{HE},东城街道,,=1+1,2023-12-20",
    f"李芳,{SHE[:-1]}4,西外镇,否,@x,2023-12-20",
]
REGISTER = [
    "姓名,身份证号码,就业形式,开始日期,终止日期",
    f"王强,{HE},单位就业,2022-01-05,2023-13",
]


@pytest.fixture
def folder(tmp_path):
    for name, lines in {"a": ROSTER, "b": REGISTER}.items():
        for year in ("2023", "2024"):
            path = tmp_path / "ledgers" / year / f"{name}.csv"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("\n".join(lines), encoding="utf-8")
    return tmp_path / "ledgers"


def clean(folder):
    return clean_folder(folder, REFERENCE, b"k" * 32)


def read(path):
    return pd.read_excel(path, sheet_name=None, engine="calamine", dtype=str)


def test_the_workbook_has_a_sheet_per_ledger_and_no_formula(folder, tmp_path):
    path = write_issues(clean(folder), tmp_path / "out" / "issues.xlsx")
    book = read(path)
    assert list(book) == ["说明", "汇总", "未读入", "按乡镇", *LEDGERS.values(), "更正情况"]
    shown = set(book["返乡农民工实名制台账"]["所填内容（已遮盖）"].dropna())
    assert {"=1+1", "@x", "519999********0024"} <= shown
    assert "=1+1" not in path.read_bytes().decode("latin-1")  # packed, and no formula inside
    sheets = CalamineWorkbook.from_path(str(path))
    assert all(sheets.get_sheet_by_name(name).to_python() is not None for name in book)


def test_the_same_issues_are_the_same_file(folder, tmp_path):
    cleaned, path = clean(folder), tmp_path / "issues.xlsx"
    before = write_issues(cleaned, path).read_bytes()
    time.sleep(1.1)  # clocks in a workbook count seconds
    assert write_issues(cleaned, path).read_bytes() == before


def test_a_row_that_a_cumulative_ledger_repeats_is_listed_once(folder, tmp_path):
    book = read(write_issues(clean(folder), tmp_path / "issues.xlsx"))
    rows = book["就业登记"]
    assert rows[["文件", "行", "相同的行"]].to_numpy().tolist() == [["2024/b.csv", "2", "2"]]
    (counted,) = book["汇总"].query("台账 == '就业登记'").to_dict("records")
    assert (counted["行数"], counted["不重复的行"]) == ("2", "1")


def test_the_summary_says_whose_turn_it_is_and_counts_by_township(folder, tmp_path):
    book = read(write_issues(clean(folder), tmp_path / "issues.xlsx"))
    assert set(book["汇总"]["由谁处理"]) == {"填报单位"}
    towns = book["按乡镇"].set_index("乡镇")["行数"].astype(int)
    # The spell's township is that of its person on the roster.
    assert towns.loc["东城街道"].sum() == 3
    assert set(towns.index) == {"东城街道", "西外镇（待核）"}


def fill_in(path, target, **told):
    """Copy the workbook as a clerk leaves it: the first issue of the register corrected."""
    book = CalamineWorkbook.from_path(str(path))
    with xlsxwriter.Workbook(str(target)) as copy:
        for name in book.sheet_names:
            rows = book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            if name == "就业登记":
                rows[1] = [
                    told.get(heading, cell)
                    for heading, cell in zip(rows[0], rows[1], strict=True)
                ]
            sheet = copy.add_worksheet(name)
            for number, row in enumerate(rows):
                for place, cell in enumerate(row):
                    write = sheet.write_string if isinstance(cell, str) else sheet.write
                    write(number, place, cell)


TOLD = {"更正为": "2023-12-31", "更正人": "赵云", "更正日期": "2024-06-01", "追溯": "是"}


def test_filled_in_and_put_beside_the_ledgers_it_corrects_them(folder, tmp_path):
    path = write_issues(clean(folder), tmp_path / "issues.xlsx")
    fill_in(path, folder / "更正 1.xlsx", **TOLD)
    cleaned = clean(folder)
    ends = cleaned.tables["register"]["end"].dt.strftime("%Y%m%d").tolist()
    assert ends == ["20231231"] * 2
    assert cleaned.corrections["state"].tolist() == ["applied"]
    book = read(write_issues(cleaned, path))
    assert book["就业登记"].empty
    (log,) = book["更正情况"].to_dict("records")
    assert (log["结果"], log["更正为"], log["另有相同的行"]) == ("已采用", "2023-12-31", "1")


def test_what_a_clerk_filled_in_at_the_wrong_place_is_not_lost(folder, tmp_path, capsys):
    path = write_issues(clean(folder), tmp_path / "issues.xlsx")
    fill_in(path, path, **TOLD)
    filled = path.read_bytes()
    write_issues(clean(folder), path)
    (kept,) = tmp_path.glob("更正*.xlsx")
    assert kept.read_bytes() == filled and path.read_bytes() != filled
    assert "请移入台账文件夹" in capsys.readouterr().out
    write_issues(clean(folder), path)
    assert len(list(tmp_path.glob("更正*.xlsx"))) == 1
