"""Kernels and the matrices they make: Toeplitz, circulant and Hankel structure, rank, symmetry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

import symconv as sc
from symconv.boundary import MODES
from symconv.matrices import symbols
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    axis,
    between,
    iff,
    implies,
    reads,
)
from symconv.relation import AxisRelation
from symconv.verdict import Verdict

Array = npt.NDArray[Any]
#: Pairs of polynomials that must be equal.
Pairs = Iterator[tuple[Any, Any]]


@all_sizes(
    "kernels.toeplitz",
    words="With stride 1 and zero padding the matrix is Toeplitz: an entry depends on i − o "
    "alone. For any two outputs, sample i and the sample as far from o′ as i is from o are read "
    "through the same tap.",
    latex=r"i-o=i'-o' \;\Rightarrow\; \bigl((o,k,i)\in C\iff (o',k,i')\in C\bigr)\quad (s=1)",
    source="symconv; scipy.linalg.convolution_matrix",
    near_miss="for every stride",
    concludes="triples",
)
def toeplitz(t: Trace) -> None:
    conv, n = axis(t)
    o, k, i, o2, i2 = t.integers("o k i o2 i2")
    n_out = conv.output_size(n)
    t.assume(between(0, o, n_out), between(0, o2, n_out), between(0, i, n), between(0, i2, n))
    t.assume(i - o == i2 - o2)
    t.given(conv.stride == 1)
    t.show(iff(reads(conv, o, k, i, n_in=n), reads(conv, o2, k, i2, n_in=n)))


@all_sizes(
    "kernels.block-toeplitz",
    words="With stride s the entry of a tap moves s columns from one output to the next: the "
    "matrix is block Toeplitz with blocks 1×s. For s ≥ 2 it is not Toeplitz: where (o, k, i) is a "
    "triple, (o + 1, k, i + 1) is none.",
    latex=r"(o,k,i)\in C \;\Rightarrow\; (o+1,k,i+s)\in C,\qquad "
    r"s\ge 2 \;\Rightarrow\; (o+1,k,i+1)\notin C",
    source="symconv",
    near_miss="it is not Toeplitz for stride 1 either",
    concludes="triples",
)
def block_toeplitz(t: Trace) -> None:
    conv, n = axis(t)
    o, k, i = t.integers("o k i")
    t.assume(reads(conv, o, k, i, n_in=n))
    t.given(conv.stride >= 2)
    n_out = conv.output_size(n)
    later = reads(conv, o + 1, k, i + conv.stride, n_in=n)
    t.show(iff(later, all_of(o + 1 < n_out, i + conv.stride < n)))
    t.show(~reads(conv, o + 1, k, i + 1, n_in=n))


@all_sizes(
    "kernels.band",
    words="Row o of the matrix has entries in the columns from s·o − lo to s·o − lo + E − 1 only, "
    "and of these only in every d-th: column i is one of tap (i + lo − s·o)/d.",
    latex=r"(o,k,i)\in C \;\Rightarrow\; 0\le i+p_{lo}-s\,o< E,\; d\mid i+p_{lo}-s\,o",
    source="symconv",
    near_miss="a band of K columns",
    concludes="triples",
)
def band(t: Trace) -> None:
    conv, n = axis(t)
    o, k, i = t.integers("o k i")
    offset = i + conv.pad_lo - conv.stride * o
    tap, rest = offset // conv.dilation, offset % conv.dilation
    there = all_of(between(0, o, conv.output_size(n)), between(0, i, n))
    read = reads(conv, o, k, i, n_in=n)
    t.hint(tap - k, k - tap)
    t.show(implies(read, between(0, offset, conv.extent)))
    inside = all_of(there, between(0, offset, conv.extent), rest == 0, k == tap)
    t.show(iff(read, inside))
    t.instead(implies(read, between(0, offset, conv.n_taps)))


@all_sizes(
    "kernels.circulant",
    words="Under circular padding a convolution whose O outputs step once around the n samples, "
    "n = s·O, is block circulant: the next output reads s samples further through each tap, from "
    "the last output on to the first. With stride 1 it is circulant.",
    latex=r"n=s\,O,\; (o,k,i)\in C \;\Rightarrow\; "
    r"\bigl((o+1)\bmod O,\; k,\; (i+s)\bmod n\bigr)\in C",
    source="P. J. Davis, Circulant Matrices (1979), chapters 3 and 5",
    near_miss="for any number of outputs",
    concludes="triples",
    corollary_of="borders.circular-shift",
)
def circulant(t: Trace) -> None:
    n_taps, s, d, lo, n, m, o, k = t.integers("K s d lo n O o k")
    t.assume(n_taps >= 1, s >= 1, d >= 1, n >= 1, m >= 1)
    t.assume(between(0, o, m), between(0, k, n_taps))
    t.given(n == s * m)
    conv = AxisRelation(n_taps, s, d, lo)
    read: Callable[..., Any] = MODES["circular"]
    after = (o + 1) % m
    here, there = conv.position(o, k), conv.position(after, k)
    moved = read(here, n) + s
    turns = there // n - here // n - moved // n + (o + 1) // m
    t.hint(turns, -turns, turns - 1, -turns - 1)
    t.show(read(there, n) == moved % n)


@all_sizes(
    "kernels.hankel",
    words="Reflecting padding adds a part in which s·o + i is constant for each tap, a Hankel "
    "part for stride 1: below the first sample s·o + i = lo − d·k, above the last "
    "s·o + i = lo − d·k + 2(n − 1), for padding up to n − 1 wide.",
    latex=r"-(n-1)\le j<0 \Rightarrow s\,o+i=p_{lo}-dk,\qquad "
    r"n\le j\le 2(n-1)\Rightarrow s\,o+i=p_{lo}-dk+2(n-1)",
    source="G. Strang, The discrete cosine transform, SIAM Review 41 (1999), on the boundary "
    "conditions that make cosine transforms",
    near_miss="the same sums where the edge sample is repeated, under symmetric padding",
    concludes="triples",
)
def hankel(t: Trace) -> None:
    conv, n = axis(t)
    o, k = t.integers("o k")
    t.assume(n >= 2)
    t.assume(between(0, k, conv.n_taps))
    j = conv.position(o, k)
    before, behind = between(-(n - 1), j, 0), between(n, j, 2 * n - 1)
    t.assume(before | behind)
    bounces = j // (2 * (n - 1))
    t.hint(bounces, bounces + 1, bounces - 1)
    read: Callable[..., Any] = MODES["reflect"]
    i, constant = read(j, n), conv.pad_lo - conv.dilation * k
    total = conv.stride * o + i
    low, high = implies(before, total == constant), implies(behind, total == constant + 2 * (n - 1))
    t.show(low & high)
    repeated = implies(before, conv.stride * o + (-1 - j) == constant)
    t.instead(repeated)


@all_sizes(
    "kernels.transposed-taps",
    words="With stride 1 and padding (E − 1)/2 on both sides, tap k joins output o to sample i "
    "exactly when tap K − 1 − k joins output i to sample o. So a kernel that reads the same both "
    "ways makes a symmetric matrix, Aᵀ = A.",
    latex=r"(o,k,i)\in C \iff (i,K-1-k,o)\in C \quad (s=1,\; p_{lo}=p_{hi}=\tfrac{E-1}{2})",
    source="symconv",
    near_miss="for padding that keeps the size and differs on the two sides",
    concludes="triples",
)
def transposed_taps(t: Trace) -> None:
    n_taps, d, lo, hi, n, o, k, i = t.integers("K d lo hi n o k i")
    t.assume(n_taps >= 1, d >= 1, n >= 0)
    conv = AxisRelation(n_taps, 1, d, lo, hi)
    t.assume(lo + hi == conv.extent - 1)
    t.given(lo == hi)
    t.show(conv.output_size(n) == n)
    mirrored = reads(conv, i, n_taps - 1 - k, o, n_in=n)
    t.show(iff(reads(conv, o, k, i, n_in=n), mirrored))


@all_values(
    "kernels.symmetric-matrix",
    box={"half": (1, 2), "dilation": (1, 2), "n": (1, 2, 3, 5, 6), "mode": ("zeros", "circular")},
    words="With stride 1 and same padding, K = 2m + 1 taps, the matrix is symmetric for a kernel "
    "that reads the same both ways; with zeros around n > d·m samples, for no other kernel.",
    latex=r"A(w)^{T}=A(\mathrm{flip}\,w);\qquad A(w)^{T}=A(w) \iff w[k]=w[K-1-k]",
    source="symconv; follows kernels.transposed-taps",
    near_miss="for no other kernel on fewer samples either",
    concludes="triples",
)
def symmetric_matrix(half: int, dilation: int, n: int, mode: str) -> bool:
    forced = _forced(half, dilation, n, mode)
    return forced is not None and (
        mode != "zeros" or n <= dilation * half or forced == _mirrored_pairs(half)
    )


@symmetric_matrix.near_miss_claim()
def _symmetric_when_short(half: int, dilation: int, n: int, mode: str) -> bool:
    return mode != "zeros" or _forced(half, dilation, n, mode) == _mirrored_pairs(half)


def _mirrored_pairs(half: int) -> set[tuple[int, int]]:
    return {(k, 2 * half - k) for k in range(half)}


def _forced(half: int, dilation: int, n: int, mode: str) -> set[tuple[int, int]] | None:
    """The pairs of taps that Aᵀ = A makes equal; None where the transpose is not the flip."""
    layer = sc.Conv(
        1,
        1,
        (2 * half + 1,),
        dilation=dilation,
        padding=half * dilation,
        padding_mode=mode,
        bias=False,
    )
    op = layer.operator((n,))
    taps = sympy.symbols(f"w:{2 * half + 1}")
    matrix = op.exact([[taps]])
    if not sc.same_operator(matrix.T, op.exact([[taps[::-1]]])):
        return None
    different = {entry for entry in (matrix - matrix.T).values() if entry != 0}
    found = set()
    for entry in different:
        pair = sorted(taps.index(symbol) for symbol in entry.free_symbols)
        if mode == "zeros" and len(pair) != 2:
            return None
        found.add((pair[0], pair[-1]))
    return found


@all_values(
    "kernels.constant-input",
    box={
        "mode": ("circular", "reflect", "symmetric", "replicate"),
        "stride": (1, 2),
        "dilation": (1, 2),
        "lo": (-1, 0, 2),
    },
    words="On a constant input every output is the constant times the sum of the kernel, under "
    "any padding that reads stored samples.",
    latex=r"x=c\,\mathbf 1 \;\Rightarrow\; A(w)\,x = c\left(\sum_k w[k]\right)\mathbf 1",
    source="symconv; kernels that sum to 1 keep the mean, those that sum to 0 are derivatives",
    near_miss="under zero padding",
    concludes="values",
)
def constant_input(mode: str, stride: int, dilation: int, lo: int) -> bool:
    return _responds(mode, stride, dilation, lo)


@constant_input.near_miss_claim()
def _constant_input_zeros(mode: str, stride: int, dilation: int, lo: int) -> bool:
    return _responds("zeros", stride, dilation, lo)


def _responds(mode: str, stride: int, dilation: int, lo: int) -> bool:
    layer = sc.Conv(
        2,
        1,
        (2,),
        stride=stride,
        dilation=dilation,
        padding=((lo, 1),),
        padding_mode=mode,
        bias=False,
    )
    op, c = layer.operator((4,)), sympy.Symbol("c")
    w = symbols("w", (1, 2, 2))
    outputs = op.apply(np.full((2, 4), c, dtype=object), w)
    total = sympy.expand(c * sympy.Add(*w.ravel()))
    return all(value == total for value in outputs.ravel())


@all_values(
    "kernels.polynomial-product",
    box={"n_taps": (1, 2, 3), "n": (1, 2, 3, 4)},
    words="The full matrix of true convolution multiplies polynomials: with the samples and the "
    "taps as coefficients, T·x holds those of the product. It is the transpose of the matrix that "
    "slides the same kernel, unflipped, over n + K − 1 samples.",
    latex=r"\sum_o (T x)_o\,z^{o}=\left(\sum_k w_k z^{k}\right)\left(\sum_i x_i z^{i}\right),"
    r"\qquad T = A(w)^{T}",
    source="MATLAB, documentation of conv: convolution and polynomial multiplication; symconv",
    near_miss="the transpose of the matrix that slides the flipped kernel",
    concludes="triples",
)
def polynomial_product(n_taps: int, n: int) -> bool:
    w, x = symbols("w", (n_taps,)), symbols("x", (n,))
    z = sympy.Symbol("z")
    matrix = sc.convolution_matrix(w, n, exact=True)
    outputs = matrix * sympy.Matrix(x)
    powers = sympy.Add(*(value * z**o for o, value in enumerate(outputs)))
    factors = [sympy.Add(*(a * z**i for i, a in enumerate(part))) for part in (w, x)]
    difference = sympy.expand(powers - sympy.expand(factors[0] * factors[1]))
    return difference == 0 and bool(_is_transposed_slide(w, w, n))


@polynomial_product.near_miss_claim()
def _transposed_flipped(n_taps: int, n: int) -> Verdict:
    w = symbols("w", (n_taps,))
    return _is_transposed_slide(w, w[::-1], n)


def _is_transposed_slide(kernel: Array, slid: Array, n: int) -> Verdict:
    layer = sc.Conv(1, 1, (len(slid),), bias=False)
    valid = layer.operator((n + len(slid) - 1,)).exact(slid[None, None])
    return sc.same_operator(sc.convolution_matrix(kernel, n, exact=True), valid.T)


@all_values(
    "kernels.composed",
    box={"s1": (1, 2), "d1": (1, 2), "s2": (1, 2), "d2": (1, 2)},
    words="Two convolutions without padding are one: stride s₁·s₂, and the kernel whose "
    "polynomial is w₁(z^d₁)·w₂(z^(s₁·d₂)).",
    latex=r"A(w_2)\,A(w_1)=A(w),\qquad w(z)=w_1(z^{d_1})\,w_2(z^{s_1d_2})",
    source="symconv; for strides and dilations 1 the associativity of convolution",
    near_miss="the same with same padding: two 3-tap layers with padding 1 as one of 5 with 2",
    concludes="triples",
    corollary_of="merging.kernels-convolve",
)
def composed(s1: int, d1: int, s2: int, d2: int) -> Verdict:
    return _composed(s1, d1, s2, d2, padded=False)


@composed.near_miss_claim({"s1": (1,), "d1": (1,), "s2": (1,), "d2": (1,)})
def _composed_padded(s1: int, d1: int, s2: int, d2: int) -> Verdict:
    return _composed(s1, d1, s2, d2, padded=True)


def _composed(s1: int, d1: int, s2: int, d2: int, *, padded: bool) -> Verdict:
    first, second = symbols("u", (3,)), symbols("v", (3,))
    kernel = np.zeros(2 * d1 + 2 * s1 * d2 + 1, dtype=object)
    for k, later in product(range(3), repeat=2):
        kernel[d1 * k + s1 * d2 * later] += first[k] * second[later]
    size = len(kernel) + s1 * s2
    one, other, both = (
        sc.Conv(1, 1, (taps,), stride=s, dilation=d, padding=padded * taps // 2, bias=False)
        for taps, s, d in ((3, s1, d1), (3, s2, d2), (len(kernel), s1 * s2, 1))
    )
    before, at_once = one.operator((size,)), both.operator((size,))
    after = other.operator(before.output_shape[1:])
    matrix = after.exact(second[None, None]) * before.exact(first[None, None])
    return sc.same_operator(matrix, at_once.exact(kernel[None, None]))


@all_values(
    "kernels.associative",
    box={"sizes": ((1, 2, 3), (2, 2, 2), (3, 2, 3))},
    words="True convolution of kernels in full is associative and commutative, so that a stack of "
    "kernels is one kernel in whatever order it is formed.",
    latex=r"(u * v) * w = u * (v * w),\qquad u*v = v*u",
    source="symconv; the product of polynomials",
    near_miss="true convolution cut to the centre (“same”) is associative",
    concludes="values",
)
def associative(sizes: tuple[int, int, int]) -> bool:
    u, v, w = (symbols(name, (n,)) for name, n in zip("uvw", sizes, strict=True))
    return _is_associative(u, v, w, "full") and _convolved(u, v, "full") == _convolved(v, u, "full")


@associative.near_miss_claim()
def _associative_same(sizes: tuple[int, int, int]) -> bool:
    u, v, w = (symbols(name, (n,)) for name, n in zip("uvw", sizes, strict=True))
    return _is_associative(u, v, w, "same")


def _is_associative(u: Any, v: Any, w: Any, mode: str) -> bool:
    left = _convolved(_convolved(u, v, mode), w, mode)
    return left == _convolved(u, _convolved(v, w, mode), mode)


def _convolved(x: Any, kernel: Any, mode: str) -> list[Any]:
    matrix = sc.convolution_matrix(kernel, len(x), mode, exact=True)
    return [sympy.expand(value) for value in matrix * sympy.Matrix(list(x))]
