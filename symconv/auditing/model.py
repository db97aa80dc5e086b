"""An ONNX file's convolutions and poolings, each run by engines against the exact operator."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from symconv.adapters.engines import Engine, engine
from symconv.adapters.engines.onnx_models import OnnxEngine
from symconv.auditing.nodes import Node, nodes_of, opened
from symconv.auditing.norms import verify_norm
from symconv.auditing.results import AGREES, SKIPPED, Audit, AuditedNode
from symconv.auditing.sizing import reduced
from symconv.checks import concrete, integer, sequence
from symconv.errors import ParameterError, ParameterTypeError, SymconvError
from symconv.geometry import by_axis
from symconv.layers import GlobalLpPool, Layer, LpPool
from symconv.layers.adaptive import GlobalLayer
from symconv.verdict import REFUTED
from symconv.verifying import UnsupportedError, Verification, verify

__all__ = ["audit"]


def audit(
    source: Any,
    engines: Sequence[str | Engine] = ("onnxruntime",),
    *,
    input_shape: Sequence[int] | None = None,
    max_macs: int = 2**28,
    node_limit: float = 60.0,
    seed: int = 0,
    on_row: Callable[[AuditedNode], None] | None = None,
) -> Audit:
    """Verify every convolution and pooling of a model at its real parameters.

    Each node is taken out with its attributes, its operator set and its input size, and run by the
    engines with probe weights (the file's own hide mistakes) against the exact operator. Nodes of
    one geometry are verified once. Engines that are not ONNX's get the layer in their own terms.

    Parameters
    ----------
    source : path or onnx.ModelProto
    engines : sequence of str or Engine
        Names of `symconv.adapters.engines.ENGINES`, or engines.
    input_shape : sequence of int, optional
        (channels, *size) of the model's input, where the file leaves sizes open.
    max_macs : int, default 2**28
        Multiply-accumulates per sample from which a map is probed at a reduced size with the same
        remainders, padding and borders; the scope says so.
    node_limit : float, default 60
        Seconds for a node on an engine.
    seed : int, default 0
    on_row : callable, optional
        Called with each row when it is there.

    Returns
    -------
    Audit

    Raises
    ------
    FileError
        If the file is missing, too large or no ONNX model.
    ParameterError, ParameterTypeError
        If a parameter breaks its rule.
    MissingExtraError
        If onnx or an engine is not installed.

    Examples
    --------
    >>> found = audit("squeezenet.onnx", engines=["onnxruntime"])  # doctest: +SKIP
    >>> bool(found), found.refuted  # doctest: +SKIP
    (True, ())
    """
    limits = _Limits(
        concrete("max_macs", integer("max_macs", max_macs, 1)),
        _seconds(node_limit),
        concrete("seed", integer("seed", seed, 0)),
    )
    if isinstance(engines, str):
        raise ParameterTypeError(f"engines must be a sequence of names, got {engines!r}")
    chosen = [_engine(each) for each in sequence("engines", engines)]
    if not chosen:
        raise ParameterError("engines must name at least one engine, got none")
    _, model = opened(source, input_shape)
    rows: list[AuditedNode] = []
    known: dict[Any, AuditedNode] = {}

    def add(row: AuditedNode) -> None:
        rows.append(row)
        if on_row is not None:
            on_row(row)

    for found in nodes_of(model):
        if not isinstance(found, Node):
            name, operator, error = found
            add(AuditedNode(name, operator, "", "", (), SKIPPED, "", str(error)))
            continue
        for each in chosen:
            key = each.name, found.key
            if key in known:
                before = known[key]
                add(replace(before, node=found.name, seconds=0.0, same_as=before.node))
            else:
                known[key] = _audited(found, each, limits)
                add(known[key])
    title = Path(source).name if isinstance(source, (str, os.PathLike)) else "model"
    return Audit(title, {each.name: each.version for each in chosen}, tuple(rows))


@dataclass(frozen=True)
class _Limits:
    macs: int
    seconds: float
    seed: int


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ParameterTypeError(
            f"node_limit must be a number of seconds, got {type(value).__name__}"
        )
    if not 0 < value < 10**6:
        raise ParameterError(f"node_limit must be above 0 and below 10**6 seconds, got {value}")
    return float(value)


def _engine(given: Any) -> Engine:
    if isinstance(given, Engine):
        return given
    if not isinstance(given, str):
        raise ParameterTypeError(f"engines must be names or engines, got {type(given).__name__}")
    return engine(given)


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


def _audited(node: Node, given: Engine, limits: _Limits) -> AuditedNode:
    start = time.monotonic()
    size = reduced(node.layer, node.size, limits.macs)
    if isinstance(given, OnnxEngine) and given.opset != node.opset:
        given = type(given)(node.opset)
    implementation = _OneNode(node, given, size, start + limits.seconds, limits.seconds)
    row = AuditedNode(
        node.name, node.operator, given.name, repr(node.layer), node.size, SKIPPED, "", ""
    )
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
    implementation: _OneNode, node: Node, size: tuple[int, ...], limits: _Limits
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
