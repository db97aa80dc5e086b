"""Checks of one layer at one size against the naive loops; the mutation tests run them too."""

from __future__ import annotations

import random

import numpy as np
import oracles

import symconv as sc
from symconv.semirings import MINUS_INFINITY


def integers(shape, seed=0, low=-9, high=9):
    """Distinct small integers where there are few of them, random ones otherwise."""
    rng = random.Random(f"{shape}{seed}")
    n = int(np.prod(shape))
    span = list(range(low, high + 1))
    values = rng.sample(span, n) if n <= len(span) else [rng.choice(span) for _ in range(n)]
    return np.array(values, dtype=np.int64).reshape(shape)


def oracle_matrix(layer, size, weight):
    """The dense matrix of the linear part, from loops alone."""
    if isinstance(layer, sc.ConvTranspose):
        return oracles.conv_transpose_matrix(
            weight, size, layer.stride, layer.dilation, layer.padding, layer.output_padding,
            layer.groups,
        )  # fmt: skip
    return oracles.conv_matrix(
        weight, size, layer.stride, layer.dilation, layer.padding, layer.groups,
        layer.padding_mode, layer.input_dilation,
    )  # fmt: skip


def oracle_apply(layer, x, weight, bias=None):
    if isinstance(layer, sc.ConvTranspose):
        return oracles.conv_transpose(
            x, weight, layer.stride, layer.dilation, layer.padding, layer.output_padding,
            layer.groups, bias,
        )  # fmt: skip
    return oracles.conv(
        x, weight, layer.stride, layer.dilation, layer.padding, layer.groups,
        layer.padding_mode, layer.padding_value, layer.input_dilation, bias,
    )  # fmt: skip


def check_exact(layer, size):
    """Symbolic and integer matrices equal the loops', and the transpose is literal."""
    op = layer.operator(size)
    symbols = op.weight_symbols()
    expected = oracle_matrix(layer, size, symbols)
    exact = op.exact()
    assert op.shape == expected.shape == exact.shape
    stored = {
        (int(row), int(column)): expected[row, column] for row, column in np.argwhere(expected != 0)
    }
    assert dict(exact.todok()) == stored
    assert op.nnz == len(stored)
    assert op.T.exact() == exact.T


def check_numeric(layer, size):
    """Exact integer matrix, CSR, and both plans equal the loops, forward and adjoint."""
    op = layer.operator(size)
    weight = integers(op.weight_shape, 1)
    expected = oracle_matrix(layer, size, weight).astype(np.int64)
    assert np.array_equal(
        np.array(op.exact(weight).tolist(), dtype=np.int64).reshape(op.shape), expected
    )
    sparse = op.sparse(weight, dtype=np.int64)
    assert np.array_equal(sparse.toarray(), expected)
    check_canonical(sparse)
    assert np.array_equal(op.T.sparse(weight, dtype=np.int64).toarray(), expected.T)
    check_canonical(op.T.sparse(weight, dtype=np.int64))
    x = integers((2, *op.input_shape), 2)
    y = integers((2, *op.output_shape), 3)
    forward = oracle_apply(layer, x, weight)
    assert forward.shape[2:] == layer.output_size(size)
    for plan in ("taps", "sparse"):
        assert np.array_equal(op.apply_linear(x, weight, plan), forward)
        backward = op.T.apply_linear(y, weight, plan).reshape(2, -1)
        assert np.array_equal(backward, y.reshape(2, -1) @ expected)


def check_canonical(matrix):
    """CSR invariants, looked at and not believed."""
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int32
    for row in range(matrix.shape[0]):
        columns = matrix.indices[matrix.indptr[row] : matrix.indptr[row + 1]]
        assert np.all(np.diff(columns) > 0)


def check_gradient(layer, size):
    """The weight gradient equals the loops'."""
    op = layer.operator(size)
    x, y = integers((2, *op.input_shape), 4), integers((2, *op.output_shape), 5)
    if isinstance(layer, sc.ConvTranspose):
        expected = oracles.conv_transpose_weight_gradient(
            x, y, layer.kernel_size, layer.stride, layer.dilation, layer.padding,
            layer.output_padding, layer.groups,
        )  # fmt: skip
    else:
        expected = oracles.weight_gradient(
            x, y, layer.kernel_size, layer.stride, layer.dilation, layer.padding, layer.groups,
            layer.padding_mode, 0, layer.input_dilation,
        )  # fmt: skip
    gradient = op.weight_gradient(x, y)
    assert gradient.shape == op.weight_shape
    assert np.array_equal(gradient, expected)


def pool_arguments(layer):
    """What the loops of pooling take after the input."""
    return layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode


def check_pool(layer, size):
    """Max pooling in every reading equals the loops: values, places, ties, gradients, matrices."""
    op = layer.operator(size)
    reads = oracles.pool_reads(size, *pool_arguments(layer))
    assert op.shape == reads.shape
    assert op.input_shape == size
    assert op.output_shape == layer.output_size(size)
    assert op.overlap().dense() == reads.tolist()
    assert op.support().dense() == (reads > 0).tolist()
    zero = MINUS_INFINITY
    assert op.exact().dense() == [[0 if count else zero for count in row] for row in reads]
    assert op.nnz == np.count_nonzero(reads)
    assert op.overlap().row_totals().tolist() == reads.sum(axis=1).tolist()
    assert op.overlap().column_totals().tolist() == reads.sum(axis=0).tolist()
    x = integers((2, *size), 6, -3, 3)
    expected, expected_places = oracles.max_pool_places(x, *pool_arguments(layer))
    values, places = op.apply(x, return_indices=True)
    assert np.array_equal(op.apply(x), expected)
    assert np.array_equal(values, expected)
    assert np.array_equal(places, expected_places)
    assert np.array_equal(op.apply(x.astype(object)), expected)
    assert op.ties(x[0]) == oracles.max_pool_ties(x[0], *pool_arguments(layer))
    y = integers((2, *op.output_shape), 7)
    assert np.array_equal(op.gradient(x, y), oracles.max_pool_gradient(y, places, size))
    assert np.array_equal(op.unpool(values, places), oracles.max_unpool(expected, places, size))
    chosen = op.selection(x[1]).sparse()
    assert np.array_equal(chosen @ x[1].ravel(), expected[1].ravel())
    assert np.array_equal(chosen.T @ y[1].ravel(), op.gradient(x[1], y[1]).ravel())
