"""How Winograd's algorithm cuts its work: tiles of outputs, items that stay in cache, tables."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from symconv.execute.phases import AxisGather, Gather
from symconv.execute.runs import TAPS, Run, axis_runs, trimmed, with_neighbours
from symconv.execute.speeds import SLACK, VECTOR
from symconv.execute.tiling import as_run, shared_out, stacked

__all__ = ["RunTiling"]

IntArray = npt.NDArray[np.int64]

#: Products of a tile's channels that one block of weights adds, about.
BLOCK = 288

#: Bytes of panels and products of an item, about: they stay in the second cache.
TILE_BYTES = 5 * 2**18

#: Register tiles of columns that an item has at least, and that share weights too many to stay.
LEAST_TILES = 2
HEAVY_TILES = 8
HEAVY_BYTES = 2**20

#: Time of a register tile of one vector, where a wide one takes 1 for each of its vectors.
SINGLE = 1.7


@dataclass(frozen=True)
class RunTiling:
    """The cut of one gather into items of tiles, for a type, a batch and a number of threads.

    Attributes
    ----------
    tile : tuple of int
        Outputs of a tile on the last two axes; 1 on an axis that is not transformed.
    """

    gather: Gather
    tile: tuple[int, int]
    groups: int
    channels: int
    outputs: int
    itemsize: int
    batch: int
    threads: int

    @cached_property
    def axes(self) -> tuple[AxisGather, ...]:
        """The axes, with neighbouring shifts where they are transformed."""
        first, *others = map(trimmed, self.gather.axes)
        changed = (
            with_neighbours(axis) if size > 1 else axis
            for axis, size in zip(others, self.tile, strict=True)
        )
        return first, *changed

    @property
    def kernel(self) -> tuple[int, int]:
        """Taps of a run on the last two axes."""
        high, wide = (TAPS if size > 1 else 1 for size in self.tile)
        return high, wide

    @property
    def products(self) -> int:
        """Products of a tile."""
        return math.prod(m + r - 1 for m, r in zip(self.tile, self.kernel, strict=True))

    @cached_property
    def jobs(self) -> list[tuple[tuple[int, ...], list[tuple[Run, ...]]]]:
        """Jobs that read anything: their number on each axis, and their runs over the axes."""
        lengths = 1, *self.kernel
        found = []
        for numbers in itertools.product(*(range(len(axis.taps)) for axis in self.axes)):
            each = [
                axis_runs(axis.taps[at], n)
                for axis, at, n in zip(self.axes, numbers, lengths, strict=True)
            ]
            if all(each):
                found.append((numbers, list(itertools.product(*each))))
        return found

    @cached_property
    def counts(self) -> IntArray:
        """Runs of each job."""
        return np.array([len(runs) for _, runs in self.jobs], dtype=np.int64)

    @cached_property
    def used(self) -> list[list[tuple[int, ...]]]:
        """Per job the phases that it reads."""
        return [sorted({tuple(run[0] for run in runs) for runs in each}) for _, each in self.jobs]

    @cached_property
    def phases(self) -> tuple[IntArray, IntArray]:
        """The phases of all jobs in a row, and where those of each job start."""
        flat = np.array([phases for used in self.used for phases in used], dtype=np.int64)
        ends = np.cumsum([0, *map(len, self.used)])
        return flat.reshape(-1, 3), ends.astype(np.int64)

    @cached_property
    def origins(self) -> IntArray:
        """Per job and run: which of its phases, and the shifts of the first tap."""
        table = np.zeros((len(self.jobs), int(self.counts.max(initial=0)), 4), dtype=np.int64)
        for row, used, (_, each) in zip(table, self.used, self.jobs, strict=True):
            for entry, runs in zip(row, each, strict=False):
                entry[0] = used.index(tuple(run[0] for run in runs))
                entry[1:] = [run[1] for run in runs]
        return table

    @cached_property
    def chosen(self) -> IntArray:
        """Per job and run its taps as flat indices of the kernel, −1 for none."""
        n_taps = [1 + max(tap for job in axis.taps for _, _, tap in job) for axis in self.axes]
        shape = *self.origins.shape[:2], math.prod(self.kernel)
        table = np.full(shape, -1, dtype=np.int64)
        for row, (_, each) in zip(table, self.jobs, strict=True):
            for entry, runs in zip(row, each, strict=False):
                taps = itertools.product(*(run[2] for run in runs))
                entry[:] = [-1 if -1 in tap else np.ravel_multi_index(tap, n_taps) for tap in taps]
        return table

    @property
    def positions(self) -> tuple[int, ...]:
        """Positions of a job, per axis."""
        return tuple(axis.n_positions for axis in self.axes)

    @property
    def reach(self) -> tuple[int, ...]:
        """Places that an item's tiles read beyond their outputs, per axis."""
        return tuple(
            int(self.origins[..., 1 + at].max(initial=0)) + length - 1
            for at, length in enumerate((1, *self.kernel))
        )

    @property
    def grid(self) -> tuple[int, int]:
        """Tiles of a plane."""
        high, wide = (-(-n // m) for n, m in zip(self.positions[1:], self.tile, strict=True))
        return high, wide

    @property
    def planes(self) -> int:
        """Planes of the batch: an image at a position of the first axis."""
        return self.batch * self.positions[0]

    @property
    def inner(self) -> int:
        """Channels and runs that a product sums over, of the largest job."""
        return self.channels * int(self.counts.max(initial=0))

    @cached_property
    def rows(self) -> int:
        """Output channels per register tile."""
        return 8 if self.outputs > 4 else 4 if self.outputs > 1 else 1

    @property
    def blocks(self) -> int:
        """Register tiles that hold all output channels of a group."""
        return -(-self.outputs // self.rows)

    @property
    def block(self) -> int:
        """Rows of a panel that are multiplied at once."""
        return shared_out(max(self.inner, 1), BLOCK)

    @property
    def lanes(self) -> int:
        """Numbers of a vector register."""
        return VECTOR // self.itemsize

    @property
    def is_heavy(self) -> bool:
        """Whether the weights are too many for the second cache."""
        weights = self.products * self.inner * self.blocks * self.rows * self.itemsize
        return weights > HEAVY_BYTES

    @property
    def limit(self) -> int:
        """Columns of an item that stay in cache."""
        wide = {8: 3, 4: 6, 1: 8}[self.rows] * self.lanes
        column = self.products * (self.inner + self.blocks * self.rows) * self.itemsize
        least = HEAVY_TILES if self.is_heavy else LEAST_TILES
        return max(TILE_BYTES // max(column, 1), least * wide)

    def cost(self, columns: int) -> float:
        """Time of the register tiles of so many columns, in vectors."""
        wide = {8: 3, 4: 6, 1: 8}[self.rows]
        whole, rest = divmod(-(-columns // self.lanes), wide)
        return wide * whole + min(wide, SINGLE * rest)

    @cached_property
    def cut(self) -> tuple[int, int, int]:
        """Planes, and rows and columns of tiles in each, of an item."""
        high, wide = self.grid
        if high * wide * 2 <= self.limit:
            planes = min(self.limit // (high * wide), -(-self.planes // self.threads))
            return shared_out(self.planes, max(planes, 1)), high, wide
        if wide > self.limit:
            wide = shared_out(wide, self.limit // 2)
        most = max(1, min(self.limit // wide, high))

        def each(rows: int) -> float:
            whole, rest = divmod(high, rows)
            # An item costs about a register tile more than its columns.
            return whole * (self.cost(rows * wide) + 1) + (self.cost(rest * wide) + 1) * (rest > 0)

        return 1, min(range(max(1, most // 2), most + 1), key=each), wide

    @property
    def columns(self) -> int:
        """Columns of an item."""
        return math.prod(self.cut)

    @property
    def pitch(self) -> int:
        """Numbers from one row of a panel to the next: vectors, one to spare, an odd number."""
        return ((-(-self.columns // self.lanes) + 1) | 1) * self.lanes

    @property
    def steps(self) -> tuple[int, int]:
        """Numbers from one product's panel, and from its sums, to the next: odd too."""
        panel, sums = self.inner, self.most_blocks * self.rows
        return (panel | 1) * self.pitch, (sums | 1) * self.pitch

    @property
    def box(self) -> tuple[int, int, int]:
        """Places of a plane that an item reads."""
        _, high, wide = self.cut
        reach = self.reach
        return 1 + reach[0], high * self.tile[0] + reach[1], wide * self.tile[1] + reach[2]

    @cached_property
    def scratch(self) -> tuple[int, ...]:
        """Numbers of packed channel, panels, products, outputs of a plane, marks; vectors each."""
        _, high, wide = self.cut
        packed = max(map(len, self.used), default=0) * math.prod(self.box)
        vectors = -(-wide // self.lanes)
        plane = high * self.tile[0] * vectors * self.lanes * self.tile[1]
        panel, sums = self.steps
        slack = SLACK // self.itemsize
        numbers = packed + slack, self.products * panel + slack, self.products * sums + slack
        return *(-(-n // self.lanes) * self.lanes for n in numbers), plane + slack, self.lanes

    @cached_property
    def offsets(self) -> IntArray:
        """Where each row of a panel starts."""
        return np.arange(self.block, dtype=np.int64) * self.pitch

    @cached_property
    def near(self) -> tuple[IntArray, ...]:
        """Per axis the input index at (phase, place), long enough for every item."""
        _, high, wide = self.cut
        spans = (
            self.positions[0],
            -(-self.grid[0] // high) * high * self.tile[0],
            -(-self.grid[1] // wide) * wide * self.tile[1],
        )
        return tuple(
            stacked(axis.sources, span + reach)
            for axis, span, reach in zip(self.axes, spans, self.reach, strict=True)
        )

    @cached_property
    def runs(self) -> IntArray:
        """The last axis' sources as runs of indices."""
        return np.array([as_run(table) for table in self.near[-1]], dtype=np.int64)

    @cached_property
    def places(self) -> tuple[IntArray, IntArray]:
        """Per job, where positions of the first two axes belong."""
        first, second = (
            np.array([self.axes[at].targets[numbers[at]] for numbers, _ in self.jobs])
            for at in range(2)
        )
        return first, second

    @cached_property
    def place_runs(self) -> IntArray:
        """Per job, where positions of the last axis belong, as runs."""
        targets = [self.axes[2].targets[numbers[2]] for numbers, _ in self.jobs]
        return np.array([as_run(target) for target in targets], dtype=np.int64)

    @cached_property
    def distinct(self) -> tuple[IntArray, IntArray]:
        """Jobs with distinct taps, and for each job which of them it equals."""
        tables = [table.tobytes() for table in self.chosen]
        firsts = sorted({tables.index(table) for table in tables})
        equal = [firsts.index(tables.index(table)) for table in tables]
        return np.array(firsts, dtype=np.int64), np.array(equal, dtype=np.int64)

    @property
    def spare(self) -> int:
        """Numbers between the weights of products, which would share cache sets without."""
        return 3 * self.lanes

    @cached_property
    def starts(self) -> IntArray:
        """Where the packed weights of (distinct job, group) start, and where the last end."""
        each = self.blocks * self.rows * self.channels * self.counts[self.distinct[0]] + self.spare
        sizes = self.products * np.repeat(each, self.groups)
        return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)

    @cached_property
    def splits(self) -> IntArray:
        """Bounds of the ranges of register tiles: one range, or several where items are few."""
        high, wide = (-(-n // t) for n, t in zip(self.grid, self.cut[1:], strict=True))
        items = -(-self.planes // self.cut[0]) * high * wide * self.groups * len(self.jobs)
        parts = 1 if self.threads == 1 else min(self.blocks, -(-2 * self.threads // max(items, 1)))
        return np.linspace(0, self.blocks, max(parts, 1) + 1).astype(np.int64)

    @property
    def most_blocks(self) -> int:
        """Register tiles of the largest range."""
        return int(np.diff(self.splits).max())

    @cached_property
    def items(self) -> IntArray:
        """Rows (job, group, plane, planes, register tiles, corner and size of the tiles)."""
        planes, high, wide = self.cut
        ranges = [np.arange(0, n, t) for n, t in zip(self.grid, (high, wide), strict=True)]
        grid = np.meshgrid(
            np.arange(0, self.planes, planes),
            np.arange(len(self.jobs)),
            np.arange(self.groups),
            np.arange(len(self.splits) - 1),
            *ranges,
            indexing="ij",
        )
        plane, job, group, part, top, left = (axis.ravel() for axis in grid)
        columns = [
            job, group, plane, np.minimum(planes, self.planes - plane),
            self.splits[part], self.splits[part + 1], top, left,
            np.minimum(high, self.grid[0] - top), np.minimum(wide, self.grid[1] - left),
        ]  # fmt: skip
        return np.ascontiguousarray(np.stack(columns, axis=1), dtype=np.int64)
