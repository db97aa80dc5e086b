"""Error bounds of the plans that transform: uniform over a plane, from sizes of weights and input.

References
----------
N. J. Higham, *Accuracy and Stability of Numerical Algorithms* (2002), sections 3.1 and 24.1.
B. Barabasz, A. Anderson, K. M. Soodhalter, D. Gregg, *Error analysis and improving the accuracy
of Winograd convolution for deep neural networks* (2020), arXiv:1803.10986.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import ParameterError
from symconv.execute.bounds import (
    MARGIN,
    fourier_bound,
    gamma,
    smallest,
    sum_bound,
    transform_depth,
)
from symconv.execute.fourier import Fourier
from symconv.execute.phases import AXES
from symconv.execute.plan import Plan
from symconv.execute.runs import TAPS
from symconv.execute.winograd import Winograd
from symconv.toomcook import Transforms, winograd_transforms

__all__ = ["plane_bound"]

Array = npt.NDArray[Any]


def plane_bound(plan: Plan, x: Array, weight: Array) -> Array:
    """|ŷ − y| for what a plan gives: shape (batch, channels written, 1, …), to broadcast.

    Parameters
    ----------
    plan : Winograd or Fourier
    x : array, shape (batch, channels read, *size)
    weight : array, of the geometry's weight shape

    Raises
    ------
    ParameterError
        If no bound is known for the plan.
    """
    if isinstance(plan, Winograd):
        bound = _winograd(plan, x, weight)
    elif isinstance(plan, Fourier):
        bound = _fourier(plan, x, weight)
    else:
        raise ParameterError(f"plan {plan.name!r} has no error bound; use another plan")
    copies = _copies(plan)
    sizes = _sizes(plan, x, weight)
    if isinstance(plan, Winograd) or _may_overflow(plan, x, weight):
        # Where sums overflow on the way, such a plan lets a plain one run.
        terms = plan.channels[0] * weight[0, 0].size * copies
        bound = np.maximum(bound, sum_bound(sizes, terms, plan.dtype))
    if plan.transposed and copies > 1:
        # Padded places that share a sample are added up: their values and their errors.
        added = copies * (sizes + bound) * MARGIN
        bound = copies * bound * MARGIN + sum_bound(added, copies, plan.dtype)
    return np.asarray(bound.reshape(*bound.shape[:1], -1, *(1,) * (x.ndim - 2)))


def _by_pair(plan: Plan, weight: Array) -> Array:
    """Weights as (groups, written, read, taps) in the plan's direction."""
    grouped = weight.reshape(plan.incidence.geometry.groups, -1, weight.shape[1], weight[0, 0].size)
    return np.swapaxes(grouped, 1, 2) if plan.transposed else grouped


def _by_channel(plan: Plan, x: Array) -> Array:
    """Inputs as (batch, groups, 1, read, places), as float64 magnitudes."""
    groups = plan.incidence.geometry.groups
    places = math.prod(x.shape[2:])
    return np.abs(x).astype(np.float64).reshape(len(x), groups, 1, x.shape[1] // groups, places)


def _sums(plan: Plan, weight: Array) -> Array:
    """Σ|w| per pair of channels, not below: (groups, written, read)."""
    pairs = np.abs(_by_pair(plan, weight)).sum(axis=-1, dtype=np.float64)
    return np.asarray(pairs * (1 + gamma(weight[0, 0].size + 8)))


def _sizes(plan: Plan, x: Array, weight: Array) -> Array:
    """Not below Σ|w|·|x|: (batch, groups, written)."""
    largest = _by_channel(plan, x).max(axis=-1, initial=0)
    total = (_sums(plan, weight) * largest).sum(axis=-1)
    return np.asarray(total * (1 + gamma(largest.shape[-1] + 8)))


def _may_overflow(plan: Fourier, x: Array, weight: Array) -> bool:
    """Whether something between the transforms may; an empty array has nothing that does."""
    parts = np.abs(x).max(initial=0), np.abs(weight).max(initial=0)
    largest_x, largest_w = (max(float(part), 1.0) for part in parts)
    places = math.prod(plan.block) * plan.channels[0] * len(plan.gather.phases)
    # As logarithms, for the product itself overflows.
    digits = math.log2(largest_x) + math.log2(largest_w) + 2 * math.log2(places) + 8
    return not digits < float(np.finfo(plan.dtype).maxexp)


def _copies(plan: Plan) -> int:
    """How many padded places read one sample at most."""
    return math.prod(
        int(np.bincount(stored[stored >= 0], minlength=1).max(initial=1))
        for stored in plan.incidence.positions
    )


def _winograd(plan: Winograd, x: Array, weight: Array) -> Array:
    """γ_k·a·Σ_c Σ|w_c|·max|x_c|, the absolute transforms no larger than a on any tap.

    |C|·[(|G|·|w|) ⊙ (|B|·|x|)] is at most Σ_k |w_k|·(|C|·diag(|B|·1)·|G|)_ok·max|x|.
    """
    outer, of_weight, of_input = (
        np.abs(np.array(rows, dtype=np.float64)) for rows in _matrices(plan.transforms)
    )
    amplified = float((outer * of_input.sum(axis=1) @ of_weight).max()) * MARGIN
    geometry, tile = plan.incidence.geometry, (*(1,) * AXES, *plan.tile)
    # Each run of taps has its products; a run has one tap at least, and three take one run.
    runs = [
        1 if outputs > 1 and axis.n_taps == TAPS and axis.relation.stride == 1 else axis.n_taps
        for axis, outputs in zip(geometry.axes, tile[-len(geometry.axes) :], strict=True)
    ]
    depth = sum(
        transform_depth(part)
        for outputs in plan.tile
        if outputs > 1
        for part in _matrices(winograd_transforms(outputs, TAPS))
    )
    # Three more for the product and for weights transformed in float64 and rounded then.
    roundings = depth + plan.channels[0] * math.prod(runs) + 3
    largest = _by_channel(plan, x).max(axis=-1, initial=0)
    lost = outer.sum(axis=1).max() * (1 + of_input.sum(axis=1).max() * largest.sum(axis=-1))
    lost *= smallest(plan.dtype) * 8 * math.prod(geometry.kernel_size) * roundings
    return np.asarray(
        sum_bound(amplified * _sizes(plan, x, weight), roundings, plan.dtype) + lost * MARGIN
    )


def _matrices(transforms: Transforms) -> tuple[Any, Any, Any]:
    return transforms.A_T, transforms.G, transforms.B_T


def _fourier(plan: Fourier, x: Array, weight: Array) -> Array:
    """`fourier_bound` of whole images, whose norms are not below those of their blocks."""
    pairs = np.abs(_by_pair(plan, weight)).astype(np.float64)
    taps = pairs.shape[-1]
    scale = pairs.max(axis=-1, initial=0)
    sums = _sums(plan, weight)
    # The norm is at most √(Σ|w|·max|w|), which no square overflows.
    norms = np.sqrt(sums) * np.sqrt(scale) * (1 + gamma(taps + 8))
    inputs = _by_channel(plan, x)
    top = inputs.max(axis=-1, initial=0)
    safe = np.where((top > 0) & np.isfinite(top), top, 1.0)
    squares = ((inputs / safe[..., None]) ** 2).sum(axis=-1)
    copies = 1 if plan.transposed else _copies(plan)
    norm = safe * np.sqrt(squares * copies) * (1 + gamma(inputs.shape[-1] + 8))
    terms = plan.channels[0] * len(plan.gather.phases)
    return fourier_bound(sums, norms, norm, plan.block, plan.dtype, terms)
