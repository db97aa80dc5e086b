"""One set of triples, two descriptions: what may be changed about an axis without changing it."""

from __future__ import annotations

from symconv.proving import Trace, all_of, all_sizes, any_of, axis, between, iff, implies, reads
from symconv.relation import AxisRelation


@all_sizes(
    "triples.common-factor",
    words="A factor g common to stride, dilation, input dilation and low padding cancels; of the "
    "high padding only the quotient by g counts, its remainder e is never read.",
    latex=r"C(g s,\,g d,\,g b,\,g\,p_{lo},\,g\,p_{hi}+e) = C(s,d,b,p_{lo},p_{hi})"
    r"\quad (0\le e<g)",
    source="symconv",
    near_miss="any remainder e of the high padding is never read",
    concludes="triples",
)
def common_factor(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    g, e, o, k, i = t.integers("g e o k i")
    s, d, b, lo, hi = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo, conv.pad_hi
    t.assume(g >= 1)
    t.given(between(0, e, g))
    coarse = AxisRelation(conv.n_taps, g * s, g * d, g * lo, g * hi + e, g * b)
    t.hint(coarse.output_size(n) - conv.output_size(n))
    t.show(coarse.output_size(n) == conv.output_size(n))
    t.show(iff(reads(conv, o, k, i, n_in=n), reads(coarse, o, k, i, n_in=n)))


@all_sizes(
    "triples.split-kernel",
    words="A kernel of K₁ + K₂ taps is the sum of two convolutions of equal size: its first K₁ "
    "taps with high padding hi − d·K₂, its last K₂ taps with low padding lo − d·K₁.",
    latex=r"C_{K_1+K_2}(p_{lo},p_{hi}) = C_{K_1}(p_{lo},\,p_{hi}-d K_2) \sqcup "
    r"C_{K_2}(p_{lo}-d K_1,\,p_{hi})",
    source="symconv",
    near_miss="the second part keeps the padding",
    concludes="triples",
)
def split_kernel(t: Trace) -> None:
    s, d, n_first, n_second, n, lo, hi, b = t.integers("s d K1 K2 n lo hi b")
    o, k, i = t.integers("o k i")
    t.assume(s >= 1, d >= 1, n_first >= 1, n_second >= 1, n >= 0, b >= 1)
    whole = AxisRelation(n_first + n_second, s, d, lo, hi, b)
    first = AxisRelation(n_first, s, d, lo, hi - d * n_second, b)
    second = AxisRelation(n_second, s, d, lo - d * n_first, hi, b)
    t.show(first.output_size(n) == whole.output_size(n))
    t.show(second.output_size(n) == whole.output_size(n))
    read = reads(whole, o, k, i, n_in=n)
    if k < n_first:
        t.show(iff(read, reads(first, o, k, i, n_in=n)))
    else:
        t.show(iff(read, reads(second, o, k - n_first, i, n_in=n)))
        second = AxisRelation(n_second, s, d, lo, hi, b)
        t.instead(iff(read, reads(second, o, k - n_first, i, n_in=n)))


@all_sizes(
    "triples.split-input",
    words="An input cut in two is the sum of two convolutions of equal size, each with the other "
    "part as padding: overlap and add. The first n₁ samples take high padding hi + b·n₂, the "
    "last n₂ low padding lo + b·n₁.",
    latex=r"C^{n_1+n_2}(p_{lo},p_{hi}) = C^{n_1}(p_{lo},\,p_{hi}+b\,n_2) \sqcup "
    r"C^{n_2}(p_{lo}+b\,n_1,\,p_{hi})",
    source="A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing (3rd ed., 2009), "
    "section 8.7.3, overlap-add, with stride and dilation",
    near_miss="the second part keeps the padding",
    concludes="triples",
)
def split_input(t: Trace) -> None:
    s, d, n_taps, n_first, n_second, lo, hi, b = t.integers("s d K n1 n2 lo hi b")
    o, k, i = t.integers("o k i")
    t.assume(s >= 1, d >= 1, n_taps >= 1, n_first >= 0, n_second >= 0, b >= 1)
    whole = AxisRelation(n_taps, s, d, lo, hi, b)
    first = AxisRelation(n_taps, s, d, lo, hi + b * n_second, b)
    second = AxisRelation(n_taps, s, d, lo + b * n_first, hi, b)
    t.show(first.output_size(n_first) == whole.output_size(n_first + n_second))
    t.show(second.output_size(n_second) == whole.output_size(n_first + n_second))
    read = reads(whole, o, k, i, n_in=n_first + n_second)
    if i < n_first:
        t.show(iff(read, reads(first, o, k, i, n_in=n_first)))
    else:
        t.show(iff(read, reads(second, o, k, i - n_first, n_in=n_second)))
        second = AxisRelation(n_taps, s, d, lo, hi, b)
        t.instead(iff(read, reads(second, o, k, i - n_first, n_in=n_second)))


@all_sizes(
    "triples.unread-tail",
    words="The last r = (N − E) mod s places of the padded axis are read by no window. Cropping c "
    "places there adds ⌊(r − c)/s⌋ outputs: none exactly for r − s < c ≤ r, and then every "
    "triple stays.",
    latex=r"j(o,k) < \mathrm{end}-r \;(0\le o<O),\qquad "
    r"O(p_{hi}-c)=O(p_{hi})+\left\lfloor\frac{r-c}{s}\right\rfloor,\qquad "
    r"C(p_{hi}-c)=C(p_{hi})\;(r-s<c\le r)",
    source="symconv; the remainder a of V. Dumoulin, F. Visin (2016), relationship 14",
    near_miss="s − 1 places can always be cropped",
    concludes="triples",
)
def unread_tail(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    c, o, k, i = t.integers("c o k i")
    s, d, b, lo, hi = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo, conv.pad_hi
    n_out = conv.output_size(n)
    rest = (conv.padded_size(n) - conv.extent) % s
    t.assume(between(0, o, n_out), between(0, k, conv.n_taps))
    cropped = AxisRelation(conv.n_taps, s, d, lo, hi - c, b)
    t.show(conv.position(o, k) < conv.end(n) - rest)
    t.show(cropped.output_size(n) == n_out + (rest - c) // s)
    alike = iff(reads(conv, o, k, i, n_in=n), reads(cropped, o, k, i, n_in=n))
    t.show(implies(between(0, rest - c, s), alike))
    t.instead(AxisRelation(conv.n_taps, s, d, lo, hi - (s - 1), b).output_size(n) == n_out)


@all_sizes(
    "triples.tiles",
    words="Outputs o₀ … o₀+T−1 are a convolution of the slice of m samples from a: low padding "
    "lo − s·o₀ + b·a, padded to reach(T). It holds if the slice has every sample between the "
    "first tap of the first and the last tap of the last of these windows: the halo.",
    latex=r"(o_0+t,\,k,\,i)\in C,\; 0\le t<T \iff (t,\,k,\,i-a)\in C^{m}"
    r"(p_{lo}-s\,o_0+b\,a),\quad N^{m}=s(T-1)+E",
    source="symconv; overlap-save, the slices that a distributed convolution exchanges",
    near_miss="without the halo: any slice inside the input",
    concludes="triples",
)
def tiles(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    start, size, a, m, o, k, i = t.integers("o0 T a m o k i")
    s, d, b, lo = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo
    t.assume(start >= 0, size >= 1, start + size <= conv.output_size(n))
    t.assume(a >= 0, m >= 0, a + m <= n)
    first = conv.position(start, 0)
    t.given(any_of(a == 0, b * (a - 1) < first))
    t.given(any_of(a + m == n, b * (a + m) >= first + conv.reach(size)))
    tile_lo = lo - s * start + b * a
    bare = AxisRelation(conv.n_taps, s, d, tile_lo, 0, b)
    tile = AxisRelation(conv.n_taps, s, d, tile_lo, conv.reach(size) - bare.padded_size(m), b)
    t.show(tile.output_size(m) == size)
    wanted = all_of(reads(conv, start + o, k, i, n_in=n), between(0, o, size))
    t.show(iff(wanted, reads(tile, o, k, i - a, n_in=m)))


@all_sizes(
    "triples.commutes",
    words="Taps and samples exchange their roles, dilation and input dilation with them, if both "
    "are numbered from the far end: x ∗ h = h ∗ x, with any stride and padding.",
    latex=r"(o,k,i)\in C_{K,d}^{n,b}(p_{lo},p_{hi}) \iff (o,\,n-1-i,\,K-1-k)\in "
    r"C_{n,b}^{K,d}(p_{lo}-E+E',\;p_{hi}-E+E'),\quad E'=b(n-1)+1",
    source="A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing (3rd ed., 2009), "
    "section 2.4, with stride, dilation and padding",
    near_miss="without the flip: (o, i, k), as if cross-correlation commuted",
    concludes="triples",
)
def commutes(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    n_taps, s, d, b = conv.n_taps, conv.stride, conv.dilation, conv.input_dilation
    t.assume(n >= 1)
    grown = conv.spread_size(n) - conv.extent
    other = AxisRelation(n, s, b, conv.pad_lo + grown, conv.pad_hi + grown, d)
    read = reads(conv, o, k, i, n_in=n)
    t.show(other.extent == conv.spread_size(n), other.spread_size(n_taps) == conv.extent)
    t.show(other.output_size(n_taps) == conv.output_size(n))
    t.show(iff(read, reads(other, o, n - 1 - i, n_taps - 1 - k, n_in=n_taps)))
    t.instead(iff(read, reads(other, o, i, k, n_in=n_taps)))
