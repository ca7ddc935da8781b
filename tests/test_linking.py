"""What a clean row keeps for linking: keyed sounds of names, villages out of addresses."""

from pathlib import Path

from evaluation.ledgers.clean import clean_folder
from evaluation.ledgers.linking import spell_name

REFERENCE = Path(__file__).parents[1] / "data" / "reference"
ANNA = "519999198002030015"
ROSTER = f"姓名,身份证号码,户籍乡镇,现就业状态,采集日期\n王强,{ANNA},东城街道,务农,2023-12-01\n"
REGISTER = f"姓名,身份证号码,就业形式,开始日期,终止日期\n王 强,{ANNA},单位就业,2023-01-02,\n"
SUBSIDY = "姓名,身份证号,户籍地址,市场主体名称,申请日期,审核结果,金额（元）,拨付日期\n" + (
    f"王蔷,{ANNA},达州市通川区东城街道红旗社区,某店,2023-05-06,通过,10000,\n"
)


def clean(folder):
    for name, text in {"a": ROSTER, "b": REGISTER, "c": SUBSIDY}.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    return clean_folder(folder, REFERENCE, b"k" * 32).tables


def test_homophones_share_the_key_of_their_sound_and_not_that_of_their_name(tmp_path):
    tables = clean(tmp_path)
    roster, register, subsidy = (
        tables[name].iloc[0] for name in ("roster", "register", "subsidy")
    )
    assert roster["pinyin_key"] == register["pinyin_key"] == subsidy["pinyin_key"]
    assert roster["name_key"] == register["name_key"] != subsidy["name_key"]
    assert roster["pinyin_key"] != roster["name_key"]


def test_a_village_inside_an_address_is_kept(tmp_path):
    assert clean(tmp_path)["subsidy"]["village"].tolist() == ["红旗社区"]


def test_sounds_are_those_of_mandarin_without_tones():
    assert spell_name("单 雄信") == "dan xiong xin"
    assert spell_name("吕布") == "lv bu" != spell_name("卢布")
    assert spell_name("阿依古丽·买买提") == spell_name("阿依古丽买买提")
