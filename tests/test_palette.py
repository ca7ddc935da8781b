"""The page's colours: text can be read, marks differ in grey and for colour-blind readers."""

import re

import numpy as np
import pytest

from evaluation.findings import palette
from evaluation.findings.parts import TEMPLATE

CSS = (TEMPLATE / "page.css").read_text(encoding="utf-8")
TEXTS = ("ink", "soft", "accent")
# Marks that touch or lie over each other in a picture; shape differs too.
BESIDE = [
    ("accent", "person"),  # persons because of a policy, and who would have worked anyway
    ("accent", "band"),  # the participants' line over the interval
    ("soft", "band"),  # the comparison's line over the interval
    ("accent", "range"),  # the point on its interval
    ("ink", "range"),  # zero and requirement over an interval
]
# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
BLINDNESS = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
               [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
               [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
               [0.004733, 0.691367, 0.303900]],
}  # fmt: skip


def read_palette(scheme):
    """Colours of a scheme by role; what dark or print do not say is light's."""
    start = {"light": 0, "dark": CSS.index("prefers-color-scheme:dark")}
    start["print"] = CSS.index("@media print")
    found = {}
    for name in dict.fromkeys(("light", scheme)):
        block = re.search(r":root\{([^}]*)\}", CSS[start[name] :])[1]
        found |= dict(re.findall(r"--([\w-]+):(#[0-9a-f]+)", block))
    return found


def linear(colour):
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    value = np.array([int(digits[n : n + 2], 16) for n in (0, 2, 4)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG contrast of two linear colours: what is left of them in grey."""
    light = sorted(np.clip(c, 0, 1) @ [0.2126, 0.7152, 0.0722] for c in (one, other))
    return (light[1] + 0.05) / (light[0] + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_text_and_lines_can_be_read(scheme):
    colours = {name: linear(value) for name, value in read_palette(scheme).items()}
    for name in TEXTS:
        assert contrast(colours[name], colours["paper"]) >= 4.5, name
    assert contrast(colours["person"], colours["paper"]) >= 3  # a shape, no text
    if scheme != "print":
        assert contrast(colours["demo-ink"], colours["demo"]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_marks_beside_each_other_differ_in_grey(scheme):
    colours = {name: linear(value) for name, value in read_palette(scheme).items()}
    for one, other in BESIDE:
        assert contrast(colours[one], colours[other]) >= 2.4, (one, other)
    # The interval bar is read against paper and against the hairlines.
    assert contrast(colours["range"], colours["paper"]) >= 1.9


@pytest.mark.parametrize("kind", BLINDNESS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_differ_for_colour_blind_readers(kind, scheme):
    colours = {name: linear(value) for name, value in read_palette(scheme).items()}
    seen = {name: np.array(BLINDNESS[kind]) @ value for name, value in colours.items()}
    for one, other in BESIDE:
        assert contrast(seen[one], seen[other]) >= 2.2, (one, other)
    for name in TEXTS:
        assert contrast(seen[name], seen["paper"]) >= 4.5, name


def test_figures_and_page_share_their_colours():
    light = read_palette("light")
    for name in ("INK", "SOFT", "ACCENT", "PERSON", "BAND"):
        assert getattr(palette, name) == light[name.lower()]


def test_no_red_and_no_green():
    """Nobody is scored: one hue, and greys."""
    for name, value in read_palette("light").items():
        red, green, blue = (int(value.ljust(7, value[-1])[n : n + 2], 16) for n in (1, 3, 5))
        if "demo" not in name:
            assert blue >= max(red, green) - 2, name
