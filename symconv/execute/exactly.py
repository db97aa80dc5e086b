"""Bilinear maps evaluated in whichever number system the data live in, exactly where promised.

Integers are bounded first, by Σ|a|·|b| over the products of one output: below 2²⁴ the product runs
in float32 and below 2⁵³ in float64 (every partial sum is then such a float exactly, whatever the
order), beyond that in several such products of parts of the numbers (`symconv.execute.limbs`), or
in Python integers where there are few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import Algebra, common, integers_over_denominator, magnitude, to_float
from symconv.errors import TooLargeError
from symconv.execute import limbs
from symconv.execute.sums import DOUBLE, SINGLE, Sums
from symconv.execute.threads import share, thread_count

__all__ = ["Part", "add_exactly", "bilinear"]

Array = npt.NDArray[Any]

#: Products of SymPy expressions that are attempted before the call is refused.
MAX_OBJECT_PRODUCTS = 5 * 10**8

#: Products of Python integers that take as long as one call of a plan.
FEW = 500

#: Numbers that are converted at once, in cache; and how many are shared among threads.
CHUNK = 2**15
LARGE = 2**18

#: Numbers of a batch that are multiplied at once, about: their floats stay in cache.
PIECE = 2**20

_expand = np.frompyfunc(sympy.expand, 1, 1)


@dataclass(frozen=True)
class Part:
    """Says that the floats are integers whose sums, in whatever order, are such floats.

    Attributes
    ----------
    limb : tuple of int
        Which digit of `b` this is, and of how many bits; () for all of it.
    """

    limb: tuple[int, ...] = ()


#: A product of two arrays; None for numbers that are rounded or never are.
Product = Callable[[Array, Array, Part | None], Array]


def bilinear(
    product: Product,
    first: tuple[str, Array, Algebra],
    second: tuple[str, Array, Algebra],
    sums: Sums,
    n_products: int,
    *,
    sample: tuple[int, ...] | None = None,
) -> tuple[Array, Algebra]:
    """``product(first, second)``, its outputs no larger than `sums` says.

    `sample` is the shape of what the product gives for each entry along the first axis of `first`
    by itself; None where it does not map them one by one.

    Returns the array with its number system: int64 where the bound allows and Python integers
    beyond, Fractions, expanded SymPy expressions, or floats of the common type.
    """
    (first_name, a, first_kind), (second_name, b, second_kind) = first, second
    algebra = common((first_name, first_kind), (second_name, second_kind))
    if not algebra.is_exact:
        dtype = _float_dtype(a, b)
        a, b = to_float(first_name, a, dtype), to_float(second_name, b, dtype)
        return product(a, b, None), algebra
    if algebra is Algebra.SYMBOLIC:
        _check_objects(n_products)
        return _expand(product(a.astype(object), b.astype(object), None)), algebra
    a, a_denominator = integers_over_denominator(a)
    b, b_denominator = integers_over_denominator(b)
    result = _integers(product, a, b, sums, n_products, sample)
    if algebra is Algebra.RATIONAL:
        denominator = a_denominator * b_denominator
        divide = np.frompyfunc(lambda value: Fraction(int(value), denominator), 1, 1)
        result = np.asarray(divide(result), dtype=object).reshape(result.shape)
    return result, algebra


def _float_dtype(a: Array, b: Array) -> np.dtype[Any]:
    """The floats' common type: integer data take the floats' type and do not widen it."""
    floats = [array.dtype for array in (a, b) if array.dtype.kind in "fc"]
    return np.result_type(*floats)


def _integers(
    product: Product,
    a: Array,
    b: Array,
    sums: Sums,
    n_products: int,
    sample: tuple[int, ...] | None,
) -> Array:
    bound = sums.bound(a, b)
    for limit, dtype in ((SINGLE, np.float32), (DOUBLE, np.float64)):
        if bound < limit:
            return _by_floats(product, a, _converted(b, dtype), dtype, sample)
    if bound < 2**63 and sums.by_loops:
        return product(a.astype(np.int64), b.astype(np.int64), None)
    first, second = limbs.split(a, b, sums)
    if n_products < FEW * first[0] * second[0]:
        result = product(np.asarray(a.astype(object)), np.asarray(b.astype(object)), None)
        return result.astype(np.int64) if bound < 2**63 else result

    def doubles(a: Array, b: Array, limb: tuple[int, ...]) -> Array:
        return product(a, b, Part(limb))

    return limbs.product(doubles, (a, first), (b, second), bound)


def _by_floats(
    product: Product, a: Array, b: Array, dtype: npt.DTypeLike, sample: tuple[int, ...] | None
) -> Array:
    """The product in floats that hold it exactly, piece by piece: fresh pages are slow."""
    n_pieces = max(1, min(len(a), a.size // PIECE))
    if sample is None or (n_pieces == 1 and dtype == np.float64):
        return _whole(product(_converted(a, dtype), b, Part()))
    # Made first, it lies where the last such result was, and not behind the pieces.
    result = np.empty((len(a), *sample), np.int64)
    ends = np.linspace(0, len(a), n_pieces + 1).astype(int)
    for here in map(slice, ends[:-1], ends[1:]):
        _convert(product(_converted(a[here], dtype), b, Part()), result[here])
    return result


def _converted(array: Array, dtype: npt.DTypeLike) -> Array:
    """`array` in another type, by several threads where it is large: fresh pages cost most."""
    if array.size < LARGE or not array.flags.c_contiguous:
        return array.astype(dtype)
    result = np.empty(array.shape, dtype)
    _convert(array, result)
    return result


def _convert(array: Array, into: Array) -> None:
    """Numbers in the type of another contiguous array, which holds them exactly."""
    source, target = np.ascontiguousarray(array).reshape(-1), into.reshape(-1)

    def convert(here: slice) -> None:
        np.copyto(target[here], source[here], casting="unsafe")

    _in_chunks(convert, source.size)


def _whole(y: Array) -> Array:
    """Floats that are integers as int64; float64 in its own place, without fresh pages."""
    if y.dtype != np.float64 or not (y.flags.c_contiguous and y.flags.writeable):
        return _converted(y, np.int64)
    flat, result = y.reshape(-1), y.reshape(-1).view(np.int64)

    def convert(here: slice) -> None:
        result[here] = flat[here].astype(np.int64)

    _in_chunks(convert, y.size)
    return result.reshape(y.shape)


def _in_chunks(convert: Callable[[slice], None], size: int) -> None:
    def work(first: int, last: int) -> None:
        for at in range(first, last):
            convert(slice(at * CHUNK, (at + 1) * CHUNK))

    share(work, -(-size // CHUNK), thread_count() if size >= LARGE else 1)


def _check_objects(n_products: int) -> None:
    if n_products > MAX_OBJECT_PRODUCTS:
        raise TooLargeError(
            f"{n_products} products of SymPy expressions are above the limit of "
            f"{MAX_OBJECT_PRODUCTS}; use integers, Fractions or floats, or a smaller batch"
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
