"""Freezing editions: only what passed every check, whole, beside what was frozen before."""

import contextlib
import json
import shutil
import uuid
from datetime import date
from pathlib import Path

import click

from evaluation import __version__
from evaluation.batch import graph
from evaluation.batch.freshness import survey
from evaluation.batch.receipts import read_receipt
from evaluation.batch.session import hold_project
from evaluation.files import file_hash
from evaluation.findings.editions import find_narrowed
from evaluation.findings.frozen import (
    MANIFEST,
    Frozen,
    PublicationError,
    check_editions,
    check_frozen,
    list_frozen,
)
from evaluation.findings.guarded import load_guarded
from evaluation.findings.index import refresh_index
from evaluation.findings.notices import load_notices
from evaluation.findings.scan import refuse_files
from evaluation.paths import PAGES, Folders
from evaluation.plan import plan_hash
from evaluation.trace import hash_code

REFERENCE = ("analysis_plan.toml", "places.csv")
_MOST = 5


def find_obstacles(folders: Folders, year: int, *, demonstration: bool = False) -> list[str]:
    """Say why an edition cannot be frozen now, each with what to do; empty if it can.

    The last scan is not among them: it looks at the copies that are frozen.
    """
    if folders.is_demo and not demonstration:
        return ["这是示范数据，不是真实结果，不公布；只想试一试，请加 --demonstration。"]
    if earlier := _find_earlier(folders, year):
        return earlier  # whoever ran it again would only be told this then
    runs = graph.list_runs([year], folders.notebooks)
    again = f"请先运行 evaluation run --years {year}，再公布。"
    found = []
    stale = [
        f"{run.name}（{outlook.reasons[0]}）"
        for run, outlook in survey(folders, runs).items()
        if outlook.state != "fresh"
    ]
    if stale:
        names = "、".join(stale[:_MOST])
        more = f"等 {len(stale)} 个" if len(stale) > _MOST else ""
        found.append(f"有笔记本没有完成或不是最新的：{names}{more}。{again}")
    made = {path.name for path in list_products(folders, year)}
    missing = [page for page in PAGES.values() if page not in made]
    if missing and not stale:
        found.append(f"没有结论页 {'、'.join(missing)}。{again}")
    if not load_guarded(folders).knows_names:
        found.append(f"没有台账中姓名的密钥摘要，无法作最后检查。{again}")
    return found


def _find_earlier(folders: Folders, year: int) -> list[str]:
    """Why a version after the first would be silent, or would rest on a damaged one."""
    versions, found = list_frozen(folders, year), []
    for frozen in versions:
        if changed := check_frozen(frozen):
            said = "、".join(changed[:_MOST])
            found.append(
                f"已公布的 {frozen.folder.name} 与清单不符（{said}），请先从备份恢复。"
            )
    if versions and not versions[-1].find_untold(load_notices(folders.reference)):
        found.append(
            f"{year} 年版已经公布（第{versions[-1].version}版），公布的不能覆盖。"
            "要更正，请先在 data/reference/notices.toml 写明更正了什么、为什么、何时，"
            f"运行 evaluation run --years {year}，再公布：新的一版与原来的并存。"
        )
    return found


def list_products(folders: Folders, year: int) -> dict[Path, str]:
    """Files under ``outputs/<year>`` that the edition's runs wrote: path to sha256.

    What else lies there (another question's tables, leftovers) is not part of the edition.
    """
    home, found = folders.edition(year).resolve(), {}
    for run in graph.list_runs([year], folders.notebooks):
        for name, digest in (read_receipt(folders, run) or {}).get("products", {}).items():
            path = (folders.data / name).resolve()
            if path.is_relative_to(home):
                found[path] = digest
    return dict(sorted(found.items()))


def publish_editions(
    folders: Folders, years: list[int], *, demonstration: bool = False
) -> list[Frozen]:
    """Freeze editions: all of them, or none.

    Parameters
    ----------
    demonstration
        Whether demonstration data may be frozen.

    Raises
    ------
    PublicationError
        Says of each edition why it cannot be published and what to do.
    DisclosureError
        If the last scan finds something; names file, kind and place.
    """
    with hold_project(folders):
        obstacles = {
            year: find_obstacles(folders, year, demonstration=demonstration)
            or find_narrowed(folders, year, tuple(years))
            for year in years
        }
        said = [f"{year} 年版：{why}" for year, found in obstacles.items() for why in found]
        if said:
            raise PublicationError("没有公布任何一版。\n" + "\n".join(said))
        home = folders.outputs / "published"
        home.mkdir(parents=True, exist_ok=True)
        for left in home.glob("." + "[0-9a-f]" * 32):  # of a publication that was killed
            _remove(left)
        drafts = {year: home / f".{uuid.uuid4().hex}" for year in years}
        placed = []
        try:
            frozen = [_prepare(folders, year, draft) for year, draft in drafts.items()]
            for one, draft in zip(frozen, drafts.values(), strict=True):
                draft.rename(one.folder)
                placed.append(one.folder)
        except OSError as problem:
            for folder in placed:
                _remove(folder)
            raise PublicationError(
                f"没有公布任何一版：文件不能读写（{problem.strerror}）。可能正被其他程序"
                "打开，或磁盘已满；请处理后重试。"
            ) from None
        finally:
            for draft in drafts.values():
                _remove(draft)
        refresh_index(folders)
    return frozen


def _prepare(folders: Folders, year: int, draft: Path) -> Frozen:
    """Copy an edition and what it was made by, scan the copies, write the manifest."""
    versions = list_frozen(folders, year)
    version = versions[-1].version + 1 if versions else 1
    files = _copy(folders, year, draft)
    if versions and files == versions[-1].files:
        raise PublicationError(f"{year} 年版与已公布的第{version - 1}版完全相同，不再公布。")
    notices = load_notices(folders.reference)
    manifest = {
        "form": 1,
        "edition": year,
        "version": version,
        "frozen_on": date.today().isoformat(),
        "reasons": [notice.as_text() for notice in notices if notice.year == year],
        "demonstration": folders.is_demo,
        "code_version": __version__,
        "code": hash_code(),
        "plan": plan_hash(folders.reference),
        "files": files,
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (draft / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    copies = [(draft / name, f"{year}/{name}") for name in (*files, MANIFEST)]
    refuse_files(copies, load_guarded(folders))
    for path, _ in copies:  # Excel and WPS save what they were only asked to show
        with contextlib.suppress(OSError):
            path.chmod(0o444)
    name = str(year) if version == 1 else f"{year}-v{version}"
    return Frozen(year, version, draft.with_name(name), manifest)


def _copy(folders: Folders, year: int, draft: Path) -> dict[str, str]:
    """Copy the files of an edition, its plan and places; returns sha256 by path."""
    home, made = folders.edition(year).resolve(), list_products(folders, year)
    pairs = {path.relative_to(home).as_posix(): path for path in made}
    pairs |= {f"reference/{name}": folders.reference / name for name in REFERENCE}
    found = {}
    for name, path in sorted(pairs.items()):
        copy = draft / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
        found[name] = file_hash(copy)
        if found[name] != made.get(path, found[name]):
            raise PublicationError(f"{year} 年版的 {name} 刚刚被改动，请重新运行后再公布。")
    return found


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):
            path.chmod(0o755 if path.is_dir() else 0o644)
    shutil.rmtree(folder, ignore_errors=True)


def report_publication(
    folders: Folders, years: list[int] | None, *, check: bool, demonstration: bool
) -> bool:
    """Publish editions, or only hold frozen ones against their manifests, and say so.

    Returns
    -------
    bool
        Whether all is well.

    Raises
    ------
    click.UsageError
        If nobody said which editions.
    EvaluationError
        As `publish_editions` and `frozen.check_editions`.
    """
    if check:
        found = check_editions(folders, years)
        if not found:
            click.echo("还没有公布过任何年版。")
        for frozen, changed in found:
            said = f"与清单不符：{'；'.join(changed)}" if changed else "完整"
            click.echo(f"{'✗' if changed else '✓'} {frozen.say()}：{said}。")
        return not any(changed for _, changed in found)
    if not years:
        raise click.UsageError("请用 --years 写明公布哪几版，如 --years 2024。")
    for frozen in publish_editions(folders, years, demonstration=demonstration):
        click.echo(f"✓ {frozen.say()}已公布：{frozen.folder}，{len(frozen.files)} 个文件。")
    return True
