"""The batch against what a user would do instead: papermill in a loop, or in a pool.

    python tests/benchmarks/batches.py --years 2015-2024 --repeats 5 --others 1
    python tests/benchmarks/batches.py --years 2024 --repeats 5

Demonstration ledgers of a world that begins in 2010 are made once; each way then runs
the same notebooks with the same parameters, cold, into an empty folder:

- ``warm``: ``evaluation run``; ``kernel``: ``evaluation run --engine kernel``;
- ``loop``: the papermill command line, one notebook after the other;
- ``pool``: ``papermill.execute_notebook`` in as many processes as there are cores,
  stage by stage, since a notebook needs what the ones before it wrote.

Prints seconds (medians) and how many times longer than ``warm``; what ``warm`` takes
beyond the cells' own work, per notebook; and the seconds of a run with nothing to do.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from evaluation.batch.graph import plan_stages

ROOT = Path(__file__).resolve().parents[2]
SINGLE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def make_home(folder: Path, ledgers: Path) -> dict:
    """A project of its own that shares notebooks, reference data and ledgers."""
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "reference").symlink_to(ROOT / "data" / "reference")
    (folder / "data" / "ledgers").symlink_to(ledgers)
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    # As on a user's machine, where compiled modules are kept: else every process of every
    # way compiles all libraries anew.
    kept = {name: v for name, v in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | SINGLE | {"EVALUATION_HOME": str(folder)}


def parameters_of(run) -> list[str]:
    """Options of the papermill command line for one run."""
    return [text for name, value in run.parameters.items() for text in ("-p", name, str(value))]


def run_evaluation(home: Path, environment: dict, years: str, *options: str) -> None:
    """The project's own command."""
    command = [sys.executable, "-m", "evaluation.cli", "run", "--years", years, *options]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)


def run_loop(home: Path, environment: dict, stages: list) -> None:
    """One papermill command after the other."""
    for run in [run for stage in stages for run in stage]:
        source = home / "notebooks" / f"{run.notebook}.ipynb"
        command = [sys.executable, "-m", "papermill", str(source), str(home / "out.ipynb")]
        command += [*parameters_of(run), "--no-progress-bar", "-k", "python3"]
        command += ["--language", "python"]
        subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)


def run_one(home: Path, run) -> None:
    """One notebook in a process of the pool."""
    import papermill

    source = home / "notebooks" / f"{run.notebook}.ipynb"
    output = home / f"{run.name}.ipynb"
    papermill.execute_notebook(
        str(source), str(output), parameters=run.parameters, kernel_name="python3",
        language="python", progress_bar=False,
    )  # fmt: skip


def run_pool(home: Path, environment: dict, stages: list) -> None:
    """papermill in a process pool; notebooks of the same number at the same time."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ.update(environment)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for stage in stages:
            for number in sorted({run.notebook[0] for run in stage}):
                jobs = [pool.submit(run_one, home, r) for r in stage if r.notebook[0] == number]
                for job in jobs:
                    job.result()


def measure(way: str, ledgers: Path, years: str, stages: list) -> dict:
    """Seconds of one way, cold; for the project's own also those of a second run."""
    with tempfile.TemporaryDirectory(prefix=f"batch-{way}-") as name:
        home = Path(name)
        environment = make_home(home, ledgers)
        began = time.perf_counter()
        if way in ("warm", "kernel"):
            run_evaluation(home, environment, years, "--engine", way)
        else:
            (run_loop if way == "loop" else run_pool)(home, environment, stages)
        found = {"seconds": time.perf_counter() - began}
        if way == "warm":
            began = time.perf_counter()
            run_evaluation(home, environment, years)
            found["again"] = time.perf_counter() - began
            reports = sorted((home / "data" / "runs" / "reports").glob("*.json"))
            told = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in reports}
            found["notebooks"] = told
    return found


def main() -> None:
    """Measure all ways in turn, print medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--years", default="2015-2024")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--others", type=int, help="repeats of pool and loop, if fewer")
    parser.add_argument("--ways", default="warm,kernel,pool,loop")
    parser.add_argument("--ledgers", type=Path, help="instead of making them")
    arguments = parser.parse_args()
    first, _, last = arguments.years.partition("-")
    stages = plan_stages(list(range(int(first), int(last or first) + 1)), ROOT / "notebooks")
    count = sum(len(stage) for stage in stages)
    with tempfile.TemporaryDirectory(prefix="batch-ledgers-") as made:
        ledgers = arguments.ledgers or Path(made) / "ledgers"
        if not arguments.ledgers:
            command = [sys.executable, "-m", "evaluation.cli", "demo", str(ledgers)]
            subprocess.run([*command, "--first-year", "2010"], check=True)
        found = {way: [] for way in arguments.ways.split(",")}
        for number in range(arguments.repeats):
            for way, results in found.items():
                others = arguments.others or arguments.repeats
                if way in ("pool", "loop") and number >= others:
                    continue
                results.append(measure(way, ledgers, arguments.years, stages))
                print(way, round(results[-1]["seconds"], 1), flush=True)
    medians = {w: statistics.median(r["seconds"] for r in rows) for w, rows in found.items()}
    print(f"{count} notebooks, editions {arguments.years}, {arguments.repeats} repeats")
    for way, seconds in medians.items():
        ratio = seconds / medians.get("warm", seconds)
        print(f"{way:8} {seconds:8.1f} s  {ratio:5.1f} times warm")
    if "warm" in found:
        again = statistics.median(row["again"] for row in found["warm"])
        print(f"nothing to do: {again:.2f} s, start of Python included")
        told = found["warm"][-1]["notebooks"]
        beyond = [
            said["seconds"] - sum(said["cells"])
            for run, said in told.items()
            if "8_findings" not in run  # there the page is made as well
        ]
        print(f"beyond the cells' own work: {statistics.median(beyond):.2f} s a notebook")
        cells = [
            (seconds, run, number)
            for run, said in told.items()
            for number, seconds in enumerate(said["cells"], start=1)
        ]
        print(f"cells: {sum(cell[0] for cell in cells):.0f} s in all; the slowest:")
        for seconds, run, number in sorted(cells, reverse=True)[:15]:
            print(f"  {seconds:6.2f} s  {run}, cell {number}")
        for number in range(1, 9):
            own = [said for run, said in told.items() if f".{number}_" in f".{run}"]
            whole = sum(said["seconds"] for said in own)
            print(f"  {number}: {len(own):3} notebooks, {whole:6.1f} s")


if __name__ == "__main__":
    main()
