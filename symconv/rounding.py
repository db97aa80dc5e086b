"""Floating-point numbers that are known to be above or below: directed roots and product errors.

A computed product of k terms differs from the true one by at most γ_k·Σ|terms| in whatever order
it is summed, γ_k = k·u/(1 − k·u) with u = 2⁻⁵³. What is said here to be above is above.

References
----------
N. J. Higham, Accuracy and Stability of Numerical Algorithms (2002), sect. 3.1.
"""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import as_array
from symconv.certifying import plain_product
from symconv.errors import DTypeError
from symconv.evaluation import DEFAULT
from symconv.execute.bounds import gamma
from symconv.operator import Operator

__all__ = [
    "above",
    "below",
    "floats",
    "gamma",
    "norm_above",
    "norm_below",
    "product",
    "root_above",
    "root_below",
]

Array = npt.NDArray[Any]

#: Unit roundoff of float64, and what covers anything lost to underflow.
UNIT = 2.0**-53
TINY = 2.0**-1000


def above(value: Fraction) -> float:
    """The least float64 that is not below `value`.

    Examples
    --------
    >>> above(Fraction(1, 10)) >= Fraction(1, 10) > below(Fraction(1, 10))
    True
    """
    # Zero has no sign here.
    return 0.0 - below(-value)


def below(value: Fraction) -> float:
    """The greatest float64 that is not above `value`."""
    try:
        nearest = value.numerator / value.denominator
    except OverflowError:
        return sys.float_info.max if value > 0 else -math.inf
    return nearest if Fraction(nearest) <= value else math.nextafter(nearest, -math.inf)


def root_above(value: Fraction) -> float:
    """A float64 that is not below √value, and equal to it where it is one.

    Examples
    --------
    >>> root_above(Fraction(9, 4)), root_above(Fraction(2)) ** 2 > 2 > root_below(Fraction(2)) ** 2
    (1.5, True)
    """
    root, is_whole = _root(value)
    return above(root if is_whole else root + _step(value))


def root_below(value: Fraction) -> float:
    """A float64 that is not above √value, and equal to it where it is one."""
    return below(_root(value)[0])


def _shift(value: Fraction) -> int:
    """An even number of binary digits that leaves the root with 64 of them at least."""
    missing = 128 - (value.numerator.bit_length() - value.denominator.bit_length())
    return max(0, missing + missing % 2)


def _step(value: Fraction) -> Fraction:
    return Fraction(1, 1 << (_shift(value) // 2))


def _root(value: Fraction) -> tuple[Fraction, bool]:
    """√value cut to a multiple of `_step`, and whether nothing was cut."""
    scaled, rest = divmod(value.numerator << _shift(value), value.denominator)
    root = math.isqrt(scaled)
    return root * _step(value), rest == 0 and root * root == scaled


def norm_above(values: Array, errors: Array | float = 0.0) -> float:
    """Not below the Euclidean norm of any array within `errors` of `values`."""
    return _norm(np.abs(values) + errors) * (1 + gamma(values.size + 8)) + TINY


def norm_below(values: Array, errors: Array | float = 0.0) -> float:
    """Not above the Euclidean norm of any array within `errors` of `values`."""
    least = np.maximum(np.abs(values) - errors, 0.0)
    return max(_norm(least) * (1 - gamma(values.size + 8)) - TINY, 0.0)


def _norm(values: Array) -> float:
    flat = np.ravel(values)
    largest = float(flat.max(initial=0.0))
    if largest == 0.0:
        return 0.0
    # A power of two as scale: no square overflows, and dividing rounds nothing.
    scale = 2.0 ** math.frexp(largest)[1]
    scaled = flat / scale
    return scale * math.sqrt(float(scaled @ scaled))


def floats(values: Any) -> Array:
    """Exact or floating numbers as float64, each within a relative 2⁻⁵³."""
    array, _ = as_array("values", values)
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise DTypeError("weight must fit float64 for bounds on its norm") from None


def product(operator: Operator, weight: Any, x: Array) -> tuple[Array, Array]:
    """A·x in float64 for a float64 `x`, and per entry a bound on how far it is from the true A·x.

    Weights that float64 does not hold are rounded, which the bound includes.
    """
    rounded, magnitudes = None, None
    if weight is not None:
        rounded = floats(weight)
        magnitudes = np.abs(rounded)
    oriented, linear = operator.oriented, operator.oriented.linear
    terms = max(linear.forward_terms, linear.adjoint_terms)

    def times(x: Array, weight: Array | None) -> Array:
        # Plans that transform on the way have other bounds.
        given = oriented.checked_input("x", x, operator.input_shape)
        return plain_product(oriented, given, oriented.checked_weight(weight), DEFAULT)

    y, sizes = times(x, rounded), times(np.abs(x), magnitudes)
    # Three more roundings: of the weight, of a division, and of this bound itself.
    return y, sizes * (gamma(terms + 3) * (1 + 2 * gamma(terms + 3))) + TINY
