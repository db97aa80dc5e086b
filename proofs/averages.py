"""Average pooling: rows that sum to one, divisors, composition, and cases got wrong elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

import symconv as sc
from symconv.errors import GeometryError
from symconv.proving import Trace, all_sizes, all_values, axis, between, exhaustive, iff, implies
from symconv.verdict import Verdict

Array = npt.NDArray[Any]

ONE_AXIS: dict[str, Sequence[Any]] = {
    "K": (1, 2, 3),
    "n": (1, 2, 4),
    "s": (1, 2),
    "d": (1, 2),
    "lo": (0, 1),
    "hi": (0, 1),
}


def averaging(
    n: int, n_taps: int, *, s: int, d: int = 1, lo: int = 0, hi: int = 0, **options: Any
) -> sympy.ImmutableSparseMatrix | None:
    """The exact matrix of an average pooling on one axis; None where it has none."""
    layer = sc.AvgPool((n_taps,), stride=s, dilation=d, padding=((lo, hi),), **options)
    try:
        return layer.operator((n,)).exact()
    except GeometryError:
        return None


def row_sums(matrix: sympy.ImmutableSparseMatrix) -> list[Any]:
    """The sum of each row."""
    total = [sympy.S.Zero] * matrix.rows
    for (row, _), entry in matrix.todok().items():
        total[row] += entry
    return total


@exhaustive(
    "averages.rows-sum-to-one",
    words="Average pooling that counts only samples gives each window's mean: every row of its "
    "matrix sums to 1, so constants stay what they are, also in ceil mode.",
    latex=r"\sum_i A_{o,i} = 1 \quad (\text{padding not counted})",
    source="symconv; PyTorch, documentation of torch.nn.AvgPool1d, count_include_pad=False",
    near_miss="the same with padding counted (rows at the border then sum to less)",
    box={**ONE_AXIS, "ceil": (False, True)},
)
def rows_sum_to_one(K: int, n: int, *, ceil: bool, **rest: int) -> bool | None:  # noqa: N803
    matrix = averaging(n, K, ceil_mode=ceil, count_include_pad=False, **rest)
    return None if matrix is None else all(total == 1 for total in row_sums(matrix))


@rows_sum_to_one.near_miss_claim()
def rows_with_padding(K: int, n: int, *, ceil: bool, **rest: int) -> bool | None:  # noqa: N803
    matrix = averaging(n, K, ceil_mode=ceil, **rest)
    return None if matrix is None else all(total == 1 for total in row_sums(matrix))


@all_sizes(
    "averages.divisor",
    words="With padding counted, window o of a pooling is divided by min(K, ⌈(N − s·o)/d⌉), N "
    "being the samples with their padding: tap k counts exactly when it is below that. It is at "
    "least 1 in every window of ceil mode, and K in the windows that fit.",
    latex=r"\#\{k<K:\ s\,o+d\,k < N\} = \min\left(K,\left\lceil\frac{N-s\,o}{d}\right\rceil\right)"
    r" \ge 1",
    source="PyTorch, documentation of torch.nn.AvgPool2d, ceil_mode; the overhang never counts",
    near_miss="every window is divided by K",
    concludes="counts",
)
def divisor(t: Trace) -> None:
    pool, n = axis(t)
    o, k = t.integers("o k")
    t.assume(n >= 1, pool.pad_hi >= 0)
    n_out, starts_outside = pool.ceil_output_size(n)
    n_out = n_out - 1 if starts_outside else n_out
    t.assume(between(0, o, n_out), between(0, k, pool.n_taps))
    counted = -((pool.stride * o - pool.padded_size(n)) // pool.dilation)
    # Every window that ceil mode keeps starts on the padded axis.
    t.show(pool.stride * o < pool.padded_size(n))
    t.show(counted >= 1)
    t.hint(counted - k, counted - pool.n_taps)
    t.show(iff(pool.inside_padded(o, k, n), k < counted))
    t.show(implies(o < pool.output_size(n), counted >= pool.n_taps))
    t.instead(pool.inside_padded(o, k, n))


@all_values(
    "averages.as-convolution",
    words="Average pooling is the convolution with K weights of 1/K exactly when padding is "
    "counted or no window reads padding (without ceil mode).",
    latex=r"A_{\mathrm{avg}} = A_{\mathrm{conv}}(1/K,\ldots,1/K) \iff \text{padding counts, "
    r"or every window reads } K \text{ samples}",
    source="symconv; a rewrite that is shipped for every padding mode",
    near_miss="whether padding counts or not",
    box={**ONE_AXIS, "counted": (True, False)},
)
def as_convolution(K: int, n: int, *, counted: bool, **rest: int) -> bool | None:  # noqa: N803
    full = filled(K, n, **rest)
    same = constant_weights(K, n, counted=counted, **rest)
    return None if same is None or full is None else same == (counted or full)


@as_convolution.near_miss_claim()
def constant_weights(K: int, n: int, *, counted: bool, **rest: int) -> bool | None:  # noqa: N803
    matrix = averaging(n, K, count_include_pad=counted, **rest)
    if matrix is None:
        return None
    edges = ((rest["lo"], rest["hi"]),)
    conv = sc.Conv(
        1, 1, (K,), stride=rest["s"], dilation=rest["d"], padding=edges, bias=False
    ).operator((n,))
    return bool(sc.same_operator(matrix, conv.exact([[[Fraction(1, K)] * K]])))


def filled(n_taps: int, n: int, **rest: int) -> bool | None:
    """Whether every window reads as many samples as it has taps."""
    ones = averaging(n, n_taps, divisor_override=1, **rest)
    return None if ones is None else all(total == n_taps for total in row_sums(ones))


TWO_LAYERS: dict[str, Sequence[int]] = {
    "K1": (1, 2, 3),
    "s1": (1, 2, 3),
    "K2": (1, 2, 3),
    "s2": (1, 2, 3),
}


@all_values(
    "averages.two-averages",
    words="Averaging K₁ with stride s₁ and then K₂ is one averaging of K₁ + s₁(K₂−1) samples "
    "exactly when the first windows cut the samples into pieces, s₁ = K₁, or K₂ = 1. Max pooling "
    "needs s₁ ≤ K₁ only (pooling.two-pools).",
    latex=r"\mathrm{avg}_{K_2,s_2}\circ\mathrm{avg}_{K_1,s_1} = "
    r"\mathrm{avg}_{K_1+s_1(K_2-1),\,s_1 s_2} \iff s_1=K_1 \text{ or } K_2=1",
    source="symconv",
    near_miss="exactly when s₁ ≤ K₁ or K₂ = 1, as for max pooling",
    box=TWO_LAYERS,
)
def two_averages(K1: int, s1: int, K2: int, s2: int) -> bool:  # noqa: N803
    return averages_compose(K1, s1, K2, s2) == (s1 == K1 or K2 == 1)


@two_averages.near_miss_claim()
def two_averages_without_gaps(K1: int, s1: int, K2: int, s2: int) -> bool:  # noqa: N803
    return averages_compose(K1, s1, K2, s2) == (s1 <= K1 or K2 == 1)


def averages_compose(n_taps: int, s1: int, later_taps: int, s2: int) -> bool:
    """Whether two averagings are the one with their field, on inputs of two of its windows."""
    field = n_taps + s1 * (later_taps - 1)
    n = field + s1 * s2
    first = averaging(n, n_taps, s=s1)
    one = averaging(n, field, s=s1 * s2)
    second = None if first is None else averaging(first.rows, later_taps, s=s2)
    return second is not None and bool(sc.same_operator(second * first, one))


@exhaustive(
    "averages.keeps-the-mean",
    words="Average pooling without padding keeps the mean of the whole input, for all inputs, "
    "exactly when there is one window over all samples or the windows are pieces of it: K = n, or "
    "K = s and K divides n.",
    latex=r"\frac1O\sum_o y_o = \frac1n\sum_i x_i \;\forall x \iff K=n \text{ or } (K=s,\ K\mid n)",
    source="symconv",
    near_miss="exactly when K = n or K = s",
    box={"n": range(1, 11), "K": range(1, 6), "s": range(1, 6)},
)
def keeps_the_mean(n: int, K: int, s: int) -> bool | None:  # noqa: N803
    kept = mean_kept(n, K, s)
    return None if kept is None else kept == (n == K or (s == K and n % K == 0))


@keeps_the_mean.near_miss_claim()
def keeps_the_mean_of_any_size(n: int, K: int, s: int) -> bool | None:  # noqa: N803
    kept = mean_kept(n, K, s)
    return None if kept is None else kept == (K in (n, s))


def mean_kept(n: int, n_taps: int, s: int) -> bool | None:
    """Whether every sample has the same part in the sum of all outputs: outputs/n."""
    matrix = averaging(n, n_taps, s=s)
    if matrix is None:
        return None
    return all(part == sympy.Rational(matrix.rows, n) for part in padded_sums(matrix))


def padded_sums(matrix: sympy.ImmutableSparseMatrix) -> list[Any]:
    """The sum of each column."""
    return row_sums(matrix.T)


@exhaustive(
    "averages.below-the-maximum",
    words="The mean of a window's samples is at most their maximum and at least their minimum, in "
    "every window that holds a sample (padding not counted; samples −1, 0, 1).",
    latex=r"\min_{i\in W} x_i \le \frac{1}{|W|}\sum_{i\in W}x_i \le \max_{i\in W} x_i",
    source="symconv",
    near_miss="the same with padding counted as zeros",
    box={**ONE_AXIS, "n": (1, 2, 3)},
)
def below_the_maximum(K: int, n: int, **rest: int) -> bool | None:  # noqa: N803
    return within(n, averaging(n, K, count_include_pad=False, **rest))


@below_the_maximum.near_miss_claim()
def below_the_maximum_with_padding(K: int, n: int, **rest: int) -> bool | None:  # noqa: N803
    return within(n, averaging(n, K, count_include_pad=True, **rest))


def within(n: int, matrix: sympy.ImmutableSparseMatrix | None) -> bool | None:
    """Whether each output lies between the smallest and the largest sample it reads."""
    if matrix is None:
        return None
    x = np.array(list(product((-1, 0, 1), repeat=n)))
    for o in range(matrix.rows):
        read = {i: entry for (_, i), entry in matrix.row(o).todok().items()}
        if not read:
            return None
        # In whole numbers: y·den against x·den.
        den = math.lcm(*(int(entry.q) for entry in read.values()))
        y = sum(x[:, i] * int(entry * den) for i, entry in read.items())
        samples = x[:, list(read)] * den
        if (y > samples.max(axis=1)).any() or (y < samples.min(axis=1)).any():
            return False
    return True


@all_values(
    "averages.axis-by-axis",
    words="The mean of a K×L window is the mean of its rows' means, at borders too and whether "
    "padding counts or not: average pooling goes one axis at a time.",
    latex=r"\mathrm{avg}_{K\times L} = \mathrm{avg}_{1\times L}\circ\mathrm{avg}_{K\times 1}",
    source="symconv",
    near_miss="the same with one divisor_override in all three",
    box={
        "kernel": ((2, 2), (3, 2), (2, 3)),
        "stride": ((1, 1), (2, 1)),
        "edges": (((0, 0), (0, 0)), ((1, 0), (0, 1)), ((1, 1), (1, 1))),
        "options": ({}, {"count_include_pad": False}, {"ceil_mode": True}),
    },
)
def averages_axis_by_axis(**setting: Any) -> Verdict:
    return one_axis_at_a_time(**setting)


@averages_axis_by_axis.near_miss_claim(
    box={
        "kernel": ((2, 2),),
        "stride": ((1, 1),),
        "edges": (((0, 0), (0, 0)),),
        "options": ({"divisor_override": 4},),
    }
)
def overridden_axis_by_axis(**setting: Any) -> Verdict:
    return one_axis_at_a_time(**setting)


def one_axis_at_a_time(
    kernel: tuple[int, int],
    stride: tuple[int, int],
    edges: tuple[tuple[int, int], tuple[int, int]],
    options: dict[str, Any],
) -> Verdict:
    """A pooling of both axes against that of the first and then of the second."""
    size, none = (3, 4), (0, 0)
    whole = sc.AvgPool(kernel, stride=stride, padding=edges, **options).operator(size)
    column = sc.AvgPool(
        (kernel[0], 1), stride=(stride[0], 1), padding=(edges[0], none), **options
    ).operator(size)
    row = sc.AvgPool(
        (1, kernel[1]), stride=(1, stride[1]), padding=(none, edges[1]), **options
    ).operator(column.output_shape)
    return sc.same_operator(whole, row.exact() * column.exact())


def outputs(layer: sc.AvgPool, x: Array) -> list[Any]:
    """The pooled values, in a row."""
    return [sympy.sympify(value) for value in layer.operator(x.shape).apply(x).ravel().tolist()]


def fractions(text: str) -> list[Any]:
    """Rational numbers written with blanks between them."""
    return [sympy.Rational(word) for word in text.split()]


@exhaustive(
    "averages.pytorch-183528",
    words="The 3×3 means of 4×4 numbers 1 … 16 with stride 2, padding 1, ceil mode and padding "
    "counted are 14/9, 10/3, 2; 19/3, 11, 6; 9/2, 15/2, 4.",
    latex=r"\begin{pmatrix} 14/9 & 10/3 & 2 \\ 19/3 & 11 & 6 \\ 9/2 & 15/2 & 4 \end{pmatrix}",
    source="pytorch/pytorch#183528",
    near_miss="every window divided by 9, the overhang counted",
    box={"divisor": (None,)},
)
def pytorch_183528(divisor: int | None) -> bool:
    layer = sc.AvgPool((3, 3), stride=2, padding=1, ceil_mode=True, divisor_override=divisor)
    found = outputs(layer, np.arange(1, 17).reshape(4, 4))
    return found == fractions("14/9 10/3 2 19/3 11 6 9/2 15/2 4")


@pytorch_183528.near_miss_claim(box={"divisor": (9,)})
def pytorch_183528_as_was(divisor: int | None) -> bool:
    return bool(pytorch_183528.definition(divisor))


@exhaustive(
    "averages.onnxruntime-29631",
    words="The means of 7 of the numbers 1 … 9 with stride 3, three zeros at the end, ceil mode "
    "and padding counted are 4, 39/7, 4.",
    latex=r"(4,\ \tfrac{39}{7},\ 4)",
    source="microsoft/onnxruntime PR#29631",
    near_miss="the last window divided by 7 as well",
    box={"divisor": (None,)},
)
def onnxruntime_29631(divisor: int | None) -> bool:
    layer = sc.AvgPool((7,), stride=3, padding=((0, 3),), ceil_mode=True, divisor_override=divisor)
    return outputs(layer, np.arange(1, 10)) == fractions("4 39/7 4")


@onnxruntime_29631.near_miss_claim(box={"divisor": (7,)})
def onnxruntime_29631_as_was(divisor: int | None) -> bool:
    return bool(onnxruntime_29631.definition(divisor))


@exhaustive(
    "averages.coremltools-2844",
    words="The 2×2 means of the 7×7 numbers 0 … 48 with stride 3 and ceil mode end each row in "
    "9.5, 30.5, 48: the last windows have one column, the last of all one sample.",
    latex=r"y_{\cdot,2} = (9.5,\ 30.5,\ 48)",
    source="apple/coremltools PR#2844",
    near_miss="every window divided by 4",
    box={"divisor": (None,)},
)
def coremltools_2844(divisor: int | None) -> bool:
    layer = sc.AvgPool((2, 2), stride=3, ceil_mode=True, divisor_override=divisor)
    return outputs(layer, np.arange(49).reshape(7, 7))[2::3] == fractions("19/2 61/2 48")


@coremltools_2844.near_miss_claim(box={"divisor": (4,)})
def coremltools_2844_as_was(divisor: int | None) -> bool:
    return bool(coremltools_2844.definition(divisor))


@exhaustive(
    "averages.pytorch-198119",
    words="The gradient of the sum of the means of 2 of 5 samples with stride 2 and ceil mode is "
    "1/2, 1/2, 1/2, 1/2, 1: the last window has one sample and divides by 1.",
    latex=r"A^{T}(1,1,1)^{T} = (\tfrac12,\tfrac12,\tfrac12,\tfrac12,1)^{T}",
    source="pytorch/pytorch#198119",
    near_miss="every window divided by 2",
    box={"divisor": (None,)},
)
def pytorch_198119(divisor: int | None) -> bool:
    layer = sc.AvgPool((2,), stride=2, ceil_mode=True, divisor_override=divisor)
    gradient = layer.operator((5,)).T.apply([1, 1, 1])
    return [sympy.sympify(part) for part in gradient] == fractions("1/2 1/2 1/2 1/2 1")


@pytorch_198119.near_miss_claim(box={"divisor": (2,)})
def pytorch_198119_as_was(divisor: int | None) -> bool:
    return bool(pytorch_198119.definition(divisor))
