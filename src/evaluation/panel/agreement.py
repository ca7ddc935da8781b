"""Ledgers beside published totals: the difference, its parts, what could be meant."""

import numpy as np
import pandas as pd

from evaluation.errors import TableError
from evaluation.ledgers.schema import ACCOUNTED, PLACE
from evaluation.panel.definitions import (
    TEN_THOUSAND,
    WAYS,
    choose_stated,
    count_each_way,
    count_late,
    count_undecided,
    count_without_amount,
)
from evaluation.panel.edition import cut_ledger
from evaluation.panel.linkage import link_rows
from evaluation.panel.totals import PARTS, STATES, describe, match

# Set aside because the row stands in its file already: nothing is missing by that.
REPEATED = ("duplicate",)
_NUMBERS = ["published", "ledger", "difference", *PARTS, "linked", "lost_by_linkage"]
_NUMBERS += ["ledger_as_of", "missing_rows", "missing_yuan", "undecided_rows"]
_NUMBERS += ["without_amount", "received"]
_FOUND = ["state", "state_zh", "match", "stated", "nearest", "nearest_zh", "nearest_en"]
_FOUND += ["suppressed"]
_KEPT = ["label_zh", "label_en", "unit", "as_of", "definition", "verified", "precision"]
_KEPT += ["needed_zh", "needed_en"]


def find_missing(
    ledger: str,
    edition: int,
    accounting: pd.DataFrame,
    issues: pd.DataFrame,
    rows: pd.DataFrame | None = None,
) -> dict:
    """Count what a ledger's newest delivery holds but the edition does not count.

    Only the newest delivery counts: a cumulative ledger repeats a bad row every year.
    Rows that merely repeat another one are not missing. A row that was corrected after
    the edition was still missing then.

    Parameters
    ----------
    accounting, issues
        As cleaned: rows and yuan per sheet; one row per thing wrong.
    rows
        Clean table of the ledger.

    Returns
    -------
    dict
        ``rows``, ``yuan``, ``received`` (year of the newest delivery; 0: unknown).
    """
    mine = accounting[(accounting["ledger"] == ledger) & (accounting["received"] <= edition)]
    newest = int(mine["received"].max()) if len(mine) else 0
    mine = mine[mine["received"] == newest]
    out = issues[(issues["state"] == "set_aside") & (issues["ledger"] == ledger)]
    out = out[(out["received"] == newest) & ~out["kind"].isin(REPEATED)]
    count = len(out.drop_duplicates(["file", "sheet", "row"]))
    yuan = (mine["amount_read"] - mine["amount_kept"] - mine["amount_repeated"]).sum()
    if rows is not None:
        here = rows[rows["source_file"].isin(mine["file"])]
        first = here.sort_values("received", kind="stable").drop_duplicates(PLACE)
        mended = first[first["received"] > edition]
        count, yuan = count + len(mended), yuan + mended[ACCOUNTED[ledger]].sum()
    return {"rows": count, "yuan": round(float(yuan), 2) + 0, "received": newest}


def split_difference(difference: float, could: dict[str, float]) -> dict[str, float]:
    """Divide a difference into what each reason could explain, and the rest.

    A reason explains at most what it amounts to, at most what is left by those before
    it, and nothing that it would only make larger. These are upper limits: a row that
    was set aside need not have counted.

    Parameters
    ----------
    difference
        Ledger less published.
    could
        By part, in order, how far the ledger would move.

    Returns
    -------
    dict
        All `PARTS`; they add up to the difference.

    Raises
    ------
    TableError
        If they do not.

    Examples
    --------
    >>> split_difference(-5, {"by_date": 3, "by_missing": -2})["unexplained"]
    -3
    """
    parts, left = dict.fromkeys(PARTS, 0), difference
    for name, amount in could.items():
        part = max(min(amount, left), 0) if left > 0 else min(max(amount, left), 0)
        parts[name] = part + 0  # no minus before a zero
        left = round(left - part, 6)
    parts["unexplained"] = left + 0
    against = any(part * difference < 0 for part in parts.values())
    if against or abs(sum(parts.values()) - difference) > 1e-6:
        raise TableError("对账各部分之和不等于差数。请告知维护者。")
    return parts


def compare_definitions(totals: pd.DataFrame, ledgers: dict, edition: int) -> pd.DataFrame:
    """Count each published total in every way that could have been meant.

    Each definition is counted to the end of the year of publication and to its day. The
    one nearest to the published figure is marked; it need not be what was meant.

    Parameters
    ----------
    totals
        As returned by `load_totals`.
    ledgers
        Of the panel, unlinked rows included.

    Returns
    -------
    pandas.DataFrame
        Key ``item, definition``, the ledger's own first: ``result_id``, ``value``,
        ``unit``, labels, ``counted_to``, ``difference`` (to the published figure),
        ``nearest``, ``fewest`` as in `count_each_way`, here also of the other parts of
        the same whole (``part_of``): publish the table with it as its count.
    """
    tables = []
    for total in totals.dropna(subset="computation").to_dict("records"):
        as_of, item = pd.Timestamp(total["as_of"]), total["indicator"]
        ledger = ledgers.get(total["programme"])
        if ledger is None or edition < as_of.year:
            continue
        days = {"": pd.Timestamp(as_of.year, 12, 31), "_as_of": as_of}
        table = count_each_way(total["computation"], ledger, days)
        table.insert(0, "item", item)
        table["family"] = total.get("part_of")
        table["difference"] = (table["value"] - total["value"]).round(6)
        table["nearest"] = (table.index == table["difference"].abs().idxmin()).astype(int)
        table["result_id"] = f"{edition}.agreement.{item}." + table["definition"]
        tables.append(table)
    if not tables:
        nothing = pd.DataFrame(columns=["item", *WAYS, "difference", "nearest", "result_id"])
        return nothing.astype(
            dict.fromkeys(("value", "difference", "nearest", "fewest"), float)
        )
    table = pd.concat(tables, ignore_index=True)
    parts = table[table["family"].notna() & (table["fewest"] > 0)]
    least = parts.groupby(["family", "definition"])["fewest"].transform("min")
    return table.assign(fewest=least.reindex(table.index).fillna(table["fewest"])).drop(
        columns="family"
    )


def compare_totals(
    totals: pd.DataFrame,
    ledgers: dict,
    edition: int,
    *,
    clean: dict | None = None,
    accounting: pd.DataFrame | None = None,
    issues: pd.DataFrame | None = None,
    least: int = 0,
) -> pd.DataFrame:
    """Set the ledgers beside the published totals, before and after linkage.

    The ledger counts to the end of the year of ``as_of``; amounts in 10,000 yuan. The
    difference is divided by `split_difference` into `PARTS`.

    Parameters
    ----------
    totals
        As returned by `load_totals`.
    ledgers
        Of the panel, unlinked rows included.
    clean
        Clean tables, to tell rows received after the year of publication.
    accounting, issues
        As cleaned, to tell rows set aside; without them none is known.
    least
        Parts by date, definition or late receipt that rest on fewer persons would tell
        of a few persons: they are missing, and counted in the unexplained one. So is what
        is linked, where fewer rows are not. How many rows were set aside tells of the
        ledger and stays; the yuan of fewer rows do not.

    Returns
    -------
    pandas.DataFrame
        Key ``item``: ``result_id``, ``published``, ``ledger``, ``linked``,
        ``difference``, the parts, ``lost_by_linkage``, ``ledger_as_of``,
        ``missing_rows``, ``missing_yuan``, ``undecided_rows`` (rural or urban blank),
        ``without_amount``, ``received`` (newest delivery), ``stated`` and ``nearest``
        definition, ``state`` (``agrees``, ``differs``, ``no_ledger``, ``ledger_missing``,
        ``not_yet_published``), ``match``, ``suppressed`` parts, words, labels, ``unit``,
        ``as_of``, ``definition``, ``precision``, what is ``needed`` to check it.
    """
    ways = compare_definitions(totals, ledgers, edition)
    rows, known = [], {}
    for total in totals.to_dict("records"):
        item, policy = total["indicator"], total["programme"]
        year = int(str(total["as_of"])[:4])
        row = {"item": item, "result_id": f"{edition}.agreement.{item}"}
        row |= {"published": total["value"]} | {column: total.get(column) for column in _KEPT}
        own = ways[ways["item"] == item].reset_index(drop=True)
        if edition < year:
            row |= {"published": np.nan, "match": "not_yet_published"}
        elif pd.isna(total["computation"]):
            row["match"] = "no_ledger"
        elif own.empty:
            row["match"] = "ledger_missing"
        else:
            missing = {"rows": np.nan, "yuan": np.nan, "received": np.nan}
            if accounting is not None:
                rows_of = (clean or {}).get(policy)
                missing = find_missing(policy, edition, accounting, issues, rows_of)
            if year not in known:
                late = clean is not None and edition > year
                known[year] = know_then(clean, year) if late else ledgers
            then = known[year][policy]
            row |= _compare(total, own, ledgers[policy], then, missing, least)
        row["state"], row["state_zh"] = STATES[row["match"]]
        rows.append(row)
    columns = ["item", "result_id", *_NUMBERS, *_FOUND, *_KEPT]
    table = pd.DataFrame(rows).reindex(columns=columns)
    table = table.astype(dict.fromkeys(_NUMBERS, float))
    return table.assign(words_zh=[describe(row) for row in table.to_dict("records")])


def know_then(clean: dict[str, pd.DataFrame], edition: int) -> dict[str, pd.DataFrame]:
    """Ledgers as an earlier edition knew them: cut, latest versions, linked."""
    cut = {name: cut_ledger(rows, name, edition)[0] for name, rows in clean.items()}
    return link_rows(cut)


def _compare(total, ways, ledger, then, missing, least) -> dict:
    """One total that has a ledger: counts, difference, parts."""
    computation, as_of = total["computation"], pd.Timestamp(total["as_of"])
    close = {"": pd.Timestamp(as_of.year, 12, 31)}
    own, best = ways.iloc[0], ways[ways["nearest"] == 1].iloc[0]
    dated = ways[ways["definition"] == own["definition"] + "_as_of"].iloc[0]
    before = count_each_way(computation, then, close).iloc[0]
    linked = count_each_way(computation, ledger.dropna(subset="person_id"), close).iloc[0]
    counted = choose_stated(computation, ledger, close[""])
    lost_rows = int((counted & ledger["person_id"].isna().to_numpy()).sum())
    # What one unlinked loan takes from the sum is that loan.
    found = np.nan if 0 < lost_rows < least else linked["value"]
    agreed = match(own["value"], total["value"], total.get("precision", "rounded"))
    undecided = count_undecided(computation, ledger, close[""])
    lost = missing["yuan"] / TEN_THOUSAND if own["unit"] == "万元" else missing["rows"]
    could = {
        "by_rounding": own["difference"] if agreed else 0,
        "by_late": own["value"] - before["value"],
        "by_date": own["value"] - dated["value"],
        "by_missing": -(np.nan_to_num(lost) + undecided),
    }
    few = {
        "by_late": bool(could["by_late"])
        and count_late(computation, ledger, then, close[""]) < least,
        "by_date": 0 < dated["fewest"] < least,
        "by_missing": own["unit"] == "万元" and 0 < missing["rows"] < least,
        "by_definition": 0 < best["fewest"] < least,
    }
    # What the day already explains is no matter of definition as well.
    dates = split_difference(own["difference"], could)["by_date"]
    could["by_definition"] = own["value"] - best["value"] - dates
    parts = split_difference(own["difference"], could)
    hidden = [name for name, is_few in few.items() if is_few]
    if not agreed:
        parts["unexplained"] += sum(parts[name] for name in hidden)
        parts |= dict.fromkeys(hidden, np.nan)
    return {
        "ledger": own["value"],
        "linked": found,
        "difference": own["difference"],
        **parts,
        "lost_by_linkage": own["value"] - found,
        "ledger_as_of": np.nan if "by_date" in hidden else dated["value"],
        "missing_rows": missing["rows"],
        "missing_yuan": np.nan if 0 < missing["rows"] < least else missing["yuan"],
        "undecided_rows": undecided,
        "without_amount": count_without_amount(computation, ledger, close[""]),
        "received": missing["received"],
        "stated": own["definition"],
        "nearest": best["definition"],
        "nearest_zh": best["label_zh"],
        "nearest_en": best["label_en"],
        "match": agreed,
        "suppressed": ";".join(
            [f"{name}:small" for name in hidden] + ["linked"] * bool(np.isnan(found))
        ),
    }
