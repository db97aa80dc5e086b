"""The matrix-free plan: one channel product per tap over shifted views of the padded input.

``y = Σ_k W_k · x[shifted by tap k]`` — the rows of the explicit matrix, summed in place. Works
in any number type (BLAS for floats, Python objects for the exact ones) and needs memory for the
padded input and the output only. Arrays here are (batch, channels, *size), one batch axis.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from symconv.boundary import OUTSIDE
from symconv.execute.plan import Array, Plan
from symconv.execute.speeds import BLAS, CACHED, CALL, COPY
from symconv.geometry import Geometry
from symconv.incidence import Incidence

__all__ = ["Taps", "adjoint", "forward", "gather", "scatter"]


def extend(incidence: Incidence, x: Array, fill: Any = 0) -> Array:
    """`x` with its spatial axes padded as the windows see them; `fill` where nothing is stored."""
    first = x.ndim - len(incidence.positions)
    for number, stored in enumerate(incidence.positions):
        at = first + number
        if np.array_equal(stored, np.arange(x.shape[at])):
            continue
        outside = stored == OUTSIDE
        if outside.all():
            shape = (*x.shape[:at], len(stored), *x.shape[at + 1 :])
            x = np.full(shape, fill, dtype=x.dtype)
            continue
        x = np.take(x, np.where(outside, 0, stored), axis=at)
        if outside.any():
            np.moveaxis(x, at, 0)[outside] = fill
    return x


def fold_back(incidence: Incidence, extended: Array) -> Array:
    """The adjoint of `extend` (fill 0): each padded position added to the sample it reads."""
    first = extended.ndim - len(incidence.positions)
    for number, (stored, axis) in enumerate(
        zip(incidence.positions, incidence.geometry.axes, strict=True)
    ):
        at = first + number
        if np.array_equal(stored, np.arange(axis.n_in)):
            continue
        source = np.moveaxis(extended, at, 0)
        target = np.zeros((axis.n_in, *source.shape[1:]), dtype=source.dtype)
        inside = np.flatnonzero(stored != OUTSIDE)
        if len(np.unique(stored[inside])) == len(inside):
            target[stored[inside]] = source[inside]
        else:
            # Sums that overflow are infinite, as in every plan, and no cause to warn.
            with np.errstate(over="ignore", invalid="ignore"):
                np.add.at(target, stored[inside], source[inside])
        extended = np.moveaxis(target, 0, at)
    return extended


def tap_views(geometry: Geometry, leading: int) -> Iterator[tuple[Any, Any]]:
    """Index of each tap in the last axes, and of what it reads after `leading` axes kept whole."""
    whole = (slice(None),) * leading
    for tap in np.ndindex(*geometry.kernel_size):
        read = (
            axis.relation.tap_slice(k, axis.n_out)
            for k, axis in zip(tap, geometry.axes, strict=True)
        )
        yield tap, (*whole, *read)


def _output_groups(geometry: Geometry) -> tuple[int, int, int]:
    """(groups, output channels per group, outputs): said in full, as -1 fails on empty batches."""
    per_group = geometry.out_channels // geometry.groups
    return geometry.groups, per_group, math.prod(geometry.output_size)


def _grouped_weight(geometry: Geometry, weight: Array) -> Array:
    return weight.reshape(geometry.groups, -1, *weight.shape[1:])


def _is_depthwise(geometry: Geometry) -> bool:
    return geometry.groups == geometry.in_channels == geometry.out_channels


def _padded_groups(incidence: Incidence, x: Array, fill: Any) -> Array:
    """(batch, groups, channels per group, *padded size)."""
    extended = extend(incidence, x, fill)
    groups = incidence.geometry.groups
    return extended.reshape(x.shape[0], groups, x.shape[1] // groups, *extended.shape[2:])


def forward(incidence: Incidence, x: Array, weight: Array, fill: Any = 0) -> Array:
    """The outputs, of shape (batch, out_channels, *output_size)."""
    geometry = incidence.geometry
    dtype = np.result_type(x, weight)
    grouped = _grouped_weight(geometry, weight.astype(dtype, copy=False))
    padded = _padded_groups(incidence, x.astype(dtype, copy=False), fill)
    batch, n_out = x.shape[0], math.prod(geometry.output_size)
    y = np.zeros((batch, *grouped.shape[:2], n_out), dtype=dtype)
    for tap, view in tap_views(geometry, 3):
        seen = padded[view].reshape(*padded.shape[:3], n_out)
        factor = grouped[..., *tap]
        y += factor * seen if _is_depthwise(geometry) else np.matmul(factor, seen)
    return y.reshape(batch, *geometry.output_shape)


def adjoint(incidence: Incidence, y: Array, weight: Array) -> Array:
    """Aᵀy of shape (batch, in_channels, *input_size)."""
    geometry = incidence.geometry
    dtype = np.result_type(y, weight)
    grouped = np.swapaxes(_grouped_weight(geometry, weight.astype(dtype, copy=False)), 1, 2)
    batch = y.shape[0]
    flat = y.astype(dtype, copy=False).reshape(batch, *_output_groups(geometry))
    reach = tuple(axis.n_reach for axis in geometry.axes)
    padded = np.zeros((batch, *grouped.shape[:2], *reach), dtype=dtype)
    for tap, view in tap_views(geometry, 3):
        factor = grouped[..., *tap]
        sent = factor * flat if _is_depthwise(geometry) else np.matmul(factor, flat)
        padded[view] += sent.reshape(*sent.shape[:3], *geometry.output_size)
    return fold_back(incidence, padded.reshape(batch, geometry.in_channels, *reach))


def gather(incidence: Incidence, x: Array, fill: Any = 0) -> Array:
    """im2patch: what each tap of each output reads, (batch, *kernel_size, *output_size)."""
    geometry = incidence.geometry
    extended = extend(incidence, x, fill)
    patches = np.empty((len(x), *geometry.kernel_size, *geometry.output_size), dtype=extended.dtype)
    for tap, view in tap_views(geometry, 1):
        patches[:, *tap] = extended[view]
    return patches


def scatter(incidence: Incidence, patches: Array) -> Array:
    """The adjoint of `gather`: every patch entry added back to the sample it was read from."""
    geometry = incidence.geometry
    reach = tuple(axis.n_reach for axis in geometry.axes)
    extended = np.zeros((len(patches), *reach), dtype=patches.dtype)
    for tap, view in tap_views(geometry, 1):
        extended[view] += patches[:, *tap]
    return fold_back(incidence, extended)


class Taps(Plan):
    """One product of the channels per tap, in every type of numbers."""

    name = "taps"
    theorem = "layouts.sum-over-taps"

    def run(self, x: Array, packed: Array, out: Array | None = None) -> Array:
        """See `Plan.run`."""
        run = adjoint if self.transposed else forward
        y = run(self.incidence, x, packed)
        if out is None:
            return y
        out[...] = y
        return out

    def seconds(self, batch: int, threads: int) -> float:
        """See `Plan.seconds`."""
        geometry = self.incidence.geometry
        kernel, places = math.prod(geometry.kernel_size), math.prod(geometry.output_size)
        read, written = geometry.in_channels, geometry.out_channels
        products = batch * kernel * places * read * written // geometry.groups
        apart = 3 if geometry.axes[-1].relation.stride > 1 else 1
        passes = 4 if self.transposed else 3
        moved = batch * kernel * places * (2 * apart * read + passes * written)
        reach = math.prod(axis.n_reach for axis in geometry.axes)
        moved += 4 * batch * read * reach
        # One tap's weights lie apart.
        moved += 8 * math.prod(geometry.weight_shape)
        calls = kernel * (2 + batch * geometry.groups / 16) + 8
        size = self.dtype.itemsize
        # What stays in the second cache is copied faster.
        held = size * batch * (read * reach + written * places)
        copy = COPY / 2 if held < CACHED else COPY
        return size * (products * BLAS / threads + moved * copy) + calls * CALL

    def working_bytes(self, batch: int, threads: int) -> int:
        """See `Plan.working_bytes`."""
        geometry = self.incidence.geometry
        reach = math.prod(axis.n_reach for axis in geometry.axes)
        places = math.prod(geometry.output_size)
        held = geometry.in_channels * (reach + places) + geometry.out_channels * places
        return batch * held * self.dtype.itemsize
