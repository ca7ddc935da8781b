"""All that is typed wrong: each kind with how often and in which ledgers.

A kind without a name only looks wrong: another written form, a homophone, an office's
name for a township. Nothing may be said about it.
"""

from evaluation.demo import typed_cells as cells
from evaluation.demo import typed_persons as persons
from evaluation.demo.desk import Mistake
from evaluation.demo.typed_persons import LONG

POLICIES = ("subsidy", "loan", "post")
ALL, _PLACED = LONG + POLICIES, ("roster", "subsidy", "post")

# In the order in which rows are taken: a new kind below moves none above it.
MISTAKES = (
    Mistake("number_damaged", 0.0015, ALL, persons.damage),
    Mistake("number_checksum", 0.0015, ALL, persons.break_check_digit),
    Mistake("number_masked", 0.001, ALL, persons.mask),
    Mistake("number_15", 0.004, ALL, persons.shorten, persons.was_born_before_2000),
    Mistake("number_typed", 0.02, ALL, persons.type_oddly),
    Mistake("number_length", 0.0005, ALL, persons.change_length),
    Mistake("number_birth", 0.0005, ALL, persons.invent_birth),
    Mistake("number_missing", 0.0005, ALL, cells.leave_out("number")),
    Mistake(
        "number_shared",
        0.0007,
        (*LONG, "post"),
        persons.take_partners_number,
        persons.has_partner,
    ),
    Mistake("name_missing", 0.0005, ALL, cells.leave_out("name")),
    Mistake("name_spaces", 0.01, ALL, persons.space_name, persons.is_plain_name),
    Mistake("", 0.003, ALL, persons.write_by_sound),
    Mistake("person_missing", 0.0003, LONG, cells.leave_out("number", "name")),
    Mistake("sex_mismatch", 0.002, ("roster",), persons.confuse_sex),
    Mistake(
        "birth_mismatch", 0.001, ("roster",), persons.confuse_birth, persons.has_birth_column
    ),
    Mistake(
        "credit_code", 0.001, ("register", "subsidy"), persons.break_code, persons.has_business
    ),
    Mistake(
        "date_unreadable",
        0.0015,
        ALL,
        cells.break_date(cells.DATES),
        cells.is_dated(cells.DATES),
    ),
    Mistake("key_date_unreadable", 0.0004, LONG, cells.break_date(cells.KEY_DATES)),
    Mistake("key_date_missing", 0.0003, ("roster",), cells.leave_out("snapshot_on")),
    Mistake("key_date_missing", 0.0003, ("register",), cells.leave_out("start")),
    Mistake("date_future", 0.0003, (*LONG, "loan"), cells.forget_decade, cells.stays_open),
    Mistake(
        "date_order", 0.0005, ("register", "loan", "post"), cells.swap_dates, cells.has_ended
    ),
    Mistake("", 0.005, ALL, cells.write_date_otherwise, cells.is_dated(cells.DATES)),
    Mistake("amount_commas", 0.02, POLICIES, cells.add_commas, cells.has_thousands),
    Mistake("amount_unit", 0.005, ("subsidy", "loan"), cells.state_unit, cells.has_award),
    Mistake("", 0.01, ("subsidy",), cells.spell_amount, cells.has_award),
    Mistake("amount_mixed", 0.002, ("subsidy", "loan"), cells.mix_units, cells.was_refused),
    Mistake(
        "amount_unreadable", 0.001, ("register", *POLICIES), cells.write_words, cells.has_figure
    ),
    Mistake("place_old", 0.008, _PLACED, cells.name_place(cells.keep_old), cells.has_moved),
    Mistake(
        "place_unconfirmed",
        0.002,
        _PLACED,
        cells.name_place(cells.keep_old_alone),
        cells.has_moved,
    ),
    Mistake("place_unknown", 0.001, ("roster", "post"), cells.name_place(cells.misspell_place)),
    Mistake("", 0.002, _PLACED, cells.name_place(cells.lengthen_place), cells.lives_in_street),
    Mistake("word_unknown", 0.001, (*LONG, "loan"), cells.use_other_word),
    Mistake("", 0.01, ("roster",), cells.tick),
    Mistake("blank", 0.01, ("roster",), cells.forget_mark),
    Mistake("blank", 0.003, ("register",), cells.forget_mark),
    Mistake("duplicate", 0.002, ALL, cells.repeat, inserts=1),
    Mistake("person_twice", 0.0005, ("roster",), cells.repeat_otherwise, inserts=-1),
)
