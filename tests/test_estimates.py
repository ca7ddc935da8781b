"""The table of estimates: bands of the event study, none elsewhere."""

import numpy as np
import pandas as pd

from evaluation.effects.aggregation import name_cell, stack_effects
from evaluation.effects.estimates import COLUMNS, tabulate_estimates


def make_design(seed, n=200, n_treated=40):
    rng = np.random.default_rng(seed)
    treated, cells = np.arange(n) < n_treated, []
    for time in (2017, 2018, 2020, 2021):
        psi = rng.normal(size=n) / n
        cells.append(name_cell(2020, time, rng.normal(), np.arange(n), treated, psi))
    units = pd.DataFrame({"unit": range(n), "cluster": np.arange(n) % 9})
    return stack_effects(cells, units)


def make_table(n_treated=40):
    designs = {
        name: make_design(k, n_treated=n_treated) for k, name in enumerate(("cs", "balanced"))
    }
    return tabulate_estimates(designs, year=2024, policy="loan", outcome="y", horizon=1)


def test_bands_stand_beside_events_only_and_hold_the_pointwise_intervals():
    table = make_table()
    assert list(table) == COLUMNS
    events = table[table["term"] == "event"]
    assert set(events["design"]) == {"cs", "balanced", "published"}
    assert (events["band_low"] < events["conf_low"]).all()
    assert (events["band_high"] > events["conf_high"]).all()
    assert table.loc[table["term"] != "event", ["band_low", "band_high"]].isna().all(axis=None)


def test_the_published_band_reaches_over_both_designs():
    events = make_table().query("term == 'event'").set_index(["design", "event_time"])
    for time in (-3, -2, 0, 1):
        low = min(events.loc[(d, time), "band_low"] for d in ("cs", "balanced"))
        assert events.loc[("published", time), "band_low"] == low


def test_events_with_too_few_recipients_have_no_band():
    assert make_table(n_treated=9)["band_low"].isna().all()
