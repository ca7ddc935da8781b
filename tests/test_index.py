"""The index over all editions: what was published, what was corrected, what differs now."""

import dataclasses
import json
import re
import shutil
from datetime import date

import made_up_findings as made_up
import nbformat
import pytest
from test_browser import ARGUMENTS, BROWSER

from evaluation.errors import DisclosureError, PlanError
from evaluation.findings import index
from evaluation.findings.frozen import MANIFEST
from evaluation.findings.notices import Notice, load_notices
from evaluation.findings.page import export_page
from evaluation.findings.parts import show
from evaluation.findings.results import load_findings
from evaluation.paths import locate

NOTICE = {
    "year": 2024,
    "policy": "loan",
    "kind": "withdrawn",
    "on": date(2025, 3, 1),
    "what_zh": "每100人多13人的说法不再成立。",
    "what_en": "That 13 more of 100 work no longer holds.",
    "why_zh": "还款日期<b>录错</b>。",
    "why_en": "Dates were wrong.",
}


def write_notices(folders, *notices):
    lines = []
    for notice in notices:
        lines.append("[[notice]]")
        for name, value in notice.items():
            text = value.isoformat() if name == "on" else json.dumps(value, ensure_ascii=False)
            lines.append(f"{name} = {text}")
    (folders.reference / "notices.toml").write_text("\n".join(lines), encoding="utf-8")


def freeze(folders, name, version, *reasons):
    """A frozen version as `evaluation publish` leaves it."""
    folder = folders.outputs / "published" / name
    shutil.copytree(folders.edition(made_up.YEAR), folder)
    files = {path.name: index.file_hash(path) for path in folder.glob("*.*")}
    manifest = {"version": version, "frozen_on": "2025-02-01", "reasons": list(reasons)}
    text = json.dumps(manifest | {"files": files})
    (folder / MANIFEST).write_text(text, encoding="utf-8")


@pytest.fixture
def folders(tmp_path):
    folders = made_up.make_folders(tmp_path)
    reference = shutil.copytree(locate().reference, tmp_path / "reference")
    folders = dataclasses.replace(folders, reference=reference, data=tmp_path / "data")
    made_up.publish_edition(folders, made_up.VERDICTS, with_rest=False)
    for name in ("findings.html", "findings.en.html"):
        (folders.edition(made_up.YEAR) / name).write_text("", encoding="utf-8")
    return folders


def read_index(folders, language="zh"):
    text = index.write_index(folders, language).read_text(encoding="utf-8")
    return text.split("</style>")[1]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_editions_stand_with_verdicts_state_and_links(folders, language):
    text = read_index(folders, language)
    words = load_findings(folders, made_up.YEAR, language).words
    assert 'href="2024/findings.html"' in text and 'href="2024/findings.en.html"' in text
    for verdict in ("effective", "cannot_tell", "too_small"):
        assert words["verdicts"][verdict]["badge"] in text
    assert words["page"]["index_rerun"] in text and "http" not in text
    assert index.INDEX["en" if language == "zh" else "zh"] in text


def test_a_frozen_edition_shows_what_was_published_and_that_a_rerun_differs(folders):
    freeze(folders, "2024", 1)
    text = read_index(folders)
    assert 'href="published/2024/findings.html"' in text and "第1版，2025年2月1日" in text
    assert 'href="2024/findings.html"' not in text
    made_up.publish_edition(folders, {"loan": "too_small"}, with_rest=False)
    text = read_index(folders)
    assert 'href="2024/findings.html"' in text and "与公布的不同" in text
    badges = load_findings(folders, made_up.YEAR).words["verdicts"]
    assert badges["effective"]["badge"] in text  # not the verdict of the rerun


def test_an_edition_of_which_only_the_frozen_one_is_left_still_stands(folders):
    freeze(folders, "2024", 1)
    shutil.rmtree(folders.edition(2024))
    assert 'href="published/2024/findings.html"' in read_index(folders)


def test_a_copy_of_a_frozen_folder_under_another_name_is_no_edition(folders):
    freeze(folders, "2019 - 副本", 1)
    assert index.list_editions(folders) == [2024]


def test_a_notice_stands_beside_its_verdict_and_says_that_the_frozen_page_lacks_it(folders):
    freeze(folders, "2024", 1)
    write_notices(folders, NOTICE)
    text = read_index(folders)
    row = text.split("<tbody>")[1]
    loan = re.search(r"<td[^>]*>.*?</td>", row, re.S)[0]
    assert "已撤回" in loan and 'class="gone"' in loan
    assert 'href="#2024.loan.notice.2025-03-01"' in loan and row.count('class="tag"') == 1
    assert "2025年3月1日，2024年版" in text and "还款日期&lt;b&gt;录错" in text
    assert "公布时还没有下面的更正" in text
    freeze(folders, "2024-v2", 2, Notice(**NOTICE).as_text())
    text = read_index(folders)
    assert 'href="published/2024-v2/findings.html"' in text and "公布时还没有" not in text
    assert 'href="published/2024/findings.html">第1版（已被取代）' in text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_notice_stands_on_the_page_of_its_edition_and_on_later_ones(folders, language):
    other = NOTICE | {"year": 2023, "policy": "all", "kind": "corrected"}
    write_notices(folders, NOTICE, other)
    findings = load_findings(folders, made_up.YEAR, language)
    own, later = show(findings, "head").data, show(findings, "revisions").data
    words = findings.words["page"]
    assert own.index(words["notice_withdrawn"]) < own.index("<h1")
    assert words["corrections"] not in own
    withdrawn, corrected = "2024.loan.notice.2025-03-01", "2023.all.notice.2025-03-01"
    assert f'data-id="{withdrawn}"' in own and corrected not in own
    assert f'data-id="{corrected}"' in later and withdrawn not in later


def test_without_notices_the_page_says_so(folders):
    findings = load_findings(folders, made_up.YEAR)
    html = show(findings, "head").data
    assert findings.words["page"]["corrections"] in html and 'role="note"' not in html


def test_the_index_is_written_again_only_if_something_changed(folders):
    assert index.refresh_index(folders)
    assert not index.refresh_index(folders)
    write_notices(folders, NOTICE)
    assert index.refresh_index(folders) and not index.refresh_index(folders)
    (folders.outputs / "index.en.html").unlink()
    assert index.refresh_index(folders)
    freeze(folders, "2024", 1)
    assert index.refresh_index(folders)


def test_a_phone_in_a_notice_stops_the_index(folders):
    write_notices(folders, NOTICE | {"why_zh": "问13800138000。"})
    with pytest.raises(DisclosureError):
        index.write_index(folders)
    assert not (folders.outputs / "index.html").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"year": "2024"}, "第1条：year"),
        ({"policy": "loans"}, "policy 应是"),
        ({"kind": "wrong"}, "withdrawn（撤回）"),
        ({"why_en": " "}, "缺少 why_en"),
        ({"who": "x"}, "不认识 who"),
    ],
)
def test_a_notice_that_lacks_something_is_refused_in_words(folders, change, said):
    write_notices(folders, NOTICE | change)
    with pytest.raises(PlanError, match=re.escape(said)):
        load_notices(folders.reference)


def test_two_notices_of_one_day_on_one_finding_are_refused(folders):
    """The numbers of both would be bound to one result."""
    again = NOTICE | {"why_zh": "另一件事。"}
    write_notices(folders, NOTICE, NOTICE | {"policy": "post"}, again)
    with pytest.raises(PlanError, match="第3条：同一年版"):
        load_notices(folders.reference)


def test_no_notices_file_means_no_notices(folders):
    (folders.reference / "notices.toml").unlink()
    assert load_notices(folders.reference) == []


def test_the_notices_of_the_project_can_be_read():
    load_notices(locate().reference)


def test_the_index_and_a_page_with_a_notice_are_accessible_and_fit_every_screen(folders):
    """With everything that it can show: frozen versions, a notice, a rerun that differs."""
    playwright = pytest.importorskip("playwright.sync_api", reason="没有安装 playwright")
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="没有安装 axe")
    if BROWSER is None:
        pytest.skip("没有找到 Chromium 浏览器")
    freeze(folders, "2024", 1)
    freeze(folders, "2024-v2", 2)
    write_notices(folders, NOTICE)
    made_up.publish_edition(folders, {"loan": "too_small"}, with_rest=False)
    paths = [index.write_index(folders, language) for language in index.INDEX]
    nbformat.write(made_up.make_notebook(folders), folders.outputs / "n.ipynb")
    noted = export_page(
        folders.outputs / "n.ipynb", folders.outputs / "p.html", folders=folders
    )
    assert 'role="note"' in noted.read_text(encoding="utf-8")
    paths.append(noted)
    with playwright.sync_playwright() as session:
        browser = session.chromium.launch(executable_path=BROWSER, args=ARGUMENTS)
        for path, width in [(path, width) for path in paths for width in (320, 360, 1200)]:
            tab = browser.new_page(viewport={"width": width, "height": 800})
            tab.goto(path.as_uri())
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            found = axe.Axe().run(tab).response["violations"]
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
            tab.close()
        browser.close()
