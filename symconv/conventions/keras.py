"""TensorFlow and Keras: "valid", "same", "causal", and the sizes of transposed convolutions.

References
----------
TensorFlow, documentation of ``tf.nn``, "Notes on padding"; Keras, documentation of ``Conv1D``
and ``Conv2DTranspose``; Keras 3.15.1, ``keras/src/backend/common/backend_utils.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.conventions.amounts import padding_amount
from symconv.conventions.base import Convention, Limit, Resolved, transposed_to_size
from symconv.conventions.elementwise import index, maximum
from symconv.conventions.pytorch import padded, windows
from symconv.errors import ParameterError
from symconv.relation import AxisRelation

__all__ = ["KerasConv", "KerasConvTranspose"]

_AMOUNTS = {"valid": "valid", "same": "same_upper", "causal": "causal"}


@dataclass(frozen=True)
class KerasConv(Convention):
    """``keras.layers.Conv`` and pooling; ``tf.nn.convolution``: "valid", "same" or "causal".

    "same" gives ⌈n/s⌉ outputs, with the odd unit of padding at the end; "causal" (one axis only)
    puts all of E − 1 at the start. The layers of Keras refuse stride > 1 together with
    dilation > 1; the operation underneath does not, and this is its rule. Average pooling never
    counts the padding: the divisor is the number of samples that a window meets.

    Examples
    --------
    >>> same = KerasConv("same").resolve(8, 3, 2)
    >>> same.pad_lo, same.pad_hi, same.output_size
    (0, 1, 4)
    """

    padding: str = "valid"

    def __post_init__(self) -> None:
        checks.choice("padding", self.padding, _AMOUNTS)

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        return _AMOUNTS[self.padding].replace("_", " ")

    def counts_padding(self, stated: bool | None, dilation: Sequence[Any]) -> bool:
        """See `Convention.counts_padding`."""
        if stated:
            raise ParameterError(
                "count_include_pad must be False in Keras and TensorFlow, whose averages count "
                "samples only, got True"
            )
        return False

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        amount = padding_amount(_AMOUNTS[self.padding], axis, n_in)
        return windows(padded(axis, *amount), n_in, False)


@dataclass(frozen=True)
class KerasConvTranspose(Convention):
    """``keras.layers.Conv2DTranspose``: the gradient of the convolution with this padding.

    With E the extent, the output size is n·s + max(E − s, 0) for "valid" and n·s for "same";
    with an output padding op it is s(n−1) + E + op and s(n−1) + (E mod 2) + op. In each case the
    low padding is that of the forward convolution on this size.

    Parameters
    ----------
    padding : {"valid", "same"}
    output_padding : int, optional
        Below the stride. For "same" with an even extent it must be at least 1: on the size
        s(n−1) the forward convolution has n−1 outputs, so that TensorFlow has no gradient of
        this shape (Keras on JAX computes one all the same).

    Examples
    --------
    >>> layer = KerasConvTranspose("same").resolve(4, 3, 2)
    >>> layer.pad_lo, layer.pad_hi, layer.output_padding, layer.output_size
    (0, 1, 0, 8)
    >>> KerasConvTranspose("valid").resolve(4, 1, 2).output_size
    8
    """

    padding: str = "valid"
    output_padding: Any = None

    def __post_init__(self) -> None:
        checks.choice("padding", self.padding, ("valid", "same"))
        if self.output_padding is not None:
            value = index("output_padding", self.output_padding, 0)
            object.__setattr__(self, "output_padding", value)

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        given = "" if self.output_padding is None else ", output padding"
        return f"transposed {self.padding}{given}"

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        same = self.padding == "same"
        extra = self.output_padding
        if extra is None:
            extra = axis.stride - axis.extent % 2 if same else maximum(axis.stride - axis.extent, 0)
        kept = axis.extent % 2 if same else axis.extent
        # Size s(n−1) + kept + op: that of the transpose with E − kept cut away in total.
        size = padded(axis, 0, axis.extent - kept).input_size(n_in, extra)
        forward = "same_upper" if same else "valid"
        pad_lo, _ = padding_amount(forward, axis, size)
        return transposed_to_size(axis, n_in, pad_lo, size)

    def limits(self, axis: AxisRelation, n_in: Any) -> tuple[Limit, ...]:
        """Output padding below the stride, and a size whose convolution has n outputs."""
        if self.output_padding is None:
            return ()
        extra = self.output_padding
        below = Limit(
            extra < axis.stride,
            f"output_padding must be below the stride, {axis.stride}, in Keras, got {extra}",
        )
        if self.padding == "valid":
            return (below,)
        rule = (
            f"output_padding must be >= 1 for padding 'same' with an even extent, whose size "
            f"s(n−1) would have n−1 windows, got {extra}"
        )
        return (below, Limit(axis.extent % 2 + extra >= 1, rule))
