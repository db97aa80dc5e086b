"""Gradients through more than one convolution for all values: chain rule, losses, other operators.

Both sides are polynomials in symbolic inputs, weights and arriving gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy.typing as npt
import sympy

import symconv as sc
from symconv.matrices import symbols
from symconv.proving import all_values
from symconv.proving.claims import dot, is_gradient, symbolic
from symconv.verdict import Verdict

Array = npt.NDArray[Any]


@all_values(
    "backpropagation.chain-rule",
    box={"second": ("zeros", "circular"), "stride": (1, 2)},
    words="Two layers in a row, f(x) = A₂(w₂)·A₁(w₁)·x: the gradient by x runs the transposes "
    "backwards, that by w₁ is the first layer's weight gradient of x and A₂ᵀ·y, that by w₂ the "
    "second one's of A₁·x and y.",
    latex=r"\nabla_x\langle y,A_2A_1x\rangle=A_1^{T}A_2^{T}y,\quad "
    r"\nabla_{w_1}=G_1(x,A_2^{T}y),\quad \nabla_{w_2}=G_2(A_1x,y)",
    source="D. Rumelhart, G. Hinton, R. Williams, Learning representations by back-propagating "
    "errors (1986)",
    near_miss="the second layer passes y back with its kernel flipped once more",
    concludes="values",
)
def chain_rule(second: str, stride: int) -> bool:
    return _chained(second, stride, lambda w: w)


@chain_rule.near_miss_claim()
def _chain_rule_flipped(second: str, stride: int) -> bool:
    return _chained(second, stride, lambda v: v[..., ::-1])


def _chained(second: str, stride: int, back: Callable[[Array], Array]) -> bool:
    first = sc.Conv(1, 2, (2,), stride=stride, padding=((0, 1),), bias=False).operator((3,))
    later = sc.Conv(2, 1, (2,), padding=1, padding_mode=second, bias=False)
    last = later.operator(first.output_shape[1:])
    x, w, _ = symbolic(first)
    v, y = symbols("v", (1, 2, 2)), symbols("y", last.output_shape)
    middle = first.apply(x, w)
    scalar = dot(y, last.apply(middle, v))
    arrived = last.T.apply(y, back(v))
    return (
        is_gradient(first.T.apply(arrived, w), scalar, x)
        and is_gradient(first.weight_gradient(x, arrived), scalar, w)
        and is_gradient(last.weight_gradient(middle, y), scalar, v)
    )


@all_values(
    "backpropagation.transposed-layer",
    box={"stride": (1, 2), "dilation": (1, 2), "lo": (-1, 0, 1), "op": (0, 1, 2)},
    words="The derivative of a transposed layer by its input, transposed, is a convolution with "
    "the same weights: the one with padding (lo, hi − op), here hi = 1.",
    latex=r"\left(\frac{\partial\,\mathrm{ConvTranspose}(x)}{\partial x}\right)^{T}"
    r"=\mathrm{Conv}(p_{lo},\,p_{hi}-op)",
    source="symconv; derived by differentiation, where transposed.is-a-transpose compares triples",
    near_miss="the convolution with padding (lo, hi), also when op reaches the stride",
    concludes="triples",
)
def transposed_layer(stride: int, dilation: int, lo: int, op: int) -> Verdict | None:
    return _transposed(stride, dilation, (lo, 1), op, 1 - op)


@transposed_layer.near_miss_claim()
def _transposed_as_named(stride: int, dilation: int, lo: int, op: int) -> Verdict | None:
    return _transposed(stride, dilation, (lo, 1), op, 1)


def _transposed(
    stride: int, dilation: int, padding: tuple[int, int], op: int, conv_hi: int
) -> Verdict | None:
    layer = sc.ConvTranspose(
        1,
        2,
        (2,),
        stride=stride,
        dilation=dilation,
        padding=(padding,),
        output_padding=op,
        bias=False,
    )
    if layer.relation(0).input_size(2) < 1:
        return None
    operator = layer.operator((2,))
    conv = sc.Conv(
        2, 1, (2,), stride=stride, dilation=dilation, padding=((padding[0], conv_hi),), bias=False
    )
    x, w, _ = symbolic(operator)
    outputs = sympy.Matrix(list(operator.apply(x, w).ravel()))
    derivative = outputs.jacobian(list(x.ravel()))
    return sc.same_operator(derivative.T, conv.operator(operator.output_shape[1:]).exact(w))


#: Convolutions whose input and output have the same size.
SQUARE = {
    "zeros": sc.Conv(1, 1, (3,), padding=1, bias=False),
    "replicate": sc.Conv(1, 1, (2,), padding=((1, 0),), padding_mode="replicate", bias=False),
    "transposed": sc.ConvTranspose(1, 1, (3,), padding=1, bias=False),
}


@all_values(
    "backpropagation.least-squares",
    box={"layer": tuple(SQUARE)},
    words="The gradient of ½‖A·x − y‖² by x is Aᵀ(A·x − y), that by the weights is the weight "
    "gradient of x and A·x − y.",
    latex=r"\nabla_x\tfrac12\lVert Ax-y\rVert^{2}=A^{T}(Ax-y)",
    source="symconv; the normal equations of deconvolution",
    near_miss="Aᵀ·A·x − y: the data is subtracted after the transpose",
    concludes="values",
)
def least_squares(layer: str) -> bool:
    op, x, w, y, loss = _loss(layer)
    residual = op.apply(x, w) - y
    return is_gradient(op.T.apply(residual, w), loss, x) and is_gradient(
        op.weight_gradient(x, residual), loss, w
    )


@least_squares.near_miss_claim()
def _subtracted_later(layer: str) -> bool:
    op, x, w, y, loss = _loss(layer)
    return is_gradient(op.T.apply(op.apply(x, w), w) - y, loss, x)


def _loss(layer: str) -> tuple[Any, Array, Array, Array, Any]:
    op = SQUARE[layer].operator((2,))
    x, w, y = symbolic(op)
    residual = op.apply(x, w) - y
    return op, x, w, y, dot(residual, residual) / 2


@all_values(
    "backpropagation.average-pool",
    box={"n": (3, 4, 5), "stride": (1, 2), "ceil": (False, True), "counted": (False, True)},
    words="The gradient of average pooling sends y[o], divided by the cells that counted in "
    "window o, to each sample of that window.",
    latex=r"\frac{\partial\langle y,\mathrm{avg}(x)\rangle}{\partial x[i]}"
    r"=\sum_{(o,k,i)\in C}\frac{y[o]}{N_o}",
    source="pytorch#198119 and PR#29631 of onnxruntime; PyTorch, torch.nn.AvgPool2d",
    near_miss="every window divides by the K cells of the kernel",
    concludes="values",
)
def average_pool(n: int, stride: int, ceil: bool, counted: bool) -> bool:
    return _averaged(n, stride, ceil, counted, None)


@average_pool.near_miss_claim()
def _average_pool_constant(n: int, stride: int, ceil: bool, counted: bool) -> bool:
    return _averaged(n, stride, ceil, counted, 2)


def _averaged(n: int, stride: int, ceil: bool, counted: bool, divisor: int | None) -> bool:
    layer = sc.AvgPool(
        (2,), stride=stride, padding=((0, 1),), ceil_mode=ceil, count_include_pad=counted
    )
    op = layer.operator((n,))
    other = sc.AvgPool(
        (2,), stride=stride, padding=((0, 1),), ceil_mode=ceil, divisor_override=divisor
    )
    back = op if divisor is None else other.operator((n,))
    x, _, y = symbolic(op)
    return is_gradient(back.T.apply(y), dot(y, op.apply(x)), x)


@all_values(
    "backpropagation.padding-folds-back",
    box={"mode": ("circular", "reflect", "symmetric", "replicate"), "lo": (0, 2), "stride": (1, 2)},
    words="A convolution with padding is the bare one after a padding layer, A = C·P, so its "
    "adjoint is Pᵀ·Cᵀ: the gradient on the padded axis, folded back into the samples.",
    latex=r"A = C\,P,\qquad A^{T} = P^{T}C^{T}",
    source="symconv",
    near_miss="the gradient on the padding is cut off, as with zeros",
    concludes="triples",
)
def padding_folds_back(mode: str, lo: int, stride: int) -> Verdict:
    return _folded(mode, mode, lo, stride)


@padding_folds_back.near_miss_claim()
def _padding_cut_off(mode: str, lo: int, stride: int) -> Verdict:
    return _folded(mode, "zeros", lo, stride)


def _folded(mode: str, back: str, lo: int, stride: int) -> Verdict:
    padding = ((lo, 1),)
    layer = sc.Conv(1, 1, (2,), stride=stride, padding=padding, padding_mode=mode, bias=False)
    pad = sc.Pad(padding, padding_mode=back).operator((3,))
    bare = sc.Conv(1, 1, (2,), stride=stride, bias=False).operator((4 + lo,))
    product = pad.T.exact() * bare.T.exact()
    return sc.same_operator(layer.operator((3,)).T, product)
