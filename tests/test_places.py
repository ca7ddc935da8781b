"""Townships before and after the mergers, as the lists say."""

from pathlib import Path

import pandas as pd
import pytest

from evaluation.ledgers import places

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
TOWNSHIPS = Path(__file__).parents[2] / "shared" / "data" / "places"


@pytest.fixture(scope="module")
def gazetteer():
    return places.load_places(REFERENCE)


@pytest.mark.parametrize(
    ("township", "village", "expected"),
    [
        ("西外镇", "柏阁社区居民委员会", ("511702004", "2019")),
        ("西外镇", "文凤社区", ("511702002", "2019")),
        ("西外", "文凤", ("511702002", "2019")),
        ("西外镇", None, ("unconfirmed:511702100", "unconfirmed")),
        ("魏兴镇", "石庙村", ("unconfirmed:511702106", "unconfirmed")),
        ("新村乡", "梨园村", ("511702103", "2019")),
        ("新村乡", "封口村", ("511702105", "2019")),
        ("蒲家镇", "长岭村", ("511702004", "2019")),
        ("蒲家镇", "观庙村", ("511702103", "known")),
        ("青宁乡", None, ("511702114", "2018")),
        ("盘石乡", None, ("511702109", "2015")),
        ("朝阳街道办事处", None, ("511702003", "known")),
        ("达州市通川区东城", None, ("511702001", "known")),
        ("511702105", None, ("511702105", "known")),
        ("火星镇", "柏阁社区", ("", "unknown")),
        (None, "柏阁社区", ("", "")),
    ],
)
def test_the_village_decides_and_nothing_is_guessed(gazetteer, township, village, expected):
    assert places.resolve(township, village, gazetteer) == expected


def test_the_same_village_name_in_two_townships_stays_apart(gazetteer):
    assert places.resolve("东城街道", "凤凰社区", gazetteer)[0] == "511702001"
    assert places.resolve("东岳镇", "凤凰村", gazetteer)[0] == "511702110"


def test_a_township_is_found_inside_an_address(gazetteer):
    cells = pd.Categorical(["四川省达州市通川区西外镇柏阁社区3组", "外省某地", None])
    towns, villages = places.split_addresses(cells, gazetteer)
    code, state = places.resolve_columns(towns, villages, gazetteer)
    assert code[0] == "511702004" and code[1:].isna().all()
    assert list(state) == ["2019", "", ""]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("东城街道办事处", "511702001"),
        ("东城街道办", "511702001"),
        ("东城办事处", "511702001"),
        ("东城街道", "511702001"),
        ("东城", "511702001"),
        (" 东　城 街道 ", "511702001"),
        ("通川区东城街道", "511702001"),
        ("四川省达州市通川区东城街道", "511702001"),
        ("四川达州市通川区青宁镇", "511702114"),
        ("安云", "511702208"),
        ("511702208", "511702208"),
    ],
)
def test_a_township_is_the_same_with_any_ending_or_front(gazetteer, typed, code):
    assert places.resolve(typed, None, gazetteer)[0] == code


@pytest.mark.parametrize(
    "village",
    ["文凤", "文凤社区", "文凤社区居委会", "文凤社区居民委员会", "文凤村", " 文 凤 社区"],
)
def test_a_village_is_the_same_with_any_ending(gazetteer, village):
    assert places.resolve("西外镇", village, gazetteer)[0] == "511702002"


def test_every_village_name_of_two_townships_stays_in_its_own(gazetteer):
    homes = {}
    for unit, village in gazetteer.villages:
        homes.setdefault(village, set()).add(unit)
    shared = {village: units for village, units in homes.items() if len(units) > 1}
    assert "凤凰" in shared and "街道" in shared
    by_code = {old: code for old, code, _ in gazetteer.units.values()}
    for village, units in shared.items():
        for unit in units:
            code, _ = places.resolve(unit, f"{village}村", gazetteer)
            own = gazetteer.villages[unit, village][0] or by_code[unit]
            assert code == (own or f"unconfirmed:{unit}")


def read_list(name):
    if not TOWNSHIPS.is_dir():
        pytest.skip("the bureau's lists are not at hand")
    encoding = "gb18030" if "gb18030" in name else "utf-8-sig"
    return pd.read_csv(TOWNSHIPS / f"{name}.csv", dtype=str, encoding=encoding)


OLD_UNITS = {  # as the bureau's list of 2018 names them; none: split
    "东城街道办事处": "001", "西城街道办事处": "002", "朝阳街道办事处": "003", "西外镇": None,
    "北外镇": None, "罗江镇": "102", "蒲家镇": "103", "复兴镇": "104", "双龙镇": "105",
    "魏兴镇": None, "江陵镇": "107", "碑庙镇": "108", "磐石镇": "109", "东岳镇": "110",
    "梓桐镇": "111", "北山镇": "112", "金石镇": "113", "新村乡": None, "檬双乡": None,
    "龙滩乡": None, "安云乡": "208", "青宁乡": "114",
}  # fmt: skip


def test_the_old_units_are_those_of_the_list():
    lists = read_list("townships_511702_by_release")
    old = lists.loc[lists["china_division_version"] == "2.0.0", "street_name"]
    assert set(old) == set(OLD_UNITS) and len(OLD_UNITS) == 22


@pytest.mark.parametrize(("unit", "now"), OLD_UNITS.items())
def test_each_old_unit_is_one_present_unit_or_to_be_confirmed_with_its_villages(
    gazetteer, unit, now
):
    code, state = places.resolve(unit, None, gazetteer)
    if now:
        assert code == f"511702{now}"
        return
    assert state == "unconfirmed" and code.startswith("unconfirmed:")
    lists = read_list("villages_511702_2019_to_2020")
    rows = lists[lists["street_old"] == unit].fillna("")
    went = places.list_villages(unit, gazetteer)
    assert {village: name for name, group in went.items() for village in group} == {
        places.bare_village(village): name
        for village, name in zip(rows["village_name_old"], rows["street_new"], strict=True)
    }
    assert len(went) > 1  # in one unit alone it would be no question


def test_each_present_unit_is_itself(gazetteer):
    lists = read_list("townships_511702_by_release")
    now = lists[lists["china_division_version"] == "2.7.0"]
    assert len(now) == 18
    for code, name in zip(now["street_code"], now["street_name"], strict=True):
        assert places.resolve(name, None, gazetteer) == (code, "known")


def test_every_village_of_2019_is_where_the_lists_say_or_to_be_confirmed(gazetteer):
    lists = read_list("villages_511702_2019_to_2020").fillna("")
    gone = {name.removesuffix("办事处") for name, now in OLD_UNITS.items() if not now}
    for row in lists.itertuples():
        code, _ = places.resolve(row.street_old, row.village_name_old, gazetteer)
        if row.street_code_new:  # two codes: the name stands twice in 2020, in two townships
            assert code in row.street_code_new.split("|")
        elif row.street_old in gone:
            assert code == f"unconfirmed:{row.street_code_old}"
        else:  # merged into a neighbour of the same township, which still stands
            assert code == row.street_code_old
    assert (lists["street_code_new"] != "").sum() >= 180


@pytest.mark.parametrize(
    ("year", "villages", "open_villages"),
    [(2018, 273, 20), (2019, 274, 19), (2020, 199, 0), (2023, 209, 0)],
)
def test_every_village_of_a_list_has_a_present_unit_or_is_to_be_confirmed(
    gazetteer, year, villages, open_villages
):
    lists = read_list(f"villages_511702_{year}_gb18030")
    lists.columns = ["code", "village", "unit_code", "unit"]
    now = {old for old, code, last in gazetteer.units.values() if old == code and last == 9999}
    found = [
        places.resolve(unit, village, gazetteer)
        for unit, village in zip(lists["unit"], lists["village"], strict=True)
    ]
    assert len(found) == villages and len(now) == 18
    assert sum(state == "unconfirmed" for _, state in found) == open_villages
    assert {code for code, state in found if state != "unconfirmed"} <= now
    if year >= 2020:
        assert [code for code, _ in found] == lists["unit_code"].tolist()


def test_the_reason_for_an_open_place_lists_its_villages(gazetteer):
    words = places.describe_split("511702106", gazetteer)
    assert words.startswith("罗江镇：") and "；去向不详：" in words and "石庙" in words


def test_where_villages_went_agrees_with_the_counts_of_the_lists(gazetteer):
    went = {}
    for (unit, _), (code, _last) in gazetteer.villages.items():
        went[unit[-3:], code[-3:]] = went.get((unit[-3:], code[-3:]), 0) + 1
    assert (went["100", "004"], went["100", "002"], went["101", "005"]) == (12, 1, 7)
    assert (went["106", "102"], went["202", "105"], went["202", "103"]) == (3, 4, 1)
    assert (went["203", "105"], went["204", "105"], went["103", "004"]) == (5, 5, 1)
