"""Sparse integer matrices of any size of entry, multiplied exactly."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from symconv.algebras import magnitude

__all__ = ["IntegerMatrix", "compact", "residues"]

Array = npt.NDArray[Any]

#: Python integers that one product holds.
HELD = 2**22


@dataclass(frozen=True, eq=False)
class IntegerMatrix:
    """A CSR matrix over ZZ: int64 data, or Python integers where int64 does not hold them.

    Examples
    --------
    >>> matrix = IntegerMatrix.of(np.array([[1, 0], [2, 3]]))
    >>> (matrix @ np.array([[10], [2**62]])).ravel().tolist()
    [10, 13835058055282163732]
    """

    data: Array
    indices: Array
    indptr: Array
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: Any) -> IntegerMatrix:
        """A SciPy sparse or dense integer matrix; Python integers of any size in a dense one."""
        if isinstance(matrix, np.ndarray) and matrix.dtype == object:
            rows, indices = np.nonzero(matrix)
            indptr = np.searchsorted(rows, np.arange(len(matrix) + 1))
            return cls(compact(matrix[rows, indices]), indices, indptr, matrix.shape)
        csr = scipy.sparse.csr_array(matrix)
        csr.sum_duplicates()
        return cls(csr.data, csr.indices, csr.indptr.astype(np.int64), csr.shape)

    @cached_property
    def rows(self) -> Array:
        """Row of each entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))

    @cached_property
    def T(self) -> IntegerMatrix:  # noqa: N802 - the mathematical name
        """The transposed matrix."""
        order = np.argsort(self.indices, kind="stable")
        indptr = np.zeros(self.shape[1] + 1, dtype=np.int64)
        np.cumsum(np.bincount(self.indices, minlength=self.shape[1]), out=indptr[1:])
        return IntegerMatrix(self.data[order], self.rows[order], indptr, self.shape[::-1])

    def _summed(self, values: Array) -> Array:
        """Sums of per-entry values over each row, exact for objects too."""
        totals = np.zeros((self.shape[0], *values.shape[1:]), dtype=values.dtype)
        filled = np.flatnonzero(np.diff(self.indptr))
        if len(filled):
            totals[filled] = np.add.reduceat(values, self.indptr[filled], axis=0)
        return totals

    @cached_property
    def longest(self) -> int:
        """Most entries in one row."""
        return int(np.diff(self.indptr).max(initial=0))

    @cached_property
    def row_sum(self) -> int:
        """Largest sum of absolute values in one row (a bound on it where entries are huge)."""
        return self.longest * magnitude(self.data)

    def __matmul__(self, x: Array) -> Array:
        """The exact product with columns of integers, int64 where a bound shows that it fits."""
        is_small = object not in (x.dtype, self.data.dtype)
        if is_small and self.row_sum * magnitude(x) < 2**63:
            return np.asarray(self._scipy @ x.astype(np.int64, copy=False))
        if self.data.dtype != object and self.row_sum < 2**40:
            return self._by_limbs(x)
        data, columns = self.data.astype(object)[:, None], x.astype(object)
        # Products are held at once: no more than so many of them.
        step = max(1, HELD // max(1, len(data)))
        parts = [
            self._summed(data * columns[self.indices, start : start + step])
            for start in range(0, x.shape[1], step)
        ]
        return np.hstack(parts) if parts else np.zeros((self.shape[0], 0), dtype=object)

    def _by_limbs(self, x: Array) -> Array:
        """The product of small entries with large ones, which are cut into limbs of int64."""
        bits = 62 - self.row_sum.bit_length()
        rest, shift = x.astype(object), 0
        total = np.zeros((self.shape[0], x.shape[1]), dtype=object)
        while rest.any():
            # Limbs are >= 0 and what is left is rounded down, to −1 at last for negative numbers.
            higher = rest >> bits
            is_last = not np.any(higher + (higher < 0))
            limb = rest if is_last else rest & ((1 << bits) - 1)
            total += (self._scipy @ limb.astype(np.int64)).astype(object) << shift
            if is_last:
                break
            rest, shift = higher, shift + bits
        return total

    @cached_property
    def _scipy(self) -> scipy.sparse.csr_array:
        parts = (self.data.astype(np.int64), self.indices, self.indptr)
        return scipy.sparse.csr_array(parts, shape=self.shape)

    def times(self, other: IntegerMatrix) -> IntegerMatrix:
        """The sparse product of two integer matrices."""
        is_small = object not in (self.data.dtype, other.data.dtype)
        if is_small and self.row_sum * magnitude(other.data) < 2**63:
            return IntegerMatrix.of(self._scipy @ other._scipy)
        return self._object_product(other)

    def _object_product(self, other: IntegerMatrix) -> IntegerMatrix:
        lengths = np.diff(other.indptr)[self.indices]
        ends = np.cumsum(lengths)
        total = int(ends[-1]) if len(ends) else 0
        entry = np.arange(total) + np.repeat(other.indptr[self.indices] - ends + lengths, lengths)
        values = np.repeat(self.data.astype(object), lengths) * other.data.astype(object)[entry]
        keys = np.repeat(self.rows, lengths) * other.shape[1] + other.indices[entry]
        return _collected(keys, values, (self.shape[0], other.shape[1]))

    def scaled(self, factor: int) -> IntegerMatrix:
        """The matrix times an integer."""
        if factor == 1:
            return self
        fits = magnitude(self.data) * abs(factor) < 2**63
        data = (self.data if fits else self.data.astype(object)) * factor
        return IntegerMatrix(data, self.indices, self.indptr, self.shape)

    def plus_identity(self, value: int) -> IntegerMatrix:
        """The square matrix plus `value` times the identity."""
        every = np.arange(self.shape[0])
        keys = np.concatenate([self.rows * self.shape[1] + self.indices, every * (len(every) + 1)])
        fits = magnitude(self.data) + abs(value) < 2**63
        kind = np.int64 if fits else object
        data = np.concatenate([self.data.astype(kind), np.full(len(every), value, dtype=kind)])
        return _collected(keys, data, self.shape)

    def residues(self, prime: int) -> Array:
        """The entries modulo `prime` as float64 in [−p/2, p/2]."""
        return residues(self.data, prime)

    def at_rows(self, rows: Array) -> IntegerMatrix:
        """The matrix of some rows, in that order."""
        lengths = np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(lengths)])
        entry = np.arange(indptr[-1]) + np.repeat(self.indptr[rows] - indptr[:-1], lengths)
        return IntegerMatrix(
            self.data[entry], self.indices[entry], indptr, (len(rows), self.shape[1])
        )

    def columns(self, columns: Array) -> Array:
        """Some columns as a dense array (rows, len(columns)), int64 or Python integers."""
        dense = np.zeros((self.shape[0], len(columns)), dtype=self.data.dtype)
        place = np.full(self.shape[1], -1)
        place[columns] = np.arange(len(columns))
        kept = np.flatnonzero(place[self.indices] >= 0)
        dense[self.rows[kept], place[self.indices[kept]]] = self.data[kept]
        return dense

    def without_zeros(self) -> IntegerMatrix:
        """The same matrix with no stored zeros."""
        kept = np.flatnonzero(self.data != 0)
        if len(kept) == len(self.data):
            return self
        indptr = np.searchsorted(kept, self.indptr)
        return IntegerMatrix(self.data[kept], self.indices[kept], indptr, self.shape)

    def log2_norms(self) -> Array:
        """Upper bounds on log2 of the Euclidean norms of the rows; −inf for empty rows."""
        if self.data.dtype == object:
            squares = self._summed(self.data * self.data)
            logs = [_log2_above(int(value)) for value in squares.tolist()]
            return np.array(logs) / 2
        squares = self._summed(self.data.astype(np.float64) ** 2)
        with np.errstate(divide="ignore"):
            # A relative 2⁻³⁰ above covers the rounding of up to 2²⁰ squares and of the logarithm.
            return np.asarray(np.log2(squares) / 2 + 2.0**-30)


def _collected(keys: Array, values: Array, shape: tuple[int, int]) -> IntegerMatrix:
    """The matrix with values at flat places ``row·columns + column``, those of one place added."""
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], values[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    if len(starts):
        values = np.add.reduceat(values, starts)
    rows, columns = np.divmod(keys[starts], shape[1])
    indptr = np.zeros(shape[0] + 1, dtype=np.int64)
    np.cumsum(np.bincount(rows, minlength=shape[0]), out=indptr[1:])
    return IntegerMatrix(compact(values), columns, indptr, shape)


def compact(array: Array) -> Array:
    """Integers as int64 where that holds them."""
    return array.astype(np.int64) if magnitude(array) < 2**63 else array


def _log2_above(value: int) -> float:
    return -math.inf if value == 0 else float(value.bit_length())


def residues(array: Array, prime: int) -> Array:
    """Integers modulo `prime` as float64 in [−p/2, p/2]."""
    reduced = (array % prime).astype(np.float64)
    return np.asarray(np.where(2 * reduced > prime, reduced - prime, reduced))
