"""What stands on people's papers: names, resident numbers, phones, firms, addresses.

Nothing here can be a real person's: numbers carry a prefix that is assigned to no
place, phones a range that is not in use, names are put together from common characters.
"""

import numpy as np
import pandas as pd

PREFIX, FOREIGN_PREFIX = "519999", "529999"
_SURNAMES = "王李张刘陈杨黄赵周吴徐孙马朱胡郭何林罗高郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余"
_GIVEN = (
    "伟芳秀敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红春梅建国志文海云林波辉斌"
    "琴萍凤莲成龙永祥光德福荣昌兴旺小天晓佳欣宇"
)
_RARE = "堃喆淼垚鑫燚彧翀旻昳䶮𬭎"  # on cards, but in few fonts and fewer keyboards
_PARTS = (("扎西", "阿木", "吉克", "沙马"), ("多吉", "拉且", "阿果", "子轩"))
_TRADES = ("批发和零售业", "住宿和餐饮业", "农、林、牧、渔业", "居民服务业", "制造业")
_SHOPS = ("百货店", "餐馆", "养殖场", "理发店", "加工厂")
_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK = np.array(list("10X98765432"))
_CREDIT = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def draw_papers(people: pd.DataFrame, places: pd.DataFrame, rng) -> pd.DataFrame:
    """Give everybody papers, one row per person in the order of their numbers.

    Parameters
    ----------
    places
        One row per village: ``village``, ``township``, ``township_old``, ``place`` (the
        number of the present township), as returned by `load_villages`.

    Returns
    -------
    pandas.DataFrame
        ``name, number, phone, firm, credit_code, trade, village, township,
        township_old, dissolved``; resident numbers and credit codes have valid check digits.
        A few names hold rare characters, or several parts with a dot between them.
    """
    n_people = len(people)
    letters = rng.integers(0, len(_GIVEN), (2, n_people))
    given = np.array(list(_GIVEN))
    second = np.where(rng.random(n_people) < 0.7, given[letters[1]], "")
    surname = np.array(list(_SURNAMES))[rng.integers(0, len(_SURNAMES), n_people)]
    person = pd.Series(np.arange(n_people))
    first = np.where(
        person % 401 == 7, np.array(list(_RARE))[person % len(_RARE)], given[letters[0]]
    )
    name = np.char.add(np.char.add(surname, first), second)
    parts = [
        np.array(names)[person // number % len(names)]
        for number, names in zip((1, 7), _PARTS, strict=True)
    ]
    name = np.where(person % 701 == 11, np.char.add(np.char.add(parts[0], "·"), parts[1]), name)
    kind = rng.integers(0, len(_TRADES), n_people)
    frame = pd.DataFrame(
        {
            "name": name,
            "number": resident_numbers(people),
            "phone": "100" + (person * 37 % 10**8).astype(str).str.zfill(8),
            "firm": pd.Series(name) + np.array(_SHOPS)[kind],
            "trade": np.array(_TRADES)[kind],
            "credit_code": [credit_code(number) for number in range(n_people)],
        }
    )
    return pd.concat([frame, _draw_villages(people, places)], axis=1)


def _draw_villages(people, places):
    """Give everybody a village of the township; townships of a shorter list repeat."""
    groups = [group.index.to_numpy() for _, group in places.groupby("place")]
    pick = [
        groups[town % len(groups)][village % len(groups[town % len(groups)])]
        for town, village in zip(people["township"], people["village"], strict=True)
    ]
    own = places.loc[pick, ["village", "township", "township_old"]].reset_index(drop=True)
    return own.assign(dissolved=~own["township_old"].isin(places["township"]))


def resident_numbers(people: pd.DataFrame) -> pd.Series:
    """Make valid 18-digit resident numbers; odd order numbers are men's."""
    parts = people[["birth_year", "birth_month", "birth_day", "female"]]
    born = people["birth_year"] * 10_000 + people["birth_month"] * 100 + people["birth_day"]
    order = parts.groupby(list(parts)).cumcount() * 2 + np.where(people["female"] == 1, 2, 1)
    body = PREFIX + born.astype(str) + order.astype(str).str.zfill(3)
    digits = np.array([list(text) for text in body], dtype=int)
    return body + _CHECK[(digits * _WEIGHTS).sum(axis=1) % 11]


def finish_number(body: str) -> str:
    """Append the check digit to the first seventeen digits of a resident number."""
    digits = np.array(list(body), dtype=int)
    return body + str(_CHECK[(digits * _WEIGHTS).sum() % 11])


def credit_code(number: int) -> str:
    """Make a unified social credit code of a sole trader with valid check characters."""
    organisation = f"MA{number:06d}"
    values = [int(letter) if letter.isdigit() else ord(letter) - 55 for letter in organisation]
    total = sum(v * w for v, w in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    body = f"92{PREFIX}{organisation}{'0123456789X0'[11 - total % 11]}".replace("X", "0")
    total = sum(_CREDIT.index(letter) * pow(3, i, 31) for i, letter in enumerate(body))
    return body + _CREDIT[(31 - total % 31) % 31]
