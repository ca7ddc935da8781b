"""An xlsx file is unpacked within limits, and the reader gets nothing else."""

import io
import struct
import time
import zipfile

import pytest
import xlsxwriter

from evaluation.errors import LedgerError
from evaluation.ledgers import package
from evaluation.ledgers.sheets import read_sheets

SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
HEAD = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'


def make(rows=(("姓名", "村"), ("王强", "柏阁")), replaced=(), added=()):
    """A workbook with parts replaced or added."""
    first, whole = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(first) as book:
        page = book.add_worksheet("台账")
        for number, row in enumerate(rows):
            page.write_row(number, 0, row)
    with (
        zipfile.ZipFile(first) as old,
        zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in old.namelist():
            new.writestr(name, dict(replaced).get(name, old.read(name)))
        for name, text in added:
            new.writestr(name, text)
    return whole.getvalue()


def refuse(data, words):
    with pytest.raises(LedgerError, match=words):
        read_sheets(package.unpack(data)[0])


def sheet(rows):
    return {SHEET: f"{HEAD}<sheetData>{rows}</sheetData></worksheet>"}


def test_what_is_packed_anew_reads_the_same():
    packed, macros = package.unpack(make())
    assert read_sheets(packed)[0][1] == [["姓名", "村"], ["王强", "柏阁"]]
    assert not macros and b"<Properties" not in packed


@pytest.mark.parametrize(
    ("tail", "expected"),
    [
        ('<mergeCells count="1"><mergeCell ref="A1:B2"/></mergeCells>', [(0, 0, 1, 1)]),
        ("<mergeCells><!-- x --><mergeCell ref='A2:A3'/></mergeCells><x/>", [(1, 0, 2, 0)]),
        ("", []),
    ],
)
def test_merged_cells_are_known_wherever_they_stand(tail, expected):
    cell = '<row r="1"><c r="A1"><v>7</v></c></row>'
    for head in (HEAD, HEAD + "<!-- <sheetData> -->"):
        xml = f"{head}<sheetData>{cell}</sheetData>{tail}</worksheet>"
        ((_, rows, merges, _),) = read_sheets(package.unpack(make(replaced={SHEET: xml}))[0])
        assert (rows, merges) == ([[7]], expected)


def test_macros_are_left_out_and_said():
    packed, macros = package.unpack(make(added=[("xl/vbaProject.bin", b"Sub AutoOpen()")]))
    assert macros and b"AutoOpen" not in packed


def test_a_formatted_cell_far_away_without_content_takes_no_room():
    near = '<row r="1"><c r="A1"><v>7</v></c></row>'
    for far in ('<c r="XFD1048576" s="1"/>', '<c r="XFD1048576" s="1"></c>'):
        data = make(replaced=sheet(f'{near}<row r="1048576">{far}</row>'))
        assert read_sheets(package.unpack(data)[0])[0][1] == [[7]]


def test_a_cell_far_away_is_refused_with_its_place():
    refuse(make(replaced=sheet('<row><c r="A1"/><c r="ZZ999999"><v>1</v></c></row>')), "999999")


def test_empty_cells_and_rows_that_only_count_make_no_room_either():
    one = "<c><v>1</v></c></row>"
    rows = f"<row>{'<c/>' * 20_000}{one}{'<row/>' * 20_000}<row>{one}"
    refuse(make(replaced=sheet(rows)), "范围异常")


def test_a_zip_bomb_is_refused_by_its_directory():
    refuse(make(replaced=sheet(" " * 20_000_000)), "压缩比")


def test_a_directory_that_lies_about_sizes_is_refused():
    data = bytearray(make(replaced=sheet(" " * 5_000_000)))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        true = book.getinfo(SHEET).file_size
    for place in range(len(data) - 4):
        if data[place : place + 4] == struct.pack("<L", true):
            data[place : place + 4] = struct.pack("<L", 1_000)
    refuse(bytes(data), "损坏")


def test_two_parts_of_one_name_are_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        data = make(added=[(SHEET, HEAD + "<sheetData/></worksheet>")])
    refuse(data, "损坏")
    refuse(make(added=[(SHEET.upper(), HEAD + "<sheetData/></worksheet>")]), "损坏")


def test_a_flipped_bit_is_damage_and_never_other_cells():
    data = bytearray(make())
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        place = book.getinfo(TEXTS).header_offset
    data[place + 60] ^= 4
    refuse(bytes(data), "损坏")


def test_a_stated_number_of_texts_makes_no_room():
    texts = '<sst xmlns="urn:x" uniqueCount="40000000000"><si><t>a</t></si></sst>'
    refuse(make(replaced={TEXTS: texts}), "损坏")


def test_a_long_text_in_very_many_cells_is_refused(monkeypatch):
    monkeypatch.setattr(package, "MAX_TEXT", 100_000)
    texts = f'<sst xmlns="urn:x"><si><t>{"a" * 3_000}</t></si><si><t>b</t></si></sst>'
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 400))
    refuse(make(replaced={TEXTS: texts} | sheet(cells)), "同一段")
    cells = cells.replace("<v>0</v>", "<v>1</v>")
    data = make(replaced={TEXTS: texts} | sheet(cells))
    assert len(read_sheets(package.unpack(data)[0])[0][1]) == 399


def test_entities_are_not_expanded():
    bomb = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]>'
    refuse(make(replaced={TEXTS: f"{bomb}<sst><si><t>&b;</t></si></sst>"}), "损坏")


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"[Content_Types].xml": "", "xl/workbook.bin": ""}, "xlsb"),
        ({"mimetype": "", "content.xml": ""}, "ods"),
        ({"word/document.xml": "", "[Content_Types].xml": ""}, "不是 xlsx"),
        ({"a.txt": "x"}, "不是 xlsx"),
    ],
)
def test_packages_of_something_else_say_what_they_are(parts, words):
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w") as other:
        for name, text in parts.items():
            other.writestr(name, text)
    refuse(store.getvalue(), words)


def test_a_thousand_sheets_are_read_in_seconds():
    store = io.BytesIO()
    with xlsxwriter.Workbook(store) as book:
        for number in range(1_000):
            book.add_worksheet(f"{number}村").write(0, 0, number)
    began = time.monotonic()
    assert len(read_sheets(package.unpack(store.getvalue())[0])) == 1_000
    assert time.monotonic() - began < 20


def test_one_sheet_under_many_names_is_not_read_again_and_again():
    with zipfile.ZipFile(io.BytesIO(make())) as book:
        text = book.read("xl/workbook.xml").decode()
    one = text[text.index("<sheet ") : text.index("</sheets>")]
    many = "".join(one.replace("台账", f"台账{n}") for n in range(6_000))
    refuse(make(replaced={"xl/workbook.xml": text.replace(one, many)}), "多得异常")
    twice = text.replace(one, one + one)
    refuse(make(replaced={"xl/workbook.xml": twice}), "同名")
