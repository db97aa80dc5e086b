"""Gridding: which inputs one output of a stack reads, by how many paths, and which it leaves out.

A path is one tap of every layer. The paths to an input are counted from the triples of each layer:
its matrix of counts, one entry per (o, i) and as large as the taps that meet there, times those of
the layers before. Axes are counted apart; the paths of a position are the product.

References
----------
P. Wang et al., *Understanding convolution for semantic segmentation*, WACV (2018), section 3.2.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from symconv import checks
from symconv.boundary import OUTSIDE
from symconv.drawing.base import Drawing, Still
from symconv.drawing.receptive_field import layers_of
from symconv.drawing.stills import BOLD, framed, ink_on, shaded
from symconv.drawing.themes import Theme
from symconv.errors import ParameterError, TooLargeError
from symconv.layers import Layer
from symconv.layers.base import checked_layers
from symconv.overlap import windows_of
from symconv.pictures import Stack, stacks_of
from symconv.rendering.spy import heading_lines, svg_text, xml_escaped

__all__ = ["Paths", "draw_gridding", "paths_of"]

#: Most positions of an axis that are counted, and that are drawn.
MAX_COUNTED, MAX_DRAWN = 2**20, 96
#: Longest side of the map, its widest cell, and the height of bars.
SIDE, WIDEST, HIGH = 560.0, 30.0, 120.0
#: Few and many paths, from the lightest of these blues to the darkest.
FEW, MANY = "#b9dcf2", "#003f6b"


@dataclass(frozen=True)
class Paths:
    """How many paths lead from one output to each input, axis by axis.

    Attributes
    ----------
    starts : tuple of int
        Per axis the first input that is read (negative where it lies in padding).
    counts : tuple of tuple of int
        Per axis the paths to each input from there to the last one read.
    """

    starts: tuple[int, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def left_out(self) -> int:
        """Inputs between the first and the last that no path leads to."""
        size = math.prod(map(len, self.counts))
        return size - math.prod(sum(map(bool, axis)) for axis in self.counts)


def paths_of(
    layers: Sequence[Layer], position: Sequence[int] | None = None, input_size: Any = None
) -> Paths:
    """The paths from one output of a stack to the inputs.

    Parameters
    ----------
    layers : sequence of Layer
        The layer next to the input first.
    position : sequence of int, optional
        The output; by default 0 on an endless axis, and the middle one of a finite input.
    input_size : sequence of int, optional
        Paths into padding end there; without it axes have no ends.

    Examples
    --------
    >>> import symconv as sc
    >>> paths_of([sc.Conv1d(1, 1, 3, dilation=2)] * 2)
    Paths(starts=(0,), counts=((1, 0, 2, 0, 3, 0, 2, 0, 1),))
    """
    given = checked_layers(layers)
    rank = given[0].rank
    stacks = stacks_of(given, input_size)
    place = [stack.sizes[-1] // 2 if stack.sizes else 0 for stack in stacks]
    if position is not None:
        place = [
            checks.concrete("position", checks.integer("position", at))
            for at in checks.sequence("position", position)
        ]
        if len(place) != rank:
            raise ParameterError(f"position must have {rank} entries, got {len(place)}")
    counted = []
    for axis, (stack, at) in enumerate(zip(stacks, place, strict=True)):
        if stack.sizes and not 0 <= at < stack.sizes[-1]:
            raise ParameterError(f"position must be from 0 to {stack.sizes[-1] - 1}, got {at}")
        found = _stored(given, axis, stack, stacks, at) if stack.sizes else _endless(stack, at)
        low, high = (min(found), max(found)) if found else (0, -1)
        if high - low >= MAX_COUNTED:
            raise TooLargeError(
                f"a field must have at most {MAX_COUNTED} positions to be drawn, got "
                f"{high - low + 1}"
            )
        counted.append((low, tuple(found[i] for i in range(low, high + 1))))
    return Paths(tuple(low for low, _ in counted), tuple(counts for _, counts in counted))


def _endless(stack: Stack, position: int) -> Counter[int]:
    """Paths on an axis without ends, by the relations alone."""
    level = Counter({position: 1})
    for relation in reversed(stack.relations):
        _check_work(len(level) * relation.n_taps)
        below: Counter[int] = Counter()
        for o, paths in level.items():
            for k in range(relation.n_taps):
                i, gap = divmod(relation.position(o, k), relation.input_dilation)
                if not gap:
                    below[i] += paths
        level = below
    return level


def _stored(
    layers: Sequence[Layer], axis: int, stack: Stack, stacks: Sequence[Stack], position: int
) -> Counter[int]:
    """Paths to stored samples, by the tables of each layer at its size."""
    level = Counter({position: 1})
    for number in reversed(range(len(layers))):
        operator = layers[number].operator([other.sizes[number] for other in stacks])
        windows, is_turned = windows_of(operator)
        table = windows.reads[axis]
        outputs, taps = np.nonzero(table != OUTSIDE)
        inputs = table[outputs, taps]
        above, below = (inputs, outputs) if is_turned else (outputs, inputs)
        seen = np.isin(above, np.fromiter(level, dtype=np.int64))
        _check_work(int(seen.sum()))
        found: Counter[int] = Counter()
        for o, i in zip(above[seen].tolist(), below[seen].tolist(), strict=True):
            found[i] += level[o]
        level = found
    return level


def _check_work(pairs: int) -> None:
    if pairs > MAX_COUNTED:
        raise TooLargeError(
            f"a level of {pairs} pairs is above the limit of {MAX_COUNTED}; symconv.reach.covers "
            f"decides without a limit whether inputs are left out"
        )


def draw_gridding(thing: Any, *, input_size: Any = None, position: Any = None) -> Drawing:
    """Which inputs one output of a stack reads, by how many paths, and which it leaves out.

    Parameters
    ----------
    thing : Layer or sequence of Layer
        Of one or two axes, the layer next to the input first.
    input_size : sequence of int, optional
        Paths into padding end there; without it axes have no ends.
    position : sequence of int, optional
        The output; by default the middle one, and 0 without `input_size`.

    Raises
    ------
    ParameterError
        If the layers have more than two axes.
    TooLargeError
        If the field has more than 96 positions on an axis.

    Examples
    --------
    >>> import symconv as sc
    >>> draw_gridding([sc.Conv1d(1, 1, 3, dilation=2)] * 2).alt
    'paths to inputs 0 to 8: 1, 0, 2, 0, 3, 0, 2, 0, 1; 4 of 9 are left out'
    """
    layers = layers_of(thing)
    paths = paths_of(layers, position, input_size)
    if len(paths.counts) > 2:
        raise ParameterError(
            f"layers must have 1 or 2 axes to be drawn, got {len(paths.counts)}; paths_of counts "
            f"on more"
        )
    longest = max(map(len, paths.counts))
    if longest > MAX_DRAWN:
        raise TooLargeError(
            f"a field must have at most {MAX_DRAWN} positions on an axis to be drawn, got {longest}"
        )
    names = " → ".join(map(_named, layers[:8])) + (" → …" if len(layers) > 8 else "")
    title, alt = f"inputs read by one output of {names}", _said(paths)
    body, size = _bars(paths, title) if len(paths.counts) == 1 else _map(paths, title)
    return Still(
        title, alt, lambda theme: framed("gridding", theme, size, (title, alt), body, _rules)
    )


def _rules(scope: str, theme: Theme) -> str:
    return (
        f".{scope} .gap{{fill:none;stroke:{theme.accent};stroke-dasharray:3 2}}"
        f".{scope} .read{{stroke:{theme.line}}}.{scope} .cross{{stroke:{theme.accent}}}"
    )


def _named(layer: Layer) -> str:
    """The layer, as short as tells it from its neighbours."""
    kind = type(layer).__name__
    size = "×".join(map(str, layer.kernel_size)) if hasattr(layer, "kernel_size") else ""
    parts = [f"{kind} {size}".strip()]
    for name in ("dilation", "stride"):
        value = getattr(layer, name, None)
        if value is not None and set(value) != {1}:
            shown = value[0] if len(set(value)) == 1 else value
            parts.append(f"{name} {shown}")
    return " ".join(parts)


def _minus(value: int) -> str:
    return str(value).replace("-", "−")


def _said(paths: Paths) -> str:
    spans = " × ".join(
        f"{_minus(start)} to {_minus(start + len(axis) - 1)}"
        for start, axis in zip(paths.starts, paths.counts, strict=True)
    )
    size = math.prod(map(len, paths.counts))
    if not size:
        return "no input is read"
    rows = _grid(paths)
    listed = ""
    if size <= 100:
        listed = ": " + "; ".join(", ".join(map(str, row)) for row in rows)
    return f"paths to inputs {spans}{listed}; {paths.left_out} of {size} are left out"


def _grid(paths: Paths) -> list[list[int]]:
    *outer, last = paths.counts
    return [[n * m for m in last] for n in (outer[0] if outer else (1,))]


def _cell(x: float, y: float, unit: float, count: int, most: int, place: tuple[int, ...]) -> str:
    """A position of the input: shaded by its paths, or crossed out."""
    where = ",".join(map(str, place))
    said = f"input ({', '.join(map(_minus, place))}): "
    said += "left out" if not count else f"{count} path{'s' * (count > 1)}"
    data = f'data-index="{where}" data-paths="{count}"'
    square = f'x="{x + 1:g}" y="{y + 1:g}" width="{unit - 2:g}" height="{unit - 2:g}" rx="2"'
    tip = f"<title>{xml_escaped(said)}</title>"
    if not count:
        low, high = 0.34 * unit, 0.66 * unit
        cross = (
            f"M{x + low:g} {y + low:g}L{x + high:g} {y + high:g}"
            f"M{x + high:g} {y + low:g}L{x + low:g} {y + high:g}"
        )
        return (
            f'<rect class="gap" {square} {data}>{tip}</rect>'
            f'<path class="cross" d="{cross}" pointer-events="none"/>'
        )
    # By logarithm: counts of paths grow like powers.
    colour = shaded(FEW, MANY, math.log(count) / math.log(most) if most > 1 else 0)
    text, size = str(count), min(11.0, 1.5 * unit / len(str(count)))
    written = ""
    if size >= 6:
        written = (
            f'<text x="{x + unit / 2:g}" y="{y + unit / 2 + 0.36 * size:g}" '
            f'font-size="{size:.3g}" text-anchor="middle" fill="{ink_on(colour)}" '
            f'pointer-events="none">{text}</text>'
        )
    return f'<rect class="read" {square} fill="{colour}" {data}>{tip}</rect>{written}'


def _number(x: float, y: float, value: int, anchor: str) -> str:
    return (
        f'<text class="faint" x="{x:g}" y="{y:g}" font-size="9" text-anchor="{anchor}">'
        f"{_minus(value)}</text>"
    )


def _heading(title: str) -> tuple[str, float]:
    lines = heading_lines(title, 0.8 * SIDE)
    marks = "".join(
        f'<text x="8" y="{18 + 15 * at}" font-size="12" font-weight="bold">'
        f"{xml_escaped(line)}</text>"
        for at, line in enumerate(lines)
    )
    return marks, 26.0 + 15 * len(lines)


def _foot(paths: Paths, y: float) -> str:
    """What crossed-out cells are."""
    key = f'<rect class="gap" x="9" y="{y - 10:g}" width="12" height="12" rx="2"/>'
    size = math.prod(map(len, paths.counts))
    cross = f'<path class="cross" d="M13 {y - 6:g}l4 4m0 -4l-4 4"/>'
    words = f"left out: {paths.left_out} of {size}; numbers and shades count paths of taps"
    return key + cross + svg_text(27, y, words)


def _width(title: str, wide: float) -> float:
    longest = max(len(line) for line in heading_lines(title, 0.8 * SIDE))
    return max(wide, 16 + BOLD * longest, 430)


def _bars(paths: Paths, title: str) -> tuple[str, tuple[float, float]]:
    """One axis: cells with their numbers, and bars above."""
    ((start,), (counts,)) = paths.starts, paths.counts
    unit, most = min(WIDEST, SIDE / max(len(counts), 1)), max(counts, default=1)
    heading, top = _heading(title)
    marks, base = [heading], top + HIGH
    every = max(1, math.ceil(22 / unit))
    for at, count in enumerate(counts):
        x = 14 + at * unit
        high = (HIGH - 8) * count / most
        colour = shaded(FEW, MANY, math.log(count) / math.log(most) if count and most > 1 else 0)
        if count:
            marks.append(
                f'<rect class="read" x="{x + 1:g}" y="{base - high:g}" width="{unit - 2:g}" '
                f'height="{high:g}" fill="{colour}"/>'
            )
        marks.append(_cell(x, base + 4, unit, count, most, (start + at,)))
        if at % every == 0:
            marks.append(_number(x + unit / 2, base + unit + 17, start + at, "middle"))
    foot = base + unit + 44
    marks.append(svg_text(14, base + unit + 30, "input position") + _foot(paths, foot + 8))
    return "".join(marks), (_width(title, 28 + unit * len(counts)), foot + 22)


def _map(paths: Paths, title: str) -> tuple[str, tuple[float, float]]:
    """Two axes: a cell for each position."""
    rows = _grid(paths)
    n_down, n_across = len(paths.counts[0]), len(paths.counts[1])
    unit = min(WIDEST, SIDE / max(n_down, n_across, 1))
    most = max((max(row, default=0) for row in rows), default=1) or 1
    heading, top = _heading(title)
    left, top = 40.0, top + 18
    every = max(1, math.ceil(22 / unit))
    marks = [heading]
    marks += [
        _number(left + (at + 0.5) * unit, top - 6, paths.starts[1] + at, "middle")
        for at in range(0, n_across, every)
    ]
    marks += [
        _number(left - 6, top + (at + 0.5) * unit + 3, paths.starts[0] + at, "end")
        for at in range(0, n_down, every)
    ]
    for down, row in enumerate(rows):
        for across, count in enumerate(row):
            place = (paths.starts[0] + down, paths.starts[1] + across)
            marks.append(_cell(left + across * unit, top + down * unit, unit, count, most, place))
    foot = top + n_down * unit + 24
    marks.append(_foot(paths, foot))
    return "".join(marks), (_width(title, left + n_across * unit + 14), foot + 14)
