"""The two grids of a step diagram: which positions are drawn, of which kind, and what they show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import islice, product
from typing import Any

from symconv import checks
from symconv.drawing.axes import Spot
from symconv.drawing.numbers import Numbers, cut, shown
from symconv.drawing.readings import Reading
from symconv.drawing.scene import Cell, Grid, Place
from symconv.errors import ParameterError, TooLargeError
from symconv.geometry import by_axis

__all__ = ["MAX_CELLS", "MAX_FRAMES", "Grids", "joint_kind", "whole_numbers"]

#: Cells of a picture, and frames of a drawing.
MAX_CELLS, MAX_FRAMES = 20_000, 512


class Grids:
    """The input and the output as cells.

    Parameters
    ----------
    reading : Reading
    numbers : Numbers
    direction : {"forward", "transposed"}
        What `planes` is about.
    planes : iterable of int, optional
        Positions on the first spatial axis that are stepped over, and drawn.

    Raises
    ------
    TooLargeError
        If there are too many cells.
    """

    def __init__(
        self,
        reading: Reading,
        numbers: Numbers,
        direction: str,
        planes: Iterable[int] | None = None,
    ) -> None:
        self.reading, self.numbers, self.direction = reading, numbers, direction
        self.planes = None if planes is None else self._checked_planes(planes)
        sides: list[list[list[Any]]] = [[*self._kept_samples()], [*self._kept_windows()]]
        n_cells = sum(math.prod(map(len, side)) for side in sides)
        if n_cells > MAX_CELLS:
            raise TooLargeError(
                f"{n_cells} cells are above the limit of {MAX_CELLS} for a step diagram; crop the "
                f"input, choose planes=(0, …) of three axes, or draw the view 'matrix'"
            )

    @property
    def plane_axis(self) -> int:
        """The axis that `planes` chooses from."""
        return 1 if self.reading.has_channels else 0

    def _checked_planes(self, planes: Iterable[int]) -> tuple[int, ...]:
        if len(self.reading.axes) - self.reading.has_channels < 3:
            raise ParameterError("planes must be left out for fewer than three spatial axes")
        found = whole_numbers("planes", planes)
        n = self.stepped_size(self.direction)[self.plane_axis]
        for plane in found:
            if not 0 <= plane < n:
                raise ParameterError(f"planes must be 0 … {n - 1}, got {plane}")
        return tuple(sorted(set(found)))

    def stepped_size(self, direction: str) -> tuple[int, ...]:
        """Numbers of the side that a direction steps over, per axis."""
        return self.reading.size("output" if direction == "forward" else "input")

    def _kept_windows(self) -> list[list[int]]:
        """Windows that are drawn, per axis."""
        kept = [list(range(axis.n_out)) for axis in self.reading.axes]
        if self.planes is not None:
            at, axis = self.plane_axis, self.reading.axes[self.plane_axis]
            if self.reading.steps_windows(self.direction):
                kept[at] = list(self.planes)
            else:
                reads = [set(row.tolist()) for row in axis.reads]
                kept[at] = [o for o, row in enumerate(reads) if row & set(self.planes)]
        return kept

    def _kept_samples(self) -> list[list[Spot]]:
        """Positions of the sample side that are drawn, per axis."""
        kept = [list(axis.spots) for axis in self.reading.axes]
        if self.planes is not None:
            at, axis = self.plane_axis, self.reading.axes[self.plane_axis]
            if self.reading.steps_windows(self.direction):
                places = {int(p) for o in self.planes for p in axis.places[o][axis.lies[o]]}
                places |= {
                    self._homes[at][int(i)]
                    for o in self.planes
                    for i in axis.reads[o]
                    if int(i) in self._homes[at]
                }
                kept[at] = [spot for spot in kept[at] if spot.position in places]
            else:
                kept[at] = [spot for spot in kept[at] if spot.sample in self.planes]
        return kept

    @cached_property
    def _homes(self) -> list[dict[int, int]]:
        """Per axis: where each stored number lies itself."""
        return [
            {
                s.sample: s.position
                for s in axis.spots
                if s.kind != "repeat" and s.sample is not None
            }
            for axis in self.reading.axes
        ]

    @cached_property
    def copies(self) -> list[dict[int, list[int]]]:
        """Per axis: every position that shows each stored number."""
        found = []
        for axis in self.reading.axes:
            shows: dict[int, list[int]] = {}
            for spot in axis.spots:
                if spot.sample is not None:
                    shows.setdefault(spot.sample, []).append(spot.position)
            found.append(shows)
        return found

    @cached_property
    def _kinds(self) -> list[dict[int, Spot]]:
        return [{spot.position: spot for spot in axis.spots} for axis in self.reading.axes]

    def kind_of(self, place: Place) -> str:
        """What lies at a place of the sample side; "nowhere" past the corner of a crop."""
        spots = [kinds[p] for kinds, p in zip(self._kinds, place, strict=True)]
        return joint_kind(spots) or "nowhere"

    def home(self, side: str, index: Place) -> Place:
        """Where a stored number of a side lies itself."""
        if (side == "input") != self.reading.samples_are_input:
            return index
        return tuple(homes[i] for homes, i in zip(self._homes, index, strict=True))

    def both(self) -> tuple[Grid, Grid]:
        """The input and the output."""
        samples, windows = self._sample_grid(), self._window_grid()
        return (samples, windows) if self.reading.samples_are_input else (windows, samples)

    def _title(self, name: str) -> str:
        size = self.reading.size(name)
        title = f"{name} {by_axis(size)}"
        if self.reading.has_channels:
            title = f"{name}: {_counted(size[0], 'channel')} of {by_axis(size[1:])}"
        if self.planes is not None and (name == "output") == (self.direction == "forward"):
            title += f", planes {', '.join(map(str, self.planes))}"
        return title

    @property
    def _n_leading(self) -> int:
        spatial = len(self.reading.axes) - self.reading.has_channels
        return max(len(self.reading.axes) - min(spatial, 2), 0)

    def _grid(self, name: str, cells: Iterator[Cell], ticks: list[Any]) -> Grid:
        channels = self.reading.size(name)[0] if self.reading.has_channels else 0
        per_group = max(channels // self.reading.groups, 1)
        return Grid(
            name,
            self._title(name),
            tuple(cells),
            tuple(tuple(axis) for axis in ticks),
            self._n_leading,
            self.reading.has_channels,
            tuple(channel // per_group for channel in range(channels)),
        )

    def _sample_grid(self) -> Grid:
        kept = self._kept_samples()
        name = "input" if self.reading.samples_are_input else "output"
        ticks = [
            [
                (s.position, str(s.sample))
                for s in axis
                if s.kind in ("sample", "cropped") and s.sample is not None
            ]
            for axis in kept
        ]
        return self._grid(name, self._sample_cells(kept), ticks)

    def _sample_cells(self, kept: list[list[Spot]]) -> Iterator[Cell]:
        for spots in product(*kept):
            kind = joint_kind(spots)
            if kind is None:
                continue
            samples = tuple(spot.sample for spot in spots)
            index = None if None in samples else samples
            place = tuple(spot.position for spot in spots)
            yield Cell(place, kind, index, self._sample_text(kind, index))  # type: ignore[arg-type]

    def _sample_text(self, kind: str, index: Any) -> str:
        """What is written into a cell of the sample side."""
        reads = self.reading.samples_are_input
        if index is not None:
            if reads and self.numbers.x is not None:
                return cut(shown(self.numbers.value(index)))
            spatial = self.numbers.spatial(index)
            if len(spatial) == 1:
                return str(spatial[0])
            return ",".join(map(str, spatial)) if kind == "repeat" else ""
        if not reads or kind in ("overhang", "cropped"):
            return ""
        if self.numbers.x is None and len(self.reading.axes) - self.reading.has_channels == 1:
            # Samples show their numbers there: a zero would look like one of them.
            return ""
        constant = self.reading.boundary.mode == "constant" and kind == "padding"
        return cut(shown(self.reading.boundary.value)) if constant else "0"

    def _window_grid(self) -> Grid:
        kept = self._kept_windows()
        name = "output" if self.reading.samples_are_input else "input"
        ticks = [[(o, str(o)) for o in axis] for axis in kept]
        return self._grid(name, self._window_cells(name, kept), ticks)

    def _window_cells(self, name: str, kept: list[list[int]]) -> Iterator[Cell]:
        for place in product(*kept):
            spatial, text = self.numbers.spatial(place), ""
            if name == "input" and self.numbers.x is not None:
                text = cut(shown(self.numbers.value(place)))
            elif len(spatial) == 1 and not (name == "output" and self.numbers.knows_outputs):
                text = str(spatial[0])
            yield Cell(place, "sample", place, text)

    def centres(self) -> tuple[float, ...]:
        """Where the middle of each window lies, on a single axis."""
        (axis,) = self.reading.axes
        found = []
        for row, lies in zip(axis.places, axis.lies, strict=True):
            places = row[lies]
            found.append(float(places.min() + places.max()) / 2 if len(places) else 0.0)
        return tuple(found)


def joint_kind(spots: Iterable[Spot]) -> str | None:
    """The kind of a cell from those of its positions; None where there is no cell."""
    kinds = {spot.kind for spot in spots}
    if "overhang" in kinds:
        return None if "cropped" in kinds else "overhang"
    if "cropped" in kinds:
        return "cropped" if kinds <= {"cropped", "sample", "inserted"} else None
    for kind in ("padding", "inserted", "repeat"):
        if kind in kinds:
            return kind
    return "sample"


def _counted(n: int, name: str) -> str:
    return f"{n} {name}" if n == 1 else f"{n} {name}s"


def whole_numbers(name: str, values: Iterable[int], most: int = MAX_FRAMES) -> list[int]:
    """Integers, at least one and `most` at most."""
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise ParameterError(f"{name} must be integers, range(10) say, got {checks.shown(values)}")
    taken = list(islice(values, most + 1))
    if len(taken) > most:
        raise TooLargeError(
            f"{name} must be at most {most}, which is the limit of frames; range({most}) say"
        )
    found = [checks.concrete(name, checks.integer(name, value)) for value in taken]
    if not found:
        raise ParameterError(f"{name} must name at least one, got none")
    return found
