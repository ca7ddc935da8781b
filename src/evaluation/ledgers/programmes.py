"""Rules of the programmes with their dates: what should be looked at, never what is lost.

A rule is a row of ``rules.csv`` with the days on which it was in force, its source and
whether somebody verified it. A row that breaks one is flagged and counts all the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.ledgers.kinds import KINDS
from evaluation.ledgers.rules import note, note_table
from evaluation.ledgers.text_files import read_reference

_VERIFIED = {"yes": "已核实", "secondary": "据转述，未见原文", "no": "未经核实"}
# A date typed as a month ends with it, and two deliveries may give one day differently.
_GRACE = pd.Timedelta(days=31)
_LAST = pd.Timestamp("2261-12-31")


@dataclass(frozen=True)
class Rule:
    """One rule while it was in force.

    Attributes
    ----------
    value
        Yuan, years or times, as the rule has it; NaN where it is no number.
    first, last
        Days on which it was in force, both included.
    words
        The rule, its source and whether it was verified, in Chinese.
    """

    value: float
    first: pd.Timestamp
    last: pd.Timestamp
    words: str

    def covers(self, days) -> np.ndarray:
        """Mark the days on which the rule was in force; a missing day is none."""
        days = pd.Series(days)
        return ((days >= self.first) & (days <= self.last)).to_numpy()


Rules = dict[tuple[str, str], list[Rule]]


def load_rules(reference: Path) -> Rules:
    """Read ``rules.csv``: the rules by programme and name, in the order of the file."""
    table = read_reference(reference / "rules.csv")
    rules = {}
    for row in table.to_dict("records"):
        first = pd.Timestamp(row["from"] or "1900-01-01")
        last = pd.Timestamp(row["to"]) if row["to"] else _LAST
        value = pd.to_numeric(row["value"], errors="coerce")
        rules.setdefault((row["programme"], row["rule"]), []).append(
            Rule(float(value), first, last, _put_in_words(row))
        )
    return rules


def _put_in_words(row):
    since = f"{row['from']}起" if row["from"] else ""
    until = f"至{row['to']}" if row["to"] else ""
    limit = "" if row["value"] in ("", "1") and not row["unit"] else row["value"] + row["unit"]
    said = "，".join(part for part in (limit, since + until) if part)
    return f"{said}；来源：{row['source']}；{_VERIFIED[row['verified']]}"


def check_rows(raw, cleaned: dict, rules: Rules, notes: list) -> None:
    """Flag rows that break a rule by themselves, whatever other rows say.

    Loans: principal over the cap of the day of pay-out, a term longer than allowed
    (unless extended). Subsidies: an amount that is not that of its day, payment before
    the business was registered. Posts: agreed, or filled, longer than allowed by someone
    not near retirement; nothing is said where sex or year of birth is unknown.

    Parameters
    ----------
    raw, cleaned
        Rows of one ledger as typed, and their columns as parsed.
    rules
        As returned by `load_rules`.
    notes
        Receives what is wrong with which rows.
    """
    for column, kind, where, rule in _ROW_CHECKS[raw.ledger](cleaned, rules):
        reasons = [f"{KINDS[kind].reason}（{rule.words}）"] * int(where.sum())
        notes.append(note(raw, where, column, kind, reasons))


Found = Iterator[tuple[str, str, np.ndarray, Rule]]


def _check_loans(cleaned, rules) -> Found:
    paid_out, principal = cleaned.get("paid_out"), cleaned.get("principal")
    for rule in rules.get(("loan", "principal_max"), ()):
        over = principal > rule.value
        yield "principal", "rule_loan_cap", over & rule.covers(paid_out), rule
    due, extended = cleaned.get("due"), cleaned.get("extended")
    for rule in rules.get(("loan", "years_max"), ()) if due is not None else ():
        late = pd.Series(due) > _after(paid_out, rule.value) + _GRACE
        late &= rule.covers(paid_out)
        late &= True if extended is None else extended != 1
        yield "due", "rule_loan_years", late.to_numpy(), rule


def _check_subsidies(cleaned, rules) -> Found:
    amount, applied_on = cleaned["amount"], cleaned["applied_on"]
    awarded = (np.asarray(cleaned["result"]) == "approved") & ~np.isnan(amount)
    for name, differs in (("amount", np.not_equal), ("amount_max", np.greater)):
        for rule in rules.get(("subsidy", name), ()):
            odd = awarded & differs(amount, rule.value) & rule.covers(applied_on)
            yield "amount", "rule_subsidy_amount", odd, rule
    registered_on, paid_on = cleaned.get("registered_on"), cleaned["paid_on"]
    for rule in rules.get(("subsidy", "paid_after_registration"), ()):
        if registered_on is not None:
            early = (paid_on < registered_on) & rule.covers(paid_on)
            yield "paid_on", "rule_paid_before_registration", early, rule


def _check_posts(cleaned, rules) -> Found:
    started_on = cleaned["started_on"]
    spans = [(started_on, cleaned.get("ended_on"), "ended_on")]
    spans.append(
        (cleaned.get("agreement_start"), cleaned.get("agreement_end"), "agreement_end")
    )
    ages = {
        sex: rules[("post", f"retirement_age_{sex}")][0].value for sex in ("male", "female")
    }
    retires = cleaned["birth_year"] + pd.Series(cleaned["sex"]).map(ages).to_numpy(float)
    (near,) = rules[("post", "years_before_retirement")]
    for rule in rules.get(("post", "years_max"), ()):
        for first, last, column in spans:
            if first is None or last is None:
                continue
            over = pd.Series(last) > _after(first, rule.value) + _GRACE
            # Missing years compare as false: of whom nothing is known nothing is said.
            far = retires - pd.Series(first).dt.year.to_numpy(float) > near.value
            yield column, "rule_post_years", over.to_numpy() & far & rule.covers(first), rule


def _after(days, years):
    return pd.Series(days) + pd.DateOffset(years=int(years))


_ROW_CHECKS = {
    "roster": lambda *_: (),
    "register": lambda *_: (),
    "loan": _check_loans,
    "subsidy": _check_subsidies,
    "post": _check_posts,
}


def check_histories(tables: dict[str, pd.DataFrame], rules: Rules, headings: dict) -> list:
    """Flag rows that break a rule by what other rows of the same person or firm say.

    A second award, a placement or loan too many, an application after the business was
    struck off. Dates at most a month apart are one event that two deliveries tell
    differently. Corrected rows count as corrected.

    Parameters
    ----------
    tables
        Clean tables by ledger; all deliveries together.
    headings
        Heading as typed by file, sheet, ledger and column.

    Returns
    -------
    list of pandas.DataFrame
        Issues.
    """
    found = []
    for ledger, name, dates, kind in (
        ("subsidy", "awards_max", "applied_on", "rule_second_subsidy"),
        ("loan", "awards_max", "paid_out", "rule_loan_times"),
        ("post", "placements_max", "started_on", "rule_third_post"),
    ):
        rows = tables[ledger]
        valid = rows["superseded"].isna() & rows["person_id"].notna() & rows[dates].notna()
        if ledger == "subsidy":
            valid &= (rows["result"] == "approved").fillna(False)
        turn = _count_events(rows[valid], dates).reindex(rows.index, fill_value=0)
        if ledger == "loan":
            turn = turn.combine(rows["ordinal"].fillna(0).where(valid, 0), max)
        for rule in rules.get((ledger, name), ()):
            over = (turn > rule.value).to_numpy(bool) & rule.covers(rows[dates])
            found.append(_note(rows, over, ledger, dates, kind, rule, headings))
    rows, closed = tables["subsidy"], _find_closing(tables["register"])
    after = rows["applied_on"] > closed.reindex(rows["business_key"]).set_axis(rows.index)
    for rule in rules.get(("subsidy", "applied_while_open"), ()):
        late = (after & rows["superseded"].isna()).to_numpy() & rule.covers(rows["applied_on"])
        kind = "rule_applied_after_closing"
        found.append(_note(rows, late, "subsidy", "applied_on", kind, rule, headings))
    return found


def _note(rows, where, ledger, column, kind, rule, headings):
    reason = f"{KINDS[kind].reason}（{rule.words}）"
    return note_table(rows[where], ledger, column, kind, headings, reason)


def _count_events(rows, dates) -> pd.Series:
    """Number each row by how many events of its person there were up to it."""
    rows = rows[["person_id", dates]].sort_values(["person_id", dates], kind="stable")
    first = ~rows["person_id"].duplicated()
    later = first | (rows[dates].diff() > _GRACE)
    events = later.astype(int).cumsum()
    return events - events.where(first).ffill().astype(int) + 1


def _find_closing(register) -> pd.Series:
    """Last day on which a business was struck off, by its key; one still open is absent."""
    valid = register["superseded"].isna() & (register["valid"] != 0).fillna(True)
    own = register[valid & register["business_key"].notna() & register["registered_on"].notna()]
    # The last delivery decides: an earlier one did not yet know the end.
    last = own.sort_values("received", kind="stable").drop_duplicates(
        "business_key", keep="last"
    )
    return last.dropna(subset="deregistered_on").set_index("business_key")["deregistered_on"]
