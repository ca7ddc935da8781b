"""The clerk's workbook: what is to be corrected, with room to say how.

Filled in and put beside the ledgers under a name that begins with 更正, it is what
`corrections` reads.
"""

import datetime
import shutil
import textwrap
from pathlib import Path

import pandas as pd
import xlsxwriter

from evaluation.errors import LedgerError
from evaluation.files import write_whole
from evaluation.ledgers.corrections import CONFIRMED, HEADINGS, read_filled
from evaluation.ledgers.counts import (
    OUTCOMES,
    STATES,
    TURN_OF,
    count_by_township,
    count_reasons,
    select_open,
)
from evaluation.ledgers.headings import LEDGERS
from evaluation.trace import unrecorded

# No clock: a workbook that says the same as before makes nothing run again.
_MADE = datetime.datetime(2000, 1, 1)
_OPTIONS = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
    "strings_to_numbers": False,
}  # fmt: skip
_WIDTHS = {
    "file": 40, "sheet": 14, "row": 8, "column": 16, "shown": 24, "state": 8, "reason": 44,
    "advice": 40, "turn": 14, "township": 14, "copies": 10, "new": 20, "by": 10, "on": 12,
    "back": 6, "code": 24,
}  # fmt: skip
_TITLES = HEADINGS | {
    "state": "处理", "reason": "原因", "advice": "怎样改", "turn": "由谁处理",
    "township": "乡镇", "copies": "相同的行",
}  # fmt: skip
_FILLED_IN = ("new", "by", "on", "back")
_HOW = (
    "怎样更正",
    "1. 最好在自己的台账里直接改正，再交一次；下次运行自动计入。",
    "2. 不便改台账的，在各台账的表里填黄色的四列：“更正为”填正确的内容，"
    "“更正人”填自己的姓名，“更正日期”填 2025-03-01 这样的日期。不改其他列。",
    f"3. 核实后原来没有错的，“更正为”填“{CONFIRMED}”；应当空着的，填“空”。",
    "4. 更正从“更正日期”那一年的年版起有效；以前各年版也要改的，“追溯”填“是”。",
    "5. 填好后另存为“更正.xlsx”（文件名以“更正”开头即可，可以有几个），"
    "放进台账文件夹，再运行一次。",
    "6. 是否采用，见下一次运行的“更正情况”表。台账后来又改过那一格的，不采用，会写明原因。",
    "累计式台账（每年重复以前的行）只列最近一次交来的；同一行在几份台账里出现的只列一次"
    "（“相同的行”是一共几处），改一处即可。",
    "号码已遮盖，姓名、电话、住址不显示：请按文件、工作表、行、列在原台账中查找。",
)


def write_issues(cleaned, path: Path) -> Path:
    """Write the clerk's workbook: how to correct, summaries, a list per ledger, outcomes.

    Numbers are masked; every cell is text or a count, never a formula. Repaired cells
    are counted in the summary only: there is nothing to do about them. A row that a
    cumulative ledger repeats is listed once. A workbook at the same place in which a clerk
    has begun to fill something in is kept under another name.

    Raises
    ------
    TableError
        If WPS or Excel has the workbook open.
    """
    keep_filled(path)
    counts = count_reasons(cleaned.issues).drop(columns=["kind", "example"])
    problems = cleaned.problems[cleaned.problems["level"] == "error"]
    unread = problems.assign(state="未读入")[["file", "sheet", "state", "message"]]

    def write(draft):
        with xlsxwriter.Workbook(str(draft), _OPTIONS) as book:
            book.set_properties({"created": _MADE})
            styles = _make_styles(book)
            _write_words(book.add_worksheet("说明"), styles)
            _write_table(book.add_worksheet("汇总"), styles, counts, _SUMMARY)
            _write_table(book.add_worksheet("未读入"), styles, unread, _UNREAD)
            towns = count_by_township(cleaned.issues)
            _write_table(book.add_worksheet("按乡镇"), styles, towns, _BY_TOWNSHIP)
            for ledger, name in LEDGERS.items():
                rows = list_open(cleaned.issues, ledger)
                _write_list(book.add_worksheet(name), styles, rows)
            log = cleaned.corrections.assign(state=cleaned.corrections["state"].map(OUTCOMES))
            _write_table(book.add_worksheet("更正情况"), styles, log[list(_LOG)], _LOG)

    return write_whole(path, write)


_SUMMARY = {
    "ledger": ("台账", 24), "state": ("处理", 10), "reason": ("原因", 56),
    "turn": ("由谁处理", 16), "rows": ("行数", 8), "distinct": ("不重复的行", 12),
    "amount_aside": ("搁置的金额（元）", 16),
}  # fmt: skip
_UNREAD = {
    "file": ("文件", 40), "sheet": ("工作表", 16), "state": ("处理", 10),
    "message": ("原因", 80),
}  # fmt: skip
_BY_TOWNSHIP = {
    "township": ("乡镇", 16), "ledger": ("台账", 24), "state": ("处理", 10),
    "reason": ("原因", 56), "rows": ("行数", 8),
}  # fmt: skip
_LOG = {
    "workbook": ("更正表", 24), "tab": ("其工作表", 14), "line": ("其行", 8),
    "file": ("文件", 40), "sheet": ("工作表", 14), "row": ("行", 8), "column": ("列", 16),
    "new": ("更正为", 20),
    "by": ("更正人", 10), "on": ("更正日期", 12), "state": ("结果", 10), "reason": ("原因", 44),
    "from_year": ("从哪个年版起（0：全部）", 12), "copies": ("另有相同的行", 12),
    "rescued": ("恢复计入的行", 12), "amount_change": ("金额变动（元）", 14),
}  # fmt: skip


def list_open(issues: pd.DataFrame, ledger: str) -> pd.DataFrame:
    """Issues of one ledger that somebody should look at, each distinct row once.

    Returns
    -------
    pandas.DataFrame
        As in `counts.select_open`, what is set aside first; ``copies`` is the number of
        equal rows in all deliveries.
    """
    own = issues[issues["ledger"] == ledger]
    copies = own.groupby(["kind", "column", "code"])["row"].transform("size")
    rows = select_open(own.assign(copies=copies))
    first = rows["state"].map({state: place for place, state in enumerate(STATES)})
    rows = rows.assign(first=first, turn=rows["kind"].map(TURN_OF))
    rows = rows.sort_values(["first", "file", "sheet", "row"], kind="stable", ignore_index=True)
    return rows.assign(state=rows["state"].map(STATES), **dict.fromkeys(_FILLED_IN, ""))[
        list(_WIDTHS)
    ]


def keep_filled(path: Path) -> Path | None:
    """Keep a workbook into which a clerk has written, under a name of its own.

    Returns
    -------
    pathlib.Path or None
        Where it is kept; the clerk is told on the screen.
    """
    if not path.is_file():
        return None
    with unrecorded():  # what was written last time is no input of this time
        try:
            if not read_filled(path):
                return None
        except LedgerError:  # whatever it is, it is not ours to delete
            pass
        kept = next(
            place
            for number in range(1, 1_000)
            if not (place := path.with_name(f"更正（未放入台账）{number}.xlsx")).exists()
        )
        shutil.copyfile(path, kept)
    print(f"{path.name} 里已填写了更正：另存为 {kept.name}，请移入台账文件夹后再运行一次。")
    return kept


def _make_styles(book):
    return {
        "bold": book.add_format({"bold": True, "bg_color": "#E7E6E6", "text_wrap": True}),
        "title": book.add_format({"bold": True, "font_size": 14}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        # As text, or Excel would damage a resident number that is typed here.
        "fill": book.add_format({"num_format": "@", "bg_color": "#FFF9DB", "border": 4}),
        "fill_head": book.add_format({"bold": True, "bg_color": "#FFE58F"}),
        "grey": book.add_format({"font_color": "#999999"}),
    }


def _write_words(sheet, styles):
    sheet.set_column(0, 0, 84)
    sheet.fit_to_pages(1, 0)
    for number, words in enumerate(_HOW):
        # Programs without the font of the file neither break lines nor grow rows rightly.
        lines = textwrap.wrap(words, 40)
        sheet.set_row(number, 20 * len(lines))
        sheet.write_string(number, 0, "\n".join(lines), styles["wrap" if number else "title"])


def _write_table(sheet, styles, rows, columns):
    for place, (title, width) in enumerate(columns.values()):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, title, styles["bold"])
    for number, row in enumerate(rows[list(columns)].to_numpy().tolist(), 1):
        _write_row(sheet, number, row)
    _lay_out(sheet, (1, 0), max(len(rows), 1), len(columns) - 1)


def _write_list(sheet, styles, rows):
    """One ledger's issues; the columns to be filled in are yellow and hold text."""
    for place, (field, width) in enumerate(_WIDTHS.items()):
        filled = field in _FILLED_IN
        style = styles["fill"] if filled else styles["grey"] if field == "code" else None
        sheet.set_column(place, place, width, style)
        sheet.write_string(0, place, _TITLES[field], styles["fill_head" if filled else "bold"])
    last = max(len(rows), 1)
    back = list(_WIDTHS).index("back")
    sheet.data_validation(1, back, last, back, {"validate": "list", "source": ["是"]})
    for number, row in enumerate(rows.to_numpy().tolist(), 1):
        _write_row(
            sheet, number, row, [styles["fill"] if f in _FILLED_IN else None for f in _WIDTHS]
        )
    _lay_out(sheet, (1, 4), last, len(_WIDTHS) - 1)


def _lay_out(sheet, frozen, last_row, last_column):
    """Headings stay in sight and can be filtered; on paper a page is as wide as the table."""
    sheet.freeze_panes(*frozen)
    sheet.autofilter(0, 0, last_row, last_column)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)


def _write_row(sheet, number, row, styles=None):
    for place, cell in enumerate(row):
        style = styles[place] if styles else None
        if cell == "" and style:
            sheet.write_blank(number, place, None, style)
        elif isinstance(cell, str):
            sheet.write_string(number, place, cell, style)
        else:
            sheet.write_number(number, place, cell, style)
