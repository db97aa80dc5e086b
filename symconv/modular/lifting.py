"""Rational solutions from solutions modulo a prime: digits, then fractions, then proof.

A solution modulo p is lifted digit by digit to one modulo pᵏ, from which the fractions are read
as soon as they are small enough. Whoever asks proves them by putting them in: nothing here needs
to be believed.

References
----------
J. D. Dixon (1982), Exact solution of linear equations using p-adic expansions, Numer. Math. 40.
P. S. Wang, M. J. T. Guy, J. H. Davenport (1982), p-adic reconstruction of rational numbers,
SIGSAM Bulletin 16.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import magnitude
from symconv.memory import require
from symconv.modular.elimination import Elimination
from symconv.modular.integer_matrix import IntegerMatrix, compact, residues

__all__ = ["fraction", "lifted", "most_digits", "rational_columns"]

Array = npt.NDArray[Any]


def lifted(
    matrix: IntegerMatrix,
    elimination: Elimination,
    right: Array,
    *,
    least: int = 1,
    most: int | None = None,
    way_out: str = "use a smaller input",
) -> Iterator[tuple[Array, list[int]]]:
    """Candidates for the x with ``A·x = right`` at the pivot rows and 0 at the free columns.

    Yields integer numerators (columns, k) and one positive denominator per column, after 1, 2,
    4 … digits as far as fractions could be read from them. The last candidate is the solution,
    unless `most` stops the lifting earlier.
    """
    prime, pivots = elimination.prime, elimination.pivot_rows
    part = matrix.at_rows(pivots)
    bound = most_digits(part, right[pivots], prime)
    limit = bound if most is None else min(most, bound)
    residual = right[pivots]
    scattered = np.zeros((matrix.shape[0], right.shape[1]))
    digits: list[Array] = []
    target = min(least, limit)
    while True:
        require(
            (prime.bit_length() // 8 + 1) * 4 * target * matrix.shape[1] * right.shape[1],
            f"the exact solution with up to {target * prime.bit_length()} binary digits in each "
            f"of {matrix.shape[1] * right.shape[1]} numbers",
            way_out,
        )
        while len(digits) < target:
            scattered[pivots] = residues(residual, prime)
            digit = elimination.solve(scattered).astype(np.int64)
            digits.append(digit)
            residual = _less(residual, part @ digit) // prime
        values, modulus = _combined(digits, prime)
        found = rational_columns(values, modulus)
        if found is not None:
            yield found
        if target >= limit:
            return
        target = min(2 * target, limit)


def _less(first: Array, second: Array) -> Array:
    """``first − second``, widened where int64 might not hold it, narrowed where it does."""
    if object not in (first.dtype, second.dtype) and magnitude(first) + magnitude(second) < 2**63:
        return np.asarray(first.astype(np.int64) - second)
    return compact(first.astype(object) - second.astype(object))


def most_digits(part: IntegerMatrix, right: Array, prime: int) -> int:
    """Digits from which numerators and denominators can be read, whatever they are.

    By Cramer's rule they are determinants, and by Hadamard's inequality no larger than the
    product of the rows' norms.
    """
    rows = np.maximum(part.log2_norms(), 0)
    largest = np.abs(right).max(axis=1, initial=0) if right.size else np.zeros(len(rows))
    ours = np.array([int(value).bit_length() for value in largest.tolist()], dtype=float)
    # √(a² + b²) ≤ √2·max(a, b) for the row with an entry of the right side in it.
    bits = float(rows.sum() + (np.maximum(rows, ours) + 0.5).sum())
    return math.ceil((bits + 3) / (prime.bit_length() - 1)) + 1


def _combined(digits: list[Array], prime: int) -> tuple[Array, int]:
    """Σ digit_i·pⁱ, halves first so that large numbers are few, and the modulus p^len."""
    parts, base = list(digits), prime
    while len(parts) > 1:
        if base * base >= 2**62 and parts[0].dtype != object:
            parts = [part.astype(object) for part in parts]
        pairs = [low + high * base for low, high in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + ([parts[-1]] if len(parts) % 2 else [])
        base *= base
    return parts[0], prime ** len(digits)


def rational_columns(values: Array, modulus: int) -> tuple[Array, list[int]] | None:
    """Numerators and a denominator per column, equal to `values` modulo `modulus`; None if none.

    Numerators and denominators are at most √(modulus/2), so that there is one answer at most.

    Examples
    --------
    >>> third = pow(3, -1, 10007)
    >>> rational_columns(np.array([[2 * third % 10007], [5]]), 10007)
    (array([[ 2],
           [15]]), [3])
    """
    bound = math.isqrt((modulus - 1) // 2)
    if 2 * modulus >= 2**63:
        values = values.astype(object)
    values = _centred(values, modulus)
    if magnitude(values) <= bound:
        return compact(values), [1] * values.shape[1]
    columns, denominators = [], []
    for column in values.T:
        found = _rational_column(column, modulus, bound)
        if found is None:
            return None
        columns.append(found[0])
        denominators.append(found[1])
    return compact(np.stack(columns, axis=1)), denominators


def _rational_column(column: Array, modulus: int, bound: int) -> tuple[Array, int] | None:
    denominator = 1
    # Most entries have the same denominator: once it is known the others need no Euclid.
    while True:
        large = np.flatnonzero(np.abs(column) > bound)
        if not len(large):
            common = math.gcd(denominator, int(np.gcd.reduce(column)))
            return column // common, denominator // common
        found = fraction(int(column[large[0]]), modulus, bound, bound // denominator)
        if found is None:
            return None
        denominator *= found[1]
        column = _centred(column.astype(object) * found[1], modulus)


def _centred(values: Array, modulus: int) -> Array:
    """Residues in −M/2 … M/2."""
    values = values % modulus
    return np.asarray(np.where(2 * values > modulus, values - modulus, values))


def fraction(value: int, modulus: int, largest: int, divisor: int) -> tuple[int, int] | None:
    """(a, b) with a ≡ value·b modulo `modulus`, |a| <= largest, 0 < b <= divisor; None if none.

    Examples
    --------
    >>> fraction(2 * pow(3, -1, 10007), 10007, 70, 70)
    (2, 3)
    """
    before, now = modulus, value % modulus
    factor_before, factor = 0, 1
    while now > largest:
        quotient = before // now
        before, now = now, before - quotient * now
        factor_before, factor = factor, factor_before - quotient * factor
    if factor < 0:
        now, factor = -now, -factor
    if factor > divisor or math.gcd(now, factor) != 1:
        return None
    return now, factor
