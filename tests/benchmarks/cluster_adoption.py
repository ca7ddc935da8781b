"""How often intervals hold the truth where whole townships take up a policy.

    python tests/benchmarks/cluster_adoption.py --draws 300

Panels without any effect: clusters differ, and drift by a random walk each; units differ
and answer yes or no. Three cases: 8 clusters of which 4 are treated, 25 of which 12, and 25
of which 2. Randomization of adoption, and the same estimate with its error by cluster and
t(G−1), and by person.
"""

import argparse
import os
import time

import numpy as np
import pandas as pd
from loky import get_reusable_executor
from scipy import special

from evaluation.effects.adoption import randomize_adoption, sum_changes
from evaluation.effects.aggregation import Pooled, pool_term
from evaluation.effects.did import group_time_effects

CASES = ((8, 4), (25, 12), (25, 2))
NAMES = {"outcome": "works", "unit": "unit", "time": "time", "cohort": "cohort"}
NAMES |= {"cluster": "cluster"}
YEARS, UNITS, FIRST_ENTRIES = 8, 30, (4, 5, 6)


def make_panel(seed: int, clusters: int, treated: int) -> pd.DataFrame:
    """One panel: key ``unit, time``; cohorts 4 to 6, or 4 alone with two treated."""
    rng = np.random.default_rng([seed, clusters, treated])
    entry = np.full(clusters, np.nan)
    first = FIRST_ENTRIES if treated > 2 else FIRST_ENTRIES[:1]
    entry[rng.permutation(clusters)[:treated]] = rng.choice(first, treated)
    cluster = np.repeat(np.arange(clusters), UNITS)
    level = rng.normal(0, 0.5, clusters)[:, None]
    drift = np.cumsum(rng.normal(0, 0.15, (clusters, YEARS)), axis=1)
    odds = rng.normal(0, 1, len(cluster))[:, None] + (level + drift)[cluster]
    works = rng.random(odds.shape) < special.expit(odds)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(len(cluster)), YEARS),
            "time": np.tile(np.arange(YEARS), len(cluster)),
            "cohort": np.repeat(entry[cluster], YEARS),
            "cluster": np.repeat(cluster, YEARS),
            "works": works.ravel().astype(float),
        }
    )


def halves(pooled: Pooled, cluster: pd.Series) -> dict[str, float]:
    """Half widths of the interval by cluster with t(G−1), and of that by person."""
    n, codes = len(pooled.influence), cluster.cat.codes
    sums = np.bincount(codes, pooled.influence) / n
    groups = len(sums)
    error = np.sqrt(groups / (groups - 1) * np.sum(sums**2))
    return {
        "by_cluster": special.stdtrit(groups - 1, 0.975) * error,
        "by_person": special.ndtri(0.975) * np.sqrt(np.sum(pooled.influence**2)) / n,
    }


def run_draw(seed: int, clusters: int, treated: int, redrawn: int) -> dict:
    """Whether each interval of one panel holds zero, and how wide it is."""
    start, panel = time.perf_counter(), make_panel(seed, clusters, treated)
    found = randomize_adoption(sum_changes(panel, **NAMES), redrawn, seed)
    row = {"clusters": clusters, "treated": treated}
    row["randomization"] = found.conf_low <= 0 <= found.conf_high
    row["width_randomization"] = found.conf_high - found.conf_low
    design = group_time_effects(panel, **NAMES)
    pooled = pool_term(design, "simple")
    assert abs(pooled.estimate - found.estimate) < 1e-12
    for name, half in halves(pooled, design.units["cluster"]).items():
        row[name], row[f"width_{name}"] = abs(pooled.estimate) <= half, 2 * half
    return row | {"seconds": time.perf_counter() - start}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=300)
    parser.add_argument("--redrawn", type=int, default=999)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # processes, not threads, share the cores
    pool = get_reusable_executor(max_workers=arguments.jobs)
    jobs = [
        pool.submit(run_draw, seed, *case, arguments.redrawn)
        for case in CASES
        for seed in range(1, arguments.draws + 1)
    ]
    draws = pd.DataFrame([job.result() for job in jobs])
    groups = draws.groupby(["clusters", "treated"], sort=False)
    names = ["randomization", "by_cluster", "by_person"]
    share = groups[names].mean()
    error = np.sqrt(share * (1 - share) / arguments.draws)
    table = 100 * share.join(error.add_suffix("_error"))
    print(table.round(1).to_string())
    width = 100 * groups[[f"width_{name}" for name in names]].median()
    print(width.join(groups["seconds"].mean()).round(1).to_string())


if __name__ == "__main__":
    main()
