"""PyTorch: convolution, pooling and transposed convolution on one axis.

References
----------
PyTorch 2.13, documentation of ``torch.nn.Conv2d``, ``MaxPool2d``, ``AvgPool2d`` and
``ConvTranspose2d``; ``pooling_output_shape_pad_lr`` in ``aten/src/ATen/native/Pool.h``, whose
ceil mode was changed by pytorch/pytorch#46558 (for #45357).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.conventions.amounts import padding_amount
from symconv.conventions.base import Convention, Limit, Resolved
from symconv.conventions.elementwise import all_of, differ, equal, index, maximum, select
from symconv.errors import ParameterError
from symconv.relation import AxisRelation

__all__ = ["TorchConv", "TorchConvTranspose", "TorchPool", "padded", "windows"]

#: Which last windows ceil mode drops: all that start past the input, or, before pytorch#46558,
#: those only where there is padding.
CEIL_RULES = ("2", "before 46558")


def padded(axis: AxisRelation, pad_lo: Any, pad_hi: Any) -> AxisRelation:
    """The axis with this padding."""
    return AxisRelation(
        axis.n_taps, axis.stride, axis.dilation, pad_lo, pad_hi, axis.input_dilation
    )


def windows(axis: AxisRelation, n_in: Any, ceil_mode: bool, drops: Any = True) -> Resolved:
    """Windows on a padded axis; ceil mode drops a last one past the input where `drops` holds."""
    if not ceil_mode:
        return Resolved(axis, n_in, axis.output_size(n_in))
    n_out, starts_outside = axis.ceil_output_size(n_in)
    return Resolved(axis, n_in, n_out - select(all_of(drops, starts_outside), 1, 0))


@dataclass(frozen=True)
class TorchConv(Convention):
    """``torch.nn.Conv``: padding is one integer for both sides, "valid" or "same".

    "same" is d(K−1) in total whatever the size, the odd unit at the end, and stride 1 only.

    Examples
    --------
    >>> same = TorchConv("same").resolve(8, 4)
    >>> same.pad_lo, same.pad_hi, same.output_size
    (1, 2, 8)
    """

    padding: Any = 0

    def __post_init__(self) -> None:
        if isinstance(self.padding, str):
            checks.choice("padding", self.padding, ("valid", "same"))
        else:
            object.__setattr__(self, "padding", index("padding", self.padding, 0))

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        if isinstance(self.padding, str):
            return "same torch" if self.padding == "same" else "valid"
        return "pads"

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        if isinstance(self.padding, str):
            # Its amount does not depend on the stride, whose limit is stated below.
            amount = padding_amount(
                self.padding, AxisRelation(axis.n_taps, dilation=axis.dilation), n_in
            )
        else:
            amount = self.padding, self.padding
        return windows(padded(axis, *amount), n_in, False)

    def limits(self, axis: AxisRelation, n_in: Any) -> tuple[Limit, ...]:
        """Stride 1 for "same"."""
        if not (isinstance(self.padding, str) and self.padding == "same"):
            return ()
        rule = f"stride must be 1 for padding 'same' in PyTorch, got {axis.stride}"
        return (Limit(equal(axis.stride, 1), rule),)


@dataclass(frozen=True)
class TorchPool(Convention):
    """``torch.nn.MaxPool`` and ``AvgPool``, as ``padding`` of `symconv.MaxPool`, `symconv.AvgPool`.

    Average pooling has dilation 1, and counts the padding unless told otherwise.

    Parameters
    ----------
    padding : int
        At most half of the kernel size K (PyTorch 2.13; the shape rule it shares with its
        compiler allows half of the extent).
    ceil_mode : bool
        Round the number of windows up, then drop a last one that would start at or after
        n + padding.
    ceil_rule : {"2", "before 46558"}
        PyTorch 2's rule, above; or the one before pytorch/pytorch#46558, which dropped windows
        only where there was padding (pytorch/pytorch#45357).

    Examples
    --------
    >>> TorchPool(ceil_mode=True).resolve(6, 1, 2).output_size
    3
    >>> TorchPool(ceil_mode=True, ceil_rule="before 46558").resolve(6, 1, 2).output_size
    4
    """

    padding: Any = 0
    ceil_mode: bool = False
    ceil_rule: str = "2"

    def __post_init__(self) -> None:
        object.__setattr__(self, "padding", index("padding", self.padding, 0))
        checks.flag("ceil_mode", self.ceil_mode)
        checks.choice("ceil_rule", self.ceil_rule, CEIL_RULES)
        if self.ceil_rule != "2" and not self.ceil_mode:
            raise ParameterError(f"ceil_rule needs ceil_mode=True, got {self.ceil_rule!r}")

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        if not self.ceil_mode:
            return "pads"
        return "ceil" if self.ceil_rule == "2" else "ceil, drops where padded"

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        drops = True if self.ceil_rule == "2" else differ(self.padding, 0)
        return windows(padded(axis, self.padding, self.padding), n_in, self.ceil_mode, drops)

    def counts_padding(self, stated: bool | None, dilation: Sequence[Any]) -> bool:
        """See `Convention.counts_padding`."""
        if any(d != 1 for d in dilation):
            raise ParameterError(
                f"dilation must be 1 for average pooling in PyTorch, got {tuple(dilation)}"
            )
        return super().counts_padding(stated, dilation)

    def limits(self, axis: AxisRelation, n_in: Any) -> tuple[Limit, ...]:
        """Padding up to half of the taps."""
        most = axis.n_taps // 2
        rule = f"padding must be at most half of the kernel in PyTorch, {most}, got {self.padding}"
        return (Limit(self.padding <= most, rule),)


@dataclass(frozen=True)
class TorchConvTranspose(Convention):
    """``torch.nn.ConvTranspose``: one padding for both sides, output padding at the end.

    The output padding must be below max(stride, dilation).

    Examples
    --------
    >>> TorchConvTranspose(padding=1, output_padding=1).resolve(16, 3, 2).output_size
    32
    """

    padding: Any = 0
    output_padding: Any = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "padding", index("padding", self.padding, 0))
        object.__setattr__(self, "output_padding", index("output_padding", self.output_padding, 0))

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        return "transposed pads"

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        relation = padded(axis, self.padding, self.padding)
        size = relation.input_size(n_in, self.output_padding)
        return Resolved(relation, n_in, size, self.output_padding)

    def limits(self, axis: AxisRelation, n_in: Any) -> tuple[Limit, ...]:
        """Output padding below max(stride, dilation)."""
        bound = maximum(axis.stride, axis.dilation)
        rule = (
            f"output_padding must be below max(stride, dilation), {bound}, in PyTorch, "
            f"got {self.output_padding}"
        )
        return (Limit(self.output_padding < bound, rule),)
