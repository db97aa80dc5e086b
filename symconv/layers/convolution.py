"""Convolutions and transposed convolutions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from symconv import checks
from symconv.counts import Counts, convolution_counts
from symconv.errors import ParameterError, ShapeError, located
from symconv.geometry import Geometry, by_axis
from symconv.layers.base import (
    Layer,
    any_size,
    channel_pairs,
    check_boundary,
    checked_padding,
    convolution_parameters,
    normalise_convolution,
    padded_relation,
    store,
)
from symconv.maps import ConvolutionMap
from symconv.operator import Operator
from symconv.relation import AxisRelation
from symconv.rendering import relation_latex

__all__ = ["Conv", "ConvTranspose"]


class ConvolutionLayer(Layer):
    """What convolutions and transposed convolutions share: channels, parameters, counts."""

    in_channels: Any
    out_channels: Any
    kernel_size: Any
    groups: Any
    bias: bool

    @property
    def rank(self) -> int:
        return len(self.kernel_size)

    def _channels_out(self, channels: Any) -> Any:
        if channels != self.in_channels:
            raise ShapeError(f"input channels must be {self.in_channels}, got {channels}")
        return self.out_channels

    def parameter_count(self) -> Any:
        """Weights and biases: c_in·c_out/groups·taps + c_out, without c_out if bias is False.

        Examples
        --------
        >>> Conv(3, 256, (5, 5)).parameter_count(), Conv(3, 3, (5, 5), groups=3).parameter_count()
        (19456, 78)
        """
        return convolution_parameters(self)

    def counts(self, input_size: Sequence[Any]) -> Counts:
        """Parameters, outputs, MACs and FLOPs by name (see `symconv.counts.Counts`).

        Parameters
        ----------
        input_size : sequence of int or SymPy expressions

        Examples
        --------
        >>> counts = Conv(3, 8, (3, 3), padding=1).counts((4, 4))
        >>> counts.parameters, counts.macs_per_tap, counts.macs_inside, counts.flops_inside
        (224, 3456, 2400, 4928)
        """
        with located(self.describe):
            size = self._checked_size("input_size", input_size)
            self.output_size(size)
            return convolution_counts(
                [self.relation(axis, n) for axis, n in enumerate(size)],
                size,
                self.in_channels,
                self.out_channels,
                groups=self.groups,
                bias=self.bias,
                transposed=self.is_transposed,
                boundary=self._boundary(),
            )

    def mac_count(self, input_size: Sequence[Any], count: str = "per_tap") -> Any:
        """Multiply-accumulate operations for one input.

        Parameters
        ----------
        input_size : sequence of int or SymPy expressions
        count : {"per_tap", "inside"}
            "per_tap": every tap of every output (of a transposed layer: of every input), padding
            included; "inside": the triples, those that meet a stored sample.

        Examples
        --------
        >>> conv = Conv(1, 1, (3,), padding=1)
        >>> conv.mac_count((4,)), conv.mac_count((4,), "inside")
        (12, 10)
        >>> layer = ConvTranspose(4, 6, (3, 3), padding=1)
        >>> layer.mac_count((8, 8)), layer.mac_count((8, 8), "inside")
        (13824, 11616)
        """
        with located(self.describe):
            checks.choice("count", count, ("per_tap", "inside"))
            if count == "inside":
                return self.counts(input_size).macs_inside
            outputs = self.output_size(input_size)
            windows = tuple(input_size) if self.is_transposed else outputs
            return channel_pairs(self) * math.prod(self.kernel_size) * math.prod(windows)


@dataclass(frozen=True, repr=False)
class Conv(ConvolutionLayer):
    """A convolution as every framework computes it: cross-correlation, kernel not flipped.

    ``y[o] = Σ_k w[k] · x[s·o + d·k − p]`` on each axis, summed over the input channels of the
    group. The rank is the length of `kernel_size`.

    Parameters
    ----------
    in_channels, out_channels : int or symbolic
    kernel_size : tuple of int
        Taps per axis (the aliases `Conv1d`, `Conv2d`, `Conv3d` accept an int).
    stride, dilation : int or tuple, default 1
    padding : int, tuple, or str, default 0
        One amount, one per axis, or one (lo, hi) pair per axis, in samples; negative crops. Or
        "valid", "full", "same" (PyTorch's: stride 1, the odd unit at the end), "same_upper",
        "same_lower" (TensorFlow's and ONNX's, dependent on the size), "causal".
    groups : int, default 1
    bias : bool, default True
    padding_mode : str, default "zeros"
        "zeros", "constant", "circular", "reflect", "symmetric" or "replicate"; each is defined
        for padding of any width.
    padding_value : int, Fraction, float or symbolic, default 0
        What the mode "constant" reads outside the input.
    input_dilation : int or tuple, default 1
        Spread the input by b−1 zeros between neighbours first (XLA's ``lhs_dilation``).

    Examples
    --------
    >>> layer = Conv(3, 8, kernel_size=(3, 3), stride=2, padding=1)
    >>> layer
    Conv(3, 8, (3, 3), stride=(2, 2), padding=((1, 1), (1, 1)))
    >>> layer.output_shape((3, 32, 32)), layer.parameter_count()
    ((8, 16, 16), 224)

    References
    ----------
    V. Dumoulin, F. Visin (2016), arXiv:1603.07285, relationships 1-6 and 15.
    """

    in_channels: Any
    out_channels: Any
    kernel_size: Any
    stride: Any = field(default=1, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    groups: Any = field(default=1, kw_only=True)
    bias: bool = field(default=True, kw_only=True)
    padding_mode: str = field(default="zeros", kw_only=True)
    padding_value: Any = field(default=0, kw_only=True)
    input_dilation: Any = field(default=1, kw_only=True)

    def __post_init__(self) -> None:
        with located(self.describe):
            normalise_convolution(self)
            rank = len(self.kernel_size)
            store(
                self,
                "input_dilation",
                checks.per_axis("input_dilation", self.input_dilation, rank, 1),
            )
            store(self, "padding", checked_padding(self.padding, rank))
            check_boundary(self)
            for axis in range(rank):
                if self.padding == "same":
                    self.relation(axis, 0)

    def relation(self, axis: int, n_in: Any = None) -> AxisRelation:
        return padded_relation(
            AxisRelation(
                self.kernel_size[axis],
                self.stride[axis],
                self.dilation[axis],
                input_dilation=self.input_dilation[axis],
            ),
            self.padding if isinstance(self.padding, str) else self.padding[axis],
            n_in,
        )

    def geometry(self, input_size: Sequence[int]) -> Geometry:
        """The validated geometry at one input size."""
        return self._geometry(
            input_size,
            in_channels=self.in_channels,
            out_channels=self.out_channels,
            groups=self.groups,
        )

    def output_paddings(self, output_size: Sequence[int]) -> tuple[dict[int, int], ...]:
        """Per axis, what each output padding of the transposed layer means.

        The input sizes that share an output size are told apart by the output padding of the
        `ConvTranspose` with this layer's parameters: {output padding: the size it restores}.

        Examples
        --------
        >>> Conv(1, 1, (3,), stride=2, padding=1).output_paddings((16,))
        ({0: 31, 1: 32},)
        """
        with located(self.describe):
            if not self._has_floor_rule or set(self.input_dilation) != {1}:
                raise ParameterError(
                    "padding must not depend on the size, and input_dilation must be 1, for output "
                    "paddings to tell sizes apart"
                )
            found = []
            for axis, sizes in enumerate(self.input_sizes(output_size)):
                least = self.relation(axis).input_size(output_size[axis])
                found.append({n - least: n for n in sizes})
            return tuple(found)

    def latex(self) -> str:
        return relation_latex(
            [self.relation(axis, any_size(axis)) for axis in range(self.rank)],
            channels=(self.in_channels, self.out_channels, self.groups),
            bias=self.bias,
            padding_mode=self.padding_mode,
        )

    def operator(self, input_size: Sequence[int]) -> Operator:
        geometry = self.geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.input_size)}"
        return Operator(ConvolutionMap(geometry), name, bias=self.bias)


@dataclass(frozen=True, repr=False)
class ConvTranspose(ConvolutionLayer):
    """A transposed convolution: the transpose of a convolution's matrix, as PyTorch's layer.

    ``y[s·i + d·k − p] += w[k] · x[i]`` on each axis, output size s(n−1) + E + op − p_lo − p_hi
    with extent E = d(K−1)+1. It is always the transpose of the convolution with padding
    (lo, hi − op) on its own output size; of the one with padding (lo, hi) iff op < s.

    Parameters
    ----------
    in_channels, out_channels : int or symbolic
        Of this layer's input and output. Weights are (in, out/groups, *kernel).
    kernel_size : tuple of int
    stride, dilation : int or tuple, default 1
    padding : int, tuple, or pairs, default 0
        Samples cut from the output: one amount, one per axis, or (lo, hi) per axis; negative
        values append zeros.
    output_padding : int or tuple, default 0
        Samples added at the high end, any number (PyTorch allows op < max(s, d) only).
    groups : int, default 1
    bias : bool, default True

    Examples
    --------
    >>> layer = ConvTranspose(8, 3, (3, 3), stride=2, padding=1, output_padding=1, bias=False)
    >>> layer.output_shape((8, 16, 16))
    (3, 32, 32)
    >>> conv = Conv(3, 8, (3, 3), stride=2, padding=1, bias=False)
    >>> layer.operator((2, 2)).exact() == conv.operator((4, 4)).exact().T
    True

    References
    ----------
    V. Dumoulin, F. Visin (2016), arXiv:1603.07285, relationships 8-14.
    """

    is_transposed = True

    in_channels: Any
    out_channels: Any
    kernel_size: Any
    stride: Any = field(default=1, kw_only=True)
    padding: Any = field(default=0, kw_only=True)
    output_padding: Any = field(default=0, kw_only=True)
    dilation: Any = field(default=1, kw_only=True)
    groups: Any = field(default=1, kw_only=True)
    bias: bool = field(default=True, kw_only=True)

    def __post_init__(self) -> None:
        with located(self.describe):
            normalise_convolution(self)
            rank = len(self.kernel_size)
            if isinstance(self.padding, str):
                raise ParameterError(
                    f"padding must be integers or (lo, hi) pairs for a transposed convolution, "
                    f"got {self.padding!r}"
                )
            store(self, "padding", checks.pairs("padding", self.padding, rank))
            store(
                self,
                "output_padding",
                checks.per_axis("output_padding", self.output_padding, rank, 0),
            )

    def relation(self, axis: int, n_in: Any = None) -> AxisRelation:
        """The convolution that this layer transposes, on one axis: padding (lo, hi − op)."""
        lo, hi = self.padding[axis]
        return AxisRelation(
            self.kernel_size[axis],
            self.stride[axis],
            self.dilation[axis],
            lo,
            hi - self.output_padding[axis],
        )

    def _output_on(self, axis: int, n_in: Any) -> Any:
        return self.relation(axis).input_size(n_in)

    def _least_input(self, axis: int) -> int:
        return 1

    def geometry(self, input_size: Sequence[int]) -> Geometry:
        """The geometry of the convolution whose transpose this layer is at `input_size`."""
        with located(lambda: f"{self.describe()} on {input_size}"):
            size = self._checked_size("input_size", input_size)
            size = tuple(checks.concrete("input_size", n) for n in size)
            self._check_concrete()
            return Geometry.of(
                [self.relation(axis) for axis in range(self.rank)],
                self.output_size(size),
                in_channels=self.out_channels,
                out_channels=self.in_channels,
                groups=self.groups,
            )

    def latex(self) -> str:
        return relation_latex(
            [self.relation(axis) for axis in range(self.rank)],
            transposed=True,
            channels=(self.in_channels, self.out_channels, self.groups),
            bias=self.bias,
        )

    def operator(self, input_size: Sequence[int]) -> Operator:
        geometry = self.geometry(input_size)
        name = f"{self.describe()} on {by_axis(geometry.output_size)}"
        return Operator(ConvolutionMap(geometry), name, transposed=True, bias=self.bias)
