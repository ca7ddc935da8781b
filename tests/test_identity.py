"""Resident numbers are checked, never guessed; nobody can be found without the key."""

import pytest

from evaluation.errors import EvaluationError
from evaluation.ledgers import identity
from evaluation.ledgers.values import as_column


def number_of(body):
    total = sum(int(d) * w for d, w in zip(body, identity._WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


GOOD, NEXT = number_of("51999919800203001"), number_of("51999919800203002")
WITH_X = next(n for i in range(100, 400) if (n := number_of(f"51999919800203{i}"))[-1] == "X")
OLD = GOOD[:6] + GOOD[8:17]


def check(*cells):
    return identity.check_numbers(as_column(list(cells)))


@pytest.mark.parametrize(
    ("typed", "kind", "expected"),
    [
        (GOOD, None, GOOD),
        (WITH_X, None, WITH_X),
        (WITH_X.lower(), "number_typed", WITH_X),
        (f" {GOOD[:6]} {GOOD[6:]} ", "number_typed", GOOD),
        (f"'{GOOD}", "number_typed", GOOD),
        ("".join(chr(ord(digit) + 0xFEE0) for digit in GOOD), "number_typed", GOOD),
        (OLD, "number_15", GOOD),
        (float(OLD), "number_15", GOOD),
        (float(GOOD), "number_damaged", None),
        ("5.11923E+17", "number_damaged", None),
        (GOOD[:15] + "000", "number_damaged", None),
        ("511923199001011200", "number_damaged", None),
        (f"{GOOD[:6]}********{GOOD[14:]}", "number_masked", None),
        (GOOD[:-1] + str((int(GOOD[-1]) + 1) % 10), "number_checksum", None),
        (number_of("51999919800230001"), "number_birth", None),
        (number_of("51999919791301001"), "number_birth", None),
        (GOOD[:-1], "number_length", None),
        (GOOD + "1", "number_length", None),
        ("不详", "number_length", None),
    ],
)  # fmt: skip
def test_every_way_to_type_a_number(typed, kind, expected):
    row = check(typed).iloc[0]
    assert (row["kind"] or None) == kind
    assert (row["number"] or None) == expected


def test_sex_and_birth_come_from_the_number():
    found = check(GOOD, NEXT)
    assert list(found["sex"]) == ["male", "female"]
    assert list(found["birth"]) == [19_800_203, 19_800_203]


def test_a_leap_day_exists_only_in_leap_years():
    found = check(number_of("51999920000229001"), number_of("51999919000229001"))
    assert found["kind"].tolist() == [None, "number_birth"]


def test_numbers_are_shown_masked():
    assert identity.mask("511923199001011234") == "511923********1234"
    assert GOOD[6:14] not in identity.mask(GOOD)
    assert identity.mask("12345678") == "123****"


def test_equal_texts_hash_alike_under_one_key_and_meaning_only():
    key, other = b"k" * 32, b"o" * 32
    first, again, missing = identity.pseudonyms([GOOD, GOOD, None], key, "number", 32)
    assert first == again and len(first) == 32 and missing is None
    assert first != identity.pseudonyms([GOOD], other, "number", 32)[0]
    assert first != identity.pseudonyms([GOOD], key, "name", 32)[0]


def test_names_and_phones_are_alike_however_typed():
    assert identity.tidy_name("王　强") == identity.tidy_name("王强")
    assert identity.tidy_name("买买提·艾力") == "买买提艾力"
    assert identity.tidy_phone("+86 138-0000-0000") == "13800000000"
    assert identity.tidy_phone("无") is None


def test_credit_codes_need_their_check_character():
    assert identity.check_credit_code("91350100m000100y43") == "91350100M000100Y43"
    assert identity.check_credit_code("91350100M000100Y44") is None
    assert identity.check_credit_code("510000012345678") is None


def test_the_key_is_made_once_for_its_owner_alone(tmp_path, capsys):
    path = tmp_path / "data" / "pseudonym.key"
    key = identity.load_key(path)
    assert len(key) >= 32
    assert "备份" in capsys.readouterr().err
    assert path.stat().st_mode & 0o077 == 0 or path.drive
    assert identity.load_key(path) == key
    assert capsys.readouterr() == ("", "")


def test_a_spoilt_key_is_never_replaced(tmp_path):
    path = tmp_path / "pseudonym.key"
    path.write_text("abc", encoding="ascii")
    with pytest.raises(EvaluationError, match="备份"):
        identity.load_key(path)
    assert path.read_text(encoding="ascii") == "abc"


def test_demonstration_data_need_no_key_file(tmp_path):
    path = tmp_path / "pseudonym.key"
    assert identity.load_key(path, is_demo=True) == identity.DEMONSTRATION_KEY
    assert not path.exists()
