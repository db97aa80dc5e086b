"""The operator in every reading, against the naive loops, for random geometries."""

from __future__ import annotations

import strategies
from checking import check_exact, check_gradient, check_numeric
from hypothesis import given


@given(strategies.conv_cases())
@strategies.examples(400)
def test_conv_exact_equals_loops(case):
    check_exact(*case)


@given(strategies.transpose_cases())
@strategies.examples(400)
def test_transpose_exact_equals_loops(case):
    check_exact(*case)


@given(strategies.conv_cases())
@strategies.examples(600)
def test_conv_numeric_equals_loops(case):
    check_numeric(*case)


@given(strategies.transpose_cases())
@strategies.examples(400)
def test_transpose_numeric_equals_loops(case):
    check_numeric(*case)


@given(strategies.conv_cases())
@strategies.examples(200)
def test_conv_weight_gradient_equals_loops(case):
    check_gradient(*case)


@given(strategies.transpose_cases())
@strategies.examples(200)
def test_transpose_weight_gradient_equals_loops(case):
    check_gradient(*case)
