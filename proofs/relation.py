"""The index relation b·j = s·o + d·k − lo: what each of its readings means.

Every method of `AxisRelation` that is not a size is pinned here to a literal formula, or to a
fact about samples and windows that does not mention it.
"""

from __future__ import annotations

from typing import Any

from symconv.proving import Trace, all_of, all_sizes, any_of, axis, between, iff, implies, reads
from symconv.relation import AxisRelation


@all_sizes(
    "relation.definition",
    words="Output o reads the stored sample i through tap k exactly when b·i = s·o + d·k − lo and "
    "all three exist: 0 ≤ k < K, 0 ≤ i < n, and o ≥ 0 whose last tap lies on the padded axis. "
    "s is the stride, d the dilation, b the input dilation; lo and hi may be negative.",
    latex=r"(o,k,i)\in C \iff b\,i = s\,o + d\,k - p_{lo},\; 0\le k<K,\; 0\le i<n,\; o\ge 0,\; "
    r"s\,o + d(K-1) - p_{lo} < b(n-1) + 1 + p_{hi}",
    source="V. Dumoulin, F. Visin (2016), sections 2 and 5.1, with input dilation and asymmetric "
    "padding",
    near_miss="the low padding is added instead of subtracted",
    concludes="triples",
)
def definition(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    s, d, b, lo = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo
    exist = all_of(
        o >= 0,
        s * o + d * (conv.n_taps - 1) - lo < b * (n - 1) + 1 + conv.pad_hi,
        between(0, k, conv.n_taps),
        between(0, i, n),
    )
    read = reads(conv, o, k, i, n_in=n)
    t.show(iff(read, all_of(exist, b * i == s * o + d * k - lo)))
    t.instead(iff(read, all_of(exist, b * i == s * o + d * k + lo)))


@all_sizes(
    "relation.defaults",
    words="A relation of which only the number K of taps is said is the plain sliding window: "
    "output o reads the samples o, o+1, …, o+K−1, and there are n−K+1 outputs.",
    latex=r"(o,k,i)\in C \iff i = o + k,\; 0\le k<K,\; 0\le o\le n-K",
    source="V. Dumoulin, F. Visin (2016), relationship 1",
    near_miss="every output o < n reads K samples",
    concludes="triples",
    corollary_of="relation.definition",
)
def defaults(t: Trace) -> None:
    n_taps, n, o, k, i = t.integers("K n o k i")
    t.assume(n_taps >= 1, n >= 0)
    plain = AxisRelation(n_taps)
    t.show(plain.output_size(n) == n - n_taps + 1)
    read = reads(plain, o, k, i, n_in=n)
    t.show(iff(read, all_of(i == o + k, between(0, k, n_taps), o >= 0, o <= n - n_taps)))
    t.instead(iff(read, all_of(i == o + k, between(0, k, n_taps), between(0, o, n))))


@all_sizes(
    "relation.extent",
    words="The taps of one window lie between its first and its last, E samples in all, both "
    "included: E − 1 = d(K − 1). Neighbouring taps are d apart, neighbouring windows s.",
    latex=r"0\le j(o,k)-j(o,0)\le E-1 = j(o,K-1)-j(o,0),\quad "
    r"j(o,k+1)-j(o,k)=d,\quad j(o+1,k)-j(o,k)=s",
    source="V. Dumoulin, F. Visin (2016), section 5.1, the effective kernel size",
    near_miss="K taps span K samples whatever the dilation",
    concludes="sizes",
)
def extent(t: Trace) -> None:
    conv, _ = axis(t, input_dilation=True)
    o, k = t.integers("o k")
    t.assume(between(0, k, conv.n_taps))
    place = conv.position(o, k) - conv.position(o, 0)
    t.show(conv.position(o, conv.n_taps - 1) - conv.position(o, 0) == conv.extent - 1)
    t.show(between(0, place, conv.extent))
    t.show(conv.position(o, k + 1) - conv.position(o, k) == conv.dilation)
    t.show(conv.position(o + 1, k) - conv.position(o, k) == conv.stride)
    t.instead(between(0, place, conv.n_taps))


@all_sizes(
    "relation.padded-axis",
    words="The padded axis is lo places, then the first sample, then one sample every b places up "
    "to the last, then hi places: N in all. Counted from the first sample it ends at N − lo.",
    latex=r"\mathrm{place}(0)=p_{lo},\quad \mathrm{place}(i+1)=\mathrm{place}(i)+b,\quad "
    r"N=\mathrm{place}(n-1)+1+p_{hi},\quad \mathrm{end}=N-p_{lo}",
    source="symconv; section 4.5 of V. Dumoulin, F. Visin (2016) puts b − 1 zeros between samples",
    near_miss="a sample takes b places, the last one too: N = b·n + lo + hi",
    concludes="sizes",
)
def padded_axis(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    t.show(conv.padded_place(0) == conv.pad_lo)
    t.show(conv.padded_place(i + 1) == conv.padded_place(i) + conv.input_dilation)
    t.show(conv.spread_size(n) == conv.padded_place(n - 1) - conv.padded_place(0) + 1)
    t.show(conv.padded_size(n) == conv.padded_place(n - 1) + 1 + conv.pad_hi)
    t.show(conv.end(n) == conv.padded_size(n) - conv.pad_lo)
    # The sample that a tap meets is the one that lies at the tap's place.
    place = conv.stride * o + conv.dilation * k
    t.show(iff(conv.position(o, k) == conv.input_dilation * i, conv.padded_place(i) == place))
    t.instead(conv.padded_size(n) == conv.input_dilation * n + conv.pad_lo + conv.pad_hi)


@all_sizes(
    "relation.tap-slice",
    words="Tap k of outputs 0 … m−1 is a slice of the padded axis: its element t is the place of "
    "tap k of output t, it has exactly m elements, and it never leaves the padded axis.",
    latex=r"\mathrm{start}+t\cdot\mathrm{step} = s\,t+d\,k,\quad "
    r"\mathrm{start}+(m-1)\,\mathrm{step} < \mathrm{stop} \le \mathrm{start}+m\cdot\mathrm{step},"
    r"\quad 0\le\mathrm{start},\quad \mathrm{stop}\le N",
    source="symconv",
    near_miss="with stop = start + m·s the slice still ends on the padded axis",
    concludes="sizes",
)
def tap_slice(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k = t.integers("o k")
    n_out = conv.output_size(n)
    t.assume(n_out >= 1, between(0, k, conv.n_taps))
    # The code is typed for integers; a slice of terms carries the same three formulas.
    unknown: Any = k
    cut = conv.tap_slice(unknown, n_out)
    t.show(cut.start + o * cut.step == conv.stride * o + conv.dilation * k)
    t.show(cut.start + (n_out - 1) * cut.step < cut.stop)
    t.show(cut.stop <= cut.start + n_out * cut.step)
    t.show(cut.start >= 0, cut.stop <= conv.padded_size(n))
    t.instead(cut.start + n_out * cut.step <= conv.padded_size(n))


@all_sizes(
    "relation.reach",
    words="The first m windows cover reach(m) = s(m − 1) + E samples from the first tap of the "
    "first to the last tap of the last, and no tap of theirs lies outside.",
    latex=r"0\le j(o,k)-j(0,0) < s(m-1)+E \quad (0\le o<m,\ 0\le k<K),\quad "
    r"j(m-1,K-1)-j(0,0)+1 = s(m-1)+E",
    source="symconv",
    near_miss="m windows of stride s cover s·m samples",
    concludes="sizes",
)
def reach(t: Trace) -> None:
    conv, _ = axis(t, input_dilation=True)
    m, o, k = t.integers("m o k")
    t.assume(between(0, o, m), between(0, k, conv.n_taps))
    first, last = conv.position(0, 0), conv.position(m - 1, conv.n_taps - 1)
    t.show(conv.reach(m) == last - first + 1)
    t.show(between(0, conv.position(o, k) - first, conv.reach(m)))
    t.instead(between(0, conv.position(o, k) - first, conv.stride * m))


@all_sizes(
    "relation.overhang",
    words="A tap lies on the padded axis or in the overhang after it: it is inside exactly when "
    "its place s·o + d·k is below N. A whole window is inside exactly when it is one of the "
    "windows that are counted.",
    latex=r"\mathrm{inside}(o,k)\iff s\,o+d\,k<N,\qquad \mathrm{inside}(o,K-1)\iff o<O",
    source="symconv; the overhang is what PyTorch's average pooling leaves out of its divisor "
    "(documentation of torch.nn.AvgPool2d, ceil_mode)",
    near_miss="inside means before the end of the input, without the high padding",
    concludes="sizes",
)
def overhang(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k = t.integers("o k")
    place = conv.stride * o + conv.dilation * k
    inside = conv.inside_padded(o, k, n)
    t.show(iff(inside, place < conv.padded_size(n)))
    t.show(iff(conv.inside_padded(o, conv.n_taps - 1, n), o < conv.output_size(n)))
    t.instead(iff(inside, place < conv.spread_size(n) + conv.pad_lo))


@all_sizes(
    "relation.adjoint",
    words="The adjoint relation reads the triples backwards, the kernel flipped: whatever the "
    "output padding, (o, k, i) is a triple of the convolution of n samples exactly when "
    "(i, K−1−k, o) is one among the first n outputs of the adjoint. (How many it has is "
    "sizes.adjoint.)",
    latex=r"(o,k,i)\in C \iff (i,\,K-1-k,\,o)\in C^{*}_{op},\; 0\le i<n",
    source="V. Dumoulin, F. Visin (2016), relationships 12 to 14, with input dilation and "
    "asymmetric padding",
    near_miss="the kernel is not flipped",
    concludes="triples",
)
def adjoint(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    op, o, k, i = t.integers("op o k i")
    n_out = conv.output_size(n)
    back = conv.adjoint(op)
    read = reads(conv, o, k, i, n_in=n)
    t.show(iff(read, reads(back, i, conv.n_taps - 1 - k, o, n_in=n_out, n_out=n)))
    t.instead(iff(read, reads(back, i, k, o, n_in=n_out, n_out=n)))


@all_sizes(
    "relation.adjoint-twice",
    words="The adjoint of the adjoint is the relation itself exactly when both take the same "
    "output padding; otherwise its high padding differs by their difference, nothing else.",
    latex=r"(C^{*}_{op})^{*}_{op'} = C \iff op'=op,\qquad p_{hi}''-p_{hi}=op'-op",
    source="symconv",
    near_miss="twice adjoint is the relation whatever the output paddings",
    concludes="triples",
)
def adjoint_twice(t: Trace) -> None:
    conv, _ = axis(t, input_dilation=True)
    op, again = t.integers("op op2")
    twice = conv.adjoint(op).adjoint(again)
    same = all_of(
        twice.n_taps == conv.n_taps,
        twice.stride == conv.stride,
        twice.dilation == conv.dilation,
        twice.input_dilation == conv.input_dilation,
        twice.pad_lo == conv.pad_lo,
        twice.pad_hi == conv.pad_hi,
    )
    t.show(twice.pad_hi - conv.pad_hi == again - op)
    t.show(iff(same, again == op))
    t.instead(same)


@all_sizes(
    "relation.backwards",
    words="The sample i is read through tap k by one output or none: by o exactly when s divides "
    "b·i − d·k + lo, with quotient o.",
    latex=r"b\,i = s\,o+d\,k-p_{lo} \iff s\mid b\,i-d\,k+p_{lo},\; "
    r"o=\left\lfloor\frac{b\,i-d\,k+p_{lo}}{s}\right\rfloor",
    source="symconv; the gather form of the transposed convolution",
    near_miss="the quotient alone says which output, with no remainder asked for",
    concludes="triples",
)
def backwards(t: Trace) -> None:
    conv, _ = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    literal = conv.input_dilation * i == conv.stride * o + conv.dilation * k - conv.pad_lo
    numerator = conv.output_numerator(i, k)
    t.show(iff(literal, conv.stride * o == numerator))
    quotient, rest = numerator // conv.stride, numerator % conv.stride
    t.hint(quotient - o)
    t.show(iff(literal, all_of(rest == 0, quotient == o)))
    t.instead(iff(literal, quotient == o))


@all_sizes(
    "relation.composition",
    words="Two readings follow one another: output o reads through taps k′ and k, by way of the "
    "output m between them, the position jump·o + s·d′·k′ + d·k − padding, where the strides "
    "multiply and the second padding counts in steps of the first stride. Composing three is "
    "associative.",
    latex=r"m = s'o+d'k'-p',\; i = s\,m+d\,k-p \;\Rightarrow\; "
    r"i = s s'\,o + s d'\,k' + d\,k - (s p'+p)",
    source="A. Araujo, W. Norris, J. Sim, Computing Receptive Fields of Convolutional Neural "
    "Networks (2019), Distill, equations for jump and start",
    near_miss="the paddings add without the stride: p + p′",
    concludes="triples",
)
def composition(t: Trace) -> None:
    s, d, p, s2, d2, p2, s3, p3, o, k, k2, m, i = t.integers("s d p s2 d2 p2 s3 p3 o k k2 m i")
    t.assume(s >= 1, d >= 1, s2 >= 1, d2 >= 1, s3 >= 1, k >= 0, k2 >= 0)
    first, second = AxisRelation(k + 1, s, d, p), AxisRelation(k2 + 1, s2, d2, p2)
    third = AxisRelation(1, s3, pad_lo=p3)
    jump, padding = first.then(second)
    path = all_of(second.position(o, k2) == m, first.position(m, k) == i)
    t.show(implies(path, i == jump * o + s * d2 * k2 + d * k - padding))
    t.show(jump == s * s2)
    left = AxisRelation(1, jump, pad_lo=padding).then(third)
    inner_jump, inner_padding = second.then(third)
    right = first.then(AxisRelation(1, inner_jump, pad_lo=inner_padding))
    t.show(left[0] == right[0], left[1] == right[1])
    t.instead(implies(path, i == jump * o + s * d2 * k2 + d * k - (p + p2)))


@all_sizes(
    "relation.determined",
    words="Of output o, tap k and sample i, any two determine the third: zero padding lets no "
    "pair meet twice.",
    latex=r"(o,k,i),(o',k',i')\in C \text{ and two of } o=o',\,k=k',\,i=i' "
    r"\;\Rightarrow\; (o,k,i)=(o',k',i')",
    source="symconv",
    near_miss="one of the three determines the others",
    concludes="triples",
)
def determined(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i, o2, k2, i2 = t.integers("o k i o2 k2 i2")
    t.assume(reads(conv, o, k, i, n_in=n), reads(conv, o2, k2, i2, n_in=n))
    t.show(implies(all_of(o == o2, k == k2), i == i2))
    t.show(implies(all_of(o == o2, i == i2), k == k2))
    t.show(implies(all_of(k == k2, i == i2), o == o2))
    t.instead(implies(i == i2, any_of(o == o2, k == k2)))


@all_sizes(
    "relation.shared-sample",
    words="Where output o reads a sample through tap k, output o′ reads the same one through k′ "
    "exactly when s(o′ − o) = d(k − k′): windows share samples on their taps, not on their spans.",
    latex=r"(o,k,i)\in C \;\Rightarrow\; \bigl((o',k',i)\in C \iff s(o'-o)=d(k-k')\bigr)",
    source="symconv",
    near_miss="windows share every sample of their overlap: o′ − o = k − k′",
    concludes="triples",
)
def shared_sample(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i, o2, k2 = t.integers("o k i o2 k2")
    t.assume(reads(conv, o, k, i, n_in=n))
    t.assume(between(0, o2, conv.output_size(n)), between(0, k2, conv.n_taps))
    again = reads(conv, o2, k2, i, n_in=n)
    t.show(iff(again, conv.stride * (o2 - o) == conv.dilation * (k - k2)))
    t.instead(iff(again, o2 - o == k - k2))


@all_sizes(
    "relation.shift",
    words="On an endless axis, moving the samples by t moves what every output reads by τ outputs "
    "exactly when b·t = s·τ.",
    latex=r"b\,i=s\,o+d\,k-p \;\Rightarrow\; "
    r"\bigl(b(i+t)=s(o+\tau)+d\,k-p \iff b\,t=s\,\tau\bigr)",
    source="symconv; equivariance of convolution, with stride and input dilation",
    near_miss="the output moves as far as the input: t = τ",
    concludes="triples",
)
def shift(t: Trace) -> None:
    s, d, b, p, o, k, by, tau, i = t.integers("s d b p o k t tau i")
    t.assume(s >= 1, d >= 1, b >= 1, k >= 0)
    # The numbers of taps and samples play no part, nor does the high padding.
    endless = AxisRelation(k + 1, s, d, p, input_dilation=b)
    t.assume(endless.position(o, k) == b * i)
    moved = endless.position(o + tau, k) == b * (i + by)
    t.show(iff(moved, b * by == s * tau))
    t.instead(iff(moved, by == tau))


@all_sizes(
    "relation.unread-classes",
    words="If g divides both stride and dilation, only positions j with j + lo divisible by g are "
    "read, and what is left is the relation of stride s/g and dilation d/g on every g-th place.",
    latex=r"g\mid s,\; g\mid d \;\Rightarrow\; "
    r"\bigl(j=s\,o+d\,k-p \iff g\mid j+p,\; \tfrac{j+p}{g}=\tfrac{s}{g}\,o+\tfrac{d}{g}\,k\bigr)",
    source="symconv; the outputs that a transposed convolution never writes",
    near_miss="g divides the stride only",
    concludes="triples",
)
def unread_classes(t: Trace) -> None:
    g, s, e, d, p, o, k, j = t.integers("g s e d p o k j")
    t.assume(g >= 1, s >= 1, d >= 1)
    t.given(d == g * e)
    every, part = AxisRelation(k + 1, g * s, d, p), AxisRelation(k + 1, s, e)
    place, rest = (j + p) // g, (j + p) % g
    met = every.position(o, k) == j
    t.hint(place - part.position(o, k))
    t.show(iff(met, all_of(rest == 0, place == part.position(o, k))))
