"""Multiplicities: counts against naive loops, interiors by their meaning, verdicts, pictures."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from xml.etree import ElementTree as ET

import numpy as np
import oracles
import pytest
from hypothesis import given, strategies as st
from strategies import conv_cases, examples, max_pool_cases, pool_cases, transpose_cases

import symconv as sc
from symconv.errors import (
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.overlap import multiplicities, uniform_inside
from symconv.rendering import counts_png, counts_svg

SPACE = "{http://www.w3.org/2000/svg}"


def counted(reads, n_in, n_out):
    """Uses of each input and products of each output of one axis, from pairs (o, i)."""
    inputs, outputs = Counter(i for _, i in reads), Counter(o for o, _ in reads)
    return [inputs[i] for i in range(n_in)], [outputs[o] for o in range(n_out)]


def reads_of(relation, n_in, n_out, mode="zeros"):
    """The triples of one axis as pairs (o, i), by loops and the oracle's boundaries."""
    found = []
    for o, k in product(range(n_out), range(relation.n_taps)):
        j, gap = divmod(
            relation.stride * o + relation.dilation * k - relation.pad_lo, relation.input_dilation
        )
        i = None if gap else oracles.read(j, n_in, mode)
        if i is not None:
            found.append((o, i))
    return found


@examples(60)
@given(conv_cases(ranks=(1, 2)))
def test_convolutions(case):
    layer, size = case
    found = multiplicities(layer, size)
    assert found.overlap_side == "input"
    for axis, (n, m) in enumerate(zip(size, layer.output_size(size), strict=True)):
        reads = reads_of(layer.relation(axis, n), n, m, layer.padding_mode)
        inputs, outputs = counted(reads, n, m)
        assert found.axis_inputs[axis].tolist() == inputs
        assert found.axis_outputs[axis].tolist() == outputs
    expected = np.ones((), dtype=int)
    for counts in found.axis_inputs:
        expected = np.multiply.outer(expected, counts)
    assert np.array_equal(found.per_input, expected)
    assert found.total == found.per_input.sum() == found.per_output.sum()


@examples(40)
@given(transpose_cases(ranks=(1, 2)))
def test_transposed_convolutions_count_what_ones_add_up_to(case):
    layer, size = case
    found = multiplicities(layer, size)
    assert found.overlap_side == "output"
    op = layer.operator(size)
    weight = np.ones(op.weight_shape, dtype=int)
    x = np.ones(op.input_shape, dtype=int)
    joined = layer.in_channels // layer.groups
    bias = np.zeros(layer.out_channels, dtype=int) if layer.bias else None
    y = op.apply(x, weight, bias)
    assert np.array_equal(y, np.stack([joined * found.per_output] * layer.out_channels))
    assert found.per_output.shape == layer.output_size(size)


@examples(40)
@given(pool_cases(ranks=(1, 2)))
def test_poolings(case):
    layer, size = case
    found = multiplicities(layer, size)
    op = sc.MaxPool(
        layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        ceil_mode=layer.ceil_mode,
    )
    try:
        overlap = op.operator(size).overlap()
    except GeometryError:
        return
    assert np.array_equal(found.per_input.ravel(), overlap.column_totals())
    assert np.array_equal(found.per_output.ravel(), overlap.row_totals())
    assert np.array_equal(multiplicities(op, size).per_input, found.per_input)


def endless(relation, side, at):
    """Triples of one position of an endless axis, as (o, k, i), found by trying far enough."""
    found = []
    reach = relation.dilation * relation.n_taps + abs(relation.pad_lo) + relation.stride
    span = range(-3 * reach - 9 - abs(at) * 3, 3 * reach + 9 + abs(at) * 3)
    for k in range(relation.n_taps):
        if side == "output":
            j = relation.position(at, k)
            if j % relation.input_dilation == 0:
                found.append((at, k, j // relation.input_dilation))
            continue
        found += [
            (o, k, at) for o in span if relation.position(o, k) == relation.input_dilation * at
        ]
    return found


@examples(60)
@given(conv_cases(ranks=(1,), modes=("zeros",)) | max_pool_cases(ranks=(1,)))
def test_the_interior_is_where_the_ends_take_nothing(case):
    layer, (n,) = case
    try:
        found = multiplicities(layer, (n,))
    except GeometryError:
        return
    relation, n_out = layer.relation(0, n), layer.output_size((n,))[0]
    for side, total in (("input", n), ("output", n_out)):
        (inside,) = found.interior(side)
        whole = []
        for at in range(total):
            triples = endless(relation, side, at)
            kept = [
                (o, k, i)
                for o, k, i in triples
                if 0 <= o < n_out and 0 <= i < n and relation.inside_padded(o, k, n)
            ]
            whole.append(kept == triples)
            assert found.counts(side)[at] == len(kept)
        assert all(whole[at] for at in inside)
        # The neighbours of a range that has any lose something, where taps meet at every place.
        if len(inside) and relation.input_dilation == 1:
            for beside in (inside.start - 1, inside.stop):
                assert not 0 <= beside < total or not whole[beside]


@examples(150)
@given(
    st.integers(1, 7), st.integers(1, 5), st.integers(1, 5), st.integers(1, 4), st.integers(-3, 3)
)
def test_uniform_inside(n_taps, s, d, b, p):
    relation = sc.AxisRelation(n_taps, s, d, p, p, b)
    for side, length in (("input", s), ("output", b)):
        counts = [len(endless(relation, side, at)) for at in range(length)]
        verdict = uniform_inside(relation, side)
        assert verdict.scope == "all sizes"
        assert bool(verdict) == (len(set(counts)) == 1)
        if not verdict:
            case = verdict.counterexample
            assert counts[case["position"] % length] == case["count"]
            assert counts[case["other"] % length] == case["other count"] != case["count"]
    if b == 1:
        expected = n_taps % s == 0 and math.gcd(s, d) == 1
        assert bool(uniform_inside(relation)) == expected
        # The near misses: one of the two conditions.
        if n_taps % s == 0 and math.gcd(s, d) > 1:
            assert not uniform_inside(relation)


def test_verdicts_agree_with_counts():
    for n_taps, s, d in product(range(1, 6), range(1, 5), range(1, 4)):
        layer = sc.ConvTranspose1d(1, 1, n_taps, stride=s, dilation=d)
        found = multiplicities(layer, (n_taps * d + 9,))
        inside = found.is_uniform(interior=True)
        assert bool(inside) == bool(found.is_uniform_inside())
        assert found.is_uniform().status in ("PROVED", "REFUTED")


def test_is_uniform():
    found = multiplicities(sc.ConvTranspose2d(1, 1, 4, stride=2), (3, 3))
    case = found.is_uniform().counterexample
    assert found.per_output[case["position"]] == case["count"] == 1
    assert found.per_output[case["other"]] == case["other count"] == 2
    assert found.is_uniform(interior=True)
    assert found.is_uniform("input").counterexample is None
    blocks = multiplicities(sc.ConvTranspose2d(1, 1, 2, stride=2), (3, 3))
    assert str(blocks.is_uniform()) == "PROVED (all 36 outputs): each is in 1 triple"
    tiny = multiplicities(sc.ConvTranspose1d(1, 1, 5, stride=1), (2,)).is_uniform(interior=True)
    assert tiny.status == "UNDECIDED"
    assert tiny.reason == "there are no interior outputs"


def test_boundaries_that_read_samples_have_no_interior():
    layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular")
    found = multiplicities(layer, (5,))
    assert found.interior() is None
    assert found.is_uniform()
    with pytest.raises(ParameterError, match="interior must be False"):
        found.is_uniform(interior=True)


def test_patches_and_padding():
    assert multiplicities(sc.Pad(((1, 2),)), (3,)).per_output.tolist() == [0, 1, 1, 1, 0, 0]
    assert multiplicities(sc.Unfold((2,)), (4,)).per_input.tolist() == [1, 2, 2, 1]
    fold = multiplicities(sc.Fold((4,), (2,)), (3,))
    assert (fold.overlap_side, fold.per_output.tolist()) == ("output", [1, 2, 2, 1])


def test_large_layers_are_counted_by_axis():
    layer = sc.ConvTranspose3d(1, 1, 3, stride=2)
    found = multiplicities(layer, (10**5,) * 3)
    assert found.total == (3 * 10**5) ** 3
    assert not found.is_uniform_inside()
    with pytest.raises(TooLargeError, match="read axis_inputs and axis_outputs"):
        found.counts()
    with pytest.raises(TooLargeError, match="n_taps must be at most"):
        uniform_inside(sc.AxisRelation(2**40))
    assert not uniform_inside(sc.AxisRelation(3, stride=2**50))


def test_bad_input():
    with pytest.raises(ParameterTypeError, match="layer must be a layer, got str"):
        multiplicities("MaxPool2d(2)", (4,))
    with pytest.raises(ParameterTypeError, match="relation must be an AxisRelation"):
        uniform_inside(3)
    with pytest.raises(ParameterError, match="side must be one of 'input', 'output'"):
        uniform_inside(sc.AxisRelation(3), "both")
    with pytest.raises(ParameterError, match="stride must be >= 1"):
        uniform_inside(sc.AxisRelation(3, stride=0))
    with pytest.raises(GeometryError, match="output size must be >= 1"):
        multiplicities(sc.MaxPool1d(3), (2,))
    found = multiplicities(sc.MaxPool1d(3), (6,))
    for ask in (found.counts, found.svg, found.interior, found.is_uniform_inside):
        with pytest.raises(ParameterError, match="side must be one of"):
            ask("middle")


def test_pictures():
    layer = sc.ConvTranspose2d(1, 1, 3, stride=2)
    svg = multiplicities(layer, (2, 2)).svg()
    root = ET.fromstring(svg)  # noqa: S314 - our own text
    assert root.get("role") == "img"
    assert root.find(f"{SPACE}title").text == "ConvTranspose(1, 1, (3, 3), stride=(2, 2)) on 2×2"
    said = root.find(f"{SPACE}desc").text
    assert said.startswith("products in each output: 1, 1, 2, 1, 1; 1, 1, 2, 1, 1; 2, 2, 4")
    tips = [title.text for title in root.iter(f"{SPACE}title")]
    assert "(2, 2): 4" in tips
    assert len(list(root.iter(f"{SPACE}rect"))) == 25
    html = multiplicities(layer, (2, 2))._repr_html_()
    assert svg in html
    line = multiplicities(sc.MaxPool1d(3, stride=2), (7,)).svg()
    assert "times each input is used: 1, 1, 2, 1, 2, 1, 1" in line
    box = multiplicities(sc.AvgPool3d(2, stride=1), (3, 3, 3)).svg()
    assert [f"axis {number}: 1, 2, 1" in box for number in range(3)] == [True] * 3


def test_large_pictures_say_what_they_leave_out():
    found = multiplicities(sc.AvgPool2d(3, stride=2), (500, 70))
    svg = found.svg()
    assert "the first 64×64 of 500×70" in svg
    assert "500×70 counts from 0 to 4" in svg
    assert len(svg) < 2_000_000
    ET.fromstring(svg)  # noqa: S314


def test_pictures_of_hostile_names():
    svg = counts_svg([("<script>&", np.array([0, 0]))], title='"<b>\x00')
    root = ET.fromstring(svg)  # noqa: S314
    assert root.find(f"{SPACE}title").text == '"<b>�'
    assert "<script>" not in svg


@pytest.mark.parametrize(
    ("panels", "match"),
    [
        ([], "panels must be 1 to 8, got 0"),
        ([("a", np.ones((1, 1, 1), dtype=int))], "counts must be on 1 or 2 axes"),
        ([("a", np.ones((0, 2), dtype=int))], "got shape"),
    ],
)
def test_pictures_of_nothing(panels, match):
    for draw in (counts_svg, counts_png):
        with pytest.raises(ShapeError, match=match):
            draw(panels)


def test_numbers_can_be_read_on_their_shade():
    svg = counts_svg([("n", np.arange(12).reshape(3, 4))])
    root = ET.fromstring(svg)  # noqa: S314
    colours = [rect.get("fill") for rect in root.iter(f"{SPACE}rect")]
    inks = [text.get("fill") for text in root.iter(f"{SPACE}text") if text.get("font-size") == "10"]
    assert len(set(colours)) == 12

    def light(colour):
        wide = colour if len(colour) == 7 else "#" + "".join(2 * c for c in colour[1:])
        parts = [int(wide[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    for colour, ink in zip(colours, inks, strict=True):
        low, high = sorted([light(colour), light(ink)])
        assert (high + 0.05) / (low + 0.05) > 3


def test_png():
    pytest.importorskip("matplotlib")
    for layer, size in (
        (sc.ConvTranspose2d(1, 1, 3, stride=2), (3, 4)),
        (sc.MaxPool1d(3, stride=2), (7,)),
        (sc.AvgPool3d(2), (4, 4, 4)),
        (sc.AvgPool2d(3), (300, 90)),
    ):
        assert multiplicities(layer, size).png()[1:4] == b"PNG"
