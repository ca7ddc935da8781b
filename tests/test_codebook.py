"""No column without a meaning, no meaning without a column, and the document says so."""

import json
from collections import Counter

import pandas as pd
import pytest
from click.testing import CliRunner
from conftest import ROOT
from test_build import build_small, make_posts
from test_timing import make_world

from evaluation import codebook
from evaluation.cli import main
from evaluation.errors import EvaluationError
from evaluation.ledgers import clean_tables, declarations
from evaluation.ledgers.clean import check_folder
from evaluation.ledgers.column_types import TYPES
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.usual import load_headings, load_words
from evaluation.panel import declarations as panel
from evaluation.panel import linkage
from evaluation.panel.histories import Histories
from evaluation.panel.sets import KEYS, build_sets
from evaluation.plan import POLICIES, load_plan
from evaluation.tables import check_key

REFERENCE = ROOT / "data" / "reference"


def declared_columns():
    for table in codebook.list_tables():
        for name, column in table.columns.items():
            yield table, name, column


def test_the_codebook_in_the_documentation_is_up_to_date():
    written = (ROOT / "docs" / "codebook.md").read_text(encoding="utf-8")
    assert written == codebook.render_codebook(REFERENCE), (
        "evaluation codebook docs/codebook.md"
    )


def test_the_panel_has_the_declared_columns_and_no_others():
    built = build_small(post=make_posts({"person_id": "a", "started_on": "2020-02-01"}))
    for name in ("persons", "years", "months", "costs"):
        assert list(getattr(built, name)) == list(panel.TABLES[name].columns), name


def test_risk_sets_and_weights_have_the_declared_columns_and_keys():
    world = make_world(
        {"a": "2019-05-06", "b": None, "c": None}, [("a", "unit", "2018-02-01", "2018-09-30")]
    )
    persons = world[0].assign(person_id=world[0]["person_id"].astype("category"))
    built = build_sets("post", Histories(persons, *world[1:], 2020), load_plan(REFERENCE))
    for name, table in built.items():
        assert list(table) == list(panel.TABLES[name].columns), name
        assert KEYS[name] == list(panel.TABLES[name].key)


def test_all_that_the_cleaning_gives_has_the_declared_columns_and_keys(tmp_path):
    number, name = "519999199001010017", "张三"
    (tmp_path / "a.csv").write_text(
        f"姓名,身份证号码,户籍乡镇,现就业状态,采集日期\n{name},{number},,务农,\n"
        f"{name},{number},,务农,2023-12-20\n",
        encoding="utf-8",
    )
    (tmp_path / "b.csv").write_text(
        f"身份证号码,就业形式,开始日期,终止日期\n{number},务农,2020-01-01,\n", encoding="utf-8"
    )
    cleaned = check_folder(tmp_path, REFERENCE)
    assert len(cleaned.issues)
    others = ("accounting", "issues", "corrections", "private_hashes")
    written = {**cleaned.tables, **{name: getattr(cleaned, name) for name in others}}
    assert {*written} == {*clean_tables.TABLES}
    for name, table in written.items():
        assert list(table) == list(clean_tables.TABLES[name].columns), name
        check_key(table, list(clean_tables.TABLES[name].key), name)


def test_every_column_says_what_it_means_in_both_languages():
    for table, name, column in declared_columns():
        assert column.zh and column.en and column.kind in TYPES, (table.path, name)
        assert bool(column.rule[0]) == bool(column.rule[1]), (table.path, name)
        assert bool(column.unit[0]) == bool(column.unit[1]), (table.path, name)


def test_every_key_is_a_column():
    for table in codebook.list_tables():
        assert set(table.key) <= set(table.columns), table.path


def test_what_a_column_is_made_from_exists():
    typed = load_headings(REFERENCE)
    known = {
        f"{ledger}.{name}" for ledger in LEDGERS for name in clean_tables.TABLES[ledger].columns
    }
    known |= {f"{name}.{c}" for name, table in panel.TABLES.items() for c in table.columns}
    for table, name, column in declared_columns():
        for source in column.made_from:
            if "." in source:
                assert source in known, (table.path, name, source)
            else:
                ledgers = [x for x in LEDGERS if name in clean_tables.TABLES[x].columns]
                assert any((ledger, source) in typed.index for ledger in ledgers), (
                    name,
                    source,
                )


def test_every_typed_column_is_declared():
    for ledger, name in load_headings(REFERENCE).index:
        known = {*declarations.TYPED, *declarations.CLEAN[ledger]}
        assert name in known, (ledger, name)


def test_values_are_those_of_the_words_in_cells():
    described = codebook.describe_columns(REFERENCE).set_index(["table", "column"])
    status = described.loc[("clean/roster.parquet", "status")]
    for value, word, _ in load_words(REFERENCE)["status"]:
        assert f"`{value}` {word}" in status["values_zh"]
    rural = described.loc[("panel/<year>/persons.parquet", "post_rural"), "values_en"]
    assert rural == "`1` rural; `0` urban"


def test_every_coded_column_lists_its_codes():
    lists = codebook.load_lists(REFERENCE)
    for table, name, column in declared_columns():
        if column.kind == "word" and name != "kind":
            assert codebook.find_values(name, column, lists), (table.path, name)


def test_policies_are_named_as_the_plan_names_them():
    costs = codebook.find_values("policy", panel.COSTS["policy"], {})
    assert [code for code, _, _ in costs] == list(POLICIES)


def test_the_ways_of_linking_are_those_there_are():
    ways = [code for code, _, _ in panel.PERSONS["link_pass"].values]
    assert ways == list(linkage.ORDER)


def test_each_table_stands_once():
    assert max(Counter(table.path for table in codebook.list_tables()).values()) == 1


def test_the_ending_decides_the_form(tmp_path):
    for name in ("a.md", "a.csv", "a.json"):
        codebook.write_codebook(REFERENCE, tmp_path / name)
    table = pd.read_csv(tmp_path / "a.csv", encoding="utf-8-sig", keep_default_na=False)
    assert not table.duplicated(["table", "column"]).any()
    assert len(table) == sum(1 for _ in declared_columns())
    with pytest.raises(EvaluationError, match="docx"):
        codebook.write_codebook(REFERENCE, tmp_path / "a.docx")


def test_schemas_use_the_types_of_the_standard():
    package = json.loads(codebook.render_schemas(REFERENCE))
    roster = next(r for r in package["resources"] if r["name"] == "clean-roster")["schema"]
    fields = {field["name"]: field for field in roster["fields"]}
    assert fields["schooling"]["constraints"] == {"enum": [1, 2, 3, 4]}
    assert fields["snapshot_on"]["type"] == "date"
    assert set(roster["primaryKey"]) <= set(fields)
    kinds = {f["type"] for r in package["resources"] for f in r["schema"]["fields"]}
    assert kinds <= {"date", "integer", "number", "string"}
    names = [r["name"] for r in package["resources"]]
    assert len(set(names)) == len(names)


def test_the_command_prints_the_codebook(monkeypatch):
    monkeypatch.setenv("EVALUATION_HOME", str(ROOT))
    shown = CliRunner().invoke(main, ["codebook"])
    assert (
        shown.exit_code == 0 and "# 编码手册" in shown.output and "# Codebook" in shown.output
    )
