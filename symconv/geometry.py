"""One layer at one size: axes × channels × groups, validated.

A geometry always describes the *convolution*; a transposed convolution is the transpose of one
(see `symconv.layers.ConvTranspose`). All numbers are concrete here.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from symconv.boundary import ZEROS, Boundary
from symconv.checks import concrete
from symconv.errors import GeometryError, ParameterError
from symconv.relation import AxisRelation

__all__ = ["Axis", "Geometry", "by_axis", "check_groups", "least_samples"]


def by_axis(sizes: Iterable[object]) -> str:
    """Sizes as ``3×3`` for messages."""
    return "×".join(str(size) for size in sizes)


def check_groups(in_channels: object, out_channels: object, groups: object) -> None:
    """Refuse channel numbers that `groups` does not divide (where all are concrete)."""
    for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
        if isinstance(channels, int) and isinstance(groups, int) and channels % groups:
            raise ParameterError(f"groups must divide {name}, got groups {groups}, {channels}")


@dataclass(frozen=True, slots=True)
class Axis:
    """One spatial axis at one size: the relation, the stored samples and the windows."""

    relation: AxisRelation
    n_in: int
    n_out: int

    @property
    def n_taps(self) -> int:
        """Number of taps on this axis."""
        return int(self.relation.n_taps)

    @property
    def n_reach(self) -> int:
        """Positions from −p_lo to the last one that a window covers."""
        return int(self.relation.reach(self.n_out))


@dataclass(frozen=True, slots=True)
class Geometry:
    """A convolution at one input size.

    Parameters
    ----------
    axes : tuple of Axis
        One per spatial axis.
    in_channels, out_channels, groups : int
        Group g maps input channels g·C/G … to output channels g·O/G ….
    boundary : Boundary
        What positions outside the stored samples read.
    """

    axes: tuple[Axis, ...]
    in_channels: int = 1
    out_channels: int = 1
    groups: int = 1
    boundary: Boundary = ZEROS

    @classmethod
    def of(
        cls,
        relations: Iterable[AxisRelation],
        input_size: Iterable[int],
        *,
        output_size: Iterable[int] | None = None,
        in_channels: int = 1,
        out_channels: int = 1,
        groups: int = 1,
        boundary: Boundary | None = None,
    ) -> Geometry:
        """Validate and build; `output_size` overrides the floor rule (ceil-mode pooling)."""
        boundary = boundary or ZEROS
        relations, sizes = tuple(relations), tuple(input_size)
        for name, value in (
            ("in_channels", in_channels),
            ("out_channels", out_channels),
            ("groups", groups),
        ):
            concrete(name, value)
        check_groups(in_channels, out_channels, groups)
        for relation in relations:
            for name in relation.__slots__:
                concrete(name, getattr(relation, name))
        outputs = tuple(
            relation.output_size(concrete("input size", n))
            for relation, n in zip(relations, sizes, strict=True)
        )
        outputs = outputs if output_size is None else tuple(output_size)
        axes = tuple(map(Axis, relations, sizes, outputs))
        for number, axis in enumerate(axes):
            _check_axis(number, axis, boundary)
        return cls(axes, in_channels, out_channels, groups, boundary)

    @property
    def input_size(self) -> tuple[int, ...]:
        """Stored samples per axis."""
        return tuple(axis.n_in for axis in self.axes)

    @property
    def output_size(self) -> tuple[int, ...]:
        """Windows per axis."""
        return tuple(axis.n_out for axis in self.axes)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Taps per axis."""
        return tuple(axis.n_taps for axis in self.axes)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """(in_channels, *input_size)."""
        return (self.in_channels, *self.input_size)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(out_channels, *output_size)."""
        return (self.out_channels, *self.output_size)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """(out_channels, in_channels / groups, *kernel_size)."""
        return (self.out_channels, self.in_channels // self.groups, *self.kernel_size)

    @property
    def products_per_output(self) -> int:
        """Multiplications for one output value when every tap counts."""
        return self.in_channels // self.groups * math.prod(self.kernel_size)


def least_samples(boundary: Boundary, relation: AxisRelation) -> int:
    """The smallest legal input: none where padding alone is defined, else one sample."""
    return 1 if boundary.needs_samples or relation.input_dilation != 1 else 0


def _check_axis(number: int, axis: Axis, boundary: Boundary) -> None:
    where = f"on axis {number}"
    relation = axis.relation
    least = least_samples(boundary, relation)
    if axis.n_in < least:
        raise GeometryError(f"input size must be >= {least} {where}, got {axis.n_in}")
    if axis.n_out < 1:
        raise GeometryError(
            f"output size must be >= 1 {where}, got {axis.n_out}: kernel extent {relation.extent} "
            f"does not fit {relation.padded_size(axis.n_in)} padded samples"
        )
    if relation.input_dilation > 1 and boundary.mode == "constant":
        # On a spread axis "outside" could mean the padding or every gap: refused, not guessed.
        raise ParameterError("padding_mode must not be 'constant' with input_dilation > 1")
