"""Closed forms of sizes: floors in canonical form, and the inverse questions as exact answers.

A floor ⌊a/m⌋ is rewritten with a = q·m + r, never solved: whole multiples of m leave the floor,
common factors cancel, and a floor of a floor becomes one. Two size formulas that are equal as
functions of one integer then print alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from symconv.errors import ParameterError

__all__ = ["Congruence", "canonical", "floor_quotient", "periodic_solutions"]


def floor_quotient(numerator: Any, divisor: Any) -> Any:
    """⌊numerator / divisor⌋ in canonical form, for integer-valued numerators.

    Parameters
    ----------
    numerator : int or SymPy expression that takes integer values
    divisor : int or SymPy expression, positive

    Examples
    --------
    >>> n = sympy.Symbol("n", integer=True)
    >>> floor_quotient(n + 5, 2), floor_quotient(n - 1, 2)
    (floor(n/2 + 1/2) + 2, floor(n/2 + 1/2) - 1)
    >>> floor_quotient(floor_quotient(n + 1, 2) + 3, 4)
    floor(n/8 + 7/8)
    """
    numerator, divisor = sympy.expand(numerator), sympy.sympify(divisor)
    if divisor.is_Integer:
        return _by_integer(numerator, int(divisor))
    # Terms that contain the divisor as a factor leave the floor, by division with remainder.
    whole = rest = sympy.S.Zero
    for term in sympy.Add.make_args(numerator):
        quotient = sympy.cancel(term / divisor)
        if quotient.is_polynomial():
            whole += quotient
        else:
            rest += term
    if rest == 0:
        return whole
    return whole + sympy.floor(rest / divisor)


def _by_integer(numerator: Any, divisor: int) -> Any:
    whole = inside = sympy.S.Zero
    common = divisor
    for term in sympy.Add.make_args(numerator):
        coefficient, unknown = term.as_coeff_Mul()
        if not coefficient.is_Integer:
            return sympy.floor(numerator / divisor)
        quotient, remainder = divmod(int(coefficient), divisor)
        whole += quotient * unknown
        if unknown != 1:
            inside += remainder * unknown
            common = math.gcd(common, remainder)
        else:
            constant = remainder
            inside += remainder
    constant = int(inside.as_coeff_Add()[0])
    varying = inside - constant
    if varying == 0:
        return whole
    # ⌊(g·a + c)/(g·m)⌋ = ⌊(a + ⌊c/g⌋)/m⌋ for an integer a.
    reduced, m, c = varying / common, divisor // common, constant // common
    if m == 1:
        return whole + reduced + c
    if isinstance(reduced, sympy.floor):
        # ⌊(⌊a/b⌋ + c)/m⌋ = ⌊(a + c·b)/(b·m)⌋.
        top, bottom = sympy.fraction(sympy.together(reduced.args[0]))
        if bottom.is_Integer:
            return whole + _by_integer(sympy.expand(top + c * bottom), int(bottom) * m)
    return whole + sympy.floor((reduced + c) / m)
