"""Which rows stand where: sheets, sections, sums and merged cells of each delivery."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.demo.deliveries import Delivery
from evaluation.demo.ledgers import FILES, headings_of, unit_of
from evaluation.demo.workbooks import Layout, Table

MOST_ROWS = 50_000  # of a roster or register written as a workbook
_MERGED_SHEETS = 2  # the shortest sheets of a workbook: there cells are merged downwards
_MERGED_AMOUNTS = 3  # pairs of rows whose amounts stand in one cell


@dataclass(frozen=True)
class Sheet:
    """A sheet, and which rows stand on it in which order."""

    name: str
    rows: np.ndarray
    table: Table


def choose_layout(delivery: Delivery, n_rows: int) -> tuple[Layout, str | None]:
    """Choose layout and encoding (none for a workbook).

    Rosters and registers too long for a workbook of a few seconds come as csv.
    """
    ledger, year = delivery.ledger, delivery.year
    title = f"{year}年{FILES[ledger]}{delivery.suffix}"
    if ledger == "roster":
        book = delivery.suffix or (year in (2021, 2024) and n_rows < MOST_ROWS)
        if not book:
            return Layout(), ("gb18030", "utf-8-sig", "utf-8")[year % 3]
        by_township = has_sheets(delivery) and not delivery.suffix
        reporter = "填报单位：{}" if by_township else None
        return Layout(title, None, reporter, spaced=True, page=0 if by_township else 400), None
    if ledger == "register":
        if year == 2022 and n_rows < MOST_ROWS:
            return Layout(top=2), None
        return Layout(), ("utf-8-sig", "gb18030")[year % 2]
    layout = Layout(
        title=f"{FILES[ledger]}（截至{year}年12月31日）",
        unit=None if ledger == "loan" else f"单位：{unit_of(ledger, year)}",
        reporter="填报单位（盖章）：{}" if has_sheets(delivery) else None,
        left=int(year % 3 == 1),
        top=int(year % 4 == 3),
        spaced=year % 2 == 1,
        hidden=year % 5 == 0,
        total=headings_of(ledger, year)["amount"],
        page=50 if ledger == "post" and year in (2018, 2021) else 0,
    )
    return layout, None


def is_old_format(delivery: Delivery) -> bool:
    """Whether the workbook comes as xls."""
    return delivery.ledger == "loan" and delivery.year % 10 == 9


def has_sheets(delivery: Delivery) -> bool:
    """Whether each township has a sheet of its own."""
    ledger, year = delivery.ledger, delivery.year
    return (ledger == "roster" and year == 2021) or (ledger == "post" and year >= 2022)


def arrange(rows: pd.DataFrame, notes: list, delivery: Delivery, layout: Layout, planted):
    """Put the rows of a delivery on sheets.

    Parameters
    ----------
    rows, notes
        As returned by `plant`.
    planted
        ``papers``, and whether anything ``merges``.

    Returns
    -------
    tuple
        The sheets, and notes of the cells that are merged: ``(position, column, kind)``.
    """
    ledger, year = delivery.ledger, delivery.year
    town = planted.papers["township"].to_numpy()[rows["person"].to_numpy(dtype=int)]
    town = pd.Series(town, dtype=object)
    headings = headings_of(ledger, year)
    if has_sheets(delivery) and layout.reporter:
        groups = {name: np.flatnonzero(town == name) for name in town.unique()}
        short = sorted(groups, key=lambda name: (len(groups[name]), name))[:_MERGED_SHEETS]
    else:
        groups, short = {"台账": np.arange(len(rows))}, ()
    sheets, more = [], []
    for name, own in groups.items():
        own, sections, sums = _order(own, rows, town, delivery)
        cells = rows.iloc[own][list(headings)].rename(columns=headings).reset_index(drop=True)
        table = Table(cells, sections, sums)
        if name in short and planted.merges:
            columns = ["household"] if ledger == "roster" else ["employer"]
            columns += ["township"] if ledger == "roster" and name == short[0] else []
            for column in columns:
                more += _merge_equal(table, own, rows, column, headings)
            if ledger == "post":
                wrong = rows["person"].iloc[[place for place, *_ in notes]]
                able = ~rows["person"].iloc[own].isin(wrong).to_numpy()
                more += _merge_amounts(table, own, able, headings)
        sheets.append(Sheet(name, own, table))
    return sheets, more


def _order(own, rows, town, delivery):
    """Order of the rows of a sheet; sections and sums between them."""
    ledger, year = delivery.ledger, delivery.year
    if (ledger == "loan" and year >= 2020) or (ledger == "subsidy" and year == 2023):
        # Two tables below each other: who was approved, and who was not.
        second = (rows["result"].iloc[own] != "通过").to_numpy()
        start = int((~second).sum())
        sections = {start: "二、未通过及待审核人员"} if 0 < start < len(own) else {}
        return own[np.argsort(second, kind="stable")], sections, ()
    if ledger == "post" and year < 2022 and year % 2:
        codes = pd.factorize(town.iloc[own])[0]
        own = own[np.argsort(codes, kind="stable")]
        codes = np.sort(codes)
        return own, {}, tuple(np.flatnonzero(np.diff(codes, append=-1)))
    if ledger == "roster" and has_sheets(delivery):
        return own[np.argsort(rows["household"].iloc[own].to_numpy(), kind="stable")], {}, ()
    return own, {}, ()


def _merge_equal(table, own, rows, column, headings):
    """Merge equal cells downwards: a household's number, a township, an employer."""
    same = rows[column].iloc[own].to_numpy()
    starts, notes = np.flatnonzero(np.r_[True, same[1:] != same[:-1]]), []
    for first, last in zip(starts, np.r_[starts[1:], len(own)] - 1, strict=True):
        if last > first:
            table.merges.append((headings[column], first, last, same[first]))
            notes += [(own[at], column, "cell_filled") for at in range(first + 1, last + 1)]
    return notes


def _merge_amounts(table, own, able, headings):
    """Merge the amounts of some pairs of rows: their sum stands in the first.

    Only of persons in whose rows nothing else is wrong: a duplicate must stay one.
    """
    heading, notes, at = headings["amount"], [], 0
    amounts = table.cells[heading].copy()
    while at + 1 < len(own) and len(notes) < _MERGED_AMOUNTS:
        if able[at : at + 2].all():
            both = round(amounts.iloc[at] + amounts.iloc[at + 1], 2)
            amounts.iloc[at], amounts.iloc[at + 1] = both, None
            table.merges.append((heading, at, at + 1, both))
            notes.append((own[at + 1], "amount", "amount_merged"))
            at += 1
        at += 2
    table.cells[heading] = amounts
    return notes
