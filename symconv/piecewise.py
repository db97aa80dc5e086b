"""Piecewise-linear functions compared: equal at every real point, or a point where they differ.

Every function made of Max, Min, sums and rational multiples is a difference of two maxima of
affine forms; a − b = c − d iff a + d = c + b, and both sides have a normal form
(`symconv.maxlinear`).
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
import sympy

from symconv.checks import shown
from symconv.errors import ParameterError, ParameterTypeError, ShapeError
from symconv.linear_programs import hull_height
from symconv.maxlinear import Form, MaxLinear, Pair, exact_number, parts, rational
from symconv.verdict import Verdict, proved, refuted, undecided

__all__ = ["same_function", "separating_point"]

#: Small points that are tried before a linear program gives one.
MAX_CANDIDATES = 2**12


def same_function(first: Any, second: Any) -> Verdict:
    """Whether two piecewise-linear functions, or arrays of them, agree at every real point.

    Parameters
    ----------
    first, second : MaxLinear, SymPy expression, number, or arrays of these
        Outputs of poolings on symbols, say: Max, Min, sums and rational multiples.

    Returns
    -------
    Verdict
        PROVED by equal normal forms; REFUTED with a point at which running both gives different
        values; UNDECIDED where an entry is of another kind.

    Examples
    --------
    >>> import symconv as sc
    >>> x = np.array(sympy.symbols("x_0:4"), dtype=object)
    >>> small, large = sc.MaxPool1d(2, stride=1), sc.MaxPool1d(3, stride=1)
    >>> twice = small.operator((3,)).apply(small.operator((4,)).apply(x))
    >>> print(same_function(twice, large.operator((4,)).apply(x)))
    PROVED (all real values of 4 variables): 2 outputs have equal normal forms
    >>> mean, top = sc.AvgPool1d(2, stride=1), sc.MaxPool1d(2, stride=1)
    >>> one = mean.operator((3,)).apply(top.operator((4,)).apply(x))
    >>> other = top.operator((3,)).apply(mean.operator((4,)).apply(x))
    >>> verdict = same_function(one, other)
    >>> verdict.status, verdict.counterexample["x"]
    ('REFUTED', {x_0: 0, x_1: 1, x_2: 0})

    Raises
    ------
    ShapeError
        If the arrays have different shapes.
    """
    one, other = _entries("first", first), _entries("second", second)
    if one.shape != other.shape:
        raise ShapeError(f"first and second must have one shape, got {one.shape}, {other.shape}")
    known: dict[sympy.Expr, Pair] = {}
    met: set[sympy.Symbol] = set()
    for place in np.ndindex(one.shape):
        pair = one[place], other[place]
        try:
            (a, b), (c, d) = (parts(entry, known) for entry in pair)
        except ParameterError as error:
            return undecided("all real values", str(error))
        left, right = a + d, c + b
        symbols = {symbol for entry in pair for symbol in _symbols(entry)}
        met |= symbols
        if left != right:
            point = separating_point(left, right)
            point |= {symbol: Fraction(0) for symbol in symbols - point.keys()}
            first_value, second_value = (_value(entry, point) for entry in pair)
            if first_value == second_value:
                raise ArithmeticError(f"normal forms differ and the values at {point} do not")
            named = sorted(point, key=lambda symbol: symbol.sort_key())
            return refuted(
                f"all real values of {len(point)} variables",
                {
                    "output": place,
                    "x": {symbol: _plain(point[symbol]) for symbol in named},
                    "first": first_value,
                    "second": second_value,
                },
                "normal forms differ",
            )
    count = f"{one.size} output{'s have equal normal forms' if one.size != 1 else ' has one form'}"
    return proved(f"all real values of {len(met)} variables", count)


def _entries(name: str, value: Any) -> Any:
    """An object array of what can be taken apart."""
    try:
        array = np.asarray(value, dtype=object)
    except ValueError:
        raise ShapeError(f"{name} must be one function or a rectangular array of them") from None
    for entry in array.ravel():
        if not isinstance(entry, (MaxLinear, sympy.Expr, int, np.integer, Fraction)):
            raise ParameterTypeError(
                f"{name} must hold MaxLinear functions, SymPy expressions, integers or Fractions, "
                f"got {type(entry).__name__} {shown(entry)}"
            )
    return array


def _symbols(entry: Any) -> set[sympy.Symbol]:
    if isinstance(entry, MaxLinear):
        return set(entry.symbols)
    return set(entry.free_symbols) if isinstance(entry, sympy.Expr) else set()


def _value(entry: Any, point: dict[sympy.Symbol, Fraction]) -> Any:
    """The entry itself, not its normal form, run at a point."""
    if isinstance(entry, MaxLinear):
        return _plain(entry(point))
    if isinstance(entry, sympy.Expr):
        value = entry.xreplace({symbol: rational(number) for symbol, number in point.items()})
        return _plain(exact_number("value", value))
    return _plain(Fraction(entry))


def _plain(value: Fraction) -> Any:
    return int(value) if value.denominator == 1 else value


def separating_point(left: MaxLinear, right: MaxLinear) -> dict[sympy.Symbol, Fraction]:
    """A point at which two different functions differ: a small one where there is one.

    The candidates are 0, ±1 on one symbol and ±1 on two; else the plane that the linear program
    gives, its coordinates made 0 or whole while the functions still differ.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> separating_point(MaxLinear.of(sympy.Max(x, y)), MaxLinear.of(x))
    {x: Fraction(0, 1), y: Fraction(1, 1)}
    """
    symbols = sorted({*left.symbols, *right.symbols}, key=lambda symbol: symbol.sort_key())
    for candidate in _small_points(len(symbols)):
        point = dict(zip(symbols, candidate, strict=True))
        if left(point) != right(point):
            return point
    point = _from_program(left, right, symbols)
    for symbol in symbols:
        for simpler in (Fraction(0), Fraction(round(point[symbol]))):
            moved = {**point, symbol: simpler}
            if left(moved) != right(moved):
                point = moved
                break
    return point


def _small_points(n: int) -> Iterable[list[Fraction]]:
    zero = Fraction(0)
    yield [zero] * n
    signs = (Fraction(1), Fraction(-1))
    for count in (1, 2):
        if n**count > MAX_CANDIDATES:
            return
        for values in product(signs, repeat=count):
            for places in combinations(range(n), count):
                point = [zero] * n
                for place, value in zip(places, values, strict=True):
                    point[place] = value
                yield point


def _from_program(
    left: MaxLinear, right: MaxLinear, symbols: list[sympy.Symbol]
) -> dict[sympy.Symbol, Fraction]:
    """Where one form of one function lies above all forms of the other."""

    def place(form: Form) -> tuple[Fraction, ...]:
        held = dict(form.coefficients)
        return tuple(held.get(symbol, Fraction(0)) for symbol in symbols)

    for above, below in ((left, right), (right, left)):
        points = [place(form) for form in below.forms]
        heights = [form.constant for form in below.forms]
        for form in above.forms:
            height = hull_height(points, heights, place(form))
            if height.value is not None and height.value >= form.constant:
                continue
            step = Fraction(1)
            if height.value is None:
                # Far enough along the separating direction the form wins whatever the constants.
                reach = form(dict(zip(symbols, height.slope, strict=True))) - form.constant
                gap = -(reach + height.offset)
                step = max(max(heights) - form.constant, Fraction(0)) / gap + 1
            return {s: -step * value for s, value in zip(symbols, height.slope, strict=True)}
    raise ArithmeticError("two functions with different forms have no point between them")
