"""ONNX's convolutions, poolings and padding as symconv's layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from symconv import layers
from symconv.adapters.onnx_reading import Attributes, Constant, floats
from symconv.checks import is_symbolic
from symconv.conventions import OnnxConvTranspose, OnnxPool, onnx_pads
from symconv.errors import FileError, ParseError

__all__ = ["convolution", "pad", "pool", "transposed"]

#: ONNX's names of padding modes → symconv's.
PAD_MODES = {"reflect": "reflect", "edge": "replicate", "wrap": "circular"}

#: ONNX's names of amounts → symconv's.
AMOUNTS = {
    "NOTSET": None,
    "VALID": "valid",
    "SAME_UPPER": "same_upper",
    "SAME_LOWER": "same_lower",
}


def per_axis(name: str, given: Sequence[int] | None, rank: int, default: int) -> tuple[int, ...]:
    """An attribute with one entry per spatial axis."""
    if given is None:
        return (default,) * rank
    if len(given) != rank:
        raise FileError(f"{name} must have {rank} entries, one per axis, got {len(given)}")
    return tuple(given)


def paired(given: Sequence[int] | None, rank: int) -> tuple[tuple[int, int], ...]:
    """``pads``: the beginnings of all axes, then the ends."""
    if given is None:
        return ((0, 0),) * rank
    if len(given) != 2 * rank:
        raise FileError(f"pads must have {2 * rank} entries, two per axis, got {len(given)}")
    return tuple(zip(given[:rank], given[rank:], strict=True))


def _auto_pad(attributes: Attributes) -> str:
    name = attributes.text("auto_pad", "NOTSET") or "NOTSET"
    if name not in AMOUNTS:
        raise FileError(f"auto_pad must be one of {', '.join(AMOUNTS)}, got {name!r}")
    return name


def _padding(attributes: Attributes, rank: int) -> Any:
    """Pairs, or symconv's name of the amount; ``pads`` does not count with an ``auto_pad``."""
    amount = AMOUNTS[_auto_pad(attributes)]
    if amount is not None:
        return amount
    given = attributes.integers("pads")
    return ((0, 0),) * rank if given is None else onnx_pads(given, rank)


def _kernel(attributes: Attributes, weight: Constant, rank: int) -> tuple[int, ...]:
    if len(weight.shape) != rank + 2:
        raise FileError(f"weight must have {rank + 2} axes, got shape {weight.shape}")
    kernel = tuple(weight.shape[2:])
    stated = attributes.integers("kernel_shape")
    if stated is not None and stated != kernel:
        raise FileError(f"kernel_shape must be the weight's {kernel}, got {stated}")
    return kernel


def _check_bias(bias: Constant | None, channels: int) -> None:
    if bias is not None and bias.shape != (channels,):
        raise FileError(f"bias must have shape ({channels},), got {bias.shape}")


def convolution(
    attributes: Attributes, weight: Constant, bias: Constant | None, rank: int
) -> layers.Conv:
    """``Conv``: weight (out, in/groups, *kernel)."""
    kernel = _kernel(attributes, weight, rank)
    groups = attributes.integer("group", 1)
    _check_bias(bias, weight.shape[0])
    return layers.Conv(
        weight.shape[1] * groups,
        weight.shape[0],
        kernel,
        stride=per_axis("strides", attributes.integers("strides"), rank, 1),
        padding=_padding(attributes, rank),
        dilation=per_axis("dilations", attributes.integers("dilations"), rank, 1),
        groups=groups,
        bias=bias is not None,
    )


def transposed(
    attributes: Attributes,
    weight: Constant,
    bias: Constant | None,
    size: Sequence[Any],
    version: int,
) -> layers.ConvTranspose:
    """``ConvTranspose``: weight (in, out/groups, *kernel); see `OnnxConvTranspose`."""
    rank = len(size)
    kernel = _kernel(attributes, weight, rank)
    groups = attributes.integer("group", 1)
    stride = per_axis("strides", attributes.integers("strides"), rank, 1)
    dilation = per_axis("dilations", attributes.integers("dilations"), rank, 1)
    extra = per_axis("output_padding", attributes.integers("output_padding"), rank, 0)
    wanted: Sequence[int | None] | None = attributes.integers("output_shape")
    if wanted is not None and len(wanted) == rank + 2:
        # Operator set 1 listed the batch and the channels as well.
        wanted = wanted[2:]
    if wanted is None:
        wanted = (None,) * rank
    elif len(wanted) != rank:
        raise FileError(f"output_shape must have {rank} entries, one per axis, got {len(wanted)}")
    auto_pad, padding = _auto_pad(attributes), _padding(attributes, rank)
    pairs = []
    for axis, n in enumerate(size):
        replaced = auto_pad != "NOTSET" or wanted[axis] is not None
        convention = OnnxConvTranspose(
            auto_pad,
            None if replaced else padding[axis],
            output_padding=extra[axis],
            output_shape=wanted[axis],
            opset=version,
        )
        resolved = convention.resolve(n, kernel[axis], stride[axis], dilation[axis])
        pairs.append((resolved.pad_lo, resolved.pad_hi))
    layer = layers.ConvTranspose(
        weight.shape[0],
        weight.shape[1] * groups,
        kernel,
        stride=stride,
        padding=tuple(pairs),
        output_padding=extra,
        dilation=dilation,
        groups=groups,
        bias=bias is not None,
    )
    _check_bias(bias, layer.out_channels)
    return layer


def pool(operator: str, attributes: Attributes, size: Sequence[Any], version: int) -> Any:
    """``MaxPool`` and ``AveragePool``; ONNX does not count padding unless told to."""
    rank = len(size)
    stated = attributes.integers("kernel_shape")
    if stated is None:
        raise FileError("kernel_shape must be given")
    kernel = per_axis("kernel_shape", stated, rank, 1)
    auto_pad = _auto_pad(attributes)
    given: dict[str, Any] = {
        "stride": per_axis("strides", attributes.integers("strides"), rank, 1),
        "padding": _padding(attributes, rank),
        "dilation": per_axis("dilations", attributes.integers("dilations"), rank, 1),
        # SAME gives ⌈n/s⌉ outputs in either mode.
        "ceil_mode": bool(attributes.integer("ceil_mode", 0)) and not auto_pad.startswith("SAME"),
    }
    if operator == "MaxPool":
        layer: Any = layers.MaxPool(kernel, **given)
    else:
        counted = bool(attributes.integer("count_include_pad", 0))
        layer = layers.AvgPool(kernel, count_include_pad=counted, **given)
    if layer.ceil_mode:
        layer = _every_window(layer, auto_pad, size, version)
    return layer


def _every_window(layer: Any, auto_pad: str, size: Sequence[Any], version: int) -> Any:
    """The rule of ceil mode by operator set: before 22 no window is dropped.

    Where that makes a difference at this size, the layer is spelled as ONNX spells it.
    """
    relations = [layer.relation(axis, n) for axis, n in enumerate(size)]
    if all(r.extent >= r.stride + r.pad_hi for r in relations) or any(map(is_symbolic, size)):
        # No window of any size starts past the input; open sizes follow the later rule, which
        # onnxruntime applies to every operator set.
        return layer
    conventions = tuple(
        OnnxPool(
            auto_pad,
            (r.pad_lo, r.pad_hi) if auto_pad == "NOTSET" else None,
            ceil_mode=True,
            opset=version,
        )
        for r in relations
    )
    spelled = replace(layer, padding=conventions, ceil_mode=False)
    if spelled.output_size(size) == layer.output_size(size):
        return layer
    starts = [
        r.position(n - 1, 0) for r, n in zip(relations, spelled.output_size(size), strict=True)
    ]
    ends = [r.end(n) for r, n in zip(relations, size, strict=True)]
    counts = getattr(layer, "count_include_pad", False)
    if counts and any(start >= end for start, end in zip(starts, ends, strict=True)):
        raise ParseError(
            f"ceil_mode must drop the windows that see only padding where padding counts, got "
            f"operator set {version}"
        )
    return spelled


def pad(
    attributes: Attributes, amounts: Constant | None, value: Constant | None, axes: Any, rank: int
) -> layers.Pad:
    """``Pad`` of the spatial axes; `rank` counts all axes, the batch included."""
    given = attributes.integers("pads") if amounts is None else amounts.integers("pads")
    if given is None:
        raise FileError("pads must be given")
    named = tuple(range(rank)) if axes is None else axes
    pairs = [(0, 0)] * rank
    for axis, pair in zip(named, paired(given, len(named)), strict=True):
        pairs[axis] = pair
    if pairs[:2] != [(0, 0)] * 2 or rank < 3:
        raise ParseError(f"pads must be 0 on the batch and the channels, got {pairs[:2]}")
    mode = attributes.text("mode", "constant") or "constant"
    if mode == "constant":
        filler = 0.0 if value is None else floats(value)
        if filler is None:
            raise ParseError("constant_value must be one float stored in the file")
        return layers.Pad(
            tuple(pairs[2:]), padding_mode="constant" if filler else "zeros", padding_value=filler
        )
    if mode not in PAD_MODES:
        raise FileError(f"mode must be one of constant, {', '.join(PAD_MODES)}, got {mode!r}")
    return layers.Pad(tuple(pairs[2:]), padding_mode=PAD_MODES[mode])
