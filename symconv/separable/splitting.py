"""Terms: a kernel as a sum of outer products of vectors, one per axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.separable.arrays import ExactArray
from symconv.separable.singular import SingularValue
from symconv.separable.values import matrix_values

__all__ = ["Term", "as_floats", "exact_terms", "float_terms", "ranks_within"]

Array = npt.NDArray[Any]

#: Vectors, one per axis, whose outer product is a separable kernel.
Term = tuple[tuple[Any, ...], ...]

#: Axes of which every order is tried for the fewest terms.
MAX_ORDERED = 4


def exact_terms(numbers: ExactArray) -> tuple[tuple[int, ...], tuple[Term, ...]]:
    """The multilinear rank and terms that sum to the array, exactly.

    A matrix has as few terms as its rank. A tensor is split axis by axis (which leaves matrices),
    in the order of axes that gives the fewest terms.

    Examples
    --------
    >>> exact_terms(ExactArray(np.array([[2, 4], [3, 6]], dtype=object)))
    ((1, 1), (((2, 3), (1, 2)),))
    """
    n_axes = len(numbers.shape)
    if n_axes <= 2:
        terms = _matrix_terms(numbers)
        return (len(terms),) * n_axes, tuple(terms)
    ranks = tuple(len(numbers.unfolding(axis).factors()[0]) for axis in range(n_axes))
    orders: Iterable[tuple[int, ...]] = [tuple(range(n_axes))]
    if max(ranks) > 1 and n_axes <= MAX_ORDERED:
        orders = permutations(range(n_axes))
    best: list[Term] | None = None
    for order in orders:
        turned = ExactArray(numbers.elements.transpose(order), numbers.denominator, numbers.domain)
        found = _tensor_terms(turned)
        if best is None or len(found) < len(best):
            back = np.argsort(order)
            best = [tuple(term[at] for at in back) for term in found]
        if len(best) == max(ranks):
            break
    return ranks, tuple(best or ())


def _matrix_terms(numbers: ExactArray) -> list[Term]:
    columns, rows = numbers.factors()
    if not numbers.equals_sum(columns, rows):
        raise AssertionError("the terms do not sum to the kernel")
    if len(numbers.shape) == 1:
        return [(numbers.public(list(numbers.elements), numbers.denominator),)] if rows else []
    return [
        (numbers.public(column, numbers.denominator), numbers.public(row))
        for column, row in zip(columns, rows, strict=True)
    ]


def _tensor_terms(numbers: ExactArray) -> list[Term]:
    """The first axis against the others, whose rows are tensors again."""
    if len(numbers.shape) <= 2:
        return _matrix_terms(numbers)
    flat = numbers.unfolding(0)
    columns, rows = flat.factors()
    if not flat.equals_sum(columns, rows):
        raise AssertionError("the terms do not sum to the kernel")
    terms: list[Term] = []
    for column, row in zip(columns, rows, strict=True):
        rest = np.empty(len(row), dtype=object)
        rest[:] = row
        inner = ExactArray(rest.reshape(numbers.shape[1:]), domain=numbers.domain)
        head = numbers.public(column, numbers.denominator)
        terms += [(head, *vectors) for vectors in _tensor_terms(inner)]
    return terms


def ranks_within(
    numbers: ExactArray, ranks: Sequence[int], tolerance: float
) -> tuple[tuple[int, ...], Fraction]:
    """The rank of each unfolding within a relative tolerance, and the largest singular value.

    `ranks` are the exact ones. A value counts where its enclosure lies above tolerance times the
    largest value's.
    """
    found, largest = [], Fraction(0)
    for axis, rank in enumerate(ranks):
        values = matrix_values(numbers.unfolding(axis), rank)
        largest = max(largest, values[0].upper or Fraction(0))
        found.append(_counted(values, tolerance))
    return tuple(found), largest


def _counted(values: Sequence[SingularValue], tolerance: float) -> int:
    least = Fraction(tolerance) * (values[0].upper or 0)
    kept = (value for value in values if value.lower and value.lower > least)
    return sum(value.multiplicity or 1 for value in kept)


def as_floats(terms: Sequence[Term], dtype: np.dtype[Any]) -> tuple[Term, ...] | None:
    """The terms as Python floats, or None where `dtype` does not hold one of them exactly.

    Examples
    --------
    >>> as_floats([((Fraction(1, 4), 2),)], np.dtype("f4"))
    (((0.25, 2.0),),)
    >>> as_floats([((Fraction(1, 3),),)], np.dtype("f4"))
    """
    converted = []
    for term in terms:
        vectors = []
        for vector in term:
            try:
                exact = [Fraction(entry) for entry in vector]
                with np.errstate(over="ignore"):
                    near = np.array([float(entry) for entry in exact]).astype(dtype).tolist()
            except OverflowError:
                return None
            if any(abs(e) == np.inf or Fraction(e) != x for e, x in zip(near, exact, strict=True)):
                return None
            vectors.append(tuple(near))
        converted.append(tuple(vectors))
    return tuple(converted)


def float_terms(array: Array, rank: int, least: float) -> tuple[Term, ...]:
    """Terms of a float array by singular value decompositions, axis by axis.

    `rank` is the number of the first split; what it leaves is split down to `least`.
    """
    scale = float(np.max(np.abs(array))) or 1.0
    found = _split(array.astype(float) / scale, rank, least / scale, 1.0)
    terms = []
    for head, *tails in found:
        vectors = [head * scale, *tails]
        terms.append(tuple(tuple(vector.astype(array.dtype).tolist()) for vector in vectors))
    return tuple(terms)


def _split(array: Array, rank: int | None, least: float, weight: float) -> list[tuple[Array, ...]]:
    if array.ndim == 1:
        return [(array,)] if array.any() else []
    left, values, right = np.linalg.svd(array.reshape(len(array), -1), full_matrices=False)
    number = int(np.sum(values * weight > least)) if rank is None else rank
    terms: list[tuple[Array, ...]] = []
    for at in range(number):
        head, tail = left[:, at] * values[at], right[at]
        if np.sum(np.sign(tail)) + np.sum(np.sign(head)) < 0:
            head, tail = -head, -tail
        rest = _split(tail.reshape(array.shape[1:]), None, least, weight * float(values[at]))
        terms += [(head, *vectors) for vectors in rest]
    return terms
