"""What a batch holds while it runs: the project for itself, limits, a warm process."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from evaluation.batch.environment import set_variables
from evaluation.batch.execution import MEMORY_VARIABLE, TIMEOUT_VARIABLE
from evaluation.batch.warm.process import VARIABLE, can_fork, open_warm_process
from evaluation.errors import EvaluationError
from evaluation.files import remove_stale_drafts
from evaluation.paths import Folders

_LOCK = "lock"
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
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

    limits = {
        TIMEOUT_VARIABLE: str(round(minutes * 60)),
        MEMORY_VARIABLE: str(_bytes_for_each(memory, jobs)),
    }
    # Notebooks side by side, each with threads for every core, get in each other's way.
    limits |= {name: os.environ.get(name, "1") for name in _THREADS}
    with ExitStack() as held:
        held.enter_context(hold_project(folders))
        remove_stale_drafts(folders.data, folders.outputs)
        held.enter_context(set_variables(limits))
        if engine == "kernel":
            held.enter_context(set_variables({VARIABLE: None}))
        elif can_fork() and VARIABLE not in os.environ:
            held.enter_context(open_warm_process())
        held.callback(stop_workers)
        yield


def is_running(folders: Folders) -> bool:
    """Whether a batch is under way in this project."""
    from filelock import FileLock, Timeout

    if not folders.runs.is_dir():
        return False
    try:
        with FileLock(folders.runs / _LOCK, timeout=0):
            return False
    except Timeout:
        return True


@contextmanager
def hold_project(folders: Folders) -> Iterator[None]:
    """Keep other batches out; the operating system lets go of it whatever happens."""
    from filelock import FileLock, Timeout

    folders.runs.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folders.runs / _LOCK, timeout=1)  # `is_running` holds it for a moment
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
