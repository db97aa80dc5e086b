"""Operators undone exactly: solutions, least squares, inverses, and when the transpose is one."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import Algebra, as_array
from symconv.checks import choice, shown
from symconv.errors import DTypeError, ParameterError, ShapeError, located
from symconv.exact import ENTRY_BYTES
from symconv.linalg.integer_form import IntegerForm, bound_operator, integer_form, right_side
from symconv.memory import require
from symconv.modular.integer_matrix import IntegerMatrix, compact
from symconv.modular.ranks import null_vectors
from symconv.modular.systems import (
    Rationals,
    pseudo_solution,
    regularized,
    solution,
)
from symconv.operator import Operator
from symconv.verdict import Verdict, proved, refuted

__all__ = ["inverse", "least_squares", "orthogonality", "solve"]

Array = npt.NDArray[Any]


def solve(op: Any, y: Any) -> Array:
    """The only x with A·x = y, exactly.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        With integer or rational weights; the linear part, without bias, is undone.
    y : array_like of int or Fraction, shape (*batch, *output_shape)

    Returns
    -------
    numpy.ndarray, shape (*batch, *input_shape)
        Integers, or Fractions where x has any. Put in and multiplied out before it is returned.

    Raises
    ------
    ParameterError
        If there is no solution or more than one; `least_squares` answers both.
    TooLargeError
        If the numbers would not fit into memory; the error names the way out.

    Examples
    --------
    >>> import symconv as sc
    >>> bound = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((3,)).bind([[[1, 3, 1]]])
    >>> solve(bound, [[5, 10, 11]])
    array([[1, 2, 3]])

    References
    ----------
    J. D. Dixon (1982), Exact solution of linear equations using p-adic expansions, Numer. Math. 40.
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        form = integer_form(bound)
        right, below, batch = right_side("y", y, form.output_shape)
        found = solution(form.matrix, form.input_shape, right)
        if found is None:
            nearest = pseudo_solution(form.matrix, form.input_shape, form.output_shape, right)
            if np.any(_misfit(form.matrix, nearest, right)):
                raise ParameterError(
                    "y must be an output of the operator, and A·x = y has no solution; "
                    "least_squares(op, y) gives the nearest"
                )
            found = nearest, False
        if not found[1] and null_vectors(form.matrix, form.input_shape, 1).shape[1]:
            raise ParameterError(
                "op must be injective, and A·x = y has many solutions; least_squares(op, y) gives "
                "the shortest, null_space(op) their differences"
            )
        return _numbers(found[0], form, below, batch)


def least_squares(op: Any, y: Any, regularization: Any = 0) -> Array:
    """The shortest x among those nearest to A·x = y, exactly: the pseudo-inverse applied.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        With integer or rational weights.
    y : array_like of int or Fraction, shape (*batch, *output_shape)
    regularization : int or Fraction, default 0
        λ >= 0: x minimises ‖A·x − y‖² + λ‖x‖² (Tikhonov).

    Returns
    -------
    numpy.ndarray, shape (*batch, *input_shape)
        Integers, or Fractions where x has any. Proved by what it satisfies: Aᵀ(A·x − y) + λx = 0,
        and for λ = 0 that x lies in the span of A's rows.

    Examples
    --------
    >>> import symconv as sc
    >>> bound = sc.Conv1d(1, 1, 2, bias=False).operator((3,)).bind([[[1, 1]]])
    >>> least_squares(bound, [[3, 3]]).tolist()
    [[1, 2, 1]]
    >>> least_squares(bound, [[3, 3]], Fraction(1)).tolist()
    [[Fraction(3, 4), Fraction(3, 2), Fraction(3, 4)]]

    References
    ----------
    R. Penrose (1956), On best approximate solutions of linear matrix equations. A. N. Tikhonov
    (1963), Solution of incorrectly formulated problems and the regularization method.
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        strength = exact_strength(regularization)
        form = integer_form(bound)
        right, below, batch = right_side("y", y, form.output_shape)
        if strength:
            found = regularized(form.matrix, form.input_shape, right, form.denominator, strength)
            # The denominators of the weights are already in it.
            return _numbers(found, form, below, batch, scale=1)
        found = pseudo_solution(form.matrix, form.input_shape, form.output_shape, right)
        return _numbers(found, form, below, batch)


def exact_strength(value: Any) -> Fraction:
    """λ as a Fraction that is not negative."""
    array, algebra = as_array("regularization", value)
    if array.ndim or algebra > Algebra.RATIONAL:
        raise DTypeError(
            f"regularization must be an integer or a Fraction for an exact answer, got "
            f"{shown(value)}; Fraction(value) states a float's exact value"
        )
    strength = Fraction(array.item())
    if strength < 0:
        raise ParameterError(f"regularization must be >= 0, got {shown(value)}")
    return strength


def _misfit(matrix: IntegerMatrix, x: Rationals, right: Array) -> Array:
    """A·x − right, times the denominators of x."""
    scale = np.array(x[1], dtype=object)
    return np.asarray((matrix @ x[0]).astype(object) - right.astype(object) * scale)


def _numbers(
    found: Rationals,
    form: IntegerForm,
    below: int,
    batch: tuple[int, ...],
    scale: int | None = None,
) -> Array:
    """The arrays (*batch, *input_shape) for columns that solve the system of integers."""
    numerators, denominators = found
    scale = form.denominator if scale is None else scale
    values = np.empty(numerators.shape[::-1], dtype=object)
    for row, (column, denominator) in enumerate(zip(numerators.T, denominators, strict=True)):
        values[row] = _quotients(column, scale, denominator * below)
    whole = all(isinstance(value, int) for value in values.ravel().tolist())
    shaped = values.reshape(*batch, *form.input_shape)
    return compact(shaped) if whole else shaped


def _quotients(column: Array, scale: int, denominator: int) -> Array:
    if denominator == 1 or not np.any((column.astype(object) * scale) % denominator):
        return column.astype(object) * scale // denominator
    divide = np.frompyfunc(lambda value: Fraction(int(value) * scale, denominator), 1, 1)
    return np.asarray(divide(column))


def inverse(op: Any) -> sympy.ImmutableDenseMatrix:
    """The exact inverse matrix of an invertible operator, for small sizes.

    `solve` applies it without writing it down; its entries have as many digits as the matrix has
    rows, roughly.

    Raises
    ------
    ShapeError
        If the operator is not square.
    ParameterError
        If it is singular; the message names an input that it takes to zero.

    Examples
    --------
    >>> import symconv as sc
    >>> inverse(sc.Conv1d(1, 1, 2, padding=((1, 0),), bias=False).operator((3,)).bind([[[1, 2]]]))
    Matrix([
    [ 1/2,    0,   0],
    [-1/4,  1/2,   0],
    [ 1/8, -1/4, 1/2]])

    References
    ----------
    G. Strang, Introduction to Linear Algebra, ch. 2.
    """
    bound = bound_operator(op)
    with located(bound.operator.describe):
        rows = bound.shape[0]
        if rows != bound.shape[1]:
            raise ShapeError(f"op must be square to have an inverse, got {rows}×{bound.shape[1]}")
        require(ENTRY_BYTES * rows * rows, f"the inverse of {rows}×{rows}", "use solve(op, y)")
        form = integer_form(bound)
        identity = np.eye(rows, dtype=np.int64)
        found = solution(form.matrix, form.input_shape, identity)
        if found is None:
            null = null_vectors(form.matrix, form.input_shape, 1)
            if null.shape[1]:
                raise ParameterError(
                    f"op must be invertible, and it takes {shown(null[:, 0].tolist())} to zero"
                )
            found = (
                pseudo_solution(form.matrix, form.input_shape, form.output_shape, identity),
                True,
            )
        columns = _numbers(found[0], form, 1, (rows,)).reshape(rows, rows)
        entries = [sympy.Rational(int(v.numerator), int(v.denominator)) for v in columns.T.ravel()]
        return sympy.ImmutableDenseMatrix(rows, rows, entries)


#: What AᵀA is asked to be, in words.
GRAMS = {"identity": "I", "multiple": "a multiple of I", "diagonal": "diagonal"}


def orthogonality(op: Any, gram: str = "identity") -> Verdict:
    """Whether the transposed convolution restores values: AᵀA is the identity, say.

    Aᵀ(A·x) = x for every x exactly when AᵀA = I: only then is a transposed convolution a
    deconvolution.

    Parameters
    ----------
    op : BoundOperator or Operator
        With integer, rational or free weights. Free ones are decided for all their values, so
        that a polynomial that is not constant is a refutation.
    gram : {"identity", "multiple", "diagonal"}
        What AᵀA is asked to be: I, c·I for some c, or diagonal.

    Returns
    -------
    Verdict
        REFUTED with the first entry of AᵀA, in row order, that is not what it should be.

    Examples
    --------
    >>> import symconv as sc
    >>> up = sc.ConvTranspose1d(1, 1, 2, stride=2, bias=False).operator((3,))
    >>> print(orthogonality(up.bind([[[3, 4]]]), "multiple"))
    PROVED (these weights at 6×3): AᵀA = (25)·I
    >>> print(orthogonality(sc.Conv1d(1, 1, 2, bias=False).operator((3,)), "diagonal"))
    REFUTED (all weights at 2×3): AᵀA is not diagonal; counterexample {'row': 0, 'column': 1, \
'entry': w_0_0_0*w_0_0_1, 'instead of': 0}

    References
    ----------
    J. Wang, Y. Chen, R. Chakraborty, S. X. Yu (2020), Orthogonal convolutional neural networks,
    arXiv:1911.12207.
    """
    choice("gram", gram, GRAMS)
    if isinstance(op, Operator) and op.weight_shape is not None:
        with located(op.describe):
            return _gram(*_symbolic_gram(op), op.shape, gram, "all weights")
    bound = bound_operator(op)
    with located(bound.operator.describe):
        form = integer_form(bound)
        return _gram(*_numeric_gram(form), form.matrix.shape, gram, "these weights")


#: An entry beside the diagonal: row, column, value.
Beside = tuple[int, int, Any]


def _symbolic_gram(op: Operator) -> tuple[Array, Beside | None]:
    """The diagonal of AᵀA and its first entry beside it, as polynomials multiplied out."""
    matrix = op.exact()
    product = (matrix.T * matrix).applyfunc(sympy.expand)
    diagonal = np.array([product[at, at] for at in range(op.shape[1])], dtype=object)
    beside = min((place for place in product.todok() if place[0] != place[1]), default=None)
    return diagonal, None if beside is None else (*beside, product[beside])


def _numeric_gram(form: IntegerForm) -> tuple[Array, Beside | None]:
    product = form.matrix.T.times(form.matrix).without_zeros()
    on = product.rows == product.indices
    diagonal = np.full(product.shape[0], Fraction(0), dtype=object)
    diagonal[product.rows[on]] = product.data[on]
    diagonal = diagonal * Fraction(1, form.denominator**2)
    beside = np.flatnonzero(~on)[:1]
    if not len(beside):
        return diagonal, None
    at = int(beside[0])
    place = int(product.rows[at]), int(product.indices[at])
    return diagonal, (*place, Fraction(int(product.data[at]), form.denominator**2))


def _gram(
    diagonal: Array, beside: Beside | None, shape: tuple[int, int], gram: str, weights: str
) -> Verdict:
    scope = f"{weights} at {shape[0]}×{shape[1]}"
    wanted = diagonal[0] if gram == "multiple" and len(diagonal) else 1
    wrong = [] if gram == "diagonal" else np.flatnonzero(diagonal != wanted)[:1].tolist()
    cases = [(at, at, diagonal[at], wanted) for at in wrong]
    if beside is not None:
        cases.append((*beside, 0))
    if cases:
        row, column, entry, should = min(cases, key=lambda case: (case[0], case[1]))
        case = {"row": row, "column": column, "entry": _plain(entry), "instead of": _plain(should)}
        return refuted(scope, case, f"AᵀA is not {GRAMS[gram]}")
    reason = f"AᵀA = {'' if wanted == 1 else f'({wanted})·'}I"
    return proved(scope, "AᵀA is diagonal" if gram == "diagonal" else reason)


def _plain(value: Any) -> Any:
    """A whole Fraction as an int."""
    return int(value) if isinstance(value, Fraction) and value.denominator == 1 else value
