"""True convolution against SciPy, which flips, and against Conv, which does not."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.linalg
import scipy.signal
import sympy
from checking import integers

import symconv as sc
from symconv.errors import GeometryError, ParameterError, ShapeError


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_one_dimension_equals_scipy(mode):
    for taps, n in itertools.product(range(1, 6), range(1, 8)):
        if taps > n:
            continue  # scipy.linalg exchanges kernel and input there
        kernel = integers((taps,))
        expected = scipy.linalg.convolution_matrix(kernel, n, mode)
        matrix = sc.convolution_matrix(kernel, n, mode)
        assert matrix.dtype == np.int64
        assert np.array_equal(matrix.toarray(), expected)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_any_dimension_equals_scipy_signal(mode):
    for kernel_shape, size in [((2, 3), (4, 5)), ((3, 1), (3, 2)), ((2, 2, 3), (3, 2, 4))]:
        kernel, x = integers(kernel_shape), integers(size, 1)
        expected = scipy.signal.convolve(x, kernel, mode, method="direct")
        matrix = sc.convolution_matrix(kernel, size, mode)
        assert np.array_equal(matrix @ x.ravel(), expected.ravel())


def test_a_kernel_larger_than_the_input():
    kernel, x = integers((5,)), integers((3,), 1)
    expected = np.convolve(x, kernel)
    assert np.array_equal(sc.convolution_matrix(kernel, 3) @ x, expected)
    assert sc.convolution_matrix(kernel, 3, "same").shape == (3, 3)
    with pytest.raises(GeometryError, match="output size must be >= 1"):
        sc.convolution_matrix(kernel, 3, "valid")


def test_it_is_the_flip_of_the_layer():
    kernel = integers((2, 3))
    flipped = sc.convolution_matrix(kernel, (4, 4), "valid").toarray()
    layer = sc.Conv2d(1, 1, (2, 3), bias=False).operator((4, 4))
    assert not np.array_equal(flipped, layer.sparse(kernel[None, None], int).toarray())
    turned = kernel[::-1, ::-1][None, None]
    assert np.array_equal(flipped, layer.sparse(turned, int).toarray())


def test_exact_entries():
    a, b = sympy.symbols("a b")
    assert sc.convolution_matrix([a, b], 2, exact=True) == sympy.Matrix([[a, 0], [b, a], [0, b]])
    halves = sc.convolution_matrix([Fraction(1, 2), 1], 2, exact=True)
    assert halves == sympy.Matrix([[1, 0], [2, 1], [0, 2]]) / 2
    assert sc.convolution_matrix([Fraction(1, 2), 1], 2).toarray()[0, 0] == 0.5


def test_wrong_arguments():
    with pytest.raises(ShapeError, match="kernel must have at least one axis"):
        sc.convolution_matrix(3, 2)
    with pytest.raises(ParameterError, match="mode must be one of 'full', 'same', 'valid'"):
        sc.convolution_matrix([1, 2], 2, "circular")
    with pytest.raises(ParameterError, match="size must have one entry per axis"):
        sc.convolution_matrix([[1, 2]], (2,))
