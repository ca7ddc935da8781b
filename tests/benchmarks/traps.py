"""Two traps, and that the designs do not fall into them: immortal time and lock-in.

    python tests/benchmarks/traps.py --draws 100 --posts 12

Founders: the subsidy is paid nine months after the application to who still operates, and
has no effect at all. The designs, from the application on, against “paid ever or not, from
registration”. Posts: they change nothing once they are over. The designs at event time 2
(still in the post) and 4, and `cs` and `balanced` without the weights for staying untreated.
"""

import argparse

import numpy as np
import pandas as pd
from small_worlds import (
    EDITION,
    FIRST,
    MONTHS,
    PAID_AFTER,
    SIZES,
    Scenario,
    find_level,
    make_sets,
    make_study,
    tabulate_outcomes,
)

from evaluation.effects.aggregation import aggregate, pool_at
from evaluation.effects.balancing import balanced_effects, stack_sets
from evaluation.effects.district import risk_set_effects
from evaluation.paths import find_root
from evaluation.plan import load_plan


def compare_ever_paid(district, years: pd.DataFrame) -> dict:
    """Founders ever paid less the others, from registration: as one should not.

    ``operating`` thirty months after registration; ``employed_open`` on 31 December of the
    second year after that of registration. Of founders registered since the subsidy began.
    """
    opened, entry = district.opened, district.entry
    # On a roster thirty months later; and so early that payment was possible.
    kept = (opened >= (SIZES["subsidy"].first_entry - FIRST) * 12) & (opened + 30 < MONTHS)
    kept &= np.minimum(district.left, district.ends) > opened + 30
    paid = (entry >= 0) & (district.closed >= entry + PAID_AFTER)
    work = years["employed_open"].to_numpy().reshape(len(opened), -1)
    year = np.minimum(opened // 12 + 2, EDITION - FIRST)
    outcomes = {
        "operating": (district.closed > opened + 30).astype(float),
        "employed_open": work[np.arange(len(opened)), year],
    }
    return {
        name: np.nanmean(values[kept & paid]) - np.nanmean(values[kept & ~paid])
        for name, values in outcomes.items()
    }


def estimate(study, event_times, weights=None) -> dict:
    """Both designs at some event times: estimates and limits."""
    stay = study.stay_weights if weights is None else weights
    common = study.settings() | {"event_times": list(event_times)}
    stacked = stack_sets(study.risk_sets, study.covariates, study.history)
    designs = {
        "cs": risk_set_effects(study.risk_sets, study.years, stay, **common),
        "balanced": balanced_effects(stacked, study.years, stay, **common)[0],
    }
    return {
        (name, e): aggregate(design, "primary", e).iloc[0]
        for name, design in designs.items()
        for e in event_times
        if pool_at(design, e) is not None
    }


def immortal_time(seeds, plan) -> pd.DataFrame:
    """By draw: the designs' error, whether they cover 0, and the wrong comparison."""
    rows = []
    for seed in seeds:
        district, persons, sets, stay = make_sets("subsidy", seed, Scenario(), plan)
        years, _ = tabulate_outcomes(district, Scenario(), seed, 0.5)
        study = make_study("subsidy", persons, sets, stay, years, plan)
        row = {f"ever_paid_{n}": 100 * v for n, v in compare_ever_paid(district, years).items()}
        for (name, _), found in estimate(study, [study.horizon]).items():
            row[name] = 100 * found["estimate"]
            row[f"{name}_covers_0"] = 100.0 * (found["conf_low"] <= 0 <= found["conf_high"])
        rows.append(row)
    return pd.DataFrame(rows)


def lock_in(seeds, plan, effect=0.0) -> pd.DataFrame:
    """By draw: true effects at event times 2 and 4, and what the designs say of them."""
    level, scenario, rows = (
        find_level("post", plan, range(900_001, 900_004)),
        Scenario(effect),
        [],
    )
    for seed in seeds:
        district, persons, sets, stay = make_sets("post", seed, scenario, plan)
        years, gains = tabulate_outcomes(district, scenario, seed, level)
        study = make_study("post", persons, sets, stay, years, plan)
        due = (district.entry[district.entry >= 0] // 12 + FIRST) <= EDITION - study.horizon
        row = {f"true_{e}": 100 * gains.loc[due, e].mean() for e in (2, 4)}
        for (name, e), found in estimate(study, (2, 4)).items():
            row[f"{name}_{e}"] = 100 * found["estimate"]
        even = study.stay_weights.assign(weight=1.0)
        for (name, e), found in estimate(study, (4,), even).items():
            row[f"{name}_{e}_unweighted"] = 100 * found["estimate"]
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--posts", type=int, default=10)
    arguments = parser.parse_args()
    seeds, posts = (range(1, n + 1) for n in (arguments.draws, arguments.posts))
    plan = load_plan(find_root() / "data" / "reference")
    for title, draws in (
        ("subsidy without effect, paid to survivors", immortal_time(seeds, plan)),
        ("posts without effect", lock_in(posts, plan)),
        ("posts, 10 points", lock_in(posts, plan, 0.10)),
    ):
        print(title, "(points)")
        print(pd.DataFrame({"mean": draws.mean(), "error": draws.sem()}).round(2).to_string())


if __name__ == "__main__":
    main()
