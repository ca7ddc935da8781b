"""One question put to one set of persons: the plan's, another one, or another panel's.

Whatever is asked, the tables have the same form, so that the notebook does not branch.
"""

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from evaluation.effects.balancing import add_lags
from evaluation.effects.codings import keep_apart
from evaluation.effects.guards import check_panel, check_risk_sets
from evaluation.errors import EstimationError, TableError
from evaluation.panel.months import name_persons
from evaluation.panel.sets import load_sets
from evaluation.paths import Folders
from evaluation.tables import publish_table, read_table, write_whole

CUMULATIVE = {"months_open_cumulative": "months_open"}
# Shown apart, as the mechanical part of a post; in no family of tests.
MECHANICAL = {"post": ["months_post"]}


@dataclass(frozen=True)
class Study:
    """Tables and settings of one question.

    Attributes
    ----------
    kind
        ``plan`` (published), ``exploratory`` (the district's panel, another question)
        or ``outside`` (another panel).
    persons, years, risk_sets, stay_weights
        As `evaluation.panel` makes them; an outside panel is brought into their form.
    horizon
        Event time of the primary effect; missing: the simple average.
    history, lags
        Columns of past work at entry, and of what came before the placebo's year.
    realised
        Whether intervals also serve the effect on these very persons.
    notes
        What the guards found, in Chinese.
    """

    kind: str
    policy: str
    outcome: str
    horizon: int | None
    edition: int
    covariates: list[str]
    persons: pd.DataFrame
    years: pd.DataFrame
    risk_sets: pd.DataFrame
    stay_weights: pd.DataFrame
    subgroup: str = "all"
    secondary: list[str] = field(default_factory=list)
    history: list[str] = field(default_factory=list)
    lags: list[str] = field(default_factory=list)
    event_times: range | None = None
    realised: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def cohorts(self) -> list[int]:
        """Cohorts with recipients, those that have reached the horizon only."""
        last = self.edition - (self.horizon or 0)
        treated = self.risk_sets.loc[self.risk_sets["treated"] == 1, "cohort"]
        return sorted(int(g) for g in treated.unique() if g <= last)

    @property
    def primary_times(self) -> list[int] | None:
        """Event times that the primary effect rests on; none = all, which are averaged."""
        return None if self.horizon is None else [self.horizon]

    @property
    def compared_at(self) -> int | None:
        """Event time whose comparison persons also stand for the years before entry.

        None for another panel, whose earlier effects are those of R's ``did``.
        """
        return None if self.kind == "outside" else self.horizon

    def settings(self, outcome: str | None = None) -> dict:
        """Arguments that every model call shares."""
        name = outcome or self.outcome
        return {
            "outcome": CUMULATIVE.get(name, name),
            "cumulative": name in CUMULATIVE,
            "covariates": self.covariates,
            "edition": self.edition,
            "realised": self.realised,
        }


def load_study(folders: Folders, plan: dict, year: int, policy: str, **asked) -> Study:
    """Read the tables of a question.

    Parameters
    ----------
    asked
        The notebook's other parameters: ``outcome, horizon, subgroup`` (empty, −1 and
        empty = the plan's), and for another panel ``panel, unit, time, cohort, cluster,
        covariates, control``.
    """
    least = {name: plan["gates"][name] for name in ("min_treated", "min_comparison")}
    if asked.get("panel"):
        names = ("outcome", "unit", "time", "cohort", "cluster", "covariates", "control")
        chosen = {name: asked[name] for name in names} | least
        return read_outside(Path(asked["panel"]), policy, asked["horizon"], **chosen)
    if policy not in plan["policies"]:
        raise EstimationError(f"未知的政策：{policy}。可选：{'、'.join(plan['policies'])}。")
    tables = folders.panel(year)
    persons, years = (read_table(tables / f"{n}.parquet") for n in ("persons", "years"))
    people = pd.Index(persons["person_id"])
    persons, years = name_persons(persons, people), name_persons(years, people)
    kept = load_sets(tables, policy, persons, plan, year)
    sets, stay = (name_persons(kept[name], people) for name in ("risk_sets", "stay"))
    settings, outcomes = plan["policies"][policy], plan["outcomes"]
    chosen = asked["outcome"] or outcomes["primary"]
    checked = years, CUMULATIVE.get(chosen, chosen)
    history = [f"hist_{k}" for k in range(1, plan["designs"]["history_bins"] + 1)]
    study = Study(
        kind="plan",
        policy=policy,
        outcome=outcomes["primary"],
        horizon=settings["horizon"],
        edition=year,
        covariates=list(settings["covariates"]),
        persons=persons.assign(entry_year=persons[f"{policy}_year"]),
        years=years,
        risk_sets=add_lags(sets, history),
        stay_weights=stay,
        secondary=[*outcomes["secondary"], *MECHANICAL.get(policy, [])],
        history=history,
        lags=[f"lag_{k}" for k in range(1, 5)],
        event_times=range(settings["event_times"][0], settings["event_times"][1] + 1),
        realised=plan["estimand"]["realised"],
        notes=check_risk_sets(sets, settings["covariates"], *checked, **least),
    )
    return ask_otherwise(study, **{n: asked[n] for n in ("outcome", "horizon", "subgroup")})


def ask_otherwise(study: Study, outcome: str = "", horizon: int = -1, subgroup: str = ""):
    """Another outcome, horizon or subgroup than the plan's: exploratory from then on.

    A subgroup reads ``name=value``, a column of the risk sets or of the persons;
    comparison persons without a value (such as the kind of post) stay.
    """
    changes = {}
    if outcome and outcome != study.outcome:
        known = [*study.years.columns, *CUMULATIVE]
        if outcome not in known:
            raise EstimationError(f"没有结果变量“{outcome}”。可选：{known}。")
        changes["outcome"] = outcome
    if horizon not in (-1, study.horizon):
        changes["horizon"] = horizon
    if subgroup not in ("", "all"):
        changes |= {"subgroup": subgroup, "risk_sets": keep_subgroup(study, subgroup)}
    return replace(study, kind="exploratory", secondary=[], **changes) if changes else study


def keep_subgroup(study: Study, subgroup: str) -> pd.DataFrame:
    """Rows of the risk sets that belong to a subgroup."""
    name, _, value = subgroup.partition("=")
    sets, persons = study.risk_sets, study.persons
    if name not in sets and name not in persons:
        raise EstimationError(f"没有分组变量“{name}”。写法如 female=1。")
    column = (
        sets[name]
        if name in sets
        else sets["person_id"].map(persons.set_index("person_id")[name])
    )
    as_text = column.astype("str").str.removesuffix(".0")
    free = column.isna() & (sets["treated"] == 0)
    return sets[(as_text == value) | free].reset_index(drop=True)


def read_outside(path: Path, policy: str, horizon: int, **names) -> Study:
    """Read another panel (csv or parquet) as a study.

    Raises
    ------
    EstimationError
        If the file is missing or the panel fails `guards.check_panel`.
    """
    if not path.is_file():
        raise EstimationError(f"找不到面板文件：{path.name}。")
    panel = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    listed = names.pop("covariates")
    covariates = [c.strip() for c in listed.split(",") if c.strip() not in ("", "none")]
    study = shape_panel(panel, covariates=covariates, **names)
    return replace(study, policy=policy, horizon=None if horizon == -1 else horizon)


def shape_panel(
    panel, *, outcome, unit, time, cohort, cluster="", covariates=(), control, **least
) -> Study:
    """Bring any panel into the form of the district's tables.

    Cohort g's risk set: units first treated at g and all not treated by then (or, with
    ``never_treated``, ever), each once, weight 1. Covariates are read in the last period
    before g and past outcomes, all of them, take the place of past work. Where the year
    before g was not observed, the cohort is named by the period after the last one seen.
    `least`: ``min_treated`` and ``min_comparison`` of `guards.check_panel`.
    """
    covariates = list(covariates)
    names = {"outcome": outcome, "unit": unit, "time": time, "cohort": cohort}
    panel, notes = check_panel(
        panel, **names, cluster=cluster or None, covariates=covariates, control=control, **least
    )
    own = keep_apart([outcome, *covariates])
    roles = {"person_id": unit, "year": time, "cohort": cohort, "cluster": cluster or unit}
    roles |= {new: name for name, new in own.items()}
    rows = pd.DataFrame({new: panel[name] for new, name in roles.items()})
    outcome, covariates = own[outcome], [own[name] for name in covariates]
    rows = rows.astype({"year": int}).sort_values(["person_id", "year"], kind="stable")
    times = np.sort(rows["year"].unique())
    first = rows.groupby("person_id")["cohort"].first()
    before = np.searchsorted(times, first.to_numpy(dtype=float), side="left") - 1
    first = first.where(first.isna(), times[before] + 1.0)
    wide = rows.pivot(index="person_id", columns="year", values=outcome).reindex(first.index)
    parts = []
    for g in sorted(first.dropna().unique()):
        last = times[times < g][-1]
        others = first.isna() if control == "never_treated" else ~(first <= g)
        at = rows[rows["year"] == last].set_index("person_id").reindex(first.index)
        part = at[["cluster", *covariates]].assign(cohort=int(g), untreated_until=first)
        part["treated"] = (first == g).astype("int8")
        earlier = [t for t in times if t < g]
        past = wide[earlier].set_axis([f"hist_{k}" for k, _ in enumerate(earlier, 1)], axis=1)
        lags = past.iloc[:, :-1].add_prefix("lag_")  # all but the year of the placebo
        parts.append(part.join([past, lags])[(first == g) | others])
    sets = pd.concat(parts).reset_index(names="person_id")
    history = [name for name in sets if name.startswith("hist_")]
    lags = [name for name in sets if name.startswith("lag_")]
    # A cohort with fewer earlier periods: a constant balances nothing.
    short = {n: sets.groupby("cohort")[n].transform("count") == 0 for n in history + lags}
    sets = sets.assign(**{n: sets[n].mask(none, 0.0) for n, none in short.items()})
    sets = sets.assign(month=sets["cohort"] * 12, entry_month=1, drawn=1, draw_share=1.0)
    sets["cluster"] = sets["cluster"].fillna(
        sets["person_id"].map(rows.groupby("person_id")["cluster"].first())
    )
    sets.loc[sets["treated"] == 1, "untreated_until"] = np.nan
    persons = pd.DataFrame({"person_id": first.index, "entry_year": first.to_numpy()})
    persons["township"] = rows.groupby("person_id")["cluster"].first().to_numpy()
    persons["observed_until"] = pd.Timestamp.max
    others = sets.loc[sets["treated"] == 0, ["cohort", "person_id"]].assign(weight=1.0)
    stay = others.merge(pd.DataFrame({"year": times}), how="cross")
    return Study(
        kind="outside",
        policy="",
        outcome=outcome,
        horizon=None,
        edition=int(times[-1]),
        covariates=covariates,
        persons=persons,
        years=rows[["person_id", "year", outcome]].reset_index(drop=True),
        risk_sets=sets,
        stay_weights=stay,
        history=history,
        lags=lags,
        notes=notes,
    )


def publish_study(study: Study, folders: Folders, out: str, tables: dict) -> list[Path]:
    """Write the results where they belong.

    The plan's question: every table, through the one door. Another question:
    ``exploratory_<policy>_<hash>.csv`` only, which the page never reads. Another panel:
    its estimates as csv in the folder `out`; public data, so nothing is suppressed.

    Parameters
    ----------
    tables
        Name (``estimates``, ``checks``, ``verdict``, ``paths``, ``bounds``) to frame.
    """
    if study.kind == "outside":
        if not out:
            return []
        path = Path(out) / f"estimates_{study.policy}.csv"
        return [write_whole(path, lambda draft: tables["estimates"].to_csv(draft, index=False))]
    keys = {
        "estimates": "result_id",
        "checks": "gate",
        "verdict": "policy",
        "paths": "result_id",
        "bounds": "result_id",
    }
    year, policy = study.edition, study.policy
    if study.kind == "exploratory":
        asked = f"{study.outcome}|{study.horizon}|{study.subgroup}"
        name = f"exploratory_{policy}_{hashlib.sha256(asked.encode()).hexdigest()[:8]}"
        return [publish_table(tables["estimates"], name, folders, year, key=["result_id"])]
    absent = set(keys) - set(tables)
    if absent:
        raise TableError(f"缺少要发布的表：{sorted(absent)}。")
    counts = {"paths": ["n"], "verdict": ["n_participants", "n_evaluated"]}
    return [
        publish_table(
            tables[name],
            f"{name}_{policy}",
            folders,
            year,
            key=[key],
            counts=counts.get(name, []),
        )
        for name, key in keys.items()
    ]
