"""What came back against what is right: shape, type, finiteness, then entry by entry.

Integers that the probes keep exact are compared for equality. A mean is rounded where its divisor
is no power of two, and there its neighbourhood is γ_k·|A||x|, k = terms + 4 roundings: dividing,
multiplying by a rounded reciprocal, before or after summing, all stay within it. Of a fast
algorithm (Winograd, FFT) the caller states the growth ‖C‖·‖B‖·‖G‖ of its transforms; the bound on
an output is growth·γ_k·Σ_c max|x_c|·max|w_c|. Neither is relative to the result: near zero a
relative error says nothing.

References
----------
N. J. Higham, *Accuracy and Stability of Numerical Algorithms* (2002), sect. 3.1; B. Barabasz,
A. Anderson, K. M. Soodhalter, D. Gregg, *Error analysis and improving the accuracy of Winograd
convolution for deep neural networks*, ACM TOMS 46 (2020).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError
from symconv.rounding import above
from symconv.verifying.calling import Failure
from symconv.verifying.formats import Format
from symconv.verifying.problems import Problem

__all__ = ["Rules", "checked", "first_difference", "wrong"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Rules:
    """How results are judged.

    Attributes
    ----------
    number : Format
    growth : float, optional
        Of a fast algorithm's transforms; None where results must be exact.
    results : tuple of str, optional
        Types that a result may have, None for any.
    """

    number: Format
    growth: float | None = None
    results: tuple[str, ...] | None = None

    def gamma(self, terms: int) -> float:
        """γ_k = k·u/(1 − k·u) in this number format, rounded up."""
        share = terms * self.number.unit
        if share >= 1:
            raise ParameterError(f"dtype must resolve sums of {terms} terms, got {self.number}")
        return above(share / (1 - share) * (1 + Fraction(1, 2**40)))

    def is_exact(self, problem: Problem) -> bool:
        """Whether results must be equal, and not merely within a bound."""
        return self.growth is None and set(problem.divisors) == {1}

    def bound(self, problem: Problem, arguments: tuple[Array, ...]) -> Array | float:
        """How far each entry may be from the exact one."""
        if self.is_exact(problem):
            return 0.0
        gamma = self.gamma(problem.terms + 4)
        if self.growth is None:
            return problem.magnitudes(*arguments) * gamma
        return np.asarray(self.growth * gamma * _norms(problem, arguments))


def _norms(problem: Problem, arguments: tuple[Array, ...]) -> Array:
    """Σ_c max|x_c|·max|w_c| for each sample and output channel, shaped like the result."""
    flat = np.abs(np.asarray(arguments[0], dtype=np.float64))
    axes = tuple(range(2, flat.ndim))
    peaks = np.broadcast_to(flat.max(axis=axes, keepdims=True, initial=0), flat.shape)
    if problem.is_summed:
        return np.asarray(problem.magnitudes(peaks, *_peaks(arguments[1:], 2)))
    # The map of the peaks, with each kernel's largest weight at every tap, bounds all of it.
    rest = _peaks(arguments[1:2], 2) + tuple(np.abs(b) for b in arguments[2:])
    reached = problem.magnitudes(peaks, *rest)
    axes = tuple(range(2, reached.ndim))
    return np.broadcast_to(reached.max(axis=axes, keepdims=True, initial=0), reached.shape)


def _peaks(arrays: tuple[Array, ...], kept: int) -> tuple[Array, ...]:
    found = []
    for array in arrays:
        axes = tuple(range(kept, array.ndim))
        largest = np.abs(array).max(axis=axes, keepdims=True, initial=0)
        found.append(np.broadcast_to(largest, array.shape))
    return tuple(found)


def checked(  # noqa: PLR0911 - one return for each thing that can be wrong
    value: Any, problem: Problem, rules: Rules, arguments: tuple[Array, ...]
) -> Array | Failure:
    """A result as float64, or what is wrong with it before its values are looked at."""
    places = None
    if isinstance(value, tuple):
        if not problem.is_maximum:
            return Failure("result", "returns a pair, not one array", problem.title, arguments)
        value, places = value
    batch = () if problem.is_summed else (len(arguments[0]),)
    expected = (*batch, *problem.output_shape)
    for array in (value, places):
        if array is not None and array.shape != expected:
            reason = f"returns shape {array.shape}; it must be {expected}"
            # A shape costs nothing to look at; what it promises may not fit into memory.
            kept = np.asarray(array, dtype=np.float64) if _is_small(array) else None
            return Failure("shape", reason, problem.title, arguments, kept)
    name = str(value.dtype)
    if value.dtype.kind not in "iufV" and name != "bfloat16":
        reason = f"returns dtype {name}; it must hold numbers"
        return Failure("dtype", reason, problem.title, arguments)
    if rules.results is not None and name not in rules.results:
        reason = f"returns dtype {name}; it must be {' or '.join(rules.results)}"
        return Failure("dtype", reason, problem.title, arguments)
    result = np.array(value, dtype=np.float64)
    finite = np.isfinite(result)
    if not finite.all():
        at = _first(~finite)
        reason = f"returns {result[at]} at output {at} for finite data"
        return Failure("nan", reason, problem.title, arguments, result)
    if places is not None:
        _, right = problem.operator.apply(arguments[0], return_indices=True)
        if not np.array_equal(places, right):
            at = _first(np.asarray(places) != right)
            reason = f"index of output {at} is {places[at]}; the largest value is at {right[at]}"
            return Failure("values", reason, problem.title, arguments, result)
    return result


def _is_small(array: Any) -> bool:
    return bool(array.size <= 2**22 and array.dtype.kind in "iuf")


def wrong(
    result: Array, problem: Problem, rules: Rules, arguments: tuple[Array, ...]
) -> tuple[Array, Array]:
    """Which entries of a result are wrong, and the exact ones."""
    exact = problem.run(*arguments)
    if rules.is_exact(problem):
        return result != exact, exact
    return np.abs(result - exact) > rules.bound(problem, arguments), exact


def first_difference(
    result: Array, problem: Problem, rules: Rules, arguments: tuple[Array, ...]
) -> Failure | None:
    """The first wrong entry of a result as a `Failure`, or None."""
    mask, exact = wrong(result, problem, rules, arguments)
    if not mask.any():
        return None
    at = _first(mask)
    allowed = ""
    if not rules.is_exact(problem):
        bound = np.broadcast_to(rules.bound(problem, arguments), mask.shape)[at]
        allowed = f", give or take {bound:.3g}"
    reason = (
        f"{problem.title} differ in {int(mask.sum())} of {mask.size} entries, first at "
        f"{at}: {_number(result[at])} where {_number(exact[at])}{allowed} is right"
    )
    return Failure("values", reason, problem.title, arguments, result)


def _first(mask: Array) -> tuple[int, ...]:
    return tuple(int(n) for n in np.unravel_index(int(np.argmax(mask)), mask.shape))


def _number(value: Any) -> str:
    return str(int(value)) if float(value).is_integer() else f"{float(value):.9g}"
