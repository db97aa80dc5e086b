"""Counting triples: taps that meet a sample, entries of the matrix, multiplications inside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.boundary import MODES, Boundary
from symconv.counts import tap_triples, triples_inside
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
    reads,
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
    t.show(iff(met, all_of(first <= o, 0 <= o, o <= last, o < n_out)))
    t.instead(iff(met, all_of(low <= o, 0 <= o, o <= last, o < n_out)))


@all_sizes(
    "counts.tap-classes",
    words="With input dilation b, a tap that meets samples meets one at every (b/g)-th output and "
    "at no output between, g = gcd(s, b): s = g·s′, b = g·b′ with u·s′ + v·b′ = 1.",
    latex=r"(o,k,i)\in C \;\Rightarrow\; \bigl((o',k,i')\in C \iff o'=o+b'\tau,\; i'=i+s'\tau\bigr)",
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
    formula = [
        tap_triples(other, size, tap, boundary=boundary) for tap in range(relation.n_taps)
    ]
    total = triples_inside(other, size, boundary=boundary)
    return formula == listed and total == len(taps)


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
