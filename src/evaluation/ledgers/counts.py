"""What came in, what is wrong and what was corrected, counted."""

import pandas as pd

from evaluation.ledgers.corrections import ALREADY, APPLIED, KEPT, REFUSED
from evaluation.ledgers.cumulative import find_current
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.kinds import FLAGGED, KINDS, REPAIRED, SET_ASIDE

STATES = {SET_ASIDE: "搁置", FLAGGED: "待核实", REPAIRED: "已整理"}
TURNS = {
    "office": "填报单位", "programme": "政策经办单位", "centre": "农民工服务中心",
    "": "不必处理",
}  # fmt: skip
TURN_OF = {kind: TURNS[described.turn] for kind, described in KINDS.items()}
OUTCOMES = {APPLIED: "已采用", KEPT: "核实无误", ALREADY: "台账已改", REFUSED: "未采用"}


_HEADINGS = {
    "ledger": "台账", "files": "文件", "rows_read": "读入的行", "rows_kept": "保留的行",
    "rows_set_aside": "搁置的行", "rows_skipped": "合计、签名等行",
    "amount_read": "读入（万元）", "amount_kept": "保留（万元）", "reporter": "填报单位",
    "open_per_1000": "每千行中待核实或更正", "state": "处理", "reason": "原因",
    "turn": "由谁处理",
    "rows": "行", "distinct": "不重复的行", "example": "例如", "township": "乡镇",
    "received": "收到的年份", "corrections": "更正（条）", "copies": "另有相同的行",
    "amount_aside": "搁置（万元）", "rescued": "恢复计入的行",
    "amount_change": "金额变动（万元）", "file": "文件", "sheet": "工作表", "level": "程度",
    "message": "说明", "persons": "人", "person_times": "人次（行）", "awards": "笔（通过）",
    "unlinked": "号码不能用的行",
}  # fmt: skip
_LEVELS = {"error": "未读入", "note": "提示"}


_ONE_ROW = ["ledger", "kind", "column", "code"]


def select_open(issues: pd.DataFrame) -> pd.DataFrame:
    """Issues that somebody should look at: not repaired, in a current delivery, each once.

    Of equal rows in several files the one received last stays.
    """
    rows = issues[(issues["state"] != REPAIRED) & (issues["current"] == 1)]
    rows = rows.sort_values("received", kind="stable")
    return rows[~rows.duplicated(_ONE_ROW, keep="last")].sort_index()


def in_words(table: pd.DataFrame) -> pd.DataFrame:
    """A table as people read it: Chinese headings, ledgers by name, money in 10,000 yuan.

    One without rows says so.
    """
    if table.empty:
        return pd.DataFrame({"": ["没有。"]}, index=[""])
    shown = table.rename(columns=_HEADINGS | LEDGERS)
    for column in table:
        if column.startswith("amount_"):
            shown[_HEADINGS[column]] = (table[column] / 10_000).round(2)
        elif column in ("ledger", "level"):
            names = LEDGERS if column == "ledger" else _LEVELS
            shown[_HEADINGS[column]] = table[column].map(
                lambda code, n=names: n.get(code, code)
            )
        elif column == "received":
            years = table[column].astype(str).replace("0", "不知")
            shown[_HEADINGS[column]] = years
    for column in shown.select_dtypes("integer"):
        shown[column] = shown[column].map("{:,}".format)
    shown.columns.name = None
    return shown.set_axis([""] * len(shown))


def count_reasons(issues: pd.DataFrame) -> pd.DataFrame:
    """Count rows by ledger and kind, one row each, what is set aside first.

    Returns
    -------
    pandas.DataFrame
        ``ledger, state, kind, reason, turn, rows, distinct, amount_aside`` in words for
        people (``distinct``: without older deliveries and repetitions; yuan set aside), and
        ``example``: where the last of them stands.
    """
    order = {state: place for place, state in enumerate(STATES)}
    group = issues.groupby(["ledger", "state", "kind"])
    counts = group[["file", "sheet", "row"]].last().join(group.size().rename("rows"))
    counts["amount_aside"] = group["amount"].sum()
    now = issues[issues["current"] == 1].drop_duplicates(_ONE_ROW)
    distinct = now.groupby(["ledger", "state", "kind"]).size().rename("distinct")
    counts = counts.join(distinct).fillna({"distinct": 0}).astype({"distinct": "int64"})
    counts = counts.reset_index()
    counts["example"] = [f"{say_place(row)}，第{row.row}行" for row in counts.itertuples()]
    counts["reason"] = [KINDS[kind].reason for kind in counts["kind"]]
    counts["turn"] = counts["kind"].map(TURN_OF)
    counts["place"] = counts["state"].map(order)
    counts = counts.sort_values(["place", "rows"], ascending=[True, False], ignore_index=True)
    counts = counts.assign(
        ledger=counts["ledger"].map(LEDGERS), state=counts["state"].map(STATES)
    )
    return counts[
        [
            "ledger",
            "state",
            "kind",
            "reason",
            "turn",
            "rows",
            "distinct",
            "amount_aside",
            "example",
        ]
    ]


def count_by_township(issues: pd.DataFrame) -> pd.DataFrame:
    """Count open issues by township, ledger and reason, most first.

    Returns
    -------
    pandas.DataFrame
        ``township, ledger, state, reason, rows``, the rows as in `select_open`.
    """
    rows = select_open(issues)
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


def count_turns(issues: pd.DataFrame) -> pd.DataFrame:
    """Count open issues by whose turn it is and ledger; see `select_open`.

    Returns
    -------
    pandas.DataFrame
        ``ledger`` and one column per party; ledgers in their order.
    """
    rows = select_open(issues)
    counts = pd.crosstab(rows["ledger"], rows["kind"].map(TURN_OF)).rename_axis(columns=None)
    order = [ledger for ledger in LEDGERS if ledger in counts.index]
    return counts.loc[order].reset_index()


def count_reporters(accounting: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """Say who handed in what: files, rows, rows set aside, open issues per 1,000 rows.

    Returns
    -------
    pandas.DataFrame
        Key ``reporter`` as written on the sheets, ``（表上未写）`` where nothing is; those
        with most open issues first.
    """
    who = accounting["reporter"].replace("", "（表上未写）")
    sheets = accounting.assign(reporter=who)
    sums = sheets.groupby("reporter").agg(
        files=("file", "nunique"),
        rows_read=("rows_read", "sum"),
        rows_kept=("rows_kept", "sum"),
    )
    sums["rows_set_aside"] = sums["rows_read"] - sums.pop("rows_kept")
    place = sheets.drop_duplicates(["file", "sheet"]).set_index(["file", "sheet"])["reporter"]
    open_rows = issues[issues["state"] != REPAIRED].drop_duplicates(["file", "sheet", "row"])
    found = place.reindex(pd.MultiIndex.from_frame(open_rows[["file", "sheet"]]))
    count = found.value_counts().reindex(sums.index, fill_value=0)
    sums["open_per_1000"] = (count / sums["rows_read"].clip(lower=1) * 1_000).round(1)
    return sums.sort_values("open_per_1000", ascending=False, kind="stable").reset_index()


def count_by_year(accounting: pd.DataFrame, issues: pd.DataFrame) -> pd.DataFrame:
    """Rows per 1,000 with something open, by ledger and year received: is it getting better?

    Returns
    -------
    pandas.DataFrame
        ``received`` (0: unknown) and one column per ledger.
    """
    rows = issues[issues["state"] != REPAIRED].drop_duplicates(
        ["file", "sheet", "row", "ledger"]
    )
    found = rows.groupby(["received", "ledger"]).size()
    read = accounting.groupby(["received", "ledger"])["rows_read"].sum()
    rates = (found.reindex(read.index, fill_value=0) / read.clip(lower=1) * 1_000).round(1)
    return rates.unstack("ledger").reindex(columns=list(LEDGERS)).reset_index()


def count_persons(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Persons, person-times and awards of each ledger, each counted apart.

    In current deliveries only (see `cumulative`), corrected rows once. A person-time is a
    row; an award is an approved subsidy, a loan paid out, a placement. Rows whose number
    cannot be used are no persons here: `panel.linkage` finds out whose they are.

    Returns
    -------
    pandas.DataFrame
        Key ``ledger``: ``person_times, persons, unlinked, awards`` (0: not a ledger of
        awards).
    """
    rows, first = [], find_current(tables)
    for ledger, table in tables.items():
        now = table[(table["received"] >= first[ledger]) & table["superseded"].isna()]
        awards = {"post": len(now)}
        if ledger == "subsidy":
            awards[ledger] = int((now["result"] == "approved").sum())
        elif ledger == "loan":
            awards[ledger] = int(now["paid_out"].notna().sum())
        persons, unlinked = now["person_id"].nunique(), int(now["person_id"].isna().sum())
        rows.append((ledger, len(now), persons, unlinked, awards.get(ledger, 0)))
    columns = ["ledger", "person_times", "persons", "unlinked", "awards"]
    return pd.DataFrame(rows, columns=columns)


def count_deliveries(accounting: pd.DataFrame) -> pd.DataFrame:
    """Rows kept by year received and ledger, 0 where a ledger did not come."""
    kept = accounting.pivot_table(
        index="received", columns="ledger", values="rows_kept", aggfunc="sum", fill_value=0
    )
    return kept.reindex(columns=list(LEDGERS), fill_value=0).reset_index()


def list_breaches(issues: pd.DataFrame) -> pd.DataFrame:
    """Count rows that break a rule of the programmes, with the rule and its source.

    Returns
    -------
    pandas.DataFrame
        ``ledger, reason, rows``, the rows as in `select_open`.
    """
    rows = select_open(issues[issues["kind"].str.startswith("rule_")])
    counts = rows.groupby(["ledger", "reason"]).size().rename("rows").reset_index()
    return counts.assign(ledger=counts["ledger"].map(LEDGERS))


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


def say_place(row) -> str:
    """File and sheet of a row, in words."""
    return f"{row.file}，工作表“{row.sheet}”" if row.sheet else row.file
