"""Error bounds hold: the exact error, by integers alone, is below them in every run."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import strategies
from checking import oracle_apply
from hypothesis import given, strategies as st

import symconv as sc
from symconv import certifying
from symconv.certifying import Certified
from symconv.errors import ParameterError, TooLargeError
from symconv.execute import bounds, planner
from symconv.execute.bounds import (
    fourier_bound,
    gamma,
    sum_above,
    sum_bound,
    transform_depth,
    transformed_bound,
    two_sum,
)
from symconv.toomcook import winograd_transforms

METHODS = ("a-priori", "computed")
KINDS = (np.float32, np.float64, np.complex64, np.complex128)

#: Every float is a multiple of 2^−GRID; products are of 2^−2·GRID.
GRID = 1080


def units(array, grid=GRID):
    """Real floats as integers, in units of 2^−grid."""
    mantissa, exponent = np.frexp(np.asarray(array, dtype=np.float64))
    whole = (mantissa * 2.0**53).astype(np.int64).astype(object)
    shift = exponent.astype(object) - 53 + grid
    return np.where(shift >= 0, whole << np.maximum(shift, 0), whole >> np.maximum(-shift, 0))


def parts(array):
    """Real and imaginary part as integers."""
    return np.array([units(np.real(array)), units(np.imag(array))], dtype=object)


def exact_parts(layer, x, w, bias):
    """The exact result in units of 2^−2·GRID: (real, imaginary), by the naive loops."""
    (xr, xi), (wr, wi) = parts(x), parts(w)
    b = None if bias is None else parts(bias) << GRID
    real = oracle_apply(layer, xr, wr, None if b is None else b[0]) - oracle_apply(layer, xi, wi)
    imaginary = oracle_apply(layer, xr, wi, None if b is None else b[1])
    return real, imaginary + oracle_apply(layer, xi, wr)


def is_within(found, exact):
    """Whether |values − exact| ≤ bound, in integers: all of them where the bound is finite."""
    finite = np.isfinite(found.bound)
    real, imaginary = (np.asarray(part)[finite] for part in exact)
    values = found.values[finite]
    down = units(np.real(values), 2 * GRID) - real, units(np.imag(values), 2 * GRID) - imaginary
    return bool(np.all(down[0] ** 2 + down[1] ** 2 <= units(found.bound[finite], 2 * GRID) ** 2))


def numbers(rng, shape, dtype, spread=0):
    """Normal numbers times powers of two."""
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return (values * 2.0 ** rng.integers(-spread, spread + 1, shape)).astype(dtype)


def check(layer, op, x, w, bias, plans=("auto",)):
    exact = exact_parts(layer, x, w, bias)
    for plan in plans:
        plain = op.apply(x, w, bias, plan)
        for method in METHODS:
            found = op.apply(x, w, bias, plan, certify=method)
            assert isinstance(found, Certified)
            assert found.method == method
            assert np.array_equal(found.values, plain)
            assert found.values.dtype == plain.dtype
            assert found.bound.shape == plain.shape
            assert found.bound.dtype == np.float64
            assert is_within(found, exact), (plan, method)
            assert np.isfinite(found.bound).all()


def able(op, dtype):
    offers = op.explain(dtype, batch=2).offers
    return ["sparse", *(offer.name for offer in offers if not offer.refusal)]


@strategies.examples(40)
@given(
    strategies.conv_cases(bias=st.booleans()) | strategies.transpose_cases(bias=st.booleans()),
    st.sampled_from(KINDS),
    st.sampled_from([0, 3, 20]),
    st.integers(0, 2**32),
)
def test_bounds_hold_on_random_geometries(case, dtype, spread, seed):
    layer, size = case
    op, rng = layer.operator(size), np.random.default_rng(seed)
    x, w = numbers(rng, (2, *op.input_shape), dtype, spread), numbers(rng, op.weight_shape, dtype)
    bias = numbers(rng, op.output_shape[:1], dtype, spread) if op.has_bias else None
    check(layer, op, x, w, bias, able(op, dtype))


@pytest.mark.parametrize("x_kind", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("w_kind", [np.float32, np.complex64, np.float64])
@pytest.mark.parametrize("bias_kind", [np.float32, np.float64, np.int64])
def test_mixed_types(x_kind, w_kind, bias_kind):
    layer = sc.Conv1d(3, 2, 3, padding=1)
    op, rng = layer.operator((6,)), np.random.default_rng(1)
    x, bias = rng.integers(-99, 99, (1, 3, 6)), rng.integers(-99, 99, 2)
    x, bias = (
        a.astype(k) * (1 if np.dtype(k).kind == "i" else k(0.1))
        for a, k in ((x, x_kind), (bias, bias_kind))
    )
    check(layer, op, x, numbers(rng, op.weight_shape, w_kind), bias)


def test_integers_with_a_floating_bias():
    layer = sc.Conv1d(1, 1, 2)
    op = layer.operator((3,))
    x, w, bias = np.array([[[3, 4, 5]]]), np.array([[[1, 2]]]), np.array([0.1])
    found = op.apply(x, w, bias, certify="computed")
    assert is_within(found, exact_parts(layer, x, w, bias))
    assert 0 < found.bound.max() < 1e-14
    assert found.plan == "exact"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, -3.7, 2])
def test_a_constant_boundary(dtype, value):
    layer = sc.Conv2d(2, 3, 3, padding=2, padding_mode="constant", padding_value=value, stride=2)
    op, rng = layer.operator((4, 5)), np.random.default_rng(2)
    x, w = numbers(rng, (1, *op.input_shape), dtype), numbers(rng, op.weight_shape, dtype)
    bias = numbers(rng, (3,), dtype)
    # The value counts as it is in the type of the data: padded by hand.
    padded = np.pad(x, ((0, 0), (0, 0), (2, 2), (2, 2)), constant_values=dtype(value))
    inner = sc.Conv2d(2, 3, 3, stride=2)
    assert layer.output_size((4, 5)) == inner.output_size((8, 9))
    exact = exact_parts(inner, padded, w, bias)
    for method in METHODS:
        found = op.apply(x, w, bias, certify=method)
        assert is_within(found, exact)


@pytest.mark.parametrize("taps", [9, 25, 288, 1152, 4608])
@pytest.mark.parametrize("dtype", KINDS)
def test_bounds_hold_from_9_to_4608_taps(taps, dtype):
    rng = np.random.default_rng(taps)
    layer = sc.Conv1d(taps // 9 if taps > 25 else 1, 3, 9 if taps != 25 else 25, bias=False)
    op = layer.operator((12 if taps != 25 else 28,))
    assert op.oriented.linear.forward_terms == taps
    x, w = numbers(rng, (1, *op.input_shape), dtype), numbers(rng, op.weight_shape, dtype)
    exact = exact_parts(layer, x, w, None)
    for method in METHODS:
        found = op.apply(x, w, certify=method)
        assert is_within(found, exact)
        if method == "computed":
            assert median_ratio(found, exact) < 2


def median_ratio(found, exact):
    down = [
        [Fraction(int(a - b), 2 ** (2 * GRID)) for a, b in zip(v.ravel(), e.ravel(), strict=True)]
        for v, e in zip(
            (units(np.real(found.values), 2 * GRID), units(np.imag(found.values), 2 * GRID)),
            exact,
            strict=True,
        )
    ]
    errors = np.array([float(a * a + b * b) ** 0.5 for a, b in zip(*down, strict=True)])
    return np.median(found.bound.ravel()[errors > 0] / errors[errors > 0])


# -- adversarial data --------------------------------------------------------------------------


def pair(dtype, x, w):
    """A sum of products as an operator with one output."""
    x, w = np.array([[x]], dtype=dtype), np.array([[w]], dtype=dtype)
    layer = sc.Conv1d(1, 1, w.shape[-1], bias=False)
    return layer, layer.operator((x.shape[-1],)), x, w


CANCELLING = {
    "cancelling": ([1e8, 1, -1e8], [1e8, 1, 1e8]),
    "cancelling to nothing": ([3e7, -3e7, 1e-7], [0.1, 0.1, 1e-7]),
    "denormal products": ([1e-30, 1e-30, 1e-22], [1e-15, 1e-16, 1e-23]),
    "denormal factors": ([1e-45, 3e-45, 1], [1, 1, 1e-44]),
    "smallest": ([1.4e-45] * 3, [0.5, 0.5, 0.25]),
    "zeros": ([0.0, -0.0, 0.0], [-1.0, 1.0, 0.0]),
    "one zero": ([0.0, 1.0, 0.0], [5.0, 0.0, -7.0]),
    "wide": ([1e30, 1.0, 1e-30], [1e-30, 1 / 3, 1e30]),
}


@pytest.mark.parametrize(("x", "w"), CANCELLING.values(), ids=CANCELLING)
@pytest.mark.parametrize("dtype", KINDS)
def test_bounds_hold_on_adversarial_data(x, w, dtype):
    scales = [1.0]
    if np.finfo(dtype).bits == 64:
        scales += [2.0**-900, 2.0**-530, 2.0**400]
    for scale in scales:
        layer, op, a, b = pair(dtype, np.array(x) * scale, w)
        check(layer, op, a, b, None, ["sparse", "taps", "patches"])
        exact = exact_parts(layer, a, b, None)
        for plan in able(op, dtype):
            for method in METHODS:
                with np.errstate(all="ignore"):
                    assert is_within(op.apply(a, b, plan=plan, certify=method), exact)


@strategies.examples(60)
@given(st.data(), st.sampled_from([np.float32, np.float64]))
def test_bounds_hold_on_any_floats(data, dtype):
    width = 32 if dtype is np.float32 else 64
    floats = st.floats(width=width, allow_nan=False, allow_infinity=False)
    n = data.draw(st.integers(1, 5))
    x, w = (data.draw(st.lists(floats, min_size=n, max_size=n)) for _ in range(2))
    layer, op, a, b = pair(dtype, x, w)
    exact = exact_parts(layer, a, b, None)
    for method in METHODS:
        with np.errstate(all="ignore"):
            assert is_within(op.apply(a, b, certify=method), exact)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("method", METHODS)
def test_near_overflow(dtype, method):
    top = float(np.finfo(dtype).max)
    layer, op, x, w = pair(dtype, [top, top / 4], [0.5, 0.25])
    found = op.apply(x, w, certify=method)
    assert np.isfinite(found.bound).all()
    assert is_within(found, exact_parts(layer, x, w, None))
    layer, op, x, w = pair(dtype, [top, -top], [1, 1])
    with np.errstate(over="ignore"):
        found = op.apply(x, w, certify=method)
    assert is_within(found, exact_parts(layer, x, w, None))
    layer, op, x, w = pair(dtype, [top, top], [2, 2])
    with np.errstate(over="ignore"):
        found = op.apply(x, w, certify=method)
    assert np.isinf(found.values).all()
    assert np.isinf(found.bound).all()


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_infinities_and_nan_have_infinite_bounds_where_they_reach(bad, method, dtype):
    layer = sc.Conv1d(1, 2, 3, bias=False)
    op = layer.operator((12,))
    x, w = numbers(np.random.default_rng(0), (1, 1, 12), dtype), np.ones((2, 1, 3), dtype)
    x[0, 0, 0] = bad
    with np.errstate(invalid="ignore"):
        found = op.apply(x, w, certify=method)
    assert np.isinf(found.bound[0, :, 0]).all()
    assert np.isfinite(found.bound[0, :, 1:]).all()
    assert not np.isnan(found.bound).any()


def test_batches_of_nothing():
    op = sc.Conv2d(2, 3, 3, bias=False).operator((5, 6))
    for method in METHODS:
        for dtype in KINDS:
            found = op.apply(
                np.zeros((0, *op.input_shape), dtype), np.ones(op.weight_shape, dtype),
                certify=method,
            )  # fmt: skip
            assert found.bound.shape == found.values.shape == (0, *op.output_shape)


# -- other plans and operators -----------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_passes_one_after_the_other(dtype):
    layer = sc.Conv2d(1, 1, (3, 4), padding=1, bias=False)
    op, rng = layer.operator((7, 8)), np.random.default_rng(4)
    w = np.outer([1.0, 2.5, -3.0], [0.5, 1.25, 7.0, -1.0]).astype(dtype).reshape(op.weight_shape)
    x = numbers(rng, (2, *op.input_shape), dtype)
    exact = exact_parts(layer, x, w, None)
    for method in METHODS:
        found = op.apply(x, w, plan="separable", certify=method)
        assert found.plan == "separable"
        assert is_within(found, exact)


@pytest.mark.parametrize("plan", [kind.name for kind in planner.PLANS if not kind.is_exact])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("spread", [0, 12])
def test_plans_that_transform(plan, dtype, spread):
    cases = [
        (sc.Conv2d(4, 3, 3, padding=1, bias=False), (9, 10)),
        (sc.Conv2d(4, 4, 5, padding=2, groups=2, bias=False), (9, 10)),
        (sc.Conv2d(2, 3, 3, padding=2, padding_mode="circular", bias=False), (6, 7)),
        (sc.Conv1d(5, 2, 3, bias=True), (31,)),
        (sc.Conv2d(3, 2, (3, 7), stride=(1, 2), bias=False), (8, 13)),
        (sc.ConvTranspose2d(3, 2, 3, padding=1, bias=False), (8, 9)),
    ]
    ran, rng = 0, np.random.default_rng(8)
    for layer, size in cases:
        op = layer.operator(size)
        if plan not in able(op, dtype):
            continue
        x, w = (
            numbers(rng, (2, *op.input_shape), dtype, spread),
            numbers(rng, op.weight_shape, dtype),
        )
        bias = numbers(rng, op.output_shape[:1], dtype) if op.has_bias else None
        check(layer, op, x, w, bias, (plan,))
        ran += 1
    if not ran:
        pytest.skip(f"plan {plan} runs none of these here")


@pytest.mark.parametrize("plan", [kind.name for kind in planner.PLANS if not kind.is_exact])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_plans_that_overflow_on_the_way_let_a_plain_one_run(plan, dtype):
    layer = sc.Conv1d(2, 2, 3, bias=False)
    op, rng = layer.operator((20,)), np.random.default_rng(0)
    if plan not in able(op, dtype):
        pytest.skip(f"plan {plan} does not run here")
    top = float(np.finfo(dtype).max)
    x = (rng.uniform(0.6, 0.9, (1, *op.input_shape)) * top).astype(dtype)
    w = rng.uniform(-0.1, 0.1, op.weight_shape).astype(dtype)
    exact = exact_parts(layer, x, w, None)
    for method in METHODS:
        with np.errstate(all="ignore"):
            found = op.apply(x, w, plan=plan, certify=method)
        assert np.isfinite(found.values).all()
        assert is_within(found, exact)


def test_a_plan_without_a_bound_is_refused():
    from symconv.execute.fast_bounds import plane_bound  # noqa: PLC0415
    from symconv.execute.taps import Taps  # noqa: PLC0415

    op = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    plan = Taps(op.oriented.linear.incidence, False, np.float64)
    with pytest.raises(ParameterError, match=r"^plan 'taps' has no error bound"):
        plane_bound(plan, np.ones((1, 1, 3)), np.ones((1, 1, 2)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pooling_and_patches_have_bounds_a_priori(dtype):
    x = numbers(np.random.default_rng(6), (7, 7), dtype)
    exact = np.vectorize(lambda value: Fraction(float(value)), otypes=[object])(x)
    for layer in (sc.AvgPool2d(3, stride=2, padding=1), sc.Unfold((2, 2))):
        for op in (layer.operator((7, 7)), layer.operator((7, 7)).T):
            given, rational = x, exact
            if op.input_shape != x.shape:
                given = np.resize(x, op.input_shape)
                rational = np.resize(exact, op.input_shape)
            found = op.apply(given, certify="a-priori")
            expected = op.apply(rational)
            for value, bound, right in zip(
                found.values.ravel(), found.bound.ravel(), expected.ravel(), strict=True
            ):
                assert abs(Fraction(float(value)) - right) <= Fraction(float(bound))
    with pytest.raises(ParameterError, match=r"^certify must be 'a-priori' where there are no w"):
        sc.AvgPool1d(2).operator((4,)).apply(np.ones(4), certify="computed")


@pytest.mark.parametrize("x", [[[1, 2, 3]], [[Fraction(1, 3), 2, 3]]])
@pytest.mark.parametrize("method", METHODS)
def test_exact_data_have_no_error(x, method):
    found = sc.Conv1d(1, 1, 2, bias=False).operator((3,)).apply(x, [[[1, 2]]], certify=method)
    assert found.plan == "exact"
    assert not found.bound.any()


def test_bound_operators_and_out():
    op = sc.Conv2d(3, 4, 3).operator((6, 6))
    rng = np.random.default_rng(0)
    x, w = numbers(rng, (2, *op.input_shape), np.float32), numbers(rng, op.weight_shape, np.float32)
    b = numbers(rng, (4,), np.float32)
    expected = op.apply(x, w, b, certify="computed")
    out = np.empty_like(expected.values)
    found = op.bind(w, b).apply(x, out=out, certify="computed")
    assert found.values is out
    assert np.array_equal(found.values, expected.values)
    assert np.array_equal(found.bound, expected.bound)


def test_unknown_methods_and_too_little_memory(monkeypatch):
    op = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    with pytest.raises(ParameterError, match=r"^certify must be one of 'a-priori', 'comp"):
        op.apply(np.ones((1, 3)), np.ones((1, 1, 2)), certify="posterior")
    from symconv import memory  # noqa: PLC0415

    monkeypatch.setattr(memory, "available", lambda: 2**20)
    wide = sc.Conv1d(1, 64, 1, bias=False).operator((2**13,))
    with pytest.raises(TooLargeError, match=r"would take .* use a smaller batch"):
        wide.apply(np.ones(wide.input_shape), np.ones(wide.weight_shape), certify="a-priori")


# -- near misses: each bound is needed ---------------------------------------------------------


def test_two_terms_less_would_not_do():
    """1 + ε rounds down at every step: n additions of u lose nearly n·u."""
    n = 64
    u = 2.0**-24
    x = np.array([1.0] + [u] * (n - 1), dtype=np.float32)
    total = np.float32(0)
    for value in x:
        total += value
    error = abs(Fraction(float(total)) - sum(map(Fraction, map(float, x))))
    sums = np.array([float(sum(map(Fraction, map(float, x))))])
    right = sum_bound(sums, n, np.float32)[0]
    wrong = sum_bound(sums, n - 2, np.float32)[0]
    assert error == (n - 1) * Fraction(u)
    assert Fraction(float(wrong)) < error <= Fraction(float(right))


def test_half_a_bound_is_violated():
    """One product: the error is half a unit in the last place, and so is the bound, nearly."""
    a = np.float32(1 + 2**-12)
    layer, op, x, w = pair(np.float32, [a], [a])
    exact = exact_parts(layer, x, w, None)
    found = op.apply(x, w, certify="computed")
    assert is_within(found, exact)
    assert not is_within(found._replace(bound=found.bound * 0.5), exact)
    sums = sum_bound(np.array([[[1.0]]]) * float(a) ** 2, 1, np.float32)
    assert is_within(found._replace(bound=sums), exact)
    assert not is_within(found._replace(bound=sums * 0.5), exact)


def test_without_the_term_for_underflow_the_bound_is_violated():
    layer, op, x, w = pair(np.float32, [1.4e-45], [0.5])
    exact = exact_parts(layer, x, w, None)
    found = op.apply(x, w, certify="a-priori")
    assert is_within(found, exact)
    relative = gamma(1, np.float32) * np.abs(x.astype(float) * w)
    assert not is_within(found._replace(bound=relative), exact)


def test_complex_numbers_need_their_constant():
    """The rounding of four products adds up in one component."""
    rng = np.random.default_rng(0)
    largest = 0.0
    for _ in range(300):
        _, op, x, w = pair(np.complex64, [rng.random() + 1j * rng.random()],
                               [rng.random() + 1j * rng.random()])  # fmt: skip
        found = op.apply(x, w, certify="computed")
        modulus = float(abs(x[0, 0, 0] * w[0, 0, 0]))
        largest = max(largest, float(found.bound.max()) / modulus)
    assert largest > gamma(1, np.float32)


def test_a_skewed_second_evaluation_is_caught(monkeypatch):
    """The mutant: the exact part summed with the weights' residue left out."""
    layer = sc.Conv1d(4, 3, 5, bias=False)
    op, rng = layer.operator((9,)), np.random.default_rng(3)
    x, w = numbers(rng, (1, *op.input_shape), float), numbers(rng, op.weight_shape, float)
    original = certifying._split

    def skewed(array, grid):
        first, rest = original(array, grid)
        return first, rest if array.shape != op.weight_shape else 0 * rest

    monkeypatch.setattr(certifying, "_split", skewed)
    found = op.apply(x, w, certify="computed")
    # Still above the error, for the evaluation is worse than it says: far above.
    assert median_ratio(found, exact_parts(layer, x, w, None)) > 100


def test_an_inexact_leading_part_is_caught(monkeypatch):
    """The mutant: leading parts of too many bits, whose sums are rounded."""
    layer = sc.Conv1d(4, 3, 5, bias=False)
    op, rng = layer.operator((40,)), np.random.default_rng(3)
    x, w = numbers(rng, (1, *op.input_shape), float), numbers(rng, op.weight_shape, float)
    exact = exact_parts(layer, x, w, None)
    original = certifying._grid
    assert is_within(op.apply(x, w, certify="computed"), exact)
    monkeypatch.setattr(certifying, "_grid", lambda array, bits: original(array, bits + 14))
    assert not is_within(op.apply(x, w, certify="computed"), exact)


# -- the pieces --------------------------------------------------------------------------------


@given(st.integers(0, 2**26), st.sampled_from([np.float32, np.float64]))
def test_gamma_is_above_and_tight(terms, dtype):
    u = Fraction(bounds.unit(dtype))
    found = gamma(terms, dtype)
    if terms * u >= 1:
        assert found == np.inf
        return
    exact = terms * u / (1 - terms * u)
    assert exact <= Fraction(found) <= exact * (1 + Fraction(1, 2**50)) + Fraction(1, 2**1070)


def test_sums_of_more_terms_than_the_type_counts():
    assert sum_above(np.ones(2), 2**24, np.float32).tolist() == [np.inf] * 2
    assert sum_bound(np.ones(2), 2**24, np.float32).tolist() == [np.inf] * 2


@given(st.floats(-1e300, 1e300), st.floats(-1e300, 1e300))
def test_two_sum_loses_nothing(a, b):
    total, rest = two_sum(np.float64(a), np.float64(b))
    assert Fraction(float(total)) + Fraction(float(rest)) == Fraction(a) + Fraction(b)


@pytest.mark.parametrize(("m", "r"), [(2, 3), (4, 3), (3, 2), (2, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_transformed_bounds_hold(m, r, dtype):
    """F(m, r) in floats, summed over channels, against the exact correlation."""
    transforms, rng = winograd_transforms(m, r), np.random.default_rng(m * r)
    rows = transforms.A_T, transforms.G, transforms.B_T
    outer, of_weight, of_input = (np.array(part, dtype=np.float64) for part in rows)
    channels = 6
    roundings = sum(map(transform_depth, rows)) + 1 + channels - 1
    tight, n = 0.0, m + r - 1
    for _ in range(100):
        w, x = numbers(rng, (channels, r), dtype, 4), numbers(rng, (channels, n), dtype, 4)
        weights = w @ of_weight.astype(dtype).T
        inputs = x @ of_input.astype(dtype).T
        y = (weights * inputs).sum(axis=0, dtype=dtype) @ outer.astype(dtype).T
        exact = [
            sum(
                Fraction(float(w[c, k])) * Fraction(float(x[c, o + k]))
                for c in range(channels)
                for k in range(r)
            )
            for o in range(m)
        ]
        bound = transformed_bound(outer, of_weight, of_input, w, x, roundings, dtype)
        for value, right, limit in zip(y, exact, bound, strict=True):
            error = abs(Fraction(float(value)) - right)
            assert error <= Fraction(float(limit))
            tight = max(tight, float(error) / float(limit))
    # Not idle: a bound a hundred times as small would be violated.
    assert tight > 0.01


def test_depth_of_transforms():
    two, four = winograd_transforms(2, 3), winograd_transforms(4, 3)
    assert [transform_depth(part) for part in (two.A_T, two.G, two.B_T)] == [2, 2, 1]
    assert transform_depth(four.G) == 4
    assert transform_depth([[0, 0]]) == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [8, 30, 49, 11 * 16])
def test_fourier_bounds_hold(dtype, n):
    import scipy.fft  # noqa: PLC0415

    rng = np.random.default_rng(n)
    channels, taps, tight = 5, 4, 0.0
    for _ in range(30):
        x, w = numbers(rng, (channels, n), dtype, 3), numbers(rng, (channels, taps), dtype, 3)
        kernel = np.zeros((channels, n), dtype)
        kernel[:, [(-k) % n for k in range(taps)]] = w
        mixed = (scipy.fft.rfft(kernel) * scipy.fft.rfft(x)).sum(axis=0)
        y = scipy.fft.irfft(mixed, n)
        wide_w, wide_x = w.astype(np.longdouble), x.astype(np.longdouble)
        exact = sum(
            wide_w[:, k, None] * wide_x[:, (np.arange(n) + k) % n] for k in range(taps)
        ).sum(axis=0)  # fmt: skip
        sums, norm = np.abs(w.astype(float)).sum(axis=-1), np.linalg.norm(w.astype(float), axis=-1)
        reach = np.linalg.norm(x.astype(float), axis=-1)
        above = 1 + 2.0**-40
        bound = fourier_bound(sums * above, norm * above, reach * above, (n,), dtype)
        error = float(np.abs(y - exact).max())
        assert error <= float(bound)
        tight = max(tight, error / float(bound))
    assert tight > 1e-4


def test_transforms_without_a_bound_are_infinite():
    one = np.ones((1, 1))
    assert fourier_bound(one, one, one, (2**20,), np.float32, 2**23).tolist() == [np.inf]


# -- ten thousand runs -------------------------------------------------------------------------


def dyadic(rng, shape, dtype):
    """Floats that are integers below 2^p times one power of two, with their integers."""
    bits = np.finfo(dtype).nmant + 1
    whole = rng.integers(-(2**bits) + 1, 2**bits, shape)
    # Some are small: their products round away what is below.
    whole >>= rng.integers(0, bits, shape)
    return whole, whole.astype(dtype) * dtype(2.0**-bits)


def sweep(rng, taps, dtype, runs):
    """`runs` random sums at once, each against its exact value; the computed bounds' ratios."""
    channels, kernel = (taps // 9, 9) if taps % 9 == 0 and taps > 9 else (1, taps)
    op = sc.Conv1d(channels, 1, kernel, bias=False).operator((kernel,))
    whole_x, x = dyadic(rng, (runs, channels, kernel), dtype)
    whole_w, w = dyadic(rng, op.weight_shape, dtype)
    scale = 2 * (np.finfo(dtype).nmant + 1)
    exact = op.apply(whole_x, whole_w).astype(object).ravel()
    ratios = []
    for method in METHODS:
        found = op.apply(x, w, certify=method)
        values, bound = (
            units(part.ravel(), scale + 90) for part in (found.values, found.bound * (1 - 2**-52))
        )
        errors = np.abs(values - (exact << 90))
        assert (errors <= bound).all()
        if method == "computed":
            wrong = errors > 0
            ratios = (bound[wrong] / errors[wrong]).astype(float)
    return ratios


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_few_hundred_runs(dtype):
    rng = np.random.default_rng(0)
    for taps in (9, 49, 576, 4608):
        ratios = sweep(rng, taps, dtype, 60)
        assert np.median(ratios) <= 2


@pytest.mark.long
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_ten_thousand_runs(dtype):
    rng, ratios = np.random.default_rng(1), []
    tap_counts = [9, 18, 25, 27, 49, 72, 121, 144, 288, 576, 1152, 2304, 4608]
    for _ in range(20):
        for taps in tap_counts:
            ratios.extend(sweep(rng, taps, dtype, 39))
    assert len(ratios) > 9000
    assert np.median(ratios) <= 2
