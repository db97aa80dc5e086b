"""``torch.nn`` modules as an engine: their own padding modes, "same" and weight layout.

References
----------
PyTorch 2.13, documentation of ``torch.nn.Conv2d``, ``ConvTranspose2d`` and the poolings.
"""

from __future__ import annotations

from typing import Any, ClassVar

from symconv.adapters.engines.base import Array, Function, pads_of, refuse, require_value
from symconv.adapters.engines.torch_functional import (
    TorchFunctional,
    avg_arguments,
    max_arguments,
    transposed_arguments,
)
from symconv.layers import AvgPool, Conv, ConvTranspose, MaxPool

__all__ = ["TorchModules"]

#: Padding modes of ``nn.Conv``.
MODES = ("zeros", "circular", "reflect", "replicate")

Size = tuple[int, ...]


class TorchModules(TorchFunctional):
    """``nn.Conv2d`` and its relatives, made anew for each geometry, weights loaded at each call.

    Only what a module's own arguments say: nothing is padded before.
    """

    name = "torch-modules"
    takes: ClassVar[dict[str, str]] = TorchFunctional.takes | {
        "Conv": 'one padding for both sides, "same" or "valid"; input_dilation 1; the modes '
        "zeros, circular, reflect, replicate, within their limits",
        "MaxPool": "1 to 3 axes; one padding for both sides, at most half the kernel",
    }

    def _module(self, name: str, rank: int, *arguments: Any, **given: Any) -> Function:
        module = getattr(self.torch.nn, f"{name}{rank}d")(*arguments, **given)

        def run(x: Any, weight: Any = None, bias: Any = None) -> Any:
            if weight is not None:
                # Assigned, not copied: in the type of the arguments.
                module.weight = self.torch.nn.Parameter(weight, requires_grad=False)
            if bias is not None:
                module.bias = self.torch.nn.Parameter(bias, requires_grad=False)
            return module(x)

        return self._called(run, rank)

    def conv(self, layer: Conv, size: Size) -> Function:
        """``nn.Conv1d`` to ``nn.Conv3d``."""
        self._check_rank(layer.rank)
        require_value(self, "input_dilation", layer.input_dilation, 1)
        if layer.padding_mode not in MODES:
            raise refuse(self, "padding_mode", f"one of {', '.join(MODES)}", layer.padding_mode)
        padding: Any = layer.padding
        pads = pads_of(layer, size)
        if padding not in ("same", "valid"):
            if any(lo != hi or lo < 0 for lo, hi in pads):
                raise refuse(self, "padding", "one amount >= 0 for both sides", pads)
            padding = tuple(lo for lo, _ in pads)
        if layer.padding_mode != "zeros":
            self._pad_first(layer, size, pads)
        return self._module(
            "Conv", layer.rank, layer.in_channels, layer.out_channels, layer.kernel_size,
            stride=layer.stride, padding=padding, dilation=layer.dilation, groups=layer.groups,
            bias=layer.bias, padding_mode=layer.padding_mode,
        )  # fmt: skip

    def conv_transpose(self, layer: ConvTranspose, size: Size) -> Function:
        """``nn.ConvTranspose1d`` to ``nn.ConvTranspose3d``."""
        self._check_rank(layer.rank)
        given = transposed_arguments(self, layer)
        channels = layer.in_channels, layer.out_channels
        return self._module(
            "ConvTranspose", layer.rank, *channels, layer.kernel_size, bias=layer.bias, **given
        )

    def avg_pool(self, layer: AvgPool, size: Size) -> Function:
        """``nn.AvgPool1d`` to ``nn.AvgPool3d``."""
        return self._module("AvgPool", layer.rank, **avg_arguments(self, layer, size))

    def max_pool(self, layer: MaxPool, size: Size) -> Function:
        """``nn.MaxPool1d`` to ``nn.MaxPool3d``."""
        given, before = max_arguments(self, layer, size)
        if any(map(any, before)):
            raise refuse(self, "padding", "one amount up to half the kernel, both sides", before)
        return self._module("MaxPool", layer.rank, **given)

    def _adaptive(self, kind: str, target: Size) -> Function:
        self._check_rank(len(target))
        return self._module(f"Adaptive{kind.capitalize()}Pool", len(target), target)

    def _array(self, tensor: Any) -> Array:
        return super()._array(tensor.detach())
