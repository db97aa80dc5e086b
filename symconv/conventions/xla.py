"""XLA and JAX: explicit padding pairs, dilated inputs, and ``lax.conv_transpose``.

References
----------
JAX 0.10.2, documentation of ``jax.lax.conv_general_dilated`` and ``jax.lax.conv_transpose``
(whose two meanings of explicit padding are the subject of jax-ml/jax#32267); XLA, operation
semantics of ``ConvWithGeneralPadding``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.conventions.amounts import padding_amount
from symconv.conventions.base import Convention, Resolved, pair, transposed_to_size
from symconv.conventions.elementwise import index, maximum
from symconv.conventions.pytorch import padded, windows
from symconv.errors import ParameterError
from symconv.relation import AxisRelation

__all__ = ["JaxConvTranspose", "XlaConv"]

_AMOUNTS = {"VALID": "valid", "SAME": "same_upper", "SAME_LOWER": "same_lower"}


@dataclass(frozen=True)
class XlaConv(Convention):
    """``lax.conv_general_dilated`` and ``lax.reduce_window``.

    Parameters
    ----------
    padding : (lo, hi), or "VALID", "SAME", "SAME_LOWER"
        Of the spread input; negative entries crop.
    input_dilation : int
        ``lhs_dilation``: the input is spread by this first. JAX refuses it together with a name.

    Examples
    --------
    >>> XlaConv((-1, 2)).resolve(8, 3, 2).output_size
    4
    """

    padding: Any = (0, 0)
    input_dilation: Any = 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_dilation", index("input_dilation", self.input_dilation, 1))
        if not isinstance(self.padding, str):
            object.__setattr__(self, "padding", pair("padding", self.padding))
            return
        checks.choice("padding", self.padding, _AMOUNTS)
        if not (isinstance(self.input_dilation, int) and self.input_dilation == 1):
            raise ParameterError(
                f"input_dilation must be 1 with padding {self.padding!r} in JAX, "
                f"got {self.input_dilation}"
            )

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        if not (isinstance(self.input_dilation, int) and self.input_dilation == 1):
            return "pads, spread"
        return _AMOUNTS[self.padding].replace("_", " ") if self._is_named else "pads"

    @property
    def _is_named(self) -> bool:
        return isinstance(self.padding, str)

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        spread = AxisRelation(
            axis.n_taps, axis.stride, axis.dilation, input_dilation=self.input_dilation
        )
        amount = self.padding
        if self._is_named:
            amount = padding_amount(_AMOUNTS[self.padding], axis, n_in)
        return windows(padded(spread, *amount), n_in, False)


@dataclass(frozen=True)
class JaxConvTranspose(Convention):
    """``lax.conv_transpose``: one stride-1 convolution of the spread input.

    Parameters
    ----------
    padding : (lo, hi), or "SAME", "VALID"
        Names mean the padding of the forward convolution, with the sizes of Keras: n·s and
        n·s + max(E − s, 0). A pair means the padding of the *spread* input, so that (E−1−lo,
        E−1−hi) is cut from the transpose; with `use_consistent_padding` it means the padding of
        the forward convolution, as in PyTorch.
    use_consistent_padding : bool

    Notes
    -----
    The kernel is not flipped unless ``transpose_kernel=True``: that changes values, not sizes.

    Examples
    --------
    >>> [JaxConvTranspose((1, 1), consistent).resolve(8, 4, 2).output_size
    ...  for consistent in (False, True)]
    [14, 16]
    """

    padding: Any = "SAME"
    use_consistent_padding: bool = False

    def __post_init__(self) -> None:
        checks.flag("use_consistent_padding", self.use_consistent_padding)
        if isinstance(self.padding, str):
            checks.choice("padding", self.padding, ("SAME", "VALID"))
        else:
            object.__setattr__(self, "padding", pair("padding", self.padding))

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        if isinstance(self.padding, str):
            return f"transposed {self.padding.lower()}"
        return "transposed pads" if self.use_consistent_padding else "transposed border"

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        bare = padded(axis, 0, 0)
        if isinstance(self.padding, str):
            # The border of the spread input is what is left of E − 1 on the low side.
            missing = maximum(axis.extent - axis.stride, 0)
            if self.padding == "VALID":
                return transposed_to_size(axis, n_in, 0, n_in * axis.stride + missing)
            return transposed_to_size(axis, n_in, missing // 2, n_in * axis.stride)
        lo, hi = self.padding
        if not self.use_consistent_padding:
            # The border of the spread input and the padding of the forward convolution are each
            # other's rest to E − 1.
            spread = padded(axis, lo, hi).adjoint()
            lo, hi = spread.pad_lo, spread.pad_hi
        return transposed_to_size(axis, n_in, lo, bare.input_size(n_in) - lo - hi)
