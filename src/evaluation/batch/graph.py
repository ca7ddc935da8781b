"""Editions × notebooks: which runs there are, in which order, and who reads whom."""

import math
from pathlib import Path

from evaluation.batch.receipts import Run, receipt_path
from evaluation.errors import EvaluationError
from evaluation.paths import PAGES, Folders, list_ledgers
from evaluation.plan import POLICIES

FIRST_DEFAULT_EDITION = 2021
LANGUAGES = tuple(PAGES)
# Notebooks whose tables a notebook reads: of its own edition, and of the one before.
READS = {
    "1_ledgers": (),
    "2_panel": ("1_ledgers",),
    "3_describe": ("2_panel",),
    "4_effect": ("2_panel",),
    "5_robustness": ("2_panel", "4_effect"),
    "6_value": ("2_panel", "4_effect"),
    "7_editions": ("4_effect", "5_robustness"),
    "8_findings": (
        "2_panel", "3_describe", "4_effect", "5_robustness", "6_value", "7_editions",
    ),
}  # fmt: skip
READS_BEFORE = {"5_robustness": ("2_panel", "4_effect"), "7_editions": ("4_effect",)}
# Tables of all frozen editions before, with which a notebook's own are compared.
READS_FROZEN = {"2_panel": ("reach",)}


def plan_stages(years: list[int], notebooks: Path) -> list[list[Run]]:
    """List the runs of all editions in stages.

    Dependencies between years would make a failure of one year stop the next, so
    what looks at the edition before (5, 7, and the page that prints it) comes in a
    stage of its own and takes from the earlier edition what is there.

    Parameters
    ----------
    years
        Editions, ascending.
    notebooks
        Folder of the notebooks; one that a researcher removed is left out.
    """
    present = {path.stem for path in notebooks.glob("*.ipynb")}
    first, second = [], []
    for year in years:
        first += [Run("2_panel", year), Run("3_describe", year)]
        first += [Run("4_effect", year, policy) for policy in POLICIES]
        first += [Run("6_value", year)]
        second += [Run("5_robustness", year, policy) for policy in POLICIES]
        second += [Run("7_editions", year)]
        second += [Run("8_findings", year, language=language) for language in LANGUAGES]
    stages = [[Run("1_ledgers")], first, second]
    return [[run for run in stage if run.notebook in present] for stage in stages]


def list_runs(years: list[int], notebooks: Path) -> list[Run]:
    """The runs of all editions, in the order of the stages."""
    return [run for stage in plan_stages(years, notebooks) for run in stage]


def upstream(run: Run, notebooks: Path) -> list[Run]:
    """The runs of a run's own edition whose tables it reads.

    What a removed notebook would have read, those read that would have read it. A table
    read beside these is found in the run's trace.
    """
    if run.year is None:
        return []
    edition = list_runs([run.year], notebooks)
    present = {other.notebook for other in edition}
    wanted = list(READS[run.notebook])
    for notebook in wanted:  # grows while it is walked
        if notebook not in present:
            wanted += READS[notebook]
    return [other for other in edition if other.notebook in wanted and _concerns(other, run)]


def before(run: Run, notebooks: Path) -> list[Run]:
    """The runs of the edition before whose tables a run reads, where they are there."""
    wanted = READS_BEFORE.get(run.notebook, ())
    if not wanted:
        return []
    edition = list_runs([run.year - 1], notebooks)
    return [other for other in edition if other.notebook in wanted and _concerns(other, run)]


def _concerns(other: Run, run: Run) -> bool:
    """A run for one policy reads nothing of another policy."""
    return run.policy is None or other.policy in (None, run.policy)


def stands(folders: Folders, run: Run) -> bool:
    """Whether a run and everything that it reads of its edition is finished."""
    return receipt_path(folders, run).is_file() and all(
        stands(folders, other) for other in upstream(run, folders.notebooks)
    )


def editions_available(folders: Folders) -> list[int]:
    """Editions that the ledgers can give: the years in which files were received.

    In a flat folder (no folder per year) the years of the roster's snapshots decide,
    which are known once ``1_ledgers`` has run; before that the list is empty.
    """
    received = sorted(
        int(folder.name)
        for folder in folders.ledgers.glob("[12][0-9][0-9][0-9]")
        if folder.is_dir() and list_ledgers(folder)
    )
    roster = folders.clean / "roster.parquet"
    if received or not roster.is_file():
        return received
    from pyarrow import parquet  # much faster to import than pandas

    years = parquet.read_table(roster, columns=["snapshot_year"])["snapshot_year"]
    known = [year for year in years.unique().to_pylist() if year is not None]
    return sorted(int(year) for year in known if not math.isnan(year))


def editions_run(folders: Folders) -> list[int]:
    """Editions of which a run ever began."""
    reports = (folders.runs / "reports").glob("[12][0-9][0-9][0-9].*.json")
    return sorted({int(path.name[:4]) for path in reports})


def choose_editions(available: list[int], wanted: list[int] | None) -> list[int]:
    """Settle which editions are run.

    Raises
    ------
    EvaluationError
        If a wanted year has no data; names the years that have.
    """
    if wanted is None:
        chosen = [year for year in available if year >= FIRST_DEFAULT_EDITION]
        return chosen or available[-1:]
    missing = sorted(set(wanted) - set(available))
    if missing:
        span = f"{available[0]}—{available[-1]}" if available else "（无）"
        raise EvaluationError(
            f"{'、'.join(map(str, missing))} 年没有台账数据，不能评估。现有年份：{span}。"
        )
    return sorted(set(wanted))
