"""Callaway–Sant'Anna without covariates, clustered: ours beside three packages.

Each run is a process of its own that reads the same panel, estimates all effects by
cohort and time and their simple average with a standard error by cluster, and says how
long that took and how much memory the process held at most.

    python tests/benchmarks/side_by_side.py --sizes 10000 100000 1000000
    python tests/benchmarks/side_by_side.py --rivals PATH-OF-A-PYTHON-THAT-HAS-THEM

Packages that are not installed are left out; so are larger sizes of one that took longer
than ten minutes or died. `csdid` and `moderndid` are no dependency of the project.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

NAMES = {"outcome": "y", "unit": "person", "time": "year"}
LIMIT = 600  # seconds


def make_panel(persons: int, path: Path) -> None:
    """Persons × 8 years, a fifth never treated, entries in years 3 to 8, 40 clusters."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    first = rng.choice([0, 3, 4, 5, 6, 7, 8], persons, p=[0.2, *[0.8 / 6] * 6])
    town = rng.integers(0, 40, persons)
    level, shock = rng.normal(size=persons), rng.normal(0, 0.2, (40, 8))
    years = np.arange(1, 9)
    y = level[:, None] + 0.1 * years + shock[town] + rng.normal(size=(persons, 8))
    y += 0.5 * ((years >= first[:, None]) & (first > 0)[:, None])
    columns = {"person": np.arange(persons), "cohort": first, "town": town}
    panel = pd.DataFrame({name: np.repeat(values, 8) for name, values in columns.items()})
    panel = panel.assign(year=np.tile(years, persons), y=y.ravel())
    # Plain arrays: readers of other formats hold on to memory of their own.
    np.savez(path, **{name: values.to_numpy() for name, values in panel.items()})


def fit_ours(panel):
    """As the notebook does: guards, effects, their average with its interval."""
    from evaluation.effects.aggregation import aggregate
    from evaluation.effects.did import group_time_effects
    from evaluation.effects.guards import check_panel

    names = NAMES | {"cohort": "cohort", "cluster": "town"}
    checked, _ = check_panel(panel, **names)
    row = aggregate(group_time_effects(checked, **names), "simple").iloc[0]
    return row["estimate"], row["std_error"]


def fit_diff_diff(panel):
    from diff_diff import CallawaySantAnna

    model = CallawaySantAnna(
        control_group="not_yet_treated", cluster="town", base_period="universal"
    )
    found = model.fit(panel, **NAMES, first_treat="cohort")
    return found.overall_att, found.overall_se


def fit_csdid(panel):
    import numpy as np
    from csdid.att_gt import ATTgt

    model = ATTgt(
        yname="y", gname="cohort", idname="person", tname="year", data=panel,
        control_group=["notyettreated"], clustervar="town",
    )  # fmt: skip
    # Its errors by cluster come from the multiplier bootstrap alone.
    found = model.fit(base_period="universal", bstrap=True).aggte("simple").atte
    return np.ravel(found["overall_att"])[0], np.ravel(found["overall_se"])[0]


def fit_moderndid(panel):
    import moderndid

    effects = moderndid.att_gt(
        panel, yname="y", tname="year", idname="person", gname="cohort",
        control_group="notyettreated", base_period="universal", clustervars=["town"],
        boot=True,
    )  # fmt: skip
    found = moderndid.aggte(effects, type="simple")
    return found.overall_att, found.overall_se


FITS = {
    "evaluation": fit_ours,
    "diff_diff": fit_diff_diff,
    "csdid": fit_csdid,
    "moderndid": fit_moderndid,
}


MODULES = {
    "evaluation": [f"evaluation.effects.{name}" for name in ("aggregation", "did", "guards")],
    "diff_diff": ["diff_diff"],
    "csdid": ["csdid.att_gt"],
    "moderndid": ["moderndid"],
}


def peak_megabytes() -> float:
    """Most memory that this process ever held (Linux counts kilobytes, macOS bytes)."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)


def work(package: str, path: str) -> None:
    """Fit one package in this process and print what it took."""
    import importlib

    import numpy as np
    import pandas as pd

    warnings.simplefilter("ignore")
    for module in MODULES[package]:  # so that no import is counted
        importlib.import_module(module)
    with np.load(path) as columns:
        panel = pd.DataFrame({name: columns[name] for name in columns.files})
    start, busy = time.perf_counter(), time.process_time()
    estimate, error = (float(value) for value in FITS[package](panel))
    took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - busy}
    found = {"peak_mb": peak_megabytes(), "estimate": estimate, "std_error": error}
    print(json.dumps(took | found))


def run(python: str, package: str, path: Path) -> dict | str:
    """One process; what it printed, or why there is nothing."""
    start = time.perf_counter()
    command = [python, __file__, "--work", package, str(path)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"over {LIMIT} s"
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"ended with {done.returncode}"]
        return lines[-1][:70]
    whole = time.perf_counter() - start
    return json.loads(done.stdout.strip().splitlines()[-1]) | {"process": whole}


def show(size: int, package: str, row: dict, ours: dict) -> str:
    """A line of the table; ratios to our own run of that size."""
    numbers = [row["seconds"], row["cpu"], row["process"], row["peak_mb"]]
    ratios = [row[name] / ours[name] for name in ("seconds", "peak_mb")]
    cells = "".join(f"{value:>10.2f}" for value in [*numbers, *ratios])
    return f"{size:<11,}{package:<12}{cells}   {row['estimate']:.6f} ({row['std_error']:.6f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--packages", nargs="+", default=list(FITS), choices=list(FITS))
    parser.add_argument("--rivals", default=sys.executable, help="a Python that has them")
    parser.add_argument("--repeat", type=int, default=3, help="the fastest of so many")
    parser.add_argument("--work", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(*options.work)
    given_up = set()
    heads = ("fit s", "cpu s", "process s", "peak MB", "x time", "x peak")
    columns = "".join(f"{head:>10}" for head in heads)
    print(f"{'persons':<11}{'package':<12}{columns}   estimate (std. error)")
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as folder:
            path, ours = Path(folder) / "panel.npz", None
            make_panel(size, path)
            for package in [name for name in options.packages if name not in given_up]:
                python = sys.executable if package == "evaluation" else options.rivals
                found = [run(python, package, path) for _ in range(options.repeat)]
                failed = [text for text in found if isinstance(text, str)]
                if failed:
                    given_up.add(package)
                    print(f"{size:<10,} {package:<12}  {failed[0]}", flush=True)
                    continue
                best = min(found, key=lambda row: row["seconds"])
                ours = ours or best
                print(show(size, package, best, ours), flush=True)
    return None


if __name__ == "__main__":
    main()
