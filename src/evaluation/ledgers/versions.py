"""Corrected rows beside the rows as typed: each edition sees what it could know."""

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd

from evaluation.ledgers.corrections import APPLIED, KEPT, Correction
from evaluation.ledgers.kinds import SET_ASIDE
from evaluation.ledgers.raw import NEVER, Raw, print_cells
from evaluation.ledgers.values import as_column, text_at


def apply_corrections(raw: Raw, corrections: list[Correction]) -> Raw:
    """Correct the rows that were found; see `corrections.find_targets`.

    A correction holds from the edition of its date on. The row as typed stays for earlier
    editions, and the corrected one is a further row of the same source, known from that
    year. Marked to hold backwards, or dated no later than the row's own delivery, it
    changes the row as typed. Of two corrections of one cell the later counts from its
    year on; two of one day that differ are both refused. A cell confirmed as it stands
    changes nothing.

    Returns
    -------
    Raw
        The same rows in their order, and corrected versions below them.
    """
    own = [one for one in corrections if one.targets and _is_about(one, raw)]
    received = raw.received
    for one in own:
        one.places = [_place(raw, row, one.field) for row in one.targets]
        one.state, one.reason = (KEPT, "核实无误") if one.confirms else (APPLIED, "已采用")
    wanted = [one for one in own if not one.confirms]
    _refuse_contradictions(wanted)
    by_row = defaultdict(lambda: defaultdict(list))
    for one in sorted(wanted, key=lambda one: one.on):
        if one.state != APPLIED:
            continue
        late = not one.back and one.on.year > received[one.targets[0]]
        one.from_year = one.on.year if late else 0
        for row in one.targets:
            year = one.from_year if one.from_year > received[row] else 0
            by_row[row][year].append(one)
    return _rewrite(raw, by_row) if by_row else raw


def _is_about(one, raw):
    """Whether a correction's rows are among these: a ledger's other files may stand apart."""
    return one.ledger == raw.ledger and any(sheet.file == one.file for sheet in raw.sheets)


def _place(raw, row, field):
    sheet = raw.sheets[raw.sheet_of[row]]
    return sheet.file, sheet.name, int(raw.rows[row]), sheet.headings.get(field, field)


def _refuse_contradictions(corrections):
    same = defaultdict(list)
    for one in corrections:
        same[one.targets[0], one.field, one.on, one.back].append(one)
    for found in same.values():
        if len({one.new for one in found}) > 1:
            for one in found:
                one.refuse("同一格同一天有两条不同的更正，都未采用")


def _rewrite(raw, by_row):
    """Add a version of a row for each year in which a correction of it begins to hold."""
    version_of, known_from = list(raw.version_of), list(raw.known_from)
    superseded, changes = list(raw.superseded), []
    for row, by_year in by_row.items():
        before = row
        for year in sorted(by_year):
            superseded[before] = year or NEVER
            before = len(version_of)
            version_of.append(row)
            known_from.append(year)
            superseded.append(0)
            # A later version keeps what earlier corrections said.
            told = [one for said in sorted(by_year) if said <= year for one in by_year[said]]
            changes += [(before, one) for one in told]
    source = np.array(version_of)
    columns, prints = {}, raw.prints[source]
    for column, cells in raw.columns.items():
        mine = {row: one.new or "" for row, one in changes if one.field == column}
        columns[column] = _replace(cells, source, mine)
        if mine:
            rows = list(mine)
            before = [text_at(cells, source[row]) for row in rows]
            after = [text_at(columns[column], row) for row in rows]
            prints[rows] += _weigh(column, after) - _weigh(column, before)
    return replace(
        raw,
        sheet_of=raw.sheet_of[source],
        rows=raw.rows[source],
        columns=columns,
        prints=prints,
        version_of=source,
        known_from=np.array(known_from),
        superseded=np.array(superseded),
    )


def _replace(cells, source, changes):
    """Cells of a column for all versions; `changes` are texts by position of the version."""
    codes = cells.codes[source].astype(int)
    if not changes:
        return pd.Categorical.from_codes(codes, cells.categories)
    new = as_column(list(changes.values()))
    both = pd.Index(cells.categories).append(pd.Index(new.categories)).unique()
    codes[list(changes)] = np.append(both.get_indexer(new.categories), -1)[new.codes]
    return pd.Categorical.from_codes(codes, both)


def _weigh(column, texts):
    """Share of cells in the fingerprints of their rows; a blank cell has none."""
    filled = np.array([bool(text) for text in texts])
    return np.where(filled, print_cells(column, texts), np.uint64(0))


def record_effects(corrections: list[Correction], raw: Raw, lost, amount) -> None:
    """Note what corrections changed: rows rescued from being set aside, yuan kept.

    Of several corrections of one row the first has the effect.

    Parameters
    ----------
    lost
        Which rows of `raw` are set aside.
    amount
        Yuan of each row.
    """
    last = np.arange(len(raw.rows))
    last[raw.version_of[raw.is_last]] = np.flatnonzero(raw.is_last)
    seen = set()
    for one in corrections:
        if one.state != APPLIED or not _is_about(one, raw):
            continue
        for row in set(one.targets) - seen:
            now = last[row]
            one.rescued += int(lost[row] and not lost[now])
            one.amount_change += float(amount[now] * ~lost[now] - amount[row] * ~lost[row])
            seen.add(row)


def drop_confirmed(issues: pd.DataFrame, corrections: list[Correction]) -> pd.DataFrame:
    """Leave out what a clerk confirmed as right; a row set aside cannot be confirmed."""
    confirmed = {place: one for one in corrections if one.state == KEPT for place in one.places}
    if not confirmed:
        return issues
    columns = issues[["file", "sheet", "row", "column"]]
    found = [confirmed.get(place) for place in columns.itertuples(index=False, name=None)]
    for one, state in zip(found, issues["state"], strict=True):
        if one is not None and state == SET_ASIDE:
            one.refuse("这一行已搁置，填“无误”不能恢复，须更正所在的格")
    said = np.array([one is not None and one.state == KEPT for one in found])
    return issues[~said].reset_index(drop=True)
