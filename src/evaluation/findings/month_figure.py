"""A figure of the months after entry: open work with and without the policy, and the post."""

from typing import TYPE_CHECKING

import pandas as pd

from evaluation.findings.figures import figure_words, rule_hundred, use_style
from evaluation.findings.line_ends import label_ends
from evaluation.findings.palette import ACCENT, BAND, INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NUMBERS = ["treated_open", "comparison_open", "treated_post", "conf_low", "conf_high", "month"]


def plot_months(
    ax: "Axes",
    months: pd.DataFrame,
    *,
    title: str,
    language: str = "zh",
    labels: tuple[str, str] | None = None,
) -> "Axes":
    """Draw recipients' share in open work by month since entry, and their comparison's.

    The band is the interval around the comparison: what recipients would probably have
    shown without the policy. Where there are posts a dashed line shows who is still in one:
    the time in which open work is ruled out.

    Parameters
    ----------
    ax
        Axes to draw on.
    months
        As returned by `effects.curves.trace_months`; suppressed rows (NaN) are left out.
    title
        The claim of the figure.
    language
        ``zh`` or ``en``.
    labels
        Words at the ends of the two lines, instead of a legend; the look is then the one
        of the page's other figures.
    """
    use_style()
    words = figure_words(language)
    months = months.dropna(subset=["treated_open", "comparison_open"])
    # A table without rows has no numbers either.
    months = months.astype(dict.fromkeys(months.columns.intersection(NUMBERS), float))
    at, treated = months["month"], months["treated_open"] * 100
    low, high = (treated - months[name] * 100 for name in ("conf_high", "conf_low"))
    ax.fill_between(at, low.clip(0, 100), high.clip(0, 100), color=BAND, linewidth=0)
    ax.plot(at, months["comparison_open"] * 100, color=SOFT, linestyle=(0, (4, 3)),
            label=words["comparison"])  # fmt: skip
    ax.plot(at, treated, color=ACCENT, linewidth=2, label=words["treated"])
    if (months["treated_post"] > 0.01).any():
        in_post = months["treated_post"] * 100
        ax.plot(at, in_post, color=INK, linewidth=1, linestyle=":", label=words["in_post"])
    ax.set_ylim(0, 100)
    ax.set_xticks(range(0, int(at.max() if len(at) else 0) + 1, 12))
    ax.set_xlabel(words["months"], loc="right")
    if labels is None:
        ax.set_ylabel(words["per_hundred"])
        ax.legend(loc="upper right")
        ax.set_title(title)
        return ax
    ends = [(at.iloc[-1], line.iloc[-1]) for line in (treated, months["comparison_open"] * 100)]
    # No gap is drawn, so each end says what the table beside it says.
    texts = [f"{name} {round(height)}" for name, (_, height) in zip(labels, ends, strict=True)]
    label_ends(ax, ends, texts)
    if (months["treated_post"] > 0.01).any():
        # Below the line over the whole width of the words: it falls month by month.
        inside = (6, 100 * months["treated_post"].iloc[min(6, len(months) - 1) : 24].min())
        ax.annotate(words["in_post"], inside, (0, -6), textcoords="offset points", va="top",
                    color=SOFT)  # fmt: skip
    rule_hundred(ax, words["per_hundred"])
    return ax
