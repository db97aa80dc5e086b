"""What a layer can see and what it can reach: rank, null space, determinant, and the verdicts."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ShapeError, located
from symconv.linalg.generic import generic_rank
from symconv.linalg.integer_form import IntegerForm, bound_operator, integer_form
from symconv.modular.elimination import prime_at
from symconv.modular.ranks import RankProof, eliminated, null_vectors, prove_rank
from symconv.modular.systems import determinant_of
from symconv.operator import Operator
from symconv.verdict import Verdict, proved, refuted

__all__ = [
    "determinant",
    "is_injective",
    "is_invertible",
    "is_surjective",
    "null_space",
    "nullity",
    "rank",
    "rank_proof",
]

Array = npt.NDArray[Any]

#: Null vectors that are looked through for the one with the fewest entries.
LOOKED_THROUGH = 8


def rank_proof(op: Any) -> RankProof:
    """The exact rank of an operator, with what proves it.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        Weights are integers or Fractions.

    Returns
    -------
    RankProof
        ``rank`` and ``reason``. The rank modulo a prime is the bound from below; the one from
        above is the number of columns or rows that have entries, the largest matching, null
        vectors verified over the integers, or Hadamard's inequality.

    Raises
    ------
    DTypeError
        If the weights are floats or symbols.
    TooLargeError
        If elimination would not fit into memory, or would take hours.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    >>> print(rank_proof(layer.operator((6,)).bind([[[1, -2, 1]]])).reason)
    rank 5 modulo 8388593, and 1 null vector verified over the integers

    References
    ----------
    J.-G. Dumas, B. D. Saunders, G. Villard (2001), On efficient sparse integer matrix Smith normal
    form computations, J. Symb. Comput. 32 (rank modulo primes).
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        form = integer_form(bound)
        return prove_rank(form.matrix, form.input_shape, form.output_shape)


def rank(op: Any) -> int:
    """The exact rank of an operator with integer or rational weights (see `rank_proof`).

    Examples
    --------
    >>> import symconv as sc
    >>> sobel = [[[[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]]]
    >>> layer = sc.Conv2d(1, 1, 3, padding=1, bias=False)
    >>> [rank(layer.operator((n, n)).bind(sobel)) for n in (4, 5, 32, 33)]
    [16, 20, 1024, 1056]

    References
    ----------
    G. Strang, Introduction to Linear Algebra, ch. 3.
    """
    return rank_proof(op).rank


def nullity(op: Any) -> int:
    """Dimension of the inputs that the operator takes to zero: columns − rank.

    Examples
    --------
    >>> import symconv as sc
    >>> nullity(sc.AvgPool1d(2).operator((6,)))
    3

    References
    ----------
    G. Strang, Introduction to Linear Algebra, ch. 3.
    """
    return bound_operator(op).shape[1] - rank(op)


def null_space(op: Any) -> Array:
    """A basis of the inputs that a layer cannot see: A·v = 0, verified over the integers.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        Weights are integers or Fractions. ``null_space(op.T)`` is the left null space: the
        combinations of outputs that are always zero.

    Returns
    -------
    numpy.ndarray, shape (nullity, *input_shape)
        Primitive integer vectors, int64 or Python integers. Each is 1 or more at a place where
        the others are 0, so they are independent; that they span the null space is proved by the
        rank modulo a prime, which is at most the rank.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 2, bias=False)
    >>> null_space(layer.operator((4,)).bind([[[2, 3]]]))
    array([[[-27,  18, -12,   8]]])

    References
    ----------
    J. D. Dixon (1982), Exact solution of linear equations using p-adic expansions, Numer. Math. 40.
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        form = integer_form(bound)
        vectors = null_vectors(form.matrix, form.input_shape)
        return np.ascontiguousarray(vectors.T).reshape(-1, *form.input_shape)


def determinant(op: Any) -> int | Fraction:
    """The determinant of a square operator with integer or rational weights, exact.

    Returns
    -------
    int or Fraction
        From residues modulo primes whose product exceeds Hadamard's bound.

    Raises
    ------
    ShapeError
        If the operator is not square.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 3, padding=1, bias=False)
    >>> [determinant(layer.operator((n,)).bind([[[-1, 2, -1]]])) for n in (1, 2, 3, 100)]
    [2, 3, 4, 101]

    References
    ----------
    J. von zur Gathen, J. Gerhard, Modern Computer Algebra, sect. 5.5.
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        form = integer_form(bound)
        _check_square(form)
        numerator = determinant_of(form.matrix, form.input_shape)
        if form.denominator == 1:
            return numerator
        return Fraction(numerator, form.denominator ** form.matrix.shape[0])


def _check_square(form: IntegerForm) -> None:
    rows, columns = form.matrix.shape
    if rows != columns:
        raise ShapeError(f"op must be square for a determinant, got {rows}×{columns}")


def is_injective(op: Any) -> Verdict:
    """Whether different inputs always give different outputs.

    Parameters
    ----------
    op : BoundOperator or Operator
        With integer or rational weights, or with free ones: then the verdict is about almost all
        weights (all outside the zeros of a polynomial), and a refutation about all.

    Returns
    -------
    Verdict
        REFUTED with a null vector, an integer array of `input_shape` that A takes to zero.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 2, bias=False)
    >>> verdict = is_injective(layer.operator((3,)).bind([[[1, 1]]]))
    >>> verdict.status, verdict.counterexample
    ('REFUTED', array([[ 1, -1,  1]]))

    References
    ----------
    G. Strang, Introduction to Linear Algebra, ch. 3.
    """
    if isinstance(op, Operator) and op.weight_shape is not None:
        return _generic(op, op.shape[1], "injective")
    bound = bound_operator(op)
    with located(bound.operator.describe):
        form = integer_form(bound)
        return _independent(form, "null vector")


def is_surjective(op: Any) -> Verdict:
    """Whether every output is reached.

    Returns
    -------
    Verdict
        REFUTED with a left null vector, an integer array of `output_shape` that is orthogonal to
        every output and so is none itself. Free weights as in `is_injective`.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.ConvTranspose1d(1, 1, 2, bias=False)
    >>> print(is_surjective(layer.operator((2,)).bind([[[1, 1]]])).counterexample)
    [[ 1 -1  1]]

    References
    ----------
    G. Strang, Introduction to Linear Algebra, ch. 3.
    """
    if isinstance(op, Operator) and op.weight_shape is not None:
        return _generic(op, op.shape[0], "surjective")
    bound = bound_operator(op)
    with located(bound.operator.describe):
        form = integer_form(bound)
        return _independent(form.T, "left null vector", form.size)


def is_invertible(op: Any) -> Verdict:
    """Whether the operator has an inverse: square, and injective.

    Examples
    --------
    >>> import symconv as sc
    >>> layer = sc.Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    >>> bool(is_invertible(layer.operator((5,)).bind([[[1, 3, 1]]])))
    True

    References
    ----------
    G. Strang, Introduction to Linear Algebra, ch. 2.
    """
    if not isinstance(op, Operator):
        op = bound_operator(op)
    rows, columns = op.shape
    if rows == columns:
        return is_injective(op)
    free = isinstance(op, Operator) and op.weight_shape is not None
    scope = f"{'all' if free else 'these'} weights at {rows}×{columns}"
    return refuted(scope, {"rows": rows, "columns": columns}, "not square")


def _independent(form: IntegerForm, what: str, size: str = "") -> Verdict:
    """Whether the columns are independent, with a null vector where they are not."""
    scope = f"these weights at {size or form.size}"
    rows, columns = form.matrix.shape
    matrix = form.matrix.without_zeros()
    if columns <= rows:
        prime = prime_at(0)
        if eliminated(matrix, form.input_shape, prime, keep=False).rank == columns:
            return proved(scope, f"rank {columns} modulo {prime}, all there can be")
    vectors = null_vectors(matrix, form.input_shape, LOOKED_THROUGH)
    if not vectors.shape[1]:
        return proved(scope, f"rank {columns} modulo a prime, all there can be")
    filled = np.count_nonzero(vectors, axis=0)
    vector = vectors[:, int(np.argmin(filled))].reshape(form.input_shape)
    reason = f"a {what} with {filled.min()} entries, multiplied out"
    return refuted(scope, vector, reason)


def _generic(op: Operator, wanted: int, what: str) -> Verdict:
    found = generic_rank(op)
    if found.upper < wanted:
        scope = f"all weights at {op.shape[0]}×{op.shape[1]}"
        reason = f"{what} needs rank {wanted}, and the pattern allows {found.upper}"
        return refuted(scope, {"rank": found.upper, "needed": wanted}, reason)
    return found.verdict
