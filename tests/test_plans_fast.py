"""The plans of fewer products: Winograd's and Fourier's, their exactness, bounds and refusals."""

from __future__ import annotations

import ctypes
import importlib
import tracemalloc
import warnings
from fractions import Fraction

import numpy as np
import pytest
from checking import integers
from test_plans import allowed, check_matrices, guarded, incidence_of

import symconv as sc
from symconv.errors import ParameterError
from symconv.execute import fourier, implicit, run_tiling, winograd
from symconv.execute.fourier import Fourier
from symconv.execute.taps import Taps
from symconv.execute.winograd import Winograd, Winograd4
from symconv.toomcook import winograd_transforms

numba = pytest.importorskip("numba")

FLOATS = (np.float32, np.float64)


def conv(rank, inward, outward, kernel, **settings):
    return sc.Conv(inward, outward, (kernel,) * rank, bias=False, **settings)


THREES = {
    "row": (conv(1, 3, 9, 3, padding=1), (48,)),
    "row, one tile and a half": (conv(1, 2, 1, 3), (5,)),
    "one sample": (conv(2, 2, 2, 3, padding=1), (1, 1)),
    "wide outputs": (conv(2, 5, 33, 3, padding=1), (5, 6)),
    "few outputs": (conv(2, 3, 4, 3, padding=1), (9, 37)),
    "circular": (conv(2, 2, 3, 3, padding=2, padding_mode="circular"), (7, 9)),
    "reflect": (conv(2, 2, 2, 3, padding=2, padding_mode="reflect"), (6, 5)),
    "cropped": (conv(2, 2, 2, 3, padding=((-2, 1), (-1, -1))), (8, 9)),
    "dilated": (conv(2, 2, 3, 3, padding=2, dilation=(2, 3)), (17, 19)),
    "five taps": (conv(2, 2, 3, 5, padding=2), (8, 11)),
    "six taps, stride": (conv(2, 2, 3, 6, padding=2, stride=2), (17, 14)),
    "four taps by three": (sc.Conv2d(2, 3, (4, 3), padding=1, bias=False), (7, 8)),
    "two taps by three": (sc.Conv2d(2, 3, (2, 3), padding=1, bias=False), (7, 8)),
    "groups": (conv(2, 6, 9, 3, padding=1, groups=3), (9, 10)),
    "three axes": (conv(3, 2, 3, 3, padding=1), (4, 5, 6)),
}


def cases(*plans):
    """Plans of every case, direction and type."""
    for layer, size in THREES.values():
        op = layer.operator(size)
        for kind in plans:
            for transposed in (False, True):
                for dtype in FLOATS:
                    plan = kind(incidence_of(op), transposed, dtype)
                    shape = op.output_shape if transposed else op.input_shape
                    yield plan, integers((2, *shape), 1).astype(dtype), integers(op.weight_shape)


def check_plans(*plans):
    for plan, x, w in cases(*plans):
        assert not plan.refusal(plan.incidence, plan.transposed, plan.dtype)
        weight = w.astype(plan.dtype)
        y = plan.run(x, plan.pack(weight))
        expected = Taps(plan.incidence, plan.transposed, float).run(x.astype(float), w)
        scale = np.linalg.norm(x) if isinstance(plan, Fourier) else np.abs(x).max()
        assert np.abs(y - expected).max(initial=0) <= allowed(plan, w) * scale, plan.incidence


@pytest.mark.parametrize("plan", [Winograd, Winograd4, Fourier])
def test_runs_of_three(plan):
    check_plans(plan)


def test_small_items_change_nothing(monkeypatch):
    monkeypatch.setattr(run_tiling, "TILE_BYTES", 1)
    monkeypatch.setattr(run_tiling, "LEAST_TILES", 0)
    monkeypatch.setattr(run_tiling, "BLOCK", 2)
    check_plans(Winograd)


@pytest.mark.parametrize("threads", [1, 7])
def test_output_channels_are_shared_where_items_are_few(threads, monkeypatch):
    monkeypatch.setattr("symconv.execute.winograd.thread_count", lambda: threads)
    layer, size = conv(2, 3, 70, 3, padding=1), (5, 6)
    plan = Winograd(incidence_of(layer.operator(size)), False, np.float32)
    assert len(plan.tiling(1, threads).splits) == (2 if threads == 1 else 10)
    check_plans(Winograd)
    check_matrices(layer, size)


def test_blocks_and_chunks_change_nothing(monkeypatch):
    monkeypatch.setattr(fourier, "SET_UP", 1e-9)
    monkeypatch.setattr(fourier, "CHUNK", 1)
    layer, size = conv(2, 2, 3, 3, padding=1), (40, 30)
    assert len(Fourier(incidence_of(layer.operator(size)), False, float).corners) > 4
    check_plans(Fourier)
    check_matrices(conv(1, 2, 3, 4, padding=3), (60,))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mprotect"), reason="needs mprotect")
def test_nothing_is_read_or_written_beyond_the_arrays():
    for plan, x, w in cases(Winograd, Winograd4):
        packed = plan.pack(guarded(w.astype(plan.dtype)))
        packed = type(packed)(guarded(packed.transformed), packed.weight)
        out = guarded(np.zeros((2, *plan.output_shape), plan.dtype))
        y = plan.run(guarded(x), packed, out)
        assert np.shares_memory(y, out)
        assert np.array_equal(y, plan.run(x, plan.pack(w.astype(plan.dtype))))


@pytest.mark.parametrize("plan", ["winograd", "winograd4", "fourier"])
def test_an_empty_batch(plan):
    op = conv(2, 2, 3, 3, padding=1).operator((7, 9))
    for oriented in (op, op.T):
        y = oriented.apply(
            np.zeros((0, *oriented.input_shape)), np.ones(op.weight_shape), plan=plan
        )
        assert y.shape == (0, *oriented.output_shape)


# -- exactness ---------------------------------------------------------------------------------


def test_growth_is_that_of_the_absolute_transforms():
    op = conv(2, 1, 1, 3).operator((6, 6))
    plan = Winograd(incidence_of(op), False, np.float32)
    # y = m0 + m1 + m2 with |B| = 2 each and |G| = 1, 1/2, 1/2 at the first tap: 4 on each axis,
    # in quarters.
    assert (plan.amplification, plan.growth) == (16, 64)
    row = Winograd(incidence_of(conv(1, 1, 1, 3).operator((6,))), False, np.float32)
    assert (row.amplification, row.growth) == (4, 8)
    assert Winograd4(plan.incidence, False, np.float32).growth % 3 == 0


def test_integers_stay_exact_where_the_transforms_would_round():
    op = conv(2, 1, 1, 3).operator((6, 6))
    rng = np.random.default_rng(0)
    # Sums of absolute values just below 2**24, where direct sums are exact in float32.
    w = 2 * rng.integers(300, 400, op.weight_shape) - 1
    x = 1999 - 2 * rng.integers(0, 9, op.input_shape)
    assert np.abs(w).sum() * np.abs(x).max() < 2**24
    expected = op.apply(x, w, plan="taps")
    plan = Winograd(incidence_of(op), False, np.float32)
    assert not plan.exact_for(x[None].astype(np.float32), w.astype(np.float32))
    rounded = plan.run(x[None].astype(np.float32), plan.pack(w.astype(np.float32)))
    assert not np.array_equal(rounded[0], expected)
    assert np.array_equal(op.apply(x, w), expected)
    assert np.array_equal(op.apply(x, w, plan="winograd"), expected)


@pytest.mark.parametrize("transposed", [False, True])
def test_integers_within_the_growth_run_by_fewer_products(transposed):
    op = conv(2, 4, 6, 3, padding=1, groups=2).operator((7, 9))
    w = integers(op.weight_shape)
    plan = Winograd(incidence_of(op), transposed, np.float32)
    axes, groups = ((0, 2, 3), 2) if transposed else ((1, 2, 3), 1)
    sums = max(np.abs(part).sum(axis=axes).max() for part in np.split(w, groups))
    x = np.zeros((1, *(op.output_shape if transposed else op.input_shape)), np.float32)
    x[0, 0, 0, 0] = (2**23 - 1) // (plan.growth * sums)
    assert plan.exact_for(x, w.astype(np.float32))
    assert not plan.exact_for(x + 1, w.astype(np.float32))
    assert not plan.exact_for(np.full_like(x, np.inf), w.astype(np.float32))


@pytest.mark.parametrize("plan", ["winograd4", "fourier"])
def test_integers_are_refused_where_they_would_be_rounded(plan):
    op = conv(2, 1, 1, 3).operator((6, 6))
    x, w = integers(op.input_shape), integers(op.weight_shape)
    message = rf"^plan '{plan}' must keep these integers exact, and it would round them; use plan="
    with pytest.raises(ParameterError, match=message):
        op.apply(x, w, plan=plan)
    with pytest.raises(ParameterError, match=message):
        op.T.apply(op.apply(x, w), [[[[Fraction(1, 3)] * 3] * 3]], plan=plan)


def test_integers_never_take_a_plan_that_rounds():
    op = conv(2, 1, 1, 63, padding=31).operator((256, 256))
    assert op.explain(float).name == "fourier"
    assert op.oriented.choice(np.dtype(float), 1, exact=True).plan.is_exact
    rng = np.random.default_rng(0)
    x, w = rng.integers(-99, 99, op.input_shape), rng.integers(-99, 99, op.weight_shape)
    assert np.array_equal(op.apply(x, w), op.apply(x.astype(float), w.astype(float), plan="taps"))


# -- choice and refusal ------------------------------------------------------------------------


def test_the_plan_of_four_outputs_is_never_chosen():
    for layer, size in THREES.values():
        for transposed in (False, True):
            choice = layer.operator(size).oriented.linear.planner.choose(
                transposed, np.dtype(np.float32), 64, 2
            )
            assert choice.name != "winograd4"
    op = conv(2, 64, 64, 3, padding=1).operator((56, 56))
    choice = op.explain(np.float32, batch=8)
    offers = {offer.name: offer for offer in choice.offers}
    assert offers["winograd4"].seconds < offers[choice.name].seconds
    assert choice.name == "winograd"
    assert "; only on request: it loses digits that F(2, 3) keeps" in str(choice)
    assert op.explain(np.float32, plan="winograd4").reason == "asked for"


REFUSED = {
    "two taps": (Winograd, conv(2, 1, 1, 2), (5, 5), float, "it wants 3 taps in a row along"),
    "stride": (Winograd, conv(1, 1, 1, 3, stride=2), (9,), float, "it wants 3 taps in a row"),
    "first axis": (
        Winograd, sc.Conv2d(1, 1, (3, 1), bias=False), (9, 9), float, "it wants 3 taps in a row",
    ),
    "complex": (Winograd, conv(2, 1, 1, 3), (5, 5), complex, "it runs no numbers of type complex"),
    "four axes": (Winograd4, conv(4, 1, 1, 3), (3,) * 4, float, "it wants at most 3 axes"),
    "Fourier, four axes": (Fourier, conv(4, 1, 1, 3), (3,) * 4, float, "it wants at most 3 axes"),
    "Fourier, integers": (Fourier, conv(1, 1, 1, 3), (3,), int, "it runs no numbers of type int64"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_refusals(case):
    kind, layer, size, dtype, message = case
    op = layer.operator(size)
    assert kind.refusal(incidence_of(op), False, np.dtype(dtype)).startswith(message)
    if dtype is not int:
        with pytest.raises(ParameterError, match=f"must be able to run here: {message}"):
            op.apply(
                np.zeros(op.input_shape, dtype), np.zeros(op.weight_shape, dtype), plan=kind.name
            )


# -- numbers that are not finite ---------------------------------------------------------------


@pytest.mark.parametrize("plan", ["winograd", "winograd4", "fourier"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_numbers_that_are_not_finite_come_out_as_direct_sums_have_them(plan, dtype):
    op = conv(2, 2, 9, 3, padding=1).operator((12, 21))
    w = np.abs(integers(op.weight_shape)).astype(dtype) + 1
    for oriented in (op, op.T):
        for value in (np.inf, -np.inf, np.nan):
            x = integers((2, *oriented.input_shape)).astype(dtype)
            x[1, 0, 3, 5] = value
            with np.errstate(invalid="ignore"):
                expected = oriented.apply(x, w, plan="taps")
            y = oriented.apply(x, w, plan=plan)
            assert np.array_equal(np.isnan(y), np.isnan(expected))
            assert np.array_equal(y[np.isinf(expected)], expected[np.isinf(expected)])
            assert (~np.isfinite(y)).sum() == 9 * (9 if oriented is op else 2)
    w[0, 0, 0, 0] = np.inf
    y = op.apply(np.ones((1, *op.input_shape), dtype), w, plan=plan)
    assert np.isinf(y).sum() == 11 * 20


@pytest.mark.parametrize("plan", ["winograd", "winograd4", "fourier"])
def test_sums_that_overflow_on_the_way_only(plan):
    op = conv(2, 1, 1, 3).operator((6, 9))
    x = np.full((1, *op.input_shape), 1e38, np.float32)
    w = np.zeros(op.weight_shape, np.float32)
    w[..., 1, 1] = 3
    assert np.array_equal(op.apply(x, w, plan=plan), np.full((1, 1, 4, 7), np.float32(3e38)))


def test_the_engine_says_that_something_is_not_finite():
    op = conv(2, 1, 1, 3).operator((40, 40))
    plan = Winograd(incidence_of(op), False, np.float32)
    x, packed = np.ones((1, *op.input_shape), np.float32), plan.pack(np.ones((1, 1, 3, 3)))
    calls = []
    plan._direct.run = lambda *given: calls.append(given)
    plan.run(x, packed)
    assert not calls
    for place in ((0, 0), (39, 39), (17, 38)):
        spoiled = x.copy()
        spoiled[0, 0, *place] = np.nan
        plan.run(spoiled, packed)
        assert calls.pop()[0] is spoiled


# -- error bounds ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Winograd, Winograd4, Fourier])
@pytest.mark.parametrize("dtype", FLOATS)
def test_errors_stay_within_the_bound(kind, dtype):
    rng = np.random.default_rng(1)
    kernel = 31 if kind is Fourier else 3
    op = conv(2, 3, 4, kernel, padding=kernel // 2).operator((70, 45))
    plan = kind(incidence_of(op), False, dtype)
    # Integers of so many bits that the sums stay below 2**63: what is exact is known.
    most = 2**20 if dtype is np.float32 else 2**24 if kind is Fourier else 2**28
    x, w = (rng.integers(-most, most, n) for n in ((1, *op.input_shape), op.weight_shape))
    exact = Taps(plan.incidence, False, np.int64).run(x, w)
    y = plan.run(x.astype(dtype), plan.pack(w.astype(dtype)))
    if kind is Fourier:
        norms = np.sqrt((x.astype(float) ** 2).sum(axis=(2, 3)))[0]
        bound = (np.abs(w).sum(axis=(2, 3)) @ norms).reshape(-1, 1, 1)
    else:
        bound = (np.abs(w).sum(axis=(1, 2, 3)) * np.abs(x).max()).reshape(-1, 1, 1)
    errors = np.abs(y.astype(np.longdouble) - exact)
    assert (errors <= plan.error_factor * bound).all()
    # A bound on rounding errors is met neither by chance nor by what is misplaced.
    assert errors.max() > 1e-5 * plan.error_factor * bound.max()
    assert (np.abs(y - np.roll(exact, 1, axis=3)) > plan.error_factor * bound).mean() > 0.5


# -- planted mistakes --------------------------------------------------------------------------


def test_a_wrong_weight_of_one_product_is_caught(monkeypatch):
    original = Winograd.pack

    def wrong(self, weight):
        packed = original(self, weight)
        # Between the products lies what was in memory before.
        with np.errstate(all="ignore"):
            packed.transformed[len(packed.transformed) // 3 :: 7] *= 1.5
        return packed

    monkeypatch.setattr(Winograd, "pack", wrong)
    with pytest.raises(AssertionError):
        check_plans(Winograd)


@pytest.mark.parametrize("planted", [False, True])
def test_a_wrong_entry_of_a_transform_is_caught(planted, monkeypatch):
    transforms = importlib.import_module("symconv.execute.jit.transforms")
    right = winograd_transforms(2, 3)
    if planted:
        rows = [list(row) for row in right.B_T]
        rows[2][1] = -rows[2][1]
        wrong = type(right)(**{**vars(right), "B_T": tuple(map(tuple, rows))})
        single = winograd_transforms(1, 1)
        monkeypatch.setattr(transforms, "_transforms", lambda m: wrong if m > 1 else single)
    evaluate = transforms.evaluation_of(1, 2)

    @numba.njit
    def run(x, panels):
        evaluate(x[0], x.ctypes.data, 0, panels.ctypes.data, panels.shape[1], 1)

    x, panels = np.arange(64.0) ** 2, np.zeros((4, 8))
    run(x, panels)
    tiles = np.array([x[2 * tile : 2 * tile + 4] for tile in range(8)]).T
    assert np.array_equal(panels, np.array(right.B_T, dtype=float) @ tiles) != planted


def test_a_run_that_begins_at_the_wrong_place_is_caught(monkeypatch):
    original = run_tiling.axis_runs
    monkeypatch.setattr(
        run_tiling,
        "axis_runs",
        lambda taps, n: [(f, s + (s == 3), t) for f, s, t in original(taps, n)],
    )
    with pytest.raises(AssertionError):
        check_plans(Winograd)


def test_an_output_that_wraps_is_caught(monkeypatch):
    monkeypatch.setattr(fourier, "SET_UP", 1e-9)
    right = Fourier.kept.fget
    check_matrices(conv(1, 1, 1, 4), (90,))
    monkeypatch.setattr(
        Fourier, "kept", property(lambda self: tuple(n + (n > 1) for n in right(self)))
    )
    with pytest.raises(AssertionError):
        check_matrices(conv(1, 1, 1, 4), (90,))


def peak_bytes(run):
    run()
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_the_memory_of_a_second_run_is_counted(monkeypatch):
    for room in (winograd, implicit):
        monkeypatch.setattr(room, "thread_count", lambda: 1)
    op = sc.Conv2d(384, 384, 3, padding=1, bias=False).operator((4, 4))
    plan = Winograd(incidence_of(op), False, np.float32)
    x, w = np.ones((2, *op.input_shape), np.float32), np.ones(op.weight_shape, np.float32)
    result = x.nbytes
    finite = peak_bytes(lambda: plan.run(x, plan.pack(w)))
    x[0, 0, 0, 0] = np.inf
    again = peak_bytes(lambda: plan.run(x, plan.pack(w)))
    assert again <= plan.working_bytes(2, 1) + result
    # What the second run holds is more than the room that was there without it.
    second = plan._direct.working_bytes(2, 1) + result
    assert finite + w.nbytes < again
    assert again > plan.working_bytes(2, 1) - second + result


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64])
@pytest.mark.parametrize("mode", ["zeros", "circular"])
@pytest.mark.parametrize("transposed", [False, True])
def test_fourier_overflows_without_a_warning(dtype, mode, transposed):
    op = sc.Conv2d(1, 1, 9, padding=2, bias=False, padding_mode=mode).operator((20, 20))
    plan = Fourier(incidence_of(op), transposed, dtype)
    most = np.finfo(dtype).max
    w = np.full(op.weight_shape, 0.5, dtype)
    for value in (most, most / 4, np.inf, np.nan):
        x = np.full((1, *plan.input_shape), value, dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            y = plan.run(x, plan.pack(w))
        with np.errstate(all="ignore"):
            expected = plan._direct.run(x, plan._direct.pack(w))
        assert not np.isfinite(expected).all()
        assert np.array_equal(y, expected, equal_nan=True)
    # The direct plan of complex numbers does warn when it is asked for by itself.
    if dtype == np.complex64:
        with pytest.warns(RuntimeWarning):
            plan._direct.run(np.full_like(x, most), plan._direct.pack(w))


def test_scratch_of_another_layout_is_cleared():
    """What other numbers left may be subnormal, and slow whatever vectors reach past the rows."""
    from symconv.execute.implicit import scratch_of  # noqa: PLC0415 - of this test alone

    left, right = scratch_of((100, 30), np.dtype(np.float32))
    left[:], right[:] = 1e-40, 1e-40
    again, _ = scratch_of((100, 30), np.dtype(np.float32))
    assert (again == np.float32(1e-40)).all()
    assert not any(part.any() for part in scratch_of((50, 40), np.dtype(np.float64)))
