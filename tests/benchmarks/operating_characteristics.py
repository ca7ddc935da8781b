"""What the whole rule says of districts whose effects, and whose faults, are known.

    python tests/benchmarks/operating_characteristics.py --draws 500 --jobs 2 --save draws.csv

Every draw makes a small district in memory (`small_worlds`) and sends it through the
project's own risk sets, weights, designs, gates and verdict (`whole_rule`). Cells of a
policy use the same seeds, so that they differ by what is wrong with them and not by luck.
Draws are appended to the file as they come: a run that was stopped goes on, and
``--draws 0`` only prints the table. Floors beside the figures are those a correct
implementation can reach (3-effects); nothing here was tuned to them.
"""

import argparse
import os
import time
from itertools import groupby
from pathlib import Path

import numpy as np
import pandas as pd
from loky import get_reusable_executor
from rule_table import EFFECTIVE, HARMFUL, as_markdown, tabulate_rule
from small_worlds import (
    SIZES,
    Scenario,
    find_level,
    make_sets,
    make_study,
    tabulate_outcomes,
)
from whole_rule import judge_study, stack_twice, treated_at_horizon

from evaluation.effects.gates import GATES, load_words
from evaluation.paths import find_root
from evaluation.plan import load_plan

CELLS = {f"effect_{p}": Scenario(effect=p / 100) for p in (0, 5, 10, 15, 20)}
CELLS |= {
    "follow_up": Scenario(follow_up=0.2),
    "unrecorded": Scenario(unrecorded=0.1),
    "trend_5": Scenario(trend=0.05),
    "trend_10": Scenario(trend=0.10),
    "recent_5": Scenario(trend=0.05, since=4),
    "recent_10": Scenario(trend=0.10, since=4),
    "dip": Scenario(dip=True),
    "anticipation": Scenario(anticipation=True),
    "only_paid": Scenario(only_paid=True),
    "quitters": Scenario(quitters=0.1),
    "ability": Scenario(ability=True),
}
NOT_FOR = {
    "subsidy": ("quitters",),
    "loan": ("quitters",),
    "post": ("effect_15", "effect_20", "only_paid"),
}


def cells_of(policy: str) -> list[str]:
    """Cells that make sense for a policy, those with the same risk sets together."""
    return [name for name in CELLS if name not in NOT_FOR.get(policy, ())]


def run_seed(policy: str, seed: int, cells: list[str], level: float) -> pd.DataFrame:
    """One row per cell: estimates and limits of the designs, gates, verdict, truth."""
    reference = find_root() / "data" / "reference"
    plan, words = load_plan(reference), load_words(reference)
    rows = []
    for _, group in groupby(cells, lambda name: CELLS[name].entry):
        names, stacks = list(group), None
        district, persons, sets, stay = make_sets(policy, seed, CELLS[names[0]], plan)
        for name in names:
            start = time.perf_counter()
            years, gains = tabulate_outcomes(district, CELLS[name], seed, level)
            study = make_study(policy, persons, sets, stay, years, plan)
            stacks = stacks or stack_twice(study)
            found = judge_study(study, stacks, plan, words)
            row = describe(found, gains, study.horizon)
            row |= {"policy": policy, "cell": name, "seed": seed}
            rows.append(row | {"seconds": time.perf_counter() - start})
    return pd.DataFrame(rows)


def describe(found: dict, gains: pd.DataFrame, horizon: int) -> dict:
    """Figures of one draw in one row."""
    row = {"verdict": found["verdict"]["verdict"], "n_comparison": found["n_comparison"]}
    own = gains[horizon]
    for rows in found["estimates"].itertuples():
        row[f"{rows.design}_estimate"], row[f"{rows.design}_error"] = (
            rows.estimate,
            rows.std_error,
        )
        row[f"{rows.design}_low"], row[f"{rows.design}_high"] = rows.conf_low, rows.conf_high
        row[f"{rows.design}_treated"] = rows.n_treated
    for name in ("cs", "balanced"):
        people = treated_at_horizon(found[name], horizon)
        row[f"{name}_realised"] = own.reindex(people.astype(str)).mean()
    row["published_realised"] = row["cs_realised"]
    checks = found["checks"].set_index("gate")
    row |= {gate: checks.loc[gate, "passed"] for gate in GATES}
    row |= {f"{gate}_value": checks.loc[gate, "value"] for gate in checks.index}
    return row


def share(flags) -> str:
    """Share of draws in per cent with its Monte Carlo error."""
    flags = np.asarray(flags, dtype=float)
    p, n = flags.mean(), len(flags)
    return f"{100 * p:.1f} ({100 * np.sqrt(p * (1 - p) / n):.1f})"


def summarise(draws: pd.DataFrame) -> pd.DataFrame:
    """One row per policy and cell: bias, coverage, verdicts."""
    rows = []
    order = {name: i for i, name in enumerate(CELLS)}
    draws = draws.assign(order=draws["cell"].map(order))
    for (policy, _, cell), part in draws.groupby(["policy", "order", "cell"], sort=True):
        truth = part["truth"].iloc[0]
        row = {"policy": policy, "cell": cell, "draws": len(part)}
        row["truth"] = f"{100 * truth:.1f}"
        for name in ("cs", "balanced", "published"):
            error = 100 * (part[f"{name}_estimate"] - truth)
            row[f"bias_{name}"] = f"{error.mean():.1f} ({error.sem():.1f})"
            inside = part[f"{name}_low"].le(truth) & part[f"{name}_high"].ge(truth)
            row[f"cover_{name}"] = share(inside)
            own = part[f"{name}_realised"]
            inside = part[f"{name}_low"].le(own) & part[f"{name}_high"].ge(own)
            row[f"own_{name}"] = share(inside)
        row["mde"] = f"{280 * part[['cs_error', 'balanced_error']].max(axis=1).mean():.1f}"
        verdict = part["verdict"]
        row["effective"] = share(verdict.isin(EFFECTIVE))
        row["harmful"] = share(verdict.isin(HARMFUL))
        row["too_small"] = share(verdict.eq("too_small"))
        row["do_not_conclude"] = share(verdict.eq("do_not_conclude"))
        row["cannot_tell"] = share(verdict.isin(["cannot_tell", "too_few"]))
        for gate in GATES:
            row[gate] = f"{100 * part[gate].eq('failed').mean():.0f}"
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--policy", nargs="*", default=list(SIZES), choices=list(SIZES))
    parser.add_argument("--scenario", nargs="*", default=list(CELLS), choices=list(CELLS))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--save", type=Path, default=Path("operating_characteristics.csv"))
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # processes, not threads, share the cores
    names = ["policy", "cell", "seed"]
    done, levels = set(), {}
    if arguments.save.is_file():
        done = set(pd.read_csv(arguments.save)[names].itertuples(index=False, name=None))
    plan = load_plan(find_root() / "data" / "reference")
    pool, jobs = get_reusable_executor(max_workers=arguments.jobs), []
    for seed in range(arguments.first_seed, arguments.first_seed + arguments.draws):
        for policy in arguments.policy:
            wanted = [c for c in cells_of(policy) if c in arguments.scenario]
            left = [cell for cell in wanted if (policy, cell, seed) not in done]
            if left:
                levels[policy] = levels.get(policy) or find_level(policy, plan)
                jobs.append(pool.submit(run_seed, policy, seed, left, levels[policy]))
    for job in jobs:
        new = not arguments.save.is_file()
        job.result().to_csv(arguments.save, mode="a", header=new, index=False)
    draws = pd.read_csv(arguments.save)
    # What the planted chance of working comes to on average: the expected effect.
    cells = draws.groupby(["policy", "cell"])
    draws["truth"] = cells["cs_realised"].transform("mean")
    print(summarise(draws).to_string(index=False))
    print(as_markdown(tabulate_rule(draws)))


if __name__ == "__main__":
    main()
