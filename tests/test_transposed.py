"""The transposed convolution four ways, and which convolution it transposes."""

from __future__ import annotations

import itertools
import math

import pytest
import strategies
import sympy
from hypothesis import assume, given

import symconv as sc
from symconv.errors import ParameterError, ParameterTypeError
from symconv.transposed import WAYS


@given(strategies.transpose_cases())
@strategies.examples(130)
def test_four_ways_and_the_operator_agree(case):
    layer, size = case
    expected = layer.operator(size).exact()
    for way in ("scatter", "zero_insertion", "transpose"):
        assert sc.transposed_matrix(layer, size, way) == expected


@given(strategies.transpose_cases(ranks=(1, 2)))
@strategies.examples(60)
def test_the_gradient_agrees(case):
    layer, size = case
    # SymPy differentiates entry by entry: small cases only.
    assume(math.prod(layer.operator(size).shape) <= 600)
    assert sc.transposed_matrix(layer, size, "gradient") == layer.operator(size).exact()


@pytest.mark.parametrize("way", WAYS)
def test_ways_are_built_on_their_own(way, monkeypatch):
    """None calls another, nor ConvTranspose's own operator: all of those are broken here."""
    layer = sc.ConvTranspose1d(2, 2, 3, stride=2, padding=1, output_padding=1, groups=2)
    expected = layer.operator((3,)).exact()

    def broken(*arguments):
        raise AssertionError("called another construction")

    for other in WAYS:
        if other != way:
            monkeypatch.setitem(WAYS, other, broken)
            monkeypatch.setattr(f"symconv.transposed.{other}", broken)
    monkeypatch.setattr(sc.ConvTranspose, "operator", broken)
    assert sc.transposed_matrix(layer, (3,), way) == expected


def test_which_convolution_is_transposed_entry_by_entry():
    """Always that with padding (lo, hi − op); that with (lo, hi) iff op < s, else n rows of it."""
    settings_tried = 0
    box = itertools.product(range(1, 4), range(1, 3), range(1, 4), range(3), range(4), range(6))
    for s, d, taps, lo, hi, op in box:
        layer = sc.ConvTranspose1d(
            1, 1, taps, stride=s, dilation=d, padding=((lo, hi),), output_padding=op, bias=False
        )
        for n in range(1, 4):
            size = s * (n - 1) + d * (taps - 1) + 1 + op - lo - hi
            if size < 1:
                continue
            settings_tried += 1
            options = {"stride": s, "dilation": d, "bias": False}
            matrix = layer.operator((n,)).exact()
            shifted = sc.Conv1d(1, 1, taps, padding=((lo, hi - op),), **options)
            assert matrix == shifted.operator((size,)).exact().T
            same = sc.Conv1d(1, 1, taps, padding=((lo, hi),), **options).operator((size,)).exact()
            assert (matrix == same.T) == (op < s)
            assert matrix == same[:n, :].T
    assert settings_tried > 2000


def test_the_two_layers_make_equal_operators():
    layer = sc.ConvTranspose1d(1, 1, 3, stride=2, bias=False)
    conv = sc.Conv1d(1, 1, 3, stride=2, bias=False)
    assert layer.operator((2,)) == conv.operator((5,)).T
    assert layer.operator((2,)) != conv.operator((6,)).T
    assert sc.ConvTranspose1d(1, 1, 3, stride=2).operator((2,)) != conv.operator((5,)).T


def test_rows_past_the_last_written_one_exist_iff_op_exceeds_hi():
    """Gaps between taps can leave other rows empty: stride 2 with one tap leaves row 1."""
    for s, d, taps, hi, op in itertools.product(
        range(1, 4), range(1, 3), range(1, 4), range(4), range(6)
    ):
        layer = sc.ConvTranspose1d(
            1, 1, taps, stride=s, dilation=d, padding=((0, hi),), output_padding=op, bias=False
        )
        if layer.relation(0).input_size(3) < 1:
            continue
        matrix = layer.operator((3,)).exact()
        empty_tail = all(entry == 0 for entry in matrix[matrix.rows - 1, :])
        if hi == 0:
            # The last tap of the last input reaches the last row exactly when op = 0.
            assert empty_tail == (op > 0)
        if op > hi:
            assert empty_tail
    gap = sc.ConvTranspose1d(1, 1, 1, stride=2, bias=False).operator((2,)).exact()
    assert gap == sympy.Matrix([[1, 0], [0, 0], [0, 1]]) * sympy.Symbol("w_0_0_0")


def test_wrong_arguments():
    layer = sc.ConvTranspose1d(1, 1, 2)
    with pytest.raises(ParameterError, match="way must be one of 'scatter'"):
        sc.transposed_matrix(layer, (2,), "inverse")
    with pytest.raises(ParameterTypeError, match="layer must be a ConvTranspose, got Conv"):
        sc.transposed_matrix(sc.Conv1d(1, 1, 2), (2,), "scatter")
