"""The gates: what has to hold before an estimate may be called an effect."""

import string
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import (
    GroupTime,
    Pooled,
    interval,
    pool_at,
    pool_by,
    widen_treated,
)
from evaluation.effects.did import design_matrix, fit_propensity
from evaluation.effects.differences import subtract
from evaluation.effects.district import risk_set_effects
from evaluation.effects.power import detection_power
from evaluation.errors import PlanError
from evaluation.panel.months import find_rows

GATES = ("balance", "overlap", "follow_up", "drift", "placebo", "agreement")
STATES = ("passed", "failed", "weak", "not_tested")


def untested(gate: str, threshold: float) -> dict:
    """The row of a gate that could not be computed: it caps the verdict."""
    return {"gate": gate, "value": np.nan, "threshold": threshold, "passed": "not_tested"}


def judge_difference(gate: str, pooled: Pooled | None, cluster, plan: dict) -> dict:
    """Judge a difference that should be zero.

    It fails only if significant *and* larger than the plan allows: more tests than
    these would sink a valid panel in four. Where the test would see an effect that
    matters with less than the plan's power, passing says little: ``weak``.
    """
    limits = plan["gates"]
    if pooled is None or not np.isfinite(pooled.estimate):
        return untested(gate, limits[gate])
    row = interval(pooled, cluster)
    if not np.isfinite(row["std_error"]):
        return untested(gate, limits[gate])
    matters = plan["estimand"]["effect_that_matters"]
    size = (row["std_error"], row["n_clusters"], row["inference"])
    power = detection_power(matters, *size, limits["significance"])
    large = abs(row["estimate"]) > limits[gate] and row["p_value"] < limits["significance"]
    state = "failed" if large else "weak" if power < limits["min_power"] else "passed"
    return {
        "gate": gate,
        "value": row["estimate"],
        "threshold": limits[gate],
        "passed": state,
        "p_value": row["p_value"],
        "power": power,
    }


def fit_slope(cs: GroupTime, last: int | None = None) -> tuple[float, np.ndarray] | None:
    """Slope per year of the pre-entry coefficients through zero at the base year −1.

    Generalised least squares with their covariance by influence functions.

    Parameters
    ----------
    last
        Use only so many event times before the base year; none = all.
    """
    before = {e: part for e, part in pool_by(cs, "event_time").items() if e < -1}
    times = np.array(sorted(before, reverse=True)[:last], dtype=float)
    if not len(times):
        return None
    influence = np.column_stack([before[int(e)].influence for e in times])
    covariance = influence.T @ influence / len(influence) ** 2
    distance = times + 1
    towards = np.linalg.pinv(covariance, rcond=1e-8, hermitian=True) @ distance
    weights = towards / (towards @ distance)
    estimates = np.array([before[int(e)].estimate for e in times])
    return float(weights @ estimates), influence @ weights


def drift_at(cs: GroupTime, horizon: int, last: int | None = None) -> Pooled | None:
    """The pre-entry slope carried from −1 to the horizon."""
    slope, effect = fit_slope(cs, last), pool_at(cs, horizon)
    if slope is None or effect is None:
        return None
    steps = horizon + 1
    return Pooled(slope[0] * steps, slope[1] * steps, effect.treated, effect.used)


def extrapolated(cs: GroupTime, horizon: int, last: int | None = None) -> Pooled | None:
    """The effect at the horizon less the linear extrapolation of the pre-period."""
    drift, effect = drift_at(cs, horizon, last), pool_at(cs, horizon, expected=True)
    if drift is None:
        return None
    influence = effect.influence - drift.influence
    return Pooled(effect.estimate - drift.estimate, influence, effect.treated, effect.used)


def check_extrapolation(cs: GroupTime, horizon: int, plan: dict) -> dict:
    """How many standard errors remain of the effect after extrapolation.

    The smaller of two, with all years before entry and with the last few (a drift may
    be recent). A condition of 有效, no gate.
    """
    limit = plan["gates"]["extrapolation"]
    ratios = []
    for last in (None, plan["gates"]["recent_years"]):
        left = extrapolated(cs, horizon, last)
        if left is None:
            return untested("extrapolation", limit)
        error = interval(left, cs.units["cluster"])["std_error"]
        ratios.append(left.estimate / error)
    same = np.sign(ratios[0]) == np.sign(ratios[1])
    value = min(ratios, key=abs) if same else 0.0
    state = "passed" if abs(value) > limit else "failed"
    return {"gate": "extrapolation", "value": value, "threshold": limit, "passed": state}


def check_balance(report: pd.DataFrame, horizon: int, plan: dict) -> dict:
    """Largest standardised difference left after weighting, over all cohorts together."""
    limit, rows = plan["gates"]["balance"], report[report["time"] - report["cohort"] == horizon]
    if rows.empty:
        return untested("balance", limit)
    left = rows[[name for name in rows if name.startswith("left_")]]
    pooled = np.average(left.fillna(0.0), axis=0, weights=rows["n_treated"])
    value = float(np.abs(pooled).max(initial=0.0))
    state = "failed" if value >= limit else "passed"
    return {"gate": "balance", "value": value, "threshold": limit, "passed": state}


def check_overlap(risk_sets: pd.DataFrame, covariates: Iterable[str], cohorts, plan) -> dict:
    """Share of the treated whose propensity the comparison reaches.

    One logit over the cohorts on drawn persons; treated above the 99.9 % of the
    comparison or with unknown covariates have no comparison. What is reported is the share
    of counts rounded as the plan says: an exact one tells of the few persons left over.
    """
    limit, names = plan["gates"]["overlap"], list(covariates)
    rows = risk_sets[risk_sets["cohort"].isin(cohorts) & (risk_sets["drawn"] == 1)]
    treated = rows["treated"].to_numpy(dtype=float)
    x = rows[names].to_numpy(dtype=float, na_value=np.nan)
    known = np.isfinite(x).all(axis=1)
    if not 0 < treated[known].sum() < known.sum():
        return untested("overlap", limit)
    ones = np.ones(int(known.sum()))
    score, _ = fit_propensity(treated[known], design_matrix(x[known]), ones)
    own, others = score[treated[known] == 1], score[treated[known] == 0]
    found, all_of = (own <= np.quantile(others, 0.999)).sum(), treated.sum()
    state = "passed" if found / all_of >= limit else "failed"
    step = plan["disclosure"]["round_to"]
    rounded = [np.floor(n / step + 0.5) for n in (found, all_of)]
    value = float(rounded[0] / rounded[1]) if rounded[1] else float(found / all_of)
    return {"gate": "overlap", "value": value, "threshold": limit, "passed": state}


def check_follow_up(
    risk_sets, persons, years, *, outcome, covariates, edition, horizon, plan, **_
) -> dict:
    """Difference in the share with a known outcome at the horizon, adjusted as `cs` is.

    Among those seen at the end of the year of entry: a participant was certainly there
    at entry, whereas a comparison person may have left before and nobody knew. Comparison
    persons who entered later stay: those left over have more leavers among them. Who died
    or reached retirement is observed no more in either group and is left out.
    """
    row = find_rows(pd.Index(persons["person_id"]), years["person_id"])
    until = persons["observed_until"].reindex(row).set_axis(years.index)
    close = pd.to_datetime({"year": years["year"], "month": 12, "day": 31})
    seen = years[outcome].notna()
    known = years[["person_id", "year"]].assign(known=seen.astype(float).mask(until < close))
    at_entry = years.loc[seen, ["person_id", "year"]].rename(columns={"year": "cohort"})
    drawn = risk_sets[risk_sets["drawn"] == 1]
    sets = drawn.merge(at_entry, on=["person_id", "cohort"]).assign(untreated_until=np.nan)
    even = sets.loc[sets["treated"] == 0, ["cohort", "person_id"]].drop_duplicates()
    difference = risk_set_effects(
        sets,
        known,
        even.assign(year=even["cohort"] + horizon, weight=1.0),
        outcome="known",
        covariates=covariates,
        edition=edition,
        base=None,
        event_times=[horizon],
    )
    pooled = pool_at(difference, horizon)
    if pooled is not None and not np.any(pooled.influence):
        limit = plan["gates"]["follow_up"]  # everybody is known: no error to judge by
        return {"gate": "follow_up", "value": 0.0, "threshold": limit, "passed": "passed"}
    if pooled is not None:
        own = sets.loc[sets["treated"] == 1, ["person_id", "cohort"]]
        own = own.assign(year=own["cohort"] + horizon).merge(known, on=["person_id", "year"])
        pooled = _allow_for_few(pooled, own["known"].dropna())
    row = judge_difference("follow_up", pooled, difference.units["cluster"], plan)
    return row | ({"passed": "passed"} if row["passed"] == "weak" else {})


def _allow_for_few(share: Pooled, known: pd.Series) -> Pooled:
    """Let the participants' share vary as with one known and one unknown person more.

    Of a hundred participants three or none are lost, and a share of exactly one would
    have no error at all (Agresti and Caffo 2000, Am. Stat. 54:280).
    """
    p, n = (known.sum() + 1) / (len(known) + 2), len(share.influence)
    influence = widen_treated(share.influence, share.treated, n**2 * p * (1 - p))
    return replace(share, influence=influence)


def check_drift(cs: GroupTime, horizon: int, plan: dict) -> dict:
    """Whether the groups drifted apart before entry, carried to the horizon."""
    return judge_difference("drift", drift_at(cs, horizon), cs.units["cluster"], plan)


def check_placebo(placebo: GroupTime, plan: dict) -> dict:
    """The `balanced` effect one year before entry, which can be none."""
    pooled = pool_at(placebo, -1)
    return judge_difference("placebo", pooled, placebo.units["cluster"], plan)


def check_agreement(cs: GroupTime, balanced: GroupTime, horizon: int, plan: dict) -> dict:
    """Difference of the two designs, with the error of the difference by person.

    They correlate at about 0.8: independent errors would be twice too wide. Both go
    without what `aggregation.widen_treated` adds: the luck of the participants without
    the policy is the same in both designs and cancels.
    """
    gap = subtract(balanced, cs, horizon, expected=True)
    return judge_difference("agreement", *(gap or (None, None)), plan)


def load_words(reference: Path) -> dict:
    """Words of the gates in Chinese and English, from ``gates.toml``.

    Raises
    ------
    PlanError
        If the file is missing or cannot be read.
    """
    try:
        return tomllib.loads((reference / "gates.toml").read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PlanError(f"无法读取 gates.toml（检验的用语）：{error}") from None


def tabulate_gates(rows: list[dict], words: dict) -> pd.DataFrame:
    """The table of checks: key ``gate``, with what may be said of each.

    Numbers enter the words as ``{value}``, ``{points}`` (hundred times the value),
    ``{limit}``, ``{limit_points}`` and ``{p}``.
    """
    table = pd.DataFrame(rows)
    for language in ("zh", "en"):
        table[f"words_{language}"] = [_say(row, words, language) for row in rows]
    return table[["gate", "value", "threshold", "passed", "words_zh", "words_en"]]


def _say(row: dict, words: dict, language: str) -> str:
    form = words[row["gate"]].get(f"{row['passed']}_{language}", "")
    numbers = {
        "value": f"{row['value']:.2f}",
        "points": f"{abs(row['value']) * 100:.1f}",
        "limit": f"{row['threshold']:g}",
        "limit_points": f"{row['threshold'] * 100:g}",
        "p": f"{row.get('p_value', np.nan):.3f}",
    }
    wanted = {name for _, name, _, _ in string.Formatter().parse(form) if name}
    return form.format(**{name: numbers[name] for name in wanted})
