"""One node on one engine: run with probe weights against the exact operator."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from symconv.adapters.engines import Engine
from symconv.adapters.engines.onnx_models import OnnxEngine
from symconv.auditing.nodes import Node
from symconv.auditing.norms import verify_norm
from symconv.auditing.results import AGREES, SKIPPED, AuditedNode
from symconv.auditing.sizing import reduced
from symconv.errors import SymconvError
from symconv.geometry import by_axis
from symconv.layers import GlobalLpPool, Layer, LpPool
from symconv.layers.adaptive import GlobalLayer
from symconv.verdict import REFUTED
from symconv.verifying import UnsupportedError, Verification, verify

__all__ = ["Limits", "audited", "row_of"]


@dataclass(frozen=True)
class Limits:
    """Multiply-accumulates from which a map is reduced, seconds for a node, and the seed."""

    macs: int
    seconds: float
    seed: int


@dataclass(frozen=True, eq=False)
class _OneNode:
    """The node itself at its own geometry, the engine's own spelling at every other.

    After the deadline it takes no more geometries and no more calls.
    """

    node: Node
    engine: Engine
    size: tuple[int, ...]
    deadline: float
    seconds: float

    def build(self, layer: Layer, input_size: tuple[int, ...]) -> Callable[..., Any]:
        self._check_time()
        own = layer == self.node.layer and input_size == self.size
        if own and isinstance(self.engine, OnnxEngine):
            fn = self.engine.run_node(self.node.message, len(input_size))
        else:
            fn = self.engine.build(layer, input_size)

        def run(*arguments: Any) -> Any:
            self._check_time()
            return fn(*arguments)

        return run

    def _check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise UnsupportedError(f"the {self.seconds:g} seconds for this node are over")


def row_of(node: Node, given: Engine) -> AuditedNode:
    """The row of a node that is not run yet."""
    return AuditedNode(
        node.name, node.operator, given.name, repr(node.layer), node.size, SKIPPED, "", ""
    )


def audited(node: Node, given: Engine, limits: Limits) -> AuditedNode:
    """The row of a node that is run here."""
    start = time.monotonic()
    size = reduced(node.layer, node.size, limits.macs)
    if isinstance(given, OnnxEngine) and given.opset != node.opset:
        given = type(given)(node.opset)
    implementation = _OneNode(node, given, size, start + limits.seconds, limits.seconds)
    row = row_of(node, given)
    try:
        verdict = _verified(implementation, node, size, limits)
    except SymconvError as error:
        return replace(row, reason=str(error), seconds=time.monotonic() - start)
    scope = f"{verdict.scope}, operator set {node.opset}"
    if size != node.size:
        scope += (
            f"; {by_axis(size)} in place of {by_axis(node.size)}, with the same padding and the "
            f"same remainders modulo the stride"
        )
    agrees = verdict.agrees and not verdict.is_proved
    return replace(
        row,
        status=AGREES if agrees else verdict.status,
        scope=scope,
        reason=verdict.reason,
        mistakes=verdict.mistakes,
        counterexample=str(verdict.counterexample) if verdict.status == REFUTED else "",
        seconds=time.monotonic() - start,
    )


def _verified(
    implementation: _OneNode, node: Node, size: tuple[int, ...], limits: Limits
) -> Verification:
    if isinstance(node.layer, (LpPool, GlobalLpPool)):
        return verify_norm(
            implementation, node.layer, size, dtype=node.dtype, time_limit=limits.seconds
        )
    # Poolings act on each channel alone, and are run with as many as the node has.
    channels = None if hasattr(node.layer, "in_channels") else node.channels
    # A layer of any number of axes has no smaller geometries to try.
    shrinks = not isinstance(node.layer, GlobalLayer)
    return verify(
        implementation, node.layer, size, channels=channels, dtype=node.dtype, layouts=(),
        threads=False, shrink=shrinks, name=shrinks, time_limit=limits.seconds,
        search_limit=limits.seconds / 4, seed=limits.seed,
    )  # fmt: skip
