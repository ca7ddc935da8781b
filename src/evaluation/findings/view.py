"""What the page's templates ask of findings: words, sentences, tables, drawings."""

import re

import pandas as pd
from markupsafe import Markup

from evaluation.findings import figures
from evaluation.findings.quotes import compose, is_known, quote, say
from evaluation.findings.results import Findings

_PAPER = {figures.INK: "ink", figures.SOFT: "soft", figures.ACCENT: "accent"}
_PAPER |= {figures.PERSON: "person", figures.BAND: "band", "#ffffff": "paper"}


class View:
    """What a template may ask of findings: their words, sentences, tables, drawings."""

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
        return compose(self.findings, self.page[key], policy, bound)

    def warn(self, policy: str | None, key: str) -> Markup:
        """A sentence that may not be said, shown as such."""
        if policy is None:
            return compose(self.findings, self.page[key], as_warning=True)
        return compose(self.findings, self.wording(policy)[key], policy, as_warning=True)

    def word(self, policy: str | None, key: str) -> str:
        """A word of the verdict that is no sentence: badge, mark."""
        return self.wording(policy)[key]

    def name(self, code) -> str:
        """The reader's word for a code, also of a township."""
        code = str(code)
        if code.startswith("unconfirmed:"):
            return (
                f"{self.words['names']['unconfirmed']} {self.places.get(code[12:], '')}".strip()
            )
        return self.words["names"].get(code) or self.places.get(code, code)

    def headline(self) -> list[Markup]:
        """One phrase per policy, definite verdicts first; one for all if they agree."""
        codes = {self.verdict(policy) for policy in self.order}
        if len(codes) == 1:
            badge = self.word(self.order[0], "badge")
            return [self.text("all_headline", badge=badge)]
        rank = list(self.words["verdicts"])
        ordered = sorted(self.order, key=lambda policy: rank.index(self.verdict(policy)))
        return [self.say(policy, "headline") for policy in ordered]

    def rows(self, name: str) -> list[dict]:
        """Rows of a published table."""
        return self.tables[name].to_dict("records")

    def cell(self, row: dict | None, column: str, style: str = "cell") -> Markup:
        """A number in a table: it carries its id, but is no link."""
        if row is None:
            return Markup(self.page["unknown"])
        return quote(self.findings, row["result_id"], f"{row['table']}.{column}", style, False)

    def slot(self, policy: str, name: str) -> Markup:
        """One number of a policy by the name of its slot."""
        return compose(self.findings, f"{{{name}}}", policy)

    def has_slot(self, policy: str, name: str) -> bool:
        """Whether that number exists."""
        return is_known(self.findings, policy, f"{{{name}}}")

    def plain(self, key: str, policy: str) -> str:
        """A sentence without numbers as plain text, for alternative texts."""
        return self.text(key, policy).striptags()

    def reach_table(self) -> dict | None:
        """Traits of participants beside all returnees, per 100."""
        rows = [row for row in self.rows("reach") if row.get("trait") != "township"]
        columns = ["returnees", *self.order]
        return self._pivot(rows, "level", "group", columns, "share", "share")

    def township_table(self) -> dict | None:
        """Persons by township; the total last."""
        rows = [row for row in self.rows("reach") if row.get("trait") == "township"]
        return self._pivot(rows, "level", "group", ["returnees", *self.order], "n", "cell")

    def _pivot(self, rows, label, by, columns, value, style) -> dict | None:
        """Lay long rows out as label by column; codes become words."""
        if not rows:
            return None
        cells = {(row[label], row[by]): row for row in rows}
        labels = dict.fromkeys(row[label] for row in rows)
        columns = [c for c in columns if any(row[by] == c for row in rows)]
        body = [
            (
                self.bind(self.name(name), cells[name, columns[0]]),
                [self.cell(cells.get((name, c)), value, style) for c in columns],
            )
            for name in labels
        ]
        return {"columns": [self.name(c) for c in columns], "rows": body}

    def funnel_table(self) -> list:
        """Persons left after each step, with their share of the first."""
        rows = self.rows("funnel")
        cells = {(row["step"], row["policy"]): row for row in rows}
        first = {row["policy"]: row["n"] for row in reversed(rows)}
        body = []
        for step in dict.fromkeys(row["step"] for row in rows):
            line = []
            for policy in self.order:
                row = cells.get((step, policy))
                known = row is not None and pd.notna(row["n"]) and first[policy] > 0
                share = row["n"] / first[policy] if known else None
                line.append((self.cell(row, "n"), share))
            body.append((self.label(step, rows, "step"), line))
        return body

    def label(self, code, rows, column) -> str:
        """The table's own label of a code in the page's language, else the word for it."""
        row = next(row for row in rows if row[column] == code)
        return self.bind(row.get(f"label_{self.language}") or self.name(code), row)

    def bind(self, label: str, row: dict) -> Markup:
        """A table's label with the id of its row: it may hold a number of its own (2023年)."""
        return Markup('<span data-id="{}">{}</span>').format(row["result_id"], label)

    def agreement_table(self) -> dict | None:
        """Published totals beside the ledgers', those with a ledger; the unit in the title."""
        columns = ("published", "ledger", "difference", "linked")
        body = []
        for row in self.rows("agreement"):
            if row.get("state") == "no_ledger" or row["item"].split("_")[0] not in self.order:
                continue
            cells = [self._total(row, column) for column in columns]
            if row.get("state") == "not_yet_published":
                cells[0] = self.page["not_yet"]
            if row.get("state") == "ledger_missing":
                cells[1] = self.page["no_ledger"]
            body.append((self._measured(row), cells))
        heads = [self.page[f"col_{c}"] for c in columns]
        return {"columns": heads, "rows": body} if body else None

    def _measured(self, row: dict) -> Markup:
        """What a published total counts, with its unit."""
        label = row.get(f"label_{self.language}") or self.name(row["item"])
        if self.language == "zh" and isinstance(row.get("unit"), str):
            label = self.page["unit"].format(label, row["unit"])
        return self.bind(label, row)

    def _total(self, row: dict, column: str) -> Markup:
        """A total or a part of it: whole, or an amount to the second decimal."""
        value = row.get(column)
        whole = pd.isna(value) or float(value).is_integer()
        return self.cell(row, column, "cell" if whole else "fine")

    def parts_table(self) -> dict | None:
        """What the differences to published totals are made of; only what is not nothing."""
        rows = [row for row in self.rows("agreement") if row.get("state") == "differs"]
        columns = [c for c in self.page["parts"] if any(row[c] for row in rows)]
        body = [
            (self._measured(row), [self._total(row, c) for c in ("difference", *columns)])
            for row in rows
        ]
        heads = [self.page["col_difference"], *(self.page["parts"][c] for c in columns)]
        return {"columns": heads, "rows": body} if body else None

    def unchecked(self) -> list:
        """Published totals without a ledger: what, how many, and the list that is missing."""
        rows = [row for row in self.rows("agreement") if row.get("state") == "no_ledger"]
        styles = ["over" if row["precision"] == "at_least" else "cell" for row in rows]
        lists = [re.split("[：:]", row[f"needed_{self.language}"])[0] for row in rows]
        return [
            (self._measured(row), self.cell(row, "published", style), self.bind(needed, row))
            for row, style, needed in zip(rows, styles, lists, strict=True)
        ]

    def revisions_table(self) -> dict | None:
        """The same cohorts in the edition before and in this one, per 100 participants."""
        badges, body = self.words["verdicts"], []
        for row in self.rows("revisions"):
            codes = [row[f"verdict_{when}"] for when in ("before", "now")]
            cells = [" → ".join(dict.fromkeys(badges[code]["badge"] for code in codes))]
            cells += [
                self.cell(row, c, "share_points") for c in ("before", "now", "difference")
            ]
            cause = row.get("cause")
            known = isinstance(cause, str)
            cells.append(self.words["steps"][cause] if known else self.page["unknown"])
            body.append((self.words["policies"][row["policy"]]["short"], cells))
        heads = [
            self.page[f"col_{c}"] for c in ("verdict", "before", "now", "difference", "cause")
        ]
        return {"columns": heads, "rows": body} if body else None

    def gates(self) -> list:
        """State of each gate by policy; missing where nothing was judged."""
        states = {
            policy: {row["gate"]: row["passed"] for row in self.rows(f"checks_{policy}")}
            for policy in self.order
        }
        return [
            (words, [states[policy].get(gate) for policy in self.order])
            for gate, words in self.words["gates"].items()
        ]

    def quoted_rows(self) -> list[dict]:
        """The results that the page has quoted so far, for the list at its end."""
        rows = []
        for result_id in self.quoted:
            result = self.results[result_id]
            what = [self.words["policies"].get(result.get("policy"), {}).get("short")]
            what += [self.name(result[k]) for k in ("design", "term", "outcome") if k in result]
            styles = {
                "n_treated": "cell",
                "estimate": "share_points",
                "interval": "interval_points",
            }
            cells = [
                quote(self.findings, result_id, column, style, False)
                for column, style in styles.items()
            ]
            rows.append(
                {"id": result_id, "what": " · ".join(filter(None, what)), "cells": cells}
            )
        return rows

    def primary(self, policy: str) -> dict:
        """The result on which the verdict rests; empty where nothing may be shown."""
        if self.verdict(policy) in ("missing", "not_due", "too_few"):
            return {}
        return self.results.get(self.verdicts[policy].get("result_id"), {})

    def interval(self, policy: str) -> dict | None:
        """Ends of the interval bar in persons per 100, cut to the axis."""
        result = self.primary(policy)
        if self.verdict(policy) == "do_not_conclude" or "conf_low" not in result:
            return None
        ends = {n: result[n] * 100 for n in ("conf_low", "conf_high", "estimate")}
        return {name: min(max(value, -15), 30) for name, value in ends.items()}

    def people(self, policy: str) -> list[str]:
        """A hundred persons, row by row: anyway, because, unclear, less, idle."""
        result = self.primary(policy)
        kinds = ("anyway", "because", "unclear", "less", "idle")
        counts = [(kind, round(result.get(f"{kind}_share", 0) * 100)) for kind in kinds]
        return [kind for kind, count in counts for _ in range(count)]

    def drawing(self, policy: str, width: int) -> Markup | None:
        """The paths figure as inline SVG, in the page's own font and colours."""
        paths = self.tables[f"paths_{policy}"]
        if paths.empty or not paths["share"].notna().any():
            return None
        horizon = self.verdicts[policy].get("horizon", paths["event_time"].max())
        paths = paths[paths["event_time"].between(-4, horizon)]
        from matplotlib import rc_context

        figures.use_style()
        with rc_context({"font.size": 15 if width > 400 else 14, "svg.fonttype": "none"}):
            ax = figures.new_axes(width / 72, 330 / 72)
            words = self.words["policies"][policy]
            figures.plot_paths(
                ax,
                paths,
                policy=policy,
                language=self.language,
                labels=(words["people"], self.page["figure_others"]),
                over=3.5 if policy == "post" else None,
            )
            return inline_svg(figures.draw_svg(ax.figure), f"{policy}{width}")


def inline_svg(text: str, prefix: str) -> Markup:
    """Make a drawing part of the page: colours become the page's, ids its own.

    Parameters
    ----------
    text
        As drawn by matplotlib.
    prefix
        Makes ids unique on the page.
    """
    text = re.sub(r"<(metadata|style)\b.*?</\1>|<!--.*?-->", "", text, flags=re.S)
    text = re.sub(r"\n\s+", "\n", text)  # indentation says nothing
    text = re.sub(r'(<svg [^>]*?)width="[^"]*" height="[^"]*"', r"\1", text, count=1)
    text = re.sub(r' (?:xmlns(?::\w+)?|version)="[^"]*"| id="\w+_\d+"', "", text)
    text = re.sub(r'(id="|href="#|url\(#)(\w)', rf"\1{prefix}-\2", text)
    text = re.sub(r"(\d\.\d\d)\d+", r"\1", text)
    for colour, name in _PAPER.items():
        text = text.replace(colour, f"var(--{name},{colour})")
    return Markup(text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))
