"""Canonical floors and inverse questions, against evaluation on boxes."""

from __future__ import annotations

import itertools

import pytest
import sympy

import symconv as sc
from symconv.errors import ParameterTypeError
from symconv.relation import AxisRelation
from symconv.shapes import (
    canonical,
    enlarging_padding,
    floor_quotient,
    input_interval,
    padding_interval,
)

n, m, s = sympy.symbols("n m s", integer=True, positive=True)


def test_canonical_floors_keep_their_values():
    """Every a·n + c over m with |a|, |c| < 8 and m < 7, at n = -5 … 11: 10,000 values and more."""
    for a, c, divisor in itertools.product(range(-7, 8), range(-7, 8), range(1, 7)):
        form = floor_quotient(a * n + c, divisor)
        for value in range(-5, 12, 4):
            assert form.subs(n, value) == (a * value + c) // divisor


def test_equal_functions_have_equal_forms():
    """Among all ⌊(a·n + c)/m⌋ + k of a box, equal values on one period mean the same form."""
    seen = {}
    for a, c, divisor, k in itertools.product(
        range(3), range(-5, 6), (1, 2, 3, 4, 6), range(-1, 2)
    ):
        form = floor_quotient(a * n + c, divisor) + k
        values = tuple((a * value + c) // divisor + k for value in range(13))
        assert seen.setdefault(values, form) == form
    assert len(seen) > 100


def test_subtracted_floors_become_added_ones():
    assert canonical(n - sympy.floor((n + 1) / 2)) == sympy.floor(n / 2)
    for a, c, divisor, k in itertools.product((1, 2), range(-3, 4), (1, 2, 3, 4), (1, 2)):
        form = canonical(3 * n - k * sympy.floor((a * n + c) / divisor))
        for value in range(-4, 9):
            assert form.subs(n, value) == 3 * value - k * ((a * value + c) // divisor)


def test_a_floor_of_a_floor_is_one_floor():
    for first, second, a, b in itertools.product((2, 3, 4), (2, 3, 5), range(-2, 4), range(-2, 4)):
        form = floor_quotient(floor_quotient(n + a, first) + b, second)
        assert form == floor_quotient(n + a + b * first, first * second)
        for value in range(30):
            assert form.subs(n, value) == ((value + a) // first + b) // second


def test_canonical_rewrites_inside_an_expression():
    assert canonical(2 * sympy.floor((n - 1) / 2) + 2) == 2 * sympy.floor((n + 1) / 2)
    assert canonical(7) == 7
    assert canonical(n + 1) == n + 1
    assert canonical(sympy.floor((n * s + m) / s)) == n + sympy.floor(m / s)
    # What is no integer polynomial is left as it is.
    assert canonical(sympy.floor(sympy.sqrt(n))) == sympy.floor(sympy.sqrt(n))


def test_a_mutant_of_the_form_is_rejected():
    assert floor_quotient(n + 1, 2) != floor_quotient(n, 2)
    assert floor_quotient(2 * n + 2, 4) != floor_quotient(n, 2)


def test_five_strides_of_two_are_one_stride_of_32():
    size = n
    for _ in range(5):
        (size,) = sc.Conv1d(1, 1, 3, stride=2, padding=1).output_size((size,))
    assert size == floor_quotient(n + 31, 32)


@pytest.mark.parametrize("b", [1, 2, 3])
def test_input_interval_holds_exactly_the_sizes(b):
    box = itertools.product(range(1, 4), range(1, 4), range(1, 3), range(-1, 3), range(-1, 3))
    for taps, stride, dilation, lo, hi in box:
        relation = AxisRelation(taps, stride, dilation, lo, hi, b)
        for n_out in range(1, 5):
            least, most = input_interval(relation, n_out)
            found = [size for size in range(-20, 40) if relation.output_size(size) == n_out]
            assert found == list(range(least, most + 1))


def test_padding_interval_holds_exactly_the_totals():
    for taps, stride, dilation, n_in, n_out in itertools.product(
        range(1, 4), range(1, 4), range(1, 3), range(1, 6), range(1, 6)
    ):
        relation = AxisRelation(taps, stride, dilation, 7, 7)
        least, most = padding_interval(relation, n_in, n_out)
        found = [
            total
            for total in range(-30, 40)
            if AxisRelation(taps, stride, dilation, 0, total).output_size(n_in) == n_out
        ]
        assert found == list(range(least, most + 1))


def test_a_convolution_enlarges_its_input_exactly_from_this_padding_on():
    """N18: and the notes' own example does, 2 with padding 2 and kernel 3 becoming 4."""
    for taps, stride, dilation, n_in, total in itertools.product(
        range(1, 4), range(1, 4), range(1, 3), range(1, 7), range(20)
    ):
        relation = AxisRelation(taps, stride, dilation, 0, total)
        enlarges = relation.output_size(n_in) > n_in
        assert enlarges == (total >= enlarging_padding(relation, n_in))
    assert AxisRelation(3, pad_lo=2, pad_hi=2).output_size(2) == 4


def test_texts_are_refused_and_never_evaluated():
    with pytest.raises(ParameterTypeError, match="must be integers or SymPy expressions"):
        floor_quotient("__import__('os').getcwd()", 2)
