"""Ratios of costs that are quoted for convolutions, each with the exact condition it holds under.

A `Ratio` puts three things side by side: the exact ratio of two counts, the short formula that is
commonly quoted for it, and the condition that decides whether the two are equal.

References
----------
A. Howard et al., *MobileNets* (2017), arXiv:1704.04861, section 3.1 (1/N + 1/D²).
V. Dumoulin, F. Visin, *A guide to convolution arithmetic for deep learning* (2016),
arXiv:1603.07285, section 4 (zero insertion).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from symconv.checks import choice, flag, integer, is_symbolic
from symconv.counts import (
    Counts,
    convolution_counts,
    depthwise_separable_counts,
    separable_counts,
)
from symconv.errors import ParameterError
from symconv.relation import AxisRelation
from symconv.verdict import Verdict, proved, refuted, undecided

__all__ = [
    "COUNTED",
    "Ratio",
    "depthwise_separable_ratio",
    "grouped_ratio",
    "same_padding_triples",
    "separable_ratio",
    "zero_insertion_ratio",
]

#: An int or a SymPy expression.
Number = Any

#: What may be compared: names of `Counts`.
COUNTED = ("weights", "parameters", "macs_per_tap", "macs_inside")


@dataclass(frozen=True)
class Ratio:
    """An exact ratio, the formula quoted for it, and when they agree.

    Attributes
    ----------
    value : sympy.Expr
        The exact ratio of the two counts.
    quoted : sympy.Expr
        The formula in common use.
    condition : sympy.Boolean
        True, False or an expression: value equals quoted iff it holds.
    scope : str
        The symbols that the two counts depend on.

    Examples
    --------
    >>> same = [AxisRelation(3, pad_lo=1, pad_hi=1)] * 2
    >>> inside = depthwise_separable_ratio(same, (4, 4), 2, 8, count="macs_inside")
    >>> inside.value, inside.quoted, bool(inside.verdict)
    (57/200, 17/72, False)
    """

    value: Any
    quoted: Any
    condition: Any
    scope: str

    @property
    def verdict(self) -> Verdict:
        """Whether the quoted formula is exact; undecided where that depends on a symbol."""
        if self.condition == sympy.true:
            return proved(self.scope, f"the ratio is {self.quoted}")
        if self.condition == sympy.false:
            case = {"ratio": self.value, "quoted": self.quoted}
            return refuted(self.scope, case, "the ratio is not the quoted one")
        return undecided(self.scope, f"the ratio is {self.quoted} iff {self.condition}")


def _ratio(count: str, cheap: Counts, dear: Counts, quoted: Any, condition: Any) -> Ratio:
    numerator, denominator = (
        sympy.sympify(getattr(counts, count), strict=True) for counts in (cheap, dear)
    )
    if denominator == 0:
        raise ParameterError(f"count must not be 0 for the layer compared with, got {count} 0")
    names = sorted(map(str, numerator.free_symbols | denominator.free_symbols))
    return Ratio(
        sympy.cancel(numerator / denominator),
        sympy.cancel(sympy.sympify(quoted, strict=True)),
        condition,
        f"all values of {', '.join(names)}" if names else "the stated numbers",
    )


def _equal(one: Number, other: Number) -> Any:
    """When two polynomials agree: their difference without the factors that are never 0."""
    difference = sympy.factor(sympy.expand(sympy.sympify(one, strict=True) - other))
    kept = [factor for factor in sympy.Mul.make_args(difference) if not factor.is_nonzero]
    return sympy.Eq(sympy.Mul(*kept), 0) if kept or difference == 0 else sympy.false


def grouped_ratio(
    in_channels: Number,
    out_channels: Number,
    groups: Number,
    n_taps: Number,
    *,
    bias: bool = True,
    count: str = "parameters",
) -> Ratio:
    """A convolution in groups against the dense one; quoted 1/groups.

    Exact for weights and MACs of either kind; with biases in the count iff groups is 1.

    Examples
    --------
    >>> grouped_ratio(4, 8, 2, 9).value, grouped_ratio(4, 8, 2, 9, count="weights").value
    (19/37, 1/2)
    """
    choice("count", count, COUNTED)
    kernel = [AxisRelation(integer("n_taps", n_taps, 1))]
    # The ratio does not depend on the size: one output.
    size, biased = (kernel[0].input_size(1),), flag("bias", bias)
    cheap, dear = (
        convolution_counts(kernel, size, in_channels, out_channels, groups=parts, bias=biased)
        for parts in (groups, 1)
    )
    free = count != "parameters" or not biased
    condition = sympy.true if free else _equal(groups, 1)
    return _ratio(count, cheap, dear, 1 / sympy.sympify(groups, strict=True), condition)


def depthwise_separable_ratio(
    relations: Iterable[AxisRelation],
    input_size: Sequence[Number],
    in_channels: Number,
    out_channels: Number,
    *,
    bias: bool = True,
    count: str = "macs_per_tap",
) -> Ratio:
    """Depthwise and pointwise against dense; quoted 1/out_channels + 1/taps.

    Exact for weights and MACs per tap. Parameters with biases differ from it by
    ``(taps·(C − 1) + C'·(taps − 1)) / (taps·C'·(C·taps + 1))`` for C to C' channels, so it holds
    iff C = taps = 1. MACs inside are exact iff no tap ever reads padding: the pointwise part
    multiplies each output, however few samples the output has seen.

    Examples
    --------
    >>> C, D, K, n = sympy.symbols("C D K n", integer=True, positive=True)
    >>> depthwise_separable_ratio([AxisRelation(K)], (n,), C, D).value
    (D + K)/(D*K)
    >>> depthwise_separable_ratio([AxisRelation(K)], (n,), C, D, count="parameters").condition
    Eq(C, 1) & Eq(K, 1)
    """
    choice("count", count, COUNTED)
    axes = tuple(relations)
    cheap = depthwise_separable_counts(axes, input_size, in_channels, out_channels, bias=bias)
    dear = convolution_counts(axes, input_size, in_channels, out_channels, bias=bias)
    taps = sympy.sympify(math.prod(axis.n_taps for axis in axes), strict=True)
    condition: Any = sympy.true
    if count == "parameters" and bias:
        condition = sympy.And(sympy.Eq(in_channels, 1), sympy.Eq(taps, 1))
    elif count == "macs_inside":
        condition = _equal(dear.macs_inside, dear.macs_per_tap)
    return _ratio(
        count, cheap, dear, 1 / sympy.sympify(out_channels, strict=True) + 1 / taps, condition
    )


def separable_ratio(
    relations: Sequence[AxisRelation],
    input_size: Sequence[Number],
    *,
    count: str = "macs_per_tap",
) -> Ratio:
    """A rank-1 kernel in one pass per axis against the dense kernel; quoted Σ taps / Π taps.

    On two axes that is (m + n)/(m·n). Exact for the weights. The first pass has a column for each
    *stored* column, so per tap it is exact iff the size of the second axis does not change (on
    more axes: iff each pass runs at the output size). Inside: with T triples of each axis, n
    samples and O outputs, it is n₂/T₂ + O₁/T₁.

    Examples
    --------
    >>> valid, same = AxisRelation(3), AxisRelation(3, pad_lo=1, pad_hi=1)
    >>> separable_ratio([same, same], (8, 8)).value, separable_ratio([valid, valid], (8, 8)).value
    (2/3, 7/9)
    """
    choice("count", count, COUNTED)
    axes = tuple(relations)
    cheap = separable_counts(axes, input_size)
    dear = convolution_counts(axes, input_size, 1, 1, bias=False)
    taps = [sympy.sympify(axis.n_taps, strict=True) for axis in axes]
    quoted = sympy.Add(*taps) / sympy.Mul(*taps)
    condition: Any = sympy.true
    if count.startswith("macs"):
        left = sympy.sympify(getattr(cheap, count), strict=True) * sympy.Mul(*taps)
        condition = _equal(
            left, sympy.sympify(getattr(dear, count), strict=True) * sympy.Add(*taps)
        )
    return _ratio(count, cheap, dear, quoted, condition)


def zero_insertion_ratio(
    relations: Sequence[AxisRelation],
    input_size: Sequence[Number],
    *,
    count: str = "macs_per_tap",
) -> Ratio:
    """A transposed layer by zero insertion against its gradient form; quoted Π stride.

    Zero insertion slides the whole kernel over each of the layer's outputs, zeros included. The
    gradient form scatters each input through each tap (``macs_per_tap``), or only where the
    output is kept (``macs_inside``). Per tap the ratio is that of the sizes, Π (outputs/inputs)
    with ``outputs = s(n − 1) + E + op − p_lo − p_hi``, so Π stride is exact iff the layer
    multiplies the number of its samples by it; inside, outputs·taps over triples.

    Parameters
    ----------
    relations : sequence of AxisRelation
        Per axis the convolution that the layer transposes, its high padding less the output
        padding.
    input_size : sequence of int or SymPy expressions
        Samples of the layer's input per axis.

    Examples
    --------
    >>> n = sympy.Symbol("n", integer=True, positive=True)
    >>> doubling = AxisRelation(4, stride=2, pad_lo=1, pad_hi=1)
    >>> zero_insertion_ratio([doubling] * 2, (n, n)).value
    4
    >>> zero_insertion_ratio([AxisRelation(3, stride=2)], (n,)).value
    (2*n + 1)/n
    """
    if choice("count", count, COUNTED) in ("weights", "parameters"):
        raise ParameterError(f"count must be 'macs_per_tap' or 'macs_inside', got {count!r}")
    axes = tuple(relations)
    gradient = convolution_counts(axes, input_size, 1, 1, bias=False, transposed=True)
    taps = math.prod(axis.n_taps for axis in axes)
    slid = gradient.outputs * taps
    inserted = Counts(taps, 0, gradient.outputs, 0, slid, slid)
    strides = math.prod(axis.stride for axis in axes)
    condition = _equal(slid, strides * sympy.sympify(getattr(gradient, count), strict=True))
    return _ratio(count, inserted, gradient, strides, condition)


def same_padding_triples(n_taps: Number, n_in: Number, dilation: Number = 1) -> Number:
    """Triples of an axis with an odd kernel K = 2m + 1, stride 1 and padding d·m on both sides.

    Tap m ± t meets n − d·t samples while d·t < n, so with q = min(m, ⌊n/d⌋) there are
    ``n(2q + 1) − d·q(q + 1)``. For d = 1 that is K·n − m(m + 1) iff m ≤ n, and n² from m = n − 1
    on, when every output meets every sample once.

    Examples
    --------
    >>> same_padding_triples(3, 4), same_padding_triples(9, 3), same_padding_triples(3, 4, 2)
    (10, 9, 8)
    >>> n = sympy.Symbol("n", integer=True, positive=True)
    >>> same_padding_triples(3, n)
    3*n - 2
    """
    taps, size = integer("n_taps", n_taps, 1), integer("n_in", n_in, 0)
    gap = integer("dilation", dilation, 1)
    if isinstance(taps, int) and taps % 2 == 0:
        raise ParameterError(f"n_taps must be odd, to be padded alike on both sides, got {taps}")
    middle, most = (taps - 1) // 2, size // gap
    whole = isinstance(middle, int) and isinstance(most, int)
    reach = min(middle, most) if whole else sympy.Min(middle, most)
    total = size * (2 * reach + 1) - gap * reach * (reach + 1)
    return sympy.expand(total) if is_symbolic(total) else total
