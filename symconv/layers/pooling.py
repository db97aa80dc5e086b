"""Poolings: the mean or the largest value of each window, per channel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy

from symconv import checks
from symconv.boundary import OUTSIDE, ZEROS
from symconv.errors import GeometryError, located
from symconv.geometry import Axis, by_axis
from symconv.incidence import Incidence, axis_reads, check_table
from symconv.layers.base import any_size, store
from symconv.layers.windows import WindowLayer
from symconv.maps import WindowMap
from symconv.maxpool import PoolOperator
from symconv.operator import Operator
from symconv.rendering import relation_latex

__all__ = ["AvgPool", "MaxPool"]


class PoolLayer(WindowLayer):
    """Base of the poolings: windows, and the size rule of ceil mode."""

    ceil_mode: bool

    def _normalise_pool(self) -> None:
        if self.stride is None:
            store(self, "stride", self.kernel_size)
        self._normalise_window()
        store(self, "ceil_mode", checks.flag("ceil_mode", self.ceil_mode))

    @property
    def _has_floor_rule(self) -> bool:
        return not self.ceil_mode and super()._has_floor_rule

    def _output_on(self, axis: int, n_in: Any) -> Any:
        relation = self.relation(axis, n_in)
        if not self.ceil_mode:
            return relation.output_size(n_in)
        n_out, starts_outside = relation.ceil_output_size(n_in)
        if isinstance(starts_outside, bool):
            return n_out - starts_outside
        slack = relation.pad_hi + relation.stride - relation.extent
        if all(isinstance(number, int) for number in (relation.pad_hi, relation.extent, slack)):
            if slack <= 0:
                # The last window starts inside whatever the size is.
                return n_out
            if relation.pad_hi <= relation.extent:
                return relation.windows_starting_inside(n_in)
        return n_out - sympy.Piecewise((1, starts_outside), (0, True))


@dataclass(frozen=True, repr=False)
class MaxPool(PoolLayer):
    """The largest value of each window, per channel.

    Parameters
    ----------
    kernel_size, stride, padding, dilation, ceil_mode : as for `AvgPool`
        Padding never is the largest value: a window that reads nothing else is refused.

    Examples
    --------
    >>> MaxPool((3, 3), stride=2, padding=1).output_size((112, 112))
    (56, 56)
    >>> print(MaxPool((2,)).operator((4,)).exact())
    [ 0   0  −∞  −∞]
    [−∞  −∞   0   0]

    References
    ----------
    PyTorch, documentation of ``torch.nn.MaxPool2d``.
    """

    kernel_size: Any
    stride: Any = field(default=None, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    ceil_mode: bool = field(default=False, kw_only=True)

    #: It has a matrix, but over (max, +).
    is_linear = False

    def __post_init__(self) -> None:
        with located(self.describe):
            self._normalise_pool()

    def latex(self) -> str:
        relations = [self.relation(axis, any_size(axis)) for axis in range(self.rank)]
        return relation_latex(relations, weighted=False).replace(r"\sum", r"\max")

    def operator(self, input_size: Sequence[int]) -> PoolOperator:  # type: ignore[override]
        geometry = self._geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        with located(lambda: name):
            for axis in geometry.axes:
                check_table(axis)
        return PoolOperator(Incidence(geometry), name)


@dataclass(frozen=True, repr=False)
class AvgPool(PoolLayer):
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
            self._normalise_pool()
            counted = checks.flag("count_include_pad", self.count_include_pad)
            store(self, "count_include_pad", counted)
            if self.divisor_override is not None:
                divisor = checks.integer("divisor_override", self.divisor_override, 1)
                store(self, "divisor_override", checks.concrete("divisor_override", divisor))

    def latex(self) -> str:
        relations = [self.relation(axis, any_size(axis)) for axis in range(self.rank)]
        divisor = self.divisor_override
        if divisor is None and self.count_include_pad and not self.ceil_mode:
            divisor = math.prod(self.kernel_size)
        if divisor is None:
            # The cells that count differ from window to window.
            below = f"N_{{{', '.join(f'i_{{{axis}}}' for axis in range(self.rank))}}}"
        else:
            below = sympy.latex(sympy.sympify(divisor, strict=True))
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
