"""How a column is declared: its kind, with type, unit and rule, and its meaning."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Type:
    """A kind of column: type in the tables, name, unit and rule in Chinese and English."""

    dtype: str
    name: tuple[str, str]
    unit: tuple[str, str] = ("", "")
    rule: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Column:
    """One column of a table, or of a ledger as typed.

    Attributes
    ----------
    kind
        One of `TYPES`.
    zh, en
        Meaning.
    rule
        What a researcher could dispute, in Chinese and English.
    made_from
        What it is made from, where that is not the typed column of the same name.
    values
        Codes with their meaning; or the column of ``words.csv`` that lists them, where it
        is not the one of the same name.
    unit
        Unit, where the kind does not say it.
    """

    kind: str
    zh: str
    en: str
    rule: tuple[str, str] = ("", "")
    made_from: tuple[str, ...] = ()
    values: str | tuple[tuple[str, str, str], ...] = ()
    unit: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Table:
    """A table: title, what a row is, key, and columns in their order."""

    path: str
    title: tuple[str, str]
    grain: tuple[str, str]
    key: tuple[str, ...]
    columns: dict[str, Column]


TYPES = {
    "date": Type("datetime64[us]", ("日期", "date"), rule=(
        "只写到月或年的，取第一天", "a month or a year typed alone is its first day")),
    "last_date": Type("datetime64[us]", ("截止日期", "end date"), rule=(
        "只写到月或年的，取最后一天；“至今”“长期”为空",
        "a month or a year typed alone is its last day; 至今 (still) is missing")),
    "amount": Type("float64", ("金额", "amount"), ("元", "yuan"), (
        "单位取自表头或表格上方，从不由数字大小推断；单元格自带单位的，以单元格为准",
        "the unit is that of the heading or above the table, never guessed from the size; "
        "a unit in the cell itself comes first")),
    "number": Type("float64", ("数", "number")),
    "count": Type("Int16", ("个数", "count")),
    "level": Type("Int8", ("等级、次数", "level")),
    "year": Type("Int16", ("年份", "year"), ("年", "year")),
    "month": Type("int32", ("月份", "month"), ("年×12＋月−1", "year × 12 + month − 1")),
    "flag": Type("Int8", ("是否", "0/1"), rule=(
        "空白为不详，不等于“否”", "blank is unknown, not no")),
    "row": Type("int64", ("整数", "integer")),
    "word": Type("str", ("选项", "code")),
    "text": Type("str", ("文字", "text")),
    "key": Type("str", ("加密键", "keyed hash"), rule=(
        "没有密钥不能还原", "cannot be inverted without the key")),
    "code": Type("str", ("区划代码", "place code")),
}  # fmt: skip
