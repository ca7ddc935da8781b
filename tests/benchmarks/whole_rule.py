"""The whole rule on one study: both designs, all gates, the verdict; as `4_effect` does."""

from evaluation.effects import gates
from evaluation.effects.aggregation import keep_cohorts, pool_at
from evaluation.effects.balancing import balanced_effects, stack_sets
from evaluation.effects.district import risk_set_effects
from evaluation.effects.estimates import tabulate_estimates
from evaluation.effects.verdict import count_persons, tabulate_verdict


def stack_twice(study) -> tuple:
    """Stacked sets with past work for `balanced`, and with what came before for the placebo."""
    return tuple(
        stack_sets(study.risk_sets, study.covariates, past, study.cohorts)
        for past in (study.history, study.lags)
    )


def judge_study(study, stacks: tuple, plan: dict, words: dict) -> dict:
    """Estimates, states of the gates and verdict; only the event times these rest on.

    Parameters
    ----------
    stacks
        As `stack_twice` gives them; studies with the same risk sets share them.
    """
    h, tables = study.horizon, (study.years, study.stay_weights)
    times, (stacked, before) = [*range(-12, -1), h], stacks
    chosen = {"event_times": times, "compared_at": study.compared_at}
    cs = risk_set_effects(study.risk_sets, *tables, **study.settings(), **chosen)
    balanced, report = balanced_effects(stacked, *tables, **study.settings(), event_times=[h])
    estimates = tabulate_estimates(
        {"cs": cs, "balanced": balanced},
        year=study.edition,
        policy=study.policy,
        outcome=study.outcome,
        horizon=h,
        terms=["primary"],
    )
    due = sorted(cs.effects.query("event_time == @h")["cohort"].unique())
    sets = study.risk_sets[study.risk_sets["cohort"].isin(due)]
    cs_due = keep_cohorts(cs, due)
    placebo, _ = balanced_effects(before, *tables, **study.settings(), event_times=[-1])
    rows = [
        gates.check_balance(report, h, plan),
        gates.check_overlap(sets, study.covariates, due, plan),
        gates.check_follow_up(
            sets, study.persons, study.years, **study.settings(), horizon=h, plan=plan
        ),
        gates.check_drift(cs_due, h, plan),
        gates.check_placebo(placebo, plan),
        gates.check_agreement(cs, balanced, h, plan),
        gates.check_extrapolation(cs_due, h, plan),
    ]
    checks = gates.tabulate_gates(rows, words)
    sizes = count_persons(study, cs, balanced)
    verdict = tabulate_verdict(study, estimates, checks, sizes, plan)
    return {
        "cs": cs,
        "balanced": balanced,
        "estimates": estimates,
        "checks": checks,
        "verdict": verdict.iloc[0],
        "n_comparison": sizes["n_comparison"],
    }


def treated_at_horizon(design, horizon: int):
    """Persons treated and used at the horizon."""
    return design.units["unit"][pool_at(design, horizon).treated]
