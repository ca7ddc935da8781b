"""The page as a file: an executed notebook through the project's own template.

One HTML file without scripts, without any reference to another host, with the fonts it
needs; the same bytes for the same notebook.
"""

import base64
import io
import re
from functools import cache
from html import unescape
from importlib.resources import files
from pathlib import Path

import nbformat

from evaluation.findings.cleaning import clean_html
from evaluation.findings.parts import TEMPLATE, templates
from evaluation.findings.proof import check_body
from evaluation.findings.results import PageError, load_findings
from evaluation.findings.scan import refuse_disclosure
from evaluation.paths import Folders, locate
from evaluation.plan import load_toml
from evaluation.tables import write_whole

LARGEST = 600_000  # bytes: pages travel by intranet mail
HIDDEN_TAG = "desk"  # text cells for whoever works on the notebook, not for readers
_HEAD = re.compile(r'<div id="edition" data-year="(\d+)" data-language="(\w+)"')
_ALWAYS = {*map(chr, range(0x20, 0x7F)), "→", "−"}  # in numbers and tables of some editions


def export_page(notebook: Path, out_html: Path, *, folders: Folders | None = None) -> Path:
    """Export an executed `8_findings` as the page.

    Code is hidden; every output and every text cell appears, also those added by hand,
    except text cells tagged ``desk``. Of the notebook only cells enter the page, no
    metadata (papermill's holds paths).

    Parameters
    ----------
    notebook
        Executed.
    out_html
        Written whole or not at all.
    folders
        Where the published tables lie, against which the page is proved; by default as
        located.

    Raises
    ------
    PageError
        If a number carries no result or another than its own, a sentence claims what no
        verdict permits (`proof.check_body`), the notebook was not run, or the file would
        be too large.
    DisclosureError
        If the page holds a resident number, a phone or a path.
    """
    folders = locate() if folders is None else folders
    cells = nbformat.read(notebook, as_version=4)
    body = render_cells(cells)
    said = _HEAD.search(body)
    if said is None and any("load_findings(" in cell.source for cell in cells.cells):
        raise PageError(
            f'{notebook.name} 没有首屏：请先从头到尾运行一遍（首屏是 show(findings, "head")）。'
        )
    year, language = said.groups() if said else ("", "zh")
    if said:
        check_body(body, load_findings(folders, int(year), language))
    targets = set(re.findall(r'\bid="([^"]+)"', body))
    body = re.sub(
        r'<a class="q" href="#([^"]+)"([^>]*)>(.*?)</a>',
        lambda m: (
            m[0] if m[1] in targets else f'<span data-id="{m[1][2:]}"{m[2]}>{m[3]}</span>'
        ),
        body,
    )
    body = re.sub(r' data-(?:of|policy|warning)(?:="[^"]*")?', "", body)  # for the proof alone
    title = re.search(r"<h1[^>]*>(.*?)</h1>", body, re.S)
    title = unescape(re.sub("<[^>]+>", "", title[1])) if title else ""
    return write_page(body, out_html, title, language, folders, year)


def render_cells(notebook) -> str:
    """Executed cells as HTML through the project's nbconvert template."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="template",
        extra_template_basedirs=[str(TEMPLATE.parent)],
        filters={"clean_html": clean_html},
        exclude_anchor_links=True,
    )
    for cell in notebook.cells:
        if HIDDEN_TAG in cell.metadata.get("tags", []):
            cell.source = ""
    # Not HTMLExporter's own step: it parses the finished page once more, to mark code and
    # pictures for screen readers, and this template shows no code and says what pictures are.
    body, _ = super(HTMLExporter, exporter).from_notebook_node(notebook)
    return body


def write_page(
    body: str, out_html: Path, title: str, language: str, folders: Folders, year: str = ""
) -> Path:
    """Put a body into the frame: head, security policy, style, banner, embedded fonts.

    Raises
    ------
    PageError
        If the file would be too large.
    DisclosureError
        If the text holds what must not be published.
    """
    sentences = load_toml(folders.reference / "sentences.toml")[language]
    words = sentences["page"]
    district = load_toml(folders.reference / "district.toml")
    frame = templates().get_template("frame.html.j2")
    style = (TEMPLATE / "page.css").read_text(encoding="utf-8")
    context = {
        "body": body,
        "title": title or words["title"],
        "language": language,
        "is_demo": folders.is_demo,
        "page": words,
        "year": year,
        "district": district["district"][f"name_{language}"],
        "office": district["office"][f"name_{language}"],
    }
    text = frame.render(**context, style=style, fonts="")
    refuse_disclosure(text, out_html.name, (str(folders.root), str(folders.data)))
    # With all that this language may say, editions share their fonts.
    fonts = embed_fonts(frozenset(unescape(text)).union(str(sentences), _ALWAYS))
    text = frame.render(**context, style=style, fonts=fonts)
    data = text.replace("\r\n", "\n").encode("utf-8")
    if len(data) > LARGEST:
        raise PageError(f"页面 {out_html.name} 有 {len(data):,} 字节，超过 {LARGEST:,}。")
    return write_whole(out_html, lambda draft: draft.write_bytes(data))


@cache
def embed_fonts(characters: frozenset[str]) -> str:
    """CSS with the letters of a page as WOFF, so that no machine lacks them.

    WOFF2 would make a page 4 % smaller and take three times as long. The bundled fonts
    hold no hints, and their bounds hold for a part of them too: neither is computed again.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    rules = []
    for weight, number in (("Regular", 400), ("Bold", 700)):
        path = files("evaluation.findings").joinpath("fonts", f"EvaluationSansSC-{weight}.otf")
        whole = io.BytesIO(path.read_bytes())
        font = TTFont(whole, recalcTimestamp=False, recalcBBoxes=False, lazy=True)
        options = subset.Options(hinting=True, desubroutinize=True, layout_features=["kern"])
        chooser = subset.Subsetter(options)
        chooser.populate(text="".join(sorted(characters)))
        chooser.subset(font)
        font.flavor, sheet = "woff", io.BytesIO()
        font.save(sheet)
        data = base64.b64encode(sheet.getvalue()).decode("ascii")
        rules.append(
            "@font-face{font-family:'Evaluation Sans SC';font-display:block;"
            f"font-weight:{number};src:url(data:font/woff;base64,{data}) format('woff')}}"
        )
    return "".join(rules)
