"""Editions compared: what several published tables tell together that none tells alone.

Counts of participants so far only grow. Where one edition's table leaves a withheld count
open between 0 and 7 and a later one between 4 and 9, both together leave it between 4 and 7.
"""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.findings.audit import Knowledge
from evaluation.findings.margins import Cells, lay_out
from evaluation.findings.protection import Recalled, find_weak
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


def recall(
    cells: Cells,
    small: np.ndarray,
    frame: pd.DataFrame,
    then: tuple[int, pd.DataFrame, pd.DataFrame | None],
    counts: list[str],
    by: list[str],
    rules: dict,
) -> Recalled:
    """Lay what another edition published beside the cells of the present one.

    With its true counts it is also known which cells were small and which protect them.

    Parameters
    ----------
    cells, small
        Of the present table, true counts; which cells are small.
    frame
        The present table.
    then
        How many years later the other edition is (negative: earlier), its table as
        published, and with its true counts where they are still known. A row that it
        lacks is open.
    """
    years, published, true = then
    told = _align(cells, frame, published, counts, by)
    most = float(np.nansum(cells.values) + np.nansum(told) + 2 * rules["min_count"])
    known = _read_known(cells, told, rules, most)
    least, hidden = rules["min_count"], np.isnan(told)
    low, high = known.low, known.high
    was_small, was_large = small & hidden if years < 0 else hidden & False, hidden & False
    if true is not None:
        counted = _align(cells, frame, true, counts, by)
        total = cells.is_total & ~hidden & ~np.isnan(counted)
        low[total] = high[total] = counted[total]
        was_small, was_large = hidden & (counted < least), hidden & (counted >= least)
    tight = np.where(was_large, least, low), np.where(was_small, least - 1, high)
    place = np.where(cells.is_rest, -1, np.arange(len(told)))
    return Recalled(known, Knowledge(*tight, known.sums, known.orders), place, years < 0)


def _align(cells, frame, other, counts, by):
    """Counts of another edition's table in the order of the cells; missing where none."""
    names = other[[*by, *counts]].assign(**other[by].astype("str"))
    beside = frame[by].astype("str").merge(names, how="left", on=by)
    found = np.concatenate([beside[c].to_numpy(float, na_value=np.nan) for c in counts])
    return np.append(found, np.full(len(cells.values) - len(found), np.nan))


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
        weak, _ = find_weak(hidden, (cells, small, rules, tuple(recalled)), why=False)
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


def _read_known(cells: Cells, told: np.ndarray, rules: dict, most: float) -> Knowledge:
    """What a table as published tells of the cells: rounding, and what is open."""
    step, least = rules["round_to"], rules["min_count"]
    low = np.where(cells.is_total, told - step // 2, np.maximum(told - step // 2, least))
    high = told + (step - 1) // 2
    low, high = np.where(told == 0, 0, low), np.where(told == 0, 0, high)
    is_open = np.isnan(told)
    low, high = np.where(is_open, 0, low), np.where(is_open, most, high)
    return Knowledge(low.astype(float), high.astype(float), cells.sums, cells.orders)
