"""Bad input of pooling: each mistake is named, with the rule, the value and the geometry."""

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


# Average pooling

MEAN = sc.AvgPool2d(2).operator((4, 4))
SHARES = MEAN.T


@pytest.mark.parametrize("op", [MEAN, SHARES, OP])
@pytest.mark.parametrize(
    "dtype", [bool, "S1", "U1", np.float16, np.longdouble, "datetime64[s]", "bfloat16"]
)
def test_types_that_are_no_numbers_here(op, dtype):
    if dtype == "bfloat16":
        dtype = pytest.importorskip("ml_dtypes").bfloat16
    elif dtype is np.longdouble and np.dtype(dtype).itemsize == 8:
        pytest.skip("a long double is a double here")
    x = np.zeros(op.input_shape, dtype=np.int64).astype(dtype)
    with pytest.raises(DTypeError, match=r"x must hold .*on 4×4"):
        op.apply(x)


@pytest.mark.parametrize("x", [None, {1}, {}, "x", 3, [[1], [1, 2]], np.ones((4, 5)), np.ones(16)])
def test_what_is_no_array_of_the_size(x):
    with pytest.raises(SymconvError, match=r"x must .*AvgPool"):
        MEAN.apply(x)


def test_averages_of_the_ends_of_integer_types_are_exact():
    for dtype in (np.int8, np.uint8, np.int64, np.uint64):
        for end in (np.iinfo(dtype).min, np.iinfo(dtype).max):
            x = np.full((4, 4), end, dtype=dtype)
            assert MEAN.apply(x).tolist() == [[int(end)] * 2] * 2
            assert SHARES.apply(x[:2, :2]).ravel().tolist() == [Fraction(int(end), 4)] * 16
            assert OP.apply(x).tolist() == [[int(end)] * 2] * 2
            overlapping = sc.MaxPool1d(2, stride=1).operator((3,))
            # The largest sample stands in the middle, and takes both shares.
            assert overlapping.gradient([0, 1, 0], x[0, :2]).tolist() == [0, 2 * int(end), 0]
    assert MEAN.apply([[2**80] * 4] * 4).tolist() == [[2**80] * 2] * 2


@pytest.mark.parametrize("dtype", [">i4", "<i4", ">f4", ">f8", ">i8", "u2", "i1"])
def test_byte_orders_and_widths(dtype):
    x = np.array([[3, 9, 9, 1], [7, 2, 0, 4]], dtype=dtype)
    op = sc.MaxPool2d(2).operator((2, 4))
    values, places = op.apply(x, return_indices=True)
    assert values.tolist() == [[9, 9]]
    assert places.tolist() == [[1, 2]]
    assert op.gradient(x, np.array([[5, 6]], dtype=dtype)).tolist() == [[0, 5, 6, 0], [0] * 4]
    assert sc.AvgPool2d(2).operator((2, 4)).apply(x).tolist() == [[5.25, 3.5]]


def test_layouts_in_memory():
    """Transposed, reversed, with gaps, read-only, broadcast: the values decide."""
    plain = np.arange(32.0).reshape(2, 4, 4) % 7
    gaps = np.zeros((2, 8, 8))
    gaps[:, ::2, ::2] = plain
    frozen = plain.copy()
    frozen.setflags(write=False)
    same = [
        np.asfortranarray(plain),
        plain[::-1, ::-1, ::-1].copy()[::-1, ::-1, ::-1],
        gaps[:, ::2, ::2],
        frozen,
    ]
    y = plain[:, 1:3, 1:3].copy()
    for x in same:
        assert np.array_equal(MEAN.apply(x), MEAN.apply(plain))
        assert np.array_equal(OP.apply(x), OP.apply(plain))
        assert np.array_equal(
            OP.apply(x, return_indices=True)[1], OP.apply(plain, return_indices=True)[1]
        )
        assert np.array_equal(SHARES.apply(x[:, 1:3, 1:3]), SHARES.apply(y))
        assert np.array_equal(OP.gradient(x, x[:, 1:3, 1:3]), OP.gradient(plain, y))
    wide = np.broadcast_to(np.float32(3), (2, 4, 4))
    assert MEAN.apply(wide).tolist() == [[[3.0] * 2] * 2] * 2
    assert OP.gradient(wide, wide[:, :2, :2]).sum() == 24


def test_empty_batches():
    nothing = np.zeros((0, 3, 4, 4), dtype=np.float32)
    for found, size in (
        (MEAN.apply(nothing), 2),
        (SHARES.apply(nothing[..., :2, :2]), 4),
        (OP.apply(nothing), 2),
        (OP.gradient(nothing, nothing[..., :2, :2]), 4),
    ):
        assert found.shape == (0, 3, size, size)
        assert found.dtype == np.float32


def test_nan_and_infinity_stay_in_their_windows():
    x = np.ones((4, 4))
    x[1, 1], x[0, 3] = np.nan, -np.inf
    assert np.array_equal(MEAN.apply(x), [[np.nan, -np.inf], [1, 1]], equal_nan=True)
    assert np.array_equal(OP.apply(x), [[np.nan, 1], [1, 1]], equal_nan=True)
    y = np.array([[np.nan, 4], [np.inf, 8]])
    shares = SHARES.apply(y)
    assert np.array_equal(shares[::2, ::2], y / 4, equal_nan=True)
    assert np.array_equal(shares[1::2, 1::2], y / 4, equal_nan=True)
    assert np.array_equal(OP.gradient(x, y)[:2], [[0, 0, 4, 0], [0, np.nan, 0, 0]], equal_nan=True)


def test_no_share_is_minus_zero():
    y = np.full((2, 2), -0.0)
    assert not np.signbit(SHARES.apply(y)).any()
    assert not np.signbit(OP.gradient(np.ones((4, 4)), y)).any()


def test_windows_of_counted_padding_average_to_zero():
    op = sc.AvgPool1d(1, padding=1).operator((0,))
    assert op.apply(np.zeros(0)).tolist() == [0, 0]
    assert op.T.apply(np.ones(2)).shape == (0,)
    assert op.sparse().nnz == 0
    with pytest.raises(GeometryError, match="padding must leave a cell to count"):
        sc.AvgPool1d(1, padding=1, count_include_pad=False).operator((0,))


@pytest.mark.parametrize(
    ("options", "kind", "match"),
    [
        ({"divisor_override": 0}, ParameterError, "divisor_override must be >= 1"),
        ({"divisor_override": 2.0}, ParameterTypeError, "divisor_override must be an integer"),
        ({"divisor_override": True}, ParameterTypeError, "divisor_override must be an integer"),
        ({"divisor_override": n}, ParameterTypeError, "divisor_override must be a concrete"),
        (
            {"divisor_override": 2**1023},
            ParameterError,
            r"divisor_override must be below 2\*\*1023",
        ),
        ({"count_include_pad": 1}, ParameterTypeError, "count_include_pad must be True or False"),
        ({"ceil_mode": None}, ParameterTypeError, "ceil_mode must be True or False"),
        ({"stride": -1}, ParameterError, "stride must be >= 1"),
    ],
)
def test_bad_parameters_of_averages(options, kind, match):
    with pytest.raises(kind, match=match):
        sc.AvgPool2d(2, **options)


def test_huge_kernels_strides_and_divisors():
    large = sc.AvgPool1d(2, divisor_override=2**1022).operator((2,))
    assert large.apply([1, 2]).tolist() == [Fraction(3, 2**1022)]
    assert large.apply(np.array([1.0, 2.0])).tolist() == [3 / 2.0**1022]
    wide = sc.AvgPool1d(10**6, padding=10**6).operator((4,))
    assert wide.apply([1, 2, 3, 4]).tolist() == [0, Fraction(10, 10**6)]
    assert wide.T.apply([5, 10]).tolist() == [Fraction(10, 10**6)] * 4
    with pytest.raises(TooLargeError, match="above the limit of"):
        sc.AvgPool2d(10**9, padding=10**9).operator((4, 4))
    with pytest.raises(TooLargeError, match="above the limit of 2\\*\\*62"):
        sc.AvgPool1d(2, stride=2**70).operator((4,))


def test_batches_that_do_not_fit_are_refused():
    many = np.broadcast_to(np.float32(1), (2**40, 4, 4))
    whole = np.broadcast_to(np.int8(1), (2**40, 4, 4))
    for call in (
        lambda: MEAN.apply(many),
        lambda: OP.apply(many),
        lambda: OP.gradient(many, many[:, :2, :2]),
        lambda: OP.gradient(whole, whole[:, :2, :2]),
    ):
        with pytest.raises(TooLargeError, match="may be used"):
            call()
