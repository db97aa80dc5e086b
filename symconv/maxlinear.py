"""Piecewise-linear functions in normal form: the maximum of finitely many affine forms.

Max pooling, averages of it and poolings of averages are such maxima with rational coefficients.
A form that never is the only largest one is left out; what remains is unique, so that two of
these functions are equal iff their forms are. Differences of two of them are all continuous
piecewise-linear functions, minima and erosions included (`symconv.piecewise`).

References
----------
R. T. Rockafellar, *Convex analysis* (1970), section 19: a form is redundant iff its point lies
under the hull of the others. D. Maclagan, B. Sturmfels, *Introduction to tropical geometry*
(2015), chapter 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any

import numpy as np
import sympy

from symconv.algebras import as_array
from symconv.checks import shown
from symconv.errors import DTypeError, ParameterError, TooLargeError
from symconv.linear_programs import hull_height

__all__ = ["Form", "MaxLinear", "Pair", "exact_number", "parts", "rational"]

#: Forms that one function may have while it is made.
MAX_FORMS = 2**12

#: Places at a time, and how far from 0, at which forms are looked for that are the largest alone.
PLACES = 64
SPREADS = (3, 1000)

Point = Mapping[sympy.Symbol, Fraction]


@dataclass(frozen=True, slots=True)
class Form:
    """An affine form: symbol → coefficient pairs without zeros, sorted by name, and a constant."""

    coefficients: tuple[tuple[sympy.Symbol, Fraction], ...]
    constant: Fraction

    @classmethod
    def of(cls, coefficients: Mapping[sympy.Symbol, Fraction], constant: Fraction) -> Form:
        """The form with these coefficients."""
        kept = [(symbol, value) for symbol, value in coefficients.items() if value]
        return cls(tuple(sorted(kept, key=lambda pair: pair[0].sort_key())), constant)

    def __call__(self, point: Point) -> Fraction:
        """The value at a point."""
        terms = (value * point[symbol] for symbol, value in self.coefficients)
        return sum(terms, self.constant)

    def __add__(self, other: Form) -> Form:
        total = dict(self.coefficients)
        for symbol, value in other.coefficients:
            total[symbol] = total.get(symbol, Fraction(0)) + value
        return Form.of(total, self.constant + other.constant)

    def scaled(self, factor: Fraction) -> Form:
        """The form times a number."""
        scaled = {symbol: value * factor for symbol, value in self.coefficients}
        return Form.of(scaled, self.constant * factor)

    def expression(self) -> sympy.Expr:
        """SymPy's form."""
        terms = [rational(value) * symbol for symbol, value in self.coefficients]
        return sympy.Add(*terms, rational(self.constant))


@dataclass(frozen=True, slots=True)
class MaxLinear:
    """The maximum of affine forms with rational coefficients, in its unique shortest form.

    Attributes
    ----------
    forms : tuple of Form
        Each is the only largest one somewhere; sorted.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> MaxLinear.of(sympy.Max(x, y, (x + y) / 2, x - 1))
    MaxLinear(Max(x, y))
    >>> f = MaxLinear.of(x).maximum(MaxLinear.of(0))
    >>> f + f == f.scaled(2), f({x: Fraction(-3)})
    (True, Fraction(0, 1))
    """

    forms: tuple[Form, ...]

    @classmethod
    def of(cls, value: Any) -> MaxLinear:
        """From a SymPy expression of Max, sums and non-negative rational multiples, or a number.

        Raises
        ------
        ParameterError
            If the expression is no maximum of affine forms.
        """
        plus, minus = parts(value)
        if len(minus.forms) > 1:
            raise ParameterError(
                f"value must be a maximum of affine forms, got {shown(value)}, which is not convex"
            )
        return plus + cls((minus.forms[0].scaled(Fraction(-1)),))

    @classmethod
    def largest(cls, forms: Iterable[Form]) -> MaxLinear:
        """The maximum of the forms, those that never are the only largest one left out."""
        highest: dict[tuple[tuple[sympy.Symbol, Fraction], ...], Fraction] = {}
        for form in forms:
            held = highest.get(form.coefficients)
            if held is None or held < form.constant:
                highest[form.coefficients] = form.constant
        if not highest:
            raise ParameterError("forms must be at least one, got none")
        distinct = [Form(*pair) for pair in highest.items()]
        return cls(tuple(sorted(_irredundant(distinct), key=_order)))

    @property
    def symbols(self) -> tuple[sympy.Symbol, ...]:
        """The symbols that matter, sorted by name."""
        found = {symbol for form in self.forms for symbol, _ in form.coefficients}
        return tuple(sorted(found, key=lambda symbol: symbol.sort_key()))

    def __call__(self, point: Point) -> Fraction:
        """The value at a point: symbol → number."""
        return max(form(point) for form in self.forms)

    def maximum(self, *others: MaxLinear) -> MaxLinear:
        """The larger one, point by point."""
        return MaxLinear.largest(form for each in (self, *others) for form in each.forms)

    def __add__(self, other: MaxLinear) -> MaxLinear:
        if not isinstance(other, MaxLinear):
            return NotImplemented
        _check_count(len(self.forms) * len(other.forms))
        sums = [a + b for a in self.forms for b in other.forms]
        # A sum with one form moves all others alike: nothing becomes redundant.
        if 1 in (len(self.forms), len(other.forms)):
            return MaxLinear(tuple(sorted(sums, key=_order)))
        return MaxLinear.largest(sums)

    def scaled(self, factor: Any) -> MaxLinear:
        """The function times a number >= 0."""
        number = exact_number("factor", factor)
        if number < 0:
            raise ParameterError(f"factor must be >= 0, got {number}: −max is no maximum")
        if number == 0:
            return MaxLinear((Form((), Fraction(0)),))
        return MaxLinear(tuple(sorted((f.scaled(number) for f in self.forms), key=_order)))

    def composed(self, inner: Mapping[sympy.Symbol, MaxLinear]) -> MaxLinear:
        """The function of other such functions, put in for symbols with coefficients >= 0.

        Examples
        --------
        >>> x, y, z = sympy.symbols("x y z")
        >>> outer = MaxLinear.of(sympy.Max(x, y))
        >>> outer.composed({y: MaxLinear.of(sympy.Max(x, z))})
        MaxLinear(Max(x, z))
        """
        pieces = []
        for form in self.forms:
            total = MaxLinear((Form((), form.constant),))
            for symbol, value in form.coefficients:
                put = inner.get(symbol, MaxLinear((Form(((symbol, Fraction(1)),), Fraction(0)),)))
                if len(put.forms) == 1:
                    total = total + MaxLinear((put.forms[0].scaled(value),))
                elif value < 0:
                    raise ParameterError(
                        f"inner must be affine where the coefficient is negative, got {put} for "
                        f"{symbol} with {value}"
                    )
                else:
                    total = total + put.scaled(value)
            pieces.append(total)
        return pieces[0].maximum(*pieces[1:])

    def expression(self) -> sympy.Expr:
        """SymPy's Max of the forms."""
        expressions = [form.expression() for form in self.forms]
        return sympy.Max(*expressions, evaluate=False) if len(expressions) > 1 else expressions[0]

    def __repr__(self) -> str:
        written = ", ".join(sympy.sstr(form.expression()) for form in self.forms)
        return f"MaxLinear(Max({written}))" if len(self.forms) > 1 else f"MaxLinear({written})"

    def _repr_latex_(self) -> str:
        return f"$${sympy.latex(self.expression())}$$"


def _order(form: Form) -> Any:
    named = [(symbol.sort_key(), value) for symbol, value in form.coefficients]
    return named, form.constant


def rational(value: Fraction) -> sympy.Rational:
    """SymPy's number."""
    return sympy.Rational(value.numerator, value.denominator)


def exact_number(name: str, value: Any) -> Fraction:
    """An exact rational."""
    array, algebra = as_array(name, value)
    if array.ndim or not algebra.is_exact:
        raise DTypeError(f"{name} must be one exact number, got {shown(value)}")
    entry = array.item()
    if isinstance(entry, sympy.Expr):
        raise DTypeError(f"{name} must be rational, got {shown(value)}")
    return Fraction(entry)


def _check_count(count: int) -> None:
    if count > MAX_FORMS:
        raise TooLargeError(
            f"{count} affine forms are above the limit of {MAX_FORMS}; compare fewer outputs or "
            f"smaller windows"
        )


def _irredundant(forms: list[Form]) -> list[Form]:
    """The forms that are the only largest one somewhere; their coefficients are distinct.

    A form is one iff its point (coefficients, constant) is a vertex of the upper hull of all.
    """
    _check_count(len(forms))
    # Single variables plus constants, and one constant: corners of a simplex, all of them vertices.
    if all(len(f.coefficients) < 2 and all(v == 1 for _, v in f.coefficients) for f in forms):
        return forms
    symbols = sorted({s for f in forms for s, _ in f.coefficients}, key=lambda s: s.sort_key())
    points = [tuple(dict(f.coefficients).get(s, Fraction(0)) for s in symbols) for f in forms]
    heights = [form.constant for form in forms]
    scale = math.lcm(*(v.denominator for point in points for v in point))
    wins = _largest_somewhere(points, heights, scale)
    inside = _between_neighbours(points, heights, wins, Fraction(1, scale))
    kept = [at for at in range(len(forms)) if not inside[at]]
    for at in tuple(kept):
        if not wins[at]:
            others = [other for other in kept if other != at]
            height = hull_height(
                [points[other] for other in others],
                [heights[other] for other in others],
                points[at],
            ).value
            if height is not None and height >= heights[at]:
                kept = others
    return [forms[at] for at in kept]


def _largest_somewhere(
    points: list[tuple[Fraction, ...]], heights: list[Fraction], scale: int
) -> list[bool]:
    """Which forms are seen to be the only largest one at some integer place: these are kept.

    Evaluated exactly at places drawn from a fixed seed; what is not seen is decided otherwise.
    """
    scale = math.lcm(scale, *(height.denominator for height in heights))
    rows = [[int(v * scale) for v in (*p, h)] for p, h in zip(points, heights, strict=True)]
    wins = np.zeros(len(points), dtype=bool)
    if (
        max(abs(value) for row in rows for value in row) * (len(points[0]) * SPREADS[-1] + 1)
        < 2**62
    ):
        table, rng = np.array(rows, dtype=np.int64).T, np.random.default_rng(0)
        for spread in SPREADS:
            for _ in range(0, 4 * len(points), PLACES):
                places = rng.integers(-spread, spread + 1, (PLACES, len(points[0])))
                values = places @ table[:-1] + table[-1]
                alone = (values == values.max(axis=1, keepdims=True)).sum(axis=1) == 1
                wins[values[alone].argmax(axis=1)] = True
    return [bool(won) for won in wins]


def _between_neighbours(
    points: list[tuple[Fraction, ...]], heights: list[Fraction], wins: list[bool], unit: Fraction
) -> list[bool]:
    """Which of the others lie between two points a unit to either side, not above their mean.

    Such a point is no vertex, so its form is redundant. The sides are where sums of maxima differ:
    one window takes another sample.
    """
    known = dict(zip(points, heights, strict=True))
    found = [False] * len(points)
    for at, point in enumerate(points):
        if wins[at]:
            continue
        for s, t in combinations(range(len(point)), 2):
            sides = []
            for step in (unit, -unit):
                side = list(point)
                side[s], side[t] = side[s] + step, side[t] - step
                sides.append(known.get(tuple(side)))
            if sides[0] is not None and sides[1] is not None:
                found[at] = found[at] or sides[0] + sides[1] >= 2 * heights[at]
    return found


def parts(
    value: Any, known: dict[sympy.Expr, tuple[MaxLinear, MaxLinear]] | None = None
) -> tuple[MaxLinear, MaxLinear]:
    """A piecewise-linear expression as the difference of two maxima of affine forms.

    Takes Max and Min of, and sums and rational multiples of, symbols and rationals. `known` keeps
    what was taken apart for the next call.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> parts(sympy.Min(x, y) + 1)
    (MaxLinear(x + y + 1), MaxLinear(Max(x, y)))

    Raises
    ------
    ParameterError
        If the expression is of another kind.
    """
    if isinstance(value, MaxLinear):
        return value, MaxLinear((Form((), Fraction(0)),))
    if isinstance(value, sympy.Expr):
        return _parts(value, {} if known is None else known)
    constant = MaxLinear((Form((), exact_number("value", value)),))
    return constant, MaxLinear((Form((), Fraction(0)),))


Pair = tuple[MaxLinear, MaxLinear]


def _parts(value: sympy.Expr, known: dict[sympy.Expr, Pair]) -> Pair:
    """As `parts`; equal subexpressions are taken apart once."""
    if value not in known:
        known[value] = _taken_apart(value, known)
    return known[value]


def _taken_apart(value: sympy.Expr, known: dict[sympy.Expr, Pair]) -> Pair:
    zero = MaxLinear((Form((), Fraction(0)),))
    if isinstance(value, sympy.Rational):
        return MaxLinear((Form((), Fraction(int(value.p), int(value.q))),)), zero
    if isinstance(value, sympy.Symbol):
        return MaxLinear((Form(((value, Fraction(1)),), Fraction(0)),)), zero
    if isinstance(value, sympy.Add):
        plus, minus = zero, zero
        for term in value.args:
            more, less = _parts(term, known)
            plus, minus = plus + more, minus + less
        return plus, minus
    if isinstance(value, sympy.Mul):
        factor, rest = value.as_coeff_Mul()
        if isinstance(factor, sympy.Rational) and factor != 1:
            size = Fraction(abs(int(factor.p)), int(factor.q))
            more, less = (part.scaled(size) for part in _parts(rest, known))
            return (more, less) if factor > 0 else (less, more)
    if isinstance(value, sympy.Min):
        less, more = _maximum([tuple(reversed(_parts(arg, known))) for arg in value.args])
        return more, less
    if isinstance(value, sympy.Max):
        return _maximum([_parts(arg, known) for arg in value.args])
    raise ParameterError(
        f"value must be made of symbols, rationals, sums, rational multiples, Max and Min, got "
        f"{shown(value)}"
    )


def _maximum(pairs: list[Any]) -> Pair:
    """max(a − b, c − d) = max(a + d, c + b) − (b + d)."""
    plus, minus = pairs[0]
    if all(less == minus for _, less in pairs):
        return plus.maximum(*(more for more, _ in pairs[1:])), minus
    for more, less in pairs[1:]:
        plus, minus = (plus + less).maximum(more + minus), minus + less
    return plus, minus
