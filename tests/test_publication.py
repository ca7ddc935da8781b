"""A frozen edition is whole, passed every check, and never changes."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import edit, enter_project, make_small_project, write_notebook
from test_batch import run_batch

from evaluation import cli
from evaluation.batch import execution, publication
from evaluation.batch.freshness import find_reasons
from evaluation.batch.publication import find_obstacles
from evaluation.batch.receipts import Run
from evaluation.findings.frozen import MANIFEST, Frozen, check_editions, list_frozen
from evaluation.paths import locate

NAME = "阎不寻常"
NOTICE = """
[[notice]]
year = 2024
policy = "loan"
kind = "corrected"
on = 2025-03-01
what_zh = "贷款的数字改了。"
what_en = "The number for loans has changed."
why_zh = "还款日期录错。"
why_en = "Dates of repayment were wrong."
"""


# Typed in two parts, so that the notebook does not hold the name.
HASHES = f"""
hashed = Pseudonymiser(load_key(folders.key_file)).find(["阎" + "{NAME[1:]}"], "name")
table = pd.DataFrame({{"kind": ["name"], "hash": hashed}})
write_private_hashes(table, folders.data / "private_hashes.parquet");
"""
LOAD = """
import pandas as pd
from evaluation.ledgers.identity import Pseudonymiser, load_key
from evaluation.ledgers.linking import write_private_hashes
from evaluation.paths import locate
folders = locate()
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory, warm_process):
    """The small project with hashes of names and a page, run for 2024."""
    place = make_small_project(tmp_path_factory.mktemp("finished"))
    write_notebook(place / "notebooks" / "1_ledgers.ipynb", "show_rows: int = 20", LOAD, HASHES)
    write_notebook(
        place / "notebooks" / "8_findings.ipynb",
        'year: int = 2024\nlanguage: str = "zh"',
        "from IPython.display import HTML\nHTML('<h1>结论</h1>')",
    )
    with pytest.MonkeyPatch.context() as patch:
        enter_project(place, patch)
        assert {outcome.state for outcome in run_batch(2024).values()} == {"done"}
    return place


@pytest.fixture
def project(finished, tmp_path, monkeypatch):
    """A copy of it."""
    place = shutil.copytree(finished, tmp_path / "project")
    enter_project(place, monkeypatch)
    return place


def publish(*arguments):
    return CliRunner().invoke(cli.main, ["publish", *arguments])


def digest(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashed = (hashlib.sha256(path.read_bytes()).hexdigest() for path in files)
    return dict(zip((p.relative_to(folder).as_posix() for p in files), hashed, strict=True))


def test_an_edition_is_frozen_with_its_plan_its_places_and_a_manifest(project):
    (project / "outputs" / "2024" / "exploratory_loan_ab.csv").write_text("n\n1", "utf-8")
    result = publish("--years", "2024")
    assert result.exit_code == cli.DONE, result.output
    folder = project / "outputs" / "published" / "2024"
    found = digest(folder)
    own = found.pop(MANIFEST)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    assert manifest["files"] == found and own[:12] in result.output
    assert {"reference/analysis_plan.toml", "reference/places.csv", "findings.html"} <= set(
        found
    )
    assert {"findings.en.html", "funnel.csv", "notebooks/4_effect_post.ipynb"} <= set(found)
    assert "exploratory_loan_ab.csv" not in found  # another question is no part of it
    assert (manifest["version"], manifest["demonstration"]) == (1, False)
    assert str(project) not in json.dumps(manifest)
    assert [path.name for path in folder.parent.iterdir()] == ["2024"]
    assert publish("--check").exit_code == cli.DONE


def test_reruns_do_not_touch_it(project):
    publish("--years", "2024")
    folder = project / "outputs" / "published" / "2024"
    before = digest(folder)
    edit(project / "notebooks" / "4_effect.ipynb", "[year]", "[year + 1]")
    assert run_batch(2024, force=True)["2024.4_effect_loan"].state == "done"
    assert digest(folder) == before != digest(project / "outputs" / "2024")
    assert locate().published(2024) == folder


def test_a_frozen_edition_is_not_overwritten_and_a_correction_is_a_version_beside_it(project):
    publish("--years", "2024")
    home = project / "outputs" / "published"
    first = digest(home / "2024")
    result = publish("--years", "2024")
    assert result.exit_code == cli.FAILED and "notices.toml" in result.output

    notices = project / "data" / "reference" / "notices.toml"
    notices.write_text(NOTICE, encoding="utf-8")
    run_batch(2024)
    same = publish("--years", "2024")
    assert same.exit_code == cli.FAILED and "完全相同" in same.output
    edit(project / "notebooks" / "4_effect.ipynb", "[year]", "[year + 1]")
    run_batch(2024)
    result = publish("--years", "2024")
    assert result.exit_code == cli.DONE, result.output
    assert digest(home / "2024") == first
    assert locate().published(2024) == home / "2024-v2"
    second = list_frozen(locate(), 2024)[-1]
    assert second.version == 2 and "还款日期录错" in second.manifest["reasons"][0]
    again = publish("--years", "2024")  # this notice was told
    assert again.exit_code == cli.FAILED and "第2版" in again.output
    assert [frozen.version for frozen, changed in check_editions(locate(), None)] == [1, 2]


SPOILT = {
    "stale": (
        lambda p: edit(p / "notebooks" / "2_panel.ipynb", "[1]", "[2]"),
        "2024.2_panel（2_panel.ipynb 变了）",
    ),
    "page gone": (
        lambda p: (p / "outputs" / "2024" / "findings.html").unlink(),
        "findings.html 不在了",
    ),
    "changed by hand": (
        lambda p: (p / "outputs" / "2024" / "funnel.csv").write_text("n", encoding="utf-8"),
        "funnel.csv 被改动",
    ),
    "not finished": (
        lambda p: (p / "data" / "runs" / "receipts" / "2024.7_editions.json").unlink(),
        "2024.7_editions（还没有运行过",
    ),
    "ledger": (
        lambda p: edit(p / "data" / "ledgers" / "2024" / "a.csv", "姓名", "姓名,乡镇"),
        "1_ledgers（台账 2024/a.csv 变了）",
    ),
    "never run": (lambda p: shutil.rmtree(p / "data" / "runs"), "还没有运行过"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=list(SPOILT))
def test_what_is_not_up_to_date_is_refused_with_what_to_do(project, spoil, said):
    spoil(project)
    result = publish("--years", "2024")
    assert result.exit_code == cli.FAILED
    assert said in result.output
    assert "evaluation run --years 2024" in result.output
    assert "Traceback" not in result.output
    assert not (project / "outputs" / "published").exists()


def test_one_obstacle_stops_all_editions(project):
    result = publish("--years", "2023-2024")
    assert result.exit_code == cli.FAILED and "2023 年版：" in result.output
    assert not (project / "outputs" / "published").exists()


def test_an_edition_that_cannot_be_put_in_place_takes_the_others_back(
    small_project, monkeypatch
):
    """On Windows a folder of which a file is open cannot be renamed."""

    def prepare(folders, year, draft):
        draft.mkdir()
        (draft / "a.csv").write_text("n", encoding="utf-8")
        return Frozen(year, 1, draft.with_name(str(year)), {})

    def rename(draft, folder):
        if folder.name == "2024":
            raise PermissionError(13, "in use")
        shutil.move(draft, folder)

    for name in ("find_obstacles", "find_narrowed"):
        monkeypatch.setattr(publication, name, lambda *asked, **more: [])
    monkeypatch.setattr(publication, "_prepare", prepare)
    monkeypatch.setattr(Path, "rename", rename)
    result = publish("--years", "2023,2024")
    assert result.exit_code == cli.FAILED and "没有公布任何一版" in result.output
    assert list((small_project / "outputs" / "published").iterdir()) == []


def test_a_page_is_needed(project):
    (project / "notebooks" / "8_findings.ipynb").unlink()
    (obstacle,) = find_obstacles(locate(), 2024)
    assert "没有结论页 findings.html、findings.en.html" in obstacle


def test_demonstration_data_only_if_asked_for(project, monkeypatch):
    ledgers = project / "data" / "ledgers"
    (ledgers / "demo.toml").write_text("", encoding="utf-8")
    monkeypatch.setenv("EVALUATION_LEDGERS", str(ledgers))
    result = publish("--years", "2024")
    assert result.exit_code == cli.FAILED and "--demonstration" in result.output
    assert "还没有运行过" in publish("--years", "2024", "--demonstration").output


def test_what_the_last_scan_finds_stops_the_publication_without_a_trace(project, monkeypatch):
    """The name came in by a way that the batch does not see."""
    notebook = project / "notebooks" / "7_editions.ipynb"
    write_notebook(notebook, "year: int = 2024", f'"{NAME}"')
    with monkeypatch.context() as patch:
        patch.setattr(execution, "scan_drafts", lambda folders, drafts: None)
        run_batch(2024)
    result = publish("--years", "2024")
    assert result.exit_code == cli.DISCLOSED, result.output
    assert "2024/notebooks/7_editions.ipynb" in result.output and "姓名" in result.output
    assert NAME not in result.output
    assert list((project / "outputs" / "published").iterdir()) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: (f / "funnel.csv").write_text("n", encoding="utf-8"), "funnel.csv 被改动过"),
        (lambda f: (f / "findings.html").unlink(), "findings.html 不在了"),
        (lambda f: (f / "b.csv").write_text("n", encoding="utf-8"), "多出 b.csv"),
        (
            lambda f: (f / "notebooks" / MANIFEST).write_text("{}", encoding="utf-8"),
            "多出 notebooks/manifest.json",
        ),
        (lambda f: (f / MANIFEST).write_text("{}", encoding="utf-8"), "读不出来"),
    ],
)
def test_check_says_what_is_no_longer_as_published(project, spoil, said):
    publish("--years", "2024")
    folder = project / "outputs" / "published" / "2024"
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    spoil(folder)
    result = publish("--check", "--years", "2024")
    assert result.exit_code == cli.FAILED and said in result.output
    (project / "data" / "reference" / "notices.toml").write_text(NOTICE, encoding="utf-8")
    refused = publish("--years", "2024")
    assert refused.exit_code == cli.FAILED and "从备份恢复" in refused.output


def test_usage():
    assert publish().exit_code == cli.WRONG_USAGE
    assert publish("--years", "abc").exit_code == cli.WRONG_USAGE


def test_checking_what_was_never_published(small_project):
    assert publish("--check").exit_code == cli.DONE
    result = publish("--check", "--years", "2024")
    assert result.exit_code == cli.FAILED and "没有公布过" in result.output


def test_the_remains_of_a_killed_publication_are_cleared(project):
    left = project / "outputs" / "published" / ("." + "0" * 32)
    left.mkdir(parents=True)
    (left / "a.csv").write_text("n", encoding="utf-8")
    publish("--years", "2024")
    assert [path.name for path in left.parent.iterdir()] == ["2024"]


def test_an_edition_that_was_frozen_is_one_reason_to_compare_again(project):
    for name in ("2023", "2023-v2"):
        folder = project / "outputs" / "published" / name
        folder.mkdir(parents=True)
        for table in ("a", "b"):
            (folder / f"{table}.csv").write_text("n", encoding="utf-8")
        run = Run("7_editions", 2024)
        said = [str(why) for why in find_reasons(locate(), run) if why.kind == "input_added"]
        assert said == [f"新增 已公布的 {name}"]
