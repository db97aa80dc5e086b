"""The number systems: which one an array lives in, and how arrays of several meet.

Exact systems never mix with floats: an integer, a Fraction and a SymPy expression are exact, a
float is not, and a product of both would be neither. Plain integers do meet floats (a uint8
image with float weights), provided that the float type holds every one of them.
"""

from __future__ import annotations

import math
from enum import IntEnum
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.checks import in_memory, shown
from symconv.errors import DTypeError, ShapeError

__all__ = ["Algebra", "as_array", "common", "integers_over_denominator", "to_float"]

Array = npt.NDArray[Any]


class Algebra(IntEnum):
    """Number systems; a larger exact one contains the smaller ones."""

    INTEGER = 0
    RATIONAL = 1
    SYMBOLIC = 2
    REAL = 3
    COMPLEX = 4

    @property
    def is_exact(self) -> bool:
        """Whether arithmetic in this system is exact."""
        return self <= Algebra.SYMBOLIC


#: Floating types that every plan computes in.
_FLOATS = {"f4": Algebra.REAL, "f8": Algebra.REAL, "c8": Algebra.COMPLEX, "c16": Algebra.COMPLEX}


#: What an exact expression must not contain.
_INEXACT = (sympy.Float, sympy.nan, sympy.zoo, sympy.oo, -sympy.oo, sympy.AccumBounds)


def as_array(name: str, value: Any) -> tuple[Array, Algebra]:
    """`value` as a NumPy array with the system its entries live in.

    Takes arrays, nested lists, SymPy matrices and arrays, and anything with ``__array__`` or
    ``__dlpack__``. Object arrays come back with Python ints, Fractions or SymPy expressions.
    """
    in_memory(name, value)
    if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
        value = np.from_dlpack(value)
    if np.ma.is_masked(value):
        raise DTypeError(f"{name} must not be masked; pass {name}.filled(value)")
    try:
        array = np.asarray(value)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ShapeError(f"{name} must be a rectangular array of numbers: {error}") from None
    if isinstance(value, (list, tuple)) and array.dtype.kind in "iufc":
        array = _listed(name, np.asarray(value, dtype=object), array)
    if array.dtype.kind in "iu":
        return array, Algebra.INTEGER
    known = _FLOATS.get(array.dtype.kind + str(array.dtype.itemsize))
    if known is not None:
        return array.astype(array.dtype.newbyteorder("="), copy=False), known
    if array.dtype.kind == "O":
        return _exact_objects(name, array)
    if array.dtype.kind == "b":
        raise DTypeError(f"{name} must hold numbers, got booleans; pass {name}.astype(int)")
    raise DTypeError(
        f"{name} must hold integers, Fractions, SymPy expressions, float32, float64, complex64 or "
        f"complex128, got dtype {array.dtype}; convert it first"
    )


def _listed(name: str, entries: Array, array: Array) -> Array:
    """What nested lists hold; NumPy rounds integers of both signs beyond 63 bits to doubles."""
    flat = entries.ravel().tolist()
    whole = [isinstance(entry, (int, np.integer)) for entry in flat]
    if any(isinstance(entry, (bool, np.bool_)) for entry in flat):
        raise DTypeError(f"{name} must hold numbers, got booleans among them")
    if array.dtype.kind in "iu" or not any(whole):
        return array
    if all(whole):
        return entries
    largest = max(abs(int(entry)) for entry, is_whole in zip(flat, whole, strict=True) if is_whole)
    if largest > 2**53:
        raise DTypeError(
            f"{name} mixes {largest}, beyond 2**53, with floats, which do not hold it; pass "
            f"integers throughout for an exact result"
        )
    return array


def _exact_objects(name: str, array: Array) -> tuple[Array, Algebra]:
    algebra = Algebra.INTEGER
    flat = np.empty(array.size, dtype=object)
    for at, entry in enumerate(array.ravel()):
        flat[at], kind = _exact_number(name, entry)
        algebra = max(algebra, kind)
    return flat.reshape(array.shape), algebra


def _exact_number(name: str, entry: Any) -> tuple[Any, Algebra]:
    if isinstance(entry, (bool, np.bool_)):
        raise DTypeError(f"{name} must hold numbers, got the boolean {entry}")
    if isinstance(entry, (int, np.integer, sympy.Integer)):
        return int(entry), Algebra.INTEGER
    if isinstance(entry, Fraction):
        return entry, Algebra.RATIONAL
    if isinstance(entry, sympy.Rational):
        return Fraction(int(entry.p), int(entry.q)), Algebra.RATIONAL
    if isinstance(entry, sympy.Expr) and not entry.has(*_INEXACT):
        return entry, Algebra.SYMBOLIC
    raise DTypeError(
        f"{name} must hold integers, Fractions or SymPy expressions without floats, "
        f"got {type(entry).__name__} {shown(entry)}"
    )


def common(*named: tuple[str, Algebra]) -> Algebra:
    """The system that holds all of them; Fractions and symbols with floats are refused."""
    result = max(algebra for _, algebra in named)
    if not result.is_exact:
        for name, algebra in named:
            if algebra in (Algebra.RATIONAL, Algebra.SYMBOLIC):
                other = next(n for n, a in named if not a.is_exact)
                raise DTypeError(
                    f"{name} is exact ({algebra.name.lower()}) and {other} holds floats; convert "
                    f"one of them so that the result is either exact or floating"
                )
    return result


def to_float(name: str, array: Array, dtype: np.dtype[Any]) -> Array:
    """Integers as floats of `dtype`, refused where that type does not hold them exactly."""
    if array.dtype.kind in "iuO":
        limit = 2 ** (np.finfo(dtype).nmant + 1)
        largest = magnitude(array)
        if largest > limit:
            raise DTypeError(
                f"{name} holds {largest}, beyond {limit}, up to which {dtype} holds every integer; "
                f"pass integers throughout for an exact result, or convert {name} yourself"
            )
    return array.astype(dtype, copy=False)


def magnitude(array: Array) -> int:
    """Largest absolute value of an integer array, as a Python int."""
    return max(abs(int(array.max())), abs(int(array.min()))) if array.size else 0


def integers_over_denominator(array: Array) -> tuple[Array, int]:
    """Integers and one positive denominator whose quotient is `array` (ints or Fractions)."""
    if array.dtype.kind != "O":
        return array, 1
    denominator = math.lcm(*{entry.denominator for entry in array.ravel()})
    scaled = np.frompyfunc(lambda entry: int(entry * denominator), 1, 1)(array)
    return np.asarray(scaled, dtype=object).reshape(array.shape), denominator
