"""Colours of figures; the page's light scheme, and the source of its dark and printed ones.

One hue and greys: nobody is scored. Contrasts are tested for text, grey printing and
colour-blind readers in ``tests/test_palette.py``.
"""

INK, SOFT, ACCENT = "#1b2328", "#4f5b64", "#0e4f63"
PERSON, BAND = "#87949d", "#dfe5e8"
