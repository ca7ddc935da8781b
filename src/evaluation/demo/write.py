"""Write a world as ledgers: folders by year received, manifest, truth, marker."""

import shutil
import uuid
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.demo.arrangement import arrange, choose_layout, is_old_format
from evaluation.demo.breaches import note_breaches
from evaluation.demo.broken import write_broken
from evaluation.demo.corrections import NAME, choose_corrections, write_corrections
from evaluation.demo.defects import finish_notes, plant
from evaluation.demo.deliveries import Delivery, deliveries
from evaluation.demo.desk import Desk
from evaluation.demo.ledgers import FILES, headings_of
from evaluation.demo.old_excel import write_xls
from evaluation.demo.papers import draw_papers
from evaluation.demo.places import load_villages
from evaluation.demo.planting import Planted, plant_world
from evaluation.demo.revisions import find_revised
from evaluation.demo.workbooks import lay_out, write_csv, write_xlsx
from evaluation.demo.world import simulate_world, topic_seeds, truth
from evaluation.errors import EvaluationError
from evaluation.files import write_whole
from evaluation.ledgers.schema import ACCOUNTED
from evaluation.paths import find_root
from evaluation.plan import load_district

MARKER = "demo.toml"
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
    broken: bool = False,
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
    broken
        Damaged and hostile files lie among the ledgers as well; ``broken.csv`` says what
        is to be said of each.
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
    if broken:
        place = str(world.rules.last_year)
        files = write_broken(draft / place)
        tables["broken"] = files.assign(file=place + "/" + files["file"])
    _write_beside(draft, world, tables)
    if folder.is_dir():
        shutil.rmtree(folder)
    return draft.rename(folder)


def _refuse_other_files(folder):
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise EvaluationError(f"{folder} 中已有其他文件，示范数据不会覆盖它们。请另选文件夹。")


def _write(folder, delivery: Delivery, planted: Planted):
    """Write one file in the layout of its ledger and year; return manifest and revisions."""
    ledger, year = delivery.ledger, delivery.year
    amounts = delivery.table[ACCOUNTED.get(ledger, "person")]
    desk = Desk(ledger, year, planted.desk, int(amounts.notna().sum()))
    notes = note_breaches(delivery.table, ledger, planted.breaches)
    rows, notes = plant(delivery.frame, delivery.table, desk, planted.plans[ledger], notes)
    layout, encoding = choose_layout(delivery, len(rows))
    sheets, more = arrange(rows, notes, delivery, layout, planted)
    order = np.concatenate([sheet.rows for sheet in sheets])
    found = finish_notes(rows, notes + more, desk, order)
    place = folder / str(delivery.received)
    place.mkdir(parents=True, exist_ok=True)
    ending = "csv" if encoding else "xls" if is_old_format(delivery) else "xlsx"
    path = place / f"{FILES[ledger]}{year}{delivery.suffix}.{ending}"
    lines = _write_file(path, sheets, layout, encoding)
    where = pd.DataFrame({"sheet": "", "row": 0}, index=np.arange(len(rows)))
    for sheet in sheets:
        where.loc[sheet.rows, "sheet"] = "" if encoding else sheet.name
        where.loc[sheet.rows, "row"] = lines[sheet.name]
    where["file"] = path.relative_to(folder).as_posix()
    headings = {k: v.replace("|", "") for k, v in headings_of(ledger, year).items()}
    found = found.join(where, on="position")
    if ledger == "roster":
        found = found.join(_look_up(found, rows, delivery.frame))
    found["column"] = found["column"].map(headings)
    changes = _list_revisions(delivery, planted, rows, where, headings)
    return found.assign(ledger=ledger, received=delivery.received), changes


def _write_file(path, sheets, layout, encoding):
    """Write the sheets as the path's ending says; return the lines of the rows by sheet."""
    tables = {sheet.name: sheet.table for sheet in sheets}
    if path.suffix == ".xlsx":
        return write_xlsx(path, tables, layout)
    ((name, table),) = tables.items()
    if encoding:
        return {name: write_csv(path, table, layout, encoding)}
    lines = lay_out(table, layout)
    write_xls(path, name, lines.cells)
    return {name: lines.places}


def _look_up(found, rows, frame):
    """What stands in the cells of a manifest, and what should; nothing for further rows."""
    cells = pd.DataFrame({"typed": None, "true": None}, found.index, dtype=object)
    origin = rows["origin"].to_numpy(dtype=int).copy()
    # Whose number stands beside another name as well: corrected, the person were there twice.
    person, holder = (rows[name].to_numpy(dtype=int) for name in ("person", "holder"))
    origin[np.isin(person, holder[holder != person])] = -1
    for column, mine in found.groupby("column"):
        places = mine["position"].to_numpy(dtype=int)
        cells.loc[mine.index, "typed"] = rows[column].to_numpy()[places]
        known = origin[places] >= 0
        true = frame[column].to_numpy()[origin[places][known]]
        cells.loc[mine.index[known], "true"] = true
    return cells


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
