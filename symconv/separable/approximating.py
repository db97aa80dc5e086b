"""The best approximation of a kernel by a given number of separable ones, with its exact error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from symconv.checks import concrete, integer
from symconv.errors import ParameterError, ShapeError
from symconv.separable.arrays import checked_kernel, exact_array
from symconv.separable.floating import distance_squared, float_matrix
from symconv.separable.separation import Separation
from symconv.separable.singular import SingularValue
from symconv.separable.splitting import Term, float_terms

__all__ = ["Approximation", "best_approximation"]


@dataclass(frozen=True)
class Approximation:
    """Separable kernels near a kernel, and how near any of that number can be.

    Attributes
    ----------
    rank : int
        The number of separable kernels allowed.
    terms : tuple of (column, row)
        Exact where they sum to the kernel; else doubles close to the best ones.
    is_exact : bool
        Whether the terms sum to the kernel.
    error_squared : (Fraction, Fraction)
        The least possible ‖K − X‖² (Frobenius) over all X of that rank lies between these, proved.
    exact_error_squared : SymPy expression or None
        The same in closed form, where the singular values have one.
    residual_squared : Fraction
        ‖K − Σ terms‖² of the terms given, computed exactly.
    is_unique : bool or None
        Whether only one X attains it: σ at the rank and the next differ. None if not decided.

    Examples
    --------
    >>> near = best_approximation([[2, 0], [0, 1]], 1)
    >>> near.exact_error_squared, near.terms, near.is_unique
    (1, (((2.0, 0.0), (1.0, 0.0)),), True)
    """

    rank: int
    terms: tuple[Term, ...]
    is_exact: bool
    error_squared: tuple[Fraction, Fraction]
    exact_error_squared: Any
    residual_squared: Fraction
    is_unique: bool | None


def best_approximation(kernel: Any, rank: int) -> Approximation:
    """The nearest kernel that is a sum of so many separable ones (Eckart and Young).

    Its squared error is the sum of the squares of the other singular values: in closed form or
    enclosed. The terms themselves are irrational as a rule; they are given in doubles, with their
    own error computed exactly.

    Parameters
    ----------
    kernel : array_like with two axes
        Numbers as in `separate`; floats stand for their exact binary values.
    rank : int
        From 0 to the shorter side.

    Raises
    ------
    ParameterError
        If the rank is above the shorter side, or the kernel holds symbols or radicals.
    ShapeError
        If the kernel has not two axes.

    Examples
    --------
    >>> laplacian = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]
    >>> best_approximation(laplacian, 1).exact_error_squared
    10 - 4*sqrt(6)

    References
    ----------
    C. Eckart, G. Young, *The approximation of one matrix by another of lower rank*, Psychometrika
    1 (1936).
    """
    array, algebra = checked_kernel("kernel", kernel)
    if array.ndim != 2:
        raise ShapeError(f"kernel must have 2 axes, got shape {array.shape}")
    number = concrete("rank", integer("rank", rank, 0))
    if number > min(array.shape):
        raise ParameterError(
            f"rank must be at most the shorter side {min(array.shape)}, got {number}"
        )
    numbers = exact_array("kernel", array, algebra)
    if numbers.domain is not None:
        raise ParameterError(
            "kernel must hold integers, Fractions or floats to be approximated, got symbols or "
            "radicals; substitute numbers"
        )
    whole = Separation.exactly(array, numbers)
    if number >= len(whole.terms):
        nothing = Fraction(0), Fraction(0)
        return Approximation(number, whole.terms, True, nothing, sympy.S.Zero, nothing[0], True)
    values = whole.singular_values
    kept, left, unique = _parted(values, number)
    low, high = (
        sum((Fraction(getattr(value, end)) ** 2 * times for value, times in left), Fraction(0))
        for end in ("lower", "upper")
    )
    total = numbers.sum_of_squares()
    closed = _closed(kept, left, total)
    if closed is not None and closed.is_Rational:
        low = high = Fraction(int(closed.p), int(closed.q))
    if not number:
        return Approximation(0, (), False, (total, total), _rational(total), total, True)
    scaled, exponent = float_matrix(numbers)
    # LAPACK on entries near 1; powers of two are put back exactly.
    found = float_terms(scaled, number, 0.0)
    with np.errstate(over="ignore"):
        terms = tuple(
            (tuple(np.ldexp(np.array(column), exponent).tolist()), row) for column, row in found
        )
    if not all(np.isfinite(column).all() for column, _ in terms):
        raise ParameterError("kernel must have entries that doubles hold, got larger ones")
    residual = distance_squared(numbers, terms)
    return Approximation(number, terms, False, (low, high), closed, residual, unique)


Counted = list[tuple[SingularValue, int]]


def _parted(values: Sequence[SingularValue], number: int) -> tuple[Counted, Counted, bool | None]:
    """The largest `number` values, the others, and whether the two differ at the cut."""
    kept, left, room = [], [], number
    for value in values:
        times = value.multiplicity or 1
        taken = min(room, times)
        room -= taken
        if taken:
            kept.append((value, taken))
        if times > taken:
            left.append((value, times - taken))
    if not kept or not left:
        return kept, left, True
    last, first = kept[-1][0], left[0][0]
    if last is first:
        return kept, left, False
    if last.multiplicity is None:
        apart = Fraction(last.lower or 0) > Fraction(first.upper or 0)
        return kept, left, True if apart else None
    return kept, left, True


def _closed(kept: Counted, left: Counted, total: Fraction) -> Any:
    """Σσ² over the values left out, from them or from the others and Σk²."""
    if all(value.square is not None for value, _ in left):
        return sympy.expand(sympy.Add(*(times * value.square for value, times in left)))
    if all(value.square is not None for value, _ in kept):
        others = sympy.Add(*(times * value.square for value, times in kept))
        return sympy.expand(_rational(total) - others)
    return None


def _rational(value: Fraction) -> Any:
    return sympy.Rational(value.numerator, value.denominator)
