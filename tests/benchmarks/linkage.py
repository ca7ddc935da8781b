"""Links without a number against the true persons of the demonstration.

    python tests/benchmarks/linkage.py --seeds 0 1 2

For each seed: demonstration ledgers with their planted defects are written and cleaned,
rows are linked in several editions, and every link is compared with the person whom the row
was typed for. ``precision`` is the share of a pass's links that are right, ``recall`` the
share of the rows without a number that are linked rightly by this pass or a surer one.

Then each pass alone, also those that were rejected, and a harder world in which half of the
persons behind these rows are in no other row by number, so that every link to them is wrong:
a real district's ledgers do not know everybody.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.demo import write
from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.identity import DEMONSTRATION_KEY, pseudonyms
from evaluation.panel.build import LEDGERS
from evaluation.panel.edition import cut_ledger
from evaluation.panel.evidence import compare_rows
from evaluation.panel.linkage import PASSES, Pass, link_rows, run_passes
from evaluation.paths import find_root

REJECTED = {
    "(name_township)": Pass(("name", "township"), weak=True),
    "(pinyin_township)": Pass(("sound", "township"), weak=True),
    "(name)": Pass(("name",), weak=True),
}
ROW = ["source_file", "source_sheet", "source_row"]


def write_known(folder: Path, seed: int, n_people: int) -> pd.DataFrame:
    """Write the demonstration; return the person of every row as a pseudonym."""
    known, finish, plain = [], write.finish_notes, write._write

    def note_every_row(rows, notes, desk, order):
        every = {"position": np.arange(len(rows)), "person": rows["person"].astype(int)}
        every = pd.DataFrame(every).assign(column="number", kind="row", state="row")
        return pd.concat([finish(rows, notes, desk, order), every], ignore_index=True)

    def write_and_note(draft, delivery, planted):
        found, changes = plain(draft, delivery, planted)
        mine = found["kind"] == "row"
        rows = found.loc[mine, ["file", "sheet", "row", "person"]].astype({"person": int})
        numbers = planted.papers["number"].to_numpy(dtype=object)[rows["person"]]
        known.append(rows.assign(person=pseudonyms(numbers, DEMONSTRATION_KEY, "number", 32)))
        return found[~mine].drop(columns="person"), changes

    write.finish_notes, write._write = note_every_row, write_and_note
    try:
        write.write_demo(folder, seed=seed, n_people=n_people)
    finally:
        write.finish_notes, write._write = finish, plain
    names = {"file": "source_file", "sheet": "source_sheet", "row": "source_row"}
    return pd.concat(known, ignore_index=True).rename(columns=names)


def cut(clean: dict, edition: int) -> dict:
    """The ledgers of an edition before linkage."""
    return {n: cut_ledger(clean[n], n, edition)[0] for n in LEDGERS if n in clean}


def judge(links: pd.DataFrame, ledgers: dict, truth: pd.DataFrame) -> pd.DataFrame:
    """Set the person of each row without a number beside the one who was found."""
    rows = [t.loc[t["link_pass"] != "number", ROW].assign(ledger=n) for n, t in ledgers.items()]
    rows = pd.concat(rows).merge(truth, on=ROW, how="left", validate="m:1")
    here = [
        ledgers[ledger]
        .iloc[found["position"]][ROW]
        .assign(person_id=found["person_id"].array, link_pass=found["link_pass"].array)
        for ledger, found in links.groupby("ledger")
    ]
    here = pd.concat([pd.DataFrame(columns=[*ROW, "person_id", "link_pass"]), *here])
    rows = rows.merge(here.astype({"source_row": "int64"}), on=ROW, how="left")
    return rows.assign(right=rows["person_id"] == rows["person"])


def hide(ledgers: dict, truth: pd.DataFrame, share: float, seed: int) -> dict:
    """Take all rows with a number from a share of the persons who have one without."""
    person = {n: t[ROW].merge(truth, on=ROW, how="left")["person"] for n, t in ledgers.items()}
    without = {n: t["person_id"].isna().to_numpy() for n, t in ledgers.items()}
    people = np.unique(np.concatenate([person[n][without[n]] for n in ledgers]).astype(str))
    draws = np.random.default_rng(seed).permutation(people)
    gone = draws[: int(len(people) * share)]
    kept = {n: without[n] | ~person[n].isin(gone).to_numpy() for n in ledgers}
    return {n: t[kept[n]] for n, t in ledgers.items()}


def tabulate(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Links, of them right, and precision."""
    table = rows.groupby(by, sort=False).agg(
        links=("person_id", "count"), right=("right", "sum")
    )
    return table.assign(precision=(table["right"] / table["links"]).round(4))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--editions", type=int, nargs="+", default=[2018, 2021, 2024])
    options, found, alone = parser.parse_args(), [], []
    passes = PASSES | REJECTED
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as home:
            folder = Path(home) / "ledgers"
            truth = write_known(folder, seed, options.people)
            reference = find_root() / "data" / "reference"
            clean = clean_folder(folder, reference, DEMONSTRATION_KEY).tables
        for edition in options.editions:
            ledgers, began = cut(clean, edition), time.perf_counter()
            link_rows(ledgers)
            seconds = time.perf_counter() - began
            rows = judge(run_passes(compare_rows(ledgers)), ledgers, truth)
            found.append(rows.assign(seed=seed, edition=edition))
            right, links = rows["right"].sum(), rows["link_pass"].notna().sum()
            print(
                f"seed {seed}, edition {edition}: {len(rows)} rows without a number, {links} "
                f"linked, precision {right / links:.4f}, recall {right / len(rows):.3f}, "
                f"{seconds:.2f} s",
                flush=True,
            )
        for share in (0, 0.5):
            known = hide(ledgers, truth, share, seed)
            pairs = compare_rows(known)
            for name, rule in passes.items():
                rows = judge(run_passes(pairs, {name: rule}), known, truth)
                alone.append(rows.assign(link_pass=name, hidden=share))
    rows = pd.concat(found, ignore_index=True)
    table = tabulate(rows.dropna(subset="link_pass"), ["link_pass"])
    table = table.reindex([name for name in PASSES if name in table.index])
    table["recall"] = (table["right"].cumsum() / len(rows)).round(4)
    print("\nIn their order, all editions:\n", table.to_string())
    print(
        "\nBy ledger:\n",
        tabulate(rows, ["ledger"]).join(rows.groupby("ledger").size().rename("rows")),
    )
    table = tabulate(pd.concat(alone), ["link_pass", "hidden"]).unstack("hidden")
    print("\nEach pass alone, and where half of the persons are known by no number:")
    print(table.to_string())
    rejected = pd.concat(alone).query("hidden > 0 and link_pass in @REJECTED")
    print("\nThe rejected ones there, by ledger:")
    print(tabulate(rejected, ["link_pass", "ledger"]).to_string())


if __name__ == "__main__":
    main()
