"""Kernels with channels, depthwise factors, and layers run in one pass per axis."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import given, strategies as st
from strategies import MODES, conv_cases, examples, transpose_cases

import symconv as sc
from symconv import evaluation, maps
from symconv.algebras import Algebra
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError
from symconv.passes import apply_separable, axis_operators, separable_operators
from symconv.separable import (
    channels,
    depthwise_factorization,
    exact_passes,
    float_passes,
    slice_ranks,
)


def integers(shape, seed=0, largest=4):
    return np.random.default_rng(seed).integers(-largest, largest + 1, shape)


# ---------------------------------------------------------------------------------------------
# Channel kernels


def test_slices():
    weight = np.zeros((2, 3, 3, 3), dtype=int)
    weight[0, 1] = np.outer([1, 2, 1], [-1, 0, 1])
    weight[1, 0] = np.eye(3)
    weight[1, 2] = np.diag([1, 1, 0])
    assert slice_ranks(weight).tolist() == [[0, 1, 0], [3, 0, 2]]
    assert slice_ranks(np.ones((1, 1, 2, 2, 2), int)).tolist() == [[1]]
    assert slice_ranks(np.ones((2, 1, 4))).tolist() == [[1], [1]]
    with pytest.raises(ShapeError, match="weight must have at least 3 axes"):
        slice_ranks([[1, 2]])


@examples(30)
@given(st.sampled_from([(4, 2, 3, 1), (6, 2, 2, 2), (3, 1, 4, 3), (2, 3, 5, 1)]),
       st.integers(0, 10**6), st.integers(1, 3))  # fmt: skip
def test_depthwise_factors_are_exact_and_minimal(case, seed, rank):
    out, per_group, taps, groups = case
    rng = np.random.default_rng(seed)
    outputs = out // groups
    weight = np.concatenate([
        np.einsum(
            "ocj,cjk->ock",
            rng.integers(-2, 3, (outputs, per_group, rank)),
            rng.integers(-2, 3, (per_group, rank, taps)),
        )
        for _ in range(groups)
    ])  # fmt: skip
    factors = depthwise_factorization(weight, groups=groups)
    assert factors.product().tolist() == weight.tolist()
    for channel, multiplier in enumerate(factors.multipliers):
        group, inside = divmod(channel, per_group)
        matrix = weight[group * outputs : (group + 1) * outputs, inside]
        assert multiplier == sympy.Matrix(matrix.tolist()).rank() <= rank
    assert factors.weights == sum(factors.multipliers) * (taps + outputs)
    assert factors.is_separable == (factors.multiplier <= 1)
    # As two layers, run.
    depthwise, pointwise = (part.astype(np.int64) for part in factors.uniform())
    inputs, m = per_group * groups, max(factors.multiplier, 1)
    x = rng.integers(-5, 6, (inputs, 9))
    first = sc.Conv1d(inputs, inputs * m, taps, groups=inputs, bias=False).operator((9,))
    middle = first.apply(x, depthwise)
    last = sc.Conv1d(inputs * m, out, 1, groups=groups, bias=False)
    y = last.operator(middle.shape[1:]).apply(middle, pointwise)
    dense = sc.Conv1d(inputs, out, taps, groups=groups, bias=False).operator((9,))
    assert np.array_equal(y, dense.apply(x, weight))


def test_the_notes_n13():
    rng = np.random.default_rng(0)
    depthwise, pointwise = rng.integers(-3, 4, (3, 5, 5)), rng.integers(-3, 4, (256, 3))
    factors = depthwise_factorization(pointwise[:, :, None, None] * depthwise)
    assert factors.is_separable
    # 75 + 768 weights; with 3 + 256 biases the notes' 1102.
    assert factors.weights == 3 * 25 + 256 * 3 == 1102 - 259
    assert factors.dense_weights == 19456 - 256
    # Another kernel in one slice needs a second one for that channel alone.
    dense = pointwise[:, :, None, None] * depthwise
    dense[0, 1, 0, 0] += 1
    assert depthwise_factorization(dense).multipliers == (1, 2, 1)
    with pytest.raises(ParameterError, match="groups must divide the output channels 256, got 3"):
        depthwise_factorization(dense, groups=3)
    symbol = sympy.Symbol("s")
    assert depthwise_factorization([[[symbol, 1]], [[symbol**2, symbol]]]).multipliers == (1,)
    assert depthwise_factorization(np.zeros((2, 1, 3), int)).multipliers == (0,)
    assert depthwise_factorization(np.zeros((2, 1, 3), int)).uniform()[0].shape == (1, 1, 3)


# ---------------------------------------------------------------------------------------------
# Passes


def product(operators):
    matrix = None
    for operator in operators:
        exact = operator.exact()
        matrix = exact if matrix is None else exact * matrix
    return matrix


@examples(40)
@given(st.one_of(conv_cases(ranks=(1, 2, 3)), transpose_cases(ranks=(1, 2, 3))), st.integers(0, 99))
def test_passes_compose_to_the_dense_operator(case, seed):
    layer, size = case
    op = layer.operator(size)
    weight = integers(op.weight_shape, seed)
    if seed % 3 == 0:
        weight = weight.astype(object) * Fraction(1, 6)
    operators = separable_operators(layer, size, weight)
    assert len(operators) == layer.rank
    if op.shape[0] * op.shape[1] < 4000:
        assert sc.same_operator(product(operators), op.exact(weight))
    x = integers((2, *op.input_shape), seed + 1)
    y = op.apply(x, weight, plan="separable")
    assert np.array_equal(y, op.apply(x, weight))
    back = op.T.apply_linear(y, weight, plan="separable")
    assert np.array_equal(back, op.T.apply_linear(y, weight))


@pytest.mark.parametrize("mode", [*MODES, "constant"])
@pytest.mark.parametrize("stride", [1, (2, 1)])
def test_every_boundary_with_bias_and_batches(mode, stride):
    value = {"padding_value": 3} if mode == "constant" else {}
    layer = sc.Conv(2, 3, (3, 2), stride=stride, padding=((2, 1), (0, 3)), dilation=(1, 2),
                    padding_mode=mode, **value)  # fmt: skip
    op = layer.operator((5, 4))
    weight, bias = integers(op.weight_shape), integers(3)
    x = integers((2, 0, *op.input_shape))
    assert op.apply(x, weight, bias, plan="separable").shape == (2, 0, *op.output_shape)
    x = integers((2, 2, *op.input_shape))
    expected = op.apply(x, weight, bias)
    assert np.array_equal(op.apply(x, weight, bias, plan="separable"), expected)
    done = apply_separable(layer, x, weight, bias)
    assert (done.is_exact, done.error_bound, done.tolerance) == (True, 0.0, None)
    assert np.array_equal(done.values, expected)
    bound = op.bind(weight, bias)
    assert np.array_equal(bound.apply(x, plan="separable"), expected)


def test_integers_never_wrap_between_the_passes():
    # The first pass alone exceeds int64; the second brings it back.
    kernel = np.array([[2**40, -(2**40)], [2**40, -(2**40)]])
    op = sc.Conv2d(1, 1, 2, bias=False).operator((2, 2))
    x = np.array([[[2**40, 2**40], [2**40, 2**40]]])
    assert op.apply(x, kernel[None, None], plan="separable").tolist() == [[[0]]]
    huge = op.apply(x, np.full((1, 1, 2, 2), 2**30), plan="separable")
    assert huge.tolist() == [[[2**72]]]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("kernel", [[[1, 2], [3, 6]], [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
                                    [[0, 0], [0, 0]]], ids=len)  # fmt: skip
def test_kronecker_products(mode, kernel):
    k = len(kernel)
    layer = sc.Conv2d(1, 1, k, stride=(1, 2), padding=((1, 2), (2, 0)), dilation=(2, 1),
                      padding_mode=mode, bias=False)  # fmt: skip
    op = layer.operator((4, 5))
    terms = axis_operators(layer, (4, 5), kernel)
    assert len(terms) == sympy.Matrix(kernel).rank()
    products = [sympy.KroneckerProduct(u.exact(), v.exact()).doit() for u, v in terms]
    assert sc.same_operator(sum(products, sympy.zeros(*op.shape)), op.exact([[kernel]]))


def test_kronecker_products_of_symbols_and_transposes():
    s, t = sympy.symbols("s t")
    kernel = [[s, s * t], [t, t**2]]
    layer = sc.Conv2d(1, 1, 2, padding=1, bias=False)
    ((u, v),) = axis_operators(layer, (2, 3), kernel)
    dense = layer.operator((2, 3)).exact([[kernel]])
    assert sc.same_operator(sympy.KroneckerProduct(u.exact(), v.exact()).doit(), dense)
    up = sc.ConvTranspose2d(1, 1, 2, stride=2, output_padding=(1, 0), bias=False)
    terms = axis_operators(up, (2, 3), [[1, 2], [3, 4]])
    products = [sympy.KroneckerProduct(u.exact(), v.exact()).doit() for u, v in terms]
    expected = up.operator((2, 3)).exact([[[[1, 2], [3, 4]]]])
    assert sc.same_operator(sum(products, sympy.zeros(*expected.shape)), expected)
    with pytest.raises(ParameterError, match="one input and one output channel, got 2 and 1"):
        axis_operators(sc.Conv2d(2, 1, 2), (3, 3), [[1, 2], [3, 4]])
    with pytest.raises(DTypeError, match="weight must be exact"):
        axis_operators(layer, (3, 3), [[1.0, 2.0], [3.0, 4.0]])
    with pytest.raises(ShapeError, match="weight must have shape"):
        axis_operators(layer, (3, 3), [[1, 2, 3]])
    with pytest.raises(ParameterTypeError, match="layer must be a convolution"):
        axis_operators(sc.AvgPool2d(2), (3, 3), [[1, 2], [3, 4]])


def test_fewest_channels_between():
    # The rank of the kernel, and of several slices together.
    ranks = {"one": [[1, 2, 1], [2, 4, 2], [1, 2, 1]], "two": [[0, 1, 0], [1, -4, 1], [0, 1, 0]]}
    for between, kernel in zip((1, 2), ranks.values(), strict=True):
        first, last = exact_passes(np.array([[kernel]]), Algebra.INTEGER, 1)
        assert first.shape == (between, 1, 3, 1)
        assert last.shape == (1, between, 1, 3)


# ---------------------------------------------------------------------------------------------
# Floats


def test_float_plans(monkeypatch):
    op = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator((6, 7))
    x = np.random.default_rng(0).normal(size=(1, 6, 7))
    binomial = np.outer([1, 2, 1], [1, 2, 1])[None, None] / 16
    for dtype in (np.float32, np.float64):
        y = op.apply(x.astype(dtype), binomial.astype(dtype), plan="separable")
        assert y.dtype == dtype
        assert np.allclose(y, op.apply(x.astype(dtype), binomial.astype(dtype)), atol=1e-6)
    line = np.exp(-(np.arange(-1, 2) ** 2) / 2)
    weight = np.outer(line, line)[None, None] / 3
    # Each entry is rounded; the factors of what is stored are exact all the same, or refused.
    assert np.allclose(op.apply(x, weight, plan="separable"), op.apply(x, weight), atol=1e-12)
    with monkeypatch.context() as patch:
        patch.setattr(channels, "as_floats", lambda terms, dtype: None)
        with pytest.raises(ParameterError, match="weight must be separable as stored"):
            op.apply(x, weight, plan="separable")
    layer = sc.Conv2d(1, 1, 3, padding=1)
    done = apply_separable(layer, x, weight, [0.5], tolerance=1e-12)
    assert not done.is_exact
    assert done.channels == (1,)
    dense = layer.operator((6, 7)).apply(x, weight, [0.5])
    assert np.abs(done.values - dense).max() <= done.error_bound + 1e-14
    assert done.error_bound < 1e-13


@examples(25)
@given(st.one_of(conv_cases(ranks=(1, 2, 3), input_dilation=False), transpose_cases(ranks=(2, 3))),
       st.integers(0, 99), st.sampled_from([0.0, 1e-9, 0.1, 0.6]))  # fmt: skip
def test_the_bound_of_truncated_passes(case, seed, tolerance):
    layer, size = case
    op = layer.operator(size)
    rng = np.random.default_rng(seed)
    weight, x = rng.normal(size=op.weight_shape), rng.normal(size=(2, *op.input_shape))
    done = apply_separable(layer, x, weight, tolerance=tolerance)
    away = np.abs(done.values - op.apply(x, weight)).max(initial=0)
    assert away <= done.error_bound + 1e-12
    parts = float_passes(weight, op._linear.geometry.groups, tolerance)
    assert len(parts) == layer.rank


def test_float_refusals():
    layer, x = sc.Conv2d(1, 1, 2, bias=False), np.ones((1, 3, 3))
    exact = np.ones((1, 1, 2, 2), int)
    with pytest.raises(ParameterError, match="no real floats"):
        apply_separable(layer, x.astype(int), exact, tolerance=0.1)
    with pytest.raises(ParameterError, match="at least 0 and below 1"):
        apply_separable(layer, x, exact.astype(float), tolerance=2)
    with pytest.raises(DTypeError, match="weight must be finite"):
        apply_separable(layer, x, np.full((1, 1, 2, 2), np.inf), tolerance=0.1)
    with pytest.raises(DTypeError, match="weight must be finite"):
        apply_separable(layer, x, np.full((1, 1, 2, 2), np.nan))
    with pytest.raises(ParameterTypeError, match="layer must be a convolution"):
        apply_separable(sc.AvgPool2d(2), x, exact)
    with pytest.raises(ParameterError, match="weights that are real numbers, got complex"):
        layer.operator((3, 3)).apply(x, 1j * exact, plan="separable")
    with pytest.raises(ParameterError, match="weights that are real numbers, got symbolic"):
        layer.operator((3, 3)).apply(x.astype(int), [[[[sympy.Symbol("s"), 1], [1, 1]]]],
                                     plan="separable")  # fmt: skip
    with pytest.raises(ParameterError, match="needs a layer with weights"):
        sc.AvgPool2d(2).operator((3, 3)).apply(np.ones((3, 3)), plan="separable")
    with pytest.raises(ParameterError, match="plan must be one of"):
        layer.operator((3, 3)).apply(x, exact, plan="passes")


# ---------------------------------------------------------------------------------------------
# Planted mistakes


MUTANTS = {
    "axes before at their input size": (
        maps, "axis_maps",
        lambda geometry, weights: [
            maps.ConvolutionMap(maps.Geometry(
                tuple(axis if at == number else maps._kept(axis.n_in)
                      for at, axis in enumerate(geometry.axes)),
                weight.shape[1] * geometry.groups, weight.shape[0], geometry.groups,
                geometry.boundary))
            for number, weight in enumerate(weights)
        ],
    ),
    "flipped factors": (
        evaluation, "exact_passes",
        lambda *given: tuple(part[..., ::-1] for part in exact_passes(*given)),
    ),
    "groups forgotten": (
        evaluation, "exact_passes", lambda w, kind, groups: exact_passes(w[::-1], kind, groups),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_caught(name, monkeypatch):
    def check():
        layer = sc.Conv(2, 4, (2, 3), padding=1, groups=2, bias=False)
        op = layer.operator((3, 4))
        weight, x = integers(op.weight_shape), integers(op.input_shape)
        expected = op.apply(x, weight)
        assert np.array_equal(op.apply(x, weight, plan="separable"), expected)

    check()
    room, function, mutant = MUTANTS[name]
    if function == "axis_maps":
        room = evaluation
    monkeypatch.setattr(room, function, mutant)
    with pytest.raises((AssertionError, ValueError, IndexError)):
        check()
