"""Number systems: integers never wrap, exact stays exact, floats keep their type.

Everything is compared with the naive loops over Python objects, exactly.
"""

from __future__ import annotations

import dataclasses
import pickle
from fractions import Fraction

import numpy as np
import oracles
import pytest
import scipy.sparse.linalg
import strategies
import sympy
from checking import integers, oracle_apply, oracle_matrix
from hypothesis import given, strategies as st

import symconv as sc
from symconv.errors import DTypeError
from symconv.execute.csr import estimated_bytes, index_dtype

PLANS = ("taps", "sparse")
SYMBOLS = sympy.symbols("a b c")


def objects(values, shape):
    """Python objects, repeated to fill `shape`, with no detour through a NumPy number."""
    array = np.empty(int(np.prod(shape)), dtype=object)
    for at in range(array.size):
        array[at] = values[at % len(values)]
    return array.reshape(shape)


def plain(array):
    """The entries as Python ints, Fractions or SymPy expressions; the proof that none wrapped."""
    return np.asarray(array).astype(object)


def same(first, second):
    """Equal shapes, and equal entries as Python objects."""
    return first.shape == second.shape and all(
        a == b for a, b in zip(plain(first).ravel(), plain(second).ravel(), strict=True)
    )


def dense(matrix):
    return np.array(matrix.tolist(), dtype=object).reshape(matrix.shape)


def pickled(value):
    return pickle.loads(pickle.dumps(value))  # noqa: S301 - our own bytes


# One convolution and one transposed convolution that use everything, small enough for loops.

CONV = sc.Conv(4, 6, (2, 3), stride=(1, 2), padding=((1, 0), (2, 1)), dilation=(2, 1), groups=2)
CONV_SIZE = (4, 5)
TRANSPOSE = sc.ConvTranspose(4, 6, (2, 2), stride=2, padding=((1, 0), (0, 1)), groups=2)
TRANSPOSE_SIZE = (2, 3)
CIRCULAR = dataclasses.replace(CONV, padding=3, padding_mode="circular")
CASES = [
    pytest.param(CONV, CONV_SIZE, id="Conv"),
    pytest.param(CIRCULAR, CONV_SIZE, id="circular Conv"),
    pytest.param(TRANSPOSE, TRANSPOSE_SIZE, id="ConvTranspose"),
]


def oracle_gradient(layer, x, y):
    if isinstance(layer, sc.ConvTranspose):
        return oracles.conv_transpose_weight_gradient(
            x,
            y,
            layer.kernel_size,
            layer.stride,
            layer.dilation,
            layer.padding,
            layer.output_padding,
            layer.groups,
        )
    return oracles.weight_gradient(
        x,
        y,
        layer.kernel_size,
        layer.stride,
        layer.dilation,
        layer.padding,
        layer.groups,
        layer.padding_mode,
        layer.padding_value,
    )


def check_all_readings(layer, size, x_values, w_values, b_values):
    """apply, adjoint and gradient on these numbers, by both plans, equal the loops."""
    op = layer.operator(size)
    x = objects(x_values, (2, *op.input_shape))
    weight = objects(w_values, op.weight_shape)
    bias = objects(b_values, op.output_shape[:1])
    y = objects(x_values[::-1], (2, *op.output_shape))
    forward = oracle_apply(layer, x, weight, bias)
    matrix = oracle_matrix(layer, size, weight)
    backward = (y.reshape(2, -1) @ matrix).reshape(2, *op.input_shape)
    results = []
    for plan in PLANS:
        results.append((op.apply(x, weight, bias, plan), forward))
        results.append((op.T.apply(y, weight, plan=plan), backward))
    results.append((op.weight_gradient(x, y), oracle_gradient(layer, x, y)))
    for got, expected in results:
        assert same(got, expected)
    return [got for got, _ in results]


def check_integer_type(array):
    """int64, or Python integers where int64 might not do."""
    assert array.dtype == np.int64 or all(type(entry) is int for entry in array.ravel())


EDGES = [2**31, 2**53, 2**62, 2**63, 2**64, 2**100]


@pytest.mark.parametrize("edge", EDGES, ids=["2^31", "2^53", "2^62", "2^63", "2^64", "2^100"])
@pytest.mark.parametrize("factor", [(1, -1, 1), (1, 1, 1), (3, -2, 7), (2**31, -(2**31) - 1, 1)])
@pytest.mark.parametrize(("layer", "size"), CASES)
def test_integers_near_an_edge_never_wrap(layer, size, factor, edge):
    near = [edge, edge - 1, -edge, edge + 1, 1 - edge, 0, -1 - edge]
    for values, weights in ((near, factor), (factor, near)):
        for result in check_all_readings(layer, size, values, weights, near):
            check_integer_type(result)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize(("layer", "size"), CASES)
def test_integer_types_at_their_extremes(layer, size, dtype):
    limits = np.iinfo(dtype)
    extremes = np.array([limits.min, limits.max, limits.max, limits.min], dtype=dtype)
    op = layer.operator(size)
    x, weight = np.resize(extremes, op.input_shape), np.resize(extremes[::-1], op.weight_shape)
    bias, y = np.resize(extremes, op.output_shape[:1]), np.resize(extremes, op.output_shape)
    forward = oracle_apply(layer, x[None], weight, bias.tolist())[0]
    matrix = oracle_matrix(layer, size, weight)
    backward = (plain(y).ravel() @ matrix).reshape(op.input_shape)
    for plan in PLANS:
        assert same(op.apply(x, weight, bias, plan), forward)
        assert same(op.T.apply(y, weight, plan=plan), backward)
    assert same(op.weight_gradient(x, y), oracle_gradient(layer, x[None], y[None]))
    assert same(dense(op.exact(weight)), matrix)


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
def test_sums_that_just_fit_are_int64_and_the_next_ones_are_not(dtype):
    """Two products meet in one output: the bound is 2·|x|·|w|."""
    op = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    fits = op.apply(np.ones((1, 2), dtype=dtype), [[[2**62 - 1, 2**62 - 1]]])
    assert fits.dtype == np.int64
    assert fits.tolist() == [[2**63 - 2]]
    wide = op.apply(np.ones((1, 2), dtype=dtype), [[[2**62, 2**62]]])
    assert wide.dtype == object
    assert wide.tolist() == [[2**63]]
    assert type(wide[0, 0]) is int


def test_doubles_carry_products_up_to_their_limit_only():
    """Around 2⁵³ the plan changes from doubles to int64; the odd unit tells."""
    op = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    for base in (2**26, 2**27, 3 * 2**25, 94906266):
        for a in (base - 1, base, base + 1):
            for plan in PLANS:
                result = op.apply([[a, 1]], [[[a, 1]]], plan=plan)
                assert result.tolist() == [[a * a + 1]]
                assert result.dtype == np.int64


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (2**63 - 1, 1),
        (-(2**63), -1),
        (2**62, 2**62),
        (2**64 - 1, 1),
        (-(2**63), 2**63),
        (2**53, 1),
    ],
)
def test_bias_addition_never_wraps(first, second):
    op = sc.Conv1d(1, 1, 1).operator((2,))
    for x, weight, bias in ([[first, 0]], 1, second), ([[second, 0]], 1, first):
        for plan in PLANS:
            result = op.apply(x, [[[weight]]], [bias], plan)
            assert result.tolist() == [[first + second, bias]]
            check_integer_type(result)
    assert op.offset([[[1]]], [first]).tolist() == [[first, first]]


# Lists: NumPy's own conversion would round some of these to doubles

MIXED = [
    [2**63, -1],
    [2**63 + 1, -(2**62) + 1],
    [2**64 - 1, -1],
    [2**64, -1],
    [np.uint64(2**63 + 1), np.int64(-1)],
    [np.uint64(2**64 - 1), -1],
    [np.uint64(3), np.int8(-1)],
    [sympy.Integer(2**70), np.uint8(3)],
]


@pytest.mark.parametrize("pair", MIXED, ids=repr)
def test_lists_of_integers_are_exact_whatever_they_mix(pair):
    expected = [int(entry) for entry in pair]
    op = sc.Conv1d(1, 1, 1).operator((2,))
    for plan in PLANS:
        assert op.apply([pair], [[[1]]], [0], plan).tolist() == [expected]
    taps = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    assert taps.exact([[pair]]).tolist() == [expected]
    assert taps.apply([[1, 0]], [[pair]]).tolist() == [[expected[0]]]
    assert taps.T.apply([[1]], [[pair]]).tolist() == [expected]
    pairs = sc.Conv1d(1, 2, 1).operator((1,))
    assert pairs.apply([[0]], [[[1]], [[1]]], pair).tolist() == [[entry] for entry in expected]
    assert op.weight_gradient([pair], [[1, 0]]).tolist() == [[[expected[0]]]]
    assert sc.Pad((0,)).operator((2,)).apply(pair).tolist() == expected
    # The size comes first: three outputs from two samples and two taps.
    assert sc.convolution_matrix(pair, 1, exact=True).tolist() == [[entry] for entry in expected]


def test_lists_of_arrays_of_several_integer_types_are_exact():
    op = sc.Conv1d(2, 1, 1, bias=False).operator((1,))
    x = [np.array([2**63 + 1], dtype=np.uint64), np.array([-1], dtype=np.int64)]
    assert op.apply(x, [[[1], [1]]]).tolist() == [[2**63]]


def test_floats_in_a_list_make_it_floating():
    result = sc.Conv1d(1, 1, 1, bias=False).operator((2,)).apply([[1, 0.5]], [[[2]]])
    assert result.dtype == np.float64
    assert result.tolist() == [[2.0, 1.0]]


# Fractions and symbols


@pytest.mark.parametrize(("layer", "size"), CASES)
def test_fractions_are_exact(layer, size):
    values = [Fraction(1, 3), Fraction(-22, 7), 5, Fraction(2**70, 3), 0, Fraction(1, 2**65)]
    for result in check_all_readings(layer, size, values, values[1:], values[2:]):
        assert result.dtype == object
        assert all(type(entry) is Fraction for entry in result.ravel())
    for weights in ([2, -3, 7], [2**80, -1]):
        check_all_readings(layer, size, values, weights, [1, 2])
        check_all_readings(layer, size, weights, values, [1, 2])


@pytest.mark.parametrize(("layer", "size"), CASES)
def test_symbols_are_exact_and_come_out_expanded(layer, size):
    a, b, c = SYMBOLS
    values = [a, b - c, sympy.Integer(3), 2**70, Fraction(1, 3) * sympy.Integer(1), sympy.pi]
    op = layer.operator(size)
    x, weight = objects(values, op.input_shape), objects([a + b, 2, -c], op.weight_shape)
    bias, y = objects([a, 0], op.output_shape[:1]), objects(values[1:], op.output_shape)
    expand = np.frompyfunc(sympy.expand, 1, 1)
    forward = expand(oracle_apply(layer, x[None], weight, bias))[0]
    backward = expand(y.ravel() @ oracle_matrix(layer, size, weight)).reshape(op.input_shape)
    for plan in PLANS:
        assert same(op.apply(x, weight, bias, plan), forward)
        assert same(op.T.apply(y, weight, plan=plan), backward)
    gradient = expand(oracle_gradient(layer, x[None], y[None]))
    assert same(op.weight_gradient(x, y), gradient)


def test_sympy_numbers_become_the_plain_exact_ones():
    op = sc.Conv1d(1, 1, 1, bias=False).operator((2,))
    integer = op.apply(sympy.Matrix([[3, 4]]), [[[sympy.Integer(2)]]])
    assert integer.dtype == np.int64
    assert integer.tolist() == [[6, 8]]
    rational = op.apply(sympy.Matrix([[sympy.Rational(1, 2), 4]]), [[[3]]])
    assert [type(entry) for entry in rational.ravel()] == [Fraction, Fraction]
    symbolic = op.apply(sympy.Array([[SYMBOLS[0], 4]]), [[[3]]])
    assert symbolic.tolist() == [[3 * SYMBOLS[0], 12]]
    assert all(isinstance(entry, sympy.Expr) for entry in symbolic.ravel())


def test_irrational_numbers_are_exact_symbols():
    op = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    root = sympy.sqrt(2)
    assert op.apply([[root, sympy.I]], [[[root, sympy.I]]]).tolist() == [[1]]
    assert op.H.exact([[[sympy.I, 1]]]).tolist() == [[-sympy.I], [1]]


# Floats

FLOATS = [np.float32, np.float64, np.complex64, np.complex128]


def floating(shape, dtype, seed=0):
    """Small whole numbers, complex where the type is: every sum of products is exact."""
    values = integers(shape, seed).astype(dtype)
    if np.issubdtype(dtype, np.complexfloating):
        values = values + 1j * integers(shape, seed + 100).astype(dtype)
    return values.astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize(("layer", "size"), CASES)
def test_floats_keep_their_type_and_small_integers_are_exact_in_them(layer, size, dtype):
    op = layer.operator(size)
    x, weight = floating((2, *op.input_shape), dtype), floating(op.weight_shape, dtype, 1)
    bias, y = floating(op.output_shape[:1], dtype, 2), floating((2, *op.output_shape), dtype, 3)
    forward = oracle_apply(layer, x, weight, bias).astype(dtype)
    matrix = oracle_matrix(layer, size, weight).astype(dtype)
    for plan in PLANS:
        result = op.apply(x, weight, bias, plan)
        assert result.dtype == dtype
        assert np.array_equal(result, forward)
        for turned, turned_matrix in ((op.T, matrix), (op.H, matrix.conj())):
            back = turned.apply(y, weight, plan=plan)
            assert back.dtype == dtype
            assert np.array_equal(back.reshape(2, -1), y.reshape(2, -1) @ turned_matrix)
    gradient = op.weight_gradient(x, y)
    assert gradient.dtype == dtype
    assert np.array_equal(gradient, oracle_gradient(layer, x, y).astype(dtype))


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("plan", PLANS)
def test_integers_do_not_widen_floats(dtype, plan):
    op = sc.Conv1d(1, 1, 2).operator((3,))
    image = np.array([[1, 2, 255]], dtype=np.uint8)
    weight, bias = np.array([[[0.5, 1]]], dtype=dtype), np.array([1], dtype=dtype)
    expected = [[3.5, 257.0]]
    for x, w, b in (
        (image, weight, bias),
        (image, weight, [1]),
        (image.astype(dtype), [[[1, 2]]], [0]),
    ):
        result = op.apply(x, w, b, plan)
        assert result.dtype == dtype
    assert op.apply(image, weight, bias, plan).tolist() == expected
    assert op.weight_gradient(image, np.ones((1, 2), dtype=dtype)).dtype == dtype
    assert op.T.apply([[1, 2]], weight, plan=plan).dtype == dtype
    assert op.offset(weight, bias).dtype == dtype
    for layer in (sc.AvgPool1d(2), sc.Pad((1,)), sc.Unfold((2,))):
        data = image[0].astype(dtype)
        assert layer.operator((3,)).apply(data, plan=plan).dtype == dtype
    for value in (7, 0.5):
        layer = sc.Pad((1,), padding_mode="constant", padding_value=value)
        padded = layer.operator((3,)).apply(image[0].astype(dtype), plan=plan)
        assert padded.dtype == dtype
        assert padded.tolist() == [value, 1, 2, 255, value]


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [
        ("f4", "f8", "f8"),
        ("f4", "c8", "c8"),
        ("f8", "c8", "c16"),
        ("f4", "c16", "c16"),
        ("c8", "c16", "c16"),
        (">f4", "<f4", "f4"),
        ("i8", "f4", "f4"),
        ("u1", "c8", "c8"),
    ],
)
def test_floats_of_two_types_meet_in_the_common_one(first, second, common):
    op = sc.Conv1d(1, 1, 1, bias=False).operator((2,))
    for one, other in ((first, second), (second, first)):
        for plan in PLANS:
            result = op.apply(np.ones((1, 2), one), np.ones((1, 1, 1), other), plan=plan)
            assert result.dtype == np.dtype(common)
            assert result.dtype.isnative


# Plans, bit for bit


def exact_numbers():
    edge = st.sampled_from([0, 1, -1, 2**31, -(2**53), 2**62, 2**63, -(2**63) - 1, 2**64])
    integer = st.integers(-9, 9) | edge
    return st.sampled_from(
        [
            [0, 1, -2, 3],
            [2**31 - 1, -(2**31)],
            [2**62, -(2**62), 1],
            [2**63, -1, 2**63 - 1],
            [Fraction(1, 3), 2, Fraction(-5, 7)],
            [2**70, Fraction(1, 2**70)],
        ]
    ) | st.lists(integer, min_size=1, max_size=4)


@given(strategies.conv_cases(bias=st.just(True)), exact_numbers(), exact_numbers())
@strategies.examples(80)
def test_plans_agree_bit_for_bit_on_exact_data(case, values, weights):
    layer, size = case
    op = layer.operator(size)
    x, weight = objects(values, (2, *op.input_shape)), objects(weights, op.weight_shape)
    bias, y = objects(values, op.output_shape[:1]), objects(values, op.output_shape)
    for turned, given_x, given_bias in ((op, x, bias), (op.T, y, None), (op.H, y, None)):
        taps, csr = (turned.apply(given_x, weight, given_bias, plan) for plan in PLANS)
        assert taps.dtype == csr.dtype
        assert taps.tolist() == csr.tolist()
        types = [type(entry) for entry in taps.ravel().tolist()]
        assert types == [type(entry) for entry in csr.ravel().tolist()]
    assert same(op.apply(x, weight, bias), oracle_apply(layer, x, weight, bias))


@given(strategies.pool_cases(), exact_numbers())
@strategies.examples(60)
def test_averages_of_exact_numbers_are_fractions(case, values):
    layer, size = case
    x = objects(values, (2, *size))
    arguments = (
        layer.kernel_size,
        layer.stride,
        layer.padding,
        layer.dilation,
        layer.ceil_mode,
        layer.count_include_pad,
        layer.divisor_override,
    )
    expected = oracles.avg_pool(x, *arguments)
    if any(entry is None for entry in expected.ravel()):
        return
    op = layer.operator(size)
    for plan in PLANS:
        result = op.apply(x, plan=plan)
        assert all(type(entry) is Fraction for entry in result.ravel())
        assert same(result, expected)
    y = objects(values[::-1], (1, *op.output_shape))
    assert same(op.T.apply(y), oracles.avg_pool_gradient(y, size, *arguments))


@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8"])
def test_averages_of_extreme_integers(dtype):
    limits = np.iinfo(dtype)
    x = np.array([limits.max, limits.max, limits.min, limits.min], dtype=dtype)
    op = sc.AvgPool1d(2, stride=1).operator((4,))
    middle = Fraction(int(limits.max) + int(limits.min), 2)
    for plan in PLANS:
        assert op.apply(x, plan=plan).tolist() == [limits.max, middle, limits.min]


# Constant padding

VALUES = {
    "int": 7,
    "negative": -(2**63),
    "large int": 2**64 + 1,
    "Fraction": Fraction(-22, 7),
    "SymPy Rational": sympy.Rational(5, 3),
    "symbol": sympy.Symbol("p"),
    "expression": sympy.sqrt(2) * sympy.Symbol("p") + 1,
}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_constant_padding_is_exact(value, plan):
    conv = sc.Conv(
        2,
        2,
        (2, 2),
        stride=(1, 2),
        padding=((1, 0), (2, 2)),
        padding_mode="constant",
        padding_value=value,
    )
    op = conv.operator((2, 3))
    expand = np.frompyfunc(sympy.expand, 1, 1)
    for numbers in ([1, 2, -3], [2**62, -1], [Fraction(1, 2), 3]):
        x, weight = objects(numbers, (2, *op.input_shape)), objects(numbers, op.weight_shape)
        bias = [2**62, 2**62 - 1]
        result = op.apply(x, weight, bias, plan)
        expected = oracle_apply(conv, x, weight, bias)
        assert same(expand(plain(result)), expand(expected))
        linear = op.apply_linear(x, weight, plan)
        assert same(expand(plain(result) - plain(linear)), expand(expected - plain(linear)))
        assert same(expand(plain(op.offset(weight, bias)) + plain(linear)), expand(expected))
    pad = sc.Pad(((1, 2),), padding_mode="constant", padding_value=value).operator((2,))
    result = pad.apply([5, -(2**63)], plan=plan)
    assert [sympy.sympify(entry) for entry in result] == [value, 5, -(2**63), value, value]
    patches = sc.Unfold((2,), padding=1, padding_mode="constant", padding_value=value)
    got = patches.operator((2,)).apply([3, 4], plan=plan)
    assert got.tolist() == [[value, 3, 4], [3, 4, value]]


def test_constant_padding_with_floats():
    layer = sc.Conv1d(1, 1, 2, padding=1, padding_mode="constant", padding_value=0.5, bias=False)
    op = layer.operator((2,))
    assert op.apply([[1, 2]], [[[1, 10]]]).tolist() == [[10.5, 21.0, 7.0]]
    imaginary = sc.Pad((1,), padding_mode="constant", padding_value=1j).operator((1,))
    assert imaginary.apply([2.0]).tolist() == [1j, 2, 1j]
    with pytest.raises(DTypeError, match=r"^padding_value and|^weight is exact|^padding_value"):
        op.apply([[1, 2]], [[[Fraction(1, 2), 1]]])


def test_constant_padding_reads_as_zeros_in_every_linear_reading():
    """The affine part belongs to `apply` and `offset` of the layer's own direction alone."""
    layer = sc.Conv1d(1, 1, 2, padding=1, padding_mode="constant", padding_value=5, bias=False)
    zeros = sc.Conv1d(1, 1, 2, padding=1, bias=False)
    op, linear = layer.operator((2,)), zeros.operator((2,))
    weight, x, y = [[[2, 3]]], [[1, 4]], [[1, 2, 3]]
    assert op.exact() == linear.exact()
    assert op.jacobian() == linear.jacobian()
    assert op.apply_linear(x, weight).tolist() == linear.apply(x, weight).tolist()
    assert (op.bind(weight) @ x).tolist() == linear.apply(x, weight).tolist()
    assert op.T.apply(y, weight).tolist() == linear.T.apply(y, weight).tolist()
    assert op.H.apply(y, weight).tolist() == linear.H.apply(y, weight).tolist()
    assert op.H.T.apply(x, weight).tolist() == linear.H.T.apply(x, weight).tolist()
    assert not np.any(op.T.offset(weight))
    product = op.linear_operator(np.array(weight)) @ np.array(x).ravel()
    assert product.tolist() == linear.apply(x, weight)[0].tolist()


@pytest.mark.parametrize("value", [7, 2**63, Fraction(1, 3), sympy.Symbol("p")], ids=repr)
def test_the_weight_gradient_sees_the_constant(value):
    """A constant boundary is linear in the weights: the gradient of what `apply` computes."""
    layer = sc.Conv1d(1, 2, 2, padding=1, padding_mode="constant", padding_value=value, bias=False)
    op = layer.operator((2,))
    x, y = np.array([[3, 4]]), np.arange(6).reshape(op.output_shape)
    expected = oracle_gradient(layer, x[None], y[None])
    weight = op.weight_symbols()
    pairing = sympy.expand((plain(op.apply(x, weight)) * plain(y)).sum())
    for index in np.ndindex(*op.weight_shape):
        assert sympy.expand(pairing.diff(weight[index]) - expected[index]) == 0
    assert same(op.weight_gradient(x, y), expected)


# Batches

EVERY_KIND = {
    "Conv": (sc.Conv2d(2, 4, 2, padding=1, groups=2, bias=False), (3, 2)),
    "circular Conv": (sc.Conv2d(2, 1, 3, padding=2, padding_mode="circular", bias=False), (2, 3)),
    "ConvTranspose": (sc.ConvTranspose2d(2, 3, 2, stride=2, output_padding=1, bias=False), (2, 2)),
    "AvgPool": (sc.AvgPool2d(2, stride=1), (3, 3)),
    "Pad": (sc.Pad(((1, 1), (0, 2)), padding_mode="reflect"), (2, 3)),
    "constant Pad": (sc.Pad((1, 0), padding_mode="constant", padding_value=9), (2, 2)),
    "Unfold": (sc.Unfold((2, 2), padding=1), (2, 3)),
    "Fold": (sc.Fold((3, 3), (2, 2)), (2, 2)),
}
SYSTEMS = {
    "int": integers,
    "large int": lambda shape, seed: plain(integers(shape, seed)) * 2**63,
    "Fraction": lambda shape, seed: objects([Fraction(1, 3), -2], shape),
    "symbol": lambda shape, seed: objects([SYMBOLS[seed % 3], 2], shape),
    "float32": lambda shape, seed: floating(shape, np.float32, seed),
    "complex128": lambda shape, seed: floating(shape, np.complex128, seed),
}


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_batch_axes(kind, system, plan):
    layer, size = EVERY_KIND[kind]
    op = layer.operator(size)
    numbers = SYSTEMS[system]
    weight = None if op.weight_shape is None else numbers(op.weight_shape, 1)
    x = numbers((2, 3, *op.input_shape), 2)
    for turned in (op, op.T):
        x = numbers((2, 3, *turned.input_shape), 2)
        whole = turned.apply(x, weight, plan=plan)
        assert whole.shape == (2, 3, *turned.output_shape)
        for i in range(2):
            assert same(turned.apply(x[i], weight, plan=plan), whole[i])
            for j in range(3):
                one = turned.apply(x[i, j], weight, plan=plan)
                assert one.shape == turned.output_shape
                assert same(one, whole[i, j])
        for empty in ((0,), (2, 0), (0, 3)):
            result = turned.apply(x[:0, :0].reshape(*empty, *turned.input_shape), weight, plan=plan)
            assert result.shape == (*empty, *turned.output_shape)
            assert result.size == 0
    if weight is not None:
        x, y = numbers((2, 3, *op.input_shape), 2), numbers((2, 3, *op.output_shape), 3)
        total = op.weight_gradient(x, y)
        parts = sum(plain(op.weight_gradient(x[i, j], y[i, j])) for i in range(2) for j in range(3))
        assert same(
            total, parts if system != "symbol" else np.frompyfunc(sympy.expand, 1, 1)(parts)
        )
        nothing = op.weight_gradient(x[:0], y[:0])
        assert nothing.shape == op.weight_shape
        assert not np.any(nothing)


# Memory layouts


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize("dtype", ["i2", "i8", "u8", "f4", "f8", "c8", "O"])
@pytest.mark.parametrize(("layer", "size"), CASES)
def test_memory_layouts_do_not_matter_and_inputs_stay_whole(layer, size, dtype, plan):
    op = layer.operator(size)
    shapes = ((2, *op.input_shape), op.weight_shape, op.output_shape[:1], (2, *op.output_shape))
    originals = [integers(shape, seed, low=0).astype(dtype) for seed, shape in enumerate(shapes)]
    x, weight, bias, y = originals
    expected = op.apply(x, weight, bias, plan), op.T.apply(y, weight, plan=plan)
    gradient = op.weight_gradient(x, y)

    def spread(array):
        """Every second sample of a larger array, in reverse."""
        larger = np.zeros([2 * n for n in array.shape], dtype=array.dtype)
        view = larger[(slice(None, None, -2),) * array.ndim]
        view[...] = array
        return view

    layouts = {
        "Fortran": np.asfortranarray,
        "spread": spread,
        "read-only": read_only,
        "swapped": lambda array: array.astype(array.dtype.newbyteorder()),
        "strided": lambda array: np.moveaxis(
            np.ascontiguousarray(np.moveaxis(array, 0, -1)), -1, 0
        ),
    }
    for change in layouts.values():
        turned = [change(array) for array in originals]
        before = [array.copy() for array in turned]
        assert same(op.apply(turned[0], turned[1], turned[2], plan), expected[0])
        assert op.apply(turned[0], turned[1], turned[2], plan).dtype == expected[0].dtype
        assert same(op.T.apply(turned[3], turned[1], plan=plan), expected[1])
        assert same(op.weight_gradient(turned[0], turned[3]), gradient)
        if dtype not in ("f4", "f8", "c8"):
            assert op.exact(turned[1]) == op.exact(weight)
        if dtype != "O":
            assert (op.sparse(turned[1], dtype) != op.sparse(weight, dtype)).nnz == 0
        for array, copy in zip(turned, before, strict=True):
            assert np.array_equal(array, copy)


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


@pytest.mark.parametrize("dtype", ["i8", "f4", "f8", "O"])
@pytest.mark.parametrize("kind", ["Pad", "Unfold", "Fold", "Conv"])
def test_results_never_share_memory_with_inputs(kind, dtype):
    layer, size = {
        "Pad": (sc.Pad((0, 0)), (2, 3)),
        "Unfold": (sc.Unfold((1, 1)), (2, 3)),
        "Fold": (sc.Fold((2, 3), (1, 1)), (2, 3)),
        "Conv": (sc.Conv2d(1, 1, 1, bias=False), (2, 3)),
    }[kind]
    op = layer.operator(size)
    x = np.ones(op.input_shape, dtype=dtype)
    weight = None if op.weight_shape is None else np.ones(op.weight_shape, dtype=dtype)
    for plan in PLANS:
        result = op.apply(x, weight, plan=plan)
        assert not np.shares_memory(result, x)
        assert result.flags.writeable


def test_broadcast_views_are_legal_inputs():
    op = sc.Conv1d(2, 1, 2, bias=False).operator((3,))
    x = np.broadcast_to(np.int64(3), (4, *op.input_shape))
    assert op.apply(x, np.broadcast_to(np.int64(1), op.weight_shape)).tolist() == [[[12, 12]]] * 4


# Sparse matrices


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"])
@pytest.mark.parametrize("transposed", [False, True])
def test_sparse_integer_types_hold_what_fits_and_refuse_the_rest(dtype, transposed):
    op = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    op = op.T if transposed else op
    limits = np.iinfo(dtype)
    low, high = int(limits.min), int(limits.max)
    matrix = op.sparse([[[low, high]]], dtype)
    assert matrix.dtype == np.dtype(dtype)
    assert same(matrix.toarray(), dense(op.exact([[[low, high]]])))
    for weight in ([high + 1, 0], [0, low - 1], [2**70, 0], [-(2**70), 0]):
        match = r"^dtype must hold every entry, got u?int\d+ for weights"
        with pytest.raises(DTypeError, match=match):
            op.sparse(objects(weight, (1, 1, 2)), dtype)


@pytest.mark.parametrize("mode", ["circular", "reflect", "symmetric", "replicate"])
@pytest.mark.parametrize("dtype", ["i1", "u1", "i8", "u8"])
def test_sparse_refuses_entries_where_several_taps_meet_beyond_the_type(mode, dtype):
    """On one sample all three taps read it: the entries hold the sum of three weights."""
    op = sc.Conv1d(1, 1, 3, padding=1, padding_mode=mode, bias=False).operator((1,))
    high = int(np.iinfo(dtype).max)
    third = high // 3
    assert same(op.sparse([[[third] * 3]], dtype).toarray(), np.array([[3 * third]]))
    for turned in (op, op.T):
        with pytest.raises(DTypeError, match="of which up to 3 meet on one entry"):
            turned.sparse([[[third + 1] * 3]], dtype)
    if dtype == "i1":
        assert op.sparse([[[-42] * 3]], dtype).toarray().tolist() == [[-126]]
        with pytest.raises(DTypeError, match="of which up to 3 meet on one entry"):
            op.sparse([[[-43] * 3]], dtype)


@pytest.mark.parametrize("dtype", FLOATS, ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize(("layer", "size"), CASES)
def test_sparse_floats(layer, size, dtype):
    op = layer.operator(size)
    for weight in (integers(op.weight_shape), objects([Fraction(1, 2), -3], op.weight_shape)):
        matrix = op.sparse(weight, dtype)
        assert matrix.dtype == dtype
        assert np.array_equal(matrix.toarray(), oracle_matrix(layer, size, weight).astype(dtype))
        assert np.array_equal(op.T.sparse(weight, dtype).toarray(), matrix.toarray().T)
    if np.issubdtype(dtype, np.complexfloating):
        weight = floating(op.weight_shape, dtype)
        matrix = op.sparse(weight, dtype).toarray()
        assert np.array_equal(op.H.sparse(weight, dtype).toarray(), matrix.conj().T)
        assert np.array_equal(op.T.sparse(weight, dtype).toarray(), matrix.T)
        with pytest.raises(DTypeError, match=r"^dtype must be complex for complex weights"):
            op.sparse(weight)


@pytest.mark.parametrize(
    ("weight", "dtype"),
    [
        (1e300, np.float32),
        (-1e39, np.float32),
        (2**200, np.float32),
        (Fraction(10**50), np.float32),
        (1e300 + 1j, np.complex64),
        (Fraction(10**400), np.float64),
        (10**400, np.complex128),
    ],
    ids=repr,
)
def test_sparse_refuses_finite_weights_that_would_become_infinite(weight, dtype):
    op = sc.Conv1d(1, 1, 1, bias=False).operator((2,))
    array = objects([weight], (1, 1, 1)) if isinstance(weight, (int, Fraction)) else [[[weight]]]
    with pytest.raises(DTypeError, match=r"^dtype must hold every weight, got "):
        op.sparse(array, dtype)


def test_sparse_averages():
    op = sc.AvgPool1d(3).operator((3,))
    for dtype in FLOATS:
        assert op.sparse(dtype=dtype).toarray().tolist() == [[dtype(1) / dtype(3)] * 3]


def test_index_type():
    limit = 2**31 - 1
    assert index_dtype((5, 5), limit) == np.int32
    assert index_dtype((5, 5), limit + 1) == np.int64
    assert index_dtype((limit, 5), 3) == np.int32
    assert index_dtype((limit + 1, 5), 3) == np.int64
    assert index_dtype((5, limit + 1), 3) == np.int64
    assert index_dtype((0, 0), 0) == np.int32
    assert estimated_bytes((2, 5), 3, 8) == 3 * (8 + 4) + 3 * 4
    assert estimated_bytes((2, 2**40), 3, 8) == 3 * (8 + 8) + 3 * 8


def test_wide_matrices_get_wide_indices():
    op = sc.Conv2d(1, 1, 1, stride=2**17, bias=False).operator((2**17, 2**17))
    matrix = op.sparse([[[[3]]]], int)
    assert op.shape == matrix.shape == (1, 2**34)
    assert matrix.indices.dtype == matrix.indptr.dtype == np.int64
    assert (matrix.nnz, matrix.data[0], matrix.indices[0]) == (1, 3, 0)


# H against T, LinearOperator


def gaussian(shape, seed):
    """Gaussian integers in complex128: products and sums of a few are exact."""
    return floating(shape, np.complex128, seed)


@pytest.mark.parametrize("plan", PLANS)
@pytest.mark.parametrize(("layer", "size"), CASES)
def test_the_adjoint_is_the_conjugate_transpose(layer, size, plan):
    op = layer.operator(size)
    weight = gaussian(op.weight_shape, 1)
    linear = op.linear_operator(weight, plan)
    x, y = gaussian(op.shape[1:], 2), gaussian(op.shape[:1], 3)
    matrix = op.sparse(weight, complex).toarray()
    assert linear.shape == op.shape
    assert linear.dtype == np.complex128
    assert np.array_equal(linear.matvec(x), matrix @ x)
    assert np.array_equal(linear.dot(x), matrix @ x)
    assert np.array_equal(linear @ x[:, None], (matrix @ x)[:, None])
    assert np.array_equal(linear.rmatvec(y), matrix.conj().T @ y)
    assert np.array_equal(linear.adjoint() @ y, matrix.conj().T @ y)
    assert np.array_equal(linear.H @ y, matrix.conj().T @ y)
    assert np.array_equal(linear.T @ y, matrix.T @ y)
    assert np.vdot(y, linear @ x) == np.vdot(linear.H @ y, x)
    several, back = gaussian((op.shape[1], 4), 4), gaussian((op.shape[0], 4), 5)
    assert np.array_equal(linear.matmat(several), matrix @ several)
    assert np.array_equal(linear @ several, matrix @ several)
    assert np.array_equal(linear.rmatmat(back), matrix.conj().T @ back)
    assert np.array_equal(linear.matmat(several[:, :0]), np.zeros((op.shape[0], 0)))
    bound = op.bind(weight, None if not layer.bias else np.zeros(op.output_shape[0]))
    assert np.array_equal(bound.H @ y, matrix.conj().T @ y)
    assert np.array_equal(bound.T @ y, matrix.T @ y)
    assert np.array_equal(bound.linear_operator(plan) @ x, matrix @ x)


@given(strategies.conv_cases())
@strategies.examples(60)
def test_adjointness_is_exact_on_gaussian_integers(case):
    layer, size = case
    op = layer.operator(size)
    weight = gaussian(op.weight_shape, 1)
    linear = op.linear_operator(weight)
    x, y = gaussian(op.shape[1:], 2), gaussian(op.shape[:1], 3)
    assert np.vdot(y, linear @ x) == np.vdot(linear.H @ y, x)


@pytest.mark.parametrize("kind", ["AvgPool", "Pad", "Unfold", "Fold"])
@pytest.mark.parametrize("plan", PLANS)
def test_linear_operators_without_weights(kind, plan):
    layer, size = EVERY_KIND[kind]
    op = layer.operator(size)
    linear = op.linear_operator(plan=plan)
    matrix = op.sparse().toarray()
    x, y = integers(op.shape[1:], 2).astype(float), integers(op.shape[:1], 3).astype(float)
    assert np.allclose(linear @ x, matrix @ x, rtol=1e-15)
    assert np.allclose(linear.H @ y, matrix.T @ y, rtol=1e-15)
    several = np.stack([x, 2 * x], axis=1)
    assert np.allclose(linear.matmat(several), matrix @ several, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64])
def test_least_squares_runs_on_a_linear_operator(dtype):
    op = sc.Conv2d(1, 2, 2, padding=1, bias=False).operator((4, 5))
    weight = integers(op.weight_shape, 1).astype(dtype)
    x = integers(op.shape[1:], 2).astype(float)
    linear = op.linear_operator(weight)
    y = linear @ x
    solution = scipy.sparse.linalg.lsqr(linear, y, atol=1e-12, btol=1e-12)[0]
    assert np.allclose(solution, x, atol=1e-4)


# Bound operators and affine maps


@pytest.mark.parametrize(("layer", "size"), CASES)
def test_a_bound_operator_is_an_affine_map_and_stays_one_when_turned_twice(layer, size):
    op = layer.operator(size)
    weight, bias = integers(op.weight_shape, 1), integers(op.output_shape[:1], 2)
    bound = op.bind(weight, bias)
    x = integers(op.input_shape, 3)
    forward = oracle_apply(layer, x[None], weight, bias)[0]
    assert same(bound.apply(x), forward)
    assert same(bound.T.T.apply(x), forward)
    assert same(bound.T.T @ x, bound @ x)
    assert np.array_equal(bound.bias, bias)
    assert bound.T.bias is None
    assert np.array_equal(bound.T.T.bias, bias)
    assert bound.T.T.operator == op
    matrix, constant = bound.affine()
    assert matrix == op.exact(weight) == bound.exact()
    assert constant.shape == (op.shape[0], 1)
    column = matrix * sympy.Matrix(x.ravel().tolist()) + constant
    assert [int(entry) for entry in column] == forward.ravel().tolist()
    assert same(bound.offset.ravel(), np.array(constant.tolist(), dtype=object).ravel())
    back_matrix, nothing = bound.T.affine()
    assert back_matrix == matrix.T
    assert nothing == sympy.zeros(op.shape[1], 1)
    flat = bound @ x.ravel()
    assert flat.shape == (op.shape[0],)
    assert same(flat, (bound @ x).ravel())
    assert same(bound.sparse(int).toarray(), dense(matrix))


def test_affine_maps_with_a_constant_boundary():
    p = sympy.Symbol("p")
    layer = sc.Conv1d(1, 1, 2, padding=1, padding_mode="constant", padding_value=p)
    matrix, constant = layer.operator((2,)).bind([[[2, 3]]], [7]).affine()
    assert matrix.tolist() == [[3, 0], [2, 3], [0, 2]]
    assert constant.tolist() == [[2 * p + 7], [7], [3 * p + 7]]
    a, b = layer.operator((2,)).bind([[[Fraction(1, 2), 3]]], [Fraction(1, 3)]).affine()
    assert a[1, 0] == sympy.Rational(1, 2)
    assert b[1] == sympy.Rational(1, 3)


@pytest.mark.parametrize("kind", ["AvgPool", "Pad", "constant Pad", "Unfold", "Fold"])
def test_bound_maps_without_weights(kind):
    layer, size = EVERY_KIND[kind]
    op = layer.operator(size)
    bound = op.bind()
    matrix, constant = bound.affine()
    x = integers(op.input_shape, 1)
    image = matrix * sympy.Matrix(x.ravel().tolist()) + constant
    assert list(image) == [sympy.Rational(value) for value in bound.apply(x).ravel().tolist()]


# Identity, equality, printing


@given(strategies.conv_cases(bias=st.booleans()) | strategies.transpose_cases(bias=st.booleans()))
@strategies.examples(80)
def test_layers_and_operators_are_values(case):
    layer, size = case
    namespace = {"Conv": sc.Conv, "ConvTranspose": sc.ConvTranspose}
    again = eval(repr(layer), namespace)  # noqa: S307 - the point of the test
    assert again == layer
    assert hash(again) == hash(layer)
    assert repr(again) == repr(layer)
    op = layer.operator(size)
    twin = again.operator(size)
    assert op == twin
    assert hash(op) == hash(twin)
    assert op == op.T.T
    assert hash(op.T.T) == hash(op)
    assert op == op.H.H
    assert op.T.H == op.H.T
    assert op != op.T
    assert op.H != op.T
    assert op.has_bias == op.T.T.has_bias == layer.bias
    assert not op.T.has_bias
    other = dataclasses.replace(layer, bias=not layer.bias)
    assert other != layer
    assert other.operator(size) != op
    assert op.__eq__(layer) is NotImplemented
    assert pickled(layer) == layer
    assert pickled(op) == op


@given(strategies.pool_cases())
@strategies.examples(60)
def test_pools_are_values(case):
    layer, size = case
    again = eval(repr(layer), {"AvgPool": sc.AvgPool})  # noqa: S307
    assert again == layer
    assert hash(again) == hash(layer)
    if layer.count_include_pad or layer.divisor_override is not None:
        assert again.operator(size) == layer.operator(size)
        assert hash(again.operator(size)) == hash(layer.operator(size))


PRINTED = [
    sc.Conv2d(1, 1, 3, padding="same_upper", stride=2),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=7),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=Fraction(1, 3)),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=-(2**70)),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=0.1),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=np.float32(0.5)),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=np.int8(3)),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=sympy.Rational(7, 2)),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=sympy.Integer(7)),
    sc.Conv1d(1, 1, 3, padding_mode="constant", padding_value=2 + 1j),
    sc.Conv1d(1, 1, 3, padding_value=0.0),
    sc.ConvTranspose2d(2, 2, 3, groups=2, output_padding=(1, 0), bias=False),
    sc.AvgPool2d((2, 3), stride=1, padding=1, ceil_mode=True, divisor_override=5),
    sc.Pad(((1, 2), (-1, 0)), padding_mode="replicate"),
    sc.Pad((1,), padding_mode="constant", padding_value=Fraction(-1, 2)),
    sc.Unfold((2, 2), padding="same", padding_mode="circular"),
    sc.Fold((4, 5), (2, 3), stride=(2, 1)),
]


@pytest.mark.parametrize("layer", PRINTED, ids=repr)
def test_layers_print_as_the_call_that_makes_them(layer):
    names = {name: getattr(sc, name) for name in ("Conv", "ConvTranspose", "AvgPool", "Pad")}
    names.update(Unfold=sc.Unfold, Fold=sc.Fold, Fraction=Fraction, np=np)
    again = eval(repr(layer), names)  # noqa: S307
    assert again == layer
    assert hash(again) == hash(layer)
    assert pickled(layer) == layer


@pytest.mark.parametrize("layer", PRINTED, ids=repr)
def test_layers_are_frozen(layer):
    field = dataclasses.fields(layer)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field"):
        setattr(layer, field, 1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot delete field"):
        delattr(layer, field)


def test_equal_operators_have_equal_readings_not_merely_equal_layers():
    """Layers that spell one geometry differently have equal operators."""
    named = sc.Conv2d(1, 1, 3, padding="same", bias=False).operator((4, 4))
    spelled = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator((4, 4))
    assert named == spelled
    assert hash(named) == hash(spelled)
    assert sc.Fold((3,), (2,)).operator((2,)) == sc.Unfold((2,)).operator((3,)).T


# Rows, columns, Jacobian


def check_rows_and_columns(op, weight=None):
    matrix = op.exact(weight)
    for at, index in enumerate(np.ndindex(*op.output_shape)):
        assert op.row(*index, weight=weight) == matrix[at, :]
    for at, index in enumerate(np.ndindex(*op.input_shape)):
        assert op.column(*index, weight=weight) == matrix[:, at]


@given(strategies.conv_cases(ranks=(1, 2)) | strategies.transpose_cases(ranks=(1, 2)))
@strategies.examples(60)
def test_rows_and_columns_are_those_of_the_matrix(case):
    layer, size = case
    op = layer.operator(size)
    if op.shape[0] * op.shape[1] > 1500:
        return
    check_rows_and_columns(op)
    check_rows_and_columns(op.T, integers(op.weight_shape, 1))
    check_rows_and_columns(op.H, objects([SYMBOLS[0], sympy.I, 2], op.weight_shape))


@given(strategies.pool_cases(ranks=(1, 2)))
@strategies.examples(50)
def test_rows_and_columns_of_pools(case):
    layer, size = case
    if not layer.count_include_pad and layer.divisor_override is None:
        layer = dataclasses.replace(layer, padding=0)
        if min(layer._output_on(axis, n) for axis, n in enumerate(size)) < 1:
            return
    op = layer.operator(size)
    check_rows_and_columns(op)
    check_rows_and_columns(op.T)


@given(strategies.conv_cases(ranks=(1, 2), input_dilation=False))
@strategies.examples(40)
def test_rows_and_columns_of_patches_and_padding(case):
    conv, size = case
    if int(np.prod(size)) * int(np.prod(conv.output_size(size))) > 300:
        return
    unfold = sc.Unfold(
        conv.kernel_size,
        stride=conv.stride,
        padding=conv.padding,
        dilation=conv.dilation,
        padding_mode=conv.padding_mode,
    ).operator(size)
    check_rows_and_columns(unfold)
    check_rows_and_columns(unfold.T)
    wide = tuple((max(lo, 0), max(hi, 0)) for lo, hi in conv.padding)
    check_rows_and_columns(sc.Pad(wide, padding_mode=conv.padding_mode).operator(size))


def small(case):
    layer, size = case
    op = layer.operator(size)
    return op.shape[0] * op.shape[1] <= 600


@given(
    (strategies.conv_cases(ranks=(1, 2)) | strategies.transpose_cases(ranks=(1, 2))).filter(small)
)
@strategies.examples(60)
def test_the_jacobian_is_the_exact_matrix(case):
    layer, size = case
    op = layer.operator(size)
    assert op.jacobian() == op.exact()
    weight = integers(op.weight_shape, 1)
    assert op.jacobian(weight) == op.exact(weight)
    halves = objects([Fraction(1, 2), -3, Fraction(2, 7)], op.weight_shape)
    assert op.T.jacobian(halves) == op.T.exact(halves)
    assert op.H.jacobian(halves) == op.H.exact(halves)


@given(strategies.pool_cases(ranks=(1, 2)))
@strategies.examples(30)
def test_the_jacobian_of_a_pool_is_the_exact_matrix(case):
    layer, size = case
    layer = dataclasses.replace(layer, count_include_pad=True)
    op = layer.operator(size)
    assert op.jacobian() == op.exact()
    assert op.T.jacobian() == op.T.exact()


def test_the_jacobian_knows_its_inputs_from_symbols_of_that_name():
    """Weights may be called x_0_0 as well."""
    op = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    weight = objects([sympy.Symbol("x_0_0"), sympy.Symbol("x_0_1")], op.weight_shape)
    assert op.jacobian(weight) == op.exact(weight)


def test_the_jacobian_with_weights_that_expand():
    a, b, _ = SYMBOLS
    op = sc.Conv1d(1, 1, 2, padding=1, padding_mode="circular", bias=False).operator((2,))
    weight = objects([(a + 1) * b, (a - b) ** 2], op.weight_shape)
    assert sc.same_operator(op.jacobian(weight), op.exact(weight))
