"""A kernel's entries as integers over one denominator, or as elements of a field."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import Algebra, as_array, integers_over_denominator, magnitude
from symconv.dense import field_elements, field_product
from symconv.errors import DTypeError, ShapeError, TooLargeError
from symconv.memory import require
from symconv.modular.integer_matrix import IntegerMatrix, compact
from symconv.separable.factoring import field_factors, integer_factors, plain

__all__ = ["MAX_ENTRIES", "MAX_WEIGHTS", "ExactArray", "checked_kernel", "dyadic", "exact_array"]

Array = npt.NDArray[Any]
Rows = list[list[Any]]

#: Most entries of a kernel, and of one with symbols or radicals.
MAX_ENTRIES = 2**18
MAX_FIELD_ENTRIES = 2**12

#: Most entries of weights with channels, whose slices are separated one by one.
MAX_WEIGHTS = 2**22

#: Bytes for an entry as a Fraction, with its integers and what points to them.
ENTRY_BYTES = 256

#: Largest exponent of two in a float's exact value: subnormal doubles have 2⁻¹⁰⁷⁴.
MAX_DIGITS = 10_000


def checked_kernel(
    name: str, value: Any, least_axes: int = 1, most: int = MAX_ENTRIES
) -> tuple[Array, Algebra]:
    """A real kernel as an array: finite, one to `most` entries, and at least `least_axes` axes.

    Examples
    --------
    >>> checked_kernel("kernel", [[1, 2]])[1]
    <Algebra.INTEGER: 0>
    """
    array, algebra = as_array(name, value)
    if array.ndim < least_axes:
        axes = "1 axis" if least_axes == 1 else f"{least_axes} axes"
        raise ShapeError(f"{name} must have at least {axes}, got shape {array.shape}")
    if not array.size:
        raise ShapeError(f"{name} must have at least one entry, got shape {array.shape}")
    if algebra is Algebra.COMPLEX:
        raise DTypeError(
            f"{name} must be real, got dtype {array.dtype}; separate its real and imaginary parts"
        )
    if algebra is Algebra.REAL and not np.isfinite(array).all():
        bad = array[~np.isfinite(array)][0]
        raise DTypeError(f"{name} must be finite, got {bad} in it")
    if algebra is Algebra.SYMBOLIC:
        most = MAX_FIELD_ENTRIES
    if array.size > most:
        raise TooLargeError(
            f"{name} must have at most {most} entries to be separated exactly, got {array.size}; "
            f"take fewer of them"
        )
    # Python integers or Fractions beside the array, and lists of them.
    require(
        ENTRY_BYTES * array.size, f"{name} with {array.size} exact entries", "take fewer of them"
    )
    if algebra <= Algebra.RATIONAL and array.dtype == object:
        longest = max(map(_bits, array.ravel()))
        if longest > 4 * MAX_DIGITS:
            raise TooLargeError(
                f"{name} must have entries of at most {4 * MAX_DIGITS} bits, got {longest}"
            )
    return array, algebra


def _bits(entry: Any) -> int:
    return max(int(entry.numerator).bit_length(), int(entry.denominator).bit_length())


def dyadic(array: Array) -> Array:
    """The exact values of floats, as Fractions.

    Examples
    --------
    >>> dyadic(np.array([0.1], dtype=np.float32))
    array([Fraction(13421773, 134217728)], dtype=object)
    """
    values = np.empty(array.size, dtype=object)
    values[:] = [Fraction(*entry.as_integer_ratio()) for entry in array.ravel()]
    return values.reshape(array.shape)


@dataclass(frozen=True, eq=False)
class ExactArray:
    """Entries whose arithmetic is canonical.

    Attributes
    ----------
    elements : numpy.ndarray of objects
        Python ints without a domain, else elements of it.
    denominator : int
        What the integers are divided by; 1 with a domain.
    domain : SymPy domain or None
        QQ(α), or rational functions over it or over QQ.
    """

    elements: Array
    denominator: int = 1
    domain: Any = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return self.elements.shape

    @property
    def is_symbolic(self) -> bool:
        """Whether there are free symbols."""
        return self.domain is not None and bool(self.domain.is_FractionField)

    def unfolding(self, axis: int) -> ExactArray:
        """The matrix with that axis as its rows and all others, in order, as its columns."""
        rows = np.moveaxis(self.elements, axis, 0).reshape(self.shape[axis], -1)
        return ExactArray(rows, self.denominator, self.domain)

    def rows(self) -> Rows:
        """A matrix as lists; a vector is one row."""
        matrix = self.elements.reshape(-1, self.shape[-1])
        return [list(row) for row in matrix]

    def factors(self) -> tuple[Rows, Rows]:
        """Columns and rows whose outer products sum to the *elements* of a matrix."""
        if self.domain is None:
            return integer_factors(self.rows())
        return field_factors(self.rows(), self.domain)

    def public(self, elements: Sequence[Any], denominator: int = 1) -> tuple[Any, ...]:
        """Elements as ints, Fractions or SymPy expressions."""
        if self.domain is None:
            divided = (plain(Fraction(e, denominator) if denominator != 1 else e) for e in elements)
            return tuple(divided)
        return tuple(self.domain.to_sympy(element) for element in elements)

    def sum_of_squares(self) -> Any:
        """Σ k² as a Fraction or a SymPy expression."""
        if self.domain is None:
            return Fraction(sum(e * e for e in self.elements.ravel()), self.denominator**2)
        total = self.domain.zero
        for element in self.elements.ravel():
            total = total + element * element
        return self.domain.to_sympy(total)

    def equals_sum(self, columns: Rows, rows: Rows) -> bool:
        """Whether the outer products sum to this matrix, in canonical arithmetic."""
        if not columns:
            return not any(self.elements.ravel())
        if self.domain is not None:
            turned = [list(line) for line in zip(*columns, strict=True)]
            found = field_product(turned, rows, self.domain)
            # Fractions over QQ(α) are not always in lowest terms: zero is canonical, == is not.
            pairs = zip(chain(*found), chain(*self.rows()), strict=True)
            return not any(one - other for one, other in pairs)
        # Fractions stand in the columns alone. Either side may be cleared of them: one of the two
        # stays small, and is then multiplied fast.
        each = [math.lcm(*(e.denominator for e in column)) for column in columns]
        below = math.lcm(*each)
        whole = [[int(e * one) for e in column] for one, column in zip(each, columns, strict=True)]
        left, right = np.array(whole, dtype=object).T, np.array(rows, dtype=object)
        factors = np.array([below // one for one in each], dtype=object)
        expected = self.elements.reshape(len(left), -1) * below
        if magnitude(left) < 2**31:
            product = IntegerMatrix.of(left) @ compact(right * factors[:, None])
        else:
            product = (IntegerMatrix.of(right.T) @ compact((left * factors).T)).T
        return bool(np.all(product == expected))


def exact_array(name: str, array: Array, algebra: Algebra) -> ExactArray:
    """The entries of a checked kernel; floats by their exact binary values.

    Examples
    --------
    >>> exact_array("kernel", np.array([0.5, 0.25]), Algebra.REAL).elements
    array([2, 1], dtype=object)
    """
    if algebra is Algebra.REAL:
        array, algebra = dyadic(array), Algebra.RATIONAL
    if algebra is Algebra.SYMBOLIC:
        domain, elements = field_elements(name, list(array.ravel()))
        if not domain.is_QQ:
            held = np.empty(array.size, dtype=object)
            held[:] = elements
            return ExactArray(held.reshape(array.shape), domain=domain)
        # Radicals that cancel leave fractions.
        array = _fractions(elements).reshape(array.shape)
    whole, denominator = integers_over_denominator(array)
    integers = np.empty(whole.size, dtype=object)
    integers[:] = [int(entry) for entry in whole.ravel().tolist()]
    return ExactArray(integers.reshape(whole.shape), denominator)


def _fractions(elements: Sequence[Any]) -> Array:
    values = np.empty(len(elements), dtype=object)
    values[:] = [Fraction(int(e.numerator), int(e.denominator)) for e in elements]
    return values
