"""Convolutions and poolings as integer loops over their definition: a second opinion.

What a sweep finds is computed again here before it is reported. This file imports nothing of
symconv and nothing outside the standard library, so that what symconv has wrong is not confirmed
by itself: sizes are counted window by window, borders are walked sample by sample, a transposed
convolution scatters. Tensors are nested lists of integers or fractions, (batch, channels, *size).

Parameters are a mapping with the names of ``tests/vectors/README.md``, one integer per axis and
``padding`` as (lo, hi) pairs: ``type`` is "conv", "conv_transpose", "avg_pool" or "max_pool".

References
----------
V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
arXiv:1603.07285; PyTorch, documentation of ``torch.nn.AvgPool2d`` (the rule of ceil mode).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

__all__ = ["applied", "output_size"]

Parameters = Mapping[str, Any]
Position = tuple[int, ...]


def output_size(parameters: Parameters, size: Sequence[int]) -> tuple[int, ...]:
    """Spatial output size; below 1 where there is no output.

    Examples
    --------
    >>> pool = {"type": "max_pool", "kernel_size": [2], "stride": [2], "dilation": [1],
    ...         "padding": [(1, 1)], "ceil_mode": True}
    >>> output_size(pool, [5])
    (3,)
    """
    return tuple(_size(parameters, axis, n) for axis, n in enumerate(size))


def _size(parameters: Parameters, axis: int, n: int) -> int:
    reach = parameters["dilation"][axis] * (parameters["kernel_size"][axis] - 1)
    stride = parameters["stride"][axis]
    lo, hi = parameters["padding"][axis]
    if parameters["type"] == "conv_transpose":
        # The last input writes furthest.
        return int(stride * (n - 1) + reach + 1 + parameters["output_padding"][axis] - lo - hi)
    spread = parameters.get("input_dilation", [1] * (axis + 1))[axis]
    last = (n - 1) * spread + hi
    ceil_mode = parameters.get("ceil_mode", False)
    count, start = 0, -lo
    while start + reach <= last + (stride - 1 if ceil_mode else 0):
        count, start = count + 1, start + stride
    if ceil_mode and count and start - stride >= n:
        # The last window would read nothing but high padding and what is past it.
        count -= 1
    return count


def _places(size: Sequence[int]) -> Iterator[Position]:
    return product(*(range(n) for n in size))


def _entry(nested: Any, *indices: int) -> Any:
    for index in indices:
        nested = nested[index]
    return nested


def _shape(nested: Any, axes: int) -> list[int]:
    sizes = []
    for _ in range(axes):
        sizes.append(len(nested))
        nested = nested[0]
    return sizes


def _nested(entries: Mapping[Position, Any], shape: Sequence[int], start: Position = ()) -> Any:
    if len(start) == len(shape):
        return entries[start]
    return [_nested(entries, shape, (*start, n)) for n in range(shape[len(start)])]


def _stored(j: int, n: int, mode: str) -> int | None:
    """The sample that position j of an axis of n samples reads, None for what is outside."""
    if mode in ("zeros", "constant"):
        return j if 0 <= j < n else None
    while not 0 <= j < n:
        if mode == "circular":
            j += n if j < 0 else -n
        elif mode == "replicate":
            j += 1 if j < 0 else -1
        elif n == 1 or mode == "symmetric":
            # Mirrored between two samples, at −1/2 and n − 1/2; one sample mirrors itself.
            j = -1 - j if j < 0 else 2 * n - 1 - j
        else:
            j = -j if j < 0 else 2 * (n - 1) - j
    return j


def applied(parameters: Parameters, x: Any, w: Any = None, b: Any = None) -> Any:
    """The output for one batch, as nested lists.

    Parameters
    ----------
    parameters : mapping
        See the module.
    x, w, b : nested lists
        Input, weights and bias, the last two where there are any. Weights are
        (out, in/groups, *kernel), transposed (in, out/groups, *kernel).

    Returns
    -------
    nested lists of int, of Fraction for averages; None where a maximum has no candidate

    Examples
    --------
    >>> conv = {"type": "conv", "kernel_size": [2], "stride": [1], "dilation": [1],
    ...         "padding": [(1, 0)], "groups": 1}
    >>> applied(conv, [[[1, 2, 3]]], [[[10, 1]]])
    [[[1, 12, 23]]]
    """
    axes = len(parameters["kernel_size"])
    shape = _shape(x, axes + 2)
    outs = output_size(parameters, shape[2:])
    run = {
        "conv": _convolved,
        "conv_transpose": _scattered,
        "avg_pool": _averaged,
        "max_pool": _maximal,
    }[parameters["type"]]
    entries, channels = run(parameters, x, shape, outs, w)
    if b is not None:
        for place in entries:
            entries[place] += b[place[1]]
    return _nested(entries, (shape[0], channels, *outs))


def _read(parameters: Parameters, size: Sequence[int], o: Position, k: Position) -> list[int]:
    """The position that output o reads through tap k, before the border is looked at."""
    return [
        parameters["stride"][axis] * o[axis]
        + parameters["dilation"][axis] * k[axis]
        - parameters["padding"][axis][0]
        for axis in range(len(size))
    ]


def _convolved(
    parameters: Parameters, x: Any, shape: list[int], outs: Position, w: Any
) -> tuple[dict[Position, Any], int]:
    axes = len(outs)
    channels, per_group, *kernel = _shape(w, axes + 2)
    groups = parameters["groups"]
    mode = parameters.get("padding_mode", "zeros")
    spread = parameters.get("input_dilation", [1] * axes)
    entries = {}
    for n, c, o in product(range(shape[0]), range(channels), _places(outs)):
        first = c // (channels // groups) * per_group
        total = 0
        for i, k in product(range(per_group), _places(kernel)):
            place = _read(parameters, shape[2:], o, k)
            if any(j % step for j, step in zip(place, spread, strict=True)):
                continue
            stored = [
                _stored(j // step, size, mode)
                for j, step, size in zip(place, spread, shape[2:], strict=True)
            ]
            at = [j for j in stored if j is not None]
            if len(at) == axes:
                value = _entry(x, n, first + i, *at)
            else:
                value = parameters.get("padding_value", 0) if mode == "constant" else 0
            total += _entry(w, c, i, *k) * value
        entries[(n, c, *o)] = total
    return entries, channels


def _scattered(
    parameters: Parameters, x: Any, shape: list[int], outs: Position, w: Any
) -> tuple[dict[Position, Any], int]:
    axes = len(outs)
    _, per_group, *kernel = _shape(w, axes + 2)
    groups = parameters["groups"]
    channels = per_group * groups
    entries = dict.fromkeys(product(range(shape[0]), range(channels), *map(range, outs)), 0)
    for n, i, at in product(range(shape[0]), range(shape[1]), _places(shape[2:])):
        first = i // (shape[1] // groups) * per_group
        for c, k in product(range(per_group), _places(kernel)):
            # Written from `at` through k: where an output of the convolution would read it.
            o = tuple(_read(parameters, shape[2:], at, k))
            if all(0 <= place < size for place, size in zip(o, outs, strict=True)):
                entries[(n, first + c, *o)] += _entry(w, i, c, *k) * _entry(x, n, i, *at)
    return entries, channels


def _window(parameters: Parameters, size: Sequence[int], o: Position) -> tuple[list[Position], int]:
    """The samples that a window reads, and how many of its cells are in the padded input."""
    inside, counted = [], 0
    for k in _places(parameters["kernel_size"]):
        place = _read(parameters, size, o, k)
        pads = parameters["padding"]
        # Negative padding crops: what is cut off is not read and does not count.
        low = [-lo for lo, _ in pads]
        high = [n + hi for n, (_, hi) in zip(size, pads, strict=True)]
        if not all(a <= j < z for a, j, z in zip(low, place, high, strict=True)):
            continue
        counted += 1
        if all(0 <= j < n for j, n in zip(place, size, strict=True)):
            inside.append(tuple(place))
    return inside, counted


def _averaged(
    parameters: Parameters, x: Any, shape: list[int], outs: Position, _: Any
) -> tuple[dict[Position, Any], int]:
    entries = {}
    for o in _places(outs):
        inside, counted = _window(parameters, shape[2:], o)
        divisor = counted if parameters["count_include_pad"] else len(inside)
        if parameters.get("divisor_override") is not None:
            divisor = parameters["divisor_override"]
        for n, c in product(range(shape[0]), range(shape[1])):
            total = sum(_entry(x, n, c, *at) for at in inside)
            entries[(n, c, *o)] = Fraction(total, divisor) if divisor else Fraction(0)
    return entries, shape[1]


def _maximal(
    parameters: Parameters, x: Any, shape: list[int], outs: Position, _: Any
) -> tuple[dict[Position, Any], int]:
    entries = {}
    for o in _places(outs):
        inside, _counted = _window(parameters, shape[2:], o)
        for n, c in product(range(shape[0]), range(shape[1])):
            entries[(n, c, *o)] = max((_entry(x, n, c, *at) for at in inside), default=None)
    return entries, shape[1]
