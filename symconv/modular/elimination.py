"""Gaussian elimination modulo a word-sized prime, one front at a time.

Columns are eliminated in a given order. Only the *front* is held: the rows that have met an
eliminated column and the columns that they still read, a dense array. For the operator of an image
it is a few image rows wide, so that the cost grows like n·band² instead of n³. Residues are float64
integers in [−p/2, p/2]; with p < 2²³ a BLAS product of up to 512 terms is exact whatever its order.

References
----------
B. M. Irons (1970), A frontal solution program for finite element analysis, Int. J. Numer. Methods
Eng. 2. J.-G. Dumas, P. Giorgi, C. Pernet (2008), Dense linear algebra over word-size prime fields:
the FFLAS and FFPACK packages, ACM Trans. Math. Softw. 35.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.modular.integer_matrix import IntegerMatrix

__all__ = [
    "Elimination",
    "balanced",
    "dense_null",
    "dense_product",
    "dense_span",
    "eliminate",
    "prime_at",
    "primes",
]

Array = npt.NDArray[Any]

#: Columns eliminated together, and terms whose products are summed before they are reduced.
BLOCK = 64
TERMS = 256


@cache
def prime_at(number: int) -> int:
    """The primes below 2²³, the largest first: the same ones in every run.

    Examples
    --------
    >>> [prime_at(number) for number in range(3)]
    [8388593, 8388587, 8388581]
    """
    return int(sympy.prevprime(prime_at(number - 1) if number else 2**23))


def primes() -> Iterator[int]:
    """All of `prime_at`, one after the other."""
    number = 0
    while True:
        yield prime_at(number)
        number += 1


def balanced(array: Array, prime: int) -> Array:
    """Float integers reduced in place to about [−p/2, p/2]; zero exactly where p divides them."""
    quotient = array * (1.0 / prime)
    np.rint(quotient, out=quotient)
    quotient *= prime
    array -= quotient
    return array


@dataclass(frozen=True, eq=False)
class Block:
    """One step: every row of the front got a multiple of the pivot rows, which were then cleared.

    `change` (front rows × pivots) turns the pivot columns into an identity at the pivot rows and
    zeros elsewhere; `upper` is what the pivot rows read besides, at `columns`.
    """

    rows: Array
    pivot_rows: Array
    pivot_columns: Array
    change: Array
    upper: Array
    columns: Array


@dataclass(eq=False)
class Elimination:
    """The echelon form of a matrix modulo `prime`.

    Attributes
    ----------
    pivot_rows, pivot_columns : numpy.ndarray
        Row and column of each pivot, in the order of elimination. The submatrix at these is
        invertible modulo `prime`, and so over the rationals.
    pivot_product : int
        Product of the pivots modulo `prime`: the submatrix's determinant, its rows and columns
        taken in this order.
    blocks : list of Block
        The steps, where they were kept.
    """

    shape: tuple[int, int]
    prime: int
    pivot_rows: Array
    pivot_columns: Array
    pivot_product: int
    blocks: list[Block] = field(repr=False)

    @property
    def rank(self) -> int:
        """Rank modulo the prime: at most the rank over the rationals."""
        return len(self.pivot_rows)

    @property
    def free_columns(self) -> Array:
        """The columns without a pivot, ascending."""
        return np.setdiff1d(np.arange(self.shape[1]), self.pivot_columns)

    def is_consistent(self, right: Array) -> bool:
        """Whether A·x = right has a solution modulo p, for residues `right` (rows, k)."""
        left = np.ones(self.shape[0], dtype=bool)
        left[self.pivot_rows] = False
        return not np.any(self._forward(right)[left])

    def solve(self, right: Array) -> Array:
        """The x that is 0 at the free columns with (A·x)[pivot rows] = right[pivot rows], modulo p.

        Parameters
        ----------
        right : numpy.ndarray of float64, shape (rows, k)
            Residues. Only the pivot rows are read.
        """
        y = self._forward(right)
        x = np.zeros((self.shape[1], right.shape[1]))
        for block in reversed(self.blocks):
            known = y[block.pivot_rows]
            for start in range(0, len(block.columns), TERMS):
                part = slice(start, start + TERMS)
                known -= block.upper[:, part] @ x[block.columns[part]]
                balanced(known, self.prime)
            x[block.pivot_columns] = known
        return x

    def _forward(self, right: Array) -> Array:
        """The right side after every step; zero at the rows that depend on pivot rows alike."""
        y = np.array(right, dtype=np.float64)
        for block in self.blocks:
            pivots = y[block.pivot_rows]
            y[block.pivot_rows] = 0
            y[block.rows] = balanced(y[block.rows] + block.change @ pivots, self.prime)
        return y


@dataclass(eq=False)
class Front:
    """Rows under elimination, and the columns they read, ascending in the order of elimination."""

    rows: Array
    columns: Array
    values: Array

    def extended(self, rows: Array, lengths: Array, columns: Array, data: Array) -> Front:
        """The front with sparse rows added."""
        merged = np.union1d(self.columns, columns)
        values = np.zeros((len(self.rows) + len(rows), len(merged)))
        if len(self.columns):
            at = np.searchsorted(merged, self.columns)
            is_run = at[-1] - at[0] + 1 == len(at)
            # A run of columns is copied as a slice, several times faster.
            place: Any = slice(at[0], at[-1] + 1) if is_run else at
            values[: len(self.rows), place] = self.values
        row = np.repeat(np.arange(len(self.rows), len(values)), lengths)
        values[row, np.searchsorted(merged, columns)] = data
        return Front(np.concatenate([self.rows, rows]), merged, values)


def eliminate(
    matrix: IntegerMatrix, order: Array, prime: int, *, keep: bool = False
) -> Elimination:
    """Eliminate the columns of `matrix` in `order`, modulo `prime`.

    Parameters
    ----------
    matrix : IntegerMatrix
    order : numpy.ndarray
        The columns, the one to eliminate first at the start.
    prime : int
        Below 2²³.
    keep : bool
        Whether the steps are kept, for `Elimination.solve`.
    """
    rows, lengths, columns, data, first = _in_order(matrix, order, prime)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    front = Front(rows[:0], columns[:0], np.zeros((0, 0)))
    n_columns, taken, product = matrix.shape[1], 0, 1
    pivot_rows, pivot_columns, blocks = [rows[:0]], [order[:0]], []
    for start in range(0, n_columns, BLOCK):
        end = int(np.searchsorted(first, start + BLOCK))
        if end > taken:
            entries = slice(starts[taken], starts[end])
            front = front.extended(
                rows[taken:end], lengths[taken:end], columns[entries], data[entries]
            )
            taken = end
        width = int(np.searchsorted(front.columns, start + BLOCK))
        if not width:
            continue
        panel = np.ascontiguousarray(front.values[:, :width])
        at, pivots, factor = _pivots(panel, prime)
        product = product * factor % prime
        is_pivot = np.zeros(len(front.rows), dtype=bool)
        is_pivot[at] = True
        others = np.flatnonzero(~is_pivot)
        change = panel[:, pivots]
        before = front.values[at, width:]
        upper = balanced(change[at] @ before, prime)
        after = front.values[others, width:]
        after += change[others] @ before
        balanced(after, prime)
        place = order[front.columns]
        pivot_rows.append(front.rows[at])
        pivot_columns.append(place[pivots])
        if keep:
            free = np.setdiff1d(np.arange(width), pivots)
            blocks.append(
                Block(
                    front.rows,
                    front.rows[at],
                    place[pivots],
                    change.astype(np.float32),
                    np.hstack([panel[np.ix_(at, free)], upper]).astype(np.float32),
                    np.concatenate([place[free], place[width:]]),
                )
            )
        # Rows that vanished depend on the pivot rows.
        alive = after.any(axis=1)
        if not alive.all():
            after, others = after[alive], others[alive]
        remaining = front.columns[width:] if len(others) else front.columns[:0]
        front = Front(front.rows[others], remaining, after[:, : len(remaining)])
    return Elimination(
        matrix.shape,
        prime,
        np.concatenate(pivot_rows),
        np.concatenate(pivot_columns),
        product,
        blocks,
    )


def _in_order(
    matrix: IntegerMatrix, order: Array, prime: int
) -> tuple[Array, Array, Array, Array, Array]:
    """Rows that are not empty by the first column they read, with their entries modulo `prime`.

    Columns are numbered in the order of elimination; the last array is each row's first one.
    """
    place = np.empty(matrix.shape[1], dtype=np.int64)
    place[order] = np.arange(len(order))
    lengths = np.diff(matrix.indptr)
    filled = np.flatnonzero(lengths)
    columns = place[matrix.indices]
    first = np.minimum.reduceat(columns, matrix.indptr[filled]) if len(filled) else filled
    by_first = np.argsort(first, kind="stable")
    rows, first = filled[by_first], first[by_first]
    lengths = lengths[rows]
    ends = np.cumsum(lengths)
    entry = np.arange(len(columns)) + np.repeat(matrix.indptr[rows] - ends + lengths, lengths)
    return rows, lengths, columns[entry], matrix.residues(prime)[entry], first


def _pivots(panel: Array, prime: int) -> tuple[Array, Array, int]:
    """Gauss–Jordan elimination of a panel in place: pivot rows, pivot columns, their product.

    Column j of a pivot ends as what the pivot's row is to be multiplied by and added to every
    row; columns without a pivot end as what is left of them.
    """
    n_rows, width = panel.shape
    is_open = np.ones(n_rows, dtype=bool)
    rows, columns, product = [], [], 1
    for column in range(width):
        values = panel[:, column]
        candidates = np.flatnonzero((values != 0) & is_open)
        if not candidates.size:
            continue
        row = int(candidates[0])
        is_open[row] = False
        rows.append(row)
        columns.append(column)
        pivot = int(values[row])
        product = product * pivot % prime
        inverse = pow(pivot, -1, prime)
        scaled = balanced(panel[row] * float(inverse), prime)
        scaled[column] = inverse - prime if 2 * inverse > prime else inverse
        factor = values.copy()
        factor[row] = 0
        panel[:, column] = 0
        panel[row] = scaled
        panel -= factor[:, None] * scaled
        balanced(panel, prime)
    return np.array(rows, dtype=np.int64), np.array(columns, dtype=np.int64), product


def dense_product(first: Array, second: Array, prime: int) -> Array:
    """The product of two dense matrices of residues, as residues.

    Examples
    --------
    >>> dense_product(np.array([[2.0, 3.0]]), np.array([[3.0], [5.0]]), 7)
    array([[0.]])
    """
    total = np.zeros((len(first), second.shape[1]))
    for start in range(0, len(second), TERMS):
        part = slice(start, start + TERMS)
        total += first[:, part] @ second[part]
        balanced(total, prime)
    return total


def dense_null(matrix: Array, prime: int) -> Array:
    """A basis of the null space modulo `prime`, as columns with an identity at the free places.

    Examples
    --------
    >>> dense_null(np.array([[1.0, 2.0, 3.0]]), 7)
    array([[-2., -3.],
           [ 1.,  0.],
           [ 0.,  1.]])
    """
    panel = np.array(matrix, dtype=np.float64)
    rows, columns, _ = _pivots(panel, prime)
    free = np.setdiff1d(np.arange(panel.shape[1]), columns)
    basis = np.zeros((panel.shape[1], len(free)))
    basis[columns] = -panel[np.ix_(rows, free)]
    basis[free, np.arange(len(free))] = 1
    return basis


def dense_span(columns: Array, prime: int) -> Array:
    """As many of the columns as are independent modulo `prime`: a basis of their span.

    Examples
    --------
    >>> dense_span(np.array([[1.0, 8.0, 0.0], [0.0, 7.0, 1.0]]), 7)
    array([[1., 0.],
           [0., 1.]])
    """
    return np.asarray(columns[:, _pivots(np.array(columns, dtype=np.float64), prime)[1]])
