"""Choices that run alike on Python integers, NumPy integer arrays and SymPy expressions.

`AxisRelation` needs only ``+ - * //``. A convention also takes maxima and asks questions; these
few functions are the only place where the three kinds of number are told apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from symconv import checks
from symconv.errors import ParameterError, ParameterTypeError

__all__ = [
    "MAX_ENTRY",
    "all_of",
    "any_of",
    "differ",
    "equal",
    "index",
    "is_false",
    "maximum",
    "select",
]

#: Largest magnitude in an array: products of two entries, and sums of a few, fit 64 bits.
MAX_ENTRY = 2**30


def _is_array(*values: Any) -> bool:
    return any(isinstance(value, np.ndarray) for value in values)


def _is_symbolic(*values: Any) -> bool:
    return any(isinstance(value, sympy.Basic) for value in values)


def index(name: str, value: Any, minimum: int | None = None) -> Any:
    """An integer, an array of integers or a symbolic integer, at least `minimum`."""
    if not (isinstance(value, np.ndarray) and value.ndim):
        return checks.integer(name, value, minimum)
    if value.dtype.kind not in "iu":
        raise ParameterTypeError(f"{name} must hold integers, got an array of {value.dtype}")
    if value.size and (value.max() > MAX_ENTRY or value.min() < -MAX_ENTRY):
        raise ParameterError(
            f"{name} must hold entries up to {MAX_ENTRY} in magnitude in an array (Python "
            f"integers have no limit), got {value.min()} … {value.max()}"
        )
    if minimum is not None and value.size and value.min() < minimum:
        raise ParameterError(f"{name} must be >= {minimum}, got {value.min()}")
    return value.astype(np.int64)


def maximum(first: Any, second: Any) -> Any:
    """The larger one, entry by entry."""
    if _is_symbolic(first, second):
        return sympy.Max(first, second)
    return np.maximum(first, second) if _is_array(first, second) else max(first, second)


def select(condition: Any, if_true: Any, if_false: Any) -> Any:
    """`if_true` where `condition` holds, else `if_false`."""
    if isinstance(condition, sympy.Basic):
        return sympy.Piecewise((if_true, condition), (if_false, True))
    if _is_array(condition):
        return np.where(condition, if_true, if_false)
    return if_true if condition else if_false


def differ(first: Any, second: Any) -> Any:
    """Whether two numbers differ."""
    return sympy.Ne(first, second) if _is_symbolic(first, second) else first != second


def equal(first: Any, second: Any) -> Any:
    """Whether two numbers are equal."""
    return sympy.Eq(first, second) if _is_symbolic(first, second) else first == second


def all_of(*conditions: Any) -> Any:
    """Whether all conditions hold."""
    if _is_symbolic(*conditions):
        return sympy.And(*conditions)
    if _is_array(*conditions):
        return np.logical_and.reduce(np.broadcast_arrays(*conditions))
    return all(conditions)


def any_of(*conditions: Any) -> Any:
    """Whether one condition holds."""
    if _is_symbolic(*conditions):
        return sympy.Or(*conditions)
    if _is_array(*conditions):
        return np.logical_or.reduce(np.broadcast_arrays(*conditions))
    return any(conditions)


def is_false(condition: Any) -> bool:
    """Whether a condition is known to fail, somewhere for an array."""
    if _is_array(condition):
        return not bool(condition.all())
    return bool(condition == False)  # noqa: E712 - a symbolic condition is neither True nor False
