"""Pictures of layers: what one output of a stack reads, level by level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from symconv import checks
from symconv.errors import ParameterError
from symconv.layers import Layer
from symconv.layers.base import checked_layers
from symconv.reach import Trace, trace
from symconv.relation import AxisRelation
from symconv.rendering import field_svg

__all__ = ["Stack", "receptive_field_svg", "stacks_of"]


class Stack:
    """One axis of a stack of layers: its relations, and the sizes of all levels where known."""

    def __init__(self, relations: Sequence[AxisRelation], sizes: Sequence[int]) -> None:
        self.relations, self.sizes = tuple(relations), tuple(sizes)

    def traced(self, position: int) -> Trace:
        """What a position reads at every level, truncated by padding where sizes are known."""
        if not self.sizes:
            return trace(self.relations, position)
        return trace(self.relations, position, self.sizes[0], sizes=self.sizes)


def stacks_of(layers: Sequence[Layer], input_size: Sequence[int] | None = None) -> list[Stack]:
    """Each axis of a stack of layers, the layer next to the input first.

    Examples
    --------
    >>> import symconv as sc
    >>> (stack,) = stacks_of([sc.Conv1d(1, 1, 3, padding=1), sc.MaxPool1d(2)], (8,))
    >>> stack.sizes, stack.traced(0).levels
    ((8, 8, 4), ((0, 1, 2), (0, 1), (0,)))
    """
    given = checked_layers(layers)
    for layer in given:
        if layer.rank != given[0].rank:
            raise ParameterError(f"layers must have one rank, got {given[0].rank} and {layer.rank}")
    rank = given[0].rank
    # Sizes of every level, where they are known: ceil mode and "same" padding need them.
    sizes: list[Any] = []
    if input_size is not None:
        sizes.append(checks.per_axis("input_size", tuple(input_size), rank, 1))
    relations: list[list[AxisRelation]] = [[] for _ in range(rank)]
    for layer in given:
        for axis, found in enumerate(relations):
            relation = layer.relation(axis, sizes[-1][axis] if sizes else None)
            found.append(relation.adjoint() if layer.is_transposed else relation)
        if sizes:
            sizes.append(layer.output_size(sizes[-1]))
    return [Stack(found, [size[axis] for size in sizes]) for axis, found in enumerate(relations)]


def receptive_field_svg(
    layers: Sequence[Layer],
    position: int = 0,
    *,
    axis: int = 0,
    input_size: Sequence[int] | None = None,
) -> str:
    """A figure of what one output of a stack of layers reads on one axis, as SVG.

    Parameters
    ----------
    layers : sequence of Layer
        The layer next to the input first.
    position : int
        The output position.
    axis : int, default 0
    input_size : sequence of int, optional
        Tells what padding leaves apart from what it takes.

    Examples
    --------
    >>> import symconv as sc
    >>> svg = receptive_field_svg([sc.Conv1d(1, 1, 3, dilation=2)] * 2)
    >>> svg.startswith("<svg")
    True
    """
    stacks = stacks_of(layers, input_size)
    if checks.integer("axis", axis, 0) >= len(stacks):
        raise ParameterError(f"axis must be below the rank {len(stacks)}, got {axis}")
    stack = stacks[axis]
    whole = trace(stack.relations, position)
    return field_svg(
        whole.levels,
        whole.places,
        whole.links,
        stored=stack.traced(position).levels if stack.sizes else None,
        names=["input", *(type(layer).__name__ for layer in layers)],
        title=f"what output {position} reads",
    )
