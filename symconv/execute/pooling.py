"""Poolings at full size: the windows' extremes or sums, one axis after the other.

A window over several axes is the product of one window per axis, so it is reduced along the first
axis, what remains along the second, and so on: K₁ + K₂ passes instead of K₁·K₂. A pass runs over
shifted slices of the input itself. What lies outside the input is left out instead of being
padded: no −∞ appears anywhere, every number type keeps its own values, and no padded copy is
made. Planes (batch × channels) are handled in blocks that stay in cache, by several threads where
there are many numbers; NumPy releases the interpreter lock.

``tables`` are, per axis, ``[o, k] → i`` with `OUTSIDE` where a tap reads nothing: any windows, not
only those of the affine relation. Arrays are (*planes, *size).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE
from symconv.execute.threads import share, thread_count

__all__ = [
    "window_argmax",
    "window_argmax_shares",
    "window_extremes",
    "window_shares",
    "window_sums",
]

Array = npt.NDArray[Any]

#: A place along one axis: evenly spaced positions as a slice, others as an index array.
Where = slice | Array

#: Bytes of input per block, of several passes that wait for each other per block for places, and
#: the bytes from which threads pay.
BLOCK_BYTES = 2**19
ARGMAX_BYTES = 2**20
THREADED_BYTES = 2**21


@dataclass(frozen=True, eq=False)
class Passes:
    """How the windows of one axis are reduced.

    Attributes
    ----------
    first : list of (outputs, inputs)
        Where each output takes the first sample of its window.
    later : list of (outputs, inputs)
        The remaining samples, tap after tap.
    empty : array
        Outputs whose window holds no sample.
    n_out : int
    """

    first: list[tuple[Where, Where]]
    later: list[tuple[Where, Where]]
    empty: Array
    n_out: int

    @classmethod
    def of(cls, table: Array) -> Passes:
        """The passes for one table ``[o, k] → i``."""
        return cls._in_turn(_by_tap(table), len(table))

    @classmethod
    def back(cls, table: Array, n_in: int) -> Passes:
        """The passes from output to input: each of `n_in` samples gathers what its readers got."""
        return cls._in_turn(_by_reader(table), n_in)

    @classmethod
    def _in_turn(cls, steps: Iterable[tuple[Array, Array]], n_out: int) -> Passes:
        """Steps (outputs, inputs) one after the other; within one, no output occurs twice."""
        reached = np.zeros(n_out, dtype=bool)
        first: list[tuple[Where, Where]] = []
        later: list[tuple[Where, Where]] = []
        for outputs, inputs in steps:
            opens = ~reached[outputs]
            for chosen, parts in ((opens, first), (~opens, later)):
                if chosen.any():
                    parts.append((_where(outputs[chosen]), _where(inputs[chosen])))
            reached[outputs] = True
        return cls(first, later, np.flatnonzero(~reached), n_out)


def _by_tap(table: Array) -> Iterator[tuple[Array, Array]]:
    """Per tap, the outputs that it has a sample for, and the samples."""
    inside = table != OUTSIDE
    for tap in np.flatnonzero(inside.any(axis=0)):
        outputs = np.flatnonzero(inside[:, tap])
        yield outputs, table[outputs, tap]


def _by_reader(table: Array) -> Iterator[tuple[Array, Array]]:
    """Per tap, the samples that it reads, and the outputs that read them."""
    for outputs, samples in _by_tap(table):
        order = np.argsort(samples, kind="stable")
        outputs, samples = outputs[order], samples[order]  # noqa: PLW2901
        # Of several outputs that read one sample each gets its turn.
        turn = np.arange(len(samples)) - np.searchsorted(samples, samples)
        for number in range(turn.max(initial=-1) + 1):
            yield samples[turn == number], outputs[turn == number]


def _where(places: Array) -> Where:
    """Ascending evenly spaced places as a slice, others as they are."""
    start, stop = int(places[0]), int(places[-1]) + 1
    step = int(places[1]) - start if len(places) > 1 else 1
    if step > 0 and np.array_equal(places, np.arange(start, stop, step)):
        return slice(start, stop, step)
    return places


def _same(one: Where, other: Where) -> bool:
    """Whether both are one slice; index arrays are not looked into."""
    return isinstance(one, slice) and isinstance(other, slice) and one == other


def _on(axis: int, where: Where) -> Any:
    """The index that is `where` on one axis and everything on those before and after."""
    return (slice(None),) * axis + (where,)


def _reduced(
    ufunc: np.ufunc, x: Array, axis: int, passes: Passes, out: Array | None = None
) -> Array:
    """One axis reduced."""
    y = out
    if y is None:
        y = np.empty((*x.shape[:axis], passes.n_out, *x.shape[axis + 1 :]), dtype=x.dtype)
    if len(passes.empty):
        y[_on(axis, passes.empty)] = 0
    later = list(passes.later)
    for outputs, inputs in passes.first:
        # The first two samples at once, where a tap reaches the same outputs as the first one.
        partner = next((n for n, step in enumerate(later) if _same(step[0], outputs)), None)
        if partner is not None:
            first, second = x[_on(axis, inputs)], x[_on(axis, later.pop(partner)[1])]
            ufunc(first, second, out=y[_on(axis, outputs)])
        else:
            y[_on(axis, outputs)] = x[_on(axis, inputs)]
    for outputs, inputs in later:
        at = _on(axis, outputs)
        if isinstance(outputs, slice):
            ufunc(y[at], x[_on(axis, inputs)], out=y[at])
        else:
            y[at] = ufunc(y[at], x[_on(axis, inputs)])
    return y


def _in_blocks(run: Callable[[slice], None], x: Array, block_bytes: int) -> None:
    """`run` over all planes of `x`, a block that stays in cache at a time."""
    planes = len(x)
    step = max(1, block_bytes * planes // max(x.nbytes, 1))
    blocks = [slice(start, start + step) for start in range(0, planes, step)]
    # A new thread starts with NumPy's default answer to overflow and NaN: it gets the caller's.
    errors: Any = np.geterr()

    def work(first: int, last: int) -> None:
        with np.errstate(**errors):
            for block in blocks[first:last]:
                run(block)

    is_large = x.nbytes >= THREADED_BYTES and x.dtype != object
    share(work, len(blocks), thread_count() if is_large else 1)


def _planes(x: Array, rank: int) -> tuple[Array, tuple[int, ...]]:
    """`x` with its leading axes as one, and those axes."""
    lead, size = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    return x.reshape(math.prod(lead), *size), lead


def _reduce(ufunc: np.ufunc, x: Array, passes: Sequence[Passes]) -> Array:
    planes, lead = _planes(x, len(passes))
    y = np.empty((len(planes), *(axis.n_out for axis in passes)), dtype=x.dtype)
    # What shrinks loses its rows first and what grows gets them last: rows are contiguous.
    grows = y.size > planes.size
    *before, last = reversed(range(len(passes))) if grows else range(len(passes))
    # A sum that starts from 0 is never −0: neither if no term is, nor with 0 added at the end.
    signed = ufunc is np.add and x.dtype.kind in "fc"

    def run(block: slice) -> None:
        part = planes[block] + 0.0 if signed and grows else planes[block]
        for number in before:
            part = _reduced(ufunc, part, number + 1, passes[number])
        part = _reduced(ufunc, part, last + 1, passes[last], out=y[block])
        if signed and not grows:
            part += 0.0

    # The larger side must stay in cache.
    held = planes if planes.nbytes >= y.nbytes else y
    _in_blocks(run, held, BLOCK_BYTES)
    return y.reshape(*lead, *y.shape[1:])


def window_sums(x: Array, tables: Sequence[Array]) -> Array:
    """The sum of each window; 0 where a window holds no sample."""
    return _reduce(np.add, x, [Passes.of(table) for table in tables])


def window_shares(y: Array, tables: Sequence[Array], input_size: Sequence[int]) -> Array:
    """The adjoint of `window_sums`: for each sample, the sum of `y` over the windows it is in.

    Examples
    --------
    >>> window_shares(np.array([1, 10]), [np.array([[0, 1, 2], [2, 3, OUTSIDE]])], (5,))
    array([ 1,  1, 11, 10,  0])
    """
    pairs = zip(tables, input_size, strict=True)
    return _reduce(np.add, y, [Passes.back(table, n_in) for table, n_in in pairs])


def window_extremes(x: Array, tables: Sequence[Array], ufunc: np.ufunc = np.maximum) -> Array:
    """The largest (or, with ``numpy.minimum``, smallest) sample of each window; NaN wins.

    Every window must hold a sample.
    """
    with np.errstate(invalid="ignore"):
        return _reduce(ufunc, x, [Passes.of(table) for table in tables])


def window_argmax(x: Array, tables: Sequence[Array]) -> tuple[Array, Array]:
    """The largest sample of each window and its flat place in the plane.

    Of equal ones the first in row-major order; of NaN, which beats everything, the last, as in
    PyTorch. The last axis is reduced first, so that row-major order is kept.
    """
    planes, lead = _planes(x, len(tables))
    shape = len(planes), *map(len, tables)
    values, places = np.empty(shape, dtype=x.dtype), np.empty(shape, dtype=np.int64)

    def run(block: slice, value: Array, place: Array) -> None:
        values[block], places[block] = value, place

    _each_argmax(run, planes, tables)
    return values.reshape(*lead, *shape[1:]), places.reshape(*lead, *shape[1:])


def window_argmax_shares(x: Array, y: Array, tables: Sequence[Array]) -> Array:
    """Each entry of `y` added where the largest sample of its window stands in `x`.

    In the order of the outputs, as PyTorch adds them.

    Examples
    --------
    >>> tables = [np.array([[0, 1], [1, 2]])]
    >>> window_argmax_shares(np.array([1, 9, 2]), np.array([10, 5]), tables)
    array([ 0, 15,  0])
    """
    rank = len(tables)
    planes, lead = _planes(x, rank)
    arrived, _ = _planes(y, rank)
    shares = np.zeros((len(planes), math.prod(planes.shape[1:])), dtype=y.dtype)

    def run(block: slice, value: Array, place: Array) -> None:
        into = shares[block]
        start = into.shape[1] * np.arange(len(into)).reshape(-1, *[1] * rank)
        np.add.at(into.reshape(-1), (place + start).ravel(), arrived[block].ravel())

    _each_argmax(run, planes, tables)
    return shares.reshape(*lead, *planes.shape[1:])


def _each_argmax(run: Callable[[slice, Array, Array], None], planes: Array, tables: Any) -> None:
    """`run` with the largest samples and their places, block after block."""
    passes = [Passes.of(table) for table in tables]
    size = planes.shape[1:]
    # Places in few bytes: they move as often as the samples do.
    narrow = np.int16 if math.prod(size) < 2**15 else np.int64
    flat = np.arange(math.prod(size), dtype=narrow).reshape(1, *size)

    def one(block: slice) -> None:
        value, place = planes[block], flat
        has_nan = value.dtype.kind == "f" and bool(np.isnan(value.max()))
        for number in range(len(passes), 0, -1):
            value, place = _argmax(value, place, number, passes[number - 1], has_nan)
        run(block, value, place)

    with np.errstate(invalid="ignore"):
        _in_blocks(one, planes, ARGMAX_BYTES)


def _argmax(
    values: Array, places: Array, axis: int, passes: Passes, has_nan: bool
) -> tuple[Array, Array]:
    """One axis reduced, each largest value with its place."""
    shape = *values.shape[:axis], passes.n_out, *values.shape[axis + 1 :]
    best, where = np.empty(shape, dtype=values.dtype), np.empty(shape, dtype=places.dtype)
    for outputs, inputs in passes.first:
        best[_on(axis, outputs)] = values[_on(axis, inputs)]
        where[_on(axis, outputs)] = places[_on(axis, inputs)]
    for outputs, inputs in passes.later:
        at, read = _on(axis, outputs), _on(axis, inputs)
        # Read with gaps once; what follows runs over neighbours.
        value, place = np.ascontiguousarray(values[read]), np.ascontiguousarray(places[read])
        held, held_place = best[at], where[at]
        wins = value > held
        if has_nan:
            wins |= np.isnan(value)
        _replace(held, value, wins)
        _replace(held_place, place, wins)
        if not isinstance(outputs, slice):
            best[at], where[at] = held, held_place
    return best, where


def _replace(held: Array, value: Array, wins: Array) -> None:
    """``held[wins] = value[wins]``, without branches: bits that differ are flipped by a mask."""
    if held.dtype == object:
        np.copyto(held, value, where=wins)
        return
    bits = np.dtype(f"i{held.dtype.itemsize}")
    into = held.view(bits)
    change = into ^ value.view(bits)
    change &= np.negative(wins.view(np.int8), dtype=bits)
    into ^= change
