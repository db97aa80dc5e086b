"""Small dense matrices over exact domains: elimination and characteristic polynomials.

Beside `exact`, the only room that touches SymPy's domain matrices. Integers come and go as Python
ints; algebraic numbers and rational functions as elements of a SymPy domain, whose arithmetic is
canonical: two elements are equal iff they are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

import sympy
from sympy.polys.constructor import construct_domain
from sympy.polys.matrices import DomainMatrix
from sympy.polys.polyerrors import BasePolynomialError

from symconv.checks import shown
from symconv.errors import DTypeError, TooLargeError

__all__ = [
    "characteristic",
    "field_characteristic",
    "field_elements",
    "field_product",
    "field_rank",
    "field_rank_factors",
    "integer_rank",
    "specialised",
]

Rows = list[list[Any]]

#: Radicals that one kernel may join: the degree of their field is up to the product of theirs.
MAX_RADICALS = 4

#: Symbols of one kernel: every monomial holds an exponent for each of them.
MAX_SYMBOLS = 128


def _integer(rows: Rows) -> DomainMatrix:
    """Plain ints as elements of ZZ, whatever type SymPy's ground types give those."""
    converted = [[sympy.ZZ(int(entry)) for entry in row] for row in rows]
    return DomainMatrix(converted, (len(rows), len(rows[0])), sympy.ZZ)


def _ints(matrix: DomainMatrix) -> Rows:
    return [[int(entry) for entry in row] for row in matrix.to_ddm().to_list()]


def integer_rank(rows: Rows) -> int:
    """The rank over QQ, by fraction-free elimination.

    Examples
    --------
    >>> integer_rank([[1, 2], [2, 4]])
    1
    """
    return int(_integer(rows).rank())


def characteristic(rows: Rows) -> list[int]:
    """Coefficients of det(z·I − M) of a square integer matrix, the highest power first.

    Examples
    --------
    >>> characteristic([[2, 1], [1, 2]])
    [1, -4, 3]
    """
    return [int(coefficient) for coefficient in _integer(rows).charpoly()]


def field_elements(name: str, entries: Sequence[Any]) -> tuple[Any, list[Any]]:
    """The field that exact expressions live in, and the entries as its elements.

    QQ, a real algebraic field QQ(α), or the rational functions over one of them in the symbols.

    Parameters
    ----------
    name : str
        What messages call the entries.
    entries : sequence of int, Fraction or SymPy expressions

    Raises
    ------
    DTypeError
        If an entry is complex, or no rational function of its symbols with algebraic coefficients.
    TooLargeError
        If the entries hold more than `MAX_RADICALS` radicals or `MAX_SYMBOLS` symbols.

    Examples
    --------
    >>> field_elements("kernel", [sympy.sqrt(2), 1])[0]
    QQ<sqrt(2)>
    >>> field_elements("kernel", [sympy.Symbol("a") / 2, 1])[0]
    QQ(a)
    """
    expressions = [sympy.sympify(entry, strict=True) for entry in entries]
    symbols = sorted(set().union(*(e.free_symbols for e in expressions)), key=lambda s: s.name)
    if len({symbol.name for symbol in symbols}) < len(symbols):
        raise DTypeError(f"{name} must not hold two symbols of one name, got {shown(symbols)}")
    if len(symbols) > MAX_SYMBOLS:
        raise TooLargeError(
            f"{name} must hold at most {MAX_SYMBOLS} different symbols, got {len(symbols)}"
        )
    for symbol in symbols:
        if symbol.is_real is False:
            raise DTypeError(f"{name} must be real, got the symbol {symbol} declared otherwise")
    radicals = set().union(*(_radicals(e) for e in expressions))
    if len(radicals) > MAX_RADICALS:
        raise TooLargeError(
            f"{name} must hold at most {MAX_RADICALS} different radicals for exact arithmetic, "
            f"got {len(radicals)}; use symbols for them, or floats"
        )
    numbers: set[Any] = {sympy.S.One}
    for expression in expressions:
        numbers |= _coefficients(name, expression, symbols)
    field, _ = construct_domain(sorted(numbers, key=str), field=True, extension=True)
    if not (field.is_QQ or field.is_AlgebraicField):
        raise DTypeError(
            f"{name} must hold algebraic numbers, got others (in {field}); use a symbol for each"
        )
    if field.is_AlgebraicField and field.ext.as_expr().is_real is not True:
        raise DTypeError(f"{name} must be written with real radicals, got {field.ext.as_expr()}")
    domain = field.frac_field(*symbols) if symbols else field
    return domain, [domain.from_sympy(expression) for expression in expressions]


def _radicals(expression: Any) -> set[Any]:
    """The irrational numbers that an expression is written with."""
    powers = expression.atoms(sympy.Pow, sympy.polys.rootoftools.ComplexRootOf)
    return {power for power in powers if not power.free_symbols and not power.is_rational}


def _coefficients(name: str, expression: Any, symbols: list[Any]) -> set[Any]:
    """The numbers in the numerator and the denominator of a rational function."""
    found: set[Any] = set()
    try:
        for part in sympy.fraction(sympy.together(expression)):
            if symbols:
                found |= set(sympy.Poly(part, *symbols).coeffs())
            else:
                found.add(part)
    except BasePolynomialError:
        raise DTypeError(
            f"{name} must hold rational functions of its symbols, got {shown(expression)}"
        ) from None
    for number in found:
        if number.is_real is False or number.is_finite is False:
            raise DTypeError(f"{name} must be real, got {shown(expression)}")
        if number.is_algebraic is not True:
            raise DTypeError(
                f"{name} must hold algebraic numbers, got {shown(number)}; use a symbol for it"
            )
    return found


def field_rank(rows: Rows, domain: Any) -> int:
    """The rank of a matrix of domain elements.

    Examples
    --------
    >>> field_rank([[sympy.QQ(2), sympy.QQ(3)], [sympy.QQ(4), sympy.QQ(6)]], sympy.QQ)
    1
    """
    return int(DomainMatrix(rows, (len(rows), len(rows[0])), domain).rank())


def specialised(rows: Rows, domain: Any) -> tuple[Rows, Any]:
    """Rational functions at integers in place of their symbols, with the field of the values.

    Entries without symbols come back as they are. Where a denominator vanishes, other integers
    are taken.

    Examples
    --------
    >>> field, (a, b) = field_elements("kernel", sympy.symbols("a b"))
    >>> values, ground = specialised([[a, b]], field)
    >>> values == [[2, 3]], ground
    (True, QQ)
    """
    if not domain.is_FractionField:
        return rows, domain
    ground = domain.domain
    for start in count(2):
        values = [ground.convert(sympy.prime(start - 1 + at)) for at in range(len(domain.gens))]
        try:
            return [
                [_evaluated(e.numer, values) / _evaluated(e.denom, values) for e in row]
                for row in rows
            ], ground
        except ZeroDivisionError:
            continue
    raise AssertionError  # pragma: no cover - a polynomial vanishes at finitely many of them


def _evaluated(polynomial: Any, values: list[Any]) -> Any:
    """The value at a point, term by term: SymPy's own takes one generator after the other."""
    total = polynomial.ring.domain.zero
    for powers, coefficient in polynomial.terms():
        term = coefficient
        for value, power in zip(values, powers, strict=True):
            if power:
                term = term * value**power
        total = total + term
    return total


def field_rank_factors(rows: Rows, domain: Any) -> tuple[list[int], Rows]:
    """Pivot columns and the rows of the reduced echelon form: M = M[:, pivots]·rows.

    Examples
    --------
    >>> field_rank_factors([[sympy.QQ(2), sympy.QQ(3)], [sympy.QQ(4), sympy.QQ(6)]], sympy.QQ)[0]
    [0]
    """
    matrix = DomainMatrix(rows, (len(rows), len(rows[0])), domain)
    reduced, pivots = matrix.rref()
    return list(pivots), reduced.to_ddm().to_list()[: len(pivots)]


def field_product(first: Rows, second: Rows, domain: Any) -> Rows:
    """The product of two matrices of domain elements.

    Examples
    --------
    >>> field_product([[sympy.QQ(2)]], [[sympy.QQ(3)]], sympy.QQ) == [[sympy.QQ(6)]]
    True
    """
    shape = len(second), len(second[0])
    left = DomainMatrix(first, (len(first), shape[0]), domain)
    return list((left * DomainMatrix(second, shape, domain)).to_ddm().to_list())


def field_characteristic(rows: Rows, domain: Any) -> list[Any]:
    """Coefficients of det(z·I − M), the highest power first.

    Examples
    --------
    >>> field_characteristic([[sympy.QQ(2)]], sympy.QQ) == [sympy.QQ(1), sympy.QQ(-2)]
    True
    """
    return list(DomainMatrix(rows, (len(rows), len(rows)), domain).charpoly())
