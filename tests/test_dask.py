"""Dask arrays in tiles, and ledgers on a cluster: equal to one machine, whoever dies meanwhile."""

from __future__ import annotations

import itertools
import math
import os
import pickle
import signal
import time
from concurrent.futures import CancelledError
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, strategies as st
from strategies import (
    MODES,
    conv_cases,
    examples,
    legal_size,
    max_pool_cases,
    pool_cases,
    transpose_cases,
)

import symconv as sc
from symconv import cluster as cluster_room
from symconv.auditing import sharing as audits_room
from symconv.boundary import OUTSIDE
from symconv.distributed import parts as room
from symconv.distributed.parts import Shifted, cut, cut_windows, fetches, linear_part
from symconv.errors import (
    ClusterError,
    DTypeError,
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.geometry import Axis
from symconv.incidence import axis_reads
from symconv.layers.adaptive import AdaptiveAvgPool, AdaptiveMaxPool
from symconv.proving import ledger as ledger_room
from symconv.proving.collecting import chosen
from symconv.proving.ledger import prove
from symconv.proving.sharing import decided_by_name, decided_on

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
distributed = pytest.importorskip("distributed")

FEW = ["transposed.zero-insertion", "relation.definition", "relation.extent", "transposed.causal"]


@pytest.fixture(autouse=True)
def _in_this_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@st.composite
def chunkings(draw, shape):
    """Chunks of any sizes, empty ones among them."""
    return tuple(draw(_chunks(n)) for n in shape)


@st.composite
def _chunks(draw, n):
    sizes = []
    while sum(sizes) < n:
        sizes.append(draw(st.integers(1, n - sum(sizes))))
    if not sizes or draw(st.integers(0, 5)) == 0:
        sizes.insert(draw(st.integers(0, len(sizes))), 0)
    return tuple(sizes)


def numbers(operator, seed, batch=(2,), most=99):
    """Integers: an input, and what else `apply` takes."""
    rng = np.random.default_rng(seed)
    x = rng.integers(-most, most + 1, (*batch, *operator.input_shape)).astype(np.int16)
    rest = []
    if operator.weight_shape is not None:
        rest.append(rng.integers(-most, most + 1, operator.weight_shape))
        if operator.has_bias:
            rest.append(rng.integers(-most, most + 1, operator.output_shape[0]))
    return x, rest


def check(operator, x, rest, chunks):
    """The tiles give what one machine gives, of the shape and type that they state."""
    expected = operator.apply(x, *rest)
    lazy = operator.apply(da.from_array(x, chunks=chunks), *rest)
    found = lazy.compute()
    assert found.shape == lazy.shape == expected.shape
    assert found.dtype == lazy.dtype == expected.dtype
    assert np.array_equal(found, expected)
    for sizes in lazy.chunks[x.ndim - len(operator.input_shape) :]:
        assert all(sizes) or sizes == (0,)


def check_both(operator, data):
    for each in (operator, operator.T):
        batch = data.draw(st.sampled_from([(), (0,), (1,), (3,), (2, 2)]))
        x, rest = numbers(each, data.draw(st.integers(0, 999)), batch)
        check(each, x, rest, data.draw(chunkings(x.shape)))


# Equal to one machine.


@examples(100)
@given(conv_cases(bias=st.booleans()), st.data())
def test_convolutions(case, data):
    layer, size = case
    check_both(layer.operator(size), data)


@examples(100)
@given(transpose_cases(bias=st.booleans()), st.data())
def test_transposed_convolutions(case, data):
    layer, size = case
    check_both(layer.operator(size), data)


@examples(60)
@given(pool_cases(), st.data())
def test_average_pooling(case, data):
    layer, size = case
    try:
        operator = layer.operator(size)
    except GeometryError:
        assume(False)
    check_both(operator, data)


SIZES = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=2)


@examples(40)
@given(SIZES, st.data())
def test_adaptive_average_pooling(pairs, data):
    size, target = zip(*pairs, strict=True)
    check_both(AdaptiveAvgPool(target).operator(size), data)


@examples(40)
@given(st.data(), st.sampled_from([*MODES, "constant"]))
def test_padding(data, mode):
    value = {"padding_value": 7} if mode == "constant" else {}
    amounts = tuple(data.draw(st.tuples(st.integers(-1, 9), st.integers(-1, 9))) for _ in range(2))
    layer = sc.Pad(amounts, padding_mode=mode, **value)
    check_both(layer.operator(legal_size(data.draw, layer)), data)


@examples(20)
@given(st.data(), st.integers(1, 3), st.integers(1, 3))
def test_patches(data, stride, dilation):
    layer = sc.Unfold((2, 3), stride=stride, dilation=dilation, padding=1)
    check_both(layer.operator((6, 8)), data)


def check_maxima(operator, data):
    shape = (data.draw(st.integers(0, 3)), *operator.input_shape)
    x = np.random.default_rng(data.draw(st.integers(0, 999))).integers(-3, 4, shape)
    if data.draw(st.booleans()):
        # Ties, signed zeros and NaN among them.
        x = x.astype(np.float32)
        x[x == 3] = np.nan
    lazy = da.from_array(x, chunks=data.draw(chunkings(shape)))
    values, places = operator.apply(x, return_indices=True)
    found = operator.apply(lazy, return_indices=True)
    assert [each.dtype for each in found] == [values.dtype, places.dtype]
    found_values, found_places = dask.compute(*found)
    np.testing.assert_array_equal(found_values, values)
    np.testing.assert_array_equal(found_places, places)
    np.testing.assert_array_equal(operator.apply(lazy).compute(), values)


@examples(60)
@given(max_pool_cases(), st.data())
def test_max_pooling(case, data):
    layer, size = case
    try:
        operator = layer.operator(size)
    except GeometryError:
        assume(False)
    check_maxima(operator, data)


@examples(30)
@given(SIZES, st.data())
def test_adaptive_max_pooling(pairs, data):
    size, target = zip(*pairs, strict=True)
    check_maxima(AdaptiveMaxPool(target).operator(size), data)


@examples(60)
@given(max_pool_cases(ranks=(1, 2)), st.sampled_from([1, 2, 3, np.inf]), st.data())
def test_norms(case, norm_type, data):
    layer, size = case
    norm = sc.LpPool(
        float(norm_type) if norm_type == np.inf else norm_type,
        layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        ceil_mode=layer.ceil_mode,
    )
    try:
        operator = norm.operator(size)
    except GeometryError:
        assume(False)
    check_window_operator(operator, data)


@examples(60)
@given(max_pool_cases(ranks=(1, 2)), st.booleans(), st.data())
def test_dilation_and_erosion(case, dilates, data):
    layer, size = case
    values = data.draw(
        st.lists(
            st.one_of(st.integers(-9, 9), st.just(sc.MINUS_INFINITY)),
            min_size=math.prod(layer.kernel_size),
            max_size=math.prod(layer.kernel_size),
        )
    )
    assume(any(value is not sc.MINUS_INFINITY for value in values))
    structure = np.array(values, dtype=object).reshape(layer.kernel_size)
    kind = sc.Dilation if dilates else sc.Erosion
    try:
        operator = kind(
            structure, stride=layer.stride, padding=layer.padding, dilation=layer.dilation
        ).operator(size)
    except GeometryError:
        assume(False)
    check_window_operator(operator, data)


def check_window_operator(operator, data):
    batch = data.draw(st.sampled_from([(), (0,), (2,), (2, 2)]))
    x, _ = numbers(operator, data.draw(st.integers(0, 999)), batch, most=9)
    x = x.astype(data.draw(st.sampled_from([np.int16, np.float32, np.float64])))
    check(operator, x, [], data.draw(chunkings(x.shape)))


def test_windows_without_a_sample_have_the_norm_0_in_tiles_too():
    op = sc.LpPool1d(1, 2, stride=1, padding=((5, 7),)).operator((6,))
    x = np.arange(-3, 3)
    for chunks in ((1,) * 6, (2, 4), (6,)):
        found = op.apply(da.from_array(x, chunks=(chunks,)))
        assert found.compute().tolist() == op.apply(x).tolist()
    # Windows before the first sample do not move the cuts of those after them.
    assert cut_windows(op.windows.reads[0], [1, 3], 6) == [6, 8]


def test_types_of_norms_and_dilations_hold_whatever_the_values_are():
    sums = sc.LpPool1d(1, 3, stride=1).operator((4,))
    most = np.full(4, -(2**63))
    for x, dtype in ((most, object), (most.astype(np.int32), np.int64), (most * 0.5, np.float64)):
        found = sums.apply(da.from_array(x, chunks=(2,)))
        assert found.dtype == found.compute().dtype == dtype
        assert found.compute().tolist() == sums.apply(x).tolist()
    assert sums.apply(da.from_array(most, chunks=(2,))).compute().tolist() == [3 * 2**63] * 2
    square = sc.LpPool1d(2, 2).operator((4,))
    assert square.apply(da.from_array([3, 4, 1, 1], chunks=(2,))).compute().tolist() == [
        5, sympy.sqrt(2),
    ]  # fmt: skip
    for x, dtype, largest in (
        (most, object, 1), (most.astype(np.int16), np.int64, 2**61), (most * 1.0, float, 1),
        (most.astype(np.int16), object, 2**62),
    ):  # fmt: skip
        up = sc.Dilation((0, largest)).operator((4,))
        found = up.apply(da.from_array(x, chunks=(2,)))
        assert found.dtype == found.compute().dtype == dtype
        assert found.compute().tolist() == up.apply(x).tolist()
    thirds = sc.Erosion((Fraction(1, 3), 0)).operator((4,))
    found = thirds.apply(da.arange(4, chunks=2))
    assert (found.dtype, found.compute().tolist()) == (object, thirds.apply(range(4)).tolist())
    with pytest.raises(DTypeError, match="structure"):
        sc.Dilation((sympy.Symbol("a"), 0)).operator((4,)).apply(da.zeros(4, chunks=2))


def test_what_has_no_tiles_refuses_dask_arrays():
    x, y = da.ones((1, 8), chunks=4), da.ones((1, 4), chunks=2)
    most, norm = sc.MaxPool1d(2).operator((8,)), sc.LpPool1d(2, 2).operator((8,))
    conv = sc.Conv1d(1, 1, 3, bias=False).operator((8,))
    lazy = da.ones((1, 1, 3), chunks=1)
    for name, call in (
        ("x", lambda: most.gradient(x, np.ones((1, 4)))),
        ("y", lambda: most.gradient(np.ones((1, 8)), y)),
        ("x", lambda: most.selection(x[0])),
        ("x", lambda: most.ties(x)),
        ("y", lambda: most.unpool(y, np.zeros((1, 4), int))),
        ("indices", lambda: most.unpool(np.ones((1, 4)), y.astype(int))),
        ("x", lambda: most.exact() @ x[0].astype(int)),
        ("x", lambda: norm.gradient(x, np.ones((1, 4)))),
        ("y", lambda: norm.gradient(np.ones((1, 8)), y)),
        ("structure", lambda: sc.Dilation(lazy.astype(int))),
        ("weight", lambda: conv.sparse(lazy)),
        ("weight", lambda: conv.bind(lazy)),
        ("kernel", lambda: sc.separate(lazy[0].astype(int))),
    ):
        with pytest.raises(ParameterTypeError, match=rf"{name} must be an array in memory.*compu"):
            call()


@examples(60)
@given(conv_cases(ranks=(1,), modes=(*MODES, "zeros")), st.booleans(), st.data())
def test_every_part_has_the_triples_of_its_range(case, transposed, data):
    """The tables of a part, read back through what it fetches, are the tables of the whole axis."""
    layer, size = case
    geometry = layer.geometry(size)
    (axis,), boundary = geometry.axes, geometry.boundary
    n_given, n_made = (axis.n_out, axis.n_in) if transposed else (axis.n_in, axis.n_out)
    sizes = data.draw(_chunks(n_given))
    starts = [0, *itertools.accumulate(sizes[:-1])]
    start = data.draw(st.integers(0, n_made - 1))
    stop = data.draw(st.integers(start + 1, n_made))
    part = linear_part(axis, boundary, transposed, start, stop, starts)
    source = np.full(part.width, OUTSIDE)
    for fetch in part.fetches:
        stored = np.arange(starts[fetch.chunk], starts[fetch.chunk] + sizes[fetch.chunk])[
            fetch.hull
        ]
        for read, put in fetch.runs:
            source[put] = stored[read]
    local = axis_reads(part.local, room.Boundary() if boundary.needs_samples else boundary)
    whole = triples(axis_reads(axis, boundary))
    if not transposed:
        found = {(o + start, k, int(source[i])) for o, k, i in triples(local)}
        found = {triple for triple in found if triple[2] != OUTSIDE}
        assert found == {(o, k, i) for o, k, i in whole if start <= o < stop}
        return
    fold = np.arange(part.size) if part.fold is None else part.fold
    found = [
        (int(source[o]), k, int(fold[i]) + start) for o, k, i in triples(local) if fold[i] >= 0
    ]
    found = [triple for triple in found if triple[0] != OUTSIDE]
    assert sorted(found) == sorted((o, k, i) for o, k, i in whole if start <= i < stop)


def triples(table):
    return [
        (int(o), int(k), int(table[o, k])) for o, k in zip(*np.nonzero(table >= 0), strict=True)
    ]


@examples(60)
@given(st.lists(st.integers(-1, 9), min_size=1, max_size=20), st.data())
def test_fetches_are_what_was_asked_for(source, data):
    source = np.array(source)
    sizes = data.draw(_chunks(10))
    starts = [0, *itertools.accumulate(sizes[:-1])]
    found = np.full(len(source), OUTSIDE)
    for fetch in fetches(source, starts):
        stored = np.arange(starts[fetch.chunk], starts[fetch.chunk] + sizes[fetch.chunk])[
            fetch.hull
        ]
        assert len(stored) == fetch.hull.stop - fetch.hull.start > 0
        for read, put in fetch.runs:
            assert (found[put] == OUTSIDE).all()
            found[put] = stored[read]
    assert np.array_equal(found, source)


def test_a_regular_part_is_few_runs():
    wrapped = np.concatenate([np.arange(90, 100), np.arange(100), np.arange(10)])
    assert [len(fetch.runs) for fetch in fetches(wrapped, [0, 50])] == [2, 2]
    mirrored = np.concatenate([np.arange(5, 0, -1), np.arange(100)])
    assert [len(fetch.runs) for fetch in fetches(mirrored, [0, 50])] == [2, 1]
    assert [fetch.runs for fetch in fetches(np.zeros(50, dtype=int), [0])] == [
        ((slice(0, 1, 1), slice(0, 50, 1)),)
    ]


# Cuts.


def test_output_chunks_follow_those_of_the_input():
    x = da.zeros((2, 1, 64, 64), chunks=(1, 1, 16, 32), dtype=np.float32)
    weight = np.ones((1, 1, 3, 3), dtype=np.float32)
    same = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator((64, 64))
    assert same.apply(x, weight).chunks == x.chunks
    half = sc.Conv2d(1, 1, 3, stride=2, padding=1, bias=False).operator((64, 64))
    y = half.apply(x, weight)
    assert y.chunks == ((1, 1), (1,), (8,) * 4, (16,) * 2)
    assert half.T.apply(y, weight).chunks == x.chunks
    pooled = sc.MaxPool2d(2).operator((64, 64)).apply(x)
    assert pooled.chunks == ((1, 1), (1,), (8,) * 4, (16,) * 2)


def test_cuts_leave_no_empty_chunk():
    x = da.zeros((1, 40), chunks=(1, 1), dtype=np.float32)
    op = sc.Conv1d(1, 1, 31, stride=4, bias=False).operator((40,))
    y = op.apply(x, np.ones((1, 1, 31), dtype=np.float32))
    assert y.chunks == ((1,), (1, 1, 1))
    relation = sc.AxisRelation(3, stride=2, pad_lo=1, pad_hi=1)
    assert cut(Axis(relation, 9, 5), [0, 9], False) == []
    assert cut_windows(np.array([[0, OUTSIDE], [1, 2]]), [0, 1, 3], 3) == [1]


def test_a_tile_takes_its_halo_and_no_more():
    x = da.zeros((1, 100, 100), chunks=(1, 20, 20), dtype=np.float32)
    op = sc.Conv2d(1, 1, 5, padding=2, bias=False).operator((100, 100))
    y = op.apply(x, np.ones((1, 1, 5, 5), dtype=np.float32))
    graph = dict(y.__dask_graph__())
    halos = [key for key in graph if str(key[0]).startswith("symconv-halo")]
    # (name, channel-free block, row from, to, column from, to): sides of 2, and corners.
    assert {(key[-3] - key[-4], key[-1] - key[-2]) for key in halos} == {(2, 2), (2, 20), (20, 2)}


# Numbers.


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("mode", ["zeros", "reflect"])
def test_floats_are_within_the_a_priori_bound(dtype, mode):
    rng = np.random.default_rng(5)
    layer = sc.Conv2d(3, 4, 3, padding=1, stride=2, bias=False, padding_mode=mode)
    for op in (layer.operator((33, 40)), layer.operator((33, 40)).T):
        x, w = (rng.standard_normal((2, *op.input_shape)), rng.standard_normal(op.weight_shape))
        x, w = x.astype(dtype), w.astype(dtype)
        y = op.apply(da.from_array(x, chunks=(1, 2, 10, 7)), w)
        expected = op.apply(x, w)
        assert y.dtype == expected.dtype == dtype
        terms = 2 * 9 * 4 * 4
        unit = terms * np.finfo(dtype).eps
        bound = 2 * unit / (1 - unit) * op.apply(np.abs(x), np.abs(w))
        assert (np.abs(y.compute() - expected) <= bound).all()


@pytest.mark.parametrize("plan", ["taps", "patches", "separable"])
def test_a_plan_can_be_forced(plan):
    op = sc.Conv2d(2, 2, 3, padding=1, bias=False).operator((12, 12))
    x = np.arange(288.0).reshape(1, 2, 12, 12)
    w = np.arange(4).reshape(2, 2, 1, 1) * np.outer([1, 2, 1], [1, 0, -1])
    lazy = op.apply(da.from_array(x, chunks=(1, 1, 5, 5)), w, plan=plan)
    assert np.array_equal(lazy.compute(), op.apply(x, w))
    with pytest.raises(ParameterError, match="plan must be one of"):
        op.apply(lazy, w, plan="fast")


def test_float_types_are_stated_as_in_memory():
    layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="constant", padding_value=0.5)
    op = layer.operator((9,))
    for kind, weight, bias in itertools.product(
        (np.uint8, np.float32, np.float64), (np.int8, np.float32), (np.int64, np.float64)
    ):
        x = np.arange(9).reshape(1, 9).astype(kind)
        rest = np.ones((1, 1, 3), dtype=weight), np.ones(1, dtype=bias)
        expected = op.apply(x, *rest)
        y = op.apply(da.from_array(x, chunks=(1, 4)), *rest)
        assert y.dtype == y.compute().dtype == expected.dtype
        assert np.array_equal(y.compute(), expected)


def test_integers_are_stated_by_what_their_type_holds():
    op = sc.Conv1d(1, 1, 2, bias=False).operator((9,))
    x = np.array([[-(2**31)] * 9], dtype=np.int32)
    lazy = da.from_array(x, chunks=(1, 3))
    fits, beyond = [[[2**31, -(2**31 - 1)]]], [[[2**31, -(2**31)]]]
    assert op.apply(lazy, fits).dtype == np.int64
    assert op.apply(lazy, beyond).dtype == object
    for weight in (fits, beyond):
        assert op.apply(lazy, weight).compute().tolist() == op.apply(x, weight).tolist()
    # Whatever the values are, 64 bits may hold more.
    wide = da.from_array(x.astype(np.int64), chunks=(1, 3))
    assert op.apply(wide, fits).dtype == object
    large = np.array([[2**62] * 9])
    found = op.apply(da.from_array(large, chunks=(1, 2)), [[[3, 3]]]).compute()
    assert found.tolist() == [[6 * 2**62] * 8]


def test_overlapping_samples_count_in_the_bound():
    # One sample is read by every tap of every output: the bound must know.
    op = sc.Conv1d(1, 1, 1, padding=((50, 49),), bias=False, padding_mode="replicate").operator(
        (1,)
    )
    y = np.full((1, 100), 2**31 - 1, dtype=np.int32)
    weight = [[[2**30]]]
    found = op.T.apply(da.from_array(y, chunks=(1, 30)), weight)
    assert found.dtype == object
    assert found.compute().tolist() == [[100 * (2**31 - 1) * 2**30]]


def test_exact_numbers_are_exact():
    op = sc.Conv1d(1, 1, 2).operator((6,))
    x = np.array([[Fraction(n, 3) for n in range(6)]], dtype=object)
    weight = np.array([[[1, Fraction(1, 7)]]], dtype=object)
    lazy = op.apply(da.from_array(x, chunks=(1, 4)), weight, [1])
    assert lazy.dtype == object
    assert lazy.compute().tolist() == op.apply(x, weight, [1]).tolist()
    w = op.weight_symbols()
    symbolic = op.apply(da.from_array(np.arange(6)[None], chunks=(1, 2)), w, [0]).compute()
    assert symbolic.tolist() == op.apply(np.arange(6)[None], w, [0]).tolist()
    mean = sc.AvgPool1d(3, stride=1).operator((6,))
    assert mean.apply(da.arange(6, chunks=2)).compute().tolist() == [1, 2, 3, 4]


def test_tiles_share_what_a_thread_has_made_ready():
    op = sc.Conv2d(16, 16, 3, padding=1, bias=False).operator((96, 96))
    x, rest = numbers(op, 6, most=9)
    lazy = op.apply(da.from_array(x.astype(np.float32), chunks=(1, 16, 16, 16)), *rest)
    expected = op.apply(x, *rest)
    for _ in range(3):
        assert np.array_equal(lazy.compute(scheduler="threads", num_workers=8), expected)


def test_bound_operators_take_dask_arrays():
    layer = sc.Conv1d(1, 1, 3, padding=1)
    bound = layer.operator((9,)).bind([[[1, 2, 3]]], [5])
    x = np.arange(9)[None]
    lazy = da.from_array(x, chunks=(1, 4))
    assert np.array_equal(bound.apply(lazy).compute(), bound.apply(x))
    assert np.array_equal((bound @ lazy).compute(), bound @ x)
    assert np.array_equal((bound.T @ lazy).compute(), bound.T @ x)


# What is refused.


def test_bad_input():
    op = sc.Conv2d(1, 1, 3).operator((8, 8))
    weight, bias = np.ones((1, 1, 3, 3)), [1]
    good = da.zeros((1, 1, 8, 8), chunks=4)
    refused = [
        (ShapeError, "x must have shape .*, 1, 8, 8.*got", (da.zeros((1, 8, 9)), weight, bias)),
        (ShapeError, "weight must have shape", (good, np.ones(3), bias)),
        (ParameterError, "bias must be given", (good, weight)),
        (ParameterTypeError, "weight must be an array in memory", (good, da.ones((1, 1, 3, 3)))),
        (DTypeError, "x must hold numbers, got booleans", (good > 0, weight, bias)),
        (DTypeError, "x must hold integers", (good.astype(np.float16), weight, bias)),
        (DTypeError, "weight is exact", (good, weight.astype(int) * Fraction(1, 3), bias)),
    ]
    for kind, message, given_ in refused:
        with pytest.raises(kind, match=message):
            op.apply(*given_)
    with pytest.raises(ParameterError, match="out must be left out for a Dask array"):
        op.apply(good, weight, bias, out=np.zeros((1, 1, 6, 6)))
    with pytest.raises(ParameterTypeError, match="x must be an array in memory"):
        op.apply(good, weight, bias, certify="a-priori")
    with pytest.raises(ParameterTypeError, match="y must be an array in memory"):
        op.weight_gradient(np.zeros((1, 8, 8)), op.apply(good, weight, bias))
    unknown = good[good.sum(axis=(1, 2, 3)) > 1]
    with pytest.raises(ShapeError, match=r"x must have chunks of known sizes.*compute_chunk"):
        op.apply(unknown, weight, bias)
    maxima = sc.MaxPool2d(2).operator((8, 8))
    with pytest.raises(DTypeError, match="x must be real"):
        maxima.apply(good.astype(complex))
    with pytest.raises(ShapeError, match=r"x must have chunks of known sizes.*MaxPool"):
        maxima.apply(unknown)


def test_errors_in_tiles_name_the_geometry():
    op = sc.Conv1d(1, 1, 3, bias=False).operator((9,))
    lazy = op.apply(da.full((1, 9), 2**60, chunks=4), np.ones((1, 1, 3), dtype=np.float32))
    with pytest.raises(DTypeError, match=r"x holds .*Conv\(1, 1, \(3,\), bias=False\) on 9"):
        lazy.compute()
    small = op.apply(da.zeros((1, 9), chunks=4), np.ones((1, 1, 3)))
    assert small.compute().shape == (1, 7)
    with pytest.raises(TooLargeError, match=r"may be used.*on 9"):
        sc.Conv1d(1, 1, 3, bias=False).operator((9,)).apply(
            da.zeros((1, 9), chunks=4), np.ones((1, 1, 3)), plan="patches", memory_limit=1
        ).compute()


def test_nothing_is_computed_before_it_is_asked_for():
    def fail(block):
        raise AssertionError

    x = da.zeros((1, 1, 8, 8), chunks=4).map_blocks(fail, dtype=float, meta=np.empty((0,) * 4))
    y = sc.Conv2d(1, 1, 3, bias=False).operator((8, 8)).apply(x, np.ones((1, 1, 3, 3)))
    assert y.shape == (1, 1, 6, 6)


# The graph.


def test_weights_are_in_the_graph_once():
    layer = sc.Conv2d(64, 64, 3, padding=1, bias=False)
    weight = np.ones(layer.operator((8, 8)).weight_shape, dtype=np.float32)

    def size(chunk):
        x = da.zeros((1, 64, 64, 64), chunks=(1, 64, chunk, chunk), dtype=np.float32)
        (optimized,) = dask.optimize(layer.operator((64, 64)).apply(x, weight))
        return len(pickle.dumps(dict(optimized.__dask_graph__())))

    few, many = size(32), size(8)
    assert few < weight.nbytes + 50_000
    # 60 more tiles with their halos, each far below the weights.
    assert many - few < 60 * 10_000


def test_a_map_that_has_run_carries_no_tables_into_the_graph():
    op = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator((512, 512))
    weight = np.ones((1, 1, 3, 3), dtype=np.float32)
    x = da.zeros((1, 1, 512, 512), chunks=256, dtype=np.float32)

    def size():
        return len(pickle.dumps(dict(op.apply(x, weight).__dask_graph__())))

    before = size()
    op.apply(x.compute(), weight)
    assert abs(size() - before) < 1000


def test_shifted_windows_survive_a_process():
    shifted = Shifted(7, 3, 1, 2)
    assert pickle.loads(pickle.dumps(shifted)) == shifted  # noqa: S301
    assert shifted.reach(2) == 5


# A real cluster.


@pytest.fixture(scope="module")
def client():
    """Two processes with little memory; one that dies is replaced."""
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            memory_limit="600MiB",
            dashboard_address=":0",
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def kill_one(client):
    pid = next(iter(client.run(os.getpid).values()))
    os.kill(pid, signal.SIGKILL)
    return pid


def slow(block):
    time.sleep(0.05)
    return block


def test_tiles_on_a_cluster(client):
    layer = sc.Conv2d(2, 3, 3, padding=2, stride=2, padding_mode="circular")
    op = layer.operator((40, 50))
    x, rest = numbers(op, 1)
    y = op.apply(da.from_array(x, chunks=(1, 1, 16, 20)), *rest)
    assert np.array_equal(client.compute(y).result(timeout=60), op.apply(x, *rest))
    back, rest = numbers(op.T, 2)
    z = op.T.apply(da.from_array(back, chunks=(1, 3, 8, 10)), *rest)
    assert np.array_equal(client.compute(z).result(timeout=60), op.T.apply(back, *rest))
    pool = sc.MaxPool2d(3, stride=2, padding=1).operator((40, 50))
    found = pool.apply(da.from_array(x, chunks=(1, 1, 16, 20)), return_indices=True)
    places = pool.apply(x, return_indices=True)[1]
    assert np.array_equal(client.compute(found[1]).result(timeout=60), places)


def test_a_worker_is_killed_and_nothing_is_lost(client):
    op = sc.Conv2d(1, 2, 5, padding=2, bias=False).operator((160, 160))
    x, rest = numbers(op, 3, batch=(1,))
    lazy = da.from_array(x, chunks=(1, 1, 20, 20)).map_blocks(slow, meta=x[:0])
    y = client.persist(op.apply(lazy, *rest))
    futures = distributed.futures_of(y)
    with client.as_current():
        distributed.wait(futures, timeout=60, return_when="FIRST_COMPLETED")
    killed = kill_one(client)
    assert not all(future.done() for future in futures)
    assert np.array_equal(client.compute(y).result(timeout=60), op.apply(x, *rest))
    client.wait_for_workers(2, timeout=60)
    assert killed not in client.run(os.getpid).values()


def pixels(block_info=None):
    """A block of an image that is nowhere whole."""
    where = block_info[None]
    (_, _, (top, bottom), (left, right)) = where["array-location"]
    rows, columns = np.arange(top, bottom)[:, None], np.arange(left, right)
    return ((7 * rows + 3 * columns) % 251).astype(np.uint8)[None, None]


def test_an_image_larger_than_memory(client):
    n = 12288
    x = da.map_blocks(
        pixels, chunks=((1,), (1,), (1024,) * 12, (1024,) * 12), meta=np.empty((0,) * 4, np.uint8)
    )
    op = sc.Conv2d(1, 1, 3, padding="full", bias=False).operator((n, n))
    weight = np.array([[[[1, -2, 3], [4, 5, -6], [7, 8, 9]]]])
    y = op.apply(x, weight)
    # 1152 MiB, more than a worker has, nor would two of them hold it with what they are made of.
    assert y.dtype == np.int64
    assert y.nbytes > 600 * 2**20
    total, whole = client.compute([y.sum(), x.sum(dtype=np.int64)])
    assert total.result(timeout=120) == weight.sum() * whole.result(timeout=60)


def without_times(ledger):
    return [{**row, "seconds": 0} for row in ledger.data()["theorems"]]


def test_a_ledger_on_a_cluster(client, tmp_path):
    path, rows = tmp_path / "journal.jsonl", []
    ledger = prove(FEW, client=client, journal=path, on_row=lambda row, *_: rows.append(row))
    assert without_times(ledger) == without_times(prove(FEW))
    assert len(rows) == len(FEW)
    assert not path.exists()


def test_a_journal_keeps_what_a_cluster_decided(client, tmp_path):
    def stop(row, done, total):
        if done == 2:
            raise InterruptedError

    path = tmp_path / "journal.jsonl"
    with pytest.raises(InterruptedError):
        prove(FEW, client=client, journal=path, on_row=stop)
    assert len(path.read_text().splitlines()) == 3
    assert without_times(prove(FEW, journal=path)) == without_times(prove(FEW))


def test_a_worker_that_dies_costs_a_ledger_nothing(client):
    def kill(row, done, total):
        if done == 1:
            kill_one(client)

    ids = prove(subject="transposed", client=client, on_row=kill)
    assert without_times(ids) == without_times(prove(subject="transposed"))
    client.wait_for_workers(2, timeout=60)


def test_workers_must_run_the_same_code(client, monkeypatch):
    monkeypatch.setattr(ledger_room, "fingerprint", lambda: "another")
    with pytest.raises(ParameterError, match="client must have workers with the same code"):
        prove(FEW, client=client)


def test_prove_takes_a_scheduler(client, tmp_path, monkeypatch):
    commands = pytest.importorskip("commands")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    address = client.scheduler.address
    code, output = commands.run("prove", FEW[0], "--scheduler", address, "--quiet")
    assert (code, output.count("1 PROVED")) == (0, 1)


# Audits on the cluster.


@pytest.fixture(scope="module")
def audits():
    """The models of the audits' own tests."""
    return pytest.importorskip("test_audit")


def without_seconds(found):
    return found.engines, [replace(row, seconds=0) for row in found.rows]


def test_an_audit_on_a_cluster(client, audits):
    rows = []
    found = sc.audit(audits.EVERYTHING, client=client, on_row=rows.append)
    assert without_seconds(found) == without_seconds(sc.audit(audits.EVERYTHING))
    assert sorted(map(repr, rows)) == sorted(map(repr, found.rows))
    # A geometry is one task, whatever the number of its nodes.
    same = ("Conv", ["w"], {"pads": [1, 1]})
    odd = ("Conv", ["w"], {"strides": [0]})
    twice = audits.chain(same, same, odd, shape=[1, 2, 6], weights={"w": (2, 2, 3)})
    found = sc.audit(twice, ["scipy-correlate", "onnxruntime"], client=client)
    assert [row.same_as for row in found.rows] == ["", "", "n0", "n0", ""]
    assert [row.status for row in found.rows] == [*["PROVED"] * 4, "SKIPPED"]
    assert without_seconds(found) == without_seconds(
        sc.audit(twice, ["scipy-correlate", "onnxruntime"])
    )


def test_a_planted_defect_is_refuted_on_a_cluster(client, audits):
    conv = ("Conv", ["w"], {"pads": [2, 0, 0, 0]})
    model = audits.chain(conv, shape=[1, 1, 4, 3], weights={"w": (1, 1, 3, 2)})
    found = sc.audit(model, [audits.Swapped()], client=client)
    assert [row.status for row in found.rows] == ["REFUTED"]
    assert without_seconds(found) == without_seconds(sc.audit(model, [audits.Swapped()]))


def test_a_worker_that_dies_costs_an_audit_nothing(client, audits, tmp_path):
    class Dying(audits.onnxruntime.OnnxRuntime):
        name = "dying"

        def run_node(self, node, rank):
            if node.op_type == "MaxPool" and not (mark := tmp_path / "dead").exists():
                mark.touch()
                os._exit(3)
            return super().run_node(node, rank)

    found = sc.audit(audits.EVERYTHING, [Dying()], client=client)
    assert (tmp_path / "dead").exists()
    # Nobody dies twice.
    assert without_seconds(found) == without_seconds(sc.audit(audits.EVERYTHING, [Dying()]))
    client.wait_for_workers(2, timeout=60)


def test_what_kills_every_worker_is_undecided(client, audits, monkeypatch):
    def lost(client, function, tasks, what):
        for number, task in enumerate(tasks):
            yield number, None if number == 1 else function(task)

    monkeypatch.setattr(audits_room, "results", lost)
    found = sc.audit(audits.EVERYTHING, client=client)
    assert [row.status == "UNDECIDED" for row in found.rows] == [at == 1 for at in range(7)]
    assert found.rows[1].reason == "the workers that ran it ended, one after the other"
    assert "the workers that ran it ended" in str(found)


def test_audits_want_the_same_code_and_engines(client, audits, monkeypatch):
    engine = type("Newer", (audits.onnxruntime.OnnxRuntime,), {"version": "99"})()
    # By its name, as the worker has it.
    monkeypatch.setattr(audits_room, "_is_named", lambda given: True)
    with pytest.raises(ParameterError, match="client must have workers with onnxruntime 99, got"):
        sc.audit(audits.EVERYTHING, [engine], client=client)
    monkeypatch.setattr(audits_room, "fingerprint", lambda: "another")
    with pytest.raises(ParameterError, match="client must have workers with the same code"):
        sc.audit(audits.EVERYTHING, client=client)


def test_audits_refuse_what_they_cannot_share(client, audits):
    engine = audits.onnxruntime.OnnxRuntime()
    engine.name, engine.session_of = "other", (each for each in "ab")
    with pytest.raises(ParameterTypeError, match="client must be given what can be pickled"):
        sc.audit(audits.EVERYTHING, [engine], client=client)
    with pytest.raises(ParameterTypeError, match=r"client must be a distributed.Client, got str"):
        sc.audit(audits.EVERYTHING, client="tcp://127.0.0.1:1")


def test_audit_takes_a_scheduler(client, audits, tmp_path):
    commands = pytest.importorskip("commands")
    same = ("Conv", ["w"], {})
    path = tmp_path / "small.onnx"
    model = audits.chain(same, shape=[1, 1, 4], weights={"w": (1, 1, 3)})
    path.write_bytes(model.SerializeToString())
    code, output = commands.run("audit", path, "--scheduler", client.scheduler.address)
    assert (code, output.count("1 PROVED")) == (0, 1)
    assert "scheduler must be the address of a Dask scheduler" in commands.refuse(
        "audit", path, "--scheduler", "no scheduler"
    )


def exits(identifier):
    os._exit(3)


def missing(identifier):
    raise ModuleNotFoundError("No module named 'symconv'")


def test_a_cluster_that_is_lost():
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        with pytest.raises(ParameterError, match="client must have workers with symconv"):
            list(decided_on(client, missing, FEW[:1]))
        # What kills every worker is given up, and alone.
        (row,) = decided_on(client, exits, FEW[:1])
        assert (row.verdict, row.identifier) == ("UNDECIDED", FEW[0])
        assert "workers that decided it ended" in row.reason
        client.wait_for_workers(1, timeout=60)

        op = sc.Conv1d(1, 1, 3, bias=False).operator((90,))
        lazy = da.zeros((1, 90), chunks=10).map_blocks(slow, meta=np.empty((0, 0)))
        later = client.compute(op.apply(lazy, np.ones((1, 1, 3))))
        # Not by `prove`, which compares the files of the code: one that is written while the new
        # worker starts up would end this otherwise.
        left = [theorem.identifier for theorem in chosen(None, "transposed")]
        rows = decided_on(client, decided_by_name, left)
        assert next(rows).identifier in left
        cluster.close()
        with pytest.raises(ClusterError, match=r"lost with \d+ theorems left.*a journal keeps"):
            list(rows)
        with pytest.raises(CancelledError):
            later.result(timeout=60)
        with pytest.raises(ParameterError, match="client must be connected to a scheduler"):
            prove(FEW, client=client)


def test_bad_clients(client):
    with pytest.raises(ParameterTypeError, match=r"client must be a distributed.Client, got str"):
        prove(FEW, client="tcp://127.0.0.1:1")
    with pytest.raises(ParameterError, match="workers must be left out with a client"):
        prove(FEW, client=client, workers=2)


def test_no_worker_is_waited_for_a_minute_only(monkeypatch):
    monkeypatch.setattr(cluster_room, "PATIENCE", 1.0)
    monkeypatch.setattr(cluster_room, "LOOK", 0.2)
    with (
        distributed.LocalCluster(n_workers=0, processes=True, dashboard_address=":0") as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
        pytest.raises(ClusterError, match="no worker is left"),
    ):
        prove(FEW, client=client)


# The tests notice.


def narrow(original, low, high):
    def wrong(*given_):
        near = original(*given_)
        return range(near.start + low, near.stop - high)

    return wrong


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, 1)])
@pytest.mark.parametrize("name", ["samples_read", "outputs_reading"])
def test_a_halo_that_is_one_too_small_is_noticed(monkeypatch, name, low, high):
    monkeypatch.setattr(room, name, narrow(getattr(room, name), low, high))
    op = sc.Conv1d(1, 1, 5, padding=2, bias=False).operator((40,))
    op = op if name == "samples_read" else op.T
    x, rest = numbers(op, 4)
    with pytest.raises(AssertionError):
        check(op, x, rest, (1, 1, 10))


@pytest.mark.parametrize("transposed", [False, True])
def test_a_boundary_that_does_not_fold_is_noticed(monkeypatch, transposed):
    op = sc.Conv1d(1, 1, 3, padding=2, bias=False, padding_mode="circular").operator((40,))
    op = op.T if transposed else op
    x, rest = numbers(op, 4)
    check(op, x, rest, (1, 1, 10))
    monkeypatch.setattr(room.Boundary, "needs_samples", False)
    with pytest.raises(AssertionError):
        check(op, x, rest, (1, 1, 10))
