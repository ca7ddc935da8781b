"""Accounting: rows read are rows kept and rows set aside, and so are the yuan."""

import numpy as np
import pandas as pd

from evaluation.errors import LedgerError
from evaluation.ledgers.schema import ACCOUNTED


def count_yuan(raw, cleaned: dict) -> np.ndarray:
    """Yuan of each row that are added up in the accounting, 0 where there are none."""
    amount = cleaned.get(ACCOUNTED.get(raw.ledger), np.zeros(len(raw.rows)))
    return np.where(np.isnan(amount), 0.0, amount)


def account_for(raw, amount: np.ndarray, lost: np.ndarray, issues: pd.DataFrame):
    """Account for the rows and yuan of each sheet, as corrected.

    Parameters
    ----------
    amount, lost
        Yuan of each row, and whether it is set aside.
    issues
        As returned by `settle`.

    Returns
    -------
    pandas.DataFrame
        One row per sheet, columns as in `clean.CleanedLedgers`.

    Raises
    ------
    LedgerError
        If rows or yuan read are not those kept and those set aside.
    """
    last, count = raw.is_last, len(raw.sheets)
    read, kept = raw.sheet_of[last], raw.sheet_of[last & ~lost]
    twice = issues.loc[issues["kind"] == "duplicate", "position"].to_numpy(dtype=int)
    account = pd.DataFrame(
        {
            "file": [sheet.file for sheet in raw.sheets],
            "sheet": [sheet.name for sheet in raw.sheets],
            "ledger": raw.ledger,
            "received": [sheet.received for sheet in raw.sheets],
            "reporter": [sheet.reporter for sheet in raw.sheets],
            "rows_read": np.bincount(read, minlength=count),
            "rows_kept": np.bincount(kept, minlength=count),
            "rows_skipped": [sheet.skipped for sheet in raw.sheets],
            "amount_read": np.bincount(read, amount[last], count).round(2),
            "amount_kept": np.bincount(kept, amount[last & ~lost], count).round(2),
            "amount_repeated": np.bincount(raw.sheet_of[twice], amount[twice], count).round(2),
        },
        index=raw.order,
    )
    aside = issues.loc[issues["state"] == "set_aside", "position"].unique().astype(int)
    set_aside = np.bincount(raw.sheet_of[aside], minlength=count)
    yuan = np.bincount(raw.sheet_of[aside], amount[aside], count)
    wrong = account["rows_read"] != account["rows_kept"] + set_aside
    wrong |= (account["amount_read"] - account["amount_kept"] - yuan).abs() > 0.05
    if wrong.any():
        file = account.loc[wrong, "file"].iloc[0]
        raise LedgerError("行数或金额对不上：读入 ≠ 保留 + 搁置。请告知维护者。", file=file)
    return _join_tables(account)


def _join_tables(account):
    """Several tables of one ledger on one sheet are accounted for together."""
    place = ["file", "sheet"]
    if not account.duplicated(place).any():
        return account
    how = dict.fromkeys(account, "sum") | dict.fromkeys(("ledger", "received"), "first")
    how["reporter"] = lambda names: next(filter(None, names), "")
    rest = [name for name in account if name not in place]
    joined = account.groupby(place, sort=False).agg({name: how[name] for name in rest})
    order = account.index[~account.duplicated(place)]
    return joined.reset_index()[list(account)].set_axis(order)
