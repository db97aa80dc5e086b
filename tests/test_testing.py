"""Assertions for other test suites, and the plugin that sweeps geometries."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys

import numpy as np
import pytest
import sympy
from planted import Reference

import symconv as sc
from symconv.pytest_plugin import geometries
from symconv.testing import (
    assert_adjoint,
    assert_implements,
    assert_same_operator,
    assert_same_shape_formula,
)

LAYER = sc.Conv1d(2, 2, 3, padding=1)


def test_implementations():
    assert assert_implements(Reference(), LAYER, (5,)).status == "PROVED"
    with pytest.raises(AssertionError, match="mistake: kernel flipped\nsmallest case: Conv"):
        assert_implements(Reference("flip"), LAYER, (5,))


def test_a_large_map_passes_unless_a_proof_is_asked_for():
    layer = sc.Conv2d(16, 16, 3, bias=False)
    fn = layer.operator((16, 16)).apply
    assert assert_implements(fn, layer, (16, 16)).error_probability <= 2.0**-20
    with pytest.raises(AssertionError, match="UNDECIDED"):
        assert_implements(fn, layer, (16, 16), proof=True)


def test_operators():
    conv = sc.Conv1d(1, 1, 3, stride=2, bias=False).operator((5,))
    other = sc.ConvTranspose1d(1, 1, 3, stride=2, bias=False).operator((2,))
    assert_same_operator(other, conv.T)
    with pytest.raises(AssertionError, match="REFUTED"):
        assert_same_operator(
            other.T, sc.Conv1d(1, 1, 3, stride=2, padding=1, bias=False).operator((3,))
        )
    x = sympy.Symbol("x")
    with pytest.raises(AssertionError, match="UNDECIDED"):
        assert_same_operator(sympy.Matrix([[sympy.sin(x)]]), sympy.Matrix([[sympy.cos(x)]]))


def test_adjoints():
    weight = [[[1, 2, 3]]]
    op = sc.Conv1d(1, 1, 3, stride=2, padding=1, bias=False).operator((5,))
    shapes = op.input_shape, op.output_shape
    assert_adjoint(lambda x: op.apply(x, weight), lambda y: op.T.apply(y, weight), *shapes)
    flipped = np.array(weight)[..., ::-1]
    with pytest.raises(AssertionError, match="entries differ; 4 of 15 do"):
        assert_adjoint(lambda x: op.apply(x, weight), lambda y: op.T.apply(y, flipped), *shapes)
    with pytest.raises(
        AssertionError, match=r"adjoint returns shape \(1, 3\); it must be \(1, 5\)"
    ):
        assert_adjoint(lambda x: op.apply(x, weight), lambda y: y, *shapes)
    with pytest.raises(AssertionError, match="forward is not linear"):
        assert_adjoint(np.abs, np.abs, (3,), (3,))
    assert_adjoint(lambda x: x, lambda y: y, (0,), (0,))
    with pytest.raises(sc.SymconvError, match="at most 16777216 pairs"):
        assert_adjoint(np.abs, np.abs, (2**13,), (2**13,))


def test_shape_formulas():
    n, s, k = sympy.symbols("n s k", integer=True, positive=True)
    assert_same_shape_formula(LAYER.output_size((n,)), (n,))
    assert_same_shape_formula(
        (n - k) // s + 1, (n + s - k) // s, {n: range(1, 9), s: [1, 2], k: [1]}
    )
    with pytest.raises(AssertionError, match="ranks differ"):
        assert_same_shape_formula((n, n), (n,))
    with pytest.raises(AssertionError, match="UNDECIDED"):
        assert_same_shape_formula(n // 2, n)
    with pytest.raises(AssertionError, match="'n': 1, 'first': 0, 'second': 1"):
        assert_same_shape_formula(n // 2, n, {"n": range(1, 4)})
    with pytest.raises(sc.SymconvError, match="got none for s"):
        assert_same_shape_formula(n // s, n, {"n": range(1, 4)})
    with pytest.raises(sc.SymconvError, match="at most 1000000 cases"):
        assert_same_shape_formula(n, n, {"n": range(10**7)})
    with pytest.raises(sc.SymconvError, match="without a box, got function"):
        assert_same_shape_formula(lambda n: n, n)
    # Two rules that this library knows to differ: floor and ceiling.
    with pytest.raises(AssertionError, match="'n': 2"):
        assert_same_shape_formula(
            lambda n: sc.MaxPool1d(3, stride=2, ceil_mode=True, padding=1).output_size((n,)),
            lambda n: sc.MaxPool1d(3, stride=2, padding=1).output_size((n,)),
            {"n": range(1, 9)},
        )


def test_geometries_are_the_same_in_every_run_and_asymmetric():
    first, second = (list(geometries("Conv", (2,), 30)) for _ in range(2))
    assert first == second
    assert len(first) == 30
    assert any(lo != hi for layer, _ in first for lo, hi in layer.padding)
    assert any(len(set(layer.stride)) > 1 for layer, _ in first)
    assert {layer.groups for layer, _ in first} == {1, 2}
    assert list(geometries("Conv", (2,), 30, seed=1)) != first


SUITE = """
import pytest
from symconv.testing import assert_implements

@pytest.mark.symconv("MaxPool", ranks=(1,), count=3)
def test_mine(symconv_layer, symconv_size):
    operator = symconv_layer.operator(symconv_size)
    assert_implements(operator.apply, symconv_layer, symconv_size)

@pytest.mark.symconv("AvgPool", ranks=(1,), count=2)
def test_yours(symconv_layer, symconv_size):
    assert_implements(lambda x: x[..., :0], symconv_layer, symconv_size)
"""


def test_the_plugin_sweeps_geometries(tmp_path):
    (tmp_path / "test_suite.py").write_text(SUITE)
    # An installed symconv brings the plugin along; a bare tree names it.
    known = {plugin.name for plugin in importlib.metadata.entry_points(group="pytest11")}
    named = [] if "symconv" in known else ["-p", "symconv.pytest_plugin"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *named, "-q", "--strict-markers",
         "-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "2 failed, 3 passed" in run.stdout, run.stdout
    assert "REFUTED (AvgPool(" in run.stdout
