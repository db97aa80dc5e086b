"""Exact separations: ranks, terms, conditions and singular values against SymPy and mpmath."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, pairwise

import mpmath
import numpy as np
import pytest
import sympy
from hypothesis import given, strategies as st
from strategies import examples

from symconv.errors import DTypeError, ParameterError, ShapeError, SymconvError, TooLargeError
from symconv.kernels import KERNELS, SAMPLED, named_kernel, sampled_kernel
from symconv.modular.ranks import column_basis
from symconv.relation import AxisRelation
from symconv.separable import (
    Savings,
    SingularValue,
    best_approximation,
    conditions,
    factoring,
    separate,
    singular,
)
from symconv.separable.factoring import integer_factors, matrix_rank

a, b, c, d = sympy.symbols("a b c d", real=True)
LAPLACIAN = [[0, 1, 0], [1, -4, 1], [0, 1, 0]]


def total(separation):
    """The sum of the outer products, as SymPy or Python numbers."""
    result = np.zeros(separation.shape, dtype=object)
    for term in separation.terms:
        product = np.ones((), dtype=object)
        for vector in term:
            product = np.multiply.outer(product, np.array(vector, dtype=object))
        result = result + product
    return result


def agrees(separation, kernel):
    """Exactly, without a tolerance: differences expand or cancel to 0."""
    differences = (total(separation) - np.array(kernel, dtype=object)).ravel()
    return all(sympy.cancel(sympy.expand(sympy.sympify(value))) == 0 for value in differences)


def integer_kernels(most=6, largest=9):
    side = st.integers(1, most)
    entry = st.integers(-largest, largest)

    @st.composite
    def kernels(draw):
        m, n = draw(side), draw(side)
        if draw(st.booleans()):
            rank = draw(st.integers(0, min(m, n)))
            left = draw(st.lists(st.lists(entry, min_size=rank, max_size=rank), min_size=m,
                                 max_size=m))  # fmt: skip
            right = draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=rank,
                                  max_size=rank))  # fmt: skip
            return [
                [sum(row[t] * right[t][j] for t in range(rank)) for j in range(n)] for row in left
            ]
        return draw(st.lists(st.lists(entry, min_size=n, max_size=n), min_size=m, max_size=m))

    return kernels()


# ---------------------------------------------------------------------------------------------
# Exact kernels


def test_the_notes_n12():
    found = separate([[3, 6, 9], [4, 8, 12], [5, 10, 15]])
    assert found.rank == 1
    assert found.is_exact
    assert found.terms == (((3, 4, 5), (1, 2, 3)),)
    assert all(type(entry) is int for vector in found.terms[0] for entry in vector)
    assert found.residual == 0
    assert found.condition == ()
    assert bool(found.is_separable)
    first, zero = found.singular_values
    assert first.exact == 10 * sympy.sqrt(7)
    assert first.square == 700 == 9 * (1 + 4 + 9) + 16 * (1 + 4 + 9) + 25 * (1 + 4 + 9)
    assert (zero.lower, zero.upper, zero.multiplicity) == (0, 0, 2)
    assert found.savings == Savings(9, 6)
    assert found.savings.saves


@examples(60)
@given(integer_kernels())
def test_integer_kernels(kernel):
    found = separate(kernel)
    assert found.rank == len(found.terms) == sympy.Matrix(kernel).rank()
    assert total(found).tolist() == kernel
    assert all(type(entry) is int for term in found.terms for vector in term for entry in vector)
    for _, row in found.terms:
        assert np.gcd.reduce(np.abs(row)) == 1
    minors = [
        kernel[i][j] * kernel[p][q] - kernel[i][q] * kernel[p][j]
        for i, p in combinations(range(len(kernel)), 2)
        for j, q in combinations(range(len(kernel[0])), 2)
    ]
    assert bool(found.is_separable) == (not any(minors)) == (found.rank <= 1)
    if found.rank > 1:
        case = found.is_separable.counterexample
        (i, p), (j, q) = case["rows"], case["columns"]
        assert i < p
        assert j < q
        assert case["minor"] == kernel[i][j] * kernel[p][q] - kernel[i][q] * kernel[p][j] != 0
    assert found.condition == (() if found.rank <= 1 else (1,))
    # The transposed kernel has the same rank and singular values.
    turned = separate([list(column) for column in zip(*kernel, strict=True)])
    assert turned.rank == found.rank
    assert turned.singular_values == found.singular_values or all(
        one.exact == other.exact
        for one, other in zip(turned.singular_values, found.singular_values, strict=True)
    )


def contains(value, number):
    low, high = (mpmath.mpf(e.numerator) / e.denominator for e in (value.lower, value.upper))
    # mpmath is exact to 80 digits; the interval has about 18.
    return low - mpmath.mpf(10) ** -60 <= number <= high + mpmath.mpf(10) ** -60


def true_values(kernel, m, n):
    """Singular values to 80 digits, largest first."""
    with mpmath.workdps(80):
        matrix = mpmath.matrix(m, n)
        for (i, j), entry in np.ndenumerate(np.array(kernel, dtype=object)):
            matrix[i, j] = mpmath.mpf(entry.numerator) / entry.denominator
        if m < n:
            matrix = matrix.T
        return sorted(mpmath.svd_r(matrix, compute_uv=False), reverse=True)


@examples(60)
@given(integer_kernels(5), st.integers(1, 7))
def test_enclosures_contain_the_singular_values(kernel, divisor):
    fractions = [[Fraction(entry, divisor) for entry in row] for row in kernel]
    m, n = len(kernel), len(kernel[0])
    values = separate(fractions).singular_values
    assert sum(value.multiplicity for value in values) == min(m, n)
    expected = iter(true_values(fractions, m, n))
    with mpmath.workdps(80):
        for value in values:
            for _ in range(value.multiplicity):
                number = next(expected)
                assert contains(value, number)
                if value.exact is not None:
                    assert abs(mpmath.mpf(sympy.N(value.exact, 70)) - number) < 1e-30
            # At most a few units in the sixtieth bit wide.
            assert value.upper - value.lower <= value.upper * Fraction(1, 2**57)
    # Largest first, and no two overlap.
    for one, other in pairwise(values):
        assert one.lower > other.upper


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (np.eye(5, dtype=int), [(1, 5)]),
        (np.diag([3, 3, 2, 0, 0]), [(3, 2), (2, 1), (0, 2)]),
        (np.diag([2, 2, -2]), [(2, 3)]),
        (np.kron(np.eye(3, dtype=int), [[1, 1], [1, -1]]), [(sympy.sqrt(2), 6)]),
        (np.array([[0, 0], [0, 0]]), [(0, 2)]),
        (np.array(LAPLACIAN), [(2 + sympy.sqrt(6), 1), (sympy.sqrt(6) - 2, 1), (0, 1)]),
    ],
)
def test_multiplicities_are_exact(kernel, expected):
    values = separate(kernel).singular_values
    assert [(value.exact, value.multiplicity) for value in values] == expected


def test_near_values_are_told_apart():
    # Two singular values that differ in the seventeenth digit, and two that are equal.
    close = separate([[10**17, 0], [0, 10**17 + 1]]).singular_values
    assert [value.exact for value in close] == [10**17 + 1, 10**17]
    assert [v.multiplicity for v in separate([[0, 10**17], [-(10**17), 0]]).singular_values] == [2]
    # Not through radicals: a 3×3 block whose values have degree three, twice.
    block = np.array([[1, 2, 0], [0, 3, 1], [1, 0, 5]])
    values = separate(np.kron(np.eye(2, dtype=int), block)).singular_values
    assert [value.multiplicity for value in values] == [2, 2, 2]
    assert [value.exact for value in values] == [None] * 3
    alone = separate(block).singular_values
    assert [(v.lower, v.upper) for v in values] == [(v.lower, v.upper) for v in alone]


@pytest.mark.parametrize("side", [25, 40])
def test_large_matrices_get_proved_bounds(side):
    rng = np.random.default_rng(side)
    kernel = rng.integers(-9, 10, (side, side + 3))
    kernel[3] = kernel[4]
    values = separate(kernel).singular_values
    assert len(values) == side
    # What lies beyond the exact rank is zero, not near it.
    assert [value.multiplicity for value in values] == [None] * (side - 1) + [1]
    assert values[-1].exact == 0
    # The same through exact arithmetic, the limit lifted.
    exact = singular.integer_squares(kernel.tolist())
    spread = [root for root in exact for _ in range(root.multiplicity)]
    for value, root in zip(values, spread, strict=True):
        assert value.lower**2 <= root.upper
        assert root.lower <= value.upper**2
        assert value.upper - value.lower < Fraction(1, 10**9)


def test_rank_of_larger_kernels():
    rng = np.random.default_rng(1)
    full = rng.integers(0, 256, (64, 48))
    found = separate(full)
    assert found.rank == 48
    assert total(found).tolist() == full.tolist()
    product = rng.integers(-3, 4, (40, 5)) @ rng.integers(-3, 4, (5, 30))
    found = separate(product)
    assert found.rank == 5
    assert total(found).tolist() == product.tolist()
    # A prime factor of every minor does not mislead the rank modulo it.
    assert matrix_rank([[factoring.PRIME, 0], [0, factoring.PRIME]]) == 2
    assert matrix_rank([[factoring.PRIME, 1], [0, 1]]) == 2
    # Mirrored rows are no obstacle: 200 of them, 100 different.
    half = rng.integers(0, 99, (100, 30))
    assert separate(np.concatenate([half, half[::-1]])).rank == 30
    assert matrix_rank((half[:, :26] @ np.ones((26, 26), dtype=int)).tolist()) == 1
    with pytest.raises(TooLargeError, match=r"rank at most 128 at 512×512.*at least 200; crop it"):
        separate(rng.integers(0, 9, (512, 200)) @ rng.integers(0, 9, (200, 512)))


@pytest.mark.parametrize("scale", [1, Fraction(1, 7), 10**25])
@pytest.mark.parametrize(("m", "n", "rank"), [(512, 512, 3), (60, 200, 30), (200, 60, 30)])
def test_large_dependent_kernels_separate_exactly(m, n, rank, scale):
    rng = np.random.default_rng(rank)
    kernel = rng.integers(-9, 10, (m, rank)) @ rng.integers(-9, 10, (rank, n))
    found = separate(kernel if scale == 1 else kernel.astype(object) * scale)
    assert found.rank == len(found.terms) == rank
    columns, rows = (np.array(part, dtype=object) for part in zip(*found.terms, strict=True))
    # As many terms as the rank, primitive rows, the exact sum at a few hundred entries.
    assert all(math.gcd(*row) == 1 for row in rows.tolist())
    for i, j in rng.integers(0, (m, n), (300, 2)):
        assert columns[:, i] @ rows[:, j] == int(kernel[i, j]) * scale
    values = found.singular_values
    assert [value.multiplicity for value in values] == [None] * rank + [min(m, n) - rank]
    assert values[rank - 1].lower > 0 == values[-1].upper
    # The near miss: one entry more makes one term more.
    kernel[m // 2, n // 2] += 1
    if m < 512:
        assert separate(kernel).rank == rank + 1


def test_fractions_and_huge_integers():
    third = Fraction(1, 3)
    found = separate([[third, 2 * third], [1, 2]])
    assert found.terms == (((third, 1), (1, 2)),)
    assert found.singular_values[0].exact == 5 * sympy.sqrt(2) / 3
    huge = 10**400
    found = separate([[huge, 2 * huge], [3 * huge, 6 * huge + 1]])
    assert found.rank == 2
    assert agrees(found, [[huge, 2 * huge], [3 * huge, 6 * huge + 1]])
    assert "e+" in str(found.singular_values[1]) or found.singular_values[1].exact is not None
    assert "<svg" not in found._repr_html_()
    with pytest.raises(ParameterError, match="that doubles hold"):
        found.svg()
    assert separate([[2**62, 2**63]]).terms == (((2**62,), (1, 2)),)
    assert separate(np.array([[200, 100]], dtype=np.uint8)).terms == (((100,), (2, 1)),)


def test_signs_and_factors():
    # As few minus signs as can be; where that ties, the column begins without one.
    assert separate([[-1, -2], [-2, -4]]).terms == (((1, 2), (-1, -2)),)
    assert separate([[-1, 0, 1], [-2, 0, 2]]).terms == (((1, 2), (-1, 0, 1)),)
    assert separate([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]).terms == (((-1, 0, 1), (1, 2, 1)),)
    assert separate([[2, 4], [4, 8]]).terms == (((2, 4), (1, 2)),)
    assert separate([[Fraction(1, 9)] * 3] * 3).terms == (((Fraction(1, 9),) * 3, (1, 1, 1)),)
    assert separate([[0, 0], [0, 0]]).terms == ()


# ---------------------------------------------------------------------------------------------
# Radicals and symbols


def test_radicals():
    root = sympy.sqrt(2)
    found = separate([[root, 2 * root], [2 * root, 4 * root]])
    assert found.terms == (((root, 2 * root), (1, 2)),)
    assert found.singular_values[0].exact == 5 * root
    dependent = separate([[root, 2], [1, root]])
    assert dependent.rank == 1
    assert agrees(dependent, [[root, 2], [1, root]])
    apart = separate([[root, 1], [1, root]])
    assert apart.rank == 2
    assert [value.exact for value in apart.singular_values] == [root + 1, root - 1]
    # √2·√3 = √6 is decided in the field; a float would see a minor of 4e-16 either way.
    two, three, six = map(sympy.sqrt, (2, 3, 6))
    assert separate([[two, six], [1, three]]).rank == 1
    assert separate([[two, six], [1, three + sympy.Rational(1, 10**30)]]).rank == 2
    # Radicals that cancel are integers again.
    assert separate([[(1 + two) * (1 - two), 2], [1, -2]]).terms == (((-1, 1), (1, -2)),)
    golden = (1 + sympy.sqrt(5)) / 2
    assert separate([[golden, 1], [1, golden - 1]]).rank == 1


def test_enclosures_over_radicals():
    two, three = sympy.sqrt(2), sympy.sqrt(3)
    for kernel in (
        [[two, 1, 0], [1 + two, 3, 1], [0, 1, two]],
        [[two, 1], [-1, three]],
        [[two, 0, 0], [0, 1, -three], [0, three, 1]],
        [[two, 0, 0], [0, -two, 0], [0, 0, 2 * two]],
    ):
        values = separate(kernel).singular_values
        side = len(kernel)
        assert sum(value.multiplicity for value in values) == side
        with mpmath.workdps(60):
            matrix = mpmath.matrix([[mpmath.mpf(sympy.N(e, 60)) for e in row] for row in kernel])
            expected = iter(sorted(mpmath.svd_r(matrix, compute_uv=False), reverse=True))
            for value in values:
                for _ in range(value.multiplicity):
                    number = next(expected)
                    assert contains(value, number) or value.upper - value.lower < 1e-50
                    if value.exact is not None:
                        assert abs(mpmath.mpf(sympy.N(value.exact, 50)) - number) < 1e-40
    # Equal and opposite, in a field: one value, twice.
    last = separate([[two, 0, 0], [0, -two, 0], [0, 0, 2 * two]]).singular_values
    assert [(v.exact, v.multiplicity) for v in last] == [(2 * two, 1), (two, 2)]


def test_symbols():
    found = separate([[a * c, a * d], [b * c, b * d]])
    assert found.terms == (((a, b), (c, d)),)
    assert found.condition == ()
    assert bool(found.is_separable)
    square = found.singular_values[0].exact ** 2
    assert sympy.expand(square - (a**2 + b**2) * (c**2 + d**2)) == 0
    generic = separate([[a, b], [c, d]])
    assert generic.rank == 2
    assert generic.condition == (a * d - b * c,)
    assert generic.is_separable.status == "UNDECIDED"
    assert "a*d - b*c = 0" in generic.is_separable.reason
    with pytest.raises(ValueError, match="UNDECIDED"):
        bool(generic.is_separable)
    one, other = (value.exact**2 for value in generic.singular_values)
    assert sympy.expand(one + other - (a**2 + b**2 + c**2 + d**2)) == 0
    assert sympy.expand(sympy.expand(one * other) - (a * d - b * c) ** 2) == 0
    # Never separable, though entries are symbols.
    never = separate([[1, a], [2, 2 * a + 1]])
    assert never.condition == (1,)
    assert not never.is_separable
    assert separate([[a / b, 1 / b], [1, 1 / a]]).rank == 1
    assert separate([[(a + b) ** 2 - a**2 - b**2 - 2 * a * b, 0]]).rank == 0
    mixed = [[sympy.sqrt(2) * a, a * b], [2 * b, sympy.sqrt(2) * b**2]]
    assert separate(mixed).rank == 1
    assert agrees(separate(mixed), mixed)


def test_conditions_are_reduced():
    kernel = sympy.Matrix(3, 3, sympy.symbols("k:9"))
    assert len(separate(kernel).condition) == 9
    # Mirrored kernels have fewer: constant factors, signs, multiples and repeats are dropped.
    e, f, g = sympy.symbols("e f g")
    star = separate([[0, e, 0], [e, -4 * f, e], [0, e, 0]])
    assert star.condition == (e,)
    mirrored = separate([[e, f, e], [f, g, f], [e, f, e]])
    assert mirrored.condition == (e * g - f**2,)
    assert separate([[2 * e, f], [f, 3 * e]]).condition == (6 * e**2 - f**2,)
    # The condition holds exactly where SymPy's rank is at most 1, over a box.
    polynomials = mirrored.condition
    for values in np.ndindex(3, 3, 3):
        places = dict(zip((e, f, g), (value - 1 for value in values), strict=True))
        numbers = sympy.Matrix([[e, f, e], [f, g, f], [e, f, e]]).subs(places)
        assert (numbers.rank() <= 1) == all(p.subs(places) == 0 for p in polynomials)


@examples(25)
@given(st.lists(st.lists(st.sampled_from([0, 1, a, b, a * b, a + b, 2 * a, a - b]), min_size=3,
                         max_size=3), min_size=2, max_size=3))  # fmt: skip
def test_symbolic_kernels(kernel):
    found = separate(kernel)
    assert found.rank == sympy.Matrix(kernel).rank(simplify=True)
    assert agrees(found, kernel)
    for values in ((0, 0), (1, 1), (2, -1), (1, -1), (0, 3)):
        places = {a: values[0], b: values[1]}
        numbers = sympy.Matrix(kernel).subs(places)
        assert numbers.rank() <= found.rank
        zero = all(sympy.sympify(p).subs(places) == 0 for p in found.condition)
        assert (numbers.rank() <= 1) == zero


# ---------------------------------------------------------------------------------------------
# More axes


def test_one_axis():
    found = separate([1, 2, 2])
    assert found.terms == (((1, 2, 2),),)
    assert found.rank == 1
    assert [value.exact for value in found.singular_values] == [3]
    assert separate([0, 0]).terms == ()
    assert separate([Fraction(1, 2)]).terms == (((Fraction(1, 2),),),)


def test_tensors_of_rank_one():
    kernel = np.multiply.outer([1, 2], np.multiply.outer([1, 2, 1], [-1, 0, 1]))
    found = separate(3 * kernel)
    assert found.terms == (((3, 6), (1, 2, 1), (-1, 0, 1)),)
    assert found.multilinear_rank == (1, 1, 1)
    assert found.rank == 1
    assert bool(found.is_separable)
    assert found.singular_values[0].square == 9 * 5 * 6 * 2
    assert found.savings == Savings(18, 8)
    kernel[0, 0, 0] += 1
    changed = separate(kernel)
    assert changed.rank != 1
    assert not changed.is_separable


@examples(25)
@given(st.lists(st.integers(-2, 2), min_size=12, max_size=12))
def test_tensors(entries):
    kernel = np.array(entries).reshape(2, 3, 2)
    found = separate(kernel)
    assert total(found).tolist() == kernel.tolist()
    for axis, rank in enumerate(found.multilinear_rank):
        rows = np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)
        assert rank == sympy.Matrix(rows.tolist()).rank() == found.unfolding(axis).rank
    low, high = found.rank_bounds
    assert low == max(found.multilinear_rank) <= high == len(found.terms)
    assert found.rank in (None, low)
    assert bool(found.is_separable) == (low <= 1)
    if low > 1:
        with pytest.raises(ParameterError, match="singular values need a matrix, got 3 axes"):
            _ = found.singular_values


def test_which_axis_first_matters():
    # Two terms when the last axis is split off first, four the other way.
    kernel = np.zeros((2, 2, 2), dtype=int)
    kernel[0, 0], kernel[1, 1] = (1, 2), (3, 4)
    found = separate(kernel)
    assert found.rank == 2
    assert total(found).tolist() == kernel.tolist()


# ---------------------------------------------------------------------------------------------
# Approximations


def test_eckart_young():
    near = best_approximation(LAPLACIAN, 1)
    assert near.exact_error_squared == 10 - 4 * sympy.sqrt(6)
    low, high = near.error_squared
    assert low <= near.residual_squared
    assert near.residual_squared - low < Fraction(1, 10**14)
    assert high - low < Fraction(1, 10**15)
    assert near.is_unique
    assert not near.is_exact
    assert best_approximation(LAPLACIAN, 0).exact_error_squared == 20
    whole = best_approximation(LAPLACIAN, 2)
    assert whole.is_exact
    assert whole.residual_squared == 0
    assert best_approximation(LAPLACIAN, 3).terms == whole.terms
    # Equal singular values at the cut: as good ones in every direction.
    assert best_approximation(np.eye(3, dtype=int), 1).is_unique is False
    assert best_approximation(np.eye(3, dtype=int), 1).exact_error_squared == 2
    assert best_approximation(np.diag([2, 1, 1]), 1).is_unique


@examples(20)
@given(integer_kernels(4), st.integers(0, 4))
def test_no_terms_are_nearer(kernel, rank):
    if rank > min(len(kernel), len(kernel[0])):
        return
    near = best_approximation(kernel, rank)
    low, high = near.error_squared
    values = np.linalg.svd(np.array(kernel, dtype=float), compute_uv=False)
    assert float(low) == pytest.approx(float((values[rank:] ** 2).sum()), rel=1e-9, abs=1e-9)
    assert low <= high
    assert len(near.terms) <= rank
    assert near.residual_squared >= low
    assert float(near.residual_squared) == pytest.approx(float(high), rel=1e-9, abs=1e-9)
    if near.exact_error_squared is not None:
        number = sympy.N(near.exact_error_squared, 40)
        assert sympy.Rational(low.numerator, low.denominator) <= number + sympy.Rational(1, 10**25)
        assert number <= sympy.Rational(high.numerator, high.denominator) + sympy.Rational(
            1, 10**25
        )


def test_approximations_of_large_and_refused_kernels():
    rng = np.random.default_rng(0)
    near = best_approximation(rng.integers(0, 9, (30, 30)), 3)
    assert near.exact_error_squared is None
    assert near.error_squared[0] <= near.residual_squared
    near = best_approximation(rng.random((6, 5)), 2)
    assert near.error_squared[0] <= near.residual_squared
    for rank, match in ((3, "at most the shorter side 2, got 3"), (-1, "rank must be >= 0")):
        with pytest.raises(ParameterError, match=match):
            best_approximation([[1, 2], [3, 4]], rank)
    with pytest.raises(SymconvError, match="rank must be an integer"):
        best_approximation([[1, 2], [3, 4]], 1.5)
    with pytest.raises(ShapeError, match="kernel must have 2 axes"):
        best_approximation([1, 2], 1)
    with pytest.raises(ParameterError, match="symbols or radicals"):
        best_approximation([[a, b], [c, d]], 1)
    with pytest.raises(ParameterError, match="that doubles hold"):
        best_approximation([[10**400, 0], [0, 1]], 1)


# ---------------------------------------------------------------------------------------------
# The catalogue, counts, and what notebooks show

RANKS = {
    "identity": 1, "box3": 1, "sobel_x": 1, "sobel_y": 1, "gaussian5": 1, "laplacian3": 2,
    "log5": 3, "sharpen": 2, "emboss": 3, "box5": 1, "binomial3": 1, "binomial9": 1,
    "gaussian5_canny": 3, "prewitt_x": 1, "prewitt_y": 1, "scharr_x": 1, "scharr_y": 1,
    "roberts": 2, "laplacian8": 2, "laplacian9": 2, "motion_row5": 1, "motion_diagonal5": 5,
    "disk5": 2, "disk7": 3,
}  # fmt: skip


def test_the_catalogue_is_whole():
    assert RANKS.keys() == KERNELS.keys()


@pytest.mark.parametrize("name", RANKS)
def test_catalogue(name):
    array = named_kernel(name).array()
    found = separate(array)
    # Three independent verdicts: the table, SymPy's elimination, the largest minor that is not 0.
    assert found.rank == RANKS[name] == sympy.Matrix(array.tolist()).rank()
    assert total(found).tolist() == array.tolist()
    values = np.linalg.svd(array.astype(float), compute_uv=False)
    ours = [float(v) for v in found.singular_values for _ in range(v.multiplicity)]
    assert ours == pytest.approx(values.tolist(), abs=1e-10)
    divided = separate(array.astype(object) * Fraction(1, named_kernel(name).divisor))
    assert divided.rank == found.rank
    if found.rank == 1:
        assert [tuple(np.array(v).tolist()) for v in divided.terms[0][1:]] == [found.terms[0][1]]


@pytest.mark.parametrize(
    ("name", "rank"),
    [("gaussian7_sampled", 1), ("log9_sampled", 2), ("gabor9_0", 1), ("gabor9_45", 2)],
)
def test_sampled_catalogue(name, rank):
    found = separate(sampled_kernel(name))
    assert not found.is_exact
    assert found.rank == rank
    # Rounding each sample leaves other numbers, which are what is stored.
    assert found.exact_rank >= rank
    assert set(SAMPLED) >= {name}
    assert found.residual < 1e-14


def test_savings_and_counts():
    for shape, rank in (((5, 5), 2), ((5, 5), 3), ((3, 3), 1), ((2, 2), 1), ((7, 3), 2)):
        left = np.vander(np.arange(1, shape[0] + 1), rank)
        right = np.vander(np.arange(1, shape[1] + 1), rank)
        found = separate(left @ right.T)
        assert found.rank == rank
        m, n = shape
        assert found.savings == Savings(m * n, rank * (m + n))
        assert found.savings.saves == (rank * (m + n) < m * n)
        assert found.savings.ratio == Fraction(rank * (m + n), m * n)
    found = separate(named_kernel("disk5").array())
    axes = [AxisRelation(5, pad_lo=2, pad_hi=2)] * 2
    passes, dense = found.counts(axes, (8, 8))
    assert (passes.macs_per_tap, dense.macs_per_tap) == (2 * 10 * 64, 25 * 64)
    nothing, _ = separate(np.zeros((5, 5), int)).counts(axes, (8, 8))
    assert nothing.macs_per_tap == 0
    with pytest.raises(ParameterError, match=r"relations must have the kernel's taps \(5, 5\)"):
        found.counts([AxisRelation(3)] * 2, (8, 8))


def test_text_latex_and_pictures():
    found = separate(LAPLACIAN)
    assert repr(found) == "<Separation 3×3, rank 2>"
    assert str(found).splitlines()[1:] == [
        "  (1, 0, 1) ⊗ (0, 1, 0)",
        "+ (0, 1, 0) ⊗ (1, -4, 1)",
    ]
    assert found.latex().count("matrix}") == 10
    html = found._repr_html_()
    assert "rank 2" in html
    assert "<svg" in html
    assert found._repr_latex_().startswith("$$")
    symbolic = separate([[a, b], [b, a]])
    assert "for almost all values" in repr(symbolic)
    assert "<svg" not in symbolic._repr_html_()
    with pytest.raises(ParameterError, match="a picture needs numbers"):
        symbolic.svg()
    tensor = separate(np.ones((2, 2, 2), int))
    assert r"\otimes" in tensor.latex()
    assert "<svg" not in tensor._repr_html_()
    with pytest.raises(ParameterError, match="a picture needs a matrix, got 3 axes"):
        tensor.svg()
    assert separate(np.ones((20, 20), int))._repr_latex_() is None
    assert str(separate(np.diag(range(1, 9)))).splitlines()[-1] == "+ 2 more"
    long = str(separate(np.arange(40))).splitlines()[1]
    assert long == "  (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, …, 39)"
    assert separate([[0]]).latex().endswith("= 0")
    with pytest.raises(TypeError, match="has symbols"):
        float(separate([[a]]).singular_values[0])
    assert str(SingularValue(Fraction(1), Fraction(1), 3, sympy.S.One)) == "1 (×3)"


# ---------------------------------------------------------------------------------------------
# Refusals


@pytest.mark.parametrize(
    ("kernel", "kind", "match"),
    [
        ([], ShapeError, "at least one entry"),
        ([[]], ShapeError, "at least one entry"),
        (np.zeros((0, 3)), ShapeError, "at least one entry, got shape \\(0, 3\\)"),
        (5, ShapeError, "at least 1 axis"),
        ([[1, 2], [3]], ShapeError, "rectangular"),
        ("[[1]]", DTypeError, "kernel must hold"),
        ([["a"]], DTypeError, "kernel must hold"),
        (None, DTypeError, "kernel must hold"),
        ([[None, 1]], DTypeError, "kernel must hold"),
        ([[True, False]], DTypeError, "booleans"),
        (np.array([[True]]), DTypeError, "booleans"),
        ([[1.0, float("nan")]], DTypeError, "kernel must be finite, got nan"),
        ([[1.0, float("-inf")]], DTypeError, "kernel must be finite, got -inf"),
        ([[1j, 2]], DTypeError, "kernel must be real, got dtype complex128"),
        ([[sympy.I, 2]], DTypeError, "kernel must be real"),
        ([[sympy.I * a, 2]], DTypeError, "kernel must be real"),
        ([[sympy.Symbol("q", imaginary=True), 2]], DTypeError, "declared otherwise"),
        ([[sympy.Symbol("q"), sympy.Symbol("q", real=True)]], DTypeError, "two symbols of one"),
        ([[sympy.pi, 1]], DTypeError, "algebraic numbers, got pi"),
        ([[sympy.exp(a), 1]], DTypeError, "rational functions of its symbols"),
        ([[sympy.sqrt(a), 1]], DTypeError, "rational functions of its symbols"),
        ([[sympy.oo, 1]], DTypeError, "SymPy expressions without floats"),
        ([[sympy.Float(0.5), a]], DTypeError, "SymPy expressions without floats"),
        ([[Fraction(1, 2), 0.5]], DTypeError, "SymPy expressions without floats"),
        (np.zeros((2, 2), dtype=np.float16), DTypeError, "float16"),
        (
            [[sympy.sqrt(p) for p in (2, 3, 5, 7, 11)]],
            TooLargeError,
            "at most 4 different radicals",
        ),
        (np.zeros((600, 600), dtype=int), TooLargeError, "at most 262144 entries"),
        ([sympy.symbols("k:129")], TooLargeError, "at most 128 different symbols"),
        (np.full((70, 70), a, dtype=object), TooLargeError, "at most 4096 entries"),
        ([[2**50000, 1]], TooLargeError, "at most 40000 bits"),
    ],
)
def test_bad_kernels(kernel, kind, match):
    with pytest.raises(kind, match=match) as caught:
        separate(kernel)
    assert isinstance(caught.value, SymconvError)
    assert len(str(caught.value)) < 400


def test_bad_tolerances_and_axes():
    with pytest.raises(ParameterError, match="tolerance must be left out for exact kernels"):
        separate([[1, 2]], tolerance=1e-9)
    found = separate(LAPLACIAN)
    with pytest.raises(ParameterError, match="axis must be below 2, got 2"):
        found.unfolding(2)
    with pytest.raises(ParameterError, match="axis must be >= 0"):
        found.unfolding(-1)
    with pytest.raises(ParameterError, match="up to rank 2, got rank 3"):
        _ = separate(sympy.Matrix(3, 3, sympy.symbols("k:9"))).singular_values
    with pytest.raises(TooLargeError, match="at most 5000 minors"):
        _ = separate(sympy.Matrix(16, 16, [1, *sympy.symbols("k:15")] * 16)).condition


# ---------------------------------------------------------------------------------------------
# Planted mistakes


def rank_and_terms():
    dependent = [[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[1, 2, 0], [0, 0, 0], [2, 4, 0]]
    for kernel in (LAPLACIAN, *dependent, named_kernel("log5").array().tolist()):
        found = separate(kernel)
        assert found.rank == sympy.Matrix(kernel).rank()
        assert total(found).tolist() == kernel


def shares_exchanged(matrix):
    basis, others, vectors = column_basis(matrix)
    return basis, others[::-1], vectors


def large_terms():
    rng = np.random.default_rng(3)
    kernel = rng.integers(-9, 10, (30, 4)) @ rng.integers(-9, 10, (4, 40))
    assert total(separate(kernel)).tolist() == kernel.tolist()


def values_enclosed():
    kernel = [[1, 2, 0], [0, 3, 1], [1, 0, 5]]
    values = separate(kernel).singular_values
    expected = true_values(np.array(kernel, dtype=object), 3, 3)
    assert sum(value.multiplicity for value in values) == 3
    with mpmath.workdps(80):
        assert all(contains(v, n) for v, n in zip(values, expected, strict=True))


MUTANTS = {
    "rank modulo the prime taken for the rank": (
        factoring, "integer_rank", lambda rows: min(len(rows), len(rows[0])), rank_and_terms,
    ),
    "rows kept while columns change": (
        factoring, "_shortened", lambda columns, rows: (columns, rows[::-1]), rank_and_terms,
    ),
    "a share of another column": (
        factoring, "column_basis", shares_exchanged, large_terms,
    ),
    "placed without zeros": (
        factoring, "_placed", lambda vector, at: [vector[n] for n in at], rank_and_terms,
    ),
    "root rounded inwards": (
        singular, "root_above", lambda value, bits: singular._root_below(value, 4),
        values_enclosed,
    ),
    "gram of the wrong matrix": (singular, "_gram", lambda rows: rows, values_enclosed),
    "half an interval lost": (
        singular, "_refined", lambda signs, low, high, bits: (low, (low + high) / 2),
        values_enclosed,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_mutants_are_caught(name, monkeypatch):
    room, function, mutant, check = MUTANTS[name]
    check()
    monkeypatch.setattr(room, function, mutant)
    with pytest.raises((AssertionError, ArithmeticError, ValueError, IndexError, TypeError)):
        check()


def test_terms_are_checked_where_they_are_made(monkeypatch):
    def wrong(rows):
        columns, others = integer_factors(rows)
        return [[entry + 1 for entry in column] for column in columns], others

    monkeypatch.setattr("symconv.separable.arrays.integer_factors", wrong)
    with pytest.raises(AssertionError, match="do not sum to the kernel"):
        separate(LAPLACIAN)


def test_a_minor_less_is_noticed(monkeypatch):
    e, f, g, h = sympy.symbols("e f g h")
    kernel = [[e, f], [g, h]]
    assert separate(kernel).condition != ()
    monkeypatch.setattr(conditions, "_minors", lambda matrix: iter(()))
    assert separate(kernel).condition == ()
