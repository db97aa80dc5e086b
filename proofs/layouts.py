"""The order of things in memory: batches, taps, phases and shuffles as matrices, for all values."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

import symconv as sc
from symconv.boundary import MODES
from symconv.matrices import symbols
from symconv.proving import all_values
from symconv.proving.claims import SAMPLES, block_diagonal, built, flattened, kronecker

Array = npt.NDArray[Any]

LAYERS = SAMPLES | {"padded": (1, 1, (2,), {"padding": ((2, 2),)}, (3,))}


@all_values(
    "layouts.batches",
    box={"layer": tuple(LAYERS), "batch": (1, 2)},
    words="A batch of B inputs is the operator I_B ⊗ A: what the layer does to each, for all "
    "inputs and weights.",
    latex=r"y = (I_{B} \otimes A)\,x",
    source="symconv",
    near_miss="A ⊗ I_B, the batch as the last axis",
    concludes="triples",
)
def batches(layer: str, batch: int) -> sc.Verdict:
    return _batch(layer, batch, first=True)


@batches.near_miss_claim()
def batches_last(layer: str, batch: int) -> sc.Verdict:
    return _batch(layer, batch, first=False)


def _batch(name: str, batch: int, *, first: bool) -> sc.Verdict:
    conv, size = built(LAYERS[name])
    operator = conv.operator(size)
    x = symbols("x", (batch, *operator.input_shape))
    factors = [sympy.eye(batch), operator.exact()]
    lifted = kronecker(*(factors if first else factors[::-1]))
    y = operator.apply(x, operator.weight_symbols())
    return sc.same_operator(flattened(y), lifted * flattened(x))


@all_values(
    "layouts.sum-over-taps",
    box={"layer": tuple(LAYERS), "mode": tuple(MODES)},
    words="A convolution is the sum over its taps of Kronecker products: the weights W_k between "
    "the channels, and on each axis the 0/1 matrix S_k of what tap k reads, borders included.",
    latex=r"A = \sum_{k} W_{k} \otimes S^{(1)}_{k_1} \otimes S^{(2)}_{k_2}",
    source="symconv; boundaries act on each axis alone",
    near_miss="the channels as the last factor (the order of channels-last arrays)",
    concludes="triples",
)
def sum_over_taps(layer: str, mode: str) -> sc.Verdict:
    return _taps(layer, mode, channels_first=True)


@sum_over_taps.near_miss_claim()
def sum_over_taps_channels_last(layer: str, mode: str) -> sc.Verdict:
    return _taps(layer, mode, channels_first=False)


def _taps(name: str, mode: str, *, channels_first: bool) -> sc.Verdict:
    conv, size = built(LAYERS[name], padding_mode=mode)
    operator = conv.operator(size)
    weight = block_diagonal(operator.weight_symbols(), conv.groups)
    axes = [axis_taps(conv, axis, n) for axis, n in enumerate(size)]
    total = sympy.zeros(*operator.shape)
    for tap in np.ndindex(*conv.kernel_size):
        factors = [shifts[k] for shifts, k in zip(axes, tap, strict=True)]
        between = sympy.Matrix(weight[(..., *tap)])
        total += kronecker(between, *factors) if channels_first else kronecker(*factors, between)
    return sc.same_operator(operator, total)


def axis_taps(conv: sc.Conv, axis: int, n: int) -> list[Any]:
    """The 0/1 matrix of what each tap reads on one axis."""
    options = {name: getattr(conv, name)[axis] for name in ("stride", "dilation")}
    line = sc.Conv(
        1,
        1,
        (conv.kernel_size[axis],),
        padding=(conv.padding[axis],),
        padding_mode=conv.padding_mode,
        bias=False,
        **options,
    ).operator((n,))
    taps = np.eye(conv.kernel_size[axis], dtype=int)
    return [line.exact(tap[None, None]) for tap in taps]


@all_values(
    "layouts.kronecker-means-rank-one",
    box={"n": (2, 3), "m": (2, 3)},
    words="The operator of a 2×2 kernel on one channel is a Kronecker product of one matrix per "
    "axis only for kernels of rank 1: the 2×2 minors of its entries, arranged by axis, are those "
    "of the kernel, and 0.",
    latex=r"A = B_h \otimes B_w \iff w_{00}w_{11} = w_{01}w_{10}",
    source="C. F. Van Loan, N. Pitsianis (1993), Approximation with Kronecker products, for the "
    "arrangement",
    near_miss="the same when some tap reads padding only",
    concludes="values",
)
def kronecker_means_rank_one(n: int, m: int) -> bool:
    conv = sc.Conv(1, 1, (2, 2), padding=1, bias=False)
    return _arranged_minors(conv, (n, m)) == _kernel_minors(conv)


@kronecker_means_rank_one.near_miss_claim(box={"n": (1, 2), "m": (1, 2)})
def kronecker_of_any_window(n: int, m: int) -> bool:
    conv = sc.Conv(1, 1, (2, 2), padding=((1, 0), (1, 0)), stride=2, bias=False)
    return _arranged_minors(conv, (n, m)) == _kernel_minors(conv)


def _minors(matrix: Array) -> set[Any]:
    """The 2×2 minors of a matrix, but for their signs and 0."""
    found = set()
    rows = [row for row in set(map(tuple, matrix.tolist())) if any(row)]
    for one, other in product(rows, rows):
        for a, b in product(range(len(one)), repeat=2):
            found.add(sympy.expand(one[a] * other[b] - one[b] * other[a]))
    return {minor for minor in found if minor != 0}


def _arranged_minors(conv: sc.Conv, size: tuple[int, ...]) -> set[Any]:
    """Those of the matrix whose rows are (o, i) of the first axis, its columns of the second."""
    out = conv.output_size(size)
    matrix = np.array(conv.operator(size).exact().tolist(), dtype=object)
    arranged = matrix.reshape(*out, *size).transpose(0, 2, 1, 3)
    return _minors(arranged.reshape(out[0] * size[0], out[1] * size[1]))


def _kernel_minors(conv: sc.Conv) -> set[Any]:
    return _minors(conv.operator((4, 4)).weight_symbols()[0, 0])


@all_values(
    "layouts.pad-first",
    box={"layer": tuple(LAYERS), "mode": tuple(MODES)},
    words="Padding in any mode, each channel alone, and then the convolution without padding is "
    "the convolution with that padding (a constant: its linear part).",
    latex=r"A(p_{lo},p_{hi}) = A(0,0)\,(I_{C} \otimes P_{p_{lo},\,p_{hi}})",
    source="symconv; the Pad layers of every framework",
    near_miss="half of the padding first, half of it in the convolution",
    concludes="triples",
)
def pad_first(layer: str, mode: str) -> sc.Verdict:
    return _padded(layer, mode, share=1)


@pad_first.near_miss_claim(box={"layer": ("padded",), "mode": tuple(MODES)})
def pad_half_first(layer: str, mode: str) -> sc.Verdict:
    return _padded(layer, mode, share=2)


def _padded(name: str, mode: str, *, share: int) -> sc.Verdict:
    """A `share`-th of the padding goes before the convolution, the rest stays in it."""
    conv, size = built(LAYERS[name], padding_mode=mode)
    first = [(lo // share, hi // share) for lo, hi in conv.padding]
    left = [(lo - a, hi - b) for (lo, hi), (a, b) in zip(conv.padding, first, strict=True)]
    pad = sc.Pad(first, padding_mode=mode)
    later, _ = built(LAYERS[name], padding_mode=mode, padding=left)
    padding = kronecker(sympy.eye(conv.in_channels), pad.operator(size).exact())
    both = later.operator(pad.output_size(size)).exact() * padding
    return sc.same_operator(conv.operator(size), both)


SHUFFLED: dict[str, Any] = {
    # Channels in and out, kernel, options, size.
    "one axis": (2, 2, (3,), {"stride": 2, "padding": ((1, 2),)}, (5,)),
    "dilated": (1, 2, (2,), {"stride": 3, "dilation": 2, "padding": ((0, 1),)}, (4,)),
    "two axes": (2, 1, (2, 3), {"stride": (2, 2), "padding": ((1, 0), (0, 0))}, (3, 3)),
}


def moved(before: tuple[int, ...], after: tuple[int, ...], places: Any) -> Any:
    """The 0/1 matrix that takes entry `one` of an array to entry `other` of another."""
    entries = {
        (int(np.ravel_multi_index(other, after)), int(np.ravel_multi_index(one, before))): 1
        for one, other in places
    }
    return sympy.ImmutableSparseMatrix(math.prod(after), math.prod(before), entries)


def divided(values: Any, strides: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Quotients and remainders per axis."""
    pairs = [divmod(int(value), s) for value, s in zip(values, strides, strict=True)]
    return tuple(q for q, _ in pairs), tuple(r for _, r in pairs)


@all_values(
    "layouts.space-to-depth",
    box={"layer": tuple(SHUFFLED)},
    words="A strided convolution of several channels and axes is space-to-depth, channels in the "
    "order (c, r₁, r₂, …), and a convolution of stride 1 with the kernel arranged alike.",
    latex=r"A_{s}(w) = A_{1}(w')\,R_{s},\qquad w'_{o,(c,r),q} = w_{o,c,k} \text{ for } "
    r"d k-p_{lo} = s q+r",
    source="symconv; TensorFlow's space_to_depth has the order (r₁, r₂, c)",
    near_miss="the kernel in PyTorch's order, the samples in TensorFlow's",
    concludes="triples",
    corollary_of="rearrangements.space-to-depth",
)
def space_to_depth(layer: str) -> sc.Verdict:
    return _to_depth(layer, channels_first=True)


@space_to_depth.near_miss_claim()
def space_to_depth_mixed(layer: str) -> sc.Verdict:
    return _to_depth(layer, channels_first=False)


def _to_depth(name: str, *, channels_first: bool) -> sc.Verdict:
    inputs, outputs, kernel, options, size = SHUFFLED[name]
    conv = sc.Conv(inputs, outputs, kernel, bias=False, **options)
    operator, s = conv.operator(size), conv.stride
    relations = [conv.relation(axis) for axis in range(conv.rank)]
    cells = tuple(-(-n // step) for n, step in zip(size, s, strict=True))
    first, _ = divided([r.position(0, 0) for r in relations], s)
    last, _ = divided([r.position(0, r.n_taps - 1) for r in relations], s)
    taps = tuple(b - a + 1 for a, b in zip(first, last, strict=True))
    weight = np.zeros((outputs, inputs, *s, *taps), dtype=object)
    for tap in np.ndindex(*kernel):
        at, phase = divided([r.position(0, k) for r, k in zip(relations, tap, strict=True)], s)
        at = tuple(q - a for q, a in zip(at, first, strict=True))
        place: Any = (slice(None), slice(None), *phase, *at)
        weight[place] = operator.weight_symbols()[(..., *tap)]
    windows = conv.output_size(size)
    dense = sc.Conv(
        inputs * math.prod(s),
        outputs,
        taps,
        padding=[
            (-a, n_out + n_taps - 1 - n + a)
            for a, n_out, n_taps, n in zip(first, windows, taps, cells, strict=True)
        ],
        bias=False,
    ).operator(cells)
    places = []
    for channel, *i in np.ndindex(inputs, *size):
        cell, phase = divided(i, s)
        row = (channel, *phase) if channels_first else (*phase, channel)
        places.append(((channel, *i), (*row, *cell)))
    order = (inputs, *s) if channels_first else (*s, inputs)
    shuffle = moved((inputs, *size), (*order, *cells), places)
    matrix = dense.exact(weight.reshape(outputs, inputs * math.prod(s), *taps)) * shuffle
    return sc.same_operator(operator, matrix)


@all_values(
    "layouts.pixel-shuffle",
    box={"layer": tuple(SHUFFLED)},
    words="A transposed convolution of several channels and axes is a convolution of stride 1, "
    "kernel flipped, to channels in the order (c, r₁, r₂, …), and a pixel shuffle with a crop.",
    latex=r"T_{s}(w) = R_{s}\,A_{1}(w'),\qquad w'_{(c,r),i,K'-1-q} = w_{i,c,k} \text{ for } "
    r"d k = s q+r",
    source="W. Shi et al. (2016), arXiv:1609.05158, section 2.2; ONNX DepthToSpace, modes CRD "
    "(PyTorch's PixelShuffle) and DCR",
    near_miss="the kernel in the order of CRD, the shuffle in that of DCR",
    concludes="triples",
    corollary_of="rearrangements.sub-pixel",
)
def pixel_shuffle(layer: str) -> sc.Verdict:
    return _to_space(layer, channels_first=True)


@pixel_shuffle.near_miss_claim()
def pixel_shuffle_mixed(layer: str) -> sc.Verdict:
    return _to_space(layer, channels_first=False)


def _to_space(name: str, *, channels_first: bool) -> sc.Verdict:
    outputs, inputs, kernel, options, _ = SHUFFLED[name]
    layer = sc.ConvTranspose(inputs, outputs, kernel, bias=False, output_padding=1, **options)
    size = (2,) * layer.rank
    operator, s, d = layer.operator(size), layer.stride, layer.dilation
    last, _ = divided([step * (n - 1) for step, n in zip(d, kernel, strict=True)], s)
    taps = tuple(q + 1 for q in last)
    weight = np.zeros((outputs, *s, inputs, *taps), dtype=object)
    for tap in np.ndindex(*kernel):
        at, phase = divided([step * k for step, k in zip(d, tap, strict=True)], s)
        at = tuple(end - q for end, q in zip(last, at, strict=True))
        place: Any = (slice(None), *phase, slice(None), *at)
        weight[place] = operator.weight_symbols()[(..., *tap)].T
    dense = sc.Conv(
        inputs, outputs * math.prod(s), taps, padding=[(q, q) for q in last], bias=False
    ).operator(size)
    cells = dense.output_shape[1:]
    places = []
    for channel, *y in np.ndindex(*operator.output_shape):
        starts = [at + lo for at, (lo, _) in zip(y, layer.padding, strict=True)]
        cell, phase = divided(starts, s)
        # Rows that output padding appends after the last cell stay empty.
        if all(q < n for q, n in zip(cell, cells, strict=True)):
            row = (channel, *phase) if channels_first else (*phase, channel)
            places.append(((*row, *cell), (channel, *y)))
    order = (outputs, *s) if channels_first else (*s, outputs)
    shuffle = moved((*order, *cells), operator.output_shape, places)
    matrix = shuffle * dense.exact(weight.reshape(outputs * math.prod(s), inputs, *taps))
    return sc.same_operator(operator, matrix)
