"""The source notes on transposed convolution, claim by claim: N1 and N3 to N6.

Each claim is decided as the notes make it. Where it is false, the remark says what holds and
which theorem proves that. The letters are symconv's: s, d, K, lo, hi, op, E = d(K−1)+1, N with
padding.
"""

from __future__ import annotations

from typing import Any

import sympy

import symconv as sc
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    axis,
    between,
    exhaustive,
    iff,
    implies,
    no_claim,
)
from symconv.relation import AxisRelation
from symconv.verdict import Verdict


@all_values(
    "notes_transposed.n1-two-sizes",
    words="A 3×3 kernel takes 4×4 samples to 2×2; with padding 2 it takes 2×2 to 4×4, and with the "
    "kernel flipped that second map is the transpose of the first.",
    latex=r"4-3+1 = 2,\qquad 2+2\cdot 2-3+1 = 4,\qquad C_{p=2}(\mathrm{flip}\,w) = C_{p=0}(w)^{T}",
    source="source notes, N1",
    near_miss="the second map is the transpose of the first with the same kernel, not flipped",
    box={"direction": (-1,)},
    concludes="triples",
    corollary_of="transposed.zero-insertion",
    remark="The notes claim the sizes; the flip is what makes the two belong together.",
)
def n1_two_sizes(direction: int) -> Verdict | bool:
    return up_as_down(direction)


@n1_two_sizes.near_miss_claim(box={"direction": (1,)})
def n1_unflipped(direction: int) -> Verdict | bool:
    return up_as_down(direction)


def up_as_down(direction: int) -> Verdict | bool:
    """The padded map, its kernel run through in a direction, against the first map's transpose."""
    down = sc.Conv2d(1, 1, 3, bias=False).operator((4, 4))
    up = sc.Conv2d(1, 1, 3, padding=2, bias=False).operator((2, 2))
    if (down.output_shape, up.output_shape) != ((1, 2, 2), (1, 4, 4)):
        return False
    weight = down.weight_symbols()[..., ::direction, ::direction]
    return sc.same_operator(up.exact(weight), down.T)


@all_sizes(
    "notes_transposed.n3-stride",
    words="A transposed convolution as zero insertion has stride 1 whatever s is: from one output "
    "to the next the window moves by one place. As scatter and add, the slices of neighbouring "
    "samples start s apart.",
    latex=r"j^{*}(y+1,k)-j^{*}(y,k)=1,\qquad j(i+1,k)-j(i,k)=s",
    source="source notes, N3",
    near_miss="the slices start one apart as well: its stride is always 1",
    concludes="triples",
    corollary_of="transposed.zero-insertion",
)
def n3_stride(t: Trace) -> None:
    conv, _ = axis(t)
    op, y, i, k = t.integers("op y i k")
    sliding = conv.adjoint(op)
    t.show(sliding.position(y + 1, k) - sliding.position(y, k) == 1)
    t.show(conv.position(i + 1, k) - conv.position(i, k) == conv.stride)
    t.instead(conv.position(i + 1, k) - conv.position(i, k) == 1)


@all_values(
    "notes_transposed.n3-zeros-between",
    words="Putting s−1 zeros between the samples and sliding the flipped kernel is the transposed "
    "convolution, here of 3×3 samples with a 3×3 kernel and every stride, padding and output "
    "padding of a box.",
    latex=r"C_{1}(\mathrm{flip}\,w)\,Z_s = C_{s}(w)^{T}",
    source="source notes, N3",
    near_miss="the transposed convolution is the convolution of stride 1 without zeros between",
    box={"s": (1, 2, 3), "p": (0, 1), "op": (0, 1)},
    concludes="triples",
    corollary_of="transposed.zero-insertion",
)
def n3_zeros_between(s: int, p: int, op: int) -> Verdict:
    layer = sc.ConvTranspose2d(1, 1, 3, stride=s, padding=p, output_padding=op, bias=False)
    return sc.same_operator(
        sc.transposed_matrix(layer, (3, 3), "zero_insertion"), layer.operator((3, 3))
    )


@n3_zeros_between.near_miss_claim()
def n3_no_zeros_between(s: int, p: int, op: int) -> Verdict:
    layer = sc.ConvTranspose2d(1, 1, 3, stride=s, padding=p, output_padding=op, bias=False)
    close = sc.ConvTranspose2d(1, 1, 3, padding=p, output_padding=op, bias=False)
    return sc.same_operator(
        sc.transposed_matrix(close, (3, 3), "zero_insertion"), layer.operator((3, 3))
    )


@exhaustive(
    "notes_transposed.n3-two-cells",
    words="Each output cell of a transposed convolution that inserts zeros is made of two input "
    "cells at a time (on each axis, away from the border).",
    latex=r"\#\{(i,k): s\,i+k-p_{lo}=y\} = 2",
    source="source notes, N3, of a picture that is lost",
    box={"K": (1, 2, 3, 4, 5), "s": (1, 2, 3)},
    concludes="counts",
    expected="REFUTED",
    remark="Of ⌊K/s⌋ or ⌈K/s⌉ cells; of two everywhere iff K = 2s: "
    "notes_transposed.n3-two-cells-exactly.",
)
def n3_two_cells(K: int, s: int) -> bool:  # noqa: N803
    conv = sc.ConvTranspose1d(1, 1, K, stride=s, bias=False).operator((2 * K,)).exact([[[1] * K]])
    inner = range(s * K, s * (K + 1))
    return all(sum(conv.row(y)) == 2 for y in inner)


@all_sizes(
    "notes_transposed.n3-two-cells-exactly",
    words="Without dilation every output in the interior collects from two inputs exactly when "
    "K = 2s: phase φ of s has ⌊(K−1−φ)/s⌋ + 1 taps.",
    latex=r"\left\lfloor\frac{K-1-\varphi}{s}\right\rfloor+1 = 2 \text{ for } 0\le\varphi<s "
    r"\iff K=2s",
    source="source notes, N3, put right",
    near_miss="exactly when 2s ≤ K",
    concludes="counts",
    corollary_of="overlap.uniform",
)
def n3_two_cells_exactly(t: Trace) -> None:
    n_taps, s, phi = t.integers("K s phi")
    t.assume(n_taps >= 1, s >= 1, between(0, phi, s))

    def taps(phase: Any) -> Any:
        # Taps φ, φ + s, … are the windows of one tap that fit the K − φ taps from φ on.
        return AxisRelation(1, s).output_size(n_taps - phase)

    t.show(implies(n_taps == 2 * s, taps(phi) == 2))
    t.show(implies(all_of(taps(0) == 2, taps(s - 1) == 2), n_taps == 2 * s))
    t.instead(implies(n_taps >= 2 * s, taps(phi) == 2))


@all_values(
    "notes_transposed.n4-jacobian",
    words="A convolution is y = W·x with dy/dx = W, an m×n matrix; the transposed convolution is "
    "Wᵀ·y, from m numbers to n, and it is the gradient of ⟨y, W·x⟩ by x.",
    latex=r"\frac{\partial y}{\partial x} = W\in R^{m\times n},\quad \hat x = W^{T} y \in R^{n}",
    source="source notes, N4",
    near_miss="dy/dx = Wᵀ",
    box={"s": (1, 2), "p": (0, 1)},
    corollary_of="derivatives.jacobian",
)
def n4_jacobian(s: int, p: int) -> Verdict | bool:
    conv = sc.Conv2d(1, 1, 3, stride=s, padding=p, bias=False).operator((4, 4))
    up = sc.ConvTranspose2d(1, 1, 3, stride=s, padding=p, output_padding=(4 + 2 * p - 3) % s)
    m, n = conv.shape
    size = conv.output_shape[1:]
    gradient = sc.transposed_matrix(up, size, "gradient")
    agree = sc.same_operator(conv.jacobian(), conv) and gradient.shape == (n, m)
    return agree and sc.same_operator(gradient, conv.T)


@n4_jacobian.near_miss_claim()
def n4_transposed_jacobian(s: int, p: int) -> Verdict:
    conv = sc.Conv2d(1, 1, 3, stride=s, padding=p, bias=False).operator((4, 4))
    return sc.same_operator(conv.jacobian(), conv.T)


n4_in_practice = no_claim(
    "notes_transposed.n4-in-practice",
    words="In practice nobody puts zeros between, the gradient of the convolution is used.",
    latex=r"\hat x = W^{T}y",
    source="source notes, N4",
    reason="what programs do is no statement about convolutions; what the zeros cost is one: "
    "notes_implied.n19-ratio",
)


@all_sizes(
    "notes_transposed.n5-output-padding",
    words="Input sizes n and n' give patches of one shape exactly when they have one output size; "
    "then the output paddings n − T and n' − T, T the size without output padding, lie between 0 "
    "and s − 1 and tell them apart. For stride 2 that is two sizes, for stride s it is s.",
    latex=r"O(n)=O(n') \iff 0\le n'-T < s,\quad T=s(O(n)-1)+E-p_{lo}-p_{hi}",
    source="source notes, N5",
    near_miss="two sizes share an output size whatever the stride: 0 ≤ n' − T < 2",
    concludes="sizes",
    corollary_of="sizes.input-interval",
)
def n5_output_padding(t: Trace) -> None:
    conv, n = axis(t)
    (other,) = t.integers("n2")
    op = other - conv.input_size(conv.output_size(n))
    t.hint(conv.output_size(other) - conv.output_size(n))
    same = conv.output_size(other) == conv.output_size(n)
    t.show(implies(same, conv.input_size(conv.output_size(n), op) == other))
    t.show(iff(same, between(0, op, conv.stride)))
    t.instead(iff(same, between(0, op, 2)))


@all_sizes(
    "notes_transposed.n6-output-size",
    words="The output size of a transposed convolution of I samples is S(I − 1) + K − 2P, without "
    "dilation and output padding; I = 3, K = 2, S = 1, P = 0 give 4.",
    latex=r"d=1,\ op=0:\quad O = S(I-1)+K-2P",
    source="source notes, N6",
    near_miss="the same with dilation and output padding, d(K−1)+1 being K and op 0 in it",
    concludes="sizes",
    corollary_of="transposed.is-a-transpose",
    remark="In general S(I − 1) + d(K − 1) + 1 + op − 2P.",
)
def n6_output_size(t: Trace) -> None:
    size, n_taps, s, p, d, op = t.integers("I K S P d op")
    t.assume(size >= 1, n_taps >= 1, s >= 1, d >= 1, op >= 0)
    t.given(d == 1, op == 0)
    restored = AxisRelation(n_taps, s, d, p, p).input_size(size, op)
    t.show(restored == s * (size - 1) + n_taps - 2 * p)
    t.show(AxisRelation(2).input_size(3) == 4)


@all_values(
    "notes_transposed.n6-scatter",
    words="Every input element times the kernel is added to its slice of the output, and where "
    "slices overlap the products add up: 3×3 samples and a 2×2 kernel give 4×4, for all values.",
    latex=r"Y_{m:m+2,\;n:n+2} \mathrel{+}= x_{m,n}\,K",
    source="source notes, N6",
    near_miss="where slices overlap the last one stays",
    box={"n": (3,), "K": (2,)},
    corollary_of="transposed.five-ways",
)
def n6_scatter(n: int, K: int) -> bool:  # noqa: N803
    return scattered(n, K, add=True)


@n6_scatter.near_miss_claim()
def n6_overwrite(n: int, K: int) -> bool:  # noqa: N803
    return scattered(n, K, add=False)


def scattered(n: int, n_taps: int, *, add: bool) -> bool:
    """Whether slices of zeros that take x·K, one by one, end up as the layer's output."""
    operator = sc.ConvTranspose2d(1, 1, n_taps, bias=False).operator((n, n))
    x = sympy.Matrix(n, n, lambda a, b: sympy.Symbol(f"x_{a}_{b}"))
    kernel = sympy.Matrix(operator.weight_symbols()[0, 0].tolist())
    y = sympy.zeros(n + n_taps - 1)
    for a in range(n):
        for b in range(n):
            part = y[a : a + n_taps, b : b + n_taps] if add else 0 * kernel
            y[a : a + n_taps, b : b + n_taps] = part + x[a, b] * kernel
    expected = operator.apply([x.tolist()], operator.weight_symbols())[0]
    return (y - sympy.Matrix(expected.tolist())).expand().is_zero_matrix is True


@all_sizes(
    "notes_transposed.n6-whole-slices",
    words="The slice that a sample is added to is as long as the kernel for every sample exactly "
    "when nothing is cropped, lo ≤ 0 and hi ≤ op.",
    latex=r"0\le s\,i-p_{lo},\ s\,i-p_{lo}+E\le T \text{ for } 0\le i<n \iff p_{lo}\le 0,\ "
    r"p_{hi}\le op",
    source="source notes, N6, put right",
    near_miss="for every padding",
    concludes="triples",
)
def n6_whole_slices(t: Trace) -> None:
    conv, n = axis(t)
    op, i = t.integers("op i")
    t.assume(n >= 1, op >= 0, between(0, i, n))
    size = conv.input_size(n, op)

    def whole(m: Any) -> Any:
        return all_of(conv.position(m, 0) >= 0, conv.position(m, conv.n_taps - 1) < size)

    t.show(iff(all_of(whole(0), whole(n - 1)), all_of(conv.pad_lo <= 0, conv.pad_hi <= op)))
    t.show(implies(all_of(conv.pad_lo <= 0, conv.pad_hi <= op), whole(i)))
    t.instead(whole(i))
