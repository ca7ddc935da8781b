"""Names, numbers, phones and scripts in every column of every ledger: none gets out."""

import json

import pandas as pd
import pytest
from test_run import call

from evaluation.demo import write
from evaluation.demo.ledgers import headings_of
from evaluation.ledgers.identity import DEMONSTRATION_KEY, pseudonyms

NAME, NUMBER, PHONE, SCRIPT = "阎不寻常", "519999198001011234", "13900139000", "plantedscript"
TEXTS = (
    NAME,
    f"{NAME}、{NUMBER}、{PHONE}",
    f'<script>alert("{SCRIPT}")</script>{NAME}',
    f'"><img src=x onerror="{SCRIPT}">{PHONE}',
)
LEDGERS = {"roster", "register", "subsidy", "loan", "post"}
YEARS = (2023, 2024)


def plant_everywhere(plant, planted):
    """Wrap the demonstration's typing of a file: each column gets each text once."""

    def typing(frame, table, desk, plan, notes):
        rows, notes = plant(frame, table, desk, plan, notes)
        if desk.year in YEARS and len(rows):
            columns = [c for c in headings_of(desk.ledger, desk.year) if c in rows]
            cells = [(column, text) for column in columns for text in TEXTS]
            rows = rows.astype(dict.fromkeys(columns, object))
            for number, (column, text) in enumerate(cells):
                rows.iloc[number % len(rows), rows.columns.get_loc(column)] = text
            planted.setdefault(desk.ledger, set()).update(columns)
        return rows, notes

    return typing


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Results of ``evaluation run`` on a small demonstration with planted cells."""
    place, planted = tmp_path_factory.mktemp("planted"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(write, "plant", plant_everywhere(write.plant, planted))
        size = {"n_people": 4000, "policy_multiplier": 0.3, "first_year": 2015}
        ledgers = write.write_demo(place / "ledgers", seed=3, defects=False, **size)
    assert set(planted) == LEDGERS
    assert all("name" in columns or "number" in columns for columns in planted.values())
    result = call("run", "--years", "2024", "--ledgers", ledgers, home=place / "home")
    assert result.returncode == 0, result.stdout + result.stderr
    return place / "home"


def read_all(path):
    """All text of a file, escapes resolved."""
    text = path.read_text(encoding="utf-8-sig")
    if path.suffix == ".ipynb":
        text += json.dumps(json.loads(text), ensure_ascii=False)
    return text


def test_they_were_read(home):
    """Otherwise the next test would show nothing."""
    hashed, kept = pseudonyms([NAME], DEMONSTRATION_KEY, "name")[0], set()
    for ledger in LEDGERS:
        rows = pd.read_parquet(home / "data" / "demo" / "clean" / f"{ledger}.parquet")
        assert (rows["name_key"] == hashed).any(), ledger
        texts = rows.select_dtypes(["object", "string"]).astype(str)
        if texts.apply(lambda column: column.str.contains(SCRIPT)).to_numpy().any():
            kept.add(ledger)
    assert {"roster", "post"} <= kept  # what other ledgers hold is hashed or a code


def test_nothing_under_outputs_holds_any_of_them(home):
    files = [path for path in (home / "outputs").rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".csv", ".html", ".ipynb"} and len(files) > 50
    kinds = {"name": NAME, "number": NUMBER, "phone": PHONE, "script": SCRIPT}
    kinds |= {"masked number": "519999********1234", "any script": "<script"}
    found = [
        (path.name, kind)
        for path in files
        for kind, value in kinds.items()
        if value in read_all(path)
    ]
    assert found == []
