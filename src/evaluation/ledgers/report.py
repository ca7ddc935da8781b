"""What came in and what is wrong, in words, as data, and as a workbook for the clerk."""

import datetime
from pathlib import Path

import pandas as pd
import xlsxwriter

from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.rules import FLAGGED, KINDS, REPAIRED, SET_ASIDE
from evaluation.tables import write_whole

STATES = {SET_ASIDE: "搁置", FLAGGED: "待核实", REPAIRED: "已整理"}
_STATE_WORDS = {
    SET_ASIDE: "搁置（未计入，请更正）",
    FLAGGED: "保留但需核实",
    REPAIRED: "已自动整理（不必处理）",
}
# No clock: a workbook that says the same as before makes nothing run again.
_MADE = datetime.datetime(2000, 1, 1)
_HEADER = {
    "file": ("文件", 40), "sheet": ("工作表", 14), "row": ("行", 8), "column": ("列", 16),
    "shown": ("所填内容（已遮盖）", 24), "state": ("处理", 10), "reason": ("原因", 44),
    "advice": ("怎样改", 48),
}  # fmt: skip


def count_reasons(issues: pd.DataFrame) -> pd.DataFrame:
    """Count rows by ledger and kind, one row each, what is set aside first.

    Returns
    -------
    pandas.DataFrame
        ``ledger, state, kind, reason, rows`` in words for people, and ``example``: where
        the first of them stands.
    """
    order = {state: place for place, state in enumerate(STATES)}
    group = issues.groupby(["ledger", "state", "kind"])
    counts = group[["file", "sheet", "row"]].first().join(group.size().rename("rows"))
    counts = counts.reset_index()
    counts["example"] = [f"{_sheet_of(row)}，第{row.row}行" for row in counts.itertuples()]
    counts["reason"] = [KINDS[kind].reason for kind in counts["kind"]]
    counts["place"] = counts["state"].map(order)
    counts = counts.sort_values(["place", "rows"], ascending=[True, False], ignore_index=True)
    counts = counts.assign(
        ledger=counts["ledger"].map(LEDGERS), state=counts["state"].map(STATES)
    )
    return counts[["ledger", "state", "kind", "reason", "rows", "example"]]


def summarise(accounting: pd.DataFrame) -> pd.DataFrame:
    """Rows and yuan by ledger: files, read, kept, set aside; in the order of the ledgers."""
    sums = accounting.groupby("ledger").agg(
        files=("file", "nunique"),
        rows_read=("rows_read", "sum"),
        rows_kept=("rows_kept", "sum"),
        amount_read=("amount_read", "sum"),
        amount_kept=("amount_kept", "sum"),
    )
    sums = sums.reindex([ledger for ledger in LEDGERS if ledger in sums.index])
    sums.insert(3, "rows_set_aside", sums["rows_read"] - sums["rows_kept"])
    return sums.reset_index()


def describe(cleaned) -> str:
    """Tell the clerk in words what came in, what was set aside and what to do."""
    lines = [f"读入 {cleaned.accounting['file'].nunique()} 个文件。", ""]
    for row in summarise(cleaned.accounting).itertuples():
        words = f"{LEDGERS[row.ledger]}：{row.files} 个文件，读入 {row.rows_read:,} 行，"
        words += f"保留 {row.rows_kept:,} 行，搁置 {row.rows_set_aside:,} 行"
        if row.amount_read:
            words += f"；金额 {row.amount_read:,.2f} 元，保留 {row.amount_kept:,.2f} 元"
        lines.append(f"{words}。")
    for level, title in (("error", "没有读入："), ("note", "提示：")):
        found = cleaned.problems[cleaned.problems["level"] == level]
        if len(found):
            lines += ["", title]
            lines += [f"  {_place(row)}{row.message}" for row in found.itertuples()]
    counts = count_reasons(cleaned.issues)
    for state, word in STATES.items():
        found = counts[counts["state"] == word]
        if len(found):
            lines += ["", f"{_STATE_WORDS[state]}："]
            lines += [
                f"  {row.ledger}：{row.reason}，{row.rows:,} 行"
                + ("" if state == REPAIRED else f"（如 {row.example}）")
                for row in found.itertuples()
            ]
    lines += ["", "已逐表核对：读入行数 = 保留 + 搁置。"]
    return "\n".join(lines)


def _place(row):
    return f"{_sheet_of(row)}：" if row.file else ""


def _sheet_of(row):
    return f"{row.file}，工作表“{row.sheet}”" if row.sheet else row.file


def as_accounting(cleaned) -> dict:
    """The same as plain data for scripts; no personal value in it.

    Returns
    -------
    dict
        ``tables``: per file and sheet rows and yuan, and under each state ``row, column,
        kind, reason``; ``problems``: ``file, sheet, message``.
    """
    fields = ["row", "column", "kind", "reason"]
    by_place = dict(list(cleaned.issues.groupby(["file", "sheet", "ledger", "state"])))
    tables = []
    for row in cleaned.accounting.drop(columns=["received", "rows_skipped"]).to_dict("records"):
        place = (row["file"], row["sheet"], row["ledger"])
        for state in STATES:
            found = by_place.get((*place, state))
            row[state] = [] if found is None else found[fields].to_dict("records")
        tables.append(row)
    problems = cleaned.problems[["file", "sheet", "message"]].to_dict("records")
    return {"tables": tables, "problems": problems}


def write_issues(cleaned, path: Path) -> Path:
    """Write the clerk's workbook: a summary, and per ledger what is to be corrected.

    Numbers are masked; every cell is text or a count, never a formula. Repaired cells
    are counted in the summary only: there is nothing to do about them.

    Raises
    ------
    TableError
        If WPS or Excel has the workbook open.
    """
    open_issues = cleaned.issues[cleaned.issues["state"] != REPAIRED]

    def write(draft):
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        with xlsxwriter.Workbook(str(draft), options) as book:
            book.set_properties({"created": _MADE})
            bold = book.add_format({"bold": True, "bg_color": "#E7E6E6"})
            _write_summary(book.add_worksheet("汇总"), cleaned, bold)
            for ledger, name in LEDGERS.items():
                rows = open_issues[open_issues["ledger"] == ledger]
                rows = rows.assign(state=rows["state"].map(STATES))
                _write_sheet(book.add_worksheet(name), rows[list(_HEADER)], bold)

    return write_whole(path, write)


def _write_summary(sheet, cleaned, bold):
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 10)
    sheet.set_column(2, 2, 56)
    _write_row(sheet, 0, ["台账", "处理", "原因", "行数"], bold)
    counts = count_reasons(cleaned.issues)[["ledger", "state", "reason", "rows"]]
    problems = cleaned.problems[cleaned.problems["level"] == "error"]
    rows = counts.to_numpy().tolist()
    rows += [[row.file, "未读入", row.message, ""] for row in problems.itertuples()]
    for number, row in enumerate(rows, 1):
        _write_row(sheet, number, row)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), 3)


def _write_sheet(sheet, rows, bold):
    for place, (title, width) in enumerate(_HEADER.values()):
        sheet.set_column(place, place, width)
        sheet.write_string(0, place, title, bold)
    for number, row in enumerate(rows.to_numpy().tolist(), 1):
        _write_row(sheet, number, row)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(_HEADER) - 1)


def _write_row(sheet, number, row, style=None):
    for place, cell in enumerate(row):
        if isinstance(cell, str):
            sheet.write_string(number, place, cell, style)
        else:
            sheet.write_number(number, place, cell, style)
