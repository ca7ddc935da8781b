"""Mutated workbooks and csv files, each through the whole check beside two good ledgers.

    pip install xlrd==2.0.2                      # an independent reader of xls; nothing else
    python tests/benchmarks/fuzz.py --cases 2400

Every case is made from its number and the seed alone: a table of fourteen persons, each
with a resident number that no other case has, written as xlsx, xls or csv and then damaged
(see `MUTATIONS`). It lies beside a good roster and register, and the folder is cleaned,
described and accounted for in a process of its own, which may take a minute.

Counted, by kind: **crashes** (anything but a result, or the death of the process),
**leaks** (a person's number in any message), and **silent losses**. A row is silently lost
if an independent reader (openpyxl, xlrd, the csv module) finds a person's number in it and
the row is neither kept nor set aside, its sheet or file is not refused, and no problem
says that a part of its sheet was not used. Rows taken for totals, titles and headings are
only counted by the package; where a person stands in one, it is a silent loss here.
"""

import argparse
import collections
import contextlib
import csv
import io
import json
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
import traceback
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "data" / "reference"
KEY = b"k" * 32
SECONDS = 60
PEOPLE = 14
SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
ODD = [
    "", " ", "\t", "合计", "注", "姓名", "身份证号码", "=1+1", "-", "/", "2023年13月", "1e400",
    "9" * 40, "-1", "0", "1E308", "壹万圆整", "1万", "NaN", "inf", "#REF!", "\u2028",
    "\u202e甲", "a" * 5_000, "〇", "５１", "是", "√", "单位：万元", "填报单位：甲镇", "''",
    '"', "\ufeff",
]  # fmt: skip


def number_of(case: int, person: int) -> str:
    """A resident number that stands in one case only."""
    serial = case * PEOPLE + person
    body = f"519999{1950 + serial // 336_000 % 60}{serial // 28_000 % 12 + 1:02}"
    body += f"{serial // 1_000 % 28 + 1:02}{serial % 1_000:03}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def base_rows(case: int, rng: random.Random) -> list[list]:
    """A ledger as an office lays it out: title, heading, fourteen rows, total, signature."""
    people = [
        (f"张三{'甲乙丙丁戊己庚辛壬癸子丑寅卯'[n]}", number_of(case, n)) for n in range(PEOPLE)
    ]
    if rng.random() < 0.5:
        head = ["序号", "借款人", "身份证", "申请日期", "资格审核结果", "金额（万元）",
                "放款日", "合同号"]  # fmt: skip
        rows = [
            [n, *who, f"2022-01-{n:02}", "通过", 10 + n, f"2022.2.{n}", f"DK{case}{n}"]
            for n, who in enumerate(people, 1)
        ]
        return [
            ["贷款台账"],
            head,
            *rows,
            ["合计", "", "", "", "", 245],
            ["填表人：", "", "审核："],
        ]
    upper = ["序号", "姓名", "身份证", "岗位名称", "上岗日期", "协议起止", "", "补贴金额（元）",
             "退岗日期"]  # fmt: skip
    rows = [
        [n, *who, "保洁员", "2022年1月", "2022.1.1", "2024.12.31", 7_200, ""]
        for n, who in enumerate(people, 1)
    ]
    return [["填报单位：甲镇"], upper, [*[""] * 5, "起", "止"], *rows, ["合计"]]


def write_xlsx(rows: list[list], merges=()) -> bytes:
    """Write rows as a workbook."""
    import xlsxwriter

    store = io.BytesIO()
    with xlsxwriter.Workbook(store) as book:
        sheet = book.add_worksheet("台账")
        for number, row in enumerate(rows):
            for at, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, at, cell)
                else:
                    sheet.write(number, at, cell)
        for place in merges:
            with contextlib.suppress(Exception):
                sheet.merge_range(*place, rows[place[0]][place[1]])
    return store.getvalue()


def write_xls(rows: list[list]) -> bytes:
    """Write rows in the old format."""
    import xlwt

    store, book = io.BytesIO(), xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("台账")
    for number, row in enumerate(rows):
        for at, cell in enumerate(row):
            sheet.write(number, at, cell)
    book.save(store)
    return store.getvalue()


def write_csv(rows: list[list], rng: random.Random) -> bytes:
    """Write rows as csv in one of the usual encodings."""
    text = io.StringIO()
    quoting = rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    csv.writer(text, quoting=quoting).writerows(rows)
    return text.getvalue().encode(rng.choice(["utf-8", "utf-8-sig", "gb18030"]))


# Mutations of bytes.


def flip_bits(data: bytes, rng: random.Random, start=0) -> bytes:
    """Flip up to twenty bits."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        data[rng.randrange(start, len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def cut(data: bytes, rng: random.Random) -> bytes:
    """Cut the end off."""
    return data[: rng.randrange(1, len(data))]


def splice(data: bytes, rng: random.Random) -> bytes:
    """Take a piece out, or put it in elsewhere."""
    first, length = rng.randrange(len(data)), rng.randint(1, 200)
    piece, rest = data[first : first + length], data[:first] + data[first + length :]
    if rng.random() < 0.5 or not rest:
        return rest or data
    place = rng.randrange(len(rest))
    return rest[:place] + piece + rest[place:]


# Mutations of the package and its xml.


def repack(data: bytes, change, compression=zipfile.ZIP_DEFLATED) -> bytes:
    """Write a package again with its parts changed: ``change(name, text) -> text or none``."""
    store = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as old,
        zipfile.ZipFile(store, "w", compression) as new,
    ):
        for name in old.namelist():
            text = change(name, old.read(name))
            if text is not None:
                new.writestr(name, text)
    return store.getvalue()


def mutate_xml(data: bytes, rng: random.Random) -> bytes:
    """Change tags, attributes and texts of one part."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        names = [n for n in book.namelist() if n.endswith((".xml", ".rels"))]
    target = rng.choice([SHEET, SHEET, TEXTS, "xl/workbook.xml", *names])

    def change(name, text):
        if name != target:
            return text
        text = text.decode()
        for _ in range(rng.randint(1, 4)):
            text = rng.choice(XML_CHANGES)(text, rng)
        return text.encode("utf-8", "replace")

    return repack(data, change)


def flip_part(data: bytes, rng: random.Random) -> bytes:
    """Flip bits inside a part, so that the package itself is sound."""
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        target = rng.choice([SHEET, SHEET, TEXTS, *book.namelist()])
    return repack(data, lambda name, text: flip_bits(text, rng) if name == target else text)


def _tag(text, rng):
    found = list(re.finditer(r"<[^<>]*>", text))
    return rng.choice(found) if found else None


def drop_tag(text, rng):
    """Leave one tag out."""
    tag = _tag(text, rng)
    return text[: tag.start()] + text[tag.end() :] if tag else text


def double_tag(text, rng):
    """Write one tag twice."""
    tag = _tag(text, rng)
    return text[: tag.end()] + tag.group() + text[tag.end() :] if tag else text


def swap_tags(text, rng):
    """Let two tags change places."""
    one, two = _tag(text, rng), _tag(text, rng)
    if not one or one.end() > two.start():
        return text
    between = text[one.end() : two.start()]
    return text[: one.start()] + two.group() + between + one.group() + text[two.end() :]


def change_attribute(text, rng):
    """Give an attribute another value."""
    found = list(re.finditer(r'="[^"]*"', text))
    if not found:
        return text
    spot = rng.choice(found)
    value = rng.choice([
        "", "0", "-1", "999999999999999999999", "XFD1048576", "A0", "a1", "ZZZZZZZZ9", "e",
        "inlineStr", "str", "b", "d", "n", "s", "1.5", "x" * 9_000, "../../x.xml", "rId1",
        "A1:XFD1048576",
    ])  # fmt: skip
    return f'{text[: spot.start()]}="{value}"{text[spot.end() :]}'


def drop_attribute(text, rng):
    """Leave an attribute out; sometimes everywhere."""
    found = sorted({m.group() for m in re.finditer(r' [\w:]+(?==")', text)})
    if not found:
        return text
    name = re.escape(rng.choice(found))
    return re.sub(rf'{name}="[^"]*"', "", text, count=rng.choice([0, 1, 5]))


def change_text(text, rng):
    """Put something else in place of a text."""
    found = list(re.finditer(r">([^<>]+)<", text))
    if not found:
        return text
    spot = rng.choice(found)
    value = rng.choice(
        [
            "",
            "-1",
            "99999999999",
            "1e999",
            "nan",
            "&amp;",
            "&lol;",
            "]]>",
            "<![CDATA[x]]>",
            "\u2028",
        ]
    )
    return text[: spot.start(1)] + value + text[spot.end(1) :]


def prefix_tags(text, rng):
    """Write all elements with a prefix."""
    text = re.sub(r"<(/?)(\w+)(?=[ >/])", r"<\1x:\2", text)
    return text.replace("xmlns=", "xmlns:x=")


def rename_tag(text, rng):
    """Rename an element wherever it stands."""
    found = sorted({m.group(1) for m in re.finditer(r"<(\w+)", text)})
    old = rng.choice(found) if found else "x"
    new = rng.choice(["c", "row", "v", "si", "t", "is", "sheet", "y"])
    return re.sub(rf"(</?){old}(?=[ >/])", rf"\g<1>{new}", text)


def comment_out(text, rng):
    """Hide a piece in a comment."""
    one, two = _tag(text, rng), _tag(text, rng)
    if not one or one.end() > two.start():
        return text
    return f"{text[: one.start()]}<!--{text[one.start() : two.end()]}-->{text[two.end() :]}"


XML_CHANGES = [
    drop_tag, double_tag, swap_tags, change_attribute, change_attribute, drop_attribute,
    change_text, change_text, prefix_tags, rename_tag, comment_out,
]  # fmt: skip


def mutate_zip(data: bytes, rng: random.Random) -> bytes:
    """Change the package: parts missing, twice, lies in its directory, text behind it."""
    way = rng.randrange(5)
    if way == 0:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            gone = rng.choice(book.namelist())
        return repack(data, lambda name, text: None if name == gone else text)
    if way == 1:
        store = io.BytesIO(data)
        with zipfile.ZipFile(store, "a") as book:
            name = rng.choice(book.namelist())
            with contextlib.suppress(UserWarning):
                book.writestr(name, rng.randbytes(50))
        return store.getvalue()
    if way == 2:
        return repack(data, lambda name, text: text, zipfile.ZIP_STORED) + rng.randbytes(30)
    if way == 3:
        return repack(
            data, lambda name, text: text, rng.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
        )
    place = data.rfind(b"PK\1\2", 0, rng.randrange(len(data) // 2, len(data)))
    return flip_bits(data, rng, max(place, 0))


# Mutations of the table.


def swap_cells(rows, rng):
    """Cells change places, are blanked, or hold something odd."""
    for _ in range(rng.randint(1, 12)):
        filled = [place for place, row in enumerate(rows) if row]
        one, two = rng.choice(filled), rng.choice(filled)
        a, b = rng.randrange(len(rows[one])), rng.randrange(len(rows[two]))
        if rng.random() < 0.5:
            rows[one][a], rows[two][b] = rows[two][b], rows[one][a]
        else:
            rows[one][a] = rng.choice(ODD)
    return rows


def lay_out(rows, rng):
    """Rows and columns come twice, elsewhere, blank; headings again; tables side by side."""
    for _ in range(rng.randint(1, 5)):
        way, place = rng.randrange(9), rng.randrange(len(rows))
        if way == 0:
            rows.insert(place, [])
        elif way == 1:
            rows.insert(place, [rng.choice(["二、续表", "甲镇", "单位：元", "填报单位：乙镇"])])
        elif way == 2:
            rows.insert(place, list(rows[1]))
        elif way == 3:
            rows = [["", *row] for row in rows]
        elif way == 4:
            rows.insert(rng.randrange(len(rows)), rows.pop(place))
        elif way == 5:
            width = max(map(len, rows))
            rows = [[*row, *[""] * (width - len(row) + 1), *row] for row in rows]
        elif way == 6:
            at = rng.randrange(len(rows[1]) or 1)
            rows = [[*row[:at], "", *row[at:]] for row in rows]
        elif way == 7:
            rows = [*rows, [], *rows[: rng.randrange(len(rows))]]
        else:
            order = list(range(max(map(len, rows))))
            rng.shuffle(order)
            rows = [[row[at] if at < len(row) else "" for at in order] for row in rows]
    return rows


def draw_merges(rows, rng):
    """Up to thirty merged ranges, anywhere."""
    found = []
    for _ in range(rng.randint(1, 30)):
        top, left = rng.randrange(len(rows)), rng.randrange(9)
        if left < len(rows[top]):
            bottom = top + rng.choice([0, 1, 1, 2, 3, 10])
            found.append((top, left, bottom, left + rng.choice([0, 0, 0, 1, 2])))
    return found


def mutate_csv(data: bytes, rng: random.Random) -> bytes:
    """Separators, quotation marks, line breaks and other encodings in the middle."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(data))
        piece = rng.choice([
            b'"', b'""', b",", b"\n", b"\r", b"\r\n", b";", b"\t", b"\0", b"\xff", b"\x81",
            "甲".encode(), "甲".encode("gb18030"), b"\xef\xbb\xbf", b'"\n"', b",,,,", b"'",
        ])  # fmt: skip
        if rng.random() < 0.7:
            data[place:place] = piece
        else:
            del data[place : place + rng.randint(1, 30)]
    return bytes(data)


MUTATIONS = {
    "xlsx bits": lambda rows, rng: (flip_bits(write_xlsx(rows), rng), ".xlsx"),
    "xlsx cut": lambda rows, rng: (cut(write_xlsx(rows), rng), ".xlsx"),
    "xlsx spliced": lambda rows, rng: (splice(write_xlsx(rows), rng), ".xlsx"),
    "xlsx xml": lambda rows, rng: (mutate_xml(write_xlsx(rows), rng), ".xlsx"),
    "xlsx part bits": lambda rows, rng: (flip_part(write_xlsx(rows), rng), ".xlsx"),
    "xlsx package": lambda rows, rng: (mutate_zip(write_xlsx(rows), rng), ".xlsx"),
    "xlsx cells": lambda rows, rng: (write_xlsx(swap_cells(rows, rng)), ".xlsx"),
    "xlsx layout": lambda rows, rng: (write_xlsx(lay_out(rows, rng)), ".xlsx"),
    "xlsx merged": lambda rows, rng: (write_xlsx(rows, draw_merges(rows, rng)), ".xlsx"),
    "csv spliced": lambda rows, rng: (mutate_csv(write_csv(rows, rng), rng), ".csv"),
    "csv layout": lambda rows, rng: (
        write_csv(swap_cells(lay_out(rows, rng), rng), rng),
        ".csv",
    ),
    "xls bits": lambda rows, rng: (flip_bits(write_xls(rows), rng, 512), ".xls"),
    "xls spliced": lambda rows, rng: (splice(write_xls(rows), rng), ".xls"),
}


def make_case(seed: int, case: int) -> tuple[str, bytes, str]:
    """Kind, bytes and ending of one case."""
    rng = random.Random(f"{seed} {case}")
    kind = list(MUTATIONS)[case % len(MUTATIONS)]
    return (kind, *MUTATIONS[kind](base_rows(case, rng), rng))


# What stands in the file, as others read it.


def read_by_others(data: bytes, ending: str) -> dict[tuple[str, int], set[str]]:
    """Texts of cells by sheet and row.

    Where openpyxl or xlrd cannot open the file, the reader below the package tells what
    stands in it: then only what the package does with it is judged.
    """
    if ending == ".csv":
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("gb18030", "replace")
        rows = csv.reader(io.StringIO(text.replace("\0", ""), newline=""))
        return {
            ("", at): set(re.findall(r"\d{17}[\dX]", " ".join(row)))
            for at, row in enumerate(rows, 1)
        }
    try:
        sheets = _read_xls(data) if ending == ".xls" else _read_xlsx(data)
    except Exception:
        sheets = _read_below(data)
    return {
        (name, at): set(map(str, row))
        for name, rows in sheets.items()
        for at, row in enumerate(rows, 1)
    }


def _read_below(data):
    from python_calamine import CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = book.sheet_names
        return {n: book.get_sheet_by_name(n).to_python(skip_empty_area=False) for n in names}
    except Exception:
        return {}


def _read_xls(data):
    import xlrd

    book = xlrd.open_workbook(file_contents=data, logfile=io.StringIO())
    return {s.name: [s.row_values(row) for row in range(s.nrows)] for s in book.sheets()}


def _read_xlsx(data):
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(data), data_only=True)
    return {
        s.title: [[cell.value for cell in row] for row in s.iter_rows(min_row=1, min_col=1)]
        for s in book.worksheets
    }


def judge(cleaned, case: int, data: bytes, ending: str, told: str) -> dict:
    """Whether a person's row was silently lost or a number told."""
    from evaluation.ledgers.identity import pseudonyms

    numbers = [number_of(case, person) for person in range(PEOPLE)]
    leaks = sum(number in told for number in numbers)
    problems = cleaned.problems[cleaned.problems["file"] == f"2023/case{ending}"]
    errors = problems[problems["level"] == "error"]
    refused = set(errors["sheet"])
    said = set(problems.loc[problems["message"].str.contains("未使用|没有读入"), "sheet"])
    if "" in refused and (ending == ".csv" or len(refused) == 1):
        return {"leaks": leaks, "refused": True, "lost": 0}
    others = read_by_others(data, ending)
    alone = not others  # nobody else can read it: nothing to compare with
    hashes = pseudonyms(numbers, KEY, "number", 32)
    known = set(cleaned.private_hashes["hash"])
    read = {n for n, digest in zip(numbers, hashes, strict=True) if digest in known}
    rows = set()
    for table in cleaned.tables.values():
        own = table[table["source_file"] == f"2023/case{ending}"]
        rows |= set(zip(own["source_sheet"], own["source_row"], strict=True))
    issues = cleaned.issues[cleaned.issues["file"] == f"2023/case{ending}"]
    rows |= set(zip(issues["sheet"], issues["row"], strict=True))
    lost = {
        (place, number)
        for place, texts in others.items()
        for number in texts & (set(numbers) - read)
        if place not in rows and place[0] not in refused | said
    }
    return {"leaks": leaks, "refused": bool(refused), "lost": len(lost), "alone": alone}


def run_case(seed: int, case: int, folder: Path) -> dict:
    """Clean, describe and account for one case."""
    from evaluation.ledgers.clean import clean_folder
    from evaluation.ledgers.clean_tables import TABLES
    from evaluation.ledgers.report import as_accounting, describe
    from evaluation.tables import check_key

    kind, data, ending = make_case(seed, case)
    for path in (folder / "2023").glob("case.*"):
        path.unlink()
    (folder / "2023" / f"case{ending}").write_bytes(data)
    began = time.perf_counter()
    try:
        cleaned = clean_folder(folder, REFERENCE, KEY)
        told = describe(cleaned) + json.dumps(as_accounting(cleaned), ensure_ascii=False)
        seconds = time.perf_counter() - began
        if len(cleaned.tables["roster"]) < 2 or len(cleaned.tables["register"]) < 1:
            raise AssertionError("the good ledgers did not load")
        for name, table in {
            **cleaned.tables,
            "accounting": cleaned.accounting,
            "issues": cleaned.issues,
        }.items():
            check_key(table, list(TABLES[name].key), name)
        told += cleaned.issues.to_csv() + cleaned.problems.to_csv()
        found = judge(cleaned, case, data, ending, told)
    except BaseException:
        return {"kind": kind, "crash": traceback.format_exc(), "seconds": 0.0}
    return {"kind": kind, "seconds": seconds, **found}


def write_good(folder: Path) -> None:
    """A roster and a register with nothing wrong."""
    (folder / "2023").mkdir()
    anna, bert = "519999198002030015", "519999198002030023"
    (folder / "2023" / "名册.csv").write_text(
        "姓名,身份证号码,户籍乡镇,村（社区）,是否脱贫户/监测户,现就业状态,采集日期\n"
        f"王强,{anna},罗江镇,柏阁,否,务农,2023-12-20\n"
        f"李芳,{bert},罗江镇,柏阁,否,务农,2023-12-20\n",
        encoding="utf-8",
    )
    (folder / "2023" / "就业.csv").write_text(
        f"身份证号码,姓名,就业形式,开始日期,终止日期\n{anna},王强,单位就业,2021-03-01,至今\n",
        encoding="utf-8",
    )


def work(seed: int, pipe) -> None:
    """Run cases as they are asked for, in a process that may die."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # the reader's panics speak there
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_good(folder)
        while (case := pipe.recv()) is not None:
            pipe.send(run_case(seed, case, folder))


def run_cases(seed: int, cases: list[int]):
    """Run cases one after the other; a process that dies or hangs is replaced."""
    context, child = multiprocessing.get_context("spawn"), None
    for case in cases:
        if child is None:
            here, there = context.Pipe()
            child = context.Process(target=work, args=(seed, there), daemon=True)
            child.start()
        here.send(case)
        try:
            if not here.poll(SECONDS):
                raise TimeoutError
            yield case, here.recv()
        except (EOFError, TimeoutError, ConnectionError) as problem:
            child.kill()
            child.join()
            child = None
            kind = list(MUTATIONS)[case % len(MUTATIONS)]
            yield (
                case,
                {"kind": kind, "crash": f"the process died: {problem!r}", "seconds": 0.0},
            )
    if child is not None:
        here.send(None)
        child.join()


def main() -> int:
    """Run the cases, print what became of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2_400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="*", help="numbers of single cases")
    parser.add_argument("--keep", type=Path, help="a folder for the files of bad cases")
    arguments = parser.parse_args()
    cases = arguments.only or list(range(arguments.cases))
    counts, slowest, began = (
        collections.defaultdict(collections.Counter),
        (0.0, None),
        time.time(),
    )
    for case, found in run_cases(arguments.seed, cases):
        own = counts[found["kind"]]
        own["cases"] += 1
        bad = [name for name in ("crash", "leaks", "lost") if found.get(name)]
        for name in bad:
            own[name] += 1
            detail = found[name] if name != "crash" else f"\n{found[name]}"
            print(f"case {case} ({found['kind']}): {name}: {detail}", flush=True)
        own["refused"] += found.get("refused", False)
        own["alone"] += found.get("alone", False)
        slowest = max(
            slowest, (found["seconds"], f"{case} ({found['kind']})"), key=lambda s: s[0]
        )
        if bad and arguments.keep:
            arguments.keep.mkdir(parents=True, exist_ok=True)
            _, data, ending = make_case(arguments.seed, case)
            (arguments.keep / f"{case}{ending}").write_bytes(data)
    columns = ("cases", "refused", "alone", "crash", "leaks", "lost")
    print(f"\nseed {arguments.seed}, {time.time() - began:.0f} s; by kind:")
    print(f"{'':16}" + "".join(f"{name:>10}" for name in columns))
    whole = sum(counts.values(), collections.Counter())
    for kind, own in [*counts.items(), ("all", whole)]:
        print(f"{kind:16}" + "".join(f"{own[name]:>10}" for name in columns))
    print(f"slowest: case {slowest[1]}, {slowest[0]:.2f} s")
    print("refused: the file or a table of it was not read, and that was said")
    print("alone: read by the package, while no other reader could open it to compare")
    return int(bool(whole["crash"] or whole["leaks"] or whole["lost"]))


if __name__ == "__main__":
    sys.exit(main())
