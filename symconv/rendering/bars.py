"""A few named integers as bars from zero."""

from __future__ import annotations

from collections.abc import Mapping

from symconv.rendering.spy import CHARACTER, INK, OKABE_ITO, svg_text, xml_escaped

__all__ = ["MAX_BARS", "bars_svg"]

#: Bars that are drawn; more are left out, and said to be.
MAX_BARS = 16
#: Width that the longest bars share, the longest unit, height of a bar and from bar to bar.
WIDTH, UNIT, BAR, STEP = 260.0, 26.0, 10.0, 18.0


def bars_svg(values: Mapping[str, int], *, title: str = "") -> str:
    """Named integers as bars, to the right of zero or to the left, as SVG with alternative text.

    Examples
    --------
    >>> "n = 3, lo = −1" in bars_svg({"n": 3, "lo": -1})
    True
    """
    drawn = dict(list(values.items())[:MAX_BARS])
    low, high = min(0, *drawn.values(), 0), max(0, *drawn.values(), 0)
    unit = min(UNIT, WIDTH / max(high - low, 1))
    names = 14 + CHARACTER * max(map(len, drawn), default=0)
    numbers = {name: str(value).replace("-", "−") for name, value in drawn.items()}
    room = 10 + CHARACTER * max(map(len, numbers.values()), default=0)
    zero = names + room - low * unit
    marks = []
    for at, (name, value) in enumerate(drawn.items()):
        y = 14 + STEP * at
        start, colour = zero + min(value, 0) * unit, OKABE_ITO[0 if value >= 0 else 3]
        beside = zero + value * unit + (5 if value >= 0 else -5)
        marks.append(
            svg_text(6, y + 4, name)
            + f'<rect x="{start:g}" y="{y - BAR / 2:g}" width="{abs(value) * unit:g}" '
            f'height="{BAR:g}" fill="{colour}"/>'
            + svg_text(beside, y + 4, numbers[name], "start" if value >= 0 else "end")
        )
    down = 14 + STEP * len(drawn)
    marks.append(f'<path d="M{zero:g} 4V{down - 8:g}" stroke="{INK}"/>')
    said = ", ".join(f"{name} = {number}" for name, number in numbers.items())
    if len(drawn) < len(values):
        note = f"and {len(values) - len(drawn)} more"
        marks.append(svg_text(6, down + 4, note))
        said, down = f"{said}, {note}", down + 14
    across = zero + high * unit + room
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:g}" height="{down:g}" '
        f'viewBox="0 0 {across:g} {down:g}" role="img" font-family="sans-serif" font-size="11" '
        f'fill="{INK}"><title>{xml_escaped(title or "values")}</title>'
        f"<desc>{xml_escaped(said)}</desc>{''.join(marks)}</svg>"
    )
