"""What stands at the ends of lines, and the gap between them."""

from typing import TYPE_CHECKING

from evaluation.findings.palette import ACCENT, INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def label_ends(
    ax: "Axes", ends: list[tuple[float, float]], texts: list[str], gap: str | None = None
) -> None:
    """Write at the end of each line what it is, never over each other.

    Parameters
    ----------
    ax
        Axes from 0 to about 100.
    ends
        Where the lines end; the first one is the participants'.
    texts
        One per end.
    gap
        What a bracket between two ends says.
    """
    heights, least = [height for _, height in ends], 15 if gap else 9
    if len(ends) == 2 and abs(heights[0] - heights[1]) < least:
        middle, up = sum(heights) / 2, 1 if heights[0] >= heights[1] else -1
        heights = [middle + least / 2 * up, middle - least / 2 * up]
    looks = [{"weight": "bold", "color": INK}, {"color": SOFT}]
    away = 20 if gap else 10
    common = {"textcoords": "offset points", "va": "center", "annotation_clip": False}
    for (x, _), height, text, look in zip(ends, heights, texts, looks, strict=False):
        ax.annotate(text, (x, height), xytext=(away, 0), **common, **look)
    if gap and len(ends) == 2:
        (x, top), (_, bottom) = ends
        middle = sum(heights) / 2
        bracket = {"arrowstyle": "-", "color": INK, "linewidth": 1}
        for height in (top, bottom):
            ax.annotate("", (x, height), xytext=(14, 0), arrowprops=bracket, **common)
        ax.annotate(gap, (x, middle), xytext=(away, 0), weight="bold", color=ACCENT, **common)
        upright = ax.transData + _shift(ax, 14)
        ax.plot([x, x], [top, bottom], color=INK, linewidth=1, transform=upright, clip_on=False)


def _shift(ax, points):
    from matplotlib.transforms import ScaledTranslation

    return ScaledTranslation(points / 72, 0, ax.figure.dpi_scale_trans)
