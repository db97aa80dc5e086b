"""Bilinear maps evaluated in whichever number system the data live in, exactly where promised.

Integers are bounded first: below 2⁵³ the product runs in float64 (every partial sum is then a
float64 exactly, whatever the order), below 2⁶³ in int64, beyond that in Python integers.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import Algebra, common, integers_over_denominator, magnitude, to_float
from symconv.errors import TooLargeError

__all__ = ["add_exactly", "bilinear"]

Array = npt.NDArray[Any]
Product = Callable[[Array, Array], Array]

#: Products of Python objects that are attempted before the call is refused.
MAX_OBJECT_PRODUCTS = 5 * 10**8

_expand = np.frompyfunc(sympy.expand, 1, 1)


def bilinear(
    product: Product,
    first: tuple[str, Array, Algebra],
    second: tuple[str, Array, Algebra],
    n_terms: int,
    n_products: int,
) -> tuple[Array, Algebra]:
    """``product(first, second)`` where each output sums at most `n_terms` products.

    Returns the array with its number system: int64 where the bound allows and Python integers
    beyond, Fractions, expanded SymPy expressions, or floats of the common type.
    """
    (first_name, a, first_kind), (second_name, b, second_kind) = first, second
    algebra = common((first_name, first_kind), (second_name, second_kind))
    if not algebra.is_exact:
        dtype = _float_dtype(a, b)
        return product(to_float(first_name, a, dtype), to_float(second_name, b, dtype)), algebra
    if algebra is Algebra.SYMBOLIC:
        _check_objects(n_products)
        return _expand(product(a.astype(object), b.astype(object))), algebra
    a, a_denominator = integers_over_denominator(a)
    b, b_denominator = integers_over_denominator(b)
    result = _integers(product, a, b, n_terms, n_products)
    if algebra is Algebra.RATIONAL:
        denominator = a_denominator * b_denominator
        divide = np.frompyfunc(lambda value: Fraction(int(value), denominator), 1, 1)
        result = np.asarray(divide(result), dtype=object).reshape(result.shape)
    return result, algebra


def _float_dtype(a: Array, b: Array) -> np.dtype[Any]:
    """The floats' common type: integer data take the floats' type and do not widen it."""
    floats = [array.dtype for array in (a, b) if array.dtype.kind in "fc"]
    return np.result_type(*floats)


def _integers(product: Product, a: Array, b: Array, n_terms: int, n_products: int) -> Array:
    bound = n_terms * magnitude(a) * magnitude(b)
    inputs = max(magnitude(a), magnitude(b))
    if max(bound, inputs) < 2**53:
        return product(a.astype(np.float64), b.astype(np.float64)).astype(np.int64)
    if max(bound, inputs) < 2**63:
        return product(a.astype(np.int64), b.astype(np.int64))
    _check_objects(n_products)
    return product(_python_ints(a), _python_ints(b))


def _python_ints(array: Array) -> Array:
    return np.asarray(array.astype(object))


def _check_objects(n_products: int) -> None:
    if n_products > MAX_OBJECT_PRODUCTS:
        raise TooLargeError(
            f"{n_products} products in Python integers or SymPy expressions are above the limit "
            f"of {MAX_OBJECT_PRODUCTS}; use numbers whose sums stay below 2**63, a smaller batch, "
            f"or floats"
        )


def add_exactly(a: tuple[str, Array, Algebra], b: tuple[str, Array, Algebra]) -> Array:
    """``a + b`` in their common system; integer sums are widened where int64 would not do."""
    (a_name, x, x_kind), (b_name, y, y_kind) = a, b
    algebra = common((a_name, x_kind), (b_name, y_kind))
    if not algebra.is_exact:
        dtype = _float_dtype(x, y)
        return np.asarray(to_float(a_name, x, dtype) + to_float(b_name, y, dtype))
    if algebra is Algebra.INTEGER and magnitude(x) + magnitude(y) < 2**63:
        return np.asarray(x.astype(np.int64) + y.astype(np.int64))
    total = x.astype(object) + y.astype(object)
    return np.asarray(_expand(total) if algebra is Algebra.SYMBOLIC else total)
