"""An ONNX file's convolutions and poolings, each run by engines against the exact operator."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from symconv.adapters.engines import Engine, engine
from symconv.auditing.nodes import Node, nodes_of, opened
from symconv.auditing.results import SKIPPED, Audit, AuditedNode
from symconv.auditing.running import Limits, audited
from symconv.auditing.sharing import Task, audited_on
from symconv.checks import concrete, integer, sequence
from symconv.cluster import check_client
from symconv.errors import ParameterError, ParameterTypeError

__all__ = ["audit"]


def audit(
    source: Any,
    engines: Sequence[str | Engine] = ("onnxruntime",),
    *,
    input_shape: Sequence[int] | None = None,
    max_macs: int = 2**28,
    node_limit: float = 60.0,
    seed: int = 0,
    client: Any = None,
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
    client : distributed.Client, optional
        A Dask cluster that shares the geometries (extra ``dask``). Its workers must have the same
        code and engines; what a worker had that dies is run by another, and is undecided if they
        end one after the other.
    on_row : callable, optional
        Called with each row when it is there.

    Returns
    -------
    Audit
        In the order of the graph.

    Raises
    ------
    FileError
        If the file is missing, too large or no ONNX model.
    ParameterError, ParameterTypeError
        If a parameter breaks its rule.
    MissingExtraError
        If onnx or an engine is not installed.
    ClusterError
        If the cluster is lost.

    Examples
    --------
    >>> found = audit("squeezenet.onnx", engines=["onnxruntime"])  # doctest: +SKIP
    >>> bool(found), found.refuted  # doctest: +SKIP
    (True, ())
    """
    limits = Limits(
        concrete("max_macs", integer("max_macs", max_macs, 1)),
        _seconds(node_limit),
        concrete("seed", integer("seed", seed, 0)),
    )
    if isinstance(engines, str):
        raise ParameterTypeError(f"engines must be a sequence of names, got {engines!r}")
    chosen = [_engine(each) for each in sequence("engines", engines)]
    if not chosen:
        raise ParameterError("engines must name at least one engine, got none")
    if client is not None:
        check_client(client)
    _, model = opened(source, input_shape)
    rows: list[AuditedNode | None] = []

    def put(at: int, row: AuditedNode) -> None:
        rows[at] = row
        if on_row is not None:
            on_row(row)

    tasks: list[Task] = []
    # Geometry on an engine → its rows, with the names of their nodes.
    places: dict[Any, list[tuple[int, str]]] = {}
    for found in nodes_of(model):
        if not isinstance(found, Node):
            name, operator, error = found
            rows.append(None)
            put(len(rows) - 1, AuditedNode(name, operator, "", "", (), SKIPPED, "", str(error)))
            continue
        for each in chosen:
            key = each.name, found.key
            if key not in places:
                places[key] = []
                tasks.append((found, each))
            places[key].append((len(rows), found.name))
            rows.append(None)
    for node, given, row in _audited(tasks, limits, client):
        (first, _), *others = places[given.name, node.key]
        put(first, row)
        for at, name in others:
            put(at, replace(row, node=name, seconds=0.0, same_as=row.node))
    title = Path(source).name if isinstance(source, (str, os.PathLike)) else "model"
    done = tuple(row for row in rows if row is not None)
    return Audit(title, {each.name: each.version for each in chosen}, done)


def _audited(
    tasks: list[Task], limits: Limits, client: Any
) -> Iterator[tuple[Node, Engine, AuditedNode]]:
    if client is None:
        for node, given in tasks:
            yield node, given, audited(node, given, limits)
        return
    for number, row in audited_on(client, tasks, limits):
        yield *tasks[number], row


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
