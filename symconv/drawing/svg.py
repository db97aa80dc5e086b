"""Step diagrams as SVG: the grids once, and the marks of each frame over them.

Every cell says what it is in data attributes (``data-grid``, ``data-place``, ``data-index``,
``data-kind``, and for marks ``data-role`` and ``data-tap``), so that a test, or a reader's own
program, can read the picture back. Lists of taps are separated by blanks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from html import escape

from symconv.drawing.layout import (
    CHARACTER,
    SMALL_CHARACTER,
    TICK,
    Box,
    Layout,
    Rect,
    laid_out,
    wrapped,
)
from symconv.drawing.scene import Cell, Frame, Grid, Mark, Place, Scene
from symconv.drawing.themes import GROUPS, style

__all__ = ["Picture"]

#: Font of all text: Matplotlib ships it, browsers have one like it.
FONT = "DejaVu Sans, Verdana, sans-serif"
#: Cells below this size have no text.
READABLE = 17.0

ARROWS = {"forward": "forward: reads", "transposed": "transposed: writes"}


def number(value: float) -> str:
    """A coordinate, in hundredths at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def spelled(place: Place | None) -> str:
    """A place as an attribute."""
    return "" if place is None else ",".join(map(str, place))


class Picture:
    """The SVG of a scene and its frames."""

    def __init__(self, scene: Scene, frames: list[Frame], others: list[Frame]) -> None:
        self.scene = scene
        self.layout: Layout = laid_out(scene, [*frames, *others])

    def svg(self, frame: Frame, theme: str) -> str:
        """One frame as a document of its own."""
        return f"{self.head(theme, frame.caption)}{self.base}{self.overlay(frame)}</svg>"

    def head(self, theme: str, caption: str) -> str:
        """The opening tag with title, description and styles."""
        scene, layout = self.scene, self.layout
        width, height = number(layout.width), number(layout.height)
        said = f"{scene.alt} {caption}."
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" class="symconv-steps-{theme}" '
            f'font-family="{FONT}" font-size="12"{self._stroke}>'
            f"<title>{escape(scene.title)}</title>"
            f"<desc>{escape(said)}</desc><style>{style(theme)}</style>"
        )

    @cached_property
    def base(self) -> str:
        """What all frames share."""
        layout = self.layout
        parts = [
            f'<rect class="paper" width="{number(layout.width)}" height="{number(layout.height)}"/>'
        ]
        for line, text in enumerate(layout.title_lines):
            parts.append(_text(22, 28 + 20 * line, text, 'class="strong" font-size="14"'))
        for box in (layout.input, layout.output):
            parts.extend(self._grid(box))
        parts.extend(self._legend())
        parts.extend(self._kernel())
        return f'<g class="base">{"".join(parts)}</g>'

    @cached_property
    def _stroke(self) -> str:
        """Small cells have thin borders."""
        small = min(self.layout.input.unit, self.layout.output.unit) < READABLE
        return ' stroke-width=".6"' if small else ""

    # Grids

    def _grid(self, box: Box) -> Iterator[str]:
        grid = box.grid
        y = box.y - (48 if grid.n_leading else 30 if self.layout.arrangement == "side" else 10)
        if self.layout.arrangement == "line":
            yield _text(22, box.y + box.unit / 2 + 5, grid.title, 'class="strong" font-size="12"')
        else:
            yield _text(box.x, y, grid.title, 'class="strong" font-size="12"')
        yield from self._planes(box)
        yield from self._ticks(box)
        for cell in grid.cells:
            yield self._cell(box, cell)

    def _planes(self, box: Box) -> Iterator[str]:
        grid = box.grid
        if not grid.n_leading:
            return
        known = [dict(axis) for axis in grid.ticks[: grid.n_leading]]
        for leading in box.planes:
            x, y, wide, high = box.plane(leading)
            words, colour = [], ""
            for axis, (at, labels) in enumerate(zip(leading, known, strict=True)):
                if axis == 0 and grid.has_channels:
                    words.append(f"channel {at}")
                    if max(grid.groups, default=0):
                        group = grid.groups[at]
                        words.append(f"group {group}")
                        colour = GROUPS[group % len(GROUPS)]
                elif at in labels:
                    words.append(f"plane {labels[at]}")
                else:
                    words.append(f"plane at {str(at).replace('-', '−')}")
            text = ", ".join(words)
            for names in (("channel", "group"), ("plane",)):
                if len(text) * SMALL_CHARACTER > wide + 30:
                    for name in names:
                        text = text.replace(f"{name} ", name[0])
            yield _text(x, y - TICK + 2, text, 'class="faint" font-size="11"')
            if colour:
                yield (
                    f'<rect x="{number(x - 4)}" y="{number(y - 4)}" width="{number(wide + 8)}" '
                    f'height="{number(high + 8)}" rx="5" fill="none" stroke="{colour}" '
                    f'stroke-width="2.5"/>'
                )

    def _ticks(self, box: Box) -> Iterator[str]:
        """Numbers of the samples along the axes of each plane."""
        grid, unit = box.grid, box.unit
        if self.layout.arrangement == "line" or unit < 12:
            return
        if len(grid.ticks) - grid.n_leading == 1 and unit >= READABLE:
            # The cells of a single row say their numbers themselves.
            return
        size = f'class="faint" font-size="{9 if unit < 22 else 10}"'
        columns = grid.ticks[-1]
        rows = grid.ticks[-2] if len(grid.ticks) - grid.n_leading > 1 else ()
        stride = 1 if unit > 17 else 2
        # Blocks of channel groups have a frame in between.
        gap = 6 if max(grid.groups, default=0) else 0
        for leading in box.planes:
            x, y, _, high = box.plane(leading)
            # Named planes have their ticks below, where the name does not stand.
            at_y = y + high + 11 + gap if grid.n_leading else y - 5
            for position, label in columns[::stride]:
                at_x = x + (position - box.low[1] + 0.5) * unit
                yield _text(at_x, at_y, label, f'text-anchor="middle" {size}')
            for position, label in rows[::stride]:
                middle = y + (position - box.low[0] + 0.5) * unit + 3.5
                yield _text(x - 5 - gap, middle, label, f'text-anchor="end" {size}')

    def _cell(self, box: Box, cell: Cell) -> str:
        x, y = box.cell(cell.place)
        unit, name = box.unit, box.grid.name
        body = [
            f'<rect class="{cell.kind} {name[0]}" {_square(x, y, unit)} data-grid="{name}" '
            f'data-place="{spelled(cell.place)}" data-kind="{cell.kind}" '
            f'data-index="{spelled(cell.index)}"><title>{_said(box.grid, cell)}</title></rect>',
            _pattern(cell.kind, x, y, unit),
        ]
        if cell.text and unit >= READABLE:
            shade = "" if cell.kind == "sample" else ' class="faint"'
            body.append(_fitted(x, y, unit, cell.text, 0.36, shade))
        return "".join(body)

    # Frames

    def overlay(self, frame: Frame) -> str:
        """What a frame adds."""
        parts = [*self._links(frame), *(self._mark(mark) for mark in frame.marks)]
        parts.extend(self._frames(frame))
        parts.extend(self._arrow(frame.direction))
        x, y = self.layout.caption
        lines = wrapped(frame.caption, self.layout.width - 2 * x)
        kept = self.layout.caption_lines
        if len(lines) > kept:
            lines = [*lines[: kept - 1], lines[kept - 1][:-1] + "…"]
        for at, line in enumerate(lines):
            parts.append(_text(x, y + 19 * at, line, 'font-size="13"'))
        return f'<g class="step">{"".join(parts)}</g>'

    def _mark(self, mark: Mark) -> str:
        box = self.layout.box(mark.grid)
        x, y = box.cell(mark.place)
        unit = box.unit
        taps = " ".join(spelled(tap) for tap in mark.taps)
        tapped = f' data-tap="{taps}"' if mark.taps else ""
        # A place of the padding that repeats a number keeps its dashes, and says which one.
        repeats = bool(mark.taps) and mark.index is not None and self._is_repeat(mark)
        via = " via" if repeats else ""
        body = (
            f'<rect class="{mark.role}{via} {mark.grid[0]}" {_square(x, y, unit)} '
            f'data-grid="{mark.grid}" data-place="{spelled(mark.place)}" '
            f'data-index="{spelled(mark.index)}" data-role="{mark.role}"{tapped}/>'
        )
        if unit < READABLE or mark.role in ("source", "copy"):
            return body
        deep = ' class="deep"' if mark.role in ("read", "write", "current") else ""
        if self.layout.arrangement == "line":
            return body + self._line_text(box, mark, x, y, deep)
        if mark.value and mark.text:
            size = min(0.27 * unit, 1.5 * unit / max(len(mark.text), 1))
            body += _text(x + 3, y + size + 1, mark.text, f'font-size="{number(size)}"{deep}')
            return body + _fitted(x, y + 0.14 * unit, unit, mark.value, 0.36, deep)
        if repeats and mark.text and mark.index is not None:
            own = ",".join(map(str, mark.index[-2:]))
            size = min(0.25 * unit, 1.5 * unit / len(own))
            at = f'text-anchor="middle" font-size="{number(size)}"{deep}'
            body += _text(x + unit / 2, y + unit - 4, own, at)
            return body + _fitted(x, y - 0.14 * unit, unit, mark.text, 0.34, deep)
        text = mark.value or mark.text
        return body + (_fitted(x, y, unit, text, 0.36, deep) if text else "")

    @cached_property
    def _repeats(self) -> dict[str, set[Place]]:
        return {
            grid.name: {cell.place for cell in grid.cells if cell.kind == "repeat"}
            for grid in (self.scene.input, self.scene.output)
        }

    def _is_repeat(self, mark: Mark) -> bool:
        return mark.place in self._repeats[mark.grid]

    def _line_text(self, box: Box, mark: Mark, x: float, y: float, deep: str) -> str:
        """On one axis the tap stands beside the cell, towards the other row."""
        spatial = mark.index[-1:] if mark.index else ()
        inside = mark.value or (str(spatial[0]) if spatial else "")
        body = _fitted(x, y, box.unit, inside, 0.36, deep) if inside else ""
        if mark.text:
            other = self.layout.box("output" if mark.grid == "input" else "input")
            above = other.y < box.y
            at = y - 5 if above else y + box.unit + 13
            size = 'text-anchor="middle" font-size="11" class="tapname"'
            body += _text(x + box.unit / 2, at, mark.text, size)
        return body

    def _links(self, frame: Frame) -> Iterator[str]:
        """From the current cell to the cells of the step."""
        current = next((mark for mark in frame.marks if mark.role == "current"), None)
        tapped = [mark for mark in frame.marks if mark.taps]
        if current is None or not tapped:
            return
        here, there = self.layout.box(current.grid), self.layout.box(tapped[0].grid)
        if self.layout.arrangement == "line":
            for mark in tapped:
                yield self._line_link(here, current, there, mark)
            return
        x, y = here.cell(current.place)
        for span in self._spans(frame):
            yield _cone((x, y, here.unit, here.unit), span, self.layout.arrangement == "side")

    def _spans(self, frame: Frame) -> list[Rect]:
        """The rectangle around the cells of the step, in each plane."""
        planes: dict[Place, list[Place]] = {}
        tapped = [mark for mark in frame.marks if mark.taps]
        if not tapped:
            return []
        box = self.layout.box(tapped[0].grid)
        for mark in tapped:
            planes.setdefault(mark.place[: box.grid.n_leading], []).append(mark.place)
        return [box.span(places) for places in planes.values()]

    def _frames(self, frame: Frame) -> Iterator[str]:
        if self.layout.arrangement != "line":
            for span in self._spans(frame):
                x, y, wide, high = (number(value) for value in span)
                yield f'<rect class="frame" x="{x}" y="{y}" width="{wide}" height="{high}" rx="3"/>'

    def _line_link(self, here: Box, current: Mark, there: Box, mark: Mark) -> str:
        x, y = here.cell(current.place)
        to_x, to_y = there.cell(mark.place)
        down = there.y > here.y
        start = y + here.unit if down else y
        end = to_y - 19 if down else to_y + there.unit + 19
        kind = "dash" if mark.role == "outside" else "link"
        return (
            f'<path class="{kind}" d="M{number(x + here.unit / 2)} {number(start)}'
            f'L{number(to_x + there.unit / 2)} {number(end)}"/>'
        )

    def _arrow(self, direction: str) -> Iterator[str]:
        """From input to output, and what the step does."""
        x, y, to_x, to_y = self.layout.arrow
        level = y == to_y
        yield f'<path class="arrow" d="M{number(x)} {number(y)}L{number(to_x)} {number(to_y)}"/>'
        tip = "l-9 -4.5v9z" if level else "l-4.5 9h9z"
        yield f'<path class="head" d="M{number(to_x)} {number(to_y)}{tip}"/>'
        name, verb = ARROWS[direction].split(" ")
        if level:
            middle = (x + to_x) / 2
            yield _text(middle, y - 8, f"{name} {verb}", 'text-anchor="middle" font-size="11"')
            return
        middle = (y + to_y) / 2
        yield _text(x + 9, middle - 3, name, 'font-size="11"')
        yield _text(x + 9, middle + 12, verb, 'font-size="11"')

    # Around

    def _legend(self) -> Iterator[str]:
        x, y, per_column = self.layout.legend
        words = self.scene.words
        first = words[: int(per_column)]
        wide = max((CHARACTER * len(text) for _, text in first), default=0.0) + 54
        for at, (classes, text) in enumerate(words):
            column, row = divmod(at, int(per_column))
            left, top = x + column * wide, y + 20 * row
            yield f'<rect class="{classes}" {_square(left, top, 15)}/>'
            yield _pattern(classes.split()[0], left, top, 15)
            yield _text(left + 23, top + 12, text, 'font-size="11.5"')

    def _kernel(self) -> Iterator[str]:
        scene = self.scene
        if not scene.kernel:
            return
        x, y, unit = self.layout.kernel
        right = self.layout.width - 22
        yield _text(
            right, y + 8, scene.kernel_title, 'text-anchor="end" class="faint" font-size="11"'
        )
        for tap, text in scene.kernel:
            left = x + tap[-1] * unit
            top = y + 15 + (tap[-2] * 24 if len(tap) > 1 else 0)
            yield (
                f'<rect class="tap" x="{number(left)}" y="{number(top)}" width="{number(unit)}" '
                f'height="24" data-grid="kernel" data-tap="{spelled(tap)}"/>'
            )
            middle = left + unit / 2
            yield _text(middle, top + 16, text, 'text-anchor="middle" font-size="11"')


def _square(x: float, y: float, unit: float) -> str:
    """A cell with a little room around it."""
    gap = 1.0 if unit >= READABLE else 0.5
    side, corner = number(unit - 2 * gap), 3 if unit >= READABLE else 1
    return (
        f'x="{number(x + gap)}" y="{number(y + gap)}" width="{side}" height="{side}" rx="{corner}"'
    )


def _text(x: float, y: float, text: str, attributes: str = "") -> str:
    return f'<text x="{number(x)}" y="{number(y)}" {attributes}>{escape(text)}</text>'


def _fitted(x: float, y: float, unit: float, text: str, share: float, attributes: str) -> str:
    """Text in the middle of a cell, as large as it fits."""
    size = min(share * unit, 14, 1.45 * unit / max(len(text), 1))
    return (
        f'<text x="{number(x + unit / 2)}" y="{number(y + unit / 2 + 0.36 * size)}" '
        f'text-anchor="middle" font-size="{number(size)}"{attributes} '
        f'pointer-events="none">{escape(text)}</text>'
    )


def _pattern(kind: str, x: float, y: float, unit: float) -> str:
    """What tells the kinds of cells apart without colour."""
    a, b = number(x + 0.16 * unit), number(y + 0.16 * unit)
    if kind == "cropped":
        step = number(0.68 * unit)
        return f'<path class="hatch" d="M{a} {b}l{step} {step}m0 -{step}l-{step} {step}"/>'
    if kind == "repeat":
        corner, most = number(0.34 * unit), number(x + unit - 2)
        low = number(y + unit - 2)
        return (
            f'<path class="hatch" d="M{number(x + 2)} {number(y + 2 + 0.34 * unit)}'
            f"l{corner} -{corner}M{most} {number(y + unit - 2 - 0.34 * unit)}L"
            f'{number(x + unit - 2 - 0.34 * unit)} {low}"/>'
        )
    return ""


def _said(grid: Grid, cell: Cell) -> str:
    """The hover text of a cell."""

    def tuple_of(place: Place) -> str:
        text = str(place[0]) if len(place) == 1 else str(place)
        return text.replace("-", "−")

    if cell.kind == "sample" and cell.index is not None:
        return f"{grid.name} {tuple_of(cell.index)}"
    which = "" if cell.index is None else f", sample {tuple_of(cell.index)}"
    return f"{cell.kind} at {tuple_of(cell.place)}{which}"


def _cone(cell: Rect, span: Rect, level: bool) -> str:
    """The area between a cell and the cells that it is joined with."""
    (ax, ay, aw, ah), (bx, by, bw, bh) = cell, span
    if level:
        a, b = (ax + aw, bx) if ax < bx else (ax, bx + bw)
        corners = [(a, ay), (b, by), (b, by + bh), (a, ay + ah)]
    else:
        a, b = (ay + ah, by) if ay < by else (ay, by + bh)
        corners = [(ax, a), (bx, b), (bx + bw, b), (ax + aw, a)]
    path = "L".join(f"{number(x)} {number(y)}" for x, y in corners)
    return f'<path class="cone" d="M{path}z"/>'
