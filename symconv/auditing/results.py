"""What an audit found: one row per node and engine, as a table, JSON or a page."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from symconv.verdict import PROVED, REFUTED

__all__ = ["AGREES", "SKIPPED", "Audit", "AuditedNode"]

#: Verdicts of rows besides PROVED, REFUTED and UNDECIDED: nothing differs where not all could be
#: compared, and not run at all.
AGREES, SKIPPED = "AGREES", "SKIPPED"

#: Columns of the text of a layer in the table.
WIDTH = 64


@dataclass(frozen=True)
class AuditedNode:
    """One node of the model on one engine.

    Attributes
    ----------
    node, operator, engine : str
        Name of the node, operator of ONNX, engine (empty where the node was skipped).
    layer : str
        The layer as symconv writes it, empty where it could not be read.
    input_size : tuple of int
        Spatial, as in the model.
    status : str
        "PROVED", "AGREES", "REFUTED", "UNDECIDED" or "SKIPPED".
    scope, reason : str
        What was decided, and why; the scope names a reduced size.
    mistakes : tuple of str
        Names of known mistakes that explain a refutation.
    counterexample : str
        The smallest case of a refutation.
    seconds : float
        0 where another node of the same geometry had been verified before.
    same_as : str
        That node's name, empty otherwise.
    """

    node: str
    operator: str
    engine: str
    layer: str
    input_size: tuple[int, ...]
    status: str
    scope: str
    reason: str
    mistakes: tuple[str, ...] = ()
    counterexample: str = ""
    seconds: float = 0.0
    same_as: str = ""


@dataclass(frozen=True)
class Audit:
    """What `symconv.audit` found.

    Attributes
    ----------
    model : str
        The file's name.
    engines : dict of str to str
        Engines and their versions.
    rows : tuple of AuditedNode
    """

    model: str
    engines: dict[str, str]
    rows: tuple[AuditedNode, ...]

    @property
    def refuted(self) -> tuple[AuditedNode, ...]:
        """The rows that are refuted."""
        return tuple(row for row in self.rows if row.status == REFUTED)

    @property
    def verified(self) -> int:
        """Distinct geometries that were run, each engine counted."""
        return sum(row.status != SKIPPED and not row.same_as for row in self.rows)

    def __bool__(self) -> bool:
        """Whether every row is proved or agrees."""
        return all(row.status in (PROVED, AGREES) for row in self.rows)

    def summary(self) -> str:
        """Counts of the verdicts, in a line.

        Examples
        --------
        >>> Audit("model.onnx", {"onnxruntime": "1.31"}, ()).summary()
        'model.onnx: no convolution or pooling'
        """
        if not self.rows:
            return f"{self.model}: no convolution or pooling"
        nodes = len({row.node for row in self.rows})
        counts = Counter(row.status for row in self.rows)
        listed = ", ".join(f"{count} {status}" for status, count in counts.items())
        seconds = sum(row.seconds for row in self.rows)
        return (
            f"{self.model}: {nodes} nodes, {self.verified} distinct geometries run in "
            f"{seconds:.1f} s: {listed}"
        )

    def __str__(self) -> str:
        rows = [("node", "engine", "verdict", "layer", "input")]
        for row in self.rows:
            layer = row.layer or row.operator
            layer = layer if len(layer) <= WIDTH else layer[: WIDTH - 1] + "…"
            size = "×".join(map(str, row.input_size))
            rows.append((row.node[:40], row.engine, row.status, layer, size))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = []
        for at, cells in enumerate(rows):
            pairs = zip(cells, widths, strict=True)
            lines.append("  ".join(cell.ljust(width) for cell, width in pairs).rstrip())
            if at and self.rows[at - 1].status not in (PROVED, AGREES):
                lines.extend(f"    {line}" for line in _why(self.rows[at - 1]))
        engines = ", ".join(f"{name} {version}" for name, version in self.engines.items())
        return "\n".join([*lines, "", self.summary(), f"engines: {engines}"])

    def data(self) -> dict[str, Any]:
        """All of it as what JSON has."""
        return {
            "model": self.model,
            "engines": self.engines,
            "verified": self.verified,
            "rows": [asdict(row) for row in self.rows],
        }

    def json(self) -> str:
        """`data` as a text."""
        return json.dumps(self.data(), ensure_ascii=False, indent=1)


def _why(row: AuditedNode) -> list[str]:
    if row.same_as:
        return [f"as {row.same_as}"]
    lines = row.reason.splitlines()
    if row.status == REFUTED:
        lines.append(f"mistake: {' or '.join(row.mistakes) or 'no known mistake fits'}")
        lines.extend(row.counterexample.splitlines())
    return lines
