"""What holds for every cell: written forms are read back, nothing is silently wrong."""

import calendar
import datetime
import re

import numpy as np
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.demo.papers import credit_code
from evaluation.ledgers import headings, identity, numerals, places, values
from evaluation.ledgers.kinds import KINDS
from evaluation.ledgers.values import as_column

settings.register_profile("ledgers", max_examples=150, deadline=None, database=None)
settings.load_profile("ledgers")

# Any text, and texts of the signs that cells are really made of.
SIGNS = "0123456789０１２３年月日号.-/:： 　,，+*xXＸ'"
SIGNS += "万元圆整壹贰叁拾佰仟零〇一二三十百千两第次%¥²½①\n"
DAYS = st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31))
FORMS = ("%Y-%m-%d", "%Y.%m.%d", "%Y年%m月%d日", "%Y%m%d", "%Y年%m月", "%d/%m/%Y", "%y.%m.%d")
NEAR = st.builds(  # a date or an amount with a sign too many, or one for another
    lambda text, at, sign, more: text[: at % len(text)] + sign + text[at % len(text) + more :],
    st.builds(lambda day, form: day.strftime(form), DAYS, st.sampled_from(FORMS))
    | st.integers(0, 10**9).map(str)
    | st.integers(0, 10**7).map(lambda number: f"{number:,}.50")
    | st.integers(0, 10**6).map(lambda number: f"{numerals.spell(number)}元"),
    st.integers(0, 30),
    st.sampled_from(SIGNS),
    st.integers(0, 1),
)
TEXTS = st.text(max_size=20) | st.text(SIGNS, max_size=12) | NEAR
WIDE = str.maketrans("0123456789./-,", "０１２３４５６７８９．／－，")
BODIES = st.builds(
    lambda prefix, day, order: f"{prefix}{day:%Y%m%d}{order:03d}",
    st.sampled_from(["519999", "513021", "511702"]),
    DAYS,
    st.integers(0, 999),
)


def finish(body):
    """Append the check digit of ISO 7064 MOD 11-2, by its definition."""
    rest = 0
    for digit in body:
        rest = (rest + int(digit)) * 2 % 11
    return body + "0123456789X"[(12 - rest) % 11]


NUMBERS = BODIES.map(finish)


def read_one(number):
    return identity.check_numbers(as_column([number])).iloc[0]


@given(DAYS)
def test_every_written_form_of_a_day_is_read_back(day):
    y, m, d = day.year, day.month, day.day
    year = f"{y}".translate(str.maketrans("0123456789", "〇一二三四五六七八九"))
    forms = [
        f"{day:%Y-%m-%d}", f"{day:%Y.%m.%d}", f"{day:%Y/%m/%d}", f"{day:%Y%m%d}",
        f"{y}-{m}-{d}", f"{y}.{m}.{d}", f"{y}/{m}/{d}", f"{y} {m} {d}", f"'{y}-{m}-{d}",
        f"{y}年{m}月{d}日", f"{y}年{m:02d}月{d:02d}号", f" {y} 年 {m} 月 {d} 日\n",
        f"{day:%Y-%m-%d} 00:00:00", f"{day:%Y-%m-%d}T08:30:00.000", f"\u202a{y}-{m}-{d}\u202c",
        f"{year}年{numerals.spell(m)}月{numerals.spell(d)}日".replace("一十", "十"),
        f"{y}.{m}.{d}".translate(WIDE), f"{y}年{m}月{d}日".translate(WIDE),
    ]  # fmt: skip
    assert {values.parse_date(form) for form in forms} == {(day, "day")}
    serial = (day - datetime.date(1899, 12, 30)).days
    expected = (day, "day") if 36526 <= serial <= 55153 else (None, "bad")
    if serial > 9_999:  # below it is a year
        assert values.parse_date(str(serial)) == expected


@given(st.integers(1900, 2099), st.integers(1, 12), st.booleans())
def test_a_month_or_a_year_alone_is_its_first_or_last_day(year, month, last):
    end = calendar.monthrange(year, month)[1]
    forms = [
        f"{year}年{month}月", f"{year}.{month:02d}", f"{year}-{month}", f"{year}{month:02d}",
        f"{year}年{numerals.spell(month).replace('一十', '十')}月份",
    ]  # fmt: skip
    day = datetime.date(year, month, end if last else 1)
    assert {values.parse_date(form, last) for form in forms} == {(day, "month")}
    day = datetime.date(year, 12, 31) if last else datetime.date(year, 1, 1)
    assert {values.parse_date(form, last) for form in (f"{year}年", f"{year}")} == {
        (day, "year")
    }


@given(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99), st.sampled_from("./-"))
def test_no_year_in_front_or_no_such_day_is_refused(year, month, day, sign):
    short = f"{year:02d}{sign}{month}{sign}{day}"
    assert values.parse_date(short) == (None, "bad")
    assert values.parse_date(f"{day:02d}{sign}{month:02d}{sign}20{year:02d}") == (None, "bad")
    try:
        expected = datetime.date(2000 + year, month, day), "day"
    except ValueError:
        expected = None, "bad"
    assert values.parse_date(f"20{year:02d}{sign}{month}{sign}{day}") == expected


@given(TEXTS, st.booleans())
def test_no_text_breaks_a_date_and_a_day_read_stands_in_it(text, last):
    day, state = values.parse_date(text, last)
    assert state in {"day", "month", "year", "open", "blank", "bad"}
    assert (day is not None) == (state in {"day", "month", "year"})
    if state == "day":  # the parts, or an eight-digit day, or Excel's serial
        found = [
            int(n) for n in re.findall(r"\d+", numerals.read_date(values.clean_text(text)))
        ]
        serial = (day - datetime.date(1899, 12, 30)).days
        parts = [day.year, day.month, day.day]
        spaced = [int(n) for n in re.findall(r"\d+", text)]
        whole = [int(f"{day:%Y%m%d}")]
        assert parts in (found[:3], spaced[:3]) or found[:1] in (whole, [serial])


@given(st.lists(TEXTS, max_size=6), st.booleans())
def test_a_column_of_dates_is_read_as_each_of_its_cells(cells, last):
    column = as_column(cells)
    days, states = values.parse_dates(column, last)
    for cell, day, state in zip(cells, days, states, strict=True):
        alone = values.parse_date(cell, last) if cell.strip() else (None, "blank")
        assert state == alone[1]
        assert np.isnat(day) if alone[0] is None else day == np.datetime64(alone[0])


@given(st.integers(-(10**9), 10**13).map(lambda cents: cents / 100))
def test_every_written_form_of_an_amount_is_read_back(yuan):
    forms = {
        f"{yuan:.2f}": ("", "plain"), f" {yuan:.2f} 元": ("元", "plain"),
        f"{yuan:.2f}".translate(WIDE).replace("－", "-"): ("", "plain"),
        f"{yuan:.2f}元整": ("元", "plain"), f"'{yuan:.2f}": ("", "plain"),
        f"¥{yuan:.2f}": ("", "plain"), f"￥{yuan:.2f}": ("", "plain"),
        f"{yuan:.2f}万元": ("万元", "plain"), f"{yuan:.2f}万": ("万元", "plain"),
    }  # fmt: skip
    for form, (unit, typed) in forms.items():
        assert values.parse_amount(form) == (yuan, unit, typed)
    if abs(yuan) >= 1000:
        assert values.parse_amount(f"{yuan:,.2f}") == (yuan, "", "commas")
    column = as_column([yuan])
    assert values.parse_amounts(column, 1.0)[0][0] == yuan


@given(st.integers(0, 99_999_999))
def test_an_amount_spelt_in_full_is_read_back_and_one_left_open_is_not(yuan):
    capital = str.maketrans("〇一二三四五六七八九十百千", "零壹贰叁肆伍陆柒捌玖拾佰仟")
    plain = numerals.spell(yuan)
    for form in (f"{plain}元", f"{plain.translate(capital)}圆整", f"人民币{plain}元整"):
        assert values.parse_amount(form) == (yuan, "元", "plain")
    if "〇" in plain and yuan:
        assert values.parse_amount(f"{plain.replace('〇', '')}元")[2] == "bad"


@given(st.text("零〇一二三五九壹伍十拾百佰千仟万两元", max_size=9))
def test_what_is_read_of_numerals_is_what_they_spell(text):
    number = numerals.read_amount(text)
    if number is not None:
        usual = text.translate(str.maketrans("零壹伍拾佰仟两", "〇一五十百千二"))
        again = numerals.spell(int(number))
        assert usual.replace("〇", "") in (
            again.replace("〇", ""), again.replace("〇", "").removeprefix("一")
        )  # fmt: skip


@given(TEXTS)
def test_no_text_breaks_an_amount_and_no_digit_is_lost_or_added(text):
    number, unit, typed = values.parse_amount(text)
    assert unit in ("", "元", "万元") and typed in ("plain", "commas", "blank", "bad")
    assert np.isnan(number) == (typed in ("blank", "bad"))
    narrow = values.clean_text(text)
    if typed in ("plain", "commas") and re.search("[0-9]", narrow):
        assert len(re.findall(r"[0-9][0-9.,]*", narrow)) == 1
        assert float(re.search(r"[0-9][0-9.,]*", narrow)[0].replace(",", "")) == abs(number)
        assert not re.search(r"[²½①]|[0-9]\s+[0-9]", text)


@given(
    st.integers(1, 10**7), st.integers(1, 10**7), st.sampled_from([" ", "\n", "　", ";", "+"])
)
def test_two_amounts_in_a_cell_are_not_one(first, second, between):
    assert values.parse_amount(f"{first}{between}{second}")[2] == "bad"
    assert values.parse_number(f"{first}{between}{second}") is None


@given(st.floats(0.01, 5_000).map(lambda n: round(n, 2)), st.sampled_from([1.0, 10_000.0]))
def test_the_size_of_a_number_never_decides_its_unit(number, factor):
    cells = as_column([str(number), f"{number}元", f"{number}万元"])
    yuan, _, differs = values.parse_amounts(cells, factor)
    assert yuan.tolist() == [round(number * factor, 2), number, round(number * 10_000, 2)]
    assert differs.tolist() == [False, factor != 1, factor != 10_000]


@given(st.lists(TEXTS, max_size=6), st.sampled_from([1.0, 10_000.0]))
def test_a_column_of_amounts_is_read_as_each_of_its_cells(cells, factor):
    yuan, typed, differs = values.parse_amounts(as_column(cells), factor)
    for place, cell in enumerate(cells):
        number, unit, how = values.parse_amount(cell) if cell.strip() else (np.nan, "", "blank")
        own = {"元": 1.0, "万元": 10_000.0}.get(unit, factor)
        assert (typed[place], differs[place]) == (how, own != factor)
        assert np.array_equal(yuan[place], np.round(number * own, 2), equal_nan=True)


@given(st.lists(TEXTS | st.floats() | st.integers() | st.none(), max_size=8))
def test_no_cell_breaks_a_column(cells):
    column = as_column(cells)
    assert len(column) == len(cells)
    values.parse_numbers(column, 100)
    values.translate(column, {"是": 1}, np.nan)
    values.plain(column)


@given(NUMBERS, st.integers(0, 17))
def test_a_number_is_the_same_however_it_is_typed(number, at):
    day = datetime.datetime.strptime(number[6:14], "%Y%m%d")
    forms = [
        number, number.lower(), f"'{number}", f" {number[:at]} {number[at:]}　",
        number.translate(WIDE), f"{number}\u200b", f"‘{number}", f"{number[:6]}-{number[6:]}",
    ]  # fmt: skip
    found = identity.check_numbers(as_column(forms))
    assert set(found["number"]) == {number}
    assert set(found["kind"].fillna("")) <= {"", "number_typed"}
    assert set(found["birth"]) == {int(f"{day:%Y%m%d}")}
    assert set(found["sex"]) == {"male" if int(number[16]) % 2 else "female"}


@given(NUMBERS, st.integers(0, 17), st.integers(1, 10))
def test_any_single_wrong_digit_is_caught(number, at, by):
    signs = "0123456789X" if at == 17 else "0123456789"
    wrong = signs[(signs.index(number[at]) + by) % len(signs)]
    row = read_one(number[:at] + wrong + number[at + 1 :])
    if wrong != number[at]:
        assert row["number"] is None
        assert row["kind"] in {"number_checksum", "number_birth", "number_damaged"}


@given(NUMBERS, st.integers(0, 16))
def test_any_swap_of_neighbours_is_caught(number, at):
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    row = read_one(swapped)
    assert (row["number"] == number) if swapped == number else row["number"] is None


@given(BODIES)
def test_fifteen_digits_become_eighteen_of_the_nineteen_hundreds(body):
    old = body[:6] + body[8:]
    row = read_one(old)
    number = finish(f"{body[:6]}19{body[8:]}")
    real = identity.check_numbers(as_column([number]))["kind"].isna()[0]  # 29 February 1900
    assert row["number"] == (number if real else None)
    assert row["kind"] == ("number_15" if real else "number_birth")
    assert read_one(float(old))["kind"] == row["kind"]


@given(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99), st.integers(0, 999))
def test_only_days_of_the_calendar_are_births(year, month, day, order):
    row = read_one(finish(f"519999{year:04d}{month:02d}{day:02d}{order:03d}"))
    try:
        born = datetime.date(year, month, day)
    except ValueError:
        born = None
    if born is not None and 1900 <= year <= 2099:
        assert row["birth"] == int(f"{born:%Y%m%d}") and row["kind"] is None
    else:
        assert (row["number"], row["kind"], row["birth"]) == (None, "number_birth", 0)


@given(NUMBERS)
def test_a_number_that_excel_kept_as_a_number_links_nobody(number):
    typed = [
        float(number[:17] + "0"),
        f"{float(number[:17] + '0'):.5E}",
        int(number[:17] + "0"),
    ]
    found = identity.check_numbers(as_column(typed))
    assert set(found["kind"]) == {"number_damaged"} and found["number"].isna().all()
    cut = number[:15] + "000"
    assert read_one(cut)["kind"] == ("number_damaged" if cut != finish(cut[:17]) else None)


@given(st.lists(TEXTS | NUMBERS | NUMBERS.map(lambda n: n[:17]), max_size=8))
def test_numbers_of_a_column_are_judged_as_each_alone_and_no_text_breaks_it(cells):
    column = as_column(cells)
    found = identity.check_numbers(column)
    for text, (_, row) in zip(column.categories, found.iterrows(), strict=True):
        alone = identity.check_numbers(as_column([text])).iloc[0]
        assert row.fillna("").tolist() == alone.fillna("").tolist()
        assert row["kind"] is None or row["kind"] in KINDS
        if row["number"] is not None:
            assert finish(row["number"][:17]) == row["number"]
            bare = re.sub(r"\W", "", values.clean_text(text)).upper()
            assert bare in (row["number"], row["number"][:6] + row["number"][8:17])


@given(st.lists(NUMBERS, min_size=1, max_size=3), st.sampled_from(["", " ", "、", "/"]))
def test_a_mask_hides_the_birth_and_shows_no_second_number(numbers, between):
    shown = identity.mask(between.join(numbers))
    assert len(shown) <= 18 and re.fullmatch(r"\d{6}\*{8}.{0,4}", shown)


@given(TEXTS)
def test_no_text_breaks_a_name_a_phone_a_code_or_a_mask(text):
    identity.tidy_name(text)
    phone = identity.tidy_phone(text)
    assert phone is None or len(phone) >= 7
    code = identity.check_credit_code(text)
    assert code is None or identity.check_credit_code(code) == code
    assert len(identity.mask(text)) <= 18


CODES = st.integers(0, 999_999).map(credit_code)
LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@given(CODES, st.integers(0, 17), st.integers(1, 30))
def test_any_single_wrong_sign_of_a_credit_code_is_caught(code, at, by):
    wrong = LETTERS[(LETTERS.index(code[at]) + by) % 31]
    assert identity.check_credit_code(code[:at] + wrong + code[at + 1 :]) is None
    spaced = f" {code[:at]} {code[at:]}".lower()
    assert identity.check_credit_code(spaced) == code
    assert identity.check_credit_code(code.translate(WIDE)) == code


@given(CODES, st.integers(0, 16))
def test_any_swap_of_neighbours_in_a_credit_code_is_caught(code, at):
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert identity.check_credit_code(swapped) == (code if swapped == code else None)


@given(st.text("姓名身份证号码（）()【】 　\n：:金额万元ABab12", max_size=16))
def test_a_heading_is_the_same_however_it_is_laid_out(heading):
    plain = headings.normalise(heading)
    assert headings.normalise(plain) == plain
    assert headings.normalise(f" {heading}\n（）".replace("（", "(")) == plain
    assert not re.search(r"[\s()（）【】]", plain)


@given(st.text(max_size=30))
def test_no_heading_breaks_the_table_of_headings(heading):
    assert isinstance(headings.normalise(heading), str)


@pytest.fixture(scope="module")
def gazetteer():
    return places.load_places(ROOT / "data" / "reference")


@given(st.data())
def test_no_place_is_found_that_was_not_named(gazetteer, data):
    names = sorted(gazetteer.units)
    town = data.draw(st.sampled_from(names) | TEXTS | st.none())
    village = data.draw(
        st.sampled_from(sorted(v for _, v in gazetteer.villages)) | TEXTS | st.none()
    )
    code, state = places.resolve(town, village, gazetteer)
    if code:
        bare = places.bare_village(town)
        assert any(name in town or bare in name for name in names)
        assert state == "unconfirmed" or code in {c for _, c, _ in gazetteer.units.values()}
    else:
        assert state in ("", "unknown")
