"""Kernels forked from a warm process: the same outputs, nothing shared, nothing left behind."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import papermill
import pytest
from conftest import write_notebook

from evaluation.batch.engine import register_engine
from evaluation.batch.warm import process
from evaluation.batch.warm.kernels import WarmKernelManager, request_kernel

pytestmark = pytest.mark.skipif(not process.can_fork(), reason="warm kernels need Linux")

CELLS = [
    "print('到标准输出')\nimport sys\nprint('到标准错误', file=sys.stderr)",
    "import os\nos.system('echo from a child process');",
    "import pandas as pd\npd.DataFrame({'a': [1.5, None], 'b': ['x', '乙']})",
    "wide = pd.DataFrame({f'a long name {n}': [n / 7] for n in range(25)})\nprint(wide)",
    "import matplotlib\nprint(dict(matplotlib.rcParams))",
    "import statsmodels.api as sm, warnings\nprint(sorted(map(str, warnings.filters)))",
    "import numpy as np\nprint(np.get_printoptions())\npd.set_option('display.max_rows', 7)",
    "from IPython.display import HTML, display\ndisplay(HTML('<b>1</b>'))\nx = 3\nx",
    "%who",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2, 3]);",
    "import statsmodels.api as sm\nsm.OLS([1.0, 2.0, 4.0], sm.add_constant([1.0, 2.0, 3.0]))"
    ".fit().params",
    "year, sorted(k for k in globals() if not k.startswith('_'))",
    "__name__, sys.argv[0].endswith('ipykernel_launcher.py'), sys.stdin.read()",
    "def broken():\n    return 1 / 0\nbroken()",
]
LEAVE_TRACES = """
import os, random, signal, sys, warnings
import numpy as np, pandas as pd, matplotlib
os.environ["TRACE"] = "1"
os.chdir("/")
pd.set_option("display.max_rows", 7)
matplotlib.rcParams["font.size"] = 33
np.random.seed(1); random.seed(1)
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
sys.modules["trace"] = sys
warnings.simplefilter("error")
pd.trace = 1
left_open = open("/dev/null")
"""
FIND_TRACES = """
import os, random, signal, sys, warnings
import numpy as np, pandas as pd, matplotlib
found = ["TRACE" in os.environ, os.getcwd() == "/", pd.get_option("display.max_rows"),
         matplotlib.rcParams["font.size"], signal.getsignal(signal.SIGUSR1).name,
         sys.modules.get("trace") is sys, hasattr(pd, "trace"), warnings.filters[0][0],
         "left_open" in globals(), len(os.listdir("/proc/self/fd"))]
print(found)
print(np.random.random(), random.random())
"""


def execute(folder: Path, *cells: str, engine: str = "warm", **options):
    """Run cells; the executed notebook, also of one that failed."""
    source, output = folder / "source.ipynb", folder / f"{engine}.ipynb"
    write_notebook(source, "year: int = 2024", *cells)
    if engine == "warm":
        options["kernel_manager_class"] = process.MANAGER
    with contextlib.suppress(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            str(source), str(output), parameters={"year": 2023}, kernel_name="python3",
            language="python", progress_bar=False, engine_name=register_engine(), **options,
        )  # fmt: skip
    return nbformat.read(output, as_version=4)


def shown(notebook) -> list:
    """Sources and outputs, without clocks and identifiers."""
    return [
        (cell.source, cell.get("execution_count"), cell.get("outputs", []))
        for cell in notebook.cells
        if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])
    ]


def test_outputs_are_those_of_an_ordinary_kernel(warm_process, tmp_path):
    ordinary = shown(execute(tmp_path, *CELLS, engine="kernel"))
    forked = shown(execute(tmp_path, *CELLS))
    assert len(ordinary) == len(CELLS) + 2
    for expected, found in zip(ordinary, forked, strict=True):
        assert found == expected


def test_nothing_passes_from_one_notebook_to_the_next(warm_process, tmp_path):
    before = execute(tmp_path, FIND_TRACES).cells[-1].outputs[0].text.splitlines()
    execute(tmp_path, LEAVE_TRACES)
    after = execute(tmp_path, FIND_TRACES).cells[-1].outputs[0].text.splitlines()
    assert after[0] == before[0]
    assert before[1].split()[0] != after[1].split()[0]  # random states are not copies
    assert before[1].split()[1] != after[1].split()[1]


def test_environment_and_folder_are_those_of_the_caller(warm_process, tmp_path, monkeypatch):
    monkeypatch.setenv("ASKED", "乙")
    monkeypatch.chdir(tmp_path)
    cell = "import os\nprint(os.environ['ASKED'], os.getcwd(), 'EVALUATION_WARM' in os.environ)"
    outputs = execute(tmp_path, cell).cells[-1].outputs
    assert outputs[0].text == f"乙 {tmp_path} False\n"


def test_processes_left_by_a_notebook_end_with_it(warm_process, tmp_path):
    cell = (
        "import subprocess\n"
        "mine = subprocess.Popen(['sleep', '300'])\n"
        "own = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        "print(mine.pid, own.pid)"
    )
    pids = execute(tmp_path, cell).cells[-1].outputs[0].text.split()
    time.sleep(0.2)
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_kernel_ends_when_its_caller_goes_away(warm_process, tmp_path):
    connection = tmp_path / "kernel.json"
    kernel = request_kernel(["-f", str(connection)], dict(os.environ), str(tmp_path))
    assert kernel.poll() is None
    kernel.let_go()
    wait_until(lambda: not Path(f"/proc/{kernel.pid}").exists())


def test_kernels_end_with_the_warm_process_however_it_ends(tmp_path):
    with process.open_warm_process():
        (tmp_path / "a").mkdir()
        kernel = request_kernel(
            ["-f", str(tmp_path / "kernel.json")], dict(os.environ), str(tmp_path)
        )
        server = int(Path(f"/proc/{kernel.pid}/stat").read_text().split()[3])
        os.kill(server, signal.SIGKILL)
        assert kernel.wait() == -signal.SIGKILL
        wait_until(lambda: not alive(kernel.pid))
        # Nobody forks any more: an ordinary kernel starts.
        outputs = execute(tmp_path, "print(year)").cells[-1].outputs
        assert outputs[0].text == "2023\n"


def test_without_a_fork_an_ordinary_kernel_runs(tmp_path, monkeypatch):
    path = tmp_path / "warm"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(path))
        listener.listen()

        def refuse():
            caller, _ = listener.accept()
            caller.makefile("rb").readline()
            caller.sendall(b'{"refused": "2 threads"}\n')
            caller.close()

        threading.Thread(target=refuse, daemon=True).start()
        monkeypatch.setenv(process.VARIABLE, str(path))
        assert execute(tmp_path, "print(year)").cells[-1].outputs[0].text == "2023\n"


def test_a_killed_batch_leaves_no_process(tmp_path):
    code = (
        "import os, time\n"
        "from evaluation.batch.warm.process import open_warm_process\n"
        "from evaluation.batch.warm.kernels import request_kernel\n"
        "with open_warm_process():\n"
        f"    kernel = request_kernel(['-f', r'{tmp_path}/k.json'], dict(os.environ), '/')\n"
        "    print(kernel.pid, flush=True)\n"
        "    time.sleep(300)\n"
    )
    batch = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    kernel = int(batch.stdout.readline())
    server = int(Path(f"/proc/{kernel}/stat").read_text().split()[3])
    batch.kill()
    batch.wait()
    batch.stdout.close()
    wait_until(lambda: not alive(kernel) and not alive(server))


def test_manager_serves_jupyter_as_any_other():
    assert WarmKernelManager().transport == "ipc"


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_until(true, seconds: float = 5.0) -> None:
    """Wait for something that happens in another process."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


def test_a_worker_that_starts_after_its_batch_was_killed_ends_by_itself():
    batch = subprocess.Popen([sys.executable, "-c", ""])
    batch.wait()
    code = f"from evaluation.batch import workers; workers._start({batch.pid}); input()"
    worker = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert worker.wait(timeout=60) == 1
    worker.stdin.close()
