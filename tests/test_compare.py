"""Verdicts, and operators compared for all values."""

from __future__ import annotations

import pytest
import sympy

import symconv as sc
from symconv.compare import same_operator
from symconv.errors import ParameterTypeError
from symconv.verdict import proved, refuted, undecided


def test_truth_of_a_verdict():
    assert proved("all sizes")
    assert not refuted("n <= 3", {"n": 2})
    with pytest.raises(ValueError, match="UNDECIDED, neither true nor false: too large"):
        bool(undecided("n <= 3", "too large"))


def test_a_verdict_in_a_notebook_is_escaped():
    html = refuted("n <= 3", {"n": "<script>"}, "entries differ")._repr_html_()
    assert "<td>REFUTED</td>" in html
    assert "&lt;script&gt;" in html
    assert "counterexample" not in proved("all sizes")._repr_html_()


def test_equal_operators_are_proved():
    conv = sc.Conv2d(2, 4, 3, stride=2, padding=1, groups=2, bias=False).operator((5, 4))
    layer = sc.ConvTranspose2d(
        4, 2, 3, stride=2, padding=1, groups=2, output_padding=(0, 1), bias=False
    )
    verdict = same_operator(layer.operator((3, 2)), conv.T)
    assert verdict.status == "PROVED"
    assert "all values at 40×24" in verdict.scope


def test_a_difference_is_refuted_at_its_first_entry():
    one = sc.Conv1d(1, 1, 2, bias=False, padding=((0, 1),)).operator((3,))
    other = sc.Conv1d(1, 1, 2, bias=False, padding=((0, 1),), padding_mode="circular")
    verdict = same_operator(one, other.operator((3,)))
    assert verdict.status == "REFUTED"
    expected = {"row": 2, "column": 0, "first": 0, "second": sympy.Symbol("w_0_0_1")}
    assert verdict.counterexample == expected


def test_entries_are_compared_as_polynomials():
    a, b = sympy.symbols("a b")
    left = sympy.Matrix([[(a + b) ** 2, 0]])
    assert same_operator(left, sympy.Matrix([[a**2 + 2 * a * b + b**2, 0]]))
    assert not same_operator(left, sympy.Matrix([[a**2 + b**2, 0]]))


def test_what_has_no_canonical_form_is_undecided():
    a = sympy.Symbol("a")
    left = sympy.Matrix([[sympy.sin(a) ** 2 + sympy.cos(a) ** 2]])
    verdict = same_operator(left, sympy.Matrix([[1]]))
    assert verdict.status == "UNDECIDED"
    # A definite difference elsewhere still refutes.
    assert not same_operator(left.row_insert(1, sympy.Matrix([[1]])), sympy.Matrix([[1], [2]]))


def test_bound_operators_and_wrong_kinds():
    op = sc.Conv1d(1, 1, 2, bias=False).operator((2,))
    assert same_operator(op.bind([[[1, 2]]]), sympy.Matrix([[1, 2]]))
    with pytest.raises(ParameterTypeError, match="second must be an Operator"):
        same_operator(op, [[1, 2]])
