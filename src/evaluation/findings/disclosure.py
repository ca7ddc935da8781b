"""Disclosure control: what may leave ``data/``, and which rule each table falls under.

Rules and their defaults stand in the plan under ``[disclosure]``.
"""

import pandas as pd

from evaluation.errors import DisclosureError
from evaluation.findings.dominance import summarise_amounts as summarise_amounts
from evaluation.findings.dominance import suppress_amounts
from evaluation.findings.levels import round_shares as round_shares
from evaluation.findings.levels import suppress_balance, suppress_months, suppress_paths
from evaluation.findings.levels import suppress_means as suppress_means
from evaluation.findings.models import suppress_estimates
from evaluation.findings.scan import refuse_disclosure as refuse_disclosure
from evaluation.findings.suppression import NO_PERSONS, find_numbers, suppress_counts

# Tables that are known by their columns, and controlled by a rule of their own.
_SHAPES = {
    ("event_time", "group", "share", "n"): suppress_paths,
    ("month", "treated_open", "n_treated"): suppress_months,
    ("covariate", "mean_treated", "n_treated"): suppress_balance,
    ("result_id", "n_treated", "n_obs"): suppress_estimates,
    ("result_id", "n_treated", "n_comparison"): suppress_estimates,
}
_AMOUNTS = {"cost", "amount", "yuan", "principal", "expenditure"}
_ENDS = {"min", "max", "minimum", "maximum", "smallest", "largest"}


def control_table(
    frame: pd.DataFrame,
    name: str,
    rules: dict,
    *,
    key: list[str],
    counts: list[str] = (),
    by: list[str] = (),
    rates: dict | None = None,
    amounts: dict | None = None,
    **more,
) -> pd.DataFrame:
    """Apply the rules that a table falls under; refuse what none of them covers.

    Parameters
    ----------
    name
        Of the table, for messages.
    key, counts, by, rates
        As in `tables.publish_table`.
    amounts
        Column of a mean amount to (amount of each person, columns in proportion to it).
    more
        ``part_of`` and ``recalled`` of `suppress_counts`.

    Raises
    ------
    DisclosureError
        If a column counts persons, is an amount or an extreme value, and nobody says how
        it is to be controlled; or if no choice of cells protects the small ones.
    """
    amounts = amounts or {}
    rule = next((rule for shape, rule in _SHAPES.items() if {*shape} <= {*frame}), None)
    scaled = {column for _, also in amounts.values() for column in also}
    _refuse_undeclared(frame, name, {*counts, *amounts, *scaled}, rule is not None)
    try:
        if rule is not None:
            frame = rule(frame, rules)
        elif counts:
            frame = suppress_counts(
                frame, list(counts), list(by), rules, rates, [*key, *amounts, *scaled], **more
            )
        for column, (own, also) in amounts.items():
            frame = suppress_amounts(frame, column, own, key, rules, also)
    except DisclosureError as problem:
        raise DisclosureError(f"表 {name} 不能公布：{problem}") from None
    return frame


def _refuse_undeclared(frame, name, declared, has_rule):
    """Stop at a column that the caller forgot."""
    numbers = [c for c in find_numbers(frame) if c not in declared]
    words = {column: set(column.split("_")) for column in numbers}
    amounts = [column for column, parts in words.items() if parts & _AMOUNTS]
    persons = [c for c in numbers if c == "n" or (c.startswith("n_") and c not in NO_PERSONS)]
    ends = [column for column, parts in words.items() if parts & _ENDS]
    for columns, what in (
        (amounts, "像是金额：请用 amounts 给出每个人的金额，以便检查是否由一两个人构成"),
        ([] if has_rule else persons, "像是人数：请列入 counts"),
        (ends, "像是最大或最小值：那是某一个人的数，不能公布"),
    ):
        if columns:
            raise DisclosureError(f"表 {name} 不能公布：列 {'、'.join(columns)} {what}。")
