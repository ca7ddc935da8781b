"""Files are opened safely, or refused with a message, and the process lives on."""

import csv
import io
import zipfile

import pytest
import xlsxwriter

from evaluation.errors import LedgerError
from evaluation.ledgers import workbook
from evaluation.paths import list_ledgers


def write_xlsx(path, rows, sheet="台账"):
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet(sheet)
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    return path


def with_sheet(path, xml):
    """Put other xml in place of a workbook's first sheet."""
    source = io.BytesIO(path.read_bytes())
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.namelist():
            text = xml if part == "xl/worksheets/sheet1.xml" else old.read(part)
            new.writestr(part, text)
    return path


HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def refuse(path, words):
    with pytest.raises(LedgerError, match=words) as problem:
        workbook.read_grids(path, path.parent)
    assert problem.value.file == path.name


def test_rows_keep_their_number_below_empty_rows_and_columns(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [[], [], ["", "姓名"], ["", "王强"]])
    (grid,) = workbook.read_grids(path, tmp_path)
    assert (grid.file, grid.sheet, grid.rows[3][1]) == ("a.xlsx", "台账", "王强")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_short_csv_files_in_chinese_are_read_in_their_encoding(tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("姓名,村\n王强,柏阁\n".encode(encoding))
    assert workbook.read_grids(path, tmp_path)[0].rows[1] == ["王强", "柏阁"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_a_csv_file_without_quotation_marks_are_those_of_the_csv_module(tmp_path, end):
    lines = ["2023年名册", "", "姓名;村;备注", "王强;;", "李'芳; ;a\u2028b;c", ";;", "赵云"]
    text = end.join(lines) + end
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode())
    (grid,) = workbook.read_grids(path, tmp_path)
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))
    assert list(grid.rows) == rows and grid.rows[2:4] == rows[2:4]
    kept = [rows[place] + [""] * (4 - len(rows[place])) for place in (3, 4, 6)]
    columns = [column.to_pylist() for column in grid.rows.columns([3, 4, 6])]
    assert columns == [list(column) for column in zip(*kept, strict=True)]


def test_cells_of_a_csv_file_may_hold_what_separates_them_elsewhere(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('姓名,备注\n王强,"甲,乙\n""丙"""\n', encoding="utf-8")
    (grid,) = workbook.read_grids(path, tmp_path)
    assert grid.rows[1:] == [["王强", '甲,乙\n"丙"']]


def test_content_decides_not_the_ending(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [["姓名"]]).rename(tmp_path / "a.xls")
    assert workbook.read_grids(path, tmp_path)[0].rows == [["姓名"]]


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.xlsx", b"", "空的"),
        ("a.csv", b"  \n", "空的"),
        ("a.csv", b"\xff\xff\xff\x81", "编码"),
        ("a.xlsx", b"PK\x03\x04 and no more", "损坏"),
        ("a.xlsx", b"some text", "不是工作簿"),
        ("a.xls", b"<html><table><tr><td>1</td></tr></table></html>", "网页"),
        ("a.xls", workbook._OLD_EXCEL + b"\0" * 600, "损坏"),
        ("a.xlsx", workbook._OLD_EXCEL + "EncryptedPackage".encode("utf-16-le"), "密码"),
    ],
)
def test_what_is_no_readable_workbook_says_why(tmp_path, name, data, words):
    path = tmp_path / name
    path.write_bytes(data)
    refuse(path, words)


def test_a_truncated_workbook_is_damaged(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", [["姓名"]] * 50)
    path.write_bytes(path.read_bytes()[:-400])
    refuse(path, "损坏")


def test_an_empty_workbook_says_so(tmp_path):
    refuse(write_xlsx(tmp_path / "a.xlsx", []), "没有任何内容")


def test_a_cell_in_the_far_corner_never_reaches_the_reader(tmp_path):
    xml = f'{HEAD}<sheetData><row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    path = with_sheet(write_xlsx(tmp_path / "a.xlsx", [["x"]]), xml + "</worksheet>")
    refuse(path, "范围异常")


def test_far_cells_in_two_corners_are_refused_as_well(tmp_path):
    xml = (
        f"{HEAD}<sheetData><row><c r='A1'><v>1</v></c></row>"
        "<row><c r='ZZ999999'><v>1</v></c></row></sheetData></worksheet>"
    )
    refuse(with_sheet(write_xlsx(tmp_path / "a.xlsx", [["x"]]), xml), "范围异常")


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    xml = f"{HEAD}<sheetData>{' ' * 20_000_000}</sheetData></worksheet>"
    refuse(with_sheet(write_xlsx(tmp_path / "a.xlsx", [["x"]]), xml), "压缩比")


def test_a_renamed_archive_is_no_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("a.txt", "x")
    refuse(path, "不是 xlsx")


def test_lock_files_and_reports_are_no_ledgers(tmp_path):
    for name in ("~$a.xlsx", ".b.csv", "issues.xlsx", "更正.xlsx", "c.docx"):
        (tmp_path / name).write_bytes(b"x")
    real = tmp_path / "2023" / "台账.XLSX"
    real.parent.mkdir()
    real.write_bytes(b"x")
    assert list_ledgers(tmp_path) == [real]
