"""Tables of the page: rows of published tables laid out for readers, each cell bound."""

import math
import re

import pandas as pd

from evaluation.findings.quotes import may_be_told

# What 2_panel calls a group of persons in `reach`: returnees, then the policies.
EVERYBODY = "returnees"


def reach(view) -> dict | None:
    """Traits of participants beside all returnees, per 100."""
    rows = [row for row in view.rows("reach") if row.get("trait") != "township"]
    return _pivot(view, rows, "share", "share")


def standing_out(view) -> list[tuple]:
    """Per policy the trait whose share lies highest above that of all returnees.

    Returns
    -------
    list of (policy, label, participants of 100, returnees of 100)
        Policies of whom such a trait is known, in the page's order.
    """
    rows = [row for row in view.rows("reach") if row.get("trait") != "township"]
    everybody = {row["level"]: row for row in rows if row["group"] == EVERYBODY}
    found = []
    for policy in view.order:
        own = [row for row in rows if row["group"] == policy and row["level"] in everybody]
        above = [(row["share"] - everybody[row["level"]]["share"], row) for row in own]
        above = [(size, row) for size, row in above if size > 0]  # else withheld, or below
        if above:
            _, most = max(above, key=lambda pair: pair[0])
            other = everybody[most["level"]]
            cells = [view.cell(row, "share", "people") for row in (most, other)]
            label = view.name(most["level"])
            found.append((policy, label[:1].lower() + label[1:], *cells))
    return found


def strip(view, level: str) -> list[tuple[str, float]]:
    """Marks of one row of `reach` on a line from 0 to 100: group and share of 100."""
    rows = [row for row in view.rows("reach") if row["level"] == level]
    return [(row["group"], row["share"] * 100) for row in rows if pd.notna(row["share"])]


def townships(view) -> dict | None:
    """Persons by township; the total last."""
    rows = [row for row in view.rows("reach") if row.get("trait") == "township"]
    return _pivot(view, rows, "n", "cell")


def _pivot(view, rows, value, style) -> dict | None:
    """Lay long rows out as level by group; codes become words."""
    if not rows:
        return None
    cells = {(row["level"], row["group"]): row for row in rows}
    levels = dict.fromkeys(row["level"] for row in rows)
    known = {row["group"] for row in rows}
    columns = [group for group in (EVERYBODY, *view.order) if group in known]
    body = []
    for level in levels:
        line = [cells.get((level, group)) for group in columns]
        first = next(row for row in line if row is not None)
        numbers = [view.cell(row, value, style) for row in line]
        body.append((view.bind(view.name(level), first), numbers, level))
    names = [view.name(c) for c in columns]
    return {"groups": columns, "columns": names, "rows": body, "result_id": first["result_id"]}


def funnel(view) -> list:
    """Persons left after each step, with their share of the first."""
    rows = view.rows("funnel")
    cells = {(row["step"], row["policy"]): row for row in rows}
    first = {row["policy"]: row["n"] for row in reversed(rows)}
    body = []
    for step in dict.fromkeys(row["step"] for row in rows):
        line = []
        for policy in view.order:
            row = cells.get((step, policy))
            known = row is not None and pd.notna(row["n"]) and first[policy] > 0
            line.append((view.cell(row, "n"), row["n"] / first[policy] if known else None))
        label = next(row for row in rows if row["step"] == step)
        body.append((view.label(label, step), line, label["result_id"]))
    return body


def is_mostly_recent(view) -> bool:
    """Whether most of those not evaluated entered too recently, under every policy."""
    counts: dict[str, dict] = {}
    for row in view.rows("funnel"):
        if pd.notna(row["n"]):
            counts.setdefault(row["policy"], {})[row["step"]] = row["n"]
    shares = []
    for own in counts.values():
        if not {"ledger", "due", "evaluated"} <= set(own) or own["ledger"] <= own["evaluated"]:
            continue
        steps = list(own)
        too_recent = own[steps[steps.index("due") - 1]] - own["due"]
        shares.append(too_recent / (own["ledger"] - own["evaluated"]))
    return bool(shares) and min(shares) > 0.5


def cut_paths(view, policy: str) -> pd.DataFrame:
    """The years that the paths figure draws and its table lists: up to the horizon."""
    rows = view.tables[f"paths_{policy}"]
    last = view.verdicts[policy].get("horizon", math.inf)
    return rows if rows.empty else rows[rows["event_time"].between(-4, last)]


def paths(view, policy: str) -> dict | None:
    """Numbers of the paths figure: both groups by year around entry, with the band."""
    rows = cut_paths(view, policy).to_dict("records")
    cells = {(row["event_time"], row["group"]): row for row in rows}
    body = []
    for time in dict.fromkeys(sorted(row["event_time"] for row in rows)):
        line = [cells.get((time, group)) for group in ("treated", "comparison")]
        if any(row is not None and pd.notna(row["share"]) for row in line):
            numbers = [view.cell(row, "persons") for row in line]
            numbers.append(view.cell(line[1], "persons_interval", "interval_cell"))
            first = next(row for row in line if row is not None)
            body.append((view.cell(first, "event_time", "year_end"), numbers))
    people = view.words["policies"][policy]["people"]
    heads = [people, view.page["figure_others"], view.page["col_band"]]
    return {"columns": heads, "rows": body} if body else None


def months(view, policy: str) -> dict | None:
    """Numbers of the figure of months, one row a year."""
    rows = view.rows(f"months_{policy}")
    names = ("treated_open", "comparison_open", "treated_post")
    body = [
        (
            view.cell(row, "month"),
            [
                *(view.cell(row, name, "share") for name in names),
                view.cell(row, "gained", "tenths"),
            ],
        )
        for row in rows
        if row["month"] % 12 == 0 and pd.notna(row["treated_open"])
    ]
    heads = [view.page[f"col_{name}"] for name in (*names, "gained")]
    return {"columns": heads, "rows": body} if body else None


def agreement(view) -> dict | None:
    """Published totals beside the ledgers', those with a ledger; the unit in the title."""
    columns = ("published", "ledger", "difference", "linked")
    body = []
    for row in view.rows("agreement"):
        if row.get("state") in ("no_ledger", "not_yet_published"):
            continue
        if row["item"].split("_")[0] not in view.order:
            continue
        cells = [_total(view, row, column) for column in columns]
        if row.get("state") == "ledger_missing":
            cells[1] = view.page["no_ledger"]
        body.append((_measured(view, row), cells))
    heads = [view.page[f"col_{c}"] for c in columns]
    return {"columns": heads, "rows": body} if body else None


def is_compared(view) -> bool:
    """Whether a published total stands beside a ledger's."""
    return any(pd.notna(row["difference"]) for row in view.rows("agreement"))


def _name_measure(view, row: dict) -> str:
    """What a published total counts, with its unit."""
    label = row.get(f"label_{view.language}") or view.name(row["item"])
    if view.language == "zh" and isinstance(row.get("unit"), str):
        label = view.page["unit"].format(label, row["unit"])
    return label


def _measured(view, row: dict):
    return view.bind(_name_measure(view, row), row)


def _total(view, row: dict, column: str):
    """A total or a part of it: whole, or an amount to the second decimal."""
    value = row.get(column)
    whole = pd.isna(value) or float(value).is_integer()
    return view.cell(row, column, "cell" if whole else "fine")


def differences(view) -> dict | None:
    """What the differences to published totals are made of; only what is not nothing."""
    rows = [row for row in view.rows("agreement") if row.get("state") == "differs"]
    columns = [c for c in view.page["parts"] if any(row[c] for row in rows)]
    body = [
        (
            _measured(view, row),
            [_total(view, row, c) for c in ("difference", *columns)],
        )
        for row in rows
    ]
    heads = [view.page["col_difference"], *(view.page["parts"][c] for c in columns)]
    return {"columns": heads, "rows": body} if body else None


def unchecked(view) -> list:
    """Published totals without a ledger: what, how many, and the list that is missing."""
    rows = [row for row in view.rows("agreement") if row.get("state") == "no_ledger"]
    styles = ["over" if row["precision"] == "at_least" else "cell" for row in rows]
    lists = [re.split("[：:]", row[f"needed_{view.language}"])[0] for row in rows]
    return [
        (_measured(view, row), view.cell(row, "published", style), view.bind(needed, row))
        for row, style, needed in zip(rows, styles, lists, strict=True)
    ]


def revisions(view) -> dict | None:
    """The same cohorts in the edition before and in this one, per 100 participants."""
    badges, body = view.words["verdicts"], []
    for row in view.rows("revisions"):
        codes = [row[f"verdict_{when}"] for when in ("before", "now")]
        cells = [" → ".join(dict.fromkeys(badges[code]["badge"] for code in codes))]
        cells += [view.cell(row, c, "share_points") for c in ("before", "now", "difference")]
        cause = row.get("cause")
        known = isinstance(cause, str)
        cells.append(view.words["steps"][cause] if known else view.page["unknown"])
        body.append((view.words["policies"][row["policy"]]["short"], cells))
    heads = [view.page[f"col_{c}"] for c in ("verdict", "before", "now", "difference", "cause")]
    return {"columns": heads, "rows": body} if body else None


def sources(view) -> list[tuple]:
    """Where the page comes from; versions of packages in one row."""
    named, packages = [], []
    for row in view.rows("provenance"):
        if row["item"] in view.words["names"]:
            value = view.words["names"].get(row["value"], row["value"])  # 无 in English
            named.append((view.name(row["item"]), [("", value)]))
        else:
            packages.append((f"{row['item']} ", row["value"]))
    return named + ([(view.page["packages"], packages)] if packages else [])


def quoted(view) -> list[dict]:
    """The results that the page has quoted so far, for the list at its end."""
    rows = []
    for result_id in view.quoted:
        result = view.results[result_id]
        what = [view.words["policies"].get(result.get("policy"), {}).get("short")]
        what += [view.name(result[k]) for k in ("design", "term", "outcome") if k in result]
        what.append(_name_measure(view, result) if "item" in result else None)
        what.append(view.name("months_open_cumulative") if "gained" in result else None)
        is_told = may_be_told(view.findings, result)
        is_described = is_told and "estimate" in result and not view.concludes(result["policy"])
        what.append(view.page["described"] if is_described else None)
        cells = [
            view.number(result_id, column, style)
            if column and is_told
            else view.page["unknown"]
            for column, style in _list_numbers(result)
        ]
        label = view.bind(" · ".join(filter(None, what)), {"result_id": result_id})
        rows.append({"id": result_id, "what": label, "cells": cells})
    return rows


def _list_numbers(result: dict) -> list[tuple[str | None, str]]:
    """Persons, estimate and interval of a result as the page quotes it: column and style."""
    if "gained" in result:  # months, of which the page quotes those gained
        numbers = [("gained", "tenths"), ("gained_interval", "interval_tenths")]
    elif "agreement.published" in result:
        return [(None, ""), ("agreement.published", "cell"), (None, "")]
    elif "estimate" in result:
        numbers = [("estimate", "share_points"), ("interval", "interval_points")]
    else:
        numbers = [(None, ""), (None, "")]
    return [("n_treated", "cell"), *numbers]
