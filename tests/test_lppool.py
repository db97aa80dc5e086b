"""Lp pooling against the naive loops, PyTorch where it is a norm, and onnxruntime."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import numpy as np
import oracles
import pytest
import strategies
import sympy
from checking import integers
from hypothesis import given, strategies as st

import symconv as sc
from symconv import lppool
from symconv.algebras import as_array
from symconv.errors import (
    DTypeError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.layers import GlobalLpPool, LpPool, LpPool2d
from symconv.layers.norm_pooling import INFINITE
from symconv.lipschitz import lipschitz_bound
from symconv.lppool import LpPoolOperator
from symconv.network import Network

POWERS = (1, 2, 3, 4, 7, INFINITE)


@st.composite
def cases(draw):
    """A norm, the windows of a max pooling, a size and whether samples are fractions."""
    pool, size = draw(strategies.max_pool_cases())
    layer = LpPool(
        draw(st.sampled_from(POWERS)), pool.kernel_size, stride=pool.stride,
        padding=pool.padding, dilation=pool.dilation, ceil_mode=pool.ceil_mode,
    )  # fmt: skip
    return layer, size, draw(st.booleans()), draw(st.sampled_from([(), (2,), (0,)]))


def geometry(layer):
    return layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode


def check_powers(layer, size, x):
    """The p-th power of every exact norm is the sum of the powers, and the norm is none less."""
    y = layer.operator(size).apply(x)
    assert layer.output_size(size) == y.shape[x.ndim - len(size) :]
    if layer.norm_type == INFINITE:
        expected = oracles.max_pool(np.abs(x), *geometry(layer)[:3], *geometry(layer)[3:])
        return y, [0 if value is None else value for value in expected.ravel()]
    sums = oracles.power_sums(x, layer.norm_type, *geometry(layer))
    powers = [sympy.sympify(value) ** layer.norm_type for value in y.ravel()]
    return powers, [sympy.sympify(value) for value in sums.ravel()]


@given(cases())
@strategies.examples(150)
def test_equals_loops(case):
    layer, size, fractions, lead = case
    x = integers((*lead, *size))
    if fractions:
        x = x * Fraction(1, 3)
    mine, expected = check_powers(layer, size, x)
    assert list(np.ravel(mine)) == expected
    y = layer.operator(size).apply(x)
    assert all(value >= 0 for value in y.ravel())
    floats = layer.operator(size).apply(x.astype(np.float64))
    np.testing.assert_allclose(floats, y.astype(np.float64), rtol=1e-13)
    single = layer.operator(size).apply(x.astype(np.float32))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, y.astype(np.float64), rtol=1e-5)


@given(cases())
@strategies.examples(60)
def test_gradients_are_derivatives(case):
    """Σ y·∂norm/∂x by SymPy at symbols, then numbers; exact, and as floats."""
    layer, size, _, _ = case
    if layer.norm_type == INFINITE:
        layer = LpPool(2, layer.kernel_size, stride=layer.stride)
        size = tuple(max(n, k) for n, k in zip(size, layer.kernel_size, strict=True))
    op = layer.operator(size)
    x, y = integers(size, 5), integers(op.output_shape, 1)
    x = np.where(x == 0, 1, x)
    names = np.array([sympy.Symbol(f"t{at}", real=True) for at in range(x.size)], dtype=object)
    outputs = op.apply(names.reshape(size)).ravel()
    at = dict(zip(names, x.ravel().tolist(), strict=True))
    total = sum((value * out for value, out in zip(y.ravel().tolist(), outputs, strict=True)), 0)
    expected = [sympy.sympify(total).diff(name).subs(at) for name in names]
    mine = op.gradient(x, y).ravel()
    for one, other in zip(mine, expected, strict=True):
        difference = sympy.sympify(one) - other
        # Sums of radicals: their minimal polynomial, no simplification, says whether they are 0.
        assert difference == 0 or sympy.minimal_polynomial(difference) == sympy.Symbol("x")
    floats = op.gradient(x.astype(np.float64), y)
    np.testing.assert_allclose(floats.ravel(), [float(v) for v in expected], rtol=1e-11, atol=1e-11)


def test_exact_values():
    op = LpPool(2, (2,), stride=1).operator((4,))
    assert op.apply([3, -4, 4, 0]).tolist() == [5, 4 * sympy.sqrt(2), 4]
    assert [type(value) for value in op.apply([3, 4, 0, 0])] == [int, int, int]
    assert op.apply([Fraction(3, 5), Fraction(4, 5), 0, 0]).tolist() == [1, Fraction(4, 5), 0]
    assert LpPool(1, (2,)).operator((2,)).apply([2**62, -(2**62)]).tolist() == [2**63]
    low = np.array([-(2**63), 1])
    assert LpPool(INFINITE, (2,)).operator((2,)).apply(low).tolist() == [2**63]
    assert LpPool(2, (2,)).operator((2,)).apply(np.array([255, 0], dtype=np.uint8)) == [255]
    assert LpPool(3, (1,)).operator((1,)).apply([-(10**30)]).tolist() == [10**30]
    assert GlobalLpPool(1).operator((2, 2)).apply([[1, -2], [3, -4]]).tolist() == [[10]]
    assert LpPool(2, (2,), padding=2).operator((1,)).apply([3]).tolist() == [0, 3, 0][:2]


def test_symbolic():
    a, b = sympy.symbols("x_0 x_1", real=True)
    assert LpPool(2, (2,)).operator((2,)).symbolic().tolist() == [sympy.sqrt(a**2 + b**2)]
    assert LpPool(1, (2,)).operator((2,)).symbolic().tolist() == [abs(a) + abs(b)]
    found = LpPool("inf", (2,)).operator((2,)).symbolic()
    assert found.tolist() == [sympy.Max(abs(a), abs(b))]
    assert LpPool(2, (2,)).operator((2,)).gradient([a, b], [1]).tolist() == [
        a / sympy.sqrt(a**2 + b**2), b / sympy.sqrt(a**2 + b**2),
    ]  # fmt: skip
    # A plain symbol may be complex: the absolute value stays.
    z = sympy.Symbol("z")
    assert LpPool(2, (1,)).operator((1,)).apply([z]).tolist() == [sympy.sqrt(abs(z) ** 2)]
    assert LpPool(2, (2,)).operator((2,)).symbolic([3, 4]).tolist() == [5]


def test_floats_do_not_overflow():
    """The window's own largest entry is the scale, whatever stands next to it."""
    x = np.array([3e300, -4e300, 3e-300, 4e-300, 0.0, 0.0, 5e-324, 0.0])
    y = LpPool(2, (2,)).operator((8,)).apply(x)
    np.testing.assert_allclose(y, [5e300, 5e-300, 0, 5e-324], rtol=1e-15)
    many = LpPool(10**6, (2,)).operator((8,)).apply(x)
    np.testing.assert_allclose(many, [4e300, 4e-300, 0, 5e-324], rtol=1e-5)
    gradient = LpPool(2, (2,)).operator((8,)).gradient(x, np.ones(4))
    np.testing.assert_allclose(gradient, [0.6, -0.8, 0.6, 0.8, 0, 0, 1, 0], rtol=1e-15)
    single = LpPool(4, (2,)).operator((2,)).apply(np.array([1e30, 1e30], dtype=np.float32))
    assert math.isclose(single[0], 2**0.25 * 1e30, rel_tol=1e-6)


def test_nan_and_infinity():
    x = np.array([np.nan, 1, np.inf, 2, -np.inf, np.nan])
    for power in (1, 2, 3, INFINITE):
        y = LpPool(power, (2,)).operator((6,)).apply(x)
        assert np.array_equal(y, [np.nan, np.inf, np.nan], equal_nan=True)


def test_gradient_where_it_is_not_defined():
    for power in (1, 2, 3):
        op = LpPool(power, (2,)).operator((4,))
        assert op.gradient([0, 0, 0, -2], [7, 3]).tolist() == [0, 0, 0, -3]
        assert op.gradient([0.0, 0, 0, -2], [7, 3]).tolist() == [0, 0, 0, -3]
    largest = LpPool("inf", (2,)).operator((4,))
    assert largest.gradient([-5, 5, 1, -2], [7, 3]).tolist() == [-7, 0, 0, -3]
    assert largest.gradient([0, 0, 1, 2], [7, 3]).tolist() == [0, 0, 0, 3]
    # A window of padding alone sends nothing anywhere.
    outside = LpPool("inf", (1,), padding=1).operator((2,))
    assert outside.gradient([4, -5], [1, 2, 3, 4]).tolist() == [2, -3]
    mixed = LpPool("inf", (1, 2), padding=((1, 0), (2, 0)), stride=1).operator((1, 1))
    assert mixed.gradient([[-3]], np.arange(1, 5).reshape(2, 2)).tolist() == [[-4]]
    wide = LpPool("inf", (2,), stride=1).operator((3,))
    shares = np.array([2**62, 2**62])
    assert wide.gradient([1, 9, 1], shares).tolist() == [0, 2**63, 0]
    small = np.array([200, 100], dtype=np.uint8)
    assert wide.gradient([1, -9, 1], small).tolist() == [0, -300, 0]


def test_printed():
    layer = LpPool2d(math.inf, 2, padding=1)
    assert repr(layer) == "LpPool('inf', (2, 2), stride=(2, 2), padding=((1, 1), (1, 1)))"
    assert layer == LpPool2d("inf", 2, padding=1) == LpPool2d(sympy.oo, 2, padding=1)
    assert layer == LpPool2d(np.inf, 2, padding=1)
    assert LpPool(2, (2,)).latex() == (
        r"y_{i_{0}} = \left( \sum_{k_{0}=0}^{1} \left|x_{2 i_{0} + k_{0}}\right|^{2} \right)^{1/2}"
    )
    assert (
        LpPool(1, (2,)).latex()
        == r"y_{i_{0}} = \sum_{k_{0}=0}^{1} \left|x_{2 i_{0} + k_{0}}\right|"
    )
    assert GlobalLpPool("inf").latex() == r"y = \max_{j} \left|x_{j}\right|"
    op = LpPool(2, (2,)).operator((4,))
    assert repr(op) == "<LpPoolOperator 2×4, 4 entries: LpPool(2, (2,), stride=(2,)) on 4>"
    assert "LpPoolOperator" in op._repr_html_()
    assert op == LpPool(2, (2,), dilation=1).operator((4,))
    assert hash(op) == hash(LpPool(2, (2,)).operator((4,)))
    assert op != LpPool(3, (2,)).operator((4,))
    assert op != LpPool(2, (2,), stride=1).operator((3,))
    assert (op.weight_shape, op.has_bias, op.nnz) == (None, False, 4)
    n = sympy.Symbol("n", integer=True, positive=True)
    assert LpPool(2, (3,), stride=2).output_size((n,)) == sc.MaxPool1d(3, stride=2).output_size(
        (n,)
    )
    assert GlobalLpPool(2).output_shape((8, n, 5)) == (8, 1, 1)


OP = LpPool(2, (2,)).operator((4,))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: LpPool(0, (2,)), ParameterError, "norm_type must be >= 1, got 0"),
        (lambda: LpPool(2.0, (2,)), ParameterError, "integer >= 1 or infinity, got 2.0"),
        (lambda: LpPool(-math.inf, (2,)), ParameterError, "or infinity, got -inf"),
        (lambda: LpPool(math.nan, (2,)), ParameterError, "or infinity, got nan"),
        (lambda: LpPool("two", (2,)), ParameterError, "or infinity, got 'two'"),
        (lambda: LpPool(2**53, (2,)), ParameterError, r"norm_type must be below 2\*\*53"),
        (lambda: LpPool(None, (2,)), ParameterTypeError, "norm_type must be an integer >= 1"),
        (lambda: LpPool(True, (2,)), ParameterTypeError, "got the boolean True"),
        (lambda: LpPool(sympy.Symbol("p"), (2,)), ParameterTypeError, "concrete integer here"),
        (lambda: LpPool(2, 2), ParameterTypeError, "kernel_size must be a tuple"),
        (
            lambda: OP.apply([1, 2, 3]),
            ShapeError,
            r"x must have shape \(\*leading, 4\), got \(3,\)",
        ),
        (lambda: OP.apply([1, 2, 3, 4], [1]), ParameterError, "weight must be left out"),
        (lambda: OP.apply([1j, 2, 3, 4]), DTypeError, "x must be real"),
        (lambda: OP.symbolic([1.0, 2, 3, 4]), DTypeError, "x must be exact for symbolic norms"),
        (lambda: OP.gradient([1, 2, 3, 4], [1, 2, 3]), ShapeError, "y must have shape"),
        (lambda: OP.gradient([[1, 2, 3, 4]], [1, 2]), ShapeError, r"y must have shape \(1, 2\)"),
        (lambda: OP.gradient([Fraction(1), 2, 3, 4], [1.0, 2]), DTypeError, "holds floats"),
        (
            lambda: LpPool("inf", (1,)).operator((1,)).gradient([sympy.Symbol("a")], [1]),
            DTypeError,
            "must hold numbers for p = ∞",
        ),
        (lambda: LpPool(2**52, (2,)).operator((2,)).apply([3, 4]), TooLargeError, "norms of 1"),
        (lambda: LpPool(2, (2,)).operator((2**40,)), TooLargeError, "above the limit"),
        (lambda: OP.overlap().dense() and LpPool(2, (2,), padding="up"), ParameterError, "padding"),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()


# PyTorch


@pytest.fixture
def torch():
    found = pytest.importorskip("torch")
    threads = found.get_num_threads()
    found.set_num_threads(1)
    yield found
    found.set_num_threads(threads)


def test_equals_torch_where_it_is_a_norm(torch):
    rng = random.Random(3)
    for _ in range(300):
        rank = rng.choice((1, 2, 3))
        kernel = tuple(rng.randint(1, 3) for _ in range(rank))
        stride = tuple(rng.randint(1, 3) for _ in range(rank))
        size = tuple(k + rng.randint(0, 3) for k in kernel)
        power = rng.choice((1, 2, 3, 4, math.inf))
        x = np.random.default_rng(rng.randrange(2**30)).normal(size=(2, 1, *size))
        if power in (1, 3):
            x = np.abs(x)
        given = torch.tensor(x, requires_grad=True)
        ceil = power == math.inf and rng.random() < 0.5
        # In one dimension PyTorch takes no tuples.
        taps, step = (kernel[0], stride[0]) if rank == 1 else (kernel, stride)
        theirs = getattr(torch.nn.functional, f"lp_pool{rank}d")(given, power, taps, step, ceil)
        op = LpPool(power, kernel, stride=stride, ceil_mode=ceil).operator(size)
        np.testing.assert_allclose(op.apply(x), theirs.detach().numpy(), rtol=1e-12)
        y = np.random.default_rng(rng.randrange(2**30)).normal(size=theirs.shape)
        theirs.backward(torch.tensor(y))
        np.testing.assert_allclose(op.gradient(x, y), given.grad.numpy(), rtol=1e-9, atol=1e-12)


def test_where_torch_is_no_norm(torch):
    """What the docstring says of PyTorch: odd p without |x|, ceil mode, powers that overflow."""
    pool = torch.nn.functional.lp_pool1d
    signed = torch.tensor([[[-3.0, 1.0, 3.0, -3.0]]])
    theirs = pool(signed, 1, 2)[0, 0].tolist()
    assert theirs == [-2, 0]
    assert LpPool(1, (2,)).operator((4,)).apply(signed.numpy()[0, 0]).tolist() == [4, 6]
    assert math.isnan(pool(signed, 3, 2)[0, 0, 0])
    cut = torch.tensor([[[3.0, 4.0, 2.0]]])
    assert pool(cut, 2, 2, ceil_mode=True)[0, 0].tolist() == [5.0, pytest.approx(2 * 2**0.5)]
    op = LpPool(2, (2,), ceil_mode=True).operator((3,))
    assert op.apply(cut.numpy()[0, 0]).tolist() == [5, 2]
    large = torch.tensor([[[3e30, 4e30]]])
    assert pool(large, 2, 2).item() == math.inf
    assert LpPool(2, (2,)).operator((2,)).apply(large.numpy()[0, 0]) == np.float32(5e30)


# ONNX


def run_onnx(operator, x, opset=22, **attributes):
    onnx = pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    helper = onnx.helper
    runtime.set_default_logger_severity(4)
    kind = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node(operator, ["x"], ["y"], **attributes)], "g",
        [helper.make_tensor_value_info("x", kind, x.shape)],
        [helper.make_tensor_value_info("y", kind, None)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    model.ir_version = 10
    session = runtime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": x})[0], model


def test_equals_onnxruntime():
    rng = random.Random(4)
    for _ in range(150):
        rank = rng.choice((1, 2, 3))
        kernel = tuple(rng.randint(1, 3) for _ in range(rank))
        pads = tuple((rng.randint(0, k - 1), rng.randint(0, k - 1)) for k in kernel)
        dilation = tuple(rng.randint(1, 2) for _ in range(rank))
        stride = tuple(rng.randint(1, 3) for _ in range(rank))
        size = tuple(2 * k + rng.randint(0, 3) for k in kernel)
        power, ceil = rng.choice((1, 2, 3, 4)), rng.random() < 0.5
        layer = LpPool(
            power, kernel, stride=stride, padding=pads, dilation=dilation, ceil_mode=ceil
        )
        x = np.random.default_rng(rng.randrange(2**30)).normal(size=(1, 2, *size))
        x = x.astype(np.float32)
        theirs, model = run_onnx(
            "LpPool", x, p=power, kernel_shape=kernel, strides=stride, dilations=dilation,
            pads=[lo for lo, _ in pads] + [hi for _, hi in pads], ceil_mode=int(ceil),
        )  # fmt: skip
        mine = layer.operator(size).apply(x)
        assert mine.shape == theirs.shape, layer
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
        # The adapter reads the same layer from the file.
        net = sc.from_onnx(model)
        assert net.output_shape() == mine.shape[1:]
        assert [step.node for step in net.steps] == [layer]


def test_global_equals_onnxruntime():
    x = np.random.default_rng(5).normal(size=(2, 3, 4, 5)).astype(np.float32)
    for power in (1, 2, 3):
        # onnxruntime 1.31 has it up to operator set 21.
        theirs, model = run_onnx("GlobalLpPool", x, 21, p=power)
        mine = GlobalLpPool(power).operator((4, 5)).apply(x)
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)
        assert [step.node for step in sc.from_onnx(model).steps] == [GlobalLpPool(power)]


def test_lipschitz_constants():
    """‖·‖₂ in, p-norms out: 1 per window from p = 2 on, √K for p = 1; attained."""
    bounds = [
        lipschitz_bound(Network([LpPool(power, (4,))]), {}, (1, 8)).high
        for power in (1, 2, 3, "inf")
    ]
    assert bounds == [2, 1, 1, 1]
    both = lipschitz_bound(Network([LpPool(1, (4,)), GlobalLpPool("inf")]), {}, (1, 8)).high
    assert both == 2
    one = np.ones(8)
    moved = LpPool(1, (4,)).operator((8,)).apply(one) - 0
    assert np.linalg.norm(moved) == 2 * np.linalg.norm(one)


# Planted mistakes


def check_everything():
    x = np.array([[3, -4, 12, 0, -1], [-2, 7, 1, 5, -6]])
    for power in POWERS:
        for pool in (
            LpPool(power, (2,), stride=1), LpPool(power, (3,), padding=1, ceil_mode=True),
            LpPool(power, (2,), dilation=2, stride=2),
        ):  # fmt: skip
            mine, expected = check_powers(pool, (5,), x)
            assert list(np.ravel(mine)) == expected
            op = pool.operator((5,))
            floats = op.apply(x.astype(float))
            np.testing.assert_allclose(floats, op.apply(x).astype(float), rtol=1e-13)
    assert LpPool(3, (2,)).operator((2,)).gradient([0, -2], [5]).tolist() == [0, -5]
    huge = LpPool(2, (2,)).operator((2,)).apply([3e200, 4e200])
    np.testing.assert_allclose(huge, [5e200], rtol=1e-13)


def test_everything_passes_unmutated():
    check_everything()


def average(windows_sums):
    return lambda x, tables: windows_sums(x, tables) * Fraction(1, len(tables[0].T))


def unscaled(self, sizes, largest):
    with np.errstate(over="ignore"):
        return np.sqrt(lppool.window_sums(sizes**2, self._windows.reads))


def unsigned(x):
    return np.ones_like(x)


@pytest.mark.parametrize(
    ("room", "name", "mutant"),
    [
        (lppool, "_root", lambda total, p: sympy.sympify(total)),
        (lppool, "_power", lambda size, p: size ** (p + 1)),
        (lppool, "window_sums", average(lppool.window_sums)),
        (LpPoolOperator, "_scaled", unscaled),
        (lppool, "_sign", unsigned),
    ],
)
def test_mutants_are_caught(room, name, mutant, monkeypatch):
    monkeypatch.setattr(room, name, mutant)
    with pytest.raises(AssertionError):
        check_everything()


def test_a_power_without_its_absolute_value_is_caught(monkeypatch):
    """PyTorch's sum of x^p and not of |x|^p."""

    class Signed:
        def __getattr__(self, name):
            return (lambda x: x) if name == "abs" else getattr(np, name)

    monkeypatch.setattr(lppool, "np", Signed())
    with pytest.raises((AssertionError, TypeError)):
        check_everything()


def test_exact_results_are_exact_input_again():
    y = LpPool(2, (2,)).operator((4,)).apply([1, 1, 3, 4])
    assert as_array("y", y)[1].is_exact
    again = LpPool(2, (2,)).operator((2,)).apply(y)
    assert again.tolist() == [3 * sympy.sqrt(3)]
