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
    visible = rows[rows["received"].fillna(0) <= edition]
    event = visible[EVENT[ledger][0]]
    for column in EVENT[ledger][1:]:
        event = event.fillna(visible[column])
    if ledger == "roster":
        year = visible["snapshot_year"].fillna(event.dt.year)
        undated, later = year.isna(), (year > edition).fillna(False)
        visible = visible.assign(snapshot_year=year)
    else:
        undated, later = event.isna(), event > close
    kept = visible[~undated & ~later].copy()
    counts = {
        "read": len(rows),
        "received_later": len(rows) - len(visible),
        "undated": int(undated.sum()),
        "after_edition": int(later.sum()),
    }
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
    codes = [pd.factorize(kept[c], sort=True)[0] for c in reversed(SOURCE)]
    return kept.iloc[np.lexsort(codes)].reset_index(drop=True), counts


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
    key = rows[KEYS[ledger]]
    if ledger == "register":
        order = np.lexsort((np.arange(len(rows)), rows["valid"].fillna(1), rows["received"]))
        rows, key = rows.iloc[order], key.iloc[order]
    linked = rows["person_id"].notna()
    if ledger == "loan":
        contract = rows["loan_id"].notna()
        same = rows["person_id"].groupby(rows["loan_id"]).transform("last")
        rows = rows.assign(person_id=rows["person_id"].mask(contract, same))
        linked |= contract
        key = key.assign(**{n: key[n].mask(contract) for n in ("person_id", "applied_on")})
    latest = rows[linked & ~key.assign(linked=linked).duplicated(keep="last")]
    loose, other = rows[~linked], ["name_key", "phone_key", *dates]
    named = loose["name_key"].notna()
    loose = loose[~named | ~loose.duplicated(other, keep="last")]
    if len(loose):
        twins = pd.MultiIndex.from_frame(latest.loc[latest["phone_key"].notna(), other])
        again = pd.MultiIndex.from_frame(loose[other]).isin(twins)
        loose = loose[~(again & loose["phone_key"].notna().to_numpy())]
    return pd.concat([latest, loose]).sort_index(), len(rows) - len(latest) - len(loose)
