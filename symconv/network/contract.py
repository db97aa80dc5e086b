"""What a network asks of its nodes, and how symconv's layers answer.

A node is a frozen value: shapes in, a shape out, parameters, multiplications, and how it reads
each axis. Shapes are (channels, *size) without the batch, entries integers or SymPy expressions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, ClassVar

import sympy

from symconv import checks
from symconv.adaptive import AdaptiveRelation
from symconv.boundary import Boundary
from symconv.errors import ParameterError, ParameterTypeError, ShapeError
from symconv.layers import Layer
from symconv.layers.adaptive import AdaptiveLayer, GlobalLayer
from symconv.network.reading import Reading, Uneven, Whole, Window
from symconv.shapes import canonical

__all__ = [
    "Node",
    "Shape",
    "checked_shape",
    "describe",
    "equal",
    "is_linear",
    "kind",
    "mac_count",
    "output_shape",
    "rank_of",
    "readings",
]

Shape = tuple[Any, ...]

#: Per input of a node: axis of its shape → how it is read; axes left out are read one by one.
Readings = tuple[Mapping[int, Reading], ...]

#: Most axes of a shape.
MAX_RANK = 32


class Node:
    """Base of what stands between the convolutions: one input, position by position, no weights.

    Subclasses say what differs: a frozen dataclass each.
    """

    #: Whether the node is a linear map plus a constant at inference.
    is_linear: ClassVar[bool] = False
    #: Least and largest number of inputs.
    arity: ClassVar[tuple[int, int | None]] = (1, 1)

    @property
    def kind(self) -> str:
        """What the table calls the node."""
        return type(self).__name__

    def output_shape(self, *shapes: Shape) -> Shape:
        """Shape of the output for the shapes of the inputs."""
        return shapes[0]

    def parameter_count(self) -> Any:
        """Number of learned values."""
        return 0

    def mac_count(self, *shapes: Shape) -> Any:
        """Multiplications by weights whose products are added up."""
        return 0

    def readings(self, shapes: Sequence[Shape] | None) -> Readings:
        """How each input's axes are read; `shapes` is None where sizes are not known."""
        return ({},) * (1 if shapes is None else len(shapes))

    def carried(self, shapes: Sequence[Shape] | None) -> Mapping[int, int] | None:
        """Axis of the first input → the axis of the output that it becomes; None: all stay."""
        return None

    def known(self, shapes: Sequence[Shape] | None) -> Sequence[Shape]:
        """The shapes, or an error where sizes are needed and not known."""
        if shapes is None:
            raise ParameterError(f"input_shape must be given for a network with {describe(self)}")
        return shapes


def equal(first: Any, second: Any) -> bool:
    """Whether two sizes are one number or have one canonical form."""
    if first is second or first == second:
        return True
    if isinstance(first, int) and isinstance(second, int):
        return False
    return bool(canonical(sympy.sympify(first, strict=True) - second) == 0)


def describe(node: Any) -> str:
    """A node in a line, for messages: long values are cut."""
    if isinstance(node, Layer):
        return node.describe()
    shown = (f"{item.name}={checks.shown(getattr(node, item.name))}" for item in fields(node))
    return f"{type(node).__name__}({', '.join(shown)})"


def kind(node: Any) -> str:
    """What the table calls a node."""
    return node.kind if isinstance(node, Node) else type(node).__name__


def is_linear(node: Any) -> bool:
    """Whether a node is a linear map plus a constant at inference."""
    return bool(node.is_linear)


def checked_node(name: str, node: Any) -> Any:
    """`node`, refused unless it is a layer or a node."""
    if not isinstance(node, (Layer, Node)):
        raise ParameterTypeError(
            f"layer must be a symconv layer or a node of symconv.network, got "
            f"{type(node).__name__} {checks.shown(node)} for {checks.shown(name)}"
        )
    return node


def checked_shape(value: Any) -> Shape:
    """(channels, *size) with entries of at least 1."""
    shape = checks.sequence("input_shape", value)
    if not 1 <= len(shape) <= MAX_RANK:
        raise ShapeError(f"input_shape must have 1 … {MAX_RANK} entries, got {len(shape)}")
    return tuple(checks.integer("input_shape", n, 1) for n in shape)


def checked_arity(node: Any, count: int) -> None:
    """Refuse a number of inputs that the node cannot take."""
    least, most = node.arity if isinstance(node, Node) else (1, 1)
    if count < least or (most is not None and count > most):
        rule = f"{least}" if most == least else f"at least {least}"
        raise ParameterError(f"inputs must number {rule}, got {count} ({describe(node)})")


def output_shape(node: Any, shapes: Sequence[Shape]) -> Shape:
    """Shape of a node's output."""
    return tuple(node.output_shape(*shapes))


def mac_count(node: Any, shapes: Sequence[Shape]) -> Any:
    """Multiply-accumulates of a node: every tap of every output, padding included."""
    if isinstance(node, Node):
        return node.mac_count(*shapes)
    # Poolings, padding and patches have no weights.
    return node.mac_count(shapes[0][1:]) if hasattr(node, "mac_count") else 0


def rank_of(node: Any) -> int | None:
    """Spatial axes that a node states itself; None where any number will do."""
    return None if isinstance(node, (Node, GlobalLayer)) else int(node.rank)


def readings(node: Any, shapes: Sequence[Shape] | None) -> Readings:
    """How a node reads each axis of its inputs."""
    if isinstance(node, Node):
        return node.readings(shapes)
    if isinstance(node, AdaptiveLayer):
        if shapes is None:
            raise ParameterError(f"input_shape must be given for a network with {describe(node)}")
        return ({axis: _adaptive(node, axis, n) for axis, n in enumerate(shapes[0]) if axis},)
    boundary = Boundary(getattr(node, "padding_mode", "zeros"))
    windows = {}
    for axis in range(node.rank):
        relation = node.relation(axis, None if shapes is None else shapes[0][axis + 1])
        windows[axis + 1] = Window(relation.adjoint() if node.is_transposed else relation, boundary)
    return (windows,)


def _adaptive(node: AdaptiveLayer, axis: int, n: Any) -> Reading:
    rule = node.windows(axis - 1, n)
    if isinstance(rule, AdaptiveRelation):
        # Any number of outputs reads a single sample whole.
        return Whole(n) if equal(n, 1) else Uneven(rule)
    return Whole(n) if equal(rule.n_taps, n) else Window(rule)
