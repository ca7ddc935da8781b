"""A whole batch: stage after stage, then the index over the editions and the status page."""

from evaluation.batch import graph
from evaluation.batch.freshness import survey
from evaluation.batch.progress import Progress
from evaluation.batch.session import open_session
from evaluation.batch.stages import Outcome, build_stage
from evaluation.batch.status import look
from evaluation.batch.status_page import write_status
from evaluation.findings.index import refresh_index
from evaluation.paths import Folders


def run_editions(
    folders: Folders, years: list[int] | None, *, jobs: int, force: bool = False, **limits
) -> list[Outcome]:
    """Run what is not up to date, of the ledgers and of some editions.

    Parameters
    ----------
    years
        Editions; none where only ``1_ledgers`` can tell which there are: then those
        that `graph.choose_editions` chooses of what it finds.
    jobs
        Notebooks at a time.
    force
        Run even what is up to date.
    limits
        ``engine``, ``memory``, ``minutes``: see `session.open_session`.

    Returns
    -------
    list
        One outcome per run, in the order of the batch.

    Raises
    ------
    EvaluationError
        If another batch is running in this project, or a wanted year has no data.
    """
    runs = graph.list_runs(years or [], folders.notebooks)
    looked = {} if force or not years else survey(folders, runs)
    if looked and all(outlook.state == "fresh" for outlook in looked.values()):
        outcomes = [Outcome(run, "unchanged") for run in runs]
        _publish_state(folders, outcomes)
        return outcomes
    with open_session(folders, jobs=jobs, **limits):
        outcomes = _run_stages(folders, years, jobs=jobs, force=force)
        _publish_state(folders, outcomes)
    return outcomes


def _run_stages(folders, years, *, jobs, force) -> list[Outcome]:
    available = graph.editions_available(folders)
    stages = graph.plan_stages(years or [], folders.notebooks)
    with Progress(folders, force=force) as progress:
        progress.show([run for stage in stages for run in stage])
        outcomes = build_stage(folders, stages[0], jobs=jobs, force=force)
        if not available and outcomes[0].state in ("done", "unchanged"):
            years = graph.choose_editions(graph.editions_available(folders), years)
            stages = graph.plan_stages(years, folders.notebooks)
            progress.show([run for stage in stages for run in stage])
        for stage in stages[1:]:
            outcomes += build_stage(folders, stage, jobs=jobs, force=force)
    return outcomes


def _publish_state(folders: Folders, outcomes: list[Outcome]) -> None:
    """Write the index and the status page, the latter with editions of earlier calls."""
    refresh_index(folders)
    asked = {outcome.run.year for outcome in outcomes if outcome.run.year}
    years = sorted(asked | set(graph.editions_run(folders)))
    runs = graph.list_runs(years, folders.notebooks)
    write_status(folders, look(folders, runs, outcomes))
