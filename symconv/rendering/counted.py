"""Counts as pictures: bars on one axis, a heat map with numbers on two; SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ShapeError
from symconv.rendering.spy import (
    CHARACTER,
    INK,
    VIRIDIS,
    heading_lines,
    matplotlib_module,
    svg_text,
    xml_escaped,
)

__all__ = ["counts_png", "counts_svg"]

Array = npt.NDArray[Any]
#: A name and its counts, on one or two axes.
Panel = tuple[str, Array]

#: Cells per side that are drawn (of more, the first), and cells up to which the text lists all.
MAX_SIDE, MAX_LISTED = 64, 100
#: Panels that are drawn.
MAX_PANELS = 8
#: Side of a panel, widest cell, height of the bars, room between panels, and width of the text.
SIDE, WIDEST, HIGH, GAP, WIDTH = 480.0, 30.0, 60.0, 44.0, 480.0


def _corner(values: Array) -> Array:
    """The first cells of each axis: where they start shows the border, and then the period."""
    return values[tuple(slice(0, MAX_SIDE) for _ in values.shape)]


def _shade(value: int, most: int) -> tuple[str, str]:
    """The colour of a count, and the ink that can be read on it."""
    at = (len(VIRIDIS) - 1) * value / most if most else 0.0
    rgb = [
        float(np.interp(at, range(len(VIRIDIS)), channel)) for channel in zip(*VIRIDIS, strict=True)
    ]
    light = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]
    return "#{:02x}{:02x}{:02x}".format(*map(int, rgb)), "#000" if light > 115 else "#fff"


def _said(name: str, values: Array) -> str:
    size = "×".join(map(str, values.shape))
    if values.size <= MAX_LISTED:
        rows = values.tolist() if values.ndim == 2 else [values.tolist()]
        return f"{name}: " + "; ".join(", ".join(map(str, row)) for row in rows)
    return f"{name}: {size} counts from {values.min()} to {values.max()}"


def _note(values: Array) -> str:
    """What is left out, where something is."""
    if max(values.shape, default=0) <= MAX_SIDE:
        return ""
    shown, size = ("×".join(map(str, shape)) for shape in (_corner(values).shape, values.shape))
    return f"the first {shown} of {size}"


def _cell(x: float, y: float, wide: float, high: float, value: int, most: int, tip: str) -> str:
    """A rectangle in the colour of its count; the hover text says where it is."""
    colour, _ = _shade(value, most)
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" fill="{colour}" '
        f'stroke="{INK}" stroke-width=".5"><title>{xml_escaped(tip)}</title></rect>'
    )


def _number(x: float, y: float, value: int, ink: str) -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="middle" fill="{ink}" font-size="10" '
        f'pointer-events="none">{value}</text>'
    )


def _drawn(values: Array, x: float, y: float, most: int) -> tuple[str, float, float]:
    """The marks of one panel, its width and its height."""
    across = values.shape[-1]
    unit = min(WIDEST, SIDE / max(*values.shape, 1))
    written = unit >= 6 * len(str(most))
    marks = ""
    if values.ndim == 1:
        for at, value in enumerate(values.tolist()):
            long = HIGH * value / most if most else 0.0
            left = x + at * unit
            marks += _cell(left, y + HIGH - long, unit, long, value, most, f"{at}: {value}")
            if written:
                marks += _number(left + unit / 2, y + HIGH + 12, value, INK)
        line = f'<path d="M{x:g} {y + HIGH:g}h{across * unit:g}" stroke="{INK}"/>'
        return marks + line, across * unit, HIGH + 14
    for (row, column), value in np.ndenumerate(values):
        left, top, count = x + column * unit, y + row * unit, int(value)
        marks += _cell(left, top, unit, unit, count, most, f"({row}, {column}): {count}")
        if written:
            ink = _shade(count, most)[1]
            marks += _number(left + unit / 2, top + unit / 2 + 3.5, count, ink)
    return marks, across * unit, values.shape[0] * unit


def counts_svg(panels: Sequence[Panel], *, title: str = "") -> str:
    """Counts as self-contained SVG with alternative text: darker means fewer.

    Up to 64 places an axis are drawn; of longer axes the first, and it is said.

    Parameters
    ----------
    panels : sequence of (name, counts)
        Non-negative integers on one axis (bars) or two (a heat map).
    title : str

    Raises
    ------
    ShapeError
        If counts have another number of axes, or none.

    Examples
    --------
    >>> svg = counts_svg([("windows", np.array([1, 2, 1]))])
    >>> svg.count("<rect"), "windows: 1, 2, 1" in svg
    (3, True)
    """
    checked = _checked(panels)
    heading = heading_lines(title, WIDTH)
    marks = [svg_text(6, 14 + 15 * at, line) for at, line in enumerate(heading)]
    y, across = 14.0 + 15 * len(heading), 80.0
    for name, values in checked:
        note = _note(values)
        line = f"{name} ({note})" if note else name
        marks.append(svg_text(6, y + 4, line))
        body, wide, high = _drawn(_corner(values), 10, y + 12, int(values.max()))
        marks.append(body)
        across = max(across, wide + 20, 12 + CHARACTER * len(line))
        y += high + GAP
    across = max(across, *(12 + CHARACTER * len(line) for line in heading), 0)
    said = ". ".join(_said(*panel) for panel in checked)
    down = y - GAP + 24
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:g}" height="{down:g}" '
        f'viewBox="0 0 {across:g} {down:g}" role="img" font-family="sans-serif" font-size="11" '
        f'fill="{INK}"><title>{xml_escaped(title or "counts")}</title>'
        f"<desc>{xml_escaped(said)}</desc>{''.join(marks)}</svg>"
    )


def counts_png(panels: Sequence[Panel], *, title: str = "") -> bytes:
    """The same as a PNG, drawn by Matplotlib (the extra ``draw``).

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.

    Examples
    --------
    >>> counts_png([("windows", np.array([1, 2, 1]))])[1:4]  # doctest: +SKIP
    b'PNG'
    """
    checked = _checked(panels)
    canvas = matplotlib_module("backends.backend_agg")
    figures = matplotlib_module("figure")
    tall = sum(1.6 if values.ndim == 1 else 5.0 for _, values in checked)
    figure = figures.Figure(figsize=(5.4, 0.5 + tall), dpi=144, layout="constrained")
    canvas.FigureCanvasAgg(figure)
    for at, (name, values) in enumerate(checked, 1):
        axes = figure.add_subplot(len(checked), 1, at)
        shown, most, note = _corner(values), int(values.max()), _note(values)
        axes.set_title(f"{name} ({note})" if note else name, fontsize=9, parse_math=False)
        axes.tick_params(labelsize=7)
        if values.ndim == 1:
            colours = [_shade(value, most)[0] for value in shown.tolist()]
            axes.bar(range(len(shown)), shown, color=colours, edgecolor=INK, linewidth=0.5)
            continue
        axes.imshow(shown, cmap="viridis", vmin=0, vmax=max(most, 1), interpolation="nearest")
        if max(shown.shape) <= 24:
            for (row, column), value in np.ndenumerate(shown):
                ink = _shade(int(value), most)[1]
                axes.text(column, row, str(value), color=ink, fontsize=7, ha="center", va="center")
    figure.suptitle("\n".join(heading_lines(title, WIDTH)), fontsize=9, parse_math=False)
    file = io.BytesIO()
    said = ". ".join(_said(*panel) for panel in checked)
    figure.savefig(file, format="png", metadata={"Description": said})
    return file.getvalue()


def _checked(panels: Sequence[Panel]) -> list[Panel]:
    if not 1 <= len(panels) <= MAX_PANELS:
        raise ShapeError(f"panels must be 1 to {MAX_PANELS}, got {len(panels)}")
    for name, values in panels:
        if values.ndim not in (1, 2) or not values.size:
            raise ShapeError(f"counts must be on 1 or 2 axes, got shape {values.shape} of {name}")
    return list(panels)
