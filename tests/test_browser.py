"""The page in a real browser: nothing is fetched, nothing runs, every glyph is there."""

import re
import shutil

import made_up_findings as made_up
import nbformat
import pytest

from evaluation.findings import page

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="没有安装 playwright")
    if BROWSER is None:
        pytest.skip("没有找到 Chromium 浏览器")
    with playwright.sync_playwright() as session:
        opened = session.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module", params=["zh", "en"])
def path(request, tmp_path_factory):
    place = tmp_path_factory.mktemp("browser")
    folders = made_up.make_folders(place)
    verdicts = {"loan": "effective", "subsidy": "cannot_tell", "post": "too_small"}
    made_up.publish_edition(folders, verdicts)
    nbformat.write(made_up.make_notebook(folders, request.param), place / "n.ipynb")
    return page.export_page(place / "n.ipynb", place / "findings.html")


def test_page_asks_no_host_and_runs_no_script(browser, path):
    asked, said = [], []
    tab = browser.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(path.as_uri())
    tab.wait_for_load_state("networkidle")
    outside = [url for url in asked if not url.startswith(("file:", "data:"))]
    assert outside == [] and said == []
    assert tab.evaluate("document.scripts.length") == 0
    tab.close()


def test_every_character_is_drawn_with_the_embedded_font(browser, path):
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.evaluate("document.fonts.ready")
    session = tab.context.new_cdp_session(tab)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    used = set()
    nodes = session.send(
        "DOM.querySelectorAll",
        {"nodeId": root, "selector": "h1,h2,h3,p,th,td,dt,dd,li,small,figcaption,text"},
    )
    for node in nodes["nodeIds"]:
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        used |= {(font["familyName"], font["isCustomFont"]) for font in fonts}
    reply = {"FangSong", "SimSun"}  # the reply paragraph may use the machine's Song
    assert {name for name, custom in used if not custom} <= reply, used
    tab.close()


@pytest.mark.parametrize("width", [360, 768, 1200])
def test_page_fits_the_screen(browser, path, width):
    tab = browser.new_page(viewport={"width": width, "height": 800})
    tab.goto(path.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    tab.close()


def test_print_has_no_cut_table(browser, path):
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.emulate_media(media="print")
    tab.set_viewport_size({"width": 643, "height": 900})  # A4 less margins, in CSS pixels
    assert tab.evaluate("document.documentElement.scrollWidth") <= 643
    data = tab.pdf(prefer_css_page_size=True)
    assert 4 <= len(re.findall(rb"/Type\s*/Page\b", data)) <= 16
    tab.close()


def test_printed_margins_use_the_embedded_font_too(browser, path):
    """Margin boxes inherit nothing from the body: without a font of their own, boxes."""
    tab = browser.new_page()
    tab.goto(path.as_uri())
    tab.evaluate("document.fonts.ready")
    printed = tab.pdf(format="A4", prefer_css_page_size=True)
    fonts = set(re.findall(rb"/FontName\s*/(?:[A-Z]{6}\+)?([\w-]+)", printed))
    assert fonts and all(name.startswith(b"EvaluationSans") for name in fonts), fonts
    tab.close()
