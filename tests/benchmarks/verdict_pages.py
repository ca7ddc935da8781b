"""A demonstration page for each verdict, from worlds planted to give it.

    python tests/benchmarks/verdict_pages.py FOLDER
    python tests/benchmarks/verdict_pages.py FOLDER --only harmful_small

The real way: ledgers are written, then ``evaluation run`` makes panel, estimates, gates,
verdicts and pages. Where the published numbers of participants are too few for a verdict,
the world has more of them, and the page says so. FOLDER gets ``<verdict>.html`` and
``<verdict>.en.html``; beside them lie the worlds' ledgers and outputs.
"""

import argparse
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from evaluation.demo.write import write_demo


@dataclass(frozen=True)
class Planted:
    """A world, and the verdicts that it was planted to give: verdict → (year, policy)."""

    name: str
    gives: dict[str, tuple[int, str]]
    settings: dict = field(default_factory=dict)


MANY = {"n_people": 80_000, "policy_multiplier": 4}
WORLDS = (
    Planted(
        "as_published",
        {
            "effective": (2024, "loan"),
            "cannot_tell": (2024, "subsidy"),
            "too_small": (2024, "post"),
            "not_due": (2021, "subsidy"),
        },
    ),
    Planted(
        "few", {"too_few": (2024, "loan")}, {"n_people": 20_000, "policy_multiplier": 0.15}
    ),
    Planted("trend", {"do_not_conclude": (2024, "loan")}, {"violations": {"trend": 0.35}}),
    Planted(
        "harm", {"harmful": (2024, "post")}, {"effects": {"post": 0.1, "post_search": -0.6}}
    ),
    Planted(
        "small_gain",
        {"effective_small": (2024, "post")},
        MANY | {"effects": {"post": 0.42, "post_search": 0.15}},
    ),
    Planted(
        "small_harm",
        {"harmful_small": (2024, "post")},
        MANY | {"seed": 2, "n_people": 60_000, "effects": {"post": 0.31, "post_search": -0.06}},
    ),
)


def run_world(world: Planted, folder: Path) -> None:
    """Write the ledgers of a world and run its editions, as a clerk would."""
    home = folder / "worlds" / world.name
    years = ",".join(sorted({str(year) for year, _ in world.gives.values()}))
    write_demo(home / "ledgers", defects=False, **world.settings)
    command = [sys.executable, "-m", "evaluation.cli", "run", "--out", str(home)]
    command += ["--ledgers", str(home / "ledgers"), "--years", years]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{world.name}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")


def collect(world: Planted, folder: Path) -> list[dict]:
    """Copy the pages of a world's verdicts; tell which verdict each policy really got."""
    rows = []
    for verdict, (year, policy) in world.gives.items():
        edition = folder / "worlds" / world.name / "outputs" / "demo" / str(year)
        found = pd.read_csv(edition / f"verdict_{policy}.csv").loc[0, "verdict"]
        row = {"world": world.name, "year": year, "policy": policy}
        rows.append(row | {"wanted": verdict, "found": found})
        for ending in ("html", "en.html"):
            shutil.copy(edition / f"findings.{ending}", folder / f"{verdict}.{ending}")
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    verdicts = [verdict for world in WORLDS for verdict in world.gives]
    parser.add_argument("--only", choices=verdicts, help="the world of one verdict")
    arguments = parser.parse_args()
    folder, rows = arguments.folder.resolve(), []
    for world in WORLDS:
        if arguments.only not in (None, *world.gives):
            continue
        start = time.perf_counter()
        run_world(world, folder)
        seconds = round(time.perf_counter() - start)
        new = [row | {"seconds": seconds} for row in collect(world, folder)]
        print(pd.DataFrame(new).to_string(index=False), flush=True)
        rows += new
    missed = [row["wanted"] for row in rows if row["wanted"] != row["found"]]
    raise SystemExit(f"not given: {', '.join(missed)}" if missed else 0)


if __name__ == "__main__":
    main()
