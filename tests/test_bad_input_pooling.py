"""Bad input of max pooling: each mistake is named, with the rule, the value and the geometry."""

from __future__ import annotations

import tracemalloc
from fractions import Fraction

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv.errors import (
    DTypeError,
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    SymconvError,
    TooLargeError,
)
from symconv.selection import max_unpool

n = sympy.Symbol("n", integer=True, positive=True)
OP = sc.MaxPool2d(2).operator((4, 4))


@pytest.mark.parametrize(
    ("layer", "size", "window", "axis"),
    [
        (sc.MaxPool1d(2, padding=2), (3,), 0, 0),
        (sc.MaxPool1d(1, padding=((0, 1),)), (3,), 3, 0),
        (sc.MaxPool2d(2, padding=((0, 0), (2, 0))), (4, 4), 0, 1),
        (sc.MaxPool1d(2, dilation=3, padding=1), (2,), 0, 0),
        (sc.MaxPool1d(1, stride=1, padding=((5, -5),)), (5,), 0, 0),
        (sc.MaxPool1d(3, stride=5, padding=((0, 5),)), (3,), 1, 0),
        (sc.MaxPool1d(1, padding=1), (0,), 0, 0),
        (sc.MaxPool1d(1, stride=2, padding=((0, -2),), ceil_mode=True), (6,), 2, 0),
    ],
)
def test_a_window_that_sees_only_padding_is_refused(layer, size, window, axis):
    match = rf"^padding must leave a sample in every window, got none in window {window} of axis "
    with pytest.raises(GeometryError, match=match + rf"{axis} over .* \(MaxPool\(.*\) on "):
        layer.operator(size)


def test_the_average_of_such_a_window_is_as_it_was():
    """Counted padding divides; nothing counted is refused; a stated divisor divides a sum of 0."""
    assert sc.AvgPool1d(2, padding=2).operator((3,)).apply([1, 2, 3]).tolist()[0] == 0
    with pytest.raises(GeometryError, match="padding must leave a cell to count"):
        sc.AvgPool1d(2, padding=2, count_include_pad=False).operator((3,))
    given = sc.AvgPool1d(2, padding=2, count_include_pad=False, divisor_override=2).operator((3,))
    assert given.apply(np.array([1.0, 2.0, 3.0])).tolist() == [0.0, 1.5, 1.5]


@pytest.mark.parametrize(
    ("size", "kind", "match"),
    [
        ((0, 0), GeometryError, "output size must be >= 1 on axis 0"),
        ((1, 4), GeometryError, "output size must be >= 1 on axis 0"),
        ((4,), ShapeError, "input_size must have 2 entries"),
        ((4, 4.0), ParameterTypeError, "input_size must be an integer"),
        ((4, True), ParameterTypeError, "input_size must be an integer"),
        ((4, -1), ParameterError, "input_size must be >= 0"),
        ((4, n), ParameterTypeError, "input_size must be a concrete integer"),
        (4, ParameterTypeError, "input_size must be a tuple"),
        (None, ParameterTypeError, "input_size must be a tuple"),
    ],
)
def test_bad_sizes(size, kind, match):
    with pytest.raises(kind, match=match) as caught:
        sc.MaxPool2d(2).operator(size)
    assert "(MaxPool(" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "kind", "match"),
    [
        ({"stride": 0}, ParameterError, "stride must be >= 1"),
        ({"stride": 1.0}, ParameterTypeError, "stride must be an integer"),
        ({"dilation": 0}, ParameterError, "dilation must be >= 1"),
        ({"dilation": (1, 1, 1)}, ParameterError, "dilation must have one entry per axis"),
        ({"padding": 0.5}, ParameterTypeError, "padding must be an integer"),
        ({"padding": "near"}, ParameterError, "padding must be one of"),
        ({"padding": ((1, 2, 3), 0)}, ParameterError, "padding must give"),
        ({"ceil_mode": 1}, ParameterTypeError, "ceil_mode must be True or False"),
        ({"stride": n}, ParameterTypeError, "stride must be a concrete integer"),
    ],
)
def test_bad_parameters(options, kind, match):
    with pytest.raises(kind, match=match):
        sc.MaxPool2d(2, **options).operator((4, 4))


@pytest.mark.parametrize("kernel", [0, (2,), (2, 0), (), 2.0, None, "2"])
def test_bad_kernels(kernel):
    with pytest.raises(SymconvError, match="kernel_size must"):
        sc.MaxPool2d(kernel)


WRONG_NUMBERS = [
    (np.ones((4, 4), dtype=bool), DTypeError, "x must hold numbers, got booleans"),
    (np.ones((4, 4), dtype=complex), DTypeError, "x must be real"),
    (np.ones((4, 4), dtype=np.float16), DTypeError, "x must hold integers"),
    ([["a"] * 4] * 4, DTypeError, "x must hold"),
    (np.full((4, 4), 1.5, dtype=object), DTypeError, "x must hold"),
    (np.full((4, 4), sympy.oo, dtype=object), DTypeError, "x must hold"),
    (np.full((4, 4), sympy.nan, dtype=object), DTypeError, "x must hold"),
    (np.ma.masked_array(np.ones((4, 4)), np.eye(4)), DTypeError, "x must not be masked"),
    (np.ones((4, 5)), ShapeError, r"x must have shape \(\*leading, 4, 4\), got \(4, 5\)"),
    (np.ones(4), ShapeError, r"x must have shape"),
    (1, ShapeError, r"x must have shape"),
    ([[1, 2], [3]], ShapeError, "x must be a rectangular array"),
]


@pytest.mark.parametrize(("x", "kind", "match"), WRONG_NUMBERS)
def test_bad_arrays(x, kind, match):
    for call in (OP.apply, OP.ties, OP.symbolic, lambda x: OP.gradient(x, np.ones((2, 2)))):
        with pytest.raises(kind, match=match) as caught:
            call(x)
        assert "(MaxPool((2, 2), stride=(2, 2)) on 4×4)" in str(caught.value)
    with pytest.raises(kind, match=match):
        OP.selection(x)


def test_symbols_have_no_indices_ties_or_gradient():
    x = np.array(sympy.symbols("a:16"), dtype=object).reshape(4, 4)
    with pytest.raises(DTypeError, match="x must hold numbers for indices"):
        OP.apply(x, return_indices=True)
    with pytest.raises(DTypeError, match="x must hold numbers for indices"):
        OP.gradient(x, np.ones((2, 2)))
    with pytest.raises(DTypeError, match="x must hold numbers for indices"):
        OP.selection(x)
    with pytest.raises(DTypeError, match="x must hold numbers for ties"):
        OP.ties(x)
    with pytest.raises(DTypeError, match="x must be exact for symbolic maxima, got dtype float64"):
        OP.symbolic(np.ones((4, 4)))


def test_there_are_no_weights():
    with pytest.raises(ParameterError, match="weight must be left out: max pooling has none"):
        OP.apply(np.ones((4, 4)), np.ones((2, 2)))
    with pytest.raises(ParameterError, match="bias must be left out: max pooling has none"):
        OP.apply(np.ones((4, 4)), bias=[1])


def test_gradients_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"y must have shape \(2, 2\), got \(3, 2\)"):
        OP.gradient(np.ones((4, 4)), np.ones((3, 2)))
    with pytest.raises(ShapeError, match=r"y must have shape \(5, 2, 2\), got \(2, 2\)"):
        OP.gradient(np.ones((5, 4, 4)), np.ones((2, 2)))
    with pytest.raises(DTypeError, match="y must hold numbers, got booleans"):
        OP.gradient(np.ones((4, 4)), np.ones((2, 2), dtype=bool))
    with pytest.raises(ShapeError, match=r"x must have shape \(4, 4\), got \(2, 4, 4\)"):
        OP.selection(np.ones((2, 4, 4)))


@pytest.mark.parametrize(
    ("y", "indices", "size", "kind", "match"),
    [
        ([1, 2], [0, 4], (4,), ParameterError, r"indices must lie in 0 … 3, got 4"),
        ([1, 2], [0, -1], (4,), ParameterError, r"indices must lie in 0 … 3, got -1"),
        ([1, 2], [0.0, 1.0], (4,), DTypeError, "indices must be integers"),
        ([1, 2], [True, False], (4,), DTypeError, "indices must be integers"),
        ([1, 2], [0], (4,), ShapeError, r"indices must have the shape of y, \(2,\), got \(1,\)"),
        ([1, 2], [0, 1], (4, 4), ShapeError, "output_size must have 1 … 1 entries"),
        ([1, 2], [0, 1], (), ShapeError, "output_size must have"),
        ([1, 2], [0, 1], 4, ParameterTypeError, "output_size must be a tuple"),
        ([1, 2], [0, 1], (-4,), ParameterError, "output_size must be >= 0"),
        ([1, 2], [0, 1], (0,), ParameterError, "indices must lie in"),
        ([True], [0], (1,), DTypeError, "y must hold numbers"),
        ([1], [0], (2**50,), TooLargeError, "may be used"),
    ],
)
def test_bad_unpooling(y, indices, size, kind, match):
    with pytest.raises(kind, match=match):
        max_unpool(y, indices, size)


def test_unpooling_by_an_operator_checks_the_sizes():
    values, places = OP.apply(np.arange(16).reshape(4, 4), return_indices=True)
    with pytest.raises(ShapeError, match=r"y must have shape \(\*leading, 2, 2\), got \(2,\)"):
        OP.unpool(values[0], places[0])
    with pytest.raises(ParameterError, match=r"indices must lie in 0 … 15, got 16 \(MaxPool"):
        OP.unpool(values, places + 1)


def test_what_does_not_fit_is_refused_before_it_allocates():
    large = sc.MaxPool2d(2, stride=1).operator((2**16, 2**16))
    tracemalloc.start()
    try:
        for call in (large.exact, large.support, large.overlap, large.symbolic):
            with pytest.raises(TooLargeError, match="may be used"):
                call()
        assert tracemalloc.get_traced_memory()[1] < 2**26
    finally:
        tracemalloc.stop()
    assert large.nnz == (2 * (2**16 - 1)) ** 2
    assert "PoolOperator" in repr(large)
    with pytest.raises(TooLargeError, match="above the limit of"):
        sc.MaxPool1d(2).operator((2**40,))
    with pytest.raises(TooLargeError, match="above the limit of 2\\*\\*62"):
        sc.MaxPool1d(1, stride=2**70).operator((2,))


def test_exact_data_never_meets_floats():
    with pytest.raises(DTypeError, match="x must hold"):
        OP.apply([[Fraction(1, 2), 0.5, 1, 1]] * 4)
