"""Receptive fields: composed layer after layer, what lies in them, which outputs see them whole.

Which inputs inside a field are read is in `coverage`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import sympy

from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    axis,
    between,
    exhaustive,
    identity,
    iff,
    implies,
)
from symconv.proving.terms import Formula
from symconv.reach import interior, reads
from symconv.receptive import AxisField, composed, field_of
from symconv.relation import AxisRelation

ARAUJO = (
    "A. Araujo, W. Norris, J. Sim, Computing Receptive Fields of Convolutional Neural Networks "
    "(2019), Distill"
)


def equal(one: AxisField, other: AxisField) -> Formula:
    """Same size, jump and padding."""
    return all_of(one.size == other.size, one.jump == other.jump, one.padding == other.padding)


def unknown_field(t: Trace) -> AxisField:
    """The field of any layers so far: size R and jump J at least 1, padding P."""
    size, jump, padding = t.integers("R J P")
    t.assume(size >= 1, jump >= 1)
    return AxisField(size, jump, padding)


@all_sizes(
    "fields.associative",
    words="Composing receptive fields, (R, J, P) followed by (R′, J′, P′) = (R + J(R′ − 1), JJ′, "
    "P + JP′), is associative, with (1, 1, 0) neutral: the field of a stack can be composed from "
    "either end.",
    latex=r"(f\circ g)\circ h=f\circ(g\circ h),\quad "
    r"(R,J,P)\circ(R',J',P')=(R+J(R'-1),\,JJ',\,P+JP')",
    source=ARAUJO + ", recurrences for size, stride and padding",
    near_miss="the order of two layers does not matter",
    concludes="fields",
)
def associative(t: Trace) -> None:
    names = t.integers("R1 J1 P1 R2 J2 P2 R3 J3 P3")
    one, two, three = (AxisField(*names[at : at + 3]) for at in (0, 3, 6))
    t.assume(*(name >= 1 for field in (one, two, three) for name in (field.size, field.jump)))
    t.show(equal(one.then(two).then(three), one.then(two.then(three))))
    t.show(equal(AxisField.identity().then(one), one), equal(one.then(AxisField.identity()), one))
    t.instead(equal(one.then(two), two.then(one)))


@all_sizes(
    "fields.hull",
    words="If each position m after some layers sees inputs from J·m − P to J·m − P + R − 1 only, "
    "first and last included, then output o of one more layer sees such inputs within its own "
    "composed field only, and the first and the last of that through its first and last tap. By "
    "induction the field of any stack is the hull of what it reads, of size 1 + Σ J·d·(K − 1).",
    latex=r"Jm-P\le x\le Jm-P+R-1,\;m=so+dk-p\Rightarrow J'o-P'\le x\le J'o-P'+R'-1,\quad "
    r"R'=R+Jd(K-1),\;J'=Js,\;P'=P+Jp",
    source=ARAUJO + ", sections on the size and region of the field",
    near_miss="the sizes add without the jump: R + E − 1",
    concludes="fields",
)
def hull(t: Trace) -> None:
    layer, _ = axis(t)
    before = unknown_field(t)
    o, k, x = t.integers("o k x")
    t.assume(between(0, k, layer.n_taps), between(0, x, before.size))
    after = before.then(AxisField.of(layer)).at(o)
    t.show(layer.dilation * k >= 0, layer.dilation * (layer.n_taps - 1 - k) >= 0)
    t.show(before.at(layer.position(o, 0)).start == after.start)
    t.show(before.at(layer.position(o, layer.n_taps - 1)).end == after.end)
    seen = before.at(layer.position(o, k)).start + x
    t.show(after.start <= seen, seen <= after.end)
    t.instead(seen <= after.start + before.size + layer.extent - 2)


@all_sizes(
    "fields.jump",
    words="Strides multiply: neighbouring outputs of two layers see fields s1·s2 apart, whatever "
    "the dilations. And a stride multiplies the dilation of every later layer: its neighbouring "
    "taps see fields s1·d2 apart.",
    latex=r"J=s_1s_2,\qquad (s_1m'-p_1)-(s_1m-p_1)=s_1d_2\;\text{ for neighbouring taps}",
    source=ARAUJO + ", recurrence for the effective stride; for dilation, symconv",
    near_miss="the taps of the second layer see fields d2 apart",
    concludes="fields",
)
def jump(t: Trace) -> None:
    s1, d1, taps1, p1, s2, d2, taps2, p2, o, k = t.integers("s1 d1 K1 p1 s2 d2 K2 p2 o k")
    t.assume(s1 >= 1, d1 >= 1, taps1 >= 1, s2 >= 1, d2 >= 1, taps2 >= 1)
    second = AxisRelation(taps2, s2, d2, p2)
    one = AxisField.of(AxisRelation(taps1, s1, d1, p1))
    two = one.then(AxisField.of(second))
    t.show(two.at(o + 1).start - two.at(o).start == s1 * s2)
    gap = one.at(second.position(o, k + 1)).start - one.at(second.position(o, k)).start
    t.show(gap == s1 * d2)
    t.instead(gap == d2)


@all_sizes(
    "fields.equal-layers",
    words="After L layers of the same taps K, stride s, dilation d and padding p, with jump "
    "J = s^L: (s − 1)(R − 1) = d(K − 1)(J − 1) and (s − 1)P = p(J − 1). Shown as an invariant: "
    "true before any layer, and after one more layer if before it.",
    latex=r"(s-1)(R_L-1)=d(K-1)(s^L-1),\quad (s-1)P_L=p\,(s^L-1)",
    source=ARAUJO + ", closed form of the field size, summed for equal layers",
    near_miss="the same with s^(L−1) for s^L",
    concludes="fields",
)
def equal_layers(t: Trace) -> None:
    s, d, n_taps, p = t.integers("s d K p")
    t.assume(s >= 1, d >= 1, n_taps >= 1)
    before = unknown_field(t)
    after = before.then(AxisField.of(AxisRelation(n_taps, s, d, p)))

    def law(field: AxisField, jump: Any) -> Formula:
        grown = (s - 1) * (field.size - 1) == d * (n_taps - 1) * (jump - 1)
        return all_of(grown, (s - 1) * field.padding == p * (jump - 1))

    t.show(law(AxisField.identity(), 1))
    t.show(implies(law(before, before.jump), law(after, after.jump)))
    t.instead(implies(law(before, before.jump), law(after, before.jump)))


@all_sizes(
    "fields.centred",
    words="Where the fields so far are centred on J·m (R = 2P + 1), those of one more layer are "
    "centred on J·s·o iff its low padding is half its reach, 2p = d(K − 1). Without padding the "
    "centre moves by J·d(K − 1)/2: 2 for three taps with dilation 2.",
    latex=r"R=2P+1\Rightarrow\bigl(\text{start}+\text{end}=2Jso\iff 2p=d(K-1)\bigr)",
    source=ARAUJO + ", section on alignment; for dilation, symconv",
    near_miss="2p = K − 1 is enough, whatever the dilation",
    concludes="fields",
)
def centred(t: Trace) -> None:
    layer, _ = axis(t)
    before = unknown_field(t)
    (o,) = t.integers("o")
    t.assume(before.size == 2 * before.padding + 1)
    after = before.then(AxisField.of(layer))
    ends = after.at(o).start + after.at(o).end
    middle, moved = 2 * after.jump * o, before.jump * (layer.extent - 1 - 2 * layer.pad_lo)
    t.show(ends == middle + moved)
    t.show(iff(ends == middle, layer.extent - 1 == 2 * layer.pad_lo))
    t.instead(implies(layer.n_taps - 1 == 2 * layer.pad_lo, ends == middle))


@all_sizes(
    "fields.aligned",
    words="Two branches whose fields have the same centre at two different outputs have one jump, "
    "and the same centre at every output.",
    latex=r"c_1(a)=c_2(a),\;c_1(b)=c_2(b),\;a\ne b\Rightarrow J_1=J_2,\;c_1(o)=c_2(o)",
    source=ARAUJO + ", section on arbitrary graphs (alignment of paths)",
    near_miss="the same centre at one output is enough",
    concludes="fields",
)
def aligned(t: Trace) -> None:
    size1, jump1, padding1, size2, jump2, padding2 = t.integers("R1 J1 P1 R2 J2 P2")
    a, b, o = t.integers("a b o")
    t.assume(size1 >= 1, jump1 >= 1, size2 >= 1, jump2 >= 1)
    one, other = AxisField(size1, jump1, padding1), AxisField(size2, jump2, padding2)

    def same_centre(at: Any) -> Formula:
        # Twice the centres, which may lie between two samples.
        left, right = one.at(at), other.at(at)
        agree: Formula = left.start + left.end == right.start + right.end
        return agree

    t.assume(same_centre(a))
    t.given(same_centre(b), a != b)
    t.show(jump1 == jump2, same_centre(o))


@all_sizes(
    "fields.composed-one-by-one",
    words="The relation that composes a stack (its field as taps, jump as stride, both effective "
    "paddings) is its own composition, stands for one layer at every size, and grows layer by "
    "layer: composing a and b, then c with that, is composing a, b and c. With stacking.sizes, "
    "sizes compose at any depth.",
    latex=r"\mathrm{comp}(\mathrm{comp}(a,b),c)=\mathrm{comp}(a,b,c),\quad "
    r"O_{\mathrm{comp}(a)}(n)=O_a(n)",
    source="symconv; " + ARAUJO + ", recurrences for size, stride and padding",
    near_miss="its high padding is the effective low padding, as where all padding is symmetric",
    concludes="sizes",
)
def composed_one_by_one(t: Trace) -> None:
    size, jump, lo, hi = t.integers("R J P Q")
    b, n = axis(t)
    s3, d3, taps3, lo3, hi3 = t.integers("s3 d3 K3 lo3 hi3")
    t.assume(size >= 1, jump >= 1, s3 >= 1, d3 >= 1, taps3 >= 1)
    a, c = AxisRelation(size, jump, 1, lo, hi), AxisRelation(taps3, s3, d3, lo3, hi3)

    def alike(one: AxisRelation, other: AxisRelation) -> Formula:
        return all_of(*(getattr(one, x) == getattr(other, x) for x in AxisRelation.__slots__))

    t.show(alike(composed([a]), a), composed([b]).output_size(n) == b.output_size(n))
    t.show(alike(composed([composed([a, b]), c]), composed([a, b, c])))
    t.instead(composed([a, b, c]).pad_hi == composed([a, b, c]).pad_lo)


@all_sizes(
    "fields.whole",
    words="The field of output o lies in the input 0 … n−1 iff o is from ⌈P/J⌉ to ⌊(n − R + P)/J⌋.",
    latex=r"0\le Jo-P,\;Jo-P+R\le n \iff \left\lceil\frac{P}{J}\right\rceil\le o\le "
    r"\left\lfloor\frac{n-R+P}{J}\right\rfloor",
    source="symconv",
    near_miss="from ⌊P/J⌋ on",
    concludes="fields",
)
def whole(t: Trace) -> None:
    field = unknown_field(t)
    n, o = t.integers("n o")
    t.assume(n >= 1)
    inside = all_of(field.at(o).start >= 0, field.at(o).end < n)
    first, last = -(field.start // field.jump), (n - 1 - field.end) // field.jump
    t.show(iff(inside, between(first, o, last + 1)))
    t.instead(iff(inside, between(field.padding // field.jump, o, last + 1)))


@all_sizes(
    "fields.padding-reads-padding",
    words="A layer that does not crop, run at a position before its outputs or after them, reads "
    "padding itself: through its first tap before, through its last tap after. So an output whose "
    "field lies in the input takes nothing from padding at any level.",
    latex=r"p,q\ge 0:\quad m<0\Rightarrow sm-p<0;\qquad m\ge n'\Rightarrow sm+d(K-1)-p\ge n",
    source="symconv",
    near_miss="a layer that crops",
    concludes="triples",
)
def padding_reads_padding(t: Trace) -> None:
    layer, n = axis(t)
    (m,) = t.integers("m")
    t.given(layer.pad_lo >= 0, layer.pad_hi >= 0)
    t.show(implies(m < 0, layer.position(m, 0) < 0))
    t.show(implies(m >= layer.output_size(n), layer.position(m, layer.n_taps - 1) >= n))


@all_sizes(
    "fields.relative",
    words="Receptive field over output size, on n = s·m samples: E/n for K taps with dilation d "
    "that keep the size, K·s/n for K taps with stride s that leave m = n/s outputs. The stride "
    "gives (K·s − E)/n more, which is (s − 1)/n at dilation d = s; at K = s, pooling, it is s²/n.",
    latex=r"\frac{K}{n/s}-\frac{d(K-1)+1}{n}=\frac{Ks-d(K-1)-1}{n}",
    source="the source notes, N22 (and N9, N10)",
    near_miss="as if the output sizes were the same: (K − E)/m",
    concludes="fields",
)
def relative(t: Trace) -> None:
    s, d, n_taps, m, lo, hi, p, q = t.integers("s d K m lo hi p q")
    t.assume(s >= 1, d >= 1, n_taps >= 1, m >= 1)
    dilated, strided = AxisRelation(n_taps, 1, d, lo, hi), AxisRelation(n_taps, s, 1, p, q)
    t.assume(lo + hi == dilated.extent - 1, between(n_taps - s, p + q, n_taps))
    t.show(dilated.output_size(s * m) == s * m, strided.output_size(s * m) == m)
    wide, long = AxisField.of(dilated).size, AxisField.of(strided).size
    # Both ratios times n·m, so that all is whole.
    gap = long * dilated.output_size(s * m) - wide * strided.output_size(s * m)
    t.show(gap == m * (n_taps * s - dilated.extent))
    t.show(implies(d == s, gap == m * (s - 1)), implies(n_taps == s, long * s == s * s))
    t.instead(gap == m * (long - wide))


def _symbols() -> tuple[AxisRelation, Any]:
    # In terms of what they exceed 1 by, so that counterexamples are layers.
    more = sympy.symbols("s-1 d-1 K-1", integer=True, nonnegative=True)
    s, d, n_taps = (part + 1 for part in more)
    lo, hi = sympy.symbols("lo hi", integer=True)
    relation = AxisRelation(n_taps, s, d, lo, hi)
    return relation, relation.extent


def _reversed_order() -> Iterator[tuple[Any, Any]]:
    relation, extent = _symbols()
    size = field_of([relation.adjoint(), relation]).size
    yield sympy.cancel(size * relation.stride), 2 * extent - 1


@identity(
    "fields.down-and-up",
    near=_reversed_order,
    sizes=True,
    words="A convolution followed by the layer that transposes it has jump 1 and a field of 2E − 1 "
    "samples centred on the output, whatever stride and padding. Followed by the convolution, the "
    "transposed layer has jump 1 and is centred as well, on 2(E − 1)/s + 1 samples at most.",
    latex=r"f_{\downarrow}\circ f_{\uparrow}=(2E-1,\,1,\,E-1),\quad "
    r"f_{\uparrow}\circ f_{\downarrow}=\bigl(\tfrac{2(E-1)}{s}+1,\,1,\,\tfrac{E-1}{s}\bigr)",
    source="symconv",
    near_miss="2E − 1 samples, counted in the finer ones, in the other order",
    concludes="fields",
)
def down_and_up() -> Iterator[tuple[Any, Any]]:
    relation, extent = _symbols()
    down_up = field_of([relation, relation.adjoint()])
    up_down = field_of([relation.adjoint(), relation])
    s = relation.stride
    # Rational functions, cancelled to polynomials.
    for field, size, padding in (
        (down_up, (2 * extent - 1) * s, (extent - 1) * s),
        (up_down, 2 * (extent - 1) + s, extent - 1),
    ):
        yield sympy.cancel(field.size * s), size
        yield sympy.cancel(field.padding * s), padding
        yield sympy.cancel(field.jump), 1
        yield sympy.cancel(field.centre), 0


#: Layers of the exhaustive boxes, as (taps, stride, dilation, low, high padding).
LAYERS = tuple(product((1, 2, 3), (1, 2), (1, 2), (0, 1), (-1, 0, 2)))


def read_whole(stack: tuple[AxisRelation, ...], position: int, sizes: list[int]) -> bool:
    """Whether an output reads no padding at any level, by following every tap."""
    level = {position}
    for relation, size in zip(reversed(stack), reversed(sizes[:-1]), strict=True):
        level = {relation.position(o, k) for o in level for k in range(relation.n_taps)}
        if not all(0 <= j < size for j in level):
            return False
    return True


def untruncated(a: tuple[int, ...], b: tuple[int, ...], n: int, *, cropping: bool) -> bool | None:
    """Whether `interior` holds exactly the outputs of two layers that read no padding."""
    stack = AxisRelation(*a), AxisRelation(*b)
    sizes = [n, stack[0].output_size(n)]
    sizes.append(stack[1].output_size(sizes[1]))
    if min(sizes) < 1:
        return None
    found = [o for o in range(sizes[-1]) if read_whole(stack, o, sizes)]
    first, last = interior(stack, n)
    if not cropping:
        # As if only the input mattered.
        field = field_of(stack)
        first, last = -(field.start // field.jump), (n - 1 - field.end) // field.jump
    return found == list(range(first, last + 1))


@exhaustive(
    "fields.interior",
    box={"a": LAYERS[::3], "b": LAYERS[1::3], "n": (1, 4, 9)},
    words="The outputs of two layers that take nothing from padding at any level are those from "
    "`interior`'s first to its last, also where layers crop.",
    latex=r"\{o:\text{no tap of any level meets padding}\}=[o_{\min},\,o_{\max}]",
    source="symconv",
    near_miss="those whose field lies in the input, also where layers crop",
    concludes="fields",
)
def interior_outputs(a: tuple[int, ...], b: tuple[int, ...], n: int) -> bool | None:
    return untruncated(a, b, n, cropping=True)


@interior_outputs.near_miss_claim()
def _field_in_the_input(a: tuple[int, ...], b: tuple[int, ...], n: int) -> bool | None:
    return untruncated(a, b, n, cropping=False)


@exhaustive(
    "fields.cut-to-the-input",
    box={"K1": (1, 2, 3), "K2": (1, 2, 3), "d2": (1, 2, 3), "n": (3, 4, 5)},
    words="Near the border an output of two layers (stride 1, padded to keep the size) reads what "
    "it would read on an endless input, cut to the input.",
    latex=r"\mathrm{reads}_n(o)=\mathrm{reads}_\infty(o)\cap\{0,\ldots,n-1\}",
    source="folklore: truncated fields are drawn so",
    concludes="fields",
    expected="REFUTED",
    remark="What is read through an intermediate that padding replaces is lost, unless another "
    "intermediate reads it too (stacking.padding-misread); it holds where the padding between the "
    "layers is harmless (stacking.harmless-padding).",
)
def cut_to_the_input(K1: int, K2: int, d2: int, n: int) -> bool:  # noqa: N803
    reach = d2 * (K2 - 1)
    stack = (
        AxisRelation(K1, 1, 1, (K1 - 1) // 2, K1 // 2),
        AxisRelation(K2, 1, d2, reach // 2, reach - reach // 2),
    )
    return all(
        reads(stack, o, n) == tuple(i for i in reads(stack, o) if 0 <= i < n) for o in range(n)
    )
