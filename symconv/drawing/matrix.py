"""The matrix of an operator as a picture: coloured by tap, rows and columns named by pixel.

Where entries are too many they are counted in bins, each coloured by the tap along the first axis
that has most entries there: the blocks of a block Toeplitz matrix.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.drawing.base import Drawing, Still
from symconv.drawing.entries import Entry, Structure, entries_of, members, structure_of
from symconv.drawing.sheet import Sheet, pixel
from symconv.drawing.stills import framed, ink_on, shaded
from symconv.drawing.subject import Subject, subject_of
from symconv.drawing.themes import Theme
from symconv.errors import ParameterError, TooLargeError
from symconv.incidence import AxisPattern, Pattern
from symconv.maps import ConvolutionMap, PatchMap
from symconv.operator import Operator
from symconv.rendering import MAX_CELLS, MAX_DRAWN, bin_entries, bin_pattern
from symconv.rendering.spy import OKABE_ITO, palette, svg_text, xml_escaped

__all__ = ["draw_matrix", "tap_colour"]

Array = npt.NDArray[Any]
Tap = tuple[int, ...]

#: Hues, by the tap along the first axis: Okabe and Ito's without yellow, black and grey.
HUES = OKABE_ITO[:6]
#: Taps of which the key shows the kernel, and the size of its cells; taps along the first axis
#: that are told apart in bins; entries of patches that are listed to be binned.
MAX_KEY, KEY, MAX_HUES, MAX_LISTED = 128, 26.0, 32, 2**22
#: Entries up to which the alternative text names them all.
MAX_SAID = 48

SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def tap_colour(tap: Tap, kernel_size: tuple[int, ...]) -> str:
    """The colour of a tap: its hue says the first index, its lightness the others.

    Examples
    --------
    >>> tap_colour((0, 0), (3, 3)), tap_colour((0, 2), (3, 3)), tap_colour((1, 0), (3, 3))
    ('#0072b2', '#8cc0dc', '#e69f00')
    """
    first, rest = kernel_size[0], kernel_size[1:]
    hues = HUES if first <= len(HUES) else palette(first)
    at = int(np.ravel_multi_index(tap[1:], rest)) if rest else 0
    return shaded(hues[tap[0]], "#ffffff", 0.55 * at / max(math.prod(rest) - 1, 1))


def tap_name(tap: Tap, letter: str = "w") -> str:
    """A tap as the index of its weight; k where there are no weights.

    Examples
    --------
    >>> tap_name((0, 2)), tap_name((0, 10))
    ('w₀₂', 'w₀,₁₀')
    """
    between = "," if max(tap, default=0) > 9 else ""
    return letter + between.join(str(k).translate(SUBSCRIPTS) for k in tap)


def draw_matrix(thing: Any, *, input_size: Any = None, weight: Any = None) -> Drawing:
    """The matrix of an operator, its Toeplitz structure coloured by tap.

    Up to 5000 entries are drawn one by one, each with its pixels and its tap; of larger matrices
    the entries are counted in at most 200×200 cells.

    Parameters
    ----------
    thing : Operator, BoundOperator, PoolOperator or Layer
    input_size : sequence of int, optional
        Needed with a layer.
    weight : array_like, optional
        Numbers to write into the entries, of the operator's weight shape.

    Raises
    ------
    ParameterError
        If the operator takes no weight and one is given.
    TooLargeError
        If the matrix of patches has more than 2**22 entries.

    Examples
    --------
    >>> import symconv as sc
    >>> picture = draw_matrix(sc.Conv1d(1, 1, 2), input_size=(3,))
    >>> picture.svg().count('data-tap="1"'), picture.alt.partition(";")[0]
    (2, 'a 2×3 matrix with 4 entries')

    References
    ----------
    V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
    arXiv:1603.07285, section 4.1.
    """
    subject = subject_of(thing, input_size)
    operator, structure = subject.operator, structure_of(subject.operator)
    title = f"matrix of {operator.describe()}"
    firsts = ("tap" if isinstance(structure.linear, PatchMap) else "channel", "channel")
    if structure.is_turned:
        firsts = firsts[::-1]
    rank = len(structure.kernel_size)
    sheet = Sheet((operator.output_shape, operator.input_shape), rank, title, firsts)
    n_entries = "1 entry" if structure.nnz == 1 else f"{structure.nnz} entries"
    rows, columns = operator.shape
    alt = (
        f"a {rows}×{columns} matrix with {n_entries}; rows are output pixels {sheet.said(0)}, "
        f"columns input pixels {sheet.said(1)}"
    )
    if structure.nnz <= MAX_DRAWN and max(operator.shape) <= MAX_CELLS:
        numbers = _numbers(subject, weight)
        entries = list(entries_of(structure))
        marks = "".join(_entry(entry, structure, sheet, numbers) for entry in entries)
        marks = f'<g stroke-width="{min(1.0, sheet.unit / 12):g}">{marks}</g>'
        alt += _listed(entries, sheet)
        letter = "w" if isinstance(structure.linear, ConvolutionMap) else "k"
        key = _key(structure.kernel_size, (sheet.end[0] + 28, sheet.corner[1]), letter)
        note = ""
    else:
        grids = _grids(structure, operator.shape)
        marks = _bins(grids, structure, sheet)
        places = "×".join(
            str(-(-n // max(cells, 1)))
            for n, cells in zip(operator.shape, grids.shape[1:], strict=True)
        )
        note = f"a cell counts up to {places} places; its colour is the tap most of them have"
        alt += f"; {note}, by its first index"
        shown = min(structure.kernel_size[0], len(grids))
        key = _NONE
        if len(grids) > 1:
            key = _key((shown,), (sheet.end[0] + 28, sheet.corner[1]), "" if rank > 1 else "w")
    body = f"{sheet.marks()}{marks}{sheet.lines()}{key[0]}"
    down = max(sheet.end[1] + 16, key[2] + 12)
    if note:
        body += svg_text(sheet.corner[0], down + 4, note)
        down += 16
    across = max(sheet.end[0] + 16, key[1] + 16, sheet.least_width)
    return Still(
        title,
        alt,
        lambda theme: framed("matrix", theme, (across, down), (title, alt), body, _rules),
    )


#: No key: nothing drawn, nothing taken.
_NONE = ("", 0.0, 0.0)


def _rules(scope: str, theme: Theme) -> str:
    return f".{scope} .entry{{stroke:{theme.paper}}}"


def _numbers(subject: Subject, weight: Any) -> dict[tuple[int, int], str]:
    """What to write into the entries, where there are numbers."""
    operator = subject.operator
    given = subject.weight if weight is None else weight
    if given is None:
        return {}
    if not isinstance(operator, Operator) or operator.weight_shape is None:
        raise ParameterError(f"weight must be left out: {operator.describe()} has none")
    array = np.asarray(given)
    if array.dtype.kind in "fc":
        found = operator.sparse(array, dtype=array.dtype).tocoo()
        places = zip(found.row.tolist(), found.col.tolist(), found.data.tolist(), strict=True)
        return {(row, column): _signed(f"{value:.3g}") for row, column, value in places}
    entries = operator.exact(given).todok()
    # An entry of which the weight is 0 is one all the same.
    return {
        (int(row), int(column)): _signed(str(value)) for (row, column), value in entries.items()
    } or {(-1, -1): "0"}


def _signed(number: str) -> str:
    return number.replace("-", "−")


def _entry(
    entry: Entry, structure: Structure, sheet: Sheet, numbers: dict[tuple[int, int], str]
) -> str:
    unit, (left, top) = sheet.unit, sheet.corner
    x, y = left + entry.column * unit, top + entry.row * unit
    colour = tap_colour(entry.taps[0], structure.kernel_size)
    letter = "w" if entry.weight else "k"
    names = " + ".join(tap_name(tap, letter) for tap in entry.taps)
    text = names
    if numbers:
        text = numbers.get((entry.row, entry.column), "0")
    elif entry.share is not None:
        text = str(entry.share)
    taps = " + ".join(f"({', '.join(map(str, tap))})" for tap in entry.taps)
    out, read = (
        pixel(at, side) for at, side in zip((entry.row, entry.column), sheet.sides, strict=True)
    )
    tip = f"output {out} ← input {read}: tap {taps}"
    if entry.weight:
        symbols = " + ".join("_".join(map(str, ("w", *entry.weight, *tap))) for tap in entry.taps)
        tip += f", {symbols}"
    tip += f" = {text}" if text != names else ""
    dashes = ' stroke-dasharray="3 2"' if len(entry.taps) > 1 else ""
    data = "+".join(",".join(map(str, tap)) for tap in entry.taps)
    marks = (
        f'<rect class="entry" x="{x:g}" y="{y:g}" width="{unit:g}" height="{unit:g}" '
        f'fill="{colour}"{dashes} data-row="{entry.row}" data-column="{entry.column}" '
        f'data-tap="{data}"><title>{xml_escaped(tip)}</title></rect>'
    )
    size = min(11.0, 1.6 * unit / max(len(text), 1))
    if unit >= 15 and size >= 6.5:
        marks += (
            f'<text x="{x + unit / 2:g}" y="{y + unit / 2 + 0.36 * size:g}" font-size="{size:g}" '
            f'text-anchor="middle" fill="{ink_on(colour)}" pointer-events="none">'
            f"{xml_escaped(text)}</text>"
        )
    return marks


def _listed(entries: list[Entry], sheet: Sheet) -> str:
    """The rows in words, of a small matrix."""
    if len(entries) > MAX_SAID:
        return "; each entry is coloured by its tap"
    rows: dict[int, list[str]] = {}
    for entry in entries:
        letter = "w" if entry.weight else "k"
        name = " + ".join(tap_name(tap, letter) for tap in entry.taps)
        rows.setdefault(entry.row, []).append(f"{name} at {pixel(entry.column, sheet.sides[1])}")
    return "".join(
        f"; row {pixel(row, sheet.sides[0])}: {', '.join(said)}" for row, said in rows.items()
    )


def _key(
    kernel_size: tuple[int, ...], corner: tuple[float, float], letter: str
) -> tuple[str, float, float]:
    """The kernel in the colours of its taps, with its right and lower end.

    Without a letter, only the taps along the first axis.
    """
    x, y = corner
    if math.prod(kernel_size) > MAX_KEY:
        return _NONE
    many = len(kernel_size) > 1
    n_across = math.prod(kernel_size[1:]) if many else kernel_size[0]
    marks = [svg_text(x, y - 8, "tap" if letter else "tap along axis 0")]
    for tap in np.ndindex(*kernel_size):
        down, across = divmod(int(np.ravel_multi_index(tap, kernel_size)), n_across)
        colour = tap_colour(tap, kernel_size)
        left, top = x + KEY * across, y + KEY * down
        name = tap_name(tap, letter) if letter else str(tap[0])
        size = min(10.0, 1.6 * KEY / len(name))
        marks.append(
            f'<rect class="entry" x="{left:g}" y="{top:g}" width="{KEY:g}" height="{KEY:g}" '
            f'fill="{colour}"/><text x="{left + KEY / 2:g}" y="{top + KEY / 2 + 3.6:g}" '
            f'text-anchor="middle" font-size="{size:g}" fill="{ink_on(colour)}">{name}</text>'
        )
    n_down = -(-math.prod(kernel_size) // n_across)
    return "".join(marks), x + max(KEY * n_across, 24 if letter else 92), y + KEY * n_down


def _grids(structure: Structure, shape: tuple[int, int]) -> Array:
    """Entries counted in cells, apart for each tap along the first axis: (taps, rows, columns)."""
    n_first = structure.kernel_size[0]
    if isinstance(structure.linear, PatchMap):
        if structure.nnz > MAX_LISTED:
            raise TooLargeError(
                f"a matrix of patches must have at most {MAX_LISTED} entries to be drawn, got "
                f"{structure.nnz}; draw a smaller size"
            )
        found = structure.linear.entries(np.ones((), dtype=np.int64), structure.is_turned)
        patches = found.indices if structure.is_turned else found.rows
        first = patches // (math.prod(structure.linear.range_shape) // n_first)
        chosen = [first == at for at in range(n_first)] if n_first <= MAX_HUES else [first >= 0]
        return np.stack(
            [bin_entries(found.rows[which], found.indices[which], shape) for which in chosen]
        )
    axis, *others = structure.pattern.axes
    if n_first > MAX_HUES:
        return bin_pattern(structure.pattern, structure.channels)[None]
    lowest = np.array([members(axis, label)[0] for label in range(axis.n_labels)])
    parts = [_restricted(axis, lowest[axis.labels] == at) for at in range(n_first)]
    patterns = [Pattern((part, *others)) for part in parts]
    return np.stack([bin_pattern(pattern, structure.channels) for pattern in patterns])


def _restricted(axis: AxisPattern, kept: Array) -> AxisPattern:
    """Some of the pairs of one axis."""
    rows = np.repeat(np.arange(axis.n_rows), np.diff(axis.indptr))[kept]
    ends = np.cumsum(np.bincount(rows, minlength=axis.n_rows))
    return AxisPattern(
        np.append(0, ends),
        axis.columns[kept],
        axis.labels[kept],
        axis.n_columns,
        axis.merge,
        axis.n_labels,
    )


def _bins(grids: Array, structure: Structure, sheet: Sheet) -> str:
    """One path for each hue and each of eight opacities, neighbours in a row joined."""
    total, which = grids.sum(axis=0), grids.argmax(axis=0)
    most = max(int(total.max(initial=0)), 1)
    # The root keeps thinly filled cells visible.
    levels = np.ceil(8 * np.sqrt(total / most)).astype(np.int64)
    kinds = np.where(levels, 8 * which + levels, 0)
    edges = np.diff(np.pad(kinds, ((0, 0), (1, 1))), axis=1) != 0
    paths: dict[int, list[str]] = {}
    for row, ends in enumerate(edges):
        stops = np.flatnonzero(ends).tolist()
        for start, stop in pairwise(stops):
            kind = int(kinds[row, start])
            if kind:
                run = f"M{start} {row}h{stop - start}v1h{start - stop}z"
                paths.setdefault(kind, []).append(run)
    marks = ""
    first = (structure.kernel_size[0] if len(grids) > 1 else 1,)
    for kind, runs in sorted(paths.items()):
        hue, level = divmod(kind - 1, 8)
        marks += (
            f'<path fill="{tap_colour((hue,), first)}" fill-opacity="{(level + 2) / 9:.3g}" '
            f'data-tap="{hue}" data-level="{level + 1}" d="{"".join(runs)}"/>'
        )
    (left, top), (right, bottom) = sheet.corner, sheet.end
    scale = f"{(right - left) / total.shape[1]:.8g} {(bottom - top) / total.shape[0]:.8g}"
    place = f"translate({left:g} {top:g}) scale({scale})"
    return f'<g transform="{place}" shape-rendering="crispEdges">{marks}</g>'
