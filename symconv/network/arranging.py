"""Nodes that rearrange values or join branches, one small frozen class each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import sympy

from symconv import checks
from symconv.errors import ParameterError, ShapeError
from symconv.layers.base import store
from symconv.network.contract import Node, Readings, Shape, equal
from symconv.network.nodes import axis_of
from symconv.network.reading import Reading, Slice, Whole

__all__ = [
    "Add",
    "ChannelShuffle",
    "Concat",
    "Elementwise",
    "Flatten",
    "Permute",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
]


def carried_axes(before: Shape, after: Shape) -> dict[int, int]:
    """Axes that a reshape in C order leaves whole: same size, same number of entries before.

    Examples
    --------
    >>> carried_axes((8, 5, 7), (2, 4, 5, 7))
    {1: 2, 2: 3}
    """
    carried: dict[int, int] = {}
    place = 0
    ahead_after: Any = 1
    ahead_before: Any = 1
    for axis, n in enumerate(before):
        if axis and not equal(n, 1):
            at, ahead = place, ahead_after
            while at < len(after) and not (equal(ahead, ahead_before) and equal(after[at], n)):
                ahead = ahead * after[at]
                at += 1
            if at < len(after):
                carried[axis] = at
                place, ahead_after = at + 1, ahead * after[at]
        ahead_before = ahead_before * n
    return carried


class Rearrangement(Node):
    """Base of the nodes that keep every value, in C order."""

    is_linear: ClassVar[bool] = True

    def readings(self, shapes: Sequence[Shape] | None) -> Readings:
        shape = self.known(shapes)[0]
        kept = self.carried(shapes)
        return ({axis: Whole(n) for axis, n in enumerate(shape) if axis and axis not in kept},)

    def carried(self, shapes: Sequence[Shape] | None) -> Mapping[int, int]:
        shape = self.known(shapes)[0]
        return carried_axes(shape, self.output_shape(shape))


@dataclass(frozen=True)
class Flatten(Rearrangement):
    """Axes `start` … `end` of (channels, *size) become one.

    Examples
    --------
    >>> Flatten().output_shape((256, 6, 6))
    (9216,)
    """

    start: int = 0
    end: int = -1

    def output_shape(self, *shapes: Shape) -> Shape:
        shape = shapes[0]
        start, end = axis_of(self.start, shape), axis_of(self.end, shape)
        if start > end:
            raise ShapeError(f"start must not come after end, got {self.start} and {self.end}")
        return (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :])


@dataclass(frozen=True)
class Reshape(Rearrangement):
    """Another shape for the same values; one entry may be −1, and 0 copies the input's.

    Examples
    --------
    >>> Reshape((2, -1, 4)).output_shape((6, 4))
    (2, 3, 4)
    """

    target_shape: Any

    def __post_init__(self) -> None:
        shape = checks.sequence("target_shape", self.target_shape)
        entries = tuple(checks.integer("target_shape", n, -1) for n in shape)
        if entries.count(-1) > 1 or not entries:
            raise ParameterError(f"target_shape must have at most one −1, got {entries}")
        store(self, "target_shape", entries)

    def output_shape(self, *shapes: Shape) -> Shape:
        shape = shapes[0]
        copied = [shape[at] if at < len(shape) else 0 for at in range(len(self.target_shape))]
        result = [
            there if equal(n, 0) else n for n, there in zip(self.target_shape, copied, strict=True)
        ]
        total: Any = math.prod(shape)
        if -1 in result:
            rest: Any = math.prod(n for n in result if n != -1)
            both = isinstance(total, int) and isinstance(rest, int)
            if both and (rest == 0 or total % rest):
                raise ShapeError(f"target_shape {self.target_shape} must hold {total} values")
            result[result.index(-1)] = total // rest if both else sympy.cancel(total / rest)
        elif not equal(math.prod(result), total):
            raise ShapeError(f"target_shape {self.target_shape} must hold {total} values")
        return tuple(result)


@dataclass(frozen=True)
class Squeeze(Rearrangement):
    """Drops axes of size 1: those named, or all but the first."""

    axes: tuple[int, ...] | None = None

    def output_shape(self, *shapes: Shape) -> Shape:
        shape = shapes[0]
        if self.axes is None:
            return (shape[0], *(n for n in shape[1:] if not equal(n, 1)))
        dropped = {axis_of(axis, shape) for axis in self.axes}
        for axis in dropped:
            if not equal(shape[axis], 1) or len(dropped) == len(shape):
                raise ShapeError(f"axis {axis} must have size 1 and others remain, got {shape}")
        return tuple(n for axis, n in enumerate(shape) if axis not in dropped)


@dataclass(frozen=True)
class Unsqueeze(Rearrangement):
    """Inserts axes of size 1, at these places of the result."""

    axes: tuple[int, ...]

    def output_shape(self, *shapes: Shape) -> Shape:
        rank = len(shapes[0]) + len(self.axes)
        new = {axis_of(axis, (1,) * rank) for axis in self.axes}
        if len(new) != len(self.axes):
            raise ShapeError(f"axes must differ, got {self.axes}")
        sizes = iter(shapes[0])
        return tuple(1 if axis in new else next(sizes) for axis in range(rank))


@dataclass(frozen=True)
class Permute(Node):
    """Axes in another order.

    Examples
    --------
    >>> Permute((1, 0, 2)).output_shape((2, 3, 4))
    (3, 2, 4)
    """

    order: Any

    is_linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        order = tuple(checks.integer("order", n, 0) for n in checks.sequence("order", self.order))
        if sorted(order) != list(range(len(order))):
            raise ParameterError(f"order must name every axis once, got {order}")
        store(self, "order", order)

    def output_shape(self, *shapes: Shape) -> Shape:
        if len(shapes[0]) != len(self.order):
            raise ShapeError(f"input must have {len(self.order)} axes, got shape {shapes[0]}")
        return tuple(shapes[0][axis] for axis in self.order)

    def carried(self, shapes: Sequence[Shape] | None) -> Mapping[int, int]:
        return {axis: place for place, axis in enumerate(self.order)}


@dataclass(frozen=True)
class ChannelShuffle(Node):
    """Channels as (groups, channels / groups), the two exchanged, and flat again."""

    groups: int

    is_linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        store(self, "groups", checks.integer("groups", self.groups, 1))

    def output_shape(self, *shapes: Shape) -> Shape:
        channels = shapes[0][0]
        if isinstance(channels, int) and channels % self.groups:
            raise ShapeError(f"groups must divide the channels, got {self.groups}, {channels}")
        return shapes[0]


@dataclass(frozen=True)
class Add(Node):
    """The sum of branches; axes of size 1 broadcast.

    Examples
    --------
    >>> Add().output_shape((8, 4, 4), (8, 1, 1))
    (8, 4, 4)
    """

    is_linear: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def output_shape(self, *shapes: Shape) -> Shape:
        first = shapes[0]
        if all(shape == first for shape in shapes):
            return first
        if len({len(shape) for shape in shapes}) > 1:
            raise ShapeError(f"branches must have equally many axes, got {list(shapes)}")
        result = []
        for axis, sizes in enumerate(zip(*shapes, strict=True)):
            size = next((n for n in sizes if not equal(n, 1)), 1)
            if not all(equal(n, 1) or equal(n, size) for n in sizes):
                raise ShapeError(
                    f"branches must have one size on axis {axis} of {list(shapes)}, got {sizes}"
                )
            result.append(size)
        return tuple(result)

    def readings(self, shapes: Sequence[Shape] | None) -> Readings:
        if shapes is None or all(shape == shapes[0] for shape in shapes):
            return ({},) * (1 if shapes is None else len(shapes))
        result = self.output_shape(*shapes)
        return tuple(
            {
                axis: Whole(1)
                for axis, (n, there) in enumerate(zip(shape, result, strict=True))
                if equal(n, 1) and not equal(there, 1)
            }
            for shape in shapes
        )


@dataclass(frozen=True)
class Elementwise(Add):
    """Branches combined value by value by a named operation that is not their sum.

    Examples
    --------
    >>> Elementwise("Mul").output_shape((8, 4, 4), (8, 1, 1))
    (8, 4, 4)
    """

    name: str = "Mul"

    is_linear: ClassVar[bool] = False

    @property
    def kind(self) -> str:
        """The operation's own name."""
        return self.name


@dataclass(frozen=True)
class Concat(Node):
    """Branches one after the other along an axis (0: the channels).

    Examples
    --------
    >>> Concat().output_shape((64, 28, 28), (128, 28, 28))
    (192, 28, 28)
    """

    axis: int = 0

    is_linear: ClassVar[bool] = True
    arity: ClassVar[tuple[int, int | None]] = (1, None)

    def output_shape(self, *shapes: Shape) -> Shape:
        first = shapes[0]
        axis = axis_of(self.axis, first)
        for shape in shapes:
            pairs = enumerate(zip(shape, first, strict=False))
            same = all(at == axis or equal(n, m) for at, (n, m) in pairs)
            if len(shape) != len(first) or not same:
                raise ShapeError(
                    f"branches must agree on every axis but {axis}, got {shape} and {first}"
                )
        return (*first[:axis], sum(shape[axis] for shape in shapes), *first[axis + 1 :])

    def readings(self, shapes: Sequence[Shape] | None) -> Readings:
        if self.axis == 0:
            return ({},) * (1 if shapes is None else len(shapes))
        axis = axis_of(self.axis, self.known(shapes)[0])
        parts: list[dict[int, Reading]] = []
        start: Any = 0
        for shape in self.known(shapes):
            parts.append({axis: Slice(start, shape[axis])} if axis else {})
            start = start + shape[axis]
        return tuple(parts)
