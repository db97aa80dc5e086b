"""Layers without weights, acting on each channel alone: averages, padding, patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symconv import checks
from symconv.boundary import OUTSIDE, ZEROS, Boundary
from symconv.errors import GeometryError, ParameterError, ShapeError, located
from symconv.geometry import Axis, Geometry, by_axis, least_samples
from symconv.incidence import axis_reads, check_table
from symconv.layers.base import (
    Layer,
    Size,
    any_size,
    check_boundary,
    checked_padding,
    padded_relation,
    store,
)
from symconv.maps import PatchMap, WindowMap
from symconv.operator import Operator
from symconv.relation import AxisRelation
from symconv.rendering import relation_latex

__all__ = ["AvgPool", "Fold", "Pad", "Unfold"]


class WindowLayer(Layer):
    """Base of the layers that slide a window with kernel_size, stride, padding and dilation."""

    kernel_size: Any
    stride: Any
    padding: Any
    dilation: Any

    @property
    def rank(self) -> int:
        return len(self.kernel_size)

    def _normalise_window(self) -> None:
        kernel = checks.sequence("kernel_size", self.kernel_size)
        if not kernel:
            raise ParameterError("kernel_size must name at least one axis, got ()")
        rank = len(kernel)
        store(self, "kernel_size", checks.per_axis("kernel_size", kernel, rank, 1))
        store(self, "stride", checks.per_axis("stride", self.stride, rank, 1))
        store(self, "dilation", checks.per_axis("dilation", self.dilation, rank, 1))
        store(self, "padding", checked_padding(self.padding, rank))
        for axis in range(rank):
            if self.padding == "same":
                self._relation(axis, 0)

    def _relation(self, axis: int, n_in: Any) -> AxisRelation:
        relation = AxisRelation(self.kernel_size[axis], self.stride[axis], self.dilation[axis])
        padding = self.padding if isinstance(self.padding, str) else self.padding[axis]
        return padded_relation(relation, padding, n_in)

    def _output_on(self, axis: int, n_in: Any) -> Any:
        return self._relation(axis, n_in).output_size(n_in)

    def _boundary(self) -> Boundary:
        return ZEROS

    def _least_input(self, axis: int) -> int:
        return least_samples(self._boundary(), self._relation(axis, 1))

    def _geometry(self, input_size: Sequence[int]) -> Geometry:
        with located(lambda: f"{self.describe()} on {input_size}"):
            size = self._checked_size("input_size", input_size)
            size = tuple(checks.concrete("input_size", n) for n in size)
            self._check_concrete()
            return Geometry.of(
                [self._relation(axis, n) for axis, n in enumerate(size)],
                size,
                output_size=[self._output_on(axis, n) for axis, n in enumerate(size)],
                boundary=self._boundary(),
            )


@dataclass(frozen=True, repr=False)
class AvgPool(WindowLayer):
    """The mean of each window, per channel.

    Parameters
    ----------
    kernel_size : tuple of int
    stride : int or tuple, default kernel_size
    padding, dilation : as for `Conv`, zeros outside
    ceil_mode : bool, default False
        Round the output size up; a last window that would start at or after n + p_lo is dropped
        (PyTorch 2's rule). What a window reads past the explicit padding is the overhang: it
        never counts.
    count_include_pad : bool, default True
        Whether positions in the explicit padding count in the divisor.
    divisor_override : int, optional
        Divide by this instead of the number of cells.

    Examples
    --------
    >>> AvgPool((2,), padding=1, count_include_pad=False).operator((4,)).exact()
    Matrix([
    [1,   0,   0, 0],
    [0, 1/2, 1/2, 0],
    [0,   0,   0, 1]])

    References
    ----------
    PyTorch, documentation of ``torch.nn.AvgPool2d``.
    """

    kernel_size: Any
    stride: Any = field(default=None, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    ceil_mode: bool = field(default=False, kw_only=True)
    count_include_pad: bool = field(default=True, kw_only=True)
    divisor_override: Any = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        with located(self.describe):
            if self.stride is None:
                store(self, "stride", self.kernel_size)
            self._normalise_window()
            store(self, "ceil_mode", checks.flag("ceil_mode", self.ceil_mode))
            counted = checks.flag("count_include_pad", self.count_include_pad)
            store(self, "count_include_pad", counted)
            if self.divisor_override is not None:
                divisor = checks.integer("divisor_override", self.divisor_override, 1)
                store(self, "divisor_override", checks.concrete("divisor_override", divisor))

    def _output_on(self, axis: int, n_in: Any) -> Any:
        relation = self._relation(axis, n_in)
        if not self.ceil_mode:
            return relation.output_size(n_in)
        n_out, starts_outside = relation.ceil_output_size(n_in)
        if isinstance(starts_outside, bool):
            return n_out - starts_outside
        return n_out - sympy.Piecewise((1, starts_outside), (0, True))

    def latex(self) -> str:
        relations = [self._relation(axis, any_size(axis)) for axis in range(self.rank)]
        divisor = self.divisor_override
        if divisor is None and self.count_include_pad and not self.ceil_mode:
            divisor = math.prod(self.kernel_size)
        below = sympy.latex(sympy.sympify(divisor))
        if divisor is None:
            # The cells that count differ from window to window.
            below = f"N_{{{', '.join(f'i_{{{axis}}}' for axis in range(self.rank))}}}"
        factor = rf"\frac{{1}}{{{below}}} "
        return relation_latex(relations, weighted=False, factor=factor, padding_mode="zeros")

    def operator(self, input_size: Sequence[int]) -> Operator:
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        with located(lambda: name):
            for axis in geometry.axes:
                check_table(axis)
        if self.divisor_override is not None:
            return Operator(WindowMap(geometry, int(self.divisor_override)), name)
        with located(lambda: name):
            divisors = tuple(
                self._counts(number, axis) for number, axis in enumerate(geometry.axes)
            )
        return Operator(WindowMap(geometry, divisors), name)

    def _counts(self, number: int, axis: Axis) -> tuple[int, ...]:
        """Cells that count in each window of one axis."""
        if self.count_include_pad:
            padded = axis.relation.inside_padded(
                np.arange(axis.n_out)[:, None], np.arange(axis.n_taps)[None, :], axis.n_in
            )
        else:
            padded = axis_reads(axis, ZEROS) != OUTSIDE
        counts = tuple(int(count) for count in padded.sum(axis=1))
        if 0 in counts:
            raise GeometryError(
                f"padding must leave a cell to count in every window, got none in window "
                f"{counts.index(0)} of axis {number}; count_include_pad=True or divisor_override "
                f"divides by a constant"
            )
        return counts


@dataclass(frozen=True, repr=False)
class Pad(Layer):
    """Padding alone, per channel, in any mode; negative amounts crop.

    Parameters
    ----------
    padding : tuple
        One int or one (lo, hi) pair per axis, first axis first (``torch.nn.functional.pad`` lists
        the last axis first).
    padding_mode, padding_value : as for `Conv`

    Examples
    --------
    >>> Pad(((1, 2),), padding_mode="reflect").operator((3,)).exact()
    Matrix([
    [0, 1, 0],
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0]])
    """

    padding: Any
    padding_mode: str = field(default="zeros", kw_only=True)
    padding_value: Any = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        with located(self.describe):
            rank = len(checks.sequence("padding", self.padding))
            if rank == 0:
                raise ParameterError("padding must name at least one axis, got ()")
            store(self, "padding", checks.pairs("padding", self.padding, rank))
            check_boundary(self)

    @property
    def rank(self) -> int:
        return len(self.padding)

    def _output_on(self, axis: int, n_in: Any) -> Any:
        return self._relation(axis).output_size(n_in)

    def _least_input(self, axis: int) -> int:
        return least_samples(self._boundary(), self._relation(axis))

    def _boundary(self) -> Boundary:
        return Boundary(self.padding_mode, self.padding_value)

    def _relation(self, axis: int) -> AxisRelation:
        # One tap that moves by one: every position of the padded axis is an output.
        lo, hi = self.padding[axis]
        return AxisRelation(1, pad_lo=lo, pad_hi=hi)

    def latex(self) -> str:
        relations = [self._relation(axis) for axis in range(self.rank)]
        return relation_latex(relations, weighted=False, padding_mode=self.padding_mode)

    def operator(self, input_size: Sequence[int]) -> Operator:
        with located(lambda: f"{self.describe()} on {input_size}"):
            size = self._checked_size("input_size", input_size)
            size = tuple(checks.concrete("input_size", n) for n in size)
            self._check_concrete()
            geometry = Geometry.of(
                [self._relation(axis) for axis in range(self.rank)],
                size,
                boundary=self._boundary(),
            )
        return Operator(WindowMap(geometry), f"{self.describe()} on {by_axis(size)}")


@dataclass(frozen=True, repr=False)
class Unfold(WindowLayer):
    """im2patch: what every tap of every output reads, the 0/1 matrix P with A = (W ⊗ I)·P.

    The operator acts per channel, (*size) → (taps, *output_size), so that the output for
    (batch, channels, *size), reshaped to (batch, channels·taps, outputs), is that of
    ``torch.nn.Unfold``.

    Parameters
    ----------
    kernel_size : tuple of int
    stride, padding, dilation, padding_mode, padding_value : as for `Conv`

    Examples
    --------
    >>> Unfold((2,)).operator((3,)).exact()
    Matrix([
    [1, 0, 0],
    [0, 1, 0],
    [0, 1, 0],
    [0, 0, 1]])
    >>> Unfold((3, 3)).output_shape((3, 8, 8))
    (27, 6, 6)
    """

    kernel_size: Any
    stride: Any = field(default=1, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    padding_mode: str = field(default="zeros", kw_only=True)
    padding_value: Any = field(default=0, kw_only=True)

    def __post_init__(self) -> None:
        with located(self.describe):
            self._normalise_window()
            check_boundary(self)

    def _channels_out(self, channels: Any) -> Any:
        return channels * math.prod(self.kernel_size)

    def _boundary(self) -> Boundary:
        return Boundary(self.padding_mode, self.padding_value)

    def latex(self) -> str:
        relations = [self._relation(axis, any_size(axis)) for axis in range(self.rank)]
        mode = self.padding_mode
        return relation_latex(relations, weighted=False, patches=True, padding_mode=mode)

    def operator(self, input_size: Sequence[int]) -> Operator:
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        return Operator(PatchMap(geometry), name)


@dataclass(frozen=True, repr=False)
class Fold(Layer):
    """The adjoint of `Unfold`: every patch entry added back to the sample it was read from.

    Parameters
    ----------
    output_size : tuple of int
        Size of the array that the patches came from.
    kernel_size, stride, padding, dilation : as for `Unfold`, zeros outside

    Examples
    --------
    >>> fold = Fold((3,), (2,))
    >>> fold.operator((2,)).apply([[1, 2], [10, 20]])
    array([ 1, 12, 20])
    >>> fold.operator((2,)) == Unfold((2,)).operator((3,)).T
    True
    """

    target_size: Any
    kernel_size: Any
    stride: Any = field(default=1, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        with located(self.describe):
            unfold = self.unfold()
            for name in ("kernel_size", "stride", "padding", "dilation"):
                store(self, name, getattr(unfold, name))
            rank = unfold.rank
            store(self, "target_size", checks.per_axis("target_size", self.target_size, rank, 0))
            unfold.output_size(self.target_size)

    @property
    def rank(self) -> int:
        return len(self.kernel_size)

    def unfold(self) -> Unfold:
        """The layer whose adjoint this is."""
        return Unfold(
            self.kernel_size, stride=self.stride, padding=self.padding, dilation=self.dilation
        )

    def output_size(self, input_size: Sequence[Any]) -> Size:
        """`target_size`, for the one number of patches per axis that it has."""
        with located(self.describe):
            size = self._checked_size("input_size", input_size)
            patches = self.unfold().output_size(self.target_size)
            if size != patches:
                raise ShapeError(
                    f"input_size must be {patches}, the patches of {self.target_size}, got {size}"
                )
            return tuple(self.target_size)

    def _inverse_on(self, axis: int, n_out: int) -> tuple[int, ...]:
        patches = self.unfold().output_size(self.target_size)
        return (patches[axis],) if n_out == self.target_size[axis] else ()

    def _channels_out(self, channels: Any) -> Any:
        taps = math.prod(self.kernel_size)
        if isinstance(channels, int) and channels % taps:
            raise ShapeError(f"input channels must be a multiple of {taps} taps, got {channels}")
        return channels // taps

    def latex(self) -> str:
        unfold = self.unfold()
        relations = [unfold._relation(axis, n) for axis, n in enumerate(self.target_size)]
        return relation_latex(relations, transposed=True, weighted=False, patches=True)

    def operator(self, input_size: Sequence[int]) -> Operator:
        self.output_size(input_size)
        return self.unfold().operator(self.target_size).T
