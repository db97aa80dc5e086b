"""Costs and their ratios: parameters and multiplications of one way to convolve against another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import sympy

from symconv.counts import (
    Counts,
    convolution_counts,
    depthwise_separable_counts,
    separable_counts,
)
from symconv.errors import SymconvError
from symconv.layers import Conv
from symconv.proving import (
    Trace,
    all_of,
    all_sizes,
    any_of,
    axis,
    exhaustive,
    identity,
    iff,
    implies,
)
from symconv.ratios import depthwise_separable_ratio
from symconv.relation import AxisRelation

#: Pairs of polynomials that must be equal.
Pairs = Iterator[tuple[Any, Any]]

#: Channels, groups, taps, strides, dilations, samples: positive integers all.
C, D, G, H, W, N, M = sympy.symbols("c d g h w n m", integer=True, positive=True)


def _windows(taps: Any, outputs: Any) -> tuple[AxisRelation, Any]:
    """An axis of stride 2 and dilation 3 with this number of outputs, and its input size."""
    relation = AxisRelation(taps, 2, 3, 1, 1)
    return relation, relation.input_size(outputs)


@cache
def _layer(groups: Any) -> Counts:
    """A layer of H×W taps, C·G to D·G channels, on sizes that have N×M outputs."""
    axes = [_windows(H, N), _windows(W, M)]
    relations, sizes = zip(*axes, strict=True)
    return convolution_counts(relations, sizes, C * G, D * G, groups=groups)


def _grouped_undivided() -> Pairs:
    yield _layer(G).parameters * G, D * G * (H * W * C * G + 1)


@identity(
    "costs.grouped-parameters",
    near=_grouped_undivided,
    sizes=True,
    words="A layer from c₁ to c₂ channels with h×w taps has c₂(h·w·c₁ + 1) parameters, in G "
    "groups c₂(h·w·c₁/G + 1) (N11); its weights and multiplications are 1/G of the dense ones.",
    latex=r"c_2\left(\frac{h\,w\,c_1}{G}+1\right)",
    source="the source notes (grouped convolution); N11",
    near_miss="all of c₂(h·w·c₁ + 1) is divided by G, the biases with it",
    concludes="counts",
)
def grouped_parameters() -> Pairs:
    inputs, outputs = C * G, D * G
    dense, grouped = _layer(1), _layer(G)
    yield dense.parameters, outputs * (H * W * inputs + 1)
    # c₁/G is the whole number c, for c₁ was named c·G.
    yield grouped.parameters, outputs * (H * W * C + 1)
    yield grouped.weights * G, dense.weights
    yield grouped.macs_per_tap * G, dense.macs_per_tap
    yield grouped.outputs, dense.outputs


@exhaustive(
    "costs.groups-divide",
    box={"c1": range(1, 7), "c2": range(1, 7), "g": range(1, 7)},
    words="A layer from c₁ to c₂ channels in G groups exists exactly when G divides c₁ and c₂, "
    "and then N11 counts its parameters.",
    latex=r"\exists\,\mathrm{Conv}(c_1,c_2,G) \iff G\mid c_1,\; G\mid c_2",
    source="the source notes (grouped convolution); N11, which leaves the condition out",
    near_miss="exactly when the formula gives an integer",
    concludes="counts",
)
def groups_divide(c1: int, c2: int, g: int) -> bool:
    return _exists(c1, c2, g) == (c1 % g == 0 and c2 % g == 0)


@groups_divide.near_miss_claim()
def _formula_is_whole(c1: int, c2: int, g: int) -> bool:
    return _exists(c1, c2, g) == (c2 * c1 * 9 % g == 0)


def _exists(c1: int, c2: int, g: int) -> bool:
    try:
        layer = Conv(c1, c2, (3, 3), groups=g)
    except SymconvError:
        return False
    return bool(layer.parameter_count() * g == c2 * (9 * c1 + g))


def _separable(*, bias: bool) -> tuple[Counts, Counts, Any]:
    """Depthwise then pointwise, the dense layer, and the taps."""
    relation, size = _windows(H, N)
    cheap = depthwise_separable_counts([relation], [size], C, D, bias=bias)
    return cheap, convolution_counts([relation], [size], C, D, bias=bias), H


def _separable_with_bias() -> Pairs:
    cheap, dear, taps = _separable(bias=True)
    yield cheap.parameters * taps * D, dear.parameters * (taps + D)


@identity(
    "costs.depthwise-separable",
    near=_separable_with_bias,
    sizes=True,
    words="A depthwise convolution of K taps followed by a pointwise one to D channels costs "
    "1/D + 1/K of the dense one: exactly, in weights, in parameters without bias and in "
    "multiplications per tap, whatever stride, dilation and sizes.",
    latex=r"\frac{\mathrm{depthwise}+\mathrm{pointwise}}{\mathrm{dense}}=\frac1D+\frac1K",
    source="A. Howard et al., MobileNets (2017), arXiv:1704.04861, section 3.1",
    near_miss="in parameters with biases",
    concludes="counts",
)
def depthwise_separable() -> Pairs:
    cheap, dear, taps = _separable(bias=False)
    for name in ("weights", "parameters", "macs_per_tap"):
        yield getattr(cheap, name) * taps * D, getattr(dear, name) * (taps + D)


@all_sizes(
    "costs.depthwise-separable-bias",
    words="With biases, C to D channels and K taps, the ratio of the parameters exceeds 1/D + 1/K "
    "by (K(C−1) + D(K−1)) / (K·D·(C·K+1)); so the quoted ratio holds exactly when C = K = 1.",
    latex=r"\frac{CK+C+CD+D}{CDK+D}-\frac1D-\frac1K=\frac{K(C-1)+D(K-1)}{KD(CK+1)}",
    source="symconv (symconv.ratios.depthwise_separable_ratio); A. Howard et al. (2017) leave "
    "biases out",
    near_miss="it holds exactly when K = 1",
    concludes="counts",
)
def depthwise_separable_bias(t: Trace) -> None:
    c, d, n_taps = t.integers("C D K")
    t.assume(c >= 1, d >= 1, n_taps >= 1)
    cheap = c * n_taps + c + c * d + d
    dear = c * d * n_taps + d
    excess = cheap * n_taps * d - dear * (n_taps + d)
    t.show(excess == d * (n_taps * (c - 1) + d * (n_taps - 1)))
    t.show(iff(excess == 0, all_of(c == 1, n_taps == 1)))
    t.instead(iff(excess == 0, n_taps == 1))


def _bias_ignored() -> Pairs:
    cheap, dear, taps = _separable(bias=True)
    yield cheap.parameters, C * taps + C * D
    yield dear.parameters, C * D * taps


@identity(
    "costs.depthwise-separable-parameters",
    near=_bias_ignored,
    sizes=True,
    words="With biases, a depthwise separable layer from C to D channels with K taps has "
    "C(K + 1) + D(C + 1) parameters, the dense layer D(C·K + 1): 1,102 against 19,456 for 5×5 "
    "taps from 3 to 256 channels.",
    latex=r"C(K+1)+D(C+1)\quad\text{against}\quad D(CK+1)",
    source="the source notes (depthwise separable convolution); N13",
    near_miss="C·K + C·D against C·D·K, without the biases",
    concludes="counts",
)
def depthwise_separable_parameters() -> Pairs:
    cheap, dear, taps = _separable(bias=True)
    yield cheap.parameters, C * (taps + 1) + D * (C + 1)
    yield dear.parameters, D * (C * taps + 1)
    numbers = {C: 3, D: 256, H: 5 * 5}
    yield cheap.parameters.subs(numbers), 78 + 1024
    yield dear.parameters.subs(numbers), 19456


@all_sizes(
    "costs.depthwise-separable-inside",
    words="Counting only multiplications with stored samples, T triples where K·O taps slide, the "
    "ratio is (C·T + C·D·O)/(C·D·T), and equals 1/D + 1/K exactly when T = K·O: when no tap "
    "reads padding.",
    latex=r"\frac{T+D\,O}{D\,T}=\frac1D+\frac1K \iff T=K\,O",
    source="symconv (symconv.ratios.depthwise_separable_ratio)",
    near_miss="it equals 1/D + 1/K always",
    concludes="counts",
)
def depthwise_separable_inside(t: Trace) -> None:
    c, d, n_taps, n_out, inside = t.integers("C D K O T")
    t.assume(c >= 1, d >= 1, n_taps >= 1, n_out >= 1, inside >= 1, inside <= n_taps * n_out)
    cheap, dear = c * inside + c * d * n_out, c * d * inside
    quoted = cheap * n_taps * d == dear * (n_taps + d)
    gap = n_taps * n_out - inside
    t.show(cheap * n_taps * d - dear * (n_taps + d) == c * d * d * gap)
    t.show(c * d >= 1, c * d * d >= 1)
    t.hint(gap - 1)
    t.show(iff(quoted, inside == n_taps * n_out))
    t.instead(quoted)


@exhaustive(
    "costs.depthwise-separable-as-quoted",
    box={"d": range(1, 9), "n": range(1, 5), "n_taps": (1, 3)},
    words="A depthwise separable layer costs 1/D + 1/K² of the dense one in multiplications with "
    "stored samples, K×K taps with same padding on n×n samples, D output channels.",
    latex=r"\frac{\mathrm{inside}_{dw+pw}}{\mathrm{inside}_{dense}}=\frac1D+\frac1{K^2}",
    source="A. Howard et al., MobileNets (2017), arXiv:1704.04861, section 3.1, with the padding "
    "left out of the count",
    expected="REFUTED",
    remark="For K = 3, n = 4 and D = 8 it is 57/200, not 17/72. It is exact per tap "
    "(costs.depthwise-separable), and inside exactly when no tap reads padding "
    "(costs.depthwise-separable-inside).",
    concludes="counts",
)
def depthwise_separable_as_quoted(d: int, n: int, n_taps: int) -> bool:
    same = AxisRelation(n_taps, pad_lo=n_taps // 2, pad_hi=n_taps // 2)
    found = depthwise_separable_ratio([same] * 2, (n, n), 2, d, count="macs_inside")
    return bool(found.value == sympy.Rational(1, d) + sympy.Rational(1, n_taps**2))


@all_sizes(
    "costs.zero-insertion",
    words="Zero insertion slides K taps over each of the O outputs of a transposed layer, where "
    "the gradient form multiplies each of its n inputs K times: the ratio is O/n, and is the "
    "stride s exactly when the layer makes its input s times as long, E + op − lo − hi = s.",
    latex=r"\frac{K\,O}{K\,n}=\frac{s(n-1)+E+op-p_{lo}-p_{hi}}{n}=s \iff E+op-p_{lo}-p_{hi}=s",
    source="V. Dumoulin, F. Visin (2016), section 4, which says that zero insertion wastes "
    "multiplications; N19",
    near_miss="the ratio is always s",
    concludes="counts",
)
def zero_insertion(t: Trace) -> None:
    conv, n = axis(t)
    (op,) = t.integers("op")
    n_out = conv.input_size(n, op)
    t.assume(n >= 1, op >= 0, n_out >= 1)
    slid, scattered = n_out * conv.n_taps, n * conv.n_taps
    more = conv.extent + op - conv.pad_lo - conv.pad_hi - conv.stride
    t.show(slid - conv.stride * scattered == conv.n_taps * more)
    t.hint(more - 1, -more - 1)
    t.show(iff(slid == conv.stride * scattered, more == 0))
    t.instead(slid == conv.stride * scattered)


@all_sizes(
    "costs.dilated-against-strided",
    words="With the same K taps, a dilated convolution that keeps the n samples multiplies K·n "
    "times, one of stride s that keeps ⌈n/s⌉ of them K·⌈n/s⌉ times: never more, and exactly s "
    "times fewer if and only if s divides n.",
    latex=r"K\left\lceil\frac ns\right\rceil\le K\,n\le s\,K\left\lceil\frac ns\right\rceil,\quad "
    r"K\,n=s\,K\left\lceil\frac ns\right\rceil \iff s\mid n",
    source="symconv; the claim in the source notes on dilation (N9) is the other way round",
    near_miss="s times fewer for every n",
    concludes="counts",
)
def dilated_against_strided(t: Trace) -> None:
    n_taps, s, d, n, lo = t.integers("K s d n lo")
    t.assume(n_taps >= 1, s >= 1, d >= 1, n >= 1)
    bare = AxisRelation(n_taps, 1, d)
    dilated = AxisRelation(n_taps, 1, d, lo, bare.extent - 1 - lo)
    # SAME padding leaves one window for each start inside the input.
    strided = AxisRelation(n_taps, s).windows_starting_inside(n)
    rest = n % s
    slow, fast = n_taps * dilated.output_size(n), n_taps * strided
    gap = s * strided - n
    t.show(dilated.output_size(n) == n)
    t.show(gap >= 0, gap < s, strided <= n)
    t.show(s * fast - slow == n_taps * gap)
    t.show(fast <= slow, slow <= s * fast)
    t.hint(n // s - strided, strided - n // s, gap - 1)
    t.show(iff(gap == 0, rest == 0))
    t.show(iff(slow == s * fast, rest == 0))
    t.instead(slow == s * fast)


@all_sizes(
    "costs.dilated-is-cheaper",
    words="Dilation enlarges the receptive field at lower computational cost than a strided "
    "convolution: fewer multiplications for the same taps and samples.",
    latex=r"K\,n < K\left\lceil\frac ns\right\rceil",
    source="the source notes (dilated convolution); N9",
    expected="REFUTED",
    remark="With the map kept it costs up to s times as much (costs.dilated-against-strided). "
    "What is cheaper is the same layer against a dense kernel of the same extent: K taps instead "
    "of d(K − 1) + 1.",
    concludes="counts",
)
def dilated_is_cheaper(t: Trace) -> None:
    n_taps, s, d, n = t.integers("K s d n")
    t.assume(n_taps >= 1, s >= 2, d >= 2, n >= 1)
    bare = AxisRelation(n_taps, 1, d)
    dilated = AxisRelation(n_taps, 1, d, 0, bare.extent - 1)
    strided = AxisRelation(n_taps, s).windows_starting_inside(n)
    t.show(n_taps * dilated.output_size(n) < n_taps * strided)


@all_sizes(
    "costs.dilated-against-dense",
    words="A dilated kernel of K taps costs fewer weights and multiplications than a dense one of "
    "the same extent E = d(K − 1) + 1, by (d − 1)(K − 1) taps: strictly exactly when d ≥ 2 and "
    "K ≥ 2.",
    latex=r"E-K=(d-1)(K-1),\qquad K<E \iff d\ge 2,\; K\ge 2",
    source="F. Yu, V. Koltun, Multi-Scale Context Aggregation by Dilated Convolutions (2016), "
    "arXiv:1511.07122, section 2",
    near_miss="strictly exactly when d ≥ 2",
    concludes="counts",
)
def dilated_against_dense(t: Trace) -> None:
    n_taps, d = t.integers("K d")
    t.assume(n_taps >= 1, d >= 1)
    extent = AxisRelation(n_taps, 1, d).extent
    t.show(extent - n_taps == (d - 1) * (n_taps - 1))
    t.show(iff(n_taps < extent, all_of(d >= 2, n_taps >= 2)))
    t.instead(iff(n_taps < extent, d >= 2))


@all_sizes(
    "costs.low-rank",
    words="A kernel of m×n taps and rank r is r separable ones, r(m + n) weights. That saves "
    "weights exactly when (m − r)(n − r) > r². The kernels of rank r have m·n − (m − r)(n − r) "
    "degrees of freedom, which is never more than m·n and equal to it exactly at full rank.",
    latex=r"mn-r(m+n-r)=(m-r)(n-r)\ge 0,\qquad r(m+n)<mn \iff (m-r)(n-r)>r^{2}",
    source="symconv; the dimension of the variety of matrices of rank at most r (J. Harris, "
    "Algebraic Geometry, 1992, proposition 12.2)",
    near_miss="it saves exactly when the rank is not full, r < min(m, n)",
    concludes="counts",
)
def low_rank(t: Trace) -> None:
    m, n, r = t.integers("m n r")
    t.assume(r >= 0, r <= m, r <= n)
    freedom = r * (m + n - r)
    missing = (m - r) * (n - r)
    saves = r * (m + n) < m * n
    t.show(m * n - freedom == missing)
    t.show(missing >= 0)
    t.show(iff(freedom == m * n, any_of(r == m, r == n)))
    t.show(iff(saves, missing > r * r))
    t.instead(iff(saves, all_of(r < m, r < n)))


@all_sizes(
    "costs.stacked-kernels",
    words="L layers of K×K taps see L(K − 1) + 1 samples along each axis. On two axes they need "
    "fewer weights than one layer of that extent exactly when L ≥ 2 and K ≥ 2: for L = 2, K = 3 "
    "it is 18 against 25. The difference is (L − 1)(L(K − 1)² − 1).",
    latex=r"(L(K-1)+1)^{2}-L\,K^{2}=(L-1)\bigl(L(K-1)^{2}-1\bigr)",
    source="K. Simonyan, A. Zisserman, Very Deep Convolutional Networks (2014), "
    "arXiv:1409.1556, section 2.3",
    near_miss="on one axis as well: L·K < L(K − 1) + 1",
    concludes="counts",
)
def stacked_kernels(t: Trace) -> None:
    layers, n_taps, product = t.integers("L K p")
    t.assume(layers >= 1, n_taps >= 1)
    # A product of degree 3 with a name of its own.
    t.assume(product == layers * (n_taps - 1) * (n_taps - 1))
    extent = layers * (n_taps - 1) + 1
    gap = extent * extent - layers * n_taps * n_taps
    several = all_of(layers >= 2, n_taps >= 2)
    t.show(gap == (layers - 1) * (product - 1))
    t.show(iff(n_taps == 1, product == 0), implies(n_taps >= 2, product >= layers))
    t.show(any_of(all_of(n_taps == 1, product == 0), n_taps >= 2))
    t.show(any_of(layers == 1, layers >= 2))
    t.show(iff(gap > 0, several))
    t.instead(iff(layers * n_taps < extent, several))


@cache
def _passes() -> tuple[Counts, Counts, Any, Any]:
    """A kernel of H×W taps in two passes and at once, its stored columns and their number."""
    (rows, n_rows), (columns, n_columns) = _windows(H, N), _windows(W, M)
    cheap = separable_counts([rows, columns], (n_rows, n_columns))
    dense = convolution_counts([rows, columns], (n_rows, n_columns), 1, 1, bias=False)
    return cheap, dense, n_columns, M


def _passes_as_quoted() -> Pairs:
    cheap, dense, _, _ = _passes()
    yield cheap.macs_per_tap * H * W, dense.macs_per_tap * (H + W)


@identity(
    "costs.separable-passes",
    near=_passes_as_quoted,
    sizes=True,
    words="A kernel of h×w taps and rank 1, run as one pass of h and one of w, needs h + w "
    "weights for h·w. The multiplications follow that ratio up to h·O₁·(n₂ − O₂): the first pass "
    "runs on every stored column. So they follow it exactly when the second axis keeps its size.",
    latex=r"h\,n_2O_1+w\,O_1O_2=\frac{h+w}{h\,w}\,h\,w\,O_1O_2+h\,O_1(n_2-O_2)",
    source="symconv (symconv.ratios.separable_ratio)",
    near_miss="they follow it for every size",
    concludes="counts",
)
def separable_passes() -> Pairs:
    cheap, dense, n_columns, outputs = _passes()
    yield cheap.weights * dense.weights, dense.weights * (H + W)
    yield dense.weights, H * W
    excess = cheap.macs_per_tap * H * W - dense.macs_per_tap * (H + W)
    yield excess, H * W * H * N * (n_columns - outputs)


@all_sizes(
    "costs.order-of-passes",
    words="Of the two passes of a separable kernel with K taps on each axis, stride 1 and no "
    "padding, the cheaper one to start with is that along the axis with fewer samples (K ≥ 2).",
    latex=r"K O_1 n_2 + K O_1O_2 < K O_2 n_1 + K O_1O_2 \iff n_1<n_2",
    source="symconv",
    near_miss="also for kernels of one tap",
    concludes="counts",
)
def order_of_passes(t: Trace) -> None:
    n_taps, rows, columns = t.integers("K n_1 n_2")
    t.assume(n_taps >= 1, rows >= n_taps, columns >= n_taps)
    t.given(n_taps >= 2)
    plain = AxisRelation(n_taps)
    first, second = plain.output_size(rows), plain.output_size(columns)
    rows_first = n_taps * first * columns + n_taps * first * second
    columns_first = n_taps * second * rows + n_taps * first * second
    t.show(columns_first - rows_first == n_taps * (n_taps - 1) * (columns - rows))
    t.show(iff(rows_first < columns_first, rows < columns))
