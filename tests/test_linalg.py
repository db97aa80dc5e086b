"""Exact linear algebra on operators, against SymPy's domain matrices built from naive loops."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import strategies
import sympy
from checking import integers, oracle_matrix
from hypothesis import given, reject, strategies as st
from sympy.combinatorics import Permutation
from sympy.polys.matrices import DomainMatrix

import symconv as sc
from symconv import linalg
from symconv.errors import (
    DTypeError,
    GeometryError,
    ParameterError,
    ParameterTypeError,
    ShapeError,
    TooLargeError,
)
from symconv.linalg import commuting, generic, solving
from symconv.linalg.forms import Forms
from symconv.modular import elimination, ordering, ranks, systems
from symconv.modular.elimination import eliminate, prime_at
from symconv.modular.integer_matrix import IntegerMatrix
from symconv.modular.lifting import fraction, rational_columns

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])[None, None]
LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])[None, None]
BOX = np.ones((1, 1, 3, 3), dtype=int)


def conv(**options):
    return sc.Conv2d(1, 1, 3, bias=False, **options)


def rational(value):
    return sympy.Rational(int(value.numerator), int(value.denominator))


def column(array):
    return sympy.Matrix([rational(value) for value in np.ravel(array).tolist()])


def over_rationals(matrix):
    """A DomainMatrix over QQ of any array of ints and Fractions."""
    rows = [[sympy.QQ(int(v.numerator), int(v.denominator)) for v in row] for row in matrix]
    return DomainMatrix(rows, matrix.shape, sympy.QQ)


@st.composite
def bound_cases(draw, most=10**6):
    """A bound operator, its matrix by loops, small weights so that it is often deficient."""
    layer, size = draw(strategies.conv_cases() | strategies.transpose_cases())
    op = layer.operator(size)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    weight = rng.integers(-1, 2, op.weight_shape)
    if draw(st.booleans()):
        weight = weight * Fraction(draw(st.integers(1, 5)), 7)
    matrix = oracle_matrix(layer, size, weight)
    if max(matrix.shape) > most:
        matrix = matrix[:0]
    bound = op.bind(weight)
    return (bound.T, matrix.T) if draw(st.booleans()) else (bound, matrix)


@given(bound_cases())
@strategies.examples(100)
def test_rank_null_space_and_determinant_equal_sympy(case):
    bound, matrix = case
    if max(matrix.shape) > 100:
        return
    exact = over_rationals(matrix)
    rank = exact.rank()
    rows, columns = bound.shape
    assert linalg.rank(bound) == rank
    assert linalg.nullity(bound) == columns - rank
    for op, shape in ((bound, bound.operator.input_shape), (bound.T, bound.operator.output_shape)):
        basis = linalg.null_space(op)
        assert basis.shape == (op.shape[1] - rank, *shape)
        flat = basis.reshape(len(basis), op.shape[1])
        assert not np.any((matrix if op is bound else matrix.T) @ flat.T.astype(object))
        if len(basis):
            assert over_rationals(flat).rank() == len(basis)
            assert all(np.gcd.reduce(vector) == 1 for vector in flat)
    assert bool(linalg.is_injective(bound)) == (rank == columns)
    assert bool(linalg.is_surjective(bound)) == (rank == rows)
    assert bool(linalg.is_invertible(bound)) == (rank == rows == columns)
    if rows == columns:
        determinant = exact.det() if rows else sympy.QQ(1)
        assert rational(linalg.determinant(bound)) == sympy.QQ.to_sympy(determinant)


@given(bound_cases(40), st.integers(0, 10**6), st.fractions(Fraction(1, 9), 5, max_denominator=9))
@strategies.examples(60)
def test_least_squares_satisfies_what_defines_it(case, seed, strength):
    bound, matrix = case
    if not matrix.size or max(matrix.shape) > 40:
        return
    rng = np.random.default_rng(seed)
    y = rng.integers(-9, 10, bound.operator.output_shape)
    a, b = (
        sympy.Matrix(matrix.shape[0], matrix.shape[1], list(map(rational, matrix.ravel()))),
        column(y),
    )
    x = linalg.least_squares(bound, y)
    assert x.shape == bound.operator.input_shape
    assert a.T * (a * column(x) - b) == sympy.zeros(a.shape[1], 1)
    # The shortest: orthogonal to the null space.
    null = linalg.null_space(bound)
    assert not np.any(
        null.reshape(len(null), bound.shape[1]).astype(object) @ x.ravel().astype(object)
    )
    damped = column(linalg.least_squares(bound, y, strength))
    assert a.T * (a * damped - b) + rational(strength) * damped == sympy.zeros(a.shape[1], 1)


@given(bound_cases(40), st.integers(0, 10**6))
@strategies.examples(60)
def test_solve_finds_what_went_in_or_says_that_there_are_several(case, seed):
    bound, _ = case
    x = np.random.default_rng(seed).integers(-99, 100, (2, *bound.operator.input_shape))
    y = bound.operator.apply_linear(x, bound.weight)
    if linalg.nullity(bound):
        with pytest.raises(ParameterError, match="many solutions"):
            linalg.solve(bound, y)
    else:
        assert np.array_equal(linalg.solve(bound, y), x)


@given(strategies.pool_cases())
@strategies.examples(60)
def test_pooling_has_the_rank_of_its_exact_matrix(case):
    layer, size = case
    try:
        op = layer.operator(size)
    except GeometryError:
        reject()
    matrix = np.array(op.exact().tolist(), dtype=object).reshape(op.shape)
    exact = over_rationals(np.vectorize(lambda v: Fraction(int(v.p), int(v.q)), otypes="O")(matrix))
    assert linalg.rank(op) == exact.rank()


@given(strategies.conv_cases() | strategies.transpose_cases())
@strategies.examples(80)
def test_generic_rank_bounds_every_rank(case):
    layer, size = case
    op = layer.operator(size)
    found = linalg.generic_rank(op)
    assert found.lower <= found.upper <= min(op.shape)
    for seed in range(3):
        weight = integers(op.weight_shape, seed, -3, 3)
        assert linalg.rank(op.bind(weight)) <= found.upper
    if found.verdict.status == "PROVED":
        assert found.rank == found.lower
        assert linalg.generic_rank(op.T).lower == found.lower


# Known answers.


@pytest.mark.parametrize(
    ("layer", "weight", "size", "nullity"),
    [
        (conv(padding=1, padding_mode="circular"), LAPLACIAN, (32, 32), 1),
        (conv(padding=1), LAPLACIAN, (32, 32), 0),
        (conv(padding=1), SOBEL, (32, 32), 0),
        (conv(padding=1), SOBEL, (33, 33), 33),
        (conv(padding=1, padding_mode="circular"), SOBEL, (32, 32), 94),
        (conv(padding=1, padding_mode="circular"), BOX, (33, 33), 33**2 - 31**2),
        # Three frequencies per axis are zeros of 1 + z + z² + z³.
        (
            sc.Conv2d(1, 1, 4, padding="same", padding_mode="circular", bias=False),
            np.ones((1, 1, 4, 4), dtype=int),
            (32, 32),
            1024 - 29**2,
        ),
    ],
)
def test_known_nullities(layer, weight, size, nullity):
    bound = layer.operator(size).bind(weight)
    assert linalg.nullity(bound) == nullity
    basis = linalg.null_space(bound)
    assert len(basis) == nullity
    assert not np.any(bound.operator.apply_linear(basis, weight))


def test_200_dependent_rows_are_found_in_channels():
    op = sc.Conv2d(3, 4, 3, padding=1, bias=False).operator((15, 15))
    weight = integers(op.weight_shape)
    weight[3] = 2 * weight[0] - weight[1]
    proof = linalg.rank_proof(op.bind(weight))
    assert proof.rank == 675
    left = linalg.null_space(op.T.bind(weight))
    assert len(left) == 225
    near_miss = weight.copy()
    near_miss[3, 0, 0, 0] += 1
    assert linalg.nullity(op.T.bind(near_miss)) == 225


def test_sobel_sees_no_columns_that_are_constant():
    op = conv(padding=1, padding_mode="replicate").operator((4, 5))
    rows = np.broadcast_to(np.arange(4)[:, None], (4, 5))[None]
    assert not np.any(op.apply(rows, SOBEL))
    assert linalg.nullity(op.bind(SOBEL)) == 4


@pytest.mark.parametrize("size", [1, 2, 5, 64, 65, 130, 200])
def test_the_second_difference_has_determinant_n_plus_1(size):
    op = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((size,))
    assert linalg.determinant(op.bind([[[-1, 2, -1]]])) == size + 1
    assert linalg.determinant(op.bind([[[1, -2, 1]]])) == (-1) ** size * (size + 1)


def test_a_shift_by_one_has_the_determinant_of_its_permutation():
    for n in range(1, 9):
        op = sc.Conv1d(1, 1, 1, padding=((1, -1),), padding_mode="circular", bias=False)
        assert linalg.determinant(op.operator((n,)).bind([[[1]]])) == (-1) ** (n - 1)


@given(st.permutations(range(12)))
def test_sign_of_a_permutation(order):
    order = np.array(order)
    assert systems._sign(np.arange(12), order) == Permutation(order.tolist()).signature()
    assert systems._sign(order, np.arange(12)) == Permutation(order.tolist()).signature()


# Primes that happen to divide, numbers beyond 64 bits, blocks of any size.


def test_a_prime_that_divides_everything_is_no_proof():
    p, q = prime_at(0), prime_at(1)
    op = sc.Conv1d(1, 1, 1, bias=False).operator((5,))
    for weight in (p, p * q, p * q * prime_at(2)):
        bound = op.bind([[[weight]]])
        assert linalg.rank(bound) == 5
        assert len(linalg.null_space(bound)) == 0
        assert linalg.determinant(bound) == weight**5
        assert linalg.is_injective(bound).status == "PROVED"
        assert linalg.solve(bound, [[weight, 0, 2 * weight, 0, 0]]).tolist() == [[1, 0, 2, 0, 0]]
        assert linalg.solve(bound, [[1, 0, 0, 0, 0]])[0, 0] == Fraction(1, weight)
        assert sympy.Matrix(linalg.inverse(bound)) == sympy.eye(5) / weight


def test_an_eigenvalue_divisible_by_the_prime():
    # 1 + (p − 1) = p: only the constant vector looks like a null vector modulo p.
    p = prime_at(0)
    op = sc.Conv1d(1, 1, 2, padding="same", padding_mode="circular", bias=False).operator((5,))
    bound = op.bind([[[1, p - 1]]])
    assert eliminate(IntegerMatrix.of(bound.sparse(np.int64)), np.arange(5), p).rank == 4
    proof = linalg.rank_proof(bound)
    assert proof.rank == 5
    assert len(linalg.null_space(bound)) == 0


@pytest.mark.parametrize("factor", [10**12, 10**30, Fraction(10**30, 7)])
def test_huge_weights(factor):
    op = conv(padding=1, padding_mode="circular").operator((6, 6))
    bound, plain = op.bind(SOBEL.astype(object) * factor), op.bind(SOBEL)
    assert linalg.rank(bound) == linalg.rank(plain) == 20
    assert np.array_equal(linalg.null_space(bound), linalg.null_space(plain))
    invertible = conv(padding=1).operator((4, 4))
    assert linalg.determinant(invertible.bind(LAPLACIAN.astype(object) * factor)) == (
        factor**16 * linalg.determinant(invertible.bind(LAPLACIAN))
    )
    y = integers((1, 4, 4))
    ours = linalg.least_squares(invertible.bind(LAPLACIAN.astype(object) * factor), y)
    theirs = linalg.least_squares(invertible.bind(LAPLACIAN), y)
    assert all(a * Fraction(factor) == b for a, b in zip(ours.ravel(), theirs.ravel(), strict=True))


def test_null_vectors_of_thousands_of_digits():
    op = sc.Conv1d(1, 1, 2, bias=False).operator((400,))
    (vector,) = linalg.null_space(op.bind([[[3, 7]]]))
    assert vector[0].tolist() == [(-1) ** (k + 1) * 7 ** (399 - k) * 3**k for k in range(400)]
    assert linalg.rank_proof(op.bind([[[3, 7]]])).rank == 399


def test_rank_by_primes_where_null_vectors_are_not_used(monkeypatch):
    monkeypatch.setattr(ranks, "_null", lambda *_: None)
    op = conv(padding=1, padding_mode="circular").operator((8, 8))
    proof = linalg.rank_proof(op.bind(SOBEL))
    assert proof.rank == 64 - 22
    assert "Hadamard" in proof.reason


def test_small_blocks_eliminate_alike(monkeypatch):
    bound = conv(padding=1, padding_mode="reflect").operator((9, 7)).bind(SOBEL)
    expected = linalg.null_space(bound), linalg.rank(bound)
    for block, terms in ((1, 1), (3, 2), (7, 300)):
        monkeypatch.setattr(elimination, "BLOCK", block)
        monkeypatch.setattr(elimination, "TERMS", terms)
        assert np.array_equal(linalg.null_space(bound), expected[0])
        assert linalg.rank(bound) == expected[1]


def test_balanced_residues_stay_exact_at_the_limit_of_float64():
    prime = prime_at(0)
    most = elimination.TERMS * (prime // 2) ** 2
    assert most + prime < 2**53
    values = [most, -most, most - 1, prime * (most // prime), 0, prime, -prime, prime // 2]
    reduced = elimination.balanced(np.array(values, dtype=np.float64), prime)
    for value, residue in zip(values, reduced.tolist(), strict=True):
        assert (value - int(residue)) % prime == 0
        assert abs(residue) <= prime / 2 + 8
        assert (residue == 0) == (value % prime == 0)


# Planted mistakes: nothing wrong may be believed.


def test_wrong_candidates_are_not_believed(monkeypatch):
    honest = ranks.lifted

    def mistaken(*given, **options):
        for numerators, denominators in honest(*given, **options):
            wrong = numerators.copy()
            wrong[0] += 1
            yield wrong, denominators
            yield numerators, denominators

    op = conv(padding=1, padding_mode="circular").operator((5, 5))
    bound = op.bind(LAPLACIAN)
    y = op.apply(integers((1, 5, 5)), LAPLACIAN)
    expected = linalg.null_space(bound), linalg.least_squares(bound, y)
    monkeypatch.setattr(ranks, "lifted", mistaken)
    monkeypatch.setattr(systems, "lifted", mistaken)
    assert np.array_equal(linalg.null_space(bound), expected[0])
    assert np.array_equal(linalg.least_squares(bound, y), expected[1])


def test_too_few_null_vectors_are_no_upper_bound(monkeypatch):
    # A null space that lost a vector, and one modulo p only.
    monkeypatch.setattr(ranks, "_null", lambda *_: None)
    bound = conv(padding=1).operator((6, 6)).bind(SOBEL)
    assert linalg.rank(bound) == 36


def test_rational_columns_refuse_what_is_no_small_fraction():
    modulus = prime_at(0)
    value = 1234567
    assert rational_columns(np.array([[value]]), modulus) is None or (
        fraction(value, modulus, 2047, 2047) is not None
    )
    found = [v for v in range(2000, 2400) if fraction(v, modulus, 2047, 2047) is None]
    assert found
    assert rational_columns(np.array([[found[0]]]), modulus) is None


@given(st.integers(-2000, 2000), st.integers(1, 2000))
def test_fractions_are_read_from_their_residues(numerator, denominator):
    modulus = prime_at(0)
    value = Fraction(numerator, denominator)
    residue = value.numerator * pow(value.denominator, -1, modulus)
    assert fraction(residue, modulus, 2047, 2047) == (value.numerator, value.denominator)


# Verdicts.


def test_refutations_are_checked_by_running_them():
    bound = conv(padding=1, padding_mode="circular").operator((6, 6)).bind(BOX)
    verdict = linalg.is_injective(bound)
    assert verdict.status == "REFUTED"
    assert np.any(verdict.counterexample)
    assert not np.any(bound.operator.apply(verdict.counterexample, BOX))
    verdict = linalg.is_surjective(bound)
    assert not np.any(bound.operator.T.apply(verdict.counterexample, BOX))
    near_miss = BOX.copy()
    near_miss[0, 0, 1, 1] = 2
    assert linalg.is_invertible(bound.operator.bind(near_miss)).status == "PROVED"


def test_verdicts_about_free_weights():
    wide = sc.Conv1d(1, 1, 3, bias=False).operator((8,))
    assert linalg.is_surjective(wide).status == "PROVED"
    refuted = linalg.is_injective(wide)
    assert refuted.status == "REFUTED"
    assert refuted.scope == "all weights at 6×8"
    assert linalg.is_invertible(wide).counterexample == {"rows": 6, "columns": 8}
    square = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((8,))
    verdict = linalg.is_invertible(square)
    assert verdict.status == "PROVED"
    assert verdict.scope == "almost all weights at 8×8"
    more = sc.Conv1d(1, 1, 1, padding=((0, 2),), padding_mode="replicate", bias=False)
    refuted = linalg.is_surjective(more.operator((3,)))
    assert (refuted.status, refuted.scope) == ("REFUTED", "all weights at 5×3")


# Ranks for almost all weights.


def polynomial_rank(layer, size):
    """The rank over the rational functions in the weights, of the matrix by loops."""
    op = layer.operator(size)
    matrix = sympy.Matrix(oracle_matrix(layer, size, op.weight_symbols()).tolist())
    symbols = sorted(matrix.free_symbols, key=str)
    if not symbols:
        return 0
    return DomainMatrix.from_Matrix(matrix).convert_to(sympy.QQ.frac_field(*symbols)).rank()


@given(strategies.conv_cases() | strategies.transpose_cases())
@strategies.examples(80)
def test_generic_rank_is_the_rank_over_rational_functions(case):
    layer, size = case
    op = layer.operator(size)
    if max(op.shape) > 10 or np.prod(op.weight_shape) > 8:
        return
    assert linalg.generic_rank(op).rank == polynomial_rank(layer, size)


#: Layer, size, rank, what bounds it from above.
GENERIC = [
    # Two windows read the same samples, and some of them nothing new.
    (
        sc.Conv2d(1, 1, (1, 3), padding=((1, 3), (3, 0)), dilation=(3, 2), input_dilation=(1, 2),
                  padding_mode="replicate", bias=False),
        (3, 2), 3, "pattern",
    ),
    (sc.Conv1d(1, 1, 1, padding=((2, 2),), padding_mode="replicate", bias=False), (2,), 2,
     "pattern"),
    # Kernels u, v of two channels: (v∗g, −u∗g) for every g that fits.
    (sc.Conv1d(2, 1, 3, padding=2, bias=False), (4,), 6, "pattern"),
    (sc.Conv1d(2, 2, 3, padding=((1, 3),), dilation=2, groups=2, padding_mode="replicate",
               bias=False), (6,), 10, "shrinks"),
    (sc.Conv2d(2, 1, 2, padding=1, bias=False), (3, 3), 14, "commute"),
    (sc.ConvTranspose2d(1, 2, 2, bias=False), (3, 3), 9, "pattern"),
    (sc.ConvTranspose2d(2, 1, 2, bias=False), (3, 3), 14, "commute"),
    # The even and the odd samples of one channel are two channels for stride 2.
    (
        sc.Conv2d(1, 1, (2, 3), stride=(1, 2), padding=((3, 3), (3, 2)), dilation=(3, 1),
                  bias=False),
        (4, 3), 11, "commute",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "size", "rank", "why"), GENERIC)
def test_generic_ranks_that_the_full_pattern_does_not_show(layer, size, rank, why):
    op = layer.operator(size)
    found = linalg.generic_rank(op)
    assert (found.rank, found.verdict.status) == (rank, "PROVED")
    assert why in found.verdict.reason
    assert polynomial_rank(layer, size) == rank
    assert linalg.generic_rank(op.T).rank == rank


def test_a_subspace_that_every_weight_shrinks(monkeypatch):
    op = sc.Conv1d(1, 1, 3, padding=((1, 3),), dilation=2, padding_mode="symmetric", bias=False)
    forms, rng = Forms.of(op.operator((4,))), np.random.default_rng(0)
    lower, upper, why = generic._one_group(forms)
    assert (lower, upper) == (3, 3)
    assert "shrinks" in why
    weight = rng.integers(1, 99, (1, 1, 3))
    basis = generic._shrunk_subspace(forms, forms.at(weight), prime_at(0))
    assert generic._allowed(forms, basis) == 3
    # Whatever subspace is put in, the bound is true: a wrong one decides nothing.
    for columns in range(5):
        assert generic._allowed(forms, rng.integers(-2, 3, (4, columns))) >= 3
    monkeypatch.setattr(generic, "_shrunk_subspace", lambda *_: None)
    assert generic._one_group(forms)[:2] == (3, 4)


def test_an_undecided_generic_rank_says_so():
    # Two outputs of three channels: the null vectors are of degree 2 in the weights.
    found = linalg.generic_rank(sc.Conv2d(3, 2, 3, padding=2, bias=False).operator((6, 6)))
    assert (found.lower, found.upper, found.verdict.status) == (104, 108, "UNDECIDED")
    with pytest.raises(ValueError, match="UNDECIDED"):
        _ = found.rank


def null_vectors_of_commuting_kernels(forms):
    """Products of the forms' matrix with every null vector claimed, as polynomials, by loops."""
    n_taps, positions = len(forms.table), forms.shape[1] // forms.ins
    w = sympy.symbols(f"w:{forms.ins * n_taps}")
    read = np.vstack(
        [np.where(forms.table < 0, -1, forms.table + c * positions) for c in range(forms.ins)]
    )
    products = {}
    for tap, place, number, sign in zip(
        *commuting._coefficients(read, forms.ins * positions), strict=True
    ):
        for k, row in np.argwhere(read == place):
            at = int(number), int(row)
            products[at] = products.get(at, 0) + int(sign) * w[tap] * w[k]
    return [sympy.expand(value) for value in products.values()]


@given(strategies.conv_cases(ranks=(1, 2)))
@strategies.examples(60)
def test_null_vectors_of_commuting_kernels_are_null_vectors(case):
    forms = Forms.of(case[0].operator(case[1]))
    if forms.outs == 1 and forms.ins <= 2:
        assert not any(null_vectors_of_commuting_kernels(forms))


def test_a_wrong_sign_is_no_null_vector(monkeypatch):
    forms = Forms.of(sc.Conv2d(2, 1, 2, padding=1, bias=False).operator((3, 3)))
    assert null_vectors_of_commuting_kernels(forms)
    assert not any(null_vectors_of_commuting_kernels(forms))
    honest = commuting._coefficients
    monkeypatch.setattr(
        commuting, "_coefficients", lambda *given: (*honest(*given)[:3], abs(honest(*given)[3]))
    )
    assert any(null_vectors_of_commuting_kernels(forms))


@pytest.mark.parametrize(
    ("name", "mutant"),
    [
        # One vector too many, and a subspace said to shrink by one more.
        ("commuting_nullity", lambda *_: (5, 0)),
        ("matching", lambda matrix: 13),
    ],
)
def test_a_bound_that_is_too_small_is_noticed(monkeypatch, name, mutant):
    monkeypatch.setattr(generic, name, mutant)
    layer, size = sc.Conv2d(2, 1, 2, padding=1, bias=False), (3, 3)
    with pytest.raises(AssertionError):
        assert linalg.generic_rank(layer.operator(size)).upper >= polynomial_rank(layer, size)


def test_a_transposed_convolution_restores_values_exactly_when_its_gram_is_the_identity():
    half = Fraction(1, 2)
    haar = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]])
    weight = (haar * half).reshape(4, 1, 2, 2)
    op = sc.Conv2d(1, 4, 2, stride=2, bias=False).operator((6, 4))
    assert linalg.orthogonality(op.bind(weight)).status == "PROVED"
    x = integers(op.input_shape)
    assert np.array_equal(op.T.apply(op.apply(x, weight), weight), x)
    near_miss = weight.copy()
    near_miss[3, 0, 1, 1] = -half
    verdict = linalg.orthogonality(op.bind(near_miss))
    assert verdict.counterexample["row"] == 0
    assert verdict.counterexample["entry"] == sum(
        near_miss[k, 0, 0, 0] * near_miss[k, 0, *divmod(verdict.counterexample["column"], 4)]
        for k in range(4)
    )
    # N2, N7: the shape is restored by any transposed convolution, the values are not.
    assert not linalg.orthogonality(conv(padding=1).operator((4, 4)).bind(SOBEL))


@given(strategies.conv_cases(ranks=(1,)) | strategies.transpose_cases(ranks=(1,)))
@strategies.examples(80)
def test_gram_verdicts_equal_the_gram_matrix(case):
    layer, size = case
    op = layer.operator(size)
    for weight in (integers(op.weight_shape, 0, -1, 1), np.ones(op.weight_shape, dtype=int), None):
        symbols = op.weight_symbols() if weight is None else weight
        matrix = sympy.Matrix(oracle_matrix(layer, size, symbols).tolist())
        gram = (matrix.T * matrix).applyfunc(sympy.expand)
        n = gram.shape[0]
        multiple = gram == gram[0, 0] * sympy.eye(n)
        subject = op if weight is None else op.bind(weight)
        assert bool(linalg.orthogonality(subject)) == (gram == sympy.eye(n))
        assert bool(linalg.orthogonality(subject, "multiple")) == multiple
        assert bool(linalg.orthogonality(subject, "diagonal")) == all(
            gram[i, j] == 0 for i in range(n) for j in range(n) if i != j
        )
        verdict = linalg.orthogonality(subject)
        if verdict.status == "REFUTED":
            at = verdict.counterexample["row"], verdict.counterexample["column"]
            wrong = [(i, j) for i in range(n) for j in range(n) if gram[i, j] != int(i == j)]
            assert at == wrong[0]
            assert sympy.expand(gram[at] - verdict.counterexample["entry"]) == 0


def test_where_windows_do_not_overlap_the_gram_is_a_multiple_for_all_weights():
    op = sc.ConvTranspose2d(1, 1, 2, stride=2, bias=False).operator((2, 2))
    verdict = linalg.orthogonality(op, "multiple")
    assert verdict.status == "PROVED"
    assert verdict.scope == "all weights at 16×4"
    overlapping = sc.ConvTranspose2d(1, 1, 3, stride=2, bias=False).operator((2, 2))
    assert linalg.orthogonality(overlapping, "multiple").status == "REFUTED"


def test_the_inverse_is_sympys():
    bound = conv(padding=1).operator((3, 4)).bind(LAPLACIAN)
    assert linalg.inverse(bound) == bound.exact().to_DM(sympy.QQ).inv().to_Matrix()


# Input that is refused.

SQUARE = conv(padding=1).operator((4, 4))
SINGULAR = conv(padding=1, padding_mode="circular").operator((4, 4)).bind(LAPLACIAN)
Y = np.ones((1, 4, 4), dtype=int)
EVERY = (
    linalg.rank, linalg.rank_proof, linalg.nullity, linalg.null_space, linalg.determinant,
    linalg.inverse, linalg.is_injective, linalg.is_surjective, linalg.is_invertible,
    linalg.orthogonality, lambda op: linalg.solve(op, Y), lambda op: linalg.least_squares(op, Y),
)  # fmt: skip


@pytest.mark.parametrize("ask", EVERY)
@pytest.mark.parametrize(
    ("weight", "word"),
    [
        (LAPLACIAN * 1.0, "real"),
        (LAPLACIAN * 1j, "complex"),
        (np.full((1, 1, 3, 3), np.nan), "real"),
        (sympy.Symbol("a") * LAPLACIAN, "symbolic"),
    ],
)
def test_inexact_weights_are_refused(ask, weight, word):
    with pytest.raises(
        DTypeError, match=rf"weight must hold integers or Fractions, got {word}.*4×4"
    ):
        ask(SQUARE.bind(weight))


@pytest.mark.parametrize("ask", EVERY)
@pytest.mark.parametrize("value", [None, 3, LAPLACIAN, sympy.eye(3), "op"])
def test_what_is_no_operator_is_refused(ask, value):
    with pytest.raises(ParameterTypeError, match="op must be an Operator or a BoundOperator"):
        ask(value)


@pytest.mark.parametrize(
    "ask", [linalg.rank, linalg.null_space, linalg.determinant, linalg.inverse]
)
def test_free_weights_are_refused_where_numbers_are_needed(ask):
    with pytest.raises(ParameterError, match=r"op\.bind\(weight\)"):
        ask(SQUARE)


@pytest.mark.parametrize("value", [SINGULAR, sc.AvgPool1d(2).operator((4,)), 3])
def test_generic_rank_needs_free_weights(value):
    with pytest.raises(ParameterError, match="free weights"):
        linalg.generic_rank(value)


@pytest.mark.parametrize("ask", [linalg.determinant, linalg.inverse])
def test_only_square_operators_have_determinants(ask):
    with pytest.raises(ShapeError, match=r"op must be square.*got 4×16"):
        ask(conv().operator((4, 4)).bind(SOBEL))


@pytest.mark.parametrize("ask", [linalg.solve, linalg.least_squares])
@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (Y * 1.0, DTypeError, "y must hold integers or Fractions"),
        (Y * np.nan, DTypeError, "y must hold integers or Fractions"),
        (Y * sympy.Symbol("a"), DTypeError, "symbolic"),
        (np.ones((4, 4), dtype=int), ShapeError, r"y must have shape \(\*batch, 1, 4, 4\)"),
        ([[1], [2, 3]], ShapeError, "rectangular"),
        (Y.astype(bool), DTypeError, "booleans"),
    ],
)
def test_bad_right_sides_are_refused(ask, y, error, message):
    with pytest.raises(error, match=message):
        ask(SQUARE.bind(LAPLACIAN), y)


def test_systems_without_a_solution_or_with_many_say_so():
    with pytest.raises(ParameterError, match="no solution"):
        linalg.solve(SINGULAR, Y)
    with pytest.raises(ParameterError, match="many solutions"):
        linalg.solve(SINGULAR, 0 * Y)
    with pytest.raises(ParameterError, match="op must be invertible"):
        linalg.inverse(SINGULAR)


@pytest.mark.parametrize(
    ("value", "error"),
    [
        (0.5, DTypeError),
        (-1, ParameterError),
        ("1", DTypeError),
        ([1], DTypeError),
        (True, DTypeError),
    ],
)
def test_bad_regularization_is_refused(value, error):
    with pytest.raises(error, match="regularization"):
        linalg.least_squares(SQUARE.bind(LAPLACIAN), Y, value)


def test_unknown_grams_are_refused():
    with pytest.raises(ParameterError, match="gram must be one of"):
        linalg.orthogonality(SINGULAR, "unitary")


def test_what_would_take_too_long_or_too_much_is_refused(monkeypatch):
    monkeypatch.setattr(ranks, "MOST_WORK", 10)
    with pytest.raises(TooLargeError, match=r"multiplications, above the limit.*4×4"):
        linalg.rank(SINGULAR)
    monkeypatch.undo()
    op = sc.Conv2d(64, 64, 3, padding=1, bias=False).operator((4096, 4096))
    with pytest.raises(TooLargeError, match="integer matrix"):
        linalg.rank(op.bind(np.ones(op.weight_shape, dtype=int)))


def test_batches_and_empty_batches():
    bound = SQUARE.bind(LAPLACIAN)
    x = integers((2, 3, 1, 4, 4))
    assert np.array_equal(linalg.solve(bound, bound.apply(x)), x)
    assert linalg.solve(bound, np.zeros((0, 1, 4, 4), dtype=int)).shape == (0, 1, 4, 4)
    assert linalg.least_squares(SINGULAR, np.zeros((0, 1, 4, 4), dtype=int)).shape == (0, 1, 4, 4)


def test_orders_are_permutations_with_parts_together():
    op = sc.Conv2d(2, 2, 3, padding=2, dilation=2, groups=2, bias=False).operator((6, 9))
    matrix = IntegerMatrix.of(op.sparse(np.ones(op.weight_shape, dtype=int), int))
    plan = ordering.plan(matrix, op.input_shape)
    assert sorted(plan.order) == list(range(108))
    part = ordering._parts(matrix)[plan.order]
    assert len(np.flatnonzero(np.diff(part))) == len(np.unique(part)) - 1 == 7
    assert solving.GRAMS.keys() == {"identity", "multiple", "diagonal"}
