"""Dates, amounts, places and words typed wrong; and some that only look wrong."""

import datetime

import numpy as np
import pandas as pd

from evaluation.demo.ledgers import MERGER_YEAR, is_official, unit_of

_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_CHINESE = str.maketrans("0123456789", "〇一二三四五六七八九")
# Day that is typed wrong or in another form: none of them is the row's key date.
DATES = {"roster": "left_on", "register": "registered_on", "subsidy": "checked_on",
          "loan": "due", "post": "recognised_on"}  # fmt: skip
KEY_DATES = {"roster": "snapshot_on", "register": "start", "loan": "applied_on"}
_ENDS = {"register": "end", "loan": "due", "post": "ended_on"}
_MONEY = {"subsidy": "amount", "loan": "interest_subsidy", "post": "amount"}
# Cells that nothing is computed from: an unreadable one costs no total and no estimate.
_FIGURES = {"register": "monthly_wage", "subsidy": "jobs_claimed", "loan": "interest_subsidy",
            "post": "insurance"}  # fmt: skip


def leave_out(*columns):
    return lambda row, *_: dict.fromkeys(columns)


def break_date(column):
    """No such day or month, no year in front, or the day first."""

    def change(row, true, desk):
        name = column.get(desk.ledger)
        if pd.isna(true.get(name)):
            return None
        day = true[name]
        forms = (f"{day:%Y}年13月", f"{day:%Y}.2.30", f"{day:%y}.{day.month}.{day.day}",
                 f"{day.day}/{day.month}/{day.year}")  # fmt: skip
        return {name: forms[row["person"] % 4]}

    return change


def is_dated(column):
    def suits(rows, desk):
        return rows[column[desk.ledger]].notna().to_numpy()

    return suits


def write_date_otherwise(row, true, desk):
    """The same day in another written form: nothing is wrong with it."""
    name = DATES[desk.ledger]
    if pd.isna(true.get(name)):
        return None
    day = true[name]
    year, serial = f"{day:%Y}", (day - pd.Timestamp(1899, 12, 30)).days
    forms = (
        f"{year.translate(_CHINESE)}年{_spell(day.month)}月{_spell(day.day)}日",
        f"{year}年{day.month}月{day.day}号", f"{day:%Y-%m-%d} 00:00:00", f"'{day:%Y/%m/%d}",
        f"{day:%Y.%m.%d}".translate(_FULL_WIDTH), f"{year} 年 {day.month} 月 {day.day} 日",
        float(serial) if 36526 <= serial <= 55153 else f"{day:%Y%m%d}",
    )  # fmt: skip
    return {name: forms[row["person"] % len(forms)]}


def _spell(number):
    tens, ones = divmod(number, 10)
    text = (
        ("" if tens < 2 else str(tens)) + ("十" if tens else "") + (str(ones) if ones else "")
    )
    return text.translate(_CHINESE)


def forget_decade(row, true, desk):
    """A key date twenty years too late, as when 2016 is typed 2036."""
    name = KEY_DATES[desk.ledger]
    day = true[name]
    return {name: f"{day.year + 20}-{day.month:02d}-{min(day.day, 28):02d}"}


def stays_open(rows, desk):
    """Rows that no total counts: spells without an end, refused applications."""
    column = {"register": "end", "loan": "paid_out"}.get(desk.ledger)
    return rows[column].isna().to_numpy() if column else np.ones(len(rows), dtype=bool)


def swap_dates(row, true, desk):
    """An end before its beginning."""
    first = {"register": "start", "loan": "paid_out", "post": "started_on"}[desk.ledger]
    name = _ENDS[desk.ledger]
    if pd.isna(true[name]) or pd.isna(true[first]):
        return None
    return {name: f"{true[first] - datetime.timedelta(days=20):%Y-%m-%d}"}


def has_ended(rows, desk):
    """Rows with an end; of the posts those that the last year's total does not count."""
    ends = rows[_ENDS[desk.ledger]]
    early = ends < pd.Timestamp(desk.year, 1, 1) if desk.ledger == "post" else ends.notna()
    return early.to_numpy()


def add_commas(row, _, desk):
    column = _MONEY[desk.ledger]
    enough = isinstance(row[column], int | float) and row[column] >= 1000
    return {column: f"{row[column]:,.2f}"} if enough else None


def has_thousands(rows, desk):
    column = {"post": "pay"}.get(desk.ledger, _MONEY[desk.ledger])
    return (rows[column] >= 1000).to_numpy(dtype=bool)


def has_award(rows, desk):
    column = "principal" if desk.ledger == "loan" else "amount"
    return rows[column].notna().to_numpy()


def state_unit(row, true, desk):
    """A unit in the cell that is not the column's."""
    if desk.ledger == "loan":
        paid = pd.notna(true["principal"])
        return {"amount": f"{true['principal']:.0f}元"} if paid else None
    if pd.isna(true["amount"]):
        return None
    return {"amount": "1万元" if unit_of("subsidy", desk.year) == "元" else "壹万圆整"}


def spell_amount(row, true, desk):
    """The same amount in capital numerals and in the column's unit: nothing is wrong."""
    plain = unit_of("subsidy", desk.year) == "元" and true["amount"] == 10_000
    return {"amount": "壹万圆整" if row["person"] % 2 else "１００００"} if plain else None


def mix_units(row, true, desk):
    """What was asked for, in the other unit, beside a refusal."""
    if desk.amounts < 3 or true["result"] == "approved":
        return None
    if desk.ledger == "loan":
        return {"amount": 200_000}
    return {"amount": 1 if unit_of("subsidy", desk.year) == "元" else 10_000}


def was_refused(rows, _):
    return rows["result"].eq("refused").to_numpy(dtype=bool)


def write_words(row, _, desk):
    column = _FIGURES[desk.ledger]
    words = ("见附表", "面议", "约一千左右")
    return {column: words[row["person"] % 3]} if pd.notna(row[column]) else None


def has_figure(rows, desk):
    return rows[_FIGURES[desk.ledger]].notna().to_numpy()


def name_place(wrong):
    """Another name for the township: in its column, or inside the address."""

    def change(row, _, desk):
        person = row["person"]
        cells = wrong({name: cells[person] for name, cells in desk.papers.items()}, desk)
        if cells is None or desk.ledger != "subsidy":
            return cells
        own = desk.papers["township"][person]
        before, _, village = row["address"].partition(own)
        return {"address": f"{before}{cells['township']}{cells.get('village', village) or ''}"}

    return change


def keep_old(paper, desk):
    return {"township": paper["township_old"]} if desk.year >= MERGER_YEAR else None


def keep_old_alone(paper, desk):
    """Only the old township is known: cannot be told where it belongs now."""
    gone = desk.year >= MERGER_YEAR
    return {"township": paper["township_old"], "village": None} if gone else None


def misspell_place(paper, desk):
    old = desk.year < MERGER_YEAR
    return {"township": paper["township_old" if old else "township"][:-1] + "区"}


def lengthen_place(paper, desk):
    """The office in place of the township: nothing is wrong with it."""
    name = paper["township_old" if desk.year < MERGER_YEAR else "township"]
    return {"township": f"{name}办事处"} if name.endswith("街道") else None


def has_moved(rows, desk):
    """Rows since the mergers of people whose township is no more."""
    gone = desk.papers["dissolved"][rows["person"]]
    if desk.ledger == "roster":
        gone = gone & (rows["snapshot_year"] >= MERGER_YEAR).to_numpy(dtype=bool)
    return gone


def lives_in_street(rows, desk):
    return desk.papers["in_street"][rows["person"]]


def use_other_word(row, _, desk):
    column, word = {
        "roster": (("schooling", "其他学历"), ("trained", "不清楚"), ("status", "零工"))[
            row["person"] % 3
        ],
        "register": ("insured", "不清楚"),
        "loan": ("extended", "待定"),
    }[desk.ledger]
    return {column: word} if pd.notna(row[column]) else None


def tick(row, *_):
    """Another sign for yes and no: nothing is wrong with it."""
    yes = row["poor"] in ("是", "有", "1")
    return {
        "poor": ("√", "Y", "有")[row["person"] % 3]
        if yes
        else ("×", "N", "无")[row["person"] % 3]
    }


def forget_mark(row, _, desk):
    if desk.ledger == "register" and not is_official(desk.year):
        return None  # has no column of such marks
    return {"poor" if desk.ledger == "roster" else "valid": None}


def repeat(*_):
    return {}


def repeat_otherwise(row, *_):
    """The row was typed twice, at first with another telephone and schooling."""
    schooling = "初中" if row["schooling"] != "初中" else "高中"
    return {"phone": "10099999999", "schooling": schooling}
