"""What the source notes ask or imply, claim by claim: N18 to N22.

Each claim is decided as the notes make it. Where it is false, the remark says what holds and
which theorem proves that. The letters are symconv's: s, d, K, lo, hi, op, E = d(K−1)+1, N with
padding.
"""

from __future__ import annotations

from typing import Any

import sympy

import symconv as sc
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
from symconv.relation import AxisRelation
from symconv.shapes import enlarging_padding


@all_sizes(
    "notes_implied.n18-enlarging",
    words="A convolution makes its input larger exactly when the total padding is at least "
    "E + (s − 1)n: no transposed convolution is needed for it.",
    latex=r"O(n) > n \iff p_{lo}+p_{hi} \ge E+(s-1)n",
    source="source notes, N18",
    near_miss="only transposed convolutions enlarge their input",
    concludes="sizes",
    corollary_of="sizes.enlarging",
)
def n18_enlarging(t: Trace) -> None:
    conv, n = axis(t)
    least = enlarging_padding(conv, n)
    t.show(least == conv.extent + (conv.stride - 1) * n)
    larger = conv.output_size(n) > n
    t.show(iff(larger, conv.pad_lo + conv.pad_hi >= least))
    t.instead(conv.output_size(n) <= n)


def ratio_of_sizes() -> Any:
    """Outputs·n against value·n², cleared of denominators, for two axes with all symbols free."""
    n, m, K, s, d, p, op = sympy.symbols(  # noqa: N806 - the field's letter
        "n m K s d p op", integer=True, positive=True
    )
    rows, columns = AxisRelation(K, s, d, p, p - op), AxisRelation(K + 1, s, 1, 0, p)
    ratio = sc.zero_insertion_ratio([rows, columns], (n, m))
    return ratio, rows.input_size(n) * columns.input_size(m), n * m


def outputs_over_inputs() -> Any:
    ratio, outputs, inputs = ratio_of_sizes()
    yield sympy.cancel(ratio.value * inputs), outputs


def squared_stride() -> Any:
    ratio, _, inputs = ratio_of_sizes()
    yield sympy.cancel(ratio.value * inputs), ratio.quoted * inputs


n19_ratio = identity(
    "notes_implied.n19-ratio",
    near=squared_stride,
    sizes=True,
    words="Zero insertion multiplies for each output and tap, the gradient form for each input and "
    "tap: the ratio is that of the two sizes, on each axis (s(n−1)+E+op−lo−hi)/n.",
    latex=r"\frac{\text{products with zeros between}}{\text{products of the gradient}} = "
    r"\prod_{\text{axes}} \frac{s(n-1)+E+op-p_{lo}-p_{hi}}{n}",
    source="source notes, N19",
    near_miss="the ratio is the product of the strides, s²",
    concludes="counts",
    corollary_of="costs.zero-insertion",
    remark="It is the product of the strides exactly when each size is multiplied by its stride: "
    "transposed.multiple-of-the-size.",
)(outputs_over_inputs)


@all_sizes(
    "notes_implied.n20-slice",
    words="Sample m times the kernel is added to the slice of the output from m to K, as the notes "
    "write it.",
    latex=r"Y_{m:K} \mathrel{+}= x_m\,w",
    source="source notes, N20",
    concludes="triples",
    expected="REFUTED",
    remark="Right at m = 0 without padding only. The slice starts at s·m − lo, has step d and is K "
    "long: overlap.slice-of-a-sample.",
)
def n20_slice(t: Trace) -> None:
    n_taps, s, m, k = t.integers("K s m k")
    t.assume(n_taps >= 1, s >= 1, m >= 0, between(0, k, n_taps))
    t.show(between(m, AxisRelation(n_taps, s).position(m, k), n_taps))


@all_sizes(
    "notes_implied.n21-previous-slice",
    words="Overlapping slices add to values that come from the sample before: only the slices of "
    "direct neighbours overlap.",
    latex=r"s\,i+k = s\,i'+k',\ i<i' \Rightarrow i = i'-1",
    source="source notes, N21",
    concludes="triples",
    expected="REFUTED",
    remark="Without dilation exactly for K ≤ 2s, so for K ≤ 2 at stride 1: "
    "notes_implied.n21-previous-slice-exactly; in general overlap.neighbours.",
)
def n21_previous_slice(t: Trace) -> None:
    n_taps, s, i, i2, k, k2 = t.integers("K s i i2 k k2")
    t.assume(n_taps >= 1, s >= 1, i >= 0, i < i2, between(0, k, n_taps), between(0, k2, n_taps))
    conv = AxisRelation(n_taps, s)
    t.show(implies(conv.position(i, k) == conv.position(i2, k2), i == i2 - 1))


@all_sizes(
    "notes_implied.n21-previous-slice-exactly",
    words="Without dilation only the slices of direct neighbours overlap exactly when K ≤ 2s; for "
    "K > 2s the slices of samples 0 and 2 share output 2s − lo.",
    latex=r"K\le 2s:\ s\,i+k=s\,i'+k',\ i<i' \Rightarrow i=i'-1;\qquad "
    r"K>2s:\ s\cdot 0+2s=s\cdot 2+0",
    source="source notes, N21, put right",
    near_miss="the same for K = 2s + 1",
    concludes="triples",
    corollary_of="overlap.neighbours",
)
def n21_previous_slice_exactly(t: Trace) -> None:
    n_taps, s, lo, i, i2, k, k2 = t.integers("K s lo i i2 k k2")
    t.assume(n_taps >= 1, s >= 1, i < i2, between(0, k, n_taps), between(0, k2, n_taps))
    conv = AxisRelation(n_taps, s, 1, lo)
    meet = conv.position(i, k) == conv.position(i2, k2)
    far = all_of(2 * s < n_taps, conv.position(0, 2 * s) == conv.position(2, 0))
    t.hint(i2 - i - 2)
    t.show(implies(n_taps <= 2 * s, implies(meet, i == i2 - 1)))
    t.show(implies(n_taps > 2 * s, far))
    t.instead(implies(n_taps <= 2 * s + 1, implies(meet, i == i2 - 1)))


@exhaustive(
    "notes_implied.n22-ratio",
    words="The receptive field relative to the output map is an exact ratio: the samples from the "
    "first to the last that one output depends on, over the number of outputs, for any stack of "
    "dilated, strided and pooling layers.",
    latex=r"\frac{\max j - \min j + 1}{O},\quad j \text{ read by one output}",
    source="source notes, N22",
    near_miss="the field is K₁ + K₂ − 1 whatever the stride between",
    concludes="fields",
    corollary_of="fields.hull",
    box={"K1": (1, 2, 3), "s": (1, 2, 3), "K2": (1, 2, 3), "d": (1, 2), "n": (12, 13)},
)
def n22_ratio(K1: int, s: int, K2: int, d: int, n: int) -> bool | None:  # noqa: N803
    stack = [AxisRelation(K1, s), AxisRelation(K2, 1, d)]
    through = [stack[1].position(0, k) for k in range(K2)]
    read = {stack[0].position(o, k) for o in through for k in range(K1)}
    outputs = stack[1].output_size(stack[0].output_size(n))
    if outputs < 1:
        return None
    return bool(sc.relative_field(stack, n) * outputs == max(read) - min(read) + 1)


@n22_ratio.near_miss_claim()
def n22_added_fields(K1: int, s: int, K2: int, d: int, n: int) -> bool:  # noqa: N803
    stack = [AxisRelation(K1, s), AxisRelation(K2, 1, d)]
    outputs = stack[1].output_size(stack[0].output_size(n))
    return outputs < 1 or bool(sc.relative_field(stack, n) * outputs == K1 + K2 - 1)


@all_sizes(
    "notes_implied.n22-dilation-against-stride",
    words="Relative to its output map, a layer that keeps n = s·m samples with dilation s ≥ 2 has "
    "a smaller field than the same kernel with stride s and m outputs: (s(K−1)+1)/n against K/m.",
    latex=r"\frac{s(K-1)+1}{n} < \frac{K}{m},\quad n = s\,m,\ s\ge 2",
    source="source notes, N22",
    near_miss="a larger one, since its field is larger",
    concludes="fields",
    corollary_of="fields.relative",
)
def n22_dilation_against_stride(t: Trace) -> None:
    n_taps, s, m, lo = t.integers("K s m lo")
    t.assume(n_taps >= 1, s >= 2, m >= 1)
    n = s * m
    strided = AxisRelation(n_taps, s, 1, lo, n_taps - 1 - lo)
    dilated = AxisRelation(n_taps, 1, s, lo, s * (n_taps - 1) - lo)
    t.show(strided.output_size(n) == m)
    t.show(dilated.output_size(n) == n)
    # Both ratios times the two numbers of outputs.
    t.show(dilated.extent * m < strided.extent * n)
    t.instead(dilated.extent * m > strided.extent * n)
