"""A network as a diagram: a box per layer with kind and parameters, shapes beside the arrows.

Flows down, and goes on in the next column where a column is full.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

from symconv import checks
from symconv.drawing.base import Drawing, Still
from symconv.drawing.layered import Layers, Spot, layers_of
from symconv.drawing.stills import BOLD, framed
from symconv.drawing.themes import Theme
from symconv.errors import ParameterTypeError, TooLargeError
from symconv.layers import Layer
from symconv.network import INPUT, Network, Step
from symconv.network.contract import kind
from symconv.rendering.spy import heading_lines, xml_escaped

__all__ = ["draw_network"]

#: Layers that are drawn at most, and places side by side.
MAX_STEPS, MAX_ACROSS = 1000, 24
#: Width and height of a box, width of a lane, gaps between places, ranks and columns.
BOX, HIGH, LANE, BESIDE, BELOW, COLUMN = 190.0, 46.0, 14.0, 12.0, 30.0, 56.0
#: Boxes of a single column; longer networks are folded into several.
TALL = 14
#: Between the tracks of edges that go on in the next column.
TRACK = 5.0
#: Longest text in a box, and longest list in the alternative text.
LONG, MAX_SAID = 30, 24

#: Kind of layer → class of its box. The kind is written in the box as well.
FAMILIES = {
    "Conv": "conv", "ConvTranspose": "conv", "Linear": "conv",
    "Add": "join", "Concat": "join", "Multiply": "join",
}  # fmt: skip


@dataclass(frozen=True)
class _Box:
    """What is written in a box."""

    name: str
    head: str
    lines: tuple[str, str]
    family: str
    shape: str


def draw_network(thing: Any, *, input_shape: Any = None, columns: int | None = None) -> Drawing:
    """The graph of a network: kinds, parameters, and the shape of what each layer gives.

    Parameters
    ----------
    thing : Network
    input_shape : sequence of int or SymPy symbols, optional
        (channels, *size); the network's own by default. Without either no shapes are written.
    columns : int, optional
        Columns that a long network is folded into; by default as many as keep it readable.

    Raises
    ------
    ParameterTypeError
        If it is no network.
    TooLargeError
        If it has more than 1000 layers, or more than 24 side by side.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.network import Network
    >>> net = Network([sc.Conv2d(3, 8, 3), sc.MaxPool2d(2)])
    >>> draw_network(net, input_shape=(3, 32, 32)).alt
    'input 3×32×32 → 0: Conv 3 → 8, kernel 3×3, giving 8×30×30 → 1: MaxPool kernel 2×2, stride 2,
    giving 8×15×15'
    """
    if not isinstance(thing, Network):
        raise ParameterTypeError(f"thing must be a Network, got {type(thing).__name__}")
    if len(thing) > MAX_STEPS:
        raise TooLargeError(
            f"a network must have at most {MAX_STEPS} layers to be drawn, got {len(thing)}; its "
            f"table has no such limit"
        )
    is_sized = input_shape is not None or thing.input_shape is not None
    shapes = thing.shapes(input_shape) if is_sized else {}
    layers = layers_of({INPUT: (), **{step.name: step.inputs for step in thing.steps}})
    widest = max(map(len, layers.ranks))
    if widest > MAX_ACROSS:
        raise TooLargeError(
            f"a network must have at most {MAX_ACROSS} places side by side to be drawn, got "
            f"{widest}; its table has no such limit"
        )
    boxes = {INPUT: _Box(INPUT, INPUT, ("", ""), "ends", _shape(shapes.get(INPUT)))}
    boxes |= {step.name: _boxed(step, shapes) for step in thing.steps}
    n_columns = 1
    if len(layers.ranks) > TALL:
        # About one and a half times as wide as high.
        one, all_high = BOX + COLUMN, len(layers.ranks) * (HIGH + BELOW)
        n_columns = math.ceil(math.sqrt(1.5 * all_high / one))
    if columns is not None:
        n_columns = checks.concrete("columns", checks.integer("columns", columns, 1))
    title = f"network of {len(thing)} layers, {_count(thing.parameter_count())} parameters"
    alt = _said(thing, boxes)
    places = _Places(layers, min(n_columns, len(layers.ranks)))
    body, size = _drawn(layers, boxes, places, title)
    return Still(
        title, alt, lambda theme: framed("network", theme, size, (title, alt), body, _rules)
    )


def _rules(scope: str, theme: Theme) -> str:
    def box(name: str, fill: str, edge: str) -> str:
        return f".{scope} .{name}{{fill:{fill};stroke:{edge};stroke-width:1.2}}"

    return (
        box("conv", theme.input, theme.input_edge)
        + box("pool", theme.output, theme.output_edge)
        + box("join", theme.paper, theme.accent)
        + box("other", theme.kernel, theme.line)
        + box("ends", theme.paper, theme.ink)
        + f".{scope} .edge{{fill:none;stroke:{theme.faint};stroke-width:1.3}}"
        + f".{scope} .tip{{fill:{theme.faint}}}"
        + f".{scope} .halo{{stroke:{theme.paper};stroke-width:4;paint-order:stroke}}"
    )


def _count(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)


def _shape(shape: Any) -> str:
    return "×".join(map(str, shape)) if shape else ""


def _cut(text: str, most: int = LONG) -> str:
    """Names come from files and may be long, or hold what no line shows."""
    shown = "".join(c if c.isprintable() else "�" for c in text)
    return shown if len(shown) <= most else f"{shown[: most // 2]}…{shown[-(most // 2 - 1) :]}"


def _boxed(step: Step, shapes: dict[str, Any]) -> _Box:
    called = kind(step.node)
    family = FAMILIES.get(called, "pool" if "Pool" in called else "other")
    counted = step.parameter_count()
    learned = f"{_count(counted)} parameters" if counted != 0 else ""
    return _Box(step.name, called, (_parameters(step.node), learned), family,
                _shape(shapes.get(step.name)))  # fmt: skip


def _parameters(node: Any) -> str:
    """The parameters of a layer that say most: channels, and what is not as usual."""
    if not isinstance(node, Layer):
        names = {item.name for item in fields(node)}
        ends = ("in_features", "out_features")
        if names >= set(ends):
            return " → ".join(str(getattr(node, name)) for name in ends)
        return ""
    words = []
    if hasattr(node, "in_channels") and hasattr(node, "out_channels"):
        words.append(f"{node.in_channels} → {node.out_channels}")
    usual = {"stride": 1, "dilation": 1, "output_padding": 0, "groups": 1}
    if hasattr(node, "kernel_size"):
        words.append(f"kernel {'×'.join(map(str, node.kernel_size))}")
    for name, value in usual.items():
        found = getattr(node, name, value)
        each = found if isinstance(found, tuple) else (found,)
        if any(entry != value for entry in each):
            same = all(entry == each[0] for entry in each)
            words.append(
                f"{name.replace('_', ' ')} {each[0] if same else '×'.join(map(str, each))}"
            )
    return ", ".join(words)


def _said(network: Network, boxes: dict[str, _Box]) -> str:
    """The layers in words, and what each reads where it is not the one before."""
    parts = [f"input {boxes[INPUT].shape}".rstrip()]
    previous = INPUT
    for step in network.steps[:MAX_SAID]:
        box = boxes[step.name]
        said = f"{_cut(box.name)}: {box.head} {box.lines[0]}".rstrip()
        if step.inputs != (previous,):
            said += f", reads {' and '.join(map(_cut, step.inputs))}"
        parts.append(f"{said}, giving {box.shape}" if box.shape else said)
        previous = step.name
    if len(network) > MAX_SAID:
        parts.append(f"… {len(network) - MAX_SAID} more, ending in {_cut(network.output)}")
        end = boxes[network.output].shape
        parts[-1] += f", giving {end}" if end else ""
    return " → ".join(parts)


class _Places:
    """Where the spots of all ranks are on paper."""

    def __init__(self, layers: Layers, n_columns: int) -> None:
        self.tall = math.ceil(len(layers.ranks) / n_columns)
        self.centre: dict[tuple[int, Spot], float] = {}
        self.order = {
            (number, spot): at
            for number, rank in enumerate(layers.ranks)
            for at, spot in enumerate(rank)
        }
        left = 24.0
        self.left: list[float] = []
        for first in range(0, len(layers.ranks), self.tall):
            ranks = layers.ranks[first : first + self.tall]
            wide = max(sum(map(_wide, rank)) + BESIDE * (len(rank) - 1) for rank in ranks)
            for number, rank in enumerate(ranks, first):
                x = left + (wide - sum(map(_wide, rank)) - BESIDE * (len(rank) - 1)) / 2
                for spot in rank:
                    self.centre[number, spot] = x + _wide(spot) / 2
                    x += _wide(spot) + BESIDE
            self.left.append(left)
            left += wide + COLUMN
        self.right = left - COLUMN + 24

    def column(self, rank: int) -> int:
        """The column of a rank."""
        return rank // self.tall

    def top(self, rank: int, start: float) -> float:
        """Where its boxes begin."""
        return start + (rank % self.tall) * (HIGH + BELOW)


def _wide(spot: Spot) -> float:
    return BOX if spot.is_node else LANE


def _drawn(
    layers: Layers, boxes: dict[str, _Box], places: _Places, title: str
) -> tuple[str, tuple[float, float]]:
    across = max(places.right, 320)
    lines = heading_lines(title, across * 0.8)
    start = 30.0 + 15 * len(lines)
    marks = [
        f'<text x="8" y="{18 + 15 * at}" font-size="12" font-weight="bold">'
        f"{xml_escaped(line)}</text>"
        for at, line in enumerate(lines)
    ]
    rank_of = {
        spot.source: number
        for number, rank in enumerate(layers.ranks)
        for spot in rank
        if spot.is_node
    }
    marks += [_edge(edge, rank_of[edge[0].source], places, start) for edge in layers.edges]
    for number, rank in enumerate(layers.ranks):
        for spot in rank:
            if spot.is_node:
                x, y = places.centre[number, spot], places.top(number, start)
                marks.append(_box(boxes[spot.source], x, y))
    down = start + places.tall * (HIGH + BELOW) + 6
    across = max(across, *(16 + BOLD * len(line) for line in lines))
    return "".join(marks), (across, down)


def _edge(edge: tuple[Spot, ...], first: int, places: _Places, start: float) -> str:
    """One path from box to box, through its lanes, and round to the next column."""
    x, y = places.centre[first, edge[0]], places.top(first, start) + HIGH
    path = f"M{x:g} {y:g}"
    for number, (upper, lower) in enumerate(pairwise(edge), first):
        to_x, to_y = places.centre[number + 1, lower], places.top(number + 1, start)
        is_last = lower.is_node
        end = to_y - (5 if is_last else 0)
        if places.column(number + 1) > places.column(number):
            # Below the column, up the gutter, and into the next one from above.
            # Each on its own track, so that edges do not seem to meet.
            track = TRACK * (places.order[number, upper] % 5)
            gutter = places.left[places.column(number + 1)] - COLUMN / 2 + track - 10
            low, high = y + 6 + track, to_y - 10 - 0.8 * track
            path += f"V{low:g}H{gutter:g}V{high:g}H{to_x:g}V{end:g}"
        elif abs(to_x - x) < 0.5:
            path += f"V{end:g}"
        else:
            middle = (y + to_y) / 2
            path += f"C{x:g} {middle:g} {to_x:g} {middle:g} {to_x:g} {end:g}"
        if not is_last:
            path += f"V{to_y + HIGH:g}"
        x, y = to_x, to_y + HIGH
    tip_x, tip_y = to_x, to_y
    data = f'data-from="{xml_escaped(_quoted(edge[0].source))}" '
    data += f'data-to="{xml_escaped(_quoted(edge[-1].source))}"'
    return (
        f'<path class="edge" d="{path}" {data}/>'
        f'<path class="tip" d="M{tip_x:g} {tip_y:g}l-3.5 -6h7z"/>'
    )


def _quoted(text: str) -> str:
    return _cut(text, 200)


def _box(box: _Box, x: float, y: float) -> str:
    left = x - BOX / 2
    name = _cut(box.name)
    said = [line for line in box.lines if line]
    first = box.head if box.name in (INPUT, box.head) else f"{box.head}  {name}"
    texts = [(first, "bold"), *((line, "normal") for line in said)]
    marks = (
        f'<rect class="{box.family}" x="{left:g}" y="{y:g}" width="{BOX:g}" height="{HIGH:g}" '
        f'rx="6" data-name="{xml_escaped(_quoted(box.name))}" data-kind="{xml_escaped(box.head)}" '
        f'data-shape="{xml_escaped(box.shape)}">'
        f"<title>{xml_escaped(_tip(box))}</title></rect>"
    )
    base = y + HIGH / 2 + 4 - 6.5 * (len(texts) - 1)
    for at, (text, weight) in enumerate(texts):
        room = BOX - 10
        size = min(11.0 if at == 0 else 9.5, room / (0.62 * max(len(text), 1)))
        shade = "" if at == 0 else ' class="faint"'
        marks += (
            f'<text x="{x:g}" y="{base + 13 * at:g}" text-anchor="middle" font-size="{size:.3g}" '
            f'font-weight="{weight}"{shade} pointer-events="none">{xml_escaped(text)}</text>'
        )
    if box.shape:
        marks += (
            f'<text class="halo" x="{x + 7:g}" y="{y + HIGH + 14:g}" font-size="9.5">'
            f"{xml_escaped(_cut(box.shape))}</text>"
        )
    return marks


def _tip(box: _Box) -> str:
    parts = [f"{_quoted(box.name)}: {box.head}", *filter(None, box.lines)]
    return ", ".join([*parts, f"gives {box.shape}"] if box.shape else parts)
