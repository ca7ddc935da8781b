"""What really happened in a notebook, whatever papermill believes."""

import sys
import time

import nbformat
import papermill
import pytest
from conftest import write_notebook

from evaluation.batch.engine import register_engine
from evaluation.batch.warm import process

ENGINES = ["kernel", pytest.param("warm", marks=pytest.mark.skipif(
    not process.can_fork(), reason="warm kernels need Linux"))]  # fmt: skip
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")


def fail(folder, engine, *cells, **options):
    """Run cells of which one fails; the error and the notebook as it was kept."""
    source, output = folder / "source.ipynb", folder / "output.ipynb"
    write_notebook(source, "year: int = 2024", *cells)
    if engine == "warm":
        options["kernel_manager_class"] = process.MANAGER
    with pytest.raises(papermill.PapermillExecutionError) as caught:
        papermill.execute_notebook(
            str(source), str(output), kernel_name="python3", language="python",
            progress_bar=False, engine_name=register_engine(), **options,
        )  # fmt: skip
    return caught.value, nbformat.read(output, as_version=4)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("import os\nos._exit(3)", "退出码3"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "被强行终止"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
    ],
)
@linux
def test_a_dead_kernel_is_an_error_of_the_cell_that_ran(
    warm_process, tmp_path, engine, cell, said
):
    problem, kept = fail(tmp_path, engine, "1", cell, "2")
    assert problem.ename == "KernelError" and said in problem.evalue
    status = [
        c.metadata.papermill.get("status") for c in kept.cells if "papermill" in c.metadata
    ]
    assert status[-3:] == ["completed", "failed", "pending"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("cell", ["import time\ntime.sleep(60)", "sum(range(10**11))"])
def test_a_cell_that_hangs_is_stopped_also_inside_a_c_call(
    warm_process, tmp_path, engine, cell
):
    began = time.monotonic()
    problem, _ = fail(tmp_path, engine, cell, execution_timeout=1)
    assert problem.ename == "KernelError" and "--timeout" in problem.evalue
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("engine", ENGINES)
@linux
def test_memory_is_bounded_for_each_notebook(warm_process, tmp_path, engine):
    budget = 200 * 2**20
    cells = ["small = bytearray(100 * 2**20)", "large = bytearray(400 * 2**20)"]
    problem, _ = fail(tmp_path, engine, *cells, memory=budget)
    assert problem.ename == "MemoryError" and problem.cell_index in (2, 3)
