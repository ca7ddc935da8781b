"""Parts of the page: HTML fragments that `8_findings` shows, one per cell.

Layout stands in ``template/parts.html.j2``, wording in ``sentences.toml``, what is
computed between the two in `evaluation.findings.view`.
"""

from functools import cache
from pathlib import Path

from evaluation.findings.quotes import compose
from evaluation.findings.results import Findings, PageError
from evaluation.findings.view import View

TEMPLATE = Path(__file__).parent / "template"


@cache
def templates():
    """The page's templates, loaded once."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(TEMPLATE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def show(findings: Findings, part: str, **context):
    """Show one part of the page below a notebook's cell.

    Parameters
    ----------
    findings
        As loaded.
    part
        Name of a macro in ``template/parts.html.j2``: ``head``, ``cards``, ``paths``,
        ``cost``, ``reach``, ``wording``, ``agreement``, ``unknown``, ``revisions``,
        ``method``, ``results``.
    context
        Further values that the macro takes.

    Raises
    ------
    PageError
        If there is no such part.
    """
    from IPython.display import HTML

    parts = templates().get_template("parts.html.j2").module
    if part.startswith("_") or not hasattr(parts, part):
        raise PageError(f"页面没有名为 {part} 的部分。")
    return HTML(str(getattr(parts, part)(View(findings), **context)))


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

    return HTML(f"<p>{compose(findings, template, policy, bound)}</p>")
