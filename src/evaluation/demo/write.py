"""Write a world as ledgers: folders by year received, manifest, truth, marker."""

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.demo.arrangement import arrange, choose_layout
from evaluation.demo.breaches import Breaches, break_rules, find_no_breaches, note_breaches
from evaluation.demo.corrections import NAME, choose_corrections, write_corrections
from evaluation.demo.defects import NOTHING, Plan, finish_notes, plan_mistakes, plant
from evaluation.demo.deliveries import Delivery, deliveries, final_tables, first_received
from evaluation.demo.desk import Desk
from evaluation.demo.ledgers import FILES, headings_of
from evaluation.demo.papers import FOREIGN_PREFIX, draw_papers, finish_number
from evaluation.demo.places import load_villages
from evaluation.demo.revisions import NO_REVISIONS, Revisions, choose_revisions, find_revised
from evaluation.demo.workbooks import write_csv, write_xlsx
from evaluation.demo.world import simulate_world, topic_seeds, truth
from evaluation.errors import EvaluationError
from evaluation.ledgers.linking import spell_name
from evaluation.paths import find_root
from evaluation.plan import load_district
from evaluation.tables import write_whole

MARKER = "demo.toml"
_FOREIGN = 0.001  # share of people whose number was first given elsewhere
_PLACE = ["file", "sheet", "row", "column"]


def write_demo(
    folder: Path,
    seed: int = 0,
    n_people: int = 20_000,
    first_year: int = 2013,
    last_year: int = 2024,
    policy_multiplier: float = 1,
    effects: dict | None = None,
    violations: dict | None = None,
    reference: Path | None = None,
    defects: bool = True,
) -> Path:
    """Write demonstration ledgers as real workbooks and csv files.

    Beside the ledgers stand ``manifest.csv`` (one row per planted defect: file, sheet,
    row, column, kind, state; not those that ``更正.xlsx`` corrects), ``revisions.csv``
    (rows that came late, were changed or corrected, or disappeared, and the edition that
    learns of it), ``truth.csv`` (see `truth`) and ``demo.toml``, which marks the folder as
    a demonstration and is written last.

    Parameters
    ----------
    folder
        Replaced if it holds an earlier demonstration; whole or not at all.
    reference
        The folder ``data/reference`` (default: the project's).
    defects
        Without them the same people's ledgers are typed faultlessly.
    seed, n_people, first_year, last_year, policy_multiplier, effects, violations
        As in `simulate_world`.

    Raises
    ------
    EvaluationError
        If the folder holds anything that is no demonstration.
    """
    folder = Path(folder)
    reference = find_root() / "data" / "reference" if reference is None else Path(reference)
    _refuse_other_files(folder)
    world = simulate_world(
        seed, n_people, first_year, last_year, policy_multiplier, effects, violations
    )
    seeds = topic_seeds(seed)
    villages = load_villages(reference)
    papers = draw_papers(world.people, villages, np.random.default_rng(seeds["layout"]))
    names = {"district": load_district(reference)["district"]["name_zh"], "bank": "示范银行"}
    planted = plant_world(world, papers, seeds["defects"], defects)
    draft, manifest, revised = folder.with_name(f".{uuid.uuid4().hex}"), [], []
    for delivery in deliveries(
        planted.breaches, planted.revisions, planted.rosters, planted.papers, names
    ):
        notes, changes = _write(draft, delivery, planted)
        manifest.append(notes)
        revised.append(changes)
    manifest = pd.concat(manifest, ignore_index=True)
    corrected = choose_corrections(manifest, last_year)
    if len(corrected):
        write_corrections(draft / NAME, corrected)
    revised.append(
        corrected.assign(what="corrected", edition=[d.year for d in corrected["on"]])
    )
    tables = {
        "manifest": manifest.drop(corrected.index)[[*_PLACE, "kind", "state"]],
        "revisions": pd.concat(revised, ignore_index=True)[[*_PLACE, "what", "edition"]],
        "truth": truth(world),
    }
    _write_beside(draft, world, tables)
    if folder.is_dir():
        shutil.rmtree(folder)
    return draft.rename(folder)


@dataclass(frozen=True)
class Planted:
    """A world and all that goes wrong with its ledgers.

    Attributes
    ----------
    papers
        As returned by `draw_papers`, a few numbers with another prefix.
    desk
        What mistakes are typed from, by column and person; see `Desk`.
    plans
        By ledger.
    rosters
        Of all years, in truth.
    merges
        Whether cells are merged downwards.
    """

    breaches: Breaches
    revisions: Revisions
    papers: pd.DataFrame
    desk: dict[str, np.ndarray]
    plans: dict[str, Plan]
    rosters: pd.DataFrame
    merges: bool = True


def plant_world(world, papers, seed: np.random.SeedSequence, defects: bool = True) -> Planted:
    """Decide what goes wrong, each thing from a stream of its own; or nothing does."""
    if not defects:
        whole = find_no_breaches(world)
        rosters = final_tables(whole)["roster"]
        desk = _set_desk(world, papers, rosters, [])
        plans = dict.fromkeys(FILES, NOTHING)
        return Planted(whole, NO_REVISIONS, papers, desk, plans, rosters, merges=False)
    breaking, revising, abroad, *wrong = seed.spawn(3 + len(FILES))
    breaches = break_rules(world, np.random.default_rng(breaking))
    tables, rules = final_tables(breaches), world.rules
    revisions = choose_revisions(
        tables,
        first_received(rules),
        rules.last_year,
        papers,
        breaches.persons,
        np.random.default_rng(revising),
    )
    barred = np.union1d(breaches.persons, revisions.persons)
    rng, count = np.random.default_rng(abroad), max(round(_FOREIGN * len(papers)), 2)
    foreign = np.setdiff1d(rng.permutation(len(papers))[: 2 * count], barred)[:count]
    numbers = papers["number"].to_numpy(dtype=object, copy=True)
    for person in foreign:
        numbers[person] = finish_number(FOREIGN_PREFIX + numbers[person][6:17])
    papers = papers.assign(number=numbers)
    desk = _set_desk(world, papers, tables["roster"], foreign)
    plans = {
        ledger: plan_mistakes(
            tables[ledger],
            Desk(ledger, rules.last_year, desk),
            barred,
            np.random.default_rng(stream),
        )
        for ledger, stream in zip(FILES, wrong, strict=True)
    }
    return Planted(breaches, revisions, papers, desk, plans, tables["roster"])


def _set_desk(world, papers, roster, foreign):
    desk = {name: papers[name].to_numpy() for name in papers}
    desk |= {name: world.people[name].to_numpy() for name in ("birth_year", "female")}
    desk["foreign"] = np.isin(np.arange(len(papers)), foreign)
    desk["dotted"] = papers["name"].str.contains("·").to_numpy()
    desk["sound"] = np.array([spell_name(name) for name in papers["name"]])
    desk["in_street"] = papers["township"].str.endswith("街道").to_numpy()
    desk["rosters"] = np.bincount(roster["person"], minlength=len(papers))
    desk["partner"] = _find_partners(world.people["household"].to_numpy())
    return desk


def _find_partners(household):
    """The next person of each household, around; -1 for those who live alone."""
    order = np.argsort(household, kind="stable")
    first = np.r_[True, np.diff(household[order]) != 0]
    start = np.maximum.accumulate(np.where(first, np.arange(len(order)), 0))
    last = np.r_[first[1:], True]
    following = np.where(last, order[start], np.r_[order[1:], 0])
    partner = np.empty(len(order), dtype=int)
    partner[order] = np.where(following == order, -1, following)
    return partner


def _refuse_other_files(folder):
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise EvaluationError(f"{folder} 中已有其他文件，示范数据不会覆盖它们。请另选文件夹。")


def _write(folder, delivery: Delivery, planted: Planted):
    """Write one file in the layout of its ledger and year; return manifest and revisions."""
    ledger, year = delivery.ledger, delivery.year
    amounts = delivery.table[
        next((c for c in ("amount", "principal", "pay") if c in delivery.table), "person")
    ]
    desk = Desk(ledger, year, planted.desk, int(amounts.notna().sum()))
    notes = note_breaches(delivery.table, ledger, planted.breaches)
    rows, notes = plant(delivery.frame, delivery.table, desk, planted.plans[ledger], notes)
    layout, encoding = choose_layout(delivery, len(rows))
    sheets, more = arrange(rows, notes, delivery, layout, planted)
    order = np.concatenate([sheet.rows for sheet in sheets])
    found = finish_notes(rows, notes + more, desk, order)
    place = folder / str(delivery.received)
    place.mkdir(parents=True, exist_ok=True)
    ending = "csv" if encoding else "xlsx"
    path = place / f"{FILES[ledger]}{year}{delivery.suffix}.{ending}"
    tables = {sheet.name: sheet.table for sheet in sheets}
    if encoding:
        lines = {sheets[0].name: write_csv(path, sheets[0].table, layout, encoding)}
    else:
        lines = write_xlsx(path, tables, layout)
    where = pd.DataFrame({"sheet": "", "row": 0}, index=np.arange(len(rows)))
    for sheet in sheets:
        where.loc[sheet.rows, "sheet"] = "" if encoding else sheet.name
        where.loc[sheet.rows, "row"] = lines[sheet.name]
    where["file"] = path.relative_to(folder).as_posix()
    headings = {k: v.replace("|", "") for k, v in headings_of(ledger, year).items()}
    found = found.join(where, on="position")
    if ledger == "roster":
        cells = [
            (rows[column][place], _true(delivery.frame, rows["origin"][place], column))
            for place, column in zip(found["position"], found["column"], strict=True)
        ]
        found = found.join(pd.DataFrame(cells, found.index, ["typed", "true"], dtype=object))
    found["column"] = found["column"].map(headings)
    changes = _list_revisions(delivery, planted, rows, where, headings)
    return found.assign(ledger=ledger, received=delivery.received), changes


def _true(frame, origin, column):
    return frame[column].iloc[origin] if origin >= 0 else None


def _list_revisions(delivery, planted, rows, where, headings):
    """Rows of this file that came late, were changed, or are here for the last time."""
    ledger, year = delivery.ledger, delivery.received
    places, revised = find_revised(delivery.table, ledger, planted.revisions)
    at = {origin: place for place, origin in enumerate(rows["origin"]) if origin >= 0}
    found = [
        (
            *where.loc[at[place], ["file", "sheet", "row"]],
            headings.get(row.column, ""),
            row.what,
            row.learned,
        )
        for place, row in zip(places, revised, strict=True)
        if year == row.learned - (row.what == "vanished")
    ]
    return pd.DataFrame(found, columns=[*_PLACE, "what", "edition"])


def _write_beside(folder, world, tables):
    for name, table in tables.items():
        write_whole(
            folder / f"{name}.csv",
            lambda draft, table=table: table.to_csv(draft, index=False, encoding="utf-8-sig"),
        )
    rules = world.rules
    settings = {
        "seed": world.seed, "n_people": rules.n_people, "first_year": rules.first_year,
        "last_year": rules.last_year, "policy_multiplier": rules.multiplier,
    }  # fmt: skip
    lines = [
        "# 示范数据，非真实结果。",
        *[f"{name} = {value}" for name, value in settings.items()],
    ]
    for table in ("effects", "violations"):
        lines += [f"[{table}]", *[f"{k} = {v}" for k, v in getattr(rules, table).items()]]
    text = "\n".join(lines) + "\n"
    write_whole(folder / MARKER, lambda draft: draft.write_text(text, encoding="utf-8"))
