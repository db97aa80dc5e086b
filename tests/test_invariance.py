"""The group that leaves an operator unchanged, and shifts of objects: against every candidate."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import permutations, product

import numpy as np
import pytest
import sympy
from hypothesis import given, strategies as st
from strategies import examples, max_pool_cases, pool_cases

import symconv as sc
from symconv.errors import (
    DTypeError,
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.invariance import unchanged_by
from symconv.layers.morphology import Dilation, Erosion
from symconv.semirings import COUNTING, MAX_PLUS, MIN_PLUS
from symconv.shifts import always_kept_shifts, kept_shifts


def columns(op, weight=None):
    """The columns of an operator's matrix, entry by entry."""
    if isinstance(op, sc.PoolOperator):
        return [tuple(column) for column in zip(*op.support().dense(), strict=True)]
    matrix = op.exact(weight) if op.weight_shape else op.exact()
    return [tuple(matrix[:, at]) for at in range(matrix.cols)]


@examples(60)
@given(max_pool_cases(ranks=(1, 2)) | pool_cases(ranks=(1, 2)))
def test_classes_are_the_equal_columns(case):
    layer, size = case
    try:
        op = layer.operator(size)
    except GeometryError:
        return
    group = unchanged_by(op)
    found = columns(op)
    flat = group.labels.ravel().tolist()
    assert group.labels.shape == op.input_shape
    for i, j in product(range(len(found)), repeat=2):
        assert (flat[i] == flat[j]) == (found[i] == found[j])
    # Numbered from the first on.
    assert list(dict.fromkeys(flat)) == sorted(set(flat))
    counts = [flat.count(label) for label in range(len(set(flat)))]
    assert group.sizes == tuple(counts)
    assert group.order == math.prod(map(math.factorial, counts))
    positions = [np.unravel_index(at, size) for at in range(math.prod(size))]
    listed = {tuple(map(int, p)): label for p, label in zip(positions, flat, strict=True)}
    assert {place: at for at, places in enumerate(group.classes) for place in places} == listed


@examples(40)
@given(max_pool_cases(ranks=(1, 2)) | pool_cases(ranks=(1, 2)), st.randoms(use_true_random=False))
def test_verdicts_are_confirmed_by_running(case, random):
    layer, size = case
    try:
        op = layer.operator(size)
    except GeometryError:
        return
    group, n = unchanged_by(op), math.prod(size)
    x = np.arange(n) ** 2 % 7
    within = list(range(n))
    for places in group.classes:
        members = [int(np.ravel_multi_index(place, size)) for place in places]
        for at, to in zip(members, random.sample(members, len(members)), strict=True):
            within[at] = to
    assert group.contains(within)
    assert group.decide(within).status == "PROVED"
    moved = x[within].reshape(size)
    assert np.array_equal(op.apply(moved), op.apply(x.reshape(size)))
    anywhere = random.sample(range(n), n)
    verdict = group.decide(anywhere)
    if not verdict:
        told = np.array(verdict.counterexample["x"])
        one, other = op.apply(told), op.apply(told.ravel()[anywhere].reshape(size))
        place = verdict.counterexample["output"]
        assert (one[place], other[place]) == tuple(
            verdict.counterexample[name] for name in ("before", "after")
        )
        assert one[place] != other[place]


def test_all_permutations_of_overlapping_windows():
    op = sc.MaxPool1d(3, stride=2).operator((5,))
    group = unchanged_by(op)
    inputs = [np.array(x) for x in product((0, 1), repeat=5)]
    kept = [
        pi
        for pi in permutations(range(5))
        if all(np.array_equal(op.apply(x[list(pi)]), op.apply(x)) for x in inputs)
    ]
    assert len(kept) == group.order == 4
    assert all(group.contains(pi) == (pi in kept) for pi in permutations(range(5)))
    generated = {tuple(p.array_form) for p in group.group().elements}
    assert generated == set(kept)


def test_groups():
    group = unchanged_by(sc.MaxPool2d(2).operator((4, 6)))
    assert (group.order, group.group().order()) == (24**6, 24**6)
    assert group.latex() == "S_{4}^{6}"
    assert group._repr_latex_() == "$$S_{4}^{6}$$"
    assert "4!^6 permutations within 6 classes of 24 samples" in str(group)
    assert str(group) in repr(group)
    assert "S_{4}^{6}" in group._repr_html_()
    alone = unchanged_by(sc.MaxPool1d(2, stride=1).operator((3,)))
    assert (alone.order, alone.latex(), alone.generators) == (1, r"\{1\}", ())
    assert alone.group().order() == 1
    assert str(alone).startswith("1 permutations")
    unread = unchanged_by(sc.MaxPool1d(1, stride=3).operator((5,)))
    assert unread.classes == (((0,),), ((1,), (2,), (4,)), ((3,),))
    whole = unchanged_by(sc.MaxPool2d(224).operator((224, 224)))
    assert whole.sizes == (224 * 224,)
    with pytest.raises(TooLargeError, match="at most 1000 points"):
        whole.group()


def test_linear_operators_and_weights():
    conv = sc.Conv1d(1, 1, 3, bias=True).operator((3,))
    group = unchanged_by(conv, [[[1, 5, 1]]])
    assert group.classes == (((0, 0), (0, 2)), ((0, 1),))
    assert group.decide([1, 0, 2]).counterexample["output"] == (0, 0)
    assert unchanged_by(conv, [[[Fraction(1, 2), 1, Fraction(1, 2)]]]).order == 2
    assert unchanged_by(conv, [[[0, 1, 0]]]).order == 2
    bound = sc.Conv1d(1, 1, 3, bias=False).operator((3,)).bind([[[2, 2, 2]]])
    assert unchanged_by(bound).order == 6
    assert unchanged_by(sc.AvgPool1d(2).operator((4,)).T).order == 1


def test_morphology_and_matrices():
    op = Dilation((0, 3, 0)).operator((3,))
    group = unchanged_by(op)
    assert group.order == len([p for p in permutations(range(3)) if group.contains(p)]) == 2
    case = group.decide([1, 0, 2]).counterexample
    x = np.array(case["x"])
    assert not np.array_equal(op.apply(x), op.apply(x[[1, 0, 2]]))
    erosion = unchanged_by(Erosion((0, 3, 0)).operator((3,)))
    assert not erosion.decide([1, 0, 2])
    half = sc.SemiringMatrix({(0, 0): Fraction(1, 2), (0, 1): Fraction(1, 2)}, (1, 3), MIN_PLUS)
    assert unchanged_by(half).classes == (((0,), (1,)), ((2,),))
    assert not unchanged_by(half).decide([2, 1, 0])
    counts = sc.SemiringMatrix({(0, 0): 2, (0, 1): 1}, (1, 2), COUNTING)
    assert unchanged_by(counts).order == 1
    nothing = sc.SemiringMatrix({}, (0, 0), MAX_PLUS)
    assert (unchanged_by(nothing).order, unchanged_by(nothing).classes) == (1, ())


def test_norms_and_adaptive_windows():
    norm = unchanged_by(sc.layers.LpPool(2, (2,)).operator((4,)))
    assert (norm.order, norm.decide([2, 1, 0, 3]).counterexample["x"]) == (4, [0, 0, 1, 0])
    adaptive = unchanged_by(sc.layers.AdaptiveAvgPool((3,)).operator((7,)))
    assert adaptive.labels.tolist() == [0, 0, 1, 2, 3, 4, 4]
    largest = unchanged_by(sc.layers.GlobalMaxPool().operator((2, 3)))
    assert largest.order == math.factorial(6)


@pytest.mark.parametrize(
    ("permutation", "error", "match"),
    [
        ([0, 1], ShapeError, "permutation must list 4 positions"),
        ([0, 1, 2, 2], ParameterError, "each of 0 … 3 once"),
        ([0, 1, 2, 4], ParameterError, "each of 0 … 3 once"),
        ([0, 1, 2, -1], ParameterError, "each of 0 … 3 once"),
        ([0.0, 1.0, 2.0, 3.0], ShapeError, "permutation must list 4 positions"),
        ("0123", ParameterTypeError, "permutation must be a tuple"),
        (3, ParameterTypeError, "permutation must be a tuple"),
    ],
)
def test_no_permutation(permutation, error, match):
    group = unchanged_by(sc.MaxPool1d(2).operator((4,)))
    for ask in (group.contains, group.decide):
        with pytest.raises(error, match=match):
            ask(permutation)


def test_bad_operators():
    with pytest.raises(ParameterTypeError, match="operator must be one of a layer"):
        unchanged_by(sc.MaxPool1d(2))
    with pytest.raises(ParameterTypeError, match="operator must be one of a layer"):
        unchanged_by(np.eye(2))
    with pytest.raises(ParameterError, match="weight must be left out"):
        unchanged_by(sc.MaxPool1d(2).operator((4,)), [1])
    with pytest.raises(ParameterError, match="weight must be left out"):
        unchanged_by(sc.AvgPool1d(2).operator((4,)), [1])
    conv = sc.Conv1d(1, 1, 2, bias=False).operator((3,))
    with pytest.raises(ParameterError, match="weight must be given"):
        unchanged_by(conv)
    with pytest.raises(ParameterError, match="weight must be left out"):
        unchanged_by(conv.bind([[[1, 2]]]), [[[1, 2]]])
    with pytest.raises(DTypeError, match="weight must hold integers or Fractions"):
        unchanged_by(conv, [[[1.5, 2.0]]])
    named = sc.SemiringMatrix({(0, 0): sympy.Symbol("a")}, (1, 1), MAX_PLUS)
    with pytest.raises(DTypeError, match="operator must have integers or Fractions"):
        unchanged_by(named)


def shifted(op, thing, at, by, ground):
    x = np.full(op.input_shape, ground, dtype=object)
    box = tuple(slice(a + t, a + t + m) for a, t, m in zip(at, by, thing.shape, strict=True))
    x[box] = thing
    return op.apply(x)


@examples(60)
@given(max_pool_cases(ranks=(1, 2)) | pool_cases(ranks=(1, 2)), st.data())
def test_kept_shifts(case, data):
    layer, size = case
    try:
        op = layer.operator(size)
    except GeometryError:
        return
    extent = tuple(data.draw(st.integers(1, min(n, 3))) for n in size)
    at = tuple(data.draw(st.integers(0, n - m)) for n, m in zip(size, extent, strict=True))
    flat = data.draw(
        st.lists(st.integers(-2, 2), min_size=math.prod(extent), max_size=math.prod(extent))
    )
    thing, ground = np.array(flat, dtype=object).reshape(extent), data.draw(st.integers(-1, 1))
    listed = kept_shifts(op, thing, at, background=ground)
    every = list(
        product(*(range(-a, n - m - a + 1) for a, n, m in zip(at, size, extent, strict=True)))
    )
    before = shifted(op, thing, at, (0,) * len(size), ground)
    expected = [by for by in every if np.array_equal(shifted(op, thing, at, by, ground), before)]
    assert list(listed) == expected
    always = always_kept_shifts(op, extent, at)
    assert set(always) <= set(listed)
    # One bright sample after the other, and a bright background: what all of them keep.
    kept = set(every)
    for place in np.ndindex(*extent):
        bright = np.zeros(extent, dtype=object)
        bright[place] = 1
        kept &= set(kept_shifts(op, bright, at))
    kept &= set(kept_shifts(op, np.zeros(extent, dtype=object), at, background=1))
    assert set(always) == kept


def test_fractions_and_two_axes():
    op = sc.MaxPool2d(2).operator((4, 4))
    assert kept_shifts(op, [[Fraction(1, 2)]], (0, 1)) == ((0, -1), (0, 0), (1, -1), (1, 0))
    assert kept_shifts(op, [[0]], (0, 1), background=0) == tuple(product(range(4), range(-1, 3)))
    mean = sc.AvgPool1d(4).operator((4,))
    assert kept_shifts(mean, [1, 2], (1,), background=Fraction(1, 3)) == ((-1,), (0,), (1,))
    assert always_kept_shifts(mean, (2,), (1,)) == ((-1,), (0,), (1,))
    assert kept_shifts(Dilation((0, 5)).operator((4,)), [1], (1,)) == ((0,),)


def test_bad_shifts():
    op = sc.MaxPool1d(2).operator((4,))
    with pytest.raises(DTypeError, match="foreground must hold integers or Fractions"):
        kept_shifts(op, [0.5], (0,))
    with pytest.raises(DTypeError, match="background must hold integers or Fractions"):
        kept_shifts(op, [1], (0,), background=0.5)
    with pytest.raises(ShapeError, match="background must be one number"):
        kept_shifts(op, [1], (0,), background=[1])
    with pytest.raises(DTypeError, match="got symbolic entries"):
        kept_shifts(op, [sympy.Symbol("a")], (0,))
    with pytest.raises(ShapeError, match="foreground must have 1 axes"):
        kept_shifts(op, [[1]], (0, 0))
    with pytest.raises(ParameterError, match="position must keep the object inside, from 0 to 3"):
        kept_shifts(op, [1], (4,))
    with pytest.raises(ParameterError, match="position must keep the object inside"):
        kept_shifts(op, np.zeros(0, dtype=int), (0,))
    with pytest.raises(ParameterError, match="position must have one entry per axis"):
        kept_shifts(op, [1], (0, 0))
    with pytest.raises(ParameterTypeError, match="operator must be a layer's, without weights"):
        kept_shifts(sc.Conv1d(1, 1, 2).operator((4,)), [[1]], (0, 0))
    with pytest.raises(ParameterTypeError, match="operator must be a layer's, without weights"):
        always_kept_shifts("pool", (1,), (0,))
    with pytest.raises(ParameterTypeError, match="operator must be a pooling's"):
        always_kept_shifts(Dilation((1, 2)).operator((4,)), (1,), (0,))
    with pytest.raises(ParameterError, match="size must be >= 1"):
        always_kept_shifts(op, (0,), (0,))
    with pytest.raises(TooLargeError, match="above the limit of 100000 runs"):
        always_kept_shifts(sc.MaxPool2d(2).operator((64, 64)), (32, 32), (0, 0))
    with pytest.raises(TooLargeError, match="places are above the limit"):
        kept_shifts(sc.MaxPool2d(2).operator((1000, 1000)), [[1]], (0, 0))
