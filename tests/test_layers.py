"""Layers as values: sizes and their inverse, closed forms, counts, names of padding."""

from __future__ import annotations

import itertools

import numpy as np
import oracles
import pytest
import strategies
import sympy
from hypothesis import given, strategies as st

import symconv as sc
from symconv.errors import GeometryError, ParameterError, ShapeError


@given(strategies.conv_cases())
@strategies.examples(150)
def test_sizes_counts_and_entries_of_a_convolution(case):
    layer, size = case
    arguments = (layer.kernel_size, layer.stride, layer.dilation, layer.padding)
    output = oracles.out_size(size, *arguments, layer.input_dilation)
    assert layer.output_size(size) == output
    assert layer.output_shape((layer.in_channels, *size)) == (layer.out_channels, *output)
    channels = (layer.in_channels, layer.out_channels, layer.groups, layer.input_dilation)
    inside = oracles.mac_inside(size, *arguments, layer.padding_mode, *channels)
    assert layer.mac_count(size, "inside") == inside
    per_tap = layer.out_channels * (layer.in_channels // layer.groups)
    for number in (*output, *layer.kernel_size):
        per_tap *= number
    assert layer.mac_count(size) == per_tap
    stored = oracles.stored_entries(size, *arguments, layer.padding_mode, *channels)
    assert layer.operator(size).nnz == stored


@given(st.one_of(strategies.conv_cases(), strategies.transpose_cases(), strategies.pool_cases()))
@strategies.examples(150)
def test_input_sizes_are_all_that_give_the_output_size(case):
    layer, size = case
    output = layer.output_size(size)
    for axis, sizes in enumerate(layer.input_sizes(output)):
        assert size[axis] in sizes
        for n in range(layer._least_input(axis), max(sizes) + 8):
            assert (layer._output_on(axis, n) == output[axis]) == (n in sizes)


def test_impossible_output_sizes_have_no_inputs():
    assert sc.ConvTranspose1d(1, 1, 3, stride=2).input_sizes((4,)) == ((),)
    assert sc.Conv1d(1, 1, 1, padding=2).input_sizes((3,)) == ((),)


def test_symbolic_sizes_give_the_closed_form():
    n, s, k = sympy.symbols("n s k", integer=True, positive=True)
    layer = sc.Conv1d(1, 1, k, stride=s, padding=1)
    (size,) = layer.output_size((n,))
    assert size == sympy.floor((n + 2 - k) / s) + 1
    for values in itertools.product(range(4, 9), range(1, 4), range(1, 4)):
        at = dict(zip((n, s, k), values, strict=True))
        concrete = sc.Conv1d(1, 1, values[2], stride=values[1], padding=1)
        assert size.subs(at) == concrete.output_size((values[0],))[0]
    (back,) = sc.ConvTranspose1d(1, 1, k, stride=s, padding=1).output_size((n,))
    assert sympy.expand(back - (s * (n - 1) + k - 2)) == 0
    for taps, stride, dilation, lo, hi in itertools.product(
        (1, 2, 3), (1, 2, 3), (1, 2), (0, 1, 2), (0, 1, 4)
    ):
        options = {"stride": stride, "dilation": dilation, "padding": ((lo, hi),)}
        pool = sc.AvgPool1d(taps, ceil_mode=True, **options)
        (ceil,) = pool.output_size((n,))
        assert hi > dilation * (taps - 1) + 1 or not sympy.sympify(ceil).has(sympy.Piecewise)
        for value in range(1, 12, 2):
            if pool._output_on(0, value) >= 1:
                assert ceil.subs(n, value) == pool.output_size((value,))[0]


def test_symbolic_counts():
    c, o, g, k = sympy.symbols("c o g k", integer=True, positive=True)
    layer = sc.Conv(c, o, (k, k), groups=g)
    # N11 of the notes: c2·(h·w·c1/G + 1).
    assert sympy.expand(layer.parameter_count() - o * (k * k * c / g + 1)) == 0
    assert sc.Conv2d(3, 256, 5).parameter_count() == 256 * (5 * 5 * 3 + 1) == 19456
    depthwise, pointwise = sc.Conv2d(3, 3, 5, groups=3), sc.Conv2d(3, 256, 1)
    assert (depthwise.parameter_count(), pointwise.parameter_count()) == (78, 1024)
    macs = sc.Conv(c, o, (3,), bias=False).mac_count((k,))
    assert sympy.expand(macs - c * o * 3 * (k - 2)) == 0


def test_the_notes_shapes():
    assert sc.Conv2d(1, 1, 3).output_size((4, 4)) == (2, 2)
    assert sc.Conv2d(1, 1, 3, padding=2).output_size((2, 2)) == (4, 4)
    assert sc.ConvTranspose2d(1, 1, 2).output_size((3, 3)) == (4, 4)
    assert sc.Conv2d(1, 1, 3, dilation=2).output_size((5, 5)) == (1, 1)


@pytest.mark.parametrize("upper", [True, False])
def test_same_of_tensorflow_gives_the_ceiling(upper):
    name = "same_upper" if upper else "same_lower"
    for taps, s, d, n in itertools.product(range(1, 6), range(1, 4), range(1, 4), range(1, 9)):
        layer = sc.Conv1d(1, 1, taps, stride=s, dilation=d, padding=name)
        assert layer.output_size((n,)) == (-(-n // s),)
        (axis,) = layer.geometry((n,)).axes
        lo, hi = axis.relation.pad_lo, axis.relation.pad_hi
        total = max((-(-n // s) - 1) * s + d * (taps - 1) + 1 - n, 0)
        assert (lo, hi) == (
            (total // 2, total - total // 2) if upper else (total - total // 2, total // 2)
        )


def test_same_is_a_ceiling_in_closed_form():
    n = sympy.Symbol("n", integer=True, positive=True)
    for name, taps, s, d in itertools.product(
        ("same_upper", "same_lower"), range(1, 5), range(1, 4), range(1, 3)
    ):
        layer = sc.Conv1d(1, 1, taps, stride=s, dilation=d, padding=name)
        (form,) = layer.output_size((n,))
        assert form == sc.Conv1d(1, 1, 1, stride=s).output_size((n,))[0]
        assert [form.subs(n, at) for at in range(1, 9)] == [
            layer.output_size((at,))[0] for at in range(1, 9)
        ]


@given(strategies.conv_cases(input_dilation=False))
@strategies.examples(60)
def test_output_paddings_restore_the_sizes_they_name(case):
    conv, size = case
    output = conv.output_size(size)
    for axis, meanings in enumerate(conv.output_paddings(output)):
        for op, n in meanings.items():
            if n < 1:
                continue  # a transposed layer makes at least one sample
            up = sc.ConvTranspose(
                1,
                1,
                (conv.kernel_size[axis],),
                stride=conv.stride[axis],
                dilation=conv.dilation[axis],
                padding=(conv.padding[axis],),
                output_padding=op,
            )
            assert up.output_size((output[axis],)) == (n,)
            assert 0 <= op < conv.stride[axis]
    with pytest.raises(ParameterError, match="padding must not depend on the size"):
        sc.Conv1d(1, 1, 3, padding="same_upper").output_paddings((4,))


def test_names_of_padding():
    def amounts(name, **options):
        (axis,) = sc.Conv1d(1, 1, 4, padding=name, **options).geometry((9,)).axes
        return axis.relation.pad_lo, axis.relation.pad_hi

    assert amounts("valid") == (0, 0)
    assert amounts("full", dilation=2) == (6, 6)
    assert amounts("same") == (1, 2)
    assert amounts("causal", dilation=2, stride=2) == (6, 0)
    assert amounts("same_upper", stride=3) == (0, 1)
    assert amounts("same_lower", stride=3) == (1, 0)
    with pytest.raises(ParameterError, match="stride must be 1 for padding 'same'"):
        sc.Conv1d(1, 1, 3, padding="same", stride=2)


def test_sizes_without_an_output_are_refused_with_the_geometry():
    with pytest.raises(GeometryError, match=r"output size must be >= 1 on axis 1, got 0.*Conv\("):
        sc.Conv2d(1, 1, 3).output_size((3, 2))
    with pytest.raises(GeometryError, match=r"kernel extent 5 does not fit 4 padded samples"):
        sc.Conv1d(1, 1, 3, dilation=2).operator((4,))
    with pytest.raises(ShapeError, match=r"input channels must be 3, got 4"):
        sc.Conv2d(3, 8, 3).output_shape((4, 9, 9))


def test_empty_inputs_where_padding_alone_is_defined():
    op = sc.Conv1d(1, 1, 2, padding=1, bias=False).operator((0,))
    assert op.shape == (1, 0)
    assert op.exact().shape == (1, 0)
    assert op.sparse([[[1, 2]]]).shape == (1, 0)
    assert op.apply([[]], [[[1, 2]]]).tolist() == [[0.0]]
    constant = sc.Conv1d(1, 1, 2, padding=1, bias=False, padding_mode="constant", padding_value=3)
    assert constant.operator((0,)).apply(np.zeros((1, 0), int), [[[1, 2]]]).tolist() == [[9]]
    with pytest.raises(GeometryError, match="input size must be >= 1 on axis 0, got 0"):
        sc.Conv1d(1, 1, 2, padding=1, padding_mode="circular").operator((0,))
