"""Editions compared: where their tables lie, and what several tell that none tells alone."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.findings.margins import lay_out
from evaluation.findings.protection import find_weak
from evaluation.findings.recalled import recall
from evaluation.paths import Folders
from evaluation.plan import load_plan
from evaluation.tables import read_csv, read_published, read_table

# Tables of participants so far, and how they are published.
GROWING = {
    "reach": {
        "counts": ["n", "of"],
        "by": ["group", "trait", "level"],
        "rates": {"share": ("n", "of")},
    }
}


def find_narrowed(folders: Folders, year: int, beside: tuple[int, ...] = ()) -> list[str]:
    """Find what an edition's tables tell together with those already published.

    For whoever freezes an edition: it may have been run before the others were published.

    Parameters
    ----------
    folders
        As located; the edition's true counts lie under ``data/told``.
    year
        The edition.
    beside
        Editions that are published with it at the same time.

    Returns
    -------
    list of str
        In Chinese, one per table, with what to do; empty where nothing is narrowed down.
    """
    rules, found = load_plan(folders.reference)["disclosure"], []
    for name, shape in GROWING.items():
        told = read_published(name, folders, year, required=False)
        true = read_true(folders, folders.edition(year) / f"{name}.csv")
        others = recall_published(name, folders, year, beside)
        if true is None or told.empty or not others:
            continue
        counts, by = shape["counts"], shape["by"]
        cells = lay_out(true, counts, by, shape["rates"])
        hidden = np.concatenate([told[count].isna() for count in counts])
        hidden = np.append(hidden, np.zeros(len(cells.values) - len(hidden), dtype=bool))
        small = hidden & (cells.values < rules["min_count"])
        recalled = [recall(cells, small, true, then, counts, by, rules) for then in others]
        weak, _ = find_weak(hidden, (cells, rules, tuple(recalled)), why=False)
        if len(weak):
            found.append(
                f"表 {name} 与另一版合起来看，有 {len(weak)} 个略去的人数只剩不足 "
                f"{rules['min_values']} 种可能。请逐版公布：先公布一版，再运行 "
                f"evaluation run --years {year} --force（会多略去几格），然后公布这一版。"
            )
    return found


def recall_published(
    name: str, folders: Folders, year: int, beside: tuple[int, ...] = ()
) -> list[tuple]:
    """List a table of the other editions that are published, if its counts only grow.

    Parameters
    ----------
    beside
        Editions that are not frozen yet but will be.

    Returns
    -------
    list of tuple
        How many years later (negative: earlier) each edition is, its table as published,
        and with its true counts; None where they are no longer on this machine.
    """
    if name not in GROWING:
        return []
    places = folders.published(year).parent.glob(f"[12][0-9][0-9][0-9]*/{name}.csv")
    tables = [(int(path.parent.name[:4]), path) for path in sorted(places)]
    tables += [(other, folders.edition(other) / f"{name}.csv") for other in beside]
    return [
        (other - year, read_csv(path), read_true(folders, path))
        for other, path in tables
        if other != year and path.is_file()
    ]


def read_true(folders: Folders, path: Path) -> pd.DataFrame | None:
    """The true counts behind a published file, if they are still on this machine."""
    if not path.is_file():
        return None
    kept = place_true(folders, path.read_bytes())
    return read_table(kept) if kept.is_file() else None


def place_true(folders: Folders, data: bytes) -> Path:
    """Where the true counts behind a published file are kept: its fingerprint names them."""
    return folders.data / "told" / f"{hashlib.sha256(data).hexdigest()[:24]}.parquet"
