"""An operator in parts: each with its own input, made up of chunks, and the map on it."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from symconv.algebras import as_array
from symconv.boundary import OUTSIDE, ZEROS
from symconv.distributed.parts import Part
from symconv.errors import located
from symconv.evaluation import Number, Oriented, Packed, Settings
from symconv.incidence import Windows
from symconv.maps import WindowMap

__all__ = ["LinearTiles", "Tiles", "WindowTiles"]

Array = npt.NDArray[Any]

#: Local maps that a process keeps ready, with their tables and packed weights.
READY = 64


class Tiles(ABC):
    """An operator in parts: per axis a list of them, and how one is computed.

    Attributes
    ----------
    parts : tuple, one per axis, of tuples of Part
    read, made : tuple of int
        Lengths of the axes before the spatial ones that an input and an output have whole.
    kind : dtype
        Of the input; of the result, `dtype`.
    """

    parts: tuple[tuple[Part, ...], ...]
    read: tuple[int, ...]
    made: tuple[int, ...]
    kind: np.dtype[Any]
    description: str

    @abstractmethod
    def compute(self, x: Array, parts: Sequence[Part]) -> Any:
        """The outputs of one part from its own input."""

    def at(self, index: Sequence[int]) -> list[Part]:
        """One part per axis."""
        return [parts[number] for parts, number in zip(self.parts, index, strict=True)]

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """Sizes of the parts, per axis."""
        return tuple(tuple(part.size for part in parts) for parts in self.parts)

    def hulls(self, index: Sequence[int]) -> Iterator[tuple[tuple[int, ...], tuple[slice, ...]]]:
        """The chunks of the input that one part reads, and what of them, in the order of `run`."""
        for parts in itertools.product(*(part.fetches for part in self.at(index))):
            yield tuple(each.chunk for each in parts), tuple(each.hull for each in parts)

    def run(self, index: Sequence[int], batch: tuple[int, ...], given: Sequence[Array]) -> Any:
        """One part of the result, from the `hulls` of one batch of inputs."""
        parts = self.at(index)
        with located(lambda: self.description):
            return self.compute(self._assembled(parts, batch, given), parts)

    def _assembled(
        self, parts: Sequence[Part], batch: tuple[int, ...], given: Sequence[Array]
    ) -> Array:
        size = tuple(part.width for part in parts)
        shape = (*batch, *self.read, *size)
        if len(given) == 1 and all(_is_whole(part) for part in parts):
            return np.asarray(given[0]).reshape(shape)
        whole = np.zeros(shape, dtype=self.kind)
        combined = itertools.product(*(part.fetches for part in parts))
        for fetched, cut_out in zip(combined, given, strict=True):
            for runs in itertools.product(*(each.runs for each in fetched)):
                source, target = zip(*runs, strict=True)
                whole[(..., *target)] = cut_out[(..., *source)]
        return whole


def _is_whole(part: Part) -> bool:
    """Whether what is fetched is the part's input as it stands."""
    every = slice(0, part.width, 1)
    return len(part.fetches) == 1 and part.fetches[0].runs == ((every, every),)


@dataclass(frozen=True, eq=False)
class LinearTiles(Tiles):
    """A linear map with its weights in parts.

    Attributes
    ----------
    oriented : Oriented
    weight, bias : Number, or None for no bias
    plan, budget : as for `Operator.apply`
    affine : bool
        Whether constant padding and bias are added.
    dtype : dtype or None
        Of the result; None leaves every part its own.
    token : str
        Names these weights: what plans make of them is kept under it.
    """

    oriented: Oriented
    weight: Number
    bias: Number | None
    plan: str
    budget: int | None
    affine: bool
    parts: tuple[tuple[Part, ...], ...]
    read: tuple[int, ...]
    made: tuple[int, ...]
    kind: np.dtype[Any]
    description: str
    dtype: np.dtype[Any] | None = None
    token: str = ""

    def compute(self, x: Array, parts: Sequence[Part]) -> Array:
        """The outputs of one part from its own input."""
        oriented, packed = _ready(self._local(parts), self.token)
        number = as_array("x", x)
        settings = Settings(self.budget, None, packed)
        if all(part.fold is None for part in parts):
            if self.affine:
                y = oriented.affine(number, self.weight, self.bias, self.plan, settings)
            else:
                y = oriented.apply_linear(number, self.weight, self.plan, settings)[0]
            return y if self.dtype is None else y.astype(self.dtype, copy=False)
        # Only the transpose of a convolution folds: it has neither bias nor constant padding.
        y = oriented.apply_linear(number, self.weight, self.plan, settings)[0]
        if self.dtype is not None:
            # First, as sums may be larger than what is summed.
            y = y.astype(self.dtype, copy=False)
        for axis, part in enumerate(parts, start=y.ndim - len(parts)):
            if part.fold is not None:
                y = _summed(y, part.fold, part.size, axis)
        return y

    def _local(self, parts: Sequence[Part]) -> Oriented:
        linear, geometry = self.oriented.linear, self.oriented.linear.geometry
        boundary = ZEROS if geometry.boundary.needs_samples else geometry.boundary
        axes = tuple(part.local for part in parts)
        here = replace(geometry, axes=axes, boundary=boundary)
        changes: dict[str, Any] = {"geometry": here}
        if isinstance(linear, WindowMap) and isinstance(linear.divisors, tuple):
            changes["divisors"] = tuple(
                counts[part.outputs.start : part.outputs.stop]
                for counts, part in zip(linear.divisors, parts, strict=True)
            )
        return replace(self.oriented, linear=replace(linear, **changes))


@lru_cache(maxsize=READY)
def _ready(oriented: Oriented, token: str) -> tuple[Oriented, Packed]:
    """A map with the tables that it has made, and a place for its packed weights."""
    return oriented, {}


def _summed(y: Array, fold: npt.NDArray[np.int64], size: int, axis: int) -> Array:
    """One axis with every result added where it belongs."""
    inside = np.flatnonzero(fold != OUTSIDE)
    order = inside[np.argsort(fold[inside], kind="stable")]
    places, first = np.unique(fold[order], return_index=True)
    result = np.zeros((*y.shape[:axis], size, *y.shape[axis + 1 :]), dtype=y.dtype)
    if len(places):
        at: tuple[Any, ...] = (slice(None),) * axis
        result[(*at, places)] = np.add.reduceat(y.take(order, axis), first, axis=axis)
    return result


@dataclass(frozen=True, eq=False)
class WindowTiles(Tiles):
    """A function of each window in parts: ``function(x, windows)``, for a pair with places too.

    Attributes
    ----------
    function : callable
        Of the input of a part and its `Windows`; must be picklable. Of a pair of results the
        second is the flat places in the part's input.
    input_size : tuple of int
        Of the whole input, for places in it.
    """

    function: Callable[[Array, Windows], Any]
    input_size: tuple[int, ...]
    parts: tuple[tuple[Part, ...], ...]
    kind: np.dtype[Any]
    description: str
    read: tuple[int, ...] = ()
    made: tuple[int, ...] = ()

    def compute(self, x: Array, parts: Sequence[Part]) -> Any:
        """The outputs of one part from its own input."""
        size = tuple(part.width for part in parts)
        found = self.function(x, Windows([part.local for part in parts], size))
        if not isinstance(found, tuple):
            return found
        values, places = found
        each = np.unravel_index(places, size)
        whole = tuple(place + part.first for place, part in zip(each, parts, strict=True))
        return values, np.asarray(np.ravel_multi_index(whole, self.input_size))
