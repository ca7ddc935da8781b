"""The last scan: what must never be published, in every file that is about to be.

Resident numbers, phones and paths of the machine are looked for anywhere; names, the key
and pseudonyms as `evaluation.findings.guarded` tells them.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

from evaluation.errors import DisclosureError, EvaluationError

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)  # GB 11643-1999
_LONG_NUMBER = re.compile(
    r"(?<![0-9A-Za-z.])(?:(\d{6})[ -]?(\d{8})[ -]?(\d{3}[\dXx])|(\d{15}))(?![0-9A-Za-z])"
)
_MASKED = re.compile(
    r"(?<![0-9A-Za-z])\d{3,10}(?:[*●•□]{4,}|[xX]{6,})\d{2,4}[\dXx]?(?![0-9A-Za-z])"
)
_PHONE = re.compile(r"(?<![0-9A-Za-z.])1[3-9]\d(?:[ -]?\d{4}){2}(?![0-9A-Za-z])")
_MACHINE = re.compile(
    r"(?:/home|/Users|/root|/tmp|/var/folders|/mnt)/[\w.~-]+|\b[A-Za-z]:\\{1,2}[^\\\s\"<>|*?]+\\"
)
_SCRIPT = re.compile(r"<\s*/?\s*script\b|javascript:", re.I)  # escaped, it is ledger text
_MOST = 5  # places that a message names


@dataclass(frozen=True, order=True)
class Hit:
    """Something that must not be published: file, kind and place, never the value."""

    file: str
    kind: str
    place: str

    def __str__(self) -> str:
        return f"{self.file}（{self.place}）：{self.kind}"


def scan_text(text: str, machine_paths: tuple[str, ...] = ()) -> list[str]:
    """Look for numbers, phones and paths in a text.

    Parameters
    ----------
    text
        Any text: a csv, a page, a notebook.
    machine_paths
        Folders of this machine that must not be named.

    Returns
    -------
    list of str
        Kind and line of each hit, never the value itself.

    Examples
    --------
    >>> scan_text("电话 13800138000")
    ['手机号码（第1行）']
    >>> scan_text("0.13800138000,sha256 13800138000a")
    []
    """
    plain = unicodedata.normalize("NFKC", text)
    hits = [f"{kind}（第{plain.count(chr(10), 0, at) + 1}行）" for kind, at in _find(plain)]
    hits += ["本机路径" for path in machine_paths if path and path in text]
    return hits


def _find(text: str) -> list[tuple[str, int]]:
    """Kind and position of what can be told without any key."""
    kinds = (
        ("居民身份证号码", (m for m in _LONG_NUMBER.finditer(text) if _is_resident(m))),
        ("遮盖的身份证号码", _MASKED.finditer(text)),
        ("手机号码", _PHONE.finditer(text)),
        ("本机路径", _MACHINE.finditer(text)),
        ("脚本", _SCRIPT.finditer(text)),
    )
    return [(kind, match.start()) for kind, found in kinds for match in found]


def _is_resident(match: re.Match) -> bool:
    """Whether digits form a resident number: a real day of birth and, with 18, the check."""
    number = match[4] or "".join(match.group(1, 2, 3))
    born = number[6:14] if len(number) == 18 else "19" + number[6:12]
    try:
        date(int(born[:4]), int(born[4:6]), int(born[6:]))
    except ValueError:
        return False
    if number[0] not in "12345678" or not "1900" <= born[:4] <= "2099":
        return False
    if len(number) == 15:
        return True
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    return "10X98765432"[total % 11] == number[17].upper()


def refuse_disclosure(text: str, name: str, machine_paths: tuple[str, ...] = ()) -> None:
    """Stop the publication of a text that holds a number, phone or path.

    Raises
    ------
    DisclosureError
        Names the file, the kind and the line, without the value.
    """
    hits = scan_text(text, machine_paths)
    if hits:
        raise DisclosureError(f"{name} 不能公布：含有{'、'.join(hits[:_MOST])}。")


def scan_bytes(data: bytes, name: str, guarded) -> list[Hit]:
    """Scan one file.

    Parameters
    ----------
    data
        The whole file.
    name
        As a message is to name it; scanned too. Its ending says how to read the file.
    guarded
        As returned by `guarded.load_guarded`.

    Returns
    -------
    list of Hit
        Sorted, each once. What cannot be looked into is a hit as well.
    """
    from evaluation.findings.pieces import Piece, narrow, take_apart

    parts = [PurePath(part).stem for part in PurePath(name).parts]
    parts += re.split(r"[\W_]+", name)  # 2024_loan.张三.csv
    named = _scan_pieces(narrow(Piece(part, "文件名", True) for part in parts), guarded)
    shown = f"*{PurePath(name).suffix}" if named else name  # never repeat the value
    try:
        found = _scan_pieces(take_apart(data, name), guarded)
    except Exception as problem:  # whatever a damaged file makes of a reader
        ours = isinstance(problem, EvaluationError)
        said = str(problem).rstrip("。") if ours else "读不出来"
        found = {(f"不能检查的内容（{said}）", "全文")}
    return sorted(Hit(shown, kind, place) for kind, place in named | found)


def refuse_files(files: Iterable[tuple[Path, str]], guarded) -> None:
    """Stop the publication of files that hold what must not be published.

    Parameters
    ----------
    files
        Path of each and the name under which a message speaks of it.
    guarded
        As returned by `guarded.load_guarded`.

    Raises
    ------
    DisclosureError
        Names file, place and kind of the first hits, never a value.
    """
    hits = [hit for path, name in files for hit in scan_bytes(path.read_bytes(), name, guarded)]
    if hits:
        more = f"；另有 {len(hits) - _MOST} 处" if len(hits) > _MOST else ""
        raise DisclosureError(f"不能公布：{'；'.join(map(str, hits[:_MOST]))}{more}。")


def _scan_pieces(pieces: list, guarded) -> set[tuple[str, str]]:
    """Kind and place of each hit."""
    from evaluation.findings.guarded import (
        find_candidates,
        find_hashed,
        find_names,
        find_secrets,
    )
    from evaluation.findings.pieces import BETWEEN

    text, starts, at = BETWEEN.join(piece.text for piece in pieces), [], 0
    for piece in pieces:
        starts.append(at)
        at += len(piece.text) + len(BETWEEN)
    found = _find(text) + find_secrets(text, guarded) + find_hashed(text, guarded)
    hits = {(kind, pieces[bisect_right(starts, at) - 1].place) for kind, at in found}
    names = find_names(find_candidates(pieces), guarded)
    if names:  # seldom: then the pieces are gone through one by one
        places = {piece.place for piece in pieces if names & find_candidates([piece])}
        hits |= {("台账中的姓名", place) for place in places}
    return hits
