"""A template filled in as it says passes the check without a word."""

import openpyxl
import pytest
from click.testing import CliRunner
from conftest import ROOT

from evaluation.cli import WRONG_USAGE, main
from evaluation.errors import EvaluationError
from evaluation.ledgers import guidance, templates
from evaluation.ledgers.clean import check_folder
from evaluation.ledgers.guidance import ALWAYS, LATER, describe_fields
from evaluation.ledgers.headings import LEDGERS, load_aliases
from evaluation.ledgers.identity import check_credit_code
from evaluation.ledgers.layout import find_tables
from evaluation.ledgers.raw import GUIDE, read_parts
from evaluation.ledgers.usual import load_words
from evaluation.ledgers.workbook import read_grids
from evaluation.plan import load_district

REFERENCE = ROOT / "data" / "reference"
FIRST = templates.HEADING + 2  # row below the headings, from 1
PEOPLE = [
    ("王强", "519999198002030015"), ("李芳", "519999198002030023"),
    ("赵云", "519999198002030058"), ("周梅", "519999198002030066"),
]  # fmt: skip


@pytest.fixture(scope="module")
def fields():
    return {ledger: describe_fields(ledger, REFERENCE) for ledger in LEDGERS}


@pytest.fixture
def folder(tmp_path):
    templates.write_templates(REFERENCE, tmp_path)
    return tmp_path


def open_template(folder, ledger):
    return openpyxl.load_workbook(folder / f"{LEDGERS[ledger]}.xlsx")


def type_in(field, value):
    """What a clerk's typing makes of a value: a number where the column is none of texts."""
    if not value or field.options or field.kind not in templates.NUMBERS:
        return value or None
    return float(value) if "." in value else int(value)


def fill(folder, ledger, fields, rows):
    book = open_template(folder, ledger)
    sheet = book.worksheets[0]
    for number, row in enumerate(rows, FIRST):
        for at, field in enumerate(fields[ledger], 1):
            sheet.cell(number, at).value = type_in(field, row.get(field.column, ""))
    book.save(folder / f"{LEDGERS[ledger]}.xlsx")


def examples(fields, ledger, **changes):
    return {field.column: field.example for field in fields[ledger]} | changes


def only(fields, ledger, needed, **changes):
    row = {f.column: f.example for f in fields[ledger] if f.needed in needed}
    return row | {name: value for name, value in changes.items() if name in row}


def read(folder):
    cleaned = check_folder(folder, REFERENCE)
    words = cleaned.issues[["ledger", "column", "kind"]].to_numpy().tolist()
    return words + cleaned.problems[["file", "message"]].to_numpy().tolist(), cleaned


def test_the_examples_pass_without_a_word(folder, fields):
    for ledger in LEDGERS:
        fill(folder, ledger, fields, [examples(fields, ledger)])
    said, cleaned = read(folder)
    assert said == []
    assert [len(table) for table in cleaned.tables.values()] == [1] * 5
    assert cleaned.tables["loan"]["principal"].tolist() == [150_000]
    assert cleaned.tables["loan"]["rate"].tolist() == [4.35]
    assert cleaned.tables["roster"]["left_on"].dt.strftime("%Y-%m-%d").tolist() == [
        "2012-02-01"
    ]
    assert cleaned.tables["post"]["ended_on"].dt.day.tolist() == [4]


def test_the_office_that_reports_is_read_and_who_signs_is_not(folder, fields):
    fill(folder, "post", fields, [examples(fields, "post")])
    book = open_template(folder, "post")
    sheet = book.worksheets[0]
    for label, typed in {
        "填报单位：": "某某镇人民政府",
        "填表人：": "李四",
        "填表日期：": "2024-01-05",
    }.items():
        cells = (cell for row in sheet.iter_rows(max_row=FIRST) for cell in row)
        found = next(cell for cell in cells if cell.value == label)
        found.offset(0, 1).value = typed
    book.save(folder / f"{LEDGERS['post']}.xlsx")
    said, cleaned = read(folder)
    assert not [words for words in said if "只有表头" not in words[-1]]
    reporters = cleaned.accounting.set_index("ledger")["reporter"]
    assert reporters["post"] == "某某镇人民政府" and reporters["loan"] == ""


def test_what_is_not_needed_may_be_blank(folder, fields):
    for ledger in LEDGERS:
        for needed in ((ALWAYS,), (ALWAYS, LATER)):
            rows = [
                only(fields, ledger, needed, name=name, number=number, result="不通过")
                for name, number in PEOPLE
            ]
            fill(folder, ledger, fields, rows)
        if ledger in ("subsidy", "loan"):
            refused = [only(fields, ledger, (ALWAYS,), result="不通过")]
            fill(folder, ledger, fields, refused)
    said, cleaned = read(folder)
    assert said == []
    assert len(cleaned.tables["roster"]) == 4


@pytest.mark.parametrize("ledger", LEDGERS)
def test_every_word_of_a_list_passes(folder, fields, ledger):
    for other in ("roster", "register"):
        fill(folder, other, fields, [examples(fields, other)])
    rows = [
        examples(fields, ledger, **{field.column: word, "snapshot_on": f"20{year}-12-20"})
        for field in fields[ledger]
        for year, word in enumerate(field.options, 10)
        if field.column not in ("sex", "township")
    ]
    for number, row in enumerate(rows):  # nobody stands twice in one row
        row |= {"number": number_of(number), "sex": "", "contract": f"某贷字第{number}号"}
        row |= {"name": f"张{number}"}
    fill(folder, ledger, fields, rows)
    said, cleaned = read(folder)
    assert [words for words in said if "只有表头" not in words[-1]] == []
    assert len(cleaned.tables[ledger]) == len(rows)


def number_of(order):
    body = f"51999919850607{order:03d}"
    weights = [2 ** (17 - place) for place in range(17)]
    total = sum(int(digit) * weight for digit, weight in zip(body, weights, strict=True))
    return body + "10X98765432"[total % 11]


@pytest.mark.parametrize("end", ["至今", "", "2023-02", "2023年2月", "20230228", "长期"])
def test_an_end_may_be_open_blank_or_a_month(folder, fields, end):
    fill(folder, "roster", fields, [examples(fields, "roster")])
    fill(folder, "register", fields, [examples(fields, "register", end=end)])
    _, cleaned = read(folder)
    assert cleaned.issues.empty
    found = cleaned.tables["register"]["end"].dt.strftime("%Y-%m-%d").tolist()
    assert found == ["2023-02-28"] if end[:2] == "20" else all(day != day for day in found)


def test_a_blank_template_is_a_table_without_rows(folder, fields):
    for ledger in ("roster", "register"):
        fill(folder, ledger, fields, [examples(fields, ledger)])
    said, cleaned = read(folder)
    blank = [f"{LEDGERS[ledger]}.xlsx" for ledger in ("subsidy", "loan", "post")]
    assert said == [[name, "只有表头，没有数据行。"] for name in sorted(blank)]
    assert cleaned.tables["post"].empty


@pytest.mark.parametrize("ledger", LEDGERS)
def test_an_office_can_check_its_own_ledger_alone(folder, fields, ledger):
    for other, name in LEDGERS.items():
        if other != ledger:
            (folder / f"{name}.xlsx").unlink()
    fill(folder, ledger, fields, [examples(fields, ledger)])
    said, cleaned = read(folder)
    assert said == []
    assert len(cleaned.tables[ledger]) == 1


def test_blank_templates_alone_are_said_to_be_blank(folder):
    said, _ = read(folder)
    assert [words for _, words in said] == ["只有表头，没有数据行。"] * 5


def test_headings_are_known_and_nothing_required_is_left_out(folder):
    aliases = load_aliases(REFERENCE)
    for ledger, name in LEDGERS.items():
        grid, guide = read_grids(folder / f"{name}.xlsx", folder)
        ((block,), problems) = find_tables(grid, aliases)
        assert block.table.ledger == ledger and not problems
        assert tuple(block.table.columns) == guidance.COLUMNS[ledger]
        assert not find_tables(guide, aliases)[0] and guide.sheet == GUIDE


def test_no_file_is_overwritten_unless_asked(tmp_path):
    there = tmp_path / "就业登记.xlsx"
    there.write_bytes(b"mine")
    with pytest.raises(EvaluationError, match=r"就业登记\.xlsx"):
        templates.write_templates(REFERENCE, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["就业登记.xlsx"]
    assert there.read_bytes() == b"mine"
    assert len(templates.write_templates(REFERENCE, tmp_path, force=True)) == 5
    assert there.read_bytes()[:2] == b"PK"


def test_numbers_codes_phones_and_dates_are_texts(folder, fields):
    for ledger in LEDGERS:
        sheet = open_template(folder, ledger).worksheets[0]
        for at, field in enumerate(fields[ledger], 1):
            letter = openpyxl.utils.get_column_letter(at)
            text = sheet.column_dimensions[letter].number_format == "@"
            assert text == (field.kind not in templates.NUMBERS), (ledger, field.column)
            assert text or field.column not in ("number", "credit_code", "phone", "contract")


def test_lists_hold_the_usual_words(folder, fields):
    words = {word for values in load_words(REFERENCE).values() for _, word, _ in values}
    words |= set(guidance.list_townships(REFERENCE))
    for ledger in LEDGERS:
        sheet = open_template(folder, ledger).worksheets[0]
        checks = {
            str(check.sqref).split(":")[0]: check
            for check in sheet.data_validations.dataValidation
        }
        for at, field in enumerate(fields[ledger], 1):
            check = checks.get(f"{openpyxl.utils.get_column_letter(at)}{FIRST}")
            if field.options:
                listed = check.formula1.strip('"').split(",")
                assert tuple(listed) == field.options and set(listed) <= words
            if check is not None and check.type == "custom":
                assert len(check.formula1) <= 255 and check.errorStyle == "warning"


def test_every_heading_has_a_note_and_no_cell_a_formula(folder, fields):
    for ledger in LEDGERS:
        book = open_template(folder, ledger)
        sheet, guide = book.worksheets
        for at, field in enumerate(fields[ledger], 1):
            note = sheet.cell(FIRST - 1, at).comment.text
            assert field.needed in note and field.how in note
        assert len(fields[ledger]) + 1 == sum(
            bool(guide.cell(row, 2).value) for row in range(1, guide.max_row + 1)
        )
        cells = [cell for one in book.worksheets for row in one.iter_rows() for cell in row]
        assert all(cell.data_type != "f" for cell in cells)


def test_amounts_say_their_unit_in_the_heading(fields):
    for ledger in LEDGERS:
        for field in fields[ledger]:
            if field.kind == "amount":
                assert field.heading.endswith(("（元）", "（万元）"))


def test_examples_are_nobody(fields):
    prefix = load_district(REFERENCE)["district"]["demonstration_prefix"]
    for ledger in LEDGERS:
        row = examples(fields, ledger)
        assert row["number"].startswith(prefix)
        if "credit_code" in row:
            assert check_credit_code(row["credit_code"])


def test_the_same_template_is_the_same_file(tmp_path):
    one, two = (templates.write_templates(REFERENCE, tmp_path / name) for name in "ab")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]


def test_a_filled_sheet_of_explanations_is_passed_over_and_others_are_not(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = GUIDE
    book.active["A1"] = "怎样填"
    book.create_sheet("其他")["A1"] = "随便写的"
    book.save(tmp_path / "a.xlsx")
    _, problems = read_parts(tmp_path / "a.xlsx", tmp_path, load_aliases(REFERENCE))
    assert [(sheet, level) for _, sheet, level, _ in problems] == [("其他", "error")]


def test_the_command_writes_them_and_refuses_to_overwrite(tmp_path, monkeypatch):
    monkeypatch.setenv("EVALUATION_HOME", str(ROOT))
    target = str(tmp_path / "templates")
    first = CliRunner().invoke(main, ["templates", target])
    assert first.exit_code == 0 and "公益性岗位.xlsx" in first.output
    again = CliRunner().invoke(main, ["templates", target])
    assert again.exit_code == WRONG_USAGE and "没有覆盖" in again.output
    assert CliRunner().invoke(main, ["templates", target, "--force"]).exit_code == 0
