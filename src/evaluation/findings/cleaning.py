"""HTML of cells made harmless: listed tags, no handlers, nothing from outside."""

import re
from html import escape
from html.parser import HTMLParser

from evaluation.findings.parts import TEMPLATE
from evaluation.findings.proof import VOID

_TAGS = set((TEMPLATE / "tags.txt").read_text(encoding="utf-8").split())
# With all that they hold; a void element such as embed holds nothing, and ends nowhere.
_DROPPED = {"script", "style", "iframe", "object", "template", "noscript", "textarea"}
_LINKS = {"href", "src", "xlink:href"}
_NUMBERING = {"start", "value"}  # of a list: a number that no text holds
_UNSAFE = re.compile(r"url\((?!#)|expression|javascript:|@import", re.I)


class _Cleaner(HTMLParser):
    """Keep listed tags, drop handlers, scripts and references to anything outside."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.out, self.skipping = [], 0

    def handle_starttag(self, tag, attrs):
        if tag in _DROPPED:
            self.skipping += 1
        elif not self.skipping and tag in _TAGS:
            kept = "".join(
                f" {name}" if value is None else f' {name}="{_escape_value(value)}"'
                for name, value in attrs
                if _is_harmless(tag, name, value or "")
            )
            self.out.append(f"<{tag}{kept}>")

    def handle_startendtag(self, tag, attrs):
        if tag not in _DROPPED:
            self.handle_starttag(tag, attrs)
            if tag not in VOID:
                self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if tag in _DROPPED:
            self.skipping = max(self.skipping - 1, 0)
        elif not self.skipping and tag in _TAGS and tag not in VOID:
            self.out.append(f"</{tag}>")

    def handle_data(self, data):
        if not self.skipping:
            self.out.append(escape(data, quote=False))


def _escape_value(value: str) -> str:
    """Escape for double quotes: single ones, of which drawings hold thousands, may stay."""
    return escape(value, quote=False).replace('"', "&quot;")


def _is_harmless(tag: str, name: str, value: str) -> bool:
    if name.startswith("on") or _UNSAFE.search(value):
        return False
    if name in _LINKS:
        return value.startswith("#") or (tag == "img" and value.startswith("data:image/"))
    return name != "srcset" and name not in _NUMBERING


def clean_html(text: str) -> str:
    """Make HTML of a cell harmless, whatever a ledger's text holds.

    Examples
    --------
    >>> clean_html('<h2 onclick="x()">一<script>alert(1)</script></h2><img src="//x/y.png">')
    '<h2>一</h2><img>'
    """
    cleaner = _Cleaner()
    cleaner.feed(text)
    cleaner.close()
    return "".join(cleaner.out)
