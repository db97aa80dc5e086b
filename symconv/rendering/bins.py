"""Entries counted in the cells of a coarse grid, from index arrays or straight from a pattern."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

from symconv.checks import integer
from symconv.errors import ParameterError, ShapeError
from symconv.incidence import Pattern
from symconv.memory import require

__all__ = ["MAX_CELLS", "bin_entries", "bin_pattern", "checked_indices"]

Array = npt.NDArray[Any]
Shape = tuple[int, int]

#: Cells per side of a picture.
MAX_CELLS = 200

#: Pattern entries held at a time.
BLOCK_ENTRIES = 2**18


def bin_entries(rows: Any, columns: Any, shape: Shape, max_cells: int = MAX_CELLS) -> Array:
    """Number of entries in each of at most max_cells × max_cells equal parts of a matrix.

    Parameters
    ----------
    rows, columns : array_like of int
        One index pair per entry.
    shape : tuple of int
        (rows, columns) of the matrix.
    max_cells : int
        Most parts per side.

    Examples
    --------
    >>> bin_entries([0, 1, 2, 3], [0, 1, 2, 3], (4, 4), max_cells=2)
    array([[2, 0],
           [0, 2]])
    """
    cells = _cells(shape, max_cells)
    binned = []
    for indices, n, n_cells in zip(
        checked_indices(rows, columns, shape), shape, cells, strict=True
    ):
        binned.append(indices * n_cells // max(n, 1))
    flat = binned[0] * cells[1] + binned[1]
    return np.bincount(flat, minlength=cells[0] * cells[1]).reshape(cells)


def checked_indices(rows: Any, columns: Any, shape: Shape) -> tuple[Array, Array]:
    """Both index arrays as int64, refused where they leave the shape."""
    i, j = (np.asarray(indices).astype(np.int64, copy=False) for indices in (rows, columns))
    if i.ndim != 1 or i.shape != j.shape:
        raise ShapeError(f"rows and columns must be equally long lists, got {i.shape}, {j.shape}")
    for name, indices, n in (("rows", i, shape[0]), ("columns", j, shape[1])):
        if indices.size and not (indices.min() >= 0 and indices.max() < n):
            raise ParameterError(f"{name} must hold indices from 0 to {n - 1}")
    return i, j


def _cells(shape: Shape, max_cells: int) -> Shape:
    most = integer("max_cells", max_cells, 1)
    return min(shape[0], most), min(shape[1], most)


def bin_pattern(
    pattern: Pattern, channels: tuple[int, int, int] = (1, 1, 1), max_cells: int = MAX_CELLS
) -> Array:
    """`bin_entries` of a channel-blocked matrix, without listing its entries.

    Only as many leading axes are read as the picture can resolve: one position there stands for
    all positions of the other axes, so that a cell ends where such a position ends. The counts
    are exact for those cells.

    Parameters
    ----------
    pattern : Pattern
        The pairs of one channel block.
    channels : tuple of int
        (groups, row channels, column channels); the matrix is a direct sum over the groups of
        row channels × column channels such blocks.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.incidence import Incidence
    >>> geometry = sc.Conv2d(1, 1, 3).geometry((1000, 1000))
    >>> int(bin_pattern(Incidence(geometry).pattern, (1, 64, 64)).sum())
    36716691456
    """
    groups, n_row, n_column = channels
    leading = _leading(pattern, groups * n_row, groups * n_column, max_cells)
    rest = math.prod(axis.nnz for axis in pattern.axes[len(leading.axes) :])
    shape = groups * n_row * leading.n_rows, groups * n_column * leading.n_columns
    cells = _cells(shape, max_cells)
    grid = np.zeros(cells, dtype=np.int64)
    step = max(1, BLOCK_ENTRIES * leading.n_rows // max(leading.nnz, 1))
    for start in range(0, leading.n_rows, step):
        stop = min(start + step, leading.n_rows)
        counts, columns, _ = leading.block(start, stop)
        if not len(columns):
            continue
        # A run of rows reads a stretch of columns; only that stretch is put into cells.
        stretch = int(columns.min()), int(columns.max()) + 1
        ends = np.append(0, np.cumsum(counts))
        data = np.full(len(columns), rest, dtype=np.int64)
        block = scipy.sparse.csr_array(
            (data, columns - stretch[0], ends), shape=(stop - start, stretch[1] - stretch[0])
        )
        for group in range(groups):
            # Every row channel of the group meets every column channel in the same block, so the
            # counts of the group are (rows → cells)ᵀ · block · (columns → cells).
            left = _members(group, n_row, leading.n_rows, (start, stop), cells[0], shape[0])
            right = _members(group, n_column, leading.n_columns, stretch, cells[1], shape[1])
            grid += (left.T @ block @ right).toarray()
    return grid


def _leading(pattern: Pattern, n_row: int, n_column: int, max_cells: int) -> Pattern:
    """The fewest leading axes that give every cell of the picture a row and a column."""
    for count in range(1, len(pattern.axes)):
        leading = Pattern(pattern.axes[:count])
        if min(n_row * leading.n_rows, n_column * leading.n_columns) >= max_cells:
            return leading
    return pattern


def _members(
    group: int, n_channels: int, n: int, run: Shape, n_cells: int, total: int
) -> scipy.sparse.csr_array[Any, Shape]:
    """Matrix [position in run, cell]: how many channels of a group put that position there."""
    require(
        64 * n_channels * (run[1] - run[0]),
        f"the cells of {n_channels} channels",
        "draw the layer with fewer channels: every pair of a group has the same pattern",
    )
    channels, positions = np.arange(group * n_channels, (group + 1) * n_channels), np.arange(*run)
    cell = (channels[:, None] * n + positions) * n_cells // max(total, 1)
    position = np.broadcast_to(positions - run[0], cell.shape)
    ones = np.ones(cell.size, dtype=np.int64)
    # Converting adds up the channels that meet in one cell.
    pairs = (position.ravel(), cell.ravel())
    return scipy.sparse.coo_array((ones, pairs), shape=(len(positions), n_cells)).tocsr()
