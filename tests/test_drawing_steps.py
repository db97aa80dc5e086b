"""Step diagrams: what is drawn, read back from the SVG, is exactly the triples of each step."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import count

import drawn
import numpy as np
import oracles
import pytest
import strategies
from hypothesis import given, strategies as st

import symconv as sc
from symconv.drawing import draw
from symconv.errors import (
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)

WAYS = ("scatter", "zero_insertion")
DIRECTIONS = st.sampled_from(("forward", "transposed"))


def some_steps(data, total, most=6):
    """A few of the cells, the first and the last among them."""
    chosen = data.draw(st.sets(st.integers(0, total - 1), max_size=most - 2))
    return sorted({0, total - 1, *chosen})


def check(data, operator, triples, direction, *, channels=False, **options):
    """Some frames of an operator show the given triples, which are the incidence's as well."""
    if not channels:
        assert sorted(drawn.incidence_triples(operator)) == sorted(triples)
    size = operator.output_shape if direction == "forward" else operator.input_shape
    if operator.weight_shape is not None and not channels:
        size = size[1:]
    total = int(np.prod(size))
    steps = some_steps(data, total)
    picture = draw(operator, direction=direction, channels=channels, steps=steps, **options)
    assert picture.n_frames == len(steps)
    for frame, step in enumerate(steps):
        svg = picture.svg(frame, theme="light")
        drawn.check_frame(svg, triples)
        side = "output" if direction == "forward" else "input"
        at = tuple(int(n) for n in np.unravel_index(step, size))
        assert drawn.triples_of(svg)[0] == (side, at)
    return picture


@given(st.data(), strategies.conv_cases(), DIRECTIONS)
@strategies.examples(60)
def test_convolutions_show_the_triples_of_naive_loops(data, case, direction):
    layer, size = case
    check(data, layer.operator(size), drawn.conv_triples(layer, size), direction)


@given(
    st.data(),
    strategies.transpose_cases(),
    DIRECTIONS,
    st.sampled_from(WAYS),
)
@strategies.examples(60)
def test_transposed_convolutions_show_them_both_ways(data, case, direction, way):
    layer, size = case
    triples = drawn.transpose_triples(layer, size)
    check(data, layer.operator(size), triples, direction, way=way)


@given(st.data(), strategies.conv_cases(), DIRECTIONS, st.sampled_from(WAYS))
@strategies.examples(80)
def test_the_transpose_of_any_convolution_shows_the_same_triples_turned(data, case, direction, way):
    layer, size = case
    way = way if layer.padding_mode == "zeros" else "scatter"
    triples = [(i, k, o) for o, k, i in drawn.conv_triples(layer, size)]
    check(data, layer.operator(size).T, triples, direction, way=way)


@given(st.data(), strategies.conv_cases(ranks=(1, 2)), DIRECTIONS)
@strategies.examples(40)
def test_channels_show_the_pairs_of_each_group(data, case, direction):
    layer, size = case
    triples = drawn.conv_triples(layer, size, channels=True)
    check(data, layer.operator(size), triples, direction, channels=True)


@given(st.data(), strategies.transpose_cases(ranks=(1, 2)), DIRECTIONS, st.sampled_from(WAYS))
@strategies.examples(40)
def test_channels_of_transposed_convolutions(data, case, direction, way):
    layer, size = case
    triples = drawn.transpose_triples(layer, size, channels=True)
    check(data, layer.operator(size), triples, direction, channels=True, way=way)


@given(st.data(), strategies.max_pool_cases(), DIRECTIONS)
@strategies.examples(60)
def test_max_pooling_with_its_overhang(data, case, direction):
    layer, size = case
    try:
        operator = layer.operator(size)
    except GeometryError:
        return  # A window without a sample has no maximum.
    check(data, operator, drawn.pool_triples(layer, size), direction)


@given(st.data(), strategies.pool_cases(), DIRECTIONS)
@strategies.examples(40)
def test_average_pooling(data, case, direction):
    layer, size = case
    try:
        operator = layer.operator(size)
    except GeometryError:
        return
    check(data, operator, drawn.pool_triples(layer, size), direction)


@given(st.data(), st.integers(1, 9), st.integers(1, 9), DIRECTIONS, st.booleans())
@strategies.examples(40)
def test_adaptive_pooling(data, n, m, direction, largest):
    layer = (sc.AdaptiveMaxPool1d if largest else sc.AdaptiveAvgPool1d)(m)
    check(data, layer.operator((n,)), drawn.adaptive_triples((n,), (m,)), direction)


@pytest.mark.parametrize("layer", [sc.Pad(((2, 3),), padding_mode="reflect"), sc.Unfold((3,))])
@pytest.mark.parametrize("direction", ["forward", "transposed"])
def test_padding_and_patches(layer, direction):
    operator = layer.operator((4,))
    for each in (operator, operator.T):
        picture = draw(each, direction=direction)
        for frame in range(picture.n_frames):
            drawn.check_frame(picture.svg(frame), drawn.incidence_triples(each))


def test_every_step_is_drawn_once_and_in_order():
    picture = draw(sc.Conv2d(1, 1, 2), input_size=(3, 4))
    currents = [drawn.triples_of(picture.svg(frame))[0] for frame in range(picture.n_frames)]
    assert currents == [("output", place) for place in drawn.positions((2, 3))]


FIGURES = {
    "2.1 no padding, unit strides": (sc.Conv2d(1, 1, 3), 4, 2),
    "2.2 arbitrary padding": (sc.Conv2d(1, 1, 4, padding=2), 5, 6),
    "2.3 half padding": (sc.Conv2d(1, 1, 3, padding="same"), 5, 5),
    "2.4 full padding": (sc.Conv2d(1, 1, 3, padding="full"), 5, 7),
    "2.5 strides": (sc.Conv2d(1, 1, 3, stride=2), 5, 2),
    "2.6 padding and strides": (sc.Conv2d(1, 1, 3, stride=2, padding=1), 5, 3),
    "2.7 padding and strides, odd": (sc.Conv2d(1, 1, 3, stride=2, padding=1), 6, 3),
    "4.1 transposed": (sc.ConvTranspose2d(1, 1, 3), 2, 4),
    "4.2 transposed, arbitrary padding": (sc.ConvTranspose2d(1, 1, 4, padding=2), 6, 5),
    "4.3 transposed, half padding": (sc.ConvTranspose2d(1, 1, 3, padding=1), 5, 5),
    "4.4 transposed, full padding": (sc.ConvTranspose2d(1, 1, 3, padding=2), 7, 5),
    "4.5 transposed, strides": (sc.ConvTranspose2d(1, 1, 3, stride=2), 2, 5),
    "4.6 transposed, padding and strides": (
        sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1),
        3,
        5,
    ),
    "4.7 transposed, odd": (
        sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1),
        3,
        6,
    ),
    "5.1 dilation": (sc.Conv2d(1, 1, 3, dilation=2), 7, 3),
}


@pytest.mark.parametrize("name", FIGURES)
def test_the_figures_of_the_guide(name):
    """All frames of the figures of Dumoulin and Visin (2016), whose sizes the guide prints."""
    layer, n_in, n_out = FIGURES[name]
    transposed = isinstance(layer, sc.ConvTranspose)
    find = drawn.transpose_triples if transposed else drawn.conv_triples
    triples = find(layer, (n_in, n_in))
    # The guide draws transposed convolutions by zero insertion.
    way = {"way": "zero_insertion"} if transposed else {}
    picture = draw(layer, input_size=(n_in, n_in), **way)
    assert picture.n_frames == n_out**2
    for frame in range(picture.n_frames):
        drawn.check_frame(picture.svg(frame), triples)


@pytest.mark.parametrize(
    "operator",
    [
        sc.Conv1d(1, 1, 2, padding=2).operator((0,)),
        sc.Conv2d(1, 1, 2, padding=2).operator((0, 3)),
        sc.Conv(1, 1, (2, 2, 1, 2)).operator((3, 3, 2, 2)),
        sc.GlobalAvgPool().operator((3, 2)),
        sc.AvgPool2d(2, ceil_mode=True).operator((3, 3)).T,
        sc.Conv1d(1, 1, 3, dilation=9, padding=9).operator((40,)),
        sc.Conv1d(1, 1, 2).operator((3,)).H,
        sc.Fold((4,), (2,)).operator((3,)),
        sc.LpPool2d(2, 2).operator((4, 4)),
        sc.Erosion(((0, 1), (1, 2))).operator((3, 3)),
        sc.AdaptiveMaxPool2d((2, 5)).operator((5, 3)),
    ],
    ids=lambda operator: operator.describe(),
)
@pytest.mark.parametrize("direction", ["forward", "transposed"])
def test_operators_of_all_kinds(operator, direction):
    picture = draw(operator, direction=direction) if operator.shape[1] else draw(operator)
    for frame in range(picture.n_frames):
        drawn.check_frame(picture.svg(frame), drawn.incidence_triples(operator))


def test_an_empty_input_has_no_steps_to_write():
    operator = sc.Conv1d(1, 1, 2, padding=2).operator((0,))
    with pytest.raises(ParameterError, match="steps must name at least one input, and there is"):
        draw(operator, direction="transposed")


# Mistakes that the reader must see


def changed(svg, pattern, change):
    """The picture with the first mark of a pattern changed."""
    found = re.search(pattern, svg)
    assert found, pattern
    return svg[: found.start()] + change(found.group()) + svg[found.end() :]


READ = r'<rect class="read[^>]*data-role[^>]*/>'
MUTANTS = {
    "a tap that is missing": (READ, lambda _: ""),
    "a tap that is drawn twice": (READ, lambda rect: 2 * rect),
    "a cell that is shifted": (
        READ,
        lambda rect: re.sub(r'x="(\d+)', lambda m: f'x="{int(m[1]) + 38}', rect, count=1),
    ),
    "another sample": (READ, lambda rect: re.sub(r'data-index="\d', 'data-index="4', rect)),
    "another tap": (READ, lambda rect: re.sub(r'data-tap="\d', 'data-tap="2', rect)),
    "a tap on the wrong side": (READ, lambda rect: rect.replace('"input"', '"output"')),
    "another role": (READ, lambda rect: rect.replace('role="read"', 'role="outside"')),
    "padding that reads": (
        r'<rect class="outside[^>]*data-role[^>]*/>',
        lambda rect: rect.replace('role="outside"', 'role="read"').replace(
            'data-index=""', 'data-index="0,0"'
        ),
    ),
    "another output": (
        r'<rect class="current[^>]*data-role[^>]*/>',
        lambda rect: re.sub(r'data-index="0,0"', 'data-index="0,1"', rect),
    ),
    "padding that is a sample": (
        r'<rect class="padding[^>]*data-kind[^>]*>',
        lambda rect: rect.replace('data-kind="padding"', 'data-kind="sample"').replace(
            'data-index=""', 'data-index="0,0"'
        ),
    ),
}


def check_picture(svg, triples):
    """A frame and its grids: each stored number stands there once, as itself."""
    drawn.check_frame(svg, triples)
    for side in ("input", "output"):
        own = [
            index
            for (grid, _), (kind, index, _) in drawn.cells(svg).items()
            if grid == side and kind == "sample"
        ]
        assert len(own) == len(set(own))


@pytest.mark.parametrize("name", MUTANTS)
def test_a_wrong_picture_is_rejected(name):
    layer = sc.Conv2d(1, 1, 3, padding=1)
    svg = draw(layer, input_size=(4, 4)).svg(0, theme="light")
    triples = drawn.conv_triples(layer, (4, 4))
    check_picture(svg, triples)
    wrong = changed(svg, *MUTANTS[name])
    assert wrong != svg
    with pytest.raises(AssertionError):
        check_picture(wrong, triples)


# Cells


@given(strategies.conv_cases(ranks=(1, 2)))
@strategies.examples(60)
def test_cells_are_what_the_boundary_says(case):
    layer, size = case
    svg = draw(layer.operator(size), steps=[0]).svg()
    reads = [
        {n * b: n for n in range(length)}
        for b, length in zip(layer.input_dilation, size, strict=True)
    ]
    for (grid, place), (kind, index, _) in drawn.cells(svg).items():
        if grid != "input":
            assert (kind, index) == ("sample", place)
            continue
        inside = all(
            -lo <= p < oracles.spread_size(n, b) + hi
            for p, n, b, (lo, hi) in zip(
                place, size, layer.input_dilation, layer.padding, strict=True
            )
        )
        own = [here.get(p) for here, p in zip(reads, place, strict=True)]
        virtual = [
            oracles.read(p // b, n, layer.padding_mode) if p % b == 0 else None
            for p, n, b in zip(place, size, layer.input_dilation, strict=True)
        ]
        if not inside:
            assert kind == "cropped"
            assert index == (None if None in own else tuple(own))
        elif None in virtual:
            assert kind in ("padding", "inserted")
            assert index is None
        else:
            assert kind == ("repeat" if None in own else "sample")
            assert index == tuple(virtual)
    stored = [
        index
        for (grid, _), (kind, index, _) in drawn.cells(svg).items()
        if grid == "input" and kind in ("sample", "cropped") and index is not None
    ]
    assert sorted(stored) == drawn.positions(size)


def test_what_a_transposed_convolution_cuts_off_and_appends():
    layer = sc.ConvTranspose1d(1, 1, 3, stride=2, padding=((1, -2),))
    kinds = [
        kind
        for (grid, _), (kind, *_) in drawn.cells(draw(layer, input_size=(2,)).svg()).items()
        if grid == "output"
    ]
    assert kinds == ["padding"] + ["sample"] * 4 + ["cropped"] * 2
    svg = draw(layer, input_size=(2,)).svg(0)
    assert "cut off by padding" in svg
    assert "appended: never written" in svg


def test_zero_insertion_shows_the_flipped_kernel_as_it_lies():
    layer = sc.ConvTranspose2d(1, 1, 2, stride=2)
    svg = draw(layer, input_size=(2, 2), way="zero_insertion").svg()
    taps = [
        drawn.place_of(rect.get("data-tap"))
        for rect in drawn.rects(svg)
        if rect.get("data-grid") == "kernel"
    ]
    words = re.findall(r">(w[₀-₉]+)</text>", svg)[-4:]
    assert taps == drawn.positions((2, 2))
    assert sorted(words) == ["w₀₀", "w₀₁", "w₁₀", "w₁₁"]
    assert "kernel, flipped" in svg


@pytest.mark.parametrize("direction", ["forward", "transposed"])
def test_planes_of_three_axes(direction):
    layer, size = sc.Conv3d(1, 1, 2, padding=1, padding_mode="circular"), (4, 2, 2)
    picture = draw(layer, input_size=size, planes=(1, 3), direction=direction)
    triples = drawn.conv_triples(layer, size)
    side = "output" if direction == "forward" else "input"
    seen = []
    for frame in range(picture.n_frames):
        svg = picture.svg(frame)
        drawn.check_frame(svg, triples)
        seen.append(drawn.triples_of(svg)[0][1])
    full = (5, 3, 3) if direction == "forward" else size
    assert seen == [place for place in drawn.positions(full) if place[0] in (1, 3)]
    shown = {index[0] for (grid, _), (_, index, _) in drawn.cells(svg).items() if grid == side}
    assert shown == {1, 3}


# Numbers and words


def test_values_and_exact_sums():
    layer = sc.Conv1d(1, 1, 3, padding=1)
    weight = [[[Fraction(1, 2), -1, Fraction(1, 3)]]]
    picture = draw(layer, input_size=(3,), x=[3, 6, 9], weight=weight, bias=[2])
    y = layer.operator((3,)).apply([[3, 6, 9]], weight, [2])[0]
    assert picture.caption(0) == (
        "output 0 reads inputs 0 and 1; tap 0 lies on padding: (−1)·3 + 1/3·6 + 2 = 1"
    )
    for frame, value in enumerate(y):
        assert picture.caption(frame).endswith(f"= {value}".replace("-", "−"))
    done = [mark for mark in drawn.marks(picture.svg(2)) if mark[3] == "done"]
    assert [mark[2] for mark in done] == [(0,), (1,), (2,)]


def test_scatter_adds_up_to_the_output():
    layer = sc.ConvTranspose2d(1, 1, 2)
    x, weight = [[1, 2], [3, 4]], [[[[1, 10], [100, 1000]]]]
    picture = draw(layer, input_size=(2, 2), x=x, weight=weight, bias=[7])
    y = layer.operator((2, 2)).apply([x], weight, [7])[0]
    last = picture.frames[-1]
    values = {mark.index: mark.value for mark in last.marks if mark.role == "done"}
    assert values == {place: str(y[place]) for place in drawn.positions((3, 3))}
    assert "adds 4 to (1, 1), 40 to (1, 2), 400 to (2, 1) and 4000 to (2, 2)" in picture.caption(3)


@given(strategies.transpose_cases(ranks=(1, 2)), st.sampled_from(WAYS), st.integers(0, 99))
@strategies.examples(25)
def test_sums_of_channels_are_those_of_the_loops(case, way, seed):
    layer, size = case
    operator = layer.operator(size)
    rng = np.random.default_rng(seed)
    x = rng.integers(-4, 5, operator.input_shape)
    weight = rng.integers(-4, 5, operator.weight_shape)
    rules = layer.stride, layer.dilation, layer.padding, layer.output_padding, layer.groups
    y = oracles.conv_transpose(x[None], weight, *rules)[0]
    total = int(np.prod(y.shape))
    steps = [total // 2]
    picture = draw(
        operator, channels=True, way=way, direction="forward", steps=steps, x=x, weight=weight
    )
    (mark,) = [mark for mark in picture.frames[0].marks if mark.role == "current"]
    assert mark.value == str(y[mark.index]).replace("-", "−")
    # The named terms, multiplied and added again, are the value.
    products = re.findall(r"\(?(−?\d+)\)?·\(?(−?\d+)\)?", picture.caption(0))
    if products and "terms" not in picture.caption(0):
        again = sum(int(a.replace("−", "-")) * int(b.replace("−", "-")) for a, b in products)
        assert again == y[mark.index]


@pytest.mark.parametrize(
    ("layer", "size", "options", "words"),
    [
        (sc.MaxPool1d(2), (4,), {"x": [3, 8, 1, 2]}, "max(3, 8) = 8"),
        (sc.AvgPool1d(3), (3,), {"x": [1, 2, 4]}, "(1 + 2 + 4)/3 = 7/3"),
        (sc.LpPool1d(2, 2), (2,), {"x": [3, 4]}, "output 0 reads inputs 0 and 1: 5"),
        (sc.Dilation((0, 2)), (2,), {"x": [5, 1]}, "output 0 reads inputs 0 and 1: 5"),
        (sc.Conv1d(1, 1, 2, bias=False), (2,), {"x": [5, 1]}, ": w₀·5 + w₁·1"),
        (
            sc.Conv1d(1, 1, 2, bias=False, padding=1, padding_mode="constant", padding_value=9),
            (2,),
            {"x": [5, 1], "weight": [[[2, 3]]]},
            "tap 0 lies on padding: 2·9 + 3·5 = 33",
        ),
        (
            sc.Conv1d(1, 1, 1, stride=2),
            (4,),
            {"direction": "transposed", "steps": [1]},
            "writes to no output",
        ),
        (
            sc.ConvTranspose1d(1, 1, 1, stride=2),
            (2,),
            {"direction": "forward", "steps": [1]},
            "output 1 reads nothing",
        ),
        (
            sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular"),
            (4,),
            {},
            "tap 0 lies on padding that repeats samples (circular)",
        ),
        (
            sc.MaxPool1d(3, stride=2, ceil_mode=True),
            (4,),
            {"steps": [1]},
            "tap 2 lies on the overhang of ceil mode",
        ),
        (
            sc.Conv2d(4, 2, 1, groups=2),
            (1, 1),
            {"channels": True, "steps": [1]},
            "output (0, 0) of channel 1 reads input (0, 0) of channels 2 and 3",
        ),
    ],
)
def test_captions(layer, size, options, words):
    picture = draw(layer, input_size=size, **options)
    assert words in picture.caption(0)
    assert re.sub(r"\s+", " ", words) in " ".join(
        drawn.parsed(picture.svg(0)).find("{*}desc").text.split()
    )


def test_a_bound_operator_brings_its_weights():
    bound = sc.Conv1d(1, 1, 2, bias=False).operator((3,)).bind([[[1, 10]]])
    assert draw(bound, x=[1, 2, 4]).caption(1).endswith("1·2 + 10·4 = 42")
    assert "10" in draw(bound).svg()


def test_floats_and_long_numbers_are_cut_in_cells_only():
    layer = sc.Conv1d(1, 1, 1, bias=False)
    picture = draw(layer, input_size=(1,), x=[10**12], weight=[[[10**12]]])
    assert picture.caption(0).endswith(f"= {10**24}")
    (mark,) = [mark for mark in picture.frames[0].marks if mark.role == "current"]
    assert mark.value == "100000…"
    assert (
        draw(layer, input_size=(1,), x=[0.1], weight=[[[3.0]]]).caption(0).endswith("3·0.1 = 0.3")
    )


def test_conjugated_weights_have_a_bar():
    operator = sc.Conv1d(1, 1, 2).operator((3,))
    assert "w\u0304₁" in draw(operator.H).svg()
    assert "w\u0304₁" not in draw(operator.T).svg()


def test_directions_are_labelled():
    operator = sc.Conv2d(1, 1, 2).operator((3, 3))
    assert "forward: reads" in draw(operator).svg()
    assert "transposed: writes" in draw(operator.T).svg()
    assert "transposed: writes" in draw(operator, direction="transposed").svg()
    assert "forward: reads" in draw(operator.T, way="zero_insertion").svg()


# Themes and markup


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_a_theme_brings_its_paper(theme):
    svg = draw(sc.Conv1d(1, 1, 2), input_size=(3,)).svg(theme=theme)
    light, dark = "#ffffff" in svg, "#14181d" in svg
    assert (light, dark) == (theme != "dark", theme != "light")
    root = drawn.parsed(svg)
    assert root.find("{*}title").text.startswith("Conv")
    assert "what each output reads" in root.find("{*}desc").text


def test_kinds_do_not_differ_by_colour_alone():
    layer = sc.Conv1d(1, 1, 3, padding=((2, -1),), padding_mode="circular", input_dilation=2)
    svg = draw(layer, input_size=(4,)).svg(theme="light")
    for kind in ("padding", "inserted", "repeat", "overhang", "outside"):
        (rule,) = re.findall(rf"\.symconv-steps-light \.{kind}{{([^}}]*)}}", svg)
        assert "stroke-dasharray" in rule


NASTY = "</title><script>alert(1)</script>&amp;\"'<b>"


def test_titles_are_escaped():
    picture = draw(sc.Conv1d(1, 1, 2), input_size=(3,), title=NASTY)
    root = drawn.parsed(picture.svg())
    assert root.find("{*}title").text == NASTY
    assert "<script>alert" not in picture.svg()
    assert "<script>alert" not in picture.html()


# Limits and refusals


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (
            {"input_size": (40, 40)},
            TooLargeError,
            r"1444 frames .* limit of 512.*steps=range\(512\)",
        ),
        (
            {"input_size": (200, 200)},
            TooLargeError,
            "79204 cells .* limit of 20000.*crop the input",
        ),
        ({"input_size": (5000, 5)}, TooLargeError, "5000 positions.*limit of 4096"),
        ({"input_size": (6, 6), "steps": []}, ParameterError, "steps must name at least one"),
        ({"input_size": (6, 6), "steps": [16]}, ParameterError, "steps must be 0 … 15, got 16"),
        ({"input_size": (6, 6), "steps": [-1]}, ParameterError, "steps must be 0 … 15, got -1"),
        ({"input_size": (6, 6), "steps": count()}, TooLargeError, "steps must be at most 512"),
        ({"input_size": (6, 6), "steps": 3}, ParameterError, "steps must be integers"),
        ({"input_size": (6, 6), "steps": ["a"]}, ParameterTypeError, "steps must be an integer"),
        ({"input_size": (6, 6), "planes": [0]}, ParameterError, "planes must be left out"),
        ({"input_size": (6, 6), "way": "scatter"}, ParameterError, "way must be left out"),
        ({"input_size": (6, 6), "way": "gather"}, ParameterError, "way must be one of"),
        ({"input_size": (6, 6), "direction": "back"}, ParameterError, "direction must be one of"),
        ({"input_size": (6, 6), "channels": 1}, ParameterTypeError, "channels must be True or"),
        ({"input_size": (6, 6), "x": [1]}, ShapeError, r"x must have shape \(1, 6, 6\)"),
        ({"input_size": (6, 6), "weight": [1]}, ShapeError, "weight must have shape"),
        ({"input_size": (2, 2)}, GeometryError, "output size must be >= 1"),
        ({}, ParameterError, "input_size must be given"),
        ({"input_size": (6, 6), "colour": "red"}, ParameterError, "option must be one of"),
        ({"input_size": (6, 6), "view": "film"}, ParameterError, "view must be one of"),
    ],
)
def test_what_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        draw(sc.Conv2d(1, 1, 3), **options)


def test_more_refusals():
    with pytest.raises(ParameterError, match="channels must be True to show numbers of 2 input"):
        draw(sc.Conv1d(2, 1, 1), input_size=(3,), x=[[1, 2, 3]] * 2)
    with pytest.raises(ParameterError, match="channels must be left out"):
        draw(sc.MaxPool1d(2), input_size=(4,), channels=True)
    with pytest.raises(ParameterError, match="weight must be left out"):
        draw(sc.MaxPool1d(2), input_size=(4,), weight=[1])
    with pytest.raises(ParameterError, match="bias must be left out"):
        draw(sc.Conv1d(1, 1, 2, bias=False), input_size=(4,), bias=[1])
    with pytest.raises(ParameterError, match="x must be left out"):
        draw(sc.Unfold((2,)), input_size=(4,), x=[1, 2, 3, 4])
    circular = sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular").operator((4,))
    with pytest.raises(ParameterError, match="way must be 'scatter' here"):
        draw(circular.T, way="zero_insertion")
    with pytest.raises(ParameterError, match="way must be left out"):
        draw(sc.MaxPool1d(2), input_size=(4,), way="scatter")
    with pytest.raises(ParameterError, match="input_size must be left out"):
        draw(sc.MaxPool1d(2).operator((4,)), input_size=(4,))
    with pytest.raises(ParameterTypeError, match="thing must be an operator"):
        draw(3)
    with pytest.raises(ParameterError, match="planes must be 0 … 2, got 3"):
        draw(sc.Conv3d(1, 1, 2), input_size=(4, 4, 4), planes=[3])
    with pytest.raises(ParameterError, match=r"steps must lie in planes \(1,\), got 0"):
        draw(sc.Conv3d(1, 1, 2), input_size=(4, 4, 4), planes=[1], steps=[0])
    with pytest.raises(TooLargeError, match=r"marks are above the limit of 300000.*steps=range"):
        draw(sc.Conv2d(1, 1, 30), input_size=(50, 50))
    picture = draw(sc.Conv1d(1, 1, 2), input_size=(4,))
    with pytest.raises(ParameterError, match="frame must be 0 … 2, got 3"):
        picture.svg(3)
    with pytest.raises(ParameterError, match="theme must be one of"):
        picture.svg(theme="sepia")


def test_messages_name_the_geometry():
    with pytest.raises(TooLargeError, match=r"\(Conv\(1, 1, \(3, 3\)\) on 40×40\)"):
        draw(sc.Conv2d(1, 1, 3), input_size=(40, 40))


def test_the_limits_are_the_largest_that_pass():
    assert draw(sc.Conv1d(1, 1, 1), input_size=(512,)).n_frames == 512
    with pytest.raises(TooLargeError, match="513 frames"):
        draw(sc.Conv1d(1, 1, 1), input_size=(513,))
    assert draw(sc.Conv2d(1, 1, 1), input_size=(100, 100), steps=[0]).n_frames == 1
    with pytest.raises(TooLargeError, match="20002 cells"):
        draw(sc.Conv2d(1, 1, 1), input_size=(73, 137), steps=[0])
