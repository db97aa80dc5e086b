"""Keras layers as an engine, on whichever backend is installed.

References
----------
Keras 3.15, documentation of ``Conv1D`` … ``Conv3D``, ``Conv1DTranspose`` … and the poolings.
"""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

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
from symconv.conventions import KerasConv, KerasConvTranspose
from symconv.layers import AvgPool, Conv, ConvTranspose, MaxPool
from symconv.relation import AxisRelation

__all__ = ["Keras"]

Size = tuple[int, ...]

#: Backends in the order in which one is chosen, by their packages.
BACKENDS = {"tensorflow": "tensorflow", "jax": "jax", "torch": "torch"}


class Keras(Engine):
    """Keras's layers, channels first, weights set at each call.

    Padding has names only: a layer whose amounts are those of "valid", "same" or "causal" at this
    size is spelled so, any other is refused. Where neither ``KERAS_BACKEND`` nor an earlier import
    has chosen a backend, the first of TensorFlow, JAX and PyTorch that is installed is.
    """

    name = "keras"
    library = "keras"
    takes: ClassVar[dict[str, str]] = {
        "Conv": '1 to 3 axes; "valid", "same" or "causal" (1 axis) amounts; stride or dilation 1; '
        "input_dilation 1",
        "ConvTranspose": '1 to 3 axes; the amounts of "valid" or "same"; groups 1; stride or '
        "dilation 1",
        "AvgPool": '1 to 3 axes; "valid" or "same" amounts; padding not counted; dilation 1',
        "MaxPool": '1 to 3 axes; "valid" or "same" amounts; dilation 1',
        "GlobalAvgPool": "1 to 3 axes",
        "GlobalMaxPool": "1 to 3 axes",
    }

    def __init__(self) -> None:
        if "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ:
            chosen = next((name for name, package in BACKENDS.items() if find_spec(package)), None)
            if chosen is not None:
                os.environ["KERAS_BACKEND"] = chosen
        super().__init__()
        self.keras = self._import("keras")

    @property
    def version(self) -> str:
        """The version of Keras and its backend."""
        return f"{super().version} ({self.keras.backend.backend()})"

    def _called(self, made: Any, order: tuple[int, ...] = ()) -> Function:
        """A layer of Keras as a function; `order` arranges the axes of the weights."""
        convert = self.keras.ops.convert_to_numpy

        def called(x: Array, w: Array | None = None, b: Array | None = None) -> Array:
            if w is not None:
                if not made.built:
                    made.build(x.shape)
                weights = [np.ascontiguousarray(w.transpose(order))]
                made.set_weights(weights if b is None else [*weights, b])
            result: Array = convert(made(np.array(x)))
            return result

        return called

    def _named(self, pads: Pads, layer: Any, size: Size, names: tuple[str, ...]) -> str:
        """The name whose amounts these pads are."""
        for name in names:
            rules = [KerasConv(name).rule(_bare(layer, axis), n) for axis, n in enumerate(size)]
            if pads == tuple((rule.pad_lo, rule.pad_hi) for rule in rules):
                return name
        raise refuse(self, "padding", f"the amounts of {' or '.join(names)} at this size", pads)

    def _check_steps(self, layer: Any) -> None:
        if set(layer.stride) != {1} and set(layer.dilation) != {1}:
            raise refuse(self, "stride", "1 together with dilation", layer.stride)

    def conv(self, layer: Conv, size: Size) -> Function:
        """``Conv1D`` to ``Conv3D``."""
        self._check_rank(layer.rank)
        require_value(self, "padding_mode", (layer.padding_mode,), "zeros")
        require_value(self, "input_dilation", layer.input_dilation, 1)
        self._check_steps(layer)
        names = ("valid", "same", "causal") if layer.rank == 1 else ("valid", "same")
        padding = self._named(pads_of(layer, size), layer, size, names)
        made = self._layer("Conv{}D", layer, padding, groups=layer.groups)
        return self._called(made, (*range(2, layer.rank + 2), 1, 0))

    def _layer(self, name: str, layer: Any, padding: str, **given: Any) -> Any:
        return getattr(self.keras.layers, name.format(layer.rank))(
            layer.out_channels, layer.kernel_size, strides=layer.stride, padding=padding,
            dilation_rate=layer.dilation, use_bias=layer.bias, data_format="channels_first",
            **given,
        )  # fmt: skip

    def conv_transpose(self, layer: ConvTranspose, size: Size) -> Function:
        """``Conv1DTranspose`` to ``Conv3DTranspose``."""
        self._check_rank(layer.rank)
        require_value(self, "groups", (layer.groups,), 1)
        self._check_steps(layer)
        wanted = [(r.pad_lo, r.pad_hi) for r in map(layer.relation, range(layer.rank))]
        for padding in ("valid", "same"):
            rules = [
                KerasConvTranspose(padding).rule(_bare(layer, axis), n)
                for axis, n in enumerate(size)
            ]
            if wanted == [(rule.pad_lo, rule.net_hi) for rule in rules]:
                made = self._layer("Conv{}DTranspose", layer, padding)
                return self._called(made, (*range(2, layer.rank + 2), 1, 0))
        raise refuse(self, "padding", "that of valid or same at this size", tuple(wanted))

    def avg_pool(self, layer: AvgPool, size: Size) -> Function:
        """``AveragePooling1D`` to ``AveragePooling3D``."""
        if layer.divisor_override is not None:
            raise refuse(self, "divisor_override", "left out", layer.divisor_override)
        if layer.count_include_pad and any(map(any, pads_of(layer, size))):
            raise refuse(self, "count_include_pad", "False", True)
        return self._pool("AveragePooling{}D", layer, size)

    def max_pool(self, layer: MaxPool, size: Size) -> Function:
        """``MaxPooling1D`` to ``MaxPooling3D``."""
        return self._pool("MaxPooling{}D", layer, size)

    def _pool(self, name: str, layer: Any, size: Size) -> Function:
        self._check_rank(layer.rank)
        require_value(self, "dilation", layer.dilation, 1)
        pads, ceil_mode = window(self, layer, size)
        require_value(self, "ceil_mode", (ceil_mode,), False)
        padding = self._named(pads, layer, size, ("valid", "same"))
        made = getattr(self.keras.layers, name.format(layer.rank))(
            layer.kernel_size, strides=layer.stride, padding=padding, data_format="channels_first"
        )
        return self._called(made)

    def _global(self, name: str, size: Size) -> Function:
        self._check_rank(len(size))
        made = getattr(self.keras.layers, name.format(len(size)))(
            data_format="channels_first", keepdims=True
        )
        return self._called(made)

    def global_avg_pool(self, layer: Any, size: Size) -> Function:
        """``GlobalAveragePooling1D`` to ``GlobalAveragePooling3D``."""
        return self._global("GlobalAveragePooling{}D", size)

    def global_max_pool(self, layer: Any, size: Size) -> Function:
        """``GlobalMaxPooling1D`` to ``GlobalMaxPooling3D``."""
        return self._global("GlobalMaxPooling{}D", size)


def _bare(layer: Any, axis: int) -> AxisRelation:
    """The axis without its padding, which a convention states."""
    return AxisRelation(layer.kernel_size[axis], layer.stride[axis], layer.dilation[axis])
