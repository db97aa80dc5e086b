"""The source notes on what a transpose restores, claim by claim: N2 and N7.

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
    all_sizes,
    all_values,
    axis,
    between,
    exhaustive,
    implies,
    reads,
)
from symconv.relation import AxisRelation


@all_sizes(
    "notes_inverse.n2-inverse-in-the-shapes",
    words="A convolution and its transpose are inverse to each other in the shapes: what the "
    "convolution shortens, the transpose brings back to the same size.",
    latex=r"s(O(n)-1)+E-p_{lo}-p_{hi} = n",
    source="source notes, N2",
    concludes="sizes",
    expected="REFUTED",
    remark="Right for stride 1, and for s ≥ 2 with the output padding (N − E) mod s: "
    "transposed.restores-after-convolution. Transpose first and it holds for every 0 ≤ op < s: "
    "transposed.restores-before-convolution.",
)
def n2_inverse_in_the_shapes(t: Trace) -> None:
    conv, n = axis(t)
    t.assume(n >= 1, conv.pad_lo >= 0, conv.pad_hi >= 0, conv.output_size(n) >= 1)
    t.show(conv.input_size(conv.output_size(n)) == n)


@all_sizes(
    "notes_inverse.n2-inverse-at-stride-1",
    words="For stride 1, as in the notes' picture, a convolution and its transpose are inverse in "
    "the shapes, in both orders, for every kernel, dilation and padding.",
    latex=r"s=1:\quad T(C(n)) = n,\quad C(T(n)) = n",
    source="source notes, N2, put right",
    near_miss="the same for every stride",
    concludes="sizes",
    corollary_of="sizes.adjoint",
)
def n2_inverse_at_stride_1(t: Trace) -> None:
    conv, n = axis(t)
    t.given(conv.stride == 1)
    t.show(conv.output_size(conv.input_size(n)) == n)
    t.show(conv.input_size(conv.output_size(n)) == n)


@all_values(
    "notes_inverse.n2-deconvolution",
    words="Convolution and deconvolution are inverse in the values: from the outputs of a "
    "convolution whose weights are not special the inputs can be computed.",
    latex=r"\mathrm{rank}\,A(w) = n",
    source="source notes, N2",
    box={"n": (1, 2, 3), "K": (1, 2, 3), "s": (1,), "p": (0, 1, 2)},
    expected="REFUTED",
    remark="Only if the matrix has full column rank. An unpadded convolution of extent 2 or more "
    "has fewer outputs than inputs and never does: notes_inverse.n7-fewer-outputs. With enough "
    "padding it does: notes_inverse.n2-recoverable.",
)
def n2_deconvolution(n: int, K: int, s: int, p: int) -> bool | None:  # noqa: N803
    if n + 2 * p < K:
        return None
    operator = sc.Conv1d(1, 1, K, stride=s, padding=p, bias=False).operator((n,))
    matrix = operator.exact().as_explicit().to_DM()
    return bool(matrix.to_field().rank() == n)


@all_sizes(
    "notes_inverse.n2-recoverable",
    words="At stride 1 the input can be recovered if the padding surrounds the last tap m that is "
    "not zero, lo ≥ d·m and hi ≥ d(K−1−m): the outputs o(i) = i + lo − d·m exist, output o(i) "
    "reads sample i through tap m, and otherwise only samples before i (taps after m are zero). "
    "The matrix of these outputs is triangular, w[m] on its diagonal.",
    latex=r"o(i)=i+p_{lo}-d\,m:\quad 0\le o(i)<O,\quad (o(i),m,i)\in C,\quad "
    r"k<m,\ (o(i),k,j)\in C \Rightarrow j<i",
    source="source notes, N2, put right; back substitution",
    near_miss="the same without padding",
    concludes="triples",
)
def n2_recoverable(t: Trace) -> None:
    n_taps, d, lo, hi, n, m, i, k = t.integers("K d lo hi n m i k")
    t.assume(n_taps >= 1, d >= 1, between(0, m, n_taps), between(0, i, n), between(0, k, m + 1))
    t.assume(lo >= 0, hi >= 0)
    conv = AxisRelation(n_taps, 1, d, lo, hi)
    t.given(lo >= d * m, hi >= d * (n_taps - 1 - m))
    o = i + lo - d * m
    t.show(reads(conv, o, m, i, n_in=n))
    t.show(conv.position(o, k) <= i)
    t.show(implies(conv.position(o, k) == i, k == m))


@all_sizes(
    "notes_inverse.n7-fewer-outputs",
    words="An unpadded convolution of extent E ≥ 2 has fewer outputs than inputs, so no map brings "
    "all inputs back; its transpose, even with the same kernel, does not restore X.",
    latex=r"p=0,\ E\ge 2,\ n\ge 1 \Rightarrow O(n) < n",
    source="source notes, N7",
    near_miss="the same with padding",
    concludes="sizes",
    corollary_of="sizes.enlarging",
)
def n7_fewer_outputs(t: Trace) -> None:
    conv, n = axis(t)
    t.assume(n >= 1, conv.extent >= 2)
    t.given(conv.pad_lo == 0, conv.pad_hi == 0)
    t.show(conv.output_size(n) < n)


@exhaustive(
    "notes_inverse.n7-never-restored",
    words="The transposed convolution with the same kernel never restores X: AᵀA is not the "
    "identity.",
    latex=r"A^{T}A \ne I",
    source="source notes, N2 and N7",
    box={"n": (1, 2), "w0": (0, 1, -1), "w1": (0, 1, -1)},
    expected="REFUTED",
    remark="At full padding it does for kernels with one tap ±1 and no other: "
    "notes_inverse.n7-restored-exactly. Unpadded it never does, but for K = 1: "
    "notes_inverse.n7-fewer-outputs.",
)
def n7_never_restored(n: int, w0: int, w1: int) -> bool:
    operator = sc.Conv1d(1, 1, 2, padding="full", bias=False).operator((n,))
    matrix = operator.exact([[[w0, w1]]])
    return bool(matrix.T * matrix != sympy.eye(n))


@all_values(
    "notes_inverse.n7-restored-exactly",
    words="At stride 1 with full padding and n ≥ K samples the transpose restores every input "
    "exactly when one tap of the kernel is 1 or −1 and all others are 0 (over every field: the "
    "entries of AᵀA − I and the products w[k]w[k'], Σ w[k]² − 1 vanish together).",
    latex=r"A^{T}A=I \iff w_k w_{k'}=0\ (k\ne k'),\ \sum_k w_k^2=1",
    source="source notes, N7, put right; radical membership by Gröbner bases over ℚ",
    near_miss="the same for n < K",
    box={"K": (1, 2, 3), "extra": (0, 1)},
)
def n7_restored_exactly(K: int, extra: int) -> bool:  # noqa: N803
    return vanish_together(K, K + extra)


@n7_restored_exactly.near_miss_claim(box={"K": (2, 3), "missing": (1,)})
def n7_short_inputs(K: int, missing: int) -> bool:  # noqa: N803
    return vanish_together(K, K - missing)


def vanish_together(n_taps: int, n: int) -> bool:
    """Whether AᵀA = I and "one tap ±1, the others 0" have the same solutions."""
    operator = sc.Conv1d(1, 1, n_taps, padding="full", bias=False).operator((n,))
    matrix, w = operator.exact(), list(operator.weight_symbols().ravel())
    restored = [entry for entry in (matrix.T * matrix - sympy.eye(n)) if entry != 0]
    single = [w[a] * w[b] for a in range(n_taps) for b in range(a)]
    single.append(sum(tap**2 for tap in w) - 1)
    return follows(restored, single, w) and follows(single, restored, w)


def follows(premises: list[Any], conclusions: list[Any], w: list[Any]) -> bool:
    """Whether the conclusions vanish wherever the premises do (Rabinowitsch's trick)."""
    t = sympy.Dummy("t")
    return all(
        sympy.groebner([*premises, 1 - t * part], *w, t, order="grevlex").exprs == [1]
        for part in conclusions
    )
