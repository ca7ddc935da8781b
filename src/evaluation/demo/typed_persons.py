"""Persons and firms typed wrong: numbers, names, sex and birth, credit codes."""

import numpy as np
import pandas as pd

from evaluation.demo.ledgers import has_births
from evaluation.demo.papers import PREFIX, finish_number

LONG = ("roster", "register")
_FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
_SAME_SOUND = dict(
    zip(
        "伟静丽军勇杰明平刚英华兰红建志文云林波成德荣",
        "玮净莉君永洁铭萍钢瑛花岚洪健智雯芸琳玻诚得容",
        strict=True,
    )
)


def damage(row, *_):
    """Excel keeps 15 digits: as a number, as the text of one, with noughts at the end."""
    number = row["number"]
    if number[-3:] == "000":
        return None
    cut = number[:15] + "000"
    forms = (float(cut), f"{float(number[:17] + '0'):.5E}", cut)
    form = row["person"] % 3
    # One in eleven of the numbers with noughts would pass the check all the same.
    return {"number": forms[form if form < 2 or finish_number(cut[:17]) != cut else 0]}


def break_check_digit(row, *_):
    """A wrong last digit, or two digits swapped."""
    number = row["number"]
    swapped = number[:15] + number[16] + number[15] + number[17]
    if row["person"] % 2 and swapped != number and swapped[-2:] != "00":
        return {"number": swapped}
    return {"number": number[:-1] + ("2" if number[-1] == "1" else "1")}


def mask(row, *_):
    number = row["number"]
    hidden = number[:6] + "********" + number[14:]
    return {"number": hidden if row["person"] % 2 else number[:14] + "****"}


def shorten(row, *_):
    """The 15 digits of identity cards before 1999."""
    number = row["number"]
    return {"number": number[:6] + number[8:17]} if number[6:8] == "19" else None


def was_born_before_2000(rows, desk):
    return desk.papers["birth_year"][rows["person"]] < 2000


def type_oddly(row, *_):
    """A lower-case x, full-width digits, spaces, an apostrophe: repaired without loss."""
    number = row["number"]
    if number.endswith("X"):
        return {"number": number[:-1] + "x"}
    spaced = f" {number[:6]} {number[6:14]} {number[14:]}"
    return {"number": (number.translate(_FULL_WIDTH), spaced, "'" + number)[row["person"] % 3]}


def change_length(row, *_):
    number = row["number"]
    return {
        "number": number[:9] + (number[10:] if row["person"] % 2 else number[9] + number[9:])
    }


def invent_birth(row, *_):
    """A birthday that no calendar has, though the check digit fits."""
    number = row["number"]
    day = "0230" if row["person"] % 2 else "1340"
    return {"number": finish_number(number[:10] + day + number[14:17])}


def take_partners_number(row, _, desk):
    """The number of husband, wife or child beside one's own name."""
    return {"number": desk.papers["number"][desk.papers["partner"][row["person"]]]}


def has_partner(rows, desk):
    """A partner of another name, well known by the roster; of a post's holder, without one."""
    person, papers = rows["person"].to_numpy(), desk.papers
    partner = papers["partner"][person]
    fits = (partner >= 0) & (papers["rosters"] >= 4)[partner]
    fits &= papers["sound"][person] != papers["sound"][partner]
    fits &= ~papers["foreign"][person] & ~papers["foreign"][partner]
    if desk.ledger in LONG:
        return fits
    # Who stays until retirement would be younger by the partner's number.
    stays = rows["ended_on"] > rows["started_on"] + pd.DateOffset(years=3)
    return fits & ~np.isin(partner, person) & ~stays.to_numpy()


def space_name(row, *_):
    return {"name": ("　" if row["person"] % 2 else " ").join(row["name"])}


def is_plain_name(rows, desk):
    return ~desk.papers["dotted"][rows["person"]]


def write_by_sound(row, *_):
    """Another character of the same sound, or another dot between the parts of a name."""
    name = row["name"]
    if "·" in name:
        return {"name": name.replace("·", "•" if row["person"] % 2 else "．")}
    found = next((at for at in range(1, len(name)) if name[at] in _SAME_SOUND), None)
    if found is None:
        return None
    return {"name": name[:found] + _SAME_SOUND[name[found]] + name[found + 1 :]}


def confuse_sex(row, *_):
    return {"sex": {"男": "女", "女": "男"}[row["sex"]]}


def confuse_birth(row, true, _):
    return {"birth": f"{true['birth_year'] + (1 if row['person'] % 2 else -10)}年6月"}


def has_birth_column(rows, _):
    return has_births(rows["snapshot_year"].to_numpy(dtype=int))


def break_code(row, *_):
    """A wrong last sign, or the fifteen digits of a licence before 2015."""
    code = row["credit_code"]
    wrong = code[:-1] + ("2" if code[-1] == "1" else "1")
    return {"credit_code": wrong if row["person"] % 3 else f"{PREFIX}600{code[11:17]}"}


def has_business(rows, _):
    return rows["business_key"].notna().to_numpy()
