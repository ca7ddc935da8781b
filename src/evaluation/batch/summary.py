"""What a batch says at its end: the table of runs, why they ran, where to look."""

import sys
from dataclasses import replace
from pathlib import Path

import click

from evaluation.batch.freshness import Reason
from evaluation.batch.graph import LANGUAGES
from evaluation.batch.receipts import Run
from evaluation.batch.stages import Outcome
from evaluation.batch.status import STYLES, WORDS, Standing, is_current, tabulate
from evaluation.paths import Folders
from evaluation.plan import POLICIES

_MOST_LINES = 20


def print_summary(outcomes: list[Outcome], folders: Folders, seconds: float) -> None:
    """Print what ran and why, what failed, and where the pages are."""
    if all(outcome.state == "unchanged" for outcome in outcomes):
        click.echo(f"没有变化：{len(outcomes)} 个笔记本都是最新的，什么也没有重算。")
    else:
        _print_table(outcomes)
        ran = {outcome.run: outcome.reasons for outcome in outcomes if outcome.reasons}
        print_reasons(ran, len(outcomes))
        click.echo(f"{count_states(outcomes)}；共 {seconds:.0f} 秒。")
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    for outcome in failed:
        if "\n" in outcome.message:
            click.echo(f"\n{outcome.run.name}：{outcome.message}\n")
    if failed:
        click.echo(
            f"失败的笔记本（运行到出错处）在 {folders.failed}，可用 JupyterLab 打开查看。"
        )
    if any(folders.outputs.glob("[12][0-9][0-9][0-9]/findings.html")):
        click.echo(f"结论页：{folders.outputs / 'index.html'}")
    click.echo(f"运行状态：{folders.runs / 'status.html'}")


def print_status(standings: list[Standing], page: Path) -> None:
    """Print how all runs stand, and what would run and why."""
    from rich.console import Console

    cells = {
        standing.run: f"[{STYLES.get(standing.state, 'none')}]{WORDS[standing.state]}[/]"
        for standing in standings
    }
    Console(width=None if sys.stdout.isatty() else 160).print(tabulate(cells, "运行状态"))
    print_reasons({s.run: s.reasons for s in standings if s.reasons}, len(standings))
    for standing in standings:
        if standing.message:
            click.echo(f"失败 {standing.run.name}：{standing.message.partition(chr(10))[0]}")
    click.echo(say_state(standings))
    click.echo(f"运行状态：{page}")


def say_state(standings: list[Standing]) -> str:
    """One sentence on how all runs stand."""
    if is_current(standings):
        return "全部是最新的，再次运行不会重算。"
    return f"{count_states(standings)}。"


def count_states(found: list[Outcome] | list[Standing]) -> str:
    """How many runs are in each state, in words."""
    counted = {state: sum(one.state == state for one in found) for state in WORDS}
    return "，".join(f"{WORDS[state]} {n}" for state, n in counted.items() if n)


def _print_table(outcomes: list[Outcome]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 160)
    table = Table("年版", "笔记本", "秒", "状态", "原因", title="运行结果")
    for outcome in outcomes:
        took = f"{outcome.seconds:.1f}" if outcome.seconds is not None else ""
        why = outcome.message.partition("\n")[0] or say_why(outcome.reasons)
        year = str(outcome.run.year or "全部")
        table.add_row(year, outcome.run.output_name, took, WORDS[outcome.state], why)
    console.print(table)


def say_why(reasons: tuple[Reason, ...]) -> str:
    """One short sentence for the reasons of a run; nothing for a first run.

    Examples
    --------
    >>> say_why((Reason("input_changed", "words.csv"), Reason("product_gone", "a.csv")))
    'words.csv 变了，等 2 项'
    """
    if not reasons or reasons[0].kind == "never":
        return ""
    more = f"，等 {len(reasons)} 项" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}"


def print_reasons(reasons: dict[Run, tuple[Reason, ...]], total: int) -> None:
    """Print each reason once, with the runs that it touches; nothing on a first run.

    Parameters
    ----------
    reasons
        Why each run ran or would run.
    total
        Number of runs of the batch.
    """
    lines = [f"  {why}：{who}" for why, who in group_reasons(reasons)]
    first = sum(Reason("never") in found for found in reasons.values()) == total
    if first or not lines:
        return
    click.echo("重算的原因：")
    for line in lines[:_MOST_LINES]:
        click.echo(line)
    if len(lines) > _MOST_LINES:
        click.echo(f"  另有 {len(lines) - _MOST_LINES} 项，见运行状态页。")


def group_reasons(reasons: dict[Run, tuple[Reason, ...]]) -> list[tuple[str, str]]:
    """Reasons in words with the runs that each touches; last, what waits for others."""
    touched: dict[str, list[Run]] = {}
    waiting = []
    for run, found in reasons.items():
        for reason in found:
            if reason.kind != "upstream":
                touched.setdefault(str(reason), []).append(run)
        if found and all(reason.kind == "upstream" for reason in found):
            waiting.append(run)
    ordered = sorted(touched.items(), key=lambda item: -len(item[1]))
    if waiting:
        ordered.append(("所依据的结果若变了才重算", waiting))
    return [(why, name_runs(runs)) for why, runs in ordered]


def name_runs(runs: list[Run]) -> str:
    """Name runs briefly: notebooks that share their years stand together.

    Examples
    --------
    >>> name_runs([Run("6_value", 2023), Run("6_value", 2024), Run("1_ledgers")])
    '6_value（2023、2024）；1_ledgers'
    >>> name_runs([Run("4_effect", 2024, policy) for policy in POLICIES])
    '4_effect（2024）'
    """
    years: dict[Run, list[int]] = {}
    for run in runs:
        years.setdefault(replace(run, year=None), []).append(run.year or 0)
    shared: dict[tuple[int, ...], list[Run]] = {}
    for run, found in years.items():
        shared.setdefault(tuple(found), []).append(run)
    return "；".join(
        _name_notebooks(found) + (f"（{_span(span)}）" if any(span) else "")
        for span, found in shared.items()
    )


def _name_notebooks(runs: list[Run]) -> str:
    """The notebook alone where all its policies, or languages, are there."""
    notebooks = [run.notebook for run in runs]
    names = {
        run.notebook
        if notebooks.count(run.notebook) == (len(POLICIES) if run.policy else len(LANGUAGES))
        else run.output_name: None
        for run in runs
    }
    return "、".join(names)


def _span(years: tuple[int, ...]) -> str:
    if len(years) > 2 and years[-1] - years[0] == len(years) - 1:
        return f"{years[0]}—{years[-1]}"
    return "、".join(map(str, years))
