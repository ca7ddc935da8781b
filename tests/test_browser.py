"""The page in a real browser: whoever opens it, with whatever, can read all of it."""

import re
import shutil

import made_up_findings as made_up
import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
FOLDED = (("#s5 .part", "#s5 .folded"), ("#s10 .part", "#s10 .folded"))
# Whatever can be reached by the keyboard, and how its focus looks.
FOCUSED = """() => {
  const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect()
  return [e.tagName, e.getAttribute("href") || "", style.outlineStyle, box.width * box.height]
}"""


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
    folders = made_up.make_edition(place)
    notebook = made_up.make_notebook(folders, request.param)
    return made_up.export_notebook(notebook, place, folders)


@pytest.fixture
def open_page(browser, path):
    """Open the page in a tab of its own; keyword arguments are those of the tab."""
    opened = []

    def open_one(width=1200, **kwargs):
        size = {"width": width, "height": 800}
        opened.append(browser.new_context(viewport=size, **kwargs))
        tab = opened[-1].new_page()
        tab.goto(path.as_uri())
        tab.evaluate("document.fonts.ready")
        return tab

    yield open_one
    for context in opened:
        context.close()


def test_page_asks_no_host_and_runs_no_script(browser, path):
    asked, said = [], []
    tab = browser.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.goto(path.as_uri())
    tab.wait_for_load_state("networkidle")
    tab.click("#s3 summary")
    tab.emulate_media(media="print")
    outside = [url for url in asked if not url.startswith("data:") and url != path.as_uri()]
    assert outside == [] and said == []
    assert tab.evaluate("document.scripts.length") == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes])"
    assert tab.evaluate(f"{handlers}.filter(a => a.name.startsWith('on')).length") == 0
    tab.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_axe_finds_no_violation(open_page, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="没有安装 axe")
    tab = open_page(width, color_scheme=scheme)
    for summary in tab.query_selector_all("summary"):
        if summary.is_visible():
            summary.click()
    found = axe.Axe().run(tab).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []


def test_every_character_is_drawn_with_the_embedded_font(open_page):
    tab = open_page()
    session = tab.context.new_cdp_session(tab)
    session.send("DOM.enable")
    session.send("CSS.enable")
    root = session.send("DOM.getDocument", {"depth": 0})["root"]["nodeId"]
    used = set()
    selector = "h1,h2,h3,p,th,td,dt,dd,li,small,figcaption,text,summary,span,strong,a"
    nodes = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": selector})
    for node in nodes["nodeIds"]:
        fonts = session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
        used |= {(font["familyName"], font["isCustomFont"]) for font in fonts}
    reply = {"FangSong", "SimSun"}  # the reply paragraph may use the machine's Song
    assert {name for name, custom in used if not custom} <= reply, used


@pytest.mark.parametrize("width", [320, 360, 600, 768, 1008, 1200])
def test_page_fits_the_screen(open_page, width):
    tab = open_page(width)
    for summary in tab.query_selector_all("summary"):
        if summary.is_visible():
            summary.click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_zoomed_to_twice_its_size_nothing_is_cut_or_covered(open_page):
    """A screen of 1280 zoomed to 200 % is one of 640 with twice the pixels."""
    tab = open_page(640, device_scale_factor=2)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 640
    outside = tab.evaluate("""() => [...document.querySelectorAll('main *')]
        .filter(e => e.getBoundingClientRect().right > 641 && !e.closest('.unseen'))
        .map(e => e.textContent.slice(0, 40))""")
    assert outside == []


@pytest.mark.parametrize("width", [360, 1200])
def test_keyboard_reaches_every_link_and_switch_and_shows_where_it_is(open_page, width):
    tab = open_page(width)
    links = tab.query_selector_all("a[href], summary")
    # Tab goes round; the body comes between the last one and the first.
    reached, visible = [], sum(link.is_visible() for link in links)
    for _ in range(visible):
        tab.keyboard.press("Tab")
        reached.append(tuple(tab.evaluate(FOCUSED)))
    assert {tag for tag, *_ in reached} == {"A", "SUMMARY"}
    assert all(outline != "none" and area > 0 for _, _, outline, area in reached)
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.tagName") in ("BODY", "HTML", "A")
    targets = {href[1:] for _, href, *_ in reached if href}
    assert all(tab.query_selector(f'[id="{name}"]') for name in targets)


def test_switch_opens_by_keyboard(open_page):
    tab = open_page(360)
    for switch, folded in FOLDED:
        assert not tab.is_visible(folded)
        tab.focus(f"{switch} summary")
        tab.keyboard.press("Enter")
        assert tab.is_visible(folded)
        tab.keyboard.press("Enter")
        assert not tab.is_visible(folded)


def test_wide_screen_and_paper_show_what_the_phone_folds(open_page):
    tab = open_page(1200)
    for switch, folded in FOLDED:
        assert tab.is_visible(folded) and not tab.is_visible(switch)
    assert not tab.is_visible("#s3 .folded")  # tables of figures, until asked for
    tab.set_viewport_size({"width": 643, "height": 800})  # A4 less margins
    tab.emulate_media(media="print")
    assert all(part.is_visible() for part in tab.query_selector_all(".folded"))
    assert not any(part.is_visible() for part in tab.query_selector_all(".fold"))


def test_every_picture_has_words_and_the_words_stand_on_the_page(open_page):
    tab = open_page()
    pictures = tab.query_selector_all('[role="img"]')
    assert len(pictures) >= 3 + 3 + 3  # persons, paths, and bars of the answer
    for picture in pictures:
        names = (picture.get_attribute("aria-labelledby") or "").split()
        words = [tab.query_selector(f'[id="{name}"]').inner_text() for name in names]
        assert any(word.strip() for word in words)
    drawn = "[...document.querySelectorAll('svg')].filter(e => e.getAttribute('aria-hidden')"
    assert tab.evaluate(f"{drawn} != 'true' && e.getAttribute('role') != 'img').length") == 0


def test_page_does_not_depend_on_colour(open_page):
    """Verdicts differ by word, mark and border once all colour is gone."""
    tab = open_page()
    looks = set()
    for badge in tab.query_selector_all(".glossary .badge"):
        style = badge.evaluate("e => getComputedStyle(e).borderStyle")
        mark = badge.query_selector("svg").inner_html()
        looks.add((badge.inner_text().strip(), style, mark))
    assert len({word for word, *_ in looks}) == len(looks)
    assert len({(style, mark) for _, style, mark in looks}) >= 6


def print_pages(tab):
    tab.emulate_media(media="print")
    data = tab.pdf(prefer_css_page_size=True)
    return data, len(re.findall(rb"/Type\s*/Page\b", data))


def test_paper_holds_no_cut_table_and_the_answer_alone_on_its_first_page(open_page):
    """Measured on a roll of paper: nothing that must stay whole is longer than a page."""
    tab = open_page(643)  # A4 less margins, in CSS pixels
    _, count = print_pages(tab)
    assert 4 <= count <= 12
    assert tab.evaluate("document.documentElement.scrollWidth") <= 643
    room = 255 / 25.4 * 96  # A4 less margins
    heights = tab.evaluate("""() => [...document.querySelectorAll('table,.card,.path,.reply')]
        .map(e => e.getBoundingClientRect().height)""")
    assert max(heights) < room
    answer = tab.evaluate("document.querySelector('#s2').getBoundingClientRect().top")
    assert 0.5 * room < answer < room


def test_printed_margins_use_the_embedded_font_too(open_page):
    """Margin boxes inherit nothing from the body: without a font of their own, boxes."""
    printed, _ = print_pages(open_page())
    fonts = set(re.findall(rb"/FontName\s*/(?:[A-Z]{6}\+)?([\w-]+)", printed))
    assert fonts and all(name.startswith(b"EvaluationSans") for name in fonts), fonts
