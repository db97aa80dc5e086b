"""Layers in one pass per axis: the operators, their Kronecker products, and outputs.

``A = (A₁ ⊗ I)(I ⊗ A₂)`` for an outer product of one kernel per axis, and a sum of such products
for a sum of them: borders included, for every boundary that acts on each axis alone.

References
----------
C. Van Loan, *The ubiquitous Kronecker product* (2000). M. Jaderberg, A. Vedaldi, A. Zisserman
(2014), arXiv:1405.3866: passes with channels between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import Algebra
from symconv.bound import BoundOperator
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, located
from symconv.evaluation import Oriented
from symconv.geometry import Geometry
from symconv.layers import Conv, ConvTranspose
from symconv.maps import ConvolutionMap
from symconv.operator import Operator
from symconv.separable import float_passes, separate
from symconv.separable.floating import ROUNDING, SAFETY
from symconv.separable.separation import checked_tolerance

__all__ = ["SeparableOutput", "apply_separable", "axis_operators", "separable_operators"]

Array = npt.NDArray[Any]


def _operator(layer: Any, input_size: Sequence[int]) -> Operator:
    if not isinstance(layer, (Conv, ConvTranspose)):
        raise ParameterTypeError(
            f"layer must be a convolution or a transposed one, got {type(layer).__name__}"
        )
    return layer.operator(input_size)


def separable_operators(
    layer: Conv | ConvTranspose, input_size: Sequence[int], weight: Any
) -> tuple[BoundOperator, ...]:
    """One operator per axis, in the order in which they run, whose product is the layer's matrix.

    Parameters
    ----------
    layer : Conv or ConvTranspose
        Any stride, dilation, padding and boundary; its bias is left out.
    input_size : sequence of int
    weight : array_like of the layer's weight shape
        Integers, Fractions, or floats whose exact factors are floats. Each operator has taps along
        one axis; between them are as many channels as the kernel's rank asks for.

    Raises
    ------
    ParameterError
        If the weights are symbols, complex, or floats without float factors.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv2d(1, 1, 2, padding=1, bias=False)
    >>> first, last = separable_operators(layer, (3, 3), [[[[1, 2], [3, 6]]]])
    >>> last.exact() * first.exact() == layer.operator((3, 3)).exact([[[[1, 2], [3, 6]]]])
    True
    """
    operator = _operator(layer, input_size)
    with located(operator.describe):
        oriented = operator.oriented
        number = oriented.checked_weight(weight)
        return tuple(
            _bound(each, part[0], f"pass {number} of {operator.describe()}")
            for number, (each, part) in enumerate(oriented.exact_passes(number), 1)
        )


def _bound(oriented: Oriented, weight: Array, description: str) -> BoundOperator:
    operator = Operator(oriented.linear, description, transposed=oriented.transposed)
    return operator.bind(weight)


def axis_operators(
    layer: Conv | ConvTranspose, input_size: Sequence[int], weight: Any
) -> tuple[tuple[BoundOperator, ...], ...]:
    """For each separable term of a kernel, one operator per axis: A = Σ A₁ ⊗ A₂ ⊗ ….

    Parameters
    ----------
    layer : Conv or ConvTranspose
        From one channel to one.
    input_size : sequence of int
    weight : array_like of shape (1, 1, *kernel), or the kernel alone
        Exact numbers or symbols (see `symconv.separable.separate`).

    Raises
    ------
    ParameterError
        If the layer has more channels (take its slices one by one).
    DTypeError
        If the weights are floats.

    Examples
    --------
    >>> import symconv as sc, sympy
    >>> layer = sc.Conv2d(1, 1, 3, padding=1, padding_mode="reflect", bias=False)
    >>> kernel = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    >>> terms = axis_operators(layer, (3, 4), kernel)
    >>> products = [sympy.KroneckerProduct(a.exact(), b.exact()).doit() for a, b in terms]
    >>> bool(sc.same_operator(sum(products, sympy.zeros(12)),
    ...                       layer.operator((3, 4)).exact([[kernel]])))
    True
    """
    operator = _operator(layer, input_size)
    with located(operator.describe):
        oriented = operator.oriented
        geometry = oriented.linear.geometry
        if geometry.weight_shape[:2] != (1, 1) or geometry.groups != 1:
            raise ParameterError(
                f"layer must have one input and one output channel, got {geometry.in_channels} "
                f"and {geometry.out_channels}; separable_operators takes any"
            )
        array = np.asarray(weight)
        if array.shape == geometry.kernel_size:
            weight = array.reshape(geometry.weight_shape)
        checked, algebra = oriented.checked_weight(weight)
        if not algebra.is_exact:
            raise DTypeError(
                f"weight must be exact, got dtype {checked.dtype}; separate(weight).exact has the "
                f"terms of the binary numbers"
            )
        maps = [
            ConvolutionMap(Geometry((axis,), boundary=geometry.boundary)) for axis in geometry.axes
        ]
        return tuple(
            tuple(
                _bound(
                    Oriented(each, oriented.transposed),
                    np.array(vector, dtype=object).reshape(1, 1, -1),
                    f"axis {number} of {operator.describe()}",
                )
                for number, (each, vector) in enumerate(zip(maps, term, strict=True))
            )
            for term in separate(checked[0, 0]).terms
        )


@dataclass(frozen=True, eq=False)
class SeparableOutput:
    """A layer's output computed in one pass per axis, and how far the kernel used was the layer's.

    Attributes
    ----------
    values : numpy.ndarray
    is_exact : bool
        Whether the passes compose to exactly the weights given.
    tolerance : float or None
        Singular values up to this share of the largest were left out.
    channels : tuple of int
        Channels between the passes.
    error_bound : float
        No output of exact arithmetic differs by more from the one with the weights given; 0.0
        where exact. Rounding in floating point comes on top, in either way of computing.
    """

    values: Array
    is_exact: bool
    tolerance: float | None
    channels: tuple[int, ...]
    error_bound: float


def apply_separable(
    layer: Conv | ConvTranspose,
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    tolerance: float | None = None,
) -> SeparableOutput:
    """A layer's output by one pass per axis; floats within a stated tolerance.

    Parameters
    ----------
    layer : Conv or ConvTranspose
    x : array_like, shape (*batch, channels, *size)
    weight : array_like of the layer's weight shape
    bias : array_like, optional
        Required exactly when the layer has one.
    tolerance : float, optional
        For float weights: singular values up to this share of the largest are left out. Without
        it the factors are exact, or the weights are refused.

    Raises
    ------
    ParameterError
        If the weights have no exact factors in their type and no tolerance is given, or one is
        given for exact weights.

    Examples
    --------
    >>> import symconv as sc
    >>> line = np.exp(-np.arange(-2, 3) ** 2 / 2)
    >>> layer, x = sc.Conv2d(1, 1, 5, bias=False), np.ones((1, 8, 8))
    >>> done = apply_separable(layer, x, np.outer(line, line)[None, None], tolerance=1e-12)
    >>> done.channels, done.is_exact, done.error_bound < 1e-12
    ((1,), False, True)
    """
    rank = layer.rank if isinstance(layer, (Conv, ConvTranspose)) else 0
    size = np.shape(x)[-rank:] if rank else ()
    operator = _operator(layer, size)
    with located(operator.describe):
        oriented = operator.oriented
        number = oriented.checked_weight(weight)
        given = oriented.checked_input("x", x, operator.input_shape)
        operator.check_numbers(weight, bias)
        if tolerance is None:
            values = operator.apply(x, weight, bias, plan="separable")
            between = [each.linear.range_shape[0] for each, _ in oriented.exact_passes(number)]
            return SeparableOutput(values, True, None, tuple(between[:-1]), 0.0)
        share = checked_tolerance(tolerance)
        if number[1] is not Algebra.REAL:
            raise ParameterError(
                f"tolerance must be left out for weights that are no real floats, got {tolerance}"
            )
        if not np.isfinite(number[0]).all():
            raise DTypeError("weight must be finite to be separated, got infinity or not-a-number")
        parts = float_passes(number[0], oriented.linear.geometry.groups, share)
        passes = oriented.passes(parts)
        y, _ = oriented.apply_passes(given, passes)
        # What bias and constant padding add is computed with the weights given.
        values = y + operator.offset(weight, bias).astype(y.dtype)
        bound = _change(number[0], parts, oriented) * float(np.max(np.abs(given[0]), initial=0))
        between = [part.shape[0] for part in parts[:-1]]
        return SeparableOutput(values, False, share, tuple(between), SAFETY * bound)


def _change(weight: Array, parts: Sequence[Array], oriented: Oriented) -> float:
    """The largest sum, over what one output multiplies, of |weight − what the passes compose to|.

    Composing in doubles has errors itself, of at most γ times the composition of absolute values.
    """
    groups = oriented.linear.geometry.groups
    composed = _composed([part.astype(float) for part in parts], groups)
    absolute = _composed([np.abs(part.astype(float)) for part in parts], groups)
    steps = sum(part.shape[1] for part in parts) + 2 * len(parts)
    away = np.abs(weight.astype(float) - composed) + 2 * steps * ROUNDING * absolute
    if oriented.transposed:
        # An input channel of one group meets the outputs of that group only.
        away = away.reshape(groups, -1, *away.shape[1:]).swapaxes(1, 2)
        return float(away.reshape(away.shape[0] * away.shape[1], -1).sum(axis=1).max())
    return float(away.reshape(len(away), -1).sum(axis=1).max())


def _composed(passes: Sequence[Array], groups: int) -> Array:
    """The kernel of passes run one after the other: channels multiplied, taps side by side."""
    cores = [part.reshape(groups, -1, *part.shape[1:]) for part in passes]
    dense = cores[0]
    for core in cores[1:]:
        # Taps lie on different axes, so that multiplying by broadcasting lays them out.
        parts = [core[:, :, t, None] * dense[:, None, t] for t in range(dense.shape[1])]
        dense = np.add.reduce(parts)
    return np.asarray(dense.reshape(-1, *dense.shape[2:]))
