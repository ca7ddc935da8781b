"""One function per ledger: rows as typed to rows that can be counted and linked.

A month or a year typed without a day becomes its first day, for ends its last. What a
cell says about itself beats its column's heading; nothing else is ever guessed.
"""

import re

import numpy as np
import pandas as pd

from evaluation.ledgers import matching, values, versions
from evaluation.ledgers.account import account_for, count_yuan
from evaluation.ledgers.columns import parse_columns, parse_township
from evaluation.ledgers.kinds import SET_ASIDE
from evaluation.ledgers.linking import link_businesses, link_column, link_persons
from evaluation.ledgers.programmes import check_rows
from evaluation.ledgers.raw import NEVER, Raw
from evaluation.ledgers.reference import Reference
from evaluation.ledgers.rules import check_dates, check_duplicates, check_merged, settle
from evaluation.ledgers.schema import shape


def clean_raw(raw: Raw, known: Reference, corrections: list):
    """Clean the rows of one ledger.

    Returns
    -------
    tuple
        Clean table with the fingerprint of each row in ``print``, accounting per sheet (the
        index of both is the sheet's place in the order of reading), issues.
    """
    notes: list[dict] = []
    check_merged(raw, notes)
    cleaned = parse_columns(raw, known.words, notes)
    cleaned |= link_persons(raw, known.pseudonyms, known.prefixes, cleaned.get("sex"), notes)
    cleaned |= _CLEANERS[raw.ledger](raw, known, cleaned, notes)
    check_rows(raw, cleaned, known.rules, notes)
    check_dates(raw, cleaned, notes)
    check_duplicates(raw, notes)
    cleaned |= {
        "source_file": values.take_texts([sheet.file for sheet in raw.sheets], raw.sheet_of),
        "source_sheet": values.take_texts([sheet.name for sheet in raw.sheets], raw.sheet_of),
        "source_row": raw.rows,
        "received": np.maximum(raw.received, raw.known_from),
        "superseded": np.where(raw.superseded > 0, raw.superseded, np.nan),
    }
    issues, lost = settle(notes, raw)
    amount = count_yuan(raw, cleaned)
    versions.record_effects(corrections, raw, lost, amount)
    account = account_for(raw, amount, lost, issues)
    at, nobody = issues["position"].to_numpy(dtype=int), np.full(len(raw.rows), None)
    issues = issues.assign(
        amount=np.where(issues["state"] == SET_ASIDE, amount[at], 0.0),
        township=cleaned.get("township", nobody)[at],
        person_id=cleaned["person_id"][at],
        code=matching.find_codes(issues, raw, known.pseudonyms),
    )
    kept = ~lost & (raw.superseded != NEVER)
    # Each column is let go of as it is cut: many years are not held twice.
    columns = ((name, cleaned.pop(name)) for name in list(cleaned))
    columns = {name: column[kept] for name, column in columns if column is not None}
    table = shape(columns, raw.ledger, kept.sum()).assign(print=raw.prints[kept])
    return table.set_axis(raw.order[raw.sheet_of[kept]]), account, issues


def clean_roster(raw, known, cleaned, notes) -> dict:
    """One row per person and snapshot: township, household, year of the snapshot."""
    return {
        **parse_township(raw, known.places, cleaned["snapshot_on"], notes),
        "snapshot_year": pd.Series(cleaned["snapshot_on"]).dt.year.to_numpy(dtype=float),
        "household_key": link_column(raw, "household", known.pseudonyms),
    }


def clean_register(raw, known, cleaned, notes) -> dict:
    """One row per spell; a file without 有效标志 holds valid rows only.

    Cancelled spells stay, marked ``valid`` = 0.
    """
    result = link_businesses(raw, known.pseudonyms, notes)
    result["firm_key"] = link_column(raw, "firm", known.pseudonyms)
    if "valid" not in raw.columns:
        result["valid"] = np.ones(len(raw.rows))
    return result


def clean_subsidies(raw, known, cleaned, notes) -> dict:
    """One row per application: business, township (from its column or the address), refusal.

    ``refusal`` is ``ineligible`` where the note says that conditions are not met,
    ``other`` for any other note.
    """
    result = link_businesses(raw, known.pseudonyms, notes)
    result["firm_key"] = link_column(raw, "firm", known.pseudonyms)
    result |= parse_township(raw, known.places, cleaned["applied_on"], notes)
    if "note" in raw.columns:
        cells = raw.columns["note"]
        barred = [re.search("不符合|不具备|不属于|条件", text) for text in cells.categories]
        reason = np.array(["ineligible" if hit else "other" for hit in barred], dtype=object)
        reason = values.take(reason, cells.codes, None)
        result["refusal"] = np.where(cleaned["result"] == "refused", reason, None)
    return result


def clean_loans(raw, known, cleaned, notes) -> dict:
    """One row per application: loan key, compensation (blank is none), rate in per cent.

    A rate below 0.3 is Excel's fraction of a per-cent cell: no loan is that cheap.
    """
    compensated = cleaned.get("compensated_amount", np.zeros(len(raw.rows)))
    rate = cleaned.get("rate", np.full(len(raw.rows), np.nan))
    return {
        "loan_id": link_column(raw, "contract", known.pseudonyms),
        "firm_key": link_column(raw, "firm", known.pseudonyms),
        "compensated_amount": np.where(np.isnan(compensated), 0.0, compensated),
        "rate": np.where(rate < 0.3, rate * 100, rate).round(4),
    }


def clean_posts(raw, known, cleaned, notes) -> dict:
    """One row per placement; pay and insurance are summed over it by the office."""
    return parse_township(raw, known.places, cleaned["started_on"], notes)


_CLEANERS = {
    "roster": clean_roster,
    "register": clean_register,
    "subsidy": clean_subsidies,
    "loan": clean_loans,
    "post": clean_posts,
}
