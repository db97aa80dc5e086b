"""Normal forms of piecewise-linear functions: unique, exact, and able to tell functions apart."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
import strategies
import sympy
from hypothesis import given, strategies as st

import symconv as sc
from symconv import maxlinear, piecewise
from symconv.errors import (
    DTypeError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.linear_programs import hull_height
from symconv.matrices import symbols
from symconv.maxlinear import Form, MaxLinear, parts
from symconv.piecewise import same_function, separating_point

X = sympy.symbols("x_0:4")
RATIONALS = st.fractions(-3, 3, max_denominator=3)


# The linear program


@given(st.data(), st.integers(0, 4), st.integers(1, 7))
@strategies.examples(250)
def test_weights_and_plane_prove_each_height(data, axes, n):
    """The points' weights and the supporting plane meet: no smaller and no larger height exists."""
    vector = st.tuples(*[RATIONALS] * axes)
    points = [data.draw(vector) for _ in range(n)]
    heights = [data.draw(RATIONALS) for _ in range(n)]
    inside = data.draw(st.booleans())
    place = points[0]
    if not inside:
        place = data.draw(vector)
    height = hull_height(points, heights, place)
    plane = [dot(height.slope, point) + height.offset for point in points]
    at_place = dot(height.slope, place) + height.offset
    if height.value is None:
        assert not inside
        assert min(plane) >= 0 > at_place
        return
    assert all(level >= h for level, h in zip(plane, heights, strict=True))
    assert at_place == height.value
    weights = height.weights
    assert all(weight > 0 for weight in weights.values())
    assert sum(weights.values()) == 1
    assert height.value == sum(w * heights[i] for i, w in weights.items())
    for axis in range(axes):
        assert sum(w * points[i][axis] for i, w in weights.items()) == place[axis]


def dot(a, b):
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


# Normal forms


@st.composite
def form_lists(draw, n_symbols=3, most=7, small=False):
    entry = st.integers(0, 2).map(Fraction) if small else RATIONALS
    rows = draw(st.lists(st.tuples(*[entry] * (n_symbols + 1)), min_size=1, max_size=most))
    return [Form.of(dict(zip(X[:n_symbols], row[:-1], strict=True)), row[-1]) for row in rows]


def points(count=60, n=3, spread=5):
    rng = random.Random(count)
    for at in range(count):
        width = spread if at % 2 else 50 * spread
        yield {x: Fraction(rng.randint(-width, width), rng.randint(1, 3)) for x in X[:n]}


@given(form_lists() | form_lists(small=True, most=12))
@strategies.examples(80)
def test_the_normal_form_is_the_same_function_and_has_no_redundant_form(forms):
    function = MaxLinear.largest(forms)
    assert set(function.forms) <= set(forms)
    for point in points():
        assert function(point) == max(form(point) for form in forms)
    for form in function.forms:
        others = [other for other in function.forms if other != form]
        if others:
            # Without it the function is another one, and a point shows it.
            smaller = MaxLinear.largest(others)
            assert smaller != function
            point = separating_point(function, smaller)
            assert function(point) > smaller(point)


@given(form_lists(), st.randoms(use_true_random=False))
@strategies.examples(60)
def test_the_normal_form_forgets_how_it_was_made(forms, rng):
    function = MaxLinear.largest(forms)
    mixed = [*forms, *forms[:2]]
    for _ in range(3):
        # A mean of two forms, or anything below one, adds nothing.
        a, b = rng.choice(forms), rng.choice(forms)
        mixed.append((a + b).scaled(Fraction(1, 2)) + Form((), Fraction(-rng.randint(0, 2))))
    rng.shuffle(mixed)
    again = MaxLinear.largest(mixed)
    assert again == function
    assert hash(again) == hash(function)
    assert MaxLinear.of(function.expression()) == function


@given(form_lists(), form_lists(), st.fractions(0, 4, max_denominator=5))
@strategies.examples(60)
def test_sums_maxima_and_multiples_are_pointwise(one, two, factor):
    f, g = MaxLinear.largest(one), MaxLinear.largest(two)
    total, top, scaled = f + g, f.maximum(g), f.scaled(factor)
    assert total == g + f
    assert top == g.maximum(f)
    for point in points(20):
        assert total(point) == f(point) + g(point)
        assert top(point) == max(f(point), g(point))
        assert scaled(point) == factor * f(point)


@given(form_lists(n_symbols=2, most=4), form_lists(most=4), form_lists(most=4))
@strategies.examples(60)
def test_composition_is_pointwise(outer, one, two):
    function = MaxLinear.largest(outer)
    inner = {X[0]: MaxLinear.largest(one), X[1]: MaxLinear.largest(two)}
    lowered = {x for form in function.forms for x, value in form.coefficients if value < 0}
    if any(len(inner[x].forms) > 1 for x in lowered):
        with pytest.raises(ParameterError, match="inner must be affine where the coefficient is"):
            function.composed(inner)
        return
    composed = function.composed(inner)
    for point in points(15):
        assert composed(point) == function({x: g(point) for x, g in inner.items()})


def test_redundant_forms_are_found_by_each_way():
    x, y = X[:2]
    assert MaxLinear.of(sympy.Max(x, y, (x + y) / 2)).forms == MaxLinear.of(sympy.Max(x, y)).forms
    # Between two others, and above their mean: not redundant.
    assert len(MaxLinear.of(sympy.Max(2 * x, 2 * y, x + y + 1)).forms) == 3
    assert len(MaxLinear.of(sympy.Max(2 * x, 2 * y, x + y)).forms) == 2
    # Under the hull of three, a mean of no two.
    assert len(MaxLinear.of(sympy.Max(3 * x, 3 * y, 0, x + y)).forms) == 3
    assert len(MaxLinear.of(sympy.Max(3 * x, 3 * y, 0, x + y + 1)).forms) == 4
    assert len(MaxLinear.of(sympy.Max(x, x + 1, x - 1)).forms) == 1


def test_every_way_alone_gives_the_same_form(monkeypatch):
    """The quick tests only save linear programs: without them the answer is the same."""
    pool, mean = sc.MaxPool1d(2, stride=1), sc.AvgPool1d(2, stride=1)
    x = symbols("x", (5,))
    entry = mean.operator((3,)).apply(mean.operator((4,)).apply(pool.operator((5,)).apply(x)))[1]
    expected = MaxLinear.of(entry)
    monkeypatch.setattr(maxlinear, "_largest_somewhere", lambda points, *_: [False] * len(points))
    assert MaxLinear.of(entry) == expected
    monkeypatch.setattr(maxlinear, "_between_neighbours", lambda points, *_: [False] * len(points))
    assert MaxLinear.of(entry) == expected


# Taking expressions apart


@given(st.recursive(
    st.sampled_from(X[:3]) | RATIONALS.map(lambda q: sympy.Rational(q.numerator, q.denominator)),
    lambda inner: st.tuples(st.sampled_from(["max", "min", "add", "mul"]), inner, inner),
    max_leaves=7,
))  # fmt: skip
@strategies.examples(100)
def test_parts_are_pointwise(tree):
    expression = build(tree)
    plus, minus = parts(expression)
    for point in points(15):
        value = expression.xreplace({x: sympy.Rational(str(v)) for x, v in point.items()})
        assert sympy.Rational(str(plus(point) - minus(point))) == value


def build(tree):
    if not isinstance(tree, tuple):
        return tree
    kind, first, second = tree
    a, b = build(first), build(second)
    if kind == "mul":
        return sympy.Rational(-3, 2) * a + b
    return {"max": sympy.Max, "min": sympy.Min, "add": sympy.Add}[kind](a, b)


def test_min_is_a_difference_and_no_maximum():
    x, y = X[:2]
    assert same_function(sympy.Min(x, y), -sympy.Max(-x, -y))
    assert same_function(sympy.Min(x, y) + sympy.Max(x, y), x + y)
    assert MaxLinear.of(sympy.Min(x, x + 1)) == MaxLinear.of(x)
    with pytest.raises(ParameterError, match="must be a maximum of affine forms"):
        MaxLinear.of(sympy.Min(x, y))


# Functions compared


def pooled(layers, size):
    """The layers one after the other on symbols."""
    x = symbols("x", size)
    for layer in layers:
        x = layer.operator(x.shape).apply(x)
    return x


def test_identities_of_poolings_are_decided():
    small, large = sc.MaxPool1d(2, stride=1), sc.MaxPool1d(3, stride=1)
    verdict = same_function(pooled([small, small], (6,)), pooled([large], (6,)))
    assert verdict.status == "PROVED"
    assert verdict.scope == "all real values of 6 variables"
    rows, columns = sc.MaxPool((3, 1), stride=(2, 1)), sc.MaxPool((1, 2), stride=(1, 1))
    both = sc.MaxPool((3, 2), stride=(2, 1))
    assert same_function(pooled([rows, columns], (5, 3)), pooled([both], (5, 3)))
    assert same_function(pooled([columns, rows], (5, 3)), pooled([both], (5, 3)))
    mean = sc.AvgPool1d(2, stride=1)
    shift = pooled([small], (4,)) + Fraction(1, 2)
    assert same_function(small.operator((4,)).apply(symbols("x", (4,)) + Fraction(1, 2)), shift)
    assert same_function(pooled([mean], (4,)), pooled([mean], (4,)))


def test_average_and_maximum_do_not_commute():
    mean, top = sc.AvgPool1d(2, stride=1), sc.MaxPool1d(2, stride=1)
    verdict = same_function(pooled([mean, top], (3,)), pooled([top, mean], (3,)))
    assert verdict.status == "REFUTED"
    found = verdict.counterexample
    assert found["output"] == (0,)
    point = np.array([found["x"][x] for x in X[:3]])
    one = top.operator((2,)).apply(mean.operator((3,)).apply(point))[0]
    other = mean.operator((2,)).apply(top.operator((3,)).apply(point))[0]
    assert (one, other) == (found["first"], found["second"])
    assert one != other
    assert sum(abs(entry) for entry in point) == 1


@given(form_lists(), form_lists())
@strategies.examples(80)
def test_different_functions_come_with_a_point(one, two):
    f, g = MaxLinear.largest(one), MaxLinear.largest(two)
    verdict = same_function(f, g)
    assert bool(verdict) == (f == g)
    if not verdict:
        point = {x: Fraction(v) for x, v in verdict.counterexample["x"].items()}
        point |= {x: Fraction(0) for x in X[:3] if x not in point}
        assert f(point) == verdict.counterexample["first"]
        assert g(point) == verdict.counterexample["second"]
        assert f(point) != g(point)


@given(form_lists(), form_lists())
@strategies.examples(60)
def test_the_point_of_the_linear_program_will_do_alone(one, two):
    f, g = MaxLinear.largest(one), MaxLinear.largest(two)
    if f != g:
        point = piecewise._from_program(f, g, list(X[:3]))
        assert f(point) != g(point)


def test_functions_that_differ_far_away_only():
    x, y = X[:2]
    far = sympy.Max(0, x - 1000)
    verdict = same_function(far, sympy.Integer(0))
    assert verdict.status == "REFUTED"
    assert verdict.counterexample["x"][x] > 1000
    verdict = same_function(sympy.Max(x + y, 100), sympy.Max(x + y, 100, 2 * y - x - 500))
    assert verdict.status == "REFUTED"


def test_arrays_and_single_functions():
    x, y = X[:2]
    assert same_function([x, sympy.Max(x, y)], np.array([x, sympy.Max(y, x)], dtype=object))
    assert same_function(MaxLinear.of(x), x)
    assert same_function(sympy.Matrix([[x]]), [[x]])
    assert same_function(2, Fraction(4, 2))
    assert not same_function([1, 2], [1, 3])
    assert same_function([], []).reason == "0 outputs have equal normal forms"
    verdict = same_function([x, 1], [x, 2])
    assert verdict.counterexample == {"output": (1,), "x": {}, "first": 1, "second": 2}


def test_other_functions_are_undecided():
    x, y = X[:2]
    for entry in (x * y, sympy.sin(x), sympy.Abs(x), x**2, sympy.sqrt(2) * x, sympy.pi):
        verdict = same_function(entry, entry + 1)
        assert verdict.status == "UNDECIDED"
        assert "value must be made of symbols, rationals" in verdict.reason


# Bad input


def test_bad_input():
    x, y = X[:2]
    f = MaxLinear.of(sympy.Max(x, y))
    with pytest.raises(ShapeError, match="first and second must have one shape"):
        same_function([x], [x, y])
    with pytest.raises(ParameterTypeError, match=r"first must hold MaxLinear functions, .* float"):
        same_function([1.5], [x])
    with pytest.raises(ParameterTypeError, match="second must hold"):
        same_function(x, "x")
    with pytest.raises((ShapeError, ParameterTypeError), match="first must"):
        same_function([[x], [x, y]], x)
    with pytest.raises(ParameterError, match="factor must be >= 0, got -1"):
        f.scaled(-1)
    for factor in (0.5, x, [1]):
        with pytest.raises(DTypeError, match="factor must"):
            f.scaled(factor)
    with pytest.raises(DTypeError, match="value must"):
        MaxLinear.of(0.5)
    with pytest.raises(ParameterError, match="value must be made of"):
        MaxLinear.of(x * y)
    with pytest.raises(ParameterError, match="forms must be at least one"):
        MaxLinear.largest([])
    with pytest.raises(ParameterError, match="inner must be affine where the coefficient is neg"):
        MaxLinear.of(-x).composed({x: f})
    with pytest.raises(TypeError):
        f + 1
    big, other = (
        MaxLinear.largest(Form.of({a: Fraction(1)}, Fraction(0)) for a in sympy.symbols(f"{b}:70"))
        for b in "ab"
    )
    with pytest.raises(TooLargeError, match="4900 affine forms are above the limit of 4096"):
        big + other


def test_functions_show_themselves():
    x, y = X[:2]
    f = MaxLinear.of(sympy.Max(x + 1, y / 2))
    assert repr(f) == "MaxLinear(Max(x_0 + 1, x_1/2))"
    assert f._repr_latex_().startswith(r"$$\max\left(")
    assert f.symbols == (x, y)
    assert repr(f.scaled(0)) == "MaxLinear(0)"
    assert f.scaled(0).symbols == ()
