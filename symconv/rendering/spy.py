"""Spy plots: where a matrix has entries, as SVG and PNG."""

from __future__ import annotations

import io
import re
import textwrap
from html import escape
from importlib import import_module
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import MissingExtraError, ShapeError
from symconv.rendering.bins import MAX_CELLS, Shape, bin_entries, checked_indices

__all__ = ["MAX_DRAWN", "density_png", "density_svg", "spy_png", "spy_svg"]

Array = npt.NDArray[Any]

#: Entries up to which each is drawn on its own.
MAX_DRAWN = 5000

#: Okabe and Ito's colours, which stay apart for colour-blind readers, and a grey as the ninth.
OKABE_ITO = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9"),
    *("#CC79A7", "#F0E442", "#000000", "#999999"),
)
#: Viridis, from which longer lists of colours are interpolated.
VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
#: The picture brings its own paper; the text around it is as far from white as from black.
PAPER, INK = "#fafaf7", "#777777"
#: Width to reserve for a character, and the longest legend.
CHARACTER, MAX_LEGEND = 6.4, 32


def palette(n: int) -> list[str]:
    """As many colours: the nine that stay apart, or steps along viridis."""
    if n <= len(OKABE_ITO):
        return list(OKABE_ITO[:n])
    at = np.linspace(0, len(VIRIDIS) - 1, n)
    steps = [np.interp(at, range(len(VIRIDIS)), channel) for channel in zip(*VIRIDIS, strict=True)]
    return ["#{:02x}{:02x}{:02x}".format(*map(int, colour)) for colour in zip(*steps, strict=True)]


def _legend(labels: Any, n: int) -> tuple[Array, dict[str, str]]:
    """The number of each entry's label, and label → colour in the order of the labels."""
    if labels is None:
        return np.zeros(n, dtype=np.int64), {"": OKABE_ITO[0]}
    given = np.asarray(labels)
    if given.shape != (n,):
        raise ShapeError(f"labels must have one entry per index pair ({n}), got {given.shape}")
    names, which = np.unique(given.astype(str), return_inverse=True)
    # Numbers inside the labels are sorted as numbers: "tap 9" before "tap 10".
    order = sorted(range(len(names)), key=lambda at: _natural(str(names[at])))
    colours = palette(len(names))
    legend = {str(names[at]): colour for at, colour in zip(order, colours, strict=True)}
    return np.asarray(np.argsort(order)[which]), legend


def _natural(text: str) -> list[tuple[bool, int, str]]:
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]


def _described(shape: Shape, entries: int, cells: Shape) -> str:
    text = f"{shape[0]}×{shape[1]} matrix, {entries} {'entry' if entries == 1 else 'entries'}"
    if cells == shape or not entries:
        return text
    rows, columns = (-(-n // max(count, 1)) for n, count in zip(shape, cells, strict=True))
    return f"{text}; a cell counts up to {rows}×{columns} places"


def _levels(grid: Array) -> Array:
    """Opacity in eighths, 0 for empty cells; the root keeps thinly filled ones visible."""
    most = max(int(grid.max(initial=0)), 1)
    return np.asarray(np.ceil(8 * np.sqrt(grid / most)), dtype=np.int64)


def spy_svg(
    rows: Any,
    columns: Any,
    shape: Shape,
    labels: Any = None,
    *,
    title: str = "",
    max_cells: int = MAX_CELLS,
) -> str:
    """Where a matrix has entries, as self-contained SVG with alternative text.

    Up to `MAX_DRAWN` entries of a matrix no larger than max_cells × max_cells are drawn one by
    one; more are counted in bins.

    Parameters
    ----------
    rows, columns : array_like of int
        One index pair per entry.
    shape : tuple of int
        (rows, columns) of the matrix.
    labels : array_like, optional
        What to colour each entry by, its tap say.

    Examples
    --------
    >>> spy_svg([0, 1], [1, 0], (2, 2), ["a", "b"]).count("<rect")
    2
    """
    i, j = checked_indices(rows, columns, shape)
    if len(i) > MAX_DRAWN or max(shape) > max_cells:
        return density_svg(bin_entries(i, j, shape, max_cells), shape, title=title)
    which, legend = _legend(labels, len(i))
    marks = ""
    for number, (name, colour) in enumerate(legend.items()):
        said = f", {xml_escaped(name)}" if name else ""
        marks += f'<g fill="{colour}" stroke="#000" stroke-opacity=".4" stroke-width=".05">'
        for row, column in zip(
            i[which == number].tolist(), j[which == number].tolist(), strict=True
        ):
            # The hover text names the entry, so that colour is not the only way to tell.
            tip = f"<title>row {row}, column {column}{said}</title>"
            marks += f'<rect x="{column}" y="{row}" width="1" height="1">{tip}</rect>'
        marks += "</g>"
    return _svg(marks, shape, shape, len(i), title, {} if labels is None else legend)


def density_svg(grid: Array, shape: Shape, *, title: str = "") -> str:
    """The SVG of counts per bin (see `bin_entries`), darker where there are more entries.

    Examples
    --------
    >>> "300×300 matrix, 300 entries" in density_svg(100 * np.eye(3, dtype=int), (300, 300))
    True
    """
    levels, marks = _levels(grid), ""
    for level in range(1, 9):
        # One path per opacity, neighbours in a row joined: a few bytes per run of cells.
        edges = np.diff(np.pad(levels == level, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        starts, ends = np.argwhere(edges == 1).tolist(), np.argwhere(edges == -1).tolist()
        runs = ((row, at, end - at) for (row, at), (_, end) in zip(starts, ends, strict=True))
        path = "".join(f"M{at} {row}h{n}v1h-{n}z" for row, at, n in runs)
        marks += f'<path fill="{OKABE_ITO[0]}" fill-opacity="{level / 8}" d="{path}"/>' * bool(path)
    cells = grid.shape[0], grid.shape[1]
    marks = f'<g shape-rendering="crispEdges">{marks}</g>'
    return _svg(marks, cells, shape, int(grid.sum()), title, {})


def xml_escaped(text: str) -> str:
    """Text for XML: markup escaped, characters that XML cannot hold replaced."""
    return escape(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "�", text))


def _size(shape: Shape) -> tuple[float, float]:
    """Width and height of the paper: square cells, but neither side thinner than a cell."""
    unit = min(24.0, 360 / max(*shape, 1))
    return max(round(shape[1] * unit, 1), 12), max(round(shape[0] * unit, 1), 12)


def heading_lines(title: str, width: float) -> list[str]:
    return textwrap.wrap(title, max(48, int(width / CHARACTER)))


def _svg(
    marks: str, cells: Shape, shape: Shape, entries: int, title: str, legend: dict[str, str]
) -> str:
    """The frame, numbers, captions and legend around marks that are drawn in units of cells."""
    said, (width, height) = _described(shape, entries, cells), _size(shape)
    heading = heading_lines(title, width)
    left, top = 14 + 7 * len(str(shape[0])), 26 + 15 * len(heading)
    lines = [svg_text(6, 15 + 15 * number, line) for number, line in enumerate(heading)]
    for at, middle in _ends(shape[0], height):
        lines.append(svg_text(left - 5, top + middle + 4, at, "end"))
    for at, middle in _ends(shape[1], width):
        lines.append(svg_text(left + middle, top - 6, at, "middle"))
    x, y = 6.0, top + height + 18
    lines.append(svg_text(x, y, said))
    beside = left + width + CHARACTER * len(str(shape[1])) / 2
    right = max(beside, *(6 + CHARACTER * len(line) for line in (said, *heading)))
    # A long legend would dwarf the picture; hovering names the entries as well.
    y += 20 if 0 < len(legend) <= MAX_LEGEND else 0
    for name, colour in legend.items() if len(legend) <= MAX_LEGEND else ():
        wide = 26 + CHARACTER * len(name)
        x, y = (6.0, y + 17) if x > 6 and x + wide > right else (x, y)
        dot = f'<circle cx="{x + 5:g}" cy="{y - 4:g}" r="5" fill="{colour}" stroke="{INK}"/>'
        lines.append(dot + svg_text(x + 14, y, name))
        x += wide
    scale = f"{width / max(cells[1], 1):.6g} {height / max(cells[0], 1):.6g}"
    across, down = f"{right + 8:g}", f"{y + 8:g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" '
        f'viewBox="0 0 {across} {down}" role="img" font-family="sans-serif" font-size="11" '
        f'fill="{INK}"><title>{xml_escaped(title or said)}</title><desc>{xml_escaped(said)}</desc>'
        f'<path d="M{left} {top}h{width:g}v{height:g}h-{width:g}z" fill="{PAPER}" stroke="{INK}"/>'
        f'<g transform="translate({left} {top}) scale({scale})">{marks}</g>{"".join(lines)}</svg>'
    )


def svg_text(x: float, y: float, words: object, anchor: str = "start") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}">{xml_escaped(str(words))}</text>'


def _ends(n: int, length: float) -> list[tuple[int, float]]:
    """The first and the last of n indices, each with the middle of its place on `length`."""
    return [(at, (at + 0.5) * length / n) for at in sorted({0, n - 1}) if n]


def spy_png(
    rows: Any,
    columns: Any,
    shape: Shape,
    labels: Any = None,
    *,
    title: str = "",
    max_cells: int = MAX_CELLS,
) -> bytes:
    """The picture of `spy_svg` as a PNG, drawn by Matplotlib (the extra ``draw``).

    Raises
    ------
    MissingExtraError
        If Matplotlib is not installed.

    Examples
    --------
    >>> spy_png([0, 1], [1, 0], (2, 2))[1:4]  # doctest: +SKIP
    b'PNG'
    """
    i, j = checked_indices(rows, columns, shape)
    if len(i) > MAX_DRAWN or max(shape) > max_cells:
        return density_png(bin_entries(i, j, shape, max_cells), shape, title=title)
    which, legend = _legend(labels, len(i))
    image = np.full((*shape, 3), _rgb(PAPER))
    image[i, j] = np.array(list(map(_rgb, legend.values()))).reshape(-1, 3)[which]
    return _png(image, shape, len(i), title, {} if labels is None else legend)


def density_png(grid: Array, shape: Shape, *, title: str = "") -> bytes:
    """The picture of `density_svg` as a PNG, drawn by Matplotlib (see `spy_png`).

    Examples
    --------
    >>> density_png(np.eye(3, dtype=int), (300, 300))[1:4]  # doctest: +SKIP
    b'PNG'
    """
    opacity = _levels(grid)[..., None] / 8
    image = opacity * _rgb(OKABE_ITO[0]) + (1 - opacity) * _rgb(PAPER)
    return _png(image, shape, int(grid.sum()), title, {})


def _rgb(colour: str) -> Array:
    return np.asarray(list(bytes.fromhex(colour[1:])), dtype=float) / 255


def matplotlib_module(module: str) -> Any:
    """A module of Matplotlib, loaded when a PNG is asked for and not before."""
    try:
        return import_module(f"matplotlib.{module}")
    except ImportError:
        raise MissingExtraError(
            'a PNG is drawn by Matplotlib, which is not installed: pip install "symconv[draw]"'
        ) from None


def _png(image: Array, shape: Shape, entries: int, title: str, legend: dict[str, str]) -> bytes:
    """An image of cells with its frame, title, sizes and legend; no state of pyplot is touched."""
    canvas, figures = matplotlib_module("backends.backend_agg"), matplotlib_module("figure")
    (width, height), rows, columns = _size(shape), *shape
    figure = figures.Figure(figsize=(width / 72, height / 72), dpi=144)
    canvas.FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), facecolor=PAPER)
    axes.set(xlim=(0, columns or 1), ylim=(rows or 1, 0))
    axes.tick_params(color=INK, labelcolor=INK, labelsize=8, top=True, labeltop=True, bottom=False)
    axes.tick_params(labelbottom=False)
    for axis, n in ((axes.xaxis, columns), (axes.yaxis, rows)):
        ends = _ends(n, n)
        axis.set_ticks([middle for _, middle in ends], [str(at) for at, _ in ends])
    for spine in axes.spines.values():
        spine.set_color(INK)
    if image.size:
        box = (0, columns, rows, 0)
        axes.imshow(image, interpolation="nearest", aspect="auto", extent=box)
    said, plain = _described(shape, entries, image.shape[:2]), {"parse_math": False, "color": INK}
    axes.set_xlabel(said, fontsize=8, loc="left", **plain)
    axes.set_title("\n".join(heading_lines(title, width)), fontsize=9, loc="left", **plain)
    if 0 < len(legend) <= MAX_LEGEND:
        lines = matplotlib_module("lines")
        dots = [
            lines.Line2D([], [], marker="o", linestyle="", color=colour, markeredgecolor=INK)
            for colour in legend.values()
        ]
        keys = axes.legend(
            dots, list(legend), loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize=8
        )
        for words in keys.get_texts():
            words.set(**plain)
    file = io.BytesIO()
    figure.savefig(
        file, format="png", facecolor="none", bbox_inches="tight", metadata={"Description": said}
    )
    return file.getvalue()
