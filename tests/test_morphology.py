"""Dilation and erosion against naive loops and SciPy, and the adjunction between them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import oracles
import pytest
import scipy.ndimage
import strategies
import sympy
from checking import integers
from hypothesis import given, strategies as st

import symconv as sc
from symconv.errors import DTypeError, GeometryError, ParameterError, ShapeError, SymconvError
from symconv.layers.morphology import Dilation, Erosion
from symconv.semirings import INFINITY, MAX_PLUS, MIN_PLUS, MINUS_INFINITY


@st.composite
def cases(draw):
    """The parameters of a pooling, a structuring element with holes, and an input size."""
    layer, size = draw(strategies.max_pool_cases(ranks=(1, 2)))
    entry = st.integers(-5, 5) | st.just(MINUS_INFINITY)
    flat = draw(st.lists(entry, min_size=1, max_size=9).filter(set_apart))
    structure = np.resize(np.array(flat, dtype=object), layer.kernel_size)
    if all(value is MINUS_INFINITY for value in structure.ravel()):
        structure.ravel()[0] = 0
    options = {"stride": layer.stride, "padding": layer.padding, "dilation": layer.dilation}
    return structure, options, size


def set_apart(flat):
    return any(entry is not MINUS_INFINITY for entry in flat)


def loops(x, structure, options, largest):
    """The definition, sample by sample; None where nothing is met."""
    size = x.shape
    geometry = [list(options[name]) for name in ("stride", "dilation", "padding")]
    outs = oracles.out_size(size, structure.shape, *geometry)
    y = np.full(outs, None, dtype=object)
    for o in np.ndindex(*outs):
        met = []
        for k in np.ndindex(*structure.shape):
            at = oracles.source(o, k, size, *geometry, "zeros")
            if at != oracles.OUTSIDE and structure[k] is not MINUS_INFINITY:
                met.append(x[at] + structure[k] if largest else x[at] - structure[k])
        if met:
            y[o] = max(met) if largest else min(met)
    return y


@given(cases())
@strategies.examples(150)
def test_both_equal_loops_and_are_adjoint(case):
    structure, options, size = case
    layer = Dilation(structure, **options)
    if min(oracles.out_size(size, structure.shape, *(options[name] for name in (
        "stride", "dilation", "padding"
    )))) < 1:  # fmt: skip
        return
    x = integers(size, 1)
    expected = loops(x, structure, options, True)
    if None in expected.ravel().tolist():
        with pytest.raises(GeometryError, match="padding must leave a sample under the structure"):
            layer.operator(size)
        return
    dilate, erode = layer.operator(size), Erosion(structure, **options).operator(size)
    assert np.array_equal(dilate.apply(x), expected)
    assert np.array_equal(erode.apply(x), loops(x, structure, options, False))
    assert (dilate.exact() @ x.ravel()).tolist() == expected.ravel().tolist()
    assert (erode.exact() @ x.ravel()).tolist() == erode.apply(x).ravel().tolist()
    assert dilate.exact().semiring is MAX_PLUS
    assert erode.exact() == dilate.exact().to(MIN_PLUS)
    # D·x <= y iff x <= E·y, where E is the adjoint; inputs that nothing reads are ∞ there.
    y = integers(dilate.output_shape, 2).ravel()
    below = all(a <= b for a, b in zip(expected.ravel(), y, strict=True))
    back = dilate.adjoint() @ y
    assert below == all(a <= b for a, b in zip(x.ravel(), back, strict=True))
    closing = dilate.adjoint() @ dilate.apply(x).ravel()
    assert all(a <= b for a, b in zip(x.ravel(), closing, strict=True))
    assert erode.adjoint() == erode.exact().T.to(MAX_PLUS)


@pytest.mark.parametrize("shape", [(3, 3), (3, 5), (5, 1)])
def test_image_processing_mirrors_the_dilations_element(shape):
    """scipy.ndimage: the same operations, its dilation with the mirrored element."""
    x, structure = integers((7, 9)), integers(shape, 1, -3, 3)
    padding = tuple(k // 2 for k in shape)
    low = -(10**6)
    dilated = scipy.ndimage.grey_dilation(
        x, structure=np.flip(structure), mode="constant", cval=low
    )
    eroded = scipy.ndimage.grey_erosion(x, structure=structure, mode="constant", cval=-low)
    assert np.array_equal(Dilation(structure, padding=padding).operator((7, 9)).apply(x), dilated)
    assert np.array_equal(Erosion(structure, padding=padding).operator((7, 9)).apply(x), eroded)
    cross = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]])
    holes = np.where(cross, 0, MINUS_INFINITY)
    expected = scipy.ndimage.grey_dilation(x, footprint=cross, mode="constant", cval=low)
    assert np.array_equal(Dilation(holes, padding=1).operator((7, 9)).apply(x), expected)


def test_a_flat_element_is_max_pooling():
    pool = sc.MaxPool2d((2, 3), stride=(1, 2), padding=((1, 0), (0, 1)))
    flat = Dilation(((0, 0, 0), (0, 0, 0)), stride=(1, 2), padding=((1, 0), (0, 1)))
    assert flat.operator((4, 5)).exact() == pool.operator((4, 5)).exact()
    assert not flat.is_linear


def test_numbers_of_every_kind():
    op, back = Dilation((0, 1)).operator((3,)), Erosion((0, 1)).operator((3,))
    assert op.apply([2**80, 0, 2**63]).tolist() == [2**80, 2**63 + 1]
    assert back.apply([2**80, 0, 2**63]).tolist() == [-1, 0]
    assert op.apply([2**62, -(2**63), 0]).tolist() == [2**62, 1]
    assert op.apply([Fraction(1, 2), 0, 1]).tolist() == [1, 2]
    single = op.apply(np.array([[0.5, np.nan, -np.inf]], dtype=np.float32))
    assert single.dtype == np.float32
    assert np.array_equal(single, [[np.nan, np.nan]], equal_nan=True)
    x, y, z = sympy.symbols("x y z")
    assert op.apply([x, y, z]).tolist() == [sympy.Max(x, y + 1), sympy.Max(y, z + 1)]
    assert back.apply([[x, y, z], [0, 0, z]]).tolist() == [
        [sympy.Min(x, y - 1), sympy.Min(y, z - 1)],
        [-1, sympy.Min(0, z - 1)],
    ]
    halves = Dilation((0, Fraction(1, 2))).operator((2,))
    assert halves.apply([1, 1]).tolist() == [Fraction(3, 2)]
    assert op.apply(np.zeros((0, 3), dtype=int)).shape == (0, 2)


def test_layers_are_values_that_print_as_they_are_made():
    layer = Dilation(((0, MINUS_INFINITY), (1, Fraction(1, 2))), stride=(1, 2))
    assert repr(layer) == ("Dilation(((0, MINUS_INFINITY), (1, Fraction(1, 2))), stride=(1, 2))")
    names = {"Dilation": Dilation, "MINUS_INFINITY": MINUS_INFINITY, "Fraction": Fraction}
    assert eval(repr(layer), names) == layer  # noqa: S307
    assert hash(layer) == hash(eval(repr(layer), names))  # noqa: S307
    assert layer.output_size((4, 5)) == (3, 2)
    assert Dilation([0, 1]).latex() == (
        r"y_{i_{0}} = \max_{k_{0}=0}^{1} x_{i_{0} + k_{0}} + b_{k_{0}}"
    )
    assert r"\min" in Erosion([0, 1])._repr_latex_()
    op = layer.operator((2, 2))
    assert repr(op).startswith("<MorphologyOperator 1×4 over (max, +): Dilation(")
    assert "<div>" in op._repr_html_()


@pytest.mark.parametrize(
    ("structure", "kind", "match"),
    [
        (1, ShapeError, "structure must have at least one axis"),
        ([], ShapeError, "structure must have at least one axis"),
        ([0.5], DTypeError, "structure must hold"),
        (np.ones(2), DTypeError, "structure must be exact"),
        ([MINUS_INFINITY], ParameterError, "structure must have a tap that is not −∞"),
        ([INFINITY, 0], DTypeError, "structure must hold"),
        ("ab", DTypeError, "structure must hold"),
        ([True], DTypeError, "structure must hold"),
        ([[1], [1, 2]], SymconvError, "structure must"),
    ],
)
def test_bad_structures(structure, kind, match):
    for layer in (Dilation, Erosion):
        with pytest.raises(kind, match=match):
            layer(structure)


def test_bad_input():
    op = Dilation((0, 1), padding=1).operator((3,))
    with pytest.raises(ShapeError, match=r"x must have shape .* \(Dilation\(\(0, 1\)"):
        op.apply([1, 2])
    with pytest.raises(DTypeError, match="x must be real"):
        op.apply([1j, 2, 3])
    with pytest.raises(DTypeError, match="structure is exact"):
        Dilation((Fraction(1, 3),)).operator((2,)).apply([0.5, 1.5])
    with pytest.raises(DTypeError, match="structure holds 1267650600228229401496703205376"):
        Dilation((2**100,)).operator((2,)).apply([0.5, 1.5])
    with pytest.raises(GeometryError, match=r"in window \(0,\): its value would be −∞"):
        Dilation((0, 0), padding=2).operator((3,))
    with pytest.raises(GeometryError, match="its value would be ∞"):
        Erosion((0, MINUS_INFINITY), padding=1).operator((3,))
