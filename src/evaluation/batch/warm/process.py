"""Start and end the warm process."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluation.batch.environment import set_variables

VARIABLE = "EVALUATION_WARM"  # where the warm process listens; worker processes inherit it
MANAGER = "evaluation.batch.warm.kernels.WarmKernelManager"  # gives out its kernels
# One thread before each fork: no pools of OpenBLAS, no background thread of pyarrow's
# allocator. Kernels get the environment of their caller instead.
_QUIET = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # What ipykernel sets; pyplot is left to the notebook, since its inline figures look for
    # a running shell when they are imported.
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    # The C library hands large arrays back to the system at once, and each new one costs
    # a fault of every page; a kernel lives for seconds and may keep what it has.
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**32),
}


def can_fork() -> bool:
    """Whether this platform forks safely enough and tells when a process has ended."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open")


@contextmanager
def open_warm_process() -> Iterator[None]:
    """Keep a warm process as long as the block lasts; it loads while the block begins.

    Its standard input is held open by this process alone, so that it ends with it
    even after ``kill -9``.
    """
    with tempfile.TemporaryDirectory(
        prefix="evaluation-", ignore_cleanup_errors=True
    ) as folder:
        path = str(Path(folder) / "warm")  # a path of a socket has at most 107 characters
        server = Path(__file__).with_name("server.py")
        process = subprocess.Popen(
            [sys.executable, str(server), path],
            stdin=subprocess.PIPE,
            env=os.environ | _QUIET,
        )
        try:
            with set_variables({VARIABLE: path}):
                yield
        finally:
            process.stdin.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
