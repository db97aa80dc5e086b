"""Mistakes of poolings: divisors, and what padding is worth to a maximum."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from symconv.errors import SymconvError
from symconv.layers import AvgPool, MaxPool
from symconv.verifying.mistakes.base import Array, Case, Predictor, Variants, mistake, present
from symconv.verifying.problems import forward


def _average(case: Case) -> Any:
    return case.layer if isinstance(case.layer, AvgPool) else None


@mistake("padding counted in the divisor the other way")
def counted_other_way(case: Case) -> Variants:
    """count_include_pad taken for its opposite."""
    layer = _average(case)
    if layer is not None:
        for name, counted in (
            ("opposite", not layer.count_include_pad),
            ("always", True),
            ("never", False),
        ):
            yield from present(iter([(name, case.like(count_include_pad=counted))]))


@mistake("divisor is the whole kernel in every window")
def whole_kernel(case: Case) -> Variants:
    """The overhang of ceil mode, and padding that is not to count, are counted."""
    layer = _average(case)
    if layer is not None:
        run = case.like(divisor_override=math.prod(layer.kernel_size))
        yield from present(iter([("every window", run)]))


@mistake("not divided")
def not_divided(case: Case) -> Variants:
    """The sum instead of the mean."""
    if _average(case) is not None:
        yield from present(iter([("every window", case.like(divisor_override=1))]))


@mistake("divisor_override ignored")
def override_ignored(case: Case) -> Variants:
    """Divided by the cells that count."""
    if _average(case) is not None:
        yield from present(iter([("every window", case.like(divisor_override=None))]))


@mistake("padding counts as 0 in the maximum")
def zero_in_maximum(case: Case) -> Variants:
    """Padding must be −∞: over negative values a 0 wins."""
    layer = case.layer
    if not isinstance(layer, MaxPool):
        return
    pads = [(max(lo, 0), max(hi, 0)) for lo, hi in case.pads]
    crops = tuple((min(lo, 0), min(hi, 0)) for lo, hi in case.pads)
    size = tuple(n + lo + hi for n, (lo, hi) in zip(case.size, pads, strict=True))
    try:
        problem = forward(replace(layer, padding=crops), size, case.channels)
    except SymconvError:
        return

    def predict(x: Array) -> Array:
        y = problem.run(np.pad(x, [(0, 0), (0, 0), *pads]))
        kept = tuple(slice(0, n) for n in (len(y), *case.problem.output_shape))
        return np.asarray(y[kept])

    yield "every window", predict


@mistake("minimum instead of maximum")
def minimum(case: Case) -> Variants:
    """The order turned round."""
    if isinstance(case.layer, MaxPool):
        yield "every window", lambda x: -case.problem.run(-np.asarray(x))


def _as_other(case: Case, kind: Any) -> Predictor | None:
    layer: Any = case.layer
    try:
        other = kind(
            layer.kernel_size,
            stride=layer.stride,
            padding=layer.padding,
            dilation=layer.dilation,
            ceil_mode=layer.ceil_mode,
        )
    except SymconvError:
        return None
    return case.as_layer(other)


@mistake("mean instead of maximum")
def mean(case: Case) -> Variants:
    """The other pooling."""
    if isinstance(case.layer, MaxPool):
        yield from present(iter([("every window", _as_other(case, AvgPool))]))


@mistake("maximum instead of mean")
def maximum(case: Case) -> Variants:
    """The other pooling."""
    if _average(case) is not None:
        yield from present(iter([("every window", _as_other(case, MaxPool))]))
