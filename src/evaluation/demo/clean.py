"""Clean tables straight from a world, as if its ledgers had no defect.

In memory, so that panels can be simulated by the hundred.
"""

import numpy as np
import pandas as pd

from evaluation.demo import amounts
from evaluation.demo.months import BUSINESS, OPEN, OUT, POST
from evaluation.demo.records import to_date

LEDGERS = ("roster", "register", "subsidy", "loan", "post")
TOWNSHIP_CODES = np.array([f"519999{number:03d}" for number in range(1, 19)])
_STATUS = {OPEN: "employed", BUSINESS: "founder", POST: "post"}


def clean_tables(world) -> dict[str, pd.DataFrame]:
    """Make the five clean tables of a world, one version of each row.

    ``received`` is the year of the snapshot or of the row's first date; townships
    carry codes of the unassigned prefix. Key of each: ``source_file, source_sheet,
    source_row``.
    """
    tables = ledger_tables(world, world.rules.last_year)
    return {name: _with_source(table, name) for name, table in tables.items()}


def ledger_tables(world, year: int, ledgers=LEDGERS) -> dict[str, pd.DataFrame]:
    """Make tables as known on 31 December of a year, by person's number.

    Whatever happened later is missing; who was not paid by then is still waiting.
    """
    end = np.datetime64(f"{year}-12-31", "us")
    makers = {
        "roster": _roster, "register": _register, "subsidy": _subsidy,
        "loan": _loan, "post": _post,
    }  # fmt: skip
    return {ledger: _cut(makers[ledger](world, end), end) for ledger in ledgers}


_BEGINS = {"snapshot_on", "start", "applied_on", "started_on"}
_PLANNED = ["due", "agreement_end"]


def _cut(table, end):
    first = next(column for column in table if column in _BEGINS)
    known = table[table[first] <= end].reset_index(drop=True)
    dates = known.select_dtypes("datetime").columns.difference(_PLANNED)
    known[dates] = known[dates].where(known[dates] <= end)
    for column in ("paid_on", "paid_out"):
        if column in known:
            pending = known["result"].eq("approved") & known[column].isna()
            known.loc[pending, "result"] = "waiting"
            unpaid = known[column].isna()
            later = ["amount", "loan_id", "principal", "rate", "due", "interest_subsidy"]
            for name in known.columns.intersection(later):
                known[name] = known[name].mask(unpaid)
    if "checked_on" in known:
        unchecked = known["checked_on"].isna()
        known["result"] = known["result"].mask(unchecked, "waiting")
        known["refusal"] = known["refusal"].mask(unchecked)
    if "end_reason" in known:
        known["end_reason"] = known["end_reason"].where(known["ended_on"].notna())
    return known


def snapshots(world) -> pd.DataFrame:
    """Who is on which year's roster with which status, one row per person and year.

    The year in which somebody dies or retires still has a row that says so. Violation
    `follow_up` loses a share of recipients' snapshots without open work after entry.
    """
    people, histories, rules = world.people, world.histories, world.rules
    years = np.arange(rules.first_year, rules.last_year + 1)
    state = histories.state[:, years * 12 + 11 - rules.months[0]]
    gone_year = people["gone_month"].to_numpy()[:, None] // 12
    ended = (gone_year == years) & (people["gone_reason"].to_numpy()[:, None] >= 2)
    person, column = np.nonzero((state != 0) | ended)
    code, year = state[person, column], years[column]
    status = np.array([_STATUS.get(number, "") for number in range(5)], dtype=object)[code]
    farmer = people["farmer"].to_numpy()[person] == 1
    status = np.where(code == OUT, np.where(farmer, "farming", "unemployed"), status)
    reason = people["gone_reason"].to_numpy()[person]
    status = np.where(code == 0, np.where(reason == 2, "dead", "retired"), status)
    frame = pd.DataFrame({"person": person, "year": year, "status": status.astype(str)})
    frame["snapshot_on"] = to_date(year * 12 + 11, 20 + (person + year) % 12)
    return frame[~_lost(world, frame, code == OUT)].reset_index(drop=True)


def _lost(world, frame, out):
    share = world.rules.violations.get("follow_up", 0.0)
    if not share:
        return np.zeros(len(frame), dtype=bool)
    dates = world.histories.dates
    entry = np.column_stack([dates[name] for name in ("applied", "loan", "post")])
    entry = np.where(entry < 0, 10**6, entry).min(axis=1)[frame["person"]]
    rng = np.random.default_rng([world.seed, 1])
    after = entry <= frame["year"].to_numpy() * 12 + 11
    return after & out & (rng.random(len(frame)) < share)


def _with_source(table, name):
    person = table.pop("person").to_numpy()
    size = int(person.max()) + 1 if len(person) else 0
    long = np.array([f"{number:032x}" for number in range(size)], dtype=object)
    front = {
        "source_file": f"{name}.csv",
        "source_sheet": "",
        "source_row": np.arange(2, len(table) + 2),
        "received": table.pop("received").to_numpy(),
        "superseded": pd.array([pd.NA] * len(table), dtype="Int16"),
        "person_id": pd.array(long[person] if size else [], dtype="str"),
        "name_key": pd.array([None] * len(table), dtype="str"),
        "phone_key": pd.array([None] * len(table), dtype="str"),
    }
    return pd.concat([pd.DataFrame(front, index=table.index), table], axis=1)


def _roster(world, _):
    shots = snapshots(world)
    person = shots["person"].to_numpy()
    own = world.people.iloc[person].reset_index(drop=True)
    return pd.DataFrame(
        {
            "person": person,
            "received": shots["year"],
            "sex": _labels(["male", "female"], own["female"]),
            "birth_year": own["birth_year"].astype("Int16"),
            "ethnicity": _labels(["汉族", "土家族"], own["minority"]),
            "schooling": own["schooling"].astype("Int8"),
            "township": _labels(TOWNSHIP_CODES, own["township"]),
            "village": _labels([f"示范{number}村" for number in range(8)], own["village"] % 8),
            "household_key": own["household"].astype(str),
            "poor": own["poor"].astype("Int8"),
            "away_place": _labels([f"外地{number}" for number in range(8)], own["away_place"]),
            "left_on": to_date(own["left_month"]),
            "returned_on": amounts.returned_on(world.people)[person],
            "return_reason": own["return_reason"].astype(str),
            "status": shots["status"],
            "trained": own["trained"].astype("Int8"),
            "snapshot_on": shots["snapshot_on"],
            "snapshot_year": shots["year"].astype("Int16"),
        }
    )


def _labels(words, codes):
    return pd.array(np.asarray(words, dtype=object)[codes.to_numpy()], dtype="str")


def business_keys(person) -> pd.Series:
    """A key per founder's business; nobody founds twice."""
    return pd.Series([f"{number:016x}" for number in person], dtype="str")


def _register(world, _):
    spells = world.spells
    own = (spells["form"] == "own_business").to_numpy()
    return pd.DataFrame(
        {
            "person": spells["person"],
            "received": np.maximum(spells["start"].dt.year, world.rules.first_year),
            "form": spells["form"],
            "start": spells["start"],
            "end": spells["end"],
            "monthly_wage": amounts.wages(spells),
            "insured": pd.array((spells["form"] == "unit").astype(int), dtype="Int8"),
            "business_key": business_keys(spells["person"]).where(own),
            "registered_on": spells["start"].where(own),
            "deregistered_on": spells["end"].where(own),
            "valid": pd.array(np.ones(len(spells), dtype=int), dtype="Int8"),
        }
    )


def founded_on(world) -> pd.Series:
    """Day of registration by person, for those who ever founded a business."""
    own = world.spells[world.spells["form"] == "own_business"]
    return own.set_index("person")["start"]


def _subsidy(world, _):
    rows = world.subsidies
    own = world.people.iloc[rows["person"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "person": rows["person"],
            "received": rows["applied_on"].dt.year,
            "business_key": business_keys(rows["person"]),
            "business_type": "个体工商户",
            "township": _labels(TOWNSHIP_CODES, own["township"]),
            "industry": "批发和零售业",
            "registered_on": rows["person"].map(founded_on(world)),
            "applied_on": rows["applied_on"],
            "checked_on": rows["checked_on"],
            "result": rows["result"],
            "refusal": rows["refusal"],
            "amount": np.where(rows["result"] == "approved", 10_000.0, np.nan),
            "paid_on": rows["paid_on"],
            "returned_on": amounts.returned_on(world.people)[rows["person"]],
            "jobs_claimed": pd.array(rows["person"] % 5, dtype="Int16"),
        }
    )


def _loan(world, end):
    rows = world.loans
    paid = rows["result"].eq("approved")
    money = amounts.loan_amounts(rows, end)
    flags = {
        name: pd.array(
            rows[name].fillna(0) if name == "extended" else money[name], dtype="Int8"
        )
        for name in ("extended", "overdue", "compensated")
    }
    identity = pd.Series([f"{number:016x}" for number in rows["person"]], dtype="str")
    return pd.DataFrame(
        {
            "person": rows["person"],
            "received": rows["paid_out"].fillna(rows["applied_on"]).dt.year,
            "loan_id": identity.where(paid),
            "category": "返乡创业农民工",
            "applied_on": rows["applied_on"],
            "result": rows["result"],
            "bank": "示范银行",
            "principal": rows["principal_wan"] * 10_000,
            "rate": np.where(paid, amounts.RATE, np.nan),
            "paid_out": rows["paid_out"],
            "due": rows["due"],
            "interest_subsidy": money["interest_subsidy"],
            **flags,
            "compensated_amount": money["compensated_amount"],
            "settled_on": money["settled_on"],
            "ordinal": pd.array(rows["ordinal"].fillna(1), dtype="Int8"),
            "jobs_claimed": pd.array(rows["person"] % 5, dtype="Int16"),
        }
    )


def _post(world, end):
    rows = world.posts
    own = world.people.iloc[rows["person"]].reset_index(drop=True)
    limit = rows["started_on"] + pd.DateOffset(years=3) - pd.Timedelta(days=1)
    return pd.DataFrame(
        {
            "person": rows["person"],
            "received": rows["started_on"].dt.year,
            "post_type": _labels(["保洁员", "协管员"], rows["rural"]),
            "employer": "示范单位",
            "rural": pd.array(rows["rural"], dtype="Int8"),
            "fund": "就业补助资金",
            "category": _labels(["就业困难人员", "脱贫人口"], own["poor"]),
            "recognised_on": rows["started_on"] - pd.Timedelta(days=20),
            "started_on": rows["started_on"],
            "agreement_start": rows["started_on"],
            "agreement_end": limit,
            **amounts.post_amounts(rows, end),
            "ended_on": rows["ended_on"],
            "end_reason": pd.array(end_reasons(rows), dtype="str"),
            "next_state": pd.array([None] * len(rows), dtype="str"),
            "township": _labels(TOWNSHIP_CODES, own["township"]),
        }
    )


def end_reasons(posts) -> np.ndarray:
    """Why each placement ended, missing while it goes on."""
    left = np.array(["", "离开本地", "死亡", "达到退休年龄"], dtype=object)[posts["reason"]]
    reason = np.where(posts["left_district"], left, "协议期满")
    return np.where(posts["ended_on"].isna(), None, reason)
