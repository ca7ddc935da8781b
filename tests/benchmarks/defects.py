"""Precision and recall of every kind of defect, on demonstration ledgers of several seeds.

    python tests/benchmarks/defects.py --people 20000 200000 --seeds 0 1 2

A planted defect is found if the check reports its kind at its file, sheet, row and column.
Precision is the share of reported ones that were planted (a defect that brings another
about is planted twice: both stand in the manifest), recall the share of planted ones that
were reported. ``clean set aside`` counts rows without a planted reason that were kept out:
it must be 0, and so must ``total off`` (published totals that the ledgers miss).
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.demo.write import write_demo
from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.identity import DEMONSTRATION_KEY
from evaluation.ledgers.rules import KINDS, SET_ASIDE
from evaluation.panel.agreement import compare_totals
from evaluation.panel.build import build_panel
from evaluation.paths import find_root
from evaluation.plan import load_district

REFERENCE = find_root() / "data" / "reference"
PLACE = ["file", "sheet", "row", "column", "kind"]
ROW = ["file", "sheet", "row"]


def measure(n_people: int, seed: int) -> tuple[pd.DataFrame, dict]:
    """Write, check and compare one world: counts by kind, and what is said of the whole."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        ledgers = write_demo(Path(folder) / "ledgers", seed=seed, n_people=n_people)
        written = time.perf_counter()
        cleaned = clean_folder(ledgers, REFERENCE, DEMONSTRATION_KEY)
        checked = time.perf_counter()
        manifest = pd.read_csv(
            ledgers / "manifest.csv", keep_default_na=False, encoding="utf-8-sig"
        )
    planted, found = (
        pd.MultiIndex.from_frame(table[PLACE].astype(str))
        for table in (manifest, cleaned.issues)
    )
    counts = pd.DataFrame(
        {
            "planted": manifest["kind"].value_counts(),
            "found": cleaned.issues["kind"].value_counts(),
            "both": manifest.loc[planted.isin(found), "kind"].value_counts(),
        }
    )
    counts = counts.reindex(KINDS).fillna(0).astype(int)
    aside, reasons = (
        pd.MultiIndex.from_frame(
            table.loc[table["state"] == SET_ASIDE, ROW].astype(str)
        ).unique()
        for table in (cleaned.issues, manifest)
    )
    whole = {
        "people": n_people,
        "seed": seed,
        "rows": int(cleaned.accounting["rows_read"].sum()),
        "planted": len(manifest),
        "found": len(cleaned.issues),
        "set aside": len(aside),
        "clean set aside": len(aside.difference(reasons)),
        "total off": count_off(cleaned.tables),
        "written s": round(written - began, 1),
        "checked s": round(checked - written, 1),
    }
    return counts, whole


def count_off(tables: dict) -> int:
    """How many published totals of the last edition the ledgers do not meet exactly."""
    panel = build_panel(tables, 2024, load_district(REFERENCE))
    totals = pd.read_csv(REFERENCE / "totals.csv", encoding="utf-8-sig")
    compared = compare_totals(totals, panel.ledgers, 2024).dropna(subset="ledger")
    return int((compared["difference"] != 0).sum())


def main() -> None:
    """Measure all worlds and print one table by kind and one by world."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--people", type=int, nargs="+", default=[20_000])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    chosen = parser.parse_args()
    results = [measure(people, seed) for people in chosen.people for seed in chosen.seeds]
    for people in chosen.people:
        counts = sum(c for c, whole in results if whole["people"] == people)
        with np.errstate(invalid="ignore"):
            counts["precision"] = counts["both"] / counts["found"]
            counts["recall"] = counts["both"] / counts["planted"]
        print(f"\n{people} people, seeds {chosen.seeds}")
        print(counts.to_string(float_format="{:.4f}".format))
    print()
    print(pd.DataFrame([whole for _, whole in results]).to_string(index=False))


if __name__ == "__main__":
    main()
