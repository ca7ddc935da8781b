"""Which files of the project a notebook reads: the trace of a run.

The batch names a file in `READ_VARIABLE`; a kernel that finds it there notes each file of
the project that is opened for reading, once. Only the standard library is used here, and
whatever goes wrong is silent: a trace must never break what it watches. A process that
notes nothing leaves an empty trace, which the batch takes for "may depend on everything".
"""

import hashlib
import importlib.util
import os
import sys
from contextlib import contextmanager
from pathlib import Path

READ_VARIABLE = "EVALUATION_READ"
PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120
_WRITES = os.O_WRONLY | os.O_CREAT
_paused = False


def start_trace(note: str, package: str = PACKAGE) -> None:
    """Note from now on every file of the package and the project that is opened.

    Without ``EVALUATION_HOME`` nobody knows the project, and nothing is noted. Modules
    that were loaded before count too. Left out are hidden folders (``.venv``, ``.git``)
    and an environment that stands inside the project. Files that C++ opens by itself
    (parquet through pyarrow) are not seen.

    Parameters
    ----------
    note
        Each path is appended to it, one a line.
    package
        Folder of the package, with a separator at its end.
    """
    if "EVALUATION_HOME" not in os.environ:
        return
    roots, left_out = _folders(package)
    seen = set()

    def record(event, arguments):
        if event != "open" or _paused:
            return
        try:
            path, _, flags = arguments
            if flags & _WRITES:
                return
            path = os.path.abspath(os.fsdecode(path))  # noqa: PTH100
            if path in seen or not path.startswith(roots):
                return
            if path.startswith(left_out) and not path.startswith(package):
                return
            seen.add(path)
            with open(note, "a", encoding="utf-8") as stream:  # noqa: PTH123
                stream.write(f"{path}\n")
        except Exception:
            return

    for module in list(sys.modules.values()):
        started = getattr(module, "__name__", "") == "__main__"  # what starts kernels
        if (file := getattr(module, "__file__", None)) and not started:
            record("open", (file, "r", 0))
    sys.addaudithook(record)


def _folders(package: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Folders whose files count, and those inside them that do not."""
    named = [os.environ.get(f"EVALUATION_{name}") for name in ("HOME", "OUT", "LEDGERS")]
    homes = [home for name in named if name for home in (name, os.path.realpath(name))]
    roots = [os.path.join(os.path.abspath(home), "") for home in homes]  # noqa: PTH100, PTH118
    environments = [os.path.join(home, "") for home in (sys.prefix, sys.base_prefix)]  # noqa: PTH118
    left_out = [f"{root}." for root in roots]
    left_out += [home for home in environments if home.startswith(tuple(roots))]
    roots.append(package)
    if sys.pycache_prefix:
        roots += [sys.pycache_prefix + root for root in roots]
    return tuple(roots), tuple(left_out)


@contextmanager
def unrecorded():
    """Read files without depending on them."""
    global _paused
    _paused = True
    try:
        yield
    finally:
        _paused = False


def read_trace(note: Path) -> list[Path]:
    """Files that a run read, in order; compiled modules stand for their source.

    Empty if nothing was noted, or if the notes lack the package itself: then nobody
    knows what was read.
    """
    if not note.is_file():
        return []
    lines = dict.fromkeys(note.read_text(encoding="utf-8").splitlines())
    paths = dict.fromkeys(_source(line) for line in lines)
    return list(paths) if Path(PACKAGE, "__init__.py") in paths else []


def _source(line: str) -> Path:
    if line.endswith(".pyc"):
        try:
            return Path(importlib.util.source_from_cache(line))
        except ValueError:
            pass
    return Path(line)


def hash_code() -> str:
    """Fingerprint of the package's modules, the same on every system (12 digits).

    Whoever prints it says which code gave the numbers; it makes no number depend on all
    modules, so reading them is no dependency.
    """
    root, digest = Path(PACKAGE), hashlib.sha256()
    with unrecorded():
        for path in sorted(root.rglob("*.py"), key=lambda path: path.as_posix()):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:12]
