"""A desk at which ledgers are typed, and one way to type a row wrong."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evaluation.demo.ledgers import has_births


@dataclass(frozen=True)
class Desk:
    """What one delivery is typed from.

    Attributes
    ----------
    ledger, year
        Ledger, and the year that the file's name shows.
    papers
        As returned by `draw_papers`, by column and person; ``birth_year``; ``partner``
        (somebody else of the household, -1 where there is nobody); ``rosters`` (on how
        many the person stands); ``foreign`` (numbers of another prefix); ``dotted`` (names
        of several parts); ``sound`` (of names); ``in_street``.
    amounts
        How many rows of the delivery have an amount.
    """

    ledger: str
    year: int
    papers: dict[str, np.ndarray]
    amounts: int = 0

    @property
    def shows_births(self) -> bool:
        """Whether births stand in a column of their own."""
        return self.ledger == "roster" and bool(has_births(self.year))


Change = Callable[[dict, dict, Desk], dict | None]


@dataclass(frozen=True)
class Mistake:
    """One way to type a row.

    Attributes
    ----------
    kind
        Of the closed list; nothing where the row is right all the same.
    share
        Of the rows of a roster or register.
    ledgers
        Where it happens.
    change
        Row as typed, the same row in truth, desk → new cells (the first is the one that
        is noted), or nothing where the row gives no occasion.
    suits
        Ledger as known at the end, desk → rows in which it may happen.
    inserts
        Where a further row is typed: 1 below, -1 above, 0 not at all.
    """

    kind: str
    share: float
    ledgers: tuple[str, ...]
    change: Change
    suits: Callable | None = None
    inserts: int = 0
