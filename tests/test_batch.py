"""Editions × notebooks: only what changed runs, a failure stays alone."""

import json

import nbformat
import pytest
from click.testing import CliRunner
from conftest import ROOT, write_notebook

from evaluation import cli
from evaluation.batch import graph
from evaluation.batch.execution import check_parameters
from evaluation.batch.receipts import Run, receipt_path
from evaluation.batch.session import open_session
from evaluation.batch.stages import build_stage
from evaluation.errors import EvaluationError
from evaluation.paths import locate

NOTEBOOKS = ROOT / "notebooks"


def run_batch(*years, jobs=1, force=False):
    """Run all stages as the command does; outcomes by name."""
    folders = locate()
    outcomes = []
    with open_session(folders, engine=None, memory=None, minutes=5, jobs=jobs):
        for stage in graph.plan_stages(list(years), folders.notebooks):
            outcomes += build_stage(folders, stage, jobs=jobs, force=force)
    return {outcome.run.name: outcome for outcome in outcomes}


def states(outcomes):
    return {name: outcome.state for name, outcome in outcomes.items()}


def test_only_what_depends_on_a_change_runs_again(small_project):
    first = states(run_batch(2024))
    assert set(first.values()) == {"done"}
    assert {"1_ledgers", "2024.4_effect_post", "2024.7_editions"} <= set(first)
    assert set(states(run_batch(2024)).values()) == {"unchanged"}

    year = "year: int = 2024"
    write_notebook(small_project / "notebooks" / "7_editions.ipynb", year, "year + 1")
    # A product that was changed by hand is made again.
    (small_project / "outputs" / "2024" / "funnel.csv").write_text("changed", encoding="utf-8")
    again = states(run_batch(2024))
    assert {name for name, state in again.items() if state == "done"} == {
        "2024.2_panel",
        "2024.7_editions",
    }


def test_a_failing_notebook_stops_neither_other_years_nor_leaves_a_product(small_project):
    (small_project / "notebooks" / "4_effect.ipynb").unlink()
    write_notebook(
        small_project / "notebooks" / "2_panel.ipynb",
        "year: int = 2024",
        "from evaluation.errors import EstimationError",
        'if year == 2023:\n    raise EstimationError("没有对照人员。")',
    )
    outcomes = run_batch(2023, 2024)
    assert outcomes["2023.2_panel"].state == "failed"
    assert outcomes["2023.2_panel"].message == "第4个单元格：没有对照人员。"
    assert outcomes["2023.7_editions"].state == "skipped"
    assert outcomes["2024.7_editions"].state == "done"
    assert not (small_project / "outputs" / "2023" / "notebooks" / "2_panel.ipynb").exists()
    assert (small_project / "data" / "failed" / "2023" / "2_panel.ipynb").is_file()


@pytest.mark.parametrize("after", [["done = True"], []])
def test_sys_exit_in_a_cell_is_not_taken_for_success(small_project, after):
    write_notebook(
        small_project / "notebooks" / "1_ledgers.ipynb",
        "show_rows: int = 20",
        "import sys\nsys.exit()\ndone = True",
        *after,
    )
    outcomes = run_batch(2024)
    assert outcomes["1_ledgers"].state == "failed"
    assert "第2个单元格用 sys.exit" in outcomes["1_ledgers"].message
    assert outcomes["2024.2_panel"].state == "skipped"


def test_what_a_run_leaves_and_that_a_ledger_taken_away_is_noticed(small_project):
    for unused in ("2_panel", "7_editions"):
        (small_project / "notebooks" / f"{unused}.ipynb").unlink()
    effect = small_project / "notebooks" / "4_effect.ipynb"
    notebook = nbformat.read(effect, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("object()", id="object"))
    nbformat.write(notebook, effect)
    run_batch(2024)
    executed = small_project / "outputs" / "2024" / "notebooks" / "4_effect_post.ipynb"
    text = executed.read_text(encoding="utf-8")
    assert str(small_project) not in text and "start_time" not in text
    assert "<object>" in text  # without its address, another one each time
    assert json.loads(text)["metadata"]["papermill"] == {
        "parameters": {"policy": "post", "year": 2024}
    }
    receipt = receipt_path(locate(), Run("4_effect", 2024, "post"))
    said = json.loads(receipt.read_text(encoding="utf-8"))
    assert sorted(path.rsplit("/")[-1] for path in said["products"]) == [
        "4_effect_post.ipynb",
        "paths_post.csv",
    ]
    assert said["traced"]
    assert not [label for label in said["inputs"] if label.startswith("package:batch/")]

    (small_project / "data" / "ledgers" / "2023" / "a.csv").unlink()
    again = states(run_batch(2024))
    assert again["1_ledgers"] == "done"
    assert again["2024.4_effect_post"] == "unchanged"  # the clean tables are the same


def test_notebook_without_the_parameter_is_refused_before_anything_runs(small_project):
    write_notebook(small_project / "notebooks" / "2_panel.ipynb", "yaer: int = 2024", "1")
    with pytest.raises(EvaluationError, match=r"2_panel.*year"):
        check_parameters([Run("2_panel", 2024)], small_project / "notebooks")


def test_year_without_data_is_refused_with_the_years_that_have_some():
    with pytest.raises(EvaluationError, match="2020 年没有台账数据"):
        graph.choose_editions([2023, 2024], [2020, 2024])
    assert graph.choose_editions([2019, 2021, 2024], None) == [2021, 2024]
    assert graph.choose_editions([2019], None) == [2019]


def test_command_line_says_wrong_usage_by_its_exit_code(small_project):
    runner = CliRunner()
    result = runner.invoke(cli.main, ["run", "--years", "1999"])
    assert result.exit_code == cli.WRONG_USAGE and "1999 年没有台账数据" in result.output
    assert runner.invoke(cli.main, ["run", "--years", "abc"]).exit_code == cli.WRONG_USAGE
    assert not (small_project / "outputs").exists()


@pytest.mark.parametrize(
    ("text", "years"),
    [("2024", [2024]), ("2021-2023", [2021, 2022, 2023]), ("2021,2024", [2021, 2024])],
)
def test_years_are_read(text, years):
    assert cli.Years().convert(text, None, None) == years


def test_every_input_of_an_edition_comes_from_the_same_or_an_earlier_stage():
    """An input of a later stage would never exist, and the run would be skipped."""
    stages = graph.plan_stages([2023, 2024], NOTEBOOKS)
    for number, stage in enumerate(stages):
        assert stage
        earlier = [run for each in stages[: number + 1] for run in each]
        for run in stage:
            read = graph.upstream(run, NOTEBOOKS) + graph.before(run, NOTEBOOKS)
            assert {other for other in read if other.year != 2022} <= set(earlier), run.name


def test_what_a_removed_notebook_read_is_read_by_those_after_it(small_project):
    notebooks = small_project / "notebooks"
    assert graph.upstream(Run("4_effect", 2024, "post"), notebooks) == [Run("2_panel", 2024)]
    (notebooks / "2_panel.ipynb").unlink()
    assert graph.upstream(Run("4_effect", 2024, "post"), notebooks) == [Run("1_ledgers")]


def test_personal_data_in_any_product_stop_the_run_and_nothing_is_put_in_place(small_project):
    """Scanned where products are put in place: also what no table function wrote."""
    write_notebook(
        small_project / "notebooks" / "7_editions.ipynb",
        "year: int = 2024",
        "from evaluation.files import write_whole\nfrom evaluation.paths import locate",
        "folder = locate().edition(year)\n"
        'write_whole(folder / "a.csv", lambda path: path.write_text("n,1"))\n'
        "drawn = '<svg><text>1380013' + '8000</text></svg>'\n"
        'write_whole(folder / "b.svg", lambda path: path.write_text(drawn));',
    )
    outcome = run_batch(2024)["2024.7_editions"]
    assert outcome.state == "failed"
    assert outcome.message == "不能公布：2024/b.svg（第1行）：手机号码。"
    edition = small_project / "outputs" / "2024"
    assert not list(edition.glob("[ab.]*.*")) and (edition / "funnel.csv").is_file()


def test_no_notebook_changes_a_frozen_edition(small_project):
    write_notebook(
        small_project / "notebooks" / "7_editions.ipynb",
        "year: int = 2024",
        "from evaluation.files import write_whole\nfrom evaluation.paths import locate",
        'place = locate().outputs / "published" / "2023" / "funnel.csv"\n'
        'write_whole(place, lambda path: path.write_text("n,1"));',
    )
    outcome = run_batch(2024)["2024.7_editions"]
    assert outcome.state == "failed" and "冻结" in outcome.message
    assert not list((small_project / "outputs" / "published").rglob("*.csv"))


def test_a_warning_of_a_cell_neither_names_a_folder_nor_stops_the_run(small_project):
    write_notebook(
        small_project / "notebooks" / "7_editions.ipynb",
        "year: int = 2024",
        'import warnings\nwarnings.warn("rank-deficient", stacklevel=1)',
    )
    assert run_batch(2024)["2024.7_editions"].state == "done"
    executed = small_project / "outputs" / "2024" / "notebooks" / "7_editions.ipynb"
    assert "cell.py:2: UserWarning" in executed.read_text(encoding="utf-8")
