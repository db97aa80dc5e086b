"""Singular values that are certain: closed forms where they are cheap, intervals that contain them.

σ² runs through the roots of det(z·I − KᵀK). All of them are real and none is negative, so that
Descartes' rule of signs *counts* the roots above a point: no root is missed and none invented.
Multiplicities come from factors of the polynomial, not from numbers that lie close.

References
----------
J.-B. J. Fourier (1831), F. Budan (1807): sign changes of a shifted polynomial.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any

import sympy

from symconv.dense import characteristic, field_characteristic, field_product
from symconv.separable.embedding import RealEmbedding

__all__ = ["SingularValue", "field_squares", "integer_squares", "root_above"]

#: Factors up to this degree are irreducible ones; of larger polynomials repeated roots are split
#: off, which is cheaper.
MAX_FACTORED = 10

#: Bits that an enclosure agrees in.
BITS = 60


@dataclass(frozen=True)
class SingularValue:
    """One singular value: an interval that contains it, its multiplicity, its closed form.

    Attributes
    ----------
    lower, upper : Fraction or None
        lower ≤ σ ≤ upper, proved; equal where σ is rational, None for symbols.
    multiplicity : int or None
        How often it occurs; None where only floating-point bounds were asked, each one counted.
    exact : SymPy expression or None
        σ itself, where it is a square root in radicals of at most degree two.
    polynomial : tuple of int, or None
        An integer polynomial (highest power first) with the root (σ·scale)².
    scale : int
        What the kernel was multiplied by to be integral.

    Examples
    --------
    >>> float(SingularValue(Fraction(2), Fraction(2), 1))
    2.0
    """

    lower: Fraction | None
    upper: Fraction | None
    multiplicity: int | None
    exact: Any = None
    polynomial: tuple[int, ...] | None = None
    scale: int = 1

    def __float__(self) -> float:
        if self.lower is None or self.upper is None:
            raise TypeError(f"{self.exact} has symbols; substitute numbers")
        return float((self.lower + self.upper) / 2)

    @property
    def square(self) -> Any:
        """σ² in closed form, or None."""
        return None if self.exact is None else sympy.expand(self.exact**2)

    def __str__(self) -> str:
        if self.exact is not None:
            shown = str(self.exact)
        else:
            middle = (Fraction(self.lower or 0) + Fraction(self.upper or 0)) / 2
            shown = str(sympy.N(sympy.Rational(middle.numerator, middle.denominator), 12))
        return shown if self.multiplicity in (None, 1) else f"{shown} (×{self.multiplicity})"


@dataclass(frozen=True)
class Root:
    """A root σ² of the characteristic polynomial, enclosed."""

    lower: Fraction
    upper: Fraction
    multiplicity: int
    exact: Any = None
    polynomial: tuple[int, ...] | None = None

    def value(self, scale: int, bits: int = BITS) -> SingularValue:
        """The singular value √(σ²)/scale, its interval rounded outwards."""
        exact = None if self.exact is None else _denested(sympy.sqrt(self.exact)) / scale
        low, high = _root_below(self.lower, bits) / scale, root_above(self.upper, bits) / scale
        return SingularValue(low, high, self.multiplicity, exact, self.polynomial, scale)


def _denested(root: Any) -> Any:
    """√(10 + 4√6) as 2 + √6, where that is shorter."""
    denested = sympy.sqrtdenest(root)
    return denested if denested.count_ops() < root.count_ops() else root


def _root_below(value: Fraction, bits: int) -> Fraction:
    """A number at most √value, exact where that is rational."""
    top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
    if top**2 == value.numerator and bottom**2 == value.denominator:
        return Fraction(top, bottom)
    shift = max(0, bits + 4 - (value.numerator.bit_length() - value.denominator.bit_length()) // 2)
    return Fraction(math.isqrt((value.numerator << 2 * shift) // value.denominator), 1 << shift)


def root_above(value: Fraction, bits: int) -> Fraction:
    """A number at least √value, which it exceeds by a share of 2^−bits at most."""
    below = _root_below(value, bits)
    if below**2 == value:
        return below
    shift = max(0, bits + 4 - (value.numerator.bit_length() - value.denominator.bit_length()) // 2)
    return below + Fraction(1, 1 << shift)


def integer_squares(rows: list[list[int]], bits: int = BITS) -> list[Root]:
    """σ² of an integer matrix, largest first, with multiplicities that sum to its shorter side.

    Examples
    --------
    >>> [(root.exact, root.multiplicity) for root in integer_squares([[1, 2], [2, 1]])]
    [(9, 1), (1, 1)]
    """
    coefficients = characteristic(_gram(rows))
    zeros = _trailing_zeros(coefficients)
    found = [Root(Fraction(0), Fraction(0), zeros, sympy.S.Zero)] if zeros else []
    rest = coefficients[: len(coefficients) - zeros]
    for factor, multiplicity in _factors(rest):
        found += _roots(factor, multiplicity, bits)
    return sorted(found, key=lambda root: root.lower, reverse=True)


def _gram(rows: list[list[int]]) -> list[list[int]]:
    """KᵀK or KKᵀ, whichever is smaller; their roots other than 0 agree."""
    lines = rows if len(rows) <= len(rows[0]) else list(zip(*rows, strict=True))
    return [[sum(a * b for a, b in zip(p, q, strict=True)) for q in lines] for p in lines]


def _trailing_zeros(coefficients: Sequence[Any]) -> int:
    count = 0
    while not coefficients[len(coefficients) - 1 - count]:
        count += 1
    return count


def _factors(coefficients: list[int]) -> list[tuple[list[int], int]]:
    """Factors without common or repeated roots, with their multiplicities."""
    degree = len(coefficients) - 1
    if degree <= 1:
        return [(coefficients, 1)] if degree else []
    z = sympy.Symbol("z")
    polynomial = sympy.Poly.from_list(coefficients, z, domain=sympy.ZZ)
    listed = polynomial.factor_list() if degree <= MAX_FACTORED else polynomial.sqf_list()
    return [([int(c) for c in part.all_coeffs()], times) for part, times in listed[1]]


def _roots(factor: list[int], multiplicity: int, bits: int) -> list[Root]:
    """The roots of an integer polynomial whose roots are all real, positive and simple."""
    degree, kept = len(factor) - 1, tuple(factor)
    closed: list[Any] = [None] * degree
    if degree == 1:
        root = Fraction(-factor[1], factor[0])
        exact = sympy.Rational(root.numerator, root.denominator)
        return [Root(root, root, multiplicity, exact, kept)]
    if degree == 2:
        a, b, c = map(sympy.Integer, factor)
        spread = sympy.sqrt(b**2 - 4 * a * c)
        # Least first, as the intervals below come.
        closed = [(-b - sign * spread) / (2 * a) for sign in (sympy.sign(a), -sympy.sign(a))]
    signs = _IntegerSigns(factor)
    intervals = sorted(isolated(signs, degree, _bound(factor)))
    refined = [_refined(signs, low, high, bits) for low, high in intervals]
    return [
        Root(low, high, multiplicity, exact, kept)
        for (low, high), exact in zip(refined, closed, strict=True)
    ]


def _bound(factor: Sequence[int]) -> Fraction:
    """A power of two above every root (Cauchy's bound)."""
    most = max(abs(c) for c in factor[1:]) // abs(factor[0]) + 2
    return Fraction(1 << most.bit_length())


class _IntegerSigns:
    """Signs of an integer polynomial, and of its coefficients around another point."""

    def __init__(self, coefficients: Sequence[int]) -> None:
        self._coefficients = list(coefficients)

    def at(self, point: Fraction) -> int:
        total, power = 0, 1
        for coefficient in self._coefficients:
            total = total * point.numerator + coefficient * power
            power *= point.denominator
        return _sign(total)

    def shifted(self, point: Fraction) -> list[int]:
        # q^n·p((y + a)/q) has integer coefficients and the same signs.
        scaled, power = [], 1
        for coefficient in self._coefficients:
            scaled.append(coefficient * power)
            power *= point.denominator
        return [_sign(value) for value in taylor(scaled, point.numerator)]


def taylor(coefficients: Sequence[Any], point: Any) -> list[Any]:
    """The coefficients of p(y + point), the highest power first, by Horner's rule over and over.

    Examples
    --------
    >>> taylor([1, 0, 0], 3)
    [1, 6, 9]
    """
    shifted = list(coefficients)
    for stop in range(len(shifted), 1, -1):
        for at in range(1, stop):
            shifted[at] = shifted[at] + point * shifted[at - 1]
    return shifted


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


def _above(signs: Any, point: Fraction) -> int:
    """How many roots lie above the point: the sign changes of the shifted coefficients.

    Descartes' rule is an equality for a polynomial whose roots are all real.
    """
    kept = [sign for sign in signs.shifted(point) if sign]
    return sum(one != other for one, other in pairwise(kept))


def isolated(signs: Any, degree: int, bound: Fraction) -> list[tuple[Fraction, Fraction]]:
    """One interval (low, high] for each of `degree` simple positive roots; they do not overlap.

    Examples
    --------
    >>> signs = _IntegerSigns([1, -5, 6])
    >>> [low < root <= high for (low, high), root in zip(isolated(signs, 2, Fraction(8)), (3, 2))]
    [True, True]
    """
    pending, found = [(Fraction(0), degree, bound, 0)], []
    while pending:
        low, above_low, high, above_high = pending.pop()
        if above_low == above_high:
            continue
        if above_low - above_high == 1 and low:
            found.append((low, high))
            continue
        middle = (low + high) / 2
        above = _above(signs, middle)
        pending += [(low, above_low, middle, above), (middle, above, high, above_high)]
    return found


def _refined(signs: Any, low: Fraction, high: Fraction, bits: int) -> tuple[Fraction, Fraction]:
    """The interval halved until its ends agree in so many bits."""
    if not signs.at(high):
        return high, high
    at_high, share = signs.at(high), 1 << bits
    while (high - low) * share > low:
        middle = (low + high) / 2
        sign = signs.at(middle)
        if not sign:
            return middle, middle
        low, high = (low, middle) if sign == at_high else (middle, high)
    return low, high


class _FieldSigns:
    """The same for coefficients in a real algebraic field QQ(α)."""

    def __init__(self, coefficients: Sequence[Any], domain: Any, sign: Callable[[Any], int]):
        self._coefficients, self._domain, self._sign = list(coefficients), domain, sign

    def _element(self, point: Fraction) -> Any:
        return self._domain.from_sympy(sympy.Rational(point.numerator, point.denominator))

    def at(self, point: Fraction) -> int:
        total, x = self._domain.zero, self._element(point)
        for coefficient in self._coefficients:
            total = total * x + coefficient
        return self._sign(total)

    def shifted(self, point: Fraction) -> list[int]:
        return [self._sign(c) for c in taylor(self._coefficients, self._element(point))]


def field_squares(rows: list[list[Any]], domain: Any, bits: int = BITS) -> list[Root]:
    """σ² of a matrix over QQ(α), largest first (see `integer_squares`).

    Examples
    --------
    >>> from symconv.dense import field_elements
    >>> field, (a, b) = field_elements("kernel", [sympy.sqrt(2), 1])
    >>> [root.exact for root in field_squares([[a, b], [-b, a]], field)]
    [3]
    """
    lines = rows if len(rows) <= len(rows[0]) else [list(c) for c in zip(*rows, strict=True)]
    turned = [list(column) for column in zip(*lines, strict=True)]
    coefficients = field_characteristic(field_product(lines, turned, domain), domain)
    zeros = _trailing_zeros(coefficients)
    found = [Root(Fraction(0), Fraction(0), zeros, sympy.S.Zero)] if zeros else []
    rest = coefficients[: len(coefficients) - zeros]
    if len(rest) == 1:
        return found
    z = sympy.Symbol("z")
    listed = sympy.Poly.from_list(rest, z, domain=domain).sqf_list()[1]
    embedding = RealEmbedding(domain)
    for part, multiplicity in listed:
        factor = part.rep.to_list()
        found += _field_roots(factor, domain, embedding, multiplicity, bits)
    return sorted(found, key=lambda root: root.lower, reverse=True)


def _field_roots(
    factor: list[Any], domain: Any, embedding: RealEmbedding, multiplicity: int, bits: int
) -> list[Root]:
    degree = len(factor) - 1
    if degree == 1:
        element = -factor[1] / factor[0]
        low, high = embedding.enclosure(element, bits)
        return [Root(low, high, multiplicity, domain.to_sympy(element))]
    closed: list[Any] = [None] * degree
    if degree == 2:
        a, b, c = (domain.to_sympy(element) for element in factor)
        spread = sympy.sqrt(sympy.expand(b**2 - 4 * a * c))
        positive = embedding.sign(factor[0]) > 0
        closed = [(-b - sign * spread) / (2 * a) for sign in ((1, -1) if positive else (-1, 1))]
    ratios: list[Fraction] = [
        embedding.enclosure(c / factor[0] * embedding.sign(c / factor[0]), 4)[1]
        for c in factor[1:]
        if c
    ]
    bound = Fraction(1 << (int(max(ratios)) + 2).bit_length())
    signs = _FieldSigns(factor, domain, embedding.sign)
    intervals = sorted(isolated(signs, degree, bound))
    refined = [_refined(signs, low, high, bits) for low, high in intervals]
    return [
        Root(low, high, multiplicity, exact)
        for (low, high), exact in zip(refined, closed, strict=True)
    ]
