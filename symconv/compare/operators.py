"""Where two operators differ, exactly: entries compared as canonical forms, for all values."""

from __future__ import annotations

from typing import Any

import sympy

from symconv.bound import BoundOperator
from symconv.errors import ParameterTypeError
from symconv.operator import Operator
from symconv.verdict import Verdict, proved, refuted, undecided

__all__ = ["same_operator"]


def same_operator(first: Any, second: Any) -> Verdict:
    """Whether two operators are the same matrix for all values of their weights.

    Parameters
    ----------
    first, second : Operator, BoundOperator or SymPy matrix
        Entries must be polynomials in their symbols with rational coefficients; equal symbols
        mean equal weights.

    Returns
    -------
    Verdict
        PROVED when the shapes and every entry agree as polynomials. REFUTED with the first
        differing (row, column) in row order and both entries, or with the shapes. UNDECIDED when
        an entry that differs is no polynomial, since those have no canonical form here.

    Examples
    --------
    >>> import symconv as sc
    >>> conv = sc.Conv1d(1, 1, 3, stride=2, bias=False).operator((5,))
    >>> layer = sc.ConvTranspose1d(1, 1, 3, stride=2, bias=False)
    >>> print(same_operator(layer.operator((2,)), conv.T))
    PROVED (all values at 5×2): 6 entries agree as polynomials
    >>> print(same_operator(layer.operator((2,)), conv))
    REFUTED (all values at 5×2): shapes differ; counterexample {'first': (5, 2), 'second': (2, 5)}
    """
    a, b = _matrix("first", first), _matrix("second", second)
    scope = f"all values at {a.shape[0]}×{a.shape[1]}"
    if a.shape != b.shape:
        return refuted(scope, {"first": a.shape, "second": b.shape}, "shapes differ")
    left, right = a.todok(), b.todok()
    doubtful = None
    for place in sorted(left.keys() | right.keys()):
        one, other = left.get(place, sympy.S.Zero), right.get(place, sympy.S.Zero)
        if one == other and not one.has(sympy.nan):
            continue
        difference = _canonical(one - other)
        if difference is None:
            doubtful = doubtful or (place, one, other)
        elif difference != 0:
            row, column = place
            case = {"row": row, "column": column, "first": one, "second": other}
            return refuted(scope, case, "entries differ")
    if doubtful is not None:
        place, one, other = doubtful
        return undecided(scope, f"entries {one} and {other} at {place} are not polynomials")
    return proved(scope, f"{len(left)} entries agree as polynomials")


def _canonical(difference: Any) -> Any:
    """The expanded difference if it is a polynomial with rational coefficients, else None."""
    expanded = sympy.expand(difference)
    symbols = sorted(expanded.free_symbols, key=str)
    if not expanded.is_polynomial(*symbols):
        return None
    parts = expanded.as_coefficients_dict(*symbols) if symbols else {sympy.S.One: expanded}
    return expanded if all(part.is_Rational for part in parts.values()) else None


def _matrix(name: str, value: Any) -> Any:
    if isinstance(value, (Operator, BoundOperator)):
        return value.exact()
    if isinstance(value, sympy.MatrixBase):
        return sympy.ImmutableSparseMatrix(value)
    raise ParameterTypeError(
        f"{name} must be an Operator, a BoundOperator or a SymPy matrix, got {type(value).__name__}"
    )
