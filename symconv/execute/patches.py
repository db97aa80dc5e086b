"""The plan "patches": what every tap reads, gathered in tiles, times the weights by BLAS.

A = (W ⊗ I)·P, P the 0/1 matrix of the triples with rows (channel, tap, output) (theorem
``layouts.sum-over-taps``: the sum over the taps, written as one product). Tiles of output rows
keep the gathered part small. It needs NumPy alone, takes any number of axes, every boundary and
complex numbers, and has the weight gradient: the arriving gradient times the patches.

References
----------
K. Chellapilla, S. Puri, P. Simard, *High performance convolutional neural networks for document
processing* (2006).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from symconv.execute import taps
from symconv.execute.plan import Array, Plan
from symconv.execute.speeds import BLAS, CALL, COPY
from symconv.incidence import Incidence

__all__ = ["Patches", "weight_gradient"]

#: Bytes of gathered patches held at once.
TILE_BYTES = 2**21


class Patches(Plan):
    """im2col in tiles."""

    name = "patches"
    theorem = "layouts.sum-over-taps"
    kinds = "fc"

    def run(self, x: Array, packed: Array, out: Array | None = None) -> Array:
        """See `Plan.run`."""
        geometry = self.incidence.geometry
        weight = packed.astype(self.dtype, copy=False).reshape(geometry.groups, -1, packed[0].size)
        return self._adjoint(x, weight, out) if self.transposed else self._forward(x, weight, out)

    def _forward(self, x: Array, weight: Array, out: Array | None) -> Array:
        y = self.result(len(x), out)
        rows = _rows(self.incidence, y)
        for image in range(len(x)):
            padded = _padded(self.incidence, x[image])
            for first, last in _tiles(self.incidence, self.dtype.itemsize):
                gathered = _gathered(self.incidence, padded, first, last)
                rows[image][:, :, first:last] = np.matmul(weight, gathered).reshape(
                    *rows.shape[1:3], last - first, -1
                )
        return y

    def _adjoint(self, y: Array, weight: Array, out: Array | None) -> Array:
        geometry = self.incidence.geometry
        rows = _rows(self.incidence, y)
        turned = np.swapaxes(weight, 1, 2)
        x = self.result(len(y), out)
        reach = tuple(axis.n_reach for axis in geometry.axes)
        for image in range(len(y)):
            padded = np.zeros(
                (geometry.groups, geometry.in_channels // geometry.groups, *reach), self.dtype
            )
            for first, last in _tiles(self.incidence, self.dtype.itemsize):
                part = rows[image][:, :, first:last].reshape(*rows.shape[1:3], -1)
                _scattered(self.incidence, np.matmul(turned, part), padded, first, last)
            whole = padded.reshape(1, geometry.in_channels, *reach)
            x[image] = taps.fold_back(self.incidence, whole)[0]
        return x

    def seconds(self, batch: int, threads: int) -> float:
        """See `Plan.seconds`."""
        geometry = self.incidence.geometry
        places, kernel = math.prod(geometry.output_size), math.prod(geometry.kernel_size)
        gathered = geometry.in_channels * kernel * places
        products = geometry.out_channels // geometry.groups * gathered
        padded = geometry.in_channels * math.prod(axis.n_reach for axis in geometry.axes)
        # Numbers apart are read one by one, and what is added is read before it is written.
        apart = 3 if geometry.axes[-1].relation.stride > 1 else 1
        passes = (5 if self.transposed else 2) * apart
        moved = passes * gathered + (6 if self.transposed else 2) * padded
        moved += 2 * geometry.out_channels * places
        calls = kernel * len(list(_tiles(self.incidence, self.dtype.itemsize))) + 6
        each = self.dtype.itemsize * (products * BLAS / threads + moved * COPY)
        return batch * (each + (calls + geometry.groups / 8) * CALL)

    def working_bytes(self, batch: int, threads: int) -> int:
        """See `Plan.working_bytes`."""
        geometry = self.incidence.geometry
        reach = math.prod(axis.n_reach for axis in geometry.axes)
        row = geometry.in_channels * math.prod(geometry.kernel_size)
        row *= math.prod(geometry.output_size[1:])
        tile = max(TILE_BYTES, row * self.dtype.itemsize)
        return 2 * tile + geometry.in_channels * reach * self.dtype.itemsize


def weight_gradient(incidence: Incidence, x: Array, y: Array, fill: Any = 0) -> Array:
    """Σ over batch and outputs of y[o]·x[read(o, k)], of the weight's shape."""
    geometry = incidence.geometry
    dtype = np.result_type(x, y)
    rows = _rows(incidence, y.astype(dtype, copy=False))
    inner = geometry.in_channels // geometry.groups * math.prod(geometry.kernel_size)
    gradient = np.zeros((geometry.groups, rows.shape[2], inner), dtype=dtype)
    for image in range(len(x)):
        padded = _padded(incidence, x[image].astype(dtype, copy=False), fill)
        for first, last in _tiles(incidence, dtype.itemsize):
            part = rows[image][:, :, first:last].reshape(*rows.shape[1:3], -1)
            gathered = _gathered(incidence, padded, first, last)
            gradient += np.matmul(part, np.swapaxes(gathered, 1, 2))
    return gradient.reshape(geometry.weight_shape)


def _rows(incidence: Incidence, y: Array) -> Array:
    """Outputs as (batch, groups, channels, first axis, the other axes as one)."""
    geometry = incidence.geometry
    first, *others = geometry.output_size
    per_group = geometry.out_channels // geometry.groups
    return y.reshape(len(y), geometry.groups, per_group, first, math.prod(others))


def _tiles(incidence: Incidence, itemsize: int) -> Iterator[tuple[int, int]]:
    """Ranges of the first output axis whose patches fit."""
    geometry = incidence.geometry
    row = geometry.in_channels * math.prod(geometry.kernel_size)
    row *= math.prod(geometry.output_size[1:]) * itemsize
    n_rows, step = geometry.output_size[0], max(1, TILE_BYTES // max(row, 1))
    for first in range(0, n_rows, step):
        yield first, min(first + step, n_rows)


def _padded(incidence: Incidence, x: Array, fill: Any = 0) -> Array:
    """One image as the windows see it: (groups, channels, *padded size)."""
    extended = taps.extend(incidence, x[None], fill)[0]
    groups = incidence.geometry.groups
    return np.asarray(extended.reshape(groups, len(x) // groups, *extended.shape[1:]))


def _views(incidence: Incidence, first: int, last: int) -> Iterator[tuple[Any, Any]]:
    """Each tap with the index of what it reads for rows ``first … last − 1`` of the outputs."""
    for tap, (*leading, along, others) in (
        (tap, (*view[:2], view[2], view[3:])) for tap, view in taps.tap_views(incidence.geometry, 2)
    ):
        start = along.start + first * along.step
        rows = slice(start, start + (last - first - 1) * along.step + 1, along.step)
        yield tap, (*leading, rows, *others)


def _gathered(incidence: Incidence, padded: Array, first: int, last: int) -> Array:
    """The patches of some output rows: (groups, channels × taps, outputs)."""
    geometry = incidence.geometry
    others = geometry.output_size[1:]
    shape = (*padded.shape[:2], *geometry.kernel_size, last - first, *others)
    gathered = np.empty(shape, dtype=padded.dtype)
    for tap, view in _views(incidence, first, last):
        gathered[(slice(None), slice(None), *tap)] = padded[view]
    n_columns = (last - first) * math.prod(others)
    rows = math.prod(gathered.shape[1:]) // n_columns
    return np.asarray(gathered.reshape(len(padded), rows, n_columns))


def _scattered(incidence: Incidence, patches: Array, padded: Array, first: int, last: int) -> None:
    """The adjoint of `_gathered`: patches added to what they were read from."""
    geometry = incidence.geometry
    shape = (*padded.shape[:2], *geometry.kernel_size, last - first, *geometry.output_size[1:])
    parts = patches.reshape(shape)
    for tap, view in _views(incidence, first, last):
        padded[view] += parts[(slice(None), slice(None), *tap)]
