"""What must never be published is found in a file of every type, and never repeated."""

import base64
import csv
import dataclasses
import io
import json
import shutil
import struct
import zlib

import nbformat
import pandas as pd
import pytest

from evaluation.errors import DisclosureError
from evaluation.findings.guarded import load_guarded
from evaluation.findings.scan import refuse_files, scan_bytes
from evaluation.ledgers.identity import DEMONSTRATION_KEY, pseudonyms
from evaluation.ledgers.linking import write_private_hashes
from evaluation.paths import locate

NAME, NUMBER, PHONE = "阎不寻常", "519999198001011234", "13800138000"
BAD_NUMBER, LANDLINE = "51999919800101123X1", "0818-2123456"
PLANTED = {
    "台账中的姓名": NAME,
    "居民身份证号码": NUMBER,
    "手机号码": PHONE,
    "台账中的电话": LANDLINE,
    "台账中的证件号码": BAD_NUMBER,
    "本机路径": "/home/zhang/ledgers",
    "密钥": DEMONSTRATION_KEY.hex(),
    "脚本": "<script>alert(1)</script>",
    "个人代码": pseudonyms([NAME], DEMONSTRATION_KEY, "name")[0],
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("scan")
    found = dataclasses.replace(
        locate(), data=place / "data", outputs=place / "outputs", is_demo=True
    )
    found.data.mkdir()
    hashes = [("name", pseudonyms([n], DEMONSTRATION_KEY, "name")[0]) for n in (NAME, "高兴")]
    hashes += [("name", pseudonyms(["罗江镇"], DEMONSTRATION_KEY, "name")[0])]
    hashes += [("number", pseudonyms([BAD_NUMBER], DEMONSTRATION_KEY, "number", 32)[0])]
    hashes += [("phone", pseudonyms(["08182123456"], DEMONSTRATION_KEY, "phone")[0])]
    table = pd.DataFrame(hashes, columns=["kind", "hash"])
    write_private_hashes(table, found.data / "private_hashes.parquet")
    return found


@pytest.fixture(scope="module")
def guarded(folders):
    return load_guarded(folders)


def notebook(**changes):
    output = nbformat.v4.new_output("execute_result", data=changes.get("shows", {}))
    cell = nbformat.v4.new_code_cell(changes.get("code", ""), outputs=[output], id="a")
    printed = nbformat.v4.new_output("stream", name="stdout", text=changes.get("prints", ""))
    cell.outputs.append(printed)
    cell.metadata.update(changes.get("metadata", {}))
    text = nbformat.v4.new_markdown_cell(changes.get("text", ""), id="b")
    return nbformat.writes(nbformat.v4.new_notebook(cells=[cell, text])).encode()


def workbook(value=None, **properties):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream) as book:
        sheet = book.add_worksheet(properties.pop("sheet", "表"))
        sheet.write("A1", "合计")
        if value is not None:
            sheet.write("B3", int(value) if value.isdigit() and len(value) < 15 else value)
        if comment := properties.pop("comment", None):
            sheet.write_comment("A1", comment)
        book.set_properties(properties)
    return stream.getvalue()


def picture(name: bytes, content: bytes, behind: bytes = b"") -> bytes:
    def chunk(name, content):
        check = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(b"\0\0"))
    return (
        b"\x89PNG\r\n\x1a\n" + head + chunk(name, content) + body + chunk(b"IEND", b"") + behind
    )


def table(value):
    stream = io.StringIO()
    csv.writer(stream).writerows([["a", "b"], ["一,二", value]])
    return stream.getvalue()


def packed(value):
    return picture(b"zTXt", b"Author\0\0" + zlib.compress(value.encode()))


def behind_packed(value):
    return picture(b"zTXt", b"Author\0\0" + zlib.compress(b"x") + value.encode())


def world_text(value):
    return picture(b"iTXt", b"Author\0\1\0zh\0\0" + zlib.compress(value.encode()))


def embedded(value):
    data = base64.b64encode(picture(b"tEXt", b"Author\0" + value.encode())).decode()
    return f'<p>图</p><img alt="" src="data:image/png;base64,{data}">'.encode()


FORMS = {
    "csv": ("x.csv", lambda v: table(v).encode("utf-8-sig")),
    "csv saved by Excel": ("x.csv", lambda v: table(v).encode("gb18030")),
    "csv column": ("x.csv", lambda v: f"{v},n\r\n甲,1\r\n".encode()),
    "page cell": ("x.html", lambda v: f"<table><tr><td> {v}</td></tr></table>".encode()),
    "page cell in parts": ("x.html", lambda v: f"<td>{v[:2]}<b>{v[2:]}</b></td>".encode()),
    "page cell of several": ("x.html", lambda v: f"<td>甲乙丙、{v}（已核）<td>二".encode()),
    "page quoted": ("x.html", lambda v: f"<p>其中“{v}”说，不必。</p>".encode()),
    "page attribute": ("x.html", lambda v: f'<p title="{v}">一</p>'.encode()),
    "page entity": ("x.html", lambda v: "".join(f"&#{ord(c)};" for c in v).encode()),
    "page comment": ("x.html", lambda v: f"<p>一</p><!-- {v} -->".encode()),
    "page link": ("x.html", lambda v: f'<a href="#{v}">一</a><p>"{v}"'.encode()),
    "page style": ("x.html", lambda v: f'<style>p::after{{content:"{v}"}}</style>'.encode()),
    "page picture": ("x.html", embedded),
    "drawing": ("x.svg", lambda v: f"<svg><text>{v}</text><path d='M0 0'/></svg>".encode()),
    "drawing comment": ("x.svg", lambda v: f"<svg><!-- {v} --><g/></svg>".encode()),
    "picture text": ("x.png", lambda v: picture(b"tEXt", b"Author\0" + v.encode())),
    "picture packed": ("x.png", packed),
    "picture behind packed": ("x.png", behind_packed),
    "picture of the world": ("x.png", world_text),
    "picture behind": ("x.png", lambda v: picture(b"tEXt", b"a\0b", v.encode())),
    "workbook cell": ("x.xlsx", workbook),
    "workbook author": ("x.xlsx", lambda v: workbook(author=v)),
    "workbook comment": ("x.xlsx", lambda v: workbook(comment=f"见“{v}”")),
    "json value": ("x.json", lambda v: json.dumps({"a": [1, {"b": v}]}).encode()),
    "json key": ("x.json", lambda v: json.dumps({v: None}).encode()),
    "toml": ("x.toml", lambda v: f'who = "{v}"\n'.encode()),
    "notebook code": ("x.ipynb", lambda v: notebook(code=f'a == "{v}"')),
    "notebook text": ("x.ipynb", lambda v: notebook(text=f"| 甲 | {v} |\n|---|---|")),
    "notebook output": (
        "x.ipynb",
        lambda v: notebook(shows={"text/html": f"<td>{v}</td>"}),
    ),
    "notebook plain": ("x.ipynb", lambda v: notebook(shows={"text/plain": f"0    {v}  12"})),
    "notebook print": ("x.ipynb", lambda v: notebook(prints=f"第一行\n 姓名 {v} 乡镇")),
    "notebook json": (
        "x.ipynb",
        lambda v: notebook(shows={"application/json": {"a": [v]}}),
    ),
    "notebook picture": (
        "x.ipynb",
        lambda v: notebook(shows={"image/png": base64.b64encode(packed(v)).decode()}),
    ),
    "notebook drawing": (
        "x.ipynb",
        lambda v: notebook(shows={"image/svg+xml": f"<svg><text>{v}</text></svg>"}),
    ),
    "notebook metadata": ("x.ipynb", lambda v: notebook(metadata={"author": [v]})),
}


@pytest.mark.parametrize("value", PLANTED.values(), ids=list(PLANTED))
@pytest.mark.parametrize("form", FORMS)
def test_what_is_planted_in_a_file_of_any_type_is_found(form, value, guarded):
    kind = next(kind for kind, planted in PLANTED.items() if planted == value)
    if kind == "脚本" and form == "page cell in parts":
        return  # a tag in parts is no tag
    name, make = FORMS[form]
    assert scan_bytes(make("甲乙"), name, guarded) == []
    hits = scan_bytes(make(value), name, guarded)
    assert kind in {hit.kind for hit in hits}
    for hit in hits:
        assert value not in str(hit) and hit.file == name and hit.place


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("１３８００１３８０００", {"手机号码"}),
        ("138-0013-8000", {"手机号码"}),
        ("519999 19800101 1234", {"居民身份证号码"}),
        ("519999********1234", {"遮盖的身份证号码"}),
        ("阎不 寻常", {"台账中的姓名"}),
        ("13800138000.0", {"手机号码"}),
        ("0.13800138000", set()),
        ("2,123,456", set()),  # an amount, though a landline may have these digits
        ("2024.loan.cs.primary.employed_open.all", set()),
    ],
)
def test_ways_to_type_it(text, kinds, guarded):
    assert {hit.kind for hit in scan_bytes(table(text).encode(), "x.csv", guarded)} == kinds


@pytest.mark.parametrize(
    "html",
    [
        "<SCRIPT src=x>",
        "<svg onload=x()><path d='M0 0'/></svg>",
        "<a href='javascript:x()'>一</a>",
        "<p>&lt;script&gt;x()&lt;/script&gt;</p>",
    ],
)
def test_scripts_of_a_page_are_found_escaped_or_not(html, guarded):
    """Escaped it runs nowhere, but then the text of a ledger stands on the page."""
    assert {hit.kind for hit in scan_bytes(html.encode(), "x.html", guarded)} == {"脚本"}


def test_a_name_inside_prose_or_in_the_reference_data_stops_nothing(guarded):
    prose = "<p>大家都很高兴，去了罗江镇。</p><td>罗江镇</td><td>罗江镇、金石镇</td>"
    assert scan_bytes(prose.encode(), "x.html", guarded) == []
    cell = scan_bytes("<td>高兴</td>".encode(), "x.html", guarded)
    assert [hit.kind for hit in cell] == ["台账中的姓名"]


def test_a_word_of_the_district_can_be_let_pass(folders, tmp_path):
    reference = shutil.copytree(folders.reference, tmp_path / "reference")
    (reference / "not_names.csv").write_text("word,why\n高兴,普通词语\n", encoding="utf-8")
    guarded = load_guarded(dataclasses.replace(folders, reference=reference))
    assert scan_bytes("<td>高兴</td>".encode(), "x.html", guarded) == []
    assert scan_bytes(f"<td>{NAME}</td>".encode(), "x.html", guarded)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("x.parquet", b"PAR1"),
        ("x.pdf", b"%PDF"),
        ("x", b"text"),
        ("x.png", b"GIF89a"),
        ("x.png", packed("甲" * 4_000_000)),  # nobody would look at all of it
        ("x.png", picture(b"tEXt", b"a\0b")[:33] + b"\xff\0\0\0IDATbehind a false length"),
        ("x.xlsx", b"PK\x03\x04 damaged"),
        ("x.ipynb", b"{"),
        ("x.csv", b"\xff\x81\x00\x01"),
        ("x.html", b'<img src="data:image/jpeg;base64,AAAA">'),
    ],
)
def test_what_cannot_be_looked_into_is_a_hit(name, data, guarded):
    (hit,) = scan_bytes(data, name, guarded)
    assert hit.kind.startswith("不能检查的内容")


@pytest.mark.parametrize(
    "name", [f"2024/{NAME}.csv", f"{NAME}/a.csv", f"loan_{NAME}_2.csv", f"loan.{NAME}.csv"]
)
def test_name_of_a_file_is_scanned_and_not_repeated(name, guarded):
    (hit,) = scan_bytes(b"a,b", name, guarded)
    assert hit.place == "文件名" and NAME not in str(hit)


def test_refusal_names_file_and_place_of_a_few_hits(tmp_path, guarded):
    path = tmp_path / "x.csv"
    path.write_text("\n".join([f"{PHONE},{NAME}"] * 4), encoding="utf-8")
    with pytest.raises(
        DisclosureError, match=r"2024/x.csv（第1行第1列）.*另有 3 处"
    ) as stopped:
        refuse_files([(path, "2024/x.csv")], guarded)
    assert PHONE not in str(stopped.value) and NAME not in str(stopped.value)


def test_without_the_key_names_cannot_be_told_and_no_key_is_made(folders, tmp_path):
    real = dataclasses.replace(folders, root=tmp_path, is_demo=False)
    guarded = load_guarded(real)
    assert not guarded.knows_names and not real.key_file.exists()
    assert scan_bytes(NAME.encode(), "x.txt", guarded) == []
    assert scan_bytes(PHONE.encode(), "x.txt", guarded)


def test_a_change_of_the_ledgers_is_noticed(folders):
    assert load_guarded(folders) is load_guarded(folders)  # read once
    path = folders.data / "private_hashes.parquet"
    before = path.read_bytes()
    digest = pseudonyms(["阎另外"], DEMONSTRATION_KEY, "name")[0]
    write_private_hashes(pd.DataFrame({"kind": ["name"], "hash": [digest]}), path)
    try:
        assert scan_bytes("阎另外".encode(), "x.txt", load_guarded(folders))
    finally:
        path.write_bytes(before)
