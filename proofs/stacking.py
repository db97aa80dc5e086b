"""Two layers, one after the other: their sizes and triples, and what padding between them spoils.

Where the two can be one layer, with which kernel, and in which order, is in `merging`.
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
    any_of,
    axis,
    between,
    iff,
    implies,
    reads,
)
from symconv.proving.terms import Formula, Term
from symconv.receptive import composed
from symconv.relation import AxisRelation
from symconv.verdict import Verdict

#: Two layers, the input size, and the size between them.
Pair = tuple[AxisRelation, AxisRelation, Term, Term]

STACK = r"S(o,k_2,k_1,i):\; 0\le m<n',\; s_1 m+d_1k_1-p_1=i,\; m=s_2o+d_2k_2-p_2"


def two_layers(t: Trace) -> Pair:
    """Two layers with parameters s1 … hi1 and s2 … hi2 on n samples; paddings of any sign."""
    s1, d1, taps1, s2, d2, taps2, n, lo1, hi1, lo2, hi2 = t.integers(
        "s1 d1 K1 s2 d2 K2 n lo1 hi1 lo2 hi2"
    )
    t.assume(s1 >= 1, d1 >= 1, taps1 >= 1, s2 >= 1, d2 >= 1, taps2 >= 1, n >= 0)
    first = AxisRelation(taps1, s1, d1, lo1, hi1)
    return first, AxisRelation(taps2, s2, d2, lo2, hi2), n, first.output_size(n)


def stacked(pair: Pair, o: Any, k2: Any, k1: Any, i: Any) -> Formula:
    """Output o reads, through k2, a stored intermediate, and that reads i through k1."""
    first, second, n, middle = pair
    m = second.position(o, k2)
    return all_of(
        reads(second, o, k2, m, n_in=middle), reads(first, m, k1, i, n_in=n, n_out=middle)
    )


def merged(pair: Pair, o: Any, k2: Any, k1: Any, i: Any) -> Formula:
    """The same by the two readings made one, wherever the intermediate lies."""
    first, second, n, middle = pair
    jump, padding = first.then(second)
    place = jump * o + first.stride * second.dilation * k2 + first.dilation * k1 - padding
    return all_of(
        between(0, o, second.output_size(middle)),
        between(0, k2, second.n_taps),
        between(0, k1, first.n_taps),
        between(0, i, n),
        place == i,
    )


@all_sizes(
    "stacking.sizes",
    words="After two layers there are as many outputs as after the one relation that composes "
    "them, with padding p1 + s1·p2 on either side: a floor of a floor is one floor. (For more "
    "layers see fields.composed-one-by-one.)",
    latex=r"\left\lfloor\frac{\lfloor (N_1-E_1)/s_1\rfloor+1+p_2+q_2-E_2}{s_2}\right\rfloor+1="
    r"\left\lfloor\frac{n+(p_1+s_1p_2)+(q_1+s_1q_2)-R}{s_1s_2}\right\rfloor+1,\quad "
    r"R=E_1+s_1(E_2-1)",
    source="A. Araujo, W. Norris, J. Sim, Computing Receptive Fields of Convolutional Neural "
    "Networks (2019), Distill, effective padding; stated there for the field, here for the sizes",
    near_miss="the paddings simply add",
    concludes="sizes",
)
def sizes(t: Trace) -> None:
    first, second, n, middle = two_layers(t)
    one = composed([first, second])
    lo, hi = first.pad_lo + second.pad_lo, first.pad_hi + second.pad_hi
    added = AxisRelation(one.n_taps, one.stride, 1, lo, hi)
    t.show(second.output_size(middle) == one.output_size(n))
    t.instead(second.output_size(middle) == added.output_size(n))


@all_sizes(
    "stacking.within-composed",
    words="What two layers read, the one dense layer with their field reads too: taps k2 and k1 "
    "are its tap s1·d2·k2 + d1·k1.",
    latex=r"S(o,k_2,k_1,i)\Rightarrow (o,\;s_1d_2k_2+d_1k_1,\;i)\in C_{R}\quad(" + STACK + ")",
    source="symconv",
    near_miss="the converse: whatever the dense layer reads there, the two layers read",
    concludes="triples",
)
def within_composed(t: Trace) -> None:
    pair = two_layers(t)
    first, second, n, _ = pair
    o, k2, k1, i = t.integers("o k2 k1 i")
    t.assume(between(0, k2, second.n_taps), between(0, k1, first.n_taps))
    whole = composed([first, second])
    far, rest = second.dilation * k2, second.dilation * (second.n_taps - 1 - k2)
    tap = first.stride * far + first.dilation * k1
    t.show(far >= 0, rest >= 0, between(0, tap, whole.n_taps))
    read = reads(whole, o, tap, i, n_in=n)
    t.show(implies(stacked(pair, o, k2, k1, i), read))
    t.instead(implies(read, stacked(pair, o, k2, k1, i)))


@all_sizes(
    "stacking.padding-misread",
    words="Two layers are the merged reading restricted to stored intermediates: they differ from "
    "it exactly in the triples whose intermediate the second layer takes from padding, although "
    "the first layer, run there, would read a stored input.",
    latex=r"S(o,k_2,k_1,i)\iff 0\le m<n' \;\text{and}\; "
    r"s_1s_2\,o+s_1d_2k_2+d_1k_1-(p_1+s_1p_2)=i",
    source="symconv (found without exception in 11,412 settings, proved here for all)",
    near_miss="two layers are the merged reading",
    concludes="triples",
)
def padding_misread(t: Trace) -> None:
    pair = two_layers(t)
    _, second, _, middle = pair
    o, k2, k1, i = t.integers("o k2 k1 i")
    both, one = stacked(pair, o, k2, k1, i), merged(pair, o, k2, k1, i)
    t.show(iff(both, all_of(one, between(0, second.position(o, k2), middle))))
    t.instead(iff(both, one))


@all_sizes(
    "stacking.unpadded-second",
    words="Where the second layer has no padding (or crops), two layers are the merged reading, "
    "whatever the first layer's padding, strides and dilations.",
    latex=r"p_2\le 0,\;q_2\le 0\Rightarrow\bigl(S(o,k_2,k_1,i)\iff "
    r"s_1s_2\,o+s_1d_2k_2+d_1k_1-(p_1+s_1p_2)=i\bigr)",
    source="symconv",
    near_miss="the same with padding in the second layer",
    concludes="triples",
)
def unpadded_second(t: Trace) -> None:
    pair = two_layers(t)
    _, second, _, middle = pair
    o, k2, k1, i = t.integers("o k2 k1 i")
    window = all_of(between(0, o, second.output_size(middle)), between(0, k2, second.n_taps))
    place = second.position(o, k2)
    t.show(implies(window, between(-second.pad_lo, place, middle + second.pad_hi)))
    t.given(second.pad_lo <= 0, second.pad_hi <= 0)
    t.show(iff(stacked(pair, o, k2, k1, i), merged(pair, o, k2, k1, i)))


@all_sizes(
    "stacking.window-meets-input",
    words="The window at position m, stored or not, reads a stored input iff it starts before the "
    "end of the input and ends at or after its start; on at least d samples none slips through "
    "the gaps between the taps.",
    latex=r"n\ge d\Rightarrow\bigl(\exists k:\,0\le sm+dk-p<n \iff sm-p<n,\;sm-p+E-1\ge 0\bigr)",
    source="symconv",
    near_miss="the same on fewer than d samples",
    concludes="triples",
)
def window_meets_input(t: Trace) -> None:
    layer, n = axis(t)
    m, k = t.integers("m k")
    t.assume(n >= 1)
    start, end = layer.position(m, 0), layer.position(m, layer.n_taps - 1)
    met = all_of(between(0, k, layer.n_taps), between(0, layer.position(m, k), n))
    t.show(implies(met, all_of(start < n, end >= 0)))
    t.given(n >= layer.dilation)
    # The first tap at or after the start of the input.
    tap = -(start // layer.dilation) if start < 0 else 0
    found = all_of(between(0, tap, layer.n_taps), between(0, layer.position(m, tap), n))
    t.show(implies(all_of(start < n, end >= 0), found))


@all_sizes(
    "stacking.low-side",
    words="No intermediate before the first would read a stored input iff E ≤ s + p, the extent, "
    "stride and low padding of the first layer (on n ≥ d samples, where it crops at most s): then "
    "low padding of a second layer spoils nothing.",
    latex=r"E\le s+p \Rightarrow sm+dk-p<0\;(m<0);\qquad E>s+p,\;n\ge d \Rightarrow "
    r"0\le -s+dk^{*}-p<n,\quad k^{*}=K-1-\left\lfloor\frac{E-1-s-p}{d}\right\rfloor",
    source="symconv",
    near_miss="E ≤ s + p + 1 is enough",
    concludes="triples",
)
def low_side(t: Trace) -> None:
    first, n = axis(t)
    m, k = t.integers("m k")
    extent, kept = first.extent, first.stride + first.pad_lo
    before, place = all_of(m < 0, between(0, k, first.n_taps)), first.position(m, k)
    t.show(implies(all_of(extent <= kept, before), place < 0))
    last = first.position(-1, first.n_taps - 1)
    tap = first.n_taps - 1 - last // first.dilation
    read = all_of(between(0, tap, first.n_taps), between(0, first.position(-1, tap), n))
    t.show(implies(all_of(extent > kept, kept >= 0, n >= first.dilation), read))
    t.instead(implies(all_of(extent <= kept + 1, before), any_of(place < 0, place >= n)))


@all_sizes(
    "stacking.high-side",
    words="No intermediate after the last would read a stored input iff E + r ≤ s + q, where r is "
    "what the windows of the first layer leave unread of its padded input, r = (N − E) mod s, and "
    "q its high padding (on n ≥ d samples, where it crops at most n).",
    latex=r"E+r\le s+q \Rightarrow sm+dk-p\ge n\;(m\ge n');\qquad E+r>s+q,\;n\ge d\Rightarrow "
    r"\exists k:\,0\le sn'+dk-p<n",
    source="symconv",
    near_miss="E ≤ s + q is enough, as on the low side",
    concludes="triples",
)
def high_side(t: Trace) -> None:
    first, n = axis(t)
    m, k = t.integers("m k")
    middle = first.output_size(n)
    extent, kept, d = first.extent, first.stride + first.pad_hi, first.dilation
    left = (first.padded_size(n) - extent) % first.stride
    after, place = all_of(m >= middle, between(0, k, first.n_taps)), first.position(m, k)
    start = first.position(middle, 0)
    t.show(start == n + kept - extent - left)
    t.show(implies(all_of(extent + left <= kept, after), place >= n))
    tap = -(start // d) if start < 0 else 0
    read = all_of(between(0, tap, first.n_taps), between(0, first.position(middle, tap), n))
    t.show(implies(all_of(extent + left > kept, n + first.pad_hi >= 0, n >= d), read))
    t.instead(implies(all_of(extent <= kept, after), any_of(place < 0, place >= n)))


@all_sizes(
    "stacking.harmless-padding",
    words="Two padded layers are still the merged reading if on each side the second layer has no "
    "padding or the first layer's windows just outside read nothing (E1 ≤ s1 + p1; after the "
    "end E1 + r1 ≤ s1 + q1): every path to a stored input has a stored intermediate.",
    latex=r"(p_2\le 0\text{ or }E_1\le s_1+p_1),\;(q_2\le 0\text{ or }E_1+r_1\le s_1+q_1)"
    r"\Rightarrow\bigl(0\le s_1m+d_1k_1-p_1<n\Rightarrow 0\le m<n'\bigr)",
    source="symconv",
    near_miss="any two padded layers",
    concludes="triples",
)
def harmless_padding(t: Trace) -> None:
    first, second, n, middle = two_layers(t)
    o, k2, k1 = t.integers("o k2 k1")
    t.assume(between(0, o, second.output_size(middle)))
    t.assume(between(0, k2, second.n_taps), between(0, k1, first.n_taps))
    left = (first.padded_size(n) - first.extent) % first.stride
    low = first.extent <= first.stride + first.pad_lo
    high = first.extent + left <= first.stride + first.pad_hi
    m = second.position(o, k2)
    t.show(between(-second.pad_lo, m, middle + second.pad_hi))
    t.show(implies(all_of(low, m < 0), first.position(m, k1) < 0))
    t.show(implies(all_of(high, m >= middle), first.position(m, k1) >= n))
    t.given(any_of(second.pad_lo <= 0, low), any_of(second.pad_hi <= 0, high))
    t.show(implies(between(0, first.position(m, k1), n), between(0, m, middle)))


@all_sizes(
    "stacking.size-keeping-pair",
    words="Two layers of stride 1 that keep the size (2h+1 taps, padding d·h) are one merged "
    "layer if one of them has a single tap. Otherwise they are not, on n ≥ d1·h1 and n ≥ d2 "
    "samples: output d2 − 1 takes intermediate −1 from padding, which would read input d1·h1 − 1.",
    latex=r"h_1=0\text{ or }h_2=0\Rightarrow(0\le i<n\Rightarrow 0\le m<n);\quad "
    r"o=d_2-1,\,k_2=h_2-1,\,k_1=2h_1\Rightarrow m=-1,\; i=d_1h_1-1",
    source="symconv; the claim in stacking.two-3x3 for all sizes",
    near_miss="two layers that keep the size are always one, such as two 3×3 layers with padding 1",
    concludes="triples",
)
def size_keeping_pair(t: Trace) -> None:
    d1, h1, d2, h2, n = t.integers("d1 h1 d2 h2 n")
    o, k2, k1 = t.integers("o k2 k1")
    t.assume(d1 >= 1, d2 >= 1, h1 >= 0, h2 >= 0, n >= 1)
    first = AxisRelation(2 * h1 + 1, 1, d1, d1 * h1, d1 * h1)
    second = AxisRelation(2 * h2 + 1, 1, d2, d2 * h2, d2 * h2)
    t.show(first.output_size(n) == n, second.output_size(n) == n)
    t.assume(between(0, o, n), between(0, k2, second.n_taps), between(0, k1, first.n_taps))
    m = second.position(o, k2)
    same = implies(between(0, first.position(m, k1), n), between(0, m, n))
    t.show(implies(any_of(h1 == 0, h2 == 0), same))
    t.show(second.position(d2 - 1, h2 - 1) == -1, first.position(-1, 2 * h1) == d1 * h1 - 1)
    read = between(0, first.position(-1, 2 * h1), n)
    t.show(implies(all_of(h1 >= 1, h2 >= 1, n >= d1 * h1, n >= d2), read))
    t.instead(same)


@all_sizes(
    "stacking.pads-add",
    words="Padding by (a, b) and then by (a′, b′), where negative amounts crop, is padding by "
    "(a + a′, b + b′) if nothing is cropped on a side before that side is padded.",
    latex=r"(a\ge 0\text{ or }a'\le 0),\;(b\ge 0\text{ or }b'\le 0)\Rightarrow "
    r"\mathrm{pad}_{a',b'}\,\mathrm{pad}_{a,b}=\mathrm{pad}_{a+a',\,b+b'}",
    source="symconv",
    near_miss="the same for a crop that is padded again",
    concludes="triples",
    corollary_of="stacking.harmless-padding",
)
def pads_add(t: Trace) -> None:
    n, lo1, hi1, lo2, hi2, o, i = t.integers("n a b c e o i")
    t.assume(n >= 0)
    first, second = AxisRelation(1, 1, 1, lo1, hi1), AxisRelation(1, 1, 1, lo2, hi2)
    pair = first, second, n, first.output_size(n)
    one = AxisRelation(1, 1, 1, lo1 + lo2, hi1 + hi2)
    t.given(any_of(lo1 >= 0, lo2 <= 0), any_of(hi1 >= 0, hi2 <= 0))
    t.show(iff(stacked(pair, o, 0, 0, i), reads(one, o, 0, i, n_in=n)))


@all_sizes(
    "stacking.subsample-twice",
    words="Keeping every s-th sample and every t-th of those is keeping every s·t-th.",
    latex=r"(\downarrow t)(\downarrow s)=\;\downarrow st,\quad "
    r"\lceil\lceil n/s\rceil/t\rceil=\lceil n/(st)\rceil",
    source="P. P. Vaidyanathan, Multirate Systems and Filter Banks (1993), section 4.1",
    near_miss="every (s + t)-th",
    concludes="triples",
    corollary_of="stacking.unpadded-second",
)
def subsample_twice(t: Trace) -> None:
    s, u, n, o, i = t.integers("s t n o i")
    t.assume(s >= 1, u >= 1, n >= 1)
    first, second = AxisRelation(1, s), AxisRelation(1, u)
    pair = first, second, n, first.output_size(n)
    twice = stacked(pair, o, 0, 0, i)
    t.show(iff(twice, reads(AxisRelation(1, s * u), o, 0, i, n_in=n)))
    t.instead(iff(twice, reads(AxisRelation(1, s + u), o, 0, i, n_in=n)))


@all_values(
    "stacking.two-3x3",
    box={"n": range(1, 7)},
    words="Two 3×3 layers with padding 1 are one 5×5 layer with padding 2, whose kernel is the "
    "convolution of the two (on one axis, n samples).",
    latex=r"C_3^{(1)}(u)\,C_3^{(1)}(w)=C_5^{(2)}(u*w)",
    source="folklore after K. Simonyan, A. Zisserman, Very Deep Convolutional Networks (2015), "
    "section 2.3, which says this of the receptive field only",
    concludes="triples",
    expected="REFUTED",
    remark="The field is that of 5×5, and so is every output whose window takes no intermediate "
    "from padding (stacking.padding-misread); the outputs at the border differ "
    "(stacking.size-keeping-pair). Without padding in the second layer the claim holds "
    "(stacking.unpadded-second).",
)
def two_3x3(n: int) -> Verdict:
    w, u = sympy.symbols("w0:3"), sympy.symbols("u0:3")
    layer = sc.Conv1d(1, 1, 3, padding=1, bias=False).operator((n,))
    kernel = [sum(u[a] * w[k - a] for a in range(3) if 0 <= k - a < 3) for k in range(5)]
    one = sc.Conv1d(1, 1, 5, padding=2, bias=False).operator((n,)).exact([[kernel]])
    return sc.same_operator(layer.exact([[u]]) * layer.exact([[w]]), one)
