"""What an edition may see: cut to its last day, the latest version of each row."""

import numpy as np
import pandas as pd

from evaluation.ledgers.schema import KEY_DATES

SOURCE = ["received", "source_file", "source_sheet", "source_row"]

# Per ledger: which columns are only known from a later day on, what makes two rows versions
# of the same thing, and what tells the things of one person apart.
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
THINGS = {
    ledger: [name for name in names if name not in ("person_id", "loan_id")]
    for ledger, names in KEYS.items()
}


def cut_ledger(rows: pd.DataFrame, ledger: str, edition: int):
    """Reduce one clean table to what was known on the edition's last day.

    Rows received in a later year go (0 = received at an unknown time, always visible), and
    so do rows that a clerk had corrected by then (the corrected version stays);
    rows whose event lies later, or whose event has no date, go and are counted; fields
    dated later become missing, with what they tell. A subsidy checked later is waiting;
    a date that was agreed beforehand (due, end of the agreement) stays.

    Cumulative ledgers repeat old rows every year, so only the latest version of each row
    is kept. A later delivery replaces an earlier, within one delivery the later row (of
    the register: a valid one). A loan is known by its contract, so that a number damaged
    in one delivery is taken from another. Other rows without ``person_id`` are told apart
    by name, phone and dates, and dropped where a linked row has the same. Without a name
    key such a row stands for itself.

    Returns
    -------
    tuple
        One row per thing, in order of receipt and source, with ``link_pass`` (``number``,
        ``contract`` or missing); ``person_id`` and ``received`` of all rows seen, in the
        same order; a dict of row counts.
    """
    close = pd.Timestamp(edition, 12, 31)
    if ledger == "roster":
        year = rows["snapshot_year"].fillna(rows["snapshot_on"].dt.year)
        rows = rows.assign(snapshot_year=year)
    order, counts = _find_visible(rows, ledger, edition)
    needed = {"person_id", "received", "name_key", "phone_key", "valid", *KEYS[ledger]}
    seen = rows[[name for name in rows if name in needed]]
    seen = seen.iloc[order].reset_index(drop=True)
    linked = seen
    if ledger == "loan":
        same = seen["person_id"].groupby(seen["loan_id"]).transform("last")
        number = seen["person_id"].mask(seen["loan_id"].notna(), same)
        linked = seen.assign(person_id=number)
    keep = keep_latest(linked, ledger)
    # The whole table is copied once, when it is known which rows stay.
    latest = rows.iloc[order[keep]].set_axis(keep)
    own, found = (frame["person_id"].iloc[keep].notna() for frame in (seen, linked))
    ways = np.where(own, "number", np.where(found, "contract", None))
    latest["link_pass"] = pd.Series(ways, keep, dtype="str")
    if ledger == "loan":
        latest["person_id"] = linked["person_id"].iloc[keep]
    blanked = sum(int((rows[name] > close).to_numpy()[order].sum()) for name in DATED[ledger])
    counts |= {"fields_blanked": blanked, "older_version": len(seen) - len(keep)}
    return blank_later(latest, ledger, close), seen[["person_id", "received"]], counts


def _find_visible(rows, ledger, edition):
    """Positions of the rows known by the edition's end, in order of receipt and source."""
    visible = find_received(rows, edition)
    if ledger == "roster":
        year = rows["snapshot_year"]
        undated = year.isna().to_numpy()
        later = (year > edition).fillna(False).to_numpy(dtype=bool)
    else:
        event = find_events(rows, ledger)
        undated = event.isna().to_numpy()
        later = (event > pd.Timestamp(edition, 12, 31)).to_numpy()
    counts = {
        "read": len(rows),
        "received_later": int((~visible).sum()),
        "undated": int((visible & undated).sum()),
        "after_edition": int((visible & later).sum()),
    }
    kept = np.flatnonzero(visible & ~undated & ~later)
    codes = [pd.factorize(rows[name], sort=True)[0][kept] for name in reversed(SOURCE)]
    return kept[np.lexsort(codes)], counts


def find_received(rows: pd.DataFrame, edition: int) -> np.ndarray:
    """Mark the rows received by the edition's end and not corrected by then."""
    received = (rows["received"].fillna(0) <= edition).to_numpy(dtype=bool)
    if "superseded" in rows:  # corrected by then: its corrected version is another row
        corrected = (rows["superseded"] <= edition).fillna(False).to_numpy(dtype=bool)
        return received & ~corrected
    return received


def find_events(rows: pd.DataFrame, ledger: str) -> pd.Series:
    """Day of each row's event: the first of its key dates that is known."""
    first, *others = KEY_DATES[ledger]
    event = rows[first]
    for column in others:
        event = event.fillna(rows[column])
    return event


def blank_later(rows: pd.DataFrame, ledger: str, close) -> pd.DataFrame:
    """Blank the fields dated after the edition's end, with what they tell.

    Parameters
    ----------
    close
        The last day, or one for each row.
    """
    rows = rows.copy(deep=False)
    for column, told in DATED[ledger].items():
        future = rows[column] > close
        if not future.any():
            continue
        if ledger == "subsidy" and column in ("checked_on", "paid_on"):
            unknown = future & (rows["checked_on"].isna() | (column == "checked_on"))
            rows["result"] = rows["result"].mask(unknown, "waiting")
            rows["amount"] = rows["amount"].mask(unknown)
        for name in (column, *told):
            rows[name] = rows[name].mask(future)
    return rows


def keep_latest(rows: pd.DataFrame, ledger: str) -> np.ndarray:
    """Positions of the latest version of each row; `rows` in order of receipt and source."""
    key, turn = rows[KEYS[ledger]], np.arange(len(rows))
    linked = rows["person_id"].notna()
    if ledger == "loan":
        contract = rows["loan_id"].notna()
        linked |= contract
        key = key.assign(**{n: key[n].mask(contract) for n in ("person_id", "applied_on")})
    key, linked = key.assign(linked=linked), linked.to_numpy()
    if ledger == "register":
        turn = np.lexsort((turn, rows["valid"].fillna(1), rows["received"]))
        key = key.iloc[turn]
    latest = turn[linked[turn] & ~key.duplicated(keep="last").to_numpy()]
    loose = rows[["name_key", "phone_key", *THINGS[ledger]]].iloc[turn[~linked[turn]]]
    loose = loose[loose["name_key"].isna() | ~loose.duplicated(keep="last")]
    phones = pd.Index(loose["phone_key"].dropna().unique())
    if len(phones):
        near = latest[phones.get_indexer(rows["phone_key"])[latest] >= 0]
        twins = pd.MultiIndex.from_frame(rows[[*loose]].iloc[near])
        again = pd.MultiIndex.from_frame(loose).isin(twins)
        loose = loose[~(again & loose["phone_key"].notna().to_numpy())]
    keep = np.zeros(len(rows), dtype=bool)
    keep[latest], keep[loose.index] = True, True
    return np.flatnonzero(keep)
