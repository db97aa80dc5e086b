"""The explicit matrix: a pattern, channel blocks and weights written as one CSR array.

The same code fills float matrices of a gigabyte and object arrays of SymPy expressions. Rows are
handled in blocks that stay in cache: the pattern of a block is computed once and written for
every row channel, with two threads or more where the result is large (NumPy's `take` and copies
release the interpreter lock).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.execute.threads import share, thread_count
from symconv.incidence import Pattern

__all__ = ["Entries", "assemble", "assemble_row", "estimated_bytes", "index_dtype"]

Array = npt.NDArray[Any]

#: Entries of one row channel per block, and the size from which threads pay.
BLOCK_ENTRIES = 2**16
THREADED_ENTRIES = 2**21


@dataclass(frozen=True, eq=False)
class Entries:
    """A matrix in CSR form whose data may be of any type, objects included."""

    data: Array
    indices: Array
    indptr: Array
    shape: tuple[int, int]

    @property
    def rows(self) -> Array:
        """Row of each entry."""
        return np.repeat(np.arange(self.shape[0]), np.diff(self.indptr))


def index_dtype(shape: tuple[int, int], nnz: int) -> np.dtype[Any]:
    """int32 where every index and the number of entries fit, int64 beyond."""
    largest = max(*shape, nnz)
    return np.dtype(np.int32 if largest <= np.iinfo(np.int32).max else np.int64)


def estimated_bytes(shape: tuple[int, int], nnz: int, itemsize: int) -> int:
    """Bytes of the finished CSR array."""
    index = index_dtype(shape, nnz).itemsize
    return nnz * (itemsize + index) + (shape[0] + 1) * index


def assemble(pattern: Pattern, weight: Array) -> Entries:
    """CSR form of the operator with `weight` of shape (groups, rows, columns, labels).

    Block g maps column channels of group g to its row channels; entry (row, column) of the
    spatial pattern with label l holds ``weight[g, row channel, column channel, l]``. Entries are
    sorted and distinct; weights that happen to be zero are stored.
    """
    n_groups, n_row, n_column, n_labels = weight.shape
    n_rows, n_columns = pattern.n_rows, pattern.n_columns
    shape = (n_groups * n_row * n_rows, n_groups * n_column * n_columns)
    per_channel = pattern.nnz * n_column
    nnz = per_channel * n_groups * n_row
    index = index_dtype(shape, nnz)
    spatial_counts = pattern.row_counts()
    starts = np.zeros(n_rows + 1, dtype=np.int64)
    np.cumsum(spatial_counts * n_column, out=starts[1:])
    data = np.empty(nnz, dtype=weight.dtype)
    indices = np.empty(nnz, dtype=index)
    indptr = np.empty(shape[0] + 1, dtype=index)
    for channel in range(n_groups * n_row):
        indptr[channel * n_rows : (channel + 1) * n_rows + 1] = starts + channel * per_channel
    if shape[0] == 0:
        indptr[:] = 0

    flat = np.ascontiguousarray(weight).reshape(n_groups, n_row, n_column * n_labels)

    step = max(1, BLOCK_ENTRIES * n_rows // max(per_channel, 1))
    blocks = [(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]

    def fill(rows: tuple[int, int]) -> None:
        begin, end = int(starts[rows[0]]), int(starts[rows[1]])
        columns, source = _block(pattern, rows, n_column, n_labels)
        columns = columns.astype(index)
        for group in range(n_groups):
            group_columns = columns + index.type(group * n_column * n_columns)
            for row in range(n_row):
                at = (group * n_row + row) * per_channel
                indices[at + begin : at + end] = group_columns
                # mode="clip" writes straight into `out`; every index is in range.
                np.take(flat[group, row], source, out=data[at + begin : at + end], mode="clip")

    def work(first: int, last: int) -> None:
        for block in blocks[first:last]:
            fill(block)

    is_large = nnz >= THREADED_ENTRIES and weight.dtype != object
    share(work, len(blocks), thread_count() if is_large else 1)
    return Entries(data, indices, indptr, shape)


def assemble_row(pattern: Pattern, weight: Array, at: int) -> tuple[Array, Array]:
    """Columns and data of row `at` of the matrix that `assemble` builds."""
    _, n_row, n_column, n_labels = weight.shape
    channel, position = divmod(at, pattern.n_rows)
    group, row = divmod(channel, n_row)
    columns, source = _block(pattern, (position, position + 1), n_column, n_labels)
    columns = columns + group * n_column * pattern.n_columns
    return columns, weight[group, row].reshape(-1)[source]


def _block(
    pattern: Pattern, rows: tuple[int, int], n_column: int, n_labels: int
) -> tuple[Array, Array]:
    """Columns, and places in the weight of one row channel, of all entries in spatial `rows`."""
    counts, columns, labels = pattern.block(*rows)
    if n_column == 1:
        return columns, labels
    # Each row's pairs are repeated once per column channel, channel after channel.
    first = np.cumsum(counts) - counts
    lengths = np.repeat(counts, n_column)
    channels = np.tile(np.arange(n_column), len(counts))
    begin = np.cumsum(lengths) - lengths
    entry = np.arange(lengths.sum()) + np.repeat(np.repeat(first, n_column) - begin, lengths)
    channel = np.repeat(channels, lengths)
    return (
        columns[entry] + channel * pattern.n_columns,
        labels[entry] + channel * n_labels,
    )
