"""Singular values and terms in floating point, each with a bound that was computed beside it.

References
----------
N. Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed. (2002), section 3.5 (γₙ).
H. Weyl (1912): singular values move by at most the norm of the change. A. Ostrowski (1959): and
by at most the factors that nearly orthogonal matrices on both sides have.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.separable.arrays import ExactArray
from symconv.separable.singular import SingularValue

__all__ = ["bounded_values", "distance_squared", "float_matrix"]

Array = npt.NDArray[Any]

#: Half the distance from 1 to the next double.
ROUNDING = 2.0**-53

#: The bounds are themselves computed in doubles, whose errors are far below one in a hundred.
SAFETY = 1.01


def float_matrix(matrix: ExactArray) -> tuple[Array, int]:
    """The entries as doubles between −1 and 1, each rounded once, and e: they times 2**e."""
    entries, denominator = matrix.elements.ravel().tolist(), matrix.denominator
    largest = max(map(abs, entries))
    exponent = largest.bit_length() - denominator.bit_length() + 1 if largest else 0
    above, below = 1 << max(0, -exponent), denominator << max(0, exponent)
    # The quotient of two ints is rounded correctly, however long they are.
    scaled = [entry * above / below for entry in entries]
    return np.array(scaled).reshape(matrix.shape), exponent


def _gamma(n: int) -> float:
    return n * ROUNDING / (1 - n * ROUNDING)


def _norm(array: Array) -> float:
    return float(np.linalg.norm(array))


def bounded_values(matrix: ExactArray) -> list[SingularValue]:
    """Every singular value of a matrix, enclosed by what LAPACK's decomposition is proved to miss.

    For matrices too large for exact arithmetic; nothing is said of multiplicities. The rounding
    of the entries, the residual K − U·S·Vᵀ and the departure of U and V from orthogonality are
    each bounded with the errors of computing them.

    Examples
    --------
    >>> matrix = ExactArray(np.array([[3, 0], [0, 4]], dtype=object))
    >>> [float(value.lower) <= true <= float(value.upper)
    ...  for value, true in zip(bounded_values(matrix), (4, 3))]
    [True, True]
    """
    rounded, exponent = float_matrix(matrix)
    left, values, right = np.linalg.svd(rounded, full_matrices=False)
    n = max(rounded.shape)
    scaled = left * values
    residual = _norm(rounded - scaled @ right) + _gamma(n + 4) * (
        _norm(np.abs(scaled) @ np.abs(right)) + _norm(rounded)
    )
    # Entries below the least double are rounded to it or to 0.
    residual = SAFETY * (residual + ROUNDING * _norm(rounded) + rounded.size * 2.0**-1074)
    bends = [SAFETY * _departure(part) for part in (left, right.T)]
    if max(bends) >= 1:
        raise ArithmeticError("the singular value decomposition did not converge")
    low = math.sqrt((1 - bends[0]) * (1 - bends[1])) * (1 - 4 * ROUNDING)
    high = math.sqrt((1 + bends[0]) * (1 + bends[1])) * (1 + 4 * ROUNDING)
    scale = Fraction(2) ** exponent
    found = []
    for value in values.tolist():
        least = Fraction(value) * Fraction(low) - Fraction(residual)
        most = Fraction(value) * Fraction(high) + Fraction(residual)
        found.append(SingularValue(max(least, Fraction(0)) * scale, most * scale, None))
    return found


def _departure(columns: Array) -> float:
    """A bound on ‖QᵀQ − I‖ for nearly orthonormal columns."""
    gram = columns.T @ columns - np.eye(columns.shape[1])
    return _norm(gram) + _gamma(len(columns) + 2) * _norm(np.abs(columns.T) @ np.abs(columns))


def distance_squared(array: ExactArray, terms: Sequence[Sequence[Sequence[Any]]]) -> Fraction:
    """Σ (k − Σ terms)² exactly: a double is a fraction."""
    denominator = array.denominator
    entries = [Fraction(int(e), denominator) for e in array.elements.ravel()]
    for vectors in terms:
        product = [Fraction(1)]
        for vector in vectors:
            factors = [_fraction(entry) for entry in vector]
            product = [value * factor for value in product for factor in factors]
        entries = [entry - value for entry, value in zip(entries, product, strict=True)]
    return sum((entry * entry for entry in entries), Fraction(0))


def _fraction(value: Any) -> Fraction:
    return (
        Fraction(value)
        if isinstance(value, (int, Fraction))
        else Fraction(*value.as_integer_ratio())
    )
