"""The p-norm of each window at one input size, and its gradient.

The map is neither linear nor a maximum (but for p = ∞), so it has no matrix; it is exact for exact
numbers: rational where the norm is, a radical otherwise. What lies outside the input adds nothing,
and a window without a sample has the norm 0.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv import matrices
from symconv.algebras import (
    Algebra,
    as_array,
    common,
    integers_over_denominator,
    magnitude,
    to_float,
)
from symconv.boundary import OUTSIDE
from symconv.checks import is_dask
from symconv.errors import DTypeError, ParameterError, ShapeError, located
from symconv.execute.pooling import window_argmax, window_extremes, window_sums
from symconv.incidence import Windows
from symconv.maxpool import pattern_matrix
from symconv.memory import require
from symconv.rendering import html_summary
from symconv.selection import scattered
from symconv.semiring_matrix import SemiringMatrix
from symconv.semirings import COUNTING
from symconv.windowed import WindowOperator

__all__ = ["LpPoolOperator"]

Array = npt.NDArray[Any]

#: Memory of one exact norm or gradient entry, per sample of its window, measured.
EXACT_BYTES = 2000

_exactly = np.frompyfunc(partial(sympy.sympify, strict=True), 1, 1)
_sign = np.frompyfunc(sympy.sign, 1, 1)


class LpPoolOperator(WindowOperator):
    """``y[o] = (Σ |x[i]|^p)^(1/p)`` over the samples i of window o, per channel.

    Made by ``layer.operator(size)``; arrays are (*any leading axes, *size).

    Attributes
    ----------
    norm_type : int or float
        p, ``math.inf`` for the largest absolute value.
    shape : tuple of int
        (outputs, inputs).
    input_shape, output_shape : tuple of int
        Sizes of what `apply` takes and gives, after any leading axes.

    Examples
    --------
    >>> from symconv.layers.norm_pooling import LpPool
    >>> op = LpPool(2, (2,), stride=1).operator((3,))
    >>> op.apply([3, -4, 4])
    array([5, 4*sqrt(2)], dtype=object)
    >>> op.apply([3e200, -4e200, 0.0])
    array([5.e+200, 4.e+200])
    >>> op.symbolic()
    array([sqrt(x_0**2 + x_1**2), sqrt(x_1**2 + x_2**2)], dtype=object)

    References
    ----------
    P. Sermanet, S. Chintala, Y. LeCun, *Convolutional neural networks applied to house numbers
    digit classification* (2012), arXiv:1204.3968, section 2.2.
    """

    def __init__(self, windows: Windows, norm_type: int | float, description: str) -> None:
        super().__init__(windows, description)
        self.norm_type = norm_type

    def _key(self) -> tuple[Any, ...]:
        return self.norm_type, *super()._key()

    def overlap(self) -> SemiringMatrix:
        """The matrix over (+, ·): with how many taps an output reads an input."""
        with located(self.describe):
            return pattern_matrix(self._windows, COUNTING)

    def apply(self, x: Any, weight: None = None, bias: None = None) -> Array:
        """The norm of each window, over any leading axes.

        Parameters
        ----------
        x : array_like, shape (*leading, *input_shape)
            Integers, Fractions, SymPy expressions, float32 or float64; a Dask array gives a Dask
            array.
        weight, bias : None
            As the other operators' `apply` takes them; there are none here.

        Returns
        -------
        numpy.ndarray, shape (*leading, *output_shape)
            Exact for exact data: integers and Fractions where the norm is rational, else SymPy
            radicals. Floats keep their type; each window is scaled by its largest absolute value,
            so that no power of it overflows. NaN gives NaN, as does no other number.
        """
        with located(self.describe):
            for name, value in (("weight", weight), ("bias", bias)):
                if value is not None:
                    raise ParameterError(f"{name} must be left out: a norm has none")
            if is_dask(x):
                return self._in_tiles(x)
            array, algebra = self._checked("x", x, self.input_shape)
            planes = self._planes(array, algebra)
            y = self._norms(planes, algebra)
            return y.reshape(*array.shape[: array.ndim - len(self.input_shape)], *y.shape[1:])

    def _in_tiles(self, x: Any) -> Array:
        """`apply` on a Dask array."""
        part = partial(_norms_of_part, norm_type=self.norm_type, description=self.describe())
        # Roots are no integers; sums and maxima are, as large as the type of x allows.
        integers: npt.DTypeLike = object
        if x.dtype.kind in "iu" and self.norm_type in (1, math.inf):
            held = np.iinfo(x.dtype)
            largest = max(-int(held.min), int(held.max)) * math.prod(self._windows.kernel_size)
            integers = np.int64 if largest < 2**63 else object
        found: Array = self._tiles_of(x, part, integers)
        return found

    def symbolic(self, x: Any = None) -> Array:
        """Each output as an expression: of real symbols ``x_i_j``, or of given exact entries.

        Returns
        -------
        numpy.ndarray of object, shape output_shape
        """
        with located(self.describe):
            if x is None:
                x = matrices.symbols("x", self.input_shape, partial(sympy.Symbol, real=True))  # type: ignore[arg-type]
            array, algebra = self._checked("x", x, self.input_shape)
            if not algebra.is_exact:
                raise DTypeError(f"x must be exact for symbolic norms, got dtype {array.dtype}")
            return np.asarray(_exactly(self.apply(array)))

    def gradient(self, x: Any, y: Any) -> Array:
        """``Σ_o y[o]·∂norm_o/∂x[i]``: sign(x[i])·(|x[i]|/norm_o)^(p−1) over the windows of i.

        Where a norm is 0 it is not differentiable (unless p = 1 says sign(0) = 0): its part is 0,
        as in PyTorch. For p = ∞ all of y goes to the first sample of largest absolute value.

        Parameters
        ----------
        x : array_like, shape (*leading, *input_shape)
        y : array_like, shape (*leading, *output_shape)
            The gradient that arrives at the output.

        Returns
        -------
        numpy.ndarray, shape (*leading, *input_shape)
            Exact where both are exact; SymPy expressions are taken as they are, with ``sign(x)``
            for an odd p, and refused for p = ∞.

        Examples
        --------
        >>> from symconv.layers.norm_pooling import LpPool
        >>> LpPool(2, (2,)).operator((4,)).gradient([3, -4, 0, 0], [5, 1])
        array([3, -4, 0, 0], dtype=object)
        """
        with located(self.describe):
            given, kind = self._checked("x", x, self.input_shape)
            arrived, other = self._checked("y", y, self.output_shape)
            lead = given.shape[: given.ndim - len(self.input_shape)]
            if arrived.shape != (*lead, *self.output_shape):
                wanted = (*lead, *self.output_shape)
                raise ShapeError(f"y must have shape {wanted}, got {arrived.shape}")
            algebra = common(("x", kind), ("y", other))
            if not algebra.is_exact:
                dtype = np.result_type(*(a.dtype for a in (given, arrived) if a.dtype.kind == "f"))
                given, arrived = to_float("x", given, dtype), to_float("y", arrived, dtype)
            planes = self._planes(given, algebra)
            parts = arrived.reshape(len(planes), *self.output_shape)
            if self.norm_type == math.inf:
                gradient = self._to_the_largest(planes, parts, kind)
            else:
                gradient = self._shared_out(planes, parts, algebra)
            return gradient.reshape(*lead, *self.input_shape)

    def _planes(self, array: Array, algebra: Algebra) -> Array:
        """(planes, *size), in a type that holds every absolute value, once all would fit."""
        planes = math.prod(array.shape[: array.ndim - len(self.input_shape)])
        each = 3 * array.itemsize * sum(self.shape)
        if algebra.is_exact and self.norm_type not in (1, math.inf):
            each = EXACT_BYTES * max(self._windows.count, self.shape[1])
            if algebra is not Algebra.SYMBOLIC:
                # The powers themselves: p times the digits.
                integers, denominator = integers_over_denominator(array)
                bits = magnitude(integers).bit_length() + denominator.bit_length()
                each += self._windows.count * int(self.norm_type) * bits // 8
        require(each * planes, f"the norms of {planes} planes", "use floats or fewer planes")
        if algebra is Algebra.INTEGER:
            fits = magnitude(array) * max(self._windows.count, 1) < 2**63
            array = array.astype(np.int64 if fits else object)
        return array.reshape(planes, *self.input_shape)

    def _norms(self, planes: Array, algebra: Algebra) -> Array:
        sizes, reads, p = np.abs(planes), self._windows.reads, self.norm_type
        if p == 1:
            return window_sums(sizes, reads)
        if algebra is Algebra.SYMBOLIC and p == math.inf:
            return self._maxima(sizes)
        if p == math.inf or not algebra.is_exact:
            # No absolute value is below the 0 of a window without a sample.
            largest = window_extremes(sizes, reads)
            return largest if p == math.inf else self._scaled(sizes, largest)
        power = np.frompyfunc(partial(_power, p=int(p)), 1, 1)
        root = np.frompyfunc(partial(_root, p=int(p)), 1, 1)
        roots = np.asarray(root(window_sums(np.asarray(power(sizes)), reads)), dtype=object)
        return as_array("norms", roots)[0]

    def _scaled(self, sizes: Array, largest: Array) -> Array:
        """Float norms: each window divided by its largest entry, the root multiplied by it."""
        total = np.zeros((len(sizes), self.shape[0]), dtype=sizes.dtype)
        flat = largest.reshape(total.shape)
        # 0, infinity and NaN answer for themselves.
        scale = np.where((flat > 0) & np.isfinite(flat), flat, flat.dtype.type(1))
        with np.errstate(under="ignore"):
            for outputs, inputs in self._taps():
                seen = sizes.reshape(len(sizes), self.shape[1])[:, inputs]
                total[:, outputs] += (seen / scale[:, outputs]) ** self.norm_type
            return (scale * total ** (1 / self.norm_type)).reshape(largest.shape)

    def _maxima(self, sizes: Array) -> Array:
        y = np.zeros((len(sizes), self.shape[0]), dtype=object)
        flat = sizes.reshape(len(sizes), self.shape[1])
        for outputs, inputs in self._taps():
            y[:, outputs] = np.frompyfunc(sympy.Max, 2, 1)(y[:, outputs], flat[:, inputs])
        return y.reshape(len(sizes), *self.output_shape)

    def _shared_out(self, planes: Array, parts: Array, algebra: Algebra) -> Array:
        """The gradient for finite p, tap after tap: a tap of one output reads one sample."""
        x = planes.reshape(len(planes), self.shape[1])
        y = parts.reshape(len(planes), self.shape[0])
        norms = self._norms(planes, algebra).reshape(y.shape)
        if algebra.is_exact:
            # Quotients of Python's integers would be floats.
            x, y, norms = (np.asarray(_exactly(each), dtype=object) for each in (x, y, norms))
        is_zero = norms == 0
        norms = np.where(is_zero, norms + 1, norms)
        # |x|^(p−1)·sign(x): an even p keeps the sign by itself.
        odd = int(self.norm_type) % 2 == 1
        signs = np.asarray(_sign(x) if algebra.is_exact else np.sign(x)) if odd else np.ones_like(x)
        gradient = np.zeros_like(x)
        with np.errstate(under="ignore", invalid="ignore"):
            for outputs, inputs in self._taps():
                share = (x[:, inputs] / norms[:, outputs]) ** (self.norm_type - 1)
                share = np.where(is_zero[:, outputs], 0, share * signs[:, inputs])
                gradient[:, inputs] += share * y[:, outputs]
        return as_array("gradient", gradient)[0] if algebra.is_exact else gradient

    def _to_the_largest(self, planes: Array, parts: Array, kind: Algebra) -> Array:
        if kind is Algebra.SYMBOLIC:
            raise DTypeError("x must hold numbers for p = ∞, whose gradient is at the largest")
        _, places = window_argmax(np.abs(planes), self._windows.reads)
        # A window without a sample has no place: its part goes nowhere.
        held = np.ones((), dtype=bool)
        for table in self._windows.reads:
            held = np.multiply.outer(held, (table != OUTSIDE).any(axis=1))
        places, parts = np.where(held, places, 0), np.where(held, parts, 0)
        flat = planes.reshape(len(planes), self.shape[1])
        at = places.reshape(len(planes), self.shape[0])
        signs = np.sign(np.take_along_axis(flat, at, axis=1)).reshape(parts.shape)
        if parts.dtype.kind in "iu":
            fits = magnitude(parts) * self._windows.largest_overlap < 2**63
            parts = parts.astype(np.int64 if fits else object)
        return scattered(parts * signs, places, self.input_shape, add=True)

    def _taps(self) -> Iterator[tuple[Array, Array]]:
        """Flat outputs that each tap reaches, and the flat samples that they read."""
        taps = math.prod(self._windows.kernel_size)
        require(24 * taps * self.shape[0], "the windows of one plane side by side", "use less")
        for row in self._windows.gathered().reshape(taps, self.shape[0]):
            outputs = np.flatnonzero(row != OUTSIDE)
            yield outputs, row[outputs]

    def _repr_html_(self) -> str:
        return html_summary(repr(self), None)


def _norms_of_part(
    x: Array, windows: Windows, *, norm_type: int | float, description: str, dtype: np.dtype[Any]
) -> Array:
    """What a task of a Dask array computes."""
    norms = LpPoolOperator(windows, norm_type, description).apply(x)
    return norms.astype(dtype, copy=False)


def _power(size: Any, p: int) -> Any:
    return size**p


def _root(total: Any, p: int) -> Any:
    """The exact root of an exact number that is not negative; SymPy takes perfect powers out."""
    return sympy.sympify(total, strict=True) ** sympy.Rational(1, p)
