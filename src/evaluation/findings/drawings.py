"""Drawings of the page as inline SVG, in its own font and colours."""

import re

from markupsafe import Markup

from evaluation.findings import figures, grids, palette
from evaluation.findings.month_figure import plot_months

_PAPER = {palette.INK: "ink", palette.SOFT: "soft", palette.ACCENT: "accent"}
_PAPER |= {palette.PERSON: "person", palette.BAND: "band", "#ffffff": "paper"}
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # between ticks of the cost bar


def draw_paths(view, policy: str, width: int) -> Markup | None:
    """Open work before and after entry; None where nothing may be shown.

    Parameters
    ----------
    view
        The page's `View`.
    width
        In pixels; the narrow drawing is another drawing, not this one scaled.
    """
    paths = grids.cut_paths(view, policy)
    few = view.verdict(policy) == "too_few"  # no number is given, so no line either
    if few or paths.empty or not paths["share"].notna().any():
        return None
    words = view.words["policies"][policy]
    effective = view.verdict(policy).startswith("effective")

    def plot(ax):
        figures.plot_paths(
            ax,
            paths,
            policy=policy,
            language=view.language,
            labels=(words["people"], view.page["figure_others"]),
            over=2.5 if policy == "post" else None,  # terms end after 36 months
            gap=str(view.say(policy, "number").striptags()) if effective else None,
        )

    return _draw(plot, f"{policy}{width}", width, 330)


def draw_months(view, policy: str, width: int) -> Markup | None:
    """Open work month by month after entry; None where too few were followed."""
    months = view.tables[f"months_{policy}"]
    if months.empty or months[["treated_open", "comparison_open"]].dropna().empty:
        return None
    people = view.words["policies"][policy]["people"]

    def plot(ax):
        plot_months(
            ax,
            months,
            title="",
            language=view.language,
            labels=(people, view.page["figure_others"]),
        )

    return _draw(plot, f"months{width}", width, 300)


def _draw(plot, prefix: str, width: int, height: int) -> Markup:
    from matplotlib import rc_context

    figures.use_style()
    with rc_context({"font.size": 15 if width > 400 else 14}):
        ax = figures.new_axes(width / 72, height / 72)
        plot(ax)
        return inline_svg(draw_text(ax.figure), prefix)


def draw_text(figure) -> str:
    """Draw a figure as SVG whose letters stay text: in the page's font, and to be proved."""
    from matplotlib import rc_context

    with rc_context({"svg.fonttype": "none"}):
        return figures.draw_svg(figure)


def scale_cost(view, policy: str) -> dict | None:
    """Axis of one policy's cost bar in the language's unit; None where none may be drawn.

    Each bar has an axis of its own: policies are not ranked.

    Returns
    -------
    dict
        ``ticks`` (number and place), ``low``, ``high`` and ``point``, as shares of the
        axis. A bar has both ends, or it is not drawn.
    """
    result = view.primary(policy)
    names = ("value.conf_low", "value.conf_high", "value.cost_per_job")
    if not view.verdict(policy).startswith("effective") or any(n not in result for n in names):
        return None
    low, high, point = (result[name] / view.page["cost_scale"] for name in names)
    step = next((step for step in _STEPS if step * 6 >= high), high / 6)
    end = step * max(-(-high // step), 1)  # a policy may cost nothing
    ticks = [(n * step, n * step / end) for n in range(int(end // step) + 1)]
    return {"ticks": ticks, "low": low / end, "high": high / end, "point": point / end}


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
    text = re.sub(r'<g id="[xy]tick_\d+"', '<g class="tick"', text)
    text = re.sub(r' (?:xmlns(?::\w+)?|version)="[^"]*"| id="\w+_\d+"', "", text)
    text = re.sub(r'(id="|href="#|url\(#)(\w)', rf"\1{prefix}-\2", text)
    text = re.sub(r"(\d\.\d\d)\d+", r"\1", text)
    for colour, name in _PAPER.items():
        text = text.replace(colour, f"var(--{name},{colour})")
    return Markup(text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1))
