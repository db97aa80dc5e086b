"""The plan "pointwise": windows of one tap that read every sample are one matrix product.

With one tap, no padding and stride 1 the pattern is the identity: A = W ⊗ I, a block for each
group (theorem ``layouts.sum-over-taps`` with a single tap).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from symconv.execute.plan import Array, Plan
from symconv.execute.speeds import BLAS, CALL, COPY
from symconv.incidence import Incidence

__all__ = ["Pointwise"]


class Pointwise(Plan):
    """One product of the weights with all positions, per group and image."""

    name = "pointwise"
    theorem = "layouts.sum-over-taps"
    kinds = "fc"

    @classmethod
    def refusal(cls, incidence: Incidence, transposed: bool, dtype: np.dtype[Any]) -> str:
        """See `Plan.refusal`."""
        identity = all(
            len(places) == n and np.array_equal(places, np.arange(n))
            for places, n in zip(incidence.positions, incidence.geometry.input_size, strict=True)
        )
        if not identity or math.prod(incidence.geometry.kernel_size) != 1:
            return "it wants windows of one tap that read every sample"
        if incidence.geometry.input_size != incidence.geometry.output_size:
            return "it wants stride 1"
        return super().refusal(incidence, transposed, dtype)

    def run(self, x: Array, packed: Array, out: Array | None = None) -> Array:
        """See `Plan.run`."""
        geometry = self.incidence.geometry
        groups, places = geometry.groups, math.prod(geometry.input_size)
        read, written = self.channels
        weight = packed.reshape(groups, -1, packed.shape[1]).astype(self.dtype, copy=False)
        if self.transposed:
            weight = np.swapaxes(weight, 1, 2)
        y = self.result(len(x), out)
        np.matmul(
            weight,
            x.reshape(len(x), groups, read, places),
            out=y.reshape(len(x), groups, written, places),
        )
        return y

    def seconds(self, batch: int, threads: int) -> float:
        """See `Plan.seconds`."""
        read, written = self.channels
        geometry = self.incidence.geometry
        planes = batch * geometry.groups * math.prod(geometry.input_size)
        size = self.dtype.itemsize
        moved = (read + written) * COPY / threads
        return size * planes * (read * written * BLAS / threads + moved) + 2 * CALL

    def working_bytes(self, batch: int, threads: int) -> int:
        """See `Plan.working_bytes`."""
        return 0
