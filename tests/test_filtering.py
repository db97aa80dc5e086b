"""Layers over data: exact quotients, their rounding, weights that are made to fit, sizes."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import numpy as np
import oracles
import pytest

import symconv as sc
from symconv.errors import DTypeError, ParameterError, ShapeError
from symconv.filtering import Filtered, fitted_weight, operator_for, run_layer


def half_up(value):
    return floor(Fraction(value) + Fraction(1, 2))


@pytest.mark.parametrize("divisor", [1, 2, 3, 4, 9, 256, 2**61 + 1, 2**70])
@pytest.mark.parametrize("scale", ["clip", "rescale", "abs"])
def test_samples_are_rounded_exactly(divisor, scale):
    values = np.array([*range(-20, 60), *range(500, 540), 2**62, -(2**62)])
    quotients = [Fraction(int(value), divisor) for value in values]
    low, high = min(quotients), max(quotients)
    expected = {
        "clip": [min(max(half_up(q), 0), 255) for q in quotients],
        "abs": [min(half_up(abs(q)), 255) for q in quotients],
        "rescale": [half_up((q - low) * 255 / (high - low)) for q in quotients],
    }[scale]
    for given in (values, values.astype(object)):
        samples = Filtered(given, divisor).samples(scale)
        assert samples.dtype == np.uint8
        assert samples.tolist() == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_rounded_likewise(dtype):
    values = np.array([-1.5, -0.5, 0.49, 0.5, 1.5, 2.5, 254.5, 255.5, 1e30], dtype=dtype)
    assert Filtered(values).samples("clip").tolist() == [0, 0, 0, 1, 2, 3, 255, 255, 255]
    assert Filtered(np.array([-2.0, 0, 2], dtype)).samples("rescale").tolist() == [0, 128, 255]
    largest = np.finfo(dtype).max
    assert Filtered(np.array([-largest, largest], dtype)).samples("rescale").tolist() == [0, 255]


def test_one_value_alone_is_rescaled_to_black():
    assert Filtered(np.full((2, 2), 7)).samples("rescale").tolist() == [[0, 0], [0, 0]]
    with pytest.raises(ParameterError, match="scale must be one of"):
        Filtered(np.zeros(1)).samples("wrap")


def test_share_outside():
    assert Filtered(np.array([-1, 0, 255, 256])).outside() == 0.5
    # −1/4 rounds to 0 and 255 1/4 to 255.
    assert Filtered(np.array([-1, 1021, 1022]), 4).outside() == pytest.approx(1 / 3)
    assert Filtered(np.zeros((0, 3), dtype=int)).outside() == 0


def test_numbers_to_store():
    assert Filtered(np.array([1, 2], dtype=np.uint8)).numbers().dtype == np.int64
    assert Filtered(np.array([3, 2**62], dtype=object)).numbers().dtype == np.int64
    assert Filtered(np.array([3, -4]), 2).numbers().tolist() == [1.5, -2.0]
    assert Filtered(np.array([3, 6], dtype=object), 3 * 2**80).numbers().tolist() == [
        2.0**-80,
        2.0**-79,
    ]
    with pytest.raises(DTypeError, match="output must hold integers of int64"):
        Filtered(np.array([2**63], dtype=object)).numbers()


def test_weights_are_made_to_fit():
    operator = sc.Conv2d(2, 4, 2, groups=2).operator((3, 3))
    kernel = np.array([[1, 2], [3, 4]])
    fitted = fitted_weight(kernel, operator)
    assert fitted.shape == (4, 1, 2, 2)
    assert all(np.array_equal(each, kernel) for each in fitted[:, 0])
    assert fitted_weight(fitted, operator) is fitted
    for shape in ((2,), (1, 2, 2), (2, 1, 2, 2), (4,)):
        with pytest.raises(ShapeError, match=r"weight must have shape \(4, 1, 2, 2\), or \(2, 2\)"):
            fitted_weight(np.ones(shape, dtype=int), operator)


def test_the_transposed_operator_needs_one_size():
    layer = sc.Conv1d(1, 1, 3, stride=2)
    with pytest.raises(ParameterError, match="which size the transposed layer gives back: 7 or 8"):
        operator_for(layer, (3,), transpose=True, input_size=None)
    assert operator_for(layer, (3,), transpose=True, input_size=(8,)).output_shape == (1, 8)
    single = sc.Conv1d(1, 1, 3)
    assert operator_for(single, (3,), transpose=True, input_size=None).output_shape == (1, 5)
    with pytest.raises(ShapeError, match=r"input must be the size of the data, \(3,\), got \(4,\)"):
        operator_for(single, (3,), transpose=False, input_size=(4,))


@pytest.mark.parametrize(
    ("weight", "divisor", "bias"),
    [
        ([1, 2, 3], 1, None),
        ([1, 2, 3], 6, [5]),
        ([Fraction(1, 3), 2, Fraction(-1, 2)], 1, [Fraction(2, 5)]),
        ([Fraction(1, 3), 2, Fraction(-1, 2)], 10**30, [Fraction(1, 7)]),
        ([2**70, 0, 1], 3, [0]),
    ],
)
def test_quotients_are_exact(weight, divisor, bias):
    layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="constant", padding_value=Fraction(1, 2))
    x = np.array([[3, 1, 4, 1, 5]])
    filtered = run_layer(
        layer, x, is_image=False, weight=np.array(weight), divisor=divisor,
        bias=None if bias is None else np.array(bias),
    )  # fmt: skip
    exact = [[[Fraction(w) / divisor for w in weight]]]
    expected = oracles.conv(
        x[None], exact, (1,), (1,), ((1, 1),), 1, "constant", Fraction(1, 2), (1,), bias or [0]
    )
    got = [Fraction(int(value), filtered.divisor) for value in filtered.values.ravel()]
    assert got == list(expected.ravel())


def test_floats_meet_fractions():
    x = np.array([[0.5, 1.5, 2.0]])
    weight, bias = np.array([Fraction(1, 4), 1], dtype=object), np.array([Fraction(1, 2)])
    filtered = run_layer(sc.Conv1d(1, 1, 2), x, is_image=False, weight=weight, divisor=2, bias=bias)
    assert filtered.divisor == 1
    assert filtered.values.tolist() == [[0.5 + 0.0625 + 0.75, 0.5 + 0.1875 + 1.0]]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_means_round_as_the_fractions_do(dtype):
    x = np.random.default_rng(5).integers(0, 256, (12, 18)).astype(dtype)
    for layer in (sc.AvgPool2d(2), sc.AvgPool2d(3), sc.AvgPool2d(3, padding=1, stride=2)):
        filtered = run_layer(layer, x, is_image=True)
        exact = layer.operator(x.shape).apply(x.astype(np.int64))
        assert np.array_equal(filtered.samples("clip"), np.vectorize(half_up)(exact))


def test_single_channels_may_be_left_out():
    x = np.arange(5)
    layer = sc.Conv1d(1, 1, 2)
    weight = np.array([1, 1])
    assert run_layer(layer, x, is_image=False, weight=weight).values.tolist() == [1, 3, 5, 7]
    two = run_layer(sc.Conv1d(1, 2, 2), x, is_image=False, weight=weight)
    assert two.values.tolist() == [[1, 3, 5, 7]] * 2
    assert run_layer(layer, x[None, None], is_image=False, weight=weight).values.shape == (1, 1, 4)
    fold = run_layer(sc.Fold((3,), (2,)), np.array([[1, 2], [10, 20]]), is_image=False)
    assert fold.values.tolist() == [1, 12, 20]


def test_refusals():
    x = np.zeros((4, 4), dtype=np.uint8)
    with pytest.raises(ParameterError, match="weight must be given, shape"):
        run_layer(sc.Conv2d(1, 1, 3), x, is_image=True)
    with pytest.raises(ParameterError, match=r"bias must be left out: Conv.* transposed has none"):
        run_layer(
            sc.Conv2d(1, 1, 3), x, is_image=True, transpose=True,
            weight=np.ones((3, 3), dtype=int), bias=np.ones(1, dtype=int),
        )  # fmt: skip
    with pytest.raises(ParameterError, match="bias must be left out: AvgPool"):
        run_layer(sc.AvgPool2d(2), x, is_image=True, bias=np.ones(1, dtype=int))
    with pytest.raises(ShapeError, match="data must have at least 3 axes"):
        run_layer(sc.Conv3d(1, 1, 1), x, is_image=True, weight=np.ones((1, 1, 1), dtype=int))
