"""Receipts: which run is finished, and where its traces stand.

A run is finished when its receipt stands in ``data/runs/receipts``: the list of the
files that it wrote, with their hashes. Nothing is inferred from an output notebook,
since papermill marks every cell of a killed kernel as completed. Receipts hold no
clock, so a rerun that gives the same files leaves everything after it untouched.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from evaluation.files import write_whole
from evaluation.paths import Folders


@dataclass(frozen=True)
class Run:
    """One notebook with its parameters; `year` is missing for the ledgers of all years."""

    notebook: str
    year: int | None = None
    policy: str | None = None
    language: str | None = None

    @property
    def output_name(self) -> str:
        """Name of the executed notebook, such as ``4_effect_post`` or ``8_findings_en``."""
        suffix = self.policy or ("en" if self.language == "en" else None)
        return f"{self.notebook}_{suffix}" if suffix else self.notebook

    @property
    def name(self) -> str:
        """Unique name, such as ``2024.4_effect_post``."""
        return f"{self.year}.{self.output_name}" if self.year else self.output_name

    @property
    def parameters(self) -> dict:
        """Parameters handed to papermill."""
        given = {"year": self.year, "policy": self.policy, "language": self.language}
        return {name: value for name, value in given.items() if value is not None}


def receipt_path(folders: Folders, run: Run) -> Path:
    """Where the receipt of a run stands."""
    return folders.runs / "receipts" / f"{run.name}.json"


def report_path(folders: Folders, run: Run) -> Path:
    """Where a run says how long it took and why it failed."""
    return folders.runs / "reports" / f"{run.name}.json"


def executed_path(folders: Folders, run: Run) -> Path:
    """Where the executed notebook goes; that of the ledgers accounts for single rows."""
    home = folders.edition(run.year) / "notebooks" if run.year else folders.data / "notebooks"
    return home / f"{run.output_name}.ipynb"


def write_json(path: Path, content: dict) -> None:
    """Write a receipt or report, the same bytes for the same content."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8", newline="\n"))
