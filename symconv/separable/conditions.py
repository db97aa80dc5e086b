"""When a kernel with symbols is separable: the 2×2 minors, as few polynomials as say it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from itertools import combinations
from typing import Any

import sympy
from sympy.polys.polyerrors import BasePolynomialError

from symconv.errors import TooLargeError
from symconv.separable.arrays import ExactArray

__all__ = ["first_minor", "reduced_minors"]

#: Minors of one kernel that are looked at.
MAX_MINORS = 5000


def _minors(matrix: ExactArray) -> Iterator[tuple[tuple[int, int, int, int], Any]]:
    """((i, p, j, q), K[i,j]·K[p,q] − K[i,q]·K[p,j]) over all pairs of rows and columns."""
    rows = matrix.rows()
    pairs = list(combinations(range(len(rows[0])), 2))
    for i, p in combinations(range(len(rows)), 2):
        for j, q in pairs:
            yield (i, p, j, q), rows[i][j] * rows[p][q] - rows[i][q] * rows[p][j]


def first_minor(matrix: ExactArray) -> tuple[tuple[int, int, int, int], Any] | None:
    """The first 2×2 minor that is not 0, with its rows i < p and columns j < q.

    Examples
    --------
    >>> import numpy as np
    >>> first_minor(ExactArray(np.array([[1, 2], [2, 5]], dtype=object)))
    ((0, 1, 0, 1), 1)
    """
    rows = matrix.rows()
    # Rank 1 iff the minors with one non-zero entry vanish: find a pivot, then look at those.
    filled = ((i, j) for i, row in enumerate(rows) for j, entry in enumerate(row) if entry)
    pivot = next(filled, None)
    if pivot is None:
        return None
    i, j = pivot
    for p, row in enumerate(rows):
        for q, entry in enumerate(row):
            minor = rows[i][j] * entry - rows[i][q] * row[j]
            if minor:
                sign = 1 if (p > i) == (q > j) else -1
                places = (min(i, p), max(i, p), min(j, q), max(j, q))
                return places, sign * minor
    return None


def reduced_minors(array: ExactArray) -> tuple[Any, ...]:
    """Polynomials that vanish together exactly where every unfolding has rank at most 1.

    Numerators of the 2×2 minors without repeated factors, each once up to a constant, and none
    that another one divides; ``(1,)`` where one is a constant: then the rank is never 1.

    Examples
    --------
    >>> from symconv.separable.arrays import exact_array, checked_kernel
    >>> a, b = sympy.symbols("a b")
    >>> reduced_minors(exact_array("kernel", *checked_kernel("kernel", [[a, b], [b, a]])))
    (a**2 - b**2,)
    """
    axes = range(len(array.shape)) if len(array.shape) > 2 else range(1)
    matrices = [array.unfolding(axis) for axis in axes] if len(array.shape) > 1 else []
    counted = sum(_count(matrix.shape) for matrix in matrices)
    if array.domain is None or not array.is_symbolic:
        apart = any(first_minor(matrix) is not None for matrix in matrices)
        return (sympy.S.One,) if apart else ()
    if counted > MAX_MINORS:
        raise TooLargeError(
            f"kernel must have at most {MAX_MINORS} minors of size 2×2 for its condition, "
            f"got {counted}"
        )
    different = {minor.numer for matrix in matrices for _, minor in _minors(matrix) if minor}
    # In an order of their own, not that of a set, which changes from run to run.
    found = sorted({_normalised(minor) for minor in different}, key=_order)
    if any(polynomial.is_ground for polynomial in found):
        return (sympy.S.One,)
    # Those of smaller degree come first: one that divides another is among them.
    kept: list[tuple[int, Any]] = []
    for polynomial in found:
        degree = _degree(polynomial)
        if not any(_divides(one, polynomial) for least, one in kept if least < degree):
            kept.append((degree, polynomial))
    return tuple(polynomial.as_expr() for _, polynomial in kept)


def _degree(polynomial: Any) -> int:
    return max(map(sum, polynomial.itermonoms()))


def _order(polynomial: Any) -> tuple[Any, ...]:
    """By degree, then by length, then by the monomials, the earlier symbols first."""
    powers = sorted(tuple(-p for p in monomial) for monomial in polynomial.itermonoms())
    return _degree(polynomial), len(polynomial), powers, str(polynomial)


def _count(shape: tuple[int, ...]) -> int:
    m, n = shape
    return m * (m - 1) // 2 * (n * (n - 1) // 2)


def _normalised(polynomial: Any) -> Any:
    """Square-free, with coprime integer coefficients (or monic over QQ(α)), the first positive."""
    ring = polynomial.ring
    # SymPy's factors are dense in every generator of the ring: only those that occur are kept.
    degrees = polynomial.degrees()
    used = [s for s, n in zip(ring.symbols, degrees, strict=True) if n > 0]
    if not used:
        return ring.one
    # A repeated factor would make some degree 2. Several symbols over QQ(α) are left with theirs:
    # they vanish alike.
    with suppress(BasePolynomialError, NotImplementedError):
        if max(degrees) > 1:
            polynomial = polynomial.set_ring(ring.clone(symbols=used)).sqf_part().set_ring(ring)
    if not polynomial.ring.domain.is_QQ:
        return polynomial.monic()
    whole = polynomial.clear_denoms()[1].primitive()[1]
    return -whole if whole.LC < 0 else whole


def _divides(divisor: Any, polynomial: Any) -> bool:
    pairs = list(zip(divisor.degrees(), polynomial.degrees(), strict=True))
    # A divisor that is not the same up to a constant is of a smaller degree.
    smaller = all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)
    return smaller and not polynomial.rem([divisor])
