"""How fast ledgers are read: against the usual way, against python-stdnum, as a whole.

    pip install python-stdnum==2.2                        # for `numbers`; nothing else
    python tests/benchmarks/ledger_reading.py roster      # against pandas with openpyxl
    python tests/benchmarks/ledger_reading.py numbers     # against python-stdnum
    python tests/benchmarks/ledger_reading.py whole       # five ledgers of 200,000 people

``roster``: a roster of 200,000 rows as xlsx, written in both ways in which programs write
texts, some rows with the usual mistakes, to clean rows with a pseudonym, parsed dates, places
and words and a note on every mistake. The rival reads the sheet with ``pandas.read_excel``
(openpyxl) and applies the same rules row by row, with the package's own functions for one
date, one place and one name (a date is understood anew in each row: to remember it is no
row-by-row rule). Both give the same rows, and every issue with a code for corrections; that
they agree is checked.

``whole``: the demonstration's five ledgers of ten years are cleaned and made the panel of
2024 in one process; its peak of memory is the process's own, and its time is given as a
multiple of merely reading the same files into lists of cells.
"""

import argparse
import csv
import datetime
import hashlib
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import xlsxwriter

from evaluation.ledgers import identity, places, values
from evaluation.ledgers.clean import clean_folder, clean_raw
from evaluation.ledgers.headings import normalise
from evaluation.ledgers.linking import spell_name
from evaluation.ledgers.raw import read_parts, stack_parts
from evaluation.ledgers.reference import load_reference
from evaluation.paths import list_ledgers

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "data" / "reference"
KEY = b"k" * 32
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
HEADINGS = (
    "序号", "户编号", "姓名", "性别", "身份证号码", "民族", "文化程度", "户籍乡镇",
    "村（社区）", "是否脱贫户/监测户", "外出务工地", "外出时间", "返乡时间", "返乡原因",
    "现就业状态", "培训", "联系电话", "采集日期",
)  # fmt: skip
NAMES = "伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂文辉玲建华红玉成飞燕"


def draw_number(rng: random.Random, prefix: str) -> str:
    """A resident number of somebody born 1950 to 2000."""
    day = datetime.date(1950, 1, 1) + datetime.timedelta(rng.randrange(18_000))
    body = f"{prefix}{day:%Y%m%d}{rng.randrange(1_000):03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def write_roster(path: Path, length: int, shared: bool) -> None:
    """A roster as a town hall types it, with a mistake in about every tenth row.

    Parameters
    ----------
    shared
        Whether texts stand in a list of their own, as Excel and WPS write them, or in the
        cells, as programs that export large tables do.
    """
    rng, pick = random.Random(1), random.Random(2).choice

    def or_rarely(usual, odd):
        return odd if rng.random() < 0.01 else usual

    with xlsxwriter.Workbook(str(path), {"constant_memory": not shared}) as book:
        sheet, day = book.add_worksheet("台账"), book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(0, 0, ["2023年返乡农民工实名制台账"])
        sheet.write_row(1, 0, HEADINGS)
        for row in range(2, length + 2):
            number = draw_number(rng, "519999")
            sex = "男" if int(number[16]) % 2 else "女"
            if row % 20 == 0:
                number = pick([number[:17] + "Y", number.lower(), number[:6] + number[8:17],
                               f" {number}", float(int(number[:15]) * 1_000)])  # fmt: skip
            cells = [
                row - 1, f"H{row // 3:06}", f"{pick('王李张刘陈杨')}{pick(NAMES)}{pick(NAMES)}",
                or_rarely(sex, "女"), number, "汉族", pick(["小学", "初中", "高中", "大专"]),
                or_rarely(pick(["罗江镇", "碑庙镇", "东城街道"]), "西外镇"),
                pick(["柏阁社区", "大寨村", "文凤村"]), or_rarely(pick(["是", "否", "√"]), ""),
                pick(["广东省深圳市", "浙江省杭州市", "成都市"]),
                f"{rng.randint(2005, 2015)}年{rng.randint(1, 12)}月",
                f"{rng.randint(2016, 2022)}.{or_rarely(rng.randint(1, 12), 13)}.1",
                "照顾家庭", or_rarely(pick(["务农", "外出务工", "自主创业"]), "炼丹"),
                pick(["是", "否"]), f"1{rng.randrange(10**10):010}",
            ]  # fmt: skip
            for at, cell in enumerate(cells):
                if isinstance(cell, str):
                    sheet.write_string(row, at, cell)
                else:
                    sheet.write_number(row, at, cell)
            when = datetime.datetime(2023, 12, rng.randint(1, 28))
            sheet.write_datetime(row, len(cells), when, day)


def clean_ours(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The package's way: clean rows and issues."""
    known = load_reference(REFERENCE, KEY)
    parts, _ = read_parts(path, path.parent, known.aliases)
    (raw,) = stack_parts(parts)
    table, _, issues = clean_raw(raw, known, [])
    return table, issues


# The usual way: one row after the other.


def check_number(text: str) -> tuple[str | None, str]:
    """A number as it links, if it can, and what is wrong with it."""
    plain = text.replace(" ", "").replace("'", "").upper()
    kind = "number_typed" if plain != text else ""
    if "E+" in plain:
        return None, "number_damaged"
    if len(plain) == 15 and plain.isdigit():
        plain, kind = f"{plain[:6]}19{plain[6:]}", "number_15"
        total = sum(int(digit) * w for digit, w in zip(plain, WEIGHTS, strict=True))
        plain += "10X98765432"[total % 11]
    if len(plain) != 18 or not plain[:17].isdigit() or plain[17] not in "0123456789X":
        return None, "number_length"
    total = sum(int(digit) * w for digit, w in zip(plain[:17], WEIGHTS, strict=True))
    if "10X98765432"[total % 11] != plain[17]:
        return None, "number_damaged" if plain[15:] == "000" else "number_checksum"
    try:
        datetime.date(int(plain[6:10]), int(plain[10:12]), int(plain[12:14]))
    except ValueError:
        return None, "number_birth"
    return plain, kind


def keyed(text: str, domain: str, digits: int = 16) -> str | None:
    """Keyed hash of a text."""
    if not text:
        return None
    digest = hashlib.blake2b(
        text.encode(), digest_size=digits // 2, key=KEY, person=domain.encode()
    )
    return digest.hexdigest()


def as_typed(cell) -> str:
    """Text of a cell."""
    if cell is None or cell != cell:
        return ""
    if isinstance(cell, float | int):
        return (
            f"{cell:.5E}"
            if abs(cell) >= 1e15
            else str(int(cell) if cell == int(cell) else cell)
        )
    return str(cell)


def clean_row(cells: dict, row: int, known, issues: list) -> dict:
    """One row by the same rules."""

    whole = keyed("".join(cells.values()), "row", 12)

    def note(column, kind):
        cell = keyed(f"{column}:{cells[column]}", "cell", 8) if cells[column] else ""
        issues.append({"row": row, "column": column, "kind": kind, "code": f"{cell}-{whole}"})

    result = {"source_row": row}
    number, kind = check_number(cells["number"])
    if kind:
        note("number", kind)
    if number and number[:6] not in known.prefixes:
        note("number", "number_prefix")
    result["person_id"] = keyed(number, "number", 32) if number else None
    sex = ("female", "male")[int(number[16]) % 2] if number else None
    typed = known.words["sex"].get(cells["sex"])
    if sex and typed and sex != typed:
        note("sex", "sex_mismatch")
    result["sex"], result["birth_year"] = sex or typed, int(number[6:10]) if number else None
    name = identity.tidy_name(cells["name"])
    if len(cells["name"].split()) > 1:
        note("name", "name_spaces")
    result["name_key"], result["pinyin_key"] = (
        keyed(name, "name"),
        keyed(spell_name(name), "pinyin"),
    )
    result["phone_key"] = keyed(identity.tidy_phone(cells["phone"]) or "", "phone")
    result["household_key"] = keyed(values.clean_text(cells["household"]), "household")
    for column in ("left_on", "returned_on", "snapshot_on"):
        day, state = values.parse_date.__wrapped__(cells[column])
        if state == "bad":
            note(column, "date_unreadable")
        result[column] = day
    for column in ("schooling", "status", "poor", "trained"):
        text = values.clean_text(cells[column])
        table = known.words.get(column, known.words["flag"])
        result[column] = table.get(text)
        if text and text not in table:
            note(column, "word_unknown")
        elif not text and column == "poor":
            note(column, "blank")
    for column in ("ethnicity", "village", "away_place", "return_reason"):
        result[column] = values.clean_text(cells[column])
    code, state = places.resolve(cells["township"], cells["village"], known.places)
    result["township"] = code
    if state in ("unknown", "unconfirmed"):
        note("township", f"place_{state}")
    elif state.isdigit() and int(state) < 2023:
        note("township", "place_old")
    return result


def clean_usual(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The usual way: pandas with openpyxl, then row by row."""
    known = load_reference(REFERENCE, KEY)
    table = pd.read_excel(path, header=None, dtype=object, engine="openpyxl")
    aliases, rows, issues, columns = known.aliases.columns["roster"], [], [], None
    for number, cells in enumerate(table.itertuples(index=False, name=None), 1):
        if columns is None:
            found = [aliases.get(normalise(cell)) for cell in cells]
            columns = found if "number" in found else None
            continue
        typed = dict(zip(columns, map(as_typed, cells), strict=True))
        rows.append(clean_row(typed, number, known, issues))
    rows = pd.DataFrame(rows)
    for column in ("left_on", "returned_on", "snapshot_on"):
        rows[column] = pd.to_datetime(rows[column])
    return rows, pd.DataFrame(issues)


def compare_rosters(length: int, shared: bool) -> None:
    """Time both ways on one file, imports apart, and check that they agree."""
    spell_name("王强")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "名册.xlsx"
        write_roster(path, length, shared)
        size, where = path.stat().st_size / 2**20, "in a list" if shared else "in the cells"
        print(f"roster of {length:,} rows, {size:.0f} MB, texts {where}")
        times = {}
        for name, clean in (("ours", clean_ours), ("pandas, openpyxl, rows", clean_usual)):
            began = time.perf_counter(), time.process_time()
            rows, issues = clean(path)
            times[name] = time.perf_counter() - began[0]
            cpu = time.process_time() - began[1]
            print(f"  {name:24}{times[name]:8.1f} s{cpu:8.1f} s of processor", flush=True)
            if name == "ours":
                ours = rows.reset_index(drop=True), issues
    keys = ["person_id", "name_key", "pinyin_key", "phone_key", "household_key"]
    for column in [*keys, "township", "returned_on", "left_on", "snapshot_on", "status", "sex"]:
        same = ours[0][column].astype(object).where(ours[0][column].notna(), None)
        other = rows[column].astype(object).where(rows[column].notna(), None)
        assert (same == other).where(same.notna() | other.notna(), True).all(), column
    counts = [frame["kind"].value_counts().to_dict() for frame in (ours[1], issues)]
    assert counts[0] == counts[1], counts
    ratio = times.popitem()[1] / times["ours"]
    print(f"  the same rows and {len(issues):,} issues; {ratio:.1f} times")


def _time_check(column):
    began = time.process_time()
    checked = identity.check_numbers(column)
    seconds = time.process_time() - began
    assert checked["number"].notna().all()
    return seconds


def compare_numbers(length: int) -> None:
    """Resident numbers per second, ours and python-stdnum's."""
    from stdnum.cn import ric

    rng = random.Random(3)
    numbers = [
        draw_number(rng, rng.choice(["510104", "510105", "513001"])) for _ in range(length)
    ]
    began = time.process_time()
    column = values.as_column(numbers)
    found = time.process_time() - began
    ours = min(_time_check(column) for _ in range(3))
    few = numbers[: length // 50]
    began = time.process_time()
    valid = sum(map(ric.is_valid, few))
    theirs = (time.process_time() - began) * length / len(few)
    scale = 1e6 / length
    print(f"a million resident numbers, time of one processor: ours {ours * scale:.2f} s")
    print(
        f"  and {found * scale:.2f} s to find the distinct ones, as is done with every column"
    )
    print(f"  python-stdnum {theirs * scale:.1f} s (from {len(few):,}; {valid:,} valid)")
    print(f"  {theirs / ours:.0f} times, {theirs / (ours + found):.0f} times with both")


def read_merely(folder: Path) -> float:
    """Seconds to read all files of a folder into lists of cells."""
    from python_calamine import CalamineWorkbook

    began = time.perf_counter()
    for path in list_ledgers(folder):
        if path.suffix == ".csv":
            data = path.read_bytes()
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = data.decode("gb18030")
            list(csv.reader(text.splitlines()))
        else:
            book = CalamineWorkbook.from_path(str(path))
            for name in book.sheet_names:
                book.get_sheet_by_name(name).to_python(skip_empty_area=False)
    return time.perf_counter() - began


def make_panel(folder: Path) -> None:
    """Clean the ledgers of a folder and make the panel, in this process; print what it took."""
    from evaluation.panel.build import build_panel
    from evaluation.plan import load_district

    began = time.perf_counter()
    cleaned = clean_folder(folder, REFERENCE, KEY)
    read = time.perf_counter() - began
    clean = {name: table for name, table in cleaned.tables.items() if len(table)}
    rows = sum(map(len, clean.values()))
    del cleaned
    panel = build_panel(clean, 2024, load_district(REFERENCE))
    whole = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  {rows:,} clean rows in {read:.1f} s, {len(panel.persons):,} persons in the panel")
    print(f"whole {whole:.2f} s, peak {peak:.2f} GiB")


def measure_whole(people: int, folder: Path | None) -> None:
    """Make ledgers of ten years, then clean them and make the panel in one process."""
    with tempfile.TemporaryDirectory() as place:
        target = folder or Path(place) / "ledgers"
        if not target.is_dir():
            from evaluation.demo.write import write_demo

            write_demo(target, n_people=people, first_year=2012)
        years = sorted(path.name for path in target.iterdir() if path.is_dir())
        print(f"{people:,} people, received {years[0]} to {years[-1]}")
        command = [sys.executable, __file__, "panel", "--folder", str(target)]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        print(told, end="")
        merely = read_merely(target)
        seconds = float(told.split("whole ")[1].split()[0])
        print(f"merely reading the files {merely:.1f} s")
        print(f"the whole way takes {seconds / merely:.1f} times as long")


def main() -> None:
    """Measure one part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", choices=["roster", "numbers", "whole", "panel"])
    parser.add_argument("--rows", type=int, help="rows or numbers, people for `whole`")
    parser.add_argument("--folder", type=Path, help="ledgers made before, for `whole`")
    arguments = parser.parse_args()
    if arguments.part == "roster":
        for shared in (True, False):
            compare_rosters(arguments.rows or 200_000, shared)
    elif arguments.part == "numbers":
        compare_numbers(arguments.rows or 1_000_000)
    elif arguments.part == "whole":
        measure_whole(arguments.rows or 200_000, arguments.folder)
    else:
        make_panel(arguments.folder)


if __name__ == "__main__":
    main()
