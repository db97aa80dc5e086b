"""The views besides steps: read back from the SVG and compared with naive loops."""

from __future__ import annotations

import re
from itertools import pairwise

import drawn_views as views
import numpy as np
import oracles
import pytest
import strategies
from hypothesis import assume, given

import symconv as sc
from symconv.drawing import draw
from symconv.drawing.gridding import paths_of
from symconv.drawing.layered import layers_of
from symconv.drawing.matrix import tap_colour
from symconv.drawing.stills import described, ink_on
from symconv.drawing.themes import DARK, LIGHT
from symconv.errors import GeometryError, ParameterError, ParameterTypeError, TooLargeError
from symconv.network import Activation, Add, Concat, Network

CONV = sc.Conv2d(1, 1, 3, padding=1)

ALL = {
    "matrix": draw(CONV, "matrix", input_size=(4, 4)),
    "binned": draw(CONV, "matrix", input_size=(64, 64)),
    "overlap": draw(sc.ConvTranspose2d(1, 1, 3, stride=2), "overlap", input_size=(3, 3)),
    "receptive_field": draw([sc.Conv1d(1, 1, 3, dilation=2)] * 2, "receptive_field"),
    "gridding": draw([sc.Conv2d(1, 1, 3, dilation=2)] * 2, "gridding"),
    "terms": draw(sc.separate([[1, 2], [2, 5]])),
    "network": draw(Network([sc.Conv2d(3, 8, 3), sc.MaxPool2d(2)]), input_shape=(3, 8, 8)),
}


@pytest.mark.parametrize("name", ALL)
def test_every_view_has_words_and_both_themes(name):
    drawing = ALL[name]
    assert drawing.n_frames == 1
    for theme, paper in (("light", LIGHT.paper), ("dark", DARK.paper)):
        svg = drawing.svg(theme=theme)
        root = views.parsed(svg)
        assert root.find(f"{views.SVG}title").text
        assert described(svg) == drawing.alt
        assert root.get("role") == "img"
        assert paper in svg
        assert "@media" not in svg
    assert "prefers-color-scheme:dark" in drawing.svg(theme="auto")
    assert "href" not in svg
    assert "<script" not in svg
    assert len(drawing.alt) > 10


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_text_is_legible_on_what_lies_below_it(theme):
    """At least 4.5 : 1, the contrast that WCAG 2.1 asks of text."""
    ground = dict.fromkeys((theme.ink, theme.faint), theme.paper)
    colours = [tap_colour((i, j), (6, 5)) for i in range(6) for j in range(5)]
    pairs = [*ground.items(), *((ink_on(colour), colour) for colour in colours)]
    assert min(_contrast(*pair) for pair in pairs) >= 4.5


def _contrast(first, second):
    light = []
    for colour in (first, second):
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        light.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


# The matrix


@given(strategies.conv_cases() | strategies.transpose_cases())
@strategies.examples(60)
def test_the_matrix_shows_the_entries_and_taps_of_naive_loops(case):
    layer, size = case
    assume(views.small(layer, size))
    svg = draw(layer, "matrix", input_size=size).svg()
    assert views.same_matrix(svg, layer, size)
    for taps, colour, _ in views.matrix_entries(svg).values():
        assert colour == tap_colour(taps[0], layer.kernel_size)


@given(strategies.conv_cases(ranks=(1, 2)))
@strategies.examples(15)
def test_the_words_of_an_entry_are_those_of_the_exact_matrix(case):
    layer, size = case
    assume(views.small(layer, size))
    op = layer.operator(size)
    for turned in (op, op.T):
        exact = {at: str(entry) for at, entry in turned.exact().todok().items()}
        shown = views.matrix_entries(draw(turned, "matrix").svg())
        assert shown.keys() == exact.keys()
        for at, (_, _, tip) in shown.items():
            assert sorted(re.findall(r"w_[\d_]+", tip)) == sorted(
                re.findall(r"w_[\d_]+", exact[at])
            )


@pytest.mark.parametrize(
    ("change", "where"),
    [(r'data-tap="0,0"', 'data-tap="0,1"'), (r'data-row="3"', 'data-row="2"')],
)
def test_a_wrong_matrix_is_caught(change, where):
    svg = draw(sc.Conv2d(1, 1, 2), "matrix", input_size=(3, 3)).svg()
    assert views.same_matrix(svg, sc.Conv2d(1, 1, 2), (3, 3))
    assert change in svg
    assert not views.same_matrix(svg.replace(change, where, 1), sc.Conv2d(1, 1, 2), (3, 3))
    missing = re.sub(r'<rect class="entry"[^>]*data-row="0"[^>]*>.*?</rect>', "", svg, count=1)
    assert not views.same_matrix(missing, sc.Conv2d(1, 1, 2), (3, 3))
    # A near miss: the same picture is not that of another padding.
    assert not views.same_matrix(svg, sc.Conv2d(1, 1, 2, padding=((0, 0), (1, 0))), (3, 3))


def _pool_operator(layer, size):
    """None where a window of a maximum sees nothing but padding."""
    try:
        return layer.operator(size)
    except GeometryError:
        return None


@given(strategies.pool_cases() | strategies.torch_pool_cases())
@strategies.examples(25)
def test_pools_show_what_their_windows_read(case):
    layer, size = case
    op = _pool_operator(layer, size)
    assume(op is not None and op.nnz <= 1200 and max(op.shape) <= 200)
    shown = views.matrix_entries(draw(op, "matrix").svg())
    reads = oracles.pool_reads(
        size, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode
    )
    assert shown.keys() == {tuple(map(int, at)) for at in np.argwhere(reads != 0)}
    if isinstance(layer, sc.AvgPool):
        for at, (_, _, tip) in shown.items():
            assert tip.endswith(f"= {op.exact()[at]}")


@pytest.mark.parametrize("layer", [sc.Unfold((2, 2)), sc.Unfold((2, 1), stride=2)])
def test_patches_are_entries_of_one_tap(layer):
    op = layer.operator((3, 4))
    for turned in (op, op.T):
        shown = views.matrix_entries(draw(turned, "matrix").svg())
        assert shown.keys() == turned.exact().todok().keys()


def test_rows_and_columns_are_named_by_pixel():
    words = views.texts(draw(sc.Conv2d(2, 1, 2), "matrix", input_size=(2, 3)).svg())
    assert {"(0, 0, 1)", "(1, 1, 2)", "(0, 1, 0)"} <= set(words)
    assert "input pixel (channel, row, column) →" in words
    assert "tap" in words


def test_numbers_are_written_into_the_entries():
    layer = sc.Conv1d(1, 1, 2, bias=False)
    words = views.texts(draw(layer, "matrix", input_size=(3,), weight=[[[7, -5]]]).svg())
    assert (words.count("7"), words.count("−5")) == (2, 2)
    bound = layer.operator((3,)).bind(np.array([[[0.5, 0.0]]]))
    words = views.texts(draw(bound, "matrix").svg())
    assert (words.count("0.5"), words.count("0")) == (2, 2)
    with pytest.raises(ParameterError, match="weight must be left out"):
        draw(sc.MaxPool1d(2), "matrix", input_size=(4,), weight=[1, 2])


@pytest.mark.parametrize("size", [(64, 64), (4096, 4096)])
def test_large_matrices_are_counted_in_bins(size):
    layer = sc.Conv2d(1, 1, (3, 1), padding=((1, 1), (0, 0)))
    drawing = draw(layer, "matrix", input_size=size)
    svg = drawing.svg()
    assert len(svg) < 200_000
    assert "a cell counts up to" in svg
    paths = [p for p in views.parsed(svg).iter(f"{views.SVG}path") if p.get("data-level")]
    assert {path.get("data-tap") for path in paths} >= {"1"}
    for path in paths:
        hue = int(path.get("data-tap"))
        assert path.get("fill") == tap_colour((hue,), (3,))
        for x, y in re.findall(r"M(\d+) (\d+)h", path.get("d")):
            # Tap 0 reads the row above, tap 2 the one below: beside the diagonal, on its side.
            assert abs(int(x) - int(y)) <= 4
            assert (int(x) - int(y)) * (hue - 1) >= 0


def test_patches_beyond_the_limit_are_refused():
    with pytest.raises(TooLargeError, match="at most 4194304 entries"):
        draw(sc.Unfold((3, 3)), "matrix", input_size=(1000, 1000))


# Overlap


@given(strategies.conv_cases(ranks=(1, 2)) | strategies.transpose_cases(ranks=(1, 2)))
@strategies.examples(30)
def test_overlap_shows_counts(case):
    layer, size = case
    op = layer.operator(size)
    found = sc.multiplicities(layer, size)
    for thing, options in ((layer, {"input_size": size}), (op, {})):
        for side, counts in (("input", found.per_input), ("output", found.per_output)):
            shown = views.counted(draw(thing, "overlap", side=side, **options).svg())
            assert shown == {at: int(count) for at, count in np.ndenumerate(counts)}
    turned = views.counted(draw(op.T, "overlap", side="input").svg())
    assert turned == {at: int(count) for at, count in np.ndenumerate(found.per_output)}


def test_a_wrong_overlap_is_caught():
    svg = draw(sc.ConvTranspose2d(1, 1, 3, stride=2), "overlap", input_size=(2, 2)).svg()
    counts = sc.multiplicities(sc.ConvTranspose2d(1, 1, 3, stride=2), (2, 2)).per_output
    wanted = {at: int(count) for at, count in np.ndenumerate(counts)}
    assert views.counted(svg) == wanted
    assert views.counted(svg.replace("(2, 2): 4", "(2, 2): 3")) != wanted
    other = draw(sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1), "overlap", input_size=(3, 3))
    assert views.counted(other.svg()) != wanted


# Gridding


@given(strategies.conv_cases(ranks=(1, 2)), strategies.torch_pool_cases(ranks=(1, 2)))
@strategies.examples(40)
def test_gridding_counts_paths(first, second):
    (layer, size), (pool, _) = first, second
    layers = [layer]
    if pool.rank == layer.rank and _pool_operator(pool, layer.output_size(size)) is not None:
        layers.append(pool)
    position = tuple(n // 2 for n in _sizes(layers, size)[-1])
    wanted = {at: n for at, n in views.paths_wanted(layers, size, position).items() if n}
    shown = views.paths_shown(draw(layers, "gridding", input_size=size, position=position).svg())
    assert {at: n for at, n in shown.items() if n} == wanted
    if wanted:
        spans = [(min(axis), max(axis)) for axis in zip(*wanted, strict=True)]
        assert len(shown) == np.prod([high - low + 1 for low, high in spans])


def _sizes(layers, size):
    sizes = [size]
    for layer in layers:
        sizes.append(layer.output_size(sizes[-1]))
    return sizes


def test_gridding_of_an_endless_axis_is_that_of_a_long_one():
    layers = [sc.Conv2d(1, 1, (3, 2), dilation=(2, 3), stride=(1, 2)), sc.Conv2d(1, 1, 3)]
    endless = views.paths_shown(draw(layers, "gridding").svg())
    assert {at: n for at, n in endless.items() if n} == views.paths_wanted(layers, (9, 16), (0, 0))
    # A near miss: another dilation is told apart.
    layers[0] = sc.Conv2d(1, 1, (3, 2), dilation=(2, 2), stride=(1, 2))
    assert {at: n for at, n in endless.items() if n} != views.paths_wanted(layers, (9, 16), (0, 0))


def test_gridding_of_a_transposed_layer():
    paths = paths_of([sc.ConvTranspose1d(1, 1, 3, stride=2)], (2,), (3,))
    assert (paths.starts, paths.counts) == ((0,), ((1, 1),))
    assert paths_of([sc.ConvTranspose1d(1, 1, 3, stride=2)], (2,)).counts == ((1, 1),)


def test_gridding_refuses():
    conv = sc.Conv1d(1, 1, 3, dilation=100)
    with pytest.raises(TooLargeError, match="at most 96 positions"):
        draw([conv], "gridding")
    with pytest.raises(TooLargeError, match="at most 1048576"):
        draw([sc.Conv1d(1, 1, 3, dilation=2**30)], "gridding")
    with pytest.raises(ParameterError, match="1 or 2 axes"):
        draw([sc.Conv3d(1, 1, 2)], "gridding")
    with pytest.raises(ParameterError, match="position must have 1 entries"):
        draw([conv], "gridding", position=(1, 2))
    with pytest.raises(ParameterError, match="position must be from 0 to 0"):
        draw([sc.Conv1d(1, 1, 3)], "gridding", input_size=(3,), position=(1,))


# Receptive fields and terms: drawn by `symconv.rendering`, whose tests read them


def test_the_pyramid_is_the_rendered_one():
    layers = [sc.Conv1d(1, 1, 3, padding=1)] * 2
    drawing = draw(layers, input_size=(8,), position=0)
    assert (
        drawing.alt
        == "input: 3 read, 2 lost to padding; Conv: 2 read, 1 lost to padding; Conv: 1 read"
    )
    with pytest.raises(ParameterError, match="axis must be below the rank 1"):
        draw(layers, axis=1)


def test_terms_need_a_separation():
    assert "term 2" in draw(sc.separate([[1, 2], [2, 5]])).alt
    with pytest.raises(ParameterTypeError, match="must be a Separation"):
        draw(CONV, "terms")
    with pytest.raises(ParameterError, match="needs a matrix"):
        draw(sc.separate(np.arange(8).reshape(2, 2, 2)))


# Networks

RESIDUAL = Network(
    {
        "conv": sc.Conv2d(3, 8, 3, padding=1),
        "left": (sc.Conv2d(8, 8, 3, padding=1), "conv"),
        "sum": (Add(), "left", "conv"),
        "relu": Activation("ReLU"),
        "a": (sc.MaxPool2d(2), "relu"),
        "b": (sc.AvgPool2d(2), "relu"),
        "cat": (Concat(), "a", "b", "a"),
    }
)


@pytest.mark.parametrize("columns", [None, 1, 3])
def test_the_diagram_shows_the_table(columns):
    svg = draw(RESIDUAL, input_shape=(3, 8, 8), columns=columns).svg()
    rows = RESIDUAL.table((3, 8, 8)).rows
    wanted = {row["name"]: (row["kind"], "×".join(map(str, row["output_shape"]))) for row in rows}
    assert views.boxes(svg) == {"input": ("input", "3×8×8"), **wanted}
    edges = {(source, step.name) for step in RESIDUAL.steps for source in step.inputs}
    assert sorted(views.arrows(svg)) == sorted(edges)
    assert set(views.arrows(svg.replace('data-to="sum"', 'data-to="relu"', 1))) != edges
    for shape in ("3×8×8", "8×8×8", "24×4×4"):
        assert shape in views.texts(svg)


def test_a_diagram_without_sizes_has_no_shapes():
    svg = draw(RESIDUAL).svg()
    assert {shape for _, shape in views.boxes(svg).values()} == {""}


def test_ranks_follow_their_inputs_and_edges_pass_every_rank():
    inputs = {"input": (), **{step.name: step.inputs for step in RESIDUAL.steps}}
    found = layers_of(inputs)
    rank = {s.source: n for n, spots in enumerate(found.ranks) for s in spots if s.is_node}
    assert all(rank[a] < rank[b] for b, sources in inputs.items() for a in sources)
    for edge in found.edges:
        places = range(rank[edge[0].source], rank[edge[-1].source] + 1)
        assert len(edge) == len(places)
        assert all(spot in found.ranks[at] for spot, at in zip(edge, places, strict=True))


def test_boxes_do_not_overlap():
    root = views.parsed(draw(RESIDUAL, columns=2).svg())
    rects = [r for r in root.iter(f"{views.SVG}rect") if r.get("data-name")]
    spots = sorted((float(r.get("y")), float(r.get("x")), float(r.get("width"))) for r in rects)
    for (y, x, wide), (other_y, other_x, _) in pairwise(spots):
        assert other_y - y > 40 or other_x - x > wide


def test_names_of_files_are_only_names():
    hostile = '<script>alert("1")</script>&]]>\n\x1b[2J' + "n" * 300
    svg = draw(Network({hostile: CONV}), input_shape=(1, 4, 4)).svg()
    assert "<script" not in svg
    assert "\x1b" not in svg
    assert len(views.boxes(svg)) == 2
    assert max(map(len, filter(None, views.texts(svg)))) < 80


def test_networks_beyond_the_limits_are_refused():
    with pytest.raises(ParameterTypeError, match="must be a Network"):
        draw(CONV, "network")
    with pytest.raises(TooLargeError, match="at most 1000 layers"):
        draw(Network([Activation("ReLU")] * 1001))
    wide = {f"r{n}": (Activation("ReLU"), "input") for n in range(25)}
    with pytest.raises(TooLargeError, match="24 places side by side"):
        draw(Network({**wide, "sum": (Concat(), *wide)}))
