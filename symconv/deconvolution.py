"""Deconvolution: the input that a convolution made an output from, exactly or by iteration.

A transposed convolution gives back the shape, not the values: Aᵀ(A·x) = x for every x only where
AᵀA = I (`orthogonality`). What gives back the values is a solution of A·x + b = y, or the nearest
to one. Each comes with a certificate: how far A·x + b is from y, and how far x is from the exact
minimiser, as bounds that hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse.linalg

from symconv.algebras import Algebra, as_array
from symconv.bound import BoundOperator
from symconv.checks import choice, concrete, integer, shown
from symconv.errors import DTypeError, ParameterError, ShapeError, located
from symconv.linalg import is_injective, least_squares, orthogonality
from symconv.linalg.integer_form import bound_operator, right_side
from symconv.operator import Operator
from symconv.rounding import (
    UNIT,
    above,
    floats,
    norm_above,
    norm_below,
    product,
    root_above,
    root_below,
)
from symconv.verdict import Verdict

__all__ = ["METHODS", "Certificate", "Deconvolution", "Undone", "deconvolve", "undone"]

Array = npt.NDArray[Any]

#: How `deconvolve` may run: over the rationals, or by one of SciPy's iterations in float64.
METHODS = ("exact", "lsqr", "lsmr", "cg")


@dataclass(frozen=True)
class Certificate:
    """What is known about an answer x to A·x + b ≈ y, whichever way it was found.

    All are float64 and rounded outwards: the true number is at least `low`, at most `high`.

    Attributes
    ----------
    residual : tuple of float
        ‖A·x + b − y‖, (low, high).
    gradient : tuple of float
        ‖Aᵀ(A·x + b − y) + λx‖, (low, high): zero exactly at the minimisers.
    error : float or None
        At least ‖x − x*‖ for the minimiser x*: 0 from "exact"; else the gradient divided by (a
        lower bound on A's smallest singular value)² + λ, None where that is 0.
    """

    residual: tuple[float, float]
    gradient: tuple[float, float]
    error: float | None


@dataclass(frozen=True, eq=False)
class Deconvolution:
    """The answer of `deconvolve`.

    Attributes
    ----------
    x : numpy.ndarray, shape (*batch, *input_shape)
        Integers or Fractions from the method "exact", float64 otherwise.
    residual : numpy.ndarray, shape (*batch, *output_shape)
        A·x + b − y.
    certificate : Certificate
    method : str
    iterations : int
        0 for "exact".
    """

    x: Array
    residual: Array
    certificate: Certificate
    method: str
    iterations: int


def deconvolve(
    op: Any,
    y: Any,
    method: str = "exact",
    regularization: Any = 0,
    *,
    smallest: float = 0.0,
    tolerance: float = 1e-10,
    iterations: int | None = None,
) -> Deconvolution:
    """The x that minimises ‖A·x + b − y‖² + λ‖x‖², and the shortest one where there are several.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        The convolution that y came from; its bias and constant padding are subtracted first.
    y : array_like, shape (*batch, *output_shape)
        Exact numbers for "exact", real ones otherwise.
    method : {"exact", "lsqr", "lsmr", "cg"}
        "exact" over the rationals, for thousands of unknowns (tens of thousands where the answer
        is integers); SciPy's iterations at any size, without a matrix. "cg" runs on the normal
        equations.
    regularization : number, default 0
        λ >= 0 (Tikhonov); an integer or a Fraction for "exact".
    smallest : float, default 0
        A lower bound on A's smallest singular value, where one is known
        (``smallest_singular_value(op).low``); it makes the certificate's error smaller.
    tolerance : float, default 1e-10
        At which the iterations stop.
    iterations : int, optional
        At most so many; by default as many as SciPy takes.

    Returns
    -------
    Deconvolution

    Raises
    ------
    DTypeError
        If "exact" gets floats, or y is not finite.
    TooLargeError
        If the exact answer would not fit into memory.

    Examples
    --------
    >>> import symconv as sc
    >>> blur = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((4,)).bind([[[1, 3, 1]]])
    >>> y = blur.apply([[5, 0, 2, 7]])
    >>> deconvolve(blur, y).x, blur.T.apply(y)
    (array([[5, 0, 2, 7]]), array([[52, 49, 69, 82]]))
    >>> found = deconvolve(blur, y, "lsqr", smallest=1.0)
    >>> found.certificate.error < 1e-8
    True

    References
    ----------
    C. C. Paige, M. A. Saunders (1982), LSQR, ACM Trans. Math. Softw. 8. D. C.-L. Fong, M. A.
    Saunders (2011), LSMR, SIAM J. Sci. Comput. 33. A. N. Tikhonov (1963).
    """
    choice("method", method, METHODS)
    bound = bound_operator(op)
    with located(bound.operator.describe):
        least = _not_negative("smallest", smallest)
        if method == "exact":
            return _exact(bound, y, regularization)
        strength = _not_negative("regularization", regularization)
        stop = _not_negative("tolerance", tolerance)
        if iterations is not None:
            iterations = concrete("iterations", integer("iterations", iterations, 1))
        return _iterated(bound, y, method, strength, least, stop, iterations)


@dataclass(frozen=True, eq=False)
class Undone:
    """What a transposed convolution and a deconvolution make of A·x, side by side.

    Attributes
    ----------
    image : numpy.ndarray, shape (*batch, *output_shape)
        A·x.
    transposed : numpy.ndarray, shape (*batch, *input_shape)
        Aᵀ(A·x): the right shape, and the right values exactly when AᵀA = I.
    deconvolved : numpy.ndarray, shape (*batch, *input_shape)
        The exact least-squares solution, shortest where there are several: x itself exactly when
        A is injective.
    transpose_restores : Verdict
        Whether AᵀA = I, for every x (see `orthogonality`).
    deconvolution_restores : Verdict
        Whether A is injective; refuted with an input that A does not see.
    """

    image: Array
    transposed: Array
    deconvolved: Array
    transpose_restores: Verdict
    deconvolution_restores: Verdict


def undone(op: Any, x: Any) -> Undone:
    """Transposed convolution and deconvolution of A·x side by side, with what each restores.

    Parameters
    ----------
    op : BoundOperator, or Operator without free weights
        With integer or rational weights; the linear part, without bias.
    x : array_like of int or Fraction, shape (*batch, *input_shape)

    Raises
    ------
    DTypeError
        If x or the weights are floats or symbols.

    Examples
    --------
    >>> import symconv as sc
    >>> blur = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((4,)).bind([[[1, 3, 1]]])
    >>> both = undone(blur, [[5, 0, 2, 7]])
    >>> both.image, both.transposed, both.deconvolved
    (array([[15,  7, 13, 23]]), array([[52, 49, 69, 82]]), array([[5, 0, 2, 7]]))
    >>> print(both.transpose_restores.status, both.deconvolution_restores.status)
    REFUTED PROVED

    References
    ----------
    M. D. Zeiler, D. Krishnan, G. W. Taylor, R. Fergus (2010), Deconvolutional networks: where the
    transposed convolution got the other's name.
    """
    bound = bound_operator(op)
    operator = bound.operator
    with located(operator.describe):
        array, algebra = as_array("x", x)
        if algebra > Algebra.RATIONAL:
            raise DTypeError(
                f"x must hold integers or Fractions for an exact answer, got "
                f"{algebra.name.lower()} entries"
            )
        image = operator.apply_linear(array, bound.weight)
        transposed = operator.T.apply_linear(image, bound.weight)
    return Undone(
        image, transposed, least_squares(bound, image), orthogonality(bound), is_injective(bound)
    )


def _not_negative(name: str, value: Any) -> float:
    array, algebra = as_array(name, value)
    if array.ndim or algebra in (Algebra.SYMBOLIC, Algebra.COMPLEX):
        raise DTypeError(f"{name} must be a real number, got {shown(value)}")
    number = float(array)
    if not (math.isfinite(number) and number >= 0):
        raise ParameterError(f"{name} must be finite and >= 0, got {shown(value)}")
    return number


def _exact(bound: BoundOperator, y: Any, regularization: Any) -> Deconvolution:
    operator = bound.operator
    integers, below, batch = right_side("y", y, operator.output_shape)
    offset, kind = as_array("offset", bound.offset)
    if kind > Algebra.RATIONAL:
        raise DTypeError(
            f"bias must hold integers or Fractions for an exact answer, and padding_value as well, "
            f"got {kind.name.lower()} ones"
        )
    given = integers.T.reshape(*batch, *operator.output_shape) * Fraction(1, below)
    given = given - offset.astype(object)
    x = least_squares(bound, given, regularization)
    image = operator.apply_linear(x, bound.weight)
    residual = np.asarray(image.astype(object) - given)
    squares = Fraction(sum(value * value for value in residual.ravel().tolist()))
    length = root_below(squares), root_above(squares)
    # The gradient was found to be zero when the answer was put in.
    certificate = Certificate(length, (0.0, 0.0), 0.0)
    return Deconvolution(x, residual, certificate, "exact", 0)


def _iterated(
    bound: BoundOperator,
    y: Any,
    method: str,
    strength: float,
    smallest: float,
    tolerance: float,
    iterations: int | None,
) -> Deconvolution:
    operator = bound.operator
    weight = None if bound.weight is None else _finite("weight", bound.weight)
    given = _finite("y", y)
    n = len(operator.output_shape)
    if given.ndim < n or given.shape[given.ndim - n :] != operator.output_shape:
        raise ShapeError(f"y must have shape (*batch, {operator.output_shape}), got {given.shape}")
    target = given - _finite("offset", bound.offset)
    batch = target.shape[: target.ndim - n]
    linear = operator.linear_operator(weight)
    answers, counts = [], [0]
    for one in target.reshape(-1, operator.shape[0]):
        answer, count = _run(linear, one, method, strength, tolerance, iterations)
        answers.append(answer)
        counts.append(count)
    x = np.array(answers).reshape(*batch, *operator.input_shape)
    residual, certificate = certified(bound.operator, bound.weight, x, target, strength, smallest)
    return Deconvolution(x, residual, certificate, method, max(counts))


def _finite(name: str, value: Any) -> Array:
    array, algebra = as_array(name, value)
    if algebra in (Algebra.SYMBOLIC, Algebra.COMPLEX):
        raise DTypeError(f"{name} must hold real numbers, got {algebra.name.lower()} entries")
    numbers = floats(array)
    if not np.isfinite(numbers).all():
        raise DTypeError(f"{name} must be finite, got infinity or not-a-number")
    return numbers


def _run(
    linear: scipy.sparse.linalg.LinearOperator,
    y: Array,
    method: str,
    strength: float,
    tolerance: float,
    iterations: int | None,
) -> tuple[Array, int]:
    stop = {"atol": tolerance, "btol": tolerance, "damp": math.sqrt(strength)}
    if method == "lsqr":
        found = scipy.sparse.linalg.lsqr(linear, y, iter_lim=iterations, **stop)
        return found[0], int(found[2])
    if method == "lsmr":
        found = scipy.sparse.linalg.lsmr(linear, y, maxiter=iterations, **stop)
        return found[0], int(found[2])
    count = 0

    def counted(_: Array) -> None:
        nonlocal count
        count += 1

    normal = scipy.sparse.linalg.LinearOperator(
        (linear.shape[1],) * 2,
        matvec=lambda v: linear.rmatvec(linear.matvec(v)) + strength * v,
        dtype=np.float64,
    )
    right = linear.rmatvec(y)
    answer, _ = scipy.sparse.linalg.cg(
        normal, right, rtol=tolerance, maxiter=iterations, callback=counted
    )
    return answer, count


def certified(
    operator: Operator, weight: Any, x: Array, y: Array, strength: float, smallest: float
) -> tuple[Array, Certificate]:
    """A·x − y in float64, and what it proves about x; every rounding is in the bounds."""
    image, image_error = product(operator, weight, x)
    residual = image - y
    # y itself may have been rounded, and so was the difference.
    error = image_error + 2 * UNIT * (np.abs(y) + np.abs(residual))
    back, back_error = product(operator.T, weight, residual)
    pull = strength * x
    gradient = back + pull
    # What the residual misses is carried back by |Aᵀ|.
    carried, carried_error = product(operator.T, _magnitudes(weight), error)
    missed = back_error + carried + carried_error + 4 * UNIT * (np.abs(back) + np.abs(pull))
    length = norm_below(residual, error), norm_above(residual, error)
    slope = norm_below(gradient, missed), norm_above(gradient, missed)
    curvature = Fraction(smallest) ** 2 + Fraction(strength)
    distance = above(Fraction(slope[1]) / curvature) if curvature else None
    return residual, Certificate(length, slope, distance)


def _magnitudes(weight: Any) -> Any:
    return None if weight is None else np.abs(floats(weight)) * (1 + 4 * UNIT)
