"""The clean tables as data: kind and type of each column, and what the checks look at.

Kinds: ``date`` (day; a month or a year typed alone becomes its first day, ``last_date``
its last), ``amount`` (yuan), ``number``, ``count``, ``flag`` (0/1, blank unknown),
``word`` (a code of ``words.csv``), ``text``, ``key`` (keyed hash), ``code`` (township).
"""

import pandas as pd

from evaluation.ledgers import declarations
from evaluation.ledgers.column_types import TYPES

PLACE = ["source_file", "source_sheet", "source_row"]
# A corrected row stands beside the row as it was typed, received in the correction's year.
KEY = [*PLACE, "received"]

# By column its kind; what each means stands in `declarations`, where columns are added.
SOURCE = {name: column.kind for name, column in declarations.SOURCE.items()}
CLEAN = {
    ledger: {name: column.kind for name, column in columns.items()}
    for ledger, columns in declarations.CLEAN.items()
}
DTYPES = {kind: described.dtype for kind, described in TYPES.items()}
# The date without which a row cannot be placed in time; the second stands in for a blank.
KEY_DATES = {
    "roster": ("snapshot_on",),
    "register": ("start",),
    "subsidy": ("applied_on",),
    "loan": ("applied_on", "paid_out"),
    "post": ("started_on",),
}
ORDERED = {
    "register": ("start", "end"),
    "loan": ("paid_out", "due"),
    "post": ("started_on", "ended_on"),
}
# The amount that is added up in the accounting, in yuan.
ACCOUNTED = {"subsidy": "amount", "loan": "principal", "post": "pay"}
# Yes/no cells that matter enough for a blank to be reported.
FILLED = {"roster": ("poor",), "register": ("valid",)}


def shape(values: dict, ledger: str, length: int) -> pd.DataFrame:
    """Make a clean table of the declared columns and types; absent columns are missing.

    Examples
    --------
    >>> list(shape({}, "loan", 0))[-1]
    'jobs_claimed'
    """
    index = pd.RangeIndex(length)
    columns = {}
    for column, kind in (SOURCE | CLEAN[ledger]).items():
        found = values.get(column)
        found = pd.Series(None, index, dtype=object) if found is None else found
        columns[column] = pd.Series(found, index).astype(DTYPES[kind])
    return pd.DataFrame(columns, index=index)
