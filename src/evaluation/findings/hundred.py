"""Persons of a hundred: shares as whole persons that add up, in pictures and sentences."""

import pandas as pd


def describe_people(verdict: dict, primary: dict, paths: pd.DataFrame) -> dict:
    """Divide 100 participants at the horizon, as whole persons that add up to 100.

    Treated share T comes from the paths, the effect from the published estimate. Under
    a definite verdict: would have worked anyway (T less effect), work because of it,
    do not work. Otherwise nobody can be said to work because of it: those between T
    less the upper limit and T are *unclear*. A lower limit below zero is not drawn.

    Returns
    -------
    dict
        ``treated_share``, ``anyway_share``, ``because_share``, ``unclear_share``,
        ``less_share``, ``idle_share``, in fractions; empty without paths or without an
        estimate and its interval.
    """
    if paths.empty or not {"estimate", "conf_high"} <= primary.keys():
        return {}
    at = paths["group"].eq("treated") & paths["event_time"].eq(verdict.get("horizon"))
    share = paths.loc[at, "share"].dropna()
    if share.empty:
        return {}
    treated = round(float(share.iloc[0]) * 100)
    effect, upper = round(primary["estimate"] * 100), round(primary["conf_high"] * 100)
    parts = dict.fromkeys(("because", "unclear", "less"), 0)
    code = verdict["verdict"]
    if code.startswith("effective"):
        parts["because"] = min(max(effect, 0), treated)
    elif code.startswith("harmful"):
        parts["less"] = min(max(-effect, 0), 100 - treated)
    elif code in ("cannot_tell", "too_small"):
        parts["unclear"] = min(max(upper, 0), treated)
    parts["anyway"] = treated - parts["because"] - parts["unclear"]
    parts["idle"] = 100 - treated - parts["less"]
    parts["treated"] = treated
    return {f"{name}_share": value / 100 for name, value in parts.items()}


def count_persons(paths: pd.DataFrame) -> pd.DataFrame:
    """Add the persons of 100 that a figure of paths and its table say.

    Persons must add up: participants less the comparison is the rounded difference that
    the sentences say, not the difference of two rounded shares.

    Parameters
    ----------
    paths
        Key ``group, event_time``: ``share, conf_low, conf_high`` in fractions.

    Returns
    -------
    pandas.DataFrame
        With ``persons``, and of the comparison ``persons_low, persons_high`` (the band);
        missing where a share is suppressed.
    """
    if not {"group", "event_time", "share", "conf_low", "conf_high"} <= set(paths):
        return paths
    treated = paths[paths["group"] == "treated"].set_index("event_time")["share"]
    own = paths["event_time"].map(treated)
    columns = {"persons": "share", "persons_low": "conf_low", "persons_high": "conf_high"}
    found = {
        name: (own * 100).round() - ((own - paths[column]) * 100).round() + 0.0
        for name, column in columns.items()
    }
    other = paths["group"].eq("comparison")
    alone = (paths["share"] * 100).round()  # nobody of the other group to add up with
    found["persons"] = found["persons"].fillna(alone)
    for name in ("persons_low", "persons_high"):
        found[name] = found[name].where(other).clip(0, 100)
    return paths.assign(**found)
