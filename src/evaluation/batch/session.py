"""What a batch holds while it runs: the project for itself, limits, a warm process."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from evaluation.batch.execution import MEMORY_VARIABLE, TIMEOUT_VARIABLE
from evaluation.batch.warm.process import VARIABLE, can_fork, open_warm_process
from evaluation.errors import EvaluationError
from evaluation.files import remove_stale_drafts
from evaluation.paths import Folders

_SHARE = 0.8  # of the machine's memory for all notebooks together


@contextmanager
def open_session(
    folders: Folders, *, engine: str | None, memory: float | None, minutes: float, jobs: int
) -> Iterator[None]:
    """Hold what a batch needs; worker processes and kernels inherit the environment.

    Parameters
    ----------
    engine
        ``warm`` (kernels forked from a process that has imported everything) or
        ``kernel``; none = warm where the platform can.
    memory
        GB that a notebook may take; none = its share of four fifths of the machine's.
    minutes
        How long a cell may run.
    jobs
        Notebooks at a time.

    Raises
    ------
    EvaluationError
        If another batch is running in this project, or warm kernels are asked for where
        they cannot be had.
    """
    if engine == "warm" and not can_fork():
        raise EvaluationError("这台电脑的系统不支持 --engine warm（需要 Linux），请用 kernel。")
    from evaluation.batch.workers import stop_workers

    with ExitStack() as held:
        held.enter_context(_hold_project(folders))
        remove_stale_drafts(folders.data, folders.outputs)
        os.environ[TIMEOUT_VARIABLE] = str(round(minutes * 60))
        os.environ[MEMORY_VARIABLE] = str(_bytes_for_each(memory, jobs))
        # Notebooks side by side, each with threads for every core, get in each other's way.
        for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        if engine == "kernel":
            held.callback(os.environ.update, _take(VARIABLE))
        elif can_fork() and VARIABLE not in os.environ:
            held.enter_context(open_warm_process())
        held.callback(stop_workers)
        yield


def _take(variable: str) -> dict[str, str]:
    """Take a variable out of the environment; what there is to put back."""
    there = variable in os.environ
    return {variable: os.environ.pop(variable)} if there else {}


@contextmanager
def _hold_project(folders: Folders) -> Iterator[None]:
    """Keep other batches out; the operating system lets go of it whatever happens."""
    from filelock import FileLock, Timeout

    folders.runs.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folders.runs / "lock", timeout=0)
    try:
        with lock:
            yield
    except Timeout:
        raise EvaluationError(
            "另一个 evaluation run 正在这个文件夹中运行，请等它结束后再试。"
        ) from None


def _bytes_for_each(memory: float | None, jobs: int) -> int:
    """Bytes for one notebook; 0 = no limit, where the size of memory is not known."""
    if memory is not None:
        return round(memory * 2**30)
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
    return round(whole * _SHARE / jobs)
