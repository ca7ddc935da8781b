"""papermill's engine, taught to tell what really happened in a notebook.

papermill marks every cell of a notebook whose kernel died or ran out of time as
completed. Here such an end becomes an ordinary error of the cell that was running, and
no notebook may take more memory than it was given.
"""

import signal
import sys
from pathlib import Path

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat.v4 import new_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.log import logger
from traitlets import Int

from evaluation.errors import KernelError

NAME = "evaluation"


class _KernelLostError(Exception):
    """The kernel is gone: nothing more can be asked of it."""


class TruthfulClient(PapermillNotebookClient):
    """Runs cells; a kernel that dies or hangs is an error of the cell that was running."""

    memory = Int(0, help="bytes that the kernel may take beyond its start; 0 = any")
    lost = False

    def start_new_kernel_client(self):
        """Wait for the kernel, then bound its memory."""
        client = super().start_new_kernel_client()
        limit_memory(self.km.provisioner.pid, self.memory)
        return client

    def execute_cell(self, cell, cell_index, **kwargs):
        """Run one cell."""
        try:
            return super().execute_cell(cell, cell_index, **kwargs)
        except CellTimeoutError:
            minutes = f"{self.timeout / 60:g}"
            said = f"运行超过{minutes}分钟，已停止；确需更长时间的，用 --timeout 放宽。"
            run_sync(self.km.shutdown_kernel)(now=True)
        except DeadKernelError:
            said = explain_end(self.km.provisioner.process)
        self.lost = True
        name = KernelError.__name__
        cell.outputs.append(new_output("error", ename=name, evalue=said, traceback=[said]))
        raise CellExecutionError(said, name, said)

    def papermill_execute_cells(self):
        """Run all cells up to the first that fails."""
        super().papermill_execute_cells()
        if self.lost:
            raise _KernelLostError


class TruthfulEngine(NBClientEngine):
    """`NBClientEngine` with a `TruthfulClient`.

    Takes ``memory`` (bytes), ``execution_timeout`` (seconds per cell) and
    ``kernel_manager_class`` as arguments of ``papermill.execute_notebook``.
    """

    @classmethod
    def execute_managed_notebook(
        cls, nb_man, kernel_name, *, start_timeout=60, execution_timeout=None, **kwargs
    ):
        """Run the notebook."""
        names = ("memory", "kernel_manager_class", "log_output")
        client = TruthfulClient(
            nb_man,
            timeout=execution_timeout,
            startup_timeout=start_timeout,
            kernel_name=kernel_name,
            log=logger,
            **{name: kwargs[name] for name in names if kwargs.get(name)},
        )
        # papermill writes the notebook before and after each cell. Nobody looks at the
        # draft before the end, when it is written once more.
        draft, nb_man.output_path = nb_man.output_path, None
        try:
            return client.execute()
        except _KernelLostError:
            return nb_man.nb  # papermill finds the error in the cell
        finally:
            nb_man.output_path = draft


def register_engine() -> str:
    """Make the engine known to papermill; returns its name."""
    papermill_engines.register(NAME, TruthfulEngine)
    return NAME


def limit_memory(pid: int, budget: int) -> None:
    """Let a process take `budget` bytes more than it has; more is its own MemoryError.

    Only where the system can (Linux).
    """
    if not budget or sys.platform != "linux":
        return
    import resource

    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    taken = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))
    resource.prlimit(pid, resource.RLIMIT_DATA, (taken + budget, taken + budget))


def explain_end(process) -> str:
    """Say in a sentence how a kernel ended."""
    code = process.poll() if process is not None else None
    if code is None:
        return "内核没有回应，已停止。"
    if code >= 0:
        return f"内核自行退出（退出码{code}），后面的单元格没有运行。"
    if code == -9:
        return "内核被强行终止（多半是电脑内存不足，或被人结束），请重新运行。"
    return f"内核崩溃（{signal.Signals(-code).name}），请重新运行；再次出现时请告诉维护者。"
