"""One convolution written as others: padding, strides, dilation and phases rearranged."""

from __future__ import annotations

from dataclasses import replace

from symconv import AxisRelation
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
from symconv.proving.terms import Formula, Term

VAIDYANATHAN = "P. P. Vaidyanathan (1993), Multirate systems and filter banks"


def phase_size(n: Term, phase: object, step: object) -> Term:
    """How many of n positions there are in phase, phase + step, phase + 2·step and so on."""
    return AxisRelation(1, step).output_size(n - phase)  # type: ignore[no-any-return]


def neither(one: object, other: object) -> Formula:
    """Both are false."""
    return ~all_of(one) & ~all_of(other)


@all_sizes(
    "rearrangements.pad-then-convolution",
    words="Padding by (a, b) zeros and then a convolution with padding (lo, hi) and input dilation "
    "β is the convolution with padding (lo + β·a, hi + β·b); a negative amount is allowed on a "
    "side where the convolution pads less than β.",
    latex=r"C_{p_{lo},\,p_{hi}} \circ P_{a,b} = C_{p_{lo}+\beta a,\,p_{hi}+\beta b} "
    r"\quad\text{if } "
    r"(a \ge 0 \vee p_{lo} < \beta) \wedge (b \ge 0 \vee p_{hi} < \beta)",
    source="symconv (β = 1)",
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
    "rearrangements.strided-pointwise",
    words="A strided 1×1 convolution without padding is subsampling followed by the 1×1 "
    "convolution.",
    latex=r"K=1,\ p=0:\quad (o,0,i)\in C_s \iff i = s\,o,\ (o,0,o)\in C_1 \text{ on } "
    r"\lceil n/s \rceil",
    source="symconv (1×1 strides moved past padding by compilers)",
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
    source=f"the polyphase form, {VAIDYANATHAN}, section 4.3",
    near_miss="tap k acts on channel k mod s as tap ⌊k/s⌋, whatever padding and dilation",
    concludes="triples",
)
def space_to_depth(t: Trace) -> None:
    conv, n = axis(t)
    o, k, i = t.integers("o k i")
    s = conv.stride
    n_out, cells = conv.output_size(n), -(-n // s)
    t.assume(between(0, o, n_out), between(0, k, conv.n_taps), between(0, i, n))
    place, channel = divmod(i, s)
    tap, phase = divmod(conv.position(0, k), s)
    first = conv.position(0, 0) // s
    n_taps = conv.position(0, conv.n_taps - 1) // s - first + 1
    # The padding at the end gives as many windows; it is negative where cells are not read.
    dense = AxisRelation(n_taps, 1, 1, -first, n_out + n_taps - 1 - cells + first)
    read = reads(conv, o, k, i, n_in=n)
    near = all_of(channel == k % s, reads(dense, o, k // s, place, n_in=cells))
    t.instead(implies(conv.pad_lo >= 0, iff(read, near)))
    new = all_of(channel == phase, reads(dense, o, tap - first, place, n_in=cells))
    t.show(dense.output_size(cells) == n_out)
    t.show(between(0, tap - first, n_taps), between(0, place, cells))
    if o + tap != place:
        t.show(neither(read, new))
    else:
        t.show(iff(read, new))


@all_sizes(
    "rearrangements.space-to-depth-twice",
    words="Space-to-depth by a and then by b is space-to-depth by a·b: sample i ends in channel "
    "a·(⌊i/a⌋ mod b) + i mod a.",
    latex=r"\lfloor \lfloor i/a \rfloor / b \rfloor = \lfloor i/(ab) \rfloor,\qquad "
    r"i \bmod ab = a\,(\lfloor i/a \rfloor \bmod b) + i \bmod a",
    source="symconv",
    near_miss="the new channel counts fastest: b·(i mod a) + ⌊i/a⌋ mod b",
    concludes="triples",
)
def space_to_depth_twice(t: Trace) -> None:
    a, b, i = t.integers("a b i")
    t.assume(a >= 1, b >= 1, i >= 0)
    t.show(a * b >= 1)
    place, channel = divmod(i, a)
    second, later = divmod(place, b)
    both, joined = divmod(i, a * b)
    t.show(between(0, a * later + channel, a * b))
    if second > both:
        # i = ab·second + … ≥ ab·(both + 1) would be too large.
        t.show(a * b * second >= a * b * (both + 1))
    elif second < both:
        t.show(a * b * both >= a * b * (second + 1))
    t.show(both == second)
    t.show(joined == a * later + channel)
    t.instead(joined == b * channel + later)


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
    s, d, size = conv.stride, conv.dilation, conv.input_size(n, op)
    t.assume(op >= 0, between(0, i, n), between(0, k, conv.n_taps), between(0, y, size))
    cell, phase = divmod(y + conv.pad_lo, s)
    tap, channel = divmod(d * k, s)
    n_taps = d * (conv.n_taps - 1) // s + 1
    dense = AxisRelation(n_taps, 1, 1, n_taps - 1, n_taps - 1)
    t.show(between(0, tap, n_taps))
    meet = conv.position(i, k) == y
    new = all_of(phase == channel, reads(dense, cell, n_taps - 1 - tap, i, n_in=n))
    if i + tap != cell:
        t.show(neither(meet, new))
    else:
        t.show(iff(meet, new))
    t.instead(iff(meet, all_of(phase == channel, reads(dense, cell, tap, i, n_in=n))))


@all_sizes(
    "rearrangements.resampling",
    words="Of a convolution with input dilation b (d = 1), the outputs o ≡ c mod b are a "
    "convolution of the samples as they are, of stride s, with every b-th tap from "
    "r = (lo − s·c) mod b on and low padding ⌊(lo − s·c)/b⌋: no zeros are inserted.",
    latex=r"o=b\,o'+c,\ p_{lo}-s c = b\,q+r:\quad (o,k,i)\in C_{s,b} \iff k = b\,k'+r,\ "
    r"(o',k',i)\in C_{s,1}(q) \text{ with } \lfloor (K-1-r)/b \rfloor + 1 \text{ taps}",
    source=f"{VAIDYANATHAN}, section 4.3; scipy.signal.upfirdn",
    near_miss="class c takes the taps k ≡ c mod b",
    concludes="triples",
)
def resampling(t: Trace) -> None:
    s, b, K, n, lo, hi = t.integers("s b K n lo hi")  # noqa: N806 - the field's letter
    o, k, i = t.integers("o k i")
    conv = AxisRelation(K, s, 1, lo, hi, b)
    t.assume(s >= 1, b >= 1, K >= 1, n >= 1)
    n_out = conv.output_size(n)
    t.assume(between(0, o, n_out), between(0, k, K), between(0, i, n))
    later, kind = divmod(o, b)
    pad, first = divmod(-conv.position(kind, 0), b)
    tap, rest = divmod(k, b)
    phase = AxisRelation(phase_size(K, first, b), s, 1, pad)
    windows = phase_size(n_out, kind, b)
    t.show(between(0, later, windows))
    read = reads(conv, o, k, i, n_in=n)
    new = all_of(rest == first, reads(phase, later, tap, i, n_in=n, n_out=windows))
    if phase.position(later, tap) != i:
        t.show(neither(read, new))
    else:
        t.show(iff(read, new))
    t.instead(implies(read, rest == kind))


@all_sizes(
    "rearrangements.resize-convolution",
    words="Nearest-neighbour upsampling by s and then a convolution of stride 1 with K taps is a "
    "transposed convolution of stride s with K+s−1 taps and padding K−1−lo, K−1−hi, whose tap t "
    "is the sum of the taps k with 0 ≤ t+k−(K−1) < s.",
    latex=r"0 \le o+k-p_{lo}-s\,i < s,\ 0 \le k < K \iff (i,t,o)\in T_{s,\,K+s-1},\ "
    r"0 \le t+k-(K-1) < s,\quad t = o-s\,i+K-1-p_{lo}",
    source="A. Odena, V. Dumoulin, C. Olah (2016), Deconvolution and checkerboard artifacts, "
    "Distill (resize-convolution), in exact terms",
    near_miss="the transposed convolution has K taps",
    concludes="triples",
)
def resize_convolution(t: Trace) -> None:
    s, K, n, lo, hi, o, k, i = t.integers("s K n lo hi o k i")  # noqa: N806 - the field's letter
    t.assume(s >= 1, K >= 1, n >= 1)
    repeat, conv = AxisRelation(s, s), AxisRelation(K, 1, 1, lo, hi)
    resized = repeat.input_size(n)
    place = conv.position(o, k)
    path = all_of(
        between(0, i, n),
        between(0, place - repeat.position(i, 0), repeat.n_taps),
        reads(conv, o, k, place, n_in=resized),
    )
    merged = AxisRelation(K + s - 1, s, 1, K - 1 - lo, K - 1 - hi)
    t.show(merged.input_size(n) == conv.output_size(resized))
    t.instead(replace(merged, n_taps=K).input_size(n) == conv.output_size(resized))
    tap = o - merged.position(i, 0)
    sent = all_of(
        between(0, i, n), between(0, tap, merged.n_taps), between(0, o, merged.input_size(n))
    )
    summed = all_of(between(0, k, K), between(0, tap + k - (K - 1), s))
    t.show(iff(path, all_of(sent, summed)))


@all_sizes(
    "rearrangements.strided-and-dilated",
    words="If s·d′ = d·s′, as for s′ = s/g and d′ = d/g with g = gcd(s, d), the outputs o ≡ c "
    "mod d′ are the convolution of stride s′ without dilation on every d-th padded position from "
    "s·c on.",
    latex=r"o = d'o'+c:\quad s\,o+d\,k = s\,c+d\,(s'o'+k),\qquad "
    r"O_c = \left\lfloor \frac{N_c-K}{s'} \right\rfloor + 1,\ "
    r"N_c = \left\lfloor \frac{N-1-s c}{d} \right\rfloor + 1",
    source="symconv",
    near_miss="the same with the stride s inside the classes",
    concludes="triples",
)
def strided_and_dilated(t: Trace) -> None:
    s, d, stride, kinds, K, N = t.integers("s d s1 d1 K N")  # noqa: N806 - the field's letters
    o, k, j = t.integers("o k j")
    t.assume(s >= 1, d >= 1, stride >= 1, kinds >= 1, K >= 1, N >= 1, s * kinds == d * stride)
    # j is a position on the padded axis.
    conv, inner = AxisRelation(K, s, d), AxisRelation(K, stride)
    n_out = conv.output_size(N)
    t.assume(between(0, o, n_out), between(0, k, K), between(0, j, N))
    later, kind = divmod(o, kinds)
    first = conv.position(kind, 0)
    cells, windows = phase_size(N, first, d), phase_size(n_out, kind, kinds)
    place, rest = divmod(j - first, d)
    t.show(between(0, later, windows))
    t.instead(replace(inner, stride=s).output_size(cells) == windows)
    # Both floors of floors are one floor.
    whole = (N - conv.extent - first) // (d * stride)
    t.show(inner.output_size(cells) == whole + 1)
    t.show(windows == whole + 1)
    read = reads(conv, o, k, j, n_in=N)
    new = all_of(rest == 0, reads(inner, later, k, place, n_in=cells))
    if inner.position(later, k) != place:
        t.show(neither(read, new))
    else:
        t.show(iff(read, new))


@all_sizes(
    "rearrangements.space-to-batch",
    words="A dilated convolution of stride 1 is, on each phase of d of the padded axis, the "
    "convolution without dilation, whatever N is: output o is output ⌊o/d⌋ of phase o mod d.",
    latex=r"(o,k,j)\in C_{1,d} \text{ on } N \iff j \equiv o \ (\mathrm{mod}\ d),\ "
    r"(\lfloor o/d \rfloor,\,k,\,\lfloor j/d \rfloor)\in C_{1,1} \text{ on } "
    r"\left\lfloor \tfrac{N-1-(o \bmod d)}{d} \right\rfloor + 1",
    source="TensorFlow, tf.nn.atrous_conv2d, with ragged phases",
    near_miss="the same with stride 2 inside and outside",
    concludes="triples",
    corollary_of="rearrangements.strided-and-dilated",
)
def space_to_batch(t: Trace) -> None:
    d, K, N, o, k, j = t.integers("d K N o k j")  # noqa: N806 - the field's letters
    conv, inner = AxisRelation(K, 1, d), AxisRelation(K)
    t.assume(d >= 1, K >= 1, between(0, o, conv.output_size(N)), between(0, j, N))
    later, phase = divmod(o, d)
    place, rest = divmod(j, d)
    cells = phase_size(N, phase, d)
    strided = replace(conv, stride=2).output_size(N)
    t.instead(replace(inner, stride=2).output_size(cells) == phase_size(strided, phase, d))
    t.show(inner.output_size(cells) == phase_size(conv.output_size(N), phase, d))
    read = reads(conv, o, k, j, n_in=N)
    new = all_of(rest == phase, reads(inner, later, k, place, n_in=cells))
    if later + k != place:
        t.show(neither(read, new))
    else:
        t.show(iff(read, new))


@all_sizes(
    "rearrangements.equal-batches",
    words="The d phases of a padded axis of N positions have the same length exactly when d "
    "divides N; else the first is longer by one than the last.",
    latex=r"\left\lceil \frac{N}{d} \right\rceil = \left\lceil \frac{N-(d-1)}{d} \right\rceil "
    r"\iff d \mid N",
    source="TensorFlow, tf.space_to_batch",
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
    "rearrangements.flattened-rows",
    words="A two-axis convolution is a one-axis one on the rows put end to end, W samples each: "
    "output (o₁, o₂) is output W·s₁·o₁ + s₂·o₂, tap (k₁, k₂) is tap W·d₁·k₁ + d₂·k₂ of a long "
    "kernel, if the second axis has no padding and o₂ is one of its outputs.",
    latex=r"(o_1,k_1,i_1)\in C^{(1)},\ (o_2,k_2,i_2)\in C^{(2)} \iff "
    r"W(s_1 o_1+d_1 k_1-p_1) + s_2 o_2+d_2 k_2 = W i_1 + i_2",
    source="symconv; doubly block Toeplitz matrices as Toeplitz matrices with rows left out",
    near_miss="the same for windows that run past the end of a row",
    concludes="triples",
)
def flattened_rows(t: Trace) -> None:
    rows, n_rows = axis(t)
    s2, d2, K2, W = t.integers("s2 d2 K2 W")  # noqa: N806 - the field's letters
    o1, k1, i1, o2, k2, i2 = t.integers("o1 k1 i1 o2 k2 i2")
    t.assume(s2 >= 1, d2 >= 1, K2 >= 1, o2 >= 0)
    t.assume(between(0, o1, rows.output_size(n_rows)), between(0, k1, rows.n_taps))
    t.assume(between(0, i1, n_rows), between(0, k2, K2), between(0, i2, W))
    columns = AxisRelation(K2, s2, d2)
    t.given(o2 < columns.output_size(W))
    row, column = rows.position(o1, k1), columns.position(o2, k2)
    both = all_of(row == i1, column == i2)
    flat = W * row + column == W * i1 + i2
    if row != i1:
        t.show(neither(both, flat))
    else:
        t.show(iff(both, flat))


@all_sizes(
    "rearrangements.fully-connected",
    words="A kernel as large as the input, without padding, has one output that reads each sample "
    "through a tap of its own: a fully connected layer; on m ≥ n samples it has ⌊(m−n)/s⌋ + 1.",
    latex=r"K=n,\ d=1,\ p=0:\quad O(n)=1,\ (0,k,i)\in C \iff k=i,\qquad "
    r"O(m) = \left\lfloor \frac{m-n}{s} \right\rfloor + 1",
    source="source notes, N17; J. Long, E. Shelhamer, T. Darrell (2015), section 3.1",
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
