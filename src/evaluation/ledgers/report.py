"""What came in, what is wrong and what was corrected: in words, and as data for scripts."""

from evaluation.ledgers.corrections import APPLIED, REFUSED
from evaluation.ledgers.counts import (
    STATES,
    TURNS,
    count_outcomes,
    count_reasons,
    select_open,
    summarise,
)
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.kinds import FLAGGED, REPAIRED, SET_ASIDE

_NAMED = 3  # sheets of a file that are named where all have the same problem
_STATE_WORDS = {
    SET_ASIDE: "搁置（未计入，请更正）",
    FLAGGED: "保留但需核实",
    REPAIRED: "已自动整理（不必处理）",
}


def describe_briefly(cleaned) -> str:
    """Say in a few sentences what came in, what was lost and what is open."""
    sums, issues = cleaned.accounting, cleaned.issues
    unread = cleaned.problems.query("level == 'error' and file != ''")["file"].nunique()
    aside = int((sums["rows_read"] - sums["rows_kept"]).sum())
    rows = select_open(issues).drop_duplicates(["ledger", "file", "sheet", "row"])
    lines = [
        f"收到 {sums['file'].nunique() + unread} 个文件"
        + (f"，其中 {unread} 个有未读入的部分" if unread else "，全部读入")
        + f"；读入 {sums['rows_read'].sum():,} 行，保留 {sums['rows_kept'].sum():,} 行，"
        f"搁置 {aside:,} 行。",
        f"还有 {len(rows):,} 行需要有人核实或更正"
        "（累计台账只看最近一次交来的，重复的同一行只算一次）。",
    ]
    log = cleaned.corrections
    if len(log):
        applied = int((log["state"] == APPLIED).sum())
        refused = int((log["state"] == REFUSED).sum())
        lines.append(
            f"收到更正 {len(log)} 条：采用 {applied} 条，恢复计入 {log['rescued'].sum()} 行，"
            f"未采用 {refused} 条。"
        )
    return "\n".join(lines)


def describe(cleaned) -> str:
    """Tell the clerk in words what came in, what was set aside and what to do."""
    lines = [f"读入 {cleaned.accounting['file'].nunique()} 个文件。", ""]
    for row in summarise(cleaned.accounting).itertuples():
        words = f"{LEDGERS[row.ledger]}：{row.files} 个文件，读入 {row.rows_read:,} 行，"
        words += f"保留 {row.rows_kept:,} 行，搁置 {row.rows_set_aside:,} 行"
        if row.amount_read:
            words += f"；金额 {row.amount_read:,.2f} 元，保留 {row.amount_kept:,.2f} 元"
        lines.append(f"{words}。")
    absent = [name for ledger, name in LEDGERS.items() if cleaned.tables[ledger].empty]
    if absent:
        lines.append(f"没有收到：{'、'.join(absent)}。")
    if cleaned.accounting.empty and cleaned.problems.empty:
        lines.append("没有找到 xlsx、xls 或 csv 文件：请检查文件夹。")
    for level, title in (("error", "没有读入："), ("note", "提示：")):
        found = cleaned.problems[cleaned.problems["level"] == level]
        if len(found):
            lines += ["", title]
            lines += _describe_problems(found)
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
    if len(cleaned.accounting):
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


def _describe_problems(problems):
    """One line per file and message; of many sheets with the same the first are named."""
    for (file, message), rows in problems.groupby(["file", "message"], sort=False):
        sheets = [name for name in rows["sheet"] if name]
        named = "”“".join(sheets[:_NAMED])
        many = f"等{len(sheets)}张" if len(sheets) > _NAMED else ""
        place = f"{file}，工作表“{named}”{many}" if sheets else file
        yield f"  {place}：{message}" if place else f"  {message}"


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
