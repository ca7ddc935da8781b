"""What a long run shows while it runs."""

import sys
import threading
import time
from pathlib import Path

import click


class Progress:
    """A bar fed by the reports that runs leave, since they run in other processes."""

    def __init__(self, reports: list[Path]):
        self._reports = reports
        self._began = time.time()
        self._ended = threading.Event()

    def __enter__(self):
        self._bar = click.progressbar(
            length=len(self._reports), label="笔记本", file=sys.stderr, show_pos=True
        )
        self._bar.__enter__()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _finished(self) -> int:
        return sum(p.is_file() and p.stat().st_mtime >= self._began for p in self._reports)

    def _watch(self) -> None:
        while not self._ended.wait(0.5):
            self._bar.update(self._finished() - self._bar.pos)

    def __exit__(self, *problem):
        self._ended.set()
        self._thread.join()
        self._bar.update(len(self._reports) - self._bar.pos)
        self._bar.__exit__(*problem)
