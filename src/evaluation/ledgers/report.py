"""What came in, what is wrong and what was corrected: in words and as data."""

import pandas as pd

from evaluation.ledgers.corrections import ALREADY, APPLIED, KEPT, REFUSED
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.rules import FLAGGED, KINDS, REPAIRED, SET_ASIDE

STATES = {SET_ASIDE: "搁置", FLAGGED: "待核实", REPAIRED: "已整理"}
_STATE_WORDS = {
    SET_ASIDE: "搁置（未计入，请更正）",
    FLAGGED: "保留但需核实",
    REPAIRED: "已自动整理（不必处理）",
}
TURNS = {
    "office": "填报单位", "programme": "政策经办单位", "centre": "农民工服务中心",
    "": "不必处理",
}  # fmt: skip
OUTCOMES = {APPLIED: "已采用", KEPT: "核实无误", ALREADY: "台账已改", REFUSED: "未采用"}


def count_reasons(issues: pd.DataFrame) -> pd.DataFrame:
    """Count rows by ledger and kind, one row each, what is set aside first.

    Returns
    -------
    pandas.DataFrame
        ``ledger, state, kind, reason, turn, rows, distinct`` in words for people
        (``distinct``: a row that a cumulative ledger repeats counts once), and ``example``:
        where the last of them stands.
    """
    order = {state: place for place, state in enumerate(STATES)}
    group = issues.groupby(["ledger", "state", "kind"])
    counts = group[["file", "sheet", "row"]].last().join(group.size().rename("rows"))
    distinct = issues.drop_duplicates(["ledger", "kind", "column", "code"])
    distinct = distinct.groupby(["ledger", "state", "kind"]).size().rename("distinct")
    counts = counts.join(distinct).reset_index()
    counts["example"] = [f"{_sheet_of(row)}，第{row.row}行" for row in counts.itertuples()]
    counts["reason"] = [KINDS[kind].reason for kind in counts["kind"]]
    counts["turn"] = [TURNS[KINDS[kind].turn] for kind in counts["kind"]]
    counts["place"] = counts["state"].map(order)
    counts = counts.sort_values(["place", "rows"], ascending=[True, False], ignore_index=True)
    counts = counts.assign(
        ledger=counts["ledger"].map(LEDGERS), state=counts["state"].map(STATES)
    )
    return counts[["ledger", "state", "kind", "reason", "turn", "rows", "distinct", "example"]]


def count_by_township(issues: pd.DataFrame) -> pd.DataFrame:
    """Count open issues by township, ledger and reason, most first.

    Returns
    -------
    pandas.DataFrame
        ``township, ledger, state, reason, rows``; repeated rows of cumulative ledgers once.
    """
    rows = issues[issues["state"] != REPAIRED]
    rows = rows.drop_duplicates(["ledger", "kind", "column", "code"])
    counts = rows.groupby(["township", "ledger", "state", "kind"]).size().rename("rows")
    counts = counts.reset_index()
    counts["reason"] = [KINDS[kind].reason for kind in counts["kind"]]
    counts = counts.assign(
        ledger=counts["ledger"].map(LEDGERS), state=counts["state"].map(STATES)
    )
    counts = counts.sort_values(["township", "rows"], ascending=[True, False])
    return counts[["township", "ledger", "state", "reason", "rows"]].reset_index(drop=True)


def count_outcomes(corrections: pd.DataFrame) -> pd.DataFrame:
    """Count corrections by ledger and outcome, with the rows and yuan that they brought back.

    Returns
    -------
    pandas.DataFrame
        ``ledger, state, corrections, copies, rescued, amount_change``.
    """
    counts = corrections.groupby(["ledger", "state"], sort=False).agg(
        corrections=("line", "size"),
        copies=("copies", "sum"),
        rescued=("rescued", "sum"),
        amount_change=("amount_change", "sum"),
    )
    counts = counts.reset_index()
    return counts.assign(
        ledger=counts["ledger"].map(LEDGERS).fillna("（未找到台账）"),
        state=counts["state"].map(OUTCOMES),
    )


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
    lines += _describe_corrections(cleaned.corrections)
    counts = count_reasons(cleaned.issues)
    for state, word in STATES.items():
        found = counts[counts["state"] == word]
        if len(found):
            lines += ["", f"{_STATE_WORDS[state]}："]
            lines += [
                f"  {row.ledger}：{row.reason}，{row.rows:,} 行"
                + ("" if state == REPAIRED else f"（如 {row.example}{_whose(row.turn)}）")
                for row in found.itertuples()
            ]
    lines += ["", "已逐表核对：读入行数 = 保留 + 搁置。"]
    return "\n".join(lines)


def _whose(turn):
    return "" if turn == TURNS["office"] else f"；由{turn}处理"


def _describe_corrections(corrections):
    if corrections.empty:
        return []
    lines = ["", "更正："]
    for row in count_outcomes(corrections).itertuples():
        words = f"  {row.ledger}：{row.state} {row.corrections} 条"
        if row.rescued:
            words += f"，恢复计入 {row.rescued} 行"
        if row.amount_change:
            words += f"，金额变动 {row.amount_change:,.2f} 元"
        lines.append(words)
    return lines


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
    known = ["file", "sheet", "ledger", "rows_read", "rows_kept", "amount_read", "amount_kept"]
    by_place = dict(list(cleaned.issues.groupby(["file", "sheet", "ledger", "state"])))
    tables = []
    for row in cleaned.accounting[known].to_dict("records"):
        place = (row["file"], row["sheet"], row["ledger"])
        for state in STATES:
            found = by_place.get((*place, state))
            row[state] = [] if found is None else found[fields].to_dict("records")
        tables.append(row)
    problems = cleaned.problems[["file", "sheet", "message"]].to_dict("records")
    return {"tables": tables, "problems": problems}
