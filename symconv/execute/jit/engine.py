"""The loops of the implicit GEMM: pack a tile, multiply, put the sums where they belong.

Work is cut into items: some images of the batch, a group, a range of output channels, a tile of
output positions. For an item, the input that the tile reads is packed block of channels by block
of channels, one contiguous piece for each stride phase, so that every tap is a run of the packed
numbers at a fixed offset. Small images are packed once more, one compact row for each tap, as
their padded rows would leave too many columns unused. Python threads share the items; nothing is
locked and every number is written once.

Arrays come flat and contiguous; `symconv.execute.tiling` makes the tables.
"""

from __future__ import annotations

from numba import njit

from symconv.execute.jit.microkernel import (
    copy_even_vectors,
    copy_vectors,
    interleave_vectors,
    tile_1x1,
    tile_1x8,
    tile_4x1,
    tile_4x6,
    tile_8x1,
    tile_8x3,
)
from symconv.execute.speeds import VECTOR

__all__ = ["convolve", "multiply", "pack_tile", "pack_weights", "unpack"]

#: Blocks of weights that are packed together, to read whole pages of what lies side by side.
NEIGHBOURS = 4

jit = njit(cache=True, nogil=True, error_model="numpy")


@jit
def _part(low, high, start, length):
    """Of `length` places from `start` on, the first one within low … high−1 and the end."""
    begin = min(max(low - start, 0), length)
    return begin, max(min(max(high - start, 0), length), begin)


@jit
def pack_tile(x, plane, channels, sizes, near, runs, phases, corner, box, buffer, at):
    """`channels` planes of `x` from `plane` on into ``buffer[at:]``: (channel, phase, *box)."""
    rows, mids, cols = near
    height, width = sizes[1], sizes[2]
    size = x.itemsize
    lanes = VECTOR // size
    target, source = buffer.ctypes.data, x.ctypes.data
    for c in range(channels):
        start_of_plane = (plane + c) * sizes[0] * height * width
        for f in range(len(phases)):
            run = runs[phases[f, 2]]
            low, high, step = run[0], run[1], run[3]
            begin, end = _part(low, high, corner[2], box[2])
            first = run[2] + step * (begin + corner[2] - low)
            vectors = (end - begin + lanes - 1) // lanes
            for a in range(box[0]):
                d = rows[phases[f, 0], corner[0] + a]
                for b in range(box[1]):
                    h = mids[phases[f, 1], corner[1] + b]
                    if d < 0 or h < 0:
                        for j in range(box[2]):
                            buffer[at + j] = 0
                        at += box[2]
                        continue
                    row = start_of_plane + (d * height + h) * width
                    if low < 0:
                        for j in range(box[2]):
                            w = cols[phases[f, 2], corner[2] + j]
                            buffer[at + j] = x[row + w] if w >= 0 else 0
                        at += box[2]
                        continue
                    for j in range(begin):
                        buffer[at + j] = 0
                    row += first
                    # Whole vectors may run past the row: what they spoil is written next.
                    fits = row + step * vectors * lanes <= len(x)
                    if step == 1 and fits:
                        copy_vectors(
                            x[0], target + (at + begin) * size, source + row * size, vectors
                        )
                    elif step == 2 and fits:
                        copy_even_vectors(
                            x[0], target + (at + begin) * size, source + row * size, vectors
                        )
                    else:
                        for j in range(end - begin):
                            buffer[at + begin + j] = x[row + step * j]
                    for j in range(end, box[2]):
                        buffer[at + j] = 0
                    at += box[2]


@jit
def _compact(like, size, source, image_pitch, images, offsets, taps, tile, box, target, pitch):
    """One row per tap with the tile's positions of every image side by side."""
    vectors = (tile[2] * size + VECTOR - 1) // VECTOR
    for t in range(taps):
        to = target + t * pitch * size
        for image in range(images):
            start = image * image_pitch + offsets[t]
            for a in range(tile[0]):
                for b in range(tile[1]):
                    at = start + (a * box[1] + b) * box[2]
                    copy_vectors(like, to, source + at * size, vectors)
                    to += tile[2] * size


@jit
def multiply(like, size, rows, weight, source, offsets, taps, target, pitch, columns, add):
    """One block of output channels times all columns, register tile by register tile."""
    lanes = VECTOR // size
    j = 0
    if rows == 8:
        while j + 2 * lanes < columns:
            tile_8x3(like, weight, source + j * size, offsets, taps, target + j * size, pitch, add)
            j += 3 * lanes
        while j < columns:
            tile_8x1(like, weight, source + j * size, offsets, taps, target + j * size, pitch, add)
            j += lanes
    elif rows == 4:
        while j + 5 * lanes < columns:
            tile_4x6(like, weight, source + j * size, offsets, taps, target + j * size, pitch, add)
            j += 6 * lanes
        while j < columns:
            tile_4x1(like, weight, source + j * size, offsets, taps, target + j * size, pitch, add)
            j += lanes
    else:
        while j + 7 * lanes < columns:
            tile_1x8(like, weight, source + j * size, offsets, taps, target + j * size, pitch, add)
            j += 8 * lanes
        while j < columns:
            tile_1x1(like, weight, source + j * size, offsets, taps, target + j * size, pitch, add)
            j += lanes


@jit
def unpack(sums, at, pitches, y, plane, sizes, places, run, corner, tile):
    """The sums of one channel of one image to their places in `y`."""
    rows, mids = places
    low, high, step = run[0], run[1], run[3]
    begin, end = _part(low, high, corner[2], tile[2])
    first = run[2] + step * (begin + corner[2] - low)
    start_of_plane = plane * sizes[0] * sizes[1] * sizes[2]
    size = y.itemsize
    lanes = VECTOR // size
    count = end - begin
    vectors = count // lanes
    source, target = sums.ctypes.data, y.ctypes.data
    for a in range(tile[0]):
        d = rows[corner[0] + a]
        if d < 0:
            continue
        for b in range(tile[1]):
            h = mids[corner[1] + b]
            if h < 0:
                continue
            read = at + a * pitches[0] + b * pitches[1] + begin
            row = start_of_plane + (d * sizes[1] + h) * sizes[2] + first
            if step == 1 and vectors > 0:
                copy_vectors(y[0], target + row * size, source + read * size, vectors)
                # The last vector ends with the row and overlaps the one before.
                last = count - lanes
                copy_vectors(y[0], target + (row + last) * size, source + (read + last) * size, 1)
            else:
                for j in range(count):
                    y[row + step * j] = sums[read + j]


@jit
def _unpack_pair(sums, at, at_odd, pitches, y, plane, sizes, places, run, run_odd, corner, tile):
    """As `unpack`, for two jobs whose places alternate: ``y[2u] = even[u]``, ``y[2u+1] = odd[u]``.

    The first few and last few places, which one of them has alone, are written one by one.
    """
    rows, mids = places
    low, high = max(run[0], run_odd[0]), min(run[1], run_odd[1])
    begin, end = _part(low, high, corner[2], tile[2])
    first = run[2] + 2 * (begin + corner[2] - run[0])
    start_of_plane = plane * sizes[0] * sizes[1] * sizes[2]
    size = y.itemsize
    lanes = VECTOR // size
    count = end - begin
    vectors = count // lanes
    source, target = sums.ctypes.data, y.ctypes.data
    for a in range(tile[0]):
        d = rows[corner[0] + a]
        if d < 0:
            continue
        for b in range(tile[1]):
            h = mids[corner[1] + b]
            if h < 0:
                continue
            shift = a * pitches[0] + b * pitches[1]
            row = start_of_plane + (d * sizes[1] + h) * sizes[2]
            even, odd = at + shift + begin, at_odd + shift + begin
            if vectors > 0:
                interleave_vectors(
                    y[0], target + (row + first) * size, source + even * size, source + odd * size,
                    vectors,
                )  # fmt: skip
                last = count - lanes
                interleave_vectors(
                    y[0], target + (row + first + 2 * last) * size, source + (even + last) * size,
                    source + (odd + last) * size, 1,
                )  # fmt: skip
            else:
                for j in range(count):
                    y[row + first + 2 * j] = sums[even + j]
                    y[row + first + 2 * j + 1] = sums[odd + j]
            for j in range(tile[2]):
                if begin <= j < end:
                    continue
                u = corner[2] + j
                if run[0] <= u < run[1]:
                    y[row + run[2] + 2 * (u - run[0])] = sums[at + shift + j]
                if run_odd[0] <= u < run_odd[1]:
                    y[row + run_odd[2] + 2 * (u - run_odd[0])] = sums[at_odd + shift + j]


@jit
def _alternate(run, run_odd):
    """Whether the places of the second job are one after those of the first."""
    if run[0] < 0 or run[3] != 2 or run_odd[3] != 2 or run[1] <= run[0] or run_odd[1] <= run_odd[0]:
        return False
    return run_odd[2] - 2 * run_odd[0] == run[2] - 2 * run[0] + 1


@jit
def convolve(
    x, x_sizes, weights, weight_starts, y, y_sizes, items, scratch, blocking, taps, offsets,
    panel_offsets, near, runs, phases, box, places, place_runs,
):  # fmt: skip
    """Run some items. `scratch` is (packed input, compact rows, sums), this thread's alone."""
    buffer, panel, sums = scratch
    rows, block, groups, channels, outputs, pitch, panel_pitch, channel_pitch, is_compact = blocking
    size = x.itemsize
    jobs = len(taps)
    for item in items:
        image, images, group, m0, m1 = item[0], item[1], item[2], item[3], item[4]
        corner = item[5], item[6], item[7]
        tile = item[8], item[9], item[10]
        job_rows = (m1 - m0) * rows
        if is_compact:
            columns = images * tile[0] * tile[1] * tile[2]
            pitches = tile[1] * tile[2], tile[2]
        else:
            columns = ((tile[0] - 1) * box[1] + tile[1] - 1) * box[2] + tile[2]
            pitches = box[1] * box[2], box[2]
        image_sums = tile[0] * pitches[0]
        for c0 in range(0, channels, block):
            n_channels = min(block, channels - c0)
            for i in range(images):
                plane = ((image + i) * groups + group) * channels + c0
                at = i * n_channels * channel_pitch
                for c in range(n_channels):
                    pack_tile(
                        x, plane + c, 1, x_sizes, near, runs, phases, corner, box, buffer, at
                    )  # fmt: skip
                    at += channel_pitch
            for job in range(jobs):
                count = n_channels * taps[job]
                source, where = buffer.ctypes.data, offsets[job].ctypes.data
                if is_compact:
                    _compact(
                        x[0], size, source, n_channels * channel_pitch, images, offsets[job], count,
                        tile, box, panel.ctypes.data, panel_pitch,
                    )  # fmt: skip
                    source, where = panel.ctypes.data, panel_offsets.ctypes.data
                for m in range(m0, m1):
                    at = weight_starts[job, group] + (m * channels + c0) * taps[job] * rows
                    to = (job * job_rows + (m - m0) * rows) * pitch
                    multiply(
                        x[0], size, rows, weights.ctypes.data + at * size, source, where, count,
                        sums.ctypes.data + to * size, pitch, columns, 1 if c0 > 0 else 0,
                    )  # fmt: skip
        job = 0
        while job < jobs:
            run = place_runs[job]
            is_pair = job + 1 < jobs and _alternate(run, place_runs[job + 1])
            by_axis = places[0][job], places[1][job]
            for r in range(min(job_rows, outputs - m0 * rows)):
                for i in range(images):
                    at = (job * job_rows + r) * pitch + i * image_sums
                    plane = ((image + i) * groups + group) * outputs + m0 * rows + r
                    if is_pair:
                        _unpack_pair(
                            sums, at, at + job_rows * pitch, pitches, y, plane, y_sizes, by_axis,
                            run, place_runs[job + 1], corner, tile,
                        )  # fmt: skip
                    else:
                        unpack(sums, at, pitches, y, plane, y_sizes, by_axis, run, corner, tile)
            job += 2 if is_pair else 1


@jit
def pack_weights(weight, strides, chosen, taps, starts, shape, packed, first, last):
    """Weights as panels (job, group, block of outputs, channel, tap, row), blocks first … last−1.

    ``weight`` is flat, with ``strides`` from one group, output and input channel to the next;
    ``chosen[job]`` lists the taps of a job; ``shape`` is (outputs, channels, rows). A block
    is one of a group; neighbouring ones are packed together where their weights lie side by side.
    """
    outputs, channels, rows = shape
    blocks = (outputs + rows - 1) // rows
    step = strides[1]
    together = NEIGHBOURS if step < strides[2] else 1
    for begin in range(first, last, together):
        for c in range(channels):
            for number in range(begin, min(begin + together, last)):
                group, block = number // blocks, number % blocks
                held = min(rows, outputs - block * rows)
                at = group * strides[0] + block * rows * step + c * strides[2]
                for job in range(len(taps)):
                    count = taps[job]
                    to = starts[job, group] + (block * channels + c) * count * rows
                    for t in range(count):
                        k = at + chosen[job, t]
                        # The rows of a tile are read side by side, each from place to place.
                        for r in range(held):
                            packed[to + r] = weight[k + r * step]
                        for r in range(held, rows):
                            packed[to + r] = 0
                        to += rows
