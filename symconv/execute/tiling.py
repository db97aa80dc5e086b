"""How the implicit GEMM cuts its work: tile sizes, channel blocks, items for each thread.

The input of a tile, for one block of channels, and the sums of its outputs stay in the second
cache; a block of about `TAPS` weights times eight outputs stays in the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE
from symconv.execute.phases import Gather
from symconv.execute.speeds import SLACK, VECTOR

__all__ = ["NO_RUN", "Tiling", "as_run", "shared_out", "stacked"]

IntArray = npt.NDArray[np.int64]

#: Products that one block of channels adds to an output, about.
TAPS = 288

#: Bytes of packed input and sums for one tile, about.
TILE_BYTES = 3 * 2**18

#: Fewest columns of a tile, two register tiles of float32.
LEAST_COLUMNS = 96

#: Bytes from which weights do not stay in the second cache, and the columns that then share them.
HEAVY_BYTES = 2**20
MOST_COLUMNS = 512

#: A run that is none: its tables are read place by place.
NO_RUN = (-1, -1, 0, 1)


def as_run(table: IntArray) -> tuple[int, int, int, int]:
    """(begin, end, first, step) where a table holds first, first + step, …; `NO_RUN` if not so.

    Examples
    --------
    >>> as_run(np.array([-1, 1, 3, 5, -1]))
    (1, 4, 1, 2)
    """
    inside = np.flatnonzero(table != OUTSIDE)
    if not len(inside):
        return 0, 0, 0, 1
    begin, end = int(inside[0]), int(inside[-1]) + 1
    values = table[begin:end]
    step = int(values[1] - values[0]) if len(values) > 1 else 1
    first = int(values[0])
    if step < 1 or not np.array_equal(values, first + step * np.arange(len(values))):
        return NO_RUN
    return begin, end, first, step


def shared_out(size: int, most: int) -> int:
    """The size of nearly equal parts of `size` of at most `most`; 1 where there is nothing."""
    return -(-size // -(-size // max(most, 1))) if size else 1


@dataclass(frozen=True)
class Tiling:
    """The cut of one gather for a type, a batch and a number of threads."""

    gather: Gather
    groups: int
    channels: int
    outputs: int
    itemsize: int
    batch: int
    threads: int

    @cached_property
    def rows(self) -> int:
        """Output channels per register tile."""
        return 8 if self.outputs > 4 else 4 if self.outputs > 1 else 1

    @property
    def blocks(self) -> int:
        """Register tiles that hold all output channels of a group."""
        return -(-self.outputs // self.rows)

    @cached_property
    def taps(self) -> IntArray:
        """Taps of each job."""
        return np.array([len(job.taps) for job in self.gather.jobs], dtype=np.int64)

    @cached_property
    def block(self) -> int:
        """Input channels that are packed at once."""
        return shared_out(self.channels, TAPS // max(int(self.taps.max()), 1))

    @property
    def positions(self) -> tuple[int, ...]:
        """Positions of a job, per axis."""
        return tuple(axis.n_positions for axis in self.gather.axes)

    @property
    def reach(self) -> tuple[int, ...]:
        """Places that a tile reads beyond its own, per axis."""
        return tuple(axis.reach for axis in self.gather.axes)

    @cached_property
    def is_compact(self) -> bool:
        """Whether each tap gets rows of its own, without the places between rows.

        That costs one more copy of what every tap reads; it pays where small images leave many
        columns unused and many output channels read each copy.
        """
        sizes, reach = self.positions[1:], self.reach[1:]
        if self.outputs < 32 or sizes[-1] >= 64:
            return False
        unused = math.prod(map(sum, zip(sizes, reach, strict=True))) / math.prod(sizes) - 1
        return unused > 0.02 + 8 / self.outputs

    def _columns(self) -> int:
        """Columns of a tile that stay in cache."""
        phases = len(self.gather.phases)
        rows = self.block * (phases + (int(self.taps.max()) if self.is_compact else 0))
        rows += len(self.gather.jobs) * self.blocks * self.rows
        return max(TILE_BYTES // (rows * self.itemsize), LEAST_COLUMNS)

    @cached_property
    def tile(self) -> tuple[int, int, int]:
        """Positions of a tile per axis."""
        columns = self._columns()
        depth, height, width = self.positions
        _, over_height, over_width = (0, 0, 0) if self.is_compact else self.reach
        if width + over_width > columns:
            return 1, 1, shared_out(width, max(columns - over_width, LEAST_COLUMNS // 2))
        high = shared_out(height, columns // (width + over_width))
        if high < height:
            return 1, high, width
        plane = (width + over_width) * (high + over_height)
        return shared_out(depth, columns // plane), high, width

    @cached_property
    def is_heavy(self) -> bool:
        """Whether the weights are too many for the second cache, and an image is one tile.

        Then as many images as possible share one reading of the weights, and threads share the
        output channels instead of the images.
        """
        weights = self.outputs * self.channels * int(self.taps.sum()) * self.itemsize
        return self.is_compact and self.tile == self.positions and weights > HEAVY_BYTES

    @cached_property
    def images(self) -> int:
        """Images per item."""
        if not self.is_compact or self.tile != self.positions:
            return 1
        image = math.prod(self.positions)
        if self.is_heavy:
            rows = len(self.taps) * -(-self.outputs // self.threads)
            columns = min(MOST_COLUMNS, HEAVY_BYTES // (rows * self.itemsize))
            return shared_out(self.batch, columns // image)
        return shared_out(self.batch, min(self._columns() // image, -(-self.batch // self.threads)))

    @property
    def box(self) -> tuple[int, ...]:
        """Places that a tile reads, per axis."""
        return tuple(map(sum, zip(self.tile, self.reach, strict=True)))

    @property
    def columns(self) -> int:
        """Columns of the largest tile."""
        depth, height, width = self.tile
        if self.is_compact:
            return self.images * depth * height * width
        _, box_height, box_width = self.box
        return ((depth - 1) * box_height + height - 1) * box_width + width

    @property
    def lanes(self) -> int:
        """Numbers of a vector register."""
        return VECTOR // self.itemsize

    def pitch(self, extra: int = 0) -> int:
        """Numbers from one row of columns to the next: an odd number of vectors.

        Rows an even power of two apart would share the same few sets of a cache.
        """
        return ((-(-self.columns // self.lanes) + extra) | 1) * self.lanes

    @property
    def channel_pitch(self) -> int:
        """Numbers from one packed channel to the next: an odd number of vectors, too."""
        per_channel = len(self.gather.phases) * math.prod(self.box)
        return (-(-per_channel // self.lanes) | 1) * self.lanes

    @cached_property
    def offsets(self) -> IntArray:
        """Per job, where each (channel, tap) of a block starts in the packed input."""
        box = self.box
        per_phase = math.prod(box)
        table = np.zeros((len(self.taps), self.block * int(self.taps.max())), dtype=np.int64)
        for row, job in zip(table, self.gather.jobs, strict=True):
            starts = [
                self.gather.phases.index(phases) * per_phase
                + int(np.ravel_multi_index(shifts, box))
                for phases, shifts, _ in job.taps
            ]
            each = np.add.outer(
                np.arange(self.block) * self.channel_pitch, np.array(starts, dtype=int)
            )
            row[: each.size] = each.ravel()
        return table

    @cached_property
    def panel_offsets(self) -> IntArray:
        """Where each compact row starts."""
        return np.arange(self.offsets.shape[1], dtype=np.int64) * self.pitch()

    @cached_property
    def near(self) -> tuple[IntArray, ...]:
        """Per axis the input index at (phase, place), long enough for every tile."""
        return tuple(
            stacked(axis.sources, -(-n // tile) * tile + reach)
            for axis, n, tile, reach in zip(
                self.gather.axes, self.positions, self.tile, self.reach, strict=True
            )
        )

    @cached_property
    def runs(self) -> IntArray:
        """The last axis' sources as runs."""
        return np.array([as_run(table) for table in self.near[-1]], dtype=np.int64)

    @cached_property
    def places(self) -> tuple[IntArray, IntArray]:
        """Per job, where positions of the first two axes belong."""
        first, second = (np.array([job.targets[at] for job in self.gather.jobs]) for at in range(2))
        return first, second

    @cached_property
    def place_runs(self) -> IntArray:
        """Per job, where positions of the last axis belong, as runs."""
        return np.array([as_run(job.targets[-1]) for job in self.gather.jobs], dtype=np.int64)

    @cached_property
    def starts(self) -> IntArray:
        """Where the packed weights of (job, group) start; the last entry is their number."""
        each = self.blocks * self.rows * self.channels * np.repeat(self.taps, self.groups)
        return np.concatenate([[0], np.cumsum(each)]).astype(np.int64)

    @cached_property
    def chosen(self) -> IntArray:
        """Per job its taps as flat indices of the kernel."""
        table = np.zeros((len(self.taps), int(self.taps.max())), dtype=np.int64)
        for row, job in zip(table, self.gather.jobs, strict=True):
            row[: len(job.taps)] = [tap for _, _, tap in job.taps]
        return table

    @cached_property
    def scratch(self) -> tuple[int, int, int]:
        """Numbers of packed input, compact rows and sums that a thread needs."""
        slack = SLACK // self.itemsize
        packed = self.images * self.block * self.channel_pitch
        compact = self.offsets.shape[1] * self.pitch() if self.is_compact else 0
        sums = len(self.taps) * self.most_blocks * self.rows * self.pitch(1)
        return packed + self.columns + slack, compact + slack, sums + slack

    @cached_property
    def splits(self) -> IntArray:
        """Bounds of the ranges of register tiles: one range, or several where items are few."""
        tiles = math.prod(-(-n // t) for n, t in zip(self.positions, self.tile, strict=True))
        items = tiles * -(-self.batch // self.images) * self.groups
        parts = min(self.blocks, max(1, -(-2 * self.threads // max(items, 1))))
        if self.is_heavy:
            parts = min(self.blocks, self.threads)
        if self.threads == 1:
            parts = 1
        return np.linspace(0, self.blocks, parts + 1).astype(np.int64)

    @property
    def most_blocks(self) -> int:
        """Register tiles of the largest range."""
        return int(np.diff(self.splits).max())

    @cached_property
    def items(self) -> IntArray:
        """Rows (image, images, group, first and last register tile, corner, size of the tile)."""
        corners = [np.arange(0, n, t) for n, t in zip(self.positions, self.tile, strict=True)]
        images = np.arange(0, self.batch, self.images)
        parts = np.arange(len(self.splits) - 1)
        grid = np.meshgrid(images, np.arange(self.groups), parts, *corners, indexing="ij")
        image, group, part, *corner = (axis.ravel() for axis in grid)
        sizes = [
            np.minimum(tile, n - at)
            for tile, n, at in zip(self.tile, self.positions, corner, strict=True)
        ]
        first, last = self.splits[part], self.splits[part + 1]
        held = np.minimum(self.images, self.batch - image)
        return np.stack([image, held, group, first, last, *corner, *sizes], axis=1).astype(np.int64)


def stacked(tables: tuple[IntArray, ...], length: int) -> IntArray:
    """Tables cut or filled up to one length."""
    stacked = np.full((len(tables), length), OUTSIDE, dtype=np.int64)
    for row, table in zip(stacked, tables, strict=True):
        part = table[:length]
        row[: len(part)] = part
    return stacked
