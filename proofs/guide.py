"""The fifteen numbered relationships of Dumoulin and Visin's guide, and what its text says.

V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
arXiv:1603.07285. Letters are the guide's: i samples, kernel k, stride s, padding p on both sides,
o outputs; with a prime those of the transposed convolution.
"""

from __future__ import annotations

from typing import Any

import sympy

import symconv as sc
from symconv.proving import Trace, all_sizes, all_values, axis, between, iff, reads
from symconv.relation import AxisRelation
from symconv.verdict import Verdict


def sliding_form(t: Trace, conv: AxisRelation, n: Any, sliding: AxisRelation) -> None:
    """Show that `sliding` on the outputs of `conv` has n outputs, and its triples reversed.

    The kernel is flipped: tap k of the convolution is tap K−1−k of the sliding form.
    """
    o, tap, i = t.integers("o tap i")
    windows = conv.output_size(n)
    t.show(sliding.output_size(windows) == n)
    flipped = conv.n_taps - 1 - tap
    t.show(iff(reads(conv, o, tap, i, n_in=n), reads(sliding, i, flipped, o, n_in=windows)))


@all_sizes(
    "guide.relationship-1",
    words="A kernel of k taps slid over i samples, stride 1, without padding, has o = i − k + 1 "
    "outputs.",
    latex=r"o = (i-k)+1",
    source="V. Dumoulin, F. Visin (2016), relationship 1",
    near_miss="o = i − k",
    concludes="sizes",
    corollary_of="sizes.count",
)
def relationship_1(t: Trace) -> None:
    i, k = t.integers("i k")
    t.assume(i >= 0, k >= 1)
    o = AxisRelation(k).output_size(i)
    t.show(o == (i - k) + 1)
    t.instead(o == i - k)


@all_sizes(
    "guide.relationship-2",
    words="With p zeros on both sides and stride 1, a kernel of k taps has o = i − k + 2p + 1 "
    "outputs on i samples.",
    latex=r"o = (i-k)+2p+1",
    source="V. Dumoulin, F. Visin (2016), relationship 2",
    near_miss="the padding counted once",
    concludes="sizes",
    corollary_of="sizes.count",
)
def relationship_2(t: Trace) -> None:
    i, k, p = t.integers("i k p")
    t.assume(i >= 0, k >= 1)
    o = AxisRelation(k, pad_lo=p, pad_hi=p).output_size(i)
    t.show(o == (i - k) + 2 * p + 1)
    t.instead(o == (i - k) + p + 1)


@all_sizes(
    "guide.relationship-3",
    words="Half padding: with k odd, p = ⌊k/2⌋ and stride 1, there are as many outputs as samples.",
    latex=r"k = 2n+1,\; p = \lfloor k/2\rfloor = n \Rightarrow o = i",
    source="V. Dumoulin, F. Visin (2016), relationship 3",
    near_miss="k even as well",
    concludes="sizes",
    corollary_of="sizes.count",
)
def relationship_3(t: Trace) -> None:
    i, k = t.integers("i k")
    t.assume(i >= 0, k >= 1)
    t.given(k % 2 == 1)
    p = k // 2
    t.show(AxisRelation(k, pad_lo=p, pad_hi=p).output_size(i) == i)


@all_sizes(
    "guide.relationship-4",
    words="Full padding: with p = k − 1 and stride 1 there are o = i + (k − 1) outputs.",
    latex=r"p = k-1 \Rightarrow o = i+(k-1)",
    source="V. Dumoulin, F. Visin (2016), relationship 4",
    near_miss="p = k",
    concludes="sizes",
    corollary_of="sizes.count",
)
def relationship_4(t: Trace) -> None:
    i, k = t.integers("i k")
    t.assume(i >= 0, k >= 1)
    t.show(AxisRelation(k, pad_lo=k - 1, pad_hi=k - 1).output_size(i) == i + (k - 1))
    t.instead(AxisRelation(k, pad_lo=k, pad_hi=k).output_size(i) == i + (k - 1))


@all_sizes(
    "guide.relationship-5",
    words="With stride s and without padding there are o = ⌊(i − k)/s⌋ + 1 outputs.",
    latex=r"o = \left\lfloor \frac{i-k}{s}\right\rfloor + 1",
    source="V. Dumoulin, F. Visin (2016), relationship 5",
    near_miss="o = ⌊i/s⌋, whatever the kernel",
    concludes="sizes",
    corollary_of="sizes.count",
)
def relationship_5(t: Trace) -> None:
    i, k, s = t.integers("i k s")
    t.assume(i >= 0, k >= 1, s >= 1)
    o = AxisRelation(k, s).output_size(i)
    t.show(o == (i - k) // s + 1)
    t.instead(o == i // s)


@all_sizes(
    "guide.relationship-6",
    words="With stride s and p zeros on both sides there are o = ⌊(i + 2p − k)/s⌋ + 1 outputs.",
    latex=r"o = \left\lfloor \frac{i+2p-k}{s}\right\rfloor + 1",
    source="V. Dumoulin, F. Visin (2016), relationship 6",
    near_miss="o = ⌊(i + 2p − k + 1)/s⌋",
    concludes="sizes",
    corollary_of="sizes.count",
)
def relationship_6(t: Trace) -> None:
    i, k, s, p = t.integers("i k s p")
    t.assume(i >= 0, k >= 1, s >= 1)
    o = AxisRelation(k, s, pad_lo=p, pad_hi=p).output_size(i)
    t.show(o == (i + 2 * p - k) // s + 1)
    t.instead(o == (i + 2 * p - k + 1) // s)


@all_sizes(
    "guide.relationship-7",
    words="A pooling of any kind, its windows k long and s apart, has o = ⌊(i − k)/s⌋ + 1 outputs: "
    "its windows are those of a convolution.",
    latex=r"o = \left\lfloor \frac{i-k}{s}\right\rfloor + 1",
    source="V. Dumoulin, F. Visin (2016), relationship 7",
    near_miss="the same with the quotient rounded up (ceil mode, its last window kept)",
    concludes="sizes",
    corollary_of="sizes.count",
    remark="The guide's poolings have no padding and no ceil mode.",
)
def relationship_7(t: Trace) -> None:
    i, k, s = t.integers("i k s")
    t.assume(i >= 0, k >= 1, s >= 1)
    pooling = AxisRelation(k, s)
    t.show(pooling.output_size(i) == (i - k) // s + 1)
    t.instead(pooling.ceil_output_size(i)[0] == (i - k) // s + 1)


@all_sizes(
    "guide.relationship-8",
    words="The transpose of an unpadded convolution of stride 1 is a fully padded one: the same k, "
    "stride 1, padding k − 1, the kernel flipped; it has o' = i' + (k − 1) outputs.",
    latex=r"k'=k,\; s'=s=1,\; p'=k-1,\quad o' = i' + (k-1)",
    source="V. Dumoulin, F. Visin (2016), relationship 8",
    near_miss="padding k",
    concludes="triples",
    corollary_of="relation.adjoint",
)
def relationship_8(t: Trace) -> None:
    n, k = t.integers("n k")
    t.assume(n >= 0, k >= 1)
    conv, full = AxisRelation(k), AxisRelation(k, 1, 1, k - 1, k - 1)
    windows = conv.output_size(n)
    t.show(full.output_size(windows) == windows + (k - 1))
    t.show(conv.adjoint().pad_lo == k - 1, conv.adjoint().pad_hi == k - 1)
    sliding_form(t, conv, n, full)
    t.instead(AxisRelation(k, 1, 1, k, k).output_size(windows) == n)


@all_sizes(
    "guide.relationship-9",
    words="The transpose of a convolution of stride 1 with padding p is one with padding "
    "k − p − 1, the kernel flipped; it has o' = i' + (k − 1) − 2p outputs.",
    latex=r"k'=k,\; s'=s=1,\; p'=k-p-1,\quad o' = i' + (k-1) - 2p",
    source="V. Dumoulin, F. Visin (2016), relationship 9",
    near_miss="the padding is kept: p' = p",
    concludes="triples",
    corollary_of="relation.adjoint",
    remark="Also for p ≥ k: a negative p' crops.",
)
def relationship_9(t: Trace) -> None:
    n, k, p = t.integers("n k p")
    t.assume(n >= 0, k >= 1)
    conv = AxisRelation(k, 1, 1, p, p)
    sliding = AxisRelation(k, 1, 1, k - p - 1, k - p - 1)
    windows = conv.output_size(n)
    t.show(sliding.output_size(windows) == windows + (k - 1) - 2 * p)
    t.show(conv.adjoint().pad_lo == k - p - 1, conv.adjoint().pad_hi == k - p - 1)
    sliding_form(t, conv, n, sliding)
    t.instead(conv.output_size(windows) == n)


@all_sizes(
    "guide.relationship-10",
    words="The transpose of a half-padded convolution of stride 1 (k odd, p = ⌊k/2⌋) is "
    "half-padded itself, the kernel flipped: o' = i'.",
    latex=r"k = 2n+1,\; p=\lfloor k/2\rfloor \Rightarrow k'=k,\; s'=s=1,\; p'=p,\quad o' = i'",
    source="V. Dumoulin, F. Visin (2016), relationship 10",
    near_miss="k even as well",
    concludes="triples",
    corollary_of="relation.adjoint",
)
def relationship_10(t: Trace) -> None:
    n, k = t.integers("n k")
    t.assume(n >= 0, k >= 1)
    t.given(k % 2 == 1)
    p = k // 2
    conv = AxisRelation(k, 1, 1, p, p)
    t.show(conv.output_size(n) == n)
    t.show(conv.adjoint().pad_lo == p, conv.adjoint().pad_hi == p)
    sliding_form(t, conv, n, conv)


@all_sizes(
    "guide.relationship-11",
    words="The transpose of a fully padded convolution of stride 1 is the unpadded one, the kernel "
    "flipped: o' = i' − (k − 1).",
    latex=r"p=k-1 \Rightarrow k'=k,\; s'=s=1,\; p'=0,\quad o' = i' - (k-1)",
    source="V. Dumoulin, F. Visin (2016), relationship 11",
    near_miss="the transpose is fully padded again",
    concludes="triples",
    corollary_of="relation.adjoint",
)
def relationship_11(t: Trace) -> None:
    n, k = t.integers("n k")
    t.assume(n >= 0, k >= 1)
    conv, plain = AxisRelation(k, 1, 1, k - 1, k - 1), AxisRelation(k)
    windows = conv.output_size(n)
    t.show(plain.output_size(windows) == windows - (k - 1))
    t.show(conv.adjoint().pad_lo == 0, conv.adjoint().pad_hi == 0)
    sliding_form(t, conv, n, plain)
    t.instead(conv.output_size(windows) == n)


@all_sizes(
    "guide.relationship-12",
    words="The transpose of an unpadded convolution of stride s with i − k a multiple of s: put "
    "s − 1 zeros between the samples, pad by k − 1, slide the flipped kernel with stride 1; "
    "o' = s(i' − 1) + k.",
    latex=r"s \mid i-k \Rightarrow k'=k,\; s'=1,\; p'=k-1,\quad o' = s(i'-1)+k",
    source="V. Dumoulin, F. Visin (2016), relationship 12",
    near_miss="i − k no multiple of s",
    concludes="triples",
    corollary_of="relation.adjoint",
)
def relationship_12(t: Trace) -> None:
    n, k, s = t.integers("n k s")
    t.assume(n >= 0, k >= 1, s >= 1)
    t.given((n - k) % s == 0)
    conv, stretched = AxisRelation(k, s), AxisRelation(k, 1, 1, k - 1, k - 1, s)
    windows = conv.output_size(n)
    t.show(stretched.output_size(windows) == s * (windows - 1) + k)
    t.show(conv.adjoint().pad_lo == k - 1, conv.adjoint().pad_hi == k - 1)
    sliding_form(t, conv, n, stretched)


@all_sizes(
    "guide.relationship-13",
    words="The transpose of a convolution of stride s and padding p with i + 2p − k a multiple of "
    "s: s − 1 zeros between the samples, padding k − p − 1, stride 1, the kernel flipped; "
    "o' = s(i' − 1) + k − 2p.",
    latex=r"s \mid i+2p-k \Rightarrow k'=k,\; s'=1,\; p'=k-p-1,\quad o' = s(i'-1)+k-2p",
    source="V. Dumoulin, F. Visin (2016), relationship 13",
    near_miss="i + 2p − k no multiple of s",
    concludes="triples",
    corollary_of="relation.adjoint",
)
def relationship_13(t: Trace) -> None:
    n, k, s, p = t.integers("n k s p")
    t.assume(n >= 0, k >= 1, s >= 1)
    t.given((n + 2 * p - k) % s == 0)
    conv = AxisRelation(k, s, 1, p, p)
    stretched = AxisRelation(k, 1, 1, k - p - 1, k - p - 1, s)
    windows = conv.output_size(n)
    t.show(stretched.output_size(windows) == s * (windows - 1) + k - 2 * p)
    t.show(conv.adjoint().pad_lo == k - p - 1, conv.adjoint().pad_hi == k - p - 1)
    sliding_form(t, conv, n, stretched)


@all_sizes(
    "guide.relationship-14",
    words="The transpose of any convolution on i samples: s − 1 zeros between its outputs, padding "
    "E − 1 − lo at the start and E − 1 − hi at the end, a = (i + lo + hi − E) mod s more zeros at "
    "the end, stride 1, the kernel flipped; o' = s(i' − 1) + a + E − lo − hi = i. The guide states "
    "it for dilation 1 (E = k) and lo = hi = p.",
    latex=r"a=(i+2p-k)\bmod s,\; k'=k,\; s'=1,\; p'=k-p-1,\quad o' = s(i'-1)+a+k-2p",
    source="V. Dumoulin, F. Visin (2016), relationship 14, stated for every dilation and "
    "asymmetric padding",
    near_miss="the same without the a zeros",
    concludes="triples",
    corollary_of="relation.adjoint",
)
def relationship_14(t: Trace) -> None:
    conv, n = axis(t)
    windows = conv.output_size(n)
    a = (conv.padded_size(n) - conv.extent) % conv.stride
    stretched = conv.adjoint(a)
    t.show(between(0, a, conv.stride))
    t.show(
        stretched.output_size(windows)
        == conv.stride * (windows - 1) + a + conv.extent - conv.pad_lo - conv.pad_hi
    )
    t.show(conv.input_size(windows, a) == n)
    sliding_form(t, conv, n, stretched)
    t.instead(conv.adjoint().output_size(windows) == n)


@all_sizes(
    "guide.relationship-15",
    words="A kernel of k taps with dilation d is k + (k − 1)(d − 1) long; with stride s and "
    "padding lo, hi it has o = ⌊(i + lo + hi − k − (k − 1)(d − 1))/s⌋ + 1 outputs, which are the "
    "windows that fit: all o ≥ 0 whose last tap lies on the padded axis. The guide has lo = hi.",
    latex=r"o = \left\lfloor \frac{i+2p-k-(k-1)(d-1)}{s}\right\rfloor + 1",
    source="V. Dumoulin, F. Visin (2016), relationship 15, with asymmetric padding",
    near_miss="the dilated kernel taken to be d·k long",
    concludes="sizes",
    corollary_of="sizes.count",
)
def relationship_15(t: Trace) -> None:
    conv, i = axis(t)
    (o,) = t.integers("o")
    k, d, lo, hi = conv.n_taps, conv.dilation, conv.pad_lo, conv.pad_hi
    windows = conv.output_size(i)
    t.show(windows == (i + lo + hi - k - (k - 1) * (d - 1)) // conv.stride + 1)
    t.show(iff(o < windows, conv.position(o, k - 1) < i + hi))
    t.instead(windows == (i + lo + hi - d * k) // conv.stride + 1)


@all_sizes(
    "guide.strides-keep-every-s-th",
    words="Moving the kernel by s is moving it by 1 and keeping every s-th output, from the first "
    "on: output o with stride s reads what output s·o reads with stride 1, and exists with it.",
    latex=r"(o,k,i)\in C_{s} \iff (s\,o,\,k,\,i)\in C_{1}",
    source="V. Dumoulin, F. Visin (2016), section 1.1 and figure 1.5 (for s = 2: the odd outputs, "
    "counted from one)",
    near_miss="keeping outputs s − 1, 2s − 1, … (the even ones, counted from one)",
    concludes="triples",
    corollary_of="polyphase.outputs",
)
def strides_keep_every_sth(t: Trace) -> None:
    conv, n = axis(t)
    o, k, i = t.integers("o k i")
    s = conv.stride
    dense = AxisRelation(conv.n_taps, 1, conv.dilation, conv.pad_lo, conv.pad_hi)
    t.show(iff(between(0, o, conv.output_size(n)), between(0, s * o, dense.output_size(n))))
    strided = reads(conv, o, k, i, n_in=n)
    t.show(iff(strided, reads(dense, s * o, k, i, n_in=n)))
    t.instead(iff(strided, reads(dense, s * o + s - 1, k, i, n_in=n)))


@all_sizes(
    "guide.sizes-that-share",
    words="Where i + 2p − k is a multiple of s, the input sizes i, i + 1, …, i + s − 1 have one "
    "output size, and i + s has one more.",
    latex=r"s \mid i+2p-k,\; 0\le a<s \Rightarrow o(i+a)=o(i),\quad o(i+s)=o(i)+1",
    source="V. Dumoulin, F. Visin (2016), section 2.4",
    near_miss="i + 2p − k no multiple of s",
    concludes="sizes",
    corollary_of="sizes.growth",
)
def sizes_that_share(t: Trace) -> None:
    conv, i = axis(t)
    (a,) = t.integers("a")
    s = conv.stride
    t.assume(between(0, a, s))
    t.given((conv.padded_size(i) - conv.extent) % s == 0)
    t.show(conv.output_size(i + a) == conv.output_size(i))
    t.show(conv.output_size(i + s) == conv.output_size(i) + 1)


@all_values(
    "guide.matrix",
    words="The convolution of a 3×3 kernel over 4×4 samples is the 4×16 matrix C that the guide "
    "prints: row 2a + b has w_{u,v} in column 4(a + u) + b + v.",
    latex=r"C_{2a+b,\;4(a+u)+b+v} = w_{u,v},\quad 0\le a,b<2,\; 0\le u,v<3",
    source="V. Dumoulin, F. Visin (2016), section 4.1",
    near_miss="the kernel flipped, as in a convolution of signal processing",
    box={"n": (4,), "k": (3,)},
    concludes="triples",
)
def matrix(n: int, k: int) -> Verdict:
    return sc.same_operator(sc.Conv2d(1, 1, k, bias=False).operator((n, n)), printed(n, k, 1))


@matrix.near_miss_claim()
def matrix_flipped(n: int, k: int) -> Verdict:
    return sc.same_operator(sc.Conv2d(1, 1, k, bias=False).operator((n, n)), printed(n, k, -1))


def printed(n: int, k: int, direction: int) -> sympy.ImmutableSparseMatrix:
    """The matrix of section 4.1, by its own rule; direction −1 runs through the kernel backward."""
    m = n - k + 1
    taps = range(k)[::direction]
    entries = {
        (m * a + b, n * (a + u) + b + v): sympy.Symbol(f"w_0_0_{taps[u]}_{taps[v]}")
        for a in range(m)
        for b in range(m)
        for u in range(k)
        for v in range(k)
    }
    return sympy.ImmutableSparseMatrix(m * m, n * n, entries)


@all_values(
    "guide.figure-4-7",
    words="The transpose of a 3×3 kernel over 6×6 samples with padding 1 and stride 2 is a "
    "convolution over a 3×3 input, one zero between its samples, border 1, one more zero at the "
    "bottom and at the right.",
    latex=r"i=6,\; k=3,\; s=2,\; p=1 \Rightarrow i'=3,\; \tilde{\imath}'=5,\; a=1,\; p'=1",
    source="V. Dumoulin, F. Visin (2016), figure 4.7; vdumoulin/conv_arithmetic#18",
    near_miss="over a 2×2 input, as the caption says",
    box={"inputs": (3,)},
    concludes="triples",
    corollary_of="relation.adjoint",
)
def figure_4_7(inputs: int) -> Verdict | bool:
    return stretched_over(inputs)


@figure_4_7.near_miss_claim(box={"inputs": (2,)})
def figure_4_7_as_printed(inputs: int) -> Verdict | bool:
    return stretched_over(inputs)


def stretched_over(inputs: int) -> Verdict | bool:
    """The figure's zero insertion over that many samples against the transpose on 6×6."""
    conv = sc.Conv2d(1, 1, 3, stride=2, padding=1, bias=False)
    up = sc.ConvTranspose2d(1, 1, 3, stride=2, padding=1, output_padding=1, bias=False)
    stretched = up.relation(0).adjoint()
    if (stretched.pad_lo, stretched.pad_hi) != (1, 1 + 1):
        return False
    form = sc.transposed_matrix(up, (inputs, inputs), "zero_insertion")
    return sc.same_operator(form, conv.operator((6, 6)).T)
