import base64
import dataclasses
import io
import re
from html import unescape
from itertools import pairwise

import made_up_findings as made_up
import nbformat
import pandas as pd
import pytest
from fontTools.ttLib import TTFont
from made_up_findings import EFFECT

from evaluation.findings import page
from evaluation.findings.cleaning import clean_html
from evaluation.findings.parts import show, show_sentence
from evaluation.findings.proof import check_body
from evaluation.findings.quotes import format_value, quote, say
from evaluation.findings.results import PageError, load_findings
from evaluation.findings.view import View
from evaluation.tables import publish_table

DEFINITE = ("effective", "effective_small", "harmful", "harmful_small", "too_small")
UNKNOWN = ("cannot_tell", "do_not_conclude", "too_few", "not_due")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return made_up.make_edition(tmp_path_factory.mktemp("page"))


@pytest.fixture(scope="module")
def findings(folders):
    return load_findings(folders, made_up.YEAR)


def export(folders, place, **kwargs):
    notebook = made_up.make_notebook(folders, **kwargs)
    return made_up.export_notebook(notebook, place, folders)


def test_quote_carries_the_id_and_its_origin(findings):
    html = quote(findings, EFFECT, "estimate", "people")
    assert f'href="#r-{EFFECT}"' in html and ">13人<" in html
    assert "n=150" in html and "两法合并" in html and "5.0至21.0" in html


def test_number_of_no_result_is_refused(findings):
    with pytest.raises(PageError, match="没有编号为"):
        quote(findings, "2024.loan.made_up", "estimate", "people")


@pytest.mark.parametrize(
    "low, high, text",
    [
        (0.11, 0.28, "11至28人"),
        (0.004, 0.29, "0.4至29人"),  # it does not hold zero
        (-0.03, 0.046, "少3人到多4.6人"),  # less than the 5 that are required
        (-0.03, 0.05, "少3人到多5人"),
        (-0.0497, 0.001, "少4.97人到多0.1人"),
        (0.0, 0.049999, "0至5人"),
        (-0.053, 0.054, "少5人到多5人"),
    ],
)
def test_rounding_moves_no_limit_onto_zero_or_the_requirement(findings, low, high, text):
    result = {"conf_low": low, "conf_high": high}
    assert format_value(findings, result, "interval", "interval_people") == text


def test_requirement_that_is_no_exact_number_is_kept_apart_too(folders):
    findings = load_findings(folders, made_up.YEAR)
    findings.plan["estimand"]["effect_that_matters"] = 0.07  # times a hundred is above seven
    result = {"conf_low": -0.03, "conf_high": 0.066}
    assert format_value(findings, result, "interval", "interval_people") == "少3人到多6.6人"


def test_job_that_cost_nothing_is_drawn_at_nothing(folders):
    findings = load_findings(folders, made_up.YEAR)
    findings.results[EFFECT] |= dict.fromkeys(
        ("value.conf_low", "value.conf_high", "value.cost_per_job"), 0.0
    )
    assert "cost-bar" in show(findings, "cost").data


def test_bars_share_one_axis_that_holds_them_all(folders):
    findings = load_findings(folders, made_up.YEAR)
    view = View(findings)
    assert view.axis() == (-15, 30)
    findings.results[EFFECT] |= {"conf_low": -0.22, "conf_high": 0.9}
    assert view.axis() == (-25, 40)
    bar = view.interval("loan")
    assert bar["open_high"] and not bar["open_low"] and bar["conf_high"] == 1
    assert view.place(0) < bar["required"]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("policy", ["post", "loan"])
def test_limit_below_zero_is_no_increase(folders, language, policy):
    """Too small, and the whole interval below zero: "at most 0.3 more" would be false."""
    findings = load_findings(folders, made_up.YEAR, language)
    findings.verdicts[policy]["verdict"] = "too_small"
    findings.results[findings.verdicts[policy]["result_id"]] |= {
        "estimate": -0.02, "conf_low": -0.04, "conf_high": -0.003,
    }  # fmt: skip
    said = [say(findings, policy, key) for key in ("answer", "sentence", "number", "may")]
    assert "0.3" not in "".join(re.sub('title="[^"]*"', "", text) for text in said[1:])


def test_too_few_persons_are_not_drawn(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, {"loan": "too_few", "post": "not_due"}, with_rest=False)
    html = show(load_findings(folders, made_up.YEAR), "paths").data
    assert "<svg" not in html and "不画图" in html


def test_failed_gates_are_named(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, {"loan": "do_not_conclude"}, with_rest=False)
    findings = load_findings(folders, made_up.YEAR)
    assert findings.words["failures"]["drift"] in show(findings, "cards").data


def test_multiplied_demonstration_says_so(folders, tmp_path):
    (tmp_path / "demo.toml").write_text("policy_multiplier = 4\n", encoding="utf-8")
    many = dataclasses.replace(folders, ledgers=tmp_path)
    head = show(load_findings(many, made_up.YEAR), "head").data
    assert "公布数的" in head and "4倍" in head
    assert "公布数的" not in show(load_findings(folders, made_up.YEAR), "head").data


def test_sentence_with_a_typed_number_is_refused(findings):
    with pytest.raises(PageError, match="13"):
        show_sentence(findings, "每100名借款人中多13人就业。")
    shown = show_sentence(
        findings, "每100名借款人中多{n}就业。", n=quote(findings, EFFECT, "estimate", "people")
    )
    assert "13人" in shown.data


def test_causal_word_needs_the_verdict_that_permits_it(findings):
    show_sentence(findings, "贷款带动了就业。", policy="loan")
    for policy in ("subsidy", "post", None):
        with pytest.raises(PageError, match="带动"):
            show_sentence(findings, "带动了就业。", policy=policy)
    with pytest.raises(PageError, match="没有政策 loans，只有 subsidy、loan、post"):
        show_sentence(findings, "一句话。", policy="loans")


def test_sentence_of_another_verdict_does_not_exist(findings):
    with pytest.raises(PageError, match="不允许"):
        say(findings, "subsidy", "made_up_sentence")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("verdict", [*DEFINITE, *UNKNOWN, "missing"])
def test_page_copes_with_every_verdict_for_every_policy(verdict, language, tmp_path):
    folders = made_up.make_folders(tmp_path)
    verdicts = (
        dict.fromkeys(("loan", "subsidy", "post"), verdict) if verdict != "missing" else {}
    )
    made_up.publish_edition(folders, verdicts, with_rest=False)
    findings = load_findings(folders, made_up.YEAR, language)
    parts = ["head", "cards", "cost", "wording", "unknown", "revisions", "method"]
    for part in parts + ["paths"] * (verdict in ("effective", "not_due", "missing")):
        html = show(findings, part).data
        check_body(html, findings)
    assert findings.words["verdicts"][verdict]["badge"] in show(findings, "head").data
    people = View(findings).people("loan")
    assert len(people) == (
        100 if verdict in (*DEFINITE, "cannot_tell", "do_not_conclude") else 0
    )
    assert ("because" in people) == verdict.startswith("effective")


def test_township_that_nobody_can_tell_is_named_with_its_old_name(findings):
    old = next(iter(findings.places))
    said = View(findings).name(f"unconfirmed:{old}")
    assert said == f"乡镇待核 {findings.places[old]}"


def test_too_few_gives_no_number(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, {"subsidy": "too_few"}, with_rest=False)
    findings = load_findings(folders, made_up.YEAR)
    assert not View(findings).primary("subsidy")
    assert "个百分点" not in show(findings, "cards").data


def test_a_hundred_people_are_whole_persons(findings):
    people = View(findings).people("loan")
    assert (people.count("anyway"), people.count("because"), people.count("idle")) == (
        60,
        13,
        27,
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_page_is_one_small_file_without_scripts_or_hosts(
    language, folders, tmp_path, monkeypatch
):
    path = export(folders, tmp_path, language=language)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size < page.LARGEST
    assert "<script" not in text and "http:" not in text and "https:" not in text
    assert "default-src 'none'" in text
    assert text.count("<h1") == 1
    assert folders.is_demo and ("示范数据" in text or "Demonstration" in text)
    levels = [int(level) for level in re.findall(r"<h(\d)", text)]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert set(re.findall(r'href="#([^"]+)"', text)) <= set(re.findall(r'\bid="([^"]+)"', text))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_embedded_fonts_hold_every_character(language, folders, tmp_path):
    text = export(folders, tmp_path, language=language).read_text(encoding="utf-8")
    used = {ord(letter) for letter in unescape(text.split("</style>")[1]) if letter > " "}
    fonts = re.findall(r"base64,([^)]+)\) format", text)
    assert len(fonts) == 2
    for font in fonts:
        assert used <= set(TTFont(io.BytesIO(base64.b64decode(font))).getBestCmap())


def test_same_results_give_the_same_bytes_in_two_folders(folders, tmp_path):
    first = export(folders, tmp_path / "a").read_bytes()
    assert export(folders, tmp_path / "b").read_bytes() == first


def test_english_page_quotes_the_same_results(folders):
    quoted = []
    for language in ("zh", "en"):
        findings = load_findings(folders, made_up.YEAR, language)
        for part in ("head", "cards"):
            show(findings, part)
        quoted.append(set(findings.quoted))
    assert quoted[0] == quoted[1]


def test_cells_added_by_hand_appear_and_desk_cells_do_not(folders, tmp_path):
    added = [
        nbformat.v4.new_markdown_cell("**手工添加的一段**<script>alert('x')</script>"),
        made_up.code_cell("<p>手工添加的输出</p>"),
    ]
    text = export(folders, tmp_path, added=added).read_text(encoding="utf-8")
    assert "手工添加的一段" in text and "手工添加的输出" in text
    assert "<script" not in text and "alert" not in text
    assert "只给写笔记本的人看" not in text


def test_text_that_looks_like_the_head_is_not_the_head(folders, tmp_path):
    added = [nbformat.v4.new_markdown_cell('写作 data-year="某年" data-language="某种文字"')]
    assert "某种文字" in export(folders, tmp_path, added=added).read_text(encoding="utf-8")


def test_text_of_ledgers_is_escaped(folders, tmp_path):
    other = dataclasses.replace(folders, outputs=tmp_path)
    table = pd.DataFrame({"item": ["data"], "value": ["<script>alert(1)</script>"]})
    other.edition(made_up.YEAR).mkdir()
    table.to_csv(other.edition(made_up.YEAR) / "provenance.csv", index=False)
    html = show(load_findings(other, made_up.YEAR), "results").data
    assert "<script" not in html and "&lt;script" in html


@pytest.mark.parametrize("language", ["zh", "en"])
def test_totals_are_shown_with_parts_and_with_what_cannot_be_checked(
    language, folders, tmp_path
):
    other = dataclasses.replace(folders, outputs=tmp_path)
    base = {"label_zh": "2023年放款", "label_en": "Paid out in 2023", "unit": "万元"}
    base |= {"precision": "exact", "needed_zh": "名册：甲列", "needed_en": "List: first column"}
    differs = {"item": "loan_amount", "state": "differs", "published": 3100}
    differs |= {"ledger": 3038.5, "difference": -61.5, "by_missing": -27, "by_date": 0}
    differs |= {"unexplained": -34.5, "suppressed": "by_late:small"}
    parks = {"item": "parks", "state": "no_ledger", "published": 8}
    trained = {"item": "trainees", "state": "no_ledger", "published": 6000}
    rows = [base | differs, base | parks, base | trained | {"precision": "at_least"}]
    rows.append(base | {"item": "post_persons", "state": "ledger_missing", "published": 9})
    table = pd.DataFrame(rows).assign(by_late=0.0, by_definition=0.0)
    publish_table(table, "agreement", other, made_up.YEAR, key=["item"], exempt=True)
    findings = load_findings(other, made_up.YEAR, language)
    html = show(findings, "agreement").data
    check_body(html, findings)
    said = findings.words["page"]
    assert "−34.50" in html and said["parts"]["by_missing"] in html
    assert said["parts"]["by_date"] not in html and said["no_ledger"] in html
    assert ("6,000余" if language == "zh" else "over 6,000") in html
    assert ("名册" if language == "zh" else "List") in html and "甲列" not in html


@pytest.mark.parametrize(
    "dirty, clean",
    [
        ("<p onclick='x()'>一</p>", "<p>一</p>"),
        ('<a href="javascript:x()">一</a>', "<a>一</a>"),
        ('<a href="//host/x">一</a>', "<a>一</a>"),
        ('<img src="x.png">', "<img>"),
        ('<p style="background:url(//host/x)">一</p>', "<p>一</p>"),
        ("<iframe src='//x'>一</iframe>二", "二"),
        ("<embed src='//x'>一", "一"),
        ("<svg><script>x</script><path d='M0 0'/></svg>", '<svg><path d="M0 0"></path></svg>'),
        ("1 < 2 & 3", "1 &lt; 2 &amp; 3"),
        ('<ol start="57"><li value="58">一</li></ol>', "<ol><li>一</li></ol>"),
    ],
)
def test_cleaning_leaves_text_and_drops_the_rest(dirty, clean):
    assert clean_html(dirty) == clean


@pytest.mark.parametrize("language", ["zh", "en"])
def test_gap_beyond_zero_is_not_explained_by_too_few_persons(folders, language):
    """Not sure though the interval excludes zero: the earlier trends are the reason."""
    findings = load_findings(folders, made_up.YEAR, language)
    usual = say(findings, "subsidy", "sentence")
    own = findings.results[findings.verdicts["subsidy"]["result_id"]]
    own["conf_low"] = 0.02
    special = findings.words["verdicts"]["cannot_tell"]["beyond_zero"]
    said = {key: say(findings, "subsidy", key) for key in special if key != "never_why"}
    assert said["sentence"] != usual
    assert (
        findings.wording("subsidy")["badge"]
        == findings.words["verdicts"]["cannot_tell"]["badge"]
    )
