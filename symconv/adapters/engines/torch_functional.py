"""``torch.nn.functional`` as an engine, and the same in channels-last memory.

References
----------
PyTorch 2.13, documentation of ``torch.nn.functional``; *Channels last memory format* (2020).
"""

from __future__ import annotations

from typing import Any, ClassVar

from symconv.adapters.engines.base import (
    Array,
    Engine,
    Function,
    Pads,
    pads_of,
    refuse,
    require_value,
    window,
)
from symconv.conventions import TorchConvTranspose, TorchPool
from symconv.layers import AvgPool, Conv, ConvTranspose, Layer, MaxPool

__all__ = ["TorchChannelsLast", "TorchFunctional"]

#: symconv's padding modes → those of ``functional.pad``.
MODES = {
    "zeros": "constant",
    "constant": "constant",
    "circular": "circular",
    "reflect": "reflect",
    "replicate": "replicate",
}

Size = tuple[int, ...]


class TorchFunctional(Engine):
    """``conv1d`` … ``conv3d``, ``conv_transpose1d`` …, ``max_pool1d`` … and their relatives.

    Padding that their own argument does not say (asymmetric, negative, other modes) is put on by
    ``functional.pad`` first, as ``nn.Conv2d`` does it; so is that of a maximum, with −∞. Of an
    average it is refused: counted or not, the divisor would be another.
    """

    name = "torch"
    library = "torch"
    extra = "torch"
    takes: ClassVar[dict[str, str]] = {
        "Conv": "1 to 3 axes; input_dilation 1; asymmetric or negative padding and the modes "
        "constant, circular, reflect, replicate by functional.pad first, within its limits",
        "ConvTranspose": "1 to 3 axes; one padding >= 0 for both sides and an output_padding below "
        "max(stride, dilation), or pairs that these can say",
        "AvgPool": "1 to 3 axes; dilation 1; one padding for both sides, at most half the kernel; "
        "divisor_override from 2 axes on",
        "MaxPool": "1 to 3 axes; one padding for both sides, at most half the kernel, otherwise "
        "padded with −∞ first, without ceil_mode",
        "AdaptiveAvgPool": "1 to 3 axes",
        "AdaptiveMaxPool": "1 to 3 axes",
        "GlobalAvgPool": "as AdaptiveAvgPool of size 1",
        "GlobalMaxPool": "as AdaptiveMaxPool of size 1",
    }

    def __init__(self) -> None:
        super().__init__()
        self.torch = self._import("torch")
        self.functional = self._import("torch.nn.functional")

    def _called(self, run: Function, rank: int) -> Function:
        """`run` of tensors as a function of arrays."""

        def called(*arguments: Array) -> Array:
            with self.torch.no_grad():
                return self._array(run(*(self._tensor(each, rank) for each in arguments)))

        return called

    def _tensor(self, array: Array, rank: int) -> Any:
        # A tensor cannot be read-only.
        return self.torch.from_numpy(array if array.flags.writeable else array.copy())

    def _array(self, tensor: Any) -> Array:
        result: Array = tensor.numpy()
        return result

    def conv(self, layer: Conv, size: Size) -> Function:
        """``functional.conv1d`` to ``conv3d``."""
        self._check_rank(layer.rank)
        require_value(self, "input_dilation", layer.input_dilation, 1)
        pad, padding = self._padding(layer, size)
        call = getattr(self.functional, f"conv{layer.rank}d")
        given = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
        return self._called(
            lambda x, w, b=None: call(pad(x), w, b, padding=padding, **given), layer.rank
        )

    def _padding(self, layer: Conv, size: Size) -> tuple[Function, Any]:
        """What pads the input first, and the argument ``padding``."""
        if layer.padding in ("same", "valid") and layer.padding_mode == "zeros":
            return _unchanged, layer.padding
        pads = pads_of(layer, size)
        if layer.padding_mode == "zeros" and all(lo == hi >= 0 for lo, hi in pads):
            return _unchanged, tuple(lo for lo, _ in pads)
        return self._pad_first(layer, size, pads), 0

    def _pad_first(self, layer: Conv, size: Size, pads: Pads) -> Function:
        """``functional.pad``: within its limits, of all axes at once."""
        mode = MODES.get(layer.padding_mode)
        if mode is None:
            raise refuse(self, "padding_mode", f"one of {', '.join(MODES)}", layer.padding_mode)
        if mode in ("circular", "reflect"):
            for n, (lo, hi) in zip(size, pads, strict=True):
                most = n - (mode == "reflect")
                if max(lo, hi) > most:
                    raise refuse(self, "padding", f"at most {most} in mode {mode}", (lo, hi))
        if mode != "constant" and min(min(pair) for pair in pads) < 0:
            raise refuse(self, "padding", f">= 0 in mode {mode}", pads)
        given = {"mode": mode}
        if mode == "constant":
            given["value"] = layer.padding_value
        # The last axis first.
        amounts = [amount for pair in reversed(pads) for amount in pair]
        return lambda x: self.functional.pad(x, amounts, **given)

    def conv_transpose(self, layer: ConvTranspose, size: Size) -> Function:
        """``functional.conv_transpose1d`` to ``conv_transpose3d``."""
        self._check_rank(layer.rank)
        given = transposed_arguments(self, layer)
        call = getattr(self.functional, f"conv_transpose{layer.rank}d")
        return self._called(lambda x, w, b=None: call(x, w, b, **given), layer.rank)

    def avg_pool(self, layer: AvgPool, size: Size) -> Function:
        """``functional.avg_pool1d`` to ``avg_pool3d``."""
        given = avg_arguments(self, layer, size)
        call = getattr(self.functional, f"avg_pool{layer.rank}d")
        return self._called(lambda x: call(x, **given), layer.rank)

    def max_pool(self, layer: MaxPool, size: Size) -> Function:
        """``functional.max_pool1d`` to ``max_pool3d``."""
        given, pads = max_arguments(self, layer, size)
        call = getattr(self.functional, f"max_pool{layer.rank}d")
        amounts = [amount for pair in reversed(pads) for amount in pair]
        if not any(amounts):
            return self._called(lambda x: call(x, **given), layer.rank)

        def padded(x: Any) -> Any:
            least = -self.torch.inf if x.is_floating_point() else self.torch.iinfo(x.dtype).min
            return call(self.functional.pad(x, amounts, value=least), **given)

        return self._called(padded, layer.rank)

    def adaptive_avg_pool(self, layer: Any, size: Size) -> Function:
        """``functional.adaptive_avg_pool1d`` to ``adaptive_avg_pool3d``."""
        return self._adaptive("avg", layer.output_size(size))

    def adaptive_max_pool(self, layer: Any, size: Size) -> Function:
        """``functional.adaptive_max_pool1d`` to ``adaptive_max_pool3d``."""
        return self._adaptive("max", layer.output_size(size))

    def _adaptive(self, kind: str, target: Size) -> Function:
        self._check_rank(len(target))
        call = getattr(self.functional, f"adaptive_{kind}_pool{len(target)}d")
        return self._called(lambda x: call(x, target), len(target))

    global_avg_pool = adaptive_avg_pool
    global_max_pool = adaptive_max_pool


class TorchChannelsLast(TorchFunctional):
    """`TorchFunctional` of inputs and weights in channels-last memory, of two or three axes."""

    name = "torch-channels-last"

    def build(self, layer: Layer, input_size: Size) -> Function:
        """The function of one geometry; see `Engine.build`."""
        if len(input_size) not in (2, 3):
            raise refuse(self, "spatial axes", "2 or 3", len(input_size))
        return super().build(layer, input_size)

    def _tensor(self, array: Array, rank: int) -> Any:
        tensor = super()._tensor(array, rank)
        if tensor.ndim < 4:
            return tensor
        names = {2: "channels_last", 3: "channels_last_3d"}
        return tensor.to(memory_format=getattr(self.torch, names[rank]))


def _unchanged(x: Any) -> Any:
    return x


def transposed_arguments(engine: Engine, layer: ConvTranspose) -> dict[str, Any]:
    """Padding and output padding as PyTorch spells them: the low padding on both sides.

    The operator depends on lo and hi − op alone, so that pairs can be said by another op.
    """
    padding, extra = [], []
    for axis, (lo, hi) in enumerate(layer.padding):
        op = layer.output_padding[axis] + lo - hi
        relation = layer.relation(axis)
        if lo < 0 or op < 0:
            raise refuse(engine, "padding", ">= 0 with hi − output_padding <= lo", (lo, hi))
        for limit in TorchConvTranspose(lo, op).limits(relation, 1):
            if not limit.holds:
                raise refuse(engine, "geometry", limit.rule, layer.padding)
        padding.append(lo)
        extra.append(op)
    return {
        "stride": layer.stride,
        "padding": tuple(padding),
        "output_padding": tuple(extra),
        "groups": layer.groups,
        "dilation": layer.dilation,
    }


def avg_arguments(engine: Engine, layer: AvgPool, size: Size) -> dict[str, Any]:
    """The arguments of an average."""
    engine._check_rank(layer.rank)
    require_value(engine, "dilation", layer.dilation, 1)
    pads, ceil_mode = window(engine, layer, size)
    _check_half(engine, layer, pads)
    given = {
        "kernel_size": layer.kernel_size,
        "stride": layer.stride,
        "padding": tuple(lo for lo, _ in pads),
        "ceil_mode": ceil_mode,
        "count_include_pad": layer.count_include_pad,
    }
    if layer.divisor_override is None:
        return given
    if layer.rank == 1:
        raise refuse(engine, "divisor_override", "left out on one axis", layer.divisor_override)
    return given | {"divisor_override": layer.divisor_override}


def max_arguments(engine: Engine, layer: MaxPool, size: Size) -> tuple[dict[str, Any], Pads]:
    """The arguments of a maximum, and the padding to put on before."""
    engine._check_rank(layer.rank)
    pads, ceil_mode = window(engine, layer, size)
    before: Pads = ((0, 0),) * layer.rank
    own = tuple(lo for lo, _ in pads)
    try:
        _check_half(engine, layer, pads)
    except NotImplementedError:
        if ceil_mode:
            # Ceil mode asks where the padding ends.
            raise
        before, own = pads, (0,) * layer.rank
    given = {
        "kernel_size": layer.kernel_size,
        "stride": layer.stride,
        "padding": own,
        "dilation": layer.dilation,
        "ceil_mode": ceil_mode,
    }
    return given, before


def _check_half(engine: Engine, layer: Any, pads: Pads) -> None:
    for axis, (lo, hi) in enumerate(pads):
        if lo != hi or lo < 0:
            raise refuse(engine, "padding", "one amount >= 0 for both sides", (lo, hi))
        for limit in TorchPool(lo).limits(layer.relation(axis, 1), 1):
            if not limit.holds:
                raise refuse(engine, "geometry", limit.rule, lo)
