"""Parts of the page: HTML fragments that `8_findings` shows, one per cell.

Layout stands in ``template/parts.html.j2``, wording in ``sentences.toml``, what is
computed between the two in `evaluation.findings.view`.
"""

import hashlib
from functools import cache
from pathlib import Path

from evaluation.findings import drawings, evidence, grids
from evaluation.findings.quotes import compose
from evaluation.findings.results import Findings, PageError
from evaluation.findings.view import View

TEMPLATE = Path(__file__).parent / "template"


@cache
def templates():
    """The page's templates, loaded once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"grids": grids, "drawings": drawings, "evidence": evidence}
    return environment


def show(findings: Findings, part: str):
    """Show one part of the page below a notebook's cell.

    Parameters
    ----------
    findings
        As loaded.
    part
        Name of a macro in ``template/parts.html.j2``: ``head``, ``cards``, ``paths``,
        ``cost``, ``reach``, ``wording``, ``agreement``, ``unknown``, ``revisions``,
        ``method``, ``results``.

    Raises
    ------
    PageError
        If there is no such part.
    """
    from IPython.display import HTML

    parts = templates().get_template("parts.html.j2").module
    if part.startswith("_") or not hasattr(parts, part):
        raise PageError(f"页面没有名为 {part} 的部分。")
    return HTML(str(getattr(parts, part)(View(findings))))


def show_sentence(findings: Findings, template: str, policy: str | None = None, **bound):
    """Show a paragraph of one's own, under the rules of the page's sentences.

    Parameters
    ----------
    findings
        As loaded.
    template
        Text with ``{slots}``.
    policy
        Whose verdict decides what may be said.
    bound
        Quotes for names in braces, as ``n=quote(findings, result_id, "n_treated")``.
    """
    from IPython.display import HTML

    said = compose(findings, template, policy, bound)
    held = f' data-policy="{policy}"' if policy else ""
    return HTML(f'<div class="added"{held}><p>{said}</p></div>')


def show_figure(
    findings: Findings, ax, result_id: str, says: str, policy: str | None = None, **bound
):
    """Show a figure of one's own: with the result it draws, and in words what it finds.

    Parameters
    ----------
    findings
        As loaded.
    ax
        Axes, as the functions of `evaluation.findings.figures` return them.
    result_id
        The result that the figure shows.
    says
        Caption and alternative text, under the rules of `show_sentence`.
    policy
        Whose verdict decides what may be said.
    bound
        Quotes for names in braces.

    Raises
    ------
    PageError
        If there is no such result, or nothing is said.
    """
    from IPython.display import HTML

    if result_id not in findings.results:
        raise PageError(f"没有编号为 {result_id} 的结果，图不能引用它。")
    if not says.strip():
        raise PageError("图要有一句话说明看到了什么（says）。")
    drawn = drawings.draw_text(ax.figure)
    name = "f" + hashlib.sha256(drawn.encode()).hexdigest()[:8]
    caption = compose(findings, says, policy, bound)
    parts = templates().get_template("parts.html.j2").module
    shown = parts.figure(
        View(findings), drawings.inline_svg(drawn, name), caption, result_id, name
    )
    held = f' data-policy="{policy}"' if policy else ""
    return HTML(f"<div{held}>{shown}</div>")
