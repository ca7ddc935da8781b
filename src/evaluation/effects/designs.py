"""Both designs that make the published result, on any part of a question's risk sets."""

import pandas as pd

from evaluation.effects.aggregation import GroupTime
from evaluation.effects.balancing import balanced_effects, stack_sets
from evaluation.effects.district import risk_set_effects


def fit_designs(study, risk_sets: pd.DataFrame) -> dict[str, GroupTime]:
    """`cs` and `balanced` at the event times of the primary effect.

    Parameters
    ----------
    study
        As returned by `study.load_study`: outcome, covariates, tables.
    risk_sets
        Rows of the study's, of some persons or cohorts.
    """
    tables = (study.years, study.stay_weights)
    settings = study.settings() | {"event_times": study.primary_times}
    stacked = stack_sets(risk_sets, study.covariates, study.history)
    return {
        "cs": risk_set_effects(risk_sets, *tables, **settings),
        "balanced": balanced_effects(stacked, *tables, **settings)[0],
    }
