"""The colours of pictures: Okabe and Ito's, which stay apart for colour-blind readers.

Colours never stand alone: kinds differ in dashes, strokes and words as well. Every rule is written
out (no CSS variables), so that renderers that know classes only show the same picture.

References
----------
M. Okabe, K. Ito, *Color universal design* (2008).
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DARK", "GROUPS", "LIGHT", "THEMES", "Theme", "style"]


@dataclass(frozen=True)
class Theme:
    """The colours of one theme."""

    paper: str
    ink: str
    faint: str
    line: str
    input: str
    input_edge: str
    input_deep: str
    output: str
    output_edge: str
    output_deep: str
    kernel: str
    on_deep: str
    accent: str


LIGHT = Theme(
    paper="#ffffff",
    ink="#1f2328",
    faint="#59636e",
    line="#9aa4ae",
    input="#cfe8f8",
    input_edge="#0072B2",
    input_deep="#0072B2",
    output="#cdebe0",
    output_edge="#007a59",
    output_deep="#007a59",
    kernel="#e8eaed",
    on_deep="#ffffff",
    accent="#D55E00",
)
DARK = Theme(
    paper="#14181d",
    ink="#e6eaee",
    faint="#a2adb8",
    line="#64707c",
    input="#173a52",
    input_edge="#56B4E9",
    input_deep="#56B4E9",
    output="#103f33",
    output_edge="#2fc096",
    output_deep="#2fc096",
    kernel="#2a3138",
    on_deep="#0b0e11",
    accent="#E69F00",
)

#: What `Drawing.svg` takes.
THEMES = ("auto", "light", "dark")

#: Colours of channel groups, in turn (not the window's); each block says its group in words.
GROUPS = ("#0072B2", "#CC79A7", "#009E73", "#56B4E9", "#F0E442", "#999999")


def _rules(theme: Theme) -> dict[str, str]:
    """Selector inside the picture → what it looks like."""
    edge = f"stroke:{theme.line}"
    return {
        ".paper": f"fill:{theme.paper}",
        "text": f"fill:{theme.ink}",
        ".faint": f"fill:{theme.faint}",
        ".strong": "font-weight:bold",
        ".sample.i": f"fill:{theme.input};stroke:{theme.input_edge}",
        ".sample.o": f"fill:{theme.output};stroke:{theme.output_edge}",
        ".repeat": f"fill:{theme.kernel};stroke:{theme.input_edge};stroke-dasharray:4 2",
        ".repeat.o": f"stroke:{theme.output_edge}",
        ".padding": f"fill:none;stroke:{theme.line};stroke-dasharray:3 3",
        ".inserted": f"fill:{theme.kernel};fill-opacity:.5;{edge};stroke-dasharray:1 2.5",
        ".overhang": f"fill:none;stroke:{theme.line};stroke-dasharray:7 2 1 2",
        ".cropped": f"fill:none;stroke:{theme.line}",
        ".tap": f"fill:{theme.kernel};stroke:{theme.line}",
        ".hatch": f"fill:none;stroke:{theme.line};stroke-width:.8",
        ".read": f"fill:{theme.input_deep};stroke:{theme.ink}",
        ".write": f"fill:{theme.output_deep};stroke:{theme.ink}",
        ".via": f"stroke:{theme.paper};stroke-width:1.6;stroke-dasharray:4 2.5",
        ".outside": f"fill:{theme.kernel};stroke:{theme.faint};stroke-dasharray:3 3",
        ".current.i": f"fill:{theme.input_deep};stroke:{theme.accent};stroke-width:3",
        ".current.o": f"fill:{theme.output_deep};stroke:{theme.accent};stroke-width:3",
        ".source": f"fill:none;stroke:{theme.accent};stroke-width:2;stroke-dasharray:2 2",
        ".copy": f"fill:none;stroke:{theme.accent};stroke-width:2;stroke-dasharray:5 2",
        ".done": "fill:none;stroke:none",
        "text.deep": f"fill:{theme.on_deep}",
        ".cone": f"fill:{theme.accent};fill-opacity:.10;stroke:{theme.accent};stroke-opacity:.55",
        ".frame": f"fill:none;stroke:{theme.accent};stroke-width:2",
        ".link": f"fill:none;stroke:{theme.accent};stroke-width:1.4",
        ".dash": f"fill:none;stroke:{theme.line};stroke-width:1.2;stroke-dasharray:3 3",
        ".arrow": f"fill:none;stroke:{theme.ink};stroke-width:1.6",
        ".head": f"fill:{theme.ink}",
    }


def style(theme: str) -> str:
    """The rules of a theme, for the class ``symconv-steps-<theme>`` alone.

    Examples
    --------
    >>> ".symconv-steps-dark .paper{fill:#14181d}" in style("dark")
    True
    >>> "@media" in style("auto"), "@media" in style("light")
    (True, False)
    """
    scope = f".symconv-steps-{theme}"

    def written(rules: dict[str, str]) -> str:
        return "".join(f"{scope} {selector}{{{body}}}" for selector, body in rules.items())

    if theme != "auto":
        return written(_rules(DARK if theme == "dark" else LIGHT))
    dark = written(_rules(DARK))
    return f"{written(_rules(LIGHT))}@media (prefers-color-scheme:dark){{{dark}}}"
