"""Every execution plan is the operator: same matrix, all boundaries, all edges of its tiles."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np
import pytest
from checking import integers
from hypothesis import given
from strategies import conv_cases, examples, transpose_cases

import symconv as sc
from symconv.errors import DTypeError, ParameterError, ShapeError, TooLargeError
from symconv.execute import phases, planner, tiling
from symconv.execute.implicit import ImplicitGemm
from symconv.execute.taps import Taps

KINDS = {kind.name: kind for kind in planner.PLANS}
FLOATS = (np.float32, np.float64)


def incidence_of(op):
    return op.oriented.linear.incidence


def able(op, dtype, transposed=False):
    """The plans that run here."""
    return [
        kind
        for kind in planner.PLANS
        if not kind.refusal(incidence_of(op), transposed, np.dtype(dtype))
    ]


def matrix_by(kind, op, transposed, weight, dtype):
    """The matrix that a plan computes: what it does to every basis vector, as one batch."""
    plan = kind(incidence_of(op), transposed, dtype)
    inputs = op.output_shape if transposed else op.input_shape
    basis = np.eye(int(np.prod(inputs)), dtype=dtype).reshape(-1, *inputs)
    # What is not written shows.
    out = np.full((len(basis), *plan.output_shape), np.nan, dtype)
    y = plan.run(basis, plan.pack(weight.astype(dtype)), out)
    assert y is out
    assert y.dtype == dtype
    return y.reshape(len(basis), -1).T


def allowed(plan, weight):
    """How far a plan may be from the matrix of integer weights: nothing, or its own bound."""
    if plan.is_exact or plan.name == "winograd":
        return 0.0
    groups = plan.incidence.geometry.groups
    grouped = np.abs(weight).reshape(groups, -1, *weight.shape[1:])
    axes = tuple(at for at in range(grouped.ndim) if at not in (0, 2 if plan.transposed else 1))
    # A sample may be read, or written, at several places of the padded axis.
    copies = np.prod([np.bincount(at[at >= 0]).max(initial=1) for at in plan.incidence.positions])
    return plan.error_factor * grouped.sum(axis=axes).max() * float(copies)


def check_matrices(layer, size):
    op = layer.operator(size)
    if op.oriented.transposed:
        op = op.T
    weight = integers(op.weight_shape)
    expected = op.sparse(weight, dtype=float).toarray()
    for dtype in FLOATS:
        for transposed in (False, True):
            for kind in able(op, dtype, transposed):
                found = matrix_by(kind, op, transposed, weight, dtype)
                distance = np.abs(found - (expected.T if transposed else expected)).max(initial=0)
                plan = kind(incidence_of(op), transposed, dtype)
                assert distance <= allowed(plan, weight), kind.name


@examples(60)
@given(conv_cases())
def test_every_plan_is_the_matrix(case):
    check_matrices(*case)


@examples(25)
@given(transpose_cases())
def test_every_plan_is_the_matrix_of_a_transposed_convolution(case):
    check_matrices(*case)


EDGES = {
    "one sample": (sc.Conv2d(1, 1, 1, bias=False), (1, 1)),
    "row of 47": (sc.Conv1d(3, 5, 3, padding=1, bias=False), (47,)),
    "row of 48": (sc.Conv1d(3, 9, 3, padding=1, bias=False), (48,)),
    "row of 49": (sc.Conv1d(2, 4, 3, padding=1, bias=False), (49,)),
    "wide outputs": (sc.Conv2d(5, 33, 3, padding=1, bias=False), (5, 6)),
    "stride above the kernel": (sc.Conv2d(2, 3, 2, stride=3, bias=False), (11, 12)),
    "stride of four": (sc.Conv2d(3, 7, 5, stride=4, padding=2, bias=False), (13, 18)),
    "depthwise": (sc.Conv2d(6, 6, 3, padding=1, groups=6, bias=False), (9, 34)),
    "depthwise, stride": (sc.Conv2d(4, 4, 3, stride=2, groups=4, bias=False), (9, 35)),
    "circular": (sc.Conv2d(2, 3, 3, padding=2, padding_mode="circular", bias=False), (7, 9)),
    "reflect": (sc.Conv1d(2, 2, 5, padding=4, padding_mode="reflect", bias=False), (9,)),
    "three axes": (sc.Conv3d(2, 3, (2, 3, 2), stride=(1, 2, 2), padding=1, bias=False), (5, 6, 7)),
    "cropped": (sc.Conv2d(2, 2, 3, padding=((-2, 1), (-1, -1)), bias=False), (8, 9)),
    "spread": (sc.Conv2d(2, 2, 3, input_dilation=(2, 3), stride=2, bias=False), (4, 5)),
    "nothing writes": (
        sc.ConvTranspose2d(1, 1, (1, 3), stride=(2, 1), dilation=(1, 2), bias=False),
        (2, 1),
    ),
    "four axes": (sc.Conv(1, 2, (2, 1, 2, 1), bias=False), (3, 2, 3, 2)),
}


@pytest.mark.parametrize("case", EDGES.values(), ids=EDGES)
def test_edges(case):
    check_matrices(*case)


@pytest.mark.parametrize("case", EDGES.values(), ids=EDGES)
def test_small_tiles_and_blocks_change_nothing(case, monkeypatch):
    monkeypatch.setattr(tiling, "TILE_BYTES", 1)
    monkeypatch.setattr(tiling, "LEAST_COLUMNS", 4)
    monkeypatch.setattr(tiling, "TAPS", 1)
    check_matrices(*case)


@pytest.mark.parametrize("is_compact", [False, True])
@pytest.mark.parametrize("case", EDGES.values(), ids=EDGES)
def test_both_ways_of_packing(case, is_compact, monkeypatch):
    monkeypatch.setattr(tiling.Tiling, "is_compact", is_compact)
    check_matrices(*case)


def guarded(array):
    """A copy that ends where the process may read and write no further."""
    page = mmap.PAGESIZE
    n_bytes = -(-array.nbytes // page) * page
    memory = mmap.mmap(-1, n_bytes + page)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(start + n_bytes), ctypes.c_size_t(page), 0) == 0
    copy = np.frombuffer(memory, array.dtype, array.size, n_bytes - array.nbytes)
    copy = copy.reshape(array.shape)
    copy[...] = array
    return copy


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mprotect"), reason="needs mprotect")
@pytest.mark.parametrize("case", EDGES.values(), ids=EDGES)
@pytest.mark.parametrize("transposed", [False, True], ids=["forward", "adjoint"])
def test_nothing_is_read_or_written_beyond_the_arrays(case, transposed):
    layer, size = case
    op = layer.operator(size)
    op = op.T if op.oriented.transposed else op
    for dtype in FLOATS:
        if ImplicitGemm not in able(op, dtype, transposed):
            continue
        plan = ImplicitGemm(incidence_of(op), transposed, dtype)
        x = guarded(
            integers((2, *(op.output_shape if transposed else op.input_shape))).astype(dtype)
        )
        out = guarded(np.zeros((2, *(op.input_shape if transposed else op.output_shape)), dtype))
        packed = guarded(plan.pack(guarded(integers(op.weight_shape).astype(dtype))))
        y = plan.run(x, packed, out)
        taps = Taps(incidence_of(op), transposed, dtype)
        assert np.array_equal(y, taps.run(x, integers(op.weight_shape).astype(dtype)))
        assert np.shares_memory(y, out)


@pytest.mark.parametrize("name", ["implicit", "winograd"])
def test_arrays_of_other_shapes_never_reach_compiled_loops(name):
    op = sc.Conv2d(2, 3, 3, padding=1, bias=False).operator((6, 7))
    kind = KINDS[name]
    if kind not in able(op, float):
        pytest.skip("wants Numba")
    plan = kind(incidence_of(op), False, float)
    packed = plan.pack(np.ones(op.weight_shape))
    with pytest.raises(ShapeError, match=r"^x must have shape \(1, 2, 6, 7\), got \(1, 2, 6, 6\)"):
        plan.run(np.ones((1, 2, 6, 6)), packed)
    with pytest.raises(
        ShapeError, match=r"^out must have shape \(1, 3, 6, 7\), got \(1, 3, 7, 7\)"
    ):
        plan.run(np.ones((1, 2, 6, 7)), packed, np.ones((1, 3, 7, 7)))


def test_a_misplaced_tap_is_caught(monkeypatch):
    pytest.importorskip("numba")
    layer, size = EDGES["stride of four"]
    original = phases._parts
    monkeypatch.setattr(
        phases, "_parts", lambda axis: [(q + (r == 3), r) for q, r in original(axis)]
    )
    with pytest.raises(AssertionError):
        check_matrices(layer, size)


# -- the planner -------------------------------------------------------------------------------


def operator():
    return sc.Conv2d(4, 8, 3, stride=2, padding=1, bias=False).operator((17, 20))


@pytest.mark.parametrize("plan", ["auto", *KINDS, "sparse"])
@pytest.mark.parametrize("dtype", [*FLOATS, np.complex64, np.complex128, int, object])
def test_a_plan_is_run_or_refused(plan, dtype):
    op = operator()
    x, w = integers((2, *op.input_shape)).astype(dtype), integers(op.weight_shape, 1).astype(dtype)
    expected = op.apply(integers((2, *op.input_shape)), integers(op.weight_shape, 1))
    real = plan in ("implicit", "winograd", "winograd4")
    if plan in ("pointwise", "winograd", "winograd4") or (real and np.dtype(dtype).kind == "c"):
        with pytest.raises(ParameterError, match=r"^plan '\w+' must be able to run here: it "):
            op.apply(x, w, plan=plan)
        return
    if plan == "fourier" and dtype in (int, object):
        with pytest.raises(ParameterError, match=r"^plan 'fourier' must keep these integers exact"):
            op.apply(x, w, plan=plan)
        return
    y = op.apply(x, w, plan=plan)
    if plan == "fourier":
        used = KINDS[plan](incidence_of(op), False, dtype)
        norms = np.sqrt((np.abs(x) ** 2).sum(axis=(1, 2, 3)).max())
        assert np.abs(y - expected).max() <= allowed(used, np.abs(w)) * norms
    else:
        assert np.array_equal(y, expected)
    assert y.dtype == (np.int64 if dtype in (int, object) else dtype)


def test_explain_names_the_plan_that_runs():
    choice = operator().explain(np.float32, batch=3)
    assert choice.name in KINDS
    assert {offer.name for offer in choice.offers} == set(KINDS)
    able = [offer for offer in choice.offers if not (offer.refusal or offer.on_request)]
    least = min(offer.seconds for offer in able)
    assert next(o.seconds for o in choice.offers if o.name == choice.name) == least
    assert "pointwise  it wants windows of one tap" in str(choice)
    assert str(choice).startswith(f"{choice.name}: the least estimated time of the plans that can")


def test_a_budget_excludes_plans():
    op = sc.Conv2d(16, 16, 3, padding=1, bias=False).operator((64, 64))
    free = op.explain(np.float64, batch=4)
    able = [offer for offer in free.offers if not (offer.refusal or offer.on_request)]
    held = {offer.name: offer.working_bytes for offer in able}
    least = min(held.values())
    tight = op.explain(np.float64, batch=4, memory_limit=least)
    assert held[tight.name] == least
    with pytest.raises(TooLargeError, match=r"every plan would take .* allow more memory"):
        op.explain(np.float64, batch=4, memory_limit=least - 1)
    with pytest.raises(TooLargeError, match=r"plan 'patches' would take "):
        op.explain(np.float64, plan="patches", memory_limit=10)


@pytest.mark.parametrize("dtype", [int, np.float16, np.longdouble, object, "U3"])
def test_explain_wants_a_type_that_plans_run_in(dtype):
    with pytest.raises(DTypeError, match=r"^dtype must be a float or complex type of NumPy, got "):
        operator().explain(dtype)


def test_theorems_of_plans_are_in_the_ledger():
    ledger = sc.prove({kind.theorem for kind in planner.PLANS})
    assert ledger
    assert all(row.verdict == "PROVED" for row in ledger)


# -- out, layouts, bound operators -------------------------------------------------------------


def test_out_is_filled_and_returned():
    op = operator()
    x = integers((3, *op.input_shape)).astype(np.float32)
    w = integers(op.weight_shape).astype(np.float32)
    expected = op.apply(x, w)
    for plan in ("auto", "taps", "patches", "sparse"):
        out = np.full((3, *op.output_shape), np.nan, np.float32)
        assert op.apply(x, w, plan=plan, out=out) is out
        assert np.array_equal(out, expected)
    spaced = np.zeros((3, *op.output_shape, 2), np.float32)[..., 0]
    assert np.array_equal(op.apply(x, w, out=spaced), expected)


@pytest.mark.parametrize("out", [np.zeros((1, 8, 9, 10)), np.zeros((3, 8, 9, 9), np.float32)])
def test_out_must_fit(out):
    op = operator()
    x = np.ones((3, *op.input_shape), np.float32)
    with pytest.raises(ShapeError, match=r"^out must have shape \(3, 8, 9, 10\) and dtype float32"):
        op.apply(x, np.ones(op.weight_shape, np.float32), out=out)


def test_any_layout_and_read_only_arrays():
    op = operator()
    x, w = integers((2, *op.input_shape)).astype(float), integers(op.weight_shape).astype(float)
    expected = op.apply(x, w)
    turned = np.asfortranarray(x)
    turned.flags.writeable = False
    backwards = np.ascontiguousarray(w[..., ::-1])[..., ::-1]
    for plan in ("auto", "taps", "patches"):
        assert np.array_equal(op.apply(turned, backwards, plan=plan), expected)


@pytest.mark.parametrize("plan", ["auto", "taps", "patches", "sparse"])
def test_an_empty_batch(plan):
    op = operator()
    wide = sc.Conv2d(64, 64, 3, padding=1, bias=False).operator((8, 8))
    for one in (op, wide, wide.T):
        y = one.apply(np.zeros((0, *one.input_shape)), np.ones(one.weight_shape), plan=plan)
        assert y.shape == (0, *one.output_shape)


def test_a_bound_operator_packs_its_weights_once(monkeypatch):
    op = operator()
    weight = integers(op.weight_shape).astype(float)
    bound = op.bind(weight)
    calls = []
    for kind in planner.PLANS:
        original = kind.pack

        def pack(self, weight, *, once=False, original=original):
            calls.append(1)
            return original(self, weight, once=once)

        monkeypatch.setattr(kind, "pack", pack)
    x = integers((2, *op.input_shape)).astype(float)
    first = bound.apply(x)
    assert np.array_equal(bound.apply(x), first)
    assert len(calls) == 1
    weight[...] = 0
    assert np.array_equal(bound.apply(x), first)
    y = bound.T @ first
    assert np.array_equal(bound.T @ first, y)
    assert len(calls) == 2


@pytest.mark.parametrize("plan", ["implicit", "winograd", "fourier"])
def test_weights_packed_for_one_run_are_nobody_elses(plan):
    op = sc.Conv2d(8, 16, 3, padding=1, bias=False).operator((9, 11))
    x = integers((2, *op.input_shape)).astype(float)
    one, other = (integers(op.weight_shape).astype(float) for _ in range(2))
    bound = op.bind(one)
    expected = [np.rint(op.apply(x, weight, plan="taps")) for weight in (one, other)]
    for _ in range(2):
        assert np.array_equal(np.rint(bound.apply(x, plan)), expected[0])
        assert np.array_equal(np.rint(op.apply(x, other, plan=plan)), expected[1])
        assert np.array_equal(np.rint(op.apply(x, one, plan=plan)), expected[0])


def test_infinities_stay_where_the_taps_put_them():
    op = sc.Conv2d(1, 3, 3, stride=2, padding=1, bias=False).operator((9, 11))
    w = np.ones(op.weight_shape)
    y = np.zeros((1, *op.output_shape))
    y[0, 0, 2, 2] = np.inf
    for plan in able(op, float, transposed=True):
        found = op.T.apply(y, w, plan=plan.name)
        assert np.array_equal(found, op.T.apply(y, w, plan="taps"))
        assert np.isinf(found).sum() == 9


def test_packing_counts_unless_the_weights_are_bound():
    op = sc.Conv2d(64, 64, 3, padding=1, bias=False).operator((14, 14))
    per_call, bound = (
        {offer.name: offer.seconds for offer in op.explain(np.float32, is_bound=kept).offers}
        for kept in (False, True)
    )
    assert per_call["winograd"] > bound["winograd"]
    assert per_call["implicit"] > bound["implicit"]
    assert per_call["patches"] == bound["patches"]
