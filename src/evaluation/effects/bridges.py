"""Why an earlier finding moved: its cohorts, recomputed with one thing changed at a time."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import aggregate, unite_designs
from evaluation.effects.designs import fit_designs

STEPS = ("previous", "code", "data_later", "late_entries")
COLUMNS = ["result_id", "policy", "step", "estimate", "conf_low", "conf_high", "change"]


def publish_primary(study, cohorts) -> dict:
    """The published primary effect of some cohorts; missing values where there is none."""
    designs = fit_designs(study, study.risk_sets[study.risk_sets["cohort"].isin(cohorts)])
    rows = [aggregate(design, "primary", study.horizon) for design in designs.values()]
    if not all(len(row) for row in rows):
        return dict.fromkeys(["estimate", "conf_low", "conf_high"], np.nan)
    return unite_designs(rows[0].iloc[0], rows[1].iloc[0])


def drop_late_entries(study, before):
    """The cohorts of then without persons who are participants now and were not then."""
    sets = study.risk_sets[study.risk_sets["cohort"].isin(before.cohorts)]
    known = before.persons.loc[before.persons["entry_year"].notna(), "person_id"]
    late = (sets["treated"] == 1) & ~sets["person_id"].isin(known)
    return replace(study, risk_sets=sets[~late].reset_index(drop=True))


def bridge_editions(study, before, published: pd.DataFrame) -> pd.DataFrame:
    """Steps from the last edition's estimate to this one's, for that edition's cohorts.

    ``previous``: what was published. ``code``: the same data with today's program and
    plan (the residual). ``data_later``: what became known since about the same
    participants. ``late_entries``: participants entered in the ledgers since. A changed
    boundary cannot be told apart yet and is part of ``data_later``.

    Parameters
    ----------
    study, before
        The same question on this edition's tables and the last one's.
    published
        ``estimates_<policy>`` of the last edition.

    Returns
    -------
    pandas.DataFrame
        Key ``step``; ``change`` against the step above, in the outcome's unit.
    """
    name = f"{before.edition}.{study.policy}.published.primary.{study.outcome}.all"
    numbers = ["estimate", "conf_low", "conf_high"]
    found = published.reindex(columns=["result_id", *numbers])
    found = found.loc[found["result_id"] == name, numbers]
    missing = dict.fromkeys(numbers, np.nan)
    rows = [
        found.iloc[0].to_dict() if len(found) else missing,
        publish_primary(before, before.cohorts),
        publish_primary(drop_late_entries(study, before), before.cohorts),
        publish_primary(study, before.cohorts),
    ]
    table = pd.DataFrame(rows)[numbers].astype(float)
    start = f"{study.edition}.{study.policy}.bridge"
    return table.assign(
        policy=study.policy,
        step=STEPS,
        change=table["estimate"].diff(),
        result_id=[f"{start}.{step}" for step in STEPS],
    )[COLUMNS]
