"""Layers as ONNX models of one node: Conv, ConvTranspose and the poolings.

References
----------
ONNX, operator documentation of ``Conv``, ``ConvTranspose``, ``AveragePool``, ``MaxPool`` and their
global forms, operator set 22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    same_windows,
)
from symconv.checks import concrete, integer
from symconv.conventions import OnnxConvTranspose, OnnxPool
from symconv.layers import AvgPool, Conv, ConvTranspose, MaxPool

__all__ = ["OPSET", "OnnxEngine", "one_node"]

#: Operator set that models are written in, the first whose poolings have PyTorch's ceil mode.
OPSET = 22

#: Oldest file format that is written: before it, stored weights had to be inputs as well.
LEAST_FORMAT = 4

#: symconv's names of amounts that ONNX has a name for.
AUTO_PADS = {"valid": "VALID", "same_upper": "SAME_UPPER", "same_lower": "SAME_LOWER"}

Size = tuple[int, ...]


def one_node(
    onnx: Any,
    node: Any,
    ranks: Mapping[str, int],
    dtype: str,
    opset: int,
    constants: Mapping[str, Array] | None = None,
) -> Any:
    """The model of one node, every size of its inputs open.

    Parameters
    ----------
    onnx : module
    node : onnx.NodeProto
    ranks : mapping of str to int
        Inputs of the model, by name, and their number of axes.
    dtype : str
        NumPy's name of the type of all of them.
    opset : int
    constants : mapping of str to array, optional
        Inputs of the node that are stored in the model.
    """
    helper, kind = onnx.helper, onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    inputs = [
        helper.make_tensor_value_info(name, kind, [f"{name}{axis}" for axis in range(rank)])
        for name, rank in ranks.items()
    ]
    output = helper.make_tensor_value_info(node.output[0], kind, None)
    stored = [onnx.numpy_helper.from_array(each, name) for name, each in (constants or {}).items()]
    graph = helper.make_graph([node], "one node", inputs, [output], stored)
    sets = [helper.make_opsetid("", opset)]
    # As old a file format as goes with the operator set: runtimes lag behind the newest.
    version = helper.find_min_ir_version_for(sets, ignore_unknown=True)
    return helper.make_model(graph, opset_imports=sets, ir_version=max(version, LEAST_FORMAT))


class OnnxEngine(Engine):
    """Base of the engines that run ONNX models.

    Parameters
    ----------
    opset : int, default 22
        Operator set of the models; before 22 the text of ceil mode keeps every window, and layers
        with PyTorch's rule are written only where that makes no difference.
    """

    takes: ClassVar[dict[str, str]] = {
        "Conv": "input_dilation 1; zero padding >= 0 on each side",
        "ConvTranspose": "padding >= 0 on each side; output_padding below max(stride, dilation)",
        "AvgPool": "padding >= 0 on each side; no divisor_override; dilation from opset 19 on",
        "MaxPool": "padding >= 0 on each side",
        "GlobalAvgPool": "all",
        "GlobalMaxPool": "all",
    }

    def __init__(self, opset: int = OPSET) -> None:
        super().__init__()
        self.opset = concrete("opset", integer("opset", opset, 1))
        self.onnx = self._import("onnx")

    def run_node(self, node: Any, rank: int) -> Function:
        """The function of one node, whose inputs are the arguments in order."""
        raise NotImplementedError("an ONNX engine runs nodes")

    def _node(self, operator: str, names: Sequence[str], **attributes: Any) -> Any:
        return self.onnx.helper.make_node(operator, list(names), ["y"], **attributes)

    def _pads(self, pads: Pads) -> dict[str, Any]:
        if min(min(pair) for pair in pads) < 0:
            raise refuse(self, "padding", ">= 0", pads)
        return {"pads": [lo for lo, _ in pads] + [hi for _, hi in pads]}

    def _amounts(self, layer: Any, size: Size) -> dict[str, Any]:
        if isinstance(layer.padding, str) and layer.padding in AUTO_PADS:
            return {"auto_pad": AUTO_PADS[layer.padding]}
        return self._pads(pads_of(layer, size))

    def conv(self, layer: Conv, size: Size) -> Function:
        """``Conv``."""
        require_value(self, "input_dilation", layer.input_dilation, 1)
        require_value(self, "padding_mode", (layer.padding_mode,), "zeros")
        node = self._node(
            "Conv", "xwb" if layer.bias else "xw", kernel_shape=layer.kernel_size,
            strides=layer.stride, dilations=layer.dilation, group=layer.groups,
            **self._amounts(layer, size),
        )  # fmt: skip
        return self.run_node(node, layer.rank)

    def conv_transpose(self, layer: ConvTranspose, size: Size) -> Function:
        """``ConvTranspose``."""
        for axis, ((lo, hi), op) in enumerate(
            zip(layer.padding, layer.output_padding, strict=True)
        ):
            if min(lo, hi) < 0:
                raise refuse(self, "padding", ">= 0", (lo, hi))
            convention = OnnxConvTranspose(pads=(lo, hi), output_padding=op, opset=self.opset)
            for limit in convention.limits(layer.relation(axis), size[axis]):
                if not limit.holds:
                    raise refuse(self, "geometry", limit.rule, layer.output_padding)
        node = self._node(
            "ConvTranspose", "xwb" if layer.bias else "xw", kernel_shape=layer.kernel_size,
            strides=layer.stride, dilations=layer.dilation, group=layer.groups,
            output_padding=layer.output_padding, **self._pads(layer.padding),
        )  # fmt: skip
        return self.run_node(node, layer.rank)

    def avg_pool(self, layer: AvgPool, size: Size) -> Function:
        """``AveragePool``."""
        if layer.divisor_override is not None:
            raise refuse(self, "divisor_override", "left out", layer.divisor_override)
        given = {}
        if any(d != 1 for d in layer.dilation):
            if self.opset < 19:
                raise refuse(self, "dilation", "1 before operator set 19", layer.dilation)
            given["dilations"] = layer.dilation
        counted = int(layer.count_include_pad)
        return self._pool("AveragePool", layer, size, count_include_pad=counted, **given)

    def max_pool(self, layer: MaxPool, size: Size) -> Function:
        """``MaxPool``."""
        given = {}
        if any(d != 1 for d in layer.dilation):
            if self.opset < 10:
                raise refuse(self, "dilation", "1 before operator set 10", layer.dilation)
            given["dilations"] = layer.dilation
        return self._pool("MaxPool", layer, size, **given)

    def _pool(self, operator: str, layer: Any, size: Size, **given: Any) -> Function:
        if isinstance(layer.padding, OnnxPool) and layer.padding.auto_pad != "NOTSET":
            amounts = {"auto_pad": layer.padding.auto_pad}
            ceil_mode = layer.padding.ceil_mode
        elif isinstance(layer.padding, str) and layer.padding in AUTO_PADS:
            if layer.ceil_mode and layer.padding == "valid":
                # Text, shape inference and implementations say different things.
                raise refuse(self, "ceil_mode", "False with auto_pad VALID", layer.ceil_mode)
            amounts, ceil_mode = {"auto_pad": AUTO_PADS[layer.padding]}, layer.ceil_mode
        else:
            pads, ceil_mode = self._window(layer, size)
            amounts = self._pads(pads)
        if ceil_mode:
            given["ceil_mode"] = 1
        node = self._node(
            operator, "x", kernel_shape=layer.kernel_size, strides=layer.stride, **amounts, **given
        )
        return self.run_node(node, layer.rank)

    def _window(self, layer: Any, size: Size) -> tuple[Pads, bool]:
        """Pads and ceil mode, where this operator set gives the layer's windows with them."""
        pads = pads_of(layer, size)
        if min(min(pair) for pair in pads) < 0:
            raise refuse(self, "padding", ">= 0", pads)
        # Ceil mode is asked for wherever the layer has it, also where it changes nothing.
        for ceil_mode in (True, False) if layer.ceil_mode else (False, True):
            if ceil_mode and self.opset < 10:
                continue
            rules = tuple(
                OnnxPool(pads=pair, ceil_mode=ceil_mode, opset=self.opset) for pair in pads
            )
            if same_windows(layer, size, rules, False):
                return pads, ceil_mode
        raise refuse(self, "padding", "a rule that pads and ceil_mode can say", layer.padding)

    def global_avg_pool(self, layer: Any, size: Size) -> Function:
        """``GlobalAveragePool``."""
        return self.run_node(self._node("GlobalAveragePool", "x"), len(size))

    def global_max_pool(self, layer: Any, size: Size) -> Function:
        """``GlobalMaxPool``."""
        return self.run_node(self._node("GlobalMaxPool", "x"), len(size))
