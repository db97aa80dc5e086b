"""What claims case by case are made of: sample layers, polynomials, matrices, pooling windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy
from sympy.polys.rings import PolyRing

from symconv.layers import Conv, Unfold
from symconv.matrices import symbols
from symconv.operator import Operator

__all__ = [
    "SAMPLES",
    "Sample",
    "block_diagonal",
    "built",
    "columns_read",
    "dot",
    "flattened",
    "is_gradient",
    "kronecker",
    "polynomials",
    "symbolic",
    "windows",
]

Array = npt.NDArray[Any]

#: Input channels, output channels, kernel, options, size.
Sample = tuple[int, int, tuple[int, ...], dict[str, Any], tuple[int, ...]]

#: Small convolutions that use every parameter.
SAMPLES: dict[str, Sample] = {
    "plain": (1, 2, (2,), {}, (3,)),
    "strided": (2, 1, (3,), {"stride": 2, "padding": ((2, 1),)}, (4,)),
    "grouped": (4, 2, (2,), {"groups": 2, "dilation": 2, "padding": 1}, (4,)),
    "depthwise": (2, 4, (2,), {"groups": 2, "padding": ((0, 1),)}, (3,)),
    "two axes": (2, 2, (2, 2), {"stride": (1, 2), "padding": ((1, 0), (0, 2))}, (2, 3)),
}


def built(sample: Sample, **changes: Any) -> tuple[Conv, tuple[int, ...]]:
    """A layer with parameters changed, and its size."""
    inputs, outputs, kernel, options, size = sample
    return Conv(inputs, outputs, kernel, **{"bias": False, **options, **changes}), size


def symbolic(op: Any) -> tuple[Array, Array, Array]:
    """Symbolic input x, weights w and arriving gradient y of an operator."""
    return (
        symbols("x", op.input_shape),
        symbols("w", op.weight_shape or ()),
        symbols("y", op.output_shape),
    )


def dot(one: Array, other: Array) -> Any:
    """The sum of the products of the entries."""
    return sympy.Add(*(one.ravel() * other.ravel()))


def polynomials(*arrays: Any) -> list[list[Any]]:
    """Arrays of expressions as elements of one polynomial ring, where each has one form."""
    listed = [list(np.ravel(np.asarray(array, dtype=object))) for array in arrays]
    parts = [[sympy.sympify(entry, strict=True) for entry in array] for array in listed]
    names = {name for array in parts for entry in array for name in entry.free_symbols}
    ring = PolyRing(sorted(names, key=str) or [sympy.Dummy()], sympy.QQ)
    return [[ring.from_expr(entry) for entry in array] for array in parts]


def is_gradient(claimed: Any, scalar: Any, by: Array) -> bool:
    """Whether the derivatives of a polynomial by each symbol are the claimed ones."""
    (value,), names, gradient = polynomials([scalar], by, claimed)
    return [value.diff(name) for name in names] == gradient


def kronecker(*factors: Any) -> Any:
    """The Kronecker product of matrices, entry by entry of those that are not 0."""
    shape, entries = (1, 1), {(0, 0): sympy.S.One}
    for factor in map(sympy.SparseMatrix, factors):
        rows, columns = factor.shape
        shape = shape[0] * rows, shape[1] * columns
        entries = {
            (row * rows + i, column * columns + j): value * entry
            for (row, column), value in entries.items()
            for (i, j), entry in factor.todok().items()
        }
    return sympy.ImmutableSparseMatrix(*shape, entries)


def block_diagonal(weight: Array, groups: int) -> Array:
    """The weights of one group: zeros between the channels that different groups have."""
    outputs, within, *kernel = weight.shape
    dense = np.zeros((outputs, groups * within, *kernel), dtype=object)
    for group in range(groups):
        rows = slice(group * outputs // groups, (group + 1) * outputs // groups)
        dense[rows, group * within : (group + 1) * within] = weight[rows]
    return dense


def flattened(array: Any) -> sympy.ImmutableSparseMatrix:
    """An array as one column."""
    entries = np.asarray(array, dtype=object).ravel().tolist()
    return sympy.ImmutableSparseMatrix(len(entries), 1, entries)


def columns_read(operator: Operator) -> list[list[int]]:
    """Per row the columns in which a matrix of zeros and ones has a one."""
    matrix = operator.sparse(dtype=int)
    return [part.tolist() for part in np.split(matrix.indices, matrix.indptr[1:-1])]


def windows(size: Sequence[int], kernel: tuple[int, ...], **options: Any) -> list[list[int]]:
    """The stored samples, raveled, that each window of a pooling reads.

    Examples
    --------
    >>> windows((4,), (3,), stride=2, padding=1)
    [[0, 1], [1, 2, 3]]
    """
    operator = Unfold(kernel, **options).operator(size)
    rows = columns_read(operator)
    n_windows = math.prod(operator.output_shape[1:])
    # One row for each tap of each window, tap after tap.
    return [sorted({i for row in rows[o::n_windows] for i in row}) for o in range(n_windows)]
