"""Two editions tell together what neither tells alone."""

import shutil

import pandas as pd
import pytest
from conftest import ROOT
from made_up_findings import make_folders

from evaluation.batch.graph import READS_FROZEN
from evaluation.findings import editions
from evaluation.tables import publish_table, read_published

SHAPE = {"key": ["group", "trait", "level"], "counts": ["n"], "by": ["group", "trait", "level"]}
GROWING = editions.GROWING
# The first township crosses the threshold; of 28, 29 or 30 and 26 to 30 one more was found.
EARLIER, LATER = (9, 27, 28), (10, 27, 28)


@pytest.fixture
def folders(tmp_path):
    return make_folders(tmp_path)


def reach(counts):
    levels = [*(f"51170200{n}" for n in range(len(counts))), "all"]
    frame = pd.DataFrame({"level": levels, "n": [*counts, sum(counts)]})
    return frame.assign(group="loan", trait="township")


def publish(folders, year, counts):
    publish_table(reach(counts), "reach", folders, year, **SHAPE)
    return read_published("reach", folders, year)["n"].isna().tolist()


def freeze(folders, year):
    shutil.copytree(folders.edition(year), folders.published(year))


@pytest.fixture(autouse=True)
def only_counts(monkeypatch):
    shape = {"counts": ["n"], "by": SHAPE["by"], "rates": {}}
    monkeypatch.setattr(editions, "GROWING", {"reach": shape})


def test_by_itself_the_later_edition_has_nothing_to_withhold(folders):
    assert publish(folders, 2023, EARLIER) == [True, True, False, False]
    assert publish(folders, 2024, LATER) == [False] * 4


def test_beside_a_frozen_edition_it_withholds_what_would_tell_of_it(folders):
    publish(folders, 2023, EARLIER)
    freeze(folders, 2023)
    assert publish(folders, 2024, LATER) == [True, True, False, False]


def test_whoever_freezes_is_told_of_an_edition_that_was_run_before(folders):
    publish(folders, 2023, EARLIER)
    publish(folders, 2024, LATER)
    assert editions.find_narrowed(folders, 2024) == []
    assert "--force" in editions.find_narrowed(folders, 2024, (2023, 2024))[0]
    freeze(folders, 2023)
    assert "reach" in editions.find_narrowed(folders, 2024)[0]
    publish(folders, 2024, LATER)
    assert editions.find_narrowed(folders, 2024) == []


def test_the_true_counts_stay_with_the_data(folders):
    publish(folders, 2023, EARLIER)
    path = folders.edition(2023) / "reach.csv"
    assert editions.read_true(folders, path)["n"].tolist() == [*EARLIER, sum(EARLIER)]
    assert not list(folders.outputs.rglob("*.parquet"))


def test_editions_that_contradict_each_other_tell_nothing(folders):
    publish(folders, 2023, (40, 27, 28))
    freeze(folders, 2023)
    assert publish(folders, 2024, EARLIER) == [True, True, False, False]


def test_the_exact_totals_of_a_frozen_edition_are_known_without_its_true_counts(folders):
    publish(folders, 2023, EARLIER)
    freeze(folders, 2023)
    shutil.rmtree(folders.data / "told")
    assert publish(folders, 2024, LATER) == [True, True, False, False]


def test_a_count_that_shrank_does_not_end_the_comparison_of_others(folders):
    # Of the posts three rows turned out to be wrong: 132 can no longer have grown to 129.
    posts = reach((44, 44, 44)).assign(group="post")
    publish_table(pd.concat([reach(EARLIER), posts]), "reach", folders, 2023, **SHAPE)
    freeze(folders, 2023)
    posts = reach((43, 43, 43)).assign(group="post")
    publish_table(pd.concat([reach(LATER), posts]), "reach", folders, 2024, **SHAPE)
    told = read_published("reach", folders, 2024)["n"].isna().tolist()
    assert told == [True, True, *[False] * 6]


@pytest.mark.parametrize("name", GROWING)
def test_no_notebook_shows_what_its_table_withholds_beside_other_editions(name):
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "notebooks").glob("*.ipynb")]
    shown = [line for text in texts for line in text.splitlines() if f"counts({name}," in line]
    assert shown and all("recalled=frozen" in line for line in shown)
    calls = [text for text in texts if f'recall_published(\\"{name}\\"' in text]
    assert len(calls) == len(shown)


def test_the_batch_runs_again_what_is_compared_with_a_newly_frozen_edition():
    assert {name for names in READS_FROZEN.values() for name in names} == set(GROWING)
