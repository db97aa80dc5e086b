"""The other views read back from their SVG, and what naive loops say they must show."""

from __future__ import annotations

import math
from collections import Counter
from itertools import product
from xml.etree import ElementTree

import numpy as np
import oracles

SVG = "{http://www.w3.org/2000/svg}"


def parsed(svg):
    return ElementTree.fromstring(svg)  # noqa: S314 - made by the code under test


def texts(svg):
    return [element.text for element in parsed(svg).iter(f"{SVG}text")]


def integers(text):
    return tuple(int(part) for part in text.replace("−", "-").split(","))


def matrix_entries(svg):
    """(row, column) → (taps, colour, tip) of every drawn entry, its place on paper checked."""
    found, spots = {}, {}
    for rect in parsed(svg).iter(f"{SVG}rect"):
        if rect.get("data-row") is None:
            continue
        at = int(rect.get("data-row")), int(rect.get("data-column"))
        if at in found:
            raise ValueError(f"entry {at} is drawn twice")
        taps = tuple(integers(tap) for tap in rect.get("data-tap").split("+"))
        found[at] = taps, rect.get("fill"), rect.find(f"{SVG}title").text
        spots[at] = float(rect.get("x")), float(rect.get("y")), float(rect.get("width"))
    if spots:
        # Rows go down and columns to the right, each by the side of a cell.
        (row, column), (x, y, unit) = min(spots.items())
        for at, spot in spots.items():
            wanted = x + (at[1] - column) * unit, y + (at[0] - row) * unit, unit
            if not np.allclose(spot, wanted, atol=0.02 * max(at) + 0.02):
                raise ValueError(f"entry {at} stands at {spot}, not at {wanted}")
    return found


def tap_bits(layer):
    """Weights that are a power of two per tap: an entry's bits are the taps that meet there."""
    kernel = layer.kernel_size
    bits = np.array([1 << at for at in range(math.prod(kernel))], dtype=object).reshape(kernel)
    outs = layer.out_channels if not layer.is_transposed else layer.in_channels
    ins = layer.in_channels if not layer.is_transposed else layer.out_channels
    return np.broadcast_to(bits, (outs, ins // layer.groups, *kernel))


def wanted_matrix(layer, size):
    """(row, column) → taps, by naive loops."""
    if layer.is_transposed:
        matrix = oracles.conv_transpose_matrix(
            tap_bits(layer), size, layer.stride, layer.dilation, layer.padding,
            layer.output_padding, layer.groups,
        )  # fmt: skip
    else:
        matrix = oracles.conv_matrix(
            tap_bits(layer), size, layer.stride, layer.dilation, layer.padding, layer.groups,
            layer.padding_mode, layer.input_dilation,
        )  # fmt: skip
    taps = list(product(*map(range, layer.kernel_size)))
    return {
        (int(row), int(column)): {
            tap for at, tap in enumerate(taps) if matrix[row, column] >> at & 1
        }
        for row, column in np.argwhere(matrix != 0)
    }


def same_matrix(svg, layer, size):
    """Whether a picture shows exactly the entries and taps of naive loops."""
    try:
        shown = {at: set(taps) for at, (taps, _, _) in matrix_entries(svg).items()}
    except ValueError:
        return False
    return shown == wanted_matrix(layer, size)


def paths_shown(svg):
    """Index → paths, of every cell."""
    found = {}
    for rect in parsed(svg).iter(f"{SVG}rect"):
        if rect.get("data-index") is not None:
            at = integers(rect.get("data-index"))
            assert at not in found
            found[at] = int(rect.get("data-paths"))
    return found


def paths_wanted(layers, size, position):
    """Index → paths, one tap of each layer after the other, by naive loops."""
    level, sizes = Counter({position: 1}), [size]
    for layer in layers:
        sizes.append(layer.output_size(sizes[-1]))
    for layer, n in zip(reversed(layers), reversed(sizes[:-1]), strict=True):
        below = Counter()
        for o, paths in level.items():
            for k in product(*map(range, layer.kernel_size)):
                spread = getattr(layer, "input_dilation", None)
                mode = getattr(layer, "padding_mode", "zeros")
                at = oracles.source(
                    o, k, n, layer.stride, layer.dilation, layer.padding, mode, spread
                )
                if not isinstance(at, str):
                    below[at] += paths
        level = below
    return dict(level)


def boxes(svg):
    """Name → (kind, shape), of every box."""
    return {
        rect.get("data-name"): (rect.get("data-kind"), rect.get("data-shape"))
        for rect in parsed(svg).iter(f"{SVG}rect")
        if rect.get("data-name") is not None
    }


def arrows(svg):
    """(from, to) of every edge."""
    return [
        (path.get("data-from"), path.get("data-to"))
        for path in parsed(svg).iter(f"{SVG}path")
        if path.get("data-from") is not None
    ]


def counted(svg):
    """Place → count, as a heat map's or bars' hover texts say."""
    found = {}
    for title in parsed(svg).iter(f"{SVG}title"):
        place, colon, count = (title.text or "").partition(": ")
        if colon and count.isdigit():
            found[integers(place.strip("()"))] = int(count)
    return found


def small(layer, size):
    op = layer.operator(size)
    return op.nnz <= 1200 and max(op.shape) <= 200
