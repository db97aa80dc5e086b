"""The mathematics of convolution arithmetic, stated a second time in naive loops.

This module never imports symconv. It shares no formula with it: sizes are counted by sliding
windows, boundaries are walked step by step, a transposed convolution scatters. Everything is as
slow and as plain as it can be, so that a wrong relation in the package cannot agree with itself.

NumPy arrays are containers only. Entries may be any Python objects with ``+`` and ``*``: integers,
fractions, floats or symbols. Results are arrays of ``dtype=object``.

Conventions, for n spatial axes:

- tensors are ``(batch, channels, *size)``; a pooling input is ``(..., *size)``;
- convolution weights are ``(out, in / groups, *kernel)``;
- transposed convolution weights are ``(in, out / groups, *kernel)``;
- ``kernel``, ``stride``, ``dilation`` ... hold one integer per axis, ``padding`` one ``(lo, hi)``
  pair per axis, and negative padding crops;
- matrix rows and columns are ``(channel, *position)`` raveled in C order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np

Ints = Sequence[int]
Pairs = Sequence[tuple[int, int]]

MODES = ("zeros", "constant", "circular", "reflect", "symmetric", "replicate")


# One axis


def read(j: int, n: int, mode: str) -> int | None:
    """Return the stored index that virtual position j reads on an axis of n samples, or None."""
    if n == 0:
        return None
    if 0 <= j < n:
        return j
    if mode in ("zeros", "constant"):
        return None
    if mode == "circular":  # walk once around the circle at a time
        while j < 0:
            j += n
        while j >= n:
            j -= n
        return j
    if mode == "replicate":  # walk towards the axis until its end sample is met
        while j < 0:
            j += 1
        while j >= n:
            j -= 1
        return j
    if mode == "reflect":  # bounce off the end samples themselves: ... 2 1 [0 1 2 3] 2 1 0 1 ...
        if n == 1:
            return 0
        while not 0 <= j < n:
            j = -j if j < 0 else (n - 1) - (j - (n - 1))
        return j
    if mode == "symmetric":  # bounce off walls half a step outside: ... 1 0 [0 1 2] 2 1 0 0 1 ...
        while not 0 <= j < n:
            j = -j - 1 if j < 0 else (n - 1) - (j - n)
        return j
    raise ValueError(f"unknown mode {mode!r}")


def spread_size(n: int, input_dilation: int) -> int:
    """Return the length of n samples with input_dilation - 1 gaps between neighbours."""
    length = 0
    for i in range(n):
        length += 1 if i == 0 else input_dilation
    return length


def conv_size(
    n: int,
    kernel: int,
    stride: int,
    dilation: int,
    lo: int,
    hi: int,
    input_dilation: int = 1,
) -> int:
    """Count the windows that fit in the padded axis, one after the other; 0 when none fits."""
    assert kernel >= 1
    assert stride >= 1
    assert dilation >= 1
    assert input_dilation >= 1
    first = -lo  # the padded axis is first, first + 1, ..., last
    last = spread_size(n, input_dilation) + hi - 1
    count = 0
    start = first
    while start + dilation * (kernel - 1) <= last:
        count += 1
        start += stride
    return count


def conv_transpose_size(
    n: int, kernel: int, stride: int, dilation: int, lo: int, hi: int, output_padding: int = 0
) -> int:
    """Return how many outputs a transposed convolution has: all it can write, op more, cropped."""
    assert n >= 1
    furthest = 0
    for i in range(n):
        for k in range(kernel):
            furthest = max(furthest, stride * i + dilation * k)
    return max(0, furthest + 1 + output_padding - lo - hi)


def pool_size(
    n: int, kernel: int, stride: int, dilation: int, lo: int, hi: int, ceil_mode: bool
) -> int:
    """Count pooling windows by PyTorch's rule.

    Floor mode: the windows that fit. Ceil mode: a window may also hang over the high end of the
    padded axis by fewer than ``stride`` cells; then the last window is dropped (once) when it
    would start at or after ``n + lo``, that is, outside the input and its low padding.
    """
    if not ceil_mode:
        return conv_size(n, kernel, stride, dilation, lo, hi)
    padded = lo + n + hi
    count = 0
    start = 0  # counted from the first padded cell
    while start + dilation * (kernel - 1) + 1 - padded < stride:
        count += 1
        start += stride
    if count > 0 and (start - stride) >= n + lo:
        count -= 1
    return count


# Several axes


def _cells(x: Any) -> np.ndarray:
    """Return x as an object array whose entries are plain Python objects."""
    array = np.asarray(x, dtype=object)
    plain = np.empty(array.shape, dtype=object)
    for position in np.ndindex(array.shape):
        entry = array[position]
        plain[position] = entry.item() if isinstance(entry, np.generic) else entry
    return plain


def _zeros(shape: Ints) -> np.ndarray:
    return np.zeros(tuple(shape), dtype=object)


def _positions(size: Ints) -> Iterator[tuple[int, ...]]:
    return product(*(range(n) for n in size))


def _ravel(channel: int, position: Ints, size: Ints) -> int:
    """Return the row or column number of (channel, *position)."""
    index = channel
    for p, n in zip(position, size, strict=True):
        index = index * n + p
    return index


def _count(size: Ints) -> int:
    total = 1
    for n in size:
        total *= n
    return total


def out_size(
    size: Ints,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    input_dilation: Ints | None = None,
) -> tuple[int, ...]:
    """Return `conv_size` on every axis."""
    spread = input_dilation or [1] * len(size)
    return tuple(
        conv_size(n, k, s, d, lo, hi, b)
        for n, k, s, d, (lo, hi), b in zip(
            size, kernel, stride, dilation, padding, spread, strict=True
        )
    )


def transpose_out_size(
    size: Ints,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    output_padding: Ints | None = None,
) -> tuple[int, ...]:
    """Return `conv_transpose_size` on every axis."""
    extra = output_padding or [0] * len(size)
    return tuple(
        conv_transpose_size(n, k, s, d, lo, hi, op)
        for n, k, s, d, (lo, hi), op in zip(
            size, kernel, stride, dilation, padding, extra, strict=True
        )
    )


def pool_out_size(
    size: Ints, kernel: Ints, stride: Ints, dilation: Ints, padding: Pairs, ceil_mode: bool
) -> tuple[int, ...]:
    """Return `pool_size` on every axis."""
    return tuple(
        pool_size(n, k, s, d, lo, hi, ceil_mode)
        for n, k, s, d, (lo, hi) in zip(size, kernel, stride, dilation, padding, strict=True)
    )


NOTHING = "nothing"
OUTSIDE = "outside"


def source(
    o: Ints,
    k: Ints,
    size: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    mode: str,
    input_dilation: Ints | None = None,
) -> tuple[int, ...] | str:
    """Return the stored position that output o reads through tap k.

    On each axis the position on the spread axis is ``s*o + d*k - lo``; only its multiples of b
    carry a virtual input position j. If some axis carries none the answer is `NOTHING`; else, if
    j reads no stored sample on some axis, it is `OUTSIDE`: the constant under constant boundary.
    """
    spread = input_dilation or [1] * len(size)
    virtual = []
    for axis in range(len(size)):
        place = stride[axis] * o[axis] + dilation[axis] * k[axis] - padding[axis][0]
        if place % spread[axis] != 0:
            return NOTHING
        virtual.append(place // spread[axis])
    stored = []
    for j, n in zip(virtual, size, strict=True):
        i = read(j, n, mode)
        if i is None:
            return OUTSIDE
        stored.append(i)
    return tuple(stored)


# Convolution


def conv(
    x: Any,
    w: Any,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    groups: int = 1,
    mode: str = "zeros",
    value: Any = 0,
    input_dilation: Ints | None = None,
    bias: Sequence[Any] | None = None,
) -> np.ndarray:
    """Return the cross-correlation of x with w: y[o] is the sum over k of w[k] * x[s*o + d*k - lo].

    With input dilation b the sample x[j] stands at place b*j. Places that are no multiple of b
    read nothing, also outside and also under constant boundary; a virtual j outside the input
    reads what the boundary says.
    """
    x, w = _cells(x), _cells(w)
    batch, in_channels, *size = x.shape
    out_channels, per_group, *kernel = w.shape
    assert in_channels == per_group * groups
    assert out_channels % groups == 0
    outs = out_size(size, kernel, stride, dilation, padding, input_dilation)
    y = _zeros((batch, out_channels, *outs))
    for b in range(batch):
        for co in range(out_channels):
            group = co // (out_channels // groups)
            for o in _positions(outs):
                total: Any = 0
                for c in range(per_group):
                    for k in _positions(kernel):
                        at = source(o, k, size, stride, dilation, padding, mode, input_dilation)
                        if at == NOTHING:
                            continue
                        if at == OUTSIDE:
                            if mode == "constant":
                                total = total + w[(co, c, *k)] * value
                            continue
                        total = total + w[(co, c, *k)] * x[(b, group * per_group + c, *at)]
                y[(b, co, *o)] = total if bias is None else total + bias[co]
    return y


def conv_matrix(
    w: Any,
    size: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    groups: int = 1,
    mode: str = "zeros",
    input_dilation: Ints | None = None,
) -> np.ndarray:
    """Return the dense matrix of the linear part: (out, *outs) by (in, *size), weights added up."""
    w = _cells(w)
    out_channels, per_group, *kernel = w.shape
    in_channels = per_group * groups
    outs = out_size(size, kernel, stride, dilation, padding, input_dilation)
    matrix = _zeros((out_channels * _count(outs), in_channels * _count(size)))
    for co in range(out_channels):
        group = co // (out_channels // groups)
        for o in _positions(outs):
            for c in range(per_group):
                for k in _positions(kernel):
                    at = source(o, k, size, stride, dilation, padding, mode, input_dilation)
                    if isinstance(at, str):
                        continue
                    row = _ravel(co, o, outs)
                    column = _ravel(group * per_group + c, at, size)
                    matrix[row, column] = matrix[row, column] + w[(co, c, *k)]
    return matrix


def weight_gradient(
    x: Any,
    y: Any,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    groups: int = 1,
    mode: str = "zeros",
    value: Any = 0,
    input_dilation: Ints | None = None,
) -> np.ndarray:
    """Return d<conv(x, w), y>/dw: at (co, c, k), the sum of y[co, o] * (what o reads through k)."""
    x, y = _cells(x), _cells(y)
    batch, in_channels, *size = x.shape
    _, out_channels, *outs = y.shape
    assert tuple(outs) == out_size(size, kernel, stride, dilation, padding, input_dilation)
    per_group = in_channels // groups
    gradient = _zeros((out_channels, per_group, *kernel))
    for b in range(batch):
        for co in range(out_channels):
            group = co // (out_channels // groups)
            for o in _positions(outs):
                for c in range(per_group):
                    for k in _positions(kernel):
                        at = source(o, k, size, stride, dilation, padding, mode, input_dilation)
                        if at == NOTHING or (at == OUTSIDE and mode != "constant"):
                            continue
                        seen = value if at == OUTSIDE else x[(b, group * per_group + c, *at)]
                        slot = (co, c, *k)
                        gradient[slot] = gradient[slot] + y[(b, co, *o)] * seen
    return gradient


# Transposed convolution


def _targets(
    i: Ints, k: Ints, outs: Ints, stride: Ints, dilation: Ints, padding: Pairs
) -> tuple[int, ...] | None:
    """Return the output that input i writes through tap k, or None when it falls outside."""
    target = []
    for axis in range(len(outs)):
        o = stride[axis] * i[axis] + dilation[axis] * k[axis] - padding[axis][0]
        if o < 0 or o >= outs[axis]:
            return None
        target.append(o)
    return tuple(target)


def conv_transpose(
    x: Any,
    w: Any,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    output_padding: Ints | None = None,
    groups: int = 1,
    bias: Sequence[Any] | None = None,
) -> np.ndarray:
    """Scatter: every input adds w[k] * x[i] to the output s*i + d*k - lo, if there is one."""
    x, w = _cells(x), _cells(w)
    batch, in_channels, *size = x.shape
    _, per_group, *kernel = w.shape
    assert w.shape[0] == in_channels
    assert in_channels % groups == 0
    out_channels = per_group * groups
    outs = transpose_out_size(size, kernel, stride, dilation, padding, output_padding)
    y = _zeros((batch, out_channels, *outs))
    for b in range(batch):
        for ci in range(in_channels):
            group = ci // (in_channels // groups)
            for i in _positions(size):
                for c in range(per_group):
                    for k in _positions(kernel):
                        o = _targets(i, k, outs, stride, dilation, padding)
                        if o is None:
                            continue
                        slot = (b, group * per_group + c, *o)
                        y[slot] = y[slot] + w[(ci, c, *k)] * x[(b, ci, *i)]
        for co in range(out_channels):
            for o in _positions(outs):
                if bias is not None:
                    y[(b, co, *o)] = y[(b, co, *o)] + bias[co]
    return y


def conv_transpose_matrix(
    w: Any,
    size: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    output_padding: Ints | None = None,
    groups: int = 1,
) -> np.ndarray:
    """Return the dense matrix of a transposed convolution: (out, *outs) by (in, *size)."""
    w = _cells(w)
    in_channels, per_group, *kernel = w.shape
    out_channels = per_group * groups
    outs = transpose_out_size(size, kernel, stride, dilation, padding, output_padding)
    matrix = _zeros((out_channels * _count(outs), in_channels * _count(size)))
    for ci in range(in_channels):
        group = ci // (in_channels // groups)
        for i in _positions(size):
            for c in range(per_group):
                for k in _positions(kernel):
                    o = _targets(i, k, outs, stride, dilation, padding)
                    if o is None:
                        continue
                    row = _ravel(group * per_group + c, o, outs)
                    column = _ravel(ci, i, size)
                    matrix[row, column] = matrix[row, column] + w[(ci, c, *k)]
    return matrix


def conv_transpose_weight_gradient(
    x: Any,
    y: Any,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    output_padding: Ints | None = None,
    groups: int = 1,
) -> np.ndarray:
    """Return d<conv_transpose(x, w), y>/dw: at (ci, c, k), the sum of x[ci, i] * y[written]."""
    x, y = _cells(x), _cells(y)
    batch, in_channels, *size = x.shape
    _, out_channels, *outs = y.shape
    assert tuple(outs) == transpose_out_size(
        size, kernel, stride, dilation, padding, output_padding
    )
    per_group = out_channels // groups
    gradient = _zeros((in_channels, per_group, *kernel))
    for b in range(batch):
        for ci in range(in_channels):
            group = ci // (in_channels // groups)
            for i in _positions(size):
                for c in range(per_group):
                    for k in _positions(kernel):
                        o = _targets(i, k, outs, stride, dilation, padding)
                        if o is None:
                            continue
                        slot = (ci, c, *k)
                        read_back = y[(b, group * per_group + c, *o)]
                        gradient[slot] = gradient[slot] + x[(b, ci, *i)] * read_back
    return gradient


# Counting


def mac_inside(
    size: Ints,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    mode: str = "zeros",
    in_channels: int = 1,
    out_channels: int = 1,
    groups: int = 1,
    input_dilation: Ints | None = None,
) -> int:
    """Count the multiplications of a convolution that meet a stored input (batch 1)."""
    outs = out_size(size, kernel, stride, dilation, padding, input_dilation)
    triples = 0
    for o in _positions(outs):
        for k in _positions(kernel):
            at = source(o, k, size, stride, dilation, padding, mode, input_dilation)
            if not isinstance(at, str):
                triples += 1
    return triples * out_channels * (in_channels // groups)


def stored_entries(
    size: Ints,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    mode: str = "zeros",
    in_channels: int = 1,
    out_channels: int = 1,
    groups: int = 1,
    input_dilation: Ints | None = None,
) -> int:
    """Count the distinct (row, column) pairs of a convolution's matrix that some tap meets."""
    outs = out_size(size, kernel, stride, dilation, padding, input_dilation)
    pairs = set()
    for o in _positions(outs):
        for k in _positions(kernel):
            at = source(o, k, size, stride, dilation, padding, mode, input_dilation)
            if not isinstance(at, str):
                pairs.add((o, at))
    return len(pairs) * out_channels * (in_channels // groups)


def conv_transpose_mac_inside(
    size: Ints,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    output_padding: Ints | None = None,
    in_channels: int = 1,
    out_channels: int = 1,
    groups: int = 1,
) -> int:
    """Count the multiplications of a transposed convolution that meet an output (batch 1)."""
    outs = transpose_out_size(size, kernel, stride, dilation, padding, output_padding)
    triples = 0
    for i in _positions(size):
        for k in _positions(kernel):
            if _targets(i, k, outs, stride, dilation, padding) is not None:
                triples += 1
    return triples * in_channels * (out_channels // groups)


# Pooling


def _pool_windows(
    size: Ints, kernel: Ints, stride: Ints, dilation: Ints, padding: Pairs, ceil_mode: bool
) -> Iterator[tuple[tuple[int, ...], list[tuple[int, ...]], int]]:
    """Yield (output, data positions of its window, number of cells in explicit padding).

    A cell past the end of the padded axis (ceil mode) is neither: it is never read or counted,
    also where a negative high padding has cropped stored samples away.
    """
    outs = pool_out_size(size, kernel, stride, dilation, padding, ceil_mode)
    for o in _positions(outs):
        data = []
        padded = 0
        for k in _positions(kernel):
            cell = []
            overhang = False
            inside = True
            for axis, n in enumerate(size):
                lo, hi = padding[axis]
                j = stride[axis] * o[axis] + dilation[axis] * k[axis] - lo
                overhang = overhang or j >= n + hi
                inside = inside and 0 <= j < n
                cell.append(j)
            if overhang:
                continue
            if inside:
                data.append(tuple(cell))
            else:
                padded += 1
        yield o, data, padded


def _divisor(data: int, padded: int, count_include_pad: bool, divisor_override: int | None) -> int:
    if divisor_override is not None:
        return divisor_override
    return data + padded if count_include_pad else data


def avg_pool(
    x: Any,
    kernel: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """Return the exact averages of x over the last len(kernel) axes; None over no counted cell.

    A cell of explicit padding counts iff count_include_pad; ceil mode's overhang never counts.
    """
    x = _cells(x)
    spread = dilation or [1] * len(kernel)
    lead, size = x.shape[: x.ndim - len(kernel)], x.shape[x.ndim - len(kernel) :]
    outs = pool_out_size(size, kernel, stride, spread, padding, ceil_mode)
    y = _zeros((*lead, *outs))
    for o, data, padded in _pool_windows(size, kernel, stride, spread, padding, ceil_mode):
        divisor = _divisor(len(data), padded, count_include_pad, divisor_override)
        for leading in _positions(lead):
            total: Any = 0
            for cell in data:
                total = total + x[(*leading, *cell)]
            y[(*leading, *o)] = None if divisor == 0 else total * Fraction(1, divisor)
    return y


def avg_pool_gradient(
    y: Any,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """Return d<avg_pool(x), y>/dx for x of (..., *size): each y is shared out over its window."""
    y = _cells(y)
    spread = dilation or [1] * len(kernel)
    lead = y.shape[: y.ndim - len(kernel)]
    gradient = _zeros((*lead, *size))
    for o, data, padded in _pool_windows(size, kernel, stride, spread, padding, ceil_mode):
        divisor = _divisor(len(data), padded, count_include_pad, divisor_override)
        for leading in _positions(lead):
            for cell in data:
                share = y[(*leading, *o)] * Fraction(1, divisor)
                gradient[(*leading, *cell)] = gradient[(*leading, *cell)] + share
    return gradient


def max_pool(
    x: Any,
    kernel: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
) -> np.ndarray:
    """Return the maxima of x over the last len(kernel) axes; None (minus infinity) over no data."""
    x = _cells(x)
    spread = dilation or [1] * len(kernel)
    lead, size = x.shape[: x.ndim - len(kernel)], x.shape[x.ndim - len(kernel) :]
    outs = pool_out_size(size, kernel, stride, spread, padding, ceil_mode)
    y = _zeros((*lead, *outs))
    for o, data, _ in _pool_windows(size, kernel, stride, spread, padding, ceil_mode):
        for leading in _positions(lead):
            best = None
            for cell in data:
                if best is None or x[(*leading, *cell)] > best:
                    best = x[(*leading, *cell)]
            y[(*leading, *o)] = best
    return y


def max_pool_places(
    x: Any,
    kernel: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Return PyTorch's maxima and where they stand, flat in the plane; None, -1 over no data.

    The first cell of the window is taken; a later one is taken instead if it is larger or NaN.
    """
    x = _cells(x)
    spread = dilation or [1] * len(kernel)
    lead, size = x.shape[: x.ndim - len(kernel)], x.shape[x.ndim - len(kernel) :]
    outs = pool_out_size(size, kernel, stride, spread, padding, ceil_mode)
    y, places = _zeros((*lead, *outs)), _zeros((*lead, *outs))
    for o, data, _ in _pool_windows(size, kernel, stride, spread, padding, ceil_mode):
        for leading in _positions(lead):
            best, place = None, -1
            for cell in data:
                entry = x[(*leading, *cell)]
                is_nan = isinstance(entry, (float, np.floating)) and np.isnan(entry)
                if best is None or entry > best or is_nan:
                    best, place = entry, _ravel(0, cell, size)
            y[(*leading, *o)], places[(*leading, *o)] = best, place
    return y, places


def max_pool_gradient(y: Any, places: Any, size: Ints) -> np.ndarray:
    """Return the y of each output added to the cell of (..., *size) that it was taken from."""
    y, places = _cells(y), _cells(places)
    lead = y.shape[: y.ndim - len(size)]
    gradient = _zeros((*lead, _count(size)))
    for o in _positions(y.shape):
        at = (*o[: len(lead)], places[o])
        gradient[at] = gradient[at] + y[o]
    return gradient.reshape((*lead, *size))


def max_unpool(y: Any, places: Any, size: Ints) -> np.ndarray:
    """Return zeros of (..., *size) with each y written to its cell, one after the other."""
    y, places = _cells(y), _cells(places)
    lead = y.shape[: y.ndim - len(size)]
    x = _zeros((*lead, _count(size)))
    for o in _positions(y.shape):
        x[(*o[: len(lead)], places[o])] = y[o]
    return x.reshape((*lead, *size))


def max_pool_ties(
    x: Any,
    kernel: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints | None = None,
    ceil_mode: bool = False,
) -> dict[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Return output -> its largest cells, for the outputs of x of (*size) with more than one."""
    x = _cells(x)
    spread = dilation or [1] * len(kernel)
    ties = {}
    for o, data, _ in _pool_windows(x.shape, kernel, stride, spread, padding, ceil_mode):
        largest = [a for a in data if all(x[a] >= x[b] for b in data)]
        if len(largest) > 1:
            ties[o] = tuple(largest)
    return ties


def pool_reads(
    size: Ints, kernel: Ints, stride: Ints, padding: Pairs, dilation: Ints, ceil_mode: bool
) -> np.ndarray:
    """Return the dense matrix of how often each output's window reads each cell."""
    outs = pool_out_size(size, kernel, stride, dilation, padding, ceil_mode)
    matrix = _zeros((_count(outs), _count(size)))
    for o, data, _ in _pool_windows(size, kernel, stride, dilation, padding, ceil_mode):
        for cell in data:
            at = _ravel(0, o, outs), _ravel(0, cell, size)
            matrix[at] = matrix[at] + 1
    return matrix


def max_plus_product(a: Any, b: Any) -> list[list[Any]]:
    """Return max over k of a[i][k] + b[k][j]; None is minus infinity, before and after."""
    result = []
    for row in a:
        line = []
        for column in zip(*b, strict=True):
            best = None
            for left, right in zip(row, column, strict=True):
                if left is not None and right is not None and (best is None or left + right > best):
                    best = left + right
            line.append(best)
        result.append(line)
    return result


# Padding and patches


def pad(x: Any, padding: Pairs, mode: str = "zeros", value: Any = 0) -> np.ndarray:
    """Extend the last len(padding) axes of x by (lo, hi) each; negative amounts crop."""
    x = _cells(x)
    lead, size = x.shape[: x.ndim - len(padding)], x.shape[x.ndim - len(padding) :]
    outs = [max(0, lo + n + hi) for n, (lo, hi) in zip(size, padding, strict=True)]
    fill = value if mode == "constant" else 0
    y = _zeros((*lead, *outs))
    for q in _positions(outs):
        cell = [read(q[a] - padding[a][0], size[a], mode) for a in range(len(size))]
        for leading in _positions(lead):
            y[(*leading, *q)] = fill if None in cell else x[(*leading, *cell)]
    return y


def unfold(
    x: Any,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    mode: str = "zeros",
    value: Any = 0,
) -> np.ndarray:
    """Return the patches (batch, channels * taps, outputs): at (c, k) and o, what o reads by k."""
    x = _cells(x)
    batch, channels, *size = x.shape
    outs = out_size(size, kernel, stride, dilation, padding)
    fill = value if mode == "constant" else 0
    columns = _zeros((batch, channels * _count(kernel), _count(outs)))
    for b in range(batch):
        for c in range(channels):
            for k in _positions(kernel):
                for o in _positions(outs):
                    at = source(o, k, size, stride, dilation, padding, mode)
                    seen = fill if at == OUTSIDE else x[(b, c, *at)]
                    columns[b, _ravel(c, k, kernel), _ravel(0, o, outs)] = seen
    return columns


def fold(
    columns: Any,
    size: Ints,
    kernel: Ints,
    stride: Ints,
    dilation: Ints,
    padding: Pairs,
    mode: str = "zeros",
) -> np.ndarray:
    """Return the adjoint of `unfold`: add every patch entry back to where it was read from."""
    columns = _cells(columns)
    outs = out_size(size, kernel, stride, dilation, padding)
    batch = columns.shape[0]
    channels = columns.shape[1] // _count(kernel)
    assert columns.shape == (batch, channels * _count(kernel), _count(outs))
    x = _zeros((batch, channels, *size))
    for b in range(batch):
        for c in range(channels):
            for k in _positions(kernel):
                for o in _positions(outs):
                    at = source(o, k, size, stride, dilation, padding, mode)
                    if at == OUTSIDE:
                        continue
                    entry = columns[b, _ravel(c, k, kernel), _ravel(0, o, outs)]
                    x[(b, c, *at)] = x[(b, c, *at)] + entry
    return x


# Adaptive pooling and norms


def adaptive_windows(n: int, outs: int) -> list[list[int]]:
    """Return the samples of each output: those whose unit interval meets the output's own one.

    Output o owns [o·n/outs, (o+1)·n/outs) of the line, sample j owns [j, j+1).
    """
    windows = []
    for o in range(outs):
        begin, end = Fraction(o * n, outs), Fraction((o + 1) * n, outs)
        windows.append([j for j in range(n) if j + 1 > begin and j < end])
    return windows


def _adaptive(size: Ints, outs: Ints) -> Iterator[tuple[tuple[int, ...], list[tuple[int, ...]]]]:
    """Yield (output, cells of its window in row-major order)."""
    axes = [adaptive_windows(n, m) for n, m in zip(size, outs, strict=True)]
    for o in _positions(outs):
        yield o, list(product(*(axes[axis][at] for axis, at in enumerate(o))))


def adaptive_avg_pool(x: Any, outs: Ints) -> np.ndarray:
    """Return the exact means of x over the last len(outs) axes."""
    x = _cells(x)
    lead, size = x.shape[: x.ndim - len(outs)], x.shape[x.ndim - len(outs) :]
    y = _zeros((*lead, *outs))
    for o, cells in _adaptive(size, outs):
        for leading in _positions(lead):
            total: Any = 0
            for cell in cells:
                total = total + x[(*leading, *cell)]
            y[(*leading, *o)] = total * Fraction(1, len(cells))
    return y


def adaptive_avg_pool_gradient(y: Any, size: Ints) -> np.ndarray:
    """Return d<adaptive_avg_pool(x), y>/dx for x of (..., *size)."""
    y = _cells(y)
    lead, outs = y.shape[: y.ndim - len(size)], y.shape[y.ndim - len(size) :]
    gradient = _zeros((*lead, *size))
    for o, cells in _adaptive(size, outs):
        for leading in _positions(lead):
            for cell in cells:
                share = y[(*leading, *o)] * Fraction(1, len(cells))
                gradient[(*leading, *cell)] = gradient[(*leading, *cell)] + share
    return gradient


def adaptive_max_pool_places(x: Any, outs: Ints) -> tuple[np.ndarray, np.ndarray]:
    """Return the maxima and the flat place of the first cell that holds each."""
    x = _cells(x)
    lead, size = x.shape[: x.ndim - len(outs)], x.shape[x.ndim - len(outs) :]
    y, places = _zeros((*lead, *outs)), _zeros((*lead, *outs))
    for o, cells in _adaptive(size, outs):
        for leading in _positions(lead):
            best, place = None, -1
            for cell in cells:
                if best is None or x[(*leading, *cell)] > best:
                    best, place = x[(*leading, *cell)], _ravel(0, cell, size)
            y[(*leading, *o)], places[(*leading, *o)] = best, place
    return y, places


def power_sums(
    x: Any,
    power: int,
    kernel: Ints,
    stride: Ints,
    padding: Pairs,
    dilation: Ints,
    ceil_mode: bool,
) -> np.ndarray:
    """Return the sum of |x|^power over each window's data: a norm to that power."""
    x = _cells(x)
    lead, size = x.shape[: x.ndim - len(kernel)], x.shape[x.ndim - len(kernel) :]
    outs = pool_out_size(size, kernel, stride, dilation, padding, ceil_mode)
    y = _zeros((*lead, *outs))
    for o, data, _ in _pool_windows(size, kernel, stride, dilation, padding, ceil_mode):
        for leading in _positions(lead):
            total: Any = 0
            for cell in data:
                total = total + abs(x[(*leading, *cell)]) ** power
            y[(*leading, *o)] = total
    return y
