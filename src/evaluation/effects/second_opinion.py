"""Randomization inference for both designs of a question, as a table."""

import pandas as pd

from evaluation.effects.assignment import build_assignment
from evaluation.effects.estimates import LABELS
from evaluation.effects.randomization import randomize
from evaluation.errors import EstimationError

COLUMNS = [
    *LABELS, "estimate", "conf_low", "conf_high", "p_value", "false_alarms", "n_draws",
    "n_treated", "n_obs", "n_movable",
]  # fmt: skip
MIDDLE_AGE = 45


def add_strata(risk_sets: pd.DataFrame, history: list[str]) -> tuple[pd.DataFrame, dict]:
    """Add what comparable persons share, by design: township, traits, past work.

    Returns
    -------
    tuple
        Risk sets with ``older`` (from 45 on) and ``worked`` (work in the year before: 0
        none, 1 some, 2 most); and the strata of `cs` and of `balanced`, the first to be
        given up last.
    """
    sets, traits = risk_sets, [name for name in ("female", "poor") if name in risk_sets]
    if "age" in sets:
        sets = sets.assign(older=(sets["age"] >= MIDDLE_AGE).astype("int8"))
        traits.append("older")
    lately = sets[history[:4]].mean(axis=1) if history else pd.Series(0.0, sets.index)
    sets = sets.assign(worked=(lately * 2).round().fillna(-1).astype("int8"))
    return sets, {"cs": ["cluster", *traits], "balanced": ["worked", "cluster", *traits]}


def randomize_designs(study, draws: int, seed: int) -> pd.DataFrame:
    """Randomization inference for `cs` (changes) and `balanced` (levels, given past work).

    Parameters
    ----------
    study
        As returned by `study.load_study`, with a horizon.

    Returns
    -------
    pandas.DataFrame
        Key ``result_id``, one row per design; none where no cohort has reached the horizon
        or nobody could change places.
    """
    sets, strata = add_strata(study.risk_sets, study.history)
    rows = []
    for design, base in (("cs", -1), ("balanced", None)):
        past = study.history if design == "balanced" else []
        try:
            found = build_assignment(
                sets,
                study.years,
                study.stay_weights,
                outcome=study.outcome,
                horizon=study.horizon,
                cohorts=study.cohorts,
                adjust_for=[*study.covariates, *past],
                strata=strata[design],
                base=base,
            )
            result = randomize(found, draws, seed)
        except EstimationError:
            continue
        place = (study.edition, study.policy, design, "randomization", study.outcome)
        rows.append(
            {
                "result_id": ".".join(map(str, (*place, study.subgroup))),
                "year": study.edition,
                "policy": study.policy,
                "outcome": study.outcome,
                "subgroup": study.subgroup,
                "design": design,
                "term": "primary",
                "event_time": study.horizon,
                **{name: getattr(result, name) for name in COLUMNS if hasattr(result, name)},
                "n_treated": int(found.treated.sum()),
                "n_obs": len(found.treated),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
