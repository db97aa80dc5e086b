"""Linear systems over the rationals: solutions, least squares, minimum norm, determinants."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.modular.elimination import Elimination, primes
from symconv.modular.integer_matrix import IntegerMatrix, residues
from symconv.modular.lifting import lifted
from symconv.modular.ranks import WAY_OUT, eliminated

__all__ = ["Rationals", "determinant_of", "pseudo_solution", "regularized", "solution"]

Array = npt.NDArray[Any]

#: Numerators (n, k) and a positive denominator per column.
Rationals = tuple[Array, list[int]]


def solution(
    matrix: IntegerMatrix, shape: tuple[int, ...], right: Array
) -> tuple[Rationals, bool] | None:
    """A verified solution of A·x = right, and whether it is proved to be the only one.

    None where the system has none modulo the first prime: almost always it has none at all.
    """
    matrix = matrix.without_zeros()
    prime = next(primes())
    elimination = eliminated(matrix, shape, prime, keep=True)
    if not elimination.is_consistent(residues(right, prime)):
        return None
    found = _verified(matrix, elimination, right)
    # Independent columns modulo a prime are independent.
    return None if found is None else (found, elimination.rank == matrix.shape[1])


def _verified(matrix: IntegerMatrix, elimination: Elimination, right: Array) -> Rationals | None:
    for numerators, denominators in lifted(matrix, elimination, right, way_out=WAY_OUT):
        if not np.any(_difference(matrix @ numerators, right, denominators)):
            return numerators, denominators
    return None


def _difference(left: Array, right: Array, denominators: list[int]) -> Array:
    """``left − right·denominators`` in Python integers."""
    scale = np.array(denominators, dtype=object)
    return np.asarray(left.astype(object) - right.astype(object) * scale)


def _consistent(matrix: IntegerMatrix, shape: tuple[int, ...], right: Array) -> Rationals:
    """A solution of a system that is known to have one."""
    for prime in primes():
        found = _verified(matrix, eliminated(matrix, shape, prime, keep=True), right)
        if found is not None:
            return found
    raise AssertionError


def pseudo_solution(
    matrix: IntegerMatrix, shape: tuple[int, ...], row_shape: tuple[int, ...], right: Array
) -> Rationals:
    """The x of least norm among those that minimise ‖A·x − right‖.

    Proved by what it satisfies: Aᵀ(A·x − right) = 0, and x = Aᵀ·w for some w.

    References
    ----------
    R. Penrose (1956), On best approximate solutions of linear matrix equations, Proc. Cambridge
    Philos. Soc. 52.
    """
    direct = solution(matrix, shape, right)
    if direct is not None and direct[1]:
        return direct[0]
    image, scale = right, [1] * right.shape[1]
    if direct is None:
        normal = matrix.T.times(matrix)
        nearest, scale = _consistent(normal, shape, matrix.T @ right)
        if eliminated(matrix, shape, next(primes()), keep=False).rank == matrix.shape[1]:
            return nearest, scale
        image = matrix @ nearest
    # The same image, from the span of the rows.
    numerators, denominators = _consistent(matrix.times(matrix.T), row_shape, image)
    return reduced(matrix.T @ numerators, [a * b for a, b in zip(denominators, scale, strict=True)])


def regularized(
    matrix: IntegerMatrix,
    shape: tuple[int, ...],
    right: Array,
    denominator: int,
    regularization: Fraction,
) -> Rationals:
    """The only x with (AᵀA + λ)·x = Aᵀ·right for A = matrix/denominator and λ > 0."""
    # Times q·d²: (q·NᵀN + p·d²)·x = q·d·Nᵀ·right with λ = p/q.
    p, q = regularization.numerator, regularization.denominator
    normal = matrix.T.times(matrix).scaled(q).plus_identity(p * denominator**2)
    projected = (matrix.T @ right).astype(object) * (q * denominator)
    return _consistent(normal, shape, projected)


def reduced(numerators: Array, denominators: list[int]) -> Rationals:
    """The same numbers with coprime columns."""
    common = [
        math.gcd(denominator, *map(int, column))
        for denominator, column in zip(denominators, numerators.T, strict=True)
    ]
    least = [below // factor for below, factor in zip(denominators, common, strict=True)]
    return numerators // np.array(common, dtype=object), least


def determinant_of(matrix: IntegerMatrix, shape: tuple[int, ...]) -> int:
    """The determinant of a square matrix, from its residues modulo enough primes.

    Their product exceeds twice Hadamard's bound, so that one integer fits them all.
    """
    matrix = matrix.without_zeros()
    bits = min(float(side.log2_norms().sum()) for side in (matrix, matrix.T))
    value, modulus = 0, 1
    for prime in primes():
        if modulus.bit_length() - 1 > bits + 2:
            return value - modulus if 2 * value > modulus else value
        elimination = eliminated(matrix, shape, prime, keep=False)
        residue = 0
        if elimination.rank == matrix.shape[0]:
            sign = _sign(elimination.pivot_rows, elimination.pivot_columns)
            residue = sign * elimination.pivot_product
        value += modulus * ((residue - value) * pow(modulus, -1, prime) % prime)
        modulus *= prime
    raise AssertionError


def _sign(rows: Array, columns: Array) -> int:
    """Sign of the permutation that takes each pivot's row to its column."""
    target = np.empty(len(rows), dtype=np.int64)
    target[rows] = columns
    # Its cycles, as the connected parts of the graph row → column.
    smallest = np.arange(len(target))
    step = target
    while True:
        lower = np.minimum(smallest, smallest[step])
        step = step[step]
        if np.array_equal(lower, smallest):
            break
        smallest = lower
    return -1 if (len(target) - len(np.unique(smallest))) % 2 else 1
