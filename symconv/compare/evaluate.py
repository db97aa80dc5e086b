"""SymPy expressions evaluated exactly on integer arrays.

``sympy.lambdify`` would turn ``floor(n/2 - 1/2)`` into floating-point code. Here every
subexpression is a fraction of two integer arrays, so that nothing is ever rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import sympy
from sympy.logic.boolalg import BooleanFalse, BooleanTrue

from symconv.errors import ParameterError

__all__ = ["truth"]

Arrays = Mapping[sympy.Symbol, Any]
#: Numerator and positive denominator.
Fraction = tuple[Any, Any]

_COMPARISONS = {
    sympy.Eq: np.equal,
    sympy.Ne: np.not_equal,
    sympy.Lt: np.less,
    sympy.Le: np.less_equal,
    sympy.Gt: np.greater,
    sympy.Ge: np.greater_equal,
}


def truth(condition: Any, arrays: Arrays) -> Any:
    """Whether `condition` holds, entry by entry; symbols stand for integer arrays."""
    if isinstance(condition, (BooleanTrue, BooleanFalse)):
        return np.bool_(bool(condition))
    if isinstance(condition, (sympy.And, sympy.Or)):
        join = np.logical_and if isinstance(condition, sympy.And) else np.logical_or
        parts = [truth(part, arrays) for part in condition.args]
        return join.reduce(np.broadcast_arrays(*parts))
    if isinstance(condition, sympy.Not):
        return np.logical_not(truth(condition.args[0], arrays))
    for kind, compare in _COMPARISONS.items():
        if isinstance(condition, kind):
            (a, b), (c, d) = (_fraction(side, arrays) for side in condition.args)
            return compare(a * d, c * b)
    raise _unknown(condition)


def _unknown(part: Any) -> ParameterError:
    return ParameterError(
        f"condition must be built of integers, + - * /, floor, ceiling, Mod, Max, Min, Piecewise, "
        f"comparisons and, or, not; got {type(part).__name__} {part}"
    )


def _fraction(part: Any, arrays: Arrays) -> Fraction:
    if isinstance(part, sympy.Symbol):
        if part not in arrays:
            raise ParameterError(f"condition must be in the symbols of the box, got {part}")
        return arrays[part], 1
    if isinstance(part, sympy.Rational):
        return int(part.p), int(part.q)
    rule = _RULES.get(part.func)
    if rule is None:
        raise _unknown(part)
    result: Fraction = rule(part, arrays)
    return result


def _add(part: Any, arrays: Arrays) -> Fraction:
    top, below = 0, 1
    for term in part.args:
        a, b = _fraction(term, arrays)
        top, below = (top + a, below) if b is below else (top * b + a * below, below * b)
    return top, below


def _mul(part: Any, arrays: Arrays) -> Fraction:
    top, below = 1, 1
    for factor in part.args:
        a, b = _fraction(factor, arrays)
        top, below = top * a, below * b
    return top, below


def _pow(part: Any, arrays: Arrays) -> Fraction:
    base, exponent = part.args
    if exponent != -1:
        raise _unknown(part)
    a, b = _fraction(base, arrays)
    if not np.all(np.asarray(a) > 0):
        raise ParameterError(f"condition must divide by positive numbers, got {base}")
    return b, a


def _floor(part: Any, arrays: Arrays) -> Fraction:
    a, b = _fraction(part.args[0], arrays)
    return a // b, 1


def _ceiling(part: Any, arrays: Arrays) -> Fraction:
    a, b = _fraction(part.args[0], arrays)
    return -(-a // b), 1


def _mod(part: Any, arrays: Arrays) -> Fraction:
    (a, b), (c, d) = (_fraction(side, arrays) for side in part.args)
    # a/b mod c/d over the common denominator; c > 0 keeps the remainder in 0 … c.
    if not np.all(np.asarray(c) > 0):
        raise ParameterError(f"condition must take remainders by positive numbers, got {part}")
    return (a * d) % (c * b), b * d


def _extreme(part: Any, arrays: Arrays) -> Fraction:
    top, below = _fraction(part.args[0], arrays)
    largest = isinstance(part, sympy.Max)
    for other in part.args[1:]:
        a, b = _fraction(other, arrays)
        keep = top * b >= a * below if largest else top * b <= a * below
        top, below = np.where(keep, top, a), np.where(keep, below, b)
    return top, below


def _piecewise(part: Any, arrays: Arrays) -> Fraction:
    top, below = None, None
    for value, condition in reversed(part.args):
        a, b = _fraction(value, arrays)
        if top is None:
            if condition is not sympy.true:
                raise _unknown(part)
            top, below = a, b
        else:
            holds = truth(condition, arrays)
            top, below = np.where(holds, a, top), np.where(holds, b, below)
    return top, below


_RULES = {
    sympy.Add: _add,
    sympy.Mul: _mul,
    sympy.Pow: _pow,
    sympy.floor: _floor,
    sympy.ceiling: _ceiling,
    sympy.Mod: _mod,
    sympy.Max: _extreme,
    sympy.Min: _extreme,
    sympy.Piecewise: _piecewise,
}
