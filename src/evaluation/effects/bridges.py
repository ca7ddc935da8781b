"""Why an earlier finding moved: its cohorts, recomputed with one thing changed at a time."""

from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import aggregate, unite_designs
from evaluation.effects.designs import fit_designs
from evaluation.effects.earlier import TOLD, UNTOLD, Earlier

STEPS = ("previous", "code", "plan", "boundary", "data_later", "late_entries")
NUMBERS = ["estimate", "conf_low", "conf_high"]
COLUMNS = ["result_id", "policy", "step", "state", *NUMBERS, "change"]
_ROUNDING = 1e-9  # what a published number loses in its csv


def publish_primary(study, cohorts) -> dict:
    """The published primary effect of some cohorts; missing values where there is none."""
    designs = fit_designs(study, study.risk_sets[study.risk_sets["cohort"].isin(cohorts)])
    rows = [aggregate(design, "primary", study.horizon) for design in designs.values()]
    if not all(len(row) for row in rows):
        return dict.fromkeys(NUMBERS, np.nan)
    return unite_designs(rows[0].iloc[0], rows[1].iloc[0])


def drop_late_entries(study, before):
    """The cohorts of then without persons who are participants now and were not then."""
    sets = study.risk_sets[study.risk_sets["cohort"].isin(before.cohorts)]
    known = before.persons.loc[before.persons["entry_year"].notna(), "person_id"]
    late = (sets["treated"] == 1) & ~sets["person_id"].isin(known)
    return replace(study, risk_sets=sets[~late].reset_index(drop=True))


def bridge_editions(study, earlier: Earlier | None, published: pd.DataFrame) -> pd.DataFrame:
    """Steps from the last edition's estimate to this one's, for that edition's cohorts.

    ``previous``: what was published. ``code``: the same data, plan and places with
    today's program; the residual, with whatever cannot be told from it. ``plan``: today's
    plan. ``boundary``: today's places. ``data_later``: what became known since about the
    same participants. ``late_entries``: participants entered in the ledgers since.

    Parameters
    ----------
    study
        This edition's question.
    earlier
        The last edition's, as returned by `earlier.load_earlier`; without it no row.
    published
        ``estimates_<policy>`` of the last edition.

    Returns
    -------
    pandas.DataFrame
        Key ``step``; ``change`` against the step above, in the outcome's unit: exactly 0
        where nothing was changed (``state`` same), missing where it is part of ``code``
        (untold). The changes add up to the difference between last and first.
    """
    if earlier is None:
        return pd.DataFrame(columns=COLUMNS)
    before = earlier.now
    studies = (earlier.then, earlier.planned, before, drop_late_entries(study, before), study)
    made, rows = {}, [_find_published(before, published)]
    for one in studies:  # what did not change is not computed again
        if id(one) not in made:
            # The last edition's cohorts by the plan of the day, on their own data.
            own = one.cohorts if one.edition == before.edition else before.cohorts
            made[id(one)] = publish_primary(one, own)
        rows.append(made[id(one)])
    table = pd.DataFrame(rows)[NUMBERS].astype(float)
    states = [TOLD, TOLD, earlier.states["plan"], earlier.states["boundary"], TOLD, TOLD]
    change = table["estimate"].diff()
    start = f"{study.edition}.{study.policy}.bridge"
    return table.assign(
        policy=study.policy,
        step=STEPS,
        state=states,
        change=change.mask(change.abs() < _ROUNDING, 0.0).mask(np.array(states) == UNTOLD),
        result_id=[f"{start}.{step}" for step in STEPS],
    )[COLUMNS]


def _find_published(before, published: pd.DataFrame) -> dict:
    name = f"{before.edition}.{before.policy}.published.primary.{before.outcome}.all"
    found = published.reindex(columns=["result_id", *NUMBERS])
    found = found.loc[found["result_id"] == name, NUMBERS]
    return found.iloc[0].to_dict() if len(found) else dict.fromkeys(NUMBERS, np.nan)


def find_cause(bridges: pd.DataFrame) -> str | None:
    """The step that moved an estimate most; None where nothing moved it."""
    if "change" not in bridges:
        return None
    size = bridges["change"].astype(float).abs()
    return str(bridges.loc[size.idxmax(), "step"]) if size.max() > 0 else None


def find_ends(bridges: pd.DataFrame) -> dict | None:
    """What was published, what the same people give now, and the difference."""
    if "estimate" not in bridges or bridges.empty:
        return None
    before, now = bridges["estimate"].astype(float).iloc[[0, -1]]
    known = np.isfinite([before, now]).all()
    return {"before": before, "now": now, "difference": now - before} if known else None
