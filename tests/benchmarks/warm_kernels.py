"""A hundred notebooks in a row from one warm process: seconds, and whether anything leaks.

    python tests/benchmarks/warm_kernels.py --runs 100

Prints the median seconds of a notebook beyond its cells' own work, for forked and (five)
ordinary kernels, and memory, open files and children of the warm process and of the
caller after the first ten and after all runs.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

import nbformat
import papermill

from evaluation.batch.engine import register_engine
from evaluation.batch.execution import time_cells
from evaluation.batch.warm.process import MANAGER, open_warm_process

CELLS = [
    "year: int = 2024",
    "import pandas as pd, statsmodels.api as sm\nfrom matplotlib.figure import Figure",
    "frame = pd.DataFrame({'x': range(200)})\nframe['y'] = frame['x'] + frame['x'] % 7\nframe",
    "print(sm.OLS(frame['y'], sm.add_constant(frame['x'])).fit().summary())",
    "figure = Figure()\nfigure.subplots().plot(frame['x'], frame['y'])\nfigure",
]


def measure(pid: int) -> dict:
    """Memory in MB, open files, and children of a process."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return {"MB": round(memory / 1024), "files": files, "children": len(children)}


def run(folder: Path, **options) -> float:
    """Seconds of one notebook beyond its cells' own work."""
    output = folder / "output.ipynb"
    began = time.perf_counter()
    papermill.execute_notebook(
        str(folder / "source.ipynb"), str(output), parameters={"year": 2023},
        kernel_name="python3", language="python", progress_bar=False,
        engine_name=register_engine(), **options,
    )  # fmt: skip
    return time.perf_counter() - began - sum(time_cells(output))


def main() -> None:
    """Run, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=100)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text, id=f"c{n}") for n, text in enumerate(CELLS)]
        )
        notebook.cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(notebook, folder / "source.ipynb")
        ordinary = [run(folder) for _ in range(5)]
        with open_warm_process():
            run(folder, kernel_manager_class=MANAGER)  # waits until all is loaded
            own = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
            server = int(own.read_text(encoding="ascii").split()[-1])
            forked = []
            for number in range(1, arguments.runs + 1):
                forked.append(run(folder, kernel_manager_class=MANAGER))
                if number in (10, arguments.runs):
                    print(
                        number, "warm process", measure(server), "caller", measure(os.getpid())
                    )
    for kind, seconds in (("ordinary", ordinary), ("forked", forked)):
        print(f"{kind}: median {statistics.median(seconds):.2f} s, worst {max(seconds):.2f} s")


if __name__ == "__main__":
    main()
