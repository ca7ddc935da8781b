"""Real ledgers win over the demonstration; the root is found from any folder inside."""

import pytest

from evaluation.errors import EvaluationError
from evaluation.paths import find_root, has_ledgers, list_corrections, list_ledgers, locate


@pytest.fixture
def project(tmp_path, monkeypatch):
    for name in ("HOME", "LEDGERS", "OUT"):
        monkeypatch.delenv(f"EVALUATION_{name}", raising=False)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data" / "reference").mkdir(parents=True)
    return tmp_path.resolve()


def test_root_is_found_from_the_folder_of_the_notebooks(project):
    assert find_root(project / "notebooks") == project


def test_outside_a_project_the_message_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.delenv("EVALUATION_HOME", raising=False)
    with pytest.raises(EvaluationError, match="EVALUATION_HOME"):
        find_root(tmp_path)


def test_without_ledgers_everything_goes_to_the_demonstration(project):
    folders = locate(project)
    assert folders.is_demo
    assert folders.outputs == project / "outputs" / "demo"
    assert folders.clean == project / "data" / "demo" / "clean"


def test_one_real_ledger_is_enough_to_leave_the_demonstration(project):
    ledger = project / "data" / "ledgers" / "2024" / "名册.xlsx"
    ledger.parent.mkdir(parents=True)
    (ledger.parent / "~$名册.xlsx").touch()
    assert locate(project).is_demo  # the lock file of an open workbook is no ledger
    ledger.touch()
    folders = locate(project)
    assert not folders.is_demo
    assert folders.outputs == project / "outputs"


def test_named_demonstration_ledgers_stay_marked_as_such(project, tmp_path, monkeypatch):
    named = tmp_path / "elsewhere"
    named.mkdir()
    (named / "demo.toml").touch()
    monkeypatch.setenv("EVALUATION_LEDGERS", str(named))
    monkeypatch.setenv("EVALUATION_OUT", str(tmp_path / "out"))
    folders = locate(project)
    assert folders.is_demo and folders.ledgers == named.resolve()
    assert folders.outputs == (tmp_path / "out").resolve() / "outputs" / "demo"
    assert not has_ledgers(named)


@pytest.mark.parametrize("name", ["corrections.xlsx", "Corrections_2024.XLSX", "更正.xlsx"])
def test_corrections_are_no_ledger_however_they_are_spelt(tmp_path, name):
    (tmp_path / name).touch()
    assert list_ledgers(tmp_path) == []
    assert [path.name for path in list_corrections(tmp_path)] == [name]
