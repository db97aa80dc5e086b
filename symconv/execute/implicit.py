"""The plan "implicit": convolution as a matrix product over tiles that are packed as they are used.

The factorization is A = (W ⊗ I)·P of im2col (theorem ``fast.im2col``) with P never stored: its
rows are runs of a tile's packed input. Both directions run as stride-1 gathers over stride phases
(`symconv.execute.phases`).

References
----------
K. Goto, R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008); S. Chetlur
et al., *cuDNN: efficient primitives for deep learning* (2014).
"""

from __future__ import annotations

import importlib.util
import math
import threading
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import OUTSIDE
from symconv.execute import taps
from symconv.execute.phases import AXES, gather_of
from symconv.execute.plan import Plan
from symconv.execute.speeds import CALL, COPY, PLACED, PRODUCT, STEP, VECTOR, loading
from symconv.execute.threads import share, thread_count
from symconv.execute.tiling import Tiling, as_run
from symconv.incidence import Incidence

__all__ = ["ImplicitGemm", "packing_of", "scratch_of"]

Array = npt.NDArray[Any]

#: Products below which one thread is as fast as several.
SMALL = 2**20

_kept = threading.local()


#: Bytes of packed weights that a thread keeps room for.
MOST_KEPT = 2**26


def packing_of(size: int, dtype: np.dtype[Any], once: bool) -> Array:
    """Where packed weights go: with `once`, to this thread's own place for them."""
    if not once or size * dtype.itemsize > MOST_KEPT:
        return np.empty(size, dtype=dtype)
    return _parts("packed", (size,), dtype)[0]


def scratch_of(sizes: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, ...]:
    """Buffers of this thread on cache lines, kept from call to call: fresh pages cost time.

    Vectors reach past what is written, into what was there before. Bytes of other numbers may be
    subnormal there, which processors multiply a hundred times slower: they are cleared.
    """
    parts = _parts("scratch", sizes, dtype)
    if getattr(_kept, "layout", None) != (sizes, dtype):
        for part in parts:
            part[:] = 0
        _kept.layout = sizes, dtype
    return parts


def _parts(name: str, sizes: tuple[int, ...], dtype: np.dtype[Any]) -> tuple[Array, ...]:
    """Arrays in one piece of memory that this thread keeps under a name."""
    n_bytes = [-(-size * dtype.itemsize // VECTOR) * VECTOR for size in sizes]
    held = getattr(_kept, name, None)
    if held is None or held.nbytes < sum(n_bytes) + VECTOR:
        held = np.empty(sum(n_bytes) + VECTOR, dtype=np.uint8)
        setattr(_kept, name, held)
    at, parts = -held.ctypes.data % VECTOR, []
    for size, length in zip(sizes, n_bytes, strict=True):
        parts.append(held[at : at + length].view(dtype)[:size])
        at += length
    return tuple(parts)


class ImplicitGemm(Plan):
    """A matrix product on packed tiles, for float32 and float64."""

    name = "implicit"
    theorem = "layouts.sum-over-taps"
    kinds = "f"

    def __init__(self, incidence: Incidence, transposed: bool, dtype: npt.DTypeLike) -> None:
        super().__init__(incidence, transposed, dtype)
        self._tilings: dict[tuple[int, int], Tiling] = {}

    @classmethod
    def refusal(cls, incidence: Incidence, transposed: bool, dtype: np.dtype[Any]) -> str:
        """See `Plan.refusal`."""
        if len(incidence.geometry.axes) > AXES:
            return f"it wants at most {AXES} axes"
        if dtype not in (np.float32, np.float64):
            return f"it runs no numbers of type {dtype}"
        if importlib.util.find_spec("numba") is None:
            return 'it wants Numba (pip install "symconv[fast]")'
        return ""

    @cached_property
    def folds(self) -> bool:
        """Whether padded places share a sample, so that the adjoint is added up afterwards."""
        return self.transposed and not all(map(_is_run, self.incidence.positions))

    @cached_property
    def gather(self) -> Any:
        """The stride-1 gathers."""
        places: Any = self.incidence.positions
        if self.folds:
            places = [np.arange(len(table)) for table in places]
        return gather_of(self.incidence, places, self.transposed)

    def tiling(self, batch: int, threads: int) -> Tiling:
        """How a batch is cut."""
        if (batch, threads) not in self._tilings:
            groups, itemsize = self.incidence.geometry.groups, self.dtype.itemsize
            self._tilings[batch, threads] = Tiling(
                self.gather, groups, *self.channels, itemsize, batch, threads
            )
        return self._tilings[batch, threads]

    def pack(self, weight: Array, *, once: bool = False) -> Array:
        """The weights in the order in which the register tiles read them."""
        from symconv.execute.jit.engine import pack_weights  # noqa: PLC0415 - Numba loads slowly

        threads = thread_count()
        tiling = self.tiling(1, threads)
        geometry = self.incidence.geometry
        weight = np.ascontiguousarray(weight, dtype=self.dtype)
        kernel = weight[0, 0].size
        inner = weight.shape[1] * kernel
        per_group = geometry.out_channels // geometry.groups * inner
        strides = (per_group, kernel, inner) if self.transposed else (per_group, inner, kernel)
        packed = packing_of(int(tiling.starts[-1]), self.dtype, once)
        starts = tiling.starts[:-1].reshape(-1, tiling.groups)
        shape = tiling.outputs, tiling.channels, tiling.rows

        def work(first: int, last: int) -> None:
            pack_weights(
                weight.ravel(),
                strides,
                tiling.chosen,
                tiling.taps,
                starts,
                shape,
                packed,
                first,
                last,
            )

        share(work, tiling.groups * tiling.blocks, threads if weight.size > 2**14 else 1)
        return packed

    def run(self, x: Array, packed: Array, out: Array | None = None) -> Array:
        """A·x or Aᵀ·x of a batch, with packed weights."""
        from symconv.execute.jit.engine import convolve  # noqa: PLC0415 - Numba loads slowly

        self.check(x, out)
        threads = self._useful(len(x), thread_count())
        tiling = self.tiling(len(x), threads)
        shape = self.output_shape
        if self.folds:
            shape = (shape[0], *map(len, self.incidence.positions))
            y = np.empty((len(x), *shape), dtype=self.dtype)
        else:
            y = self.result(len(x), out)
        if self.transposed and not self.covers(shape[1:]):
            y[...] = 0
        x = np.ascontiguousarray(x, dtype=self.dtype)
        missing = (1,) * (AXES + 2 - x.ndim)
        sizes = [np.array((*missing, *array.shape[2:]), dtype=np.int64) for array in (x, y)]
        blocking = (
            tiling.rows, tiling.block, tiling.groups, tiling.channels, tiling.outputs,
            tiling.pitch(1), tiling.pitch(), tiling.channel_pitch, tiling.is_compact,
        )  # fmt: skip
        starts = tiling.starts[:-1].reshape(-1, tiling.groups)
        phases = np.array(tiling.gather.phases, dtype=np.int64).reshape(-1, AXES)

        def work(first: int, last: int) -> None:
            convolve(
                x.reshape(-1), sizes[0], packed, starts, y.reshape(-1), sizes[1],
                tiling.items[first:last], scratch_of(tiling.scratch, self.dtype), blocking,
                tiling.taps, tiling.offsets, tiling.panel_offsets, tiling.near, tiling.runs,
                phases, tiling.box, tiling.places, tiling.place_runs,
            )  # fmt: skip

        if x.size and y.size:
            share(work, len(tiling.items), threads)
        if self.folds:
            y = taps.fold_back(self.incidence, y)
            if out is not None:
                out[...] = y
                return out
        return y

    def seconds(self, batch: int, threads: int) -> float:
        """See `Plan.seconds`."""
        threads = self._useful(batch, threads)
        tiling, size = self.tiling(batch, threads), self.dtype.itemsize
        jobs, items = len(tiling.taps), len(tiling.items)
        lanes, parts = tiling.lanes, len(tiling.splits) - 1
        whole = batch * tiling.groups * math.prod(tiling.positions)
        columns = items / parts * tiling.pitch()
        rows = columns / max(tiling.columns, 1) * tiling.images * math.prod(tiling.box[:2])
        taps_read = tiling.channels * int(tiling.taps.sum())
        # With one row to a tile every product waits for a vector that crosses cache lines.
        rows_per_tile = 2 if tiling.rows == 1 else tiling.rows
        products = columns * taps_read * rows_per_tile * tiling.blocks
        packed_rows = parts * rows * tiling.channels * len(tiling.gather.phases)
        copied = packed_rows * (tiling.box[2] + lanes)
        if tiling.is_compact:
            # Compact rows are copied within the second cache.
            copied += parts * taps_read * (columns + whole / tiling.tile[2] * lanes) / 4
        sums = jobs * tiling.outputs * (whole + columns)
        moved = size * (copied + sums) * COPY + (packed_rows + items * 20) * STEP
        calls = (20 if threads == 1 else 40) * CALL + loading()
        return (size * products * PRODUCT + moved) / threads + calls

    def packing_seconds(self, threads: int) -> float:
        """See `Plan.packing_seconds`."""
        return int(self.tiling(1, threads).starts[-1]) * PLACED / threads

    def working_bytes(self, batch: int, threads: int) -> int:
        """See `Plan.working_bytes`."""
        threads = self._useful(batch, threads)
        tiling, size = self.tiling(batch, threads), self.dtype.itemsize
        return size * (threads * sum(tiling.scratch) + int(tiling.starts[-1]))

    def _useful(self, batch: int, threads: int) -> int:
        """Threads that a batch keeps busy: handing work over takes as long as SMALL products."""
        geometry = self.incidence.geometry
        products = batch * math.prod(geometry.output_shape) * geometry.products_per_output
        return 1 if products < SMALL else threads

    def covers(self, size: tuple[int, ...]) -> bool:
        """Whether every sample of the output is written."""
        return all(
            sum(int((target != OUTSIDE).sum()) for target in axis.targets) == n
            for axis, n in zip(self.gather.axes[AXES - len(size) :], size, strict=True)
        )


def _is_run(places: Array) -> bool:
    """Whether neighbouring places hold neighbouring samples, with nothing between them."""
    begin, _, _, step = as_run(places)
    return begin >= 0 and step == 1
