"""How every run of a batch stands: for the terminal and for ``data/runs/status.html``."""

import time
from dataclasses import dataclass

from evaluation.batch.freshness import Reason, survey
from evaluation.batch.receipts import Run, read_report, report_path
from evaluation.batch.stages import Outcome
from evaluation.paths import Folders

WORDS = {
    "fresh": "最新",
    "done": "完成",
    "unchanged": "未变",
    "running": "运行中",
    "stale": "将运行",
    "waiting": "看上游",
    "failed": "失败",
    "skipped": "未运行",
}
STYLES = {"failed": "red", "stale": "yellow", "running": "cyan", "done": "green"}


@dataclass(frozen=True)
class Standing:
    """How one run stands.

    Attributes
    ----------
    state
        One of the keys of `WORDS`.
    reasons
        Why it is not up to date; empty if it is.
    message
        Why it failed, in words; may have several lines.
    seconds
        How long it took the last time.
    """

    run: Run
    state: str
    reasons: tuple[Reason, ...] = ()
    message: str = ""
    seconds: float | None = None


def look(
    folders: Folders,
    runs: list[Run],
    outcomes: list[Outcome] | tuple[Outcome, ...] = (),
    *,
    running: bool = False,
) -> list[Standing]:
    """See how runs stand, without running or writing anything.

    Parameters
    ----------
    runs
        In the order of the batch.
    outcomes
        What just happened to them, after a batch: what is up to date was then done or
        left unchanged.
    running
        Whether a batch is under way (`session.is_running`): without one, what began and
        never ended was killed.
    """
    happened = {outcome.run: outcome.state for outcome in outcomes}
    return [
        _stand(run, outlook, read_report(folders, run), happened.get(run), running)
        for run, outlook in survey(folders, runs).items()
    ]


def _stand(run: Run, outlook, report: dict, happened: str | None, running: bool) -> Standing:
    state = outlook.state
    if state == "fresh":
        state = happened or state
    elif "began" in report and running:
        state = "running"
    elif "error" in report and outlook.reasons[0].kind == "failed":
        state = "failed"
    elif happened == "skipped":
        state = happened
    message = report.get("message", "") if state == "failed" else ""
    return Standing(run, state, outlook.reasons, message, report.get("seconds"))


def is_current(standings: list[Standing]) -> bool:
    """Whether a batch would run nothing."""
    return not any(standing.reasons for standing in standings)


def last_run(folders: Folders, runs: list[Run]) -> str:
    """When a run last began or ended, to the minute; empty if none ever did."""
    reports = [report_path(folders, run) for run in runs]
    times = [path.stat().st_mtime for path in reports if path.is_file()]
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(max(times))) if times else ""


def tabulate(cells: dict[Run, str], title: str):
    """A table for the terminal: a row per notebook, a column per edition.

    Parameters
    ----------
    cells
        What to say of each run; rich's markup is understood.
    """
    from rich.table import Table

    years, names = list_axes(list(cells))
    table = Table("笔记本", *[str(year or "全部") for year in years], title=title)
    said = {(run.output_name, run.year): words for run, words in cells.items()}
    for name in names:
        table.add_row(name, *[said.get((name, year), "") for year in years])
    return table


def list_axes(runs: list[Run]) -> tuple[list[int | None], list[str]]:
    """Editions (None for the ledgers of all years) and notebooks, each in order."""
    years = sorted({run.year for run in runs}, key=lambda year: year or 0)
    return years, sorted({run.output_name for run in runs})
