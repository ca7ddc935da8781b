"""The proof of a page before it is written: each number against its result, each claim.

What the notebook holds is taken apart again and compared with the published tables, so
that neither a cell added by hand nor a stale output gets onto the page.
"""

from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

from evaluation.findings.claims import check_claims, find_loose_numbers
from evaluation.findings.quotes import describe_result, write_number
from evaluation.findings.results import Findings, PageError

VOID = {"br", "col", "hr", "img", "wbr"}
# Text that a reader meets though it stands in no element.
_SPOKEN = ("alt", "aria-label", "aria-description", "aria-valuetext", "data-head", "title")


@dataclass
class Node:
    """An element of the page: its attributes, and texts and elements in it."""

    tag: str
    attributes: dict[str, str]
    parts: list = field(default_factory=list)

    @property
    def result_id(self) -> str | None:
        """Id of the result that this element quotes."""
        if self.attributes.get("class") == "q":
            return self.attributes.get("href", "").removeprefix("#r-")
        return self.attributes.get("data-id")

    def text(self, skip: tuple[str, ...] = ()) -> str:
        """All text in it, without elements that have one of the attributes `skip`."""
        pieces = []
        for part in self.parts:
            if isinstance(part, str):
                pieces.append(part)
            elif not any(name in part.attributes for name in skip):
                pieces.append(part.text(skip))
        return "".join(pieces)


class _Builder(HTMLParser):
    """Build the tree of a page; an end tag without its start is dropped."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open = [Node("page", {})]

    def handle_starttag(self, tag, attrs):
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].parts.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag, attrs):
        self.open[-1].parts.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        if tag in (node.tag for node in self.open[1:]):
            while self.open.pop().tag != tag:
                pass

    def handle_data(self, data):
        self.open[-1].parts.append(data)


def read_tree(body: str) -> Node:
    """Read HTML into nodes."""
    builder = _Builder()
    builder.feed(body)
    builder.close()
    return builder.open[0]


@dataclass(frozen=True)
class _Place:
    """What the elements around a text say about it."""

    policy: str | None = None
    warning: bool = False
    figure: Node | None = None
    drawn: bool = False
    tick: bool = False


def check_body(body: str, findings: Findings) -> None:
    """Stop at the first number that is not its result, and at a claim without a verdict.

    An element with ``data-id`` and ``data-of`` must say what the published table says; a
    number outside such elements must be fixed. Numbers drawn in a picture must stand in
    words in the same figure, which names its result in ``data-figure``. Under
    ``data-policy`` causal words follow that policy's verdict, under ``data-warning`` stands
    what may not be said.

    Raises
    ------
    PageError
        Quotes the text.
    """
    _check(read_tree(body), findings, _Place())


def _check(node: Node, findings: Findings, place: _Place) -> None:
    held, is_quote = node.attributes, node.result_id is not None
    if "data-figure" in held:
        _check_id(held["data-figure"], findings)
        place = replace(place, figure=node)
    place = replace(
        place,
        policy=held.get("data-policy", place.policy),
        warning=place.warning or "data-warning" in held,
        drawn=place.drawn or node.tag == "svg",
        tick=place.tick or held.get("class") == "tick",
    )
    if node.tag == "img" and not (place.figure and held.get("alt", "").strip()):
        raise PageError("图片没有结果编号和文字说明：请用 show_figure(findings, ax, …) 显示。")
    if node.tag == "svg" and place.figure is None and held.get("aria-hidden") != "true":
        raise PageError("图没有结果编号和文字说明：请用 show_figure(findings, ax, …) 显示。")
    # The title of a quote is the origin of its number: compared with the result below.
    spoken = [held[n] for n in _SPOKEN if n in held and not (is_quote and n == "title")]
    for text in spoken:
        _check_text(text, findings, replace(place, drawn=False))
    if any(isinstance(part, str) and part.strip() for part in node.parts):
        spoken.append(node.text(("data-policy", "data-warning")))
    if spoken and not place.warning:
        for text in spoken:
            check_claims(findings, text, place.policy)
    if is_quote:
        _check_quote(node, findings)
        return
    for part in node.parts:
        if isinstance(part, str):
            _check_text(part, findings, place)
        else:
            _check(part, findings, place)


def _check_text(text: str, findings: Findings, place: _Place) -> None:
    words = findings.words
    loose = find_loose_numbers(text, words["fixed"], words["spelled"])
    if place.drawn and place.figure is not None:
        loose = [] if place.tick else _not_in_words(loose, place.figure)
    if loose:
        raise PageError(
            f"页面文字“{text.strip()[:60]}”中的数字 {loose[0]} 没有结果编号："
            "请在单元格中用 quote 或 show_sentence 引用结果。"
        )


def _not_in_words(numbers: list[str], figure: Node) -> list[str]:
    """Numbers of a drawing that no quote in the same figure says."""
    said = {number for text in _quotes(figure) for number in find_loose_numbers(text, [])}
    return [number for number in numbers if number not in said]


def _quotes(node: Node):
    for part in node.parts:
        if isinstance(part, Node):
            if part.result_id is not None:
                yield part.text()
            else:
                yield from _quotes(part)


def _check_id(result_id: str, findings: Findings) -> None:
    if result_id not in findings.results:
        raise PageError(f"页面引用了不存在的结果 {result_id}：请重新运行 8_findings。")


def _check_quote(node: Node, findings: Findings) -> None:
    """Compare what a quote says with what its result says; a quote holds text alone."""
    said, result_id = node.text().strip(), node.result_id
    if any(isinstance(part, Node) and part.tag != "wbr" for part in node.parts):
        true = False
    elif result_id == "provenance":
        known = findings.tables["provenance"]
        values = set(known["value"].astype(str)) if len(known) else set()
        true = said in values | {findings.words["names"].get(value) for value in values}
    else:
        _check_id(result_id, findings)
        true = _is_said(said, result_id, node.attributes.get("data-of", ""), findings)
    title = node.attributes.get("title")
    if title is not None and true:
        known = result_id in findings.results
        true = known and title == describe_result(findings, result_id)
    if not true:
        raise PageError(
            f"页面上“{said[:40]}”与结果 {result_id} 不符：请用 quote 引用，"
            "或重新运行 8_findings 后再导出。"
        )


def _is_said(said: str, result_id: str, of: str, findings: Findings) -> bool:
    """Whether a result says this: one number in one style, its own label, or its id."""
    if of == "id":
        return said == result_id
    result = findings.results[result_id]
    if of == "label":  # 2023年, 第2年末: a number in words of the table itself
        own = " ".join(str(value) for value in result.values() if isinstance(value, str))
        fixed = findings.words["fixed"]
        known = find_loose_numbers(own + " " + findings.words["page"]["unit"], [])
        return all(number in known for number in find_loose_numbers(said, fixed))
    column, _, style = of.partition(" ")
    return bool(style) and said == write_number(findings, result_id, column, style)
