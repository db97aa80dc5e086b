"""Solving for padding, and the sizes that survive a round trip, against trying them all."""

from __future__ import annotations

import itertools

import pytest
import strategies
import sympy
from hypothesis import given, strategies as st

import symconv as sc
from symconv.errors import GeometryError, ParameterError, ParameterTypeError, TooLargeError
from symconv.roundtrip import Congruence


def through(layers, n):
    for layer in layers:
        if n < layer._least_input(0):
            return None
        n = layer._output_on(0, n)
        if n < 1:
            return None
    return n


@st.composite
def stacks(draw):
    kinds = []
    for _ in range(draw(st.integers(1, 5))):
        taps, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
        pads = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
        kind = draw(st.sampled_from(["conv", "pool", "same", "up"]))
        if kind == "conv":
            kinds.append(sc.Conv1d(1, 1, taps, stride=stride, padding=(pads,)))
        elif kind == "pool":
            kinds.append(sc.MaxPool1d(taps, stride=stride, ceil_mode=draw(st.booleans())))
        elif kind == "same":
            kinds.append(sc.Conv1d(1, 1, taps, stride=stride, padding="same_upper"))
        else:
            op = draw(st.integers(0, 2))
            kinds.append(sc.ConvTranspose1d(1, 1, taps, stride=stride, output_padding=op))
    return kinds


@given(stacks())
@strategies.examples(150)
def test_restored_sizes_are_exactly_those(layers):
    answer = sc.surviving_sizes(layers)
    symbol = sympy.Symbol("n", integer=True)
    for n in range(answer.minimum + 3 * (answer.modulus or 20) + 5):
        expected = through(layers, n) == n
        assert (n in answer) == expected
        if n % 3 == 0:
            assert bool(answer.condition(symbol).subs(symbol, n)) == expected


@given(stacks())
@strategies.examples(60)
def test_sizes_of_which_nothing_is_dropped(layers):
    answer = sc.surviving_sizes(layers, "nothing_dropped")

    def divides(n):
        for layer in layers:
            n_out = through([layer], n)
            if n_out is None:
                return False
            relation = layer.relation(0, n)
            if not layer.is_transposed:
                last = relation.position(n_out - 1, relation.n_taps - 1)
                if last < relation.spread_size(n) + relation.pad_hi - 1:
                    return False
            n = n_out
        return True

    for n in range(answer.minimum + 2 * answer.modulus + 5):
        assert (n in answer) == divides(n)


def test_congruences_as_text_and_latex():
    assert Congruence(4, (0, 1), 8)._repr_latex_().startswith("$n \\geq 8 \\wedge")
    everything = Congruence(2, (0, 1), 3)
    assert everything.condition(sympy.Symbol("n")) == (sympy.Symbol("n") >= 3)
    assert 5 in everything
    assert 2.5 not in everything


def test_the_unet_questions():
    conv, down = sc.Conv2d(1, 1, 3, padding=1), sc.MaxPool2d(2)
    up = sc.ConvTranspose2d(1, 1, 2, stride=2)
    padded = [conv, conv, down] * 4 + [conv, conv] + [up, conv, conv] * 4
    assert str(sc.surviving_sizes(padded)) == "n ≡ 0 (mod 16), n ≥ 16"
    valid = sc.Conv2d(1, 1, 3)
    contracting = [valid, valid, down] * 4 + [valid, valid]
    tiles = sc.surviving_sizes(contracting, "nothing_dropped")
    # Ronneberger, Fischer, Brox (2015): an input tile of 572, and every 16th beside it.
    assert 572 in tiles
    assert tiles.modulus == 16
    assert 570 not in tiles


def test_a_stack_that_grows_restores_finitely_many():
    # 2n - 3 = n has the single solution 3.
    layers = [sc.ConvTranspose1d(1, 1, 2, stride=2, padding=((3, 0),))]
    answer = sc.surviving_sizes(layers)
    assert answer == Congruence(0, (3,), 2)
    assert str(answer) == "n in {3}"


def test_wrong_stacks():
    with pytest.raises(ParameterError, match="layers must name at least one layer"):
        sc.surviving_sizes([])
    with pytest.raises(ParameterTypeError, match="layers must hold layers, got int"):
        sc.surviving_sizes([3])
    with pytest.raises(ParameterError, match="axis must be below the rank 1, got 1"):
        sc.surviving_sizes([sc.Conv1d(1, 1, 3)], axis=1)
    with pytest.raises(ParameterError, match="condition must be one of 'restored'"):
        sc.surviving_sizes([sc.Conv1d(1, 1, 3)], "kept")
    with pytest.raises(TooLargeError, match="period 1000003 of the strides"):
        sc.surviving_sizes([sc.Conv1d(1, 1, 1, stride=1000003)])
    n = sympy.Symbol("n", integer=True, positive=True)
    with pytest.raises(ParameterTypeError, match="stride must be a concrete integer"):
        sc.surviving_sizes([sc.Conv1d(1, 1, 3, stride=n)])


def test_solved_padding_is_the_least_that_does_it():
    for taps, s, d, n_in, n_out in itertools.product(
        range(1, 4), range(1, 4), range(1, 3), range(1, 7), range(1, 7)
    ):
        layer = sc.Conv1d(1, 1, taps, stride=s, dilation=d)
        ((lo, hi),) = sc.solve_padding(layer, (n_in,), (n_out,))
        solved = sc.Conv1d(1, 1, taps, stride=s, dilation=d, padding=((lo, hi),))
        assert solved.output_size((n_in,)) == (n_out,)
        less = sc.Conv1d(1, 1, taps, stride=s, dilation=d, padding=((lo, hi - 1),))
        assert less._output_on(0, n_in) == n_out - 1
        assert hi - lo in (0, 1)


@given(strategies.transpose_cases())
@strategies.examples(60)
def test_solved_output_padding(case):
    layer, size = case
    assert sc.solve_output_padding(layer, size, layer.output_size(size)) == layer.output_padding


def test_an_output_padding_below_zero_is_a_crop():
    layer = sc.ConvTranspose1d(1, 1, 3, stride=2)
    with pytest.raises(GeometryError, match=r"output_size must be >= 9 on axis 0.*crop 1 more"):
        sc.solve_output_padding(layer, (4,), (8,))
    cropped = sc.ConvTranspose1d(1, 1, 3, stride=2, padding=((0, 1),))
    assert cropped.output_size((4,)) == (8,)


def test_a_layer_without_a_relation_of_its_own():
    with pytest.raises(
        ParameterTypeError, match=r"layer must have one relation per axis, got Fold"
    ):
        sc.surviving_sizes([sc.Fold((3,), (2,))])
