"""The warm process: has imported what every notebook imports, and forks a kernel on request.

Run as a script by `evaluation.batch.warm.process`, never imported by it; it imports nothing of
this project, so that no kernel ever runs code older than the files. A kernel is an
ordinary ``ipykernel`` that differs from one started by its command line only in what is
loaded already. The protocol, on a Unix socket, one connection per kernel:

1. the caller sends one line of JSON: ``argv``, ``env``, ``cwd``;
2. it receives one line with the kernel's ``pid`` once its sockets are bound, or with
   ``refused`` and the reason, and then starts an ordinary kernel;
3. when the kernel has ended it receives a line with ``status``; when the caller goes
   away first, the kernel and all that it started are killed.

When the warm process ends, in whatever way, the kernel of Linux ends its children;
when its standard input closes, since whoever started it is gone, it ends itself.
"""

import atexit
import builtins
import ctypes
import gc
import importlib
import json
import os
import selectors
import shutil
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PRELOAD = (
    "numpy",
    "pandas",
    "pyarrow",
    "pyarrow.compute",
    "pyarrow.dataset",
    "pyarrow.parquet",
    "pandas.io.formats.csvs",
    "scipy.stats",
    "scipy.optimize",
    "statsmodels.api",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
    "jinja2",
    "markupsafe",
    "openpyxl",
    "xlsxwriter",
    "python_calamine",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.extensions.storemagic",
    "jupyter_client.localinterfaces",
    "psutil",
    "tornado.platform.asyncio",
)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def control_process(option: int, value: int) -> None:
    """Set a property of this process (``prctl``)."""
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


class PretendedShell:
    """Stands for the kernel's shell while libraries are imported.

    Some look then whether they are in a notebook: pandas shows 20 columns there, in a
    terminal as many as fit.
    """

    kernel = None


def preload() -> None:
    """Import what notebooks import, and use it once so that first uses are done too."""
    builtins.get_ipython = PretendedShell
    for name in PRELOAD:
        with suppress(ImportError):  # the notebook will say so if it needs it
            importlib.import_module(name)
    del builtins.get_ipython
    import pandas as pd
    from jupyter_client import localinterfaces
    from matplotlib.figure import Figure

    localinterfaces.local_ips()
    small = pd.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"]})
    small.groupby("b")["a"].mean().to_frame()._repr_html_()
    small.style.hide(axis="index").to_html()
    figure = Figure()
    figure.subplots().plot([1, 2], label="a")
    figure.savefig(os.devnull, format="svg")
    gc.collect()
    gc.freeze()  # what is shared stays shared: the collector does not touch it


def count_threads() -> int:
    """Threads of this process; a fork copies only the one that calls it."""
    return len(list(Path("/proc/self/task").iterdir()))


@dataclass(eq=False)
class Kernel:
    """A forked kernel as the warm process sees it."""

    pid: int
    caller: socket.socket
    ended: int  # readable once the process has ended (pidfd)
    bound: int  # readable once its sockets are bound, or once it died before that


class Server:
    """Forks kernels; watches them, their callers, and whoever started this process."""

    def __init__(self, listener: socket.socket):
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        self.kernels: set[Kernel] = set()
        self.running = True

    def serve(self) -> None:
        """Answer until the standard input closes, then end every kernel."""
        self._watch(sys.stdin.fileno(), self._stop)
        self._watch(self.listener, self._accept)
        while self.running:
            for key, _ in self.selector.select():
                if key.fd in self.selector.get_map():  # not closed a moment ago
                    key.data()
        for kernel in self.kernels:
            kill_group(kernel.pid)

    def _watch(self, file, react) -> None:
        self.selector.register(file, selectors.EVENT_READ, react)

    def _stop(self) -> None:
        self.running = False

    def _accept(self) -> None:
        caller, _ = self.listener.accept()
        self._watch(caller, lambda: self._launch(caller))

    def _launch(self, caller: socket.socket) -> None:
        self.selector.unregister(caller)
        line = caller.makefile("rb").readline()
        if not line:
            caller.close()
            return
        if (threads := count_threads()) > 1:
            tell(caller, {"refused": f"{threads} threads"})
            caller.close()
            return
        bound, binding = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(bound)
            self._let_go()
            caller.close()
            become_kernel(json.loads(line), binding)
        os.close(binding)
        kernel = Kernel(pid, caller, os.pidfd_open(pid), bound)
        self.kernels.add(kernel)
        self._watch(kernel.bound, lambda: self._announce(kernel))
        self._watch(kernel.ended, lambda: self._reap(kernel))
        self._watch(kernel.caller, lambda: self._abandon(kernel))

    def _let_go(self) -> None:
        """Close in a forked process what belongs to the warm one."""
        self.selector.close()
        self.listener.close()
        for kernel in self.kernels:
            kernel.caller.close()
            os.close(kernel.ended)
            if kernel.bound >= 0:
                os.close(kernel.bound)

    def _announce(self, kernel: Kernel) -> None:
        self.selector.unregister(kernel.bound)
        if os.read(kernel.bound, 1):
            tell(kernel.caller, {"pid": kernel.pid})
        os.close(kernel.bound)
        kernel.bound = -1

    def _abandon(self, kernel: Kernel) -> None:
        """The caller closed its end: it says nothing after its request."""
        self.selector.unregister(kernel.caller)
        kill_group(kernel.pid)

    def _reap(self, kernel: Kernel) -> None:
        if kernel.bound >= 0:
            self._announce(kernel)
        kill_group(kernel.pid)  # while its number cannot be another's
        _, status = os.waitpid(kernel.pid, 0)
        tell(kernel.caller, {"status": os.waitstatus_to_exitcode(status)})
        self.kernels.discard(kernel)
        self.selector.unregister(kernel.ended)
        os.close(kernel.ended)
        if kernel.caller.fileno() in self.selector.get_map():
            self.selector.unregister(kernel.caller)
        kernel.caller.close()
        reap_orphans({each.pid for each in self.kernels})


def become_kernel(request: dict, binding: int) -> None:
    """Turn this forked process into a kernel; never returns.

    Parameters
    ----------
    request
        ``argv`` (after the module's name), ``env``, ``cwd``.
    binding
        Descriptor on which a byte says that the kernel's sockets are bound.
    """
    status = 1
    try:
        parent = os.getppid()
        control_process(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            return
        os.setsid()
        os.environ.clear()
        os.environ.update(request["env"])
        asked = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        sys.path[:0] = [entry for entry in asked if entry and entry not in sys.path]
        os.chdir(request["cwd"])
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        import numpy
        from ipykernel.kernelapp import IPKernelApp

        numpy.random.seed(None)  # noqa: NPY002 - a fork does not reseed the shared state
        sys.argv = ["ipykernel_launcher.py", *request["argv"]]
        app = IPKernelApp.instance(parent_handle=parent)
        app.initialize(request["argv"])
        os.write(binding, b"1")
        os.close(binding)
        # Its orderly closing can wait seconds for a thread that waits for another one
        # that is closed already (ipykernel 7); all that a cell printed has been received.
        atexit.unregister(app.close)
        app.start()
        status = 0
    finally:
        atexit._run_exitfuncs()  # what an ordinary kernel does at its end
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(status)


def tell(caller: socket.socket, message: dict) -> None:
    """Send a line to a caller, who may be gone."""
    with suppress(OSError):
        caller.sendall(json.dumps(message).encode() + b"\n")


def kill_group(pid: int) -> None:
    """Kill a kernel and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def reap_orphans(kernels: set[int]) -> None:
    """End what outlived the kernel that had started it in a session of its own."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="ascii")
    for pid in {int(pid) for pid in children.split()} - kernels:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def main(path: str) -> None:
    """Listen at `path`, load, serve."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(path)
        listener.listen(64)  # callers wait here while everything is loaded
        here = str(Path(__file__).parent)
        sys.path[:] = [entry for entry in sys.path if entry != here]
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started it
        control_process(_PR_SET_CHILD_SUBREAPER, 1)
        # While loading it looks at nothing: it ends with whoever started it.
        control_process(_PR_SET_PDEATHSIG, signal.SIGKILL)
        preload()
        control_process(_PR_SET_PDEATHSIG, 0)
        try:
            Server(listener).serve()
        finally:
            shutil.rmtree(Path(path).parent, ignore_errors=True)  # its maker may be gone


if __name__ == "__main__":
    main(sys.argv[1])
