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


@pytest.mark.skipif(not TOWNSHIPS.is_dir(), reason="the bureau's lists are not at hand")
def test_each_old_unit_has_one_present_unit_or_is_to_be_confirmed_with_its_villages(gazetteer):
    lists = pd.read_csv(TOWNSHIPS / "townships_511702_by_release.csv", encoding="utf-8-sig")
    old = lists.loc[lists["china_division_version"] == "2.0.0", "street_name"]
    now = set(lists.loc[lists["china_division_version"] == "2.7.0", "street_code"].astype(str))
    found = {name: places.resolve(name, None, gazetteer)[0] for name in old}
    assert len(found) == 22
    open_units = {code.partition(":")[2] for code in found.values() if ":" in code}
    assert open_units == {f"511702{unit}" for unit in (100, 101, 106, 202, 203, 204)}
    assert {code for code in found.values() if ":" not in code} <= now
    listed = {unit for unit, _ in gazetteer.villages}
    assert open_units <= listed


def test_where_villages_went_agrees_with_the_counts_of_the_lists(gazetteer):
    went = {}
    for (unit, _), (code, _last) in gazetteer.villages.items():
        went[unit[-3:], code[-3:]] = went.get((unit[-3:], code[-3:]), 0) + 1
    assert (went["100", "004"], went["100", "002"], went["101", "005"]) == (12, 1, 7)
    assert (went["106", "102"], went["202", "105"], went["202", "103"]) == (3, 4, 1)
    assert (went["203", "105"], went["204", "105"], went["103", "004"]) == (5, 5, 1)
