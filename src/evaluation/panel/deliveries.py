"""What a year's deliveries say otherwise than those before: late, changed, vanished rows.

Ledgers that repeat themselves every year are compared row by row. Everything is seen as an
edition sees it, so that each edition tells what it learnt, and none before it changes.
"""

import numpy as np
import pandas as pd

from evaluation.ledgers.cumulative import REPEATED
from evaluation.ledgers.declarations import CLEAN, SOURCE
from evaluation.ledgers.schema import PLACE
from evaluation.panel.edition import THINGS, blank_later, find_events, find_received
from evaluation.paths import year_received

KINDS = {
    "late": ("晚报", "Late"),
    "changed": ("与上次不同", "Changed"),
    "vanished": ("不再出现", "Vanished"),
    "corrected": ("已更正", "Corrected"),
}
MODES = {
    "first": ("第一次收到", "received for the first time"),
    "cumulative": ("累计式：重复以前的行", "cumulative: repeats earlier rows"),
    "incremental": ("增量式：只报新的行", "incremental: new rows only"),
    "nothing": ("本年没有收到", "nothing received this year"),
    "unknown": ("没有按收到的年份存放", "not kept by year received"),
}
# Until the day in the key is known, these may still move: what changes is no revision.
OPEN = {
    "roster": {},
    "register": {"end": ["monthly_wage", "insured"]},
    "subsidy": {"checked_on": ["result", "refusal", "amount"]},
    "loan": {
        "paid_out": ["loan_id", "result", "bank", "rate", "due", "ordinal"],
        "settled_on": [
            "due", "interest_subsidy", "extended", "overdue", "compensated",
            "compensated_amount", "jobs_claimed",
        ],
    },
    "post": {
        "ended_on": ["agreement_end", "days_required", "days_attended", "pay", "insurance"]
    },
}  # fmt: skip
# Sums over the time so far: they may rise while a row is open, never fall.
SUMS = ("interest_subsidy", "compensated_amount", "days_required", "days_attended", "pay")
SUMS += ("insurance",)
_NOTHING = {kind: pd.Series({"all": 0}) for kind in ("late", "changed", "vanished")}
_OF_PERSON = ("person_id", "name_key", "phone_key")


def compare_deliveries(clean: dict[str, pd.DataFrame], edition: int) -> pd.DataFrame:
    """Tell apart what a year's deliveries say otherwise than those before.

    *Late*: an event of a year whose delivery had been received, first received in the
    edition's year. *Changed*: a row told before whose content is another one, both as of
    the end of the year in which it was told before, so that what happened since is no
    change (`OPEN`, `SUMS`). *Vanished*: a row of the delivery before that this one lacks,
    where this one is cumulative (`REPEATED`); the row stays in the analysis. A late and a
    vanished row of one person are one changed row. *Corrected*: rows of earlier deliveries
    that the district's clerks corrected in that year. Rows without a number are followed by
    name and dates.

    Parameters
    ----------
    clean
        Clean tables by ledger.
    edition
        Calendar year.

    Returns
    -------
    pandas.DataFrame
        Key ``ledger, kind, detail``: ``n_rows``; ``detail`` is ``all``, the year of the
        event (late, vanished) or the column (changed, corrected; a row may differ in
        several). ``mode`` of the delivery, ``result_id``, labels.
    """
    rows = []
    for ledger, table in clean.items():
        mode, found = _compare_ledger(table, ledger, edition)
        for kind in KINDS:
            details = found.get(kind, pd.Series(dtype="int64"))
            rows += [(ledger, mode, kind, detail, n) for detail, n in details.items()]
    table = pd.DataFrame(rows, columns=["ledger", "mode", "kind", "detail", "n_rows"])
    names = ["ledger", "kind", "detail"]
    table["result_id"] = f"{edition}.deliveries." + table[names].agg(".".join, axis=1)
    for at, language in enumerate(("zh", "en")):
        table[f"mode_{language}"] = [MODES[mode][at] for mode in table["mode"]]
        labels = [_label(*row, at) for row in table[names].itertuples(index=False)]
        table[f"label_{language}"] = labels
    return table


def _label(ledger, kind, detail, at):
    column = (SOURCE | CLEAN[ledger]).get(detail)
    about = "" if detail == "all" else detail
    if column is not None:
        about = (column.zh, column.en)[at]
    return ("：", ": ")[at].join(filter(None, (KINDS[kind][at], about)))


def _compare_ledger(table, ledger, edition):
    """Mode of the delivery, and by kind the number of rows by detail."""
    table = table.reset_index(drop=True)
    found = {"corrected": _count_corrected(table, ledger, edition)}
    rows = _find_seen(table, ledger, edition)
    received = np.unique(rows["delivered"])
    if not received.max(initial=0):
        return "unknown", found
    before = received[(received > 0) & (received < edition)]
    is_new = rows["delivered"] == edition
    if not is_new.any() or not len(before):
        return "first" if is_new.any() else "nothing", found
    if not (rows.loc[is_new, "event"].dt.year <= before[-1]).any():
        return "incremental", found | _NOTHING  # nothing of what was to be told before
    rows["follows"] = _follow(table.loc[rows.index], ledger)
    rows = rows.dropna(subset="follows")
    new, old = (
        rows[told].drop_duplicates("follows", keep="last")
        for told in (rows["delivered"] == edition, rows["delivered"] < edition)
    )
    again, last = old["follows"].isin(new["follows"]), old["delivered"] == before[-1]
    cumulative = bool(again[last].mean() >= REPEATED)
    late = new[~new["follows"].isin(old["follows"]) & (new["event"].dt.year <= before[-1])]
    if "valid" in table:  # a cancelled record is no entry
        late = late[(table.loc[late.index, "valid"] != 0).fillna(True).to_numpy(dtype=bool)]
    gone = old[last & ~again] if cumulative else old.head(0)
    old, new = (
        part.rename_axis(name).reset_index() for part, name in ((old, "old"), (new, "new"))
    )
    pairs = old[["old", "delivered", "follows"]].merge(new[["new", "follows"]], on="follows")
    moved = _find_moved(table, gone, late)
    late, gone = late.drop(index=moved["new"]), gone.drop(index=moved["old"])
    found |= {
        "late": _count(late["event"].dt.year),
        "changed": _count_changes(table, pd.concat([pairs, moved]), ledger),
        "vanished": _count(gone["event"].dt.year),
    }
    return "cumulative" if cumulative else "incremental", found


def _find_seen(table, ledger, edition) -> pd.DataFrame:
    """Rows that the edition sees, in order of delivery; the index is that of `table`."""
    event = find_events(table, ledger)
    seen = find_received(table, edition) & (event <= pd.Timestamp(edition, 12, 31)).to_numpy()
    rows = pd.DataFrame({"delivered": _find_deliveries(table), "event": event})
    return rows[seen].sort_values("delivered", kind="stable")


def _find_deliveries(table) -> np.ndarray:
    """Year in which each row was delivered; a corrected row's is that of the row as typed."""
    codes, files = pd.factorize(table["source_file"])
    delivered = np.array([year_received(file) for file in files])[codes]
    flat = delivered == 0
    if flat.any():
        rows = table[flat]
        first = rows.groupby(PLACE, dropna=False)["received"].transform("min")
        undated = rows.groupby("source_file")["received"].transform("min") == 0
        delivered[flat] = first.mask(undated, 0)
    return delivered


def _follow(rows, ledger) -> pd.Series:
    """What tells the versions of a row: contract, or person and dates, or name and dates.

    A row without a number takes the person of the only one of the same name and dates.
    """
    dates = THINGS[ledger]
    key = _hash(rows, ["person_id", *dates])
    if ledger == "loan":
        key = _hash(rows, ["loan_id"]).fillna(key)
    loose = _hash(rows, ["name_key", *dates])
    known = pd.DataFrame({"loose": loose, "key": key}).dropna().drop_duplicates()
    known = known.drop_duplicates("loose", keep=False).set_index("loose")["key"]
    unknown = key.isna()
    key[unknown] = known.reindex(loose[unknown]).array
    return key.fillna(loose)


def _hash(rows, columns):
    """Hash of the columns, missing where the first is."""
    hashes = pd.util.hash_pandas_object(rows[columns], index=False)
    return hashes.astype("UInt64").mask(rows[columns[0]].isna())


def _find_moved(table, gone, late):
    """Rows of persons of whom one has vanished and one come late: the key itself changed."""
    parts = []
    for part, name in ((gone, "old"), (late, "new")):
        part = part.assign(person_id=table.loc[part.index, "person_id"])
        part = part.dropna(subset="person_id").drop_duplicates("person_id", keep=False)
        parts.append(part.rename_axis(name).reset_index())
    old, new = parts
    columns = ["old", "delivered", "person_id"]
    return old[columns].merge(new[["new", "person_id"]], on="person_id")[
        ["old", "new", "delivered"]
    ]


def _count_changes(table, pairs, ledger):
    """Rows and columns that differ, both versions as of the end of the older one's year."""
    close = pd.to_datetime(pairs["delivered"].astype("str") + "-12-31").reset_index(drop=True)
    old, new = (
        blank_later(table.loc[pairs[name]].reset_index(drop=True), ledger, close)
        for name in ("old", "new")
    )
    differs = _find_differences(old, new, ledger)
    for closing, moving in OPEN[ledger].items():
        still_open = old[closing].isna()
        if "result" in old:  # checked, but not decided
            still_open |= (old["result"] == "waiting").fillna(False)
        for column in moving:
            fell = new[column] < old[column] if column in SUMS else False
            differs[column] &= ~still_open | fell
    return _count_columns(differs)


def _count_corrected(table, ledger, edition):
    """Rows that the district's clerks corrected in that year, by column."""
    then = (table["superseded"] == edition).fillna(False) if "superseded" in table else []
    if not np.any(then):
        return _count_columns(pd.DataFrame())
    old = table[then]
    new = table[table["received"] == edition]
    both = old[PLACE].rename_axis("old").reset_index()
    both = both.merge(new[PLACE].rename_axis("new").reset_index(), on=PLACE)
    old, new = (table.loc[both[name]].reset_index(drop=True) for name in ("old", "new"))
    return _count_columns(_find_differences(old, new, ledger))


def _find_differences(old, new, ledger):
    """Columns of the ledger that differ, blank against blank being the same."""
    if "valid" in old:  # blank is valid (`outcomes.valid_spells`)
        old, new = (rows.assign(valid=rows["valid"].fillna(1)) for rows in (old, new))
    columns = [name for name in (*_OF_PERSON, *CLEAN[ledger]) if name in old]
    same = {
        c: (old[c] == new[c]).fillna(False) | (old[c].isna() & new[c].isna()) for c in columns
    }
    return ~pd.DataFrame(same, dtype=bool)


def _count_columns(differs):
    counts = differs.sum()
    whole = pd.Series({"all": int(differs.any(axis=1).sum())})
    return pd.concat([whole, counts[counts > 0]]).astype("int64")


def _count(years):
    counts = years.astype("int64").value_counts().sort_index().rename(index=str)
    return pd.concat([pd.Series({"all": len(years)}), counts]).astype("int64")
