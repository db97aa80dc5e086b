"""JAX as an engine: ``lax.conv_general_dilated``, ``lax.conv_transpose``, ``lax.reduce_window``.

References
----------
JAX 0.10, documentation of ``jax.lax``; jax-ml/jax#32267 on the two meanings of padding.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

from symconv.adapters.engines.base import (
    Array,
    Engine,
    Function,
    Pads,
    overhangs,
    pads_of,
    require_value,
)
from symconv.layers import AvgPool, Conv, ConvTranspose, MaxPool

__all__ = ["Jax", "JaxConsistent"]

#: symconv's names of amounts → XLA's.
NAMES = {"valid": "VALID", "same_upper": "SAME", "same_lower": "SAME_LOWER"}

Size = tuple[int, ...]


class Jax(Engine):
    """XLA's convolutions and windows on JAX's default device.

    The padding of ``conv_transpose`` is that of the spread input, (E−1−lo, E−1−hi+op): what a pair
    means there unless told otherwise.
    """

    name = "jax"
    library = "jax"
    takes: ClassVar[dict[str, str]] = {
        "Conv": "any number of axes, zero padding of any sign, input_dilation, groups",
        "ConvTranspose": "groups 1; padding and output_padding of any size",
        "AvgPool": "all, as a sum of windows over a count of cells or divisor_override",
        "MaxPool": "all",
        "GlobalAvgPool": "as a mean",
        "GlobalMaxPool": "as a maximum",
    }

    def __init__(self) -> None:
        super().__init__()
        self.jax, self.lax = self._import("jax"), self._import("jax.lax")
        self.numpy = self._import("jax.numpy")

    def _called(self, run: Function) -> Function:
        """`run` of JAX's arrays, in the types of the arguments."""

        def called(*arguments: Array) -> Any:
            with self.jax.enable_x64(True):
                return run(*map(self.numpy.asarray, arguments))

        return called

    def _numbers(self, rank: int) -> tuple[str, str, str]:
        axes = "".join(chr(ord("a") + axis) for axis in range(rank))
        return f"NC{axes}", f"OI{axes}", f"NC{axes}"

    def conv(self, layer: Conv, size: Size) -> Function:
        """``lax.conv_general_dilated``."""
        require_value(self, "padding_mode", (layer.padding_mode,), "zeros")
        padding: Any = pads_of(layer, size)
        if isinstance(layer.padding, str) and set(layer.input_dilation) == {1}:
            padding = NAMES.get(layer.padding, padding)

        def run(x: Any, w: Any, b: Any = None) -> Any:
            y = self.lax.conv_general_dilated(
                x, w, layer.stride, padding, layer.input_dilation, layer.dilation,
                self._numbers(layer.rank), layer.groups,
            )  # fmt: skip
            return _biased(y, b)

        return self._called(run)

    #: What a pair of ``conv_transpose`` means: the padding of the forward convolution, or not.
    use_consistent_padding = False

    def conv_transpose(self, layer: ConvTranspose, size: Size) -> Function:
        """``lax.conv_transpose`` with the forward convolution's kernel."""
        require_value(self, "groups", (layer.groups,), 1)
        relations = [layer.relation(axis) for axis in range(layer.rank)]
        if not self.use_consistent_padding:
            relations = [relation.adjoint() for relation in relations]
        pads = [(relation.pad_lo, relation.pad_hi) for relation in relations]

        def run(x: Any, w: Any, b: Any = None) -> Any:
            y = self.lax.conv_transpose(
                x, w, layer.stride, pads, layer.dilation, self._numbers(layer.rank),
                transpose_kernel=True, use_consistent_padding=self.use_consistent_padding,
            )  # fmt: skip
            return _biased(y, b)

        return self._called(run)

    def avg_pool(self, layer: AvgPool, size: Size) -> Function:
        """``lax.reduce_window`` with a sum, over the same of ones or a number."""
        pads, counted = pads_of(layer, size), layer.count_include_pad
        over, kept = overhangs(layer, size), _first(layer.output_size(size))

        def run(x: Any) -> Any:
            total = self._windows(x, layer, pads, over, 0, self.lax.add)[kept]
            if layer.divisor_override is not None:
                return total / x.dtype.type(layer.divisor_override)
            cells = self.numpy.ones((1, 1, *size), x.dtype)
            # Cells of the explicit padding are cells where they count; the overhang never is.
            edges = [(0, 0, 0), (0, 0, 0), *((lo, hi, 0) for lo, hi in pads)]
            cells = self.lax.pad(cells, x.dtype.type(counted), edges)
            none = ((0, 0),) * len(size)
            return total / self._windows(cells, layer, none, over, 0, self.lax.add)[kept]

        return self._called(run)

    def _windows(self, x: Any, layer: Any, pads: Pads, over: Size, start: Any, add: Any) -> Any:
        edges = [(lo, hi + more) for (lo, hi), more in zip(pads, over, strict=True)]
        return self.lax.reduce_window(
            x, x.dtype.type(start), add, (1, 1, *layer.kernel_size), (1, 1, *layer.stride),
            [(0, 0), (0, 0), *edges], window_dilation=(1, 1, *layer.dilation),
        )  # fmt: skip

    def max_pool(self, layer: MaxPool, size: Size) -> Function:
        """``lax.reduce_window`` with a maximum."""
        pads, over = pads_of(layer, size), overhangs(layer, size)
        kept = _first(layer.output_size(size))

        def run(x: Any) -> Any:
            least = -math.inf if x.dtype.kind == "f" else self.numpy.iinfo(x.dtype).min
            return self._windows(x, layer, pads, over, least, self.lax.max)[kept]

        return self._called(run)

    def global_avg_pool(self, layer: Any, size: Size) -> Function:
        """``jax.numpy.mean``."""
        axes = tuple(range(2, len(size) + 2))
        return self._called(lambda x: x.mean(axis=axes, keepdims=True))

    def global_max_pool(self, layer: Any, size: Size) -> Function:
        """``jax.numpy.max``."""
        axes = tuple(range(2, len(size) + 2))
        return self._called(lambda x: x.max(axis=axes, keepdims=True))


class JaxConsistent(Jax):
    """`Jax` with ``use_consistent_padding``: (lo, hi − op), as of the forward convolution."""

    name = "jax-consistent"
    use_consistent_padding = True


def _biased(y: Any, b: Any) -> Any:
    return y if b is None else y + b.reshape(-1, *(1,) * (y.ndim - 2))


def _first(sizes: Size) -> tuple[Any, ...]:
    """As many outputs per axis: ceil mode drops windows that XLA has."""
    return (..., *(slice(n) for n in sizes))
