"""What the still pictures share: a themed SVG around marks, and themes for SVG from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from symconv.drawing.themes import DARK, LIGHT, Theme
from symconv.rendering.spy import INK, xml_escaped

__all__ = ["BOLD", "described", "framed", "ink_on", "shaded", "themed"]

_DESCRIPTION = re.compile(r"<desc>(.*?)</desc>", re.DOTALL)

#: Width to reserve for a bold character of a heading.
BOLD = 7.8

#: Scope, theme → rules. The class of the root keeps them from other pictures on the page.
Rules = Callable[[str, Theme], str]


def _plain(scope: str, theme: Theme) -> str:
    """The rules of every picture."""
    return (
        f".{scope}{{fill:{theme.ink}}}.{scope} .paper{{fill:{theme.paper}}}"
        f".{scope} .faint{{fill:{theme.faint}}}.{scope} .line{{fill:none;stroke:{theme.line}}}"
        f".{scope} .strong{{fill:none;stroke:{theme.ink}}}"
    )


def _style(name: str, theme: str, rules: Rules) -> tuple[str, str]:
    """The class of the root and the style element."""
    scope = f"sc-{name}-{theme}"

    def written(chosen: Theme) -> str:
        return _plain(scope, chosen) + rules(scope, chosen)

    if theme == "auto":
        dark = f"@media (prefers-color-scheme:dark){{{written(DARK)}}}"
        return scope, f"<style>{written(LIGHT)}{dark}</style>"
    return scope, f"<style>{written(DARK if theme == 'dark' else LIGHT)}</style>"


def _no_rules(scope: str, theme: Theme) -> str:
    return ""


def framed(
    name: str,
    theme: str,
    size: tuple[float, float],
    words: tuple[str, str],
    body: str,
    rules: Rules = _no_rules,
) -> str:
    """Marks as self-contained SVG with title, description, paper and the rules of a theme.

    Parameters
    ----------
    name : str
        Of the view; part of the class that keeps its rules apart.
    theme : {"auto", "light", "dark"}
    size : (width, height)
    words : (title, alternative text)
    body : str
        SVG elements. The classes paper, faint, line and strong have the theme's colours.
    rules : callable
        (scope, `Theme`) → further CSS.

    Examples
    --------
    >>> framed("dots", "light", (4, 4), ("a", "b"), "").startswith('<svg xmlns=')
    True
    """
    scope, style = _style(name, theme, rules)
    width, height = (f"{side:g}" for side in size)
    title, alt = map(xml_escaped, words)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" class="{scope}" font-family="sans-serif" '
        f'font-size="11"><title>{title}</title><desc>{alt}</desc>{style}'
        f'<rect class="paper" width="{width}" height="{height}"/>{body}</svg>'
    )


def themed(svg: str, name: str, theme: str) -> str:
    """An SVG of `symconv.rendering` on the paper and in the ink of a theme.

    Those pictures have no paper, and ink that is as far from white as from black; here both are
    known, and the contrast can be better.

    Examples
    --------
    >>> from symconv.rendering import bars_svg
    >>> "#e6eaee" in themed(bars_svg({"n": 3}), "bars", "dark")
    True
    """

    def rules(scope: str, chosen: Theme) -> str:
        return (
            f'.{scope} [stroke="{INK}"]{{stroke:{chosen.line}}}'
            f'.{scope} [fill="{INK}"]{{fill:{chosen.faint}}}'
        )

    scope, style = _style(name, theme, rules)
    head, marks = svg.split("</desc>", 1)
    paper = '<rect class="paper" width="100%" height="100%"/>'
    head = head.replace("<svg ", f'<svg class="{scope}" ', 1)
    return f"{head}</desc>{style}{paper}{marks}"


def described(svg: str) -> str:
    """The alternative text that an SVG carries.

    Examples
    --------
    >>> described("<svg><desc>1 &lt; 2</desc></svg>")
    '1 < 2'
    """
    found = _DESCRIPTION.search(svg)
    return unescape(found[1]) if found else ""


def _channels(colour: str) -> list[int]:
    return list(bytes.fromhex(colour[1:]))


def shaded(colour: str, towards: str, share: float) -> str:
    """A colour on its way to another.

    Examples
    --------
    >>> shaded("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(_channels(colour), _channels(towards), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def ink_on(colour: str) -> str:
    """Black or white, whichever has the higher contrast on a colour.

    Examples
    --------
    >>> ink_on("#0072B2"), ink_on("#F0E442")
    ('#ffffff', '#000000')

    References
    ----------
    *Web Content Accessibility Guidelines (WCAG) 2.1*, W3C (2018), relative luminance.
    """
    linear = [
        (c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4)
        for c in _channels(colour)
    ]
    light = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (light + 0.05) ** 2 > 0.05 * 1.05 else "#ffffff"
