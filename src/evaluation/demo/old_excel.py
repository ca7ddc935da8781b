"""Write a workbook of the old format (xls), as some offices still send it.

No library that the project needs anyway writes it, and of the format little is needed:
texts and numbers on one sheet (MS-XLS, BIFF8), in a compound file of one stream (MS-CFB).
"""

import struct

_SECTOR = 512
_FREE, _END, _TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_SMALLEST = 4096  # shorter streams would need tables of their own
_XF_CELL, _XF_STYLE = 0x0001, 0xFFF5


def write_xls(path, name: str, lines: list[list]) -> None:
    """Write lines of cells (texts, numbers or nothing) as the one sheet of a workbook.

    At most 65,536 lines and 7 MB.
    """
    cells = b"".join(
        _cell(row, column, cell)
        for row, line in enumerate(lines)
        for column, cell in enumerate(line)
        if cell is not None and cell != ""
    )
    width = max(map(len, lines), default=0)
    size = struct.pack("<IIHHH", 0, len(lines), 0, width, 0)
    sheet = _begin(0x0010) + _record(0x0200, size) + cells + _window() + _record(0x000A)
    before, after = _globals()
    place = len(before) + len(_sheet_name(0, name)) + len(after)
    stream = before + _sheet_name(place, name) + after + sheet
    path.write_bytes(_contain(stream.ljust(_SMALLEST, b"\0")))


def _record(kind, data=b""):
    return struct.pack("<HH", kind, len(data)) + data


def _begin(kind):
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 0x0306))


def _text(text, count):
    return struct.pack(count, len(text)) + b"\1" + text.encode("utf-16-le")


def _cell(row, column, cell):
    place = struct.pack("<HHH", row, column, 15)
    if isinstance(cell, str):
        return _record(0x0204, place + _text(cell, "<H"))
    return _record(0x0203, place + struct.pack("<d", float(cell)))


def _sheet_name(place, name):
    return _record(0x0085, struct.pack("<IH", place, 0) + _text(name, "<B"))


def _window():
    return _record(0x023E, struct.pack("<HHHIHHI", 0x06B6, 0, 0, 0x40, 0, 0, 0))


def _globals():
    """Records before and after the name of the sheet: code page, a font, formats of cells."""
    font = struct.pack("<HHHHHBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 134, 0) + _text("宋体", "<B")
    style, cell = (
        _record(0x00E0, struct.pack("<HHHBBBBIIH", 0, 0, kind, 0x20, 0, 0, 0, 0, 0, 0x20C0))
        for kind in (_XF_STYLE, _XF_CELL)
    )
    window = struct.pack("<HHHHHHHHH", 0, 0, 0x4000, 0x2000, 0x38, 0, 0, 1, 600)
    before = _begin(0x0005) + _record(0x0042, struct.pack("<H", 1200)) + _record(0x003D, window)
    before += _record(0x0031, font) * 4 + style * 15 + cell
    before += _record(0x0293, struct.pack("<HBB", 0x8000, 0, 0xFF))
    return before, _record(0x000A)


def _contain(stream):
    """A compound file of one stream: head, table of sectors, directory, stream."""
    sectors = -(-len(stream) // _SECTOR)
    tables = 1
    while tables * (_SECTOR // 4) < sectors + tables + 1:
        tables += 1
    first = tables + 1  # the directory stands behind the tables
    chain = [_TABLE] * tables + [_END]
    chain += [*range(first + 1, first + sectors), _END]
    chain += [_FREE] * (tables * (_SECTOR // 4) - len(chain))
    head = struct.pack(
        "<8s16sHHHHH6xIIIIIIIIII", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3,
        0xFFFE, 9, 6, 0, tables, tables, 0, _SMALLEST, _END, 0, _END, 0, 0,
    )[:76]  # fmt: skip
    head += struct.pack("<109I", *range(tables), *[_FREE] * (109 - tables))
    directory = _entry("Root Entry", 5, child=1, start=_END, size=0)
    directory += _entry("Workbook", 2, child=_FREE, start=first, size=len(stream))
    directory += _entry("", 0, child=_FREE, start=0, size=0) * 2
    body = struct.pack(f"<{len(chain)}I", *chain) + directory
    return head + body + stream.ljust(sectors * _SECTOR, b"\0")


def _entry(name, kind, child, start, size):
    text = name.encode("utf-16-le") + b"\0\0" if name else b""
    links = struct.pack("<III", _FREE, _FREE, child)
    return (
        text.ljust(64, b"\0") + struct.pack("<HBB", len(text), kind, 1) + links + bytes(36)
        + struct.pack("<II4x", start, size)
    )  # fmt: skip
