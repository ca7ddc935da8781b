"""Bias, coverage and width of each design against the truth of the demonstration world.

    python tests/benchmarks/coverage.py --panels 200 --jobs 2

Each panel is made in memory: world, clean tables, panel, risk sets, designs at the
plan's horizon. Two truths are told apart:

- ``truth`` of a panel: what happened to its own recipients less what would have
  happened to them, cohorts that reached the horizon, each weighted by the persons the
  design used. It holds the luck of these persons without the policy (``truth_sd``).
- the expected effect, its mean over all panels.

``coverage`` is of the expected effect, ``covers_own`` of the panel's own: intervals are
to serve both (`evaluation.effects.aggregation.widen_treated`).
"""

import argparse
import os
import time

import numpy as np
import pandas as pd
from loky import get_reusable_executor

from evaluation.demo.world import clean_tables, simulate_world, truth
from evaluation.effects.aggregation import aggregate, unite_designs
from evaluation.effects.balancing import balanced_effects, stack_sets
from evaluation.effects.district import naive_effects, risk_set_effects
from evaluation.panel.build import build_panel
from evaluation.panel.histories import Histories
from evaluation.panel.staying import stay_untreated_weights
from evaluation.panel.timing import build_risk_sets
from evaluation.paths import find_root
from evaluation.plan import POLICIES, load_district, load_plan

OUTCOME = "employed_open"


def true_effect(effects: pd.DataFrame, group_time, horizon: int) -> float:
    """Mean true effect at the horizon, cohorts weighted by the persons used."""
    used = group_time.effects.query("event_time == @horizon")[["cohort", "n_treated"]]
    both = used.merge(effects, on="cohort", validate="1:1")
    return float(np.average(both["effect"], weights=both["n_treated"]))


def estimate_policy(policy, panel, effects, plan) -> list[dict]:
    """Rows of one policy: one per design."""
    settings, edition = plan["policies"][policy], panel.edition
    horizon = settings["horizon"]
    histories = Histories(panel.persons, panel.register, panel.months, edition)
    sets = build_risk_sets(policy, histories, plan)
    stay = stay_untreated_weights(policy, histories, sets)
    common = {
        "outcome": OUTCOME,
        "covariates": settings["covariates"],
        "edition": edition,
        "event_times": [horizon],
        "realised": plan["estimand"]["realised"],
    }
    history = [f"hist_{k}" for k in range(1, plan["designs"]["history_bins"] + 1)]
    stacked = stack_sets(sets, settings["covariates"], history)
    designs = {
        "naive": naive_effects(
            panel.persons, panel.years, outcome=OUTCOME, entry=f"{policy}_year", edition=edition
        ),
        "cs": risk_set_effects(sets, panel.years, stay, **common),
        "balanced": balanced_effects(stacked, panel.years, stay, **common)[0],
    }
    effects = effects.query("policy == @policy and event_time == @horizon")
    rows = {
        name: aggregate(design, "primary", horizon).iloc[0].to_dict()
        | {"truth": true_effect(effects, design, horizon)}
        for name, design in designs.items()
    }
    both = unite_designs(pd.Series(rows["cs"]), pd.Series(rows["balanced"]))
    rows["published"] = rows["cs"] | both
    return [{"policy": policy, "design": name} | row for name, row in rows.items()]


def estimate_panel(seed: int, options: dict) -> pd.DataFrame:
    """All designs and policies of one panel."""
    reference = find_root() / "data" / "reference"
    plan, district = load_plan(reference), load_district(reference)
    world = simulate_world(seed=seed, **options)
    effects = truth(world, outcomes=(OUTCOME,))
    panel = build_panel(clean_tables(world), world.rules.last_year, district)
    rows = [row for p in POLICIES for row in estimate_policy(p, panel, effects, plan)]
    return pd.DataFrame(rows).assign(seed=seed)


def summarise(results: pd.DataFrame) -> pd.DataFrame:
    """Bias, standard deviation, coverage and width by policy and design, and pooled."""
    results = results.assign(
        error=results["estimate"] - results["truth"],
        expected=results.groupby(["policy", "design"])["truth"].transform("mean"),
        own=results["truth"].between(results["conf_low"], results["conf_high"]),
        width=results["conf_high"] - results["conf_low"],
    )
    inside = results["expected"].between(results["conf_low"], results["conf_high"])
    results = results.assign(covered=inside, distance=results["estimate"] - results["expected"])
    pooled = results.assign(policy="all")
    table = (
        pd.concat([results, pooled])
        .groupby(["policy", "design"], sort=False)
        .agg(
            panels=("seed", "size"),
            truth=("truth", "mean"),
            bias=("error", "mean"),
            bias_se=("error", "sem"),
            truth_sd=("truth", "std"),
            sd=("distance", "std"),
            std_error=("std_error", "mean"),
            coverage=("covered", "mean"),
            covers_own=("own", "mean"),
            width=("width", "mean"),
            n_treated=("n_treated", "mean"),
        )
    )
    shares = [name for name in table if name not in ("panels", "n_treated")]
    table[shares] = (table[shares] * 100).round(2)
    return table.round({"n_treated": 0})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--panels", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--save", help="csv with one row per panel, policy and design")
    arguments = parser.parse_args()
    start = time.perf_counter()
    options = {"n_people": arguments.people}
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # processes, not threads, share the cores
    pool = get_reusable_executor(max_workers=arguments.jobs)
    seeds = range(arguments.first_seed, arguments.first_seed + arguments.panels)
    jobs = [pool.submit(estimate_panel, seed, options) for seed in seeds]
    parts = []
    for job in jobs:
        parts.append(job.result())
        if arguments.save:  # after each panel: a long run that is stopped leaves its panels
            pd.concat(parts).to_csv(arguments.save, index=False)
    results = pd.concat(parts, ignore_index=True)
    print(summarise(results).to_string())
    seconds = time.perf_counter() - start
    print(
        f"{arguments.panels} panels, {seconds:.0f} s, {seconds / arguments.panels:.1f} s each"
    )


if __name__ == "__main__":
    main()
