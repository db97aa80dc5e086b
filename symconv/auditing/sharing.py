"""Nodes run on a Dask cluster: the engine made there, the same code and versions as here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from symconv.adapters import engines
from symconv.adapters.engines import ENGINES, Engine, engine
from symconv.auditing.nodes import Node
from symconv.auditing.results import AuditedNode
from symconv.auditing.running import Limits, audited, row_of
from symconv.cluster import TURN, results
from symconv.errors import ParameterError
from symconv.proving.ledger import check_code, fingerprint
from symconv.verdict import UNDECIDED

__all__ = ["Task", "audited_on"]

Task = tuple[Node, Engine]

_made = cache(engine)


@dataclass(frozen=True, eq=False)
class _Sent:
    """A task on its way; `engine` is a name, or one that is no engine of `ENGINES`."""

    node: Node
    engine: str | Engine
    version: str
    limits: Limits
    code: str


def audited_on(
    client: Any, tasks: Sequence[Task], limits: Limits
) -> Iterator[tuple[int, AuditedNode]]:
    """The number of each task with its row, as they come (see `symconv.cluster.results`)."""
    code = fingerprint()
    sent = [
        _Sent(node, given.name if _is_named(given) else given, given.version, limits, code)
        for node, given in tasks
    ]
    for number, row in results(client, audited_there, sent, "nodes"):
        if row is None:
            reason = "the workers that ran it ended, one after the other"
            yield number, replace(row_of(*tasks[number]), status=UNDECIDED, reason=reason)
        else:
            yield number, row


def audited_there(task: _Sent) -> AuditedNode:
    """The row of a node, run on a worker."""
    check_code(task.code)
    with TURN:
        given = _made(task.engine) if isinstance(task.engine, str) else task.engine
        if given.version != task.version:
            raise ParameterError(
                f"client must have workers with {given.name} {task.version}, got {given.version}"
            )
        return audited(task.node, given, task.limits)


def _is_named(given: Engine) -> bool:
    """Whether the engine is the one of its name; an ONNX engine takes each node's operator set."""
    module, _, name = ENGINES.get(given.name, "").partition(":")
    kind = type(given)
    return (kind.__module__, kind.__qualname__) == (f"{engines.__name__}.{module}", name)
