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
    a, b, o, k, i = t.integers("a_ b_ o k i")
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
    "rearrangements.unused-padding",
    words="The last (N−E) mod s positions of the padded axis are read by no window: taking them "
    "off the padding at the end changes no triple.",
    latex=r"r = (N-E) \bmod s:\quad C_{p_{lo},\,p_{hi}-r} = C_{p_{lo},\,p_{hi}}",
    source="symconv",
    near_miss="one more position can be taken off",
    concludes="triples",
)
def unused_padding(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    t.assume(n >= 1)
    unused = (conv.padded_size(n) - conv.extent) % conv.stride
    fitting = replace(conv, pad_hi=conv.pad_hi - unused)
    t.show(fitting.output_size(n) == conv.output_size(n))
    t.show(iff(reads(conv, o, k, i, n_in=n), reads(fitting, o, k, i, n_in=n)))
    shorter = replace(conv, pad_hi=conv.pad_hi - unused - 1)
    t.instead(shorter.output_size(n) == conv.output_size(n))


@all_sizes(
    "rearrangements.reversed-input",
    words="Reversing the input reverses the output of a convolution whose kernel is reversed and "
    "whose padding is (hi − r, lo), r = (N−E) mod s: the windows that fit are counted from the "
    "other end.",
    latex=r"(o,k,i)\in C_{p_{lo},\,p_{hi}} \iff (O-1-o,\,K-1-k,\,n-1-i)\in C_{p_{hi}-r,\,p_{lo}},"
    r"\quad r = (N-E) \bmod s",
    source="symconv",
    near_miss="the same with the padding merely exchanged, (hi, lo)",
    concludes="triples",
)
def reversed_input(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    t.assume(n >= 1)
    unused = (conv.padded_size(n) - conv.extent) % conv.stride
    n_out = conv.output_size(n)
    mirror = replace(conv, pad_lo=conv.pad_hi - unused, pad_hi=conv.pad_lo)
    near = replace(mirror, pad_lo=conv.pad_hi)
    place = n_out - 1 - o, conv.n_taps - 1 - k, n - 1 - i
    t.show(mirror.output_size(n) == n_out)
    t.show(iff(reads(conv, o, k, i, n_in=n), reads(mirror, *place, n_in=n)))
    t.instead(iff(reads(conv, o, k, i, n_in=n), reads(near, *place, n_in=n)))


@all_sizes(
    "rearrangements.cropped-output",
    words="Dropping the first a and the last b outputs of a convolution is the convolution with "
    "padding (lo − s·a, hi − s·b).",
    latex=r"(o+a,k,i)\in C_{p_{lo},\,p_{hi}},\ 0 \le o < O-a-b \iff "
    r"(o,k,i)\in C_{p_{lo}-s a,\,p_{hi}-s b}",
    source="symconv",
    near_miss="the same with padding (lo − a, hi − b)",
    concludes="triples",
)
def cropped_output(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    a, b, o, k, i = t.integers("a_ b_ o k i")
    t.assume(n >= 1, a >= 0, b >= 0)
    s = conv.stride
    cropped = replace(conv, pad_lo=conv.pad_lo - s * a, pad_hi=conv.pad_hi - s * b)
    kept = conv.output_size(n) - a - b
    triple = all_of(between(0, o, kept), reads(conv, o + a, k, i, n_in=n))
    t.show(cropped.output_size(n) == kept)
    t.show(iff(triple, reads(cropped, o, k, i, n_in=n)))
    near = replace(conv, pad_lo=conv.pad_lo - a, pad_hi=conv.pad_hi - b)
    t.instead(iff(triple, reads(near, o, k, i, n_in=n)))


@all_sizes(
    "rearrangements.tiles",
    words="Outputs a … a+m−1 of a convolution need only the tile of s(m−1) + E padded positions "
    "from s·a on, and are the m outputs of the same kernel, unpadded, on that tile.",
    latex=r"(a+o,k,i)\in C_{p_{lo},\,p_{hi}} \iff (o,\,k,\,i-(s a-p_{lo}))\in C_{0,0} "
    r"\text{ on } s(m-1)+E,\quad 0 \le o < m",
    source="symconv; the error message of symconv.incidence.check_table",
    near_miss="the tile starts at a",
    concludes="triples",
)
def tiles(t: Trace) -> None:
    conv, n = axis(t)
    a, m, o, k, i = t.integers("a_ m o k i")
    t.assume(between(0, o, m), 0 <= a, a + m <= conv.output_size(n), between(0, i, n))
    bare = replace(conv, pad_lo=0, pad_hi=0)
    tile = conv.reach(m)
    start = conv.position(a, 0)
    triple = reads(conv, a + o, k, i, n_in=n)
    t.show(bare.output_size(tile) == m)
    t.show(iff(triple, reads(bare, o, k, i - start, n_in=tile)))
    t.instead(iff(triple, reads(bare, o, k, i - (a - conv.pad_lo), n_in=tile)))


@all_sizes(
    "rearrangements.strided-is-subsampled",
    words="A convolution of stride s·c is the one of stride s, of which every c-th output is kept.",
    latex=r"(o,k,i)\in C_{s c} \iff (c\,o,\,k,\,i)\in C_{s},\qquad O_{sc} = \lceil O_s / c \rceil",
    source="symconv; FACTS section 3 (s = 1)",
    near_miss="every c-th input is kept first, then stride s",
    concludes="triples",
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
    "rearrangements.stride-before-dilation",
    words="If s divides the dilation d = s·δ and the low padding s·λ, keep every s-th input first: "
    "what follows is the convolution of stride 1, dilation δ and low padding λ. So a strided 1×1 "
    "convolution without padding is subsampling, then a 1×1 convolution.",
    latex=r"(o,k,i)\in C_{s,\,s\delta}(s\lambda,\,p_{hi}) \iff s \mid i,\ "
    r"(o,\,k,\,i/s)\in C_{1,\delta}\bigl(\lambda,\ \lfloor (n-1+p_{hi})/s \rfloor - "
    r"\lfloor (n-1)/s \rfloor\bigr)",
    source=f"the noble identity, {VAIDYANATHAN}, section 4.2, with borders",
    near_miss="the same for a low padding that s does not divide (1×1 strides moved past padding)",
    concludes="triples",
)
def stride_before_dilation(t: Trace) -> None:
    s, e, K, n, lo, hi, c = t.integers("s e K n lo hi c")  # noqa: N806 - the field's letter
    o, k, i = t.integers("o k i")
    t.assume(s >= 1, e >= 1, K >= 1, n >= 1)
    t.given(lo == s * c)
    conv = AxisRelation(K, s, s * e, lo, hi)
    subsample = AxisRelation(1, s)
    kept = subsample.output_size(n)
    low = lo // s
    later = AxisRelation(K, 1, e, low, (n - 1 + hi) // s - (kept - 1))
    place, rest = divmod(i, s)
    t.hint(o + e * k - low - place - 1)
    t.show(later.output_size(kept) == conv.output_size(n))
    through = all_of(rest == 0, reads(later, o, k, place, n_in=kept), between(0, i, n))
    t.show(iff(reads(conv, o, k, i, n_in=n), through))


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
    t.hint(o + tap - place - 1, tap - first, last - tap)
    t.show(dense.output_size(cells) == n_out)
    t.show(between(0, tap - first, n_taps))
    through = all_of(
        channel == phase, reads(dense, o, tap - first, place, n_in=cells), between(0, i, n)
    )
    t.show(iff(reads(conv, o, k, i, n_in=n), through))
    tap, phase = divmod(k, s)
    near = all_of(channel == phase, reads(dense, o, tap, place, n_in=cells), between(0, i, n))
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
    "rearrangements.classes-share-nothing",
    words="With g = gcd(s, d) the d/g classes of outputs read different positions: they could run "
    "as separate convolutions on separate inputs.",
    latex=r"s\,o+d\,k = s\,o'+d\,k' \Rightarrow o \equiv o' \ (\mathrm{mod}\ d/g),\quad "
    r"g = \gcd(s,d)",
    source="symconv; FACTS section 3",
    near_miss="the same modulo d (g = 1, whatever s and d)",
    concludes="triples",
)
def classes_share_nothing(t: Trace) -> None:
    g, s, d, u, v, lo, o, k, o2, k2 = t.integers("g s d u v lo o k o2 k2")
    t.assume(g >= 1, s >= 1, d >= 1, u * s + v * d == 1)
    conv = AxisRelation(1, g * s, g * d, lo)
    t.assume(conv.position(o, k) == conv.position(o2, k2))
    t.show(o - o2 == d * (u * (k2 - k) + v * (o - o2)))
    t.instead((o - o2) % (g * d) == 0)


@all_sizes(
    "rearrangements.zero-extended-kernel",
    words="A kernel with e₀ zero taps put before it and e₁ after it gives the same operator when "
    "the padding grows by d·e₀ and d·e₁.",
    latex=r"(o,k,i)\in C_K(p_{lo},\,p_{hi}) \iff (o,\,k+e_0,\,i)\in "
    r"C_{K+e_0+e_1}(p_{lo}+d e_0,\,p_{hi}+d e_1)",
    source="symconv; FACTS section 3",
    near_miss="the same total padding, its two sides exchanged",
    concludes="triples",
)
def zero_extended_kernel(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    e0, e1, o, k, i = t.integers("e0 e1 o k i")
    t.assume(e0 >= 0, e1 >= 0, between(0, k, conv.n_taps))
    d = conv.dilation
    lo, hi, n_taps = conv.pad_lo + d * e0, conv.pad_hi + d * e1, conv.n_taps + e0 + e1
    larger = replace(conv, n_taps=n_taps, pad_lo=lo, pad_hi=hi)
    near = replace(larger, pad_lo=conv.pad_lo + d * e1, pad_hi=conv.pad_hi + d * e0)
    t.show(larger.output_size(n) == conv.output_size(n))
    t.show(iff(reads(conv, o, k, i, n_in=n), reads(larger, o, k + e0, i, n_in=n)))
    t.instead(iff(reads(conv, o, k, i, n_in=n), reads(near, o, k + e0, i, n_in=n)))


@all_sizes(
    "rearrangements.zero-extended-under-same",
    words="Under SAME padding a kernel with e zero taps put on each side gives the same operator "
    "when the windows of the smaller one cover the input, s(⌈n/s⌉−1) + E ≥ n.",
    latex=r"s(\lceil n/s \rceil-1)+E \ge n \Rightarrow "
    r"\bigl((o,k,i)\in S_K \iff (o,\,k+e,\,i)\in S_{K+2e}\bigr)",
    source="symconv; FACTS section 3 (false at n = 3, K from 1 to 3, s = 3)",
    near_miss="the same without the condition",
    concludes="triples",
)
def zero_extended_under_same(t: Trace) -> None:
    s, d, K, n, e = t.integers("s d K n e")  # noqa: N806 - the field's letter
    o, k, i = t.integers("o k i")
    t.assume(s >= 1, d >= 1, K >= 1, n >= 1, e >= 0, between(0, k, K))
    small, large = AxisRelation(K, s, d), AxisRelation(K + 2 * e, s, d)
    t.given(small.reach(small.windows_starting_inside(n)) >= n)
    pairs = [AMOUNTS["same_upper"](conv, n) for conv in (small, large)]
    small, large = (
        replace(conv, pad_lo=lo, pad_hi=hi) for conv, (lo, hi) in zip((small, large), pairs, strict=True)
    )
    t.show(iff(reads(small, o, k, i, n_in=n), reads(large, o, k + e, i, n_in=n)))


@all_sizes(
    "rearrangements.dilated-is-sparse",
    words="A dilated convolution is the one without dilation whose kernel has E = d(K−1)+1 taps, "
    "tap d·k being w[k] and the others 0.",
    latex=r"(o,k,i)\in C_{K,d} \iff (o,\,d k,\,i)\in C_{E,1},\qquad O_{K,d} = O_{E,1}",
    source="V. Dumoulin, F. Visin (2016), section 5.1, relationship 15",
    near_miss="the same with a kernel of d·K taps",
    concludes="triples",
)
def dilated_is_sparse(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    t.assume(between(0, k, conv.n_taps))
    d = conv.dilation
    dense = replace(conv, n_taps=conv.extent, dilation=1)
    near = replace(dense, n_taps=d * conv.n_taps)
    t.show(dense.output_size(n) == conv.output_size(n))
    t.show(iff(reads(conv, o, k, i, n_in=n), reads(dense, o, d * k, i, n_in=n)))
    t.instead(near.output_size(n) == conv.output_size(n))


@all_sizes(
    "rearrangements.spread-input",
    words="Input dilation b is putting b−1 zeros between neighbours first: sample i lies at b·i "
    "of b(n−1)+1 samples.",
    latex=r"(o,k,i)\in C_{b} \text{ on } n \iff (o,k,b\,i)\in C_{1} \text{ on } b(n-1)+1",
    source="XLA, ConvWithGeneralPadding, lhs_dilation; V. Dumoulin, F. Visin (2016), section 4.5",
    near_miss="zeros after the last sample as well, b·n samples",
    concludes="triples",
)
def spread_input(t: Trace) -> None:
    conv, n = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    t.assume(n >= 1)
    b = conv.input_dilation
    plain = replace(conv, input_dilation=1)
    t.show(plain.output_size(conv.spread_size(n)) == conv.output_size(n))
    t.show(iff(reads(conv, o, k, i, n_in=n), reads(plain, o, k, b * i, n_in=conv.spread_size(n))))
    t.instead(plain.output_size(b * n) == conv.output_size(n))


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
