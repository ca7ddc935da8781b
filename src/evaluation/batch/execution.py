"""One notebook through papermill: kept only if it came to its end, with a receipt."""

import errno
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

from evaluation.batch.environment import set_variables
from evaluation.batch.inputs import write_receipt
from evaluation.batch.receipts import (
    Run,
    executed_path,
    failed_path,
    note_start,
    receipt_path,
    report_path,
    write_json,
)
from evaluation.batch.warm import process as warm
from evaluation.errors import DisclosureError, EvaluationError, KernelError
from evaluation.files import WRITTEN_VARIABLE, list_drafts, put_in_place, write_whole
from evaluation.paths import PAGES, Folders, locate
from evaluation.trace import PACKAGE, READ_VARIABLE

# Bytes that a notebook may take beyond its start, and seconds that a cell may run.
MEMORY_VARIABLE, TIMEOUT_VARIABLE = "EVALUATION_MEMORY", "EVALUATION_TIMEOUT"
# Where in memory an object stands: another number each time, of use to nobody.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]{6,}(?=>)")
# Where a warning says that a cell stands: another place each time.
_CELL_FILE = re.compile(r"[^\s\"']*ipykernel_\d+[/\\]\d+\.py")
_ADVICE = {"MemoryError": "（超过了每个笔记本可用的内存，可用 --memory 放宽）"}


def check_parameters(runs: list[Run], notebooks: Path) -> None:
    """Refuse a run whose notebook lacks a parameter that the batch would hand over.

    papermill only warns and runs the default, which would publish another year's result.

    Raises
    ------
    EvaluationError
        Names the notebook and the parameter.
    """
    declared = {}
    for run in runs:
        if run.notebook not in declared:
            declared[run.notebook] = _declared_parameters(notebooks / f"{run.notebook}.ipynb")
        unknown = sorted(set(run.parameters) - declared[run.notebook])
        if unknown:
            raise EvaluationError(
                f"笔记本 {run.notebook}.ipynb 没有参数 {'、'.join(unknown)}："
                "请在标有 parameters 的单元格中补上，例如 year: int = 2024。"
            )


def _declared_parameters(notebook: Path) -> set[str]:
    """Names assigned in the cell tagged ``parameters`` (read without starting a kernel)."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    source = "\n".join(
        "".join(cell["source"])
        for cell in cells
        if "parameters" in cell.get("metadata", {}).get("tags", [])
    )
    return set(re.findall(r"^(\w+)\s*(?::[^=\n]+)?=", source, flags=re.MULTILINE))


def execute_run(run: Run, kernel: str = "python3") -> None:
    """Run one notebook; only if it came to its end put its products in place.

    The old receipt goes before the first product is replaced and the new one is written
    last: whatever is killed in between is run again, and never taken for finished.

    Raises
    ------
    RuntimeError
        If a cell failed or the kernel died: run and reason in one line. The reason also
        stands in the run's report, the notebook as far as it came in
        ``data/failed/<year>/``; what stood under ``outputs/`` stays.
    """
    folders = locate()
    began, at = time.monotonic(), note_start(folders, run)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        draft, note = Path(scratch) / f"{run.output_name}.ipynb", Path(scratch) / "written.txt"
        try:
            _run_notebook(folders, run, draft, note, kernel)
            cells = time_cells(draft)
            products = _make_products(folders, run, draft, note)
        except Exception as problem:
            for unused, _ in list_drafts(note):
                unused.unlink(missing_ok=True)
            seconds = time.monotonic() - began
            said = _keep_failed(folders, run, draft, problem, seconds)
            raise RuntimeError(f"{run.name}: {said}") from None
        report = {"seconds": time.monotonic() - began, "cells": cells}
        write_json(report_path(folders, run), report)
        write_receipt(folders, run, products, _trace(note), at)


def _make_products(folders: Folders, run: Run, draft: Path, note: Path) -> list[Path]:
    """Finish the notebook, put everything that it made in place."""
    target = executed_path(folders, run)
    made = {target: finish_notebook(draft, run)}
    if run.notebook in ("1_ledgers", "8_findings"):
        made |= _export(folders, run, draft)
    for place, content in made.items():
        with _noted(note):
            write_whole(place, lambda path, content=content: path.write_bytes(content))
    drafts = list_drafts(note)
    scan_drafts(folders, drafts)
    receipt_path(folders, run).unlink(missing_ok=True)
    put_in_place(drafts)
    return list(dict.fromkeys(place for _, place in drafts))


def _noted(note: Path):
    """Let whatever is written be noted, here and in a kernel started now; there reads too."""
    return set_variables({WRITTEN_VARIABLE: str(note), READ_VARIABLE: str(_trace(note))})


def _trace(note: Path) -> Path:
    return note.with_name("read.txt")


def _run_notebook(folders: Folders, run: Run, draft: Path, note: Path, kernel: str) -> None:
    import papermill

    from evaluation.batch.engine import register_engine

    manager = {"kernel_manager_class": warm.MANAGER} if warm.VARIABLE in os.environ else {}
    with _noted(note):
        papermill.execute_notebook(
            str(folders.notebooks / f"{run.notebook}.ipynb"),
            str(draft),
            parameters=run.parameters,
            engine_name=register_engine(),
            kernel_name=kernel,
            language="python",
            progress_bar=False,
            log_output=False,
            memory=int(os.environ.get(MEMORY_VARIABLE, 0)),
            execution_timeout=int(os.environ.get(TIMEOUT_VARIABLE, 0)) or None,
            **manager,
        )


def time_cells(draft: Path) -> list[float]:
    """Seconds of each cell as papermill took them, in the order of the cells."""
    cells = json.loads(draft.read_text(encoding="utf-8"))["cells"]
    taken = [cell["metadata"].get("papermill", {}).get("duration") for cell in cells]
    return [round(seconds or 0.0, 3) for seconds in taken]


def finish_notebook(draft: Path, run: Run) -> bytes:
    """Check that every cell ran to its end, strip clocks and paths.

    Returns
    -------
    bytes
        The notebook; `draft` holds the same.

    Raises
    ------
    EvaluationError
        If a code cell never ran or ended by ``sys.exit()``, which papermill lets pass.
    """
    import nbformat

    notebook = nbformat.read(draft, as_version=4)
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "code" or not cell.source.strip():
            continue
        left = any(output.output_type == "error" for output in cell.outputs)
        if left and "raises-exception" not in cell.metadata.get("tags", []):
            raise KernelError(
                f"第{number}个单元格用 sys.exit 提前结束了，后面的没有运行；请删去这一句。"
            )
        if cell.get("execution_count") is None:
            raise KernelError(f"第{number}个单元格没有运行：前面可能提前结束了内核。")
    machine = (str(locate().root), PACKAGE.rstrip(os.sep), sys.prefix)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "stream":  # a warning names the file that it is from
                output.text = _CELL_FILE.sub("cell.py", shorten_paths(output.text, machine))
            if "text/plain" in output.get("data", {}):
                output.data["text/plain"] = _ADDRESS.sub("", output.data["text/plain"])
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill draws one at random
    notebook.metadata["papermill"] = {"parameters": run.parameters}
    notebook.metadata.get("language_info", {}).pop("version", None)
    nbformat.write(notebook, draft)
    return draft.read_bytes()


def shorten_paths(text: str, machine: tuple[str, ...]) -> str:
    """Leave out of a text where on this machine a file of these folders lies."""
    for folder in machine:
        text = text.replace(folder + os.sep, "")
    return text


def scan_drafts(folders: Folders, drafts: list[tuple[Path, Path]]) -> None:
    """Look at what is about to stand under ``outputs/`` for the last time.

    Raises
    ------
    DisclosureError
        If a file holds what must not be published, or would change a frozen edition.
    """
    from evaluation.findings.guarded import load_guarded
    from evaluation.findings.scan import refuse_files

    outputs, files = folders.outputs.resolve(), []
    for draft, place in drafts:
        if place.is_relative_to(outputs):
            name = place.relative_to(outputs)
            if name.parts[0] == "published":
                raise DisclosureError(
                    "已公布的年版是冻结的，笔记本不能改写 outputs/published。"
                )
            files.append((draft, name.as_posix()))
    refuse_files(files, load_guarded(folders))


def _export(folders: Folders, run: Run, executed: Path) -> dict[Path, bytes]:
    from evaluation.findings.page import export_page

    if run.year is None:  # the report on the ledgers counts single rows: it stays in data
        place = folders.clean / "ledgers.html"
    else:
        place = folders.edition(run.year) / PAGES[run.language]
    made = executed.with_name(place.name)
    export_page(executed, made)
    return {place: made.read_bytes()}


def _keep_failed(
    folders: Folders, run: Run, draft: Path, problem: Exception, seconds: float
) -> str:
    """Keep the broken notebook away from outputs; say in one sentence what happened."""
    name = getattr(problem, "ename", type(problem).__name__)
    said = str(getattr(problem, "evalue", problem)).strip()
    cell = getattr(problem, "cell_index", None)
    where = f"第{cell + 1}个单元格：" if cell is not None else ""
    # A message of ours is a whole sentence for people; any other needs its type to be found.
    message = where + (said if name in _own_errors() else f"{name}：{said}")
    message += _ADVICE.get(name, "")
    if getattr(problem, "errno", None) == errno.ENOSPC or "No space left" in said:
        message += "（磁盘已满：请腾出空间后重新运行）"
    report = {"seconds": seconds, "error": name, "message": message}
    try:
        receipt_path(folders, run).unlink(missing_ok=True)
        write_json(report_path(folders, run), report)
        if draft.is_file():
            content = draft.read_bytes()
            write_whole(failed_path(folders, run), lambda path: path.write_bytes(content))
    except OSError:
        pass  # the disk is full: what happened still goes to the summary
    return message


def _own_errors() -> set[str]:
    from evaluation import errors

    return {name for name in vars(errors) if name.endswith("Error")}
