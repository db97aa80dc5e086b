"""Max pooling: windows as sets of samples, padding, composition, shifts and permutations.

The largest of unknown numbers is written as the set of them, −∞ as the empty set. Two such maxima
agree for all values exactly when the sets are the same: raising one number that only one of them
has tells them apart. Pooling is then the union over each window, and equality of sets is equality
for all values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import symconv as sc
from symconv.errors import GeometryError
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    axis,
    between,
    exhaustive,
    iff,
    implies,
    reads,
)
from symconv.proving.claims import columns_read, windows
from symconv.relation import AxisRelation

#: The largest of some unknown numbers; `ZERO` stands for the number 0 among them.
Maximum = frozenset[int]
MINUS_INFINITY: Maximum = frozenset()
ZERO = -1


def pooled(x: Sequence[Maximum], by: list[list[int]]) -> list[Maximum]:
    """The largest of each window."""
    return [frozenset().union(*(x[i] for i in window)) for window in by]


def unknowns(n: int) -> list[Maximum]:
    """N samples, each a number of its own."""
    return [frozenset({i}) for i in range(n)]


def padded(x: Sequence[Maximum], lo: int, hi: int, value: Maximum) -> list[Maximum]:
    """The samples with `value` around them."""
    places = columns_read(sc.Pad(((lo, hi),)).operator((len(x),)))
    return [x[place[0]] if place else value for place in places]


PADDED = {"K": (1, 2, 3), "n": (1, 2, 3, 4), "s": (1, 2), "d": (1, 2), "lo": (0, 1, 2)} | {
    "hi": (0, 1, 2)
}


def padded_first(setting: dict[str, int], x: list[Maximum], value: Maximum) -> list[Maximum] | None:
    """Pad with a value, then max-pool without padding; None where no window fits."""
    framed = padded(x, setting["lo"], setting["hi"], value)
    options = {"stride": setting["s"], "dilation": setting["d"]}
    try:
        return pooled(framed, windows((len(framed),), (setting["K"],), **options))
    except GeometryError:
        return None


def padding_inside(setting: dict[str, int], x: list[Maximum]) -> list[Maximum]:
    """Max-pool with that padding."""
    options = {name: setting[short] for name, short in (("stride", "s"), ("dilation", "d"))}
    edges = ((setting["lo"], setting["hi"]),)
    return pooled(x, windows((len(x),), (setting["K"],), padding=edges, **options))


@all_values(
    "pooling.pad-with-minus-infinity",
    words="Padding by lo and hi places of −∞ and then max-pooling without padding is max-pooling "
    "with that padding, for any window, stride and dilation.",
    latex=r"\mathrm{maxpool}_{0,0}(\mathrm{pad}_{-\infty}(x)) = "
    r"\mathrm{maxpool}_{p_{lo},p_{hi}}(x)",
    source="symconv; the Pad layers that compilers fold into a pooling",
    near_miss="padding with 0, as Pad layers do",
    box=PADDED,
)
def pad_with_minus_infinity(**setting: int) -> bool | None:
    x = unknowns(setting["n"])
    first = padded_first(setting, x, MINUS_INFINITY)
    return None if first is None else first == padding_inside(setting, x)


@pad_with_minus_infinity.near_miss_claim()
def pad_with_zero(**setting: int) -> bool | None:
    x = unknowns(setting["n"])
    first = padded_first(setting, x, frozenset({ZERO}))
    return None if first is None else first == padding_inside(setting, x)


@all_values(
    "pooling.pad-with-zero",
    words="Padding with 0 and then max-pooling is max-pooling with that padding, for all inputs, "
    "exactly when no window reads the padding.",
    latex=r"\mathrm{maxpool}_{0,0}(\mathrm{pad}_{0}(x)) = \mathrm{maxpool}_{p_{lo},p_{hi}}(x) "
    r"\;\forall x \iff \text{every window reads } K \text{ samples}",
    source="symconv; compilers have folded Pad layers of value 0",
    near_miss="exactly when every window reads a sample",
    box=PADDED,
)
def pad_with_zero_exactly(**setting: int) -> bool | None:
    agree = pad_with_zero(**setting)
    if agree is None:
        return None
    return bool(agree) == all(count == setting["K"] for count in samples_read(setting))


@pad_with_zero_exactly.near_miss_claim()
def pad_with_zero_loosely(**setting: int) -> bool | None:
    agree = pad_with_zero(**setting)
    return None if agree is None else bool(agree) == all(samples_read(setting))


def samples_read(setting: dict[str, int]) -> list[int]:
    """How many samples each window of the padded pooling reads."""
    return [len(value) for value in padding_inside(setting, unknowns(setting["n"]))]


@all_values(
    "pooling.zero-padding-after-relu",
    words="After a ReLU padding with 0 does no harm: if every window reads a sample, padding "
    "max(x, 0) with 0 and max-pooling is max-pooling max(x, 0) with that padding.",
    latex=r"\mathrm{maxpool}_{0,0}(\mathrm{pad}_{0}(x^{+})) = "
    r"\mathrm{maxpool}_{p_{lo},p_{hi}}(x^{+}),\quad x^{+}=\max(x,0)",
    source="symconv",
    near_miss="the same where a window reads padding alone (it gives 0, not −∞)",
    box=PADDED,
)
def zero_padding_after_relu(**setting: int) -> bool | None:
    return zero_padding_of_relu(**setting) if all(samples_read_or_none(setting)) else None


@zero_padding_after_relu.near_miss_claim()
def zero_padding_of_relu(**setting: int) -> bool | None:
    x = [frozenset({i, ZERO}) for i in range(setting["n"])]
    first = padded_first(setting, x, frozenset({ZERO}))
    return None if first is None else first == padding_inside(setting, x)


def samples_read_or_none(setting: dict[str, int]) -> list[int]:
    """`samples_read`, or a zero where no window fits."""
    try:
        return samples_read(setting)
    except GeometryError:
        return [0]


@exhaustive(
    "pooling.padding-folded-in-ceil-mode",
    words="A Pad layer before a pooling in ceil mode can be folded into the pooling's padding.",
    latex=r"\lceil\cdot\rceil:\quad \mathrm{maxpool}_{0,0}(\mathrm{pad}_{-\infty}(x)) = "
    r"\mathrm{maxpool}_{p_{lo},p_{hi}}(x)",
    source="a rewrite that compilers have shipped without its guard",
    box=PADDED,
    concludes="sizes",
    expected="REFUTED",
    remark="Ceil mode drops a last window that starts after the input and its low padding. A Pad "
    "layer makes the high padding part of the input, so a window that starts in it is kept. "
    "Without ceil mode it holds: pooling.pad-with-minus-infinity.",
)
def padding_folded_in_ceil_mode(**setting: int) -> bool | None:
    options: dict[str, Any] = {"stride": setting["s"], "dilation": setting["d"], "ceil_mode": True}
    framed = setting["n"] + setting["lo"] + setting["hi"]
    inside = sc.MaxPool((setting["K"],), padding=((setting["lo"], setting["hi"]),), **options)
    try:
        first = sc.MaxPool((setting["K"],), **options).output_size((framed,))
        return first == inside.output_size((setting["n"],))
    except GeometryError:
        return None


@all_values(
    "pooling.axis-by-axis",
    words="Max-pooling a K×L window is max-pooling K×1 and then 1×L, padding, stride and dilation "
    "of each axis with its own pass.",
    latex=r"\mathrm{maxpool}_{K\times L} = \mathrm{maxpool}_{1\times L}\circ"
    r"\mathrm{maxpool}_{K\times 1}",
    source="symconv; separability of flat rectangular dilation in mathematical morphology",
    near_miss="the same for a window that is no rectangle: two cells of a diagonal",
    box={
        "kernel": ((1, 2), (2, 2), (3, 2), (2, 3)),
        "stride": ((1, 1), (2, 1), (1, 2), (2, 2)),
        "edges": (((0, 0), (0, 0)), ((1, 0), (0, 1)), ((1, 1), (1, 2))),
        "gaps": ((1, 1), (2, 1)),
    },
)
def axis_by_axis(**setting: Any) -> bool | None:
    size = (4, 5)
    try:
        whole = pooled(unknowns(20), windows(size, setting["kernel"], **both(setting)))
        column = windows(size, (setting["kernel"][0], 1), **one(setting, 0))
        between_size = (len(column) // size[1], size[1])
        row = windows(between_size, (1, setting["kernel"][1]), **one(setting, 1))
    except GeometryError:
        return None
    return whole == pooled(pooled(unknowns(20), column), row)


@axis_by_axis.near_miss_claim(box={"kernel": ((2, 2),)})
def diagonal(kernel: tuple[int, int]) -> bool:
    # Cells (0, 0) and (1, 1); its passes have two cells on each axis.
    cells = [[0, 4], [1, 5], [3, 7], [4, 8]]
    column, row = windows((3, 3), (2, 1), stride=1), windows((2, 3), (1, 2), stride=1)
    return pooled(unknowns(9), cells) == pooled(pooled(unknowns(9), column), row)


def both(setting: dict[str, Any]) -> dict[str, Any]:
    """The options of a pooling of both axes."""
    return {"stride": setting["stride"], "padding": setting["edges"], "dilation": setting["gaps"]}


def one(setting: dict[str, Any], number: int) -> dict[str, Any]:
    """The options of a pooling of one axis, the other left alone."""
    neutral = {"stride": 1, "padding": (0, 0), "dilation": 1}
    return {
        name: tuple(value[at] if at == number else neutral[name] for at in range(2))
        for name, value in both(setting).items()
    }


@all_sizes(
    "pooling.two-pools",
    words="Max-pooling K₁ with stride s₁ and then K₂ with stride s₂ and dilation d₂, without "
    "padding, is one max-pooling of K₁ + s₁d₂(K₂−1) with stride s₁s₂, if s₁d₂ ≤ K₁: the same "
    "output size, and the same samples in every window.",
    latex=r"s_1 d_2\le K_1 \Rightarrow "
    r"\mathrm{maxpool}_{K_2,s_2,d_2}\circ\mathrm{maxpool}_{K_1,s_1} = "
    r"\mathrm{maxpool}_{K_1+s_1 d_2(K_2-1),\,s_1 s_2}",
    source="symconv; dilations of mathematical morphology compose",
    near_miss="the same for s₁d₂ > K₁, where the windows between leave gaps",
    concludes="triples",
)
def two_pools(t: Trace) -> None:
    K1, s1, K2, s2, d2, n = t.integers("K1 s1 K2 s2 d2 n")  # noqa: N806 - the field's letters
    o, k1, k2, j = t.integers("o k1 k2 j")
    t.assume(K1 >= 1, s1 >= 1, K2 >= 1, s2 >= 1, d2 >= 1, n >= 0)
    t.given(s1 * d2 <= K1)
    first, second = AxisRelation(K1, s1), AxisRelation(K2, s2, d2)
    one = AxisRelation(K1 + s1 * d2 * (K2 - 1), s1 * s2)
    middle = first.output_size(n)
    n_out = second.output_size(middle)
    t.show(s1 * d2 >= 1)
    t.show(n_out == one.output_size(n))
    t.assume(between(0, o, n_out), between(0, k1, K1), between(0, k2, K2))
    t.assume(between(0, j, one.n_taps))
    # Each sample that the two read, the one reads.
    tap = s1 * d2 * k2 + k1
    t.show(between(0, tap, one.n_taps))
    t.show(one.position(o, tap) == first.position(second.position(o, k2), k1))
    # And the other way round, by the last window between that starts at or before it.
    last = min(j // (s1 * d2), K2 - 1)
    rest, through = j - s1 * d2 * last, second.position(o, last)
    t.show(between(0, last, K2), between(0, rest, K1), between(0, through, middle))
    t.show(first.position(through, rest) == one.position(o, j))


@all_sizes(
    "pooling.two-padded-pools",
    words="Max-pooling with padding composes up to the border, where convolutions do not: K₁ with "
    "stride 1 and then K₂ with stride s reads in every window the samples that one max-pooling of "
    "K₁+K₂−1 with the paddings added reads, if the second padding is below K₂.",
    latex=r"lo_2,hi_2<K_2 \Rightarrow \mathrm{maxpool}_{K_2,s}^{lo_2,hi_2}\circ"
    r"\mathrm{maxpool}_{K_1,1}^{lo_1,hi_1} = "
    r"\mathrm{maxpool}_{K_1+K_2-1,\,s}^{lo_1+lo_2,\,hi_1+hi_2}",
    source="symconv; with strides pooling_borders.two-strided-padded-pools",
    near_miss="any second padding (a window of padding alone loses the samples beyond it)",
    concludes="triples",
)
def two_padded_pools(t: Trace) -> None:
    K1, K2, s, n = t.integers("K1 K2 s n")  # noqa: N806 - the field's letters
    lo1, hi1, lo2, hi2 = t.integers("lo1 hi1 lo2 hi2")
    o, k1, k2, j = t.integers("o k1 k2 j")
    t.assume(K1 >= 1, K2 >= 1, s >= 1, n >= 0, lo1 >= 0, hi1 >= 0, lo2 >= 0, hi2 >= 0)
    first, second = AxisRelation(K1, 1, 1, lo1, hi1), AxisRelation(K2, s, 1, lo2, hi2)
    one = AxisRelation(K1 + K2 - 1, s, 1, lo1 + lo2, hi1 + hi2)
    middle = first.output_size(n)
    t.assume(middle >= 1)
    t.given(lo2 < K2, hi2 < K2)
    n_out = second.output_size(middle)
    t.show(n_out == one.output_size(n))
    i = one.position(o, j)
    t.assume(reads(one, o, j, i, n_in=n), between(0, k2, K2), between(0, k1, K1))
    # What the two read, the one reads.
    t.show(between(0, k1 + k2, one.n_taps))
    t.show(first.position(second.position(o, k2), k1) == one.position(o, k1 + k2))
    # The other way round: of the windows between that read the sample, the first that exists.
    through = max(i + lo1 - (K1 - 1), second.position(o, 0), 0)
    last, rest = through - second.position(o, 0), i + lo1 - through
    t.show(reads(second, o, last, through, n_in=middle), reads(first, through, rest, i, n_in=n))


@all_sizes(
    "pooling.partition",
    words="Without padding and dilation, and with at least two windows, the windows cut the "
    "samples they reach into pieces exactly when K = s: sample i < s·O is then read once, by "
    "window ⌊i/s⌋. For K > s windows 0 and 1 share sample s; for K < s nothing reads sample K.",
    latex=r"K=s:\ (o,k,i)\in C \iff o=\lfloor i/s\rfloor,\ k=i\bmod s,\ 0\le i<s\,O;\qquad "
    r"K>s:\ (0,s,s),(1,0,s)\in C;\qquad K<s:\ (o,k,K)\notin C",
    source="symconv",
    near_miss="K ≥ s is enough",
    concludes="triples",
)
def partition(t: Trace) -> None:
    n_taps, s, n, o, k, i = t.integers("K s n o k i")
    t.assume(n_taps >= 1, s >= 1, n >= 0)
    pool = AxisRelation(n_taps, s)
    n_out = pool.output_size(n)
    t.assume(n_out >= 2)
    read = reads(pool, o, k, i, n_in=n)
    if n_taps < s:
        t.hint(o - 1)
        t.show(implies(i == n_taps, ~read))
        return
    own = iff(read, all_of(o == i // s, k == i % s, between(0, i, s * n_out)))
    if n_taps == s:
        t.hint(o - i // s, o - i // s - 1)
        t.show(own)
    else:
        t.show(reads(pool, 0, s, s, n_in=n), reads(pool, 1, 0, s, n_in=n))
        t.instead(own)


@all_sizes(
    "pooling.windows-per-sample",
    words="The windows (dilation 1, any padding) that read sample i are consecutive: those from "
    "⌈(i+lo−K+1)/s⌉ to ⌊(i+lo)/s⌋ that exist. Far from the ends they are ⌊K/s⌋ or ⌈K/s⌉ many.",
    latex=r"\exists k\,(o,k,i)\in C \iff \left\lceil\frac{i+p_{lo}-K+1}{s}\right\rceil \le o\le "
    r"\left\lfloor\frac{i+p_{lo}}{s}\right\rfloor,\ 0\le o<O;\quad "
    r"\left\lfloor\frac{K}{s}\right\rfloor \le \# \le \left\lceil\frac{K}{s}\right\rceil",
    source="symconv; the overlap of pooling windows",
    near_miss="they are always ⌈K/s⌉ many",
    concludes="counts",
)
def windows_per_sample(t: Trace) -> None:
    n_taps, s, lo, hi, n, o, i = t.integers("K s lo hi n o i")
    t.assume(n_taps >= 1, s >= 1, between(0, i, n))
    pool = AxisRelation(n_taps, s, 1, lo, hi)
    n_out = pool.output_size(n)
    first, last = -(-(i + lo - n_taps + 1) // s), (i + lo) // s
    through = i - pool.position(o, 0)
    read = all_of(between(0, o, n_out), between(0, through, n_taps))
    t.show(iff(read, all_of(between(first, o, last + 1), between(0, o, n_out))))
    many = last - first + 1
    most = -(-n_taps // s)
    t.hint(many - n_taps // s, many - most)
    t.show(n_taps // s <= many, many <= most)
    t.instead(many == most)


@all_sizes(
    "pooling.windows-meet-data",
    words="Every window reads a sample, also the last ones of ceil mode, if the paddings are at "
    "least 0 and less than the window is long (at most d(K−1)) and there are at least d samples.",
    latex=r"0\le p_{lo},p_{hi}\le d(K-1),\ n\ge d \Rightarrow "
    r"\forall o\ \exists k,i:\ (o,k,i)\in C",
    source="symconv; PyTorch allows padding up to half the window, and gives −∞ for K = d = 2, "
    "padding 1 and one sample",
    near_miss="fewer than d samples: a window of two taps can straddle a single sample",
    concludes="triples",
)
def windows_meet_data(t: Trace) -> None:
    pool, n = axis(t)
    (o,) = t.integers("o")
    s, d, lo, hi = pool.stride, pool.dilation, pool.pad_lo, pool.pad_hi
    t.assume(n >= 1, lo >= 0, hi >= 0, lo < pool.extent, hi < pool.extent)
    t.given(n >= d)
    n_out, starts_outside = pool.ceil_output_size(n)
    n_out = n_out - 1 if starts_outside else n_out
    t.show(pool.output_size(n) <= n_out)
    # Ceil mode keeps only windows that start before the end of the samples.
    t.show(implies(o < n_out, pool.position(o, 0) < n))
    k = -((s * o - lo) // d) if lo > s * o else 0
    t.show(
        implies(between(0, o, n_out), reads(pool, o, k, pool.position(o, k), n_in=n, n_out=n_out))
    )
