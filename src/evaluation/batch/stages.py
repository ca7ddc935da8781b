"""A stage of runs through pytask: only what must runs, and a failure stays alone.

pytask knows the order, runs several at once and keeps failures apart. Whether a run is up
to date is decided by its receipt alone, at the moment when it is its turn: an upstream run
that gave the same tables as before makes nothing after it run.
"""

from contextlib import chdir
from dataclasses import dataclass, field

from evaluation.batch import graph
from evaluation.batch.execution import execute_run
from evaluation.batch.freshness import Reason, find_reasons, survey
from evaluation.batch.receipts import Run, read_report, receipt_path
from evaluation.errors import EvaluationError
from evaluation.paths import Folders

_ATTEMPTS = 3  # a killed worker takes with it what others were doing: that runs again


@dataclass(frozen=True)
class Outcome:
    """What happened to a run.

    Attributes
    ----------
    state
        One of done, unchanged, failed, skipped.
    message
        Why it failed or was skipped, in words; may have several lines.
    error
        Name of the error's class.
    reasons
        Why it was run.
    """

    run: Run
    state: str
    seconds: float | None = None
    message: str = ""
    error: str = ""
    reasons: tuple[Reason, ...] = ()


def build_stage(folders: Folders, stage: list[Run], *, jobs: int, force: bool) -> list[Outcome]:
    """Run one stage: what is up to date is left alone, a failure stays alone.

    Parameters
    ----------
    stage
        Runs of this stage.
    jobs
        Notebooks at a time.
    force
        Run even what is up to date.

    Returns
    -------
    list
        One outcome per run of the stage, in its order.
    """
    ready = _list_ready(folders, stage)
    if force:
        decisions = {run: _Decision(folders, run, forced=True) for run in ready}
    else:
        decisions = {
            run: _Decision(folders, run)
            for run, outlook in survey(folders, ready).items()
            if outlook.state != "fresh"
        }
    states = dict.fromkeys((run.name for run in ready), "unchanged")
    problems: dict[str, str] = {}
    waiting = list(decisions)
    for _ in range(_ATTEMPTS):
        if not waiting:
            break
        found, said = _build(folders, {run: decisions[run] for run in waiting}, jobs=jobs)
        states |= found
        problems |= said
        lost = [
            run
            for run in waiting
            if states.get(run.name) in ("failed", "skipped")
            and "error" not in read_report(folders, run)
        ]
        waiting = _list_ready(folders, lost)
    return [
        _outcome(
            folders,
            run,
            states.get(run.name, "skipped"),
            decisions.get(run),
            problems.get(run.name, ""),
        )
        for run in stage
    ]


def _list_ready(folders: Folders, stage: list[Run]) -> list[Run]:
    """Runs whose inputs of the same edition are there or made in this stage."""
    ready: list[Run] = []
    for run in stage:
        read = graph.upstream(run, folders.notebooks)
        if all(
            other in ready if other in stage else graph.stands(folders, other) for other in read
        ):
            ready.append(run)
    return ready


@dataclass
class _Decision:
    """Input of a task: why it must run, asked when everything before it has ended.

    A node of pytask (its `PNode`): `load` is called when the task's turn has come.
    """

    folders: Folders
    run: Run
    forced: bool = False
    reasons: tuple[Reason, ...] = ()
    attributes: dict = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"decision::{self.run.name}"

    signature = name

    def state(self) -> str:
        return "decided by the receipt"

    def load(self, is_product: bool = False) -> tuple[Reason, ...]:
        # Of a run that is tried again the first reason is the one that tells.
        self.reasons = self.reasons or find_reasons(self.folders, self.run)
        if self.forced and not self.reasons:
            self.reasons = (Reason("forced"),)
        return self.reasons

    def save(self, value) -> None:
        raise NotImplementedError("a decision is never written")


def _outcome(
    folders: Folders, run: Run, state: str, decision: _Decision | None, problem: str
) -> Outcome:
    if state == "skipped":
        return Outcome(run, state, message="它所依据的笔记本没有完成")
    if state == "unchanged":
        return Outcome(run, state)
    said = read_report(folders, run)
    return Outcome(
        run,
        state,
        said.get("seconds"),
        said.get("message", problem),
        said.get("error", ""),
        decision.reasons,
    )


def _build(
    folders: Folders, decisions: dict[Run, _Decision], *, jobs: int
) -> tuple[dict[str, str], dict[str, str]]:
    """Hand runs to pytask; returns state and, of those that failed, problem by name."""
    import pytask

    from evaluation.batch.workers import use_kept_workers

    states = {
        pytask.TaskOutcome.SUCCESS: "done",
        pytask.TaskOutcome.FAIL: "failed",
        pytask.TaskOutcome.SKIP_UNCHANGED: "unchanged",
    }
    home = folders.runs / "graph"
    home.mkdir(parents=True, exist_ok=True)
    # With a configuration of its own pytask keeps its notes here, not in the project.
    config = home / "pyproject.toml"
    config.write_text("[tool.pytask.ini_options]\n", encoding="utf-8")
    # pytask's own tables speak of tasks and nodes; the summary is ours.
    pytask.console.quiet = True
    try:
        session = pytask.build(
            tasks=[_make_task(folders, run, decisions) for run in decisions],
            paths=home,
            config=config,
            **(use_kept_workers(jobs) if jobs > 1 else {"n_workers": 1}),
            force=True,  # pytask's own memory decides nothing
            verbose=0,
            show_traceback=False,
            disable_warnings=True,
        )
    finally:
        pytask.console.quiet = False
    if not session.execution_reports:
        raise EvaluationError("批处理没有启动：pytask 拒绝了任务表，请把这句话告诉维护者。")
    reports = {report.task.name.split("::")[-1]: report for report in session.execution_reports}
    problems = {
        name: str(report.exc_info[1] or "")
        for name, report in reports.items()
        if report.outcome == pytask.TaskOutcome.FAIL and report.exc_info
    }
    found = {name: states.get(report.outcome, "skipped") for name, report in reports.items()}
    return found, problems


def _make_task(folders: Folders, run: Run, decisions: dict[Run, _Decision]):
    import pytask

    # Receipts of this stage do not exist yet on a first run, but order the tasks.
    order = {
        f"after_{number}": receipt_path(folders, other)
        for number, other in enumerate(graph.upstream(run, folders.notebooks))
        if other in decisions
    }

    def run_task(reasons, produces, **order):
        if not reasons:
            raise pytask.SkippedUnchanged
        # Workers and a single process start elsewhere; kernels inherit the folder.
        with chdir(folders.root):
            execute_run(run)

    return pytask.task(
        name=run.name,
        kwargs={"reasons": decisions[run], "produces": receipt_path(folders, run), **order},
    )(run_task)
