"""The singular values of one matrix, by the way that its size and its numbers ask for."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from symconv.errors import ParameterError
from symconv.separable.arrays import ExactArray
from symconv.separable.floating import bounded_values
from symconv.separable.singular import SingularValue, field_squares, integer_squares

__all__ = ["MAX_CHARACTERISTIC", "matrix_values"]

#: Shorter side up to which singular values come from the characteristic polynomial.
MAX_CHARACTERISTIC = 24


def matrix_values(matrix: ExactArray, rank: int) -> tuple[SingularValue, ...]:
    """The different singular values of a matrix of known rank, largest first, zeros included.

    Examples
    --------
    >>> import numpy as np
    >>> [str(value) for value in matrix_values(ExactArray(np.array([[3, 4]], dtype=object)), 1)]
    ['5']
    """
    side = min(matrix.shape)
    zero = SingularValue(Fraction(0), Fraction(0), side - rank, sympy.S.Zero)
    zeros = (zero,) if side > rank else ()
    if not rank:
        return zeros
    if matrix.is_symbolic:
        return (*_symbolic(matrix, rank), *zeros)
    if rank == 1:
        # σ² = Σ k²: the matrix laid out as one row has the same one.
        return (*_enclosed([list(matrix.elements.ravel())], matrix), *zeros)
    if side <= MAX_CHARACTERISTIC:
        return _enclosed(matrix.rows(), matrix)
    if matrix.domain is not None:
        raise ParameterError(
            f"singular values of a kernel with radicals need a side of at most "
            f"{MAX_CHARACTERISTIC}, got {matrix.shape}"
        )
    # The rank is exact: what comes after so many of them is zero, whatever the doubles say.
    return (*bounded_values(matrix)[:rank], *zeros)


def _enclosed(rows: list[list[Any]], matrix: ExactArray) -> tuple[SingularValue, ...]:
    if matrix.domain is not None:
        roots = field_squares(rows, matrix.domain)
    else:
        roots = integer_squares(rows)
    return tuple(root.value(matrix.denominator) for root in roots)


def _symbolic(matrix: ExactArray, rank: int) -> tuple[SingularValue, ...]:
    """Closed forms for real symbols: Σσ² = Σk², and Πσ² is the sum of the squared minors."""
    total = matrix.sum_of_squares()
    if rank == 1:
        return (SingularValue(None, None, 1, sympy.sqrt(sympy.factor(total))),)
    if rank > 2:
        raise ParameterError(
            f"singular values of a symbolic kernel are written up to rank 2, got rank {rank}; "
            f"substitute numbers"
        )
    domain = matrix.domain
    product = domain.one
    # K = C·R: the 2×2 minors of K are those of C times those of R (Cauchy and Binet).
    for one, other in matrix.factors():
        norms = [
            sum((a * b for a, b in zip(u, v, strict=True)), domain.zero)
            for u, v in ((one, one), (other, other), (one, other))
        ]
        product = product * (norms[0] * norms[1] - norms[2] * norms[2])
    spread = sympy.sqrt(sympy.factor(total**2 - 4 * domain.to_sympy(product)))
    return tuple(
        SingularValue(None, None, 1, sympy.sqrt((total + sign * spread) / 2)) for sign in (1, -1)
    )
