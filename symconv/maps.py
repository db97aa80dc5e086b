"""The linear maps of a geometry: how its triples carry numbers.

Three kinds share one contract (`LinearMap`): a convolution with free weights, a sum or mean over
each window, and im2patch. Each gives its matrix entries and the matrix-free forward and adjoint;
`symconv.operator` adds orientation, number systems and the public readings.

Array arguments here are (batch, channels, *size), with one channel for the per-channel maps.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE
from symconv.execute import taps
from symconv.execute.csr import Entries, assemble, assemble_row, index_dtype
from symconv.execute.planner import Planner
from symconv.execute.pooling import window_shares, window_sums
from symconv.geometry import Axis, Geometry
from symconv.incidence import Incidence, Pattern
from symconv.relation import AxisRelation

__all__ = ["ConvolutionMap", "LinearMap", "PatchMap", "WindowMap", "axis_maps"]

Array = npt.NDArray[Any]

#: What the maps without free weights multiply by.
ONE = np.ones((), dtype=np.int64)


@dataclass(frozen=True)
class LinearMap(ABC):
    """A linear map between spaces of arrays, read off the triples of one geometry."""

    geometry: Geometry

    @cached_property
    def incidence(self) -> Incidence:
        """The triples."""
        return Incidence(self.geometry)

    @property
    @abstractmethod
    def domain_shape(self) -> tuple[int, ...]:
        """Shape of what the map takes."""

    @property
    @abstractmethod
    def range_shape(self) -> tuple[int, ...]:
        """Shape of what it gives."""

    @property
    def weight_shape(self) -> tuple[int, ...] | None:
        """Shape of the free weights, None where there are none."""
        return None

    @property
    @abstractmethod
    def nnz(self) -> int:
        """Stored entries: distinct (row, column) pairs."""

    @property
    def divisor(self) -> Array | None:
        """What each output is divided by, or None."""
        return None

    def divisor_at(self, outputs: Array) -> Array | None:
        """What some outputs, given by flat index, are divided by, or None."""
        return None

    @property
    def forward_terms(self) -> int:
        """Products summed into one output at most."""
        return self.geometry.products_per_output

    @property
    def adjoint_terms(self) -> int:
        """Products summed into one input at most, by the adjoint."""
        return self.incidence.largest_overlap * self.geometry.out_channels // self.geometry.groups

    @property
    def products(self) -> int:
        """Multiplications of one forward or adjoint product, per batch entry."""
        return math.prod(self.geometry.output_shape) * self.geometry.products_per_output

    @property
    def working_size(self) -> int:
        """Numbers held at once while one product runs without a matrix, per batch entry."""
        # The padded input, or the input itself where windows leave more of it unread; and next to
        # the output the part that one tap sends to it.
        held = math.prod(max(axis.n_reach, axis.n_in) for axis in self.geometry.axes)
        return self.geometry.in_channels * held + 2 * math.prod(self.range_shape)

    @abstractmethod
    def entries(self, weight: Array, transposed: bool) -> Entries:
        """Matrix entries before any division, with data of the weight's type."""

    @abstractmethod
    def row(self, weight: Array, at: int, transposed: bool) -> tuple[Array, Array]:
        """Columns and data of row `at` alone, before any division."""

    @abstractmethod
    def forward(self, x: Array, weight: Array, fill: Any = 0) -> Array:
        """A·x before any division."""

    @abstractmethod
    def adjoint(self, y: Array, weight: Array) -> Array:
        """Aᵀ·y for a y that is already divided."""


class BlockMap(LinearMap):
    """A map whose matrix is the spatial pattern with a block of weights per group of channels."""

    @abstractmethod
    def _blocks(self, weight: Array, transposed: bool) -> tuple[Pattern, Array]:
        """The spatial pattern and the weights (groups, row channels, column channels, labels)."""

    def entries(self, weight: Array, transposed: bool) -> Entries:
        return assemble(*self._blocks(weight, transposed))

    def row(self, weight: Array, at: int, transposed: bool) -> tuple[Array, Array]:
        return assemble_row(*self._blocks(weight, transposed), at)


@dataclass(frozen=True)
class ConvolutionMap(BlockMap):
    """``A[o, i] = Σ w[k]`` over the triples, channels and groups on top; weights are free."""

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.geometry.input_shape

    @property
    def range_shape(self) -> tuple[int, ...]:
        return self.geometry.output_shape

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return self.geometry.weight_shape

    @property
    def nnz(self) -> int:
        channels = self.geometry.out_channels * (self.geometry.in_channels // self.geometry.groups)
        return channels * self.incidence.pattern.nnz

    @cached_property
    def planner(self) -> Planner:
        """The plans that run it."""
        return Planner(self.incidence)

    def _blocks(self, weight: Array, transposed: bool) -> tuple[Pattern, Array]:
        """The spatial pattern and the weights (groups, row channels, column channels, labels)."""
        pattern = self.incidence.pattern
        merged = pattern.merged(weight)
        blocks = merged.reshape(self.geometry.groups, -1, *merged.shape[1:])
        return (pattern.T, np.swapaxes(blocks, 1, 2)) if transposed else (pattern, blocks)

    def forward(self, x: Array, weight: Array, fill: Any = 0) -> Array:
        return taps.forward(self.incidence, x, weight, fill)

    def adjoint(self, y: Array, weight: Array) -> Array:
        return taps.adjoint(self.incidence, y, weight)


@dataclass(frozen=True)
class WindowMap(BlockMap):
    """The sum of each window, per channel, divided by the counts of `divisors` where given.

    ``divisors`` holds, per axis, the cells that count in each window (their product divides), or
    is one number for every window. Padding is a window of one tap that nothing divides.
    """

    divisors: tuple[tuple[int, ...], ...] | int | None = None

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.geometry.input_size

    @property
    def range_shape(self) -> tuple[int, ...]:
        return self.geometry.output_size

    @property
    def nnz(self) -> int:
        return self.incidence.pattern.nnz

    @cached_property
    def divisor(self) -> Array | None:
        if self.divisors is None:
            return None
        if isinstance(self.divisors, int):
            kind = np.int64 if self.divisors < 2**63 else object
            return np.full(self.geometry.output_size, self.divisors, dtype=kind)
        product = np.ones((), dtype=np.int64)
        for counts in self.divisors:
            product = np.multiply.outer(product, np.array(counts, dtype=np.int64))
        return product

    def divisor_at(self, outputs: Array) -> Array | None:
        """The divisors of some outputs, given by flat index, without those of all others."""
        if self.divisors is None:
            return None
        if isinstance(self.divisors, int):
            return np.full(len(outputs), self.divisors, dtype=object)
        product = np.ones(len(outputs), dtype=np.int64)
        places = np.unravel_index(outputs, self.geometry.output_size)
        for counts, place in zip(self.divisors, places, strict=True):
            product *= np.array(counts, dtype=np.int64)[place]
        return product

    def _ones(self, like: Array) -> Array:
        ones = np.ones(self.geometry.weight_shape, dtype=np.int64)
        return ones.astype(like.dtype) * like

    def _blocks(self, weight: Array, transposed: bool) -> tuple[Pattern, Array]:
        pattern = self.incidence.pattern
        blocks = pattern.merged(self._ones(weight))[None]
        return (pattern.T if transposed else pattern), blocks

    def forward(self, x: Array, weight: Array, fill: Any = 0) -> Array:
        if isinstance(fill, int) and fill == 0:
            dtype = np.result_type(x, weight)
            return window_sums(x.astype(dtype, copy=False), self.incidence.reads)
        return taps.forward(self.incidence, x, self._ones(weight), fill)

    def adjoint(self, y: Array, weight: Array) -> Array:
        shared = y.astype(np.result_type(y, weight), copy=False)
        return window_shares(shared, self.incidence.reads, self.geometry.input_size)


@dataclass(frozen=True)
class PatchMap(LinearMap):
    """im2patch per channel: the 0/1 matrix of the triples, rows (tap, output)."""

    @property
    def domain_shape(self) -> tuple[int, ...]:
        return self.geometry.input_size

    @property
    def range_shape(self) -> tuple[int, ...]:
        return (math.prod(self.geometry.kernel_size), *self.geometry.output_size)

    @property
    def nnz(self) -> int:
        return self.incidence.count

    @property
    def forward_terms(self) -> int:
        return 1

    def entries(self, weight: Array, transposed: bool) -> Entries:
        table = self.incidence.gathered().ravel()
        rows = np.flatnonzero(table != OUTSIDE)
        columns = table[rows]
        shape = (table.size, math.prod(self.domain_shape))
        if transposed:
            order = np.argsort(columns, kind="stable")
            rows, columns, shape = columns[order], rows[order], shape[::-1]
        index = index_dtype(shape, len(rows))
        indptr = np.zeros(shape[0] + 1, dtype=index)
        np.cumsum(np.bincount(rows, minlength=shape[0]), out=indptr[1:])
        data = np.ones(len(rows), dtype=np.int64).astype(weight.dtype) * weight
        return Entries(data, columns.astype(index), indptr, shape)

    def row(self, weight: Array, at: int, transposed: bool) -> tuple[Array, Array]:
        reads, geometry = self.incidence.reads, self.geometry
        shape = (*geometry.kernel_size, *geometry.output_size)
        if transposed:
            # Per axis the (tap, output) pairs that read this sample; their product, in order.
            position = np.unravel_index(at, geometry.input_size)
            pairs = [np.nonzero(i == table.T) for table, i in zip(reads, position, strict=True)]
            grid = np.meshgrid(*(np.arange(len(k)) for k, _ in pairs), indexing="ij")
            taps_at = [k[g.ravel()] for (k, _), g in zip(pairs, grid, strict=True)]
            outs_at = [o[g.ravel()] for (_, o), g in zip(pairs, grid, strict=True)]
            columns = np.sort(np.ravel_multi_index((*taps_at, *outs_at), shape))
        else:
            place = np.unravel_index(at, shape)
            rank = len(reads)
            read = [int(t[o, k]) for t, k, o in zip(reads, place[:rank], place[rank:], strict=True)]
            columns = np.zeros(0, dtype=np.int64)
            if OUTSIDE not in read:
                columns = np.array([np.ravel_multi_index(tuple(read), geometry.input_size)])
        return columns, np.ones(len(columns), dtype=np.int64).astype(weight.dtype) * weight

    def forward(self, x: Array, weight: Array, fill: Any = 0) -> Array:
        patches = taps.gather(self.incidence, x[:, 0], fill)
        return patches.reshape(len(x), *self.range_shape)

    def adjoint(self, y: Array, weight: Array) -> Array:
        geometry = self.geometry
        patches = y.reshape(len(y), *geometry.kernel_size, *geometry.output_size)
        return taps.scatter(self.incidence, patches)[:, None]


def axis_maps(geometry: Geometry, weights: Sequence[Array]) -> list[ConvolutionMap]:
    """One convolution per axis, the first axis first; the axes before have their output size.

    `weights` has, per axis, (channels after, channels before/groups, *kernel) with taps along
    that axis alone.
    """
    found = []
    for number, weight in enumerate(weights):
        axes = [
            axis if at == number else _kept(axis.n_out if at < number else axis.n_in)
            for at, axis in enumerate(geometry.axes)
        ]
        channels = weight.shape[1] * geometry.groups, weight.shape[0]
        found.append(
            ConvolutionMap(Geometry(tuple(axes), *channels, geometry.groups, geometry.boundary))
        )
    return found


def _kept(n: int) -> Axis:
    """An axis that is left as it is: one tap, no padding."""
    return Axis(AxisRelation(1), n, n)


def reciprocals(divisor: Array) -> Array:
    """1/divisor as Fractions, one object per distinct divisor."""
    distinct, which = np.unique(divisor, return_inverse=True)
    fractions = np.empty(len(distinct), dtype=object)
    fractions[:] = [Fraction(1, int(value)) for value in distinct]
    return np.asarray(fractions[which.reshape(divisor.shape)])
