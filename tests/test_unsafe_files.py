"""Hostile, damaged and odd files: said by name, and the other ledgers still load."""

import io
import os
import re
import struct
import time
import zipfile

import pytest
import test_clean
import test_offices
import test_package
import xlwt

from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.workbook import read_grids

ANNA = test_clean.ANNA
HEADINGS = ["借款人", "身份证", "申请日期", "资格审核结果", "金额（万元）", "放款日"]
HEAD = ",".join(HEADINGS) + "\n"
SHEET = test_package.SHEET


@pytest.fixture
def folder(tmp_path):
    for name, columns in {"名册": test_clean.ROSTER, "就业": test_clean.REGISTER}.items():
        rows = test_clean.lines(columns)
        test_clean.write(tmp_path / "2023" / f"{name}.xlsx", {"台账": rows})
    return tmp_path


def clean(folder):
    """Clean a folder; its two good ledgers load whatever lies beside them."""
    began = time.monotonic()
    cleaned = clean_folder(folder, test_clean.REFERENCE, b"k" * 32)
    assert (len(cleaned.tables["roster"]), len(cleaned.tables["register"])) == (3, 2)
    assert time.monotonic() - began < 60
    return cleaned


def refuse(folder, name, data, words):
    """The file is named in a problem that stops nothing."""
    if data is not None:
        (folder / "2023" / name).write_bytes(data)
    problems = clean(folder).problems
    (said,) = problems.loc[problems["file"] == f"2023/{name}", "message"]
    assert re.search(words, said), said


def old_format(rows=(HEADINGS, ["王强", ANNA, "2022", "通过", 1, "2022"])):
    store = io.BytesIO()
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("台账")
    for number, row in enumerate(rows):
        for at, cell in enumerate(row):
            sheet.write(number, at, cell)
    book.save(store)
    return store.getvalue()


def test_the_old_format_is_read_and_truncated_or_garbled_it_is_refused(folder):
    data = old_format()
    (folder / "2023" / "贷款.xls").write_bytes(data)
    assert len(clean(folder).tables["loan"]) == 1
    refuse(folder, "贷款.xls", data[: len(data) // 2], "损坏")
    refuse(folder, "贷款.xls", data[:512] + b"\xff" * (len(data) - 512), "损坏")


def test_the_old_format_with_a_password_says_so(folder):
    data = old_format()
    # The second record of the workbook gives way to one that says how it is encrypted.
    place = data.index(struct.pack("<HH", 0x0809, 16)) + 20
    protected = data[:place] + struct.pack("<H", 0x002F) + data[place + 2 :]
    refuse(folder, "贷款.xls", protected, "密码")


def test_cells_in_the_far_corner_of_the_old_format_end_only_its_own_process(folder):
    data = bytearray(old_format([["a", "b"], ["c", "d"]]))
    place = data.index(struct.pack("<HHHH", 0x00FD, 10, 1, 1))
    data[place + 4 : place + 8] = struct.pack("<HH", 65_535, 65_535)
    refuse(folder, "贷款.xls", bytes(data), "损坏|范围")


def test_a_web_page_and_an_xml_table_named_xls_say_what_they_are(folder):
    page = "<html><body><table><tr><td>姓名</td></tr></table></body></html>"
    refuse(folder, "导出.xls", page.encode("gb18030"), "网页")
    xml = '<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook '
    xml += 'xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>'
    refuse(folder, "导出.xls", xml.encode(), "XML 表格 2003")


def test_macros_are_not_run_and_the_table_is_read(folder):
    rows = (HEADINGS, ["王强", ANNA, "2022-01-05", "通过", 1, "2022-02-01"])
    data = test_package.make(rows, added=[("xl/vbaProject.bin", b"Sub Auto_Open()")])
    (folder / "2023" / "贷款.xlsm").write_bytes(data)
    cleaned = clean(folder)
    assert len(cleaned.tables["loan"]) == 1
    notes = cleaned.problems[cleaned.problems["file"] == "2023/贷款.xlsm"]
    assert notes[["level", "message"]].to_numpy().tolist() == [
        ["note", "文件带有宏：只读取单元格的内容，宏没有运行。"]
    ]


def test_a_thousand_sheets_are_told_one_by_one(folder):
    sheets = {f"{number}": ([["说明", number]], []) for number in range(1_000)}
    test_offices.write_xlsx(folder / "2023" / "many.xlsx", sheets)
    assert (clean(folder).problems["file"] == "2023/many.xlsx").sum() == 1_000


def test_merges_over_whole_columns_and_thousands_of_them_cost_no_time(folder):
    rows = [
        HEADINGS,
        *(["王强", ANNA, f"2022-01-{n % 28 + 1}", "通过", n, ""] for n in range(1, 3_000)),
    ]
    data = test_package.make(rows)
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        xml = book.read(SHEET).decode()
    places = [f"G{row}:G{row + 1}" for row in range(2, 3_000, 2)] + [
        "H1:H1048576", "I1:XFD1048576", "A3100:XFD3100", *["F2:F1048576"] * 5_000,
    ]  # fmt: skip
    merges = "".join(f'<mergeCell ref="{place}"/>' for place in places)
    xml = xml.replace("</sheetData>", f"</sheetData><mergeCells>{merges}</mergeCells>")
    data = test_package.make(rows, replaced={SHEET: xml})
    (folder / "2023" / "贷款.xlsx").write_bytes(data)
    assert len(clean(folder).tables["loan"]) == 2_999


def test_folders_links_and_foreign_files_are_named(folder):
    place = folder / "2023"
    (place / "文件夹.xlsx").mkdir()
    (place / "包.zip").write_bytes(b"PK")
    (place / "表.et").write_bytes(b"x")
    (place / "表.ods").write_bytes(b"x")
    try:
        (place / "圈.xlsx").symlink_to(place / "圈.xlsx")
        (place / "断.csv").symlink_to(place / "没有.csv")
        (place / "环").symlink_to(place, target_is_directory=True)
    except OSError:  # Windows lets not everybody make links
        pytest.skip("no links here")
    problems = clean(folder).problems
    said = dict(zip(problems["file"], problems["message"], strict=True))
    for name in ("文件夹.xlsx", "圈.xlsx", "断.csv"):
        assert "这不是文件" in said[f"2023/{name}"]
    assert "文件夹的快捷方式" in said["2023/环"]
    assert "解压" in said["2023/包.zip"] and "et 文件" in said["2023/表.et"]
    assert "ods" in said["2023/表.ods"]


def test_a_file_that_may_not_be_read_says_so(folder, monkeypatch):
    path = folder / "2023" / "贷款.xlsx"
    path.write_bytes(test_package.make())
    real = type(path).read_bytes

    def read(self):
        if self == path:
            raise PermissionError
        return real(self)

    monkeypatch.setattr(type(path), "read_bytes", read)
    refuse(folder, path.name, None, "没有读取权限")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_never_waited_for(folder):
    os.mkfifo(folder / "2023" / "a.csv")
    refuse(folder, "a.csv", None, "这不是文件")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("姓名," * 1_000_000 + "\n", "1,000,001 列"),
        (HEAD + '王强,"x,2022,通过,1,2022\n李芳,y,2022,通过,1,2022\n', "第 2 行起引号"),
        (HEAD + '王强,",2022,通过,1,2022\n李芳,",2022,通过,1,2022\n', "第 2 行起引号"),
        (HEAD + "王强,\0,2022\n", "编码"),
        (HEAD + f"王强,{'9' * 2_000_000},2022\n" + '"', "引号"),
    ],
)  # fmt: skip
def test_csv_files_that_would_swallow_rows_or_the_memory_are_refused(folder, text, words):
    refuse(folder, "贷款.csv", text.encode(), words)


def test_very_long_cells_are_survived(folder):
    rows = [
        HEADINGS,
        ["王" * 30_000, "5" * 32_000, "2022-01-05", "通过", "9" * 30_000, "1" * 9],
    ]
    (folder / "2023" / "贷款.xlsx").write_bytes(test_package.make(rows))
    (folder / "2023" / "长.csv").write_text("\n".join(map(",".join, rows)), encoding="utf-8")
    cleaned = clean(folder)
    assert len(cleaned.tables["loan"]) == 2
    assert cleaned.issues["shown"].str.len().max() <= 60


def test_a_number_in_the_wrong_place_is_shown_nowhere(folder):
    rows = [
        [*HEADINGS, ANNA, "电话10000000001"],
        ["王强", ANNA, f"{ANNA[:6]} {ANNA[6:]}", "通过", "1", ANNA, "x", "y"],
    ]
    test_offices.write_xlsx(folder / "2023" / "贷款.xlsx", {"x": (rows, [])})
    cleaned = clean(folder)
    told = cleaned.issues.to_csv() + cleaned.problems.to_csv()
    assert ANNA not in told and ANNA[6:] not in told and "10000000001" not in told
    assert "表头“…”（G列）" in told


def test_the_reader_of_one_file_reads_nothing_else(folder):
    path = folder / "2023" / "名册.xlsx"
    (grid,) = read_grids(path, folder)
    assert (grid.file, grid.sheet, grid.hidden, grid.notes) == (
        "2023/名册.xlsx",
        "台账",
        False,
        (),
    )
