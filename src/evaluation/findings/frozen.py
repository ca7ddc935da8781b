"""Frozen editions: what was published, with a manifest, never changed afterwards.

A frozen edition is a folder ``outputs/published/<year>`` (its first version) or
``outputs/published/<year>-v<n>`` (a correction). It holds the files that the edition's runs
wrote, the plan and the places they were made by, and ``manifest.json`` with the sha256 of
each file.
"""

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from evaluation.errors import EvaluationError
from evaluation.files import file_hash
from evaluation.findings.notices import Notice
from evaluation.paths import Folders

MANIFEST = "manifest.json"


class PublicationError(EvaluationError):
    """An edition cannot be published, or a frozen one is no longer what it was."""


@dataclass(frozen=True)
class Frozen:
    """A version of a frozen edition.

    Attributes
    ----------
    year, version
        Which.
    folder
        Where it stands.
    manifest
        ``edition``, ``version``, ``frozen_on``, ``reasons``, ``demonstration``,
        ``code_version``, ``code``, ``plan``, ``files`` (path to sha256).
    """

    year: int
    version: int
    folder: Path
    manifest: dict

    @property
    def files(self) -> dict[str, str]:
        """sha256 of each file by its path below the folder."""
        return self.manifest["files"]

    @property
    def on(self) -> date:
        """The day of its freezing."""
        return date.fromisoformat(self.manifest["frozen_on"])

    def find_untold(self, notices: list[Notice]) -> list[Notice]:
        """Which of the notices on this edition it does not tell of: they came later."""
        told = self.manifest["reasons"]
        return [n for n in notices if n.year == self.year and n.as_text() not in told]

    def say(self) -> str:
        """Name it, with the fingerprint of its manifest to write down on paper."""
        digest = file_hash(self.folder / MANIFEST)[:12]
        return f"{self.year} 年版第{self.version}版（清单指纹 {digest}）"


def list_frozen(folders: Folders, year: int) -> list[Frozen]:
    """Versions of a frozen edition in order; empty if it was never published.

    Raises
    ------
    PublicationError
        If a version has no manifest that can be read.
    """
    found = []
    for version, folder in folders.versions(year):
        try:
            manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
            _ = manifest["files"].items(), manifest["reasons"], manifest["frozen_on"]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            raise PublicationError(
                f"{folder.name} 的 {MANIFEST} 不在或读不出来：请从备份恢复这个文件夹。"
            ) from None
        found.append(Frozen(year, version, folder, manifest))
    return found


def list_frozen_years(folders: Folders) -> list[int]:
    """Editions that were ever published; a folder of another name is none."""
    found = folders.outputs.glob("published/[12][0-9][0-9][0-9]*")
    years = {int(path.name[:4]) for path in found}
    return sorted(year for year in years if folders.versions(year))


def check_frozen(frozen: Frozen) -> list[str]:
    """Hold a frozen version against its manifest.

    Returns
    -------
    list of str
        What is changed, missing or there beside it, in words; empty if it is intact.
    """
    listed, own = frozen.files, frozen.folder / MANIFEST
    there = {
        path.relative_to(frozen.folder).as_posix(): path
        for path in sorted(frozen.folder.rglob("*"))
        if path.is_file() and path != own
    }
    found = [f"{name} 不在了" for name in sorted(listed.keys() - there.keys())]
    found += [f"多出 {name}" for name in sorted(there.keys() - listed.keys())]
    found += [
        f"{name} 被改动过"
        for name, path in there.items()
        if name in listed and file_hash(path) != listed[name]
    ]
    return found


def check_editions(folders: Folders, years: list[int] | None) -> list[tuple[Frozen, list[str]]]:
    """Hold frozen editions, all versions, against their manifests.

    Where only demonstration ledgers lie, real editions that were frozen are checked too.

    Raises
    ------
    PublicationError
        If a wanted edition was never published.
    """
    real = [replace(folders, outputs=folders.outputs.parent)] if folders.is_demo else []
    there = [(home, year) for home in (*real, folders) for year in list_frozen_years(home)]
    missing = sorted(set(years or []) - {year for _, year in there})
    if missing:
        raise PublicationError(f"{'、'.join(map(str, missing))} 年版没有公布过。")
    chosen = [(home, year) for home, year in there if years is None or year in years]
    frozen = [one for home, year in chosen for one in list_frozen(home, year)]
    return [(one, check_frozen(one)) for one in frozen]
