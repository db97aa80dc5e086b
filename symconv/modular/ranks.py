"""The rank of an integer matrix, proved from both sides.

Below: the rank modulo a prime. Above: the number of rows or columns that are not zero, the largest
matching of rows with columns, null vectors that were multiplied out over the integers, or, where
these are too long, enough primes: a minor larger than the rank would be divisible by all of them
and is smaller than their product.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.sparse.csgraph import structural_rank

from symconv.errors import TooLargeError
from symconv.memory import require
from symconv.modular.elimination import Elimination, eliminate, prime_at, primes
from symconv.modular.integer_matrix import IntegerMatrix
from symconv.modular.lifting import lifted
from symconv.modular.ordering import plan

__all__ = ["RankProof", "column_basis", "eliminated", "matching", "null_vectors", "prove_rank"]

Array = npt.NDArray[Any]

#: Digits of null vectors after which the rank is proved otherwise; more where they are few.
FEW_DIGITS = 2
MANY_DIGITS = 16
FEW_NUMBERS = 2**16

#: Multiplications of one elimination that are attempted: about an hour.
MOST_WORK = 10**14

WAY_OUT = 'use a smaller input or fewer channels, or deconvolve(..., method="lsqr")'


@dataclass(frozen=True)
class RankProof:
    """A rank and what proves it.

    Attributes
    ----------
    rank : int
    reason : str
        The bound from below and the one from above, in words.
    """

    rank: int
    reason: str


def eliminated(
    matrix: IntegerMatrix, shape: tuple[int, ...], prime: int, *, keep: bool
) -> Elimination:
    """`matrix`, whose columns index arrays of `shape`, eliminated in a good order."""
    chosen = plan(matrix, shape)
    rows, columns = matrix.shape
    if chosen.work > MOST_WORK:
        raise TooLargeError(
            f"the elimination of the {rows}×{columns} matrix would take about {chosen.work:.1e} "
            f"multiplications, above the limit of {MOST_WORK:.0e}; {WAY_OUT}"
        )
    held = 24 * chosen.front + (4 * chosen.kept if keep else 0)
    require(held, f"the elimination of the {rows}×{columns} matrix", WAY_OUT)
    return eliminate(matrix, chosen.order, prime, keep=keep)


def prove_rank(
    matrix: IntegerMatrix, shape: tuple[int, ...], row_shape: tuple[int, ...]
) -> RankProof:
    """The rank of a matrix whose columns index arrays of `shape` and whose rows `row_shape`."""
    matrix = matrix.without_zeros()
    rows, columns = _filled(matrix)
    prime = prime_at(0)
    rank = eliminated(matrix, shape, prime, keep=False).rank
    below = f"rank {rank} modulo {prime}"
    if rank == min(rows, columns):
        return RankProof(rank, f"{below}, and {_full(rank, columns)}")
    if rank == matching(matrix):
        return RankProof(rank, f"{below}, and the pattern allows no more")
    # The shorter of the two null spaces first; either may have short vectors where the other's
    # are long. Long ones are worth their digits only where they are few.
    sides = [(matrix, shape, ""), (matrix.T, row_shape, "left ")][:: -1 if rows < columns else 1]
    for turned, turned_shape, side in sides:
        elimination = eliminated(turned, turned_shape, prime, keep=True)
        free = np.setdiff1d(np.unique(turned.indices), elimination.pivot_columns)
        most = MANY_DIGITS if len(free) * turned.shape[1] <= FEW_NUMBERS else FEW_DIGITS
        if _null(turned, elimination, free, most) is not None:
            vectors = f"{len(free)} {side}null vector{'s' * (len(free) > 1)}"
            return RankProof(rank, f"{below}, and {vectors} verified over the integers")
    return _by_primes(matrix, shape, rank)


def _filled(matrix: IntegerMatrix) -> tuple[int, int]:
    """Rows and columns that are not zero."""
    return int(np.count_nonzero(np.diff(matrix.indptr))), len(np.unique(matrix.indices))


def _full(rank: int, columns: int) -> str:
    return f"no more {'columns' if rank == columns else 'rows'} have entries"


def matching(matrix: IntegerMatrix) -> int:
    """Rank of the pattern: the most entries of which no two share a row or a column."""
    pattern = (np.ones(len(matrix.indices), dtype=bool), matrix.indices, matrix.indptr)
    return int(structural_rank(scipy.sparse.csr_array(pattern, shape=matrix.shape)))


def _by_primes(matrix: IntegerMatrix, shape: tuple[int, ...], rank: int) -> RankProof:
    """Eliminate modulo primes until their product exceeds every larger minor."""
    chosen = plan(matrix, shape)
    rows, columns = _filled(matrix)
    totals = [
        np.cumsum(np.sort(side.log2_norms()[np.diff(side.indptr) > 0])[::-1])
        for side in (matrix, matrix.T)
    ]
    bits, count = 0.0, 0
    for prime in primes():
        count += 1
        rank = max(rank, eliminate(matrix, chosen.order, prime).rank)
        bits += math.log2(prime) - 2.0**-20
        if rank == min(rows, columns):
            return RankProof(rank, f"rank {rank} modulo {prime}, and {_full(rank, columns)}")
        # Hadamard: a minor with rank+1 rows is at most the product of the largest norms.
        if bits > min(total[rank] for total in totals) + 1:
            break
    return RankProof(
        rank,
        f"rank {rank} modulo one of {count} primes and no more modulo any, and their product "
        f"exceeds every minor with {rank + 1} rows (Hadamard's inequality)",
    )


def _null(
    matrix: IntegerMatrix, elimination: Elimination, free: Array, most: int | None
) -> Array | None:
    """Primitive integer null vectors (columns, len(free)), one per free column, or None."""
    if not len(free):
        return np.zeros((matrix.shape[1], 0), dtype=np.int64)
    right = -matrix.columns(free)
    for numerators, denominators in lifted(matrix, elimination, right, most=most, way_out=WAY_OUT):
        vectors = numerators.astype(object) if max(denominators) >= 2**63 else numerators
        vectors[free, np.arange(len(free))] = denominators
        if not np.any(matrix @ vectors):
            return vectors
    return None


def column_basis(matrix: IntegerMatrix) -> tuple[Array, Array, Array]:
    """Independent columns of a matrix, its other columns, and how these depend on them.

    Returns
    -------
    basis, others : numpy.ndarray
        Column numbers, ascending.
    vectors : numpy.ndarray, shape (columns, len(others))
        Primitive integer null vectors, verified: each has one of `others` in it and no other.

    Examples
    --------
    >>> basis, others, vectors = column_basis(IntegerMatrix.of(np.array([[2, 3], [4, 6]])))
    >>> basis.tolist(), others.tolist(), vectors.ravel().tolist()
    ([0], [1], [-3, 2])
    """
    matrix = matrix.without_zeros()
    for prime in primes():
        elimination = eliminated(matrix, matrix.shape[1:], prime, keep=True)
        others = elimination.free_columns
        vectors = _null(matrix, elimination, others, None)
        if vectors is not None:
            return np.sort(elimination.pivot_columns), others, vectors
    raise AssertionError


def null_vectors(matrix: IntegerMatrix, shape: tuple[int, ...], most: int | None = None) -> Array:
    """Independent null vectors as primitive integer columns: all, or `most` if there are more.

    Every vector was multiplied out, and each has an entry where the others have zeros. That there
    are no more is what the rank modulo the prime proves.
    """
    matrix = matrix.without_zeros()
    for prime in primes():
        elimination = eliminated(matrix, shape, prime, keep=True)
        vectors = _null(matrix, elimination, elimination.free_columns[:most], None)
        if vectors is not None:
            return vectors
    raise AssertionError
