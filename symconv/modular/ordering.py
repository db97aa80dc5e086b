"""In which order columns are eliminated: the one whose fronts are estimated to be smallest."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse
from scipy.sparse.csgraph import connected_components

from symconv.modular.elimination import BLOCK
from symconv.modular.integer_matrix import IntegerMatrix

__all__ = ["Plan", "plan"]

Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Plan:
    """An order of the columns with what elimination in it is estimated to take.

    Attributes
    ----------
    order : numpy.ndarray
        Columns, the one to eliminate first at the start.
    front : int
        Numbers in the largest front.
    kept : int
        Numbers in the steps that can be kept, about.
    work : int
        Multiplications, estimated.
    """

    order: Array
    front: int
    kept: int
    work: int


def plan(matrix: IntegerMatrix, shape: tuple[int, ...]) -> Plan:
    """The better of a few orders for columns that index arrays of `shape`.

    Parts of the matrix that share no row are eliminated one after the other (groups of channels,
    the residue classes of a dilation).
    """
    part = _parts(matrix)
    plans = (_estimated(matrix, _sorted(part, order)) for order in _orders(matrix, shape))
    return min(plans, key=lambda candidate: candidate.work)


def _orders(matrix: IntegerMatrix, shape: tuple[int, ...]) -> list[Array]:
    """The C order, and positions with the longest axis outermost and the channels innermost."""
    places = np.arange(matrix.shape[1])
    if math.prod(shape) != len(places) or len(shape) < 2:
        return [places]
    axes = sorted(range(1, len(shape)), key=lambda axis: -shape[axis])
    by_position = places.reshape(shape).transpose(*axes, 0).ravel()
    without_channel = sorted(range(len(shape)), key=lambda axis: -shape[axis])
    return [places, by_position, places.reshape(shape).transpose(without_channel).ravel()]


def _parts(matrix: IntegerMatrix) -> Array:
    """For each column the number of its part: parts share no row."""
    rows, columns = matrix.shape
    ends = (np.ones(len(matrix.indices), dtype=bool), (matrix.rows, matrix.indices + rows))
    graph = scipy.sparse.coo_array(ends, shape=(rows + columns, rows + columns))
    return np.asarray(connected_components(graph, directed=False)[1][rows:])


def _sorted(part: Array, order: Array) -> Array:
    """`order` with the parts one after the other."""
    return np.asarray(order[np.argsort(part[order], kind="stable")])


def _estimated(matrix: IntegerMatrix, order: Array) -> Plan:
    """Front sizes if no row vanished before its last column: counted, not eliminated."""
    n_columns = matrix.shape[1]
    place = np.empty(n_columns, dtype=np.int64)
    place[order] = np.arange(n_columns)
    filled = np.flatnonzero(np.diff(matrix.indptr))
    if not len(filled):
        return Plan(order, 0, 0, 0)
    columns = place[matrix.indices]
    first = np.minimum.reduceat(columns, matrix.indptr[filled])
    last = np.maximum.reduceat(columns, matrix.indptr[filled])
    # A column enters with the first row that reads it and leaves when it is eliminated.
    entered = np.arange(n_columns)
    lengths = np.diff(matrix.indptr)[filled]
    np.minimum.at(entered, columns, np.repeat(first, lengths))
    width = _standing(entered, np.arange(n_columns), n_columns)
    height = _standing(first, last, n_columns)
    # No more rows than columns stay independent, and a part's first rows wait for its columns.
    rows = np.minimum(height, 2 * width)
    front = int(((rows + BLOCK) * (width + BLOCK)).max())
    return Plan(order, front, int((rows + width).sum()), int((rows * width).sum()))


def _standing(begin: Array, end: Array, n: int) -> Array:
    """How many of the intervals begin … end contain each of 0 … n−1."""
    change = np.bincount(begin, minlength=n + 1) - np.bincount(end + 1, minlength=n + 1)[: n + 1]
    return np.asarray(np.cumsum(change)[:n])
