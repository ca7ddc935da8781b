"""A researcher changes reference tables in Excel: however it saves them, they are read."""

import shutil
from pathlib import Path

import pytest

from evaluation.errors import LedgerError
from evaluation.ledgers.guidance import describe_fields
from evaluation.ledgers.reference import load_reference
from evaluation.ledgers.text_files import read_reference
from evaluation.panel.totals import load_totals

REFERENCE = Path(__file__).parents[1] / "data" / "reference"


@pytest.fixture
def saved_by_excel(tmp_path):
    folder = shutil.copytree(REFERENCE, tmp_path / "reference")
    for path in folder.glob("*.csv"):
        path.write_bytes(path.read_text(encoding="utf-8-sig").encode("gb18030"))
    return folder


def test_every_reference_table_is_read_as_excel_saves_it(saved_by_excel):
    ours, theirs = (load_reference(place, b"k" * 32) for place in (REFERENCE, saved_by_excel))
    for name in ("aliases", "words", "rules", "places"):
        assert repr(getattr(ours, name)) == repr(getattr(theirs, name))  # rules may be NaN
    assert describe_fields("loan", saved_by_excel) == describe_fields("loan", REFERENCE)
    assert load_totals(saved_by_excel).equals(load_totals(REFERENCE))


def test_a_table_of_unknown_encoding_is_named(tmp_path):
    (tmp_path / "words.csv").write_bytes(b"\x81\xff\x00\xfe,\xff\n")
    with pytest.raises(LedgerError, match=r"^words\.csv：文字编码"):
        read_reference(tmp_path / "words.csv")
