"""What a png file holds beside its picture: text, profiles, bytes behind its end."""

import zlib
from collections.abc import Iterator

from evaluation.errors import EvaluationError

_PNG = b"\x89PNG\r\n\x1a\n"
_PICTURE = (b"IHDR", b"IDAT", b"PLTE", b"IEND")
_LARGEST = 10_000_000  # bytes of one text unpacked
_UNREADABLE = "有一个 png 文件读不出来"


class UnknownKindError(EvaluationError):
    """Nobody knows how to look into a file: then it is not published."""


def read_chunks(data: bytes) -> Iterator[tuple[str, bytes]]:
    """List all that is no picture, unpacked, with where it stands.

    Source: Portable Network Graphics, third edition, W3C (2025), sections 5 and 11.

    Raises
    ------
    UnknownKindError
        If it is no png, a chunk says that it is longer than the file, or a text in it
        cannot be unpacked to its end.
    """
    if not data.startswith(_PNG):
        raise UnknownKindError(_UNREADABLE)
    at, name = len(_PNG), b""
    while at + 12 <= len(data) and name != b"IEND":
        size, name = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8]
        chunk, at = data[at + 8 : at + 8 + size], at + 12 + size
        if at > len(data):
            raise UnknownKindError(_UNREADABLE)
        if name not in _PICTURE:
            place = f"图片的 {name.decode('latin-1')} 段"
            yield from ((place, part) for part in _unpack(name, chunk))
    yield "图片之后", data[at:]


def _unpack(name: bytes, chunk: bytes) -> list[bytes]:
    if name == b"iTXt":
        key, _, rest = chunk.partition(b"\0")
        is_packed, rest = rest[:1] == b"\1", rest[2:]
        language, _, rest = rest.partition(b"\0")
        translated, _, text = rest.partition(b"\0")
        return [key, language, translated, *(_inflate(text) if is_packed else [text])]
    if name in (b"zTXt", b"iCCP"):
        key, _, packed = chunk.partition(b"\0")
        return [key, *_inflate(packed[1:])]
    return chunk.split(b"\0")


def _inflate(packed: bytes) -> list[bytes]:
    """Unpack a text; what stands behind it in the same chunk comes as well."""
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(packed, _LARGEST)
    except zlib.error:
        raise UnknownKindError("图片中有一段文字读不出来") from None
    if len(text) == _LARGEST:  # nobody has looked at the rest
        raise UnknownKindError("图片中有一段文字太长")
    return [text, unpacker.unused_data]
