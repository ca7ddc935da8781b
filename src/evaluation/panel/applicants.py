"""Applicants who got nothing, as comparison for those who got what all of them asked for.

Who applies differs from who does not in what no ledger holds: plans, drive, a bad year.
Among applicants that is alike; what is left is who is refused, and why.

**Time zero** is the recipients' own (subsidy: application; loan: pay-out). On that day a
comparison person has applied, runs a business of like age and is not treated. Both have
survived for as long, whenever the refusal came, so nobody's survival is a condition on
one side only. It counts from the application, not from the refusal: how an application
ends is learnt later on both sides. Who applies later is no applicant yet; who is granted
something later counts until then.
"""

import numpy as np

from evaluation.panel.months import month_of


def find_first_applications(policy: str, persons) -> np.ndarray:
    """Day of each person's first application, whatever became of it; missing where none.

    Nobody applies for a post.
    """
    if policy == "post":
        return np.full(len(persons), "NaT", dtype="datetime64[D]")
    return persons[f"{policy}_applied_on"].to_numpy("datetime64[D]")


def find_applicants(applied_on: np.ndarray, day, window: int) -> np.ndarray:
    """Mark who first applied by a day and at most so many calendar months before it.

    Who was refused longer ago is at another stage than who has just applied.
    """
    return (applied_on <= day) & (month_of(day) - month_of(applied_on) <= window)


def share_recipients(own_age, other_age, month: int, width: int):
    """Share each recipient of a month out among the applicants beside him.

    Beside him stands whose business is of like age and was there on 31 December before,
    the base date, if and only if his own was: applicants are too few to adjust for it.
    Each gets an equal part, so that those compared stand for as many recipients of each
    month and age as there are.

    Parameters
    ----------
    own_age, other_age
        Months of business of recipients and of applicants.
    month
        Of entry, numbered as by `month_of`.
    width
        Months by which the ages may differ.

    Returns
    -------
    tuple
        Recipients that each applicant stands for (a fraction); which recipients have
        anybody beside them.
    """
    own_age, other_age, since_base = np.asarray(own_age), np.asarray(other_age), month % 12
    beside = np.abs(own_age[:, None] - other_age) <= width
    beside &= (own_age[:, None] > since_base) == (other_age > since_base)
    number = beside.sum(axis=1)
    return (beside / np.maximum(number, 1)[:, None]).sum(axis=0), number > 0
