"""Worker processes that run notebooks, kept over all stages of a batch."""

import importlib
import os
import threading
import time
from concurrent.futures import Executor

from loky import get_reusable_executor

# What each notebook needs in its worker; loaded while the first one is still running.
_LOAD = (
    "papermill",
    "nbformat",
    "pandas",
    "evaluation.batch.engine",
    "evaluation.findings.page",
    "nbconvert.exporters.html",
    "fontTools.subset",
    "IPython.display",
)


class KeptWorkers(Executor):
    """Processes of loky that survive the end of a stage, and are replaced when killed."""

    started = False  # loky keeps one set of processes for the whole batch

    def __init__(self, jobs: int):
        KeptWorkers.started = True
        self._processes = get_reusable_executor(
            max_workers=jobs,
            timeout=600,
            initializer=_start,
            initargs=(os.getpid(),),
            reuse=True,
        )

    def submit(self, *args, **kwargs):
        """Hand over a call."""
        return self._processes.submit(*args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Keep the processes: `stop_workers` ends them."""


def stop_workers() -> None:
    """End the processes, whatever they do, if there are any."""
    if KeptWorkers.started:
        KeptWorkers.started = False
        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


def _start(batch: int) -> None:
    # The number comes from the batch: it may be gone before this process can ask.
    threading.Thread(target=_end_with_parent, args=(batch,), daemon=True).start()
    for name in _LOAD:
        importlib.import_module(name)


def _end_with_parent(parent: int) -> None:
    """Leave when the batch was killed: nobody would take the result.

    Only POSIX gives an orphan another parent; elsewhere the process ends when idle.
    """
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def use_kept_workers(jobs: int) -> dict:
    """Make the processes known to pytask; returns its settings for them.

    pytask hands out a task only to a worker that it believes free, and looks seldom. It
    is told of twice as many as there are, so that no process waits for its look.
    """
    from pytask_parallel import ParallelBackend, registry

    registry.register_parallel_backend(
        ParallelBackend.CUSTOM, lambda n_workers: KeptWorkers(jobs), worker_type="processes"
    )
    return {"parallel_backend": "custom", "n_workers": 2 * jobs}
