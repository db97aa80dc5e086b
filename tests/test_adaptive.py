"""Adaptive and global pooling against the naive loops, and bit for bit against PyTorch."""

from __future__ import annotations

import itertools
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
from symconv import layers
from symconv.adaptive import AdaptiveRelation
from symconv.boundary import OUTSIDE
from symconv.errors import (
    DTypeError,
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ParseError,
    ShapeError,
    TooLargeError,
)
from symconv.layers import (
    AdaptiveAvgPool,
    AdaptiveAvgPool2d,
    AdaptiveMaxPool,
    GlobalAvgPool,
    GlobalMaxPool,
    adaptive,
)
from symconv.lipschitz import lipschitz_bound
from symconv.network import Activation, Flatten, Linear, Network
from symconv.parsing import parse_layer
from symconv.relation import AxisRelation
from symconv.semirings import COUNTING

MOST = {1: 12, 2: 6, 3: 4}


@st.composite
def cases(draw):
    """Target size, input size and leading shape, empty ones too; None keeps an axis."""
    rank = draw(st.sampled_from((1, 2, 3)))
    numbers = st.integers(1, MOST[rank])
    size = draw(strategies.per_axis(rank, numbers))
    target = draw(strategies.per_axis(rank, st.none() | numbers))
    return target, size, draw(st.sampled_from([(), (2,), (1, 2), (0,), (2, 0)]))


def outputs(target, size):
    return tuple(n if m is None else m for m, n in zip(target, size, strict=True))


def check_case(target, size, lead=(2,)):
    """Sizes, values, places, gradients and exact matrices equal the loops'."""
    outs = outputs(target, size)
    x, y = integers((*lead, *size)), integers((*lead, *outs), 1)
    average, largest = AdaptiveAvgPool(target), AdaptiveMaxPool(target)
    for layer in (average, largest):
        assert layer.output_size(size) == layer.operator(size).output_shape == outs
    op = average.operator(size)
    assert np.array_equal(op.apply(x), oracles.adaptive_avg_pool(x, outs))
    assert np.array_equal(op.T.apply(y), oracles.adaptive_avg_pool_gradient(y, size))
    pool = largest.operator(size)
    values, places = pool.apply(x, return_indices=True)
    expected, where = oracles.adaptive_max_pool_places(x, outs)
    assert np.array_equal(values, expected)
    assert np.array_equal(places, where)
    assert np.array_equal(pool.apply(x), values)
    assert np.array_equal(pool.gradient(x, y), oracles.max_pool_gradient(y, where, size))


def check_matrix(target, size):
    """Every reading of the matrix of means, and the pattern of the maxima."""
    outs = outputs(target, size)
    n_in = math.prod(size)
    columns = [np.eye(n_in, dtype=np.int64)[at].reshape(size) for at in range(n_in)]
    images = [oracles.adaptive_avg_pool(column, outs).ravel() for column in columns]
    dense = sympy.Matrix(math.prod(outs), n_in, lambda row, column: images[column][row])
    op = AdaptiveAvgPool(target).operator(size)
    assert op.exact() == dense
    assert op.T.exact() == dense.T
    assert op.nnz == sum(entry != 0 for entry in dense)
    assert op.jacobian() == dense
    for row, place in enumerate(np.ndindex(*outs)):
        assert op.row(*place) == dense[row, :]
    for column, place in enumerate(np.ndindex(*size)):
        assert op.column(*place) == dense[:, column]
    assert np.array_equal(op.sparse().toarray(), np.array(dense.tolist(), dtype=float))
    x = integers((3, *size))
    assert np.array_equal(op.apply(x, plan="sparse"), op.apply(x, plan="taps"))
    y = integers((3, *outs), 1)
    assert np.array_equal(op.T.apply(y, plan="sparse"), op.T.apply(y, plan="taps"))
    overlap = AdaptiveMaxPool(target).operator(size).overlap()
    assert overlap.semiring is COUNTING
    assert overlap.dense() == [[int(entry != 0) for entry in row] for row in dense.tolist()]


def test_the_rule_equals_intervals_that_meet():
    for n, m in itertools.product(range(1, 14), range(1, 20)):
        rule = AdaptiveRelation(n, m)
        windows = oracles.adaptive_windows(n, m)
        assert [list(range(rule.start(o), rule.stop(o))) for o in range(m)] == windows
        assert rule.n_taps == max(map(len, windows))
        table = rule.position(np.arange(m)[:, None], np.arange(rule.n_taps))
        assert [[j for j in row if j < n] for row in table.tolist()] == windows


@given(cases())
@strategies.examples(150)
def test_equals_loops(case):
    check_case(*case)


def test_every_small_size():
    for n, m in itertools.product(range(1, 8), range(1, 10)):
        check_case((m,), (n,))
        check_matrix((m,), (n,))


@pytest.mark.parametrize(
    ("target", "size"), [((2, 3), (3, 4)), ((3, None, 2), (2, 2, 3)), ((1, 2), (2, 3))]
)
def test_matrices_of_several_axes(target, size):
    check_matrix(target, size)


def test_equal_windows_are_ordinary_pooling():
    """Where m divides n: one operator, one relation, and the same matrix."""
    assert AdaptiveAvgPool((2, 3)).operator((4, 3)) == sc.AvgPool((2, 1)).operator((4, 3))
    assert AdaptiveMaxPool((2, 3)).operator((4, 3)) == sc.MaxPool((2, 1)).operator((4, 3))
    assert AdaptiveAvgPool((2,)).relation(0, 6) == AxisRelation(3, stride=3)
    assert AdaptiveAvgPool((None,)).relation(0) == AxisRelation(1)
    assert AdaptiveAvgPool((2,)).operator((5,)) != AdaptiveAvgPool((2,)).operator((6,))
    k = sympy.Symbol("k", integer=True, positive=True)
    assert AdaptiveAvgPool((3,)).relation(0, 6 * k) == AxisRelation(2 * k, stride=2 * k)
    assert GlobalAvgPool().operator((2, 3)) == AdaptiveAvgPool((1, 1)).operator((2, 3))
    assert GlobalMaxPool().operator((5,)) == sc.MaxPool1d(5).operator((5,))


def test_symbolic_sizes():
    n, m = sympy.symbols("n m", integer=True, positive=True)
    assert AdaptiveAvgPool((2, None)).output_size((n, m)) == (2, m)
    assert AdaptiveMaxPool((m,)).output_size((n,)) == (m,)
    assert AdaptiveAvgPool((m,)).input_sizes((m,)) == (sympy.Range(1, sympy.oo),)
    assert AdaptiveAvgPool((3, None)).input_sizes((3, 5)) == (sympy.Range(1, sympy.oo), (5,))
    assert AdaptiveAvgPool((3, None)).input_sizes((2, 0)) == ((), ())
    assert GlobalMaxPool().input_sizes((1, 2)) == (sympy.Range(1, sympy.oo), ())
    assert GlobalAvgPool().output_size((n, m, 4)) == (1, 1, 1)
    with pytest.raises(ParameterTypeError, match="output_size must be a concrete integer here"):
        AdaptiveAvgPool((3,)).input_sizes((m,))
    with pytest.raises(ParameterTypeError, match="target_size must be a concrete integer here"):
        AdaptiveAvgPool((m,)).operator((4,))


def test_printed():
    layer = AdaptiveAvgPool((3, None, 1))
    assert repr(layer) == "AdaptiveAvgPool((3, None, 1))"
    assert layer.latex() == (
        r"y_{i_{0}, i_{1}, i_{2}} = \frac{1}{N_{i_{0}, i_{1}, i_{2}}} "
        r"\sum_{j_{0}=\left\lfloor{\frac{i_{0} n_{0}}{3}}\right\rfloor}"
        r"^{\left\lceil{\frac{n_{0} \left(i_{0} + 1\right)}{3}}\right\rceil - 1} "
        r"\sum_{j_{2}=0}^{n_{2} - 1} x_{j_{0}, i_{1}, j_{2}}"
    )
    assert AdaptiveMaxPool((1,)).latex() == r"y_{i_{0}} = \max_{j_{0}=0}^{n_{0} - 1} x_{j_{0}}"
    assert AdaptiveAvgPool((None,)).latex() == "y_{i_{0}} = x_{i_{0}}"
    assert GlobalAvgPool().latex() == r"y = \frac{1}{N} \sum_{j} x_{j}"
    assert GlobalMaxPool()._repr_latex_() == r"$$y = \max_{j} x_{j}$$"
    op = AdaptiveAvgPool((2,)).operator((3,))
    assert repr(op) == "<Operator 2×3, 4 entries: AdaptiveAvgPool((2,)) on 3>"
    assert op.spy().count("<rect") == 4
    assert "tap 1" in op.spy()
    assert "AdaptiveAvgPool((200,)) on 333" in AdaptiveAvgPool((200,)).operator((333,)).spy()
    assert hash(layer) == hash(AdaptiveAvgPool([3, None, 1]))


def test_aliases():
    assert AdaptiveAvgPool2d(3) == AdaptiveAvgPool2d((3, 3)) == AdaptiveAvgPool((3, 3))
    assert layers.AdaptiveMaxPool3d([1, None, 2]) == AdaptiveMaxPool((1, None, 2))
    assert layers.AdaptiveAvgPool1d(None) == AdaptiveAvgPool((None,))
    with pytest.raises(ParameterError, match=r"one entry per axis \(2\), got 3"):
        AdaptiveAvgPool2d((1, 2, 3))


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: AdaptiveAvgPool(3), ParameterTypeError, "target_size must be a tuple .* got int"),
        (lambda: AdaptiveAvgPool(()), ParameterError, "must name at least one axis"),
        (lambda: AdaptiveMaxPool((0,)), ParameterError, r"target_size must be >= 1, got 0"),
        (lambda: AdaptiveMaxPool((2.0,)), ParameterTypeError, "an integer >= 1, got float"),
        (lambda: AdaptiveMaxPool((True,)), ParameterTypeError, "got the boolean True"),
        (lambda: AdaptiveAvgPool2d(0), ParameterError, "target_size must be >= 1, got 0"),
        (lambda: AdaptiveAvgPool((2,)).output_size((0,)), GeometryError, "must be >= 1 on axis 0"),
        (lambda: AdaptiveAvgPool((2,)).operator((0,)), GeometryError, "input size must be >= 1"),
        (lambda: AdaptiveAvgPool((2,)).operator((3, 3)), ShapeError, "must have 1 entries"),
        (lambda: AdaptiveAvgPool((2,)).relation(0), ParameterError, "input size must be given"),
        (
            lambda: AdaptiveAvgPool((2,)).relation(0, 5),
            GeometryError,
            "must divide the input size for one relation of all windows, got 2 and 5 on axis 0",
        ),
        (lambda: AdaptiveMaxPool((2,)).operator((2**40,)), TooLargeError, "above the limit"),
        (lambda: AdaptiveMaxPool((2**70,)).operator((2,)), TooLargeError, "above the limit"),
        (lambda: GlobalAvgPool().operator((2**40,)), TooLargeError, "above the limit"),
        (lambda: GlobalAvgPool().rank, ParameterError, "takes any number of axes"),
        (lambda: GlobalAvgPool().output_size(()), ShapeError, "at least one entry"),
        (lambda: GlobalAvgPool().output_shape((3,)), ShapeError, "with a spatial axis"),
        (lambda: GlobalMaxPool().operator((3, 0)), GeometryError, "must be >= 1 on axis 1"),
        (
            lambda: AdaptiveAvgPool((2,)).operator((4,)).apply([1, 2, 3]),
            ShapeError,
            r"must have shape \(\*batch, 4\)",
        ),
        (
            lambda: AdaptiveMaxPool((2,)).operator((2,)).apply([1j, 2]),
            DTypeError,
            "x must be real",
        ),
    ],
)
def test_bad_input(call, error, match):
    with pytest.raises(error, match=match):
        call()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AdaptiveAvgPool2d(3)", AdaptiveAvgPool((3, 3))),
        ("AdaptiveMaxPool3d((1, None, 2))", AdaptiveMaxPool((1, None, 2))),
        ("AdaptiveAvgPool(target_size=[4])", AdaptiveAvgPool((4,))),
        ("GlobalAvgPool()", GlobalAvgPool()),
        ("GlobalMaxPool()", GlobalMaxPool()),
        ("GlobalLpPool('inf')", layers.GlobalLpPool("inf")),
        ("LpPool2d(2, 3, stride=2)", layers.LpPool(2, (3, 3), stride=2)),
        ("LpPool('inf', (2,), ceil_mode=True)", layers.LpPool("inf", (2,), ceil_mode=True)),
        ("MaxUnpool1d(2, padding=((0, 1),))", layers.MaxUnpool((2,), padding=((0, 1),))),
        ("Dilation((0, 1/2, 0), padding=1)", layers.Dilation((0, Fraction(1, 2), 0), padding=1)),
        ("Erosion(((0, 1), (2, 3)))", layers.Erosion(((0, 1), (2, 3)))),
    ],
)
def test_names_are_read(text, expected):
    assert parse_layer(text) == expected
    if "1/2" not in text:
        assert parse_layer(repr(expected)) == expected


def test_names_that_are_refused():
    with pytest.raises(ParseError, match="at most 0 values without a name"):
        parse_layer("GlobalAvgPool(1)")
    with pytest.raises(ParseError, match="must be given target_size"):
        parse_layer("AdaptiveAvgPool2d()")
    with pytest.raises(ParameterError, match="norm_type must be an integer >= 1 or infinity"):
        parse_layer("LpPool1d('infinite', 2)")


# PyTorch


def settings_of(count, seed):
    rng = random.Random(seed)
    for _ in range(count):
        rank = rng.choice((1, 2, 3))
        size = tuple(rng.randint(1, MOST[rank]) for _ in range(rank))
        target = tuple(rng.choice((None, *range(1, MOST[rank] + 3))) for _ in range(rank))
        yield rng, target, size, (rng.choice((0, 1, 2)), rng.choice((1, 2)))


@pytest.fixture
def torch():
    """PyTorch on one thread: a pass of two costs more than these small planes do."""
    found = pytest.importorskip("torch")
    threads = found.get_num_threads()
    found.set_num_threads(1)
    yield found
    found.set_num_threads(threads)


def check_torch(torch, count, seed):
    functional = torch.nn.functional
    for rng, target, size, lead in settings_of(count, seed):
        outs = outputs(target, size)
        rank = len(size)
        seeds = rng.randrange(2**30)
        # Few values: ties are frequent.
        x = np.random.default_rng(seeds).integers(-3, 4, (*lead, *size))
        y = np.random.default_rng(seeds + 1).integers(-9, 10, (*lead, *outs))
        given = torch.tensor(x, dtype=torch.float64, requires_grad=True)
        pool = getattr(functional, f"adaptive_max_pool{rank}d")
        # PyTorch's maximum takes no None.
        values, places = pool(given, outs, return_indices=True)
        op = AdaptiveMaxPool(target).operator(size)
        mine, where = op.apply(x, return_indices=True)
        assert np.array_equal(mine, values.detach().numpy()), (target, size)
        assert np.array_equal(where, places.numpy()), (target, size)
        if lead[0]:
            values.backward(torch.tensor(y, dtype=torch.float64))
            assert np.array_equal(op.gradient(x, y), given.grad.numpy()), (target, size)
        # Multiples of every window's size: the means are whole, in whatever order they are made.
        whole = math.prod(
            math.lcm(*map(len, oracles.adaptive_windows(n, m)))
            for n, m in zip(size, outs, strict=True)
        )
        given = torch.tensor(x * whole, dtype=torch.float64, requires_grad=True)
        # In one dimension PyTorch takes no None.
        wanted = outs if rank == 1 else target
        means = getattr(functional, f"adaptive_avg_pool{rank}d")(given, wanted)
        op = AdaptiveAvgPool(target).operator(size)
        assert np.array_equal(op.apply(x * whole), means.detach().numpy()), (target, size)
        assert np.array_equal(op.apply(given.detach().numpy()), means.detach().numpy())
        if lead[0]:
            means.backward(torch.tensor(y * whole, dtype=torch.float64))
            assert np.array_equal(op.T.apply(y * whole), given.grad.numpy()), (target, size)


def test_equals_torch(torch):
    check_torch(torch, 2000, 1)


@pytest.mark.long
def test_equals_torch_at_length(torch):
    check_torch(torch, 20000, 2)


def test_nan_as_in_torch(torch):
    x = np.array([[np.nan, 1, 2, np.nan, 5, -np.inf, 0]])
    values, places = torch.nn.functional.adaptive_max_pool1d(
        torch.tensor(x), 3, return_indices=True
    )
    mine, where = AdaptiveMaxPool((3,)).operator((7,)).apply(x, return_indices=True)
    assert np.array_equal(mine, values.numpy(), equal_nan=True)
    assert np.array_equal(where, places.numpy())


def test_full_size_means(torch):
    x = np.random.default_rng(0).normal(size=(4, 16, 57, 40)).astype(np.float32)
    mine = AdaptiveAvgPool((7, 9)).operator((57, 40)).apply(x)
    theirs = torch.nn.functional.adaptive_avg_pool2d(torch.tensor(x), (7, 9)).numpy()
    assert mine.dtype == np.float32
    np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-6)


# Networks


UNEVEN = Network([sc.Conv2d(2, 3, 3, padding=1), AdaptiveAvgPool((2, 3)), sc.Conv2d(3, 1, 2)])


def test_networks_with_windows_of_different_sizes():
    assert UNEVEN.output_shape((2, 5, 7)) == (1, 1, 2)
    reason = "layer '1' has windows of different sizes, unless 2 divides 5"
    assert UNEVEN.table((2, 5, 7)).notes == (reason,)
    with pytest.raises(GeometryError, match=reason):
        UNEVEN.receptive_field((2, 5, 7))
    assert UNEVEN.receptive_field((2, 6, 9)).size == (8, 8)
    with pytest.raises(ParameterError, match="input_shape must be given for a network with Adapt"):
        UNEVEN.receptive_field()
    n = sympy.Symbol("n", integer=True, positive=True)
    assert UNEVEN.output_shape((2, n, n)) == (1, 1, 2)
    assert "unless 2 divides n" in UNEVEN.table((2, n, n)).notes[0]
    assert UNEVEN.receptive_field((2, 6 * n, 6 * n)).size == (6 * n + 2, 4 * n + 2)


@pytest.mark.parametrize("kind", [AdaptiveAvgPool, AdaptiveMaxPool])
def test_exact_sets_behind_windows_of_different_sizes(kind):
    for n, m in itertools.product(range(1, 7), range(1, 9)):
        net = Network([sc.Conv1d(1, 1, 2, dilation=2, padding=1), kind((m,))])
        windows = oracles.adaptive_windows(n, m)
        for o, window in enumerate(windows):
            behind = {(j + 2 * k - 1,) for j in window for k in (0, 1)}
            expected = {at for at in behind if 0 <= at[0] < n}
            assert net.inputs((o,), (1, n)) == expected
        later = Network([kind((m,)), sc.Conv1d(1, 1, 2, padding=1)])
        for o in range(m + 1):
            read = [at for at in (o - 1, o) if 0 <= at < m]
            expected = {(j,) for at in read for j in windows[at]}
            assert later.inputs((o,), (1, n)) == expected


def test_network_matrices():
    net = Network([AdaptiveAvgPool((2, 3)), sc.Conv2d(2, 1, 2, bias=False), GlobalAvgPool()])
    weight = integers((1, 2, 2, 2))
    op = net.operator((3, 4))
    x = integers((2, 3, 4), 2)
    steps = AdaptiveAvgPool((2, 3)).operator((3, 4)).apply(x)
    steps = sc.Conv2d(2, 1, 2, bias=False).operator((2, 3)).apply(steps, weight)
    expected = GlobalAvgPool().operator((1, 2)).apply(steps)
    assert list(op.exact([weight]) @ sympy.Matrix(x.ravel().tolist())) == list(expected.ravel())
    # Global pooling first: the rank is read from the input, or from the layer that states it.
    head = Network([GlobalAvgPool(), Flatten(), Linear(2, 1, bias=False)])
    assert head.operator((2, 3, 3)).exact([[[9, 18]]]) == sympy.Matrix([[1] * 9 + [2] * 9]).T.T
    with pytest.raises(ParameterTypeError, match="must be linear for the network to have a matrix"):
        Network([AdaptiveMaxPool((2,))]).operator((1, 3))
    with pytest.raises(ParameterError, match="input_shape must be given"):
        Network([GlobalMaxPool(), Activation("ReLU")]).receptive_field()
    assert Network([GlobalMaxPool()]).receptive_field((1, 4, 5)).size == (4, 5)


def test_lipschitz_constants():
    """Of a mean the norm of its matrix, of a maximum the root of the overlap."""
    net = Network([AdaptiveAvgPool((3,)), AdaptiveMaxPool((2,)), GlobalMaxPool()])
    layers_of = lipschitz_bound(net, {}, (1, 5)).layers
    matrix = np.array(AdaptiveAvgPool((3,)).operator((5,)).sparse().toarray())
    norm = np.linalg.norm(matrix, 2)
    assert norm <= layers_of["0"] <= 1
    assert (layers_of["1"], layers_of["2"]) == (math.sqrt(2), 1.0)
    mean = lipschitz_bound(Network([GlobalAvgPool()]), {}, (1, 4, 4)).high
    assert 0.25 <= mean <= 0.25 * (1 + 1e-9)


# Planted mistakes


ORIGINAL = AdaptiveRelation.start, AdaptiveRelation.stop, AdaptiveRelation.position


def floor_stop(self, o):
    return (o + 1) * self.n_in // self.n_out


def ceil_start(self, o):
    return -(-o * self.n_in // self.n_out)


def closed_stop(self, o):
    """The window that begins where the next one does."""
    return ORIGINAL[0](self, o + 1) + 1


def one_tap_late(self, o, k):
    return ORIGINAL[2](self, o, k + 1)


def check_rule():
    for n, m in itertools.product(range(1, 7), range(1, 7)):
        check_case((m,), (n,))


def test_the_rule_passes_unmutated():
    check_rule()


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        ("stop", floor_stop), ("start", ceil_start), ("stop", closed_stop),
        ("position", one_tap_late), ("n_taps", property(lambda self: -(-self.n_in // self.n_out))),
    ],
)  # fmt: skip
def test_mutants_of_the_rule_are_caught(name, mutant, monkeypatch):
    monkeypatch.setattr(AdaptiveRelation, name, mutant)
    with pytest.raises((AssertionError, GeometryError, IndexError, ValueError)):
        check_rule()


def test_a_wrong_divisor_is_caught(monkeypatch):
    """Every mean divided by the samples of the largest window."""
    monkeypatch.setattr(adaptive, "OUTSIDE", OUTSIDE - 1)
    with pytest.raises(AssertionError):
        check_rule()


def test_equal_windows_everywhere_are_caught(monkeypatch):
    """The affine relation of ⌊n/m⌋ samples, where m does not divide n."""

    def windows(self, axis, n_in):
        window = max(n_in // self._output_on(axis, n_in), 1)
        return AxisRelation(window, stride=window)

    monkeypatch.setattr(adaptive.AdaptiveLayer, "windows", windows)
    with pytest.raises((AssertionError, GeometryError)):
        check_rule()
