"""AvgPool, Pad, Unfold and Fold against the naive loops."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import oracles
import pytest
import strategies
from checking import check_canonical, integers
from hypothesis import given, strategies as st

import symconv as sc
from symconv.errors import GeometryError, ShapeError


def dense(matrix):
    return np.array(matrix.tolist(), dtype=object).reshape(matrix.shape)


@given(strategies.pool_cases())
@strategies.examples(200)
def test_average_pool_equals_loops(case):
    layer, size = case
    x = integers((2, 3, *size))
    arguments = (
        layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode,
        layer.count_include_pad, layer.divisor_override,
    )  # fmt: skip
    expected = oracles.avg_pool(x, *arguments)
    assert layer.output_size(size) == expected.shape[2:]
    if any(value is None for value in expected.ravel()):
        with pytest.raises(GeometryError, match="padding must leave a cell to count"):
            layer.operator(size)
        return
    op = layer.operator(size)
    for plan in ("taps", "sparse"):
        assert np.array_equal(op.apply(x, plan=plan), expected)
    matrix = dense(op.exact())
    assert np.array_equal(x.reshape(6, -1) @ matrix.T, expected.reshape(6, -1))
    sparse = op.sparse()
    check_canonical(sparse)
    assert np.array_equal(sparse.toarray(), matrix.astype(float))
    assert np.array_equal(op.T.sparse().toarray(), matrix.T.astype(float))
    assert op.T.exact() == op.exact().T
    y = integers((1, *op.output_shape), 1)
    gradient = oracles.avg_pool_gradient(y, size, *arguments)
    assert np.array_equal(op.T.apply(y), gradient)
    assert np.array_equal(op.T.apply(y, plan="sparse"), gradient)


def test_average_of_integers_is_a_fraction_and_of_floats_a_float():
    op = sc.AvgPool2d(2).operator((2, 2))
    assert op.apply([[1, 2], [3, 4]]).tolist() == [[Fraction(5, 2)]]
    single = op.apply(np.array([[1, 2], [3, 4]], dtype=np.float32))
    assert single.dtype == np.float32
    assert single.tolist() == [[2.5]]


@given(
    st.integers(1, 4),
    st.tuples(st.integers(-2, 9), st.integers(-2, 9)),
    st.tuples(st.integers(-1, 3), st.integers(-1, 3)),
    st.sampled_from((*strategies.MODES, "constant")),
)
@strategies.examples(150)
def test_pad_equals_loops_far_beyond_the_input(n, first, second, mode):
    size = (n, 3)
    value = 7 if mode == "constant" else 0
    layer = sc.Pad((first, second), padding_mode=mode, padding_value=value)
    x = integers((2, *size))
    if n + sum(first) < 1 or 3 + sum(second) < 1:
        with pytest.raises(GeometryError, match="output size must be >= 1"):
            layer.operator(size)
        return
    expected = oracles.pad(x, (first, second), mode, value)
    op = layer.operator(size)
    assert np.array_equal(op.apply(x), expected)
    assert op.apply(x).dtype == np.int64
    assert layer.output_size(size) == expected.shape[1:]
    linear = oracles.pad(x, (first, second), "zeros" if mode == "constant" else mode, 0)
    assert np.array_equal(x.reshape(2, -1) @ dense(op.exact()).T, linear.reshape(2, -1))


@given(strategies.conv_cases(input_dilation=False))
@strategies.examples(100)
def test_unfold_and_fold_equal_loops(case):
    conv, size = case
    layer = sc.Unfold(
        conv.kernel_size,
        stride=conv.stride,
        padding=conv.padding,
        dilation=conv.dilation,
        padding_mode=conv.padding_mode,
    )
    op = layer.operator(size)
    x = integers((2, 3, *size))
    geometry = (conv.kernel_size, conv.stride, conv.dilation, conv.padding, conv.padding_mode)
    expected = oracles.unfold(x, *geometry)
    patches = op.apply(x)
    assert np.array_equal(patches.reshape(expected.shape), expected)
    assert layer.output_shape((3, *size)) == (3 * patches.shape[2], *patches.shape[3:])
    columns = integers((2, *expected.shape[1:]), 1)
    back = oracles.fold(columns, size, *geometry)
    sent = columns.reshape(2, 3, *op.output_shape)
    for plan in ("taps", "sparse"):
        assert np.array_equal(op.T.apply(sent, plan=plan), back)
    assert op.nnz == int(np.count_nonzero(dense(op.exact())))
    assert op.T.exact() == op.exact().T
    assert np.array_equal(op.sparse(dtype=int).toarray(), dense(op.exact()).astype(int))
    assert np.array_equal(op.T.sparse(dtype=int).toarray(), dense(op.exact()).T.astype(int))


def test_convolution_is_the_kernel_times_the_patches():
    """A = (W ⊗ I_out)·P, entry by entry, groups as a direct sum."""
    conv = sc.Conv2d(2, 3, 2, stride=(1, 2), padding=((0, 1), (1, 0)), bias=False)
    op = conv.operator((3, 4))
    weight = op.weight_symbols()
    patches = sc.Unfold((2, 2), stride=(1, 2), padding=((0, 1), (1, 0))).operator((3, 4)).exact()
    n_out = int(np.prod(conv.output_size((3, 4))))
    by_kernel = np.kron(weight.reshape(3, -1), np.eye(n_out, dtype=int))
    by_patch = np.kron(np.eye(2, dtype=int), dense(patches))
    assert np.array_equal(by_kernel @ by_patch, dense(op.exact()))


def test_fold_takes_only_the_patches_of_its_size():
    fold = sc.Fold((4, 5), (2, 3), stride=(2, 1))
    assert fold.output_size((2, 3)) == (4, 5)
    assert fold.output_shape((12, 2, 3)) == (2, 4, 5)
    assert fold.input_sizes((4, 5)) == ((2,), (3,))
    with pytest.raises(ShapeError, match=r"input_size must be \(2, 3\)"):
        fold.operator((2, 2))
    with pytest.raises(ShapeError, match="multiple of 6 taps"):
        fold.output_shape((13, 2, 3))
