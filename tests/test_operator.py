"""The operator in every reading, against the naive loops, for random geometries."""

from __future__ import annotations

import numpy as np
import pytest
import strategies
from checking import check_exact, check_gradient, check_numeric, integers
from hypothesis import given

import symconv as sc
from symconv.execute import csr


@given(strategies.conv_cases())
@strategies.examples(200)
def test_conv_exact_equals_loops(case):
    check_exact(*case)


@given(strategies.transpose_cases())
@strategies.examples(200)
def test_transpose_exact_equals_loops(case):
    check_exact(*case)


@given(strategies.conv_cases())
@strategies.examples(300)
def test_conv_numeric_equals_loops(case):
    check_numeric(*case)


@given(strategies.transpose_cases())
@strategies.examples(200)
def test_transpose_numeric_equals_loops(case):
    check_numeric(*case)


@given(strategies.conv_cases())
@strategies.examples(100)
def test_conv_weight_gradient_equals_loops(case):
    check_gradient(*case)


@given(strategies.transpose_cases())
@strategies.examples(100)
def test_transpose_weight_gradient_equals_loops(case):
    check_gradient(*case)


@given(case=strategies.conv_cases())
@strategies.examples(60)
def test_small_blocks_and_threads_fill_the_same_matrix(case):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csr, "BLOCK_ENTRIES", 4)
        patch.setattr(csr, "THREADED_ENTRIES", 0)
        patch.setattr(csr, "thread_count", lambda: 3)
        check_numeric(*case)


def test_a_full_size_matrix_equals_the_product_without_it():
    op = sc.Conv2d(2, 4, 3, stride=(1, 2), padding=1, groups=2, bias=False).operator((500, 700))
    assert op.nnz > csr.THREADED_ENTRIES
    weight, x = integers(op.weight_shape), integers(op.input_shape, 1)
    y = op.apply(x, weight)
    assert np.array_equal(op.sparse(weight, dtype=np.int64) @ x.ravel(), y.ravel())
    assert np.array_equal(
        op.T.sparse(weight, dtype=np.int64) @ y.ravel(), op.T.apply(y, weight).ravel()
    )
