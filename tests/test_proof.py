"""Nothing gets onto the page that its results do not say."""

import dataclasses

import made_up_findings as made_up
import nbformat
import pandas as pd
import pytest
from made_up_findings import EFFECT

from evaluation.findings.claims import check_claims, find_loose_numbers
from evaluation.findings.figures import new_axes, plot_paths
from evaluation.findings.parts import show, show_figure, show_sentence
from evaluation.findings.proof import check_body
from evaluation.findings.quotes import quote
from evaluation.findings.results import PageError, load_findings


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return made_up.make_edition(tmp_path_factory.mktemp("proof"))


@pytest.fixture(scope="module", params=["zh", "en"])
def findings(folders, request):
    return load_findings(folders, made_up.YEAR, request.param)


@pytest.fixture(scope="module")
def chinese(folders):
    return load_findings(folders, made_up.YEAR)


@pytest.mark.parametrize(
    "html",
    [
        "<p>贷款带来了57个岗位。</p>",
        "<p>贷款带来了５７个岗位。</p>",
        "<p>贷款带来了五十七个岗位。</p>",
        "<p>一半的人有了工作，百分之五没有。</p>",
        "<p>贷款带来了5<b>7</b>个岗位。</p>",
        "<p>贷款使①②个人就业。</p>",
        "<p>新增就业100个人，就业率95%。</p>",
        "<p>有57<sup>*</sup>人。</p>",
        "<table><caption>57人</caption></table>",
        "<table><tr><td>57</td></tr></table>",
        "<p title='57人'>一</p>",
        "<td data-head='57人'>一</td>",
        "<p aria-description='57人'>一</p>",
        "<figure><figcaption>57人</figcaption></figure>",
        "<svg aria-hidden='true'><text>57人</text></svg>",
        "<svg role='img' aria-label='57人'><path/></svg>",
        f"<div data-figure='{EFFECT}'><svg role='img' aria-label='57人'><path/></svg></div>",
        f"<div data-figure='{EFFECT}'><svg><text>57人</text></svg></div>",
        f"<div data-figure='{EFFECT}'><img alt='57人' src='data:image/png;base64,'></div>",
        "<img alt='一张图' src='data:image/png;base64,'>",
        "<svg role='img' aria-label='一张图'><path/></svg>",
        "<details><summary>57人</summary></details>",
    ],
)
def test_number_without_a_result_is_found_wherever_it_hides(html, chinese):
    with pytest.raises(PageError):
        check_body(html, chinese)


@pytest.mark.parametrize(
    "html",
    [
        f"<a class='q' href='#r-{EFFECT}' data-of='estimate people'>57人</a>",
        f"<span data-id='{EFFECT}' data-of='estimate people'>57人</span>",
        f"<span data-id='{EFFECT}' data-of='label'>57人</span>",
        f"<span data-id='{EFFECT}'>13人</span>",
        f"<span data-id='{EFFECT}' data-of='id'>57</span>",
        f"<span data-id='{EFFECT}' data-of='estimate people' title='n=57'>13人</span>",
        f"<span data-id='{EFFECT}' data-of='estimate people' aria-label='57人'>13人</span>",
        f"<span data-id='{EFFECT}' data-of='estimate people'>13人<img alt='57人'></span>",
        "<span data-id='2024.made.up' data-of='estimate people'>57人</span>",
        "<span data-id='plan' data-of='gates_min_treated count'>57人</span>",
        "<dd data-id='provenance'>57</dd>",
        "<dd data-id='provenance' title='57'>3f9a13c21e00</dd>",
        "<div data-figure='2024.made.up'></div>",
    ],
)
def test_quote_of_another_number_than_its_result_is_found(html, chinese):
    with pytest.raises(PageError):
        check_body(html, chinese)


def test_true_quotes_pass(chinese):
    number = quote(chinese, EFFECT, "estimate", "people")
    drawn = f"<div data-figure='{EFFECT}'><svg><text>多13人</text></svg>{number}</div>"
    check_body(f"<p>每100名借款人中多{number}就业（95%区间）。</p>{drawn}", chinese)


@pytest.mark.parametrize(
    "text",
    [
        "贷款带动了就业。",
        "补贴没有效果。",
        "补贴无效。",
        "可以说补贴失败了。",
        "补贴有效，贷款也有效。",
        "公益性岗位有效。",
        "公益性岗位为乡村振兴作出了贡<b>献</b>。",
        f"<span data-id='{EFFECT}' data-of='label'>补贴没有效果</span>",
        "<abbr title='补贴没有效果'>一</abbr>",
    ],
)
def test_claim_that_no_verdict_permits_is_found(text, chinese):
    with pytest.raises(PageError):
        check_body(f"<p>{text}</p>", chinese)


@pytest.mark.parametrize(
    "text",
    [
        "贷款有效。",
        "补贴是否有效，还不能判断。",
        "补贴有没有效，还不知道。",
        "“证据不足”不是“没有效果”。",
        "公益性岗位不能说有效。",
    ],
)
def test_careful_words_pass(text, chinese):
    check_body(f"<p>{text}</p>", chinese)


@pytest.mark.parametrize(
    "text, passes",
    [
        ("The subsidy has failed.", False),
        ("Posts have no effect.", False),
        ("Fifty-seven persons found work.", False),
        ("Loans created jobs.", False),
        ("Subsidies: effective.", False),
        ("It is clear that the subsidy works.", False),
        ("Loans: effective.", True),
        ("57 Jobs were found.", False),
        ("Nobody knows whether the subsidy works.", True),
    ],
)
def test_english_is_held_to_the_same_rules(text, passes, folders):
    findings = load_findings(folders, made_up.YEAR, "en")
    if passes:
        check_body(f"<p>{text}</p>", findings)
    else:
        with pytest.raises(PageError):
            check_body(f"<p>{text}</p>", findings)


def test_causal_word_follows_the_verdict_of_its_policy(chinese):
    check_body("<p data-policy='loan'>带动了就业。</p>", chinese)
    check_body("<p data-warning>促进了就业。</p>", chinese)
    for held in ("data-policy='subsidy'", "data-policy='made_up'", ""):
        with pytest.raises(PageError):
            check_body(f"<p {held}>带动了就业。</p>", chinese)
    check_claims(chinese, "带动了就业。", "loan")


def test_every_part_of_the_page_passes_its_own_proof(findings):
    for part in made_up.PARTS:
        check_body(show(findings, part).data, findings)


@pytest.fixture(scope="module")
def executed(folders):
    return made_up.make_notebook(folders)


def output(kind, value):
    shown = nbformat.v4.new_output("display_data", {kind: value})
    return nbformat.v4.new_code_cell("x", outputs=[shown], id="added")


STREAM = nbformat.v4.new_output("stream", name="stdout", text="57 人")


@pytest.mark.parametrize(
    "cell",
    [
        nbformat.v4.new_markdown_cell("贷款带来了 57 个岗位。", id="added"),
        nbformat.v4.new_markdown_cell("# 贷款带来了五十七个岗位", id="added"),
        nbformat.v4.new_markdown_cell("57. 一\n58. 二\n\n就业57人", id="added"),
        nbformat.v4.new_markdown_cell("补贴没有效果。", id="added"),
        nbformat.v4.new_markdown_cell("![57人](data:image/png;base64,AAAA)", id="added"),
        nbformat.v4.new_code_cell("x", outputs=[STREAM], id="added"),
        output("text/plain", "57"),
        output("text/markdown", "**57** 人"),
        output("text/html", pd.DataFrame({"人数": [57]}).to_html()),
        output("text/html", "<p data-id='x'>57 人</p>"),
        output("image/svg+xml", "<svg><text>57</text></svg>"),
        output("image/png", "AAAA"),
    ],
)
def test_cell_added_by_hand_cannot_bring_in_a_number(cell, executed, folders, tmp_path):
    notebook = made_up.add_cells(executed, [cell])
    with pytest.raises(PageError):
        made_up.export_notebook(notebook, tmp_path, folders)
    assert not (tmp_path / "findings.html").exists()


def test_sentence_and_figure_of_ones_own_get_onto_the_page(
    chinese, executed, folders, tmp_path
):
    number = quote(chinese, EFFECT, "estimate", "people")
    said = show_sentence(chinese, "贷款带动{n}。", policy="loan", n=number)
    ax = plot_paths(new_axes(), chinese.tables["paths_loan"], policy="loan")
    ends = {"a": "2024.loan.paths.treated.2", "b": "2024.loan.paths.comparison.2"}
    own = {name: quote(chinese, end, "persons", "cell") for name, end in ends.items()}
    with pytest.raises(PageError, match="参加者 7"):  # drawn at the end of a line, but not said
        check_body(
            show_figure(chinese, ax, EFFECT, "到第二年末，多{n}。", n=number).data, chinese
        )
    drawn = show_figure(chinese, ax, EFFECT, "到第二年末，{a}对{b}，多{n}。", n=number, **own)
    cells = [output("text/html", shown.data) for shown in (said, drawn)]
    notebook = made_up.add_cells(executed, cells)
    text = made_up.export_notebook(notebook, tmp_path, folders).read_text(encoding="utf-8")
    assert "到第二年末，" in text and text.count("<figure") == 4
    assert "data-of" not in text


def test_figure_needs_a_result_and_words(chinese):
    ax = new_axes()
    for result_id, says in (("2024.made.up", "一"), (EFFECT, " "), (EFFECT, "57人")):
        with pytest.raises(PageError):
            show_figure(chinese, ax, result_id, says)


def test_stale_output_does_not_get_onto_the_page(executed, folders, tmp_path):
    """The notebook was run, then the tables changed: the page would say last week's number."""
    later = dataclasses.replace(folders, outputs=tmp_path / "outputs")
    made_up.publish_edition(later, made_up.VERDICTS | {"loan": "effective_small"})
    with pytest.raises(PageError, match="不符"):
        made_up.export_notebook(executed, tmp_path, later)


def test_notebook_that_was_not_run_is_no_page(folders, tmp_path):
    cell = nbformat.v4.new_code_cell("findings = load_findings(folders, year)", id="a")
    notebook = nbformat.v4.new_notebook(cells=[cell])
    with pytest.raises(PageError, match="运行"):
        made_up.export_notebook(notebook, tmp_path, folders)


def test_fixed_numbers_are_few_and_hide_no_other(chinese):
    words = chinese.words
    assert len(words["fixed"]) <= 10
    for text in ("每100名借款人", "95%区间", "每多1人就业", "35至44岁"):
        assert find_loose_numbers(text, words["fixed"], words["spelled"]) == []
    for text in ("100名借款人", "95%的人", "1人", "提高1个百分点", "2024年"):
        assert find_loose_numbers(text, words["fixed"], words["spelled"]) != []
