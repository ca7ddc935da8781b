"""Broken and hostile files: each must be refused or survived in words, and the rest read.

They are small, and nothing of them is a row: the other ledgers say the same with them.
"""

import io
import zipfile
from pathlib import Path

import pandas as pd

from evaluation.demo.ledgers import HEADINGS

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MANY = 1_000
_SPACES = 20 * 2**20  # bytes of nothing, packed into 20 KB


def write_broken(folder: Path) -> pd.DataFrame:
    """Write the files into a folder.

    Returns
    -------
    pandas.DataFrame
        Key ``file`` (its name): ``message``, with which what is said of it begins.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for name, (data, message) in _make().items():
        (folder / name).write_bytes(data)
        rows.append((name, message))
    return pd.DataFrame(rows, columns=["file", "message"])


def _make():
    """Content of each file, and what is said of it."""
    head = _row(1, HEADINGS["roster"].values())
    good = _book([_sheet(head)])
    flipped = bytearray(good)
    flipped[good.index(b"PK\3\4") + 80] ^= 0xFF
    damaged, unreadable = "文件已损坏（不完整的工作簿）", "文件已损坏，无法读出"
    none = "没有找到台账的表头"
    page = "<html><table><tr><td>姓名</td></tr></table></html>".encode()
    table = (
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>'
    )
    corner = _row(1, ["姓名"]) + _row(1048576, ["远"], "XFD")
    columns = '<mergeCells count="1"><mergeCell ref="A2:C1048576"/></mergeCells>'
    lacking = "姓名,身份证号码,现就业状态,采集日期\n".encode()
    archive = _zip({"readme.txt": "台账"})
    return {
        "空文件.xlsx": (b"", "文件是空的"),
        "只有空格.csv": (b" \r\n \r\n", "文件是空的"),
        "没有内容.xlsx": (_book([_sheet("")]), "工作簿中没有任何内容"),
        "截断的工作簿.xlsx": (good[: len(good) // 2], damaged),
        "损坏的工作簿.xlsx": (bytes(flipped), damaged),
        "损坏的旧格式.xls": (_OLD_EXCEL + bytes(range(256)) * 8, unreadable),
        "加密的工作簿.xlsx": (
            _OLD_EXCEL + bytes(504) + "EncryptedPackage".encode("utf-16-le"), "文件有密码保护",
        ),
        "网页.xls": (page, "文件实为网页"),
        "XML表格.xls": (table.encode(), "文件是“XML 表格 2003”格式"),
        "不是工作簿.xlsx": ("姓名 身份证号码".encode(), "文件已损坏或不是工作簿"),
        "改名的压缩包.xlsx": (archive, "不是 xlsx 工作簿"),
        "改名的xlsb.xlsx": (_zip({"xl/workbook.bin": ""}), "这是 xlsb 格式的工作簿"),
        "压缩炸弹.xlsx": (_book([_sheet(head + " " * _SPACES)]), "压缩比"),
        "远处的单元格.xlsx": (_book([_sheet(corner)]), "有单元格远在第 1048576 行"),
        "编码不明.csv": (b"\x81\xff\x00\xfe,\xff\n", "文字编码既不是"),
        "没有表头.xlsx": (_book([_sheet(_row(1, ["通知", "各村（社区）"]))]), none),
        "一千张工作表.xlsx": (_book([_sheet(_row(1, ["空表"]))] * _MANY), none),
        "缺少必需的列.csv": (lacking, "第1行：“返乡农民工实名制台账”缺少“户籍乡镇”列"),
        "带宏的工作簿.xlsm": (_book([_sheet(head)], macros=True), "文件带有宏"),
        "合并整列.xlsx": (_book([_sheet(head, columns)]), "只有表头，没有数据行"),
    }  # fmt: skip


def _row(number, texts, first="A"):
    """A row of a sheet as xml; `first` is the column of its first cell."""
    names = [first] if first != "A" else map(chr, range(ord("A"), ord("Z") + 1))
    cells = "".join(
        f'<c r="{name}{number}" t="inlineStr"><is><t>{text}</t></is></c>'
        for name, text in zip(names, texts, strict=False)
    )
    return f'<row r="{number}">{cells}</row>'


def _sheet(rows, after=""):
    return f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData>{after}</worksheet>'


def _book(sheets, macros=False):
    """A workbook of some sheets, without anything that is not needed."""
    types, links, names = [], [], []
    for number in range(1, len(sheets) + 1):
        part = f"worksheets/sheet{number}.xml"
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
        types.append(f'<Override PartName="/xl/{part}" ContentType="{kind}"/>')
        links.append(
            f'<Relationship Id="r{number}" Type="{_OFFICE}/worksheet" Target="{part}"/>'
        )
        names.append(f'<sheet name="表{number}" sheetId="{number}" r:id="r{number}"/>')
    book = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
        'relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{book}"/>{"".join(types)}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        f"{''.join(names)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f"{''.join(links)}</Relationships>",
    }
    parts |= {f"xl/worksheets/sheet{n}.xml": sheet for n, sheet in enumerate(sheets, 1)}
    return _zip(parts | ({"xl/vbaProject.bin": "macros"} if macros else {}))


def _zip(parts):
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w", zipfile.ZIP_DEFLATED) as package:
        for name, text in parts.items():
            package.writestr(zipfile.ZipInfo(name, (2024, 12, 31, 0, 0, 0)), text.encode(), 8)
    return store.getvalue()
