"""Which inputs meet in an output of a transposed convolution, and which outputs none reaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from symconv import AxisRelation
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
    scattered,
)
from symconv.proving.terms import Term

ODENA = "A. Odena, V. Dumoulin, C. Olah (2016), Deconvolution and checkerboard artifacts, Distill"


@all_sizes(
    "overlap.slice-of-a-sample",
    words="Sample x[m] times the kernel is added to the slice of the output that starts at "
    "s·m − lo, has step d and is K long.",
    latex=r"(m,k,y)\in T \iff d \mid y-(s\,m-p_{lo}),\ k = \frac{y-(s\,m-p_{lo})}{d},\ "
    r"0 \le k < K",
    source="source notes, N20, put right",
    near_miss="the slice starts at m",
    concludes="triples",
)
def slice_of_a_sample(t: Trace) -> None:
    conv, n = axis(t)
    op, m, k, y = t.integers("op m k y")
    t.assume(op >= 0, between(0, m, n), between(0, y, conv.input_size(n, op)))
    triple = scattered(conv, n, op, m, k, y)
    place, off = divmod(y - (conv.stride * m - conv.pad_lo), conv.dilation)
    t.hint(k - place - 1)
    t.show(iff(triple, all_of(off == 0, k == place, between(0, place, conv.n_taps))))
    place, off = divmod(y - m, conv.dilation)
    other = iff(triple, all_of(off == 0, k == place, between(0, place, conv.n_taps)))
    t.instead(implies(conv.pad_lo == 0, other))


@all_sizes(
    "overlap.taps-that-meet",
    words="Two products x[i]·w[k] and x[i′]·w[k′] meet in one output exactly when, for some "
    "integer q, k − k′ = q·s/g and i′ − i = q·d/g, g the greatest common divisor of s and d.",
    latex=r"s\,i+d\,k = s\,i'+d\,k' \iff \exists q:\ k-k' = q\,\tfrac{s}{g},\ "
    r"i'-i = q\,\tfrac{d}{g},\quad g = \gcd(s,d)",
    source="symconv; greatest common divisor stated by u·s/g + v·d/g = 1",
    near_miss="k and k′ differ by a multiple of s",
    concludes="triples",
)
def taps_that_meet(t: Trace) -> None:
    g, s, d, u, v, lo, i, i2, k, k2, q = t.integers("g s d u v lo i i2 k k2 q")
    t.assume(g >= 1, s >= 1, d >= 1, u * s + v * d == 1)
    # s and d stand for s/g and d/g here; K and n play no part in which products meet.
    conv = AxisRelation(1, g * s, g * d, lo)
    meet = conv.position(i, k) == conv.position(i2, k2)
    steps = u * (k - k2) + v * (i2 - i)
    t.show(implies(meet, all_of(k - k2 == steps * s, i2 - i == steps * d)))
    t.show(implies(all_of(k - k2 == q * s, i2 - i == q * d), meet))
    taps = all_of(i >= 0, i2 >= 0, k >= 0, k2 >= 0)
    t.instead(implies(all_of(taps, meet), (k - k2) % (g * s) == 0))


@all_sizes(
    "overlap.never-reached",
    words="If g divides the stride and the dilation, an output y is reached only where g divides "
    "y + lo: for gcd(s, d) > 1 the others are never written.",
    latex=r"g \mid s,\ g \mid d,\ (i,k,y)\in T \Rightarrow g \mid y+p_{lo}",
    source=f"symconv; the gridding of dilated convolutions, seen from the output; {ODENA}",
    near_miss="the same when g divides the stride alone",
    concludes="triples",
    corollary_of="relation.unread-classes",
)
def never_reached(t: Trace) -> None:
    g, s, d, K, n, lo, hi = t.integers("g s d K n lo hi")  # noqa: N806 - the field's letter
    op, i, k, y, c = t.integers("op i k y c")
    t.assume(g >= 1, s >= 1, d >= 1, K >= 1, n >= 0, op >= 0)
    t.given(d == g * c)
    conv = AxisRelation(K, g * s, d, lo, hi)
    t.hint(s * i + c * k - (y + lo) // g - 1)
    t.show(implies(scattered(conv, n, op, i, k, y), (y + lo) % g == 0))


@all_sizes(
    "overlap.taps-of-an-output",
    words="For g = gcd(s, d) = u·s + v·d, the products that meet in the output g·z − lo are those "
    "with k = φ + t·s/g and i = i₀ − t·d/g, φ being v·z mod s/g.",
    latex=r"s\,i+d\,k = g\,z \iff k = \varphi+\tfrac{s}{g}t,\ i = i_0-\tfrac{d}{g}t \text{ with } "
    r"t = \left\lfloor \frac{g\,k}{s} \right\rfloor,\ \varphi = v z \bmod \tfrac{s}{g},\ "
    r"i_0 = u z + \tfrac{d}{g}\left\lfloor \frac{g\,v z}{s} \right\rfloor",
    source="symconv; for d = 1 the phases of W. Shi et al. (2016), arXiv:1609.07009",
    near_miss="the same with s and d in place of s/g and d/g",
    concludes="triples",
)
def taps_of_an_output(t: Trace) -> None:
    # s and d stand for s/g and d/g here.
    g, s, d, u, v, lo, z, i, k = t.integers("g s d u v lo z i k")
    t.assume(g >= 1, s >= 1, d >= 1, u * s + v * d == 1)
    meet = AxisRelation(1, g * s, g * d, lo).position(i, k) == g * z - lo
    turns, phase = divmod(v * z, s)
    step, rest = divmod(k, s)
    family = all_of(rest == phase, i == u * z + d * turns - d * step)
    if meet:
        t.show(s * i + d * k == z)
        # k = (u·s + v·d)·k, so another way to divide k by s ends in φ as well: there is only one.
        other = u * k - v * i + turns
        t.show(k == s * other + phase)
        t.hint(step - other - 1, other - step - 1)
        t.show(step == other)
        t.show(family)
    else:
        t.hint(s * i + d * k - z)
        t.show(~family)
    turns, phase = divmod(v * z, g * s)
    step, rest = divmod(k, g * s)
    near = all_of(rest == phase, i == u * z + g * d * turns - g * d * step)
    t.instead(implies(all_of(i >= 0, k >= 0), iff(meet, near)))


@all_sizes(
    "overlap.uniform",
    words="A phase φ of s has ⌊(K−1−φ)/s⌋ + 1 taps; all phases have the same number exactly when s "
    "divides K, and it is K/s.",
    latex=r"N(\varphi) = \left\lfloor \frac{K-1-\varphi}{s} \right\rfloor + 1:\quad "
    r"N(0) = N(s-1) \iff s \mid K,\qquad s \mid K \Rightarrow N(\varphi) = K/s",
    source=ODENA,
    near_miss="they are equal when K ≥ s",
    concludes="counts",
)
def uniform(t: Trace) -> None:
    s, n_taps, phase, step = t.integers("s K phase step")
    t.assume(s >= 1, n_taps >= 1, between(0, phase, s))

    def count(of: object) -> Term:
        # The taps φ, φ+s, φ+2s, … below K: the samples that stride s keeps of the K − φ from φ on.
        return AxisRelation(1, s).output_size(n_taps - of)  # type: ignore[no-any-return]

    t.show(iff(between(0, step, count(phase)), between(phase, phase + s * step, n_taps)))
    t.show(iff(count(0) == count(s - 1), n_taps % s == 0))
    t.show(implies(n_taps % s == 0, count(phase) == n_taps // s))
    t.instead(implies(n_taps >= s, count(0) == count(s - 1)))


@exhaustive(
    "overlap.uniform-interior",
    box={"s": range(1, 7), "d": range(1, 7), "K": range(1, 9)},
    words="In the interior of a transposed convolution every output collects from the same number "
    "of products exactly when s divides K and gcd(s, d) = 1.",
    latex=r"\#\{(i,k): (i,k,y)\in T\} \text{ is constant in the interior} \iff "
    r"s \mid K,\ \gcd(s,d) = 1",
    source=f"{ODENA}, for every dilation",
    near_miss="exactly when s divides K",
    concludes="counts",
    remark="For all sizes it follows: ⇐ is overlap.uniform-by-exchange; ⇒ from "
    "overlap.never-reached, overlap.taps-of-an-output and overlap.uniform. The interior is that of "
    "overlap.whole-counts.",
)
def uniform_interior(**setting: int) -> bool:
    s, d, n_taps = (setting[name] for name in ("s", "d", "K"))
    return _is_uniform(s, d, n_taps) == (n_taps % s == 0 and np.gcd(s, d) == 1)


@uniform_interior.near_miss_claim()
def uniform_interior_for_any_dilation(**setting: int) -> bool:
    s, d, n_taps = (setting[name] for name in ("s", "d", "K"))
    return _is_uniform(s, d, n_taps) == (n_taps % s == 0)


def _is_uniform(s: int, d: int, n_taps: int) -> bool:
    """Whether the triples per output are equal over s or more outputs far from the ends."""
    conv = AxisRelation(n_taps, s, d)
    n = conv.extent // s + 3
    triples = Incidence(Geometry.of([conv], [conv.input_size(n)]))
    counts = triples.pattern.T.row_counts()
    return len(set(counts[conv.extent - 1 : s * (n - 1) + 1].tolist())) == 1


@all_sizes(
    "overlap.uniform-by-exchange",
    words="If s divides K and u·s + v·d = 1 (so gcd(s, d) = 1), the products that meet in y and "
    "those that meet in y + 1 correspond one to one, on an endless axis: from tap k go v taps on, "
    "round the s taps of its block, and back again. So every output inside collects equally many.",
    latex=r"k=s\,b+\varphi \mapsto k'=s\,b+(\varphi+v)\bmod s,\quad i'=i+u+d\,"
    r"\left\lfloor\frac{\varphi+v}{s}\right\rfloor:\quad s\,i'+d\,k'=s\,i+d\,k+1",
    source=f"{ODENA}, for every dilation; symconv",
    near_miss="the same where s does not divide K",
    concludes="counts",
)
def uniform_by_exchange(t: Trace) -> None:
    s, d, n_taps, u, v, lo, i, k = t.integers("s d K u v lo i k")
    t.assume(s >= 1, d >= 1, n_taps >= 1, u * s + v * d == 1, between(0, k, n_taps))
    t.given(n_taps % s == 0)
    conv = AxisRelation(n_taps, s, d, lo)
    block, phase = divmod(k, s)
    turns, there = divmod(phase + v, s)
    tap, source = s * block + there, i + u + d * turns
    t.show(conv.position(source, tap) == conv.position(i, k) + 1)
    t.hint(n_taps // s - block - 1, n_taps // s - block)
    t.show(between(0, tap, n_taps))
    # Back: v taps the other way, round the same block.
    t.show(there - v == phase - s * turns)
    t.show(source - u - d * turns == i)


@all_sizes(
    "overlap.whole-counts",
    words="Output y of a transposed convolution loses no product to the ends of the input exactly "
    "from y + lo = E − s to s·n − 1: there all the inputs that its taps want are stored. Of the "
    "outputs just outside, y + lo = E − s − 1 wants input −1 and y + lo = s·n wants input n.",
    latex=r"E-s\le y+p_{lo}<s\,n,\ s\,i+d\,k-p_{lo}=y,\ 0\le k<K \Rightarrow 0\le i<n;\quad "
    r"s(-1)+d(K-1)=E-s-1",
    source="symconv",
    near_miss="from y + lo = E − s − 1 on",
    concludes="counts",
)
def whole_counts(t: Trace) -> None:
    conv, n = axis(t)
    i, k, y = t.integers("i k y")
    t.assume(between(0, k, conv.n_taps), conv.position(i, k) == y)
    first, after = conv.extent - conv.stride, conv.stride * n
    far = conv.dilation * (conv.n_taps - 1 - k)
    t.show(far >= 0, conv.dilation * k >= 0)
    t.hint(i + 1, n - i)
    t.show(implies(between(first, y + conv.pad_lo, after), between(0, i, n)))
    t.show(conv.position(-1, conv.n_taps - 1) + conv.pad_lo == first - 1)
    t.show(conv.position(n, 0) + conv.pad_lo == after)
    t.instead(implies(between(first - 1, y + conv.pad_lo, after), between(0, i, n)))


@all_sizes(
    "overlap.neighbours",
    words="Inputs i ≤ i′ meet in an output exactly when d divides s(i′−i) and the quotient t is "
    "below K; they share the outputs of i′ through taps k′ < K − t, reached from i by k′ + t.",
    latex=r"s\,i+d\,k = s\,i'+d\,k' \iff d \mid s(i'-i),\ k = k'+t,\quad "
    r"t = \frac{s(i'-i)}{d},\ 0 \le k' < K-t",
    source="source notes, N21, in general",
    near_miss="only direct neighbours meet, i′ − i ≤ 1 (true for K ≤ 2 at stride 1)",
    concludes="triples",
)
def neighbours(t: Trace) -> None:
    conv, n = axis(t)
    i, i2, k, k2 = t.integers("i i2 k k2")
    t.assume(between(0, i, n), between(i, i2, n), between(0, k2, conv.n_taps))
    shift, rest = divmod(conv.stride * (i2 - i), conv.dilation)
    meet = all_of(between(0, k, conv.n_taps), conv.position(i, k) == conv.position(i2, k2))
    t.hint(k - k2 - shift - 1)
    t.show(iff(meet, all_of(rest == 0, k == k2 + shift, k2 < conv.n_taps - shift)))
    t.instead(implies(meet, i2 - i <= 1))


@all_sizes(
    "overlap.each-output-once",
    words="For K = s and d = 1 no outputs overlap: each output y is written exactly once, from "
    "input ⌊(y+lo)/s⌋ through tap (y+lo) mod s (lo ≥ 0 and op ≤ hi, nothing appended).",
    latex=r"K = s,\ d = 1:\quad (i,k,y)\in T \iff i = \lfloor (y+p_{lo})/s \rfloor,\ "
    r"k = (y+p_{lo}) \bmod s",
    source=f"symconv; {ODENA}",
    near_miss="the same for K ≠ s",
    concludes="triples",
)
def each_output_once(t: Trace) -> None:
    conv, n = axis(t)
    op, i, k, y = t.integers("op i k y")
    conv = replace(conv, dilation=1)
    t.assume(n >= 1, op >= 0, op <= conv.pad_hi, conv.pad_lo >= 0)
    t.assume(between(0, y, conv.input_size(n, op)))
    t.given(conv.n_taps == conv.stride)
    source, tap = divmod(y + conv.pad_lo, conv.stride)
    t.hint(i - source - 1, source - i - 1)
    t.show(iff(scattered(conv, n, op, i, k, y), all_of(i == source, k == tap)))


@all_sizes(
    "overlap.every-row-written",
    words="Without padding every row of the output is written: for d = 1 exactly when K ≥ s or "
    "n = 1 (else row K stays empty); for s = 1 when n ≥ d or K = 1 (else row n); for s, d ≥ 2 "
    "only when n = K = 1 (else row 1).",
    latex=r"\forall y\ \exists i,k:\ (i,k,y)\in T \iff \begin{cases} K \ge s \text{ or } n=1 & d=1 "
    r"\\ n \ge d \text{ or } K=1 & s=1 \\ n=K=1 & s,d \ge 2 \end{cases}",
    source="symconv",
    near_miss="for d = 1 some row stays empty as soon as K < s",
    concludes="triples",
)
def every_row_written(t: Trace) -> None:
    s, d, n_taps, n = t.integers("s d K n")
    i, k, y = t.integers("i k y")
    t.assume(s >= 1, d >= 1, n_taps >= 1, n >= 1)
    conv = AxisRelation(n_taps, s, d)
    size = conv.input_size(n)
    gap: object = 1
    if d == 1:
        full, gap = any_of(n_taps >= s, n == 1), n_taps
    elif s == 1:
        full, gap = any_of(n >= d, n_taps == 1), n
    else:
        full = all_of(n == 1, n_taps == 1)
    if full:
        # The product that reaches row y.
        source: object = 0
        tap: object = 0
        if d == 1:
            source = min(y // s, n - 1)
            tap = y - s * source
        elif s == 1:
            tap = min(y // d, n_taps - 1)
            source = y - d * tap
        t.show(implies(between(0, y, size), scattered(conv, n, 0, source, tap, y)))
    else:
        t.show(between(0, gap, size))
        t.hint(i - 1, k - 1)
        t.show(~scattered(conv, n, 0, i, k, gap))
    t.instead(implies(all_of(d == 1, s > n_taps), between(0, gap, size)))
