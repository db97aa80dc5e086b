"""Networks: layers composed, with tables, receptive fields and the composed linear map."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from symconv import checks
from symconv.errors import GeometryError, ParameterError, SymconvError
from symconv.network.contract import (
    Shape,
    checked_shape,
    kind,
    mac_count,
    output_shape,
    rank_of,
)
from symconv.network.fields import Misaligned, ReceptiveField, fields_of, inputs_of
from symconv.network.graph import (
    INPUT,
    Step,
    chain_rank,
    is_chain,
    named_error,
    ordered,
    steps_of,
)
from symconv.network.linear import NetworkOperator
from symconv.network.table import Table

__all__ = ["Network"]


class Network:
    """Layers composed: a sequence, or a graph of named nodes.

    Parameters
    ----------
    layers : sequence or mapping
        A sequence of layers, nodes and networks, each reading the one before; or a mapping of
        names to a node (reading the entry before) or to ``(node, *names of its inputs)``, where
        "input" is the network's input. Entries may come in any order without a circle.
    output : str, optional
        Name of the layer whose output is the network's; by default the one that no other reads,
        and the last entry where there are several.
    input_shape : tuple, optional
        (channels, *size) to use where none is given.

    Examples
    --------
    >>> import symconv as sc
    >>> from symconv.network import Add, Activation, Network
    >>> net = Network({
    ...     "conv": sc.Conv2d(3, 8, 3, padding=1),
    ...     "left": (sc.Conv2d(8, 8, 3, padding=1), "conv"),
    ...     "sum": (Add(), "left", "conv"),
    ...     "relu": Activation("ReLU"),
    ... })
    >>> net.output_shape((3, 32, 32)), net.parameter_count(), net.mac_count((3, 32, 32))
    ((8, 32, 32), 808, 811008)
    >>> net.receptive_field()
    ReceptiveField(size=(5, 5), jump=(1, 1), start=(-2, -2), padding=(2, 2))
    """

    def __init__(
        self, layers: Any, *, output: str | None = None, input_shape: Sequence[Any] | None = None
    ) -> None:
        given = steps_of(layers)
        if not given:
            raise ParameterError("layers must hold at least one layer, got none")
        self.steps: tuple[Step, ...] = ordered(given)
        self._by_name = {step.name: step for step in self.steps}
        read = {name for step in self.steps for name in step.inputs}
        unread = [step.name for step in self.steps if step.name not in read]
        last = unread[0] if len(unread) == 1 else given[-1].name
        self.output: str = self._checked_name(last if output is None else output)
        self.input_shape = None if input_shape is None else checked_shape(input_shape)

    def _checked_name(self, name: str) -> str:
        if name not in self._by_name:
            raise ParameterError(f"layer must be one of the network's, got {checks.shown(name)}")
        return name

    def __len__(self) -> int:
        return len(self.steps)

    def __getitem__(self, name: str) -> Any:
        return self._by_name[self._checked_name(name)].node

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Network):
            return NotImplemented
        return (self.steps, self.output) == (other.steps, other.output)

    def __hash__(self) -> int:
        return hash((self.steps, self.output))

    def __repr__(self) -> str:
        shape = "sequence" if is_chain(self.steps) else "graph"
        return f"<Network, a {shape} of {len(self.steps)} layers>"

    @cached_property
    def _chain_rank(self) -> int:
        return chain_rank(self.steps)

    def _checked_input(self, input_shape: Sequence[Any] | None) -> Shape:
        if input_shape is not None:
            return checked_shape(input_shape)
        if self.input_shape is None:
            raise ParameterError("input_shape must be given: this network states none")
        return self.input_shape

    def shapes(self, input_shape: Sequence[Any] | None = None) -> dict[str, Shape]:
        """Shape of every layer's output by name, and of "input"."""
        shapes = {INPUT: self._checked_input(input_shape)}
        for step in self.steps:
            try:
                shapes[step.name] = output_shape(step.node, [shapes[name] for name in step.inputs])
            except SymconvError as error:
                raise named_error(step, error) from None
        return shapes

    def output_shape(self, input_shape: Sequence[Any] | None = None) -> Shape:
        """Shape of the network's output.

        Raises
        ------
        GeometryError, ShapeError
            If a layer has no output, or not these inputs; the message names it.
        """
        return self.shapes(input_shape)[self.output]

    def parameter_count(self) -> Any:
        """Learned values, shared ones counted once; running statistics are none."""
        return sum(step.parameter_count() for step in self.steps)

    def mac_count(self, input_shape: Sequence[Any] | None = None) -> Any:
        """Multiply-accumulates of convolutions and fully connected layers, per tap."""
        shapes = self.shapes(input_shape)
        return sum(
            mac_count(step.node, [shapes[name] for name in step.inputs]) for step in self.steps
        )

    def table(self, input_shape: Sequence[Any] | None = None) -> Table:
        """One row per layer: shape, parameters, MACs and receptive field; SymPy sizes allowed.

        Examples
        --------
        >>> import sympy, symconv as sc
        >>> n = sympy.Symbol("n", integer=True, positive=True)
        >>> table = Network([sc.Conv2d(3, 8, 3)]).table((3, n, n))
        >>> table.rows[0]["output_shape"], table.totals["macs"]
        ((8, n - 2, n - 2), 216*(n - 2)**2)
        """
        shapes = self.shapes(input_shape)
        fields = fields_of(self.steps, len(shapes[INPUT]) - 1, shapes)
        rows: list[dict[str, Any]] = []
        notes: dict[str, None] = {}
        for step in self.steps:
            field = fields[step.name]
            row = {
                "name": step.name,
                "kind": kind(step.node),
                "output_shape": shapes[step.name],
                "parameters": step.parameter_count(),
                "macs": mac_count(step.node, [shapes[name] for name in step.inputs]),
            }
            if isinstance(field, Misaligned):
                notes[field.reason] = None
                row |= dict.fromkeys(("field", "jump", "start", "padding"))
            else:
                row |= {
                    "field": tuple(axis.size for axis in field.axes),
                    "jump": tuple(axis.jump for axis in field.axes),
                    "start": tuple(axis.start for axis in field.axes),
                    "padding": tuple(axis.padding for axis in field.axes),
                }
            rows.append(row)
        totals = {key: sum(row[key] for row in rows) for key in ("parameters", "macs")}
        return Table(tuple(rows), totals, tuple(notes))

    def _sized(self, input_shape: Sequence[Any] | None) -> tuple[dict[str, Shape] | None, int]:
        if input_shape is None and self.input_shape is None:
            return None, self._chain_rank
        shapes = self.shapes(input_shape)
        return shapes, len(shapes[INPUT]) - 1

    def receptive_field(
        self, input_shape: Sequence[Any] | None = None, *, at: str | None = None
    ) -> ReceptiveField:
        """What the output, or the layer `at`, sees of the input.

        Parameters
        ----------
        input_shape : tuple, optional
            Needed where fields depend on it: global pooling, flattening, padding "same_upper".
        at : str, optional
            Name of a layer.

        Raises
        ------
        GeometryError
            If branches with different jumps meet on the way: `inputs` still answers.
        """
        name = self.output if at is None else self._checked_name(at)
        steps = self._until(name)
        shapes, rank = self._sized(input_shape)
        field = fields_of(steps, rank, shapes)[name]
        if isinstance(field, Misaligned):
            raise GeometryError(f"receptive field must be one affine map, but {field.reason}")
        return ReceptiveField(name, field.axes, steps, shapes)

    def inputs(
        self,
        position: Sequence[int],
        input_shape: Sequence[Any] | None = None,
        *,
        at: str | None = None,
    ) -> frozenset[tuple[int, ...]]:
        """The exact set of input positions that one output position depends on, in any channel.

        Examples
        --------
        >>> import symconv as sc
        >>> net = Network([sc.Conv1d(1, 1, 3, dilation=2), sc.Conv1d(1, 1, 2, dilation=4)])
        >>> sorted(at for at, in net.inputs((0,)))
        [0, 2, 4, 6, 8]
        """
        name = self.output if at is None else self._checked_name(at)
        shapes, rank = self._sized(input_shape)
        return inputs_of(self._until(name), name, position, rank, shapes)

    def _until(self, name: str) -> tuple[Step, ...]:
        """The steps that `name` depends on, in order."""
        needed = {name}
        for step in reversed(self.steps):
            if step.name in needed:
                needed.update(step.inputs)
        return tuple(step for step in self.steps if step.name in needed)

    def operator(self, input_size: Sequence[int] | None = None) -> NetworkOperator:
        """The composed linear map, where every layer on the way is linear.

        Parameters
        ----------
        input_size : sequence of int, optional
            Samples per axis; the channels are those of the first convolution. Or the whole
            (channels, *size).

        Raises
        ------
        ParameterTypeError
            If a layer is not linear; the message names it.
        """
        steps = self._until(self.output)
        given = None if input_size is None else checks.sequence("input_size", input_size)
        channels = next(
            (step.node.in_channels for step in steps if hasattr(step.node, "in_channels")), None
        )
        ranks = (rank_of(step.node) for step in steps)
        rank = next((rank for rank in ranks if rank is not None), None)
        if given is not None and channels is not None and len(given) == rank:
            given = (channels, *given)
        shapes = self.shapes(given)
        for step in steps:
            for name in step.inputs:
                if not all(isinstance(n, int) for n in shapes[name]):
                    checks.concrete("input_size", math.prod(shapes[name]))
        return NetworkOperator(steps, self.output, shapes)
