"""Kill batches at random and look at what stands afterwards.

    python tests/benchmarks/kills.py --kills 200

A project of stub notebooks (three editions, each notebook writes two tables) is run again
and again by ``evaluation run``; at random moments one to four processes of the batch are
killed by ``kill -9``: the batch itself, a worker, the warm process, or a kernel. After
each batch: does every receipt's product stand with the hash that the receipt says, is
any process left, did a later call repeat a finished run?
"""

import argparse
import collections
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("batch", "worker", "warm", "kernel")
# Seconds: from its start, while everything is loaded, to its last notebooks.
WHILE = {"batch": 12, "worker": 10, "warm": 10, "kernel": 6}
NOTEBOOKS = {
    "1_ledgers": "show_rows: int = 20",
    "2_panel": "year: int = 2024",
    "3_describe": "year: int = 2024",
    "4_effect": 'year: int = 2024\npolicy: str = "loan"',
    "5_robustness": 'year: int = 2024\npolicy: str = "loan"',
    "7_editions": "year: int = 2024",
}
LOAD = """
import time
from evaluation.files import write_whole
from evaluation.paths import locate
folders = locate()
"""
WRITE = """
for part in ("a", "b"):
    name = f"{KIND}_{globals().get('policy', 'all')}_{part}.csv"
    write_whole(HOME / name, lambda path: path.write_text(str(time.time()) * 10_000))
    time.sleep(0.02)
"""


def make_project(folder: Path) -> None:
    """A project whose notebooks need no data."""
    reference = folder / "data" / "reference"
    reference.parent.mkdir(parents=True)
    reference.symlink_to(ROOT / "data" / "reference")
    for year in range(2022, 2025):
        ledger = folder / "data" / "ledgers" / str(year) / "a.csv"
        ledger.parent.mkdir(parents=True)
        ledger.write_text("姓名\n", encoding="utf-8")
    for kind, parameters in NOTEBOOKS.items():
        home = "folders.clean" if kind == "1_ledgers" else "folders.edition(year)"
        cells = [parameters, LOAD, WRITE.replace("KIND", f"'{kind}'").replace("HOME", home)]
        notebook = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(text, id=f"c{n}") for n, text in enumerate(cells)]
        )
        notebook.cells[0].metadata["tags"] = ["parameters"]
        path = folder / "notebooks" / f"{kind}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(notebook, path)


def processes(folder: Path) -> dict[int, str]:
    """Processes of a project's batch that are not zombies: number to what it is."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if f"EVALUATION_HOME={folder}".encode() not in (entry / "environ").read_bytes():
                continue
            if (entry / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                continue
            command = (entry / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        kind = "batch" if "cli" in command or "evaluation\0run" in command else "worker"
        if "ipykernel_launcher" in command:
            kind = "kernel"
        if "resource_tracker" in command:
            kind = "tracker"
        if "warm/server.py" in command:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            kind = "kernel" if "warm/server.py" in _command(parent) else "warm"
        found[int(entry.name)] = kind
    return found


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def start(folder: Path) -> subprocess.Popen:
    """Start the batch as the command line does."""
    return subprocess.Popen(
        [sys.executable, "-m", "evaluation.cli", "run", "--years", "2022-2024", "--jobs", "2"],
        env=os.environ | {"EVALUATION_HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def find_victim(folder: Path, batch: subprocess.Popen, kind: str, draw: random.Random):
    """A process of the kind, a random while after the first such; None if none appears."""
    end = None
    while batch.poll() is None:
        there = [pid for pid, what in processes(folder).items() if what == kind]
        if there and end is None:
            end = time.monotonic() + draw.uniform(0, WHILE[kind])
        if there and time.monotonic() >= end:
            return draw.choice(there), kind
        time.sleep(0.02)
    return None


def kill(victim: int, kind: str) -> str:
    """Kill a process; what it was, or that it was gone already."""
    try:
        os.kill(victim, signal.SIGKILL)
    except ProcessLookupError:
        return f"{kind} gone"
    return kind


def receipts(folder: Path) -> dict[str, dict]:
    """Receipts of finished runs."""
    paths = sorted((folder / "data" / "runs" / "receipts").glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def corrupt(folder: Path) -> list[str]:
    """Products of finished runs that are missing or not what the receipt says."""
    bad = []
    for run, receipt in receipts(folder).items():
        for name, expected in receipt["products"].items():
            path = folder / "data" / name
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != expected:
                bad.append(f"{run}: {name}")
    return bad


def finished(folder: Path) -> dict[str, tuple]:
    """When the products of each finished run were written, and on what they rest."""
    return {
        run: (
            max((folder / "data" / name).stat().st_mtime_ns for name in receipt["products"]),
            receipt["inputs"],
        )
        for run, receipt in receipts(folder).items()
        if not any(run in problem for problem in corrupt(folder))
    }


def needless(before: dict[str, tuple], now: dict[str, tuple]) -> list[str]:
    """Finished runs that are gone, or were done again though what they read is the same.

    A run that took from the edition before what was there is done again, and rightly,
    once a killed run of that edition has been made up for.
    """
    return [
        run
        for run, (written, inputs) in before.items()
        if run not in now or (now[run][0] != written and now[run][1] == inputs)
    ]


def main() -> None:
    """Kill, look, count."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    killed, problems = collections.Counter(), collections.Counter()
    finished_before: dict[str, tuple] = {}
    with tempfile.TemporaryDirectory(prefix="kills-") as name:
        folder = Path(name)
        make_project(folder)
        batches = 0
        while killed.total() < arguments.kills:
            batch, batches = start(folder), batches + 1
            for _ in range(draw.randint(1, 4)):  # it goes on without what was killed
                victim = find_victim(folder, batch, draw.choice(KINDS), draw)
                if victim:
                    killed[kill(*victim)] += 1
            try:
                batch.wait(timeout=120)
            except subprocess.TimeoutExpired:
                problems["hung"] += 1
                batch.kill()
            end = time.monotonic() + 5
            while (left := processes(folder)) and time.monotonic() < end:
                time.sleep(0.1)
            problems["processes left"] += len(left)
            if left:
                print(f"\nleft: {left} { {pid: _command(pid) for pid in left} }")
            for pid in left:
                os.kill(pid, signal.SIGKILL)
            problems["corrupt products"] += len(corrupt(folder))
            now = finished(folder)
            problems["finished runs repeated"] += len(needless(finished_before, now))
            finished_before = now
            if len(now) == 1 + 3 * 9 or draw.random() < 0.05:  # all done: begin anew
                for path in (folder / "data" / "runs").rglob("*.json"):
                    path.unlink()
                finished_before = {}
            print(f"\r{batches} batches {dict(killed)} {dict(problems)}", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
