"""The command line: what a clerk or a researcher can ask for, one function per command."""

import json
import os
import re
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import click

from evaluation import __version__
from evaluation.errors import DisclosureError, EvaluationError
from evaluation.paths import Folders, has_ledgers, locate

DONE, FAILED, WRONG_USAGE, LEDGERS_REFUSED, DISCLOSED = 0, 1, 2, 3, 4


class Years(click.ParamType):
    """``2021-2024``, ``2024`` or ``2021,2024``."""

    name = "years"

    def convert(self, value, param, ctx):
        """Turn the text into a list of years."""
        if isinstance(value, list):
            return value
        years = []
        for part in re.split(r"[,，、]", value):
            match = re.fullmatch(r"\s*(\d{4})(?:\s*[-—–]\s*(\d{4}))?\s*", part)
            if not match:
                self.fail(f"“{value}”不是年份，例如 2024、2021-2024 或 2021,2024。", param, ctx)
            first, last = int(match[1]), int(match[2] or match[1])
            if last < first:
                self.fail(f"“{value}”的起止年份颠倒了。", param, ctx)
            years += range(first, last + 1)
        return sorted(set(years))


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evaluation")
def main() -> None:
    """从台账到评估结论：补贴、贷款、公益性岗位对返乡人员就业的影响。

    \b
    evaluation run             台账（没有时用示范数据）→ 各年版的结论页 outputs/
    evaluation status          哪些是最新的，哪些会重算、为什么；什么也不运行
    evaluation check FOLDER    只检查一个文件夹里的台账，列出要改的地方
    evaluation templates FOLDER 写出五种台账的空白表，发给填表人
    evaluation codebook [FILE] 每张表每一列的含义、单位、取值、来源和规则
    evaluation demo FOLDER     制作示范台账
    evaluation export NOTEBOOK 把手工运行过的 8_findings 导出为网页
    evaluation publish         冻结一个年版：检查、复制、列清单；或核对已冻结的

    From ledgers to findings, in one command: "evaluation run".
    """
    for stream in (sys.stdout, sys.stderr):
        # A Chinese message must not end in an encoding error on an old console.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


@contextmanager
def _stop(code: int, kind: type[EvaluationError] = EvaluationError):
    """End with a code and say in words what went wrong, if anything of this kind does."""
    try:
        yield
    except kind as problem:
        click.echo(f"✗ {problem}", err=True)
        raise SystemExit(code) from None


_YEARS = click.option(
    "--years", type=Years(), help="版次，如 2021-2024；默认 2021 年起有数据的各年。"
)
_LEDGERS = click.option(
    "--ledgers",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="台账文件夹；默认 data/ledgers，没有台账时用示范数据。",
)
_OUT = click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="结果放在哪里。"
)


@main.command()
@_YEARS
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="同时运行几个笔记本；默认为处理器数。"
)
@_LEDGERS
@_OUT
@click.option("--force", is_flag=True, help="没有变化的也重新运行。")
@click.option(
    "--engine",
    type=click.Choice(["kernel", "warm"]),
    help="普通内核（kernel），或由已载入程序库的进程分出的内核（warm，快得多，限 Linux）；"
    "结果相同，默认能用 warm 就用 warm。",
)
@click.option("--memory", type=click.FloatRange(0.1), help="每个笔记本最多用几 GB 内存。")
@click.option(
    "--timeout", type=click.FloatRange(0.01), default=60, help="一个单元格最多运行几分钟。"
)
def run(years, jobs, ledgers, out, force, engine, memory, timeout) -> None:
    """运行全部笔记本，写出各年版的结论页；只重算有变化的部分。

    \b
    退出码：0 全部完成；1 有笔记本失败；2 用法不对；3 台账不能用。
    """
    with _stop(LEDGERS_REFUSED):
        if ledgers and not has_ledgers(ledgers):
            raise EvaluationError(f"{ledgers} 里没有台账（xlsx、xls 或 csv）。")
    _point_to(ledgers, out)
    from evaluation.batch import graph
    from evaluation.batch.execution import check_parameters
    from evaluation.batch.summary import print_summary
    from evaluation.batch.whole import run_editions

    began = time.monotonic()
    jobs = jobs or os.cpu_count() or 1
    limits = {"engine": engine, "memory": memory, "minutes": timeout, "jobs": jobs}
    with _stop(WRONG_USAGE):
        folders = locate()
        prepare_demonstration(folders)
        available = graph.editions_available(folders)
        if available:  # folders per year: refuse before anything runs
            years = graph.choose_editions(available, years)
        check_parameters(graph.list_runs(years or [0], folders.notebooks), folders.notebooks)
        outcomes = run_editions(folders, years, force=force, **limits)
    print_summary(outcomes, folders, time.monotonic() - began)
    raise SystemExit(_exit_code(outcomes))


def _point_to(ledgers: Path | None, out: Path | None) -> None:
    """Name the folders in the environment, which worker processes and kernels inherit."""
    if ledgers:
        os.environ["EVALUATION_LEDGERS"] = str(ledgers.resolve())
    if out:
        os.environ["EVALUATION_OUT"] = str(out.resolve())
    with _stop(WRONG_USAGE):
        os.environ.setdefault("EVALUATION_HOME", str(locate().root))


def prepare_demonstration(folders: Folders) -> None:
    """Make the demonstration ledgers where there are no real ones and none were made."""
    if folders.is_demo and not has_ledgers(folders.ledgers):
        click.echo("data/ledgers 里没有台账：制作示范台账（人物与数字均为虚构）……")
        from evaluation.demo.write import write_demo

        write_demo(folders.ledgers)


def _exit_code(outcomes: list) -> int:
    ledgers = outcomes[0]
    if ledgers.state == "failed" and ledgers.error == "LedgerError":
        return LEDGERS_REFUSED
    return FAILED if any(o.state in ("failed", "skipped") for o in outcomes) else DONE


@main.command()
@_YEARS
@_LEDGERS
@_OUT
def status(years, ledgers, out) -> None:
    """显示各年版的笔记本哪些是最新的，哪些会重算、为什么；什么也不运行。

    \b
    退出码：0 全部是最新的；1 有要运行的或失败的；2 用法不对。
    """
    _point_to(ledgers, out)
    from evaluation.batch import graph
    from evaluation.batch.session import is_running
    from evaluation.batch.status import is_current, look
    from evaluation.batch.status_page import write_status
    from evaluation.batch.summary import print_status

    with _stop(WRONG_USAGE):
        folders = locate()
        available = graph.editions_available(folders)
        if available:
            chosen = graph.choose_editions(available, years)
            years = chosen if years else sorted({*chosen, *graph.editions_run(folders)})
        runs = graph.list_runs(years or [], folders.notebooks)
        standings = look(folders, runs, running=is_running(folders))
        page = write_status(folders, standings)
    print_status(standings, page)
    raise SystemExit(DONE if is_current(standings) else FAILED)


def _show_file(name: str, position: int, total: int) -> None:
    """Say which file is being read, on a terminal only; the last one wipes the line."""
    if sys.stderr.isatty():
        done = f"读入 {position + 1}/{total}：{name}" if position + 1 < total else ""
        click.echo(f"\r\x1b[K{done}", err=True, nl=False)


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(["words", "json"]), default="words")
@click.option(
    "--issues",
    type=click.Path(dir_okay=False, path_type=Path),
    help="把要改的地方写成工作簿（xlsx），可在其中填写更正。",
)
def check(folder: Path, form: str, issues: Path | None) -> None:
    """只检查 FOLDER 中的台账（一种也可以）：读到什么、哪些行有问题、怎样改；不做估计。

    \b
    退出码：0 读到了台账（可能有要改的地方）；3 没有读到任何一行。
    """
    from evaluation.ledgers.clean import check_folder
    from evaluation.ledgers.clerk import write_issues
    from evaluation.ledgers.identity import load_key
    from evaluation.ledgers.report import as_accounting, describe
    from evaluation.paths import is_demonstration

    with _stop(LEDGERS_REFUSED):
        folders = locate()
        # Codes of corrections are understood again only by the key that made them.
        if issues and not is_demonstration(folder):
            load_key(folders.key_file)
        cleaned = check_folder(folder, folders.reference, _show_file, folders.key_file)
        if issues:
            write_issues(cleaned, issues)
    if form == "json":
        click.echo(json.dumps(as_accounting(cleaned), ensure_ascii=False))
    else:
        click.echo(describe(cleaned))
        if issues:
            click.echo(f"要改的地方在 {issues}，怎样填写更正见其中的“说明”。")
    raise SystemExit(DONE if cleaned.accounting["rows_read"].sum() else LEDGERS_REFUSED)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--seed", type=int, default=0, help="换一个种子：另一批人，同样的总数。")
@click.option("--people", type=click.IntRange(1000), default=20_000, help="名册人数。")
@click.option("--first-year", type=int, default=2013, help="世界从哪一年开始。")
@click.option(
    "--multiply", type=click.FloatRange(0.1), default=1, help="把公布的人数乘以几倍。"
)
@click.option("--broken", is_flag=True, help="另加损坏的和有害的文件，看它们怎样被拒绝。")
def demo(folder, seed, people, first_year, multiply, broken) -> None:
    """制作示范台账（人物与数字均为虚构），默认放在 data/demo/ledgers。"""
    from evaluation.demo.write import write_demo

    with _stop(WRONG_USAGE):
        target = folder or locate().root / "data" / "demo" / "ledgers"
        write_demo(
            target,
            seed=seed,
            n_people=people,
            first_year=first_year,
            policy_multiplier=multiply,
            broken=broken,
        )
    click.echo(f"示范台账在 {target}。")


@main.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="网页放在哪里。")
def export(notebook: Path, to: Path | None) -> None:
    """把手工运行过的 8_findings 导出为一个可离线打开的网页。"""
    from evaluation.findings.page import export_page

    target = to or notebook.with_suffix(".html")
    with _stop(FAILED):
        export_page(notebook, target)
    click.echo(f"网页在 {target}。")


@main.command()
@click.option("--years", type=Years(), help="公布哪几版，如 2024；核对时不写就是全部。")
@click.option("--check", is_flag=True, help="只核对已公布的年版与清单，什么也不写。")
@click.option("--demonstration", is_flag=True, help="示范数据也冻结（只为试用）。")
@_LEDGERS
@_OUT
def publish(years, check, demonstration, ledgers, out) -> None:
    """冻结年版：只有通过全部检查的才复制到 outputs/published，附清单，以后不变。

    \b
    退出码：0 已公布，或核对无误；1 没有公布，或与清单不符；2 用法不对；
    4 最后检查发现了不能公布的内容。
    """
    from evaluation.batch.publication import report_publication

    _point_to(ledgers, out)
    with _stop(FAILED), _stop(DISCLOSED, DisclosureError):
        intact = report_publication(locate(), years, check=check, demonstration=demonstration)
    raise SystemExit(DONE if intact else FAILED)


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="覆盖已有的同名文件。")
def templates(folder: Path, force: bool) -> None:
    """在 FOLDER 中写出五种台账的空白表，发给填表人；不覆盖已有的文件。"""
    from evaluation.ledgers.templates import write_templates

    with _stop(WRONG_USAGE):
        written = write_templates(locate().reference, folder, force=force)
    click.echo("\n".join(["空白表：", *(f"  {path}" for path in written)]))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def codebook(file: Path | None) -> None:
    """编码手册：每张表每一列的含义、单位、取值、来源和规则（中英文）。

    按 FILE 的结尾写成 .md、.csv 或 .json（Table Schema）；不写 FILE 则显示在屏幕上。
    """
    from evaluation.codebook import render_codebook, write_codebook

    with _stop(WRONG_USAGE):
        reference = locate().reference
        if file:
            click.echo(f"编码手册在 {write_codebook(reference, file)}。")
        else:
            click.echo(render_codebook(reference))


if __name__ == "__main__":
    main()
