import datetime

import pandas as pd
import pytest

from evaluation.errors import TableError
from evaluation.panel import accounts, build, edition
from evaluation.panel.histories import Histories
from evaluation.panel.timing import build_risk_sets
from evaluation.paths import find_root
from evaluation.plan import load_plan

DISTRICT = {"register": {"from": datetime.date(2015, 1, 1)}}
TEXT = ["person_id", "name_key", "phone_key", "result", "refusal", "business_key", "loan_id"]
DATES = ["applied_on", "checked_on", "paid_on", "paid_out", "settled_on", "registered_on"]
DATES += ["started_on", "ended_on", "recognised_on", "start", "end", "deregistered_on"]
DATES += ["snapshot_on", "returned_on", "left_on"]


def make(*rows, columns=""):
    """Clean rows; whatever is not named is missing."""
    frame = pd.DataFrame(list(rows))
    for name in {*TEXT, *columns.split()} - set(frame):
        frame[name] = None
    for name in set(DATES) & {*frame}:
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    frame[TEXT] = frame[TEXT].astype("str")
    frame["source_file"], frame["source_sheet"] = "a.csv", ""
    frame["source_row"] = range(2, len(frame) + 2)
    if "received" not in frame:
        frame["received"] = 0
    return frame


def make_roster(*rows):
    base = {"snapshot_year": 2020, "status": "farming", "returned_on": "2016-05-01"}
    base |= {"sex": "male", "birth_year": 1980, "schooling": 2, "poor": 0, "township": "t1"}
    extra = "snapshot_on left_on"
    frame = make(*(base | row for row in rows), columns=extra)
    return frame.astype({"snapshot_year": "Int16", "birth_year": "Int16", "township": "str"})


def make_register(*rows):
    base = {"form": "unit", "start": "2019-01-01", "valid": 1}
    return make(*(base | row for row in rows), columns="end registered_on deregistered_on")


def make_subsidy(*rows):
    base = {"result": "approved", "amount": 10_000.0}
    columns = "checked_on paid_on registered_on applied_on"
    return make(*(base | row for row in rows), columns=columns)


def make_posts(*rows):
    columns = "ended_on recognised_on end_reason next_state rural pay insurance"
    return make(*rows, columns=columns)


def build_small(year=2020, **ledgers):
    clean = {"roster": make_roster({"person_id": "a"}), "register": make_register({})}
    return build.build_panel(clean | ledgers, year, DISTRICT)


def test_a_file_received_later_is_not_seen_and_an_unknown_year_is():
    rows = make_register(
        *({"person_id": p, "received": r} for p, r in zip("abc", (2021, 2020, 0), strict=True))
    )
    cut, _, counts = edition.cut_ledger(rows, "register", 2020)
    assert sorted(cut["person_id"]) == ["b", "c"]
    assert counts["received_later"] == 1


def test_fields_dated_later_become_missing_and_later_events_go():
    rows = make_subsidy(
        {"person_id": "a", "applied_on": "2020-11-01", "checked_on": "2021-01-05"},
        {"person_id": "b", "applied_on": "2020-06-01", "checked_on": "2020-08-05"}
        | {"paid_on": "2021-02-01"},
        {"person_id": "c", "applied_on": "2021-01-01"},
        {"person_id": "d"},
    )
    cut, _, counts = edition.cut_ledger(rows, "subsidy", 2020)
    assert cut["result"].tolist() == ["waiting", "approved"]
    assert cut["amount"].isna().tolist() == [True, False]
    assert cut["paid_on"].isna().all()
    assert (counts["after_edition"], counts["undated"], counts["fields_blanked"]) == (1, 1, 2)


def test_an_exit_after_the_edition_leaves_the_spell_open():
    rows = make_register({"person_id": "a", "end": "2021-03-01"})
    cut, _, _ = edition.cut_ledger(rows, "register", 2020)
    assert cut["end"].isna().all()


def test_the_latest_version_counts():
    rows = make_register(
        {"person_id": "a", "received": 2019},
        {"person_id": "a", "received": 2020, "end": "2020-02-01"},
        {"person_id": "b", "received": 2020},
    )
    latest, seen, counts = edition.cut_ledger(rows, "register", 2020)
    assert len(latest) == 2 and len(seen) == 3 and counts["older_version"] == 1
    assert latest["end"].notna().sum() == 1


def test_a_valid_record_stays_beside_its_cancelled_double():
    rows = make_register({"person_id": "a", "valid": 1}, {"person_id": "a", "valid": 0})
    latest, _, _ = edition.cut_ledger(rows, "register", 2020)
    assert latest["valid"].tolist() == [1]


def test_rows_without_a_number_are_counted_once_and_never_twice():
    day, name = {"started_on": "2020-03-01"}, {"name_key": "n", "phone_key": "p"}
    rows = make_posts(
        day | name | {"received": 2019},
        day | name | {"received": 2020},
        day | {"name_key": "m", "phone_key": "q", "person_id": "a"},
        day | {"name_key": "m", "phone_key": "q"},
        day,
        day,
    )
    latest, _, _ = edition.cut_ledger(rows, "post", 2020)
    assert latest["person_id"].notna().sum() == 1
    assert latest["person_id"].isna().sum() == 3


def test_a_loan_takes_its_number_from_another_delivery():
    loan = {"applied_on": "2019-01-01", "paid_out": "2019-02-01", "loan_id": "x"}
    columns = "settled_on principal interest_subsidy extended overdue compensated"
    rows = make(
        loan | {"person_id": "a", "received": 2019},
        loan | {"received": 2020},
        columns=f"{columns} compensated_amount",
    )
    latest, _, counts = edition.cut_ledger(rows, "loan", 2020)
    assert latest["person_id"].tolist() == ["a"] and counts["older_version"] == 1


def test_persons_carry_first_known_traits_and_confirmed_townships():
    roster = make_roster(
        {"person_id": "a", "snapshot_year": 2019, "township": "unconfirmed:9", "schooling": 3},
        {"person_id": "a", "snapshot_year": 2020, "township": "t2", "schooling": 4},
        {"person_id": "b", "township": "unconfirmed:9"},
        {"person_id": "c", "township": None},
    )
    persons = build_small(roster=roster).persons.set_index("person_id")
    assert persons["township"].tolist() == ["t2", "unconfirmed:9", "unknown"]
    assert persons.loc["a", "schooling"] == 3
    assert persons.loc["a", "first_roster_year"] == 2019


def test_missing_policy_ledgers_leave_nobody_treated():
    panel = build_small()
    assert panel.persons[["subsidy_on", "loan_on", "post_on"]].isna().all(axis=None)
    assert len(panel.costs) == 0


def test_a_later_delivery_does_not_change_the_order_of_persons():
    rows = [{"person_id": p, "received": 2019} for p in "zyx"]
    again = [{"person_id": p, "received": 2020} for p in "xwz"]
    first = build_small(2019, roster=make_roster(*({"snapshot_year": 2019} | r for r in rows)))
    later = make_roster(*({"snapshot_year": 2019} | r for r in rows + again))
    second = build_small(2020, roster=later)
    assert first.persons["person_id"].tolist() == ["z", "y", "x"]
    assert second.persons["person_id"].tolist() == ["z", "y", "x", "w"]


def test_without_a_roster_there_is_no_panel():
    with pytest.raises(TableError, match="花名册"):
        build.build_panel({"register": make_register({})}, 2020, DISTRICT)


def test_costs_are_awards_of_the_approved():
    subsidy = make_subsidy(
        {"person_id": "a", "applied_on": "2020-03-01"},
        {"person_id": "b", "applied_on": "2020-03-01", "result": "refused"},
    )
    costs = build_small(subsidy=subsidy).costs
    assert costs[["person_id", "cost", "n_awards"]].values.tolist() == [["a", 10_000.0, 1]]


def test_the_funnel_never_widens():
    posts = make_posts(
        {"person_id": "a", "started_on": "2016-09-01"},
        {"person_id": "off", "started_on": "2016-09-01"},
        {"started_on": "2016-09-01"},
    )
    roster = make_roster(
        *({"person_id": p, "snapshot_year": y} for p in "ab" for y in range(2015, 2021))
    )
    plan = load_plan(find_root() / "data" / "reference")
    panel = build_small(post=posts, roster=roster)
    histories = Histories(panel.persons, panel.register, panel.months, 2020)
    sets = {"post": build_risk_sets("post", histories, plan)}
    funnel = accounts.count_funnel(panel.persons, panel.years, panel.ledgers, sets, plan, 2020)
    assert funnel["n"].tolist() == [3, 2, 1, 1, 1, 1, 1, 1]
    assert not funnel.duplicated(["policy", "step"]).any()


def test_recipients_are_compared_with_businesses_of_like_age_in_their_month():
    rows = [(1, 9, 1), (1, 12, 0), (1, 5, 1), (2, 9, 1), (3, 0, 1), (3, 3, 0)]
    sets = pd.DataFrame(rows, columns=["month", "business_age", "treated"])
    found = accounts.find_compared(sets, {"designs": {"business_age_window": 3}})
    assert found.tolist() == [True, False, False, False, True, False]


def test_the_fingerprint_of_a_ledger_is_that_of_its_content():
    rows = make_register({"person_id": "a"}, {"person_id": "b"})
    assert accounts.hash_frame(rows) == accounts.hash_frame(rows.copy())
    assert accounts.hash_frame(rows) != accounts.hash_frame(rows.assign(form="post"))
