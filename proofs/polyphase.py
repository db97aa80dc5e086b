"""Every q-th output, tap or sample of a convolution is a convolution."""

from __future__ import annotations

from symconv.proving import Trace, all_sizes, axis, between, iff, reads
from symconv.relation import AxisRelation


@all_sizes(
    "polyphase.outputs",
    words="The outputs c, c+q, c+2q, … are a convolution with stride q·s and low padding lo − s·c; "
    "so stride s is stride 1 of which every s-th output is kept.",
    latex=r"(q\,t+c,\,k,\,i)\in C_s(p_{lo}) \iff (t,k,i)\in C_{q s}(p_{lo}-s\,c)"
    r"\quad (0\le c<q,\ t\ge 0)",
    source="P. P. Vaidyanathan, Multirate Systems and Filter Banks (1993), section 4.2, with "
    "dilation and padding",
    near_miss="every phase keeps the low padding",
    concludes="triples",
)
def outputs(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    q, c, o, k, i = t.integers("q c o k i")
    s, d, b, lo, hi = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo, conv.pad_hi
    t.assume(q >= 1, between(0, c, q), o >= 0)
    phase = AxisRelation(conv.n_taps, q * s, d, lo - s * c, hi, b)
    read = reads(conv, q * o + c, k, i, n_in=n)
    t.show(phase.output_size(n) == (conv.output_size(n) - 1 - c) // q + 1)
    t.show(iff(read, reads(phase, o, k, i, n_in=n)))
    t.instead(iff(read, reads(AxisRelation(conv.n_taps, q * s, d, lo, hi, b), o, k, i, n_in=n)))


@all_sizes(
    "polyphase.taps",
    words="The taps c, c+q, c+2q, … are a kernel of dilation q·d with low padding lo − d·c; the "
    "high padding that gives all phases one output size is hi less what their last tap lacks.",
    latex=r"(o,\,q\,u+c,\,i)\in C_d(p_{lo}) \iff (o,u,i)\in C_{q d}(p_{lo}-d\,c)"
    r"\quad (0\le c<q,\ u\ge 0)",
    source="P. P. Vaidyanathan, Multirate Systems and Filter Banks (1993), section 4.3, with "
    "dilation and padding",
    near_miss="every phase keeps the low padding",
    concludes="triples",
)
def taps(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    q, c, o, u, i = t.integers("q c o u i")
    s, d, b, lo, hi = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo, conv.pad_hi
    t.assume(q >= 1, between(0, c, q), c < conv.n_taps, u >= 0)
    n_taps = (conv.n_taps - 1 - c) // q + 1
    after = conv.n_taps - 1 - (q * (n_taps - 1) + c)
    phase = AxisRelation(n_taps, s, q * d, lo - d * c, hi - d * after, b)
    read = reads(conv, o, q * u + c, i, n_in=n)
    t.show(phase.output_size(n) == conv.output_size(n))
    t.show(iff(read, reads(phase, o, u, i, n_in=n)))
    phase = AxisRelation(n_taps, s, q * d, lo, hi - d * (after + c), b)
    t.instead(iff(read, reads(phase, o, u, i, n_in=n)))


@all_sizes(
    "polyphase.samples",
    words="The samples c, c+q, c+2q, … are an input of dilation q·b with low padding lo + b·c; the "
    "high padding that gives all phases one output size is hi and what follows their last sample.",
    latex=r"(o,\,k,\,q\,m+c)\in C_b(p_{lo}) \iff (o,k,m)\in C_{q b}(p_{lo}+b\,c)"
    r"\quad (0\le c<q,\ m\ge 0)",
    source="P. P. Vaidyanathan, Multirate Systems and Filter Banks (1993), section 4.3, with "
    "dilation and padding",
    near_miss="every phase keeps the low padding",
    concludes="triples",
)
def samples(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    q, c, o, k, m = t.integers("q c o k m")
    s, d, b, lo, hi = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo, conv.pad_hi
    t.assume(q >= 1, between(0, c, q), c < n, m >= 0)
    size = (n - 1 - c) // q + 1
    after = n - 1 - (q * (size - 1) + c)
    phase = AxisRelation(conv.n_taps, s, d, lo + b * c, hi + b * after, q * b)
    read = reads(conv, o, k, q * m + c, n_in=n)
    t.show(phase.output_size(size) == conv.output_size(n))
    t.show(iff(read, reads(phase, o, k, m, n_in=size)))
    phase = AxisRelation(conv.n_taps, s, d, lo, hi + b * (after + c), q * b)
    t.instead(iff(read, reads(phase, o, k, m, n_in=size)))
