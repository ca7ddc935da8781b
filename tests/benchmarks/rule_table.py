"""Operating characteristics in the form in which they are required, floors beside them."""

import numpy as np
import pandas as pd

EFFECTIVE, HARMFUL = ("effective", "effective_small"), ("harmful", "harmful_small")
VALID = ("effect_0", "effect_5", "effect_10", "effect_15", "effect_20")
POLICIES = ("subsidy", "loan", "post")
COVERAGE = "92–98 / 93–97.5"
# Label, verdicts counted (`-`: all but these), cells, floors of the three policies.
ROWS = (
    ("false 有效 or 有负面影响, effect 0", (*EFFECTIVE, *HARMFUL), ("effect_0",), ("≤ 5",) * 3),
    ("valid panels not 不宜", ("-", "do_not_conclude"), VALID, ("≥ 80", "≥ 82", "≥ 88")),
    ("有效 at 5 points", EFFECTIVE, ("effect_5",), ("report", "report", "≥ 42")),
    ("有效 at 10", EFFECTIVE, ("effect_10",), ("≥ 18", "≥ 50", "≥ 83")),
    ("有效 at 15", EFFECTIVE, ("effect_15",), ("≥ 45", "≥ 60", "")),
    ("有效 at 20", EFFECTIVE, ("effect_20",), ("≥ 60", "≥ 70", "")),
    ("wrong 有效, straight trend of 5", EFFECTIVE, ("trend_5",), ("≤ 9", "≤ 10", "≤ 15")),
    ("wrong 有效, straight trend of 10", EFFECTIVE, ("trend_10",), ("≤ 3",) * 3),
    ("wrong 有效, drift of 5 in the last 4 years", EFFECTIVE, ("recent_5",),
     ("≤ 12", "≤ 15", "≤ 12")),
    ("wrong 有效, drift of 10 in the last 4 years", EFFECTIVE, ("recent_10",),
     ("≤ 9", "≤ 11", "≤ 3")),
    ("wrong 有效, dip", EFFECTIVE, ("dip",), ("≤ 5",) * 3),
    ("wrong 有效, anticipation", EFFECTIVE, ("anticipation",), ("≤ 5",) * 3),
    ("wrong 有效, payment to survivors only", EFFECTIVE, ("effect_0",), ("≤ 5", "≤ 5", "")),
    ("不宜, straight trend of 10", ("do_not_conclude",), ("trend_10",), ("≥ 95",) * 3),
    ("不宜, dip", ("do_not_conclude",), ("dip",), ("≥ 32", "≥ 40", "≥ 95")),
    ("wrong definite verdict, follow-up differs", (*EFFECTIVE, *HARMFUL), ("follow_up",),
     ("≤ 5",) * 3),
    ("wrong 有效, ledger of paid applicants only", EFFECTIVE, ("only_paid",),
     ("report", "report", "")),
    ("wrong 有效, selection on ability", EFFECTIVE, ("ability",), ("report",) * 3),
    ("不宜, selection on ability", ("do_not_conclude",), ("ability",), ("report",) * 3),
    ("wrong 有效, comparison's work under-recorded", EFFECTIVE, ("unrecorded",),
     ("report",) * 3),
    ("wrong 有效, a tenth quit work for the post", EFFECTIVE, ("quitters",),
     ("", "", "report")),
)  # fmt: skip


def mean_error(flags: pd.Series, seed: pd.Series) -> str:
    """Per cent and Monte Carlo error; cells of one seed share its luck."""
    by_seed = flags.astype(float).groupby(seed).mean()
    return f"{100 * flags.mean():.1f} ({100 * by_seed.std(ddof=0) / np.sqrt(len(by_seed)):.1f})"


def tabulate_rule(draws: pd.DataFrame) -> pd.DataFrame:
    """The required table: per policy the figure with its error, draws, and the floor."""
    rows = []
    for design in ("cs", "balanced", "published"):
        for of, name in (("expected", "truth"), ("realised", f"{design}_realised")):
            row = {"% of draws": f"coverage of {design}, {of} effect: cells; pooled"}
            for policy in POLICIES:
                part = draws[(draws["policy"] == policy) & draws["cell"].isin(VALID)]
                inside = part[f"{design}_low"].le(part[name])
                inside &= part[f"{design}_high"].ge(part[name])
                cells = 100 * inside.groupby(part["cell"]).mean()
                pooled = mean_error(inside, part["seed"])
                row[policy] = f"{cells.min():.1f}–{cells.max():.1f}; {pooled}"
                row[f"{policy} floor"] = COVERAGE
            rows.append(row)
    for label, verdicts, cells, floors in ROWS:
        row = {"% of draws": label}
        for policy, floor in zip(POLICIES, floors, strict=True):
            part = draws[(draws["policy"] == policy) & draws["cell"].isin(cells)]
            counted = part["verdict"].isin(verdicts) != (verdicts[0] == "-")
            shown = len(part) and floor
            row[policy] = mean_error(counted, part["seed"]) if shown else "–"
            row[f"{policy} floor"] = floor or "–"
        rows.append(row)
    row = {"% of draws": "draws per cell"}
    for policy in POLICIES:
        sizes = draws[draws["policy"] == policy].groupby("cell").size()
        row[policy] = f"{sizes.min()}–{sizes.max()}" if len(sizes) else "–"
        row[f"{policy} floor"] = "500"
    return pd.DataFrame([*rows, row])


def as_markdown(table: pd.DataFrame) -> str:
    """The table for the documentation."""
    head = [f"| {' | '.join(table)} |", f"|{'---|' * table.shape[1]}"]
    return "\n".join(head + [f"| {' | '.join(map(str, row))} |" for row in table.to_numpy()])
