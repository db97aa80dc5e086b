"""Adaptive and global poolings: windows that follow the input size, to a stated output size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symconv import checks
from symconv.adaptive import AdaptiveRelation
from symconv.boundary import OUTSIDE
from symconv.errors import GeometryError, ParameterError, ShapeError, located
from symconv.geometry import Axis, Geometry, by_axis
from symconv.incidence import Incidence, check_table
from symconv.layers.base import Layer, Size, any_size, store
from symconv.maps import WindowMap
from symconv.maxpool import PoolOperator
from symconv.operator import Operator
from symconv.receptive import ratio
from symconv.relation import AxisRelation
from symconv.shapes import canonical

__all__ = ["AdaptiveAvgPool", "AdaptiveMaxPool", "GlobalAvgPool", "GlobalMaxPool"]


class AdaptiveLayer(Layer):
    """Base of the poolings whose output size is stated and whose windows follow from it."""

    def _target(self, axis: int) -> Any:
        """The output size on one axis, None for the input's."""
        raise TypeError("an adaptive layer states its output size")

    def windows(self, axis: int, n_in: Any) -> AxisRelation | AdaptiveRelation:
        """What each output reads on one axis: the affine relation where m divides n."""
        n_out = self._output_on(axis, n_in)
        window = ratio(n_in, n_out)
        if isinstance(window, int) or getattr(window, "is_integer", False) is True:
            return AxisRelation(window, stride=window)
        return AdaptiveRelation(n_in, n_out)

    def relation(self, axis: int, n_in: Any = None) -> AxisRelation:
        if n_in is None and self._target(axis) is not None:
            raise ParameterError("input size must be given: adaptive windows depend on it")
        found = AxisRelation(1) if n_in is None else self.windows(axis, n_in)
        if isinstance(found, AdaptiveRelation):
            raise GeometryError(
                f"target_size must divide the input size for one relation of all windows, got "
                f"{found.n_out} and {n_in} on axis {axis}: windows of different sizes"
            )
        return found

    def _output_on(self, axis: int, n_in: Any) -> Any:
        target = self._target(axis)
        return n_in if target is None else target

    def _least_input(self, axis: int) -> int:
        return 1

    def _inputs_on(self, axis: int, n_out: Any) -> Any:
        target = self._target(axis)
        if n_out == 0:
            return ()
        if target is None:
            return (n_out,)
        if canonical(sympy.sympify(n_out, strict=True) - target) == 0:
            # Any input size has this many windows.
            return sympy.Range(1, sympy.oo)
        for name, size in (("output_size", n_out), ("target_size", target)):
            checks.concrete(name, size)
        return ()

    def _geometry(self, input_size: Sequence[int], **channels: int) -> Geometry:
        with located(lambda: f"{self.describe()} on {input_size}"):
            output_size = self.output_size(input_size)
            size = tuple(
                checks.concrete("input_size", n)
                for n in self._checked_size("input_size", input_size)
            )
            self._check_concrete()
            # An axis asks a relation for its positions alone, which adaptive windows have too.
            axes = tuple(
                Axis(self.windows(axis, n), n, n_out)  # type: ignore[arg-type]
                for axis, (n, n_out) in enumerate(zip(size, output_size, strict=True))
            )
            for each in axes:
                check_table(each)
            return Geometry(axes)

    def operator(self, input_size: Sequence[int]) -> Any:
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        incidence = Incidence(geometry)
        if not self.is_linear:
            return PoolOperator(incidence, name)
        counts = (tuple((table != OUTSIDE).sum(axis=1).tolist()) for table in incidence.reads)
        return Operator(WindowMap(geometry, tuple(counts)), name)


class AdaptivePool(AdaptiveLayer):
    """Base of the poolings to a stated size."""

    target_size: Any

    def __post_init__(self) -> None:
        with located(self.describe):
            entries = checks.sequence("target_size", self.target_size)
            if not entries:
                raise ParameterError("target_size must name at least one axis, got ()")
            sizes = (n if n is None else checks.integer("target_size", n, 1) for n in entries)
            store(self, "target_size", tuple(sizes))

    @property
    def rank(self) -> int:
        return len(self.target_size)

    def _target(self, axis: int) -> Any:
        return self.target_size[axis]

    def latex(self) -> str:
        sums, target, source = "", [], []
        for axis in range(self.rank):
            at, there = f"i_{{{axis}}}", f"j_{{{axis}}}"
            n_out = self._target(axis)
            target.append(at)
            source.append(at if n_out is None else there)
            if n_out is not None:
                o = 0 if n_out == 1 else sympy.Dummy(f"i_{axis}", integer=True)
                rule = AdaptiveRelation(any_size(axis), n_out)
                first = sympy.latex(rule.start(o))
                # ⌈u⌉ for the −⌊−u⌋ that integers are divided by.
                stop = rule.stop(o).rewrite(sympy.ceiling).replace(sympy.Mul, _factored)
                sums += rf"\sum_{{{there}={first}}}^{{{sympy.latex(stop)} - 1}} "
        index = ", ".join(target)
        if not self.is_linear:
            sums = sums.replace(r"\sum", r"\max")
        elif sums:
            sums = rf"\frac{{1}}{{N_{{{index}}}}} {sums}"
        return rf"y_{{{index}}} = {sums}x_{{{', '.join(source)}}}"


def _factored(*factors: Any) -> Any:
    """A product as it is, or of its factors with positive leading terms."""
    return sympy.factor_terms(sympy.Mul(*factors))


@dataclass(frozen=True, repr=False)
class AdaptiveAvgPool(AdaptivePool):
    """The means over windows that cover the input, per channel, to a stated output size.

    On an axis of n samples and m outputs, output o reads ``⌊o·n/m⌋ ≤ j < ⌈(o+1)·n/m⌉``: equal
    windows side by side where m divides n, overlapping ones otherwise, repeated samples for m > n.

    Parameters
    ----------
    target_size : tuple
        Output size m per axis, None to keep the input's.

    Examples
    --------
    >>> layer = AdaptiveAvgPool((2, None))
    >>> layer.output_shape((8, 5, 7))
    (8, 2, 7)
    >>> layer.input_sizes((2, 7))
    (Range(1, oo, 1), (7,))
    >>> AdaptiveAvgPool((2,)).operator((5,)).exact()
    Matrix([
    [1/3, 1/3, 1/3,   0,   0],
    [  0,   0, 1/3, 1/3, 1/3]])

    References
    ----------
    PyTorch, documentation of ``torch.nn.AdaptiveAvgPool2d`` and ``AdaptivePooling.h``; K. He,
    X. Zhang, S. Ren, J. Sun, *Spatial pyramid pooling in deep convolutional networks for visual
    recognition* (2014), arXiv:1406.4729 (pooling to a stated size).
    """

    target_size: Any


@dataclass(frozen=True, repr=False)
class AdaptiveMaxPool(AdaptivePool):
    """The largest values of windows that cover the input, per channel, to a stated output size.

    Parameters
    ----------
    target_size : tuple
        As for `AdaptiveAvgPool`, with the same windows.

    Examples
    --------
    >>> op = AdaptiveMaxPool((2,)).operator((5,))
    >>> print(op.exact())
    [ 0   0   0  −∞  −∞]
    [−∞  −∞   0   0   0]
    >>> op.apply([1, 5, 7, 2, 0], return_indices=True)
    (array([7, 7]), array([2, 2]))

    References
    ----------
    PyTorch, documentation of ``torch.nn.AdaptiveMaxPool2d``.
    """

    target_size: Any

    #: It has a matrix, but over (max, +).
    is_linear = False


class GlobalLayer(AdaptiveLayer):
    """Base of the poolings over all positions, of inputs with any number of axes."""

    @property
    def rank(self) -> int:
        raise ParameterError(
            f"rank must be read from an input size: {self.describe()} takes any number of axes"
        )

    def _target(self, axis: int) -> Any:
        return 1

    def _checked_size(self, name: str, value: Any) -> Size:
        size = checks.sequence(name, value)
        if not size:
            raise ShapeError(f"{name} must have at least one entry, got ()")
        return tuple(checks.integer(name, n, 0) for n in size)

    def output_shape(self, input_shape: Sequence[Any]) -> Size:
        with located(self.describe):
            shape = checks.sequence("input_shape", input_shape)
            if len(shape) < 2:
                raise ShapeError(
                    f"input_shape must be (channels, *size) with a spatial axis, got {shape}"
                )
            return (checks.integer("input channels", shape[0], 0), *self.output_size(shape[1:]))

    def latex(self) -> str:
        return r"y = \frac{1}{N} \sum_{j} x_{j}" if self.is_linear else r"y = \max_{j} x_{j}"


@dataclass(frozen=True, repr=False)
class GlobalAvgPool(GlobalLayer):
    """The mean over all positions, per channel: size 1 on every axis, of any number of axes.

    Examples
    --------
    >>> GlobalAvgPool().output_shape((2048, 7, 7))
    (2048, 1, 1)
    >>> GlobalAvgPool().operator((2, 2)).exact()
    Matrix([[1/4, 1/4, 1/4, 1/4]])

    References
    ----------
    M. Lin, Q. Chen, S. Yan, *Network in network* (2013), arXiv:1312.4400, section 3.2.
    """


@dataclass(frozen=True, repr=False)
class GlobalMaxPool(GlobalLayer):
    """The largest value over all positions, per channel.

    Examples
    --------
    >>> GlobalMaxPool().operator((2, 2)).apply([[3, 1], [4, 1]])
    array([[4]])

    References
    ----------
    ONNX, documentation of ``GlobalMaxPool``.
    """

    is_linear = False
