"""The question of the edition before as it was asked then: by its plan, with its places.

Both stand beside the frozen edition. Where the edition before was never frozen it was made
anew by today's program, plan and places, and neither can have changed.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from evaluation.effects.balancing import add_lags
from evaluation.effects.study import Study, load_study
from evaluation.errors import EvaluationError
from evaluation.ledgers.text_files import read_reference
from evaluation.panel.boundaries import recode_townships
from evaluation.panel.build import LEDGERS, Panel, build_panel
from evaluation.panel.histories import Histories
from evaluation.panel.months import name_persons
from evaluation.panel.sets import build_sets
from evaluation.paths import Folders
from evaluation.plan import load_district, load_toml
from evaluation.tables import read_table

SAME, TOLD, UNTOLD = "same", "told", "untold"
_AS_PLANNED = {"outcome": "", "horizon": -1, "subgroup": ""}


@dataclass(frozen=True)
class Earlier:
    """The edition before, with one thing changed at a time, all by today's program.

    Attributes
    ----------
    then
        By the plan and with the places of then, as far as they can be told.
    planned
        By today's plan.
    now
        By today's plan and with today's places.
    states
        Of ``plan`` and ``boundary``: ``same`` as then, ``told`` apart, or changed but
        ``untold``: then it is part of what the program changed.
    """

    then: Study
    planned: Study
    now: Study
    states: dict[str, str]


def load_earlier(folders: Folders, plan: dict, year: int, policy: str) -> Earlier | None:
    """Read the edition before; None where its tables of persons are not there.

    Parameters
    ----------
    plan
        Today's.
    year
        The edition before.
    """
    if not (folders.panel(year) / "register.parquet").is_file():
        return None
    now = load_study(folders, plan, year, policy, **_AS_PLANNED)
    states, kept = {"plan": SAME, "boundary": SAME}, folders.published(year) / "reference"
    planned, panel = now, None
    if _differ(kept / "places.csv", folders.reference / "places.csv"):
        panel = _rebuild_panel(folders, year, kept / "places.csv")
        states["boundary"] = TOLD if panel else UNTOLD
        planned = put_panel(now, panel, plan) if panel else now
    then, asked = planned, _read_plan(kept, plan)
    if asked != plan:
        try:
            then = load_study(folders, asked, year, policy, **_AS_PLANNED)
            then = put_panel(then, panel, asked) if panel else then
            states["plan"] = TOLD
        except (EvaluationError, LookupError, TypeError, ValueError):
            states["plan"] = UNTOLD  # today's program cannot follow it any more
    return Earlier(then, planned, now, states)


def _differ(kept: Path, present: Path) -> bool:
    """Whether a file that was frozen is another one now, line ends apart."""
    if not kept.is_file():
        return False
    return kept.read_bytes().split() != present.read_bytes().split()


def _read_plan(kept: Path, plan: dict) -> dict:
    """The plan of then; what it did not know yet is as today, also what no plan may lack."""
    path = kept / "analysis_plan.toml"
    return _lay_over(plan, load_toml(path)) if path.is_file() else plan


def _lay_over(today: dict, then: dict) -> dict:
    both = {
        name: _lay_over(today[name], value)
        if isinstance(value, dict) and isinstance(today.get(name), dict)
        else value
        for name, value in then.items()
    }
    return today | both


def _rebuild_panel(folders: Folders, year: int, places: Path) -> Panel | None:
    """The panel with the places of then; None where they cannot be told."""
    clean = {
        ledger: read_table(path)
        for ledger in LEDGERS
        if (path := folders.clean / f"{ledger}.parquet").is_file()
    }
    now = read_reference(folders.reference / "places.csv")
    recoded = recode_townships(clean, now, read_reference(places))
    if recoded is None:
        return None
    return build_panel(recoded, year, load_district(folders.reference))


def put_panel(study: Study, panel: Panel, plan: dict) -> Study:
    """The same question on another panel of the same edition."""
    histories = Histories(panel.persons, panel.register, panel.months, study.edition)
    built = build_sets(study.policy, histories, plan)
    people = pd.Index(panel.persons["person_id"])
    persons, years, sets, stay = (
        name_persons(frame, people)
        for frame in (panel.persons, panel.years, built["risk_sets"], built["stay"])
    )
    return replace(
        study,
        persons=persons.assign(entry_year=persons[f"{study.policy}_year"]),
        years=years,
        risk_sets=add_lags(sets, study.history),
        stay_weights=stay,
    )
