"""From gates and limits to a verdict: one ordered table, the first line that applies."""

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import GroupTime, pool_at
from evaluation.effects.estimates import PUBLISHED
from evaluation.effects.gates import GATES
from evaluation.effects.power import exaggeration

VERDICTS = (
    "not_due",
    "too_few",
    "do_not_conclude",
    "effective_small",
    "effective",
    "harmful_small",
    "harmful",
    "too_small",
    "cannot_tell",
)


def decide_verdict(
    *,
    matured: bool,
    n_treated: int,
    n_comparison: int,
    gates: dict[str, str],
    low: float,
    high: float,
    extrapolation: float,
    plan: dict,
) -> str:
    """Give the verdict of a policy: the first line of the design's table that applies.

    Parameters
    ----------
    matured
        Whether a cohort has reached the horizon.
    n_treated, n_comparison
        Persons with a known outcome at the horizon, the fewer of the two designs.
    gates
        State of each gate; one that is absent counts as not tested.
    low, high
        Limits of the published interval (the union of both designs').
    extrapolation
        Standard errors that remain of `cs` after linear extrapolation, signed
        (`gates.check_extrapolation`); missing = not tested.
    plan
        Thresholds.

    Returns
    -------
    str
        One of `VERDICTS`.
    """
    limits, matters = plan["gates"], plan["estimand"]["effect_that_matters"]
    states = [gates.get(gate, "not_tested") for gate in GATES]
    known = np.isfinite(low) and np.isfinite(high)
    few = n_treated < limits["min_treated"] or n_comparison < limits["min_comparison"]
    table = (
        ("not_due", not matured),
        ("too_few", few),
        ("do_not_conclude", "failed" in states),
        # A gate that was not computed caps the verdict.
        ("cannot_tell", "not_tested" in states or not known),
        (
            "effective_small",
            low > 0 and extrapolation > limits["extrapolation"] and high < matters,
        ),
        ("effective", low > 0 and extrapolation > limits["extrapolation"]),
        (
            "harmful_small",
            high < 0 and extrapolation < -limits["extrapolation"] and low > -matters,
        ),
        ("harmful", high < 0 and extrapolation < -limits["extrapolation"]),
        ("too_small", high < matters),
        ("cannot_tell", True),
    )
    return next(verdict for verdict, applies in table if applies)


def count_persons(study, cs: GroupTime, balanced: GroupTime) -> dict:
    """Participants of the cohorts that are due, and comparison persons at the horizon.

    Returns
    -------
    dict
        ``matured`` (a cohort is due; also where nobody ever took part: that is too few,
        not too early), ``n_participants``, ``n_comparison`` (the fewer of two designs).
    """
    entry = study.persons["entry_year"].dropna().astype(int)
    due = entry <= study.edition - (study.horizon or 0)
    found = [pool_at(design, study.horizon) for design in (cs, balanced)]
    others = [0 if f is None else int(f.used.sum() - f.treated.sum()) for f in found]
    return {
        "matured": bool(due.any() or entry.empty),
        "n_participants": int(due.sum()),
        "n_comparison": min(others),
    }


def tabulate_verdict(
    study, estimates: pd.DataFrame, checks: pd.DataFrame, sizes: dict, plan: dict
) -> pd.DataFrame:
    """The table ``verdict_<policy>``: one row; none unless the plan's question was asked.

    Parameters
    ----------
    study
        ``kind, policy, outcome, horizon, edition``.
    estimates
        Rows of ``estimates_<policy>``; the published primary row of the plan's outcome
        is judged.
    checks
        As returned by `gates.tabulate_gates`.
    sizes
        As returned by `count_persons`.
    """
    columns = ["policy", "verdict", "result_id", "horizon", "n_participants", "n_evaluated"]
    columns.append("exaggeration")
    if study.kind != "plan":
        return pd.DataFrame(columns=columns)
    name = f"{study.edition}.{study.policy}.published.primary.{study.outcome}.all"
    rows = estimates[estimates["result_id"] == name]
    row = rows.iloc[0] if len(rows) else None
    states = checks.set_index("gate")
    verdict = decide_verdict(
        matured=sizes["matured"],
        n_treated=0 if row is None else int(row["n_treated"]),
        n_comparison=int(sizes["n_comparison"]),
        gates=states["passed"].to_dict(),
        low=np.nan if row is None else row["conf_low"],
        high=np.nan if row is None else row["conf_high"],
        extrapolation=states["value"].get("extrapolation", np.nan),
        plan=plan,
    )
    n_evaluated = 0 if row is None else int(row["n_treated"])
    found = (study.policy, verdict, name, study.horizon, sizes["n_participants"], n_evaluated)
    found += (expect_exaggeration(verdict, estimates, name, plan),)
    return pd.DataFrame([found], columns=columns)


def expect_exaggeration(
    verdict: str, estimates: pd.DataFrame, published: str, plan: dict
) -> float:
    """By how much a definite verdict's estimate would exceed an effect that just matters.

    Type M of Gelman and Carlin (2014) at the plan's effect that matters and the standard
    error of the wider design; missing where the verdict claims no effect.

    Parameters
    ----------
    estimates
        Rows of ``estimates_<policy>``.
    published
        Result id of the published primary row.
    """
    if not verdict.startswith(("effective", "harmful")):
        return np.nan
    names = [published.replace(".published.", f".{design}.") for design in PUBLISHED]
    errors = estimates.loc[estimates["result_id"].isin(names), "std_error"].dropna()
    if errors.empty:
        return np.nan
    return exaggeration(plan["estimand"]["effect_that_matters"], float(errors.max()))
