"""What risk sets and weights are made from, laid out once for all policies of an edition."""

from functools import cached_property

import numpy as np
import pandas as pd

from evaluation.panel.months import lay_out, name_persons, window_of
from evaluation.panel.outcomes import find_businesses, valid_spells


class Histories:
    """Persons, spells and months of an edition, the persons in one order.

    Parameters
    ----------
    persons, register, months
        Of the edition, as written by `2_panel`; persons in source order.
    edition
        Last year.

    Attributes
    ----------
    people
        Index of persons.
    window
        First and last month.
    open, post, business_age
        Persons × months. Unknown: −1, of a post 0; without a business: −1.
    spells, businesses
        As returned by `valid_spells` and `find_businesses`, persons as codes of `people`.
    """

    def __init__(self, persons, register, months, edition: int):
        self.persons, self.edition = persons.reset_index(drop=True), edition
        self.people = pd.Index(self.persons["person_id"].astype("str").array)
        self.window = window_of(months, edition)
        unknown = {"open": -1, "post": 0, "business_age": -1}
        self.open, self.post, self.business_age = lay_out(
            months, self.people, self.window, unknown
        )
        self.spells = name_persons(valid_spells(register), self.people)

    @cached_property
    def businesses(self) -> pd.DataFrame:
        """Each person's own businesses, sorted by opening."""
        return find_businesses(self.spells)

    @cached_property
    def counts(self) -> np.ndarray:
        """Months × persons: months of open work before each, plus 65,536 × months known.

        Both in one number, so that a look-up finds both. Months in front, because the
        persons of a risk set are looked up in one month.
        """
        each = (self.open == 1) + (self.open >= 0) * np.int32(1 << 16)
        before = np.zeros((each.shape[1] + 1, len(each)), dtype="int32")
        np.cumsum(each.T, axis=0, out=before[1:])
        return before
