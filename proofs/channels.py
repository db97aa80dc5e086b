"""Channels and groups: a block structure on top of the triples, for all values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

import symconv as sc
from symconv.matrices import symbols
from symconv.proving import all_values
from symconv.proving.claims import SAMPLES, block_diagonal, built, flattened, kronecker

Array = npt.NDArray[Any]
MODES = ("zeros", "circular", "reflect")


@all_values(
    "channels.im2col",
    box={"layer": tuple(SAMPLES), "mode": MODES},
    words="A convolution is A = (W ⊗ I)·P for all weights: P has rows (channel, tap, output) of "
    "0 and at most one 1, W rows of weights (channel, tap), block diagonal for groups.",
    latex=r"A = (W \otimes I_{O})\,P,\qquad P = I_{C} \otimes U",
    source="K. Chellapilla, S. Puri, P. Simard (2006), High performance convolutional neural "
    "networks for document processing, with borders and groups",
    near_miss="(I ⊗ W)·P, the rows of P in the order (channel, output, tap)",
    concludes="triples",
)
def im2col(layer: str, mode: str) -> sc.Verdict:
    return _patches(layer, mode, outputs_last=True)


@im2col.near_miss_claim()
def im2col_in_another_order(layer: str, mode: str) -> sc.Verdict:
    return _patches(layer, mode, outputs_last=False)


def _patches(name: str, mode: str, *, outputs_last: bool) -> sc.Verdict:
    conv, size = built(SAMPLES[name], padding_mode=mode)
    unfold = sc.Unfold(
        conv.kernel_size,
        stride=conv.stride,
        dilation=conv.dilation,
        padding=conv.padding,
        padding_mode=mode,
    )
    operator = conv.operator(size)
    patches = kronecker(sympy.eye(conv.in_channels), unfold.operator(size).exact())
    weight = block_diagonal(operator.weight_symbols(), conv.groups)
    matrix = sympy.Matrix(weight.reshape(conv.out_channels, -1))
    unit = sympy.eye(math.prod(conv.output_size(size)))
    lifted = kronecker(matrix, unit) if outputs_last else kronecker(unit, matrix)
    return sc.same_operator(operator, lifted * patches)


@all_values(
    "channels.grouped",
    box={"layer": ("grouped", "depthwise"), "form": ("dense", "direct sum"), "mode": MODES},
    words="A grouped convolution is the one of a single group whose kernel is block diagonal, and "
    "the direct sum of one convolution per group.",
    latex=r"A_{G}(w) = A_{1}(\mathrm{diag}(w_1,\ldots,w_G)) = A(w_1) \oplus \cdots \oplus A(w_G)",
    source="A. Krizhevsky, I. Sutskever, G. Hinton (2012), section 3.2, in exact terms",
    near_miss="group g takes the channels c ≡ g mod G",
    concludes="triples",
)
def grouped(layer: str, form: str, mode: str) -> sc.Verdict:
    conv, size = built(SAMPLES[layer], padding_mode=mode)
    operator = conv.operator(size)
    weight = operator.weight_symbols()
    if form == "dense":
        dense, _ = built(SAMPLES[layer], padding_mode=mode, groups=1)
        whole = dense.operator(size).exact(block_diagonal(weight, conv.groups))
        return sc.same_operator(operator, whole)
    inputs, outputs = conv.in_channels // conv.groups, conv.out_channels // conv.groups
    options = {**SAMPLES[layer][3], "groups": 1, "padding_mode": mode}
    part = sc.Conv(inputs, outputs, conv.kernel_size, bias=False, **options).operator(size)
    parts = [part.exact(w) for w in np.split(weight, conv.groups)]
    return sc.same_operator(operator, sympy.diag(*parts))


@grouped.near_miss_claim(box={"layer": ("grouped", "depthwise")})
def grouped_by_remainder(layer: str) -> sc.Verdict:
    conv, size = built(SAMPLES[layer])
    operator = conv.operator(size)
    dense = block_diagonal(operator.weight_symbols(), conv.groups)
    # Channel (g, c) of the blocks comes from channel (c, g) of the input.
    order = np.arange(conv.in_channels).reshape(conv.groups, -1).T.ravel()
    whole, _ = built(SAMPLES[layer], groups=1)
    return sc.same_operator(operator, whole.operator(size).exact(dense[:, np.argsort(order)]))


@all_values(
    "channels.parallel-groups",
    box={
        # Channels per group and groups, of the first layer and of the second.
        "inputs": (1, 2, 3),
        "inputs2": (1, 2, 3),
        "outputs": (1, 2),
        "outputs2": (1, 2),
        "groups": (1, 2),
        "groups2": (1, 2),
    },
    words="Two grouped convolutions side by side, each on channels of its own, are one with G₁+G₂ "
    "groups exactly when both have as many channels per group, in and out.",
    latex=r"A_{G_1}(w) \oplus A_{G_2}(v) = A_{G_1+G_2}(w,v) \iff "
    r"\tfrac{C_1}{G_1}=\tfrac{C_2}{G_2},\ \tfrac{O_1}{G_1}=\tfrac{O_2}{G_2}",
    source="symconv (grouped concatenation as shipped by compilers)",
    near_miss="exactly when G₁+G₂ divides the sums of the channels",
    concludes="triples",
)
def parallel_groups(**setting: int) -> bool:
    alike = setting["inputs"] == setting["inputs2"] and setting["outputs"] == setting["outputs2"]
    return _fits_groups(**setting) == alike


@parallel_groups.near_miss_claim()
def parallel_groups_by_totals(**setting: int) -> bool:
    groups = setting["groups"] + setting["groups2"]
    totals = [
        setting[name] * setting["groups"] + setting[name + "2"] * setting["groups2"]
        for name in ("inputs", "outputs")
    ]
    return _fits_groups(**setting) == all(total % groups == 0 for total in totals)


def _fits_groups(
    inputs: int, inputs2: int, outputs: int, outputs2: int, groups: int, groups2: int
) -> bool:
    """Whether the direct sum of two grouped layers has entries only where one layer has them."""
    first = sc.Conv1d(inputs * groups, outputs * groups, 1, groups=groups, bias=False)
    second = sc.Conv1d(inputs2 * groups2, outputs2 * groups2, 1, groups=groups2, bias=False)
    channels = (
        first.in_channels + second.in_channels,
        first.out_channels + second.out_channels,
    )
    total = groups + groups2
    if any(count % total for count in channels):
        return False
    joined = sc.Conv1d(*channels, 1, groups=total, bias=False).operator((1,)).exact()
    parts = [layer.operator((1,)).exact() for layer in (first, second)]
    return set(sympy.SparseMatrix(sympy.diag(*parts)).todok()) == set(joined.todok())


@all_values(
    "channels.stacked-kernels",
    box={"layer": ("plain", "strided", "two axes"), "mode": MODES},
    words="Several convolutions of one input are one with their kernels stacked, output channels "
    "one after the other (one group).",
    latex=r"\begin{pmatrix} A(w) \\ A(v) \end{pmatrix} = A\begin{pmatrix} w \\ v \end{pmatrix}",
    source="symconv (multi-head and inception layers fused)",
    near_miss="the same for grouped convolutions",
    concludes="triples",
)
def stacked_kernels(layer: str, mode: str) -> sc.Verdict:
    return _stacked(layer, mode)


@stacked_kernels.near_miss_claim(box={"layer": ("grouped",), "mode": MODES})
def stacked_groups(layer: str, mode: str) -> sc.Verdict:
    return _stacked(layer, mode)


def _stacked(name: str, mode: str) -> sc.Verdict:
    conv, size = built(SAMPLES[name], padding_mode=mode)
    both, _ = _with_channels(name, conv.in_channels, 2 * conv.out_channels, padding_mode=mode)
    operator = conv.operator(size)
    w, v = (symbols(letter, operator.weight_shape or ()) for letter in "wv")
    stack = operator.exact(w).col_join(operator.exact(v))
    return sc.same_operator(stack, both.operator(size).exact(np.concatenate([w, v])))


def _with_channels(
    name: str, inputs: int, outputs: int, **changes: Any
) -> tuple[sc.Conv, tuple[int, ...]]:
    _, _, kernel, options, size = SAMPLES[name]
    return sc.Conv(inputs, outputs, kernel, **{"bias": False, **options, **changes}), size


@all_values(
    "channels.concatenated-channels",
    box={"layer": ("plain", "strided", "two axes")},
    words="The sum of two convolutions is one convolution of the inputs put one after the other, "
    "the kernels side by side; its bias is the sum of the two.",
    latex=r"A(w)\,x+b+A(v)\,x'+b' = A(w\ v)\begin{pmatrix} x \\ x' \end{pmatrix}+(b+b')",
    source="symconv",
    near_miss="a bias that both share is added once",
    concludes="values",
)
def concatenated_channels(layer: str) -> sc.Verdict:
    return _concatenated(layer, shared=False)


@concatenated_channels.near_miss_claim()
def concatenated_with_one_bias(layer: str) -> sc.Verdict:
    return _concatenated(layer, shared=True)


def _concatenated(name: str, *, shared: bool) -> sc.Verdict:
    conv, size = built(SAMPLES[name], bias=True)
    both, _ = _with_channels(name, 2 * conv.in_channels, conv.out_channels, bias=True)
    operator, joined = conv.operator(size), both.operator(size)
    xs, ws = (symbols(letter, operator.input_shape) for letter in "xy"), "wv"
    inputs, weights = list(xs), [symbols(letter, operator.weight_shape or ()) for letter in ws]
    b, c = (symbols(letter, (conv.out_channels,)) for letter in "bc")
    biases = [b, b if shared else c]
    total = sum(
        operator.apply(x, w, bias) for x, w, bias in zip(inputs, weights, biases, strict=True)
    )
    once = b if shared else b + c
    y = joined.apply(np.concatenate(inputs), np.concatenate(weights, axis=1), once)
    return sc.same_operator(flattened(total), flattened(y))


@all_values(
    "channels.normalisation",
    box={"kind": ("conv", "transposed"), "groups": (1, 2)},
    words="A scale a and a shift t per output channel after a layer (batch normalisation with "
    "constant statistics) are the layer with weights a·w and bias a·b + t. A transposed layer has "
    "weights (in, out/groups): output channel g·O/G + j is entry j of the inputs of group g.",
    latex=r"a\,(A(w)\,x+b)+t = A(a\,w)\,x+(a\,b+t)",
    source="S. Ioffe, C. Szegedy (2015), section 3.2; B. Jacob et al. (2018), arXiv:1712.05877, "
    "section 3.2, with groups and transposed layers",
    near_miss="entry j of the weights of a transposed layer takes the scale of channel j",
    concludes="values",
)
def normalisation(kind: str, groups: int) -> sc.Verdict:
    return _normalised(kind, groups, groups)


@normalisation.near_miss_claim(box={"kind": ("transposed",), "groups": (1, 2)})
def normalisation_without_groups(kind: str, groups: int) -> sc.Verdict:
    return _normalised(kind, groups, 1)


def _normalised(kind: str, groups: int, counted: int) -> sc.Verdict:
    """The layer scaled afterwards against the layer with scaled weights."""
    cls = sc.ConvTranspose if kind == "transposed" else sc.Conv
    operator = cls(4, 4, (2,), stride=2, padding=1, groups=groups).operator((3,))
    x, b = symbols("x", operator.input_shape), symbols("b", (4,))
    weight, scale, shift = operator.weight_symbols(), symbols("a", (4,)), symbols("t", (4,))
    after = operator.apply(x, weight, b) * scale[:, None] + shift[:, None]
    scaled = np.array(weight, dtype=object)
    for first, second in np.ndindex(*weight.shape[:2]):
        channel = first
        if kind == "transposed":
            group = first // (4 // groups) if counted > 1 else 0
            channel = group * weight.shape[1] + second
        scaled[first, second] = weight[first, second] * scale[channel]
    return sc.same_operator(
        flattened(after), flattened(operator.apply(x, scaled, scale * b + shift))
    )
