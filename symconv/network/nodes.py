"""What networks hold besides convolutions and poolings: one small frozen class each.

Parameters are learned values: the running mean and variance of a batch normalisation are
statistics and do not count. Multiply-accumulates are those of weights whose products are added
up; normalisations, activations and poolings have none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from symconv import checks
from symconv.errors import ParameterTypeError, ShapeError
from symconv.layers.base import store
from symconv.network.contract import Node, Readings, Shape, equal
from symconv.network.reading import Whole

__all__ = [
    "Activation",
    "BatchNorm",
    "Dropout",
    "Identity",
    "Linear",
    "LocalResponseNorm",
    "Scale",
    "Shift",
    "Softmax",
]


@dataclass(frozen=True)
class Activation(Node):
    """A function of each value alone, by whatever name.

    Examples
    --------
    >>> Activation("ReLU").output_shape((8, 4, 4))
    (8, 4, 4)
    """

    name: str

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise ParameterTypeError(f"name must be text, got {checks.shown(self.name)}")

    @property
    def kind(self) -> str:
        """The activation's own name."""
        return self.name


@dataclass(frozen=True)
class Identity(Node):
    """Passes its input on."""

    is_linear: ClassVar[bool] = True


@dataclass(frozen=True)
class Dropout(Identity):
    """The identity at inference."""


@dataclass(frozen=True)
class LocalResponseNorm(Node):
    """Divides by the energy of `size` neighbouring channels at the same position."""

    size: int


@dataclass(frozen=True)
class BatchNorm(Node):
    """Batch normalisation: a scale and a shift per channel at inference.

    Parameters
    ----------
    channels : int or symbolic
    affine : bool, default True
        Whether scale and shift are learned: 2·channels parameters. The running mean and variance
        are statistics, not parameters.

    Examples
    --------
    >>> BatchNorm(64).parameter_count()
    128
    """

    channels: Any
    affine: bool = True

    is_linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        store(self, "channels", checks.integer("channels", self.channels, 1))
        store(self, "affine", checks.flag("affine", self.affine))

    def output_shape(self, *shapes: Shape) -> Shape:
        if not equal(shapes[0][0], self.channels):
            raise ShapeError(f"input channels must be {self.channels}, got {shapes[0][0]}")
        return shapes[0]

    def parameter_count(self) -> Any:
        return 2 * self.channels if self.affine else 0


@dataclass(frozen=True)
class Constant(Node):
    """Base of the sum and the product with a learned constant that broadcasts.

    Parameters
    ----------
    shape : tuple of int
        Of the constant, aligned with the end of the input's shape.
    learned : bool, default True
        Whether its entries are parameters.
    """

    shape: Any
    learned: bool = True

    is_linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        shape = checks.sequence("shape", self.shape)
        store(self, "shape", tuple(checks.integer("shape", n, 1) for n in shape))

    def output_shape(self, *shapes: Shape) -> Shape:
        shape = shapes[0]
        fits = len(self.shape) <= len(shape) and all(
            n == 1 or equal(n, m) for n, m in zip(self.shape[::-1], shape[::-1], strict=False)
        )
        if not fits:
            raise ShapeError(f"constant of shape {self.shape} must broadcast to {shape}")
        return shape

    def parameter_count(self) -> Any:
        return math.prod(self.shape) if self.learned else 0


@dataclass(frozen=True)
class Scale(Constant):
    """The product with a constant, ``Mul`` in ONNX."""


@dataclass(frozen=True)
class Shift(Constant):
    """The sum with a constant, ``Add`` in ONNX."""


@dataclass(frozen=True)
class Linear(Node):
    """A fully connected layer on the last axis: in·out + out parameters, in·out MACs.

    Examples
    --------
    >>> layer = Linear(9216, 4096)
    >>> layer.output_shape((9216,)), layer.parameter_count(), layer.mac_count((9216,))
    ((4096,), 37752832, 37748736)
    """

    in_features: Any
    out_features: Any
    bias: bool = True

    is_linear: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("in_features", "out_features"):
            store(self, name, checks.integer(name, getattr(self, name), 1))
        store(self, "bias", checks.flag("bias", self.bias))

    def output_shape(self, *shapes: Shape) -> Shape:
        shape = shapes[0]
        if not equal(shape[-1], self.in_features):
            raise ShapeError(
                f"last axis must have in_features = {self.in_features} entries, got shape {shape}"
            )
        return (*shape[:-1], self.out_features)

    def parameter_count(self) -> Any:
        return self.in_features * self.out_features + (self.out_features if self.bias else 0)

    def mac_count(self, *shapes: Shape) -> Any:
        return self.in_features * self.out_features * math.prod(shapes[0][:-1])

    def readings(self, shapes: Sequence[Shape] | None) -> Readings:
        shape = self.known(shapes)[0]
        return ({len(shape) - 1: Whole(shape[-1])},)

    def carried(self, shapes: Sequence[Shape] | None) -> Mapping[int, int]:
        return {axis: axis for axis in range(len(self.known(shapes)[0]) - 1)}


@dataclass(frozen=True)
class Softmax(Node):
    """Exponentials divided by their sum along one axis (0: the channels).

    Parameters
    ----------
    axis : int, default 0
    to_end : bool, default False
        Sum over the axes after `axis` as well, as ONNX did before its operator set 13.
    """

    axis: int = 0
    to_end: bool = False

    def output_shape(self, *shapes: Shape) -> Shape:
        axis_of(self.axis, shapes[0])
        return shapes[0]

    def readings(self, shapes: Sequence[Shape] | None) -> Readings:
        if self.axis == 0 and not self.to_end:
            return ({},)
        shape = self.known(shapes)[0]
        first = axis_of(self.axis, shape)
        last = len(shape) if self.to_end else first + 1
        return ({axis: Whole(shape[axis]) for axis in range(max(first, 1), last)},)


def axis_of(axis: int, shape: Shape) -> int:
    """`axis` counted from the start, negative values from the end."""
    checks.integer("axis", axis)
    if not -len(shape) <= axis < len(shape):
        raise ShapeError(f"axis must be an axis of {shape}, got {axis}")
    return axis % len(shape)
