"""What the page's templates ask of findings: words, sentences, single numbers."""

import math
import re

from markupsafe import Markup

from evaluation.findings.quotes import choose_template, compose, is_known, quote, say
from evaluation.findings.results import Findings
from evaluation.ledgers.codes import UNCONFIRMED

AXIS, WIDEST = (-15, 30), (-35, 40)  # ends of the interval bars, persons of 100


class View:
    """What a template may ask of findings: their words, sentences and numbers."""

    def __init__(self, findings: Findings):
        self.findings = findings
        self.words, self.page = findings.words, findings.words["page"]
        self.order = findings.rules["order"]

    def __getattr__(self, name):
        return getattr(self.findings, name)

    def say(self, policy: str, key: str) -> Markup:
        """The sentence that the policy's verdict permits."""
        return say(self.findings, policy, key)

    def text(self, key: str, policy: str | None = None, **bound) -> Markup:
        """A sentence of the page's own wording."""
        template = choose_template(self.findings, self.page, key, policy)
        return compose(self.findings, template, policy, bound)

    def warn(self, policy: str | None, key: str) -> Markup:
        """A sentence that may not be said, shown as such."""
        if policy is None:
            return compose(self.findings, self.page[key], as_warning=True)
        return compose(self.findings, self.wording(policy)[key], policy, as_warning=True)

    def name(self, code) -> str:
        """The reader's word for a code, also of a township."""
        code = str(code)
        if code.startswith(UNCONFIRMED):
            old = self.places.get(code.removeprefix(UNCONFIRMED), "")
            return f"{self.words['names']['unconfirmed']} {old}".strip()
        return self.words["names"].get(code) or self.places.get(code, code)

    def headline(self) -> list[tuple[str | None, Markup]]:
        """One phrase per policy, definite verdicts first; one for all if they agree."""
        badges = {self.wording(policy)["badge"] for policy in self.order}
        if len(badges) == 1:
            return [(self.order[0], self.text("all_headline", badge=badges.pop()))]
        rank = list(self.words["verdicts"])
        ordered = sorted(self.order, key=lambda policy: rank.index(self.verdict(policy)))
        return [(policy, self.say(policy, "headline")) for policy in ordered]

    def rows(self, name: str) -> list[dict]:
        """Rows of a published table."""
        return self.tables[name].to_dict("records")

    def cell(self, row: dict | None, column: str, style: str = "cell") -> Markup:
        """A number in a table: it carries its id, but is no link."""
        if row is None:
            return Markup(self.page["unknown"])
        return quote(self.findings, row["result_id"], f"{row['table']}.{column}", style, False)

    def number(self, result_id: str, column: str, style: str) -> Markup:
        """One number of one result, no link."""
        return quote(self.findings, result_id, column, style, False)

    def fill(self, policy: str | None, template: str, **bound) -> Markup:
        """Any template of the page's wording."""
        return compose(self.findings, template, policy, bound)

    def has_slots(self, policy: str, template: str) -> bool:
        """Whether every number of a template exists."""
        return is_known(self.findings, policy, template)

    def is_zero(self, policy: str, name: str) -> bool:
        """Whether the number of a slot is exactly zero."""
        slot = self.findings.rules["slots"].get(name)
        if slot is None:
            return False
        result_id = slot["id"].format(year=self.findings.year, policy=policy)
        return self.findings.results.get(result_id, {}).get(slot["column"]) == 0

    def slot(self, policy: str | None, name: str) -> Markup:
        """One number of a policy by the name of its slot."""
        return compose(self.findings, f"{{{name}}}", policy)

    def drawn(self, name: str) -> Markup:
        """One number of the plan inside a drawing."""
        slot = self.findings.rules["slots"][name]
        return quote(self.findings, slot["id"], slot["column"], slot["style"], tag="tspan")

    def has_slot(self, policy: str, name: str) -> bool:
        """Whether that number exists."""
        return is_known(self.findings, policy, f"{{{name}}}")

    def bind(self, label: str, row: dict) -> Markup:
        """A table's label with the id of its row: it may hold a number of its own (2023年)."""
        span = '<span data-id="{}" data-of="label">{}</span>'
        return Markup(span).format(row["result_id"], label)

    def label(self, row: dict, code: str) -> Markup:
        """The table's own label of a row in the page's language, else the word for a code."""
        return self.bind(row.get(f"label_{self.language}") or self.name(code), row)

    def source(self, result_id: str) -> Markup:
        """The id of a result, as it stands below a picture."""
        parts = re.split("(?<=[._])", result_id)  # where its line may break
        span = Markup('<span data-id="{}" data-of="id">{}</span>')
        return span.format(result_id, Markup("<wbr>").join(parts))

    def primary(self, policy: str) -> dict:
        """The result on which the verdict rests; empty where nothing may be shown."""
        if self.verdict(policy) in ("missing", "not_due", "too_few"):
            return {}
        return self.results.get(self.verdicts[policy].get("result_id"), {})

    def concludes(self, policy: str) -> bool:
        """Whether there is an effect to speak of: evaluated, and no check failed."""
        return bool(self.primary(policy)) and self.verdict(policy) != "do_not_conclude"

    def concluded(self) -> list[str]:
        """Policies with an effect to speak of."""
        return [policy for policy in self.order if self.concludes(policy)]

    def has_bars(self) -> bool:
        """Whether any policy has an interval to draw."""
        return any(self.interval(policy) for policy in self.order)

    def axis(self) -> tuple[float, float]:
        """Ends of the one axis that the interval bars share, wider where a bar needs it."""
        results = [self.primary(policy) for policy in self.concluded()]
        ends = [r[n] * 100 for r in results for n in ("conf_low", "conf_high") if n in r]
        low, high = min([AXIS[0], *ends]), max([AXIS[1], *ends])
        low, high = 5 * math.floor(low / 5), 5 * math.ceil(high / 5)
        return max(low, WIDEST[0]), min(high, WIDEST[1])

    def required(self) -> float:
        """The effect that the plan requires, persons of 100."""
        return self.plan["estimand"]["effect_that_matters"] * 100

    def place(self, persons: float) -> float:
        """Where persons of 100 stand on that axis, as a share of its length."""
        low, high = self.axis()
        return (min(max(persons, low), high) - low) / (high - low)

    def interval(self, policy: str) -> dict | None:
        """Ends of the interval bar as shares of the axis; ``open_`` where the axis cuts it."""
        result = self.primary(policy)
        if not self.concludes(policy) or "conf_low" not in result:
            return None
        ends = {name: result[name] * 100 for name in ("conf_low", "conf_high", "estimate")}
        low, high = self.axis()
        found = {name: self.place(value) for name, value in ends.items()}
        found["inside"] = low <= ends["estimate"] <= high
        found["required"] = self.place(self.required())
        return found | {
            "open_low": ends["conf_low"] < low,
            "open_high": ends["conf_high"] > high,
        }

    def people(self, policy: str) -> list[str]:
        """A hundred persons, row by row: anyway, because, unclear, less, idle."""
        result = self.primary(policy)
        kinds = ("anyway", "because", "unclear", "less", "idle")
        counts = [(kind, round(result.get(f"{kind}_share", 0) * 100)) for kind in kinds]
        return [kind for kind, count in counts for _ in range(count)]
