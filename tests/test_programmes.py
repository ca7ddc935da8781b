"""Rules of the programmes: broken ones are flagged with rule and source, and the row counts."""

from pathlib import Path

import pandas as pd
import pytest

from evaluation.ledgers.clean import check_folder
from evaluation.ledgers.programmes import load_rules

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
# A man born in 1980 and a woman born in 1964.
HE, SHE = "519999198002030015", "519999196402030023"
LOAN = "借款人,身份证,申请日期,资格审核结果,金额（万元）,放款日,到期日,是否展期,合同号,第几次"
SUBSIDY = "姓名,身份证号,统一社会信用代码,登记日期,申请日期,审核结果,金额（元）,拨付日期"
POST = "姓名,身份证,上岗日期,协议起,协议止,补贴金额（元）,退岗日期"
REGISTER = (
    "姓名,身份证号码,就业形式,统一社会信用代码,开始日期,终止日期,登记日期,注销日期\n"
    f"王强,{HE},自主创业,91350100M000100Y43,2020-01-01,2022-06-30,2020-01-01,2022-06-30"
)
ROSTER = (
    "姓名,身份证号码,户籍乡镇,是否脱贫户,现就业状态,采集日期\n"
    f"王强,{HE},东城街道,否,创业,2023-12-20\n李芳,{SHE},东城街道,否,务农,2023-12-20"
)


@pytest.fixture
def flags(tmp_path):
    """A function: kinds by row that checking one policy ledger of some rows gives."""

    def check(*lines, year="2023"):
        for name, text in {"a": ROSTER, "b": REGISTER, "c": "\n".join(lines)}.items():
            path = tmp_path / year / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        cleaned = check_folder(tmp_path, REFERENCE)
        issues = cleaned.issues[cleaned.issues["file"] == f"{year}/c.csv"]
        account = cleaned.accounting.set_index("file").loc[f"{year}/c.csv"]
        assert account["rows_kept"] == account["rows_read"] == len(lines) - 1
        assert (issues["state"] == "flagged").all()
        check.reasons = issues["reason"].tolist()
        return list(zip(issues["row"], issues["column"], issues["kind"], strict=True))

    return check


def test_each_rule_says_its_value_days_source_and_who_verified_it():
    rules = load_rules(REFERENCE)
    caps = rules["loan", "principal_max"]
    assert [rule.value for rule in caps] == [150_000, 200_000, 300_000]
    days = pd.to_datetime(["2019-12-31", "2020-01-01", None])
    assert caps[0].covers(days).tolist() == [True, False, False]
    assert caps[0].words == (
        "150000元/人，2018-01-01起至2019-12-31；来源：个人创业担保贷款最高额度（转述）；未经核实"
    )


def test_a_loan_is_held_against_the_cap_of_its_own_day(flags):
    found = flags(
        LOAN,
        f"王强,{HE},2023-08-01,通过,25,2023-09-30,2025-09-30,否,A,1",
        f"李芳,{SHE},2023-09-01,通过,25,2023-10-01,2025-10-01,否,B,1",
        f"李芳,{SHE},2019-09-01,通过,15,2019-10-01,2021-10-01,否,C,1",
    )
    assert found == [(2, "金额（万元）", "rule_loan_cap")]
    assert flags.reasons[0].startswith("贷款金额高于放款当日的上限（200000元/人，2020-01-01起")
    assert flags.reasons[0].endswith("未经核实）")


def test_a_loan_runs_three_years_unless_it_was_extended(flags):
    found = flags(
        LOAN,
        f"王强,{HE},2020-01-01,通过,5,2020-02-01,2023-04-01,否,A,1",
        f"李芳,{SHE},2020-01-01,通过,5,2020-02-01,2023-04-01,是,B,1",
        f"李芳,{SHE},2019-01-01,通过,5,2019-02-01,2022-02,否,C,1",
    )
    assert found == [(2, "到期日", "rule_loan_years")]


def test_the_fourth_loan_since_2023_is_one_too_many(flags):
    rows = [
        f"王强,{HE},20{year}-01-01,通过,5,20{year}-02-01,,否,{year},"
        for year in (19, 20, 22, 24)
    ]
    found = flags(LOAN, *rows, f"李芳,{SHE},2024-01-01,通过,5,2024-02-01,,否,X,4", year="2024")
    assert found == [(5, "放款日", "rule_loan_times"), (6, "放款日", "rule_loan_times")]


def test_a_subsidy_is_ten_thousand_yuan_and_once(flags):
    found = flags(
        SUBSIDY,
        f"王强,{HE},,2020-01-01,2021-02-01,通过,10000,2021-05-01",
        f"王强,{HE},,2020-01-01,2021-02-20,通过,10000,2021-05-01",
        f"王强,{HE},,2020-01-01,2022-02-01,通过,8000,2022-05-01",
        f"李芳,{SHE},,2020-01-01,2021-02-01,不通过,,",
        f"李芳,{SHE},,2020-01-01,2022-02-01,通过,10000,2022-05-01",
    )
    assert found == [
        (4, "申请日期", "rule_second_subsidy"),
        (4, "金额（元）", "rule_subsidy_amount"),
    ]


def test_a_subsidy_is_paid_after_registration_and_applied_for_before_closing(flags):
    found = flags(
        SUBSIDY,
        f"王强,{HE},91350100M000100Y43,2021-05-02,2021-02-01,通过,10000,2021-05-01",
        f"李芳,{SHE},91350100M000100Y43,2020-01-01,2022-07-01,通过,10000,2022-09-01",
    )
    assert found == [
        (2, "拨付日期", "rule_paid_before_registration"),
        (3, "申请日期", "rule_applied_after_closing"),
    ]


def test_a_post_lasts_three_years_unless_retirement_is_near(flags):
    damaged = "5.19999E+17"
    found = flags(
        POST,
        f"王强,{HE},2019-03-01,2019-03-01,2023-03-01,900,2022-03-31",
        f"李芳,{SHE},2019-03-01,2019-03-01,2023-03-01,900,2023-03-01",
        f"赵云,{damaged},2019-03-01,2019-03-01,2023-03-01,900,2023-03-01",
    )
    assert [flag for flag in found if flag[2] != "number_damaged"] == [
        (2, "协议止", "rule_post_years")
    ]


def test_the_third_placement_is_one_too_many(flags):
    rows = [f"王强,{HE},20{year}-03-01,,,900,20{year}-08-31" for year in (19, 20, 21)]
    assert flags(POST, *rows) == [(4, "上岗日期", "rule_third_post")]
