"""What a mistake is: a hypothesis that predicts the implementation's whole result.

A mistake is a function of a `Case` (a layer at one size) that yields its variants: a name for
each, and a predictor ``(x[, w[, b]]) → y`` made of symconv's own operators, for other layers or for
other arguments. To add one, write it and decorate it with its name.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.errors import SymconvError
from symconv.layers import Layer
from symconv.verifying.problems import Problem, forward

__all__ = ["MISTAKES", "Case", "Predictor", "Variants", "choices", "mistake", "permutations"]

Array = npt.NDArray[Any]
Predictor = Callable[..., Array]
Variants = Iterator[tuple[str, Predictor]]
Mistake = Callable[["Case"], Variants]

#: Every known mistake: name → variants at a case.
MISTAKES: dict[str, Mistake] = {}


def mistake(name: str) -> Callable[[Mistake], Mistake]:
    """Enter a function into `MISTAKES`."""

    def enter(function: Mistake) -> Mistake:
        MISTAKES[name] = function
        return function

    return enter


@dataclass(frozen=True, eq=False)
class Case:
    """A layer at one size, for which mistakes make predictions."""

    layer: Layer
    size: tuple[int, ...]
    channels: int

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return self.layer.rank

    @cached_property
    def problem(self) -> Problem:
        """What is right."""
        return forward(self.layer, self.size, self._channels(self.layer))

    def _channels(self, layer: Layer) -> int | None:
        return None if hasattr(layer, "in_channels") else self.channels

    @property
    def is_convolution(self) -> bool:
        """Whether there are weights."""
        return self.problem.has_second

    @property
    def is_transposed(self) -> bool:
        """Whether the layer is a transposed convolution."""
        return self.layer.is_transposed

    @cached_property
    def pads(self) -> tuple[tuple[int, int], ...]:
        """(lo, hi) per axis, as amounts where the layer names a convention."""
        padding: Any = getattr(self.layer, "padding", ())
        if not isinstance(padding, str):
            return tuple(padding)
        relations = (self.layer.relation(axis, n) for axis, n in enumerate(self.size))
        return tuple((int(r.pad_lo), int(r.pad_hi)) for r in relations)

    def like(self, **changes: Any) -> Predictor | None:
        """The layer with other parameters, or None where that is no layer at this size.

        None as well where nothing changes: the layer itself is no mistake.
        """
        try:
            other = replace(self.layer, **changes)  # type: ignore[type-var]
        except SymconvError:
            return None
        return self.as_layer(other)

    def as_layer(self, other: Layer) -> Predictor | None:
        """Another layer in the place of this one, on the same arguments."""
        if other == self.layer:
            return None
        try:
            problem = forward(other, self.size, self._channels(other))
        except SymconvError:
            return None
        return problem.run

    def padded(self, pads: Sequence[tuple[int, int]]) -> Predictor | None:
        """The layer with these amounts of padding."""
        return self.like(padding=tuple(pads))


def permutations(rank: int) -> Iterator[tuple[int, ...]]:
    """Every order of the axes but the right one."""
    for order in itertools.permutations(range(rank)):
        if order != tuple(range(rank)):
            yield order


def choices(rank: int) -> Iterator[tuple[str, tuple[bool, ...]]]:
    """Which axes have the mistake: all of them, then each alone (of more than one)."""
    yield "every axis", (True,) * rank
    if rank > 1:
        for axis in range(rank):
            yield f"axis {axis}", tuple(at == axis for at in range(rank))


def present(variants: Iterator[tuple[str, Predictor | None]]) -> Variants:
    """The variants that exist at a case."""
    for name, predictor in variants:
        if predictor is not None:
            yield name, predictor


def arrays(arguments: Sequence[Any]) -> list[Array]:
    """The arguments in float64, to be changed at will."""
    return [np.array(argument, dtype=np.float64) for argument in arguments]
