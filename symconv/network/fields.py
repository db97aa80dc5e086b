"""Receptive fields through a graph: composed forward as formulas, followed backward as sets.

Every spatial axis of the network's input is followed on its own. Branches that meet are joined
by the hull of their fields; where their jumps differ, no affine field exists and the step is
*misaligned*. The exact sets need no alignment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from symconv import checks
from symconv.adaptive import AdaptiveRelation
from symconv.errors import GeometryError, ParameterError, ShapeError
from symconv.memory import require
from symconv.network.contract import Node, Shape, equal, readings
from symconv.network.graph import INPUT, Step, in_step
from symconv.network.reading import Reading, Slice, Uneven, Whole, Window
from symconv.receptive import AxisField

__all__ = ["Field", "Misaligned", "ReceptiveField", "fields_of"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Field:
    """The field per axis of the network's input, and the axis of the shape it lives on now."""

    axes: tuple[AxisField, ...]
    places: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Misaligned:
    """Where and why no affine field exists."""

    reason: str
    places: tuple[int | None, ...]


def moved(
    places: Sequence[int | None], node: Any, shapes: Sequence[Shape] | None
) -> tuple[int | None, ...]:
    """Where the input's axes lie after a node."""
    carried = node.carried(shapes) if isinstance(node, Node) else None
    if carried is None:
        return tuple(places)
    return tuple(None if place is None else carried.get(place) for place in places)


def _through(field: AxisField, reading: Reading | None) -> AxisField:
    if isinstance(reading, Window):
        return field.then(AxisField.of(reading.relation))
    if isinstance(reading, Whole):
        # Every later position sees the same samples: neighbours' fields do not move.
        return field.then(AxisField(reading.n, 0, 0))
    return field


def _joined(name: str, branches: Sequence[Field]) -> Field | Misaligned:
    """The hull of fields that move alike."""
    places = branches[0].places
    axes = []
    for axis, met in enumerate(zip(*(branch.axes for branch in branches), strict=True)):
        jump = met[0].jump
        if not all(equal(field.jump, jump) for field in met):
            jumps = sorted({str(field.jump) for field in met})
            return Misaligned(
                f"branches meet at layer {checks.shown(name)} with jumps {' and '.join(jumps)} on "
                f"axis {axis}",
                places,
            )
        padding = _largest([field.padding for field in met])
        end = _largest([field.size - field.padding for field in met])
        axes.append(AxisField(end + padding, jump, padding))
    return Field(tuple(axes), places)


def _largest(values: Sequence[Any]) -> Any:
    symbolic = any(isinstance(value, sympy.Basic) for value in values)
    return sympy.Max(*values) if symbolic else max(values)


def fields_of(
    steps: Sequence[Step], rank: int, shapes: Mapping[str, Shape] | None
) -> dict[str, Field | Misaligned]:
    """The field of every step, by name."""
    places: tuple[int | None, ...] = tuple(range(1, rank + 1))
    fields: dict[str, Field | Misaligned] = {INPUT: Field((AxisField.identity(),) * rank, places)}
    for step in steps:
        with in_step(step):
            fields[step.name] = _field(step, [fields[name] for name in step.inputs], shapes)
    return fields


def _field(
    step: Step, given: Sequence[Field | Misaligned], shapes: Mapping[str, Shape] | None
) -> Field | Misaligned:
    known = None if shapes is None else [shapes[name] for name in step.inputs]
    places = moved(given[0].places, step.node, known)
    reads = readings(step.node, known)
    # Without sizes a joining node cannot know how many branches it has; they all read alike.
    reads = reads if len(reads) == len(given) else reads * len(given)
    branches = []
    for before, read in zip(given, reads, strict=True):
        if isinstance(before, Misaligned):
            return Misaligned(before.reason, places)
        if before.places != given[0].places:
            return Misaligned(f"axes differ at layer {checks.shown(step.name)}", places)
        if any(isinstance(read.get(place), Slice) for place in before.places if place):
            return Misaligned(
                f"layer {checks.shown(step.name)} concatenates along a spatial axis", places
            )
        uneven = (read.get(place) for place in before.places if place)
        rule = next((each.rule for each in uneven if isinstance(each, Uneven)), None)
        if rule is not None:
            return Misaligned(
                f"layer {checks.shown(step.name)} has windows of different sizes, unless "
                f"{rule.n_out} divides {rule.n_in}",
                places,
            )
        axes = (
            _through(field, None if place is None else read.get(place))
            for field, place in zip(before.axes, before.places, strict=True)
        )
        branches.append(Field(tuple(axes), places))
    return branches[0] if len(branches) == 1 else _joined(step.name, branches)


@dataclass(frozen=True, slots=True)
class _Box:
    """Positions per axis of the network's input: a mask with the position of its first cell."""

    origin: tuple[int, ...]
    mask: Mask

    def union(self, other: _Box) -> _Box:
        pairs = list(zip(self.origin, other.origin, strict=True))
        origin = tuple(min(pair) for pair in pairs)
        ends = (
            max(a + n, b + m)
            for (a, b), n, m in zip(pairs, self.mask.shape, other.mask.shape, strict=True)
        )
        shape = tuple(end - start for end, start in zip(ends, origin, strict=True))
        require(int(np.prod(shape, dtype=object)), "the set of inputs", "ask for a smaller field")
        mask = np.zeros(shape, dtype=bool)
        for box in (self, other):
            mask[
                tuple(
                    slice(a - start, a - start + n)
                    for a, start, n in zip(box.origin, origin, box.mask.shape, strict=True)
                )
            ] |= box.mask
        return _Box(origin, mask)

    def read(self, axis: int, reading: Reading, n: int | None) -> _Box:
        """What these positions read on one axis, of `n` stored samples (None: unbounded)."""
        mask = np.moveaxis(self.mask, axis, 0)
        start = self.origin[axis]
        if isinstance(reading, Window):
            start, mask = _windows(start, mask, reading, n)
        elif isinstance(reading, Whole):
            mask = np.broadcast_to(mask.any(axis=0), (reading.n, *mask.shape[1:]))
            start = 0
        elif isinstance(reading, Uneven):
            start, mask = _runs(start, mask, reading.rule)
        else:
            lo, hi = max(start, reading.start), min(start + len(mask), reading.start + reading.n)
            mask = mask[max(lo - start, 0) : max(hi - start, 0)]
            start = lo - reading.start if len(mask) else 0
        origin = (*self.origin[:axis], start, *self.origin[axis + 1 :])
        return _Box(origin, np.moveaxis(mask, 0, axis))


def _windows(start: int, mask: Mask, reading: Window, n: int | None) -> tuple[int, Mask]:
    """b·j = s·o + d·k − p for every o of the mask, along its first axis."""
    relation = reading.relation
    reach = relation.reach(max(len(mask), 1))
    require(reach * int(np.prod(mask.shape[1:], dtype=object)), "the set of inputs", "use less")
    spread = np.zeros((reach, *mask.shape[1:]), dtype=bool)
    for k in range(relation.n_taps):
        spread[relation.tap_slice(k, len(mask))] |= mask
    positions = relation.position(start, 0) + np.arange(reach, dtype=np.int64)
    j, gap = np.divmod(positions, relation.input_dilation)
    inside = gap == 0
    if n is not None:
        j = reading.boundary.read(j, n)
        # Past the explicit padding lies the overhang of ceil mode, which reads nothing.
        inside &= (j >= 0) & (positions < relation.end(n))
    j, spread = j[inside], spread[inside]
    if not len(j):
        return 0, spread[:0]
    result = np.zeros((int(j.max() - j.min()) + 1, *mask.shape[1:]), dtype=bool)
    np.logical_or.at(result, j - j.min(), spread)
    return int(j.min()), result


def _runs(start: int, mask: Mask, rule: AdaptiveRelation) -> tuple[int, Mask]:
    """What the outputs of the mask, along its first axis, read: a run of samples each."""
    o = start + np.arange(len(mask))
    first = int(rule.start(start))
    reach = int(rule.stop(start + len(mask) - 1)) - first
    result = np.zeros((reach, *mask.shape[1:]), dtype=bool)
    for k in range(rule.n_taps):
        j = rule.position(o, k)
        inside = j < rule.n_in
        np.logical_or.at(result, j[inside] - first, mask[inside])
    return first, result


@dataclass(frozen=True)
class ReceptiveField:
    """What one step of a network sees of the input, per spatial axis.

    Attributes
    ----------
    size, jump, start, padding : tuple
        One entry per axis: samples seen, samples between neighbouring outputs' fields, where the
        field of output 0 starts, and −start.
    """

    name: str
    axes: tuple[AxisField, ...]
    _steps: tuple[Step, ...]
    _shapes: Mapping[str, Shape] | None

    @property
    def size(self) -> tuple[Any, ...]:
        """Samples from the first to the last one seen, per axis."""
        return tuple(axis.size for axis in self.axes)

    @property
    def jump(self) -> tuple[Any, ...]:
        """Samples between the fields of neighbouring outputs, per axis."""
        return tuple(axis.jump for axis in self.axes)

    @property
    def start(self) -> tuple[Any, ...]:
        """Where the field of output 0 starts, per axis."""
        return tuple(axis.start for axis in self.axes)

    @property
    def padding(self) -> tuple[Any, ...]:
        """Effective low padding, −start, per axis."""
        return tuple(axis.padding for axis in self.axes)

    def inputs(self, position: Sequence[int]) -> frozenset[tuple[int, ...]]:
        """The exact set of input positions that an output position depends on.

        Of any channel; stored samples only where the input shape is known, virtual ones of the
        padding too where it is not.
        """
        return inputs_of(self._steps, self.name, position, len(self.axes), self._shapes)

    def __repr__(self) -> str:
        return (
            f"ReceptiveField(size={self.size}, jump={self.jump}, start={self.start}, "
            f"padding={self.padding})"
        )


def inputs_of(
    steps: Sequence[Step],
    name: str,
    position: Sequence[int],
    rank: int,
    shapes: Mapping[str, Shape] | None,
) -> frozenset[tuple[int, ...]]:
    """The set of input positions behind `position` of step `name`, by every path."""
    places = _places(steps, rank, shapes)
    origin = _checked_position(position, places[name], None if shapes is None else shapes[name])
    boxes = {name: _Box(origin, np.ones((1,) * rank, dtype=bool))}
    for step in reversed(steps):
        # Each box is let go as soon as it has been followed.
        box = boxes.pop(step.name, None)
        if box is None:
            continue
        known = None if shapes is None else [shapes[source] for source in step.inputs]
        with in_step(step):
            reads = readings(step.node, known)
            reads = reads if len(reads) == len(step.inputs) else reads * len(step.inputs)
            for source, read in zip(step.inputs, reads, strict=True):
                behind = box
                for axis, place in enumerate(places[source]):
                    reading = None if place is None else read.get(place)
                    if reading is not None and place is not None:
                        n = None if shapes is None else shapes[source][place]
                        behind = behind.read(axis, reading, n)
                if behind.mask.size:
                    met = boxes.get(source)
                    boxes[source] = behind if met is None else met.union(behind)
    if INPUT not in boxes:
        return frozenset()
    box = boxes[INPUT]
    found = np.argwhere(box.mask) + np.array(box.origin, dtype=np.int64)
    return frozenset(map(tuple, found.tolist()))


def _places(
    steps: Sequence[Step], rank: int, shapes: Mapping[str, Shape] | None
) -> dict[str, tuple[int | None, ...]]:
    places: dict[str, tuple[int | None, ...]] = {INPUT: tuple(range(1, rank + 1))}
    for step in steps:
        known = None if shapes is None else [shapes[source] for source in step.inputs]
        with in_step(step):
            places[step.name] = moved(places[step.inputs[0]], step.node, known)
            if any(places[source] != places[step.inputs[0]] for source in step.inputs):
                raise GeometryError("branches must have the input's axes in the same places")
    return places


def _checked_position(
    position: Sequence[int], places: Sequence[int | None], shape: Shape | None
) -> tuple[int, ...]:
    entries = checks.sequence("position", position)
    if len(entries) != len(places):
        raise ShapeError(f"position must have {len(places)} entries, one per axis, got {entries}")
    checked = tuple(
        checks.concrete("position", checks.integer("position", at, None if shape is None else 0))
        for at in entries
    )
    if shape is not None:
        for n in shape:
            checks.concrete("input_shape", n)
        for at, place in zip(checked, places, strict=True):
            size = 1 if place is None else shape[place]
            if at >= size:
                raise ParameterError(f"position must lie inside size {size}, got {at}")
    return checked
