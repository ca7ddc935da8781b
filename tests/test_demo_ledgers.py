"""Demonstration ledgers: real files, planted defects where the manifest says, exact totals."""

import csv
import shutil
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from python_calamine import CalamineWorkbook

from evaluation.demo.broken import write_broken
from evaluation.demo.defects import plant
from evaluation.demo.deliveries import deliveries
from evaluation.demo.desk import Desk
from evaluation.demo.papers import credit_code, draw_papers, resident_numbers
from evaluation.demo.places import load_villages
from evaluation.demo.planting import plant_world
from evaluation.demo.workbooks import Layout, Table, lay_out
from evaluation.demo.world import simulate_world, topic_seeds
from evaluation.demo.write import write_demo
from evaluation.errors import EvaluationError
from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.identity import DEMONSTRATION_KEY, pseudonyms
from evaluation.ledgers.kinds import KINDS
from evaluation.panel.build import build_panel
from evaluation.panel.deliveries import compare_deliveries
from evaluation.paths import is_demonstration
from evaluation.plan import load_district

SMALL = {"n_people": 2_000, "policy_multiplier": 0.1}
REFERENCE = ROOT / "data" / "reference"
PLACE = ["file", "sheet", "row", "column", "kind", "state"]


@pytest.fixture(scope="module")
def ledgers(tmp_path_factory):
    return write_demo(tmp_path_factory.mktemp("demo") / "ledgers", seed=5, **SMALL)


@pytest.fixture(scope="module")
def manifest(ledgers):
    return pd.read_csv(ledgers / "manifest.csv", keep_default_na=False, encoding="utf-8-sig")


@pytest.fixture(scope="module")
def cleaned(ledgers):
    return clean_folder(ledgers, REFERENCE, DEMONSTRATION_KEY)


def lines_of(path, sheet=""):
    """Read a file as lists of cells, the first line of the file first."""
    if path.suffix != ".csv":
        book = CalamineWorkbook.from_path(str(path))
        return book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("gb18030")
    return list(csv.reader(text.splitlines()))


def sheets_of(path):
    return CalamineWorkbook.from_path(str(path)).sheet_names if path.suffix != ".csv" else [""]


def test_folders_by_year_received_and_a_marker(ledgers):
    years = {folder.name for folder in ledgers.iterdir() if folder.is_dir()}
    assert years == {str(year) for year in range(2016, 2025)}
    assert is_demonstration(ledgers)
    assert tomllib.loads((ledgers / "demo.toml").read_text(encoding="utf-8"))["seed"] == 5
    assert len(list((ledgers / "2016").glob("返乡农民工*"))) == 4
    assert (ledgers / "truth.csv").is_file()


def test_the_files_are_laid_out_as_offices_do(ledgers):
    texts = {
        path.relative_to(ledgers).as_posix(): [
            str(cell)
            for sheet in sheets_of(path)
            for line in lines_of(path, sheet)
            for cell in line
        ]
        for path in ledgers.rglob("2*/*.*")
    }
    everything = [text for found in texts.values() for text in found]
    for words in (
        "单位：元", "单位：万元", "合计", "小计", "备注：", "填表人：", "填报单位：",
        "填报单位（盖章）：", "二、未通过", "aac002", "二〇", "至今", "√",
    ):  # fmt: skip
        assert any(text.startswith(words) for text in everything), words
    post = texts["2021/公益性岗位台账2021.xlsx"]
    assert post.count("协议起止") > 2  # headings of two rows, again on each printed page
    assert "借款人" in texts["2019/创业担保贷款台账2019.xls"]
    raw = [path.read_bytes() for path in ledgers.rglob("*.csv") if path.parent != ledgers]
    assert any(data.startswith(b"\xef\xbb\xbf") for data in raw)
    assert any(b"\xd0\xd5\xc3\xfb" in data for data in raw)  # 姓名 in GB18030
    book = CalamineWorkbook.from_path(str(ledgers / "2023/公益性岗位台账2023.xlsx"))
    merged = [book.get_sheet_by_name(name).merged_cell_ranges for name in book.sheet_names]
    assert any(
        last > first and left == right
        for sheet in merged
        for (first, left), (last, right) in sheet
    )


LOOKS = {
    "number_masked": lambda cell: "*" in str(cell),
    "number_15": lambda cell: len(str(cell)) == 15,
    "number_damaged": lambda cell: (
        isinstance(cell, float) or "E+17" in cell or cell.endswith("000")
    ),
    "number_length": lambda cell: len(cell) in (17, 19),
    "number_birth": lambda cell: cell[10:14] in ("0230", "1340"),
    "number_prefix": lambda cell: "529999" in cell,
    "number_missing": lambda cell: cell in ("", None),
    "name_missing": lambda cell: cell in ("", None),
    "name_spaces": lambda cell: " " in str(cell) or "　" in str(cell),
    "date_unreadable": lambda cell: (
        not str(cell)[:4].isdigit() or str(cell).endswith((".2.30", "13月"))
    ),
    "date_future": lambda cell: str(cell)[:4] > "2030",
    "amount_commas": lambda cell: "," in str(cell),
    "amount_unit": lambda cell: cell in ("1万元", "壹万圆整") or cell.endswith("0000元"),
    "amount_mixed": lambda cell: cell in (1, 10_000, 200_000),
    "amount_unreadable": lambda cell: cell in ("见附表", "面议", "约一千左右"),
    "place_unknown": lambda cell: cell.endswith("区"),
    "word_unknown": lambda cell: cell in ("其他学历", "不清楚", "零工", "待定"),
    "blank": lambda cell: cell in ("", None),
    "key_date_missing": lambda cell: cell in ("", None),
}


def test_the_manifest_points_at_the_defect(ledgers, manifest):
    seen = set()
    for (file, sheet), rows in manifest[manifest["kind"].isin(LOOKS)].groupby(
        ["file", "sheet"]
    ):
        lines = lines_of(ledgers / file, sheet)
        for _, row, column, kind in rows[["column", "row", "column", "kind"]].itertuples(
            index=False
        ):
            heading = next(line for line in lines if column in _plain(line))
            cell = lines[row - 1][_plain(heading).index(column)]
            assert LOOKS[kind](cell), (file, sheet, row, column, kind, cell)
            seen.add(kind)
    assert seen == set(LOOKS)


def _plain(line):
    return [str(cell).replace("\n", "").replace(" ", "") for cell in line]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_planted_and_found_where_it_was_planted(manifest, cleaned, kind):
    planted = _as_set(manifest[manifest["kind"] == kind])
    found = _as_set(cleaned.issues[cleaned.issues["kind"] == kind])
    assert planted and found == planted


def test_nothing_else_is_found_and_no_clean_row_is_set_aside(manifest, cleaned):
    assert _as_set(cleaned.issues) == _as_set(manifest)
    assert not manifest.duplicated(PLACE).any()
    assert not cleaned.problems["level"].eq("error").any()
    aside = manifest.loc[manifest["state"] == "set_aside", ["file", "sheet", "row"]]
    assert not aside.duplicated().any()
    account = cleaned.accounting
    assert account["rows_read"].sum() - account["rows_kept"].sum() == len(aside)


def _as_set(table):
    return set(table[PLACE].astype(str).itertuples(index=False, name=None))


def test_the_corrections_beside_the_ledgers_are_all_applied(ledgers, cleaned):
    revisions = pd.read_csv(ledgers / "revisions.csv", encoding="utf-8-sig")
    corrected = revisions[revisions["what"] == "corrected"]
    assert len(corrected) == len(cleaned.corrections) >= 4
    assert cleaned.corrections["state"].eq("applied").all()
    assert set(cleaned.corrections["from_year"]) == {0, 2021}


def test_late_changed_and_vanished_rows_are_told_apart_by_the_edition_that_learns_of_them(
    ledgers, cleaned
):
    revisions = pd.read_csv(ledgers / "revisions.csv", encoding="utf-8-sig")
    assert set(revisions["what"]) == {"late", "changed", "vanished", "corrected"}
    revisions["ledger"] = revisions["file"].map(_ledger_of)
    editions = range(2018, 2025)
    told = pd.concat(
        [compare_deliveries(cleaned.tables, e).assign(edition=e) for e in editions]
    )
    told = told[told["detail"] == "all"].set_index(["ledger", "kind", "edition"])["n_rows"]
    planted = (
        revisions[revisions["edition"] >= 2018].groupby(["ledger", "what", "edition"]).size()
    )
    for (ledger, what, edition), count in planted.items():
        if what in ("late", "vanished") and (ledger, edition) != ("loan", 2018):
            assert told[ledger, what, edition] == count, (ledger, what, edition)
        elif what == "changed":  # a mistake in a later version of a row is a change as well
            assert told[ledger, what, edition] >= count


def _ledger_of(file):
    names = {"返乡农民工": "roster", "就业登记": "register", "返乡创业": "subsidy"}
    names |= {"创业担保": "loan", "公益性岗位": "post"}
    return next(ledger for name, ledger in names.items() if name in file)


def test_late_rows_leave_earlier_editions_as_they_were(ledgers, cleaned, tmp_path):
    """An edition made of the folders up to its year is the one made of all folders."""
    for year in range(2016, 2020):
        shutil.copytree(ledgers / str(year), tmp_path / str(year))
    (tmp_path / "demo.toml").touch()
    then = clean_folder(tmp_path, REFERENCE, DEMONSTRATION_KEY)
    district = load_district(REFERENCE)
    for name in ("persons", "years"):
        now, before = (
            getattr(build_panel(tables, 2019, district), name)
            for tables in (cleaned.tables, then.tables)
        )
        pd.testing.assert_frame_equal(now, before)


def test_defects_move_nobody_but_those_in_whose_rows_they_stand(ledgers, cleaned, tmp_path):
    plain = write_demo(tmp_path / "plain", seed=5, defects=False, **SMALL)
    assert (plain / "truth.csv").read_bytes() == (ledgers / "truth.csv").read_bytes()
    right = clean_folder(plain, REFERENCE, DEMONSTRATION_KEY)
    assert right.issues.empty and right.problems.empty
    district = load_district(REFERENCE)
    outcomes = ["employed", "employed_open", "months_open", "self_employed"]
    before, after = (
        build_panel(tables, 2024, district)
        .years.set_index(["person_id", "year"])[outcomes]
        .astype("float64")
        for tables in (right.tables, cleaned.tables)
    )
    both = before.join(after.add_suffix("_typed"), how="inner")
    typed = both[[f"{name}_typed" for name in outcomes]].to_numpy()
    same = ((both[outcomes] == typed) | (both[outcomes].isna() & np.isnan(typed))).all(axis=1)
    changed = set(both.index[~same].get_level_values(0))
    assert 0 < len(changed) < 0.05 * before.index.get_level_values(0).nunique()
    assert changed <= _find_concerned()


def _find_concerned():
    """Everybody in whose rows something is wrong, late or swapped, or whose number is taken."""
    world, seeds = simulate_world(5, **SMALL), topic_seeds(5)
    villages = load_villages(REFERENCE)
    papers = draw_papers(world.people, villages, np.random.default_rng(seeds["layout"]))
    planted, names = plant_world(world, papers, seeds["defects"]), {"district": "", "bank": ""}
    persons = {*planted.breaches.persons, *planted.revisions.persons}
    for d in deliveries(
        planted.breaches, planted.revisions, planted.rosters, planted.papers, names
    ):
        desk = Desk(d.ledger, d.year, planted.desk)
        rows, notes = plant(d.frame, d.table, desk, planted.plans[d.ledger], [])
        wrong = rows.iloc[[place for place, *_ in notes]]
        persons |= {*wrong["person"], *wrong["holder"]}
    numbers = planted.papers["number"].iloc[sorted(p for p in persons if p >= 0)]
    return set(pseudonyms(numbers, DEMONSTRATION_KEY, "number", 32))


def _rows_by_heading(path, twice):
    """Rows of a workbook by heading, without duplicates, sums and headings again."""
    for sheet in sheets_of(path):
        heading = []
        for number, line in enumerate(lines_of(path, sheet), 1):
            plain = _plain(line)
            if "序号" in plain:
                heading = [(a, plain[:at].count(a)) for at, a in enumerate(plain)]
            elif (
                any(isinstance(cell, float) for cell in line[:2])
                and (sheet, number) not in twice
            ):
                yield dict(zip(heading, line, strict=True))


def test_totals_stand_in_the_last_ledgers(ledgers, manifest):
    def rows_of(name):
        here = manifest[manifest["kind"].eq("duplicate") & manifest["file"].eq(f"2024/{name}")]
        twice = set(here[["sheet", "row"]].itertuples(index=False, name=None))
        for row in _rows_by_heading(ledgers / "2024" / name, twice):
            yield {heading: cell for (heading, again), cell in row.items() if not again}

    def yuan(cell):
        text = str(cell).replace(",", "")
        return {"1万元": 1e4, "壹万圆整": 1e4, "１００００": 1e4}.get(text) or float(text)

    paid = [row for row in rows_of("返乡创业补贴台账2024.xlsx") if row["拨付日期"]]
    assert len(paid) == 17
    assert sum(yuan(row["金额"]) for row in paid) == 170_000
    loans = [row for row in rows_of("创业担保贷款台账2024.xlsx") if row["放款日"]]
    wan = [str(row["金额（万元）"]) for row in loans]
    assert len(loans) == 22
    assert sum(float(t[:-1]) / 1e4 if t.endswith("元") else float(t) for t in wan) == 310
    posts = list(rows_of("公益性岗位台账2024.xlsx"))
    filled = [row for row in posts if not row["退岗日期"] or str(row["退岗日期"]) >= "2024"]
    assert len(filled) == 171
    assert sum(row["城镇/乡村"] == "乡村" for row in filled) == 78


def test_broken_files_are_refused_or_survived_in_words_and_change_nothing_else(
    ledgers, cleaned, tmp_path
):
    shutil.copytree(ledgers, tmp_path / "ledgers")
    expected = write_broken(tmp_path / "ledgers" / "2024")
    found = clean_folder(tmp_path / "ledgers", REFERENCE, DEMONSTRATION_KEY)
    said = found.problems[found.problems["file"].str.startswith("2024/")]
    for file, message in expected.itertuples(index=False):
        words = said.loc[said["file"] == f"2024/{file}", "message"]
        assert words.str.startswith(message).any(), (file, list(words))
    assert len(expected) == 20 and said["file"].nunique() == 20
    pd.testing.assert_frame_equal(found.issues, cleaned.issues)
    for name, table in found.tables.items():
        pd.testing.assert_frame_equal(table, cleaned.tables[name])


def test_the_same_seed_writes_the_same_cells(ledgers, tmp_path):
    again = write_demo(tmp_path / "again", seed=5, **SMALL)
    for path in ("manifest.csv", "revisions.csv", "truth.csv", "2019/就业登记2019.csv"):
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


def test_two_row_headings_sums_and_sections():
    frame = pd.DataFrame({"起止|起": ["a", "c"], "起止|止": "b", "金额": ["1,000.00", "2"]})
    table = Table(frame, sections={1: "二、其他"}, sums=(0,))
    lines = lay_out(table, Layout(title="题", left=1, total="金额"))
    assert lines.cells[1:5] == [
        [None, "序号", "起止", "起止", "金额"],
        [None, None, "起", "止", None],
        [None, 1, "a", "b", "1,000.00"],
        [None, "小计", None, None, 1000.0],
    ]
    assert lines.cells[5:7] == [[], [None, "二、其他"]]
    assert lines.cells[10][1:] == ["合计", None, None, 1002.0]
    assert lines.places.tolist() == [4, 10]
    assert lines.heads == [1, 2, 7, 8]
