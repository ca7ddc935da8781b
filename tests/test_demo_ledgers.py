"""Demonstration ledgers: real files, planted defects where the manifest says, exact totals."""

import csv
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from evaluation.demo.defects import plant
from evaluation.demo.papers import credit_code, resident_numbers
from evaluation.demo.workbooks import lay_out
from evaluation.demo.write import write_demo
from evaluation.errors import EvaluationError
from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.identity import DEMONSTRATION_KEY
from evaluation.paths import is_demonstration

SMALL = {"n_people": 2_000, "policy_multiplier": 0.1}


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo") / "ledgers", seed=5, **SMALL)


@pytest.fixture(scope="module")
def manifest(ledgers):
    return pd.read_csv(ledgers / "manifest.csv", keep_default_na=False, encoding="utf-8-sig")


def lines_of(path, sheet=""):
    """Read a file as lists of cells, the first line of the file first."""
    if path.suffix == ".xlsx":
        book = CalamineWorkbook.from_path(str(path))
        return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030")
    return list(csv.reader(text.splitlines()))


def test_folders_by_year_received_and_a_marker(ledgers):
    years = {folder.name for folder in ledgers.iterdir() if folder.is_dir()}
    assert years == {str(year) for year in range(2016, 2025)}
    assert is_demonstration(ledgers)
    assert tomllib.loads((ledgers / "demo.toml").read_text(encoding="utf-8"))["seed"] == 5
    assert len(list((ledgers / "2016").glob("返乡农民工*"))) == 4
    assert (ledgers / "truth.csv").is_file()


def test_the_manifest_points_at_the_defect(ledgers, manifest):
    looks = {
        "number_masked": lambda cell: "*" in str(cell),
        "number_15": lambda cell: len(str(cell)) == 15,
        "number_damaged": lambda cell: "E+17" in str(cell) or isinstance(cell, float),
        "date_unreadable": lambda cell: str(cell).endswith((".2.30", "13月")),
        "name_spaces": lambda cell: " " in str(cell) or "　" in str(cell),
        "amount_commas": lambda cell: "," in str(cell),
        "amount_unit": lambda cell: cell == "1万元",
        "blank": lambda cell: cell in ("", None),
    }
    seen = {}
    for (file, sheet, kind), rows in manifest.groupby(["file", "sheet", "kind"]):
        if kind in looks:
            lines = lines_of(ledgers / file, sheet)
            for row, column in zip(rows["row"], rows["column"], strict=True):
                heading = next(line for line in lines if column in _plain(line))
                cell = lines[row - 1][_plain(heading).index(column)]
                assert looks[kind](cell), (file, sheet, row, column, cell)
                seen[kind] = seen.get(kind, 0) + 1
    assert set(seen) == set(looks)


def _plain(line):
    return [str(cell).replace("\n", "").replace(" ", "") for cell in line]


def test_cleaning_finds_exactly_what_was_planted(ledgers, manifest):
    reference = Path(__file__).parents[1] / "data" / "reference"
    issues = clean_folder(ledgers, reference, DEMONSTRATION_KEY).issues
    place = ["file", "sheet", "row", "column", "kind", "state"]
    planted = set(manifest[place].astype(str).itertuples(index=False, name=None))
    found = issues.loc[issues["kind"].isin(manifest["kind"]), place].astype(str)
    assert set(found.itertuples(index=False, name=None)) == planted


def test_totals_stand_in_the_last_ledgers(ledgers, manifest):
    twice = manifest[manifest["kind"] == "duplicate"]

    def rows_of(name):
        path = ledgers / "2024" / name
        for sheet in CalamineWorkbook.from_path(str(path)).sheet_names:
            lines = lines_of(path, sheet)
            here = twice[twice["file"].eq(f"2024/{name}") & twice["sheet"].eq(sheet)]
            for number, line in enumerate(lines, 1):
                if any(isinstance(cell, float) for cell in line[:2]) and number not in set(
                    here["row"]
                ):
                    yield line

    amounts = [line[15] for line in rows_of("返乡创业补贴台账2024.xlsx") if line[16]]
    assert len(amounts) == 17
    assert (
        sum(float(str(amount).replace(",", "").replace("1万元", "10000")) for amount in amounts)
        == 170_000
    )
    principals = [line[9] for line in rows_of("创业担保贷款台账2024.xlsx") if line[9]]
    assert (len(principals), sum(principals)) == (22, 310)
    posts = list(rows_of("公益性岗位台账2024.xlsx"))
    filled = [line for line in posts if not line[19] or str(line[19]) >= "2024"]
    assert len(filled) == 171
    assert sum(line[3] == "乡村" for line in filled) == 78


def test_the_same_seed_writes_the_same_cells(ledgers, tmp_path):
    again = write_demo(tmp_path / "again", seed=5, **SMALL)
    for path in ("manifest.csv", "truth.csv", "2019/就业登记2019.csv"):
        assert (again / path).read_bytes() == (ledgers / path).read_bytes()
    name = "2024/公益性岗位台账2024.xlsx"
    for sheet in CalamineWorkbook.from_path(str(again / name)).sheet_names:
        assert lines_of(again / name, sheet) == lines_of(ledgers / name, sheet)


def test_real_files_are_never_overwritten(tmp_path):
    (tmp_path / "台账.xlsx").write_bytes(b"")
    with pytest.raises(EvaluationError, match="不会覆盖"):
        write_demo(tmp_path, **SMALL)
    assert [path.name for path in Path(tmp_path).iterdir()] == ["台账.xlsx"]


def test_resident_numbers_have_valid_check_digits_and_belong_to_nobody():
    people = pd.DataFrame(
        {"birth_year": 1980, "birth_month": 2, "birth_day": 3, "female": [0, 0, 1, 1]}
    )
    numbers = resident_numbers(people)
    assert numbers.is_unique
    assert numbers.str.startswith("51999919800203").all()
    assert [int(number[16]) % 2 for number in numbers] == [1, 1, 0, 0]
    for number in numbers:
        digits = [10 if digit == "X" else int(digit) for digit in number]
        assert sum(d * 2 ** (17 - i) for i, d in enumerate(digits)) % 11 == 1


def test_credit_codes_are_valid_and_differ():
    codes = {credit_code(number) for number in range(50)}
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    assert len(codes) == 50
    for code in codes:
        total = sum(letters.index(letter) * 3**i for i, letter in enumerate(code[:17]))
        total += letters.index(code[17])
        assert len(code) == 18 and total % 31 == 0


def test_a_duplicate_is_an_extra_row_below_its_original():
    frame = pd.DataFrame(
        {"person": [0, 1], "turn": 0, "name": ["甲", "乙"], "number": ["1", "2"]}
    )
    papers = pd.DataFrame({"township_old": ["a", "b"], "dissolved": False})
    draw = np.array([0.999, 0.4290])  # just above all other kinds of a policy ledger
    rows, notes = plant("loan", 2024, frame, papers, draw)
    assert rows["name"].tolist() == ["甲", "乙", "乙"]
    assert notes[["position", "kind"]].values.tolist() == [[2, "duplicate"]]


def test_two_row_headings_and_sums():
    frame = pd.DataFrame({"起止|起": ["a"], "起止|止": ["b"], "金额": ["1,000.00"]})
    above, rows, below = lay_out(frame, {"title": "题", "left": 1, "total": "金额"})
    assert above[1:] == [
        [None, "序号", "起止", "起止", "金额"],
        [None, None, "起", "止", None],
    ]
    assert rows == [[None, 1, "a", "b", "1,000.00"]]
    assert below[1] == [None, "合计", None, None, 1000.0]
