"""What a long run shows while it runs: a table of editions and notebooks."""

import os
import sys
import time

from evaluation.batch.freshness import survey
from evaluation.batch.receipts import Run, read_report, report_path
from evaluation.batch.status import STYLES, tabulate
from evaluation.paths import Folders


class Progress:
    """A table on the terminal, fed by the reports of runs, which are in other processes.

    Where standard error is no terminal (a log, another program) it shows nothing.
    """

    def __init__(self, folders: Folders, *, force: bool = False):
        self._folders = folders
        self._force = force
        self._began = time.time()
        self._runs: list[Run] = []
        self._left_alone: set[Run] = set()
        self._live = None

    def __enter__(self):
        return self

    def show(self, runs: list[Run]) -> None:
        """Show these runs from now on; nothing appears if none of them would run."""
        if not sys.stderr.isatty():
            return
        looked = survey(self._folders, runs)
        fresh = {run for run, outlook in looked.items() if outlook.state == "fresh"}
        self._left_alone = set() if self._force else fresh
        self._runs = runs
        if self._live is None and len(self._left_alone) < len(runs):
            self._live = self._open()

    def _open(self):
        from rich.console import Console
        from rich.live import Live

        # A copy of the terminal: while notebooks run, pytask captures the original.
        terminal = os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding="utf-8")
        live = Live(
            get_renderable=self.draw,
            console=Console(file=terminal),
            refresh_per_second=2,
            transient=True,
        )
        live.start()
        return live

    def draw(self):
        """The table as it is now."""
        spent = time.time() - self._began
        cells = {run: self._describe(run) for run in self._runs}
        return tabulate(cells, f"运行中，已 {spent:.0f} 秒")

    def _describe(self, run: Run) -> str:
        path = report_path(self._folders, run)
        if path.is_file() and path.stat().st_mtime >= self._began:
            report = read_report(self._folders, run)
            if "error" in report:
                return f"[{STYLES['failed']}]失败 {report['seconds']:.0f} 秒[/]"
            if "seconds" in report:
                return f"[{STYLES['done']}]完成 {report['seconds']:.0f} 秒[/]"
            if "began" in report:
                return f"[{STYLES['running']}]运行中 {time.time() - report['began']:.0f} 秒[/]"
        return "[dim]未变[/]" if run in self._left_alone else "等待"

    def __exit__(self, *problem):
        if self._live is not None:
            self._live.stop()
            self._live.console.file.close()
