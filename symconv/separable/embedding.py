"""A real algebraic field on the number line: signs and enclosures of its elements."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import sympy

__all__ = ["RealEmbedding"]

#: Digits in which a radical is told from its conjugates.
DIGITS = 50


class RealEmbedding:
    """The signs of the elements of QQ(α), from an interval around α that is halved as needed.

    Examples
    --------
    >>> from symconv.dense import field_elements
    >>> field, (a, b) = field_elements("kernel", [sympy.sqrt(2) - 2, sympy.sqrt(8)])
    >>> embedding = RealEmbedding(field)
    >>> embedding.sign(a), embedding.sign(b), embedding.sign(b - b)
    (-1, 1, 0)
    """

    def __init__(self, domain: Any) -> None:
        self._minimal = [
            Fraction(int(c.numerator), int(c.denominator)) for c in domain.mod.to_list()
        ]
        approximate = domain.ext.as_expr().evalf(DIGITS)
        middle = Fraction(str(approximate))
        width = Fraction(1, 10 ** (DIGITS - 10)) * max(Fraction(1), abs(middle))
        self._low, self._high = middle - width, middle + width
        polynomial = sympy.Poly(list(map(sympy.sympify, self._minimal)), sympy.Symbol("z"))
        ends = (sympy.Rational(e.numerator, e.denominator) for e in (self._low, self._high))
        if polynomial.count_roots(*ends) != 1:
            raise ArithmeticError(f"the roots of {polynomial} are too close to tell apart")

    def sign(self, element: Any) -> int:
        """−1, 0 or 1; zero is decided in the field, the others by an interval without zero."""
        if not element:
            return 0
        coefficients = [Fraction(int(c.numerator), int(c.denominator)) for c in element.to_list()]
        while True:
            low, high = _interval(coefficients, self._low, self._high)
            if low > 0 or high < 0:
                return 1 if low > 0 else -1
            self._halve()

    def enclosure(self, element: Any, bits: int) -> tuple[Fraction, Fraction]:
        """An interval around a positive element whose ends agree in so many bits."""
        coefficients = [Fraction(int(c.numerator), int(c.denominator)) for c in element.to_list()]
        while True:
            low, high = _interval(coefficients, self._low, self._high)
            if low > 0 and (high - low) * (1 << bits) <= low:
                return low, high
            self._halve()

    def _halve(self) -> None:
        middle = (self._low + self._high) / 2
        at_low, at_middle = (_value(self._minimal, x) for x in (self._low, middle))
        # The minimal polynomial of an irrational number is not 0 at a rational one.
        if (at_low < 0) != (at_middle < 0):
            self._high = middle
        else:
            self._low = middle


def _value(coefficients: Sequence[Fraction], x: Fraction) -> Fraction:
    total = Fraction(0)
    for coefficient in coefficients:
        total = total * x + coefficient
    return total


def _interval(
    coefficients: Sequence[Fraction], low: Fraction, high: Fraction
) -> tuple[Fraction, Fraction]:
    """What Horner's rule encloses over an interval."""
    least, most = Fraction(0), Fraction(0)
    for coefficient in coefficients:
        ends: list[Fraction] = [a * b for a in (least, most) for b in (low, high)]
        least, most = min(ends) + coefficient, max(ends) + coefficient
    return least, most
