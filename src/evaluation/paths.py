"""Where files live: for the batch, for a notebook run by hand, for a test."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from evaluation.errors import EvaluationError

LEDGER_ENDINGS = {".xlsx", ".xlsm", ".xls", ".csv"}
PAGES = {"zh": "findings.html", "en": "findings.en.html"}  # of an edition, by language
NOT_A_LEDGER = ("~$", ".", "更正", "corrections", "issues")


@dataclass(frozen=True)
class Folders:
    """The folders of one run.

    Attributes
    ----------
    root
        The project: holds ``notebooks/`` and ``data/reference/``.
    reference
        Reference data, in git.
    ledgers
        Ledgers as received.
    data
        Everything that holds persons: ``clean/``, ``panel/<year>/``, ``failed/``, ``runs/``.
    outputs
        Nothing that could not be published.
    is_demo
        Whether the ledgers are demonstration data; said on every page.
    """

    root: Path
    reference: Path
    ledgers: Path
    data: Path
    outputs: Path
    is_demo: bool

    @property
    def clean(self) -> Path:
        """Clean tables, one per ledger, all years."""
        return self.data / "clean"

    @property
    def notebooks(self) -> Path:
        """The notebooks of the project."""
        return self.root / "notebooks"

    @property
    def failed(self) -> Path:
        """Notebooks that stopped with an error: tracebacks hold rows, so they stay in data."""
        return self.data / "failed"

    @property
    def runs(self) -> Path:
        """Receipts, logs and the state of the batch."""
        return self.data / "runs"

    @property
    def key_file(self) -> Path:
        """The key of the pseudonyms (not used for demonstration data)."""
        named = os.environ.get("EVALUATION_KEY_FILE")
        return Path(named) if named else self.root / "data" / "pseudonym.key"

    def panel(self, year: int) -> Path:
        """Tables of persons of one edition."""
        return self.data / "panel" / str(year)

    def edition(self, year: int) -> Path:
        """Published tables, notebooks and page of one edition."""
        return self.outputs / str(year)

    def published(self, year: int) -> Path:
        """The frozen edition, where it was published: its latest version."""
        first = self.outputs / "published" / str(year)
        return max(self.versions(year), default=(1, first))[1]

    def versions(self, year: int) -> list[tuple[int, Path]]:
        """Versions of a frozen edition: ``<year>``, then corrections ``<year>-v2``, …"""
        home = self.outputs / "published"
        found = [(1, home / str(year))]
        for path in home.glob(f"{year}-v[0-9]*"):
            number = path.name.partition("-v")[2]
            found += [(int(number), path)] if number.isdigit() else []
        return sorted((number, path) for number, path in found if path.is_dir())


def find_root(start: Path | None = None) -> Path:
    """Find the project around a folder.

    The nearest folder at or above `start` (default: the working directory) that
    holds ``notebooks/`` and ``data/reference/``; the environment variable
    ``EVALUATION_HOME`` decides before that. JupyterLab starts a notebook in its
    own folder, papermill in the caller's, so neither may be assumed.

    Raises
    ------
    EvaluationError
        If there is no such folder.
    """
    named = os.environ.get("EVALUATION_HOME")
    candidates = [Path(named)] if named else None
    if candidates is None:
        start = Path.cwd() if start is None else Path(start)
        candidates = [start.resolve(), *start.resolve().parents]
    for folder in candidates:
        if (folder / "notebooks").is_dir() and (folder / "data" / "reference").is_dir():
            return folder.resolve()
    raise EvaluationError(
        "找不到项目文件夹（其中应有 notebooks 和 data/reference）。"
        "请在项目文件夹内运行，或用环境变量 EVALUATION_HOME 指明其位置。"
    )


def list_ledgers(folder: Path) -> list[Path]:
    """List what may be a ledger below a folder, ordered by path.

    Lock files of Excel and WPS, hidden files, the clerk's report, corrections and the
    tables beside demonstration ledgers are none.
    """
    demo = (folder / "demo.toml").is_file()
    beside = {"manifest.csv", "revisions.csv", "truth.csv", "broken.csv"} if demo else set()
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in LEDGER_ENDINGS
        and path.is_file()
        and not path.name.lower().startswith(NOT_A_LEDGER)
        and not (path.parent == folder and path.name in beside)
    )


def list_corrections(folder: Path) -> list[Path]:
    """List the workbooks of corrections (更正….xlsx) below a folder, ordered by path."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in LEDGER_ENDINGS
        and path.is_file()
        and path.name.lower().startswith(("更正", "corrections"))
    )


def year_received(file: str) -> int:
    """Year received of a file, from the folder per year that it lies in; 0 in a flat folder.

    Parameters
    ----------
    file
        Path below the folder of the ledgers, with ``/``.

    Examples
    --------
    >>> year_received("2023/罗江镇/名册.xlsx"), year_received("2023.xlsx")
    (2023, 0)
    """
    found = re.search(r"(?:^|/)((?:19|20)\d\d)(?=/)", file)
    return int(found[1]) if found else 0


def has_ledgers(folder: Path) -> bool:
    """Whether a folder (or a subfolder) holds a workbook or csv file."""
    return folder.is_dir() and bool(list_ledgers(folder))


def locate(start: Path | None = None) -> Folders:
    """Decide which ledgers are read and where results go.

    Real ledgers in ``data/ledgers/`` come first; without them the demonstration
    ledgers under ``data/demo/ledgers``. ``EVALUATION_LEDGERS`` names another folder
    of ledgers and ``EVALUATION_OUT`` another place for ``data/`` and ``outputs/``
    (the command line sets both, and kernels inherit them).

    Raises
    ------
    EvaluationError
        If no project is found.
    """
    root = find_root(start)
    named_ledgers = os.environ.get("EVALUATION_LEDGERS")
    named_out = os.environ.get("EVALUATION_OUT")
    home = Path(named_out).resolve() if named_out else root
    real = Path(named_ledgers).resolve() if named_ledgers else root / "data" / "ledgers"
    demo_ledgers = home / "data" / "demo" / "ledgers"
    is_demo = is_demonstration(real) if named_ledgers else not has_ledgers(real)
    data = home / "data" / "demo" if is_demo else home / "data"
    outputs = home / "outputs" / "demo" if is_demo else home / "outputs"
    ledgers = demo_ledgers if is_demo and not named_ledgers else real
    return Folders(root, root / "data" / "reference", ledgers, data, outputs, is_demo)


def is_demonstration(ledgers: Path) -> bool:
    """Whether a folder of ledgers was made by ``evaluation demo`` (it holds ``demo.toml``)."""
    return (ledgers / "demo.toml").is_file()
