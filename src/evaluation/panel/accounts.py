"""Accounts of a panel: the participant funnel and where the data come from."""

import hashlib
import platform
from importlib import metadata

import numpy as np
import pandas as pd

from evaluation.panel.definitions import count_people
from evaluation.panel.months import find_rows, name_persons
from evaluation.panel.outcomes import find_outcomes
from evaluation.panel.timing import entering_rows
from evaluation.plan import POLICIES

STEPS = {
    "ledger": ("台账中的参加者", "Participants in the ledger"),
    "linked": ("能与其他台账对应（凭号码或其他信息）", "Linked, by number or otherwise"),
    "roster": ("在花名册上", "On the roster"),
    "population": ("参加当日在评估范围内", "In the population on the day of entry"),
    "due": ("已满观察期", "Reached the horizon"),
    "working_age": ("期满时健在且未到退休年龄", "Alive and below retirement age by then"),
    "observed": ("参加前和期满时的就业状况都已知", "Outcome known before and at the horizon"),
    "evaluated": ("有可比人员", "With comparison persons"),
}
LIBRARIES = ("numpy", "pandas", "scipy", "statsmodels", "matplotlib")


def count_funnel(persons, years, ledgers, risk_sets: dict, plan: dict, edition: int):
    """Count how many participants are left at each step, down to those evaluated.

    Each step counts those left of the step before. "With comparison": the monthly set
    holds a comparison person, for founders one of a business age within the window.

    Parameters
    ----------
    persons, years, ledgers
        Of the panel.
    risk_sets
        By policy, as returned by `build_risk_sets`.

    Returns
    -------
    pandas.DataFrame
        Key ``policy, step``: ``result_id``, ``n``, ``label_zh``, ``label_en``.
    """
    rows, people = [], pd.Index(persons["person_id"])
    years, outcome = name_persons(years, people), plan["outcomes"]["primary"]
    for policy in (name for name in POLICIES if name in ledgers):
        horizon = plan["policies"][policy]["horizon"]
        sets, in_ledger = risk_sets[policy], entering_rows(policy, ledgers[policy])
        row = np.flatnonzero(persons[f"{policy}_on"].notna())
        entered = persons.iloc[row]
        cohort = entered[f"{policy}_year"].astype("int64")
        ends = pd.to_datetime((cohort + horizon).astype("str") + "-12-31")
        names = pd.Series(pd.Categorical.from_codes(row, people), entered.index)
        at_both = [
            ~np.isnan(find_outcomes(years, outcome, names, cohort + shift))
            for shift in (plan["estimand"]["base_period"], horizon)
        ]
        compared = sets["person_id"][find_compared(sets, plan)]
        met = [
            entered["first_roster_year"].notna(),
            np.isin(row, find_rows(people, sets["person_id"][sets["treated"] == 1])),
            cohort + horizon <= edition,
            entered["observed_until"] >= ends,
            np.logical_and(*at_both),
            np.isin(row, find_rows(people, compared)),
        ]
        left = np.logical_and.accumulate([np.asarray(flag, dtype=bool) for flag in met])
        counts = [count_people(in_ledger), len(row), *left.sum(axis=1)]
        for (step, (zh, en)), n in zip(STEPS.items(), counts, strict=True):
            name = f"{edition}.{policy}.funnel.{step}"
            rows.append((name, policy, step, int(n), zh, en))
    return pd.DataFrame(
        rows, columns=["result_id", "policy", "step", "n", "label_zh", "label_en"]
    )


def find_compared(sets: pd.DataFrame, plan: dict) -> np.ndarray:
    """Mark recipients in whose month a comparison person has a business of like age.

    Parameters
    ----------
    sets
        As returned by `build_risk_sets`; without a business all ages are 0.

    Returns
    -------
    numpy.ndarray
        Booleans, one per row; comparison persons are not marked.
    """
    width, treated = plan["designs"]["business_age_window"], sets["treated"].to_numpy() == 1
    month, age = sets["month"].to_numpy(), sets["business_age"].to_numpy()
    # Room for the window before and after the ages of each month.
    span = age.max(initial=0) + 2 * width + 1
    place = (month - month.min(initial=month.max(initial=0))) * span + age + width
    below = np.zeros(place.max(initial=0) + width + 2, dtype="int64")
    below[1:] = np.bincount(place[~treated], minlength=len(below) - 1).cumsum()
    near = below[place + width + 1] - below[place - width]
    return treated & (near > 0)


def hash_frame(frame: pd.DataFrame) -> str:
    """Fingerprint of a table's content in its order (12 digits)."""
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return hashlib.sha256(rows.astype("<u8").tobytes()).hexdigest()[:12]


def describe_provenance(ledgers: dict, plan: dict, plan_digest: str, edition: int):
    """Say what this edition rests on: data, plan, versions; nothing from the clock.

    The fingerprint of a ledger covers what the edition sees of it: a file received
    later changes no earlier edition's. The code's own fingerprint is added when the page
    is made (`findings.results.load_findings`): here it would tie every table of the panel
    to every module.

    Returns
    -------
    pandas.DataFrame
        Key ``item``: ``value`` (text), ``label_zh``.
    """
    names = {"roster": "花名册", "register": "就业登记", "subsidy": "补贴", "loan": "贷款"}
    names |= {"post": "公益性岗位"}
    rows = [("edition", edition, "年版"), ("data_until", f"{edition}-12-31", "数据截至")]
    for ledger, name in names.items():
        value = hash_frame(ledgers[ledger]) if ledger in ledgers else "无"
        rows.append((f"ledger_{ledger}", value, f"台账指纹：{name}"))
    missing = "、".join(name for ledger, name in names.items() if ledger not in ledgers)
    rows += [
        ("ledgers_missing", missing or "无", "缺少的台账"),
        ("plan", plan_digest, "分析计划指纹"),
        ("plan_version", plan["version"], "分析计划版本"),
        ("seed", plan["designs"]["seed"], "随机种子"),
        ("code_version", metadata.version("evaluation"), "程序版本"),
        ("python", platform.python_version(), "Python"),
        *((library, metadata.version(library), library) for library in LIBRARIES),
    ]
    return pd.DataFrame(rows, columns=["item", "value", "label_zh"]).astype({"value": "str"})
