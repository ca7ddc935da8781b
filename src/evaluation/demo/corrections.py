"""A workbook of corrections, as clerks send one in for the demonstration ledgers."""

import datetime

import pandas as pd
import xlsxwriter

from evaluation.demo.workbooks import MADE
from evaluation.ledgers.corrections import HEADINGS

NAME = "更正.xlsx"
# What a clerk looks up first; the rest stays open.
_CORRECTED = ("number_checksum", "place_unknown", "word_unknown", "date_unreadable")
_CLERK = "示范经办人"


def choose_corrections(planted: pd.DataFrame, last: int) -> pd.DataFrame:
    """Choose planted defects of rosters that somebody looked up: of the last, and one older.

    Parameters
    ----------
    planted
        Manifest with ``ledger, received``, ``typed`` and ``true`` (what stands in the cell,
        and what should).
    last
        Year of the last delivery; an older row is corrected three years before.

    Returns
    -------
    pandas.DataFrame
        Some rows of `planted` with ``on``, the day of the correction.
    """
    alone = ~planted.duplicated(["file", "sheet", "row"], keep=False)
    able = alone & planted["ledger"].eq("roster") & planted["kind"].isin(_CORRECTED)
    able &= planted["true"].notna() & planted["typed"].notna()
    recent = planted[able & planted["received"].eq(last)].groupby("kind").head(2)
    older = planted[
        able & planted["received"].eq(last - 6) & planted["kind"].ne("number_checksum")
    ]
    days = [datetime.date(last, 11, 15)] * len(recent) + [datetime.date(last - 3, 3, 10)]
    chosen = pd.concat([recent, older.head(1)])
    return chosen.assign(on=days[: len(chosen)])


def write_corrections(path, chosen: pd.DataFrame) -> None:
    """Write the workbook: old value in full, new value, who, when."""
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"created": MADE})
        sheet = book.add_worksheet("更正")
        lines = [HEADINGS.values()]
        for row in chosen.itertuples():
            cells = (row.file, row.sheet, row.row, row.column, row.typed, row.true)
            lines.append((*map(str, cells), _CLERK, row.on.isoformat(), "", ""))
        for number, line in enumerate(lines):
            for column, cell in enumerate(line):
                sheet.write_string(number, column, cell)
