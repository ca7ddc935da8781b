"""One edition's panel: what was known by its last day, about whom, and who dropped out."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from evaluation.errors import TableError
from evaluation.ledgers.codes import UNCONFIRMED
from evaluation.panel import outcomes, timing
from evaluation.panel.edition import cut_ledger
from evaluation.panel.linkage import find_weakest, link_rows
from evaluation.panel.months import name_persons
from evaluation.panel.observation import find_observation, look_up
from evaluation.plan import POLICIES

LEDGERS = ("roster", "register", *POLICIES)
TRAITS = ["sex", "birth_year", "schooling", "poor", "township"]
ROSTER = ["person_id", *TRAITS, "returned_on", "snapshot_year", "snapshot_on", "status"]


@dataclass(frozen=True)
class Panel:
    """The tables of one edition, in memory.

    Attributes
    ----------
    edition
        Last calendar year.
    persons, years, months, costs
        Keys ``person_id``; ``person_id, year``; ``person_id, month``;
        ``person_id, policy``.
    ledgers
        Latest version of each row by ledger, unlinked rows included; a missing ledger
        is absent.
    counts
        Key ``ledger, step``: rows dropped or changed on the way, with a Chinese label.
    """

    edition: int
    persons: pd.DataFrame
    years: pd.DataFrame
    months: pd.DataFrame
    costs: pd.DataFrame
    ledgers: dict[str, pd.DataFrame]
    counts: pd.DataFrame

    @property
    def register(self) -> pd.DataFrame:
        """The register of the edition, latest versions."""
        return self.ledgers["register"]


def build_panel(clean: dict, edition: int, district: dict) -> Panel:
    """Make the panel of one edition from the clean tables.

    Parameters
    ----------
    clean
        Clean tables by ledger; roster and register are required, a missing policy
        ledger leaves that policy without entries.
    edition
        Calendar year: what was known on its 31 December.
    district
        As read by `load_district`.

    Raises
    ------
    TableError
        If roster or register are missing or hold nothing by then.
    """
    cut, seen, counts = {}, [], {}
    for ledger in LEDGERS:
        rows = clean.get(ledger)
        if rows is None:
            continue
        cut[ledger], receipts, counts[ledger] = cut_ledger(rows, ledger, edition)
        seen.append(receipts)
    for ledger, name in (("roster", "花名册"), ("register", "就业登记")):
        if ledger not in cut or cut[ledger].empty:
            raise TableError(f"{edition}年底以前没有{name}，无法建立面板。")
    ledgers, sizes = link_rows(cut), {ledger: len(rows) for ledger, rows in cut.items()}
    del cut, rows  # a district's roster is not held twice
    people = order_people(seen)
    # Persons are looked up once: from here on they are codes of one list.
    names, roster = pd.Index(people), ledgers["roster"][ROSTER]
    roster = name_persons(roster[roster["person_id"].notna()], names)
    spells = name_persons(outcomes.valid_spells(ledgers["register"]), names)
    persons = describe_persons(people, roster, spells, ledgers, edition)
    grids = outcomes.build_grids(
        persons, spells, roster, ledgers.get("post"), district, edition
    )
    return Panel(
        edition,
        persons,
        outcomes.tabulate_years(grids, persons, spells, roster),
        outcomes.tabulate_months(grids),
        sum_costs(ledgers),
        ledgers,
        _tabulate_counts(counts, sizes, ledgers),
    )


def _tabulate_counts(counts, sizes, ledgers) -> pd.DataFrame:
    """Rows by ledger and step; a linked row that is another's version is an older one."""
    rows = []
    for ledger, steps in counts.items():
        unlinked = int(ledgers[ledger]["person_id"].isna().sum())
        repeated = sizes[ledger] - len(ledgers[ledger])
        steps = steps | {"older_version": steps["older_version"] + repeated}
        steps |= {"unlinked": unlinked, "linked": len(ledgers[ledger]) - unlinked}
        rows += [(ledger, step, number) for step, number in steps.items()]
    return pd.DataFrame(rows, columns=["ledger", "step", "rows"])


def order_people(seen: list[pd.DataFrame]) -> pd.Series:
    """List persons in order of first receipt, ledger and source row.

    Random draws follow this order, so that neither a pseudonym nor a later delivery
    of the same row can change them.

    Parameters
    ----------
    seen
        By ledger, ``person_id`` and ``received`` of the rows as returned by `cut_ledger`.
    """
    firsts = [rows.drop_duplicates("person_id").dropna(subset="person_id") for rows in seen]
    firsts = pd.concat(firsts, ignore_index=True)
    order = np.argsort(pd.factorize(firsts["received"], sort=True)[0], kind="stable")
    return firsts["person_id"].iloc[order].drop_duplicates().reset_index(drop=True)


def describe_persons(people, roster, spells, ledgers: dict, edition: int) -> pd.DataFrame:
    """Describe everybody in any ledger by fixed traits, observation and times zero.

    Traits are the first known ones, so that none is dated after an entry unless the
    person was first seen then; a confirmed township comes before one to be confirmed.

    Parameters
    ----------
    people
        As returned by `order_people`.
    roster, spells
        Linked rows of the roster; the register as returned by `valid_spells`; persons
        as codes of `people`.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id``, in the order of `people`.
    """
    rows = roster.sort_values("snapshot_year", kind="stable")
    unsure = rows["township"].str.startswith(UNCONFIRMED).fillna(False)
    rows = rows.assign(confirmed=rows["township"].mask(unsure))
    grouped = rows.groupby(rows["person_id"].cat.codes, sort=False)
    first = grouped[[*TRAITS[:-1], "confirmed", "township"]].first()
    first["returned_on"] = grouped["returned_on"].min()
    first["first_roster_year"] = grouped["snapshot_year"].min()
    first["last_roster_year"] = grouped["snapshot_year"].max()
    persons = people.to_frame().join(first)
    persons["township"] = persons["confirmed"].fillna(persons["township"]).fillna("unknown")
    persons["female"] = persons["sex"].map({"male": 0, "female": 1}).astype("Int8")
    persons["returned_year"] = persons["returned_on"].dt.year.astype("Int16")
    persons = persons.drop(columns="confirmed")
    persons = persons.join(find_observation(persons, roster, edition))
    founders = outcomes.find_businesses(spells)
    founders = founders.drop_duplicates("person_id").set_index("person_id")
    persons["business_registered_on"] = look_up(persons["person_id"], founders["registered_on"])
    persons["business_closed_on"] = look_up(persons["person_id"], founders["closed_on"])
    policies = [ledgers[policy] for policy in POLICIES if policy in ledgers]
    persons = _add_entries(persons, ledgers)
    return persons.assign(
        link_pass=find_weakest(people, policies),
        record_pass=find_weakest(people, [ledgers["roster"], ledgers["register"]]),
    )


def _add_entries(persons, ledgers):
    """Add time zero, result and cohort of each policy, refusals, first applications."""
    for policy in POLICIES:
        if policy in ledgers:
            entries = timing.find_entries(policy, ledgers[policy])
            entries = entries.set_index("person_id").reindex(persons["person_id"])
            persons = persons.join(entries.reset_index(drop=True))
        else:
            persons = persons.assign(**{f"{policy}_on": pd.NaT, f"{policy}_result": None})
        persons[f"{policy}_on"] = persons[f"{policy}_on"].astype("datetime64[s]")
        persons[f"{policy}_result"] = persons[f"{policy}_result"].astype("str")
        persons[f"{policy}_year"] = persons[f"{policy}_on"].dt.year.astype("Int16")
        if policy != "post":
            rows = ledgers.get(policy, _NO_APPLICATION)
            refused = rows.loc[(rows["result"] == "refused").fillna(False), "person_id"]
            asked = rows.groupby("person_id")["applied_on"].min()
            persons[f"{policy}_refused"] = persons["person_id"].isin(refused).astype("Int8")
            persons[f"{policy}_applied_on"] = look_up(persons["person_id"], asked)
    rural = persons.get("post_rural", pd.NA)
    return persons.assign(post_rural=rural).astype({"post_rural": "Int8"})


_NO_APPLICATION = pd.DataFrame(
    {
        "person_id": pd.Series(dtype="str"),
        "result": pd.Series(dtype="str"),
        "applied_on": pd.Series(dtype="datetime64[s]"),
    }
)


def sum_costs(ledgers: dict) -> pd.DataFrame:
    """Add up what each participant cost the public purse, in yuan.

    Subsidy: awards approved. Loan: interest subsidy and guarantee payments, never the
    principal; recoveries are in no ledger. Post: pay and social insurance.

    Returns
    -------
    pandas.DataFrame
        Key ``person_id, policy``: ``cost``, ``n_awards``.
    """
    parts = []
    for policy, columns in {
        "subsidy": ["amount"],
        "loan": ["interest_subsidy", "compensated_amount"],
        "post": ["pay", "insurance"],
    }.items():
        if policy in ledgers:
            rows = ledgers[policy].dropna(subset="person_id")
            if policy == "subsidy":
                rows = rows[rows["result"] == "approved"]
            elif policy == "loan":
                rows = rows[rows["paid_out"].notna()]
            rows = rows.assign(cost=rows[columns].astype("float64").fillna(0).sum(axis=1))
            grouped = rows.groupby("person_id", sort=False)["cost"]
            sums = grouped.agg(cost="sum", n_awards="size").reset_index()
            parts.append(sums.assign(policy=policy))
    columns = ["person_id", "policy", "cost", "n_awards"]
    return (
        pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    )
