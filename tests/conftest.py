"""A tiny project of stub notebooks, so that the batch is tested without the analysis."""

import shutil
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest

from evaluation.batch.warm import process

ROOT = Path(__file__).resolve().parents[1]


def write_notebook(path: Path, parameters: str, *cells: str) -> None:
    """Write a notebook with a ``parameters`` cell and code cells."""
    notebook = nbformat.v4.new_notebook()
    first = nbformat.v4.new_code_cell(parameters, id="parameters")
    first.metadata["tags"] = ["parameters"]
    others = [nbformat.v4.new_code_cell(text, id=f"cell{n}") for n, text in enumerate(cells)]
    notebook.cells = [first, *others]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)


def edit(path: Path, old: str, new: str) -> None:
    """Change a text file; what is to be changed must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def append(path: Path, text: str = "\n") -> None:
    """Write something behind a text file, its mark of the encoding apart."""
    path.write_text(path.read_text(encoding="utf-8-sig") + text, encoding="utf-8")


@pytest.fixture(scope="session")
def warm_process():
    """One warm process for all notebooks of the tests, where the platform can."""
    with process.open_warm_process() if process.can_fork() else nullcontext():
        yield


@pytest.fixture
def small_project(tmp_path, monkeypatch, warm_process):
    """A project whose notebooks write one small table each; environment cleaned."""
    enter_project(tmp_path, monkeypatch)
    return make_small_project(tmp_path)


def enter_project(place: Path, monkeypatch) -> None:
    """Let this project be the one, whatever the environment said."""
    for name in ("LEDGERS", "OUT", "KEY_FILE"):
        monkeypatch.delenv(f"EVALUATION_{name}", raising=False)
    monkeypatch.setenv("EVALUATION_HOME", str(place))


def make_small_project(place: Path) -> Path:
    """Write the small project's reference data, ledgers and notebooks."""
    shutil.copytree(ROOT / "data" / "reference", place / "data" / "reference")
    for year in (2023, 2024):
        ledger = place / "data" / "ledgers" / str(year) / "a.csv"
        ledger.parent.mkdir(parents=True)
        ledger.write_text("姓名\n", encoding="utf-8")
    load = "from evaluation.paths import locate\nfolders = locate()"
    write = (
        "import pandas as pd\nfrom evaluation.tables import publish_table\n"
        'table = pd.DataFrame({{"policy": ["all"], "value": [{value}]}})\n'
        'publish_table(table, {name}, folders, year, key=["policy"], exempt=True);'
    )
    clean = (
        "import pandas as pd\nfrom evaluation.tables import write_table\n"
        'write_table(pd.DataFrame({"a": [1]}), folders.clean / "roster.parquet", key=["a"]);'
    )
    notebooks = place / "notebooks"
    write_notebook(notebooks / "1_ledgers.ipynb", "show_rows: int = 20", load, clean)
    year = "year: int = 2024  # 评估年度"
    write_notebook(
        notebooks / "2_panel.ipynb", year, load, write.format(value=1, name='"funnel"')
    )
    write_notebook(
        notebooks / "4_effect.ipynb",
        f'{year}\npolicy: str = "loan"',
        load,
        write.format(value="year", name='f"paths_{policy}"'),
    )
    write_notebook(
        notebooks / "7_editions.ipynb", year, load, write.format(value=7, name='"revisions"')
    )
    return place
