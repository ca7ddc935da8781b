"""However a cell's place is written, it is known before the reader makes room for it."""

import pytest

from evaluation.errors import LedgerError
from evaluation.ledgers.extent import check_form, check_texts, measure_sheet

HEAD = '<worksheet xmlns="urn:x" xmlns:x="urn:x"><dimension ref="A1:B2"/><sheetData>'
TAIL = '</sheetData><pageSetup r:id="1" xmlns:r="urn:r"/></worksheet>'


def measure(rows, head=HEAD, tail=TAIL):
    xml = f"{head}{rows}{tail}".encode()
    check_form(xml)
    return measure_sheet(xml)


def test_cells_named_as_usual_are_measured_without_reading_xml(monkeypatch):
    monkeypatch.setattr("evaluation.ledgers.extent._measure_slowly", None)
    rows = '<row r="1" spans="1:3"><c r="A1" s="1"/><c r="C1"><v>1</v></c></row>'
    rows += '<row r="12"><c r="AB12" t="s"><v>0</v></c></row>'
    rows = rows.replace("<v>1</v>", "<f>SUM(A1)</f><v/>")
    text = '<is><t xml:space="preserve"> a=b </t></is>'
    rows += f'<row r="13"><c r="A13" t="inlineStr">{text}</c></row>'
    assert measure(rows) == (13, 28, 4)


@pytest.mark.parametrize(
    "cell",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1048576'><c r='XFD1048576'><v>1</v></c></row>",
        '<row r="1"><c r = "XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c\nr="XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c s="1" r="XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c r="xfd1048576"><v>1</v></c></row>',
        '<row r="1"><c r="XFD01048576"><v>1</v></c></row>',
        '<x:row r="1"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
        '<row r="1048576"><c r="XFD1"/><c><v>1</v></c></row><row><c r="A2"/></row>',
        '<!-- <row> --><row r="1"><c r="XFD1048576"><v>1</v></c></row>',
    ],
)
def test_every_way_of_naming_the_far_corner_is_seen(cell):
    rows, columns, _ = measure(cell)
    assert rows >= 1_048_576 or columns >= 16_384


def test_cells_without_a_name_follow_each_other():
    assert measure("<row><c/><c/></row><row/><row><c/><c/><c/></row>") == (3, 3, 5)
    assert measure('<row r="7"><c/><c r="E7"/><c/></row><row><c/></row>') == (8, 6, 4)


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="A1" r="XFD1048576"/>',
        '<c r="A1"r="XFD1048576"/>',
        '<c r="A99999999999"/>',
        '<c r="AAAAAAAAAAAAA1"/>',
        '<c r="$A$1" s = "1"/>',
        "<c r=A1/>",
    ],
)
def test_names_that_no_spreadsheet_writes_are_refused(cell):
    try:
        rows, columns, _ = measure(f"<row>{cell}</row>")
    except LedgerError as problem:
        assert "损坏" in problem.message
    else:
        assert rows * columns > 30_000_000


def test_both_ways_of_measuring_agree_across_blocks(monkeypatch):
    rows = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{name}{row}"><v>1</v></c>' for name in "ABQ")
        + "</row>"
        for row in range(1, 60)
    )  # fmt: skip
    expected = measure(rows)
    for size in (7, 64, 1_000):
        monkeypatch.setattr("evaluation.ledgers.extent._BLOCK", size)
        assert measure(rows) == expected == (59, 17, 177)


def test_a_text_that_looks_like_a_name_is_no_cell():
    rows = '<row r="1"><c r="A1" t="inlineStr"><is><t>a r="ZZ99999" b</t></is></c></row>'
    assert measure(rows) == (1, 1, 1)


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v><c r="B1"><v>2</v></c></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c><c r="A1"><v>2</v></c></row>',
        '<row r="2"><c r="A2"/></row><row r="1"><c r="A1"/></row><row r="2"><c r="A2"/></row>',
        '<row r="1"><c r="A1"/></row></sheetData><sheetData><row r="2"><c r="A2"/></row>',
        "<row><row><c/></row></row>",
        '<row r="1"><c r="A1"><v>1</w></c></row>',
        '<row r="1"><c r="A1"><v>1</v></row>',
    ],
)
def test_a_sheet_in_which_the_reader_would_lose_cells_is_refused(rows):
    with pytest.raises(LedgerError, match="损坏"):
        measure(rows)


def test_rows_out_of_order_are_no_harm():
    assert measure('<row r="2"><c r="A2"/></row><row r="1"><c r="B1"/></row>') == (2, 2, 2)


def test_texts_are_refused_where_one_of_them_is_none():
    check_texts(b"<sst>\n<si><t>a</t></si>\n<si/><extLst><ext/></extLst></sst>")
    check_texts(b"<sst><si><t>a</t></si><si><t>b</t></si></sst>")
    with pytest.raises(LedgerError, match="损坏"):
        check_texts(b"<sst><si><t>a</t></si><sx><t>b</t></sx><si><t>c</t></si></sst>")
