"""A kernel and the outer products that sum to it: numbers on shades, as SVG and PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.rendering.spy import (
    CHARACTER,
    INK,
    OKABE_ITO,
    PAPER,
    heading_lines,
    matplotlib_module,
    svg_text,
    xml_escaped,
)

__all__ = ["factors_png", "factors_svg"]

Array = npt.NDArray[Any]
#: A column and a row.
Pair = tuple[Array, Array]

#: Terms that are drawn, cells per side of a panel, cells up to which their numbers are written.
MAX_TERMS, MAX_CELLS, MAX_NUMBERS = 6, 64, 9
#: Side of a panel, the widest cell, and the room between panels.
SIDE, WIDEST, GAP = 190.0, 34.0, 34.0
#: Blue for positive values and vermilion for negative ones, which stay apart for everyone.
POSITIVE, NEGATIVE = OKABE_ITO[0], OKABE_ITO[3]


def _thinned(panel: Array) -> Array:
    """At most MAX_CELLS cells a side: every so many-th is kept."""
    steps = [-(-n // MAX_CELLS) for n in panel.shape]
    return np.asarray(panel[:: steps[0], :: steps[1]])


def _number(value: float) -> str:
    # Adding 0 takes the sign from a zero.
    return f"{value + 0.0:.3g}".replace("-", "−").replace("e+0", "e").replace("e−0", "e−")


def _share(panel: Array) -> Array:
    """Values between −1 and 1."""
    largest = float(np.abs(panel).max(initial=0.0))
    return panel / largest if largest else np.zeros_like(panel)


def _panel(panel: Array, x: float, y: float, unit: float, name: str) -> str:
    """One matrix: a cell's shade is its size, its colour its sign, and its number is written."""
    shades, small = _share(panel), max(panel.shape) <= MAX_NUMBERS
    fits = small and 5 * max(len(_number(float(value))) for value in panel.ravel()) <= unit
    marks = ""
    for (row, column), share in np.ndenumerate(shades):
        value = float(panel[row, column])
        fill, opacity = (POSITIVE if share >= 0 else NEGATIVE), round(abs(float(share)), 3)
        left, top = x + column * unit, y + row * unit
        tip = f"<title>{xml_escaped(f'{name}: {_number(value)}')}</title>" if small else ""
        marks += (
            f'<rect x="{left:g}" y="{top:g}" width="{unit:g}" height="{unit:g}" fill="{fill}" '
            f'fill-opacity="{opacity:g}">{tip}</rect>'
        )
        text = _number(value)
        if fits:
            ink = "#fff" if opacity > 0.55 else "#333"
            marks += (
                f'<text x="{left + unit / 2:g}" y="{top + unit / 2 + 3.5:g}" font-size="9" '
                f'text-anchor="middle" fill="{ink}" pointer-events="none">{text}</text>'
            )
    height, width = (n * unit for n in panel.shape)
    frame = f'<path d="M{x:g} {y:g}h{width:g}v{height:g}h-{width:g}z" fill="none" stroke="{INK}"/>'
    paper = f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="{PAPER}"/>'
    return paper + marks + frame


def _said(panel: Array) -> str:
    if panel.size <= MAX_NUMBERS**2:
        return "; ".join(", ".join(map(_number, row)) for row in panel.tolist())
    return f"{panel.shape[0]}×{panel.shape[1]} values from {_number(panel.min())} to " + _number(
        panel.max()
    )


def _bars(values: Sequence[float], x: float, y: float, height: float) -> tuple[str, float]:
    """Values as upright bars from one line, and the width that they take."""
    unit = max(2.0, min(16.0, SIDE / len(values)))
    largest = max(values) or 1.0
    marks = svg_text(x, y - 6, "singular values")
    for at, value in enumerate(values):
        long = height * value / largest
        marks += (
            f'<rect x="{x + at * unit:g}" y="{y + height - long:g}" width="{0.8 * unit:g}" '
            f'height="{long:g}" fill="{POSITIVE}"><title>{_number(value)}</title></rect>'
        )
    width = max(unit * len(values), CHARACTER * len("singular values"))
    line = f'<path d="M{x:g} {y + height:g}h{unit * len(values):g}" stroke="{INK}"/>'
    return marks + line, width


def factors_svg(
    kernel: Array, terms: Sequence[Pair], values: Sequence[float] = (), *, title: str = ""
) -> str:
    """A kernel = the sum of columns times rows, as self-contained SVG with alternative text.

    Each term shows its column, its row above their outer product. Up to six terms are drawn.

    Parameters
    ----------
    kernel : numpy.ndarray, shape (m, n)
    terms : sequence of (column, row)
    values : sequence of float
        Singular values, drawn as bars where given; the first 64.
    title : str

    Examples
    --------
    >>> svg = factors_svg(np.array([[2., 4.]]), [(np.array([2.]), np.array([1., 2.]))])
    >>> "K = 2, 4" in svg, "term 1: column 2, row 1, 2" in svg
    (True, True)
    """
    heading, top = heading_lines(title, 480), 8.0
    shape = _thinned(kernel).shape
    unit = min(WIDEST, SIDE / max(shape))
    marks = [svg_text(6, 14 + 15 * at, line) for at, line in enumerate(heading)]
    top += 15 * len(heading) + 14
    body, x = top + unit + 8, 8.0
    marks.append(_panel(_thinned(kernel), x, body, unit, "K") + svg_text(x, body - 6, "K"))
    x += shape[1] * unit + GAP
    said = [f"K = {_said(kernel)}"]
    for number, (column, row) in enumerate(terms[:MAX_TERMS], 1):
        middle = body + shape[0] * unit / 2 + 4
        marks.append(svg_text(x - GAP / 2, middle, "=" if number == 1 else "+", "middle"))
        head, tail = _thinned(column[:, None]), _thinned(row[None, :])
        marks.append(_panel(head, x, body, unit, f"column {number}"))
        x += unit + 8
        marks.append(_panel(tail, x, top, unit, f"row {number}"))
        marks.append(_panel(head * tail, x, body, unit, f"term {number}"))
        x += shape[1] * unit + GAP
        said.append(f"term {number}: column {_said(column[None])}, row {_said(row[None])}")
    if not terms:
        marks.append(svg_text(x - GAP / 2, body + 12, "= 0"))
        x += GAP
    if len(terms) > MAX_TERMS:
        note = f"+ {len(terms) - MAX_TERMS} more"
        marks.append(svg_text(x - GAP + 8, body + shape[0] * unit / 2 + 4, note))
        said.append(note)
        x += CHARACTER * len(note)
    shown = [value for value in values[:MAX_CELLS] if np.isfinite(value)]
    if shown:
        bars, width = _bars(shown, x, body, shape[0] * unit)
        marks.append(bars)
        said.append(f"singular values {', '.join(map(_number, shown))}")
        x += width + GAP
    across = max(x - GAP + 12, *(12 + CHARACTER * len(line) for line in heading), 60)
    down = body + shape[0] * unit + 10
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across:g}" height="{down:g}" '
        f'viewBox="0 0 {across:g} {down:g}" role="img" font-family="sans-serif" font-size="11" '
        f'fill="{INK}"><title>{xml_escaped(title or "a kernel and its terms")}</title>'
        f"<desc>{xml_escaped('. '.join(said))}</desc>{''.join(marks)}</svg>"
    )


def factors_png(
    kernel: Array,
    terms: Sequence[Pair],
    values: Sequence[float] = (),
    *,
    title: str = "",
) -> bytes:
    """The same as a PNG by Matplotlib (the extra ``draw``), with the singular values as bars.

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.

    Examples
    --------
    >>> factors_png(np.eye(2), [])[1:4]  # doctest: +SKIP
    b'PNG'
    """
    canvas = matplotlib_module("backends.backend_agg")
    figures, colors = matplotlib_module("figure"), matplotlib_module("colors")
    shown = [("K", kernel)]
    shown += [(f"term {at}", np.outer(*pair)) for at, pair in enumerate(terms[:MAX_TERMS], 1)]
    count = len(shown) + bool(values)
    figure = figures.Figure(figsize=(2.2 * count, 2.6), dpi=144, layout="constrained")
    canvas.FigureCanvasAgg(figure)
    shades = colors.LinearSegmentedColormap.from_list("signs", [NEGATIVE, PAPER, POSITIVE])
    for at, (name, panel) in enumerate(shown, 1):
        axes = figure.add_subplot(1, count, at)
        axes.imshow(_share(panel), cmap=shades, vmin=-1, vmax=1, interpolation="nearest")
        axes.set_title(name, fontsize=9)
        axes.set_axis_off()
    if values:
        axes = figure.add_subplot(1, count, count)
        axes.bar(range(1, len(values) + 1), list(values), color=POSITIVE)
        axes.set_title("singular values", fontsize=9)
        axes.set_xticks(sorted({1, len(values)}))
        axes.tick_params(labelsize=7)
    figure.suptitle(title, fontsize=9, parse_math=False)
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Description": title})
    return file.getvalue()
