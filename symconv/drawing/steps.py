"""The steps of an operator as frames: an operator becomes grids of cells and marks on them.

Every mark stands for a triple (or for a tap that meets none), listed by `Reading.step` from the
tables of the incidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from symconv.drawing.grids import MAX_FRAMES, Grids, whole_numbers
from symconv.drawing.numbers import added, cut, shown
from symconv.drawing.scene import Frame, Mark, Place, Step
from symconv.drawing.wording import Words, sent_along
from symconv.errors import ParameterError, TooLargeError

__all__ = ["MAX_MARKS", "Steps"]

#: Marks on all frames together.
MAX_MARKS = 300_000


class Steps:
    """The frames of one operator, in both directions.

    Parameters
    ----------
    grids : Grids
    selected : iterable of int, optional
        Cells that are stepped over, by flat index; all of them unless said.

    Raises
    ------
    TooLargeError
        If there are too many frames or marks: nothing is drawn before that is known.
    """

    def __init__(self, grids: Grids, selected: Iterable[int] | None = None) -> None:
        self.grids = grids
        self.reading, self.numbers = grids.reading, grids.numbers
        self.direction = grids.direction
        self.currents = self._checked_steps(self.direction, selected)
        self._check_marks(self.direction, self.currents)
        self.words = Words(self.reading, self.numbers, grids.kind_of)

    def _checked_steps(self, direction: str, selected: Iterable[int] | None) -> list[Place]:
        size = self.grids.stepped_size(direction)
        total = math.prod(size)
        numbers = self._all_steps(size) if selected is None else whole_numbers("steps", selected)
        if len(numbers) > MAX_FRAMES:
            raise TooLargeError(
                f"{len(numbers)} frames are above the limit of {MAX_FRAMES}; choose some of them, "
                f"steps=range({MAX_FRAMES}) say"
            )
        if not numbers:
            side = "output" if direction == "forward" else "input"
            raise ParameterError(f"steps must name at least one {side}, and there is none to draw")
        for number in numbers:
            if not 0 <= number < total:
                raise ParameterError(f"steps must be 0 … {total - 1}, got {number}")
        if self.grids.planes is not None and selected is not None:
            at = self.grids.plane_axis
            outside = [n for n in numbers if _unraveled(n, size)[at] not in self.grids.planes]
            if outside:
                raise ParameterError(
                    f"steps must lie in planes {self.grids.planes}, got {outside[0]}"
                )
        return [_unraveled(number, size) for number in numbers]

    def _all_steps(self, size: tuple[int, ...]) -> range | list[int]:
        if self.grids.planes is None:
            return range(math.prod(size))
        at = self.grids.plane_axis
        inner, n = math.prod(size[at + 1 :]), size[at]
        return [
            (outer * n + plane) * inner + rest
            for outer in range(math.prod(size[:at]))
            for plane in self.grids.planes
            for rest in range(inner)
        ]

    def _check_marks(self, direction: str, currents: list[Place]) -> None:
        marks = sum(self.reading.count(direction, current) for current in currents)
        if self.numbers.knows_outputs:
            marks += len(currents) * math.prod(self.reading.size("output"))
        if marks > MAX_MARKS:
            raise TooLargeError(
                f"{marks} marks are above the limit of {MAX_MARKS} for a step diagram; choose some "
                f"of its {len(currents)} frames, steps=range(10) say"
            )

    def frames(self, direction: str | None = None) -> list[Frame]:
        """The frames, or those of the other direction (all of its cells).

        Raises
        ------
        TooLargeError
            If the other direction has too many.
        """
        chosen = direction or self.direction
        currents = self.currents
        if chosen != self.direction:
            currents = self._checked_steps(chosen, None)
            self._check_marks(chosen, currents)
        frames = []
        known: dict[Place, Any] = {}
        for current in currents:
            step = self.reading.step(chosen, current)
            self._learn(known, step)
            marks = (*self._known(known), *self._marks(step, known))
            frames.append(Frame(chosen, marks, self.words.caption(step)))
        return frames

    def _learn(self, known: dict[Place, Any], step: Step) -> None:
        """Add what is known after a step: an output, or what an input adds to outputs."""
        numbers, reading = self.numbers, self.reading
        if not numbers.knows_outputs:
            return
        if step.direction == "forward":
            known[step.current] = numbers.result(step.current)
            return
        x = numbers.value(step.current)
        for window, sample, tap in sent_along(reading, step):
            output = window if reading.samples_are_input else sample
            value = numbers.sent(x, window, sample, tap)
            if value is not None:
                before = known.get(output)
                known[output] = added(numbers.first(output) if before is None else before, value)

    def _known(self, known: dict[Place, Any]) -> Iterator[Mark]:
        for index, value in known.items():
            home = self.grids.home("output", index)
            yield Mark("output", home, index, "done", value=cut(shown(value)))

    def _marks(self, step: Step, known: dict[Place, Any]) -> Iterator[Mark]:
        """The marks of a step; outputs that it writes to show their sums so far."""
        forward = step.direction == "forward"
        here, there = ("output", "input") if forward else ("input", "output")
        role = "read" if forward else "write"
        if self.reading.steps_windows(step.direction):
            yield from self._window_marks(step, there, role, known)
        else:
            yield from self._sample_marks(step, here, there, role, known)
        value = self.numbers.result(step.current) if forward else self.numbers.value(step.current)
        home = self.grids.home(here, step.current)
        yield Mark(
            here, home, step.current, "current", value="" if value is None else cut(shown(value))
        )

    def _window_marks(
        self, step: Step, there: str, role: str, known: dict[Place, Any]
    ) -> Iterator[Mark]:
        numbers = self.numbers
        met = {place for place, index, _ in step.touches if index is not None}
        sources = {}
        for place, index, tap in step.touches:
            taps = (numbers.spatial(tap),)
            text = cut(numbers.tap(step.current, tap))
            if index is None:
                yield Mark(there, place, None, "outside", taps, text)
                continue
            value = numbers.value(index) if there == "input" else known.get(index)
            yield Mark(
                there, place, index, role, taps, text, "" if value is None else cut(shown(value))
            )
            home = self.grids.home(there, index)
            if home not in met:
                sources[home] = index
        for home, index in sources.items():
            yield Mark(there, home, index, "source")

    def _sample_marks(
        self, step: Step, here: str, there: str, role: str, known: dict[Place, Any]
    ) -> Iterator[Mark]:
        numbers = self.numbers
        through: dict[Place, list[Place]] = {}
        for window, _, tap in step.touches:
            through.setdefault(window, []).append(tap)
        for window, taps in through.items():
            value = numbers.value(window) if there == "input" else known.get(window)
            text = "+".join(numbers.tap(window, tap) for tap in taps)
            yield Mark(
                there,
                window,
                window,
                role,
                tuple(numbers.spatial(tap) for tap in taps),
                cut(text),
                "" if value is None else cut(shown(value)),
            )
        home = self.grids.home(here, step.current)
        copies = [
            shows.get(i, []) for shows, i in zip(self.grids.copies, step.current, strict=True)
        ]
        for place in product(*copies):
            if place != home and self.grids.kind_of(place) == "repeat":
                yield Mark(here, place, step.current, "copy")


def _unraveled(number: int, size: tuple[int, ...]) -> Place:
    place = []
    for n in reversed(size):
        number, rest = divmod(number, n)
        place.append(rest)
    return tuple(reversed(place))
