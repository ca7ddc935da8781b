"""What stands in a file that is about to be published, piece by piece, with its place.

A piece is a cell of a table, a run of text between two tags, an attribute, a string of a
notebook's metadata, a text chunk of a picture: what the last scan (`findings.scan`) looks at.
"""

import base64
import binascii
import csv
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import unquote

from evaluation.findings.png_chunks import UnknownKindError, read_chunks
from evaluation.ledgers.text_files import decode

BETWEEN = "\x1e"  # between the texts of pieces
SCRIPT = "<script>"  # how a script, or an attribute that runs one, reads among pieces
_CELLS = {"td", "th", "dt", "dd", "li", "caption", "option", "text", "title"}
_GEOMETRY = {"d", "points", "transform", "viewbox"}
_DATA = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=-]+)*;base64,([A-Za-z0-9+/=\s]*)")
_KINDS = {
    "image/png": "png", "image/svg+xml": "svg", "text/html": "html", "application/json": "json",
}  # fmt: skip
_FONTS = ("font/", "application/font", "application/x-font")


class Piece(NamedTuple):
    """A piece of a file.

    Attributes
    ----------
    text
        As a reader sees it: escapes are resolved.
    place
        Where it stands, in words.
    is_table
        A cell, or output printed in columns: its parts are looked at too, not only the
        whole and what stands in quotes.
    """

    text: str
    place: str
    is_table: bool = False


def read_pieces(data: bytes, kind: str) -> Iterator[Piece]:
    """Take a file apart.

    Parameters
    ----------
    data
        The whole file.
    kind
        Its ending without the dot.

    Raises
    ------
    UnknownKindError
        If no reader knows the kind: what cannot be looked into is not published.
    """
    reader = _READERS.get(kind.lower())
    if reader is None:
        raise UnknownKindError(f"没有办法检查 .{kind} 文件")
    return reader(data)


def take_apart(data: bytes, name: str) -> list[Piece]:
    """Read a file by the ending of its name; text comes in half-width letters (NFKC).

    Raises
    ------
    UnknownKindError
        As `read_pieces`.
    """
    return narrow(read_pieces(data, PurePath(name).suffix[1:]))


def narrow(pieces: Iterable[Piece]) -> list[Piece]:
    """Write pieces in half-width letters: a phone may be typed １３８."""
    pieces = list(pieces)
    whole = BETWEEN.join(piece.text.replace(BETWEEN, " ") for piece in pieces)
    texts = unicodedata.normalize("NFKC", whole).split(BETWEEN)
    return [piece._replace(text=text) for piece, text in zip(pieces, texts, strict=False)]


class _Html(HTMLParser):
    """Collects text, whole cells, attributes and comments, with their line."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found: list[Piece] = []
        self.open: list[tuple[str, list[str]]] = []

    def _add(self, text: str, is_table: bool = False) -> None:
        if text := text.strip():
            self.found.append(Piece(text, f"第{self.getpos()[0]}行", is_table))

    def handle_starttag(self, tag, attrs):
        if tag == "script" or any(re.match("on[a-z]{2}", name) for name, _ in attrs):
            self._add(SCRIPT)
        for name, value in attrs:
            if value and name not in _GEOMETRY:
                self._add(unquote(value))
        if tag in _CELLS:
            if self.open and self.open[-1][0] == tag:  # its end was left out
                self.handle_endtag(tag)
            self.open.append((tag, []))

    def handle_endtag(self, tag):
        if any(tag == name for name, _ in self.open):
            while True:
                name, texts = self.open.pop()
                self._add("".join(texts), is_table=True)
                if name == tag:
                    break

    def handle_data(self, data):
        self._add(data)
        for _, texts in self.open:
            texts.append(data)

    def handle_comment(self, data):
        self._add(data)

    def handle_decl(self, decl):
        self._add(decl)

    handle_pi = unknown_decl = handle_decl


def _read_html(data: bytes) -> Iterator[Piece]:
    text = decode(data)
    for number, found in enumerate(_DATA.finditer(text), start=1):
        yield from _read_embedded(found[1] or "", found[2], f"内嵌数据第{number}项")
    parser = _Html()
    parser.feed(_DATA.sub("", text))
    parser.close()
    while parser.open:
        parser.handle_endtag(parser.open[-1][0])
    yield from parser.found


def _read_embedded(mime: str, content: str, place: str) -> Iterator[Piece]:
    """Look into what is embedded as base64; letters of a font are no text."""
    if mime.startswith(_FONTS):
        return
    try:
        data = base64.b64decode(re.sub(r"\s", "", content))
    except (binascii.Error, ValueError):
        raise UnknownKindError("有一段内嵌数据读不出来") from None
    yield from _at(place, read_pieces(data, _KINDS.get(mime, mime or "base64")))


def _at(place: str, pieces: Iterator[Piece]) -> Iterator[Piece]:
    return (piece._replace(place=f"{place}，{piece.place}") for piece in pieces)


def _read_csv(data: bytes) -> Iterator[Piece]:
    rows = csv.reader(io.StringIO(decode(data), newline=""))
    for line, row in enumerate(rows, start=1):
        for column, cell in enumerate(row, start=1):
            if cell:
                yield Piece(cell, f"第{line}行第{column}列", True)


def _read_text(data: bytes) -> Iterator[Piece]:
    return _print(decode(data), is_table=False)


def _read_markdown(data: bytes) -> Iterator[Piece]:
    yield from _read_html(data)
    for piece in _read_text(data):
        if "|" in piece.text:
            yield piece._replace(is_table=True)


def _print(text: str, is_table: bool = True) -> Iterator[Piece]:
    for line, words in enumerate(text.splitlines(), start=1):
        if words.strip():
            yield Piece(words, f"第{line}行", is_table)


def _read_json(data: bytes) -> Iterator[Piece]:
    return _walk(json.loads(decode(data)), "")


def _walk(value, place: str) -> Iterator[Piece]:
    """Keys and values of JSON; keys that were planted are no places to name."""
    if isinstance(value, dict):
        for number, (key, inner) in enumerate(value.items(), start=1):
            here = f"{place}第{number}项"
            yield Piece(str(key), f"{here}的名称")
            yield from _walk(inner, f"{here}·")
    elif isinstance(value, list):
        for number, inner in enumerate(value, start=1):
            yield from _walk(inner, f"{place}第{number}项·")
    elif value is not None and not isinstance(value, bool):
        yield Piece(str(value), place.rstrip("·") or "全文")


def _read_notebook(data: bytes) -> Iterator[Piece]:
    notebook = json.loads(decode(data))
    cells = notebook.pop("cells", [])
    yield from _at("笔记本的元数据", _walk(notebook, ""))
    for number, cell in enumerate(cells, start=1):
        here = f"第{number}个单元格"
        source, outputs = _join(cell.pop("source", "")), cell.pop("outputs", [])
        attachments = cell.pop("attachments", {})
        reader = _read_markdown if cell.get("cell_type") == "markdown" else _read_text
        yield from _at(here, reader(source.encode()))
        yield from _at(f"{here}的元数据", _walk(cell, ""))
        for bundle in attachments.values():
            yield from _read_bundle(bundle, f"{here}的附件")
        for output in outputs:
            yield from _read_bundle(output.pop("data", {}), f"{here}的输出")
            for name in ("text", "traceback"):
                printed = output.pop(name, [])
                text = printed if isinstance(printed, str) else "\n".join(printed)
                yield from _at(f"{here}的输出", _print(text))
            yield from _at(f"{here}的输出", _walk(output, ""))


def _join(text) -> str:
    return text if isinstance(text, str) else "".join(text)


def _read_bundle(bundle: dict, place: str) -> Iterator[Piece]:
    """What a cell shows, by kind; pictures are base64, drawings and tables text."""
    for mime, content in bundle.items():
        yield Piece(mime, place)
        if not isinstance(content, str | list) or mime.endswith("json"):
            yield from _at(place, _walk(content, ""))
        elif mime in ("text/html", "image/svg+xml", "text/markdown"):
            yield from _at(place, _read_markdown(_join(content).encode()))
        elif mime.startswith("text/"):
            yield from _at(place, _print(_join(content)))
        else:
            yield from _read_embedded(mime, _join(content), place)


def _read_png(data: bytes) -> Iterator[Piece]:
    for place, part in read_chunks(data):
        yield from _at(place, _read_bytes(part))


def _read_bytes(data: bytes) -> Iterator[Piece]:
    """Bytes of which nobody knows the encoding: as UTF-8, else as whatever fits."""
    texts = [data.decode("utf-8", errors="replace")]
    if "\ufffd" in texts[0] or "\0" in texts[0]:
        texts += [data.decode(code, errors="replace") for code in ("gb18030", "utf-16-le")]
    for text in texts:
        yield from _print(text.replace("\0", "\n"))


def _read_package(data: bytes) -> Iterator[Piece]:
    """Workbooks and documents: zip archives of XML; cells first, then every member."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if "xl/workbook.xml" in archive.namelist():
            yield from _read_cells(data)
        for member in archive.infolist():
            yield Piece(member.filename, "压缩包内的文件名")
            if member.is_dir():
                continue
            kind = member.filename.rpartition(".")[2].lower()  # .rels has no other name
            content = archive.read(member)
            reader = _read_html if kind in ("xml", "rels", "vml") else None
            found = reader(content) if reader else read_pieces(content, kind)
            yield from _at(member.filename if reader else "压缩包内的文件", found)


def _read_cells(data: bytes) -> Iterator[Piece]:
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    for number, name in enumerate(book.sheet_names, start=1):
        yield Piece(name, f"第{number}张工作表的名称")
        sheet = book.get_sheet_by_index(number - 1)
        first_row, first_column = sheet.start or (0, 0)
        for line, row in enumerate(sheet.to_python(), start=first_row + 1):
            for column, value in enumerate(row, start=first_column + 1):
                if value not in ("", None):
                    is_whole = isinstance(value, float) and value.is_integer()
                    text = str(int(value) if is_whole else value)
                    yield Piece(text, f"第{number}张工作表第{line}行第{column}列", True)


_READERS: dict[str, Callable[[bytes], Iterator[Piece]]] = {
    "html": _read_html, "svg": _read_html, "xml": _read_html, "md": _read_markdown,
    "csv": _read_csv, "json": _read_json, "ipynb": _read_notebook, "png": _read_png,
    "xlsx": _read_package, "docx": _read_package, "bin": _read_bytes,
    "txt": _read_text, "toml": _read_text, "css": _read_text,
}  # fmt: skip
