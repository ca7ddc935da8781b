"""Receipts: which run is finished, on what it rested and what it made.

A run is finished when its receipt stands in ``data/runs/receipts``: its parameters, the
files that it read and those that it wrote, with their hashes. Nothing is inferred from an
output notebook, since papermill marks every cell of a killed kernel as completed.
Receipts hold no clock and no path of the machine.
"""

import hashlib
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

from evaluation.files import file_hash, write_whole
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


def failed_path(folders: Folders, run: Run) -> Path:
    """Where the notebook of a failed run goes, as far as it came."""
    return folders.failed / str(run.year or "ledgers") / f"{run.output_name}.ipynb"


def note_start(folders: Folders, run: Run) -> float:
    """Leave a sign that a run is under way; returns the time (seconds since 1970)."""
    began = time.time()
    write_json(report_path(folders, run), {"began": began})
    return began


def read_report(folders: Folders, run: Run) -> dict:
    """What a run said last.

    Returns
    -------
    dict
        ``seconds``, after a failure with ``error`` and ``message``; only ``began`` while
        it runs or if it was killed; empty if it never ran.
    """
    return _read_json(report_path(folders, run)) or {}


def read_receipt(folders: Folders, run: Run) -> dict | None:
    """The receipt of a finished run.

    Returns
    -------
    dict or None
        ``products`` (path relative to ``data/`` to hash), ``inputs`` (label to hash),
        ``parameters``, ``traced`` (whether all that was read is known); without ``form``
        it was written by an older program. None without a receipt.
    """
    return _read_json(receipt_path(folders, run))


def describe_products(folders: Folders, products: list[Path]) -> dict[str, str]:
    """Hashes of files by their path relative to ``data/``."""
    return {
        Path(os.path.relpath(path, folders.data)).as_posix(): file_hash(path)
        for path in sorted(set(products))
    }


def digest_tables(folders: Folders, run: Run) -> str | None:
    """Fingerprint of what a run hands on, or None if it is not finished.

    The executed notebook is not part of it, nor a page or a workbook for people: no
    notebook reads them, so that a new sentence between two cells makes nothing else run
    again.
    """
    receipt = read_receipt(folders, run)
    if receipt is None:
        return None
    executed = Path(os.path.relpath(executed_path(folders, run), folders.data)).as_posix()
    products = receipt.get("products", receipt)
    handed_on = {
        name: value
        for name, value in products.items()
        if name != executed and not name.endswith((".html", ".xlsx"))
    }
    return hashlib.sha256(json.dumps(handed_on, sort_keys=True).encode()).hexdigest()


def _read_json(path: Path) -> dict | None:
    """Content of a file; one that is damaged counts as absent."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def write_json(path: Path, content: dict) -> None:
    """Write a receipt or report, the same bytes for the same content."""
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)
    write_whole(path, lambda draft: draft.write_text(text, encoding="utf-8", newline="\n"))
