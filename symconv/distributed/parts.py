"""Parts of one axis: what makes a range of its outputs, and from which ranges of its input.

Outputs o₀ … of the relation ``b·j = s·o + d·k − p``, on stored samples a … , are the same relation
with padding ``b·a − (s·o₀ − p)``: any block of rows and columns of an axis is an axis. Where the
boundary folds (circular, reflecting, …) several runs of samples meet in one window, and several
runs of outputs read one sample: they are put side by side, by the tables of the incidence.

Nothing here knows how the parts are shared out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.adaptive import AdaptiveRelation
from symconv.boundary import OUTSIDE, Boundary
from symconv.geometry import Axis
from symconv.incidence import axis_positions
from symconv.relation import AxisRelation

__all__ = ["Part", "cut", "cut_windows", "linear_part", "window_part"]

IntArray = npt.NDArray[np.int64]

#: Axes of which the stored samples are kept.
KEPT = 16


@dataclass(frozen=True)
class Fetch:
    """What one part takes, on one axis, out of one chunk of the input.

    Attributes
    ----------
    chunk : int
    hull : slice
        From the first to the last sample that is taken.
    runs : tuple of (slice, slice)
        Places in the hull, and where they belong in the part's own input.
    """

    chunk: int
    hull: slice
    runs: tuple[tuple[slice, slice], ...]


@dataclass(frozen=True, eq=False)
class Part:
    """One axis of a part.

    Attributes
    ----------
    size : int
        Positions that it gives.
    width : int
        Positions of its own input; those that nothing is fetched for are zero.
    fetches : tuple of Fetch
    local : Axis or array
        The axis of the local map, or its table ``[o, k] → i``.
    outputs : range
        The outputs of the whole axis that `local` has.
    first : int
        The sample of the whole axis that is the first of `local`.
    fold : array or None
        Where each result of `local` belongs, `OUTSIDE` for nowhere; None where each is its own.
    """

    size: int
    width: int
    fetches: tuple[Fetch, ...]
    local: Any
    outputs: range
    first: int = 0
    fold: IntArray | None = None


@dataclass(frozen=True, slots=True)
class Shifted(AdaptiveRelation):
    """Some outputs of adaptive windows, from `first_output` on, on the samples from `first` on."""

    first_output: int
    first: int

    def position(self, o: Any, k: Any) -> Any:
        """The sample that output `o` reads through tap `k`; none of these past its window."""
        # A class with slots has no `super()` without arguments.
        return AdaptiveRelation.position(self, o + self.first_output, k) - self.first

    def reach(self, n_out: int) -> int:
        """Samples from the first to the last that the windows cover."""
        return int(self.stop(self.first_output + n_out - 1)) - self.first

    def end(self, n_in: int) -> int:
        """The first position after the axis."""
        return n_in


def cut(axis: Axis, edges: Sequence[int], transposed: bool) -> list[int]:
    """Where the output is cut when the input is cut at `edges`: there its middle taps read.

    Returns
    -------
    list of int
        Edges of the output, without its ends.

    Examples
    --------
    >>> conv = Axis(AxisRelation(3, stride=2, pad_lo=1, pad_hi=1), 16, 8)
    >>> cut(conv, [8], False), cut(conv, [4], True)
    ([4], [8])
    """
    given, made = (axis.n_out, axis.n_in) if transposed else (axis.n_in, axis.n_out)
    inner = np.array([edge for edge in edges if 0 < edge < given], dtype=np.int64)
    # The windows of adaptive pooling differ in size: they are placed by their first samples.
    relation: Any = axis.relation
    middle = 0 if isinstance(relation, AdaptiveRelation) else (axis.n_taps - 1) // 2
    places = relation.position(np.arange(axis.n_out), middle)
    spread = relation.input_dilation
    found = -(-places[inner] // spread) if transposed else np.searchsorted(places, spread * inner)
    return [edge for edge in np.unique(found).tolist() if 0 < edge < made]


def cut_windows(table: IntArray, edges: Sequence[int], n_in: int) -> list[int]:
    """As `cut`, for any windows: by the middle between their first and last samples."""
    inside = table != OUTSIDE
    middle = (np.where(inside, table, n_in).min(axis=1) + table.max(axis=1)) // 2
    # Windows without a sample go with those before them.
    middle[~inside.any(axis=1)] = 0
    found = np.searchsorted(np.maximum.accumulate(middle), [e for e in edges if 0 < e < n_in])
    return [edge for edge in np.unique(found).tolist() if 0 < edge < len(table)]


def _within(start: int, stop: int, n: int) -> range:
    """``start … stop−1`` as far as it lies in 0 … n−1; one place at least where there is one."""
    start = min(max(start, 0), max(n - 1, 0))
    return range(start, max(min(stop, n), min(start + 1, n)))


def samples_read(axis: Axis, start: int, stop: int) -> range:
    """The samples from the first to the last that outputs ``start … stop−1`` read."""
    relation: Any = axis.relation
    if isinstance(relation, AdaptiveRelation):
        return range(relation.start(start), relation.stop(stop - 1))
    spread = relation.input_dilation
    first = relation.position(start, 0)
    last = min(relation.position(stop - 1, axis.n_taps - 1), relation.end(axis.n_in) - 1)
    return _within(-(-first // spread), last // spread + 1, axis.n_in)


def outputs_reading(axis: Axis, start: int, stop: int) -> range:
    """The outputs from the first to the last that read samples ``start … stop−1``."""
    relation: Any = axis.relation
    if isinstance(relation, AdaptiveRelation):
        outputs = np.arange(axis.n_out)
        first = int(np.searchsorted(relation.stop(outputs), start, "right"))
        return _within(first, int(np.searchsorted(relation.start(outputs), stop)), axis.n_out)
    first = -(-relation.output_numerator(start, axis.n_taps - 1) // relation.stride)
    last = relation.output_numerator(stop - 1, 0) // relation.stride
    return _within(first, last + 1, axis.n_out)


def block(axis: Axis, outputs: range, samples: range) -> Axis:
    """Some rows and columns of one axis, as an axis; other samples are outside of it.

    Examples
    --------
    >>> whole = Axis(AxisRelation(3, stride=2, pad_lo=1, pad_hi=1), 16, 8)
    >>> block(whole, range(2, 4), range(3, 8)).relation
    AxisRelation(n_taps=3, stride=2, dilation=1, pad_lo=0, pad_hi=9, input_dilation=1)
    """
    relation: Any = axis.relation
    if isinstance(relation, AdaptiveRelation):
        shifted: Any = Shifted(relation.n_in, relation.n_out, outputs.start, samples.start)
        return Axis(shifted, len(samples), len(outputs))
    before = relation.input_dilation * samples.start
    moved = replace(
        relation,
        pad_lo=before - relation.position(outputs.start, 0),
        # What lies past the padded axis stays there.
        pad_hi=relation.end(axis.n_in) - before - relation.spread_size(len(samples)),
    )
    return Axis(moved, len(samples), len(outputs))


def linear_part(
    axis: Axis,
    boundary: Boundary,
    transposed: bool,
    start: int,
    stop: int,
    starts: Sequence[int],
) -> Part:
    """What makes outputs ``start … stop−1`` of one axis; the input's chunks begin at `starts`."""
    size = stop - start
    if not boundary.needs_samples:
        near = (outputs_reading if transposed else samples_read)(axis, start, stop)
        outputs, samples = (near, range(start, stop)) if transposed else (range(start, stop), near)
        source = np.arange(near.start, near.stop)
        local = block(axis, outputs, samples)
        return Part(size, len(near), fetches(source, starts), local, outputs, samples.start)
    if transposed:
        source, local, fold = _folded_back(axis, boundary, start, stop)
        return Part(size, len(source), fetches(source, starts), local, range(0), fold=fold)
    source, local = _folded(axis, boundary, start, stop)
    return Part(size, len(source), fetches(source, starts), local, range(start, stop))


def _bare(relation: AxisRelation) -> AxisRelation:
    """The relation on its padded axis."""
    return AxisRelation(relation.n_taps, relation.stride, relation.dilation)


def _folded(axis: Axis, boundary: Boundary, start: int, stop: int) -> tuple[IntArray, Axis]:
    """The sample at each padded position that some outputs cover, and their axis on these."""
    relation, n_out = axis.relation, stop - start
    here = Axis(replace(relation, pad_lo=-relation.position(start, 0)), axis.n_in, n_out)
    source = axis_positions(here, boundary)
    unread = np.ones(len(source), dtype=bool)
    for tap in range(axis.n_taps):
        unread[relation.tap_slice(tap, n_out)] = False
    source[unread] = OUTSIDE
    return source, Axis(_bare(relation), len(source), n_out)


@lru_cache(maxsize=KEPT)
def _positions(axis: Axis, boundary: Boundary) -> IntArray:
    return axis_positions(axis, boundary)


def _folded_back(
    axis: Axis, boundary: Boundary, start: int, stop: int
) -> tuple[IntArray, Axis, IntArray]:
    """The outputs that read some samples, their axis, and the sample of each padded position.

    Runs of outputs that are far apart are put side by side. No window of one run then covers a
    sample's position of the next: the last output of a run is the last that starts at or before
    its samples, the first one the first that ends at or after them.
    """
    bare, stored = _bare(axis.relation), _positions(axis, boundary)
    inside = (stored >= start) & (stored < stop)
    places = np.flatnonzero(inside)
    first = -(-bare.output_numerator(places, axis.n_taps - 1) // bare.stride)
    last = bare.output_numerator(places, 0) // bare.stride
    steps = np.zeros(axis.n_out + 1, dtype=np.int64)
    np.add.at(steps, first.clip(0, axis.n_out), 1)
    np.add.at(steps, (last + 1).clip(0, axis.n_out), -1)
    outputs = np.flatnonzero(np.cumsum(steps[:-1]) > 0)
    if not len(outputs):
        outputs = np.zeros(1, dtype=np.int64)
    fold = np.full(bare.reach(len(outputs)), OUTSIDE)
    taps = np.arange(axis.n_taps)
    read = bare.position(outputs[:, None], taps)
    here = bare.position(np.arange(len(outputs))[:, None], taps)
    fold[here] = np.where(inside[read], stored[read] - start, OUTSIDE)
    return outputs, Axis(bare, len(fold), len(outputs)), fold


def window_part(table: IntArray, start: int, stop: int, starts: Sequence[int]) -> Part:
    """As `linear_part`, for any windows; where none holds a sample, the first is fetched."""
    rows = table[start:stop]
    inside = rows != OUTSIDE
    held = rows[inside]
    first, last = (int(held.min()), int(held.max())) if held.size else (0, 0)
    source = np.arange(first, last + 1)
    local = np.where(inside, rows - first, OUTSIDE)
    return Part(
        stop - start, len(source), fetches(source, starts), local, range(start, stop), first
    )


def fetches(source: IntArray, starts: Sequence[int]) -> tuple[Fetch, ...]:
    """The samples `source`, `OUTSIDE` for none, by chunks, as few evenly spaced runs.

    Examples
    --------
    >>> for fetch in fetches(np.array([7, 0, 1, 2, 1, 0]), [0, 4]):
    ...     print(fetch.chunk, fetch.hull, fetch.runs)
    0 slice(0, 3, None) ((slice(0, 3, 1), slice(1, 4, 1)), (slice(1, None, -1), slice(4, 6, 1)))
    1 slice(3, 4, None) ((slice(0, 1, 1), slice(0, 1, 1)),)
    """
    target = np.flatnonzero(source != OUTSIDE)
    samples = source[target]
    chunks = np.searchsorted(starts, samples, "right") - 1
    found = []
    for chunk in np.unique(chunks).tolist():
        at = np.flatnonzero(chunks == chunk)
        read, put = samples[at], target[at]
        low, high = int(read.min()), int(read.max()) + 1
        hull = slice(low - int(starts[chunk]), high - int(starts[chunk]))
        runs = tuple(
            (_slice(read[first:last] - low), _slice(put[first:last]))
            for first, last in _runs(read, put)
        )
        found.append(Fetch(chunk, hull, runs))
    return tuple(found)


def _runs(read: IntArray, put: IntArray) -> Iterator[tuple[int, int]]:
    """Ranges in which both are evenly spaced."""
    steps = np.stack([np.diff(read), np.diff(put)])
    # Where the spacing changes from one step to the next; a run cannot go on past these.
    changes = np.flatnonzero((np.diff(steps) != 0).any(axis=0)) + 1
    first = 0
    for change in changes.tolist():
        if change > first:
            yield first, change + 1
            first = change + 1
    yield first, len(read)


def _slice(places: IntArray) -> slice:
    """Evenly spaced places; one place read many times is one to be repeated."""
    start, last = int(places[0]), int(places[-1])
    step = int(places[1]) - start if len(places) > 1 else 1
    if step < 0:
        return slice(start, last - 1 if last else None, step)
    return slice(start, last + 1, step or 1)
