"""The command line: ``evaluation run``, ``check``, ``demo``, ``export``."""

import json
import os
import re
import sys
import time
from pathlib import Path

import click

from evaluation import __version__
from evaluation.errors import EvaluationError
from evaluation.paths import Folders, has_ledgers, locate
from evaluation.progress import Progress

DONE, FAILED, WRONG_USAGE, LEDGERS_REFUSED = 0, 1, 2, 3
_STATES = {"done": "完成", "unchanged": "未变", "failed": "失败", "skipped": "未运行"}


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
    evaluation check FOLDER    只检查一个文件夹里的台账，列出要改的地方
    evaluation demo FOLDER     制作示范台账
    evaluation export NOTEBOOK 把手工运行过的 8_findings 导出为网页

    From ledgers to findings, in one command: "evaluation run".
    """
    for stream in (sys.stdout, sys.stderr):
        # A Chinese message must not end in an encoding error on an old console.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def _stop(problem: Exception, code: int) -> None:
    click.echo(f"✗ {problem}", err=True)
    raise SystemExit(code)


@main.command()
@click.option("--years", type=Years(), help="版次，如 2021-2024；默认 2021 年起有数据的各年。")
@click.option(
    "--jobs", type=click.IntRange(1), default=None, help="同时运行几个笔记本；默认为处理器数。"
)
@click.option(
    "--ledgers",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="台账文件夹；默认 data/ledgers，没有台账时用示范数据。",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="结果放在哪里。")
@click.option("--force", is_flag=True, help="没有变化的也重新运行。")
def run(years, jobs, ledgers, out, force) -> None:
    """运行全部笔记本，写出各年版的结论页；只重算有变化的部分。

    \b
    退出码：0 全部完成；1 有笔记本失败；2 用法不对；3 台账不能用。
    """
    if ledgers and not has_ledgers(ledgers):
        _stop(EvaluationError(f"{ledgers} 里没有台账（xlsx、xls 或 csv）。"), LEDGERS_REFUSED)
    _point_to(ledgers, out)
    from evaluation import batch
    from evaluation.execution import check_parameters

    began = time.monotonic()
    try:
        folders = locate()
        prepare_demonstration(folders)
        available = batch.editions_available(folders)
        if available:  # folders per year: refuse before anything runs
            years = batch.choose_editions(available, years)
        check_parameters(
            [r for stage in batch.plan_stages(years or [0], folders.notebooks) for r in stage],
            folders.notebooks,
        )
    except EvaluationError as problem:
        _stop(problem, WRONG_USAGE)
    jobs = jobs or os.cpu_count() or 1
    # Several notebooks at once, each with threads for every core, get into each other's way.
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    outcomes = _run_stages(folders, years, bool(available), jobs=jobs, force=force)
    _write_index(folders, outcomes)
    _print_summary(outcomes, folders, time.monotonic() - began)
    raise SystemExit(_exit_code(outcomes))


def _point_to(ledgers: Path | None, out: Path | None) -> None:
    """Name the folders in the environment, which worker processes and kernels inherit."""
    if ledgers:
        os.environ["EVALUATION_LEDGERS"] = str(ledgers.resolve())
    if out:
        os.environ["EVALUATION_OUT"] = str(out.resolve())
    try:
        os.environ.setdefault("EVALUATION_HOME", str(locate().root))
    except EvaluationError as problem:
        _stop(problem, WRONG_USAGE)


def prepare_demonstration(folders: Folders) -> None:
    """Make the demonstration ledgers where there are no real ones and none were made."""
    if folders.is_demo and not has_ledgers(folders.ledgers):
        click.echo("data/ledgers 里没有台账：制作示范台账（人物与数字均为虚构）……")
        from evaluation.demo.write import write_demo

        write_demo(folders.ledgers)


def _run_stages(folders, years, years_known, *, jobs, force) -> list:
    from evaluation import batch
    from evaluation.receipts import report_path

    stages = batch.plan_stages(years or [], folders.notebooks)
    ledgers_stage = stages[0]
    batch.discard_broken_receipts(folders, ledgers_stage)
    with Progress([report_path(folders, run) for run in ledgers_stage]):
        outcomes = batch.build_stage(folders, ledgers_stage, ledgers_stage, jobs=1, force=force)
    if not years_known and outcomes[0].state in ("done", "unchanged"):
        try:
            years = batch.choose_editions(batch.editions_available(folders), years)
        except EvaluationError as problem:
            _stop(problem, WRONG_USAGE)
        stages = batch.plan_stages(years, folders.notebooks)
    runs = [run for stage in stages for run in stage]
    batch.discard_broken_receipts(folders, runs)
    rest = [report_path(folders, run) for run in runs[len(ledgers_stage) :]]
    with Progress(rest):
        for stage in stages[1:]:
            outcomes += batch.build_stage(folders, stage, runs, jobs=jobs, force=force)
    return outcomes


def _write_index(folders: Folders, outcomes: list) -> None:
    """Write the index over all editions, unless nothing changed or there is no verdict yet."""
    stands = (folders.outputs / "index.html").is_file()
    nothing_new = all(outcome.state != "done" for outcome in outcomes)
    if (stands and nothing_new) or not any(folders.outputs.glob("[12]*/verdict_*.csv")):
        return
    from evaluation.findings.page import write_index

    write_index(folders)


def _print_summary(outcomes: list, folders: Folders, seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table

    from evaluation.plan import load_toml

    console = Console(width=None if sys.stdout.isatty() else 160)
    if all(outcome.state == "unchanged" for outcome in outcomes):
        click.echo(f"没有变化：{len(outcomes)} 个笔记本都是最新的，什么也没有重算。")
    else:
        words = load_toml(folders.reference / "sentences.toml")["zh"]["policies"]
        table = Table("年版", "笔记本", "政策", "秒", "状态", "原因", title="运行结果")
        for outcome in outcomes:
            run = outcome.run
            policy = words[run.policy]["name"] if run.policy else ""
            took = f"{outcome.seconds:.1f}" if outcome.seconds is not None else ""
            label = f"{run.notebook}（英文）" if run.language == "en" else run.notebook
            state = _STATES[outcome.state]
            year = str(run.year or "全部")
            table.add_row(year, label, policy, took, state, outcome.message.partition("\n")[0])
        console.print(table)
        counted = {s: sum(o.state == s for o in outcomes) for s in _STATES}
        parts = [f"{word} {counted[s]}" for s, word in _STATES.items() if counted[s]]
        click.echo(f"{'，'.join(parts)}；共 {seconds:.0f} 秒。")
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    for outcome in failed:
        if "\n" in outcome.message:
            click.echo(f"\n{outcome.run.name}：{outcome.message}\n")
    if failed:
        click.echo(
            f"失败的笔记本（运行到出错处）在 {folders.failed}，可用 JupyterLab 打开查看。"
        )
    pages = sorted(folders.outputs.glob("[12][0-9][0-9][0-9]/findings.html"))
    if pages:
        click.echo(f"结论页：{folders.outputs / 'index.html'}")


def _exit_code(outcomes: list) -> int:
    ledgers = outcomes[0]
    if ledgers.state == "failed" and ledgers.error == "LedgerError":
        return LEDGERS_REFUSED
    return FAILED if any(o.state in ("failed", "skipped") for o in outcomes) else DONE


@main.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(["words", "json"]), default="words")
def check(folder: Path, form: str) -> None:
    """只检查 FOLDER 中的台账：读到什么、哪些行有问题、怎样改。不做任何估计。"""
    import secrets

    from evaluation.ledgers.clean import clean_folder
    from evaluation.ledgers.report import as_accounting, describe

    try:
        # Nothing is linked or kept, so a key for the moment serves.
        cleaned = clean_folder(folder, locate().reference, secrets.token_bytes(32))
    except EvaluationError as problem:
        _stop(problem, LEDGERS_REFUSED)
    if form == "json":
        click.echo(json.dumps(as_accounting(cleaned), ensure_ascii=False))
    else:
        click.echo(describe(cleaned))


@main.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), required=False)
@click.option("--seed", type=int, default=0, help="换一个种子：另一批人，同样的总数。")
@click.option("--people", type=click.IntRange(1000), default=20_000, help="名册人数。")
@click.option("--first-year", type=int, default=2013, help="世界从哪一年开始。")
@click.option(
    "--multiply", type=click.FloatRange(0.1), default=1, help="把公布的人数乘以几倍。"
)
def demo(folder, seed, people, first_year, multiply) -> None:
    """制作示范台账（人物与数字均为虚构），默认放在 data/demo/ledgers。"""
    from evaluation.demo.write import write_demo

    try:
        target = folder or locate().root / "data" / "demo" / "ledgers"
        write_demo(
            target,
            seed=seed,
            n_people=people,
            first_year=first_year,
            policy_multiplier=multiply,
        )
    except EvaluationError as problem:
        _stop(problem, WRONG_USAGE)
    click.echo(f"示范台账在 {target}。")


@main.command()
@click.argument("notebook", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", type=click.Path(dir_okay=False, path_type=Path), help="网页放在哪里。")
def export(notebook: Path, to: Path | None) -> None:
    """把手工运行过的 8_findings 导出为一个可离线打开的网页。"""
    from evaluation.findings.page import export_page

    target = to or notebook.with_suffix(".html")
    try:
        export_page(notebook, target)
    except EvaluationError as problem:
        _stop(problem, FAILED)
    click.echo(f"网页在 {target}。")


if __name__ == "__main__":
    main()
