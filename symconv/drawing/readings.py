"""An operator as the two sides of its triples: which side is the input, what a step goes over.

The *window side* has one cell per window o; the *sample side* has the stored numbers i with their
padding. A convolution reads from the sample side; its transpose writes there. A step goes over one
cell of the output ("forward": what does it read?) or of the input ("transposed": where does it
write?), and lists the triples of that cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np

from symconv.boundary import OUTSIDE, ZEROS, Boundary
from symconv.drawing.axes import DrawnAxis, Spot, drawn_axis, table_axis
from symconv.drawing.scene import Place, Step
from symconv.errors import ParameterError
from symconv.geometry import Axis, Geometry
from symconv.incidence import Windows
from symconv.operator import Operator
from symconv.relation import AxisRelation
from symconv.windowed import WindowOperator

__all__ = ["DIRECTIONS", "WAYS", "Reading", "reading_of"]

#: What a step goes over: outputs, which read, or inputs, which write.
DIRECTIONS = ("forward", "transposed")

#: How a transposed operator is drawn: each input writes its window, or zeros are put between the
#: inputs and the flipped kernel slides over them with stride 1.
WAYS = ("scatter", "zero_insertion")


@dataclass(frozen=True)
class Reading:
    """The triples of an operator with the two sides of a picture.

    ``samples_are_input`` tells whether the sample side is the input (a convolution, or zero
    insertion) or the output (scatter). ``flipped`` tells that taps are seen in reverse order.
    """

    axes: tuple[DrawnAxis, ...]
    boundary: Boundary
    samples_are_input: bool
    has_channels: bool = False
    flipped: bool = False
    groups: int = 1

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Taps per axis, with the channels of a group first where channels are drawn."""
        return tuple(axis.n_taps for axis in self.axes)

    def size(self, side: str) -> tuple[int, ...]:
        """Stored numbers per axis of the "input" or the "output"."""
        samples = (side == "input") == self.samples_are_input
        return tuple(axis.n_in if samples else axis.n_out for axis in self.axes)

    def steps_windows(self, direction: str) -> bool:
        """Whether a step goes over a window (or else over a stored number)."""
        return (direction == "forward") == self.samples_are_input

    @cached_property
    def _readers(self) -> list[list[list[tuple[int, int]]]]:
        """Per axis, for each stored number, the (o, k) that read it."""
        found = []
        for axis in self.axes:
            pairs: list[list[tuple[int, int]]] = [[] for _ in range(axis.n_in)]
            for o, k in np.argwhere(axis.reads != OUTSIDE).tolist():
                pairs[int(axis.reads[o, k])].append((o, k))
            found.append(pairs)
        return found

    def step(self, direction: str, current: Place) -> Step:
        """The triples of one cell.

        Returns
        -------
        Step
            Per tap (place, index, tap): of a window, where the tap lies and what it reads there;
            of a stored number, the output (place and index) that reads it.
        """
        if self.steps_windows(direction):
            return Step(direction, current, tuple(self._window(current)))
        pairs = product(*(readers[i] for readers, i in zip(self._readers, current, strict=True)))
        touches = (
            (tuple(o for o, _ in each), tuple(o for o, _ in each), tuple(k for _, k in each))
            for each in pairs
        )
        return Step(direction, current, tuple(sorted(touches)))

    def _window(self, o: Place) -> Iterator[tuple[Place, Place | None, Place]]:
        per_axis = []
        for axis, at in zip(self.axes, o, strict=True):
            rows = axis.places[at].tolist(), axis.reads[at].tolist(), axis.lies[at].tolist()
            per_axis.append(
                [
                    (place, i, k)
                    for k, (place, i, lies) in enumerate(zip(*rows, strict=True))
                    if lies
                ]
            )
        for each in product(*per_axis):
            stored = tuple(i for _, i, _ in each)
            inside = OUTSIDE not in stored
            yield (
                tuple(place for place, _, _ in each),
                stored if inside else None,
                tuple(k for _, _, k in each),
            )

    def count(self, direction: str, current: Place) -> int:
        """How many taps `step` would list, without listing them."""
        if self.steps_windows(direction):
            lie = (axis.lies[at].sum() for axis, at in zip(self.axes, current, strict=True))
            return math.prod(int(n) for n in lie)
        pairs = (readers[i] for readers, i in zip(self._readers, current, strict=True))
        return math.prod(len(each) for each in pairs)

    def spots(self) -> Iterator[tuple[Spot, ...]]:
        """Every position of the sample side."""
        return product(*(axis.spots for axis in self.axes))


def reading_of(
    operator: Operator | WindowOperator, way: str | None = None, channels: bool = False
) -> Reading:
    """The triples of an operator, to be drawn.

    Parameters
    ----------
    operator : Operator or WindowOperator
    way : {"scatter", "zero_insertion"}, optional
        For a transposed operator: "scatter" unless said.
    channels : bool
        Whether channels are an axis of their own.

    Raises
    ------
    ParameterError
        If `way` is given for an operator that is not transposed, zero insertion for padding that
        is no zeros or windows that are not affine, or channels for an operator without.
    """
    if way is not None and way not in WAYS:
        raise ParameterError(f"way must be one of {', '.join(map(repr, WAYS))}, got {way!r}")
    if not isinstance(operator, Operator):
        if way is not None:
            raise ParameterError(f"way must be left out: {operator.describe()} is not transposed")
        _check_channels(channels, None)
        return Reading(_of_windows(operator.windows), ZEROS, samples_are_input=True)
    oriented = operator.oriented
    geometry = oriented.linear.geometry
    if way is not None and not oriented.transposed:
        raise ParameterError(
            f"way must be left out for an operator that is not transposed, got {way!r}"
        )
    insertion = way == "zero_insertion"
    axes = tuple(drawn_axis(axis, geometry.boundary) for axis in geometry.axes)
    found = Reading(axes, geometry.boundary, not oriented.transposed)
    if insertion:
        found = _inserted(geometry)
    _check_channels(channels, operator.weight_shape)
    if not channels:
        return found
    joined = _channel_axis(geometry, turned=insertion)
    return replace(found, axes=(joined, *found.axes), has_channels=True, groups=geometry.groups)


def _of_windows(windows: Windows) -> tuple[DrawnAxis, ...]:
    geometry = getattr(windows, "geometry", None)
    if geometry is not None:
        return tuple(drawn_axis(axis, geometry.boundary) for axis in geometry.axes)
    tables = zip(windows.reads, windows.input_size, strict=True)
    return tuple(table_axis(reads, n_in) for reads, n_in in tables)


def _check_channels(channels: bool, weight_shape: tuple[int, ...] | None) -> None:
    if channels and weight_shape is None:
        raise ParameterError("channels must be left out: this operator acts on each channel alone")


def _inserted(geometry: Geometry) -> Reading:
    """Zero insertion: the adjoint relation on the windows of the convolution, taps flipped."""
    axes = []
    for axis in geometry.axes:
        relation: Any = axis.relation
        if not isinstance(relation, AxisRelation) or geometry.boundary.needs_samples:
            raise ParameterError(
                "way must be 'scatter' here: zero insertion is for windows at a fixed stride with "
                "zeros outside"
            )
        # What the smallest size with these windows lacks is output padding.
        more = relation.spread_size(axis.n_in) - relation.input_size(axis.n_out)
        turned = Axis(relation.adjoint(more), axis.n_out, axis.n_in)
        axes.append(drawn_axis(turned, ZEROS).flipped())
    return Reading(tuple(axes), ZEROS, samples_are_input=True, flipped=True)


def _channel_axis(geometry: Geometry, turned: bool) -> DrawnAxis:
    """Channels as an axis: a window is an output channel, its taps the channels of its group."""
    sizes: Sequence[int] = (geometry.in_channels, geometry.out_channels)
    n_in, n_out = reversed(sizes) if turned else sizes
    taps = n_in // geometry.groups
    group = np.arange(n_out)[:, None] // (n_out // geometry.groups)
    return table_axis(group * taps + np.arange(taps)[None, :], n_in)
