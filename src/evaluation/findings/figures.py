"""Figures for notebooks and page: each takes an Axes and returns it, and saves nothing.

Style, colours and the bundled Chinese font live here. Nothing is loaded at import; the
first figure registers the font.
"""

import io
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

from evaluation.findings.hundred import count_persons
from evaluation.findings.line_ends import label_ends
from evaluation.findings.palette import ACCENT, BAND, INK, PERSON, SOFT
from evaluation.paths import locate
from evaluation.plan import load_toml

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FAMILY = "Evaluation Sans SC"


@cache
def figure_words(language: str) -> dict:
    """Words inside figures, from ``data/reference/sentences.toml``."""
    return load_toml(locate().reference / "sentences.toml")["figures"][language]


@cache
def use_style() -> None:
    """Register the bundled font and set the common style, once per process.

    Colours keep a contrast of 4.5 for text and survive grey printing; the font covers
    通用规范汉字表, so no machine needs a Chinese font.
    """
    import matplotlib
    from matplotlib import font_manager

    for path in sorted(files("evaluation.findings").joinpath("fonts").iterdir()):
        if path.name.endswith(".otf"):
            font_manager.fontManager.addfont(str(path))
    matplotlib.rcParams.update(
        {
            "font.family": ["sans-serif"],  # resolved when drawn: an open Axes gets it too
            "font.sans-serif": [FAMILY, "DejaVu Sans"],
            "font.size": 10.5,
            "axes.unicode_minus": True,
            "axes.edgecolor": PERSON,
            "axes.labelcolor": SOFT,
            "axes.titlesize": "large",
            "axes.titleweight": "bold",
            "axes.titlelocation": "left",
            "axes.titlepad": 12,
            "axes.titley": 1.0,  # else searched for anew at each step of the layout
            "axes.titlecolor": INK,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "text.color": INK,
            "xtick.color": SOFT,
            "ytick.color": SOFT,
            "xtick.labelcolor": INK,
            "figure.facecolor": "white",
            "svg.hashsalt": "evaluation",
            "svg.fonttype": "path",
            "legend.frameon": False,
        }
    )


def new_axes(width: float = 6.4, height: float = 3.4) -> "Axes":
    """Open an Axes in the common style; sizes in inches (640 px wide at 100 dpi)."""
    use_style()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained").subplots()


def draw_svg(figure: "Figure") -> str:
    """Draw a figure as SVG text: letters as paths, no date, so equal input gives equal text."""
    use_style()
    sheet, layout = io.StringIO(), figure.get_layout_engine()
    if layout is not None:
        _lay_out(figure)
        figure.set_layout_engine(None)
    figure.savefig(sheet, format="svg", metadata={"Date": None, "Creator": None})
    figure.set_layout_engine(layout)
    text = sheet.getvalue()
    return text[text.index("<svg") :]


def _lay_out(figure: "Figure") -> None:
    """Place the Axes for an SVG: savefig would draw the whole figure once only for that."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    canvas, dpi = figure.canvas, figure.dpi
    FigureCanvasSVG(figure)  # letters are measured as it draws them
    figure.get_layout_engine().execute(figure)
    figure.set_canvas(canvas)
    figure.dpi = dpi


def plot_event_study(
    ax: "Axes", events: pd.DataFrame, *, title: str, language: str = "zh"
) -> "Axes":
    """Draw effects by years since entry, with intervals, for one or two designs.

    Zero is a solid line; base year −1 is the reference (no interval). Before entry the
    points should lie on zero if both groups moved alike.

    Parameters
    ----------
    ax
        Axes to draw on.
    events
        Rows of the estimates table with ``term == "event"``: ``design``,
        ``event_time``, and ``estimate``, ``conf_low``, ``conf_high`` as fractions;
        ``band_low``, ``band_high`` (thin lines) where they are known. Suppressed rows
        (NaN) are left out.
    title
        The claim of the figure.
    language
        ``zh`` or ``en``.
    """
    use_style()
    words = figure_words(language)
    events = events.dropna(subset=["estimate"])
    designs = list(dict.fromkeys(events["design"]))
    looks = [(ACCENT, "o", ACCENT), (SOFT, "s", "white"), (INK, "^", "white")]
    ax.axhline(0, color=INK, linewidth=1)
    ax.axvline(-0.5, color=INK, linewidth=1, linestyle=(0, (1, 2)))
    for position, design in enumerate(designs):
        rows = events[events["design"] == design].sort_values("event_time")
        colour, marker, face = looks[position % len(looks)]
        at = rows["event_time"] + (position - (len(designs) - 1) / 2) * 0.16
        low, high = rows["conf_low"] * 100, rows["conf_high"] * 100
        ax.vlines(at, low, high, color=colour, linewidth=2, alpha=0.55)
        if "band_low" in rows:  # thin: all at once
            ends = rows["band_low"] * 100, rows["band_high"] * 100
            ax.vlines(at, *ends, color=colour, linewidth=0.8, alpha=0.55)
        ax.plot(
            at,
            rows["estimate"] * 100,
            linestyle="none",
            marker=marker,
            markersize=6,
            color=colour,
            markerfacecolor=face,
            label=words.get(design, design),
        )
    if len(designs) > 1:
        ax.legend(loc="upper left", ncols=len(designs), handletextpad=0.2)
        ax.margins(y=0.18)
    times = sorted(events["event_time"].astype(int).unique())
    ax.set_xticks(times, [_name_year(time, words) for time in times])
    ax.set_xlabel(words["years"], loc="right")
    ax.set_ylabel(words["points"])
    ax.set_title(title)
    return ax


def plot_paths(
    ax: "Axes",
    paths: pd.DataFrame,
    *,
    policy: str,
    language: str = "zh",
    labels: tuple[str, str] | None = None,
    over: float | None = None,
    gap: str | None = None,
) -> "Axes":
    """Draw the share in open work before and after entry, participants and comparison.

    The band is the interval around the comparison line: what participants would
    probably have shown without the policy. A solid line outside the band is a
    difference. 0 to 100 always, so that the policies' figures can be laid side by side.

    Parameters
    ----------
    ax
        Axes to draw on.
    paths
        ``event_time``, ``group`` (``treated``, ``comparison``), ``share``,
        ``conf_low``, ``conf_high`` (fractions), ``n``. Suppressed rows (NaN) are left
        out.
    policy
        ``subsidy``, ``loan``, ``post`` or a free label (outside panels).
    language
        ``zh`` or ``en``.
    labels
        Words at the ends of the two lines instead of the usual ones.
    over
        Event time at which posts end; what lies before is tinted.
    gap
        What a bracket between the two ends says, as ``多13人``: only where the verdict is
        that there is an effect.
    """
    use_style()
    words = figure_words(language)
    paths = count_persons(paths).dropna(subset=["share"]).sort_values("event_time")
    treated = paths[paths["group"] == "treated"]
    comparison = paths[paths["group"] == "comparison"]
    times = sorted(paths["event_time"].astype(int).unique())
    ax.vlines(-0.5, 0, 112, color=INK, linewidth=1.2)
    before, after = words.get(policy, words["entered"])
    ax.text(-0.56, 103, before, ha="right", weight="bold")
    ax.text(-0.44, 103, after, ha="left", weight="bold")
    if over is not None and times and over < times[-1]:
        ax.axvspan(-0.5, over, color=BAND, alpha=0.4, linewidth=0)
        ax.vlines(over, 0, 112, color=INK, linewidth=1, linestyle=(0, (1, 2)))
        ax.text(over + 0.06, 103, words["over"], ha="left", weight="bold")
    band = comparison.dropna(subset=["conf_low", "conf_high"])
    if len(band):
        low, high = band["conf_low"].clip(0, 1) * 100, band["conf_high"].clip(0, 1) * 100
        ax.fill_between(band["event_time"], low, high, color=BAND, linewidth=0)
    ax.plot(
        comparison["event_time"],
        comparison["share"] * 100,
        color=SOFT,
        linestyle=(0, (4, 3)),
        marker="s",
        markerfacecolor="white",
        markersize=5,
        linewidth=1.6,
    )
    ax.plot(
        treated["event_time"],
        treated["share"] * 100,
        color=ACCENT,
        marker="o",
        markersize=5.5,
        linewidth=2.2,
    )
    names = labels or (words["treated"], words["comparison"])
    groups = zip(names, (treated, comparison), strict=True)
    ends = [(name, group.iloc[-1]) for name, group in groups if len(group)]
    at = [(end["event_time"], end["share"] * 100) for _, end in ends]
    label_ends(ax, at, [f"{name} {end['persons']:.0f}" for name, end in ends], gap)
    ax.set_ylim(0, 112)
    if not times:  # nobody to show yet: room for the words at least
        ax.set_xlim(-2, 1)
    # A narrow drawing has no room for more than six names of years.
    step = 2 if ax.figure.get_figwidth() < 5.5 and len(times) > 6 else 1
    named = times[::-step]
    ax.set_xticks(named, [_name_year(time, words) for time in named])
    ax.set_xlabel(words["day"], loc="right")
    rule_hundred(ax, words["persons"])
    return ax


def rule_hundred(ax: "Axes", what: str) -> None:
    """Rule an Axes for persons of a hundred, as the page's figures look; `what` they are."""
    ax.set_yticks([0, 25, 50, 75, 100])
    ax.tick_params(length=0)
    ax.tick_params(axis="x", pad=7)  # the first year is not to touch the zero
    ax.spines["left"].set_visible(False)
    ax.grid(axis="y", color=BAND, linewidth=0.8)
    ax.set_axisbelow(True)
    ax.set_title(what, weight="normal", color=SOFT, size="medium")


def _name_year(event_time: int, words: dict) -> str:
    """Name an event time as it stands under an axis."""
    if event_time == 0:
        return words["at"]
    return words["before" if event_time < 0 else "after"].format(abs(event_time))
