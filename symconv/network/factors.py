"""Single layers as matrices: explicit, with weights left open, SciPy's or SymPy's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
import sympy

from symconv.errors import ParameterTypeError
from symconv.layers import Layer
from symconv.network.arranging import ChannelShuffle, Permute, Rearrangement
from symconv.network.contract import Shape, describe
from symconv.network.nodes import (
    BatchNorm,
    Constant,
    Identity,
    Linear,
    Scale,
)

__all__ = ["Affine", "Factor", "Kind", "factor"]

Array = npt.NDArray[Any]

#: A step's matrix and constant: SciPy's CSR, or SymPy's sparse matrices.
Affine = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Factor:
    """One layer as a matrix: the shapes of its numbers, and the matrix and constant from them."""

    weight_shape: tuple[int, ...] | None
    bias_shape: tuple[int, ...] | None
    build: Callable[[Kind, Any, Any], Affine]


@dataclass(frozen=True, slots=True)
class Kind:
    """SciPy's matrices of one dtype, or SymPy's."""

    dtype: Any = None

    @property
    def is_exact(self) -> bool:
        """Whether matrices are SymPy's."""
        return self.dtype is None

    def matrix(self, shape: tuple[int, int], rows: Any, columns: Any, data: Any) -> Any:
        """The matrix with these entries, each place once."""
        if self.is_exact:
            places = zip(np.asarray(rows).tolist(), np.asarray(columns).tolist(), strict=True)
            entries = {
                place: sympy.sympify(value, strict=True)
                for place, value in zip(places, data, strict=True)
            }
            return sympy.ImmutableSparseMatrix(*shape, entries)
        values = np.asarray(data, dtype=self.dtype)
        return scipy.sparse.csr_array((values, (rows, columns)), shape=shape)

    def selection(self, index: Array, n_columns: int) -> Any:
        """The 0/1 matrix whose row r reads column index[r]."""
        rows = np.arange(index.size)
        return self.matrix((index.size, n_columns), rows, index.ravel(), [1] * index.size)

    def repeated(self, copies: int, matrix: Any) -> Any:
        """I ⊗ matrix: the same matrix for every channel."""
        if not self.is_exact:
            return scipy.sparse.kron(
                scipy.sparse.eye_array(copies, dtype=self.dtype), matrix, "csr"
            )
        rows, columns = matrix.shape
        entries = {
            (copy * rows + row, copy * columns + column): value
            for (row, column), value in matrix.todok().items()
            for copy in range(copies)
        }
        return sympy.ImmutableSparseMatrix(copies * rows, copies * columns, entries)

    def column(self, values: Array) -> Any:
        """A constant as a column."""
        if self.is_exact:
            entries = [sympy.sympify(value, strict=True) for value in values.ravel().tolist()]
            return sympy.ImmutableSparseMatrix(len(entries), 1, entries)
        return np.asarray(values, dtype=self.dtype).reshape(-1, 1)

    def zeros(self, rows: int) -> Any:
        """The constant of a map without one."""
        if self.is_exact:
            return sympy.ImmutableSparseMatrix(rows, 1, {})
        return np.zeros((rows, 1), dtype=self.dtype)

    def stacked(self, parts: Sequence[Any]) -> Any:
        """Parts one below the other."""
        if self.is_exact:
            return sympy.ImmutableSparseMatrix.vstack(*parts)
        if isinstance(parts[0], np.ndarray):
            return np.vstack(parts)
        return scipy.sparse.vstack(parts, format="csr")


def _layer_factor(layer: Layer, shape: Shape) -> Factor:
    op = layer.operator(shape[1:])
    # Poolings, padding and patches act on each channel alone: their matrices know no channels.
    copies = 1 if op.weight_shape is not None else shape[0]

    def build(kind: Kind, weight: Any, bias: Any) -> Affine:
        one = op.exact(weight) if kind.is_exact else op.sparse(weight, kind.dtype)
        offset = op.offset(weight, bias)
        if copies != 1:
            offset = np.tile(offset.ravel(), copies)
        return one if copies == 1 else kind.repeated(copies, one), kind.column(offset)

    bias_shape = (op.output_shape[0],) if op.has_bias else None
    return Factor(op.weight_shape, bias_shape, build)


def _dense_factor(node: Linear, shape: Shape) -> Factor:
    copies = math.prod(shape[:-1])

    def build(kind: Kind, weight: Any, bias: Any) -> Affine:
        rows, columns = (axis.ravel() for axis in np.indices(weight.shape))
        one = kind.matrix(weight.shape, rows, columns, weight.ravel().tolist())
        offset = np.tile(bias if node.bias else np.zeros(weight.shape[0], dtype=int), copies)
        return kind.repeated(copies, one), kind.column(offset)

    return Factor(
        (node.out_features, node.in_features), (node.out_features,) if node.bias else None, build
    )


def _diagonal_factor(
    shape: Shape, weight_shape: tuple[int, ...] | None, bias_shape: tuple[int, ...] | None
) -> Factor:
    n = math.prod(shape)

    def build(kind: Kind, weight: Any, bias: Any) -> Affine:
        scale = np.broadcast_to(1 if weight is None else _aligned(weight, shape), shape)
        shift = np.broadcast_to(0 if bias is None else _aligned(bias, shape), shape)
        every = np.arange(n)
        return kind.matrix((n, n), every, every, scale.ravel().tolist()), kind.column(shift)

    return Factor(weight_shape, bias_shape, build)


def _aligned(values: Array, shape: Shape) -> Array:
    """One value per channel, or a constant that broadcasts already."""
    per_channel = values.ndim == 1 and len(shape) > 1 and values.shape[0] == shape[0]
    return values.reshape(-1, *(1 for _ in shape[1:])) if per_channel else values


def _index_factor(index: Array, n_columns: int) -> Factor:
    def build(kind: Kind, weight: Any, bias: Any) -> Affine:
        return kind.selection(index, n_columns), kind.zeros(index.size)

    return Factor(None, None, build)


def _unchanged(node: Any, shape: Shape) -> None:
    return None


def _norm_factor(node: BatchNorm, shape: Shape) -> Factor:
    return _diagonal_factor(shape, (node.channels,), (node.channels,))


def _constant_factor(node: Constant, shape: Shape) -> Factor:
    # Aligned with the end of the shape: the axes before are written out.
    whole = (*(1 for _ in shape[len(node.shape) :]), *node.shape)
    is_scale = isinstance(node, Scale)
    return _diagonal_factor(shape, whole if is_scale else None, None if is_scale else whole)


def _permutation_factor(node: Permute, shape: Shape) -> Factor:
    places = np.arange(math.prod(shape)).reshape(shape)
    return _index_factor(places.transpose(node.order), places.size)


def _shuffle_factor(node: ChannelShuffle, shape: Shape) -> Factor:
    places = np.arange(math.prod(shape)).reshape(node.groups, -1, *shape[1:])
    return _index_factor(places.swapaxes(0, 1), places.size)


#: Kind of node → its matrix from the input's shape; None where it changes no value's place.
FACTORS: tuple[tuple[Any, Callable[[Any, Shape], Factor | None]], ...] = (
    ((Identity, Rearrangement), _unchanged),
    (Layer, _layer_factor),
    (Linear, _dense_factor),
    (BatchNorm, _norm_factor),
    (Constant, _constant_factor),
    (Permute, _permutation_factor),
    (ChannelShuffle, _shuffle_factor),
)


def factor(node: Any, shape: Shape) -> Factor | None:
    """The matrix of a node with one input."""
    for kinds, make in FACTORS:
        if isinstance(node, kinds):
            return make(node, shape)
    raise ParameterTypeError(f"layer must have a matrix, got {describe(node)}")
