import pandas as pd
import pytest
from test_definitions import make

from evaluation.panel.agreement import (
    compare_definitions,
    compare_totals,
    find_missing,
    split_difference,
)
from evaluation.panel.totals import PARTS
from evaluation.tables import publish_table

RULES = {"min_count": 10, "round_to": 5}
KINDS = ["file", "sheet", "row", "ledger", "kind", "state", "received"]


def make_totals(**columns):
    """One published figure: posts, unless said otherwise."""
    total = {"indicator": "post_persons", "programme": "post", "value": 2, "unit": "个"}
    total |= {"as_of": "2024-06-17", "computation": "post_filled", "precision": "exact"}
    total |= dict.fromkeys(("label_zh", "label_en", "definition", "verified", "part_of"))
    return pd.DataFrame([total | {"needed_zh": "名册", "needed_en": "list"} | columns])


def make_posts(*rows):
    base = {"started_on": "2023-01-01", "received": 2024, "source_sheet": ""}
    base |= {"source_file": "a.csv", "superseded": pd.NA, "recognised_on": pd.NaT}
    base |= dict.fromkeys(("end_reason", "next_state")) | {"pay": 0.0}
    posts = make(*(base | {"person_id": str(n)} | row for n, row in enumerate(rows)))
    posts["recognised_on"] = pd.to_datetime(posts["recognised_on"])
    posts["superseded"] = posts["superseded"].astype("Int16")
    return posts.assign(source_row=range(2, len(posts) + 2))


def make_accounts(*issues, ledger="post", read=10, kept=10, received=2024, yuan=(0, 0, 0)):
    sheet = {"file": "a.csv", "sheet": "", "ledger": ledger, "received": received}
    sheet |= {"rows_read": read, "rows_kept": kept}
    amounts = ("amount_read", "amount_kept", "amount_repeated")
    accounting = pd.DataFrame([sheet | dict(zip(amounts, yuan, strict=True))])
    base = {"file": "a.csv", "sheet": "", "ledger": ledger, "state": "set_aside"}
    base |= {"kind": "key_date_missing", "received": received}
    rows = [base | {"row": n} | issue for n, issue in enumerate(issues)]
    return {"accounting": accounting, "issues": pd.DataFrame(rows, columns=KINDS)}


def compare(totals, posts, edition=2024, **known):
    table = compare_totals(totals, {"post": posts}, edition, **known)
    row = table.iloc[0]
    if row["state"] in ("agrees", "differs"):
        assert row[list(PARTS)].sum() == pytest.approx(row["difference"], abs=1e-9)
    return row


def parts(row):
    """The parts that are not nothing."""
    return {name: row[name] for name in PARTS if abs(row[name]) > 0}


def test_totals_are_compared_before_linkage_and_not_before_they_are_published():
    park = make_totals(indicator="parks", programme="parks", value=8, computation=None)
    totals = pd.concat([make_totals(), park]).assign(as_of="2020-06-17")
    posts = make_posts(
        {"person_id": "a", "started_on": "2018-01-01"},
        {"person_id": None, "started_on": "2019-01-01"},
        {"person_id": "b", "started_on": "2018-01-01", "ended_on": "2019-12-31"},
    )
    found = compare_totals(totals, {"post": posts}, 2020)
    assert found["state"].tolist() == ["agrees", "no_ledger"]
    assert found.loc[0, ["ledger", "linked", "lost_by_linkage"]].tolist() == [2, 1, 1]
    early = compare_totals(totals, {"post": posts}, 2019)
    assert early["state_zh"].tolist() == ["尚未公布", "尚未公布"]
    assert early["published"].isna().all()
    assert list(early) == list(found)


def test_what_has_no_ledger_says_what_is_needed_and_a_missing_ledger_says_so():
    totals = pd.concat([make_totals(), make_totals(indicator="parks", computation=None)])
    found = compare_totals(totals, {}, 2024)
    assert found["state"].tolist() == ["ledger_missing", "no_ledger"]
    assert found["words_zh"].tolist() == [
        "缺少该项政策的台账，未核对。",
        "没有台账，未核对。核对需要：名册。",
    ]
    assert found[["difference", *PARTS]].isna().all().all()


def test_exact_agreement_is_told_from_agreement_within_rounding():
    posts = make_posts(*[{}] * 6)
    exact = compare(make_totals(value=6), posts)
    assert (exact["state"], exact["state_zh"], parts(exact)) == ("agrees", "完全一致", {})
    lower = compare(make_totals(value=5, precision="at_least"), posts)
    assert (lower["state_zh"], parts(lower)) == ("一致（不低于公布数）", {"by_rounding": 1})
    near = compare(make_totals(value=5.98, precision="rounded"), posts)
    assert (near["state_zh"], near["match"]) == ("一致（公布数是约数）", "rounding")
    assert compare(make_totals(value=5, precision="exact"), posts)["state"] == "differs"


def test_a_part_is_due_to_the_date():
    posts = make_posts({}, {}, {"started_on": "2024-09-01"}, {"started_on": "2024-10-01"})
    row = compare(make_totals(value=2), posts)
    assert (row["ledger"], row["ledger_as_of"], row["difference"]) == (4, 2, 2)
    assert parts(row) == {"by_date": 2}
    assert "公布之日以后的2个" in row["words_zh"]


def test_the_date_cannot_explain_a_ledger_that_is_too_small():
    posts = make_posts({}, {}, {"started_on": "2024-09-01"})
    assert parts(compare(make_totals(value=5), posts)) == {"unexplained": -2}


def test_a_part_is_due_to_rows_set_aside_but_not_to_repeated_ones():
    known = make_accounts({}, {}, {"kind": "duplicate"}, {"state": "flagged"})
    row = compare(make_totals(value=5), make_posts({}, {}), **known)
    assert parts(row) == {"by_missing": -2, "unexplained": -1}
    assert row["missing_rows"] == 2
    assert row["words_zh"].startswith(
        "台账少3个：搁置或缺项、没有计入的，最多2个，没有解释的1个"
    )


def test_rows_set_aside_in_older_deliveries_or_later_ones_do_not_count():
    older, newer = make_accounts({}, received=2023), make_accounts({}, received=2024)
    later = make_accounts({}, received=2025)
    both = {n: pd.concat([older[n], newer[n], later[n]]) for n in newer}
    assert find_missing("post", 2024, **both) == {"rows": 1, "yuan": 0, "received": 2024}
    assert find_missing("post", 2025, **both)["received"] == 2025
    assert find_missing("loan", 2024, **both)["rows"] == 0


def test_a_row_corrected_after_the_edition_was_missing_then():
    known = make_accounts(yuan=(10, 10, 0))
    rows = make_posts({}, {"received": 2025, "pay": 7.0}, {"received": 2025, "pay": 1.0})
    rows["source_row"] = [2, 3, 2]  # the last is a correction of the first
    found = find_missing("post", 2024, **known, rows=rows)
    assert found == {"rows": 1, "yuan": 7, "received": 2024}
    assert find_missing("post", 2025, **known, rows=rows)["rows"] == 0


def test_a_blank_rural_cell_is_missing_from_rural_and_from_urban_posts():
    posts = make_posts({"rural": 1}, {"rural": 0}, {})
    totals = make_totals(value=2, computation="post_filled_rural")
    assert parts(compare(totals, posts)) == {"by_missing": -1}


def test_missing_yuan_explain_an_amount_and_repeated_ones_do_not():
    totals = make_totals(
        indicator="loan_amount", programme="loan", computation="loan_amount", value=45,
        unit="万元",
    )  # fmt: skip
    loans = make({"person_id": "a", "paid_out": "2024-01-01", "principal": 200_000.0})
    yuan = (550_000, 200_000, 200_000)
    known = make_accounts({}, {"kind": "duplicate"}, ledger="loan", yuan=yuan)
    row = compare_totals(totals, {"loan": loans}, 2024, **known).iloc[0]
    assert parts(row) == {"by_missing": -15, "unexplained": -10}
    public = compare_totals(totals, {"loan": loans}, 2024, **known, least=10).iloc[0]
    assert parts(public) == {"unexplained": -25}  # the yuan of one row are somebody's
    assert pd.isna(public["missing_yuan"]) and "另有1行搁置" in public["words_zh"]


def test_a_part_may_be_due_to_another_definition_which_is_named_and_not_claimed():
    ended = {"ended_on": "2024-03-01"}
    row = compare(make_totals(value=2), make_posts({}, {}, ended, ended))
    assert (row["nearest"], parts(row)) == ("on_day", {"by_definition": 2})
    assert "与公布数最接近的是“年底在岗”，未必就是来信所指" in row["words_zh"]


def test_rows_received_after_publication_are_told_apart():
    posts = make_posts({"received": 2024}, {"received": 2025}, {"received": 2025})
    clean = {"post": posts}
    row = compare(make_totals(value=1), posts, 2025, clean=clean)
    assert parts(row) == {"by_late": 2}
    assert compare(make_totals(value=1), posts, 2025)["by_late"] == 0


def test_a_ledger_older_than_the_published_figure_says_so():
    known = make_accounts(received=2023)
    row = compare(make_totals(value=3), make_posts({}, {}), **known)
    assert "最近收到的台账是2023年的" in row["words_zh"]


def test_all_parts_together_add_up_and_none_goes_beyond():
    new = {"started_on": "2024-01-01"}
    posts = make_posts(
        new, new, new | {"ended_on": "2024-03-01"}, {"started_on": "2024-09-01"},
        new | {"received": 2025}, new | {"received": 2025},
    )  # fmt: skip
    known = make_accounts({}) | {"clean": {"post": posts}}
    row = compare(make_totals(value=1), posts, 2025, **known)
    assert row["difference"] == 5
    assert parts(row) == {
        "by_late": 2, "by_date": 1, "by_definition": 1, "unexplained": 1,
    }  # fmt: skip


@pytest.mark.parametrize("difference", [-7, -2.5, 0, 3, 11.000001])
def test_parts_always_add_up(difference):
    could = {"by_late": 2, "by_date": -4, "by_missing": -1.5, "by_definition": 6}
    found = split_difference(difference, could)
    assert set(found) == set(PARTS)
    assert sum(found.values()) == pytest.approx(difference, abs=1e-6)
    assert all(part * difference >= 0 for part in found.values())
    assert all(abs(found[name]) <= abs(could[name]) for name in could)


def test_a_part_of_few_persons_goes_into_what_is_unexplained():
    posts = make_posts({}, {}, {"started_on": "2024-09-01"})
    known = make_accounts({})
    row = compare(make_totals(value=2), posts, least=10, **known)
    assert parts(row) == {"unexplained": 1}
    assert row[["ledger_as_of", "by_date"]].isna().all()
    assert "by_date:small" in row["suppressed"]
    short = compare(make_totals(value=5), posts, least=10, **known)
    assert parts(short) == {"by_missing": -1, "unexplained": -1}


def test_what_is_withheld_is_not_ascribed_to_another_reason():
    new = [{"started_on": "2024-09-01"}] * 12
    posts = make_posts(*[{}] * 12, {"received": 2025}, *new)
    row = compare(make_totals(value=12), posts, 2025, clean={"post": posts}, least=10)
    assert parts(row) == {"by_date": 12, "unexplained": 1}
    assert pd.isna(row["by_late"])


def test_small_definitions_do_not_leave_data_nor_can_a_part_be_found_by_subtraction(home):
    many = [{"rural": 1, "started_on": "2024-02-01"}] * 12
    urban = [{"rural": 0}] * 12 + [{"rural": 0, "started_on": "2024-02-01"}] * 3
    totals = pd.concat(
        [
            make_totals(),
            make_totals(indicator="post_rural", computation="post_filled_rural", part_of="p"),
            make_totals(indicator="post_urban", computation="post_filled_urban", part_of="p"),
        ]
    )
    table = compare_definitions(totals, {"post": make_posts(*many, *urban)}, 2024)
    path = publish_table(
        table, "agreement_definitions", home, 2024,
        key=["item", "definition"], counts=["fewest"],
    )  # fmt: skip
    shown = pd.read_csv(path).set_index(["item", "definition"])
    assert shown.loc[("post_persons", "filled"), "value"] == 27
    hidden = shown.loc[[(i, "entered") for i in ("post_rural", "post_urban")]]
    assert hidden[["value", "difference", "fewest"]].isna().all().all()
    assert shown.loc[("post_persons", "entered"), "value"] == 15


def test_no_definition_is_counted_before_the_figure_is_published(home):
    posts = {"post": make_posts({}, {})}
    early, late = (compare_definitions(make_totals(), posts, year) for year in (2023, 2024))
    assert early.empty and set(early) == set(late)
    publish_table(
        early, "agreement_definitions", home, 2023,
        key=["item", "definition"], counts=["fewest"],
    )  # fmt: skip


@pytest.fixture
def home(tmp_path):
    from made_up_findings import make_folders

    return make_folders(tmp_path)
