"""The clean tables, declared once as data: columns, what each is, types.

Kinds: ``date`` (day; a month or a year typed alone becomes its first day, ``last_date``
its last), ``amount`` (yuan), ``number``, ``count``, ``flag`` (0/1, blank unknown),
``word`` (a code of ``words.csv``), ``text``, ``key`` (keyed hash), ``code`` (township).
"""

import pandas as pd

SOURCE = {
    "source_file": "text", "source_sheet": "text", "source_row": "row", "received": "row",
    "superseded": "year", "person_id": "key", "name_key": "key", "phone_key": "key",
}  # fmt: skip
# A corrected row stands beside the row as it was typed, received in the correction's year.
KEY = ["source_file", "source_sheet", "source_row", "received"]

CLEAN = {
    "roster": {
        "sex": "word", "birth_year": "year", "ethnicity": "text", "schooling": "level",
        "township": "code", "village": "text", "household_key": "key", "poor": "flag",
        "away_place": "text", "left_on": "date", "returned_on": "date",
        "return_reason": "text", "status": "word", "trained": "flag", "snapshot_on": "date",
        "snapshot_year": "year",
    },
    "register": {
        "form": "word", "start": "date", "end": "last_date", "monthly_wage": "amount",
        "insured": "flag", "business_key": "key", "registered_on": "date",
        "deregistered_on": "last_date", "valid": "flag",
    },
    "subsidy": {
        "business_key": "key", "business_type": "text", "township": "code",
        "industry": "text", "registered_on": "date", "applied_on": "date",
        "checked_on": "date", "result": "word", "refusal": "word", "amount": "amount",
        "paid_on": "date", "returned_on": "date", "jobs_claimed": "count",
    },
    "loan": {
        "loan_id": "key", "category": "text", "applied_on": "date", "result": "word",
        "bank": "text", "principal": "amount", "rate": "number", "paid_out": "date",
        "due": "date", "interest_subsidy": "amount", "extended": "flag", "overdue": "flag",
        "compensated": "flag", "compensated_amount": "amount", "settled_on": "date",
        "ordinal": "level", "jobs_claimed": "count",
    },
    "post": {
        "post_type": "text", "employer": "text", "rural": "flag", "fund": "text",
        "category": "text", "recognised_on": "date", "started_on": "date",
        "agreement_start": "date", "agreement_end": "last_date", "monthly_standard": "amount",
        "days_required": "count", "days_attended": "count", "pay": "amount",
        "insurance": "amount", "ended_on": "last_date", "end_reason": "text",
        "next_state": "text", "township": "code",
    },
}  # fmt: skip
DTYPES = {
    "date": "datetime64[us]", "last_date": "datetime64[us]", "amount": "float64",
    "number": "float64", "count": "Int16", "level": "Int8", "year": "Int16", "flag": "Int8",
    "row": "int64", "word": "str", "text": "str", "key": "str", "code": "str",
}  # fmt: skip
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
    >>> shape({}, "loan", 0).shape
    (0, 24)
    """
    index = pd.RangeIndex(length)
    columns = {}
    for column, kind in (SOURCE | CLEAN[ledger]).items():
        found = values.get(column)
        found = pd.Series(None, index, dtype=object) if found is None else found
        columns[column] = pd.Series(found, index).astype(DTYPES[kind])
    return pd.DataFrame(columns, index=index)
