"""One function per ledger: rows as typed to rows that can be counted and linked.

A month or a year typed without a day becomes its first day, for ends its last. What a
cell says about itself beats its column's heading; nothing else is ever guessed.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.errors import LedgerError
from evaluation.ledgers import identity, places, values
from evaluation.ledgers.headings import LEDGERS, find_table, is_no_row, load_aliases
from evaluation.ledgers.rules import SET_ASIDE, collect_notes, note
from evaluation.ledgers.schema import (
    ACCOUNTED,
    CLEAN,
    FILLED,
    KEY_DATES,
    ORDERED,
    shape,
)
from evaluation.ledgers.workbook import list_files, read_grids
from evaluation.plan import load_district

REQUIRED = ("roster", "register")


@dataclass(frozen=True)
class CleanedLedgers:
    """Everything that cleaning a folder gives.

    Attributes
    ----------
    tables
        The five clean tables by ledger; one without rows has its columns as well.
    accounting
        One row per file, sheet and ledger: ``rows_read, rows_kept, rows_skipped`` (totals,
        signatures, notes), ``amount_read, amount_kept`` (yuan), ``received``.
    issues
        One row per thing wrong: ``file, sheet, row, column, ledger, kind, state,
        reason, advice, shown`` (masked), ``received``.
    problems
        What could not be read at all or was not understood: ``file, sheet, level``
        (``error``: not loaded, ``note``), ``message``.
    private_hashes
        Keyed hashes of all numbers, names and phones: ``kind, hash``.
    """

    tables: dict[str, pd.DataFrame]
    accounting: pd.DataFrame
    issues: pd.DataFrame
    problems: pd.DataFrame
    private_hashes: pd.DataFrame


@dataclass(frozen=True)
class Reference:
    """Reference data and the key, read once per run."""

    aliases: pd.DataFrame
    words: dict[str, dict[str, str]]
    places: places.Gazetteer
    prefixes: tuple[str, ...]
    key: bytes


@dataclass(frozen=True)
class Raw:
    """Rows of one ledger in one file, as typed.

    Attributes
    ----------
    sheets
        Sheet of each row, as a position in ``names``.
    rows
        Row of the source, from 1.
    columns
        Distinct cells by column of the ledger.
    headings, units
        By sheet name: heading as typed and unit, by column.
    prints
        Fingerprint of each row over all cells but its number in the list (序号).
    """

    file: str
    ledger: str
    received: int
    names: list[str]
    sheets: np.ndarray
    rows: np.ndarray
    columns: dict[str, pd.Categorical]
    headings: dict[str, dict[str, str]]
    units: dict[str, dict[str, str]]
    skipped: dict[str, int]
    prints: np.ndarray


def load_reference(reference: Path, key: bytes) -> Reference:
    """Read headings, words, places and expected prefixes."""
    words = pd.read_csv(reference / "words.csv", dtype=str, encoding="utf-8-sig")
    by_column = {
        column: dict(zip(group["word"].map(values.clean_text), group["value"], strict=True))
        for column, group in words.groupby("column")
    }
    district = load_district(reference)["district"]
    prefixes = (*district["expected_prefixes"], district["demonstration_prefix"])
    return Reference(
        load_aliases(reference), by_column, places.load_places(reference), prefixes, key
    )


def clean_folder(
    ledgers: Path,
    reference: Path,
    key: bytes,
    progress: Callable[[str, int, int], None] | None = None,
) -> CleanedLedgers:
    """Read, check and pseudonymise all ledgers below a folder, row by row.

    A file that cannot be read is a problem in words, and the others still load.
    Rows read are rows kept and rows set aside, per file and sheet, amounts too; this is
    asserted here on every run. Repeated deliveries of a cumulative ledger stay.

    Parameters
    ----------
    ledgers
        A folder of workbooks and csv files, flat or with a folder per year received.
    reference
        The folder ``data/reference``.
    key
        As returned by `identity.load_key`.
    progress
        Called with each file's name, its position and the number of files.

    Raises
    ------
    LedgerError
        If roster or register is left without rows; says what was found instead.
    """
    known = load_reference(Path(reference), key)
    ledgers = Path(ledgers)
    files = list_files(ledgers) if ledgers.is_dir() else []
    parts = {ledger: [] for ledger in LEDGERS}
    accounts, notes, hashes, problems = [], [], [], []
    for position, path in enumerate(files):
        if progress:
            progress(path.name, position, len(files))
        raws, found = read_raw(path, ledgers, known.aliases)
        problems += found
        for raw in raws:
            table, account, issues, private = clean_raw(raw, known)
            parts[raw.ledger].append(table)
            accounts.append(account)
            notes.append(issues)
            hashes.append(private)
    tables = {
        ledger: pd.concat(found, ignore_index=True) if found else shape({}, ledger, 0)
        for ledger, found in parts.items()
    }
    problems += [
        ("", "", "note" if ledger not in REQUIRED else "error", f"没有“{name}”的任何数据。")
        for ledger, name in LEDGERS.items()
        if tables[ledger].empty
    ]
    columns = ["file", "sheet", "level", "message"]
    problems = pd.DataFrame(problems, columns=columns, dtype="str")
    _require_rows(tables, problems, ledgers)
    return CleanedLedgers(
        tables,
        pd.concat(accounts, ignore_index=True),
        collect_notes(notes),
        problems,
        pd.concat(hashes).drop_duplicates(ignore_index=True),
    )


def _require_rows(tables, problems, folder):
    missing = [LEDGERS[ledger] for ledger in REQUIRED if tables[ledger].empty]
    if not missing:
        return
    lines = [f"“{'”“'.join(missing)}”没有一行可用的数据，无法继续。"]
    named = problems[problems["file"] != ""]
    lines += [f"  {row.file}　{row.sheet}：{row.message}" for row in named.itertuples()]
    if named.empty:
        lines.append(f"  文件夹 {folder} 中没有读到相应的 xlsx、xls 或 csv 文件。")
    raise LedgerError("\n".join(lines))


def read_raw(path: Path, folder: Path, aliases: pd.DataFrame) -> tuple[list[Raw], list]:
    """Read one file: its ledgers as typed, and the problems met."""
    problems, tables = [], {}
    try:
        grids = read_grids(path, folder)
    except LedgerError as problem:
        return [], [(problem.file, "", "error", problem.message)]
    for grid in grids:
        try:
            table = find_table(grid, aliases)
        except LedgerError as problem:
            where = f"第{problem.row}行：" if problem.row else ""
            problems.append((grid.file, grid.sheet, "error", where + problem.message))
            continue
        if table is None:
            if any(cell not in ("", None) for row in grid.rows for cell in row):
                words = "没有找到台账的表头，本表未读入。"
                problems.append((grid.file, grid.sheet, "error", words))
            continue
        for heading, near in table.unknown.items():
            hint = f"，最接近的是“{near}”" if near else ""
            words = f"不认识的表头“{heading}”{hint}，该列未使用。"
            problems.append((grid.file, grid.sheet, "note", words))
        tables.setdefault(table.ledger, []).append((grid, table))
    years = re.findall(r"(?:^|/)((?:19|20)\d\d)(?=/)", path.relative_to(folder).as_posix())
    received = int(years[0]) if years else 0
    return [_gather(ledger, found, received) for ledger, found in tables.items()], problems


def _gather(ledger, found, received):
    """Put the sheets of one ledger in one file below each other."""
    cells, rows, sheets, skipped = {}, [], [], {}
    for number, (grid, table) in enumerate(found):
        body, kept, skipped[grid.sheet] = _data_rows(grid.rows, table)
        width = max(map(len, body), default=0)
        body = [
            row if len(row) == width else [*row, *[""] * (width - len(row))] for row in body
        ]
        columns = list(zip(*body, strict=True))
        names = {at: column for column, at in table.columns.items()}
        for at in range(width):
            name = names.get(at, f"?{at}" if len(found) == 1 else None)
            if name is None:
                continue
            column = cells.setdefault(name, [])
            column += [""] * (len(rows) - len(column))
            column += columns[at]
        rows += kept
        sheets += [number] * len(kept)
    columns = {
        name: values.as_column(column + [""] * (len(rows) - len(column)))
        for name, column in cells.items()
    }
    prints = np.zeros(len(rows), dtype=np.uint64)
    for name, column in columns.items():
        if name != "serial" and len(column.categories):
            texts = pd.util.hash_array(np.asarray(column.categories, dtype=object))
            salt = np.uint64(pd.util.hash_array(np.array([name], dtype=object))[0] | 1)
            prints += values.take(texts, column.codes, np.uint64(0)) * salt
    return Raw(
        found[0][0].file,
        ledger,
        received,
        [grid.sheet for grid, _ in found],
        np.array(sheets, dtype=int),
        np.array(rows, dtype=int),
        {name: column for name, column in columns.items() if not name.startswith("?")},
        {grid.sheet: table.headings for grid, table in found},
        {grid.sheet: table.units for grid, table in found},
        skipped,
        prints,
    )


def _data_rows(rows, table):
    """Rows that hold data, their numbers in the source, and how many totals or notes."""
    at, serial = table.columns["number"], table.columns.get("serial", -1)
    heading = rows[table.first - 1]
    body, kept, skipped = [], [], 0
    for position in range(table.first, len(rows)):
        row = rows[position]
        number = row[at] if at < len(row) else ""
        if not (isinstance(number, str) and len(number) >= 15):
            if not any(
                cell not in ("", None) and str(cell).strip()
                for place, cell in enumerate(row)
                if place != serial
            ):
                continue
            if row == heading or is_no_row(row, number):
                skipped += 1
                continue
        body.append(row)
        kept.append(position + 1)
    return body, kept, skipped


def clean_raw(raw: Raw, known: Reference):
    """Clean the rows of one ledger in one file.

    Returns
    -------
    tuple
        Clean table, accounting per sheet, issues, keyed hashes.
    """
    notes: list[pd.DataFrame] = []
    cleaned = _clean_columns(raw, known, notes)
    cleaned |= _identify(raw, known, cleaned, notes)
    cleaned |= _SPECIAL.get(raw.ledger, lambda *_: {})(raw, known, cleaned, notes)
    private = _private_hashes(raw, known, cleaned)
    _check_dates(raw, cleaned, notes)
    _check_duplicates(raw, notes)
    issues = pd.concat(notes, ignore_index=True) if notes else note(raw, [], "", "blank")
    lost = np.zeros(len(raw.rows), dtype=bool)
    lost[issues.loc[issues["state"] == SET_ASIDE, "position"].to_numpy(dtype=int)] = True
    # A row that is out needs no second reason.
    issues = issues[
        (issues["state"] == SET_ASIDE) | ~lost[issues["position"].to_numpy(dtype=int)]
    ]
    issues = issues[
        ~((issues["state"] == SET_ASIDE) & issues.duplicated(["position", "state"]))
    ]
    names = np.array(raw.names, dtype=object)[raw.sheets]
    cleaned |= {
        "source_file": np.full(len(raw.rows), raw.file, dtype=object),
        "source_sheet": names,
        "source_row": raw.rows,
        "received": np.full(len(raw.rows), raw.received),
    }
    table = shape(cleaned, raw.ledger, len(raw.rows))
    account = _account(raw, table, lost, issues)
    return table[~lost].reset_index(drop=True), account, issues, private


def _clean_columns(raw, known, notes):
    """Parse every declared column that the file has, by its kind."""
    cleaned = {}
    for column, kind in CLEAN[raw.ledger].items():
        cells = raw.columns.get(column)
        if cells is None or kind == "code":
            continue
        if kind in ("date", "last_date"):
            cleaned[column], states = values.parse_dates(cells, kind == "last_date")
            bad = states == "bad"
            own = column in KEY_DATES[raw.ledger][:1]
            name = "key_date_unreadable" if own else "date_unreadable"
            notes.append(note(raw, bad, column, name))
        elif kind == "amount":
            factor = _factors(raw, column)
            cleaned[column], typed, differs = values.parse_amounts(cells, factor)
            notes.append(note(raw, typed == "bad", column, "amount_unreadable"))
            notes.append(note(raw, typed == "commas", column, "amount_commas"))
            notes.append(note(raw, differs, column, "amount_unit"))
            if column == ACCOUNTED.get(raw.ledger) and raw.ledger != "post":
                odd = _mixed(cleaned[column], factor) & ~differs
                notes.append(note(raw, odd, column, "amount_mixed"))
        elif kind in ("count", "number") or column == "ordinal":
            cleaned[column], bad = values.parse_numbers(cells)
            notes.append(note(raw, bad, column, "amount_unreadable"))
        elif kind in ("flag", "word", "level"):
            words = known.words.get(column, known.words["flag"])
            found, unknown = values.translate(cells, words)
            whole = kind in ("flag", "level")
            cleaned[column] = pd.array(found, dtype="str").astype("Float64") if whole else found
            notes.append(note(raw, unknown, column, "word_unknown"))
            if column in FILLED.get(raw.ledger, ()):
                notes.append(note(raw, pd.isna(found) & ~unknown, column, "blank"))
        else:
            cleaned[column] = values.plain(cells)
    return cleaned


def _factors(raw, column):
    by_sheet = [raw.units[name].get(column, "元") for name in raw.names]
    return np.array([10_000.0 if unit == "万元" else 1.0 for unit in by_sheet])[raw.sheets]


def _mixed(yuan, factor):
    """Amounts so far from the column's middle that the unit may differ; never changed."""
    typed = yuan / factor
    usual = typed[typed > 0]
    if not len(usual):
        return np.zeros(len(yuan), dtype=bool)
    middle = np.median(usual)
    return (typed > 0) & ((typed < middle / 1000) | (typed > middle * 1000))


def _identify(raw, known, cleaned, notes):
    """Link key, sex and birth year from the number; keyed name and phone."""
    cells = raw.columns["number"]
    checked = identity.check_numbers(cells)
    codes = cells.codes
    kinds = values.take(checked["kind"].to_numpy(dtype=object), codes, "number_missing")
    for kind in pd.unique(kinds[~pd.isna(kinds)]):
        notes.append(note(raw, kinds == kind, "number", kind))
    numbers = checked["number"].to_numpy(dtype=object)
    strange = np.array(
        [n is not None and n[:6] not in known.prefixes for n in numbers], dtype=bool
    )
    notes.append(note(raw, values.take(strange, codes, False), "number", "number_prefix"))
    person = identity.pseudonyms(numbers, known.key, "number", 32)
    result = {"person_id": values.take(person, codes, None)}
    birth = values.take(checked["birth"].to_numpy(dtype=int), codes, 0)
    result["birth_year"] = np.where(birth > 0, birth // 10_000, np.nan)
    sex = values.take(checked["sex"].to_numpy(dtype=object), codes, None)
    if raw.ledger == "roster":
        typed = cleaned.get("sex", np.full(len(sex), None, dtype=object))
        differ = pd.notna(sex) & pd.notna(typed) & (sex != typed)
        notes.append(note(raw, differ, "sex", "sex_mismatch"))
        result["sex"] = np.where(pd.isna(sex), typed, sex)
        result |= _typed_birth(raw, birth, result["birth_year"], notes)
    names = raw.columns.get("name")
    if names is not None:
        result["name_key"] = identity.keyed(names, identity.tidy_name, known.key, "name")
        spaced = np.array(
            [bool(re.search(r"\S\s+\S", n)) for n in names.categories], dtype=bool
        )
        notes.append(note(raw, values.take(spaced, names.codes, False), "name", "name_spaces"))
        nobody = (names.codes < 0) & (codes < 0)
        notes.append(note(raw, nobody, "number", "person_missing"))
        notes.append(note(raw, (names.codes < 0) & ~nobody, "name", "name_missing"))
    else:
        notes.append(note(raw, codes < 0, "number", "person_missing"))
    if "phone" in raw.columns:
        phones = raw.columns["phone"]
        result["phone_key"] = identity.keyed(phones, identity.tidy_phone, known.key, "phone")
    return result


def _typed_birth(raw, birth, year, notes):
    """Birth year from its own column where the number gives none."""
    cells = raw.columns.get("birth")
    if cells is None:
        return {}
    days, states = values.parse_dates(cells)
    stated = pd.Series(days).dt.year.to_numpy(dtype=float)
    differ = ~np.isnan(year) & ~np.isnan(stated) & (year != stated)
    notes.append(note(raw, differ, "birth", "birth_mismatch"))
    notes.append(note(raw, states == "bad", "birth", "date_unreadable"))
    return {"birth_year": np.where(np.isnan(year), stated, year)}


def _private_hashes(raw, known, cleaned):
    """Keyed hashes of every number (usable or not), name and phone in the file."""
    checked = identity.check_numbers(raw.columns["number"])
    texts = checked["number"].where(checked["number"].notna(), checked["typed"])
    numbers = identity.pseudonyms(texts.dropna().unique(), known.key, "number", 32)
    found = {
        "number": pd.Series(numbers),
        "name": pd.Series(cleaned.get("name_key", []), dtype=object),
        "phone": pd.Series(cleaned.get("phone_key", []), dtype=object),
    }
    return pd.concat(
        [
            pd.DataFrame({"kind": kind, "hash": hashes.dropna().unique()}, dtype="str")
            for kind, hashes in found.items()
        ],
        ignore_index=True,
    )


def _check_dates(raw, cleaned, notes):
    """Key date there, ends after starts, nothing after the year received."""
    first, *stand_in = KEY_DATES[raw.ledger]
    missing = np.isnat(cleaned[first])
    for other in stand_in:
        missing &= np.isnat(cleaned[other])
    bad = [
        n["position"] for n in notes if len(n) and n["kind"].iloc[0] == "key_date_unreadable"
    ]
    unreadable = np.zeros(len(missing), dtype=bool)
    unreadable[np.concatenate(bad).astype(int) if bad else []] = True
    notes.append(note(raw, missing & ~unreadable, first, "key_date_missing"))
    if raw.ledger in ORDERED:
        start, end = (cleaned.get(column) for column in ORDERED[raw.ledger])
        if start is not None and end is not None:
            notes.append(note(raw, end < start, ORDERED[raw.ledger][1], "date_order"))
    if raw.received:
        after = cleaned[first] > np.datetime64(f"{raw.received}-12-31")
        notes.append(note(raw, after, first, "date_future"))


def _check_duplicates(raw, notes):
    """Set aside a row all of whose cells stand in an earlier row of the same file."""
    twice = pd.Series(raw.prints).duplicated().to_numpy()
    if not twice.any():
        return
    first = (
        pd.Series(np.arange(len(raw.rows))).groupby(raw.prints).transform("first").to_numpy()
    )
    found = note(raw, twice, "number", "duplicate")
    origin = first[found["position"].to_numpy(dtype=int)]
    sheets = np.array(raw.names, dtype=object)[raw.sheets[origin]]
    where = [
        f"工作表“{s}”第{r}行" if s else f"第{r}行"
        for s, r in zip(sheets, raw.rows[origin], strict=True)
    ]
    notes.append(found.assign(reason=[f"与{place}完全相同" for place in where]))


def _account(raw, table, lost, issues):
    """Rows and yuan per sheet; refuses to go on if they do not add up."""
    amount = table.get(ACCOUNTED.get(raw.ledger, ""), pd.Series(0.0, table.index)).fillna(0.0)
    frame = pd.DataFrame({"sheet": raw.sheets, "kept": ~lost, "amount": amount})
    frame["amount_kept"] = frame["amount"].where(frame["kept"], 0.0)
    sums = frame.groupby("sheet").agg(
        rows_read=("kept", "size"),
        rows_kept=("kept", "sum"),
        amount_read=("amount", "sum"),
        amount_kept=("amount_kept", "sum"),
    )
    sums = sums.reindex(range(len(raw.names)), fill_value=0)
    aside = issues[issues["state"] == SET_ASIDE]
    per_sheet = aside["sheet"].value_counts().reindex(raw.names, fill_value=0).to_numpy()
    if not (sums["rows_read"].to_numpy() == sums["rows_kept"].to_numpy() + per_sheet).all():
        raise LedgerError(
            "行数对不上：读入 ≠ 保留 + 搁置。请把此情况告知维护者。", file=raw.file
        )
    return pd.DataFrame(
        {
            "file": raw.file,
            "sheet": raw.names,
            "ledger": raw.ledger,
            "received": raw.received,
            "rows_read": sums["rows_read"].to_numpy(dtype=int),
            "rows_kept": sums["rows_kept"].to_numpy(dtype=int),
            "rows_skipped": [raw.skipped[name] for name in raw.names],
            "amount_read": sums["amount_read"].to_numpy(dtype=float).round(2),
            "amount_kept": sums["amount_kept"].to_numpy(dtype=float).round(2),
        }
    )


def _township(raw, known, dates, notes):
    """Present township, with a note where the name is old, unknown or not enough."""
    blank = pd.Categorical.from_codes(np.full(len(raw.rows), -1), pd.Index([], dtype=object))
    town = raw.columns.get("township")
    village = raw.columns.get("village", blank)
    shown = "township"
    if town is None and "address" in raw.columns:
        town, village = places.split_addresses(raw.columns["address"], known.places)
        shown = "address"
    if town is None:
        return {}
    code, state = places.resolve_columns(town, village, known.places)
    notes.append(note(raw, state == "unconfirmed", shown, "place_unconfirmed"))
    notes.append(note(raw, state == "unknown", shown, "place_unknown"))
    # An old name is no mistake in a row that is as old.
    last = pd.to_numeric(pd.Series(state), errors="coerce").to_numpy()
    typed_in = raw.received or pd.Series(dates).dt.year.to_numpy(dtype=float)
    notes.append(note(raw, last < typed_in, shown, "place_old"))
    return {"township": code}


def clean_roster(raw, known, cleaned, notes) -> dict:
    """Township, household, year of the snapshot."""
    result = _township(raw, known, cleaned["snapshot_on"], notes)
    year = pd.Series(cleaned["snapshot_on"]).dt.year.to_numpy(dtype=float)
    result["snapshot_year"] = year
    if "household" in raw.columns:
        result["household_key"] = identity.keyed(
            raw.columns["household"], values.clean_text, known.key, "household"
        )
    return result


def clean_register(raw, known, cleaned, notes) -> dict:
    """Business of own-account work; a file without 有效标志 holds valid rows only."""
    result = _business(raw, known, notes)
    if "valid" not in raw.columns:
        result["valid"] = np.ones(len(raw.rows))
    return result


def clean_subsidies(raw, known, cleaned, notes) -> dict:
    """Township from its column or the address, and why an application was refused.

    ``refusal`` is ``ineligible`` where the note says that conditions are not met,
    ``other`` for any other note.
    """
    result = _business(raw, known, notes) | _township(raw, known, cleaned["applied_on"], notes)
    if "note" in raw.columns:
        cells = raw.columns["note"]
        short = [re.search("不符合|不具备|不属于|条件", text) for text in cells.categories]
        reason = np.array(["ineligible" if hit else "other" for hit in short], dtype=object)
        reason = values.take(reason, cells.codes, None)
        result["refusal"] = np.where(cleaned["result"] == "refused", reason, None)
    return result


def clean_loans(raw, known, cleaned, notes) -> dict:
    """Loan key from the contract; blank compensation is none; the rate in per cent.

    A rate below 0.3 is Excel's fraction of a per-cent cell.
    """
    result = {}
    if "contract" in raw.columns:
        result["loan_id"] = identity.keyed(
            raw.columns["contract"], values.clean_text, known.key, "contract"
        )
    nothing = np.zeros(len(raw.rows))
    paid = cleaned.get("compensated_amount", nothing)
    result["compensated_amount"] = np.where(np.isnan(paid), 0.0, paid)
    if "rate" in cleaned:
        rate = cleaned["rate"]
        result["rate"] = np.where(rate < 0.3, rate * 100, rate).round(4)
    return result


def clean_posts(raw, known, cleaned, notes) -> dict:
    """Township of the person or the post."""
    return _township(raw, known, cleaned["started_on"], notes)


def _business(raw, known, notes):
    cells = raw.columns.get("credit_code")
    if cells is None:
        return {}
    codes = [identity.check_credit_code(text) for text in cells.categories]
    wrong = np.array([code is None for code in codes], dtype=bool)
    notes.append(
        note(raw, values.take(wrong, cells.codes, False), "credit_code", "credit_code")
    )
    keys = identity.pseudonyms(codes, known.key, "business")
    return {"business_key": values.take(keys, cells.codes, None)}


_SPECIAL = {
    "roster": clean_roster,
    "register": clean_register,
    "subsidy": clean_subsidies,
    "loan": clean_loans,
    "post": clean_posts,
}
