"""Derivatives of one layer for all values, by differentiating what it computes.

The index statements behind them, for all sizes, are in ``gradients.py``; layers in a row and other
operators in ``backpropagation.py``. Sizes are small and use every parameter; inputs, weights and
arriving gradients are symbols.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

import symconv as sc
from symconv.incidence import Incidence
from symconv.matrices import symbols
from symconv.proving import all_values
from symconv.proving.claims import dot, is_gradient, polynomials, symbolic
from symconv.verdict import Verdict

Array = npt.NDArray[Any]

#: Name → (layer, input size); no bias.
LAYERS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "plain": (sc.Conv(1, 1, (2,), bias=False), (3,)),
    "strided, dilated, uneven padding": (
        sc.Conv(2, 1, (2,), stride=2, dilation=2, padding=((2, 1),), bias=False),
        (4,),
    ),
    "unread end, crop": (sc.Conv(1, 2, (2,), stride=3, padding=((-1, 1),), bias=False), (6,)),
    "input dilation": (
        sc.Conv(1, 1, (3,), stride=2, input_dilation=3, padding=1, bias=False),
        (3,),
    ),
    "grouped, circular": (
        sc.Conv(2, 4, (2, 1), groups=2, padding=1, padding_mode="circular", bias=False),
        (2, 1),
    ),
    "reflect": (sc.Conv(1, 1, (3,), padding=3, padding_mode="reflect", bias=False), (3,)),
    "symmetric": (
        sc.Conv(1, 1, (2, 2), stride=(2, 1), padding=1, padding_mode="symmetric", bias=False),
        (2, 2),
    ),
    "replicate": (sc.Conv(1, 1, (3,), padding=2, padding_mode="replicate", bias=False), (3,)),
    "three axes": (sc.Conv(1, 1, (2, 1, 2), stride=(1, 2, 1), bias=False), (2, 2, 2)),
    "transposed": (
        sc.ConvTranspose(2, 2, (3,), stride=2, padding=((1, 0),), output_padding=1, bias=False),
        (2,),
    ),
}
BOX = {"layer": tuple(LAYERS)}


def _bound(layer: str) -> tuple[Any, Array, Array, Array]:
    """The operator with symbolic input x, weights w and arriving gradient y."""
    chosen, size = LAYERS[layer]
    op = chosen.operator(size)
    return op, *symbolic(op)


def _same(one: Any, other: Any) -> bool:
    """Whether two arrays, of one shape, are equal as polynomials."""
    a, b = polynomials(one, other)
    return a == b


def _flipped(w: Array) -> Array:
    return np.flip(w, axis=tuple(range(2, w.ndim)))


@all_values(
    "derivatives.adjoint",
    box=BOX,
    words="⟨A·x, y⟩ = ⟨x, Aᵀ·y⟩ for all inputs x, weights w and vectors y: strides, dilations, "
    "groups, crops and linear boundaries of any kind. Both sides run without the matrix.",
    latex=r"\langle A(w)\,x,\;y\rangle = \langle x,\;A(w)^{T}y\rangle",
    source="V. Dumoulin, F. Visin (2016), section 4.1; the dot-product test of J. Claerbout, "
    "Earth Soundings Analysis (1992)",
    near_miss="the adjoint with the kernel flipped once more",
    concludes="triples",
)
def adjoint(layer: str) -> bool:
    op, x, w, y = _bound(layer)
    return _same(dot(op.apply(x, w), y), dot(x, op.T.apply(y, w)))


@adjoint.near_miss_claim()
def _adjoint_flipped(layer: str) -> bool:
    op, x, w, y = _bound(layer)
    return _same(dot(op.apply(x, w), y), dot(x, op.T.apply(y, _flipped(w))))


@all_values(
    "derivatives.complex-adjoint",
    box={"layer": ("plain", "strided, dilated, uneven padding", "replicate")},
    words="Over the complex numbers, where ⟨u, v⟩ = Σ u·v̄, the adjoint is the conjugate "
    "transpose: ⟨A·x, y⟩ = ⟨x, Aᴴ·y⟩.",
    latex=r"\langle A\,x,\;y\rangle = \langle x,\;A^{H}y\rangle,\quad "
    r"\langle u,v\rangle=\sum u\,\overline{v}",
    source="symconv",
    near_miss="the transpose without conjugation",
    concludes="values",
)
def complex_adjoint(layer: str) -> bool:
    return _complex(layer, lambda op: op.H)


@complex_adjoint.near_miss_claim()
def _complex_transpose(layer: str) -> bool:
    return _complex(layer, lambda op: op.T)


def _complex(layer: str, turned: Callable[[Any], Any]) -> bool:
    chosen, size = LAYERS[layer]
    op = chosen.operator(size)

    def numbers(name: str, shape: tuple[int, ...]) -> Array:
        # Real symbols, so that SymPy conjugates them.
        real, imaginary = (
            np.vectorize(lambda symbol: sympy.Symbol(str(symbol), real=True), otypes=[object])(
                symbols(name + part, shape)
            )
            for part in "ab"
        )
        return np.asarray(real + sympy.I * imaginary)

    x, w = numbers("x", op.input_shape), numbers("w", op.weight_shape)
    y = numbers("y", op.output_shape)
    left = dot(op.apply(x, w), np.conjugate(y))
    right = dot(x, np.conjugate(turned(op).apply(y, w)))
    # In the ring over ℚ, I is one more symbol, of which I² has been replaced by −1.
    unit = sympy.Symbol("I")
    return _same(*([sympy.expand(side).subs(sympy.I, unit)] for side in (left, right)))


#: The same with a bias, or with padding by a constant: affine layers.
AFFINE: dict[str, tuple[Any, tuple[int, ...]]] = {
    "bias": (sc.Conv(1, 2, (2,), stride=2, padding=1), (3,)),
    "constant padding": (
        sc.Conv(1, 1, (3,), padding=2, padding_mode="constant", padding_value=7, bias=False),
        (2,),
    ),
    "both": (
        sc.Conv(2, 2, (2, 1), groups=2, padding=1, padding_mode="constant", padding_value=-1),
        (1, 1),
    ),
    "transposed, bias": (sc.ConvTranspose(1, 2, (3,), stride=2, output_padding=1), (2,)),
}
AFFINE_BOX = {"layer": tuple(AFFINE)}


def _affine(layer: str) -> tuple[Any, Array, Array, Array | None, Array]:
    """Operator, input, weights, bias or None, and arriving gradient, all symbolic."""
    chosen, size = AFFINE[layer]
    op = chosen.operator(size)
    bias = symbols("b", op.output_shape[:1]) if op.has_bias else None
    x, w, y = (
        symbols(name, shape)
        for name, shape in zip(
            "xwy", (op.input_shape, op.weight_shape, op.output_shape), strict=True
        )
    )
    return op, x, w, bias, y


def _column(values: Array) -> sympy.ImmutableSparseMatrix:
    return sympy.ImmutableSparseMatrix(values.size, 1, list(values.ravel()))


@all_values(
    "derivatives.jacobian",
    box=AFFINE_BOX,
    words="The derivative of a layer's outputs by its inputs is the exact matrix A(w), whatever "
    "the bias and the constant around the input.",
    latex=r"\frac{\partial\,\mathrm{layer}(x)}{\partial x} = A(w)",
    source="the source notes (transposed convolution): with y = W x, dy/dx = W",
    near_miss="the matrix of the flipped kernel",
    concludes="triples",
)
def jacobian(layer: str) -> Verdict:
    op, x, w, bias, _ = _affine(layer)
    return sc.same_operator(_jacobian(op.apply(x, w, bias), x), op.exact(w))


@jacobian.near_miss_claim()
def _jacobian_flipped(layer: str) -> Verdict:
    op, x, w, bias, _ = _affine(layer)
    return sc.same_operator(_jacobian(op.apply(x, w, bias), x), op.exact(_flipped(w)))


def _jacobian(outputs: Array, by: Array) -> sympy.ImmutableSparseMatrix:
    rows = [[sympy.expand(sympy.diff(y, x)) for x in by.ravel()] for y in outputs.ravel()]
    return sympy.ImmutableSparseMatrix(rows)


@all_values(
    "derivatives.affine",
    box=AFFINE_BOX,
    words="A layer with a bias or with constant padding c is affine: layer(x) = A·x + layer(0), "
    "where layer(0) is linear in c and in the bias.",
    latex=r"\mathrm{layer}(x) = A(w)\,x + \mathrm{layer}(0)",
    source="symconv",
    near_miss="it is linear",
    concludes="values",
)
def affine(layer: str) -> bool:
    op, x, w, bias, _ = _affine(layer)
    linear = np.array(list(op.exact(w) * _column(x)), dtype=object).reshape(op.output_shape)
    outputs = op.apply(x, w, bias)
    return _same(outputs, linear + op.offset(w, bias)) and _same(
        op.offset(w, bias), op.apply(0 * x, w, bias)
    )


@affine.near_miss_claim()
def _linear(layer: str) -> bool:
    op, x, w, bias, _ = _affine(layer)
    linear = np.array(list(op.exact(w) * _column(x)), dtype=object).reshape(op.output_shape)
    return _same(op.apply(x, w, bias), linear)


@all_values(
    "derivatives.bilinear",
    box={"layer": tuple(name for name in LAYERS if name != "three axes")},
    words="Without bias and constant padding the output is linear in x for fixed w, and linear "
    "in w for fixed x: for numbers α and β, A(w)(αx + βx′) and A(αw + βw′)x split.",
    latex=r"A(w)(\alpha x+\beta x') = \alpha A(w)x + \beta A(w)x',\quad "
    r"A(\alpha w+\beta w')x = \alpha A(w)x + \beta A(w')x",
    source="symconv",
    near_miss="the same with constant padding",
    concludes="values",
)
def bilinear(layer: str) -> bool:
    return _is_bilinear(*LAYERS[layer])


@bilinear.near_miss_claim({"layer": ("constant padding",)})
def _bilinear_constant(layer: str) -> bool:
    return _is_bilinear(*AFFINE[layer])


def _is_bilinear(layer: Any, size: tuple[int, ...]) -> bool:
    op = layer.operator(size)
    x, x2 = symbols("x", op.input_shape), symbols("u", op.input_shape)
    w, w2 = symbols("w", op.weight_shape), symbols("v", op.weight_shape)
    alpha, beta = sympy.symbols("alpha beta")
    of_x = alpha * op.apply(x, w) + beta * op.apply(x2, w)
    of_w = alpha * op.apply(x, w) + beta * op.apply(x, w2)
    return _same(op.apply(alpha * x + beta * x2, w), of_x) and _same(
        op.apply(x, alpha * w + beta * w2), of_w
    )


@all_values(
    "derivatives.input-gradient",
    box=AFFINE_BOX,
    words="The gradient of ⟨y, layer(x)⟩ by the input is Aᵀ·y: neither the bias nor a constant "
    "around the input takes part.",
    latex=r"\nabla_x \langle y,\;\mathrm{layer}(x)\rangle = A(w)^{T}y",
    source="V. Dumoulin, F. Visin (2016), section 4.1",
    near_miss="the transpose taken with the kernel flipped",
    concludes="values",
    corollary_of="derivatives.jacobian",
)
def input_gradient(layer: str) -> bool:
    op, x, w, bias, y = _affine(layer)
    return is_gradient(op.T.apply(y, w), dot(y, op.apply(x, w, bias)), x)


@input_gradient.near_miss_claim()
def _input_gradient_unflipped(layer: str) -> bool:
    op, x, w, bias, y = _affine(layer)
    return is_gradient(op.T.apply(y, _flipped(w)), dot(y, op.apply(x, w, bias)), x)


@all_values(
    "derivatives.weight-gradient",
    box={"layer": (*LAYERS, *AFFINE)},
    words="The derivative of ⟨y, layer(x)⟩ by the weight of tap k is Σ y[o]·x[i] over the triples "
    "(o, k, i); where a tap reads constant padding c, it counts with c. A batch adds up.",
    latex=r"\frac{\partial}{\partial w[k]}\langle y,\;A(w)x\rangle=\sum_{(o,k,i)\in C} y[o]\,x[i]",
    source="symconv; the sum over the batch as in automatic differentiation",
    near_miss="constant padding counts as zero",
    concludes="values",
)
def weight_gradient(layer: str) -> bool:
    chosen, size = {**LAYERS, **AFFINE}[layer]
    op = chosen.operator(size)
    x, y = symbols("x", (2, *op.input_shape)), symbols("y", (2, *op.output_shape))
    w = symbols("w", op.weight_shape)
    bias = [0] * op.output_shape[0] if op.has_bias else None
    return is_gradient(op.weight_gradient(x, y), dot(y, op.apply(x, w, bias)), w)


@weight_gradient.near_miss_claim({"layer": ("constant padding",)})
def _weight_gradient_of_zeros(layer: str) -> bool:
    op, x, w, bias, y = _affine(layer)
    chosen, size = AFFINE[layer]
    zeros = sc.Conv(1, 1, chosen.kernel_size, padding=chosen.padding, bias=False).operator(size)
    return is_gradient(zeros.weight_gradient(x, y), dot(y, op.apply(x, w, bias)), w)


@all_values(
    "derivatives.bias-gradient",
    box={"layer": tuple(name for name in AFFINE if name != "constant padding")},
    words="The derivative of ⟨y, layer(x)⟩ by the bias of output channel c is the sum of y over "
    "that channel's positions (and over the batch).",
    latex=r"\frac{\partial}{\partial b[c]}\langle y,\;\mathrm{layer}(x)\rangle=\sum_{o} y[c,o]",
    source="symconv",
    near_miss="their mean",
    concludes="values",
)
def bias_gradient(layer: str) -> bool:
    return _bias_sums(layer, lambda positions: 1)


@bias_gradient.near_miss_claim()
def _bias_means(layer: str) -> bool:
    return _bias_sums(layer, lambda positions: sympy.Rational(1, positions))


def _bias_sums(layer: str, factor: Callable[[int], Any]) -> bool:
    op, x, w, bias, y = _affine(layer)
    if bias is None:
        return False
    sums = np.array([factor(part.size) * sum(part.ravel()) for part in y], dtype=object)
    return is_gradient(sums, dot(y, op.apply(x, w, bias)), bias)


@all_values(
    "derivatives.hessian",
    box={"layer": ("plain", "strided, dilated, uneven padding", "unread end, crop", "replicate")},
    words="⟨y, A(w)x⟩ has no second derivative by x twice or by w twice; that by w[k] and x[i] is "
    "the sum of y[o] over the triples (o, k, i) of the two, on each pair of channels.",
    latex=r"\frac{\partial^{2}\langle y,A(w)x\rangle}{\partial w[k]\,\partial x[i]}"
    r"=\sum_{o:\,(o,k,i)\in C} y[o]",
    source="symconv",
    near_miss="each mixed derivative is a single y[o], or 0",
    concludes="triples",
)
def hessian(layer: str) -> bool:
    return all(_same(found, expected) for found, expected in _mixed(layer))


@hessian.near_miss_claim()
def _hessian_single(layer: str) -> bool:
    return all(found == 0 or found.is_Symbol for found, _ in _mixed(layer))


def _mixed(layer: str) -> list[tuple[Any, Any]]:
    """Second derivatives with what they must be, for every pair of variables."""
    op, x, w, y = _bound(layer)
    scalar = sympy.expand(dot(y, op.apply(x, w)))
    chosen, size = LAYERS[layer]
    triples = list(zip(*Incidence(chosen.geometry(size)).triples(), strict=True))
    pairs = [(sympy.diff(scalar, a, b), 0) for side in (x, w) for a in side.flat for b in side.flat]
    for (out, channel, tap), weight in np.ndenumerate(w):
        for (at, sample), value in np.ndenumerate(x):
            met = [y[out, o] for o, k, i in triples if (k, i) == (tap, sample) and at == channel]
            pairs.append((sympy.diff(scalar, weight, value), sum(met)))
    return pairs
