"""The triples (o, k, i) of a geometry, as integer arrays.

On one axis the triples are a table ``reads[o, k] = i`` with `OUTSIDE` where a tap meets no stored
sample; on several axes they are the product. Sizes, matrices, counts and gradients read them
from here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE, Boundary
from symconv.errors import TooLargeError
from symconv.geometry import Axis, Geometry

__all__ = ["AxisPattern", "Incidence", "Pattern", "Windows", "check_table"]

IntArray = npt.NDArray[np.int64]

#: Largest table of one axis that is built; a longer axis is refused before anything is allocated.
MAX_TABLE = 2**26


def check_table(axis: Axis) -> None:
    """Refuse an axis whose tables are too large, or whose parameters no array holds."""
    relation = axis.relation
    largest = max(abs(getattr(relation, name)) for name in relation.__slots__)
    if largest >= 2**62:
        raise TooLargeError(
            f"the parameter {largest} of an axis is above the limit of 2**62 for a matrix; the "
            f"sizes and counts of the layer have no such limit"
        )
    if max(axis.n_out * axis.n_taps, axis.n_reach, axis.n_in) > MAX_TABLE:
        raise TooLargeError(
            f"an axis of {axis.n_in} samples, {axis.n_out} outputs and {axis.n_taps} taps is above "
            f"the limit of {MAX_TABLE} table entries; split the axis into overlapping pieces"
        )


def _stored(axis: Axis, boundary: Boundary, positions: IntArray) -> IntArray:
    """Stored index at each position of the spread axis; the overhang of ceil mode reads none."""
    j, gap = np.divmod(positions, axis.relation.input_dilation)
    inside = (gap == 0) & (positions < axis.relation.end(axis.n_in))
    return np.where(inside, boundary.read(j, axis.n_in), OUTSIDE)


def axis_reads(axis: Axis, boundary: Boundary) -> IntArray:
    """Table ``[o, k] → i`` of shape (n_out, n_taps)."""
    check_table(axis)
    o = np.arange(axis.n_out, dtype=np.int64)[:, None]
    k = np.arange(axis.n_taps, dtype=np.int64)[None, :]
    return _stored(axis, boundary, axis.relation.position(o, k))


def axis_positions(axis: Axis, boundary: Boundary) -> IntArray:
    """Stored index at every position of the padded axis that a window covers, from −p_lo on."""
    check_table(axis)
    return _stored(axis, boundary, np.arange(axis.n_reach, dtype=np.int64) - axis.relation.pad_lo)


@dataclass(frozen=True, eq=False)
class AxisPattern:
    """Distinct (row, column) pairs of one axis in CSR order, each with the taps that meet there.

    Several taps can meet on one pair under circular, reflecting or replicating padding. Each set
    of taps that occurs gets a label; ``merge[label, tap]`` is 1 for its members, and ``None``
    when every label is a single tap with the tap's own number.
    """

    indptr: IntArray
    columns: IntArray
    labels: IntArray
    n_columns: int
    merge: IntArray | None
    n_labels: int

    @classmethod
    def of(cls, reads: IntArray, n_in: int) -> AxisPattern:
        """Group the table ``[o, k] → i`` by (o, i)."""
        n_out, n_taps = reads.shape
        o, k = np.nonzero(reads != OUTSIDE)
        i = reads[o, k]
        order = np.lexsort((k, i, o))
        o, k, i = o[order], k[order], i[order]
        first = np.ones(len(o), dtype=bool)
        first[1:] = (o[1:] != o[:-1]) | (i[1:] != i[:-1])
        starts = np.flatnonzero(first)
        lengths = np.diff(np.append(starts, len(o)))
        labels, merge, n_labels = k[starts], None, n_taps
        several = np.flatnonzero(lengths > 1)
        if len(several):
            labels, merge = _label_sets(k, starts, lengths, several, n_taps)
            n_labels = len(merge)
        counts = np.bincount(o[starts], minlength=n_out)
        return cls(_indptr(counts), i[starts], labels, n_in, merge, n_labels)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.indptr) - 1

    @property
    def nnz(self) -> int:
        """Number of distinct pairs."""
        return len(self.columns)

    @cached_property
    def T(self) -> AxisPattern:  # noqa: N802 - the mathematical name
        """The same pairs read from column to row."""
        rows = np.repeat(np.arange(self.n_rows), np.diff(self.indptr))
        order = np.lexsort((rows, self.columns))
        counts = np.bincount(self.columns, minlength=self.n_columns)
        return AxisPattern(
            _indptr(counts), rows[order], self.labels[order], self.n_rows, self.merge, self.n_labels
        )


def _indptr(counts: IntArray) -> IntArray:
    indptr = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=indptr[1:])
    return indptr


def _label_sets(
    k: IntArray, starts: IntArray, lengths: IntArray, several: IntArray, n_taps: int
) -> tuple[IntArray, IntArray]:
    """Labels where some pairs are met by several taps; single taps keep their own number."""
    sets = np.zeros((len(several), n_taps), dtype=np.int64)
    member = np.repeat(np.arange(len(several)), lengths[several])
    offset = np.arange(len(member)) - np.repeat(
        np.cumsum(lengths[several]) - lengths[several], lengths[several]
    )
    sets[member, k[starts[several][member] + offset]] = 1
    distinct, which = np.unique(sets, axis=0, return_inverse=True)
    labels = k[starts].copy()
    labels[several] = n_taps + which.ravel()
    return labels, np.concatenate([np.eye(n_taps, dtype=np.int64), distinct])


@dataclass(frozen=True, eq=False)
class Pattern:
    """The spatial pattern of an operator: the product of its axes' patterns, row by row on demand.

    Nothing of full size is kept: `block` computes any run of rows.
    """

    axes: tuple[AxisPattern, ...]

    @property
    def n_rows(self) -> int:
        """Rows: output positions, or input positions after `T`."""
        return math.prod(axis.n_rows for axis in self.axes)

    @property
    def n_columns(self) -> int:
        """Columns: input positions, or output positions after `T`."""
        return math.prod(axis.n_columns for axis in self.axes)

    @property
    def nnz(self) -> int:
        """Distinct (row, column) pairs."""
        return math.prod(axis.nnz for axis in self.axes)

    @cached_property
    def T(self) -> Pattern:  # noqa: N802 - the mathematical name
        """The same pairs with rows and columns exchanged."""
        return Pattern(tuple(axis.T for axis in self.axes))

    @property
    def most_taps(self) -> int:
        """The most taps that meet on one pair."""
        sets = (axis.merge for axis in self.axes if axis.merge is not None)
        return math.prod(int(members.sum(axis=1).max()) for members in sets)

    def row_counts(self) -> IntArray:
        """Pairs in each row, of shape (n_rows,)."""
        counts = np.ones(1, dtype=np.int64)
        for axis in self.axes:
            counts = np.multiply.outer(counts, np.diff(axis.indptr)).ravel()
        return counts

    def block(self, start: int, stop: int) -> tuple[IntArray, IntArray, IntArray]:
        """Counts, columns and labels of rows ``start … stop−1``, columns ascending in each row."""
        rows = np.unravel_index(np.arange(start, stop), [axis.n_rows for axis in self.axes])
        # Items grow axis by axis: each is split into the pairs that its row has on the next axis.
        row_of = np.arange(stop - start)
        columns = labels = np.zeros(stop - start, dtype=np.int64)
        counts = np.ones(stop - start, dtype=np.int64)
        for axis, row in zip(self.axes, rows, strict=True):
            first, length = axis.indptr[:-1][row], np.diff(axis.indptr)[row]
            split = length[row_of]
            begin = np.cumsum(split) - split
            entry = np.repeat(first[row_of] - begin, split)
            entry += np.arange(len(entry))
            columns = np.repeat(columns * axis.n_columns, split)
            columns += axis.columns.take(entry)
            labels = np.repeat(labels * axis.n_labels, split)
            labels += axis.labels.take(entry)
            row_of = np.repeat(row_of, split)
            counts = counts * length
        return counts, columns, labels

    def merged(self, weight: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Weights per label: taps on the last axes, one per spatial axis → one flat label axis."""
        rank = len(self.axes)
        for number, axis in enumerate(self.axes):
            if axis.merge is not None:
                at = weight.ndim - rank + number
                merged = np.tensordot(weight, axis.merge.T.astype(weight.dtype), axes=(at, 0))
                weight = np.moveaxis(merged, -1, at)
        n_labels = math.prod(axis.n_labels for axis in self.axes)
        return weight.reshape(*weight.shape[: weight.ndim - rank], n_labels)


class Windows:
    """Any windows on stored samples: one table ``[o, k] → i`` per axis, and what follows from it.

    Parameters
    ----------
    reads : sequence of arrays, each of shape (n_out, n_taps)
        The stored index that each tap of each output reads, `OUTSIDE` for none.
    input_size : tuple of int

    Examples
    --------
    >>> halves = Windows([np.array([[0, 1, 2], [2, 3, 4]])], (5,))
    >>> halves.count, halves.largest_overlap, halves.output_size
    (6, 2, (2,))
    """

    def __init__(self, reads: Sequence[IntArray], input_size: Sequence[int]) -> None:
        self._tables, self.input_size = tuple(reads), tuple(input_size)

    @cached_property
    def reads(self) -> tuple[IntArray, ...]:
        """Per axis the table ``[o, k] → i`` of shape (n_out, n_taps)."""
        return self._tables

    @property
    def output_size(self) -> tuple[int, ...]:
        """Windows per axis."""
        return tuple(len(table) for table in self.reads)

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Taps per axis."""
        return tuple(table.shape[1] for table in self.reads)

    @cached_property
    def pattern(self) -> Pattern:
        """Distinct (o, i) pairs with the taps that meet there."""
        pairs = zip(self.reads, self.input_size, strict=True)
        return Pattern(tuple(AxisPattern.of(table, n_in) for table, n_in in pairs))

    @property
    def count(self) -> int:
        """Number of spatial triples, computed from the axes without listing them."""
        return math.prod(int(np.count_nonzero(table != OUTSIDE)) for table in self.reads)

    def gathered(self) -> IntArray:
        """Flat stored index for every (tap, output), `OUTSIDE` for none: shape (*kernel, *out)."""
        rank = len(self.reads)
        flat = np.zeros((1,) * (2 * rank), dtype=np.int64)
        inside = np.ones((1,) * (2 * rank), dtype=bool)
        for number, (table, n_in) in enumerate(zip(self.reads, self.input_size, strict=True)):
            shape = [1] * (2 * rank)
            shape[rank + number], shape[number] = table.shape
            by_tap = table.T.reshape(shape)
            flat = flat * n_in + by_tap
            inside = inside & (by_tap != OUTSIDE)
        return np.where(inside, flat, OUTSIDE)

    def triples(self) -> tuple[IntArray, IntArray, IntArray]:
        """Flat (o, k, i) of every spatial triple, ordered by output, then tap."""
        table = self.gathered().reshape(math.prod(self.kernel_size), -1).T
        o, k = np.nonzero(table != OUTSIDE)
        return o, k, table[o, k]

    @property
    def largest_overlap(self) -> int:
        """The most triples that read one stored sample."""
        return math.prod(
            int(np.bincount(table[table != OUTSIDE], minlength=1).max()) for table in self.reads
        )


class Incidence(Windows):
    """The triples of a geometry.

    Examples
    --------
    >>> from symconv.relation import AxisRelation
    >>> triples = Incidence(Geometry.of([AxisRelation(3, pad_lo=1, pad_hi=1)], [3]))
    >>> [tuple(map(int, t)) for t in zip(*triples.triples())]
    [(0, 1, 0), (0, 2, 1), (1, 0, 0), (1, 1, 1), (1, 2, 2), (2, 0, 1), (2, 1, 2)]
    """

    def __init__(self, geometry: Geometry) -> None:
        super().__init__((), geometry.input_size)
        self.geometry = geometry
        self.boundary = geometry.boundary

    @cached_property
    def reads(self) -> tuple[IntArray, ...]:
        """Per axis the table ``[o, k] → i`` of shape (n_out, n_taps)."""
        return tuple(axis_reads(axis, self.boundary) for axis in self.geometry.axes)

    @cached_property
    def positions(self) -> tuple[IntArray, ...]:
        """Per axis the stored index at each padded position that a window covers."""
        return tuple(axis_positions(axis, self.boundary) for axis in self.geometry.axes)
