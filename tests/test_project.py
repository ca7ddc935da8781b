"""One place for versions, no host of a package registry, no person in git."""

import re
import subprocess
import tomllib

import pytest
from conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def tracked_files():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    return listed.stdout.splitlines()


def test_versions_come_from_the_lock_alone():
    assert PROJECT["project"]["dynamic"] == ["dependencies"]
    assert PROJECT["tool"]["setuptools"]["dynamic"]["dependencies"]["file"] == [
        "requirements.lock"
    ]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    lines = [line for line in lock.splitlines() if line.strip()]
    assert all(re.match(r"^[a-z0-9._-]+==\S+( ; .+)?$", line) for line in lines)
    pinned = {line.split("==")[0] for line in lines}
    direct = re.findall(
        r"^([a-z0-9._-]+)>=", (ROOT / "requirements.in").read_text("utf-8"), re.MULTILINE
    )
    assert set(direct) <= pinned


def test_conda_environment_holds_no_version_of_its_own():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    packages = re.findall(r"^\s+- (\S+)", text, re.MULTILINE)
    assert packages == ["conda-forge", "nodefaults", "python>=3.11,<3.14", "pip", "pip:", "-e"]


def test_tools_for_tests_are_pinned_exactly():
    assert all("==" in tool for tool in PROJECT["project"]["optional-dependencies"]["dev"])
    assert PROJECT["dependency-groups"]["dev"] == ["evaluation[dev]"]


def test_nothing_that_could_hold_a_person_is_tracked():
    allowed = ("data/reference/",)
    bad = [
        path
        for path in tracked_files()
        if (path.startswith("data/") and not path.startswith(allowed))
        or (path.startswith("outputs/") and path != "outputs/.gitkeep")
        or path.endswith((".parquet", ".key", ".xlsx", ".xls"))
        or path == "uv.lock"
    ]
    assert bad == []


def test_no_registry_host_and_no_home_folder_in_tracked_text():
    pattern = re.compile("|".join(["py" + r"pi\.org", "python" + "hosted", r"/ro" + "ot/"]))
    for path in tracked_files():
        file = ROOT / path
        if file.suffix in {".otf", ".png", ".woff2"} or not file.is_file():
            continue
        assert not pattern.search(file.read_text(encoding="utf-8", errors="replace")), path
