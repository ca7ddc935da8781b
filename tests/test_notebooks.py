"""The rules that keep notebooks readable, parameterized and free of stale numbers."""

import ast
import re

import nbformat
import pytest
from conftest import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
EXPECTED = {
    "1_ledgers": set(),
    "2_panel": {"year"},
    "3_describe": {"year"},
    "4_effect": {"year", "policy", "outcome", "horizon", "subgroup", "panel", "unit", "time"},
    "5_robustness": {"year", "policy"},
    "6_value": {"year"},
    "7_editions": {"year"},
    "8_findings": {"year", "language"},
}
# A year, a count with its unit, a percentage: what a rerun would leave stale in a text cell.
STALE = re.compile(r"(?<![\d.])(?:19|20)\d\d\s*年|\d+(?:\.\d+)?\s*(?:名|人次|万元|个百分点)")
FIXED = ("每100名", "5个百分点", "95%")


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    read = nbformat.read(request.param, as_version=4)
    read.stem = request.param.stem
    return read


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def parse(cell):
    return ast.parse(re.sub(r"^\s*[%!].*$", "", cell.source, flags=re.MULTILINE))


def test_all_eight_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == sorted(EXPECTED)


def test_one_cell_of_literal_parameters(notebook):
    tagged = [c for c in code_cells(notebook) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    names = set()
    for statement in parse(tagged[0]).body:
        assert isinstance(statement, ast.AnnAssign | ast.Assign)
        ast.literal_eval(statement.value)
        target = (
            statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
        )
        names.add(target.id)
    assert EXPECTED[notebook.stem] <= names


def test_cells_are_short_and_few(notebook):
    code = code_cells(notebook)
    assert len(code) <= 30
    long = [c.source for c in code if len(c.source.strip().splitlines()) > 15]
    assert not long


def test_no_definitions_no_path_tricks_no_blanket_filters(notebook):
    for cell in code_cells(notebook):
        for node in ast.walk(parse(cell)):
            assert not isinstance(node, ast.FunctionDef | ast.ClassDef), cell.source
        assert "sys.path" not in cell.source
        assert not re.search(r"filterwarnings\(.ignore.\)", cell.source)
        assert not re.search(r"[\"'](?:/|[A-Za-z]:\\\\|\.\./)", cell.source), cell.source


def test_a_name_is_bound_once(notebook):
    bound = {}
    for number, cell in enumerate(code_cells(notebook)):
        here = set()
        for statement in parse(cell).body:
            targets = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            for target in targets:
                here |= {
                    n.id
                    for n in ast.walk(target)
                    if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
                }
        twice = {name for name in here if name in bound and name != "_"}
        assert not twice, f"{twice} bound in cells {[bound[n] for n in twice]} and {number}"
        bound |= dict.fromkeys(here, number)


def test_no_number_that_a_rerun_would_make_stale_stands_in_text(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            text = cell.source
            for fixed in FIXED:
                text = text.replace(fixed, "")
            assert not STALE.search(text), cell.source


def test_about_one_text_cell_per_code_cell(notebook):
    texts = sum(cell.cell_type == "markdown" for cell in notebook.cells)
    assert texts >= 0.6 * len(code_cells(notebook))


def test_no_outputs_and_no_traces_of_a_run(notebook):
    assert "papermill" not in notebook.metadata
    assert "version" not in notebook.metadata.get("language_info", {})
    for cell in code_cells(notebook):
        assert cell.outputs == [] and cell.execution_count is None
        assert "papermill" not in cell.metadata and "execution" not in cell.metadata
