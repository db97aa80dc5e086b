"""The sheet that a matrix is drawn on: its cells' places, the names of its rows and columns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from symconv.drawing.stills import BOLD
from symconv.rendering.spy import CHARACTER, heading_lines, svg_text, xml_escaped

__all__ = ["Sheet", "pixel"]

#: Longest side of the matrix on paper, and its widest cell.
SIDE, WIDEST = 540.0, 30.0
#: Room that a name takes along its side, and lines between blocks that are drawn.
NAME, MAX_LINES = 12.0, 40

#: What positions are called, by the number of spatial axes.
AXES = {1: ("position",), 2: ("row", "column"), 3: ("depth", "row", "column")}


def pixel(index: int, shape: tuple[int, ...]) -> str:
    """The name of a row or column: its place in an array.

    Examples
    --------
    >>> pixel(5, (2, 2, 3)), pixel(2, (4,))
    ('(0, 1, 2)', '(2)')
    """
    return f"({', '.join(str(int(at)) for at in np.unravel_index(index, shape))})"


@dataclass(frozen=True)
class Sheet:
    """Where everything is on the paper of one matrix.

    Parameters
    ----------
    sides : (rows, columns), each the shape of the array that is raveled
    rank : int
        Spatial axes.
    title : str
    firsts : (str, str)
        What the axis before the spatial ones is called, of rows and of columns.
    """

    sides: tuple[tuple[int, ...], tuple[int, ...]]
    rank: int
    title: str
    firsts: tuple[str, str] = ("channel", "channel")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return math.prod(self.sides[0]), math.prod(self.sides[1])

    @cached_property
    def unit(self) -> float:
        """Side of an entry on paper."""
        return min(WIDEST, SIDE / max(*self.shape, 1))

    @cached_property
    def names(self) -> tuple[dict[int, str], dict[int, str]]:
        """The rows and the columns that are named."""
        first, second = (self._named(side) for side in self.sides)
        return first, second

    def _named(self, side: tuple[int, ...]) -> dict[int, str]:
        """All where there is room, or the starts of blocks, or every so many-th of those."""
        block, step = 1, 1
        for n in (1, *reversed(side)):
            if block * n > max(1, math.prod(side) // 2) and block > 1:
                break
            block *= n
            # Powers of two: sizes of images are multiples of them.
            step = block * 2 ** max(0, math.ceil(math.log2(NAME / (self.unit * block))))
            if step == block:
                break
        return {at: pixel(at, side) for at in range(0, math.prod(side), step)}

    def said(self, which: int) -> str:
        """What the numbers of a pixel are, of rows (0) or columns (1)."""
        n_first = len(self.sides[which]) - self.rank
        words = (self.firsts[which],) * n_first + AXES.get(
            self.rank, tuple(f"axis {axis}" for axis in range(self.rank))
        )
        return f"({', '.join(words)})"

    @cached_property
    def heading(self) -> list[str]:
        """The title, in lines."""
        return heading_lines(self.title, 0.8 * SIDE)

    @cached_property
    def corner(self) -> tuple[float, float]:
        """Where row 0 and column 0 begin, as (x, y)."""
        longest = [max(map(len, named.values()), default=0) for named in self.names]
        return (
            30 + CHARACTER * longest[0],
            36 + 15.0 * len(self.heading) + 0.92 * CHARACTER * longest[1],
        )

    @property
    def end(self) -> tuple[float, float]:
        """Where the last row and the last column end, as (x, y)."""
        (x, y), (rows, columns) = self.corner, self.shape
        return x + max(columns * self.unit, 12), y + max(rows * self.unit, 12)

    @property
    def least_width(self) -> float:
        """What the heading needs."""
        return max(16 + BOLD * max(map(len, self.heading), default=0), 200)

    def marks(self) -> str:
        """Heading, names, and what they are; the frame and the lines between blocks on top."""
        (left, top), (_, bottom) = self.corner, self.end
        marks = [
            f'<text x="8" y="{18 + 15 * at}" font-size="12" font-weight="bold">'
            f"{xml_escaped(line)}</text>"
            for at, line in enumerate(self.heading)
        ]
        size = min(10.0, max(8.0, self.unit))
        across = f"input pixel {self.said(1)}"
        marks.append(svg_text(left, 20 + 15 * len(self.heading), f"{across} →"))
        middle = (top + bottom) / 2
        down, room = f"output pixel {self.said(0)}", bottom - top
        short = down if CHARACTER * len(down) <= max(room, 120) else "output pixel"
        start = max(middle, top + CHARACTER * len(short) / 2 - 40)
        marks.append(
            f'<text x="14" y="{start:g}" text-anchor="middle" '
            f'transform="rotate(-90 14 {start:g})">← {xml_escaped(short)}</text>'
        )
        marks.append(f'<g class="faint" font-size="{size:g}">')
        for at, name in self.names[0].items():
            y = top + (at + 0.5) * self.unit + 0.36 * size
            marks.append(f'<text x="{left - 6:g}" y="{y:g}" text-anchor="end">{name}</text>')
        for at, name in self.names[1].items():
            x = left + (at + 0.5) * self.unit + 0.36 * size
            marks.append(
                f'<text x="{x:g}" y="{top - 6:g}" transform="rotate(-90 {x:g} {top - 6:g})">'
                f"{name}</text>"
            )
        return "".join(marks) + "</g>"

    def lines(self) -> str:
        """The frame, strong lines between channels and thin ones between blocks of positions."""
        (left, top), (right, bottom) = self.corner, self.end
        paths = {"line": "", "strong": ""}
        for which, side in enumerate(self.sides):
            for at, kind in _borders(side, self.rank).items():
                if which == 0:
                    paths[kind] += f"M{left:g} {top + at * self.unit:g}H{right:g}"
                else:
                    paths[kind] += f"M{left + at * self.unit:g} {top:g}V{bottom:g}"
        frame = f"M{left:g} {top:g}H{right:g}V{bottom:g}H{left:g}z"
        return (
            f'<path class="line" d="{paths["line"]}" stroke-width=".6" stroke-opacity=".7"/>'
            f'<path class="strong" d="{paths["strong"]}" stroke-width="1.4"/>'
            f'<path class="strong" d="{frame}"/>'
        )


def _borders(side: tuple[int, ...], rank: int) -> dict[int, str]:
    """Rows (or columns) at which a block begins: of a channel, and of a position on an axis."""
    total = math.prod(side)
    borders: dict[int, str] = {}
    position = math.prod(side[len(side) - rank :])
    blocks = [(math.prod(side[at:]), "line") for at in range(len(side) - 1, len(side) - rank, -1)]
    for size, kind in (*blocks, (position, "strong")):
        if size > 1 and total // size <= MAX_LINES:
            borders |= dict.fromkeys(range(size, total, size), kind)
    return borders
