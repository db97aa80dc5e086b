"""Output sizes: the floor, what it counts, and every question asked of it backwards."""

from __future__ import annotations

from typing import Any

from symconv import shapes
from symconv.proving import Trace, all_of, all_sizes, any_of, axis, between, iff, implies
from symconv.proving.terms import Term
from symconv.relation import AxisRelation


@all_sizes(
    "sizes.count",
    words="max(0, O) with O = ⌊(N − E)/s⌋ + 1 is the number of windows that fit: it is the one "
    "m ≥ 0 such that window m does not fit while window m − 1 does, if there is one. Window o fits "
    "when its last tap lies before the end of the padded axis.",
    latex=r"m = \max(0,O) \iff m\ge 0,\; s\,m+d(K-1)-p_{lo}\ge b(n-1)+1+p_{hi},\; "
    r"\bigl(m=0 \text{ or } s(m-1)+d(K-1)-p_{lo}<b(n-1)+1+p_{hi}\bigr)",
    source="V. Dumoulin, F. Visin (2016), relationships 6 and 15, for every padded size",
    near_miss="O itself counts the windows, also where it is negative",
    concludes="counts",
)
def count(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    (m,) = t.integers("m")
    last_tap = conv.dilation * (conv.n_taps - 1) - conv.pad_lo
    end = conv.input_dilation * (n - 1) + 1 + conv.pad_hi
    n_out = conv.output_size(n)
    fits = conv.stride * (m - 1) + last_tap < end
    number = all_of(m >= 0, conv.stride * m + last_tap >= end, any_of(m == 0, fits))
    t.show(iff(m == max(n_out, 0), number))
    t.instead(iff(m == n_out, number))


@all_sizes(
    "sizes.at-least-one",
    words="There is a window exactly when the padded axis is as long as the kernel with its gaps.",
    latex=r"O\ge 1 \iff b(n-1)+1+p_{lo}+p_{hi} \ge d(K-1)+1",
    source="symconv",
    near_miss="as long as the number of taps, whatever the dilation",
    concludes="sizes",
)
def at_least_one(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    b, d = conv.input_dilation, conv.dilation
    padded = b * (n - 1) + 1 + conv.pad_lo + conv.pad_hi
    some = conv.output_size(n) >= 1
    t.show(iff(some, padded >= d * (conv.n_taps - 1) + 1))
    t.instead(iff(some, padded >= conv.n_taps))


def _truncated(conv: AxisRelation, n: Term) -> Any:
    """The output size with a division that rounds towards zero, as in C."""
    numerator = conv.padded_size(n) - conv.extent
    if numerator < 0:
        return -(-numerator // conv.stride) + 1
    return numerator // conv.stride + 1


@all_sizes(
    "sizes.truncation-as-floor",
    words="Rounding the quotient (N − E)/s towards zero, as C does, gives the output size.",
    latex=r"\mathrm{trunc}\left(\frac{N-E}{s}\right)+1 = O",
    source="symconv; C and C++ code that writes the formula with /",
    concludes="sizes",
    expected="REFUTED",
    remark="It does whenever a window fits; sizes.truncation says what it gives where none does.",
)
def truncation_as_floor(t: Trace) -> None:
    conv, n = axis(t)
    t.assume(n >= 1, conv.pad_lo >= 0, conv.pad_hi >= 0)
    t.show(_truncated(conv, n) == conv.output_size(n))


@all_sizes(
    "sizes.truncation",
    words="Rounding towards zero gives the output size exactly when N ≥ E or s divides N − E; it "
    "reports one output where no window fits exactly when E − s < N < E.",
    latex=r"\mathrm{trunc}\left(\frac{N-E}{s}\right)+1 = O \iff N\ge E \text{ or } s\mid N-E,"
    r"\qquad O<1\le \mathrm{trunc}\left(\frac{N-E}{s}\right)+1 \iff E-s<N<E",
    source="symconv",
    near_miss="it is wrong only for padded sizes below zero",
    concludes="sizes",
)
def truncation(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    padded, n_out = conv.padded_size(n), conv.output_size(n)
    rest = (padded - conv.extent) % conv.stride
    cut = _truncated(conv, n)
    if padded < conv.extent:
        t.show(iff(cut == n_out, rest == 0))
        t.show(n_out < 1, iff(cut >= 1, conv.extent - conv.stride < padded))
        t.instead(implies(padded >= 0, cut == n_out))
    else:
        t.show(cut == n_out)


@all_sizes(
    "sizes.growth",
    words="If b·m = s·t, m more samples give t more outputs; without input dilation, s more give "
    "one more.",
    latex=r"b\,m = s\,t \;\Rightarrow\; O(n+m) = O(n)+t",
    source="symconv",
    near_miss="t more samples give t more outputs whatever the stride",
    concludes="sizes",
)
def growth(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    m, more = t.integers("m t")
    t.assume(conv.input_dilation * m == conv.stride * more)
    t.hint(conv.output_size(n + m) - conv.output_size(n) - more)
    t.show(conv.output_size(n + m) == conv.output_size(n) + more)
    t.instead(conv.output_size(n + more) == conv.output_size(n) + more)


@all_sizes(
    "sizes.monotone",
    words="More samples or padding never give fewer outputs, more taps or a larger dilation never "
    "more; nor does a larger stride, as long as a window fits.",
    latex=r"n\le n',\ p\le p',\ K\ge K',\ d\ge d' \Rightarrow O\le O',\qquad "
    r"s\le s',\ N\ge E \Rightarrow O_s\ge O_{s'}",
    source="symconv",
    near_miss="a larger stride never gives more, even where no window fits",
    concludes="sizes",
)
def monotone(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    e_s, e_d, e_taps, e_n, e_pad = t.integers("es ed eK en ep")
    t.assume(e_s >= 0, e_d >= 0, e_taps >= 0, e_n >= 0, e_pad >= 0)
    s, d, b, lo, hi = conv.stride, conv.dilation, conv.input_dilation, conv.pad_lo, conv.pad_hi
    n_out = conv.output_size(n)
    more = AxisRelation(conv.n_taps, s, d, lo, hi + e_pad, b).output_size(n + e_n)
    fewer = AxisRelation(conv.n_taps + e_taps, s, d + e_d, lo, hi, b).output_size(n)
    t.hint(n_out - more, fewer - n_out)
    t.show(n_out <= more)
    t.show(n_out >= fewer)
    t.given(conv.padded_size(n) >= conv.extent)
    strided = AxisRelation(conv.n_taps, s + e_s, d, lo, hi, b).output_size(n)
    t.show(n_out >= strided)


@all_sizes(
    "sizes.input-interval",
    words="n samples have m outputs exactly when n lies between the two ends that input_interval "
    "gives, whatever the input dilation b; for b = 1 the interval has s sizes.",
    latex=r"O(n)=m \iff \left\lceil\frac{s(m-1)+E-p_{lo}-p_{hi}-1}{b}\right\rceil+1 \le n \le "
    r"\left\lfloor\frac{s m+E-p_{lo}-p_{hi}-2}{b}\right\rfloor+1",
    source="symconv; V. Dumoulin, F. Visin (2016), section 4.4, on the sizes that share one",
    near_miss="the interval has s sizes for every b",
    concludes="sizes",
)
def input_interval(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    (m,) = t.integers("m")
    first, last = shapes.input_interval(conv, m)
    t.hint(conv.output_size(n) - m)
    t.show(iff(conv.output_size(n) == m, all_of(first <= n, n <= last)))
    if conv.input_dilation == 1:
        t.show(last - first == conv.stride - 1)
    else:
        t.instead(last - first == conv.stride - 1)


@all_sizes(
    "sizes.how-many-inputs",
    words="With input dilation b an output size belongs to ⌊s/b⌋ or ⌈s/b⌉ input sizes: to one at "
    "least when b ≤ s, to one at most when s ≤ b.",
    latex=r"\left\lfloor\frac{s}{b}\right\rfloor \le \#\{n : O(n)=m\} \le "
    r"\left\lceil\frac{s}{b}\right\rceil",
    source="symconv",
    near_miss="there is always an input size with m outputs",
    concludes="counts",
)
def how_many_inputs(t: Trace) -> None:
    conv, _ = axis(t, input_dilation=True)
    (m,) = t.integers("m")
    first, last = shapes.input_interval(conv, m)
    number = last - first + 1
    t.show(conv.stride // conv.input_dilation <= number)
    t.show(number <= -(-conv.stride // conv.input_dilation))
    t.instead(number >= 1)


@all_sizes(
    "sizes.all-positive",
    words="All s input sizes that have m outputs are positive exactly when "
    "s(m − 1) + E − lo − hi ≥ 1; otherwise the least of them is not.",
    latex=r"\bigl(O(n)=m \Rightarrow n\ge 1\bigr) \iff s(m-1)+E-p_{lo}-p_{hi}\ge 1,\qquad "
    r"O(s(m-1)+E-p_{lo}-p_{hi})=m",
    source="symconv",
    near_miss="whatever has an output has a sample",
    concludes="sizes",
)
def all_positive(t: Trace) -> None:
    s, d, n_taps, n, lo, hi, m = t.integers("s d K n lo hi m")
    t.assume(s >= 1, d >= 1, n_taps >= 1, m >= 1)
    conv = AxisRelation(n_taps, s, d, lo, hi)
    least = s * (m - 1) + conv.extent - lo - hi
    t.show(conv.output_size(least) == m)
    t.given(least >= 1)
    t.show(implies(conv.output_size(n) == m, n >= 1))


@all_sizes(
    "sizes.padding-interval",
    words="n samples have m outputs exactly when the total padding lies between the two ends that "
    "padding_interval gives: s consecutive totals, in which the axis' own padding plays no part.",
    latex=r"O(n)=m \iff s(m-1)+E-S \le p_{lo}+p_{hi} \le s\,m+E-S-1,\quad S=b(n-1)+1",
    source="symconv",
    near_miss="exactly one total padding gives m outputs",
    concludes="sizes",
)
def padding_interval(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    m, lo, hi = t.integers("m lo2 hi2")
    s, d, b = conv.stride, conv.dilation, conv.input_dilation
    least, most = shapes.padding_interval(conv, n, m)
    padded = AxisRelation(conv.n_taps, s, d, lo, hi, b)
    t.hint(padded.output_size(n) - m)
    t.show(least == s * (m - 1) + conv.extent - conv.spread_size(n), most - least == s - 1)
    t.show(iff(padded.output_size(n) == m, all_of(least <= lo + hi, lo + hi <= most)))
    t.instead(iff(padded.output_size(n) == m, lo + hi == least))


@all_sizes(
    "sizes.symmetric-padding",
    words="For stride 2 or more, some padding equal on both sides gives n samples m outputs: half "
    "the least total, rounded up. For stride 1 it does exactly when 2p = m − 1 + E − S has a "
    "solution, S = b(n − 1) + 1.",
    latex=r"s\ge 2 \Rightarrow O(n;p,p)=m,\; p=\left\lceil\tfrac{s(m-1)+E-S}{2}\right\rceil,\qquad "
    r"s=1 \Rightarrow \bigl(O(n;p,p)=m \iff 2p=m-1+E-S\bigr)",
    source="symconv",
    near_miss="for stride 1 too",
    concludes="sizes",
)
def symmetric_padding(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    m, p = t.integers("m p")
    s, d, b = conv.stride, conv.dilation, conv.input_dilation
    least, _ = shapes.padding_interval(conv, n, m)
    half = -(-least // 2)
    dense = AxisRelation(conv.n_taps, 1, d, p, p, b).output_size(n)
    t.show(iff(dense == m, 2 * p == m - 1 + conv.extent - conv.spread_size(n)))
    t.given(s >= 2)
    n_out = AxisRelation(conv.n_taps, s, d, half, half, b).output_size(n)
    t.hint(n_out - m)
    t.show(n_out == m)


@all_sizes(
    "sizes.enlarging",
    words="Can any convolution enlarge its input? Exactly when the total padding is at least "
    "E + s·n − S, where S = b(n − 1) + 1; without input dilation that is E + (s − 1)n, so never "
    "without padding.",
    latex=r"O(n) > n \iff p_{lo}+p_{hi} \ge E + s\,n - b(n-1) - 1",
    source="The source notes' question (N18); V. Dumoulin, F. Visin (2016), section 2.2.2, full "
    "padding",
    near_miss="exactly when the total padding is at least E, whatever the stride",
    concludes="sizes",
)
def enlarging(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    total = conv.pad_lo + conv.pad_hi
    least = conv.extent + conv.stride * n - conv.input_dilation * (n - 1) - 1
    t.show(shapes.enlarging_padding(conv, n) == least)
    t.hint(conv.output_size(n) - n)
    enlarged = conv.output_size(n) > n
    t.show(iff(enlarged, total >= shapes.enlarging_padding(conv, n)))
    plain = all_of(conv.input_dilation == 1, total <= 0)
    t.show(implies(plain, conv.output_size(n) <= n))
    t.instead(iff(enlarged, total >= conv.extent))


@all_sizes(
    "sizes.least-input",
    words="The transposed size s(m − 1) + E + op − lo − hi is, for op = 0 and no input dilation, "
    "the least input that has m outputs: its m windows fill the padded axis to the last sample, "
    "and op more samples follow them.",
    latex=r"n_0 = s(m-1)+E-p_{lo}-p_{hi} \Rightarrow N(n_0)=s(m-1)+E,\; O(n_0)=m,\; O(n_0-1)=m-1",
    source="V. Dumoulin, F. Visin (2016), relationships 13 and 14, with asymmetric padding",
    near_miss="the padding is added, as in a convolution",
    concludes="sizes",
)
def least_input(t: Trace) -> None:
    conv, _ = axis(t)
    m, op = t.integers("m op")
    least = conv.input_size(m)
    s, d, lo, hi = conv.stride, conv.dilation, conv.pad_lo, conv.pad_hi
    literal = s * (m - 1) + d * (conv.n_taps - 1) + 1 - lo - hi
    t.show(least == literal, conv.input_size(m, op) == literal + op)
    t.show(conv.padded_size(least) == conv.reach(m))
    t.show(conv.output_size(least) == m, conv.output_size(least - 1) == m - 1)
    t.instead(conv.output_size(s * (m - 1) + conv.extent + lo + hi) == m)


@all_sizes(
    "sizes.adjoint",
    words="The adjoint relation on the O outputs of n samples has n + ⌊(op − r)/b⌋ outputs, where "
    "r = (N − E) mod s: n exactly for the b output paddings from r to r + b − 1.",
    latex=r"O^{*}_{op}(O(n)) = n + \left\lfloor\frac{op-r}{b}\right\rfloor,\quad r=(N-E)\bmod s",
    source="symconv; V. Dumoulin, F. Visin (2016), relationship 14, with input dilation",
    near_miss="output padding 0 gives n for every input size",
    concludes="sizes",
)
def adjoint(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    (op,) = t.integers("op")
    n_out = conv.output_size(n)
    rest = (conv.padded_size(n) - conv.extent) % conv.stride
    t.show(conv.adjoint(op).output_size(n_out) == n + (op - rest) // conv.input_dilation)
    # Without a word on it, the output padding is 0.
    t.show(conv.adjoint().output_size(n_out) == n + (-rest) // conv.input_dilation)
    t.instead(conv.adjoint().output_size(n_out) == n)


@all_sizes(
    "sizes.dividing-exactly",
    words="A convolution of stride s has ⌊n/s⌋ outputs for every n exactly when lo + hi = E − s, "
    "and ⌈n/s⌉ for every n exactly when lo + hi = E − 1. Two sizes are enough to tell: a multiple "
    "q·s and, for the floor, the last size before the next multiple; for the ceiling, the first "
    "after it.",
    latex=r"\forall n\; O(n)=\left\lfloor\frac{n}{s}\right\rfloor \iff p_{lo}+p_{hi}=E-s,\qquad "
    r"\forall n\; O(n)=\left\lceil\frac{n}{s}\right\rceil \iff p_{lo}+p_{hi}=E-1",
    source="symconv",
    near_miss="⌊n/s⌋ at the multiples of s is enough",
    concludes="sizes",
)
def dividing_exactly(t: Trace) -> None:
    conv, n = axis(t)
    (q,) = t.integers("q")
    s, total = conv.stride, conv.pad_lo + conv.pad_hi
    at_multiple, before, after = (conv.output_size(s * q + e) for e in (0, s - 1, 1))
    t.hint(conv.output_size(n) - n // s)
    t.show(implies(total == conv.extent - s, conv.output_size(n) == n // s))
    t.show(implies(total == conv.extent - 1, conv.output_size(n) == -(-n // s)))
    t.show(implies(all_of(at_multiple == q, before == q), total == conv.extent - s))
    t.show(implies(all_of(at_multiple == q, after == q + 1), total == conv.extent - 1))
    t.instead(implies(at_multiple == q, total == conv.extent - s))


@all_sizes(
    "sizes.strided-same",
    words="With a fixed padding and stride 2 or more, two sizes that a convolution keeps differ by "
    "at most 1: no fixed padding keeps every size.",
    latex=r"s\ge 2,\ O(n)=n,\ O(n')=n' \Rightarrow |n-n'|\le 1",
    source="symconv; why PyTorch refuses padding='same' with stride above 1",
    near_miss="stride 1",
    concludes="sizes",
)
def strided_same(t: Trace) -> None:
    conv, n = axis(t)
    (m,) = t.integers("m")
    t.given(conv.stride >= 2)
    t.assume(m >= 0, conv.output_size(n) == n, conv.output_size(m) == m)
    t.show(between(-1, n - m, 2))
