"""Layers without weights, acting on each channel alone: padding and patches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symconv import checks
from symconv.errors import ParameterError, ShapeError, located
from symconv.geometry import by_axis
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

__all__ = ["Fold", "Pad", "Unfold"]


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
                self.relation(axis, 0)

    def relation(self, axis: int, n_in: Any = None) -> AxisRelation:
        relation = AxisRelation(self.kernel_size[axis], self.stride[axis], self.dilation[axis])
        padding = self.padding if isinstance(self.padding, str) else self.padding[axis]
        return padded_relation(relation, padding, n_in)


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

    def relation(self, axis: int, n_in: Any = None) -> AxisRelation:
        # One tap that moves by one: every position of the padded axis is an output.
        lo, hi = self.padding[axis]
        return AxisRelation(1, pad_lo=lo, pad_hi=hi)

    def latex(self) -> str:
        relations = [self.relation(axis) for axis in range(self.rank)]
        return relation_latex(relations, weighted=False, padding_mode=self.padding_mode)

    def operator(self, input_size: Sequence[int]) -> Operator:
        geometry = self._geometry(input_size)
        return Operator(WindowMap(geometry), f"{self.describe()} on {by_axis(geometry.input_size)}")


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

    def latex(self) -> str:
        relations = [self.relation(axis, any_size(axis)) for axis in range(self.rank)]
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

    @property
    def _has_floor_rule(self) -> bool:
        return False

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
        relations = [unfold.relation(axis, n) for axis, n in enumerate(self.target_size)]
        return relation_latex(relations, transposed=True, weighted=False, patches=True)

    def operator(self, input_size: Sequence[int]) -> Operator:
        self.output_size(input_size)
        return self.unfold().operator(self.target_size).T
