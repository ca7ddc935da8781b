"""Risk sets and their weights as tables of the panel: made once, read while they are right."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.panel.histories import Histories
from evaluation.panel.staying import stay_untreated_weights
from evaluation.panel.timing import build_risk_sets
from evaluation.tables import read_table, write_table

KEYS = {
    "risk_sets": ["cohort", "month", "person_id"],
    "stay": ["cohort", "person_id", "year"],
}


def build_sets(policy, histories, plan, among=None) -> dict[str, pd.DataFrame]:
    """Make a policy's ``risk_sets`` and the weights ``stay`` of their comparison persons.

    Parameters
    ----------
    policy, histories, plan, among
        As for `timing.build_risk_sets`.
    """
    sets = build_risk_sets(policy, histories, plan, among=among)
    weights = stay_untreated_weights(policy, histories, sets, among)
    return {"risk_sets": sets, "stay": weights}


def write_sets(built: dict, folder: Path, policy: str, plan: dict) -> list[Path]:
    """Write what `build_sets` made as ``risk_sets_<policy>`` and ``stay_<policy>``."""
    return [
        write_table(
            built[name], folder / f"{name}_{policy}.parquet", key=key, stamp=stamp_of(plan)
        )
        for name, key in KEYS.items()
    ]


def load_sets(
    folder: Path, policy: str, persons, plan: dict, edition: int, only=tuple(KEYS)
) -> dict:
    """Read a policy's risk sets and weights, or build them where those kept are not right.

    Right is what was made by this plan from these persons: whoever edits the plan and
    reruns only the estimate gets sets by the new plan. After a change of the ledgers or of
    the code of `panel`, `2_panel` runs again, as for every other table of the panel.

    Parameters
    ----------
    folder
        Of the edition's panel.
    persons
        Read from there.
    only
        Which of the two to read.

    Returns
    -------
    dict
        ``risk_sets`` and ``stay``, as `build_sets` makes them.
    """
    paths = {name: folder / f"{name}_{policy}.parquet" for name in only}
    if all(path.is_file() for path in paths.values()):
        kept = {name: read_table(path) for name, path in paths.items()}
        if all(_is_right(frame, persons, plan) for frame in kept.values()):
            return kept
    register, months = (read_table(folder / f"{n}.parquet") for n in ("register", "months"))
    return build_sets(policy, Histories(persons, register, months, edition), plan)


def stamp_of(plan: dict) -> str:
    """Fingerprint of a whole plan, so that no setting can be forgotten."""
    return hashlib.sha256(json.dumps(plan, sort_keys=True, default=str).encode()).hexdigest()


def _is_right(frame, persons, plan) -> bool:
    """Empty sets have lost their persons in the file: they are built, which costs nothing."""
    people = np.asarray(persons["person_id"])
    return frame.attrs.get("stamp") == stamp_of(plan) and np.array_equal(
        frame["person_id"].cat.categories, people
    )
