"""One convolution written as others: padding, strides, dilation and phases rearranged."""

from __future__ import annotations

from dataclasses import replace

from symconv import AxisRelation
from symconv.conventions import AMOUNTS
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    any_of,
    axis,
    between,
    iff,
    implies,
    reads,
)
from symconv.proving.terms import Term

VAIDYANATHAN = "P. P. Vaidyanathan (1993), Multirate systems and filter banks"


def phase_size(n: Term, phase: object, step: object) -> Term:
    """How many of n positions remain of phase, phase + step, phase + 2·step, …"""
    return AxisRelation(1, step).output_size(n - phase)  # type: ignore[no-any-return, operator]


@all_sizes(
    "rearrangements.pad-then-convolution",
    words="Padding by (a, b) zeros and then a convolution with padding (lo, hi) and input dilation "
    "β is the convolution with padding (lo + β·a, hi + β·b); a negative amount is allowed on a "
    "side where the convolution pads less than β.",
    latex=r"C_{p_{lo},\,p_{hi}} \circ P_{a,b} = C_{p_{lo}+\beta a,\,p_{hi}+\beta b} \quad\text{if } "
    r"(a \ge 0 \vee p_{lo} < \beta) \wedge (b \ge 0 \vee p_{hi} < \beta)",
    source="symconv; FACTS section 3 (β = 1)",
    near_miss="the same for every crop",
    concludes="triples",
)
def pad_then_convolution(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    a, b, o, k, i = t.integers("before after o k i")
    spread = conv.input_dilation
    pad = AxisRelation(1, pad_lo=a, pad_hi=b)
    padded = pad.output_size(n)
    joined = replace(conv, pad_lo=conv.pad_lo + spread * a, pad_hi=conv.pad_hi + spread * b)
    t.assume(n >= 1, padded >= 0)
    t.given(any_of(a >= 0, conv.pad_lo < spread), any_of(b >= 0, conv.pad_hi < spread))
    # The padded sample in between can only be the one that holds sample i.
    through = all_of(
        reads(conv, o, k, i + a, n_in=padded), reads(pad, i + a, 0, i, n_in=n, n_out=padded)
    )
    t.show(conv.output_size(padded) == joined.output_size(n))
    t.show(iff(reads(joined, o, k, i, n_in=n), through))


@all_sizes(
    "rearrangements.strided-is-subsampled",
    words="A convolution of stride s·c is the one of stride s, of which every c-th output is kept.",
    latex=r"(o,k,i)\in C_{s c} \iff (c\,o,\,k,\,i)\in C_{s},\qquad O_{sc} = \lceil O_s / c \rceil",
    source="symconv; FACTS section 3 (s = 1)",
    near_miss="every c-th input is kept first, then stride s",
    concludes="triples",
    corollary_of="polyphase.outputs",
)
def strided_is_subsampled(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    c, o, k, i = t.integers("c o k i")
    t.assume(n >= 1, c >= 1)
    strided = replace(conv, stride=conv.stride * c)
    subsample = AxisRelation(1, c)
    n_dense = conv.output_size(n)
    t.assume(n_dense >= 1)
    triple = reads(strided, o, k, i, n_in=n)
    t.show(strided.output_size(n) == subsample.output_size(n_dense))
    through = all_of(
        reads(subsample, o, 0, c * o, n_in=n_dense), reads(conv, c * o, k, i, n_in=n)
    )
    t.show(iff(triple, through))
    t.instead(strided.output_size(n) == conv.output_size(subsample.output_size(n)))


@all_sizes(
    "rearrangements.strided-pointwise",
    words="A strided 1×1 convolution without padding is subsampling followed by the 1×1 "
    "convolution.",
    latex=r"K=1,\ p=0:\quad (o,0,i)\in C_s \iff i = s\,o,\ (o,0,o)\in C_1 \text{ on } "
    r"\lceil n/s \rceil",
    source="symconv; FACTS section 3 (1×1 strides moved past padding by compilers)",
    near_miss="the same with padding, kept by the 1×1 convolution after subsampling",
    concludes="triples",
    corollary_of="merging.pointwise-first",
)
def strided_pointwise(t: Trace) -> None:
    s, n, lo, hi, o, i = t.integers("s n lo hi o i")
    t.assume(s >= 1, n >= 1, lo >= 0, hi >= 0)
    t.given(lo == 0, hi == 0)
    conv, pointwise, subsample = (
        AxisRelation(1, s, 1, lo, hi),
        AxisRelation(1, 1, 1, lo, hi),
        AxisRelation(1, s),
    )
    kept = subsample.output_size(n)
    m = o - lo
    through = all_of(
        reads(pointwise, o, 0, m, n_in=kept), reads(subsample, m, 0, i, n_in=n, n_out=kept)
    )
    t.show(pointwise.output_size(kept) == conv.output_size(n))
    t.show(iff(reads(conv, o, 0, i, n_in=n), through))


@all_sizes(
    "rearrangements.space-to-depth",
    words="A strided convolution is one of stride 1 on s times the channels: sample i goes to "
    "place ⌊i/s⌋ of channel i mod s, and tap k acts on channel (d·k−lo) mod s as tap "
    "⌊(d·k−lo)/s⌋ − ⌊−lo/s⌋ of the new kernel.",
    latex=r"(o,k,i)\in C_{s,d} \iff i \bmod s = (dk-p_{lo}) \bmod s,\ "
    r"\bigl(o,\ \lfloor \tfrac{dk-p_{lo}}{s} \rfloor - \lfloor \tfrac{-p_{lo}}{s} \rfloor,\ "
    r"\lfloor \tfrac{i}{s} \rfloor\bigr)\in C_{1,1}",
    source=f"the polyphase form, {VAIDYANATHAN}, section 4.3; FACTS section 3",
    near_miss="tap k acts on channel k mod s as tap ⌊k/s⌋, whatever padding and dilation",
    concludes="triples",
)
def space_to_depth(t: Trace) -> None:
    conv, n = axis(t)
    o, k, i = t.integers("o k i")
    s = conv.stride
    t.assume(n >= 1, between(0, k, conv.n_taps))
    place, channel = divmod(i, s)
    tap, phase = divmod(conv.position(0, k), s)
    first = conv.position(0, 0) // s
    last = conv.position(0, conv.n_taps - 1) // s
    cells = -(-n // s)
    n_taps, lo, n_out = last - first + 1, -first, conv.output_size(n)
    # The padding at the end that gives as many windows; negative where some cells are not read.
    dense = AxisRelation(n_taps, 1, 1, lo, n_out + n_taps - 1 - cells - lo)
    t.show(dense.output_size(cells) == n_out)
    t.hint(tap - first, last - tap)
    t.show(between(first, tap, last + 1))
    t.assume(between(0, o, n_out), between(0, i, n))
    t.hint(o + tap - place - 1, cells - place - 1)
    t.show(between(0, place, cells))
    new = all_of(channel == phase, reads(dense, o, tap - first, place, n_in=cells))
    t.show(iff(reads(conv, o, k, i, n_in=n), new))
    tap, phase = divmod(k, s)
    near = all_of(channel == phase, reads(dense, o, tap, place, n_in=cells))
    t.instead(iff(reads(conv, o, k, i, n_in=n), near))


@all_sizes(
    "rearrangements.sub-pixel",
    words="A transposed convolution is a convolution of stride 1 to s times the channels, a pixel "
    "shuffle, and a crop by lo: tap k goes to channel (d·k) mod s as tap ⌊d·k/s⌋ of K′ = "
    "⌊d(K−1)/s⌋ + 1, flipped, and channel c holds the outputs y with (y+lo) mod s = c.",
    latex=r"(i,k,y)\in T \iff (y+p_{lo}) \bmod s = dk \bmod s,\ "
    r"\bigl(\lfloor \tfrac{y+p_{lo}}{s} \rfloor,\ K'-1-\lfloor \tfrac{dk}{s} \rfloor,\ i\bigr)"
    r"\in C_{1,1}(K'-1,\,K'-1)",
    source="W. Shi et al. (2016), arXiv:1609.07009, for every dilation and padding",
    near_miss="the same without flipping the new kernel",
    concludes="triples",
)
def sub_pixel(t: Trace) -> None:
    conv, n = axis(t)
    op, i, k, y = t.integers("op i k y")
    s, d = conv.stride, conv.dilation
    t.assume(n >= 1, op >= 0, between(0, k, conv.n_taps))
    size = conv.input_size(n, op)
    cell, phase = divmod(y + conv.pad_lo, s)
    tap, channel = divmod(d * k, s)
    n_taps = d * (conv.n_taps - 1) // s + 1
    dense = AxisRelation(n_taps, 1, 1, n_taps - 1, n_taps - 1)
    triple = all_of(between(0, i, n), between(0, y, size), conv.position(i, k) == y)
    t.hint(i + tap - cell - 1, n_taps - 1 - tap)
    t.show(between(0, tap, n_taps))
    shuffled = all_of(phase == channel, between(0, y, size))
    t.show(iff(triple, all_of(shuffled, reads(dense, cell, n_taps - 1 - tap, i, n_in=n))))
    t.instead(iff(triple, all_of(shuffled, reads(dense, cell, tap, i, n_in=n))))


@all_sizes(
    "rearrangements.strided-and-dilated",
    words="If g divides s and d, the outputs of each class c of o mod d/g are the convolution of "
    "stride s/g without dilation on every d-th padded position from s·c on.",
    latex=r"o = \tfrac{d}{g}o'+c:\quad s\,o+d\,k = s\,c+d\bigl(\tfrac{s}{g}o'+k\bigr),\qquad "
    r"O_c = \left\lfloor \frac{N_c-K}{s/g} \right\rfloor + 1,\ "
    r"N_c = \left\lfloor \frac{N-1-s c}{d} \right\rfloor + 1",
    source="symconv; FACTS section 3 (g the greatest common divisor)",
    near_miss="the same with stride s inside the classes",
    concludes="triples",
)
def strided_and_dilated(t: Trace) -> None:
    g, s, d, K, N, o, k, j = t.integers("g s d K N o k j")  # noqa: N806 - the field's letters
    t.assume(g >= 1, s >= 1, d >= 1, K >= 1, N >= 1)
    # s and d stand for s/g and d/g here; j is a position on the padded axis.
    conv = AxisRelation(K, g * s, g * d)
    later, kind = divmod(o, d)
    first = conv.position(kind, 0)
    cells = phase_size(N, first, g * d)
    inner = AxisRelation(K, s)
    place, rest = divmod(j - first, g * d)
    t.hint(s * later + k - place - 1)
    t.show(inner.output_size(cells) == phase_size(conv.output_size(N), kind, d))
    through = all_of(
        between(0, j, N), rest == 0, o >= 0, reads(inner, later, k, place, n_in=cells)
    )
    t.show(iff(reads(conv, o, k, j, n_in=N), through))
    t.instead(AxisRelation(K, g * s).output_size(cells) == phase_size(conv.output_size(N), kind, d))


@all_sizes(
    "rearrangements.space-to-batch",
    words="A dilated convolution of stride 1 is, on each phase of d of the padded axis, the "
    "convolution without dilation, whatever N is: output o is output ⌊o/d⌋ of phase o mod d.",
    latex=r"(o,k,j)\in C_{1,d} \text{ on } N \iff j \equiv o \ (\mathrm{mod}\ d),\ "
    r"(\lfloor o/d \rfloor,\,k,\,\lfloor j/d \rfloor)\in C_{1,1} \text{ on } "
    r"\left\lfloor \tfrac{N-1-(o \bmod d)}{d} \right\rfloor + 1",
    source="TensorFlow, tf.nn.atrous_conv2d, with ragged phases; FACTS section 3",
    near_miss="the same with stride 2 inside and outside",
    concludes="triples",
    corollary_of="rearrangements.strided-and-dilated",
)
def space_to_batch(t: Trace) -> None:
    d, K, N, o, k, j = t.integers("d K N o k j")  # noqa: N806 - the field's letters
    t.assume(d >= 1, K >= 1, N >= 1)
    later, phase = divmod(o, d)
    place, rest = divmod(j, d)
    cells = phase_size(N, phase, d)
    conv, inner = AxisRelation(K, 1, d), AxisRelation(K)
    t.hint(later + k - place - 1, place - later - k - 1)
    t.show(inner.output_size(cells) == phase_size(conv.output_size(N), phase, d))
    through = all_of(between(0, j, N), rest == phase, reads(inner, later, k, place, n_in=cells))
    t.show(iff(reads(conv, o, k, j, n_in=N), all_of(o >= 0, through)))
    conv, inner = replace(conv, stride=2), replace(inner, stride=2)
    t.instead(inner.output_size(cells) == phase_size(conv.output_size(N), phase, d))


@all_sizes(
    "rearrangements.equal-batches",
    words="The d phases of a padded axis of N positions have the same length exactly when d "
    "divides N; else the first is longer by one than the last.",
    latex=r"\left\lceil \frac{N}{d} \right\rceil = \left\lceil \frac{N-(d-1)}{d} \right\rceil "
    r"\iff d \mid N",
    source="TensorFlow, tf.space_to_batch; FACTS section 3",
    near_miss="exactly when d divides the input size n",
    concludes="sizes",
)
def equal_batches(t: Trace) -> None:
    d, n, lo, hi, phase = t.integers("d n lo hi phase")
    t.assume(d >= 1, n >= 1, between(0, phase, d))
    padded = AxisRelation(1, pad_lo=lo, pad_hi=hi).padded_size(n)
    t.assume(padded >= 1)
    first, last = phase_size(padded, 0, d), phase_size(padded, d - 1, d)
    t.show(iff(first == last, padded % d == 0))
    t.show(implies(padded % d != 0, first == last + 1))
    t.show(between(last, phase_size(padded, phase, d), first + 1))
    t.instead(iff(first == last, n % d == 0))


@all_sizes(
    "rearrangements.fully-connected",
    words="A kernel as large as the input, without padding, has one output that reads each sample "
    "through a tap of its own: a fully connected layer; on m ≥ n samples it has ⌊(m−n)/s⌋ + 1.",
    latex=r"K=n,\ d=1,\ p=0:\quad O(n)=1,\ (0,k,i)\in C \iff k=i,\qquad "
    r"O(m) = \left\lfloor \frac{m-n}{s} \right\rfloor + 1",
    source="source notes, N17; J. Long, E. Shelhamer, T. Darrell (2015), arXiv:1411.4038, sect. 3.1",
    near_miss="the same with padding",
    concludes="triples",
)
def fully_connected(t: Trace) -> None:
    s, n, m, lo, hi, k, i = t.integers("s n m lo hi k i")
    t.assume(s >= 1, n >= 1, m >= n, between(0, i, n), between(0, k, n), lo >= 0, hi >= 0)
    t.given(lo == 0, hi == 0)
    conv = AxisRelation(n, s, 1, lo, hi)
    t.show(conv.output_size(n) == 1)
    t.show(iff(reads(conv, 0, k, i, n_in=n), k == i))
    t.show(conv.output_size(m) == (m - n) // s + 1)
