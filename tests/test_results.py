"""What an edition published, read by its ids."""

import made_up_findings as made_up
import pandas as pd

from evaluation.findings.quotes import write_number
from evaluation.findings.results import collect_results, load_findings

NAN = float("nan")


def test_a_number_missing_in_one_table_is_not_replaced_by_another_tables_number():
    """The interval of the effect was not computed; that of the cost is no effect."""
    row = {"result_id": "a", "table": "estimates", "estimate": 0.13, "conf_low": NAN}
    cost = {"result_id": "a", "table": "value", "conf_low": 49_000.0, "cost_per_job": 78_000.0}
    tables = {"value": pd.DataFrame([cost]), "estimates_loan": pd.DataFrame([row])}
    found = collect_results(tables)["a"]
    assert "conf_low" not in found and "estimates.conf_low" not in found
    assert found["value.conf_low"] == 49_000 and found["cost_per_job"] == 78_000


def test_what_is_missing_reads_withheld_only_where_its_own_table_withheld_it(tmp_path):
    findings = load_findings(made_up.make_folders(tmp_path), made_up.YEAR)
    row = {"result_id": "a", "table": "estimates", "conf_low": NAN, "suppressed": None}
    cost = {"result_id": "a", "table": "value", "cost_per_job": NAN, "suppressed": "n"}
    tables = {"value": pd.DataFrame([cost]), "estimates_loan": pd.DataFrame([row])}
    findings.results.update(collect_results(tables))
    assert write_number(findings, "a", "value.cost_per_job", "wan") == "〔略〕"
    assert write_number(findings, "a", "conf_low", "people") == "—"
