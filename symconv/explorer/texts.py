"""What the explorer says, as HTML: texts escaped, formulas as MathML, pictures with captions."""

from __future__ import annotations

from collections.abc import Iterable

from symconv.errors import MissingExtraError
from symconv.explorer.state import Picture
from symconv.proving.report_text import attribute, mathml, plain

__all__ = ["facts_html", "figure_html", "formula_html"]


def formula_html(latex: str) -> str:
    r"""A formula as MathML, which browsers draw; as LaTeX where latex2mathml is not installed.

    Examples
    --------
    >>> formula_html("y_i")[:5] in ("<math", "<code")
    True
    """
    try:
        return mathml(latex)
    except MissingExtraError:
        return f"<code>{plain(latex)}</code>"


def facts_html(facts: Iterable[tuple[str, str]]) -> str:
    """Names and values as a list.

    Examples
    --------
    >>> facts_html([("a < b", "-1")])
    '<dl><div><dt>a &lt; b</dt><dd>-1</dd></div></dl>'
    """
    body = "".join(
        f"<div><dt>{plain(name)}</dt><dd>{plain(value)}</dd></div>" for name, value in facts
    )
    return f"<dl>{body}</dl>"


def figure_html(picture: Picture) -> str:
    """A picture with its name and caption; the reason where there is none.

    Examples
    --------
    >>> print(figure_html(Picture("matrix", "Matrix", refusal="a < b")))
    <figure data-view="matrix"><h3>Matrix</h3><p class="refused">a &lt; b</p></figure>
    """
    inside = f'<p class="refused">{plain(picture.refusal)}</p>'
    if not picture.refusal:
        # The steps say their captions inside: a second time only to those who hear the page.
        heard = ' class="heard" aria-live="polite"' if picture.name == "steps" else ""
        caption = f"<figcaption{heard}>{plain(picture.caption)}</figcaption>"
        inside = f'<div class="wide">{picture.svg}</div>{caption}'
    return (
        f'<figure data-view="{attribute(picture.name)}"><h3>{plain(picture.title)}</h3>'
        f"{inside}</figure>"
    )
