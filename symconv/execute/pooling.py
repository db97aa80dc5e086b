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
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE

__all__ = ["window_argmax", "window_extremes", "window_sums"]

Array = npt.NDArray[Any]

#: A place along one axis: evenly spaced positions as a slice, others as an index array.
Where = slice | Array

#: Bytes of input per block, and the input bytes from which threads pay.
BLOCK_BYTES = 2**19
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
        inside = table != OUTSIDE
        opening = np.where(inside.any(axis=1), inside.argmax(axis=1), -1)
        first: list[tuple[Where, Where]] = []
        later: list[tuple[Where, Where]] = []
        for k in range(table.shape[1]):
            opens = opening == k
            for chosen, steps in ((opens, first), (inside[:, k] & ~opens, later)):
                rows = np.flatnonzero(chosen)
                if len(rows):
                    steps.append((_where(rows), _where(table[rows, k])))
        return cls(first, later, np.flatnonzero(opening < 0), len(table))


def _where(places: Array) -> Where:
    """Ascending evenly spaced places as a slice, others as they are."""
    start, stop = int(places[0]), int(places[-1]) + 1
    step = int(places[1]) - start if len(places) > 1 else 1
    if step > 0 and np.array_equal(places, np.arange(start, stop, step)):
        return slice(start, stop, step)
    return places


def _on(axis: int, where: Where) -> Any:
    """The index that is `where` on one axis and everything on those before and after."""
    return (slice(None),) * axis + (where,)


def _reduced(ufunc: np.ufunc, x: Array, axis: int, passes: Passes) -> Array:
    """One axis reduced."""
    y = np.empty((*x.shape[:axis], passes.n_out, *x.shape[axis + 1 :]), dtype=x.dtype)
    if len(passes.empty):
        y[_on(axis, passes.empty)] = 0
    later = list(passes.later)
    for outputs, inputs in passes.first:
        # The first two samples at once, where a tap reaches the same outputs as the first one.
        partner = next((s for s in later if isinstance(s[0], slice) and s[0] == outputs), None)
        if partner is not None:
            later.remove(partner)
            first, second = x[_on(axis, inputs)], x[_on(axis, partner[1])]
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


def _in_blocks(run: Callable[[slice], None], x: Array) -> None:
    """`run` over all planes of `x`, a block that stays in cache at a time."""
    planes = len(x)
    step = max(1, BLOCK_BYTES * planes // max(x.nbytes, 1))
    blocks = [slice(start, start + step) for start in range(0, planes, step)]
    # A new thread starts with NumPy's default answer to overflow and NaN: it gets the caller's.
    errors: Any = np.geterr()

    def one(block: slice) -> None:
        with np.errstate(**errors):
            run(block)

    n_threads = min(os.cpu_count() or 1, len(blocks))
    if x.nbytes >= THREADED_BYTES and n_threads > 1 and x.dtype != object:
        with ThreadPoolExecutor(n_threads) as executor:
            list(executor.map(one, blocks))
    else:
        for block in blocks:
            one(block)


def _reduce(ufunc: np.ufunc, x: Array, tables: Sequence[Array]) -> Array:
    rank = len(tables)
    lead, size = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    planes = x.reshape(math.prod(lead), *size)
    passes = [Passes.of(table) for table in tables]
    y = np.empty((len(planes), *(axis.n_out for axis in passes)), dtype=x.dtype)

    def run(block: slice) -> None:
        part = planes[block]
        for number, axis in enumerate(passes, start=1):
            part = _reduced(ufunc, part, number, axis)
        # A sum that starts from 0 is never −0.
        y[block] = part + 0.0 if ufunc is np.add and part.dtype.kind in "fc" else part

    _in_blocks(run, planes)
    return y.reshape(*lead, *y.shape[1:])


def window_sums(x: Array, tables: Sequence[Array]) -> Array:
    """The sum of each window; 0 where a window holds no sample."""
    return _reduce(np.add, x, tables)


def window_extremes(x: Array, tables: Sequence[Array], ufunc: np.ufunc = np.maximum) -> Array:
    """The largest (or, with ``numpy.minimum``, smallest) sample of each window; NaN wins.

    Every window must hold a sample.
    """
    with np.errstate(invalid="ignore"):
        return _reduce(ufunc, x, tables)


def window_argmax(x: Array, tables: Sequence[Array]) -> tuple[Array, Array]:
    """The largest sample of each window and its flat place in the plane.

    Of equal ones the first in row-major order; of NaN, which beats everything, the last, as in
    PyTorch. The last axis is reduced first, so that row-major order is kept.
    """
    rank = len(tables)
    lead, size = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    planes = x.reshape(math.prod(lead), *size)
    passes = [Passes.of(table) for table in tables]
    shape = len(planes), *(axis.n_out for axis in passes)
    values, places = np.empty(shape, dtype=x.dtype), np.empty(shape, dtype=np.int64)
    flat = np.arange(math.prod(size)).reshape(size)

    def run(block: slice) -> None:
        value = planes[block]
        place = np.broadcast_to(flat, value.shape)
        for number in range(rank, 0, -1):
            value, place = _argmax(value, place, number, passes[number - 1])
        values[block], places[block] = value, place

    with np.errstate(invalid="ignore"):
        _in_blocks(run, planes)
    return tuple(array.reshape(*lead, *shape[1:]) for array in (values, places))  # type: ignore[return-value]


def _argmax(values: Array, places: Array, axis: int, passes: Passes) -> tuple[Array, Array]:
    """One axis reduced, each largest value with its place."""
    shape = *values.shape[:axis], passes.n_out, *values.shape[axis + 1 :]
    best, where = np.empty(shape, dtype=values.dtype), np.empty(shape, dtype=np.int64)
    for outputs, inputs in passes.first:
        best[_on(axis, outputs)] = values[_on(axis, inputs)]
        where[_on(axis, outputs)] = places[_on(axis, inputs)]
    for outputs, inputs in passes.later:
        at = _on(axis, outputs)
        value, held = values[_on(axis, inputs)], best[at]
        wins = value > held
        if values.dtype.kind == "f":
            wins |= np.isnan(value)
        best[at] = np.where(wins, value, held)
        where[at] = np.where(wins, places[_on(axis, inputs)], where[at])
    return best, where
