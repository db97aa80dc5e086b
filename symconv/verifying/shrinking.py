"""From a failing geometry to the smallest one that fails in the same way.

Greedy: every move makes the geometry strictly smaller and is kept if it still fails; axes and
channels first, then each parameter of each axis, its smallest values first. Where an axis is stuck
above three taps or four inputs, small axes are tried whole, since parameters can hold each other
up. Deterministic, and bounded in tries and time.

References
----------
A. Zeller, R. Hildebrandt, *Simplifying and isolating failure-inducing input*, IEEE TSE 28 (2002).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from symconv.errors import SymconvError
from symconv.layers import Layer

__all__ = ["measure", "shrunk"]

Place = tuple[Layer, tuple[int, ...]]

#: Parameters with one entry per axis, and their smallest values.
LEAST = {"kernel_size": 1, "stride": 1, "dilation": 1, "input_dilation": 1, "output_padding": 0}

#: The goal: so many taps and inputs on each axis.
FEW_TAPS, FEW_INPUTS = 3, 4

#: Padding of the small axes that are tried whole, besides the axis's own.
SMALL_PADS = ((0, 0), (1, 0), (0, 1), (1, 1))

#: Geometries tried at most.
MAX_TRIES = 3000


def measure(layer: Layer, size: tuple[int, ...]) -> tuple[int, ...]:
    """How large a geometry is: what shrinking makes smaller, the first entry first.

    Examples
    --------
    >>> import symconv as sc
    >>> measure(sc.Conv1d(1, 1, 2), (3,)) < measure(sc.Conv1d(1, 1, 2, padding=1), (3,))
    True
    """
    given: Any = layer
    channels = [getattr(given, name, 1) for name in ("in_channels", "out_channels", "groups")]
    axes = sum(sum(getattr(given, name, ())) for name in LEAST) + sum(size)
    padding = getattr(given, "padding", ())
    border = 100 if isinstance(padding, str) else 2 * sum(abs(n) for pad in padding for n in pad)
    flags = (
        getattr(given, "bias", False),
        getattr(given, "padding_mode", "zeros") != "zeros",
        getattr(given, "ceil_mode", False),
        not getattr(given, "count_include_pad", True),
        getattr(given, "divisor_override", None) is not None,
    )
    return layer.rank, sum(channels), axes + border + sum(map(int, flags))


def shrunk(
    fails: Callable[[Layer, tuple[int, ...]], bool],
    layer: Layer,
    size: tuple[int, ...],
    time_limit: float,
) -> Place:
    """The smallest geometry found for which `fails` still holds.

    Parameters
    ----------
    fails : callable
        Whether the implementation fails at a layer and size, in the way that is shrunk.
    layer, size
        Where it fails.
    time_limit : float
        Seconds after which the smallest found so far is returned.

    Examples
    --------
    >>> import symconv as sc
    >>> fails = lambda layer, n: layer.dilation[0] > 1
    >>> place = shrunk(fails, sc.Conv1d(2, 4, 3, dilation=3), (9,), 9)
    >>> place
    (Conv(1, 1, (1,), dilation=(2,), bias=False), (1,))
    """
    deadline = time.monotonic() + time_limit
    tried: set[tuple[str, tuple[int, ...]]] = set()
    place = layer, size

    def improved(moves: Iterator[Place]) -> Place | None:
        for other in moves:
            key = repr(other[0]), other[1]
            if key in tried or measure(*other) >= measure(*place):
                continue
            if len(tried) >= MAX_TRIES or time.monotonic() > deadline:
                return None
            tried.add(key)
            if fails(*other):
                return other
        return None

    while (smaller := improved(_moves(*place)) or improved(_whole_axes(*place))) is not None:
        place = smaller
    return place


def _changed(layer: Layer, size: tuple[int, ...], **changes: Any) -> Iterator[Place]:
    """The changed geometry, where it is one."""
    try:
        other = replace(layer, **changes)  # type: ignore[type-var]
        other.output_size(size)
        other.operator(size)
    except (SymconvError, TypeError, ValueError, IndexError):
        return
    yield other, size


def _moves(layer: Layer, size: tuple[int, ...]) -> Iterator[Place]:
    yield from _fewer_axes(layer, size)
    yield from _fewer_channels(layer, size)
    yield from _plainer(layer, size)
    for axis in range(len(size)):
        yield from _smaller_axis(layer, size, axis)


def _fewer_axes(layer: Layer, size: tuple[int, ...]) -> Iterator[Place]:
    if len(size) == 1:
        return
    for axis in range(len(size)):
        changes = {}
        for name in (*LEAST, "padding"):
            value = getattr(layer, name, None)
            if isinstance(value, tuple):
                changes[name] = value[:axis] + value[axis + 1 :]
        yield from _changed(layer, size[:axis] + size[axis + 1 :], **changes)


def _fewer_channels(layer: Layer, size: tuple[int, ...]) -> Iterator[Place]:
    given: Any = layer
    if not hasattr(layer, "groups"):
        return
    groups = given.groups
    inputs, outputs = given.in_channels // groups, given.out_channels // groups
    options = {1, 2, 3}
    smaller = sorted(
        (g * (i + o), g, i, o)
        for g in options | {groups}
        for i in options | {inputs, inputs // 2, inputs - 1}
        for o in options | {outputs, outputs // 2, outputs - 1}
        if 1 <= g <= groups and 1 <= i <= inputs and 1 <= o <= outputs
    )
    for _, g, i, o in smaller:
        yield from _changed(layer, size, groups=g, in_channels=g * i, out_channels=g * o)


#: Parameters with their plain values.
PLAIN = {
    "bias": False,
    "ceil_mode": False,
    "count_include_pad": True,
    "divisor_override": None,
}


def _plainer(layer: Layer, size: tuple[int, ...]) -> Iterator[Place]:
    for name, plain in PLAIN.items():
        if getattr(layer, name, plain) != plain:
            yield from _changed(layer, size, **{name: plain})
    if getattr(layer, "padding_mode", "zeros") != "zeros":
        yield from _changed(layer, size, padding_mode="zeros", padding_value=0)
    if isinstance(getattr(layer, "padding", None), str):
        relations = [layer.relation(axis, n) for axis, n in enumerate(size)]
        yield from _changed(layer, size, padding=tuple((r.pad_lo, r.pad_hi) for r in relations))


def _below(value: int, least: int) -> list[int]:
    """Smaller values: the smallest few first, then the half and the next one."""
    few = range(least, min(value, least + 4))
    return [*few, *(n for n in (value // 2, value - 1) if least + 4 <= n < value)]


def _at(value: tuple[Any, ...], axis: int, entry: Any) -> tuple[Any, ...]:
    return (*value[:axis], entry, *value[axis + 1 :])


def _smaller_axis(layer: Layer, size: tuple[int, ...], axis: int) -> Iterator[Place]:
    padding = getattr(layer, "padding", None)
    if isinstance(padding, tuple) and isinstance(padding[axis], tuple):
        lo, hi = padding[axis]
        for pad in ((0, 0), (0, hi), (lo, 0), (_nearer(lo), hi), (lo, _nearer(hi))):
            yield from _changed(layer, size, padding=_at(padding, axis, pad))
        yield from _changed(layer, size, padding=_at(padding, axis, (_nearer(lo), _nearer(hi))))
    for n in _below(size[axis], 1):
        yield from _changed(layer, _at(size, axis, n))
    for name, least in LEAST.items():
        value = getattr(layer, name, None)
        if value is not None:
            for n in _below(value[axis], least):
                yield from _changed(layer, size, **{name: _at(value, axis, n)})


def _nearer(n: int) -> int:
    """One step towards 0."""
    return n - (n > 0) + (n < 0)


def _whole_axes(layer: Layer, size: tuple[int, ...]) -> Iterator[Place]:
    """Small axes in place of one that is stuck above the goal."""
    given: Any = layer
    kernels = getattr(given, "kernel_size", None)
    if kernels is None or isinstance(given.padding, str):
        return
    for axis in range(len(size)):
        if kernels[axis] <= FEW_TAPS and size[axis] <= FEW_INPUTS:
            continue
        names = [name for name in LEAST if hasattr(layer, name)]
        options = [
            sorted({n for n in (least, least + 1, least + 2) if n <= getattr(given, name)[axis]})
            for name, least in ((name, LEAST[name]) for name in names)
        ]
        pads = sorted(
            {(0, 0), (1, 0), (0, 1), (1, 1), given.padding[axis]}, key=lambda p: sum(map(abs, p))
        )
        settings = itertools.product(range(1, FEW_INPUTS + 1), pads, *options)
        for n, pad, *values in settings:
            changes = {
                name: _at(getattr(given, name), axis, value)
                for name, value in zip(names, values, strict=True)
            }
            padding = _at(given.padding, axis, pad)
            yield from _changed(layer, _at(size, axis, n), padding=padding, **changes)
