"""Ways to count a ledger for a published total: what could have been meant by it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

TEN_THOUSAND = 10_000
WAYS = ["definition", "counted_to", "value", "unit", "label_zh", "label_en", "fewest"]
DAYS = {"": ("年底", "the year's end"), "_as_of": ("公布之日", "the day of publication")}


def number_people(rows: pd.DataFrame) -> np.ndarray:
    """Number the persons of rows: by resident number, else by name and phone, else each row."""
    person, name = rows["person_id"], rows["name_key"]
    codes = pd.factorize(person)[0]
    loose = (codes < 0) & name.notna().to_numpy()
    if loose.any():
        named = rows.loc[loose, ["name_key", "phone_key"]]
        codes[loose] = len(rows) + named.groupby([*named], dropna=False, sort=False).ngroup()
    unknown = codes < 0
    codes[unknown] = 2 * len(rows) + np.arange(unknown.sum())
    return codes


def count_people(rows: pd.DataFrame) -> int:
    """Count persons among rows, as `number_people` tells them apart."""
    return len(np.unique(number_people(rows)))


@dataclass(frozen=True)
class Definition:
    """One way to count a ledger.

    Attributes
    ----------
    chosen
        Ledger and day to a mask of the rows that count.
    of
        What of them: ``rows``, ``persons``, or the column of an amount in yuan.
    unit
        Amounts are given in 万元.
    label_zh, label_en
        With ``{day}`` where the count ends.
    """

    chosen: Callable[[pd.DataFrame, pd.Timestamp], pd.Series]
    of: str
    unit: str
    label_zh: str
    label_en: str


def _paid(rows, day):
    return rows["result"].eq("approved") & (rows["paid_on"] <= day)


def _passed(rows, day):
    known = rows["checked_on"].fillna(rows["applied_on"])
    return rows["result"].eq("approved") & (known <= day)


def _applied(rows, day):
    return rows["applied_on"] <= day


def _passed_loan(rows, day):
    return rows["result"].eq("approved") & (rows["applied_on"].fillna(rows["paid_out"]) <= day)


def _lent(rows, day):
    return rows["paid_out"] <= day


def _lent_this_year(rows, day):
    return _lent(rows, day) & (rows["paid_out"] >= pd.Timestamp(day.year, 1, 1))


def _outstanding(rows, day):
    return _lent(rows, day) & ~(rows["settled_on"] <= day)


def _ever(rows, day):
    return rows["started_on"] <= day


def _filled(rows, day):
    return _ever(rows, day) & ~(rows["ended_on"] < pd.Timestamp(day.year, 1, 1))


def _on_day(rows, day):
    return _ever(rows, day) & ~(rows["ended_on"] < day)


def _entered(rows, day):
    return _ever(rows, day) & (rows["started_on"] >= pd.Timestamp(day.year, 1, 1))


_POST = {
    "filled": Definition(
        _filled, "rows", "个", "当年至{day}曾有人在岗", "filled at some time up to {day}"
    ),
    "on_day": Definition(_on_day, "rows", "个", "{day}在岗", "filled on {day}"),
    "entered": Definition(
        _entered, "rows", "个", "当年至{day}新上岗", "entries of the year up to {day}"
    ),
    "persons": Definition(
        _filled, "persons", "人", "当年至{day}曾在岗的人", "persons in a post up to {day}"
    ),
    "persons_ever": Definition(
        _ever, "persons", "人", "历年至{day}上过岗的人", "persons ever in a post by {day}"
    ),
    "placements": Definition(
        _ever, "rows", "人次", "历年至{day}上岗人次", "placements ever by {day}"
    ),
}
# By computation of totals.csv; the first is the one that totals.csv states.
DEFINITIONS: dict[str, dict[str, Definition]] = {
    "subsidy_amount": {
        "paid": Definition(_paid, "amount", "万元", "至{day}已拨付", "paid by {day}"),
        "approved": Definition(
            _passed, "amount", "万元", "至{day}审核通过", "approved by {day}"
        ),
    },
    "subsidy_awards": {
        "paid": Definition(_paid, "rows", "笔", "至{day}已拨付", "paid by {day}"),
        "approved": Definition(_passed, "rows", "笔", "至{day}审核通过", "approved by {day}"),
        "applied": Definition(_applied, "rows", "笔", "至{day}申请", "applied by {day}"),
        "persons": Definition(
            _paid, "persons", "人", "至{day}领到补贴的人", "persons paid by {day}"
        ),
    },
    "loan_amount": {
        "paid_out": Definition(
            _lent, "principal", "万元", "历年至{day}放款本金", "principal paid out by {day}"
        ),
        "this_year": Definition(
            _lent_this_year, "principal", "万元", "当年至{day}放款本金",
            "principal paid out in the year up to {day}",
        ),
        "outstanding": Definition(
            _outstanding, "principal", "万元", "{day}尚未结清的贷款的本金",
            "principal of loans not settled on {day}",
        ),
    },
    "loan_persons": {
        "persons": Definition(
            _lent, "persons", "人", "历年至{day}借到款的人", "persons with a loan by {day}"
        ),
        "contracts": Definition(
            _lent, "rows", "笔", "历年至{day}放款笔数", "contracts paid out by {day}"
        ),
        "approved": Definition(
            _passed_loan, "rows", "笔", "至{day}资格审核通过", "applications approved by {day}"
        ),
        "outstanding": Definition(
            _outstanding, "persons", "人", "{day}尚未结清的人", "persons not settled on {day}"
        ),
    },
    "post_filled": _POST,
    "post_filled_rural": _POST,
    "post_filled_urban": _POST,
}  # fmt: skip
_RURAL = {"post_filled_rural": 1, "post_filled_urban": 0}


def choose_rows(
    computation: str, name: str, rows: pd.DataFrame, day: pd.Timestamp
) -> np.ndarray:
    """Mark the rows that a definition counts up to a day.

    Parameters
    ----------
    computation, name
        Keys of `DEFINITIONS`.
    rows
        Latest versions of a ledger's rows.
    """
    chosen = DEFINITIONS[computation][name].chosen(rows, day)
    if computation in _RURAL:
        chosen &= (rows["rural"] == _RURAL[computation]).fillna(False)
    return chosen.fillna(False).to_numpy(dtype=bool)


def choose_stated(computation: str, rows: pd.DataFrame, day: pd.Timestamp) -> np.ndarray:
    """Mark the rows that count by the definition that ``totals.csv`` states."""
    return choose_rows(computation, next(iter(DEFINITIONS[computation])), rows, day)


def count_undecided(computation: str, rows: pd.DataFrame, day: pd.Timestamp) -> int:
    """Count rows that would belong to the total but for a blank cell: rural or urban."""
    if computation not in _RURAL:
        return 0
    filled = choose_stated("post_filled", rows, day)
    return int((filled & rows["rural"].isna().to_numpy()).sum())


def count_late(computation: str, rows, then, day: pd.Timestamp) -> int:
    """Count by how many rows a total has grown or shrunk since it was published.

    Of a part (rural or urban) the smaller count of the two: either tells of the other.

    Parameters
    ----------
    rows, then
        Latest versions of the ledger's rows, now and as known then.
    """
    parts = tuple(_RURAL) if computation in _RURAL else (computation,)
    counts = [
        abs(
            int(choose_stated(part, rows, day).sum())
            - int(choose_stated(part, then, day).sum())
        )
        for part in parts
    ]
    return min((count for count in counts if count), default=0)


def count_without_amount(computation: str, rows: pd.DataFrame, day: pd.Timestamp) -> int:
    """Count rows that belong to an amount but have none that could be read."""
    of = next(iter(DEFINITIONS[computation].values())).of
    if of in ("rows", "persons"):
        return 0
    return int(rows.loc[choose_stated(computation, rows, day), of].isna().sum())


def count_each_way(
    computation: str, rows: pd.DataFrame, days: dict[str, pd.Timestamp]
) -> pd.DataFrame:
    """Count one total in every way that could have been meant.

    Parameters
    ----------
    computation
        Key of `DEFINITIONS`.
    rows
        Latest versions of the ledger's rows, unlinked ones included.
    days
        By suffix of `DAYS`, the day up to which is counted.

    Returns
    -------
    pandas.DataFrame
        Key ``definition``, the ledger's own first: ``counted_to``, ``value`` (amounts in
        10,000 yuan), ``unit``, labels, ``fewest`` (the smallest number of persons or rows
        that it tells of, by itself or beside another definition of the same total: what
        disclosure control decides by; 0 where it tells of nobody).
    """
    people, found, own, first = number_people(rows), [], None, {}
    for name, definition in DEFINITIONS[computation].items():
        for suffix, day in days.items():
            mask = choose_rows(computation, name, rows, day)
            n = len(np.unique(people[mask]))
            value = n if definition.of == "persons" else int(mask.sum())
            if definition.of not in ("persons", "rows"):
                value = round(float(rows.loc[mask, definition.of].sum()) / TEN_THOUSAND, 6)
            own = mask if own is None else own
            told = [n, int((mask ^ own).sum())]
            # Rows beside persons tell how many stand there twice.
            if first.setdefault((definition.chosen, suffix), definition.of) != definition.of:
                told.append(int(mask.sum()) - n)
            found.append(
                {
                    "definition": name + suffix,
                    "counted_to": f"{day:%Y-%m-%d}",
                    "value": value,
                    "unit": definition.unit,
                    "label_zh": definition.label_zh.format(day=DAYS[suffix][0]),
                    "label_en": definition.label_en.format(day=DAYS[suffix][1]),
                    "fewest": min((count for count in told if count), default=0),
                }
            )
    return pd.DataFrame(found)
