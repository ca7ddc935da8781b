"""What lay readers misunderstood once, and what the page says now."""

import dataclasses
import re

import made_up_findings as made_up
import pandas as pd
import pytest

from evaluation.findings import evidence, grids
from evaluation.findings.drawings import draw_months, draw_paths
from evaluation.findings.parts import show
from evaluation.findings.quotes import format_value, say
from evaluation.findings.results import load_findings
from evaluation.findings.view import View
from evaluation.tables import publish_table

VERDICTS = {"loan": "effective", "subsidy": "cannot_tell", "post": "do_not_conclude"}


@pytest.fixture
def folders(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, VERDICTS)
    return folders


def test_checks_too_weak_to_see_a_problem_lower_how_sure_a_verdict_is(folders):
    assert say(load_findings(folders, made_up.YEAR), "loan", "sure") == "较大"
    checks = made_up.checks("effective")
    checks.loc[checks["gate"].isin(["drift", "agreement"]), "passed"] = "weak"
    publish_table(checks, "checks_loan", folders, made_up.YEAR, key=["gate"])
    findings = load_findings(folders, made_up.YEAR)
    why = say(findings, "loan", "sure_why").striptags()
    assert say(findings, "loan", "sure") == "一般"
    assert "2项" in why and "两种方法一致" not in why and "都通过" not in why


def test_failed_check_says_by_how_much(folders):
    findings = load_findings(folders, made_up.YEAR)
    checks = findings.tables["checks_post"]
    checks.loc[checks["gate"] == "drift", ["passed", "value"]] = "failed", -0.057
    findings.results["2024.post.checks.drift"] = {"value": -0.057}
    view = View(findings)
    short, long = evidence.failed(view, "post"), evidence.failed(view, "post", with_size=True)
    assert [word.striptags() for word in short] == ["进入之前，两组的走势已经不同"]
    assert "5.7个百分点" in long[0].striptags()
    assert "问题在于：" in show(findings, "head").data


def test_answer_names_neither_bars_nor_intervals_where_none_are_drawn(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, dict.fromkeys(VERDICTS, "do_not_conclude"))
    head = show(load_findings(folders, made_up.YEAR), "head").data
    assert "虚线是" not in head and 'class="axis"' not in head


def test_interval_that_holds_zero_withstands_nothing(folders):
    body = evidence.withstood(View(load_findings(folders, made_up.YEAR)))
    hidden = next(line for _, _, line, key in body if key == "hidden")
    assert [str(cell) for cell in hidden][1:] == ["区间本来就含零", "—"]
    assert "4.2倍" in hidden[0].striptags()


def test_how_strong_a_hidden_difference_must_be_has_an_end(folders):
    findings = load_findings(folders, made_up.YEAR)
    assert format_value(findings, {"m": 306.5}, "m", "times_limited") == "10倍以上"
    assert format_value(findings, {"m": 9.96}, "m", "times_limited") == "10.0倍"


@pytest.mark.parametrize(
    "due, is_said", [(120, True), (200, False)], ids=["too recent", "lost otherwise"]
)
def test_why_persons_are_not_evaluated_is_counted_not_supposed(folders, due, is_said):
    findings = load_findings(folders, made_up.YEAR)
    steps = {"ledger": 221, "population": 215, "due": due, "evaluated": 110}
    rows = [{"policy": "loan", "step": step, "n": n} for step, n in steps.items()]
    findings.tables["funnel"] = pd.DataFrame(rows)
    assert grids.is_mostly_recent(View(findings)) is is_said


def test_no_share_below_that_of_returnees_is_called_the_highest_above_it(folders):
    findings = load_findings(folders, made_up.YEAR)
    reach = findings.tables["reach"].set_index(["group", "level"])
    for group, share in {"loan": 0.1, "subsidy": 0.9, "post": float("nan")}.items():
        reach.loc[[(group, "female"), (group, "poor")], "share"] = share, 0.01
    findings.tables["reach"] = reach.reset_index()
    assert [policy for policy, *_ in grids.standing_out(View(findings))] == ["subsidy"]


def test_totals_nobody_published_do_not_agree(folders):
    findings = load_findings(folders, made_up.YEAR)
    findings.tables["agreement"] = findings.tables["agreement"].assign(
        published=float("nan"), difference=float("nan"), state="not_yet_published"
    )
    text = show(findings, "agreement").data
    assert "没有可以对照的公布数" in text and "台账数与公布数一致" not in text


def test_list_of_results_holds_the_number_that_was_quoted(folders):
    made_up.publish_edition(folders, VERDICTS | {"post": "too_small"})
    findings = load_findings(folders, made_up.YEAR)
    assert "9.6个月" in show(findings, "paths").data
    row = next(row for row in grids.quoted(View(findings)) if row["id"].endswith("months.48"))
    numbers = [cell.striptags() for cell in row["cells"][1:]]
    assert numbers == ["−9.6", "−10.6至−8.6"]


def test_number_without_a_conclusion_is_marked_in_the_list(folders):
    findings = load_findings(folders, made_up.YEAR)
    show(findings, "cards")
    marked = {row["id"]: "只作描述" in row["what"] for row in grids.quoted(View(findings))}
    assert marked["2024.post.cs.primary.employed_open.all"]
    assert not marked["2024.loan.published.primary.employed_open.all"]


def test_posts_end_within_the_third_year_after_entry(folders):
    made_up.publish_edition(folders, VERDICTS | {"post": "too_small"})
    drawing = draw_paths(View(load_findings(folders, made_up.YEAR)), "post", 640)
    found = re.findall(r'x="([\d.]+)"[^>]*>(期满后|第2年|第3年)<', drawing)
    at = {word: float(x) for x, word in found}
    assert at["第2年"] < at["期满后"] < at["第3年"]


def test_months_without_anybody_to_compare_with_are_not_drawn(folders):
    made_up.publish_edition(folders, VERDICTS | {"post": "too_small"})
    findings = load_findings(folders, made_up.YEAR)
    findings.tables["months_post"]["comparison_open"] = float("nan")
    assert draw_months(View(findings), "post", 640) is None


def test_what_was_seen_only_after_the_horizon_is_not_drawn(folders):
    findings = load_findings(folders, made_up.YEAR)
    findings.tables["paths_loan"]["event_time"] += 10
    assert "没有可以公布的数据" in show(findings, "paths").data


def test_nothing_to_draw_is_said(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, VERDICTS | {"subsidy": "not_due"})
    cards = show(load_findings(folders, made_up.YEAR), "cards").data
    assert cards.count("没有结果可画") == 1


def test_too_few_persons_leave_no_number_in_the_list_and_no_check(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, VERDICTS | {"subsidy": "too_few"})
    findings = load_findings(folders, made_up.YEAR)
    assert (
        "n="
        not in show(findings, "cost").data.split('data-policy="subsidy"')[1].split("</tr>")[0]
    )
    row = next(row for row in grids.quoted(View(findings)) if ".subsidy." in row["id"])
    assert set(row["cells"]) == {"—"}
    assert {states[1] for _, states in evidence.gates(View(findings))} == {None}


@pytest.mark.parametrize("part", ["head", "cards", "paths", "cost", "wording", "agreement"])
def test_no_tag_is_shown_as_text(part, folders):
    findings = load_findings(folders, made_up.YEAR)
    assert "&lt;" not in show(findings, part).data + show(findings, "results").data


def test_multiplied_participants_are_told_wherever_published_totals_stand(folders, tmp_path):
    (tmp_path / "demo.toml").write_text("policy_multiplier = 4", encoding="utf-8")
    findings = load_findings(dataclasses.replace(folders, ledgers=tmp_path), made_up.YEAR)
    for part in ("head", "wording", "agreement"):
        assert "因此与公布数对不上" in show(findings, part).data
