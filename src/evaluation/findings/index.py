"""``outputs/index.html``: all editions and policies: what was published, what was corrected."""

import hashlib
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from evaluation.errors import EvaluationError
from evaluation.files import file_hash, write_whole
from evaluation.findings.frozen import MANIFEST, Frozen, list_frozen, list_frozen_years
from evaluation.findings.notices import FILE, Notice, load_notices
from evaluation.paths import PAGES, Folders
from evaluation.plan import POLICIES

INDEX = {"zh": "index.html", "en": "index.en.html"}
_LANGUAGES = {"zh": "中文", "en": "English"}


@dataclass(frozen=True)
class Edition:
    """One row of the index.

    Attributes
    ----------
    view
        Of the frozen edition where there is one, else of the rerun one.
    pages
        Links with their words.
    notices
        On this edition's findings.
    frozen
        Its latest frozen version.
    replaced
        Earlier versions: number and link.
    moved
        Link to the rerun page where its results are not the frozen ones.
    untold
        Whether a notice is later than the frozen version.
    """

    view: object
    pages: list[tuple[str, str]]
    notices: list[Notice]
    frozen: Frozen | None = None
    replaced: list[tuple[int, str]] = field(default_factory=list)
    moved: str = ""
    untold: bool = False

    def is_withdrawn(self, policy: str) -> bool:
        """Whether the finding on a policy holds no more."""
        return any(n.kind == "withdrawn" and n.concerns(policy) for n in self.notices)


def list_editions(folders: Folders) -> list[int]:
    """Editions that have a verdict, rerun or frozen, ascending."""
    run = {int(path.parent.name) for path in _find(folders, "verdict_*.csv")}
    return sorted(run.union(list_frozen_years(folders)))


def digest_editions(folders: Folders) -> str:
    """Fingerprint of all that the index shows and is made by."""
    watched = [path for t in ("verdict", "estimates") for path in _find(folders, f"{t}_*.csv")]
    watched += folders.outputs.glob(f"published/*/{MANIFEST}")
    watched += [folders.reference / name for name in (FILE, "sentences.toml", "district.toml")]
    package = Path(str(files("evaluation.findings")))
    watched += [*package.glob("*.py"), *(package / "template").glob("*.*")]
    lines = [
        f"{path.parent.name}/{path.name} {file_hash(path)}"
        for path in watched
        if path.is_file()
    ]
    lines += [f"{path.parent.name}/{path.name}" for path in _find(folders, "findings*.html")]
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _find(folders: Folders, pattern: str) -> list[Path]:
    return [*folders.outputs.glob(f"[12][0-9][0-9][0-9]/{pattern}")]


def refresh_index(folders: Folders) -> bool:
    """Write the index anew, in both languages, if anything that it shows has changed.

    Returns
    -------
    bool
        Whether it was written; it is not where no edition has a verdict yet.
    """
    if not list_editions(folders):
        return False
    note, digest = folders.runs / "index.txt", digest_editions(folders)
    stand = all((folders.outputs / name).is_file() for name in INDEX.values())
    if stand and note.is_file() and note.read_text(encoding="ascii") == digest:
        return False
    for language in INDEX:
        write_index(folders, language)
    write_whole(note, lambda draft: draft.write_text(digest, encoding="ascii"))
    return True


def write_index(folders: Folders, language: str = "zh") -> Path:
    """Write the index in one language, newest edition first.

    A frozen edition shows the verdicts that were published and leads to the pages that
    were published; a notice stands beside the verdict that it concerns, whatever the
    frozen page says, since that never changes.

    Raises
    ------
    EvaluationError
        If no edition has a verdict.
    DisclosureError
        If the last scan finds something, in the text of a notice for instance.
    """
    from evaluation.findings.guarded import load_guarded
    from evaluation.findings.page import write_page
    from evaluation.findings.parts import templates
    from evaluation.findings.scan import refuse_files

    years = list_editions(folders)
    if not years:
        raise EvaluationError("outputs 中还没有任何一版的结论，无法编写目录页。")
    editions = [describe_edition(folders, year, language) for year in reversed(years)]
    (other,) = (name for code, name in INDEX.items() if code != language)
    template = templates().get_template("editions.html.j2")
    body = template.render(editions=editions, other=other)
    title = editions[0].view.page["index_title"]
    place = folders.outputs / INDEX[language]
    made = write_page(body, folders.runs / place.name, title, language, folders)
    try:
        refuse_files([(made, place.name)], load_guarded(folders))
        data = made.read_bytes()
    finally:
        made.unlink()
    return write_whole(place, lambda draft: draft.write_bytes(data))


def describe_edition(folders: Folders, year: int, language: str) -> Edition:
    """Gather what the index says of an edition."""
    from evaluation.findings.results import load_findings
    from evaluation.findings.view import View

    versions = list_frozen(folders, year)
    last = versions[-1] if versions else None
    home = last.folder if last else folders.edition(year)
    notices = [n for n in load_notices(folders.reference) if n.year == year]
    rerun = folders.edition(year) / PAGES["zh"]
    moved = last is not None and rerun.is_file() and _differ(folders.edition(year), last)
    return Edition(
        view=View(load_findings(folders, year, language, frozen=last is not None)),
        pages=[
            (_link(folders, home / name), _LANGUAGES[code])
            for code, name in PAGES.items()
            if (home / name).is_file()
        ],
        notices=notices,
        frozen=last,
        replaced=[
            (one.version, _link(folders, one.folder / PAGES["zh"])) for one in versions[:-1]
        ],
        moved=_link(folders, rerun) if moved else "",
        untold=last is not None and bool(last.find_untold(notices)),
    )


def _differ(edition: Path, frozen: Frozen) -> bool:
    """Whether verdicts or estimates of the rerun edition are not the frozen ones."""
    names = [f"{table}_{p}.csv" for table in ("verdict", "estimates") for p in POLICIES]
    now = {name: file_hash(edition / name) for name in names if (edition / name).is_file()}
    return now != {name: frozen.files[name] for name in names if name in frozen.files}


def _link(folders: Folders, path: Path) -> str:
    return path.relative_to(folders.outputs).as_posix()
