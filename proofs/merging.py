"""When two layers can be one, with which kernel and bias, and when they can change places."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import sympy

import symconv as sc
from symconv.boundary import MODES
from symconv.proving import Trace, all_of, all_sizes, all_values, between, iff, implies, reads
from symconv.receptive import composed
from symconv.relation import AxisRelation
from symconv.verdict import Verdict

#: A kernel as (out, in, tap), or a list of such.
Weights = Any


def weights(letter: str, *shape: int) -> Weights:
    """A kernel of plain symbols, nested as lists."""
    names = [
        sympy.Symbol("_".join((letter, *map(str, place)))) for place in product(*map(range, shape))
    ]
    for size in shape[:0:-1]:
        names = [names[at : at + size] for at in range(0, len(names), size)]
    return names


def composed_kernel(first: AxisRelation, second: AxisRelation, w: Weights, u: Weights) -> Weights:
    """The kernel of both layers in one: W[c, a, s·d′·k′ + d·k] = Σ_b u[c, b, k′]·w[b, a, k]."""
    size = composed([first, second]).n_taps
    kernel = [[[sympy.S.Zero] * size for _ in w[0]] for _ in u]
    for c, b, a in product(range(len(u)), range(len(w)), range(len(w[0]))):
        for k2, k1 in product(range(second.n_taps), range(first.n_taps)):
            tap = first.stride * second.dilation * k2 + first.dilation * k1
            kernel[c][a][tap] += u[c][b][k2] * w[b][a][k1]
    return kernel


def keeping(n_taps: int, dilation: int) -> AxisRelation:
    """A relation of stride 1 that keeps the size, the odd unit of padding at the start."""
    reach = dilation * (n_taps - 1)
    return AxisRelation(n_taps, 1, dilation, reach - reach // 2, reach // 2)


def layer_of(relation: AxisRelation, out: int, into: int, mode: str = "zeros") -> sc.Conv:
    """The layer without bias whose one axis has this relation."""
    return sc.Conv(
        into,
        out,
        (relation.n_taps,),
        stride=relation.stride,
        dilation=relation.dilation,
        padding=((relation.pad_lo, relation.pad_hi),),
        bias=False,
        padding_mode=mode,
    )


def product_and_whole(
    first: AxisRelation, second: AxisRelation, n: int, mode: str = "zeros"
) -> Verdict | None:
    """Two layers, 1 → 2 → 1 channels, against one with the composed relation and kernel."""
    w, u = weights("w", 2, 1, first.n_taps), weights("u", 1, 2, second.n_taps)
    middle = first.output_size(n)
    whole = composed([first, second])
    if middle < 1 or whole.output_size(n) < 1:
        return None
    a = layer_of(first, 2, 1, mode).operator((n,)).exact(w)
    b = layer_of(second, 1, 2, mode).operator((middle,)).exact(u)
    one = layer_of(whole, 1, 1, mode).operator((n,))
    return sc.same_operator(b * a, one.exact(composed_kernel(first, second, w, u)))


@all_sizes(
    "merging.pointwise-first",
    words="A layer with one tap that does not crop, and any layer after it, are one layer with "
    "the taps of the second: stride s1·s2, dilation s1·d2 and padding s1·p2 + p1, whatever "
    "padding the second has. For p1 = q1 = 0 this is the noble identity of decimation.",
    latex=r"K_1=1,\;p_1,q_1\ge 0\Rightarrow S(o,k,0,i)\iff (o,k,i)\in "
    r"C_{K_2,\,s_1s_2,\,s_1d_2}(s_1p_2+p_1,\;s_1q_2+q_1)",
    source="P. P. Vaidyanathan, Multirate Systems and Filter Banks (1993), section 4.2 (noble "
    "identities), with padding and strides",
    near_miss="a first layer that crops",
    concludes="triples",
)
def pointwise_first(t: Trace) -> None:
    s1, s2, d2, n_taps, n, lo1, hi1, lo2, hi2 = t.integers("s1 s2 d2 K2 n lo1 hi1 lo2 hi2")
    o, k, i = t.integers("o k i")
    t.assume(s1 >= 1, s2 >= 1, d2 >= 1, n_taps >= 1, n >= 0)
    first = AxisRelation(1, s1, 1, lo1, hi1)
    second = AxisRelation(n_taps, s2, d2, lo2, hi2)
    middle = first.output_size(n)
    one = AxisRelation(n_taps, s1 * s2, s1 * d2, s1 * lo2 + lo1, s1 * hi2 + hi1)
    t.show(second.output_size(middle) == one.output_size(n))
    t.given(lo1 >= 0, hi1 >= 0)
    m = second.position(o, k)
    two = all_of(reads(second, o, k, m, n_in=middle), reads(first, m, 0, i, n_in=n, n_out=middle))
    t.show(iff(two, reads(one, o, k, i, n_in=n)))


@all_sizes(
    "merging.unpadded-commute",
    words="Two layers of stride 1 without padding can change places, whatever their taps and "
    "dilations: as many outputs, and the same paths (o, k2, k1, i) from output to input.",
    latex=r"o+d_2k_2<n',\;o+d_2k_2+d_1k_1=i \iff o+d_1k_1<n'',\;o+d_1k_1+d_2k_2=i",
    source="A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal Processing (3rd ed., 2009), "
    "section 2.4, for finite signals",
    near_miss="layers with strides",
    concludes="triples",
)
def unpadded_commute(t: Trace) -> None:
    s1, d1, taps1, s2, d2, taps2, n = t.integers("s1 d1 K1 s2 d2 K2 n")
    o, k2, k1, i = t.integers("o k2 k1 i")
    t.assume(s1 >= 1, s2 >= 1, d1 >= 1, d2 >= 1, taps1 >= 1, taps2 >= 1, n >= 1)
    t.given(s1 == 1, s2 == 1)
    first, second = AxisRelation(taps1, s1, d1), AxisRelation(taps2, s2, d2)

    def path(one: AxisRelation, other: AxisRelation, ka: Any, kb: Any) -> Any:
        """Through `one`, next to the input, and `other` after it."""
        m, middle = other.position(o, kb), one.output_size(n)
        return all_of(
            reads(other, o, kb, m, n_in=middle), reads(one, m, ka, i, n_in=n, n_out=middle)
        )

    one_size = second.output_size(first.output_size(n))
    t.show(one_size == first.output_size(second.output_size(n)))
    t.show(iff(path(first, second, k1, k2), path(second, first, k2, k1)))


@all_sizes(
    "merging.up-down-commute",
    words="Inserting b − 1 zeros between the samples and keeping every s-th of the result is the "
    "same in either order if b and s have no common factor (b = g·c, s = g·e, u·c + v·e = 1; "
    "g = 1). The path between output o and sample i runs through sample u·o + v·i.",
    latex=r"\gcd(b,s)=1\Rightarrow(\downarrow s)(\uparrow b)=(\uparrow b)(\downarrow s):\quad "
    r"s\,o=b\,i\iff o=b\,w,\;i=s\,w,\;w=uo+vi",
    source="P. P. Vaidyanathan, Multirate Systems and Filter Banks (1993), section 4.2",
    near_miss="b and s have the common factor g",
    concludes="triples",
)
def up_down_commute(t: Trace) -> None:
    g, c, e, u, v, n, o, i = t.integers("g c e u v n o i")
    t.assume(g >= 1, c >= 1, e >= 1, between(0, i, n), u * c + v * e == 1)
    t.given(g == 1)
    t.show(g * c >= 1, g * e >= 1)
    up, down = AxisRelation(1, input_dilation=g * c), AxisRelation(1, g * e)
    spread, kept = up.output_size(n), down.output_size(n)
    w = (u * o + v * i) // g
    meet = down.position(o, 0) == up.input_dilation * i
    t.show(implies(meet, all_of(o == up.input_dilation * w, i == down.position(w, 0))))
    t.show(implies(meet, between(0, w, kept)))
    here = all_of(
        between(0, o, down.output_size(spread)),
        reads(up, down.position(o, 0), 0, i, n_in=n, n_out=spread),
    )
    there = all_of(reads(up, o, 0, w, n_in=kept), reads(down, w, 0, i, n_in=n))
    t.show(iff(here, there))


@all_sizes(
    "merging.circular",
    words="Two circular layers are always one, however wide their padding, if the n′ samples "
    "between them go round the n inputs a whole number c of times: s1·n′ = c·n (with n′ = n/s1: "
    "once).",
    latex=r"s_1n'=c\,n\Rightarrow \bigl(s_1\,(m\bmod n')+d_1k_1-p_1\bigr)\bmod n="
    r"(s_1m+d_1k_1-p_1)\bmod n,\quad m=s_2o+d_2k_2-p_2",
    source="symconv; for stride 1, P. J. Davis, Circulant Matrices (1979), section 3.1 (products "
    "of circulants are circulants)",
    near_miss="any number of samples between them",
    concludes="triples",
)
def circular(t: Trace) -> None:
    s1, d1, s2, d2, n, middle, c, p1, p2 = t.integers("s1 d1 s2 d2 n m c p1 p2")
    o, k2, k1 = t.integers("o k2 k1")
    t.assume(n >= 1, middle >= 1, s1 >= 1, d1 >= 1, s2 >= 1, d2 >= 1, o >= 0, k2 >= 0, k1 >= 0)
    t.given(s1 * middle == c * n)
    first, second = AxisRelation(1, s1, d1, p1), AxisRelation(1, s2, d2, p2)
    read: Callable[..., Any] = MODES["circular"]
    jump, padding = first.then(second)
    between_them = second.position(o, k2)
    inner = first.position(read(between_them, middle), k1)
    place = jump * o + s1 * d2 * k2 + d1 * k1 - padding
    # What is left over differs by a multiple of n, which is 0 between two residues.
    turns = place // n - inner // n - c * (between_them // middle)
    t.hint(turns, turns - 1, -turns - 1)
    t.show(read(inner, n) == read(place, n))


@all_values(
    "merging.kernels-convolve",
    box={"K1": (1, 2, 3), "s1": (1, 2), "d1": (1, 2), "K2": (2, 3), "s2": (1, 2), "d2": (1, 2)},
    words="Two layers, 1 → 2 → 1 channels, without padding in the second are one layer whose "
    "kernel is the sum over the channels between of the convolutions of their kernels, the "
    "second spread by s1: W[s1·d2·k2 + d1·k1] gathers u[k2]·w[k1]. (7 samples, padding (1, 0).)",
    latex=r"W[c,a,r]=\sum_b\;\sum_{s_1d_2k_2+d_1k_1=r}u[c,b,k_2]\,w[b,a,k_1]",
    source="symconv; for stride 1, A. V. Oppenheim, R. W. Schafer, Discrete-Time Signal "
    "Processing (3rd ed., 2009), section 2.4",
    near_miss="the same with padding in the second layer",
    concludes="triples",
)
def kernels_convolve(K1: int, s1: int, d1: int, K2: int, s2: int, d2: int) -> Verdict | None:  # noqa: N803
    return product_and_whole(AxisRelation(K1, s1, d1, 1), AxisRelation(K2, s2, d2), 7)


@kernels_convolve.near_miss_claim()
def _padded_second(K1: int, s1: int, d1: int, K2: int, s2: int, d2: int) -> Verdict | None:  # noqa: N803
    return product_and_whole(AxisRelation(K1, s1, d1, 1), AxisRelation(K2, s2, d2, 1, 1), 7)


@all_values(
    "merging.circular-kernels",
    box={"K1": (2, 3), "d1": (1, 2), "K2": (2, 3), "d2": (1, 2), "n": (1, 2, 4)},
    words="Two circular layers of stride 1 that keep n samples are the circular layer with the "
    "convolution of their kernels, even where that is longer than the axis.",
    latex=r"A_{\circ}(u)\,A_{\circ}(w)=A_{\circ}(u*w)",
    source="P. J. Davis, Circulant Matrices (1979), section 3.1, with kernels that wrap round",
    near_miss="the same with zero padding",
    concludes="triples",
    corollary_of="merging.circular",
)
def circular_kernels(K1: int, d1: int, K2: int, d2: int, n: int) -> Verdict | None:  # noqa: N803
    first, second = keeping(K1, d1), keeping(K2, d2)
    return product_and_whole(first, second, n, "circular")


@circular_kernels.near_miss_claim()
def _zero_padding(K1: int, d1: int, K2: int, d2: int, n: int) -> Verdict | None:  # noqa: N803
    return product_and_whole(keeping(K1, d1), keeping(K2, d2), n)


def in_both_orders(K1: int, d1: int, K2: int, d2: int, n: int, mode: str) -> Verdict:  # noqa: N803
    """Two layers of one channel that keep the size, in either order."""
    w, u = weights("w", 1, 1, K1), weights("u", 1, 1, K2)
    a = layer_of(keeping(K1, d1), 1, 1, mode).operator((n,)).exact(w)
    b = layer_of(keeping(K2, d2), 1, 1, mode).operator((n,)).exact(u)
    return sc.same_operator(a * b, b * a)


@all_values(
    "merging.circular-commute",
    box={"K1": (2, 3), "d1": (1, 2), "K2": (2, 3), "d2": (1, 2), "n": (1, 2, 3, 4)},
    words="Two circular layers of stride 1 and one channel that keep n samples can change places.",
    latex=r"A_{\circ}(u)\,A_{\circ}(w)=A_{\circ}(w)\,A_{\circ}(u)",
    source="P. J. Davis, Circulant Matrices (1979), section 3.1",
    near_miss="the same with zero padding",
    concludes="triples",
)
def circular_commute(K1: int, d1: int, K2: int, d2: int, n: int) -> Verdict:  # noqa: N803
    return in_both_orders(K1, d1, K2, d2, n, "circular")


@circular_commute.near_miss_claim()
def _zeros_do_not_commute(K1: int, d1: int, K2: int, d2: int, n: int) -> Verdict:  # noqa: N803
    return in_both_orders(K1, d1, K2, d2, n, "zeros")


def mixed(p: int, stride: int, groups: int) -> Verdict:
    """A 2×2 layer on 3×3 samples, and a 1×1 layer with padding p that mixes its 4 channels."""
    w, u = weights("w", 4, 2 // groups, 2, 2), weights("u", 2, 4, 1, 1)
    described: dict[str, Any] = {"stride": stride, "padding": (1, 0), "dilation": (1, 2)}
    first = sc.Conv(2, 4, (2, 2), **described, groups=groups, bias=False).operator((3, 3))
    second = sc.Conv(4, 2, (1, 1), padding=p, bias=False).operator(first.output_shape[1:])
    spread = 2 // groups
    kernel = [
        [
            [
                [
                    sum(
                        u[c][b][0][0] * w[b][a % spread][x][y]
                        for b in range(4)
                        # Channel b reads the inputs of its own group only.
                        if groups == 1 or b // 2 == a
                    )
                    for y in range(2)
                ]
                for x in range(2)
            ]
            for a in range(2)
        ]
        for c in range(2)
    ]
    described["padding"] = (1 + stride * p, stride * p)
    one = sc.Conv(2, 2, (2, 2), **described, bias=False).operator((3, 3))
    return sc.same_operator(second.exact(u) * first.exact(w), one.exact(kernel))


@all_values(
    "merging.pointwise-second",
    box={"stride": (1, 2), "groups": (1, 2)},
    words="A 1×1 layer without padding after any layer, grouped or strided, is that layer with "
    "the channels of its kernel mixed: W[c, a, k] = Σ_b u[c, b]·w[b, a, k].",
    latex=r"W[c,a,k]=\sum_b u[c,b]\,w[b,a,k]",
    source="M. Lin, Q. Chen, S. Yan, Network In Network (2014), section 3.1 (1×1 layers as linear "
    "maps of the channels)",
    near_miss="a 1×1 layer with padding 1, merged into the padding",
    concludes="triples",
)
def pointwise_second(stride: int, groups: int) -> Verdict:
    return mixed(0, stride, groups)


@pointwise_second.near_miss_claim()
def _padded_pointwise(stride: int, groups: int) -> Verdict:
    return mixed(1, stride, groups)


def constant_offset(mode: str, p: int, K: int) -> bool:  # noqa: N803
    """Whether the bias of a 1×1 layer, carried through a padded layer, is one per channel."""
    w, u = weights("w", 2, 1, 1), weights("u", 1, 2, K)
    b1, b2 = sympy.symbols("b0 b1"), sympy.symbols("c0,")
    first = sc.Conv1d(1, 2, 1).operator((4,))
    second = sc.Conv1d(2, 1, K, padding=((p, p),), padding_mode=mode).operator((4,))
    carried = second.apply(first.offset(w, b1), u, b2)
    merged = b2[0] + sum(u[0][b][k] * b1[b] for b in range(2) for k in range(K))
    return all(sympy.expand(value - merged) == 0 for value in carried[0])


@all_values(
    "merging.biases",
    box={"mode": ("zeros", "circular", "reflect", "symmetric", "replicate"),
         "p": (0, 1, 2), "K": (1, 2, 3)},
    words="The bias b of a 1×1 layer passes through the layer after it as one number per channel, "
    "b2 + Σ u[c, b, k]·b1[b], where that layer has no padding or padding that repeats samples.",
    latex=r"b[c]=b_2[c]+\sum_{b,k}u[c,b,k]\,b_1[b]",
    source="symconv",
    near_miss="zero padding in the second layer",
    concludes="values",
)  # fmt: skip
def biases(mode: str, p: int, K: int) -> bool | None:  # noqa: N803
    return constant_offset(mode, p, K) if p == 0 or mode != "zeros" else None


@biases.near_miss_claim()
def _zero_padded_bias(mode: str, p: int, K: int) -> bool:  # noqa: N803
    return constant_offset(mode, p, K)
