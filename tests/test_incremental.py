"""A change reruns exactly what depends on it: the command line on a copy of the package."""

import os
import shutil
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from conftest import ROOT, append, write_notebook

START = (
    "from evaluation.files import write_whole\n"
    "from evaluation.paths import locate\n"
    "folders = locate()"
)
WRITE = "write_whole(folders.{place}, lambda path: path.write_text({text}, encoding='utf-8'));"
YEAR = "year: int = 2024  # 评估年度"
PAGE = {"2024.8_findings", "2024.8_findings_en"}


@pytest.fixture(scope="module")
def project(tmp_path_factory, warm_process):
    """Five runs of one edition; the package is a copy, so that a test may change it."""
    home = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "data" / "reference", home / "data" / "reference")
    shutil.copytree(
        ROOT / "src", home / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    (home / "src" / "evaluation" / "effects" / "only_value.py").write_text("RATE = 2\n")
    ledger = home / "data" / "ledgers" / "2024" / "a.csv"
    ledger.parent.mkdir(parents=True)
    ledger.write_text("姓名\n甲\n", encoding="utf-8")
    notebooks = home / "notebooks"
    write_notebook(
        notebooks / "1_ledgers.ipynb",
        "show_rows: int = 20",
        START,
        "words = (folders.reference / 'words.csv').read_bytes()\n"
        "files = sorted(folders.ledgers.rglob('*.csv'))\n"
        "rows = {row for f in files for row in f.read_text(encoding='utf-8').split()}",
        WRITE.format(place="clean / 'rows.csv'", text="' '.join(sorted(rows))"),
    )
    write_notebook(
        notebooks / "2_panel.ipynb",
        YEAR,
        START,
        "rows = (folders.clean / 'rows.csv').read_text(encoding='utf-8').split()",
        WRITE.format(place="edition(year) / 'funnel.csv'", text="str(len(rows))"),
    )
    write_notebook(
        notebooks / "6_value.ipynb",
        YEAR,
        START,
        "from evaluation.effects.only_value import RATE",
        WRITE.format(place="edition(year) / 'value.csv'", text="str(RATE)"),
    )
    write_notebook(
        notebooks / "8_findings.ipynb",
        f'{YEAR}\nlanguage: str = "zh"',
        START,
        "from evaluation.plan import load_toml\n"
        "words = load_toml(folders.reference / 'sentences.toml')",
        "(folders.edition(year) / 'value.csv').read_text()",
    )
    result = call(home, "run")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "原因：" not in result.stdout and "没有变化" not in result.stdout
    return home


def environment(home):
    warm = ("EVALUATION_WARM",)  # of all tests: it has loaded no module of the package
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVALUATION_") or k in warm}
    return kept | {
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": str(home / "src"),
        "EVALUATION_HOME": str(home),
    }


def call(home, command, *options, code=None):
    """Run a command as a user does, or code with the same environment."""
    start = ["-c", code] if code else ["-m", "evaluation.cli", command, *options]
    return subprocess.run(
        [sys.executable, *start],
        cwd=home,
        env=environment(home),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def run(home, *options):
    """Run the batch; which runs wrote their receipt anew, and what was printed."""
    receipts = home / "data" / "runs" / "receipts"
    before = {path.stem: path.stat().st_mtime_ns for path in receipts.iterdir()}
    result = call(home, "run", "--jobs", "1", *options)
    assert result.returncode == 0, result.stdout + result.stderr
    after = {path.stem: path.stat().st_mtime_ns for path in receipts.iterdir()}
    ran = {name for name in after if after[name] != before.get(name)}
    return SimpleNamespace(ran=ran, said=result.stdout)


HEAVY = """
import sys
from evaluation.cli import main
try:
    main({command}, standalone_mode=False)
except SystemExit as end:
    print("code", end.code)
print("heavy", sorted({{"pandas", "papermill", "pytask", "numpy"}} & set(sys.modules)))
"""


def test_where_nothing_changed_nothing_heavy_is_imported(project):
    for command in ("run", "status"):
        result = call(project, "", code=HEAVY.format(command=[command]))
        assert "code 0" in result.stdout and "heavy []" in result.stdout, result.stdout
    assert run(project).ran == set()


def test_a_reference_file_of_the_page_and_a_template_which_the_batch_itself_reads(project):
    append(project / "data" / "reference" / "sentences.toml", "\n# 注\n")
    append(project / "src" / "evaluation" / "findings" / "template" / "page.css", "\n")
    done = run(project)
    assert done.ran == PAGE
    assert "sentences.toml 变了：8_findings（2024）" in done.said
    assert "findings/template/page.css 变了：8_findings（2024）" in done.said


def test_a_reference_file_that_only_the_ledgers_read(project):
    append(project / "data" / "reference" / "words.csv", "\n")
    assert run(project).ran == {"1_ledgers"}  # the clean tables came out the same


def test_a_module_that_one_notebook_uses(project):
    """Nothing follows where its tables stay the same, and what reads them where not."""
    module = project / "src" / "evaluation" / "effects" / "only_value.py"
    append(module, "# 注\n")
    done = run(project)
    assert done.ran == {"2024.6_value"}
    assert "effects/only_value.py 变了：6_value（2024）" in done.said
    module.write_text("RATE = 3\n", encoding="utf-8")
    done = run(project)
    assert done.ran == {"2024.6_value", *PAGE}
    assert "6_value 的结果 变了：8_findings（2024）" in done.said


def test_a_module_of_the_batch_concerns_no_notebook(project):
    append(project / "src" / "evaluation" / "batch" / "summary.py", "# 注\n")
    assert run(project).ran == set()


def test_one_notebook(project):
    path = project / "notebooks" / "2_panel.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("一句话。"))
    nbformat.write(notebook, path)
    done = run(project)
    assert done.ran == {"2024.2_panel"}
    assert "2_panel.ipynb 变了" in done.said


def test_one_ledger_changed_and_one_added(project):
    ledgers = project / "data" / "ledgers" / "2024"
    append(ledgers / "a.csv", "乙\n")
    done = run(project)
    assert done.ran == {"1_ledgers", "2024.2_panel", "2024.6_value", *PAGE}
    assert "台账 2024/a.csv 变了：1_ledgers" in done.said
    (ledgers / "b.csv").write_text("姓名\n", encoding="utf-8")
    done = run(project)
    assert done.ran == {"1_ledgers"}
    assert "新增 台账 2024/b.csv：1_ledgers" in done.said


def test_status_says_what_the_run_then_does_and_writes_only_its_page(project):
    module = project / "src" / "evaluation" / "effects" / "only_value.py"
    append(module, "# 又一注\n")
    folder = project / "data" / "runs"
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file()}
    result = call(project, "status")
    after = {path: path.stat().st_mtime_ns for path in project.rglob("*") if path.is_file()}
    assert {p for p in after if after[p] != before.get(p)} == {folder / "status.html"}
    assert result.returncode == 1
    assert "effects/only_value.py 变了：6_value（2024）" in result.stdout
    assert "最新 2，将运行 1，看上游 2" in result.stdout
    page = (folder / "status.html").read_text(encoding="utf-8")
    assert "effects/only_value.py 变了" in page and "<script" not in page
    assert 'href="../../outputs/2024/notebooks/6_value.ipynb"' in page
    assert 'href="../../outputs/2024/findings.html"' in page
    assert run(project).ran == {"2024.6_value"}
    assert call(project, "status").returncode == 0


def test_a_failure_is_shown_with_its_message_and_notebook(project):
    module = project / "src" / "evaluation" / "effects" / "only_value.py"
    sound = module.read_text(encoding="utf-8")
    module.write_text("RATE = 1 / 0\n", encoding="utf-8")
    assert call(project, "run", "--jobs", "1").returncode == 1
    result = call(project, "status")
    assert result.returncode == 1 and "失败 2024.6_value：" in result.stdout
    page = (project / "data" / "runs" / "status.html").read_text(encoding="utf-8")
    assert "ZeroDivisionError" in page and 'href="../failed/2024/6_value.ipynb"' in page
    module.write_text(sound, encoding="utf-8")
    done = run(project)
    assert done.ran == {"2024.6_value"}  # the same tables as before the failure
    assert "上次没有完成：6_value（2024）" in done.said


def test_force_runs_everything_and_says_so(project):
    done = run(project, "--force")
    assert done.ran == {"1_ledgers", "2024.2_panel", "2024.6_value", *PAGE}
    assert "要求全部重算" in done.said


def test_an_edition_of_an_earlier_call_stays_on_the_status_page(project):
    runs = project / "data" / "runs"
    (runs / "reports" / "2019.2_panel.json").write_text('{"began": 1}', encoding="utf-8")
    assert run(project, "--years", "2024").ran == set()
    for _ in range(2):
        page = (runs / "status.html").read_text(encoding="utf-8")
        assert '<th scope="col">2019</th>' in page and "上次运行中断了" in page
        assert 'class="running"' not in page  # nothing is running: it was killed
        result = call(project, "status")
        assert "最新 5，将运行 4。" in result.stdout and "2019" in result.stdout
    assert "2019" not in call(project, "status", "--years", "2024").stdout
    (runs / "reports" / "2019.2_panel.json").unlink()
