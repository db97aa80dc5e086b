"""The plan "fourier": large kernels as products of discrete Fourier transforms.

A job of `symconv.execute.phases` is a sum of correlations, one for each stride phase. Blocks of the
input that overlap by the reach of the taps are transformed, multiplied by the transformed kernel
and transformed back; the outputs that are free of wrapping are kept (overlap-save, theorem
``fourier.overlap-save``). Channels are mixed frequency by frequency.

It rounds on the way, integers too, and an output's error is about that of the largest of its
block, however small it is itself (see `Fourier.error_factor`). Infinities and NaN would spread over
a block: where a result is not finite, a plan that sums directly runs instead.

References
----------
A. Oppenheim, R. Schafer, *Discrete-Time Signal Processing*, section 8.7.3.
N. J. Higham, *Accuracy and Stability of Numerical Algorithms* (2002), section 24.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.fft

from symconv.boundary import OUTSIDE
from symconv.execute import taps
from symconv.execute.implicit import ImplicitGemm
from symconv.execute.phases import AXES, Gather
from symconv.execute.plan import Plan
from symconv.execute.speeds import CALL, COPY, FOURIER, MIXED, PRODUCT
from symconv.execute.threads import share, thread_count
from symconv.execute.tiling import NO_RUN, as_run, stacked
from symconv.incidence import Incidence

__all__ = ["Fourier"]

Array = npt.NDArray[Any]

#: Bytes of transformed blocks that are worked on at once, about.
CHUNK = 2**24

#: Samples of a block on an axis where nothing is transformed.
UNTRANSFORMED = 64

#: Samples whose transform takes as long as setting up a block.
SET_UP = 10_000

#: Rounding errors of one stage of a transform, in units in the last place (Higham's η, rounded up).
STAGE = 8


@dataclass(frozen=True)
class Spectra:
    """Transformed weights, and the weights that they are made from."""

    transformed: list[list[Array]]
    weight: Array


class Fourier(Plan):
    """Overlap-save in blocks of a fast length, on up to three axes.

    Examples
    --------
    >>> import symconv as sc
    >>> incidence = sc.Conv2d(1, 1, 31, bias=False).operator((256, 256)).oriented.linear.incidence
    >>> plan = Fourier(incidence, False, np.float64)
    >>> plan.block, plan.kept  # samples of a block, outputs that it gives
    ((1, 256, 256), (1, 226, 226))
    """

    name = "fourier"
    theorem = "fourier.overlap-save"
    kinds = "fc"
    is_exact = False

    def __init__(self, incidence: Incidence, transposed: bool, dtype: npt.DTypeLike) -> None:
        super().__init__(incidence, transposed, dtype)
        self._implicit = ImplicitGemm(incidence, transposed, dtype)
        refused = ImplicitGemm.refusal(incidence, transposed, self.dtype)
        self._spots: dict[Any, tuple[Any, Any]] = {}
        self._direct = taps.Taps(incidence, transposed, dtype) if refused else self._implicit

    @classmethod
    def refusal(cls, incidence: Incidence, transposed: bool, dtype: np.dtype[Any]) -> str:
        """See `Plan.refusal`."""
        if len(incidence.geometry.axes) > AXES:
            return f"it wants at most {AXES} axes"
        if dtype not in (np.float32, np.float64, np.complex64, np.complex128):
            return f"it runs no numbers of type {dtype}"
        return ""

    @property
    def gather(self) -> Gather:
        """The stride-1 gathers."""
        found: Gather = self._implicit.gather
        return found

    @cached_property
    def reach(self) -> tuple[int, ...]:
        """Places that an output may read beyond its own, per axis."""
        return tuple(axis.reach for axis in self.gather.axes)

    @cached_property
    def block(self) -> tuple[int, ...]:
        """Places of a block, per axis."""
        planes = self.incidence.geometry.groups * sum(self.channels)
        set_up = (SET_UP / planes) ** (1 / max(1, sum(map(bool, self.reach))))
        return tuple(
            _block_length(axis.n_positions, reach, set_up)
            for axis, reach in zip(self.gather.axes, self.reach, strict=True)
        )

    @property
    def kept(self) -> tuple[int, ...]:
        """Outputs of a block, per axis."""
        return tuple(n - reach for n, reach in zip(self.block, self.reach, strict=True))

    @cached_property
    def corners(self) -> list[tuple[int, ...]]:
        """Where blocks start."""
        each = (
            range(0, a.n_positions, n) for a, n in zip(self.gather.axes, self.kept, strict=True)
        )
        grid = np.meshgrid(*map(list, each), indexing="ij")
        return list(zip(*(axis.ravel().tolist() for axis in grid), strict=True))

    @cached_property
    def near(self) -> tuple[Array, ...]:
        """Per axis the input index at (phase, place), long enough for every block."""
        return tuple(
            stacked(axis.sources, -(-axis.n_positions // kept) * kept + reach)
            for axis, kept, reach in zip(self.gather.axes, self.kept, self.reach, strict=True)
        )

    @property
    def error_factor(self) -> float:
        """A bound on the error of an output, over Σ ‖w‖₁·‖x‖₂ over channels and phases.

        ``x`` is what a block holds of a channel and ``w`` the taps of a pair of channels that read
        it. Each of the three transforms of length n errs by at most `STAGE`·u·log₂ n of the norm
        of its result (Higham 2002, theorem 24.2, with his constants rounded up), the products and
        their sums by u for each term and 3·u more.
        """
        stages = max(1.0, math.log2(math.prod(self.block)))
        terms = self.channels[0] * len(self.gather.phases)
        unit = float(np.finfo(self.dtype).eps) / 2
        return 1.1 * unit * (3 * STAGE * stages + terms + 3)

    def _transform(self, blocks: Array, workers: int) -> Array:
        run = scipy.fft.rfftn if self.dtype.kind == "f" else scipy.fft.fftn
        return np.asarray(run(blocks, axes=self._transformed_axes, workers=workers))

    def _back(self, spectra: Array, workers: int) -> Array:
        run = scipy.fft.irfftn if self.dtype.kind == "f" else scipy.fft.ifftn
        axes = self._transformed_axes
        sizes = [self.block[axis] for axis in axes]
        return np.asarray(run(spectra, s=sizes, axes=axes, workers=workers, overwrite_x=True))

    @cached_property
    def _transformed_axes(self) -> tuple[int, ...]:
        """The axes along which taps read more than one place, counted from the last."""
        return tuple(at - AXES for at in range(AXES) if self.reach[at]) or (-1,)

    @cached_property
    def _kernel_size(self) -> tuple[int, ...]:
        """Places of a kernel: those of a block on the axes that are transformed."""
        axes = self._transformed_axes
        return tuple(n if at - AXES in axes else 1 for at, n in enumerate(self.block))

    @property
    def _kernel_frequencies(self) -> int:
        return self._frequencies // (math.prod(self.block) // math.prod(self._kernel_size))

    @cached_property
    def _kernel_places(self) -> list[list[tuple[Array, Array]]]:
        """Per job and phase, where in a block each of its taps lies, and which taps these are."""
        found = []
        for job in self.gather.jobs:
            parts = []
            for phases in self.gather.phases:
                read = [(shifts, tap) for at, shifts, tap in job.taps if at == phases]
                shifts = np.array([each for each, _ in read], dtype=np.int64).reshape(-1, AXES)
                taps = np.array([tap for _, tap in read], dtype=np.int64)
                # Backwards, so that a product of transforms is a correlation.
                parts.append(((-shifts % self._kernel_size).T, taps))
            found.append(parts)
        return found

    def pack(self, weight: Array, *, once: bool = False) -> Spectra:
        """Per job and phase the transformed taps, (groups, written, read) and frequencies."""
        geometry, workers = self.incidence.geometry, thread_count()
        grouped = np.asarray(weight, dtype=self.dtype)
        grouped = grouped.reshape(geometry.groups, -1, weight.shape[1], weight[0, 0].size)
        if self.transposed:
            grouped = np.swapaxes(grouped, 1, 2)
        transformed = []
        for job in self._kernel_places:
            spectra = []
            for places, chosen in job:
                kernel = np.zeros((*grouped.shape[:3], *self._kernel_size), dtype=self.dtype)
                kernel[..., *places] = grouped[..., chosen]
                spectrum = self._transform(kernel, workers)
                if self._by_matrices:
                    # Frequencies first, for products of matrices (written, read).
                    spectrum = np.ascontiguousarray(np.moveaxis(spectrum, (0, 1, 2), (-3, -2, -1)))
                spectra.append(spectrum)
            transformed.append(spectra)
        held = np.asarray(weight, dtype=self.dtype)
        return Spectra(transformed, held if once else held.copy())

    def run(self, x: Array, packed: Spectra, out: Array | None = None) -> Array:
        """See `Plan.run`."""
        implicit, threads = self._implicit, thread_count()
        folded = tuple(map(len, self.incidence.positions))
        y = np.zeros(
            (len(x), self.output_shape[0], *(folded if implicit.folds else self.output_shape[1:])),
            dtype=self.dtype,
        )
        whole = [
            array.reshape(*array.shape[:2], *self._filled(array.shape[2:])) for array in (x, y)
        ]
        blocks = [(image, *corner) for image in range(len(x)) for corner in self.corners]
        chunk = max(1, min(-(-len(blocks) // threads), CHUNK // self._block_bytes))
        workers = threads if len(blocks) <= chunk else 1
        finite: list[bool] = []

        def work(first: int, last: int) -> None:
            for at in range(first, last):
                part = blocks[at * chunk : (at + 1) * chunk]
                # What is not finite is noticed in the result.
                with np.errstate(all="ignore"):
                    finite.append(self._convolve(whole[0], whole[1], packed, part, workers))

        share(work, -(-len(blocks) // chunk), threads)
        # Overflow is in the result, as compiled plans leave it: none of them warns.
        with np.errstate(all="ignore"):
            if not all(finite):
                return self._direct.run(x, self._direct.pack(packed.weight), out)
            y = taps.fold_back(self.incidence, y) if implicit.folds else y
        if out is None:
            return y
        out[...] = y
        return out

    def _convolve(
        self, x: Array, y: Array, packed: Spectra, part: list[tuple[int, ...]], workers: int
    ) -> bool:
        """The outputs of some blocks put where they belong, and whether they are finite."""
        groups, (read, written) = self.incidence.geometry.groups, self.channels
        spectra = []
        for phases in self.gather.phases:
            blocks = np.zeros((len(part), groups * read, *self.block), dtype=self.dtype)
            for block, (image, *corner) in zip(blocks, part, strict=True):
                held, seen = self._seen(phases, tuple(corner))
                block[held] = x[image][seen]
            transformed = self._transform(blocks, workers)
            spectra.append(transformed.reshape(len(part), groups, read, *transformed.shape[2:]))
        is_finite = True
        for number, weights in enumerate(packed.transformed):
            mixed = sum(self._mixed(w, s) for w, s in zip(weights, spectra, strict=True))
            blocks = self._back(np.asarray(mixed), workers)
            blocks = blocks.reshape(len(part), groups * written, *self.block)
            kept = blocks[:, :, *(slice(n) for n in self.kept)]
            is_finite &= bool(np.isfinite(kept).all())
            for block, (image, *corner) in zip(kept, part, strict=True):
                made, belongs = self._belonging(number, tuple(corner))
                y[image][belongs] = block[made]
        return is_finite

    def _seen(self, phases: tuple[int, ...], corner: tuple[int, ...]) -> tuple[Any, Any]:
        """Where a block holds samples of a phase, and which."""
        if (phases, corner) not in self._spots:
            cut = zip(self.near, phases, corner, self.block, strict=True)
            tables = [table[phase, first : first + n] for table, phase, first, n in cut]
            self._spots[phases, corner] = _places(tables)
        return self._spots[phases, corner]

    def _belonging(self, number: int, corner: tuple[int, ...]) -> tuple[Any, Any]:
        """Where a block's results of a job are, and where they belong."""
        if (number, corner) not in self._spots:
            targets = self.gather.jobs[number].targets
            cut = zip(targets, corner, self.kept, strict=True)
            self._spots[number, corner] = _places(
                [table[first : first + n] for table, first, n in cut]
            )
        return self._spots[number, corner]

    @property
    def _by_matrices(self) -> bool:
        """Whether channels are mixed by one matrix product for each frequency."""
        return min(self.channels) > 1

    def _mixed(self, weights: Array, spectra: Array) -> Array:
        """Σ over channels read: (blocks, groups, written, *frequencies)."""
        if self._by_matrices:
            seen = np.ascontiguousarray(np.moveaxis(spectra, (1, 2, 0), (-3, -2, -1)))
            return np.moveaxis(np.matmul(weights, seen), (-3, -2, -1), (1, 2, 0))
        mixed = weights[:, :, 0] * spectra[:, :, 0, None]
        for channel in range(1, spectra.shape[2]):
            mixed += weights[:, :, channel] * spectra[:, :, channel, None]
        return np.asarray(mixed)

    @staticmethod
    def _filled(size: tuple[int, ...]) -> tuple[int, ...]:
        return *(1,) * (AXES - len(size)), *size

    @property
    def _frequencies(self) -> int:
        last = self.block[self._transformed_axes[-1]]
        halved = last // 2 + 1 if self.dtype.kind == "f" else last
        return math.prod(self.block) // last * halved

    @property
    def _complex_bytes(self) -> int:
        return self.dtype.itemsize * (2 if self.dtype.kind == "f" else 1)

    @property
    def _block_bytes(self) -> int:
        """Of what is held of one block: samples and frequencies, read and written."""
        read, written = self.channels
        channels = self.incidence.geometry.groups * (read * len(self.gather.phases) + 3 * written)
        return channels * 2 * self._frequencies * self._complex_bytes

    def seconds(self, batch: int, threads: int) -> float:
        """See `Plan.seconds`."""
        groups, (read, written) = self.incidence.geometry.groups, self.channels
        phases, jobs = len(self.gather.phases), len(self.gather.jobs)
        n, blocks = math.prod(self._kernel_size), batch * len(self.corners)
        pairs = phases * jobs * groups * read * written
        planes = math.prod(self.block) // n
        transforms = blocks * planes * groups * (phases * read + jobs * written)
        spectrum = pairs * self._frequencies * self._complex_bytes
        mixing = spectrum * blocks * MIXED
        if self._by_matrices:
            products = groups * phases * jobs * self._frequencies
            mixing = spectrum * (8 * blocks * PRODUCT + 8 * COPY) + products * CALL / 10
        calls = 20 + 8 * blocks * (phases + jobs)
        return (transforms * self._transform_seconds + mixing) / threads + calls * CALL

    @property
    def _transform_seconds(self) -> float:
        """Estimated time of the transform of one block of the last axes."""
        n = math.prod(self._kernel_size)
        return n * self.dtype.itemsize * (math.log2(n + 1) * FOURIER + 4 * COPY)

    def packing_seconds(self, threads: int) -> float:
        """See `Plan.packing_seconds`."""
        parts = len(self.gather.phases) * len(self.gather.jobs)
        pairs = parts * self.incidence.geometry.groups * math.prod(self.channels)
        return pairs * self._transform_seconds / threads + 4 * parts * CALL

    def working_bytes(self, batch: int, threads: int) -> int:
        """See `Plan.working_bytes`."""
        groups, (read, written) = self.incidence.geometry.groups, self.channels
        parts = len(self.gather.phases) * len(self.gather.jobs)
        part = groups * read * written * self._kernel_frequencies * self._complex_bytes
        # While one part is packed there are its kernels and its transform next to their copy.
        weights = (parts + 2) * part
        chunk = max(self._block_bytes, min(CHUNK, batch * len(self.corners) * self._block_bytes))
        return weights + 2 * threads * chunk


def _block_length(positions: int, reach: int, set_up: float) -> int:
    """The length of block with the least work, blocks times (n + set_up)·log n."""
    if reach == 0:
        return min(positions, UNTRANSFORMED)
    lengths = {scipy.fft.next_fast_len(positions + reach, real=True)}
    length = scipy.fft.next_fast_len(reach + 1, real=True)
    while length < positions + reach:
        lengths.add(length)
        length = scipy.fft.next_fast_len(length + -(-length // 8), real=True)

    def work(n: int) -> float:
        return -(-positions // (n - reach)) * (n + set_up) * (math.log2(n) + 4)

    best: int = min(sorted(lengths), key=work)
    return best


def _places(tables: list[Array]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """Index of what is inside in a block, and in the array that tables point into."""
    runs = [as_run(table) for table in tables]
    if NO_RUN in runs:
        inside = [np.flatnonzero(table != OUTSIDE) for table in tables]
        pointed = [table[at] for table, at in zip(tables, inside, strict=True)]
        return (slice(None), *np.ix_(*inside)), (slice(None), *np.ix_(*pointed))
    here = (slice(begin, end) for begin, end, _, _ in runs)
    there = (
        slice(first, first + step * (end - begin - 1) + 1 if end > begin else first, step)
        for begin, end, first, step in runs
    )
    return (slice(None), *here), (slice(None), *there)
