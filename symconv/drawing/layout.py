"""Where the cells of a step diagram stand: planes of cells in boxes, and the room around them.

Three arrangements: one axis as two rows, the output above its windows; two axes side by side; and
planes (channels, depth) in two blocks, the output above.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from symconv.drawing.scene import Frame, Grid, Place, Scene

__all__ = ["CHARACTER", "Box", "Layout", "Rect", "laid_out", "wrapped"]

#: Width that pictures aim at, and the least one; cells at their largest and smallest.
WIDTH, LEAST_WIDTH, WIDEST, NARROWEST = 960.0, 460.0, 38.0, 9.0
#: Widths of a character at the sizes of captions and of small text.
CHARACTER, SMALL_CHARACTER = 7.3, 6.2
#: Room at the border, between the grids, between planes, and for ticks.
MARGIN, GAP, PLANE_GAP, TICK = 22.0, 132.0, 18.0, 18.0
#: Lines of the caption that are kept free at most.
MAX_LINES = 4

#: x, y, width and height.
Rect = tuple[float, float, float, float]


def wrapped(text: str, width: float, character: float = CHARACTER) -> list[str]:
    """A text in lines that fit a width."""
    return textwrap.wrap(text, max(int(width / character), 20)) or [""]


@dataclass
class Box:
    """A grid in the picture: its planes, each a rectangle of cells."""

    grid: Grid
    unit: float
    low: tuple[int, int]
    shape: tuple[int, int]
    planes: dict[Place, tuple[float, float]]
    x: float = 0.0
    y: float = 0.0
    centres: tuple[float, ...] = ()
    width: float = field(init=False)
    height: float = field(init=False)

    def __post_init__(self) -> None:
        rows, columns = self.shape
        offsets = list(self.planes.values()) or [(0.0, 0.0)]
        self.width = max(x for x, _ in offsets) + columns * self.unit
        self.height = max(y for _, y in offsets) + rows * self.unit
        if self.centres:
            self.width = (max(self.centres) + 1) * self.unit

    def plane(self, leading: Place) -> Rect:
        """The rectangle of one plane."""
        x, y = self.planes[leading]
        rows, columns = self.shape
        return self.x + x, self.y + y, columns * self.unit, rows * self.unit

    def cell(self, place: Place) -> tuple[float, float]:
        """The upper left corner of a cell."""
        leading, rest = place[: self.grid.n_leading], place[self.grid.n_leading :]
        # A tap may lie where no plane is drawn: past the padding of a cropped axis.
        x, y = self.planes.get(leading, (0.0, 0.0))
        column = rest[-1] - self.low[1]
        across = self.centres[rest[-1]] if self.centres else column
        down = rest[-2] - self.low[0] if len(rest) > 1 else 0
        return self.x + x + across * self.unit, self.y + y + down * self.unit

    def span(self, places: Sequence[Place]) -> Rect:
        """The rectangle around some cells of one plane."""
        corners = [self.cell(place) for place in places]
        left, top = min(x for x, _ in corners), min(y for _, y in corners)
        right, low = max(x for x, _ in corners), max(y for _, y in corners)
        return left, top, right - left + self.unit, low - top + self.unit


@dataclass(frozen=True)
class Layout:
    """The whole picture: the boxes, and where title, arrow, legend, kernel and caption stand."""

    arrangement: str
    input: Box
    output: Box
    width: float
    height: float
    title_lines: list[str]
    arrow: tuple[float, float, float, float]
    legend: tuple[float, float, float]
    kernel: tuple[float, float, float]
    caption: tuple[float, float]
    caption_lines: int

    def box(self, name: str) -> Box:
        """The box of a grid."""
        return self.input if name == "input" else self.output


def _extent(grid: Grid) -> tuple[tuple[int, int], tuple[int, int], list[Place]]:
    """Lowest row and column, rows and columns of each plane, and the planes."""
    inside = [cell.place[grid.n_leading :] for cell in grid.cells]
    columns = [place[-1] for place in inside] or [0]
    rows = [place[-2] if len(place) > 1 else 0 for place in inside] or [0]
    leading = list(dict.fromkeys(cell.place[: grid.n_leading] for cell in grid.cells))
    shape = max(rows) - min(rows) + 1, max(columns) - min(columns) + 1
    return (min(rows), min(columns)), shape, leading


def _arranged(leading: list[Place], inside: int) -> tuple[dict[Place, tuple[int, int]], int, int]:
    """Row and column of each plane: channels below each other where there is depth as well."""
    if not leading or not leading[0]:
        return {(): (0, 0)}, 1, 1
    heads = list(dict.fromkeys(place[:-1] for place in leading))
    tails = sorted({place[-1] for place in leading})
    if len(leading[0]) == 1 and inside == 1:
        return {place: (tails.index(place[-1]), 0) for place in leading}, len(tails), 1
    spots = {place: (heads.index(place[:-1]), tails.index(place[-1])) for place in leading}
    return spots, len(heads), len(tails)


def _box(grid: Grid, unit: float, centres: tuple[float, ...] = ()) -> Box:
    low, shape, leading = _extent(grid)
    spots, _, _ = _arranged(leading, _inside(grid))
    # Room for the name of each plane above it, and for ticks at its left.
    across, down = shape[1] * unit + PLANE_GAP + TICK, shape[0] * unit + PLANE_GAP + 2 * TICK
    if _inside(grid) == 1:
        down -= TICK
    planes = {place: (column * across, row * down) for place, (row, column) in spots.items()}
    return Box(grid, unit, low, shape, planes, centres=centres)


def _inside(grid: Grid) -> int:
    return len(grid.cells[0].place) - grid.n_leading if grid.cells else 1


def _across(grid: Grid) -> tuple[int, float]:
    """Cells beside each other, and the room between their planes."""
    _, shape, leading = _extent(grid)
    _, _, columns = _arranged(leading, _inside(grid))
    return shape[1] * columns, (columns - 1) * (PLANE_GAP + TICK)


def _unit(cells: int, fixed: float) -> float:
    return max(NARROWEST, min(WIDEST, (WIDTH - fixed) / max(cells, 1)))


def laid_out(scene: Scene, frames: Sequence[Frame]) -> Layout:
    """The layout of a scene: the same for all of its frames."""
    grids = scene.input, scene.output
    if scene.centres:
        arrangement, boxes = "line", _line(scene)
    elif all(grid.n_leading == 0 for grid in grids):
        arrangement, boxes = "side", _side(scene)
    else:
        arrangement, boxes = "stack", _stack(scene)
    source, target = boxes
    named = 0.0 if arrangement == "line" else 8.0
    right = max(box.x + max(box.width, named * len(box.grid.title)) for box in boxes) + MARGIN
    columns, rows = _kernel_shape(scene)
    kernel_unit = 24.0
    if scene.kernel:
        longest = max(len(text) for _, text in scene.kernel)
        kernel_unit = max(24.0, SMALL_CHARACTER * longest + 8)
    kernel_width = max(columns * kernel_unit, SMALL_CHARACTER * len(scene.kernel_title))
    width = max(right, LEAST_WIDTH, 2 * MARGIN + 200 + kernel_width)
    title = wrapped(_together(scene.title), width - 2 * MARGIN, 8.6)
    shift = 20.0 * (len(title) - 1)
    # A narrow picture stands in the middle.
    slide = (width - right) / 2
    for box in boxes:
        box.y += shift
        box.x += slide
    bottom = max(box.y + box.height for box in boxes)
    if arrangement == "line":
        bottom += TICK
    legend_y = bottom + 30
    items = len(scene.words)
    per_column = -(-items // 2) if width - kernel_width > 560 else items
    legend_height = 20.0 * per_column
    kernel_height = rows * 24.0 + 18 if scene.kernel else 0.0
    caption_y = legend_y + max(legend_height, kernel_height) + 26
    lines = [len(wrapped(frame.caption, width - 2 * MARGIN)) for frame in frames]
    n_lines = min(max(lines, default=1), MAX_LINES)
    height = caption_y + 19.0 * n_lines + 2
    if arrangement == "side":
        arrow = (
            source.x + source.width + 16,
            min(source.y, target.y) - 22,
            target.x - 30,
            min(source.y, target.y) - 22,
        )
    else:
        middle = MARGIN + 14 + slide
        arrow = (middle, source.y - 8, middle, target.y + target.height + 8)
    return Layout(
        arrangement,
        source,
        target,
        width,
        height,
        title,
        arrow,
        (MARGIN, legend_y, float(per_column)),
        (width - MARGIN - columns * kernel_unit, legend_y, kernel_unit),
        (MARGIN, caption_y),
        n_lines,
    )


def _together(text: str) -> str:
    """A call whose inner tuples are kept on one line."""
    depth, kept = 0, []
    for character in text:
        depth += (character in "([") - (character in ")]")
        kept.append("\u00a0" if character == " " and depth > 1 else character)
    return "".join(kept)


def _kernel_shape(scene: Scene) -> tuple[int, int]:
    if not scene.kernel:
        return 0, 0
    taps = [tap for tap, _ in scene.kernel]
    return max(tap[-1] for tap in taps) + 1, max(tap[-2] if len(tap) > 1 else 0 for tap in taps) + 1


def _side(scene: Scene) -> tuple[Box, Box]:
    cells = sum(_across(grid)[0] for grid in (scene.input, scene.output))
    unit = _unit(cells, 2 * MARGIN + GAP + 2 * TICK)
    source, target = _box(scene.input, unit), _box(scene.output, unit)
    top = 92.0
    tall = max(source.height, target.height)
    source.x, source.y = MARGIN + TICK, top + (tall - source.height) / 2
    target.x, target.y = source.x + source.width + GAP + TICK, top + (tall - target.height) / 2
    return source, target


def _stack(scene: Scene) -> tuple[Box, Box]:
    across = [_across(grid) for grid in (scene.input, scene.output)]
    gutter = 2 * MARGIN + 118 + TICK
    unit = min(_unit(cells, room + gutter) for cells, room in across)
    source, target = _box(scene.input, unit), _box(scene.output, unit)
    wide = max(source.width, target.width)
    target.x, target.y = MARGIN + 118 + TICK + (wide - target.width) / 2, 112.0
    source.x = MARGIN + 118 + TICK + (wide - source.width) / 2
    source.y = target.y + target.height + 104.0
    return source, target


def _line(scene: Scene) -> tuple[Box, Box]:
    samples_are_input = scene.samples_are_input
    sampled = scene.input if samples_are_input else scene.output
    low, shape, _ = _extent(sampled)
    # Windows that stand too close to each other stand side by side instead.
    centres = [centre - low[1] for centre in scene.centres]
    close = any(b - a < 1 for a, b in pairwise(centres))
    if close:
        start = (shape[1] - len(centres)) / 2
        centres = [start + at for at in range(len(centres))]
    least = min([0.0, *centres])
    centres = [centre - least for centre in centres]
    cells = max(shape[1] - least, max(centres, default=0.0) + 1)
    unit = _unit(int(cells) + 1, 2 * MARGIN + 118)
    boxes = {
        True: _box(sampled, unit),
        False: _box(scene.output if samples_are_input else scene.input, unit, tuple(centres)),
    }
    boxes[True].x, boxes[False].x = MARGIN + 118 - least * unit, MARGIN + 118
    source, target = boxes[samples_are_input], boxes[not samples_are_input]
    target.y = 66.0
    source.y = target.y + unit + 96.0
    return source, target
