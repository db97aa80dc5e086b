"""Parameters, multiplications and floating-point operations of a layer, as closed forms.

Every count is a count of triples (o, k, i) of the index relation, channels on top:

- *weights*: pairs of channels that a kernel joins × taps; *biases*: one per output channel;
- *MACs per tap*: one multiply-accumulate for each output (of a transposed layer: each input) and
  tap, padding included;
- *MACs inside*: those that meet a stored sample, which are the triples themselves. On one axis,
  tap k meets one at the outputs o with ``0 ≤ s·o + d·k − p ≤ b(n−1)``: an interval, counted by
  floors;
- *FLOPs*: two per MAC (a product and a sum), and one addition per output for a bias.

Sizes and parameters may be SymPy expressions (the number of taps too, where taps are not summed).

References
----------
V. Sze, Y.-H. Chen, T.-J. Yang, J. Emer, *Efficient processing of deep neural networks: a tutorial
and survey*, Proc. IEEE 105 (2017), section II (MACs and weights of a layer).
A. Howard et al., *MobileNets* (2017), arXiv:1704.04861, section 3.1 (depthwise separable cost).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import sympy

from symconv.boundary import ZEROS, Boundary
from symconv.checks import concrete, flag, integer, is_symbolic, shown
from symconv.errors import GeometryError, ParameterError, ParameterTypeError
from symconv.geometry import Geometry, check_groups
from symconv.relation import AxisRelation

__all__ = [
    "Counts",
    "convolution_counts",
    "depthwise_separable_counts",
    "geometry_counts",
    "joined_pairs",
    "separable_counts",
    "tap_triples",
    "triples_inside",
]

#: An int or a SymPy expression.
Number = Any


def tap_triples(
    relation: AxisRelation,
    n_in: Number,
    tap: Number,
    n_out: Number = None,
    *,
    boundary: Boundary = ZEROS,
) -> Number:
    """Outputs of one axis that meet a stored sample through one tap.

    Parameters
    ----------
    relation : AxisRelation
        Of a convolution or pooling; for a transposed layer, of the convolution it transposes.
    n_in : int or SymPy expression
        Samples of the axis.
    tap : int or SymPy expression
        The tap k.
    n_out : int or SymPy expression, optional
        The outputs, where the floor rule does not give them (ceil mode).
    boundary : Boundary
        What positions outside read: all modes but ``zeros`` and ``constant`` read stored samples.

    Examples
    --------
    >>> n, k = sympy.symbols("n k", integer=True, positive=True)
    >>> tap_triples(AxisRelation(3, pad_lo=1, pad_hi=1), 4, 0)
    3
    >>> tap_triples(AxisRelation(3, stride=2), n, 0)
    Max(0, Min(floor(n/2 - 3/2), floor(n/2 - 1/2)) + 1)
    """
    size = integer("n_in", n_in, 0)
    outputs = relation.output_size(size) if n_out is None else integer("n_out", n_out, 0)
    # Output o reads position(0, k) + s·o, so it lies inside from ⌈−position/s⌉ on.
    below = -relation.position(0, tap)
    first, last = 0, outputs - 1
    if not boundary.needs_samples:
        # A negative high padding crops: an overhang of ceil mode then reads none of it.
        end = relation.spread_size(size) - 1 + _least(relation.pad_hi, 0)
        first, last = (
            _most(-(-below // relation.stride), 0),
            _least((below + end) // relation.stride, last),
        )
    return _in_class(relation, below, first, last)


def _in_class(relation: AxisRelation, below: Number, first: Number, last: Number) -> Number:
    """Outputs from first to last at which s·o − below is a multiple of the input dilation."""
    spread = relation.input_dilation
    if not is_symbolic(spread) and spread == 1:
        return _most(last - first + 1, 0)
    spread, stride = concrete("input_dilation", spread), concrete("stride", relation.stride)
    offset = concrete("tap, dilation and padding", below)
    common = math.gcd(stride, spread)
    if offset % common:
        return 0
    step = spread // common
    start = offset // common * pow(stride // common, -1, step) % step
    return _most((last - start) // step - (first - 1 - start) // step, 0)


def _least(one: Number, other: Number) -> Number:
    if isinstance(one, int) and isinstance(other, int):
        return min(one, other)
    return sympy.Min(one, other)


def _most(one: Number, other: Number) -> Number:
    if isinstance(one, int) and isinstance(other, int):
        return max(one, other)
    return sympy.Max(one, other)


def triples_inside(
    relation: AxisRelation,
    n_in: Number,
    n_out: Number = None,
    *,
    boundary: Boundary = ZEROS,
) -> Number:
    """Triples of one axis: `tap_triples` summed over the taps, whose number is concrete.

    Examples
    --------
    >>> triples_inside(AxisRelation(3, pad_lo=1, pad_hi=1), 4)
    10
    """
    taps = range(concrete("n_taps", integer("n_taps", relation.n_taps, 1)))
    total: Number = 0
    for tap in taps:
        total = total + tap_triples(relation, n_in, tap, n_out, boundary=boundary)
    return total


@dataclass(frozen=True)
class Counts:
    """What a layer costs for one sample of a batch, by name.

    Attributes
    ----------
    weights, biases : int or SymPy expression
        Parameters.
    outputs : int or SymPy expression
        Values computed, those of intermediates included.
    bias_additions : int or SymPy expression
        One for each output of a layer with a bias.
    macs_per_tap : int or SymPy expression
        Multiply-accumulates when every tap counts, also in padding.
    macs_inside : int or SymPy expression
        Multiply-accumulates with a stored sample.

    Examples
    --------
    >>> conv = convolution_counts([AxisRelation(3, pad_lo=1, pad_hi=1)] * 2, (4, 4), 2, 8)
    >>> conv.parameters, conv.macs_per_tap, conv.macs_inside, conv.flops_per_tap
    (152, 2304, 1600, 4736)
    """

    weights: Number
    biases: Number
    outputs: Number
    bias_additions: Number
    macs_per_tap: Number
    macs_inside: Number

    @property
    def parameters(self) -> Number:
        """Weights and biases."""
        return self.weights + self.biases

    @property
    def flops_per_tap(self) -> Number:
        """A product and a sum for each MAC per tap, and the additions of the bias."""
        return 2 * self.macs_per_tap + self.bias_additions

    @property
    def flops_inside(self) -> Number:
        """A product and a sum for each MAC inside, and the additions of the bias."""
        return 2 * self.macs_inside + self.bias_additions

    def __add__(self, other: Counts) -> Counts:
        """The counts of two layers together."""
        if not isinstance(other, Counts):
            return NotImplemented
        names = [item.name for item in fields(self)]
        return Counts(*(getattr(self, name) + getattr(other, name) for name in names))


def convolution_counts(
    relations: Iterable[AxisRelation],
    input_size: Sequence[Number],
    in_channels: Number,
    out_channels: Number,
    *,
    groups: Number = 1,
    bias: bool = True,
    transposed: bool = False,
    boundary: Boundary = ZEROS,
) -> Counts:
    """Counts of a convolution: dense, grouped, or depthwise (as many groups as input channels).

    Parameters
    ----------
    relations : iterable of AxisRelation
        One per axis; of a transposed layer those of the convolution that it transposes.
    input_size : sequence of int or SymPy expressions
        Samples per axis of the layer's own input.
    in_channels, out_channels, groups : int or SymPy expression
        Channels of the layer; groups divides both.
    bias : bool
        Whether a number per output channel is added.
    transposed : bool
        Whether the layer reads its relations from output to input. A MAC per tap is then one for
        each input and tap, and inside are those that are not cropped away.

    Examples
    --------
    >>> n, c = sympy.symbols("n c", integer=True, positive=True)
    >>> depthwise = convolution_counts([AxisRelation(3)], (n,), c, c, groups=c, bias=False)
    >>> depthwise.weights, depthwise.macs_per_tap
    (3*c, 3*c*(n - 2))
    """
    axes, sizes = _axes(relations, input_size)
    inputs = integer("in_channels", in_channels, 1)
    outputs = integer("out_channels", out_channels, 1)
    parts = integer("groups", groups, 1)
    check_groups(inputs, outputs, parts)
    biased = flag("bias", bias)
    if flag("transposed", transposed):
        # The convolution's outputs are this layer's inputs.
        stored = [axis.input_size(n) for axis, n in zip(axes, sizes, strict=True)]
        windows, results = list(sizes), stored
    else:
        stored = list(sizes)
        windows = results = [axis.output_size(n) for axis, n in zip(axes, sizes, strict=True)]
    _check_sizes(results, sizes)
    pairs = joined_pairs(inputs, outputs, parts)
    taps = math.prod(axis.n_taps for axis in axes)
    inside = math.prod(
        _inside_or_unknown(axis, n, n_out, boundary)
        for axis, n, n_out in zip(axes, stored, windows, strict=True)
    )
    values = outputs * math.prod(results)
    return Counts(
        weights=pairs * taps,
        biases=outputs if biased else 0,
        outputs=values,
        bias_additions=values if biased else 0,
        macs_per_tap=pairs * taps * math.prod(windows),
        macs_inside=pairs * inside,
    )


def _axes(
    relations: Iterable[AxisRelation], input_size: Sequence[Number]
) -> tuple[tuple[AxisRelation, ...], tuple[Number, ...]]:
    axes = tuple(relations)
    for axis in axes:
        if not isinstance(axis, AxisRelation):
            raise ParameterTypeError(f"relations must hold AxisRelation, got {shown(axis)}")
    sizes = tuple(integer("input_size", n, 0) for n in input_size)
    if len(sizes) != len(axes) or not axes:
        raise ParameterError(
            f"input_size must have one entry per relation ({len(axes)}, at least 1), "
            f"got {shown(sizes)}"
        )
    return axes, sizes


def _check_sizes(results: Iterable[Number], sizes: Sequence[Number]) -> None:
    for size in results:
        if not is_symbolic(size) and size < 1:
            raise GeometryError(f"output size must be >= 1, got {size} for input size {sizes}")


def joined_pairs(in_channels: Number, out_channels: Number, groups: Number) -> Number:
    """Pairs (input channel, output channel) that a kernel joins: in·out/groups.

    The groups of a valid layer divide both channel numbers: no floor, in symbols either.

    Examples
    --------
    >>> joined_pairs(4, 6, 2), joined_pairs(*sympy.symbols("c o g"))
    (12, c*o/g)
    """
    pairs, parts = in_channels * out_channels, groups
    both = isinstance(pairs, int) and isinstance(parts, int)
    return pairs // parts if both else sympy.sympify(pairs, strict=True) / parts


def _inside_or_unknown(
    relation: AxisRelation, n_in: Number, n_out: Number, boundary: Boundary
) -> Number:
    """`triples_inside`; for a symbolic number of taps the sum that it stands for."""
    if not is_symbolic(relation.n_taps):
        return triples_inside(relation, n_in, n_out, boundary=boundary)
    tap = sympy.Dummy("k", integer=True, nonnegative=True)
    summand = tap_triples(relation, n_in, tap, n_out, boundary=boundary)
    return sympy.Sum(summand, (tap, 0, relation.n_taps - 1))


def geometry_counts(geometry: Geometry, *, bias: bool = False, transposed: bool = False) -> Counts:
    """Counts of a validated geometry, its own output sizes (ceil mode) included.

    `transposed`: of the layer that transposes it. The triples are the same, read backward.

    Examples
    --------
    >>> geometry = Geometry.of([AxisRelation(3, pad_lo=1, pad_hi=1)], [8], in_channels=6)
    >>> geometry_counts(geometry).macs_inside, geometry_counts(geometry, transposed=True).outputs
    (132, 48)
    """
    pairs = joined_pairs(geometry.in_channels, geometry.out_channels, geometry.groups)
    taps, biased = math.prod(geometry.kernel_size), flag("bias", bias)
    shape = geometry.input_shape if flag("transposed", transposed) else geometry.output_shape
    inside = math.prod(
        triples_inside(axis.relation, axis.n_in, axis.n_out, boundary=geometry.boundary)
        for axis in geometry.axes
    )
    return Counts(
        weights=pairs * taps,
        biases=shape[0] if biased else 0,
        outputs=math.prod(shape),
        bias_additions=math.prod(shape) if biased else 0,
        macs_per_tap=pairs * taps * math.prod(geometry.output_size),
        macs_inside=pairs * inside,
    )


def separable_counts(
    relations: Iterable[AxisRelation],
    input_size: Sequence[Number],
    *,
    channel_pairs: Number = 1,
) -> Counts:
    """Counts of a kernel of rank 1 run as one pass per axis, the first axis first.

    Each pass shortens its own axis and takes every stored sample of the later ones; the taps add
    up (m + n of them) where the dense kernel multiplies them.

    Parameters
    ----------
    channel_pairs : int or SymPy expression
        Kernels of rank 1, one for each pair of channels that are joined.

    Examples
    --------
    >>> separable_counts([AxisRelation(3), AxisRelation(5)], (7, 7)).weights
    8
    >>> separable_counts([AxisRelation(3), AxisRelation(5)], (7, 7)).macs_per_tap
    180
    """
    axes, sizes = _axes(relations, input_size)
    pairs = integer("channel_pairs", channel_pairs, 1)
    total = Counts(0, 0, 0, 0, 0, 0)
    current = list(sizes)
    for number, axis in enumerate(axes):
        beside = pairs * math.prod(current[:number] + current[number + 1 :])
        n_out = axis.output_size(sizes[number])
        _check_sizes([n_out], sizes)
        inside = beside * _inside_or_unknown(axis, sizes[number], n_out, ZEROS)
        outputs = beside * n_out
        taps = axis.n_taps
        total += Counts(pairs * taps, 0, outputs, 0, outputs * taps, inside)
        current[number] = n_out
    return total


def depthwise_separable_counts(
    relations: Iterable[AxisRelation],
    input_size: Sequence[Number],
    in_channels: Number,
    out_channels: Number,
    *,
    bias: bool = True,
) -> Counts:
    """Counts of a depthwise convolution followed by a 1×1 one that mixes the channels.

    Examples
    --------
    A 5×5 kernel from 3 to 256 channels, against the dense one:

    >>> kernel = [AxisRelation(5)] * 2
    >>> depthwise_separable_counts(kernel, (12, 12), 3, 256).parameters
    1102
    >>> convolution_counts(kernel, (12, 12), 3, 256).parameters
    19456
    """
    axes, sizes = _axes(relations, input_size)
    depthwise = convolution_counts(
        axes, sizes, in_channels, in_channels, groups=in_channels, bias=bias
    )
    middle = [axis.output_size(n) for axis, n in zip(axes, sizes, strict=True)]
    point = [AxisRelation(1)] * len(axes)
    return depthwise + convolution_counts(point, middle, in_channels, out_channels, bias=bias)
