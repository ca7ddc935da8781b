"""What a run rests on and why it runs again, from receipts alone; no kernel starts here."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, append
from filelock import FileLock

from evaluation.batch import freshness, inputs
from evaluation.batch.freshness import Reason, find_reasons, survey
from evaluation.batch.receipts import (
    Run,
    executed_path,
    note_start,
    read_receipt,
    receipt_path,
    report_path,
    write_json,
)
from evaluation.batch.session import is_running
from evaluation.batch.status import look
from evaluation.batch.summary import group_reasons
from evaluation.paths import locate
from evaluation.trace import PACKAGE, read_trace

PANEL, EFFECT = Run("2_panel", 2024), Run("4_effect", 2024, "post")


def finish(run, *read, tables=("a.csv",), traced=True):
    """Leave what a run leaves that read these files; returns the folders."""
    folders = locate()
    executed = executed_path(folders, run)
    products = [executed, *(folders.edition(run.year or 0) / name for name in tables)]
    for product in products:
        product.parent.mkdir(parents=True, exist_ok=True)
        product.write_text(run.name, encoding="utf-8")
    note = folders.data / "note.txt"
    lines = [Path(PACKAGE, "__init__.py"), *read] if traced else []
    note.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    inputs.write_receipt(folders, run, products, note, time.time() + 1)
    note.unlink()
    return folders


def reasons(run):
    return [str(reason) for reason in find_reasons(locate(), run)]


def test_only_a_file_that_was_read_matters(small_project):
    reference = small_project / "data" / "reference"
    finish(PANEL, reference / "words.csv", reference / "analysis_plan.toml")
    assert reasons(PANEL) == []
    append(reference / "sentences.toml")
    assert reasons(PANEL) == []
    append(reference / "words.csv")
    assert reasons(PANEL) == ["words.csv 变了"]
    (reference / "words.csv").unlink()
    assert reasons(PANEL) == ["words.csv 不在了"]


def test_a_file_that_was_looked_for_in_vain_matters_once_it_is_there(small_project):
    wanted = small_project / "data" / "reference" / "extra.csv"
    finish(PANEL, wanted)
    assert reasons(PANEL) == []
    wanted.write_text("a", encoding="utf-8")
    assert reasons(PANEL) == ["新增 extra.csv"]


def test_a_run_of_which_nothing_is_known_rests_on_everything(small_project):
    finish(PANEL, traced=False)
    assert not read_receipt(locate(), PANEL)["traced"]
    assert reasons(PANEL) == []
    append(small_project / "data" / "reference" / "sentences.toml")
    (small_project / "data" / "reference" / "new.csv").write_text("a", encoding="utf-8")
    assert reasons(PANEL) == ["新增 new.csv", "sentences.toml 变了"]


def test_a_module_is_an_input_relative_to_the_package(small_project, monkeypatch):
    module = Path(PACKAGE, "panel", "timing.py")
    finish(PANEL, module)
    assert "package:panel/timing.py" in read_receipt(locate(), PANEL)["inputs"]
    real = inputs.file_hash
    monkeypatch.setattr(inputs, "file_hash", lambda p: "new" if p == module else real(p))
    assert reasons(PANEL) == ["panel/timing.py 变了"]


def test_a_researchers_own_module_counts(small_project):
    own = small_project / "notebooks" / "own.py"
    own.write_text("x = 1\n", encoding="utf-8")
    finish(PANEL, own)
    append(own, "y = 2\n")
    assert reasons(PANEL) == ["own.py 变了"]


def test_no_receipt_no_rest(small_project):
    folders = locate()
    assert reasons(PANEL) == ["还没有运行过"]
    note_start(folders, PANEL)
    assert reasons(PANEL) == ["上次运行中断了"]
    write_json(report_path(folders, PANEL), {"seconds": 1, "error": "E", "message": "m"})
    assert reasons(PANEL) == ["上次没有完成"]
    write_json(receipt_path(folders, PANEL), {"../outputs/2024/a.csv": "0"})
    assert find_reasons(folders, PANEL) == (Reason("old"),)
    receipt_path(folders, PANEL).write_text("{", encoding="utf-8")  # damaged
    assert reasons(PANEL) == ["上次没有完成"]


def test_what_began_is_running_only_while_a_batch_holds_the_project(small_project):
    folders = locate()
    note_start(folders, PANEL)
    with FileLock(folders.runs / "lock"):
        assert is_running(folders)
        assert [s.state for s in look(folders, [PANEL], running=True)] == ["running"]
    assert not is_running(folders)
    assert [s.state for s in look(folders, [PANEL])] == ["stale"]


def test_product_gone_or_changed_by_hand(small_project):
    folders = finish(PANEL, tables=("a.csv", "b.csv"))
    (folders.edition(2024) / "a.csv").write_text("by hand", encoding="utf-8")
    (folders.edition(2024) / "b.csv").unlink()
    assert reasons(PANEL) == ["它的结果 a.csv 被改动过", "它的结果 b.csv 不在了"]


def test_other_parameters_and_another_notebook(small_project):
    folders = finish(PANEL)
    receipt = read_receipt(folders, PANEL)
    write_json(receipt_path(folders, PANEL), receipt | {"parameters": {"year": 2023}})
    assert reasons(PANEL) == ["参数变了"]
    finish(PANEL)
    append(small_project / "notebooks" / "2_panel.ipynb")
    assert reasons(PANEL) == ["2_panel.ipynb 变了"]


def test_what_was_changed_while_it_was_read_is_not_trusted(small_project):
    words = small_project / "data" / "reference" / "words.csv"
    folders = finish(PANEL, words)
    receipt = read_receipt(folders, PANEL)
    later = time.time() + 60
    os.utime(words, (later, later))
    note = folders.data / "note.txt"
    note.write_text(f"{Path(PACKAGE, '__init__.py')}\n{words}\n", encoding="utf-8")
    inputs.write_receipt(folders, PANEL, [], note, time.time())
    assert reasons(PANEL) == ["words.csv 在运行期间被改动"]
    assert receipt["inputs"]["project:data/reference/words.csv"] != inputs.UNSURE


def test_receipt_holds_neither_clock_nor_path_of_the_machine(small_project):
    folders = finish(EFFECT, small_project / "data" / "reference" / "words.csv")
    text = receipt_path(folders, EFFECT).read_text(encoding="utf-8")
    assert str(small_project) not in text and PACKAGE not in text
    finish(EFFECT, small_project / "data" / "reference" / "words.csv")
    assert receipt_path(folders, EFFECT).read_text(encoding="utf-8") == text


def test_ledgers_are_counted_as_a_list(small_project):
    ledgers = small_project / "data" / "ledgers"
    run = Run("1_ledgers")
    finish(run)
    assert reasons(run) == []
    (ledgers / "2024" / "b.csv").write_text("姓名\n", encoding="utf-8")
    assert reasons(run) == ["新增 台账 2024/b.csv"]
    append(ledgers / "2023" / "a.csv")
    (ledgers / "2024" / "b.csv").unlink()
    (ledgers / "2024" / "a.csv").unlink()
    assert reasons(run) == ["台账 2023/a.csv 变了", "台账 2024/a.csv 不在了"]


def test_the_key_of_the_pseudonyms_counts(small_project):
    key = locate().key_file
    key.write_text("00", encoding="ascii")
    finish(Run("1_ledgers"))
    key.write_text("01", encoding="ascii")
    assert reasons(Run("1_ledgers")) == ["密钥 pseudonym.key 变了"]


def test_tables_handed_on_count_but_not_the_notebook_that_made_them(small_project):
    finish(Run("1_ledgers"))
    folders = finish(PANEL)
    finish(EFFECT)
    receipt = read_receipt(folders, PANEL)
    executed = "../outputs/2024/notebooks/2_panel.ipynb"
    receipt["products"][executed] = "another"
    receipt["inputs"]["project:notebooks/2_panel.ipynb"] = "another"
    write_json(receipt_path(folders, PANEL), receipt)
    assert reasons(EFFECT) == []
    receipt["products"]["../outputs/2024/a.csv"] = "another"
    write_json(receipt_path(folders, PANEL), receipt)
    assert reasons(EFFECT) == ["2_panel 的结果 变了"]


def test_an_earlier_edition_that_appears_or_disappears_matters(small_project):
    run = Run("7_editions", 2024)
    folders = finish(run)
    assert reasons(run) == []
    earlier = Run("4_effect", 2023, "post")
    finish(earlier)
    assert reasons(run) == ["新增 上一版的 4_effect_post 的结果"]
    finish(run)
    receipt_path(folders, earlier).unlink()
    assert reasons(run) == ["上一版的 4_effect_post 的结果 不在了"]
    frozen = folders.published(2023) / "estimates_post.csv"
    finish(run)
    frozen.parent.mkdir(parents=True)
    frozen.write_text("a", encoding="utf-8")
    assert reasons(run) == ["新增 已公布的 2023"]


def test_a_table_that_the_rules_do_not_know_is_found_in_the_trace(small_project):
    table = locate().edition(2024) / "revisions.csv"
    finish(Run("7_editions", 2024), tables=(table.name,))
    finish(EFFECT, table)
    assert reasons(EFFECT) == []
    table.write_text("other", encoding="utf-8")
    assert reasons(EFFECT) == ["revisions.csv 变了"]


def test_what_follows_a_run_that_moves_waits_for_its_tables(small_project):
    finish(Run("1_ledgers"))
    finish(PANEL)
    folders = finish(EFFECT)
    append(small_project / "notebooks" / "2_panel.ipynb")
    found = survey(folders, [Run("1_ledgers"), PANEL, EFFECT])
    assert [outlook.state for outlook in found.values()] == ["fresh", "stale", "waiting"]
    assert list(map(str, found[EFFECT].reasons)) == ["要看 2_panel 重新运行的结果"]


def test_a_reason_is_said_once_with_the_runs_that_it_touches():
    changed = Reason("input_changed", "words.csv")
    touched = {Run("2_panel", year): (changed,) for year in (2021, 2022, 2023)}
    touched |= {Run("3_describe", year): (changed,) for year in (2021, 2022, 2023)}
    touched[Run("1_ledgers")] = (Reason("parameters"), changed)
    touched[Run("7_editions", 2023)] = (Reason("upstream", "4_effect_post"),)
    assert group_reasons(touched) == [
        ("words.csv 变了", "2_panel、3_describe（2021—2023）；1_ledgers"),
        ("参数变了", "1_ledgers"),
        ("所依据的结果若变了才重算", "7_editions（2023）"),
    ]


HOOK = """
import csv, sys
import evaluation
before = len(sys.modules)
from evaluation.findings import figures, page, parts
figures.use_style()
parts.templates().get_template("parts.html.j2")
import pandas as pd
pd.read_csv(sys.argv[1])
open("analysis_plan.toml", "rb").close()
open("written.txt", "w").close()
def late():
    import evaluation.panel.months
late()
"""


def traced(code, *arguments, cwd, note, home=ROOT):
    variables = {"EVALUATION_READ": str(note), "EVALUATION_HOME": str(home)}
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVALUATION_")}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    subprocess.run(command, check=True, cwd=cwd, env=kept | variables)
    return [str(path) for path in read_trace(note)]


def test_modules_fonts_templates_and_reference_files_are_noted_once(small_project, tmp_path):
    """Also what is imported late, read by pandas, or named relative to the folder."""
    reference, note = small_project / "data" / "reference", tmp_path / "note.txt"
    noted = traced(HOOK, reference / "places.csv", cwd=reference, note=note, home=tmp_path)
    assert len(noted) == len(set(noted))
    for name in (
        "__init__.py",
        "findings/figures.py",
        "findings/fonts/EvaluationSansSC-Bold.otf",
        "findings/template/parts.html.j2",
        "panel/months.py",
    ):
        assert str(Path(PACKAGE, name)) in noted
    assert {str(reference / "places.csv"), str(reference / "analysis_plan.toml")} <= set(noted)
    assert str(reference / "written.txt") not in noted
    assert not [path for path in noted if "site-packages" in path]
    # A fingerprint over all modules, or the others of a room, make no dependency.
    assert str(Path(PACKAGE, "panel", "build.py")) not in noted


EXPORT = """
import sys
from pathlib import Path
from evaluation.findings.page import export_page
export_page(Path(sys.argv[1]), Path(sys.argv[2]))
"""


def test_the_export_of_the_page_reads_nothing_that_is_not_declared(tmp_path):
    """It runs in the batch itself, where no hook listens."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 一")])
    nbformat.write(notebook, tmp_path / "in.ipynb")
    noted = traced(
        EXPORT, tmp_path / "in.ipynb", tmp_path / "out.html", cwd=ROOT, note=tmp_path / "note"
    )
    declared = inputs.declared_inputs(locate(ROOT), Run("8_findings", 2024, language="zh"))
    known = {str(inputs.find_input(locate(ROOT), label)) for label in declared}
    assert set(noted) - known == set()
    assert len(noted) > 10


def test_nothing_noted_means_nothing_known(tmp_path):
    assert read_trace(tmp_path / "none.txt") == []
    (tmp_path / "note.txt").write_text("/somewhere/else.csv\n", encoding="utf-8")
    assert read_trace(tmp_path / "note.txt") == []


@pytest.mark.parametrize("kind", sorted(freshness._WORDS))
def test_every_reason_has_words(kind):
    assert str(Reason(kind, "x.csv"))


def test_reports_are_json_with_chinese_left_readable(small_project):
    folders = locate()
    write_json(report_path(folders, PANEL), {"message": "没有对照人员"})
    assert "没有对照人员" in report_path(folders, PANEL).read_text(encoding="utf-8")
    assert json.loads(report_path(folders, PANEL).read_text(encoding="utf-8"))
