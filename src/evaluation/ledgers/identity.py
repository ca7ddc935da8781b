"""Resident numbers, unified social credit codes, pseudonyms and their key."""

import contextlib
import hashlib
import os
import re
import secrets
import sys
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.errors import EvaluationError
from evaluation.ledgers.values import take_texts

KEY_BYTES = 32
# Public on purpose: demonstration data look the same on every machine.
DEMONSTRATION_KEY = hashlib.sha256(b"demonstration ledgers: no secret").digest()
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK = np.frombuffer(b"10X98765432", dtype=np.uint8)
# What check_numbers may say; the first of them leave a number usable.
_KINDS = [
    None, "number_15", "number_typed", "number_damaged", "number_masked", "number_length",
    "number_checksum", "number_birth",
]  # fmt: skip
_UNUSABLE = _KINDS.index("number_damaged")
_KINDS_ARRAY = np.array(_KINDS, dtype=object)
_SEXES = np.array([None, "female", "male"], dtype=object)
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_BETWEEN = re.compile(r"[\s·•・.．]")
_NO_DIGIT = re.compile(r"\D")
_DROPPED = re.compile(r"[\s'‘’`\"\u200b\u2060\ufeff-]")


def load_key(path: Path, is_demo: bool = False) -> bytes:
    """Read the key of the pseudonyms; make it on first use and say so.

    Parameters
    ----------
    path
        ``folders.key_file``; made readable by its owner alone.
    is_demo
        Demonstration data use a fixed public key.

    Raises
    ------
    EvaluationError
        If the file holds no key of at least 32 bytes.
    """
    if is_demo:
        return DEMONSTRATION_KEY
    path = Path(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
        print(
            f"已生成新的加密密钥：{path}\n请立即备份到安全的地方，不要外传："
            "密钥丢失后，新旧各期的同一个人将无法对应。",
            file=sys.stderr,
        )
    with contextlib.suppress(OSError):
        path.chmod(0o600)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) < KEY_BYTES:
        raise EvaluationError(f"密钥文件 {path} 已损坏（不足32字节），请从备份恢复，不要新建。")
    return key[:64]


def pseudonyms(texts, key: bytes, domain: str, digits: int = 16) -> np.ndarray:
    """Keyed BLAKE2b of texts, in hexadecimal digits; missing stays missing.

    `domain` keeps equal texts of different meaning apart. Without the key a county's
    resident numbers could be tried out in seconds.
    """
    start = hashlib.blake2b(digest_size=digits // 2, key=key, person=domain.encode("ascii"))

    def digest(text):
        state = start.copy()
        state.update(text.encode("utf-8"))
        return state.hexdigest()

    return np.array([None if t is None else digest(t) for t in texts], dtype=object)


class Pseudonymiser:
    """Pseudonyms by one key. Each text is hashed once: a person stands in many files.

    Parameters
    ----------
    key
        As returned by `load_key`.
    """

    def __init__(self, key: bytes):
        self._key = key
        self._made: dict[str, dict] = {}

    def find(self, texts, domain: str, digits: int = 16, tidy=None) -> np.ndarray:
        """Pseudonyms of texts; missing where a text is, or where nothing is left of it.

        Parameters
        ----------
        domain, digits
            As for `pseudonyms`; one number of digits for each domain.
        tidy
            Applied before hashing.
        """
        made = self._made.setdefault(domain, {None: None})
        new = [text for text in texts if text not in made]
        tidied = [tidy(text) or None for text in new] if tidy else new
        found = pseudonyms(tidied, self._key, domain, digits)
        made.update(zip(new, found, strict=True))
        return np.array([made[text] for text in texts], dtype=object)

    def keyed(self, column: pd.Categorical, tidy, domain: str):
        """Pseudonyms of a column after tidying each distinct cell; missing where blank."""
        return take_texts(self.find(column.categories, domain, tidy=tidy), column.codes)


def check_numbers(column: pd.Categorical) -> pd.DataFrame:
    """Check resident numbers.

    Check digit and calendar date decide (GB 11643-1999); fifteen digits become eighteen.
    The prefix is only the place of first registration and decides nothing.

    Returns
    -------
    pandas.DataFrame
        One row per distinct cell: ``number`` (18 digits; missing if unusable), ``typed``
        (what was read, cleaned), ``kind`` (of the closed list; missing if nothing is to be
        said), ``birth`` (yyyymmdd, 0 unknown), ``sex``.
    """
    typed = np.array(column.categories, dtype=object)
    numbers, kinds = typed.copy(), np.zeros(len(typed), dtype=np.int8)
    plain, digits = _find_plain(typed)
    for at in np.flatnonzero(~plain):
        text = _tidy(typed[at])
        kind = _shape(text) or ("number_typed" if text != typed[at] else None)
        numbers[at] = _lengthen(text) if kind == "number_15" else text
        kinds[at], typed[at] = _KINDS.index(kind), text
    usable = kinds < _UNUSABLE
    if not plain.all():
        digits = _as_digits(numbers[usable])
    birth, right = _read_birth(digits), _CHECK[_add_up(digits) % 11] == digits[:, 17]
    exists = _exists(birth)
    # Excel keeps fifteen digits, other programs sixteen, and noughts for the rest.
    spoilt = ~right & (digits[:, 16] == 48) & (digits[:, 17] == 48)
    good = right & exists
    kind = np.where(right, kinds[usable], _KINDS.index("number_checksum"))
    kind[~exists] = _KINDS.index("number_birth")
    kind[spoilt] = _KINDS.index("number_damaged")
    kinds[usable] = kind
    births, sexes = np.zeros(len(typed), dtype=np.int64), np.zeros(len(typed), dtype=np.int8)
    births[usable] = np.where(good, birth, 0)
    sexes[usable] = np.where(good, 1 + digits[:, 16] % 2, 0)
    usable[usable] = good
    numbers[~usable] = None
    texts = {"number": numbers, "typed": typed, "kind": _KINDS_ARRAY[kinds]}
    frame = {name: pd.Series(found, dtype=object) for name, found in texts.items()}
    frame |= {"birth": pd.Series(births), "sex": pd.Series(_SEXES[sexes], dtype=object)}
    return pd.DataFrame(frame, copy=False)


def _find_plain(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether each text is seventeen digits and a digit or X; and the signs of those."""
    plain = np.fromiter(map(len, texts), dtype=int, count=len(texts)) == 18
    whole = "".join(texts if plain.all() else texts[plain])
    if not whole.isascii():
        plain[plain] = [text.isascii() for text in texts[plain]]
        whole = "".join(texts[plain])
    signs = np.frombuffer(whole.encode("ascii"), dtype=np.uint8).reshape(-1, 18)
    digits = (signs[:, :17] - ord("0") < 10).all(axis=1)
    digits &= (signs[:, 17] - ord("0") < 10) | (signs[:, 17] == ord("X"))
    plain[plain] = digits
    return plain, signs if digits.all() else signs[digits]


def _as_digits(texts):
    return np.frombuffer("".join(texts).encode("ascii"), dtype=np.uint8).reshape(-1, 18)


def _add_up(digits):
    """Weighted sum of seventeen digits; floats hold it exactly and are far quicker."""
    total = digits[:, :17].astype(np.float32) @ _WEIGHTS.astype(np.float32)
    return total.astype(np.int64) - 48 * _WEIGHTS.sum()


def _read_birth(digits):
    powers = 10.0 ** np.arange(7, -1, -1)
    return (digits[:, 6:14].astype(np.float64) @ powers - 48 * powers.sum()).astype(np.int64)


def _tidy(text):
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text)).upper()


def _shape(text):
    if len(text) == 18 and text[:17].isdigit() and text[17] in "0123456789X" and text.isascii():
        return ""
    if re.fullmatch(r"[0-9](\.[0-9]+)?E\+?[0-9]+|[0-9]{16,}\.0*", text):
        return "number_damaged"
    if re.search(r"[*●•#□＊X].", text) or re.search(r"[*●•#]", text):
        return "number_masked"
    if re.fullmatch(r"[0-9]{15}", text):
        return "number_15"
    return "number_length"


def _lengthen(text):
    body = f"{text[:6]}19{text[6:]}"
    total = sum(int(digit) * weight for digit, weight in zip(body, _WEIGHTS, strict=True))
    return body + chr(_CHECK[total % 11])


def _exists(birth):
    """Whether yyyymmdd is a day of 1900–2099."""
    year, month, day = birth // 10_000, birth // 100 % 100, birth % 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    length = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
    inside = (month >= 1) & (month <= 12) & (year >= 1900) & (year <= 2099)
    days = length[np.where(inside, month, 0)] + ((month == 2) & leap)
    return inside & (day >= 1) & (day <= days)


def mask(number: str) -> str:
    """Show a number as 511923********1234 (shorter ones with fewer digits).

    Of what is longer, as two numbers in one cell, no more is shown.
    """
    text = _tidy(number)
    end = text[14:] if len(text) <= 18 else text[-4:]
    return f"{text[:6]}********{end}" if len(text) >= 15 else f"{text[:3]}****"


def check_credit_code(text: str) -> str | None:
    """Normalise a unified social credit code (GB 32100-2015); none if it is invalid."""
    code = _tidy(text)
    if len(code) != 18 or any(letter not in _CREDIT for letter in code):
        return None
    total = sum(_CREDIT.index(c) * pow(3, i, 31) for i, c in enumerate(code[:17]))
    return code if _CREDIT[(31 - total % 31) % 31] == code[17] else None


def tidy_name(text: str) -> str:
    """Name for linking: no spaces, no dots between parts, half-width."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text))


def tidy_phone(text: str) -> str | None:
    """Digits of a phone without the country's prefix; none if fewer than seven."""
    digits = _NO_DIGIT.sub("", unicodedata.normalize("NFKC", text))
    digits = digits.removeprefix("86") if len(digits) == 13 else digits
    return digits if len(digits) >= 7 else None
