"""Transposed convolutions: which convolution they transpose, and how else they can be built."""

from __future__ import annotations

from dataclasses import replace

import symconv as sc
from symconv import AxisRelation
from symconv.conventions import AMOUNTS
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    all_values,
    any_of,
    axis,
    between,
    exhaustive,
    iff,
    implies,
    reads,
    scattered,
)


@all_sizes(
    "transposed.zero-insertion",
    words="The transposed convolution is an ordinary convolution of stride 1: insert s−1 zeros "
    "between the samples, pad by E−1−lo and E−1−hi+op (a negative edge crops), flip the kernel. "
    "Equal triples, equal size.",
    latex=r"(i,k,y)\in T \iff (y,\,K-1-k,\,i)\in C_{1,d}\bigl(E-1-p_{lo},\,E-1-p_{hi}+op\bigr)",
    source="V. Dumoulin, F. Visin (2016), section 4.6, relationship 14, for every dilation, "
    "asymmetric padding and output padding",
    near_miss="the same without flipping the kernel",
    concludes="triples",
)
def zero_insertion(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0)
    sliding = conv.adjoint(op)
    t.show(sliding.output_size(n) == conv.input_size(n, op))
    t.show(iff(scattered(conv, n, op, i, k, y), reads(sliding, y, conv.n_taps - 1 - k, i, n_in=n)))
    t.instead(iff(scattered(conv, n, op, i, k, y), reads(sliding, y, k, i, n_in=n)))


@all_sizes(
    "transposed.stride-one",
    words="For stride 1 no zeros are inserted: the transposed convolution with padding (lo, hi) "
    "is the convolution with padding (E−1−lo, E−1−hi+op) and the kernel flipped.",
    latex=r"s=1:\quad (i,k,y)\in T \iff (y,\,K-1-k,\,i)\in C_{1,d}(E-1-p_{lo},\,E-1-p_{hi}+op)",
    source="V. Dumoulin, F. Visin (2016), relationships 8 to 11",
    near_miss="the same with the padding (lo, hi) itself",
    concludes="triples",
    corollary_of="transposed.zero-insertion",
)
def stride_one(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0, conv.stride == 1)
    edge = conv.extent - 1
    dense = AxisRelation(conv.n_taps, 1, conv.dilation, edge - conv.pad_lo, edge - conv.pad_hi + op)
    near = replace(dense, pad_lo=conv.pad_lo, pad_hi=conv.pad_hi + op)
    triple = scattered(conv, n, op, i, k, y)
    t.show(iff(triple, reads(dense, y, conv.n_taps - 1 - k, i, n_in=n)))
    t.instead(iff(triple, reads(near, y, conv.n_taps - 1 - k, i, n_in=n)))


@all_sizes(
    "transposed.is-a-transpose",
    words="ConvTranspose with padding (lo, hi) and any output padding op on n samples is the "
    "transpose of the convolution with padding (lo, hi−op) on its own output size: that "
    "convolution has exactly n outputs and the same triples, roles exchanged.",
    latex=r"(i,k,y)\in T_{p_{lo},\,p_{hi},\,op} \iff (i,k,y)\in C_{p_{lo},\,p_{hi}-op}",
    source="symconv, DESIGN: which convolution a transposed convolution transposes",
    near_miss="the same with padding (lo, hi), whatever the output padding",
    concludes="triples",
)
def is_a_transpose(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0)
    size = conv.input_size(n, op)
    turned = replace(conv, pad_hi=conv.pad_hi - op)
    triple = scattered(conv, n, op, i, k, y)
    t.show(turned.output_size(size) == n)
    t.show(iff(triple, reads(turned, i, k, y, n_in=size)))
    t.instead(implies(n >= 1, iff(triple, reads(conv, i, k, y, n_in=size))))


@all_sizes(
    "transposed.restores-before-convolution",
    words="A transposed convolution followed by the convolution with the same padding gives "
    "n + ⌊op/s⌋ samples: it restores n exactly for the output paddings 0 ≤ op < s.",
    latex=r"O\bigl(s(n-1)+E+op-p_{lo}-p_{hi}\bigr) = n + \lfloor op/s \rfloor, "
    r"\quad = n \iff 0 \le op < s",
    source="symconv; the range op < max(s, d) is PyTorch's (documentation of ConvTranspose2d)",
    near_miss="it restores n iff 0 ≤ op < max(s, d), the range that PyTorch accepts",
    concludes="sizes",
)
def restores_before_convolution(t: Trace) -> None:
    conv, n = axis(t)
    (op,) = t.integers("op")
    there_and_back = conv.output_size(conv.input_size(n, op))
    t.show(there_and_back == n + op // conv.stride)
    t.show(iff(there_and_back == n, between(0, op, conv.stride)))
    accepted = all_of(op >= 0, any_of(op < conv.stride, op < conv.dilation))
    t.instead(implies(n >= 1, iff(there_and_back == n, accepted)))


@all_sizes(
    "transposed.first-rows",
    words="Whatever the output padding, ConvTranspose with padding (lo, hi) is the transpose of "
    "the first n output rows of the convolution with that same padding; for op ≥ s that "
    "convolution has n + ⌊op/s⌋ rows, and the others are left out.",
    latex=r"(i,k,y)\in T_{p_{lo},\,p_{hi},\,op} \iff (i,k,y)\in C_{p_{lo},\,p_{hi}},\; i < n",
    source="symconv, DESIGN: which convolution a transposed convolution transposes",
    near_miss="the same without i < n, for every output padding",
    concludes="triples",
)
def first_rows(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0)
    size = conv.input_size(n, op)
    triple = scattered(conv, n, op, i, k, y)
    t.show(iff(triple, all_of(i < n, reads(conv, i, k, y, n_in=size))))
    t.instead(implies(n >= 1, iff(triple, reads(conv, i, k, y, n_in=size))))


@all_sizes(
    "transposed.restores-after-convolution",
    words="A convolution of m samples (N with padding) followed by its transposed convolution "
    "restores the size m exactly when the output padding is (N−E) mod s.",
    latex=r"s(O(m)-1)+E+op-p_{lo}-p_{hi} = m \iff op = (N-E) \bmod s",
    source="V. Dumoulin, F. Visin (2016), relationship 14, for every dilation and asymmetric "
    "padding",
    near_miss="the same with (m−E) mod s, the padding forgotten",
    concludes="sizes",
    corollary_of="sizes.adjoint",
)
def restores_after_convolution(t: Trace) -> None:
    conv, m = axis(t)
    (op,) = t.integers("op")
    restored = conv.input_size(conv.output_size(m), op) == m
    t.show(iff(restored, op == (conv.padded_size(m) - conv.extent) % conv.stride))
    t.instead(implies(m >= 1, iff(restored, op == (m - conv.extent) % conv.stride)))


@all_sizes(
    "transposed.input-gradient",
    words="The input gradient of any convolution, of stride s and input dilation b on m samples, "
    "is a convolution of stride b and input dilation s with the kernel flipped and "
    "op = (N−E) mod s more padding at the end: m outputs, the same triples.",
    latex=r"(o,k,i)\in C_{s,b} \iff (i,\,K-1-k,\,o)\in C_{b,s}\bigl(E-1-p_{lo},\,"
    r"E-1-p_{hi}+(N-E)\bmod s\bigr)",
    source="symconv; for b = 1 V. Dumoulin, F. Visin (2016), relationship 14",
    near_miss="the same without the remainder (N−E) mod s in the padding",
    concludes="triples",
)
def input_gradient(t: Trace) -> None:
    conv, m = axis(t, input_dilation=True)
    o, k, i = t.integers("o k i")
    n = conv.output_size(m)
    t.assume(m >= 1, n >= 1)
    triple = reads(conv, o, k, i, n_in=m)
    turned = conv.adjoint((conv.padded_size(m) - conv.extent) % conv.stride)
    t.show(turned.output_size(n) == m)
    t.show(iff(triple, reads(turned, i, conv.n_taps - 1 - k, o, n_in=n)))
    t.instead(iff(triple, reads(conv.adjoint(), i, conv.n_taps - 1 - k, o, n_in=n)))


@all_sizes(
    "transposed.padding-crops",
    words="The padding of a transposed convolution cuts its output: T with padding (lo, hi) is T "
    "without padding, its rows shifted down by lo, and its size is less by lo + hi − op.",
    latex=r"(i,k,y)\in T_{p_{lo},\,p_{hi},\,op} \iff (i,k,y+p_{lo})\in T_{0,0,\max(op-p_{hi},0)},"
    r"\; 0 \le y < s(n-1)+E+op-p_{lo}-p_{hi}",
    source="symconv (append max(op − hi, 0) zeros, then crop)",
    near_miss="output padding op appends op zeros before the cut, also when hi > 0",
    concludes="triples",
)
def padding_crops(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0, n >= 1)
    bare = replace(conv, pad_lo=0, pad_hi=0)
    size = conv.input_size(n, op)
    appended = max(op - conv.pad_hi, 0)
    # What is cut at the end: the rows of the full result after the last one kept.
    cut = bare.input_size(n, appended) - (size + conv.pad_lo)
    t.show(cut == max(conv.pad_hi - op, 0))
    triple = scattered(conv, n, op, i, k, y)
    t.show(
        iff(
            triple,
            all_of(scattered(bare, n, appended, i, k, y + conv.pad_lo), between(0, y, size)),
        )
    )
    added = bare.input_size(n, op) - (size + conv.pad_lo)
    t.instead(implies(conv.pad_hi >= op, added == conv.pad_hi - op))


@all_sizes(
    "transposed.same-padding",
    words="A SAME convolution on m samples has ⌈m/s⌉ outputs, and its transposed convolution with "
    "op = max(m − s(⌈m/s⌉−1) − E, 0) < s gives m back; for m = s·n that is op = max(s−E, 0).",
    latex=r"n = \lceil m/s \rceil,\; op = \max(m - s(n-1) - E,\, 0) \;\Rightarrow\; 0 \le op < s,"
    r"\quad s(n-1)+E+op-p_{lo}-p_{hi} = m",
    source="TensorFlow, Notes on padding of tf.nn; ONNX ConvTranspose, auto_pad",
    near_miss="output padding 0 restores m",
    concludes="sizes",
)
def same_padding(t: Trace) -> None:
    s, d, K, m = t.integers("s d K m")  # noqa: N806 - the field's letter
    t.assume(s >= 1, d >= 1, K >= 1, m >= 1)
    bare = AxisRelation(K, s, d)
    lo, hi = AMOUNTS["same_upper"](bare, m)
    conv = replace(bare, pad_lo=lo, pad_hi=hi)
    n = conv.output_size(m)
    op = max(m - conv.reach(n), 0)
    t.show(n == -(-m // s))
    t.show(between(0, op, s))
    t.show(conv.input_size(n, op) == m)
    short = s - conv.extent
    largest = any_of(all_of(op == short, short >= 0), all_of(op == 0, short <= 0))
    t.show(implies(m == s * n, largest))
    t.instead(conv.input_size(n) == m)


@all_sizes(
    "transposed.multiple-of-the-size",
    words="A transposed convolution gives s·n samples for n, whatever n is, exactly when "
    "lo + hi − op = E − s; that total is negative when E < s, so it takes output padding there.",
    latex=r"s(n-1)+E+op-p_{lo}-p_{hi} = s\,n \iff p_{lo}+p_{hi}-op = E-s",
    source="symconv (transposed SAME)",
    near_miss="the same with K in place of E",
    concludes="sizes",
)
def multiple_of_the_size(t: Trace) -> None:
    conv, n = axis(t)
    (op,) = t.integers("op")
    total = conv.pad_lo + conv.pad_hi - op
    enlarged = conv.input_size(n, op) == conv.stride * n
    t.show(iff(enlarged, total == conv.extent - conv.stride))
    near = iff(enlarged, total == conv.n_taps - conv.stride)
    t.instead(implies(all_of(n >= 1, op >= 0), near))


@all_sizes(
    "transposed.rows-after-the-last",
    words="No tap reaches the last op−hi rows of the output, and the row before them is reached "
    "by the last tap of the last input: rows past every tap exist iff op > hi.",
    latex=r"(i,k,y)\in T \Rightarrow y < m-(op-p_{hi}),\quad "
    r"s(n-1)+d(K-1)-p_{lo} = m-1-(op-p_{hi}),\quad m = s(n-1)+E+op-p_{lo}-p_{hi}",
    source="symconv, DESIGN: which convolution a transposed convolution transposes",
    near_miss="no tap reaches the last op rows: output padding appends empty rows",
    concludes="triples",
)
def rows_after_the_last(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0, n >= 1)
    size = conv.input_size(n, op)
    triple = scattered(conv, n, op, i, k, y)
    t.show(implies(triple, y < size - (op - conv.pad_hi)))
    t.show(conv.position(n - 1, conv.n_taps - 1) == size - 1 - (op - conv.pad_hi))
    t.instead(implies(triple, y < size - op))


@exhaustive(
    "transposed.unwritten-rows-as-designed",
    box={"K": range(1, 4), "n": range(1, 4), "s": range(1, 4), "d": range(1, 3), "hi": range(2)}
    | {"op": range(3)},
    words="Output rows that nothing writes exist iff op > hi (padding and output padding ≥ 0).",
    latex=r"\exists\, y:\ \forall i,k:\ (i,k,y)\notin T \iff op > p_{hi}",
    source="symconv, DESIGN as first written",
    concludes="triples",
    expected="REFUTED",
    remark="Rows between the taps stay empty as well: one sample in two is skipped by K = 1, "
    "s = 2. Rows past the last tap exist iff op > hi (transposed.rows-after-the-last); all rows "
    "without padding are written iff the condition of overlap.every-row-written holds.",
)
def unwritten_rows_as_designed(**setting: int) -> bool | None:
    n, n_taps, s, d = (setting[name] for name in ("n", "K", "s", "d"))
    hi, op = setting["hi"], setting["op"]
    layer = sc.ConvTranspose1d(
        1, 1, n_taps, stride=s, dilation=d, padding=((0, hi),), output_padding=op, bias=False
    )
    if layer.relation(0).input_size(n) < 1:
        return None
    matrix = layer.operator((n,)).sparse([[[1] * n_taps]], dtype=int)
    return bool((matrix.sum(axis=1) == 0).any()) == (op > hi)


@all_sizes(
    "transposed.causal",
    words="With lo ≤ 0 no output y takes from an input after it, s·i ≤ y; with lo ≥ 1 an output "
    "takes from a later input as soon as one input lies lo rows from the start.",
    latex=r"p_{lo} \le 0,\ (i,k,y)\in T \Rightarrow s\,i \le y;\qquad "
    r"p_{lo} \ge 1,\ s\,i \ge p_{lo} \Rightarrow (i,\,0,\,s\,i-p_{lo})\in T",
    source="symconv; Keras has padding='causal' for Conv1D only",
    near_miss="the same for lo ≤ 1",
    concludes="triples",
)
def causal(t: Trace) -> None:
    conv, n = axis(t)
    op, y, k, i = t.integers("op y k i")
    t.assume(op >= 0)
    before = conv.stride * i <= y
    triple = scattered(conv, n, op, i, k, y)
    t.show(implies(all_of(conv.pad_lo <= 0, triple), before))
    early = conv.stride * i - conv.pad_lo
    exists = all_of(between(0, i, n), between(0, early, conv.input_size(n, op)))
    t.show(
        implies(
            all_of(conv.pad_lo >= 1, exists),
            all_of(scattered(conv, n, op, i, 0, early), early < conv.stride * i),
        )
    )
    t.instead(implies(all_of(conv.pad_lo <= 1, triple), before))


GEOMETRIES = (
    # channels in, out, kernel, options, size
    (1, 1, (3,), {"stride": 2, "padding": ((1, 1),), "output_padding": 1}, (3,)),
    (1, 2, (2,), {"stride": 3, "dilation": 2, "output_padding": 4}, (2,)),
    (4, 2, (2,), {"stride": 2, "groups": 2, "padding": ((0, 1),), "output_padding": 1}, (2,)),
    (1, 1, (2,), {"padding": ((-1, -2),), "output_padding": 1}, (2,)),
    (2, 2, (2, 2), {"stride": (2, 1), "groups": 2, "output_padding": (1, 0)}, (2, 2)),
    (1, 1, (3, 2), {"dilation": (1, 2), "padding": ((1, 0), (0, 1)), "output_padding": 1}, (2, 2)),
)


def transpose_case(geometry: int) -> tuple[sc.ConvTranspose, tuple[int, ...]]:
    """The layer and the size of one of `GEOMETRIES`."""
    inputs, outputs, kernel, options, size = GEOMETRIES[geometry]
    return sc.ConvTranspose(inputs, outputs, kernel, bias=False, **options), size


@all_values(
    "transposed.five-ways",
    box={
        "geometry": range(len(GEOMETRIES)),
        "way": ("scatter", "zero_insertion", "transpose", "gradient"),
    },
    words="Scatter and add, zero insertion, the transposed matrix and the gradient give the same "
    "matrix as the layer, for all weights: with channels, groups, two axes, asymmetric padding.",
    latex=r"A_{\mathrm{scatter}} = A_{\mathrm{insertion}} = A_{\mathrm{transpose}} = "
    r"A_{\mathrm{gradient}} = A_{\mathrm{layer}}",
    source="symconv; V. Dumoulin, F. Visin (2016), chapter 4",
    near_miss="it is the transpose of the convolution with the layer's own padding",
    concludes="triples",
)
def five_ways(geometry: int, way: str) -> sc.Verdict:
    layer, size = transpose_case(geometry)
    return sc.same_operator(sc.transposed_matrix(layer, size, way), layer.operator(size))


@five_ways.near_miss_claim(box={"geometry": range(len(GEOMETRIES))})
def own_padding(geometry: int) -> sc.Verdict:
    layer, size = transpose_case(geometry)
    conv = sc.Conv(
        layer.out_channels,
        layer.in_channels,
        layer.kernel_size,
        stride=layer.stride,
        padding=layer.padding,
        dilation=layer.dilation,
        groups=layer.groups,
        bias=False,
    )
    return sc.same_operator(layer.operator(size), conv.operator(layer.output_size(size)).T)
