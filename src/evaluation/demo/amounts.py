"""What the policies cost by a given day: pay of posts, interest, compensation."""

import numpy as np

from evaluation.demo.records import day_of, to_date

DAYS_REQUIRED = 22  # a month
URBAN_PAY, RURAL_PAY, URBAN_INSURANCE = 1_600, 600, 780  # yuan a month
SUBSIDISED_RATE, RATE = 0.025, 4.35  # share of the principal a year; contract, per cent


def post_amounts(posts, until: np.datetime64) -> dict[str, np.ndarray]:
    """Days, pay and insurance of each placement from its start to `until`.

    Pay is the monthly standard times days attended over days required, in yuan.
    """
    last = np.minimum(posts["ended_on"].fillna(until).to_numpy(), until)
    months = _month(last) - _month(posts["started_on"].to_numpy()) + 1
    months = np.maximum(months, 0)
    rural = posts["rural"].to_numpy() == 1
    standard = np.where(rural, RURAL_PAY, URBAN_PAY)
    missed = months * (posts["person"].to_numpy() % 5) // 4
    required = months * DAYS_REQUIRED
    attended = required - missed
    return {
        "monthly_standard": standard.astype(float),
        "days_required": required,
        "days_attended": attended,
        "pay": np.round(standard * attended / DAYS_REQUIRED, 2),
        "insurance": np.where(rural, 0, URBAN_INSURANCE) * months.astype(float),
    }


def loan_amounts(loans, until: np.datetime64) -> dict[str, np.ndarray]:
    """Interest subsidy, compensation and settlement of each loan as of `until`.

    Missing for applications without a pay-out. Interest is subsidised until the loan is due
    or settled. Guarantee payments come 60 days after the loan is due; who pays late
    settles 45 days late.
    """
    due, out = loans["due"].to_numpy(), loans["paid_out"].to_numpy()
    overdue, compensated = loans["overdue"].eq(1), loans["compensated"].eq(1).to_numpy()
    principal = loans["principal_wan"].to_numpy() * 10_000
    late = np.where(overdue, 45, 0).astype("timedelta64[D]")
    early = (loans["person"].to_numpy() % 20).astype("timedelta64[D]")
    settled = np.where(compensated, np.datetime64("NaT", "us"), due + late - early)
    last = np.fmin(np.minimum(due, until), settled)
    years = (last - out) / np.timedelta64(365, "D")
    paid_for = compensated & (due + np.timedelta64(60, "D") <= until)
    return {
        "interest_subsidy": np.round(np.maximum(years, 0) * principal * SUBSIDISED_RATE, 2),
        "overdue": np.where(due <= until, overdue, 0).astype(int),
        "compensated": paid_for.astype(int),
        "compensated_amount": np.where(paid_for, 0.6 * principal, 0.0),
        "settled_on": np.where(settled <= until, settled, np.datetime64("NaT", "us")),
    }


def wages(spells) -> np.ndarray:
    """Monthly wage of each spell in yuan; missing for farming and one's own business."""
    person, month = spells["person"].to_numpy(), _month(spells["start"].to_numpy())
    wage = 2_200.0 + 100 * day_of(person, month, 0, 24) + 90 * (month // 12 - 2013)
    return np.where(spells["form"].isin(["unit", "flexible"]), wage, np.nan)


def returned_on(people) -> np.ndarray:
    """Day on which each person came back."""
    month = people["return_month"].to_numpy()
    return to_date(month, day_of(people.index.to_numpy(), month, 2, 18))


def _month(dates):
    return dates.astype("datetime64[M]").astype(int) + 1970 * 12
