"""Made-up published tables: one edition whose policies have any verdict."""

import copy
import dataclasses
from pathlib import Path

import nbformat
import pandas as pd

from evaluation.paths import Folders, locate
from evaluation.tables import publish_table

YEAR = 2024
VERDICTS = {"loan": "effective", "subsidy": "cannot_tell", "post": "too_small"}
EFFECT = "2024.loan.published.primary.employed_open.all"
# What `8_findings` shows, in its order.
PARTS = ("head", "cards", "paths", "cost", "reach", "wording", "agreement", "unknown",
         "revisions", "method", "results")  # fmt: skip
HORIZON = {"subsidy": 2, "loan": 2, "post": 4}
# estimate, low, high of the published design; treated share at the horizon; treated
NUMBERS = {
    "effective": (0.13, 0.05, 0.21, 0.74, 151),
    "effective_small": (0.03, 0.01, 0.045, 0.62, 866),
    "harmful": (-0.12, -0.2, -0.06, 0.4, 866),
    "harmful_small": (-0.02, -0.04, -0.01, 0.4, 866),
    "too_small": (0.008, -0.028, 0.044, 0.34, 866),
    "cannot_tell": (0.05, -0.034, 0.134, 0.71, 97),
    "do_not_conclude": (0.05, -0.034, 0.134, 0.71, 97),
    "too_few": (float("nan"), float("nan"), float("nan"), 0.7, 22),
}
TOWNSHIPS = [
    "东城街道",
    "西城街道",
    "朝阳街道",
    "罗江镇",
    "磐石镇",
    "碑庙镇",
    "梓桐镇",
    "安云乡",
]


def estimates(policy: str, verdict: str) -> pd.DataFrame:
    """Published, cs and balanced: primary row and events."""
    estimate, low, high, _, n = NUMBERS[verdict]
    horizon, rows = HORIZON[policy], []
    for design, shift in (
        ("cs", 0.01),
        ("balanced", -0.01),
        ("published", 0.0),
        ("naive", 0.1),
    ):
        common = {"year": YEAR, "policy": policy, "outcome": "employed_open", "subgroup": "all"}
        common |= {"design": design, "n_treated": n, "n_obs": n + 1800, "n_clusters": 18}
        rows.append(
            common | {"term": "primary", "event_time": horizon, "estimate": estimate + shift}
        )
        for time in range(-3, horizon + 1):
            size = 0.0 if time < 0 else -0.31 if policy == "post" and time < 3 else estimate
            rows.append(common | {"term": "event", "event_time": time, "estimate": size})
    frame = pd.DataFrame(rows)
    frame["conf_low"] = frame["estimate"] - (estimate - low)
    frame["conf_high"] = frame["estimate"] + (high - estimate)
    frame["mde"] = (high - low) * 0.7
    tail = frame["event_time"].map(lambda time: f".{time}").where(frame["term"] == "event", "")
    frame["result_id"] = [
        f"{YEAR}.{policy}.{row.design}.{row.term}.employed_open.all"
        for row in frame.itertuples()
    ]
    frame["result_id"] += tail
    return frame


def paths(policy: str, verdict: str) -> pd.DataFrame:
    """Both groups' share in open work."""
    end, horizon, rows = NUMBERS[verdict][3], HORIZON[policy], []
    early = [0.55, 0.58, 0.7] if policy != "post" else [0.41, 0.38, 0.29]
    after = [0.9, 0.82] if policy != "post" else [0.03, 0.02, 0.04, 0.24]
    for time, share in zip(range(-3, horizon + 1), [*early, *after, end], strict=True):
        for group, gap in (("treated", 0.0), ("comparison", 0.02)):
            rows.append({"event_time": time, "group": group, "share": share - gap, "n": 150})
    frame = pd.DataFrame(rows).assign(conf_low=lambda f: f["share"] - 0.05, policy=policy)
    return frame.assign(conf_high=frame["share"] + 0.05)


def checks(verdict: str) -> pd.DataFrame:
    """Gates; one fails under ``do_not_conclude``, one is weak under ``cannot_tell``."""
    states = dict.fromkeys(
        ["balance", "overlap", "follow_up", "drift", "placebo", "agreement"], "passed"
    )
    states |= {"do_not_conclude": {"drift": "failed"}, "cannot_tell": {"drift": "weak"}}.get(
        verdict, {}
    )
    frame = pd.DataFrame({"gate": list(states), "passed": list(states.values())})
    return frame.assign(value=0.01, threshold=0.025, words_zh="", words_en="")


def second_looks(policy: str, verdict: str) -> dict[str, pd.DataFrame]:
    """Months, subgroups, bounds and randomization of one policy."""
    estimate, low, high, _, n = NUMBERS[verdict]
    common = {"year": YEAR, "policy": policy, "n_treated": n, "n_comparison": n + 900}
    start = f"{YEAR}.{policy}"
    months = [
        common
        | {"result_id": f"{start}.months.{month}", "month": month}
        | {"treated_open": 0.0 if month < 36 else 0.4, "comparison_open": 0.36}
        | {"treated_post": float(month < 36 and policy == "post"), "difference": -0.3}
        | {"conf_low": -0.32, "conf_high": -0.28}
        | {"gained": -0.2 * month, "gained_low": -0.22 * month, "gained_high": -0.18 * month}
        for month in range(49)
    ]
    groups = [
        {"subgroup": "female=male", "term": "primary", "estimate": estimate},
        {"subgroup": "female=female", "term": "primary", "estimate": estimate + 0.02},
        {"subgroup": "female", "term": "difference", "estimate": 0.02, "p_adjusted": 0.64},
    ]
    groups = pd.DataFrame([common | row | {"design": "published"} for row in groups])
    groups["conf_low"], groups["conf_high"] = low - 0.1, high + 0.1
    groups["result_id"] = [
        f"{start}.published.{row.term}.employed_open.{row.subgroup}"
        for row in groups.itertuples()
    ]
    bounds = [
        ("cs.breakdown", {"m": 0.6 if low > 0 else 0.0}),
        ("regression.hidden_interval", {"m": 4.2}),
        ("cs.pretrend_slope", {"power": 0.54}),
        ("published.lee", {"estimate": estimate, "conf_low": low, "conf_high": high}),
    ]
    draws = [(f"{d}.randomization", {"p_value": 0.001}) for d in ("cs", "balanced")]
    tables = {"bounds": bounds, "randomization": draws}
    return {"months": pd.DataFrame(months), "subgroups": groups} | {
        name: pd.DataFrame(
            common
            | row
            | {"result_id": f"{start}.{which}.employed_open.all", "false_alarms": 0.047}
            for which, row in rows
        )
        for name, rows in tables.items()
    }


def publish_edition(folders: Folders, verdicts: dict[str, str], with_rest: bool = True) -> None:
    """Write the tables of one edition; a policy left out has none."""
    for policy, verdict in verdicts.items():
        name = f"{YEAR}.{policy}.published.primary.employed_open.all"
        n = NUMBERS[verdict][4] if verdict in NUMBERS else 0
        row = {
            "policy": policy,
            "verdict": verdict,
            "result_id": name,
            "horizon": HORIZON[policy],
        }
        row |= {"n_participants": n + 40 if n else 0, "n_evaluated": n}
        shape = {"key": ["policy"], "counts": ["n_participants", "n_evaluated"]}
        publish_table(pd.DataFrame([row]), f"verdict_{policy}", folders, YEAR, **shape)
        publish_table(checks(verdict), f"checks_{policy}", folders, YEAR, key=["gate"])
        if verdict in NUMBERS:
            table = estimates(policy, verdict)
            publish_table(table, f"estimates_{policy}", folders, YEAR, key=["result_id"])
            table, key = paths(policy, verdict), ["event_time", "group"]
            publish_table(
                table, f"paths_{policy}", folders, YEAR, key=key, counts=["n"], by=key
            )
            for name, table in second_looks(policy, verdict).items():
                publish_table(table, f"{name}_{policy}", folders, YEAR, key=["result_id"])
    if with_rest:
        publish_rest(folders, verdicts)


def publish_rest(folders: Folders, verdicts: dict[str, str]) -> None:
    """Value, reach, funnel, agreement, revisions, provenance."""
    value, funnel = [], []
    for policy, verdict in verdicts.items():
        name = f"{YEAR}.{policy}.published.primary.employed_open.all"
        bounded = verdict.startswith("effective")
        row = {
            "policy": policy,
            "result_id": name,
            "state": "bounded" if bounded else "unbounded",
        }
        row["cost_per_participant"] = 10_200.0
        if bounded:
            row |= {"cost_per_job": 78_000.0, "conf_low": 49_000.0, "conf_high": 204_000.0}
        value.append(row)
        for step, n in (("ledger", 221), ("linked", 219), ("due", 158), ("evaluated", 151)):
            funnel.append(
                {
                    "result_id": f"{YEAR}.{policy}.funnel.{step}",
                    "policy": policy,
                    "step": step,
                    "n": n,
                    "label_zh": step + "人",
                    "label_en": step,
                }
            )
    publish_table(pd.DataFrame(value), "value", folders, YEAR, key=["policy"], exempt=True)
    key = ["policy", "step"]
    publish_table(pd.DataFrame(funnel), "funnel", folders, YEAR, key=key, counts=["n"])
    groups = {"returnees": 1200, "loan": 221, "subsidy": 168, "post": 1706}
    reach = []
    for group, total in groups.items():
        for level, share in (("female", 0.42), ("poor", 0.2)):
            n = round(total * share)
            reach.append({"group": group, "trait": level, "level": level, "n": n, "of": total})
        sizes = [total // 8 + position * 2 - 9 for position in range(8)]
        sizes[1] = 4 if group in ("loan", "subsidy") else sizes[1]
        places = zip(TOWNSHIPS, sizes, strict=True)
        reach += [{"group": group, "trait": "township", "level": p, "n": n} for p, n in places]
        reach.append({"group": group, "trait": "township", "level": "all", "n": total})
    frame, key = pd.DataFrame(reach), ["group", "trait", "level"]
    frame["share"] = frame["n"] / frame["of"]
    publish_table(
        frame, "reach", folders, YEAR,
        key=key, counts=["n", "of"], by=key, rates={"share": ("n", "of")},
    )  # fmt: skip
    agreement = pd.DataFrame(
        {
            "item": ["loan_persons", "post_persons"],
            "published": [221, 1706],
            "ledger": [221, 1706],
        }
    ).assign(
        difference=0, linked=[219, 1688], label_zh=["借款人数", "岗位人数"], label_en="persons"
    )
    publish_table(agreement, "agreement", folders, YEAR, key=["item"], exempt=True)
    sources = pd.DataFrame(
        {"item": ["data", "plan"], "value": ["3f9a13c21e00", "81d077ab0000"]}
    )
    publish_table(sources, "provenance", folders, YEAR, key=["item"])


def make_folders(place: Path) -> Folders:
    """Folders that all lie in a temporary place, but for the reference tables."""
    own = {name: place / name for name in ("ledgers", "data", "outputs")}
    return dataclasses.replace(locate(), **own, is_demo=True)


def make_edition(place: Path) -> Folders:
    """Such folders with one edition, its policies under different verdicts."""
    folders = make_folders(place)
    publish_edition(folders, VERDICTS)
    return folders


def make_notebook(folders: Folders, language: str = "zh", added: list | None = None):
    """An executed findings notebook without a kernel: its parts as outputs."""
    from evaluation.findings.parts import show
    from evaluation.findings.results import load_findings

    findings = load_findings(folders, YEAR, language)
    cells = [
        nbformat.v4.new_markdown_cell("# 42 只给写笔记本的人看", metadata={"tags": ["desk"]})
    ]
    cells += [code_cell(show(findings, part).data) for part in PARTS]
    return add_cells(nbformat.v4.new_notebook(cells=cells), added or [])


def add_cells(notebook, added: list):
    """The same notebook with cells before its last one, the list of results."""
    cells = copy.deepcopy([*notebook.cells[:-1], *added, notebook.cells[-1]])
    for position, cell in enumerate(cells):
        cell["id"] = f"cell-{position}"
    return nbformat.v4.new_notebook(cells=cells)


def export_notebook(notebook, place: Path, folders: Folders) -> Path:
    """Export an executed notebook as the page, into a folder."""
    from evaluation.findings.page import export_page

    place.mkdir(exist_ok=True)
    nbformat.write(notebook, place / "8_findings.ipynb")
    return export_page(place / "8_findings.ipynb", place / "findings.html", folders=folders)


def code_cell(html: str):
    """A code cell that has shown HTML."""
    output = nbformat.v4.new_output("execute_result", {"text/html": html}, execution_count=1)
    return nbformat.v4.new_code_cell("show()", outputs=[output])
