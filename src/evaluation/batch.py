"""Editions × notebooks: what runs, on what it depends, what came out."""

import json
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import EvaluationError
from evaluation.execution import execute_run
from evaluation.files import file_hash
from evaluation.paths import Folders, list_ledgers
from evaluation.plan import POLICIES
from evaluation.receipts import Run, receipt_path, report_path

FIRST_DEFAULT_EDITION = 2021
LANGUAGES = ("zh", "en")
# What no notebook imports cannot make a result stale.
_NOT_IN_NOTEBOOKS = {"demo", "cli.py", "progress.py", "batch.py", "execution.py", "receipts.py"}


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
    """

    run: Run
    state: str
    seconds: float | None = None
    message: str = ""
    error: str = ""


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


def upstream(run: Run, runs: list[Run]) -> list[Run]:
    """The runs whose products a run reads, among those given.

    Within an edition every notebook may read what a lower number wrote; 5 and 7 also
    read the edition before.
    """
    number = int(run.notebook[0])
    before = [
        other
        for other in runs
        if int(other.notebook[0]) < number
        and (other.year is None or other.year == run.year)
        and (run.policy is None or other.policy in (None, run.policy))
    ]
    last_read = {3: 2, 4: 2, 6: 4}  # 6 is independent of 5, which comes in a later stage
    if number in last_read:
        return [other for other in before if int(other.notebook[0]) <= last_read[number]]
    if number in (5, 7):
        earlier = [
            o for o in runs if o.year == run.year - 1 and int(o.notebook[0]) in (2, 4, 6)
        ]
        before += [o for o in earlier if run.policy is None or o.policy in (None, run.policy)]
    return before


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
    import pandas as pd

    years = pd.read_parquet(roster, columns=["snapshot_year"])["snapshot_year"].dropna()
    return sorted(int(year) for year in years.unique())


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


def discard_broken_receipts(folders: Folders, runs: list[Run]) -> None:
    """Withdraw the receipt of a run one of whose products is gone or was changed."""
    for run in runs:
        receipt = receipt_path(folders, run)
        if not receipt.is_file():
            continue
        products = json.loads(receipt.read_text(encoding="utf-8"))
        for name, expected in products.items():
            path = folders.data / name  # data/ exists wherever a receipt does
            if not path.is_file() or file_hash(path) != expected:
                receipt.unlink()
                break


def dependencies(folders: Folders, run: Run, runs: list[Run]) -> list[Path]:
    """Files whose content decides whether a run is up to date."""
    package = Path(__file__).parent
    code = sorted(
        path
        for path in package.rglob("*")
        if path.is_file()
        and path.suffix not in {".pyc"}
        and path.relative_to(package).parts[0] not in _NOT_IN_NOTEBOOKS
    )
    reference = sorted(path for path in folders.reference.iterdir() if path.is_file())
    inputs = (
        list_ledgers(folders.ledgers)
        if run.year is None
        else [receipt_path(folders, other) for other in upstream(run, runs)]
    )
    return [folders.notebooks / f"{run.notebook}.ipynb", *reference, *code, *inputs]


def build_stage(
    folders: Folders, stage: list[Run], runs: list[Run], *, jobs: int, force: bool
) -> list[Outcome]:
    """Run one stage through pytask: what is up to date is skipped, a failure stays alone.

    Parameters
    ----------
    stage
        Runs of this stage.
    runs
        Runs of all stages, among which the inputs are found.
    jobs
        Notebooks at a time.
    force
        Run even what is up to date.

    Returns
    -------
    list
        One outcome per run of the stage, in its order.
    """
    ready = [run for run in stage if not _inputs_lacking(folders, run, stage, runs)]
    states = _build(folders, ready, runs, jobs=jobs, force=force) if ready else {}
    return [_outcome(folders, run, states.get(run.name, "skipped")) for run in stage]


def _inputs_lacking(folders: Folders, run: Run, stage: list[Run], runs: list[Run]) -> bool:
    """Whether an input of the same edition from an earlier stage is not there.

    Inputs of the same stage are followed by pytask; those of an earlier edition are
    used where they are there.
    """
    return any(
        other not in stage
        and other.year in (None, run.year)
        and not receipt_path(folders, other).is_file()
        for other in upstream(run, runs)
    )


def _outcome(folders: Folders, run: Run, state: str) -> Outcome:
    report = report_path(folders, run)
    if state == "skipped":
        return Outcome(run, state, message="它所依据的笔记本没有完成")
    if state == "unchanged" or not report.is_file():
        return Outcome(run, state)
    said = json.loads(report.read_text(encoding="utf-8"))
    return Outcome(run, state, said["seconds"], said.get("message", ""), said.get("error", ""))


def _build(
    folders: Folders, ready: list[Run], runs: list[Run], *, jobs: int, force: bool
) -> dict[str, str]:
    """Hand runs to pytask; returns the state by name of run."""
    import pytask

    states = {
        pytask.TaskOutcome.SUCCESS: "done",
        pytask.TaskOutcome.FAIL: "failed",
        pytask.TaskOutcome.SKIP_UNCHANGED: "unchanged",
        pytask.TaskOutcome.PERSISTENCE: "unchanged",
    }
    graph = folders.runs / "graph"
    graph.mkdir(parents=True, exist_ok=True)
    tasks = [_make_task(folders, run, runs) for run in ready]
    # pytask's own tables speak of tasks and nodes; the summary is ours.
    pytask.console.quiet = True
    try:
        session = pytask.build(
            tasks=tasks,
            paths=graph,
            n_workers=jobs,
            force=force,
            verbose=0,
            show_traceback=False,
            disable_warnings=True,
        )
    finally:
        pytask.console.quiet = False
    if not session.execution_reports:
        raise EvaluationError("批处理没有启动：pytask 拒绝了任务表，请把这句话告诉维护者。")
    return {
        report.task.name.split("::")[-1]: states.get(report.outcome, "skipped")
        for report in session.execution_reports
    }


def _make_task(folders: Folders, run: Run, runs: list[Run]):
    import pytask

    files = [path for path in dependencies(folders, run, runs) if path.is_file()]
    upstream_of_run = {other: receipt_path(folders, other) for other in upstream(run, runs)}
    receipts = set(upstream_of_run.values())
    # One fingerprint over names and contents: pytask would not notice a file that is gone.
    content = "".join(
        f"{path.relative_to(path.anchor).as_posix()} {file_hash(path)}\n"
        for path in files
        if path not in receipts
    )
    absent = sorted(
        other.name
        for other, path in upstream_of_run.items()
        if other.year != run.year and other.year is not None and not path.is_file()
    )
    # Receipts of this stage do not exist yet on a first run, but order the tasks.
    inputs = {
        f"input_{number}": path
        for number, (other, path) in enumerate(upstream_of_run.items())
        if path.is_file() or other.year in (None, run.year)
    }

    def run_task(fingerprint, produces, **inputs):
        execute_run(run)

    fingerprint = f"{content}{run.parameters}{absent}"
    return pytask.task(
        name=run.name,
        kwargs={
            "fingerprint": pytask.PythonNode(value=fingerprint, hash=True),
            "produces": receipt_path(folders, run),
            **inputs,
        },
    )(run_task)
