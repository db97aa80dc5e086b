"""ONNX: auto_pad and pads of Conv, pooling and ConvTranspose, by operator-set version.

Where text and implementations differ, each class says which it follows.

References
----------
ONNX, operator documentation of ``Conv``, ``MaxPool``, ``AveragePool`` (versions 1 to 22) and
``ConvTranspose`` (1, 11, 22); ``onnx/defs/nn/defs.cc`` and ``old.cc``; onnx/onnx#1609 and #2095
(the two splits of ConvTranspose), #5711 and #5741 (ceil mode); microsoft/onnxruntime#13311.
Run against onnx 1.23.2 and onnxruntime 1.31.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.conventions.amounts import padding_amount
from symconv.conventions.base import Convention, Limit, Resolved, pair, transposed_to_size
from symconv.conventions.elementwise import equal, index, maximum, select
from symconv.conventions.pytorch import padded, windows
from symconv.errors import ParameterError
from symconv.relation import AxisRelation

__all__ = ["OnnxConv", "OnnxConvTranspose", "OnnxPool", "TruncatedConv", "onnx_pads"]

_AMOUNTS = {"VALID": "valid", "SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower"}

#: Since this operator set, pooling ignores a last window that starts in the right padding.
CEIL_OPSET = 22

#: Since this operator set, ConvTranspose puts the odd unit where the name says.
SPLIT_OPSET = 11


def onnx_pads(pads: Sequence[Any], rank: int) -> tuple[tuple[Any, Any], ...]:
    """(lo, hi) per axis from ONNX's list: all begins, then all ends.

    Examples
    --------
    >>> onnx_pads([1, 2, 3, 4], 2)
    ((1, 3), (2, 4))
    """
    checks.integer("rank", rank, 1)
    entries = tuple(index("pads", entry, 0) for entry in checks.sequence("pads", pads))
    if len(entries) != 2 * rank:
        raise ParameterError(
            f"pads must have a begin and an end for each of {rank} axes, got {len(entries)} entries"
        )
    return tuple(zip(entries[:rank], entries[rank:], strict=True))


class _AutoPad(Convention):
    """auto_pad and pads, which exclude each other."""

    auto_pad: str
    pads: Any

    def _normalise(self) -> None:
        checks.choice("auto_pad", self.auto_pad, ("NOTSET", *_AMOUNTS))
        if self.pads is None:
            return
        if self.auto_pad != "NOTSET":
            raise ParameterError(f"pads must be None with auto_pad {self.auto_pad!r}")
        object.__setattr__(self, "pads", pair("pads", self.pads, 0))

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        if self.auto_pad == "NOTSET":
            return "pads"
        return _AMOUNTS[self.auto_pad].replace("_", " ")

    def _padded(self, axis: AxisRelation, n_in: Any) -> AxisRelation:
        if self.auto_pad != "NOTSET":
            return padded(axis, *padding_amount(_AMOUNTS[self.auto_pad], axis, n_in))
        return padded(axis, *(self.pads or (0, 0)))


@dataclass(frozen=True)
class OnnxConv(_AutoPad):
    """ONNX ``Conv``: auto_pad, or pads (begin, end) of this axis, >= 0.

    SAME_UPPER and SAME_LOWER give ⌈n/s⌉ outputs; the total is never negative.

    Examples
    --------
    >>> [(r.pad_lo, r.pad_hi) for mode in ("SAME_UPPER", "SAME_LOWER")
    ...  for r in [OnnxConv(mode).resolve(8, 3, 2)]]
    [(0, 1), (1, 0)]
    """

    auto_pad: str = "NOTSET"
    pads: Any = None

    def __post_init__(self) -> None:
        self._normalise()

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        return windows(self._padded(axis, n_in), n_in, False)


@dataclass(frozen=True)
class OnnxPool(_AutoPad):
    """ONNX ``MaxPool``, ``AveragePool`` and ``LpPool``, as ``padding`` of symconv's poolings.

    By operator set: count_include_pad (False unless stated) since 7, ceil_mode since 10, dilations
    since 10 for MaxPool and 19 for AveragePool, dropped windows since 22.

    Parameters
    ----------
    auto_pad : {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}
    pads : (begin, end), optional
    ceil_mode : bool
        Below opset 22 the text and ONNX's shape inference round up and keep every window; since
        22 they ignore a last window that would start in the right padding, as PyTorch does.
        onnxruntime 1.31 applies the rule of 22 to every opset. With SAME the size is ⌈n/s⌉ in
        either mode. With VALID it is refused: the text of 22 gives the floor, shape inference
        and onnxruntime the ceil (write NOTSET).
    opset : int
        Version of the operator set of the model.

    Examples
    --------
    >>> [OnnxPool(pads=(1, 1), ceil_mode=True, opset=v).resolve(5, 2, 2).output_size
    ...  for v in (21, 22)]
    [4, 3]
    """

    auto_pad: str = "NOTSET"
    pads: Any = None
    ceil_mode: bool = False
    opset: int = CEIL_OPSET

    def __post_init__(self) -> None:
        self._normalise()
        checks.flag("ceil_mode", self.ceil_mode)
        checks.concrete("opset", checks.integer("opset", self.opset, 1))
        if self.ceil_mode and self.opset < 10:
            raise ParameterError(f"opset must be >= 10 for ceil_mode, got {self.opset}")
        if self.ceil_mode and self.auto_pad == "VALID":
            raise ParameterError(
                "ceil_mode must be False with auto_pad 'VALID', where specification and "
                "implementations disagree; auto_pad 'NOTSET' without pads says what is meant"
            )

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        if not (self.ceil_mode and self.auto_pad == "NOTSET"):
            return super().spelling
        return "ceil" if self.opset >= CEIL_OPSET else "ceil, all windows"

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        ceil = self.ceil_mode and self.auto_pad == "NOTSET"
        return windows(self._padded(axis, n_in), n_in, ceil, self.opset >= CEIL_OPSET)

    def limits(self, axis: AxisRelation, n_in: Any) -> tuple[Limit, ...]:
        """Dilation 1 before operator set 10."""
        if self.opset >= 10:
            return ()
        rule = f"dilation must be 1 for pooling before opset 10, got {axis.dilation}"
        return (Limit(equal(axis.dilation, 1), rule),)

    def counts_padding(self, stated: bool | None, dilation: Sequence[Any]) -> bool:
        """See `Convention.counts_padding`."""
        if stated and self.opset < 7:
            raise ParameterError(f"opset must be >= 7 for count_include_pad, got {self.opset}")
        if self.opset < 19 and any(d != 1 for d in dilation):
            raise ParameterError(
                f"opset must be >= 19 for an average with dilation, got {self.opset}"
            )
        return bool(stated)


@dataclass(frozen=True)
class OnnxConvTranspose(_AutoPad):
    """ONNX ``ConvTranspose``: pads, auto_pad, output_shape and output_padding.

    With total = s(n−1) + op + E − output_shape, where output_shape is n·s under SAME unless it
    is given: SAME_UPPER cuts ⌊total/2⌋ at the start, everything else cuts the larger half there.
    Below opset 11 the text had it the other way round, against its own description of auto_pad
    (onnx/onnx#1609); onnxruntime 1.31 splits by the rule of 11 for every opset.

    Parameters
    ----------
    auto_pad : {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"}
    pads : (begin, end), optional
    output_padding : int
        Below max(stride, dilation); onnxruntime 1.31 wants it below the stride.
    output_shape : int, optional
        The wanted size of this axis; the total must not be negative.
    opset : int
        Version of the operator set of the model.
    negative_total : {"clamp", "signed"}
        What SAME does where E + op < s. "clamp": the total becomes 0 and the size is the full
        s(n−1) + E + op, below n·s (ONNX's shape inference and onnxruntime). "signed": the size
        is n·s and the halves are negative, rows of zeros (the equations of the text and ONNX's
        reference evaluator).

    Examples
    --------
    >>> wide = OnnxConvTranspose("SAME_UPPER").resolve(2, 3, 1)
    >>> wide.pad_lo, wide.pad_hi, wide.output_size
    (1, 1, 2)
    >>> [OnnxConvTranspose("SAME_UPPER", negative_total=how).resolve(2, 1, 2).output_size
    ...  for how in ("clamp", "signed")]
    [3, 4]
    """

    auto_pad: str = "NOTSET"
    pads: Any = None
    output_padding: Any = 0
    output_shape: Any = None
    opset: int = CEIL_OPSET
    negative_total: str = "clamp"

    def __post_init__(self) -> None:
        self._normalise()
        object.__setattr__(self, "output_padding", index("output_padding", self.output_padding, 0))
        checks.concrete("opset", checks.integer("opset", self.opset, 1))
        checks.choice("negative_total", self.negative_total, ("clamp", "signed"))
        if self.output_shape is not None:
            if self.pads is not None:
                raise ParameterError("pads must be None with output_shape, which replaces them")
            object.__setattr__(self, "output_shape", index("output_shape", self.output_shape, 1))

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        plain = isinstance(self.output_padding, int) and self.output_padding == 0
        if self.output_shape is not None:
            return "transposed size"
        if not self.auto_pad.startswith("SAME"):
            return "transposed pads"
        if not plain:
            return "transposed same, output padding"
        side = "upper" if self._small_first else "lower"
        return f"transposed same {side}, {self.negative_total}"

    @property
    def _small_first(self) -> bool:
        """Whether the smaller half is cut at the start."""
        return (self.auto_pad == "SAME_UPPER") == (self.opset >= SPLIT_OPSET)

    def _total(self, axis: AxisRelation, n_in: Any) -> Any:
        wanted = n_in * axis.stride if self.output_shape is None else self.output_shape
        return padded(axis, 0, 0).input_size(n_in, self.output_padding) - wanted

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        same = self.auto_pad.startswith("SAME")
        if self.output_shape is None and not same:
            relation = padded(axis, *(self.pads or (0, 0)))
        else:
            total = self._total(axis, n_in)
            if self.negative_total == "clamp":
                total = maximum(total, 0)
            small = total // 2
            begin = small if self._small_first else total - small
            relation = padded(axis, begin, total - begin)
        size = relation.input_size(n_in, self.output_padding)
        if self.negative_total == "signed" and same:
            return transposed_to_size(axis, n_in, relation.pad_lo, size)
        return Resolved(relation, n_in, size, self.output_padding)

    def limits(self, axis: AxisRelation, n_in: Any) -> tuple[Limit, ...]:
        """Output padding below max(stride, dilation); output_shape within the full size."""
        bound = maximum(axis.stride, axis.dilation)
        below = Limit(
            self.output_padding < bound,
            f"output_padding must be below max(stride, dilation), {bound}, in ONNX, "
            f"got {self.output_padding}",
        )
        if self.output_shape is None:
            return (below,)
        total = self._total(axis, n_in)
        return (
            below,
            Limit(
                total >= 0,
                f"output_shape must be at most the full size, {self.output_shape + total}, "
                f"got {self.output_shape}",
            ),
        )


@dataclass(frozen=True)
class TruncatedConv(Convention):
    """The size rule of code that divides as C does, towards zero: a common mistake.

    Where −s < N − E < 0 it gives 1 instead of ⌊(N − E)/s⌋ + 1 = 0: an output that no window fits.
    ONNX's shape inference was written so (``defs.cc`` at commit 00bfa0a).

    Examples
    --------
    >>> TruncatedConv().resolve(1, 2, 2).output_size
    1
    """

    pads: Any = (0, 0)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pads", pair("pads", self.pads, 0))

    @property
    def spelling(self) -> str:
        """See `Convention.spelling`."""
        return "truncated"

    def rule(self, axis: AxisRelation, n_in: Any) -> Resolved:
        """See `Convention.rule`."""
        relation = padded(axis, *self.pads)
        # Truncation is the floor for N >= E and the ceil below it.
        n_ceil, _ = relation.ceil_output_size(n_in)
        fits = relation.padded_size(n_in) >= relation.extent
        return Resolved(relation, n_in, select(fits, relation.output_size(n_in), n_ceil))
