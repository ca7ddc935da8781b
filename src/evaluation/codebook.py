"""The codebook: every column of the clean tables and of the panel, from its declaration."""

import json
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from evaluation.errors import EvaluationError
from evaluation.files import write_whole
from evaluation.ledgers import clean_tables
from evaluation.ledgers.column_types import TYPES, Column, Table
from evaluation.ledgers.counts import STATES
from evaluation.ledgers.declarations import CLEAN, SOURCE, TYPED
from evaluation.ledgers.headings import LEDGERS
from evaluation.ledgers.kinds import KINDS
from evaluation.ledgers.usual import load_headings, load_words
from evaluation.panel import declarations as panel

_LANGUAGES = {"zh": 0, "en": 1}
_COMMA = ("、", ", ")
_FIELDS = {
    "type": ("类型", "Type"),
    "meaning": ("含义", "Meaning"),
    "unit": ("单位", "Unit"),
    "values": ("取值", "Values"),
    "source": ("来源", "Made from"),
    "rule": ("可以争论的规则", "Rule open to dispute"),
}
_INTRO = (
    "由 `evaluation codebook docs/codebook.md` 写出，请勿手改：含义和规则取自程序自己的声明，"
    "取值取自 `data/reference/words.csv`，台账表头取自 `columns.csv`。空白一律是“不详”。"
    "这些表在 `data/` 之下，含个人数据，从不公布。[English](#codebook)",
    "Written by `evaluation codebook docs/codebook.md`, not by hand: meanings and rules are "
    "the program's own declarations, values come from `data/reference/words.csv`, headings of "
    "ledgers from `columns.csv`. Blank always means unknown. These tables stand under "
    "`data/`, hold persons and are never published.",
)
_OF_LEDGERS = [clean_tables.TABLES[ledger].path for ledger in LEDGERS]
# Types of the Table Schema of the Data Package standard.
_SCHEMA_TYPES = {"datetime64[us]": "date", "float64": "number", "str": "string"}


def list_tables() -> list[Table]:
    """List the tables of persons that `1_ledgers`, `2_panel` and `4_effect` write."""
    return [*clean_tables.TABLES.values(), *panel.TABLES.values()]


def describe_columns(reference: Path) -> pd.DataFrame:
    """Describe every column of every table in Chinese and English.

    Parameters
    ----------
    reference
        The folder ``data/reference``: values and headings come from its tables.

    Returns
    -------
    pandas.DataFrame
        Key ``table, column``. ``table`` is a path below ``data/``; ``key`` 1 where the
        column belongs to the key; ``type``, ``meaning``, ``unit``, ``values``, ``source``,
        ``rule``, ``shared_rule`` (of all columns of the type), each with ``_zh`` and ``_en``.
    """
    headings, lists = load_headings(reference)["heading"], load_lists(reference)
    rows = []
    for table in list_tables():
        for name, column in table.columns.items():
            row = {"table": table.path, "column": name, "key": int(name in table.key)}
            kind, values = TYPES[column.kind], find_values(name, column, lists)
            for language, at in _LANGUAGES.items():
                texts = (
                    kind.name[at],
                    (column.zh, column.en)[at],
                    column.unit[at] or kind.unit[at],
                    ("；", "; ")[at].join(_say_value(value, at) for value in values),
                    _COMMA[at].join(_find_sources(name, column, table, headings)),
                    column.rule[at],
                )
                row |= {f"{f}_{language}": t for f, t in zip(_FIELDS, texts, strict=True)}
                row[f"shared_rule_{language}"] = kind.rule[at]
            rows.append(row)
    return pd.DataFrame(rows)


def load_lists(reference: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Value, Chinese and English name of each closed list, by the name of the list."""
    tables = clean_tables.TABLES
    ledgers = [(name, zh, tables[name].title[1]) for name, zh in LEDGERS.items()]
    states = [(state, zh, state) for state, zh in STATES.items()]
    return load_words(reference) | {"ledger": ledgers, "state": states}


def find_values(name: str, column: Column, lists: dict) -> list[tuple[str, str, str]]:
    """Find the values that a column can take; none where it is not a closed list."""
    if column.values and not isinstance(column.values, str):
        return list(column.values)
    return lists.get(column.values or name, lists["flag"] if column.kind == "flag" else [])


def _say_value(value, at):
    code, *names = value
    return f"`{code}`" if names[at] == code else f"`{code}` {names[at]}"


def _find_sources(name, column, table, headings):
    ledger = Path(table.path).stem
    typed = headings[ledger] if table.path in _OF_LEDGERS else {}
    sources = column.made_from or (name,)
    return [f"`{s}`" if "." in s else typed[s] for s in sources if "." in s or s in typed]


def render_codebook(reference: Path) -> str:
    """Render the codebook as Markdown, first in Chinese, then in English."""
    columns = describe_columns(reference)
    headings = load_headings(reference)["heading"]
    lines = [*_render_language(columns, headings, 0)]
    lines += ["## 问题的种类", ""]
    lines += _lay_out(
        ("`kind`", "处理", "原因", "怎样改"),
        [(f"`{n}`", STATES[kind.state], kind.reason, kind.advice) for n, kind in KINDS.items()],
    )
    return "\n".join([*lines, "---", "", *_render_language(columns, headings, 1)])


def _render_language(columns, headings, at) -> Iterator[str]:
    language = [*_LANGUAGES][at]
    yield from (f"# {('编码手册', 'Codebook')[at]}", "", _INTRO[at], "")
    yield from (("## 类型", "## Types")[at], "")
    titles = (
        ("类型", "台账表中存为", "单位", "共同的规则"),
        ("Type", "Stored in tables of ledgers as", "Unit", "Rule for all"),
    )
    kinds = [(t.name[at], f"`{t.dtype}`", t.unit[at], t.rule[at]) for t in TYPES.values()]
    yield from _lay_out(titles[at], kinds)
    titles = [("列", "Column")[at], *(title[at] for title in _FIELDS.values())]

    def lay_out(rows):
        cells = rows[[f"{field}_{language}" for field in _FIELDS]].to_numpy().tolist()
        names = [f"`{name}`" for name in rows["column"]]
        return _lay_out(titles, [(n, *texts) for n, texts in zip(names, cells, strict=True)])

    shared = columns["column"].isin([*SOURCE]) & columns["table"].isin(_OF_LEDGERS)
    yield from (("## 五张台账表共有的列", "## Columns of all five ledgers")[at], "")
    yield from lay_out(columns[shared].drop_duplicates("column"))
    for table in list_tables():
        key = _COMMA[at].join(f"`{name}`" for name in table.key)
        grain = ("{}。主键：{}。", "{}; key: {}.")[at].format(table.grain[at], key)
        grain = grain[0].upper() + grain[1:]
        yield from (f"## {table.title[at]}", "", f"`data/{table.path}`", "", grain, "")
        yield from lay_out(columns[(columns["table"] == table.path) & ~shared])
    yield from (("## 不留原文的列", "## Typed columns of which no text stays")[at], "")
    titles = ("台账中的表头", "含义", "变成"), ("Heading", "Meaning", "Becomes")
    yield from _lay_out(titles[at], list(_trace_typed(headings, at)))


def _trace_typed(headings, at):
    """What becomes of the columns that no clean table keeps as they were typed."""
    for name, column in TYPED.items():
        usual = dict.fromkeys(headings.xs(name, level="column"))
        made = {
            f"`{made}`": None
            for ledger in headings.xs(name, level="column").index
            for made, declared in (SOURCE | CLEAN[ledger]).items()
            if name in (declared.made_from or (made,))
        }
        becomes = _COMMA[at].join(made) or ("不保留", "not kept")[at]
        yield _COMMA[at].join(usual), (column.zh, column.en)[at], becomes


def _lay_out(titles, rows):
    lines = [titles, ["---"] * len(titles), *rows]
    return ["| " + " | ".join(cells) + " |" for cells in lines] + [""]


def render_schemas(reference: Path) -> str:
    """Render the tables as schemas of the Data Package standard (Table Schema), in JSON."""
    lists, resources = load_lists(reference), []
    for table in list_tables():
        fields = []
        for name, column in table.columns.items():
            kind = _SCHEMA_TYPES.get(TYPES[column.kind].dtype, "integer")
            field = {"name": name, "type": kind, "title": column.zh, "description": column.en}
            values = find_values(name, column, lists)
            if values:
                codes = [int(code) if kind == "integer" else code for code, _, _ in values]
                field["constraints"] = {"enum": codes}
            fields.append(field)
        schema = {"fields": fields, "primaryKey": list(table.key)}
        name = table.path.removesuffix(".parquet").replace("/<year>", "").replace("/", "-")
        names = {"name": name.replace("_<policy>", ""), "path": table.path}
        resources.append(names | {"title": table.title[0], "schema": schema})
    return json.dumps({"resources": resources}, ensure_ascii=False, indent=1)


def write_codebook(reference: Path, path: Path) -> Path:
    """Write the codebook as Markdown, csv or Table Schema, by the ending of the file.

    Raises
    ------
    EvaluationError
        If the ending is another.
    TableError
        If the file is open in another program.
    """
    if path.suffix == ".csv":
        text = "\ufeff" + describe_columns(reference).to_csv(index=False, lineterminator="\r\n")
    elif path.suffix == ".json":
        text = render_schemas(reference)
    elif path.suffix == ".md":
        text = render_codebook(reference)
    else:
        raise EvaluationError(f"{path.name}：编码手册只写成 .md、.csv 或 .json。")
    return write_whole(path, lambda draft: draft.write_bytes(text.encode("utf-8")))
