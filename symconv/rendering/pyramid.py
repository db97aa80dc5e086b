"""A receptive field as a picture: the positions read at every level, and who reads whom."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from symconv.errors import ShapeError, TooLargeError
from symconv.rendering.spy import CHARACTER, INK, OKABE_ITO, heading_lines, svg_text, xml_escaped

__all__ = ["MAX_MARKS", "field_svg"]

#: Cells and lines up to which each is drawn on its own; of more, only outlines are drawn.
MAX_MARKS = 1500

#: Samples from the first to the last that a field reads.
MAX_SPAN = 50_000

#: Width of the positions, the widest cell, its height, and the height from row to row.
WIDTH, WIDEST, CELL, STEP = 640.0, 26.0, 16.0, 58.0
#: The three kinds of cells differ in fill and dashes, not only in colour.
STYLES = {
    "read": f'fill="{OKABE_ITO[0]}" stroke="{OKABE_ITO[0]}"',
    "lost to padding": f'fill="none" stroke="{OKABE_ITO[3]}" stroke-dasharray="3 2"',
    "left out": f'fill="none" stroke="{INK}" stroke-opacity=".6"',
}
LINES = {
    "read": f'stroke="{INK}"',
    "lost to padding": f'stroke="{OKABE_ITO[3]}" stroke-dasharray="3 2"',
}


@dataclass(frozen=True)
class _Row:
    """One level in the picture: its name and cells, their height, width and places."""

    name: str
    #: Kind of cell → its positions, ascending.
    kinds: dict[str, list[int]]
    y: float
    wide: float
    x: dict[int, float]

    @property
    def said(self) -> str:
        counts = (f"{len(found)} {kind}" for kind, found in self.kinds.items() if found)
        return f"{self.name}: {', '.join(counts) or 'nothing read'}"


def field_svg(
    levels: Sequence[Sequence[int]],
    places: Sequence[Sequence[Any]],
    links: Sequence[Collection[tuple[int, int]]],
    *,
    stored: Sequence[Collection[int]] | None = None,
    names: Sequence[str] | None = None,
    title: str = "",
) -> str:
    """What one output reads, level by level, as self-contained SVG with alternative text.

    The output is on top; at the bottom is the input, with the positions its field leaves out.

    Parameters
    ----------
    levels : sequence of sequence of int
        Positions read at each level, input first (see `symconv.reach.trace`).
    places : sequence of sequence of numbers
        Where each of them is centred on the input axis.
    links : sequence of pairs
        Per layer the pairs (o, i): position o after it reads position i before it.
    stored : sequence of collections of int, optional
        The positions of each level that are read on a finite input; the others are drawn as
        lost: they lie in padding or are read through padding only.
    names : sequence of str, optional
        A name per level.

    Raises
    ------
    ShapeError
        If the lists do not fit one another.

    Examples
    --------
    >>> from symconv.reach import trace
    >>> from symconv.relation import AxisRelation
    >>> stack = [AxisRelation(3, pad_lo=1, pad_hi=1)] * 2
    >>> whole, cut = trace(stack, 0), trace(stack, 0, 8)
    >>> svg = field_svg(whole.levels, whole.places, whole.links, stored=cut.levels)
    >>> "input: 3 read, 2 lost to padding; layer 1: 2 read, 1 lost to padding" in svg
    True
    """
    _check(levels, places, links, stored, names)
    rows, width = _rows(levels, places, stored, names)
    many = sum(map(len, [*links, *levels])) > MAX_MARKS
    marks = []
    for pairs, below, above in zip(links, rows, rows[1:], strict=False):
        marks.append((_outline if many else _lines)(pairs, below, above))
    for row in rows:
        marks += [_cells(row, kind, many) for kind in row.kinds]
        marks.append(svg_text(6, row.y + 4, row.said))
    foot, key = rows[0].y + STEP - CELL, ""
    for number, (kind, style) in enumerate(STYLES.items()):
        key += f'<rect x="{6 + 130 * number}" y="{foot - 10}" width="11" height="11" {style}/>'
        key += svg_text(22 + 130 * number, foot, kind)
    heading = [
        svg_text(6, foot + 22 + 15 * at, line)
        for at, line in enumerate(heading_lines(title, width))
    ]
    across, down = f"{max(width, 400):g}", f"{foot + 10 + 15 * len(heading):g}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" '
        f'viewBox="0 0 {across} {down}" role="img" font-family="sans-serif" font-size="11" '
        f'fill="{INK}"><title>{xml_escaped(title or "receptive field")}</title>'
        f"<desc>{xml_escaped('; '.join(row.said for row in rows))}</desc>"
        f"{''.join(marks)}{key}{''.join(heading)}</svg>"
    )


def _check(
    levels: Sequence[Any],
    places: Sequence[Any],
    links: Sequence[Any],
    stored: Sequence[Any] | None,
    names: Sequence[Any] | None,
) -> None:
    """Refuse lists that do not fit one another."""
    for name, value, n in (
        ("places", places, len(levels)),
        ("links", links, len(levels) - 1),
        ("stored", stored, len(levels)),
        ("names", names, len(levels)),
    ):
        if value is not None and len(value) != n:
            raise ShapeError(
                f"{name} must have {n} entries for {len(levels)} levels, got {len(value)}"
            )
    for number, (level, centres) in enumerate(zip(levels, places, strict=True)):
        if len(level) != len(centres):
            raise ShapeError(
                f"places must have one entry per position ({len(level)}) of level {number}, "
                f"got {len(centres)}"
            )
    members = [set(level) for level in levels]
    for number, pairs in enumerate(links):
        for o, i in pairs:
            if o not in members[number + 1] or i not in members[number]:
                raise ShapeError(
                    f"links must join positions of neighbouring levels, got {(o, i)} in layer "
                    f"{number}"
                )


def _rows(
    levels: Sequence[Sequence[int]],
    places: Sequence[Sequence[Any]],
    stored: Sequence[Collection[int]] | None,
    names: Sequence[str] | None,
) -> tuple[list[_Row], float]:
    """The rows, input first, and the width of the picture."""
    inner = [f"layer {number}" for number in range(1, len(levels) - 1)]
    labels = list(names or ["input", *inner, "output"][-len(levels) :])
    centres = [float(place) for level in places for place in level] or [0.0]
    low, span = min(centres), max(centres) - min(centres) + 1
    unit = min(WIDEST, WIDTH / span)
    kinds = [
        _kinds(level, level if stored is None else stored[number], number == 0)
        for number, level in enumerate(levels)
    ]
    said = [_Row(*named, 0, 0, {}).said for named in zip(labels, kinds, strict=True)]
    left = 18 + CHARACTER * max(map(len, said))
    rows = []
    for number, (level, at) in enumerate(zip(levels, places, strict=True)):
        x = {p: left + unit * (float(c) - low + 0.5) for p, c in zip(level, at, strict=True)}
        x |= {p: left + unit * (p - low + 0.5) for p in kinds[number]["left out"]}
        spots = sorted(x.values())
        gaps = [b - a for a, b in pairwise(spots) if b > a]
        wide = 0.8 * min([unit, *gaps])
        y = CELL + STEP * (len(levels) - 1 - number)
        rows.append(_Row(labels[number], kinds[number], y, wide, x))
    return rows, left + unit * span + 8


def _kinds(level: Sequence[int], stored: Collection[int], is_input: bool) -> dict[str, list[int]]:
    kept, members = set(stored), sorted(level)
    between: set[int] = set()
    if members and is_input:
        span = members[-1] - members[0] + 1
        if span > MAX_SPAN:
            raise TooLargeError(
                f"a receptive field must span at most {MAX_SPAN} samples to be drawn, got {span}; "
                "read its size, jump and start from receptive_field()"
            )
        between = set(range(members[0], members[-1])) - set(members)
    return {
        "read": [p for p in members if p in kept],
        "lost to padding": [p for p in members if p not in kept],
        "left out": sorted(between),
    }


def _lines(pairs: Iterable[tuple[int, int]], below: _Row, above: _Row) -> str:
    """One line from each position to each that it reads; through padding nothing is read."""
    drawn = dict.fromkeys(LINES, "")
    lost = set(below.kinds["lost to padding"]), set(above.kinds["lost to padding"])
    for o, i in pairs:
        kind = "lost to padding" if i in lost[0] or o in lost[1] else "read"
        top, bottom = above.y + CELL / 2, below.y - CELL / 2
        drawn[kind] += f"M{above.x[o]:g} {top:g}L{below.x[i]:g} {bottom:g}"
    return "".join(
        f'<path d="{drawn[kind]}" {style} stroke-width=".8" stroke-opacity=".7" fill="none"/>'
        for kind, style in LINES.items()
        if drawn[kind]
    )


def _outline(pairs: Iterable[tuple[int, int]], below: _Row, above: _Row) -> str:
    """The area between two rows, where there are too many lines."""
    if not pairs:
        return ""
    upper, lower = sorted(above.x.values()), sorted(below.x.values())
    top, bottom = above.y + CELL / 2, below.y - CELL / 2
    return (
        f'<path d="M{upper[0]:g} {top:g}L{upper[-1]:g} {top:g}L{lower[-1]:g} {bottom:g}'
        f'L{lower[0]:g} {bottom:g}z" fill="{INK}" fill-opacity=".25"/>'
    )


def _cells(row: _Row, kind: str, many: bool) -> str:
    """The cells of one kind: each with its hover text, or all in one path."""
    found, up = row.kinds[kind], row.y - CELL / 2
    if many:
        path = "".join(
            f"M{row.x[p] - row.wide / 2:g} {up:g}h{row.wide:g}v{CELL:g}h-{row.wide:g}z"
            for p in found
        )
        return f'<path d="{path}" {STYLES[kind]} stroke-width=".3"/>' if path else ""
    cells = "".join(
        f'<rect x="{row.x[p] - row.wide / 2:g}" y="{up:g}" width="{row.wide:g}" '
        f'height="{CELL:g}"><title>{xml_escaped(row.name)} {p}, {kind}</title></rect>'
        for p in found
    )
    return f"<g {STYLES[kind]}>{cells}</g>" if cells else ""
