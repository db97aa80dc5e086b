"""Deconvolution: exact answers put in, iterations held against them, certificates that hold."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import strategies
import sympy
from checking import integers
from hypothesis import given, strategies as st

import symconv as sc
from symconv import deconvolution
from symconv.deblurring import blur, restore, restore_exactly
from symconv.deconvolution import METHODS, deconvolve, undone
from symconv.errors import DTypeError, ParameterError, ParameterTypeError, ShapeError
from symconv.linalg import least_squares
from symconv.norms import smallest_singular_value

ITERATED = METHODS[1:]
BLUR = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((9,)).bind([[[1, 3, 1]]])
Y = integers((1, 9))


def exact(array):
    return np.vectorize(Fraction, otypes="O")(array)


def squares(array):
    return sum((Fraction(value) ** 2 for value in np.ravel(array).tolist()), Fraction(0))


def check_certificate(bound, y, found, strength):
    """The certificate against exact arithmetic on the floats that it is about."""
    x = exact(found.x)
    residual = bound.operator.apply_linear(x, exact(bound.weight)) - exact(y)
    gradient = bound.operator.T.apply_linear(residual, exact(bound.weight)) + Fraction(strength) * x
    for value, (low, high) in (
        (residual, found.certificate.residual),
        (gradient, found.certificate.gradient),
    ):
        assert Fraction(low) ** 2 <= squares(value) <= Fraction(high) ** 2
    if found.certificate.error is not None:
        nearest = exact(least_squares(bound, y, Fraction(strength)))
        assert squares(x - nearest) <= Fraction(found.certificate.error) ** 2


@given(
    strategies.conv_cases(ranks=(1, 2)) | strategies.transpose_cases(ranks=(1, 2)),
    st.integers(0, 99),
    st.sampled_from(ITERATED),
)
@strategies.examples(60)
def test_certificates_hold_for_any_geometry(case, seed, method):
    layer, size = case
    op = layer.operator(size)
    bound = op.bind(integers(op.weight_shape, seed))
    y = integers(op.output_shape, seed)
    found = deconvolve(bound, y, method, 0.5, iterations=5)
    assert found.x.shape == op.input_shape
    check_certificate(bound, y, found, 0.5)
    check_certificate(bound, y, deconvolve(bound, y, method, iterations=3), 0)


@pytest.mark.parametrize("method", ITERATED)
@pytest.mark.parametrize("strength", [0, 0.25, 3])
def test_iterations_come_to_the_exact_answer(method, strength):
    found = deconvolve(BLUR, Y, method, strength, smallest=1.0, tolerance=1e-14)
    check_certificate(BLUR, Y, found, strength)
    nearest = deconvolve(BLUR, Y, regularization=Fraction(strength))
    assert nearest.certificate.error == 0.0
    assert np.allclose(found.x, nearest.x.astype(float), atol=1e-9)
    assert found.certificate.error < 1e-9
    assert found.iterations > 0 == nearest.iterations


def test_a_certificate_for_a_wrong_answer_says_how_wrong():
    honest = deconvolve(BLUR, Y, "lsqr", smallest=1.0)
    wrong = honest.x + np.eye(9)[4] * 0.5
    _, certificate = deconvolution.certified(
        BLUR.operator, BLUR.weight, wrong, Y.astype(float), 0.0, 1.0
    )
    assert certificate.error > 0.4
    assert certificate.residual[0] > 1.0 > honest.certificate.residual[1]


def test_a_bound_that_is_no_bound_makes_a_false_claim():
    # The near miss: the smallest singular value is about 1.05, not 10.
    found = deconvolve(BLUR, Y, "lsqr", smallest=10.0, iterations=2)
    with pytest.raises(AssertionError):
        check_certificate(BLUR, Y, found, 0)


def test_the_transposed_convolution_is_no_deconvolution():
    values = integers((1, 9), 3)
    y = BLUR.apply(values)
    assert np.array_equal(deconvolve(BLUR, y).x, values)
    assert not np.array_equal(BLUR.T @ y, values)
    orthogonal = sc.Conv1d(1, 1, 1, padding=((2, -2),), padding_mode="circular", bias=False)
    shift = orthogonal.operator((9,)).bind([[[1]]])
    assert sc.linalg.orthogonality(shift).status == "PROVED"
    assert np.array_equal(shift.T @ shift.apply(values), values)
    assert np.array_equal(deconvolve(shift, shift.apply(values)).x, values)


@given(
    strategies.conv_cases(ranks=(1, 2)) | strategies.transpose_cases(ranks=(1, 2)),
    st.integers(0, 99),
)
@strategies.examples(60)
def test_both_ways_back_and_what_each_restores(case, seed):
    layer, size = case
    op = layer.operator(size)
    bound = op.bind(integers(op.weight_shape, seed, -1, 1))
    x = integers((2, *op.input_shape), seed)
    both = undone(bound, x)
    assert np.array_equal(both.image, bound.operator.apply_linear(x, bound.weight))
    assert both.transposed.shape == both.deconvolved.shape == x.shape
    assert np.array_equal(bound.operator.apply_linear(both.deconvolved, bound.weight), both.image)
    # Proved: every input comes back. Refuted: another one has the same image.
    if both.transpose_restores:
        assert np.array_equal(both.transposed, x)
    if both.deconvolution_restores:
        assert np.array_equal(both.deconvolved, x)
    else:
        unseen = undone(bound, x + both.deconvolution_restores.counterexample)
        assert np.array_equal(unseen.image, both.image)
        assert np.array_equal(unseen.deconvolved, both.deconvolved)


def test_an_orthogonal_wavelet_is_undone_by_its_transpose_and_its_near_miss_is_not():
    up = sc.ConvTranspose1d(1, 1, 4, stride=2, bias=False).operator((5,))
    taps = np.array([1, 2, 2, -1]) * Fraction(1, 1)
    x = integers((1, 5))
    # (1, 2) · (2, −1) = 0: orthogonal to its shift by the stride, of norm² 10.
    verdict = sc.linalg.orthogonality(up.bind(taps[None, None]), "multiple")
    assert str(verdict).endswith("AᵀA = (10)·I")
    assert np.array_equal(undone(up.bind(taps[None, None]), x).transposed, 10 * x)
    near_miss = taps[::-1] * [1, 1, 1, -1]
    both = undone(up.bind(near_miss[None, None]), x)
    assert both.transpose_restores.status == "REFUTED"
    assert not np.array_equal(both.transposed, 10 * x)
    assert np.array_equal(both.deconvolved, x)


@pytest.mark.parametrize("x", [np.ones((1, 9)), np.ones((1, 9), dtype=int) * sympy.Symbol("a")])
def test_what_is_undone_is_exact(x):
    with pytest.raises(DTypeError, match=r"x must hold integers or Fractions.*on 9"):
        undone(BLUR, x)
    with pytest.raises(ShapeError, match="on 9"):
        undone(BLUR, np.ones((1, 8), dtype=int))
    with pytest.raises(ParameterError, match=r"op\.bind\(weight\)"):
        undone(BLUR.operator, Y)


@pytest.mark.parametrize("method", METHODS)
def test_bias_and_constant_padding_are_taken_off(method):
    layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="constant", padding_value=5)
    bound = layer.operator((9,)).bind([[[1, 3, 1]]], [7])
    values = integers((1, 9), 3)
    found = deconvolve(bound, bound.apply(values), method)
    assert np.allclose(found.x.astype(float), values)
    assert np.allclose(found.residual.astype(float), 0, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_batches(method):
    values = integers((2, 3, 1, 9))
    found = deconvolve(BLUR, BLUR.apply(values), method)
    assert np.allclose(found.x.astype(float), values)
    assert found.residual.shape == (2, 3, 1, 9)
    empty = deconvolve(BLUR, np.zeros((0, 1, 9), dtype=int), method)
    assert empty.x.shape == (0, 1, 9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
def test_floats_and_images_are_taken_by_iterations(dtype):
    values = np.arange(9, dtype=dtype)[None]
    y = BLUR.operator.apply(values, np.array(BLUR.weight, dtype=np.float64)).astype(dtype)
    found = deconvolve(BLUR.operator.bind(np.array(BLUR.weight, dtype=dtype)), y, "lsmr")
    assert np.allclose(found.x, values, atol=1e-6)


def test_an_operator_without_weights():
    pool = sc.AvgPool1d(2, stride=1).operator((4,))
    found = deconvolve(pool, [1, 2, 3])
    assert found.x.tolist() == [1, 1, 3, 3]
    assert np.allclose(deconvolve(pool, [1, 2, 3], "lsqr").x, found.x.astype(float))


def test_a_circular_blur_with_its_smallest_singular_value():
    layer = sc.Conv2d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    kernel = np.array([[1, 2, 1], [2, 20, 2], [1, 2, 1]])[None, None]
    bound = layer.operator((8, 6)).bind(kernel)
    values = integers((1, 8, 6))
    least = smallest_singular_value(bound).low
    found = deconvolve(bound, bound.apply(values), "lsqr", smallest=least, tolerance=1e-14)
    assert np.linalg.norm(found.x - values) <= found.certificate.error < 1e-9


def test_a_photograph_in_small():
    photo = (np.arange(900).reshape(30, 30) ** 2 % 251).astype(np.uint8)
    crop = restore_exactly(photo, (2, 3), 24)
    assert np.array_equal(crop.restored, photo[2:26, 3:27])
    assert crop.found.certificate.residual == (0.0, 0.0)
    smooth = restore(photo, rounded=True, regularization=1e-3)
    assert smooth.error < smooth.blurred_error
    assert smooth.found.certificate.error < 1.0
    with pytest.raises(ParameterError, match="crop must lie inside"):
        restore_exactly(photo, (20, 0), 24)
    assert blur((5, 6))[0].shape == (30, 30)


# Input that is refused.


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (Y * 1.0, DTypeError, "got real entries.*lsqr"),
        (np.full((1, 9), np.nan), DTypeError, "got real entries"),
        (Y * sympy.Symbol("a"), DTypeError, "got symbolic entries"),
        (Y[:, :4], ShapeError, r"y must have shape \(\*batch, 1, 9\)"),
    ],
)
def test_what_exact_refuses(y, error, message):
    with pytest.raises(error, match=message):
        deconvolve(BLUR, y)


@pytest.mark.parametrize("method", ITERATED)
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (np.full((1, 9), np.nan), DTypeError, "y must be finite"),
        (np.full((1, 9), np.inf), DTypeError, "y must be finite"),
        (Y * 1j, DTypeError, "y must hold real numbers"),
        (Y * sympy.Symbol("a"), DTypeError, "y must hold real numbers"),
        (Y[:, :4], ShapeError, "y must have shape"),
        ([[1, 2], [3]], ShapeError, "rectangular"),
        ("text", DTypeError, "y must hold"),
    ],
)
def test_what_iterations_refuse(method, y, error, message):
    with pytest.raises(error, match=message):
        deconvolve(BLUR, y, method)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "fft"}, ParameterError, "method must be one of"),
        ({"method": None}, ParameterError, "method must be one of"),
        ({"method": "lsqr", "regularization": -1}, ParameterError, "regularization must be finite"),
        ({"method": "lsqr", "regularization": np.nan}, ParameterError, "regularization"),
        ({"method": "lsqr", "regularization": 1j}, DTypeError, "regularization must be a real"),
        ({"method": "exact", "regularization": 0.5}, DTypeError, "regularization must be an int"),
        ({"method": "exact", "regularization": -1}, ParameterError, "regularization must be >= 0"),
        ({"method": "lsqr", "smallest": -1}, ParameterError, "smallest"),
        ({"method": "lsqr", "tolerance": np.inf}, ParameterError, "tolerance"),
        ({"method": "lsqr", "iterations": 0}, ParameterError, "iterations must be >= 1"),
        ({"method": "lsqr", "iterations": 2.5}, ParameterTypeError, "iterations"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        deconvolve(BLUR, Y, **options)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1j])
def test_bad_weights(value):
    weight = np.array([[[1, value, 1]]])
    for method in METHODS:
        with pytest.raises(DTypeError, match="weight must"):
            deconvolve(BLUR.operator.bind(weight), Y, method)


def test_a_bias_of_floats_has_no_exact_answer():
    op = sc.Conv1d(1, 1, 3, padding=1).operator((9,))
    with pytest.raises(DTypeError, match=r"bias must hold integers or Fractions.*on 9"):
        deconvolve(op.bind([[[1, 3, 1]]], [0.5]), Y)
    assert deconvolve(op.bind([[[1, 3, 1]]], [Fraction(1, 2)]), Y).certificate.error == 0


def test_free_weights_are_refused():
    with pytest.raises(ParameterError, match=r"op\.bind\(weight\)"):
        deconvolve(BLUR.operator, Y)
