"""Products and sums of sparse entries over a semiring, on arrays: no loop over the entries.

Entries are (rows, columns, values): canonical where the places ascend row by row, each is met
once and no value is the semiring's zero.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from symconv.memory import require
from symconv.semirings import Semiring, narrowed

__all__ = ["Places", "applied", "canonical", "kronecker", "pointers", "product"]

Array = npt.NDArray[Any]

#: Bytes per pair of entries held while two matrices are multiplied: indices, values, sorting.
PRODUCT_BYTES = 64


class Places(NamedTuple):
    """Entries of one matrix: index arrays and values of one length."""

    rows: Array
    columns: Array
    values: Array


def canonical(semiring: Semiring, entries: Places) -> Places:
    """Sorted, each place once (⊕ of what meets there), without zeros of the semiring."""
    rows, columns, values = entries
    if len(rows) > 1 and not _ascends(rows, columns):
        order = np.lexsort((columns, rows))
        rows, columns, values = rows[order], columns[order], values[order]
        first = np.ones(len(rows), dtype=bool)
        first[1:] = (rows[1:] != rows[:-1]) | (columns[1:] != columns[:-1])
        starts = np.flatnonzero(first)
        if len(starts) < len(rows):
            values = semiring.added_at(values, starts)
            rows, columns = rows[starts], columns[starts]
    kept = semiring.stored(values)
    if not kept.all():
        rows, columns, values = rows[kept], columns[kept], values[kept]
    return Places(rows, columns, narrowed(values))


def _ascends(rows: Array, columns: Array) -> bool:
    """Whether the places ascend strictly, row by row."""
    same = rows[1:] == rows[:-1]
    return bool(np.all((rows[1:] > rows[:-1]) | (same & (columns[1:] > columns[:-1]))))


def pointers(rows: Array, n_rows: int) -> Array:
    """Where each of `n_rows` rows begins among sorted entries, and the end."""
    require(16 * n_rows, f"the index of {n_rows} rows", "use a matrix with fewer rows")
    return np.searchsorted(rows, np.arange(n_rows + 1))


def product(semiring: Semiring, left: Places, right: Places, n_inner: int) -> Places:
    """Entries of the matrix product: every pair that meets, then ⊕ over each place."""
    ends = pointers(right.rows, n_inner)
    lengths = np.diff(ends)[left.columns]
    total = int(lengths.sum())
    require(
        PRODUCT_BYTES * total,
        f"the product of {total} pairs of entries",
        "multiply by vectors instead of by the matrix",
    )
    begin = np.cumsum(lengths) - lengths
    source = np.repeat(ends[left.columns] - begin, lengths) + np.arange(total)
    values = semiring.multiplied(np.repeat(left.values, lengths), right.values[source])
    rows = np.repeat(left.rows, lengths)
    return canonical(semiring, Places(rows, right.columns[source], values))


def applied(semiring: Semiring, entries: Places, x: Array, n_rows: int) -> Array:
    """The product with a vector (n,) or an array (n, m)."""
    tail = x.shape[1:]
    width = tail[0] if tail else 1
    require(8 * (3 * len(entries.rows) + n_rows) * width, "the product with x", "use fewer columns")
    values = entries.values.reshape(-1, *(1,) * len(tail))
    parts = semiring.multiplied(values, x[entries.columns])
    starts = np.flatnonzero(np.diff(entries.rows, prepend=-1))
    sums = semiring.added_at(parts, starts)
    met = entries.rows[starts]
    if len(met) < n_rows and semiring.is_tropical:
        y = np.full((n_rows, *tail), semiring.zero, dtype=object)
    else:
        y = np.zeros((n_rows, *tail), dtype=sums.dtype)
    y[met] = sums
    return y


def kronecker(
    semiring: Semiring, left: Places, right: Places, right_shape: tuple[int, int]
) -> Places:
    """Entries of the Kronecker product."""
    total = len(left.rows) * len(right.rows)
    require(PRODUCT_BYTES * total, f"the product of {total} entries", "use the factors")
    rows = np.add.outer(left.rows * right_shape[0], right.rows).ravel()
    columns = np.add.outer(left.columns * right_shape[1], right.columns).ravel()
    values = semiring.multiplied(
        np.repeat(left.values, len(right.rows)), np.tile(right.values, len(left.rows))
    )
    return canonical(semiring, Places(rows, columns, values))
