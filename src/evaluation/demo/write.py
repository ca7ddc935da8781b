"""Write a world as ledgers: folders by year received, manifest, truth, marker."""

import shutil
import uuid
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.demo.defects import plant
from evaluation.demo.ledgers import FILES, HEADINGS, OFFICIAL, deliveries, is_official, unit_of
from evaluation.demo.papers import draw_papers
from evaluation.demo.places import load_villages
from evaluation.demo.workbooks import write_csv, write_xlsx
from evaluation.demo.world import simulate_world, topic_seeds, truth
from evaluation.errors import EvaluationError
from evaluation.paths import find_root
from evaluation.plan import load_district
from evaluation.tables import write_whole

MARKER = "demo.toml"
MOST_ROWS = 50_000  # of a roster or register written as a workbook
_LEDGERS = tuple(FILES)


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
) -> Path:
    """Write demonstration ledgers as real workbooks and csv files.

    Beside the ledgers stand ``manifest.csv`` (one row per planted defect: file, sheet,
    row, column, kind, state), ``truth.csv`` (see `truth`) and ``demo.toml``, which
    marks the folder as a demonstration and is written last.

    Parameters
    ----------
    folder
        Replaced if it holds an earlier demonstration; whole or not at all.
    reference
        The folder ``data/reference`` (default: the project's).
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
    papers = draw_papers(
        world.people, load_villages(reference), np.random.default_rng(seeds["layout"])
    )
    defects = np.random.default_rng(seeds["defects"])
    draws = {ledger: defects.random(n_people) for ledger in _LEDGERS}
    names = {"district": load_district(reference)["district"]["name_zh"], "bank": "示范银行"}
    draft, manifest = folder.with_name(f".{uuid.uuid4().hex}"), []
    for received, ledger, year, frame in deliveries(world, papers, names):
        rows, notes = plant(ledger, year, frame, papers, draws[ledger])
        manifest.append(_write(draft, received, ledger, year, rows, notes, papers))
    _write_beside(draft, world, pd.concat(manifest, ignore_index=True))
    if folder.is_dir():
        shutil.rmtree(folder)
    return draft.rename(folder)


def _refuse_other_files(folder):
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).is_file():
        raise EvaluationError(f"{folder} 中已有其他文件，示范数据不会覆盖它们。请另选文件夹。")


def _write(folder, received, ledger, year, rows, notes, papers):
    """Write one delivery in the layout of its ledger and year; return its manifest."""
    place = folder / str(received)
    place.mkdir(parents=True, exist_ok=True)
    headings = dict(HEADINGS[ledger])
    if ledger == "register" and is_official(year):
        headings |= OFFICIAL
    layout, encoding, by_township = _layout(ledger, year, len(rows))
    if layout.get("total"):
        layout["total"] = headings[layout["total"]]
    path = place / f"{FILES[ledger]}{year}.{'csv' if encoding else 'xlsx'}"
    towns = papers["township"].iloc[rows["person"]].to_numpy()
    towns = pd.Series(towns if by_township else "台账", index=rows.index)
    cells = rows[list(headings)].rename(columns=headings)
    sheets = {town: cells[towns == town] for town in towns.unique()}
    if encoding:
        first = {"台账": write_csv(path, sheets["台账"], layout, encoding)}
    else:
        first = write_xlsx(path, sheets, layout)
    notes = notes.assign(sheet=towns.iloc[notes["position"]].to_numpy())
    inside = rows.groupby(towns).cumcount()
    notes["row"] = inside.iloc[notes["position"]].to_numpy() + notes["sheet"].map(first)
    notes["file"] = path.relative_to(folder).as_posix()
    notes["sheet"] = "" if encoding else notes["sheet"]
    notes["column"] = notes["column"].map(headings)
    return notes[["file", "sheet", "row", "column", "kind", "state"]]


def _layout(ledger, year, n_rows):
    """Layout, encoding (none for a workbook) and whether there is a sheet per township.

    Rosters and registers too long for a workbook of a few seconds come as csv.
    """
    if ledger == "roster":
        book = year in (2021, 2024) and n_rows < MOST_ROWS
        encoding = None if book else ("gb18030", "utf-8-sig", "utf-8")[year % 3]
        title = f"{year}年{FILES[ledger]}" if book else None
        return {"title": title, "spaced": book}, encoding, book and year == 2021
    if ledger == "register":
        encoding = (
            None if year == 2022 and n_rows < MOST_ROWS else ("utf-8-sig", "gb18030")[year % 2]
        )
        return {"top": 0 if encoding else 2}, encoding, False
    layout = {
        "title": f"{FILES[ledger]}（截至{year}年12月31日）",
        "unit": None if ledger == "loan" else f"单位：{unit_of(ledger, year)}",
        "left": int(year % 3 == 1),
        "top": int(year % 4 == 3),
        "spaced": year % 2 == 1,
        "hidden": year % 5 == 0,
        "total": "amount",
    }
    return layout, None, ledger == "post" and year >= 2022


def _write_beside(folder, world, manifest):
    effects = truth(world)
    for name, table in {"manifest": manifest, "truth": effects}.items():
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
