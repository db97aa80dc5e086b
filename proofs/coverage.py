"""Coverage, or gridding: which inputs inside a receptive field a stack of layers reads.

A stack without transposed layers reads, from the start of its field on, the offsets Σ D·k with
0 ≤ k < K over its layers, where D is the jump before the layer times its dilation: its effective
dilation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import product

from symconv.proving import Trace, all_sizes, any_of, between, exhaustive, iff
from symconv.reach import covers, hybrid_dilated_rule, missing_offsets
from symconv.relation import AxisRelation

WANG = "P. Wang et al., Understanding Convolution for Semantic Segmentation (2018), equation 2"


@all_sizes(
    "coverage.step",
    words="If layers read every offset from 0 to R − 1, one more with effective dilation D ≤ R and "
    "K taps lets them read every offset from 0 to R + D(K − 1) − 1: offset x through tap "
    "min(⌊x/D⌋, K − 1).",
    latex=r"D\le R,\;0\le x<R+D(K-1),\;k=\min(\lfloor x/D\rfloor,K-1)\Rightarrow 0\le x-Dk<R",
    source="symconv",
    near_miss="an effective dilation above R",
    concludes="fields",
)
def step(t: Trace) -> None:
    size, gap, n_taps, x = t.integers("R D K x")
    t.assume(size >= 1, gap >= 1, n_taps >= 1, between(0, x, size + gap * (n_taps - 1)))
    t.given(gap <= size)
    k = min(x // gap, n_taps - 1)
    t.show(between(0, k, n_taps), between(0, x - gap * k, size))


@all_sizes(
    "coverage.first-gap",
    words="If layers read offsets from 0 to R − 1 only and every further one has an effective "
    "dilation of D or more, where D > R and one has two taps or more, then offset R lies in the "
    "field and is never read: what the further layers add is 0 or at least D. So, with "
    "coverage.step, a stack covers its field iff, in order of their effective dilations, each is "
    "at most 1 + Σ D(K − 1) over those before.",
    latex=r"D>R,\;0\le x<R,\;(z=0\text{ or }z\ge D)\Rightarrow x+z\ne R,\quad R\le R-1+D(K-1)",
    source="symconv",
    near_miss="D = R as well",
    concludes="fields",
)
def first_gap(t: Trace) -> None:
    size, gap, n_taps, x, z = t.integers("R D K x z")
    t.assume(size >= 1, gap >= 1, n_taps >= 2, between(0, x, size), any_of(z == 0, z >= gap))
    t.assume(gap >= size)
    t.show(size <= size - 1 + gap * (n_taps - 1))
    t.given(gap > size)
    t.show(x + z != size)


@all_sizes(
    "coverage.common-factor",
    words="If g divides every effective dilation, only multiples of g are read, counted from the "
    "start of the field: true of no layers, and after one more if before it.",
    latex=r"g\mid a,\;g\mid D\Rightarrow g\mid a+Dk",
    source="P. Wang et al., Understanding Convolution for Semantic Segmentation (2018), section "
    "3.2 (the gridding problem)",
    near_miss="g divides the other dilations, but not this one",
    concludes="fields",
)
def common_factor(t: Trace) -> None:
    g, a, gap, k = t.integers("g a D k")
    t.assume(g >= 1, gap >= 1, k >= 0)
    t.assume(a % g == 0)
    t.given(gap % g == 0)
    rest = (a + gap * k) // g - a // g - (gap // g) * k
    t.hint(rest, rest - 1, -rest - 1)
    t.show((a + gap * k) % g == 0)


@all_sizes(
    "coverage.classes",
    words="Where g ≥ 2 divides every effective dilation, an output reads inputs of "
    "one class modulo g only, and outputs o and o + 1 the same class iff g divides the jump J.",
    latex=r"g\mid x-(Jo-P),\;g\mid y-(J(o+1)-P)\Rightarrow\bigl(g\mid y-x\iff g\mid J\bigr)",
    source="symconv; P. Wang et al. (2018), section 3.2, say it of equal dilations",
    near_miss="neighbouring outputs never share a class",
    concludes="fields",
)
def classes(t: Trace) -> None:
    g, jump, padding, o, a, b = t.integers("g J P o a b")
    t.assume(g >= 2, jump >= 1)
    # The inputs that the two outputs read lie multiples a·g and b·g after their fields' starts.
    x, y = jump * o - padding + g * a, jump * (o + 1) - padding + g * b
    rest = (y - x) // g - jump // g - (b - a)
    t.hint(rest, rest - 1, -rest - 1)
    t.show(iff((y - x) % g == 0, jump % g == 0))
    t.instead((y - x) % g != 0)


#: Layers as (taps, stride, dilation).
LAYERS = tuple(product((1, 2, 3), (1, 2), (1, 2, 3)))


def stack_of(layers: Sequence[tuple[int, int, int]]) -> list[AxisRelation]:
    """Layers without padding."""
    return [AxisRelation(n_taps, stride, dilation) for n_taps, stride, dilation in layers]


@cache
def offsets(layers: tuple[tuple[int, int, int], ...]) -> frozenset[int]:
    """What output 0 reads, layer by layer and tap by tap."""
    found = {0}
    for n_taps, stride, dilation in reversed(layers):
        found = {stride * o + dilation * k for o in found for k in range(n_taps)}
    return frozenset(found)


def has_no_gap(layers: tuple[tuple[int, int, int], ...]) -> bool:
    """Whether every offset between the first and the last is read."""
    return len(offsets(layers)) == max(offsets(layers)) + 1


def in_given_order(layers: Sequence[tuple[int, int, int]]) -> bool:
    """The same criterion with the layers taken as they come."""
    reach = jump = 1
    for n_taps, stride, dilation in layers:
        if n_taps > 1 and jump * dilation > reach:
            return False
        reach += jump * dilation * (n_taps - 1)
        jump *= stride
    return True


@exhaustive(
    "coverage.criterion",
    box={"a": LAYERS, "b": LAYERS[1::2], "c": LAYERS[::5]},
    words="`covers` answers for three layers, given as (taps, stride, dilation), exactly whether "
    "every offset of the field is read, and `missing_offsets` lists those that are not.",
    latex=r"\Bigl\{\sum D_jk_j\Bigr\}=\{0,\ldots,R-1\}\iff "
    r"D_{(j)}\le 1+\sum_{i<j}D_{(i)}(K_{(i)}-1)",
    source="symconv",
    near_miss="the same criterion with the layers in the order of the stack",
    concludes="fields",
)
def criterion(a: tuple[int, int, int], b: tuple[int, int, int], c: tuple[int, int, int]) -> bool:
    layers = a, b, c
    missed = tuple(x for x in range(max(offsets(layers))) if x not in offsets(layers))
    verdict = covers(stack_of(layers))
    first = None if verdict else verdict.counterexample["offset"]
    exact = bool(verdict) == has_no_gap(layers) and missing_offsets(stack_of(layers)) == missed
    return exact and first == (missed[0] if missed else None)


@criterion.near_miss_claim()
def _in_the_given_order(
    a: tuple[int, int, int], b: tuple[int, int, int], c: tuple[int, int, int]
) -> bool:
    return in_given_order((a, b, c)) == has_no_gap((a, b, c))


def dilated(n_taps: int, rates: Sequence[int]) -> tuple[tuple[int, int, int], ...]:
    """Layers of stride 1 and equal taps."""
    return tuple((n_taps, 1, rate) for rate in rates)


@exhaustive(
    "coverage.two-dilations",
    box={"K1": range(2, 6), "K2": range(2, 6), "d1": range(1, 9), "d2": range(1, 9)},
    words="Two layers of stride 1 with two taps or more cover their field iff one has dilation 1 "
    "and the other at most its taps.",
    latex=r"(d_1=1,\;d_2\le K_1)\text{ or }(d_2=1,\;d_1\le K_2)",
    source="symconv",
    near_miss="dilations without a common factor, of at most the taps, are enough",
    concludes="fields",
    corollary_of="coverage.criterion",
)
def two_dilations(K1: int, K2: int, d1: int, d2: int) -> bool:  # noqa: N803
    said = (d1 == 1 and d2 <= K1) or (d2 == 1 and d1 <= K2)
    return has_no_gap(((K1, 1, d1), (K2, 1, d2))) == said


@two_dilations.near_miss_claim()
def _coprime(K1: int, K2: int, d1: int, d2: int) -> bool | None:  # noqa: N803
    if d1 > K2 or d2 > K1 or math.gcd(d1, d2) > 1:
        return None
    return has_no_gap(((K1, 1, d1), (K2, 1, d2)))


DILATIONS = {
    "K": range(2, 6),
    "rates": [*product(range(1, 9), repeat=2), *product((1, 2, 8), repeat=3)],
}


@exhaustive(
    "coverage.hybrid-rule-suffices",
    box=DILATIONS,
    words="Layers of stride 1 with K taps whose dilations have no common factor and satisfy the "
    "published rule M_2 ≤ K read every input of their field (`rates`, first layer first).",
    latex=r"\gcd(r_i)=1,\;M_2\le K\Rightarrow\text{no gaps},\quad "
    r"M_i=\max(M_{i+1}-2r_i,\,2r_i-M_{i+1},\,r_i)",
    source=WANG + " with section 3.2",
    concludes="fields",
    expected="REFUTED",
    remark="For two layers the rule asks only that the second dilation is at most K, whatever the "
    "first. Exact is: sorted, each effective dilation is at most 1 + Σ D(K − 1) over those before "
    "(coverage.step, coverage.first-gap).",
)
def hybrid_rule_suffices(K: int, rates: tuple[int, ...]) -> bool | None:  # noqa: N803
    asked = math.gcd(*rates) == 1 and hybrid_dilated_rule(K, rates)
    return has_no_gap(dilated(K, rates)) if asked else None


@exhaustive(
    "coverage.hybrid-rule-needed",
    box=DILATIONS,
    words="Layers of stride 1 with K taps that read every input of their field satisfy the "
    "published rule M_2 ≤ K (`rates`, first layer first).",
    latex=r"\text{no gaps}\Rightarrow M_2\le K",
    source=WANG,
    concludes="fields",
    expected="REFUTED",
    remark="K = 5 with (1, 1, 8) covers 41 inputs although M_2 = 6. Exact is the criterion of "
    "coverage.step and coverage.first-gap.",
)
def hybrid_rule_needed(K: int, rates: tuple[int, ...]) -> bool | None:  # noqa: N803
    return hybrid_dilated_rule(K, rates) if has_no_gap(dilated(K, rates)) else None
