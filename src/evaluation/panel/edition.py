"""What an edition may see: cut to its last day, the latest version of each row."""

import numpy as np
import pandas as pd

SOURCE = ["received", "source_file", "source_sheet", "source_row"]

# Per ledger: the day of the event (the first column that is known), which columns are
# only known from a later day on, and what makes two rows versions of the same thing.
EVENT = {
    "roster": ["snapshot_on"],
    "register": ["start"],
    "subsidy": ["applied_on"],
    "loan": ["applied_on", "paid_out"],
    "post": ["started_on"],
}
DATED = {
    "roster": {"returned_on": [], "left_on": []},
    "register": {"end": [], "registered_on": [], "deregistered_on": []},
    "subsidy": {"checked_on": ["refusal", "amount"], "paid_on": [], "registered_on": []},
    "loan": {
        "paid_out": [
            "principal",
            "interest_subsidy",
            "extended",
            "overdue",
            "compensated",
            "compensated_amount",
        ],
        "settled_on": [],
    },
    "post": {"ended_on": ["end_reason", "next_state"], "recognised_on": []},
}
KEYS = {
    "roster": ["person_id", "snapshot_year"],
    "register": ["person_id", "form", "start", "business_key"],
    "subsidy": ["person_id", "applied_on"],
    "loan": ["loan_id", "person_id", "applied_on"],
    "post": ["person_id", "started_on"],
}


def cut_ledger(rows: pd.DataFrame, ledger: str, edition: int):
    """Reduce one clean table to what was known on the edition's last day.

    Rows received in a later year go (0 = received at an unknown time, always visible);
    rows whose event lies later, or whose event has no date, go and are counted; fields
    dated later become missing, with what they tell. A subsidy checked later is waiting;
    a date that was agreed beforehand (due, end of the agreement) stays.

    Returns
    -------
    tuple
        The rows that stay, in order of receipt and source, and a dict of row counts.
    """
    close = pd.Timestamp(edition, 12, 31)
    visible = rows["received"].fillna(0) <= edition
    event = rows[EVENT[ledger][0]]
    for column in EVENT[ledger][1:]:
        event = event.fillna(rows[column])
    if ledger == "roster":
        year = rows["snapshot_year"].fillna(event.dt.year)
        undated, later = year.isna(), (year > edition).fillna(False)
        rows = rows.assign(snapshot_year=year)
    else:
        undated, later = event.isna(), event > close
    counts = {
        "read": len(rows),
        "received_later": int((~visible).sum()),
        "undated": int((visible & undated).sum()),
        "after_edition": int((visible & later).sum()),
    }
    kept = np.flatnonzero(visible & ~undated & ~later)
    source = rows[SOURCE].iloc[kept]
    codes = [pd.factorize(source[c], sort=True)[0] for c in reversed(SOURCE)]
    kept = rows.iloc[kept[np.lexsort(codes)]].reset_index(drop=True)
    blanked = 0
    for column, told in DATED[ledger].items():
        future = kept[column] > close
        blanked += int(future.sum())
        if ledger == "subsidy" and column in ("checked_on", "paid_on"):
            unknown = future & (kept["checked_on"].isna() | (column == "checked_on"))
            kept["result"] = kept["result"].mask(unknown, "waiting")
            kept["amount"] = kept["amount"].mask(unknown)
        for name in (column, *told):
            kept[name] = kept[name].mask(future)
    counts["fields_blanked"] = blanked
    return kept, counts


def keep_latest(rows: pd.DataFrame, ledger: str):
    """Keep the latest version of each row: cumulative ledgers repeat old rows every year.

    A later delivery replaces an earlier, within one delivery the later row (of the
    register: a valid one). A loan is known by its contract, so that a number damaged in
    one delivery is taken from another. Other rows without ``person_id`` are told apart
    by name, phone and dates, and dropped where a linked row has the same. Without a name
    key such a row stands for itself.

    Returns
    -------
    tuple
        One row per thing, in order of receipt and source, and the number of others.
    """
    dates = [n for n in KEYS[ledger] if n not in ("person_id", "loan_id")]
    other = ["name_key", "phone_key", *dates]
    key, told = rows[KEYS[ledger]], rows[other]
    if ledger == "register":
        order = np.lexsort((np.arange(len(rows)), rows["valid"].fillna(1), rows["received"]))
        key, told = key.iloc[order], told.iloc[order]
    linked = key["person_id"].notna()
    if ledger == "loan":
        contract = rows["loan_id"].notna()
        same = rows["person_id"].groupby(rows["loan_id"]).transform("last")
        rows = rows.assign(person_id=rows["person_id"].mask(contract, same))
        linked |= contract
        key = key.assign(**{n: key[n].mask(contract) for n in ("person_id", "applied_on")})
    latest = told[linked & ~key.assign(linked=linked).duplicated(keep="last")]
    loose = told[~linked]
    named = loose["name_key"].notna()
    loose = loose[~named | ~loose.duplicated(keep="last")]
    if len(loose):
        twins = pd.MultiIndex.from_frame(latest[latest["phone_key"].notna()])
        again = pd.MultiIndex.from_frame(loose).isin(twins)
        loose = loose[~(again & loose["phone_key"].notna().to_numpy())]
    kept = latest.index.append(loose.index).sort_values()
    return rows.loc[kept], len(rows) - len(kept)
