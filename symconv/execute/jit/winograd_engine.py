"""The loops of Winograd's algorithm: transform tiles, multiply, transform back.

An item is a rectangle of tiles of one job and group in some planes (an image at a position of the
first axis), and a range of output channels. Channel by channel the input that it reads is packed
as the implicit GEMM packs it, then transformed into one panel for each product of the tile; every
panel is multiplied by its own matrix of weights; the products are transformed into outputs, which
go to their places. All of it stays in the second cache.

The transforms are emitted as LLVM IR from the exact matrices of `symconv.toomcook`: vectors run
along the tiles, whose samples shuffles pick out of the packed rows. As in the other engine, arrays
are flat and contiguous and memory is addressed without bounds.

References
----------
A. Lavin, S. Gray, *Fast algorithms for convolutional neural networks* (2016), arXiv:1509.09308.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from symconv.execute.jit.engine import _multiply, _pack, _unpack
from symconv.execute.jit.microkernel import VECTOR, _index, _load, _numbers, _store
from symconv.toomcook import winograd_transforms

__all__ = ["convolve_tiles", "transform_weights"]

jit = njit(cache=True, nogil=True, error_model="numpy")

Rows = Sequence[Sequence[Fraction]]


def _matrices(outputs: int) -> tuple[Rows, Rows]:
    """B_T and A_T of F(outputs, 3); one output stands for an axis that is not transformed."""
    if outputs == 1:
        return ((Fraction(1),),), ((Fraction(1),),)
    found = winograd_transforms(outputs, 3)
    return found.B_T, found.A_T


def _combined(builder: Any, rows: Rows, values: list[Any]) -> list[Any]:
    """Matrix times a column of vectors, with additions only where entries are ±1."""
    results = []
    for row in rows:
        # A positive entry first, so that nothing has to be negated.
        terms = sorted(zip(row, values, strict=True), key=lambda term: -term[0])
        terms = [term for term in terms if term[0]]
        total: Any = None
        for factor, value in terms:
            size = abs(factor)
            if size != 1:
                entry = ir.Constant(value.type, [float(size)] * value.type.count)
                value = builder.fmul(entry, value)
            if total is None:
                total = value if factor > 0 else builder.fneg(value)
            else:
                total = (builder.fadd if factor > 0 else builder.fsub)(total, value)
        results.append(total)
    return results


def _nested(builder: Any, high: Rows, wide: Rows, grid: list[list[Any]]) -> list[list[Any]]:
    """``wide`` along the rows of a grid of vectors, then ``high`` along its columns."""
    grid = [_combined(builder, wide, row) for row in grid]
    columns = [_combined(builder, high, list(column)) for column in zip(*grid, strict=True)]
    return [list(row) for row in zip(*columns, strict=True)]


def _shuffled(builder: Any, one: Any, other: Any, order: Sequence[int]) -> Any:
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), list(order))
    return builder.shuffle_vector(one, other, lanes)


def _interlaced(builder: Any, vectors: list[Any]) -> Any:
    """Lane 0 of every vector, then lane 1 of every vector, …; one vector, or a power of two."""
    count = len(vectors)
    while len(vectors) > 1:
        vectors = [
            _shuffled(builder, a, b, range(2 * a.type.count))
            for a, b in zip(vectors[::2], vectors[1::2], strict=True)
        ]
    whole = vectors[0]
    lanes = whole.type.count // count
    return _shuffled(
        builder, whole, whole, [v * lanes + j for j in range(lanes) for v in range(count)]
    )


def _evaluation(high: int, wide: int) -> Any:
    """``target[product, v] = B_T·samples`` for tiles of high × wide outputs, tile by tile.

    The function takes a number of the type in question, then addresses and counts as integers:
    source, numbers from one packed row to the next, target, numbers from one product to the next,
    and how many vectors of tiles.
    """
    high_b, wide_b = _matrices(high)[0], _matrices(wide)[0]

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar, size = _numbers(signature.args[0])
        lanes = VECTOR // size
        spread = ir.VectorType(scalar, lanes * wide)
        _, source, pitch, target, step, count = arguments
        pitch, step = (builder.mul(each, _index(size)) for each in (pitch, step))
        with cgutils.for_range(builder, count) as loop:
            row = builder.add(source, builder.mul(loop.index, _index(VECTOR * wide)))
            grid = []
            for _ in range(len(high_b)):
                samples: list[Any] = []
                while len(samples) < len(wide_b):
                    at = builder.add(row, _index(len(samples) * size))
                    read = _load(builder, at, spread, size)
                    samples += [
                        _shuffled(builder, read, read, range(first, lanes * wide, wide))
                        for first in range(min(wide, len(wide_b) - len(samples)))
                    ]
                grid.append(samples)
                row = builder.add(row, pitch)
            to = builder.add(target, builder.mul(loop.index, _index(VECTOR)))
            for value in sum(_nested(builder, high_b, wide_b, grid), []):
                _store(builder, value, to, size)
                to = builder.add(to, step)
        return context.get_dummy_value()

    def evaluation(
        context: Any, like: Any, source: Any, pitch: Any, target: Any, step: Any, count: Any
    ) -> Any:
        return types.void(like, *(types.intp,) * 5), generated

    return intrinsic(evaluation)


def _interpolation(high: int, wide: int) -> Any:
    """``target[row, column] = A_T·products``: the outputs of neighbouring tiles side by side.

    The function takes a number of the type in question, then addresses and counts as integers:
    source, numbers from one product to the next, target, numbers from one row of outputs to the
    next, and how many vectors of tiles.
    """
    high_a, wide_a = _matrices(high)[1], _matrices(wide)[1]

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        scalar, size = _numbers(signature.args[0])
        vector = ir.VectorType(scalar, VECTOR // size)
        _, source, step, target, pitch, count = arguments
        pitch, step = (builder.mul(each, _index(size)) for each in (pitch, step))
        with cgutils.for_range(builder, count) as loop:
            at = builder.add(source, builder.mul(loop.index, _index(VECTOR)))
            grid = []
            for _ in high_a[0]:
                row = []
                for _ in wide_a[0]:
                    row.append(_load(builder, at, vector, size))
                    at = builder.add(at, step)
                grid.append(row)
            to = builder.add(target, builder.mul(loop.index, _index(VECTOR * wide)))
            for outputs in _nested(builder, high_a, wide_a, grid):
                _store(builder, _interlaced(builder, outputs), to, size)
                to = builder.add(to, pitch)
        return context.get_dummy_value()

    def interpolation(
        context: Any, like: Any, source: Any, step: Any, target: Any, pitch: Any, count: Any
    ) -> Any:
        return types.void(like, *(types.intp,) * 5), generated

    return intrinsic(interpolation)


@intrinsic
def _probe(context: Any, like: Any, mark: Any, source: Any, count: Any) -> Any:
    """Add 0·v to the vector at `mark` for `count` vectors v: NaN where one is not finite."""

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, mark, source, count = arguments
        scalar, size = _numbers(signature.args[0])
        vector = ir.VectorType(scalar, VECTOR // size)
        with cgutils.for_range(builder, count) as loop:
            at = builder.add(source, builder.mul(loop.index, _index(VECTOR)))
            nothing = builder.fmul(ir.Constant(vector, None), _load(builder, at, vector, size))
            held = _load(builder, mark, vector, size)
            _store(builder, builder.fadd(held, nothing), mark, size)
        return context.get_dummy_value()

    return types.void(like, *(types.intp,) * 3), generated


_evaluate_1x2, _interpolate_1x2 = _evaluation(1, 2), _interpolation(1, 2)
_evaluate_2x2, _interpolate_2x2 = _evaluation(2, 2), _interpolation(2, 2)
_evaluate_1x4, _interpolate_1x4 = _evaluation(1, 4), _interpolation(1, 4)
_evaluate_4x4, _interpolate_4x4 = _evaluation(4, 4), _interpolation(4, 4)


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
            _probe(image[0], marks.ctypes.data, source, width // lanes)
            # The last vector ends with the row.
            _probe(image[0], marks.ctypes.data, source + (width - lanes) * size, 1)
        else:
            for j in range(width):
                marks[j] += 0 * image[start + j]
    for j in range(lanes):
        if marks[j] != 0:
            return False
    return True


@jit
def convolve_tiles(
    x, x_sizes, weights, weight_starts, y, y_sizes, items, scratch, blocking, tile, positions,
    counts, origins, offsets, near, runs, phases, phase_starts, places, place_runs,
):  # fmt: skip
    """Run some items, and say whether all outputs are finite.

    `scratch` is (packed channel, panels, products, outputs of a plane, marks), this thread's alone.
    """
    buffer, panels, sums, plane_sums, marks = scratch
    rows, block, groups, channels, outputs, reach, pitch, panel_step, sum_step = blocking
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
                _pack(
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
                base = weight_starts[job, group] + (p * blocks + m) * inner * rows
                for k in range(0, inner, block):
                    _multiply(
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
                _unpack(
                    plane_sums, 0, (0, row_pitch), y,
                    (image * groups + group) * outputs + m0 * rows + r, y_sizes,
                    (places[0][job], places[1][job]), place_runs[job], (depth, top, left),
                    (1, height, width),
                )  # fmt: skip
    return is_finite


@jit
def _combine(factors, rows, step, target):
    """``target = Σ_i factors[i]·rows[i·step]``."""
    for r in range(len(target)):
        target[r] = factors[0] * rows[0, r]
    for i in range(1, len(factors)):
        for r in range(len(target)):
            target[r] += factors[i] * rows[i * step, r]


@jit
def transform_weights(
    weight, strides, high_g, wide_g, chosen, counts, starts, shape, packed, first, last
):
    """G·w as panels (job, group, product, block of outputs, channel, run, row), pieces first … −1.

    A piece is a block of outputs of a (job, group). ``weight`` is flat, with ``strides`` from one
    group, output and input channel to the next; ``chosen[job, run]`` lists the taps, −1 for none;
    ``shape`` is (groups, outputs, channels, rows). Sums are made in float64. A job stands for all
    that read the same taps.
    """
    groups, outputs, channels, rows = shape
    blocks = (outputs + rows - 1) // rows
    n_high, r_high = high_g.shape
    n_wide, r_wide = wide_g.shape
    taps = np.zeros((r_high * r_wide, rows))
    half = np.empty((r_high * n_wide, rows))
    whole = np.empty(rows)
    for number in range(first, last):
        block = number % blocks
        group = number // blocks % groups
        job = number // blocks // groups
        inner = channels * counts[job]
        step = blocks * inner * rows
        here = min(rows, outputs - block * rows)
        taps[:, here:] = 0
        for k in range(inner):
            c, run = k // counts[job], k % counts[job]
            at = group * strides[0] + block * rows * strides[1] + c * strides[2]
            for t in range(r_high * r_wide):
                tap = chosen[job, run, t]
                for r in range(here):
                    taps[t, r] = weight[at + r * strides[1] + tap] if tap >= 0 else 0
            for i in range(r_high):
                for b in range(n_wide):
                    _combine(wide_g[b], taps[i * r_wide :], 1, half[i * n_wide + b])
            to = starts[job, group] + (block * inner + k) * rows
            for a in range(n_high):
                for b in range(n_wide):
                    _combine(high_g[a], half[b:], n_wide, whole)
                    for r in range(rows):
                        packed[to + r] = whole[r]
                    to += step
