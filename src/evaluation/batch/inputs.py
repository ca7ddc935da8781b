"""On what a run rests: its notebook, the files that it read, the tables handed to it.

Every input has a label that means the same on every machine:

========== =====================================================================
package    a module, template or font, relative to the package
project    a notebook, reference file or module of a researcher's own
ledger     a ledger, relative to the folder of the ledgers
product    a table read beside those of `graph.READS`, relative to ``data/``
run        what another run handed on, all its tables together
published  a table of a frozen edition before
key        the key of the pseudonyms
========== =====================================================================
"""

import os
import re
from pathlib import Path

from evaluation.batch import graph
from evaluation.batch.receipts import (
    Run,
    describe_products,
    digest_tables,
    read_receipt,
    receipt_path,
    write_json,
)
from evaluation.files import file_hash
from evaluation.paths import Folders, list_corrections, list_ledgers
from evaluation.trace import PACKAGE, read_trace

FORM = 2
# An input that was changed while it was being read: nobody knows which state was used.
UNSURE = "unsure"
# Read by the batch itself: the last scan, the export of the page.
_SCAN = tuple(f"findings/{name}.py" for name in ("scan", "guarded", "pieces", "png_chunks"))
_EXPORT = (
    "__init__.py",
    "errors.py",
    "files.py",
    "ledgers/__init__.py",
    "ledgers/codes.py",
    "ledgers/text_files.py",
    "paths.py",
    "plan.py",
    "tables.py",
    "trace.py",
)
# Drafts, other hidden files, and what only tells which packages are installed.
_LEFT_OUT = re.compile(r"/\.[^/]*$|\.(egg|dist)-info/")
_EXPORT_REFERENCE = ("analysis_plan.toml", "district.toml", "sentences.toml")


def write_receipt(
    folders: Folders, run: Run, products: list[Path], note: Path, began: float
) -> None:
    """Say that a run is finished, on what it rested and what it made.

    Parameters
    ----------
    products
        Files that the run wrote, in place.
    note
        What the kernel noted under `trace.READ_VARIABLE`. Without it the run rests on
        the whole package and all reference files.
    began
        When it began; what was changed later was perhaps read before.
    """
    made = describe_products(folders, products)
    read = read_trace(note)
    inputs = declared_inputs(folders, run)
    inputs |= _traced(folders, run, read, set(made)) if read else everything(folders)
    for label in inputs:
        path = find_input(folders, label)
        if path and path.is_file() and path.stat().st_mtime > began:
            inputs[label] = UNSURE
    receipt = {
        "form": FORM,
        "parameters": run.parameters,
        "traced": bool(read),
        "inputs": inputs,
        "products": made,
    }
    write_json(receipt_path(folders, run), receipt)


def current_inputs(folders: Folders, run: Run, receipt: dict) -> dict[str, str | None]:
    """The inputs of a finished run as they are now; None for a file that is gone."""
    now = declared_inputs(folders, run)
    if not receipt["traced"]:
        return now | everything(folders)
    for label in receipt["inputs"]:
        path = find_input(folders, label)
        if path and label not in now:
            now[label] = _hash(path)
    return now


def declared_inputs(folders: Folders, run: Run) -> dict[str, str | None]:
    """Inputs that are known without running: notebook, ledgers, tables of other runs."""
    notebook = folders.notebooks / f"{run.notebook}.ipynb"
    found = {f"project:notebooks/{notebook.name}": _hash(notebook)}
    if run.year is None:
        found |= {
            f"ledger:{path.relative_to(folders.ledgers).as_posix()}": file_hash(path)
            for path in (*list_ledgers(folders.ledgers), *list_corrections(folders.ledgers))
        }
        if not folders.is_demo:
            found["key:"] = _hash(folders.key_file)
        return found
    for other in graph.upstream(run, folders.notebooks):
        found[f"run:{other.name}"] = digest_tables(folders, other)
    for other in graph.before(run, folders.notebooks):
        if receipt_path(folders, other).is_file():
            found[f"run:{other.name}"] = digest_tables(folders, other)
    if run.notebook in graph.READS_BEFORE:
        found |= {
            f"published:{path.parent.name}/{path.name}": file_hash(path)
            for path in sorted(folders.published(run.year - 1).glob("*.csv"))
        }
    for name in graph.READS_FROZEN.get(run.notebook, ()):
        found |= {
            f"published:{path.parent.name}/{path.name}": file_hash(path)
            for path in sorted(folders.published(run.year).parent.glob(f"[12]*/{name}.csv"))
            if path.parent.name[:4] < str(run.year)
        }
    package, reference = list(_SCAN), ()
    if run.notebook == "8_findings":
        page = [path for path in _package_files() if path.startswith("findings/")]
        package, reference = [*page, *_EXPORT], _EXPORT_REFERENCE
    found |= {f"package:{name}": _hash(Path(PACKAGE, name)) for name in package}
    for name in reference:
        found[f"project:data/reference/{name}"] = _hash(folders.reference / name)
    return found


def everything(folders: Folders) -> dict[str, str | None]:
    """The whole package and all reference files: for a run of which no more is known."""
    found = {f"package:{name}": _hash(Path(PACKAGE, name)) for name in _package_files()}
    for path in sorted(folders.reference.iterdir()):
        if path.is_file():
            found[f"project:data/reference/{path.name}"] = file_hash(path)
    return found


def find_input(folders: Folders, label: str) -> Path | None:
    """The file that a label names, or None if it names no single file to look at."""
    kind, _, name = label.partition(":")
    homes = {
        "package": Path(PACKAGE),
        "project": folders.root,
        "ledger": folders.ledgers,
        "product": folders.data,
    }
    return homes[kind] / name if kind in homes else None


def _traced(
    folders: Folders, run: Run, read: list[Path], own: set[str]
) -> dict[str, str | None]:
    """Inputs that a run read beside the declared ones."""
    handed = set(own)
    for other in graph.upstream(run, folders.notebooks) + graph.before(run, folders.notebooks):
        handed |= set((read_receipt(folders, other) or {}).get("products", {}))
    found = {}
    for path in read:
        label = _label(folders, path)
        if label is None or path.is_dir() or _LEFT_OUT.search(path.as_posix()):
            continue
        kind, _, name = label.partition(":")
        if kind != "product" or (name not in handed and path.is_file()):
            found[label] = _hash(path)
    return found


def _label(folders: Folders, path: Path) -> str | None:
    """The label of a file that was read, or None if it is no input of its own."""
    path = Path(os.path.realpath(path))
    if path == Path(os.path.realpath(folders.key_file)):
        return None  # declared
    homes = [
        ("package", Path(os.path.realpath(PACKAGE)), ""),
        ("project", folders.reference, "data/reference/"),
        ("ledger", folders.ledgers, ""),
    ]
    for kind, home, prefix in homes:
        if path.is_relative_to(home):
            return f"{kind}:{prefix}{path.relative_to(home).as_posix()}"
    if path.is_relative_to(folders.data) or path.is_relative_to(folders.outputs):
        return f"product:{Path(os.path.relpath(path, folders.data)).as_posix()}"
    if path.is_relative_to(folders.root):
        return f"project:{path.relative_to(folders.root).as_posix()}"
    return None


def _package_files() -> list[str]:
    home = Path(PACKAGE)
    return sorted(
        path.relative_to(home).as_posix()
        for path in home.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )


def _hash(path: Path) -> str | None:
    return file_hash(path) if path.is_file() else None
