"""The whole way on demonstration ledgers: every notebook through papermill, two editions."""

import json
import os
import re
import shutil
import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from conftest import ROOT

from evaluation.codebook import list_tables
from evaluation.panel.build import build_panel
from evaluation.plan import load_district
from evaluation.tables import read_table

YEARS = (2023, 2024)
COMMAND = [sys.executable, "-m", "evaluation.cli"]


def call(*arguments, home, cwd=ROOT, **extra):
    """Run the command line as a user does, with results under `home`."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("EVALUATION_")}
    kept |= {"PYTHONIOENCODING": "utf-8", "EVALUATION_OUT": str(home)} | extra
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        cwd=cwd,
        env=kept,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Results of ``evaluation run --years 2023-2024`` on demonstration ledgers."""
    folder = tmp_path_factory.mktemp("home")
    result = call("run", "--years", "2023-2024", home=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def published(home, name, year=2024):
    return pd.read_csv(home / "outputs" / "demo" / str(year) / f"{name}.csv")


def test_every_notebook_ran_and_both_pages_stand(home):
    for year in YEARS:
        edition = home / "outputs" / "demo" / str(year)
        executed = {path.stem for path in (edition / "notebooks").glob("*.ipynb")}
        assert len(executed) == 12 and {"5_robustness_loan", "8_findings_en"} <= executed
        for page in ("findings.html", "findings.en.html"):
            assert (edition / page).stat().st_size < 600_000
    assert (home / "outputs" / "demo" / "index.html").is_file()
    assert (home / "data" / "demo" / "notebooks" / "1_ledgers.ipynb").is_file()
    assert not (home / "data" / "demo" / "failed").exists()


def test_an_edition_before_the_first_subsidy_has_a_page_that_says_so(home):
    result = call("run", "--years", "2016", home=home)
    assert result.returncode == 0, result.stdout
    verdict = published(home, "verdict_subsidy", 2016).iloc[0]
    assert (verdict["verdict"], verdict["n_participants"]) == ("too_few", 0)
    page = home / "outputs" / "demo" / "2016" / "findings.html"
    assert "证据不足" in page.read_text(encoding="utf-8")


def test_second_run_does_nothing_and_says_so(home):
    result = call("run", "--years", "2023-2024", home=home)
    assert result.returncode == 0
    assert "没有变化" in result.stdout


def test_each_aggregate_stands_once_per_design_outcome_and_subgroup(home):
    for policy in ("subsidy", "loan", "post"):
        estimates = published(home, f"estimates_{policy}")
        assert estimates["result_id"].is_unique
        terms = estimates[estimates["term"].isin(["primary", "simple"])]
        assert not terms.duplicated(["design", "term", "outcome", "subgroup"]).any()
        main = estimates.query("term == 'primary' and outcome == 'employed_open'")
        assert {"naive", "cs", "balanced", "published"} <= set(main["design"])
        by_design = main.set_index("design")
        limits = by_design.loc[["cs", "balanced"]]
        union = by_design.loc["published"]
        assert union["conf_low"] == pytest.approx(limits["conf_low"].min())
        assert union["conf_high"] == pytest.approx(limits["conf_high"].max())


def test_bounds_stand_beside_the_estimate_and_widen_with_the_drift_allowed(home):
    for policy in ("subsidy", "loan", "post"):
        bounds = published(home, f"bounds_{policy}")
        assert bounds["result_id"].is_unique
        by_term = bounds.set_index("term")
        wide = by_term.loc["relative_magnitudes"].sort_values("m")
        assert wide["conf_low"].is_monotonic_decreasing
        assert wide["conf_high"].is_monotonic_increasing
        estimates = published(home, f"estimates_{policy}").set_index("result_id")
        cs = estimates.loc[f"2024.{policy}.cs.primary.employed_open.all"]
        assert wide["estimate"].to_list() == pytest.approx([cs["estimate"]] * len(wide))
        broken = by_term.loc["breakdown", "m"] == 0
        assert broken == (cs["conf_low"] <= 0 <= cs["conf_high"])
        assert by_term.filter(like="pretrend", axis=0)["power"].between(0, 1).all()


def test_the_steps_from_the_last_edition_add_up_from_its_number_to_this_one(home):
    moved = published(home, "revisions").set_index("policy")
    for policy in ("loan", "post"):
        steps = published(home, f"bridges_{policy}").set_index("step")
        name = f"2023.{policy}.published.primary.employed_open.all"
        before = published(home, f"estimates_{policy}", 2023).set_index("result_id").loc[name]
        assert moved.loc[policy, "before"] == pytest.approx(before["estimate"])
        assert steps["change"].sum() == pytest.approx(moved.loc[policy, "difference"])
        assert steps.loc[["code", "plan", "boundary"], "change"].tolist() == [0, 0, 0]


def test_published_totals_agree_at_the_end_of_2024(home):
    agreement = published(home, "agreement")
    told = agreement[agreement["difference"].notna()]
    assert len(told) >= 5
    assert (told["difference"].abs() < 1e-6).all()


def test_nothing_under_outputs_holds_a_number_phone_key_or_path(home):
    persons = pd.read_parquet(home / "data" / "demo" / "panel" / "2024" / "persons.parquet")
    known = set(persons["person_id"])
    resident = re.compile(r"(?<!\d)519999\d{11}[\dX]")
    for path in (home / "outputs").rglob("*"):
        if path.suffix in {".csv", ".html", ".ipynb", ".json"}:
            text = path.read_text(encoding="utf-8-sig")
            assert not resident.search(text), path
            assert str(home) not in text and str(ROOT) not in text, path
            assert not known & set(re.findall(r"\b[0-9a-f]{32}\b", text)), path


def test_small_counts_in_breakdowns_are_suppressed_and_the_rest_rounded(home):
    reach = published(home, "reach")
    assert reach["suppressed"].notna().any()
    assert reach.loc[reach["suppressed"].notna(), "n"].isna().all()
    shown = reach.loc[reach["level"] != "all", "n"].dropna()
    assert (shown >= 10).all()
    assert (shown % 5 == 0).all()


def test_a_notebook_runs_by_itself_from_its_own_folder(home, tmp_path):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("EVALUATION_")}
    environment["EVALUATION_OUT"] = str(shutil.copytree(home, tmp_path / "home"))
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "4_effect.ipynb", str(tmp_path / "out.ipynb"),
         "-p", "year", "2024", "-p", "policy", "post", "-p", "horizon", "3"],
        cwd=ROOT / "notebooks",
        env=environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    edition = tmp_path / "home" / "outputs" / "demo" / "2024"
    exploratory = list(edition.glob("exploratory_post_*.csv"))
    assert len(exploratory) == 1
    # The published table is untouched by another question.
    before = (home / "outputs" / "demo" / "2024" / "estimates_post.csv").read_bytes()
    assert (edition / "estimates_post.csv").read_bytes() == before


def test_a_cell_added_by_hand_appears_on_the_page(home, tmp_path):
    executed = home / "outputs" / "demo" / "2024" / "notebooks" / "8_findings.ipynb"
    notebook = nbformat.read(executed, as_version=4)
    notebook.cells.insert(-1, nbformat.v4.new_markdown_cell("研究者手工添加的一段话。"))
    changed = tmp_path / "8_findings.ipynb"
    nbformat.write(notebook, changed)
    result = call("export", changed, home=home)
    assert result.returncode == 0, result.stderr
    page = (tmp_path / "8_findings.html").read_text(encoding="utf-8")
    assert "研究者手工添加的一段话。" in page
    assert "exploratory" not in page


def test_an_edition_does_not_look_past_its_year(home, tmp_path):
    """Edition 2023 from the files received by 2023 alone: the same persons and outcomes."""
    data = home / "data" / "demo"
    reference = ROOT / "data" / "reference"
    tables = {}
    for ledger in ("roster", "register", "subsidy", "loan", "post"):
        rows = pd.read_parquet(data / "clean" / f"{ledger}.parquet")
        assert (rows["received"] == 2024).any(), "nothing would be left out"
        tables[ledger] = rows[rows["received"] <= 2023].reset_index(drop=True)
    panel = build_panel(tables, 2023, load_district(reference))
    for name in ("persons", "years", "costs"):
        file = f"{name}.parquet"
        getattr(panel, name).reset_index(drop=True).to_parquet(tmp_path / file)
        now = read_table(data / "panel" / "2023" / file)
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / file), now)


def test_ledgers_without_a_roster_are_refused_in_words_and_by_exit_code(tmp_path):
    ledgers = tmp_path / "ledgers" / "2024"
    ledgers.mkdir(parents=True)
    (ledgers / "名册.xlsx").write_bytes(b"PK\x03\x04 damaged")
    result = call("run", "--ledgers", ledgers.parent, home=tmp_path / "home")
    assert result.returncode == 3, result.stdout + result.stderr
    assert "名册.xlsx" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert not list((tmp_path / "home").rglob("*.csv"))


def test_every_table_of_persons_is_declared_column_by_column(home):
    data, found = home / "data" / "demo", {}
    for path in sorted(data.rglob("*.parquet")):
        if path.parent.name == "told":  # counts behind what was withheld; no person
            continue
        name = re.sub(r"/\d{4}/", "/<year>/", path.relative_to(data).as_posix())
        name = re.sub(r"_(subsidy|loan|post)\.", "_<policy>.", name)
        found.setdefault(name, path)
    declared = {table.path: table for table in list_tables()}
    assert set(found) == set(declared)
    for name, path in found.items():
        table = read_table(path)
        assert list(table) == list(declared[name].columns), name
        assert table.attrs["key"] == list(declared[name].key), name


def test_check_counts_rows_without_estimating(home):
    folder = home / "data" / "demo" / "ledgers" / "2020"
    result = call("check", folder, "--format", "json", home=home)
    assert result.returncode == 0, result.stderr
    accounting = json.loads(result.stdout)
    assert {"roster", "register", "post"} <= {table["ledger"] for table in accounting["tables"]}
    for table in accounting["tables"]:
        assert table["rows_read"] == table["rows_kept"] + len(table["set_aside"])
    assert not re.search(r"519999\d{6}", result.stdout)


def test_the_next_edition_is_compared_with_the_frozen_one_which_no_rerun_touches(
    home, tmp_path
):
    place = shutil.copytree(home, tmp_path / "home")
    outputs = place / "outputs" / "demo"
    refused = call("publish", "--years", "2023", home=place)
    assert refused.returncode == 1 and "--demonstration" in refused.stderr
    done = call("publish", "--years", "2023", "--demonstration", home=place)
    assert done.returncode == 0, done.stderr
    frozen = outputs / "published" / "2023"
    before = {path: path.read_bytes() for path in frozen.rglob("*") if path.is_file()}
    assert published(place, "revisions")["source"].eq("rerun").all()
    # What was published said something else than a rerun does now.
    (frozen / "estimates_loan.csv").chmod(0o644)
    table = pd.read_csv(frozen / "estimates_loan.csv")
    main = table["result_id"] == "2023.loan.published.primary.employed_open.all"
    table.loc[main, "estimate"] += 0.02
    table.to_csv(frozen / "estimates_loan.csv", index=False, encoding="utf-8-sig")
    assert call("publish", "--check", home=place).returncode == 1
    again = call("run", "--years", "2024", home=place)
    assert again.returncode == 0, again.stdout + again.stderr
    assert published(place, "revisions")["source"].eq("frozen").all()
    steps = published(place, "bridges_loan").set_index("step")
    assert steps.loc["code", "change"] == pytest.approx(-0.02)
    before.pop(frozen / "estimates_loan.csv")
    assert all(path.read_bytes() == content for path, content in before.items())
    index = (outputs / "index.html").read_text(encoding="utf-8")
    assert 'href="published/2023/findings.html"' in index
