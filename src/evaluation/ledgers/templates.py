"""Blank workbooks for the five ledgers, which an office can send to its clerks.

Everything a clerk is told comes from `guidance`, and so from what the cleaning expects.
Cells of dates are texts: what is typed stays as it was typed, month or day, and nothing is
turned into a number. What the lists and checks of Excel warn of, `evaluation check` says too.
"""

import datetime
from pathlib import Path
from unicodedata import east_asian_width

import xlsxwriter
from xlsxwriter.utility import xl_rowcol_to_cell

from evaluation.errors import EvaluationError
from evaluation.files import write_whole
from evaluation.ledgers.guidance import ALWAYS, LATER, describe_fields
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.raw import GUIDE

HEADING, LAST = 4, 20_000  # row of the headings, last row that is checked; from 0
# No clock: the same template is the same file.
_MADE = datetime.datetime(2000, 1, 1)
_TEXT = {"font_name": "宋体", "font_size": 11, "valign": "vcenter"}
NUMBERS = ("amount", "number", "count", "level", "row")
_WIDTHS = {"date": 13, "last_date": 13, "amount": 13, "flag": 10, "number": 10, "count": 10}
_WIDTHS_COLUMN = {
    "serial": 6, "name": 11, "sex": 6, "number": 22, "credit_code": 22, "phone": 15,
    "village": 18, "firm": 22, "address": 26, "site": 26, "contract": 18, "note": 24,
    "ordinal": 8, "household": 11,
}  # fmt: skip
_LISTED = 255  # characters of a list inside a check
_COLOURS = {ALWAYS: "#F8CBAD", LATER: "#FFE699"}


def write_templates(reference: Path, folder: Path, *, force: bool = False) -> list[Path]:
    """Write the five blank workbooks into a folder, which is made.

    Parameters
    ----------
    reference
        The folder ``data/reference``.
    force
        Replace files that are there.

    Raises
    ------
    EvaluationError
        If one of them is there already; nothing is written then.
    TableError
        If one of them is open in another program.
    """
    paths = {ledger: folder / f"{name}.xlsx" for ledger, name in LEDGERS.items()}
    there = [path.name for path in paths.values() if path.exists()]
    if there and not force:
        names = "”“".join(there)
        raise EvaluationError(
            f"{folder} 里已有“{names}”，没有覆盖：请换一个文件夹；确要覆盖请加 --force。"
        )
    for ledger, path in paths.items():
        fields = describe_fields(ledger, reference)
        write_whole(path, lambda draft, ledger=ledger, f=fields: _write(draft, ledger, f))
    return list(paths.values())


def _write(draft, ledger, fields):
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(str(draft), options) as book:
        book.set_properties({"created": _MADE, "title": LEDGERS[ledger]})
        _write_table(book, LEDGERS[ledger], fields)
        _write_guide(book, LEDGERS[ledger], fields)


def _write_table(book, title, fields):
    sheet, count = book.add_worksheet(title), len(fields)
    plain = book.add_format(_TEXT)
    for row, height in enumerate((28, 18, 22, 22)):
        sheet.set_row(row, height, plain)  # above the table there are no borders
    for at, field in enumerate(fields):
        _write_column(book, sheet, at, field)
    said = f"怎样填：鼠标移到表头上看批注，或看“{GUIDE}”表。带 * 的必填"
    said += "；浅黄色的，发生（通过、拨付、结束）后必填。" if _needed(fields, LATER) else "。"
    sheet.write_string(0, 0, title, book.add_format(_TEXT | {"font_size": 16, "bold": True}))
    sheet.write_string(1, 0, said, book.add_format(_TEXT | {"font_color": "#595959"}))
    label = book.add_format(_TEXT | {"align": "right"})
    line = book.add_format(_TEXT | {"bottom": 1, "num_format": "@"})
    # Each label is followed by cells to write in.
    for name, row, at, last in (
        ("填报单位", 2, 1, 6),
        ("填表人", 3, 1, 2),
        ("填表日期", 3, 4, 6),
    ):
        sheet.write_string(row, at, f"{name}：", label)
        for place in range(at + 1, last + 1):
            sheet.write_blank(row, place, None, line)
    sheet.set_row(HEADING, 34)
    sheet.freeze_panes(HEADING + 1, 3)
    last = xl_rowcol_to_cell(LAST, count - 1)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{last}"})
    _set_up_print(sheet, HEADING, sum(map(_find_width, fields)))


def _needed(fields, when):
    return any(field.needed == when for field in fields)


def _write_column(book, sheet, at, field):
    cells = _TEXT | {"border": 1} | ({} if field.kind in NUMBERS else {"num_format": "@"})
    sheet.set_column(at, at, _find_width(field), book.add_format(cells))
    look = {"bold": True, "text_wrap": True, "align": "center", "border": 1}
    look |= {"bg_color": _COLOURS.get(field.needed, "#E7E6E6")}
    if field.needed == ALWAYS:
        look |= {"num_format": '@"*"'}  # a star is shown, the heading stays as it is known
    sheet.write_string(HEADING, at, field.heading, book.add_format(_TEXT | look))
    lines = [f"{name}：{said}" for name, said in _say(field)[1:] if said]
    note = "\n".join(lines)
    size = {"x_scale": 2.2, "y_scale": 0.3 + 0.25 * sum(len(x) // 18 + 1 for x in lines)}
    sheet.write_comment(HEADING, at, note, size | {"author": "", "font_size": 10})
    check = _check(field, xl_rowcol_to_cell(HEADING + 1, at))
    if check:
        sheet.data_validation(HEADING + 1, at, LAST, at, check)


def _find_width(field):
    """Wide enough for what is typed, and for the heading on two lines."""
    width = _WIDTHS_COLUMN.get(field.column, _WIDTHS.get(field.kind, 14))
    return max(width, _measure(f"{field.heading}*") / 2 + 2)


def _measure(text):
    """Width of a text in half-width letters."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def _say(field):
    options = "、".join(field.options)
    return (
        ("列", field.heading), ("是否必填", field.needed),
        ("填什么", "" if field.meaning == field.heading else field.meaning),
        ("怎样填", field.how), ("可选", options), ("单位", field.unit),
        ("例子（虚构）", field.example),
    )  # fmt: skip


_WARNING = {"error_type": "warning", "error_title": "请核对", "ignore_blank": True}
_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_PLACES = 'ROW(INDIRECT("1:17"))'  # unlike ROW(1:17) it survives the deletion of a row
_FORMULAS = {
    # GB 11643: weights are powers of two.
    "number": f'=AND(LEN({{0}})=18,EXACT(RIGHT({{0}}),MID("10X98765432",'
    f"MOD(SUMPRODUCT(MID({{0}},{_PLACES},1)*2^(18-{_PLACES})),11)+1,1)))",
    # GB 32100: weights are powers of three, modulo 31.
    "credit_code": "=AND(LEN({0})=18,MOD(SUMPRODUCT((FIND(MID({0},"
    f'{_PLACES},1),"{_LETTERS}")-1)*3^({_PLACES}-1))+FIND(RIGHT({{0}}),"{_LETTERS}")-1,31)=0)',
    "date": '=OR(ISNUMBER({0}),{0}="至今",{0}="长期",IFERROR(AND(--LEFT({0},4)>1899,'
    '--LEFT({0},4)<2100,IF(AND(LEN({0})=10,MID({0},5,1)="-"),AND(--MID({0},6,2)<13,'
    "DAY(DATE(LEFT({0},4),MID({0},6,2),RIGHT({0},2)))=--RIGHT({0},2)),LEN({0})>3)),FALSE))",
}
_MESSAGES = {
    "number": "身份证号码应是 18 位、末位 X 大写、校验位相符。请按证件核对；无误可以继续。",
    "credit_code": "统一社会信用代码应是 18 位、校验位相符。请按营业执照核对；无误可以继续。",
    "date": "年在前、四位数，如 2023-05-06；只知道月份的写 2023-05。请核对月、日是否存在。",
}


def _check(field, cell):
    """What Excel checks when a cell is left; formulas only warn, so that no office is stuck."""
    rule = field.column if field.column in _FORMULAS else field.kind.removeprefix("last_")
    if rule in _FORMULAS:
        formula = _FORMULAS[rule].format(cell)
        return _WARNING | {
            "validate": "custom", "value": formula, "error_message": _MESSAGES[rule]
        }  # fmt: skip
    if field.options and len(",".join(field.options)) <= _LISTED:
        said = {"error_message": "请从下拉列表中选。", "error_title": "不在列表中"}
        kind = "warning" if field.column == "township" else "stop"
        return {
            "validate": "list", "source": list(field.options), "error_type": kind
        } | said  # fmt: skip
    if field.column == "phone":
        limits = {"validate": "length", "criteria": "between", "minimum": 7, "maximum": 15}
        return _WARNING | limits | {"error_message": "电话应有 7 至 15 位。"}
    if field.kind in ("amount", "number"):
        limits = {"validate": "decimal", "criteria": ">=", "value": 0}
        return _WARNING | limits | {"error_message": field.how + "。"}
    if field.kind in ("count", "level"):
        limits = {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": 30_000}
        return _WARNING | limits | {"error_message": field.how + "。"}
    return None


_GUIDE_WIDTHS = (22, 12, 26, 40, 40, 8, 24)
_GUIDE_LINES = (
    "填好后交回发表的单位；该单位放入 data/ledgers/<收到的年份>/，用 evaluation check 检查。",
    "每人（每笔）一行，不要合并单元格；列可以换顺序，可以加列，表头的叫法不要改。",
    "身份证号码、姓名和电话只用来生成加密的代号，整理后的表中没有它们。",
)


def _write_guide(book, title, fields):
    """The notes of all headings below each other: one row per column of the table."""
    sheet = book.add_worksheet(GUIDE)
    bold = book.add_format(_TEXT | {"bold": True})
    head = book.add_format(_TEXT | {"bold": True, "bg_color": "#E7E6E6", "border": 1})
    cell = book.add_format(_TEXT | {"text_wrap": True, "border": 1, "num_format": "@"})
    sheet.write_string(0, 0, f"“{title}”怎样填（例子均为虚构）", bold)
    rows = [tuple(name for name, _ in _say(fields[0]))]
    rows += [tuple(said for _, said in _say(field)) for field in fields]
    for number, row in enumerate(rows, 2):
        lines = [-(-_measure(t) // (w - 2)) for t, w in zip(row, _GUIDE_WIDTHS, strict=True)]
        sheet.set_row(number, 3 + 15 * max(lines))
        for at, text in enumerate(row):
            sheet.write_string(number, at, text, head if number == 2 else cell)
    for at, width in enumerate(_GUIDE_WIDTHS):
        sheet.set_column(at, at, width)
    for number, text in enumerate(_GUIDE_LINES, len(rows) + 3):
        sheet.write_string(number, 0, text, book.add_format(_TEXT))
    sheet.freeze_panes(3, 1)
    _set_up_print(sheet, 2, sum(_GUIDE_WIDTHS))


def _set_up_print(sheet, heading, width):
    sheet.set_landscape()
    sheet.set_paper(9 if width < 180 else 8)  # A4, else A3
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(heading)
    sheet.set_margins(0.4, 0.4, 0.6, 0.6)
    sheet.set_footer("&C第 &P 页，共 &N 页")
