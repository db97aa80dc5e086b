"""The plans "winograd" and "winograd4": three taps along an axis by fewer products.

F(m, 3) computes m outputs of three taps with m + 2 products instead of 3·m, as
``A_T·((G·w) ⊙ (B_T·x))``, and nests over axes (theorem ``fast.nested``); tiles of m outputs make
up the convolution (``fast.tiles``). Here the last axis and, where it has three taps too, the one
before it are transformed; the taps of the first are summed as further channels, as are the stride
phases and the parts of kernels of more than three taps.

Plan "winograd" uses F(2, 3), whose transforms hold halves, ones and zeros. On integers it is exact
while every sum stays below 2²⁴ (float32) or 2⁵³ (float64) with `Winograd.growth` to spare; on
floats its error bound is about that much larger than a direct sum's. Infinities and NaN, and sums
that overflow on the way, would not come out as the direct sum has them: where a result is not
finite, the plan "implicit" runs instead, so that they do.

F(4, 3) needs a quarter fewer products still, but has sixths and loses digits (about 2·10⁻⁵ in
float32): plan "winograd4" runs only when it is asked for.

References
----------
S. Winograd, *Arithmetic complexity of computations*, SIAM (1980).
A. Lavin, S. Gray, *Fast algorithms for convolutional neural networks* (2016), arXiv:1509.09308.
B. Barabasz, A. Anderson, K. M. Soodhalter, D. Gregg, *Error analysis and improving the accuracy
of Winograd convolution for deep neural networks* (2020), arXiv:1803.10986.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from symconv.execute import taps
from symconv.execute.implicit import ImplicitGemm, packing_of, scratch_of
from symconv.execute.phases import AXES, AxisGather, adjoint_axis, forward_axis
from symconv.execute.plan import Plan
from symconv.execute.run_tiling import RunTiling
from symconv.execute.runs import TAPS, has_runs, with_neighbours
from symconv.execute.speeds import CALL, COPY, PLACED, PRODUCT, STEP, loading
from symconv.execute.threads import share, thread_count
from symconv.incidence import Incidence
from symconv.toomcook import Transforms, winograd_transforms

__all__ = ["Winograd", "Winograd4"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Panels:
    """Transformed weights, and the weights that they are made from."""

    transformed: Array
    weight: Array


class Winograd(Plan):
    """F(2, 3) on the last one or two axes, for float32 and float64.

    Examples
    --------
    >>> import symconv as sc
    >>> incidence = sc.Conv2d(1, 1, 3, bias=False).operator((6, 6)).oriented.linear.incidence
    >>> plan = Winograd(incidence, False, np.float32)
    >>> plan.transforms.n_products, plan.growth
    (16, 64)
    """

    name = "winograd"
    theorem = "fast.nested"
    kinds = "f"
    is_exact = False

    #: m of F(m, 3).
    outputs_of_tile: ClassVar[int] = 2

    def __init__(self, incidence: Incidence, transposed: bool, dtype: npt.DTypeLike) -> None:
        super().__init__(incidence, transposed, dtype)
        self._direct = ImplicitGemm(incidence, transposed, dtype)
        self._tilings: dict[tuple[int, int], RunTiling] = {}

    @classmethod
    def refusal(cls, incidence: Incidence, transposed: bool, dtype: np.dtype[Any]) -> str:
        """See `Plan.refusal`."""
        refused = ImplicitGemm.refusal(incidence, transposed, dtype)
        if refused or _runs_on_axis(incidence, transposed, -1):
            return refused
        return f"it wants {TAPS} taps in a row along the last axis, in one stride phase"

    @cached_property
    def tile(self) -> tuple[int, int]:
        """Outputs of a tile on the last two axes; 1 on an axis that is not transformed."""
        n_axes = len(self.incidence.geometry.axes)
        high = n_axes > 1 and _runs_on_axis(self.incidence, self.transposed, -2)
        return (self.outputs_of_tile if high else 1), self.outputs_of_tile

    @cached_property
    def transforms(self) -> Transforms:
        """The exact transforms of a tile over the last two axes."""
        high, wide = map(_transforms, self.tile)
        return high.nested(wide)

    @cached_property
    def amplification(self) -> Fraction:
        """How far the sums on the way may exceed Σ|w|·max|x|, whatever their order.

        The largest entry of |A_T|·(|G| ⊙ rows of |B_T| summed), over outputs and taps.
        """
        a, g, b = (
            np.abs(np.array(rows, dtype=object))
            for rows in (self.transforms.A_T, self.transforms.G, self.transforms.B_T)
        )
        return Fraction(max(((a * b.sum(axis=1)) @ g).ravel()))

    @cached_property
    def growth(self) -> int:
        """The same in the units that the sums come in, the common denominator of G.

        Integers with growth·Σ|w|·max|x| below 2²⁴ (float32) or 2⁵³ (float64) are summed exactly
        where G is dyadic: every partial sum is a multiple of the unit that fits.
        """
        units = math.lcm(*(entry.denominator for row in self.transforms.G for entry in row))
        return math.ceil(self.amplification) * units

    @property
    def error_factor(self) -> float:
        """A bound on the error of an output, over Σ|w|·max|x|, x being what its tile reads.

        Every number takes part in so many roundings at most: a product and an addition for each
        entry of a row of a transform, on each axis, and those of the sum over channels and runs.
        Underflow comes on top.
        """
        tile = max(self.tile) + TAPS - 1
        roundings = self.tiling(1, 1).inner + 2 + 2 * (2 * tile + TAPS + 1)
        unit = float(np.finfo(self.dtype).eps) / 2
        return 1.01 * roundings * unit * float(self.amplification)

    def exact_for(self, x: Array, weight: Array) -> bool:
        """See `Plan.exact_for`."""
        units = self.growth
        if units & (units - 1):
            return False
        axes = (1, *range(2, weight.ndim))
        if self.transposed:
            groups = self.incidence.geometry.groups
            weight = weight.reshape(groups, -1, *weight.shape[1:])
            axes = (1, *range(3, weight.ndim))
        sums = np.abs(weight).sum(axis=axes, dtype=np.float64).max(initial=0)
        largest = max(x.max(initial=0), -x.min(initial=0))
        # A float64 sum may itself be rounded: twice the bound makes up for that.
        return bool(2.0 * units * sums * largest < 2.0 ** (np.finfo(self.dtype).nmant + 1))

    def tiling(self, batch: int, threads: int) -> RunTiling:
        """How a batch is cut."""
        if (batch, threads) not in self._tilings:
            groups, itemsize = self.incidence.geometry.groups, self.dtype.itemsize
            self._tilings[batch, threads] = RunTiling(
                self._direct.gather, self.tile, groups, *self.channels, itemsize, batch, threads
            )
        return self._tilings[batch, threads]

    def pack(self, weight: Array, *, once: bool = False) -> Panels:
        """The weights transformed, as one matrix for each product."""
        from symconv.execute.jit.winograd_engine import (  # noqa: PLC0415 - Numba loads slowly
            transform_weights,
        )

        threads = thread_count()
        tiling, geometry = self.tiling(1, threads), self.incidence.geometry
        weight = np.ascontiguousarray(weight, dtype=self.dtype)
        kernel = math.prod(geometry.kernel_size)
        inner = weight.shape[1] * kernel
        per_group = geometry.out_channels // geometry.groups * inner
        strides = (per_group, kernel, inner) if self.transposed else (per_group, inner, kernel)
        packed = packing_of(int(tiling.starts[-1]), self.dtype, once)
        jobs = tiling.distinct[0]
        chosen, counts = tiling.chosen[jobs], tiling.counts[jobs]
        starts = tiling.starts[:-1].reshape(-1, tiling.groups)
        shape = tiling.groups, tiling.outputs, tiling.channels, tiling.rows, tiling.spare

        def work(first: int, last: int) -> None:
            transform_weights(
                weight.reshape(-1), strides, tiling.tile, chosen, counts, starts, shape, packed,
                first, last,
            )  # fmt: skip

        share(work, starts.size * tiling.blocks, threads if weight.size > 2**12 else 1)
        return Panels(packed, weight if once else weight.copy())

    def run(self, x: Array, packed: Panels, out: Array | None = None) -> Array:
        """A·x or Aᵀ·x of a batch, with packed weights."""
        from symconv.execute.jit.winograd_engine import (  # noqa: PLC0415 - Numba loads slowly
            convolve_tiles,
        )

        self.check(x, out)
        threads, direct = thread_count(), self._direct
        shape = self.output_shape
        if direct.folds:
            shape = (shape[0], *map(len, self.incidence.positions))
            y = np.empty((len(x), *shape), dtype=self.dtype)
        else:
            y = self.result(len(x), out)
        tiling = self.tiling(max(len(x), 1), threads)
        # Jobs without taps are left out: what they would write stays zero.
        is_whole = all(taps for axis in tiling.axes for taps in axis.taps)
        if self.transposed and not (is_whole and direct.covers(shape[1:])):
            y[...] = 0
        x = np.ascontiguousarray(x, dtype=self.dtype)
        missing = (1,) * (AXES + 2 - x.ndim)
        sizes = [np.array((*missing, *array.shape[2:]), dtype=np.int64) for array in (x, y)]
        blocking = (
            tiling.rows, tiling.block, tiling.groups, tiling.channels, tiling.outputs,
            tiling.reach, tiling.pitch, *tiling.steps, tiling.spare,
        )  # fmt: skip
        starts = tiling.starts[:-1].reshape(-1, tiling.groups)[tiling.distinct[1]]
        finite = []

        def work(first: int, last: int) -> None:
            scratch = scratch_of(tiling.scratch, self.dtype)
            scratch[-1][:] = 0
            is_finite = convolve_tiles(
                x.reshape(-1), sizes[0], packed.transformed, starts, y.reshape(-1), sizes[1],
                tiling.items[first:last], scratch, blocking, tiling.tile, tiling.positions,
                tiling.counts, tiling.origins, tiling.offsets, tiling.near, tiling.runs,
                *tiling.phases, tiling.places, tiling.place_runs,
            )  # fmt: skip
            finite.append(is_finite)

        if x.size and y.size:
            share(work, len(tiling.items), threads)
        if not all(finite):
            return direct.run(x, direct.pack(packed.weight), out)
        if direct.folds:
            y = taps.fold_back(self.incidence, y)
            if out is not None:
                out[...] = y
                return out
        return y

    def seconds(self, batch: int, threads: int) -> float:
        """See `Plan.seconds`."""
        tiling, size = self.tiling(max(batch, 1), threads), self.dtype.itemsize
        items, parts = len(tiling.items), len(tiling.splits) - 1
        share_of_batch = batch / max(batch, 1)
        columns = share_of_batch * items / parts * tiling.columns
        vectors = tiling.cost(tiling.columns) / tiling.columns * tiling.lanes
        products = columns * vectors * tiling.products * tiling.inner * tiling.blocks * tiling.rows
        panels = parts * columns * tiling.products * tiling.inner
        sums = columns * tiling.products * tiling.outputs
        rows = items * tiling.cut[0] * math.prod(tiling.box[:2]) * tiling.channels
        # Both stay in the second cache; sums are added to what they hold and read once.
        moved = size * (panels + 0.6 * sums) * COPY + rows * 2 * STEP
        done = (size * products * PRODUCT + moved) / threads
        # Tables and transforms take longer than is counted here, those of few outputs most.
        return (1.1 if self.channels[1] >= 32 else 2) * done + 45 * CALL + loading()

    def packing_seconds(self, threads: int) -> float:
        """See `Plan.packing_seconds`."""
        # The rows of a register tile are transformed and put in place together.
        return int(self.tiling(1, threads).starts[-1]) * 0.6 * PLACED / threads

    def working_bytes(self, batch: int, threads: int) -> int:
        """See `Plan.working_bytes`."""
        tiling, size = self.tiling(max(batch, 1), threads), self.dtype.itemsize
        weight = math.prod(self.incidence.geometry.weight_shape)
        own = size * (threads * sum(tiling.scratch) + int(tiling.starts[-1]) + weight)
        # Where a result is not finite, "implicit" makes another one while all this is held.
        result = size * batch * math.prod(self.output_shape)
        return own + self._direct.working_bytes(max(batch, 1), threads) + result


class Winograd4(Winograd):
    """F(4, 3): fewer products, at the price of digits."""

    name = "winograd4"
    on_request = "it loses digits that F(2, 3) keeps"
    outputs_of_tile = 4


@cache
def _transforms(outputs: int) -> Transforms:
    """F(outputs, 3); one output stands for an axis that is not transformed."""
    return winograd_transforms(outputs, TAPS if outputs > 1 else 1)


def _runs_on_axis(incidence: Incidence, transposed: bool, at: int) -> bool:
    """Whether an axis has taps to transform; what lies outside does not matter for that."""
    axis = incidence.geometry.axes[at]
    read = adjoint_axis if transposed else forward_axis
    gather: AxisGather = read(axis, np.arange(len(incidence.positions[at])))
    return has_runs(with_neighbours(gather))
