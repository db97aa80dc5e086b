"""`separate`: the exact rank of a kernel, the separable kernels it is a sum of, singular values.

References
----------
C. Eckart, G. Young, *The approximation of one matrix by another of lower rank* (1936).
F. Hitchcock (1927): rank and multilinear rank of tensors.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv.algebras import Algebra
from symconv.checks import concrete, integer, shown
from symconv.counts import Counts, convolution_counts, separable_counts
from symconv.errors import ParameterError, ParameterTypeError
from symconv.relation import AxisRelation
from symconv.rendering import factors_svg, html_summary
from symconv.separable.arrays import ExactArray, checked_kernel, dyadic, exact_array
from symconv.separable.conditions import first_minor, reduced_minors
from symconv.separable.floating import distance_squared
from symconv.separable.singular import SingularValue, root_above
from symconv.separable.splitting import (
    Term,
    as_floats,
    exact_terms,
    float_terms,
    ranks_within,
)
from symconv.separable.values import matrix_values
from symconv.separable.writing import sum_latex, sum_lines
from symconv.verdict import Verdict, proved, refuted, undecided

__all__ = ["Savings", "Separation", "checked_tolerance", "separate"]

Array = npt.NDArray[Any]

#: Entries up to which a kernel is written as a formula.
MAX_WRITTEN = 81


@dataclass(frozen=True)
class Savings:
    """Weights of a kernel, and of the separable kernels it is a sum of.

    Per output and where every pass has as many outputs as the last (stride 1, sizes kept), the
    same numbers are the multiplications.

    Examples
    --------
    >>> savings = Savings(dense=81, separable=18)
    >>> savings.saves, savings.ratio
    (True, Fraction(2, 9))
    """

    dense: int
    separable: int

    @property
    def saves(self) -> bool:
        """Whether r(m + n) < m·n (on more axes: r·Σ taps < Π taps)."""
        return self.separable < self.dense

    @property
    def ratio(self) -> Fraction:
        """Separable over dense."""
        return Fraction(self.separable, self.dense)


@dataclass(frozen=True, eq=False)
class Separation:
    """What a kernel is made of (see `separate`).

    Attributes
    ----------
    kernel : numpy.ndarray
        As given.
    terms : tuple of tuples of vectors
        One vector per axis, (column, row) for a matrix; the outer products sum to the kernel,
        exactly where `is_exact`. Empty for the zero kernel.
    is_exact : bool
        Whether everything here is about the numbers given; False for floats, whose rank is
        within `tolerance`.
    multilinear_rank : tuple of int
        The rank of each unfolding (one axis against all others).
    tolerance : float or None
        For floats: σ counts as 0 below tolerance times the largest one.
    exact : Separation
        For floats the separation of the binary numbers stored; otherwise itself.
    """

    kernel: Array
    terms: tuple[Term, ...]
    is_exact: bool
    multilinear_rank: tuple[int, ...]
    tolerance: float | None
    numbers: ExactArray
    stored: Separation | None = None

    @classmethod
    def exactly(cls, kernel: Array, numbers: ExactArray) -> Separation:
        """The separation of exact numbers."""
        ranks, terms = exact_terms(numbers)
        return cls(kernel, terms, True, ranks, None, numbers)

    @property
    def exact(self) -> Separation:
        """For floats the separation of the binary numbers stored; otherwise itself."""
        return self.stored or self

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the kernel."""
        return self.kernel.shape

    @property
    def rank_bounds(self) -> tuple[int, int]:
        """The largest multilinear rank and the number of terms: the rank lies between them."""
        return max(self.multilinear_rank), len(self.terms)

    @property
    def rank(self) -> int | None:
        """The fewest separable kernels that sum to this one; None where that is not decided.

        Always decided for matrices, and for tensors of rank 0 and 1 (all unfoldings have rank at
        most 1) or whenever the bounds meet. For floats: within the tolerance. For symbols: for
        all values but those at which some polynomial vanishes, where it is smaller.
        """
        low, high = self.rank_bounds
        return low if low == high else None

    @property
    def exact_rank(self) -> int | None:
        """The rank of the numbers given; of floats, of the binary numbers stored."""
        return self.exact.rank

    @property
    def scope(self) -> str:
        """What rank and terms are about."""
        if not self.is_exact:
            return f"singular values above {self.tolerance:g} of the largest"
        if not self.numbers.is_symbolic:
            return "the stated numbers"
        names = ", ".join(map(str, self.numbers.domain.gens))
        divides = any(not entry.denom.is_ground for entry in self.numbers.elements.ravel())
        return f"all values of {names}" + (" without a zero denominator" if divides else "")

    @cached_property
    def condition(self) -> tuple[Any, ...]:
        """Polynomials in the symbols that all vanish iff the rank is at most 1.

        ``()`` where it always is and ``(1,)`` where it never is. For floats, of the binary
        numbers stored. See `symconv.separable.conditions.reduced_minors`.
        """
        return reduced_minors(self.numbers)

    @cached_property
    def is_separable(self) -> Verdict:
        """Whether the kernel is one outer product; floats by the binary numbers stored.

        Refuted with a 2×2 minor that does not vanish: rows i < p, columns j < q of an unfolding.
        """
        exact = self.exact
        scope = exact.scope if self.is_exact else "the binary numbers stored"
        if max(exact.multilinear_rank) <= 1:
            return proved(scope, "all 2×2 minors vanish")
        if exact.numbers.is_symbolic and self.condition != (sympy.S.One,):
            zero = ", ".join(f"{polynomial} = 0" for polynomial in self.condition)
            return undecided(scope, f"separable iff {zero}")
        axis = next(at for at, rank in enumerate(exact.multilinear_rank) if rank > 1)
        found = first_minor(exact.numbers.unfolding(axis))
        if found is None:
            raise AssertionError("an unfolding of rank above 1 has a minor")
        (i, p, j, q), minor = found
        (value,) = exact.numbers.public([minor], exact.numbers.denominator**2)
        case = {"rows": (i, p), "columns": (j, q), "minor": value}
        if self.kernel.ndim > 2:
            case = {"axis": axis, **case}
        return refuted(scope, case, f"rank at least {max(exact.multilinear_rank)}")

    def unfolding(self, axis: int) -> Separation:
        """The separation of the matrix with that axis as rows and the others as columns."""
        at = concrete("axis", integer("axis", axis, 0))
        if at >= self.kernel.ndim:
            raise ParameterError(f"axis must be below {self.kernel.ndim}, got {axis}")
        rows = np.moveaxis(self.kernel, at, 0).reshape(self.shape[at], -1)
        return separate(rows, tolerance=self.tolerance)

    @cached_property
    def singular_values(self) -> tuple[SingularValue, ...]:
        """The different singular values, largest first, with multiplicities; zeros included.

        σ is in closed form where the rank is 1 (σ² = Σ k²), where an irreducible factor of the
        characteristic polynomial has at most two roots, and for symbols (taken as real) up to
        rank 2. Everywhere else an interval contains it, proved. Multiplicities sum to the
        shorter side. Beyond a side of 24 each value comes with a proved bound, not told apart
        from near ones (multiplicity None). For floats, of the binary numbers stored.

        Raises
        ------
        ParameterError
            For tensors of rank above 1 (take an `unfolding`) and symbols of rank above 2.
        """
        numbers, rank = self.numbers, max(self.exact.multilinear_rank)
        if self.kernel.ndim > 2 and rank > 1:
            raise ParameterError(
                f"singular values need a matrix, got {self.kernel.ndim} axes; take unfolding(axis)"
            )
        matrix = numbers.unfolding(0)
        if self.kernel.ndim != 2:
            flat = numbers.elements.reshape(1, -1)
            matrix = ExactArray(flat, numbers.denominator, numbers.domain)
        return matrix_values(matrix, rank)

    @cached_property
    def residual(self) -> Any:
        """‖kernel − Σ terms‖ (Frobenius): 0 where exact, for floats a proved upper bound."""
        if self.is_exact:
            return 0
        distance = distance_squared(self.numbers, self.terms)
        return root_above(distance, 60) if distance else 0

    @property
    def savings(self) -> Savings:
        """Weights of the kernel and of its terms, with the condition r(m + n) < m·n."""
        return Savings(math.prod(self.shape), len(self.terms) * sum(self.shape))

    def counts(
        self, relations: Iterable[AxisRelation], input_size: Sequence[int]
    ) -> tuple[Counts, Counts]:
        """Counts of the terms, one pass per axis each, and of the dense kernel.

        Examples
        --------
        >>> same = AxisRelation(3, pad_lo=1, pad_hi=1)
        >>> passes, dense = separate([[1, 2, 1], [2, 4, 2], [1, 2, 1]]).counts([same] * 2, (8, 8))
        >>> passes.macs_per_tap, dense.macs_per_tap
        (384, 576)
        """
        axes = tuple(relations)
        taps = tuple(axis.n_taps for axis in axes)
        if taps != self.shape:
            raise ParameterError(f"relations must have the kernel's taps {self.shape}, got {taps}")
        dense = convolution_counts(axes, input_size, 1, 1, bias=False)
        if not self.terms:
            return Counts(0, 0, 0, 0, 0, 0), dense
        return separable_counts(axes, input_size, channel_pairs=len(self.terms)), dense

    def __repr__(self) -> str:
        shape = "×".join(map(str, self.shape))
        low, high = self.rank_bounds
        rank = f"rank {low}" if low == high else f"rank {low} to {high}"
        if not self.is_exact:
            stored = self.exact_rank
            return (
                f"<Separation {shape}, {rank} within relative tolerance {self.tolerance:g}; "
                f"rank {'undecided' if stored is None else stored} as stored>"
            )
        kind = " for almost all values" if self.numbers.is_symbolic and low > 0 else ""
        return f"<Separation {shape}, {rank}{kind}>"

    def __str__(self) -> str:
        return "\n".join([repr(self)[1:-1], *sum_lines(self.terms)])

    def latex(self) -> str:
        r"""The kernel as a sum of columns times rows; ``\otimes`` on more axes.

        Examples
        --------
        >>> print(separate([[2, 4], [3, 6]]).latex())
        \left[\begin{matrix}2 & 4\\3 & 6\end{matrix}\right] =
        \left[\begin{matrix}2\\3\end{matrix}\right]
        \left[\begin{matrix}1 & 2\end{matrix}\right]
        """
        rows = self.kernel.tolist() if self.kernel.ndim == 2 else None
        return sum_latex(rows, self.terms, "=" if self.is_exact else r"\approx")

    def svg(self) -> str:
        """The kernel and its terms as a picture, SVG with alternative text."""
        if self.kernel.ndim > 2:
            raise ParameterError(f"a picture needs a matrix, got {self.kernel.ndim} axes")
        return factors_svg(*self.panels(), self.value_list(), title=repr(self)[1:-1])

    def value_list(self) -> list[float]:
        """The singular values as doubles, largest first, each as often as it occurs."""
        return [float(v) for v in self.singular_values for _ in range(v.multiplicity or 1)]

    def panels(self) -> tuple[Array, list[tuple[Array, Array]]]:
        """The kernel and its terms as doubles, for pictures."""
        if self.numbers.is_symbolic:
            raise ParameterError("a picture needs numbers, got symbols; substitute them first")
        vectors = [term if len(term) == 2 else ((1,), *term) for term in self.terms]
        try:
            kernel = self.kernel.astype(float).reshape(-1, self.shape[-1])
            return kernel, [
                (np.array(column, dtype=float), np.array(row, dtype=float))
                for column, row in vectors
            ]
        except OverflowError:
            raise ParameterError("a picture needs numbers that doubles hold") from None

    def _repr_latex_(self) -> str | None:
        return f"$${self.latex()}$$" if self.kernel.size <= MAX_WRITTEN else None

    def _repr_html_(self) -> str:
        picture = ""
        if self.kernel.ndim <= 2 and self.terms:
            # Symbols and huge integers have no shades.
            with suppress(ParameterError):
                picture = self.svg()
        return html_summary(repr(self), self._repr_latex_(), picture)


def separate(kernel: Any, *, tolerance: float | None = None) -> Separation:
    """The rank of a kernel, and the fewest separable kernels that sum to it.

    Integers, Fractions, radicals and symbols are decided in the ring they live in: no tolerance,
    and no radicals in the terms of a kernel without them. Floats are two things at once: numbers
    with rounding errors, whose rank is taken within a relative tolerance, and exact binary
    numbers, whose separation is `Separation.exact`.

    Parameters
    ----------
    kernel : array_like with at least one axis
        Integers, Fractions, SymPy expressions (rational functions of symbols with algebraic
        coefficients), float32 or float64. All real.
    tolerance : float, optional
        For floats only: singular values of at most tolerance times the largest count as 0. By
        default the spacing of the type at 1 (2⁻²³ or 2⁻⁵²) times the longest side.

    Returns
    -------
    Separation
        With `rank`, `terms`, `singular_values`, `condition`, `savings`. The vectors of integer
        kernels are small integers: rows primitive, columns with the rest, few minus signs.

    Raises
    ------
    DTypeError
        For booleans, complex numbers, infinities, transcendental numbers, text.
    ShapeError
        For ragged lists, empty arrays and single numbers.
    TooLargeError
        For more entries than exact arithmetic is meant for here.
    ParameterError, ParameterTypeError
        If tolerance is given for exact numbers, or is no number from 0 to below 1.

    Examples
    --------
    >>> notes = separate([[3, 6, 9], [4, 8, 12], [5, 10, 15]])
    >>> notes.rank, notes.terms, str(notes.singular_values[0])
    (1, (((3, 4, 5), (1, 2, 3)),), '10*sqrt(7)')
    >>> print(separate([[0, 1, 0], [1, -4, 1], [0, 1, 0]]))
    Separation 3×3, rank 2
      (1, 0, 1) ⊗ (0, 1, 0)
    + (0, 1, 0) ⊗ (1, -4, 1)
    >>> separate([[1e-9, 0.0], [0.0, 1e-9]]).rank
    2

    References
    ----------
    C. Eckart, G. Young (1936); F. Hitchcock (1927).
    """
    array, algebra = checked_kernel("kernel", kernel)
    numbers = exact_array("kernel", array, algebra)
    if algebra is not Algebra.REAL:
        if tolerance is not None:
            raise ParameterError(
                f"tolerance must be left out for exact kernels, whose rank is decided without, "
                f"got {shown(tolerance)}"
            )
        return Separation.exactly(array, numbers)
    epsilon = float(np.finfo(array.dtype).eps) * max(array.shape)
    share = epsilon if tolerance is None else checked_tolerance(tolerance)
    return _within(array, numbers, share)


def checked_tolerance(value: Any) -> float:
    """A relative tolerance: a number from 0 to below 1.

    Examples
    --------
    >>> checked_tolerance(Fraction(1, 8))
    0.125
    """
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, Fraction, np.integer, np.floating)
    ):
        raise ParameterTypeError(f"tolerance must be a number, got {shown(value)}")
    if not 0 <= value < 1:
        raise ParameterError(f"tolerance must be at least 0 and below 1, got {value}")
    return float(value)


def _within(array: Array, numbers: ExactArray, tolerance: float) -> Separation:
    """Floats: the separation of what is stored, and the rank and terms within a tolerance."""
    stored = Separation.exactly(dyadic(array), numbers)
    ranks, largest = ranks_within(numbers, stored.multilinear_rank, tolerance)
    terms = as_floats(stored.terms, array.dtype) if ranks == stored.multilinear_rank else None
    if terms is None:
        terms = float_terms(array, ranks[0], tolerance * float(largest))
    return Separation(array, terms, False, ranks, tolerance, numbers, stored)
