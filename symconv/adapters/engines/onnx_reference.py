"""ONNX's reference evaluator as an engine.

References
----------
ONNX 1.23, documentation of ``onnx.reference.ReferenceEvaluator``.
"""

from __future__ import annotations

from typing import Any

from symconv.adapters.engines.base import Array, Function
from symconv.adapters.engines.onnx_models import OnnxEngine, one_node

__all__ = ["OnnxReference"]


class OnnxReference(OnnxEngine):
    """``onnx.reference.ReferenceEvaluator``: NumPy and Python loops, slow."""

    name = "onnx-reference"
    library = "onnx"
    extra = "onnx"

    def run_node(self, node: Any, rank: int) -> Function:
        """An evaluator for each type of the arguments."""
        names = [name for name in node.input if name]
        evaluators: dict[str, Any] = {}
        evaluator = self._import("onnx.reference").ReferenceEvaluator

        def run(*arguments: Array) -> Array:
            given = dict(zip(names, arguments, strict=True))
            kind = str(arguments[0].dtype)
            if kind not in evaluators:
                ranks = {name: each.ndim for name, each in given.items()}
                evaluators[kind] = evaluator(one_node(self.onnx, node, ranks, kind, self.opset))
            result: Array = evaluators[kind].run(None, given)[0]
            return result

        return run
