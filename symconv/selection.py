"""Which sample each output is taken from: selections, ties, and values put back.

A selection is a 0/1 matrix with a single 1 in every row, as max pooling's subgradient is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import sympy

from symconv.algebras import as_array
from symconv.boundary import OUTSIDE
from symconv.checks import concrete, in_memory, integer, sequence
from symconv.errors import DTypeError, ParameterError, ShapeError
from symconv.exact import ENTRY_BYTES
from symconv.memory import require
from symconv.semiring_matrix import SemiringMatrix
from symconv.semirings import COUNTING

__all__ = ["Selection", "max_unpool", "scattered", "tied"]

Array = npt.NDArray[Any]


def scattered(values: Array, places: Array, size: tuple[int, ...], *, add: bool) -> Array:
    """Values (*leading, *out) sent to their flat places in planes (*leading, *size) of zeros.

    Where several meet they are added in order, or the last one stays.
    """
    lead = values.shape[: values.ndim - len(size)]
    planes, n_in = math.prod(lead), math.prod(size)
    require(
        values.itemsize * planes * n_in + 8 * values.size,
        f"{planes} planes of {n_in} numbers",
        "use fewer planes",
    )
    x = np.zeros(planes * n_in, dtype=values.dtype)
    # Planes one after the other on one axis; said in full, as -1 fails on empty batches.
    each = places.size // max(planes, 1)
    flat = (places.reshape(planes, each) + n_in * np.arange(planes)[:, None]).ravel()
    if add:
        np.add.at(x, flat, values.ravel())
    else:
        x[flat] = values.ravel()
    return x.reshape(*lead, *size)


@dataclass(frozen=True, eq=False)
class Selection:
    """Which input each output is taken from, as a matrix with a single 1 in every row.

    Attributes
    ----------
    places : numpy.ndarray of int, shape output size
        Flat position in the input plane.
    input_size : tuple of int

    Examples
    --------
    >>> chosen = Selection(np.array([2, 0]), (3,))
    >>> chosen.sparse().toarray()
    array([[0, 0, 1],
           [1, 0, 0]])
    >>> chosen.sparse().T @ [5, 7]
    array([7, 0, 5])
    """

    places: Array
    input_size: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, int]:
        """(outputs, inputs)."""
        return self.places.size, math.prod(self.input_size)

    def sparse(self, dtype: npt.DTypeLike = np.int64) -> Any:
        """SciPy's CSR array."""
        rows = self.shape[0]
        parts = np.ones(rows, dtype=dtype), self.places.ravel(), np.arange(rows + 1)
        return scipy.sparse.csr_array(parts, shape=self.shape)

    def exact(self) -> sympy.ImmutableSparseMatrix:
        """SymPy's matrix."""
        rows, columns = self.shape
        require(ENTRY_BYTES * rows, f"the exact matrix {rows}×{columns}", "use sparse()")
        entries = dict.fromkeys(enumerate(self.places.ravel().tolist()), 1)
        return sympy.ImmutableSparseMatrix(rows, columns, entries)

    def counting(self) -> SemiringMatrix:
        """The matrix over (+, ·), whose column totals say how often each input is taken."""
        rows = self.shape[0]
        ones = np.ones(rows, dtype=np.int64)
        return SemiringMatrix.from_arrays(
            np.arange(rows), self.places.ravel(), ones, self.shape, COUNTING
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Selection):
            return NotImplemented
        same = self.input_size == other.input_size
        return same and np.array_equal(self.places, other.places)

    def __hash__(self) -> int:
        return hash((self.places.shape, self.places.tobytes(), self.input_size))


def tied(
    x: Array, largest: Array, table: Array, output_size: tuple[int, ...]
) -> dict[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """(*leading, *output) → the input positions, where several hold the largest value.

    `table` is the flat stored index for every (tap, output), as `Windows.gathered` gives it.
    """
    rank = len(output_size)
    lead, size = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    flat = table.reshape(-1, math.prod(output_size))
    best = largest.reshape(math.prod(lead), flat.shape[1])
    found = {}
    for plane, values in enumerate(x.reshape(len(best), math.prod(size))):
        seen, top = values[flat], best[plane]
        wins = seen == top
        if x.dtype.kind == "f":
            # NaN is the largest where it is met, and unlike itself.
            wins |= np.isnan(seen) & np.isnan(top)
        wins &= flat != OUTSIDE
        for output in np.flatnonzero(wins.sum(axis=0) > 1).tolist():
            places = np.unique(flat[wins[:, output], output])
            if len(places) > 1:
                key = *np.unravel_index(plane, lead), *np.unravel_index(output, output_size)
                inputs = zip(*np.unravel_index(places, size), strict=True)
                found[tuple(map(int, key))] = tuple(tuple(map(int, each)) for each in inputs)
    return found


def max_unpool(y: Any, indices: Any, output_size: Any) -> Array:
    """Each value put at its flat position in a plane of zeros; of several the last stays.

    Parameters
    ----------
    y : array_like, shape (*leading, *size)
        Pooled values, of any number type.
    indices : array_like of int, the same shape
        Flat positions in the plane, as max pooling gives them with ``return_indices=True``.
    output_size : tuple of int
        Size of the plane, with as many axes as it has.

    Returns
    -------
    numpy.ndarray, shape (*leading, *output_size)

    Examples
    --------
    >>> max_unpool([7, 9], [1, 2], (4,))
    array([0, 7, 9, 0])

    References
    ----------
    M. D. Zeiler, R. Fergus, *Visualizing and understanding convolutional networks* (2014);
    PyTorch, documentation of ``torch.nn.MaxUnpool2d``.
    """
    array, _ = as_array("y", y)
    sizes = sequence("output_size", output_size)
    size = tuple(concrete("output_size", integer("output_size", n, 0)) for n in sizes)
    if not 1 <= len(size) <= array.ndim:
        raise ShapeError(f"output_size must have 1 … {array.ndim} entries for y, got {size}")
    in_memory("indices", indices)
    places = np.asarray(indices)
    if places.dtype.kind not in "iu" and places.size:
        raise DTypeError(f"indices must be integers, got dtype {places.dtype}")
    if places.shape != array.shape:
        raise ShapeError(f"indices must have the shape of y, {array.shape}, got {places.shape}")
    plane = math.prod(size)
    if places.size and not (places.min() >= 0 and places.max() < plane):
        wrong = places.min() if places.min() < 0 else places.max()
        raise ParameterError(f"indices must lie in 0 … {plane - 1}, got {wrong}")
    return scattered(array, places.astype(np.int64), size, add=False)
