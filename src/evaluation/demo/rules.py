"""The numbers behind the demonstration world: hazards, selection, effects, quotas."""

from dataclasses import dataclass, field

import numpy as np

from evaluation.errors import EvaluationError

# The district's published totals; `policy_multiplier` multiplies them.
SUBSIDIES, BORROWERS, PRINCIPAL_WAN, POSTS, RURAL_POSTS = 168, 221, 3100, 1706, 776

# Log hazard ratio of closing a business (loan, subsidy); chance of going straight into
# open work when a post ends, and log odds ratio of finding it later (post).
EFFECTS = {"loan": -1.6, "subsidy": -0.35, "post": 0.38, "post_search": 0.08}
VIOLATIONS = ("trend", "dip", "follow_up", "survivors_only")


@dataclass(frozen=True)
class Rules:
    """One world's settings: calendar, letter's numbers, true effects, violations."""

    n_people: int
    first_year: int
    last_year: int
    multiplier: float
    effects: dict = field(default_factory=lambda: dict(EFFECTS))
    violations: dict = field(default_factory=dict)

    @property
    def months(self) -> range:
        """All months simulated: from the first returns on."""
        return range((self.first_year - 5) * 12, self.last_year * 12 + 12)

    @property
    def backdating(self) -> int:
        """Violation `survivors_only`: months by which recorded applications are too early."""
        return int(self.violations.get("survivors_only", 0))

    def scaled(self, number: int) -> int:
        """A number of the letter, multiplied."""
        return round(number * self.multiplier)


def make_rules(n_people, first_year, last_year, multiplier, effects, violations) -> Rules:
    """Check the settings and put them together.

    Raises
    ------
    EvaluationError
        On an unknown effect or violation, or a panel too short for the policies.
    """
    effects, violations = dict(effects or {}), dict(violations or {})
    unknown = (set(effects) - set(EFFECTS)) | (set(violations) - set(VIOLATIONS))
    if unknown:
        raise EvaluationError(f"示范数据没有这样的设定：{'、'.join(sorted(unknown))}。")
    if last_year < first_year + 9:
        raise EvaluationError("示范数据至少要有十年：补贴在第八年才开始。")
    return Rules(
        n_people, first_year, last_year, multiplier, {**EFFECTS, **effects}, violations
    )


def work_odds(people, town_effect) -> dict[str, np.ndarray]:
    """Monthly odds of finding work, keeping it, founding and closing a business.

    They depend on recorded, time-fixed traits and the township alone.
    """
    school, age = people["schooling"].to_numpy() - 2.0, people["age"].to_numpy() - 42.0
    female, poor = people["female"].to_numpy(), people["poor"].to_numpy()
    town = town_effect[people["township"].to_numpy()]
    logits = {
        "find": -3.3 + 0.28 * school - 0.020 * age - 0.35 * female - 0.60 * poor + town,
        "keep": 3.4 + 0.22 * school - 0.015 * age - 0.20 * female - 0.40 * poor + town,
        "found": -6.52 + 0.40 * school - 0.020 * age - 0.40 * female - 0.50 * poor,
        "close": -3.75 - 0.30 * school + 0.010 * age + 0.25 * female + 0.40 * poor - town,
    }
    return {name: np.exp(logit).astype(np.float32) for name, logit in logits.items()}


def selection(people, rules: Rules) -> dict[str, np.ndarray]:
    """Relative rate at which an eligible person enters each policy.

    The able and schooled borrow and apply, posts go to people in difficulty. Only
    recorded, time-fixed traits count, unless a violation is switched on.
    """
    school, age = people["schooling"].to_numpy() - 2.0, people["age"].to_numpy() - 42.0
    female, poor = people["female"].to_numpy(), people["poor"].to_numpy()
    hidden = 1.5 * people["latent"].to_numpy() if "trend" in rules.violations else 0
    logs = {
        "loan": 0.60 * school - 0.015 * age - 0.60 * female - 1.00 * poor + hidden,
        "subsidy": 0.50 * school - 0.010 * age - 0.40 * female - 0.70 * poor + hidden,
        "post": -0.35 * school + 0.030 * age + 0.30 * female + 1.00 * poor - hidden,
    }
    return {name: np.exp(log).astype(np.float32) for name, log in logs.items()}


def calendar_shift(month: int) -> float:
    """Log odds shift of work by month: the mild dip of spring 2020."""
    return -0.35 if 2020 * 12 + 1 <= month <= 2020 * 12 + 6 else 0.0


def spread(total: int, months: range, slope: float = 0.0) -> dict[int, int]:
    """Spread a whole number over months, exactly, rising by `slope` of the mean."""
    weight = 1 + slope * np.linspace(-0.5, 0.5, len(months))
    reached = np.rint(np.cumsum(weight) / weight.sum() * total).astype(int)
    return dict(zip(months, np.diff(reached, prepend=0).tolist(), strict=True))


def entry_quotas(rules: Rules) -> dict[str, dict[int, int]]:
    """How many enter each policy in each month.

    Loans run to June of the last year, when the letter was written. Subsidy
    applications exceed the number paid: some are refused, the last ones wait. Posts
    of the last year are left out: they fill up to the letter's number.
    """
    first, last = rules.first_year, rules.last_year
    loans = range((first + 5) * 12, last * 12 + 6)
    subsidies = range((first + 7) * 12, last * 12 + 12)
    posts = range((first + 3) * 12, last * 12)
    yearly = rules.scaled(395) * len(posts) / 12
    return {
        "loan": spread(rules.scaled(BORROWERS), loans, 0.5),
        "subsidy": spread(round(rules.scaled(SUBSIDIES) * 1.30) + 2, subsidies, 0.3),
        "post": spread(round(yearly), posts, 0.48),
    }
