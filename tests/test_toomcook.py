"""Transforms of F(m, r) against plain sums, the published matrices, and SciPy in two dimensions."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
import scipy.signal
import sympy
from checking import integers

from symconv.errors import (
    DTypeError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.toomcook import (
    cleared_transforms,
    default_points,
    winograd_transforms,
)

#: (A_T, G, B_T) as A. Lavin and S. Gray (2016) print them, sections 4.1 and 4.3.
F_2_3 = (
    [[1, 1, 1, 0], [0, 1, -1, -1]],
    [[1, 0, 0], ["1/2", "1/2", "1/2"], ["1/2", "-1/2", "1/2"], [0, 0, 1]],
    [[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]],
)
F_4_3 = (
    [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]],
    [
        ["1/4", 0, 0],
        ["-1/6", "-1/6", "-1/6"],
        ["-1/6", "1/6", "-1/6"],
        ["1/24", "1/12", "1/6"],
        ["1/24", "-1/12", "1/6"],
        [0, 0, 1],
    ],
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ],
)


def matrix(rows):
    return sympy.Matrix([[sympy.Rational(entry) for entry in row] for row in rows])


def correlation(x, w):
    """Plain sums over Python objects."""
    outputs = len(x) - len(w) + 1
    return [sum(w[k] * x[o + k] for k in range(len(w))) for o in range(outputs)]


def numbers(n, seed):
    return [int(value) for value in integers((n,), seed)]


@pytest.mark.parametrize(("m", "r"), list(itertools.product(range(1, 7), range(1, 6))))
def test_every_tile_is_the_plain_correlation(m, r):
    transforms = winograd_transforms(m, r)
    x, w = numbers(m + r - 1, m), numbers(r, 10 + r)
    y = transforms.apply(x, w)
    assert y.tolist() == correlation(x, w)
    assert all(type(value) is int for value in y)
    assert transforms.n_products == m + r - 1
    assert [len(transforms.A_T), len(transforms.G), len(transforms.B_T)] == [
        m,
        m + r - 1,
        m + r - 1,
    ]
    assert {len(row) for row in transforms.G} == {r}


def test_all_values_of_both_factors():
    for m, r in itertools.product(range(1, 4), range(1, 4)):
        x, w = sympy.symbols(f"x:{m + r - 1}"), sympy.symbols(f"w:{r}")
        y = winograd_transforms(m, r).apply(x, w)
        assert y.tolist() == [sympy.expand(value) for value in correlation(x, w)]


def test_other_points_give_the_same_outputs():
    x, w = numbers(4, 1), numbers(3, 2)
    for points in ([0, 5, -7], [Fraction(1, 3), sympy.Rational(-2, 7), sympy.Integer(4)]):
        transforms = winograd_transforms(2, 3, points)
        assert transforms.apply(x, w).tolist() == correlation(x, w)
        assert transforms.points == (tuple(Fraction(str(point)) for point in points),)


def test_numbers_beyond_63_bits_and_fractions():
    x, w = [2**62, 2**62, 2**70, 1], [Fraction(1, 3), 3, 2**64]
    y = winograd_transforms(2, 3).apply(x, w)
    assert y.tolist() == correlation([Fraction(value) for value in x], w)
    assert isinstance(y[0], Fraction)
    whole = winograd_transforms(2, 1).apply(np.array([2**62, 1]), np.array([4]))
    assert whole.tolist() == [2**64, 4]


def test_fractions_and_symbols_meet():
    a = sympy.Symbol("a")
    y = winograd_transforms(2, 2).apply([Fraction(1, 2), a, 1], [Fraction(1, 3), 2])
    assert y.tolist() == [2 * a + sympy.Rational(1, 6), a / 3 + 2]


def test_the_published_f_4_3_entry_for_entry():
    assert winograd_transforms(4, 3).matrices() == tuple(map(matrix, F_4_3))


def test_the_published_f_2_3_up_to_the_signs_of_two_rows():
    ours, published = winograd_transforms(2, 3).matrices(), [matrix(rows) for rows in F_2_3]
    first, last = sympy.diag(-1, 1, 1, 1), sympy.diag(1, 1, 1, -1)
    # The products of point 0 and of infinity change their signs: B_T with G, and B_T with A_T.
    assert ours[0] == published[0] * last
    assert ours[1] == first * published[1]
    assert ours[2] == first * last * published[2]


def test_nesting_is_the_correlation_of_more_axes():
    nested = winograd_transforms(2, 3).nested(winograd_transforms(3, 2))
    assert (nested.output_size, nested.kernel_size, nested.input_size) == ((2, 3), (3, 2), (4, 4))
    x, w = integers((4, 4)), integers((3, 2), 1)
    y = nested.apply(x, w)
    assert np.array_equal(y.astype(int), scipy.signal.correlate(x, w, "valid", method="direct"))
    assert nested.n_products == 16
    kronecker = sympy.KroneckerProduct
    for both, one, other in zip(
        nested.matrices(),
        winograd_transforms(2, 3).matrices(),
        winograd_transforms(3, 2).matrices(),
        strict=True,
    ):
        assert both == kronecker(one, other).doit()


def test_three_axes():
    one = winograd_transforms(1, 2)
    cube = one.nested(one).nested(winograd_transforms(2, 1))
    x, w = integers((2, 2, 2)), integers((2, 2, 1), 1)
    expected = scipy.signal.correlate(x, w, "valid", method="direct")
    assert np.array_equal(cube.apply(x, w).astype(int), expected)


def test_the_default_points_are_distinct_and_small_first():
    points = default_points(40)
    assert len(set(points)) == 40
    assert [str(point) for point in points[:8]] == ["0", "1", "-1", "2", "-2", "1/2", "-1/2", "3"]
    sizes = [max(abs(point.numerator), point.denominator) for point in points]
    assert sizes == sorted(sizes)
    assert default_points(0) == ()


def test_cleared_transforms_over_integers_modulo_a_prime():
    # Nothing is divided: 1/(a_i − a_j) may be taken in any ring that has it.
    prime, m, r = 7, 3, 3
    a_t, g, b_t, divisors = cleared_transforms(m, r, [0, 1, 2, 3])
    x, w = [3, 1, 4, 1, 5], [2, 6, 5]
    inverses = [pow(divisor, -1, prime) for divisor in divisors]
    products = [
        inverse * int(np.dot(row, w)) * int(np.dot(column, x))
        for inverse, row, column in zip(inverses, g, b_t, strict=True)
    ]
    y = [int(np.dot(row, products)) % prime for row in a_t]
    assert y == [value % prime for value in correlation(x, w)]


def test_repeated_points_are_refused():
    with pytest.raises(ParameterError, match="points must be distinct, got 1 twice"):
        winograd_transforms(2, 3, [0, 1, 1])
    with pytest.raises(ParameterError, match="got 1/2 twice"):
        winograd_transforms(2, 2, [sympy.Rational(1, 2), Fraction(2, 4)])


@pytest.mark.parametrize(
    "point", [0.5, np.float64(1), "1", True, None, sympy.pi, sympy.Symbol("a")]
)
def test_points_that_are_no_rational_numbers_are_refused(point):
    with pytest.raises(ParameterTypeError, match="points must be integers, Fractions or SymPy"):
        winograd_transforms(1, 2, [point])


def test_other_wrong_parameters_are_refused():
    with pytest.raises(ParameterError, match=r"points must be m \+ r - 2 = 3 numbers.*got 2"):
        winograd_transforms(2, 3, [0, 1])
    with pytest.raises(ParameterError, match="m must be >= 1, got 0"):
        winograd_transforms(0, 3)
    with pytest.raises(ParameterError, match="r must be >= 1, got -1"):
        winograd_transforms(2, -1)
    with pytest.raises(ParameterTypeError, match="m must be an integer"):
        winograd_transforms(2.0, 3)
    with pytest.raises(ParameterTypeError, match="m must be a concrete integer"):
        winograd_transforms(sympy.Symbol("m", integer=True), 3)
    with pytest.raises(TooLargeError, match="above the limit of 128"):
        winograd_transforms(10**9, 3)
    with pytest.raises(ParameterTypeError, match="later must be Transforms, got int"):
        winograd_transforms(2, 3).nested(2)


def test_wrong_arrays_are_refused():
    transforms = winograd_transforms(2, 3)
    with pytest.raises(ShapeError, match=r"x must have shape \(4,\), got \(3,\)"):
        transforms.apply([1, 2, 3], [1, 2, 3])
    with pytest.raises(ShapeError, match=r"weight must have shape \(3,\), got \(1, 3\)"):
        transforms.apply([1, 2, 3, 4], [[1, 2, 3]])
    with pytest.raises(DTypeError, match="x must be exact"):
        transforms.apply([1.0, 2.0, 3.0, 4.0], [1, 2, 3])
