"""One notebook through papermill: kept only if it came to its end, with a receipt."""

import json
import os
import re
import tempfile
import time
from pathlib import Path

from evaluation.errors import EvaluationError
from evaluation.files import WRITTEN_VARIABLE, file_hash, write_whole
from evaluation.paths import Folders, locate
from evaluation.receipts import Run, executed_path, receipt_path, report_path, write_json


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
    """Run one notebook, keep its result only if it came to its end, write the receipt.

    Raises
    ------
    RuntimeError
        If a cell failed or the kernel died; the reason stands in the run's report and
        the notebook as far as it came under ``data/failed/<year>/``.
    """
    import papermill

    folders = locate()
    report_path(folders, run).unlink(missing_ok=True)
    target = executed_path(folders, run)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        draft = Path(scratch) / target.name
        written = Path(scratch) / "written.txt"
        os.environ[WRITTEN_VARIABLE] = str(written)
        try:
            papermill.execute_notebook(
                str(folders.notebooks / f"{run.notebook}.ipynb"),
                str(draft),
                parameters=run.parameters,
                kernel_name=kernel,
                language="python",
                progress_bar=False,
                log_output=False,
            )
            finish_notebook(draft, target, run)
            products = [target, *_listed(written)]
            if run.notebook == "8_findings":
                products += [_export(folders, run, target)]
        except Exception as problem:
            seconds = time.monotonic() - began
            _keep_failed(folders, run, draft, problem, seconds)
            raise RuntimeError(run.name) from None
        finally:
            os.environ.pop(WRITTEN_VARIABLE, None)
    write_json(report_path(folders, run), {"seconds": time.monotonic() - began})
    hashes = {
        Path(os.path.relpath(path, folders.data)).as_posix(): file_hash(path)
        for path in sorted(set(products))
    }
    write_json(receipt_path(folders, run), hashes)


def finish_notebook(draft: Path, target: Path, run: Run) -> None:
    """Check that every cell ran, strip clocks and paths, put the notebook in place.

    Raises
    ------
    EvaluationError
        If the last code cell never ran, as after ``sys.exit()`` in a cell.
    """
    import nbformat

    notebook = nbformat.read(draft, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
    for number, cell in enumerate(code, start=1):
        if cell.get("execution_count") is None:
            raise EvaluationError(
                f"第{number}个代码单元格没有运行：前面可能提前结束了内核（如 sys.exit）。"
            )
    for cell in notebook.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill draws one at random
    if run.year:
        _refuse_personal_text(notebook, target.name)
    notebook.metadata["papermill"] = {"parameters": run.parameters}
    notebook.metadata.get("language_info", {}).pop("version", None)
    write_whole(target, lambda path: nbformat.write(notebook, path))


def _refuse_personal_text(notebook, name: str) -> None:
    """Scan sources and texts of outputs; pictures are base64, whose digits mean nothing."""
    from evaluation.findings.disclosure import refuse_disclosure

    texts = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            bundle = output.get("data", {"text/plain": output.get("text", "")})
            texts += [str(text) for kind, text in bundle.items() if kind.startswith("text/")]
    folders = locate()
    refuse_disclosure("\n".join(texts), name, (str(folders.root), str(folders.data)))


def _export(folders: Folders, run: Run, executed: Path) -> Path:
    from evaluation.findings.page import export_page

    name = "findings.html" if run.language == "zh" else f"findings.{run.language}.html"
    page = folders.edition(run.year) / name
    export_page(executed, page)
    return page


def _listed(written: Path) -> list[Path]:
    if not written.is_file():
        return []
    lines = written.read_text(encoding="utf-8").splitlines()
    return [Path(line) for line in dict.fromkeys(lines) if Path(line).is_file()]


def _keep_failed(
    folders: Folders, run: Run, draft: Path, problem: Exception, seconds: float
) -> None:
    """Keep the broken notebook away from outputs; say in one sentence what happened."""
    receipt_path(folders, run).unlink(missing_ok=True)
    failed = folders.failed / str(run.year or "ledgers") / f"{run.output_name}.ipynb"
    if draft.is_file():
        content = draft.read_bytes()
        write_whole(failed, lambda path: path.write_bytes(content))
    name = getattr(problem, "ename", type(problem).__name__)
    said = str(getattr(problem, "evalue", problem)).strip()
    cell = getattr(problem, "cell_index", None)
    where = f"第{cell + 1}个单元格：" if cell is not None else ""
    # A message of ours is a whole sentence for people; any other needs its type to be found.
    message = where + (said if name in _own_errors() else f"{name}：{said}")
    report = {"seconds": seconds, "error": name, "message": message}
    write_json(report_path(folders, run), report)


def _own_errors() -> set[str]:
    from evaluation import errors

    return {name for name in vars(errors) if name.endswith("Error")}
