"""Max pooling against the naive loops, and bit for bit against PyTorch."""

from __future__ import annotations

import itertools
import pickle
from fractions import Fraction

import numpy as np
import oracles
import pytest
import strategies
import sympy
from checking import check_pool, integers, pool_arguments
from hypothesis import assume, given, strategies as st

import symconv as sc
from symconv.boundary import OUTSIDE
from symconv.errors import GeometryError
from symconv.execute import csr, pooling
from symconv.execute.threads import thread_count
from symconv.incidence import Windows
from symconv.maxpool import PoolOperator
from symconv.selection import max_unpool
from symconv.semiring_matrix import SemiringMatrix
from symconv.semirings import BOOLEAN, COUNTING, MAX_PLUS, MINUS_INFINITY

PICTURE = [[1, 0, 3, 5], [3, 4, 2, 2], [1, 3, 3, 9], [5, 7, 8, 4]]


@given(strategies.max_pool_cases())
@strategies.examples(250)
def test_max_pool_equals_loops(case):
    layer, size = case
    assert layer.output_size(size) == oracles.pool_out_size(size, *pool_geometry(layer))
    reads = oracles.pool_reads(size, *pool_arguments(layer))
    if not reads.any(axis=1).all():
        with pytest.raises(GeometryError, match="padding must leave a sample in every window"):
            layer.operator(size)
        return
    check_pool(layer, size)


def pool_geometry(layer):
    return layer.kernel_size, layer.stride, layer.dilation, layer.padding, layer.ceil_mode


@given(strategies.pool_cases())
@strategies.examples(150)
def test_max_pool_of_the_average_pools_equals_loops(case):
    """The same settings as for average pooling, whose matrix has the same support."""
    average, size = case
    layer = sc.MaxPool(
        average.kernel_size,
        stride=average.stride,
        padding=average.padding,
        dilation=average.dilation,
        ceil_mode=average.ceil_mode,
    )
    assume(oracles.pool_reads(size, *pool_arguments(layer)).any(axis=1).all())
    check_pool(layer, size)
    if average.divisor_override is not None or not average.count_include_pad:
        matrix = average.operator(size).sparse()
        support = layer.operator(size).support().sparse()
        assert np.array_equal(matrix.indices, support.indices)
        assert np.array_equal(matrix.indptr, support.indptr)


@given(strategies.max_pool_cases(ranks=(1, 2)))
@strategies.examples(60)
def test_symbolic_maxima_are_those_of_the_loops(case):
    layer, size = case
    reads = oracles.pool_reads(size, *pool_arguments(layer))
    assume(reads.any(axis=1).all())
    op = layer.operator(size)
    x = np.array(sympy.symbols(f"a:{reads.shape[1]}"), dtype=object).reshape(size)
    expected = [sympy.Max(*(x.ravel()[np.flatnonzero(row)])) for row in reads]
    assert op.symbolic(x).ravel().tolist() == expected
    assert op.apply(np.stack([x, x + 1])).reshape(2, -1).tolist() == [
        expected,
        [sympy.Max(*((x + 1).ravel()[np.flatnonzero(row)])) for row in reads],
    ]
    names = {str(symbol) for entry in op.symbolic().ravel() for symbol in entry.free_symbols}
    assert names <= {"_".join(map(str, ("x", *at))) for at in np.ndindex(*size)}


def test_the_pooling_of_the_notes():
    """N14: [[1,0,3,5],[3,4,2,2],[1,3,3,9],[5,7,8,4]] with 2×2, stride 2."""
    assert sc.MaxPool2d(2).operator((4, 4)).apply(PICTURE).tolist() == [[4, 5], [7, 9]]
    assert sc.AvgPool2d(2).operator((4, 4)).apply(PICTURE).tolist() == [[2, 3], [4, 6]]


# PyTorch


def same(ours, theirs):
    """Equal bit for bit up to the sign of 0, NaN where NaN is, of one type."""
    theirs = theirs.detach().numpy()
    assert ours.dtype == theirs.dtype
    assert ours.shape == theirs.shape
    assert np.array_equal(ours, theirs, equal_nan=ours.dtype.kind == "f")


@given(
    strategies.torch_pool_cases(),
    st.sampled_from(["float32", "float64", "int64", "int32", "uint8", "int8"]),
    st.integers(0, 2**32 - 1),
)
@strategies.examples(1500)
def test_values_indices_and_gradients_are_pytorchs(case, dtype, seed):
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    functional = torch.nn.functional
    pool = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
    layer, size = case
    assume(oracles.pool_reads(size, *pool_arguments(layer)).any(axis=1).all())
    rng = np.random.default_rng(seed)
    low, high = (0, 4) if dtype == "uint8" else (-3, 4)
    x = rng.integers(low, high, (2, 2, *size)).astype(dtype)
    if dtype.startswith("float"):
        odd = rng.random(x.shape)
        x[odd < 0.1], x[odd > 0.9], x[odd > 0.95] = np.nan, np.inf, -np.inf
    op = layer.operator(size)
    values, places = op.apply(x, return_indices=True)
    given_x = torch.from_numpy(x).requires_grad_(dtype.startswith("float"))
    expected, expected_places = pool[layer.rank](
        given_x,
        layer.kernel_size,
        layer.stride,
        tuple(lo for lo, _ in layer.padding),
        layer.dilation,
        ceil_mode=layer.ceil_mode,
        return_indices=True,
    )
    same(values, expected)
    same(places, expected_places)
    same(op.apply(x), expected)
    if not dtype.startswith("float"):
        return
    y = rng.integers(-9, 10, expected.shape).astype(dtype)
    expected.backward(torch.from_numpy(y))
    same(op.gradient(x, y), given_x.grad)
    unpool = {
        1: functional.max_unpool1d, 2: functional.max_unpool2d, 3: functional.max_unpool3d,
    }[layer.rank]  # fmt: skip
    kernel = layer.kernel_size
    # PyTorch wants a size near the one that its formula gives; where the input's is another one,
    # the loops decide alone.
    near = [
        abs((n - 1) * s - 2 * lo + k - m) < s
        for n, s, (lo, _), k, m in zip(
            op.output_shape, layer.stride, layer.padding, kernel, size, strict=True
        )
    ]
    if all(near):
        back = unpool(expected.detach(), expected_places, kernel, layer.stride,
                      tuple(lo for lo, _ in layer.padding), output_size=size)  # fmt: skip
        same(op.unpool(values, places), back)


@given(strategies.max_pool_cases(), st.integers(0, 2**32 - 1))
@strategies.examples(150)
def test_any_padding_is_pytorchs_pad_with_minus_infinity(case, seed):
    """Asymmetric padding and crops as a pad by −∞ (or a crop) before an unpadded pooling."""
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    functional = torch.nn.functional
    pool = {1: functional.max_pool1d, 2: functional.max_pool2d, 3: functional.max_pool3d}
    layer, size = case
    assume(oracles.pool_reads(size, *pool_arguments(layer)).any(axis=1).all())
    # Cropping and the overhang of ceil mode are both "nothing", which PyTorch cannot say at once.
    assume(not layer.ceil_mode)
    x = np.random.default_rng(seed).integers(-9, 10, (1, 2, *size)).astype(np.float32)
    amounts = [amount for pair in reversed(layer.padding) for amount in pair]
    padded = functional.pad(torch.from_numpy(x), amounts, value=-np.inf)
    expected = pool[layer.rank](padded, layer.kernel_size, layer.stride, 0, layer.dilation)
    same(layer.operator(size).apply(x), expected)


# Numbers of other kinds


def test_python_integers_of_any_width_and_fractions_stay_exact():
    op = sc.MaxPool1d(2, stride=1).operator((3,))
    big = [2**80, 2**80 + 1, -(2**90)]
    assert op.apply(big).tolist() == [2**80 + 1, 2**80 + 1]
    values, places = op.apply(big, return_indices=True)
    assert values.tolist() == [2**80 + 1] * 2
    assert places.tolist() == [1, 1]
    thirds = [Fraction(1, 3), Fraction(2, 7), 1]
    assert op.apply(thirds).tolist() == [Fraction(1, 3), 1]
    assert op.gradient(thirds, [Fraction(1, 2), 1]).tolist() == [Fraction(1, 2), 0, 1]
    assert op.gradient([1, 2, 1], [2**62, 2**62]).tolist() == [0, 2**63, 0]
    assert op.gradient([1, 2, 1], np.array([200, 100], dtype=np.uint8)).tolist() == [0, 300, 0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint64", "float32", "float64"])
def test_the_type_of_the_data_is_kept(dtype):
    op = sc.MaxPool2d(2, padding=1).operator((3, 3))
    x = np.arange(9).reshape(3, 3).astype(dtype)
    assert op.apply(x).dtype == dtype
    assert op.apply(x).tolist() == [[0, 2], [6, 8]]


def test_the_smallest_integer_is_larger_than_what_lies_outside():
    for dtype in (np.int8, np.int64):
        low = np.iinfo(dtype).min
        values, places = (
            sc.MaxPool1d(2, padding=1)
            .operator((2,))
            .apply(np.full(2, low, dtype=dtype), return_indices=True)
        )
        assert values.tolist() == [low, low]
        assert places.tolist() == [0, 1]


def test_batches_of_any_shape_empty_ones_too():
    op = sc.MaxPool2d(2).operator((4, 4))
    x = integers((2, 3, 1, 4, 4))
    assert op.apply(x).shape == (2, 3, 1, 2, 2)
    assert op.apply(x[:0]).shape == (0, 3, 1, 2, 2)
    values, places = op.apply(x[:, :0], return_indices=True)
    assert values.shape == places.shape == (2, 0, 1, 2, 2)
    assert op.gradient(x[:0], values[:0, :0].reshape(0, 3, 1, 2, 2)).shape == (0, 3, 1, 4, 4)
    assert op.apply(x[..., ::-1]).tolist() == op.apply(x[..., ::-1].copy()).tolist()


def test_the_argument_is_left_as_it_was():
    x = np.arange(4.0)
    x.setflags(write=False)
    assert sc.MaxPool1d(1).operator((4,)).apply(x) is not x
    y = np.arange(6, dtype=np.float32)
    sc.AvgPool1d(1).operator((6,)).apply(y)
    sc.AvgPool1d(3).operator((6,)).T.apply(y[:2])
    assert y.tolist() == [0, 1, 2, 3, 4, 5]


# NaN


def test_nan_wins_and_the_last_of_several_is_named():
    nan = np.nan
    op = sc.MaxPool1d(3).operator((6,))
    values, places = op.apply([nan, 9.0, nan, 1.0, 2.0, 0.0], return_indices=True)
    assert np.array_equal(values, [nan, 2.0], equal_nan=True)
    assert places.tolist() == [2, 4]
    assert op.ties([nan, 9.0, nan, 1.0, 2.0, 0.0]) == {(0,): ((0,), (2,))}
    assert op.gradient([nan, 9.0, nan, 1.0, 2.0, 0.0], [10, 1]).tolist() == [0, 0, 10, 0, 1, 0]


def test_minus_infinity_in_the_data_is_a_value():
    op = sc.MaxPool1d(2, padding=1).operator((2,))
    values, places = op.apply([-np.inf, -np.inf], return_indices=True)
    assert values.tolist() == [-np.inf, -np.inf]
    assert places.tolist() == [0, 1]


# Ties, selections, gradients


def test_ties_name_every_largest_sample():
    op = sc.MaxPool2d(2).operator((2, 4))
    assert op.ties([[5, 5, 1, 2], [5, 0, 3, 4]]) == {(0, 0): ((0, 0), (0, 1), (1, 0))}
    assert op.ties(np.zeros((2, 2, 4), dtype=int)).keys() == {
        (plane, 0, o) for plane in (0, 1) for o in (0, 1)
    }


def test_the_selection_is_the_jacobian_where_nothing_ties():
    op = sc.MaxPool2d(2, stride=1).operator((3, 3))
    x = integers((3, 3))
    assert op.ties(x) == {}
    chosen = op.selection(x)
    assert chosen.sparse() @ x.ravel() == pytest.approx(op.apply(x).ravel(), abs=0)
    y = integers((2, 2), 1)
    assert np.array_equal(op.gradient(x, y).ravel(), chosen.sparse().T @ y.ravel())
    assert chosen.exact().T * sympy.Matrix(y.ravel()) == sympy.Matrix(op.gradient(x, y).ravel())
    moved = x.copy()
    for at in np.ndindex(3, 3):
        moved[at] += 1
        if not op.ties(moved):
            change = op.apply(moved) - op.apply(x)
            column = chosen.sparse()[:, [np.ravel_multi_index(at, (3, 3))]].toarray().ravel()
            assert np.array_equal(change.ravel(), column)
        moved[at] -= 1


def test_selections_are_values():
    op = sc.MaxPool1d(2).operator((4,))
    one, other = op.selection([1, 2, 3, 4]), op.selection([0, 9, 1, 5])
    assert one == other
    assert hash(one) == hash(other)
    assert one != op.selection([2, 1, 3, 4])
    assert one != "selection"
    assert one.counting().column_totals().tolist() == [0, 1, 0, 1]


def test_unpooling_puts_the_values_back():
    assert max_unpool([[1, 2], [3, 4]], [[0, 2], [2, 0]], (3,)).tolist() == [[1, 0, 2], [4, 0, 3]]
    assert max_unpool([1.5, 2.5], [0, 0], (2,)).tolist() == [2.5, 0.0]
    op = sc.MaxPool2d(2).operator((4, 4))
    values, places = op.apply(PICTURE, return_indices=True)
    assert op.unpool(values, places).tolist() == [
        [0, 0, 0, 5], [0, 4, 0, 0], [0, 0, 0, 9], [0, 7, 0, 0],
    ]  # fmt: skip
    assert op.apply(op.unpool(values, places)).tolist() == values.tolist()


# Matrices


def test_pooling_twice_is_pooling_once():
    first = sc.MaxPool1d(3, stride=2, padding=1).operator((9,))
    second = sc.MaxPool1d(2, stride=1).operator((5,))
    both = sc.MaxPool1d(5, stride=2, padding=((1, 1),)).operator((9,))
    product = second.exact() @ first.exact()
    assert product == both.exact()
    assert hash(product) == hash(both.exact())
    x = integers((7, 9))
    assert np.array_equal(second.apply(first.apply(x)), both.apply(x))
    # The counts of the product say by how many ways; the support forgets them.
    assert (second.overlap() @ first.overlap()).dense() != both.overlap().dense()
    assert (second.overlap() @ first.overlap()).to(BOOLEAN) == both.support()


def test_matrix_times_vector_is_apply():
    op = sc.MaxPool2d((2, 3), stride=(1, 2), padding=((1, 0), (0, 2))).operator((4, 5))
    x = integers((4, 5))
    assert (op.exact() @ x.ravel()).tolist() == op.apply(x).ravel().tolist()
    names = np.array(sympy.symbols("a:20"), dtype=object)
    assert (op.exact() @ names).tolist() == op.apply(names.reshape(4, 5)).ravel().tolist()


def test_operators_are_values_that_show_themselves():
    op = sc.MaxPool1d(2, stride=1).operator((3,))
    again = sc.MaxPool1d(2, stride=1, padding=0).operator((3,))
    assert op == again
    assert hash(op) == hash(again)
    assert op != sc.MaxPool1d(2).operator((4,))
    assert op != op.exact()
    assert repr(op) == "<PoolOperator 2×3, 4 entries: MaxPool((2,), stride=(1,)) on 3>"
    assert op._repr_latex_() == (
        r"$$\left[\begin{matrix}0 & 0 & -\infty\\-\infty & 0 & 0\end{matrix}\right]$$"
    )
    assert "<svg" in op._repr_html_()
    large = sc.MaxPool2d(3, stride=2).operator((400, 400))
    assert large._repr_latex_() is None
    assert "<svg" in large._repr_html_()
    assert op.weight_shape is None
    assert not op.has_bias
    assert pickle.loads(pickle.dumps(MINUS_INFINITY)) is MINUS_INFINITY  # noqa: S301


def test_max_pooling_is_no_linear_layer():
    assert not sc.MaxPool1d(2).is_linear
    assert sc.AvgPool1d(2).is_linear


# Windows of any kind, as adaptive pooling has them


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 6), st.integers(1, 4))
@strategies.examples(100)
def test_windows_of_any_kind(n, n_out, m, m_out):
    """Adaptive windows ⌊o·n/n_out⌋ … ⌈(o+1)·n/n_out⌉ are tables like any other."""
    x = integers((2, n, m))
    tables = [adaptive(n, n_out), adaptive(m, m_out)]
    op = PoolOperator(Windows(tables, (n, m)), "adaptive")
    values, places = op.apply(x, return_indices=True)
    sums = pooling.window_sums(x, tables)
    for plane, o, p in itertools.product(range(2), range(n_out), range(m_out)):
        rows, columns = tables[0][o], tables[1][p]
        window = x[plane][np.ix_(rows[rows != OUTSIDE], columns[columns != OUTSIDE])]
        assert values[plane, o, p] == window.max()
        assert sums[plane, o, p] == window.sum()
    assert np.array_equal(op.apply(x), values)
    picked = np.take_along_axis(x.reshape(2, -1), places.reshape(2, -1), axis=1)
    assert np.array_equal(picked.reshape(values.shape), values)
    smallest = pooling.window_extremes(x, tables, np.minimum)
    assert np.array_equal(smallest, -pooling.window_extremes(-x, tables))


def adaptive(n, n_out):
    windows = [range(o * n // n_out, -(-(o + 1) * n // n_out)) for o in range(n_out)]
    most = max(map(len, windows))
    return np.array([[*window, *[OUTSIDE] * (most - len(window))] for window in windows])


@st.composite
def any_tables(draw):
    """Tables ``[o, k] → i`` without any order: samples read twice, by several, or by none."""
    rank = draw(st.sampled_from((1, 2)))
    size = tuple(draw(st.integers(1, 5)) for _ in range(rank))
    tables = []
    for n in size:
        n_out, n_taps = draw(st.integers(1, 6)), draw(st.integers(1, 3))
        entries = st.lists(st.sampled_from([OUTSIDE, *range(n)]), min_size=n_taps, max_size=n_taps)
        tables.append(np.array([draw(entries) for _ in range(n_out)], dtype=np.int64))
    return size, tables


@given(any_tables(), st.integers(0, 2**32 - 1))
@strategies.examples(150)
def test_shares_are_the_adjoint_of_sums(case, seed):
    size, tables = case
    windows = Windows(tables, size)
    x, y = integers((2, *size), seed), integers((2, *windows.output_size), seed + 1)
    shares = np.zeros((2, x[0].size), dtype=np.int64)
    sums = np.zeros((2, y[0].size), dtype=np.int64)
    for o, _, i in zip(*windows.triples(), strict=True):
        shares[:, i] += y.reshape(2, -1)[:, o]
        sums[:, o] += x.reshape(2, -1)[:, i]
    for dtype in (np.int64, np.float32, object):
        found = pooling.window_shares(y.astype(dtype), tables, size)
        assert np.array_equal(found, shares.reshape(x.shape))
        found = pooling.window_sums(x.astype(dtype), tables)
        assert np.array_equal(found, sums.reshape(y.shape))


@pytest.mark.parametrize("n", [181, 182, 200])
def test_places_in_planes_of_any_size(n):
    """Up to 2**15 samples a place takes two bytes on its way."""
    x = integers((2, n, n), n, -3, 3)
    op = sc.MaxPool2d(3, stride=2, padding=((0, 1), (1, 0))).operator((n, n))
    values, places = op.apply(x, return_indices=True)
    padded = np.pad(x, ((0, 0), (0, 1), (1, 0)), constant_values=-9)
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    tap = seen.reshape(*seen.shape[:3], 9).argmax(axis=-1)
    rows = 2 * np.arange(seen.shape[1])[:, None] + tap // 3
    columns = 2 * np.arange(seen.shape[2])[None, :] + tap % 3 - 1
    assert np.array_equal(places, n * rows + columns)
    assert np.array_equal(values, seen.max(axis=(-2, -1)))
    assert np.array_equal(op.apply(x.astype(np.float64), return_indices=True)[1], places)


def test_taps_that_meet_on_one_sample_are_counted():
    tables = [np.array([[0, 0, 1], [1, OUTSIDE, 1]])]
    op = PoolOperator(Windows(tables, (2,)), "twice")
    assert op.overlap().dense() == [[2, 1], [0, 2]]
    assert op.exact() == SemiringMatrix({(0, 0): 0, (0, 1): 0, (1, 1): 0}, (2, 2), MAX_PLUS)
    assert op.ties([3, 1]) == {}
    assert op.apply([[3, 1], [1, 3]]).tolist() == [[3, 1], [3, 3]]
    assert op.overlap().semiring is COUNTING


# Full size


@pytest.mark.parametrize("kind", [sc.MaxPool2d, sc.AvgPool2d])
@pytest.mark.parametrize("options", [{"stride": 2, "padding": 1}, {"stride": 3, "ceil_mode": True}])
def test_blocks_and_threads_change_nothing(kind, options, monkeypatch):
    x = integers((3, 40, 23, 30)).astype(np.float32)
    op = kind(3, **options).operator((23, 30))
    whole = op.apply(x)
    y = integers((3, 40, *op.output_shape), 1).astype(np.float32)
    shares = op.gradient(x, y) if kind is sc.MaxPool2d else op.T.apply(y)
    monkeypatch.setattr(pooling, "BLOCK_BYTES", 5000)
    monkeypatch.setattr(pooling, "ARGMAX_BYTES", 5000)
    monkeypatch.setattr(pooling, "THREADED_BYTES", 0)
    monkeypatch.setattr(pooling, "thread_count", lambda: 3)
    assert np.array_equal(op.apply(x), whole)
    again = op.gradient(x, y) if kind is sc.MaxPool2d else op.T.apply(y)
    assert np.array_equal(again, shares)
    if kind is sc.MaxPool2d:
        values, places = op.apply(x, return_indices=True)
        assert np.array_equal(values, whole)
        expected = oracles.max_pool_places(x[:1, :1], *pool_arguments(op_layer(3, options)))
        assert np.array_equal(places[:1, :1], expected[1])


def op_layer(kernel, options):
    return sc.MaxPool2d(kernel, **options)


def test_the_callers_answer_to_nan_and_overflow_reaches_the_threads(monkeypatch):
    monkeypatch.setattr(pooling, "THREADED_BYTES", 0)
    monkeypatch.setattr(pooling, "BLOCK_BYTES", 64)
    monkeypatch.setattr(pooling, "thread_count", lambda: 3)
    op = sc.AvgPool1d(2).operator((4,))
    x = np.full((64, 4), np.finfo(np.float32).max, dtype=np.float32)
    with np.errstate(over="ignore"):
        assert np.isinf(op.apply(x)).all()
    with pytest.raises(FloatingPointError), np.errstate(over="raise"):
        op.apply(x)


def test_matrices_and_poolings_keep_to_the_threads_that_are_set(monkeypatch):
    threadpoolctl = pytest.importorskip("threadpoolctl")
    asked = []

    def share(original):
        return lambda work, n, threads: asked.append(threads) or original(work, n, threads)

    for room, threshold in ((pooling, "THREADED_BYTES"), (csr, "THREADED_ENTRIES")):
        monkeypatch.setattr(room, "share", share(room.share))
        monkeypatch.setattr(room, threshold, 0)
    convolution, pool = sc.Conv1d(1, 1, 2, bias=False), sc.MaxPool1d(2)
    for limit in (1, None):
        with threadpoolctl.threadpool_limits(limit, "blas"):
            pool.operator((8,)).apply(np.zeros((4, 8)))
            convolution.operator((8,)).sparse(np.zeros((1, 1, 2)))
            expected = thread_count()
        assert asked == [expected] * 2
        asked.clear()
    # Objects hold the interpreter's lock: more threads are of no use.
    pool.operator((8,)).apply(np.zeros((4, 8), dtype=object))
    assert asked == [1]


def test_averages_keep_their_zeros_and_types():
    op = sc.AvgPool1d(2, padding=1).operator((3,))
    y = op.apply(np.array([-0.0, -0.0, 4.0], dtype=np.float32))
    assert y.dtype == np.float32
    assert y.tolist() == [0.0, 2.0]
    assert not np.signbit(y).any()


# Command line


def test_the_command_line_pools_and_refuses_what_is_not_linear(tmp_path):
    click_testing = pytest.importorskip("click.testing")
    cli = pytest.importorskip("symconv.cli")
    np.save(tmp_path / "in.npy", np.array(PICTURE))
    run = click_testing.CliRunner().invoke
    given = [str(tmp_path / name) for name in ("in.npy", "out.npy")]
    assert run(cli.commands, ["apply", "MaxPool2d(2)", *given]).exit_code == 0
    assert np.load(tmp_path / "out.npy").tolist() == [[4, 5], [7, 9]]
    for arguments in (
        ["matrix", "MaxPool1d(2)", "--input", "4"],
        ["apply", "MaxPool2d(2)", *given, "--transpose"],
    ):
        done = run(cli.commands, arguments)
        assert "layer must be linear" in done.output + str(done.exception)
