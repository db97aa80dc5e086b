"""Matrices, formulas and pictures as notebooks and terminals show them.

The section PROTOTYPES holds the methods that `Operator`, `BoundOperator`, `Layer` and
`symconv.matrices` are to get. `install` puts them in place while they are missing; once they are
pasted, delete that section and the fixture `methods`: the tests below it then run as they are.
"""

from __future__ import annotations

import sys
import time
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import sympy

import symconv as sc
from symconv import matrices
from symconv.errors import (
    MissingExtraError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    SymconvError,
    TooLargeError,
)
from symconv.incidence import Incidence
from symconv.relation import AxisRelation
from symconv.rendering import (
    MAX_CELLS,
    MAX_DRAWN,
    bin_entries,
    bin_pattern,
    density_png,
    density_svg,
    html_summary,
    matrix_latex,
    matrix_text,
    relation_latex,
    spy_png,
    spy_svg,
)

SVG = "{http://www.w3.org/2000/svg}"


def rects(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}rect"))  # noqa: S314 - our own text


def paths(svg: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(f"{SVG}path"))  # noqa: S314


# ---------------------------------------------------------------------------------------------
# Matrices


def test_latex_of_a_small_matrix_is_sympys():
    matrix = sympy.ImmutableSparseMatrix([[1, -2, 0], [sympy.Rational(1, 2), 0, sympy.Symbol("a")]])
    assert matrix_latex(matrix) == sympy.latex(matrix)


def test_weight_symbols_print_with_commas():
    matrix = sc.Conv2d(1, 1, 2, bias=False).operator((2, 2)).exact()
    assert matrix_latex(matrix) == (
        r"\left[\begin{matrix}w_{0,0,0,0} & w_{0,0,0,1} & w_{0,0,1,0} & w_{0,0,1,1}"
        r"\end{matrix}\right]"
    )
    names = sympy.symbols("alpha_1_2 w_10 n x_a_1")
    assert matrix_latex(sympy.Matrix([names])) == (
        r"\left[\begin{matrix}\alpha_{1,2} & w_{10} & n & " + sympy.latex(names[3]) + r"\end{"
        r"matrix}\right]"
    )


@pytest.mark.parametrize("most", [3, 4, 5, 12])
def test_an_elided_matrix_keeps_its_corners_and_its_size(most):
    matrix = sympy.Matrix(20, 30, lambda i, j: 100 * i + j)
    text = matrix_latex(matrix, most, most)
    opening = r"\begin{array}{" + "c" * most + "}" if most > 10 else r"\begin{matrix}"
    body = text.removeprefix(r"\left[" + opening).split(r"\end")[0]
    rows = [row.split(" & ") for row in body.split(r"\\")]
    assert text.endswith(r"\right]_{20 \times 30}")
    assert len(rows) == most
    assert {len(row) for row in rows} == {most}
    assert [rows[i][j] for i in (0, -1) for j in (0, -1)] == ["0", "29", "1900", "1929"]
    dots = next(row for row in rows if r"\vdots" in row)
    assert dots.count(r"\ddots") == 1
    assert set(dots) == {r"\vdots", r"\ddots"}
    terminal = matrix_text(matrix, most, most).splitlines()
    assert len(terminal) == most
    assert terminal[-1].endswith("]  20×30")
    assert len({len(line.split("]")[0]) for line in terminal}) == 1


def test_only_long_sides_are_elided():
    assert r"\vdots" not in matrix_latex(sympy.zeros(2, 40))
    assert r"\cdots" not in matrix_latex(sympy.zeros(40, 2))
    assert "⋮" not in matrix_text(sympy.zeros(2, 40))


def test_more_than_ten_columns_use_an_array():
    # amsmath's matrix environment stops at ten columns.
    assert r"\begin{array}{ccccccccccc}" in matrix_latex(sympy.eye(11))
    assert r"\begin{matrix}" in matrix_latex(sympy.eye(10))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_empty_matrices_show_their_size(shape):
    matrix = sympy.ImmutableSparseMatrix(*shape, {})
    rows, columns = shape
    assert matrix_latex(matrix).endswith(rf"\right]_{{{rows} \times {columns}}}")
    assert matrix_text(matrix).endswith(f"]  {rows}×{columns}")


def test_a_large_matrix_is_looked_up_where_it_is_shown_only():
    class Counting:
        shape = (10**9, 10**9)
        seen = 0

        def __getitem__(self, at):
            self.seen += 1
            return sympy.Integer(at[0] == at[1])

    counting = Counting()
    assert matrix_latex(counting).endswith(r"_{1000000000 \times 1000000000}")
    assert counting.seen == 11 * 11


def test_a_4096_square_matrix_renders_fast():
    matrix = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator((64, 64)).exact()
    start = time.perf_counter()
    text = matrix_latex(matrix)
    assert time.perf_counter() - start < 1
    assert text.startswith(r"\left[\begin{array}{cccccccccccc}w_{0,0,1,1} & w_{0,0,1,2} & 0 ")


def test_sizes_to_show_are_checked():
    with pytest.raises(ParameterError, match="max_rows must be >= 3"):
        matrix_latex(sympy.eye(3), 2, 5)
    with pytest.raises(ParameterTypeError, match="max_columns must be an integer"):
        matrix_text(sympy.eye(3), 3, 5.0)


def test_text_is_aligned():
    assert matrix_text(sympy.Matrix([[1, -10], [sympy.Rational(1, 3), 0]])) == (
        "[  1  -10]\n[1/3    0]"
    )


# ---------------------------------------------------------------------------------------------
# Formulas


def test_formula_of_a_convolution():
    relations = [AxisRelation(3, stride=2, pad_lo=1, pad_hi=1), AxisRelation(5, dilation=3)]
    assert relation_latex(relations, channels=(4, 8, 1), bias=True, padding_mode="zeros") == (
        r"y_{o, i_{0}, i_{1}} = b_{o} + \sum_{c=0}^{3} \sum_{k_{0}=0}^{2} \sum_{k_{1}=0}^{4} "
        r"w_{o, c, k_{0}, k_{1}} x_{c, 2 i_{0} + k_{0} - 1, i_{1} + 3 k_{1}}"
        r",\quad x = 0 \text{ outside}"
    )


def test_formula_with_symbols_and_input_dilation():
    s, d, p, b, taps = sympy.symbols("s d p b K")
    relation = AxisRelation(taps, s, d, p, p, b)
    assert relation_latex([relation]) == (
        r"y_{o, i_{0}} = \sum_{c} \sum_{\substack{k_{0}=0 \\ b \mid s i_{0} + d k_{0} - p}}^{K - 1}"
        r" w_{o, c, k_{0}} x_{c, \frac{s i_{0} + d k_{0} - p}{b}}"
    )


def test_formula_symbols_are_not_caught():
    # A stride called i_0 is not the formula's own index.
    stride = sympy.Symbol("i_0")
    assert "x_{c, i_{0} i_{0} + k_{0}}" in relation_latex([AxisRelation(3, stride=stride)])


def test_formula_of_a_sum_as_coefficient_and_of_an_upsampled_tap():
    a, b = sympy.symbols("a b")
    assert r"x_{c, \left(a + b\right) i_{0} + k_{0}}" in relation_latex([AxisRelation(2, a + b)])
    assert relation_latex([AxisRelation(1, input_dilation=2)]) == (
        r"y_{o, i_{0}} = \sum_{c} \sum_{2 \mid i_{0}} w_{o, c, 0} x_{c, \frac{i_{0}}{2}}"
    )


def test_formula_of_a_transposed_convolution():
    assert relation_latex([AxisRelation(3, stride=2, pad_lo=1)], transposed=True) == (
        r"y_{o, j_{0}} = \sum_{c} \sum_{k_{0}=0}^{2} \sum_{i_{0} :\, 2 i_{0} + k_{0} - 1 = j_{0}} "
        r"w_{c, o, k_{0}} x_{c, i_{0}}"
    )


@pytest.mark.parametrize(
    ("channels", "transposed", "weight", "read"),
    [
        ((4, 8, 1), False, "o, c, k_{0}", "c"),
        ((4, 4, 4), False, "o, 0, k_{0}", "o"),
        ((4, 8, 4), False, "o, 0, k_{0}", r"\left\lfloor{\frac{o}{2}}\right\rfloor"),
        ((4, 8, 2), False, "o, c, k_{0}", r"c + 2 \left\lfloor{\frac{o}{4}}\right\rfloor"),
        ((4, 4, 4), True, "o, 0, k_{0}", "o"),
        ((4, 8, 1), True, "c, o, k_{0}", "c"),
    ],
)
def test_formula_of_channel_groups(channels, transposed, weight, read):
    text = relation_latex([AxisRelation(2)], channels=channels, transposed=transposed)
    index = "i_{0}" if transposed else "i_{0} + k_{0}"
    assert text.endswith(f"w_{{{weight}}} x_{{{read}, {index}}}")
    assert ("c=0" in text) == (channels[0] > channels[2])


def test_formulas_without_weights():
    one = [AxisRelation(1, pad_lo=2)]
    assert relation_latex(one, weighted=False, padding_mode="reflect") == (
        r"y_{i_{0}} = x_{i_{0} - 2},\quad x \text{ extended: reflect}"
    )
    assert relation_latex([AxisRelation(2)], weighted=False, factor=r"\frac{1}{2} ") == (
        r"y_{i_{0}} = \frac{1}{2} \sum_{k_{0}=0}^{1} x_{i_{0} + k_{0}}"
    )
    assert relation_latex([AxisRelation(2)], weighted=False, patches=True) == (
        r"y_{k_{0}, i_{0}} = x_{i_{0} + k_{0}}"
    )


# ---------------------------------------------------------------------------------------------
# Bins


@pytest.mark.parametrize("shape", [(1, 1), (7, 7), (1000, 3), (3, 1000), (401, 399)])
def test_bins_conserve_the_entries(shape):
    rng = np.random.default_rng(0)
    rows, columns = (rng.integers(0, n, 5000) for n in shape)
    grid = bin_entries(rows, columns, shape)
    assert grid.shape == tuple(min(n, MAX_CELLS) for n in shape)
    assert grid.sum() == 5000
    naive = np.zeros_like(grid)
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        naive[row * grid.shape[0] // shape[0], column * grid.shape[1] // shape[1]] += 1
    assert (grid == naive).all()


def test_ten_million_pairs_bin_quickly():
    rng = np.random.default_rng(0)
    rows, columns = rng.integers(0, 10**6, (2, 10**7))
    start = time.perf_counter()
    grid = bin_entries(rows, columns, (10**6, 10**6))
    assert time.perf_counter() - start < 5  # 0.2 s here; the bound allows for a busy machine
    assert grid.sum() == 10**7


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_bins_do_not_overflow_small_index_types(dtype):
    index = np.array([0, 100, 255], dtype=dtype)
    assert bin_entries(index, index, (300, 300)).sum() == 3
    assert bin_entries(index, index, (300, 300))[255 * 200 // 300, 255 * 200 // 300] == 1


def test_indices_are_checked():
    with pytest.raises(ParameterError, match="rows must hold indices from 0 to 2"):
        bin_entries([0, 3], [0, 0], (3, 3))
    with pytest.raises(ParameterError, match="columns must hold indices"):
        spy_svg([0], [-1], (3, 3))
    with pytest.raises(ShapeError, match="equally long"):
        bin_entries([0], [0, 1], (3, 3))
    with pytest.raises(ParameterError, match="max_cells must be >= 1"):
        bin_entries([0], [0], (3, 3), max_cells=0)
    with pytest.raises(ShapeError, match="labels must have one entry per index pair"):
        spy_svg([0], [0], (3, 3), ["a", "b"])


def layer_bins(layer: Any, size: tuple[int, ...], max_cells: int) -> tuple[Any, Any]:
    operator = layer.operator(size)
    matrix = operator.sparse(np.ones(operator.weight_shape)).tocoo()
    channels = layer.groups, layer.out_channels // layer.groups, layer.in_channels // layer.groups
    pattern = Incidence(layer.geometry(size)).pattern
    expected = bin_entries(matrix.row, matrix.col, matrix.shape, max_cells)
    return bin_pattern(pattern, channels, max_cells), expected


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (sc.Conv1d(1, 1, 3), (40,)),
        (sc.Conv1d(3, 5, 3, stride=2, padding=4, padding_mode="circular"), (7,)),
        (sc.Conv2d(4, 6, 3, groups=2, padding=1), (6, 5)),
        (sc.Conv2d(2, 2, (2, 3), groups=2), (5, 7)),
        (sc.Conv3d(1, 2, 2, stride=2), (4, 4, 4)),
        (sc.Conv2d(1, 1, 3, padding=((-9, 9), (0, 0))), (6, 6)),
    ],
)
def test_a_pattern_is_binned_as_its_entries_are(layer, size, monkeypatch):
    # With cells no coarser than one leading position the two ways agree cell by cell.
    counted, expected = layer_bins(layer, size, 10**4)
    assert (counted == expected).all()
    # Elsewhere a cell ends at a leading position: the sums agree, and so do runs of any length.
    for max_cells in (1, 5, 17):
        counted, expected = layer_bins(layer, size, max_cells)
        assert counted.shape == expected.shape
        assert counted.sum() == expected.sum() == layer.operator(size).nnz
    whole, _ = layer_bins(layer, size, 17)
    monkeypatch.setattr("symconv.rendering.bins.BLOCK_ENTRIES", 5)
    assert (layer_bins(layer, size, 17)[0] == whole).all()


def test_a_hundred_million_entries_are_binned_at_once():
    layer = sc.Conv2d(64, 64, 3, padding=1)
    start = time.perf_counter()
    grid = bin_pattern(Incidence(layer.geometry((56, 56))).pattern, (1, 64, 64))
    assert time.perf_counter() - start < 5
    assert grid.sum() == layer.operator((56, 56)).nnz == 112_869_376


# ---------------------------------------------------------------------------------------------
# Pictures


def test_a_small_picture_has_one_rectangle_per_entry():
    matrix = sc.Conv2d(1, 1, 3, padding=1, bias=False).operator((4, 4)).exact()
    places = matrix.todok()
    rows, columns = zip(*places, strict=True)
    labels = [str(entry) for entry in places.values()]
    svg = spy_svg(rows, columns, matrix.shape, labels, title="A")
    drawn = {(int(rect.get("y")), int(rect.get("x"))) for rect in rects(svg)}
    assert drawn == set(places)
    assert len(rects(svg)) == len(places)
    root = ET.fromstring(svg)  # noqa: S314
    assert root.get("role") == "img"
    assert root.find(f"{SVG}title").text == "A"
    assert root.find(f"{SVG}desc").text == "16×16 matrix, 100 entries"
    # Every label has its own colour, and a legend that names it.
    colours = {group.get("fill") for group in root.iter(f"{SVG}g")} - {None}
    assert len(colours) == len(set(labels)) == 9
    words = {text.text for text in root.iter(f"{SVG}text")}
    assert set(labels) < words


def test_labels_are_in_natural_order_and_long_legends_are_left_out():
    n = 40
    index = np.arange(n)
    svg = spy_svg(index, index, (n, n), [f"tap {k % 12}" for k in range(n)])
    words = [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314
    assert [word for word in words if "tap" in word] == [f"tap {k}" for k in range(12)]
    assert "tap 39</text>" not in spy_svg(index, index, (n, n), [f"tap {k}" for k in range(n)])
    assert ", tap 39</title>" in spy_svg(index, index, (n, n), [f"tap {k}" for k in range(n)])


def test_many_entries_are_drawn_as_a_density():
    index = np.arange(1000)
    svg = spy_svg(index, index, (1000, 1000))
    assert not rects(svg)
    assert "1000×1000 matrix, 1000 entries; a cell counts up to 5×5 places" in svg
    cells = [path for path in paths(svg) if path.get("fill-opacity")]
    assert "".join(path.get("d") for path in cells).count("M") == 200
    dense = spy_svg(np.repeat(index[:100], 100), np.tile(index[:100], 100), (100, 100))
    assert MAX_DRAWN < 100 * 100
    assert not rects(dense)
    # A full row is one run, and a cell is one place: nothing to say about counting.
    assert "h100v1h-100z" in dense
    assert "100×100 matrix, 10000 entries<" in dense


def test_opacity_follows_the_density():
    grid = np.array([[0, 1], [16, 64]])
    levels = {path.get("fill-opacity"): path.get("d") for path in paths(density_svg(grid, (9, 9)))}
    assert levels["1.0"] == "M1 1h1v1h-1z"
    assert levels["0.5"] == "M0 1h1v1h-1z"
    assert levels["0.125"] == "M1 0h1v1h-1z"


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (4, 4), (1, 1), (1000, 1000), (0, 999)])
def test_pictures_without_entries(shape):
    svg = spy_svg([], [], shape)
    assert f"{shape[0]}×{shape[1]} matrix, 0 entries<" in svg
    assert not rects(svg)
    assert spy_svg([], [], shape, []).count("<circle") == 0


def test_one_entry():
    svg = spy_svg([0], [0], (1, 1), ["w"])
    assert len(rects(svg)) == 1
    assert "1×1 matrix, 1 entry<" in svg


def test_texts_are_escaped():
    hostile = "<script>alert('&\"')</script>\x00\x1b"
    svg = spy_svg([0], [0], (1, 1), [hostile], title=hostile)
    root = ET.fromstring(svg)  # noqa: S314
    assert "<script" not in svg
    assert root.find(f"{SVG}title").text.startswith("<script>alert('&\"')</script>")
    for text in (hostile, "x" * 5000, "\u202e\U0001d54f 行列"):
        ET.fromstring(density_svg(np.ones((2, 2), int), (4, 4), title=text))  # noqa: S314
    assert "<script" not in html_summary(hostile, hostile)


def test_pictures_bring_what_they_need():
    svg = spy_svg([0, 1], [1, 0], (2, 2), [0, 1], title="t")
    assert svg.count("http") == 1  # the namespace and nothing to load
    assert "<style" not in svg  # which would reach the page around an inline picture


def test_png():
    pytest.importorskip("matplotlib")
    index = np.arange(300)
    pictures = [
        spy_png([0, 1], [1, 0], (2, 2), ["$\\frac{", "<b>"], title="$\\frac{1"),
        spy_png([], [], (0, 5)),
        spy_png([], [], (0, 0), []),
        spy_png([0], [0], (1, 1)),
        spy_png(index, index, (300, 300), title="x " * 100),
        density_png(np.ones((3, 2), int), (300, 200)),
    ]
    assert {picture[:8] for picture in pictures} == {b"\x89PNG\r\n\x1a\n"}
    assert b"300\xd7300 matrix, 300 entries" in pictures[4]
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_png_shows_the_colours():
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    import io  # noqa: PLC0415

    picture = image.open(io.BytesIO(spy_png([0], [1], (2, 2), ["a"]))).convert("RGB")
    colours = {colour for _, colour in picture.getcolors(10**6)}
    assert {(0x00, 0x72, 0xB2), (0xFA, 0xFA, 0xF7)} <= colours


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    for name in ("matplotlib", "matplotlib.figure", "matplotlib.backends.backend_agg"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r'pip install "symconv\[draw\]"'):
        spy_png([0], [0], (1, 1))
    assert spy_svg([0], [0], (1, 1))  # needs nothing


# ---------------------------------------------------------------------------------------------
# Tests that need the methods

LAYERS = [
    (sc.Conv2d(1, 1, 3, padding=1), (4, 4)),
    (sc.Conv1d(4, 6, 3, groups=2, stride=2, padding="same_upper"), (9,)),
    (sc.Conv1d(1, 1, 3, padding=2, padding_mode="circular", bias=False), (2,)),
    (sc.Conv2d(2, 3, 2, input_dilation=2), (3, 4)),
    (sc.ConvTranspose2d(2, 4, 3, stride=2, groups=2), (3, 3)),
    (sc.AvgPool2d(2), (6, 6)),
    (sc.AvgPool1d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False), (6,)),
    (sc.AvgPool1d(3, divisor_override=7), (6,)),
    (sc.Pad(((1, 2),), padding_mode="reflect"), (3,)),
    (sc.Unfold((2, 2)), (3, 3)),
    (sc.Fold((3, 3), (2, 2)), (2, 2)),
]


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: repr(case[0]))
def test_every_layer_and_operator_renders(case):
    layer, size = case
    for operator in (layer.operator(size), layer.operator(size).T):
        assert operator.latex() == matrix_latex(operator.exact())
        svg = operator.spy()
        assert len(rects(svg)) == operator.nnz
        drawn = {(int(rect.get("y")), int(rect.get("x"))) for rect in rects(svg)}
        assert drawn == set(operator.exact().todok())
        html = operator._repr_html_()
        assert svg in html
        assert "<Operator" not in html
        assert operator._repr_latex_() == f"$${operator.latex()}$$"
    assert layer.latex().startswith("y_{")
    assert layer._repr_latex_() == f"$${layer.latex()}$$"
    assert repr(layer).split("(")[0] in layer._repr_html_()


def test_layer_formulas():
    assert sc.Conv2d(3, 8, 3, stride=2, padding=1).latex() == (
        r"y_{o, i_{0}, i_{1}} = b_{o} + \sum_{c=0}^{2} \sum_{k_{0}=0}^{2} \sum_{k_{1}=0}^{2} "
        r"w_{o, c, k_{0}, k_{1}} x_{c, 2 i_{0} + k_{0} - 1, 2 i_{1} + k_{1} - 1}"
        r",\quad x = 0 \text{ outside}"
    )
    assert sc.Pad((1,)).latex() == r"y_{i_{0}} = x_{i_{0} - 1},\quad x = 0 \text{ outside}"
    assert sc.Fold((3,), (2,)).latex() == (
        r"y_{j_{0}} = \sum_{k_{0}=0}^{1} \sum_{i_{0} :\, i_{0} + k_{0} = j_{0}} x_{k_{0}, i_{0}}"
    )
    assert r"\frac{1}{N_{i_{0}}} \sum" in sc.AvgPool1d(2, ceil_mode=True).latex()
    n = sympy.Symbol("n", integer=True, positive=True)
    assert r"\sum_{c=0}^{n - 1}" in sc.Conv1d(n, 2, 3).latex()


def test_taps_that_meet_share_a_label():
    operator = sc.Conv1d(1, 1, 3, padding=1, padding_mode="replicate", bias=False).operator((3,))
    assert "tap 0 + 1</title>" in operator.spy()
    assert "tap 1 + 2</title>" in operator.spy()


@pytest.mark.parametrize(
    ("layer", "size"),
    [
        (sc.Conv2d(64, 64, 3, padding=1), (56, 56)),
        (sc.ConvTranspose2d(64, 32, 4, stride=2), (112, 112)),
        (sc.Conv2d(256, 256, 3, groups=256), (56, 56)),
        (sc.AvgPool2d(3, stride=1), (1000, 1000)),
        (sc.Unfold((3, 3)), (300, 300)),
    ],
    ids=repr,
)
def test_large_operators_are_drawn_without_their_matrix(layer, size, monkeypatch):
    operator = layer.operator(size)
    start = time.perf_counter()
    html = operator._repr_html_()
    assert time.perf_counter() - start < 10  # each within 0.4 s here
    rows, columns = operator.shape
    assert f"{rows}×{columns} matrix, {operator.nnz} entries" in html
    assert "$$" not in html
    assert operator._repr_latex_() is None
    assert len(html) < 10**6


def test_very_large_patches_are_overlaid():
    operator = sc.Unfold((3, 3)).operator((600, 600))
    assert operator.nnz > matrices.LISTED_ENTRIES
    assert "(the blocks of all taps, overlaid)" in operator.spy().replace("\n", " ")
    assert "357604×360000 matrix" in operator.spy()


def test_bound_operators_show_their_numbers():
    operator = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    exact = operator.bind([[[1, Fraction(1, 2)]]])
    assert exact.latex() == (
        r"\left[\begin{matrix}1 & \frac{1}{2} & 0\\0 & 1 & \frac{1}{2}\end{matrix}\right]"
    )
    floating = operator.bind(np.array([[[1 / 3, 2]]]))
    assert floating.latex() == (
        r"\left[\begin{matrix}0.3333 & 2.0 & 0\\0 & 0.3333 & 2.0\end{matrix}\right]"
    )
    assert "0.3333" in floating._repr_html_()
    assert "<svg" in floating._repr_html_()
    assert floating._repr_latex_() == f"$${floating.latex()}$$"
    assert "i" in operator.bind(np.array([[[1j, 2]]])).latex()
    assert r"\frac{1}{2}" in sc.AvgPool1d(2).operator((4,)).bind().latex()


def test_formats_of_an_operators_picture():
    operator = sc.Conv1d(1, 1, 2).operator((3,))
    with pytest.raises(SymconvError, match="format must be one of 'svg', 'png'"):
        operator.spy("gif")
    pytest.importorskip("matplotlib")
    assert operator.spy("png")[:4] == b"\x89PNG"


def test_ipython_formats_them():
    formatters = pytest.importorskip("IPython.core.formatters")
    formatter = formatters.DisplayFormatter()
    layer = sc.Conv2d(1, 1, 3, padding=1)
    operator = layer.operator((4, 4))
    for shown in (layer, operator, operator.T, operator.bind(np.ones((1, 1, 3, 3)), [1])):
        data, _ = formatter.format(shown)
        assert {"text/plain", "text/html", "text/latex"} <= set(data)
    data, _ = formatter.format(sc.Conv2d(64, 64, 3).operator((56, 56)))
    assert "text/html" in data
    assert "text/latex" not in data


# Executing a notebook starts a kernel, whose libraries warn about their own future.
@pytest.mark.filterwarnings("default")
def test_a_notebook_shows_a_layer_an_operator_and_a_matrix(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [
        "import symconv as sc; layer = sc.Conv2d(1, 1, 3, padding=1, bias=False); layer",
        "operator = layer.operator((4, 4)); operator",
        "operator.exact()",
        "operator.bind([[[[0, 1, 0], [1, -4, 1], [0, 1, 0]]]])",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    resources = {"metadata": {"path": str(tmp_path)}}
    client.NotebookClient(notebook, kernel_name="python3", resources=resources).execute()
    shown = [cell.outputs[0].data for cell in notebook.cells]
    assert r"$$y_{o, i_{0}, i_{1}} = " in shown[0]["text/html"]
    assert "<svg" in shown[1]["text/html"]
    assert "text/latex" in shown[2]
    assert "-4" in shown[3]["text/html"]


def test_a_max_pool_takes_a_maximum_and_an_average_counts_cells():
    assert r"\max_{k_{0}=0}^{2} x_{2 i_{0} + k_{0}}" in sc.MaxPool1d(3, stride=2).latex()
    open_average = sc.AvgPool1d(3, padding=1, count_include_pad=False).latex()
    assert r"\frac{1}{N_{i_{0}}}" in open_average


def test_pictures_of_what_memory_does_not_hold_are_refused():
    far = [sc.Conv1d(1, 1, 3, stride=10**12)] * 2
    with pytest.raises(TooLargeError, match=r"must span at most 50000 samples to be drawn"):
        sc.receptive_field_svg(far)
    wide = sc.Conv1d(10**12, 1, 3, bias=False).operator((5,))
    with pytest.raises(TooLargeError, match=r"the cells of 1000000000000 channels"):
        sc.draw(wide, "matrix")
