"""The source notes on dilated convolution, claim by claim: N8 to N10.

Each claim is decided as the notes make it. Where it is false, the remark says what holds and
which theorem proves that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import sympy

import symconv as sc
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    axis,
    exhaustive,
    identity,
    iff,
    implies,
    no_claim,
    reads,
)
from symconv.relation import AxisRelation


@all_sizes(
    "notes_dilation.n8-gaps",
    words="Dilation d leaves d − 1 places between neighbouring taps, so K taps span "
    "K + (K − 1)(d − 1) samples: 3 taps with d = 2 span 5, and d = 1 is the ordinary kernel.",
    latex=r"j(o,k+1)-j(o,k)-1 = d-1,\qquad E = K+(K-1)(d-1),\qquad E(3,2)=5,\ E(K,1)=K",
    source="source notes, N8",
    near_miss="K taps span d·K samples",
    concludes="fields",
    corollary_of="relation.extent",
)
def n8_gaps(t: Trace) -> None:
    conv, _ = axis(t)
    o, k = t.integers("o k")
    n_taps, d = conv.n_taps, conv.dilation
    t.show(conv.position(o, k + 1) - conv.position(o, k) - 1 == d - 1)
    t.show(conv.extent == n_taps + (n_taps - 1) * (d - 1))
    t.show(AxisRelation(3, 1, 2).extent == 5, AxisRelation(n_taps).extent == n_taps)
    t.instead(conv.extent == d * n_taps)


@exhaustive(
    "notes_dilation.n8-parameters",
    words="Dilation, the same or another on each axis, changes no number of parameters: a 3×3 "
    "kernel has the same 9 weights whether it spans 3×3 or, per axis, 2d+1.",
    latex=r"\mathrm{parameters}(d_h,d_w) = \mathrm{parameters}(1,1),\qquad "
    r"E = (2d_h+1)\times(2d_w+1)",
    source="source notes, N8",
    near_miss="they are those of the dense kernel of the same span",
    box={"dh": (1, 2, 3), "dw": (1, 2, 3), "channels": (1, 2)},
    concludes="counts",
)
def n8_parameters(dh: int, dw: int, channels: int) -> bool:
    plain = sc.Conv2d(channels, channels, 3)
    layer = sc.Conv2d(channels, channels, 3, dilation=(dh, dw))
    spans = tuple(layer.relation(number).extent for number in range(2))
    # The biases and, listed one by one, the weights.
    listed = channels + layer.operator((9, 9)).weight_symbols().size
    return layer.parameter_count() == plain.parameter_count() == listed and spans == (
        2 * dh + 1,
        2 * dw + 1,
    )


@n8_parameters.near_miss_claim()
def n8_dense_parameters(dh: int, dw: int, channels: int) -> bool:
    dense = sc.Conv2d(channels, channels, (2 * dh + 1, 2 * dw + 1))
    layer = sc.Conv2d(channels, channels, 3, dilation=(dh, dw))
    return bool(layer.parameter_count() == dense.parameter_count())


@all_sizes(
    "notes_dilation.n9-larger-field",
    words="Dilation enlarges the receptive field of a layer, E = d(K−1)+1 ≥ K, and strictly "
    "exactly when there are two taps or more and d ≥ 2.",
    latex=r"E\ge K,\qquad E>K \iff K\ge 2,\ d\ge 2",
    source="source notes, N9",
    near_miss="strictly as soon as d ≥ 2",
    concludes="fields",
    corollary_of="relation.extent",
)
def n9_larger_field(t: Trace) -> None:
    conv, _ = axis(t)
    larger = conv.extent > conv.n_taps
    t.show(conv.extent >= conv.n_taps)
    t.show(iff(larger, all_of(conv.n_taps >= 2, conv.dilation >= 2)))
    t.instead(iff(larger, conv.dilation >= 2))


@exhaustive(
    "notes_dilation.n9-fewer-operations",
    words="With dilation the field grows and the cost falls, since there are fewer convolution "
    "operations.",
    latex=r"d\ge 2 \Rightarrow \mathrm{MACs}(K,d) < \mathrm{MACs}(K,1)",
    source="source notes, N9",
    box={"K": (3, 5), "d": (2, 3), "n": (4, 5, 6, 8)},
    concludes="counts",
    expected="REFUTED",
    remark="Padded to keep the size, it costs as many products per tap as without dilation: "
    "notes_dilation.n9-operations. There are fewer only where the dilated kernel is unpadded and "
    "so has fewer outputs, or against the dense kernel of the same field.",
)
def n9_fewer_operations(K: int, d: int, n: int) -> bool:  # noqa: N803
    plain, dilated = (
        sc.Conv1d(1, 1, K, padding=gap * (K // 2), dilation=gap, bias=False) for gap in (1, d)
    )
    return bool(dilated.mac_count((n,)) < plain.mac_count((n,)))


@all_sizes(
    "notes_dilation.n9-operations",
    words="A kernel of K taps padded to keep n samples multiplies K·n times per tap whatever its "
    "dilation, fewer than the dense kernel of its span, exactly when that is longer. Without "
    "padding it has d(K−1) outputs fewer than samples.",
    latex=r"p_{lo}+p_{hi}=E-1:\ K\,O = K\,n;\qquad K\,n < E\,n \iff K,d\ge 2,\ n\ge 1;\qquad "
    r"p=0:\ O = n-d(K-1)",
    source="source notes, N9, put right",
    near_miss="dilation 2 or more saves products against the same kernel without dilation",
    concludes="counts",
    corollary_of="costs.dilated-against-dense",
)
def n9_operations(t: Trace) -> None:
    n_taps, d, lo, n = t.integers("K d lo n")
    t.assume(n_taps >= 1, d >= 1, n >= 0)
    span = AxisRelation(n_taps, 1, d).extent
    dilated = AxisRelation(n_taps, 1, d, lo, span - 1 - lo)
    plain = AxisRelation(n_taps, 1, 1, lo, n_taps - 1 - lo)
    dense = AxisRelation(span, 1, 1, lo, span - 1 - lo)
    products = [axis.n_taps * axis.output_size(n) for axis in (dilated, plain, dense)]
    t.show(products[0] == n_taps * n, products[1] == n_taps * n)
    t.show(iff(products[0] < products[2], all_of(n_taps >= 2, d >= 2, n >= 1)))
    t.show(AxisRelation(n_taps, 1, d).output_size(n) == n - d * (n_taps - 1))
    t.instead(implies(all_of(d >= 2, n >= 1), products[0] < products[1]))


@all_sizes(
    "notes_dilation.n9-cheaper-than-stride",
    words="A dilated convolution costs less than a strided one.",
    latex=r"K\,O_{d} < K\,O_{s}",
    source="source notes, N9",
    concludes="counts",
    corollary_of="costs.dilated-is-cheaper",
    expected="REFUTED",
    remark="It costs more: n outputs against ⌈n/s⌉ of as many taps: "
    "notes_dilation.n9-dearer-than-stride.",
)
def n9_cheaper_than_stride(t: Trace) -> None:
    dilated, strided, n = dilated_and_strided(t)
    t.assume(dilated.dilation >= 2, strided.stride >= 2, n >= 2)
    t.show(dilated.n_taps * dilated.output_size(n) < strided.n_taps * strided.output_size(n))


@all_sizes(
    "notes_dilation.n9-dearer-than-stride",
    words="Padded by E − 1 in all, K taps with stride s have ⌈n/s⌉ outputs and the same taps with "
    "dilation d and stride 1 have n: the dilated layer never costs fewer products, and more "
    "exactly when s ≥ 2 and n ≥ 2.",
    latex=r"K\,n \ge K\left\lceil\frac{n}{s}\right\rceil,\qquad "
    r"K\,n > K\left\lceil\frac{n}{s}\right\rceil \iff s\ge 2,\ n\ge 2",
    source="source notes, N9, put right",
    near_miss="more exactly when d ≥ 2",
    concludes="counts",
    corollary_of="costs.dilated-against-strided",
)
def n9_dearer_than_stride(t: Trace) -> None:
    dilated, strided, n = dilated_and_strided(t)
    one = dilated.n_taps * dilated.output_size(n)
    other = strided.n_taps * strided.output_size(n)
    t.show(strided.output_size(n) == -(-n // strided.stride))
    t.show(strided.output_size(n) <= dilated.output_size(n))
    t.show(iff(strided.output_size(n) < n, all_of(strided.stride >= 2, n >= 2)))
    t.show(one >= other)
    t.show(implies(all_of(strided.stride >= 2, n >= 2), one > other))
    t.instead(implies(all_of(dilated.dilation >= 2, n >= 2), one > other))


def dilated_and_strided(t: Trace) -> tuple[AxisRelation, AxisRelation, Any]:
    """K taps with dilation d and with stride s, each padded by one less than it spans."""
    n_taps, d, s, n = t.integers("K d s n")
    t.assume(n_taps >= 1, d >= 1, s >= 1, n >= 1)
    return (
        AxisRelation(n_taps, 1, d, 0, d * (n_taps - 1)),
        AxisRelation(n_taps, s, 1, 0, n_taps - 1),
        n,
    )


@all_sizes(
    "notes_dilation.n9-read-at-the-next",
    words="What a dilated kernel skips is read at the next positions, at stride 1: where output o "
    "reads sample i through tap k, output o + 1, if there is one, reads sample i + 1 through k.",
    latex=r"s=1:\quad (o,k,i)\in C,\ o+1<O,\ i+1<n \Rightarrow (o+1,k,i+1)\in C",
    source="source notes, N9",
    near_miss="the same for every stride",
    concludes="triples",
    corollary_of="relation.shift",
)
def n9_read_at_the_next(t: Trace) -> None:
    conv, n = axis(t)
    o, k, i = t.integers("o k i")
    t.assume(reads(conv, o, k, i, n_in=n), o + 1 < conv.output_size(n), i + 1 < n)
    t.given(conv.stride == 1)
    t.show(reads(conv, o + 1, k, i + 1, n_in=n))


@exhaustive(
    "notes_dilation.n9-all-read",
    words="Far from the ends every sample is read by some output exactly when s and d have no "
    "common factor and there are at least s taps: at stride 1 always, as the notes say.",
    latex=r"\{d\,k \bmod s: 0\le k<K\} = \{0,\ldots,s-1\} \iff \gcd(s,d)=1,\ K\ge s",
    source="source notes, N9, in general",
    near_miss="exactly when the windows leave no gap, s ≤ d(K−1)+1",
    box={"s": (1, 2, 3, 4), "d": (1, 2, 3, 4), "K": (1, 2, 3, 4, 5)},
    concludes="triples",
)
def n9_all_read(s: int, d: int, K: int) -> bool:  # noqa: N803
    return interior_is_read(s, d, K) == (math.gcd(s, d) == 1 and s <= K)


@n9_all_read.near_miss_claim()
def n9_windows_touch(s: int, d: int, K: int) -> bool:  # noqa: N803
    return interior_is_read(s, d, K) == (s <= d * (K - 1) + 1)


def interior_is_read(s: int, d: int, n_taps: int) -> bool:
    """Whether s neighbouring samples, an extent away from both ends, are all read."""
    extent = AxisRelation(n_taps, s, d).extent
    operator = sc.Unfold((n_taps,), stride=s, dilation=d).operator((2 * extent + 2 * s,))
    read = set(operator.sparse(dtype=int).nonzero()[1].tolist())
    return set(range(extent, extent + s)) <= read


@exhaustive(
    "notes_dilation.n9-whole-field",
    words="A dilated kernel summarises all of its larger field: its output reads every sample of "
    "it.",
    latex=r"\{d\,k: 0\le k<K\} = \{0,\ldots,d(K-1)\}",
    source="source notes, N9",
    box={"K": (1, 2, 3), "d": (1, 2, 3)},
    concludes="fields",
    expected="REFUTED",
    remark="It reads K of E samples, all of them iff d = 1 or K = 1; the others are read by its "
    "neighbours (notes_dilation.n9-read-at-the-next). Stacks that read all of their field: "
    "coverage.criterion.",
)
def n9_whole_field(K: int, d: int) -> bool:  # noqa: N803
    return bool(sc.covers([AxisRelation(K, dilation=d)]))


@all_values(
    "notes_dilation.n9-information",
    words="For all weights but the zeros of one polynomial, a dilated convolution that keeps the "
    "size loses nothing, its matrix is invertible; one with stride 2 always does, having fewer "
    "rows than columns (K = 3, the padding d on both sides).",
    latex=r"\det A_{d}(w) \ne 0 \text{ as a polynomial},\qquad \mathrm{rank}\,A_{s=2}(w) < n",
    source="source notes, N9: without losing information as pooling or striding do",
    near_miss="for all weights but zero",
    box={"d": (1, 2, 3), "n": (2, 3, 4, 5)},
)
def n9_information(d: int, n: int) -> bool:
    same, strided = (
        sc.Conv1d(1, 1, 3, stride=s, padding=d, dilation=d, bias=False).operator((n,))
        for s in (1, 2)
    )
    return determinant(same.exact()) != 0 and strided.shape[0] < n


@n9_information.near_miss_claim()
def n9_all_weights(d: int, n: int) -> bool:
    same = sc.Conv1d(1, 1, 3, padding=d, dilation=d, bias=False).operator((n,))
    return all(
        determinant(same.exact([[list(weight)]])) != 0
        for weight in ((1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1))
    )


def determinant(matrix: sympy.ImmutableSparseMatrix) -> Any:
    """The determinant, expanded."""
    return sympy.expand(matrix.as_explicit().det(method="berkowitz"))


@all_sizes(
    "notes_dilation.n10-field-and-resolution",
    words="A layer of K₁ taps with stride s ≥ 2 (a pooling or a strided convolution) before one of "
    "K₂ taps enlarges its field to K₁ + s(K₂−1) > K₂, or keeps it for K₁ = K₂ = 1, and leaves "
    "fewer than n outputs for n ≥ 2, if its padding is less than its window.",
    latex=r"K_1+s(K_2-1)\ge K_2,\qquad p_{lo}+p_{hi}<K_1,\ s,n\ge 2 \Rightarrow O(n) < n",
    source="source notes, N10",
    near_miss="any padding",
    concludes="fields",
)
def n10_field_and_resolution(t: Trace) -> None:
    K1, s, K2, lo, hi, n = t.integers("K1 s K2 lo hi n")  # noqa: N806 - the field's letters
    t.assume(K1 >= 1, K2 >= 1, s >= 2, n >= 2)
    pool, conv = AxisRelation(K1, s, 1, lo, hi), AxisRelation(K2)
    t.given(lo + hi < K1)
    first, last = conv.position(0, 0), conv.position(0, K2 - 1)
    field = pool.position(last, K1 - 1) - pool.position(first, 0) + 1
    t.show(field == K1 + s * (K2 - 1))
    t.show(iff(field > conv.extent, any_taps(K1, K2)))
    t.show(pool.output_size(n) < n)


def any_taps(one: Any, other: Any) -> Any:
    """One of the two layers has more than one tap."""
    return ~all_of(one == 1, other == 1)


def symbols(names: str) -> Any:
    """Positive integers."""
    return sympy.symbols(names, integer=True, positive=True)


def larger_kernel() -> Iterator[tuple[Any, Any]]:
    """Parameters of K + m taps per axis against K taps, on two axes."""
    a, b, K, m = symbols("c1 c2 K m")  # noqa: N806 - the field's letter
    small, large = (sc.Conv2d(a, b, (taps, taps)).parameter_count() for taps in (K, K + m))
    yield large - small, a * b * m * (2 * K + m)


def linear_growth() -> Iterator[tuple[Any, Any]]:
    a, b, K, m = symbols("c1 c2 K m")  # noqa: N806 - the field's letter
    small, large = (sc.Conv2d(a, b, (taps, taps)).parameter_count() for taps in (K, K + m))
    yield large - small, a * b * m


n10_larger_kernels = identity(
    "notes_dilation.n10-larger-kernels",
    near=linear_growth,
    sizes=True,
    words="A larger kernel costs parameters: m more taps on both axes of a K×K kernel from c₁ to "
    "c₂ channels are c₁c₂·m(2K + m) more.",
    latex=r"c_2(c_1(K+m)^2+1) - c_2(c_1K^2+1) = c_1c_2\,m(2K+m)",
    source="source notes, N10",
    near_miss="they grow by c₁c₂·m",
    concludes="counts",
)(larger_kernel)

n9_important_features = no_claim(
    "notes_dilation.n9-important-features",
    words="The relevant, most important features are extracted, which is why convolutions are "
    "called feature extractors.",
    latex=r"\hat Y",
    source="source notes, text on dilated convolutions",
    reason="relevance and importance are no properties of a convolution; which inputs an output "
    "can depend on is one, its receptive field: notes_dilation.n9-larger-field",
)

n10_expressive_power = no_claim(
    "notes_dilation.n10-expressive-power",
    words="Reducing the resolution can reduce the expressive power of the network.",
    latex=r"O(n) < n",
    source="source notes, N10",
    reason="no measure of expressive power is given; what is lost in size is stated by "
    "notes_dilation.n10-field-and-resolution",
)
