"""Step diagrams read back from their SVG, and the triples that naive loops say they must show."""

from __future__ import annotations

from itertools import product
from xml.etree import ElementTree

import oracles

import symconv as sc

RECT = "{http://www.w3.org/2000/svg}rect"


def place_of(text):
    return tuple(int(part) for part in text.split(",")) if text else None


def parsed(svg):
    return ElementTree.fromstring(svg)  # noqa: S314 - made by the code under test


def rects(svg):
    return list(parsed(svg).iter(RECT))


def corner(rect):
    return float(rect.get("x")), float(rect.get("y")), float(rect.get("width"))


def cells(svg):
    """(grid, place) → (kind, index, where it stands)."""
    found = {}
    for rect in rects(svg):
        if rect.get("data-kind"):
            key = rect.get("data-grid"), place_of(rect.get("data-place"))
            assert key not in found, "a cell is drawn once"
            found[key] = rect.get("data-kind"), place_of(rect.get("data-index")), corner(rect)
    return found


def marks(svg):
    """(grid, place, index, role, taps, where it stands) of every mark."""
    return [
        (
            rect.get("data-grid"),
            place_of(rect.get("data-place")),
            place_of(rect.get("data-index")),
            rect.get("data-role"),
            [place_of(tap) for tap in rect.get("data-tap", "").split()],
            corner(rect),
        )
        for rect in rects(svg)
        if rect.get("data-role")
    ]


def triples_of(svg):
    """The current cell (its side and index) and the triples (output, tap, input) of one frame.

    Every mark must stand on a cell that is drawn, and show that cell's stored number.
    """
    base, found = cells(svg), []
    (current,) = [(grid, index) for grid, _, index, role, *_ in marks(svg) if role == "current"]
    for grid, place, index, role, taps, where in marks(svg):
        if (grid, place) in base:
            kind, stored, stands = base[grid, place]
            assert where == stands, "a mark stands on its cell"
            if role != "outside":
                assert index == stored
                assert kind in ("sample", "repeat", "cropped")
        else:
            assert role == "outside", "only a tap on nothing may lie on no cell"
        if role in ("read", "write"):
            assert grid != current[0]
            assert role == ("read" if grid == "input" else "write")
            pairs = [(current[1], index), (index, current[1])][role == "write"]
            found += [(pairs[0], tap, pairs[1]) for tap in taps]
    return current, sorted(found)


def check_frame(svg, triples):
    """A frame shows exactly the triples of its current cell."""
    (side, index), found = triples_of(svg)
    at = 0 if side == "output" else 2
    assert found == sorted(triple for triple in triples if triple[at] == index)


def conv_triples(layer, size, channels=False):
    """(output, tap, input) of a convolution, one after the other."""
    padding = [amounts(layer, axis, n) for axis, n in enumerate(size)]
    rules = layer.stride, layer.dilation, padding
    outs = oracles.out_size(size, layer.kernel_size, *rules, layer.input_dilation)
    found = []
    for o in positions(outs):
        for k in positions(layer.kernel_size):
            i = oracles.source(o, k, size, *rules, layer.padding_mode, layer.input_dilation)
            if not isinstance(i, str):
                found.append((o, k, i))
    return with_channels(found, layer) if channels else found


def transpose_triples(layer, size, channels=False):
    """(output, tap, input) of a transposed convolution: every input written everywhere."""
    rules = layer.stride, layer.dilation, layer.padding
    outs = oracles.transpose_out_size(size, layer.kernel_size, *rules, layer.output_padding)
    found = []
    for i in positions(size):
        for k in positions(layer.kernel_size):
            o = oracles._targets(i, k, outs, *rules)
            if o is not None:
                found.append((o, k, i))
    return with_channels(found, layer) if channels else found


def pool_triples(layer, size):
    """(output, tap, input) of a pooling, by its data cells."""
    rules = layer.kernel_size, layer.stride, layer.dilation, layer.padding
    found = []
    for o, data, _ in oracles._pool_windows(size, *rules, layer.ceil_mode):
        for k in positions(layer.kernel_size):
            cell = tuple(
                s * at + d * tap - lo
                for at, tap, s, d, (lo, _) in zip(o, k, *rules[1:], strict=True)
            )
            if cell in data:
                found.append((o, k, cell))
    return found


def adaptive_triples(size, outs):
    """(output, tap, input) of adaptive windows: taps are counted from each window's start."""
    axes = [oracles.adaptive_windows(n, m) for n, m in zip(size, outs, strict=True)]
    return [
        (o, tuple(i - window[0] for i, window in zip(cell, windows, strict=True)), cell)
        for o in positions(outs)
        for windows in [[axis[at] for axis, at in zip(axes, o, strict=True)]]
        for cell in product(*windows)
    ]


def with_channels(triples, layer):
    """The same for every pair of channels of one group."""
    per_in, per_out = layer.in_channels // layer.groups, layer.out_channels // layer.groups
    return [
        ((co, *o), k, (ci, *i))
        for co in range(layer.out_channels)
        for ci in range(layer.in_channels)
        if co // per_out == ci // per_in
        for o, k, i in triples
    ]


def amounts(layer, axis, n):
    relation = layer.relation(axis, n)
    return relation.pad_lo, relation.pad_hi


def positions(size):
    return list(product(*(range(n) for n in size)))


def incidence_triples(operator):
    """(output, tap, input) as the incidence lists them, turned for a transposed operator."""
    if isinstance(operator, sc.Operator):
        windows, turned = operator.oriented.linear.incidence, operator.oriented.transposed
    else:
        windows, turned = operator.windows, False
    outs, taps, ins = (
        positions(size) for size in (windows.output_size, windows.kernel_size, windows.input_size)
    )
    found = [(outs[o], taps[k], ins[i]) for o, k, i in zip(*windows.triples(), strict=True)]
    return [(i, k, o) for o, k, i in found] if turned else found
