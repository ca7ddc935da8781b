"""Made-up counts of townships, and the plan's rules of disclosure control."""

import pandas as pd

from evaluation.paths import locate
from evaluation.plan import load_plan

RULES = load_plan(locate().reference)["disclosure"]


def townships(*counts, total=None) -> pd.DataFrame:
    """One row per township, and one for all of them if there is a total."""
    names = [f"T{i}" for i in range(len(counts))]
    if total is not None:
        names, counts = [*names, "all"], [*counts, total]
    return pd.DataFrame({"township": names, "n": counts})
