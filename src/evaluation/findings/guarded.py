"""What no published file may hold, and how to tell it by keyed hash: names above all.

Names are compared with whole cells and quoted strings only: common names also occur in
place names and ordinary prose (金石, 高兴). A word that stands by itself in
``data/reference`` is a word of the project, not a person.
"""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePath

from evaluation.files import file_hash
from evaluation.findings.pieces import Piece, take_apart
from evaluation.ledgers.identity import (
    Pseudonymiser,
    check_numbers,
    load_key,
    tidy_name,
    tidy_phone,
)
from evaluation.paths import Folders

# What only the keyed hashes can tell: numbers as typed in a ledger, phones with an area
# code, pseudonyms. Fewer digits are too often an amount or a date.
_TYPED_NUMBER = re.compile(r"(?<![0-9A-Za-z.])[0-9Xx*]{14,19}(?![0-9A-Za-z])")
_LANDLINE = re.compile(r"(?<![0-9A-Za-z.])0\d{2,3}[ -]?\d{7,8}(?![0-9A-Za-z])")
_PSEUDONYM = re.compile(r"(?<![0-9A-Za-z])(?:[0-9a-f]{32}|[0-9a-f]{16})(?![0-9A-Za-z])")
_QUOTED = re.compile(r"[“‘「『《\"'`](?=([^“”‘’「」『』《》\"'`\n]{2,30})[”’」』》\"'`])")
_APART = re.compile(r"[\s、,;/|:()\[\]]+")
_NAME = re.compile(r"(?:[^\W\d_]|[·•・.\s]){2,30}")
_LONGEST = 40  # characters of a whole piece that may be a name


@dataclass(frozen=True, eq=False, repr=False)  # it holds the key
class Guarded:
    """What no published file may hold.

    Attributes
    ----------
    pseudonyms
        Makes the keyed hashes; none where the key is not there, then names cannot be told.
    hashes
        By kind (``number``, ``name``, ``phone``; ``all``), of all ledgers.
    words
        Words of the project: what stands by itself in ``data/reference``.
    secrets
        Folders of this machine by kind of hit, and the key in its spellings.
    """

    pseudonyms: Pseudonymiser | None
    hashes: dict[str, frozenset]
    words: frozenset
    secrets: tuple[tuple[str, str], ...]

    @property
    def knows_names(self) -> bool:
        """Whether names can be looked for at all."""
        return self.pseudonyms is not None and bool(self.hashes)


def load_guarded(folders: Folders) -> Guarded:
    """Read what the scan compares with; read again only if one of the files changed.

    Nothing is made here, least of all a key: what is not there is not compared with.
    """
    watched = [folders.data / "private_hashes.parquet", folders.key_file]
    watched += sorted(folders.reference.glob("*.*"))
    state = tuple((path, file_hash(path)) for path in watched if path.is_file())
    return _load_guarded(folders, state)


@lru_cache(maxsize=2)
def _load_guarded(folders: Folders, state: tuple) -> Guarded:
    has_key = folders.is_demo or folders.key_file.is_file()
    key = load_key(folders.key_file, folders.is_demo) if has_key else None
    hashes = folders.data / "private_hashes.parquet"
    found: dict[str, set] = {}
    if key and hashes.is_file():
        from pyarrow import parquet  # much faster to import than pandas

        table = parquet.read_table(hashes, columns=["kind", "hash"])
        for kind, value in zip(*(table[n].to_pylist() for n in ("kind", "hash")), strict=True):
            found.setdefault(kind, set()).add(value)
    if found:
        found["all"] = set().union(*found.values())
    words = set()
    for path in sorted(folders.reference.glob("*.*")):
        if path.suffix in (".csv", ".toml", ".md") and path.name != "notices.toml":
            words |= find_candidates(take_apart(path.read_bytes(), path.name))
    home = Path.home()
    places = [folders.root, folders.data, folders.outputs]
    places += [home] if len(home.parts) > 2 else []  # /root is too short to tell
    secrets = [("本机路径", text) for place in places for text in spell_folder(place)]
    if key:
        secrets += [("密钥", key.hex()), ("密钥", base64.b64encode(key).decode().rstrip("="))]
    return Guarded(
        Pseudonymiser(key) if key else None,
        {kind: frozenset(values) for kind, values in found.items()},
        frozenset(words),
        tuple(secrets),
    )


def spell_folder(folder: PurePath) -> list[str]:
    r"""Ways to write a folder: on Windows links and many programs write it with slashes.

    Examples
    --------
    >>> from pathlib import PureWindowsPath
    >>> spell_folder(PureWindowsPath("D:\\a"))
    ['D:\\a', 'D:/a']
    """
    return list(dict.fromkeys([str(folder), folder.as_posix()]))


def find_candidates(pieces: list[Piece]) -> set[str]:
    """What may be a name: whole pieces, quoted strings, and the parts of table cells.

    Parameters
    ----------
    pieces
        Their text half-width, as `pieces.take_apart` returns it.
    """
    found = set()
    for piece in pieces:
        text = piece.text
        texts = [text] if len(text) <= _LONGEST else []
        texts += [match[1] for match in _QUOTED.finditer(text)]
        if piece.is_table:
            texts += _APART.split(text)
        found.update(text.strip() for text in texts)
    return {text for text in found if _looks_like_name(text)}


def _looks_like_name(text: str) -> bool:
    """Letters, with spaces or dots between them; in Latin letters only with such."""
    if not _NAME.fullmatch(text):
        return False
    return not text.isascii() or bool(re.search(r"[^\W\d_][·•・.\s]+[^\W\d_]", text))


def find_secrets(text: str, guarded: Guarded) -> list[tuple[str, int]]:
    """Kind and position of the key and of folders of this machine."""
    lower = text.lower()
    return [
        (kind, at)
        for kind, secret in guarded.secrets
        if (at := lower.find(secret.lower())) >= 0
    ]


def find_hashed(text: str, guarded: Guarded) -> list[tuple[str, int]]:
    """Kind and position of numbers and phones as typed in a ledger, and of pseudonyms."""
    if not guarded.knows_names:
        return []
    kinds = (
        ("台账中的证件号码", "number", _TYPED_NUMBER, _hash_numbers),
        ("台账中的电话", "phone", _LANDLINE, _hash_phones),
        ("个人代码", "all", _PSEUDONYM, lambda texts, _: texts),
    )
    found = []
    for said, kind, pattern, make in kinds:
        places = {}
        for match in pattern.finditer(text):
            places.setdefault(match[0], match.start())
        known = guarded.hashes.get(kind, frozenset())
        hashed = make(list(places), guarded.pseudonyms) if places else []
        pairs = zip(places.values(), hashed, strict=True)
        found += [(said, place) for place, value in pairs if value in known]
    return found


def _hash_numbers(typed: list[str], pseudonyms: Pseudonymiser):
    """As `ledgers.linking` hashes numbers: the usable one, else what was typed."""
    import pandas as pd

    checked = check_numbers(pd.Categorical(typed, categories=typed))
    return pseudonyms.find(checked["number"].fillna(checked["typed"]), "number", 32)


def _hash_phones(typed: list[str], pseudonyms: Pseudonymiser):
    return pseudonyms.find(typed, "phone", tidy=tidy_phone)


def find_names(candidates: set[str], guarded: Guarded) -> set[str]:
    """Those of the candidates that are names in a ledger and no word of the project."""
    if not guarded.knows_names:
        return set()
    asked, known = sorted(candidates - guarded.words), guarded.hashes.get("name", frozenset())
    hashed = guarded.pseudonyms.find(asked, "name", tidy=tidy_name)
    return {text for text, value in zip(asked, hashed, strict=True) if value in known}
