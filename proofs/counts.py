"""Counting triples: taps that meet a sample, entries of the matrix, multiplications inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

import symconv as sc
from symconv.boundary import MODES, Boundary
from symconv.counts import convolution_counts, tap_triples, triples_inside
from symconv.errors import GeometryError
from symconv.geometry import Geometry
from symconv.incidence import Incidence
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    any_of,
    axis,
    between,
    exhaustive,
    iff,
    implies,
)
from symconv.ratios import same_padding_triples
from symconv.relation import AxisRelation

Array = npt.NDArray[np.int64]


@all_sizes(
    "counts.tap-interval",
    words="The outputs that meet a stored sample through tap k are consecutive: from "
    "max(⌈(lo − d·k)/s⌉, 0) to min(⌊(lo − d·k + n − 1)/s⌋, O − 1), both included, so their number "
    "is the difference and one, or 0.",
    latex=r"\max\left(\left\lceil\frac{p_{lo}-dk}{s}\right\rceil,0\right)\le o\le "
    r"\min\left(\left\lfloor\frac{p_{lo}-dk+n-1}{s}\right\rfloor,O-1\right)",
    source="symconv (symconv.counts.tap_triples)",
    near_miss="floors on both sides",
    concludes="counts",
)
def tap_interval(t: Trace) -> None:
    conv, n = axis(t)
    o, k = t.integers("o k")
    t.assume(between(0, k, conv.n_taps))
    n_out, below = conv.output_size(n), -conv.position(0, k)
    place, end = conv.position(o, k), conv.spread_size(n) - 1
    first, last = -(-below // conv.stride), (below + end) // conv.stride
    low = below // conv.stride
    met = all_of(between(0, o, n_out), between(0, place, n))
    t.hint(o - first, first - 1 - o, last - o, o - last - 1)
    t.show(iff(met, all_of(first <= o, o >= 0, o <= last, o < n_out)))
    t.instead(iff(met, all_of(low <= o, o >= 0, o <= last, o < n_out)))


@all_sizes(
    "counts.tap-classes",
    words="With input dilation b, a tap that meets samples meets one at every (b/g)-th output and "
    "at no output between, g = gcd(s, b): s = g·s′, b = g·b′ with u·s′ + v·b′ = 1.",
    latex=r"(o,k,i)\in C \;\Rightarrow\; "
    r"\bigl((o',k,i')\in C \iff o'=o+b'\tau,\; i'=i+s'\tau\bigr)",
    source="symconv (symconv.counts.tap_triples)",
    near_miss="at every b-th output",
    concludes="triples",
)
def tap_classes(t: Trace) -> None:
    g, s, b, u, v = t.integers("g s b u v")
    d, lo, o, k, i, o2, i2 = t.integers("d lo o k i o2 i2")
    t.assume(g >= 1, s >= 1, b >= 1, d >= 1, u * s + v * b == 1)
    conv = AxisRelation(k + 1, g * s, d, lo, input_dilation=g * b)
    t.assume(conv.position(o, k) == conv.input_dilation * i)
    # The step is named by what Bézout's identity makes of it; divisions would hide it.
    step = u * (i2 - i) + v * (o2 - o)
    met = conv.position(o2, k) == conv.input_dilation * i2
    t.show(implies(met, g * (s * (o2 - o) - b * (i2 - i)) == 0))
    t.show(implies(met, s * (o2 - o) == b * (i2 - i)))
    t.show(iff(met, all_of(o2 == o + b * step, i2 == i + s * step)))
    t.instead(iff(met, all_of(o2 == o + g * b * step, i2 == i + g * s * step)))


@exhaustive(
    "counts.by-listing",
    box={
        "s": (1, 2, 3),
        "d": (1, 2),
        "n_taps": (1, 3),
        "b": (1, 2, 3),
        "lo": (-1, 0, 2),
        "hi": (-1, 0, 1),
        "n": (2, 5),
        "mode": ("zeros", "circular"),
    },
    words="The closed form of the triples per tap, floors of the parameters, is the number of "
    "triples that listing them gives; and so is their sum over the taps.",
    latex=r"T_k = \#\{(o,i) : (o,k,i)\in C\},\qquad T=\sum_{k} T_k",
    source="symconv (symconv.counts.tap_triples and triples_inside)",
    near_miss="the same count with the zeros between spread samples counted as samples",
    concludes="counts",
)
def by_listing(
    s: int, d: int, n_taps: int, b: int, lo: int, hi: int, n: int, mode: str
) -> bool | None:
    return _listed(AxisRelation(n_taps, s, d, lo, hi, b), n, Boundary(mode), b)


@by_listing.near_miss_claim()
def _zeros_counted(
    s: int, d: int, n_taps: int, b: int, lo: int, hi: int, n: int, mode: str
) -> bool | None:
    return _listed(AxisRelation(n_taps, s, d, lo, hi, b), n, Boundary(mode), 1)


def _listed(relation: AxisRelation, n: int, boundary: Boundary, spread: int) -> bool | None:
    """Whether the closed form, with the input dilation `spread`, counts the triples."""
    try:
        geometry = Geometry.of([relation], [n], boundary=boundary)
    except GeometryError:
        return None
    _, taps, _ = Incidence(geometry).triples()
    listed = np.bincount(taps, minlength=relation.n_taps).tolist()
    # The same places on the padded axis, read as those of another input dilation.
    size = n if spread == relation.input_dilation else relation.spread_size(n)
    other = AxisRelation(
        relation.n_taps,
        relation.stride,
        relation.dilation,
        relation.pad_lo,
        relation.pad_hi,
        spread,
    )
    formula = [tap_triples(other, size, tap, boundary=boundary) for tap in range(relation.n_taps)]
    total = triples_inside(other, size, boundary=boundary)
    return bool(formula == listed and total == len(taps))


@all_sizes(
    "counts.same-padding",
    words="An axis of n samples with K = 2m + 1 taps, dilation d and padding d·m on both sides: "
    "tap m + t meets max(n − d·|t|, 0) samples. Summed over the taps that is "
    "n(2q + 1) − d·q(q + 1) with q = min(m, ⌊n/d⌋), by induction on m.",
    latex=r"T_{m\pm t}=\max(n-dt,0),\quad \sum_k T_k = n(2q+1)-d\,q(q+1),\quad "
    r"q=\min\left(m,\left\lfloor\frac{n}{d}\right\rfloor\right)",
    source="symconv (symconv.ratios.same_padding_triples)",
    near_miss="K·n − d·m(m + 1), the count without the minimum",
    concludes="counts",
)
def same_padding(t: Trace) -> None:
    m, d, n, o, tap = t.integers("m d n o t")
    t.assume(m >= 0, d >= 1, n >= 0, between(0, tap, m + 1))
    conv = AxisRelation(2 * m + 1, 1, d, d * m, d * m)

    def total(half: Any) -> Any:
        reach = half if half <= n // d else n // d
        return n * (2 * reach + 1) - d * reach * (reach + 1)

    met = max(n - d * (m + 1), 0)
    before, after = total(m), total(m + 1)
    t.show(conv.output_size(n) == n)
    t.show(after - before == 2 * met)
    exists = between(0, o, n)
    above, below = conv.position(o, m + tap), conv.position(o, m - tap)
    t.show(iff(all_of(exists, between(0, above, n)), between(0, o, n - d * tap)))
    t.show(iff(all_of(exists, between(0, below, n)), between(d * tap, o, n)))
    quoted = (2 * m + 1) * n - d * m * (m + 1)
    t.instead(before == quoted)


@all_sizes(
    "counts.same-padding-quoted",
    words="The formula K·n − d·m(m + 1) without the minimum counts these triples exactly when "
    "d·m ≤ n: no tap lies more than n samples away from the middle one.",
    latex=r"n(2q+1)-d\,q(q+1) = K n - d\,m(m+1) \iff d\,m\le n",
    source="symconv (symconv.ratios.same_padding_triples); for d = 1 K·n − m(m + 1)",
    near_miss="always",
    concludes="counts",
)
def same_padding_quoted(t: Trace) -> None:
    m, d, n, q = t.integers("m d n q")
    t.assume(m >= 0, d >= 1, n >= 0)
    # The minimum as what it is, for both cases to be on one path.
    most = n // d
    t.assume(q <= m, q <= most, any_of(q == m, q == most))
    total = n * (2 * q + 1) - d * q * (q + 1)
    quoted = (2 * m + 1) * n - d * m * (m + 1)
    t.hint(m - most - 1)
    t.show(iff(total == quoted, d * m <= n))
    t.instead(total == quoted)


@exhaustive(
    "counts.same-padding-listed",
    box={"n_taps": (1, 3, 5, 7), "n": range(6), "d": (1, 2, 3)},
    words="The function for the triples under same padding gives what summing over the taps "
    "gives, for numbers and for a symbolic size that is substituted afterwards.",
    latex=r"T(K,n,d)=\sum_k T_k",
    source="symconv (symconv.ratios.same_padding_triples)",
    near_miss="one padded sample more at the end",
    concludes="counts",
    corollary_of="counts.same-padding",
)
def same_padding_listed(n_taps: int, n: int, d: int) -> bool:
    return _same_padded(n_taps, n, d, 0)


@same_padding_listed.near_miss_claim()
def _padded_more(n_taps: int, n: int, d: int) -> bool:
    return _same_padded(n_taps, n, d, 1)


def _same_padded(n_taps: int, n: int, d: int, more: int) -> bool:
    half = d * (n_taps // 2)
    summed = triples_inside(AxisRelation(n_taps, 1, d, half, half + more), n)
    size = sympy.Symbol("n", integer=True, nonnegative=True)
    symbolic = same_padding_triples(n_taps, size, d).subs(size, n)
    return bool(summed == same_padding_triples(n_taps, n, d) == symbolic)


@all_sizes(
    "counts.padding-never-read",
    words="Every tap of every output meets a stored sample, so that multiplications inside and "
    "per tap are equally many, exactly when lo ≤ 0 and hi ≤ r, the r = (N − E) mod s places at "
    "the end that no window reaches (at least one output).",
    latex=r"T = K\cdot O \iff p_{lo}\le 0,\; p_{hi}\le (N-E)\bmod s",
    source="symconv",
    near_miss="exactly when there is no padding: lo ≤ 0 and hi ≤ 0",
    concludes="counts",
)
def padding_never_read(t: Trace) -> None:
    conv, n = axis(t)
    o, k = t.integers("o k")
    n_out = conv.output_size(n)
    rest = (conv.padded_size(n) - conv.extent) % conv.stride
    t.assume(n_out >= 1, between(0, o, n_out), between(0, k, conv.n_taps))
    first = conv.position(0, 0)
    final = conv.position(n_out - 1, conv.n_taps - 1)
    condition = all_of(conv.pad_lo <= 0, conv.pad_hi <= rest)
    ends = all_of(first >= 0, final < n)
    place = conv.position(o, k)
    # The outermost taps decide: all others lie between them.
    t.show(iff(ends, condition))
    t.show(first <= place, place <= final)
    t.show(implies(condition, between(0, place, n)))
    t.instead(iff(ends, all_of(conv.pad_lo <= 0, conv.pad_hi <= 0)))


@all_sizes(
    "counts.meeting-taps",
    words="Under circular padding taps k and k′ of one output read the same sample exactly when n "
    "divides d(k′ − k). So no two taps meet, and the matrix stores one entry for each triple, "
    "when the kernel with its gaps is not longer than the axis: E ≤ n.",
    latex=r"i(o,k)=i(o,k') \iff n\mid d(k'-k);\qquad E\le n \;\Rightarrow\; "
    r"\bigl(i(o,k)=i(o,k')\Rightarrow k=k'\bigr)",
    source="symconv; torch.nn.Conv1d with padding_mode='circular' sums such taps",
    near_miss="distinct taps never meet, as with zeros",
    concludes="counts",
)
def meeting_taps(t: Trace) -> None:
    conv, n = axis(t)
    o, k, k2 = t.integers("o k k2")
    t.assume(n >= 1, between(0, k, conv.n_taps), between(0, k2, conv.n_taps))
    read: Callable[..., Any] = MODES["circular"]
    one, other = conv.position(o, k), conv.position(o, k2)
    apart = conv.dilation * (k2 - k)
    turns, rest = apart // n, apart % n
    same = read(one, n) == read(other, n)
    between_turns = other // n - one // n
    t.hint(between_turns - turns, turns - between_turns, turns, -turns, turns - 1, -turns - 1)
    t.show(iff(same, rest == 0))
    t.show(implies(all_of(same, conv.extent <= n), k == k2))
    t.instead(implies(same, k == k2))


@all_sizes(
    "counts.every-tap-reads",
    words="Under circular, reflecting, symmetric and replicating padding of any width every tap "
    "of every output reads a stored sample, K·O triples in all, as soon as there is one sample.",
    latex=r"n\ge 1 \;\Rightarrow\; 0\le \mathrm{read}(j)<n \quad\text{for every integer } j",
    source="symconv (symconv.boundary.MODES)",
    near_miss="the position read is itself a stored one, as zero padding asks",
    concludes="counts",
)
def every_tap_reads(t: Trace) -> None:
    n, j = t.integers("n j")
    t.assume(n >= 1)
    for mode in ("circular", "replicate", "symmetric", "reflect"):
        read: Callable[..., Any] = MODES[mode]
        t.show(between(0, read(j, n), n))
    t.instead(between(0, j, n))


@exhaustive(
    "counts.transposed",
    box={
        "s": (1, 2, 3),
        "n_taps": (1, 2, 3),
        "d": (1, 2),
        "lo": (-1, 0, 1),
        "hi": (-1, 0, 2),
        "n": (1, 2, 3, 4, 5),
        "groups": (1, 2),
    },
    words="A convolution on n samples and the transposed layer that takes its outputs back to n "
    "(output padding r = (N − E) mod s) have the same weights and multiplications, per tap and "
    "inside: the triples are the same.",
    latex=r"\mathrm{MACs}(\mathrm{Conv}(n)) = \mathrm{MACs}(\mathrm{ConvTranspose}(O),\,op=r)",
    source="symconv; the counts of transposed layers in ptflops#57 and #149",
    near_miss="without output padding",
    concludes="counts",
)
def transposed(s: int, n_taps: int, d: int, lo: int, hi: int, n: int, groups: int) -> bool | None:
    relation = AxisRelation(n_taps, s, d, lo, hi)
    rest = (relation.padded_size(n) - relation.extent) % s
    return _same_macs(relation, n, groups, rest)


@transposed.near_miss_claim()
def _transposed_shorter(
    s: int, n_taps: int, d: int, lo: int, hi: int, n: int, groups: int
) -> bool | None:
    return _same_macs(AxisRelation(n_taps, s, d, lo, hi), n, groups, 0)


def _same_macs(relation: AxisRelation, n: int, groups: int, op: int) -> bool | None:
    n_out = relation.output_size(n)
    back = AxisRelation(
        relation.n_taps,
        relation.stride,
        relation.dilation,
        relation.pad_lo,
        relation.pad_hi - op,
    )
    if n_out < 1 or back.input_size(n_out) < 1:
        return None
    forward = convolution_counts([relation], [n], 2, 4, groups=groups, bias=False)
    backward = convolution_counts([back], [n_out], 4, 2, groups=groups, bias=False, transposed=True)
    return bool(
        forward.weights == backward.weights
        and forward.macs_per_tap == backward.macs_per_tap
        and forward.macs_inside == backward.macs_inside
    )


@exhaustive(
    "counts.layers",
    box={
        "kernel": ((1, 1), (2, 3), (3, 2)),
        "stride": ((1, 1), (2, 1), (1, 3)),
        "padding": (0, ((1, 0), (0, 2)), ((-1, 1), (1, 1))),
        "dilation": ((1, 1), (1, 2)),
        "groups": (1, 2),
        "mode": ("zeros", "circular", "replicate"),
        "kind": ("conv", "transposed"),
    },
    words="On two axes, with channels c and c′ in G groups, the multiplications inside that a "
    "layer reports are c·c′/G times the spatial triples of its operator, which with zeros around "
    "are its stored entries; per tap they are c·c′/G·K₁·K₂ times the outputs (of a transposed "
    "layer: the inputs).",
    latex=r"\mathrm{inside}=\frac{c\,c'}{G}\,T_1T_2,\qquad "
    r"\mathrm{per\ tap}=\frac{c\,c'}{G}\,K_1K_2\,O_1O_2",
    source="V. Sze, Y.-H. Chen, T.-J. Yang, J. Emer, Efficient Processing of Deep Neural Networks "
    "(2017), section II",
    near_miss="they are the stored entries under any padding",
    concludes="counts",
)
def layers(**setting: Any) -> bool | None:
    counted = _counted(**setting)
    if counted is None:
        return None
    layer, operator, size = counted
    counts, geometry = layer.counts(size), layer.geometry(size)
    pairs = 4 * 6 // layer.groups
    taps = pairs * int(np.prod(geometry.kernel_size)) * int(np.prod(geometry.output_size))
    inside = pairs * len(Incidence(geometry).triples()[0])
    weights = int(np.prod(operator.weight_shape))
    stored = setting["mode"] != "zeros" or operator.nnz == inside
    reported = counts.weights, counts.macs_per_tap, counts.macs_inside
    return bool(stored and reported == (weights, taps, inside))


@layers.near_miss_claim()
def _stored_entries(**setting: Any) -> bool | None:
    counted = _counted(**setting)
    if counted is None:
        return None
    layer, operator, size = counted
    return bool(layer.counts(size).macs_inside == operator.nnz)


def _counted(kind: str, mode: str, kernel: Any, **setting: Any) -> Any:
    size = (3, 4)
    try:
        if kind == "conv":
            layer: Any = sc.Conv(4, 6, kernel, padding_mode=mode, bias=False, **setting)
        elif mode == "zeros":
            layer = sc.ConvTranspose(4, 6, kernel, bias=False, **setting)
        else:
            return None
        return layer, layer.operator(size), size
    except GeometryError:
        return None
