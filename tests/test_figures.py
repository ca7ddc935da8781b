import io
import subprocess
import sys

import pandas as pd
import pytest
from matplotlib import font_manager

from evaluation.findings.figures import draw_svg, new_axes, plot_event_study, plot_paths
from evaluation.findings.month_figure import plot_months

EVENTS = pd.DataFrame(
    {
        "design": ["cs"] * 3 + ["balanced"] * 3,
        "event_time": [-2, -1, 2] * 2,
        "estimate": [0.01, 0.0, 0.13, float("nan"), 0.0, 0.12],
        "conf_low": [-0.05, 0.0, 0.05, float("nan"), 0.0, 0.04],
        "conf_high": [0.07, 0.0, 0.21, float("nan"), 0.0, 0.2],
    }
)
PATHS = pd.DataFrame(
    {
        "event_time": [-1, 0, 2] * 2,
        "group": ["treated"] * 3 + ["comparison"] * 3,
        "share": [0.72, 0.94, 0.74, 0.72, 0.92, 0.61],
        "conf_low": [float("nan")] * 3 + [0.72, 0.88, 0.53],
        "conf_high": [float("nan")] * 3 + [0.72, 0.96, 0.69],
        "n": [150] * 6,
    }
)


def test_importing_figures_loads_neither_matplotlib_nor_a_font():
    code = "import sys, evaluation.findings.figures; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.filterwarnings("error")  # a missing glyph is a warning of matplotlib
def test_same_figure_is_the_same_text_and_every_glyph_is_there(language):
    texts = []
    for _ in range(2):
        ax = new_axes()
        plot_event_study(ax, EVENTS, title="贷款：磐石镇碑庙镇 −3", language=language)
        texts.append(draw_svg(ax.figure))
    assert texts[0] == texts[1]
    assert "<text" not in texts[0]


def test_drawing_leaves_the_figure_as_it_was():
    figure = plot_paths(new_axes(), PATHS, policy="loan").figure
    before = figure.canvas, figure.dpi, figure.get_layout_engine()
    draw_svg(figure)
    assert (figure.canvas, figure.dpi, figure.get_layout_engine()) == before


def test_layout_is_the_one_that_matplotlib_would_choose():
    sheet = io.StringIO()
    plot_paths(new_axes(), PATHS, policy="loan").figure.savefig(
        sheet, format="svg", metadata={"Date": None, "Creator": None}
    )
    drawn = draw_svg(plot_paths(new_axes(), PATHS, policy="loan").figure)
    assert sheet.getvalue().endswith(drawn)


@pytest.mark.filterwarnings("error")
def test_paths_leave_suppressed_points_out_and_accept_a_free_label():
    paths = PATHS.copy()
    paths.loc[2, "share"] = float("nan")
    ax = plot_paths(new_axes(), paths, policy="mpdta")
    drawn = [line.get_xdata().tolist() for line in ax.get_lines()]
    assert [-1, 0] in drawn and [-1, 0, 2] in drawn


def test_the_ends_of_the_paths_say_what_the_table_beside_them_says():
    """Of the participants the last year is withheld: the comparison's end adds up with none."""
    paths = PATHS.assign(share=[0.72, 0.406, float("nan"), 0.72, 0.4, 0.3929])
    said = [text.get_text() for text in plot_paths(new_axes(), paths, policy="loan").texts]
    assert {"参加者 41", "可比人员 39"} <= set(said)
    alone = paths[paths["group"] == "comparison"]
    said = [text.get_text() for text in plot_paths(new_axes(), alone, policy="loan").texts]
    assert said[-1] == "可比人员 39"


def test_bundled_font_is_used_whatever_the_machine_has():
    new_axes()
    found = font_manager.findfont(font_manager.FontProperties(family="Evaluation Sans SC"))
    assert "findings" in found


@pytest.mark.filterwarnings("error")
def test_axes_opened_before_the_style_still_draws_chinese():
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        "import sys; sys.path.insert(0, 'tests')\n"
        "import matplotlib; matplotlib.use('Agg')\n"
        "import matplotlib.pyplot as plt\n"
        "fig, ax = plt.subplots()\n"
        "import test_figures as t\n"
        "t.plot_paths(ax, t.PATHS, policy='loan'); fig.canvas.draw()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_months_after_entry_show_the_post_only_where_there_is_one():
    months = pd.DataFrame({
        "month": [0, 12], "treated_open": [0.0, 0.5], "comparison_open": [0.1, 0.3],
        "conf_low": [-0.2, 0.1], "conf_high": [0.0, 0.3], "treated_post": [1.0, 0.0],
    })  # fmt: skip
    labels = [line.get_label() for line in plot_months(new_axes(), months, title="题").lines]
    assert labels == ["可比人员", "参加者", "仍在岗"]
    without = plot_months(new_axes(), months.assign(treated_post=0.0), title="题").lines
    assert len(without) == 2
    assert plot_months(new_axes(), months.iloc[:0], title="题").get_title(loc="left") == "题"
    nobody = pd.DataFrame(columns=months.columns)  # an edition before anybody was followed
    assert plot_months(new_axes(), nobody, title="题").get_title(loc="left") == "题"


def test_the_ends_of_the_months_say_what_the_table_beside_them_says():
    """40.6 and 39.3 persons: 41 and 39, though they differ by 1 (no gap is drawn here)."""
    months = pd.DataFrame({
        "month": [0, 60], "treated_open": [0.5, 0.40625], "comparison_open": [0.5, 0.3929],
        "treated_post": [0.0, 0.0], "conf_low": [0.0, -0.1], "conf_high": [0.0, 0.1],
    })  # fmt: skip
    ax = plot_months(new_axes(), months, title="题", labels=("上岗者", "可比人员"))
    said = [text.get_text() for text in ax.texts]
    assert {"上岗者 41", "可比人员 39"} <= set(said)
