"""What one output of a stack reads, level by level: the pyramid of a receptive field."""

from __future__ import annotations

from typing import Any

from symconv.drawing.base import Drawing, Still
from symconv.drawing.stills import described, themed
from symconv.layers import Layer
from symconv.pictures import receptive_field_svg

__all__ = ["draw_receptive_field", "layers_of"]


def layers_of(thing: Any) -> list[Any]:
    """The layers of a stack: one, or a sequence of them."""
    return [thing] if isinstance(thing, Layer) or not isinstance(thing, (list, tuple)) else [*thing]


def draw_receptive_field(
    thing: Any, *, input_size: Any = None, position: int = 0, axis: int = 0
) -> Drawing:
    """The positions that one output reads at every level of a stack, and who reads whom.

    Parameters
    ----------
    thing : Layer or sequence of Layer
        The layer next to the input first.
    input_size : sequence of int, optional
        Tells what padding leaves apart from what it takes.
    position : int, default 0
        The output position.
    axis : int, default 0

    Examples
    --------
    >>> import symconv as sc
    >>> draw_receptive_field([sc.Conv1d(1, 1, 3, dilation=2)] * 2).alt
    'input: 5 read, 4 left out; Conv: 3 read; Conv: 1 read'

    References
    ----------
    A. Araujo, W. Norris, J. Sim, *Computing receptive fields of convolutional neural networks*,
    Distill (2019).
    """
    layers = layers_of(thing)
    svg = receptive_field_svg(layers, position, axis=axis, input_size=input_size)
    title = f"receptive field of output {position} of {len(layers)} layers"
    if len(layers) == 1:
        title = title[:-1]
    return Still(title, described(svg), lambda theme: themed(svg, "field", theme))
