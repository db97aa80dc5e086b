"""How large the outputs of a convolution can be, from its weights and its triples.

Σ|w| over the products of one output bounds every partial sum, in whatever order it is taken; with
the least and the greatest input in place of ±1 it gives the range of the output itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import magnitude
from symconv.execute.threads import share, thread_count
from symconv.incidence import AxisPattern, Incidence
from symconv.memory import require

__all__ = ["DOUBLE", "SINGLE", "Sums", "largest_row_sum", "row_totals", "widened"]

Array = npt.NDArray[Any]

#: Below these every integer is a float32 or a float64.
SINGLE, DOUBLE = 2**24, 2**53

#: Numbers that are looked at together, where there are more.
LARGE = 2**18

#: Counts that are compared at once.
BLOCK = 2**22


@dataclass(frozen=True)
class Sums:
    """How large the outputs of a bilinear map can be.

    Attributes
    ----------
    terms : int
        Products summed into one output at most.
    first, second : callable or None
        The largest Σ|a| (or Σ|b|) over the products of one output, or more.
    by_loops : bool
        Whether int64 is as fast as floats: nothing is multiplied, or only a sparse matrix.

    Examples
    --------
    >>> sums = Sums(3, second=lambda b: int(np.abs(b).sum()))
    >>> sums.bound(np.array([2**20]), np.array([1, 0, 2**20])) == 2**20 * (2**20 + 1)
    True
    """

    terms: int
    first: Callable[[Array], int] | None = None
    second: Callable[[Array], int] | None = None
    by_loops: bool = False

    def bound(self, a: Array, b: Array) -> int:
        """At least Σ|a|·|b| over the products of any output, and any |a| and |b|."""
        largest_a, largest_b = _magnitude(a), _magnitude(b)
        bound = self.terms * largest_a * largest_b
        # Sums are looked at where they can matter only.
        if bound >= SINGLE and self.second is not None:
            bound = min(bound, largest_a * self.second(b))
        if bound >= SINGLE and self.first is not None:
            bound = min(bound, self.first(a) * largest_b)
        return max(bound, largest_a, largest_b)


def _magnitude(array: Array) -> int:
    """`magnitude`, by several threads where an array is large."""
    threads = thread_count() if array.size >= LARGE and array.flags.c_contiguous else 1
    if threads == 1:
        return magnitude(array)
    flat, found = array.reshape(-1), [0]

    def work(first: int, last: int) -> None:
        found.append(magnitude(flat[first * LARGE : last * LARGE]))

    share(work, -(-flat.size // LARGE), threads)
    return max(found)


def row_classes(axis: AxisPattern) -> Array:
    """The distinct rows of one axis, each as how often every label occurs in it."""
    found = np.zeros((0, axis.n_labels), dtype=np.int64)
    step = max(1, BLOCK // axis.n_labels)
    for start in range(0, axis.n_rows, step):
        stop = min(start + step, axis.n_rows)
        begin, end = axis.indptr[start], axis.indptr[stop]
        row = np.repeat(np.arange(stop - start), np.diff(axis.indptr[start : stop + 1]))
        at = row * axis.n_labels + axis.labels[begin:end]
        counts = np.bincount(at, minlength=(stop - start) * axis.n_labels)
        counts = counts.reshape(-1, axis.n_labels)
        # Inside, neighbouring rows are alike; sorting is for the few that are left.
        differs = np.ones(len(counts), dtype=bool)
        differs[1:] = (counts[1:] != counts[:-1]).any(axis=1)
        found = np.unique(np.concatenate([found, counts[differs]]), axis=0)
    return found


def widened(array: Array, terms: int) -> Array:
    """`array` in a type that holds sums of `terms` of its entries: int64 or Python integers."""
    return array.astype(np.int64 if max(terms, 1) * magnitude(array) < 2**62 else object)


def row_totals(
    incidence: Incidence,
    weight: Array,
    transposed: bool,
    value: Callable[[Array], Array],
    *,
    merged: bool,
) -> Array:
    """Σ ``value(entry)`` over each row of the matrix, one row of each kind: (channels, *kinds).

    Parameters
    ----------
    weight : array of integers, of the geometry's weight shape
        In a type that holds the totals (see `widened`).
    value : callable
        Of an array, elementwise.
    merged : bool
        Whether taps that read the same sample are one entry, as in the matrix, or one each.

    Raises
    ------
    TooLargeError
        If memory does not hold the totals.
    """
    geometry, pattern = incidence.geometry, incidence.pattern
    kinds = [row_classes(axis.T if transposed else axis) for axis in pattern.axes]
    if not merged:
        kinds = [
            rows if axis.merge is None else rows @ axis.merge
            for rows, axis in zip(kinds, pattern.axes, strict=True)
        ]
    labels = tuple(rows.shape[1] for rows in kinds)
    most = math.prod(max(rows.shape) for rows in kinds)
    size = 16 * weight.shape[0] * weight.shape[1] * most
    require(size, "the sums of the rows", "use a smaller kernel or zero padding")
    entries = np.asarray(pattern.merged(weight)) if merged else weight
    # Channels that are read are added up at once, as every row reads all of its group's.
    by_group = value(entries).reshape(geometry.groups, -1, weight.shape[1], *labels)
    totals = by_group.sum(axis=1 if transposed else 2).reshape(-1, *labels)
    for number, rows in enumerate(kinds):
        along = np.moveaxis(totals, 1 + number, -1)
        totals = np.moveaxis(along @ rows.T.astype(along.dtype), -1, 1 + number)
    return np.asarray(totals)


def largest_row_sum(incidence: Incidence, weight: Array, transposed: bool) -> int:
    """At least Σ|w| over the products of any output; equal to it for the adjoint.

    Examples
    --------
    >>> from symconv.geometry import Geometry
    >>> from symconv.relation import AxisRelation
    >>> strided = Incidence(Geometry.of([AxisRelation(3, stride=2)], [9]))
    >>> w = np.array([[[5, -7, 3]]])
    >>> largest_row_sum(strided, w, False), largest_row_sum(strided, w, True)
    (15, 8)
    """
    geometry = incidence.geometry
    if not weight.size:
        return 0
    if not transposed:
        magnitudes = np.abs(widened(weight, geometry.products_per_output))
        return int(magnitudes.reshape(len(weight), -1).sum(axis=1).max())
    terms = incidence.largest_overlap * geometry.out_channels
    totals = row_totals(incidence, widened(weight, terms), True, np.abs, merged=False)
    return int(totals.max())
