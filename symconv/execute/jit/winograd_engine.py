"""The loops of Winograd's algorithm: transform tiles, multiply, transform back.

An item is a rectangle of tiles of one job and group in some planes (an image at a position of the
first axis), and a range of output channels. Channel by channel the input that it reads is packed
as the implicit GEMM packs it, then transformed into one panel for each product of the tile; every
panel is multiplied by its own matrix of weights; the products are transformed into outputs, which
go to their places. All of it stays in the second cache.

As in the other engine, arrays are flat and contiguous and memory is addressed without bounds.

References
----------
A. Lavin, S. Gray, *Fast algorithms for convolutional neural networks* (2016), arXiv:1509.09308.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from symconv.execute.jit.engine import multiply, pack_tile, unpack
from symconv.execute.jit.transforms import (
    ROWS,
    evaluation_of,
    interpolation_of,
    probe,
    weighing_of,
)
from symconv.execute.speeds import VECTOR

__all__ = ["convolve_tiles", "transform_weights"]

jit = njit(cache=True, nogil=True, error_model="numpy")

_weigh_1x2, _weigh_2x2 = weighing_of(1, 2), weighing_of(2, 2)
_weigh_1x4, _weigh_4x4 = weighing_of(1, 4), weighing_of(4, 4)
_evaluate_1x2, _interpolate_1x2 = evaluation_of(1, 2), interpolation_of(1, 2)
_evaluate_2x2, _interpolate_2x2 = evaluation_of(2, 2), interpolation_of(2, 2)
_evaluate_1x4, _interpolate_1x4 = evaluation_of(1, 4), interpolation_of(1, 4)
_evaluate_4x4, _interpolate_4x4 = evaluation_of(4, 4), interpolation_of(4, 4)


@jit
def _weigh(like, tile, source, target, step):
    """The transformed weights of `ROWS` output channels."""
    if tile == (2, 2):
        _weigh_2x2(like, source, target, step)
    elif tile == (1, 2):
        _weigh_1x2(like, source, target, step)
    elif tile == (4, 4):
        _weigh_4x4(like, source, target, step)
    else:
        _weigh_1x4(like, source, target, step)


@jit
def _evaluate(like, size, tile, rows, source, pitch, target, columns, step, vectors):
    """The transforms of some rows of tiles, `columns` numbers apart."""
    for _ in range(rows):
        if tile == (2, 2):
            _evaluate_2x2(like, source, pitch, target, step, vectors)
        elif tile == (1, 2):
            _evaluate_1x2(like, source, pitch, target, step, vectors)
        elif tile == (4, 4):
            _evaluate_4x4(like, source, pitch, target, step, vectors)
        else:
            _evaluate_1x4(like, source, pitch, target, step, vectors)
        source += tile[0] * pitch * size
        target += columns * size


@jit
def _interpolate(like, size, tile, rows, source, columns, step, target, pitch, vectors):
    """The outputs of some rows of tiles, whose products are `columns` numbers apart."""
    for _ in range(rows):
        if tile == (2, 2):
            _interpolate_2x2(like, source, step, target, pitch, vectors)
        elif tile == (1, 2):
            _interpolate_1x2(like, source, step, target, pitch, vectors)
        elif tile == (4, 4):
            _interpolate_4x4(like, source, step, target, pitch, vectors)
        else:
            _interpolate_1x4(like, source, step, target, pitch, vectors)
        source += columns * size
        target += tile[0] * pitch * size


@jit
def _is_finite(image, pitch, height, width, marks):
    """Whether the outputs of a plane are; `marks` is a vector of zeros and stays one if so."""
    size = image.itemsize
    lanes = VECTOR // size
    for b in range(height):
        start = b * pitch
        if width >= lanes:
            source = image.ctypes.data + start * size
            probe(image[0], marks.ctypes.data, source, width // lanes)
            # The last vector ends with the row.
            probe(image[0], marks.ctypes.data, source + (width - lanes) * size, 1)
        else:
            for j in range(width):
                marks[j] += 0 * image[start + j]
    spoiled = 0
    for j in range(lanes):
        spoiled += marks[j] != 0
    return spoiled == 0


@jit
def convolve_tiles(
    x, x_sizes, weights, weight_starts, y, y_sizes, items, scratch, blocking, tile, positions,
    counts, origins, offsets, near, runs, phases, phase_starts, places, place_runs,
):  # fmt: skip
    """Run some items, and say whether all outputs are finite.

    `scratch` is (packed channel, panels, products, outputs of a plane, marks), this thread's alone.
    """
    buffer, panels, sums, plane_sums, marks = scratch
    rows, block, groups, channels, outputs, reach, pitch, panel_step, sum_step, spare = blocking
    size = x.itemsize
    like, lanes = x[0], VECTOR // size
    blocks = (outputs + rows - 1) // rows
    n_products = 1
    for n in tile:
        n_products *= n + 2 if n > 1 else 1
    is_finite = True
    for item in items:
        job, group, first, planes, m0, m1 = item[0], item[1], item[2], item[3], item[4], item[5]
        high, wide = item[8], item[9]
        top, left = item[6] * tile[0], item[7] * tile[1]
        box = 1 + reach[0], high * tile[0] + reach[1], wide * tile[1] + reach[2]
        vectors = (wide + lanes - 1) // lanes
        columns, count = planes * high * wide, counts[job]
        used = phases[phase_starts[job] : phase_starts[job + 1]]
        for i in range(planes):
            image, depth = (first + i) // positions[0], (first + i) % positions[0]
            for c in range(channels):
                pack_tile(
                    x, (image * groups + group) * channels + c, 1, x_sizes, near, runs, used,
                    (depth, top, left), box, buffer, 0,
                )  # fmt: skip
                for run in range(count):
                    origin = origins[job, run]
                    at = (origin[0] * box[0] + origin[1]) * box[1] + origin[2]
                    at = at * box[2] + origin[3]
                    to = (c * count + run) * pitch + i * high * wide
                    _evaluate(
                        like, size, tile, high, buffer.ctypes.data + at * size, box[2],
                        panels.ctypes.data + to * size, wide, panel_step, vectors,
                    )  # fmt: skip
        inner = channels * count
        for p in range(n_products):
            for m in range(m0, m1):
                to = p * sum_step + (m - m0) * rows * pitch
                base = weight_starts[job, group] + (p * blocks + m) * inner * rows + p * spare
                for k in range(0, inner, block):
                    multiply(
                        like, size, rows, weights.ctypes.data + (base + k * rows) * size,
                        panels.ctypes.data + (p * panel_step + k * pitch) * size,
                        offsets.ctypes.data, min(block, inner - k), sums.ctypes.data + to * size,
                        pitch, columns, 1 if k > 0 else 0,
                    )  # fmt: skip
        row_pitch = vectors * lanes * tile[1]
        height = min(high * tile[0], positions[1] - top)
        width = min(wide * tile[1], positions[2] - left)
        for r in range(min((m1 - m0) * rows, outputs - m0 * rows)):
            for i in range(planes):
                image, depth = (first + i) // positions[0], (first + i) % positions[0]
                _interpolate(
                    like, size, tile, high,
                    sums.ctypes.data + (r * pitch + i * high * wide) * size, wide, sum_step,
                    plane_sums.ctypes.data, row_pitch, vectors,
                )  # fmt: skip
                is_finite &= _is_finite(plane_sums, row_pitch, height, width, marks)
                unpack(
                    plane_sums, 0, (0, row_pitch), y,
                    (image * groups + group) * outputs + m0 * rows + r, y_sizes,
                    (places[0][job], places[1][job]), place_runs[job], (depth, top, left),
                    (1, height, width),
                )  # fmt: skip
    return is_finite


@jit
def transform_weights(weight, strides, tile, chosen, counts, starts, shape, packed, first, last):
    """G·w as panels (job, group, product, block of outputs, channel, run, row), pieces first … −1.

    A piece is a block of outputs of a (job, group). ``weight`` is flat, with ``strides`` from one
    group, output and input channel to the next; ``chosen[job, run]`` lists the taps, −1 for none;
    ``shape`` is (groups, outputs, channels, rows, numbers between products). A job stands for all
    that read the same taps.
    """
    groups, outputs, channels, rows, spare = shape
    blocks = (outputs + rows - 1) // rows
    n_taps, n_products = 1, 1
    for n in tile:
        if n > 1:
            n_taps, n_products = 3 * n_taps, (n + 2) * n_products
    like = packed[0]
    size = packed.itemsize
    taps = np.zeros(n_taps * ROWS, packed.dtype)
    whole = np.zeros(n_products * ROWS, packed.dtype)
    for number in range(first, last):
        block = number % blocks
        group = number // blocks % groups
        job = number // blocks // groups
        count = counts[job]
        inner = channels * count
        step = blocks * inner * rows + spare
        here = min(rows, outputs - block * rows)
        taps[:] = 0
        for k in range(inner):
            run = k % count
            at = group * strides[0] + block * rows * strides[1] + k // count * strides[2]
            for t in range(n_taps):
                tap = chosen[job, run, t]
                for r in range(here):
                    taps[t * ROWS + r] = weight[at + r * strides[1] + tap] if tap >= 0 else 0
            to = starts[job, group] + (block * inner + k) * rows
            is_whole = rows == ROWS
            target = packed.ctypes.data + to * size if is_whole else whole.ctypes.data
            apart = step if is_whole else ROWS
            _weigh(like, tile, taps.ctypes.data, target, apart)
            if not is_whole:
                for p in range(n_products):
                    for r in range(rows):
                        packed[to + p * step + r] = whole[p * ROWS + r]
