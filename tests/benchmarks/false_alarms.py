"""Whether the last scan ever stops a clean demonstration: many seeds, every file.

python tests/benchmarks/false_alarms.py --seeds 20

Each seed is another district of few people, whose latest edition is run from the ledgers to
the page, as a user does. A run that the scan stops is a false alarm: nothing was planted. Then
every file is scanned again, against the names of its own ledgers and against every name that
any demonstration could ever draw, which is far more than any district has.
"""

import argparse
import dataclasses
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from evaluation.demo import papers
from evaluation.demo.write import write_demo
from evaluation.findings.guarded import Guarded, load_guarded
from evaluation.findings.scan import scan_bytes
from evaluation.ledgers.identity import DEMONSTRATION_KEY, pseudonyms
from evaluation.paths import locate

# A district of this size has all three policies, and its run takes half a minute.
SMALL = {"n_people": 4000, "policy_multiplier": 0.3, "first_year": 2015}


def draw_all_names() -> list[str]:
    """Every name of two or three characters that a demonstration could draw."""
    given = [*papers._GIVEN, *(a + b for a in papers._GIVEN for b in papers._GIVEN)]
    return [surname + name for surname in papers._SURNAMES for name in given]


def run_edition(ledgers: Path, home: Path) -> subprocess.CompletedProcess:
    """Run the latest edition by the command line."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVALUATION_")}
    command = [sys.executable, "-m", "evaluation.cli", "run", "--years", "2024", "--jobs", "1"]
    return subprocess.run(
        [*command, "--ledgers", str(ledgers), "--out", str(home)],
        env=kept | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def scan_outputs(outputs: Path, guarded: Guarded) -> list:
    """Hits in all files below a folder."""
    files = [path for path in sorted(outputs.rglob("*")) if path.is_file()]
    return [
        hit
        for path in files
        for hit in scan_bytes(path.read_bytes(), path.relative_to(outputs).as_posix(), guarded)
    ]


def main() -> None:
    """Run the seeds one after another and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    asked = parser.parse_args()
    every_name = frozenset(pseudonyms(draw_all_names(), DEMONSTRATION_KEY, "name"))
    totals = dict.fromkeys(("seeds", "stopped", "failed", "files", "hits", "hits_any_name"), 0)
    for seed in range(asked.first, asked.first + asked.seeds):
        with tempfile.TemporaryDirectory(prefix="alarms-") as scratch:
            home, began = Path(scratch) / "home", time.monotonic()
            ledgers = write_demo(Path(scratch) / "ledgers", seed=seed, **SMALL)
            done = run_edition(ledgers, home)
            folders = dataclasses.replace(
                locate(), data=home / "data" / "demo", outputs=home / "outputs" / "demo",
                is_demo=True,
            )  # fmt: skip
            guarded = load_guarded(folders)
            assert guarded.knows_names
            known = len(guarded.hashes["name"])
            own = scan_outputs(folders.outputs, guarded)
            hashes = guarded.hashes | {"name": guarded.hashes["name"] | every_name}
            wide = scan_outputs(folders.outputs, dataclasses.replace(guarded, hashes=hashes))
            n_files = sum(path.is_file() for path in folders.outputs.rglob("*"))
            shutil.rmtree(home)
        said = [line for line in done.stdout.splitlines() if "失败" in line]
        print(
            f"seed {seed}: exit {done.returncode}, {n_files} files, {known} names, "
            f"{len(own)} hits, {len(wide)} against any name, {time.monotonic() - began:.0f} s",
            *said, *own[:5], *wide[:5], sep="\n  ", flush=True,
        )  # fmt: skip
        totals["seeds"] += 1
        totals["stopped"] += "不能公布" in done.stdout
        totals["failed"] += done.returncode != 0  # for whatever reason
        totals["files"] += n_files
        totals["hits"] += len(own)
        totals["hits_any_name"] += len(wide)
    print(f"{len(every_name)} names that a demonstration could draw;", totals)
    raise SystemExit(bool(totals["stopped"] or totals["hits"]))


if __name__ == "__main__":
    main()
