"""Padding amounts: what "same", "full", "causal" and "valid" give, and where their kinds differ."""

from __future__ import annotations

from dataclasses import replace

from symconv.conventions.amounts import AMOUNTS
from symconv.proving import Trace, all_of, all_sizes, between, iff, implies, reads
from symconv.proving.terms import Term
from symconv.relation import AxisRelation


def _bare(t: Trace) -> tuple[AxisRelation, Term]:
    """An axis without padding, of any stride, dilation and input dilation, and a size n ≥ 1."""
    s, d, n_taps, n, b = t.integers("s d K n b")
    t.assume(s >= 1, d >= 1, n_taps >= 1, n >= 1, b >= 1)
    return AxisRelation(n_taps, s, d, input_dilation=b), n


def _padded(bare: AxisRelation, name: str, n: Term) -> AxisRelation:
    """The axis with the padding that a convention gives it."""
    lo, hi = AMOUNTS[name](bare, n)
    return replace(bare, pad_lo=lo, pad_hi=hi)


@all_sizes(
    "amounts.valid",
    words="Without padding there are ⌈(n − E + 1)/s⌉ outputs, and every tap of theirs meets the "
    "input; n is the size with input dilation.",
    latex=r"O = \left\lceil\frac{n-E+1}{s}\right\rceil,\qquad "
    r"0\le j(o,k)<n\quad(0\le o<O,\ 0\le k<K)",
    source="TensorFlow, tf.nn.convolution, padding='VALID'",
    near_miss="⌈(n − K + 1)/s⌉, whatever the dilation",
    concludes="sizes",
)
def valid(t: Trace) -> None:
    bare, n = _bare(t)
    o, k = t.integers("o k")
    conv, size = _padded(bare, "valid", n), bare.spread_size(n)
    n_out = conv.output_size(n)
    t.show(n_out == -(-(size - bare.extent + 1) // bare.stride))
    window = all_of(between(0, o, n_out), between(0, k, bare.n_taps))
    t.show(implies(window, between(0, conv.position(o, k), size)))
    t.instead(n_out == -(-(size - bare.n_taps + 1) // bare.stride))


@all_sizes(
    "amounts.full",
    words="Full padding has an output for every window whose span meets the input, and for no "
    "other; at stride 1 there are n + E − 1.",
    latex=r"0\le o<O \iff j(o,0)<n,\ j(o,K-1)\ge 0,\qquad s=1 \Rightarrow O=n+E-1",
    source="V. Dumoulin, F. Visin (2016), relationship 4, with stride and dilation",
    near_miss="the output of size n + E − 1 for every stride",
    concludes="sizes",
)
def full(t: Trace) -> None:
    bare, n = _bare(t)
    (o,) = t.integers("o")
    conv, size = _padded(bare, "full", n), bare.spread_size(n)
    n_out = conv.output_size(n)
    meets = all_of(conv.position(o, 0) < size, conv.position(o, bare.n_taps - 1) >= 0)
    t.show(iff(between(0, o, n_out), meets))
    dense = replace(bare, stride=1)
    t.show(_padded(dense, "full", n).output_size(n) == size + bare.extent - 1)
    t.instead(n_out == size + bare.extent - 1)


@all_sizes(
    "amounts.full-loses-nothing",
    words="Under full padding no product of a tap and a sample is lost: wherever b·i = s·o + d·k "
    "− (E − 1), o is an output.",
    latex=r"b\,i = s\,o+d\,k-(E-1),\; 0\le k<K,\; 0\le i<n \;\Rightarrow\; 0\le o<O",
    source="symconv; the full mode of scipy.signal.convolve and numpy.convolve, with stride",
    near_miss="with half of that padding on either side",
    concludes="triples",
)
def full_loses_nothing(t: Trace) -> None:
    bare, n = _bare(t)
    o, k, i = t.integers("o k i")
    t.assume(between(0, k, bare.n_taps), between(0, i, n))
    conv = _padded(bare, "full", n)
    met = conv.position(o, k) == bare.input_dilation * i
    t.show(implies(met, reads(conv, o, k, i, n_in=n)))
    conv = replace(bare, pad_lo=(bare.extent - 1) // 2, pad_hi=bare.extent // 2)
    met = conv.position(o, k) == bare.input_dilation * i
    t.instead(implies(met, reads(conv, o, k, i, n_in=n)))


@all_sizes(
    "amounts.causal",
    words="Under causal padding output o reads, through tap k, what lies d(K − 1 − k) before "
    "s·o, so nothing after it, and through its last tap s·o itself; there are ⌈n/s⌉ outputs.",
    latex=r"(o,k,i)\in C \Rightarrow b\,i = s\,o - d(K-1-k) \le s\,o,\qquad "
    r"O=\left\lceil\frac{n}{s}\right\rceil",
    source="Keras, Conv1D, padding='causal'; A. van den Oord et al., WaveNet (2016), section 2.1",
    near_miss="with half of that padding on either side",
    concludes="triples",
)
def causal(t: Trace) -> None:
    bare, n = _bare(t)
    o, k, i = t.integers("o k i")
    conv = _padded(bare, "causal", n)
    now = bare.stride * o
    t.show(conv.output_size(n) == -(-bare.spread_size(n) // bare.stride))
    read, place = reads(conv, o, k, i, n_in=n), bare.input_dilation * i
    before = bare.dilation * (bare.n_taps - 1 - k)
    t.show(implies(read, all_of(place == now - before, place <= now)))
    conv = replace(bare, pad_lo=(bare.extent - 1) // 2, pad_hi=bare.extent // 2)
    t.instead(implies(reads(conv, o, k, i, n_in=n), bare.input_dilation * i <= now))


@all_sizes(
    "amounts.same-size",
    words="SAME padding, upper and lower, gives ⌈n/s⌉ outputs for every stride, dilation and "
    "kernel; n is the size with input dilation.",
    latex=r"O = \left\lceil\frac{n}{s}\right\rceil",
    source="TensorFlow, tf.nn, Notes on padding; ONNX operator Conv, auto_pad",
    near_miss="⌊n/s⌋",
    concludes="sizes",
)
def same_size(t: Trace) -> None:
    bare, n = _bare(t)
    size = bare.spread_size(n)
    rounded = -(-size // bare.stride)
    for name in ("same_upper", "same_lower"):
        t.show(_padded(bare, name, n).output_size(n) == rounded)
    t.instead(_padded(bare, "same_upper", n).output_size(n) == size // bare.stride)


@all_sizes(
    "amounts.same-is-least",
    words="The total of SAME is max((⌈n/s⌉ − 1)s + E − n, 0), and no smaller total without "
    "cropping gives ⌈n/s⌉ outputs.",
    latex=r"P=\max\left(\left(\left\lceil\frac{n}{s}\right\rceil-1\right)s+E-n,\,0\right),\qquad "
    r"p_{lo}+p_{hi}\ge 0,\ O=\left\lceil\frac{n}{s}\right\rceil \Rightarrow p_{lo}+p_{hi}\ge P",
    source="TensorFlow, tf.nn, Notes on padding",
    near_miss="with cropping allowed",
    concludes="sizes",
)
def same_is_least(t: Trace) -> None:
    bare, n = _bare(t)
    lo, hi = t.integers("lo hi")
    size, s = bare.spread_size(n), bare.stride
    rounded = -(-size // s)
    least = max((rounded - 1) * s + bare.dilation * (bare.n_taps - 1) + 1 - size, 0)
    for name in ("same_upper", "same_lower"):
        conv = _padded(bare, name, n)
        t.show(conv.pad_lo + conv.pad_hi == least)
    t.given(lo + hi >= 0)
    other = replace(bare, pad_lo=lo, pad_hi=hi)
    t.show(implies(other.output_size(n) == rounded, lo + hi >= least))


@all_sizes(
    "amounts.upper-and-lower",
    words="SAME_UPPER and SAME_LOWER share their total and differ in where its odd unit goes: the "
    "end or the start. They are the same padding exactly when the total is even.",
    latex=r"p^{U}_{hi}=p^{L}_{lo}=\left\lceil\frac{P}{2}\right\rceil,\; "
    r"p^{U}_{lo}=p^{L}_{hi}=\left\lfloor\frac{P}{2}\right\rfloor,\qquad U=L \iff 2\mid P",
    source="ONNX operator Conv, attribute auto_pad",
    near_miss="they are always the same",
    concludes="sizes",
)
def upper_and_lower(t: Trace) -> None:
    bare, n = _bare(t)
    upper, lower = _padded(bare, "same_upper", n), _padded(bare, "same_lower", n)
    total = upper.pad_lo + upper.pad_hi
    t.show(lower.pad_lo + lower.pad_hi == total)
    t.show(upper.pad_hi == -(-total // 2), lower.pad_lo == upper.pad_hi)
    t.show(upper.pad_lo == total // 2, lower.pad_hi == upper.pad_lo)
    equal = all_of(upper.pad_lo == lower.pad_lo, upper.pad_hi == lower.pad_hi)
    t.show(iff(equal, total % 2 == 0))
    t.instead(equal)


@all_sizes(
    "amounts.lower-mirrors-upper",
    words="SAME_LOWER reads the reversed input with the reversed kernel as SAME_UPPER reads it "
    "forwards, if every window is needed to its end: E is at least n − s(⌈n/s⌉ − 1).",
    latex=r"E\ge n-s\left(\left\lceil\frac{n}{s}\right\rceil-1\right) \Rightarrow "
    r"\bigl((o,k,i)\in U \iff (O-1-o,\,K-1-k,\,n-1-i)\in L\bigr)",
    source="symconv",
    near_miss="for every kernel",
    concludes="triples",
)
def lower_mirrors_upper(t: Trace) -> None:
    bare, n = _bare(t)
    o, k, i = t.integers("o k i")
    size = bare.spread_size(n)
    n_out = -(-size // bare.stride)
    t.given(bare.extent >= size - bare.stride * (n_out - 1))
    upper, lower = _padded(bare, "same_upper", n), _padded(bare, "same_lower", n)
    t.show(upper.output_size(n) == n_out, lower.output_size(n) == n_out)
    mirrored = reads(lower, n_out - 1 - o, bare.n_taps - 1 - k, n - 1 - i, n_in=n, n_out=n_out)
    t.show(iff(reads(upper, o, k, i, n_in=n, n_out=n_out), mirrored))


@all_sizes(
    "amounts.torch-same",
    words="PyTorch's 'same', at stride 1, pads by d(K − 1) whatever the input and keeps every "
    "size. It is SAME_UPPER at stride 1, and SAME_LOWER exactly when d(K − 1) is even.",
    latex=r"s=1:\quad p_{lo}+p_{hi}=d(K-1),\; O=n,\qquad (p_{lo},p_{hi})=U,\qquad "
    r"(p_{lo},p_{hi})=L \iff 2\mid d(K-1)",
    source="PyTorch 2, torch.nn.Conv2d, padding='same'",
    near_miss="it is SAME_LOWER as well, whatever the kernel",
    concludes="sizes",
)
def torch_same(t: Trace) -> None:
    bare, n = _bare(t)
    bare = replace(bare, stride=1)
    conv = _padded(bare, "same", n)
    upper, lower = _padded(bare, "same_upper", n), _padded(bare, "same_lower", n)
    reach = bare.dilation * (bare.n_taps - 1)
    t.show(conv.pad_lo + conv.pad_hi == reach, conv.output_size(n) == bare.spread_size(n))
    t.show(conv.pad_lo == upper.pad_lo, conv.pad_hi == upper.pad_hi)
    alike = all_of(conv.pad_lo == lower.pad_lo, conv.pad_hi == lower.pad_hi)
    t.show(iff(alike, reach % 2 == 0))
    t.instead(alike)


@all_sizes(
    "amounts.half-padding-and-same",
    words="With an odd extent, padding (E − 1)/2 on both sides gives ⌈n/s⌉ outputs too, but is "
    "SAME padding exactly when E = 1 or s divides n − 1: the classic mismatch of PyTorch's "
    "padding=1 and TensorFlow's SAME at stride 2.",
    latex=r"E=2p+1 \Rightarrow O=\left\lceil\frac{n}{s}\right\rceil,\qquad "
    r"(p,p)=\mathrm{SAME} \iff p=0 \text{ or } s\mid n-1",
    source="symconv; TensorFlow, tf.nn, Notes on padding",
    near_miss="equal sizes, so equal padding",
    concludes="sizes",
)
def half_padding_and_same(t: Trace) -> None:
    bare, n = _bare(t)
    (p,) = t.integers("p")
    t.assume(bare.extent == 2 * p + 1)
    size, s = bare.spread_size(n), bare.stride
    half = replace(bare, pad_lo=p, pad_hi=p)
    t.show(half.output_size(n) == -(-size // s))
    upper = _padded(bare, "same_upper", n)
    equal = all_of(upper.pad_lo == p, upper.pad_hi == p)
    t.show(iff(equal, (p == 0) | ((size - 1) % s == 0)))
    t.instead(equal)


@all_sizes(
    "amounts.same-as-valid",
    words="SAME pads nothing exactly when E − 1 ≤ (n − 1) mod s, and exactly then SAME and VALID "
    "have the same number of outputs.",
    latex=r"P=0 \iff E-1\le (n-1)\bmod s \iff O_{\mathrm{SAME}}=O_{\mathrm{VALID}}",
    source="symconv",
    near_miss="exactly when E ≤ s",
    concludes="sizes",
)
def same_as_valid(t: Trace) -> None:
    bare, n = _bare(t)
    upper = _padded(bare, "same_upper", n)
    short = bare.extent - 1 <= (bare.spread_size(n) - 1) % bare.stride
    t.show(iff(upper.pad_lo + upper.pad_hi == 0, short))
    same, rest = upper.output_size(n), _padded(bare, "valid", n).output_size(n)
    t.show(iff(same == rest, short))
    t.instead(iff(same == rest, bare.extent <= bare.stride))


@all_sizes(
    "amounts.same-edges",
    words="Under SAME padding neither edge is longer than half the extent, ⌊E/2⌋ (the most that "
    "PyTorch's pooling allows), and every window's span meets the input.",
    latex=r"0\le p_{lo},\,p_{hi}\le\left\lfloor\frac{E}{2}\right\rfloor,\qquad "
    r"j(o,0)<n,\; j(o,K-1)\ge 0 \quad (0\le o<O)",
    source="symconv; PyTorch 2, torch.nn.MaxPool2d, on padding",
    near_miss="both edges are shorter than half the extent",
    concludes="sizes",
)
def same_edges(t: Trace) -> None:
    bare, n = _bare(t)
    (o,) = t.integers("o")
    size = bare.spread_size(n)
    t.assume(between(0, o, -(-size // bare.stride)))
    half = bare.extent // 2
    for name in ("same_upper", "same_lower"):
        conv = _padded(bare, name, n)
        t.show(conv.pad_lo >= 0, conv.pad_lo <= half, conv.pad_hi >= 0, conv.pad_hi <= half)
        t.show(conv.position(o, 0) < size, conv.position(o, bare.n_taps - 1) >= 0)
    upper = _padded(bare, "same_upper", n)
    t.instead(2 * upper.pad_lo < bare.extent, 2 * upper.pad_hi < bare.extent)


@all_sizes(
    "amounts.same-enlarged",
    words="A kernel enlarged by e₁ and e₂ zero taps gives the same result under SAME padding if "
    "the low padding grows by exactly d·e₁; if it does not, every tap lies elsewhere than "
    "before, and no triple survives.",
    latex=r"p_{lo}'=p_{lo}+d\,e_1 \Rightarrow \bigl((o,k,i)\in C \iff (o,k+e_1,i)\in C'\bigr),"
    r"\qquad p_{lo}'\ne p_{lo}+d\,e_1 \Rightarrow j(o,k)\ne j'(o,k+e_1)",
    source="symconv",
    near_miss="for every enlargement",
    concludes="triples",
)
def same_enlarged(t: Trace) -> None:
    bare, n = _bare(t)
    before, after, o, k, i = t.integers("e1 e2 o k i")
    t.assume(before >= 0, after >= 0, between(0, k, bare.n_taps))
    conv = _padded(bare, "same_upper", n)
    wide = _padded(replace(bare, n_taps=bare.n_taps + before + after), "same_upper", n)
    n_out = -(-bare.spread_size(n) // bare.stride)
    t.show(conv.output_size(n) == n_out)
    t.show(wide.output_size(n) == n_out)
    one = reads(conv, o, k, i, n_in=n, n_out=n_out)
    other = reads(wide, o, k + before, i, n_in=n, n_out=n_out)
    if wide.pad_lo == conv.pad_lo + bare.dilation * before:
        t.show(iff(one, other))
    else:
        t.show(conv.position(o, k) != wide.position(o, k + before))
        t.instead(iff(one, other))
