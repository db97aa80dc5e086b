"""ONNX Runtime on the CPU as an engine, on one thread.

References
----------
ONNX Runtime 1.31, documentation of ``InferenceSession`` and *Graph optimizations*.
"""

from __future__ import annotations

from typing import Any, ClassVar

from symconv.adapters.engines.base import Array, Function, pads_of, refuse, require_value
from symconv.adapters.engines.onnx_models import OnnxEngine, one_node
from symconv.layers import ConvTranspose
from symconv.verifying import UnsupportedError

__all__ = ["OnnxRuntime", "OnnxRuntimeConstant", "OnnxRuntimeUnoptimised"]


class OnnxRuntime(OnnxEngine):
    """ONNX Runtime with all graph optimisations; weights are inputs of the model."""

    name = "onnxruntime"
    library = "onnxruntime"
    takes: ClassVar[dict[str, str]] = OnnxEngine.takes | {
        "Conv": OnnxEngine.takes["Conv"] + "; no auto_pad SAME with dilation",
        "ConvTranspose": OnnxEngine.takes["ConvTranspose"] + "; output_padding below the stride",
        "AvgPool": OnnxEngine.takes["AvgPool"] + "; padding below the kernel",
        "MaxPool": OnnxEngine.takes["MaxPool"] + "; padding below the kernel",
    }

    #: Name of the level in ``GraphOptimizationLevel``.
    optimisation = "ORT_ENABLE_ALL"

    #: Whether weights are stored in the model, which optimisations may then change.
    stores_weights = False

    def _amounts(self, layer: Any, size: tuple[int, ...]) -> dict[str, Any]:
        given = super()._amounts(layer, size)
        if given.get("auto_pad", "").startswith("SAME"):
            require_value(self, "dilation with auto_pad SAME", layer.dilation, 1)
        return given

    def conv_transpose(self, layer: ConvTranspose, size: tuple[int, ...]) -> Function:
        """``ConvTranspose``."""
        for op, stride in zip(layer.output_padding, layer.stride, strict=True):
            if op >= stride:
                raise refuse(self, "output_padding", f"below the stride, {stride}", op)
        return super().conv_transpose(layer, size)

    def _pool(self, operator: str, layer: Any, size: tuple[int, ...], **given: Any) -> Function:
        for kernel, pair in zip(layer.kernel_size, pads_of(layer, size), strict=True):
            if max(pair) >= kernel:
                raise refuse(self, "padding", f"below the kernel, {kernel}", pair)
        return super()._pool(operator, layer, size, **given)

    def run_node(self, node: Any, rank: int) -> Function:
        """A session for each type of the arguments, and for each value of stored weights."""
        names = [name for name in node.input if name]
        sessions: dict[Any, Any] = {}

        def run(*arguments: Array) -> Array:
            given = dict(zip(names, arguments, strict=True))
            stored = {}
            if self.stores_weights:
                stored = {name: given.pop(name) for name in names[1:]}
            key = arguments[0].dtype, *(each.tobytes() for each in stored.values())
            if key not in sessions:
                # The weights change with each probe: one session at a time.
                sessions.clear()
                ranks = {name: each.ndim for name, each in given.items()}
                kind = str(arguments[0].dtype)
                model = one_node(self.onnx, node, ranks, kind, self.opset, stored)
                sessions[key] = self.session(model)
            result: Array = sessions[key].run(None, given)[0]
            return result

        return run

    def session(self, model: Any) -> Any:
        """A session of one thread on the CPU, or `UnsupportedError` where there is no kernel."""
        runtime = self._import("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        level = runtime.GraphOptimizationLevel
        options.graph_optimization_level = getattr(level, self.optimisation)
        try:
            return runtime.InferenceSession(
                model.SerializeToString(), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            # Its errors derive from Exception, in a module that no two versions share.
            if type(error).__name__ == "NotImplemented":
                raise UnsupportedError(str(error)) from None
            raise


class OnnxRuntimeUnoptimised(OnnxRuntime):
    """ONNX Runtime without graph optimisations."""

    name = "onnxruntime-unoptimised"
    optimisation = "ORT_DISABLE_ALL"


class OnnxRuntimeConstant(OnnxRuntime):
    """ONNX Runtime with weights stored in the model: a session for each weight.

    Only then does it choose blocked layouts (NCHWc) for convolutions.
    """

    name = "onnxruntime-constant"
    stores_weights = True
