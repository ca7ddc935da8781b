"""Month by month after entry: open work, time in the post, and months gained so far."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import special

from evaluation.effects.did import widen
from evaluation.effects.district import comparison_weights, index_stay_weights
from evaluation.effects.entropy import balance_weights
from evaluation.errors import EstimationError
from evaluation.panel.months import find_rows

LENGTHS = (60, 48, 36, 24)  # months; the longest that enough recipients were followed for
COLUMNS = [
    "result_id", "year", "policy", "month", "treated_open", "comparison_open", "treated_post",
    "difference", "conf_low", "conf_high", "gained", "gained_low", "gained_high", "n_treated",
    "n_comparison",
]  # fmt: skip


def choose_length(risk_sets: pd.DataFrame, edition: int, least: int) -> int | None:
    """Months for which at least so many recipients can have been followed by the edition."""
    entry = risk_sets.loc[risk_sets["treated"] == 1, "month"]
    last = edition * 12 + 11
    return next((m for m in LENGTHS if (entry + m <= last).sum() >= least), None)


def weigh_at_entry(
    risk_sets: pd.DataFrame, covariates: Iterable[str], history: Iterable[str]
) -> pd.DataFrame:
    """Weights under which each cohort's drawn comparison is like its recipients at entry.

    Balanced once, on covariates, the month of entry and past work (Hainmueller 2012), so
    that one and the same comparison is followed from month to month.

    Returns
    -------
    pandas.DataFrame
        Drawn rows with known covariates and ``weight``: of a cohort's recipients 1 each, of
        its comparison rows as many in sum. A cohort that cannot be weighed is left out.
    """
    names, parts = [*covariates, "month", *history], []
    drawn = risk_sets[risk_sets["drawn"] == 1].dropna(subset=names)
    for _, rows in drawn.groupby("cohort"):
        treated = rows["treated"].to_numpy() == 1
        values = rows[names].to_numpy(dtype=float)
        base = rows["draw_share"].to_numpy(dtype=float)[~treated]
        try:
            found, _ = balance_weights(values[treated], values[~treated], base)
        except EstimationError:
            continue
        weight = np.ones(len(rows))
        weight[~treated] = found * treated.sum()
        parts.append(rows.assign(weight=weight))
    return pd.concat(parts) if parts else drawn.iloc[:0].assign(weight=0.0)


def trace_months(study, months: pd.DataFrame, least: int) -> pd.DataFrame:
    """Follow recipients and their comparison month by month from entry.

    Of the same recipients throughout: those whose months the edition holds to the end. A
    comparison person leaves with the year of its own entry, and who stays is weighted for
    having stayed untreated; a month that is not known is left out on both sides. The
    weights count as known in the intervals, which are pointwise.

    Parameters
    ----------
    study
        ``risk_sets, stay_weights, covariates, history, edition, policy``.
    months
        Key ``person_id, month``: ``open``, ``post`` (0/1, missing where not known).
    least
        Recipients needed.

    Returns
    -------
    pandas.DataFrame
        Key ``result_id``, one row per month since entry (0: the month of entry):
        shares in open work, recipients' share in the post, the difference in open work, and
        ``gained``: months in open work gained since entry. Empty if too few were followed.
    """
    length = choose_length(study.risk_sets, study.edition, least)
    if length is None:
        return pd.DataFrame(columns=COLUMNS)
    last = study.edition * 12 + 11
    sets = study.risk_sets[study.risk_sets["month"] + length <= last]
    rows = weigh_at_entry(sets, study.covariates, study.history).reset_index(drop=True)
    if rows.empty:
        return pd.DataFrame(columns=COLUMNS)
    people = pd.Index(rows["person_id"].drop_duplicates())
    own = months[find_rows(people, months["person_id"]) >= 0]
    first = int(rows["month"].min())
    calendar = range(first, last + 1)
    wide = {
        name: widen(own, "person_id", "month", name, people, calendar)
        for name in ("open", "post")
    }
    rows["code"] = find_rows(people, rows["person_id"])
    stay = index_stay_weights(study.stay_weights, people)
    steps, gained = [], np.zeros(len(rows))
    for step in range(length + 1):
        at = rows["month"].to_numpy() - first + step
        weight = rows["weight"].to_numpy() * _stayed(rows, stay, step)
        values = {name: table[rows["code"], at] for name, table in wide.items()}
        gained = gained + (values["open"] if step else 0.0)
        steps.append({"month": step, **_compare(rows, weight, values, gained)})
    table = pd.DataFrame(steps).assign(year=study.edition, policy=study.policy)
    start = f"{study.edition}.{study.policy}.months"
    table["result_id"] = [f"{start}.{step}" for step in table["month"]]
    return table[COLUMNS]


def _stayed(rows, stay, step):
    """Weight for having stayed untreated until the year of the month; missing where not."""
    year = (rows["month"].to_numpy() + step) // 12
    weight = np.ones(len(rows))
    for cohort, time in {*zip(rows["cohort"], year, strict=True)}:
        here = ((rows["cohort"] == cohort) & (year == time)).to_numpy()
        weight[here] = comparison_weights(stay, int(cohort), int(time), rows[here])
    return weight


def _compare(rows, weight, values, gained):
    treated = rows["treated"].to_numpy() == 1
    found = {"treated_post": float(np.nanmean(values["post"][treated]))}
    for name, y in (("open", values["open"]), ("gained", gained)):
        known = np.isfinite(y) & np.isfinite(weight)
        sides = [known & treated, known & ~treated]
        means = [np.average(y[side], weights=weight[side]) for side in sides]
        share = [weight[side] / weight[side].sum() for side in sides]
        error = np.sqrt(
            sum(
                (part**2 * (y[side] - mean) ** 2).sum()
                for side, mean, part in zip(sides, means, share, strict=True)
            )
        )
        gap, half = means[0] - means[1], special.ndtri(0.975) * error
        if name == "open":
            found |= {"treated_open": means[0], "comparison_open": means[1]}
            found |= {"difference": gap, "conf_low": gap - half, "conf_high": gap + half}
            found |= {"n_treated": int(sides[0].sum()), "n_comparison": int(sides[1].sum())}
        else:
            found |= {"gained": gap, "gained_low": gap - half, "gained_high": gap + half}
    return found
