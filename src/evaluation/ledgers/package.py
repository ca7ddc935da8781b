"""Unpack and check an xlsx file before anything opens it.

The reader of workbooks lays out everything between the first and the last cell of a sheet,
trusts counts that the file states, and repeats a text in every cell that refers to it. A
hostile or damaged file of a few KB can so fill the memory, and then the process dies without
an error that could be caught. Here every part is unpacked within limits and looked at; what
the reader gets is a package of exactly these parts, not compressed.
"""

import io
import re
import zipfile
import zlib

import numpy as np

from evaluation.errors import LedgerError
from evaluation.ledgers.extent import check_form, check_texts, measure_sheet
from evaluation.ledgers.sheets import HAS_PASSWORD, MAX_CELLS

MAX_UNPACKED = 500 * 2**20  # bytes
MAX_RATIO = 100
MAX_MERGES = 1_000_000
MAX_TEXT = 2**30  # bytes of texts, each counted as often as a cell refers to it
DAMAGED = "文件已损坏（不完整的工作簿），请重新导出。"
_SMALL = 2**20  # nothing of this size is a bomb, however well it packs
# Pictures, macros, drawings, pivot tables and the like are not even unpacked.
_READ = re.compile(r"\.(xml|rels)$", re.IGNORECASE)
_UNREAD = re.compile(
    r"(^|/)(docprops|customxml|theme|drawings|charts|media|embeddings|printersettings|tables"
    r"|pivottables|pivotcache|externallinks|querytables|slicers|ctrlprops|threadedcomments)/"
    r"|(^|/)(calcchain|comments\d*|metadata)\.xml$",
    re.IGNORECASE,
)
_STATED_COUNT = re.compile(rb"uniqueCount\s*=\s*[\"'](\d*)")
_TEXT_USED = re.compile(rb"v[^<>]*>\s*(\d{1,9})")
_BLANK_CELL = re.compile(rb"<c [^<>]*(?:/>|></c>)")


def unpack(data: bytes) -> tuple[bytes, bool]:
    """Check an xlsx file and pack what the reader needs of it anew, without compression.

    Returns
    -------
    tuple
        The new package, and whether the file holds macros (they are left out).

    Raises
    ------
    LedgerError
        Says which limit is passed, or that the package is damaged, encrypted or no
        workbook.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            parts = package.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise LedgerError(DAMAGED) from None
    names = [part.filename.replace("\\", "/") for part in parts]
    lower = {name.lower() for name in names}
    _check_kind(lower)
    needed = {
        name: part
        for name, part in zip(names, parts, strict=True)
        if _READ.search(name) and not _UNREAD.search(name)
    }
    if len(lower) < len(names):
        raise LedgerError(DAMAGED)  # which of two parts of one name counts?
    unpacked = sum(part.file_size for part in needed.values())
    _check_size(unpacked, sum(part.compress_size for part in needed.values()))
    macros = any(name.endswith("vbaproject.bin") for name in lower)
    return _pack_anew(data, needed), macros


def _check_kind(names):
    if "xl/workbook.bin" in names:
        raise LedgerError("这是 xlsb 格式的工作簿，请另存为 xlsx 后再放入。")
    if "content.xml" in names and "mimetype" in names:
        raise LedgerError("这是 ods 格式的表格，请另存为 xlsx 后再放入。")
    if not any(name.endswith("workbook.xml") for name in names):
        raise LedgerError("不是 xlsx 工作簿（是压缩包或其他文件？），请另存为 xlsx。")


def _check_size(unpacked, packed):
    if unpacked > MAX_UNPACKED:
        raise LedgerError(f"解压后有 {unpacked >> 20} MB，超过上限 500 MB，未打开。")
    ratio = unpacked / max(packed, 1)
    if ratio > MAX_RATIO and unpacked > _SMALL:
        raise LedgerError(f"压缩比 {ratio:.0f} 倍，超过上限 {MAX_RATIO} 倍，未打开。")


def _pack_anew(data, parts):
    """Unpack, check and store each part, one after the other."""
    store, cells, texts = io.BytesIO(), {}, b""
    with zipfile.ZipFile(store, "w", zipfile.ZIP_STORED) as package:
        for name, part in parts.items():
            xml = _inflate(data, part)
            pieces = [xml]
            if name.lower().endswith("sharedstrings.xml"):
                check_form(xml)
                _check_count(xml)
                check_texts(xml)
                texts = xml
            elif b"sheetData" in xml:
                cells[name] = _check_sheet(xml)
                pieces = _bring_merges_forward(xml)
            else:
                check_form(xml)
            with package.open(name, "w") as stored:
                for piece in pieces:
                    stored.write(piece)
        _check_texts(texts, cells, package)
    return store.getvalue()


def _inflate(data, part):
    """Unpack one part; a size other than the directory states is a lie or damage.

    `zipfile` would stop at the stated size and so never see what a reader sees that goes on.
    """
    if part.flag_bits & 1:
        raise LedgerError(HAS_PASSWORD)
    head = data[part.header_offset : part.header_offset + 30]
    if head[:4] != b"PK\3\4" or len(head) < 30:
        raise LedgerError(DAMAGED)
    name_and_extra = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
    start = part.header_offset + 30 + sum(name_and_extra)
    packed = data[start : start + part.compress_size]
    try:
        if part.compress_type == zipfile.ZIP_STORED:
            xml = packed
        elif part.compress_type == zipfile.ZIP_DEFLATED:
            xml = zlib.decompressobj(-15).decompress(packed, part.file_size + 1)
        else:
            raise LedgerError(DAMAGED)
    except zlib.error:
        raise LedgerError(DAMAGED) from None
    if len(xml) != part.file_size or zlib.crc32(xml) != part.CRC:
        raise LedgerError(DAMAGED)
    return xml


def _check_count(xml):
    """Room is made for as many texts as the list states, before the first is read."""
    if any(int(stated or 0) > len(xml) for stated in _STATED_COUNT.findall(xml)):
        raise LedgerError(DAMAGED)


def _check_sheet(xml):
    """Refuse a sheet by its area; return how many cells it has.

    A formatted cell without content far away takes no room: it is left out before a
    sheet is refused.
    """
    rows, columns, cells = measure_sheet(xml)
    if rows * columns > MAX_CELLS:
        rows, columns, cells = measure_sheet(_BLANK_CELL.sub(b"", xml))
    if rows * columns > MAX_CELLS:
        raise LedgerError(
            f"有单元格远在第 {rows} 行、第 {columns} 列，表格范围异常，未打开："
            "请删除远处的单元格（或把内容复制到新工作簿）后再放入。"
        )
    if xml.count(b"mergeCell", xml.rfind(b"sheetData")) > MAX_MERGES:
        raise LedgerError(f"合并单元格超过 {MAX_MERGES:,} 处，未打开：请取消合并后再放入。")
    return cells


def _bring_merges_forward(xml):
    """Put merged cells before the rows: the reader need not go through all of them again."""
    start, end, whole = xml.find(b"<sheetData"), xml.rfind(b"sheetData"), memoryview(xml)
    first, last = (xml.find(tag, end) for tag in (b"<mergeCells", b"</mergeCells>"))
    if start < 0 or b"<!" in xml[:start] or b"mergeCells" in xml[:start]:
        return [xml]
    if xml.count(b"mergeCells", end) == 0:
        return [whole[:start], b"<mergeCells/>", whole[start:]]
    if first < 0 or last < first or xml.count(b"mergeCells", end) > 2:
        return [xml]
    last += len(b"</mergeCells>")
    return [whole[:start], whole[first:last], whole[start:first], whole[last:]]


def _measure_texts(texts):
    signs = np.frombuffer(texts, dtype=np.uint8)
    ends = np.flatnonzero(signs == ord(">"))
    for step, sign in ((-1, "i"), (-2, "s"), (-3, "/")):
        ends = ends[signs.take(ends + step, mode="clip") == ord(sign)]
    return np.diff(ends, prepend=0)


def _check_texts(texts, cells, package):
    """Refuse a text that stands in so many cells that together they fill the memory."""
    lengths, total = _measure_texts(texts), 0
    if sum(cells.values()) * lengths.max(initial=0) < MAX_TEXT:
        return
    for name in cells:
        used = np.array(_TEXT_USED.findall(package.read(name))).astype(int)
        total += lengths[used[used < len(lengths)]].sum()
    if total > MAX_TEXT:
        raise LedgerError("同一段很长的文字被大量单元格引用，未打开：请另存为新工作簿。")
