"""The graph of a network: named steps in an order in which every input comes first."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from symconv import checks
from symconv.errors import ParameterError, ParameterTypeError, SymconvError
from symconv.network.contract import checked_arity, checked_node, describe, rank_of

__all__ = ["INPUT", "Step", "in_step", "ordered", "steps_of"]

#: What steps call the network's input.
INPUT = "input"


@dataclass(frozen=True, slots=True)
class Step:
    """A named node and the names of what it reads.

    Parameters
    ----------
    name : str
    node : layer or node
    inputs : tuple of str
        Names of earlier steps, or "input".
    parameters : int, optional
        Parameters to count here, where other steps share the weights; by default the node's own.
    """

    name: str
    node: Any
    inputs: tuple[str, ...]
    parameters: Any = None

    def parameter_count(self) -> Any:
        """Parameters that this step adds to the network's."""
        return self.node.parameter_count() if self.parameters is None else self.parameters


@contextmanager
def in_step(step: Step) -> Iterator[None]:
    """Add the step's name, and once its node, to an error raised inside."""
    try:
        yield
    except SymconvError as error:
        raise named_error(step, error) from None


def named_error(step: Step, error: SymconvError) -> SymconvError:
    """`error` with the step that it arose in."""
    node = "" if error.is_located else f" {describe(step.node)}"
    named = type(error)(f"{error} in layer {checks.shown(step.name)}{node}")
    named.is_located = True
    return named


def steps_of(layers: Any) -> list[Step]:
    """Steps from a sequence of layers, or from a mapping of names to nodes and their inputs."""
    if isinstance(layers, Mapping):
        entries = [(name, *_node_and_inputs(name, value)) for name, value in layers.items()]
    elif isinstance(layers, Sequence) and not isinstance(layers, (str, bytes)):
        if all(isinstance(layer, Step) for layer in layers):
            return list(layers)
        entries = [(str(at), layer, None) for at, layer in enumerate(layers)]
    else:
        raise ParameterTypeError(
            f"layers must be a sequence of layers or a mapping of names to layers, got "
            f"{type(layers).__name__} {checks.shown(layers)}"
        )
    steps: list[Step] = []
    # What a name stands for: a nested network's name stands for its output.
    ends = {INPUT: INPUT}
    previous = INPUT
    names = {name for name, _, _ in entries}
    for name, node, given in entries:
        _check_name(name)
        inputs = (previous,) if given is None else given
        inner = getattr(node, "steps", None)
        if inner is None:
            steps.append(Step(name, checked_node(name, node), inputs))
            ends[name] = name
        else:
            if len(inputs) != 1:
                raise ParameterError(f"inputs must number 1 for the network {name!r}, got {inputs}")
            places = {step.name: f"{name}.{step.name}" for step in inner}
            if not names.isdisjoint(places.values()):
                raise ParameterError(f"names must differ from those in the network {name!r}")
            places[INPUT] = inputs[0]
            for step in inner:
                sources = tuple(places[source] for source in step.inputs)
                steps.append(Step(places[step.name], step.node, sources, step.parameters))
            ends[name] = places[node.output]
        previous = name
    return [
        Step(step.name, step.node, tuple(ends.get(i, i) for i in step.inputs), step.parameters)
        for step in steps
    ]


def _node_and_inputs(name: Any, value: Any) -> tuple[Any, tuple[str, ...] | None]:
    if not isinstance(value, tuple):
        return value, None
    if not value or not all(isinstance(source, str) for source in value[1:]):
        raise ParameterTypeError(
            f"layer must be a node, or a node and the names of its inputs, got "
            f"{checks.shown(value)} for {checks.shown(name)}"
        )
    return value[0], value[1:] or None


def _check_name(name: Any) -> None:
    if not isinstance(name, str):
        raise ParameterTypeError(f"name must be text, got {type(name).__name__} {name!r}")
    if not name or name == INPUT:
        raise ParameterError(f"name must not be empty or {INPUT!r}, got {name!r}")


def ordered(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps in an order in which inputs come first; the given order where it is one.

    Raises
    ------
    ParameterError
        If a name is used twice, an input is missing, or steps wait for each other in a circle.
    """
    places = {step.name: at for at, step in enumerate(steps)}
    if len(places) < len(steps):
        seen: set[str] = set()
        twice = next(s.name for s in steps if s.name in seen or seen.add(s.name))  # type: ignore[func-returns-value]
        raise ParameterError(f"names must differ, got {checks.shown(twice)} twice")
    waiting: list[int] = []
    followers: dict[int, list[int]] = {}
    for at, step in enumerate(steps):
        with in_step(step):
            checked_arity(step.node, len(step.inputs))
            sources = {places.get(name, -1) for name in step.inputs if name != INPUT}
            if -1 in sources:
                missing = next(n for n in step.inputs if n != INPUT and n not in places)
                raise ParameterError(f"input must name a layer, got {checks.shown(missing)}")
        waiting.append(len(sources))
        for source in sources:
            followers.setdefault(source, []).append(at)
    # Kahn's algorithm, the earliest ready step first, so that a valid order stays as it is.
    ready = [at for at, count in enumerate(waiting) if count == 0]
    result: list[Step] = []
    while ready:
        at = heapq.heappop(ready)
        result.append(steps[at])
        for follower in followers.get(at, ()):
            waiting[follower] -= 1
            if waiting[follower] == 0:
                heapq.heappush(ready, follower)
    if len(result) < len(steps):
        stuck = [step.name for at, step in enumerate(steps) if waiting[at]]
        raise ParameterError(
            f"layers must not wait for each other in a circle, got {checks.shown(stuck[:3])} among "
            f"{len(stuck)} on or behind one"
        )
    return tuple(result)


def is_chain(steps: Sequence[Step]) -> bool:
    """Whether each step reads the one before it."""
    previous = INPUT
    for step in steps:
        if step.inputs != (previous,):
            return False
        previous = step.name
    return True


def chain_rank(steps: Sequence[Step]) -> int:
    """Spatial axes, as the first layer that states them has them."""
    for step in steps:
        rank = rank_of(step.node)
        if rank is not None:
            return rank
    raise ParameterError("input_shape must be given for a network without convolution or pooling")
