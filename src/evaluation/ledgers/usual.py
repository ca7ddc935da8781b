"""The usual heading of each column and the usual word of each value: the first ones listed."""

from pathlib import Path

import pandas as pd

from evaluation.ledgers.text_files import read_reference

_OFFICIAL = r"[a-z]{3}\d+"  # aac002 and the like: codes, no headings for people


def load_headings(reference: Path) -> pd.DataFrame:
    """Read the usual headings from ``columns.csv``.

    Returns
    -------
    pandas.DataFrame
        Index ``(ledger, column)`` in the order of the file: ``heading``, ``required`` (a
        table without it is refused), ``unit`` taken where none is said, ``note``.
    """
    table = read_reference(reference / "columns.csv")
    first = table.groupby(["ledger", "column"], sort=False).first()
    named = table[~table["heading"].str.fullmatch(_OFFICIAL)]
    headings = named.groupby(["ledger", "column"], sort=False)["heading"].first()
    return first.assign(heading=headings.reindex(first.index).fillna(first["heading"]))


def load_words(reference: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Read the values that a cell can stand for from ``words.csv``.

    Returns
    -------
    dict
        By column (``flag`` for yes/no): value, its usual word, its English name.
    """
    table = read_reference(reference / "words.csv")
    usual = table.drop_duplicates(["column", "value"])
    english = usual["english"].where(usual["english"] != "", usual["value"])
    usual = usual.assign(english=english.str.replace("_", " "))
    return {
        column: list(rows[["value", "word", "english"]].itertuples(index=False, name=None))
        for column, rows in usual.groupby("column", sort=False)
    }
