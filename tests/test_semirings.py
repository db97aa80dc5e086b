"""Matrices over semirings against naive loops, and the laws that make them one."""

from __future__ import annotations

import copy
import pickle
from fractions import Fraction

import numpy as np
import oracles
import pytest
import strategies
import sympy
from hypothesis import given, strategies as st

from symconv.errors import (
    DTypeError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.semiring_matrix import SemiringMatrix
from symconv.semirings import (
    BOOLEAN,
    COUNTING,
    INFINITY,
    MAX_PLUS,
    MIN_PLUS,
    MINUS_INFINITY,
    SEMIRINGS,
)

ALL = tuple(SEMIRINGS.values())
NUMBERS = {
    COUNTING: st.integers(1, 5) | st.integers(2**40, 2**41),
    BOOLEAN: st.just(True),
    MAX_PLUS: st.integers(-4, 4)
    | st.fractions(-2, 2, max_denominator=3)
    | st.integers(2**61, 2**64),
    MIN_PLUS: st.integers(-4, 4) | st.integers(-(2**64), -(2**61)),
}


@st.composite
def matrices(draw, semiring, rows, columns):
    """Nested lists with the semiring's zero here and there."""
    entry = st.just(semiring.zero) | NUMBERS[semiring]
    line = st.lists(entry, min_size=columns, max_size=columns)
    return draw(st.lists(line, min_size=rows, max_size=rows))


def matrix(dense, semiring, columns=None):
    shape = len(dense), columns if columns is not None else len(dense[0])
    entries = {(i, j): v for i, row in enumerate(dense) for j, v in enumerate(row)}
    return SemiringMatrix(entries, shape, semiring)


def loops(semiring, a, b):
    """The product, from the semiring's own scalar operations."""
    result = []
    for row in a:
        line = []
        for column in zip(*b, strict=True):
            total = semiring.zero
            for left, right in zip(row, column, strict=True):
                if semiring.zero not in (left, right):
                    total = semiring.add(total, semiring.multiply(left, right))
            line.append(total)
        result.append(line)
    return result


@given(st.data(), st.sampled_from(ALL))
@strategies.examples(200)
def test_products_sums_and_powers_equal_loops(data, semiring):
    n, m, k = (data.draw(st.integers(1, 4)) for _ in range(3))
    a, b = data.draw(matrices(semiring, n, m)), data.draw(matrices(semiring, m, k))
    first, second = matrix(a, semiring), matrix(b, semiring)
    expected = loops(semiring, a, b)
    product = first @ second
    assert product.dense() == expected
    assert product == matrix(expected, semiring)
    assert hash(product) == hash(matrix(expected, semiring))
    assert (second.T @ first.T).dense() == product.T.dense()
    other = data.draw(matrices(semiring, n, m))
    pairs = zip(a, other, strict=True)
    added = [[semiring.add(p, q) for p, q in zip(*rows, strict=True)] for rows in pairs]
    assert (first + matrix(other, semiring)).dense() == added
    vector = data.draw(matrices(semiring, m, 1))
    assert (first @ [row[0] for row in vector]).tolist() == [
        row[0] for row in loops(semiring, a, vector)
    ]
    assert (first @ np.array(b, dtype=object)).tolist() == expected
    square = matrix(data.draw(matrices(semiring, n, n)), semiring)
    powers = [SemiringMatrix.identity(n, semiring)]
    for _ in range(4):
        powers.append(powers[-1] @ square)
    assert [square**e for e in range(5)] == powers


@given(st.data())
@strategies.examples(100)
def test_max_plus_equals_the_oracle(data):
    n, m, k = (data.draw(st.integers(1, 4)) for _ in range(3))
    entry = st.none() | st.integers(-9, 9)
    a = [[data.draw(entry) for _ in range(m)] for _ in range(n)]
    b = [[data.draw(entry) for _ in range(k)] for _ in range(m)]
    product = matrix(absent(a), MAX_PLUS) @ matrix(absent(b), MAX_PLUS)
    assert product.dense() == absent(oracles.max_plus_product(a, b))


def absent(dense):
    return [[MINUS_INFINITY if entry is None else entry for entry in row] for row in dense]


@given(st.data(), st.sampled_from(ALL))
@strategies.examples(60)
def test_the_laws_of_a_semiring(data, semiring):
    values = [data.draw(st.just(semiring.zero) | NUMBERS[semiring]) for _ in range(3)]
    a, b, c = (matrix([[value]], semiring) for value in values)
    zero = SemiringMatrix({}, (1, 1), semiring)
    one = SemiringMatrix.identity(1, semiring)
    assert a + b == b + a
    assert (a + b) + c == a + (b + c)
    assert (a @ b) @ c == a @ (b @ c)
    assert a @ (b + c) == a @ b + a @ c
    assert a + zero == a == a @ one == one @ a
    assert a @ zero == zero == zero @ a
    assert zero.nnz == 0


@given(st.data(), st.sampled_from(ALL), st.sampled_from([BOOLEAN, MAX_PLUS, MIN_PLUS]))
@strategies.examples(100)
def test_the_natural_maps_carry_sums_and_products(data, semiring, target):
    n, m, k = (data.draw(st.integers(1, 3)) for _ in range(3))
    a = matrix(data.draw(matrices(semiring, n, m)), semiring)
    b = matrix(data.draw(matrices(semiring, m, k)), semiring)
    c = matrix(data.draw(matrices(semiring, n, m)), semiring)
    assert (a @ b).to(target) == a.to(target) @ b.to(target)
    assert (a + c).to(target) == a.to(target) + c.to(target)
    assert a.T.to(target) == a.to(target).T
    assert a.kron(b).to(target) == a.to(target).kron(b.to(target))
    assert a.to(BOOLEAN).nnz == a.nnz


@given(st.data(), st.sampled_from(ALL))
@strategies.examples(60)
def test_kronecker_products_multiply_factor_by_factor(data, semiring):
    n, m, k, r = (data.draw(st.integers(1, 2)) for _ in range(4))
    shapes = ((n, m), (k, r), (m, k), (r, n))
    a, b, c, d = (matrix(data.draw(matrices(semiring, *shape)), semiring) for shape in shapes)
    assert a.kron(b) @ c.kron(d) == (a @ c).kron(b @ d)
    assert a.kron(b)[-1, -1] == (
        semiring.zero
        if semiring.zero in (a[-1, -1], b[-1, -1])
        else semiring.multiply(a[-1, -1], b[-1, -1])
    )


def test_sums_and_products_beyond_64_bits_are_exact():
    big = 2**62 - 1
    a = SemiringMatrix({(0, 0): big}, (1, 1), MAX_PLUS)
    assert (a @ a)[0, 0] == 2 * big
    assert (a**4)[0, 0] == 4 * big
    assert (a @ [big]).tolist() == [2 * big]
    negative = SemiringMatrix({(0, 0): -(2**63)}, (1, 1), MAX_PLUS)
    assert negative.to(MIN_PLUS)[0, 0] == 2**63
    assert negative.to(MIN_PLUS).to(MAX_PLUS) == negative
    count = SemiringMatrix({(0, 0): 2**40, (0, 1): 2**40}, (1, 2), COUNTING)
    assert (count @ count.T)[0, 0] == 2**81
    ones = SemiringMatrix({(0, j): 2**61 for j in range(8)}, (1, 8), COUNTING)
    assert ones.row_totals().tolist() == [2**64]
    same = SemiringMatrix.from_arrays([0] * 8, [0] * 8, [2**61] * 8, (1, 1), COUNTING)
    assert same[0, 0] == 2**64
    mixed = np.array([-1, 2**63], dtype=object)
    assert (SemiringMatrix({(0, 0): 0, (0, 1): 0}, (1, 2), MAX_PLUS) @ mixed).tolist() == [2**63]


def test_symbolic_entries():
    x, y = sympy.symbols("x y")
    a = SemiringMatrix({(0, 0): x, (0, 1): 2}, (1, 2), MAX_PLUS)
    b = SemiringMatrix({(0, 0): y, (1, 0): Fraction(1, 2)}, (2, 1), MAX_PLUS)
    assert (a @ b)[0, 0] == sympy.Max(x + y, sympy.Rational(5, 2))
    assert (a.to(MIN_PLUS) @ b.to(MIN_PLUS))[0, 0] == sympy.Min(-x - y, -sympy.Rational(5, 2))
    assert a.to(MIN_PLUS).to(MAX_PLUS) == a
    assert (a @ [1, y]).tolist() == [sympy.Max(x + 1, y + 2)]
    number = SemiringMatrix({(0, 0): sympy.Rational(1, 2)}, (1, 1), MAX_PLUS)
    assert number == SemiringMatrix({(0, 0): Fraction(1, 2)}, (1, 1), MAX_PLUS)
    assert (number @ number)[0, 0] == 1
    assert number @ number == SemiringMatrix({(0, 0): 1}, (1, 1), MAX_PLUS)


def test_canonical_form():
    scrambled = SemiringMatrix.from_arrays([1, 0, 1], [0, 1, 0], [3, 1, 5], (2, 2), MAX_PLUS)
    assert list(scrambled.entries()) == [(0, 1, 1), (1, 0, 5)]
    assert SemiringMatrix({(0, 0): 0}, (1, 1), COUNTING).nnz == 0
    assert SemiringMatrix({(0, 0): MINUS_INFINITY}, (1, 1), MAX_PLUS).nnz == 0
    assert SemiringMatrix({(0, 0): -sympy.oo}, (1, 1), MAX_PLUS).nnz == 0
    assert SemiringMatrix({(0, 0): INFINITY}, (1, 1), MIN_PLUS).nnz == 0
    assert SemiringMatrix({(0, 0): False, (0, 1): True}, (1, 2), BOOLEAN).nnz == 1
    assert SemiringMatrix({}, (0, 3), MAX_PLUS).dense() == []
    assert SemiringMatrix({}, (0, 3), MAX_PLUS).T.dense() == [[], [], []]
    assert SemiringMatrix({}, (2, 0), MAX_PLUS) @ SemiringMatrix({}, (0, 2), MAX_PLUS) == (
        SemiringMatrix({}, (2, 2), MAX_PLUS)
    )
    assert (SemiringMatrix({}, (2, 1), MAX_PLUS) @ [1]).tolist() == [MINUS_INFINITY] * 2
    assert (SemiringMatrix({}, (2, 1), BOOLEAN) @ [True]).tolist() == [False] * 2
    assert (SemiringMatrix({}, (2, 1), COUNTING) @ [1]).tolist() == [0] * 2


def test_equality_needs_the_same_semiring_and_shape():
    a = SemiringMatrix({(0, 0): 1}, (1, 1), MAX_PLUS)
    assert a != SemiringMatrix({(0, 0): 1}, (1, 1), MIN_PLUS)
    assert a != SemiringMatrix({(0, 0): 1}, (1, 2), MAX_PLUS)
    assert a != SemiringMatrix({(0, 0): 2}, (1, 1), MAX_PLUS)
    assert a != "a"
    assert copy.deepcopy(a) == a
    assert pickle.loads(pickle.dumps(a)) == a  # noqa: S301


def test_nothing_changes_a_matrix():
    values, rows = np.array([3, 4]), np.array([0, 0])
    a = SemiringMatrix.from_arrays(rows, np.array([0, 1]), values, (1, 2), MAX_PLUS)
    values[0], rows[0] = 9, 7
    assert a.dense() == [[3, 4]]
    with pytest.raises(ValueError, match="read-only"):
        a.arrays().values[0] = 5
    with pytest.raises(AttributeError):
        a.shape = (2, 2)
    x = np.array([1, 2])
    a @ x
    x[0] = 5


def test_entries_are_looked_up_by_place():
    a = SemiringMatrix({(0, 1): 3, (2, 0): 1}, (3, 2), COUNTING)
    assert [a[i, j] for i in range(3) for j in range(2)] == [0, 3, 0, 0, 1, 0]
    assert a[-1, -2] == 1
    assert a[np.int64(0), 1] == 3
    for place in ((3, 0), (0, 2), (-4, 0)):
        with pytest.raises(ParameterError, match=r"index must lie inside shape \(3, 2\)"):
            a[place]
    with pytest.raises(ShapeError, match="index must be"):
        a[0,]
    with pytest.raises(ParameterTypeError, match="index must be"):
        a[0]


def test_scipy_takes_what_has_the_zero_0():
    a = SemiringMatrix({(0, 1): 3}, (2, 2), COUNTING)
    assert a.sparse().toarray().tolist() == [[0, 3], [0, 0]]
    assert a.to(BOOLEAN).sparse(bool).toarray().tolist() == [[False, True], [False, False]]
    with pytest.raises(ParameterError, match="semiring must have the zero 0 for SciPy"):
        a.to(MAX_PLUS).sparse()
    with pytest.raises(DTypeError, match="matrix must hold counts below"):
        SemiringMatrix({(0, 0): 2**70}, (1, 1), COUNTING).sparse()


def test_text_and_latex():
    a = SemiringMatrix({(0, 0): 0, (1, 1): -3}, (2, 2), MAX_PLUS)
    assert str(a) == "[ 0  −∞]\n[−∞  -3]"
    assert str(a.to(MIN_PLUS)) == "[0  ∞]\n[∞  3]"
    assert str(a.to(BOOLEAN)) == "[1  ·]\n[·  1]"
    assert repr(a) == "<SemiringMatrix 2×2 over (max, +), 2 entries>"
    assert a.latex() == r"\left[\begin{matrix}0 & -\infty\\-\infty & -3\end{matrix}\right]"
    assert a.to(BOOLEAN)._repr_latex_() == (
        r"$$\left[\begin{matrix}1 & \cdot\\\cdot & 1\end{matrix}\right]$$"
    )
    assert "over (max, +)" in a._repr_html_()
    large = SemiringMatrix.identity(5000, MAX_PLUS)
    assert large._repr_latex_() is None
    assert large.latex(3, 3).endswith(r"_{5000 \times 5000}")


def test_the_infinities():
    assert MINUS_INFINITY < -(10**100) < 10**100 < INFINITY
    assert Fraction(-1, 3) > MINUS_INFINITY
    assert max(MINUS_INFINITY, -5) == -5
    assert min(INFINITY, MINUS_INFINITY, 0) is MINUS_INFINITY
    assert -INFINITY is MINUS_INFINITY
    assert 5 + INFINITY is INFINITY
    assert INFINITY + INFINITY is INFINITY
    assert copy.deepcopy(INFINITY) is INFINITY
    assert {INFINITY: 1}[INFINITY] == 1
    assert sympy.sympify(MINUS_INFINITY) is -sympy.oo
    with pytest.raises(ParameterError, match="∞ \\+ −∞ has no value"):
        INFINITY + MINUS_INFINITY
    with pytest.raises(DTypeError, match="meets no float"):
        INFINITY + 1.5


# Bad input


@pytest.mark.parametrize(
    ("entries", "semiring", "kind", "match"),
    [
        ({(0, 0): 1.5}, MAX_PLUS, DTypeError, "values must hold"),
        ({(0, 0): float("-inf")}, MAX_PLUS, DTypeError, "values must hold"),
        ({(0, 0): np.float32(1)}, MAX_PLUS, DTypeError, "values must"),
        ({(0, 0): INFINITY}, MAX_PLUS, DTypeError, "values must hold"),
        ({(0, 0): MINUS_INFINITY}, MIN_PLUS, DTypeError, "values must hold"),
        ({(0, 0): -1}, COUNTING, DTypeError, "must hold integers >= 0"),
        ({(0, 0): Fraction(1, 2)}, COUNTING, DTypeError, "must hold integers >= 0"),
        ({(0, 0): sympy.Symbol("x")}, COUNTING, DTypeError, "must hold integers >= 0"),
        ({(0, 0): 2}, BOOLEAN, DTypeError, "must hold True and False"),
        ({(0, 0): 1.0}, BOOLEAN, DTypeError, "must hold True and False"),
        ({(0, 0): "1"}, MAX_PLUS, DTypeError, "values must hold"),
        ({(0, 2): 1}, MAX_PLUS, ParameterError, "must lie inside shape"),
        ({(-1, 0): 1}, MAX_PLUS, ParameterError, "place must be >= 0"),
        ({(0, 0.5): 1}, MAX_PLUS, ParameterTypeError, "place must be an integer"),
        ({(0,): 1}, MAX_PLUS, ShapeError, "keys"),
        ({0: 1}, MAX_PLUS, ShapeError, "keys"),
        ([((0, 0), 1)], MAX_PLUS, ParameterTypeError, "entries must map"),
        ({(0, 0): 1}, "MAX_PLUS", ParameterTypeError, "semiring must be one of COUNTING"),
    ],
)
def test_bad_entries(entries, semiring, kind, match):
    with pytest.raises(kind, match=match):
        SemiringMatrix(entries, (2, 2), semiring)


def test_bad_shapes_and_partners():
    a = SemiringMatrix({(0, 0): 1}, (2, 3), MAX_PLUS)
    for shape in ((2,), (2, -1), (2**63, 1)):
        with pytest.raises((ShapeError, ParameterError), match="shape must be"):
            SemiringMatrix({}, shape, MAX_PLUS)
    with pytest.raises(ShapeError, match="shapes must fit for a product"):
        a @ a
    with pytest.raises(ShapeError, match="shapes must agree for ⊕"):
        a + a.T
    with pytest.raises(ShapeError, match="must be square for a power"):
        a**2
    with pytest.raises(ParameterError, match="exponent must be >= 0"):
        SemiringMatrix.identity(2, MAX_PLUS) ** -1
    with pytest.raises(ParameterError, match="semirings must agree, got MAX_PLUS and MIN_PLUS"):
        a @ a.to(MIN_PLUS).T
    with pytest.raises(ParameterError, match="got MAX_PLUS to COUNTING"):
        a.to(COUNTING)
    with pytest.raises(ShapeError, match=r"x must have shape \(3,\) or \(3, m\), got \(2,\)"):
        a @ [1, 2]
    with pytest.raises(DTypeError, match="x must be exact over"):
        a @ np.ones(3)
    with pytest.raises(ParameterTypeError, match="x must stand on the right"):
        np.ones(2, dtype=int) @ a
    with pytest.raises(TypeError):
        a + 1
    with pytest.raises(ParameterTypeError, match="other must be a SemiringMatrix"):
        a.kron(3)
    with pytest.raises(ShapeError, match="rows and columns must be as many"):
        SemiringMatrix.from_arrays([0], [0, 1], [1], (1, 2), MAX_PLUS)
    with pytest.raises(ShapeError, match="rows must be a one-dimensional array of integers"):
        SemiringMatrix.from_arrays([[0]], [0], [1], (1, 2), MAX_PLUS)
    with pytest.raises(ShapeError, match="values must have shape"):
        SemiringMatrix.from_arrays([0], [0], [1, 2], (1, 2), MAX_PLUS)
    with pytest.raises(ShapeError, match="values must have two axes"):
        SemiringMatrix.from_dense([1, 2], MAX_PLUS)


def test_what_does_not_fit_is_refused():
    wide = SemiringMatrix({(0, 0): 1}, (2**40, 2**40), MAX_PLUS)
    for call in (
        lambda: wide @ wide,
        wide.dense,
        wide.row_totals,
        lambda: SemiringMatrix.identity(2**40, MAX_PLUS),
    ):
        with pytest.raises(TooLargeError):
            call()
    assert wide[0, 0] == 1
    assert wide.T[0, 0] == 1
