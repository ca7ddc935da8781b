"""Section nine: the same people, the old number and the new one, and what moved it."""

import re

import made_up_findings as made_up
import nbformat
import pandas as pd
import pytest

from evaluation.effects.bridges import STEPS
from evaluation.findings import page
from evaluation.findings.parts import show
from evaluation.findings.results import load_findings
from evaluation.tables import publish_table

CHANGES = {"code": 0.0, "plan": 0.012, "boundary": 0.0002, "data_later": -0.03}
CHANGES |= {"late_entries": 0.0}


def publish_bridge(folders, policy, changes, **states):
    rows, estimate = [], 0.13
    for step in STEPS:
        estimate += changes.get(step, 0.0)
        row = {"step": step, "state": states.get(step, "told"), "estimate": estimate}
        rows.append(row | {"change": changes.get(step)})
    table = pd.DataFrame(rows).assign(policy=policy, conf_low=0.0, conf_high=0.2)
    table["result_id"] = f"{made_up.YEAR}.{policy}.bridge." + table["step"]
    table.loc[table["state"] == "untold", "change"] = float("nan")
    publish_table(table, f"bridges_{policy}", folders, made_up.YEAR, key=["result_id"])


@pytest.fixture
def folders(tmp_path):
    folders = made_up.make_folders(tmp_path)
    made_up.publish_edition(folders, dict.fromkeys(("loan", "subsidy", "post"), "effective"))
    publish_bridge(folders, "loan", CHANGES)
    publish_bridge(folders, "post", {}, boundary="untold")
    publish_bridge(folders, "subsidy", dict.fromkeys(STEPS[1:], 0.0001))
    moved = pd.DataFrame({"policy": ["loan", "subsidy", "post"]}).assign(
        result_id=[f"{made_up.YEAR}.{p}.revision" for p in ("loan", "subsidy", "post")],
        before=0.13, now=0.112, difference=-0.018, source="frozen",
        verdict_before="effective", verdict_now="effective", cause=["data_later", None, None],
    )  # fmt: skip
    publish_table(moved, "revisions", folders, made_up.YEAR, key=["policy"])
    return folders


def read_causes(html):
    """What is said of each policy, in the order of the page."""
    part = re.search(r'<dl class="causes">(.*?)</dl>', html, re.S)[1]
    return [
        re.sub("<[^>]+>|\n", "", text) for text in re.findall(r"<dd>(.*?)</dd>", part, re.S)
    ]


def test_only_what_moved_the_number_is_named_with_its_part(folders):
    html = show(load_findings(folders, made_up.YEAR), "revisions").data
    loan, subsidy, post = read_causes(html)
    assert loan == "评估方案的修改使估计多1.2人；同一批人后来又有登记和更正，使估计少3.0人。"
    assert subsidy == "没有看得出的变化。"
    assert post == "地名表改过，分不清涉及哪些人，影响计入程序。"
    assert 'data-id="2024.loan.bridge.plan"' in html
    assert "取自已公布的那一份" in html and "后来才知道的数据" in html


def test_english_names_the_same_parts(folders):
    html = show(load_findings(folders, made_up.YEAR, "en"), "revisions").data
    loan, subsidy, post = read_causes(html)
    assert "evaluation plan: 1.2 more; what was recorded" in loan and "3.0 fewer." in loan
    assert subsidy == "Nothing that can be seen." and "cannot be told" in post


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_takes_the_section_with_every_number_bound(folders, language, monkeypatch):
    monkeypatch.setattr(page, "locate", lambda: folders)
    notebook = folders.outputs / "n.ipynb"
    nbformat.write(made_up.make_notebook(folders, language), notebook)
    text = page.export_page(notebook, folders.outputs / "p.html").read_text(encoding="utf-8")
    assert 'class="causes"' in text and "bridge.data_later" in text
