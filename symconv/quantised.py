"""Quantised convolutions: exact accumulators with zero points, and how wide they must be.

A quantised tensor q stands for the real numbers ``scale·(q − zero_point)``; the accumulators are
the integers ``Σ (x − x_zero_point)·(w − weight_zero_point)`` over the triples. Padding stands for
the real number 0, which is to say x = x_zero_point, as in PyTorch and in the reference
implementation of ONNX ``ConvInteger`` and ``QLinearConv``: padded places add nothing.

References
----------
B. Jacob et al., *Quantization and training of neural networks for efficient integer-arithmetic-only
inference* (2018), arXiv:1712.05877, sections 2.2 to 2.4.
I. Colbert, A. Pappalardo, J. Petri-Koenig, *A2Q: accumulator-aware quantization with guaranteed
overflow avoidance* (2023), arXiv:2308.13504, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import Algebra, as_array, magnitude
from symconv.checks import concrete, flag, integer, sequence, shown
from symconv.errors import DTypeError, ParameterError, ShapeError, located
from symconv.evaluation import Number
from symconv.execute.sums import row_totals, widened
from symconv.maps import ConvolutionMap
from symconv.operator import Operator

__all__ = ["Accumulator", "accumulator", "quantised_apply", "worst_accumulator"]

Array = npt.NDArray[Any]

#: Widest inputs and weights that are asked about.
MAX_BITS = 4096


@dataclass(frozen=True)
class Accumulator:
    """The exact range of all sums.

    Attributes
    ----------
    least, most : int
        Attained both.

    Examples
    --------
    >>> Accumulator(-128, 127).bits, Accumulator(0, 128).bits, Accumulator(0, 0).bits
    (8, 9, 1)
    """

    least: int
    most: int

    @property
    def bits(self) -> int:
        """Bits of the narrowest two's complement integer that holds every sum."""
        # ~n = −n − 1: of a negative least, what its bits without the sign count.
        return max((~min(self.least, -1)).bit_length(), max(self.most, 0).bit_length()) + 1


def quantised_apply(
    operator: Operator,
    x: Any,
    weight: Any,
    bias: Any = None,
    *,
    x_zero_point: int = 0,
    weight_zero_point: Any = 0,
    plan: str = "auto",
) -> Array:
    """The accumulators ``Σ (x − x_zero_point)·(w − weight_zero_point) + bias``, exactly.

    Parameters
    ----------
    operator : Operator
        Of a convolution or transposed convolution, in either direction.
    x : array_like of integers, shape (*batch, *input_shape)
    weight : array_like of integers, shape weight_shape
    bias : array_like of integers, shape (output channels,)
        In units of the accumulators; required exactly when the layer has a bias.
    x_zero_point : int
        What stands for the real number 0 in `x`, and in the padding; any integer.
    weight_zero_point : int or array_like of int, shape (output channels,)
    plan : str
        As for `Operator.apply`.

    Returns
    -------
    numpy.ndarray of int64, shape (*batch, *output_shape)
        Python integers where a bound does not prove that int64 holds them.

    Raises
    ------
    DTypeError
        If something holds no integers.
    ParameterError
        If the operator has no weights, or a padding value other than zero.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv1d(1, 1, 2, padding=1, bias=False).operator((2,))
    >>> x = np.array([[130, 120]], dtype=np.uint8)
    >>> quantised_apply(op, x, [[[3, 2]]], x_zero_point=128, weight_zero_point=1)
    array([[ 2, -4, -16]])
    """
    with located(operator.describe):
        _check_operator(operator)
        centred = _centred_weight(operator, weight, weight_zero_point)
        number = _integers("x", x)
        zero = concrete("x_zero_point", integer("x_zero_point", x_zero_point))
        if bias is not None:
            bias = _integers("bias", bias)[0]
    return operator.apply(_minus(number[0], np.asarray(zero)), centred, bias, plan)


def accumulator(
    operator: Operator,
    weight: Any,
    x_range: Sequence[int],
    bias: Any = None,
    *,
    x_zero_point: int = 0,
    weight_zero_point: Any = 0,
    partial: bool = False,
) -> Accumulator:
    """The range of the accumulators for these weights and every input in a range.

    The most is Σ positive·greatest + Σ negative·least over a row of the matrix, the least the
    other way round; rows at the border, where some taps read padding, count as well.

    Parameters
    ----------
    operator : Operator
    weight : array_like of integers, shape weight_shape
    x_range : (int, int)
        The least and the greatest entry of x: (0, 255) for uint8, (−128, 127) for int8.
    bias : array_like of integers, shape (output channels,), optional
        Where the layer has one.
    x_zero_point, weight_zero_point : as for `quantised_apply`
    partial : bool, default False
        Whether partial sums in every order must fit as well: needed where the accumulator
        saturates, not where it wraps around in two's complement.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((8,))
    >>> found = accumulator(op, [[[1, -2, 3]]], (0, 255))
    >>> found, found.bits
    (Accumulator(least=-510, most=1020), 11)

    One bit less overflows: the row of output 1 with its extreme input.

    >>> op.apply([[255, 0, 255, 0, 0, 0, 0, 0]], [[[1, -2, 3]]])[0, 1] > 2**9 - 1
    np.True_
    """
    with located(operator.describe):
        incidence, transposed = _check_operator(operator)
        centred = _centred_weight(operator, weight, weight_zero_point)
        least, most = _range(x_range, x_zero_point)
        terms = incidence.pattern.most_taps * max(
            operator.oriented.linear.adjoint_terms, operator.oriented.linear.forward_terms
        )
        wide = widened(centred, max(terms, 1) * max(abs(least), abs(most), 1))

        def totals(extreme: Any, low: int, high: int) -> Array:
            def value(entries: Array) -> Array:
                found = extreme(entries * low, entries * high)
                return np.asarray(extreme(found, 0) if partial else found)

            return row_totals(incidence, wide, transposed, value, merged=not partial)

        lowest = totals(np.minimum, least, most)
        highest = totals(np.maximum, least, most)
        operator.check_numbers(weight, bias)
        if bias is not None:
            shift = _integers("bias", bias)[0].astype(object)
            shift = shift.reshape(-1, *(1,) * (lowest.ndim - 1))
            if partial:
                lowest = lowest + np.minimum(shift, 0)
                highest = highest + np.maximum(shift, 0)
            else:
                lowest, highest = lowest + shift, highest + shift
        return Accumulator(int(lowest.min()), int(highest.max()))


def worst_accumulator(
    operator: Operator,
    x_bits: int,
    weight_bits: int,
    *,
    x_signed: bool = False,
    weight_signed: bool = True,
) -> Accumulator:
    """The range of the accumulators for all inputs and all weights of given widths.

    Parameters
    ----------
    operator : Operator
    x_bits, weight_bits : int
        At least 1.
    x_signed, weight_signed : bool
        Whether they are two's complement integers or count from zero; zero points are 0.

    Examples
    --------
    >>> import symconv as sc
    >>> op = sc.Conv2d(64, 64, 3, bias=False).operator((56, 56))
    >>> worst_accumulator(op, 8, 8)
    Accumulator(least=-18800640, most=18653760)
    >>> worst_accumulator(op, 8, 8).bits
    26
    """
    with located(operator.describe):
        incidence, transposed = _check_operator(operator)
        x = _of_width("x_bits", x_bits, flag("x_signed", x_signed))
        w = _of_width("weight_bits", weight_bits, flag("weight_signed", weight_signed))
        ones = np.ones(incidence.geometry.weight_shape, dtype=np.int64)
        totals = row_totals(incidence, ones, transposed, np.abs, merged=True)
        # Both ranges hold 0, so that every product and every sum may be as extreme as one can be.
        products = [a * b for a in x for b in w]
        terms = int(totals.max())
        return Accumulator(terms * min(products), terms * max(products))


def _check_operator(operator: Operator) -> tuple[Any, bool]:
    """The triples and the direction, of an operator with weights and without padding values."""
    linear = operator.oriented.linear
    if not isinstance(linear, ConvolutionMap):
        raise ParameterError("operator must have weights, got one without")
    boundary = linear.geometry.boundary
    if boundary.mode == "constant" and boundary.value != 0:
        raise ParameterError(
            f"padding_value must be 0, the real number that padding stands for, got "
            f"{shown(boundary.value)}"
        )
    return linear.incidence, operator.oriented.transposed


def _integers(name: str, value: Any) -> Number:
    array, algebra = as_array(name, value)
    if algebra is not Algebra.INTEGER:
        raise DTypeError(f"{name} must hold integers, got {algebra.name.lower()} numbers")
    return array, algebra


def _minus(array: Array, zero: Array) -> Array:
    """``array − zero`` in a type that holds it."""
    largest = magnitude(array) + magnitude(zero)
    for kind in (np.int16, np.int32, np.int64):
        if largest <= np.iinfo(kind).max:
            return np.asarray(array.astype(kind) - zero.astype(kind))
    return np.asarray(array.astype(object) - zero.astype(object))


def _centred_weight(operator: Operator, weight: Any, zero_point: Any) -> Array:
    """The weights less their zero points, which are per output channel of this direction."""
    shape, channels = operator.weight_shape, operator.output_shape[0]
    array = _integers("weight", weight)[0]
    if array.shape != shape:
        raise ShapeError(f"weight must have shape {shape}, got {array.shape}")
    zero = _integers("weight_zero_point", zero_point)[0]
    if zero.shape not in ((), (channels,)):
        raise ShapeError(
            f"weight_zero_point must be one integer or have shape ({channels},), got {zero.shape}"
        )
    if zero.ndim and operator.oriented.transposed:
        groups = operator.oriented.linear.geometry.groups
        by_row = np.repeat(zero.reshape(groups, -1), len(array) // groups, axis=0)
        zero = by_row.reshape(*array.shape[:2], *(1,) * (array.ndim - 2))
    elif zero.ndim:
        zero = zero.reshape(-1, *(1,) * (array.ndim - 1))
    return _minus(array, zero)


def _range(x_range: Sequence[int], zero_point: Any) -> tuple[int, int]:
    entries = sequence("x_range", x_range)
    if len(entries) != 2:
        raise ParameterError(f"x_range must be (least, greatest), got {shown(x_range)}")
    least, most = (concrete("x_range", integer("x_range", entry)) for entry in entries)
    if least > most:
        raise ParameterError(f"x_range must be (least, greatest), got ({least}, {most})")
    zero = concrete("x_zero_point", integer("x_zero_point", zero_point))
    return least - zero, most - zero


def _of_width(name: str, bits: Any, signed: bool) -> tuple[int, int]:
    width = concrete(name, integer(name, bits, 1))
    if width > MAX_BITS:
        raise ParameterError(f"{name} must be <= {MAX_BITS}, got {width}")
    return (-(2 ** (width - 1)), 2 ** (width - 1) - 1) if signed else (0, 2**width - 1)
